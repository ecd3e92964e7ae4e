"""From a generator to a measured part: classifiers, weights, and all that weights are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from amplib.cells import Splits
from amplib.metrics.correlations import correlations
from amplib.metrics.outlook import outlook
from amplib.metrics.separation import histograms
from amplib.metrics.weighed import LEAST
from amplib.metrics.weights import clip, dilution, log_histogram
from amplib.models.checkpoint import Checkpoint
from amplib.models.dctr import DCTR, finished, perceptron, steps_kept, train_dctr
from amplib.models.image_classifier import ImageClassifier
from amplib.models.volumes import JoinedImages, SparseImages
from amplib.progress import Again, Budget, Progress
from amplib.store.study import Arrays, summed
from amplib.studies.reweighting.study import (
    BINS,
    IN_CELLS,
    INPUTS,
    LOG_WEIGHTS,
    PAIRS,
    Reweighting,
)
from amplib.studies.showers.sampling import samples, simulated
from amplib.truth.showers import observables as obs
from amplib.truth.showers.config import ShowerConfig
from amplib.truth.showers.geometry import ILD_ECAL
from amplib.truth.showers.shower import double_precision

TAIL = 0.002
"""Of the truth, beyond either end of an observable's histogram."""
LIMITING = 4000
"""Showers of the truth whose quantiles are these ends, the same ones for every part."""

HIGH, LOW = "high-level", "low-level"
"""Where a checkpoint keeps the classifiers."""
NO_IMAGES = SparseImages.of(np.zeros(0), np.zeros(0), np.zeros(0), ILD_ECAL.shape)
"""What a network looks at that waits for some."""

CELLS = torch.int16
"""That number the cells of a shower: six bytes a hit instead of eight."""

PIECE = 10_000
"""Showers whose cells are kept in one piece: all in one would, as they grow, be there twice."""

_LIMITS, _TRUTH, _GENERATOR, _HIGH, _LOW, _METRICS, _CELLS = range(7)  # which stream


@dataclass(eq=False)
class Measured:
    """What is measured of showers above threshold."""

    observables: np.ndarray
    """``(N, OBSERVABLES)``, or the first ``INPUTS`` of them, which trainings need."""
    correlated: np.ndarray
    """``(N, 11)``."""

    def __len__(self) -> int:
        return len(self.observables)

    @property
    def inputs(self) -> np.ndarray:
        """Of the high-level classifier, ``(N, 33)``."""
        return self.observables[:, :INPUTS]


@dataclass
class Sample(Measured):
    """Showers with their cells, which take most of the memory."""

    images: JoinedImages

    @classmethod
    def of(
        cls,
        batches: Iterator[Tensor],
        measured_by: Callable[[Tensor], Tensor],
        progress: Progress,
        dtype: torch.dtype,
    ) -> Sample:
        """Of batches ``(batch, layer, x, y)`` as they are made."""
        pieces: list[SparseImages] = []
        waiting, measured, correlated = [], [], []
        for batch in batches:
            seen = obs.visible(batch)
            waiting.append(_sparse(seen, dtype))
            measured.append(measured_by(seen).cpu().numpy())
            correlated.append(obs.correlated(seen).cpu().numpy())
            if sum(map(len, waiting)) >= PIECE:
                pieces, waiting = [*pieces, SparseImages.in_one(waiting)], []
            progress(len(batch))
        images = JoinedImages([*pieces, *waiting])
        return cls(np.concatenate(measured), np.concatenate(correlated), images)

    def without_images(self) -> Measured:
        """What is left when no classifier has to see them any more."""
        return Measured(self.observables, self.correlated)


def _sparse(showers: Tensor, dtype: torch.dtype) -> SparseImages:
    flat = showers.flatten(1)
    image, cell = flat.nonzero(as_tuple=True)
    count = torch.bincount(image, minlength=len(flat))
    cells, values = cell.to(CELLS), flat[image, cell].to(dtype)
    return SparseImages(cells.cpu(), values.cpu(), count.cpu(), ILD_ECAL.shape)


def observables(showers: Tensor) -> Tensor:
    """Inputs of the high-level classifier, second moments along x and along y, differences."""
    moments = [obs.second_moments(showers, axis) for axis in "xy"]
    return torch.cat([obs.high_level(showers), *moments, obs.differences(showers)], 1)


