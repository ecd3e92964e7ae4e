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
# # Rivals of the buffer
#
# Is a network with a {doc}`buffer <top_vae>`, a B-VAE, needed at all?  The event paper {cite}`otten2019` sets two kinds of rivals beside it: five
# GANs (its Table IV), and densities that are fitted to the events themselves, without any network (Table V).  All see
# the same training events of top pairs, and all are judged by the two numbers that {doc}`merit` fixes: $\delta$, how far
# histograms of pairs of observables are from the truth's, and $\delta_{OF}$, how much emptier or fuller of events the
# plane of the two leading jets' pseudorapidities is.  Last it is asked what their events are worth.
#
# {glue:text}`rivals-same-scale`  What each may spend on its training differs, as the captions of the figures say, and {glue:text}`rivals-contest`.

# %% tags=["parameters"]
preset = "best"
training_events = None
trainings = None
source = None

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(globals(), "preset", "training_events", "trainings", "source")

# %% tags=["hide-input"]
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np

from amplib.book import report
from amplib.book.obtain import largest, obtain, stored
from amplib.estimate import enumerated
from amplib.metrics.ranks import ranked
from amplib.models.config import EVENT_GANS
from amplib.models.kde import BANDWIDTHS
from amplib.studies.collisions.study import first_top_pairs, wherever_stored
from amplib.studies.merit.judge import DIRECTIONS
from amplib.studies.merit.reading import smearings, stored_reference
from amplib.studies.merit.reference import PAPER_EVENTS, TRAINING_SHARE
from amplib.studies.merit.study import SMEARED_UNSEEN, UNSEEN
from amplib.studies.merit.worth import CELL_COLUMNS, QUANTILES
from amplib.studies.rivals import figures
from amplib.studies.rivals.claims import GANS
from amplib.studies.rivals.clipped import RELEASED_CLIP, TURNS, moved
from amplib.studies.rivals.reading import (
    PAPER,
    Rival,
    Valued,
    fits,
    gan_losses,
    rivals,
    vae_losses,
    valued,
)
from amplib.studies.rivals.study import ONE_TURN
from amplib.studies.topvae.claims import in_words
from amplib.studies.topvae.reading import ReadEvents
from amplib.truth.collisions.columns import TTBAR, columns

for name in ("event-gans", "event-densities", "event-flows", "event-splines"):
    stored(name, **given)  # a value that one of them refuses is refused before any work
trained = obtain("event-gans", **given)
densities = obtain("event-densities", **given)
flows = obtain("event-flows", **given)
splines = obtain("event-splines", **given)
truth = {"source": given["source"]}
smeared = obtain("ttbar-smeared", preset=densities.preset, **truth)
# A figure shows one scale.
scan = obtain("scan", preset=trained.preset, models="chosen", **truth)
shown = trained, densities, flows, splines
gans, fitted, *flowing = map(rivals, shown)
today = {method: rival for found in flowing for method, rival in found.items()}

# %% tags=["remove-input"]
report.show_banner(*shown)

# %% tags=["remove-cell"]
blurred = smearings(smeared)[:2]
fit = fits(densities)
study, direct = trained.study, densities.study
scales = {
    name: f"preset {r.preset}, {r.study.training_events:,} training events, "
    f"{r.study.events:,} generated"
    for name, r in zip(("gans", "densities", "flows", "splines"), shown, strict=True)
}


training = first_top_pairs(direct, direct.training_events)


def spread(name):
    """Standard deviation of a column that is divided by its largest modulus."""
    (column,) = columns(TTBAR, name)
    return (training[:, column] / np.abs(training[:, column]).max()).std()


further = [method for method in gans if method not in GANS]
# The table shows one scale; what is trained at the papers' before all of it is stands beside it.
full = stored("event-gans", "paper", **truth)
longer_too = trained.preset != full.preset and full.done()
at_length = [r for r in rivals(full).values() if r.delta] if longer_too else []
longer = [full] if at_length else []
# Losses of what is not trained at this scale yet, as the laptop's preset trains it.
laptops = stored("event-gans", "laptop", **truth)
lacking = [m for m in study.methods if m not in gans] if laptops.done() else []
shorter = {
    f"{m}, preset laptop": losses
    for m, losses in (gan_losses(laptops) if lacking else {}).items()
    if m in lacking
}


def below_densities():
    """GANs that are nearer to the truth than densities of the events are, by delta."""
    if densities.preset != trained.preset:
        return ""
    best = min((r for r in fitted.values() if r.delta), key=lambda r: r.delta.value)
    below, kernel = (
        [g.method for g in gans.values() if g.delta and g.delta.value < density.delta.value]
        for density in (best, fitted["KDE"])
    )
    return (
        f"The least δ of a density of the events is {best.delta} ({best.method}), which the paper has below all GANs: "
        f"below it here is {enumerated(below) if below else 'none'}. Below the KDE's, as only DijetGAN and LSGAN are in "
        f"the paper, are {enumerated(kernel) if kernel else 'none'}."
    )


