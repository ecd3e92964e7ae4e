"""What the studies of generators of decays have in common: trained, sampled, and reduced to
histograms and numbers.

A part is one training.  All parts of a study train on the same events; they differ in their start,
shuffles and noise.  Events that train, that validate and that are compared with are the first, the
next and the last of one sample, so that no generator has seen those it is compared with.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from amplib.models.config import BufferConfig, VAEConfig
from amplib.parameters import ParameterError, bounded
from amplib.progress import Progress
from amplib.store.ranges import counting, diverged, finite, within
from amplib.store.study import Arrays, Layout, Part, Study, head, summed
from amplib.studies.bvae.observables import QUANTILES, Decay
from amplib.studies.bvae.small import tiny
from amplib.studies.collisions.study import EventSample, stored_or_made
from amplib.studies.weighing.kept import (
    WEIGHING,
    check_weighed,
    faults_of_weights,
    layout_of_weights,
    no_weights,
    stacked,
    toy_weights,
)

Array = NDArray[np.float64]

TRAINING, GENERATION = 1, 2  # which stream of a seed
GENERATED_A_STEP = 4000
"""Events that are generated and counted in about the time of one step."""
TRUE = ("truth", "training")
"""What generated events stand beside: the events that they are compared with, and as many of those
that trained, whose distance to the first is that of two samples of the truth."""


@dataclass(frozen=True)
class DecayStudy(Study):
    """Generators of one kind of decay."""

    unit: ClassVar[str] = "model-steps"
    rate: ClassVar[float] = 60.0
    gpu_rate: ClassVar[float | None] = 3_000.0  # an H200, three side by side
    decay: ClassVar[Decay]
    sample: ClassVar[type[EventSample]]
    terms: ClassVar[int]
    """Losses that are recorded at every epoch."""
    models: ClassVar[tuple[str, ...]]
    """What events are generated from, in the order of the stored arrays."""

    seed: int = bounded(3560661, 0, 2**63 - 1)
    repetitions: int = bounded(1, 1, 1000, extent=True)
    training_events: int = bounded(1_000_000, 20, 10_000_000)
    validation_events: int = bounded(50_000, 1, 10_000_000)
    compared_events: int = bounded(1_000_000, 10, 10_000_000)
    weighed_events: int = bounded(0, 0, 1_000_000, later=True)
    """Of the compared events, those that a classifier tells from as many generated ones, whose
    weights are measured; none by default."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_weighed(self.compared_events, self.weighed_events)
        for name in ("batch_size", "compared_events"):
            value = self.asdict()[name]
            if value > self.training_events:
                raise ParameterError(
                    f"{name} = {value}: must not exceed training_events = {self.training_events}"
                )

    def parts(self) -> list[Part]:
        return [(k,) for k in range(self.repetitions)]

    def repetitions_done(self, done: Sequence[Part]) -> int:
        return len(done)

    def group_size(self, device: str) -> int:
        return 16 if device == "cuda" else 4

    def work(self, parts: Sequence[Part]) -> float:
        """Steps of all trainings, and generating in their unit."""
        generated = len(self.models) * self.compared_events / GENERATED_A_STEP
        return len(parts) * (self.steps() + generated)

    @abstractmethod
    def steps(self) -> int:
        """Of one training."""

    def event_sample(self) -> EventSample:
        """As many events as are trained on, validate and are compared with."""
        return self.sample(seed=self.seed, events=sum(self._sizes()))

    def _sizes(self) -> tuple[int, int, int]:
        return self.training_events, self.validation_events, self.compared_events

    def events(self) -> tuple[Array, Array, Array]:
        """Training, validating and compared events, ``(n, columns)`` each."""
        sample = self.event_sample()
        made = stored_or_made(sample, sample.parts(), lambda work: None)
        whole = np.concatenate(list(head(sample.events, (a["events"] for _, a in made))))
        first, second, _ = np.cumsum(self._sizes())
        return whole[:first], whole[first:second], whole[second:]

    @abstractmethod
    def train(
        self,
        events: Sequence[Array],
        parts: Sequence[Part],
        device: str,
        checkpoint: Path,
        progress: Progress,
        double: bool = False,
    ) -> Iterator[tuple[Array, list[Array]]]:
        """Train, then yield the losses ``(epochs, 1 + losses)`` and the events of each model.

        Args:
            events: as of ``events``.
            parts: which trainings.
            device, checkpoint, progress: of ``compute``.
            double: in float64, for a fingerprint.
        """

    def compute(
        self, parts: Sequence[Part], device: str, checkpoint: Path, progress: Progress
    ) -> Iterator[tuple[Part, Arrays]]:
        """Each part holds what ``Decay.summary`` keeps, the ``TRUE`` samples first and then the
        ``models``, ``losses`` (epoch, then the model's) and ``diverged``, the first recorded epoch
        with a loss that is not finite, or 0 if events are not, else -1."""
        yield from self._compute(self.events(), parts, device, checkpoint, progress)
        checkpoint.unlink(missing_ok=True)

    def _compute(
        self,
        events: Sequence[Array],
        parts: Sequence[Part],
        device: str,
        checkpoint: Path,
        progress: Progress,
        double: bool = False,
    ) -> Iterator[tuple[Part, Arrays]]:
        from amplib.models.training import first_divergence

        training, _, compared = events
        weighed = self.weighed_events
        truth = self.decay.sorted_values(compared)
        samples = compared, training[: len(compared)]
        true = [self.decay.summary(sample, truth) for sample in samples]
        trained = self.train(events, parts, device, checkpoint, progress, double)
        for part, (losses, generated) in zip(parts, trained, strict=True):
            diverged = first_divergence(losses)
            finite = [bool(diverged < 0 and np.isfinite(sample).all()) for sample in generated]
            if diverged < 0 and not all(finite):
                diverged = 0
            kept, weights = [], []
            for number, (sample, good) in enumerate(zip(generated, finite, strict=True)):
                kept.append(self.decay.summary(sample, truth) if good else _nothing(true[0]))
                if weighed:
                    seed = self.stream(WEIGHING, *part, number)
                    some = sample[:weighed], compared[:weighed]
                    nothing = no_weights(self.decay.observables)
                    weights.append(self.decay.weighed(*some, seed) if good else nothing)
                progress(len(sample) / GENERATED_A_STEP)
            yield (
                part,
                stacked([*true, *kept])
                | stacked(weights)
                | {
                    "losses": losses if double else losses.astype(np.float32),
                    "diverged": np.array(diverged),
                },
            )

    def layout(self) -> Layout:
        decay, models = self.decay, len(self.models)
        n = len(TRUE) + models
        count = len(decay.edges)
        return {
            **{name: ("int32", (n, len(e) + 1)) for name, e in decay.edges.items()},
            **{
                f"{name}_map": ("int32", (n, len(e) - 1, len(e) - 1))
                for name, e in decay.map_edges.items()
            },
            "quantiles": ("float64", (n, count, len(QUANTILES))),
            "distances": ("float64", (n, count)),
            **dict.fromkeys(decay.extra(np.zeros((1, len(decay.columns)))), ("int64", (n,))),
            **(layout_of_weights(decay.observables, models) if self.weighed_events else {}),
            "losses": ("float32", (None, 1 + self.terms)),
            "diverged": ("int64", ()),
        }

    def faults(self, arrays: Arrays) -> Iterator[str]:
        n = self.compared_events
        for name in self.decay.edges:  # of one particle or of two
            sums = arrays[name].sum(-1)
            whole = 2 * n if sums[0] == 2 * n else n
            # Nothing is kept of a model that has diverged.
            events = np.where((sums == 0) & (np.arange(len(sums)) >= len(TRUE)), 0, whole)
            yield from counting(name, arrays[name], events)
        for name in self.decay.map_edges:
            cells = arrays[f"{name}_map"].reshape(len(TRUE) + len(self.models), -1)
            yield from counting(f"{name}_map", cells, n, all_of_them=False)
        yield from finite("quantiles", arrays["quantiles"][: len(TRUE)])
        yield from within("distances", arrays["distances"][: len(TRUE)], 0, np.inf)
        for name in self.decay.extra(np.zeros((1, len(self.decay.columns)))):
            yield from within(name, arrays[name], 0, n)
        if self.weighed_events and arrays["diverged"] < 0:
            yield from faults_of_weights(arrays, self.weighed_events)
        yield from diverged(arrays)

    def fingerprint(self) -> list[float]:
        """A few float64 epochs of a small model on few events; its losses and what is kept."""
        small = replace(self, weighed_events=0).smaller()
        arrays = small._compute(small.few_events(), [(0,)], "cpu", Path(), lambda work: None, True)
        ((_, kept),) = arrays
        decay = self.decay
        weights = toy_weights(self.seed, len(decay.columns), decay.seen)
        return [*map(summed, kept.values()), *(weights if self.weighed_events else [])]

    @abstractmethod
    def smaller(self) -> DecayStudy:
        """This study, as small as a fingerprint needs it."""

    def few_events(self) -> tuple[Array, Array, Array]:
        """Events of a fingerprint: their own generator may be missing where models train."""
        return self.events()


