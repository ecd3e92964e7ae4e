"""The study of the generator that the event paper considers best: dim z = 20, B = 1e-6.

``bvae.Scan`` trains it; here it makes events by the million, of which histograms are kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from amplib.metrics.merit import GRIDS
from amplib.models.config import BufferConfig, VAETraining
from amplib.parameters import bounded
from amplib.progress import Progress
from amplib.store.ranges import counting, estimates, finite, within
from amplib.store.study import Arrays, Layout, Part, Presets, summed
from amplib.studies.bvae.study import SETTINGS, TOY_EVENTS, Scan, made_up_top_pairs
from amplib.studies.collisions.study import TopPairConfig, first_top_pairs, wherever_stored
from amplib.truth.collisions.columns import TTBAR
from amplib.truth.collisions.observables import OBSERVABLES, leading_directions, released

if TYPE_CHECKING:
    from amplib.models.buffer import TrainedVAE
    from amplib.studies.collisions.merit import Reference

Array = NDArray[np.float64]
Events = NDArray[np.floating]

BINNING = "released"
"""Of the histograms of one observable: the ranges that the authors' code draws them in, energies,
momenta and masses in logarithmic bins, so that threshold and tail are both seen."""
FINE_BINS, MAP_BINS = 100, 1000
"""Of an observable and of an azimuth in the map, as the truth has them: 28 a hadronic cell."""
CIRCLE = (-np.pi, np.pi)
SECOND_LEPTON = ("E_l2", "pT_l2", "eta_l2", "phi_l2")
"""Zeros in most true events: what is generated lies about them, half of it below."""
BATCH = 50_000
"""Events that are generated and counted at a time."""
JUDGED = 4
"""Events that are generated in about the time in which one is generated and judged."""
_GENERATION, _LONG_RUN = 1, 2  # which stream of a seed


@dataclass(frozen=True)
class TopEvents(TopPairConfig, VAETraining, BufferConfig):
    """Events of the chosen B-VAE (bvae, sec. IV C, Figs. 3 to 5): a part is one training of it.

    As many events as the truth has are drawn from the buffer at this study's alpha and gamma and,
    to stand beside them, at those of the scan and from N(0, 1), which is the standard VAE.

    The paper says two things of gamma: eq. 19 adds it to the variance, the words around it make it
    an "offset for the standard deviation" and "the minimal standard deviation", as its code does.
    The equation is the default here as everywhere in this package; the words are drawn beside it.
    """

    name: ClassVar[str] = "top-events"
    store: ClassVar[str] = "top-events"
    presets: ClassVar[Presets] = {
        "smoke": {**Scan.presets["smoke"], "long_run": 100},
        "laptop": {**Scan.presets["laptop"], "long_run": 1_000_000, "trainings": 3},
        "paper": {**Scan.presets["paper"]},
    }
    unit: ClassVar[str] = "events"
    rate: ClassVar[float] = 200_000.0

    gamma: float = bounded(0.05, 0.0, 1e6)
    events: int = bounded(1_200_000, 24, 100_000_000)
    long_run: int = bounded(10_000_000, 1, 1_000_000_000)
    """A hundred times the training events, of which the azimuths are kept (Fig. 4)."""
    trainings: int = bounded(1, 1, 100, extent=True)
    training_events: int = bounded(100_000, 24, 10_000_000)
    validation_events: int = bounded(20_000, 1, 10_000_000)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.source()  # refuses what it cannot train

    def parts(self) -> list[Part]:
        return [(k,) for k in range(self.trainings)]

    def source(self) -> Scan:
        """The training alone: it has nothing to do with how codes are drawn from its buffer."""
        shared = (*fields(TopPairConfig), *fields(VAETraining))
        mine: dict[str, Any] = {f.name: getattr(self, f.name) for f in shared}
        for name in ("trainings", "training_events", "validation_events"):
            mine[name] = getattr(self, name)
        return Scan(**mine, models="chosen")

    def readings(self) -> list[BufferConfig]:
        """This study's own way to draw codes, and the same gamma in the paper's other reading."""
        own = BufferConfig(**{f.name: getattr(self, f.name) for f in fields(BufferConfig)})
        other = "deviation" if self.offset == "variance" else "variance"
        return [own, replace(own, offset=other)] if self.gamma else [own]

    def priors(self) -> list[BufferConfig | None]:
        """What codes are drawn from: the ``readings`` first, N(0, 1), which is None, last."""
        readings = self.readings()
        others = [replace(readings[0], alpha=s["alpha"], gamma=s["gamma"]) for s in SETTINGS]
        return [*readings, *(prior for prior in others if prior not in readings), None]

    @property
    def held_out(self) -> int:
        """Events of Fig. 5a and b: those of the truth but for the twelfth that trains."""
        from amplib.studies.collisions.reference import TRAINING_SHARE

        return self.events - self.events // TRAINING_SHARE

    def work(self, parts: Sequence[Part]) -> float:
        """Events generated, those that are judged counted ``JUDGED`` times."""
        return len(parts) * (self.long_run + JUDGED * len(self.priors()) * self.events)

    def compute(
        self, parts: Sequence[Part], device: str, checkpoint: Path, progress: Progress
    ) -> Iterator[tuple[Part, Arrays]]:
        """Each part holds what ``kept`` returns.

        Raises:
            ValueError: the training has diverged.
        """
        from amplib.studies.bvae.scan import chosen_model
        from amplib.studies.collisions.reading import stored_reference

        scan = self.source()
        training = first_top_pairs(self, self.training_events)
        reference = stored_reference(wherever_stored(scan.source()))
        for part in parts:
            model = chosen_model(scan, part[0]).to(device)
            yield part, self.kept(part, model, training, reference, progress)

    def kept(
        self,
        part: Part,
        model: TrainedVAE,
        training: Events,
        reference: Reference,
        progress: Progress,
    ) -> Arrays:
        """Generate, and reduce to histograms and numbers.

        For each of the P ``priors``: ``delta`` ``(P, 2)``, ``delta_without`` ``(P, 2)`` over the
        pairs without ``SECOND_LEPTON``, and ``delta_of`` ``(P, 2, 2)`` (eta, phi), values with
        their errors, what is ``dropped`` ``(P,)``, ``empty`` ``(P, 2, 201)``, the shares of empty
        bins with ``held_out`` events, ``azimuth`` ``(P, 1000)`` of the first jet, and how many
        second leptons have ``negative`` energy ``(P,)``.

        Of the R ``readings``: ``marginals`` ``(R, 33, 100)`` with what is outside in the outermost
        bins, as the truth has it, and how many are ``outside`` ``(R, 33, 2)``, below and above.

        ``azimuths`` ``(3, 1000, 1000)``: of the training events, of as many as the truth has, and
        of ``long_run``; ``seconds`` ``(batches, 2)`` that each batch of the long run took to be
        generated, by the clock and of the processor; ``empty_training`` ``(2, 201)``.

        Args:
            part: which training.
            model: its generator.
            training: the events that it was trained on, ``(n, 26)``.
            reference: the truth.
            progress: of ``compute``.
        """
        rows, drawn = [], [Drawn() for _ in self.readings()]
        for number, prior in enumerate(self.priors()):
            seed = self.stream(_GENERATION, part[0], number)
            counted = Counted(reference, self.held_out)
            for batch in model.generate(reference.events, seed, prior, BATCH):
                counted.add(batch)
                if number < len(drawn):
                    drawn[number].add(batch)
                progress(JUDGED * len(batch))
            rows.append(counted.arrays())
        seed = self.stream(_LONG_RUN, part[0])
        long_run, seconds = _long_run(
            model.generate(self.long_run, seed, self.priors()[0], BATCH), progress
        )
        maps = azimuths(training), drawn[0].azimuths, long_run
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]} | {
            "marginals": np.array([d.marginals for d in drawn], np.uint32),
            "outside": np.array([d.outside for d in drawn], np.uint32),
            "azimuths": np.minimum(maps, np.iinfo(np.uint16).max).astype(np.uint16),
            "seconds": seconds,
            "empty_training": empty_curves(training),
        }

    def layout(self) -> Layout:
        n, drawn = len(self.priors()), len(self.readings())
        return {
            "delta": ("float64", (n, 2)),
            "delta_without": ("float64", (n, 2)),
            "delta_of": ("float64", (n, 2, 2)),
            "dropped": ("float64", (n,)),
            "empty": ("float64", (n, 2, len(GRIDS))),
            "azimuth": ("uint32", (n, MAP_BINS)),
            "negative": ("uint32", (n,)),
            "marginals": ("uint32", (drawn, len(OBSERVABLES), FINE_BINS)),
            "outside": ("uint32", (drawn, len(OBSERVABLES), 2)),
            "azimuths": ("uint16", (3, MAP_BINS, MAP_BINS)),
            "seconds": ("float64", (None, 2)),
            "empty_training": ("float64", (2, len(GRIDS))),
        }

    def faults(self, arrays: Arrays) -> Iterator[str]:
        n, drawn = self.events, (self.training_events, self.events, self.long_run)
        for name in ("delta", "delta_without"):
            yield from estimates(name, arrays[name], 0, 2)
        yield from estimates("delta_of", arrays["delta_of"], 0, GRIDS.max())
        for name in ("dropped", "empty", "empty_training"):
            yield from within(name, arrays[name], 0, 1)
        yield from counting("azimuth", arrays["azimuth"], n, all_of_them=False)
        yield from within("negative", arrays["negative"], 0, n)
        yield from counting("marginals", arrays["marginals"], n)
        # What is outside has been counted in the outermost bins.
        yield from within("outside", arrays["outside"], 0, arrays["marginals"][..., [0, -1]])
        maps = arrays["azimuths"].reshape(len(drawn), -1)
        yield from counting("azimuths", maps, drawn, all_of_them=False)
        yield from finite("seconds", arrays["seconds"])
        yield from within("seconds", arrays["seconds"], 0, np.inf)
        if len(arrays["seconds"]) != -(-self.long_run // BATCH):
            yield f"seconds has {len(arrays['seconds'])} rows of {BATCH} events each"

    def fingerprint(self) -> list[float]:
        """Events of a small untrained network in float64, beside made-up top pairs."""
        import torch

        from amplib.models.buffer import TrainedVAE
        from amplib.models.bvae import Autoencoder
        from amplib.studies.collisions.merit import Reference

        small = replace(
            self, events=TOY_EVENTS, training_events=40, validation_events=20, width=8,
            batch_size=min(self.batch_size, 20), long_run=100,
        )  # fmt: skip
        truth = made_up_top_pairs(TOY_EVENTS, np.random.default_rng(self.seed))
        config = small.source().member((1, 1, 0))
        start = [torch.Generator().manual_seed(1)]
        network = Autoencoder(config, len(TTBAR), start).double()
        model = TrainedVAE.encoding(config, network, TTBAR, truth[:40])
        made = small.kept((0,), model, truth[:40], Reference.of(truth), lambda work: None)
        return [summed(a) for name, a in made.items() if name != "seconds"]


class Counted:
    """A sample for the figures of merit, and its empty bins when there are ``held_out`` events.

    Args:
        reference: what it is judged by.
        held_out: a number of events.
    """

    def __init__(self, reference: Reference, held_out: int):
        self.reference, self.held_out = reference, held_out
        self.sample = reference.sample()
        self.azimuth = np.zeros(MAP_BINS, np.int64)
        self.negative = 0
        self.empty: Array | None = None

    def add(self, events: Events) -> None:
        """Count a batch ``(n, 26)``."""
        first = leading_directions(events)[1][:, 0]
        self.azimuth += np.histogram(first, MAP_BINS, CIRCLE)[0]
        self.negative += int((events[:, TTBAR.index("E_l2")] < 0).sum())
        for piece in np.split(events, [max(self.held_out - self.sample.events, 0)]):
            if len(piece):
                self.sample.add(piece)
            if self.empty is None and self.sample.events == self.held_out:
                self.empty = np.array([f.empty() for f in self.sample.filled.values()])

    def arrays(self) -> Arrays:
        """What is kept of it; see ``TopEvents.kept``."""
        assert self.empty is not None
        merit = self.reference.merit(self.sample)
        pairs = combinations(OBSERVABLES, 2)
        kept = np.array([not {*pair} & {*SECOND_LEPTON} for pair in pairs])
        without = self.sample.pairs.delta(self.reference.histograms, kept)
        return {
            "delta": np.array(merit.delta[:2]),
            "delta_without": np.array(without[:2]),
            "delta_of": np.array([e[:2] for e in merit.delta_of.values()]),
            "dropped": np.array(merit.dropped),
            "empty": self.empty,
            "azimuth": self.azimuth.astype(np.uint32),
            "negative": np.array(self.negative, np.uint32),
        }


class Drawn:
    """The histograms of a sample that are drawn: each observable, and the azimuths' map."""

    def __init__(self) -> None:
        self.marginals = np.zeros((len(OBSERVABLES), FINE_BINS), np.int64)
        self.outside = np.zeros((len(OBSERVABLES), 2), np.int64)
        self.azimuths = np.zeros((MAP_BINS, MAP_BINS), np.int64)

    def add(self, events: Events) -> None:
        """Count a batch ``(n, 26)``."""
        from amplib.studies.collisions.merit import single_precision

        values, bins = single_precision(events), released()
        codes = bins.codes(values, FINE_BINS).T
        self.marginals += [np.bincount(column, minlength=FINE_BINS) for column in codes]
        low, high = bins.limits.T
        self.outside += np.stack([(values < low).sum(0), (values > high).sum(0)], axis=1)
        self.azimuths += azimuths(events)


