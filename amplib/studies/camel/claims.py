"""What the amplification papers say in numbers, measured."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np

from amplib.estimate import LEVEL, Estimate, enumerated
from amplib.metrics.amplification import (
    QUANTILES,
    GANCurve,
    Repetitions,
    ratio,
    ratio_of_means,
    shared,
)
from amplib.metrics.verdict import MET, Finding, about, above, both, judge, reasons, within
from amplib.store.results import Result
from amplib.studies.camel.reading import (
    SampleAndFit,
    fit_bound,
    gain_over_members,
    gan_curve,
    sample_and_fit,
)
from amplib.studies.claim import Evidence, claim

CONSTANT = 1.5
"""Factor between resolutions up to which something is *roughly constant*."""
COMPARED = 4
"""Samples on which the other aggregations are compared with the standard deviation."""
OTHERS = ("mean", "max", "sum")
EVENTS = 10_000
"""GANned events at which the papers read N_equiv off their figures."""
RULES = (
    "GANs are judged by the trainings that did not fail (never leave their start), and ensembles "
    "by those of which no member did; failures are counted beside the number, and for the claims "
    "of the second paper all together stand there, too.  For ensembles this rule replaced another, "
    "after the numbers were known: it counted them whatever their members did, and so judged the "
    "two kinds differently.  The verdicts by it are named.",
    "*Saturation* is the fewest events from which on the mean MSE stays within 10% of that of the "
    "most events, with a bootstrap interval; it is to lie in the stated range at every resolution. "
    "It is about ten times N_equiv by definition, and no evidence of its own.",
    f"*Roughly constant* is within a factor {CONSTANT:g} between any two resolutions; a *slight "
    "degradation* leaves a half or more of the fit, and less than all of it.",
    "*Largely independent* of the aggregation, *std slightly ahead*: every other is worth at least "
    f"1/{CONSTANT:g} of the standard deviation, and no more than it.",
    "*Improves* and *falls*: at every resolution.",
)
AMPLIFY, ENSEMBLE = "amplify-fig2", "ensemble-fig2"
AT = ", ".join(map(str, QUANTILES)) + " quantiles"


def samples(evidence: Evidence) -> SampleAndFit:
    return sample_and_fit(evidence("fit"))


def all_gans(evidence: Evidence) -> GANCurve:
    """Those that failed included."""
    return gan_curve(evidence("gan"))


def gans(evidence: Evidence) -> GANCurve:
    """Trainings that did not fail."""
    return all_gans(evidence).converged


def single_gans(evidence: Evidence) -> GANCurve:
    """Single GANs at the preset of the ensembles, for a fair comparison."""
    return gan_curve(evidence("gan", preset=evidence("ensemble").preset))


def ensembles(evidence: Evidence) -> GANCurve:
    return gan_curve(evidence("ensemble"))


def other_aggregation(evidence: Evidence, name: str) -> Result:
    """Laptop GANs with another aggregation, on the first samples of the laptop's."""
    return evidence("gan", preset="laptop", aggregation=name, repetitions=COMPARED)


@claim("amplify.fit-equivalent-10", AMPLIFY, "fit", q=10)
@claim("amplify.fit-equivalent-20", AMPLIFY, "fit", q=20)
@claim("amplify.fit-equivalent-50", AMPLIFY, "fit", q=50)
def fit_equivalent(evidence: Evidence, value: float, q: int) -> Finding:
    """The fit's N_equiv, and the most that an unbiased fit can reach."""
    fit = samples(evidence).fit
    bound = fit_bound(fit.n_train, q)
    why = f"the Fisher information bounds an unbiased fit near {bound:.0f} points" + (
        f", so that {value:g} lies above what such a fit can reach" if value > 1.05 * bound else ""
    )
    median = f"the median fit has {fit.median_n_equiv(q)}; the paper does not say which it is"
    return about(fit.n_equiv(q), value, reasons(why, median))


@claim("amplify.gan-equivalent-low", AMPLIFY, "gan", q=10)
@claim("amplify.gan-equivalent-high", AMPLIFY, "gan", q=50)
def gan_equivalent(evidence: Evidence, value: float, q: int) -> Finding:
    return _with_failures(about(gans(evidence).at(EVENTS).n_equiv(q), value), all_gans(evidence))


