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
# The truth is the parametrisation of the page on {doc}`showers`.  There are three generators: the paper's BIB-AE, the
# plain GAN that is its cheap rival, and a *fast simulation* with a wrong setting, the truth itself for photons of
# {glue:text}`reweighted-made` in place of {glue:text}`reweighted-energy` GeV.  The paper ends on such a use; here it
# is the control.  It is near the truth by construction, so that what fails for it fails by the method, and what
# fails for the other two only fails by them.

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
latents = None

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(
    globals(), "preset", "seed", "repetitions", "events", "generated", "high_level", "test_events",
    "epochs", "filters", "largest", "low_largest", "made_energy", "latents",
)  # fmt: skip

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np

from amplib.book import report
from amplib.book.obtain import obtain, stored
from amplib.metrics.outlook import HOPELESS_AUC
from amplib.store.results import at_one_scale
from amplib.studies.generators.reading import trained
from amplib.studies.reweighting import figures
from amplib.studies.reweighting import reading as r

own = {"reweighted-bibae": ("latents",), "reweighted-gan": (), "reweighted-simulation": ("made_energy",)}
shared = given.keys() - {"latents", "made_energy"}
asked = {name: {key: given[key] for key in (*shared, *own[name])} for name in r.GENERATORS}
for name in r.GENERATORS:
    stored(name, **asked[name])  # a value that one of them refuses is refused before any work
results = at_one_scale(
    {name: obtain(name, **asked[name]) for name in r.GENERATORS},
    lambda name, preset: obtain(name, **asked[name] | {"preset": preset}),
)
bibae, gan, control = showers = [r.read(result) for result in results.values()]

# %% tags=["remove-input"]
report.show_banner(*results.values())
