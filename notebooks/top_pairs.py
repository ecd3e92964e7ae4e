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
# # Pairs of top quarks
#
# The third kind of events of the event paper {cite}`otten2019`, the one that it is about.  Are ours what a detector would make of top pairs?
# {glue:text}`ttbar-answer`  The paper's own are published; they go through the same reader as ours, and {ref}`the reproduction page <reproduce-data>` says how to get them.
#
# $pp \to t\bar t$ at {glue:text}`ttbar-energy` TeV by Pythia 8, with its default parton densities, NNPDF 2.3 LO {cite}`ball2013`, with
# showers and hadrons, {glue:text}`ttbar-multiparton` multiple interactions; at least one W goes to an electron or a muon.  Stable particles pass
# a parametrised detector with the numbers of Delphes' {cite}`favereau2014` card for ATLAS; FastJet
# {cite}`cacciari2012` finds jets, anti-$k_t$ {cite}`cacciari2008` with a radius of
# {glue:text}`ttbar-radius`.  The paper has events with four jets of $p_T > 20$ GeV and one or two leptons; we take four jets or more,
# and keep the four leading in $p_T$ ({numref}`top-pairs-fig1`).  An event has 26 columns: missing momentum and its azimuth, then energy, $p_T$, $\eta$ and
# $\phi$ of four jets and two leptons, in MeV, zeros for a lepton that is not there.  Of the events in which a W
# goes to an electron or a muon {glue:text}`ttbar-survival` survive, {glue:text}`ttbar-dileptons` of them with
# two leptons ({numref}`top-pairs-cut-flow`, of {glue:text}`ttbar-survivors` that are left, of which this page has {glue:text}`ttbar-events`); to simulate these took {glue:text}`ttbar-time` of one core,
# by the stages of {numref}`top-pairs-stages`.  The paper took
# its matrix elements from MadGraph and merged them with the shower; here extra jets come from the shower alone.

# %% tags=["parameters"]
preset = "best"
events = None
seed = None
energy = None
multiparton = None
taus = None
radius = None

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(globals(), "preset", study="ttbar-summary")

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np

from amplib.book import report
from amplib.book.obtain import obtain
from amplib.studies.collisions import figures
from amplib.studies.collisions.checks import top_pair_checks
from amplib.studies.collisions.reading import TopPairStatistics
from amplib.truth.collisions.checks import TOP_MASS, W_MASS
from amplib.truth.collisions.columns import GEV

result = obtain("ttbar-summary", **given)
tops = TopPairStatistics.of(result)
flow, spent = tops.cut_flow, sum(tops.seconds.values())
first, *_, last = flow.values()

# %% tags=["remove-input"]
report.show_banner(result)

# %% tags=["remove-cell"]
CARD_RADIUS = 0.6


def the_answer():
    """Masses of jets beside those of their particles, and what is amiss."""
    w, top = tops.w_jets().estimate(), tops.top_jets().estimate()
    apart = max(abs(w.value / W_MASS - 1), abs(top.value / TOP_MASS - 1))
    short = 1 - tops.missing_scale().value
    return (
        f"Jets of a W have a median mass of {w} GeV, where it has {W_MASS}, those of a top {top}, where it "
        f"has {TOP_MASS}, {'both' if apart < GOOD else 'not both'} within {GOOD:.0%}; missing momentum is "
        f"{short:.0%} too {'small' if short > 0 else 'large'}."
    )


GOOD = 0.05
report.tell(
    **{
        "ttbar-energy": f"{result.study.energy / 1000:g}",
        "ttbar-radius": f"{result.study.radius:g}, "
        + (
            "the card's"
            if result.study.radius == CARD_RADIUS
            else f"where the card has {CARD_RADIUS}"
        ),
        "ttbar-multiparton": "with" if result.study.multiparton == "on" else "without",
        "ttbar-taus": result.study.taus,
        "phi-modulation": tops.cell_modulation("j1").percent(),
        "phi-modulation-fourth": tops.cell_modulation("j4").percent(),
        "ttbar-time": report.duration(spent),
        "ttbar-events": f"{len(tops.events):,}",
        "ttbar-survivors": f"{last:,}",
        "ttbar-answer": the_answer(),
        "ttbar-survival": f"{100 * last / flow['W to e or mu']:.1f}%",
        "ttbar-dileptons": f"{100 * tops.dileptons.value:.1f}%",
        "ttbar-missing": f"{tops.missing().width:.0f} GeV",
        "ttbar-missing-scale": tops.missing_scale(),
    }
)
for name in ("top-pairs-fig1", "top-pairs-fig2", "top-pairs-fig3"):
    report.origin(name, result, simulation=spent)

# %% mystnb={"figure": {"name": "top-pairs-fig1", "caption": "One event. Circles: jets (blue, of their radius $R = 0.6$) and leptons (vermillion, not to scale) as the detector has them, with their transverse momenta; dashed: azimuth of the missing momentum; crosses: the bottom quarks and what the W bosons decayed into, with transverse momenta in GeV. Of the first events of the sample's parts, for which these are stored, it is the first whose four quarks have a jet each and whose missing momentum is within 0.3 rad of the only neutrino, of more than 40 GeV (the very first, where there is none).\n\n{glue:text}`top-pairs-fig1-origin`"}, "image": {"alt": "One top-pair event in pseudorapidity and azimuth"}} tags=["hide-input"]
figures.event_display(tops)
plt.show()

