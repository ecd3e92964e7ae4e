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
# # What the buffer is for: priors, reconstructions, principal components
#
# A B-VAE draws its codes from a *density information buffer*: it picks a training event, encodes it and moves the code by
# the event's own small $\sigma$.  Would a density that is fitted to the codes not do as well?  It would need no training events,
# could be as smooth as one likes, and would say how probable a code is.  The event paper {cite}`otten2019` tries three kinds of them on the
# model that it considers best, with {glue:text}`latent-dim` latent dimensions and $B =$ {glue:text}`latent-b`, and finds that none comes near the buffer.
# {glue:text}`latent-answer`
#
# This page repeats the paper's test, asks what the encoder makes of what is no event at all and of events of other processes, and follows the principal components
# of the codes to the events they stand for.  It ends with a file of a million top pairs, and what it may be used for.

# %% tags=["parameters"]
preset = "best"
seed = None
alpha = None
gamma = None
components = None
staged = None
quantiles = None

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(globals(), "preset", study="latent-priors")

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display

from amplib.book import report
from amplib.book.obtain import obtain, stored
from amplib.estimate import AtLeast, Share, enumerated, written_area
from amplib.metrics.ranks import ranked
from amplib.models.config import BufferConfig
from amplib.models.kde import BANDWIDTHS
from amplib.store.results import wherever_stored
from amplib.studies.latent import figures
from amplib.studies.latent.asked import Trained
from amplib.studies.latent.charts import (
    ANGLES,
    AROUND,
    BESIDE,
    COMPANIONS,
    EVERY,
    INPUTS,
    RADII,
    SCORES,
)
from amplib.studies.latent.claims import (
    WELL,
    WORSE,
    buffer_of,
    in_phi,
    in_the_other_reading,
    learned,
)
from amplib.studies.latent.display import objects_of
from amplib.studies.latent.explorer import explorer
from amplib.studies.latent.priors import Latent
from amplib.studies.latent.reading import (
    PAPER,
    Chart,
    anomalies,
    judged_priors,
    marginal_chi2,
    within_a_step,
)
from amplib.studies.latent.study import Prior
from amplib.studies.latent.words import of_none_negative
from amplib.studies.merit.judge import DIRECTIONS
from amplib.studies.merit.reading import stored_reference
from amplib.studies.topvae.reading import ChosenEvents, ReadEvents
from amplib.truth.collisions import other_processes
from amplib.truth.collisions.columns import GEV, TTBAR

OF_PRIORS = ("components", "staged", "quantiles")  # what the map does not have
of_map = {name: value for name, value in given.items() if name not in OF_PRIORS}
stored("latent-map", **of_map)  # a value that either refuses is refused before any work
result = obtain("latent-priors", **given)
coded = obtain("latent-map", **{**of_map, "preset": result.preset})  # priors beside their codes
mapped = obtain("latent-map", **of_map)
# What is odd is simulated, and is told from simulated top pairs.
simulated = {name: value for name, value in of_map.items() if name != "source"}
tried = obtain("latent-anomalies", **simulated)
asked_ways = stored("top-readings", mapped.preset)
priors, codes, chart = judged_priors(result), Chart.of(coded).codes, Chart.of(mapped)
none_negative = stored("latent-priors", **{**given, "preset": result.preset, "negative": "zero"})
cut = judged_priors(none_negative) if none_negative.done() else {}
# What `generate` draws from is the model of the map: its priors, as far as they are judged.
of_shipped = stored("latent-priors", **{**given, "preset": mapped.preset})
of_shipped = of_shipped if of_shipped.done() else result
shipped = judged_priors(of_shipped)
odd = anomalies(tried)
models = {s.study.scan(): Trained.of(s.study) for s in (result, mapped, tried)}
beside_odd = stored("latent-anomalies", **{**simulated, "preset": "laptop"})  # a shorter training
reference = stored_reference(wherever_stored(result.study.scan().made_of()))

# %% tags=["remove-input"]
report.show_banner(result, mapped, tried)

# %% tags=["remove-cell"]
EXAMPLE = 62
"""Of the numbered events of Fig. 9 the one that the paper names."""
GAINED = 2
"""Errors that an area has to rise by for more to be found."""
NEGLIGIBLE = 1e-4
"""An error over its value that no fit of another start would be within."""
COLLAPSED = 1.0
"""A mean chi-squared of the codes' dimensions, of at most 2, beyond which nothing is fitted."""
buffer, others = buffer_of(priors), learned(priors)
best = min(others, key=lambda name: others[name].delta.value)
best_of = min(others, key=lambda name: others[name].delta_of["eta"].value)
stages = {name: p for name, p in others.items() if p.prior.kind == "staged"}
best_stage = min(stages, key=lambda name: stages[name].delta.value)
kernels = [p for p in priors.values() if p.prior.kind == "kernels"]
normal = next(p for p in priors.values() if p.prior.kind == "normal")
study = result.study
events, noise = (chart.unexplained(given) for given in reversed(INPUTS))
all_held = chart.held[-1]
bare = next(p for p in priors.values() if p.prior.kind == "buffer" and not p.prior.size)
sold = buffer_of(shipped)
moduli = np.abs(Latent.of(study, *models[study.scan()].pair).codes).max(0)
asked = models[mapped.study.scan()]
copies = {whitened: asked.linear_copy(whitened) for whitened in (False, True)}
missing = chart.paper_lattice[..., TTBAR.index("MET")]
true_beside = asked.beside(chart.paper_lattice)
all_seen, one_lepton = sold.tests.values()


def worth_of(prior):
    """N_equiv with its interval, for each number of cells."""
    return [report.with_interval(n) for n in prior.worth.values()]


ALARMS = 0.01


def of_noise(quantity):
    """Least and largest error of noise over its variance, of columns of such a name."""
    left = chart.unexplained_columns(INPUTS[0])
    of_columns = [x for x, name in zip(left, TTBAR, strict=True) if name.startswith(quantity)]
    return f"{min(of_columns):.0%} to {max(of_columns):.0%}"


