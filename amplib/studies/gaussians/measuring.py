"""What is measured of a GAN before and after reweighting, on events that no classifier has seen."""

from __future__ import annotations

import numpy as np
import torch

from amplib.metrics.outlook import outlook
from amplib.metrics.separation import histograms
from amplib.metrics.two_sample import auc, sliced_wasserstein
from amplib.metrics.weights import (
    Clipped,
    clip,
    dilution,
    expectation,
    log_histogram,
    needed_events,
)
from amplib.models.checkpoint import Checkpoint
from amplib.models.dctr import DCTR, perceptron, train_dctr
from amplib.progress import Progress
from amplib.store.study import Arrays
from amplib.studies.gaussians.study import (
    BINS,
    LOG_WEIGHTS,
    SLICED_EVENTS,
    MixtureStudy,
    observable_names,
)
from amplib.truth.mixtures import EqualGaussians

TAIL = 1e-3
"""Of the truth, beyond either end of an observable's histogram."""
CLASSIFIERS = ("classifier", "judge")
"""Their names in a checkpoint."""

_TRUTH, _CLASSIFIER, _TEST, _JUDGE, _METRICS = range(1, 6)  # which stream of a part; 0: its GAN


def observables(truth: EqualGaussians, x: np.ndarray) -> np.ndarray:
    """Of points ``(N, d)``: those of ``observable_names``, and of every mode whether it is the
    nearest one, ``(N, F + K)``."""
    mode, distance = truth.nearest(x)
    nearest = mode[:, None] == np.arange(len(truth.means))
    if truth.dimension == 1:
        columns = [x, x**2, abs(x), distance[:, None]]
    else:
        radius = np.linalg.norm(x - truth.means.mean(0), axis=1)
        product = x.prod(1, keepdims=True)
        columns = [x, x**2, product, radius[:, None], distance[:, None]]
    return np.concatenate([*columns, nearest], axis=1, dtype=float)


def measure(
    study: MixtureStudy,
    part: int,
    generated: np.ndarray,
    progress: Progress,
    dtype: torch.dtype = torch.float32,
    checkpoint: Checkpoint | None = None,
) -> Arrays:
    """Train a classifier on generated events, reweight others with it, and judge those.

    Args:
        study: the mixture and its parameters.
        part: whose random streams to use.
        generated: ``(N, d)``, for the first classifier, for the second, and for the test.
        progress: told the steps of the classifiers.
        dtype: of the networks.
        checkpoint: keeps the classifiers.

    Returns:
        ``cells`` ``(4, cells)``: contents of the cells of the truth, of the GAN and of the weighted
        GAN, and its squares; ``outside`` shares of truth and GAN beyond them.
        ``observables`` ``(4, F, BINS)`` likewise, between ``limits``.
        ``means`` ``(3, 2, F + K)``: mean and error for truth, GAN, weighted GAN, of observables and
        of the shares of the modes; ``dilution`` r and its error by bootstrap, ``needed`` N_G / N_T
        and its error by eq. 9.
        ``outlook`` its six estimates, ``clipped`` how many weights of the test, with the cut;
        ``weights`` counts of their logarithm, for truth and GAN, those outside of the bins
        at the ends.
        ``auc_after`` of the second classifier, ``distance`` sliced Wasserstein of GAN, weighted GAN
        and other events of the truth.
        ``losses`` and ``judge_losses`` ``(epochs, 2)`` training and validation.
    """
    truth = study.truth()
    for_first, for_second, test = np.split(
        generated.astype(np.float64), np.cumsum([study.events, study.judged_events])
    )
    rng = np.random.default_rng(study.stream(part, _TRUTH))
    kept, kept_judge = (checkpoint and checkpoint.at(name) for name in CLASSIFIERS)
    real = truth.sample(study.events, rng)
    dctr = _classifier(study, part, real, for_first, progress, dtype, kept)

    real = truth.sample(len(test), np.random.default_rng(study.stream(part, _TEST)))
    of_real, raw = dctr.weights(real), dctr.weights(test)
    weights = clip(raw, study.largest).weights
    told = outlook(of_real, raw, study.largest)

    second = clip(dctr.weights(for_second), study.largest)
    judge = _judge(study, part, for_second, second, progress, dtype, kept_judge)
    after = auc(judge.logits(real), judge.logits(test), generated_weights=weights)

    numbers = np.random.default_rng(study.stream(part, _METRICS))
    measured = _of_observables(truth, real, test, weights, numbers)
    some = slice(SLICED_EVENTS)
    other = truth.sample(len(real[some]), numbers)
    distances = [
        sliced_wasserstein(real[some], test[some], numbers),
        sliced_wasserstein(real[some], test[some], numbers, weights[some]),
        sliced_wasserstein(real[some], other, numbers),
    ]
    return {
        **_in_cells(study, real, test, weights),
        **measured,
        "outlook": told.estimates(),
        "clipped": np.array([told.clipped, told.cut]),
        "weights": np.stack([log_histogram(w, LOG_WEIGHTS) for w in (of_real, raw)]),
        "auc_after": np.array(after[:2]),
        "distance": np.array([d[:2] for d in distances]),
        "losses": dctr.losses.astype(np.float32),
        "judge_losses": judge.losses.astype(np.float32),
    }