# What the papers' settings give before they have trained anything.
early = stored("event-gans", full.preset, **ONE_TURN, **truth)
untrained = rivals(early) if early.done() else {}
ALIKE = 1.5


def span(k):
    """Of one figure of merit over the GANs of one turn: least and largest."""
    values = [(r.delta, r.delta_of["eta"])[k].value for r in map(untrained.get, GANS)]
    return min(values), max(values)


def were_trained():
    """Which of the paper's GANs are as far from the truth as those of one turn."""
    if not untrained:
        return "GANs of a single turn are not measured."
    spans = [span(k) for k in range(2)]
    alike = [
        m
        for m in GANS
        if all(
            low / ALIKE < x < high * ALIKE for x, (low, high) in zip(PAPER[m], spans, strict=True)
        )
    ]
    found = (
        f"The paper's {enumerated(alike)} are in these ranges too (widened by a factor of {ALIKE:g}), after "
        "their training: the two numbers do not tell them from networks that were not trained."
        if alike
        else f"None of the paper's is in these ranges (widened by a factor of {ALIKE:g})."
    )
    (least, most), (fewest, highest) = spans
    return (
        "After their first turn, in which no weight moves by more than some ten learning rates, the five have δ "
        f"from {least:.2f} to {most:.2f} and δ_OF from {fewest:.0f} to {highest:.0f}, one start of each. {found}"
    )


def of_full_length():
    """What those say that are trained so far."""
    if not at_length:
        return (
            "That is what the table shows."
            if trained.preset == full.preset
            else "None is trained so yet."
        )
    size = full.study
    said = (
        "With the recommended steps and widths, "
        f"{size.training_events:,} training events, and judged by {size.events:,}, "
        f"{enumerated(r.method for r in at_length)} are trained so far. "
        + ". ".join(
            f"{r.method} has δ = {r.delta}, {r.delta.value / PAPER[r.method][0]:.2g} times the "
            f"paper's, and δ_OF = {r.delta_of['eta']}, {r.delta_of['eta'].value / PAPER[r.method][1]:.2g} "
            "times"
            for r in at_length
            if r.method in PAPER
        )
    )
    crowding = {r.method: r.delta_of["eta"].value for r in at_length}
    if "LSGAN" not in crowding or densities.preset != full.preset:
        return said + "."
    least = min((r.delta_of["eta"] for r in fitted.values() if r.delta), key=lambda e: e.value)
    side = "below" if crowding["LSGAN"] < least.value else "above"
    lsgan = next(r for r in at_length if r.method == "LSGAN")
    so_far = (
        "One training decides nothing of the method."
        if lsgan.left == 1
        else f"Below it are {sum(eta < least.value for _, eta in lsgan.each) or 'none'} of its {lsgan.left} trainings."
    )
    return (
        f"{said}. The least δ_OF of a density of the events is {least}: the LSGAN's, which the paper "
        f"has below it, is {side} here. {so_far}"
    )


several = [rival for rival in (*gans.values(), *at_length) if rival.each]


def spread_of(values):
    """The largest over the smallest."""
    return max(values) / min(values)


def from_training_to_training():
    """How much trainings of one GAN differ."""
    if not several:
        return "Each GAN was trained once, so that nothing here tells a good method from a lucky start."
    most = [
        max((spread_of([pair[k] for pair in rival.each]), rival.method) for rival in several)
        for k in range(2)
    ]
    return (
        f"Of {enumerated(rival.method for rival in several)} there are several trainings, alike but for their random "
        f"numbers. Their δ differ by a factor of up to {most[0][0]:.1f} ({most[0][1]}), "
        f"their δ_OF of up to {most[1][0]:.0f} ({most[1][1]}): where one number stands for a GAN, as in the paper's "
        "table, it may be that of a lucky start."
    )


def contest():
    """Of how many trainings each GAN of the table speaks."""
    least = min(gans[m].left for m in GANS if m in gans)
    return (
        "one training of each is no contest"
        if least < 2
        else f"{least} trainings of each tell little more than that they differ"
    )


def delta_of(method, found=gans):
    """Of one method, or that there is none."""
    rival = found.get(method)
    return rival.delta if rival and rival.delta else "none: it has diverged"


def at_same_scale():
    """Of the B-VAE with as many training events as its rivals have here, what is stored."""
    whose = {}
    for name, result in zip(
        ("the GANs", "the densities", "flow matching", "the spline flow"), shown, strict=True
    ):
        whose.setdefault(result.preset, []).append(name)
    return " ".join(of_the_vae_at(preset, names) for preset, names in whose.items())


