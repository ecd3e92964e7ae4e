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
# # Is a GAN more than smoothing?
#
# The papers compare the GAN with its sample and with a fit that knows the answer's form.  Between
# the two lies a baseline that they lack: estimates that know nothing but *smoothness*.  That this is what a network adds
# is no objection to them; both say so themselves, in their first sections: "some kind of smoothness criterion combined with a typical
# resolution adds information to discrete training data" {cite}`butter2020`, and "automatically adds" it {cite}`butter2021`.  The question is
# whether it adds more of it than a kernel density estimate on the same points, whose one bandwidth the sample chooses.  And if
# both are worth the same, is it the
# same that they do?  Equal errors do not say so: two estimates can be as far from the truth in different places.
#
# {glue:text}`smooth-verdict`.  {glue:text}`smooth-verdict-ensemble`.  {glue:text}`smooth-answer` ({numref}`smoothing-equivalents`).

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
from amplib.book.claims import documents
from amplib.book.obtain import obtain, stored
from amplib.estimate import LEVEL, Estimate, Share, enumerated
from amplib.metrics.amplification import ratio, shared, worth
from amplib.metrics.likeness import balance_likeness, likeness, median_ratio
from amplib.models.smoothing import LABELS
from amplib.studies.camel.figures import Shown, worth_panels
from amplib.studies.camel.reading import (
    check_quantiles,
    gan_curve,
    members_of,
    sample_and_fit,
    smoothing,
)
from amplib.style import ORANGE, PURPLE

quantiles = check_quantiles(given.pop("quantiles"))
# Of what is quick there are a hundred repetitions or more.
data = {name: given[name] for name in ("preset", "n_train", "seed", "repetitions")}
stored("ensemble", **given)  # refuses an impossible parameter before the fits start
fits = obtain("fit", **data)
smooth = obtain("smoothing", **data)
ensembles = obtain("ensemble", **given)
# Single GANs at the same preset, so that one figure shows one scale.
single = {k: v for k, v in given.items() if k not in ("members", "preset")}
gans = obtain("gan", ensembles.preset, **single)
# What there is at the papers' settings, on the same samples, stands beside it.
full = stored("gan", "paper", **{k: data[k] for k in ("n_train", "seed")})

# %% tags=["remove-input"]
report.show_banner(gans, ensembles, smooth, fits)

# %% [markdown]
# ## The contestants
#
# All of them see the same samples, the networks the first of them only, and are judged by the same MSE {eq}`eq-mse`;
# kernels, histogram and mixture exactly, from their distribution functions, the rest by events that they make.
#
# - **Kernel density estimates** with a Gaussian kernel and one bandwidth, from *Scott's rule*,
#   *Silverman's rule*, or the *leave-one-out likelihood* of the sample itself.
# - **A histogram** of 20 bins on $[-8, 8]$, uniform within a bin.  Their number is a choice of ours, and with it what a histogram is
#   worth: narrower bins scatter more, wider ones see less.  It is here as a mark, not as a rule that the sample could follow.
# - **A two-component mixture** by expectation maximisation: the fit's functional form, found by
#   other means, and so a check of the fit.
# - **A bootstrap**: events drawn from the sample itself, with replacement.  It knows nothing and smooths
#   nothing, so that it has to be worth the {glue:text}`smooth-n-train` points that all others start from.

# %% tags=["hide-input"]
sample_and_fits = sample_and_fit(fits)
baselines = smoothing(smooth)
gan, ensemble = gan_curve(gans), gan_curve(ensembles)
at_full = gan_curve(full).whole if full.done() else None
whole = ensemble.whole
here = full.preset == gans.preset and full.study.key() == gans.study.key()
of_single = "that did not fail" if here else "at the papers' own settings that did not fail"
several = f"ensemble of {ensembles.study.members}"


def mean_of(repetitions):
    return "mean", repetitions.n_equiv, repetitions


def middle_of(repetitions):
    return "median", lambda q: repetitions.median_n_equiv(q, LEVEL), repetitions


