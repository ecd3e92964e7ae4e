"""From top pairs to a trained GAN to its events."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from amplib.models.event_gans import KINDS
from amplib.models.training import train
from amplib.progress import Progress
from amplib.store.study import Arrays, Part
from amplib.studies.rivals.judging import BATCH
from amplib.studies.rivals.study import _TRAINING, EventGANs, Generate

Array = NDArray[np.float64]


def train_gan(
    study: EventGANs,
    part: Part,
    training: Array,
    device: str,
    checkpoint: Path,
    progress: Progress,
    double: bool,
) -> tuple[Arrays, Generate]:
    """See ``EventGANs.fit``."""
    config, method = study.member(part), study.methods[part[0]]
    dtype = torch.float64 if double else torch.float32
    gan = KINDS[method](config, training, [study.stream(_TRAINING, *part)], device, dtype)
    if double:
        rows = [np.vstack([np.full(1, e), x]) for e, x in gan.train(2, 1)]
        losses = np.stack(rows, 2).transpose(1, 2, 0)[0]
    else:
        losses = train(gan, config.epochs, checkpoint, progress, study.epoch_cost(part))[0]
    losses[:, 0] *= config.turns_an_epoch
    broken = losses[~np.isfinite(losses).all(1), 0]
    kept = {
        "losses": losses if double else losses.astype(np.float32),
        "diverged": np.array(int(broken[0]) if broken.size else -1),
    }
    return kept, lambda n: (events[0] for events in gan.generate(n, BATCH))
