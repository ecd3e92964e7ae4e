"""The page that judges other people's generators: its parameters, and how often intervals cover."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from amplib.book.obtain import BEST
from amplib.cells import Splits
from amplib.door.amplify import Generator, amplify
from amplib.door.judge import worth
from amplib.door.verdict import Worth
from amplib.estimate import AtLeast, Share
from amplib.metrics.amplification import ratio_of_means
from amplib.parameters import ParameterError, Parameters, bounded
from amplib.store.study import PRESETS
from amplib.truth.densities import CamelBack, GaussianMixture, Shells

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


def perhaps_best(answers: Mapping[str, Worth]) -> list[str]:
    """Generators than which none is known to be better, by name.

    One is better if its mean error is smaller over the trainings that both had on the same samples:
    the 95% interval of the paired ratio leaves out one.
    """
    return [
        name
        for name, answer in answers.items()
        if not any(
            ratio_of_means(answer.mse, other.mse).interval().low > 1
            for rival, other in answers.items()
            if rival != name
        )
    ]


@dataclass(frozen=True)
class Trials:
    """Intervals of many sets of events of one generator whose worth is known.

    Args:
        generator: in words.
        judge: by what.
        true: its N_equiv, one a set, as the cells may differ; infinite for a perfect one.
        answers: one a set.
    """

    generator: str
    judge: str
    true: list[float]
    answers: list[Worth]

    @property
    def covered(self) -> Share:
        """Intervals that hold the true value."""
        return Share(sum(map(_covers, self.answers, self.true)), len(self.answers))

    def cells(self) -> list[object]:
        """Of the table's row."""
        bounds = sum(isinstance(a.n_equiv, AtLeast) for a in self.answers)
        middle = np.median(  # a bound lies above every value
            [np.inf if isinstance(a.n_equiv, AtLeast) else a.n_equiv.value for a in self.answers]
        )
        return [
            self.generator,
            self.judge,
            self.answers[0].quantiles,
            f"{self.answers[0].events:,}",
            "infinite" if np.isinf(self.true[0]) else f"{np.median(self.true):.0f}",
            f"{middle:.0f}" if np.isfinite(middle) else "--",
            bounds,
            self.covered,
        ]


def _covers(answer: Worth, true: float) -> bool:
    n = answer.n_equiv
    if isinstance(n, AtLeast):
        return n.low <= true
    return n.interval().low <= true <= n.interval().high


def least(rows: Sequence[Trials]) -> list[Trials]:
    """Those whose intervals cover the least, all of them if several do."""
    fewest = min(row.covered.k for row in rows)
    return [row for row in rows if row.covered.k == fewest]


def coverage(trials: int, seed: int) -> list[Trials]:
    """Every row of the table: of one training, and over several."""
    return [
        *single_trainings(trials, np.random.default_rng(seed)),
        in_the_plane(trials, np.random.default_rng([seed, 1])),
        *several_trainings(trials, np.random.SeedSequence(seed)),
    ]


def single_trainings(trials: int, rng: np.random.Generator) -> list[Trials]:
    """Intervals of generators that are wrong in a known way, ``trials`` of each."""
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
        return worth(x, truth=truth, quantiles=10, weights=rng.exponential(size=len(x)))

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
         lambda: worth(large.sample(10_000, rng), truth=shell, quantiles=243)),
    ]  # fmt: skip
    return [
        Trials(name, judge, [true] * trials, [answer() for _ in range(trials)])
        for name, judge, true, answer in rows
    ]


def in_the_plane(trials: int, rng: np.random.Generator) -> Trials:
    """Two humps in two dimensions, 10% wider, by held-out events: each answer beside the worth in
    its own cells, (1 - 1/q) / sum_j (pi_j - m_j)^2 with the masses pi of the generator and m of the
    truth, which are products of normal distribution functions."""
    means, width, q, n = np.array([[-2.0, -2.0], [2.0, 2.0]]), 1.1, 50, 10_000
    truth = GaussianMixture(means)
    wide = GaussianMixture(means, width**2 * np.eye(2))

    def masses(cells: Splits, width: float) -> Array:
        ends = ndtr((cells.bounds() - means[:, None, :, None]) / width)  # (hump, q, axis, end)
        return np.asarray(np.diff(ends)[..., 0].prod(axis=-1).mean(axis=0))

    true, answers = [], []
    for _ in range(trials):
        held_out = truth.sample(n, rng)
        cells = Splits(held_out, q)
        off = masses(cells, width) - masses(cells, 1)
        true.append(float((1 - 1 / q) / (off @ off)))
        answers.append(worth(wide.sample(n, rng), held_out=held_out, quantiles=q))
    return Trials("humps in a plane 10% wider", "held-out, those cells", true, answers)


TRAININGS = 5
"""Over which the intervals of ``several_trainings`` are."""
POINTS = 100
"""Of a sample that such a training sees."""


def bootstrap(sample: Array, n: int, rng: np.random.Generator) -> Array:
    """Points of the sample again: worth as many as it has."""
    return rng.choice(sample, n)


def share_fitted(sample: Array, n: int, rng: np.random.Generator) -> Array:
    """A camel back of which all is known but the share f of the left hump, k/N of N points there.

    The q quantiles get 2f/q or 2(1 - f)/q, so that <MSE> = (2/q)^2 <(f - 1/2)^2> = 1/(q^2 N): worth
    (q - 1) N.
    """
    return CamelBack(weight=float(np.mean(sample < 0))).sample(n, rng)


def several_trainings(trials: int, stream: np.random.SeedSequence) -> list[Trials]:
    """Intervals over ``TRAININGS`` trainings, each on ``POINTS`` points of the camel back."""
    rows: list[tuple[str, float, Generator]] = [
        ("bootstrap of each sample", POINTS, bootstrap),
        ("share of humps fitted", 49 * POINTS, share_fitted),
    ]
    seeds = stream.generate_state(trials).tolist()
    judge = f"truth, {TRAININGS} trainings"
    return [
        Trials(name, judge, [true] * trials,
               [amplify(CamelBack(), generator, n_train=POINTS, repetitions=TRAININGS, seed=seed)
                for seed in seeds])
        for name, true, generator in rows
    ]  # fmt: skip


def _worth_of(p: Array) -> float:
    """N_equiv of infinitely many events with these probabilities of equal cells."""
    q = len(p)
    return float((1 - 1 / q) / ((p - 1 / q) ** 2).sum())
