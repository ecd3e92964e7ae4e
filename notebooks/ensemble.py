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
# # Ensembles of GANs
#
# Two GANs trained on the same sample do not end at the same density: the training itself is
# random.  Butter et al. {cite}`butter2021` train several on each sample and take an equal share of
# the events from each, which divides this part of the error by their number.  What remains is common
# to all of them: the sample, and what the training does to every network alike.
#
# How much do they gain?  The {glue:text}`ensemble-whole` ensembles of {glue:text}`ensemble-members` of which no member failed are worth
# {glue:text}`ensemble-whole-equivalents` points at {glue:text}`ensemble-quantiles` quantiles ({numref}`ensemble-fig2`).  Without failed
# members all {glue:text}`ensemble-repetitions` are worth {glue:text}`ensemble-gain` times their own members, and
# {glue:text}`ensemble-gain-earlier` times without the {glue:text}`ensemble-late` members that left their initial state last
# ({numref}`ensemble-leaving`).

# %% tags=["parameters"]
preset = "best"
n_train = None
seed = None
repetitions = None
members = None
epochs = None
learning_rate = None
quantiles = [10, 20, 50]

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(globals(), "preset", "quantiles", study="ensemble")

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np

from amplib.book import report
from amplib.book.claims import all_claims, documents
from amplib.book.obtain import obtain, stored
from amplib.estimate import Share, enumerated
from amplib.metrics.amplification import ratio, shared
from amplib.metrics.quantiles import expected_mse, n_equiv
from amplib.models.fit import fit_camel_back
from amplib.studies.camel.claims import curve_saturation
from amplib.studies.camel.collapse import has_failed
from amplib.studies.camel.figures import Shown, density_panel, quantile_mse_panels
from amplib.studies.camel.reading import (
    check_quantiles,
    gain_over_members,
    gan_curve,
    same_for_all,
    sample_and_fit,
    without_failed_members,
    worth_with_failures,
)
from amplib.studies.camel.study import DENSITY_BINS
from amplib.style import ORANGE, PURPLE
from amplib.truth.densities import CamelBack

quantiles = check_quantiles(given.pop("quantiles"))
data = {name: given[name] for name in ("n_train", "seed")}
stored("ensemble", **given)  # refuses an impossible parameter before the fits start
fits = obtain("fit", given["preset"], **data)
ensembles = obtain("ensemble", **given)
# Single GANs at the same preset, so that one figure shows one scale.
single = {k: v for k, v in given.items() if k not in ("members", "preset")}
gans = obtain("gan", ensembles.preset, **single)
members = ensembles.study.members

# %% tags=["remove-input"]
report.show_banner(ensembles, fits)

# %% tags=["hide-input"]
sample_and_fits = sample_and_fit(fits)
gan, ensemble = gan_curve(gans), gan_curve(ensembles)
parts = ensembles.load()
first = [parts[0, m] for m in range(members)]
points = first[0]["sample"][:, 0]
between = abs(DENSITY_BINS[1:] + DENSITY_BINS[:-1]) / 2 < 1
bridges = [part["density"][1:-1][between].sum() / part["density"].sum() for part in first]
true_bridge = np.diff(CamelBack().cdf(np.array([-1.0, 1.0])))[0]
report.tell(
    **{
        "ensemble-n-train": ensembles.study.n_train,
        "ensemble-members": members,
        "ensemble-fig1-events": f"{first[0]['density'].sum():,}",
        "ensemble-fig1-all": f"{sum(p['density'].sum() for p in first):,}",
        "ensemble-bridge": f"{np.mean(bridges):.1%}",
        "ensemble-bridge-truth": f"{true_bridge:.3%}",
        "ensemble-bridge-above": f"{sum(b > true_bridge for b in bridges)} of {members}",
    }
)
report.origin("ensemble-fig1", ensembles)

