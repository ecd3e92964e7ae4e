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
# # The buffer's plane

# %% tags=["parameters"]
preset = "best"
alpha = None
gamma = None
training_events = None
seed = None

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(globals(), "preset", study="top-point")

# %% tags=["hide-input"]
from amplib.book import report
from amplib.book.obtain import obtain
from amplib.studies.plane.reading import Point

made = obtain("top-point", **given)
point = Point.of(made)

# %% tags=["remove-input"]
report.show_banner(made)

# %% tags=["hide-input"]
report.tell(
    **{
        "plane-delta": point.delta,
        "plane-eta": point.delta_of("eta"),
        "plane-phi": point.delta_of("phi"),
        "plane-dropped": point.dropped,
    }
)
