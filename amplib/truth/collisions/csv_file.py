"""The file format of the published events (Zenodo 3560661, ``ttb.csv``), for theirs and for ours.

One event a line, values separated and followed by single spaces; plain or, with the suffix
``.gz``, compressed.  The published file has no header; a first line with the names of the columns
is read past.  Energies of the ttbar set are in MeV.  A file is read as a stream, and
every event is held to the rules of its set before anybody sees it.
Source: Otten et al., arXiv:1901.00875, sec. II C.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import IO, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from amplib.files import whole_file
from amplib.truth.collisions.columns import BEAM, GEV, TTBAR

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

LINES = 8192
"""Lines parsed at once: 8192 x 26 doubles stay in a core's cache."""
ROWS_AS_TEXT = 1000
GZIP_LEVEL = 3
"""Random digits gain 2% from the default 9, which takes three times as long."""
DIGITS = 9
"""Significant digits written: a float32 comes back as itself, a double within 5e-9 of it."""

JET_PT, LEPTON_PT = 20_000.0, 10_000.0
"""What a jet and a lepton must have, MeV (event paper, sec. II C and its published selection)."""
BEAM_IN_GEV = BEAM / GEV
"""No pT exceeds half of 13 TeV, so leading jets that all stay below this are not in MeV."""
LINES_TO_JUDGE = 20
"""MET is below 7 GeV in one event of a hundred: half of so many lines are not, but in GeV."""
JET_ETA, LEPTON_ETA = 5.5, 3.0
"""Beyond the last tower (5.0) and the last track (2.5): a jet's axis may lie outside of its towers,
and a lepton from a displaced vertex is measured by where it hits the calorimeter."""
ROUNDING = 1e-5
"""Relative: E and pT come from single precision and may be printed with six digits."""
ANGLE_ROUNDING = 1e-3
"""An azimuth of pi may be printed as 3.142, and an eta with as many digits in E = pT cosh(eta)."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_ZIPPED = b"\x1f\x8b"


@dataclass(frozen=True)
class Rule:
    """Something that holds for every event of a set.

    Args:
        columns: the columns it is about; the first is blamed.
        holds: of their values, ``(n,)`` each, whether it holds, ``(n,)``.
        reason: what is wrong otherwise, with ``{0}``, ``{1}`` ... for the values.
    """

    columns: tuple[str, ...]
    holds: Callable[..., NDArray[np.bool_]]
    reason: str


def _azimuth(phi: Array) -> NDArray[np.bool_]:
    return np.abs(phi) <= np.pi + ANGLE_ROUNDING


def _in_mev(leading_pt: Array) -> NDArray[np.bool_]:
    """Of all events read together: one alone may have any pT."""
    return np.full(len(leading_pt), bool(np.any(leading_pt >= BEAM_IN_GEV)))


def _met_in_mev(met: Array) -> NDArray[np.bool_]:
    """Of all events read together, if they are enough."""
    return np.full(len(met), len(met) < LINES_TO_JUDGE or np.median(met) >= BEAM_IN_GEV)


def _direction(of: str, eta_max: float) -> tuple[Rule, ...]:
    """Energy, eta and phi of a jet or a lepton."""

    def above_momentum(energy: Array, pt: Array, eta: Array) -> NDArray[np.bool_]:
        cosh = np.cosh(np.minimum(np.abs(eta), eta_max))  # what is beyond is another rule's
        return energy >= pt * cosh * (1 - ANGLE_ROUNDING)

    energy, pt, eta, phi = (f"{q}_{of}" for q in ("E", "pT", "eta", "phi"))
    return (
        Rule((energy,), lambda e: e <= BEAM, "{0:.9g} MeV is more than a beam has"),
        Rule((eta,), lambda eta: np.abs(eta) <= eta_max, f"{{0:.9g}} is beyond {eta_max:g}"),
        Rule((phi,), _azimuth, "{0:.9g} is not within pi"),
        Rule(
            (energy, pt, eta),
            above_momentum,
            "{0:.9g} is below the momentum of pT = {1:.9g} at eta = {2:.9g}",
        ),
    )


def _jet(jet: str) -> tuple[Rule, ...]:
    pt = f"pT_{jet}"
    return (
        Rule((pt,), lambda p: p >= JET_PT * (1 - ROUNDING), "{0:.9g} MeV is not above 20 GeV"),
        *_direction(jet, JET_ETA),
    )


def _lepton(lepton: str) -> tuple[Rule, ...]:
    pt = f"pT_{lepton}"
    return (
        Rule(
            (pt,),
            lambda p: (p == 0) | (p >= LEPTON_PT * (1 - ROUNDING)),
            "{0:.9g} MeV is neither above 10 GeV nor 0, for no lepton",
        ),
        *(
            Rule(
                (f"{q}_{lepton}", pt),
                lambda value, p: (p != 0) | (value == 0),
                "{0:.9g} must be 0, as pT = 0 says that there is no lepton",
            )
            for q in ("E", "eta", "phi")
        ),
        *_direction(lepton, LEPTON_ETA),
    )


TTBAR_RULES = (
    Rule(
        ("pT_j1",),
        _in_mev,
        "{0:.9g} looks like GeV, as do all lines read with it; MeV are expected",
    ),
    Rule(
        ("MET",),
        _met_in_mev,
        "{0:.9g}: half of the lines read with it are below 7000, as in GeV; MeV are expected",
    ),
    Rule(("MET",), lambda met: met >= 0, "{0:.9g} is negative"),
    Rule(("MET",), lambda met: met <= BEAM, "{0:.9g} MeV is more than a beam has"),
    Rule(("phi_MET",), _azimuth, "{0:.9g} is not within pi"),
    *(rule for jet in ("j1", "j2", "j3", "j4") for rule in _jet(jet)),
    *(
        Rule(
            (f"pT_{second}", f"pT_{first}"),
            lambda low, high: low <= high * (1 + ROUNDING),
            f"{{0:.9g}} exceeds the {{1:.9g}} of {first}, jets must be ordered in pT",
        )
        for first, second in (("j1", "j2"), ("j2", "j3"), ("j3", "j4"))
    ),
    *(rule for lepton in ("l1", "l2") for rule in _lepton(lepton)),
    Rule(
        ("pT_l1", "pT_l2"),
        lambda first, second: (first > 0) | (second > 0),
        "no lepton, at least one is expected",
    ),
)
"""Rules of the ttbar set.  Its leptons are ordered in ours; of theirs that is not documented."""


def read_events(
    path: str | PathLike[str],
    columns: Sequence[str] = TTBAR,
    batch_size: int = 65_536,
    rules: Sequence[Rule] | None = None,
) -> Iterator[Array]:
    """Events ``(n, D)``, batch by batch; all batches but the last have n = ``batch_size``.

    Memory does not grow with the file.  A first line that names the columns and a missing delimiter
    at the end of lines are tolerated, and so are lines that are empty and those that end as on
    Windows or an old Mac.

    Args:
        path: the file; a name ending in ``.gz`` is decompressed.
        columns: names of the D columns.
        batch_size: events at once.
        rules: what every event must fulfil, besides being D finite numbers; by default those of
            the ttbar set, if the columns are its.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: in one line that names the line, the column and the reason, if a line is not D
            finite numbers or breaks a rule, or the file is truncated or without events, a folder,
            or compressed where its name says otherwise.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    if rules is None:
        rules = TTBAR_RULES if tuple(columns) == TTBAR else ()
    parts: list[Array] = []
    have = 0
    for rows in _checked(Path(path), tuple(columns), rules):
        while have + len(rows) >= batch_size:
            cut = batch_size - have
            yield np.concatenate([*parts, rows[:cut]])
            parts, have, rows = [], 0, rows[cut:]
        parts.append(rows)
        have += len(rows)
    if have:
        yield np.concatenate(parts)


