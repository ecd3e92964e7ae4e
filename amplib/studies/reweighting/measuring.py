"""From a generator to a measured part: classifiers, weights, and all that weights are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from amplib.cells import Splits
from amplib.metrics.correlations import correlations
from amplib.metrics.outlook import outlook
from amplib.metrics.separation import histograms
from amplib.metrics.weights import clip, dilution
from amplib.models.dctr import DCTR, perceptron, train_dctr
from amplib.models.image_classifier import ImageClassifier
from amplib.models.volumes import SparseImages
from amplib.progress import Progress
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
LEAST = 1e-100
"""Weights are no smaller: those of a classifier that is sure of all showers are compared with each
other all the same, and their squares are not zero."""
LIMITING = 4000
"""Showers of the truth whose quantiles are these ends, the same ones for every part."""

_LIMITS, _TRUTH, _GENERATOR, _HIGH, _LOW, _METRICS, _CELLS = range(7)  # which stream


@dataclass
class Sample:
    """Showers above threshold, by their cells and by what is measured of them."""

    images: SparseImages
    observables: np.ndarray
    """``(N, OBSERVABLES)``, or the first ``INPUTS`` of them, which trainings need."""
    correlated: np.ndarray
    """``(N, 11)``."""

    @classmethod
    def of(
        cls,
        batches: Iterator[Tensor],
        measured_by: Callable[[Tensor], Tensor],
        progress: Progress,
        dtype: torch.dtype,
    ) -> Sample:
        """Of batches ``(batch, layer, x, y)`` as they are made."""
        cells, energies, counts, measured, correlated = [], [], [], [], []
        for batch in batches:
            seen = obs.visible(batch).cpu()
            flat = seen.flatten(1)
            image, cell = flat.nonzero(as_tuple=True)
            cells.append(cell.int())
            energies.append(flat[image, cell].to(dtype))
            counts.append(torch.bincount(image, minlength=len(flat)))
            measured.append(measured_by(seen).numpy())
            correlated.append(obs.correlated(seen).numpy())
            progress(len(batch))
        cell, energy, count = map(torch.cat, (cells, energies, counts))
        images = SparseImages(cell, energy, count, ILD_ECAL.shape)
        return cls(images, np.concatenate(measured), np.concatenate(correlated))

    def __len__(self) -> int:
        return len(self.images)

    @property
    def inputs(self) -> np.ndarray:
        """Of the high-level classifier, ``(N, 33)``."""
        return self.observables[:, :INPUTS]


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
) -> Arrays:
    """Train both classifiers, weight other generated showers with them, and judge these.

    Args:
        study: the truth and the classifiers.
        part: whose random streams to use.
        generate: the generator.
        device: ``cpu`` or ``cuda``, of simulation and of the low-level classifier.
        progress: told the work done.
        dtype: of the networks.

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
    drawn = samples(study.truth(), wanted, device, after=study.seen)
    truth = _measured(drawn, _ignored, dtype)
    seeds = study.stream(part, _GENERATOR).spawn(2)
    sizes_made = study.generated, study.test_events
    made = _measured(map(generate, sizes_made, seeds), progress, dtype)
    limits = _limits(study)
    high = _high_level(study, part, truth[0], made[0], dtype)
    low = _low_level(study, part, truth[0], made[0], device, progress, dtype)
    real, again, test = truth[1], truth[2], made[1]
    raw = {
        "high": [np.maximum(high.weights(s.inputs), LEAST) for s in (real, test)],
        "low": [np.maximum(_low_weights(low, s, device), LEAST) for s in (real, test)],
    }
    most = {"high": study.largest, "low": study.low_largest}
    weights = {name: clip(raw[name][1], most[name]) for name in raw}
    told = [outlook(of_real, of_made, most[n]) for n, (of_real, of_made) in raw.items()]
    return {
        **_in_cells(study, part, (real, again, test), [w.weights for w in weights.values()]),
        **_in_bins(limits, (real, again, test), [w.weights for w in weights.values()]),
        **_spreads(study, part, real, test, [w.weights for w in weights.values()]),
        "correlations": np.array(
            [correlations(s.correlated) for s in (real, again, test)]
            + [correlations(test.correlated, w.weights) for w in weights.values()]
        ),
        "outlook": np.array([t.estimates() for t in told]),
        "clipped": np.array([[w.clipped, w.cut] for w in weights.values()]),
        "weights": np.array([[_log_histogram(w) for w in both] for both in raw.values()]),
        **_compared(weights["low"].weights, weights["high"].weights),
        "temperature": np.array([high.temperature, low.temperature]),
        "high_losses": high.losses.astype(np.float32),
        "low_losses": low.losses.astype(np.float32),
    }