def in_energies():
    """Share of what is lost of noise that is lost of energies."""
    left = chart.unexplained_columns(INPUTS[0])
    return f"{left[[name.startswith('E_') for name in TTBAR]].sum() / left.sum():.0%}"


def of_the_copies():
    """Which of the linear copies would meet the claim that the model is no identity."""
    ways = {False: "the first of these copies", True: "the second of these copies"}
    passing = [
        ways[whitened]
        for whitened, left in copies.items()
        if left[INPUTS[1]] < WELL and left[INPUTS[0]] > WORSE * left[INPUTS[1]]
    ]
    if not passing:
        return "Neither of these copies meets the rules of the verdict"
    who = "Both of these copies" if len(passing) > 1 else passing[0].capitalize()
    return f"{who} would meet the rules of the verdict as well"


def model_of(result):
    """How long a model was trained, and on what."""
    study = result.study
    return f"{study.training_events:,} events and {study.scan().epochs:,} epochs"


def of_the_other_reading():
    """What the claim on the buffer is judged by, and what it would be by the other reading."""
    other = in_the_other_reading(priors)
    by_rule = "That the buffer beats every fitted prior is judged by eq. 19, as was fixed before"
    if other is None:
        return f"{by_rule}."
    phi = in_phi(priors)
    beside = f"  {phi[0].upper()}{phi[1:]}." if phi else ""
    return f"{by_rule}; with γ on σ it is {other.verdict} ({other.measured}).{beside}"


def the_answer():
    """Which of buffer and mixtures is nearer to the truth, in both readings of gamma."""
    mixture = min(
        (p.delta for p in others.values() if p.prior.kind == "mixture"),
        key=lambda delta: delta.value,
        default=None,
    )
    by_sigma = [p.delta for p in priors.values() if p.prior.offset == "deviation"]
    if mixture is None or not by_sigma:
        return "Not all of them are there yet."
    way = {True: "better", False: "worse"}
    first, second = (way[mixture.value < delta.value] for delta in (buffer.delta, by_sigma[0]))
    return (
        f"Here mixtures of Gaussians do {first} than the buffer by the paper's eq. 19 (δ "
        f"{mixture.value:.3f} against {buffer.delta.value:.3f}), and {second} than it with γ on σ "
        f"({by_sigma[0].value:.3f})."
    )


def of_the_papers_mixtures():
    """What the paper says of its largest mixture, beside its table."""
    theirs = {name: PAPER[name][0] for name in PAPER if name.startswith("GMM")}
    largest = "GMM, 1000"
    place = {
        max(theirs.values()): "the worst of its mixtures",
        min(theirs.values()): "the best of its mixtures",
    }.get(theirs[largest], "neither the best nor the worst of its mixtures")
    return f"δ = {theirs[largest]:g} for that one, {place}"


def drawn_anew():
    """delta of the same network and buffer on its own page."""
    found = stored("top-events", result.preset)
    if not found.done():
        return "not measured"
    drawn = ChosenEvents.of(found)
    return drawn.delta(drawn.own)


def of_extreme_stages():
    """Which staged VAEs do not fit the single dimensions of the codes, and whether these are those
    with extreme B, as the paper has it."""
    chi2 = {p.prior.size: marginal_chi2(p.latent, codes) for p in stages.values()}
    poor = sorted(b for b, far in chi2.items() if far > COLLAPSED)
    least, most = min(chi2), max(chi2)
    fitted = [far for b, far in chi2.items() if b not in (*poor, least)]
    if not poor or not fitted:
        return "here their χ² are alike"
    holds = set(poor) == {least, most}
    beside = "" if least in poor else f", {chi2[least]:.2g} at {least:g}"
    return (
        f"here that is {'so' if holds else 'not so'}: χ² is {min(chi2[b] for b in poor):.1f} or more "
        f"at B = {enumerated(f'{b:g}' for b in poor)}{beside}, and at most {max(fitted):.2g} at the "
        "others"
    )


def own_of(name):
    """The prior of the paper's tables: of gamma on sigma the buffer's, whose numbers they are in
    either reading."""
    return name.replace("σ + γ, ", "")


def shortly(estimate):
    """Three digits of what is known far better than it means, as of a collapsed generator."""
    known = estimate.error < NEGLIGIBLE * abs(estimate.value)
    return f"{estimate.value:.3g}" if known else estimate


def cut_delta(name):
    """delta with nothing negative, where it is judged."""
    return shortly(cut[name].delta) if name in cut and not cut[name].diverged else "--"


def at_edge(prior):
    """Whether the search for a bandwidth ends where its range does."""
    return abs(prior.bandwidth / prior.prior.size - 1) < 1e-6


def where(prior):
    """The same in words."""
    return (
        "the narrowest that it may choose"
        if at_edge(prior)
        else "within the range that it may choose from"
    )


def of_the_table():
    """What the range of the search, or its grid, has to do with the paper's Table III."""
    if at_edge(kernels[0]):
        return "what Table III says of kernels is as much about the range of the search"
    if (apart := within_a_step(kernels)) is None:
        return "here the range of the search does not decide"
    return (
        "here the range of the search does not decide, but the grid's steps are coarse: both "
        f"widths lie within one of them, a factor of {BANDWIDTHS[1] / BANDWIDTHS[0]:.2f}, and δ "
        f"changes by one of {apart:.2f}"
    )


def ten_times_theirs():
    """The staged VAEs' delta at B, over the paper's at 10 B, by B."""
    sizes = {p.prior.size: p.delta for p in stages.values()}
    names = {b: str(Prior("staged", float(f"{10 * b:g}"))) for b in sizes}
    return {b: (sizes[b], PAPER[names[b]][0]) for b in sorted(sizes) if names[b] in PAPER}


def within_a_factor(factor=2):
    """How many of those that have not failed have the paper's delta within a factor."""
    standing = [pair for pair in ten_times_theirs().values() if pair[0].value < 1]
    alike = sum(abs(np.log(ours.value / paper)) < np.log(factor) for ours, paper in standing)
    return f"{alike} of the {len(standing)} that have not failed agree within a factor of {factor}"


