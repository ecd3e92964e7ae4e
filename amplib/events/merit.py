r"""Figures of merit of generated top pairs: delta and delta_OF (event paper, sec. III C).

:math:`\delta` (eq. 21) asks whether pairs of observables are distributed right, :math:`\delta_{OF}`
(eq. 23) whether events crowd about those that a model was trained on.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amplib.events.observables import BINS

Array = NDArray[np.float64]

GRIDS = np.array([1, *range(10, 1001, 10)])
"""sqrt(N_bins) at which the share of empty bins is taken: 0 to 1000, as the integral goes."""
ETA_RANGE = (-2.5, 2.5)
PHI_RANGE = (-np.pi, np.pi)


def pair_histograms(codes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Counts of all pairs of observables, ``(pairs, BINS**2)``, from bins ``(n, observables)``."""
    wide = codes.astype(np.int16)
    return np.stack(
        [
            np.bincount(wide[:, i] * BINS + wide[:, j], minlength=BINS**2)
            for i, j in combinations(range(codes.shape[1]), 2)
        ]
    )


def delta(histograms: ArrayLike, reference: ArrayLike) -> float:
    r"""Mean over pairs of :math:`\sum_u (p_u - q_u)^2 / (p_u + q_u)`, eqs. 21 and 22.

    Args:
        histograms: counts ``(pairs, bins)`` of a generator.
        reference: of the truth.

    Raises:
        ValueError: the shapes differ, or a histogram is empty.
    """
    p, q = (np.asarray(h, dtype=float) for h in (histograms, reference))
    if p.shape != q.shape:
        raise ValueError(f"histograms of shapes {p.shape} and {q.shape} cannot be compared")
    totals = p.sum(-1, keepdims=True), q.sum(-1, keepdims=True)
    if not all((t > 0).all() for t in totals):
        raise ValueError("a histogram is empty")
    p, q = p / totals[0], q / totals[1]
    both = np.where(p + q > 0, p + q, 1)
    return float(((p - q) ** 2 / both).sum(-1).mean())


def empty_bins(
    x: ArrayLike, y: ArrayLike, limits: tuple[float, float], grids: ArrayLike = GRIDS
) -> Array:
    """Share of empty bins of k x k, for every k of ``grids``; points outside are not counted.

    Args:
        x: first coordinate, ``(n,)``.
        y: second coordinate, ``(n,)``.
        limits: of both.
        grids: numbers of bins along a side.
    """
    low, high = limits
    unit = [(np.asarray(v, dtype=float) - low) / (high - low) for v in (x, y)]
    inside = np.all([(u >= 0) & (u < 1) for u in unit], axis=0)
    u, v = (w[inside] for w in unit)
    empty = []
    for k in np.asarray(grids):
        filled = np.zeros(k * k, bool)
        filled[(u * k).astype(np.int64) * k + (v * k).astype(np.int64)] = True
        empty.append(1 - filled.mean())
    return np.array(empty)


def delta_of(empty: ArrayLike, reference: ArrayLike, grids: ArrayLike = GRIDS) -> float:
    """Integral of the difference of two curves of ``empty_bins``, eq. 23."""
    difference = np.abs(np.asarray(empty, dtype=float) - np.asarray(reference, dtype=float))
    return float(np.trapezoid(difference, np.asarray(grids, dtype=float)))
