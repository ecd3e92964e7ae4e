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
# # What the sweeps say
#
# The amplification papers end on an open question: how does the improvement scale with the amount of training
# data?  They ask it of networks that refine or reweight, and themselves train GANs on 100 points and look at three
# resolutions.  And the second of them takes ten GANs for its ensembles, without saying
# why ten.
#
# In laptop trainings a GAN's factor scales with the size of the training sample $N$ as a power of {glue:text}`sweeps-gan` at
# {glue:text}`sweeps-middle` quantiles (95% interval), where 0 would say that each further point adds as much as the first ones and
# $-1$ that it adds nothing ({numref}`sweeps-grid`).  And
# {glue:text}`members-needed` GANs reach {glue:text}`members-enough` of the limit of many, at {glue:text}`members-shown` quantiles
# ({numref}`sweeps-members`).
#
# Both are questions for {ref}`sweeps <reproduce-sweeps>`, which are in `workflow/sweeps`; their tables are part of the book.

# %% tags=["parameters"]
preset = "best"

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(globals(), "preset")

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np

from amplib.book import report
from amplib.book.obtain import BEST, obtain, stored
from amplib.book.shipped import Shipped
from amplib.book.sliders import Slider, show_grid
from amplib.estimate import Estimate, Share
from amplib.studies.camel.reading import gan_curve, members_of
from amplib.studies.camel.sweeps import amplification_planes, members_panels, trend
from amplib.studies.catalogue import make_study
from amplib.style import with_minus

sweep, few = Shipped.read("amplification"), Shipped.read("members")
(scale,) = few.presets
largest = int(few.table.members.max())
shipped = given["preset"] == BEST
ensembles = (
    obtain("ensemble", scale, members=largest) if shipped else obtain("ensemble", given["preset"])
)

# %% tags=["remove-input"]
report.show_banner(ensembles)

# %% tags=["remove-cell"]
table = sweep.table
sizes, resolutions = (
    [*map(int, sorted(table[c].dropna().unique()))] for c in ("n_train", "quantiles")
)
members = table.drop_duplicates("n_train").set_index("n_train").members
trained = int(members.max())
assert len(set(members)) == 1, "the text has one number of GANs on each sample"
NUMBERS = {
    "GAN": "member-factors",
    f"ensemble of {trained}": "ensemble-factors",
    "fit": "fit-factors",
    "kernel": "loo-factors",
}


def factors(number):
    """Factors of an estimate, by size and resolution."""
    return {
        (n, int(q)): factor
        for n in sizes
        for q, factor in sweep.estimates(number, "quantiles", n_train=n).items()
    }


planes = {label: factors(number) for label, number in NUMBERS.items()}
laws = {label: {q: trend(plane, q) for q in resolutions} for label, plane in planes.items()}
trainings, fits = (
    {n: sweep.share(number, n_train=n) for n in sizes}
    for number in ("members-failed", "fits-failed")
)
samples = planes["GAN"][sizes[0], resolutions[0]].repetitions
middle = 50 if 50 in resolutions else resolutions[-1]


def exponent(label, q=middle):
    """Of a power law, with its 95% interval."""
    value, low, high = laws[label][q].exponent.interval()
    return with_minus(f"{value:.3f} ({low:.3f} to {high:.3f})")


def grown(plane):
    """By what a factor at the largest size grows from the coarsest to the finest resolution."""
    return plane[sizes[-1], resolutions[-1]].value / plane[sizes[-1], resolutions[0]].value


def expected(label, exponent, name):
    """At which resolutions an estimate's exponent agrees with the one to expect, by its 95% interval."""

    def word(low, high):
        if low <= exponent <= high:
            return f"agrees with {name}"
        return "lies above" if exponent < low else "lies below"

    words = {q: word(*law.exponent.interval()[1:]) for q, law in laws[label].items()}
    if len(set(words.values())) == 1:
        return f"the {label}'s {words[resolutions[0]]} at all numbers of quantiles"
    by_word = dict(sorted(words.items(), key=lambda found: found[1]))
    return f"the {label}'s {report.by_word(by_word, 'at')} quantiles"


def against_sample(factor):
    """What a factor says of keeping the sample."""
    _, low, high = factor.interval()
    if high < 1:
        return "one had better keep the sample"
    return "the GAN is worth more than its sample" if low > 1 else "compatible with one"


