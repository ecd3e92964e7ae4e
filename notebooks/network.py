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
# # The network
#
# The network of the GAN of {cite}`butter2020`, sec. 2, is described in its paper, but not in all things.  Do the readings
# that it leaves open decide how many trainings fail?
#
# One of them may, where the gradient of the penalty passes: after {glue:text}`escape-epochs` epochs
# {glue:text}`escape-batch` trainings have not left their start if it passes through the batch, as by default here, and
# {glue:text}`escape-x` if the batch is held fixed, {glue:text}`escape-word`; at full length {glue:text}`full-through` and
# {glue:text}`full-fixed` failed, {glue:text}`full-word`.  After correction for {glue:text}`escape-comparisons` comparisons
# {glue:text}`escape-others` ({numref}`network-readings` and {numref}`network-full`).
#
# The diagram is drawn from the modules that train: change the code and the figure changes with it.

# %% tags=["parameters"]
preset = "best"
aggregation = None
width = None
depth = None

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(globals(), "preset", study="gan")

# %% tags=["hide-input"]
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.stats import binomtest, fisher_exact, mannwhitneyu

from amplib.book import report
from amplib.book.obtain import obtain, stored
from amplib.estimate import LEVEL, Share, enumerated
from amplib.metrics.amplification import QUANTILES, Repetitions, ratio, shared
from amplib.metrics.quantiles import n_equiv
from amplib.models.gan import Discriminator, Generator
from amplib.studies.camel.claims import COMPARED, OTHERS
from amplib.studies.camel.diagram import draw_gan
from amplib.studies.camel.reading import gan_curve

config = stored("gan", **given).study
seeds = [torch.Generator().manual_seed(0)]
generator, discriminator = Generator(config, seeds), Discriminator(config, seeds)


def size(module):
    """Trainable numbers of a module."""
    return f"{sum(p.numel() for p in module.parameters()):,}"


report.tell(
    **{
        "size-generator": size(generator),
        "size-discriminator": size(discriminator),
        "size-embedding": size(discriminator.embedding),
    }
)

# %% mystnb={"figure": {"name": "amplify-fig3", "caption": "Diagram of the GAN, drawn from the live modules: a generator of {glue:text}`size-generator` parameters and a discriminator of {glue:text}`size-discriminator`, {glue:text}`size-embedding` of them in the embedding.\n\nAgain: make figure ID=amplify-fig3"}, "image": {"alt": "Diagram of generator, embedding, aggregation and discriminator"}} tags=["hide-input"]
draw_gan(generator, discriminator)
plt.show()

