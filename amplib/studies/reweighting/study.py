"""The studies of reweighted showers (DCTRGAN, sec. III B): classifiers, weights, observables.

Each generator has a study of its own, whose parts repeat the classifiers: with other showers of the
truth, other generated ones, other first weights.  No shower is stored: a part holds histograms,
correlations and what a few metrics found.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from amplib.metrics.outlook import RANGES
from amplib.models.config import DCTRTraining
from amplib.parameters import ParameterError, bounded, one_of
from amplib.progress import Progress
from amplib.store.ranges import ROUNDING, counting, estimates, finite, rising, within
from amplib.store.results import wherever_stored
from amplib.store.study import Arrays, Layout, Part, Presets, Study
from amplib.studies.generators.study import PUBLISHED, ShowerBIBAE, ShowerGAN, ShowerGenerator
from amplib.studies.showers.study import ShowerTruth
from amplib.truth.showers.config import CORRELATED, ShowerConfig
from amplib.truth.showers.geometry import ILD_ECAL

if TYPE_CHECKING:
    from amplib.studies.reweighting.measuring import Generate

BINS = 19
"""Of each observable's histogram, as in the paper's code."""
LOG_WEIGHTS = np.linspace(-5.05, 2.05, 72)
"""Bins of the decimal logarithm of weights, on the range of the paper's code, one about W = 1."""
PAIRS = 1000
"""Generated showers whose two weights are kept, for a scatter plot."""
SAMPLES = ("truth", "truth again", "generator", "high-level", "low-level")
"""The histograms of a part: two samples of the truth, the generator, and it with weights."""
LAYERS = ILD_ECAL.layers
INPUTS = 3 + LAYERS
"""Of the high-level classifier: active cells, centroid, total energy, layer energies."""
OUTSIDE_OF = [0, 2, 3]
"""Which of them ``outside`` is told of."""
IN_CELLS = (2, 1, 0, 13, INPUTS + 10, 23)
"""Cells are cut in total energy, centroid, active cells, the energy of the eleventh layer, its
second moment along x and the energy of the twenty-first, in this order: the first shares out
halves, the next quarters."""
IN_THE_CELLS = ("truth again", "generator", "high-level", "low-level")
"""What is counted in them."""
DIFFERENCES = 300
OBSERVABLES = INPUTS + 2 * LAYERS + DIFFERENCES
"""Inputs, second moments along x and along y, differences of layer energies."""
A_SQUARED_FILTER = {"float32": 1.02e-6, "bfloat16": 0.50e-6}
"""Seconds of a core in which the low-level classifier is trained on a shower, times the square of
its filters, which its convolutions but the first go with; measured from 8 to 128 filters
(benchmarks/README.md), as are the numbers below."""
AN_IMAGE = 1.4e-3
"""Seconds that this takes however few the filters are."""
WEIGHED_AS_ONE = 1 / 3
"""Seconds to weigh a shower, where one takes that to train on it."""
AN_INPUT = 1 / 140_000
"""Seconds in which the high-level classifier is trained on a shower."""
A_TRUE_SHOWER = 1 / 2000
"""Seconds in which a shower of the truth is simulated and measured."""
A_TEST = 6e-4
"""Seconds that a shower of the test takes in bootstraps and histograms."""
MEGABYTES_A_SHOWER = 0.007
"""Measured up to 120,000 of them: 840 hits of six bytes, and what is lost between."""
MEGABYTES_A_BATCH = 1400
"""Of 128 showers and filters, as they are trained on."""


