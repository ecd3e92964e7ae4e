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
# # Reweighted showers
#
# On mixtures of Gaussians weights mend a GAN as far as it has events ({doc}`gaussians`).  Diefenbacher et al.
# {cite}`diefenbacher2020` then take a generator of calorimeter showers, images of
# 30 × 30 × 30 cells, and ask two classifiers for weights.  The *high-level* one sees 33 numbers of a shower: how
# many cells are active, the centroid along the axis, the total energy, and the energy in each layer.  The
# *low-level* one sees the whole image through three-dimensional convolutions.  Do weights from so little, or from
# so much, mend what neither of them was shown?  And what do they cost?
#
# In short: {glue:text}`reweighted-short`
#
# The truth is {glue:text}`reweighted-truth`; the page on {doc}`showers` describes the parametrisation.  With
# `source=published` this page runs on the Geant4 showers of {cite}`buhmann2020`, where there is the file.  There are three generators: the paper's BIB-AE, the
# plain GAN that is its cheap rival, and a *fast simulation* with wrong settings, the parametrisation for photons of
# {glue:text}`reweighted-made` in place of {glue:text}`reweighted-energy` GeV in a beam {glue:text}`reweighted-beam` cells wide in place of a point.
# The paper ends on such a use; here it is the control.  Of a truth that is the same parametrisation it is near by
# construction, so that what fails for it fails by the method.  {glue:text}`reweighted-control-more`
#
# Of {glue:text}`reweighted-repetitions` repetitions, errors are one standard error, and a 95% interval reaches {glue:text}`reweighted-t`
# times as far.  Low-level classifiers stand in turn: some have learned and others have not, and a mean is where none of them is.

# %% tags=["parameters"]
preset = "best"
seed = None
repetitions = None
events = None
generated = None
high_level = None
test_events = None
epochs = None
filters = None
largest = None
low_largest = None
made_energy = None
made_beam = None
latents = None
source = None
keep = None
trained = None

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(
    globals(), "preset", "seed", "repetitions", "events", "generated", "high_level", "test_events",
    "epochs", "filters", "largest", "low_largest", "made_energy", "made_beam", "latents",
    "source", "keep", "trained",
)  # fmt: skip

# %% tags=["hide-input"]
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np

from amplib.book import report
from amplib.book.obtain import compute_together, obtain
from amplib.book.obtain import largest as largest_result
from amplib.estimate import (
    AtLeast,
    Estimate,
    enumerated,
    mean,
    t_quantile,
    written_area,
    written_in_turn,
)
from amplib.metrics.outlook import (
    HOPELESS_AUC,
    HOPELESS_MEAN,
    HOPELESS_SHARE,
    dilution_from_auc,
)
from amplib.metrics.weighed import CLEAR
from amplib.models.dctr import TEMPERATURES
from amplib.store.results import Result, at_one_scale, wherever_stored
from amplib.studies.generators.reading import trained as trained_generator
from amplib.studies.reweighting import figures
from amplib.studies.reweighting import reading as r
from amplib.studies.reweighting.study import (
    IN_CELLS,
    ReweightedGAN,
    at_length,
    with_the_other_epoch,
)

own = {
    "reweighted-bibae": ("latents", "trained"),
    "reweighted-gan": ("trained",),
    "reweighted-simulation": ("made_energy", "made_beam"),
}
shared = given.keys() - {parameter for only in own.values() for parameter in only}
asked = {name: {key: given[key] for key in (*shared, *own[name])} for name in r.GENERATORS}
compute_together(asked)  # a value that one of them refuses is refused before any work
results = at_one_scale(
    {
        "reweighted-bibae": obtain("reweighted-bibae", **asked["reweighted-bibae"]),
        "reweighted-gan": obtain("reweighted-gan", **asked["reweighted-gan"]),
        "reweighted-simulation": obtain("reweighted-simulation", **asked["reweighted-simulation"]),
    },
    lambda name, preset: obtain(name, **asked[name] | {"preset": preset}),
)
bibae, gan, control = showers = [r.read(result) for result in results.values()]
made = {one.title: trained_generator(wherever_stored(one.study.made_of())) for one in (bibae, gan)}
epochs = {control.study.keep: control}
papers_control = largest_result("reweighted-simulation", **asked["reweighted-simulation"])
at_papers = r.read(papers_control)
other = Result(with_the_other_epoch(control.study), results["reweighted-simulation"].preset)
if other.done():
    epochs[other.study.keep] = r.read(other)

# %% tags=["remove-input"]
report.show_banner(
    *results.values(),
    also=[
        f"The {one.title} has {made[one.title].share:.1%} of the published weights and was trained "
        f"in {one.study.made_of().epochs} passes over {one.study.made_of().showers:,} showers."
        for one in (bibae, gan)
    ],
)


# %% tags=["remove-cell"]
COIN = 0.05  # an AUC that is no farther from one half


def network(one):
    """What was trained, and for how long."""
    training = one.study.made_of()
    return (
        f"{made[one.title].share:.1%} of the published weights, after {training.epochs} passes over "
        f"{training.showers:,} showers"
    )


def below_the_axis(one):
    """Which classifier's weights are too small for any axis."""
    none = [c for c in r.CLASSIFIERS if not one.pairs_of(c).any()]
    if not none:
        return "None of them is too small for the axes"
    return f"All {enumerated(none)} weights are below 1e-38, and not drawn"


def range_of(values, form="{:.2g}"):
    return f"{form.format(np.nanmin(values))} to {form.format(np.nanmax(values))}"


def in_turn(measure):
    """Of the three generators in their order, in words."""
    texts = [str(measure(one)) for one in showers]
    return f"{texts[0]}, {texts[1]} and {texts[2]}"


def gain(one, classifier, observable):
    return one.factor(lambda x: x.gain(classifier, observable))


def above_floor(one, classifier, observable):
    """By how much <S^2> above its floor falls, in turn."""
    return one.in_turn(lambda x: x.gain_above_floor(classifier, observable))


def mended(one, observable):
    """The share of <S^2> above its floor that high-level weights take away."""
    none, high = (one.excess(s, observable).value for s in (r.GENERATOR, r.HIGH))
    return f"{1 - high / none:.0%}"


def over(one, sample, measure, form="{:.3g}"):
    """Mean over repetitions, but of low-level weights each in turn."""
    return one.in_turn(measure, form) if sample == r.LOW else one.over(measure)


def s2(one, sample, observable):
    return over(one, sample, lambda x: x.separations[sample].value[observable])


def excess(one, sample, observable):
    """<S^2> above its floor, in thousandths."""
    return over(one, sample, lambda x: 1000 * x.separations[sample].excess[observable])


def area(one, classifier):
    """The AUC, of the low-level classifiers in turn."""
    whole = written_area(one.auc(classifier))
    if classifier == r.HIGH or whole.startswith(">"):
        return whole
    values = [x.outlook(r.LOW).auc.value for x in one.each]
    return enumerated(f"{a:.3f}" if a < 0.9995 else "> 0.999" for a in values)


def left(one, classifier):
    """The share of the showers that weights leave."""
    if classifier == r.HIGH:
        return one.left(classifier).percent()
    return one.in_turn(lambda x: 100 * x.outlook(r.LOW).effective_share.value, "{:.3g}%")


def mean_weight(one, classifier):
    """Of the clipped ones; of next to nothing no more than that it is."""
    found = [x.outlook(classifier).mean_weight.value for x in one.each]
    alike = written_in_turn(found)
    return enumerated(alike) if classifier == r.LOW or len(alike) == 1 else mean(found)


def median_s2(one, sample, observables):
    """Over these observables."""
    return over(one, sample, lambda x: np.median(x.separations[sample].value[observables]))


def residual_rms(one, sample):
    """Root mean square of the differences of correlations, in per cent."""
    return over(one, sample, lambda x: 100 * x.residual_rms(sample))


def median_r(one, sample):
    return over(one, sample, lambda x: x.usual_dilution(sample).value)


def answers(one):
    said = [x.outlook(r.HIGH).answer for x in one.each]
    return " or ".join(dict.fromkeys(said))


def blind(repetition):
    """Whether the AUC of the low-level model is next to one half."""
    return abs(repetition.outlook(r.LOW).auc.value - 0.5) < COIN


def on_the_wrong_side(one):
    """Of low-level classifiers whose AUC is clearly below one half."""
    wrong = [x for x in one.each if (a := x.outlook(r.LOW).auc).value < 0.5 - CLEAR * a.error]
    if not wrong:
        return "In none of them is it clearly below one half"
    texts = enumerated(f"{x.outlook(r.LOW).auc.value:.3f}" for x in wrong)
    hot = all(x.arrays["temperature"][1] > 0.99 * TEMPERATURES[1] for x in wrong)
    return (
        f"Where it ends slightly on the wrong side of one half ({texts}), the logit is nearly constant "
        "and its slope has the wrong sign"
        + f"; the temperature then goes to its bound of {TEMPERATURES[1]:g} and all weights to one"
        * hot
    )


def before_clip(one, classifier):
    """Mean weights of the repetitions in turn."""
    return enumerated(written_in_turn(one.means_before_clip(classifier)))


def areas(one, classifier):
    """AUCs of the repetitions in turn, with errors over showers."""
    return enumerated(written_area(x.outlook(classifier).auc) for x in one.each)


