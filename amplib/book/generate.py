"""Events of a shipped generator, as many as are asked for, in one file."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from amplib.book.obtain import banner, stored
from amplib.door.event_writer import check_target, write_events
from amplib.models.config import BufferConfig
from amplib.parameters import ParameterError
from amplib.studies.bvae.study import Scan

GENERATORS = ("ttbar",)
"""Top pairs of the B-VAE that the event paper chooses."""
GAMMA = 0.05
"""Of the buffer, as the paper chooses it."""
MOST = 1_000_000_000
BATCH = 50_000
"""Events in memory at a time."""


def generate(
    name: str,
    n: int,
    path: Path,
    seed: int = 1,
    alpha: float = 1.0,
    gamma: float = GAMMA,
    offset: str | None = None,
    negative: str = "kept",
) -> str:
    """Write ``n`` events of a stored generator; returns what they are, as a text.

    Event k is the same whatever ``n`` and the format are.

    Args:
        name: one of ``GENERATORS``.
        n: how many.
        path: the file; its suffix says the format (``event_writer.WRITERS``).
        seed: of the random numbers.
        alpha, gamma: of the buffer (eqs. 17 and 19).
        offset: what gamma is added to; the scan's own if None.
        negative: what becomes of energies and momenta below zero (``BufferConfig``).

    Raises:
        ParameterError: an unknown generator, a number out of range.
        ValueError, OSError: as of ``event_writer.check_target``.
        FileNotFoundError: no such generator is stored, with the command that trains it.
    """
    if name not in GENERATORS:
        raise ParameterError(f"unknown generator {name!r}; allowed: {', '.join(GENERATORS)}")
    if not 1 <= n <= MOST:
        raise ParameterError(f"n = {n}: must be an integer from 1 to {MOST:,}")
    if seed < 0:
        raise ParameterError(f"seed = {seed}: must be an integer from 0")
    check_target(path)
    result = stored("scan", models="chosen")
    scan = cast(Scan, result.study)
    prior = BufferConfig(
        alpha, gamma, offset=offset or scan.offset, draw=scan.draw, negative=negative
    )
    begun = time.monotonic()
    batches, names = top_pairs(scan, prior, n, np.random.SeedSequence(seed))
    loaded = time.monotonic()
    with tqdm(total=n, unit=" events", unit_scale=True, file=sys.stderr, disable=None) as bar:
        write_events(path, told(batches, bar), names, n)
    ended = time.monotonic()
    scale = banner(result) or "The paper's settings."
    return (
        f"{path}: {n:,} events, {path.stat().st_size / 1e6:,.0f} MB, in {ended - loaded:.1f} s "
        f"after {loaded - begun:.1f} s for the model.\n{scale}"
    )


def top_pairs(
    scan: Scan, prior: BufferConfig, n: int, seed: np.random.SeedSequence
) -> tuple[Iterator[NDArray[np.float32]], tuple[str, ...]]:
    """``n`` events of the scan's chosen model in batches, MeV, and the names of their columns."""
    from amplib.models.cpu import prepare
    from amplib.studies.bvae.scan import chosen_model

    prepare()
    model = chosen_model(scan)
    return model.generate(n, seed, prior, BATCH), tuple(model.columns)


def told(batches: Iterator[NDArray[np.float32]], bar: tqdm[None]) -> Iterator[NDArray[np.float32]]:
    """The same, with their number on a bar once they are taken."""
    for batch in batches:
        yield batch
        bar.update(len(batch))