# %% [markdown]
# **The generator** turns uniform random numbers into events.  Its dropout stays on when events are
# generated: part of the randomness of an event is which half of each layer made it.
#
# **The discriminator** sees more than a point.  To keep the generator from collapsing onto one
# hump, it is given the whole batch $B$ that the point $x$ came from, all real or all generated,
# through the differences $B - x$.  An embedding $\Phi$ is applied to every difference and an
# aggregation $F$ makes one vector of them, so that the order of the batch cannot matter:
#
# $$
# D(x, B) = \sigma\!\left[f\bigl(x,\; F(\Phi(B - x))\bigr)\right] .
# $$ (eq-deepsets)
#
# Here $f$ is the main network, of which $\sigma$, the sigmoid, makes a probability.
#
# **The loss** is the standard one with the regulariser of Roth et al. {cite}`roth2017` at
# $\gamma = 0.01$,
#
# $$
# L_D = \left\langle -\log D(x) \right\rangle + \left\langle -\log(1 - D(G)) \right\rangle
#   + \frac{\gamma}{2} \left[ \left\langle (1 - D(x))^2\, |\nabla \ell(x, B)|^2 \right\rangle
#   + \left\langle D(G)^2\, |\nabla \ell(G, B)|^2 \right\rangle \right] ,
# $$ (eq-loss)
#
# where $G$ is a generated point, $D(x)$ is short for $D(x, B)$, and the logit $\ell(x, B) = f(x, F(\Phi(B - x)))$ is what
# the sigmoid is applied to.  By default $\nabla$ differentiates through both arguments: at the point $x_i$ of a batch it is
# $\partial / \partial x_i$ of the sum $\sum_j \ell(x_j, B)$, which $x_i$ enters as a point and as a column of $B$.  The other
# reading holds $B$ fixed and is $\partial \ell(x_i, B) / \partial x_i$.
#
# ## What the paper leaves open
#
# | question | our reading (default) | option |
# |---|---|---|
# | generator loss | `non-saturating`, $-\log D(G)$ | `saturating`; not among the readings below |
# | the penalty's gradient passes through | `batch`: $x$ and $B$, all that the discriminator sees, as automatic differentiation gives when $B$ is built from the same tensor | `x`, with $B$ held fixed: $x$ is the data point, $B$ its context |
# | noise on the real points is added | `before` $B$ is built, so that $x$ is one of its columns | `after`, to $x$ alone; a gradient through `batch` then passes through $B$ for generated points alone, as the real points' $B$ is no function of them |
# | the penalty's factor | $\gamma/2$, as Roth et al. write it | $\gamma$: `penalty` of 0.02 |
# | standard deviation over the batch | `std`, unbiased; $10^{-8}$ is added to the variance, whose root has no gradient where all embeddings coincide | `biased-std`; `std_floor` |
# | the discriminator's update | `joint`, on real and generated points | `separate`, on one after the other |
# | initialisation | PyTorch's `default` for linear layers | `xavier`, `he` |
#
# Each is a parameter of the study and of this book's notebooks.
#
# ## Which trainings leave their start
#
# Nearly every training begins alike.  By PyTorch's initialisation the generator makes a point between the humps,
# where the truth has next to nothing, and the discriminator learns at once to tell it from the sample: by epoch
# {glue:text}`through-first` it has won in {glue:text}`through-early` of our default's trainings in
# {numref}`network-escape`.
#
# Then the discriminator stands still.  Its gradient is of the order of its cross entropy, which is nothing
# ({glue:text}`through-entropy`, the median of the {glue:text}`through-inside` trainings at full length that are in the state at epoch
# {glue:text}`escape-epochs`), and too little for Adam to act on.  The regulariser does not
# help, as it weighs each point by how wrong the discriminator is about it.  The generator's gradient does not vanish: of
# its loss, $-\log D(G)$, the derivative in the logit is $-(1 - D(G))$, which is $-1$ where $D$ has won, and the loss is
# {glue:text}`through-loss`.  It is its direction that leads nowhere.  The
# discriminator sees a batch.  The frozen discriminator's logit first falls as the generated batch widens and rises only near the
# width of a real batch, so that a narrow batch is driven narrower.  (So it is in a training that never leaves, which a test of the code repeats.)
#
# Most trainings leave this state, some late: {glue:text}`through-late` were seen in it after
# {glue:text}`escape-epochs` epochs ({glue:text}`through-exactly`), and the last that left at epoch {glue:text}`through-last`.  The
# rate of leaving for good, per training and 1000 epochs in this state, is {glue:text}`through-rates` (68% intervals).  A training
# that never leaves has failed, and its events are one point; {numref}`network-full` says how many have.  The state is
# judged by the losses of a single minibatch, the last of an epoch, so that a training may seem to be out of it
# and come back; a training is in it from the first time that it is seen there to the last.
#
# The first paper derives the uncertainty of its GAN from a hundred trainings and does not mention failures; the second speaks of
# instabilities that ensembles are to alleviate.  Do other readings of the text fail less?  We trained
# {glue:text}`escape-tried` of {glue:text}`escape-all` readings on the same samples, from the same seeds, at the
# paper's settings for the first {glue:text}`escape-epochs` of its 10,000 epochs.  {numref}`network-escape` shows in how many the discriminator has won,
# {numref}`network-readings` the same in numbers, with the rate of leaving that state and the
# paired p-value against the reading in brackets, which differs in one choice unless marked.

