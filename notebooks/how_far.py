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
# # How far
#
# What do many machines buy?  A sweep of {ref}`any notebook <reproduce-sweeps>` and the
# {ref}`parts of a study <reproduce-cluster>` are jobs that know nothing of each other, so that in principle a
# thousand of them end together on a thousand machines.  In practice each has to be begun, and one process
# hands them out.  This page measures both on one machine, and says from there on paper how far it goes.

# %% tags=["parameters"]
preset = "best"
jobs = 1000

# %% tags=["remove-input"]
from amplib.book.report import read_parameters

given = read_parameters(globals(), "preset", "jobs")

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from amplib.book import report, scaling
from amplib.book.obtain import stored
from amplib.estimate import mean
from amplib.store.rates import minutes

scaling.check_jobs(jobs)
measured, record = scaling.read()
point, serial = measured.point, measured.submitting
gan = stored("gan", "paper" if given["preset"] == "best" else given["preset"])
one_gan = 60 * minutes(gan, gan.study.parts()[:1], jobs=1)

# %% [markdown]
# ## Measured
#
# On {glue:text}`scaling-made` a sweep of {doc}`the first notebook <amplify>` at {glue:text}`scaling-points` points
# was run afresh {glue:text}`scaling-rounds` times in each of {glue:text}`scaling-ways` ways, in turn: {glue:text}`scaling-which`.
# The machine was one of {glue:text}`scaling-cores` cores ({glue:text}`scaling-device`).  Its load was
# {glue:text}`scaling-load` when the rounds began, that of the sweep before included: {glue:text}`scaling-machine`.

# %% tags=["remove-input"]
ways = [way for way in (scaling.ONE, scaling.TWO, scaling.SCHEDULER) if way in measured.wall]
report.tell(
    **{
        "scaling-made": record["made"][:10],
        "scaling-points": record["points"],
        "scaling-rounds": len(record["rounds"]),
        "scaling-ways": len(ways),
        "scaling-which": ", ".join(ways),
        "scaling-device": record["device"],
        "scaling-cores": record["cores"],
        "scaling-load": f"{measured.load.min():.0f} to {measured.load.max():.0f}",
        "scaling-machine": "it had little else to do"
        if measured.load.max() <= record["cores"] + 1
        else "it had other work, so that wall times are long, and the processor's time is what a point costs",
        "scaling-point": point,
        "scaling-processor": measured.processor,
        "scaling-overhead": measured.overhead,
        "scaling-queueing": measured.queueing or "not measured",
        "scaling-submitting": serial or "not measured",
        "scaling-nothing": mean(measured.nothing[0]),
        "scaling-speed-up": measured.speed_up,
        "scaling-word": scaling.faster(measured.speed_up),
    }
)
report.show_table(
    "scaling-table",
    "What a sweep takes, in seconds: mean over rounds with its standard error",
    ["", "seconds"],
    [
        ["a point on one core, wall time", point],
        ["a point on one core, processor time", measured.processor],
        ["of a point's wall time, beyond its notebook", measured.overhead],
        ["what a scheduler adds to a job", measured.queueing or "not measured"],
        ["processor time of handing out a job", serial or "not measured"],
        ["Snakemake, with nothing to do", mean(measured.nothing[0])],
    ],
)

# %% [markdown]
# **A point** takes {glue:text}`scaling-point` s ({numref}`scaling-table`), of which {glue:text}`scaling-overhead` s
# are spent outside its notebook: Python starts, papermill starts a kernel, and libraries are imported.  A scheduler (Slurm, on the same
# machine) adds {glue:text}`scaling-queueing` s to a job.  **Two cores** are {glue:text}`scaling-speed-up` times as fast as
# one, which is {glue:text}`scaling-word` at 95%: on a machine that is quiet one expects nearly twice, as points
# share nothing but its memory and its disk; on one that is busy the second core is somebody else's.
#
# ## On paper
#
# Let $P$ jobs take $t$ each on their machine.  They are handed out by one process, which needs $s$ for each,
# {glue:text}`scaling-submitting` s of the processor as measured.  On $n$ machines
#
# $$
# T(n) = t_0 + \max\left(P s + t, \; s + \left\lceil \frac{P}{n} \right\rceil t\right) ,
# $$ (eq-many-machines)
#
# with $t_0$ the time until handing out begins: the last job is handed out at $P s$ at the earliest, and then runs.  Nothing else is in it: no slow file system, no queue of other
# people's jobs, no failure.  It is the best that one can hope for.  More than $t/s$ machines are never all busy, and of
# $P$ jobs no more than $P$ run.

# %% tags=["remove-input"]
queueing = measured.queueing.value if measured.queueing else 0.0
seconds = serial.value if serial else point.value
start = float(measured.nothing[0].mean())
lengths = {
    f"a point ({point.value:.0f} s, {queueing:.0f} s in the queue)": point.value + queueing,
    "ten minutes": 600 + queueing,
    f"a GAN of the papers ({report.duration(one_gan)})": one_gan + queueing,
}
times = {
    label: [scaling.hours(jobs, n, each, seconds, start) for n in (1, 10, 100, 1000)]
    for label, each in lengths.items()
}
report.tell(
    **{
        "far-jobs": f"{jobs:,}",
        "far-points": f"{scaling.most_useful(lengths[next(iter(lengths))], seconds):.0f}",
        "far-gans": f"{scaling.most_useful(lengths[list(lengths)[-1]], seconds):,.0f}",
        "far-point-best": report.duration(3600 * min(times[next(iter(times))])),
        "far-gan-one": f"{times[list(times)[-1]][0] / 24:.0f}",
        "far-gan-many": report.duration(3600 * times[list(times)[-1]][-1]),
        "far-figure-origin": f"On paper, from the record of {record['command']}, commit "
        f"{record['commit']}, {record['device']}. Again: make figure ID=far-figure",
    }
)

# %% mystnb={"figure": {"name": "far-figure", "caption": "Speed-up of {glue:text}`far-jobs` jobs against the number of machines by {eq}`eq-many-machines`, for jobs of three lengths. Steps are where the last machines have nothing left to do; where a curve is flat the process that hands out jobs is the slowest.\n\n{glue:text}`far-figure-origin`"}, "image": {"alt": "Speed-up against the number of machines for jobs of three lengths, on doubly logarithmic axes"}} tags=["hide-input"]
scaling.speed_up_panel(jobs, lengths, seconds, start)
plt.show()

# %% tags=["remove-input"]
report.show_table(
    "far-table",
    f"Wall time of {jobs:,} jobs on paper",
    ["jobs of", *(f"{n:,} machines" if n > 1 else "1 machine" for n in (1, 10, 100, 1000))],
    [[label, *(report.duration(3600 * h) for h in row)] for label, row in times.items()],
)

# %% [markdown]
# Short jobs do not go far ({numref}`far-figure`, {numref}`far-table`): {glue:text}`far-jobs` points of seconds end in {glue:text}`far-point-best` at best, and more than
# {glue:text}`far-points` machines wait for the one that hands out work.  Trainings do: {glue:text}`far-jobs` GANs at the papers'
# settings, {glue:text}`far-gan-one` days of one core, would be done in {glue:text}`far-gan-many`, and it would take
# {glue:text}`far-gans` machines to keep the submitting process busy.  For parts that are shorter than a minute let a job
# have several of them (`JOBS=`); that is what shares are for.
#
# The record is in `benchmarks/scaling.json`; `make scaling` measures it again.