Generate = Callable[[int, np.random.SeedSequence], Iterator[Tensor]]
"""So many generated showers of a random stream, in batches ``(batch, layer, x, y)``, MeV."""


def measure(
    study: Reweighting,
    part: int,
    generate: Generate,
    device: str,
    progress: Progress,
    dtype: torch.dtype = torch.float32,
    checkpoint: Checkpoint | None = None,
) -> Arrays:
    """Train both classifiers, weight other generated showers with them, and judge these.

    Showers are not kept in a checkpoint, but made again: as long as the classifiers are trained,
    all of those that they are trained on.

    Args:
        study: the truth and the classifiers.
        part: whose random streams to use.
        generate: the generator.
        device: ``cpu`` or ``cuda``, of simulation and of the low-level classifier.
        progress: told the work done.
        dtype: of the networks.
        checkpoint: keeps the classifiers, and the low-level one's weights.

    Returns:
        ``cells_<q>`` ``(4, 2, q)``: of a second sample of the truth, of the generator and of it
        with weights of mean one, high-level first, the sums of weights and of their squares in
        cells of equal mass, cut from ``cut_from`` showers of the truth.

        ``histograms`` ``(5, OBSERVABLES, BINS)`` of ``SAMPLES`` between ``limits``, with weights of
        mean one, and ``squares`` of those of the last two; ``outside``: shares of truth, generator
        and weighted generator (high-level) that lie beyond them.  ``dilution``
        ``(3, 2, OBSERVABLES)``: r and its error of the generator without weights, with high-level
        and with low-level ones.  ``correlations`` ``(5, 2, 11, 11)`` of ``SAMPLES``, with errors.

        For both classifiers: ``outlook`` its six estimates; ``clipped`` how many weights, and their
        share of the sum; ``weights`` ``(2, 2, bins)`` counts of log10 W of truth and generator
        before clipping, what is beyond the bins at the ends; ``temperature``; ``losses``.
        ``pairs`` ``(PAIRS, 2)`` weights of single showers, low-level first, and ``pearson`` the
        correlation of all of them with its error.
    """
    sizes = study.events, study.test_events, study.test_events
    wanted = list(zip(sizes, study.stream(part, _TRUTH).spawn(3), strict=True))
    to_train, *to_test = samples(study.truth(), wanted, device, after=study.seen)
    seed, test_seed = study.stream(part, _GENERATOR).spawn(2)
    run = _Run.of(study, part, device, progress, dtype, checkpoint)
    high, low = run.trained_before() or run.trained(to_train, generate(study.generated, seed))
    limits = _limits(study)
    real, of_real = run.weighed(to_test[0], run.poll, low, "truth")
    again = Sample.of(to_test[1], observables, run.poll, dtype).without_images()
    test, of_test = run.weighed(
        generate(study.test_events, test_seed), run.progress, low, "generated"
    )
    raw = {
        "high": [np.maximum(high.weights(s.inputs), LEAST) for s in (real, test)],
        "low": [np.maximum(w, LEAST) for w in (of_real, of_test)],
    }
    run.progress(study.measured)
    most = {"high": study.largest, "low": study.low_largest}
    weights = {name: clip(raw[name][1], most[name]) for name in raw}
    told = [outlook(of_real, of_made, most[n]) for n, (of_real, of_made) in raw.items()]
    return {
        **_in_cells(study, part, (real, again, test), [w.weights for w in weights.values()]),
        **_in_bins(limits, (real, again, test), [w.weights for w in weights.values()]),
        **_spreads(run, real, test, [w.weights for w in weights.values()]),
        "correlations": np.array(
            [correlations(s.correlated) for s in (real, again, test)]
            + [correlations(test.correlated, w.weights) for w in weights.values()]
        ),
        "outlook": np.array([t.estimates() for t in told]),
        "clipped": np.array([[w.clipped, w.cut] for w in weights.values()]),
        "weights": np.array(
            [[log_histogram(w, LOG_WEIGHTS) for w in both] for both in raw.values()]
        ),
        **_compared(weights["low"].weights, weights["high"].weights),
        "temperature": np.array([high.temperature, low.temperature]),
        "high_losses": high.losses.astype(np.float32),
        "low_losses": low.losses.astype(np.float32),
    }