def chi2_of(kind):
    """Largest mean chi-squared of the codes of such priors."""
    return f"{max(marginal_chi2(p.latent, codes) for p in priors.values() if p.prior.kind == kind):.2g}"


def of_pythia(process, name):
    """A number that Pythia is given for a process."""
    lines = (line.split(" = ") for line in other_processes.PROCESSES[process])
    return next(value for key, value in lines if key == name)


def of_reconstruction():
    """Whether a model that reconstructs far better finds more anomalies: the laptop's beside that
    of a longer training, by what they leave of the variance of top pairs and by their areas."""
    short = stored("latent-map", **{**of_map, "preset": beside_odd.preset})
    if tried.preset == beside_odd.preset or not (beside_odd.done() and short.done()):
        return "At this scale there is one length of training alone."
    left = [Chart.of(result).unexplained(INPUTS[1]) for result in (short, mapped)]
    areas = {
        name: (before.auc[SCORES[1]], odd[name].auc[SCORES[1]])
        for name, before in anomalies(beside_odd).items()
    }
    gains = {
        name: (after.value - before.value) / np.hypot(before.error, after.error)
        for name, (before, after) in areas.items()
    }
    more = [name for name, gain in gains.items() if gain > GAINED]
    better = (
        "A far better reconstruction" if left[0].value > 10 * left[1].value else "Reconstruction"
    )
    finds = f"finds more of {enumerated(more)}" if more else "finds no more anomalies"
    return (
        f"{better} {finds}: "
        + "; ".join(
            f"a model of {model_of(one)} leaves {share.percent()} of the variance of top pairs, and "
            "its areas by the relative loss are "
            + enumerated(f"{pair[k]} ({name})" for name, pair in areas.items())
            for k, (one, share) in enumerate(zip((beside_odd, tried), left, strict=True))
        )
        + "."
    )


def of_the_deviation():
    """The shipped model's events where gamma is added to sigma."""
    (p,) = (p for p in shipped.values() if p.prior.offset == "deviation")
    return f"δ is {p.delta} and N_equiv {enumerated(worth_of(p))}"


def in_place_of_more():
    """N_equiv of the shipped model in both readings, and whether it reaches the events that trained
    it, where it is known by its lower end alone."""
    training = of_shipped.study.training_events
    ways = [("by eq. 19", sold)]
    ways += [("with γ on σ", p) for p in shipped.values() if p.prior.offset == "deviation"]
    told = []
    for way, p in ways:
        worths = p.worth.values()
        is_ = enumerated(
            n if isinstance(n, AtLeast) else f"{float(f'{n.value:.3g}'):.0f}" for n in worths
        )
        bounds = [n.low for n in worths if isinstance(n, AtLeast)]
        open_ = (
            f", and these held-out events cannot tell whether it reaches the {training:,} that "
            "trained the model"
            if bounds and max(bounds) < training
            else ""
        )
        told.append(f"{way} it is {is_}{open_}")
    return "; ".join(told)


def by_options(offset, negative):
    """The shipped model's events as they are read, and how: nothing where that is not stored."""
    if not asked_ways.done():
        return None
    way = BufferConfig(gamma=asked_ways.study.gamma, offset=offset, negative=negative)
    read = ReadEvents.of(asked_ways)
    return (read, way) if way in read.parts else None


def of_the_options():
    """delta, delta_OF and N_equiv with both options of the command, beside those with neither."""
    found = [by_options(*way) for way in (("deviation", "zero"), ("variance", "kept"))]
    if None in found:
        return "by how much is not measured at this scale"
    (read, best), (_, plain) = found
    worths = [
        enumerated(map(report.with_interval, read.worth(way).values())) for way in (best, plain)
    ]
    return (
        f"δ is {read.delta(best)} in place of {read.delta(plain)}, δ_OF (η) "
        f"{read.delta_of(best, 'eta')} in place of {read.delta_of(plain, 'eta')}, and N_equiv "
        f"{worths[0]} in place of {worths[1]}"
    )


def accuracies():
    """delta with both options of the command and with neither."""
    found = [by_options(*way) for way in (("deviation", "zero"), ("variance", "kept"))]
    if None in found:
        return f"{sold.delta.value:.3g} with neither"
    with_both, neither = (read.delta(way).value for read, way in found)
    return f"{with_both:.2g} with both, {neither:.2g} with neither"


def of_second_leptons():
    """What a second lepton does to the loss of a top pair, and what of it the odd events show."""
    seen = models[tried.study.scan()].second_lepton(ALARMS)
    if seen is None:
        return ""
    share, z = seen.share.k / seen.share.n, odd.get("Z + jets")
    beside = (
        ""
        if z is None
        else f"  At {share:.1%} of false alarms, which is that of counting leptons, the loss finds "
        f"{z.found_at(share, SCORES[0]):.1%} of the Z beside jets."
    )
    return (
        f"Of the held-out top pairs {share:.1%} have two leptons, and the loss tells these from "
        f"those with one with an area of {written_area(seen.auc[SCORES[0]])}: of the "
        f"{ALARMS:.0%} with the largest loss {seen.among.k / seen.among.n:.0%} have two.{beside}"
    )


def in_percent(share):
    """Its exact interval with a decimal."""
    low, high = (100 * end for end in share.interval())
    return f"{share.k} of {share.n} ({low:.1f} to {high:.1f}%)"


def on_the_map():
    """How many jets and leptons the events of Fig. 9 have."""
    events = chart.paper_lattice.reshape(-1, len(TTBAR))
    objects = {objects_of(e) for e in events}
    of_second = np.abs(events[:, TTBAR.index("pT_l2")]).max() / GEV
    if len(objects) > 1:
        found = "; ".join(f"{j} and {n}" for j, n in sorted(objects))
        return f"of jets and leptons the events of the plane have {found}"
    ((jets, leptons),) = objects
    return (
        f"all {len(events)} events have the same number of both, {jets} and {leptons}, the modulus "
        f"of the second lepton's transverse momentum never being above {of_second:.1f} GeV: how "
        "many there are is not on the plane"
    )


