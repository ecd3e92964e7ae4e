"""From top pairs to a trained generator to its events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from amplib.models.event_gans import KINDS
from amplib.models.flow_matching import StackedFlowMatching
from amplib.models.spline_flow import StackedSplineFlow
from amplib.models.stack import Stack
from amplib.models.training import first_divergence, train
from amplib.progress import Progress
from amplib.store.study import Arrays, Part
from amplib.studies.merit.judge import BATCH
from amplib.studies.rivals.study import TRAINING, EventGANs, FlowStudy, Generate

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
    gan = KINDS[method](config, training, [study.stream(TRAINING, *part)], device, dtype)
    work = study.epoch_cost(part)
    kept = _trained(gan, 2 if double else config.epochs, checkpoint, progress, work, double)
    kept["losses"][:, 0] *= config.turns_an_epoch
    if kept["diverged"] > 0:
        kept["diverged"] *= config.turns_an_epoch
    return kept, lambda n: (events[0] for events in gan.generate(n, BATCH))


def train_flow(
    kind: type[StackedFlowMatching] | type[StackedSplineFlow],
    study: FlowStudy,
    part: Part,
    training: Array,
    device: str,
    checkpoint: Path,
    progress: Progress,
    double: bool,
) -> tuple[Arrays, Generate]:
    """See ``FlowStudy.fit``."""
    dtype = torch.float64 if double else torch.float32
    seeds = [study.stream(TRAINING, *part)]
    flow: Any = kind(study, training, seeds, device, dtype)  # type: ignore[arg-type]
    kept = _trained(flow, study.epochs, checkpoint, progress, flow.steps_per_epoch, double)
    return kept, lambda n: (events[0] for events in flow.generate(n))


def _trained(
    stack: Stack, epochs: int, checkpoint: Path, progress: Progress, work: float, double: bool
) -> Arrays:
    """``losses`` ``(records, 1 + losses)`` of the only member, the epoch first, and the epoch in
    which it ``diverged``, else -1; a fingerprint's few epochs leave no checkpoint."""
    (losses,) = train(stack, epochs, None if double else checkpoint, progress, work)
    if not double:
        losses = losses.astype(np.float32)
    return {"losses": losses, "diverged": np.array(first_divergence(losses))}
