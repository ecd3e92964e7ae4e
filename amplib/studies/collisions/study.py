"""The studies of events: samples by the million, and what the book shows of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from amplib.parameters import bounded, one_of
from amplib.progress import Progress
from amplib.store.download import PUBLISHED
from amplib.store.ranges import counting, finite, rising, shares, within
from amplib.store.results import Result, wherever_stored
from amplib.store.study import Arrays, BulkStudy, Layout, Part, Presets, Study, head, summed
from amplib.truth.collisions.columns import PARTONS, TTBAR, TWO_BODY, Z_LEPTONS

if TYPE_CHECKING:
    from amplib.truth.collisions.ttbar import Settings

COSINES = np.linspace(-1, 1, 41)
AZIMUTHS = np.linspace(-np.pi, np.pi, 41)
POLAR_ANGLES = np.linspace(0, np.pi, 41)
MOMENTA = np.linspace(-50, 50, 51)
"""Bins of the momenta of the two-body decay, GeV."""
JET_PAIRS_A_PART = 2000


@dataclass(frozen=True)
class EventStudy(Study):
    """Events in parts of ``part_size``, each from a random stream of its own."""

    unit: ClassVar[str] = "events"

    seed: int = bounded(3560661, 0, 2**63 - 1)
    events: int = bounded(100_000, 1, 100_000_000, extent=True)
    part_size: int = bounded(100_000, 1, 1_000_000)

    def parts(self) -> list[Part]:
        return [(k,) for k in range(-(-self.events // self.part_size))]

    def repetitions_done(self, done: Sequence[Part]) -> int:
        return len(done)

    def work(self, parts: Sequence[Part]) -> float:
        """In events."""
        return len(parts) * self.part_size

    def part_seed(self, part: Part) -> int:
        """The seed of a part's generator."""
        return int(self.stream(*part).generate_state(1)[0])


@dataclass(frozen=True)
class EventSample(EventStudy, BulkStudy):
    """Events themselves."""

    suffix: ClassVar[str] = ".csv"
    writer: ClassVar[str] = "amplib.truth.collisions.csv_file"
    columns: ClassVar[tuple[str, ...]]

    def compute(
        self, parts: Sequence[Part], device: str, checkpoint: Path, progress: Progress
    ) -> Iterator[tuple[Part, Arrays]]:
        for part in parts:
            yield part, self.make(part, progress)

    @abstractmethod
    def make(self, part: Part, progress: Progress) -> Arrays:
        """The events of a part, ``events`` ``(part_size, columns)``, and what is known of them."""

    def layout(self) -> Layout:
        return {"events": ("float64", (self.part_size, len(self.columns)))}

    def faults(self, arrays: Arrays) -> Iterator[str]:
        yield from finite("events", arrays["events"])

    def write(self, path: Path, parts: Iterator[Arrays], header: bool = False) -> None:
        """As the published file: space-separated, one event a line."""
        from amplib.truth.collisions.csv_file import write_events

        events = head(self.events, (arrays["events"] for arrays in parts))
        write_events(path, events, header=self.columns if header else ())

    def fingerprint(self) -> list[float]:
        arrays = replace(self, part_size=3).make((0,), lambda work: None)
        return list(map(float, arrays["events"].ravel()))


@dataclass(frozen=True)
class TwoBody(EventSample):
    """Two-body decays (bvae, sec. II A)."""

    name: ClassVar[str] = "two-body"
    store: ClassVar[str] = "two-body"
    presets: ClassVar[Presets] = {
        "smoke": {"events": 1_000, "part_size": 500},
        "laptop": {"events": 100_000},
        "paper": {"events": 1_000_000},
    }
    rate: ClassVar[float] = 500_000.0
    columns: ClassVar[tuple[str, ...]] = TWO_BODY

    def make(self, part: Part, progress: Progress) -> Arrays:
        from amplib.truth.collisions.two_body import sample

        events = sample(self.part_size, np.random.default_rng(self.part_seed(part)))
        progress(self.part_size)
        return {"events": events}


