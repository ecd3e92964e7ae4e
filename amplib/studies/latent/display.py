"""An event of top pairs as arrows in the transverse plane (event paper, Fig. 9)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amplib.truth.collisions.columns import GEV, JETS, OBJECTS

LEPTON_PT = 10 * GEV
"""Below it a lepton is taken for absent: the truth has none there."""


class Arrow(NamedTuple):
    """One object.

    Args:
        name: ``j1`` to ``j4``, ``l1``, ``l2`` or ``MET``.
        kind: ``jet``, ``lepton`` or ``missing``.
        x, y: its tip: the direction is phi's, the length the root of pT over the event's largest.
        share: of the energies in the event, that of the missing momentum its modulus.
        pt: GeV.
    """

    name: str
    kind: str
    x: float
    y: float
    share: float
    pt: float


def arrows(event: NDArray[np.floating]) -> list[Arrow]:
    """The objects of an event ``(26,)`` in MeV that are there, jets first.

    The paper gives colours, and widths by the energy; the length is our choice.  What a decoder
    leaves of an absent lepton, below 10 GeV, is not drawn, nor is a momentum that is not positive.
    """
    objects = event[2:].reshape(len(OBJECTS), -1).astype(float)
    found = [
        (name, "jet" if k < JETS else "lepton", pt, energy, phi)
        for k, (name, (energy, pt, _, phi)) in enumerate(zip(OBJECTS, objects, strict=True))
        if pt > (0 if k < JETS else LEPTON_PT)
    ]
    met, direction = map(float, event[:2])
    if met > 0:
        found.append(("MET", "missing", met, met, direction))
    largest = max((pt for _, _, pt, _, _ in found), default=1.0)
    total = sum(max(energy, 0) for _, _, _, energy, _ in found) or 1.0
    return [
        Arrow(
            name,
            kind,
            float((pt / largest) ** 0.5 * np.cos(phi)),
            float((pt / largest) ** 0.5 * np.sin(phi)),
            max(energy, 0) / total,
            pt / GEV,
        )
        for name, kind, pt, energy, phi in found
    ]


def objects_of(event: NDArray[np.floating]) -> tuple[int, int]:
    """How many jets and leptons are drawn of an event.

    >>> e = np.zeros(26); e[3], e[7], e[19] = 50e3, 30e3, 20e3
    >>> objects_of(e)
    (2, 1)
    """
    kinds = [a.kind for a in arrows(event)]
    return kinds.count("jet"), kinds.count("lepton")


def in_words(event: NDArray[np.floating]) -> str:
    """What an event holds, for those who do not see its arrows.

    >>> e = np.zeros(26); e[0], e[2:6] = 30e3, [90e3, 50e3, 1.2, 0.5]
    >>> in_words(e)
    '1 jet, leading 50 GeV; no lepton; missing 30 GeV'
    """
    seen = arrows(event)
    jets = [a.pt for a in seen if a.kind == "jet"]
    leptons = [a.pt for a in seen if a.kind == "lepton"]
    missing = sum(a.pt for a in seen if a.kind == "missing")
    return "; ".join(
        [_counted("jet", jets), _counted("lepton", leptons), f"missing {missing:.0f} GeV"]
    )


def _counted(noun: str, momenta: list[float]) -> str:
    if not momenta:
        return f"no {noun}"
    plural = "s" if len(momenta) > 1 else ""
    return f"{len(momenta)} {noun}{plural}, leading {max(momenta):.0f} GeV"