# %% tags=["hide-input"]
from amplib.store.results import Result
from amplib.studies.camel.escape import (
    EMBRYONIC,
    EPOCHS,
    GRID,
    READINGS,
    TWO_THINGS,
    epochs_of_leaving,
    escape,
    mcnemar,
    median_entropies,
    paired_p_value,
    rate_of_leaving,
    reading,
    states,
    worth_at_end,
)
from amplib.studies.camel.figures import escape_panel
from amplib.studies.camel.study import CELLS, TRAININGS

THROUGH, FIXED = "gradient through B", "gradient in x"
WIDER = ("through B, Xavier's initialisation", "through B, He's initialisation")
escapes = {}
for name in READINGS:
    try:
        escapes[name] = escape(name)
    except FileNotFoundError:  # not trained yet: named below
        if name in (THROUGH, FIXED, *WIDER):  # which the text is about
            raise
full = {name: stored("gan", "paper", **READINGS[name]) for name in (THROUGH, FIXED)}
last = epochs_of_leaving(full[THROUGH])
left = last[last < full[THROUGH].study.epochs]
epochs, won = states(full[THROUGH])
spans = list(pairwise((EMBRYONIC, 500, EPOCHS, 4000, int(epochs[-1]))))
stuck = [
    part["losses"][epochs == EPOCHS][0]
    for part, inside in zip(full[THROUGH].load().values(), won[:, epochs == EPOCHS], strict=True)
    if inside
]


def rate(found):
    """Of leaving, with its interval."""
    return "{:.2f} ({:.2f} to {:.2f})".format(*found) if np.isfinite(found[0]) else "--"


report.tell(
    **{
        "through-first": EMBRYONIC,
        "through-early": escapes[THROUGH].share(EMBRYONIC),
        "through-inside": len(stuck),
        "through-entropy": f"{np.median(stuck, axis=0)[1]:.0e}",
        "through-loss": f"{np.median(stuck, axis=0)[3]:.0f}",
        "through-late": int((last > EPOCHS).sum()),
        "through-last": f"{left.max():,.0f}",
        "through-exactly": f"{exactly} of the {len(stuck)} for the last time at that epoch"
        if (exactly := int((last == EPOCHS).sum()))
        else f"all of the {len(stuck)}",
        "through-rates": enumerated(
            f"{rate(rate_of_leaving(epochs, won, a, b))} at epochs {a:,} to {b:,}" for a, b in spans
        ),
        "escape-epochs": f"{EPOCHS:,}",
        "escape-tried": len(escapes),
        "escape-all": len(READINGS),
    }
)
report.origin("network-escape", *(Result(reading(name), "paper") for name in escapes))


# %% tags=["remove-input"]
def reference(name):
    """The reading of which this one differs in one thing."""
    return FIXED if name.startswith(f"{FIXED},") else THROUGH


def p_value(name):
    """Of the difference to its reference; none of a reading to itself."""
    if name == THROUGH or reference(name) not in escapes:
        return "--"
    p = paired_p_value(escapes[name], escapes[reference(name)], EPOCHS)
    return f"{p:.2g} ({reference(name)}{', in two things' * (name == TWO_THINGS)})"


comparisons = len(escapes) - 1
told_apart = [
    name
    for name in escapes
    if name not in (THROUGH, FIXED, TWO_THINGS)
    and paired_p_value(escapes[name], escapes[reference(name)], EPOCHS) * comparisons < 1 - LEVEL
]


# %% mystnb={"figure": {"name": "network-escape", "caption": "Share of the trainings in which the discriminator has won (cross entropy of the last minibatch below 0.05), against the epoch, by reading (number of trainings in brackets; band: 68% interval of the first, our default). Colour: the readings that the text is about, which need not differ significantly from their reference. Grey: the others, of which none does ({numref}`network-readings`). A state is that of the last record, a few epochs before.\n\n{glue:text}`network-escape-origin`"}, "image": {"alt": "Share of trainings in which the discriminator has won against epochs, a curve a reading"}} tags=["hide-input"]
shown = [THROUGH, FIXED, *WIDER, *told_apart]
escape_panel(
    {name: escapes[name] for name in shown},
    {name: e for name, e in escapes.items() if name not in shown},
)
plt.show()