def write_events(
    path: str | PathLike[str],
    batches: Iterable[ArrayLike],
    digits: int = DIGITS,
    header: Sequence[str] = (),
) -> None:
    """Write events ``(n, D)`` as they come; compressed if the name ends in ``.gz``.

    The same events give the same bytes.  The file appears when the last batch is written, and not
    at all if one is refused.

    Args:
        path: the file.
        batches: the events.
        digits: significant digits; 9 make a float32, and 17 a double, the same when it is read.
        header: names of the columns, for a first line; the published file has none.

    Raises:
        FileNotFoundError, IsADirectoryError: if there is no such folder, or one of this name.
        ValueError: in one line, if a batch is not ``(n, D)`` with one D, a value is not finite, or
            there is no event at all.
    """
    path = Path(path)
    with whole_file(path) as temporary, opened(temporary) as stream:
        write_rows(stream, path, batches, digits, header)


def write_rows(
    stream: IO[bytes],
    path: Path,
    batches: Iterable[ArrayLike],
    digits: int = DIGITS,
    header: Sequence[str] = (),
) -> None:
    """Write events, one a line, into a file that somebody else has opened.

    Args:
        stream: where they are written.
        path: the file's name, for errors.
        batches, digits, header: as of ``write_events``.

    Raises:
        ValueError: as of ``write_events``.
    """
    width = written = 0
    for batch in batches:
        rows = np.asarray(batch, dtype=float)
        if rows.ndim != 2 or (width and rows.shape[1] != width):
            expected = f"events (n, {width or 'D'})"
            raise ValueError(f"{path}: expected {expected}, got shape {rows.shape}")
        if header and not width:
            if len(header) != rows.shape[1]:
                raise ValueError(f"{path}: {len(header)} names for {rows.shape[1]} columns")
            stream.write((" ".join(header) + "\n").encode())
        width = rows.shape[1]
        if not np.isfinite(rows).all():
            row = int(np.argmin(np.isfinite(rows).all(1)))
            raise ValueError(f"{path}: event {written + row} has a value that is not finite")
        for first in range(0, len(rows), ROWS_AS_TEXT):
            stream.write(_as_text(rows[first : first + ROWS_AS_TEXT], digits))
        written += len(rows)
    if not written:
        raise ValueError(f"{path}: no events to write")


