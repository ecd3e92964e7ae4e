"""The stored arrays of the known ratios as trainings on pairs, with pulls.

A pull is a deviation from the truth's expectation, which is exact, over its error.  Against the
error of the test alone, which is what a user of weights can know, it also has what the classifier
did not learn from its own finite sample.  How much that is the spread between trainings says: the
mean over trainings with its standard error has both errors, and only what all trainings have in
common is left in its pull, which follows Student's t.

Learned and exact weights are those of the same events, so that the luck of a test is the same for
both: their difference, training by training, shows a bias that the test's error hides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
from scipy.special import stdtr

from amplib.estimate import Estimate, Estimates, mean, relative, t_quantile
from amplib.store.results import Result
from amplib.store.study import Arrays
from amplib.studies.known.study import NAMES, WEIGHTS, KnownRatios
from amplib.truth.pairs import PAIRS, Pair, kinds

MANY = 100
"""Test events in a bin of ln W, of which each training is shown."""


class Calibration(NamedTuple):
    """The learned ln W in bins of the exact one, each ``(bins,)``."""

    exact: np.ndarray
    """Mean of the exact ln W."""
    learned: np.ndarray
    """Mean of the learned one over events and trainings."""
    within: np.ndarray
    """Standard deviation of learned less exact ln W over the events of a training."""
    between: np.ndarray
    """That of the bin's mean of the same, over trainings."""


