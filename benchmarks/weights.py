"""Dilution, histograms and separation of hundreds of observables at once, beside a plain loop.

    python benchmarks/weights.py [--events 20000] [--observables 363] [--resamples 200]

The loop is what a notebook does: for each observable ``numpy.histogram`` and a bootstrap of its
own.  It is timed on a few observables and scaled up; both take turns in the same run, so that a
busy machine slows them alike: trust the ratio more than the rate.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable

import numpy as np

from amplib.metrics.separation import histograms, separation
from amplib.metrics.weights import dilution
from amplib.store.worker import cpu_model

BINS = 19
LOOPED = 4
"""Observables that the loop is timed on."""


def seconds(work: Callable[[], object]) -> float:
    """Of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def looped_dilution(
    truth: np.ndarray, made: np.ndarray, w: np.ndarray, rng: np.random.Generator, resamples: int
) -> list[float]:
    """r of each observable, one bootstrap after the other."""
    found = []
    for t, g in zip(truth.T, made.T, strict=True):
        means: tuple[list[float], list[float]] = [], []
        for _ in range(resamples):
            means[0].append(np.average(g, weights=w * rng.poisson(1.0, len(g))))
            means[1].append(np.average(t, weights=rng.poisson(1.0, len(t))))
        found.append(float(np.std(means[0]) / np.std(means[1])))
    return found


def looped_separation(
    truth: np.ndarray, made: np.ndarray, w: np.ndarray, limits: np.ndarray
) -> list[float]:
    """Separation power of each observable, without floor or error."""
    found = []
    for t, g, ends in zip(truth.T, made.T, limits, strict=True):
        p, q = (np.histogram(x, BINS, tuple(ends), weights=v)[0] for x, v in ((t, None), (g, w)))
        p, q = p / p.sum(), q / q.sum()
        filled = p + q > 0
        found.append(float(0.5 * ((p - q)[filled] ** 2 / (p + q)[filled]).sum()))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=20_000, help="of either kind")
    parser.add_argument("--observables", type=int, default=363, help="those of the paper's Fig. 8")
    parser.add_argument("--resamples", type=int, default=200, help="bootstraps")
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    n, f = options.events, options.observables
    if min(n, f - LOOPED + 1, options.resamples - 1, options.turns) < 1:
        parser.error(f"at least 1 event, {LOOPED} observables, 2 resamples and 1 turn")
    rng = np.random.default_rng(1)
    truth, made, w = rng.normal(0.1, 1, (n, f)), rng.normal(size=(n, f)), rng.exponential(size=n)
    limits = np.quantile(truth, [0.001, 0.999], axis=0).T
    few = slice(LOOPED)

    def together() -> None:
        dilution(truth, made, w, rng, options.resamples)

    def alone() -> None:
        looped_dilution(truth[:, few], made[:, few], w, rng, options.resamples)

    def separated() -> None:
        separation(histograms(truth, limits, BINS), histograms(made, limits, BINS, w))

    def separated_alone() -> None:
        looped_separation(truth[:, few], made[:, few], w, limits[few])

    print(f"{cpu_model()}, {platform.platform()}; {n:,} events, {f} observables, median of turns")
    print(f"  {'':<26}{'observables/s':>14}{'loop':>10}{'ratio':>9}")
    for name, ours, loop in (
        (f"r, {options.resamples} bootstraps", together, alone),
        ("<S^2>, floor and error", separated, separated_alone),
    ):
        times = [(seconds(ours) / f, seconds(loop) / LOOPED) for _ in range(options.turns)]
        fast, slow = (1 / statistics.median(t) for t in zip(*times, strict=True))
        ratio = statistics.median(b / a for a, b in times)
        print(f"  {name:<26}{fast:>14,.1f}{slow:>10,.1f}{ratio:>9.1f}")


if __name__ == "__main__":
    main()
