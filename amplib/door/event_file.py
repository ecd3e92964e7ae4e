"""Events from a file: CSV, NPY, HDF5 or parquet, as columns with names."""

from __future__ import annotations

import csv
import gzip
import re
import warnings
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
from numpy.typing import NDArray

from amplib.files import format_of

Array = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]

LEFT_OUT = "; --columns with the names of the others leaves it out"
NO_NUMBER = re.compile(r"could not convert string (.*) to float64 at row (\d+), column (\d+)\.")
"""What numpy says of a cell: columns count from 1, rows from 0."""
TOO_FEW = re.compile(r"converter .* invalid for the number of fields (\d+)")
"""The same of a file that has fewer columns than names."""
QUOTED = re.compile(r'"[^"]*"')
FIELD = re.compile(r'"([^"]*)"|(\S+)')
INDEX = re.compile(r"|Unnamed: \d+|index")
"""What pandas calls the numbers of the rows: in CSV nothing, then ``Unnamed`` once it was read and
written again, ``index`` in a structured array."""
INDEX_LEVEL = re.compile(r"__index_level_\d+__")
"""The same in parquet, where nobody else has such names."""


class Events(NamedTuple):
    """(N, D) events, the names of their columns, their weights (N,), or None, and the names of
    columns of the file that are neither."""

    x: Array
    names: tuple[str, ...]
    weights: Array | None
    others: tuple[str, ...] = ()


def read_events(path: Path, columns: Sequence[str] = (), weights: str | None = None) -> Events:
    """Read events from a file.

    Args:
        path: ``.csv`` or ``.txt`` (commas or white space, with or without a line of names; either
            may end in ``.gz``), ``.npy``, ``.h5`` or ``.hdf5``, ``.parquet``.
        columns: names of the columns, in this order, or their numbers from 0 where they have no
            names; all but the weights by default, in the file's order, which is that of the
            alphabet where HDF5 has a dataset a column.
        weights: the column that holds them.

    Raises:
        ValueError: for another suffix, a file that is not what its suffix says, an unknown column,
            a column of row numbers that would be taken for one of the events'.
        ImportError: if the library that reads the format is missing.
        OSError: if there is no such file.
    """
    form = format_of(path)
    if form not in READERS:
        raise ValueError(f"{path}: unknown suffix; allowed: {', '.join(READERS)}")
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    _check_unique("--columns", columns)
    if weights in columns:
        raise ValueError(f"--columns {weights}: the column of the weights is none of the events'")
    asked = [*columns, *([weights] if weights else [])] if columns else []
    table = READERS[form](path, asked)
    wanted = list(columns) or [name for name in table if name != weights]
    for name in [*wanted, *([weights] if weights else [])]:
        if name not in table:
            raise ValueError(f"{path}: no column {name!r}; there are {', '.join(table) or 'none'}")
    if not columns and (numbers := [name for name in wanted if INDEX.fullmatch(name)]):
        raise ValueError(
            f"{path}: column {numbers[0]!r} numbers the rows? Write it with index=False, or name "
            "the columns to take with --columns"
        )
    if not wanted:
        raise ValueError(f"{path} has no columns of events")
    hint = "" if columns or len(wanted) == 1 else LEFT_OUT
    if len({len(table[name]) for name in wanted}) > 1:
        raise ValueError(f"{path}: {', '.join(wanted)} are not equally many{hint}")
    x = np.column_stack([_numbers(path, name, table[name], hint) for name in wanted])
    w = _numbers(path, weights, table[weights]) if weights else None
    finite = np.isfinite(x)
    if not finite.all():
        bad = [name for k, name in enumerate(wanted) if not finite[:, k].all()]
        rows = int((~finite).any(axis=1).sum())
        raise ValueError(f"{path}: {rows} of {len(x)} hold NaN or infinity in {', '.join(bad)}")
    others = tuple(name for name in table if name not in wanted and name != weights)
    return Events(x, tuple(wanted), w, others)


