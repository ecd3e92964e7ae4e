"""From top pairs to a trained generator to its events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
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
    parts: Sequence[Part],
    training: Array,
    device: str,
    checkpoint: Path,
    progress: Progress,
    double: bool,
) -> Iterator[tuple[Arrays, Generate]]:
    """See ``EventGANs.fit``."""
    config, method = study.member(parts[0]), study.methods[parts[0][0]]
    dtype = torch.float64 if double else torch.float32
    seeds = [study.stream(TRAINING, *part) for part in parts]
    gan = KINDS[method](config, training, seeds, device, dtype)
    epochs, work = 2 if double else config.epochs, len(parts) * study.epoch_cost(parts[0])
    for k, kept in enumerate(_trained(gan, epochs, checkpoint, progress, work, double)):
        kept["losses"][:, 0] *= config.turns_an_epoch
        if kept["diverged"] > 0:
            kept["diverged"] *= config.turns_an_epoch
        yield kept, partial(_events_of, lambda n: gan.generate(n, BATCH), k)


def train_flow(
    kind: type[StackedFlowMatching] | type[StackedSplineFlow],
    study: FlowStudy,
    parts: Sequence[Part],
    training: Array,
    device: str,
    checkpoint: Path,
    progress: Progress,
    double: bool,
) -> Iterator[tuple[Arrays, Generate]]:
    """See ``FlowStudy.fit``."""
    dtype = torch.float64 if double else torch.float32
    seeds = [study.stream(TRAINING, *part) for part in parts]
    flow: Any = kind(study, training, seeds, device, dtype)  # type: ignore[arg-type]
    work = len(parts) * flow.steps_per_epoch
    for k, kept in enumerate(_trained(flow, study.epochs, checkpoint, progress, work, double)):
        yield kept, partial(_events_of, flow.generate, k)


def _events_of(
    generate: Callable[[int], Iterator[NDArray[np.float32]]], member: int, n: int
) -> Iterator[NDArray[np.float32]]:
    """``n`` events of one member of a stack, which makes those of all."""
    return (events[member] for events in generate(n))


def _trained(
    stack: Stack, epochs: int, checkpoint: Path, progress: Progress, work: float, double: bool
) -> Iterator[Arrays]:
    """Of each member ``losses`` ``(records, 1 + losses)``, the epoch first, and the epoch in which
    it ``diverged``, else -1; a fingerprint's few epochs leave no checkpoint."""
    for losses in train(stack, epochs, None if double else checkpoint, progress, work):
        kept = losses if double else losses.astype(np.float32)
        yield {"losses": kept, "diverged": np.array(first_divergence(kept))}
