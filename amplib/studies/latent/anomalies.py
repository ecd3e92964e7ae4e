"""Reconstruction losses as a score of anomalies (event paper, sec. V)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from amplib.metrics.two_sample import auc, boosted_test
from amplib.models.buffer import TrainedVAE
from amplib.store.study import Arrays
from amplib.studies.latent.charts import FALSE_ALARMS, LOSS_BINS, SCORES
from amplib.truth.collisions.observables import observables

Array = NDArray[np.float64]


def scored(model: TrainedVAE, top_pairs: Array, others: Array, rng: np.random.Generator) -> Arrays:
    """What the scores say of top pairs and of another process.

    ``auc`` ``(2, 2)``: for each of ``SCORES`` the probability that an event of the other process
    has the higher one, with DeLong's error; ``found`` ``(2, 62)``: its share above the threshold
    that ``FALSE_ALARMS`` of the top pairs pass; ``histograms`` ``(2, 2, 100)``: counts of the
    scores of top pairs and of others; ``columns`` ``(2, 26)``: mean squared errors of these in
    units of a column's largest modulus; ``supervised`` ``(4,)`` as of ``TwoSampleTest``: of
    boosted trees that see one half of both, which no loss can be expected to reach.

    Args:
        model: trained on top pairs.
        top_pairs: that it has not been trained on, ``(N, 26)``, MeV.
        others: of the other process, ``(M, 26)``.
        rng: of the trees.
    """
    scale = model.scale.double().cpu().numpy()
    squares = [((model.reconstruct(x) - x) / scale) ** 2 for x in (top_pairs, others)]
    usual = squares[0].mean(0)
    scores = [weighed(s, usual) for s in squares]
    pairs = list(zip(*scores, strict=True))
    test = boosted_test(observables(others), observables(top_pairs), rng, permutations=99)
    return {
        "auc": np.array([auc(theirs, ours)[:2] for ours, theirs in pairs]),
        "found": np.array([roc(ours, theirs) for ours, theirs in pairs]),
        "histograms": np.array([[counted(x) for x in pair] for pair in pairs], np.int64),
        "columns": np.array([s.mean(0) for s in squares]),
        "supervised": np.array([*test.auc[:2], test.p, test.null]),
    }


def roc(usual: Array, anomalous: Array) -> Array:
    """Share of ``anomalous`` scores above the thresholds that ``FALSE_ALARMS`` of the ``usual``
    ones exceed."""
    thresholds = np.quantile(usual, 1 - FALSE_ALARMS)
    thresholds[-1] = -np.inf
    return np.array([(anomalous > t).mean() for t in thresholds])


def counted(scores: Array) -> NDArray[np.int64]:
    """In ``LOSS_BINS``."""
    inside = np.clip(scores, LOSS_BINS[0], LOSS_BINS[-1] * (1 - 1e-9))
    return np.histogram(inside, LOSS_BINS)[0]


def losses(model: TrainedVAE, events: Array) -> dict[str, Array]:
    """Both of ``SCORES`` of each top pair ``(N, 26)``, ``(N,)`` each."""
    scale = model.scale.double().cpu().numpy()
    squares = ((model.reconstruct(events) - events) / scale) ** 2
    return dict(zip(SCORES, weighed(squares, squares.mean(0)), strict=True))


def weighed(squares: Array, usual: Array) -> tuple[Array, Array]:
    """The scores of squared errors ``(N, 26)``, where those of top pairs are ``usual``."""
    return squares.mean(1), (squares / np.where(usual > 0, usual, 1)).mean(1)
