"""From training samples to counted events: the long half of the GAN study, resumable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from amplib.cells import cell_counts
from amplib.models.gan import StackedGAN
from amplib.models.training import first_divergence, train
from amplib.progress import Progress
from amplib.store.study import Arrays
from amplib.studies.camel.study import CELLS, DENSITY_BINS, CamelGAN
from amplib.truth.densities import CamelBack


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
    steps = len(seeds) * gan.steps_per_epoch
    history = train(gan, config.epochs, checkpoint, progress, steps)
    # From the record, not the loop: a run that resumes after the last epoch has no loop.
    alive = np.isfinite(history[:, -1]).all(1).any()
    counts, density = count_events(gan, sizes if alive else sizes[:1], progress)
    counts = np.pad(counts, ((0, 0), (0, len(sizes) - counts.shape[1]), (0, 0)))
    for member, curve in enumerate(history):
        diverged = first_divergence(curve)
        if diverged < 0 and counts[member, -1].sum() < sizes[-1]:
            diverged = int(curve[-1, 0])  # finite losses, but events that are not
        yield {
            "sample": samples[member],
            "counts": counts[member],
            "density": density[member],
            "losses": curve.astype(np.float32),
            "diverged": np.array(diverged),
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
    *_, (_, losses) = gan.train(config.epochs)
    events = next(gan.generate(4))
    counts, density = count_events(gan, np.array([10, 50]), lambda work: None)
    cells = (counts @ np.arange(counts.shape[-1])).ravel()
    bins = density @ np.arange(density.shape[-1])
    return [float(x) for x in (*losses.ravel(), *events.ravel(), *cells, *bins)]
