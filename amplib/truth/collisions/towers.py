"""The two calorimeters of the parametrised detector: cells, energies, excess over the tracks.

Numbers from ``atlas_card``; see ``detector`` for the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amplib.truth.collisions import atlas_card as card

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Grid:
    """The cells of a calorimeter, numbered ring by ring from negative to positive eta.

    Args:
        eta: edges of the R rings, shape (R + 1,).
        in_phi: cells of each ring, shape (R,).
        last: number of the first cell after each ring, shape (R,).
    """

    eta: Array
    in_phi: Integers
    last: Integers

    @property
    def cells(self) -> int:
        return int(self.last[-1])

    def cell(self, eta: Array, phi: Array) -> Integers:
        """Cell at (eta, phi), -1 outside, of their shape."""
        ring = np.searchsorted(self.eta, eta) - 1
        outside = (ring < 0) | (ring >= len(self.in_phi))
        ring = np.where(outside, 0, ring)
        in_phi = self.in_phi[ring]
        # The remainder puts phi = pi, or what rounding makes of it, into the first cell.
        step = np.floor((phi + np.pi) / (2 * np.pi) * in_phi).astype(np.int64) % in_phi
        return np.where(outside, -1, self.last[ring] - in_phi + step)

    def centre(self, cell: Integers) -> Array:
        """eta of the centre of each cell."""
        return (0.5 * (self.eta[1:] + self.eta[:-1]))[np.searchsorted(self.last, cell, "right")]

    def position(self, cell: Integers, rng: np.random.Generator) -> tuple[Array, Array]:
        """(eta, phi), uniform within each cell."""
        ring = np.searchsorted(self.last, cell, "right")
        in_phi, low, high = self.in_phi[ring], self.eta[ring], self.eta[ring + 1]
        step = cell - self.last[ring] + in_phi + rng.random(len(cell))
        return low + (high - low) * rng.random(len(cell)), step * (2 * np.pi) / in_phi - np.pi


@cache
def grid(calorimeter: card.Calorimeter) -> Grid:
    """The cells of the ECAL or the HCAL."""
    edges, in_phi = np.array(calorimeter.eta_edges), np.array(calorimeter.towers_in_phi)
    in_phi = np.concatenate([in_phi[::-1], in_phi])
    return Grid(np.concatenate([-edges[:0:-1], edges]), in_phi, np.cumsum(in_phi))


@dataclass(frozen=True, eq=False)
class Towers:
    """Towers hit in one calorimeter, ordered by event, H in a batch of events.

    Args:
        event: shape (H,).
        energy: measured, GeV, zero below threshold, shape (H,).
        excess: what no track explains, GeV, zero if not significant, shape (H,).
        track_scale: factor on the momentum of the tower's tracks, shape (H,).
        eta, phi: uniform within the tower, shape (H,).
        of_particle: tower of each particle, -1 for none, shape (N,).
    """

    event: Integers
    energy: Array
    excess: Array
    track_scale: Array
    eta: Array
    phi: Array
    of_particle: Integers

    def kinematics(self, energy: Array) -> Array:
        """(E, pT, eta, phi) of massless towers with ``energy``, shape (H, 4)."""
        return np.stack([energy, energy / np.cosh(self.eta), self.eta, self.phi], axis=1)


def deposited_fraction(calorimeter: card.Calorimeter, pdg_id: Integers) -> Array:
    """Part of a particle's energy that a calorimeter takes, of the shape of ``pdg_id``."""
    kind = np.abs(pdg_id)
    fraction = np.full(kind.shape, calorimeter.other_fraction)
    for code, value in calorimeter.fractions:
        fraction[kind == code] = value
    return fraction


def energy_resolution(calorimeter: card.Calorimeter, eta: ArrayLike, energy: ArrayLike) -> Array:
    """sigma(E) = sqrt((c E)^2 + s^2 E + n^2), GeV, at the eta of a tower's centre."""
    region = np.searchsorted(calorimeter.resolution_eta, np.abs(eta))
    c, s, n = np.vstack([calorimeter.resolution, np.zeros(3)]).T[:, region]
    energy = np.asarray(energy, dtype=float)
    return np.sqrt((c * energy) ** 2 + s**2 * energy + n**2)


def log_normal(mean: Array, sigma: Array, rng: np.random.Generator) -> Array:
    """Positive numbers of the given ``mean`` > 0 and standard deviation ``sigma`` >= 0.

    exp(a + b z), z ~ N(0, 1), b^2 = ln(1 + sigma^2 / mean^2), a = ln(mean) - b^2 / 2.
    """
    b2 = np.log1p((sigma / mean) ** 2)
    return mean * np.exp(np.sqrt(b2) * rng.standard_normal(len(mean)) - 0.5 * b2)


def totals(owner: Integers, values: Array, n: int) -> Array:
    """Sum of the ``values`` of each of ``n`` owners, shape (n,)."""
    return np.bincount(owner, values, n).astype(float)


def measure(
    calorimeter: card.Calorimeter,
    event: Integers,
    deposits: Array,
    cell: Integers,
    tracks: tuple[Integers, Array, Array],
    rng: np.random.Generator,
) -> Towers:
    """Energies of the towers that were hit, compared with their tracks.

    A tower that measures E +- sigma, with tracks of sum E_t and sigma_t^2 = sum (r E_track)^2, has

        excess = E - E_t    where above threshold and above 2 sqrt(sigma^2 + sigma_t^2),

    and elsewhere scales its tracks to the mean of E and E_t, each weighted by 1/sigma^2.

    Args:
        calorimeter: numbers of the ECAL or the HCAL.
        event: of N particles, not decreasing, shape (N,).
        deposits: energy that each leaves here, GeV, shape (N,).
        cell: where, -1 for nowhere, shape (N,).
        tracks: particle, energy E_track and relative resolution r, each of shape (T,).
        rng: three numbers a tower.
    """
    cells = grid(calorimeter)
    hit = np.flatnonzero((deposits > 0) & (cell >= 0))
    keys, tower = np.unique(event[hit] * cells.cells + cell[hit], return_inverse=True)
    of_particle = np.full(len(event), -1)
    of_particle[hit] = tower
    deposit = totals(tower, deposits[hit], len(keys))
    tower_event, tower_cell = np.divmod(keys, cells.cells)
    centre = cells.centre(tower_cell)
    energy = log_normal(deposit, energy_resolution(calorimeter, centre, deposit), rng)
    sigma = energy_resolution(calorimeter, centre, energy)
    seen = (energy >= calorimeter.energy_min) & (energy >= card.SIGNIFICANCE_MIN * sigma)
    energy = np.where(seen, energy, 0.0)

    particle, track_energy, resolution = tracks
    with_tower = of_particle[particle] >= 0
    owner, track_energy = of_particle[particle[with_tower]], track_energy[with_tower]
    expected = totals(owner, track_energy, len(keys))
    variance = totals(owner, (resolution[with_tower] * track_energy) ** 2, len(keys))
    excess = energy - expected
    limit = card.SIGNIFICANCE_MIN * np.sqrt(variance + sigma**2)
    significant = (excess > calorimeter.energy_min) & (excess > limit)
    scale = np.ones(len(keys))
    shared = (expected > 0) & ~significant
    weight = variance[shared] / (variance[shared] + sigma[shared] ** 2)
    scale[shared] += weight * (energy[shared] / expected[shared] - 1)
    return Towers(
        tower_event,
        energy,
        np.where(significant, excess, 0.0),
        scale,
        *cells.position(tower_cell, rng),
        of_particle,
    )