@dataclass(frozen=True)
class _Run:
    """Where a part is computed, and how its classifiers come about.

    Args:
        study, part, device, progress, dtype, checkpoint: as of ``measure``.
    """

    study: Reweighting
    part: int
    device: str
    progress: Progress
    dtype: torch.dtype
    checkpoint: Checkpoint | None

    @classmethod
    def of(
        cls,
        study: Reweighting,
        part: int,
        device: str,
        progress: Progress,
        dtype: torch.dtype,
        checkpoint: Checkpoint | None,
    ) -> _Run:
        """One that reports at once what an earlier run has done."""
        run = cls(study, part, device, progress, dtype, checkpoint)
        before = run.done_before()
        return replace(run, progress=Again(before, progress)) if before else run

    def kept(self, name: str) -> Checkpoint | None:
        """This part's place for a piece of work."""
        return self.checkpoint and self.checkpoint.at(name)

    def done_before(self) -> float:
        """Work that an earlier run has reported, once the low-level classifier is begun."""
        kept, study = self.kept(LOW), self.study
        steps = steps_kept(kept) if kept else 0
        return study.generated + study.classified * steps / study.low_steps if steps else 0.0

    def poll(self, work: float) -> None:
        """Asked now and then, in what is no part of the work reported, whether to stop."""
        self.progress(0.0)

    def networks(self) -> tuple[torch.nn.Module, ImageClassifier]:
        """Like those that are trained, for weights that are kept."""
        start, _ = self.study.stream(self.part, _LOW).spawn(2)
        high = perceptron(np.zeros((2, INPUTS)), self.study.hidden, torch.Generator())
        low = ImageClassifier(NO_IMAGES, self.study.filters, start, self.study.precision)
        return high.to(self.dtype), low.to(self.device, self.dtype)

    def trained_before(self) -> tuple[DCTR, DCTR] | None:
        """Both classifiers of an earlier run, if their trainings have ended."""
        if self.checkpoint is None:
            return None
        places = [self.checkpoint.at(name) for name in (HIGH, LOW)]
        high, low = map(finished, self.networks(), places)
        if not (high and low):
            return None
        self.progress(self.study.generated + self.study.classified)
        return high, low

    def trained(self, truth: Iterator[Tensor], made: Iterator[Tensor]) -> tuple[DCTR, DCTR]:
        """High-level and low-level classifier, which hold none of these showers."""
        real = Sample.of(truth, obs.high_level, self.poll, self.dtype)
        generated = Sample.of(made, obs.high_level, self.progress, self.dtype)
        return self.high_level(real, generated), self.low_level(real, generated)

    def high_level(self, truth: Sample, made: Sample) -> DCTR:
        """The classifier of observables."""
        study = self.study
        start, training = study.stream(self.part, _HIGH).spawn(2)
        x, y = (s.inputs[: study.high_level] for s in (truth, made))
        generator = torch.Generator().manual_seed(int(start.generate_state(1)[0]))
        network = perceptron(x, study.hidden, generator).to(self.dtype)
        how, kept = study.high_training(), self.kept(HIGH)
        return train_dctr(network, x, y, how, training, progress=self.poll, checkpoint=kept)

    def low_level(self, truth: Sample, made: Sample) -> DCTR:
        """The classifier of images."""
        study = self.study
        start, training = study.stream(self.part, _LOW).spawn(2)
        images = truth.images.joined(made.images).to(self.device)
        network = ImageClassifier(images, study.filters, start, study.precision)
        network.to(self.device, self.dtype)
        first, second = np.split(np.arange(len(images))[:, None], [len(truth)])
        left, a_step = Budget(study.classified, self.progress), study.classified / study.low_steps
        how, kept = study.low_training(), self.kept(LOW)
        dctr = train_dctr(
            network,
            first,
            second,
            how,
            training,
            progress=lambda steps: left.spend(a_step * steps),
            checkpoint=kept,
        )
        left.spend_all()
        return DCTR(network.on(NO_IMAGES), dctr.temperature, dctr.losses)

    def weighed(
        self, showers: Iterator[Tensor], told: Progress, low: DCTR, name: str
    ) -> tuple[Measured, np.ndarray]:
        """What is measured of showers, and their low-level weights, kept under this name."""
        sample = Sample.of(showers, observables, told, self.dtype)
        assert isinstance(low.network, ImageClassifier)
        network = low.network.on(sample.images.to(self.device))
        rows, kept = np.arange(len(sample))[:, None], self.kept(name)
        dctr, each = DCTR(network, low.temperature, low.losses), self.study.weighed / 2 / len(rows)
        weights = dctr.weights(rows, lambda n: self.progress(each * n), kept)
        return sample.without_images(), weights


