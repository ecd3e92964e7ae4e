"""Whether weights could save a generator: what studies keep of that beside their own numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amplib.door.reweight import FEWEST, TRAINING, reweight
from amplib.metrics.outlook import RANGES
from amplib.metrics.weighed import Weighed
from amplib.parameters import ParameterError
from amplib.store.ranges import ROUNDING, estimates, within
from amplib.store.study import Arrays, Layout, summed

Array = NDArray[np.float64]

WEIGHING = 3
"""Which stream of a part's seed is the classifier's; the first two train and generate."""
CLASSIFIERS = 3
"""Trained with seeds of their own, each on its half of the events: what they differ by is an error
that no single one knows of."""
TOY_EVENTS = 2 * FEWEST


def check_weighed(events: int, weighed_events: int) -> None:
    """Refuse a number of events to be weighed that is neither zero nor enough, nor there.

    Raises:
        ParameterError: in one line.
    """
    if weighed_events and not FEWEST <= weighed_events <= events:
        raise ParameterError(
            f"weighed_events = {weighed_events}: must be 0, or at least {FEWEST} and at most the "
            f"{events} that are generated"
        )


def weigh_by_classifiers(
    events: Array,
    truth: Array,
    seed: np.random.SeedSequence,
    observables: Callable[[Array], Array] | None = None,
) -> Arrays:
    """``Weighed.arrays`` of each of ``CLASSIFIERS``, in rows; see ``amplib.reweight``."""
    told = [
        reweight(events, held_out=truth, observables=observables, seed=s).weighed
        for s in seed.spawn(CLASSIFIERS)
    ]
    return stacked([one.arrays() for one in told])


def stacked(rows: Sequence[Mapping[str, NDArray[Any]]]) -> Arrays:
    """Arrays of the same names, each with a row for every one; none of no rows."""
    return {name: np.stack([row[name] for row in rows]) for name in (rows[0] if rows else ())}


def layout_of_weights(observables: int, *rows: int) -> Layout:
    """Of ``weigh_by_classifiers``, or of so many of them in rows."""
    return {
        name: ("float64", (*rows, *values.shape))
        for name, values in no_weights(observables).items()
    }


def no_weights(observables: int) -> Arrays:
    """What is kept in the place of ``weigh_by_classifiers`` of what has diverged."""
    shapes = {"outlook": RANGES.shape, "clipped": (2,), "r": (2, observables)}
    shapes["s2"] = (2, 3, observables)
    return {f"weighed_{name}": np.full((CLASSIFIERS, *s), np.nan) for name, s in shapes.items()}


def faults_of_weights(arrays: Mapping[str, NDArray[np.generic]], weighed: int) -> Iterator[str]:
    """What no ``Weighed.arrays`` of so many events of either kind can hold."""
    low, high = RANGES.T
    told, r, s2 = (np.asarray(arrays[f"weighed_{n}"]) for n in ("outlook", "r", "s2"))
    yield from estimates("weighed_outlook", told, low - ROUNDING, high + ROUNDING)
    clipped = np.asarray(arrays["weighed_clipped"])
    yield from within("weighed_clipped", clipped, 0, [weighed, 1])
    # Of what does not vary there is no r, but something varies.
    alone = np.isnan(r).all(-1, keepdims=True)
    limit = np.finfo(float).max
    yield from within("weighed_r", np.where(np.isnan(r) & ~alone, 0.0, r), 0, limit)
    yield from within("weighed_s2", s2, 0, 1 + ROUNDING)


def weights_made(arrays: Mapping[str, NDArray[np.generic]]) -> list[Weighed]:
    """What weights made of a generator's events, by each classifier; nothing where that was not
    asked, or the generator has diverged."""
    if "weighed_r" not in arrays or np.isnan(np.asarray(arrays["weighed_outlook"])).any():
        return []
    return [Weighed.of(one) for one in weights_of_rows(arrays)]


def weights_of_rows(arrays: Mapping[str, NDArray[np.generic]]) -> list[dict[str, Array]]:
    """Splits arrays with a leading axis (classifiers, or models) into one dict per entry."""
    stored = {n: np.asarray(a, dtype=float) for n, a in arrays.items() if n.startswith("weighed_")}
    return [{n: a[k] for n, a in stored.items()} for k in range(len(stored["weighed_r"]))]


def toy_weights(seed: int, columns: int, observables: Callable[[Array], Array]) -> list[float]:
    """A fingerprint of the weights: two epochs in float64 on a few rows of no physics."""
    rng = np.random.default_rng(seed)
    real, made = (observables(rng.uniform(0, w, (TOY_EVENTS, columns))) for w in (1.0, 1.1))
    few = replace(TRAINING, epochs=2, batch_size=20)
    told = reweight(made, held_out=real, training=few, seed=seed, double=True)
    kept = told.weighed.arrays().values()
    return [summed(np.nan_to_num(a, posinf=0.0)) for a in kept]
