r"""Figures of merit of generated events: delta and delta_OF (event paper, sec. III C).

:math:`\delta` (eq. 21) asks whether pairs of observables are distributed right, :math:`\delta_{OF}`
(eq. 23) whether events crowd about those that a model was trained on.  Neither is zero for an ideal
generator: :func:`ideal_delta` and :func:`ideal_delta_of` are what two samples of the truth have.

Samples go in batch by batch (:class:`PairHistograms`, :class:`FilledBins`), and memory does not
grow with them.  Each batch is dealt to ``BLOCKS`` blocks in equal shares; leaving them out one by
one (the delete-a-group jackknife) gives the standard errors.  Those are of the generated events
alone: the truth's sample is the same for all models, and how a model varies from training to
training only other trainings tell.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations, product

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import curve_fit
from scipy.stats import binom

from amplib.estimate import Estimate

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

GRIDS = np.array([1, *range(5, 1001, 5)])
"""sqrt(N_bins) at which the share of empty bins is taken: 0 to 1000, as the integral goes."""
EQ_24_PARAMETERS = 4
ETA_RANGE = (-2.5, 2.5)
PHI_RANGE = (-np.pi, np.pi)
BLOCKS = 20
"""Of events, left out one by one for an error; it is known to 1 / sqrt(2 * 19) = 16%."""
PIECE = 65_536
"""Events counted at a time."""
MANY = 10_000
"""Events from which it is faster to count three observables at once."""
SERIES = 10
"""Terms after which the series of :func:`newly_filled` is cut, smoothly."""
_SEVERAL = 255


class NotFinite(ValueError):
    """An event or an observable that is NaN or infinite, as of a generator that has diverged."""


class PairHistograms:
    """Counts of all pairs of observables, as ``numpy.histogram2d`` makes them of one pair.

    Even bins, the last one closed; an entry outside of the range of either observable is dropped.

    Args:
        limits: lowest and highest value of each observable, ``(d, 2)``.
        bins: of one observable.
        blocks: see above.
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


def jackknife_error(without: ArrayLike) -> float:
    r"""Standard error from values of which each lacks one of B blocks:
    :math:`\sqrt{(B - 1) / B \sum_b (\theta_b - \bar\theta)^2}`.

    Never too small on average (Efron and Stein), and up to :math:`\sqrt 2` too large where the
    value is quadratic in the fluctuations, as delta of a generator that is the truth.
    """
    values = np.asarray(without, dtype=float)
    return float(np.sqrt((len(values) - 1) * values.var()))


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


class FilledBins:
    """Which of k x k bins hold events, and whether of one block or of several.

    Args:
        limits: of both coordinates; points outside are not counted, nor is the upper end.
        grids: numbers k of bins along a side.
        blocks: 254 at most.
    """

    def __init__(self, limits: tuple[float, float], grids: ArrayLike = GRIDS, blocks: int = BLOCKS):
        self.limits, self.grids, self.blocks = limits, np.asarray(grids), blocks
        # 0: empty; b: filled by block b alone.
        self._block = [np.zeros(k * k, np.uint8) for k in self.grids]

    def add(self, x: ArrayLike, y: ArrayLike) -> None:
        """Fill the bins of a batch of points, ``(n,)`` each."""
        parts = [np.array_split(np.asarray(v), self.blocks) for v in (x, y)]
        for number, (a, b) in enumerate(zip(*parts, strict=True), 1):
            unit = _in_units(a, b, self.limits)
            for k, block in zip(self.grids, self._block, strict=True):
                bins = _bin_numbers(unit, k)
                before = block[bins]
                block[bins] = np.where((before == 0) | (before == number), number, _SEVERAL)

    def empty(self) -> Array:
        """Share of empty bins at each of ``grids``."""
        return np.array([1 - np.count_nonzero(block) / block.size for block in self._block])

    def empty_without(self) -> Array:
        """The same without each of the blocks, ``(blocks, grids)``."""
        alone = [
            np.bincount(block, minlength=_SEVERAL + 1)[1 : self.blocks + 1] / block.size
            for block in self._block
        ]
        return self.empty() + np.array(alone).T

    def delta_of(self, reference: ArrayLike) -> Estimate:
        """:func:`delta_of` against the truth's curve, of as many events, with its standard error.

        The error is that of the integral with the sign of the difference held fixed at each k.  Of
        a generator that is the truth, which has no such sign, it is up to twice too large.
        """
        empty = self.empty()
        side = np.sign(empty - np.asarray(reference, dtype=float))
        errors = [np.trapezoid(side * w, self.grids) for w in self.empty_without()]
        return Estimate(delta_of(empty, reference, self.grids), jackknife_error(errors))


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
    unit, empty = _in_units(x, y, limits), []
    for k in np.asarray(grids):
        filled = np.zeros(k * k, bool)
        filled[_bin_numbers(unit, k)] = True
        empty.append(1 - np.count_nonzero(filled) / filled.size)
    return np.array(empty)


