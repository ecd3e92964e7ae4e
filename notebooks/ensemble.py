# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Ensembles of GANs
#
# Two GANs trained on the same sample do not end at the same density: the training itself is
# random.  Butter et al. {cite}`butter2021` train several on each sample and take an equal share of
# the events from each, which divides this part of the error by their number.  What remains is common
# to all of them: the sample, and what the training does to every network alike.

# %% tags=["parameters"]
preset = "best"
n_train = None
seed = None
repetitions = None
members = None
epochs = None
learning_rate = None
quantiles = [10, 20, 50]

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(globals(), "preset", "quantiles", study="ensemble")

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np

from amplib.book import report
from amplib.book.obtain import obtain, stored
from amplib.estimate import enumerated
from amplib.metrics.amplification import mse_of_counts
from amplib.metrics.quantiles import expected_mse
from amplib.models.fit import fit_camel_back
from amplib.studies.camel.claims import curve_saturation
from amplib.studies.camel.figures import density_panel, quantile_mse_panels, with_failures
from amplib.studies.camel.reading import (
    check_quantiles,
    gain_over_members,
    gan_curve,
    sample_and_fit,
    without_failed_members,
    worth_with_failures,
)
from amplib.style import ORANGE, PURPLE

quantiles = check_quantiles(given.pop("quantiles"))
data = {name: given[name] for name in ("n_train", "seed")}
stored("ensemble", **given)  # refuses an impossible parameter before the fits start
fits = obtain("fit", given["preset"], **data)
ensembles = obtain("ensemble", **given)
# Single GANs at the same preset, so that one figure shows one scale.
single = {k: v for k, v in given.items() if k not in ("members", "preset")}
gans = obtain("gan", ensembles.preset, **single)
members = ensembles.study.members

# %% tags=["remove-input"]
report.show_banner(ensembles, fits)

# %% tags=["hide-input"]
sample_and_fits = sample_and_fit(fits)
gan, ensemble = gan_curve(gans), gan_curve(ensembles)
parts = ensembles.load()
first = [parts[0, m] for m in range(members)]
points = first[0]["sample"][:, 0]
one, many = first[0]["density"][1:-1], sum(p["density"][1:-1] for p in first)
report.tell(
    **{
        "ensemble-n-train": ensembles.study.n_train,
        "ensemble-members": members,
        "ensemble-fig1-events": f"{first[0]['density'].sum():,}",
        "ensemble-fig1-all": f"{sum(p['density'].sum() for p in first):,}",
    }
)
report.origin("ensemble-fig1", ensembles)

# %% mystnb={"figure": {"name": "ensemble-fig1", "caption": "As {numref}`amplify-fig1`, with the Ensemble-GAN: the truth (black), {glue:text}`ensemble-n-train` sample points (blue), a fit to them (green), {glue:text}`ensemble-fig1-events` events of one GAN (orange) and {glue:text}`ensemble-fig1-all` of {glue:text}`ensemble-members` GANs trained on the same points, an equal share from each (purple).\n\n{glue:text}`ensemble-fig1-origin`"}, "image": {"alt": "True density, sample, fit, GAN and Ensemble-GAN"}} tags=["hide-input"]
shown = {"GAN": (one, ORANGE), f"ensemble of {members}": (many, PURPLE)}
density_panel(points, shown, fit_camel_back(points))
plt.show()

# %% tags=["hide-input"]
gain = gain_over_members(ensembles)
spoilt = ensemble.failed > 0
whole = ensemble.whole


def differing(g):
    """Share of one GAN's error that differs between trainings on a sample, from the gain, with its
    95% interval."""
    if members == 1:
        return "not known from one GAN"
    most = 1 - 1 / members
    share, low, high = (np.clip((1 - 1 / e) / most, 0, 1) if e > 0 else 0 for e in g.interval())
    return f"{share:.0%} ({low:.0%} to {high:.0%})"


def closer(q):
    """Error of the GAN shown over that of the ensemble on the same sample."""
    single = mse_of_counts(first[0]["counts"][-1], q)
    return float(single / ensemble.asymptote.mse(q)[0])


