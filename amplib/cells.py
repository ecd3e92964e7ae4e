"""Samples, cells and their contents: checked, counted, merged."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

ROUNDING = 1e-12


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
    counts = as_contents(counts)
    check_cells(q)
    if counts.shape[-1] % q:
        raise ValueError(f"{q} does not divide the number of cells, {counts.shape[-1]}")
    return np.asarray(counts.reshape(*counts.shape[:-1], q, -1).sum(axis=-1))


def as_contents(a: ArrayLike) -> NDArray[Any]:
    a = np.asarray(a)
    if a.ndim == 0 or a.size == 0:
        raise ValueError("no entries: at least one number is needed")
    if not np.all(np.isfinite(a)) or np.any(a < 0):
        raise ValueError("entries must be finite and not negative")
    return a


def check_cells(q: int) -> None:
    if q < 2:
        raise ValueError(f"quantiles need q >= 2 cells, got {q}")