def example_of_the_map():
    """The paper's example by its number and its place."""
    row, column = divmod(EXAMPLE - 1, len(ANGLES[:: EVERY[1]]))
    radius, angle = RADII[:: EVERY[0]][row], np.degrees(ANGLES[:: EVERY[1]][column])
    return f"{EXAMPLE}, at r = {radius:.2g} and φ = {angle:.0f}°"


def of_the_unsteered():
    """Whether events that are not steered lie farther from a true one than true ones do."""
    _, low, high = chart.steered(0).interval()
    word = "farther from" if low > 1 else "nearer to" if high < 1 else "as far, within errors, from"
    return f"{word} a true event than other true events are"


def found(one, score):
    """Share that is found, with its exact 68% interval over the events of the process."""
    n = tried.study.others
    return Share(round(one.found_at(ALARMS, score) * n), n)


report.tell(
    **{
        "latent-dim": len(chart.codes),
        "latent-b": f"{study.scan().member(study.scan().parts()[0]).kl_weight:g}",
        "latent-training": f"{study.training_events:,}",
        "latent-priors-model": model_of(result),
        "latent-map-model": model_of(mapped),
        "latent-map-held-out": f"{mapped.study.validation_events:,}",
        "latent-shipped-model": model_of(of_shipped),
        "latent-in-place": in_place_of_more(),
        "latent-options": of_the_options(),
        "latent-accuracies": accuracies(),
        "latent-held-out": f"{of_shipped.study.validation_events:,}",
        "latent-bare-delta": bare.delta,
        "latent-events": f"{reference.events:,}",
        "latent-alpha": f"{study.alpha:g}",
        "latent-gamma": f"{study.gamma:g}",
        "latent-buffer-delta": buffer.delta,
        "latent-buffer-eta": buffer.delta_of["eta"],
        "latent-buffer-phi": buffer.delta_of["phi"],
        "latent-ideal": f"{reference.ideal_delta:.5f}",
        "latent-ideal-eta": f"{reference.ideal_delta_of('eta'):.2f}",
        "latent-answer": the_answer(),
        "latent-anew": drawn_anew(),
        "latent-their-mixtures": of_the_papers_mixtures(),
        "latent-extreme": of_extreme_stages(),
        "latent-other-reading": of_the_other_reading(),
        "latent-sigma-delta": next(
            (p.delta for p in priors.values() if p.prior.offset == "deviation"), "not measured"
        ),
        "latent-best": best,
        "latent-best-delta": others[best].delta,
        "latent-best-of": best_of,
        "latent-best-of-eta": others[best_of].delta_of["eta"],
        "latent-best-stage": best_stage,
        "latent-best-stage-delta": stages[best_stage].delta,
        "latent-normal-delta": normal.delta,
        "latent-h": f"{kernels[0].bandwidth:.3g}",
        "latent-h-edge": where(kernels[0]),
        "latent-h-narrow": f"{kernels[1].bandwidth:.3g}",
        "latent-h-narrow-edge": where(kernels[1]),
        "latent-h-means": of_the_table(),
        "latent-shifted-alike": within_a_factor(),
        "latent-moduli": f"{moduli.min():.1f} to {moduli.max():.1f}",
        "latent-moduli-squares": f"{moduli.min() ** 2:.0f} to {moduli.max() ** 2:.0f}",
        "latent-moduli-mean": f"{(moduli**2).mean():.0f}",
        "latent-chi2-mixtures": chi2_of("mixture"),
        "latent-chi2-kernels": chi2_of("kernels"),
        "latent-chi2-normal": chi2_of("normal"),
        "latent-kde-delta": kernels[0].delta,
        "latent-kde-narrow-delta": kernels[1].delta,
        "latent-width": f"{Chart.of(coded).arrays['variances'].mean() ** 0.5:.2f}",
        "latent-noise": noise.percent(),
        "latent-reconstructed": events.percent(),
        "latent-noise-eta": of_noise("eta"),
        "latent-noise-phi": of_noise("phi"),
        "latent-noise-energy": of_noise("E_"),
        "latent-noise-in-energies": in_energies(),
        "latent-copy-noise": f"{copies[False][INPUTS[0]]:.1%}",
        "latent-copy-events": f"{copies[False][INPUTS[1]]:.1%}",
        "latent-copy-noise-whitened": f"{copies[True][INPUTS[0]]:.1%}",
        "latent-copy-events-whitened": f"{copies[True][INPUTS[1]]:.1%}",
        "latent-copies-pass": of_the_copies(),
        "latent-copy-least": f"{chart.lost_of_noise:.0%}",
        "latent-map-objects": on_the_map(),
        "latent-map-met": "{:.0f} to {:.0f}".format(*(missing.min() / GEV, missing.max() / GEV)),
        "latent-plane": f"{chart.variance_share[:2].sum():.0%}",
        "latent-none-held": chart.steered(0),
        "latent-two-held": chart.steered(2),
        "latent-all-held": chart.steered(all_held),
        "latent-held-most": all_held,
        "latent-beside-zero": chart.beside(BESIDE[0]),
        "latent-beside-buffer": chart.beside(BESIDE[1]),
        "latent-beside-true": chart.beside_random(true_beside),
        "latent-beside-over": chart.beside_over(BESIDE[1], true_beside),
        "latent-unsteered": of_the_unsteered(),
        "latent-example": example_of_the_map(),
        "latent-example-zero": f"{chart.beside_point(BESIDE[0], EXAMPLE - 1):.2g}",
        "latent-example-buffer": f"{chart.beside_point(BESIDE[1], EXAMPLE - 1):.2g}",
        "latent-around": f"{AROUND:g}",
        "latent-companions": COMPANIONS,
        "latent-targets": chart.arrays["random"].shape[0],
        "latent-shipped-delta": sold.delta,
        "latent-deviation": of_the_deviation(),
        "latent-shipped-eta": sold.delta_of["eta"],
        "latent-shipped-phi": sold.delta_of["phi"],
        "latent-auc": written_area(all_seen.auc),
        "latent-auc-one": written_area(one_lepton.auc),
        "latent-auc-null": f"{one_lepton.null:.4f}",
        "latent-broken": f"{sold.broken:.2%}",
        "latent-worth": enumerated(worth_of(sold)),
        "latent-cells": enumerated(sold.worth),
        "latent-cut": f"{min(sold.held_out.values()):,}",
    }
)
report.tell(
    **{
        "latent-none-negative": of_none_negative(cut, priors),
        "latent-others": f"{tried.study.others:,}",
        "latent-odd-model": model_of(tried),
        "latent-odd-held-out": f"{tried.study.validation_events:,}",
        "latent-alarms": f"{ALARMS:.0%}",
        "latent-odd": "; ".join(
            f"for {name}, {one.auc[SCORES[0]]} by the loss as it is trained, "
            f"{one.auc[SCORES[1]]} by the relative one, and {one.supervised.auc} by trees that have "
            "seen both"
            for name, one in odd.items()
        ),
        "latent-odd-short": ", ".join(
            f"AUC {one.auc[SCORES[1]]} ({name})" for name, one in odd.items()
        ),
        "latent-odd-leptons": of_second_leptons(),
        "latent-odd-better": of_reconstruction(),
        **{
            f"latent-z-{name}": of_pythia("Z + jets", line)
            for name, line in (("mass", "23:mMin"), ("pt", "PhaseSpace:pTHatMin"))
        },
        "latent-worst": "; ".join(
            f"{', '.join(TTBAR[k] for k in one.columns.argsort()[::-1][:3])} of {name}"
            for name, one in odd.items()
        ),
    }
)
report.origin("bvae-fig7", result, coded)
report.origin("latent-fig2", tried)
for name in ("bvae-fig8", "bvae-fig9", "latent-fig1"):
    report.origin(name, mapped)

