"""The page that judges other people's generators: its parameters, and how often intervals cover."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from amplib.book.obtain import BEST
from amplib.door.judge import worth
from amplib.door.verdict import Worth
from amplib.estimate import AtLeast, Share
from amplib.parameters import ParameterError, Parameters, bounded
from amplib.store.study import PRESETS
from amplib.truth.densities import CamelBack, Shells

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Page(Parameters):
    """What the page computes.

    Args:
        n_train: events of a training sample.
        repetitions: trainings of each generator on each truth.
        epochs: of a flow, at most.
        trials: sets of events of which an interval is made.
        seed: of everything.
    """

    n_train: int = bounded(500, 100, 100_000)
    repetitions: int = bounded(5, 2, 1000)
    epochs: int = bounded(500, 1, 100_000)
    trials: int = bounded(200, 10, 100_000)
    seed: int = bounded(1, 0, 2**31 - 1)


SCALES: dict[str, dict[str, object]] = {
    "smoke": {"n_train": 100, "repetitions": 2, "epochs": 10, "trials": 20},
    "laptop": {},
    "paper": {"repetitions": 20, "trials": 2000},
}


def page_parameters(preset: str, **changes: object) -> Page:
    """The page at a preset; ``best`` is the laptop's, as all of it is computed when it is built.

    Raises:
        ParameterError: in one line, before any work.
    """
    scale = "laptop" if preset == BEST else preset
    if scale not in SCALES:
        raise ParameterError(f"preset = {preset!r}: allowed are {BEST}, {', '.join(PRESETS)}")
    return Page.with_overrides(SCALES[scale], changes)


@dataclass(frozen=True)
class Trials:
    """Intervals of many sets of events of one generator whose worth is known.

    Args:
        generator: in words.
        judge: by what.
        true: its N_equiv; infinite for a perfect one.
        answers: one a set.
    """

    generator: str
    judge: str
    true: float
    answers: list[Worth]

    @property
    def covered(self) -> Share:
        """Intervals that hold the true value."""
        return Share(sum(self._covers(a) for a in self.answers), len(self.answers))

    def _covers(self, answer: Worth) -> bool:
        n = answer.n_equiv
        if isinstance(n, AtLeast):
            return n.low <= self.true
        return n.interval().low <= self.true <= n.interval().high

    def cells(self) -> list[object]:
        """Of the table's row."""
        values = [a.n_equiv.value for a in self.answers if not isinstance(a.n_equiv, AtLeast)]
        bounds = len(self.answers) - len(values)
        return [
            self.generator,
            self.judge,
            self.answers[0].quantiles,
            f"{self.answers[0].events:,}",
            "infinite" if np.isinf(self.true) else f"{self.true:.0f}",
            f"{np.median(values):.0f}" if 2 * bounds < len(self.answers) else "--",
            bounds,
            self.covered,
        ]


def coverage(trials: int, seed: int) -> list[Trials]:
    """Intervals of generators that are wrong in a known way, ``trials`` of each."""
    rng = np.random.default_rng(seed)
    truth, wide, tilted = CamelBack(), CamelBack(width=1.1), CamelBack(weight=0.55)
    shell, large = Shells(5), Shells(5, radius=4.1)
    sample = truth.sample(100, rng)
    # Three parts of the radius, each in 81 directions; negative radii have a part of 2e-5.
    thirds = np.diff(ndtr(ndtri([0, 1 / 3, 2 / 3, 1]) - 0.1))

    def judged(events: Callable[[], Array], q: int) -> Worth:
        return worth(events(), truth=truth, quantiles=q)

    def crowded() -> Array:
        """Events of which the first of 50 quantiles gets three times its share."""
        u = rng.random(1000) * 52 / 50
        return truth.ppf(np.where(u > 1, (u - 1) / 2, u))

    def weighted() -> Worth:
        x = tilted.sample(10_000, rng)
        return worth(x, truth, quantiles=10, weights=rng.exponential(size=len(x)))

    def against_held_out() -> Worth:
        return worth(wide.sample(10_000, rng), held_out=truth.sample(10_000, rng), quantiles=20)

    one_crowded = np.where(np.arange(50) == 0, 3, 1) / 52
    rows: list[tuple[str, str, float, Callable[[], Worth]]] = [
        ("perfect", "truth", np.inf, lambda: judged(lambda: truth.sample(10_000, rng), 50)),
        (
            "bootstrap of 100 points",
            "truth",
            _worth_of(np.bincount(truth.cells(50)(sample[:, None]), minlength=50) / 100),
            lambda: judged(lambda: rng.choice(sample, 10_000), 50),
        ),
        (
            "humps 10% wider",
            "truth",
            _worth_of(np.diff(wide.cdf(truth.edges(50)))),
            lambda: judged(lambda: wide.sample(10_000, rng), 50),
        ),
        ("humps 10% wider", "held-out", _worth_of(np.diff(wide.cdf(truth.edges(20)))),
         against_held_out),
        ("humps 55 : 45, weighted", "truth", _worth_of(np.diff(tilted.cdf(truth.edges(10)))),
         weighted),
        ("one quantile crowded", "truth", _worth_of(one_crowded), lambda: judged(crowded, 50)),
        ("shell too large, 5 dimensions", "truth", _worth_of(np.repeat(thirds / 81, 81)),
         lambda: worth(large.sample(10_000, rng), shell, quantiles=243)),
    ]  # fmt: skip
    return [
        Trials(name, judge, true, [answer() for _ in range(trials)])
        for name, judge, true, answer in rows
    ]


def _worth_of(p: Array) -> float:
    """N_equiv of infinitely many events with these probabilities of equal cells."""
    q = len(p)
    return float((1 - 1 / q) / ((p - 1 / q) ** 2).sum())
