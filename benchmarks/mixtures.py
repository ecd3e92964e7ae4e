"""A step of a mixture of Gaussians beside scikit-learn's, on top pairs, from one start; one core.

    python benchmarks/mixtures.py [--events 20000]

CPU seconds; a step is the difference of two runs.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from functools import partial

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from sklearn.mixture import GaussianMixture

from amplib.book.obtain import stored
from amplib.models.mixture import Mixture
from amplib.store.worker import cpu_model
from amplib.studies.collisions.reading import TopPairStatistics

STEPS = 3


class FromLabels(GaussianMixture):
    """Scikit-learn's own steps from given labels."""

    def start(self, labels: np.ndarray) -> FromLabels:
        self.given = np.eye(self.n_components)[labels]
        return self

    def _initialize_parameters(self, X, random_state, xp=None):
        self._initialize(X, self.given)


def improve(x: np.ndarray, labels: np.ndarray, components: int, steps: int) -> object:
    """So many of our steps."""
    return Mixture.improve(x, labels, steps, -np.inf)


def fit(x: np.ndarray, labels: np.ndarray, components: int, steps: int) -> object:
    """So many of scikit-learn's."""
    return FromLabels(components, max_iter=steps, tol=0).start(labels).fit(x)


def a_step(run: Callable[[int], object]) -> float:
    """CPU seconds of a step of ``run(steps)``."""
    spent = []
    for steps in (1, 1 + STEPS):
        start = time.process_time()
        run(steps)
        spent.append(time.process_time() - start)
    return (spent[1] - spent[0]) / STEPS


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=20_000, help="(default 20,000)")
    n = parser.parse_args().events
    if not 2000 <= n <= 120_000:
        parser.error("from 2000 to 120,000 events")
    warnings.simplefilter("ignore")
    x = TopPairStatistics.of(stored("ttbar-summary")).events[:n]
    x /= np.abs(x).max(0)
    print(f"{cpu_model()}, one thread; {n:,} events, CPU seconds a step")
    for components in (50, 100, 1000):
        labels = np.random.default_rng(1).permutation(np.arange(n) % components)
        ours, theirs = (a_step(partial(way, x, labels, components)) for way in (improve, fit))
        print(f"  {components:>5} components{ours:>9.3f}   scikit-learn{theirs:>9.3f}"
              f"   {theirs / ours:.1f} times")  # fmt: skip


if __name__ == "__main__":
    main()
