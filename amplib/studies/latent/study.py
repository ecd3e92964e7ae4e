"""The studies of the latent space of the model that the event paper chooses.

The scan (``bvae``) trains it.  Here its codes get other priors than the density information buffer
(Table III, Fig. 7), and it is asked what it reconstructs (Fig. 8) and what the principal components
of its codes mean (Fig. 9).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from amplib.models.config import BufferConfig, StagedVAEConfig, VAETraining
from amplib.models.cost import mixture_seconds, search_seconds
from amplib.parameters import ParameterError, bounded
from amplib.progress import Progress
from amplib.store.ranges import ROUNDING, counting, diverged, finite, rising, within
from amplib.store.results import wherever_stored
from amplib.store.study import Arrays, Layout, Part, Presets, summed
from amplib.studies.bvae.small import TOY_EVENTS, made_up_top_pairs, tiny
from amplib.studies.bvae.study import LATENT_BINS, Scan
from amplib.studies.collisions.study import TopPairTruth, first_top_pairs
from amplib.studies.merit.judge import Reference, faults_of_merit, layout_of_merit
from amplib.studies.merit.worth import faults_of_cells, layout_of_cells
from amplib.truth.collisions.columns import TTBAR, columns

if TYPE_CHECKING:
    from amplib.models.buffer import TrainedVAE

Array = NDArray[np.float64]

CODES, FIT, GENERATION, TEST, MAP, OTHERS, TREES = range(10, 17)  # not the scan's streams

JUDGED, AN_EVENT = 6.0, 1.3e-5
"""Seconds that a prior takes to be judged, and each decoded event beside that."""
EXPECTATIONS = 60
"""Steps of expectation and maximisation that a mixture of codes takes, roughly."""
TESTED = ("all observables", "without the second lepton")
"""What the classifier sees.  An absent lepton is exactly zero in the truth, and in no decoder's
output: the first of them is told by that alone."""


class Prior(NamedTuple):
    """A density that codes are drawn from.

    Args:
        kind: ``buffer``, ``normal``, ``kernels``, ``mixture`` or ``staged``.
        size: gamma of a buffer, the narrowest bandwidth that kernels are offered, the number of
            components, B.
        offset: of a buffer (``BufferConfig``).
    """

    kind: str
    size: float = 0.0
    offset: str = "variance"

    def __str__(self) -> str:
        if self.kind == "buffer":
            gamma = f"γ = {self.size:g}"
            return f"buffer, σ + γ, {gamma}" if self.offset == "deviation" else f"buffer, {gamma}"
        if self.kind == "kernels":
            return "KDE" if self.size == NARROWEST else f"KDE, h from {self.size:g}"
        if self.kind == "mixture":
            return f"GMM, {self.size:g}"
        return "N(0, 1)" if self.kind == "normal" else f"S-VAE, B = {self.size:g}"


NARROWEST = 0.1
"""Of the bandwidths that the paper searches among (sec. III B a)."""


@dataclass(frozen=True)
class LatentStudy(TopPairTruth, VAETraining, BufferConfig):
    """What is made of the chosen model; the fields are those of the scan that trains it, and how
    codes are drawn from its buffer."""

    unit: ClassVar[str] = "model-steps"

    events: int = bounded(1_200_000, 24, 100_000_000)
    training_events: int = bounded(100_000, 24, 10_000_000)
    validation_events: int = bounded(20_000, 10, 10_000_000)
    gamma: float = bounded(0.05, 0.0, 1e6)

    def needed(self) -> int:
        return self.scan().needed()

    def scan(self) -> Scan:
        """What trains the model."""
        mine = {f.name for f in fields(self)} - {f.name for f in fields(BufferConfig)}
        shared = {f.name: getattr(self, f.name) for f in fields(Scan) if f.name in mine}
        return Scan(**shared, models="chosen")

    def made_of(self) -> Scan:
        return self.scan()

    def repetitions_done(self, done: Sequence[Part]) -> int:
        return int(len(done) == len(self.parts()))

    def chosen(self) -> tuple[TrainedVAE, Array]:
        """The model, and the events that it has not been trained on: they validated it."""
        from amplib.studies.bvae.scan import chosen_model

        events = first_top_pairs(self, self.needed())
        return chosen_model(self.scan()), events[self.training_events :]

    def small(self, **further: Any) -> Self:
        """This study, as small as a fingerprint needs it."""
        return replace(
            self,
            events=TOY_EVENTS,
            training_events=40,
            validation_events=20,
            **tiny(self),
            **further,
        )

    def toy_model(self) -> tuple[TrainedVAE, Array]:
        """A model of ``small`` on made-up top pairs in float64, and those that validated it."""
        import torch

        from amplib.models.buffer import TrainedVAE
        from amplib.models.bvae import StackedVAE

        events = made_up_top_pairs(TOY_EVENTS, np.random.default_rng(self.seed))
        training, validation = np.split(events, [self.training_events])
        scan = self.scan()
        config = replace(scan.member(scan.parts()[0]), latent=4)
        seeds = [self.stream(0)]
        stack = StackedVAE([config], training, validation, seeds, dtype=torch.float64)
        list(stack.train(2))
        return TrainedVAE.of(stack, 0, TTBAR), validation


LOSS_COLUMNS = (2, 4)
"""Of a mixture and, where nothing is trained, of no rows; of a staged VAE."""


@dataclass(frozen=True)
class LatentPriors(LatentStudy):
    """Priors of the codes, each judged by the events that are decoded from it (Table III).

    Densities are fitted to one code of each training event, z ~ N(mu, sigma^2), as "sampling
    q(z|X)" says (sec. III B): without gamma, which belongs to the buffer alone.
    """

    name: ClassVar[str] = "latent-priors"
    store: ClassVar[str] = "latent-priors"
    presets: ClassVar[Presets] = {
        "smoke": {**Scan.presets["smoke"], "components": (2, 3), "quantiles": (2, 4)},
        "laptop": {**Scan.presets["laptop"], "quantiles": (10, 50)},
        "paper": {},
    }
    rate: ClassVar[float] = 250.0

    components: tuple[int, ...] = bounded((50, 100, 1000), 1, 100_000)
    staged: tuple[float, ...] = bounded((1.0, 0.1, 0.01, 1e-3, 1e-4, 1e-5, 1e-6), 0.0, 1e6)
    quantiles: tuple[int, ...] = bounded((10, 50), 2, 10_000)
    """Of the cells that say what the events are worth."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, most in (("components", self.training_events), ("quantiles", self.most_cells())):
            if (largest := max(self.asdict()[name])) > most:
                raise ParameterError(f"{name} = {largest}: must not exceed {most} here")

    def most_cells(self) -> int:
        """As many cells as the events that validate can be cut into."""
        return self.validation_events

    def priors(self) -> list[Prior]:
        """In the order of the parts: the buffer's, the VAE's own, then those of Table III."""
        return [
            *dict.fromkeys(
                [
                    Prior("buffer", self.gamma, self.offset),
                    Prior("buffer", self.gamma, "deviation"),
                    Prior("buffer", 0.0),
                ]
            ),
            Prior("normal"),
            Prior("kernels", NARROWEST),
            Prior("kernels", NARROWEST / 10),
            *(Prior("mixture", k) for k in self.components),
            *(Prior("staged", b) for b in self.staged),
        ]

    def parts(self) -> list[Part]:
        return [(k,) for k in range(len(self.priors()))]

    def group_size(self, device: str) -> int:
        return 20  # staged VAEs train side by side

    def member(self, prior: Prior) -> StagedVAEConfig:
        """A staged VAE: it trains as the model itself did."""
        mine = self.fields_of(VAETraining)
        shape = {"width": StagedVAEConfig.width, "depth": StagedVAEConfig.depth}
        return StagedVAEConfig(**{**mine, **shape}, kl_weight=prior.size)

    def work(self, parts: Sequence[Part]) -> float:
        """Steps of the staged VAEs, and as many as could be made in the time of all else."""
        priors = self.priors()
        return sum(self.fitting_work(priors[k]) + self.judging_work() for (k,) in parts)

    def fitting_work(self, prior: Prior) -> float:
        """Of one prior."""
        n = self.training_events
        if prior.kind == "staged":
            return self.epochs * (n // self.batch_size)
        if prior.kind == "mixture":
            return self.rate * mixture_seconds(n, int(prior.size), EXPECTATIONS)
        return self.rate * search_seconds(n) if prior.kind == "kernels" else 0.0

    def judging_work(self) -> float:
        """Of one prior."""
        return self.rate * (JUDGED + AN_EVENT * self.events)

    def compute(
        self, parts: Sequence[Part], device: str, checkpoint: Path, progress: Progress
    ) -> Iterator[tuple[Part, Arrays]]:
        """Each part holds of ``events`` decoded events ``delta`` ``(2,)`` and ``delta_of``
        ``(2, 2)`` (eta, phi), values with their errors, and what is ``dropped``; ``latent``, the
        counts of their codes in ``LATENT_BINS``; ``broken``, the share of events that no
        detector gives; ``auc`` ``(2, 4)`` as of ``TwoSampleTest`` for each of ``TESTED``;
        ``cells_q``, their counts in the cells of each of ``quantiles``, and ``cut_from``
        ``(quantiles,)``, the events that these were cut from; the ``bandwidth`` of kernels, else
        0; ``losses`` of a staged VAE (epoch, MSE, KL, validation) or the log likelihoods of a
        mixture (step, value), and ``diverged`` as of a ``DecayStudy``."""
        from amplib.studies.latent.priors import Latent, fit_and_judge
        from amplib.studies.merit.reading import stored_reference

        reference = stored_reference(wherever_stored(self.scan().made_of()))
        latent = Latent.of(self, *self.chosen())
        yield from fit_and_judge(self, latent, reference, parts, device, checkpoint, progress)
        checkpoint.unlink(missing_ok=True)

    def layout(self) -> Layout:
        return {
            **layout_of_merit(),
            "latent": ("int32", (None, len(LATENT_BINS) - 1)),
            "broken": ("float64", ()),
            "auc": ("float64", (len(TESTED), 4)),
            **layout_of_cells(self.quantiles),
            "bandwidth": ("float64", ()),
            "losses": ("float32", (None, None)),
            "diverged": ("int64", ()),
        }

    def faults(self, arrays: Arrays) -> Iterator[str]:
        sound = arrays["diverged"] < 0
        events = self.events if sound else 0  # of a prior that has diverged nothing is kept
        yield from counting("latent", arrays["latent"], events, all_of_them=False)
        yield from faults_of_cells(arrays, events, self.validation_events, self.quantiles)
        yield from within("bandwidth", arrays["bandwidth"], 0, 100 * NARROWEST)
        if (columns := arrays["losses"].shape[1]) not in LOSS_COLUMNS:
            yield f"losses has {columns} columns, expected 2 or 4"
            return
        yield from diverged(arrays)
        if sound:
            yield from faults_of_merit(arrays)
            yield from within("auc", arrays["auc"], 0, 1 + ROUNDING)
            yield from within("broken", arrays["broken"], 0, 1)

    def fingerprint(self) -> list[float]:
        """A prior of each kind, of a tiny model's codes in float64: no file is read."""
        from amplib.studies.latent.priors import Latent, fit_and_judge

        small = self.small(components=(2,), staged=(1e-3,), quantiles=(2,))
        kinds = {
            prior.kind: part for prior, part in zip(small.priors(), small.parts(), strict=True)
        }
        reference = Reference.of(made_up_top_pairs(TOY_EVENTS, np.random.default_rng(self.seed)))
        latent = Latent.of(small, *small.toy_model())
        whole = latent, reference, list(kinds.values()), "cpu", Path(), lambda work: None, True
        made = fit_and_judge(small, *whole)
        return [summed(a) for _, arrays in made for a in arrays.values()]


@dataclass(frozen=True)
class LatentMap(LatentStudy):
    """What the model reconstructs, and what the principal components of its codes mean."""

    name: ClassVar[str] = "latent-map"
    store: ClassVar[str] = "latent-map"
    presets: ClassVar[Presets] = Scan.presets
    rate: ClassVar[float] = 2.0
    unit: ClassVar[str] = "maps"

    def parts(self) -> list[Part]:
        return [(0,)]

    def work(self, parts: Sequence[Part]) -> float:
        return len(parts)

    def compute(
        self, parts: Sequence[Part], device: str, checkpoint: Path, progress: Progress
    ) -> Iterator[tuple[Part, Arrays]]:
        """The part holds what ``components.charted`` returns."""
        from amplib.studies.latent.components import charted

        for part in parts:
            yield part, charted(self, *self.chosen())
            progress(1)

    def layout(self) -> Layout:
        from amplib.studies.latent import charts as c

        n, codes = len(TTBAR), len(LATENT_BINS) - 1
        plane, reconstructed = len(c.PLANE_BINS) - 1, c.RECONSTRUCTION_BINS
        return {
            "codes": ("int32", (None, codes)),
            "mean": ("float64", (None,)),
            "axes": ("float64", (None, None)),
            "variances": ("float64", (None,)),
            "plane": ("int32", (plane, plane)),
            "lattice": ("float32", (len(c.RADII), len(c.ANGLES), n)),
            "maps": ("int32", (len(c.INPUTS), n, reconstructed, reconstructed)),
            "limits": ("float64", (len(c.INPUTS), n, 2, 2)),
            "squares": ("float64", (len(c.INPUTS), c.BLOCKS, n)),
            "spread": ("float64", (len(c.INPUTS), n)),
            "held": ("int64", (None,)),
            "steered": ("float32", (None, None, n)),
            "random": ("float32", (None, n)),
            "beside": ("float32", (len(c.BESIDE), c.GRID, n)),
        }

    def faults(self, arrays: Arrays) -> Iterator[str]:
        yield from counting("codes", arrays["codes"], self.training_events, all_of_them=False)
        yield from counting("plane", arrays["plane"].ravel(), self.training_events, False)
        maps = arrays["maps"].reshape(*arrays["maps"].shape[:2], -1)
        yield from counting("maps", maps, self.validation_events, all_of_them=False)
        yield from rising("limits", np.moveaxis(arrays["limits"], -1, 0))
        for name in ("mean", "axes", "lattice", "limits"):
            yield from finite(name, arrays[name])
        for name in ("variances", "squares", "spread", "steered", "random", "beside"):
            yield from finite(name, arrays[name])
            yield from within(name, arrays[name], 0, np.inf)
        yield from rising("held", arrays["held"])
        latent, components = len(arrays["mean"]), len(arrays["variances"])
        yield from within("held", arrays["held"], 0, components)
        lengths = {
            "codes": (len(arrays["codes"]), latent),
            "axes": (arrays["axes"].shape, (components, latent)),
            "steered": (arrays["steered"].shape[:2], (len(arrays["held"]), len(arrays["random"]))),
        }
        yield from (f"{k} is of {a}, expected {b}" for k, (a, b) in lengths.items() if a != b)

    def fingerprint(self) -> list[float]:
        """The map of a tiny model in float64: no file is read."""
        from amplib.studies.latent.components import charted

        small = self.small()
        return [summed(a) for a in charted(small, *small.toy_model()).values()]


PROCESSES = ("single top", "Z + jets")
"""Of ``truth.collisions.other_processes``."""


@dataclass(frozen=True)
class LatentAnomalies(LatentStudy):
    """Other processes, told from top pairs by the model's reconstruction loss (sec. V): a part is
    one of ``PROCESSES``.  The events that validate stand for the top pairs."""

    name: ClassVar[str] = "latent-anomalies"
    store: ClassVar[str] = "latent-anomalies"
    presets: ClassVar[Presets] = {
        "smoke": {**Scan.presets["smoke"], "others": 10},
        "laptop": {**Scan.presets["laptop"], "others": 200},
        "paper": {},
    }
    rate: ClassVar[float] = 9.0
    unit: ClassVar[str] = "events"

    others: int = bounded(1_000, 4, 10_000_000)
    """Events of each other process."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.source != "simulated":
            raise ParameterError(
                f"source = {self.source}: other processes are simulated, as the top pairs must be"
            )

    def parts(self) -> list[Part]:
        return [(k,) for k in range(len(PROCESSES))]

    def work(self, parts: Sequence[Part]) -> float:
        return len(parts) * self.others

    def compute(
        self, parts: Sequence[Part], device: str, checkpoint: Path, progress: Progress
    ) -> Iterator[tuple[Part, Arrays]]:
        """Each part holds what ``anomalies.scored`` returns."""
        from amplib.studies.latent.anomalies import scored
        from amplib.truth.collisions.other_processes import generate

        model, top_pairs = self.chosen()
        for part in parts:
            seed = int(self.stream(OTHERS, *part).generate_state(1)[0])
            process = PROCESSES[part[0]]
            others = generate(self.others, process, seed, self.settings(), progress)
            rng = np.random.default_rng(self.stream(TREES, *part))
            yield part, scored(model, top_pairs, others, rng)

    def layout(self) -> Layout:
        from amplib.studies.latent.charts import FALSE_ALARMS, LOSS_BINS, SCORES

        n = len(SCORES)
        return {
            "auc": ("float64", (n, 2)),
            "found": ("float64", (n, len(FALSE_ALARMS))),
            "histograms": ("int64", (n, 2, len(LOSS_BINS) - 1)),
            "columns": ("float64", (2, len(TTBAR))),
            "supervised": ("float64", (4,)),
        }

    def faults(self, arrays: Arrays) -> Iterator[str]:
        for name in ("auc", "found", "supervised"):
            yield from within(name, arrays[name], 0, 1)
        events = np.array([self.validation_events, self.others])
        yield from counting("histograms", arrays["histograms"], np.tile(events, (2, 1)))
        yield from finite("columns", arrays["columns"])
        yield from within("columns", arrays["columns"], 0, np.inf)

    def fingerprint(self) -> list[float]:
        """Of a tiny model in float64, made-up top pairs and such of twice the energy."""
        from amplib.studies.latent.anomalies import scored

        small, rng = self.small(), np.random.default_rng(self.seed)
        model, top_pairs = small.toy_model()
        others = made_up_top_pairs(TOY_EVENTS, rng)
        others[:, columns(TTBAR, "MET", "E_j1", "pT_j1")] *= 2
        return [summed(a) for a in scored(model, top_pairs, others, rng).values()]


def variants(preset: str) -> dict[str, LatentPriors]:
    """Further results of this preset that the book shows, by title: the same priors and codes, with
    what is decoded below zero set to zero, as the columns of an absent lepton are in the truth."""
    if preset != "paper":
        return {}
    return {"latent-priors, none negative": LatentPriors(negative="zero")}
