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
import numpy as np

from amplib.book import report, scaling
from amplib.book.obtain import stored
from amplib.estimate import enumerated, mean
from amplib.store.results import is_gpu, seconds_by_device

scaling.check_jobs(jobs)
measured, record = scaling.read()
point, serial = measured.point, measured.submitting
gan = stored("gan", "paper" if given["preset"] == "best" else given["preset"])
took = seconds_by_device([gan])
on_cores = [s for device, seconds in took.items() if not is_gpu(device) for s in seconds]

# %% [markdown]
# ## Measured
#
# On {glue:text}`scaling-made` a sweep of {doc}`the first notebook <amplify>` at {glue:text}`scaling-points` points of the preset
# {glue:text}`scaling-preset` was run afresh {glue:text}`scaling-rounds` times in each of {glue:text}`scaling-ways` ways, in turn: {glue:text}`scaling-which`.
# The machine was one of {glue:text}`scaling-cores` cores ({glue:text}`scaling-device`), and not always the sweep's alone: {numref}`scaling-by-round`.

# %% tags=["remove-input"]
ways = [way for way in (scaling.ONE, scaling.TWO, scaling.SCHEDULER) if way in measured.wall]
busy = measured.disturbed


def rounds_of(which):
    """Rounds by their number, with their speed-ups, in words."""
    numbers = [str(k + 1) for k in np.flatnonzero(which)]
    ups = enumerated(f"{up:.2f}" for up in measured.speed_ups[which])
    return f"{'rounds' if len(numbers) > 1 else 'round'} {enumerated(numbers)} ({ups})"


def which_were_disturbed():
    """Rounds with and without other work, in words."""
    if not busy.any():
        return "No round was below that"
    if busy.all():
        return "All rounds were below that"
    return (
        f"Below that were {rounds_of(busy)}, and not {rounds_of(~busy)}: both kinds are in "
        "the mean above, and its error is mostly their difference"
    )


report.tell(
    **{
        "scaling-made": record["made"][:10],
        "scaling-points": record["points"],
        "scaling-preset": record["preset"],
        "scaling-rounds": len(record["rounds"]),
        "scaling-ways": len(ways),
        "scaling-which": ", ".join(ways),
        "scaling-device": record["device"],
        "scaling-cores": record["cores"],
        "scaling-disturbed": which_were_disturbed(),
        "scaling-line": f"{scaling.DISTURBED:.0%}",
        "scaling-point": point,
        "scaling-processor": measured.processor,
        "scaling-overhead": measured.overhead,
        "scaling-queueing": measured.queueing or "not measured",
        "scaling-submitting": serial or "not measured",
        "scaling-nothing": mean(measured.nothing[0]),
        "scaling-speed-up": report.with_interval(measured.speed_up),
        "scaling-word": scaling.faster(measured.speed_up),
    }
)
report.show_table(
    "scaling-by-round",
    "Every round: load of the machine when it began (that of the sweep before included), wall times, and the share of the time of one core and of two that the sweep had (processor over wall time)",
    ["round", "load", "one core, s", "two cores, s", "speed-up", "of one core", "of two"],
    [
        [
            k + 1,
            f"{measured.load[k]:.1f}",
            *(f"{measured.wall[way][k]:.0f}" for way in (scaling.ONE, scaling.TWO)),
            f"{measured.speed_ups[k]:.2f}",
            *(f"{measured.given(way)[k]:.0%}" for way in (scaling.ONE, scaling.TWO)),
        ]
        for k in range(len(busy))
    ],
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
        ["processor time of handing out a job, at most", serial or "not measured"],
        ["Snakemake, with nothing to do", mean(measured.nothing[0])],
    ],
)

# %% [markdown]
# **A point** takes {glue:text}`scaling-point` s ({numref}`scaling-table`), of which {glue:text}`scaling-overhead` s
# are spent outside its notebook: Python starts, papermill starts a kernel, and libraries are imported.  A scheduler (Slurm, on the same
# machine) adds {glue:text}`scaling-queueing` s to a job.
#
# **Two cores** are {glue:text}`scaling-speed-up` times as fast as
# one, which is {glue:text}`scaling-word` at 95%: on a machine that is quiet one expects nearly twice, as points
# share nothing but its memory and its disk.  On one that is busy the second core is somebody else's in part, and then the sweep's processor time is a small share of
# what two cores have in its wall time, below {glue:text}`scaling-line`.  {glue:text}`scaling-disturbed`.
#
# ## On paper
#
# Let $P$ jobs take $t$ each on their machine.  They are handed out by one process, which needs $s$ for each,
# at most {glue:text}`scaling-submitting` s of the processor as measured.  On $n$ machines, with $k = \lceil P/n \rceil - 1$,
#
# $$
# T(n) = t_0 + t + \max\left(P s, \; (P - k n) s + k t\right) ,
# $$ (eq-many-machines)
#
# with $t_0$ the time until handing out begins: the last job is handed out at $P s$ at the earliest, and then runs, unless its machine, the $(P - k n)$-th to begin,
# has $k$ jobs before it.  That is what the queue takes, played job by job.  Nothing else is in it: no slow file system, no queue of other
# people's jobs, no failure.  It is the best that one can hope for, given $s$; and that is an upper bound.  What the command that hands out needs once,
# its imports and its plan, is in it, shared by the few points that were measured, and with one number of points cannot be told
# apart.  The floor $P s$ below is therefore one that a longer sweep may fall short of.  More than $t/s$ machines are never all busy, and of
# $P$ jobs no more than $P$ run.

