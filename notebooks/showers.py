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
# # Showers
#
# DCTRGAN {cite}`diefenbacher2020` reweights a generator of calorimeter showers:
# photons of 50 GeV in the silicon-tungsten calorimeter of the International Large Detector (ILD) {cite}`ild2020`,
# simulated with Geant4.  Its showers are published, in part; Geant4 needs large data sets that
# not every reader has.  So that the study runs anywhere, the truth of this book is a *parametrisation*, that
# of Grindhammer and Peters {cite}`grindhammer2000`, the one behind GFlash.  This page shows what its
# showers look like, how they were checked, and what they are not.

# %% tags=["parameters"]
preset = "best"
energy = None
particle = None
hits = None
showers = None
seed = None

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(globals(), "preset", "energy", "particle", "hits", "showers", "seed")

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
from scipy import stats

from amplib.book import report
from amplib.book.obtain import obtain
from amplib.estimate import Estimate
from amplib.studies.showers import figures
from amplib.studies.showers.reading import ACTIVE, VISIBLE, fit_resolution, summarise
from amplib.studies.showers.study import RADII
from amplib.truth.showers.config import CORRELATED

ENERGIES = np.array([5.0, 10.0, 20.0, 50.0, 100.0, 200.0])


def shown(**changes):
    """The result at hand with some parameters changed."""
    return obtain("shower-summary", **{**given, **changes})


result = shown()
study = result.study
other = "electron" if study.particle == "photon" else "photon"
spots = "gflash" if study.hits == "mip" else "mip"
by_particle = shown(particle=other)
by_hits = shown(hits=spots)
scan = [shown(energy=float(e)) for e in ENERGIES]
here, there, coarse = map(summarise, (result, by_particle, by_hits))
scanned = list(map(summarise, scan))

# %% tags=["remove-input"]
report.show_banner(result)

# %% tags=["remove-cell"]
a, b, chi2 = fit_resolution(ENERGIES, [s.resolution() for s in scanned])
freedom = len(ENERGIES) - 2
kinds = {s.particle: s for s in (here, there)}
photon, electron = kinds["photon"], kinds["electron"]
depths = photon.mean_depth(), electron.mean_depth()
deeper = Estimate(depths[0].value - depths[1].value, np.hypot(*(d.error for d in depths)))
maximum = int(np.argmax(here.layer_mean)) + 1
per_energy = here.mean(ACTIVE).value / here.mean(VISIBLE).value
PAPER_MIDDLE = (550 + 1050) / 2  # MeV, of the axis of Fig. 3
together = dict(zip(CORRELATED, 100 * here.correlations(), strict=True))
layers_together = 100 * here.layer_correlations()[9]
report.tell(
    **{
        "shower-energy": f"{study.energy:g}",
        "shower-particle": study.particle,
        "shower-other": other,
        "shower-number": len(here),
        "shower-hits": study.hits,
        "shower-spots": spots,
        "shower-active": here.mean(ACTIVE),
        "shower-active-spots": coarse.mean(ACTIVE),
        "shower-visible": here.mean(VISIBLE),
        "shower-visible-ratio": f"{here.mean(VISIBLE).value / PAPER_MIDDLE:.2f}",
        "shower-maximum": maximum,
        "shower-cells-per-mev": f"{per_energy:.2f}",
        "shower-stochastic": a.percent(),
        "shower-constant": b.percent(),
        "shower-chi2": f"{chi2:.1f}",
        "shower-freedom": freedom,
        "shower-fit-p": f"{stats.chi2.sf(chi2, freedom):.2f}",
        "shower-r-hits": f"{together['E_vis'][CORRELATED.index('n_hit')]:z.0f}%",
        "shower-r-depth": f"{together['E_vis'][CORRELATED.index('Z')]:z.0f}%",
        "shower-r-widths": f"{together['X2'][CORRELATED.index('Y2')]:z.0f}%",
        "shower-r-thirds": f"{together['E1'][CORRELATED.index('E3')]:z.0f}%",
        "shower-r-next": f"{layers_together[10]:z.0f}%",
        "shower-r-fourth": f"{layers_together[13]:z.0f}%",
        "shower-r-behind": f"{layers_together[20]:z.0f}%",
    }
)
report.origin("showers-fig1", result)
report.origin("showers-fig2", result, by_particle)
report.origin("showers-fig3", result)
report.origin("showers-fig4", result, by_hits, by_particle)
report.origin("showers-fig5", result, *(r for r in scan if r.study != study))
report.origin("showers-fig6", result)