def nothing_cut(read):
    """The paper's readings in which nothing is cut, by their words."""
    return {
        in_words(one).replace("gamma", "γ"): one for one in read.parts if one.negative == "kept"
    }


def of_the_chosen(found):
    """Its delta in each reading of the paper in which nothing is cut, as text."""
    read = ReadEvents.of(found)
    return enumerated(f"{read.delta(one)} with {words}" for words, one in nothing_cut(read).items())


def of_the_vae_at(preset, names):
    """Its delta at this preset."""
    found, scale = stored("top-readings", preset, **truth), f"At the scale of {enumerated(names)}"
    if not found.done():
        return f"{scale} the B-VAE itself is not measured."
    deltas = of_the_chosen(found)
    return (
        f"{scale} ({found.study.training_events:,} training events, {found.study.events:,} "
        f"generated; {found.study.made_of().epochs:,} epochs) the B-VAE has δ of {deltas}."
    )


apart = [
    delta.value / PAPER[method][0] - 1
    for method, delta in {
        **{method: rival.delta for method, rival in fitted.items()},
        **{f"{s.width:.0%} smearing": s.delta for s in blurred},
    }.items()
    if delta
]


def beside_the_vae(preset, found):
    """Both figures of merit of flows at one scale, of the B-VAE there, and which is the least."""
    pairs = {
        f"the {r.method}" if "spline" in r.method else r.method: (r.delta, r.delta_of["eta"])
        for r in found
    }
    chosen = stored("top-readings", preset, **truth)
    if chosen.done():
        read = ReadEvents.of(chosen)
        pairs |= {
            f"the B-VAE with {words}": (read.delta(one), read.delta_of(one, "eta"))
            for words, one in nothing_cut(read).items()
        }
    first, second = (min(pairs, key=lambda name: pairs[name][k].value) for k in range(2))
    most = (
        "both by δ and by δ_OF (η) it is" if first == second else f"by δ it is {first}, by δ_OF (η)"
    )
    size = chosen.study.training_events
    return (
        f"Nearest to the truth of what was trained on {size:,} events: {most} {second} (one training "
        "of each). δ and δ_OF are "
        + "; ".join(
            f"{delta} and {crowding} of {name}" for name, (delta, crowding) in pairs.items()
        )
        + "."
    )


def of_the_flows():
    """The same at each scale at which there is one."""
    by_preset = {}
    for result, found in zip((splines, flows), reversed(flowing), strict=True):
        by_preset.setdefault(result.preset, []).extend(r for r in found.values() if r.delta)
    return " ".join(beside_the_vae(p, found) for p, found in by_preset.items() if found)