# %% mystnb={"figure": {"name": "top-pairs-fig2", "caption": "{glue:text}`ttbar-events` events: transverse momenta, pseudorapidities, missing momentum; below right, where the azimuths of the first jet, the first lepton and the missing momentum lie in the hadronic cells of 10°, whose edges are at zero.\n\n{glue:text}`top-pairs-fig2-origin`"}, "image": {"alt": "Distributions of jets, leptons and missing momentum, and azimuths within a hadronic cell"}} tags=["hide-input"]
figures.distributions(tops)
plt.show()

# %% mystnb={"figure": {"name": "top-pairs-fig3", "caption": "Above: masses of jets that belong to the quarks of a W and of a top (dotted: the particles' masses); both components of measured minus true missing momentum. Below: median of measured over true transverse momentum of jets, and its width, half of the central 68%. A jet that fluctuates down below the threshold is not seen, so that the lowest bins look too high.\n\n{glue:text}`top-pairs-fig3-origin`"}, "image": {"alt": "Masses of matched jets, jet response and missing momentum"}} tags=["hide-input"]
figures.reconstruction(tops)
plt.show()

# %% tags=["hide-input"]
report.show_table(
    "top-pairs-cut-flow",
    "Top pairs left after each step",
    ["step", "events", "of the one before"],
    [
        [step, f"{n:,}", f"{100 * n / before:.1f}%"]
        for (step, n), before in zip(flow.items(), [first, *flow.values()], strict=False)
    ],
)
report.show_table(
    "top-pairs-stages",
    f"Stages of the simulation: {last / spent:.0f} selected events a second and core",
    ["stage", "share of the time"],
    [[stage, f"{100 * s / spent:.0f}%"] for stage, s in tops.seconds.items()],
)

# %% [markdown]
# ## Checks
#
# Jets and missing momentum are sums over cells; {numref}`top-pairs-fig3` shows how well they give back quarks and
# neutrinos.  {numref}`top-pairs-checks` gives the
# resolution that the card's formulas predict for a typical jet and for four; the tests sum the cells of each
# jet and of each event from its particles, and hold the detector to that.
#
# Missing momentum is the sum of all cells and muons, turned round, before the jets are brought to their scale.
# What the cells miss of the jets is therefore missing in it, too: along the neutrinos it has
# {glue:text}`ttbar-missing-scale` of their momentum.  No direction is special, so that a mean of both components, which is
# zero, does not see that; a model that is trained on these events learns it.

# %% tags=["hide-input"]
report.show_table(
    "top-pairs-checks",
    "What must hold of top pairs, and what is measured",
    ["quantity", "expected", "measured"],
    top_pair_checks(tops),
)

# %% [markdown]
# ## What this truth is not
#
# - **No extra jets from a matrix element.**  The paper's MadGraph events were merged with the shower by
#   the MLM prescription {cite}`mangano2007`; Pythia's top pairs get their extra jets from the shower, too few
#   of them where they are hard.
# - **Not Delphes.**  Efficiencies, resolutions, segmentation, isolation and the jets' scale are the card's,
#   and the energy flow follows Delphes' description; but it is another program, and nothing was compared
#   event by event.  There is no pile-up.
# - **Cells show.**  A hadronic cell is 10° wide, and what it measures is put at one point, drawn evenly over the
#   cell: that alone would favour no azimuth.  But a jet is a weighted mean of many points.  Of the energy of
#   its core some is in one such cell, some in the neighbour behind or beside it and in the fine electromagnetic
#   cells in front, each at a point of its own, and the mean of several even draws lies nearer to the middle
#   of the cell than each of them.  So azimuths of jets crowd at the middles, by {glue:text}`phi-modulation` for the
#   first jet ({numref}`top-pairs-fig2`) and by {glue:text}`phi-modulation-fourth` for the fourth, which is softer and wider;
#   leptons, measured by tracks and by fine cells, do not.  The paper sees the granularity of its detector in its own events.
# - **Choices that the paper leaves open.**  It names no energy of the collisions, which are of {glue:text}`ttbar-energy` TeV here; $\ell$ is $e$ or $\mu$, and W → τν is switched {glue:text}`ttbar-taus`; jets reach up to
#   $|\eta| = 4.9$; the card's threshold of 20 GeV lies before the jets'
#   scale, so that none here has less than 21.9 GeV.
#
# Models that are trained on these events and compared with these events do not feel any of that.  Numbers
# that are compared with the paper's may, and the published file is one command away.

# %% tags=["nbval-check-output", "remove-cell"]
print(len(tops.events), "events,", tops.dileptons, "dileptons")
for name, value in flow.items():
    print(name, value)
for name in ("MET", "pT_j1", "pT_j4", "pT_l1", "E_j1"):
    print(f"median {name} {np.median(tops.column(name)) / GEV:.1f} GeV")
print(f"W {tops.w_jets().median:.1f}, top {tops.top_jets().median:.1f} GeV")
print(f"MET width {tops.missing().width:.1f} GeV, scale {tops.missing_scale()}")
