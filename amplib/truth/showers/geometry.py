"""The silicon-tungsten electromagnetic calorimeter of the International Large Detector (ILD).

Absorbers, pitches and cell size follow the detector's description (key4hep/k4geo); the depths in
radiation lengths count all material: tungsten, silicon, boards, copper, carbon fibre.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Medium:
    """A sampling calorimeter as one homogeneous effective medium (Grindhammer & Peters, sec. 2)."""

    radiation_length: float
    """X0, cm."""
    moliere_radius: float
    """R_M, cm."""
    critical_energy: float
    """E_c, MeV."""
    charge: float
    """Z, the mean over mass fractions."""
    sampling_frequency: float
    """F_S = X0 / (absorber + active), lengths of a period."""
    e_over_mip: float
    """Response to electrons over that to minimum ionising particles."""


@dataclass(frozen=True)
class Stack:
    """Layers of silicon behind tungsten, cut into square cells.

    Lengths along the axis count from the front face of the calorimeter.
    """

    absorber_mm: tuple[float, ...]
    """Tungsten before each silicon layer."""
    front_mm: tuple[float, ...]
    """Front face of each silicon layer."""
    depth: tuple[float, ...]
    """Depth of each silicon layer in radiation lengths of all material."""
    sampling_fraction: tuple[float, ...]
    """Share of a shower's local energy loss that is seen in a layer's silicon."""
    total_mm: float
    silicon_mm: float
    cell_mm: float
    cells: int
    """Cells along x and along y."""
    mip_mean: float
    """Mean energy that a minimum ionising particle leaves in a layer, MeV."""
    mip_mode: float
    """Its most probable energy, MeV."""
    least: float
    """A hit of less does not exist, MeV."""
    medium: Medium

    @property
    def layers(self) -> int:
        return len(self.depth)

    def windows(self) -> tuple[np.ndarray, np.ndarray]:
        """Where in depth each layer samples the shower, in X0: lower and upper ends, ``(layers,)``.

        A silicon layer sees the particles at its own depth, however far its neighbours are.  Its
        window has the mean pitch of its section (the tungsten before it), for which the sampling
        fraction holds, and is centred on it; the pitch of single layers alternates by 5%, as two
        layers share a slab.  Where the tungsten thickens, a third of a radiation length lies in no
        window: ``calibration`` makes up for it.
        """
        depth, absorber = np.array(self.depth), np.array(self.absorber_mm)
        pitch = np.empty_like(depth)
        for thickness in set(self.absorber_mm):
            section = absorber == thickness
            pitch[section] = np.ptp(depth[section]) / (section.sum() - 1)
        return depth - pitch / 2, depth + pitch / 2

    @property
    def mip_width(self) -> float:
        """Scale of Moyal's distribution with this mode and mean, MeV; 1.27 of it lie between."""
        return float((self.mip_mean - self.mip_mode) / (np.euler_gamma + np.log(2)))

    @property
    def mip_variance(self) -> float:
        """Of its energy, MeV^2."""
        return float(np.pi**2 / 2 * self.mip_width**2)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one shower: layer, x, y."""
        return self.layers, self.cells, self.cells

    def calibration(self) -> np.ndarray:
        """Energy lost in the calorimeter for each unit that a layer sees, ``(layers,)``.

        The inverse sampling fraction, times the depth that the layer stands for, half the way to
        either neighbour, over that of its window.
        """
        lower, upper = self.windows()
        return np.gradient(self.depth) / (upper - lower) / np.array(self.sampling_fraction)

    def discs(self, radii: Sequence[float]) -> np.ndarray:
        """Share of each cell's area within radii about the axis, ``(n, cells, cells)``.

        Args:
            radii: in Molière radii.
        """
        fine = 16
        place = (np.arange(fine * self.cells) + 0.5) / fine - self.cells / 2
        square = (place[:, None] ** 2 + place**2) * self.cell_mm**2
        shape = self.cells, fine, self.cells, fine
        edges = 10 * self.medium.moliere_radius * np.array(radii)
        return np.stack([(square < r**2).reshape(shape).mean((1, 3)) for r in edges])


def _front_faces() -> tuple[float, ...]:
    # Two layers share a slab: 3.3 mm apart inside it and 9.15 mm to the next; 5.4 and 11.2 behind
    # thick plates.  How far the first lies behind the front face is our choice; nothing but the
    # light filler that Geant4 finds before it depends on that.
    pitch = [9.15, 3.3] * 10 + [11.2, 5.4] * 5
    return tuple(np.cumsum(pitch).round(3).tolist())


MATERIAL_FRACTIONS = (0.0248, 0.0122)
"""Sampling fractions behind thin and thick plates, worked out from the materials for this book."""
CALIBRATION = 0.749
"""What scales them, so that photons of 50 GeV are seen with 800 MeV, to half a per cent: the middle
of the axis of Fig. 3 (dctrgan) in the authors' notebook; the paper gives no mean."""

# fmt: off
_DEPTH = (
    0.64, 1.26, 1.94, 2.55, 3.23, 3.85, 4.53, 5.14, 5.82, 6.43,
    7.11, 7.73, 8.41, 9.02, 9.70, 10.32, 11.00, 11.61, 12.29, 12.90,
    14.18, 15.40, 16.68, 17.89, 19.17, 20.38, 21.66, 22.88, 24.16, 25.37,
)
# fmt: on

ILD_ECAL = Stack(
    absorber_mm=(2.1,) * 20 + (4.2,) * 10,
    front_mm=_front_faces(),
    depth=_DEPTH,
    sampling_fraction=tuple(CALIBRATION * MATERIAL_FRACTIONS[k >= 20] for k in range(30)),
    total_mm=223.2,
    silicon_mm=0.525,
    cell_mm=5.0883,
    cells=30,
    mip_mean=0.20,
    mip_mode=0.1575,
    # A tenth of the threshold; Getting High draws its cells from there on.
    least=0.01,
    medium=Medium(
        radiation_length=0.819,
        moliere_radius=1.88,
        critical_energy=9.2,
        charge=66.2,
        sampling_frequency=1.18,
        e_over_mip=0.704,
    ),
)

SECTIONS = tuple(
    Medium(length, radius, energy, charge, frequency, ILD_ECAL.medium.e_over_mip)
    for length, radius, energy, charge, frequency in (
        (0.964, 2.13, 9.6, 64.1, 1.545),
        (0.669, 1.61, 8.8, 68.6, 0.802),
    )
)
"""The media of thin and of thick plates, for which ``ILD_ECAL`` has one; worked out from the
materials in the same way."""