def more_to_learn_from():
    """Whether the control's classifiers have more showers than the others."""
    if control.study.high_level <= max(one.study.high_level for one in (bibae, gan)):
        return "Its classifiers learn from no more showers than those of the other two."
    return (
        "Its classifiers learn from more showers than those of the other two, so that what fails "
        "for these alone need not fail by them."
    )


HEAVY_TAILED = {"E2"}  # few late showers make its tail, and with it the errors


def over_noise(one, sample, without=()):
    """By how much differences of correlations are larger than their noise, in turn."""
    return one.in_turn(lambda x: x.residual_over_noise(sample, without), "{:.1f}")


def beside_the_papers(factor):
    """Whether a factor of the active cells above their floor may be the paper's."""
    found = control.factor(lambda x: x.gain_above_floor(r.HIGH, r.ACTIVE))
    low, high = found.interval()[1:]
    inside = low <= factor <= high
    return (
        f"The paper's {factor} is {'within' if inside else 'outside of'} the 95% interval of the latter, "
        f"{low:.2g} to {high:.2g}"
    )


def short_answer():
    """What the page finds, in a sentence or two."""
    lost = [one.title for one in (bibae, gan) if one.hopeless]
    nothing = (
        f"of {enumerated(lost)} as they are trained here nothing is left to weigh"
        if lost
        else "both trained generators can be weighed"
    )
    high = control.auc(r.HIGH)
    return (
        f"where the simulation is near (AUC {high.value:.2f}) weights from {r.FIRST_X} numbers take "
        f"{mended(control, r.ACTIVE)} of what was wrong out of the active cells, at r = "
        f"{control.r(r.HIGH, r.ACTIVE).value:.1f}; second moments, which they never saw, were right "
        f"before and stay so; {nothing}; and a classifier that is trained for all its "
        f"{study.epochs} passes does harm."
    )


def who_tells(observables):
    """Which generators could show that weights mend these, and why others cannot."""
    able = [one.title for one in showers if one.tells(observables)]
    lost = [one.title for one in showers if one.hopeless]
    right = [one.title for one in showers if one.title not in (*able, *lost)]
    why = [f"of {enumerated(lost)} nothing is left to weigh"] * bool(lost)
    why += [f"of {enumerated(right)} next to nothing is off without weights"] * bool(right)
    who = f"Of the three generators {enumerated(able)} can" if able else "None of the three can"
    return f"{who} answer that" + f": {', and '.join(why)}" * bool(why)


def helped(one, classifier, group):
    """Observables of a group that weights clearly bring nearer to the truth, and farther from it, in
    turn."""
    closer, farther = (
        one.in_turn(lambda x, way=way: getattr(x.helped(classifier, r.GROUPS[group]), way), "{}")
        for way in ("closer", "farther")
    )
    return f"{closer}; {farther}"


def of_gaussians(area):
    """The share of the events that Gaussians of equal width leave at this AUC."""
    return dilution_from_auc(Estimate(area, 0.0)).value ** -2


study = bibae.study
inputs, moments, differences = r.GROUPS
report.tell(
    **{
        "reweighted-truth": {
            "simulated": "a parametrisation of showers",
            "published": "a sample of published Geant4 showers",
        }[study.source],
        "reweighted-energy": f"{study.energy:g}",
        "reweighted-made": f"{control.study.made_energy:g}",
        "reweighted-beam": f"{control.study.made_beam:g}",
        "reweighted-repetitions": min(len(one.each) for one in showers),
        "reweighted-filters": study.filters,
        "reweighted-epochs": study.epochs,
        "reweighted-keep": study.keep,
        "reweighted-high-level": f"{study.high_level:,}",
        "reweighted-largest": f"{study.largest:g}",
        "reweighted-low-largest": f"{study.low_largest:g}",
        "reweighted-short": short_answer(),
        "reweighted-t": f"{t_quantile(min(len(one.each) for one in showers)):.1f}",
        "reweighted-hopeless": f"{HOPELESS_AUC:g}",
        "reweighted-hopeless-share": f"{HOPELESS_SHARE:.0%}",
        "reweighted-hopeless-mean": f"{HOPELESS_MEAN:g}",
        "reweighted-hopeless-gaussians": f"{of_gaussians(HOPELESS_AUC):.1%}",
        "reweighted-left": in_turn(lambda one: one.left(r.HIGH).percent()),
        "reweighted-answers": "; ".join(f"{one.title}: {answers(one)}" for one in showers),
        "reweighted-training": " and ".join(
            f"{one.study.made_of().epochs} passes over {one.study.made_of().showers:,} showers"
            for one in (bibae, gan)
        ),
        "reweighted-bibae-network": network(bibae),
        "reweighted-bibae-unseen": below_the_axis(bibae),
        "reweighted-spread": in_turn(lambda one: one.r(r.GENERATOR, r.ACTIVE)),
        "reweighted-bibae-answer": answers(bibae),
        **{
            f"reweighted-bibae-{kind}-{what}": found
            for kind, classifier in (("high", r.HIGH), ("low", r.LOW))
            for what, found in (
                ("left", left(bibae, classifier)),
                ("mean", before_clip(bibae, classifier)),
            )
        },
        "reweighted-control-cells": gain(control, r.HIGH, r.ACTIVE),
        "reweighted-control-energy": gain(control, r.HIGH, r.ENERGY),
        "reweighted-control-cells-above": above_floor(control, r.HIGH, r.ACTIVE),
        "reweighted-control-energy-above": above_floor(control, r.HIGH, r.ENERGY),
        "reweighted-control-cells-mended": mended(control, r.ACTIVE),
        "reweighted-control-energy-mended": mended(control, r.ENERGY),
        "reweighted-control-left": control.left(r.HIGH).percent(),
        "reweighted-control-wrong": on_the_wrong_side(control),
        "reweighted-control-r": control.r(r.HIGH, r.ENERGY),
        "reweighted-control-low": areas(control, r.LOW),
        "reweighted-control-more": more_to_learn_from(),
        "reweighted-tells": who_tells(r.GROUPS[moments]),
        "reweighted-control-best": enumerated(
            str(x.arrays["high_losses"][:, 1].argmin() + 1) for x in control.each
        ),
        "reweighted-control-rms-none": control.residual_rms(r.GENERATOR).scaled(100),
        "reweighted-control-rms-again": control.residual_rms(r.AGAIN).scaled(100),
        **{
            f"reweighted-{where}-over-noise-{what}{'-without' * bool(without)}": over_noise(
                one, sample, without
            )
            for where, one in (("control", control), ("papers", at_papers))
            for what, sample, without in (
                ("high", r.HIGH, ()),
                ("high", r.HIGH, HEAVY_TAILED),
                ("again", r.AGAIN, HEAVY_TAILED),
            )
        },
        "reweighted-beside-20": beside_the_papers(20),
        "reweighted-pairs": len(control.each[0].residual(r.HIGH)),
        "reweighted-papers-off": at_papers.in_turn(lambda x: x.halved(r.HIGH)[0], "{}"),
        "reweighted-papers-halved": at_papers.in_turn(lambda x: x.halved(r.HIGH)[1], "{}"),
        "reweighted-coldest": f"{TEMPERATURES[0]:g}",
        "reweighted-hottest": f"{TEMPERATURES[1]:g}",
        "reweighted-control-apart": control.factor(
            lambda x: x.usual_dilution(r.HIGH).value / x.outlook(r.HIGH).dilution.value
        ),
        "reweighted-coin": f"{COIN:g}",
        "reweighted-control-blind": sum(blind(x) for x in control.each),
        "reweighted-outside": in_turn(
            lambda one: f"{np.mean([x.arrays['outside'][1, r.ACTIVE] for x in one.each]):.0%}"
        ),
    }
)
report.tell(
    **{
        f"reweighted-distance-{latents}": f"{distances.mean():.3f}"
        for latents, distances in made[bibae.title].distances.items()
    }
)
distances = made[bibae.title].distances
apart = (distances["fitted"] - distances["normal"]).mean()
report.tell(**{"reweighted-distance-apart": f"{apart:.3f}"})
OWED = [f"dctrgan-fig{k}" for k in range(2, 9)]
for figure in OWED:
    report.origin(figure, results["reweighted-bibae"])
for figure in ("reweighted-fig1", "reweighted-fig2", "reweighted-fig3"):
    report.origin(figure, results["reweighted-simulation"])
for figure in ("reweighted-fig6", "reweighted-fig7", "reweighted-fig8", "reweighted-fig9"):
    report.origin(figure, papers_control)
report.origin("reweighted-fig4", *results.values())