# %% [markdown]
# ## The detector and the particle
#
# Thirty layers of silicon, 0.525 mm thick, stand behind 20 plates of 2.1 mm and 10 plates of 4.2 mm of
# tungsten: 24 radiation lengths.  Each layer is read out in 30 × 30 cells of 5.09 mm about the axis.  A
# photon enters at right angles, within half a cell of the grid's centre along x and along y, and what every
# cell sees is recorded in MeV.  A cell below 0.1 MeV counts as silent.

# %% mystnb={"figure": {"name": "showers-fig1", "caption": "One {glue:text}`shower-particle` of {glue:text}`shower-energy` GeV: its cells in space (above), the energy summed along $y$, along $x$ and along the axis (below, from left to right).\n\n{glue:text}`showers-fig1-origin`"}, "image": {"alt": "Event display of one shower, in space and in three projections"}} tags=["hide-input"]
figures.event_display(here.display)
plt.show()

# %% [markdown]
# ## How a shower is drawn
#
# 1. **Start.**  A photon travels an exponential depth of mean 9/7 X₀ before it converts; an electron
#    starts at once.
# 2. **Length.**  The energy lost along the axis follows a Gamma profile.  Its depth of maximum $T$ and
#    its shape $\alpha$ vary from shower to shower, $(\ln T, \ln\alpha)$ jointly normal, with means, widths
#    and correlation that depend on the energy and on the medium.
# 3. **Sampling.**  The silicon sees a small part of what is lost, and that part fluctuates:
#    $\sigma(E)/E = 17\%/\sqrt{E/\mathrm{GeV}}$, where a prototype
#    with other plates measured 16.6% {cite}`calice2008`.
# 4. **Width.**  In every layer the energy spreads about the axis with a core and a tail that widen with
#    the shower's age.
# 5. **Hits.**  The energy of a layer comes in pieces.  The publication's *spots* are all equal, and
#    there are about 2,600 of them in a shower of 50 GeV, few per cell: their number, not the shower, then
#    limits how many cells are hit.  By default we draw as many hits as the layer's energy has minimum
#    ionising particles, each with a Landau-like energy of mean 0.20 and most probable value 0.16 MeV.
#    Layer energies, resolution and profiles are the same in both, by construction.
#
# ## Do the simulated showers follow their formulas?
#
# The energy lost in a layer is a known function of three random numbers, and sampling adds a known variance:
# means and spreads follow by integration, with no random number drawn, and so does the share of a column
# of cells.

# %% mystnb={"figure": {"name": "showers-fig2", "caption": "Mean energy in each layer for a {glue:text}`shower-particle` and an {glue:text}`shower-other` of {glue:text}`shower-energy` GeV: simulated (points; bars: spread from shower to shower) and integrated over the cells of the grid (lines; bands: spread). Below: their ratio, with the standard error of the mean. The kink behind layer 20 is the thicker tungsten.\n\n{glue:text}`showers-fig2-origin`"}, "image": {"alt": "Longitudinal profile of photons and electrons, simulated and integrated"}} tags=["hide-input"]
figures.longitudinal_profiles({study.particle: here, other: there})
plt.show()

# %% mystnb={"figure": {"name": "showers-fig3", "caption": "Share of the energy of three layers, and of all together, in columns of cells: simulated (points) and integrated (steps). Below: their ratio; the mean over all layers has its standard error over showers, a single layer has none.\n\n{glue:text}`showers-fig3-origin`"}, "image": {"alt": "Lateral profiles of three layers and of all, with the ratio of simulated to integrated"}} tags=["hide-input"]
figures.lateral_profile(here, (5, 13, 25))
plt.show()


# %% tags=["hide-input"]
def ends(values, digits=1):
    return f"{min(values):.{digits}f} to {max(values):.{digits}f}"


