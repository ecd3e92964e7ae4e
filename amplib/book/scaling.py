"""What many machines buy: measured on two cores, and from there on paper.

``benchmarks/scaling.py`` measures; here its record is read, turned into times with errors, and
carried on by a model that has nothing in it but these times.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from amplib.estimate import Estimate, mean
from amplib.files import repository
from amplib.metrics.amplification import ratio_of_means
from amplib.parameters import ParameterError
from amplib.style import BLACK, BLUE, GREEN, GREY, ORANGE

ONE, TWO, SCHEDULER = "one core", "two cores", "scheduler"
DISTURBED = 2 / 3
"""A round in which two cores gave the sweep less than this share of their time had other work."""
MACHINES = np.unique(np.round(np.geomspace(1, 1000, 61)).astype(int))


def record_path() -> Path:
    """The benchmark's record, as it was printed."""
    return repository() / "benchmarks" / "scaling.json"


@dataclass(frozen=True, eq=False)
class Scaling:
    """Seconds of the sweeps of a benchmark, by round.

    Args:
        points: of every sweep.
        wall: ``(rounds,)`` seconds of a sweep on one core, on two, and through a scheduler one
            point after the other, where that was measured.
        cpu: processor seconds of the same, with all children; of jobs of a scheduler none.
        notebook: ``(rounds,)`` mean seconds that papermill spent in a notebook, on one core.
        nothing: seconds, and processor seconds, of Snakemake when there is nothing to run.
        load: of the machine at the beginning of each round.
    """

    points: int
    wall: Mapping[str, np.ndarray]
    cpu: Mapping[str, np.ndarray]
    notebook: np.ndarray
    nothing: tuple[np.ndarray, np.ndarray]
    load: np.ndarray

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Scaling:
        """What a record of ``benchmarks/scaling.py`` says.

        Raises:
            ValueError: for fewer than two rounds, of which there is no error.
        """
        rounds = record["rounds"]
        if len(rounds) < 2:
            raise ValueError(f"rounds = {len(rounds)}: an error needs at least 2")
        ways = [way for way in (ONE, TWO, SCHEDULER) if way in rounds[0]]

        def column(way: str, name: str) -> np.ndarray:
            return np.array([r[way][name] for r in rounds])

        return cls(
            int(record["points"]),
            {way: column(way, "wall") for way in ways},
            {way: column(way, "cpu") for way in ways},
            np.array([np.mean(r[ONE]["notebooks"]) for r in rounds]),
            (column("nothing", "wall"), column("nothing", "cpu")),
            np.array([r["load"] for r in rounds]),
        )

    @property
    def point(self) -> Estimate:
        """Seconds a point on one core, the notebook and all around it."""
        return mean((self.wall[ONE] - self.nothing[0]) / self.points)

    @property
    def processor(self) -> Estimate:
        """Processor seconds a point: what it would take on a core that nobody else uses."""
        return mean((self.cpu[ONE] - self.nothing[1]) / self.points)

    @property
    def overhead(self) -> Estimate:
        """Seconds a job on one core beyond its notebook: Python and Snakemake begin, twice."""
        return mean((self.wall[ONE] - self.nothing[0]) / self.points - self.notebook)

    @property
    def queueing(self) -> Estimate | None:
        """Seconds that a scheduler adds to a job; None where none was measured."""
        if SCHEDULER not in self.wall:
            return None
        return mean((self.wall[SCHEDULER] - self.wall[ONE]) / self.points)

    @property
    def submitting(self) -> Estimate | None:
        """Processor seconds that handing a job to the scheduler and looking after it take, one
        after the other in one process: no number of machines makes them fewer.

        An upper bound: what the command needs once, as its imports and its plan, is in it, shared
        by the points, and of one number of points it cannot be told from the rest.
        """
        if SCHEDULER not in self.cpu:
            return None
        return mean((self.cpu[SCHEDULER] - self.nothing[1]) / self.points)

    @property
    def speed_up(self) -> Estimate:
        """One core's time over that of two."""
        return ratio_of_means(self.wall[ONE], self.wall[TWO])

    @property
    def speed_ups(self) -> np.ndarray:
        """One core's time over that of two in every round, ``(rounds,)``."""
        return self.wall[ONE] / self.wall[TWO]

    def given(self, way: str) -> np.ndarray:
        """Share of the time of one core, or of two, that the sweep had in every round: processor
        over wall time, ``(rounds,)``."""
        return self.cpu[way] / (2 if way == TWO else 1) / self.wall[way]

    @property
    def disturbed(self) -> np.ndarray:
        """Rounds in which the second core was in good part somebody else's, ``(rounds,)``."""
        return self.given(TWO) < DISTURBED