# %% [markdown]
# ## Can they be reweighted?
#
# The high-level classifier has two hidden layers of 128, and its inputs are scaled to a
# mean of zero and a spread of one.  The low-level one has three convolutions of
# {glue:text}`reweighted-filters` filters, with layer norm between them, and dense layers of 64, 256 and 256.  It sees each image turned over
# along $x$ and along $y$ by the toss of a coin, and the smaller sample tiled; its logit is divided by a temperature that
# is fitted to a tenth of the showers, which it is not trained on, and its weights end at {glue:text}`reweighted-low-largest`.
# How many showers they learn from, and on how many further ones everything below is measured, is in
# {numref}`reweighted-sizes`.  All is repeated {glue:text}`reweighted-repetitions` times with new showers and new
# classifiers, and errors are over these repetitions; of BIB-AE and plain GAN there is one training each, and how another
# one would have ended no error says.
#
# The high-level classifier makes {glue:text}`reweighted-epochs` passes over one half of its showers.  On the other half those of the
# fast simulation are told apart best after {glue:text}`reweighted-control-best` of them, and less well from then on.  The
# paper's classifier is "not arrested during training", and at its settings the last pass counts (`keep=last`); here it is
# the {glue:text}`reweighted-keep` one.  {numref}`reweighted-epoch` has what else would have come of the same showers and
# trainings.  A classifier that has seen each shower too often is sure of those that it was trained on; how far off its weights of
# others are, their mean before any clip shows, which is one for the density ratio.
#
# Weights cost events, and the scores of the classifier say how many before any is given ({doc}`gaussians`).  The answer is *no*
# where less than {glue:text}`reweighted-hopeless-share` of the showers are left, or where the mean weight before the clip is
# below {glue:text}`reweighted-hopeless-mean`: less than half of the truth then lies where any shower is generated.  The AUC is a guide
# beside it: above {glue:text}`reweighted-hopeless` Gaussians of equal width would leave less than
# {glue:text}`reweighted-hopeless-gaussians`.  Before the numbers of this page were known that AUC stood in the rule in the place of the
# mean; but a generator beyond it may leave more, and weights may mend it ({numref}`reweighted-length`, {doc}`gaussians`).
# {numref}`reweighted-generators` has the AUC of both classifiers
# for each generator, {numref}`reweighted-fig4` sets what their weights leave beside it.  The answer from the scores is
# {glue:text}`reweighted-answers`.  What is left is to be read with the mean weight: that is one where no part of the truth is
# missing (eq. 10 of the paper), before weights are clipped.  The clip takes from it, and the tables have both.  Before the clip a
# few weights may make all of the mean, so that the repetitions stand there in turn.  A classifier that is sure of every shower gives all generated ones weights of next to nothing, and
# alike; many are left then, but they stand for nothing.
#
# Is it so?  On the right of {numref}`reweighted-fig4` is the price that was paid, $r$ of all observables.  Of the fast
# simulation with high-level weights its median is {glue:text}`reweighted-control-apart` times what the scores predict.  They know the
# spread of weights and nothing of the generator: $r$ below one is that of showers which vary less than the truth's, and
# where the answer is no the few showers that are left may vary by anything.
#
# BIB-AE and plain GAN were trained for {glue:text}`reweighted-training`.  *Getting High* {cite}`buhmann2020`, whose BIB-AE it
# is, has 35 passes over 950,000; what DCTRGAN trains its own for it does not say.  As published, a training that short ends at empty images, where the last ReLU has no
# gradient; ours start from the mean shower, and the question is how far they get from there.  Without weights
# $r$ is the spread of an observable over the truth's: of the active cells of BIB-AE, plain GAN and fast simulation it is
# {glue:text}`reweighted-spread`.  The BIB-AE draws its latent numbers from $\mathcal N(0, 1)$, as published; from a Gaussian mixture that is
# fitted to the codes of training showers (`latents=fitted`) its distance from the truth is {glue:text}`reweighted-distance-fitted` in place of
# {glue:text}`reweighted-distance-normal`, a difference of {glue:text}`reweighted-distance-apart` for one training and one sample of showers, with no error.


# %% tags=["remove-input"]
def of_the_trained(measure):
    """What a trained generator is like before weights; of the fast simulation nothing is trained."""
    return [measure(made[one.title]) if one.title in made else "–" for one in showers]


def nearest(model):
    """Distance from the truth, in the first reading of the latent numbers."""
    return next(iter(model.distances.values())).mean()


titles = [one.title for one in showers]
report.show_table(
    "reweighted-sizes",
    "Showers that the classifiers learn from, and those on which everything is measured",
    ["", *titles],
    [
        ["high-level, of either kind", *(f"{one.study.high_level:,}" for one in showers)],
        ["low-level, of the truth", *(f"{one.study.events:,}" for one in showers)],
        ["low-level, generated", *(f"{one.study.generated:,}" for one in showers)],
        ["low-level, passes", *(one.study.low_epochs for one in showers)],
        ["further ones, of either kind", *(f"{one.study.test_events:,}" for one in showers)],
    ],
)
report.show_table(
    "reweighted-generators",
    "The generators: size, distance from the truth (mean over 93 observables of the Wasserstein distance, in standard "
    "deviations of the truth, and the same between two samples of the truth), and what both classifiers say of them",
    ["", *titles],
    [
        ["of the published weights", *of_the_trained(lambda model: f"{model.share:.1%}")],
        ["distance", *of_the_trained(lambda model: f"{nearest(model):.2f}")],
        ["its floor", *of_the_trained(lambda model: f"{model.floor.mean():.2f}")],
        *(["AUC, " + c, *(area(one, c) for one in showers)] for c in r.CLASSIFIERS),
        *(["showers left, " + c, *(left(one, c) for one in showers)] for c in r.CLASSIFIERS),
        *(
            row
            for c in r.CLASSIFIERS
            for row in (
                ["mean weight, clipped, " + c, *(mean_weight(one, c) for one in showers)],
                ["before the clip, " + c, *(before_clip(one, c) for one in showers)],
            )
        ),
    ],
)
report.show_table(
    "reweighted-epoch",
    "Fast simulation: the high-level classifier of the epoch with the smallest loss of validation, or of the last",
    ["epoch", "AUC", "mean weight, clipped", "before the clip", "showers left", "factor of the active cells", "of the energy",
     "r of the active cells"],
    [
        [
            keep,
            written_area(one.auc(r.HIGH)),
            one.mean_weight(r.HIGH),
            before_clip(one, r.HIGH),
            one.left(r.HIGH).percent(),
            gain(one, r.HIGH, r.ACTIVE),
            gain(one, r.HIGH, r.ENERGY),
            one.r(r.HIGH, r.ACTIVE),
        ]
        for keep, one in epochs.items()
    ],
)  # fmt: skip

# %% mystnb={"figure": {"name": "reweighted-fig4", "caption": "Left: what weights leave of the generated showers, against what the AUC of the classifier that gives them lacks of one: a point a repetition, open ones of the low-level classifier; at the right edge an AUC of one within what the showers resolve. Low-level weights end at {glue:text}`reweighted-low-largest` and leave more than their AUC predicts. Shaded: less than {glue:text}`reweighted-hopeless-share` of the showers; crossed: the answer is no, in the shade for what is left, above it for weights that are alike and next to nothing. Right: the $r$ that was measured with these weights, the median of all observables with the central 68%, against what the scores predict; on the line both are the same.\n\n{glue:text}`reweighted-fig4-origin`"}, "image": {"alt": "Share of the showers that weights leave against one less the AUC, and measured against predicted dilution, for three generators and two classifiers"}} tags=["hide-input"]
figures.outlook_panels(showers)
plt.show()

# %% [markdown]
# ## The control
#
# A photon of {glue:text}`reweighted-made` GeV leaves less energy in fewer cells than one of {glue:text}`reweighted-energy` GeV.  That the high-level model sees, and
# {numref}`reweighted-fig2` shows what its weights make of it: $\langle S^2\rangle$ of the active cells falls by a factor of
# {glue:text}`reweighted-control-cells`, that of the energy by {glue:text}`reweighted-control-energy`, at $r$ of {glue:text}`reweighted-control-r`.  The noise
# of the showers on which it is measured, the floor, caps both factors: above it they are {glue:text}`reweighted-control-cells-above` for the
# active cells, and {glue:text}`reweighted-control-energy-above` for the energy, in turn.  So weights take {glue:text}`reweighted-control-cells-mended` of
# what was wrong out of the one and {glue:text}`reweighted-control-energy-mended` out of the other, and leave
# {glue:text}`reweighted-control-left` of the showers.
#
# The width
# of the beam the high-level model cannot see, as no input knows where in a layer the energy is.  It is left to the low-level model, whose AUC
# is {glue:text}`reweighted-control-low` in turn.  That model learns late: in {glue:text}`reweighted-control-blind` of {glue:text}`reweighted-repetitions`
# repetitions its AUC is within {glue:text}`reweighted-coin` of one half when its passes are over, and showers have nearly the same weight
# ({numref}`reweighted-fig1`).  {glue:text}`reweighted-control-wrong`.  {numref}`reweighted-fig3` sums up all observables.

# %% mystnb={"figure": {"name": "reweighted-fig2", "caption": "Fast simulation: active cells, total energy and centroid of the truth (grey), of the simulation and of it with both kinds of weights. Curves and ratios are of all repetitions added up; bars of the ratios are errors over the showers of both samples. Legends: $\\langle S^2\\rangle$ and $r$, means over repetitions; of the truth, in brackets, $\\langle S^2\\rangle$ of a second sample, the floor, which the grey points below show as well.\n\n{glue:text}`reweighted-fig2-origin`"}, "image": {"alt": "Three observables of truth, fast simulation and weighted fast simulation, with ratios"}} tags=["hide-input"]
THREE = {r.ACTIVE: "active cells", r.ENERGY: "total energy (MeV)", r.CENTROID: "centroid (layers)"}
figures.observable_panels(control, THREE, 3)
plt.show()

# %% mystnb={"figure": {"name": "reweighted-fig1", "caption": "Fast simulation: weights of both classifiers before they are clipped (above), and one against the other, clipped, a point a shower.\n\n{glue:text}`reweighted-fig1-origin`"}, "image": {"alt": "Weights of the two classifiers for the fast simulation: histograms and scatter plot"}} tags=["hide-input"]
figures.weight_panels(control)
plt.show()

