"""Samples, cells and their contents: checked, counted, merged; equal cells in any dimension.

A *partition* is a function from events to the numbers of their cells: any callable that takes ``n``
events and returns ``n`` integers from 0 to q - 1, each with the probability 1/q under the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

ROUNDING = 1e-12


def as_floats(x: Any) -> Array:
    """``x`` as a float array, a tensor of torch too, wherever it is and whatever made it; what is
    masked is NaN.

    Raises:
        TypeError, ValueError: no numbers, or complex ones.
    """
    if hasattr(x, "detach"):
        x = x.detach().cpu()
    if np.ma.isMaskedArray(x):
        x = np.ma.filled(x.astype(float), np.nan)
    x = np.asarray(x)
    if x.dtype.kind == "c":
        raise TypeError("complex numbers")
    return np.asarray(x, dtype=float)


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


def as_events(x: ArrayLike, name: str = "events") -> Array:
    """``x`` as a float array (N, D) of finite events; (N,) is one column.

    Raises:
        ValueError: of another shape, no event, no number, NaN or infinity; it begins with ``name``.
    """
    try:
        x = as_floats(x)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers, in rows of one length") from None
    if x.ndim not in (1, 2) or x.size == 0:
        raise ValueError(f"{name} must have the shape (N,) or (N, D), got {x.shape}")
    x = x.reshape(len(x), -1)
    if bad := int((~np.isfinite(x)).any(axis=1).sum()):
        raise ValueError(f"{name}: {bad} of {len(x)} hold NaN or infinity")
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
    """``a`` as an array of what cells hold, of any shape but none.

    Raises:
        ValueError: no entry, or one that is negative, NaN or infinite.
    """
    a = np.asarray(a)
    if a.ndim == 0 or a.size == 0:
        raise ValueError("no entries: at least one number is needed")
    if not np.all(np.isfinite(a)) or np.any(a < 0):
        raise ValueError("entries must be finite and not negative")
    return a


def check_cells(q: int) -> None:
    """Refuse a number of cells with which nothing can be counted.

    Raises:
        ValueError: ``q`` < 2.
    """
    if q < 2:
        raise ValueError(f"quantiles need q >= 2 cells, got {q}")


Partition = Callable[[Array], NDArray[np.integer[Any]]]
"""Events in, the number of the cell of each out."""


def divisions(q: int, dimension: int) -> tuple[int, ...]:
    """Into how many parts each of D coordinates is cut to give ``q`` cells; their product is q.

    The prime factors of q, the largest first, go each to the coordinate that is cut the least so
    far: q = n^D cuts every coordinate into n, as arXiv:2008.06545 does, and a prime q the first
    coordinate alone.

    Raises:
        ValueError: ``q`` < 2 or no coordinate.

    >>> divisions(50, 1), divisions(36, 2), divisions(50, 2), divisions(243, 5), divisions(7, 3)
    ((50,), (6, 6), (10, 5), (3, 3, 3, 3, 3), (7, 1, 1))
    """
    check_cells(q)
    if dimension < 1:
        raise ValueError(f"cells need at least one coordinate, got {dimension}")
    parts = [1] * dimension
    for factor in sorted(_prime_factors(q), reverse=True):
        parts[parts.index(min(parts))] *= factor
    return tuple(parts)


def _prime_factors(q: int) -> list[int]:
    factors, factor = [], 2
    while factor * factor <= q:
        while q % factor == 0:
            factors.append(factor)
            q //= factor
        factor += 1
    return [*factors, q] if q > 1 else factors


@dataclass(frozen=True)
class Grid:
    """A product grid of equal-mass cells, cut at the marginal quantiles of independent coordinates.

    Args:
        coordinates: (N, D) events -> (N, D) in [0, 1], independent and uniform under the truth.
        divisions: into how many parts each coordinate is cut.
    """

    coordinates: Callable[[Array], Array]
    divisions: tuple[int, ...]

    @property
    def cuts(self) -> tuple[int, ...]:
        """Of each coordinate."""
        return tuple(parts - 1 for parts in self.divisions)

    def __call__(self, events: Array) -> NDArray[np.intp]:
        """Number of the cell of each event, (N,)."""
        u = self.coordinates(events)
        parts = np.array(self.divisions)
        place = np.minimum((u * parts).astype(int), parts - 1)  # u is 1 in the far tail
        return np.asarray(np.ravel_multi_index(tuple(place.T), self.divisions))


@dataclass(frozen=True)
class _Cut:
    """Events below ``at`` on ``axis`` go ``below``, the others ``above``: cuts, or a cell."""

    axis: int
    at: float
    below: _Cut | int
    above: _Cut | int


class Splits:
    """``q`` cells of equal mass from a sample of the truth, by recursive splits at its points.

    A region that is to hold k cells is cut where floor(k/2) of them lie below, along one axis after
    the other.  Every cut is *at* a point, so that a cell is b = floor((M + 1)/q) of the M + 1 gaps
    that M points leave, and by Tukey's theorem on statistically equivalent blocks (Ann. Math.
    Stat. 18, 529) the masses of the cells follow a Dirichlet distribution, whatever the truth:

    <m_j> = 1/q,        Var m_j = (1/q) (1 - 1/q) / (M + 2)

    exactly, as if M + 2 events of the truth had been counted in cells of mass 1/q.  A cut halves
    one axis, so that of D axes the first log2(q) are looked at.  Where a generator's error changes
    from one cell to the next, cells that lie elsewhere see another part of it: its worth in cells
    cut from M events differs from that in exact ones by some N_equiv/M of itself.

    Args:
        points: (M, D) of the truth; up to q - 1 of them, drawn by lot, are not used, so that M + 1
            is a multiple of q.
        q: number of cells.
        names: of the D columns, for what is refused.

    Raises:
        ValueError: fewer points than cells, or so many equal values at a cut that the cells on its
            sides are not of equal mass.
    """

    def __init__(self, points: ArrayLike, q: int, names: Sequence[str] = ()):
        points = as_events(points, "held-out events")
        self._names = names
        check_cells(q)
        if len(points) < q:
            raise ValueError(f"{len(points)} held-out events cannot make {q} quantiles")
        self.q, self.gaps = q, (len(points) + 1) // q
        self.size = q * self.gaps - 1
        """M, the points that are used."""
        axes, halvings = points.shape[1], (q - 1).bit_length()
        self.cuts = tuple(len(range(axis, halvings, axes)) for axis in range(axes))
        """Of each axis on the way to a cell, at most."""
        used = np.random.default_rng(0).permutation(points)[: self.size]
        self._tree = self._cut(used, 0, q, 0)

    def _cut(self, points: Array, first: int, q: int, depth: int) -> _Cut | int:
        if q == 1:
            return first
        axis, below = depth % points.shape[1], q // 2
        rank = below * self.gaps - 1
        points = points[np.argpartition(points[:, axis], rank)]
        at = float(points[rank, axis])
        # Equal values lie on one side of the cut; few do not matter beside the cells' noise.
        if np.count_nonzero(points[:, axis] == at) - 1 > self.gaps**0.5 / 2:
            column = repr(self._names[axis]) if self._names else f"{axis} (from 0)"
            raise ValueError(
                f"held-out events: too many have the value {at:g} in column {column} to cut equal "
                "cells"
            )
        return _Cut(
            axis,
            at,
            self._cut(points[:rank], first, below, depth + 1),
            self._cut(points[rank + 1 :], first + below, q - below, depth + 1),
        )

    def bounds(self) -> Array:
        """Lower and upper end of each cell on each axis, (q, D, 2); the outer ones are infinite."""
        whole = np.tile([-np.inf, np.inf], (len(self.cuts), 1))
        found = np.empty((self.q, *whole.shape))
        todo: list[tuple[_Cut | int, Array]] = [(self._tree, whole)]
        while todo:
            node, box = todo.pop()
            if isinstance(node, int):
                found[node] = box
                continue
            below, above = box.copy(), box.copy()
            below[node.axis, 1] = above[node.axis, 0] = node.at
            todo += [(node.below, below), (node.above, above)]
        return found

    def __call__(self, events: Array) -> NDArray[np.intp]:
        """Number of the cell of each event, (N,)."""
        cells = np.empty(len(events), dtype=np.intp)
        todo: list[tuple[_Cut | int, NDArray[np.intp]]] = [(self._tree, np.arange(len(events)))]
        while todo:
            node, which = todo.pop()
            if isinstance(node, int):
                cells[which] = node
                continue
            above = events[which, node.axis] >= node.at
            todo += [(node.below, which[~above]), (node.above, which[above])]
        return cells