rows = [
    ("the samples themselves", *mean_of(sample_and_fits.sample)),
    (LABELS["bootstrap"], *mean_of(baselines["bootstrap"])),
    *((LABELS[name], *mean_of(baselines[name])) for name in ("scott", "silverman", "loo")),
    (LABELS["loo"], *middle_of(baselines["loo"])),
    (LABELS["histogram"], *mean_of(baselines["histogram"])),
    ("GAN, all", *mean_of(gan.asymptote)),
    ("GAN, all", *middle_of(gan.asymptote)),
]
if at_full is not None:
    name = "GAN, none failed" if here else "GAN, the papers' settings, none failed"
    rows.append((name, *mean_of(at_full.asymptote)))
rows += [
    (f"{several}, all", *mean_of(ensemble.asymptote)),
    (f"{several}, all", *middle_of(ensemble.asymptote)),
]
if whole is not None and ensemble.failed.any():
    rows.append((f"{several}, none failed", *mean_of(whole.asymptote)))
rows += [
    ("five-parameter fit", *mean_of(sample_and_fits.fit)),
    (LABELS["mixture"], *mean_of(baselines["mixture"])),
]
report.tell(**{"smooth-n-train": smooth.study.n_train})
report.show_table(
    "smoothing-equivalents",
    "Equivalent sample sizes: of mean errors with the standard error over repetitions, or where trainings failed "
    "with the 95% interval; of median errors with the 95% interval. Networks of the preset "
    f"{gans.preset}, unless it says otherwise. One over a mean is too large on average; that is removed where no "
    "training failed, and shifts no row by more than its error",
    ["estimate", "of", *(f"{q} quantiles" for q in quantiles), "repetitions"],
    [[name, of, *map(measure, quantiles), len(r.cells)] for name, of, measure, r in rows],
)

# %% tags=["hide-input"]
loo = baselines["loo"]
apart = members_of(ensembles)
report.tell(
    **{
        # For sweeps: a member is the mean over all that were trained on a sample.
        "member-factors": report.each(
            lambda q: worth(apart.own(q), q, ensemble.failed > 0).scaled(1 / apart.n_train),
            quantiles,
        ),
        "ensemble-factors": report.each(ensemble.asymptote.amplification, quantiles),
        "fit-factors": report.each(sample_and_fits.fit.amplification, quantiles),
        "loo-factors": report.each(loo.amplification, quantiles),
        "members-failed": ensemble.failures,
        "gans-failed": gan.failures,
        "fits-failed": Share(int((~sample_and_fits.valid).sum()), len(sample_and_fits.valid)),
        "loo-equivalents": report.each(loo.n_equiv, quantiles),
        "bootstrap-equivalents": report.each(baselines["bootstrap"].n_equiv, quantiles),
        "sample-equivalents-here": report.each(sample_and_fits.sample.n_equiv, quantiles),
        "smooth-quantiles": enumerated(quantiles),
        "gan-over-loo": report.each(ratio(gan.asymptote, loo), quantiles),
        "gan-over-histogram": report.each(ratio(gan.asymptote, baselines["histogram"]), quantiles),
        "ensemble-over-loo": report.each(ratio(ensemble.asymptote, loo), quantiles),
    }
)


def middles(curve):
    """Ratio of the median errors of a kernel and of a curve."""
    return lambda q: median_ratio(curve.asymptote, loo, q)


def in_full(over):
    """Ratios with their 95% intervals, and in words."""
    ranges = enumerated(
        report.with_interval(r) if isinstance(r, Estimate) else r for r in map(over, quantiles)
    )
    return f"{ranges}: {report.in_words(over, quantiles)}"


def against_loo(curve):
    """What a curve is worth beside the kernel estimate, on its samples."""
    mine, kernel = shared(curve.asymptote, loo)
    told = in_full(ratio(mine, kernel))
    if len(mine.index) == len(loo.index):
        return told
    own = report.each(kernel.n_equiv, quantiles)
    return f"{told} (on their {len(mine.index)} samples, where the kernel is worth {own})"


def verdict(name, ways, failures):
    """In how many of the ways to count something is worth more than the kernel, in words.

    The first of the ways is the mean of all, of which so many failed.
    """
    words = [[report.beside_one(over(q)) for q in quantiles] for over in ways]
    every = [word for of_way in words for word in of_way]
    if every.count("compatible with one") == len(every):
        return f"{name} is compatible with the kernel in all {len(every)} comparisons"
    said = [f"{word} in {every.count(word)}" for word in ("more", "less") if word in every]
    told = f"{name} is worth {' and '.join(said)} of {len(every)} comparisons with the kernel"
    if failures.k and (k := words[0].count("less")):
        told += f" ({k} less by the mean of all, of which {failures.k} failed)"
    return told + ", and compatible with it in the others" * ("compatible with one" in every)


