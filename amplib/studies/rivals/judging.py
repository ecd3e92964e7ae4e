"""What is kept of a rival: its figures of merit, or that it has diverged."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from amplib.store.study import Arrays
from amplib.studies.collisions.merit import Reference, no_merit
from amplib.studies.collisions.worth import HeldOutCells

BATCH = 50_000
"""Events that are generated and counted at a time."""


def judged(
    reference: Reference,
    batches: Iterable[NDArray[np.floating]],
    cells: HeldOutCells | None = None,
) -> Arrays:
    """delta and delta_OF with their errors, and what is dropped; NaN of what has diverged.

    Args:
        reference: the truth.
        batches: as many events as it has, ``(n, 26)`` at a time, MeV.
        cells: of held-out events, if the events are counted in such as well (``CellCounts``).
    """
    sample, counts = reference.sample(), None if cells is None else cells.sample()
    for events in batches:
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                sample.add(events)
        except ValueError:  # a number or an observable that is not finite
            return no_merit() | ({} if cells is None else cells.sample().arrays())
        if counts is not None:
            counts.add(events)
    return {**({} if counts is None else counts.arrays()), **reference.merit(sample).arrays()}
