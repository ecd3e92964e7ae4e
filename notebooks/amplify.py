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
# # How many events is a GAN worth?
#
# A network is trained on {glue:text}`n-train` events of a simulation and then asked for
# {glue:text}`most-events`.  Matchev and Shyamsundar {cite}`matchev2020` hold that these carry no
# more than the {glue:text}`n-train` did, as the network adds no physics.  Butter et al. {cite}`butter2020`
# answer with an experiment: take a density that is known exactly, draw a sample, train a GAN on
# it, and measure how far the GANned events are from the truth.  If they are closer than the
# sample, the network has *amplified* it.
#
# They can be, and it depends on whether the training fails: of {glue:text}`gan-trainings` trainings on
# {glue:text}`n-train` points of their own {glue:text}`gan-failures` did.  At {glue:text}`quantiles` quantiles the median
# training is worth {glue:text}`gan-median` points of the truth; by the mean error of those that did not fail it is
# {glue:text}`gan-equivalents`, by that of all {glue:text}`gan-mean-all` ({numref}`amplify-fig2`).  Medians are taken over
# trainings, anew at each resolution and number of events.

# %% tags=["parameters"]
preset = "best"
n_train = None
seed = None
repetitions = None
epochs = None
learning_rate = None
aggregation = None
generator_loss = None
gradient_path = None
noise_order = None
quantiles = [10, 20, 50]

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(globals(), "preset", "quantiles", study="gan")

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import spearmanr

from amplib.book import report
from amplib.book.claims import documents
from amplib.book.obtain import obtain, stored
from amplib.estimate import LEVEL
from amplib.metrics.amplification import balanced, ratio, shared
from amplib.metrics.quantiles import n_equiv
from amplib.models.fit import PARAMETERS, fit_camel_back
from amplib.studies.camel.claims import EVENTS, curve_saturation
from amplib.studies.camel.figures import density_panel, quantile_mse_panels, with_failures
from amplib.studies.camel.reading import check_quantiles, fit_bound, gan_curve, sample_and_fit
from amplib.style import ORANGE

quantiles = check_quantiles(given.pop("quantiles"))
data = {name: given[name] for name in ("n_train", "seed")}
stored("gan", **given)  # refuses an impossible parameter before the fits start
fits = obtain("fit", given["preset"], **data)
gans = obtain("gan", **given)

# %% tags=["remove-input"]
report.show_banner(gans, fits)

# %% [markdown]
# ## The truth and one sample
#
# The truth is a *camel back*, two normalised Gaussians,
#
# $$
# P(x) = \frac{N_{-4,1}(x) + N_{4,1}(x)}{2} .
# $$ (eq-camel)
#
# {numref}`amplify-fig1` shows it with one sample of {glue:text}`n-train` points, and with the two
# estimates that are to beat the sample: a fit, and a GAN.  The fit knows the functional form and
# determines its five parameters -- two means, two widths, the relative height -- by unbinned
# maximum likelihood.  That is far more than a network is told, so the paper takes the fit for the bound
# of what follows.  The GAN is not told the form ({numref}`amplify-fig3`).

# %% tags=["hide-input"]
sample_and_fits = sample_and_fit(fits)
curve = gan_curve(gans)
good = curve.converged
first = next(iter(gans.load().values()))
points = first["sample"][:, 0]
fit = fit_camel_back(points)
events = first["density"][1:-1]
report.tell(
    **{"n-train": gans.study.n_train, "fig1-events": f"{first['density'].sum():,}"},
)
report.origin("amplify-fig1", gans)

# %% mystnb={"figure": {"name": "amplify-fig1", "caption": "Camel back as a 1D test case: the true density (black), a histogram of {glue:text}`n-train` sample points (blue), a fit to these points (green) and {glue:text}`fig1-events` events of a GAN trained on them (orange). Dotted lines bound ten quantiles of 10% of the truth each.\n\n{glue:text}`amplify-fig1-origin`"}, "image": {"alt": "True density, sample, fit and GANned events of the camel back"}} tags=["hide-input"]
density_panel(points, {"GAN": (events, ORANGE)}, fit)
plt.show()