spread = here.layer_spread / here.expected_layers[1]
spread_error = here.spread_error / here.expected_layers[1]
response = np.array([s.response().value for s in scanned])
expected_depth = photon.expected_depth() - electron.expected_depth()
bound = f"pulls below 4 (chance: under {60 * stats.norm.sf(4):.1%})"
x, y, squares, widths = here.symmetry()
report.show_table(
    "showers-checks",
    f"Checks of {len(here):,} showers ({study.particle}, {study.energy:g} GeV). A pull is a deviation "
    "of a mean in standard errors over showers; the chance is that of any of 30 beyond the bound",
    ["quantity", "expected", "measured"],
    [
        ["mean energy of 30 layers", bound, f"pulls {ends(here.layer_pulls)}"],
        ["energy of 30 columns of cells", bound, f"pulls {ends(here.column_pulls)}"],
        [
            "spread of 30 layer energies, over the integrated",
            "1, or more at the end, where hits leave at the sides one by one",
            f"{ends(spread, 2)}, standard errors {ends(spread_error, 3)}",
        ],
        [
            f"energy within {' / '.join(f'{r:g}' for r in RADII)} Molière radii",
            f"{' / '.join(f'{s:.2%}' for s in here.expected_contained())}, to 0.1%: cells enter by their mean effect",
            " / ".join(f"{share.value:.2%}" for share in here.contained()),
        ],
        [
            "mean depth of photons less that of electrons",
            f"{expected_depth:.3f} X₀ (9/7, less what leaves at the back)",
            f"{deeper} X₀",
        ],
        ["mean of X, of Y, from the axis", "0 cells", f"{x}, {y} cells"],
        ["mean of X² − Y², from the axis", "0 cells²", f"{squares} cells²"],
        ["mean of X2 − Y2, the squared widths", "0 cells²", f"{widths} cells²"],
        [
            "reconstructed over true energy, 5 to 200 GeV",
            "constant within 1%",
            f"within {np.abs(response / response.mean() - 1).max():.2%} of its mean",
        ],
        [
            "resolution",
            "17%/√E, and a constant from leakage",
            f"{a.percent()}/√E ⊕ {b.percent()}",
        ],
    ],
)

# %% [markdown]
# ## What the reconstruction misses
#
# The reconstructed energy is the sum over layers of what is seen, divided by the sampling fraction and
# weighted with the layer's depth, half-way to either neighbour.  What it misses, by integration except for
# the threshold, which is counted in these showers and so not tested:

# %% tags=["hide-input"]
report.show_table(
    "showers-losses",
    "Shares of the energy that the reconstruction misses, and what it finds. Sum for integral: "
    "layers are added up where depth should be integrated; negative, as that gives too much",
    [
        "energy (GeV)",
        "behind",
        "at the sides",
        "threshold",
        "sum for integral",
        "expected",
        "found",
    ],
    [
        [
            f"{s.energy:g}",
            *(f"{share:.2%}" for share in s.losses().values()),
            f"{1 - sum(s.losses().values()):.2%}",
            s.response().percent(),
        ]
        for s in scanned
    ],
)

# %% mystnb={"figure": {"name": "showers-fig5", "caption": "Left: the reconstructed over the true energy, and one less the losses of the table above (dashed), with 1% about the mean (band). Right: its resolution, with the fit {glue:text}`shower-stochastic` over the root of the energy in GeV and {glue:text}`shower-constant` added in quadrature, of chi-square {glue:text}`shower-chi2` for {glue:text}`shower-freedom` degrees of freedom (p = {glue:text}`shower-fit-p`). The energy lost behind the last layer varies from shower to shower, the more the higher the energy; the constant term stands for that.\n\n{glue:text}`showers-fig5-origin`"}, "image": {"alt": "Linearity and resolution from 5 to 200 GeV"}} tags=["hide-input"]
figures.response_and_resolution(scanned, a.value, b.value)
plt.show()

# %% [markdown]
# ## What the papers measure of them