# %% mystnb={"figure": {"name": "reweighted-fig3", "caption": "Fast simulation: $\\langle S^2\\rangle$ of all observables, its ratio to that without weights, and $r$; as {numref}`dctrgan-fig8` of the BIB-AE, observables per repetition.\n\n{glue:text}`reweighted-fig3-origin`"}, "image": {"alt": "Summary histograms of separation powers and dilutions for the fast simulation"}} tags=["hide-input"]
figures.summary_panels(control)
plt.show()

# %% [markdown]
# ### At the paper's numbers
#
# What changes with more showers, and a larger low-level network?  {numref}`reweighted-numbers` has the same control once more, from
# {glue:text}`reweighted-numbers-sizes` showers, in {glue:text}`reweighted-numbers-done` of
# {glue:text}`reweighted-numbers-wanted` repetitions.  Both models see more showers, and the low-level one has
# {glue:text}`reweighted-numbers-filters` filters in place of {glue:text}`reweighted-numbers-filters-before` and {glue:text}`reweighted-numbers-passes` for
# {glue:text}`reweighted-numbers-passes-before`.  The
# high-level one still has {glue:text}`reweighted-numbers-high-level` of either kind, half of them to learn from, and of
# all its passes the {glue:text}`reweighted-numbers-keep` one counts.  {glue:text}`reweighted-numbers-rule`.  Its loss of validation was smallest after
# {glue:text}`reweighted-numbers-best` of them, and at the last it is
# {glue:text}`reweighted-numbers-last-loss`, where a coin has {glue:text}`reweighted-numbers-coin`: it knows its showers by heart.
# The mean of its weights tells it without a second sample: before the clip it is {glue:text}`reweighted-numbers-mean` in turn in place of
# one, of which the clip leaves {glue:text}`reweighted-numbers-clipped`.  And
# they take what was right away from the truth: above its floor $\langle S^2\rangle$ of the centroid is
# {glue:text}`reweighted-numbers-centroid-none` thousandths in turn without weights and {glue:text}`reweighted-numbers-centroid-high` with them.
# More showers make that better, but do not mend it: with weights of the last epoch from fewer ones it is
# {glue:text}`reweighted-numbers-centroid-before`.  So a classifier that is "not arrested during training" is to be held to its
# mean weight before its weights are used; that of the paper's classifier is not given.
#
# With high-level weights the paper has an $r$ of 3.6 for the active cells, and of all observables one that is "peaked past two with a tail
# out to around 5".  Here the active cells have {glue:text}`reweighted-numbers-r-last` with weights of the last epoch from fewer showers and
# {glue:text}`reweighted-numbers-r-high` from more, where the best epoch needs {glue:text}`reweighted-numbers-r-best`, and the median of all
# observables is {glue:text}`reweighted-numbers-median-r`.  So such a price may be that of a classifier that is trained for all its passes, and
# need not come from the generator; which of them made the paper's cannot be said from here.
#
# What $r^2$ stands for, the events that weights cost, is "typically between 1-10 while the GAN is many ten-thousand times faster than
# GEANT4", says the paper.  Here $N/N_\mathrm{eff}$ is {glue:text}`reweighted-numbers-r2-best` with the best epoch, and
# {glue:text}`reweighted-numbers-r2-high` at the paper's numbers.  What that buys is not to be had here: our truth is a parametrisation, of which a core makes some
# {glue:text}`reweighted-rate-truth` showers a second, where it makes {glue:text}`reweighted-rate-bibae` of the BIB-AE's.
#
# The low-level model has one pass over many more showers.  Whether it finds the width of the beam by the end of it differs
# between the repetitions, whose showers, shuffles and first weights all differ: its AUC is {glue:text}`reweighted-numbers-low` in turn, the
# mean of its weights before the clip {glue:text}`reweighted-numbers-low-mean`.  Of what the high-level model sees its weights mend
# little: $\langle S^2\rangle$ of the energy above its floor falls by factors of {glue:text}`reweighted-numbers-energy`.
#
# "Interestingly, in cases when the ⟨S²⟩ for the GAN is already good without weighting [...], the modeling still improves with the DCTR
# approach", the paper finds.  The control can test it: without weights {glue:text}`reweighted-floor-best-n` of its {glue:text}`reweighted-length-count`
# observables are at their floor, in turn, within {glue:text}`reweighted-clear` errors.  With high-level weights of the best epoch the median
# $\langle S^2\rangle$ of these goes from {glue:text}`reweighted-floor-best-before` to {glue:text}`reweighted-floor-best-after` thousandths, and that above
# the floor, which is higher for fewer showers, from {glue:text}`reweighted-floor-best-above-before` to {glue:text}`reweighted-floor-best-above-after`;
# {glue:text}`reweighted-floor-best-closer` of them come clearly nearer to the truth, {glue:text}`reweighted-floor-best-farther` go farther from it.
# {glue:text}`reweighted-floor-last`.  {glue:text}`reweighted-floor-answer`.


# %% tags=["remove-input"]
# By the epoch that counts at the paper's numbers, from fewer showers, where that is stored.
by_its_rule = [one for keep, one in epochs.items() if keep == at_papers.study.keep]
scales = [control, *(one for one in by_its_rule if one is not control), at_papers]
if at_papers.study == control.study:
    scales = [control]


def across(what, measure):
    """A row of the table: columns for the showers above, and one for the paper's numbers."""
    return [what, *map(measure, scales)]


def lost_to_the_rule():
    """Whether it is the epoch that makes weights dearer than above, or the number of showers."""
    if len(scales) < 3:
        return "The same epoch counts above, or is not stored from fewer showers"
    best, same, more = (one.left(r.HIGH) for one in scales)
    left = f"leaves {same.percent()} of the showers above as well, and {more.percent()} here, where the {control.study.keep} one leaves {best.percent()}"
    if max(same.value, more.value) < best.value / 2:
        return f"What it loses to the table above it loses to this rule, not to more showers: the {at_papers.study.keep} one {left}"
    return f"The {at_papers.study.keep} one {left}"


def at_floor(one):
    """What high-level weights do to observables that are at their floor without, in turn."""

    def median(sample, of):
        """In thousandths."""
        return one.in_turn(
            lambda x: 1000 * np.median(getattr(x.separations[sample], of)[x.at_floor()]), "{:.2f}"
        )

    return {
        "n": one.in_turn(lambda x: x.at_floor().sum(), "{}"),
        "before": median(r.GENERATOR, "value"),
        "after": median(r.HIGH, "value"),
        "above-before": median(r.GENERATOR, "excess"),
        "above-after": median(r.HIGH, "excess"),
        "closer": one.in_turn(lambda x: x.helped(r.HIGH, x.at_floor()).closer, "{}"),
        "farther": one.in_turn(lambda x: x.helped(r.HIGH, x.at_floor()).farther, "{}"),
    }


def by_the_last_epoch():
    """The same by the rule of the paper's numbers, from fewer showers."""
    if not by_its_rule:
        return "By the last epoch nothing is stored from as few showers"
    found = at_floor(by_its_rule[0])
    return (
        f"With weights of the {at_papers.study.keep} epoch the median above the floor goes to "
        f"{found['above-after']}, and {found['farther']} of them are clearly farther, "
        f"{found['closer']} nearer"
    )


def do_they_improve():
    """Whether what is right without weights gets better by more than the noise."""
    found = [x.helped(r.HIGH, x.at_floor()) for one in scales for x in one.each]
    if sum(x.closer for x in found) > sum(x.farther for x in found):
        return "What is right already gets better more often than worse"
    return "So what is right already does not improve here, beyond the noise, and may be spoiled"


def cost_of_weights(one):
    """Generated showers that weigh as much as one without weights, r^2 of what does not know them."""
    return one.over(lambda x: 1 / x.outlook(r.HIGH).effective_share.value)


def with_passes(one):
    n = one.study.low_epochs
    return f"{n} pass" + "es" * (n > 1)


