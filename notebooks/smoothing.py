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
# the two lies a baseline that they lack: estimates that know nothing but *smoothness*.  If a kernel
# density estimate on the same points is worth as much as the GAN, the network's amplification is
# smoothing by another name.

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
from amplib.estimate import Share, enumerated
from amplib.metrics.amplification import ratio, shared
from amplib.metrics.quantiles import amplification_factor
from amplib.models.smoothing import LABELS
from amplib.studies.camel.figures import quantile_mse_panels, with_failures
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
# - **A histogram** of 20 bins on $[-8, 8]$, uniform within a bin.
# - **A two-component mixture** by expectation maximisation: the fit's functional form, found by
#   other means, and so a check of the fit.
# - **A bootstrap**: events drawn from the sample itself, with replacement.  It knows nothing and smooths
#   nothing, so that it has to be worth the {glue:text}`smooth-n-train` points that all others start from.

# %% tags=["hide-input"]
sample_and_fits = sample_and_fit(fits)
baselines = smoothing(smooth)
gan, ensemble = gan_curve(gans), gan_curve(ensembles)
rows = {LABELS[name]: baseline for name, baseline in baselines.items()}
at_full = gan_curve(full).whole if full.done() else None
whole = ensemble.whole
here = full.preset == gans.preset and full.study.key() == gans.study.key()
of_single = "that did not fail" if here else "at the papers' own settings that did not fail"
rows["GAN"] = gan.asymptote
if at_full is not None:
    rows["GAN, none failed" if here else "GAN, the papers' settings, none failed"] = (
        at_full.asymptote
    )
rows[f"ensemble of {ensembles.study.members} GANs"] = ensemble.asymptote
if whole is not None and ensemble.failed.any():
    rows[f"ensemble of {ensembles.study.members} GANs, none failed"] = whole.asymptote
rows["five-parameter fit"] = sample_and_fits.fit
report.tell(**{"smooth-n-train": smooth.study.n_train})
report.show_table(
    "smoothing-equivalents",
    "Equivalent sample sizes, with the standard error over repetitions; networks of the preset "
    f"{gans.preset}, unless it says otherwise",
    ["estimate", *(f"{q} quantiles" for q in quantiles), "repetitions"],
    [[n, *(r.n_equiv(q) for q in quantiles), len(r.cells)] for n, r in rows.items()],
)

# %% tags=["hide-input"]
loo = baselines["loo"]
apart = members_of(ensembles)
report.tell(
    **{
        # For sweeps: a member is the mean over all that were trained on a sample.
        "member-factors": report.each(
            lambda q: amplification_factor(apart.own(q), q, apart.n_train), quantiles
        ),
        "ensemble-factors": report.each(ensemble.asymptote.amplification, quantiles),
        "fit-factors": report.each(sample_and_fits.fit.amplification, quantiles),
        "loo-factors": report.each(loo.amplification, quantiles),
        "members-failed": ensemble.failures,
        "gans-failed": gan.failures,
        "fits-failed": Share(int((~sample_and_fits.valid).sum()), len(sample_and_fits.valid)),
        "loo-equivalents": report.each(loo.n_equiv, quantiles),
        "bootstrap-equivalents": report.each(baselines["bootstrap"].n_equiv, quantiles),
        "smooth-quantiles": enumerated(quantiles),
        "gan-over-loo": report.each(ratio(gan.asymptote, loo), quantiles),
        "gan-over-histogram": report.each(ratio(gan.asymptote, baselines["histogram"]), quantiles),
        "ensemble-over-loo": report.each(ratio(ensemble.asymptote, loo), quantiles),
    }
)


def against_loo(curve):
    """What a curve is worth beside the kernel estimate, on its samples."""
    mine, kernel = shared(curve.asymptote, loo)
    over = ratio(mine, kernel)
    told = f"{report.each(over, quantiles)} of it: {report.in_words(over, quantiles)}"
    if len(mine.index) == len(loo.index):
        return told
    own = report.each(kernel.n_equiv, quantiles)
    return f"{told} (on their {len(mine.index)} samples, where the kernel is worth {own})"