# %% [markdown]
# ## Priors of the code
#
# Each density is fitted to {glue:text}`latent-training` codes, one of each training event, $z \sim \mathcal N(\mu, \sigma^2)$:
#
# - **Kernels** (KDE): a Gaussian about every code, its width $h$ the one of twenty, from 0.1 to 10, with the largest likelihood in a five-fold
#   cross-validation.  A second estimate may choose from 0.01 on.
# - **Mixtures** (GMM) of 50, 100 and 1000 Gaussians with full covariances, by expectation and maximisation.
# - **Staged VAEs** (S-VAE) {cite}`dai2019`: a second VAE, of the codes, three layers of 64 without shortcuts.  It is trained as the first was, on
#   $\mathrm{MSE} + B\,D_{KL}$, and sampled from $\mathcal N(0, 1)$; seven values of $B$.  The paper gives no dimension for its code: here it is that of the codes themselves.
#   The published code has it otherwise than the text, with four layers of 128, a linear output and phases of its own; here it follows the text, and the other is not measured.
# - **The buffer** itself, as the paper chooses it, with $\alpha =$ {glue:text}`latent-alpha` and $\gamma =$ {glue:text}`latent-gamma` added to every $\sigma^2$ (eq. 19);
#   without $\gamma$; and with $\gamma$ added to $\sigma$, as the published code has it.
# - $\mathcal N(0, 1)$, which a standard VAE is sampled from.
#
# {glue:text}`latent-events` codes of each are decoded, by a model that {glue:text}`latent-priors-model` have trained, and held against as many
# simulated events.

# %% mystnb={"figure": {"name": "bvae-fig7", "caption": "Codes of all latent dimensions: those of {glue:text}`latent-training` training events, one code each (grey), and of the fitted priors (lines). Priors that have collapsed leave the frame.\n\n{glue:text}`bvae-fig7-origin`"}, "image": {"alt": "Histograms of all latent dimensions for training events, kernels, mixtures and staged VAEs"}} tags=["hide-input"]
figures.latent_histograms(Chart.of(coded), priors)
plt.show()

# %% tags=["hide-input"]
rank = ranked({name: None if p.diverged else p.delta for name, p in priors.items()})
report.show_table(
    "bvae-tab3",
    "Priors of the latent code: figures of merit of {glue:text}`latent-events` decoded events, with standard errors over events; δ as well with what is decoded below zero set to zero, where that is judged; *rank*, the best and the worst place by δ that 95% intervals of the ratios leave (of one fit each, to one training: these are ranks of fits, not of priors, and another start may change their order); $\\chi^2$ (eq. 22) of the codes, the mean over dimensions; and the paper's Tables I to III",
    [
        "prior",
        "δ",
        "δ, none negative",
        "rank",
        "δ_OF, η",
        "δ_OF, φ",
        "χ² of the codes",
        "the paper's δ",
        "its δ_OF",
    ],
    [
        [
            name,
            *(
                (shortly(p.delta), cut_delta(name), rank[name], *map(shortly, p.delta_of.values()))
                if not p.diverged
                else ("diverged", "--", "--", "diverged", "diverged")
            ),
            f"{marginal_chi2(p.latent, codes):.2g}" if p.latent.any() else "--",
            *PAPER.get(own_of(name), ("--", "--")),
        ]
        for name, p in priors.items()
    ]
    + [
        [
            "*ideal*",
            *2 * [f"{reference.ideal_delta:.5f}"],
            "--",
            *(f"{reference.ideal_delta_of(k):.2f}" for k in DIRECTIONS),
            *3 * ["--"],
        ]
    ],
)

