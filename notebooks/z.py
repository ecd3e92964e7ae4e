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
# # A Z to two leptons
#
# $e^+e^- \to \gamma^*/Z \to \ell^+\ell^-$ at {glue:text}`z-energy` GeV, electrons and muons in equal parts: the second
# kind of events of the event paper {cite}`otten2019`, from Pythia
# {cite}`bierlich2022` at the level of the matrix element: no radiation, no shower.  The paper used MadGraph
# {cite}`alwall2014`; in the s-channel there is one answer at tree level,
# $p(\cos\theta) = \tfrac38 (1 + \cos^2\theta) + A_{FB}\cos\theta$, with an asymmetry that follows from the
# couplings.  Ours is {glue:text}`z-asymmetry`, the exact one for Pythia's couplings
# {glue:text}`z-exact-asymmetry`; {numref}`z-fig1` shows the density over all angles, {numref}`z-checks` what else
# must hold.
#
# Sixteen columns hold the four-momenta of $e^-$, $e^+$, $\mu^-$ and $\mu^+$, of which eight are zero in every
# event: a generator must decide for one flavour, and no average of two events is an event.

# %% tags=["parameters"]
preset = "best"
events = None
seed = None
energy = None
exchange = None

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(globals(), "preset", study="z-summary")

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from amplib.book import report
from amplib.book.obtain import obtain
from amplib.studies.collisions import figures
from amplib.studies.collisions.checks import z_checks
from amplib.studies.collisions.reading import asymmetry, total

z = obtain("z-summary", **given)

# %% tags=["remove-input"]
report.show_banner(z)

# %% tags=["remove-cell"]
exact, alone = (next(iter(z.load().values()))[name] for name in ("asymmetry", "asymmetry_z_alone"))
report.tell(
    **{
        "z-energy": f"{z.study.energy:g}",
        "z-events": f"{int(total(z, 'electrons')[1]):,}",
        "z-asymmetry": asymmetry(z),
        "z-exact-asymmetry": f"{exact:.4f}",
        "z-alone": f"{alone:.4f}",
    }
)
report.origin("z-fig1", z)

# %% mystnb={"figure": {"name": "z-fig1", "caption": "{glue:text}`z-events` events: the negative leptons against the tree-level density (line, left), their ratio below, and the azimuth of the same leptons against a uniform one (right).\n\n{glue:text}`z-fig1-origin`"}, "image": {"alt": "Angles of the leptons from Z decays"}} tags=["hide-input"]
figures.z_panels(z)
plt.show()

# %% tags=["hide-input"]
report.show_table(
    "z-checks",
    "What must hold of the leptons, and what is measured",
    ["quantity", "expected", "measured"],
    z_checks(z),
)

# %% [markdown]
# The Z has the photon beside it, in the s-channel alone: electrons lack their t-channel, as they do in the
# paper's $e^+e^- \to Z \to \ell^+\ell^-$.  Without the photon the asymmetry would be {glue:text}`z-alone`; the rest
# stays.

# %% tags=["nbval-check-output", "remove-cell"]
print("asymmetry", asymmetry(z), "exact", f"{exact:.5f}")
