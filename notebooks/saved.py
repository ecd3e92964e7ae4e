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
# # Can weights save it?
#
# A generator that is not good enough may be mended by weights ({doc}`gaussians`, {doc}`reweighted`): a classifier that
# tells its events from the truth's with the score $h$ gives each the weight $W = h/(1-h)$ {cite}`diefenbacher2020`.  What
# that will cost, and whether anything will be left, the scores say before a single observable is looked at.  This page asks
# it of the generators of all documents, and holds the answer against what the weights then do.  Left out are further ways to draw
# the codes of one decoder, the priors of {doc}`latent` and the BIB-AE's fitted latent numbers, and the camel back's baselines without a network.

# %% tags=["parameters"]
preset = "best"

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(globals(), "preset")

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np

import amplib
from amplib.book import report
from amplib.book.saved import generators
from amplib.estimate import enumerated, written_area, written_in_turn
from amplib.metrics.outlook import FREE, HOPELESS_AUC, HOPELESS_SHARE, LARGEST, TOLERABLE
from amplib.studies.merit.study import UNSEEN
from amplib.studies.weighing.figures import saved_panels
from amplib.studies.weighing.kept import CLASSIFIERS
from amplib.studies.weighing.reading import DOUBTFUL, how_far_off

found = generators(given["preset"])
results = list(dict.fromkeys(result for result, _ in found))
saved = [one for _, one in found]

# %% tags=["remove-input"]
smaller = sum(one.scale != "paper" for one in saved)
report.show_banner(
    also=[
        f"{smaller} of {len(saved)} generators are shorter and smaller versions of the papers'; "
        "{numref}`saved-table` has the scale of each, and how many trainings there are of it."
    ]
    if smaller
    else []
)

# %% tags=["remove-cell"]
MODERATE = 0.9  # an AUC
# Of the camel back both are of the same counts.
judged = [one for one in saved if one.group != "camel back"]
hopeful = [one for one in judged if any(told.outlook.answer != "no" for told in one.each)]
few = [one for one in judged if one.answer == "no"]
ratio, within = how_far_off(hopeful) if hopeful else (np.nan, np.nan)
hopeless = [one.off for one in few]
mended = [one for one in judged if one not in few and one.helped]


def listed(texts):
    """In words, or that there are none."""
    texts = list(texts)
    return enumerated(texts) if texts else "none"


def those(answer):
    """Generators with one answer in all their repetitions, their part of the book and the scale."""
    alike = [one for one in saved if one.answer == answer]
    return listed(f"{one.name} ({one.group}, {one.scale})" for one in alike)


def weight(one):
    """The mean weight; where next to nothing is left no more than that."""
    found = one.over(lambda told: told.mean_weight)
    return found if found.value > 1e-3 else "< 0.001"


def before_clip(one):
    """The mean weight before the clip, of each repetition."""
    return ", ".join(written_in_turn([told.outlook.mean_before_clip for told in one.each]))


def not_hopeful():
    """Generators with a *no* in all repetitions that is by the AUC alone."""
    more = [f"{one.name} ({one.group})" for one in mended if one not in hopeful]
    return f", the ones above and {listed(more)}, where it is by the AUC alone," * bool(more)


def by_auc(low, high):
    """r by the AUC over that by the scores: geometric mean over repetitions with such an AUC."""
    told = [told.outlook for one in judged for told in one.each]
    some = [o.dilution_by_auc.value / o.dilution.value for o in told if low <= o.auc.value < high]
    return f"{np.exp(np.mean(np.log(some))):.2g}" if some else "not measured"


def share(estimate):
    """In per cent; 0 or all where no event differs."""
    whole = round(estimate.value, 9)
    return f"{whole:.0%}" if whole in (0, 1) else estimate.percent()


