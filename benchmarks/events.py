"""Events a second, stage by stage, of the three sets of the event paper; one core.

    python benchmarks/events.py [--events 600] [--repetitions 3]

The top-quark stages are timed inside ``ttbar.stream``, batch by batch: rates are per generated
event, whether or not a stage sees all of them, so that their times add up to that of the whole.
"""

from __future__ import annotations

import argparse
import platform
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

import numpy as np

from amplib.store.worker import cpu_model
from amplib.truth.collisions import ttbar, two_body, z_to_ll

Z_EVENTS, DECAYS = 20_000, 1_000_000


def rate(n: int, work: Callable[[], object]) -> float:
    """Events a second of one call."""
    start = time.perf_counter()
    work()
    return n / (time.perf_counter() - start)


def spread(values: list[float]) -> str:
    """Median, and half the distance of the extremes."""
    return f"{statistics.median(values):,.0f} ± {(max(values) - min(values)) / 2:,.0f}"


def batches(settings: ttbar.Settings, events: int, seed: int) -> Iterator[ttbar.Sample]:
    """So many generated events, the first batch left out: it warms up."""
    stream = ttbar.stream(seed, settings)
    next(stream)
    return islice(stream, max(1, events // ttbar.BATCH))


def report_tops(multiparton: bool, events: int, repetitions: int) -> None:
    """Print the table of one setting."""
    settings = ttbar.Settings(multiparton=multiparton)
    runs = [ttbar.concatenate([*batches(settings, events, r)]) for r in range(repetitions)]
    every = ttbar.concatenate(runs)
    generated, total = every.cutflow["W to e or mu"], sum(every.seconds.values())
    print(f"\nttbar, multiparton interactions {'on' if multiparton else 'off'}")
    line = "  {:<14}{:>20}{:>9}"
    print(line.format("stage", "events/s", "time"))
    for stage in ttbar.STAGES:
        rates = [run.cutflow["W to e or mu"] / run.seconds[stage] for run in runs]
        print(line.format(stage, spread(rates), f"{every.seconds[stage] / total:.1%}"))
    rates = [run.cutflow["W to e or mu"] / sum(run.seconds.values()) for run in runs]
    print(line.format("all", spread(rates), "100%"))
    selected = [len(run) / sum(run.seconds.values()) for run in runs]
    print(line.format("selected", spread(selected), ""))
    for step, count in every.cutflow.items():
        print(f"  {step:<20}{count:>8,}   {count / generated:.3f} of the generated")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=600, help="top pairs a turn (default 600)")
    parser.add_argument("--repetitions", type=int, default=3, help="turns each (default 3)")
    options = parser.parse_args()
    if min(options.events, options.repetitions) < 1:
        parser.error("events and repetitions must be at least 1")
    turns = range(options.repetitions)
    print(f"{cpu_model()}, {platform.platform()}; median ± half the range of {len(turns)} turns")
    z = [rate(Z_EVENTS, partial(z_to_ll.generate, Z_EVENTS, seed)) for seed in turns]
    print(f"two-body   {spread([_decays(seed) for seed in turns])} events/s")
    print(f"Z to ll    {spread(z)} events/s, start included")
    for multiparton in (False, True):
        report_tops(multiparton, options.events, options.repetitions)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nlargest memory of the process: {peak:.0f} MiB")


def _decays(seed: int) -> float:
    rng = np.random.default_rng(seed)
    return rate(DECAYS, lambda: two_body.sample(DECAYS, rng))


if __name__ == "__main__":
    main()
