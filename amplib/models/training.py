"""A training that keeps its losses and, every few minutes, its state: killed, it goes on."""

from __future__ import annotations

import math
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from amplib.models.stack import Stack
from amplib.progress import Progress, Stopped

LOSS_RECORDS = 200
"""How often the losses of a full training are recorded."""
CHECKPOINT_SECONDS = 180
EPOCHS_A_REPORT = 10
"""How often a training reports its progress at least, and can be stopped."""


def train(
    stack: Stack, epochs: int, checkpoint: Path, progress: Progress, steps: int
) -> np.ndarray:
    """Train E models to the end, from ``checkpoint`` if there is one.

    A run that finds one goes on from there, to the same end as an uninterrupted run.  A training
    of which no member is finite any more ends early.

    Args:
        stack: what to train.
        epochs: in all.
        checkpoint: file that keeps the state; it is still there at the end, for what follows the
            training and may be interrupted too.
        progress: told the work of the epochs since the last call.
        steps: work of one epoch of the whole stack.

    Returns:
        the losses ``(E, records, 1 + losses)``, the epoch first.

    Raises:
        ValueError: a damaged checkpoint, or one of another configuration.
    """
    losses = _resume(stack, checkpoint)
    last, saved = int(stack.epoch), time.monotonic()
    record = max(1, epochs // LOSS_RECORDS)
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
                _save(stack, losses, checkpoint)
                saved = time.monotonic()
    except Stopped:
        _save(stack, losses, checkpoint)
        raise
    _save(stack, losses, checkpoint)
    return np.stack(losses, 2).transpose(1, 2, 0)


def _save(stack: Stack, losses: list[np.ndarray], path: Path) -> None:
    tensors = {name: value.cpu().contiguous() for name, value in stack.state().items()}
    tensors["losses"] = torch.from_numpy(
        np.array(losses).reshape(-1, 1 + len(stack.losses), len(stack.seeds))
    )
    temporary = path.with_suffix(f".{os.getpid()}")
    save_file(tensors, temporary)
    temporary.replace(path)


def _resume(stack: Stack, path: Path) -> list[np.ndarray]:
    if not path.exists():
        return []
    try:
        state = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged ({error}); delete it to train anew") from None
    losses = state.pop("losses").numpy()
    stack.restore(state)
    return list(losses)