report.tell(
    **{
        "saved-count": len(saved),
        "saved-free": f"{FREE:g}",
        "saved-largest": f"{LARGEST:g}",
        "saved-tolerable": f"{TOLERABLE:.0%}",
        "saved-hopeless": f"{HOPELESS_AUC:g}",
        "saved-share": f"{HOPELESS_SHARE:.0%}",
        "saved-hopeful": len(hopeful),
        "saved-ratio": f"{ratio:.2f}",
        "saved-within": f"{within:.2f}",
        "saved-off": f"{min(hopeless):.2g} to {max(hopeless):.2g}" if hopeless else "none",
        "saved-freely": those("freely"),
        "saved-price": those("at a price"),
        "saved-part": those("in part"),
        "saved-no": len(few),
        "saved-auc": sum(one.answer == "no, by the AUC" for one in saved),
        "saved-mended": sum(one.helped.weighted < one.helped.without for one in mended),
        "saved-mended-of": len(mended),
        "saved-mended-more": not_hopeful(),
        "saved-doubtful": f"{DOUBTFUL:g}",
        "saved-doubtful-ones": listed(
            f"{one.name} ({one.group}, {one.scale}: {enumerated(written_in_turn(means))})"
            for one in judged
            if (means := one.doubtful())
        ),
        "saved-classifiers": CLASSIFIERS,
        "saved-below": by_auc(0.5, MODERATE),
        "saved-above": by_auc(MODERATE, 0.99),
        "saved-moderate": MODERATE,
        "saved-vae": listed(
            f"{one.answer} with {one.name.removeprefix('B-VAE, ')}"
            for one in saved
            if one.group == "top pairs" and one.name.startswith("B-VAE")
        ),
        "saved-split": sum(" of " in one.answer for one in saved),
        "saved-events": f"{UNSEEN['laptop']['weighed_events']:,}",
    }
)
if results:
    report.origin("saved-fig1", *results)

# %% [markdown]
# ## What the scores tell
#
# With weights that are known, $r$ of an observable that does not depend on them, the error of its mean over that of as many true
# events, is $\sqrt{N/N_\mathrm{eff}}$ with
# $N_\mathrm{eff} = (\sum W)^2 / \sum W^2$: $r^2$ times as many generated events are needed.  This is the *told* $r$.  The AUC of the same
# scores tells one as well, if the log of $W$ is spread like that of two Gaussians of equal width: the curve of
# {numref}`saved-fig1`.  Weights are clipped at {glue:text}`saved-largest`, and the share of the *truth* whose weight is
# above that is out of reach: no weight restores it, because hardly anything was generated there.  The answer follows a rule:
#
# - *no*: less than {glue:text}`saved-share` of the events are left, or the AUC is above {glue:text}`saved-hopeless`; *by the AUC* alone, if more events
#   are left and half of the truth is within reach;
# - *in part*: more than {glue:text}`saved-tolerable` of the truth is out of reach;
# - *freely*: $r$ is below {glue:text}`saved-free`; and *at a price* otherwise.
#
# What is asked of every generator is the same; what it is asked with is not.  The Gaussians and the showers have their
# papers' classifiers (of the showers the one that sees high-level quantities).  Top pairs and decays have {glue:text}`saved-classifiers` for this page, of three layers
# and with a temperature: half of
# {glue:text}`saved-events` generated and half of as many true events that trained no generator, drawn by lot, train each, and the others are what is shown.  It is
# given the observables that the events are judged by, of decays the columns as well.  The first of these true events told when to stop the training of the B-VAE.  Events that are smeared by hand are
# each made from another training event.  What the truth conserves, or has one value of in most events, as of a second lepton, is in no median of $r$.  Of the camel back, which has one
# dimension, the density is known in a hundred cells, and no classifier is needed; told and measured are of the same counts there, and a share of the truth below that of a cell is not seen.
#
# What is repeated differs, too: on the camel back it is the generator with its sample, of the Gaussians generator and classifier, and of all others the classifier of one generator alone.

# %% mystnb={"figure": {"name": "saved-fig1", "caption": "What weights would cost {glue:text}`saved-count` generators of this book, a point a repetition. Left: $r$ as the scores tell it, against the AUC; in the shaded range the answer is no. Right: $r$ that observables then had, their median and central 68%, some of which leave the frame, against the told one; on the line both are the same.\n\n{glue:text}`saved-fig1-origin`"}, "image": {"alt": "Dilution told by the scores against AUC, and measured against told dilution, for generators of camel backs, Gaussians, showers, decays and top pairs"}} tags=["hide-input"]
if saved:
    saved_panels(saved)
plt.show()