@dataclass(frozen=True)
class ZLeptons(EventSample):
    """e+ e- -> Z -> l+ l- at matrix-element level (bvae, sec. II B)."""

    name: ClassVar[str] = "z"
    store: ClassVar[str] = "z"
    presets: ClassVar[Presets] = {
        "smoke": {"events": 1_000, "part_size": 500},
        "laptop": {"events": 100_000},
        "paper": {"events": 1_000_000},
    }
    rate: ClassVar[float] = 40_000.0
    columns: ClassVar[tuple[str, ...]] = Z_LEPTONS

    energy: float = bounded(91.0, 12, 1000)
    exchange: str = one_of("interference", "photon", "Z")

    def make(self, part: Part, progress: Progress) -> Arrays:
        from amplib.truth.collisions.z_to_ll import generate

        events = generate(self.part_size, self.part_seed(part), self.energy, self.exchange)
        progress(self.part_size)
        return {"events": events}


@dataclass(frozen=True)
class TopPairConfig(EventStudy):
    """Top pairs as the detector sees them; the fields are ``ttbar.Settings``."""

    part_size: int = bounded(5_000, 1, 1_000_000)
    energy: float = bounded(13_000.0, 1_000, 100_000)
    multiparton: str = one_of("on", "off")
    taus: str = one_of("off", "on")
    radius: float = bounded(0.6, 0.1, 1.5)

    def simulation(self) -> dict[str, Any]:
        """The fields of this class alone: of every study of the same events."""
        return self.fields_of(TopPairConfig)

    def settings(self) -> Settings:
        """The settings of the generator."""
        from amplib.truth.collisions.ttbar import Settings

        return Settings(self.energy, self.multiparton == "on", self.taus == "on", self.radius)


@dataclass(frozen=True)
class TopPairTruth(TopPairConfig):
    """Top pairs to learn from and to be compared with.

    - ``source``: ``simulated``, or ``published``, the events of Zenodo 3560661 in their order; what
      else says how events are simulated then says nothing.
    """

    source: str = one_of("simulated", "published", later=True)

    def truth(self) -> dict[str, Any]:
        """The fields of this class alone: of every study of the same truth."""
        return self.fields_of(TopPairTruth)

    def data(self) -> tuple[str, ...]:
        return ("ttbar",) if self.source == "published" else ()

    def needed(self) -> int:
        """Events of the truth that it reads."""
        return self.events

    def reads(self) -> list[Study]:
        return [summary_of(self, self.needed())] if self.source == "simulated" else []

    def ready(self) -> None:
        super().ready()
        if self.source == "published":
            published_top_pairs(self.needed())


@dataclass(frozen=True)
class TopPairs(TopPairConfig, EventSample):
    """pp -> ttbar with shower, hadrons and detector (bvae, sec. II C)."""

    name: ClassVar[str] = "ttbar"
    store: ClassVar[str] = "ttbar"
    presets: ClassVar[Presets] = {
        "smoke": {"events": 40, "part_size": 20, "multiparton": "off"},
        "laptop": {"events": 20_000},
        "paper": {"events": 1_200_000},
    }
    rate: ClassVar[float] = 40.0
    columns: ClassVar[tuple[str, ...]] = TTBAR

    def make(self, part: Part, progress: Progress) -> Arrays:
        """``ttbar.Sample`` as arrays: events in single precision, MeV."""
        from amplib.truth.collisions.ttbar import generate

        whole = generate(self.part_size, self.part_seed(part), self.settings(), progress)
        return {
            "events": whole.events.astype(np.float32),
            "partons": whole.partons.astype(np.float32),
            "particle_ids": whole.particle_ids.astype(np.int8),
            "neutrinos": whole.neutrinos,
            "jet_pairs": whole.jet_pairs,
            "steps": np.array(list(whole.cutflow)),
            "passed": np.array(list(whole.cutflow.values())),
            "stages": np.array(list(whole.seconds)),
            "seconds": np.array(list(whole.seconds.values())),
        }

    def layout(self) -> Layout:
        n = self.part_size
        return {
            "events": ("float32", (n, len(self.columns))),
            "partons": ("float32", (n, len(PARTONS), 4)),
            "particle_ids": ("int8", (n, 4)),
            "neutrinos": ("float32", (n, 2)),
            "jet_pairs": ("float32", (None, 3)),
            **CUTFLOW,
        }

    def faults(self, arrays: Arrays) -> Iterator[str]:
        yield from super().faults(arrays)
        yield from cutflow_faults(arrays)