@claim("amplify.gan-saturation", AMPLIFY, "gan")
def gan_saturation(evidence: Evidence, value: tuple[float, float]) -> Finding:
    return _with_failures(saturation(gans(evidence), *value), all_gans(evidence))


@claim("amplify.gan-amplification-50", AMPLIFY, "gan")
def gan_amplification(evidence: Evidence, value: float) -> Finding:
    factor = gans(evidence).asymptote.amplification(QUANTILES[-1])
    return _with_failures(above(factor, value), all_gans(evidence))


@claim("amplify.more-quantiles", AMPLIFY, "gan")
def falls_with_quantiles(evidence: Evidence, _: object) -> Finding:
    """MSE of sample, fit and GAN at 10, 20, 50 quantiles."""
    fits = samples(evidence)
    rows = {"sample": fits.sample, "fit": fits.fit, "GAN": gans(evidence).asymptote}
    means = {name: [r.mse(q).mean() for q in QUANTILES] for name, r in rows.items()}
    text = "; ".join(f"{n} " + " > ".join(f"{m:.1e}" for m in v) for n, v in means.items())
    falls = [
        above(ratio_of_means(r.mse(coarse), r.mse(fine)), 1)
        for r in rows.values()
        for coarse, fine in pairwise(QUANTILES)
    ]
    return _with_failures(both(falls, text, None), all_gans(evidence))


@claim("amplify.fit-is-bound", AMPLIFY, "gan")
def fit_is_bound(evidence: Evidence, _: object) -> Finding:
    """Mean MSE of the GANs over that of the fits to the same samples."""
    excess = ratio(samples(evidence).fit, gans(evidence).asymptote)
    return _with_failures(above_one(excess, "times the fit's MSE"), all_gans(evidence))


@claim("amplify.follows-fit", AMPLIFY, "gan")
def follows_fit(evidence: Evidence, _: object) -> Finding:
    """N_equiv(GAN) / N_equiv(fit) on the same samples: roughly constant, slightly below one."""
    gan, fit = shared(gans(evidence).asymptote, samples(evidence).fit)
    share = ratio(gan, fit)
    shares = [share(q) for q in QUANTILES]
    text = enumerated(shares) + f" of the fit's N_equiv at {AT}"
    slight = [judge(s, 0.5, 1.0) for s in shares]
    constant = [
        judge(_change(gan, fit, coarse, fine), 1 / CONSTANT, CONSTANT)
        for coarse, fine in combinations(QUANTILES, 2)
    ]
    return _with_failures(both([*slight, *constant], text, shares[0].error), all_gans(evidence))


@claim(
    "amplify.aggregation",
    "amplify-fig3",
    "gan",
    "laptop",
    {"aggregation": OTHERS[0], "repetitions": COMPARED},
)
def aggregations(evidence: Evidence, _: object) -> Finding:
    """N_equiv of the other aggregations over the standard deviation's, at the finest resolution."""
    q = QUANTILES[-1]
    standard = gan_curve(evidence("gan", preset="laptop")).asymptote
    ratios = {
        name: ratio(gan_curve(other_aggregation(evidence, name)).asymptote, standard)(q)
        for name in OTHERS
    }
    text = ", ".join(f"{n} {r}" for n, r in ratios.items()) + f" of std's N_equiv at {q} quantiles"
    findings = [judge(r, 1 / CONSTANT, 1.0) for r in ratios.values()]
    return both(findings, text, ratios[OTHERS[0]].error)


@claim("ensemble.gan-equivalent", ENSEMBLE, "ensemble", curve=single_gans)
@claim("ensemble.ensemble-equivalent", ENSEMBLE, "ensemble", curve=ensembles)
def equivalent_range(
    evidence: Evidence, value: list[float], curve: Callable[[Evidence], GANCurve]
) -> Finding:
    """N_equiv from the coarsest to the finest resolution."""

    def ends(one: GANCurve) -> Finding:
        low, high = (one.at(EVENTS).n_equiv(q) for q in (QUANTILES[0], QUANTILES[-1]))
        return within(low, high, value)

    return _beside_all(curve(evidence), ends)


