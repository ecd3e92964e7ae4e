"""Amplification over repetitions: what estimates are worth, curves, comparisons.

A repetition is one training sample with all that was made from it; errors are over repetitions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from amplib.cells import merge_cells
from amplib.estimate import (
    LEVEL,
    MEDIAN_LEVEL,
    Estimate,
    Interval,
    NothingToJudge,
    Share,
    Skewed,
    median,
    t_quantile,
)
from amplib.metrics.quantiles import expected_mse, n_equiv, quantile_mse

QUANTILES = (10, 20, 50)
"""Resolutions of both papers."""

DRAWS = 4000
"""Of the interval of a ratio with failures."""

SATURATED = 1.1
"""A curve has saturated where its mean MSE is within 10% of that of the most events."""


def mse_of_counts(counts: np.ndarray, q: int) -> np.ndarray:
    """Quantile MSE (eq. 2) of cell counts or probabilities, ``(..., 100)`` -> ``(...)``."""
    merged = merge_cells(counts, q).astype(float)
    return quantile_mse(merged / merged.sum(-1, keepdims=True))


def worth(mse: np.ndarray, q: int, failed: np.ndarray | None = None) -> Estimate:
    """Size of a pure sample with the same expected MSE, from one of each repetition.

    The bias of one over a mean is removed to first order, but where some have failed, as an error
    of half the mean and more is beyond that.

    Args:
        mse: eq. (2) of each repetition, ``(R,)``.
        q: number of quantiles.
        failed: ``(R,)`` which of them have failed, as of :func:`ratio_of_means`.
    """
    if _some(failed):
        return ratio_of_means(np.full(len(mse), expected_mse(1, q)), mse, failed)
    return n_equiv(mse, q)


@dataclass(frozen=True, eq=False)
class Repetitions:
    """Cell contents over independent repetitions and their MSE.

    Args:
        cells: ``(repetitions, 100)`` counts or probabilities.
        n_train: points of each training sample.
        index: which repetitions these are; studies share the training sample of an index.
        failed: ``(repetitions,)`` of which a training has failed, where trainings may: means and
            ratios have then the interval of :func:`ratio_of_means`.
    """

    cells: np.ndarray
    n_train: int
    index: np.ndarray
    failed: np.ndarray | None = None

    def mse(self, q: int) -> np.ndarray:
        """``(repetitions,)``."""
        return mse_of_counts(self.cells, q)

    def some(self, which: np.ndarray) -> Repetitions:
        """Those at these places, or of this mask."""
        failed = None if self.failed is None else self.failed[which]
        return Repetitions(self.cells[which], self.n_train, self.index[which], failed)

    def n_equiv(self, q: int) -> Estimate:
        """Size of a pure sample with the same expected MSE."""
        return worth(self.mse(q), q, self.failed)

    def amplification(self, q: int) -> Estimate:
        """N_equiv over the training sample's size."""
        return self.n_equiv(q).scaled(1 / self.n_train)

    def median_n_equiv(self, q: int, level: float = MEDIAN_LEVEL) -> Interval:
        """N_equiv from the median MSE over repetitions instead of the mean."""
        return self._of_median(expected_mse(1, q), q, level)

    def median_amplification(self, q: int, level: float = MEDIAN_LEVEL) -> Interval:
        """``median_n_equiv`` over the training sample's size."""
        return self._of_median(expected_mse(1, q) / self.n_train, q, level)

    def _of_median(self, scale: float, q: int, level: float) -> Interval:
        found = median(self.mse(q), level)
        middle, low, high = found
        return type(found)(scale / middle, scale / high, scale / low if low > 0 else np.inf)


def balanced(repetitions: Repetitions) -> Repetitions:
    """Repetitions with each hump scaled to the half that the truth puts there.

    What remains of the error is that of the shapes; what went is that of the relative height.  A
    hump without events has no shape and gets the truth's.
    """
    humps = repetitions.cells.reshape(len(repetitions.cells), 2, -1).astype(float)
    humps = np.where(humps.sum(2, keepdims=True) > 0, humps, 1.0)
    halves = 0.5 * humps / humps.sum(2, keepdims=True)
    return replace(repetitions, cells=halves.reshape(len(halves), -1))


