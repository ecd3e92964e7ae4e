"""The studies of the truth itself by two numbers: what a perfect generator has of them, and events
that are smeared by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from amplib.parameters import bounded, one_of
from amplib.progress import Progress
from amplib.store.ranges import finite, within
from amplib.store.results import Result, wherever_stored
from amplib.store.study import Arrays, Layout, Part, Presets, Study, summed
from amplib.studies.collisions.study import (
    TopPairs,
    TopPairTruth,
    first_top_pairs,
    published_top_pairs,
)
from amplib.studies.merit.judge import (
    Reference,
    empty_curves,
    faults_of_merit,
    layout_of_merit,
)
from amplib.studies.merit.reading import stored_reference
from amplib.studies.merit.reference import (
    LAYOUT,
    SMEARINGS,
    TRAINING_SHARE,
    faults,
    reference,
    smeared,
    without_training,
)
from amplib.studies.merit.unseen import JudgedByUnseen, Unseen
from amplib.studies.weighing.kept import WEIGHING

UNSEEN: dict[str, dict[str, object]] = {
    "laptop": {"held_out_events": 10_000, "weighed_events": 20_000},
    "paper": {"held_out_events": 20_000, "weighed_events": 20_000},
}
"""Of the presets whose generated top pairs are counted in cells, and weighed."""
SMEARED_UNSEEN = UNSEEN | {"laptop": {"held_out_events": 10_000, "weighed_events": 1_600}}
"""The laptop smears 1,667 events."""


@dataclass(frozen=True)
class TopPairReference(TopPairTruth):
    """What generated top pairs are compared with: all events, in one part."""

    name: ClassVar[str] = "ttbar-reference"
    store: ClassVar[str] = "ttbar-reference"
    presets: ClassVar[Presets] = TopPairs.presets
    rate: ClassVar[float] = 3_000.0
    memory: ClassVar[int] = 4000  # all events at once

    events: int = bounded(1_200_000, 24, 100_000_000)

    def parts(self) -> list[Part]:
        return [(0,)]

    def made_of(self) -> TopPairs | None:
        return TopPairs(**self.simulation()) if self.source == "simulated" else None

    def work(self, parts: Sequence[Part]) -> float:
        return len(parts) * self.events

    def compute(
        self, parts: Sequence[Part], device: str, checkpoint: Path, progress: Progress
    ) -> Iterator[tuple[Part, Arrays]]:
        """What ``reference.reference`` keeps, and the ``seconds`` that the simulation took; 0 of
        published events."""
        for part in parts:
            events, seconds = self.all_events()
            kept = reference(events, np.random.default_rng(self.seed))
            yield part, {**kept, "seconds": np.array(seconds)}
            progress(self.events)

    def all_events(self) -> tuple[np.ndarray, float]:
        """Events ``(events, 26)``, MeV, and the seconds that their simulation took."""
        sample = self.made_of()
        if sample is None:
            return published_top_pairs(self.events), 0.0
        stored = Result(sample, "")
        if missing := stored.missing():
            raise FileNotFoundError(f"part {missing[0]} is not in {stored.folder}")
        parts = [(arrays["events"], arrays["seconds"].sum()) for arrays in stored.each()]
        events, seconds = zip(*parts, strict=True)
        return np.concatenate(events)[: self.events], float(sum(seconds))

    def fingerprint(self) -> list[float]:
        sample = TopPairs(**replace(self, events=24, part_size=12).simulation())
        events = [sample.make(part, lambda work: None)["events"] for part in sample.parts()]
        arrays = reference(np.concatenate(events), np.random.default_rng(self.seed))
        return [summed(a) for a in arrays.values()]

    def layout(self) -> Layout:
        return {**LAYOUT, "seconds": ("float64", ())}

    def faults(self, arrays: Arrays) -> Iterator[str]:
        yield from faults(arrays, self.events)
        yield from finite("seconds", arrays["seconds"])
        yield from within("seconds", arrays["seconds"], 0, np.inf)


@dataclass(frozen=True)
class SmearedTopPairs(JudgedByUnseen):
    """Training events that are smeared by hand, judged (bvae, Table V): a part for each width.

    Of each training event one copy may be weighed: two are no independent events.
    """

    name: ClassVar[str] = "ttbar-smeared"
    store: ClassVar[str] = "ttbar-smeared"
    presets: ClassVar[Presets] = TopPairs.presets
    rate: ClassVar[float] = 120_000.0

    empty_curves: str = one_of("off", "on", later=True)
    """Whether the shares of empty bins are kept, too, which Fig. 5a and b draw."""

    def seen(self) -> int:
        return self.events // TRAINING_SHARE

    def independent(self) -> int:
        return self.seen()

    def parts(self) -> list[Part]:
        return [(k,) for k in range(len(SMEARINGS))]

    def made_of(self) -> TopPairReference:
        return TopPairReference(**self.truth())

    def work(self, parts: Sequence[Part]) -> float:
        return len(parts) * self.events

    def compute(
        self, parts: Sequence[Part], device: str, checkpoint: Path, progress: Progress
    ) -> Iterator[tuple[Part, Arrays]]:
        """delta and delta_OF (eta, phi) with their errors, what is dropped, and what
        ``Asked.arrays`` has of unseen events; with ``empty_curves`` also ``empty`` ``(2, 201)``,
        the shares of empty bins of as many copies as Fig. 5a and b have events."""
        events = first_top_pairs(self, self.needed())
        training, unseen = events[: self.seen()], self.unseen(events)
        reference = stored_reference(wherever_stored(self.made_of()))
        for part in parts:
            yield part, self.judge(part, training, reference, unseen)
            progress(self.events)

    def judge(
        self,
        part: Part,
        training: np.ndarray,
        reference: Reference,
        unseen: Unseen,
    ) -> Arrays:
        """One width: as many copies as the truth has events, twelve of each."""
        rng = np.random.default_rng(self.part_seed(part))
        copies = -(-reference.events // len(training))
        made = smeared(training, SMEARINGS[part[0]], copies, rng)
        made = made[: reference.events]
        further = unseen.sample(self.stream(*part, WEIGHING))
        in_turn = [made[copy::copies] for copy in range(copies)]  # the first of each event first
        for copy in in_turn:
            further.add(copy)
        kept = reference.judge(made).arrays() | further.arrays()
        if self.empty_curves == "on":
            held_out = without_training(reference.events)
            kept["empty"] = empty_curves(np.concatenate(in_turn)[:held_out])
        return kept

    def layout(self) -> Layout:
        curves = self.empty_curves == "on"
        return {**layout_of_merit(curves=curves), **self.unseen_layout()}

    def faults(self, arrays: Arrays) -> Iterator[str]:
        yield from faults_of_merit(arrays)
        yield from self.unseen_faults(arrays)

    def fingerprint(self) -> list[float]:
        sample = TopPairs(**replace(self, events=24, part_size=12, weighed_events=0).simulation())
        made = [sample.make(part, lambda work: None)["events"] for part in sample.parts()]
        events = np.concatenate(made)
        # 24 events cut two cells at most.
        unseen = Unseen(events[2:], 22 if self.held_out_events else 0, quantiles=(2,))
        arrays = self.judge((0,), events[:2], Reference.of(events), unseen)
        judged = (float(x) for a in arrays.values() for x in a.ravel())
        return [*judged, *self.unseen_fingerprint()]


def variants(preset: str) -> dict[str, Study]:
    """Further results of this preset that the book shows: smeared events beside unseen ones, and
    their empty bins where as many are smeared as train a network."""
    if preset not in SMEARED_UNSEEN:
        return {}
    changes = {"worth": SMEARED_UNSEEN[preset]}
    if preset == "paper":
        changes["empty bins"] = {"empty_curves": "on"}
    base = SmearedTopPairs.presets[preset]
    return {
        f"ttbar-smeared, {title}": SmearedTopPairs.with_overrides(base, change)
        for title, change in changes.items()
    }
