"""The studies of the B-VAE's rivals on top pairs: trained, sampled, judged (bvae, Tables IV, V).

All train on the first of the simulated top pairs, as the B-VAEs of the scan do, and are judged by
``merit.Reference`` with as many generated events as the truth has.  What generates an event that is
not finite, or has no finite observables, has diverged: it is reported, and in no mean.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from amplib.models.config import (
    EVENT_GANS,
    EventGANConfig,
    FlowMatchingConfig,
    SplineFlowConfig,
)
from amplib.models.cost import mixture_seconds, search_seconds
from amplib.parameters import ParameterError, bounded, one_of
from amplib.progress import Progress
from amplib.store.ranges import diverged, finite
from amplib.store.study import Arrays, Layout, Part, Presets, summed
from amplib.studies.bvae.small import made_up_top_pairs
from amplib.studies.collisions.study import TopPairs, first_top_pairs, wherever_stored
from amplib.studies.merit.judge import (
    Reference,
    faults_of_merit,
    judged,
    layout_of_merit,
    without_merit,
)
from amplib.studies.merit.reference import without_training
from amplib.studies.merit.study import UNSEEN, TopPairReference
from amplib.studies.merit.unseen import JudgedByUnseen, Unseen
from amplib.studies.merit.worth import FEWEST
from amplib.studies.weighing.kept import WEIGHING

if TYPE_CHECKING:
    from amplib.models.flow_matching import StackedFlowMatching
    from amplib.models.spline_flow import StackedSplineFlow

Array = NDArray[np.float64]
Generate = Callable[[int], Iterator[NDArray[np.floating]]]

DENSITIES = {"KDE": 0, "GMM, 50": 50, "GMM, 100": 100, "GMM, 1000": 1000}
"""Of Table V, with the components of each mixture."""
TOY_EVENTS = 60
TRAINING, GENERATION = 1, 2  # which stream of a seed


@dataclass(frozen=True)
class EventRivals(JudgedByUnseen):
    """Generators of top pairs; part (i, k) is training k of the i-th of ``methods``."""

    methods: ClassVar[tuple[str, ...]]
    tabulated: ClassVar[int]
    """Methods of the paper's table, the first ones: with these a training is worth showing."""
    presets: ClassVar[Presets] = {
        "smoke": {**TopPairs.presets["smoke"], "training_events": 40},
        "laptop": {**TopPairs.presets["laptop"], "training_events": 10_000},
        "paper": {},
    }

    training_events: int = bounded(100_000, 24, 10_000_000)
    trainings: int = bounded(1, 1, 100, extent=True)
    empty_curves: str = one_of("off", "on", later=True)
    """Whether the shares of empty bins are kept, too, which Fig. 5a and b draw."""

    def seen(self) -> int:
        return self.training_events

    def parts(self) -> list[Part]:
        return [(i, k) for k in range(self.trainings) for i in range(len(self.methods))]

    def repetitions_done(self, done: Sequence[Part]) -> int:
        """Trainings of which every method of the table is there."""
        stored = set(done)
        return sum(
            stored.issuperset((i, k) for i in range(self.tabulated)) for k in range(self.trainings)
        )

    def priority(self, part: Part) -> float:
        return 1 / (1 + part[1])

    def made_of(self) -> TopPairReference:
        return TopPairReference(**self.truth())

    def work(self, parts: Sequence[Part]) -> float:
        return sum(self.cost(part) for part in parts)

    def alike(self, parts: Sequence[Part]) -> list[list[Part]]:
        """Trainings of one method."""
        methods = dict.fromkeys(i for i, _ in parts)
        return [[part for part in parts if part[0] == i] for i in methods]

    @abstractmethod
    def cost(self, part: Part) -> float:
        """Of one part, in the study's unit."""

    @abstractmethod
    def fit(
        self,
        parts: Sequence[Part],
        training: Array,
        device: str,
        checkpoint: Path,
        progress: Progress,
        double: bool = False,
    ) -> Iterator[tuple[Arrays, Generate]]:
        """Train one method; yields of each part what is kept of that, ``diverged`` among it, and
        what generates so many events in batches.

        Args:
            parts: which trainings, side by side where the method can.
            training: events ``(training_events, 26)``, MeV.
            device, checkpoint, progress: of ``compute``.
            double: in float64 and without a checkpoint, for a fingerprint.
        """

    def compute(
        self, parts: Sequence[Part], device: str, checkpoint: Path, progress: Progress
    ) -> Iterator[tuple[Part, Arrays]]:
        """Each part holds ``delta`` ``(2,)`` and ``delta_of`` ``(2, 2)`` (eta, phi), values with
        their errors over the generated events, what is ``dropped``, and ``diverged``, the first
        recorded step with a loss that is not finite, or 0 if the events are not, else -1; and
        what ``Asked.arrays`` has of unseen events; with ``empty_curves`` also ``empty``
        ``(2, 201)``, the shares of empty bins with as many events as Fig. 5a and b are of."""
        from amplib.studies.merit.reading import stored_reference

        events = first_top_pairs(self, self.needed())
        training, unseen = events[: self.seen()], self.unseen(events)
        reference = stored_reference(wherever_stored(self.made_of()))
        for alike in self.alike(parts):
            alone = len(alike) == len(parts)  # else none may go on from another's
            own = checkpoint if alone else checkpoint.with_stem(f"{checkpoint.stem}-{alike[0]}")
            fitted = self.fit(alike, training, device, own, progress)
            for part, (kept, generate) in zip(alike, fitted, strict=True):
                yield part, kept | self.judge(part, kept, generate, reference, progress, unseen)
            own.unlink(missing_ok=True)

    def judge(
        self,
        part: Part,
        kept: Arrays,
        generate: Generate,
        reference: Reference,
        progress: Progress,
        unseen: Unseen,
    ) -> Arrays:
        """The figures of merit, what is asked with unseen events, and whether it has diverged, if
        its losses do not say so."""
        batches, seed = generate(reference.events), self.stream(WEIGHING, *part)
        curves_at = without_training(self.events) if self.empty_curves == "on" else 0
        merit = judged(reference, batches, lambda: unseen.sample(seed), curves_at)
        progress(self.judging_cost())
        unfit = kept["diverged"] < 0 and without_merit(merit)
        return merit | ({"diverged": np.array(0)} if unfit else {})

    @abstractmethod
    def judging_cost(self) -> float:
        """Of the events of one part, in the study's unit."""

    def layout(self) -> Layout:
        return {
            **layout_of_merit(curves=self.empty_curves == "on"),
            "diverged": ("int64", ()),
            **self.unseen_layout(),
        }

    def faults(self, arrays: Arrays) -> Iterator[str]:
        if arrays["diverged"] < 0:
            yield from faults_of_merit(arrays)
            yield from self.unseen_faults(arrays)
        curve = arrays.get("losses", np.zeros((0, 1)))  # densities have none
        yield from diverged({**arrays, "losses": curve})

    def fingerprint(self) -> list[float]:
        """Every method, small, in float64, on made-up top pairs, and one of them judged."""
        rng = np.random.default_rng(self.seed)
        events = made_up_top_pairs(TOY_EVENTS, rng)
        held_out = made_up_top_pairs(FEWEST, rng)
        unseen = Unseen(held_out, FEWEST if self.held_out_events else 0)
        small, arrays = replace(self, weighed_events=0).smaller(), []
        for i in range(len(self.methods)):
            ((kept, generate),) = small.fit(
                [(i, 0)], events[:40], "cpu", Path(), lambda work: None, double=True
            )
            arrays += [*kept.values(), next(generate(10))]
        of = (i, 0), kept, generate, Reference.of(events), lambda work: None, unseen
        arrays += small.judge(*of).values()
        return [*map(summed, arrays), *self.unseen_fingerprint()]

    @abstractmethod
    def smaller(self) -> EventRivals:
        """This study, as small as a fingerprint needs it."""


