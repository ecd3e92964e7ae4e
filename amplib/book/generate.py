"""Events of a shipped generator, as many as are asked for, in one file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from amplib.book.obtain import banner, stored
from amplib.door.event_writer import TEXT, check_writable, write_events
from amplib.files import format_of
from amplib.models.config import BufferConfig
from amplib.parameters import ParameterError
from amplib.progress import shown
from amplib.store.compute import chosen_device
from amplib.studies.bvae.study import Scan
from amplib.truth.collisions.columns import TTBAR

if TYPE_CHECKING:
    from tqdm import tqdm

    from amplib.models.buffer import TrainedVAE

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
    offset: str = BufferConfig.offset,
    smudge: str = BufferConfig.smudge,
    negative: str = BufferConfig.negative,
    model: Path | None = None,
    device: str = "cpu",
    header: bool = False,
) -> str:
    """Write ``n`` events of a stored generator; returns what they are, as a text.

    Event k is the same whatever ``n`` and the format are.

    Args:
        name: one of ``GENERATORS``.
        n: how many.
        path: the file; its suffix says the format (``event_writer.WRITERS``).
        seed: of the random numbers.
        alpha, gamma: of the buffer (eqs. 17 and 19).
        offset: what gamma is added to (``BufferConfig``).
        smudge: what alpha multiplies (``BufferConfig``).
        negative: what becomes of energies and momenta below zero (``BufferConfig``).
        model: a file of ``save_model``; the shipped generator if None.
        device: ``cpu``, ``cuda`` or ``auto``; on another, events differ by rounding.
        header: whether CSV begins with the names of the columns; the published file has none.

    Raises:
        ParameterError: an unknown generator, a number out of range.
        ValueError, OSError: as of ``event_writer.check_writable`` and ``TrainedVAE.load``; no GPU.
        FileNotFoundError: no such generator is stored, with the command that trains it.
    """
    check_name(name)
    if not 1 <= n <= MOST:
        raise ParameterError(f"n = {n}: must be an integer from 1 to {MOST:,}")
    if seed < 0:
        raise ParameterError(f"seed = {seed}: must be an integer from 0")
    check_writable(path, header)
    prior = BufferConfig(alpha, gamma, offset=offset, negative=negative, smudge=smudge)
    device = chosen_device(device, gpu=True)
    begun = time.monotonic()
    vae, origin = top_pairs(model)
    batches = vae.to(device).generate(n, np.random.SeedSequence(seed), prior, BATCH)
    loaded = time.monotonic()
    with shown(n, "events") as bar:
        write_events(path, told(batches, bar), vae.columns, n, header)
    ended = time.monotonic()
    return (
        f"{path}: {n:,} event{'s' * (n > 1)}, {megabytes(path)} MB, in {ended - loaded:.1f} s "
        f"after {loaded - begun:.1f} s for the model.\n{how_to_read(path, header)}{origin}"
    )


def megabytes(path: Path) -> str:
    """Size of a file, of small ones with two digits."""
    size = path.stat().st_size / 1e6
    return f"{size:,.0f}" if size >= 10 else f"{size:.2g}"


def how_to_read(path: Path, header: bool) -> str:
    r"""What pandas has to be told of a CSV file in the published layout; nothing of the others.

    >>> how_to_read(Path("a.csv"), header=True)
    "Columns are separated by spaces: pandas.read_csv('a.csv', sep=r'\\s+')\n"
    """
    if format_of(path) not in TEXT:
        return ""
    layout = "" if header else ", as in the published file without names"
    options = "" if header else ", header=None"
    return (
        f"Columns are separated by spaces{layout}: "
        f"pandas.read_csv({str(path)!r}, sep=r'\\s+'{options})\n"
    )


def save_model(name: str, path: Path) -> str:
    """Write a stored generator, its weights and its buffer, as one safetensors file.

    Args:
        name: one of ``GENERATORS``.
        path: the file, for ``generate``.

    Returns:
        what it is, as a text.

    Raises:
        ParameterError: an unknown generator.
        FileNotFoundError: no such generator is stored, with the command that trains it.
        OSError: the file cannot be written.
    """
    check_name(name)
    model, origin = top_pairs()
    model.save(path)
    encodings = f"{len(model.buffer.mean):,} encodings"
    return f"{path}: weights and {encodings}, {megabytes(path)} MB.\n{origin}"


def check_name(name: str) -> None:
    """Refuse a generator that is none.

    Raises:
        ParameterError: in one line.
    """
    if name not in GENERATORS:
        raise ParameterError(f"unknown generator {name!r}; allowed: {', '.join(GENERATORS)}")


def top_pairs(path: Path | None = None) -> tuple[TrainedVAE, str]:
    """The scan's chosen model, whose events are in MeV, or that of a file; and what it is."""
    from amplib.models.buffer import TrainedVAE
    from amplib.models.cpu import prepare
    from amplib.studies.bvae.scan import chosen_model

    prepare()
    if path is not None:
        return TrainedVAE.load(path, TTBAR), f"Of the model in {path}."
    result = stored("scan", models="chosen")
    return chosen_model(cast(Scan, result.study)), banner(result) or "The paper's settings."


def told(batches: Iterator[NDArray[np.float32]], bar: tqdm[None]) -> Iterator[NDArray[np.float32]]:
    """These batches, with their number on a bar once they are taken."""
    for batch in batches:
        yield batch
        bar.update(len(batch))
