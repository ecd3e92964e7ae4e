"""The stored arrays of the camel-back studies as curves, samples and fits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from amplib.estimate import LEVEL, Estimate, Interval, Interval95, NothingToJudge
from amplib.metrics.amplification import GANCurve, Repetitions, mse_of_counts, ratio_of_means
from amplib.metrics.likeness import deviations
from amplib.metrics.outlook import Outlook
from amplib.metrics.quantiles import expected_mse, n_equiv
from amplib.metrics.weighed import dilution_in_cells, outlook_of_cells
from amplib.models.fit import information, propagated_mse
from amplib.parameters import ParameterError
from amplib.store.results import Result
from amplib.studies.camel.collapse import has_failed, last_won
from amplib.studies.camel.study import (
    CELLS,
    LINE_SIZES,
    CamelFit,
    CamelGAN,
    CamelSmoothing,
    ChunkedCamelStudy,
)
from amplib.truth.densities import CamelBack

TRUE_PARAMETERS = np.array([-4.0, 4.0, 1.0, 1.0, 0.5])
"""Means, widths and weight of the truth, in the order of the fit's parameters."""


def fit_bound(n: int, q: int) -> float:
    """N_equiv of a fit with the least covariance that ``n`` points allow (Cramer, Rao)."""
    return _n_equiv_of(np.linalg.inv(information(TRUE_PARAMETERS, n)), q)


def check_quantiles(quantiles: object) -> list[int]:
    """Numbers of quantiles that the stored cells can be merged into.

    Raises:
        ParameterError: in one line, with what is allowed.
    """
    allowed = [q for q in range(2, CELLS + 1) if CELLS % q == 0]
    listed = quantiles if isinstance(quantiles, (list, tuple)) else [quantiles]
    known = all(type(q) is int and q in allowed for q in listed)
    if not listed or not known or len(set(listed)) < len(listed):
        raise ParameterError(
            f"quantiles = {quantiles!r}: allowed are {', '.join(map(str, allowed))}, each once"
        )
    return list(listed)


def gan_curve(result: Result) -> GANCurve:
    """The curve of a GAN study, or of an ensemble with equal shares from each member.

    Only repetitions with every member count.

    Raises:
        FileNotFoundError: if no repetition is complete.
        NothingToJudge: if all of them diverged.
    """
    study = result.study
    assert isinstance(study, CamelGAN)
    parts = result.load()
    stacks, index, failed, diverged = [], [], [], 0
    for i in range(study.repetitions):
        if not all((i, m) in parts for m in range(study.members)):
            continue
        members = [parts[i, m] for m in range(study.members)]
        if any(p["diverged"] >= 0 for p in members):
            diverged += 1
        else:
            stacks.append(np.sum([p["counts"] for p in members], axis=0))
            index.append(i)
            failed.append(sum(map(has_failed, members)))
    if diverged and not stacks:
        raise NothingToJudge(f"all {diverged} repetitions of {study.name} diverged")
    if not stacks:
        raise FileNotFoundError(
            f"no complete repetition yet: {result.study.command(result.preset)}"
        )
    sizes = study.members * study.event_sizes
    wanted = (sizes >= 100) & (sizes <= study.max_events)
    counts = np.stack(stacks)[:, wanted]
    return GANCurve(
        sizes[wanted],
        counts,
        study.n_train,
        np.array(index),
        diverged,
        np.array(failed),
        study.members,
    )


@dataclass(frozen=True, eq=False)
class Members:
    """Ensembles taken apart: what of a GAN's error another GAN averages away.

    Let d_m be what member m puts into the quantiles less 1/q.  The error of an ensemble of M, in
    the mean over which M they are, is

        <MSE>_M = common + (own - common) / M

    with own = <d_m^2> of one member and common = <d_m d_n> of two, both averaged over quantiles and
    members.  It is exact, as members of a sample are trained alike and independently, and holds
    for more members than there are.

    Args:
        cells: ``(samples, members, 100)`` counts of equally many events of each.
        n_train: points of each training sample.
    """

    cells: np.ndarray
    n_train: int

    @property
    def count(self) -> int:
        """Members of each sample."""
        return int(self.cells.shape[1])

    def own(self, q: int) -> np.ndarray:
        """Mean MSE of a member, ``(samples,)``: no single training decides."""
        return mse_of_counts(self.cells, q).mean(1)

    def common(self, q: int) -> np.ndarray:
        """The part of it that two members of a sample share, ``(samples,)``.

        Raises:
            ValueError: there is one member.
        """
        if self.count < 2:
            raise ValueError("what members share needs two of them")
        all_of_them = mse_of_counts(self.cells.sum(1), q)
        return (self.count * all_of_them - self.own(q)) / (self.count - 1)

    def one(self, q: int) -> Estimate:
        """N_equiv of a single member."""
        return n_equiv(self.own(q), q)

    def of(self, members: int, q: int) -> Estimate:
        """N_equiv of ensembles of so many."""
        if members == 1:
            return self.one(q)
        common = self.common(q)
        return n_equiv(common + (self.own(q) - common) / members, q)

    def limit(self, q: int) -> Estimate:
        """N_equiv of ensembles in the limit of many members."""
        return n_equiv(self.common(q), q)

    def most_gain(self, q: int) -> Estimate:
        """N_equiv in the limit of many members over that of one."""
        return ratio_of_means(self.own(q), self.common(q))

    def enough(self, share: float, q: int) -> Estimate:
        """Members whose N_equiv is this share of the limit: (own / common - 1) s / (1 - s)."""
        gain = self.most_gain(q)
        low, high = (max(end - 1, 0.0) for end in gain.interval()[1:])
        scale = share / (1 - share)
        return Estimate(gain.value - 1, gain.error, low, high, gain.repetitions).scaled(scale)