# %% tags=["remove-input"]
report.show_table(
    "network-readings",
    "Trainings in which the discriminator has won, the rate of leaving that state per 1000 epochs, the "
    "exact p-value of the difference to another reading on shared samples, and what the median training "
    f"of those that stop at {EPOCHS} epochs is worth at 10 quantiles (68% intervals)",
    ["reading", "at 500", "at 1000", f"at {EPOCHS}", "rate of leaving", f"p at {EPOCHS}", "worth"],
    [
        [
            name,
            *(e.share(epoch) for epoch in (500, 1000, EPOCHS)),
            rate(e.hazard()),
            p_value(name),
            "{}, of {}".format(worth_at_end(name, 10), len(Result(reading(name), "paper").done())),
        ]
        for name, e in escapes.items()
    ],
)

# %% tags=["remove-input"]
through_b, in_x = escapes[THROUGH], escapes[FIXED]
p = paired_p_value(through_b, in_x, EPOCHS)
p_all = min(1.0, p * comparisons)
p_two = paired_p_value(escapes[TWO_THINGS], through_b, EPOCHS) if TWO_THINGS in escapes else 1.0
entropies = {name: median_entropies(name)[np.isin(GRID, (500, 1000, EPOCHS))] for name in WIDER}
report.tell(
    **{
        "escape-x": in_x.share(EPOCHS),
        "escape-batch": through_b.share(EPOCHS),
        "escape-rate-x": rate(in_x.hazard()),
        "escape-rate-batch": rate(through_b.hazard()),
        "escape-p": f"{p:.2g}",
        "escape-p-all": f"{p_all:.2g}",
        "escape-word": "more than chance makes" if p_all < 1 - LEVEL else "which chance may make",
        "escape-sooner": "sooner" if through_b.hazard()[0] > in_x.hazard()[0] else "later",
        "escape-comparisons": comparisons,
        "escape-worth": worth_at_end(THROUGH, 10),
        "escape-worth-wider": " and ".join(str(worth_at_end(name, 10)) for name in WIDER),
        "escape-seen-wider": " and ".join(
            f"{int(escapes[name].won.any(1).sum())} of {len(escapes[name].won)}" for name in WIDER
        ),
        "escape-others": "also differ significantly from their reference: "
        + enumerated(f'"{name}"' for name in told_apart)
        if told_apart
        else "no other single choice differs significantly from its reference",
        "escape-two": f"{p_two:.2g}",
        "escape-two-word": "also after" if p_two * comparisons < 1 - LEVEL else "but not after",
        "escape-entropy-xavier": enumerated(f"{e:.2f}" for e in entropies[WIDER[0]]),
        "escape-entropy-he": enumerated(f"{e:.2f}" for e in entropies[WIDER[1]]),
        "escape-seen": f"{int(through_b.won.any(1).sum())} of {len(through_b.won)}",
    }
)