# %% [markdown]
# ## The measure
#
# Divide the line into $q$ *quantiles*, intervals that hold $1/q$ of the truth each.  An estimate
# puts a probability $x_j$ into quantile $j$ (the outermost two reach to infinity; the ensemble paper
# stops at $\pm 8$, beyond which the truth has 3 in 100,000).  Its error is
#
# $$
# \mathrm{MSE} = \frac1q \sum_{j=1}^{q} \left(x_j - \frac1q\right)^2 .
# $$ (eq-mse)
#
# For $N$ independent points of the truth the counts are multinomial, and the expectation is exact,
#
# $$
# \langle\mathrm{MSE}\rangle = \frac1q\left(1 - \frac1q\right)\frac1N ,
# $$ (eq-identity)
#
# which turns any error into a number of points: an estimate with mean error
# $\langle\mathrm{MSE}\rangle$ is worth
# $N_\mathrm{equiv} = \frac1q(1 - \frac1q)/\langle\mathrm{MSE}\rangle$ points of a pure sample, and
# its **amplification factor** is $N_\mathrm{equiv}/N_\mathrm{train}$.  The horizontal lines of
# {numref}`amplify-fig2` are this identity.  One over an estimated
# mean is biased upwards; quoted numbers are corrected for this to first order, those with failed trainings and plotted curves
# are not.  Measured, the {glue:text}`n-train`-point samples of this page
# are worth {glue:text}`sample-equivalents` points at {glue:text}`quantiles` quantiles, and pure samples of
# {glue:text}`line-sizes` points {glue:text}`line-equivalents` at {glue:text}`line-quantiles`.

# %% tags=["hide-input"]
listed = ", ".join(map(str, quantiles))
finest = quantiles[-1]
over_fit = ratio(good.asymptote, sample_and_fits.fit)
over_sample = ratio(good.asymptote, sample_and_fits.sample)


def closer(q):
    """Trainings with a smaller error than their own sample's."""
    gan, sample = shared(curve.asymptote, sample_and_fits.sample)
    return int((gan.mse(q) < sample.mse(q)).sum())


def without_worst(q):
    """N_equiv of the trainings that did not fail, but for the worst of them."""
    return n_equiv(np.sort(good.asymptote.mse(q))[:-1], q)


def luck(q):
    """Rank correlation of the trainings' errors with those of their own samples."""
    gan, sample = shared(good.asymptote, sample_and_fits.sample)
    return f"{spearmanr(gan.mse(q), sample.mse(q)).statistic:.2f}"


stated = documents()["amplify"]
low, high = (stated[f"gan-equivalent-{end}"]["value"] for end in ("low", "high"))
growth = good.asymptote.amplification(finest).value
growth /= good.asymptote.amplification(quantiles[0]).value