# %% mystnb={"figure": {"name": "ensemble-fig1", "caption": "As {numref}`amplify-fig1`, with the Ensemble-GAN: the truth (black), {glue:text}`ensemble-n-train` sample points (blue), a fit to them (green), {glue:text}`ensemble-fig1-events` events of each of {glue:text}`ensemble-members` GANs trained on the same points (thin, orange) and all {glue:text}`ensemble-fig1-all` of them together (purple).\n\n{glue:text}`ensemble-fig1-origin`"}, "image": {"alt": "True density, sample, fit, ten GANs and their ensemble; between the humps all GANs lie above the truth"}} tags=["hide-input"]
densities = [part["density"][1:-1] for part in first]
density_panel(
    points,
    {f"ensemble of {members}": (np.sum(densities, axis=0), PURPLE)},
    fit_camel_back(points),
    densities,
)
plt.show()

# %% tags=["hide-input"]
spoilt = ensemble.failed > 0
whole = ensemble.whole
CUTS = (np.inf, 7000, 4000, 1500)
"""Last epochs at which the discriminator may be seen to have won in a member: post hoc."""
cleared = without_failed_members(ensembles)
by_cut = {np.inf: cleared}
for cut in CUTS[1:]:
    try:
        by_cut[cut] = without_failed_members(ensembles, cut)
    except ValueError:  # no member left so soon
        break
earlier = by_cut.get(CUTS[1], cleared)
alone, fit_alone = shared(cleared.together, sample_and_fits.fit)
over_fit = ratio(cleared.together, sample_and_fits.fit)


def differing(chosen):
    """Share of one GAN's error that differs between trainings on a sample, with its 95% interval."""
    if members == 1:
        return lambda q: "not known from one GAN"

    def told(q):
        return "{:.0%} ({:.0%} to {:.0%})".format(*chosen.differing(q))

    return told


def with_failed_members():
    """What the ensembles are worth that have failed members, and all without these."""
    if not spoilt.any():
        return "Here no member failed."
    q = quantiles[-1]
    mse = ensemble.asymptote.mse(q)[spoilt]
    worth = enumerated(f"{expected_mse(1, q) / one:.0f}" for one in sorted(mse, reverse=True))
    count = len(cleared.cells)
    return (
        f"Here {len(mse)} of {len(spoilt)} ensembles have such members, whose share alone would leave "
        f"{worth_with_failures(1, members):.0f} points, and are worth {worth} at {q} quantiles.  "
        f"Without these members {'all ' * (count == len(spoilt))}{count} are worth "
        f"{report.each(cleared.together.n_equiv, quantiles)} points, a factor of "
        f"{cleared.together.amplification(q)} at {q} quantiles."
    )


everything = {p: has_failed(a) for r in (ensembles, gans) for p, a in r.load().items()}
factors = {"all ensembles": ensemble.asymptote.amplification(quantiles[-1])}
if whole is not None and spoilt.any():
    factors["those of which no member failed"] = whole.asymptote.amplification(quantiles[-1])
stated = documents()["ensemble"]
verdicts = {
    "the factor": "ensemble.ensemble-amplification-50",
    "the range of points": "ensemble.ensemble-equivalent",
}
judged_as = {c.id: c.verdict.split(" (")[0] for c in all_claims(only=verdicts.values())}
paper, paper_single = (stated[name]["value"] for name in ("ensemble-equivalent", "gan-equivalent"))


def common(q):
    """Share of a GAN's error that two members of a sample have in common."""
    return 1 - cleared.differing(q).value


def same(q):
    """Share of it that is the same whatever the sample."""
    return same_for_all((gan.whole or gan).asymptote, q)