def members_of(result: Result, ensembles: GANCurve | None = None) -> Members:
    """The members of a study's ensembles, at the most events of each.

    Args:
        result: the study's.
        ensembles: of these alone; by default of all.

    Raises:
        FileNotFoundError: if no ensemble is complete.
    """
    ensemble, parts = ensembles or gan_curve(result), result.load()
    counts = [
        [parts[int(i), m]["counts"][-1] for m in range(ensemble.members)] for i in ensemble.index
    ]
    return Members(np.array(counts), ensemble.n_train)


def told_by_cells(result: Result) -> list[tuple[Outlook, Interval]]:
    r"""What weights could do for each repetition's generator, and r of x, x^2 and \|x\|.

    In one dimension no classifier is needed: in each of the cells of equal mass the weight is the
    truth's share over the generated one.  What a classifier could see within a cell is left out,
    so that r is at least this.

    Raises:
        FileNotFoundError: if no repetition is complete.
    """
    middle = CamelBack().edges(2 * CELLS)[1::2]
    values = np.stack([middle, middle**2, abs(middle)], 1)
    counts = gan_curve(result).counts[:, -1]
    return [(outlook_of_cells(c), dilution_in_cells(c, values)) for c in counts]


def gain_over_members(
    result: Result, ensembles: GANCurve | None = None
) -> Callable[[int], Estimate]:
    """N_equiv of the ensembles over that of one of their own members, by quantiles.

    The mean over all members stands for one, so that no single training decides.

    Args:
        result, ensembles: of ``members_of``.

    Raises:
        FileNotFoundError: if no ensemble is complete.
    """
    ensembles = ensembles or gan_curve(result)
    apart, spoilt = members_of(result, ensembles), ensembles.failed > 0
    return lambda q: ratio_of_means(apart.own(q), ensembles.asymptote.mse(q), spoilt)


def worth_with_failures(failed: int, members: int) -> float:
    r"""What an ensemble is worth, in points, of which some members put all of their events into one
    quantile and the others make no error.

    These have the share :math:`k / M` of all events, which is an error of
    :math:`(k / M)^2 (1 - 1 / q) / q`, and :math:`(1 - 1 / q) / (q N)` is that of N points: N is
    :math:`(M / k)^2`, at any q.  Others can offset it only by leaving that very quantile short.
    """
    return (members / failed) ** 2