report.tell(
    **{
        "rivals-flows-beside": of_the_flows(),
        "rivals-same-scale": at_same_scale(),
        "rivals-below": below_densities(),
        "rivals-shorter": f"  The losses of {enumerated(lacking)} are of the preset laptop, with 1/{laptops.study.shortening} of the steps."
        if shorter
        else "",
        "rivals-contest": contest(),
        "rivals-untrained": were_trained(),
        "rivals-turns": TURNS,
        "rivals-moved": f"{moved(training, EVENT_GANS['WGAN'].clip)[0]:.0f}",
        "rivals-moved-released": f"{moved(training, RELEASED_CLIP)[1]:.1g}",
        "rivals-scatter": from_training_to_training(),
        "rivals-shortness": ""
        if study.shortening == study.narrowing == 1
        else ", as far as so short a training allows one",
        "rivals-full-length": of_full_length(),
        "rivals-gans-scale": scales["gans"],
        "rivals-densities-scale": scales["densities"],
        "rivals-lengths": "the recommended lengths"
        if study.shortening == study.narrowing == 1
        else f"1/{study.shortening} of the recommended steps with 1/{study.narrowing} of the width",
        "rivals-steps": f"{EVENT_GANS['WGAN'].steps:,}",
        "rivals-clip": f"{EVENT_GANS['WGAN'].clip:g}",
        "rivals-batch": enumerated({EVENT_GANS[name].batch_size for name in ("LSGAN", "WGAN-GP")}),
        "rivals-lsgan-steps": f"{EVENT_GANS['LSGAN'].steps:,}",
        "rivals-best-gan": min(
            (g for g in gans.values() if g.delta and g.method in GANS),
            key=lambda g: g.delta.value,
        ).method,
        "rivals-lsgan": delta_of("LSGAN"),
        "rivals-mmd": delta_of("MMD-GAN"),
        "rivals-dijet": delta_of("DijetGAN"),
        "rivals-wgan": delta_of("WGAN"),
        "rivals-wgan-gp": delta_of("WGAN-GP"),
        "rivals-kde": delta_of("KDE", fitted),
        "rivals-tab5-apart": f"{max(apart, key=abs):+.0%}",
        "rivals-bandwidth": f"{fit['KDE'][0]:.2g}",
        "rivals-edge": "the end of the paper's grid"
        if fit["KDE"][1]
        else "inside of the paper's grid",
        "rivals-grid": f"{len(BANDWIDTHS)} from {BANDWIDTHS.min():g} to {BANDWIDTHS.max():g}",
        "rivals-energy": f"{spread('E_j1'):.2g}",
        "rivals-azimuth": f"{spread('phi_j1'):.2g}",
        "rivals-gmm-50": delta_of("GMM, 50", fitted),
        "rivals-gmm-100": delta_of("GMM, 100", fitted),
        "rivals-gmm-1000": delta_of("GMM, 1000", fitted),
        "rivals-5": blurred[0].delta,
        "rivals-flow": delta_of("flow matching", today),
        "rivals-flow-scale": scales["flows"],
        "rivals-flow-network": f"{flows.study.depth} layers of {flows.study.width}",
        "rivals-flow-epochs": f"{flows.study.epochs:,}",
        "rivals-flow-steps": flows.study.flow_steps,
        "rivals-spline": delta_of("spline flow", today),
        "rivals-spline-scale": scales["splines"],
        "rivals-spline-network": f"{splines.study.transforms} layers of splines with "
        f"{splines.study.bins} bins, each with a network of {splines.study.depth} layers of "
        f"{splines.study.width}",
        "rivals-spline-epochs": f"{splines.study.epochs:,}",
        "rivals-further": ", ".join(further) or "none so far",
        "rivals-diverged": ", ".join(g.method for g in gans.values() if g.diverged) or "none",
    }
)
report.origin("bvae-fig6", trained, scan, *([laptops] if shorter else []))
report.origin("rivals-fig1", trained, densities, *longer)

# %% [markdown]
# ## Five GANs
#
# **What is trained.**  The paper takes "the recommended hyperparameters from the corresponding papers".  Four of these papers
# are about images; DijetGAN's is about pairs of jets.  Objective, optimiser, rate, batch and the number of critic steps are the recommended ones here: of LSGAN
# {cite}`mao2016`, MMD-GAN {cite}`li2017`, WGAN-GP {cite}`gulrajani2017` and WGAN {cite}`arjovsky2017`.  Networks are the
# dense ones that WGAN's and WGAN-GP's authors use where they use any, three layers of 512 (LSGAN's generator: four,
# with batch norm).  DijetGAN {cite}`disipio2020` is as its authors released it: 128 numbers that are laid out as an
# image of 8 by 8 cells with two channels, and convolutions over it.  Columns are divided by their largest modulus, as
# everywhere in the paper; DijetGAN's are brought from their range to $[-1, 1]$, as its authors do.  The four columns of a
# second lepton that is not there are zeros, and stay so: no GAN is told of them.
#
# Where nothing is recommended a training has {glue:text}`rivals-steps` steps of the generator.  What is shown here has
# {glue:text}`rivals-lengths` ({glue:text}`rivals-gans-scale`).
#
# **Text and code.**  The event paper's published code is not what its text says: its WGAN's weights are clipped at $10^{-5}$, its LSGAN has minibatch discrimination and batches of 1024,
# its WGAN-GP batches of 256; networks of WGAN and WGAN-GP differ as well, and the length of the latter.  Here WGAN is clipped at {glue:text}`rivals-clip`, LSGAN has no such discrimination, and both LSGAN and WGAN-GP have batches of {glue:text}`rivals-batch`,
# as the code of their own papers has it, WGAN-GP's for images (for its toys it has 256 itself): that is what the text asks for.  From the event paper's code are what neither says: LSGAN's {glue:text}`rivals-lsgan-steps` steps and
# its layers, and WGAN-GP's linear output.
#
# **Were the paper's trained?**  {glue:text}`rivals-untrained`  The clip in its code would do that: in {glue:text}`rivals-turns` turns from the start
# the weights of a WGAN's generator move by {glue:text}`rivals-moved` learning rates (median), and by {glue:text}`rivals-moved-released` at most where the critic's
# are clipped at $10^{-5}$.  The slope of such a critic is a product of its layers' weights, and the gradients are far below the $10^{-8}$ that RMSprop
# adds to what it divides by.  What the code's other settings would give is not measured.


# %% tags=["hide-input"]
def ideal_of(result):
    """What an ideal generator has by the truth that judges a result: delta and both delta_OF."""
    reference = stored_reference(wherever_stored(result.study.made_of()))
    return reference.ideal_delta, *map(reference.ideal_delta_of, DIRECTIONS)


