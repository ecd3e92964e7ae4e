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
# The GAN of {cite}`butter2020`, sec. 2.  The diagram is drawn from the modules that train: change
# the code and the figure changes with it.

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
from scipy.stats import binomtest, fisher_exact

from amplib.book import report
from amplib.book.obtain import obtain, stored
from amplib.estimate import LEVEL, Share, enumerated
from amplib.metrics.amplification import QUANTILES, ratio, shared
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
#   + \frac{\gamma}{2} \left[ \left\langle (1 - D(x))^2\, |\nabla_x \ell(x)|^2 \right\rangle
#   + \left\langle D(G)^2\, |\nabla_x \ell(G)|^2 \right\rangle \right] ,
# $$ (eq-loss)
#
# where $G$ is a generated point and $\ell$ the logit of $D$, what the sigmoid is applied to.
#
# ## What the paper leaves open
#
# | question | our reading (default) | option |
# |---|---|---|
# | generator loss | `non-saturating`, $-\log D(G)$ | `saturating` |
# | the penalty's gradient passes through | `batch`: $x$ and $B$, all that the discriminator sees, as automatic differentiation gives when $B$ is built from the same tensor | `x`, with $B$ held fixed: $x$ is the data point, $B$ its context |
# | noise on the real points is added | `before` $B$ is built, so that $x$ is one of its columns | `after`, to $x$ alone |
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
# where the truth has next to nothing, and the discriminator learns at once to tell it from the sample.  By epoch
# {glue:text}`through-first` it has won in {glue:text}`through-early` of our default's trainings at full length: its cross
# entropy is nothing, and what the loss still hands to either network is too
# little for Adam to act on.  The regulariser does not help, as it weighs each point by how wrong the
# discriminator is about it.  Most trainings leave this state, some late: {glue:text}`through-late` were in it after
# {glue:text}`escape-epochs` epochs, and the last that left was seen in it at epoch {glue:text}`through-last`.  Per 1000
# epochs that are spent in it {glue:text}`through-rates` leave, in turn, {glue:text}`through-spans` (68% intervals).  A training
# that never leaves has failed, and its events are one point; {numref}`network-full` says how many have.
#
# The first paper shows a hundred trainings and does not mention failures; the second speaks of
# instabilities that ensembles are to alleviate.  Do other readings of the text fail less?  We trained
# {glue:text}`escape-tried` of {glue:text}`escape-all` readings on the same samples, from the same seeds, at the
# paper's settings for the first {glue:text}`escape-epochs` of its 10,000 epochs.  {numref}`network-escape` shows in how many the discriminator has won,
# {numref}`network-readings` the same in numbers, with the rate of leaving that state and, sample by sample, the
# probability of a difference as large as the one to the reading in brackets, of which a row differs in one thing.

# %% tags=["hide-input"]
from amplib.store.results import Result
from amplib.studies.camel.escape import (
    EMBRYONIC,
    EPOCHS,
    READINGS,
    escape,
    last_won,
    mcnemar,
    paired_p_value,
    rate_of_leaving,
    reading,
    states,
    worth_at_end,
)
from amplib.studies.camel.figures import escape_panels

THROUGH, FIXED = "gradient through B", "gradient in x"
WIDER = ("through B, Xavier's initialisation", "through B, He's initialisation")
escapes = {}
for name in READINGS:
    try:
        escapes[name] = escape(name)
    except FileNotFoundError:  # not trained yet: named below
        if name in (THROUGH, FIXED, *WIDER):  # which the text is about
            raise
default = {THROUGH: escapes[THROUGH]}
fixed, through = ({n: e for n, e in escapes.items() if n.startswith(w)} for w in (FIXED, "through"))
full = {name: stored("gan", "paper", **READINGS[name]) for name in (THROUGH, FIXED)}
last = last_won(full[THROUGH])
left = last[last < full[THROUGH].study.epochs]
epochs, won = states(full[THROUGH])
spans = list(pairwise((EMBRYONIC, 500, EPOCHS, 4000, int(epochs[-1]))))