def of_all(curve):
    """The same with the 95% intervals of the ratios."""
    over = ratio(curve.asymptote, loo)
    ranges = enumerated(report.with_interval(over(q)) for q in quantiles)
    return f"{ranges}: {report.in_words(over, quantiles)}"


report.tell(
    **{
        "of-single": of_single,
        "full-against-loo": "none is stored" if at_full is None else against_loo(at_full),
        "full-failed": "–" if at_full is None else gan_curve(full).failures,
        "whole-against-loo": "none is there" if whole is None else against_loo(whole),
        "gan-of-loo": of_all(gan),
        "ensemble-of-loo": of_all(ensemble),
    }
)
report.origin("smoothing-fig1", gans, ensembles, smooth, fits)

# %% mystnb={"figure": {"name": "smoothing-fig1", "caption": "Companion to {numref}`amplify-fig2` and {numref}`ensemble-fig2`: the GAN and the ensemble against further estimates from the same points (horizontal lines: their mean errors, without the noise of drawing events but for the bootstrap's). Bands are one standard deviation; lines without, of and between failed trainings as there.\n\n{glue:text}`smoothing-fig1-origin`"}, "image": {"alt": "Quantile MSE of GAN, ensemble and smoothing baselines"}} tags=["hide-input"]
curves = with_failures(gan, "GAN", ORANGE, "-.")
curves += with_failures(ensemble, f"ensemble of {ensembles.study.members}", PURPLE, "-")
quantile_mse_panels(sample_and_fits, curves, quantiles, baselines)
plt.show()

# %% [markdown]
# ## What a GAN adds, and what it does not
#
# {numref}`smoothing-equivalents` holds two checks.  Events drawn from the samples, the bootstrap, are worth
# the samples themselves; and the mixture, another way to the fit's form, is worth what the fit is.
#
# **Amplification as such is nothing special.**  Twenty bins amplify, and so does the leave-one-out kernel
# estimate ({numref}`smoothing-fig1`: their lines lie below that of the sample).  Textbook rules do not: Scott's
# and Silverman's take the distance of the humps for the width of the density and end below the sample that they
# started from.
#
# **The GAN against smoothing.**  The papers read 150 to 500 and 150 to 600 points off their figures for the
# GAN, from 10 to 50 quantiles, and up to 750 for the ensemble; at {glue:text}`smooth-quantiles` quantiles the
# leave-one-out kernel estimate is worth {glue:text}`loo-equivalents`.  In units of that estimate on the same samples, as ratios of
# mean errors with paired standard errors:
#
# - of single GANs {glue:text}`of-single`, one is worth {glue:text}`full-against-loo`; {glue:text}`full-failed` failed.
# - an ensemble without a failed member is worth {glue:text}`whole-against-loo`.
# - with all trainings counted, of which {glue:text}`gans-failed` single GANs and {glue:text}`members-failed` members of ensembles
#   failed, the single GAN is worth {glue:text}`gan-of-loo` (95% intervals); the ensemble {glue:text}`ensemble-of-loo`.
#   A few that failed make such a mean, and then its ratio has no upper limit, or a far one.
#
# In units of twenty bins a single GAN is worth {glue:text}`gan-over-histogram`, all counted.
#
# *More* is what a network adds to smoothing.  *Less* says that a kernel with one number, chosen by
# the data, does better than all of these networks' parameters.  *Not told apart* says that these repetitions
# do not tell.  Nor is the GAN free of choices: its noise, its dropout, its penalty and its schedule set
# the scale on which it smooths, as a bandwidth does.  What happens in more dimensions, where kernels are
# known to fade, is not measured here.

# %% tags=["nbval-check-output", "remove-cell"]
for name, row in rows.items():
    print(name)
    for q in quantiles:
        print(f"  {row.n_equiv(q)} points at {q} quantiles")
