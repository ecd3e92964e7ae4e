"""The studies of the amplification papers: what is drawn, fitted, trained and smoothed.

Repetition i of every study starts from the same training sample i, so that a GAN, the fit and a
kernel estimate are compared on the same points.  Results are contents of 100 equal-mass cells of
the truth, which merge into 10, 20 or 50 quantiles; no events are stored.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from amplib.cells import cell_counts
from amplib.models.config import GANConfig
from amplib.parameters import ParameterError, bounded
from amplib.progress import Progress
from amplib.store.ranges import counting, finite, rising, shares, within
from amplib.store.study import Arrays, Layout, Part, Presets, Study
from amplib.truth.densities import CamelBack

CELLS = 100
"""Equal-mass cells that are stored; the quantiles of the papers (10, 20, 50) divide it."""
EVENT_SIZES = np.array([k * 10**e for e in range(1, 6) for k in (1, 2, 4, 5)] + [10**6])
"""GANned events at which the cells are counted; a member of an ensemble of 5 or 10 gives 1/5 or
1/10 of 100, 200, 500 ... 10^6 events, which this grid holds too."""
LINE_SIZES = np.array([100, 200, 300, 500, 1000])
"""Sizes of the pure samples of Fig. 2's horizontal lines."""
DENSITY_BINS = np.linspace(-8, 8, 161)
"""Bins of the event density of Fig. 1."""
FITS_A_PART = 100

TINY = {"epochs": 2, "max_events": 1000, "width": 32, "latent": 50}
SHORT = {
    "epochs": 600,
    "learning_rate": 5e-4,
    "decay": 0.75,
    "decay_epochs": 60,
    "max_events": 100_000,
}
"""The papers' network and data on a 17 times shorter schedule, from ten times their learning rate
down to theirs."""

_SAMPLE, _LINES, _MEMBER, _BASELINE = range(4)  # which stream of a seed


@dataclass(frozen=True)
class CamelStudy(Study):
    """A study on repeated training samples of the camel back."""

    seed: int = bounded(2020, 0, 2**63 - 1)
    n_train: int = bounded(100, 10, 1_000_000)
    repetitions: int = bounded(100, 1, 100_000, extent=True)

    def training_sample(self, repetition: int) -> np.ndarray:
        """Training sample of a repetition, ``(n_train,)``."""
        rng = np.random.default_rng(self.stream(_SAMPLE, repetition))
        return CamelBack().sample(self.n_train, rng)