@dataclass(frozen=True)
class DecayVAE(DecayStudy, VAEConfig, BufferConfig):
    """A B-VAE; events are generated from N(0, 1), as of a VAE, and from its buffer."""

    terms: ClassVar[int] = 3
    models: ClassVar[tuple[str, ...]] = ("VAE", "B-VAE")

    depth: int = bounded(4, 1, 100)
    kl_weight: float = bounded(3e-6, 0.0, 0.999)

    def steps(self) -> int:
        return self.epochs * (self.training_events // self.batch_size)

    def member(self) -> VAEConfig:
        """What every part trains."""
        return VAEConfig(**self.fields_of(VAEConfig))

    def train(
        self,
        events: Sequence[Array],
        parts: Sequence[Part],
        device: str,
        checkpoint: Path,
        progress: Progress,
        double: bool = False,
    ) -> Iterator[tuple[Array, list[Array]]]:
        from amplib.studies.bvae.training import train_vaes

        yield from train_vaes(self, events, parts, device, checkpoint, progress, double)

    def smaller(self) -> DecayVAE:
        return replace(
            self,
            training_events=40,
            validation_events=10,
            compared_events=40,
            latent=min(self.latent, 4),
            **tiny(self),
        )


def _nothing(like: Arrays) -> Arrays:
    """What is kept of a model that has diverged."""
    return {name: np.full_like(a, np.nan if a.dtype.kind == "f" else 0) for name, a in like.items()}
