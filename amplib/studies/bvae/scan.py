"""The scan over dim z and B: top pairs to trained VAEs to figures of merit, part by part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from amplib.models.buffer import TrainedVAE
from amplib.models.bvae import Autoencoder, StackedVAE
from amplib.models.config import BufferConfig, VAEConfig
from amplib.models.training import first_divergence, train
from amplib.progress import Progress
from amplib.store.results import wherever_stored
from amplib.store.study import Arrays, Part
from amplib.studies.bvae.decay import GENERATION, TRAINING
from amplib.studies.bvae.study import LATENT_BINS, SETTINGS, Scan
from amplib.studies.collisions.study import first_top_pairs
from amplib.studies.merit.judge import BATCH, Reference, judged, no_merit, without_merit
from amplib.truth.collisions.columns import TTBAR

Array = NDArray[np.float64]


def train_and_judge(
    study: Scan,
    events: Sequence[Array],
    reference: Reference,
    parts: Sequence[Part],
    device: str,
    checkpoint: Path,
    progress: Progress,
    double: bool = False,
) -> Iterator[Arrays]:
    """See ``Scan.compute``.

    Args:
        study: what to compute.
        events: top pairs that train and that validate, ``(n, 26)``, MeV.
        reference: what generated events are judged by.
        parts: which members; those of smaller dim z are masked.
        device, checkpoint, progress: of ``Study.compute``.
        double: in float64 and without a checkpoint, for a fingerprint.
    """
    members = [study.member(part) for part in parts]
    seeds = [study.stream(TRAINING, *part) for part in parts]
    dtype = torch.float64 if double else torch.float32
    training, validation = events
    stack = StackedVAE(members, training, validation, seeds, device, dtype)
    steps = len(parts) * stack.steps_per_epoch
    losses = train(stack, study.epochs, None if double else checkpoint, progress, steps)
    stack.take_best()
    for k, part in enumerate(parts):
        diverged = first_divergence(losses[k])
        model = TrainedVAE.of(stack, k, TTBAR)
        kept = _judged_at_all_settings(study, model, part, reference, progress, diverged < 0)
        if diverged < 0 and without_merit(kept).any():
            diverged = 0
        yield kept | {
            "losses": losses[k] if double else losses[k].astype(np.float32),
            "best": stack.best_loss[k].double().cpu().numpy(),
            "diverged": np.array(diverged),
            "weights": weights_of(model) if study.keeps_weights(part) else np.zeros(0, np.float32),
        }


def _judged_at_all_settings(
    study: Scan,
    model: TrainedVAE,
    part: Part,
    reference: Reference,
    progress: Progress,
    good: bool,
) -> Arrays:
    kept = no_merit(len(SETTINGS))
    for k, setting in enumerate(SETTINGS):
        if good:
            prior = BufferConfig(
                setting["alpha"], setting["gamma"],
                offset=study.offset, draw=study.draw, smudge=study.smudge,
            )  # fmt: skip
            seed = study.stream(GENERATION, *part, k)
            merit = judged(reference, model.generate(reference.events, seed, prior, BATCH))
            for name, value in merit.items():
                kept[name][k] = value
        progress(study.judging_work())
    return kept | {"latent": latent_histograms(model)}


def latent_histograms(model: TrainedVAE) -> NDArray[np.int32]:
    """Counts of one code of each training event in ``LATENT_BINS``, ``(dim z, bins)``."""
    noise = np.random.default_rng(0).normal(size=model.buffer.mean.shape)
    mean, variance = (t.double().cpu().numpy() for t in (model.buffer.mean, model.buffer.variance))
    codes = mean + np.sqrt(variance) * noise
    return np.array([np.histogram(z, LATENT_BINS)[0] for z in codes.T], np.int32)


def weights_of(model: TrainedVAE) -> NDArray[np.float32]:
    """All weights in one row; ``model_of`` makes a model of them again."""
    rows = [w.detach().float().cpu().numpy().ravel() for w in model.network.parameters()]
    return np.concatenate(rows)


def chosen_model(study: Scan, training: int = 0) -> TrainedVAE:
    """The generator that the paper considers best, from a stored scan.

    Args:
        study: the scan; ``models = chosen`` is enough.
        training: which of its repetitions.

    Raises:
        FileNotFoundError: it is not stored, with the command that trains it.
        ValueError: its training has diverged.
    """
    scan = replace(study, models="chosen", trainings=training + 1)
    result = wherever_stored(scan)
    arrays = result.part(scan.parts()[training])
    assert arrays is not None
    if (epoch := arrays["diverged"]) >= 0:
        what = f"diverged in epoch {epoch}" if epoch else "generates events that are not finite"
        raise ValueError(f"the chosen model {what}")
    events = first_top_pairs(scan, scan.training_events)
    return model_of(scan.member(scan.parts()[training]), arrays["weights"], events)


def model_of(config: VAEConfig, weights: NDArray[np.float32], training: Array) -> TrainedVAE:
    """The generator of a part that keeps its weights: its buffer is encoded anew.

    Args:
        config: of the member (``Scan.member``).
        weights: as stored.
        training: the events that it was trained on, ``(N, 26)``, MeV.

    Raises:
        ValueError: another number of weights than the network has.
    """
    network = Autoencoder(config, len(TTBAR), [torch.Generator()])
    sizes = [w.numel() for w in network.parameters()]
    if sum(sizes) != len(weights):
        raise ValueError(f"{len(weights)} weights for a network of {sum(sizes)}")
    pieces = torch.from_numpy(weights).split(sizes)
    for weight, piece in zip(network.parameters(), pieces, strict=True):
        weight.data.copy_(piece.view_as(weight))
    return TrainedVAE.encoding(config, network, TTBAR, training)