def read_alike(
    path: Path,
    other: Path,
    columns: Sequence[str] = (),
    weights: str | None = None,
    held_out_weights: str | None = None,
) -> tuple[Events, Events]:
    """Generated events and the held-out ones that judge them, in the same columns.

    Args:
        path: of generated events.
        other: of held-out events.
        columns: of both; by default all of either file, which then must have the same.
        weights: the column that holds those of the generated events.
        held_out_weights: the same of the held-out ones.

    Raises:
        ValueError, ImportError, OSError: as of ``read_events``; if the columns of the two are not
            the same, in number or name.
    """
    events = read_events(path, columns, weights)
    held_out = read_events(other, columns, held_out_weights)
    if set(held_out.names) == set(events.names):
        order = [held_out.names.index(name) for name in events.names]
        return events, held_out._replace(x=held_out.x[:, order], names=events.names)
    n, m = len(events.names), len(held_out.names)
    if n != m:
        alone = sorted(set(events.names) ^ set(held_out.names))
        raise ValueError(
            f"events have {n} columns, the held-out file {m}: name those to take with --columns; "
            f"in one alone: {', '.join(alone)}"
        )
    if _unnamed(events.names) and _unnamed(held_out.names):
        return events, held_out  # weights stood before other columns
    said = (
        f"events have the columns {', '.join(events.names)}, the held-out file "
        f"{', '.join(held_out.names)}"
    )
    if set(events.names) & set(held_out.names):
        raise ValueError(f"{said}: name those to take with --columns")
    raise ValueError(f"{said}: the same column must have the same name in both")


def _unnamed(names: Sequence[str]) -> bool:
    """Whether they are the numbers of columns, in order."""
    if not all(name.isdecimal() for name in names):
        return False
    numbers = list(map(int, names))
    return numbers == sorted(numbers)


def _numbers(path: Path, name: str, column: NDArray[Any], hint: str = "") -> Array:
    """A column as floats.

    Raises:
        ValueError: if it holds anything else: dates and complex numbers, or several numbers an
            event.
    """
    column = np.asarray(column)
    try:
        if column.ndim == 1 and column.dtype.kind in "biufO":
            return column.astype(float)
    except (TypeError, ValueError):
        pass
    raise ValueError(f"{path}: column {name!r} must be numbers{hint}")


def _read_text(path: Path, asked: Collection[str]) -> Columns:
    zipped = format_of(path).endswith(".gz")
    try:
        # utf-8-sig: without the mark with which some programs begin
        with (gzip.open if zipped else open)(
            path, "rt", encoding="utf-8-sig", errors="replace"
        ) as stream:
            return _columns(path, stream, asked)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None


def _columns(path: Path, stream: TextIO, asked: Collection[str]) -> Columns:
    """Columns that are asked for, or all; the others, which may hold text, as zeros."""
    line = stream.readline()
    first = line.strip()
    line_of_names = first.lstrip("#").strip()
    bare = QUOTED.sub("", line_of_names)
    if ";" in bare:
        raise ValueError(f"{path} cannot be read: expected commas or white space, not semicolons")
    # White space separates, but tabs alone where names have spaces.
    spaced = "\t" in bare and any(" " in name.strip() for name in bare.split("\t"))
    separator = "," if "," in bare else "\t" if spaced else None
    names = _split(line_of_names, separator)
    if _numbered_names(names) and not first.startswith("#"):  # columns, or an event?
        raise ValueError(
            f"{path} cannot be read: its first line, {first}, numbers the columns. Write it with "
            "names and index=False, or without it by header=False; an event as 0.0"
        )
    numbers = sum(map(_is_number, names))
    headed = numbers < len(names)
    if headed and numbers:  # names, or an event that is damaged?
        unnamed = list(map(str, range(len(names))))
        if not asked or not all(n in unnamed and _is_number(names[int(n)]) for n in asked):
            raise ValueError(
                f"{path} cannot be read: its first line has names and numbers. Without names, "
                "columns that are no numbers are left out by --columns with the numbers, from 0, "
                "of the others"
            )
        headed = False
    _check_unique(path, names if headed else [])
    if not headed:
        names = list(map(str, range(len(names))))
    unread = [k for k, name in enumerate(names) if asked and name not in asked]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of an empty file
            lines = stream if headed else chain([line], stream)
            rows = np.loadtxt(
                lines,
                delimiter=separator,
                quotechar='"',
                ndmin=2,
                converters=dict.fromkeys(unread, _zero),
            )
    except (ValueError, UserWarning) as error:
        said = str(error).splitlines()[0].partition("; use `usecols`")[0]
        if "input contained no data" in said:
            raise ValueError(f"{path} cannot be read: it holds no events") from None
        if found := TOO_FEW.search(said):
            raise ValueError(f"{path}: {len(names)} names for {found[1]} columns") from None
        if (found := NO_NUMBER.fullmatch(said)) and int(found[3]) <= len(names):
            name = names[int(found[3]) - 1]
            hint = "" if asked or len(names) == 1 else LEFT_OUT
            raise ValueError(
                f"{path}: column {name!r} must be numbers, but event {found[2]} (from 0) has "
                f"{found[1]}{hint}"
            ) from None
        raise ValueError(f"{path} cannot be read: {said}") from None
    if len(names) != rows.shape[1]:
        raise ValueError(f"{path}: {len(names)} names for {rows.shape[1]} columns")
    return dict(zip(names, rows.T, strict=True)) if headed else _numbered(rows)


