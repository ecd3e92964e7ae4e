"""Where things lie, and files that are whole or not there."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The repository, unless the package is installed without it."""

IN_REPOSITORY = (ROOT / "book" / "claims.yml").is_file()

USER = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "amplify"
"""Where an installed package keeps what it computes."""

HOME = ROOT if IN_REPOSITORY else USER

RESULTS = Path(os.environ.get("AMPLIFY_RESULTS") or HOME / "results")

DATA = Path(os.environ.get("AMPLIFY_DATA") or HOME / "data")


def repository() -> Path:
    """The repository's folder, for what exists there alone: pages, claims, figures.

    Raises:
        FileNotFoundError: if the package is installed without it.
    """
    if not IN_REPOSITORY:
        raise FileNotFoundError(
            "this needs the repository: its pages and claims are not installed with the package"
        )
    return ROOT


def format_of(path: Path) -> str:
    """Its suffix in small letters, with the one before it where it is compressed.

    >>> format_of(Path("a.b.CSV")), format_of(Path("a.csv.gz")), format_of(Path("a"))
    ('.csv', '.csv.gz', '')
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return "".join(suffixes[-2:] if suffixes[-1:] == [".gz"] else suffixes[-1:])


def write_atomically(path: Path, data: bytes) -> None:
    """Write beside the target, flush to disk, rename: the file is whole or not there.

    Raises:
        OSError: naming the file, for example on a full disk; nothing of it is left then.
    """
    with whole_file(path) as temporary:
        temporary.write_bytes(data)


def check_target(path: Path, suffixes: Collection[str] = ()) -> None:
    """Refuse a file that could not be written, before any work.

    Args:
        path: the file.
        suffixes: those that are allowed; all if there are none.

    Raises:
        ValueError: for another suffix.
        FileNotFoundError, IsADirectoryError: if there is no such folder, or one of this name.
    """
    if suffixes and format_of(path) not in suffixes:
        raise ValueError(f"{path}: unknown suffix; allowed: {', '.join(suffixes)}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: no such folder")
    if path.is_dir():
        raise IsADirectoryError(f"{path}: is a folder")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary name beside ``path``, of its format: flushed and renamed to it if the block ends
    well.

    Whatever interrupts the block, ``path`` is as before or complete.

    Raises:
        FileNotFoundError, IsADirectoryError: if there is no such folder, or one of this name;
            before the block, so that no work is lost.
        OSError: naming ``path``, if it cannot be written.
    """
    check_target(path)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        if error.filename not in (None, str(temporary)):
            raise
        # A full disk is found by a write, which no longer knows the name; others know another.
        raise OSError(f"{path} cannot be written ({error.strerror or error})") from None
    finally:
        temporary.unlink(missing_ok=True)
