"""How alike two estimates are that saw the same samples: whether they err in the same places."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from amplib.cells import merge_cells
from amplib.estimate import LEVEL, Interval95
from amplib.metrics.amplification import Repetitions, shared

DRAWS = 2000
"""Resamples of the samples, of an interval."""
FEW = 6
"""Samples of which fewer leave an interval open: drawn again they are too much alike."""

Array = np.ndarray


def deviations(estimate: Repetitions, q: int) -> Array:
    """What it puts into each of q quantiles, less 1/q, ``(repetitions, q)``."""
    merged = merge_cells(estimate.cells, q).astype(float)
    return merged / merged.sum(1, keepdims=True) - 1 / q


def likeness(a: Repetitions, b: Repetitions, q: int) -> Interval95:
    """Correlation of the deviations of two estimates on the samples that both saw.

    Over samples and quantiles together, about zero, which is their mean over quantiles:
    <d_a d_b> / (<d_a^2> <d_b^2>)^(1/2).  One of two that are the same function of the sample; of
    two that have nothing of it in common zero.  Equal errors say nothing of it.
    """
    a, b = shared(a, b)
    mine, others = deviations(a, q), deviations(b, q)
    moments = np.stack([mine * others, mine**2, others**2], 2).mean(1)
    return _over_samples(moments, lambda m: m[..., 0] / np.sqrt(m[..., 1] * m[..., 2]))


def balance_likeness(a: Repetitions, b: Repetitions) -> Interval95:
    """Correlation, over the samples that both saw, of the shares that two estimates have on the
    left of the truth's middle."""
    a, b = shared(a, b)
    x, y = (deviations(one, 2)[:, 0] for one in (a, b))
    moments = np.stack([x * y, x**2, y**2, x, y], 1)

    def correlation(m: Array) -> Array:
        xy, xx, yy, mean_x, mean_y = np.moveaxis(m, -1, 0)
        product = (xx - mean_x**2) * (yy - mean_y**2)
        return np.asarray((xy - mean_x * mean_y) / np.sqrt(product))

    return _over_samples(moments, correlation)


def median_ratio(a: Repetitions, b: Repetitions, q: int) -> Interval95:
    """Ratio of what the median repetition of each is worth, on the samples that both saw.

    Its interval holds the truth in 92 to 96% of the cases, for 6 to 100 samples.
    """
    a, b = shared(a, b)
    mse = np.stack([a.mse(q), b.mse(q)], 1)
    picks = np.random.default_rng(50).integers(len(mse), size=(DRAWS, len(mse)))
    middles = np.median(mse[picks], axis=1)
    of_all = np.median(mse, axis=0)
    value = float(of_all[1] / of_all[0])
    if len(mse) < FEW:
        return Interval95(value, 0.0, np.inf)
    return _interval(value, middles[:, 1] / middles[:, 0])


def _over_samples(moments: Array, measure: Callable[[Array], Array]) -> Interval95:
    """A measure of mean moments ``(samples, moments)``; 95% interval of samples drawn with
    replacement (seeded)."""
    n, value = len(moments), float(measure(moments.mean(0)))
    if n < FEW:
        return Interval95(value, -1.0, 1.0)
    drawn = np.random.default_rng(45).multinomial(n, np.full(n, 1 / n), DRAWS) @ moments / n
    return _interval(value, measure(drawn))


def _interval(value: float, drawn: Array) -> Interval95:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval95(value, float(low), float(high))