def answer(ways):
    """What that says of the question, in words."""
    more = any(report.beside_one(over(q)) == "more" for over in ways for q in quantiles)
    said = (
        "So there are ways to count in which a GAN is worth more than smoothing"
        if more
        else "So by what they are worth these GANs are not shown to be more than smoothing"
    )
    if any(likeness(good, loo, q).high >= 1 for q in quantiles):
        return said
    return f"{said}; but they do not make the same errors"


ways = [ratio(gan.asymptote, loo), middles(gan)]
of_ensembles = [ratio(ensemble.asymptote, loo), middles(ensemble)]
if at_full is not None:
    ways.append(ratio(at_full.asymptote, loo))
if whole is not None:
    of_ensembles.append(ratio(whole.asymptote, loo))
good = gan.whole.asymptote if gan.whole else gan.asymptote
sample = sample_and_fits.sample
by_q = {
    "gan-like-loo": (good, loo),
    "gan-like-sample": (good, sample),
    "gan-like-fit": (good, sample_and_fits.fit),
    "loo-like-sample": (loo, sample),
}
first, second = (documents()[name] for name in ("amplify", "ensemble"))
papers = [
    [first[f"gan-equivalent-{end}"]["value"] for end in ("low", "high")],
    second["gan-equivalent"]["value"],
    second["ensemble-equivalent"]["value"],
]
in_common = members_of(ensembles, whole) if whole is not None else apart
report.tell(
    **{
        "of-single": of_single,
        "full-against-loo": "none is stored" if at_full is None else against_loo(at_full),
        "full-failed": "–" if at_full is None else gan_curve(full).failures.at(LEVEL),
        "whole-against-loo": "none is there" if whole is None else against_loo(whole),
        "gan-whole-over-loo": report.each(ratio(good, loo), quantiles),
        "ensemble-whole-over-loo": report.each(
            ratio((whole or ensemble).asymptote, loo), quantiles
        ),
        "gan-median-over-loo": report.each(middles(gan), quantiles),
        "gan-of-loo": in_full(ratio(gan.asymptote, loo)),
        "ensemble-of-loo": in_full(ratio(ensemble.asymptote, loo)),
        "gan-median-of-loo": in_full(middles(gan)),
        "ensemble-median-of-loo": in_full(middles(ensemble)),
        "gans-failed-here": gan.failures.at(LEVEL),
        "members-failed-here": ensemble.failures.at(LEVEL),
        "whole-over-histogram": in_full(ratio(good, baselines["histogram"])),
        "all-over-histogram": in_full(ratio(gan.asymptote, baselines["histogram"])),
        "smooth-verdict": verdict("A single GAN", ways, gan.failures),
        "smooth-verdict-ensemble": verdict(f"An {several}", of_ensembles, ensemble.failures),
        "smooth-ways": len(ways),
        "smooth-resolutions": len(quantiles),
        "papers-gan": enumerated("{} to {}".format(*ends) for ends in papers[:2]),
        "papers-ensemble": "{} to {}".format(*papers[2]),
        "smooth-answer": answer(ways + of_ensembles),
        **{
            name: report.each(lambda q, pair=pair: likeness(*pair, q), quantiles)
            for name, pair in by_q.items()
        },
        "gan-balance": balance_likeness(good, sample),
        "loo-balance": f"{balance_likeness(loo, sample).value:.2f}",
        "gans-alike": report.each(
            lambda q: f"{in_common.common(q).mean() / in_common.own(q).mean():.2f}", quantiles
        )
        if in_common.count > 1
        else "not known from one of them",
        "smooth-alike": "less than one"
        if all(likeness(good, loo, q).high < 1 for q in quantiles)
        else "compatible with one",
    }
)
report.origin("smoothing-fig1", gans, ensembles, smooth, fits)

