"""Compute the missing parts of a result: groups of parts over worker processes, or on a GPU."""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import json
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from multiprocessing import connection
from pathlib import Path
from typing import Any

from tqdm import tqdm

from amplib.results import Result, commit, provenance, work_folder, write_atomically
from amplib.study import Part

# Only for the cost that is announced before any work; the progress bar measures.
TYPICAL_RATE = {
    "camel-gan": 60.0,
    "camel-fit": 100.0,
    "camel-smoothing": 30.0,
    "showers": 1000.0,
    "shower-summary": 400.0,
    "two-body": 500_000.0,
    "two-body-summary": 500_000.0,
    "z": 40_000.0,
    "z-summary": 40_000.0,
    "ttbar": 40.0,
    "ttbar-summary": 1_000.0,
    "ttbar-reference": 3_000.0,
}
GPU_RATE = {"camel-gan": 30_000.0, "showers": 20_000.0, "shower-summary": 5_000.0}

CHECKPOINT = ".safetensors"
NOTE_SECONDS = 30

_queue: Any = None  # of a worker: where it reports its progress
_commit: str | None = None  # of a worker: the code it imported, whatever is checked out later


def compute(
    result: Result,
    jobs: int | None = None,
    device: str = "auto",
    limit: int | None = None,
    group: int | None = None,
    only: tuple[int, int] | None = None,
) -> None:
    """Compute what is missing of a result; every part is stored as soon as it is ready.

    Args:
        result: what to complete.
        jobs: worker processes (the cores by default; one on a GPU).
        device: ``cpu``, ``cuda`` or ``auto``; a study that no GPU would speed up takes the cores.
        limit: compute at most so many parts, the first missing ones.
        group: parts computed together (the study's own choice by default).
        only: first and last repetition to compute (of fits and baselines: hundred of
            repetitions), for one of several machines.

    Raises:
        ValueError: for a number below one, or if there is no GPU where ``cuda`` is asked for.
    """
    for name, value in (("jobs", jobs), ("limit", limit), ("group", group)):
        if value is not None and value < 1:
            raise ValueError(f"{name} = {value}: must be an integer from 1")
    first, last = only or (0, sys.maxsize)
    missing = [p for p in result.missing() if first <= p[0] <= last][:limit]
    if not missing:
        print(f"{result.study.name}, preset {result.preset}: nothing to compute", file=sys.stderr)
        return
    source = result.study.source()
    if source is not None:
        compute(Result(source, result.preset), jobs, device)
    context = multiprocessing.get_context("spawn")
    progress = context.Queue()
    device = chosen_device(device, result.study.gpu, context)
    jobs = 1 if device == "cuda" else jobs or os.cpu_count() or 1
    groups = unfinished(result, missing)
    begun = {part for parts in groups for part in parts}
    rest = [part for part in missing if part not in begun]
    groups += grouped(rest, jobs, group or result.study.group_size(device))
    announce(result, missing, device, min(jobs, len(groups)))
    total = sum(map(result.study.work, groups))
    pool = ProcessPoolExecutor(
        min(jobs, len(groups)), context, initializer=_start_worker, initargs=(progress,)
    )
    with pool, tqdm(total=total, unit_scale=True, desc=result.study.name, mininterval=2) as bar:
        waiting: set[Future[None]] = {
            pool.submit(_compute_group, result, parts, device) for parts in groups
        }
        try:
            while waiting:
                finished, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
                while not progress.empty():
                    bar.update(progress.get())
                for future in finished:
                    future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def unfinished(result: Result, missing: Sequence[Part]) -> list[list[Part]]:
    """Groups that an interrupted run left a checkpoint of, to be gone on with as they were."""
    groups: list[list[Part]] = []
    for path in sorted(work_folder(result.root).glob("*.json")):
        note = json.loads(path.read_text())
        parts = [tuple(part) for part in note["parts"]]
        begun = {part for group in groups for part in group}
        mine = note["folder"] == str(result.folder) and path.with_suffix(CHECKPOINT).exists()
        if mine and not begun & set(parts) and set(parts) & set(missing):
            groups.append(parts)
    return groups


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


def cost(result: Result, parts: Sequence[Part], device: str = "cpu", jobs: int = 0) -> str:
    """About how long these parts take, from typical rates; on all cores by default."""
    if not parts:
        return "-"
    time = minutes(result, parts, device, jobs)
    return f"{max(time, 1):.0f} min" if time < 120 else f"{time / 60:.1f} h"


