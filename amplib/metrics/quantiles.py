"""Quantile error, equivalent sample size and amplification factor.

Reference: Butter et al., "Amplifying Statistics using Generative Models", sec. 2 and eq. (2).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# Single-precision fractions of a hundred cells sum to one within a few 1e-6.
SUM_TOLERANCE = 1e-5
ROUNDING = 1e-12


class Estimate(NamedTuple):
    """A value with its standard error; prints two significant digits of the error.

    >>> print(Estimate(238.7, 11.2), Estimate(0.51234, 0.0996), Estimate(12346.0, 678.0), sep=", ")
    239 ± 11, 0.51 ± 0.10, 12350 ± 680
    """

    value: float
    error: float

    def __str__(self) -> str:
        if not np.isfinite(self.error) or self.error <= 0:
            return f"{self.value:.4g} ± {self.error:g}"
        # The exponent after rounding: 0.0996 is 0.10, not 0.100.
        decimals = 1 - int(f"{self.error:.1e}".partition("e")[2])
        shown = max(decimals, 0)
        return f"{round(self.value, decimals):.{shown}f} ± {round(self.error, decimals):.{shown}f}"


def as_samples(x: ArrayLike) -> Array:
    """``x`` as a float array (..., N) of finite points.

    Raises:
        ValueError: no points, NaN or infinity.
    """
    x = np.asarray(x, dtype=float)
    if x.ndim == 0 or x.size == 0:
        raise ValueError(f"a sample needs points along an axis, got shape {x.shape}")
    if not np.all(np.isfinite(x)):
        raise ValueError("a sample must not hold NaN or infinity")
    return x


def as_sample(x: ArrayLike, at_least: int = 1) -> Array:
    """``x`` as one sample: a float array (N,) of finite points.

    Raises:
        ValueError: not one-dimensional, fewer than ``at_least`` points, NaN or infinity.
    """
    x = as_samples(x)
    if x.ndim != 1 or x.size < at_least:
        raise ValueError(f"need one sample (N,) with N >= {at_least}, got shape {x.shape}")
    return x


def as_edges(edges: ArrayLike) -> Array:
    """``edges`` as a float array (q + 1,) of strictly rising cell boundaries, q >= 2.

    Raises:
        ValueError: not one-dimensional, fewer than two cells, NaN, or not rising.
    """
    edges = np.asarray(edges, dtype=float)
    if edges.ndim != 1 or edges.size < 3 or not np.all(edges[1:] > edges[:-1]):
        raise ValueError("edges must be at least three strictly rising numbers")
    return edges


def cell_counts(x: ArrayLike, edges: ArrayLike) -> NDArray[np.int64]:
    """Number of points in each cell [edges_j, edges_j+1): shape (..., q) for ``x`` of (..., N).

    Raises:
        ValueError: an empty or not finite sample, unordered edges, or a point outside of them:
            a point that no cell counts would make every fraction wrong.

    >>> cell_counts([-1.0, 0.5, 3.0], [-np.inf, 0, 1, np.inf]).tolist()
    [1, 1, 1]
    """
    x, edges = as_samples(x), as_edges(edges)
    if np.any(x < edges[0]) or np.any(x >= edges[-1]):
        raise ValueError(f"points lie outside of the edges [{edges[0]:g}, {edges[-1]:g})")
    q = edges.size - 1
    rows = x.reshape(-1, x.shape[-1])
    cell = np.searchsorted(edges[1:-1], rows, side="right")
    flat = (cell + q * np.arange(len(rows))[:, None]).ravel()
    return np.bincount(flat, minlength=q * len(rows)).reshape(*x.shape[:-1], q)


def cell_masses(cdf: ArrayLike) -> Array:
    """Probabilities of cells from a distribution function at their q + 1 edges, shape (..., q).

    In an empty cell rounding may leave -1e-17, which is no probability: it is set to zero.

    Raises:
        ValueError: values outside [0, 1], NaN, or falling by more than rounding.

    >>> cell_masses([0.0, 0.25, 0.25, 1.0]).tolist()
    [0.25, 0.0, 0.75]
    """
    cdf = np.asarray(cdf, dtype=float)
    mass = np.diff(cdf)
    if not (np.all((cdf >= 0) & (cdf <= 1 + ROUNDING)) and np.all(mass >= -ROUNDING)):
        raise ValueError("a distribution function rises from 0 to 1")
    return np.maximum(mass, 0)


def merge_cells(counts: ArrayLike, q: int) -> NDArray[Any]:
    """Sum the last axis of equal-mass cells into ``q`` coarser ones: shape (..., q).

    Works for counts and for probabilities; integers stay integers. A hundred cells hold the 10,
    20 and 50 quantiles of the papers.

    Raises:
        ValueError: ``q`` < 2 or no divisor of the number of cells; NaN or negative entries.

    >>> merge_cells([1, 2, 3, 4], 2).tolist()
    [3, 7]
    """
    counts = _as_contents(counts)
    _check_cells(q)
    if counts.shape[-1] % q:
        raise ValueError(f"{q} does not divide the number of cells, {counts.shape[-1]}")
    return np.asarray(counts.reshape(*counts.shape[:-1], q, -1).sum(axis=-1))


def quantile_mse(p: ArrayLike) -> NDArray[Any]:
    """Average quantile error, eq. (2): MSE = (1/q) sum_j (p_j - 1/q)^2, over the last axis.

    Args:
        p: estimated probabilities of the q equal-mass cells, shape (..., q); each row sums to one.

    Returns:
        The MSE of each row, shape (...); no uncertainty, which only repetitions can tell.

    Raises:
        ValueError: fewer than two cells, NaN, negative entries, or rows that do not sum to one
            (counts instead of fractions, or lost points).

    >>> float(quantile_mse([0.5, 0.25, 0.25, 0.0]))
    0.03125
    """
    p = _as_contents(p)
    q = p.shape[-1]
    _check_cells(q)
    if np.any(np.abs(p.sum(axis=-1) - 1) > SUM_TOLERANCE):
        raise ValueError("the fractions of the cells must sum to one")
    return np.asarray(((p - 1 / q) ** 2).mean(axis=-1))


def expected_mse(n: float, q: int) -> float:
    """Exact expectation of eq. (2) for ``n`` independent points of the truth in ``q`` quantiles.

    E[MSE] = (1/q) (1 - 1/q) / n, since each fraction has the variance (1/q) (1 - 1/q) / n.

    Raises:
        ValueError: ``n`` not positive or ``q`` < 2.

    >>> expected_mse(100, 10)
    0.0009
    """
    _check_cells(q)
    if not n > 0:
        raise ValueError(f"the number of points must be positive, got {n}")
    return (1 - 1 / q) / (q * n)


def n_equiv(mse: ArrayLike, q: int) -> Estimate:
    """Equivalent sample size N_equiv = (1/q) (1 - 1/q) / <MSE>.

    The number of true points whose expected MSE equals the mean one measured: the exact form of
    the papers' comparison by eye with the horizontal lines of their Fig. 2.

    Args:
        mse: eq. (2) of R independent repetitions (training samples), shape (R,) or a number.
        q: number of quantiles.

    Returns:
        N_equiv and its standard error over the repetitions, N_equiv * sem / <MSE>, with sem the
        standard error of the mean; NaN for a single repetition.

    Raises:
        ValueError: no MSE, NaN, negative ones, all zero (N_equiv is infinite), or ``q`` < 2.

    >>> n_equiv([0.0009, 0.0009], 10)
    Estimate(value=100.0, error=0.0)
    """
    mse = np.asarray(_as_contents(np.ravel(mse)), dtype=float)
    mean = float(mse.mean())
    if mean == 0:
        raise ValueError("every MSE is zero: the equivalent sample size is infinite")
    sem = float(mse.std(ddof=1)) / mse.size**0.5 if mse.size > 1 else float("nan")
    value = expected_mse(1, q) / mean
    return Estimate(value, value * sem / mean)


def amplification_factor(mse: ArrayLike, q: int, n_train: int) -> Estimate:
    """Amplification factor N_equiv / N_train (paper: asymptotic performance to training events).

    Arguments, error and what is raised as in :func:`n_equiv`; ``n_train`` < 1 is refused.
    """
    if n_train < 1:
        raise ValueError(f"the training sample needs at least one point, got {n_train}")
    value, error = n_equiv(mse, q)
    return Estimate(value / n_train, error / n_train)


def _as_contents(a: ArrayLike) -> NDArray[Any]:
    a = np.asarray(a)
    if a.ndim == 0 or a.size == 0:
        raise ValueError("no entries: at least one number is needed")
    if not np.all(np.isfinite(a)) or np.any(a < 0):
        raise ValueError("entries must be finite and not negative")
    return a


def _check_cells(q: int) -> None:
    if q < 2:
        raise ValueError(f"quantiles need q >= 2 cells, got {q}")
