"""What was told of weights for a generator, and what they did, whichever study measured it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from amplib.estimate import Estimate, Interval, geometric_mean, mean
from amplib.metrics.outlook import HOPELESS_SHARE, Outlook
from amplib.metrics.weighed import Helped, Weighed
from amplib.metrics.weights import usual_dilution

HALF = 0.5
"""Of the truth, beyond whose reach there is no hope, however many events are left."""

DOUBTFUL = 1.5
"""Factor by which the mean weight before the clip is off, at which weights are hardly right."""


class ToldAndMeasured(NamedTuple):
    """Of one repetition.

    Args:
        outlook: told by the scores.
        r: measured: the median over observables, with the central 68%.
        helped: what became of the distances of the observables, or None where that is not known.
    """

    outlook: Outlook
    r: Interval
    helped: Helped | None

    @classmethod
    def of(cls, weighed: Weighed) -> ToldAndMeasured:
        """From what a study keeps."""
        return cls(weighed.outlook, usual_dilution(weighed.dilution.value), weighed.helped)

    @property
    def answer(self) -> str:
        """Of the outlook, with what a *no* rests on: not all are hopeless whose AUC is large."""
        told = self.outlook
        something = told.effective_share.value >= HOPELESS_SHARE and told.lost.value <= HALF
        return told.answer + ", by the AUC" * (told.answer == "no" and something)


@dataclass(frozen=True)
class Saved:
    """All repetitions of one generator.

    Args:
        group: which part of the book it is of.
        name: of the generator.
        scale: the preset.
        each: its repetitions, at least one.
    """

    group: str
    name: str
    scale: str
    each: Sequence[ToldAndMeasured]

    @property
    def answer(self) -> str:
        """Whether weights save it; of repetitions that differ all answers, the most frequent first.

        >>> Saved("", "", "", []).answer
        ''
        """
        counts = Counter(one.answer for one in self.each).most_common()
        if len(counts) == 1:
            return counts[0][0]
        return "; ".join(f"{answer} ({n} of {len(self.each)})" for answer, n in counts)

    @property
    def helped(self) -> Helped | None:
        """Means over repetitions; of the distances geometric ones, 0 where any is not positive."""
        if any(one.helped is None for one in self.each):
            return None
        every = np.array([one.helped for one in self.each], dtype=float)
        closer, farther, of = every[:, :3].mean(0)
        with np.errstate(divide="ignore"):
            without, weighted = np.exp(np.log(np.maximum(every[:, 3:], 0)).mean(0))
        return Helped(round(closer), round(farther), int(of), float(without), float(weighted))

    def over(self, measure: Callable[[Outlook], Estimate]) -> Estimate:
        """Mean over repetitions; of a single one its own estimate, whose error is over events."""
        if len(self.each) == 1:
            return measure(self.each[0].outlook)
        return mean([measure(one.outlook).value for one in self.each])

    @property
    def told(self) -> Estimate:
        """r by the scores: geometric mean over repetitions, or of a single one its own."""
        if len(self.each) == 1:
            return self.each[0].outlook.dilution
        return geometric_mean([one.outlook.dilution.value for one in self.each])

    @property
    def measured(self) -> Interval:
        """r over the observables: geometric means of median and central 68% over the repetitions
        in which any of them varies; NaN if there is none."""
        every = np.array([one.r for one in self.each], dtype=float)
        known = every[np.isfinite(every[:, 0])]
        if not len(known):
            return Interval(np.nan, np.nan, np.nan)
        value, low, high = np.exp(np.log(known).mean(0))
        return Interval(float(value), float(low), float(high))

    def doubtful(self) -> list[float]:
        """Mean weights before the clip of the repetitions whose answer is not *no*, if any of them
        is off one by more than a factor ``DOUBTFUL``; else none.  What is left may be told well of
        weights that are not those of the truth."""
        told = [x.outlook for x in self.each if x.outlook.answer != "no"]
        means = [look.mean_before_clip for look in told]
        off = any(not 1 / DOUBTFUL <= mean <= DOUBTFUL for mean in means)
        return means if off else []

    @property
    def off(self) -> float:
        """Measured over told."""
        return self.measured.value / self.told.value


def how_far_off(generators: Sequence[Saved]) -> tuple[float, float]:
    """Measured over told r of all that have a number: geometric mean over generators, and the
    factor that two thirds of them are within.  Some of them share a truth and a training sample, so
    that no error is given."""
    ratios = np.array([one.off for one in generators])
    ratios = ratios[np.isfinite(ratios) & (ratios > 0)]
    off = np.abs(np.log(ratios))
    return float(np.exp(np.log(ratios).mean())), float(np.exp(np.quantile(off, 0.68)))
