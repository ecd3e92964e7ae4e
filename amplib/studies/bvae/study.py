"""The studies of the B-VAE: of decays, beside a GAN of theirs, and the scan of top pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from amplib.models.config import RegularGANConfig, VAEConfig, VAETraining
from amplib.parameters import ParameterError, bounded, one_of
from amplib.progress import Progress
from amplib.store.ranges import counting, diverged, finite
from amplib.store.results import wherever_stored
from amplib.store.study import Arrays, Layout, Part, Presets, Study, summed
from amplib.studies.bvae.decay import DecayStudy, DecayVAE
from amplib.studies.bvae.observables import TWO_BODY_DECAY, Z_DECAY, Decay
from amplib.studies.bvae.small import TOY_EVENTS, made_up_top_pairs, tiny
from amplib.studies.collisions.study import (
    EventSample,
    TopPairs,
    TopPairTruth,
    TwoBody,
    ZLeptons,
    first_top_pairs,
)
from amplib.studies.merit.judge import Reference, faults_of_merit, layout_of_merit
from amplib.studies.merit.study import TopPairReference

Array = NDArray[np.float64]

WEIGHED = 20_000
"""Events of a model whose weights are measured, where they are asked for."""

FEW = {"training_events": 2048, "validation_events": 512, "compared_events": 2048}
LAPTOP = {"training_events": 100_000, "validation_events": 20_000, "compared_events": 100_000}


@dataclass(frozen=True)
class TwoBodyVAE(DecayVAE):
    """The toy model: Adam at its defaults, 100 epochs, dim z = 9 (bvae, sec. III A)."""

    name: ClassVar[str] = "two-body-vae"
    store: ClassVar[str] = "two-body-vae"
    presets: ClassVar[Presets] = {
        "smoke": {**FEW, "adam_epochs": 2, "width": 16},
        "laptop": {**LAPTOP, "adam_epochs": 60, "repetitions": 3},
        "paper": {"repetitions": 3},
    }
    decay: ClassVar[Decay] = TWO_BODY_DECAY
    sample: ClassVar[type[EventSample]] = TwoBody

    latent: int = bounded(9, 1, 64)
    adam_phases: int = bounded(1, 1, 100)
    adam_epochs: int = bounded(100, 1, 1_000_000)
    sgd_phases: int = bounded(0, 0, 100)


@dataclass(frozen=True)
class ZVAE(DecayVAE):
    """Z -> ll: 7 x 80 epochs, from Adam to SGD, dim z = 10 (bvae, sec. III A).

    The paper does not say when it changes to SGD.  Here four phases are Adam's and three SGD's, as
    in the published code for top pairs, whose rates these are too.
    """

    name: ClassVar[str] = "z-vae"
    store: ClassVar[str] = "z-vae"
    presets: ClassVar[Presets] = {
        "smoke": {**FEW, "adam_epochs": 1, "sgd_epochs": 1, "width": 16},
        "laptop": {**LAPTOP, "adam_epochs": 10, "sgd_epochs": 10, "repetitions": 3},
        "paper": {"repetitions": 3, "weighed_events": WEIGHED},
    }
    decay: ClassVar[Decay] = Z_DECAY
    sample: ClassVar[type[EventSample]] = ZLeptons

    latent: int = bounded(10, 1, 64)
    adam_epochs: int = bounded(80, 1, 1_000_000)
    sgd_phases: int = bounded(3, 0, 100)
    sgd_epochs: int = bounded(80, 1, 1_000_000)

    def made_of(self) -> EventSample:
        """Their generator is missing where models train: they come through the store."""
        return self.event_sample()

    def few_events(self) -> tuple[Array, Array, Array]:
        """Back to back at 45.5 GeV in all directions: massless, and without Pythia."""
        rng = np.random.default_rng(self.seed)
        direction = rng.normal(size=(sum(self._sizes()), 3))
        p = 45.5 * direction / np.linalg.norm(direction, axis=1, keepdims=True)
        pairs = np.zeros((len(p), 2, 2, 4))
        flavour = np.arange(len(p)) % 2
        pairs[np.arange(len(p)), flavour] = np.insert(np.stack([p, -p], 1), 0, 45.5, 2)
        first, second, _ = np.cumsum(self._sizes())
        whole = pairs.reshape(len(p), -1)
        return whole[:first], whole[first:second], whole[second:]


@dataclass(frozen=True)
class TwoBodyGAN(DecayStudy, RegularGANConfig):
    """The regular GAN of the toy model (bvae, sec. IV A)."""

    name: ClassVar[str] = "two-body-gan"
    store: ClassVar[str] = "two-body-gan"
    presets: ClassVar[Presets] = {
        "smoke": {**FEW, "epochs": 2, "width": 16},
        "laptop": {**LAPTOP, "epochs": 60, "repetitions": 3},
        "paper": {"repetitions": 3},
    }
    rate: ClassVar[float] = 120.0
    decay: ClassVar[Decay] = TWO_BODY_DECAY
    sample: ClassVar[type[EventSample]] = TwoBody
    terms: ClassVar[int] = 2
    models: ClassVar[tuple[str, ...]] = ("GAN",)

    def steps(self) -> int:
        return self.epochs * (self.training_events // self.batch_size)

    def train(
        self,
        events: Sequence[Array],
        parts: Sequence[Part],
        device: str,
        checkpoint: Path,
        progress: Progress,
        double: bool = False,
    ) -> Iterator[tuple[Array, list[Array]]]:
        from amplib.studies.bvae.training import train_gans

        yield from train_gans(self, events, parts, device, checkpoint, progress, double)

    def smaller(self) -> TwoBodyGAN:
        return replace(
            self,
            training_events=40,
            validation_events=10,
            compared_events=40,
            batch_size=min(self.batch_size, 20),
            width=8,
            epochs=2,
        )


LATENTS, KL_WEIGHTS = (16, 20, 24, 28), (1e-7, 1e-6, 1e-5, 1e-4)
"""dim z and B of the scan (bvae, sec. III A)."""
CHOSEN = (20, 1e-6)
"""The model that the paper considers best, with alpha = 1 and gamma = 0.05."""
SEVERAL = 5
"""Trainings of it and of its neighbours in the grid, by which a ranking is told from luck."""
SETTINGS: tuple[dict[str, float], ...] = (
    *({"alpha": 1.0, "gamma": gamma} for gamma in (0.01, 0.05, 0.1)),
    *({"alpha": alpha, "gamma": 0.0} for alpha in (1.0, 5.0, 10.0)),
)
"""Of Table I, then of Table II."""
LATENT_BINS = np.linspace(-5, 5, 101)
JUDGED_A_STEP = 1000
"""Events that are generated and judged in about the time of one step."""


@dataclass(frozen=True)
class Scan(TopPairTruth, VAETraining):
    """B-VAEs of top pairs: 4 dim z x 4 B, each judged at the settings of Tables I and II.

    Part (i, j, k) is training k with dim z ``LATENTS[i]`` and B ``KL_WEIGHTS[j]``.  All train on
    the first of the simulated top pairs, validate on the next, and generate as many as there are
    in all, ``events``, which they are compared with.
    """

    name: ClassVar[str] = "scan"
    store: ClassVar[str] = "scan"
    presets: ClassVar[Presets] = {
        "smoke": {
            **TopPairs.presets["smoke"], "training_events": 24, "validation_events": 16,
            "batch_size": 8, "width": 16, "adam_epochs": 1, "sgd_epochs": 1,
        },
        "laptop": {
            **TopPairs.presets["laptop"],
            "training_events": 10_000,
            "validation_events": 2_000,
            "adam_epochs": 4,
            "sgd_epochs": 2,
        },
        "paper": {},
    }  # fmt: skip
    unit: ClassVar[str] = "model-steps"
    rate: ClassVar[float] = 45.0
    gpu_rate: ClassVar[float | None] = 8_000.0  # an H200, all of the grid side by side

    events: int = bounded(1_200_000, 24, 100_000_000)
    trainings: int = bounded(1, 1, 100, extent=True)
    models: str = one_of("all", "chosen", "near", extent=True)
    """Which of the grid are wanted: ``chosen`` are those that other figures are drawn from,
    ``near`` these and those that differ from them by one step of dim z or of B."""
    training_events: int = bounded(100_000, 24, 10_000_000)
    validation_events: int = bounded(20_000, 1, 10_000_000)
    """The paper does not say how many.  Its code has as many as train, which cost a third of the
    training again; here it is a fifth of them."""
    offset: str = one_of("variance", "deviation")
    draw: str = one_of("random", "in turn")
    smudge: str = one_of("variance", "deviation", later=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch_size > self.training_events:
            raise ParameterError(
                f"batch_size = {self.batch_size}: must not exceed training_events = "
                f"{self.training_events}"
            )

    def needed(self) -> int:
        return self.training_events + self.validation_events

    def parts(self) -> list[Part]:
        grid = [(i, j) for i in range(len(LATENTS)) for j in range(len(KL_WEIGHTS))]
        parts: list[Part] = [(i, j, k) for k in range(self.trainings) for i, j in grid]
        steps = {"all": len(grid), "near": 1, "chosen": 0}[self.models]
        return [part for part in parts if steps_from_the_chosen(part) <= steps]

    def member(self, part: Part) -> VAEConfig:
        """What a part trains."""
        i, j, _ = part
        mine = self.fields_of(VAETraining)
        return VAEConfig(**mine, latent=LATENTS[i], kl_weight=KL_WEIGHTS[j])

    def keeps_weights(self, part: Part) -> bool:
        """Those of the paper's choice: the other figures are drawn from them."""
        member = self.member(part)
        return (member.latent, member.kl_weight) == CHOSEN

    def repetitions_done(self, done: Sequence[Part]) -> int:
        """Trainings of which every member is there."""
        stored = set(done)
        return sum(
            all(p in stored for p in self.parts() if p[2] == k) for k in range(self.trainings)
        )

    def priority(self, part: Part) -> float:
        """The chosen model first: most figures hang on it."""
        return (10 if self.keeps_weights(part) else 1) / (1 + part[2])

    def group_size(self, device: str) -> int:
        return 16 if device == "cuda" else 4

    def work(self, parts: Sequence[Part]) -> float:
        """Steps, and judging in their unit."""
        steps = self.epochs * (self.training_events // self.batch_size)
        return len(parts) * (steps + len(SETTINGS) * self.judging_work())

    def judging_work(self) -> float:
        """Of one setting."""
        return self.events / JUDGED_A_STEP

    def made_of(self) -> TopPairReference:
        return TopPairReference(**self.truth())

    def compute(
        self, parts: Sequence[Part], device: str, checkpoint: Path, progress: Progress
    ) -> Iterator[tuple[Part, Arrays]]:
        """Each part holds at ``SETTINGS`` ``delta`` ``(6, 2)`` and ``delta_of`` ``(6, 2, 2)`` (eta,
        phi), values with their errors, and what is ``dropped`` ``(6,)``; ``latent``, the counts of
        its codes, ``losses`` (epoch, MSE, KL, validation), the ``best`` validation loss,
        ``diverged`` as of a ``DecayStudy`` and, of the model that the paper chooses, its
        ``weights``."""
        from amplib.studies.bvae.scan import train_and_judge
        from amplib.studies.merit.reading import stored_reference

        n = self.training_events
        events = first_top_pairs(self, self.needed())
        reference = stored_reference(wherever_stored(self.made_of()))
        made = train_and_judge(
            self, (events[:n], events[n:]), reference, parts, device, checkpoint, progress
        )
        yield from zip(parts, made, strict=True)
        checkpoint.unlink(missing_ok=True)

    def layout(self) -> Layout:
        return {
            **layout_of_merit(len(SETTINGS)),
            "latent": ("int32", (None, len(LATENT_BINS) - 1)),
            "losses": ("float32", (None, 4)),
            "best": ("float64", ()),
            "diverged": ("int64", ()),
            "weights": ("float32", (None,)),
        }

    def faults(self, arrays: Arrays) -> Iterator[str]:
        yield from counting("latent", arrays["latent"], self.training_events, all_of_them=False)
        yield from diverged(arrays)
        if arrays["diverged"] < 0:
            for name in ("best", "weights"):
                yield from finite(name, arrays[name])
            yield from faults_of_merit(arrays)

    def fingerprint(self) -> list[float]:
        """A few float64 epochs of two small members on made-up top pairs: no file is read."""
        from amplib.studies.bvae.scan import train_and_judge

        events = made_up_top_pairs(TOY_EVENTS, np.random.default_rng(self.seed))
        small = replace(
            self,
            events=TOY_EVENTS,
            training_events=40,
            validation_events=20,
            **tiny(self),
        )
        truth = Reference.of(events)
        sets, parts = (events[:40], events[40:]), [(0, 3, 0), (1, 1, 0)]
        made = train_and_judge(
            small, sets, truth, parts, "cpu", Path(), lambda work: None, double=True
        )
        return [
            summed(a)
            for arrays in made
            for name, a in arrays.items()
            if name != "weights"  # in single precision
        ]


def steps_from_the_chosen(part: Part) -> int:
    """How many steps of the scan's grid lie between a part's model and the paper's choice."""
    latent, kl_weight = CHOSEN
    return abs(part[0] - LATENTS.index(int(latent))) + abs(part[1] - KL_WEIGHTS.index(kl_weight))


def trained_several_times(scan: Scan) -> Scan:
    """The paper's choice and its neighbours, each trained ``SEVERAL`` times; what there is of these
    is in the store of the scan itself."""
    return replace(scan, models="near", trainings=max(SEVERAL, scan.trainings))


def on_deviations(scan: Scan) -> Scan:
    """A scan of these networks with codes of N(mu, (alpha sigma + gamma)^2), not eqs. 17, 19."""
    return replace(scan, smudge="deviation", offset="deviation")


OTHERWISE: dict[str, dict[str, Any]] = {
    "three phases of SGD": {"sgd_phases": 3},
    "weights of that variance": {"initialisation": "variance"},
}
"""What the paper's code, or its text taken at its word, does otherwise in a training."""


def trained_otherwise(scan: Scan) -> dict[str, Scan]:
    """The paper's choice in each reading of its training, with the seeds of ``SEVERAL``."""
    return {
        title: replace(scan, **changes, models="chosen", trainings=SEVERAL)
        for title, changes in OTHERWISE.items()
    }


LARGER = (1e-4, 1e-3)
"""B of further trainings of the toy model: how a VAE comes nearer to its own prior."""


def larger_b(kl_weight: float) -> TwoBodyVAE:
    """The laptop's VAE of two-body decays with another B, trained once."""
    changes = {"kl_weight": kl_weight, "repetitions": 1}
    return TwoBodyVAE.with_overrides(TwoBodyVAE.presets["laptop"], changes)


def variants(preset: str) -> dict[str, Study]:
    """Further results of this preset that the book shows, by title."""
    if preset == "smoke":
        return {}
    scan = trained_several_times(Scan.with_overrides(Scan.presets[preset], {}))
    if preset != "laptop":
        return {
            f"scan, {SEVERAL} trainings": scan,
            "scan, α and γ on σ": on_deviations(Scan.with_overrides(Scan.presets[preset], {})),
        }
    return {
        f"scan, {SEVERAL} trainings": scan,
        **{f"scan, {title}": study for title, study in trained_otherwise(scan).items()},
        **{f"two-body-vae, B = {b:g}": larger_b(b) for b in LARGER},
        **{f"{kind.name}, weights": weighed(kind) for kind in (TwoBodyVAE, ZVAE, TwoBodyGAN)},
    }


def weighed(kind: type[DecayStudy]) -> DecayStudy:
    """One training at the laptop's scale whose events are weighed."""
    changes = {"repetitions": 1, "weighed_events": WEIGHED}
    return kind.with_overrides(kind.presets["laptop"], changes)
