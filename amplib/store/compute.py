"""Compute what is missing: groups of parts over worker processes, or on a GPU."""

from __future__ import annotations

import itertools
import math
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from amplib import files
from amplib.parameters import ParameterError
from amplib.progress import shown
from amplib.store import worker
from amplib.store.download import digests
from amplib.store.rates import cost, remember
from amplib.store.results import Result, source_of
from amplib.store.study import Part, Study

LONG_ENOUGH = 20.0
"""Seconds of work from which on a rate is worth remembering."""
ATTEMPTS = 3
"""How often a group is begun whose worker dies."""
CONTAINER = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where a container's limit is, in bytes."""


class WorkerDied(RuntimeError):
    """A worker process was killed, for want of memory or by somebody."""


@dataclass(eq=False)
class Group:
    """Parts of one result that are computed together."""

    result: Result
    parts: list[Part]
    resumed: bool = False  # whether an earlier run has begun it
    after: Result | None = None  # what has to be computed before it
    attempts: int = 0
    begun: float = 0.0  # when this run's work on it began
    done: float = 0.0  # work since then

    def makes(self, source: Result | None) -> bool:
        """Whether parts of it are what another study is made of, which may want a few of many."""
        if source is None or source.folder != self.result.folder:
            return False
        return not set(source.study.parts()).isdisjoint(self.parts)

    @property
    def work(self) -> float:
        """In the study's unit."""
        return self.result.study.work(self.parts)

    def report(self, work: float, resumed: bool) -> None:
        """Work that is finished since the last report; ``resumed`` by an earlier run."""
        if resumed or not self.begun:
            self.begun, self.done = time.monotonic(), 0.0
        else:
            self.done += work

    def remember_rate(self, device: str) -> None:
        """Keep the rate of a group that has run for long enough; small ones are slower."""
        seconds = time.monotonic() - self.begun
        usual = len(self.parts) > self.result.study.group_size(device) / 2
        if usual and self.done and seconds > LONG_ENOUGH:
            remember(self.result.study, self.result.preset, device, self.done / seconds)


def compute(
    result: Result,
    jobs: int | None = None,
    device: str = "auto",
    limit: int | None = None,
    group: int | None = None,
    only: tuple[int, int] | None = None,
    minutes: float | None = None,
) -> bool:
    """Compute what is missing of a result; every part is stored as soon as it is ready.

    Args:
        result: what to complete.
        jobs: worker processes (by default the cores; on a GPU one).
        device: ``cpu``, ``cuda`` or ``auto``; a study that no GPU would speed up takes the cores.
        limit: compute at most so many parts, the first missing ones.
        group: parts computed together (the study's own choice by default).
        only: first and last of the parts' first numbers (repetitions; of fits and baselines
            hundreds of them, of events chunks, of the scan its latent spaces), for one of several
            machines.
        minutes: stop after so many, with a checkpoint of what is unfinished.

    Returns:
        whether all of it is done.

    Raises:
        ValueError: for a number below one, a share without parts, or if there is no GPU where
            ``cuda`` is asked for.
        KeyboardInterrupt: if it is interrupted; checkpoints are written first.
    """
    check_positive(jobs=jobs, limit=limit, group=group)
    end = float("inf") if minutes is None else time.monotonic() + 60 * minutes
    first, last = only or (0, sys.maxsize)
    if not any(first <= p[0] <= last for p in result.study.parts()):
        raise ValueError(f"only = {first}:{last}: none of the parts that are wanted")
    missing = [p for p in result.missing() if first <= p[0] <= last][:limit]
    if not missing:
        print(f"{result.study.name}, preset {result.preset}: nothing to compute", file=sys.stderr)
        return True
    try:
        check_ready(result)
    except (ValueError, OSError) as error:  # in a notebook, too, one line
        raise ParameterError(str(error)) from None
    if (source := source_of(result)) is not None:
        complete(source, jobs, device)
    device = chosen_device(device, result.study.gpu_rate is not None)
    jobs = workers(jobs, device)
    groups = groups_of(result, missing, jobs, device, group)
    announce(result, missing, device, min(jobs, len(groups)))
    return Crew(groups, jobs, device).run(end)


