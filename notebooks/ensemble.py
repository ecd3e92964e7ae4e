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

from amplib.book import report
from amplib.book.obtain import obtain, stored
from amplib.estimate import Estimate, enumerated
from amplib.metrics.amplification import mse_of_counts
from amplib.models.fit import fit_camel_back
from amplib.studies.camel.claims import curve_saturation
from amplib.studies.camel.figures import density_panel, quantile_mse_panels, with_failures
from amplib.studies.camel.reading import (
    check_quantiles,
    gain_over_members,
    gan_curve,
    sample_and_fit,
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
whole = ensemble.converged if not spoilt.all() else None


def differing(g):
    """Share of one GAN's error that differs between trainings on a sample, from the gain."""
    if members == 1:
        return "not known from one GAN"
    most = 1 - 1 / members
    return Estimate((1 - 1 / g.value) / most, g.error / g.value**2 / most).percent()


def closer(q):
    """Error of the GAN shown over that of the ensemble on the same sample."""
    single = mse_of_counts(first[0]["counts"][-1], q)
    return float(single / ensemble.asymptote.mse(q)[0])


def with_failed_members():
    """What those are worth that have failed members, and what the others."""
    if not spoilt.any():
        return "Here no member failed."
    q = quantiles[-1]
    mse = ensemble.asymptote.mse(q)[spoilt]
    worth = enumerated(f"{(1 - 1 / q) / (q * one):.0f}" for one in sorted(mse, reverse=True))
    most = worth_with_failures(1, members)
    told = (
        f"Here {len(mse)} of {len(spoilt)} ensembles have failed members, which leave at most "
        f"{most:.0f} points; these ensembles are worth {worth} at {q} quantiles."
    )
    if whole is None:
        return told
    own = gain_over_members(ensembles, whole)
    shares = report.each(lambda q: differing(own(q)), quantiles)
    equivalents = report.each(whole.asymptote.n_equiv, quantiles)
    return (
        f"{told} The others are worth {equivalents} points, a factor of "
        f"{whole.asymptote.amplification(q)} at {q} quantiles, and {report.each(own, quantiles)} times "
        f"one of their members, so that s is {shares}."
    )


report.tell(
    **{
        "ensemble-spoilt": with_failed_members(),
        "ensemble-quantiles": enumerated(quantiles),
        "ensemble-single": report.each(gan.asymptote.n_equiv, quantiles),
        "ensemble-equivalents": report.each(ensemble.asymptote.n_equiv, quantiles),
        "ensemble-gain": report.each(gain, quantiles),
        "ensemble-shared": report.each(lambda q: differing(gain(q)), quantiles),
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

# %% mystnb={"figure": {"name": "ensemble-fig2", "caption": "As {numref}`amplify-fig2`, with the Ensemble-GAN of {glue:text}`ensemble-members` GANs a sample (purple), and means over all, or over those of which none failed where some did. Bands are one standard deviation over {glue:text}`ensemble-gans` GANs and {glue:text}`ensemble-repetitions` ensembles.\n\n{glue:text}`ensemble-fig2-origin`"}, "image": {"alt": "Quantile MSE against the number of events, with the Ensemble-GAN"}} tags=["hide-input"]
curves = with_failures(gan, "GAN", ORANGE, "-.")
curves += with_failures(ensemble, f"ensemble of {members}", PURPLE, "-")
quantile_mse_panels(sample_and_fits, curves, quantiles)
plt.show()

# %% tags=["remove-input"]
columns = {f"ensemble of {members}": ensemble, "single GAN": gan}
judged = dict(columns)
for name, each_of_them in columns.items():
    if each_of_them.failed.any() and not (each_of_them.failed > 0).all():
        judged[f"{name}, none failed"] = each_of_them.converged
rows = [
    *([f"{name}, points", *map(c.asymptote.n_equiv, quantiles)] for name, c in judged.items()),
    ["fit, points", *map(sample_and_fits.fit.n_equiv, quantiles)],
    *([f"{n}, factor", *map(c.asymptote.amplification, quantiles)] for n, c in judged.items()),
    *(
        [f"{name}, saturated at", *(curve_saturation(c, q) for q in quantiles)]
        for name, c in columns.items()
    ),
]
report.show_table(
    "ensemble-table",
    "What an ensemble is worth: equivalent points and amplification factors, with standard errors over "
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
# {glue:text}`ensemble-repetitions` samples with an ensemble each: an ensemble is worth
# {glue:text}`ensemble-equivalents` points at {glue:text}`ensemble-quantiles` quantiles, a factor of
# {glue:text}`ensemble-factor` at {glue:text}`ensemble-finest`.  The second paper reads 190 to 750 points and a factor above seven off its
# figure, for ten GANs a sample at its own schedule, where this page has {glue:text}`ensemble-members`:
# {numref}`claims-ensemble` compares.  Trainings that failed ({doc}`amplify`) count in all of these numbers:
# {glue:text}`ensemble-failures` members of ensembles, {glue:text}`ensemble-single-failures` single GANs, with the
# 68% interval of the rate.  Where the curves saturate few ensembles say little.
#
# **What the ensemble adds.**  The single GANs of {numref}`ensemble-table` are one a sample, on
# {glue:text}`ensemble-gans` samples, and a lucky or unlucky training moves their mean of
# {glue:text}`ensemble-single` points.  The fair comparison is with the mean of the ensemble's own members, which saw the same points: the ensemble is worth
# {glue:text}`ensemble-gain` times one of them.  The second paper introduces ensembles against the
# instability of trainings, and reads a gain of about a quarter off its figure.  The gain $g$ comes from the
# share $s$ of a GAN's error that differs from training to training: averaging $M$ densities divides it by $M$
# and leaves the rest, what the sample made and what architecture and schedule do to every network.  So
# $s = (1 - 1/g)/(1 - 1/M)$, here {glue:text}`ensemble-shared`, with standard errors over
# {glue:text}`ensemble-repetitions` samples.
#
# **One failed member spoils them all.**  A GAN that failed puts all of its events into one quantile, and with the
# share $1/M$ that it has of an ensemble's the error is $(1 - 1/q)/(q M^2)$ even if the others have none: that of
# $M^2$ points, at any $q$.  {glue:text}`ensemble-spoilt`  If a share $f$ of all trainings fails,
# $1 - (1 - f)^M$ of the ensembles have such a member.  They insure against a training that is a little off, and not against one that never began; but whoever looks at the
# events of each member sees such a one at a glance, and can leave it out.

# %% tags=["nbval-check-output", "remove-cell"]
for q in quantiles:
    print(f"{q} quantiles:")
    print(f"  GAN             {gan.asymptote.n_equiv(q)}")
    print(f"  ensemble        {ensemble.asymptote.n_equiv(q)}")
    print(f"  amplification   {ensemble.asymptote.amplification(q)}")
    print(f"  saturated at    {ensemble.saturation(q)} events")
