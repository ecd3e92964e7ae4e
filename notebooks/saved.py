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
# it of every generator of this book, and holds the answer against what the weights then do.

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
from amplib.estimate import enumerated
from amplib.metrics.outlook import FREE, HOPELESS_AUC, HOPELESS_SHARE, LARGEST, TOLERABLE
from amplib.studies.merit.study import UNSEEN
from amplib.studies.weighing.figures import saved_panels
from amplib.studies.weighing.reading import how_far_off

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
hopeful = [one for one in saved if any(told.outlook.answer != "no" for told in one.each)]
ratio, within = how_far_off(hopeful) if hopeful else ("not measured", np.nan)
hopeless = [one.off for one in saved if one not in hopeful]


def listed(texts):
    """In words, or that there are none."""
    texts = list(texts)
    return enumerated(texts) if texts else "none"


def those(answer):
    """Generators with one answer in all their trainings, and their part of the book."""
    return listed(f"{one.name} ({one.group})" for one in saved if one.answer == answer)


def share(estimate):
    """In per cent; 0 or all where no event differs."""
    whole = round(estimate.value, 9)
    return f"{whole:.0%}" if whole in (0, 1) else estimate.percent()


def area(one):
    """AUC; beyond four digits no more than that it is near to one."""
    found = one.over(lambda told: told.auc)
    return found if 1 - found.value > 1e-4 else "> 0.9999"


report.tell(
    **{
        "saved-count": len(saved),
        "saved-free": f"{FREE:g}",
        "saved-largest": f"{LARGEST:g}",
        "saved-tolerable": f"{TOLERABLE:.0%}",
        "saved-hopeless": f"{HOPELESS_AUC:g}",
        "saved-share": f"{HOPELESS_SHARE:.0%}",
        "saved-hopeful": len(hopeful),
        "saved-ratio": ratio,
        "saved-within": f"{within:.2f}",
        "saved-off": f"{min(hopeless):.2g} to {max(hopeless):.2g}" if hopeless else "none",
        "saved-freely": those("freely"),
        "saved-price": those("at a price"),
        "saved-part": those("in part"),
        "saved-no": sum(one.answer == "no" for one in saved),
        "saved-vae": listed(
            f"{one.answer} with {one.name.removeprefix('B-VAE, ')}"
            for one in saved
            if one.group == "top pairs" and one.name.startswith("B-VAE")
        ),
        "saved-split": listed(
            f"{one.name} ({one.group}), {one.answer}" for one in saved if " of " in one.answer
        ),
        "saved-events": f"{UNSEEN['laptop']['weighed_events']:,}",
    }
)
if results:
    report.origin("saved-fig1", *results)

# %% [markdown]
# ## What the scores tell
#
# With weights that are known, $r$ of an observable that does not know of them is $\sqrt{N/N_\mathrm{eff}}$ with
# $N_\mathrm{eff} = (\sum W)^2 / \sum W^2$: so many more generated events are needed as $r^2$ says.  The AUC of the same
# scores tells it as well, if the log of $W$ is spread like that of two Gaussians of equal width: the curve of
# {numref}`saved-fig1`.  Weights are clipped at {glue:text}`saved-largest`, and the share of the *truth* whose weight is
# above that is what no weight restores, because hardly anything was generated there.  The answer follows a rule:
#
# - *no*: the AUC is above {glue:text}`saved-hopeless`, or less than {glue:text}`saved-share` of the events are left;
# - *in part*: more than {glue:text}`saved-tolerable` of the truth is out of reach;
# - *freely*: $r$ is below {glue:text}`saved-free`; and *at a price* otherwise.
#
# What is asked of every generator is the same; what it is asked with is not.  The Gaussians and the showers have their
# papers' classifiers (of the showers the one that sees high-level quantities).  Top pairs and decays have one for this page: three layers, half of
# {glue:text}`saved-events` generated and half of as many true events that no generator has seen train it, the others are what is shown; it is
# given the observables that the events are judged by, of decays the columns as well.  Of events that are smeared by hand every one
# is of another training event.  What the truth conserves has no $r$, and is in no median.  Of the camel back, which has one
# dimension, the density is known in a hundred cells, and no classifier is needed.

# %% mystnb={"figure": {"name": "saved-fig1", "caption": "What weights would cost {glue:text}`saved-count` generators of this book, a point a training. Left: $r$ as the scores tell it, against the AUC; in the shaded range the answer is no. Right: $r$ that observables then had, their median and central 68%, against the told one; on the line both are the same.\n\n{glue:text}`saved-fig1-origin`"}, "image": {"alt": "Dilution told by the scores against AUC, and measured against told dilution, for generators of camel backs, Gaussians, showers, decays and top pairs"}} tags=["hide-input"]
if saved:
    saved_panels(saved)
plt.show()

# %% [markdown]
# ## What is found
#
# *Does the answer hold?*  Over the {glue:text}`saved-hopeful` generators for which there is hope in any training the measured $r$ is
# {glue:text}`saved-ratio` times the told one (geometric mean), and two thirds of them are
# within a factor of {glue:text}`saved-within` ({numref}`saved-table`).  So far the scores of one classifier tell what reweighting costs, before it is done and without asking for
# any observable.  Of a single observable, which may depend on the weights, they tell less: the bars of {numref}`saved-fig1` are that spread.  Where the answer is *no*
# the ratio is {glue:text}`saved-off`: a few events bear all of the weight there, or none does, and neither $r$ means much.
#
# *Freely*: {glue:text}`saved-freely`.  *At a price*: {glue:text}`saved-price`.  *In part*: {glue:text}`saved-part`.  Trainings
# that differ: {glue:text}`saved-split`.  *No*, in all trainings, is the answer for {glue:text}`saved-no` of {glue:text}`saved-count`.
#
# Of the B-VAE of top pairs the answer hangs on what is added to the width of a code: {glue:text}`saved-vae` ({doc}`top_vae` has the two readings).  What makes its
# events differ from those that trained it is what gives them away.
#
# A *no* is no verdict on a histogram: a generator may have one observable after the other nearly right and still give itself away in every event, by a mass shell that
# is not sharp, a momentum that is not balanced, or a number of a lepton that is not there and is not quite zero either.  Weights cannot move an event onto the shell.  Of events that lie
# everywhere a little beside the truth none is left.

# %% tags=["hide-input"]
report.show_table(
    "saved-table",
    "What scores tell of weights, and what $r$ observables then have: means over trainings, whose number stands behind the scale, with their standard error, of a single one over its events; measured is the median over observables and their central 68%",
    ["generator", "scale", "AUC", "r told", "truth out of reach", "r measured", "can weights save it?"],
    [
        [
            f"{one.group}: {one.name}",
            f"{one.scale}, {len(one.each)}",
            area(one),
            one.told,
            share(one.over(lambda told: told.lost)),
            one.measured,
            one.answer,
        ]
        for one in saved
    ],
)  # fmt: skip

# %% [markdown]
# ## Ask it of yours
#
# The same question of any two samples is one call.  It trains a classifier on half of each, and says what its weights do to the
# other half; `weights` gives those of further events.  Here the generator is a camel back whose humps are too wide.

# %%
rng = np.random.default_rng(1)
made, true = amplib.CamelBack(width=1.2).sample(20_000, rng), amplib.CamelBack().sample(20_000, rng)
answer = amplib.reweight(made, held_out=true, observables=lambda x: np.hstack([x, x**2, abs(x)]))
print(answer)

# %% tags=["nbval-check-output", "remove-cell"]
for one in saved:
    print(one.name, len(one.each), one.told, one.measured, one.answer, sep=" | ")