# %% mystnb={"figure": {"name": "smoothing-fig1", "caption": "What mean errors are worth, in points of the truth (higher is better): the GAN and the ensemble without failed trainings against the number of events, and estimates from the same points (horizontal lines, without the noise of drawing events). Each has its own samples, of which ensembles have few: the same samples are compared in the text. Errors, medians and what failed trainings make of the means are in {numref}`smoothing-equivalents`.\n\n{glue:text}`smoothing-fig1-origin`"}, "image": {"alt": "Equivalent points of GAN, ensemble, kernels, histogram, fit and sample against the number of GANned events, three panels"}} tags=["hide-input"]
curves = [
    Shown(curve.whole or curve, name if curve.whole is None else f"{name}, none failed", *look)
    for curve, name, look in (
        (gan, "GAN", (ORANGE, "-.")),
        (ensemble, several, (PURPLE, "-")),
    )
]
worth_panels(sample_and_fits, curves, baselines, quantiles)
plt.show()

# %% [markdown]
# ## What a GAN adds, and what it does not
#
# {numref}`smoothing-equivalents` holds two checks.  Events drawn from the samples, the bootstrap, are worth
# the samples themselves, {glue:text}`sample-equivalents-here` points; and the mixture, another way to the fit's form, is worth what the fit is.
#
# **Amplification as such is nothing special.**  Twenty bins amplify, and so does the leave-one-out kernel
# estimate ({numref}`smoothing-fig1`: their lines lie above that of the samples).  Rules of thumb do not: Scott's
# and Silverman's take the distance of the humps for the width of the density, and are worth less than the sample that they
# started from.
#
# **The GAN against smoothing.**  The papers give {glue:text}`papers-gan` points for the
# GAN, depending on the resolution, and {glue:text}`papers-ensemble` for the ensemble; at {glue:text}`smooth-quantiles` quantiles the
# leave-one-out kernel estimate is worth {glue:text}`loo-equivalents`.  How often a training fails is a part of what it is worth, and a mean depends on it while a
# median does not: so there are three numbers, each in units of the kernel on the same samples, with 95% intervals.
#
# - *All trainings, by the mean*, of which {glue:text}`gans-failed-here` single GANs and {glue:text}`members-failed-here` members of
#   ensembles failed (95% intervals): the single GAN is worth {glue:text}`gan-of-loo`; the ensemble {glue:text}`ensemble-of-loo`.
#   Failures can only raise the mean error; the intervals vary failure rate, failed and other errors independently.
# - *All trainings, by the median*: the single GAN {glue:text}`gan-median-of-loo`; the ensemble {glue:text}`ensemble-median-of-loo`.
# - *Without the failed, by the mean*: of single GANs {glue:text}`of-single` ({glue:text}`full-failed` failed) one is worth {glue:text}`full-against-loo`.
#   An ensemble without a failed member is worth {glue:text}`whole-against-loo`.
#
# In units of twenty bins, by the mean: all single GANs {glue:text}`all-over-histogram`; those that did not fail {glue:text}`whole-over-histogram`.
#
# **Do they make the same errors?**  If both were the same function of the sample, their deviations from the truth's quantiles would have correlation one.
# Those of the GANs that did not fail and of the kernel have, at {glue:text}`smooth-quantiles` quantiles, {glue:text}`gan-like-loo` (95% intervals): {glue:text}`smooth-alike`.  Two GANs trained on
# the same sample, in ensembles without a failed member, have {glue:text}`gans-alike`.  With the sample's own deviations the kernel's
# have {glue:text}`loo-like-sample` and the GAN's {glue:text}`gan-like-sample`; with the fit's the GAN's have {glue:text}`gan-like-fit`.  The kernel copies the
# sample's hump heights ({glue:text}`loo-balance`), the GAN hardly does ({glue:text}`gan-balance`): most of its deviation there is its own.
#
# ## The answer
#
# {glue:text}`smooth-verdict`.  {glue:text}`smooth-verdict-ensemble`.  ({glue:text}`smooth-ways` ways of counting at {glue:text}`smooth-resolutions`
# resolutions, not independent.)  {glue:text}`smooth-answer`.
#
# Nor is the GAN free of choices: its noise, its dropout, its penalty and its schedule set
# the scale on which it smooths, as a bandwidth does.  What happens in more dimensions, where kernels are
# known to fade, is not measured here.

# %% tags=["nbval-check-output", "remove-cell"]
for name, of, measure, _ in rows:
    print(name, of, sep=", ")
    for q in quantiles:
        print(f"  {measure(q)} points at {q} quantiles")