report.tell(
    **{
        "quantiles": listed,
        "line-quantiles": finest,
        "line-sizes": ", ".join(map(str, sample_and_fits.lines)),
        "line-equivalents": ", ".join(
            str(r.n_equiv(finest)) for r in sample_and_fits.lines.values()
        ),
        "sample-equivalents": report.each(sample_and_fits.sample.n_equiv, quantiles),
        "fit-equivalents": report.each(sample_and_fits.fit.n_equiv, quantiles),
        "gan-trainings": len(curve.counts),
        "gan-failures": curve.failures,
        "gan-one-cell": int(((curve.counts[curve.failed > 0, -1] > 0).sum(1) == 1).sum()),
        "gan-above": report.sorted_by_answer(
            {
                "the median": curve.asymptote.median_amplification(finest, LEVEL),
                "the mean over those that did not fail": good.asymptote.amplification(finest),
                "the mean over all": curve.asymptote.amplification(finest),
            },
            stated["gan-amplification-50"]["value"],
        ),
        "gan-stated": f"{stated['gan-amplification-50']['value']:g}",
        "gan-finest": finest,
        "gan-low": f"{low:g}",
        "gan-high": f"{high:g}",
        "gan-low-diluted": f"{1 / (0.99 / low + 0.01):.0f}",
        "gan-high-diluted": f"{1 / (0.99 / high + 0.01):.0f}",
        "gan-luck": report.each(luck, quantiles),
        "gan-growth": f"{growth:.2g}",
        "gan-median": report.each(curve.asymptote.median_n_equiv, quantiles),
        "gan-equivalents": report.each(good.asymptote.n_equiv, quantiles),
        "gan-factors": report.each(good.asymptote.amplification, quantiles),
        "gan-factors-all": report.each(curve.asymptote.amplification, quantiles),
        "gan-median-finest": f"{curve.asymptote.median_amplification(finest)} at {finest}",
        "gan-median-coarsest": f"{curve.asymptote.median_amplification(quantiles[0])} at {quantiles[0]}",
        "gan-saturation": report.each(lambda q: curve_saturation(good, q), quantiles),
        "gan-over-sample": report.each(over_sample, quantiles),
        "gan-word-sample": report.in_words(over_sample, quantiles),
        "gan-over-fit": report.each(over_fit, quantiles),
        "gan-closer": ", ".join(
            f"{k} of {len(curve.counts)} at {q}" for q in quantiles for k in [closer(q)]
        ),
        "sample-median": report.each(sample_and_fits.sample.median_n_equiv, quantiles),
        "fit-median": report.each(sample_and_fits.fit.median_n_equiv, quantiles),
        "gan-worst-share": report.each(
            lambda q: f"{good.asymptote.mse(q).max() / good.asymptote.mse(q).sum():.0%}", quantiles
        ),
        "gan-equal-share": f"{1 / len(good.counts):.0%}",
        "gan-without-worst": report.each(without_worst, quantiles),
        "gan-word-fit": report.in_words(over_fit, quantiles),
        "gan-means": f"{len(good.counts)} trainings"
        + f"; {curve.diverged} others ended in infinities" * bool(curve.diverged),
        "gan-mean-all": report.each(curve.asymptote.n_equiv, quantiles),
        "gan-claimed": ", from the "
        f"{EVENTS:,} events of the paper, by which the mean is worth {good.at(EVENTS).n_equiv(finest)} points at {finest} "
        f"quantiles; all numbers here are of {curve.sizes[-1]:,}"
        if EVENTS in curve.sizes
        else "",
        "gan-repetitions": len(good.counts),
        "fit-repetitions": len(sample_and_fits.valid),
        "fit-failed": int((~sample_and_fits.valid).sum()),
        "fit-bounds": report.each(lambda q: f"{fit_bound(gans.study.n_train, q):.0f}", quantiles),
        "fit-propagated": report.each(
            lambda q: f"{sample_and_fits.propagated_n_equiv(q):.0f}", quantiles
        ),
        "fit-scattered": report.each(
            lambda q: f"{sample_and_fits.scattered_n_equiv(q):.0f}", quantiles
        ),
        "most-events": f"{curve.sizes[-1]:,}",
    },
)
report.origin("amplify-fig2", gans, fits)

# %% mystnb={"figure": {"name": "amplify-fig2", "caption": "Quantile MSE against the number of GANned events, for {glue:text}`quantiles` quantiles: pure samples of 100 to 1000 points (blue lines, numbers at the right), the five-parameter fit (green) and the GAN (orange: dash-dotted the mean of the trainings that did not fail, solid the median of all, dotted the mean of all where some failed). Bands are one standard deviation over {glue:text}`fit-repetitions` independent samples and fits and {glue:text}`gan-repetitions` trainings, those that did not fail; a band that leaves the frame is wider than its mean. Failed: {glue:text}`gan-failures`.\n\n{glue:text}`amplify-fig2-origin`"}, "image": {"alt": "Quantile MSE of sample, fit and GAN against the number of GANned events, three panels"}} tags=["hide-input"]
quantile_mse_panels(sample_and_fits, with_failures(curve, "GAN", ORANGE, "-.", True), quantiles)
plt.show()

