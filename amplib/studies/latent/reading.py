"""Stored priors and the map of the latent space, with their errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from amplib.estimate import AtLeast, Estimate, mean
from amplib.metrics.two_sample import TwoSampleTest
from amplib.models.kde import BANDWIDTHS
from amplib.store.results import Result
from amplib.store.study import Arrays
from amplib.studies.bvae.study import CHOSEN
from amplib.studies.event_paper import TABLE_I, TABLE_II, TABLE_III
from amplib.studies.latent.charts import BESIDE, EVERY, FALSE_ALARMS, INPUTS, SCORES
from amplib.studies.latent.study import PROCESSES, TESTED, LatentPriors, Prior
from amplib.studies.merit.judge import DIRECTIONS
from amplib.studies.merit.worth import worth_in_cells
from amplib.truth.collisions.columns import TTBAR

Array = NDArray[np.float64]

PAPER = TABLE_III | {
    "buffer, γ = 0.05": TABLE_I[*CHOSEN, 1, 0.05],
    "buffer, γ = 0": TABLE_II[*CHOSEN, 1, 0],
}
"""delta and delta_OF of the paper's priors, the chosen model's buffer among them."""
IN_EVERY_EVENT = np.array([not name.endswith("_l2") for name in TTBAR])
"""Columns that are of something that is there: pairs of absent leptons have no distance."""


@dataclass(frozen=True, eq=False)
class JudgedPrior:
    """One prior, by the events that are decoded from it; errors are over these events.

    Args:
        prior: which.
        delta, delta_of: of as many events as the truth's sample has (eta, phi).
        dropped: share of entries outside of the truth's ranges.
        broken: share of events that break a rule of the published set.
        latent: counts of the codes, ``(dim z, bins)``.
        tests: classifier two-sample tests, by what they see.
        worth: N_equiv, by the number of cells.
        held_out: events that its cells were cut from, the same way.
        bandwidth: of kernels, else 0.
        losses: see ``LatentPriors.compute``.
        diverged: whether its training did.
    """

    prior: Prior
    delta: Estimate
    delta_of: dict[str, Estimate]
    dropped: float
    broken: float
    latent: NDArray[np.integer]
    tests: dict[str, TwoSampleTest]
    worth: dict[int, Estimate | AtLeast]
    held_out: dict[int, int]
    bandwidth: float
    losses: NDArray[np.float32]
    diverged: bool


def judged_priors(result: Result) -> dict[str, JudgedPrior]:
    """All that is stored of a ``LatentPriors``, by name, in the order of its parts.

    Raises:
        FileNotFoundError: if nothing is, with the command that computes it.
    """
    study = cast(LatentPriors, result.study)
    priors = study.priors()
    return {str(priors[k]): _judged(study, priors[k], a) for (k,), a in result.load().items()}


def _judged(study: LatentPriors, prior: Prior, arrays: Arrays) -> JudgedPrior:
    held_out = dict(zip(study.quantiles, map(int, arrays["cut_from"]), strict=True))
    return JudgedPrior(
        prior=prior,
        delta=Estimate(*arrays["delta"]),
        delta_of={k: Estimate(*e) for k, e in zip(DIRECTIONS, arrays["delta_of"], strict=True)},
        dropped=float(arrays["dropped"]),
        broken=float(arrays["broken"]),
        latent=arrays["latent"],
        tests={
            seen: TwoSampleTest(Estimate(value, error), p, null)
            for seen, (value, error, p, null) in zip(TESTED, arrays["auc"], strict=True)
        },
        worth=worth_in_cells(arrays, study.quantiles),
        held_out=held_out,
        bandwidth=float(arrays["bandwidth"]),
        losses=arrays["losses"],
        diverged=bool(arrays["diverged"] >= 0),
    )


def marginal_chi2(counts: NDArray[np.integer], truth: NDArray[np.integer]) -> float:
    """Eq. 22 of each latent dimension, its mean over them: shares of codes within the bins."""
    p, q = (c / c.sum(1, keepdims=True) for c in (counts, truth))
    filled = p + q > 0
    terms = np.divide((p - q) ** 2, p + q, out=np.zeros_like(p), where=filled)
    return float(terms.sum(1).mean())


def within_a_step(kernels: Sequence[JudgedPrior]) -> float | None:
    """By what factor delta changes between the first two kernels, if their bandwidths lie within
    one step of the grid that these are chosen from."""
    if len(kernels) < 2:
        return None
    step, (wide, narrow) = BANDWIDTHS[1] / BANDWIDTHS[0], kernels[:2]
    if not 1 / step < wide.bandwidth / narrow.bandwidth < step:
        return None
    return wide.delta.value / narrow.delta.value


@dataclass(frozen=True, eq=False)
class Chart:
    """The part of a ``LatentMap``.

    Args:
        arrays: as stored.
    """

    arrays: Arrays

    @classmethod
    def of(cls, result: Result) -> Chart:
        """Raises: FileNotFoundError: if it is not stored."""
        return cls(result.load()[(0,)])

    @property
    def codes(self) -> NDArray[np.integer]:
        """Counts of the codes of the training events, ``(dim z, bins)``."""
        return self.arrays["codes"]

    @property
    def variance_share(self) -> Array:
        """Of each component, ``(dim z,)``."""
        return np.asarray(self.arrays["variances"] / self.arrays["variances"].sum())

    @property
    def lattice(self) -> NDArray[np.float32]:
        """Events of the plane, ``(radii, angles, 26)``, MeV."""
        return self.arrays["lattice"]

    @property
    def paper_lattice(self) -> NDArray[np.float32]:
        """Those of Fig. 9, ``(8, 8, 26)``: r from top to bottom, phi from left to right."""
        return self.lattice[:: EVERY[0], :: EVERY[1]]

    def unexplained(self, given: str) -> Estimate:
        """Mean squared error of the reconstruction over the variance of the input, the mean over
        columns; its error is over blocks of inputs."""
        by_block = (self._squares(given) / self._spread(given)).mean(1)
        return mean(by_block)

    def unexplained_columns(self, given: str) -> Array:
        """Mean squared error over the variance of the input for each column, ``(26,)``."""
        return np.asarray(self._squares(given).mean(0) / self._spread(given))

    @property
    def lost_of_noise(self) -> float:
        """Share of noise, independent in every column, that no linear copy through as many numbers
        as there are codes can keep."""
        return max(1 - len(self.codes) / len(TTBAR), 0.0)

    def _squares(self, given: str) -> Array:
        return np.asarray(self.arrays["squares"][INPUTS.index(given)])

    def _spread(self, given: str) -> Array:
        return np.asarray(self.arrays["spread"][INPUTS.index(given)])

    @property
    def held(self) -> list[int]:
        """How many components are held about those of a target."""
        return [int(k) for k in self.arrays["held"]]

    def steered(self, held: int) -> Estimate:
        """Mean distance of the events to their target over that of random pairs; the mean over
        the columns that every event has, its error over targets, which both have in common."""
        return paired(self.arrays["steered"][self.held.index(held)], self.arrays["random"])

    def steered_columns(self, held: int) -> Array:
        """Mean distance to the target over that of random pairs for each column, ``(26,)``."""
        far = self.arrays["steered"][self.held.index(held)].mean(0)
        return np.asarray(far / self._random_pairs)

    def beside(self, way: str) -> Estimate:
        """Mean distance of events near those of Fig. 9 over that of random pairs, over 64 points;
        the targets of the random pairs are others."""
        return self.beside_random(self._beside(way))

    def beside_random(self, near: NDArray[np.floating]) -> Estimate:
        """``beside`` of any distances to the points of Fig. 9, ``(64, 26)``."""
        near, far = (np.asarray(a, dtype=float) for a in (near, self.arrays["random"]))
        usual = far.mean(0)
        ratio = near.mean(0) / usual
        ours, theirs = (mean((x / usual)[:, IN_EVERY_EVENT].mean(1)) for x in (near, ratio * far))
        return Estimate(ours.value, float(np.hypot(ours.error, theirs.error)))

    def beside_point(self, way: str, point: int) -> float:
        """The same of one of the 64 points, whose one distance has no error."""
        near = self._beside(way)[point] / self._random_pairs
        return float(near[IN_EVERY_EVENT].mean())

    def beside_over(self, way: str, true: Array) -> Estimate:
        """Mean distance of events near those of Fig. 9 over that of true events ``(64, 26)``."""
        return paired(self._beside(way), true)

    def _beside(self, way: str) -> Array:
        return np.asarray(self.arrays["beside"][BESIDE.index(way)])

    @property
    def _random_pairs(self) -> Array:
        return np.asarray(self.arrays["random"].mean(0), dtype=float)


def paired(near: NDArray[np.floating], far: NDArray[np.floating]) -> Estimate:
    """A mean distance over another to the same targets, the mean over the columns that every event
    has.  Targets that are far from everything are so in both: the error is that of the ratio, to
    first order.

    Args:
        near, far: mean distances to each target, column by column, ``(targets, 26)``.
    """
    above, below = (np.asarray(a, dtype=float) for a in (near, far))
    ratio = above.mean(0) / below.mean(0)
    of_targets = ratio + (above - ratio * below) / below.mean(0)
    return mean(of_targets[:, IN_EVERY_EVENT].mean(1))


@dataclass(frozen=True, eq=False)
class Anomalies:
    """One other process beside top pairs, by the reconstruction loss.

    Args:
        process: its name.
        auc: by score, with the error over events.
        found: by score, its share above the threshold that ``FALSE_ALARMS`` of the top pairs pass.
        histograms: by score, shares of top pairs and of its events in ``LOSS_BINS``.
        columns: mean squared error of each column over that of top pairs, ``(26,)``.
        supervised: of trees that have seen both.
    """

    process: str
    auc: dict[str, Estimate]
    found: dict[str, Array]
    histograms: dict[str, Array]
    columns: Array
    supervised: TwoSampleTest

    @classmethod
    def of(cls, process: str, arrays: Arrays) -> Anomalies:
        """What is stored of a process."""
        counts = arrays["histograms"]
        value, error, p, null = arrays["supervised"].tolist()
        top_pairs, others = arrays["columns"]
        return cls(
            process,
            {s: Estimate(*a) for s, a in zip(SCORES, arrays["auc"].tolist(), strict=True)},
            dict(zip(SCORES, arrays["found"], strict=True)),
            dict(zip(SCORES, counts / counts.sum(2, keepdims=True), strict=True)),
            np.divide(others, top_pairs, out=np.ones_like(others), where=top_pairs > 0),
            TwoSampleTest(Estimate(value, error), p, null),
        )

    def found_at(self, false_alarms: float, score: str) -> float:
        """Its share above the threshold that this share of the top pairs passes."""
        return float(np.interp(false_alarms, FALSE_ALARMS, self.found[score]))


def anomalies(result: Result) -> dict[str, Anomalies]:
    """Of each process of a ``LatentAnomalies`` that is stored."""
    names = list(PROCESSES)
    return {names[k]: Anomalies.of(names[k], a) for (k,), a in result.load().items()}