def minutes(result: Result, parts: Sequence[Part], device: str = "cpu", jobs: int = 0) -> float:
    """``cost`` as a number."""
    source = result.study.source()
    before = 0.0
    if source is not None and parts:
        needed = Result(source, result.preset)
        before = minutes(needed, needed.missing(), device)
    jobs = min(jobs or os.cpu_count() or 1, max(len(parts), 1))
    store = result.study.store
    rate = GPU_RATE.get(store) if device == "cuda" else None
    return before + result.study.work(parts) / (rate or TYPICAL_RATE[store]) / jobs / 60


def announce(result: Result, parts: Sequence[Part], device: str, jobs: int) -> None:
    """Say what is about to be computed and about how long it takes."""
    print(
        f"{result.study.name}, preset {result.preset}: {len(parts)} of "
        f"{len(result.study.parts())} parts on {jobs} x {device}, "
        f"about {cost(result, parts, device, jobs)}",
        file=sys.stderr,
        flush=True,
    )


def chosen_device(asked: str, gpu: bool, context: Any) -> str:
    """``cuda`` if it is asked for, or there, and of use (``Study.gpu``); else ``cpu``.

    Raises:
        ValueError: if it is asked for, of use and not there.
    """
    if asked == "cpu" or not gpu:
        return "cpu"
    if _has_cuda(context):
        return "cuda"
    if asked == "cuda":
        raise ValueError("device = cuda: PyTorch finds no GPU here")
    return "cpu"


def _has_cuda(context: Any) -> bool:
    # In a process of its own, so that one that only draws never imports torch.
    with ProcessPoolExecutor(1, context) as pool:
        return pool.submit(_cuda_is_available).result()


def _cuda_is_available() -> bool:
    import torch

    return torch.cuda.is_available()


def _start_worker(progress: Any) -> None:
    global _queue, _commit
    _queue, _commit = progress, commit()
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    # A killed parent must not leave workers that train on, unseen, beside a resumed run.
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _compute_group(result: Result, parts: list[Part], device: str) -> None:
    with part_lock(result, parts) as ours:
        if not ours:
            print(f"parts {parts[0]} to {parts[-1]} are with another run", file=sys.stderr)
        elif all(map(result.has, parts)):  # another run has just made them
            _queue.put(result.study.work(parts))
        else:
            _compute_locked(result, parts, device)


def _compute_locked(result: Result, parts: list[Part], device: str) -> None:
    result.check_fingerprint()
    products = "" if device == "cuda" else _prepared_cpu()
    checkpoint = checkpoint_of(result, parts)
    note = _Note(checkpoint.with_suffix(".json"), result, parts)

    def progress(work: float) -> None:
        _queue.put(work)
        note.write()

    for part, arrays in result.study.compute(parts, device, checkpoint, progress):
        made = provenance(
            _commit, _device_name(device) + products, note.seconds(), together=len(parts)
        )
        result.save(part, arrays, made)
    note.path.unlink(missing_ok=True)


def checkpoint_of(result: Result, parts: Sequence[Part]) -> Path:
    """The file that keeps unfinished work on these parts."""
    name = hashlib.sha256(repr((str(result.folder), list(parts))).encode()).hexdigest()[:16]
    return work_folder(result.root) / (name + CHECKPOINT)


@contextmanager
def part_lock(result: Result, parts: Sequence[Part]) -> Iterator[bool]:
    """Whether these parts are ours to compute; if so, nobody else's until the block ends."""
    with checkpoint_of(result, parts).with_suffix(".lock").open("w") as lock:  # dies with us
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


class _Note:
    """Beside a checkpoint: whose it is, and the seconds spent so far, interruptions included."""

    def __init__(self, path: Path, result: Result, parts: list[Part]):
        self.path, self.start, self.written = path, time.monotonic(), 0.0
        self.before = json.loads(path.read_text())["seconds"] if path.exists() else 0.0
        self.content = {"folder": str(result.folder), "parts": parts}

    def seconds(self) -> float:
        return self.before + time.monotonic() - self.start

    def write(self) -> None:
        if self.seconds() - self.written > NOTE_SECONDS or not self.path.exists():
            self.written = self.seconds()
            content = json.dumps({**self.content, "seconds": self.written})
            write_atomically(self.path, content.encode())


@cache
def _prepared_cpu() -> str:
    """Sets this worker up, once; what the record says of its matrix products."""
    from amplib.cpu import prepare

    products = prepare()
    return "" if products == "default" else f", {products}"


def _device_name(device: str) -> str:
    if device == "cuda":
        import torch

        return torch.cuda.get_device_name()
    return f"{_cpu_model()}, 1 thread"


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return "CPU"
