"""What was told of weights for a generator, and what they did, whichever study measured it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from amplib.estimate import Estimate, Interval, geometric_mean, mean
from amplib.metrics.outlook import Outlook
from amplib.metrics.weighed import Weighed
from amplib.metrics.weights import usual_dilution


class ToldAndMeasured(NamedTuple):
    """Of one training.

    Args:
        outlook: told by the scores.
        r: measured: the median over observables, with the central 68%.
    """

    outlook: Outlook
    r: Interval

    @classmethod
    def of(cls, weighed: Weighed) -> ToldAndMeasured:
        """From what a study keeps."""
        return cls(weighed.outlook, usual_dilution(weighed.dilution.value))


@dataclass(frozen=True)
class Saved:
    """All trainings of one generator.

    Args:
        group: which part of the book it is of.
        name: of the generator.
        scale: the preset.
        each: its trainings, at least one.
    """

    group: str
    name: str
    scale: str
    each: Sequence[ToldAndMeasured]

    @property
    def answer(self) -> str:
        """Whether weights save it; of trainings that differ all answers, the most frequent first.

        >>> Saved("", "", "", []).answer
        ''
        """
        counts = Counter(one.outlook.answer for one in self.each).most_common()
        if len(counts) == 1:
            return counts[0][0]
        return ", ".join(f"{answer} ({n} of {len(self.each)})" for answer, n in counts)

    def over(self, measure: Callable[[Outlook], Estimate]) -> Estimate:
        """Mean over trainings; of a single one its own estimate, whose error is over events."""
        if len(self.each) == 1:
            return measure(self.each[0].outlook)
        return mean([measure(one.outlook).value for one in self.each])

    @property
    def told(self) -> Estimate:
        """r by the scores: geometric mean over trainings, or of a single one its own."""
        if len(self.each) == 1:
            return self.each[0].outlook.dilution
        return geometric_mean([one.outlook.dilution.value for one in self.each])

    @property
    def measured(self) -> Interval:
        """r over the observables: geometric means over trainings of median and central 68%."""
        value, low, high = np.exp(np.log([one.r for one in self.each]).mean(0))
        return Interval(float(value), float(low), float(high))

    @property
    def off(self) -> float:
        """Measured over told."""
        return self.measured.value / self.told.value


def how_far_off(generators: Sequence[Saved]) -> tuple[Estimate, float]:
    """Measured over told r of all that have a number: geometric mean over generators, and the
    factor that two thirds of them are within."""
    ratios = np.array([one.off for one in generators])
    ratios = ratios[np.isfinite(ratios) & (ratios > 0)]
    return geometric_mean(ratios), float(np.exp(np.quantile(abs(np.log(ratios)), 0.68)))