@dataclass(frozen=True, eq=False)
class Chosen:
    """Ensembles of some of their members, of each at the most events.

    Args:
        cells: counts by sample, ``(members, 100)`` each, of equally many events of each member.
        n_train: points of each training sample.
    """

    cells: dict[int, np.ndarray]
    n_train: int

    @property
    def members(self) -> int:
        """Of all samples."""
        return sum(map(len, self.cells.values()))

    @cached_property
    def together(self) -> Repetitions:
        """The ensembles."""
        sums = np.array([cells.sum(0) for cells in self.cells.values()])
        return Repetitions(sums, self.n_train, np.array(list(self.cells)))

    def own(self, q: int) -> np.ndarray:
        """Mean MSE of a member, ``(samples,)``."""
        return np.array([mse_of_counts(cells, q).mean() for cells in self.cells.values()])

    def common(self, q: int) -> np.ndarray:
        """The part of it that two members of a sample share, ``(samples,)``, as of ``Members``;
        that of a single member is all of it."""
        count = np.array([len(cells) for cells in self.cells.values()])
        own = self.own(q)
        shared = (count * self.together.mse(q) - own) / np.maximum(count - 1, 1)
        return np.where(count > 1, shared, own)

    def gain(self, q: int) -> Estimate:
        """N_equiv of the ensembles over that of one of their members."""
        return ratio_of_means(self.own(q), self.together.mse(q))

    def gains(self, q: int) -> np.ndarray:
        """MSE of a member over that of the ensemble, sample by sample, ``(samples,)``."""
        return np.asarray(self.own(q) / self.together.mse(q))

    def differing(self, q: int) -> Interval95:
        """Share of a member's error that differs between trainings on a sample.  Its interval is
        the central 95% of bootstrap resamples of the samples (seeded): as no ensemble is worth
        less than its members, none has a share below zero."""
        own, differs = self.own(q), self.own(q) - self.common(q)
        picks = np.random.default_rng(95).integers(len(own), size=(2000, len(own)))
        shares = differs[picks].mean(1) / own[picks].mean(1)
        low, high = np.quantile(shares, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return Interval95(float(differs.mean() / own.mean()), float(low), float(high))


def without_failed_members(result: Result, left_by: float = math.inf) -> Chosen:
    """The ensembles of those of their members that did not fail; without ensembles that have none.

    Args:
        result: the study's.
        left_by: nor was the discriminator seen to have won after this epoch.

    Raises:
        FileNotFoundError: if no ensemble is complete.
        ValueError: if no member is left.
    """
    every, parts = gan_curve(result), result.load()
    cells = {}
    for i in map(int, every.index):
        members = [parts[i, m] for m in range(every.members)]
        good = [
            part["counts"][-1]
            for part in members
            if not has_failed(part) and last_won(part["losses"]) <= left_by
        ]
        if good:
            cells[i] = np.array(good)
    if not cells:
        raise ValueError(f"no member of {len(every.index)} ensembles is left")
    return Chosen(cells, every.n_train)


def same_for_all(repetitions: Repetitions, q: int) -> float:
    """Share of the mean MSE that the mean deviation over the samples has, squared and corrected for
    its noise: what architecture and schedule do to every network, whatever its sample.

    Args:
        repetitions: single GANs on two samples or more.
        q: quantiles.
    """
    deviation = deviations(repetitions, q)
    noise = deviation.var(0, ddof=1) / len(deviation)
    squared = float((deviation.mean(0) ** 2 - noise).mean())
    return max(squared, 0.0) / float((deviation**2).mean())


@dataclass(frozen=True, eq=False)
class SampleAndFit:
    """Pure samples and the maximum-likelihood fit on the same training samples.

    Args:
        sample: training samples.
        fit: fits to them; those that did not converge are in it, and counted.
        lines: pure samples by their size (Fig. 2's horizontal lines).
        parameters: ``(repetitions, 5)`` fitted.
        covariance: ``(repetitions, 5, 5)`` of the fitted parameters, NaN where there is none.
        valid: ``(repetitions,)`` whether the fit converged.
    """

    sample: Repetitions
    fit: Repetitions
    lines: dict[int, Repetitions]
    parameters: np.ndarray
    covariance: np.ndarray
    valid: np.ndarray

    def propagated_n_equiv(self, q: int) -> float:
        """N_equiv that the mean covariance of the valid fits implies at the truth."""
        return _n_equiv_of(self.covariance[self.valid].mean(0), q)

    def scattered_n_equiv(self, q: int) -> float:
        """N_equiv that the scatter of the valid fits' parameters about the truth implies."""
        apart = self.parameters[self.valid] - TRUE_PARAMETERS
        return _n_equiv_of(apart.T @ apart / len(apart), q)


def _n_equiv_of(covariance: np.ndarray, q: int) -> float:
    """Of fits whose parameters have this covariance, ``(5, 5)``, to first order."""
    mse = propagated_mse(TRUE_PARAMETERS, covariance, CamelBack().edges(q))
    return expected_mse(1, q) / mse


def sample_and_fit(result: Result) -> SampleAndFit:
    """What the fit study stored."""
    assert isinstance(result.study, CamelFit)
    stack = _stacked(result)
    return SampleAndFit(
        _repetitions(result, stack["sample"]),
        _repetitions(result, stack["fit"]),
        {int(n): _repetitions(result, stack["lines"][:, k]) for k, n in enumerate(LINE_SIZES)},
        stack["parameters"],
        stack["covariance"].astype(float),
        stack["valid"],
    )


def smoothing(result: Result) -> dict[str, Repetitions]:
    """Every baseline of the smoothing study, by its name."""
    assert isinstance(result.study, CamelSmoothing)
    return {name: _repetitions(result, cells) for name, cells in _stacked(result).items()}


def _stacked(result: Result) -> dict[str, np.ndarray]:
    rows = list(result.load().values())
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def _repetitions(result: Result, cells: np.ndarray) -> Repetitions:
    assert isinstance(result.study, ChunkedCamelStudy)
    return Repetitions(cells, result.study.n_train, result.study.repetition_indices(result.done()))
