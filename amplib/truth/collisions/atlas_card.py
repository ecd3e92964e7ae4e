"""The numbers of the parametrised ATLAS detector; ``detector`` holds the formulas.

Source: cards/delphes_card_ATLAS.tcl of Delphes (de Favereau et al., arXiv:1307.6346), read as
facts. GeV, metres, tesla. A table is read by ``|eta|`` <= edge; beyond its last edge there is
nothing (no track, no tower, no object), except where a line says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Propagation: the cylinder that the field fills.
RADIUS, HALF_LENGTH, FIELD = 1.15, 3.51, 2.0

# Tracking.  The lowest threshold is that of every efficiency and resolution.
TRACK_PT_MIN = 0.1
TRACK_ETA = (1.5, 2.5)
RESOLUTION_ETA = (0.5, 1.5, 2.5)
WORST_RESOLUTION = 1.0


@dataclass(frozen=True)
class Tracking:
    """How one kind of charged particle is tracked.

    Args:
        pt_edges: upper edges of pT of the rows but the last.
        efficiency: a row a range of pT, a column a range of ``TRACK_ETA``.
        constant: a of sigma(pT)/pT = sqrt(a^2 + (b pT)^2), by ``RESOLUTION_ETA``.
        slope: b, 1/GeV.
    """

    pt_edges: tuple[float, ...]
    efficiency: tuple[tuple[float, float], ...]
    constant: tuple[float, float, float]
    slope: tuple[float, float, float]


HADRON = Tracking(
    pt_edges=(1.0,),
    efficiency=((0.70, 0.60), (0.95, 0.85)),
    constant=(0.06, 0.10, 0.25),
    slope=(1.3e-3, 1.7e-3, 3.1e-3),
)
ELECTRON = Tracking(
    pt_edges=(1.0, 100.0),
    efficiency=((0.73, 0.50), (0.95, 0.83), (0.99, 0.90)),
    constant=(0.03, 0.05, 0.15),
    slope=(1.3e-3, 1.7e-3, 3.1e-3),
)
MUON = Tracking(
    pt_edges=(1.0,),
    efficiency=((0.75, 0.70), (0.99, 0.98)),
    constant=(0.01, 0.015, 0.025),
    slope=(1.0e-4, 1.5e-4, 3.5e-4),
)


@dataclass(frozen=True)
class Calorimeter:
    """One of the two calorimeters: towers of constant eta and phi width within a ring.

    Args:
        eta_edges: of the rings at eta >= 0; the other half mirrors them.
        towers_in_phi: of each ring.
        resolution_eta: ``|eta|`` of the tower's centre up to which a row of ``resolution`` holds.
            Beyond the last there is no smearing.
        resolution: (c, s, n) of sigma(E)^2 = (c E)^2 + s^2 E + n^2, GeV.
        energy_min: a tower below is dropped, GeV.
        fractions: of the energy that stays here, by the PDG code without its sign.
        other_fraction: of every other particle.
    """

    eta_edges: tuple[float, ...]
    towers_in_phi: tuple[int, ...]
    resolution_eta: tuple[float, ...]
    resolution: tuple[tuple[float, float, float], ...]
    energy_min: float
    fractions: tuple[tuple[int, float], ...]
    other_fraction: float


SIGNIFICANCE_MIN = 2.0
"""A tower, or an excess over the tracks, below this many sigma is dropped."""

_FINE = tuple(0.0174 * i for i in range(171))  # to 2.958, one degree in phi
_FORWARD = (3.125, 3.3, 3.475, 3.65, 3.825, 4.0, 4.175, 4.35, 4.525, 4.7, 5.0)  # ten degrees
ECAL = Calorimeter(
    eta_edges=_FINE + _FORWARD,
    towers_in_phi=(360,) * 170 + (36,) * 11,
    resolution_eta=(3.2, 4.9),
    resolution=((0.0017, 0.101, 0.0), (0.035, 0.285, 0.0)),
    energy_min=0.5,
    fractions=((11, 1.0), (22, 1.0), (111, 1.0), (310, 0.3), (3122, 0.3)),
    other_fraction=0.0,
)

_BARREL = tuple(i / 10 for i in range(27))  # to 2.6, ten degrees
_ENDCAP = (2.8, 3.0, 3.2)  # twenty degrees, as beyond 3.3; the card's ring from 3.2 has ten
_OUTER = tuple(3.3 + 0.2 * i for i in range(9))
HCAL = Calorimeter(
    eta_edges=_BARREL + _ENDCAP + _OUTER,
    towers_in_phi=(36,) * 26 + (18,) * 3 + (36,) + (18,) * 8,
    resolution_eta=(1.7, 3.2, 4.9),
    resolution=((0.0302, 0.5205, 1.59), (0.05, 0.706, 0.0), (0.0942, 1.0, 0.0)),
    energy_min=1.0,
    fractions=((11, 0.0), (22, 0.0), (111, 0.0), (13, 0.0), (310, 0.7), (3122, 0.7)),
    other_fraction=1.0,
)


@dataclass(frozen=True)
class Identification:
    """How one kind of particle is identified, above ``OBJECT_PT_MIN``.

    Args:
        eta_edges: of the two regions.
        efficiency: in each.
        isolation_max: largest sum of pT around it, over its own.
    """

    eta_edges: tuple[float, float]
    efficiency: tuple[float, float]
    isolation_max: float


OBJECT_PT_MIN = 10.0
PHOTON_ID = ELECTRON_ID = Identification((1.5, 2.5), (0.95, 0.85), 0.12)
MUON_ID = Identification((1.5, 2.7), (0.95, 0.85), 0.25)
ISOLATION_CONE = 0.5
ISOLATION_PT_MIN = 0.5

JET_RADIUS = 0.6
"""Of anti-kt, on towers and muons."""
JET_PT_MIN = 20.0
"""Before the jet energy scale: after it, jets have more than 24.1 GeV at eta = 0 and 21.9 at 5."""


def jet_energy_scale(pt: ArrayLike, eta: ArrayLike) -> NDArray[np.float64]:
    """Factor ``sqrt((3 - 0.2 |eta|)^2 / pT + 1)`` on a jet's four-momentum, pT in GeV."""
    return np.sqrt((3.0 - 0.2 * np.abs(eta)) ** 2 / np.asarray(pt, dtype=float) + 1.0)
