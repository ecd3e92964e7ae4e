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
# # Cost
#
# What each result of this book cost, from the records of its parts, and what is still missing.  A
# part is the smallest thing that is stored: one GAN, or a hundred fits.  Seconds are those of one
# core, or of one GPU, shared by the parts that were computed together.

# %% tags=["parameters"]
preset = "best"

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(globals(), "preset")

# %% tags=["remove-input"]
from amplib.book import report
from amplib.book.obtain import BEST, stored
from amplib.store.results import cost_so_far
from amplib.studies.catalogue import STUDIES

shown = ("laptop", "paper") if given["preset"] == BEST else (given["preset"],)
rows = []
for name in [s.name for s in STUDIES.values() if not s.bulk]:
    for scale in shown:
        result = stored(name, scale)
        spent, devices, _ = cost_so_far(result)
        rows.append(
            [
                f"`{name}`",
                scale,
                f"{len(result.done())} / {len(result.study.parts())}",
                report.duration(spent) if spent else "--",
                ", ".join(devices) or "--",
            ]
        )
report.show_table(
    "cost-table",
    "Parts done and wanted, and the time that the stored ones took",
    ["study", "preset", "parts", "time", "on"],
    rows,
)
