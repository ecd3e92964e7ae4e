"""The results store: small parts on disk, each checked, each with the record of its making.

``results/<preset>/<store>/<key>/part-*.npz`` beside one ``record.json``.  The key is a hash of
the parameters that define a part; how many parts are wanted does not enter it, so that a later
run, or another machine, adds repetitions to the same result.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import platform
import re
import subprocess
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import numpy as np

from amplib import files
from amplib.files import IN_REPOSITORY, ROOT, write_atomically
from amplib.store.arrays import headers, packed, unpacked
from amplib.store.record import DamagedResult, Record, check_entry, damaged, difference, read_record
from amplib.store.study import PRESETS, Arrays, Part, Study

LIBRARIES = ("torch", "numpy", "scipy", "scikit-learn", "iminuit", "pythia8mc", "fastjet")


class DamagedPartWarning(UserWarning):
    """A stored part is not what its record and its study say, and will not be used."""


def warn_in_lines() -> None:
    """From now on every warning of this process is one line, and a damaged part is named once,
    however often it is looked at."""
    warnings.formatwarning = lambda message, *where: f"amplib: {message}\n"
    warnings.simplefilter("once", DamagedPartWarning)


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
        self.key = study.key()
        place = self.root / ("" if study.bulk else preset) / study.store / self.key
        self.folder = folder or place

    def record(self) -> Record:
        """The record, or an empty one.

        Raises:
            DamagedResult: naming the file, if it cannot be read as the record of this result.
        """
        path = self.folder / "record.json"
        if not path.exists():
            return {"parts": {}}
        record = read_record(path)
        ours = self._header()
        if self.study.bulk:  # its parts are the same for every preset
            del ours["preset"]
        # Records that are older than ``format`` have none.
        theirs = {name: record[name] for name in ours if name in record}
        if reason := difference({**ours, **theirs}, ours):
            raise damaged(path, f"of another result: {reason}")
        return record

    def _header(self) -> Record:
        """What the record says of the result as a whole, as JSON gives it back."""
        parameters = json.loads(json.dumps(self.study.asdict(extent=False)))
        return {
            "study": self.study.store,
            "preset": self.preset,
            "parameters": parameters,
            "format": self.study.format,
        }

    def done(self) -> list[Part]:
        """Stored and intact parts among the wanted ones; a damaged one is named and left out."""
        recorded = self.record()["parts"]
        return [p for p in self.study.parts() if self._intact(p, recorded)]

    def missing(self) -> list[Part]:
        """Wanted parts that are not done."""
        done = set(self.done())
        return [p for p in self.study.parts() if p not in done]

    def _intact(self, part: Part, recorded: Record) -> bool:
        path = self.folder / part_name(part)
        if path.name not in recorded or not path.exists():
            return False
        fault = self._fault(path, recorded[path.name]["sha256"])
        if fault:
            warnings.warn(
                f"{path}: {fault}; refused, to be computed again", DamagedPartWarning, stacklevel=4
            )
        return fault is None

    def _fault(self, path: Path, sha256: str) -> str | None:
        """What speaks against a part; found once a process for each state of its file."""
        state = path.stat()
        seen = (path, state.st_ino, state.st_mtime_ns, state.st_size, sha256, self.key)
        if seen not in _FAULTS:
            try:
                _FAULTS[seen] = fault_of(path.read_bytes(), sha256, self.study)
            except OSError as error:  # a bad sector stops no other work
                return f"cannot be read ({error.strerror})"
        return _FAULTS[seen]

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
        return unpacked((self.folder / part_name(part)).read_bytes())

    def has(self, part: Part) -> bool:
        """Whether a part is stored and intact."""
        return self._intact(part, self.record()["parts"])

    def part(self, part: Part) -> Arrays | None:
        """One part, if it is there."""
        return self._arrays(part) if self.has(part) else None

    def problem(self, part: Part) -> str | None:
        """What speaks against a part, with its file; None if nothing does."""
        path = self.folder / part_name(part)
        entry = self.record()["parts"].get(path.name)
        if entry is None or not path.exists():
            return f"{path}: not {'there' if entry else 'in its record'}"
        fault = self._fault(path, entry["sha256"])
        return f"{path}: {fault}" if fault else None

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
        if recorded is not None and not same_fingerprint(recorded, self.study.fingerprint()):
            raise ValueError(
                f"{self.folder} was made by other code; delete it, then "
                f"{self.study.command(self.preset)}"
            )

    def save(self, part: Part, arrays: Arrays, made: Record) -> None:
        """Store one part, then its record; safe beside other processes and against a kill.

        Args:
            part: which one.
            arrays: what it holds.
            made: how it was made: ``seconds`` at least, shared by so many parts ``together``.

        Raises:
            DamagedResult: if another result lies here, before anything is written.
            OSError: naming the file that cannot be written; nothing of the part is left then.
        """
        data = packed(arrays)
        self._enter(part, data, {"sha256": hashlib.sha256(data).hexdigest(), **made})

    def _enter(self, part: Part, data: bytes, entry: Record) -> None:
        check_entry(part_name(part), entry)
        self.record()
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / part_name(part)
        write_atomically(path, data)
        try:
            self._enter_in_record(path.name, entry)
        except OSError:
            path.unlink()  # unrecorded, it would be of no use and in the way
            raise

    def _enter_in_record(self, name: str, entry: Record) -> None:
        with _locked(self.folder, self.root):
            record = self.record()
            if "fingerprint" not in record:  # a new one
                record |= {**self._header(), "fingerprint": self.study.fingerprint()}
            record["parts"] = dict(sorted({**record["parts"], name: entry}.items()))
            write_atomically(self.folder / "record.json", json.dumps(record, indent=1).encode())


_FAULTS: dict[tuple[object, ...], str | None] = {}


def fault_of(data: bytes, sha256: str, study: Study) -> str | None:
    """What speaks against the bytes of a part: its checksum, its arrays, what they hold.

    Arrays are looked at by name, type and shape before any of them is read.
    """
    if hashlib.sha256(data).hexdigest() != sha256:
        return "does not match its SHA-256"
    try:
        return study.mismatch(headers(data)) or study.misfit(unpacked(data))
    except ValueError as error:
        return " ".join(str(error).split())  # numpy's may have several lines


def wherever_stored(study: Study) -> Result:
    """The result of a study under the first preset where it is complete.

    Raises:
        FileNotFoundError: with the command that computes it.
        DamagedResult: if there is none but a damaged one.
    """
    damage = None
    for result in (Result(study, preset) for preset in PRESETS):
        try:
            if not result.missing():
                return result
        except DamagedResult as error:  # another preset's may be whole
            damage = damage or error
    raise damage or FileNotFoundError(f"no result yet: {study.command(PRESETS[0])}")


def source_of(result: Result) -> Result | None:
    """What a result is made of: under its own preset, or under another if it is complete there
    alone.  None if it is made of nothing."""
    study = result.study.made_of()
    if study is None:
        return None
    own = Result(study, result.preset)
    try:
        return wherever_stored(study) if own.missing() else own
    except (FileNotFoundError, DamagedResult):
        return own


def at_one_scale(
    results: Mapping[str, Result], get: Callable[[str, str], Result]
) -> dict[str, Result]:
    """These results, or all of them at the laptop's scale if some have no other.

    Args:
        results: of studies that a page shows side by side.
        get: gives one of them at a preset.
    """
    if len({r.preset for r in results.values()}) == 1:
        return dict(results)
    return {name: get(name, "laptop") for name in results}


ROUNDING, OTHER_PROCESSORS = 1e-7, 1e-3
"""How far fingerprints of the same code may differ, relatively, on x86-64 and elsewhere."""


def same_fingerprint(
    a: Sequence[float], b: Sequence[float], machine: str = platform.machine()
) -> bool:
    """Whether two fingerprints are of the same code, on whatever machine.

    Rounding differs between machines by 1e-15 or so; three epochs leave it there and the minimiser
    makes 1e-14 of it.  What changes the meaning of the code moves a number by 1e-6 and more: a
    LeakyReLU of 0.0101 by 6e-5, an F off by 1e-4 by 1e-6, a penalty 1% stronger by 1%.  Without
    AVX2, PyTorch draws initial weights that differ in their last single-precision digit, which
    moves a number by up to 1e-4: there, only larger changes are seen.

    Args:
        a, b: of two results.
        machine: what this one is, as ``platform.machine`` says it.
    """
    known = machine in ("x86_64", "AMD64")
    tolerance = ROUNDING if known else OTHER_PROCESSORS
    return len(a) == len(b) and bool(np.allclose(a, b, rtol=tolerance, atol=1e-12))


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


def provenance(commit: str | None, device: str, seconds: float, **measured: float) -> Record:
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


def with_sources(results: Iterable[Result]) -> list[Result]:
    """These results and those that they are made of: a map of codes, and the training it took.

    Events by the million, simulated wherever they are needed, are not among them.
    """
    found: dict[tuple[Path, Study], Result] = {}
    for result in results:
        made: Result | None = result
        while made is not None:
            found.setdefault((made.folder, made.study), made)
            source = source_of(made)
            made = None if source is None or source.study.bulk else source
    return list(found.values())


class Spent(NamedTuple):
    """Seconds by the clock of one core, and of one GPU, which do not add up."""

    core: float
    gpu: float


def spent(results: Iterable[Result]) -> Spent:
    """What went into all stored parts of these results; a part that several of them share counts
    once."""
    found = {False: 0.0, True: 0.0}
    for device, seconds in seconds_by_device(results).items():
        found[is_gpu(device)] += sum(seconds)
    return Spent(found[False], found[True])


def seconds_by_device(results: Iterable[Result]) -> dict[str, list[float]]:
    """Seconds that stored parts took, one by one, by the name of the device."""
    found: dict[tuple[Path, Part], tuple[str, float]] = {}
    for result in results:
        recorded = result.record()["parts"]
        for part in result.done():
            entry = recorded[part_name(part)]
            device = entry.get("device", "unknown")
            found[result.folder, part] = device, its_seconds(entry)
    seconds: dict[str, list[float]] = {}
    for device, its in found.values():
        seconds.setdefault(device, []).append(its)
    return seconds


def is_gpu(device: str) -> bool:
    """Whether a device, by its name in a record, is no processor core."""
    return device.startswith("NVIDIA")


def its_seconds(entry: Record) -> float:
    """A part's share of the seconds that all took which were computed together."""
    return float(entry["seconds"] / entry["together"])


def cost_so_far(result: Result) -> tuple[float, list[str], list[str]]:
    """What the stored parts of this study took: seconds of one core or GPU, where, and the code.

    Returns:
        seconds, devices, commits.
    """
    recorded = result.record()["parts"]
    parts = [recorded[part_name(p)] for p in result.done()]
    seconds = sum(map(its_seconds, parts))
    return (
        seconds,
        sorted({p.get("device", "unknown") for p in parts}),
        sorted({p.get("commit") or "unknown" for p in parts}),
    )
