"""What a worker process does: one group of parts, computed, reported and stored."""

from __future__ import annotations

import fcntl
import hashlib
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from multiprocessing import connection
from pathlib import Path
from typing import Any

from amplib.files import write_atomically
from amplib.progress import Stopped
from amplib.store.results import Result, commit, provenance, work_folder
from amplib.store.study import Part

CHECKPOINT = ".safetensors"
NOTE_SECONDS = 30

_progress: Any = None  # where this worker reports its work
_stop: Any = None  # set when it is to keep what it has and end
_commit: str | None = None  # the code it imported, whatever is checked out later


def start(progress: Any, stop: Any) -> None:
    """Set a fresh worker up.

    Only its parent is told by signals to stop; it passes that on, so that nothing is cut short.
    """
    global _progress, _stop, _commit
    _progress, _stop, _commit = progress, stop, commit()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    # A killed parent must not leave workers that train on, unseen, beside a resumed run.
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def compute_group(number: int, result: Result, parts: list[Part], device: str) -> bool:
    """Compute and store parts; returns whether nothing of them is left to this run.

    Args:
        number: what the work is reported under, as ``(number, work, resumed)``.
        result: what they belong to.
        parts: which ones.
        device: ``cpu`` or ``cuda``.
    """
    with part_lock(result, parts) as ours:
        if not ours:
            print(f"parts {parts[0]} to {parts[-1]} are with another run", file=sys.stderr)
        elif not all(map(result.has, parts)):  # else another run has just made them
            return _compute_locked(number, result, parts, device)
    _progress.put((number, result.study.work(parts), True))
    return True


def _compute_locked(number: int, result: Result, parts: list[Part], device: str) -> bool:
    result.check_fingerprint()
    products = "" if device == "cuda" else _prepared_cpu()
    checkpoint = checkpoint_of(result, parts)
    resumed = checkpoint.exists()
    note = _Note(checkpoint.with_suffix(".json"), result, parts)

    _progress.put((number, 0.0, False))

    def progress(work: float) -> None:
        nonlocal resumed
        _progress.put((number, work, resumed))
        resumed = False
        note.write()
        if _stop.is_set():
            raise Stopped

    try:
        for part, arrays in result.study.compute(parts, device, checkpoint, progress):
            made = provenance(
                _commit, _device_name(device) + products, note.seconds(), together=len(parts)
            )
            result.save(part, arrays, made)
    except Stopped:
        note.write(now=True)
        return False
    note.path.unlink(missing_ok=True)
    return True


def checkpoint_of(result: Result, parts: Sequence[Part]) -> Path:
    """The file that keeps unfinished work on these parts."""
    name = hashlib.sha256(repr((str(result.folder), list(parts))).encode()).hexdigest()[:16]
    return work_folder(result.root) / (name + CHECKPOINT)


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

    def write(self, now: bool = False) -> None:
        if now or self.seconds() - self.written > NOTE_SECONDS or not self.path.exists():
            self.written = self.seconds()
            content = json.dumps({**self.content, "seconds": self.written})
            write_atomically(self.path, content.encode())


@cache
def _prepared_cpu() -> str:
    """Sets this worker up, once; what the record says of its matrix products."""
    from amplib.models.cpu import prepare

    products = prepare()
    return "" if products == "default" else f", {products}"


def _device_name(device: str) -> str:
    if device == "cuda":
        import torch

        return torch.cuda.get_device_name()
    return f"{cpu_model()}, 1 thread"


def cpu_model() -> str:
    """The processor's name."""
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return "CPU"
