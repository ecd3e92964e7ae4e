"""From events to trained generators to generated events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from amplib.models.buffer import TrainedVAE
from amplib.models.bvae import StackedVAE
from amplib.models.regular_gan import RegularGAN
from amplib.models.training import train
from amplib.progress import Progress
from amplib.store.study import Part
from amplib.studies.bvae.decay import GENERATION, TRAINING, DecayVAE
from amplib.studies.bvae.study import TwoBodyGAN

Array = NDArray[np.float64]
Trained = Iterator[tuple[Array, list[Array]]]


def train_vaes(
    study: DecayVAE,
    events: Sequence[Array],
    parts: Sequence[Part],
    device: str,
    checkpoint: Path,
    progress: Progress,
    double: bool,
) -> Trained:
    """See ``DecayStudy.train``: events of the best weights, from N(0, 1) and from the buffer."""
    training, validation, compared = events
    seeds = [study.stream(TRAINING, *part) for part in parts]
    dtype = torch.float64 if double else torch.float32
    members = [study.member()] * len(parts)
    stack = StackedVAE(members, training, validation, seeds, device, dtype)
    steps = len(parts) * stack.steps_per_epoch
    losses = train(stack, study.epochs, None if double else checkpoint, progress, steps)
    stack.take_best()
    for k, part in enumerate(parts):
        model = TrainedVAE.of(stack, k, study.decay.columns)
        generated = []
        for number, prior in enumerate((None, study)):
            seed = study.stream(GENERATION, *part, number)
            generated.append(np.concatenate(list(model.generate(len(compared), seed, prior))))
        yield losses[k], generated


def train_gans(
    study: TwoBodyGAN,
    events: Sequence[Array],
    parts: Sequence[Part],
    device: str,
    checkpoint: Path,
    progress: Progress,
    double: bool,
) -> Trained:
    """See ``DecayStudy.train``: events of the last weights."""
    training, _, compared = events
    seeds = [study.stream(TRAINING, *part) for part in parts]
    gan = RegularGAN(study, training, seeds, device, torch.float64 if double else torch.float32)
    steps = len(parts) * gan.steps_per_epoch
    losses = train(gan, study.epochs, None if double else checkpoint, progress, steps)
    batches = np.concatenate(list(gan.generate(len(compared))), 1)
    for k in range(len(parts)):
        yield losses[k], [batches[k]]