def complete(result: Result, jobs: int | None = None, device: str = "auto") -> None:
    """Compute what is missing, and wait for what another run computes.

    What that run leaves undone, because it has died, is computed here.

    Args:
        result, jobs, device: as of ``compute``, which leaves to another run what it computes.
    """
    tried: list[Part] = []
    while compute(result, jobs, device) and (left := result.missing()):
        if not worker.wait_for(result, left) and left == tried:
            return  # with nobody, and not to be had
        tried = left


def check_ready(result: Result) -> None:
    """Fetch the published files that a result is made of; refuse to add to parts that were made of
    another version of them.

    Raises:
        ValueError, OSError: in one line.
    """
    result.study.ready()
    here = digests(result.study.data())
    for name, entry in result.record()["parts"].items() if here else ():
        if entry.get("data") != here:
            raise ValueError(
                f"{result.folder / name} was made of another {', '.join(here)} than that in "
                f"{files.DATA}; move {result.folder} away, or put the other file back"
            )


def check_minutes(minutes: float | None) -> None:
    """Refuse a time to stop after that is none; None is no limit.

    Raises:
        ValueError: in one line.
    """
    if minutes is not None and not 0 < minutes < float("inf"):
        raise ValueError(f"minutes = {minutes}: must be a number above zero")


def check_positive(**numbers: float | None) -> None:
    """Refuse a number below one.

    Raises:
        ValueError: naming it.
    """
    for name, value in numbers.items():
        if value is not None and not value >= 1:
            raise ValueError(f"{name} = {value}: must be an integer from 1")


def workers(jobs: int | None, device: str) -> int:
    """Worker processes: if nothing is asked for, ``AMPLIFY_JOBS`` or else the cores; on a GPU one.

    Raises:
        ValueError: if ``AMPLIFY_JOBS`` is no number from 1.
    """
    if device == "cuda":
        return jobs or 1
    given = os.environ.get("AMPLIFY_JOBS", "")
    if jobs is None and given:
        if not (given.isascii() and given.isdecimal()) or int(given) < 1:
            raise ValueError(f"AMPLIFY_JOBS = {given}: must be an integer from 1")
        return int(given)
    return jobs or os.cpu_count() or 1


def groups_of(
    result: Result, missing: Sequence[Part], jobs: int, device: str, size: int | None = None
) -> list[Group]:
    """The missing parts in groups: what an interrupted run has begun, then the rest.

    A GPU takes as many at once as fit together, however many jobs share it.
    """
    unfinished = worker.unfinished(result, missing)
    begun = {part for parts in unfinished for part in parts}
    rest = [part for part in missing if part not in begun]
    size, jobs = size or result.study.group_size(device), 1 if device == "cuda" else jobs
    fresh = [group for alike in result.study.alike(rest) for group in grouped(alike, jobs, size)]
    place = {part: k for k, part in enumerate(rest)}
    fresh.sort(key=lambda group: place[group[0]])
    return [
        *(Group(result, parts, resumed=True) for parts in unfinished),
        *(Group(result, parts) for parts in fresh),
    ]