CUTFLOW: Layout = {
    "steps": ("str", (None,)),
    "passed": ("int64", (None,)),
    "stages": ("str", (None,)),
    "seconds": ("float64", (None,)),
}
"""Of the simulation of top pairs: events after each step, and the time of each stage."""


HEAVIEST = 16
"""PDG code of the last neutrino, beyond which no W decays into anything."""
MOST_SIMULATED = 10**12
"""Top pairs that the events of one part are chosen from, by far."""


def cutflow_faults(arrays: Arrays) -> Iterator[str]:
    """What cannot be of arrays of ``CUTFLOW``: each step keeps some of the events before it."""
    for names, values in (("steps", "passed"), ("stages", "seconds")):
        if len(arrays[names]) != len(arrays[values]):
            yield f"{values} has {len(arrays[values])} entries for {len(arrays[names])} {names}"
    yield from rising("passed", arrays["passed"][::-1])
    yield from within("passed", arrays["passed"], 0, MOST_SIMULATED)
    yield from finite("seconds", arrays["seconds"])
    yield from within("seconds", arrays["seconds"], 0, np.inf)


def stored_or_made(
    sample: EventSample, parts: Sequence[Part], progress: Progress
) -> Iterator[tuple[Part, Arrays]]:
    """Parts of a sample, from ``data/`` where they are there."""
    stored = Result(sample, "")
    for part in parts:
        arrays = stored.part(part)
        if arrays is None:
            arrays = sample.make(part, progress)
        else:
            progress(sample.part_size)
        yield part, arrays


@dataclass(frozen=True)
class EventSummary(EventStudy):
    """What the book shows of a sample, a part from a part."""

    sample: ClassVar[type[EventSample]]

    def compute(
        self, parts: Sequence[Part], device: str, checkpoint: Path, progress: Progress
    ) -> Iterator[tuple[Part, Arrays]]:
        for part, arrays in stored_or_made(self.sample(**self.asdict()), parts, progress):
            yield part, self.reduce(arrays)

    @abstractmethod
    def reduce(self, arrays: Arrays) -> Arrays:
        """What is kept of a part of the sample."""

    def fingerprint(self) -> list[float]:
        small = replace(self, part_size=3)
        source = self.sample(**small.asdict())
        kept = small.reduce(source.make((0,), lambda work: None))
        numbers = [a for name, a in kept.items() if a.dtype.kind in "fui" and name != "seconds"]
        return [summed(a) for a in numbers]


@dataclass(frozen=True)
class TwoBodySummary(EventSummary):
    """Angles, masses and momenta of two-body decays."""

    name: ClassVar[str] = "two-body-summary"
    store: ClassVar[str] = "two-body-summary"
    presets: ClassVar[Presets] = TwoBody.presets
    rate: ClassVar[float] = 500_000.0
    sample: ClassVar[type[EventSample]] = TwoBody

    def reduce(self, arrays: Arrays) -> Arrays:
        """Histograms, and the largest violation of the mass shell and of momentum conservation."""
        e1, e2, *momenta, m1, m2 = arrays["events"].T
        p1, p2 = np.array(momenta[:3]), np.array(momenta[3:])
        shell = [e**2 - (p**2).sum(0) - m**2 for e, p, m in ((e1, p1, m1), (e2, p2, m2))]
        theta = np.arccos(p1[2] / np.linalg.norm(p1, axis=0))
        return {
            "theta": np.histogram(theta, POLAR_ANGLES)[0],
            "phi": np.histogram(np.arctan2(p1[1], p1[0]), AZIMUTHS)[0],
            "masses": np.stack([np.histogram(m, MOMENTA)[0] for m in (m1, m2)]),
            "momenta": np.stack([np.histogram(p, MOMENTA)[0] for p in p1]),
            "off_shell": np.abs(shell).max(1),
            "unbalanced": np.abs(p1 + p2).max(),
            "energy": np.array([(e1 + e2).min(), (e1 + e2).max()]),
        }

    def layout(self) -> Layout:
        momenta = len(MOMENTA) - 1
        return {
            "theta": ("int64", (len(POLAR_ANGLES) - 1,)),
            "phi": ("int64", (len(AZIMUTHS) - 1,)),
            "masses": ("int64", (2, momenta)),
            "momenta": ("int64", (3, momenta)),
            "off_shell": ("float64", (2,)),
            "unbalanced": ("float64", ()),
            "energy": ("float64", (2,)),
        }

    def faults(self, arrays: Arrays) -> Iterator[str]:
        for name in ("theta", "phi"):
            yield from counting(name, arrays[name], self.part_size)
        for name in ("masses", "momenta"):
            yield from counting(name, arrays[name], self.part_size, all_of_them=False)
        for name in ("off_shell", "unbalanced", "energy"):
            yield from within(name, arrays[name], 0, 1e6)