# %% [markdown]
# ## What is found
#
# *Is it the price?*  Over the {glue:text}`saved-hopeful` generators for which there is hope in any repetition, the camel back left out, the measured $r$ is
# {glue:text}`saved-ratio` times the told one (geometric mean), and two thirds of them are
# within a factor of {glue:text}`saved-within` ({numref}`saved-done`).  To that extent the scores of a classifier tell what its weights cost, before it is paid and without asking for
# any observable.  Of a single observable, which may depend on the weights, they tell less: the bars of {numref}`saved-fig1` are that spread.  Where the answer is *no*
# the ratio is {glue:text}`saved-off`: a few events bear all of the weight there, or none does, and neither $r$ means much.  The AUC alone is a worse guide: what it tells is
# {glue:text}`saved-below` times the told $r$ where it is below {glue:text}`saved-moderate`, and {glue:text}`saved-above` times from there to 0.99 (geometric means over repetitions).
#
# *Is it worth the price?*  That the scores do not tell.  Of the {glue:text}`saved-mended-of` generators whose answer is not a plain *no*{glue:text}`saved-mended-more` the median distance of the observables from the truth, $\langle S^2\rangle$
# above its floor, is smaller with weights for {glue:text}`saved-mended` ({numref}`saved-done`).  Weights that a classifier learns from some ten thousand events have errors of their own
# ({doc}`gaussians`), and where every observable by itself is nearly right already they may do more harm than good.
#
# *Are the weights right?*  The answer does not ask.  Of right ones the mean before the clip is one, less the share of the truth where nothing
# is generated.  Where the answer is not *no* in some repetition it is off by more than a factor of {glue:text}`saved-doubtful` of
# {glue:text}`saved-doubtful-ones`, in turn over such repetitions.  A few events
# beyond the clip may do that.  Of weights like these the price may be told well; they are not those of the truth.
#
# *Freely*: {glue:text}`saved-freely`.  *At a price*: {glue:text}`saved-price`.  *In part*: {glue:text}`saved-part`.  *No* is the answer
# for {glue:text}`saved-no` of {glue:text}`saved-count`, and *no, by the AUC* for {glue:text}`saved-auc`; for {glue:text}`saved-split` the repetitions differ, and {numref}`saved-table` has how.
#
# Of the B-VAE of top pairs the answer hangs on what is added to the width of a code: {glue:text}`saved-vae` ({doc}`top_vae` has the two readings).
#
# **What it does not say.**  Weights ask whether events look like the truth's, not how many of the truth's they are worth: copies of the training events would be saved *freely*.  That question is
# answered in {doc}`rivals`.  And a *no* is no verdict on a histogram: a generator may have one observable after the other nearly right and still give itself away in every event, by a mass shell that
# is not sharp, a momentum that is not balanced, or a number of a lepton that is not there and is not quite zero either.  Weights cannot move an event onto the shell.

# %% tags=["hide-input"]
report.show_table(
    "saved-table",
    "What scores tell of weights: means over repetitions, whose number stands behind the scale, with their standard error; means of weights before the clip in turn. If weights are right these are one, less the share of the truth where nothing is generated; those of clipped weights are smaller by what is beyond the clip",
    ["generator", "scale", "AUC", "mean weight, clipped", "before the clip", "$r$ told", "truth out of reach", "can weights save it?"],
    [
        [
            f"{one.group}: {one.name}",
            f"{one.scale}, {len(one.each)}",
            written_area(one.over(lambda told: told.auc)),
            weight(one) if one in judged else "--",
            before_clip(one) if one in judged else "--",
            one.told,
            share(one.over(lambda told: told.lost)),
            one.answer,
        ]
        for one in saved
    ],
)  # fmt: skip
report.show_table(
    "saved-done",
    "What weights then do: $r$ of the observables, median and central 68%, geometric means over repetitions; median $\\langle S^2\\rangle$ of the observables from the truth, above its floor, without weights and with them; and of how many $\\langle S^2\\rangle$ is smaller or larger by more than two errors",
    ["generator", "$r$ told", "$r$ measured", "$\\langle S^2\\rangle$ without", "$\\langle S^2\\rangle$ with", "closer", "farther"],
    [
        [
            f"{one.group}: {one.name}",
            f"{one.told.value:.3g}",
            one.measured,
            *(f"{s2:.2g}" for s2 in (one.helped.without, one.helped.weighted)),
            *(f"{n} of {one.helped.of}" for n in (one.helped.closer, one.helped.farther)),
        ]
        for one in judged
        if one.helped
    ],
)  # fmt: skip

# %% [markdown]
# ## Ask it of yours
#
# The same question of any two samples is one call.  It trains a classifier on half of each, and says what its weights do to the
# other half; `weights` gives those of further events.  Here the generator is a camel back whose humps are too wide: its outer events have small weights,
# so that $x^2$ costs less than with events of the truth.

# %%
rng = np.random.default_rng(1)
made, true = amplib.CamelBack(width=1.2).sample(20_000, rng), amplib.CamelBack().sample(20_000, rng)
answer = amplib.reweight(made, held_out=true, observables=lambda x: np.hstack([x, x**2, abs(x)]))
print(answer)

# %% tags=["nbval-check-output", "remove-cell"]
for one in saved:
    print(one.name, len(one.each), one.told, one.measured, one.helped, one.answer, sep=" | ")