fewer = by_its_rule[0] if by_its_rule else control
last = mean([x.arrays["high_losses"][-1, 1] for x in at_papers.each])
report.tell(
    **{
        "reweighted-numbers-sizes": f"{at_papers.study.events:,} true and "
        f"{at_papers.study.generated:,} generated",
        "reweighted-numbers-how": f"classifiers of {at_papers.study.events:,} true and "
        f"{at_papers.study.generated:,} generated showers, weights of the {at_papers.study.keep} epoch",
        "reweighted-numbers-done": len(at_papers.each),
        "reweighted-numbers-wanted": at_papers.study.repetitions,
        "reweighted-numbers-high-level": f"{at_papers.study.high_level:,}",
        "reweighted-numbers-keep": at_papers.study.keep,
        "reweighted-numbers-best": enumerated(
            str(x.arrays["high_losses"][:, 1].argmin() + 1) for x in at_papers.each
        ),
        "reweighted-numbers-last-loss": last,
        "reweighted-numbers-coin": f"{np.log(2):.3f}",
        "reweighted-numbers-rule": lost_to_the_rule(),
        "reweighted-numbers-mean": before_clip(at_papers, r.HIGH),
        "reweighted-numbers-clipped": at_papers.mean_weight(r.HIGH),
        "reweighted-numbers-low-mean": before_clip(at_papers, r.LOW),
        **{
            f"reweighted-numbers-centroid-{what}": one.in_turn(
                lambda x, sample=sample: 1000 * x.separations[sample].excess[r.CENTROID], "{:.2g}"
            )
            for what, one, sample in (
                ("none", at_papers, r.GENERATOR),
                ("high", at_papers, r.HIGH),
                ("before", fewer, r.HIGH),
            )
        },
        "reweighted-numbers-low": areas(at_papers, r.LOW),
        "reweighted-numbers-energy": above_floor(at_papers, r.LOW, r.ENERGY),
        "reweighted-numbers-filters": at_papers.study.filters,
        "reweighted-numbers-filters-before": control.study.filters,
        "reweighted-numbers-passes": with_passes(at_papers),
        "reweighted-numbers-passes-before": control.study.low_epochs,
        "reweighted-numbers-r-best": control.r(r.HIGH, r.ACTIVE),
        "reweighted-numbers-r-last": fewer.r(r.HIGH, r.ACTIVE),
        "reweighted-numbers-r-high": at_papers.r(r.HIGH, r.ACTIVE),
        "reweighted-numbers-median-r": at_papers.median_r(r.HIGH),
        "reweighted-numbers-r2-best": cost_of_weights(control),
        "reweighted-numbers-r2-high": cost_of_weights(at_papers),
        "reweighted-rate-truth": f"{control.study.rate:,.0f}",
        "reweighted-rate-bibae": f"{bibae.study.rate:,.0f}",
        "reweighted-clear": f"{CLEAR:g}",
        **{f"reweighted-floor-best-{what}": text for what, text in at_floor(control).items()},
        "reweighted-floor-last": by_the_last_epoch(),
        "reweighted-floor-answer": do_they_improve(),
    }
)
report.show_table(
    "reweighted-numbers",
    "The fast simulation from fewer showers and from the paper's numbers: what both classifiers say, "
    "$\\langle S^2\\rangle$ above its floor without weights and with either kind, in thousandths, $r$ of the active cells and its "
    "median, and the root mean square of the differences of correlations. Factors would compare floors, which fall as the "
    "number of further showers grows; low-level numbers are in turn",
    across("", lambda one: f"{one.study.generated:,} generated"),
    [
        across("repetitions", lambda one: len(one.each)),
        across("further showers, of either kind", lambda one: f"{one.study.test_events:,}"),
        across("high-level, the epoch that counts", lambda one: one.study.keep),
        across("low-level, filters", lambda one: one.study.filters),
        across("low-level, showers in a batch", lambda one: one.study.low_batch),
        across("low-level, passes", lambda one: one.study.low_epochs),
        across("low-level, precision", lambda one: one.study.precision),
        *(
            across(f"{name}, {kind}", lambda one, measure=measure, kind=kind: measure(one, kind))
            for name, measure in {
                "AUC": area,
                "mean weight, clipped": mean_weight,
                "before the clip": before_clip,
                "showers left": left,
            }.items()
            for kind in r.CLASSIFIERS
        ),
        *(
            across(f"{name}, {sample}", lambda one, k=k, sample=sample: excess(one, sample, k))
            for k, name in (
                (r.ACTIVE, "active cells"),
                (r.ENERGY, "total energy"),
                (r.CENTROID, "centroid"),
            )
            for sample in (r.GENERATOR, *r.CLASSIFIERS)
        ),
        *(
            across(f"{name}, {kind}", lambda one, measure=measure, kind=kind: measure(one, kind))
            for name, measure in {
                "r of the active cells": lambda one, kind: over(
                    one, kind, lambda x: x.dilution[kind].value[r.ACTIVE]
                ),
                "median r": median_r,
                "correlations (%)": residual_rms,
            }.items()
            for kind in r.CLASSIFIERS
        ),
        across(
            "correlations (%), no weights", lambda one: one.residual_rms(r.GENERATOR).scaled(100)
        ),
        across("truth again", lambda one: one.residual_rms(r.AGAIN).scaled(100)),
    ],
)

# %% [markdown]
# The paper's figures of these weights are {numref}`reweighted-fig6` (its Fig. 2), {numref}`reweighted-fig7` (Fig. 3),
# {numref}`reweighted-fig8` (Fig. 7) and {numref}`reweighted-fig9` (Fig. 8).  The generator is a wrong simulation in the place of its BIB-AE.

# %% mystnb={"figure": {"name": "reweighted-fig6", "caption": "Fast simulation, {glue:text}`reweighted-numbers-how`: weights of both classifiers before they are clipped (above), and one against the other, clipped, a point a shower, with Pearson's correlation (below).\n\n{glue:text}`reweighted-fig6-origin`"}, "image": {"alt": "Weights of the two classifiers for the fast simulation at the paper's numbers: histograms and scatter plot"}} tags=["hide-input"]
figures.weight_panels(at_papers)
plt.show()

# %% mystnb={"figure": {"name": "reweighted-fig7", "caption": "Fast simulation, {glue:text}`reweighted-numbers-how`: active cells, total energy and centroid, as {numref}`reweighted-fig2`.\n\n{glue:text}`reweighted-fig7-origin`"}, "image": {"alt": "Three observables of truth, fast simulation and weighted fast simulation at the paper's numbers, with ratios"}} tags=["hide-input"]
figures.observable_panels(at_papers, THREE, 3)
plt.show()

# %% mystnb={"figure": {"name": "reweighted-fig8", "caption": "Fast simulation, {glue:text}`reweighted-numbers-how`: linear correlations of the truth less those of a second sample of it, its own, and its own with either kind of weights, in per cent; as {numref}`dctrgan-fig7`.\n\n{glue:text}`reweighted-fig8-origin`"}, "image": {"alt": "Four matrices of differences of correlations of the fast simulation at the paper's numbers"}} tags=["hide-input"]
figures.correlation_panels(at_papers)
plt.show()

# %% mystnb={"figure": {"name": "reweighted-fig9", "caption": "Fast simulation, {glue:text}`reweighted-numbers-how`: $\\langle S^2\\rangle$ of all observables, its ratio to that without weights, and $r$; as {numref}`dctrgan-fig8`, observables per repetition.\n\n{glue:text}`reweighted-fig9-origin`"}, "image": {"alt": "Summary histograms of separation powers and dilutions for the fast simulation at the paper's numbers"}} tags=["hide-input"]
figures.summary_panels(at_papers)
plt.show()

# %% [markdown]
# ## At full size and at length
#
# Is it the method that fails, or the generator?  Another plain GAN has {glue:text}`reweighted-length-size` of the published
# weights, where the one above has {glue:text}`reweighted-length-small`, and the published rate.  It was trained for
# {glue:text}`reweighted-length-training`: {glue:text}`reweighted-length-steps` times the steps of the one above, and
# {glue:text}`reweighted-length-share` of what its authors have.  Size, rate and length differ at once; which of them helps is not
# measured.  There is one training of either, and errors are over {glue:text}`reweighted-length-repetitions` samples of showers and
# classifiers alone.  {numref}`reweighted-length` has both, with classifiers that learn from as many showers, and {numref}`reweighted-fig5` has three
# observables.
#
# This mends most of it.  The median $\langle S^2\rangle$ of the {glue:text}`reweighted-length-count` observables falls from
# {glue:text}`reweighted-length-median-short` to {glue:text}`reweighted-length-median-none`, where two samples of the truth have
# {glue:text}`reweighted-length-floor`, and that of the centroid from {glue:text}`reweighted-length-centroid-short` to
# {glue:text}`reweighted-length-centroid-none`.  Most of what is left is in the number of active cells and in the energy: too few
# cells, and too much in them.  It is not all: correlations are off by {glue:text}`reweighted-length-rms`% where a second sample of the truth
# is by {glue:text}`reweighted-length-rms-again`%.  Cells and energy together, which go hand in hand in the truth, distinguish nearly every generated shower from a
# true one.  The AUC is {glue:text}`reweighted-length-auc`, but weights leave {glue:text}`reweighted-length-left` of the showers, and the answer from the
# scores is *{glue:text}`reweighted-length-answer`*, where that of the GAN above is *{glue:text}`reweighted-length-answer-short`*.
#
# What that means can be measured here.  High-level weights leave as many showers as {glue:text}`reweighted-length-effective` of the
# truth would be, of {glue:text}`reweighted-length-test`; the clip at {glue:text}`reweighted-largest` takes {glue:text}`reweighted-length-cut` of the sum of
# all weights, whose mean before it is {glue:text}`reweighted-length-mean` in turn.  Even right weights on so few showers give a median
# $\langle S^2\rangle$ of {glue:text}`reweighted-length-noise` (from the weights in each bin, an underestimate where most bins have no heavy one) to
# {glue:text}`reweighted-length-noise-truth` (that of as many true showers).
# {glue:text}`reweighted-length-grows`.  Above the lower estimate the active cells fall from
# {glue:text}`reweighted-length-cells-none` to {glue:text}`reweighted-length-cells-high` and the energy from {glue:text}`reweighted-length-energy-none` to
# {glue:text}`reweighted-length-energy-high`: what was wrong is mended as far as so few showers tell, and in
# {glue:text}`reweighted-length-quantiles` cells they are worth {glue:text}`reweighted-length-worth-high` points in place of {glue:text}`reweighted-length-worth-none`.  Of what was
# right the median goes from {glue:text}`reweighted-length-above-none` above its noise to {glue:text}`reweighted-length-above-high` above the lower estimate, and by that
# {glue:text}`reweighted-length-farther` observables are clearly farther from the truth, {glue:text}`reweighted-length-closer` nearer.
# By the higher one it is at {glue:text}`reweighted-length-above-truth`: {glue:text}`reweighted-length-worse`.
#
# The low-level model has learned little when its one pass over as few showers is over.  Its AUC is {glue:text}`reweighted-length-low` in turn, so that it
# ranks them, but its loss of validation is {glue:text}`reweighted-length-low-loss`, where a coin has {glue:text}`reweighted-length-coin`: its weights are flat and change
# nothing.


