r"""delta: whether pairs of observables are distributed right (event paper, sec. III C, eq. 21).

It is not zero for an ideal generator: :func:`ideal_delta` is what two samples of the truth have.
A sample goes in batch by batch (:class:`PairHistograms`), and memory does not grow with it.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations, product

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import curve_fit
from scipy.stats import binom

from amplib.estimate import Estimate
from amplib.metrics.jackknife import BLOCKS, jackknife_error

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

EQ_24_PARAMETERS = 4
PIECE = 65_536
"""Events counted at a time."""
MANY = 10_000
"""Events from which it is faster to count three observables at once."""
SERIES = 10
"""Terms after which the series of :func:`newly_filled` is cut, smoothly."""


class NotFinite(ValueError):
    """An event or an observable that is NaN or infinite, as of a generator that has diverged."""


class PairHistograms:
    """Counts of all pairs of observables, as ``numpy.histogram2d`` makes them of one pair.

    Even bins, the last one closed; an entry outside of the range of either observable is dropped.

    Args:
        limits: lowest and highest value of each observable, ``(d, 2)``.
        bins: of one observable.
        blocks: for the error, see ``jackknife``.
    """

    def __init__(self, limits: ArrayLike, bins: int, blocks: int = BLOCKS):
        self.limits = np.asarray(limits, dtype=float)
        self.bins, self.blocks = bins, blocks
        self._events = np.zeros(blocks, np.int64)
        pairs = len(self.limits) * (len(self.limits) - 1) // 2
        self._counts = np.zeros((blocks, pairs, (bins + 1) ** 2), np.int64)

    def add(self, values: NDArray[np.floating]) -> None:
        """Count a batch of observables, ``(n, d)``.

        Raises:
            ValueError: another number of observables.
            NotFinite: a value that is not finite.
        """
        values = np.asarray(values)
        if values.ndim != 2 or values.shape[1] != len(self.limits):
            raise ValueError(f"expected (n, {len(self.limits)}) observables, got {values.shape}")
        if not np.isfinite(values.sum()) and not np.isfinite(values).all():  # a sum is quicker
            row, column = np.argwhere(~np.isfinite(values))[0]
            raise NotFinite(f"event {row}: observable {column} is {values[row, column]}")
        for number, block in enumerate(np.array_split(values, self.blocks)):
            self._events[number] += len(block)
            for start in range(0, len(block), PIECE):
                columns = self._columns(block[start : start + PIECE])
                _count_pairs(columns, self.bins + 1, self._counts[number])

    def _columns(self, values: NDArray[np.floating]) -> NDArray[np.intp]:
        """Bins of a few events, ``(d, n)``; ``bins`` is outside."""
        low, high = self.limits.T[..., None]
        width = np.where(high > low, high - low, 1.0)  # of no width: all in the lowest
        place = np.array(values.T, dtype=float, order="C")
        place -= low
        place /= width
        place *= self.bins
        columns = np.minimum(place, np.nextafter(self.bins, 0)).astype(np.intp)  # the end is inside
        columns[(place < 0) | (place > self.bins)] = self.bins
        return columns

    @property
    def events(self) -> int:
        """Those with dropped entries included."""
        return int(self._events.sum())

    @property
    def by_block(self) -> Counts:
        """``(blocks, pairs, bins**2)``; bin i of the first and j of the second is ``bins i + j``,
        pairs are in the order of ``itertools.combinations``."""
        side = self.bins + 1
        square = self._counts.reshape(self.blocks, -1, side, side)[..., :-1, :-1]
        return square.reshape(self.blocks, -1, self.bins**2)

    @property
    def counts(self) -> Counts:
        """``(pairs, bins**2)`` of all blocks."""
        return self.by_block.sum(0)

    @property
    def dropped(self) -> float:
        """Share of entries outside of the ranges, the mean over pairs."""
        return 1 - float(self.counts.sum() / (self.events * self._counts.shape[1]))

    def delta(
        self,
        reference: ArrayLike,
        pairs: slice | NDArray[np.bool_] = slice(None),
        of_all: bool = True,
    ) -> Estimate:
        """:func:`delta` against the truth's counts, with its standard error.

        Args:
            reference: counts of the truth, ``(pairs, bins**2)``.
            pairs: which of them to take the mean over; all by default.
            of_all: whether shares are of all events, so that what is dropped is missing, or of
                those that are inside of a histogram; they are zero if none is.

        Raises:
            ValueError: the shapes differ, or the sample is empty.
        """
        by_block, truth = self.by_block[:, pairs], np.asarray(reference)[pairs]
        counts = by_block.sum(0)

        def measured(kept: Counts, events: int) -> float:
            return delta(kept, truth, events if of_all else np.maximum(kept.sum(-1)[:, None], 1))

        without = [
            measured(counts - block, int(self.events - n))
            for block, n in zip(by_block, self._events, strict=True)
        ]
        return Estimate(measured(counts, self.events), jackknife_error(without))


def _count_pairs(columns: NDArray[np.intp], side: int, counts: Counts) -> None:
    """Add the pairs of ``columns`` ``(d, n)``, below ``side``, to ``counts``."""
    d, n = columns.shape
    pairs = list(combinations(range(d), 2))
    rows = dict(zip(pairs, counts, strict=True))
    for group in triples(d) if n > MANY else pairs:
        bins = columns[group[0]]
        for column in group[1:]:
            bins = bins * side + columns[column]
        size = (side,) * len(group)
        found = np.bincount(bins, minlength=int(np.prod(size))).reshape(size)
        for kept in combinations(range(len(group)), 2):
            others = tuple({*range(len(group))} - {*kept})
            rows[group[kept[0]], group[kept[1]]] += found.sum(others).ravel()


@cache
def triples(d: int) -> list[tuple[int, ...]]:
    """Groups of at most three of ``d`` things such that any two are together in one group.

    Bose's construction (1939) for 3q of them, q odd; those beyond ``d`` are left out.

    >>> triples(4)
    [(0, 3), (0, 1), (0, 2), (1, 2, 3)]
    """
    q = 2 * -(-max(d - 3, 0) // 6) + 1
    whole = [(x, q + x, 2 * q + x) for x in range(q)]
    for level, (x, y) in product(range(3), combinations(range(q), 2)):
        third = (x + y) * (q + 1) // 2 % q  # half of the sum, modulo q
        whole.append((x + q * level, y + q * level, third + q * ((level + 1) % 3)))
    groups = [tuple(sorted(k for k in group if k < d)) for group in whole]
    return [group for group in groups if len(group) > 1]


def pair_histograms(codes: NDArray[np.uint8], bins: int) -> Counts:
    """Counts of all pairs of observables from their bins.

    Args:
        codes: ``(n, observables)``, below ``bins``.
        bins: of one observable.

    Returns:
        ``(pairs, bins**2)``: pairs as ``itertools.combinations`` orders them, bin ``bins i + j``.
    """
    pairs = codes.shape[1] * (codes.shape[1] - 1) // 2
    counts = np.zeros((pairs, bins**2), np.int64)
    for start in range(0, len(codes), PIECE):
        piece = np.ascontiguousarray(codes[start : start + PIECE].T).astype(np.intp)
        _count_pairs(piece, bins, counts)
    return counts


def delta(histograms: ArrayLike, reference: ArrayLike, events: ArrayLike | None = None) -> float:
    r"""Mean over pairs of :math:`\sum_u (p_u - q_u)^2 / (p_u + q_u)`, eqs. 21 and 22.

    Args:
        histograms: counts ``(pairs, bins)`` of a generator.
        reference: of the truth.
        events: of the generator, with those outside of the bins, one number or ``(pairs, 1)``; by
            default each histogram is normalised to its own entries.

    Raises:
        ValueError: the shapes differ, or a histogram is empty.
    """
    p, q = (np.asarray(h, dtype=float) for h in (histograms, reference))
    if p.shape != q.shape:
        raise ValueError(f"histograms of shapes {p.shape} and {q.shape} cannot be compared")
    totals = p.sum(-1, keepdims=True), q.sum(-1, keepdims=True)
    if events is not None:
        totals = np.full_like(totals[0], events), totals[1]
    if not all((t > 0).all() for t in totals):
        raise ValueError("a histogram is empty")
    p, q = p / totals[0], q / totals[1]
    both = np.where(p + q > 0, p + q, 1)
    return float(((p - q) ** 2 / both).sum(-1).mean())


def newly_filled(counts: ArrayLike) -> float:
    r"""How many bins a second sample of the same size is expected to fill that are empty now.

    :math:`\sum_{j \ge 1} (-1)^{j + 1} \Phi_j`, where :math:`\Phi_j` bins hold j events (Good and
    Toulmin 1956), each term weighted by P(Bin(``SERIES``, 1/2) >= j) against its growing noise
    (Efron and Thisted 1976).
    """
    j = np.arange(1, SERIES + 1)
    filled = np.bincount(np.minimum(np.ravel(counts), SERIES + 1).astype(int), minlength=SERIES + 2)
    return float((-((-1.0) ** j) * binom.sf(j - 1, SERIES, 0.5)) @ filled[1:-1])


def ideal_delta(reference: ArrayLike) -> float:
    r"""delta that an ideal generator's N events are expected to have against the truth's N.

    (F - 1) / N, where F bins are filled by both samples together, the mean over pairs: of the s
    events of a bin each is of either sample with probability 1/2, so that
    :math:`\langle (a - b)^2 / (a + b) \rangle = 1` in all that are filled, but for a
    :math:`s / 2N` that adds up to one.  F is what the truth fills and what as many events more
    are expected to fill, :func:`newly_filled`.

    Args:
        reference: counts of the truth, ``(pairs, bins)``, N in each pair.
    """
    counts = np.asarray(reference)
    filled = ((counts > 0).sum() + newly_filled(counts)) / len(counts)
    return float((filled - 1) / counts[0].sum())


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