def _classifier(
    study: MixtureStudy,
    part: int,
    real: np.ndarray,
    generated: np.ndarray,
    progress: Progress,
    dtype: torch.dtype,
    checkpoint: Checkpoint | None,
) -> DCTR:
    start, training = study.stream(part, _CLASSIFIER).spawn(2)
    network = _network(study, real, start, dtype)
    return train_dctr(
        network,
        real,
        generated,
        study.training(),
        training,
        progress=progress,
        checkpoint=checkpoint,
    )


def _judge(
    study: MixtureStudy,
    part: int,
    generated: np.ndarray,
    weights: Clipped,
    progress: Progress,
    dtype: torch.dtype,
    checkpoint: Checkpoint | None,
) -> DCTR:
    """A classifier of new events of the truth against weighted ones."""
    events, start, training = study.stream(part, _JUDGE).spawn(3)
    real = study.truth().sample(len(generated), np.random.default_rng(events))
    return train_dctr(
        _network(study, real, start, dtype),
        real,
        generated,
        study.judge(),
        training,
        generated_weights=weights.weights,
        progress=progress,
        checkpoint=checkpoint,
    )


def _network(
    study: MixtureStudy, like: np.ndarray, seed: np.random.SeedSequence, dtype: torch.dtype
) -> torch.nn.Module:
    generator = torch.Generator().manual_seed(int(seed.generate_state(1)[0]))
    return perceptron(like, study.hidden, generator).to(dtype)


def _in_cells(
    study: MixtureStudy, real: np.ndarray, test: np.ndarray, weights: np.ndarray
) -> Arrays:
    low, high = study.range

    def counted(x: np.ndarray, w: np.ndarray | None = None) -> np.ndarray:
        edges = [np.linspace(low, high, study.cells + 1)] * x.shape[1]
        return np.histogramdd(x, edges, weights=w)[0].ravel()

    contents = [
        counted(real),
        counted(test),
        counted(test, weights),
        counted(test, weights**2),
    ]
    outside = [1 - c.sum() / len(x) for c, x in zip(contents, (real, test), strict=False)]
    return {"cells": np.stack(contents), "outside": np.array(outside)}


def _of_observables(
    truth: EqualGaussians,
    real: np.ndarray,
    test: np.ndarray,
    weights: np.ndarray,
    rng: np.random.Generator,
) -> Arrays:
    count = len(observable_names(truth.dimension))
    t, g = observables(truth, real), observables(truth, test)
    limits = np.quantile(t[:, :count], [TAIL, 1 - TAIL], axis=0).T
    ones = np.ones(len(g))
    drawn = [histograms(x[:, :count], limits, BINS, w) for x, w in ((t, ones), (g, ones))]
    weighted = histograms(g[:, :count], limits, BINS, weights)
    means = [expectation(x, w) for x, w in ((t, None), (g, None), (g, weights))]
    return {
        "limits": limits,
        "observables": np.stack(
            [*(h.contents for h in drawn), weighted.contents, weighted.squares]
        ),
        "means": np.array([[m.value, m.error] for m in means]),
        "dilution": np.array(dilution(t, g, weights, rng)),
        "needed": np.array(needed_events(g, weights)),
    }
