"""The columns of the three sets of events (event paper, sec. II), by name and in their order.

Reference: Otten et al., "Event Generation and Statistical Sampling for Physics with Deep
Generative Models and a Density Information Buffer", arXiv:1901.00875.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

TWO_BODY = ("E1", "E2", "px1", "py1", "pz1", "px2", "py2", "pz2", "m1", "m2")
"""Sec. II A, in GeV."""

LEPTONS = ("e-", "e+", "mu-", "mu+")
Z_LEPTONS = tuple(f"{q}_{lepton}" for lepton in LEPTONS for q in ("E", "px", "py", "pz"))
"""Sec. II B, in GeV as in the LHEF: 16 columns, of which 8 are zero in every event."""

OBJECTS = ("j1", "j2", "j3", "j4", "l1", "l2")
TTBAR = ("MET", "phi_MET", *(f"{q}_{x}" for x in OBJECTS for q in ("E", "pT", "eta", "phi")))
"""Sec. II C, as published (Zenodo 3560661): MeV, jets and leptons each ordered in pT, zeros for an
absent second lepton, azimuths in (-pi, pi]."""

JETS = 4
"""How many of ``OBJECTS`` are jets."""

PARTONS = (
    *("t", "tbar", "W+", "W-", "b", "bbar"),
    *("W+ quark", "W+ antiquark", "W- quark", "W- antiquark"),
)
"""True particles that go with an event of sec. II C; see ``ttbar.Sample``."""

GEV = 1000.0
"""In MeV, the unit of ``TTBAR``."""
BEAM = 7_000 * GEV
"""More than any object has, MeV: a beam has 6.5 TeV, and a measurement may exceed it."""
LEPTON_CODES = (11, 13)
"""PDG codes of e and mu, which have the same couplings."""


def columns(table: Sequence[str], *names: str) -> list[int]:
    """Positions of ``names`` in a table of columns.

    Raises:
        ValueError: a name is not in the table.

    >>> columns(TTBAR, "MET", "pT_l2")
    [0, 23]
    """
    missing = [name for name in names if name not in table]
    if missing:
        raise ValueError(f"no column {missing[0]!r} among {', '.join(table)}")
    return [table.index(name) for name in names]


def four_momentum(energy: ArrayLike, pt: ArrayLike, eta: ArrayLike, phi: ArrayLike) -> Array:
    """(E, pT cos phi, pT sin phi, pT sinh eta), shape (..., 4), in the unit of E and pT."""
    pt = np.asarray(pt, dtype=float)
    along = pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)
    return np.stack(np.broadcast_arrays(energy, *along), axis=-1)


def pt_eta_phi(momentum: ArrayLike) -> tuple[Array, Array, Array]:
    """pT, pseudorapidity and azimuth of (E, px, py, pz) along the last axis of (..., 4).

    >>> [float(q[0]) for q in pt_eta_phi([[5.0, 0.0, 3.0, 0.0]])]
    [3.0, 0.0, 1.5707963267948966]
    """
    _, x, y, z = np.moveaxis(np.asarray(momentum, dtype=float), -1, 0)
    pt = np.hypot(x, y)
    return pt, np.arcsinh(z / pt), np.arctan2(y, x)


def ttbar_objects(events: Array) -> Array:
    """Four-momenta (E, px, py, pz) of ``OBJECTS``, shape (n, 6, 4) of ``events`` (n, 26), MeV."""
    objects = events[:, 2:].reshape(-1, len(OBJECTS), 4)
    return four_momentum(*np.moveaxis(objects, -1, 0))


def mass(momentum: ArrayLike) -> Array:
    """sqrt(E^2 - p^2) along the last axis of (..., 4), negative where E^2 < p^2 by rounding.

    >>> mass([[5.0, 0.0, 0.0, 3.0]]).tolist()
    [4.0]
    """
    p = np.asarray(momentum, dtype=float)
    squared = p[..., 0] ** 2 - (p[..., 1:] ** 2).sum(axis=-1)
    return np.asarray(np.copysign(np.sqrt(np.abs(squared)), squared))
