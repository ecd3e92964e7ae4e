"""What the papers say in numbers, beside what we measure: ``book/claims.yml`` with verdicts.

A verdict follows from ``RULES``, never from a look at the plot.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from amplib.book.obtain import BEST, stored
from amplib.estimate import LEVEL, Estimate
from amplib.files import ROOT
from amplib.metrics.amplification import (
    QUANTILES,
    GANCurve,
    Repetitions,
    ratio,
    ratio_of_means,
    shared,
)
from amplib.metrics.verdict import ABOUT, MISSED, Finding, about, above, both, judge, within
from amplib.store.results import Result
from amplib.studies.camel.reading import (
    SampleAndFit,
    fit_bound,
    gain_over_members,
    gan_curve,
    sample_and_fit,
)

CONSTANT = 1.5
COMPARED = 4
"""Samples on which the other aggregations are compared with the standard deviation."""
RULES = (
    f"Every verdict is one of four. *Met*: all of the {LEVEL:.0%} interval of what we measure lies "
    "where the claim says. *Missed*: none of it does. *Undecided*: the interval reaches over the "
    "line; then follows how many repetitions would decide, if the value stays where it is. "
    "*Not measured*.",
    "Intervals over few repetitions are Student's, in the logarithm of an N_equiv, as MSEs are "
    "skewed; its bias, of one over a mean, is removed. Ratios on shared samples have Fieller's.",
    f"*About x* is from x/{ABOUT:g} to {ABOUT:g} x. A *range* has both ends as *about*.",
    "GANs are judged by the trainings that did not fail (end in one hump); failures are counted "
    "beside the number.",
    "*Saturation* is the fewest events from which on the mean MSE stays within 10% of that of the "
    "most events, with a bootstrap interval; it is to lie in the stated range at every resolution. "
    "It is about ten times N_equiv by definition, and no evidence of its own.",
    f"*Roughly constant* is within a factor {CONSTANT:g} between any two resolutions; a *slight "
    "degradation* leaves a half or more of the fit, and less than all of it.",
    "*Largely independent* of the aggregation, *std slightly ahead*: every other is worth at least "
    f"1/{CONSTANT:g} of the standard deviation, and no more than it.",
    "*Improves* and *falls*: at every resolution.",
)
"""How every verdict is reached; the claims page prints them."""


@dataclass(frozen=True)
class Claim:
    """One row of the claims table.

    Args:
        id: ``<document>.<claim>``.
        says: the paper's words.
        measured: ours, as text.
        error: standard error over repetitions of the (first) measured number, or None.
        preset: at which it was measured, or None.
        verdict: begins with ``met``, ``missed``, ``undecided`` or ``not measured``.
        figure: key of the figure that shows it, or None.
        why: where we differ, what we know of the reason.
    """

    id: str
    says: str
    measured: str | None
    error: float | None
    preset: str | None
    verdict: str
    figure: str | None
    why: str = ""


class Evidence:
    """The stored results at a preset, loaded when a claim asks for them."""

    def __init__(self, preset: str = BEST):
        self.preset = preset

    @cached_property
    def fit_result(self) -> Result:
        return stored("fit", self.preset)

    @cached_property
    def gan_result(self) -> Result:
        return stored("gan", self.preset)

    @cached_property
    def aggregation_result(self) -> Result:
        """The aggregations are compared at the laptop's settings only."""
        return other_aggregation("mean")

    @cached_property
    def ensemble_result(self) -> Result:
        return stored("ensemble", self.preset)

    @cached_property
    def reference_result(self) -> Result:
        """Of 1.2 million events, as the claim is about so many."""
        return stored("ttbar-reference", "paper")

    @cached_property
    def samples(self) -> SampleAndFit:
        return sample_and_fit(self.fit_result)

    @cached_property
    def all_gans(self) -> GANCurve:
        """Those that failed included."""
        return gan_curve(self.gan_result)

    @cached_property
    def gan(self) -> GANCurve:
        """Trainings that did not end in one hump."""
        return self.all_gans.converged

    @cached_property
    def ensemble(self) -> GANCurve:
        return gan_curve(self.ensemble_result)

    @cached_property
    def single(self) -> GANCurve:
        """Single GANs at the preset of the ensemble, for a fair comparison."""
        return gan_curve(stored("gan", self.ensemble_result.preset))


def saturation(curve: GANCurve, low: float, high: float) -> Finding:
    """Where the curves saturate, at every resolution."""
    ranges = [curve.saturation_range(q, LEVEL) for q in QUANTILES]
    points = [curve_saturation(curve, q) for q in QUANTILES]
    findings = [
        judge(Estimate(curve.saturation(q), math.nan, *ends), low, high)
        for q, ends in zip(QUANTILES, ranges, strict=True)
    ]
    return both(findings, " / ".join(points) + " events at " + _at_quantiles(), None)


