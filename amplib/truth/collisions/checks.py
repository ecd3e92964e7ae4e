"""What is known of a top-quark sample: masses, the jets' energy scale, the resolution of MET.

Every function takes the arrays of ``ttbar.Sample``, all in MeV.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amplib.estimate import Estimate
from amplib.truth.collisions import atlas_card as card
from amplib.truth.collisions.columns import (
    GEV,
    JETS,
    PARTONS,
    TTBAR,
    columns,
    mass,
    pt_eta_phi,
    ttbar_objects,
)
from amplib.truth.collisions.objects import delta_r2
from amplib.truth.collisions.towers import energy_resolution

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

MATCH_DR = 0.3
"""A jet belongs to a quark, a lepton or a true jet that is nearer than this."""
PHOTONS, HADRON_CELLS = 0.3, 5
"""A typical jet of 40 to 120 GeV: share of photons, and cells of hadrons above threshold."""
W_MASS, TOP_MASS = 80.4, 173.0
"""Pythia's in GeV, that of the W (80.385) rounded."""

THREE_QUARKS = (
    columns(PARTONS, "W+ quark", "W+ antiquark", "b"),
    columns(PARTONS, "W- quark", "W- antiquark", "bbar"),
)
TOPS, WS = columns(PARTONS, "t", "tbar"), columns(PARTONS, "W+", "W-")


@dataclass(frozen=True)
class Peak:
    """Where values crowd, and how closely.

    Args:
        median: half of the values are below.
        error: standard deviation of the median, 1.253 width / sqrt(n), as of a Gaussian core.
        width: half of the central 68.3%.
        n: number of values.
    """

    median: float
    error: float
    width: float
    n: int

    def estimate(self) -> Estimate:
        """The median with its error."""
        return Estimate(self.median, self.error)


def peak(values: ArrayLike) -> Peak:
    """Median and width, which tails hardly move.

    Raises:
        ValueError: fewer than two values.
    """
    values = np.asarray(values, dtype=float)
    if values.size < 2:
        raise ValueError(f"a peak needs two values, got {values.size}")
    low, median, high = np.quantile(values, [0.1587, 0.5, 0.8413])
    width = float(high - low) / 2
    error = width * float(np.sqrt(np.pi / 2 / values.size))
    return Peak(float(median), error, width, values.size)


def true_masses(partons: Array) -> tuple[Array, Array]:
    """Masses of both W and of both tops in front of the detector, each of shape (n, 2)."""
    return mass(partons[:, WS]), mass(partons[:, TOPS])


def hadronic_masses(events: Array, partons: Array, particle_ids: Integers) -> tuple[Array, Array]:
    """Masses of W -> jj and t -> bjj from the jets that belong to the quarks.

    A quark has the jet nearest to it within dR < 0.3. A top counts if its W went to quarks and the
    three quarks have three different jets among the four.

    Returns:
        W and top masses, MeV, each of shape (k,), k at most n.
    """
    jets = ttbar_objects(events)[:, :JETS]
    w_masses, top_masses = [], []
    for which, code in zip(THREE_QUARKS, particle_ids[:, ::2].T, strict=True):
        nearest = nearest_jets(jets, partons[:, which])
        ordered = np.sort(nearest, axis=1)
        distinct = (ordered[:, 0] >= 0) & np.all(np.diff(ordered, axis=1) > 0, axis=1)
        good = np.flatnonzero(distinct & (np.abs(code) < 6))
        three = jets[good[:, None], nearest[good]]
        w_masses.append(mass(three[:, :2].sum(axis=1)))
        top_masses.append(mass(three.sum(axis=1)))
    return np.concatenate(w_masses), np.concatenate(top_masses)


def nearest_jets(jets: Array, quarks: Array) -> Integers:
    """Which jet is nearest to each quark within dR < 0.3, -1 for none.

    Args:
        jets: (E, px, py, pz), shape (n, J, 4).
        quarks: the same, shape (n, Q, 4).

    Returns:
        Shape (n, Q).
    """
    distance2 = delta_r2(*pt_eta_phi(quarks[:, :, None])[1:], *pt_eta_phi(jets[:, None])[1:])
    nearest = distance2.argmin(axis=2)
    return np.where(distance2.min(axis=2) < MATCH_DR**2, nearest, -1)


def jet_response(jet_pairs: ArrayLike, edges: ArrayLike) -> list[Peak]:
    """Peak of measured over true pT of jets, in bins of the true pT.

    Args:
        jet_pairs: (true pT, pT, eta), MeV, shape (k, 3).
        edges: of the bins, MeV, shape (bins + 1,).

    Raises:
        ValueError: a bin has fewer than two jets.
    """
    true, measured = np.asarray(jet_pairs, dtype=float)[:, :2].T
    edges = np.asarray(edges, dtype=float)
    bins = np.searchsorted(edges, true, side="right") - 1
    return [peak(measured[bins == i] / true[bins == i]) for i in range(len(edges) - 1)]


