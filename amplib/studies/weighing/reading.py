"""What was told of weights for a generator, and what they did, whichever study measured it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from amplib.estimate import Estimate, Interval, geometric_mean, mean
from amplib.metrics.outlook import Outlook
from amplib.metrics.weighed import Helped, Weighed, answer_of
from amplib.metrics.weights import usual_dilution

DOUBTFUL = 1.5
"""Factor by which the mean weight before the clip is off, at which weights are hardly right."""


def area_of_cuts(dropped: float, absent: float) -> float:
    """AUC of the better of two cuts on top pairs that need no classifier, either of which a share
    of one sample passes and nothing of the other.

    - An observable beyond all of the truth: a share of the generated events that is no smaller than
      that of the ``dropped`` entries, for an event has at most all of its pairs beyond.
    - Four exact zeros in the place of a second lepton: a share ``absent`` of the truth, where the
      generator makes none; else 0.

    >>> area_of_cuts(0.0, 0.9)
    0.95
    """
    return 0.5 + max(dropped, absent) / 2


class ToldAndMeasured(NamedTuple):
    """Of one classifier, or of cells in its place.

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
        """Whether weights save it, as ``answer_of`` has it, and ``amplib.reweight`` says."""
        return answer_of(self.outlook, self.helped)

    @property
    def overruled(self) -> bool:
        """Whether what was measured denies the hope that the scores give."""
        return self.answer == "not by these weights"


@dataclass(frozen=True)
class Saved:
    """All that is told of one generator.

    Args:
        group: which part of the book it is of.
        name: of the generator.
        scale: the preset.
        trainings: of the generator, at least one; of each what every classifier told.
        known_area: AUC of the best cut that is known without a classifier; 1/2 if there is none.
    """

    group: str
    name: str
    scale: str
    trainings: Sequence[Sequence[ToldAndMeasured]]
    known_area: float = 0.5

    @property
    def each(self) -> list[ToldAndMeasured]:
        """Of every classifier of every training."""
        return [told for training in self.trainings for told in training]

    @property
    def size(self) -> str:
        """Trainings times the classifiers of each.

        >>> Saved("", "", "", [["told"] * 3] * 2).size
        '2 × 3'
        """
        return f"{len(self.trainings)} × {len(self.trainings[0])}"

    @property
    def repetitions(self) -> Sequence[Sequence[ToldAndMeasured]]:
        """What answers are counted and errors taken over: the trainings, for classifiers of one
        training share its events; of a single training its classifiers, and then the error is
        theirs alone."""
        return self.trainings if len(self.trainings) > 1 else [[one] for one in self.each]

    @property
    def by_classifiers(self) -> str:
        """Whether weights save it, as the classifiers have it: of repetitions that differ all
        answers, the most frequent first.  Of a training it is the most frequent answer of its
        classifiers."""
        usual = [
            Counter(told.answer for told in one).most_common(1)[0][0] for one in self.repetitions
        ]
        counts = Counter(usual).most_common()
        if len(counts) == 1:
            return counts[0][0]
        return "; ".join(f"{answer} ({n} of {len(usual)})" for answer, n in counts)

    @property
    def resolved(self) -> bool:
        """Whether the classifiers tell its events from the truth's at least as well as the cut that
        is known, on average.  If not, weights that would do what the cut does are not theirs."""
        return self.over(lambda told: told.auc).value >= self.known_area

    @property
    def answer(self) -> str:
        """``by_classifiers``, but *not resolved* where a known cut tells more than they do.  A *no*
        stays: who sees more finds no less to mend.  So does *not by these weights*."""
        if self.resolved or all(x.outlook.answer == "no" or x.overruled for x in self.each):
            return self.by_classifiers
        return "not resolved"

    @property
    def helped(self) -> Helped | None:
        """Means over classifiers; of the distances geometric ones, 0 where any is not positive."""
        if any(one.helped is None for one in self.each):
            return None
        every = np.array([one.helped for one in self.each], dtype=float)
        closer, farther, off, of = (round(n) for n in every[:, :4].mean(0))
        with np.errstate(divide="ignore"):
            without, weighted = np.exp(np.log(np.maximum(every[:, 4:], 0)).mean(0))
        return Helped(closer, farther, off, of, float(without), float(weighted))

    def over(self, measure: Callable[[Outlook], Estimate]) -> Estimate:
        """Mean over ``repetitions``; of a single one its own estimate, whose error is over
        events."""
        if len(self.each) == 1:
            return measure(self.each[0].outlook)
        return mean(
            [np.mean([measure(told.outlook).value for told in one]) for one in self.repetitions]
        )

    @property
    def told(self) -> Estimate:
        """r by the scores: geometric mean over ``repetitions``, or of a single one its own."""
        if len(self.each) == 1:
            return self.each[0].outlook.dilution
        logs = [[np.log(told.outlook.dilution.value) for told in one] for one in self.repetitions]
        return geometric_mean([np.exp(np.mean(one)) for one in logs])

    @property
    def measured(self) -> Interval:
        """r over the observables: geometric means of median and central 68% over the classifiers
        beside which any of them varies; NaN if there is none."""
        every = np.array([one.r for one in self.each], dtype=float)
        known = every[np.isfinite(every[:, 0])]
        if not len(known):
            return Interval(np.nan, np.nan, np.nan)
        value, low, high = np.exp(np.log(known).mean(0))
        return Interval(float(value), float(low), float(high))

    def doubtful(self) -> list[float]:
        """Mean weights before the clip of the classifiers whose answer is not *no*, if any of them
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