own = gain_over_members(ensembles) if whole is None else gain_over_members(ensembles, whole)
report.tell(
    **{
        "ensemble-spoilt": with_failed_members(),
        "ensemble-quantiles": enumerated(quantiles),
        "ensemble-single": report.each(gan.asymptote.n_equiv, quantiles),
        "ensemble-equivalents": report.each(ensemble.asymptote.n_equiv, quantiles),
        "ensemble-whole": 0 if whole is None else len(whole.counts),
        "ensemble-whole-equivalents": "–"
        if whole is None
        else report.each(whole.asymptote.n_equiv, quantiles),
        "ensemble-whole-gain": report.each(own, quantiles),
        "ensemble-whole-factor": "–"
        if whole is None
        else whole.asymptote.amplification(quantiles[-1]),
        "ensemble-cleared": report.each(cleared.together.n_equiv, quantiles),
        "ensemble-gain": report.each(cleared.gain, quantiles),
        "ensemble-gain-all": report.each(gain_over_members(ensembles), quantiles),
        "ensemble-gain-earlier": report.each(earlier.gain, quantiles),
        "ensemble-cut": f"{CUTS[1]:,}",
        "ensemble-late": cleared.members - earlier.members,
        "ensemble-gains": enumerated(f"{g:.1f}" for g in sorted(cleared.gains(quantiles[-1]))),
        "ensemble-gains-earlier": enumerated(
            f"{g:.1f}" for g in sorted(earlier.gains(quantiles[-1]))
        ),
        "ensemble-shared": report.each(differing(cleared), quantiles),
        "ensemble-shared-earlier": report.each(differing(earlier), quantiles),
        "ensemble-common": report.each(lambda q: f"{common(q):.0%}", quantiles)
        if members > 1
        else "not known from one GAN",
        "ensemble-same": report.each(lambda q: f"{same(q):.0%}", quantiles),
        "ensemble-from-sample": "most of the shared error comes from the sample"
        if members > 1 and all(same(q) < common(q) / 2 for q in quantiles)
        else "it is not shown that most of the shared error comes from the sample",
        "ensemble-paper": "{} to {}".format(*paper),
        "ensemble-paper-single": "{} to {}".format(*paper_single),
        "ensemble-paper-gain": enumerated(
            f"{e / g:.2f} ({e}/{g})" for e, g in zip(paper, paper_single, strict=True)
        ),
        "ensemble-over-fit": report.each(over_fit, quantiles),
        "ensemble-word-fit": report.in_words(over_fit, quantiles),
        "ensemble-fits": len(fit_alone.index),
        "ensemble-first-gain": f"{cleared.gains(quantiles[-1])[0]:.1f}",
        "ensemble-gans-whole": int((gan.failed == 0).sum()),
        "ensemble-finest": quantiles[-1],
        "ensemble-factor": ensemble.asymptote.amplification(quantiles[-1]),
        "ensemble-stated": f"{stated['ensemble-amplification-50']['value']:g}",
        "ensemble-above": report.sorted_by_answer(
            factors, stated["ensemble-amplification-50"]["value"]
        ),
        "ensemble-verdicts": enumerated(
            f"{judged_as[name]} for {what}" for what, name in verdicts.items()
        ),
        "ensemble-failures": ensemble.failures,
        "ensemble-single-failures": gan.failures,
        "ensemble-distinct": Share(sum(everything.values()), len(everything)),
        "ensemble-repetitions": len(ensemble.counts),
        "ensemble-gans": len(gan.counts),
    }
)
report.origin("ensemble-fig2", ensembles, gans, fits)

# %% mystnb={"figure": {"name": "ensemble-fig2", "caption": "As {numref}`amplify-fig2`, with the Ensemble-GAN of {glue:text}`ensemble-members` GANs a sample (purple): means and bands of {glue:text}`ensemble-whole` ensembles and of {glue:text}`ensemble-gans-whole` GANs (orange), both without failed trainings. The bands of the curves, of the fits (green) and of the samples hold the central 68%. The GANs are of {glue:text}`ensemble-gans` samples, the ensembles of the first {glue:text}`ensemble-repetitions` of them.\n\n{glue:text}`ensemble-fig2-origin`"}, "image": {"alt": "Quantile MSE against the number of events, with the Ensemble-GAN"}} tags=["hide-input"]
curves = [
    Shown(curve.whole or curve, f"{label} ({len((curve.whole or curve).index)})", color, "-.")
    for label, curve, color in (
        ("GAN", gan, ORANGE),
        (f"ensemble of {members}", ensemble, PURPLE),
    )
]
quantile_mse_panels(sample_and_fits, curves, quantiles, stacked=True, central=True)
plt.show()

# %% tags=["remove-input"]
judged = {}
for name, curve in {f"ensembles of {members}": ensemble, "single GANs": gan}.items():
    judged[f"{name}, all {len(curve.index)}"] = curve
    if curve.failed.any() and curve.whole:
        judged[f"{name}, {len(curve.whole.index)} without failures"] = curve.whole