# %% [markdown]
# ## What we find
#
# **The median training** of all {glue:text}`gan-trainings` is worth {glue:text}`gan-median` points
# at {glue:text}`quantiles` quantiles (68% intervals), the median sample
# {glue:text}`sample-median` and the median fit {glue:text}`fit-median`: errors are skewed, so that a median is
# worth more than a mean, of samples too.  Closer to the truth than their own sample are
# {glue:text}`gan-closer` quantiles.
#
# **The mean** of the trainings that did not fail falls with the number of events and levels off.  We call a curve saturated
# where its mean stays within 10% of the end: {glue:text}`gan-saturation` events (68% ranges).  The noise of $n$ events
# alone puts this point at about ten times $N_\mathrm{equiv}$, so that it carries no independent information.  What is
# left is the error of the density that the network learned.  It is worth {glue:text}`gan-equivalents` points,
# amplification factors of {glue:text}`gan-factors` ({glue:text}`gan-means`).  The worst of these trainings has
# {glue:text}`gan-worst-share` of their summed error, where an equal share is {glue:text}`gan-equal-share`; without it
# they would be worth {glue:text}`gan-without-worst`.  The worst at
# {glue:text}`gan-finest` quantiles left its initial state late ({numref}`network-leaving`).
#
# **Failures.**  A GAN may never get going.  The generator starts as a point between the humps, where the truth
# has next to nothing; the discriminator tells it from the sample at once and then stands still, as its gradient has
# vanished with its loss.  The generator's gradient survives, but only shrinks the point further.  Nearly every
# training passes through this state, and one that does not leave it has learned nothing: its events are one
# point, and worth one ({numref}`network-escape`).  We call a training
# failed if fewer than 5% of its events lie on one side of zero, where one of the humps is, or if the discriminator has
# won at the end (cross entropy below 0.05; guessing costs 1.39): {glue:text}`gan-failures`, with the 68% interval of the
# rate.  Of these {glue:text}`gan-one-cell` have all {glue:text}`most-events` events in a single one of the
# hundred cells of equal mass in which we count them.  Failed trainings are left out of means and ratios on this page, unless it says otherwise, and counted in medians;
# whoever trains one GAN does not get to choose.
#
# The paper does not say whether the gradient penalty differentiates with respect to $x$ alone or also through the batch; we do
# the latter (see {doc}`the page on the network <network>`).
#
# **The fit.**  Over {glue:text}`fit-repetitions` samples ({glue:text}`fit-failed` fits did not
# converge) its precision corresponds to {glue:text}`fit-equivalents` points at
# {glue:text}`quantiles` quantiles; the paper reads roughly 300, 500 and close to 1000 off its figure, at 10, 20
# and 50.  The paper expects the spread of the fits to be that of the five
# parameters with their correlations.  So it is: carried to the quantiles, the scatter of the fitted parameters about the truth predicts a mean
# error worth {glue:text}`fit-scattered` points.  The Cramér-Rao bound, the least covariance of any unbiased fit to {glue:text}`n-train` points,
# gives {glue:text}`fit-bounds`; the fits' own covariances predict {glue:text}`fit-propagated`, which exceeds it: they are
# slightly too optimistic.  The finer the resolution, the more a
# functional form is worth: it fixes what happens between the points.
#
# **Does that bear the paper out?**  It gives {glue:text}`gan-low` to {glue:text}`gan-high` points "depending on the
# resolution", and a factor above {glue:text}`gan-stated` at 50 quantiles; that the two ends are those of 10 and 50 quantiles is our
# inference.  Is the factor at {glue:text}`gan-finest` above that?
# By 95% intervals, {glue:text}`gan-above`.  One training in a hundred that stays one point leaves a mean worth {glue:text}`gan-low-diluted` points where
# the others are worth {glue:text}`gan-low`, and {glue:text}`gan-high-diluted` where they are worth {glue:text}`gan-high`: if the paper's curve
# is a mean, which it does not say, it holds none, or they were left out.  {numref}`claims-amplify` has the
# verdicts{glue:text}`gan-claimed`.
#
# Compared with its own samples the GAN is worth {glue:text}`gan-over-sample` times
# the sample: {glue:text}`gan-word-sample`.  *More* is amplification, *less* is worse than the sample that it was trained
# on, and *compatible with one* says that the 95% interval holds one.  A lucky sample need not make a lucky GAN: the ranks of
# their errors have correlations of {glue:text}`gan-luck`.  Compared with the fits to these
# samples it is worth {glue:text}`gan-over-fit`: {glue:text}`gan-word-fit`.  The paper calls its own share a *slight
# degradation*; by the numbers that it states it is a half, at 10 as at 50 quantiles.

# %% tags=["remove-input"]
report.show_table(
    "amplify-trainings",
    "What trainings are worth, with 95% intervals; those of means are computed in log N_equiv and depend on "
    "how many rare bad trainings were drawn; in rows with failures the rate of failures, the failed and the other "
    "errors are varied independently",
    ["trainings", "number", *(f"{q} quantiles" for q in quantiles)],
    [
        [f"{which}, {what}", len(those.counts), *map(measure, quantiles)]
        for which, those in {"all": curve, "without the failed": good}.items()
        if those is curve or curve.failures.k
        for what, measure in {
            "mean": lambda q, those=those: those.asymptote.n_equiv(q).interval(),
            "median": lambda q, those=those: those.asymptote.median_n_equiv(q, LEVEL),
        }.items()
    ],
)