# %% tags=["remove-input"]
short = r.read(wherever_stored(ReweightedGAN.with_overrides(ReweightedGAN.presets["laptop"], {})))
at_full_size = wherever_stored(at_length(ReweightedGAN))
long = r.read(at_full_size)
EVERYTHING = slice(None)


def steps(training):
    return training.work([(0,)]) / training.batch_size


def noise_of_truth(repetition):
    """Median <S^2> of as many showers of the truth as high-level weights leave."""
    left = repetition.outlook(r.HIGH).effective_share.value * long.study.test_events
    return np.median([long.s2_of_truth(left, k) for k in range(r.OBSERVABLES)])


def median_above(sample):
    """<S^2> above the noise of the test showers, the median of all observables."""
    return long.over(lambda x: np.median(x.separations[sample].excess))


def beside(what, measure):
    """A row of the table."""
    return [what, *map(measure, (short, long))]


brief, lengthy = (one.study.made_of() for one in (short, long))
whole = replace(lengthy, **lengthy.published)
cells = max(long.study.quantiles)
changed = [x.helped(r.HIGH, EVERYTHING) for x in long.each]
grown = long.median_s2(r.HIGH, EVERYTHING)
# What the median has above the higher estimate of its noise.
clearly = long.over(lambda x: np.median(x.separations[r.HIGH].value) - noise_of_truth(x))
worse = clearly.interval().low > 0
report.tell(
    **{
        "reweighted-length-size": f"{trained_generator(wherever_stored(lengthy)).share:.0%}",
        "reweighted-length-small": f"{trained_generator(wherever_stored(brief)).share:.0%}",
        "reweighted-length-training": f"{lengthy.epochs} passes over {lengthy.showers:,} showers",
        "reweighted-length-steps": f"{steps(lengthy) / steps(brief):.0f}",
        "reweighted-length-share": f"{steps(lengthy) / steps(whole):.0%}",
        "reweighted-length-repetitions": len(long.each),
        "reweighted-length-count": r.OBSERVABLES,
        "reweighted-length-median-short": short.median_s2(r.GENERATOR, EVERYTHING),
        "reweighted-length-median-none": long.median_s2(r.GENERATOR, EVERYTHING),
        "reweighted-length-grows": f"The {grown} to which the median grows "
        + ("is more than that" if worse else "may be no more than that"),
        "reweighted-length-above-truth": clearly,
        "reweighted-length-worse": "what was right gets worse by that, too"
        if worse
        else "whether what was right gets worse cannot be told of so few showers",
        "reweighted-length-floor": long.median_s2(r.AGAIN, EVERYTHING),
        "reweighted-length-centroid-short": short.s2(r.GENERATOR, r.CENTROID),
        "reweighted-length-centroid-none": long.s2(r.GENERATOR, r.CENTROID),
        "reweighted-length-rms": long.residual_rms(r.GENERATOR).scaled(100),
        "reweighted-length-rms-again": long.residual_rms(r.AGAIN).scaled(100),
        "reweighted-length-answer": answers(long),
        "reweighted-length-answer-short": answers(short),
        "reweighted-length-auc": written_area(long.auc(r.HIGH)),
        "reweighted-length-left": long.left(r.HIGH).percent(),
        "reweighted-length-effective": long.left(r.HIGH).scaled(long.study.test_events),
        "reweighted-length-test": f"{long.study.test_events:,}",
        "reweighted-length-cut": long.over(lambda x: x.outlook(r.HIGH).cut).percent(),
        "reweighted-length-mean": before_clip(long, r.HIGH),
        "reweighted-length-noise": long.over(lambda x: np.median(x.separations[r.HIGH].floor)),
        "reweighted-length-noise-truth": long.over(noise_of_truth),
        "reweighted-length-quantiles": cells,
        **{
            f"reweighted-length-{what}-{kind}": measure
            for kind, sample in (("none", r.GENERATOR), ("high", r.HIGH))
            for what, measure in (
                ("cells", long.excess(sample, r.ACTIVE)),
                ("energy", long.excess(sample, r.ENERGY)),
                ("above", median_above(sample)),
                ("worth", long.worth(cells, sample)),
            )
        },
        "reweighted-length-farther": mean([one.farther for one in changed]),
        "reweighted-length-closer": mean([one.closer for one in changed]),
        "reweighted-length-low": areas(long, r.LOW),
        "reweighted-length-low-loss": long.over(lambda x: x.arrays["low_losses"][-1, 1]),
        "reweighted-length-coin": f"{np.log(2):.4f}",
    }
)
report.origin("reweighted-fig5", at_full_size)
SAMPLES = (r.GENERATOR, *r.CLASSIFIERS)
NAMED = {r.ACTIVE: "active cells", r.ENERGY: "energy", r.CENTROID: "centroid"}
report.show_table(
    "reweighted-length",
    "Two plain GANs, of the preset `laptop` and at length: how they were trained, $\\langle S^2\\rangle$ without weights "
    "and with either kind, what the classifiers say, and root mean squares of differences of correlations",
    beside("", lambda one: one.study.trained),
    [
        beside(
            "passes × showers",
            lambda one: f"{one.study.made_of().epochs} × {one.study.made_of().showers:,}",
        ),
        beside("steps", lambda one: f"{steps(one.study.made_of()):,.0f}"),
        beside("rate", lambda one: f"{one.study.made_of().learning_rate:g}"),
        *(
            beside(f"{NAMED[o]}, {sample}", lambda one, o=o, sample=sample: s2(one, sample, o))
            for o in NAMED
            for sample in SAMPLES
        ),
        *(
            beside(
                f"median, {sample}", lambda one, sample=sample: median_s2(one, sample, EVERYTHING)
            )
            for sample in (*SAMPLES, r.AGAIN)
        ),
        *(
            beside(f"{name}, {kind}", lambda one, measure=measure, kind=kind: measure(one, kind))
            for name, measure in {
                "AUC": area,
                "mean weight, clipped": mean_weight,
                "before the clip": before_clip,
                "showers left": left,
                "median r": median_r,
            }.items()
            for kind in r.CLASSIFIERS
        ),
        *(
            beside(
                f"correlations, {sample} (%)",
                lambda one, sample=sample: residual_rms(one, sample),
            )
            for sample in (*SAMPLES, r.AGAIN)
        ),
    ],
)

# %% mystnb={"figure": {"name": "reweighted-fig5", "caption": "Plain GAN, at full size and trained at length: active cells, total energy and centroid, as {numref}`reweighted-fig2`. Curves and ratios are of all repetitions added up, numbers in legends means of single ones.\n\n{glue:text}`reweighted-fig5-origin`"}, "image": {"alt": "Three observables of truth, plain GAN and weighted plain GAN, with ratios"}} tags=["hide-input"]
figures.observable_panels(long, THREE, 3)
plt.show()

# %% [markdown]
# ## The paper's figures, of a BIB-AE far too small
#
# The paper's figures are of its generator, a BIB-AE.  Ours has {glue:text}`reweighted-bibae-network`: these figures have the paper's form, but
# do not test what it says.  What weights do where they can do something is in {numref}`reweighted-fig6` to {numref}`reweighted-fig9`.
#
# {numref}`dctrgan-fig2` has the weights of the BIB-AE's showers, {numref}`dctrgan-fig3`, {numref}`dctrgan-fig4`,
# {numref}`dctrgan-fig5` and {numref}`dctrgan-fig6` have what these make of its observables, {numref}`dctrgan-fig7` of the
# correlations between them, and {numref}`dctrgan-fig8` has all of it in one place.  It is a generator of which the scores say *{glue:text}`reweighted-bibae-answer`*.  Where they say no, the figures are
# of weights that have nothing to weigh, since no generated shower lies where the truth is.  Either all are next to nothing and nearly alike, and change nothing, or the few showers that lie nearest
# to the truth stand for all others.  How many are left says which it is: {glue:text}`reweighted-bibae-high-left` with high-level weights, whose mean before the clip is
# {glue:text}`reweighted-bibae-high-mean`, and {glue:text}`reweighted-bibae-low-left` with low-level ones, with a mean of {glue:text}`reweighted-bibae-low-mean`.  Axes are not the paper's: they hold 99.6% of our truth, whose
# layers see other energies.  $\langle S^2\rangle$ is taken on histograms whose sum is one; the paper's
# code takes them with an integral of one, which divides by the width of a bin.  What lies
# outside of an axis does not enter, {glue:text}`reweighted-outside` of the active cells of BIB-AE, plain GAN and fast simulation.
# Layers are counted from zero here, as in the paper's code, and from one in the centroid, as in its text.  Its released notebook has
# slips that are not repeated: truth energies among the low-level ones, the centroid in the place of the energy,
# shares of energy divided by the truth's, and a bootstrap of the first layer where a difference is meant.

# %% mystnb={"figure": {"name": "dctrgan-fig2", "caption": "A BIB-AE of {glue:text}`reweighted-bibae-network`: weights of the low-level and the high-level model before they are clipped, and, where both can be drawn, one against the other. Where most weights lie beyond the paper's axis the histograms are of these showers alone. {glue:text}`reweighted-bibae-unseen`.\n\n{glue:text}`dctrgan-fig2-origin`"}, "image": {"alt": "Weights of the two classifiers for the BIB-AE: histograms and scatter plot"}} tags=["hide-input"]
figures.weight_panels(bibae)
plt.show()