report.show_table(
    "ensemble-table",
    "What an ensemble is worth, in points with standard errors (where trainings failed, 95% intervals) over ensembles or "
    "GANs, which are of different samples, and where the curves are saturated: the fewest events from which on the mean error stays within "
    "10% of that of the most (68% ranges)",
    ["", *(f"{q} quantiles" for q in quantiles)],
    [
        *([f"{name}, points", *map(c.asymptote.n_equiv, quantiles)] for name, c in judged.items()),
        *(
            [f"{name}, saturated at", *(curve_saturation(c, q) for q in quantiles)]
            for name, c in judged.items()
        ),
    ],
)
report.show_table(
    "ensemble-fits",
    f"The ensembles of the members that did not fail, their members and the fits, on the same {len(alone.index)} "
    "samples: points with standard errors, and ratios, paired. Points are corrected for the bias of one over a mean, "
    "ratios are not, so that $g$ is not quite the quotient of its two rows",
    ["", *(f"{q} quantiles" for q in quantiles)],
    [
        ["ensemble", *map(alone.n_equiv, quantiles)],
        ["its members, mean", *(n_equiv(cleared.own(q), q) for q in quantiles)],
        ["fit", *map(fit_alone.n_equiv, quantiles)],
        ["ensemble / fit", *map(over_fit, quantiles)],
        ["ensemble / members, $g$", *map(cleared.gain, quantiles)],
    ],
)
report.show_table(
    "ensemble-leaving",
    "What the ensemble adds, by the last epoch at which the discriminator may be seen to have won in a member, "
    "a cut that was chosen after the numbers were seen (post hoc): gain $g$ with standard errors, and the share "
    "$s$ with bootstrap 95% intervals; failed members are in none",
    [
        "members that left by",
        "members",
        "samples",
        *(f"g, {q}" for q in quantiles),
        *(f"s, {q}" for q in quantiles),
    ],
    [
        [
            "any epoch" if np.isinf(cut) else f"epoch {cut:,}",
            chosen.members,
            len(chosen.cells),
            *map(chosen.gain, quantiles),
            *map(differing(chosen), quantiles),
        ]
        for cut, chosen in by_cut.items()
    ],
)