@dataclass(frozen=True)
class EventGANs(EventRivals):
    """The GANs of Table IV and Fig. 6, each trained as its own paper recommends.

    - ``shortening``: the recommended steps are divided by it; ``narrowing``: the widths are.
    """

    name: ClassVar[str] = "event-gans"
    store: ClassVar[str] = "event-gans"
    presets: ClassVar[Presets] = {
        "smoke": {**EventRivals.presets["smoke"], "shortening": 10_000, "narrowing": 32},
        "laptop": {**EventRivals.presets["laptop"], "shortening": 50, "narrowing": 2},
        "paper": {**UNSEEN["paper"], "trainings": 3, "empty_curves": "on"},
    }
    unit: ClassVar[str] = "turns of a WGAN"
    rate: ClassVar[float] = 20.0
    gpu_rate: ClassVar[float | None] = 500.0  # of three at once; six others used the H200 as well
    enough: ClassVar[int] = 1  # the paper's table has one training of each
    methods: ClassVar[tuple[str, ...]] = tuple(EVENT_GANS)
    tabulated: ClassVar[int] = 5
    turn_cost: ClassVar[dict[str, float]] = {
        "DijetGAN": 0.5, "LSGAN": 0.3, "MMD-GAN": 1.9, "WGAN-GP": 1.7, "WGAN": 1.0,
        "WGAN + MBD": 2.4, "WGAN + MBD + MMD": 2.4,
    }  # fmt: skip
    """Processor time of one step of the generator with all that goes with it, in those of WGAN."""

    shortening: int = bounded(1, 1, 1_000_000)
    narrowing: int = bounded(1, 1, 1024)

    def group_size(self, device: str) -> int:
        return 16 if device == "cuda" else 1

    def member(self, part: Part) -> EventGANConfig:
        """What a part trains."""
        own = EVENT_GANS[self.methods[part[0]]]
        steps = max(1, own.steps // self.shortening)
        warm_up = min(own.warm_up, own.critic_steps * steps)  # no more than all of a short training
        return replace(own, steps=steps, width=max(8, own.width // self.narrowing), warm_up=warm_up)

    def cost(self, part: Part) -> float:
        """Turns, and judging in their unit."""
        member = self.member(part)
        return member.epochs * self.epoch_cost(part) + self.judging_cost()

    def judging_cost(self) -> float:
        return self.events / JUDGED_A_TURN

    def epoch_cost(self, part: Part) -> float:
        """Of one epoch, in the study's unit."""
        turns = self.member(part).turns_an_epoch
        return turns * self.turn_cost[self.methods[part[0]]] / self.narrowing

    def fit(
        self,
        parts: Sequence[Part],
        training: Array,
        device: str,
        checkpoint: Path,
        progress: Progress,
        double: bool = False,
    ) -> Iterator[tuple[Arrays, Generate]]:
        """Keeps ``losses`` ``(records, 5)``: the generator's step, the last losses of critic and
        generator there, and the means of both since the record before."""
        from amplib.studies.rivals.training import train_gan

        return train_gan(self, parts, training, device, checkpoint, progress, double)

    def layout(self) -> Layout:
        return {**super().layout(), "losses": ("float32", (None, 5))}

    def fingerprint(self) -> list[float]:
        """With the lengths, which so short a training does not reach."""
        members = [self.member((i, 0)) for i in range(len(self.methods))]
        return super().fingerprint() + [float(n) for m in members for n in (m.steps, m.warm_up)]

    def smaller(self) -> EventGANs:
        return replace(self, events=TOY_EVENTS, shortening=50_000, narrowing=16)


JUDGED_A_TURN = 1500
"""Events that are generated and judged in about the time of a WGAN's turn."""


@dataclass(frozen=True)
class EventDensities(EventRivals):
    """Densities fitted to the events themselves (Table V), each column divided by its largest
    modulus, as the paper does "in all cases" (sec. III A).

    - ``most_steps``: of a mixture's expectation and maximisation; ``largest``: number of
      components, which others are cut to.
    """

    name: ClassVar[str] = "event-densities"
    store: ClassVar[str] = "event-densities"
    presets: ClassVar[Presets] = {
        "smoke": {**EventRivals.presets["smoke"], "largest": 4, "most_steps": 2},
        "laptop": EventRivals.presets["laptop"],
        "paper": UNSEEN["paper"],
    }
    unit: ClassVar[str] = "events"
    rate: ClassVar[float] = 10_000.0
    methods: ClassVar[tuple[str, ...]] = tuple(DENSITIES)
    tabulated: ClassVar[int] = len(methods)

    most_steps: int = bounded(500, 1, 100_000)
    largest: int = bounded(1000, 1, 100_000)

    def __post_init__(self) -> None:
        super().__post_init__()
        needed = min(self.largest, max(DENSITIES.values()))
        if self.training_events < needed:
            raise ParameterError(
                f"training_events = {self.training_events}: {needed} components need as many"
            )

    def cost(self, part: Part) -> float:
        """Events judged, and fitting in their unit."""
        return self.judging_cost() + self.fitting_cost(part)

    def judging_cost(self) -> float:
        return self.events + JUDGED

    def components(self, part: Part) -> int:
        """Of a mixture; 0 for kernels."""
        return min(DENSITIES[self.methods[part[0]]], self.largest)

    def fitting_cost(self, part: Part) -> float:
        """Of a mixture, or of the search for a bandwidth."""
        n, components = self.training_events, self.components(part)
        if not components:
            return self.rate * search_seconds(n)
        return self.rate * mixture_seconds(n, components, min(STEPS, self.most_steps))

    def fit(
        self,
        parts: Sequence[Part],
        training: Array,
        device: str,
        checkpoint: Path,
        progress: Progress,
        double: bool = False,
    ) -> Iterator[tuple[Arrays, Generate]]:
        """Keeps ``fit``: a KDE's bandwidth and whether the search for it ended at an edge, a
        mixture's last mean log likelihood and its steps."""
        from amplib.studies.rivals.densities import fit_density

        for part in parts:
            yield fit_density(self, part, training, progress)

    def layout(self) -> Layout:
        return {**super().layout(), "fit": ("float64", (2,))}

    def faults(self, arrays: Arrays) -> Iterator[str]:
        yield from super().faults(arrays)
        yield from finite("fit", arrays["fit"])

    def smaller(self) -> EventDensities:
        return replace(
            self,
            events=TOY_EVENTS,
            training_events=40,
            largest=min(self.largest, 3),
            most_steps=min(self.most_steps, 3),
        )


STEPS = 110
"""Typical ones of a mixture of events."""
JUDGED = 20_000
"""Events that could be judged in the time that a judgement takes beside its events."""


@dataclass(frozen=True)
class FlowStudy(EventRivals):
    """A rival of today, which the paper asks for in sec. VI: one method, trained in batches."""

    unit: ClassVar[str] = "model-steps"

    @property
    @abstractmethod
    def epochs(self) -> int:
        """Of a training."""

    @property
    @abstractmethod
    def batch_size(self) -> int:
        """Events of a step."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch_size > self.training_events:
            raise ParameterError(
                f"batch_size = {self.batch_size}: must not exceed training_events = "
                f"{self.training_events}"
            )

    @abstractmethod
    def stack(self) -> type[StackedFlowMatching] | type[StackedSplineFlow]:
        """What trains it."""

    def fit(
        self,
        parts: Sequence[Part],
        training: Array,
        device: str,
        checkpoint: Path,
        progress: Progress,
        double: bool = False,
    ) -> Iterator[tuple[Arrays, Generate]]:
        """Keeps ``losses`` ``(records, 2)``: epoch and loss, a mean squared error or a negative log
        likelihood."""
        from amplib.studies.rivals.training import train_flow

        kind = self.stack()
        return train_flow(kind, self, parts, training, device, checkpoint, progress, double)

    def cost(self, part: Part) -> float:
        steps = self.epochs * (self.training_events // self.batch_size)
        return steps + self.judging_cost()

    def layout(self) -> Layout:
        return {**super().layout(), "losses": ("float32", (None, 2))}


@dataclass(frozen=True)
class EventFlows(FlowMatchingConfig, FlowStudy):
    """Flow matching on the same events."""

    name: ClassVar[str] = "event-flows"
    store: ClassVar[str] = "event-flows"
    presets: ClassVar[Presets] = {
        "smoke": {
            **EventRivals.presets["smoke"], "width": 16, "batch_size": 10, "epochs": 2,
            "flow_steps": 2,
        },
        "laptop": {
            **EventRivals.presets["laptop"], "width": 256, "epochs": 200, "flow_steps": 20,
        },
        "paper": UNSEEN["paper"],
    }  # fmt: skip
    rate: ClassVar[float] = 15.0
    gpu_rate: ClassVar[float | None] = 2_000.0  # predicted from counts of kernels, not measured
    methods: ClassVar[tuple[str, ...]] = ("flow matching",)
    tabulated: ClassVar[int] = len(methods)

    def judging_cost(self) -> float:
        """A step of training goes through the field thrice, an event twice a step of the flow."""
        return self.events * 2 * self.flow_steps / (3 * self.batch_size)

    def stack(self) -> type[StackedFlowMatching]:
        from amplib.models.flow_matching import StackedFlowMatching

        return StackedFlowMatching

    def smaller(self) -> EventFlows:
        return replace(
            self,
            events=TOY_EVENTS,
            training_events=40,
            batch_size=min(self.batch_size, 20),
            width=8,
            epochs=2,
            flow_steps=min(self.flow_steps, 3),
        )


@dataclass(frozen=True)
class EventSplines(SplineFlowConfig, FlowStudy):
    """A normalising flow of zuko's on the same events."""

    name: ClassVar[str] = "event-splines"
    store: ClassVar[str] = "event-splines"
    presets: ClassVar[Presets] = {
        "smoke": {
            **EventRivals.presets["smoke"], "width": 16, "batch_size": 10, "epochs": 2,
            "transforms": 2, "bins": 4, "held_out_events": 100,
        },
        "laptop": {
            **EventRivals.presets["laptop"], "width": 128, "transforms": 6, "epochs": 40,
            **UNSEEN["laptop"],
        },
        "paper": UNSEEN["paper"],
    }  # fmt: skip
    rate: ClassVar[float] = 3.0
    gpu_rate: ClassVar[float | None] = 40.0  # a guess from the number of kernels, not measured
    methods: ClassVar[tuple[str, ...]] = ("spline flow",)
    tabulated: ClassVar[int] = len(methods)

    def judging_cost(self) -> float:
        """A step of training goes through the flow thrice, an event once."""
        return self.events / (3 * self.batch_size)

    def stack(self) -> type[StackedSplineFlow]:
        from amplib.models.spline_flow import StackedSplineFlow

        return StackedSplineFlow

    def smaller(self) -> EventSplines:
        return replace(
            self,
            events=TOY_EVENTS,
            training_events=40,
            batch_size=min(self.batch_size, 20),
            width=8,
            epochs=2,
            transforms=min(self.transforms, 2),
            bins=min(self.bins, 3),
        )


ONE_TURN = {"shortening": 1_000_000, "trainings": 1}
"""What makes GANs stop after their first turn, which changes next to nothing: what not to train is
worth."""


def variants(preset: str) -> dict[str, EventRivals]:
    """Further results of this preset that the book shows, by title: GANs of one turn, and the
    laptop's rivals once more, judged by unseen events too, of which these need more than a laptop
    simulates."""
    if preset == "smoke":
        return {}
    early = EventGANs.with_overrides(EventGANs.presets[preset], ONE_TURN)
    found: dict[str, EventRivals] = {"event-gans, one turn": early}
    if preset == "laptop":
        kinds: tuple[type[EventRivals], ...] = (EventDensities, EventFlows, EventGANs)
        for kind in kinds:
            judged = kind.with_overrides(kind.presets["laptop"], UNSEEN["laptop"])
            found[f"{kind.name}, worth"] = judged
    return found