# %% [markdown]
# **What is found.**  The buffer has $\delta =$ {glue:text}`latent-buffer-delta`; the best of the fitted priors, {glue:text}`latent-best`, has
# {glue:text}`latent-best-delta`, the best staged VAE, {glue:text}`latent-best-stage`, {glue:text}`latent-best-stage-delta`, and
# $\mathcal N(0, 1)$ {glue:text}`latent-normal-delta`; an ideal generator would have {glue:text}`latent-ideal`.  In
# $\delta_{OF}$ the buffer has {glue:text}`latent-buffer-eta` for the pseudorapidities and {glue:text}`latent-buffer-phi` for the azimuths, the best of the fitted priors,
# {glue:text}`latent-best-of`, {glue:text}`latent-best-of-eta` for the first; {glue:text}`latent-ideal-eta` are expected of an ideal generator.
# The same network and buffer, drawn anew, have $\delta =$ {glue:text}`latent-anew` on {doc}`their page <top_vae>`.  The buffer without $\gamma$ has {glue:text}`latent-bare-delta`.  Its codes are those of the training events, moved by no more than the encoder's own
# $\sigma$: what it has of $\delta$ lies with decoder and $\sigma$.  For every good prior much of $\delta$ is the second lepton, which is four zeros where it is absent and
# in no decoder's output, whatever the code is drawn from: {doc}`top_vae` has $\delta$ of the buffers without it.  {glue:text}`latent-none-negative`
# What priors do to all else {numref}`latent-worth` tells of, by a classifier that does not see that lepton.
#
# {glue:text}`latent-other-reading`  {numref}`latent-claims` has the verdicts on what the paper says.
# The paper contradicts itself on its mixtures: it is "remarkable" to it that they "provide such good performance in $\delta$, especially the GMM with 1000 components", and its Table III has
# {glue:text}`latent-their-mixtures`.
#
# In every dimension by itself a density can be right and its events wrong: the decoder needs all of them at once ({numref}`bvae-fig7`, and the $\chi^2$ of the codes in
# {numref}`bvae-tab3`).  It is at most {glue:text}`latent-chi2-mixtures` for the mixtures, where $\mathcal N(0, 1)$ has {glue:text}`latent-chi2-normal`; kernels widen every
# dimension, the narrow ones most, and have up to {glue:text}`latent-chi2-kernels`.  The paper says of its Fig. 7 that "all dimensions are generally modelled well by all approaches, except
# for the S-VAEs with extreme values of $B$"; {glue:text}`latent-extreme`.
#
# **The staged VAEs**, set beside the paper's at ten times our $B$, a factor that was chosen after their $\delta$ were known: {glue:text}`latent-shifted-alike`.
# If $B$ is shifted, a reason may be the units of the squared error, which $B$ is weighed against.  Our last layer is a hyperbolic tangent, as of all networks of the text, for which the codes of a dimension
# are divided by their largest modulus: {glue:text}`latent-moduli`.  On codes as they are, which the linear output of the published code can reach, the same error counts {glue:text}`latent-moduli-squares` times as
# much ({glue:text}`latent-moduli-mean` in the mean over dimensions), and $B$ as much less: no factor that all dimensions have in common.  This has not been tried.
#
# **The kernels' bandwidth.**  The paper's search ends at $h =$ {glue:text}`latent-h`, {glue:text}`latent-h-edge`, while a component of the codes is
# {glue:text}`latent-width` wide in the root mean square.  Offered narrower ones it takes {glue:text}`latent-h-narrow`, {glue:text}`latent-h-narrow-edge`, and $\delta$ goes from
# {glue:text}`latent-kde-delta` to {glue:text}`latent-kde-narrow-delta`: {glue:text}`latent-h-means`.
# In the limit $h \to 0$ they are a buffer without $\sigma$.
#
# Each prior is fitted once and to one training of the model.  The errors are over generated events; how another start of the fit would differ
# is not in them.

# %% [markdown]
# ## What the encoder does not know
#
# With nearly as many latent dimensions as there are columns a VAE might learn to copy whatever it is given.  {numref}`bvae-fig8` puts it to the test as the
# paper does: uniform noise $x \sim U(0, 1)$ in every column, against events that validated the training and taught it nothing.  Decoded is the mean code of each, by the model that
# {glue:text}`latent-map-model` have trained; all that follows but the anomalies is of this one.

# %% mystnb={"figure": {"name": "bvae-fig8", "caption": "Input (horizontal) against its reconstruction (vertical), column by column, in units of the column's largest modulus in training: {glue:text}`latent-map-held-out` vectors of uniform noise (left) and as many held-out events between the 0.1% and the 99.9% quantile (right). Colours are logarithmic, in each panel from one event to its own maximum; dashed: a perfect reconstruction.\n\n{glue:text}`bvae-fig8-origin`"}, "image": {"alt": "Input against reconstruction of uniform noise and of top pairs in 26 columns each"}} tags=["hide-input"]
figures.reconstructions(chart)
plt.show()

# %% [markdown]
# Of the variance of noise the reconstruction leaves {glue:text}`latent-noise`, of that of events {glue:text}`latent-reconstructed`: mean squared errors over variances, which can be more than all of it
# (means over columns, errors over blocks of inputs).  The columns of noise are not equally lost: of a pseudorapidity's variance {glue:text}`latent-noise-eta` is left, of an azimuth's
# {glue:text}`latent-noise-phi`, and of an energy's, which in an event follows from $p_T$ and $\eta$, {glue:text}`latent-noise-energy`; the energies have {glue:text}`latent-noise-in-energies` of all that is lost.
#
# **What that excludes.**  A copy by as many principal components of the training events as the model has codes is as linear as a copy can be, and leaves {glue:text}`latent-copy-noise` of noise and
# {glue:text}`latent-copy-events` of events, or {glue:text}`latent-copy-noise-whitened` and {glue:text}`latent-copy-events-whitened` with all columns at one variance.  No linear copy through {glue:text}`latent-dim` numbers leaves less than
# {glue:text}`latent-copy-least` of noise that is independent in every column.  {glue:text}`latent-copies-pass`: the paper's statement is judged as it is worded, and the test cannot exclude that the model
# copies what the bottleneck lets through.