points = {n: planes["GAN"][n, middle].scaled(n) for n in sizes}
first, last = points[sizes[0]], points[sizes[-1]]
best = max(sizes, key=lambda n: points[n].value)
deviation = (points[best].value - last.value) / np.hypot(points[best].error, last.error)
relative = np.hypot(first.error / first.value, last.error / last.value)  # of other samples
gain = Estimate(last.value / first.value, last.value / first.value * relative)
gan = laws["GAN"][middle].exponent.interval()
paper = make_study("gan", "paper")
by_size = table.drop_duplicates("n_train").sort_values("n_train")
epochs = by_size.epochs.astype(int).tolist()
updates = {e * (n // paper.batch_size) for e, n in zip(epochs, sizes, strict=True)}
report.tell(
    **{
        "sweeps-sizes": ", ".join(f"{n:,}" for n in sizes),
        "sweeps-resolutions": ", ".join(map(str, resolutions)),
        "sweeps-samples": samples,
        "sweeps-trained": trained,
        "sweeps-growth": ", ".join(
            f"{grown(plane):.0f} times ({label})" for label, plane in planes.items()
        ),
        "sweeps-ends": f"{resolutions[0]} to {resolutions[-1]}",
        "sweeps-at": f"{sizes[-1]:,}",
        "sweeps-fits": int(planes["fit"][sizes[0], resolutions[0]].repetitions),
        "sweeps-middle": middle,
        "sweeps-gan": exponent("GAN"),
        "sweeps-ensemble": exponent(f"ensemble of {trained}"),
        "sweeps-fit": exponent("fit"),
        "sweeps-kernel": exponent("kernel"),
        "sweeps-failed": Share(
            sum(s.k for s in trainings.values()), sum(s.n for s in trainings.values())
        ),
        "sweeps-worth": ", ".join(f"{worth} on {n:,}" for n, worth in points.items()),
        "sweeps-gain": gain,
        "sweeps-best": "the most on the most of them"
        if best == sizes[-1]
        else f"the most on {best:,}, and less on {sizes[-1]:,}, by {deviation:.1f} standard errors (of a "
        "maximum that was chosen after the numbers were seen, so that this overstates it)",
        "sweeps-times": f"{sizes[-1] / sizes[0]:.0f}",
        "sweeps-expected": f"{expected('fit', 0.0, '0')}; {expected('kernel', -0.2, '−1/5')}",
        "sweeps-first-fit": planes["fit"][sizes[0], middle],
        "sweeps-word-last": against_sample(planes["GAN"][sizes[-1], middle]),
        "sweeps-least": sizes[0],
        "sweeps-first": planes["GAN"][sizes[0], middle],
        "sweeps-first-kernel": planes["kernel"][sizes[0], middle],
        "sweeps-last": planes["GAN"][sizes[-1], middle],
        "sweeps-word-gan": "compatible with −1"
        if gan.low <= -1 <= gan.high
        else ("above −1" if gan.low > -1 else "below −1"),
        "sweeps-word-kernel": "less than a kernel does"
        if gan.high < laws["kernel"][middle].exponent.interval().low
        else "no more than these samples can tell from what a kernel does",
        "sweeps-updates": f"{updates.pop():,}",
        "sweeps-paper-updates": f"{paper.epochs * (paper.n_train // paper.batch_size):,}",
        "sweeps-epochs": ", ".join(map(str, epochs)),
        "sweeps-largest": f"{sizes[-1]:,}",
        "sweeps-count": len(sizes),
        "sweeps-fits-failed": Share(
            sum(s.k for s in fits.values()), sum(s.n for s in fits.values())
        ),
    }
)
sweep.origin("sweeps-grid")

# %% [markdown]
# ## The size of the sample
#
# {glue:text}`sweeps-samples` samples of each of {glue:text}`sweeps-sizes` points, and on each of them GANs
# ({glue:text}`sweeps-trained` on each); the fit and the {doc}`kernel estimate with one bandwidth <smoothing>`, chosen by the
# leave-one-out likelihood, on {glue:text}`sweeps-fits` samples each.  Every training has the same number of updates, and the
# same schedule in them: what changes with the size is the data, and how often a training goes over them.  {numref}`sweeps-grid` has the amplification
# factors, $N_\mathrm{equiv}/N_\mathrm{train}$, against the size at one resolution and against the resolution at one size.


# %% mystnb={"figure": {"name": "sweeps-grid", "caption": "Amplification factor of a GAN (the mean over all that were trained on a sample), of their ensemble, of the fit and of the one-bandwidth kernel: against the number of training points (left; lines: power laws) and of quantiles (right). Bars are 95% intervals over samples; the grey bars are where the other panel looks. On the pages in HTML sliders choose both.\n\n{glue:text}`sweeps-grid-origin`"}} tags=["hide-input"]
def alt(n_train, quantiles):
    """The figure in words."""
    there = {k: p[n_train, quantiles] for k, p in planes.items() if (n_train, quantiles) in p}
    listed = ", ".join(f"{label} {factor}" for label, factor in there.items())
    return (
        f"Amplification factors at {n_train:,} training points and {quantiles} quantiles: {listed}"
    )


show_grid(
    [
        Slider("n_train", "training points", sizes, 100),
        Slider("quantiles", "quantiles", resolutions, middle),
    ],
    amplification_planes(planes),
    alt,
)

# %% tags=["remove-input"]
report.show_table(
    "sweeps-trends",
    "Exponents $b$ of the amplification factor, $N_\\mathrm{equiv}/N_\\mathrm{train} \\propto N_\\mathrm{train}^{\\,b}$, with their 95% intervals, over samples",
    ["estimate", *(f"{q} quantiles" for q in resolutions)],
    [[label, *(exponent(label, q) for q in resolutions)] for label in laws],
)
report.show_table(
    "sweeps-failures",
    "What failed: trainings in which the discriminator won or a hump stayed empty, and fits that did not converge; with the 68% interval of the rate",
    ["training points", "GANs", "fits"],
    [[f"{n:,}", trainings[n], fits[n]] for n in sizes],
)

# %% [markdown]
# **What to expect.**  The error of a fit of five parameters falls as $1/N$, as that of the sample does, so that its
# factor should not depend on the size.  A kernel with the best bandwidth has an error that falls as $N^{-4/5}$ where one
# looks closer than its bandwidth, and so an exponent of $-1/5$.  A network that learned the density no better from more points
# would be worth the same number of points whatever it is trained on, and have an exponent of $-1$.
#
# **What is found.**  At {glue:text}`sweeps-middle` quantiles the exponent is {glue:text}`sweeps-fit` of the fit,
# {glue:text}`sweeps-kernel` of the kernel, {glue:text}`sweeps-gan` of the GAN and {glue:text}`sweeps-ensemble` of ensembles
# of {glue:text}`sweeps-trained` (95% intervals over samples; {numref}`sweeps-trends` has the other resolutions).  Of the exponents {glue:text}`sweeps-expected`.  The GAN's exponent is
# {glue:text}`sweeps-word-gan`: from more points it gains {glue:text}`sweeps-word-kernel`.  On {glue:text}`sweeps-least` points its
# factor is {glue:text}`sweeps-first`, the fit's {glue:text}`sweeps-first-fit` and the kernel's
# {glue:text}`sweeps-first-kernel`.  It is worth {glue:text}`sweeps-worth` points: {glue:text}`sweeps-times` times as many points
# make it worth {glue:text}`sweeps-gain` times as much, and it is worth {glue:text}`sweeps-best`.  At {glue:text}`sweeps-at` points its factor is {glue:text}`sweeps-last`: by its
# 95% interval {glue:text}`sweeps-word-last`.  With the resolution factors grow: from {glue:text}`sweeps-ends` quantiles, at
# {glue:text}`sweeps-at` points, about {glue:text}`sweeps-growth`.  At many quantiles the sample breaks up into single points, of which
# any smooth curve makes more (see {doc}`Looking closer <closer>`).  {glue:text}`sweeps-failed` of these trainings failed
# ({numref}`sweeps-failures`).
#
# **What this leaves open.**  These are trainings at the length of a laptop: {glue:text}`sweeps-updates` updates, where the papers
# have {glue:text}`sweeps-paper-updates`.  The more points there are, the fewer times a training goes over them
# ({glue:text}`sweeps-epochs` epochs), and it may well have stopped short: how much of the exponent is the network's, and how
# much the schedule's, only longer trainings tell.  What fails at the papers' length, and in which reading of their loss, is measured on 100 points
# only (see {doc}`the page on the network <network>`).  Samples of two sizes begin with the same random numbers, so that sizes are a little less
# independent than the intervals take them to be.  No sample is
# larger than {glue:text}`sweeps-largest` points, and the power law is a description of {glue:text}`sweeps-count` sizes and no
# more.
#
# ## The members of an ensemble
#
# What an ensemble of $M$ GANs on one sample is worth follows by {eq}`eq-members` from two numbers: the error that two members
# share, and the rest, which is averaged away.  Both are measured with a few members, and tell what many would be worth:
# {numref}`sweeps-members` goes to {glue:text}`members-most`.

# %% tags=["remove-cell"]
apart = members_of(ensembles)
SHOWN = [10, 20, 50]
measured = {
    q: few.estimates("ensemble-equivalents", "members", quantiles=q) for q in SHOWN if shipped
}
MOST, ENOUGH, PAPERS = 20, 0.9, make_study("ensemble", "paper").members


def added(count, q):
    """Share of its worth that one more GAN adds to an ensemble of so many."""
    return apart.of(count + 1, q).value / apart.of(count, q).value - 1


def share_of_limit(members, q):
    """What the papers' number of GANs is worth over the limit of many."""
    return f"{members.of(PAPERS, q).value / members.limit(q).value:.0%}"


def at_the_papers_length():
    """The same of ensembles whose members were trained as long as the papers'."""
    result = stored("ensemble", "paper")
    if not result.study.repetitions_done(result.done()):
        return "Ensembles of the papers' length are not stored."
    every = gan_curve(result)
    parts = [(f"all {len(every.index)} ensembles", every)]
    if every.failed.any() and every.whole:
        parts.append((f"the {len(every.whole.index)} without a failed member", every.whole))
    shares = ", ".join(
        f"{report.each(lambda q, of=of: share_of_limit(members_of(result, of), q), SHOWN)} ({which})"
        for which, of in parts
    )
    return (
        f"Those are ensembles of a laptop's trainings. At the papers' length {PAPERS} GANs reach "
        f"{shares}: whether one of its members failed decides what an ensemble lacks."
    )


report.tell(
    **{
        "members-samples": len(apart.cells),
        "members-trained": apart.count,
        "members-most": MOST,
        "members-enough": f"{ENOUGH:.0%}",
        "members-shown": ", ".join(map(str, SHOWN)),
        "members-needed": report.each(lambda q: apart.enough(ENOUGH, q), SHOWN),
        "members-gain": report.each(apart.most_gain, SHOWN),
        "members-limit": report.each(apart.limit, SHOWN),
        "members-next": report.each(lambda q: f"{added(apart.count, q):.1%}", SHOWN),
        "members-papers": PAPERS,
        "members-ten": report.each(lambda q: share_of_limit(apart, q), SHOWN),
        "members-length": at_the_papers_length(),
    }
)
report.origin("sweeps-members", ensembles)

# %% mystnb={"figure": {"name": "sweeps-members", "caption": "Equivalent sample size of ensembles against the number of GANs in them, at {glue:text}`members-shown` quantiles: by {eq}`eq-members` from {glue:text}`members-trained` GANs on each of {glue:text}`members-samples` samples (line, with its 95% interval over samples), its limit (dotted), and the ensembles of the first so many of them (points, with theirs).\n\n{glue:text}`sweeps-members-origin`"}, "image": {"alt": "Equivalent sample size against the number of GANs in an ensemble, which levels off"}} tags=["hide-input"]
members_panels(apart, measured, SHOWN, MOST)
plt.show()

# %% tags=["remove-input"]
COUNTS = [1, 2, 3, 5, 10, MOST]
report.show_table(
    "sweeps-members-table",
    "What ensembles are worth, with the standard error over samples, and by how much one more GAN adds to that",
    ["GANs", *(f"{q} quantiles" for q in SHOWN), "one more adds"],
    [
        [
            count,
            *(apart.of(count, q) for q in SHOWN),
            " / ".join(f"{added(count, q):.1%}" for q in SHOWN),
        ]
        for count in COUNTS
    ]
    + [["limit of many", *(apart.limit(q) for q in SHOWN), "--"]],
)

# %% [markdown]
# **When another GAN stops helping.**  The limit of many GANs is {glue:text}`members-gain` times a single GAN's worth, at
# {glue:text}`members-shown` quantiles.  {glue:text}`members-needed` GANs reach {glue:text}`members-enough` of the limit (standard errors over {glue:text}`members-samples` samples, whose intervals in
# {numref}`sweeps-members` are wide; {numref}`sweeps-members-table` has the numbers).  One more than {glue:text}`members-trained` adds {glue:text}`members-next`.  The second paper's
# {glue:text}`members-papers` reach {glue:text}`members-ten` of the limit.  {glue:text}`members-length`  The rest of the error is the same
# in all members, and no further GAN helps against it.

# %% tags=["nbval-check-output", "remove-cell"]
for label, law in laws.items():
    print(label, *(f"{law[q].exponent} ({law[q].scatter:.1f})" for q in resolutions), sep=" | ")
for n in sizes:
    found = (plane.get((n, middle), "--") for plane in planes.values())
    print(n, trainings[n], fits[n], *found, sep=" | ")
for q in SHOWN:
    print(q, apart.one(q), apart.limit(q), apart.most_gain(q), apart.enough(ENOUGH, q), sep=" | ")
