"""The 33 observables by which generators of top pairs are judged (event paper, sec. III C).

The 26 columns, five invariant masses, the distance of the two leading jets and the azimuthal
distance of the leading lepton from the missing momentum.  *Leading* is what has the highest energy,
as the paper has it, while the columns are ordered in pT.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amplib.truth.collisions.columns import JETS, TTBAR, columns, mass, ttbar_objects

Array = NDArray[np.float64]

MASSES = ("M_2j", "M_3j", "M_4j", "M_4j1l", "M_4j2l")
OBSERVABLES = (*TTBAR, *MASSES, "dR_jj", "dphi_l_MET")
BINS = 25
"""Bins of each observable in the pairwise histograms."""
BINNINGS = ("central", "extremes", "released")
"""The paper gives the number of bins alone.  ``central`` spreads them evenly over the range in
which the truth lies, but for 0.1% on either side; ``extremes`` over all of the truth, as histograms
do that are given no range, and is what delta is measured in; ``released`` over the ranges of the
one-dimensional histograms in the authors' code, of the logarithm of energies, momenta and masses.
The page on figures of merit measures which of them gives the paper's numbers."""
TAIL = 0.001
JETS_BY = ("pT", "energy")
"""What makes a jet the leading one: the columns' order, or the paper's definition of *leading*."""


def observables(events: Array) -> Array:
    """``OBSERVABLES`` of ``events`` ``(n, 26)``: shape (n, 33), MeV.

    The masses are of the two, three and four leading jets, and of the four with the leading lepton
    and with both; without a second lepton the last two are equal.
    """
    objects = ttbar_objects(events)
    directions = events[:, 2:].reshape(len(events), -1, 4)[:, :, 2:]
    jets, jet_directions = _by_energy(objects[:, :JETS, 0], objects[:, :JETS], directions[:, :JETS])
    leptons, lepton_directions = _by_energy(
        objects[:, JETS:, 0], objects[:, JETS:], directions[:, JETS:]
    )
    sums = np.concatenate(
        [jets.cumsum(1)[:, 1:], jets.sum(1, keepdims=True) + leptons.cumsum(1)], axis=1
    )
    eta = jet_directions[:, 0, 0] - jet_directions[:, 1, 0]
    phi = azimuthal_distance(jet_directions[:, 0, 1], jet_directions[:, 1, 1])
    (met_phi,) = columns(TTBAR, "phi_MET")
    missing = azimuthal_distance(lepton_directions[:, 0, 1], events[:, met_phi])
    return np.column_stack([events, mass(sums), np.hypot(eta, phi), missing])


def azimuthal_distance(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.floating]:
    """Distance of a and b on the circle, in [0, pi].

    >>> azimuthal_distance(np.array([3.0]), np.array([-3.0])).round(3).tolist()
    [0.283]
    """
    return np.abs(np.remainder(a - b + np.pi, 2 * np.pi) - np.pi)


@dataclass(frozen=True, eq=False)
class Binning:
    """Even bins of every observable.

    Args:
        limits: lowest and highest value of ``OBSERVABLES``, ``(33, 2)``, MeV.
        logarithmic: bins of the logarithm, where the lowest value is positive.
    """

    limits: Array
    logarithmic: bool = False

    def codes(self, values: NDArray[np.floating], bins: int = BINS) -> NDArray[np.uint8]:
        """Bin of every observable, ``(n, 33)``; what is beyond a range counts in its outermost bin.

        So a lepton that is not there is in the lowest bin of its energy.

        Args:
            values: ``observables``, ``(n, 33)``.
            bins: of each observable, 256 at most.

        Raises:
            ValueError: a value is not finite, or there are more bins than a byte counts.
        """
        if not 1 <= bins <= 256:
            raise ValueError(f"bins must lie in [1, 256], got {bins}")
        if not np.isfinite(values).all():
            row, column = np.argwhere(~np.isfinite(values))[0]
            raise ValueError(f"event {row}: {OBSERVABLES[column]} = {values[row, column]}")
        codes = np.empty(values.shape, np.uint8)
        for column, (low, high) in enumerate(self.limits):
            x = np.clip(values[:, column], low, high)
            if self.logarithmic and low > 0:
                x, low, high = np.log(x), np.log(low), np.log(high)
            bin_ = (x - low) / ((high - low) or 1.0) * bins  # of no width: all in the lowest
            codes[:, column] = np.minimum(bin_, bins - 1).astype(np.uint8)
        return codes

    def edges(self, column: int, bins: int = BINS) -> Array:
        """Of the bins of an observable, ``(bins + 1,)``."""
        low, high = self.limits[column]
        if self.logarithmic and low > 0:
            return np.geomspace(low, high, bins + 1)
        return np.linspace(low, high, bins + 1)


def binnings(truth: NDArray[np.floating]) -> dict[str, Binning]:
    """``BINNINGS`` for ``observables`` ``(n, 33)`` of the truth."""
    central = np.quantile(truth, (TAIL, 1 - TAIL), axis=0).T.astype(float)
    azimuth = np.array([name.startswith("phi") for name in OBSERVABLES])
    central[azimuth] = released().limits[azimuth]
    return {
        "central": Binning(central),
        "extremes": Binning(np.stack([truth.min(0), truth.max(0)], axis=1).astype(float)),
        "released": released(),
    }


def released() -> Binning:
    """That of the authors' code, whatever the truth is."""
    limits = [_released_limits(name) for name in OBSERVABLES]
    return Binning(np.array(limits), logarithmic=True)


def _released_limits(name: str) -> tuple[float, float]:
    if name == "MET":
        return 1e2, 7e6
    if name.startswith("M_"):
        return 1e4, 1e7
    if name.startswith(("E_", "pT_")):
        return (2e4 if "_j" in name else 1e4), 7e6
    if name.startswith("eta"):
        return (-5.0, 5.0) if "_j" in name else (-2.5, 2.5)
    if name == "dR_jj":  # not among the authors'; twice 5 in eta and pi in phi
        return 0.0, float(np.hypot(10, np.pi))
    if name == "dphi_l_MET":
        return 0.0, np.pi
    return -np.pi, np.pi


def leading_directions(
    events: NDArray[np.floating], by: str = "pT"
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Pseudorapidities and azimuths of the two leading jets, ``(n, 2)`` each.

    Args:
        events: ``(n, 26)``.
        by: one of ``JETS_BY``.

    Raises:
        ValueError: an unknown order.
    """
    if by not in JETS_BY:
        raise ValueError(f"by = {by!r}: allowed are {', '.join(JETS_BY)}")
    jets = events[:, 2 : 2 + 4 * JETS].reshape(len(events), JETS, 4)
    if by == "energy":
        (jets,) = _by_energy(jets[..., 0], jets)
    return jets[:, :2, 2], jets[:, :2, 3]


def _by_energy(
    energies: NDArray[np.floating], *arrays: NDArray[np.floating]
) -> list[NDArray[np.floating]]:
    """What belongs to objects, ``(n, k, ...)``, highest of their ``energies`` ``(n, k)`` first."""
    order = np.argsort(-energies, axis=1, kind="stable")[..., None]
    return [np.take_along_axis(array, order, 1) for array in arrays]
