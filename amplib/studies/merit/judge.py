"""Generated top pairs judged: every model's events ``(n, 26)`` go through here.

    reference = Reference.of(events_of_the_truth)      # or reading.stored_reference(result)
    merit = reference.judge(model_events)              # an array, or an iterable of batches

One delta and one delta_OF, fixed before any model is judged.  The paper gives the numbers of bins
and the range of eta, not the rest; these readings come nearest to its three numbers without a
network (Table V's two smearings, and the truth against itself), of those that were tried:

- even bins over the whole range of the truth's observables (``extremes`` of ``BINNINGS``);
- an entry outside is dropped, as ``numpy.histogram2d`` drops it, an azimuth beyond pi like any
  other: a generator that leaves the circle is not helped back onto it;
- shares are of all events, so that what is dropped is missing;
- the jets of delta_OF are the columns' first two, which lead in pT: our choice, as the paper's
  *leading* is what has most energy; its numbers do not tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from amplib.estimate import Estimate
from amplib.metrics.crowding import (
    ETA_RANGE,
    GRIDS,
    PHI_RANGE,
    FilledBins,
    delta_of,
    empty_bins,
    ideal_delta_of,
)
from amplib.metrics.delta import NotFinite, PairHistograms, ideal_delta
from amplib.store.ranges import estimates, within
from amplib.store.study import Arrays, Layout
from amplib.truth.collisions.columns import TTBAR
from amplib.truth.collisions.observables import BINS, binnings, leading_directions, observables

if TYPE_CHECKING:
    from amplib.studies.merit.unseen import Asked

Array = NDArray[np.float64]
Events = NDArray[np.floating]

DIRECTIONS = {"eta": ETA_RANGE, "phi": PHI_RANGE}
"""Of the two jets in delta_OF: the paper selects by eta and looks at phi apart."""
PIECE = 50_000
BATCH = 50_000
"""Events that are generated and counted at a time."""


@dataclass(frozen=True)
class Merit:
    """What a sample is worth beside what the truth itself would reach with as many events.

    Args:
        events: in the sample.
        delta: eq. 21.
        delta_of: eq. 23, for each of ``DIRECTIONS``.
        dropped: share of entries outside of the truth's ranges, the mean over pairs.
        ideal_delta, ideal_delta_of: of an ideal generator, in expectation.
    """

    events: int
    delta: Estimate
    delta_of: dict[str, Estimate]
    dropped: float
    ideal_delta: float
    ideal_delta_of: dict[str, float]

    def arrays(self) -> Arrays:
        """What is kept of it: ``delta`` ``(2,)`` and ``delta_of`` ``(2, 2)`` (eta, phi), values
        with their errors, and ``dropped``."""
        return {
            "delta": np.array(self.delta[:2]),
            "delta_of": np.array([self.delta_of[name][:2] for name in DIRECTIONS]),
            "dropped": np.array(self.dropped),
        }


def layout_of_merit(*rows: int, curves: bool = False) -> Layout:
    """Of ``Merit.arrays``, or of so many of them in rows; with ``curves``, of ``Sample.empty``."""
    empty: Layout = {"empty": ("float64", (*rows, len(DIRECTIONS), len(GRIDS)))}
    return {
        "delta": ("float64", (*rows, 2)),
        "delta_of": ("float64", (*rows, len(DIRECTIONS), 2)),
        "dropped": ("float64", rows),
        **(empty if curves else {}),
    }


def no_merit(*rows: int) -> Arrays:
    """What is kept in its place where a model has diverged."""
    return {
        "delta": np.full((*rows, 2), np.nan),
        "delta_of": np.full((*rows, len(DIRECTIONS), 2), np.nan),
        "dropped": np.full(rows, np.nan),
    }


def no_curves() -> Array:
    """In the place of ``Sample.empty``."""
    return np.full((len(DIRECTIONS), len(GRIDS)), np.nan)


def without_merit(arrays: Arrays) -> NDArray[np.bool_]:
    """Which rows hold ``no_merit``."""
    rows = arrays["dropped"].ndim
    nothing = (np.isnan(arrays[name]) for name in no_merit())
    return np.all([n.all(axis=tuple(range(rows, n.ndim))) for n in nothing], axis=0)


def faults_of_merit(arrays: Arrays, may_be_none: bool = False) -> Iterator[str]:
    """What no figures of merit can be, nor the curves ``empty`` if there are any, where some
    ``may_be_none`` of those rows that hold any."""
    if may_be_none:
        some, named = ~without_merit(arrays), (*no_merit(), "empty")
        arrays = {name: array[some] for name, array in arrays.items() if name in named}
    yield from estimates("delta", arrays["delta"], 0, 2)
    yield from estimates("delta_of", arrays["delta_of"], 0, GRIDS.max())
    yield from within("dropped", arrays["dropped"], 0, 1)
    if "empty" in arrays:
        yield from within("empty", arrays["empty"], 0, 1)


@dataclass(frozen=True, eq=False)
class Reference:
    """The truth's sample of N events as the figures of merit see it.

    Args:
        limits: of the observables, ``(33, 2)``.
        histograms: counts of their pairs, ``(528, 625)``.
        empty: for each of ``DIRECTIONS`` the shares of empty bins with N/4, N/2 and N events,
            ``(3, 201)``.
    """

    limits: Array
    histograms: NDArray[np.integer]
    empty: dict[str, Array]

    @classmethod
    def of(cls, events: Events) -> Reference:
        """From the events themselves.

        Raises:
            ValueError: not ``(n, 26)``, fewer than four events, or a value that is not finite.
        """
        n = len(events)
        if n < 4:
            raise ValueError(f"a reference needs four events at least, got {n}")
        limits = binnings(single_precision(_checked(events)))["extremes"].limits
        sample = Sample(limits)
        empty: dict[str, list[Array]] = {name: [] for name in DIRECTIONS}
        for part in np.split(events, [n // 4, n // 2]):
            sample.add(part)
            for name, curves in empty.items():
                curves.append(sample.filled[name].empty())
        return cls(limits, sample.pairs.counts, {k: np.array(v) for k, v in empty.items()})

    @property
    def events(self) -> int:
        """N."""
        return int(self.histograms[0].sum())

    def sample(self, curves_at: int = 0) -> Sample:
        """A sample without events, to be filled batch by batch; ``curves_at`` as of ``Sample``."""
        return Sample(self.limits, curves_at)

    def judge(self, events: Events | Iterable[Events]) -> Merit:
        """Both figures of merit of a generator's events.

        Args:
            events: ``(N, 26)`` as of ``columns.TTBAR``, MeV, or batches of them: memory does not
                grow with their number.

        Raises:
            ValueError: not as many events as the truth's, whose number of empty bins is then no
                measure; other columns.
            NotFinite: a number or an observable that is not finite.
        """
        sample = self.sample()
        for batch in [events] if isinstance(events, np.ndarray) else events:
            sample.add(batch)
        return self.merit(sample)

    def merit(self, sample: Sample) -> Merit:
        """Both figures of merit of a sample that is filled; raises as ``judge``."""
        if sample.events != self.events:
            raise ValueError(
                f"{sample.events:,} events against {self.events:,} of the truth: delta and "
                "delta_OF compare as many with as many"
            )
        return Merit(
            sample.events,
            sample.pairs.delta(self.histograms),
            {name: sample.filled[name].delta_of(self.empty[name][-1]) for name in DIRECTIONS},
            sample.pairs.dropped,
            self.ideal_delta,
            {name: self.ideal_delta_of(name) for name in DIRECTIONS},
        )

    @property
    def ideal_delta(self) -> float:
        """delta of N events of the truth against N others, in expectation."""
        return ideal_delta(self.histograms)

    def ideal_delta_of(self, name: str) -> float:
        """delta_OF of the same, for one of ``DIRECTIONS``."""
        quarter, half, whole = self.empty[name]
        return ideal_delta_of(quarter, half, whole, self.events)

    def most_delta_of(self, name: str) -> float:
        """delta_OF of a generator that has all of its events in one bin, for one of ``DIRECTIONS``:
        no other has more."""
        one_bin = 1 - 1 / np.asarray(GRIDS, dtype=float) ** 2
        return delta_of(one_bin, self.empty[name][-1])


class Sample:
    """Events in histograms.

    Args:
        limits: of the observables, ``(33, 2)``.
        curves_at: after how many events the shares of empty bins are taken; never if 0.

    Attributes:
        empty: those shares for each of ``DIRECTIONS``, ``(2, 201)``; NaN before.
    """

    def __init__(self, limits: Array, curves_at: int = 0):
        self.pairs = PairHistograms(limits, BINS)
        self.filled = {name: FilledBins(span) for name, span in DIRECTIONS.items()}
        self.curves_at, self.empty = curves_at, no_curves()

    @property
    def events(self) -> int:
        return self.pairs.events

    def add(self, events: Events) -> None:
        """Count a batch, ``(n, 26)``; some 100,000 at a time are counted fastest.

        Raises:
            ValueError: other columns.
            NotFinite: a number or an observable that is not finite.
        """
        left = self.curves_at - self.events
        for piece in np.split(events, [left]) if 0 < left < len(events) else [events]:
            self._count(piece)
            if self.events == self.curves_at:
                self.empty = np.array([filled.empty() for filled in self.filled.values()])

    def _count(self, events: Events) -> None:
        with np.errstate(over="ignore", invalid="ignore"):  # it is refused in words
            values = single_precision(_checked(events))
        self.pairs.add(values)
        for filled, points in zip(self.filled.values(), leading_directions(events), strict=True):
            filled.add(points[:, 0], points[:, 1])


def judged(
    reference: Reference,
    batches: Iterable[Events],
    asked: Callable[[], Asked] | None = None,
    curves_at: int = 0,
) -> Arrays:
    """``Merit.arrays`` of a generator's events, and the answers to what is asked; ``no_merit`` if
    an event or an observable is not finite.

    Args:
        reference: the truth.
        batches: as many events as it has, ``(n, 26)`` at a time, MeV.
        asked: begins what is asked with unseen events, if anything is.
        curves_at: if not 0, ``Sample.empty`` of so many of the events is kept as ``empty``.
    """
    sample, further = reference.sample(curves_at), asked() if asked else None
    for events in batches:
        try:
            sample.add(events)
        except NotFinite:
            nothing = no_merit() | (asked().arrays() if asked else {})
            return nothing | ({"empty": no_curves()} if curves_at else {})
        if further:
            further.add(events)
    return {
        **(further.arrays() if further else {}),
        **reference.merit(sample).arrays(),
        **({"empty": sample.empty} if curves_at else {}),
    }


def empty_curves(events: Events) -> Array:
    """Shares of empty bins in eta and in phi of the two leading jets, ``(2, 201)``."""
    pairs = zip(leading_directions(events), DIRECTIONS.values(), strict=True)
    return np.array([empty_bins(two[:, 0], two[:, 1], limits) for two, limits in pairs])


def single_precision(events: Events) -> NDArray[np.float32]:
    """``observables`` ``(n, 33)`` with the memory of ``PIECE`` events in double precision."""
    pieces = np.array_split(events, 1 + len(events) // PIECE)
    return np.concatenate([observables(p.astype(float)).astype(np.float32) for p in pieces])


def _checked(events: Events) -> Events:
    if events.ndim != 2 or events.shape[1] != len(TTBAR):
        raise ValueError(f"events must be (n, {len(TTBAR)}), got {events.shape}")
    if not np.isfinite(events).all():
        row, column = np.argwhere(~np.isfinite(events))[0]
        raise NotFinite(f"event {row}: {TTBAR[column]} = {events[row, column]}")
    return events
