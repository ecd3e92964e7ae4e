r"""Figures of merit of generated top pairs: delta and delta_OF (event paper, sec. III C).

:math:`\delta` (eq. 21) asks whether pairs of observables are distributed right, :math:`\delta_{OF}`
(eq. 23) whether events crowd about those that a model was trained on.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import curve_fit

Array = NDArray[np.float64]

GRIDS = np.array([1, *range(5, 1001, 5)])
"""sqrt(N_bins) at which the share of empty bins is taken: 0 to 1000, as the integral goes."""
EQ_24_PARAMETERS = 4
ETA_RANGE = (-2.5, 2.5)
PHI_RANGE = (-np.pi, np.pi)


def pair_histograms(codes: NDArray[np.uint8], bins: int) -> NDArray[np.int64]:
    """Counts of all pairs of observables from their bins.

    Args:
        codes: ``(n, observables)``, below ``bins``.
        bins: of one observable.

    Returns:
        ``(pairs, bins**2)``: pairs as ``itertools.combinations`` orders them, bin ``bins i + j``.
    """
    columns = np.ascontiguousarray(codes.T).astype(np.intp)
    return np.stack(
        [np.bincount(bins * a + b, minlength=bins**2) for a, b in combinations(columns, 2)]
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


def extrapolated_delta(sizes: ArrayLike, values: ArrayLike, n: float) -> float:
    """delta that ``n`` events of the truth have against ``n`` others, eq. 24 fitted to ``values``.

    ``A / log(B N + C) + D``; an ideal generator reaches it.

    Args:
        sizes: N at which delta was measured, ``(k,)``.
        values: delta there, ``(k,)``.
        n: beyond them.

    Raises:
        ValueError: fewer values than parameters.
    """
    x, y = (np.asarray(a, dtype=float) for a in (sizes, values))
    if len(x) < EQ_24_PARAMETERS:
        raise ValueError(f"eq. 24 has {EQ_24_PARAMETERS} parameters, got {len(x)} values")
    unit, height = x.min(), y.max()

    def curve(size: Array, a: float, b: float, c: float, d: float) -> Array:
        b = np.exp(b)
        return height * (a * b / np.log1p(np.exp(c) + b * size / unit) + d)

    # Bounded: towards c / N, which bins filled by many events give, A grows without end as B falls.
    bounds = [(0, -12, -12, -1), (np.inf, 5, 5, 1)]
    fitted, _ = curve_fit(curve, x, y, (1, -3, -3, 0), sigma=y, bounds=bounds, maxfev=20_000)
    return float(curve(np.array(float(n)), *fitted))


def smeared(
    events: NDArray[np.floating], width: float, copies: int, rng: np.random.Generator
) -> Array:
    """Copies of events, every number multiplied by the modulus of N(1, width) (Table V).

    Args:
        events: ``(n, columns)``.
        width: 0.05 or 0.1 in the paper.
        copies: of each event.
        rng: for the factors.

    Returns:
        ``(copies * n, columns)``.
    """
    repeated = np.repeat(events, copies, axis=0)
    return repeated * np.abs(rng.normal(1, width, repeated.shape))


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
        empty.append(1 - np.count_nonzero(filled) / filled.size)
    return np.array(empty)


def delta_of(empty: ArrayLike, reference: ArrayLike, grids: ArrayLike = GRIDS) -> float:
    """Integral of the difference of two curves of ``empty_bins``, eq. 23."""
    difference = np.abs(np.asarray(empty, dtype=float) - np.asarray(reference, dtype=float))
    return float(np.trapezoid(difference, np.asarray(grids, dtype=float)))