def curve_saturation(curve: GANCurve, q: int) -> str:
    """Saturation with its range, as text."""
    low, high = curve.saturation_range(q)
    return f"{curve.saturation(q):,} ({low:,}-{high:,})"


def falls_with_quantiles(evidence: Evidence) -> Finding:
    """MSE of sample, fit and GAN at 10, 20, 50 quantiles."""
    rows = {
        "sample": evidence.samples.sample,
        "fit": evidence.samples.fit,
        "GAN": evidence.gan.asymptote,
    }
    means = {name: [r.mse(q).mean() for q in QUANTILES] for name, r in rows.items()}
    text = "; ".join(f"{n} " + " > ".join(f"{m:.1e}" for m in v) for n, v in means.items())
    falls = [
        above(ratio_of_means(r.mse(coarse), r.mse(fine)), 1)
        for r in rows.values()
        for coarse, fine in pairwise(QUANTILES)
    ]
    return both(falls, text, None)


def fit_is_bound(evidence: Evidence) -> Finding:
    """Mean MSE of the GANs over that of the fits to the same samples."""
    excess = ratio(evidence.samples.fit, evidence.gan.asymptote)
    return above_one(excess, "times the fit's MSE")


def above_one(measure: Callable[[int], Estimate], what: str) -> Finding:
    """A claim that something is more than one at every resolution."""
    ratios = [measure(q) for q in QUANTILES]
    text = " / ".join(map(str, ratios)) + f" {what} at " + _at_quantiles()
    return both([above(r, 1) for r in ratios], text, ratios[0].error)


def follows_fit(evidence: Evidence) -> Finding:
    """N_equiv(GAN) / N_equiv(fit) on the same samples: roughly constant, slightly below one."""
    gan, fit = shared(evidence.gan.asymptote, evidence.samples.fit)
    share = ratio(gan, fit)
    shares = [share(q) for q in QUANTILES]
    text = " / ".join(map(str, shares)) + " of the fit's N_equiv at " + _at_quantiles()
    slight = [judge(s, 0.5, 1.0) for s in shares]
    constant = [
        judge(_change(gan, fit, coarse, fine), 1 / CONSTANT, CONSTANT)
        for coarse, fine in combinations(QUANTILES, 2)
    ]
    return both([*slight, *constant], text, shares[0].error)


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


def ensemble_improves(evidence: Evidence) -> Finding:
    """N_equiv of the ensembles over that of one of their members."""
    return above_one(gain_over_members(evidence.ensemble_result), "times one of its members")


def _at_quantiles() -> str:
    return ", ".join(map(str, QUANTILES)) + " quantiles"


def _events(curve: GANCurve) -> Repetitions:
    return curve.at(10_000)


def fit_equivalent(evidence: Evidence, q: int, value: float) -> Finding:
    """The fit's N_equiv, and the most that an unbiased fit can reach."""
    bound = fit_bound(evidence.samples.fit.n_train, q)
    why = f"the Fisher information bounds an unbiased fit near {bound:.0f} points" + (
        f", so that {value:g} lies above what such a fit can reach" if value > 1.05 * bound else ""
    )
    return about(evidence.samples.fit.n_equiv(q), value, why)


def other_aggregation(name: str) -> Result:
    """Laptop GANs with another aggregation, on the first samples of the laptop's."""
    return stored("gan", "laptop", aggregation=name, repetitions=COMPARED)


def aggregations(evidence: Evidence) -> Finding:
    """N_equiv of the other aggregations over the standard deviation's, at 50 quantiles."""
    q = QUANTILES[-1]
    standard = gan_curve(stored("gan", "laptop")).asymptote
    ratios = {
        name: ratio(gan_curve(other_aggregation(name)).asymptote, standard)(q)
        for name in ("mean", "max", "sum")
    }
    text = ", ".join(f"{n} {r}" for n, r in ratios.items()) + f" of std's N_equiv at {q} quantiles"
    findings = [judge(r, 1 / CONSTANT, 1.0) for r in ratios.values()]
    return both(findings, text, ratios["mean"].error)


def ideal_generator(evidence: Evidence) -> Finding:
    """delta and delta_OF that simulated events have against as many others."""
    from amplib.studies.collisions.reference import PAPER_IDEAL, ideal
    from amplib.truth.collisions.observables import BINNINGS

    delta, crowding = ideal(evidence.reference_result.load()[(0,)])
    ours, *others = (f"{d.value:.5f}" for d in delta)
    bins = ", ".join(f"{d} ({name})" for d, name in zip(others, BINNINGS[1:], strict=True))
    return both(
        [about(d, paper) for d, paper in zip((delta[0], crowding[0]), PAPER_IDEAL, strict=True)],
        f"delta {ours}, delta_OF {crowding[0]}",
        None,
        f"the paper does not say where its bins lie; other ranges give {bins}",
    )