def _limits(study: Reweighting) -> np.ndarray:
    """Ends of the observables' histograms, ``(OBSERVABLES, 2)``, the same for every part."""
    n = min(LIMITING, 10 * study.test_events)
    if study.source == "published":
        n = min(n, study.events)
    (batches,) = samples(study.truth(), [(n, study.stream(_LIMITS))], after=study.seen)
    values = np.concatenate([observables(obs.visible(b)).numpy() for b in batches])
    low, high = np.quantile(values, [TAIL, 1 - TAIL], axis=0).astype(float)
    return np.stack([low, np.where(high > low, high, low + 1)], 1)


def _in_cells(
    study: Reweighting,
    part: int,
    samples: tuple[Measured, Measured, Measured],
    weights: list[np.ndarray],
) -> Arrays:
    rng = np.random.default_rng(study.stream(part, _CELLS))
    real, again, test = (_without_ties(s.observables[:, IN_CELLS], rng) for s in samples)
    one = np.ones(len(test))
    counted = [(again, one), (test, one), *((test, w / w.mean()) for w in weights)]
    cells = {q: Splits(real, q) for q in study.quantiles}
    arrays: Arrays = {
        f"cells_{q}": np.array([[np.bincount(c(of), v, q) for v in (w, w**2)] for of, w in counted])
        for q, c in cells.items()
    }
    return arrays | {"cut_from": np.array([c.size for c in cells.values()])}


def _without_ties(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Spread over the step of one cell, and empty layers by next to nothing: equal values cannot
    be cut into cells of equal mass."""
    step = np.where(np.array(IN_CELLS) == 0, 1.0, 1e-6)
    return values.astype(float) + step * rng.random(values.shape)


def _in_bins(
    limits: np.ndarray, samples: tuple[Measured, Measured, Measured], weights: list[np.ndarray]
) -> Arrays:
    real, _, test = samples
    drawn = [histograms(s.observables, limits, BINS) for s in samples]
    weighted = [histograms(test.observables, limits, BINS, w / w.mean()) for w in weights]
    sums = [len(real), len(test), len(test)]
    of = [drawn[0], drawn[2], weighted[0]]
    outside = [1 - h.contents.sum(1) / n for h, n in zip(of, sums, strict=True)]
    return {
        "limits": limits,
        "histograms": np.stack([h.contents for h in (*drawn, *weighted)]).astype(np.float32),
        "squares": np.stack([h.squares for h in weighted]).astype(np.float32),
        "outside": np.stack(outside).astype(np.float32),
    }


def _spreads(run: _Run, real: Measured, test: Measured, weights: list[np.ndarray]) -> Arrays:
    rng = np.random.default_rng(run.study.stream(run.part, _METRICS))
    both, found = (real.observables, test.observables), []
    for w in (np.ones(len(test)), *weights):
        run.poll(0)
        found.append(dilution(*both, w, rng))
    return {"dilution": np.array(found)}


def _compared(low: np.ndarray, high: np.ndarray) -> Arrays:
    pearson = correlations(np.stack([low, high], 1)).at(0, 1)
    return {
        "pairs": np.stack([low, high], 1)[:PAIRS].astype(np.float32),
        "pearson": np.array(pearson[:2]),
    }


def tiny_run(study: Reweighting, made: ShowerConfig) -> list[float]:
    """Sums of all arrays of a part in float64, for a fingerprint.

    Args:
        study: made small.
        made: of simulated showers that stand in for generated ones.
    """

    def generate(n: int, seed: np.random.SeedSequence) -> Iterator[Tensor]:
        return simulated(made, n, seed)

    with double_precision():
        arrays = measure(study, 0, generate, "cpu", lambda work: None, torch.float64)
    return [summed(np.nan_to_num(a.astype(float), posinf=0.0)) for a in arrays.values()]
