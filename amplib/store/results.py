"""The results store: small parts on disk, each checked, each with the record of its making.

``results/<preset>/<store>/<key>/part-*.npz`` beside one ``record.json``.  The key is a hash of
the parameters that define a part; how many parts are wanted does not enter it, so that a later
run, or another machine, adds repetitions to the same result.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import platform
import re
import subprocess
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from amplib import files
from amplib.files import IN_REPOSITORY, ROOT, write_atomically
from amplib.store.study import PRESETS, Arrays, Part, Study

LIBRARIES = ("torch", "numpy", "scipy", "scikit-learn", "iminuit", "pythia8mc", "fastjet")


class DamagedPartWarning(UserWarning):
    """A stored part does not match its checksum and will not be used."""


class Result:
    """What is stored of one study at one preset.

    Args:
        study: the study, with all its parameters.
        preset: the name under which it is filed.
        root: the store's folder.
        folder: where it lies, if not where the store has it.
    """

    def __init__(
        self, study: Study, preset: str, root: Path | None = None, folder: Path | None = None
    ):
        self.study, self.preset = study, preset
        self.root = root or (files.DATA if study.bulk else files.RESULTS)
        place = self.root / ("" if study.bulk else preset) / study.store / study.key()
        self.folder = folder or place

    def record(self) -> dict[str, Any]:
        """The record, or an empty one.

        Raises:
            ValueError: naming the file, if it cannot be read as a record.
        """
        path = self.folder / "record.json"
        if not path.exists():
            return {"parts": {}}
        try:
            record = json.loads(path.read_text())
            for name, entry in record["parts"].items():
                if not isinstance(entry["sha256"], str):
                    raise ValueError(f"no checksum of {name}")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"{path} is damaged ({error}); restore or delete it") from None
        return record

    def done(self) -> list[Part]:
        """Stored and intact parts among the wanted ones; a damaged one is named and left out."""
        recorded = self.record()["parts"]
        return [p for p in self.study.parts() if self._intact(p, recorded)]

    def missing(self) -> list[Part]:
        """Wanted parts that are not done."""
        done = set(self.done())
        return [p for p in self.study.parts() if p not in done]

    def _intact(self, part: Part, recorded: dict[str, Any]) -> bool:
        name = part_name(part)
        path = self.folder / name
        if name not in recorded or not path.exists():
            return False
        if _sha256(path) == recorded[name]["sha256"]:
            return True
        warnings.warn(
            f"{path} does not match its SHA-256: refused, to be computed again",
            DamagedPartWarning,
            stacklevel=4,
        )
        return False

    def load(self) -> dict[Part, Arrays]:
        """Every part that is done, in order.

        Raises:
            FileNotFoundError: if none is, with the command that computes it.
        """
        done = self.done()
        if not done:
            raise FileNotFoundError(f"no result yet: {self.study.command(self.preset)}")
        return {part: self._arrays(part) for part in done}

    def each(self) -> Iterator[Arrays]:
        """The parts that are done, in order, one in memory at a time."""
        return map(self._arrays, self.done())

    def _arrays(self, part: Part) -> Arrays:
        return read_arrays(self.folder / part_name(part))

    def has(self, part: Part) -> bool:
        """Whether a part is stored and intact."""
        return self._intact(part, self.record()["parts"])

    def part(self, part: Part) -> Arrays | None:
        """One part, if it is there."""
        return self._arrays(part) if self.has(part) else None

    def problem(self, part: Part) -> str | None:
        """What speaks against a recorded part: its file, its checksum, its arrays; None if
        nothing does."""
        path = self.folder / part_name(part)
        if not path.exists():
            return f"{path} is not there"
        if _sha256(path) != self.record()["parts"][path.name]["sha256"]:
            return f"{path} does not match its SHA-256"
        try:
            arrays = read_arrays(path)
        except (ValueError, OSError, EOFError, BadZipFile) as error:
            return f"{path} cannot be read ({error})"
        wrong = self.study.misfit(arrays)
        return f"{path}: {wrong}" if wrong else None

    def adopt(self, other: Result, part: Part) -> None:
        """Take over a part of the same study that another store has."""
        data = (other.folder / part_name(part)).read_bytes()
        self._enter(part, data, other.record()["parts"][part_name(part)])

    def check_fingerprint(self) -> None:
        """Refuse to add parts to a result that other code has made.

        Raises:
            ValueError: naming the folder, if today's code gives another fingerprint.
        """
        recorded = self.record().get("fingerprint")
        if recorded and not same_fingerprint(recorded, self.study.fingerprint()):
            raise ValueError(
                f"{self.folder} was made by other code; delete it, then "
                f"{self.study.command(self.preset)}"
            )

    def save(self, part: Part, arrays: Arrays, made: dict[str, Any]) -> None:
        """Store one part, then its record; safe beside other processes and against a kill."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        data = buffer.getvalue()
        self._enter(part, data, {"sha256": hashlib.sha256(data).hexdigest(), **made})

    def _enter(self, part: Part, data: bytes, entry: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self.folder / part_name(part), data)
        with _locked(self.folder, self.root):
            record = self.record()
            record |= {
                "study": self.study.store,
                "preset": self.preset,
                "parameters": self.study.asdict(extent=False),
                "fingerprint": record.get("fingerprint") or self.study.fingerprint(),
            }
            record["parts"][part_name(part)] = entry
            record["parts"] = dict(sorted(record["parts"].items()))
            text = json.dumps(record, indent=1)
            write_atomically(self.folder / "record.json", text.encode())