# %% mystnb={"figure": {"name": "dctrgan-fig3", "caption": "A BIB-AE of {glue:text}`reweighted-bibae-network`: active cells, total energy and centroid of the truth (grey), of the generator and of it with both kinds of weights. Curves and ratios are of all repetitions added up; bars of the ratios are errors over the showers of both samples. Legends: $\\langle S^2\\rangle$ and $r$, means over repetitions; of the truth, in brackets, $\\langle S^2\\rangle$ of a second sample, the floor, which the grey points below show as well.\n\n{glue:text}`dctrgan-fig3-origin`"}, "image": {"alt": "Three observables of truth, BIB-AE and weighted BIB-AE, with ratios"}} tags=["hide-input"]
figures.observable_panels(bibae, THREE, 3)
plt.show()

# %% mystnb={"figure": {"name": "dctrgan-fig4", "caption": "A BIB-AE of {glue:text}`reweighted-bibae-network`: energy in representative layers; as {numref}`dctrgan-fig3`.\n\n{glue:text}`dctrgan-fig4-origin`"}, "image": {"alt": "Energies of six layers of truth, BIB-AE and weighted BIB-AE, with ratios"}} tags=["hide-input"]
LAYERS = {r.layer(k): f"energy in layer {k} (MeV)" for k in (2, 5, 10, 15, 20, 25)}
figures.observable_panels(bibae, LAYERS, 3)
plt.show()

# %% mystnb={"figure": {"name": "dctrgan-fig5", "caption": "A BIB-AE of {glue:text}`reweighted-bibae-network`: energy of a layer less that of the next (above) and of the fourth behind it (below); as {numref}`dctrgan-fig3`.\n\n{glue:text}`dctrgan-fig5-origin`"}, "image": {"alt": "Energy differences of layers of truth, BIB-AE and weighted BIB-AE, with ratios"}} tags=["hide-input"]
DIFFERENCES = {
    r.difference(k, k + step): f"layer {k} − layer {k + step} (MeV)"
    for step in (1, 4)
    for k in (5, 10, 15, 20)
}
figures.observable_panels(bibae, DIFFERENCES, 4)
plt.show()

# %% mystnb={"figure": {"name": "dctrgan-fig6", "caption": "A BIB-AE of {glue:text}`reweighted-bibae-network`: energy-weighted second moment along $x$ of every layer, which the high-level model was never shown. The numbers are $\\langle S^2\\rangle$ and $r$ in the colour of the curve, in brackets the floor. Curves and ratios are of all repetitions added up; bars of the ratios are errors over the showers of both samples.\n\n{glue:text}`dctrgan-fig6-origin`"}, "image": {"alt": "Second moments of thirty layers of truth, BIB-AE and weighted BIB-AE, with ratios"}} tags=["hide-input"]
MOMENTS = {r.moment(k): f"layer {k}" for k in range(30)}
figures.moment_panels(bibae, MOMENTS, 5)
plt.show()

# %% mystnb={"figure": {"name": "dctrgan-fig7", "caption": "A BIB-AE of {glue:text}`reweighted-bibae-network`: linear correlations of the truth less those of a second sample of it, the floor, its own, and its own with high-level and with low-level weights, in per cent. First moments $X$, $Y$, $Z$ and second moments $X_2$, $Y_2$, $Z_2$, visible energy, number of active cells, and the shares of the energy in thirds of the layers, each of its own sample's energy. Matrices are means over repetitions. Above each the mean over repetitions of the root mean square of all pairs, which is larger than that of the mean matrix.\n\n{glue:text}`dctrgan-fig7-origin`"}, "image": {"alt": "Four matrices of differences of correlations"}} tags=["hide-input"]
figures.correlation_panels(bibae)
plt.show()

# %% mystnb={"figure": {"name": "dctrgan-fig8", "caption": "A BIB-AE of {glue:text}`reweighted-bibae-network`: $\\langle S^2\\rangle$ (left), its ratio to that without weights (middle) and $r$ (right), of the 33 inputs of the high-level model, of the second moments along $x$ and along $y$, and of 300 differences of layers. Dotted: two samples of the truth. The values of all repetitions are counted together and divided by their number: observables per repetition. What lies beyond an axis is in its last bin.\n\n{glue:text}`dctrgan-fig8-origin`"}, "image": {"alt": "Summary histograms of separation powers and dilutions for the BIB-AE"}} tags=["hide-input"]
figures.summary_panels(bibae)
plt.show()

# %% [markdown]
# ## What weights do
#
# Of the active cells the paper says that $\langle S^2\rangle$ falls by a factor of 20 with high-level weights and of 5 with low-level
# ones.  {numref}`reweighted-weights` has what it does here, where a factor below one says that it has grown.  How far
# it can fall is a matter of the floor, and of the number of showers that the classifier learns from: with its floor that of the fast
# simulation falls by {glue:text}`reweighted-control-cells`, above it by {glue:text}`reweighted-control-cells-above` in turn.
# {glue:text}`reweighted-beside-20`.
#
# Do weights mend what their classifier was never shown?  The table counts the second moments that come nearer to
# the truth and those that go farther from it, beside the inputs themselves; what moves by no more than the noise of the
# showers is in neither number.  Where a generator was at the floor before, as the fast simulation in its
# second moments, there is nothing to mend, and weights at best add no more than the noise of fewer showers.
# {glue:text}`reweighted-tells`.  The
# temperature is looked for from {glue:text}`reweighted-coldest` to {glue:text}`reweighted-hottest`, and either may be what is found: the lower bound is that of a
# classifier that is sure of every shower, the upper one of one that tells none apart.  The price is $r$, in the last rows.
#
# Of the correlations the paper says that they improve, "with many of the residual differences reducing by factors of about 2-10".  Those of
# the fast simulation are right without weights: they differ from the truth's by {glue:text}`reweighted-control-rms-none`%, where a second sample of the
# truth differs by {glue:text}`reweighted-control-rms-again`%.  What do weights do to them?  At the paper's numbers, where there are most showers, the
# differences are {glue:text}`reweighted-papers-over-noise-high` times what the errors of both samples would make, in turn.  The largest are
# of pairs with $E_2$, the energy of the middle third, whose tail a few late showers make, so that the linear errors of its correlations are not to be
# trusted.  Without these pairs it is {glue:text}`reweighted-papers-over-noise-high-without` times the noise, where a second sample of the truth has
# {glue:text}`reweighted-papers-over-noise-again-without`: there weights damage correlations.  From fewer showers and with the best epoch all pairs make
# {glue:text}`reweighted-control-over-noise-high`, driven by $E_2$; without it the excess is
# {glue:text}`reweighted-control-over-noise-high-without` times the noise, where two samples of the truth have
# {glue:text}`reweighted-control-over-noise-again-without`, and this alone would decide nothing.  Of the pairs that are clearly off without weights,
# {glue:text}`reweighted-papers-off` of {glue:text}`reweighted-pairs` at the paper's numbers, weights more than halve {glue:text}`reweighted-papers-halved`
# by more than the noise.
#
# {numref}`reweighted-rivals` and {numref}`reweighted-groups` have the three generators side by side.


# %% tags=["remove-input"]
def of_kinds(what, measure, kinds=r.CLASSIFIERS):
    """Rows of the table, one for each classifier."""
    return [[f"{what}, {kind}", *(measure(one, kind) for one in showers)] for kind in kinds]


report.show_table(
    "reweighted-weights",
    "What weights of either classifier do: factors by which $\\langle S^2\\rangle$ of active cells and energy falls, with its floor and "
    "above it; of "
    f"{r.FIRST_X} inputs and {r.FIRST_DIFFERENCE - r.FIRST_X} second moments, how many come nearer to the truth and, after the semicolon, go farther "
    f"from it by more than {CLEAR:g} errors; and what it costs. High-level weights are clipped at {study.largest:g}",
    ["", *titles],
    [
        *(
            row
            for name, k in (("active cells", r.ACTIVE), ("energy", r.ENERGY))
            for row in (
                *of_kinds(
                    f"{name}, with the floor",
                    lambda one, kind, k=k: (
                        gain(one, r.HIGH, k)
                        if kind == r.HIGH
                        else one.in_turn(lambda x: x.gain(kind, k))
                    ),
                ),
                *of_kinds(f"{name}, above it", lambda one, kind, k=k: above_floor(one, kind, k)),
            )
        ),
        *of_kinds("inputs", lambda one, kind: helped(one, kind, inputs)),
        *of_kinds("second moments", lambda one, kind: helped(one, kind, moments)),
        ["correlation of both", *(one.pearson for one in showers)],
        [
            "clipped, high-level",
            *(one.in_turn(lambda x: x.outlook(r.HIGH).clipped, "{}") for one in showers),
        ],
        [
            "temperature, low-level",
            *(one.in_turn(lambda x: x.arrays["temperature"][1], "{:.2g}") for one in showers),
        ],
        *of_kinds(
            "r from, to",
            lambda one, kind: range_of([x.dilution[kind].value for x in one.each], "{:.2f}"),
        ),
    ],
)


# %% tags=["remove-input"]
def side_by_side(measures):
    """Rows of the three generators, of each without weights and with them."""
    samples = (r.AGAIN, r.GENERATOR, *r.CLASSIFIERS)
    names = {r.AGAIN: "truth again", r.GENERATOR: "none"}
    return [
        [one.title if k == 0 else "", names.get(s, s), *(measure(one, s) for measure in measures)]
        for one in showers
        for k, s in enumerate(samples)
    ]