# %% [markdown]
# **What we find.**  With the gradient through the batch trainings leave {glue:text}`escape-sooner`: the rate
# is {glue:text}`escape-rate-batch` per 1000 epochs, against {glue:text}`escape-rate-x` with $B$ held fixed (68%
# intervals).  After {glue:text}`escape-epochs` epochs {glue:text}`escape-batch` and {glue:text}`escape-x` of the same
# samples and seeds are in the state, {glue:text}`escape-word` ($p$ = {glue:text}`escape-p`;
# {glue:text}`escape-p-all` after {glue:text}`escape-comparisons` comparisons).  Passing the gradient through the whole
# input of the discriminator, the point and its batch, is what differentiating the module gives, and reads the paper
# no less literally.  We made it the default, of all other pages too, with these numbers in view: what the book says
# of failures is said of a reading that was chosen for failing less.  After correction for {glue:text}`escape-comparisons`
# comparisons {glue:text}`escape-others`.  Noise after $B$ with the gradient
# through it differs from the default in two: where the noise comes in, and that the penalty's gradient no longer
# passes through the real points' $B$.  More trainings are in the state ($p$ = {glue:text}`escape-two` uncorrected,
# {glue:text}`escape-two-word` as many comparisons), which agrees with what the gradient's path does, and says nothing of the noise: with $B$ held fixed, where noise after $B$ is one thing, it
# makes no difference that we see.
#
# The initialisation matters in another way.  With Xavier's and with He's, which keep or double the variance
# through a layer with dropout, the discriminator was seen to have won in {glue:text}`escape-seen-wider`
# trainings, with the default in {glue:text}`escape-seen`.  But they start the
# generator as one broad lump, Xavier's between the humps and He's far beyond both.  At 500, 1000 and
# {glue:text}`escape-epochs` epochs the median cross entropy is {glue:text}`escape-entropy-he` with He's: the
# discriminator is too noisy to do better than guessing (1.39), let alone to shape anything.  With Xavier's it is
# {glue:text}`escape-entropy-xavier`: the discriminator is on its way to win, as with the default it has by epoch
# {glue:text}`through-first`.  The median training is worth
# {glue:text}`escape-worth-wider` points by then, against
# {glue:text}`escape-worth`.  They put off the question, and what becomes of them later is not measured.

# %% tags=["remove-input"]
curves = {name: gan_curve(result) for name, result in full.items()}
good = {name: curve.converged.asymptote for name, curve in curves.items()}
rows = []
for name, curve in curves.items():
    middle, mean = curve.asymptote.median_n_equiv, good[name].n_equiv
    count = len(good[name].index)
    rows.append([f"{name}, all", "median", curve.failures, *map(middle, QUANTILES)])
    rows.append([f"{name}, not failed", "mean", f"none of {count}", *map(mean, QUANTILES)])
same = shared(good[THROUGH], good[FIXED])
over_fixed = ratio(*same)
for name, those in zip((THROUGH, FIXED), same, strict=True):
    count = len(those.index)
    if count == len(good[name].index):
        continue  # the same samples as above
    rows.append(
        [
            f"{name}, samples on which neither failed",
            "mean",
            f"none of {count}",
            *map(those.n_equiv, QUANTILES),
        ]
    )
rows.append(
    [
        "ratio of the two readings, samples on which neither failed",
        "ratio",
        "--",
        *map(over_fixed, QUANTILES),
    ]
)
common = np.intersect1d(curves[THROUGH].index, curves[FIXED].index)
lost = {name: (c.failed > 0)[np.isin(c.index, common)] for name, c in curves.items()}
every = shared(*(curves[name].asymptote for name in (THROUGH, FIXED)))
for name, those in zip((THROUGH, FIXED), every, strict=True):
    if len(common) == len(curves[name].index):
        continue
    middle = map(those.median_n_equiv, QUANTILES)
    failures = Share(int(lost[name].sum()), len(common))
    rows.append([f"{name}, all common samples", "median", failures, *middle])