@dataclass(frozen=True)
class ChunkedCamelStudy(CamelStudy):
    """A study whose part is 100 repetitions of something quick."""

    def parts(self) -> list[Part]:
        return [(k,) for k in range(-(-self.repetitions // FITS_A_PART))]

    def repetitions_done(self, done: Sequence[Part]) -> int:
        return len(done) * FITS_A_PART

    def work(self, parts: Sequence[Part]) -> float:
        return len(parts) * FITS_A_PART

    def compute(
        self, parts: Sequence[Part], device: str, checkpoint: Path, progress: Progress
    ) -> Iterator[tuple[Part, Arrays]]:
        for part in parts:
            rows = []
            for repetition in self.repetition_indices([part]):
                rows.append(self.repeat(int(repetition)))
                progress(1)
            yield part, {name: np.stack([row[name] for row in rows]) for name in rows[0]}

    def repetition_indices(self, parts: Sequence[Part]) -> np.ndarray:
        """The repetitions in these parts, in order."""
        return np.concatenate([FITS_A_PART * p + np.arange(FITS_A_PART) for (p,) in parts])

    @abstractmethod
    def repeat(self, repetition: int) -> Arrays:
        """One repetition."""


@dataclass(frozen=True)
class CamelFit(ChunkedCamelStudy):
    """Pure samples and the five-parameter maximum-likelihood fit (amplify, sec. 2)."""

    name: ClassVar[str] = "fit"
    store: ClassVar[str] = "camel-fit"
    # More fits than the papers' 100, as they cost little.
    presets: ClassVar[Presets] = {
        "smoke": {"repetitions": 100},
        "laptop": {"repetitions": 300},
        "paper": {"repetitions": 1000},
    }
    unit: ClassVar[str] = "fits"
    rate: ClassVar[float] = 100.0

    def repeat(self, repetition: int) -> Arrays:
        """``sample`` cell counts of the training sample, ``lines`` those of ``LINE_SIZES``
        independent points, ``fit`` its cell probabilities, ``parameters``, ``covariance`` and
        whether the fit is ``valid``."""
        from amplib.models.fit import fit_camel_back

        edges = CamelBack().edges(CELLS)
        points = self.training_sample(repetition)
        rng = np.random.default_rng(self.stream(_LINES, repetition))
        fit = fit_camel_back(points)
        return {
            "sample": cell_counts(points, edges).astype(np.uint16),
            "lines": np.stack(
                [cell_counts(CamelBack().sample(n, rng), edges) for n in LINE_SIZES]
            ).astype(np.uint16),
            "fit": fit.cell_probabilities(edges).astype(np.float32),
            "parameters": fit.parameters,
            "covariance": fit.covariance.astype(np.float32),
            "valid": np.array(fit.valid),
        }

    def layout(self) -> Layout:
        n = FITS_A_PART
        return {
            "sample": ("uint16", (n, CELLS)),
            "lines": ("uint16", (n, len(LINE_SIZES), CELLS)),
            "fit": ("float32", (n, CELLS)),
            "parameters": ("float64", (n, 5)),
            "covariance": ("float32", (n, 5, 5)),
            "valid": ("bool", (n,)),
        }

    def faults(self, arrays: Arrays) -> Iterator[str]:
        yield from counting("sample", arrays["sample"], self.n_train)
        yield from counting("lines", arrays["lines"], LINE_SIZES)
        yield from shares("fit", arrays["fit"])
        yield from finite("parameters", arrays["parameters"])
        yield from finite("covariance", arrays["covariance"][arrays["valid"]])

    def fingerprint(self) -> list[float]:
        row = self.repeat(0)
        return [*map(float, row["parameters"]), float((row["lines"] @ np.arange(CELLS)).sum())]


@dataclass(frozen=True)
class CamelSmoothing(ChunkedCamelStudy):
    """Kernel estimates, a histogram, EM and the bootstrap on the same samples."""

    name: ClassVar[str] = "smoothing"
    store: ClassVar[str] = "camel-smoothing"
    presets: ClassVar[Presets] = {
        "smoke": {"repetitions": 100},
        "laptop": {"repetitions": 300},
        "paper": {"repetitions": 1000},
    }
    unit: ClassVar[str] = "samples"
    rate: ClassVar[float] = 30.0

    def repeat(self, repetition: int) -> Arrays:
        """Cell probabilities of every baseline, by its name."""
        from amplib.models.smoothing import BASELINES

        edges = CamelBack().edges(CELLS)
        points = self.training_sample(repetition)
        rngs = self.stream(_BASELINE, repetition).spawn(len(BASELINES))
        return {
            name: baseline(points, edges, np.random.default_rng(rng)).astype(np.float32)
            for (name, baseline), rng in zip(BASELINES.items(), rngs, strict=True)
        }

    def layout(self) -> Layout:
        from amplib.models.smoothing import BASELINES

        return dict.fromkeys(BASELINES, ("float32", (FITS_A_PART, CELLS)))

    def faults(self, arrays: Arrays) -> Iterator[str]:
        for name, cells in arrays.items():
            yield from shares(name, cells)

    def fingerprint(self) -> list[float]:
        row = self.repeat(0)
        return [float(cells @ np.arange(CELLS) ** 2) for cells in row.values()]


@dataclass(frozen=True)
class CamelGAN(CamelStudy, GANConfig):
    """One GAN a training sample: part (i, 0) is the first GAN trained on sample i."""

    name: ClassVar[str] = "gan"
    store: ClassVar[str] = "camel-gan"
    presets: ClassVar[Presets] = {
        "smoke": {**TINY, "repetitions": 3},
        "laptop": {**SHORT, "repetitions": 8},
        "paper": {"repetitions": 100},
    }
    unit: ClassVar[str] = "GAN-steps"
    rate: ClassVar[float] = 120.0
    gpu_rate: ClassVar[float | None] = 24_000.0  # an H200, 89 side by side

    max_events: int = bounded(1_000_000, 100, 1_000_000)
    members: int = bounded(1, 1, 99, extent=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch_size > self.n_train:
            raise ParameterError(
                f"batch_size = {self.batch_size}: must not exceed n_train = {self.n_train}"
            )
        if self.dimension != 1:
            raise ParameterError(f"dimension = {self.dimension}: the camel back has 1")

    def parts(self) -> list[Part]:
        return [(i, m) for i in range(self.repetitions) for m in range(self.members)]

    def repetitions_done(self, done: Sequence[Part]) -> int:
        stored = set(done)
        return sum(
            all((i, m) in stored for m in range(self.members)) for i in range(self.repetitions)
        )

    def priority(self, part: Part) -> float:
        """First members serve both papers; the others make ensembles of what is there."""
        repetition, member = part
        return (0.01 if member else 1) / (1 + repetition)

    def group_size(self, device: str) -> int:
        # On a GPU as many as hide the launch latency; on a CPU as many as keep the caches warm.
        return 100 if device == "cuda" else 8

    @property
    def event_sizes(self) -> np.ndarray:
        """GANned events at which the cells are counted, ascending."""
        return EVENT_SIZES[self.max_events >= EVENT_SIZES]

    def work(self, parts: Sequence[Part]) -> float:
        """In GAN-steps; generating 1000 events costs about as much as 1.5."""
        steps = self.epochs * (self.n_train // self.batch_size)
        return len(parts) * (steps + 1.5e-3 * self.max_events)

    def compute(
        self, parts: Sequence[Part], device: str, checkpoint: Path, progress: Progress
    ) -> Iterator[tuple[Part, Arrays]]:
        """Train the GANs of these parts side by side, generate, count.

        Each part holds ``counts`` ``(sizes, 100)`` of the first ``event_sizes`` events,
        ``density`` the counts of the most events in ``DENSITY_BINS`` (and outside, at the ends),
        ``losses`` ``(epochs, 4)`` (epoch, cross entropy, penalty, generator) and ``diverged``,
        the first recorded epoch with a loss that is not finite, else -1.
        """
        from amplib.studies.camel.training import train_and_count

        samples = np.stack([self.training_sample(i) for i, _ in parts])[..., None]
        seeds = [self.stream(_MEMBER, *part) for part in parts]
        results = train_and_count(
            self, samples, seeds, self.event_sizes, device, checkpoint, progress
        )
        yield from zip(parts, results, strict=True)

    def layout(self) -> Layout:
        return {
            "sample": ("float64", (self.n_train, 1)),
            "counts": ("int32", (len(self.event_sizes), CELLS)),
            "density": ("int32", (len(DENSITY_BINS) + 1,)),
            "losses": ("float32", (None, 4)),
            "diverged": ("int64", ()),
        }

    def faults(self, arrays: Arrays) -> Iterator[str]:
        yield from finite("sample", arrays["sample"])
        yield from within("losses", arrays["losses"][:, 0], 1, self.epochs)
        yield from rising("losses", arrays["losses"][:, 0])
        yield from within("diverged", arrays["diverged"], -1, self.epochs)
        whole = bool(arrays["diverged"] < 0)  # else events are missing that are not finite
        if whole:
            yield from finite("losses", arrays["losses"])
            yield from rising("counts", arrays["counts"])
        yield from counting("counts", arrays["counts"], self.event_sizes, whole)
        yield from counting("density", arrays["density"], self.event_sizes[-1], whole)

    def fingerprint(self) -> list[float]:
        """Three float64 epochs of the same GAN, made small; its losses and events."""
        from amplib.studies.camel.training import tiny_run

        small = replace(self, width=8, latent=6, embedding=4, depth=2, epochs=3, decay_epochs=1)
        # At the papers' learning rate three epochs would hardly move.
        rate = min(100 * self.learning_rate, 0.1)
        small = replace(small, n_train=max(20, 2 * small.batch_size), learning_rate=rate)
        return tiny_run(small, small.training_sample(0)[None, :, None], [small.stream(_MEMBER, 0)])


@dataclass(frozen=True)
class CamelEnsemble(CamelGAN):
    """``members`` GANs a training sample, 1/members of the events from each (ensemble, sec. 3).

    Shares its parts with ``CamelGAN``: member 0 is the GAN trained there.
    """

    name: ClassVar[str] = "ensemble"
    presets: ClassVar[Presets] = {
        "smoke": {**TINY, "repetitions": 2, "members": 2},
        "laptop": {**SHORT, "repetitions": 4, "members": 5},
        "paper": {"repetitions": 50, "members": 10},
    }


EPOCHS = 1500
"""Of the trainings that compare readings of the paper."""
TRAININGS = 32
READINGS: dict[str, dict[str, object]] = {
    "gradient in x": {"gradient_path": "x"},
    "gradient in x, noise after B": {"gradient_path": "x", "noise_order": "after"},
    "gradient through B": {"gradient_path": "batch"},
    "through B, noise after B": {"gradient_path": "batch", "noise_order": "after"},
    "through B, γ for γ/2": {"gradient_path": "batch", "penalty": 0.02},
    "through B, biased deviation": {"gradient_path": "batch", "aggregation": "biased-std"},
    "through B, floor of 1e-4": {"gradient_path": "batch", "std_floor": 1e-4},
    "through B, separate updates": {"gradient_path": "batch", "updates": "separate"},
    "through B, Xavier's initialisation": {"gradient_path": "batch", "initialisation": "xavier"},
    "through B, He's initialisation": {"gradient_path": "batch", "initialisation": "he"},
}
"""Where the paper is silent: see ``GANConfig``."""


def reading(name: str) -> CamelGAN:
    """The study of a reading: its first epochs at the papers' settings.

    Raises:
        ParameterError: for an unknown name.
    """
    if name not in READINGS:
        raise ParameterError(f"reading = {name!r}: allowed are {', '.join(READINGS)}")
    short = {"epochs": EPOCHS, "max_events": 1000, "repetitions": TRAININGS}
    return CamelGAN.with_overrides(CamelGAN.presets["paper"], {**short, **READINGS[name]})


def with_batch_fixed() -> CamelGAN:
    """All epochs with the other path of the gradient: what the default is compared with."""
    return CamelGAN(**READINGS["gradient in x"], repetitions=22)  # type: ignore[arg-type]


def variants(preset: str) -> dict[str, CamelGAN]:
    """Further results of this preset that the book shows, by title."""
    if preset != "paper":
        return {}
    readings = {f"gan, {name}": reading(name) for name in READINGS}
    return readings | {"gan, gradient in x, all epochs": with_batch_fixed()}