def rate(found):
    """Of leaving, with its interval."""
    return "{:.2f} ({:.2f} to {:.2f})".format(*found) if np.isfinite(found[0]) else "--"


report.tell(
    **{
        "through-first": EMBRYONIC,
        "through-early": Share(int(won[:, epochs == EMBRYONIC].sum()), len(won)),
        "through-late": int((last > EPOCHS).sum()),
        "through-last": f"{left.max():,.0f}",
        "through-rates": enumerated(rate(rate_of_leaving(epochs, won, *span)) for span in spans),
        "through-spans": enumerated(f"from {a:,} to {b:,}" for a, b in spans),
        "escape-epochs": f"{EPOCHS:,}",
        "escape-tried": len(escapes),
        "escape-all": len(READINGS),
    }
)
report.origin("network-escape", *(Result(reading(name), "paper") for name in escapes))

# %% mystnb={"figure": {"name": "network-escape", "caption": "Share of the trainings in which the discriminator has won (cross entropy below 0.05), against the epoch, for the readings trained so far (number of trainings in brackets; band: 68% interval of the first, our default). Left: the default and readings with the batch held fixed. Right: the default and the other choices, with the gradient through the batch. A state is that of the last record, a few epochs before.\n\n{glue:text}`network-escape-origin`"}, "image": {"alt": "Share of trainings in which the discriminator has won against epochs, a curve a reading"}} tags=["hide-input"]
escape_panels(
    {"default, and B held fixed": default | fixed, "gradient through B": default | through}
)
plt.show()


# %% tags=["remove-input"]
def reference(name):
    """The reading of which this one differs in one thing."""
    return FIXED if name.startswith(f"{FIXED},") else THROUGH


def p_value(name):
    """Of the difference to its reference; none of a reading to itself."""
    if name == THROUGH or reference(name) not in escapes:
        return "--"
    p = paired_p_value(escapes[name], escapes[reference(name)], EPOCHS)
    return f"{p:.2g} ({reference(name)})"