# %% mystnb={"figure": {"name": "showers-fig4", "caption": "Number of active cells, visible energy, centroid, and the energies of single cells, at {glue:text}`shower-energy` GeV: both ways to draw hits, and the other particle. Grey lines: the threshold, and where the paper's active cells peak, at 50 GeV.\n\n{glue:text}`showers-fig4-origin`"}, "image": {"alt": "Distributions of active cells, visible energy, centroid and cell energies"}} tags=["hide-input"]
figures.distributions(
    {
        f"{study.particle}, {study.hits} hits": here,
        f"{study.particle}, {spots} hits": coarse,
        f"{other}, {study.hits} hits": there,
    }
)
plt.show()

# %% mystnb={"figure": {"name": "showers-fig6", "caption": "Linear correlations of the paper's observables: first moments $X$, $Y$, $Z$ and second moments $X_2$, $Y_2$, $Z_2$ in cells and layers, visible energy $E_{vis}$, number of active cells $n_{hit}$, and the shares of the energy in the first, middle and last third of the layers, $E_1$, $E_2$, $E_3$.\n\n{glue:text}`showers-fig6-origin`"}, "image": {"alt": "Matrix of linear correlations of eleven observables"}} tags=["hide-input"]
figures.correlation_matrix(here.correlations(), CORRELATED)
plt.show()

# %% [markdown]
# ## What this truth is not
#
# The showers of this page have {glue:text}`shower-energy` GeV; those of the paper, 50 GeV.
#
# - **Visible energy.**  Ours is {glue:text}`shower-visible` MeV.  The paper gives no mean; its histogram
#   runs from 550 to 1050 MeV, and ours is {glue:text}`shower-visible-ratio` times the middle of that axis,
#   800 MeV.  The scale is that of sampling fractions worked out from the materials for this book,
#   2.48% behind thin plates and 1.22% behind thick ones.  All showers of this book share it.  On
#   the paper's scale our threshold is lower, so that more cells pass it.
# - **Active cells.**  There are {glue:text}`shower-active` with hits of the kind *{glue:text}`shower-hits`* and
#   {glue:text}`shower-active-spots` with *{glue:text}`shower-spots`*.  The paper's peak lies at 780: about one
#   cell per MeV, if its mean is 800 MeV.  Ours have {glue:text}`shower-cells-per-mev`, untuned.
# - **Depth.**  The mean shower is highest in layer {glue:text}`shower-maximum`; the paper's just beyond the tenth.
# - **Correlations.**  The paper's Fig. 7 shows how the correlations of its generator differ from
#   Geant4's, and not Geant4's own; ours stand alone.  The visible energy correlates to
#   {glue:text}`shower-r-hits` with the number of active cells, and to {glue:text}`shower-r-depth` with the mean
#   layer, as thick plates sample half as much; the first third of the layers to {glue:text}`shower-r-thirds`
#   with the last one, the widths along x and y to {glue:text}`shower-r-widths`.  The energy of layer 10
#   correlates to {glue:text}`shower-r-next` with that of layer 11, to {glue:text}`shower-r-fourth` with layer 14
#   and to {glue:text}`shower-r-behind` with layer 21: all of it from the shower's length and start.
# - **Tracks.**  A particle that crosses several layers leaves hits that lie behind one another.
#   Here hits of different layers know of each other only through the shower's length and its axis, and the energy
#   in a layer is spread alike about it: there are no tracks, no splinters off the axis, no
#   photonuclear reactions.  A classifier that looks at single cells will tell these showers from
#   Geant4's at once; the experiment of this book never asks it to, as both of its sides, the truth and
#   the generator trained on it, are ours.
#
# The published showers come through the reader that reads ours, and into the same observables.  Geant4,
# for those who have its data, shoots into plates of the same thickness at the same places, and writes
# the same file.  The page is of our showers alone; {ref}`the reproduction page <reproduce-data>` says how
# to have the others.

# %% tags=["nbval-check-output", "remove-cell"]
print("active cells", here.mean(ACTIVE))
print("visible energy", here.mean(VISIBLE))
print("resolution", a, b, f"chi-square {chi2:.1f}")
for s in scanned:
    print(f"{s.energy:g} GeV: reconstructed over true {s.response()}")
print("within Molière radii", *here.contained())
print("x and y", *here.symmetry())
print("correlations", *(f"{100 * c:z.0f}" for c in here.correlations()[6]))