unseen = curves[THROUGH].failed[curves[THROUGH].index >= TRAININGS] > 0
fresh = Share(int(unseen.sum()), len(unseen))
table = [[s.k, s.n - s.k] for s in (fresh, curves[FIXED].failures)]
p_full = float(fisher_exact(table).pvalue)
low_rate, high_rate = fresh.interval()
p_paired = mcnemar(lost[THROUGH], lost[FIXED])
finest = QUANTILES[-1]
wins = int((every[0].mse(finest) < every[1].mse(finest)).sum())
mse = np.sort(good[FIXED].mse(finest))
left_fixed = epochs_of_leaving(full[FIXED])
worst = int(good[FIXED].index[good[FIXED].mse(finest).argmax()])
report.tell(
    **{
        "full-through": curves[THROUGH].failures,
        "full-fixed": curves[FIXED].failures,
        "full-p": f"{p_full:.2g}",
        "full-fresh": f"{fresh.k} ({100 * low_rate:.0f} to {100 * high_rate:.0f}%)",
        "full-fresh-count": fresh.n,
        "full-fixed-left": f"{left_fixed[full[FIXED].done().index((worst, 0))]:,.0f}",
        "full-epochs": f"{full[FIXED].study.epochs:,}",
        "full-count": curves[THROUGH].failures.n,
        "full-fixed-count": curves[FIXED].failures.n,
        "full-common": len(common),
        "full-lost": " and ".join(str(lost[name].sum()) for name in (THROUGH, FIXED)),
        "full-p-paired": f"{p_paired:.2g}",
        "full-word": "which tells the readings apart"
        if max(p_full, p_paired) < 1 - LEVEL
        else "no more than a hint"
        if min(p_full, p_paired) < 1 - LEVEL
        else "which does not tell the readings apart",
        "full-median": curves[THROUGH].asymptote.median_amplification(finest),
        "full-fixed-median": curves[FIXED].asymptote.median_amplification(finest),
        "full-same-median": every[0].median_amplification(finest),
        "full-closer": f"{wins} of {len(every[0].index)}",
        "full-p-closer": f"{binomtest(wins, len(every[0].index)).pvalue:.2g}",
        "full-fixed-mean": good[FIXED].amplification(finest),
        "full-fixed-worst": f"{mse[-1] / mse.sum():.0%}",
        "full-fixed-without": n_equiv(mse[:-1], finest).scaled(1 / good[FIXED].n_train),
        "full-shared": len(same[0].index),
        "full-ratio": report.each(over_fixed, QUANTILES),
        "full-word-ratio": report.in_words(over_fixed, QUANTILES),
        "full-quantiles": enumerated(QUANTILES),
        "full-finest": finest,
    }
)
report.show_table(
    "network-full",
    "Trainings of all 10,000 epochs: those that failed, with the 68% interval of the rate, and what they are "
    "worth, in points: medians with 68% intervals, means with standard errors; a row whose samples are those of one above "
    "is left out",
    ["trainings", "worth", "failed", *(f"{q} quantiles" for q in QUANTILES)],
    rows,
)

# %% tags=["remove-input"]
default = good[THROUGH]
left_at = last[np.isin(curves[THROUGH].index, default.index)]
leaving = {}
for low, high in [(0, spans[0][1]), *spans[1:]]:
    those = (low < left_at) & (left_at <= high) if low else left_at <= high
    if those.any():
        leaving[f"{low:,} to {high:,}"] = Repetitions(
            default.cells[those], default.n_train, default.index[those]
        )