ideals = [ideal_of(result) for result in (trained, densities)]


def row(rival: Rival, rank: object) -> list[object]:
    """A line of the tables: ours, then the paper's."""
    theirs = PAPER.get(rival.method, ("--", "--"))
    if rival.delta is None:
        return [rival.method, "diverged", rank, *["diverged"] * 3, rival.trainings, *theirs]
    count = f"{rival.left} of {rival.trainings}" if rival.diverged else rival.trainings or "--"
    crowding = rival.delta_of.values()
    return [rival.method, rival.delta, rank, *crowding, f"{rival.dropped:.1%}", count, *theirs]


def rows(found: Sequence[Rival]) -> list[list[object]]:
    """A table of them, each with the places that it may have among them, if it is not alone."""
    rank = ranked({rival.method: rival.delta for rival in found}) if len(found) > 1 else {}
    return [row(rival, rank.get(rival.method, "--")) for rival in found]


def ideal_row(values: tuple[float, ...]) -> list[object]:
    delta, *crowding = values
    ours = ["*ideal*", f"{delta:.5f}", "--", *(f"{c:.2f}" for c in crowding), "0", "--"]
    return [*ours, "--", "--"]


def of_single_ones(found: Sequence[Rival]) -> str:
    """What a caption says of ranks if there are methods with one training."""
    if all(rival.left != 1 for rival in found):
        return ""
    return (
        " (of a single training, the error being that of its events alone, it is the rank of this "
        "training and not of the method: another start may change the order)"
    )


HEAD = ["δ", "rank", "δ_OF, η", "δ_OF, φ", "dropped", "trainings", "the paper's δ", "its δ_OF"]
of_table = [gans[m] for m in GANS if m in gans]
report.show_table(
    "bvae-tab4",
    "GANs of top pairs: figures of merit, with the standard error over trainings or, of a single one, over its "
    f"generated events; *rank*, the best and the worst place by δ that 95% intervals of the ratios leave{of_single_ones(of_table)}; the share of entries beyond the truth's ranges; and the paper's Table IV",
    ["GAN", *HEAD],
    [*rows(of_table), ideal_row(ideals[0])],
)

# %% mystnb={"figure": {"name": "bvae-fig6", "caption": "Losses of the GANs, of the B-VAE, and of those GANs with minibatch discrimination (MBD) that are trained so far: single steps as dots, thinned, and their moving average. A critic's step and the generator's are taken apart; the frame leaves out the most extreme 1% of the dots. The B-VAE's are eq. 13 of training and of validation events, means over an epoch.\n\n{glue:text}`bvae-fig6-origin`"}, "image": {"alt": "Losses of GANs and of the B-VAE against the step"}} tags=["hide-input"]
figures.loss_panels({**gan_losses(trained), **shorter}, vae_losses(scan))
plt.show()

# %% [markdown]
# **What is found** ({numref}`bvae-tab4`).  Least far from the truth is {glue:text}`rivals-best-gan`: $\delta$ is {glue:text}`rivals-dijet` of DijetGAN,
# {glue:text}`rivals-lsgan` of LSGAN, {glue:text}`rivals-mmd` of MMD-GAN, {glue:text}`rivals-wgan-gp` of WGAN-GP and
# {glue:text}`rivals-wgan` of WGAN; two samples that have no bin in common have 2, less what is dropped: a generator of which nothing is within the truth's
# ranges has 1, so that near 1 $\delta$ puts nothing in order.  Diverged: {glue:text}`rivals-diverged`.
# The paper has LSGAN and DijetGAN before the others, by $\delta$, and far before them by $\delta_{OF}$; {numref}`rivals-claims` has the verdict{glue:text}`rivals-shortness`.  {glue:text}`rivals-below`
# {numref}`bvae-fig6` says little of it: the loss of an adversary is no distance, and it
# neither falls with the quality of the events nor tells when to stop.  The B-VAE's does fall.
#
# *From training to training.*  {glue:text}`rivals-scatter`
#
# *At full length.*  {glue:text}`rivals-full-length`
#
# *Minibatch discrimination* {cite}`salimans2016` tells the critic how near the other events of its batch are, so that a generator that
# repeats itself is found out.  The paper shows losses of a WGAN with it, and of one with a term of mean discrepancy (MMD)
# as well, and no more; here the discrepancy is that of generated from true events with MMD-GAN's kernels, added to what the
# generator minimises.  Of the two are trained at this scale: {glue:text}`rivals-further`.{glue:text}`rivals-shorter`