def grouped(parts: Sequence[Part], jobs: int, size: int) -> list[list[Part]]:
    """Parts in groups of at most ``size``, so that all jobs end at about the same time.

    >>> [len(g) for g in grouped([(k,) for k in range(10)], jobs=2, size=3)]
    [3, 3, 2, 2]
    """
    if not parts:
        return []
    rounds = -(-len(parts) // (jobs * size))
    count = min(len(parts), rounds * jobs)
    short, longer = divmod(len(parts), count)
    ends = [0]
    for k in range(count):
        ends.append(ends[-1] + short + (k < longer))
    return [list(parts[a:b]) for a, b in itertools.pairwise(ends)]


def announce(result: Result, parts: Sequence[Part], device: str, jobs: int) -> None:
    """Say what is about to be computed, about how long it takes, and where an installed package
    keeps it."""
    if not files.IN_REPOSITORY:
        print(f"results are kept in {result.root}", file=sys.stderr)
    print(
        f"{result.study.name}, preset {result.preset}: {len(parts)} of "
        f"{len(result.study.parts())} parts on {jobs} x {device}, "
        f"about {cost(result, parts, device, jobs)}",
        file=sys.stderr,
        flush=True,
    )


def free_memory() -> float:
    """MB that this machine has free, or this container may take; infinite where nobody says."""
    limits = [math.inf]
    with suppress(OSError, ValueError):
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        limits.append(int(lines["MemAvailable"].split()[0]) / 1024)
    for limit in CONTAINER:
        with suppress(OSError, ValueError):  # "max", where there is none
            limits.append(int(limit.read_text()) / 2**20)
    return min(limits)


class Hand:
    """A worker process, with what it reports through and is stopped by.

    It shares nothing with the others: one that is killed, whatever it held, leaves them at work.
    """

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.progress, self.stop = context.Queue(), context.Event()
        self.pool = ProcessPoolExecutor(
            1, context, initializer=worker.start, initargs=(self.progress, self.stop)
        )

    def begin(self, number: int, group: Group, device: str) -> Future[bool]:
        """Have it compute a group, whose work it reports under this number."""
        try:
            return self.pool.submit(worker.compute_group, number, group.result, group.parts, device)
        except BrokenProcessPool as error:  # it died while it had nothing to do
            died: Future[bool] = Future()
            died.set_exception(error)
            return died

    def reports(self) -> Iterator[tuple[int, float, bool]]:
        """What it has reported since the last look: number, work, whether by an earlier run."""
        while not self.progress.empty():
            yield self.progress.get()

    def release(self, wait: bool = True) -> None:
        """Nothing more will come: it ends, as soon as it has nothing to do."""
        self.pool.shutdown(wait=wait)


def _hangs_on(group: Group, failed: set[Result]) -> bool:
    made_of = group.after.folder if group.after else None
    return group.result in failed or made_of in {result.folder for result in failed}


class Crew:
    """Workers that go through groups of parts, in this order, until all are done.

    Args:
        groups: what to compute.
        jobs: how many workers.
        device: ``cpu`` or ``cuda``.
        keep_going: a group that fails ends its own result only; its error is kept in
            ``failures`` instead of being raised.
    """

    def __init__(self, groups: Sequence[Group], jobs: int, device: str, keep_going: bool = False):
        self.waiting, self.groups = list(groups), list(groups)
        self.jobs, self.device, self.keep_going = min(jobs, len(groups)), device, keep_going
        self.failures: dict[Result, str] = {}
        self.bars: dict[str, tqdm[Any]] = {}
        self.hands: list[Hand] = []
        self.stopping = False
        self.memory = free_memory()
        self.held_back: set[str] = set()

    def run(self, deadline: float = float("inf")) -> bool:
        """Compute until all is done or, by ``time.monotonic``, the deadline has come.

        Returns:
            whether all is done.

        Raises:
            KeyboardInterrupt, SystemExit: after Ctrl-C or SIGTERM, when every worker has written
                its checkpoint.
            Exception: what a group raised, unless ``keep_going``.
        """
        running: dict[Future[bool], tuple[Group, Hand]] = {}
        complete = True
        self.hands = [Hand() for _ in range(self.jobs)]
        with self._signals() as received:
            try:
                while running or (self.waiting and not self.stopping):
                    while self.hands and (group := self._next([g for g, _ in running.values()])):
                        hand = self.hands.pop()
                        future = hand.begin(self.groups.index(group), group, self.device)
                        running[future] = group, hand
                    finished, _ = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
                    self._show_progress([*self.hands, *(hand for _, hand in running.values())])
                    for future in finished:
                        complete &= self._finish(future, *running.pop(future))
                    if received or time.monotonic() > deadline:
                        self._stop(hand for _, hand in running.values())
            except BaseException:
                self._stop(hand for _, hand in running.values())
                for _, hand in running.values():
                    hand.release(wait=False)
                raise
            finally:
                for bar in self.bars.values():
                    bar.close()
                for hand in self.hands:
                    hand.release()
        if received == [signal.SIGINT]:
            raise KeyboardInterrupt
        if received:
            raise SystemExit(128 + received[0])
        return complete and not self.waiting

    def _next(self, running: Iterable[Group]) -> Group | None:
        """The first group that waits for nothing that is still to be computed, and that there is
        memory for."""
        if self.stopping:
            return None
        busy = list(running)
        unfinished = (*self.waiting, *busy)
        for group in self.waiting:
            waits = any(other.makes(group.after) for other in unfinished)
            if not waits and self._has_room(group, busy):
                self.waiting.remove(group)
                return group
        return None

    def _has_room(self, group: Group, busy: list[Group]) -> bool:
        """Whether what a group declares is free beside those at work; one that takes no more than
        is usual is always begun."""
        study = group.result.study
        need = study.memory_needed()
        left = self.memory - sum(other.result.study.memory_needed() for other in busy)
        if not busy or need <= Study.memory or need <= left:
            return True
        if study.name not in self.held_back:
            self.held_back.add(study.name)
            print(
                f"{study.name}: a worker takes {need} MB, of {self.memory:.0f} MB in all: "
                "it waits until others are done",
                file=sys.stderr,
                flush=True,
            )
        return False

    def _finish(self, future: Future[bool], group: Group, hand: Hand) -> bool:
        """What became of a group: whether nothing of it is left to this run."""
        complete = True
        try:
            complete = future.result()
            group.remember_rate(self.device)
        except BrokenProcessPool:  # the others have not noticed
            hand.release(wait=False)
            hand = Hand()
            self._begin_again(group)
        except Exception as error:
            self._fail(group, error)
        finally:
            self.hands.append(hand)
        return complete

    def _stop(self, busy: Iterable[Hand]) -> None:
        """Begin nothing more; who is at work keeps what is unfinished."""
        self.stopping = True
        for hand in busy:
            hand.stop.set()

    def _show_progress(self, hands: Iterable[Hand]) -> None:
        for number, work, resumed in itertools.chain.from_iterable(h.reports() for h in hands):
            group = self.groups[number]
            group.report(work, resumed)
            bar = self._bar(group)
            if resumed:  # by an earlier run: no part of this one's rate
                bar.initial += work
            bar.update(work)

    def _bar(self, group: Group) -> tqdm[Any]:
        study = group.result.study
        if study.name not in self.bars:
            alike = [g for g in self.groups if g.result.study.name == study.name]
            self.bars[study.name] = shown(
                sum(g.work for g in alike),
                study.unit,
                desc=study.name,
                position=len(self.bars) if sys.stderr.isatty() else 0,  # in a log below each other
            )
        return self.bars[study.name]

    def _begin_again(self, group: Group) -> None:
        group.attempts += 1
        group.begun = 0.0
        parts = f"{group.result.study.name}, parts {group.parts[0]} to {group.parts[-1]}"
        if group.attempts == ATTEMPTS:
            self._fail(group, WorkerDied(f"{parts}: the worker died {ATTEMPTS} times (memory?)"))
            return
        print(f"{parts}: a worker died; begun again", file=sys.stderr)
        self.waiting.insert(0, group)

    def _fail(self, group: Group, error: Exception) -> None:
        if not self.keep_going:
            raise error
        self.failures.setdefault(group.result, str(error))
        print(f"{group.result.study.name}: {error}", file=sys.stderr)
        failed = {group.result}
        while lost := [g for g in self.waiting if _hangs_on(g, failed)]:
            failed |= {g.result for g in lost}  # what waits for it fails, too
            self.waiting = [g for g in self.waiting if g not in lost]

    @contextmanager
    def _signals(self) -> Iterator[list[int]]:
        """Ctrl-C and SIGTERM are noted the first time, so that checkpoints can be written."""
        received: list[int] = []

        def note(number: int, frame: object) -> None:
            if received:
                raise KeyboardInterrupt
            received.append(number)
            print("stopping: waiting for checkpoints", file=sys.stderr, flush=True)

        try:
            before = {s: signal.signal(s, note) for s in (signal.SIGINT, signal.SIGTERM)}
        except ValueError:  # not the main thread: whoever runs it handles signals
            yield received
            return
        try:
            yield received
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def chosen_device(asked: str, gpu: bool) -> str:
    """``cuda`` if it is asked for, or there, and of use; else ``cpu``.

    Raises:
        ValueError: if it is asked for, of use and not there.
    """
    if asked == "cpu" or not gpu:
        return "cpu"
    if _has_cuda():
        return "cuda"
    if asked == "cuda":
        raise ValueError("device = cuda: PyTorch finds no GPU here")
    return "cpu"


def _has_cuda() -> bool:
    # In a process of its own, so that one that only draws never imports torch.  It ends by itself,
    # whatever becomes of us.
    question = "import torch; print(torch.cuda.is_available())"
    answer = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True)
    return answer.stdout.strip() == "True"