early, *_, latest = leaving.values()
poorest = latest.mse(finest).argmax()
between = latest.cells[poorest, CELLS // 2 - 1 : CELLS // 2 + 1].sum()
report.tell(
    **{
        "leaving-early": report.each(early.n_equiv, QUANTILES),
        "leaving-late": report.each(latest.n_equiv, QUANTILES),
        "leaving-count": len(latest.index),
        "leaving-worst": f"{latest.mse(finest).max() / latest.mse(finest).sum():.0%}",
        "leaving-between": f"{between / latest.cells[poorest].sum():.0%}",
        "leaving-truth-between": f"{2 / CELLS:.0%}",
        "leaving-worst-left": f"{left_at[default.index == latest.index[poorest]][0]:,.0f}",
        "leaving-p": f"{mannwhitneyu(latest.mse(finest), early.mse(finest)).pvalue:.2g}",
    }
)
report.show_table(
    "network-leaving",
    "The default's trainings that did not fail, by the last epoch at which the discriminator was seen to have won "
    "(0 if never): what they are worth, in points, means with standard errors",
    ["last seen to have won", "trainings", *(f"{q} quantiles" for q in QUANTILES)],
    [[span, len(those.index), *map(those.n_equiv, QUANTILES)] for span, those in leaving.items()],
)

# %% [markdown]
# **At full length** {numref}`network-full` has {glue:text}`full-count` trainings of the default and
# {glue:text}`full-fixed-count` with the batch held fixed.  By the rule of {numref}`amplify-fig2`
# {glue:text}`full-through` failed with the gradient through the batch and {glue:text}`full-fixed` with the batch held
# fixed.  On the {glue:text}`full-fresh-count` samples not used to choose the default, {glue:text}`full-fresh` of its
# trainings failed ($p$ = {glue:text}`full-p`
# against the other reading, Fisher's exact test); of the {glue:text}`full-common` samples that both were trained on,
# {glue:text}`full-lost` ($p$ = {glue:text}`full-p-paired`, paired), {glue:text}`full-word`.  At {glue:text}`full-finest` quantiles the
# median factor is {glue:text}`full-median` (default, {glue:text}`full-count` samples) and {glue:text}`full-fixed-median` ($B$ fixed,
# {glue:text}`full-fixed-count`); on the {glue:text}`full-common` common ones the default reaches {glue:text}`full-same-median`, and is closer to the truth on
# {glue:text}`full-closer` of them ($p$ = {glue:text}`full-p-closer`, sign test).  A mean depends on single trainings: with the batch held fixed it is {glue:text}`full-fixed-mean` without the
# failed, of whose summed error one training has {glue:text}`full-fixed-worst`: the discriminator was last seen to have won in it at epoch
# {glue:text}`full-fixed-left` of {glue:text}`full-epochs`, and what was left was too short.  Without that one it would be
# {glue:text}`full-fixed-without`.
#
# Of the {glue:text}`full-shared` samples on which neither reading failed, the default's trainings are worth
# {glue:text}`full-ratio` times the other's at {glue:text}`full-quantiles` quantiles: {glue:text}`full-word-ratio`.
#
# **How many trainings are lost and what the others are worth** are linked by the time of leaving.
# {numref}`network-leaving` has the default's trainings that did not fail by the last epoch at which the discriminator was seen to have won.  The
# {glue:text}`leaving-count` that left in the last span are worth {glue:text}`leaving-late` points, those of the first
# {glue:text}`leaving-early` ($p$ = {glue:text}`leaving-p` at {glue:text}`full-finest` quantiles, by ranks, Mann and
# Whitney's test), and one of them has {glue:text}`leaving-worst` of their summed error: in it {glue:text}`leaving-between` of the
# events lie in the two cells between the humps, where the truth has {glue:text}`leaving-truth-between`, and the discriminator was
# last seen to have won at epoch {glue:text}`leaving-worst-left` of {glue:text}`full-epochs`.  The rule for failures, fixed before any
# training was judged by it, does not call it failed.  A failed training is one that has not left by the last epoch, and whatever delays leaving moves both numbers.

# %% [markdown]
# ## The aggregation
#
# The paper finds its network largely independent of the aggregation function, with the standard
# deviation slightly ahead.  {numref}`aggregation-table` repeats this on the laptop's schedule, with the
# same {glue:text}`aggregation-samples` samples for each, which are too few to test a slight lead.  What another is
# worth over the standard deviation, at {glue:text}`full-finest` quantiles and by the 95% interval of the ratio, is
# {glue:text}`aggregation-words`.

# %% tags=["remove-input"]
standard = gan_curve(obtain("gan", "laptop")).asymptote
rows, words = [], {}
for name in OTHERS:
    another = obtain("gan", "laptop", aggregation=name, repetitions=COMPARED)
    other, same = shared(gan_curve(another).asymptote, standard)
    if not rows:
        rows.append(["std", *map(same.n_equiv, QUANTILES), "1"])
    rows.append([name, *map(other.n_equiv, QUANTILES), ratio(other, same)(QUANTILES[-1])])
    words[name] = report.beside_one(ratio(other, same)(QUANTILES[-1]))
report.tell(
    **{"aggregation-samples": len(same.index), "aggregation-words": report.by_word(words, "for")},
)
report.show_table(
    "aggregation-table",
    f"N_equiv by aggregation, and its ratio to the standard deviation's on the same {COMPARED} samples",
    ["F", *(f"{q} quantiles" for q in QUANTILES), f"ratio at {QUANTILES[-1]}"],
    rows,
)