# %% tags=["hide-input"]
if untrained:
    report.show_table(
        "rivals-one-turn",
        f"The same GANs after a single turn, by {early.study.events:,} events each, and the paper's after training",
        ["GAN", "δ", "δ_OF, η", "δ_OF, φ", "dropped", "the paper's δ", "its δ_OF"],
        [
            [m, r.delta, *r.delta_of.values(), f"{r.dropped:.0%}", *PAPER[m]]
            for m, r in untrained.items()
            if m in GANS
        ],
    )

# %% tags=["hide-input"]
if several:
    report.show_table(
        "rivals-each",
        "GANs that were trained more than once: δ and δ_OF (η) of each training, in the order of their seeds, and the largest over the smallest",
        ["GAN", "δ", "largest / smallest", "δ_OF, η", "largest / smallest"],
        [
            [
                rival.method,
                *(
                    entry
                    for values, digits in zip(
                        zip(*rival.each, strict=True), (".3f", ".2f"), strict=True
                    )
                    for entry in (
                        ", ".join(f"{v:{digits}}" for v in values),
                        f"{spread_of(values):.1f}",
                    )
                ),
            ]
            for rival in several
        ],
    )

# %% tags=["hide-input"]
if at_length:
    report.show_table(
        "rivals-length",
        f"GANs of the recommended lengths and widths that are trained so far ({full.study.training_events:,} training events, {full.study.events:,} generated): as in {{numref}}`bvae-tab4`, *rank* among these{of_single_ones(at_length)}",
        ["GAN", *HEAD],
        [*rows(at_length), ideal_row(ideal_of(full))],
    )

# %% tags=["hide-input"]
not_of_table = [gans[m] for m in further]
if not_of_table:
    report.show_table(
        "rivals-mbd",
        f"Those of {{numref}}`bvae-fig6` that are not in the paper's table: as in {{numref}}`bvae-tab4`, *rank* among these{of_single_ones(not_of_table)}",
        ["GAN", *HEAD],
        rows(not_of_table),
    )

# %% [markdown]
# ## Densities of the events themselves
#
# A kernel on every training event, with the bandwidth that a five-fold cross-validation chooses among
# {glue:text}`rivals-grid` (of the modulus that is largest in a column), or a mixture of Gaussians with full covariances: neither knows that a column may be
# zero in most events, nor that an azimuth ends at $\pm\pi$.  Columns are divided by their largest modulus, as the paper
# does "in all cases".

# %% tags=["hide-input"]
by_hand = [Rival(f"{s.width:.0%} smearing", 0, 0, s.delta, s.delta_of, s.dropped) for s in blurred]
without_network = [*fitted.values(), *by_hand]
report.show_table(
    "bvae-tab5",
    f"Densities fitted to the events, and training events that are smeared by hand: as in {{numref}}`bvae-tab4`, *rank* among these{of_single_ones(without_network)}; the paper's Table V",
    ["density", *HEAD],
    [*rows(without_network), ideal_row(ideals[1])],
)

# %% tags=["remove-cell"]
panels = [("GANs", of_table, trained), ("Densities", without_network, densities)]
if at_length:
    known = {rival.method: rival for rival in at_length}
    every_gan = [known.get(m) or Rival(m, 0, 0, None, {}, np.nan) for m in GANS]
    panels.insert(1, ("GANs of full length", every_gan, full))

# %% mystnb={"figure": {"name": "rivals-fig1", "caption": "Both figures of merit of the rivals, with their standard errors: ours filled, single trainings small; open, where as many events are generated and train as in the paper, the paper's. GANs: {glue:text}`rivals-gans-scale`, and apart those of the recommended lengths that are trained so far; densities: {glue:text}`rivals-densities-scale`. The cross is what an ideal generator has with as many events.\n\n{glue:text}`rivals-fig1-origin`"}, "image": {"alt": "delta against delta_OF of GANs and of densities of the events"}} tags=["hide-input"]
figures.merit_plane(
    {f"{title}, {r.study.events:,} events": found for title, found, r in panels},
    [ideal_of(result)[:2] for *_, result in panels],
    [result.study.events >= PAPER_EVENTS for *_, result in panels],
)
plt.show()

# %% [markdown]
# **What is found** ({numref}`bvae-tab5`).  The kernels' bandwidth is {glue:text}`rivals-bandwidth`, {glue:text}`rivals-edge`, the same in all columns.  The azimuth of
# the first jet has a standard deviation of {glue:text}`rivals-azimuth` in the units of its column, its energy one of
# {glue:text}`rivals-energy`: what is narrow for an angle is wider than nearly all energies that there are, and
# $\delta =$ {glue:text}`rivals-kde` is no surprise.  Mixtures, which have a covariance for that, do better:
# {glue:text}`rivals-gmm-50`, {glue:text}`rivals-gmm-100` and {glue:text}`rivals-gmm-1000`
# with 50, 100 and 1000 components; with another number of training events the order of the three may be another.  Smearing the training events by 5% has
# {glue:text}`rivals-5`, at the price in $\delta_{OF}$ that {doc}`merit` explains.  Of the δ of the table the one that is farthest from the paper's is off by {glue:text}`rivals-tab5-apart`: where as many events train,
# another simulation of top pairs and our rules for $\delta$ together change it by no more, if they do not make up for each other.  {numref}`rivals-fig1` sets all of
# them side by side.