@dataclass(frozen=True)
class ZSummary(EventSummary):
    """Angles and masses of Z -> ll."""

    name: ClassVar[str] = "z-summary"
    store: ClassVar[str] = "z-summary"
    presets: ClassVar[Presets] = ZLeptons.presets
    rate: ClassVar[float] = 40_000.0
    sample: ClassVar[type[EventSample]] = ZLeptons

    energy: float = bounded(91.0, 12, 1000)
    exchange: str = one_of("interference", "photon", "Z")

    def reduce(self, arrays: Arrays) -> Arrays:
        """Histograms and counts, the exact density of cos theta beside them."""
        from amplib.truth.collisions.columns import mass
        from amplib.truth.collisions.z_to_ll import (
            angular_distribution,
            cos_theta,
            forward_backward_asymmetry,
        )

        events = arrays["events"]
        minus, plus = events[:, :4] + events[:, 8:12], events[:, 4:8] + events[:, 12:]
        cosine = cos_theta(events)
        nodes = np.polynomial.legendre.leggauss(3)
        width = np.diff(COSINES)[:, None] / 2
        centre = (COSINES[1:] + COSINES[:-1])[:, None] / 2
        density = angular_distribution(centre + width * nodes[0], self.energy, self.exchange)
        return {
            "cos_theta": np.histogram(cosine, COSINES)[0],
            "expected": (width * density) @ nodes[1],
            "asymmetry": np.array(forward_backward_asymmetry(self.energy, self.exchange)),
            "asymmetry_z_alone": np.array(forward_backward_asymmetry(self.energy, "Z")),
            "forward": np.array([(cosine > 0).sum(), (cosine <= 0).sum()]),
            "phi": np.histogram(np.arctan2(minus[:, 2], minus[:, 1]), AZIMUTHS)[0],
            "electrons": np.array([(events[:, 0] > 0).sum(), len(events)]),
            "pair_mass": np.quantile(mass(minus + plus), [0, 1]),
            "unbalanced": np.abs(minus + plus)[:, 1:].max(),
        }

    def layout(self) -> Layout:
        cosines = (len(COSINES) - 1,)
        return {
            "cos_theta": ("int64", cosines),
            "expected": ("float64", cosines),
            "asymmetry": ("float64", ()),
            "asymmetry_z_alone": ("float64", ()),
            "forward": ("int64", (2,)),
            "phi": ("int64", (len(AZIMUTHS) - 1,)),
            "electrons": ("int64", (2,)),
            "pair_mass": ("float64", (2,)),
            "unbalanced": ("float64", ()),
        }

    def faults(self, arrays: Arrays) -> Iterator[str]:
        for name in ("cos_theta", "phi", "forward"):
            yield from counting(name, arrays[name], self.part_size)
        yield from shares("expected", arrays["expected"])
        yield from within("electrons", arrays["electrons"], 0, [self.part_size] * 2)
        for name in ("asymmetry", "asymmetry_z_alone"):
            yield from within(name, arrays[name], -1, 1)
        for name in ("pair_mass", "unbalanced"):
            yield from finite(name, arrays[name])


