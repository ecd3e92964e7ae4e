"""What is measured of a classifier where the density ratio is known, on events that it has not
seen."""

from __future__ import annotations

import numpy as np
import torch

from amplib.metrics.weights import effective_share, expectation, mean_weight
from amplib.models.checkpoint import Checkpoint
from amplib.models.dctr import perceptron, train_dctr
from amplib.progress import Budget, Progress
from amplib.store.study import Arrays, Part, summed
from amplib.studies.known.study import LOG_RATIO, NAMES, KnownRatios
from amplib.truth.pairs import PAIRS, observables


def measure(
    study: KnownRatios,
    part: Part,
    progress: Progress,
    dtype: torch.dtype = torch.float32,
    checkpoint: Checkpoint | None = None,
) -> Arrays:
    """Train a classifier on events of a pair, and compare its weights on others with the ratio.

    Args:
        study: how.
        part: (i, k), the pair and the training.
        progress: told the steps of the classifier.
        dtype: of the network.
        checkpoint: keeps the classifier.

    Returns:
        ``means`` ``(3, F, 2)``: expectations of ``pairs.observables`` over generated events and
        their errors over these events, with the weights of ``WEIGHTS``.
        ``weights`` ``(2, 2, 2)``: of the learned and the exact ones the mean and the effective
        share, with their errors.
        ``counts`` ``(cells,)`` of test events of both kinds in bins of the exact ln W, and
        ``deviations`` ``(3, cells)``: sums of the exact ln W, of the learned one less the exact
        one, and of its square.
        ``losses`` ``(epochs, 2)`` training and validation.
    """
    pair = PAIRS[NAMES[part[0]]]
    events, start, training, test = study.stream(*part).spawn(4)
    rng = np.random.default_rng(events)
    real, made = pair.real(study.events, rng), pair.made(study.events, rng)
    hidden = study.hidden_1d if pair.dimension == 1 else study.hidden
    generator = torch.Generator().manual_seed(int(start.generate_state(1)[0]))
    network = perceptron(real, hidden, generator).to(dtype)
    left = Budget(study.steps, progress)
    dctr = train_dctr(
        network,
        real,
        made,
        study.training(),
        training,
        progress=left.spend,
        checkpoint=checkpoint,
    )
    left.spend_all()

    rng = np.random.default_rng(test)
    real, made = pair.real(study.test_events, rng), pair.made(study.test_events, rng)
    learned, exact = dctr.weights(made), np.exp(pair.log_ratio(made))
    means = [expectation(observables(made), w) for w in (learned, exact, None)]
    weighed = [[mean_weight(w)[:2], effective_share(w)[:2]] for w in (learned, exact)]
    both = np.concatenate([real, made])
    return {
        "means": np.stack([np.stack(m, -1) for m in means]),
        "weights": np.array(weighed),
        **_in_bins(pair.log_ratio(both), dctr.logits(both)),
        "losses": dctr.losses.astype(np.float32),
    }


def _in_bins(exact: np.ndarray, learned: np.ndarray) -> Arrays:
    """Of ln W ``(N,)``."""
    cell, off = np.searchsorted(LOG_RATIO, exact, side="right"), learned - exact
    cells = len(LOG_RATIO) + 1
    sums = [np.bincount(cell, weights=w, minlength=cells) for w in (exact, off, off**2)]
    return {"counts": np.bincount(cell, minlength=cells), "deviations": np.stack(sums)}


def tiny_run(study: KnownRatios) -> list[float]:
    """Sums of all arrays of the first part of every pair in float64: a fingerprint."""
    parts = [measure(study, (i, 0), lambda work: None, torch.float64) for i in range(len(NAMES))]
    return [summed(a) for arrays in parts for a in arrays.values()]