@dataclass(frozen=True, eq=False)
class GANCurve:
    """Quantile MSE of GANned events against their number.

    Args:
        sizes: ``(S,)`` numbers of events.
        counts: ``(repetitions, S, 100)`` cell counts of the first so many.
        n_train: points of each training sample.
        index: which repetitions these are.
        diverged: repetitions left out because a training in them ended in infinities.
        failed: ``(repetitions,)`` members that have failed (``collapse.has_failed``).
        members: trainings a repetition.
    """

    sizes: np.ndarray
    counts: np.ndarray
    n_train: int
    index: np.ndarray
    diverged: int
    failed: np.ndarray
    members: int = 1

    @property
    def failures(self) -> Share:
        """Trainings that failed, of all."""
        return Share(int(self.failed.sum()), self.members * len(self.failed))

    @cached_property
    def converged(self) -> GANCurve:
        """The repetitions of which no member failed.

        Raises:
            NothingToJudge: if there is none.
        """
        good = self.failed == 0
        if not good.any():
            raise NothingToJudge(f"all {len(good)} repetitions have trainings that failed")
        return replace(
            self, counts=self.counts[good], index=self.index[good], failed=self.failed[good]
        )

    @property
    def whole(self) -> GANCurve | None:
        """``converged``, or None if there is none."""
        return self.converged if (self.failed == 0).any() else None

    def mse(self, q: int) -> np.ndarray:
        """``(repetitions, S)``."""
        return mse_of_counts(self.counts, q)

    def at(self, events: int) -> Repetitions:
        """The repetitions at one number of events.

        Raises:
            NothingToJudge: if it is not on the grid.
        """
        if events not in self.sizes:
            grid = ", ".join(map(str, self.sizes))
            raise NothingToJudge(f"no cells of the first {events} events, only of {grid}")
        k = int(np.flatnonzero(self.sizes == events)[0])
        return Repetitions(self.counts[:, k], self.n_train, self.index, self.failed > 0)

    @cached_property
    def asymptote(self) -> Repetitions:
        """The repetitions at the most events."""
        return Repetitions(self.counts[:, -1], self.n_train, self.index, self.failed > 0)

    def saturation(self, q: int) -> int:
        """Fewest events from which on the mean MSE stays within 10% of the asymptote.

        As <MSE(n)> = <MSE> + (1/q)(1 - 1/q)/n to first order, it is about 10 N_equiv.
        """
        return int(self.sizes[_saturated(self.mse(q).mean(0))])

    def saturation_range(self, q: int, level: float = 0.68) -> tuple[int, int]:
        """Range of ``saturation`` over bootstrap resamples of the repetitions (seeded)."""
        rng = np.random.default_rng(68)
        mse = self.mse(q)
        picks = rng.integers(len(mse), size=(1000, len(mse)))
        found = [_saturated(mse[pick].mean(0)) for pick in picks]
        tail = (1 - level) / 2
        low, high = np.quantile(found, [tail, 1 - tail], method="nearest")
        return int(self.sizes[low]), int(self.sizes[high])


def _saturated(mean: np.ndarray) -> int:
    return int(np.flatnonzero(np.append(True, mean > SATURATED * mean[-1]))[-1])


def shared(a: Repetitions, b: Repetitions) -> tuple[Repetitions, Repetitions]:
    """Both, on the training samples that both saw.

    Raises:
        NothingToJudge: if there are none.
    """
    _, in_a, in_b = np.intersect1d(a.index, b.index, return_indices=True)
    if not len(in_a):
        raise NothingToJudge("the two have no training sample in common")
    return a.some(in_a), b.some(in_b)


def ratio(a: Repetitions, b: Repetitions) -> Callable[[int], Estimate]:
    """N_equiv(a) / N_equiv(b) by quantiles, on the training samples that both saw."""
    a, b = shared(a, b)
    masks = [one.failed for one in (a, b) if one.failed is not None]
    failed = np.any(masks, axis=0) if masks else None
    return lambda q: ratio_of_means(b.mse(q), a.mse(q), failed)