def _measured(
    drawn: Iterable[Iterator[Tensor]], progress: Progress, dtype: torch.dtype
) -> list[Sample]:
    """The first is to train on, of which less is measured."""
    measures = obs.high_level, observables, observables
    return [Sample.of(d, m, progress, dtype) for d, m in zip(drawn, measures, strict=False)]


def _ignored(work: float) -> None:
    """The truth is simulated much faster than anything else is done."""


def _limits(study: Reweighting) -> np.ndarray:
    """Ends of the observables' histograms, ``(OBSERVABLES, 2)``, the same for every part."""
    n = min(LIMITING, 10 * study.test_events)
    if study.source == "published":
        n = min(n, study.events)
    (batches,) = samples(study.truth(), [(n, study.stream(_LIMITS))], after=study.seen)
    values = np.concatenate([observables(obs.visible(b)).numpy() for b in batches])
    low, high = np.quantile(values, [TAIL, 1 - TAIL], axis=0).astype(float)
    return np.stack([low, np.where(high > low, high, low + 1)], 1)


def _high_level(
    study: Reweighting, part: int, truth: Sample, made: Sample, dtype: torch.dtype
) -> DCTR:
    start, training = study.stream(part, _HIGH).spawn(2)
    n = study.high_level
    generator = torch.Generator().manual_seed(int(start.generate_state(1)[0]))
    network = perceptron(truth.inputs[:n], study.hidden, generator).to(dtype)
    return train_dctr(network, truth.inputs[:n], made.inputs[:n], study.high_training(), training)


def _low_level(
    study: Reweighting,
    part: int,
    truth: Sample,
    made: Sample,
    device: str,
    progress: Progress,
    dtype: torch.dtype,
) -> DCTR:
    start, training = study.stream(part, _LOW).spawn(2)
    images = truth.images.joined(made.images).to(device)
    network = ImageClassifier(images, study.filters, start, study.precision).to(device, dtype)
    left = study.classified

    def report(steps: float) -> None:
        nonlocal left
        done = min(left, study.classified / study.low_steps * steps)
        left -= done
        progress(done)

    first, second = np.split(np.arange(len(images))[:, None], [len(truth)])
    dctr = train_dctr(network, first, second, study.low_training(), training, progress=report)
    progress(left)
    return dctr


def _low_weights(dctr: DCTR, sample: Sample, device: str) -> np.ndarray:
    assert isinstance(dctr.network, ImageClassifier)
    network = dctr.network.on(sample.images.to(device))
    rows = np.arange(len(sample))[:, None]
    return DCTR(network, dctr.temperature, dctr.losses).weights(rows)


def _in_cells(
    study: Reweighting,
    part: int,
    samples: tuple[Sample, Sample, Sample],
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
    limits: np.ndarray, samples: tuple[Sample, Sample, Sample], weights: list[np.ndarray]
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


def _spreads(
    study: Reweighting, part: int, real: Sample, test: Sample, weights: list[np.ndarray]
) -> Arrays:
    rng = np.random.default_rng(study.stream(part, _METRICS))
    all_weights = (np.ones(len(test)), *weights)
    both = real.observables, test.observables
    return {"dilution": np.array([dilution(*both, w, rng) for w in all_weights])}


def _compared(low: np.ndarray, high: np.ndarray) -> Arrays:
    pearson = correlations(np.stack([low, high], 1)).at(0, 1)
    return {
        "pairs": np.stack([low, high], 1)[:PAIRS].astype(np.float32),
        "pearson": np.array(pearson[:2]),
    }


def _log_histogram(weights: np.ndarray) -> np.ndarray:
    """Counts of log10 W; what is outside of ``LOG_WEIGHTS`` is in the first and the last."""
    with np.errstate(divide="ignore"):
        place = np.searchsorted(LOG_WEIGHTS, np.log10(weights), side="right")
    return np.bincount(place, minlength=len(LOG_WEIGHTS) + 1)


def tiny_run(study: Reweighting, made: ShowerConfig) -> list[float]:
    """Sums of all arrays of a part in float64, for a fingerprint.

    Args:
        study: made small.
        made: of simulated showers that stand in for generated ones.
    """

    def generate(n: int, seed: np.random.SeedSequence) -> Iterator[Tensor]:
        return simulated(made, n, seed)

    with double_precision():
        arrays = measure(study, 0, generate, "cpu", _ignored, torch.float64)
    return [summed(np.nan_to_num(a.astype(float), posinf=0.0)) for a in arrays.values()]