def _in_units(x: ArrayLike, y: ArrayLike, limits: tuple[float, float]) -> Array:
    """The points inside, from 0 to 1: ``(2, n)``."""
    low, high = limits
    unit = (np.stack([np.asarray(v, dtype=float) for v in (x, y)]) - low) / (high - low)
    return unit[:, np.all((unit >= 0) & (unit < 1), axis=0)]


def _bin_numbers(unit: Array, k: int) -> Counts:
    """Which of k x k bins each point is in, ``(n,)``."""
    bins = (unit[0] * k).astype(np.int64)
    bins *= k
    bins += (unit[1] * k).astype(np.int64)
    return bins


def delta_of(empty: ArrayLike, reference: ArrayLike, grids: ArrayLike = GRIDS) -> float:
    """Integral of the difference of two curves of ``empty_bins``, eq. 23."""
    difference = np.abs(np.asarray(empty, dtype=float) - np.asarray(reference, dtype=float))
    return float(np.trapezoid(difference, np.asarray(grids, dtype=float)))


def ideal_delta_of(
    quarter: ArrayLike,
    half: ArrayLike,
    whole: ArrayLike,
    n: float,
    grids: ArrayLike = GRIDS,
    doubled: ArrayLike | None = None,
) -> float:
    r"""delta_OF that two samples of ``n`` events of the truth are expected to have.

    The share f of empty bins is a sum over many bins, so that the difference of two is Gaussian,
    :math:`\langle |\Delta f| \rangle = 2 \sqrt{v / \pi}` with v the variance of one.  Counts of
    mean :math:`\lambda` leave a bin empty with :math:`e^{-\lambda}`; twice as many events with
    :math:`e^{-2 \lambda}`, which is its square.  So the curves know their own variance,

    .. math:: v = \frac{f_n - f_{2n}}{k^2} - \frac1n \left( \frac{df}{d \ln n} \right)^2,

    the last term for a total of n that is fixed.  :math:`f_{2n}` is extrapolated, with
    :math:`\ln(-\ln f)` a parabola in ln n, where it is not given.

    Args:
        quarter, half, whole: curves of n/4, n/2 and n events, ``(grids,)``.
        n: number of events of ``whole``.
        grids: numbers k of bins along a side.
        doubled: the curve of 2 n events.
    """
    curves = np.array([quarter, half, whole] + ([] if doubled is None else [doubled]), dtype=float)
    known = np.all((curves > 0) & (curves < 1), axis=0)  # else next to nothing is empty, nor varies
    k = np.asarray(grids, dtype=float)[known]
    levels = np.log(-np.log(curves[:, known]))
    steps = np.diff(levels, axis=0)
    further = 2 * steps[1] - steps[0] if doubled is None else steps[2]
    f = curves[2, known]
    twice = np.exp(-np.exp(levels[2] + further))
    slope = f * np.log(f) * (steps[1] + further) / (2 * np.log(2))
    variance = np.zeros(known.shape)
    variance[known] = np.maximum((f - twice) / k**2 - slope**2 / n, 0)
    return float(np.trapezoid(2 * np.sqrt(variance / np.pi), np.asarray(grids, dtype=float)))
