"""The stored figures of merit of one point of the plane."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from amplib.estimate import Estimate
from amplib.store.results import Result
from amplib.store.study import Arrays
from amplib.studies.merit.judge import DIRECTIONS
from amplib.studies.plane.study import BufferPoint
from amplib.studies.topvae.reading import ReadEvents, over_trainings

WAYS = {
    "kept": ("kept", "delta"),
    "set to zero": ("zero", "delta"),
    "left out": ("kept", "delta_without"),
}
"""What becomes of an absent second lepton: what is decoded below zero, and the delta that is
taken."""
READ = {"on σ": "deviation", "on the variance": "variance"}


def growths(readings: ReadEvents) -> dict[str, dict[str, tuple[Estimate, Estimate]]]:
    """delta and delta_OF (eta) over what they are without an offset, by one of ``WAYS`` and by what
    gamma is added to."""
    return {
        way: {name: readings.growth(offset, negative, of) for name, offset in READ.items()}
        for way, (negative, of) in WAYS.items()
    }


def speaks_for(
    grown: Mapping[str, Mapping[str, tuple[Estimate, Estimate]]], theirs: tuple[float, float]
) -> str:
    """Whose ratios are nearest to the paper's, in their logarithm, as a sentence.

    Args:
        grown: see ``growths``.
        theirs: the paper's, of delta and of delta_OF.
    """

    def nearest(way: str, k: int) -> str:
        return min(READ, key=lambda name: abs(np.log(grown[way][name][k].value / theirs[k])))

    crowding = nearest("kept", 1)
    alike = [way for way in WAYS if nearest(way, 0) == crowding]
    apart = [way for way in WAYS if way not in alike]
    said = f"δ_OF speaks for γ {crowding}"
    if alike:
        said += f". δ does so, too, where an absent second lepton is {' or '.join(alike)}"
    if apart:
        said += f"; where it is {' or '.join(apart)}, δ speaks for γ {nearest(apart[0], 0)}"
    falls = [way for way in WAYS if grown[way]["on σ"][0].value < 1 < theirs[0]]
    if len(falls) == len(WAYS):
        said += ". In none of the three does it grow with γ on σ, as the paper's does"
    return said


@dataclass(frozen=True, eq=False)
class Point:
    """What events drawn at this alpha and gamma are worth.

    Numbers are means over the trainings with Student's interval; of a single one the error is that
    of its events alone.

    Args:
        study: how they were drawn.
        parts: the trainings.
    """

    study: BufferPoint
    parts: Sequence[Arrays]

    @classmethod
    def of(cls, result: Result) -> Point:
        """Of a ``BufferPoint``."""
        assert isinstance(result.study, BufferPoint), result.study.name
        return cls(result.study, list(result.load().values()))

    @property
    def delta(self) -> Estimate:
        """How far histograms of pairs of observables are from the truth's (eq. 21)."""
        return self._mean(lambda part: part["delta"])

    def delta_of(self, name: str) -> Estimate:
        """How much emptier or fuller the plane of two jets is (eq. 23), one of ``DIRECTIONS``."""
        way = list(DIRECTIONS).index(name)
        return self._mean(lambda part: part["delta_of"][way])

    @property
    def dropped(self) -> float:
        """Share of entries outside of the truth's ranges, the mean over trainings."""
        return float(np.mean([part["dropped"] for part in self.parts]))

    def _mean(self, merit: Callable[[Arrays], np.ndarray]) -> Estimate:
        return over_trainings([Estimate(*merit(part).tolist()) for part in self.parts])
