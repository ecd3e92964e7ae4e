"""Amplification over repetitions: what estimates are worth, curves, comparisons.

A repetition is one training sample with all that was made from it; errors are over repetitions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from amplib.cells import merge_cells
from amplib.estimate import MEDIAN_LEVEL, Estimate, Interval, Share, median, t_quantile
from amplib.metrics.quantiles import amplification_factor, expected_mse, n_equiv, quantile_mse

QUANTILES = (10, 20, 50)
"""Resolutions of both papers."""

SATURATED = 1.1
"""A curve has saturated where its mean MSE is within 10% of that of the most events."""


def mse_of_counts(counts: np.ndarray, q: int) -> np.ndarray:
    """Quantile MSE (eq. 2) of cell counts or probabilities, ``(..., 100)`` -> ``(...)``."""
    merged = merge_cells(counts, q).astype(float)
    return quantile_mse(merged / merged.sum(-1, keepdims=True))


@dataclass(frozen=True)
class Repetitions:
    """Cell contents over independent repetitions and their MSE.

    Args:
        cells: ``(repetitions, 100)`` counts or probabilities.
        n_train: points of each training sample.
        index: which repetitions these are; studies share the training sample of an index.
    """

    cells: np.ndarray
    n_train: int
    index: np.ndarray

    def mse(self, q: int) -> np.ndarray:
        """``(repetitions,)``."""
        return mse_of_counts(self.cells, q)

    def n_equiv(self, q: int) -> Estimate:
        """Size of a pure sample with the same expected MSE."""
        return n_equiv(self.mse(q), q)

    def amplification(self, q: int) -> Estimate:
        """N_equiv over the training sample's size."""
        return amplification_factor(self.mse(q), q, self.n_train)

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
    """The same with each hump scaled to the half that the truth puts there.

    What remains of the error is that of the shapes; what went is that of the relative height.  A
    hump without events has no shape and gets the truth's.
    """
    humps = repetitions.cells.reshape(len(repetitions.cells), 2, -1).astype(float)
    humps = np.where(humps.sum(2, keepdims=True) > 0, humps, 1.0)
    halves = 0.5 * humps / humps.sum(2, keepdims=True)
    return replace(repetitions, cells=halves.reshape(len(halves), -1))


@dataclass(frozen=True)
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
            ValueError: if there is none.
        """
        good = self.failed == 0
        if not good.any():
            raise ValueError(f"all {len(good)} repetitions have trainings that failed")
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
        """The repetitions at one number of events, which must be on the grid."""
        (k,) = np.flatnonzero(self.sizes == events)
        return Repetitions(self.counts[:, k], self.n_train, self.index)

    @cached_property
    def asymptote(self) -> Repetitions:
        """The repetitions at the most events."""
        return Repetitions(self.counts[:, -1], self.n_train, self.index)

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
        ValueError: if there are none.
    """
    _, in_a, in_b = np.intersect1d(a.index, b.index, return_indices=True)
    if not len(in_a):
        raise ValueError("the two have no training sample in common")
    return (
        Repetitions(a.cells[in_a], a.n_train, a.index[in_a]),
        Repetitions(b.cells[in_b], b.n_train, b.index[in_b]),
    )


def ratio(a: Repetitions, b: Repetitions) -> Callable[[int], Estimate]:
    """N_equiv(a) / N_equiv(b) by quantiles, on the training samples that both saw."""
    a, b = shared(a, b)
    return lambda q: ratio_of_means(b.mse(q), a.mse(q))


def ratio_of_means(over: np.ndarray, under: np.ndarray) -> Estimate:
    """<over> / <under> of R pairs.

    The error is that of a ratio of paired means, the spread of over - r under; the 95% interval is
    Fieller's: all r for which <over - r under> is within Student's t of zero.
    """
    n = len(over)
    mean_over, mean_under = float(over.mean()), float(under.mean())
    value = mean_over / mean_under
    if n < 2:
        return Estimate(value, np.nan, 0.0, np.inf, n)
    error = float(np.std(over - value * under, ddof=1)) / n**0.5 / mean_under
    (oo, ou), (_, uu) = np.cov(over, under) * t_quantile(n) ** 2 / n
    a, b, c = mean_under**2 - uu, mean_over * mean_under - ou, mean_over**2 - oo
    if a <= 0:  # the denominator may be zero
        return Estimate(value, error, 0.0, np.inf, n)
    reach = max(b**2 - a * c, 0.0) ** 0.5
    return Estimate(value, error, float(max((b - reach) / a, 0.0)), float((b + reach) / a), n)
