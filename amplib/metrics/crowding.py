r"""delta_OF: whether events crowd about those that a model was trained on (event paper, eq. 23).

It is not zero for an ideal generator: :func:`ideal_delta_of` is what two samples of the truth have.
A sample goes in batch by batch (:class:`FilledBins`), and memory does not grow with it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amplib.estimate import Estimate
from amplib.metrics.jackknife import BLOCKS, jackknife_error

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

GRIDS = np.array([1, *range(5, 1001, 5)])
"""sqrt(N_bins) at which the share of empty bins is taken: 0 to 1000, as the integral goes."""
ETA_RANGE = (-2.5, 2.5)
PHI_RANGE = (-np.pi, np.pi)
_SEVERAL = 255


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
        """Share of empty bins without each of the blocks, ``(blocks, grids)``."""
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