def faster(ratio: Estimate) -> str:
    """A speed-up in words, by its 95% interval.

    >>> faster(Estimate(1.6, 0.1)), faster(Estimate(1.6, 0.5))
    ('faster', 'compatible with one')
    """
    _, low, high = ratio.interval()
    if low <= 1 <= high:
        return "compatible with one"
    return "faster" if ratio.value > 1 else "slower"


def check_jobs(jobs: object) -> None:
    """Refuse what is no number of jobs.

    Raises:
        ParameterError: in one line.
    """
    if type(jobs) is not int or not 1 <= jobs <= 1_000_000:
        raise ParameterError(f"jobs = {jobs!r}: must be an integer from 1 to 1e+06")


def hours(jobs: int, machines: int, each: float, serial: float, start: float) -> float:
    """Wall hours of so many jobs of equal length, from their counts alone.

    .. math:: T(n) = t_0 + t + \\max(P s,\\ (P - k n)\\, s + k t), \\quad
        k = \\lceil P/n \\rceil - 1

    The last job is handed out at P s at the earliest.  Where machines are few, k of its jobs keep
    its machine busy before it, and that machine began as the (P - k n)-th of all.

    Args:
        jobs: P.
        machines: n, each of which runs one job at a time.
        each: seconds t of a job, with all that its machine adds.
        serial: seconds s a job that the submitting process cannot share.
        start: seconds t_0 until the first job is submitted.

    >>> round(hours(1000, 10, 36.0, 0.1, 0.0), 2)
    1.0
    """
    before = ceil(jobs / machines) - 1
    waiting = (jobs - before * machines) * serial + before * each
    return (start + each + max(jobs * serial, waiting)) / 3600


def most_useful(jobs: int, each: float, serial: float) -> int:
    """Machines from which on more of them only wait: for the process that hands out jobs, t / s, or
    for a job."""
    return min(jobs, ceil(each / serial))


def speed_up_panel(
    jobs: int, lengths: Mapping[str, tuple[float, float]], serial: float, start: float
) -> plt.Figure:
    """Speed-up of so many jobs of several lengths against the number of machines, over one core
    that does them one after the other without a scheduler.

    Args:
        jobs: P.
        lengths: seconds of a job, and of a job with its time in the queue, by the curve's label.
        serial, start: as of ``hours``.
    """
    figure, ax = plt.subplots(figsize=(5.0, 4.4))
    ax.plot(MACHINES, MACHINES, color=GREY, linewidth=0.8, label="as many times as machines")
    styles = ((ORANGE, "-"), (BLUE, "--"), (GREEN, "-."), (BLACK, ":"))
    for (label, (alone, each)), (color, style) in zip(lengths.items(), styles, strict=False):
        one = (start + jobs * alone) / 3600
        times = [one / hours(jobs, int(n), each, serial, start) for n in MACHINES]
        ax.plot(MACHINES, times, style, color=color, label=label)
    ax.set(xscale="log", yscale="log", xlim=(1, 1000), ylim=(0.3, 1000))
    ax.set(xlabel="machines", ylabel=f"speed-up of {jobs:,} jobs")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0))
    figure.tight_layout()
    return figure


def read() -> tuple[Scaling, dict[str, Any]]:
    """The shipped record, as times and as it stands."""
    record = json.loads(record_path().read_text())
    return Scaling.of(record), record
