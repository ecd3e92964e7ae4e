r"""Histograms of many observables, and how far two of them are apart (DCTRGAN, eq. 15)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amplib.estimate import Estimate
from amplib.metrics.weights import as_events, as_weights

Array = NDArray[np.float64]

CHUNK = 100_000
"""Values that are put into bins at once: they stay in the cache."""


class Histograms(NamedTuple):
    """Contents of weighted histograms, one an observable."""

    contents: Array
    """Sums of weights, ``(F, bins)``."""
    squares: Array
    """Sums of their squares, ``(F, bins)``."""

    @classmethod
    def counted(cls, counts: ArrayLike) -> Histograms:
        """Of events without weights."""
        contents = np.atleast_2d(np.asarray(counts, dtype=float))
        return cls(contents, contents)


def histograms(
    values: ArrayLike, limits: ArrayLike, bins: int, weights: ArrayLike | None = None
) -> Histograms:
    """Histograms of F observables, each in uniform bins of its own; entries outside are dropped.

    Args:
        values: ``(N, F)`` or ``(N,)``.
        limits: ``(F, 2)`` or ``(2,)``; the lower one belongs to the range, the upper one does not.
        bins: of each.
        weights: ``(N,)``, or None.

    Raises:
        ValueError: shapes that do not fit, limits that do not rise, weights that are refused.
    """
    x = as_events(values)
    low, high = np.broadcast_to(np.asarray(limits, dtype=float), (x.shape[1], 2)).T
    if not np.all(low < high):
        raise ValueError("limits must rise, a pair for each observable")
    w = None if weights is None else as_weights(weights, len(x))
    f = x.shape[1]
    scale = bins / (high - low)
    offset = (bins + 2) * np.arange(f)  # a bin below and one above, which are dropped
    total = np.zeros((2, f * (bins + 2)))
    rows = max(1, CHUNK // f)
    for first in range(0, len(x), rows):
        cell = x[first : first + rows] - low
        cell *= scale
        cell += 1
        flat = np.clip(cell, 0, bins + 1, out=cell).astype(np.intp)
        flat += offset
        if w is None:
            total += np.bincount(flat.ravel(), minlength=total.shape[1])
        else:
            each = np.repeat(w[first : first + rows], f)
            total[0] += np.bincount(flat.ravel(), each, total.shape[1])
            total[1] += np.bincount(flat.ravel(), each**2, total.shape[1])
    contents, squares = total.reshape(2, f, bins + 2)[:, :, 1:-1]
    return Histograms(contents, squares)


class Separation(NamedTuple):
    """Separation powers ``(F,)``, each with its standard error, and what is expected of no
    difference."""

    value: Array
    error: Array
    floor: Array

    def at(self, k: int) -> Estimate:
        """Of one observable."""
        return Estimate(float(self.value[k]), float(self.error[k]))

    @property
    def excess(self) -> Array:
        """Above the floor: an estimate without bias of close distributions."""
        return self.value - self.floor


def separation(first: Histograms, second: Histograms) -> Separation:
    r"""Separation power of pairs of histograms, eq. 15, on histograms of unit sum.

    .. math::
        \langle S^2\rangle = \frac12 \sum_i \frac{(h_{1,i} - h_{2,i})^2}{h_{1,i} + h_{2,i}}

    It is 0 for equal histograms and 1 for those that share no bin.  The released code takes
    histograms of unit integral, which divides the result by the width of a bin.

    Two finite samples of one distribution are not equal: the *floor* is what their noise gives,
    :math:`\frac12\sum_i (v_{1,i} + v_{2,i}) / (h_{1,i} + h_{2,i})`, with the variance v of the
    unit-sum contents; that is about :math:`\frac{B - 1}{4}(1/N_1 + 1/N_2)` for B bins without
    weights.  The error is over events.

    Args:
        first: ``(F, bins)``.
        second: of the same shape.

    Raises:
        ValueError: shapes that differ, or a histogram without entries.
    """
    if first.contents.shape != second.contents.shape:
        raise ValueError(f"histograms of shapes {first.contents.shape} and {second.contents.shape}")
    (h1, v1, s1), (h2, v2, s2) = _unit_sum(first), _unit_sum(second)
    both, difference = h1 + h2, h1 - h2
    filled = both > 0
    share = np.divide(difference, both, where=filled, out=np.zeros_like(both))
    inverse = np.divide(1, both, where=filled, out=np.zeros_like(both))
    value = 0.5 * (difference * share).sum(-1)
    linear = sum(
        _of_linear(sign * share - share**2 / 2, h, s) for sign, h, s in ((1, h1, s1), (-1, h2, s2))
    )
    noise = inverse * (v1 + v2)
    # For a difference m with noise n of covariance V the quadratic form (m + n)' A (m + n) has the
    # variance 4 m'AVAm + 2 tr AVAV; the linear term, taken at m + n, is larger by 4 tr AVAV.
    trace = 0.5 * (noise**2).sum(-1)
    variance = np.maximum(linear - trace, trace)
    return Separation(value, np.sqrt(variance), 0.5 * noise.sum(-1))


def separation_or_one(truth: Histograms, other: Histograms) -> Separation:
    """As ``separation``, but 1, without an error or a floor, of what has no entry in ``other``."""
    there = other.contents.sum(1) > 0
    value, error, floor = np.ones(len(there)), np.zeros(len(there)), np.zeros(len(there))
    pairs = (Histograms(h.contents[there], h.squares[there]) for h in (truth, other))
    value[there], error[there], floor[there] = separation(*pairs)
    return Separation(value, error, floor)


def _unit_sum(h: Histograms) -> tuple[Array, Array, Array]:
    """Unit-sum contents, their variances, and the squares in the same unit, ``(F, bins)``.

    For contents c of sum C and squares q of sum Q, p = c/C has the variance
    [q (1 - 2p) + p^2 Q] / C^2, which without weights is p (1 - p) / N.
    """
    total = h.contents.sum(-1, keepdims=True)
    if not np.all(total > 0):
        raise ValueError("a histogram has no entries: nothing lies within its limits")
    p, q = h.contents / total, h.squares / total**2
    return p, q * (1 - 2 * p) + p**2 * q.sum(-1, keepdims=True), q


def _of_linear(g: Array, p: Array, q: Array) -> Array:
    """Variance of the sum of ``g`` times a unit-sum histogram, ``(F,)``."""
    centred = g - (g * p).sum(-1, keepdims=True)
    return (q * centred**2).sum(-1)
