"""A study's parts in shares: each a job of its own, on whatever machine, that sends home what it
has computed."""

from __future__ import annotations

import io
import itertools
import json
import lzma
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from amplib.files import whole_file, write_atomically
from amplib.store.merge import merge
from amplib.store.rates import rate_of
from amplib.store.results import Result, part_name, source_of, work_folder
from amplib.store.study import Part, Study

UNFINISHED = "work"
"""Folder of an archive for checkpoints and the notes beside them."""


@dataclass(frozen=True)
class Share:
    """Parts whose first numbers are in a range, both ends included.

    The first number is a repetition, a chunk of events or, of the scan, the latent space: ranges
    of it are what ``--only`` takes, and hold every part of a study exactly once.

    Args:
        result: what they belong to.
        first, last: the range.
        missing: those of its parts that are not stored yet.
    """

    result: Result
    first: int
    last: int
    missing: tuple[Part, ...]

    @property
    def name(self) -> str:
        """``0-9``."""
        return f"{self.first}-{self.last}"

    def __str__(self) -> str:
        return f"{self.result.study.name} {self.name}"

    def minutes(self, device: str) -> float:
        """About how long one process takes for what is missing."""
        study = self.result.study
        return study.work(self.missing) / rate_of(study, self.result.preset, device) / 60


def shares(result: Result, jobs: int) -> list[Share]:
    """The wanted parts of a result in at most so many shares of about the same number of parts;
    only those in which something is missing.

    They do not depend on what is missing, so that a later run finds a share's work again.

    Raises:
        ValueError: if ``jobs`` is below one.
    """
    if jobs < 1:
        raise ValueError(f"jobs = {jobs}: must be an integer from 1")
    firsts = sorted({part[0] for part in result.study.parts()})
    missing = result.missing()
    count = min(jobs, len(firsts))
    ends = [k * len(firsts) // count for k in range(count + 1)]
    found = []
    for start, end in itertools.pairwise(ends):
        first, last = firsts[start], firsts[end - 1]
        mine = tuple(p for p in missing if first <= p[0] <= last)
        if mine:
            found.append(Share(result, first, last, mine))
    return found


def next_to_compute(result: Result) -> Result | None:
    """The result itself, or of what it is made the first that lacks parts; None if nothing does."""
    if not result.missing():
        return None
    source = source_of(result)
    return (source and next_to_compute(source)) or result


def pack(path: Path, results: Sequence[Result], unfinished: Path | None = None) -> None:
    """Write an archive of what is stored of these results.

    Args:
        path: the archive, whole or not there.
        results: whose records and parts go into it.
        unfinished: the store whose checkpoints go with them.
    """
    with whole_file(path) as temporary, tarfile.open(temporary, "w") as archive:
        for result in results:
            if done := result.done():
                root = "data" if result.study.bulk else result.preset
                place = f"{root}/{result.study.store}/{result.folder.name}"
                names = list(map(part_name, done))
                record = result.record()
                record["parts"] = {name: record["parts"][name] for name in names}
                _add(archive, f"{place}/record.json", json.dumps(record, indent=1).encode())
                for name in names:
                    archive.add(result.folder / name, f"{place}/{name}")
        if unfinished is not None:
            for file in sorted(work_folder(unfinished).iterdir()):
                if file.suffix in (".safetensors", ".json"):  # locks stay here
                    archive.add(file, f"{UNFINISHED}/{file.name}")


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """What an archive holds, in a temporary folder.

    Raises:
        ValueError: if it is no archive.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            with tarfile.open(path) as archive:
                archive.extractall(folder, filter="data")  # refuses paths that leave the folder
        except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError) as error:
            said = " ".join(str(error).split())  # one line for each way to read it
            raise ValueError(f"{path} is no archive of results ({said})") from None
        yield Path(folder)


def take(
    path: Path, studies: Mapping[str, type[Study]], store: Path | None = None
) -> tuple[list[str], list[str]]:
    """Merge the results of an archive into this store; and checkpoints that it does not have.

    Args:
        path: the archive.
        studies: those that are known, by name.
        store: the store that goes on with the checkpoints, if one does.

    Returns:
        as of ``merge``; nothing for an archive without results.

    Raises:
        ValueError: it is no archive of results.
    """
    with unpacked(path) as folder:
        if store is not None and (folder / UNFINISHED).exists():
            for file in (folder / UNFINISHED).iterdir():
                ours = work_folder(store) / file.name
                if not ours.exists():
                    write_atomically(ours, file.read_bytes())
        if not any(folder.rglob("record.json")):
            return [], []
        return merge(folder, studies)