# %% [markdown]
# ## Anomalies
#
# What the model has not learned to reconstruct may be what it has not seen: the paper proposes its reconstruction loss as a detector of anomalies, and leaves it there.
# Here are two, {glue:text}`latent-others` events each, from the same Pythia through the same detector and cuts, so that they have four jets and one or two leptons as well: a *single top*
# quark, of the $t$ channel alone, which decays to a lepton, a neutrino and one jet; and a *Z beside jets*, that is a Z or a photon of a mass of at least {glue:text}`latent-z-mass` GeV
# beside a parton of $\hat p_T >$ {glue:text}`latent-z-pt` GeV, which decays to two leptons without a neutrino.  The top pairs are the
# {glue:text}`latent-odd-held-out` that validated the training of the model, one of {glue:text}`latent-odd-model`.
#
# The score of an event is the mean squared error of its columns, each over its largest modulus, as the model is trained; or, *relative*, with the error of every column over what it is
# for top pairs, so that a badly reconstructed column does not decide alone.  Boosted trees that are trained on both processes say what the columns hold for somebody who has seen them.  An anomaly is by
# definition what has not been seen, and the loss needs nothing of it.
#
# One half is the area under the ROC curve ({numref}`latent-fig2`) if nothing is told.  It is, {glue:text}`latent-odd` ({numref}`latent-anomalies`; errors over events).  Reconstructed worst, compared with top pairs, are
# {glue:text}`latent-worst`.  The trees have few events to learn from: their area is a lower bound.  This is of one training; by how much another of the same length would differ is not measured.
#
# **Does a better reconstruction find more?**  So the paper expects: its B-VAE "makes it possible to increase the ability to reconstruct the training and test data compared to a normal VAE, so it may be a better anomaly detector" (sec. V).
# {glue:text}`latent-odd-better`
#
# **Is it more than counting leptons?**  {glue:text}`latent-odd-leptons`  A Z brings its second lepton more often than a top pair does.  How many of the Z somebody finds who counts leptons,
# and what the loss tells among events with equally many, is not measured here: of the events of the two processes their losses alone are stored.

# %% mystnb={"figure": {"name": "latent-fig2", "caption": "Left: relative reconstruction losses of held-out top pairs (area) and of two other processes (lines); what rises at the right end is the last bin, which holds all beyond it. Right: share of the other process above a threshold against that of the top pairs, for the loss as it is trained (thin) and the relative one (thick).\n\n{glue:text}`latent-fig2-origin`"}, "image": {"alt": "Histograms of reconstruction losses and ROC curves of two processes against top pairs"}} tags=["hide-input"]
figures.anomaly_curves(odd)
plt.show()

# %% tags=["hide-input"]
report.show_table(
    "latent-anomalies",
    "Other processes against held-out top pairs: area under the ROC curve by the reconstruction loss, by the relative one, and by boosted trees that have seen one half of both, few events to learn from: a lower bound; how many events of the process lie above the threshold that {glue:text}`latent-alarms` of the top pairs pass, with the exact 68% interval of the rate",
    [
        "process",
        *(f"AUC, {score}" for score in SCORES),
        "AUC, supervised",
        *(f"found, {score}" for score in SCORES),
    ],
    [
        [
            name,
            *one.auc.values(),
            one.supervised.auc,
            *(in_percent(found(one, score)) for score in SCORES),
        ]
        for name, one in odd.items()
    ],
)

# %% [markdown]
# ## Principal components
#
# The codes of the training events have principal components, of which the first two carry {glue:text}`latent-plane` of the variance.  Their plane is a map:
# every point of it is a code, the other components being zero, and every code an event.

# %% mystnb={"figure": {"name": "bvae-fig9", "caption": "Events of a polar grid in the first two principal components: $r$ from 0.1 in steps of 3.4/7 from top to bottom, $\\phi$ in steps of 45° from left to right, numbered. Jets (blue), leptons (red) and missing momentum (green) in the transverse plane; the width is the share of the event's energy. The paper leaves the length open: here it is the root of $p_T$ over the largest.\n\n{glue:text}`bvae-fig9-origin`"}, "image": {"alt": "Event displays on a polar grid of eight radii and eight angles"}} tags=["hide-input"]
figures.event_map(chart)
plt.show()

# %% tags=["remove-input"]
# Nothing of it is for the PDF, which has the figure.
display({"text/html": explorer(chart), "text/latex": "", "text/plain": ""}, raw=True)

# %% [markdown]
# The paper has its map tell "with what number of jets and leptons, what order of MET": {glue:text}`latent-map-objects`.  Their missing momentum goes from
# {glue:text}`latent-map-met` GeV.
#
# Near the centre all objects fly in one direction, $\phi \approx 0$, the mean of all azimuths.  Further out they spread, and turning
# about the centre changes which of them flies where: the two largest components are of directions.
#
# ### Does steering work?
#
# The paper proposes to generate events that look like a chosen one by sampling about its point of the plane, and to narrow this down.  Two numbers test it.
# Distances are of all columns but the second lepton's, each over the mean distance of random pairs of true events, azimuths on the circle; each held
# component scatters by {glue:text}`latent-around`.
#
# *As the paper has it*, the other components zero, events near one of {numref}`bvae-fig9` are at {glue:text}`latent-beside-zero` of the distance of random
# pairs.  But those are hardly a sample: all that is not steered is at its mean.  With the other components drawn from the buffer it is {glue:text}`latent-beside-buffer`.  Nor is that all due to the
# steering: a point of the plane is central, and any event is nearer to it than to another event.  Held-out events, which nobody has steered, are at {glue:text}`latent-beside-true` of the same distance, and
# those about the point at {glue:text}`latent-beside-over` of theirs.
#
# *Near a true event*, {glue:text}`latent-targets` held-out ones with {glue:text}`latent-companions` generated near each, it takes many components, as {numref}`latent-fig1`
# shows: {glue:text}`latent-none-held` of the random distance with none held, {glue:text}`latent-two-held` with two, {glue:text}`latent-all-held` with all
# {glue:text}`latent-held-most` (errors are of the ratio: generated and random events have their targets in common).  Unsteered events are {glue:text}`latent-unsteered`.  With all held within {glue:text}`latent-around` of the event's own, that is
# reconstruction rather than steering; the plane of two leaves an event nearly as far from the chosen one as any.
#
# *The paper's own example* is event {glue:text}`latent-example`: events about it are at {glue:text}`latent-example-zero` of the distance of random pairs with the other components zero, and at
# {glue:text}`latent-example-buffer` with these from the buffer (one point, without an error).