def least_jet_resolution(pt: ArrayLike, eta: ArrayLike) -> Array:
    """Relative resolution of a typical jet by the card's cells alone, of the shape of ``pt``.

        sigma^2 = sigma_ECAL^2(f E) + n sigma_HCAL^2((1 - f) E / n),  E = pT cosh(eta),

    with f = ``PHOTONS`` and n = ``HADRON_CELLS``.  What is lost below the cells' thresholds
    differs from jet to jet, and so does what lies beside the cone; both come on top.

    Args:
        pt: true, MeV.
        eta: of the same shape.
    """
    energy = np.asarray(pt) / GEV * np.cosh(eta)
    photons = energy_resolution(card.ECAL, eta, PHOTONS * energy)
    hadrons = energy_resolution(card.HCAL, eta, (1 - PHOTONS) * energy / HADRON_CELLS)
    return np.hypot(photons, np.sqrt(HADRON_CELLS) * hadrons) / energy


def jet_resolution(jet_pairs: ArrayLike, low: float, high: float) -> tuple[float, Peak]:
    """The least resolution and the peak of measured over true pT, whose width is the resolution.

    Args:
        jet_pairs: (true pT, pT, eta), MeV, shape (k, 3).
        low, high: of the true pT, MeV.

    Raises:
        ValueError: fewer than two jets.
    """
    true, measured, eta = np.asarray(jet_pairs, dtype=float).T
    here = (true >= low) & (true < high)
    least = least_jet_resolution(true[here], eta[here])
    return float(np.sqrt(np.mean(least**2))), peak(measured[here] / true[here])


def lost_by_jets(events: Array) -> NDArray[np.complex128]:
    """What the cells miss of the four jets' momenta, px + i py in MeV, shape (n,).

    MET is made of towers, before the jet energy scale: of each jet it misses what the scale makes
    good for, pT - r with r^2 + (3 - 0.2 abs(eta))^2 r = pT^2 in GeV.

    Args:
        events: (n, 26).
    """
    _, pt, eta, phi = np.moveaxis(events[:, 2:].reshape(len(events), -1, 4)[:, :JETS], -1, 0)
    slope = GEV * (card.jet_energy_scale(1.0, eta) ** 2 - 1)
    lost = (pt + slope / 2 - np.hypot(slope / 2, pt)) * np.exp(1j * phi)
    return np.asarray(lost.sum(axis=1))


def least_missing_resolution(events: Array) -> float:
    """Resolution of a component of MET by the four jets of ``events`` (n, 26) alone, MeV.

    A jet adds what of it is lost to MET, besides its own resolution.
    """
    _, pt, eta, _ = np.moveaxis(events[:, 2:].reshape(len(events), -1, 4)[:, :JETS], -1, 0)
    widths = least_jet_resolution(pt, eta) * pt
    squares = np.abs(lost_by_jets(events)) ** 2 + (widths**2).sum(axis=1)
    return float(np.sqrt(squares.mean() / 2))


def missing_scale(events: Array, neutrinos: ArrayLike) -> Estimate:
    r"""Scale of the missing momentum along the neutrinos, :math:`\sum m \cdot t / \sum t^2`.

    Of measured m and true t; its error is that of a least-squares slope whose residuals may grow.
    """
    true = np.asarray(neutrinos, dtype=float)
    along, squared = ((missing_residuals(events, true) + true) * true).sum(1), (true**2).sum(1)
    scale = along.sum() / squared.sum()
    error = np.sqrt(((along - scale * squared) ** 2).sum()) / squared.sum()
    return Estimate(float(scale), float(error))


def expected_missing_scale(events: Array, neutrinos: ArrayLike) -> float:
    """``missing_scale`` if MET missed :func:`lost_by_jets` and nothing else: jets recoil against
    neutrinos, so that what is lost of them is lost of MET."""
    x, y = np.asarray(neutrinos, dtype=float).T
    lost = lost_by_jets(events)
    return float(1 + (lost.real * x + lost.imag * y).sum() / (x**2 + y**2).sum())


def missing_residuals(events: Array, neutrinos: ArrayLike) -> Array:
    """Measured minus true missing momentum, x and y, MeV, shape (n, 2)."""
    met, phi = events[:, columns(TTBAR, "MET", "phi_MET")].T
    return met[:, None] * np.stack([np.cos(phi), np.sin(phi)], axis=1) - np.asarray(neutrinos)


def missing_resolution(events: Array, neutrinos: ArrayLike) -> Peak:
    """Peak of both components of :func:`missing_residuals`: its width is the resolution, MeV."""
    return peak(missing_residuals(events, neutrinos).ravel())
