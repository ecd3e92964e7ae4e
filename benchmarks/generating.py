"""A million top pairs of the shipped generator: what making them takes, and writing them.

    python benchmarks/generating.py [--events 1000000]

CPU seconds of the process, all its threads and the system's part, for each million events, and
beside them those of the clock: these have what neighbours run as well, and what a disk takes.
Events are made once and held,
then written in each format, a first batch of them twice, as it also imports what writes it.
"""

from __future__ import annotations

import argparse
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from amplib.book.generate import BATCH, GAMMA, top_pairs
from amplib.door.event_writer import write_events
from amplib.models.config import BufferConfig
from amplib.store.worker import cpu_model

SUFFIXES = (".csv", ".npy", ".h5", ".parquet")


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Of the user's code and of the system in its name, and of the clock."""
    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    work()
    after, ended = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, ended - begun


def report(events: int) -> None:
    """Measure and print the table."""
    model, origin = top_pairs()
    prior = BufferConfig(gamma=GAMMA)
    batches: list[np.ndarray] = []
    making = model.generate(events, np.random.SeedSequence(1), prior, BATCH)
    taken = seconds(lambda: batches.extend(making))
    print(origin)
    line = "{:<10}{:>22}{:>22}{:>22}"
    print(line.format("", "CPU s/10^6 events", "by the clock", "MB/10^6 events"))
    print(line.format("making", *(f"{1e6 * t / events:.2f}" for t in taken), ""))
    with tempfile.TemporaryDirectory() as folder:
        for suffix in SUFFIXES:
            path = Path(folder, f"events{suffix}")
            write_events(path, iter(batches[:1]), model.columns, len(batches[0]))
            taken = seconds(partial(write_events, path, iter(batches), model.columns, events))
            size = f"{path.stat().st_size / events:.0f}"
            print(line.format(suffix, *(f"{1e6 * t / events:.2f}" for t in taken), size))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=1_000_000, help="(default 1,000,000)")
    options = parser.parse_args()
    if options.events < 1:
        parser.error("events must be at least 1")
    print(f"{platform.platform()}, {cpu_model()}, {time.strftime('%Y-%m-%d')}")
    report(options.events)


if __name__ == "__main__":
    main()