# %% mystnb={"figure": {"name": "latent-fig1", "caption": "Distance of generated events to the true one that they are generated near, over that of random pairs: against the number of principal components that are held near its own, with 95% intervals of the ratio over {glue:text}`latent-targets` events (left), and column by column (right).\n\n{glue:text}`latent-fig1-origin`"}, "image": {"alt": "Distance to a chosen event against the number of components held, and for each column"}} tags=["hide-input"]
figures.steering(chart)
plt.show()

# %% [markdown]
# ## A million top pairs, and what they are good for
#
# ```bash
# python -m amplib generate ttbar -n 1000000 --offset deviation --negative zero -o events.csv
# ```
#
# writes as many events as one likes, from the best of the shipped models, with the columns and the layout of the published file, if not its rules (below); `.npy`, `.h5` and `.parquet` are
# written as well.
# It needs nothing but what is shipped, and its memory does not grow with the number of events; `--gamma`, `--alpha` and `--offset` set the buffer, `--negative zero` cuts what is
# decoded below zero, `--seed` sets the random numbers.  *Why the two options*: verdicts go by the paper's eq. 19 with all kept that is decoded, which is what the command does without them; with them, that is
# with $\gamma$ on $\sigma$ as in the published code, and absent leptons at zero as in the truth, events are nearer to it: {glue:text}`latent-options` (drawn anew).
# {numref}`top-vae-readings` has what each of them does to $\delta$, and {numref}`rivals-worth` to $N_\mathrm{equiv}$.
#
# What they are worth without the options {numref}`latent-worth` says: with the shipped model, that of {glue:text}`latent-shipped-model`, and the paper's $\alpha$ and $\gamma$ (eq. 19).
# Their $\delta$ is {glue:text}`latent-shipped-delta`, their $\delta_{OF}$ {glue:text}`latent-shipped-eta` ($\eta$) and {glue:text}`latent-shipped-phi` ($\phi$).
# A classifier, boosted trees that see one half of {glue:text}`latent-held-out` held-out and as many generated events, tells the other halves apart with an area under its ROC curve of {glue:text}`latent-auc`; a decoder's
# absent lepton is never exactly zero, which gives it away.  Without the second lepton it is {glue:text}`latent-auc-one`, where one half,
# give or take {glue:text}`latent-auc-null`, is what chance has.  {glue:text}`latent-broken` of the events break a rule that every event of the published file obeys: a jet
# below its threshold or out of order, an energy below the momentum, a lepton that is neither there nor absent; what holds a file to these rules, as the book's own reader does, refuses it.  In {glue:text}`latent-cells` cells of equal mass the generator is worth
# {glue:text}`latent-worth` true events (95% intervals).  With $\gamma$ added to $\sigma$, as in the published code (`--offset deviation` alone), {glue:text}`latent-deviation`.
#
# **$N_\mathrm{equiv}$.**  The cells ({numref}`yours-fig2`) are cut from at most {glue:text}`latent-cut` held-out events, in $p_T$ and $\eta$ of the two leading
# jets, $E_T^\mathrm{miss}$ and $p_T$ of the lepton, so that beyond several times their number nothing can be told.  These events chose the best weights of the
# training, which flatters the model, if at all.

# %% tags=["hide-input"]
report.show_table(
    "latent-worth",
    "What decoded events are worth: area under the ROC curve of a classifier between them and held-out events (one half: not told apart), also without the second lepton's four numbers and the one mass that it enters, true events that the generator is worth in so many cells, with 95% intervals, and the share of events that break a rule of the published set; first of the shipped model, as far as its priors are judged, then of that of {numref}`bvae-tab3`",
    [
        "prior",
        "trained on",
        "AUC",
        "without the second lepton",
        *(f"N_equiv, {q} cells" for q in buffer.worth),
        "broken",
    ],
    [
        [
            name,
            f"{judged.study.training_events:,}",
            *(written_area(test.auc) for test in p.tests.values()),
            *worth_of(p),
            f"{p.broken:.2%}",
        ]
        for judged in (of_shipped, result)
        if judged is result or judged.preset != result.preset
        for name, p in judged_priors(judged).items()
        if not p.diverged
    ],
)

# %% [markdown]
# **May be used for**: trying out an analysis chain or a plot before the simulation is there; single distributions and correlations of two of them at
# the accuracy of the $\delta$ of the options that one takes ({glue:text}`latent-accuracies`); load tests.
#
# **May not be used for**: a measurement or a limit; importance sampling, of which the paper speaks, as a decoder of {glue:text}`latent-dim` numbers has no density in all columns of an event to weigh by; anything in the tails, or near a threshold; relations that hold exactly, such as masses of leptons or the order of jets;
# counting events with two leptons without a cut of one's own; or in place of more simulated events: of $N_\mathrm{equiv}$ {glue:text}`latent-in-place`.

# %% tags=["hide-input"]
from amplib.book.claims import all_claims

report.show_claims(
    "latent-claims",
    "What the paper says of priors and reconstructions",
    all_claims(
        given["preset"],
        only=("bvae.prior-gmm", "bvae.prior-buffer-wins", "bvae.s-vae", "bvae.not-identity"),
    ),
)

# %% tags=["nbval-check-output", "remove-cell"]
for name, p in priors.items():
    print(
        name,
        p.delta,
        *p.delta_of.values(),
        *(written_area(test.auc) for test in p.tests.values()),
        sep=" | ",
    )
    print(*(n if isinstance(n, AtLeast) else f"{n.value:.0f}" for n in p.worth.values()))
for given in INPUTS:
    print(given, chart.unexplained(given))
for held in chart.held:
    print(held, chart.steered(held))
for name, one in odd.items():
    print(name, *one.auc.values(), one.supervised.auc, sep=" | ")
