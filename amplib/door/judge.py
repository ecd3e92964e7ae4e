"""Events that exist, judged by a truth that is known or by held-out events of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from amplib.cells import Grid, Splits, as_events
from amplib.door.verdict import Worth
from amplib.metrics.weights import as_weights
from amplib.metrics.worth import CellContents, cell_contents
from amplib.truth.densities import CamelBack, GaussianMixture, Shells, Truth, as_truth

Array = NDArray[np.float64]

OWN_EVENTS = 50
"""Of a truth, for each of its cells, that are to be equally many."""
FALSE_ALARM = 1e-6
"""Probability of refusing cells that are."""


def worth(
    events: ArrayLike,
    *,
    truth: Truth | str | None = None,
    held_out: ArrayLike | None = None,
    n_train: int | None = None,
    quantiles: int = 50,
    weights: ArrayLike | None = None,
    columns: Sequence[str] | None = None,
) -> Worth:
    """How many true events one generator's events are worth.

    Args:
        events: (N, D), or (N,) for one column; independent draws of the generator.
        truth: anything with ``sample`` and ``cells`` (:class:`amplib.truth.densities.Truth`), or
            the name of one of the book's (:func:`~amplib.truth.densities.truth_named`).
        held_out: (M, D) events of the truth that the generator has not seen, in its place; without
            weights, by which neither cells of equal mass are cut nor their noise is known.
        n_train: events that the generator was trained on, for the amplification factor.
        quantiles: cells of equal mass in all, over all dimensions.
        weights: (N,), not negative.
        columns: names of the D columns of the events; their numbers from 0 by default.

    Raises:
        ValueError: in one line: not exactly one of ``truth`` and ``held_out``, other columns than
            the truth's, not one name a column, NaN, events outside of the truth's support,
            impossible weights, fewer events than quantiles.

    >>> import amplib
    >>> truth, rng = amplib.CamelBack(), np.random.default_rng(1)
    >>> answer = worth(truth.sample(2000, rng), truth=truth, quantiles=20)
    >>> print(answer.n_equiv)
    at least 3600

    Of a generator without visible error that is all there is, an ``AtLeast``; of another it is an
    ``Estimate`` with value and error.  Both have the lower end of the 95% interval:

    >>> worse = worth(1.1 * truth.sample(2000, rng), truth="camel-back", quantiles=20)
    >>> for n_equiv in (answer.n_equiv, worse.n_equiv):
    ...     value = n_equiv.value if isinstance(n_equiv, amplib.Estimate) else None
    ...     print(n_equiv.at_least > 1000, value is None)
    True True
    False False
    """
    if (truth is None) == (held_out is None):
        raise ValueError("expected either truth or held_out to judge the events by")
    if truth is not None:
        truth = as_truth(truth)
    check_whole("quantiles", quantiles, 2)
    if n_train is not None:
        check_whole("n_train", n_train, 1)
    x = as_events(events)
    w = None if weights is None else as_weights(weights, len(x))
    names = tuple(map(str, range(x.shape[1]) if columns is None else columns))
    if len(names) != x.shape[1]:
        raise ValueError(f"{len(names)} names for {x.shape[1]} columns")
    if truth is not None:
        check_equal(truth, quantiles)
        contents = contents_of(x, truth, quantiles, w)
        return verdict(contents, len(x), n_train, coordinate_cuts(truth, quantiles), copies(x))
    truth_events = as_events(held_out, "held-out events")  # type: ignore[arg-type]
    check_columns(x, truth_events.shape[1])
    cells = Splits(truth_events, quantiles, columns or ())
    contents = cell_contents(x, cells, quantiles, w, held_out=cells.size)
    cuts = dict(zip(names, cells.cuts, strict=True))
    told = verdict(contents, len(x), n_train, cuts, copies(x))
    return replace(told, shared=copies(x, truth_events))


def coordinate_cuts(truth: Truth, quantiles: int) -> dict[str, int] | None:
    """Cuts of each of a truth's own coordinates; None for cells that are no grid in them."""
    cells = truth.cells(quantiles)
    return {str(i): n for i, n in enumerate(cells.cuts)} if isinstance(cells, Grid) else None


def verdict(
    contents: CellContents,
    events: int,
    n_train: int | None,
    cuts: dict[str, int] | None,
    repeated: float = 0.0,
    copied: float = 0.0,
) -> Worth:
    """What the cells of one training's events say."""
    return Worth(
        as_it_is=contents.as_it_is(),
        n_equiv=contents.n_equiv(),
        n_train=n_train,
        repetitions=1,
        events=events,
        effective=contents.effective,
        held_out=contents.held_out,
        fractions=contents.fractions,
        mse=np.array([contents.mse]),
        evenness=contents.evenness(),
        cuts=cuts,
        repeated=repeated,
        copied=copied,
    )


def copies(x: Array, sample: Array | None = None) -> float:
    """Share of events (N, D) that are rows of a sample (M, D), or, without one, of earlier events.

    >>> copies(np.array([[1.0], [2.0], [1.0], [1.0]])), copies(np.ones((2, 3)), np.ones((5, 3)))
    (0.5, 1.0)
    """
    rows = _as_bytes(x)
    if sample is None:
        return 1 - len(np.unique(rows)) / len(rows)
    return float(np.mean(np.isin(rows, _as_bytes(sample))))


def _as_bytes(x: Array) -> NDArray[np.bytes_]:
    """Each row as one value: equal where the rows are."""
    rows = np.ascontiguousarray(x + 0.0)  # of -0.0 no sign is left
    return rows.view(f"V{rows.itemsize * rows.shape[1]}").ravel()


def check_equal(truth: Truth, q: int) -> None:
    """Refuse a truth of somebody's own in whose cells its own events are not equally many.

    Pearson's chi square of ``OWN_EVENTS`` a cell, from a generator of a fixed seed: cells that are
    equal are refused in one case of 1/``FALSE_ALARM``.

    Raises:
        ValueError: in one line.
    """
    if isinstance(truth, (CamelBack, GaussianMixture, Shells)):
        return
    n = OWN_EVENTS * q
    cells = np.asarray(truth.cells(q)(truth.sample(n, np.random.default_rng(0))))
    inside = np.issubdtype(cells.dtype, np.integer) and cells.shape == (n,)
    if not inside or ((cells < 0) | (cells >= q)).any():
        raise ValueError(f"truth: cells({q}) must give each of its events an integer below {q}")
    counts = np.bincount(cells, minlength=q)
    if chdtrc(q - 1, ((counts - OWN_EVENTS) ** 2).sum() / OWN_EVENTS) < FALSE_ALARM:
        raise ValueError(
            f"truth: its {q} cells are not of equal mass: of {n:,} of its own events one has "
            f"{counts.max():,} and one {counts.min():,}"
        )


def contents_of(x: Array, truth: Truth, q: int, weights: Array | None = None) -> CellContents:
    """Events (N, D) in the cells of a truth, which sees them in the shape of its own sample."""
    shape = np.shape(truth.sample(1, np.random.default_rng(0)))[1:]
    check_columns(x, int(np.prod(shape)))
    return cell_contents(x.reshape(-1, *shape), truth.cells(q), q, weights)


def check_columns(x: Array, columns: int) -> None:
    """Refuse events with other columns than the truth's."""
    if x.shape[1] != columns:
        raise ValueError(f"events have {x.shape[1]} columns, the truth has {columns}")


def check_whole(name: str, value: int, least: int) -> None:
    """Refuse what is no integer or too small."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} = {value!r}: must be an integer of at least {least}")