def wherever_stored(study: Study) -> Result:
    """The result of a study under the first preset where it is complete.

    Raises:
        FileNotFoundError: with the command that computes it.
    """
    results = [Result(study, preset) for preset in PRESETS]
    for result in results:
        if not result.missing():
            return result
    raise FileNotFoundError(f"no result yet: {study.command(results[0].preset)}")


def at_one_scale(
    results: Mapping[str, Result], get: Callable[[str, str], Result]
) -> dict[str, Result]:
    """The same results, or all of them at the laptop's scale if some have no other.

    Args:
        results: of studies that a page shows side by side.
        get: gives one of them at a preset.
    """
    if len({r.preset for r in results.values()}) == 1:
        return dict(results)
    return {name: get(name, "laptop") for name in results}


def same_fingerprint(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether two fingerprints are of the same code, on whatever machine.

    Rounding differs between machines by 1e-15 or so; three epochs leave it there and the minimiser
    makes 1e-14 of it.  What changes the meaning of the code moves a number by 1e-6 and more: a
    LeakyReLU of 0.0101 by 6e-5, an F off by 1e-4 by 1e-6, a penalty 1% stronger by 1%.
    """
    return len(a) == len(b) and bool(np.allclose(a, b, rtol=1e-7, atol=1e-12))


def _sha256(path: Path) -> str:
    """Of a file as it is now; computed once a process for each state of the file."""
    state = path.stat()
    return _sha256_of(path, state.st_ino, state.st_mtime_ns, state.st_size)


@cache
def _sha256_of(path: Path, *state: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def part_name(part: Part) -> str:
    """``(3, 7)`` -> ``part-003-07.npz``: repetition, then member."""
    return "part-" + f"{part[0]:03d}" + "".join(f"-{p:02d}" for p in part[1:]) + ".npz"


def part_of(name: str) -> Part | None:
    """``part-003-07.npz`` -> ``(3, 7)``; None for the name of anything else."""
    match = re.fullmatch(r"part-(\d+)((?:-\d+)*)\.npz", name)
    if not match:
        return None
    part = (int(match[1]), *map(int, match[2].split("-")[1:]))
    return part if part_name(part) == name else None


def read_arrays(path: Path) -> Arrays:
    """The arrays of one ``.npz``; never unpickles."""
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


@contextmanager
def _locked(folder: Path, root: Path) -> Iterator[None]:
    """One writer of a record at a time; the lock lies outside the store and dies with us."""
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    with (work_folder(root) / f"{name}.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def work_folder(root: Path) -> Path:
    """Where unfinished trainings and locks of a store lie; never under version control."""
    work = root / ".work"
    work.mkdir(parents=True, exist_ok=True)
    return work


def provenance(
    commit: str | None, device: str, seconds: float, **measured: float
) -> dict[str, Any]:
    """What a part's record says of its making."""
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": device,
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "commit": commit,
        "seconds": round(seconds, 1),
        **{name: round(value, 2) for name, value in measured.items()},
    }


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def commit() -> str | None:
    """The commit of the code, with ``+`` if tracked files of amplib differ from it; None if it is
    not known."""
    if not IN_REPOSITORY:  # git would find that of whatever folder we are installed in
        return None
    git = ["git", "-C", str(ROOT)]
    try:
        head = subprocess.run([*git, "rev-parse", "--short=10", "HEAD"], capture_output=True)
        dirty = subprocess.run(
            [*git, "diff", "--quiet", "HEAD", "--", "amplib"], capture_output=True
        )
    except FileNotFoundError:
        return None
    if head.returncode:
        return None
    return head.stdout.decode().strip() + ("+" if dirty.returncode else "")


def cost_so_far(result: Result) -> tuple[float, list[str], list[str]]:
    """What the stored parts of this study took: seconds of one core or GPU, where, and the code.

    Returns:
        seconds, devices, commits.
    """
    recorded = result.record()["parts"]
    parts = [recorded[part_name(p)] for p in result.done()]
    seconds = sum(p["seconds"] / p["together"] for p in parts)
    return (
        seconds,
        sorted({p["device"] for p in parts}),
        sorted({p["commit"] or "unknown" for p in parts}),
    )