def ratio_of_means(
    over: np.ndarray, under: np.ndarray, failed: np.ndarray | None = None
) -> Estimate:
    """<over> / <under> of R pairs.

    The error is that of a ratio of paired means, the spread of over - r under; the 95% interval is
    Fieller's: all positive r for which <over - r under> is within Student's t of zero.  Where
    <under> may be zero it has no upper end.

    A few failed trainings with a hundred times the error of the others make <under>, and by
    Fieller it may then be anything.  It may not: no error is negative, and the good ones are many.
    With f the rate of failure and an average over the failed and the good each,

    .. math:: r = \\frac{f \\langle o \\rangle_{failed} + (1 - f) \\langle o \\rangle_{good}}
        {f \\langle u \\rangle_{failed} + (1 - f) \\langle u \\rangle_{good}}

    The interval is that of seeded draws: f from its posterior with Jeffreys' prior, Beta(k + 1/2,
    R - k + 1/2) for k of R, and the averages from pairs drawn with replacement
    (:func:`_drawn_means`); those of the good ones have Student's tails.  The few failed ones are
    taken to be like all: of a single one there is no scatter.  For 10 to 100 pairs of which 2 to
    20% fail, with 2 to 140 times the error, it holds the truth in 92 to 97% of the cases, at half
    of Fieller's width and less where that one has an end at all.

    Args:
        over, under: positive, ``(R,)``.
        failed: ``(R,)`` which of them have failed, if any may.
    """
    n = len(over)
    mean_over, mean_under = float(over.mean()), float(under.mean())
    value = mean_over / mean_under
    if n < 2:
        return Estimate(value, np.nan, 0.0, np.inf, n)
    error = float(np.std(over - value * under, ddof=1)) / n**0.5 / mean_under
    if failed is not None and _some(failed):
        low, high = _ends_with_failures(np.stack([over, under], 1), failed)
        return Skewed(value, error, low, high, n)
    (oo, ou), (_, uu) = np.cov(over, under) * t_quantile(n) ** 2 / n
    a, b, c = mean_under**2 - uu, mean_over * mean_under - ou, mean_over**2 - oo
    reach = max(b**2 - a * c, 0.0) ** 0.5
    # (b - reach) / a, and the same where the denominator may be zero and a is not positive.
    low = c / (b + reach) if c > 0 and b + reach > 0 else 0.0
    return Estimate(value, error, float(low), float((b + reach) / a) if a > 0 else np.inf, n)


def _some(failed: np.ndarray | None) -> bool:
    """Whether there are both, failed ones and others."""
    return failed is not None and bool(np.any(failed)) and not np.all(failed)


def _ends_with_failures(pairs: np.ndarray, failed: np.ndarray) -> tuple[float, float]:
    rng = np.random.default_rng(95)
    k, n = int(failed.sum()), len(failed)
    rate = rng.beta(k + 0.5, n - k + 0.5, DRAWS)[:, None]
    student = t_quantile(n - k) / t_quantile(None) if n - k > 1 else 1.0
    bad, good = _drawn_means(pairs[failed], rng), _drawn_means(pairs[~failed], rng, student)
    means = rate * bad + (1 - rate) * good
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(means[:, 0] / means[:, 1], [tail, 1 - tail])
    return float(low), float(high)


def _drawn_means(pairs: np.ndarray, rng: np.random.Generator, tails: float = 1.0) -> np.ndarray:
    """Means of pairs drawn with replacement, ``(DRAWS, 2)``.

    Such means of n scatter too little, by the root of 1 - 1/n: how far they are from the mean is
    stretched by that, and by the factor ``tails``, in the logarithm.
    """
    n, mean = len(pairs), pairs.mean(0)
    if n < 2:
        return np.broadcast_to(mean, (DRAWS, 2))
    drawn = rng.multinomial(n, np.full(n, 1 / n), DRAWS) @ pairs / n
    return np.asarray(mean * (drawn / mean) ** (tails * (n / (n - 1)) ** 0.5))
