"""Events a second of the reader and the writer of event files, beside plain ``pandas.read_csv``.

    python benchmarks/csv_rows.py [--rows 100000] [--repetitions 7]

The file holds made-up events that pass all rules of the ttbar set.  Everything is measured in this
one run on one thread, in turns, so that a busy neighbour slows all alike: trust the ratio.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from turns import Turn, in_turns, rates

from amplib.truth.collisions.columns import TTBAR
from amplib.truth.collisions.csv_file import read_events, write_events


def made_up_events(n: int, seed: int = 0) -> np.ndarray:
    """``(n, 26)`` numbers of the ttbar set's size and order, without its physics."""
    rng = np.random.default_rng(seed)
    events = np.zeros((n, len(TTBAR)))
    events[:, 0], events[:, 1] = rng.exponential(5e4, n), rng.uniform(-np.pi, np.pi, n)
    objects = events[:, 2:].reshape(n, 6, 4)
    pt = 2e4 + rng.exponential(5e4, (n, 6))
    pt[:, :4] = -np.sort(-pt[:, :4])
    eta = rng.uniform(-2.5, 2.5, (n, 6))
    objects[:] = np.stack([pt * np.cosh(eta), pt, eta, rng.uniform(-np.pi, np.pi, (n, 6))], -1)
    objects[rng.random(n) < 0.8, 5] = 0
    return events


def by_amplib(path: Path) -> int:
    return sum(len(batch) for batch in read_events(path))


def by_pandas(path: Path) -> int:
    return len(pd.read_csv(path, sep=" ", header=None).to_numpy())


def by_numpy(path: Path) -> int:
    return len(np.loadtxt(path))


def report(rows: int, repetitions: int) -> None:
    """Measure and print the table."""
    events = made_up_events(rows)
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'':8}{'':16}{'rows/s':>22}{'beside pandas':>16}")
        for suffix in ("csv", "csv.gz"):
            path = Path(folder, f"events.{suffix}")
            turns: dict[str, Turn] = {
                "write_events": partial(write_events, path, [events]),
                "pandas.read_csv": partial(by_pandas, path),
                "read_events": partial(by_amplib, path),
                "numpy.loadtxt": partial(by_numpy, path),
            }
            found = rates(in_turns(turns, repetitions), rows)
            for name, values in found.items():
                middle, spread = statistics.median(values), statistics.pstdev(values)
                # Turn by turn: the two of a ratio stand side by side in time.
                pairs = zip(values, found["pandas.read_csv"], strict=True)
                ratio = statistics.median(a / b for a, b in pairs)
                rate = f"{middle:,.0f} +- {spread:,.0f}"
                print(f"{suffix:8}{name:16}{rate:>22}{ratio:>16.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000, help="events (default 100,000)")
    parser.add_argument("--repetitions", type=int, default=7, help="turns each (default 7)")
    options = parser.parse_args()
    if options.rows < 1 or options.repetitions < 1:
        parser.error("rows and repetitions must be at least 1")
    print(f"{platform.platform()}; pandas {pd.__version__}, numpy {np.__version__}")
    report(options.rows, options.repetitions)


if __name__ == "__main__":
    main()
