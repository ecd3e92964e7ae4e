"""Figures of merit of 1.2 million top pairs, beside a loop over numpy.histogram2d; one core.

    python benchmarks/merit.py [--events 1200000] [--pairs 24]

CPU seconds, all in one run.  Numpy's loop is timed on every 22nd of the 528 pairs and multiplied:
once as one writes it, on columns of the table of observables, and once with each observable
contiguous in memory.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from itertools import combinations

import numpy as np

from amplib.book.obtain import stored
from amplib.store.worker import cpu_model
from amplib.studies.collisions.reading import TopPairStatistics
from amplib.studies.merit.judge import DIRECTIONS, Reference, single_precision
from amplib.studies.merit.reading import stored_reference
from amplib.studies.merit.reference import smeared
from amplib.truth.collisions.observables import BINS, OBSERVABLES, leading_directions

PAIRS = list(combinations(range(len(OBSERVABLES)), 2))


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def loop(columns: np.ndarray, limits: np.ndarray, pairs: int) -> float:
    """All pairs of observables ``(33, n)`` by numpy.histogram2d, from some of them."""
    some = PAIRS[:: len(PAIRS) // pairs]

    def histograms() -> None:
        for i, j in some:
            np.histogram2d(columns[i], columns[j], BINS, limits[[i, j]])

    return cpu_seconds(histograms) * len(PAIRS) / len(some)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=1_200_000, help="(default 1,200,000)")
    parser.add_argument("--pairs", type=int, default=24, help="of numpy's loop (default 24)")
    options = parser.parse_args()
    if options.events < 1000 or not 1 <= options.pairs <= len(PAIRS):
        parser.error(f"at least 1000 events, and 1 to {len(PAIRS)} pairs")
    training = TopPairStatistics.of(stored("ttbar-summary")).events[:100_000]
    rng = np.random.default_rng(1)
    events = smeared(training, 0.05, -(-options.events // len(training)), rng)[: options.events]
    reference: Reference = stored_reference(stored("ttbar-reference"))
    sample, values = reference.sample(), single_precision(events)
    jets = dict(zip(DIRECTIONS, leading_directions(events), strict=True))

    observing = cpu_seconds(lambda: single_precision(events))
    counting = cpu_seconds(lambda: sample.pairs.add(values))
    comparing = cpu_seconds(lambda: sample.pairs.delta(reference.histograms))
    filling = cpu_seconds(lambda: sample.filled["eta"].add(*jets["eta"].T))
    crowding = cpu_seconds(lambda: sample.filled["eta"].delta_of(reference.empty["eta"][-1]))
    rows = loop(values.T, reference.limits, options.pairs)
    contiguous = loop(np.ascontiguousarray(values.T), reference.limits, options.pairs)

    print(f"{cpu_model()}, one thread; {len(events):,} events, CPU seconds")
    for name, seconds in (
        ("33 observables", observing),
        ("528 pair histograms", counting),
        ("delta and its error", comparing),
        ("all of delta", observing + counting + comparing),
        ("201 grids", filling),
        ("delta_OF and its error", crowding),
        ("all of delta_OF", filling + crowding),
        ("528 x numpy.histogram2d", rows),
        ("the same, contiguous", contiguous),
    ):
        print(f"  {name:<26}{seconds:>8.2f}")
    print(f"  numpy's loops over our histograms: {rows / counting:.1f} and "
          f"{contiguous / counting:.1f} times")  # fmt: skip
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"largest memory of the process: {peak:.0f} MiB")


if __name__ == "__main__":
    main()
