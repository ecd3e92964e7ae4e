"""A training that keeps its losses and, every few minutes, its state: killed, it goes on."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path

import numpy as np
import torch

from amplib.models.checkpoint import CHECKPOINT_SECONDS, Checkpoint
from amplib.models.stack import Stack
from amplib.progress import Progress, Stopped, unheard

LOSS_RECORDS = 200
"""How often the losses of a full training are recorded."""
EPOCHS_A_REPORT = 10
"""How often a training reports its progress at least, and can be stopped."""


def train(
    stack: Stack,
    epochs: int,
    checkpoint: Path | Checkpoint | None,
    progress: Progress,
    steps: float,
) -> np.ndarray:
    """Train E models to the end, from ``checkpoint`` if there is one.

    A run that finds one goes on from there, to the same end as an uninterrupted run.  A training
    of which no member is finite any more ends early.

    Args:
        stack: what to train.
        epochs: in all.
        checkpoint: file that keeps the state, or a place in one; it is still there at the end, for
            what follows the training and may be interrupted too.  None for the few epochs of a
            fingerprint: no state is kept, and no work reported.
        progress: told the work of the epochs since the last call.
        steps: work of one epoch of the whole stack.

    Returns:
        the losses ``(E, records, 1 + losses)``, the epoch first.

    Raises:
        ValueError: a damaged checkpoint, or one of another configuration.
    """
    if checkpoint is None:
        progress = unheard
    kept = Checkpoint(checkpoint) if isinstance(checkpoint, Path) else checkpoint
    record = max(1, epochs // LOSS_RECORDS)
    losses = _resume(stack, kept, epochs, record)
    last, saved = int(stack.epoch), time.monotonic()
    try:
        progress(last * steps)
        for epoch, loss in stack.train(epochs, math.gcd(record, EPOCHS_A_REPORT)):
            recorded = epoch % record == 0 or epoch == epochs
            if recorded:
                losses.append(np.vstack([np.full(loss.shape[1], epoch), loss]))
            done, last = epoch - last, epoch
            progress(done * steps)
            if recorded and not np.isfinite(loss).all(0).any():
                print(f"all {loss.shape[1]} models have diverged by epoch {epoch}", file=sys.stderr)
                break
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                _save(stack, losses, kept)
                saved = time.monotonic()
    except Stopped:
        _save(stack, losses, kept)
        raise
    _save(stack, losses, kept)
    return np.stack(losses, 2).transpose(1, 2, 0)


def first_divergence(losses: np.ndarray) -> int:
    """The first recorded epoch with a loss that is not finite, -1 if there is none.

    Args:
        losses: of one model, ``(records, 1 + losses)``, the epoch first.

    >>> first_divergence(np.array([[5, 0.5], [10, np.nan], [15, np.inf]]))
    10
    """
    broken = losses[~np.isfinite(losses).all(1), 0]
    return int(broken[0]) if broken.size else -1


def _save(stack: Stack, losses: list[np.ndarray], kept: Checkpoint | None) -> None:
    if kept is None or _unexplained(stack, losses):
        return  # a member has just diverged: its next record says so, until then the last state is
    shape = -1, 1 + len(stack.losses), len(stack.seeds)
    records = torch.from_numpy(np.array(losses).reshape(shape))
    kept.save({**stack.state(), "losses": records})


def _resume(stack: Stack, kept: Checkpoint | None, epochs: int, record: int) -> list[np.ndarray]:
    """The losses so far, the stack being put where the checkpoint was written."""
    state = kept.load() if kept else {}
    if kept is None or not state:
        return []
    with kept.read():
        losses = list(state.pop("losses").numpy())
        stack.restore(state)
        _check(stack, losses, epochs, record)
    return losses


def _check(stack: Stack, losses: list[np.ndarray], epochs: int, record: int) -> None:
    """Refuse a state that such a training cannot have come to.

    Raises:
        ValueError: saying why.
    """
    epoch = int(stack.epoch)
    if not 0 <= epoch <= epochs:
        raise ValueError(f"epoch {epoch} of {epochs}")
    shape = (1 + len(stack.losses), len(stack.seeds))
    if any(loss.shape != shape for loss in losses):
        raise ValueError(f"losses of shape {losses[0].shape}, expected {shape}")
    due = [e for e in range(1, epoch + 1) if e % record == 0 or e == epochs]
    if [loss[0].tolist() for loss in losses] != [[e] * shape[1] for e in due]:
        raise ValueError(f"the losses are not those of {epoch} epochs")
    if members := _unexplained(stack, losses):
        raise ValueError(f"member {members[0]} is not finite, though its losses are")


def _unexplained(stack: Stack, losses: list[np.ndarray]) -> list[int]:
    """Members whose state holds NaN or infinity though their last losses on record are finite."""
    finite = np.isfinite(losses[-1]).all(0) if losses else np.ones(len(stack.seeds), bool)
    return np.flatnonzero(~stack.all_finite() & finite).tolist()
