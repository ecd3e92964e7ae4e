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
# What each result of this book cost, from the records of its parts, and what is still missing: {numref}`cost-table`.  A
# part is the smallest thing that is stored: one GAN, or a hundred fits.  Seconds are by the clock, of one
# core or of one GPU, shared by the parts that were computed together.  Where the machine had other work to do they were longer than the computation itself
# would have needed: they bound its cost from above.  A part that two studies share stands in both
# rows and counts once: all that this book stores took {glue:text}`cost-total`.  Top pairs are simulated
# once for all studies.  Not in it are other events by the million, which are simulated wherever they
# are needed, and what pages compute while they are built.

# %% tags=["parameters"]
preset = "best"

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(globals(), "preset")

# %% tags=["remove-input"]
from amplib.book import report
from amplib.book.obtain import BEST, check_preset, stored
from amplib.store.results import cost_so_far, total_cost
from amplib.studies.catalogue import results_of
from amplib.studies.collisions.reading import TopPairStatistics

check_preset(given["preset"])
shown = ("laptop", "paper") if given["preset"] == BEST else (given["preset"],)
results = [
    (title, result)
    for preset in shown
    for title, result in results_of(preset).items()
    if not result.study.bulk
]
rows = []
for title, result in sorted(results, key=lambda row: row[0]):
    spent, devices, _ = cost_so_far(result)
    done, wanted = len(result.done()), len(result.study.parts())
    time = report.duration(spent) if done else "--"
    rows.append([title, result.preset, f"{done} of {wanted}", time, ", ".join(devices) or "--"])
total = total_cost(result for _, result in results)
for preset in shown:
    simulated = [0.0]
    if (tops := stored("ttbar-summary", preset)).done():
        simulated.append(sum(TopPairStatistics.of(tops).seconds.values()))
        rows.append(["ttbar-summary, its events", preset, "", report.duration(simulated[-1]), ""])
    if (reference := stored("ttbar-reference", preset)).done():
        simulated.append(float(next(reference.each())["seconds"]))
        rows.append(["ttbar-reference, its events", preset, "", report.duration(simulated[-1]), ""])
    total += max(simulated)  # the first are some of the second
report.tell(**{"cost-total": report.duration(total)})
report.show_table(
    "cost-table",
    "Parts done and wanted, and the time that the stored ones took",
    ["study", "preset", "parts", "time", "on"],
    [*rows, ["**in all**, each part once", "", "", f"**{report.duration(total)}**", ""]],
)