def _zero(_: str) -> float:
    """Of whatever nobody asks for."""
    return 0.0


def _split(line: str, separator: str | None) -> list[str]:
    """A line's fields without quotes; white space separates where nothing else does.

    >>> _split('"pt, GeV", eta', ","), _split('"pt l1"  eta', None)
    (['pt, GeV', 'eta'], ['pt l1', 'eta'])
    """
    if separator is None:
        return [quoted or plain for quoted, plain in FIELD.findall(line)]
    fields = next(csv.reader([line], delimiter=separator, skipinitialspace=True))
    return [field.strip() for field in fields]


def _numbered_names(names: list[str]) -> bool:
    """Whether they are 0, 1 ... as pandas calls columns without names, with or without its index.

    >>> _numbered_names(["0", "1"]), _numbered_names(["", "0"]), _numbered_names(["0.0", "1.0"])
    (True, True, False)
    """
    given = names[1:] if names[:1] == [""] else names
    return bool(given) and given == [str(i) for i in range(len(given))]


def _check_unique(where: Path | str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{where}: two columns are called {name!r}")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _numbered(rows: NDArray[Any]) -> Columns:
    """Columns of an array under their numbers.

    Raises:
        ValueError: unless it has one or two dimensions, and events.
    """
    if not rows.size:
        raise ValueError("it holds no events")
    if rows.ndim not in (1, 2):
        raise ValueError(f"events must have the shape (N,) or (N, D), got {rows.shape}")
    return {str(i): column for i, column in enumerate(rows.reshape(len(rows), -1).T)}


def _read_npy(path: Path, asked: Collection[str]) -> Columns:
    try:
        with path.open("rb") as stream:
            rows = np.lib.format.read_array(stream, allow_pickle=False)
        if rows.dtype.names:
            return {name: rows[name] for name in rows.dtype.names}
        return _numbered(rows)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None


def _read_hdf5(path: Path, asked: Collection[str]) -> Columns:
    """One dataset with two dimensions or with fields, or several columns of their own.

    Raises:
        ValueError: for anything else, or for data kept in another file; links are not followed.
    """
    import h5py

    found: dict[str, NDArray[Any]] = {}

    def keep(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                raise ValueError(f"{path}: {name} is kept in another file")
            if item.shape is None:
                raise ValueError(f"{path}: {name} is empty")
            found[name] = item[()]

    try:
        with h5py.File(path, "r") as file:
            file.visititems(keep)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
    columns = {name: a for name, a in found.items() if np.ndim(a) == 1 and not a.dtype.names}
    if len(found) == 1 and not columns:
        (rows,) = found.values()
        names = rows.dtype.names
        return {name: rows[name] for name in names} if names else _numbered(rows)
    if len(columns) < len(found):
        raise ValueError(f"{path}: expected one table, or columns alone; has {', '.join(found)}")
    return columns


def _read_parquet(path: Path, asked: Collection[str]) -> Columns:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
    _check_unique(path, table.column_names)
    index = (table.schema.pandas_metadata or {}).get("index_columns", [])
    names = [n for n in table.column_names if n not in index and not INDEX_LEVEL.fullmatch(n)]
    return {name: table[name].to_numpy() for name in names}


READERS: dict[str, Callable[[Path, Collection[str]], Columns]] = {
    ".csv": _read_text,
    ".csv.gz": _read_text,
    ".txt": _read_text,
    ".txt.gz": _read_text,
    ".npy": _read_npy,
    ".h5": _read_hdf5,
    ".hdf5": _read_hdf5,
    ".parquet": _read_parquet,
}
"""By suffix; of a file and the columns that are asked for, or none for all.  Those that are not may
hold anything."""
