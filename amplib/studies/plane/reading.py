"""The stored figures of merit of one point of the plane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from amplib.estimate import Estimate
from amplib.store.results import Result
from amplib.store.study import Arrays
from amplib.studies.merit.judge import DIRECTIONS
from amplib.studies.plane.study import BufferPoint
from amplib.studies.topvae.reading import over_trainings


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
