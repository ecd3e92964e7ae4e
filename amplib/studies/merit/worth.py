"""What a generator's top pairs are worth: their numbers in cells cut from held-out events.

The cells are those of :func:`amplib.worth` with a held-out sample, filled batch by batch, so that
memory does not grow with the number of events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from amplib.cells import Splits
from amplib.estimate import AtLeast, Estimate
from amplib.metrics.worth import CellContents
from amplib.store.ranges import counting, within
from amplib.store.study import Arrays, Layout
from amplib.truth.collisions.columns import TTBAR, columns

CELL_COLUMNS = ("pT_j1", "eta_j1", "MET", "pT_l1", "eta_j2", "pT_j2")
"""Cut in this order into cells of equal mass: 50 of them take the first six cuts."""
QUANTILES = (10, 50)
"""Numbers of cells."""
FEWEST = 2 * max(QUANTILES)
"""Held-out events that cells are cut from at least."""


class HeldOutCells:
    """Cells of equal mass.

    Args:
        held_out: events of the truth that a generator has not seen, ``(M, 26)``.
        quantiles: numbers of cells.
    """

    def __init__(self, held_out: NDArray[np.floating], quantiles: Sequence[int] = QUANTILES):
        seen = held_out[:, columns(TTBAR, *CELL_COLUMNS)]
        self._cells = {q: Splits(seen, q) for q in quantiles}

    def sample(self) -> CellCounts:
        """No events yet, to be counted batch by batch."""
        return CellCounts(self._cells)


class CellCounts:
    """How many of a generator's events lie in each cell.

    Args:
        cells: by their number.
    """

    def __init__(self, cells: Mapping[int, Splits]):
        self._cells, self._columns = cells, columns(TTBAR, *CELL_COLUMNS)
        self._counts = {q: np.zeros(q, np.int64) for q in cells}

    def add(self, events: NDArray[np.floating]) -> None:
        """Count a batch, ``(n, 26)``."""
        seen = events[:, self._columns].astype(float)
        for q, cells in self._cells.items():
            self._counts[q] += np.bincount(cells(seen), minlength=q)

    def arrays(self) -> Arrays:
        """``cells_<q>`` ``(q,)``, the counts, and ``cut_from`` ``(quantiles,)``, the events that
        the cells were cut from."""
        counts: Arrays = {f"cells_{q}": count for q, count in self._counts.items()}
        return counts | {"cut_from": np.array([cells.size for cells in self._cells.values()])}


def layout_of_cells(quantiles: Sequence[int] = QUANTILES) -> Layout:
    """Of ``CellCounts.arrays``."""
    return {
        **{f"cells_{q}": ("int64", (q,)) for q in quantiles},
        "cut_from": ("int64", (len(quantiles),)),
    }


def faults_of_cells(
    arrays: Arrays, events: int, held_out: int, quantiles: Sequence[int] = QUANTILES
) -> Iterator[str]:
    """What no counts of so many events can hold, in cells cut from some of so many held out."""
    for q in quantiles:
        yield from counting(f"cells_{q}", arrays[f"cells_{q}"], events)
    yield from within("cut_from", arrays["cut_from"], 1, held_out)


def worth_in_cells(
    arrays: Mapping[str, NDArray[np.generic]], quantiles: Sequence[int] = QUANTILES
) -> dict[int, Estimate | AtLeast]:
    """N_equiv by the number of cells, of one training's ``CellCounts.arrays``.

    NaN where nothing was counted, as of what has diverged.
    """
    found: dict[int, Estimate | AtLeast] = {}
    for q, held_out in zip(quantiles, arrays["cut_from"], strict=True):
        counts = np.asarray(arrays[f"cells_{q}"], dtype=float)
        contents = CellContents(counts, counts, int(held_out))
        found[q] = contents.n_equiv() if counts.sum() else Estimate(np.nan, np.nan)
    return found