# %% [markdown]
# ## What we find
#
# {numref}`ensemble-fig1` shows one sample, on which the ensemble is worth {glue:text}`ensemble-first-gain` times one
# of its members, at {glue:text}`ensemble-finest` quantiles.  What meets the eye is what they have in common: a bridge between the humps.  With
# $|x| < 1$ they put {glue:text}`ensemble-bridge` of the events where the truth has {glue:text}`ensemble-bridge-truth`, above it
# in {glue:text}`ensemble-bridge-above` members, and no ensemble averages that away.
#
# {numref}`ensemble-fig2` and {numref}`ensemble-table` have
# {glue:text}`ensemble-repetitions` samples with an ensemble each.  Failed trainings (see {doc}`the first page <amplify>`) are
# {glue:text}`ensemble-failures` members of ensembles and {glue:text}`ensemble-single-failures` single GANs, with the
# 68% interval of the rate; as the first member of an ensemble is the single GAN of its sample, that is
# {glue:text}`ensemble-distinct` distinct trainings.  Both kinds are judged without them.  The {glue:text}`ensemble-whole` ensembles of
# which no member failed are worth {glue:text}`ensemble-whole-equivalents` points at {glue:text}`ensemble-quantiles`
# quantiles, a factor of {glue:text}`ensemble-whole-factor` at {glue:text}`ensemble-finest`; all together
# {glue:text}`ensemble-equivalents`, a factor of {glue:text}`ensemble-factor`, with 95% intervals for which the rate of failures, the failed and the other errors are varied independently.  So few ensembles say little about where the curves saturate.
#
# **Does that bear the paper out?**  The second paper gives {glue:text}`ensemble-paper` points
# for ten GANs a sample, {glue:text}`ensemble-paper-single` for one of them, and a factor above {glue:text}`ensemble-stated`, and does not speak of trainings that fail.
# Is the factor at {glue:text}`ensemble-finest` above that?  By 95% intervals, {glue:text}`ensemble-above`.  By the rules of
# {numref}`claims-ensemble`, which compares for 10,000 events as the paper does, the verdict is {glue:text}`ensemble-verdicts`.
#
# **How close to the fit?**  {numref}`ensemble-fits` compares on the ensembles' own samples, without the failed
# members.  There the ensemble is worth {glue:text}`ensemble-over-fit` times the fit at {glue:text}`ensemble-quantiles`
# quantiles: {glue:text}`ensemble-word-fit`, by 95% intervals, over {glue:text}`ensemble-fits` samples.  The fit is told the
# form of the density, and the ensemble is not.
#
# **What the ensemble adds.**  The single GANs of {numref}`ensemble-table` are one a sample, on
# {glue:text}`ensemble-gans` samples, and a lucky or unlucky training moves their mean of
# {glue:text}`ensemble-single` points.  The fair comparison is with the mean of the ensemble's own members, which saw the same points.
# That an ensemble is worth no less needs no measurement: the squared error of a mean is at most the mean of the
# squared errors.  How much more it is, is the question: {glue:text}`ensemble-gain` times without the members that
# failed.  (With them it is {glue:text}`ensemble-gain-all` times,
# a number dominated by failed members, whose full error enters the members' mean.)  The second
# paper introduces ensembles against the instability of trainings; its numbers imply a gain of {glue:text}`ensemble-paper-gain`.
#
# Sample by sample the gain is {glue:text}`ensemble-gains` at {glue:text}`ensemble-finest` quantiles: a few samples make it, first of all
# those with a member that all but failed.  Leave out the {glue:text}`ensemble-late` in which the discriminator was
# seen to have won after epoch {glue:text}`ensemble-cut`, a cut made after the numbers were seen, and it is
# {glue:text}`ensemble-gain-earlier` times ({glue:text}`ensemble-gains-earlier` by sample), at all resolutions alike.
# By {numref}`ensemble-leaving` an earlier cut changes it little.  The excess over {glue:text}`ensemble-gain-earlier` thus comes from members that
# left the initial state late (see {doc}`the page on the network <network>`).
#
# **What members share.**  What an ensemble of $M$ GANs on one sample is worth follows from two numbers.  Let $d_m$ be what member $m$ puts into
# the quantiles, less what belongs there.  Members are trained alike and know nothing of each other, so that in the mean
#
# $$
# \langle\mathrm{MSE}\rangle_M = \langle d_m d_n \rangle
# + \frac{\langle d_m^2 \rangle - \langle d_m d_n \rangle}{M} , \qquad m \neq n .
# $$ (eq-members)
#
# The first term is what two of them share, because of their sample or of how networks are; the second is averaged away.
# It is the share $s = 1 - \langle d_m d_n \rangle / \langle d_m^2 \rangle$ of a GAN's error, and
# makes the gain $g = \langle d_m^2 \rangle / \langle\mathrm{MSE}\rangle_M = 1 / (1 - s (1 - 1/M))$.  Without the failed
# $s$ is {glue:text}`ensemble-shared`, and {glue:text}`ensemble-shared-earlier` with the cut;
# 95% intervals are of bootstraps over the samples, which for so few are too narrow, if anything.
# The rest, {glue:text}`ensemble-common`, is what the sample made, and what architecture and schedule do to every network.  The
# second has {glue:text}`ensemble-same` of the error of single GANs, by the square of their mean deviation over the samples:
# {glue:text}`ensemble-from-sample`.
#
# **One failed member.**  A failed member puts $1/M$ of all events into one quantile.  With perfect others the error is
# $(1 - 1/q)/(q M^2)$, worth $M^2$ points at any $q$.  So an ensemble caps the damage,
# at about $M^2$ points in place of one, and spreads it: if a share $f$ of all trainings fails,
# $1 - (1 - f)^M$ of the ensembles have such a member.  Whoever looks at the events of each member sees at a glance
# which that is, and can leave it out.  {glue:text}`ensemble-spoilt`

# %% tags=["nbval-check-output", "remove-cell"]
for q in quantiles:
    print(f"{q} quantiles:")
    print(f"  GAN             {gan.asymptote.n_equiv(q)}")
    print(f"  ensemble        {ensemble.asymptote.n_equiv(q)}")
    print(f"  amplification   {ensemble.asymptote.amplification(q)}")
    print(f"  saturated at    {ensemble.saturation(q)} events")
    if whole is not None:
        print(f"  none failed     {whole.asymptote.n_equiv(q)}, gain {own(q)}")
    print(f"  without failed  {cleared.together.n_equiv(q)}, gain {cleared.gain(q)}")