# %% [markdown]
# ## Rivals of today
#
# The paper ends with the wish that flows be compared as well.  *Flow matching* {cite}`lipman2022` learns a field of velocities
# that carries points of $\mathcal N(0, 1)$ to events.  A point and an event are joined by a line; along it the velocity is
# their difference, and the network learns the mean of that at every point and time,
#
# $$L = \left\langle \left| v(x_t, t) - (x_1 - x_0) \right|^2 \right\rangle, \qquad x_t = (1 - t)\, x_0 + t\, x_1 .$$
#
# There is no adversary, and as a functional of $v$ the loss has one minimum.  Ours has {glue:text}`rivals-flow-network`, is trained for
# {glue:text}`rivals-flow-epochs` epochs on the same events, standardised by mean and deviation, and integrated in
# {glue:text}`rivals-flow-steps` steps of the midpoint rule ({glue:text}`rivals-flow-scale`).  Its $\delta$ is
# {glue:text}`rivals-flow`.
#
# A *normalising flow* {cite}`durkan2019` maps events to $\mathcal N(0, 1)$ by a function that can be inverted, knows its density
# and is trained to make that large for the training events.  Ours, from zuko {cite}`zuko2022`, has {glue:text}`rivals-spline-network`, and
# {glue:text}`rivals-spline-epochs` epochs ({glue:text}`rivals-spline-scale`).  A density has no upper bound where many events share a value, as the
# zeros of an absent lepton do: every column is replaced by the normal score of its rank in the training sample, equal values being ranked by lot, and what is generated goes the
# same way back.  So every column has its zeros again, and nothing beyond the training sample's extremes; what is dropped are, but for rounding, observables that several columns make.
# Flow matching has none of that, so that the two differ in more than the flow.  Its $\delta$ is
# {glue:text}`rivals-spline`.
#
# **What is found** ({numref}`rivals-today`).  {glue:text}`rivals-flows-beside`
# {numref}`rivals-claims` has what the paper says of all of these.


# %% tags=["hide-input"]
def flows_at(preset):
    """The flows that are stored at one scale, by their ranks among these, and the ideal there."""
    results = [stored(r.study.name, **{**given, "preset": preset}) for r in (splines, flows)]
    done = [result for result in results if result.done()]
    found = [rival for result in done for rival in rivals(result).values()]
    return [
        [f"{name} ({done[0].study.training_events:,})", *numbers]
        for name, *numbers in (*rows(found), ideal_row(ideal_of(done[0])))
    ]


report.show_table(
    "rivals-today",
    f"Flows: as in {{numref}}`bvae-tab4`, in brackets the training events, *rank* among those with as many{of_single_ones([*today.values()])}. No published value was found for these columns",
    ["generator", *HEAD],
    [line for preset in dict.fromkeys((splines.preset, flows.preset)) for line in flows_at(preset)],
)


# %% tags=["remove-cell"]
def at_scale(name, unseen=UNSEEN):
    """What is stored of a study at the papers' settings, else at the laptop's."""
    return largest(name, given["preset"], unseen, **truth)


def of_the_vae(result):
    """The chosen model, in each reading of the paper in which nothing is cut."""
    if not result.done():
        return []
    read, size = ReadEvents.of(result), result.study
    return [
        Valued(
            f"B-VAE, {words}",
            size.training_events,
            size.held_out_events,
            read.worth(one),
        )
        for words, one in nothing_cut(read).items()
    ]


def of_the_smeared():
    """Training events, smeared by hand."""
    result = at_scale("ttbar-smeared", SMEARED_UNSEEN)
    if not result.done():
        return []
    n, held_out = result.study.events // TRAINING_SHARE, result.study.held_out_events
    blurred = [s for s in smearings(result)[:2] if s.worth]
    return [Valued(f"{s.width:.0%} smearing", n, held_out, s.worth) for s in blurred]