# %% tags=["remove-input"]
queueing = measured.queueing.value if measured.queueing else 0.0
seconds = serial.value if serial else point.value
start = float(measured.nothing[0].mean())
alone = {f"a point ({point.value:.0f} s)": point.value, "ten minutes": 600.0}
if on_cores:
    one_gan = float(np.median(on_cores))
    alone[f"a GAN of the papers ({report.duration(one_gan)})"] = one_gan
lengths = {label: (each, each + queueing) for label, each in alone.items()}
MACHINES = (1, 10, 100, 1000)


def on_one_core(each):
    """Hours of all jobs one after the other, with no scheduler."""
    return (start + jobs * each) / 3600


times = {
    label: [on_one_core(each), *(scaling.hours(jobs, n, queued, seconds, start) for n in MACHINES)]
    for label, (each, queued) in lengths.items()
}


def useful(label):
    """Machines from which on more of them gain nothing."""
    return f"{scaling.most_useful(jobs, lengths[label][1], seconds):,}"


def of_the_gans():
    """What so many trainings would take, in words."""
    if not on_cores:
        return "trainings are not stored at this scale"
    label = list(times)[-1]
    one, *_, many = times[label]
    return (
        f"{jobs:,} GANs at the papers' settings, {one / 24:.0f} days of one core, would be done in "
        f"{report.duration(3600 * many)} on {MACHINES[-1]:,} machines, and more machines than "
        f"{useful(label)} gain nothing"
    )


def by_record():
    """How long the stored trainings took, by device, in words."""
    told = []
    for device, spent in sorted(took.items()):
        ends = dict.fromkeys(report.duration(end) for end in (min(spent), max(spent)))
        one = "" if is_gpu(device) else ", one core each,"
        told.append(f"{len(spent)} on {device.partition(',')[0]}{one} {' to '.join(ends)}")
    return "; ".join(told) or "none is stored"


first, *_ = times
report.tell(
    **{
        "far-jobs": f"{jobs:,}",
        "far-points": useful(first),
        "far-point-one": report.duration(3600 * times[first][0]),
        "far-point-queued": report.duration(3600 * times[first][1]),
        "far-point-best": report.duration(3600 * min(times[first])),
        "far-point-gain": f"{times[first][0] / min(times[first]):.0f}",
        "far-queue": f"{queueing:.0f}",
        "far-gans": of_the_gans(),
        "far-record": by_record(),
        "far-figure-origin": f"On paper, from the record of {record['command']}, commit "
        f"{record['commit']}, {record['device']}. Again: make figure ID=far-figure",
    }
)

# %% mystnb={"figure": {"name": "far-figure", "caption": "Speed-up of {glue:text}`far-jobs` jobs against the number of machines by {eq}`eq-many-machines`, for jobs of three lengths, over one core that does them without a scheduler: on few machines a job that waits longer than it runs is slower for it. Steps are where the last machines have nothing left to do; where a curve is flat the process that hands out jobs is the slowest.\n\n{glue:text}`far-figure-origin`"}, "image": {"alt": "Speed-up against the number of machines for jobs of three lengths, on doubly logarithmic axes"}} tags=["hide-input"]
scaling.speed_up_panel(jobs, lengths, seconds, start)
plt.show()

# %% tags=["remove-input"]
report.show_table(
    "far-table",
    f"Wall time of {jobs:,} jobs on paper: one after the other on one core, and through a scheduler, which adds {queueing:.0f} s to each",
    ["jobs of", "one core alone", *(f"{n:,} machines" if n > 1 else "1 machine" for n in MACHINES)],
    [[label, *(report.duration(3600 * h) for h in row)] for label, row in times.items()],
)

# %% [markdown]
# Short jobs do not go far ({numref}`far-figure`, {numref}`far-table`): {glue:text}`far-jobs` points of seconds take one core {glue:text}`far-point-one`, a single machine behind a scheduler
# {glue:text}`far-point-queued`, as it adds {glue:text}`far-queue` s to each, and any number of machines {glue:text}`far-point-best` at best, {glue:text}`far-point-gain` times less than one core; more than
# {glue:text}`far-points` machines wait for the one that hands out work.  Trainings do: {glue:text}`far-gans`.
#
# How long a GAN takes is the median of the records of those that were trained on cores, on machines that had other work; in {doc}`cost` the same seconds are added up.
# The records have, for each GAN its share of those trained together: {glue:text}`far-record`.  For parts that are shorter than a minute let a job
# have several of them (`JOBS=`); that is what shares are for.
#
# The record of the sweeps is in `benchmarks/scaling.json`; `make scaling` measures it again.