def azimuths(events: Events) -> NDArray[np.int64]:
    """Map ``(1000, 1000)`` of the two leading jets' azimuths; what is beyond pi is dropped."""
    first, second = leading_directions(events)[1].T
    return np.histogram2d(first, second, MAP_BINS, [CIRCLE, CIRCLE])[0].astype(np.int64)


def empty_curves(events: Events) -> Array:
    """Shares of empty bins in eta and in phi of the two leading jets, ``(2, 201)``."""
    from amplib.metrics.merit import ETA_RANGE, PHI_RANGE, empty_bins

    pairs = zip(leading_directions(events), (ETA_RANGE, PHI_RANGE), strict=True)
    return np.array([empty_bins(two[:, 0], two[:, 1], limits) for two, limits in pairs])


def _long_run(batches: Iterator[Events], progress: Progress) -> tuple[NDArray[np.int64], Array]:
    """The map of all azimuths, and the seconds of each batch: by the clock and of the processor."""
    found, seconds = np.zeros((MAP_BINS, MAP_BINS), np.int64), []
    start = time.perf_counter(), time.process_time()
    for batch in batches:
        seconds.append((time.perf_counter() - start[0], time.process_time() - start[1]))
        found += azimuths(batch)
        progress(len(batch))
        start = time.perf_counter(), time.process_time()
    return found, np.array(seconds)
