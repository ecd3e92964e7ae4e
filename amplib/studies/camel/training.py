"""From training samples to counted events: the long half of the GAN study, resumable."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from amplib.cells import cell_counts
from amplib.models.gan import StackedGAN
from amplib.store.study import Arrays, Progress, Stopped
from amplib.studies.camel.study import CELLS, DENSITY_BINS, CamelGAN
from amplib.truth.densities import CamelBack

LOSS_RECORDS = 200
"""How often the losses of a full training are recorded."""
CHECKPOINT_SECONDS = 180
EPOCHS_A_REPORT = 10
"""How often a training reports its progress at least, and can be stopped."""


def train_and_count(
    config: CamelGAN,
    samples: np.ndarray,
    seeds: list[np.random.SeedSequence],
    sizes: np.ndarray,
    device: str,
    checkpoint: Path,
    progress: Progress,
) -> Iterator[Arrays]:
    """Train E GANs on ``(E, N, d)`` samples, then yield the arrays of each (``CamelGAN.compute``).

    The state of the training is kept in ``checkpoint`` every few minutes; a run that finds one
    goes on from there, to the same end as an uninterrupted run.
    """
    gan = StackedGAN(config, samples, seeds, device)
    losses = _resume(gan, checkpoint)
    steps = len(seeds) * gan.steps_per_epoch
    last, saved = int(gan.epoch), time.monotonic()
    record = max(1, config.epochs // LOSS_RECORDS)
    try:
        progress(last * steps)
        for epoch, loss in gan.train(every=math.gcd(record, EPOCHS_A_REPORT)):
            recorded = epoch % record == 0 or epoch == config.epochs
            if recorded:
                losses.append(np.vstack([np.full(len(seeds), epoch), loss]))
            done, last = epoch - last, epoch
            progress(done * steps)
            if recorded and not np.isfinite(loss).all(0).any():
                print(f"all {len(seeds)} GANs have diverged by epoch {epoch}", file=sys.stderr)
                break
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                _save(gan, losses, checkpoint)
                saved = time.monotonic()
    except Stopped:
        _save(gan, losses, checkpoint)
        raise
    _save(gan, losses, checkpoint)
    history = np.stack(losses, 2).transpose(1, 2, 0)  # (E, records, 4)
    # From the record, not the loop: a run that resumes after the last epoch has no loop.
    alive = np.isfinite(history[:, -1]).all(1).any()
    counts, density = count_events(gan, sizes if alive else sizes[:1], progress)
    counts = np.pad(counts, ((0, 0), (0, len(sizes) - counts.shape[1]), (0, 0)))
    for member, curve in enumerate(history):
        broken = curve[~np.isfinite(curve).all(1), 0]
        if not broken.size and counts[member, -1].sum() < sizes[-1]:
            broken = curve[-1:, 0]  # finite losses, but events that are not
        yield {
            "sample": samples[member],
            "counts": counts[member],
            "density": density[member],
            "losses": curve.astype(np.float32),
            "diverged": np.array(int(broken[0]) if broken.size else -1),
        }
    checkpoint.unlink(missing_ok=True)


def count_events(
    gan: StackedGAN, sizes: np.ndarray, progress: Progress
) -> tuple[np.ndarray, np.ndarray]:
    """Cell counts of the first ``sizes`` events and the density counts of all of them.

    Returns:
        ``(E, sizes, 100)`` and ``(E, bins + 2)``.  A member that diverged has counts of zero.
    """
    members = len(gan.data)
    edges = CamelBack().edges(CELLS)
    bins = np.concatenate([[-np.inf], DENSITY_BINS, [np.inf]])
    counts = np.zeros((members, len(sizes), CELLS), dtype=np.int32)
    density = np.zeros((members, len(bins) - 1), dtype=np.int32)
    start = 0
    for chunk in gan.generate():
        events = chunk[:, : sizes[-1] - start, 0]
        for member, row in enumerate(events):
            if not np.isfinite(row).all():
                continue
            density[member] += cell_counts(row, bins)
            for k in np.flatnonzero(sizes > start):
                counts[member, k] += cell_counts(row[: sizes[k] - start], edges)
        start += events.shape[1]
        progress(1.5e-3 * events.size)
        if start == sizes[-1]:
            return counts, density
    raise AssertionError("generate() is endless")


def tiny_run(
    config: CamelGAN, samples: np.ndarray, seeds: list[np.random.SeedSequence]
) -> list[float]:
    """Losses, first events and counts of a training in float64: the numbers of a fingerprint."""
    gan = StackedGAN(config, samples, seeds, dtype=torch.float64)
    *_, (_, losses) = gan.train()
    events = next(gan.generate(4))
    counts, density = count_events(gan, np.array([10, 50]), lambda work: None)
    cells = (counts @ np.arange(counts.shape[-1])).ravel()
    bins = density @ np.arange(density.shape[-1])
    return [float(x) for x in (*losses.ravel(), *events.ravel(), *cells, *bins)]


def _save(gan: StackedGAN, losses: list[np.ndarray], path: Path) -> None:
    tensors = {name: value.cpu().contiguous() for name, value in gan.state().items()}
    tensors["losses"] = torch.from_numpy(np.array(losses).reshape(-1, 4, len(gan.data)))
    temporary = path.with_suffix(f".{os.getpid()}")
    save_file(tensors, temporary)
    temporary.replace(path)


def _resume(gan: StackedGAN, path: Path) -> list[np.ndarray]:
    if not path.exists():
        return []
    try:
        state = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged ({error}); delete it to train anew") from None
    losses = state.pop("losses").numpy()
    gan.restore(state)
    return list(losses)
