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
# What did the results of this book cost?  {glue:text}`cost-core-hours` core-hours and {glue:text}`cost-gpu-hours` GPU-hours, and
# {glue:text}`cost-simulation-hours` core-hours for the simulation of top pairs.
#
# {numref}`cost-table` has this by the parts of the book, and
# {numref}`cost-amplification`, {numref}`cost-reweighting` and {numref}`cost-events` by studies, from the records of their parts, with what
# is still missing.  A part of a study is the smallest thing that is stored: one GAN, or a hundred fits.  Times are wall-clock,
# hence upper bounds on shared machines, and are shared by the parts that were computed together; those of
# cores and of GPUs do not add up, and have a column each.  A part that two studies share stands in both
# rows and counts once in the sums.  Top pairs are simulated once for all studies, and stand apart.
#
# Not in it are: other events by the million, which are simulated wherever they are needed; what pages compute while they are built; trainings that were
# abandoned; and the points of sweeps whose tables are part of the book, which took {glue:text}`cost-sweeps`, with the results behind them, some of which are
# rows here.

# %% tags=["parameters"]
preset = "best"

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(globals(), "preset")

# %% tags=["remove-input"]
from amplib.book import report
from amplib.book.obtain import BEST, check_preset, stored
from amplib.book.shipped import Shipped
from amplib.estimate import enumerated
from amplib.store.results import cost_so_far, spent
from amplib.studies.catalogue import results_of
from amplib.studies.collisions.reading import TopPairStatistics

CHAPTERS = {
    "I Amplification": ("cost-amplification", ["camel"]),
    "II Reweighting": (
        "cost-reweighting",
        ["gaussians", "known", "generators", "showers", "reweighting"],
    ),
    "III Event generation": (
        "cost-events",
        ["collisions", "merit", "bvae", "topvae", "plane", "latent", "rivals"],
    ),
}

check_preset(given["preset"])
shown = ("laptop", "paper") if given["preset"] == BEST else (given["preset"],)
results = [
    (title, result)
    for preset in shown
    for title, result in results_of(preset).items()
    if not result.study.bulk
]


def folder_of(result):
    """That its study is in."""
    return type(result.study).__module__.split(".")[2]


def time(seconds):
    return report.duration(seconds) if seconds else "--"


def row(title, result):
    """What one study took."""
    took, (_, devices, _) = spent([result]), cost_so_far(result)
    done, wanted = len(result.done()), len(result.study.parts())
    return [
        title,
        result.preset,
        f"{done} of {wanted}",
        *map(time, took),
        "; ".join(dict.fromkeys(device.partition(",")[0] for device in devices)) or "--",
    ]


def simulations(preset):
    """Seconds of the top pairs that were simulated once for all studies, by what they are for."""
    found = {}
    if (tops := stored("ttbar-summary", preset)).done():
        found["ttbar-summary"] = sum(TopPairStatistics.of(tops).seconds.values())
    if (reference := stored("ttbar-reference", preset)).done():
        found["ttbar-reference"] = float(next(reference.each())["seconds"])
    return found


in_chapter = {
    chapter: [
        (title, r)
        for title, r in sorted(results, key=lambda row: row[0])
        if folder_of(r) in folders
    ]
    for chapter, (_, folders) in CHAPTERS.items()
}
assert sum(map(len, in_chapter.values())) == len(results), "a study is in no chapter"
simulated = {preset: simulations(preset) for preset in shown}
# Of a preset the first top pairs are some of the second.
events = sum(max(found.values(), default=0.0) for found in simulated.values())
total = spent(result for _, result in results)
report.tell(
    **{
        "cost-total": f"{report.time_of(total)}, and the simulation of top pairs {time(events)} of one core",
        "cost-core-hours": f"{total.core / 3600:.1f}",
        "cost-gpu-hours": f"{total.gpu / 3600:.1f}",
        "cost-simulation-hours": f"{events / 3600:.1f}",
        "cost-sweeps": enumerated(
            f"{report.duration(Shipped.read(name).seconds)} ({name})"
            for name in ("amplification", "members", "plane")
        )
        + " of one core",
    }
)
sums = []
for chapter, those in in_chapter.items():
    took = spent(r for _, r in those)
    simulation = events if chapter.startswith("III ") else 0.0
    sums.append([chapter, *map(time, took), time(simulation)])
report.show_table(
    "cost-table",
    "The time that the stored parts took, each part once, and that of the top pairs that were simulated once for all",
    ["part of the book", "cores", "GPUs", "simulation, cores"],
    [*sums, ["**in all**", *(f"**{time(t)}**" for t in (*total, events))]],
)
for chapter, those in in_chapter.items():
    name, _ = CHAPTERS[chapter]
    rows = [row(title, r) for title, r in those]
    if chapter.startswith("III "):
        rows += [
            [f"{study}, its simulation", preset, "", time(seconds), "--", ""]
            for preset, found in simulated.items()
            for study, seconds in found.items()
        ]
    took = spent(r for _, r in those)
    without = ", without simulation" * chapter.startswith("III ")
    report.show_table(
        name,
        f"{chapter}: parts done and wanted, and the time that the stored ones took",
        ["study", "preset", "parts", "cores", "GPUs", "on"],
        [*rows, [f"**each part once{without}**", "", "", *(f"**{time(t)}**" for t in took), ""]],
    )