@claim("ensemble.ensemble-amplification-50", ENSEMBLE, "ensemble")
def ensemble_amplification(evidence: Evidence, value: float) -> Finding:
    def factor(one: GANCurve) -> Finding:
        return above(one.asymptote.amplification(QUANTILES[-1]), value)

    return _beside_all(ensembles(evidence), factor)


@claim("ensemble.saturation", ENSEMBLE, "ensemble")
def ensemble_saturation(evidence: Evidence, value: tuple[float, float]) -> Finding:
    return _beside_all(ensembles(evidence), lambda one: saturation(one, *value))


@claim("ensemble.ensemble-improves", ENSEMBLE, "ensemble")
def ensemble_improves(evidence: Evidence, _: object) -> Finding:
    """N_equiv of the ensembles over that of one of their members.

    It is no less than one whatever is trained: the claim is met, and its size is the finding.
    """
    result = evidence("ensemble")
    why = "the squared error of a mean is at most the mean of the squared errors"

    def gain(one: GANCurve) -> Finding:
        found = above_one(gain_over_members(result, one), "times one of its members")
        return replace(found, verdict=MET, why=why, repetitions=None)

    return _beside_all(ensembles(evidence), gain)


def saturation(curve: GANCurve, low: float, high: float) -> Finding:
    """Where the curves saturate, at every resolution."""
    ranges = [curve.saturation_range(q, LEVEL) for q in QUANTILES]
    points = [curve_saturation(curve, q) for q in QUANTILES]
    findings = [
        judge(Estimate(curve.saturation(q), math.nan, *ends), low, high)
        for q, ends in zip(QUANTILES, ranges, strict=True)
    ]
    return both(findings, enumerated(points) + f" events at {AT}", None)


def curve_saturation(curve: GANCurve, q: int) -> str:
    """Saturation with its range, as text."""
    low, high = curve.saturation_range(q)
    return f"{curve.saturation(q):,} ({low:,}-{high:,})"


def above_one(measure: Callable[[int], Estimate], what: str) -> Finding:
    """A claim that something is more than one at every resolution."""
    ratios = [measure(q) for q in QUANTILES]
    text = enumerated(ratios) + f" {what} at {AT}"
    return both([above(r, 1) for r in ratios], text, ratios[0].error)


def _with_failures(finding: Finding, trainings: GANCurve) -> Finding:
    """Says how many trainings failed, which are not in the number."""
    failures = trainings.failures
    if not failures.k:
        return finding
    return replace(finding, why=reasons(f"without the failed: {failures}", finding.why))


def _beside_all(trainings: GANCurve, judged: Callable[[GANCurve], Finding]) -> Finding:
    """A finding without failed trainings and without the ensembles that have one; what it is of
    all, and of ensembles the verdict by that, stand beside it."""
    if not trainings.failures.k:
        return judged(trainings)
    found, every = judged(trainings.converged), judged(trainings)
    whole, all_of_them = len(trainings.converged.index), len(trainings.index)
    told = f"failed: {trainings.failures}; of all together {every.measured}"
    if trainings.members > 1:
        told = f"{whole} of {all_of_them} ensembles, without members that failed; {told}"
        told += f", by the earlier rule {every.verdict}"
    return replace(found, why=reasons(told, found.why))


def _change(gan: Repetitions, fit: Repetitions, coarse: int, fine: int) -> Estimate:
    """By which factor the GAN's share of the fit changes from one resolution to another; its
    interval is that of bootstrap resamples of the repetitions (seeded)."""
    rows = [r.mse(q) for r, q in ((fit, fine), (gan, coarse), (gan, fine), (fit, coarse))]
    mse = np.array(rows)
    picks = np.random.default_rng(95).integers(mse.shape[1], size=(2000, mse.shape[1]))
    means = mse[:, picks].mean(2)
    changes = means[0] * means[1] / (means[2] * means[3])
    low, high = np.quantile(changes, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    whole = mse.mean(1)
    value = float(whole[0] * whole[1] / (whole[2] * whole[3]))
    return Estimate(value, float(changes.std()), float(low), float(high), mse.shape[1])
