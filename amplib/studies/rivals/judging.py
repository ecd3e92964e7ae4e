"""What is kept of a rival: its figures of merit, or that it has diverged."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from amplib.store.study import Arrays
from amplib.studies.merit.judge import Reference, no_merit
from amplib.studies.merit.unseen import Asked

BATCH = 50_000
"""Events that are generated and counted at a time."""


def judged(
    reference: Reference,
    batches: Iterable[NDArray[np.floating]],
    asked: Callable[[], Asked],
) -> Arrays:
    """delta and delta_OF with their errors, what is dropped, and the answers to what is asked; NaN
    of what has diverged.

    Args:
        reference: the truth.
        batches: as many events as it has, ``(n, 26)`` at a time, MeV.
        asked: begins what is asked with unseen events.
    """
    sample, further = reference.sample(), asked()
    for events in batches:
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                sample.add(events)
        except ValueError:  # a number or an observable that is not finite
            return no_merit() | asked().arrays()
        further.add(events)
    return {**further.arrays(), **reference.merit(sample).arrays()}