def with_failed_members():
    """What the ensembles are worth that have failed members, and all without these."""
    if not spoilt.any():
        return "Here no member failed."
    q = quantiles[-1]
    mse = ensemble.asymptote.mse(q)[spoilt]
    worth = enumerated(f"{expected_mse(1, q) / one:.0f}" for one in sorted(mse, reverse=True))
    cleared = without_failed_members(ensembles)
    return (
        f"Here {len(mse)} of {len(spoilt)} ensembles have such members, whose share alone would leave "
        f"{worth_with_failures(1, members):.0f} points, and are worth {worth} at {q} quantiles.  "
        f"Without these members {'all ' * (len(cleared.index) == len(spoilt))}{len(cleared.index)} are worth "
        f"{report.each(cleared.n_equiv, quantiles)} points, a factor of {cleared.amplification(q)} at "
        f"{q} quantiles."
    )


own = gain if whole is None else gain_over_members(ensembles, whole)
report.tell(
    **{
        "ensemble-spoilt": with_failed_members(),
        "ensemble-quantiles": enumerated(quantiles),
        "ensemble-single": report.each(gan.asymptote.n_equiv, quantiles),
        "ensemble-equivalents": report.each(ensemble.asymptote.n_equiv, quantiles),
        "ensemble-gain": report.each(gain, quantiles),
        "ensemble-whole": 0 if whole is None else len(whole.counts),
        **{
            f"ensemble-whole-{name}": "–" if whole is None else report.each(measure, shown)
            for name, measure, shown in (
                ("equivalents", lambda q: whole.asymptote.n_equiv(q), quantiles),
                ("factor", lambda q: whole.asymptote.amplification(q), quantiles[-1:]),
                ("gain", own, quantiles),
                ("shared", lambda q: differing(own(q)), quantiles),
            )
        },
        "ensemble-gans-whole": int((gan.failed == 0).sum()),
        "ensemble-closer": f"{closer(quantiles[-1]):.1f}",
        "ensemble-finest": quantiles[-1],
        "ensemble-factor": ensemble.asymptote.amplification(quantiles[-1]),
        "ensemble-failures": ensemble.failures,
        "ensemble-single-failures": gan.failures,
        "ensemble-repetitions": len(ensemble.counts),
        "ensemble-gans": len(gan.counts),
    }
)
report.origin("ensemble-fig2", ensembles, gans, fits)

# %% mystnb={"figure": {"name": "ensemble-fig2", "caption": "As {numref}`amplify-fig2`, with the Ensemble-GAN of {glue:text}`ensemble-members` GANs a sample (purple). Where trainings failed: mean and band, one standard deviation, without them, of {glue:text}`ensemble-gans-whole` GANs and {glue:text}`ensemble-whole` ensembles; dotted and in a line of their own the mean and the median of all. The GANs are of {glue:text}`ensemble-gans` samples, the ensembles of the first {glue:text}`ensemble-repetitions` of them.\n\n{glue:text}`ensemble-fig2-origin`"}, "image": {"alt": "Quantile MSE against the number of events, with the Ensemble-GAN"}} tags=["hide-input"]
curves = with_failures(gan, "GAN", ORANGE, "-.")
curves += with_failures(ensemble, f"ensemble of {members}", PURPLE, "-")
quantile_mse_panels(sample_and_fits, curves, quantiles)
plt.show()

# %% tags=["remove-input"]
columns = {f"ensemble of {members}": ensemble, "single GAN": gan}
judged = dict(columns)
for name, curve in columns.items():
    if curve.failed.any() and curve.whole:
        judged[f"{name}, none failed"] = curve.whole
rows = [
    *([f"{name}, points", *map(c.asymptote.n_equiv, quantiles)] for name, c in judged.items()),
    ["fit, points", *map(sample_and_fits.fit.n_equiv, quantiles)],
    *([f"{n}, factor", *map(c.asymptote.amplification, quantiles)] for n, c in judged.items()),
    *(
        [f"{name}, saturated at", *(curve_saturation(c, q) for q in quantiles)]
        for name, c in judged.items()
    ),
]
report.show_table(
    "ensemble-table",
    "What an ensemble is worth: equivalent points and amplification factors, with standard errors (where trainings failed, 95% intervals) over "
    f"{len(ensemble.counts)} ensembles, {len(gan.counts)} GANs and {len(sample_and_fits.valid)} fits, and "
    "the number of events at which the curves are flat (68% ranges)",
    ["", *(f"{q} quantiles" for q in quantiles)],
    rows,
)

