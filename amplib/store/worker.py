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
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from multiprocessing import connection
from pathlib import Path
from typing import Any

from amplib.files import write_atomically
from amplib.progress import Stopped
from amplib.store.download import digests
from amplib.store.record import LARGE
from amplib.store.results import DamagedPartWarning, Result, commit, provenance, work_folder
from amplib.store.study import Part

CHECKPOINT = ".safetensors"
NOTE_SECONDS = 30
WAIT_SECONDS = 0.5

_progress: Any = None  # where this worker reports its work
_stop: Any = None  # set when it is to keep what it has and end
_commit: str | None = None  # the code it imported, whatever is checked out later


def start(progress: Any, stop: Any) -> None:
    """Set a fresh worker up.

    Only its parent is told by signals to stop; it passes that on, so that nothing is cut short.
    Damaged parts the parent has named already.
    """
    global _progress, _stop, _commit
    _progress, _stop, _commit = progress, stop, commit()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    warnings.simplefilter("ignore", DamagedPartWarning)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    # A killed parent must not leave workers that train on, unseen, beside a resumed run.
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def compute_group(number: int, result: Result, parts: list[Part], device: str) -> bool:
    """Compute and store parts; returns whether nothing of them is left to this run.

    Parts that another run computes or has just stored are left to it.  A group that goes on from a
    checkpoint stays together, if all of it is ours: its state belongs to all of its parts.

    Args:
        number: what the work is reported under, as ``(number, work, resumed)``.
        result: what they belong to.
        parts: which ones.
        device: ``cpu`` or ``cuda``.
    """
    with ExitStack() as locks:
        ours = [p for p in parts if locks.enter_context(part_lock(result, p))]
        theirs = [p for p in parts if p not in ours]
        if theirs:
            print(f"parts {theirs[0]} to {theirs[-1]} are with another run", file=sys.stderr)
        todo = [p for p in ours if not result.has(p)]
        if todo and ours == parts and checkpoint_of(result, parts).exists():
            todo = parts
        left = [p for p in parts if p not in todo]
        if left:
            _progress.put((number, result.study.work(left), True))
        return not todo or _compute_locked(number, result, todo, device)


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
            if data := digests(result.study.data()):
                made["data"] = data
            if not result.has(part):  # of a group that was interrupted while it stored its parts
                result.save(part, arrays, made)
                if problem := result.problem(part):
                    print(problem, file=sys.stderr)
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
    """Groups that an interrupted run left a checkpoint of, to be gone on with as they were.

    Checkpoints of parts that all are stored by now, another run's, are removed.
    """
    groups: list[list[Part]] = []
    for path in sorted(work_folder(result.root).glob("*.json")):
        note, checkpoint = read_note(path), path.with_suffix(CHECKPOINT)
        if note is None or note["folder"] != str(result.folder) or not checkpoint.exists():
            continue
        parts = [tuple(part) for part in note["parts"]]
        begun = {part for group in groups for part in group}
        if all(map(result.has, parts)):
            checkpoint.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
        elif not begun & set(parts) and set(parts) & set(missing):
            groups.append(parts)
    return groups


def read_note(path: Path) -> dict[str, Any] | None:
    """What ``_Note`` has written; None, and a line on stderr, if it is damaged.

    Without its note a checkpoint is found only by a group of the same parts.
    """
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        parts, seconds = note["parts"], note["seconds"]
        whole = all(type(k) is int for part in parts for k in part) and all(parts) and parts
        if not (whole and isinstance(note["folder"], str) and 0 <= seconds < LARGE):
            raise ValueError("no note of a training")
    except (OSError, ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        _say_once(f"{path} is damaged ({error!r:.60}); left alone, delete it")
        return None
    return dict(note)


@cache
def _say_once(line: str) -> None:
    print(line, file=sys.stderr)


def wait_for(result: Result, parts: Sequence[Part]) -> bool:
    """Whether another run had one of these parts; if so, until none of them is."""
    waited = False
    for part in parts:
        while not _is_free(result, part):
            waited = True
            time.sleep(WAIT_SECONDS)
    return waited


def _is_free(result: Result, part: Part) -> bool:
    with part_lock(result, part) as ours:
        return ours


@contextmanager
def part_lock(result: Result, part: Part) -> Iterator[bool]:
    """Whether this part is ours to compute; if so, nobody else's until the block ends."""
    with checkpoint_of(result, [part]).with_suffix(".lock").open("w") as lock:  # dies with us
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
        note = read_note(path) if path.exists() else None
        self.before: float = note["seconds"] if note else 0.0
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
