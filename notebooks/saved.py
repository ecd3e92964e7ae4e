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
# Can weights make good a generator that is not good enough, and can one know before they are used?  What weights cost, a classifier's scores tell beforehand, within
# a factor of {glue:text}`saved-within` for two thirds of the generators that they give hope; whether they save it is another matter: of {glue:text}`saved-count` generators the answer is *freely* for
# {glue:text}`saved-freely-n`, *no* for {glue:text}`saved-no-n`, and open for {glue:text}`saved-open-n`, where one known cut sees more than the classifier does.
#
# The weights are those of {doc}`the Gaussians <gaussians>` and {doc}`the showers <reweighted>`: a classifier that tells generated events from
# the truth's with the score $h$ gives each the weight $W = h/(1-h)$ {cite}`diefenbacher2020`.  This page takes the generators of all documents, reads the cost from the scores, and compares it with
# what the weights then do.  Left out are further ways to draw
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
from amplib.book.saved import absent_leptons, generators
from amplib.estimate import enumerated, written_area, written_in_turn
from amplib.metrics.outlook import (
    FREE,
    HOPELESS_AUC,
    HOPELESS_MEAN,
    HOPELESS_SHARE,
    LARGEST,
    TOLERABLE,
)
from amplib.metrics.weighed import CLEAR, SURELY
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
        "{numref}`saved-table` has the scale of each, and how many trainings and classifiers there are of it."
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
unresolved = [one for one in saved if one.answer == "not resolved"]
ratio, within = how_far_off(hopeful) if hopeful else (np.nan, np.nan)
hopeless = [one.off for one in few]
mended = [one for one in judged if one not in few and one.helped]


def listed(texts):
    """In words, or that there are none."""
    texts = list(texts)
    return enumerated(texts) if texts else "none"


def those(answer):
    """Generators with one answer in all their repetitions, their part of the book and the scale."""
    return listed(f"{one.name} ({one.group}, {one.scale})" for one in alike(answer))


def alike(answer):
    """Generators with one answer in all their repetitions."""
    return [one for one in saved if one.answer == answer]


def out_of_reach(one):
    """The share of the truth that is, unless the classifiers cannot say."""
    return one.answer if one in unresolved else share(one.over(lambda told: told.lost))


def verdict(one):
    """The answer, and where it is open what the classifiers alone would say."""
    return one.answer + f"; by the classifiers {one.by_classifiers}" * (one in unresolved)


def by_classifiers(one):
    """What they would say, for a parenthesis."""
    return one.by_classifiers.replace(" (", ", ").replace(")", "")


def weight(one):
    """The mean weight; where next to nothing is left no more than that."""
    found = one.over(lambda told: told.mean_weight)
    return found if found.value > 1e-3 else "< 0.001"


def before_clip(one):
    """The mean weight before the clip, of each classifier."""
    return enumerated(written_in_turn([told.outlook.mean_before_clip for told in one.each]))


def by_auc(low, high):
    """r by the AUC over that by the scores: geometric mean over classifiers with such an AUC."""
    told = [told.outlook for one in judged for told in one.each]
    some = [o.dilution_by_auc.value / o.dilution.value for o in told if low <= o.auc.value < high]
    return f"{np.exp(np.mean(np.log(some))):.2g}" if some else "not measured"


def share(estimate):
    """In per cent; 0 or all where no event differs."""
    whole = round(estimate.value, 9)
    return f"{whole:.0%}" if whole in (0, 1) else estimate.percent()


