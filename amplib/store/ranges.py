"""What numbers of a stored part can be: each function yields a line for what they cannot.

Studies put these together in ``Study.faults``.  A line begins with the name of the array.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Faults = Iterator[str]
Array = NDArray[Any]

ROUNDING = 1e-3
"""Of a sum of some thousand shares in single precision."""


def finite(name: str, values: Array) -> Faults:
    """Neither NaN nor infinite.

    >>> list(finite("mse", np.array([1.0, np.nan])))
    ['mse holds nan']
    """
    yield from _first(name, values, ~np.isfinite(values), "holds")


def within(name: str, values: Array, low: ArrayLike, high: ArrayLike) -> Faults:
    """All from ``low`` to ``high``, both allowed; NaN is not.

    >>> list(within("share", np.array([0.5, 1.5]), 0, 1))
    ['share holds 1.5, expected 0 to 1']
    """
    bad = ~((values >= np.asarray(low)) & (values <= np.asarray(high)))
    limits = f", expected {np.min(low):g} to {np.max(high):g}"
    yield from _first(name, values, bad, "holds", limits)


def rising(name: str, values: Array) -> Faults:
    """Finite, and no smaller than the one before, along the first axis.

    >>> list(rising("counts", np.array([[1, 2], [1, 1]])))
    ['counts falls from 2 to 1']
    """
    yield from finite(name, values)
    before, after = values[:-1], values[1:]
    bad = ~(after >= before)
    if bad.any():
        place = tuple(np.argwhere(bad)[0])
        yield f"{name} falls from {before[place]} to {after[place]}"


def counting(name: str, counts: Array, events: ArrayLike, all_of_them: bool = True) -> Faults:
    """Whole numbers from zero whose sums over the last axis are the numbers of ``events``.

    Args:
        name: of the array.
        counts: ``(..., cells)``.
        events: of the leading shape of ``counts``, or one number.
        all_of_them: False where some events may be in no cell.

    >>> list(counting("cells", np.array([[2, 3], [2, 4]]), 5))
    ['cells sums to 6, expected 5']
    >>> list(counting("cells", np.array([2.5, 2.5]), 5))
    ['cells holds 2.5, expected a count']
    """
    events = np.broadcast_to(events, counts.shape[:-1])
    bad = ~((counts >= 0) & (counts == np.floor(counts)))
    yield from _first(name, counts, bad, "holds", ", expected a count")
    if bad.any():
        return
    sums = counts.sum(-1, dtype=float)  # which no count overflows
    bad = sums != events if all_of_them else sums > events
    most = "" if all_of_them else "at most "
    if np.any(bad):
        place = tuple(np.argwhere(bad)[0])
        yield f"{name} sums to {sums[place]:.10g}, expected {most}{events[place]:.10g}"


def estimates(name: str, pairs: Array, low: ArrayLike, high: ArrayLike) -> Faults:
    """Values ``pairs[..., 0]`` from ``low`` to ``high`` with errors ``pairs[..., 1]`` from zero.

    >>> list(estimates("auc", np.array([[0.7, 0.1], [0.8, -0.1]]), 0, 1))
    ['auc holds an error of -0.1']
    """
    yield from within(name, pairs[..., 0], low, high)
    yield from _first(name, pairs[..., 1], ~(pairs[..., 1] >= 0), "holds an error of")


def diverged(arrays: Mapping[str, Array]) -> Faults:
    """``diverged`` is the first entry of the first column of ``losses`` beside which one is not
    finite, -1 if there is none, or 0 for what shows elsewhere.

    >>> curve = np.array([[1, 0.5], [2, np.nan]])
    >>> list(diverged({"losses": curve, "diverged": np.array(3)}))
    ['diverged holds 3, expected -1 to 2']
    >>> list(diverged({"losses": curve, "diverged": np.array(-1)}))
    ['losses holds nan']
    """
    losses = arrays["losses"]
    yield from rising("losses", losses[:, 0])
    last = losses[:, 0].max(initial=0)
    yield from within("diverged", arrays["diverged"], -1, last)
    if arrays["diverged"] < 0:
        yield from finite("losses", losses)


def shares(name: str, values: Array) -> Faults:
    """Probabilities of all cells, over the last axis.

    >>> list(shares("fit", np.array([[0.5, 0.5], [0.5, 0.6]])))
    ['fit sums to 1.1, expected 1']
    """
    yield from within(name, values, 0, 1 + ROUNDING)
    sums = values.sum(-1, dtype=float)
    yield from _first(name, sums, ~(abs(sums - 1) < ROUNDING), "sums to", ", expected 1")


def _first(name: str, values: Array, bad: NDArray[np.bool_], verb: str, more: str = "") -> Faults:
    """The first bad value, if there is one."""
    if np.any(bad):
        value = np.asarray(values)[np.broadcast_to(bad, np.shape(values))][0]
        yield f"{name} {verb} {value:.6g}{more}"