MEASURES: dict[str, tuple[str, str, Callable[[Evidence], Finding]]] = {
    # claim -> (study whose preset counts, figure, measurement)
    "amplify.fit-equivalent-10": (
        "fit", "amplify-fig2", lambda c: fit_equivalent(c, 10, 300)),
    "amplify.fit-equivalent-20": (
        "fit", "amplify-fig2", lambda c: fit_equivalent(c, 20, 500)),
    "amplify.fit-equivalent-50": (
        "fit", "amplify-fig2", lambda c: fit_equivalent(c, 50, 1000)),
    "amplify.gan-equivalent-low": (
        "gan", "amplify-fig2", lambda c: about(_events(c.gan).n_equiv(10), 150)),
    "amplify.gan-equivalent-high": (
        "gan", "amplify-fig2", lambda c: about(_events(c.gan).n_equiv(50), 500)),
    "amplify.gan-saturation": (
        "gan", "amplify-fig2", lambda c: saturation(c.gan, 1e3, 1e4)),
    "amplify.gan-amplification-50": (
        "gan", "amplify-fig2", lambda c: above(c.gan.asymptote.amplification(50), 5)),
    "amplify.more-quantiles": ("gan", "amplify-fig2", falls_with_quantiles),
    "amplify.fit-is-bound": ("gan", "amplify-fig2", fit_is_bound),
    "amplify.follows-fit": ("gan", "amplify-fig2", follows_fit),
    "amplify.aggregation": ("aggregation", "amplify-fig3", aggregations),
    "ensemble.gan-equivalent": (
        "ensemble", "ensemble-fig2",
        lambda c: within(_events(c.single).n_equiv(10), _events(c.single).n_equiv(50), [150, 600])),
    "ensemble.ensemble-equivalent": (
        "ensemble", "ensemble-fig2",
        lambda c: within(
            _events(c.ensemble).n_equiv(10), _events(c.ensemble).n_equiv(50), [190, 750])),
    "ensemble.ensemble-amplification-50": (
        "ensemble", "ensemble-fig2",
        lambda c: above(c.ensemble.asymptote.amplification(50), 7)),
    "ensemble.saturation": (
        "ensemble", "ensemble-fig2", lambda c: saturation(c.ensemble, 1e3, 1e5)),
    "ensemble.ensemble-improves": ("ensemble", "ensemble-fig2", ensemble_improves),
    "bvae.ideal": ("reference", "events-fig6", ideal_generator),
}  # fmt: skip


def says() -> dict[str, str]:
    """The papers' words by claim id, from ``book/claims.yml``."""
    documents = yaml.safe_load((ROOT / "book" / "claims.yml").read_text())
    return {f"{d}.{c}": row["says"] for d, claims in documents.items() for c, row in claims.items()}


def all_claims(preset: str = BEST) -> list[Claim]:
    """Every claim of the documents, with our measurement where its result is stored."""
    evidence = Evidence(preset)
    return [_claim(evidence, name, text) for name, text in says().items()]


def _claim(evidence: Evidence, name: str, text: str) -> Claim:
    if name not in MEASURES:
        return Claim(name, text, None, None, None, "not measured yet", None)
    study, figure, measure = MEASURES[name]
    result: Result = getattr(evidence, f"{study}_result")
    try:
        finding = measure(evidence)
    except FileNotFoundError as error:
        return Claim(name, text, None, None, None, "not measured", figure, str(error))
    verdict = finding.verdict
    if result.preset != "paper" or result.missing():
        verdict += f" ({scale(result)})"
    why = finding.why
    if study == "gan" and evidence.all_gans.failures.k:
        failed = f"without the failed: {evidence.all_gans.failures}"
        why = f"{failed}; {why}" if why else failed
    if finding.verdict == MISSED and not why and result.preset != "paper":
        why = "the schedule is shorter than the papers'; whether that is the reason is not measured"
    if finding.repetitions:
        why = "; ".join(filter(None, [why, f"{finding.repetitions:,} repetitions would decide it"]))
    return Claim(name, text, finding.measured, finding.error, result.preset, verdict, figure, why)


def scale(result: Result) -> str:
    """Preset and repetitions, and the members of an ensemble where they are not the papers'."""
    study = result.study
    text = f"{result.preset}, {study.repetitions_done(result.done())} repetitions"
    members = study.asdict().get("members", 1)
    return text if members == 1 else f"{text} of {members} members"


def write_claims(claims: list[Claim], path: Path) -> None:
    """``claims.json``: the table for machines."""
    rows: list[dict[str, Any]] = [asdict(c) for c in claims]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows, indent=1))