@dataclass(frozen=True, eq=False)
class Trainings:
    """All trainings on one pair.

    ``weights`` are ``learned``, ``exact`` or ``none`` wherever they are an argument.
    """

    study: KnownRatios
    pair: Pair
    each: list[Arrays]

    def expectations(self, weights: str) -> Estimates:
        """Of the observables, ``(K, F)``, with the errors of the test."""
        found = np.stack([arrays["means"][WEIGHTS.index(weights)] for arrays in self.each])
        return Estimates(found[..., 0], found[..., 1])

    def pulls(self, weights: str) -> np.ndarray:
        """Of every training against the error of its test alone, ``(K, F)``."""
        value, error = self.expectations(weights)
        with np.errstate(divide="ignore", invalid="ignore"):  # a tail without an event
            return np.asarray((value - self.pair.expected) / error)

    def pulls_of_mean(self, weights: str) -> np.ndarray:
        """Of the mean over trainings against its own error, which has both, ``(F,)``."""
        off = self.expectations(weights).value - self.pair.expected
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(off.mean(0) / standard_error(off))

    def _spread(self, weights: str) -> np.ndarray:
        """Standard deviation over trainings, ``(F,)``."""
        value = self.expectations(weights).value
        return value.std(0, ddof=1) if len(value) > 1 else np.full(value.shape[1], np.nan)

    def learned_less_exact(self) -> np.ndarray:
        """Of the expectations, on the same events, in every training: ``(K, F)``, in units of
        ``scale``."""
        learned, exact = (self.expectations(w).value for w in ("learned", "exact"))
        return np.asarray((learned - exact) / self.scale)

    @property
    def scale(self) -> np.ndarray:
        """What a bias is a share of, ``(F,)``: the expectation, but of first moments, which may be
        zero, the spread of x."""
        first = np.array([kind == "x" for kind in kinds(self.pair.dimension)])
        return np.where(first, self.pair.spread, self.pair.expected)

    def paired_pulls(self) -> np.ndarray:
        """Of the mean of ``learned_less_exact`` against its own standard error, ``(F,)``."""
        off = self.learned_less_exact()
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(off.mean(0) / standard_error(off))

    def biased(self) -> np.ndarray:
        """Observables whose paired pull is beyond ``reach``, ``(F,)`` of bool."""
        return abs(self.paired_pulls()) > self.reach

    @property
    def reach(self) -> float:
        """Within which 95% of ``pulls_of_mean`` are if the truth is met, and of ``paired_pulls`` if
        learned and exact weights expect the same."""
        return t_quantile(len(self.each))

    def rms_pull(self, weights: str) -> Estimate:
        """Root of the mean square of ``pulls``, over observables and trainings; its error is that
        of the latter.  One, where the test's error is all."""
        square = mean((self.pulls(weights) ** 2).mean(1))
        value = float(np.sqrt(square.value))
        return relative(value, square.error / (2 * value), len(self.each))

    def met(self, weights: str) -> int:
        """Observables whose truth is within the 95% interval of the mean over trainings."""
        return int((abs(self.pulls_of_mean(weights)) < self.reach).sum())

    def spread_in_errors(self, weights: str) -> Estimate:
        """Spread between trainings over the error of the test, over all observables.

        Its error takes these for one: they are measured on the same events.
        """
        error = self.expectations(weights).error
        variance = (self._spread(weights) ** 2 / (error**2).mean(0)).mean()
        return self._of_spread(np.sqrt(variance))

    def spread_in_samples(self) -> Estimate:
        """Spread of the learned expectations between trainings, less the test's, over what the
        events that train say of them by themselves, those that validate left out: the mean over
        those of the truth beside that over the generated ones with exact weights, both with their
        errors."""
        learned, exact = (self.expectations(w).error ** 2 for w in ("learned", "exact"))
        added = self._spread("learned") ** 2 - learned.mean(0)
        trained = (1 - self.study.training().validation) * self.study.events
        said = (self.pair.spread**2 + self.study.test_events * exact.mean(0)) / trained
        return self._of_spread(np.sqrt(max((added / said).mean(), 0.0)))

    def _of_spread(self, value: float) -> Estimate:
        repetitions = len(self.each)
        if repetitions < 2:
            return Estimate(float("nan"), float("nan"), repetitions=repetitions)
        return relative(float(value), float(value / np.sqrt(2 * (repetitions - 1))), repetitions)

    def mean_weight(self, weights: str) -> Estimate:
        """Over generated test events; the mean over trainings."""
        return self._of_weights(weights, 0)

    def left(self, weights: str) -> Estimate:
        """Effective share of the weighted events, likewise."""
        return self._of_weights(weights, 1)

    def _of_weights(self, weights: str, which: int) -> Estimate:
        return mean([a["weights"][WEIGHTS.index(weights), which, 0] for a in self.each])

    def off(self) -> Estimate:
        """Root mean square of learned less exact ln W over test events of both kinds; the mean over
        trainings."""
        return mean([np.sqrt(a["deviations"][2].sum() / a["counts"].sum()) for a in self.each])

    def calibration(self) -> Calibration:
        """In bins of which every training has ``MANY`` events, those beyond the ends left out."""
        counts = np.stack([a["counts"][1:-1] for a in self.each])
        full = (counts >= MANY).all(0)
        n = counts[:, full]
        sums = np.stack([a["deviations"][:, 1:-1][:, full] for a in self.each])
        exact, off, square = sums.sum(0) / n.sum(0)
        own = sums[:, 1] / n
        between = own.std(0, ddof=1) if len(own) > 1 else np.full(n.shape[1], np.nan)
        return Calibration(exact, exact + off, np.sqrt(np.maximum(square - off**2, 0)), between)


def standard_error(values: np.ndarray) -> np.ndarray:
    """Of the mean over trainings, ``(F,)`` of ``(K, F)``; NaN for a single one."""
    if len(values) < 2:
        return np.full(values.shape[1], np.nan)
    return np.asarray(values.std(0, ddof=1) / np.sqrt(len(values)))


def most_by_chance(pairs: Mapping[str, Trainings]) -> float:
    """Bound (Bonferroni) on the chance that the largest of all paired pulls is as large where no
    observable is biased; tests that depend on each other, as those of one training, only lower it.
    """
    tails = [2 * stdtr(len(t.each) - 1, -abs(t.paired_pulls())) for t in pairs.values()]
    every = np.concatenate(tails)
    return float(np.nan_to_num(min(1.0, len(every) * every.min()), nan=1.0))


def read(result: Result) -> dict[str, Trainings]:
    """The trainings that are done on each pair."""
    study, parts = cast(KnownRatios, result.study), result.load()
    return {
        name: Trainings(study, PAIRS[name], each)
        for i, name in enumerate(NAMES)
        if (each := [arrays for (pair, _), arrays in parts.items() if pair == i])
    }