report.show_table(
    "network-readings",
    "Trainings in which the discriminator has won, the rate of leaving that state per 1000 epochs, the "
    "exact p-value of the difference to another reading on shared samples, and what the training in "
    f"the middle of those that stop at {EPOCHS} epochs is worth at 10 quantiles (68% intervals)",
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
comparisons = len(escapes) - 1
p_all = min(1.0, p * comparisons)
told_apart = [
    f"*{name}*"
    for name in escapes
    if name not in (THROUGH, FIXED)
    and paired_p_value(escapes[name], escapes[reference(name)], EPOCHS) * comparisons < 1 - LEVEL
]
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
        "escape-others": enumerated(told_apart) + " can be told"
        if told_apart
        else "none can be told",
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
# of failures is said of a reading that was chosen for failing less.  Of the other choices, after as many comparisons,
# {glue:text}`escape-others` from the reading that each differs from in one thing.
#
# The initialisation matters in another way.  With Xavier's and with He's, which keep or double the variance
# through a layer with dropout, the discriminator was seen to have won in {glue:text}`escape-seen-wider`
# trainings, with the default in {glue:text}`escape-seen`.  But they start the
# generator as a broad lump, Xavier's over both humps and He's far beyond them, and the discriminator is too noisy to
# shape it: the training in the middle is worth {glue:text}`escape-worth-wider` points by then, against
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
    rows.append([f"{name}, shared", "mean", f"none of {count}", *map(those.n_equiv, QUANTILES)])
rows.append(["of these two", "ratio", "--", *map(over_fixed, QUANTILES)])
every = shared(*(curves[name].asymptote for name in (THROUGH, FIXED)))
for name, those in zip((THROUGH, FIXED), every, strict=True):
    middle = map(those.median_n_equiv, QUANTILES)
    rows.append([f"{name}, shared, all", "median", "--", *middle])
table = [[c.failures.k, c.failures.n - c.failures.k] for c in curves.values()]
p_full = float(fisher_exact(table).pvalue)
common = np.intersect1d(curves[THROUGH].index, curves[FIXED].index)
lost = {name: (c.failed > 0)[np.isin(c.index, common)] for name, c in curves.items()}
p_paired = mcnemar(lost[THROUGH], lost[FIXED])
finest = QUANTILES[-1]
wins = int((every[0].mse(finest) < every[1].mse(finest)).sum())
mse = np.sort(good[FIXED].mse(finest))
report.tell(
    **{
        "full-through": curves[THROUGH].failures,
        "full-fixed": curves[FIXED].failures,
        "full-p": f"{p_full:.2g}",
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
    "worth, in points: medians with 68% intervals, means with standard errors; shared are the samples on which neither reading failed",
    ["trainings", "worth", "failed", *(f"{q} quantiles" for q in QUANTILES)],
    rows,
)

# %% [markdown]
# **At full length** {numref}`network-full` has {glue:text}`full-count` trainings of the default and
# {glue:text}`full-fixed-count` with the batch held fixed.  By the rule of {numref}`amplify-fig2`
# {glue:text}`full-through` failed with the gradient through the batch and {glue:text}`full-fixed` with the batch held
# fixed ($p$ = {glue:text}`full-p`, Fisher's exact test); of the {glue:text}`full-common` samples that both were trained on,
# {glue:text}`full-lost` ($p$ = {glue:text}`full-p-paired`, paired), {glue:text}`full-word`.  The training in the middle has an
# amplification factor of {glue:text}`full-median` and of {glue:text}`full-fixed-median` at {glue:text}`full-finest`
# quantiles, over different samples; on those of the latter the default's has {glue:text}`full-same-median`, and is closer to the truth on
# {glue:text}`full-closer` of them ($p$ = {glue:text}`full-p-closer`, sign test).  A mean hangs on single trainings: with the batch held fixed it is {glue:text}`full-fixed-mean` without the
# failed, of whose summed error one training has {glue:text}`full-fixed-worst`; without that one it would be
# {glue:text}`full-fixed-without`.
#
# Of the {glue:text}`full-shared` samples on which neither reading failed, the default's trainings are worth
# {glue:text}`full-ratio` times the other's at {glue:text}`full-quantiles` quantiles: {glue:text}`full-word-ratio`.
# How many trainings are lost and what the others are worth are two questions, and one reading need not be the better
# one in both.

# %% [markdown]
# ## The aggregation
#
# The paper finds its network largely independent of the aggregation function, with the standard
# deviation slightly ahead.  {numref}`aggregation-table` repeats this on the laptop's schedule, with the
# same {glue:text}`aggregation-samples` samples for each.  Compared with the standard deviation, at
# {glue:text}`full-finest` quantiles and by the 95% interval of the ratio, what the others are worth is:
# {glue:text}`aggregation-words`.

# %% tags=["remove-input"]
standard = gan_curve(obtain("gan", "laptop")).asymptote
rows, words = [], []
for name in OTHERS:
    another = obtain("gan", "laptop", aggregation=name, repetitions=COMPARED)
    other, same = shared(gan_curve(another).asymptote, standard)
    if not rows:
        rows.append(["std", *map(same.n_equiv, QUANTILES), "1"])
    rows.append([name, *map(other.n_equiv, QUANTILES), ratio(other, same)(QUANTILES[-1])])
    words.append(f"of the {name} " + report.in_words(ratio(other, same), QUANTILES[-1:]))
report.tell(
    **{"aggregation-samples": len(same.index), "aggregation-words": "; ".join(words)},
)
report.show_table(
    "aggregation-table",
    "N_equiv by aggregation, and its ratio to the standard deviation's on the same samples",
    ["F", *(f"{q} quantiles" for q in QUANTILES), f"ratio at {QUANTILES[-1]}"],
    rows,
)