# %% [markdown]
# ## What we find
#
# {numref}`ensemble-fig1` shows one sample, on which the GAN shown has {glue:text}`ensemble-closer` times the error of
# the ensemble, at {glue:text}`ensemble-finest` quantiles.  {numref}`ensemble-fig2` and {numref}`ensemble-table` have
# {glue:text}`ensemble-repetitions` samples with an ensemble each.  Trainings that failed ({doc}`amplify`) count unless it
# says otherwise: {glue:text}`ensemble-failures` members of ensembles, {glue:text}`ensemble-single-failures` single GANs, with the
# 68% interval of the rate.  Numbers with failures have 95% intervals, for which the rate of failures, the failed and the others vary apart.  All ensembles together are worth
# {glue:text}`ensemble-equivalents` points at {glue:text}`ensemble-quantiles` quantiles, a factor of
# {glue:text}`ensemble-factor` at {glue:text}`ensemble-finest`; the {glue:text}`ensemble-whole` of which no member failed
# {glue:text}`ensemble-whole-equivalents`, a factor of {glue:text}`ensemble-whole-factor`.  The second paper reads 190 to 750 points off its
# figure for ten GANs a sample, 150 to 600 for one of them, and a factor above seven, and does not speak of trainings that fail.
# {numref}`claims-ensemble` compares, for 10,000 events as the paper does: there too ensembles count whatever their
# members did, and single GANs without the failed.  So few ensembles say little about where the curves saturate.
#
# **What the ensemble adds.**  The single GANs of {numref}`ensemble-table` are one a sample, on
# {glue:text}`ensemble-gans` samples, and a lucky or unlucky training moves their mean of
# {glue:text}`ensemble-single` points.  The fair comparison is with the mean of the ensemble's own members, which saw the same points.
# That an ensemble is worth no less needs no measurement: the squared error of a mean is at most the mean of the
# squared errors.  How much more it is, is the question: {glue:text}`ensemble-whole-gain` times where no member
# failed.  The second paper introduces ensembles against the
# instability of trainings, and reads a gain of about a quarter off its figure.  Of all ensembles it is {glue:text}`ensemble-gain` times,
# a number that hangs on the failed members alone, as the mean of an ensemble's members has their error in full.
#
# The gain $g$ comes from the
# share $s$ of a GAN's error that differs from training to training: averaging $M$ densities divides it by $M$
# and leaves the rest, what the sample made and what architecture and schedule do to every network.  So
# $s = (1 - 1/g)/(1 - 1/M)$, where no member failed {glue:text}`ensemble-whole-shared`, with 95% intervals over
# {glue:text}`ensemble-whole` samples.
#
# **One failed member.**  The GANs that failed put all of their events into one quantile.  With the
# share $1/M$ that one has of an ensemble's events the error is $(1 - 1/q)/(q M^2)$ if the others have none: that of
# $M^2$ points at any $q$, which the others could only offset by leaving that very quantile short.  So an ensemble caps the damage,
# at about $M^2$ points in place of one, and spreads it: if a share $f$ of all trainings fails,
# $1 - (1 - f)^M$ of the ensembles have such a member.  Whoever looks at the events of each member sees at a glance
# which that is, and can leave it out.  {glue:text}`ensemble-spoilt`

# %% tags=["nbval-check-output", "remove-cell"]
for q in quantiles:
    print(f"{q} quantiles:")
    print(f"  GAN             {gan.asymptote.n_equiv(q)}")
    print(f"  ensemble        {ensemble.asymptote.n_equiv(q)}")
    print(f"  amplification   {ensemble.asymptote.amplification(q)}")
    print(f"  saturated at    {ensemble.saturation(q)} events")
    if whole is not None:
        print(f"  none failed     {whole.asymptote.n_equiv(q)}, gain {own(q)}")
