"""What is asked of generated top pairs with events of the truth that trained no generator.

What they are worth, in cells (``worth``), and whether weights could save them: half of the first
generated events and half of the unseen ones train a classifier, and on the other half it is told,
from its scores, and measured what its weights do (``weighing``), in the 33 observables by which top
pairs are judged, which are its inputs as well.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amplib.parameters import ParameterError, bounded
from amplib.store.study import Arrays, Layout
from amplib.studies.collisions.study import TopPairTruth
from amplib.studies.merit.worth import (
    FEWEST,
    QUANTILES,
    CellCounts,
    HeldOutCells,
    faults_of_cells,
    layout_of_cells,
)
from amplib.studies.weighing.kept import (
    check_weighed,
    faults_of_weights,
    layout_of_weights,
    no_weights,
    toy_weights,
    weigh_by_classifiers,
)
from amplib.truth.collisions.columns import TTBAR
from amplib.truth.collisions.observables import OBSERVABLES, observables

Array = NDArray[np.float64]
Events = NDArray[np.floating]


class Unseen:
    """Events of the truth and what is asked with them.

    Args:
        events: none of which trained, ``(M, 26)``, MeV.
        held_out: the first ones, of which cells are cut.
        weighed: the first ones, beside which as many generated events are weighed.
        quantiles: numbers of cells.
    """

    def __init__(
        self,
        events: Events,
        held_out: int,
        weighed: int = 0,
        quantiles: Sequence[int] = QUANTILES,
    ):
        self.cells = HeldOutCells(events[:held_out], quantiles) if held_out else None
        self.real = events[:weighed].astype(float)

    def sample(self, seed: np.random.SeedSequence) -> Asked:
        """No events yet, to be added batch by batch.

        Args:
            seed: of the classifier.
        """
        return Asked(self.cells.sample() if self.cells else None, self.real, seed)


class Asked:
    """Collects one generator's batches: counts them in the cells and keeps the first ``weighed``
    events for the classifier.

    Args:
        counts: in the cells, if any were cut.
        real: unseen events that are weighed against, or none.
        seed: of the classifier.
    """

    def __init__(self, counts: CellCounts | None, real: Array, seed: np.random.SeedSequence):
        self._counts, self._real, self._seed = counts, real, seed
        self._first: list[Array] = []

    def add(self, events: Events) -> None:
        """Take a batch, ``(n, 26)``."""
        if self._counts:
            self._counts.add(events)
        left = len(self._real) - sum(map(len, self._first))
        if left > 0:
            self._first.append(events[:left].astype(float))

    def arrays(self) -> Arrays:
        """Those of ``CellCounts`` and of ``Weighed``; NaN where no events were added."""
        counts = self._counts.arrays() if self._counts else {}
        if not len(self._real):
            return counts
        if not self._first:
            return counts | no_weights(len(OBSERVABLES))
        made, real = observables(np.concatenate(self._first)), observables(self._real)
        return counts | weigh_by_classifiers(made, real, self._seed)


def check_unseen(events: int, held_out_events: int, weighed_events: int) -> None:
    """Numbers of unseen events, each zero or enough, where a generator makes so many ``events``.

    Raises:
        ParameterError: naming the first number that will not do.
    """
    if 0 < held_out_events < FEWEST:
        raise ParameterError(f"held_out_events = {held_out_events}: must be 0 or at least {FEWEST}")
    check_weighed(events, weighed_events)


def layout_of_unseen(held_out: int, weighed: int) -> Layout:
    """Of ``Asked.arrays``."""
    return {
        **(layout_of_cells() if held_out else {}),
        **(layout_of_weights(len(OBSERVABLES)) if weighed else {}),
    }


def faults_of_unseen(arrays: Arrays, events: int, held_out: int, weighed: int) -> Iterator[str]:
    """What no answers can hold, with so many events of a generator."""
    if held_out:
        yield from faults_of_cells(arrays, events, held_out)
    if weighed:
        yield from faults_of_weights(arrays, weighed)


def fingerprint_of_unseen(seed: int, weighed: int) -> list[float]:
    """What the weights add to a fingerprint, where they are asked for."""
    return toy_weights(seed, len(TTBAR), observables) if weighed else []


@dataclass(frozen=True)
class JudgedByUnseen(TopPairTruth):
    """A study of generated top pairs of which something may be asked with events of the truth that
    follow those that their generator has ``seen``."""

    events: int = bounded(1_200_000, 24, 100_000_000)
    held_out_events: int = bounded(0, 0, 10_000_000, later=True)
    """Events of which cells are cut that say what the generated ones are worth; none by default,
    and then nothing is said of it."""
    weighed_events: int = bounded(0, 0, 1_000_000, later=True)
    """Of the same events, those that a classifier tells from as many generated ones, whose weights
    are measured; none by default."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_unseen(self.independent(), self.held_out_events, self.weighed_events)

    @abstractmethod
    def seen(self) -> int:
        """The first events of the truth, which train a generator or are smeared."""

    def independent(self) -> int:
        """Of the generated events, those that may be weighed."""
        return self.events

    def needed(self) -> int:
        return self.seen() + max(self.held_out_events, self.weighed_events)

    def unseen(self, events: Events) -> Unseen:
        """What is asked with these events ``(needed, 26)``, but for those ``seen``."""
        return Unseen(events[self.seen() :], self.held_out_events, self.weighed_events)

    def unseen_layout(self) -> Layout:
        """Of ``Asked.arrays``."""
        return layout_of_unseen(self.held_out_events, self.weighed_events)

    def unseen_faults(self, arrays: Arrays) -> Iterator[str]:
        """What no answers can hold."""
        asked = self.held_out_events, self.weighed_events
        yield from faults_of_unseen(arrays, self.events, *asked)

    def unseen_fingerprint(self) -> list[float]:
        """What the weights add to a fingerprint, where they are asked for."""
        return fingerprint_of_unseen(self.seed, self.weighed_events)