@dataclass(frozen=True)
class Reweighting(ShowerTruth):
    """Two classifiers of one generator's showers: part (k,) is their k-th training.

    The high-level classifier sees ``high_level`` showers of either kind, half of them for
    validation, as in the released code; the paper says nothing of it.  It is "not arrested during
    training" there (sec. III B): the preset ``paper`` keeps its last epoch.  The low-level one sees
    ``events`` of the truth, tiled, and ``generated`` others, a tenth of each for its temperature.
    Low-level weights are clipped at 5; of the others the paper clips none, and we do at
    ``largest``, where one generated shower stands for a hundred, and count them.  Everything is
    measured on ``test_events`` showers of either kind that no network has seen.  Published showers
    are shuffled anew for each part, so that its samples share none, those of two parts some.
    """

    unit: ClassVar[str] = "showers"
    rate: ClassVar[float] = 200.0
    gpu_rate: ClassVar[float | None] = 13_000.0  # five minutes a training, as the control below
    memory: ClassVar[int] = 7000
    format: ClassVar[int] = 2

    seed: int = bounded(2009_03797, 0, 2**63 - 1)
    repetitions: int = bounded(5, 1, 1000, extent=True)
    events: int = bounded(177_000, 20, 10_000_000)
    generated: int = bounded(500_000, 20, 10_000_000)
    high_level: int = bounded(50_000, 20, 10_000_000)
    test_events: int = bounded(100_000, 20, 10_000_000)
    hidden: tuple[int, ...] = bounded((128, 128), 1, 8192)
    epochs: int = bounded(50, 1, 100_000)
    batch_size: int = bounded(128, 2, 100_000)
    learning_rate: float = bounded(1e-3, 1e-9, 1.0)
    filters: int = bounded(128, 1, 1024)
    low_epochs: int = bounded(1, 1, 1000)
    low_batch: int = bounded(128, 2, 100_000)
    low_rate: float = bounded(1e-3, 1e-9, 1.0)
    precision: str = one_of("float32", "bfloat16")
    largest: float = bounded(100.0, 1.0, 1e9)
    low_largest: float = bounded(5.0, 1.0, 1e9)
    quantiles: tuple[int, ...] = bounded((10, 50), 2, 1000)
    keep: str = one_of("best", "last", later=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.test_events < max(self.quantiles):
            raise ParameterError(
                f"test_events = {self.test_events}: {max(self.quantiles)} cells need as many"
            )
        if self.high_level > min(self.events, self.generated):
            raise ParameterError(
                f"high_level = {self.high_level}: must not exceed events = {self.events} "
                f"and generated = {self.generated}"
            )

    def parts(self) -> list[Part]:
        return [(k,) for k in range(self.repetitions)]

    def repetitions_done(self, done: Sequence[Part]) -> int:
        return len(done)

    def work(self, parts: Sequence[Part]) -> float:
        """Showers that are generated, and as many as could be in the time of all else."""
        made = self.generated + self.test_events
        return len(parts) * (made + self.classified + self.weighed + self.measured)

    @property
    def classified(self) -> float:
        """Work of the low-level classifier's training and validation."""
        trained = self.low_steps * self.low_batch
        held_out = sum(round(self.low_training().validation * n) for n in self.classes)
        return self.rate * self.an_image * (trained + WEIGHED_AS_ONE * self.low_epochs * held_out)

    @property
    def weighed(self) -> float:
        """Work of weighing the test's showers of either kind by it."""
        return self.rate * self.an_image * WEIGHED_AS_ONE * 2 * self.test_events

    @property
    def measured(self) -> float:
        """Work of the truth, of the high-level classifier and of what is measured at the end."""
        truth = A_TRUE_SHOWER * (self.events + 2 * self.test_events)
        high = AN_INPUT * self.epochs * self.high_level
        return self.rate * (truth + high + A_TEST * self.test_events)

    @property
    def an_image(self) -> float:
        """Seconds of a core in which the low-level classifier is trained on a shower."""
        return A_SQUARED_FILTER[self.precision] * self.filters**2 + AN_IMAGE

    @property
    def classes(self) -> tuple[int, int]:
        """Showers of the truth and generated ones for the low-level classifier."""
        return self.events, self.generated

    @property
    def low_steps(self) -> int:
        """Of the low-level classifier; the smaller class is tiled."""
        most = max(self.classes)
        kept = most - round(self.low_training().validation * most)
        return self.low_epochs * -(-2 * kept // self.low_batch)

    def memory_needed(self) -> int:
        """Of all else, of the low-level classifier on a batch, and of the showers that both
        classifiers are trained on."""
        largest = MEGABYTES_A_BATCH * self.filters * self.low_batch / 128**2
        showers = MEGABYTES_A_SHOWER * (self.events + self.generated)
        return max(Study.memory, round(700 + largest + showers))

    def high_training(self) -> DCTRTraining:
        """How the high-level classifier is trained."""
        return DCTRTraining(
            batch_size=self.batch_size, epochs=self.epochs, patience=self.epochs,
            learning_rate=self.learning_rate, validation=0.5, keep=self.keep,
        )  # fmt: skip

    def low_training(self) -> DCTRTraining:
        """How the low-level classifier is trained."""
        return DCTRTraining(
            batch_size=self.low_batch, epochs=self.low_epochs, patience=self.low_epochs,
            learning_rate=self.low_rate, validation=0.1, temperature="on", balance="tiling",
        )  # fmt: skip

    @property
    def seen(self) -> int:
        """Published showers, the first of the file, that the generator knows and the classifiers
        therefore do not take."""
        return 0

    def needed(self) -> int:
        return self.seen + self.events + 2 * self.test_events

    title: ClassVar[str]
    """What the generator is called."""

    def made(self) -> ShowerConfig:
        """Showers that stand in for generated ones in a fingerprint."""
        return replace(self.truth(), energy=1.1 * self.energy, source="simulated")

    @abstractmethod
    def generate(self, device: str) -> Generate:
        """What makes generated showers."""

    def compute(
        self, parts: Sequence[Part], device: str, checkpoint: Path, progress: Progress
    ) -> Iterator[tuple[Part, Arrays]]:
        """The arrays of ``measuring.measure``."""
        from amplib.models.checkpoint import Checkpoint
        from amplib.studies.reweighting.measuring import measure

        for part in parts:
            kept, generate = Checkpoint(checkpoint).at(f"{part}"), self.generate(device)
            yield part, measure(self, part[0], generate, device, progress, checkpoint=kept)
            kept.drop()

    def layout(self) -> Layout:
        n, c = len(SAMPLES), len(CORRELATED)
        return {
            **{f"cells_{q}": ("float64", (len(IN_THE_CELLS), 2, q)) for q in self.quantiles},
            "cut_from": ("int64", (len(self.quantiles),)),
            "limits": ("float64", (OBSERVABLES, 2)),
            "histograms": ("float32", (n, OBSERVABLES, BINS)),
            "squares": ("float32", (2, OBSERVABLES, BINS)),
            "outside": ("float32", (3, OBSERVABLES)),
            "dilution": ("float64", (3, 2, OBSERVABLES)),
            "correlations": ("float64", (n, 2, c, c)),
            "outlook": ("float64", (2, 6, 2)),
            "clipped": ("float64", (2, 2)),
            "weights": ("int64", (2, 2, len(LOG_WEIGHTS) + 1)),
            "pairs": ("float32", (None, 2)),
            "pearson": ("float64", (2,)),
            "temperature": ("float64", (2,)),
            "high_losses": ("float32", (None, 2)),
            "low_losses": ("float32", (None, 2)),
        }

    def faults(self, arrays: Arrays) -> Iterator[str]:
        """Correlations and r of an observable that is the same in all showers are no numbers."""
        n = self.test_events
        counted = arrays["histograms"][: len(SAMPLES) - 2]
        yield from counting("histograms", counted, n, all_of_them=False)
        most = n * (1 + ROUNDING)  # where one shower has all of the weight
        yield from within("histograms", arrays["histograms"], 0, most)
        yield from within("squares", arrays["squares"], 0, most**2)
        yield from within("outside", arrays["outside"], -ROUNDING, 1)
        inside = arrays["histograms"][OUTSIDE_OF].sum(-1, dtype=float)
        expected = n * (1 - arrays["outside"])
        if (apart := abs(inside - expected)).max() > 0.5 + 1e-6 * n:
            place = np.unravel_index(apart.argmax(), apart.shape)
            yield f"histograms sums to {inside[place]:.10g}, expected {expected[place]:.10g}"
        for q in self.quantiles:
            contents, squares = np.moveaxis(arrays[f"cells_{q}"], 1, 0)
            yield from counting(f"cells_{q}", contents[:2], n)
            yield from within(f"cells_{q}", contents.sum(-1), n * (1 - 1e-6), most)
            yield from within(f"cells_{q}", squares, 0, most**2)
        yield from within("cut_from", arrays["cut_from"], 1, n)
        yield from counting("weights", arrays["weights"], n)
        yield from within("clipped", arrays["clipped"], 0, [n, 1])
        yield from counting("clipped", arrays["clipped"][:, :1], n, all_of_them=False)
        largest = np.array([self.low_largest, self.largest]) * (1 + ROUNDING)
        yield from within("pairs", arrays["pairs"], 0, largest)
        if len(arrays["pairs"]) != min(n, PAIRS):
            yield f"pairs has {len(arrays['pairs'])} rows, expected {min(n, PAIRS)}"
        yield from rising("limits", arrays["limits"].T)
        for name in ("limits", "temperature", "high_losses", "low_losses"):
            yield from finite(name, arrays[name])
        for name in ("temperature", "high_losses", "low_losses", "dilution"):
            yield from within(name, np.nan_to_num(arrays[name]), 0, np.inf)
        one = 1 + ROUNDING
        correlated = np.moveaxis(np.nan_to_num(arrays["correlations"]), 1, -1)
        yield from estimates("correlations", correlated, -one, one)
        yield from estimates("pearson", np.nan_to_num(arrays["pearson"]), -one, one)
        low, high = RANGES.T
        yield from estimates("outlook", arrays["outlook"], low - ROUNDING, high + ROUNDING)

    def tiny(self) -> Reweighting:
        """This study, as small as a fingerprint needs it."""
        return replace(
            self, events=24, generated=30, high_level=20, test_events=20,
            energy=min(self.energy, 5.0), epochs=min(self.epochs, 2),
            batch_size=min(self.batch_size, 5), low_epochs=min(self.low_epochs, 2),
            low_batch=min(self.low_batch, 9), low_rate=min(10 * self.low_rate, 0.1), filters=2,
            precision="float32", source="simulated", quantiles=(2, 5),
        )  # fmt: skip

    def fingerprint(self) -> list[float]:
        """Both classifiers in float64 on a few showers of low energy, and all that is measured.

        Simulated showers stand in for those of a generator, which has a fingerprint of its own.
        """
        from amplib.studies.reweighting.measuring import tiny_run

        small = self.tiny()
        return tiny_run(small, small.made())


SMOKE: dict[str, object] = {
    "repetitions": 2, "events": 60, "generated": 60, "high_level": 60, "test_events": 60,
    "epochs": 2, "filters": 2, "low_batch": 20, "batch_size": 20,
}  # fmt: skip
LAPTOP: dict[str, object] = {
    "repetitions": 3, "events": 5_000, "generated": 5_000, "high_level": 5_000,
    "test_events": 5_000, "filters": 32, "low_batch": 32, "precision": "bfloat16",
}  # fmt: skip
"""The best epoch is kept: from so few showers the last one has learned them by heart."""
PAPER: dict[str, object] = {"keep": "last"}


@dataclass(frozen=True)
class TrainedReweighting(Reweighting):
    """Of a generator that a study of ``generators`` trains: its first training.

    ``trained`` is the preset at which that is done, or ``published``: at the size, on the showers
    and for as long as by its authors, which takes a GPU.  What it sets enters the key: a generator
    that is trained in another way makes another result.
    """

    presets: ClassVar[Presets] = {
        "smoke": {**SMOKE, "trained": "smoke"},
        "laptop": {**LAPTOP, "trained": "laptop"},
        "paper": {**PAPER, "trained": "paper"},
    }
    generator: ClassVar[type[ShowerGenerator]]

    trained: str = one_of("paper", "laptop", "smoke", PUBLISHED)

    def made_of(self) -> ShowerGenerator:
        truth = self.truth().asdict()
        return self.generator.with_overrides(self.generator.settings(self.trained), truth)

    @property
    def seen(self) -> int:
        return self.made_of().made_of().showers

    def key(self) -> str:
        both = f"{super().key()} {self.made_of().key()}"
        return hashlib.sha256(both.encode()).hexdigest()[:12]

    def generate(self, device: str) -> Generate:
        from amplib.studies.generators.reading import generated

        stored = wherever_stored(self.made_of())
        return lambda n, seed: generated(stored, n, self.density, device=device, seed=seed)

    @property
    def density(self) -> str:
        """From which the generator draws its latent numbers."""
        return self.generator.latents[0]


@dataclass(frozen=True)
class ReweightedBIBAE(TrainedReweighting):
    """The paper's generator."""

    name: ClassVar[str] = "reweighted-bibae"
    store: ClassVar[str] = "reweighted-bibae"
    generator: ClassVar[type[ShowerGenerator]] = ShowerBIBAE
    title: ClassVar[str] = "BIB-AE"

    latents: str = one_of("normal", "fitted")

    @property
    def density(self) -> str:
        return self.latents


@dataclass(frozen=True)
class ReweightedGAN(TrainedReweighting):
    """Its cheap rival."""

    rate: ClassVar[float] = 120.0
    gpu_rate: ClassVar[float | None] = 8_000.0
    name: ClassVar[str] = "reweighted-gan"
    store: ClassVar[str] = "reweighted-gan"
    generator: ClassVar[type[ShowerGenerator]] = ShowerGAN
    title: ClassVar[str] = "plain GAN"


@dataclass(frozen=True)
class ReweightedSimulation(Reweighting):
    """A fast simulation with wrong settings: the truth itself, of other particles and another beam.

    The paper ends on such a use.  Here it is the control: a generator that is near the truth by
    construction, so that what fails for it fails by the method.  ``made_energy`` of its particles,
    GeV, shifts what the high-level model sees; the width ``made_beam``, in cells, is seen in single
    cells alone.
    """

    name: ClassVar[str] = "reweighted-simulation"
    store: ClassVar[str] = "reweighted-simulation"
    presets: ClassVar[Presets] = {
        "smoke": SMOKE,
        # Simulated showers cost next to nothing.  The low-level model sees them three times: what
        # the beam does to single cells it begins to notice after a thousand steps.
        "laptop": {
            **LAPTOP, "events": 20_000, "generated": 20_000, "high_level": 20_000,
            "test_events": 10_000, "low_epochs": 3,
        },
        "paper": PAPER,
    }  # fmt: skip
    rate: ClassVar[float] = 2_000.0
    gpu_rate: ClassVar[float | None] = 31_000.0  # an H200, one of three side by side
    title: ClassVar[str] = "fast simulation"

    made_energy: float = bounded(49.0, 1, 200)
    made_beam: float = bounded(0.04, 0, 10)

    def tiny(self) -> Reweighting:
        nearby = replace(self, made_energy=min(self.made_energy, 5.5))
        return super(ReweightedSimulation, nearby).tiny()

    def made(self) -> ShowerConfig:
        """What it simulates."""
        return replace(
            self.truth(), energy=self.made_energy, beam=self.made_beam, source="simulated"
        )

    def generate(self, device: str) -> Generate:
        from amplib.studies.showers.sampling import simulated

        return lambda n, seed: simulated(self.made(), n, seed, device)


def with_the_other_epoch(study: ReweightedSimulation) -> ReweightedSimulation:
    """A study of these showers and trainings with the weights of the high-level classifier's last
    epoch in place of its best one, or the other way round."""
    return replace(study, keep="best" if study.keep == "last" else "last")


def at_length(kind: type[TrainedReweighting]) -> TrainedReweighting:
    """Classifiers of the preset ``laptop``, whose generator is trained as by ``paper``."""
    return kind.with_overrides({**kind.presets["laptop"], "trained": "paper"}, {})


def variants(preset: str) -> dict[str, Study]:
    """Further results of this preset that the book shows, by title."""
    if preset == "smoke":
        return {}
    base = ReweightedSimulation.presets[preset]
    other = with_the_other_epoch(ReweightedSimulation.with_overrides(base, {}))
    found: dict[str, Study] = {f"reweighted-simulation, {other.keep} epoch": other}
    if preset == "laptop":
        found["reweighted-gan, at length"] = at_length(ReweightedGAN)
    return found