@dataclass(frozen=True)
class TopPairSummary(TopPairConfig, EventSummary):
    """A training sample of top pairs in compact form, and what checks it."""

    name: ClassVar[str] = "ttbar-summary"
    store: ClassVar[str] = "ttbar-summary"
    # At paper scale the first 100,000 are what models are trained on, the rest validates them.
    presets: ClassVar[Presets] = {**TopPairs.presets, "paper": {"events": 120_000}}
    rate: ClassVar[float] = 1_000.0
    sample: ClassVar[type[EventSample]] = TopPairs

    def made_of(self) -> TopPairs:
        return TopPairs(**self.asdict())

    def reduce(self, arrays: Arrays) -> Arrays:
        """All events packed; masses of matched jets, pairs of jets, residuals of MET."""
        from amplib.truth.collisions.checks import hadronic_masses, missing_residuals, true_masses
        from amplib.truth.collisions.compact import pack

        events = arrays["events"].astype(float)
        truth = arrays["partons"].astype(float), arrays["particle_ids"].astype(int)
        w_jets, top_jets = hadronic_masses(events, *truth)
        w_true, top_true = true_masses(truth[0])
        return {
            "packed": pack(events),
            "w_jets": w_jets.astype(np.float32),
            "top_jets": top_jets.astype(np.float32),
            "w_true": w_true.astype(np.float32),
            "top_true": top_true.astype(np.float32),
            "met_residuals": missing_residuals(events, arrays["neutrinos"]).astype(np.float32),
            "jet_pairs": arrays["jet_pairs"][:JET_PAIRS_A_PART],
            "display": arrays["partons"][0],
            "display_ids": arrays["particle_ids"][0],
            **{name: arrays[name] for name in CUTFLOW},
        }

    def layout(self) -> Layout:
        n = self.part_size
        return {
            "packed": ("uint16", (n, len(TTBAR))),
            "w_jets": ("float32", (None,)),
            "top_jets": ("float32", (None,)),
            "w_true": ("float32", (n, 2)),
            "top_true": ("float32", (n, 2)),
            "met_residuals": ("float32", (n, 2)),
            "jet_pairs": ("float32", (None, 3)),
            "display": ("float32", (len(PARTONS), 4)),
            "display_ids": ("int8", (4,)),
            **CUTFLOW,
        }

    def faults(self, arrays: Arrays) -> Iterator[str]:
        from amplib.truth.collisions.compact import STEPS

        yield from within("packed", arrays["packed"], 0, STEPS)
        momenta = ("w_true", "top_true", "met_residuals", "jet_pairs", "display")
        for name in ("w_jets", "top_jets", *momenta):
            yield from finite(name, arrays[name])
        yield from within("display_ids", arrays["display_ids"], -HEAVIEST, HEAVIEST)
        if len(arrays["w_jets"]) != len(arrays["top_jets"]):
            yield "w_jets and top_jets are of different lengths"
        yield from cutflow_faults(arrays)


def first_top_pairs(config: TopPairTruth, n: int) -> np.ndarray:
    """The first ``n`` events ``(n, 26)``, MeV: of the published file, or of the simulation, from
    the summary that is shipped where it is there: its two bytes a number are finer than any bin."""
    from amplib.studies.collisions.reading import TopPairStatistics

    if config.source == "published":
        return published_top_pairs(n)
    summary = summary_of(config, n)
    try:
        return TopPairStatistics.of(wherever_stored(summary)).events[:n]
    except FileNotFoundError:
        sample = TopPairs(**summary.asdict())
        made = stored_or_made(sample, sample.parts(), lambda work: None)
        return np.concatenate(list(head(n, (a["events"] for _, a in made))))


def summary_of(config: TopPairTruth, n: int) -> TopPairSummary:
    """The first ``n`` simulated events in compact form."""
    return TopPairSummary(**{**config.simulation(), "events": n})


def published_top_pairs(n: int) -> np.ndarray:
    """The first ``n`` published events ``(n, 26)``, MeV.

    Raises:
        FileNotFoundError, ValueError: in one line, if there is no such file, it is damaged, or it
            has fewer events.
    """
    from amplib.truth.collisions.csv_file import read_events

    path = PUBLISHED["ttbar"].path()
    events = np.concatenate(list(head(n, read_events(path, TTBAR))))
    if len(events) < n:
        raise ValueError(f"{path} has {len(events):,} events, {n:,} are needed")
    return events