report.show_table(
    "reweighted-rivals",
    "Generators without weights and with them: $\\langle S^2\\rangle$ of three observables",
    ["generator", "weights", "active cells", "total energy", "centroid"],
    side_by_side([lambda one, sample, k=k: s2(one, sample, k) for k in THREE]),
)
report.show_table(
    "reweighted-groups",
    "Of all observables: medians of $\\langle S^2\\rangle$ over the groups of {numref}`dctrgan-fig8`, the median $r$, and the "
    "root mean square of the differences of correlations (%)",
    ["generator", "weights", "inputs", "moments", "differences", "r", "correlations"],
    side_by_side(
        [
            *(
                lambda one, sample, which=which: median_s2(one, sample, which)
                for which in r.GROUPS.values()
            ),
            lambda one, sample: "–" if sample == r.AGAIN else median_r(one, sample),
            residual_rms,
        ]
    ),
)

# %% [markdown]
# ## What are they worth?
#
# The question of {cite}`butter2020`, asked of showers: how many showers of the truth show it as well as ever more generated
# ones, $N_\mathrm{equiv}$?  Cells of equal mass are cut from showers of the truth that no network has seen, in total energy, centroid,
# active cells, the energy and the second moment of the eleventh layer and the energy of the twenty-first; what the generated
# ones put into them is held to equal shares, and the noise of both samples is taken off, as of other generators
# ({doc}`yours`).  {numref}`reweighted-worth` has it for each generator, and for it with weights, beside the number of showers that the
# generator was trained on: a generator that is worth more amplifies, and one that is worth ten times that would save nine tenths
# of the simulation.  Weighted showers have learned from the classifier's truth as well, the second number.  A second sample
# of the truth, of which ever more are worth ever more, shows how far the cells can tell.
#
# {glue:text}`reweighted-worth-answer`
#
# In {glue:text}`reweighted-worth-cells` cells ever more showers of the fast simulation are worth {glue:text}`reweighted-worth-none` of the truth's as they
# are, {glue:text}`reweighted-worth-high` with high-level weights and {glue:text}`reweighted-worth-low` with low-level ones.
# The {glue:text}`reweighted-worth-axes` axes that these cells are cut in are all inputs of the high-level classifier, and of the
# {glue:text}`reweighted-worth-axes-fine` of {glue:text}`reweighted-worth-cells-fine` cells all but the second moment: what it was shown it can mend.
# Of a second sample of the truth itself, as large as those of BIB-AE and plain GAN, these cells say no more than that it is worth
# {glue:text}`reweighted-worth-again` showers: they could not show that a generator is worth more than the {glue:text}`reweighted-worth-brief` it has learned from.
#
# Where weights leave fewer showers than there are cells nothing can be said, and where they are alike, as those of a classifier
# that is sure of all showers, they change nothing.
#
# $\langle S^2\rangle$ asks the same of one observable at a time: $N$ showers of the truth are expected at $(B - 1)/4N$ from the truth,
# in $B$ bins.  {numref}`reweighted-worth-s2` has what is left of $\langle S^2\rangle$ above the noise of the showers that it is measured
# on, beside that of as many showers of the truth as generator or classifiers have learned from, and of ten times as many.


# %% tags=["remove-input"]
def sample_worth(one, q, sample):
    """N_equiv, or why there is none."""
    found = one.worth(q, sample)
    if sample == r.LOW and found is not None:
        return one.in_turn(lambda x: 1 / x.cells[q][sample].inverse)
    if found is None:
        left = min(x.cells[q][sample].effective for x in one.each)
        return f"{left:.2g} showers left"
    return found


def learned(one):
    """Showers of the truth that generator and classifiers were trained on."""
    trained_on = f"{one.study.made_of().showers:,}" if one.title in made else "simulates"
    return [trained_on, f"{one.study.events:,}"]


coarse, fine = control.study.quantiles


def axes(q):
    """Of those that cells are cut in, how many q of them look at."""
    return min((q - 1).bit_length(), len(IN_CELLS))


def worth_answer():
    """Of the trained generators and of the control."""
    poor = [
        found.value
        for one in (bibae, gan)
        for q in one.study.quantiles
        for sample in (r.GENERATOR, r.HIGH)
        if isinstance(found := one.worth(q, sample), Estimate)
    ]
    trained_on = min(one.study.made_of().showers for one in (bibae, gan))
    if not poor:
        return f"Of {bibae.title} and {gan.title} nothing can be told in these cells."
    nothing = "nothing amplifies" if max(poor) < trained_on else "one of them amplifies"
    weighted = {q: control.worth(q, r.HIGH) for q in control.study.quantiles}
    worth = enumerated(f"{one or 'too few to tell'} ({q} cells)" for q, one in weighted.items())
    bound = all(isinstance(one, AtLeast) for one in weighted.values())
    return (
        f"{bibae.title} and {gan.title} are worth {min(poor):.0f} to {max(poor):.0f} showers of "
        f"{trained_on:,}, and {nothing}; the weighted simulation is worth {worth} of the "
        f"{control.study.events:,} that its classifier learned from"
        + ", and more this test cannot say" * bound
        + "."
    )


report.tell(
    **{
        "reweighted-worth-answer": worth_answer(),
        "reweighted-worth-cells": coarse,
        "reweighted-worth-cells-fine": fine,
        "reweighted-worth-axes": axes(coarse),
        "reweighted-worth-axes-fine": axes(fine),
        "reweighted-worth-again": bibae.worth(coarse, r.AGAIN),
        "reweighted-worth-brief": f"{bibae.study.made_of().showers:,}",
        "reweighted-worth-none": sample_worth(control, coarse, r.GENERATOR),
        "reweighted-worth-high": sample_worth(control, coarse, r.HIGH),
        "reweighted-worth-low": sample_worth(control, coarse, r.LOW),
    }
)
report.show_table(
    "reweighted-worth",
    "$N_\\mathrm{equiv}$ of ever more generated showers, means over repetitions with 95% limits where there is only a "
    "lower one",
    ["generator", "cells", "trained on", "classifier", "truth again", "no weights", *r.CLASSIFIERS],
    [
        [one.title, q, *learned(one), *(sample_worth(one, q, s) for s in r.IN_THE_CELLS)]
        for one in showers
        for q in one.study.quantiles
    ],
)


# %% tags=["remove-input"]
def beside_truth(one, observable):
    """<S^2> above the floor, and that of the truth it was learned from and of ten times as much."""
    known = one.study.made_of().showers if one.title in made else one.study.events
    of_truth = [one.s2_of_truth(n, observable) for n in (known, 10 * known)]
    found = [
        over(one, s, lambda x, s=s: x.separations[s].excess[observable], "{:.2g}")
        for s in (r.GENERATOR, *r.CLASSIFIERS)
    ]
    return [*found, f"{known:,}", *(f"{s2:.1g}" for s2 in of_truth)]


report.show_table(
    "reweighted-worth-s2",
    "$\\langle S^2\\rangle$ above its floor, and what it would be of a sample of the truth, as large as that which the generator was "
    "trained on (for the fast simulation: the classifier) and ten times that. An estimate without bias may be below zero",
    ["generator", "observable", "no weights", *r.CLASSIFIERS, "trained on", "as many of the truth",
     "ten times that"],
    [
        [one.title if k == r.ACTIVE else "", name, *beside_truth(one, k)]
        for one in showers
        for k, name in {r.ACTIVE: "active cells", r.ENERGY: "energy", r.CENTROID: "centroid"}.items()
    ],
)  # fmt: skip

# %% [markdown]
# ## What the paper leaves open
#
# The paper describes its generator by what it changes in that of *Getting High*, whose code is public; the changed code is not.  Here as there, an encoder makes 24 latent
# numbers of an image, a decoder an image of these and of noise; a critic compares the image with its reconstruction, and a latent critic, the Kullback-Leibler divergence and the mean
# discrepancy hold the latent numbers to $\mathcal N(0, 1)$.  A post-processor there is none.  Open were:
#
# - "Each critic is replaced by a set of two", of which "one of the two has its weights reset after every epoch": the latent critic as well; what the autoencoder minimises has the mean of both, and what is
#   reset loses the moments of its optimiser, too.
# - "Uniform noise": that which is set beside the latent numbers, on $[-1, 1]$; the latent numbers stay normal.
# - Which weights count: those whose showers are nearest to the truth in 93 observables, each by itself (the mean of the Wasserstein distances).
# - Where the training starts: from the mean shower, which is added before the last ReLU.
# - The low-level classifier's layer norm: over cells and channels together.  Over the cells of each channel it would take the energy out of an image.
# - How many showers the high-level classifier sees, and that half of them only validate: {glue:text}`reweighted-high-level` of either kind here; 50,000 and one half in the released code.
#
# The released notebook's slips are named above, and not repeated.

# %% tags=["nbval-check-output", "remove-cell"]
for one in (*showers, at_papers, long):
    print(one.title, "AUC", one.auc(r.HIGH), one.auc(r.LOW), "left", one.left(r.HIGH).percent())
    for sample in (r.GENERATOR, *r.CLASSIFIERS):
        print(" ", sample, *(one.s2(sample, k) for k in THREE), one.r(sample, r.ACTIVE))
    for q in one.study.quantiles:
        print("  worth", q, *(one.worth(q, s) for s in r.IN_THE_CELLS))