of_rivals = [at_scale(n) for n in ("event-splines", "event-flows", "event-densities", "event-gans")]
largest_vae = at_scale("top-readings")
beside = dict.fromkeys((largest_vae.preset, *(r.preset for r in of_rivals)))
of_vae = [stored("top-readings", preset, **truth) for preset in beside]
worthy = [
    *(one for result in of_vae for one in of_the_vae(result)),
    *of_the_smeared(),
    *(one for result in of_rivals for one in valued(result)),
    *(one for result in longer for one in valued(result)),
]
counted = [
    *of_vae,
    at_scale("ttbar-smeared", SMEARED_UNSEEN),
    *of_rivals,
    *longer,
]
counted = [result for result in counted if result.done()]
every = [*today, *fitted, *gans, *(f"{s.width:.0%} smearing" for s in blurred)]
uncounted = [name for name in every if name not in {one.method for one in worthy}]
finest = max(QUANTILES)
report.tell(
    **{
        "rivals-cells": " and ".join(map(str, QUANTILES)),
        "rivals-finest": finest,
        "rivals-uncounted": ", ".join(uncounted) or "none",
        **{
            f"rivals-{verdict}": ", ".join(
                f"{one.method} ({one.worth[finest]} of {one.training_events:,})"
                for one in worthy
                if one.against_its_training(finest) == verdict
            )
            or "none"
            for verdict in ("more", "less", "undecided")
        },
        "rivals-cell-columns": ", ".join(CELL_COLUMNS),
    }
)
report.origin("rivals-fig2", *counted)

# %% [markdown]
# ## What are their events worth?
#
# $\delta$ says how far events are from the truth, not how many of the truth's they can stand for.  The question of this book has an answer for any
# generator: $N_\mathrm{equiv}$, the number of true events whose own fluctuations, in cells of equal mass, are as large as what the generator has wrong, without the noise of its own events
# ({doc}`yours`).  The cells, {glue:text}`rivals-cells` of them, are cut one after the other in {glue:text}`rivals-cell-columns`, from events that no generator was trained on.  These events
# fluctuate themselves, and what a generator has wrong is not seen below that: there is a lower bound then, which grows with their number, and it decides nothing about a training sample
# that is larger.  Where there is a value it may shift by about $N_\mathrm{equiv}$ over the number of held-out events with the choice of these.
#
# Copies of the training events would be worth as many as there are, in the mean.  More than one in {numref}`rivals-fig2` is amplification; what lies
# below one knows less than its training sample.  A factor at one number of training events says nothing of another: to be compared are rows with the same number in
# brackets, and the B-VAE stands with each at which it is measured.  Not counted so far: {glue:text}`rivals-uncounted`.
#
# {numref}`rivals-worth` has the numbers.  In {glue:text}`rivals-finest` cells, worth less than what they were trained on: {glue:text}`rivals-less`.  Worth more: {glue:text}`rivals-more`.  Not decided:
# {glue:text}`rivals-undecided`.

# %% tags=["hide-input"]
report.show_table(
    "rivals-worth",
    "True events that a generator is worth, in so many cells of held-out events, with 95% intervals or lower bounds, and over the events that it was trained on. Held-out events of the B-VAE chose, all of them or some, the weights of its training",
    ["generator", "trained on", "held out", *(f"N_equiv, {q} cells" for q in QUANTILES), "factor"],
    [
        [
            one.method,
            f"{one.training_events:,}",
            f"{one.held_out:,}",
            *(report.with_interval(one.worth[q]) for q in QUANTILES),
            one.worth[finest].scaled(1 / one.training_events),
        ]
        for one in worthy
    ],
)

# %% mystnb={"figure": {"name": "rivals-fig2", "caption": "$N_\\mathrm{equiv}$ in {glue:text}`rivals-finest` cells over the training events, their number in brackets: values with 95% intervals, arrows for lower bounds. Circles: trained on as many events as in the paper; squares: on fewer.\n\n{glue:text}`rivals-fig2-origin`"}, "image": {"alt": "Amplification factors of the B-VAE and its rivals with intervals and lower bounds"}} tags=["hide-input"]
figures.worth_chart(worthy, finest)
plt.show()

# %% tags=["hide-input"]
from amplib.book.claims import all_claims

report.show_claims(
    "rivals-claims",
    "What the paper says of these rivals",
    all_claims(given["preset"], only=("bvae.gans", "bvae.direct-densities", "bvae.lsgan-delta-of")),
)

# %% tags=["nbval-check-output", "remove-cell"]
for rival in (*gans.values(), *fitted.values(), *today.values()):
    print(rival.method, rival.delta, *rival.delta_of.values(), rival.diverged, sep=" | ")
for rival in at_length:
    print("full length", rival.method, rival.delta, *rival.delta_of.values(), sep=" | ")
for one in worthy:
    print(one.method, one.training_events, *one.worth.values(), sep=" | ")
print(*(f"{np.mean(losses.last['critic']):.4f}" for losses in gan_losses(trained).values()))
