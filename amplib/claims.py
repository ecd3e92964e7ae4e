"""What the papers say in numbers, beside what we measure: ``book/claims.yml`` with verdicts.

A verdict follows from a rule that is stated here once, never from a look at the plot:

- "about x" is met within 20% of x, or within two standard errors of it;
- a range is met if every value lies in it, or within two standard errors of it;
- a bound is met if the value lies on its side.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from amplib.amplification import (
    QUANTILES,
    GANCurve,
    Repetitions,
    SampleAndFit,
    gan_curve,
    ratio,
    sample_and_fit,
)
from amplib.obtain import stored
from amplib.quantiles import Estimate
from amplib.results import ROOT, Result

ABOUT = 0.2
SIGMAS = 2.0


@dataclass(frozen=True)
class Claim:
    """One row of the claims table.

    Args:
        id: ``<document>.<claim>``.
        says: the paper's words.
        measured: ours, as text.
        error: standard error over repetitions of the (first) measured number, or None.
        preset: at which it was measured, or None.
        verdict: begins with ``met``, ``missed`` or ``not measured``.
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


@dataclass(frozen=True)
class Finding:
    """What a measurement returns: text, error, whether the claim is met, and why if not."""

    measured: str
    error: float | None
    met: bool
    why: str = ""


class Camel:
    """The stored results of the camel back, loaded when a claim asks for them."""

    @cached_property
    def fit_result(self) -> Result:
        return stored("fit")

    @cached_property
    def gan_result(self) -> Result:
        return stored("gan")

    @cached_property
    def ensemble_result(self) -> Result:
        return stored("ensemble")

    @cached_property
    def samples(self) -> SampleAndFit:
        return sample_and_fit(self.fit_result)

    @cached_property
    def gan(self) -> GANCurve:
        return gan_curve(self.gan_result)

    @cached_property
    def ensemble(self) -> GANCurve:
        return gan_curve(self.ensemble_result)

    @cached_property
    def single(self) -> GANCurve:
        """Single GANs at the preset of the ensemble, for a fair comparison."""
        return gan_curve(stored("gan", self.ensemble_result.preset))


def about(estimate: Estimate, value: float, why: str = "") -> Finding:
    """A claim of "about" a value."""
    off = abs(estimate.value - value)
    met = off <= max(ABOUT * value, SIGMAS * estimate.error)
    return Finding(str(estimate), estimate.error, met, why)


def within(low: Estimate, high: Estimate, bounds: list[float]) -> Finding:
    """A claim of "between": two ends, each about the stated one."""
    ends = [about(e, b) for e, b in zip((low, high), bounds, strict=True)]
    text = f"{low} to {high}"
    return Finding(text, low.error, all(e.met for e in ends))


def above(estimate: Estimate, bound: float) -> Finding:
    """A claim of a lower bound."""
    return Finding(str(estimate), estimate.error, estimate.value > bound)


def saturation(curve: GANCurve, low: float, high: float) -> Finding:
    """Where the curves saturate, at every resolution."""
    points = [curve.saturation(q) for q in QUANTILES]
    text = " / ".join(f"{n:,}" for n in points) + " events at " + _at_quantiles()
    return Finding(text, None, all(low <= n <= high for n in points))


def falls_with_quantiles(camel: Camel) -> Finding:
    """MSE of sample, fit and GAN at 10, 20, 50 quantiles."""
    rows = {
        "sample": camel.samples.sample,
        "fit": camel.samples.fit,
        "GAN": camel.gan.asymptote,
    }
    means = {name: [r.mse(q).mean() for q in QUANTILES] for name, r in rows.items()}
    text = "; ".join(f"{n} " + " > ".join(f"{m:.1e}" for m in v) for n, v in means.items())
    return Finding(text, None, all(np.all(np.diff(v) < 0) for v in means.values()))


def fit_is_bound(camel: Camel) -> Finding:
    """Mean MSE of the GANs over that of the fits to the same samples."""
    excess = ratio(camel.samples.fit, camel.gan.asymptote)
    ratios = [excess(q) for q in QUANTILES]
    text = " / ".join(map(str, ratios)) + " times the fit's MSE at " + _at_quantiles()
    return Finding(text, ratios[0].error, all(r.value >= 1 for r in ratios))


def follows_fit(camel: Camel) -> Finding:
    """N_equiv(GAN) / N_equiv(fit) on the same samples: constant within a factor 1.5."""
    share = ratio(camel.gan.asymptote, camel.samples.fit)
    shares = [share(q) for q in QUANTILES]
    text = " / ".join(map(str, shares)) + " of the fit's N_equiv at " + _at_quantiles()
    values = [s.value for s in shares]
    return Finding(text, shares[0].error, max(values) < 1.5 * min(values))


def ensemble_improves(camel: Camel) -> Finding:
    """N_equiv of the ensemble over that of single GANs on the same samples."""
    gain = ratio(camel.ensemble.asymptote, camel.single.asymptote)
    gains = [gain(q) for q in QUANTILES]
    text = " / ".join(map(str, gains)) + " times a single GAN's N_equiv at " + _at_quantiles()
    return Finding(text, gains[0].error, all(g.value > 1 for g in gains))


def _at_quantiles() -> str:
    return ", ".join(map(str, QUANTILES)) + " quantiles"


def _events(curve: GANCurve) -> Repetitions:
    return curve.at(10_000)


BOUND_10 = (
    "the Fisher information of 100 points bounds an unbiased five-parameter fit near 241 points, "
    "and 100 repetitions leave about 7% on the paper's reading"
)

MEASURES: dict[str, tuple[str, str, Callable[[Camel], Finding]]] = {
    # claim -> (study whose preset counts, figure, measurement)
    "amplify.fit-equivalent-10": (
        "fit", "amplify-fig2", lambda c: about(c.samples.fit.n_equiv(10), 300, BOUND_10)),
    "amplify.fit-equivalent-20": (
        "fit", "amplify-fig2", lambda c: about(c.samples.fit.n_equiv(20), 500)),
    "amplify.fit-equivalent-50": (
        "fit", "amplify-fig2", lambda c: about(c.samples.fit.n_equiv(50), 1000)),
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
}  # fmt: skip


def says() -> dict[str, str]:
    """The papers' words by claim id, from ``book/claims.yml``."""
    documents = yaml.safe_load((ROOT / "book" / "claims.yml").read_text())
    return {f"{d}.{c}": row["says"] for d, claims in documents.items() for c, row in claims.items()}


def all_claims() -> list[Claim]:
    """Every claim of the documents, with our measurement where its result is stored."""
    camel = Camel()
    return [_claim(camel, name, text) for name, text in says().items()]


def _claim(camel: Camel, name: str, text: str) -> Claim:
    if name not in MEASURES:
        return Claim(name, text, None, None, None, "not measured yet", None)
    study, figure, measure = MEASURES[name]
    result: Result = getattr(camel, f"{study}_result")
    try:
        finding = measure(camel)
    except FileNotFoundError as error:
        return Claim(name, text, None, None, None, "not measured", figure, str(error))
    verdict = "met" if finding.met else "missed"
    complete = result.preset == "paper" and not result.missing()
    if not complete:
        verdict += f" ({len(result.done())} parts of preset {result.preset})"
    scale = "" if result.preset == "paper" else "on a shorter schedule than the papers'"
    why = "" if finding.met else finding.why or scale
    return Claim(name, text, finding.measured, finding.error, result.preset, verdict, figure, why)


def write_claims(path: Path) -> None:
    """``claims.json``: the table for machines."""
    rows: list[dict[str, Any]] = [asdict(c) for c in all_claims()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows, indent=1))