def _as_text(rows: Array, digits: int) -> bytes:
    line = f"%.{digits}g " * rows.shape[1] + "\n"
    return (line * len(rows) % tuple(rows.ravel().tolist())).encode()


def _zipped(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to, compressed if its name ends in ``.gz``: equal events, equal bytes."""
    with path.open("wb") as raw:
        if not _zipped(path):
            yield raw
            return
        # No time and no name in the header.
        with gzip.GzipFile("", "wb", compresslevel=GZIP_LEVEL, fileobj=raw, mtime=0) as stream:
            yield cast(IO[bytes], stream)


@contextmanager
def _source(path: Path) -> Iterator[IO[bytes]]:
    if path.is_dir():
        raise ValueError(f"{path} is a folder, not a file of events")
    with path.open("rb") as raw:
        start = raw.peek(len(_ZIPPED))[: len(_ZIPPED)]
        if not _zipped(path):
            if start == _ZIPPED:
                raise ValueError(f"{path}, line 1: compressed, but its name does not end in .gz")
            yield raw
            return
        if not _ZIPPED.startswith(start):
            raise ValueError(f"{path}, line 1: not compressed, though its name ends in .gz")
        with gzip.open(raw) as stream:
            yield cast(IO[bytes], stream)


def _checked(path: Path, columns: tuple[str, ...], rules: Sequence[Rule]) -> Iterator[Array]:
    """Events that fulfil all rules, some ``LINES`` at once."""
    unknown = {name for rule in rules for name in rule.columns} - set(columns)
    if unknown:
        raise ValueError(f"a rule is about {min(unknown)!r}, the columns are {', '.join(columns)}")
    for numbers, values in _parsed(path, columns):
        broken = _first_broken(values, rules)
        if broken:
            row, rule = broken
            reason = rule.reason.format(*(values[name][row] for name in rule.columns))
            raise _complaint(path, int(numbers[row]), rule.columns[0], reason)
        rows = np.empty((len(numbers), len(columns)))
        for i, column in enumerate(values.values()):
            rows[:, i] = column
        yield rows


def _first_broken(values: dict[str, Array], rules: Sequence[Rule]) -> tuple[int, Rule] | None:
    """The first event that breaks a rule, and the first rule that it breaks."""
    broken: tuple[int, Rule] | None = None
    for rule in rules:
        holds = rule.holds(*(values[name] for name in rule.columns))
        if not holds.all():
            row = int(holds.argmin())
            if broken is None or row < broken[0]:
                broken = row, rule
    return broken


def _parsed(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[Integers, dict[str, Array]]]:
    """Columns of D finite numbers a line, and the numbers of the lines, some ``LINES`` at once."""
    last = 0
    with _source(path) as stream:
        lines = header = _header(stream, columns)
        ending = _Ending(stream)
        frames = _frames(ending, len(columns))
        while (frame := _next_frame(frames, path, columns, lines)) is not None:
            values = _values(frame, path, columns, lines)
            lines += len(frame)
            del frame  # before the next is parsed
            if values:
                numbers, _ = values
                numbers += header
                last = int(numbers[-1])
                yield values
    if not last:
        raise ValueError(f"{path} holds no events")
    if ending.last not in b" \r\n":
        reason = "the file ends within this line, it is truncated"
        raise _complaint(path, last, columns[-1], reason)


def _header(stream: IO[bytes], columns: tuple[str, ...]) -> int:
    """Read past a first line that names the columns: how many such lines there are, one or none."""
    names = " ".join(columns).encode()
    if any(map(_NUMBER.fullmatch, columns)):
        return 0  # names that cannot be told from values
    try:
        first = stream.readline(2 * len(names))
    except (EOFError, gzip.BadGzipFile, zlib.error):
        first = b""  # whoever reads on will say so
    if first.split() == names.split():
        return 1
    stream.seek(0)
    return 0


class _Ending:
    """A stream for pandas that remembers its last byte."""

    def __init__(self, stream: IO[bytes]):
        self.stream, self.last = stream, b""

    def read(self, size: int = -1) -> bytes:
        data = self.stream.read(size)
        self.last = data[-1:] or self.last
        return data

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.stream)


def _frames(stream: _Ending, width: int) -> Iterator[pd.DataFrame]:
    """Lines as pandas reads them: exactly rounded, and four times faster than by numpy.

    The one further column is the emptiness after the last delimiter.  A value there, or a NaN
    elsewhere, tells a line that is too long or too short; nothing but NaN, an empty one.
    """
    yield from pd.read_csv(
        stream,
        sep=" ",
        header=None,
        names=range(width + 1),
        index_col=False,
        quoting=csv.QUOTE_NONE,
        keep_default_na=False,
        na_values=[""],
        skip_blank_lines=False,  # the rows stay those of the file
        low_memory=False,
        chunksize=LINES,
    )


def _next_frame(
    frames: Iterator[pd.DataFrame], path: Path, columns: tuple[str, ...], lines: int
) -> pd.DataFrame | None:
    """The next lines after ``lines``, none at the end of the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # of a line that is too long
            frame = next(frames, None)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise ValueError(
            f"{path}, after line {lines}: the compressed file is truncated or damaged"
        ) from None
    except (ValueError, pd.errors.ParserWarning):
        _refuse(path, columns, lines)
        raise ValueError(f"{path}, after line {lines}: cannot be read as numbers") from None
    return frame if frame is not None and len(frame) else None


def _values(
    frame: pd.DataFrame, path: Path, columns: tuple[str, ...], lines: int
) -> tuple[Integers, dict[str, Array]] | None:
    """Numbers and columns of the lines that are not empty; none if all are."""
    if frame[0].isna().any():
        frame = frame.dropna(how="all")
    *values, rest = (column.to_numpy() for _, column in frame.items())
    numbers = all(v.dtype.kind in "fiu" and np.isfinite(v).all() for v in values)
    if not numbers or not pd.isna(rest).all():
        _refuse(path, columns, lines)
        values = [np.asarray(v, dtype=float) for v in values]  # integers beyond 64 bits were text
    if not len(frame):
        return None
    return frame.index.to_numpy() + 1, dict(zip(columns, values, strict=True))


def _refuse(path: Path, columns: tuple[str, ...], lines: int) -> None:
    """Complain about the first line, after ``lines`` of them, that is not D finite numbers."""
    with _source(path) as stream:
        # Universal newlines: what ends a line for pandas.
        text = io.TextIOWrapper(cast(io.BufferedReader, stream), "utf-8", errors="replace")
        for number, line in islice(enumerate(text, start=1), lines, None):
            column, reason = _fault(line, columns)
            if reason:
                raise _complaint(path, number, column, reason)


def _fault(line: str, columns: tuple[str, ...]) -> tuple[str, str]:
    """The first column at fault in a line and what is wrong with it, or empty strings."""
    values = line.removesuffix("\n").removesuffix(" ").split(" ")
    if not any(values) and len(values) <= len(columns):
        return "", ""
    count = f"the line has {len(values)} of {len(columns)} values"
    if len(values) < len(columns) and not line.endswith("\n"):
        return columns[len(values)], f"missing, {count}, the file is truncated"
    for column, value in zip(columns, values, strict=False):
        # As pandas, which skips these around a number.
        if not _NUMBER.fullmatch(value.strip("\t\v\f")) or not np.isfinite(float(value)):
            return column, f"{value[:20]!r} is not a finite number"
    if len(values) < len(columns):
        return columns[len(values)], f"missing, {count}"
    if len(values) > len(columns):
        return str(len(columns) + 1), count
    return "", ""


def _complaint(path: Path, number: int, column: str, reason: str) -> ValueError:
    return ValueError(f"{path}, line {number}, column {column}: {reason}")