overruled = [
    f"{n} of {len(one.each)} classifiers of {one.name} ({one.group}, {one.scale})"
    for one in saved
    if (n := sum(told.overruled for told in one.each))
]
tops = [one for one in saved if one.group == "top pairs"]
pairs = [result.study for result, one in found if one in tops]
absent = absent_leptons(pairs[0]) if pairs else 0.0
report.tell(
    **{
        "saved-count": len(saved),
        "saved-free": f"{FREE:g}",
        "saved-largest": f"{LARGEST:g}",
        "saved-tolerable": f"{TOLERABLE:.0%}",
        "saved-hopeless": f"{HOPELESS_AUC:g}",
        "saved-hopeless-mean": f"{HOPELESS_MEAN:g}",
        "saved-beyond": listed(
            f"{one.name} ({one.group}, {one.scale})"
            for one in judged
            if one not in few and one.over(lambda told: told.auc).value > HOPELESS_AUC
        ),
        "saved-share": f"{HOPELESS_SHARE:.0%}",
        "saved-hopeful": len(hopeful),
        "saved-ratio": f"{ratio:.2f}",
        "saved-within": f"{within:.2f}",
        "saved-off": f"{min(hopeless):.2g} to {max(hopeless):.2g}" if hopeless else "none",
        "saved-freely": those("freely"),
        "saved-price": those("at a price"),
        "saved-part": those("in part"),
        "saved-freely-n": len(alike("freely")),
        "saved-no-n": len(alike("no")),
        "saved-vain-n": len(alike("not by these weights")),
        "saved-open-n": len(unresolved),
        "saved-open": listed(f"{one.name} ({by_classifiers(one)})" for one in unresolved),
        "saved-absent": f"{absent:.1%}",
        "saved-zeros": listed(one.name for one in tops if one.known_area < 0.5 + absent / 2),
        "saved-no": len(few),
        "saved-mended": sum(one.helped.weighted < one.helped.without for one in mended),
        "saved-mended-of": len(mended),
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
            f"{one.name.removeprefix('B-VAE, ')} ({by_classifiers(one)})"
            for one in saved
            if one.group == "top pairs" and one.name.startswith("B-VAE")
        ),
        "saved-split": sum(" of " in one.by_classifiers for one in saved),
        "saved-clear": f"{CLEAR:g}",
        "saved-surely": f"{SURELY:g}",
        "saved-overruled": enumerated(overruled) if overruled else "no classifier",
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
# above that is out of reach: no weight restores it, because hardly anything was generated there.  The answer follows a rule, that of `amplib.reweight`:
#
# - *no*: less than {glue:text}`saved-share` of the events are left, or the mean weight before the clip is below
#   {glue:text}`saved-hopeless-mean`, so that less than half of the truth lies where anything is generated. Before the numbers were known an AUC
#   above {glue:text}`saved-hopeless` stood in the place of the mean; beyond it, and no plain *no*, are {glue:text}`saved-beyond`;
# - *not by these weights*: on events that trained no classifier an observable is off the truth by more than {glue:text}`saved-surely` errors
#   of $\langle S^2\rangle$ without weights, or farther from it with them by more than {glue:text}`saved-clear`, and none has come closer by as many. What is measured overrules what the scores promise;
# - *in part*: more than {glue:text}`saved-tolerable` of the truth is out of reach;
# - *freely*: $r$ is below {glue:text}`saved-free`; and *at a price* otherwise.
#
# What is asked of every generator is the same; what it is asked with is not.
#
# - *Gaussians and showers* have their papers' classifiers, of the showers the one that sees high-level quantities.
# - *Top pairs and decays* have {glue:text}`saved-classifiers` classifiers of three layers and with a temperature, made for this page.  Each is trained on half of
#   {glue:text}`saved-events` generated and half of as many true events that trained no generator, drawn by lot; results are of the other halves.  It sees the observables that the events are judged by, of decays the columns as well.
#   The first of these true events told when to stop the training of the B-VAE, and events that are smeared by hand are each made from another training event.
#   Observables that the truth conserves, or that have one value in most events, as those of a second lepton, are in no median of $r$.
# - *The camel back* has one dimension, and its density is known in a hundred cells, so that no classifier is needed.  Told and measured $r$ are of the same counts there, and a share of the truth below that of a cell is not seen.
#
# What is repeated differs, too.  On the camel back it is the training of the generator, with its sample; of the Gaussians the training of generator and classifier.  Elsewhere a generator has several classifiers, and some have several
# trainings as well ({numref}`saved-table`): then classifiers are averaged within a training, and answers are counted and errors taken over trainings.  Where there is one training, the error is that of the classifier alone, and says nothing of another training of the generator.
#
# **What a cut knows.**  An answer is worth no more than its classifier.  Of top pairs two cuts are known that need none.  A second lepton is absent from {glue:text}`saved-absent` of the true events, which then have four exact zeros, while a
# network's output, a kernel's or a Gaussian's is next to never exactly zero.  Nor does any true event lie beyond all others, as some generated ones do; their share is no smaller than that of the dropped entries in {doc}`the figures of merit <merit>`.  {numref}`saved-table` has the AUC of the better
# cut.  To these classifiers, which see every column in units of its spread, a lepton of almost no energy is as good as none; boosted trees tell the events of a B-VAE by it ({numref}`latent-worth`).  Where the classifiers' AUC is below that of the cut the answer is *not resolved*, unless it is *no* anyway:
# their weights leave standing what the cut removes.  Taken literally, {glue:text}`saved-absent` of the truth are then out of reach.  Exact zeros may come from {glue:text}`saved-zeros` alone, and no such cut is counted for these; in the spline flow's events every column has its own, and how often only some of a lepton's four numbers are zero is not stored.

# %% mystnb={"figure": {"name": "saved-fig1", "caption": "What weights would cost {glue:text}`saved-count` generators of this book, a point a classifier; hollow points are of generators whose answer is *not resolved*. Left: $r$ as the scores tell it, against the AUC; in the shaded range, where less than {glue:text}`saved-share` of the events are left, the answer is no; below it as well where weights are alike and next to nothing, as of the showers' BIB-AE. A camel back's GAN with an AUC near one and $r = 1$ has all its events in one cell: they have one weight, which costs nothing, and the rest of the truth is out of reach. Right: $r$ that observables then had, their median and central 68%, some of which leave the frame, against the told one; on the line both are the same.\n\n{glue:text}`saved-fig1-origin`"}, "image": {"alt": "Dilution told by the scores against AUC, and measured against told dilution, for generators of camel backs, Gaussians, showers, decays and top pairs"}} tags=["hide-input"]
if saved:
    saved_panels(saved)
plt.show()

# %% [markdown]
# ## What is found
#
# *Is it the price?*  Take the {glue:text}`saved-hopeful` generators to which the scores of any classifier give hope, without the camel back.  The measured $r$ is
# {glue:text}`saved-ratio` times the told one (geometric mean), and for two thirds of them both agree within a factor of {glue:text}`saved-within` ({numref}`saved-done`).
# To that extent the scores tell what weights cost before any is used, whatever the observable.  Of a single observable, which may depend on the weights, they tell less: the bars of {numref}`saved-fig1` are that spread.
# Where the answer is *no* the ratio is {glue:text}`saved-off`: a few events bear all of the weight there, or none does, and neither $r$ means much.  The AUC alone is a worse guide: what it tells is
# {glue:text}`saved-below` times the told $r$ where it is below {glue:text}`saved-moderate`, and {glue:text}`saved-above` times from there to 0.99 (geometric means over classifiers).
#
# *Is it worth the price?*  That the scores do not tell.  Take the {glue:text}`saved-mended-of` generators whose answer is not a plain *no*.  Weights bring the observables closer to the truth, by the median of
# $\langle S^2\rangle$ above its floor, for {glue:text}`saved-mended` of them ({numref}`saved-done`).  Weights that a classifier learns from some ten thousand events have {doc}`errors of their own <gaussians>`:
# where every observable by itself is nearly right already, they may do more harm than good.
#
# *Are the weights right?*  The answer asks no more than whether their mean is far below one.  Of right weights the mean before the clip is one, less the share of the truth where nothing
# is generated.  For some generators whose answer is not *no* with every classifier it is off by more than a factor of {glue:text}`saved-doubtful`:
# {glue:text}`saved-doubtful-ones`, in turn over such classifiers.  A few events
# beyond the clip may do that.  The price of such weights may be told well; they are not those of the truth.
#
# *Are they in vain?*  What was measured overrules the scores of {glue:text}`saved-overruled`.
#
# *Freely*: {glue:text}`saved-freely`.  *At a price*: {glue:text}`saved-price`.  *In part*: {glue:text}`saved-part`.  *No* is the answer
# for {glue:text}`saved-no` of {glue:text}`saved-count`.  *Not by these weights* is that for {glue:text}`saved-vain-n`.
# *Not resolved*, of top pairs, with what the classifiers alone would say: {glue:text}`saved-open`.  For {glue:text}`saved-split` generators
# repetitions differ in their answers, and {numref}`saved-table` has how.
#
# What the classifiers say of the B-VAE of top pairs depends on {doc}`what is added to the width of a code <top_vae>`: {glue:text}`saved-vae`.
#
# **What it does not say.**  Weights ask whether events look like the truth's, not how many of the truth's they are worth: copies of the training events would be saved *freely*.  That question is
# asked in {doc}`rivals`, where it stays open for the best generators.  And a *no* is no verdict on a histogram: a generator may have one observable after the other nearly right and still give itself away in every event, by a mass shell that
# is not sharp, a momentum that is not balanced, or numbers of an absent lepton that are not quite zero.  Weights cannot move an event onto the shell.

# %% tags=["hide-input"]
report.show_table(
    "saved-table",
    "What scores tell of weights.  Behind the scale stands the number of trainings times that of the classifiers of each (of the camel back, of cells in their place). Numbers are means over trainings with their standard error; of a single training over its classifiers, and the error is then theirs alone. The AUC of a cut is that of the better of two that need no classifier. Means of weights before the clip are of each classifier in turn: if weights are right these are one, less the share of the truth where nothing is generated; those of clipped weights are smaller by what is beyond the clip",
    [
        "generator", "scale", "AUC", "AUC of a cut", "mean weight, clipped", "before the clip", "$r$ told", "truth out of reach",
        "can weights save it?",
    ],
    [
        [
            f"{one.group}: {one.name}",
            f"{one.scale}, {one.size}",
            written_area(one.over(lambda told: told.auc)),
            f"{one.known_area:.3f}" if one in tops else "--",
            weight(one) if one in judged else "--",
            before_clip(one) if one in judged else "--",
            one.told,
            out_of_reach(one),
            verdict(one),
        ]
        for one in saved
    ],
)  # fmt: skip
report.show_table(
    "saved-done",
    "What weights then do: $r$ of the observables, median and central 68%, geometric means over classifiers; median $\\langle S^2\\rangle$ of the observables from the truth, above its floor, without weights and with them; and of how many $\\langle S^2\\rangle$ is smaller or larger by more than two errors",
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
    print(one.name, one.size, one.told, one.measured, one.helped, verdict(one), sep=" | ")