# %% tags=["hide-input"]
shapes = ratio(balanced(good.asymptote), balanced(sample_and_fits.sample))
report.tell(
    **{
        "fit-gain": report.each(
            ratio(balanced(sample_and_fits.fit), sample_and_fits.fit), quantiles
        ),
        "gan-gain": report.each(ratio(balanced(good.asymptote), good.asymptote), quantiles),
        "gan-shapes": report.each(shapes, quantiles),
        "gan-word-shapes": report.in_words(shapes, quantiles),
        "sample-balanced": report.each(balanced(sample_and_fits.sample).n_equiv, quantiles),
        "fit-balanced": report.each(balanced(sample_and_fits.fit).n_equiv, quantiles),
        "gan-balanced": report.each(balanced(good.asymptote).n_equiv, quantiles),
    }
)

# %% [markdown]
# **Where the error sits.**  Two things can be wrong with an estimate of a camel back: the relative
# height of the humps, and their shapes.  Scale both humps to the half that the truth puts there,
# and only the error of the shapes is left.  A sample is then worth {glue:text}`sample-balanced` points,
# the fit {glue:text}`fit-balanced` and the GAN {glue:text}`gan-balanced`: times {glue:text}`fit-gain` for
# the fit and times {glue:text}`gan-gain` for the GAN.  Of the shapes alone the GAN is worth
# {glue:text}`gan-shapes` times its sample: {glue:text}`gan-word-shapes`.
#
# **Resolution.**  At few quantiles the error is in the large features, and there is less to gain, for
# the fit as for the GAN.  At many quantiles a sample of {glue:text}`n-train` has few points in a
# cell, and any smooth curve through them gains.  So one expects every factor to grow with the number of
# quantiles, the fit's as well as the GAN's.  The GAN's at the finest is {glue:text}`gan-growth` times that at the
# coarsest.

# %% [markdown]
# **The schedule.**  The preset `laptop` trains on a schedule that is 17 times shorter, from ten times the
# paper's learning rate down to it; of its trainings {glue:text}`laptop-failures` failed.  The table compares the
# two on the samples on which neither did; its means are those of these samples, not those above.  The ratio of the two
# schedules, the longer over the shorter, is {glue:text}`schedules-word`.

# %% tags=["remove-input"]
schedules = {scale: stored("gan", scale, **data) for scale in ("laptop", "paper")}
short = schedules["laptop"]
compared = all(result.done() for result in schedules.values())
report.tell(**{"laptop-failures": gan_curve(short).failures if short.done() else "none stored"})
if not compared:
    report.tell(**{"schedules-word": "not compared, as one of them is not stored"})
else:
    laptop, paper = shared(*(gan_curve(r).converged.at(100_000) for r in schedules.values()))
    longer = ratio(paper, laptop)
    report.tell(**{"schedules-word": f"{report.in_words(longer, quantiles)} quantiles"})
    report.show_table(
        "amplify-schedules",
        f"The two schedules on the same {len(laptop.index)} samples, on which neither failed; "
        "100,000 events each",
        ["schedule", *(f"{q} quantiles" for q in quantiles)],
        [
            ["laptop", *map(laptop.n_equiv, quantiles)],
            ["paper", *map(paper.n_equiv, quantiles)],
            ["paper / laptop", *map(longer, quantiles)],
        ],
    )

# %% tags=["nbval-check-output", "remove-cell"]
print("parameters of the fit, mean over samples:")
for name, value in zip(PARAMETERS, sample_and_fits.parameters.mean(0), strict=True):
    print(f"  {name:8s} {value:7.3f}")
for q in quantiles:
    print(f"{q} quantiles:")
    print(
        f"  sample, fit     {sample_and_fits.sample.n_equiv(q)}, {sample_and_fits.fit.n_equiv(q)}"
    )
    print(f"  GAN             {good.asymptote.n_equiv(q)}, all {curve.asymptote.n_equiv(q)}")
    print(f"  median          {curve.asymptote.median_n_equiv(q)}")
    print(f"  amplification   {good.asymptote.amplification(q)}")
    print(f"  saturated at    {good.saturation(q)} events")
print(f"failed: {curve.failures}")
