"""The file format of the published events (Zenodo 3560661, ``ttb.csv``), for theirs and for ours.

One event a line, values separated and followed by single spaces, no header; plain or, with the
suffix ``.gz``, compressed.  Energies of the ttbar set are in MeV.  A file is read as a stream, and
every event is held to the rules of its set before anybody sees it.
Source: Otten et al., arXiv:1901.00875, sec. II C.
"""

from __future__ import annotations

import csv
import gzip
import re
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from amplib.events.columns import TTBAR
from amplib.results import whole_file

Array = NDArray[np.float64]

LINES = 8192
"""Lines parsed at once: 8192 x 26 doubles stay in a core's cache."""
ROWS_AS_TEXT = 1000
GZIP_LEVEL = 3
"""Random digits gain 2% from the default 9, which takes three times as long."""
DIGITS = 9
"""Significant digits written: a float32 comes back as itself, a double within 5e-9 of it."""

JET_PT, LEPTON_PT = 20_000.0, 10_000.0
"""What a jet and a lepton must have, MeV (event paper, sec. II C and its published selection)."""
HIGHEST_IN_GEV = 7_000.0
"""No pT exceeds half of 13 TeV, so leading jets that all stay below this are not in MeV."""
ROUNDING = 1e-5
"""Relative: E and pT come from single precision and may be printed with six digits."""
ANGLE_ROUNDING = 1e-3
"""An azimuth of pi may be printed as 3.142."""

_NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


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


def _above_pt(energy: Array, pt: Array) -> NDArray[np.bool_]:
    return energy >= pt * (1 - ROUNDING)


def _in_mev(leading_pt: Array) -> NDArray[np.bool_]:
    """Of all events read together: one alone may have any pT."""
    return np.full(len(leading_pt), bool(np.any(leading_pt >= HIGHEST_IN_GEV)))


def _jet(jet: str) -> tuple[Rule, ...]:
    pt = f"pT_{jet}"
    return (
        Rule((pt,), lambda p: p >= JET_PT * (1 - ROUNDING), "{0:.9g} MeV is not above 20 GeV"),
        Rule((f"E_{jet}", pt), _above_pt, "{0:.9g} is below pT = {1:.9g}"),
        Rule((f"phi_{jet}",), _azimuth, "{0:.9g} is not within pi"),
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
        Rule((f"E_{lepton}", pt), _above_pt, "{0:.9g} is below pT = {1:.9g}"),
        Rule((f"phi_{lepton}",), _azimuth, "{0:.9g} is not within pi"),
    )


TTBAR_RULES = (
    Rule(("pT_j1",), _in_mev, "{0:.9g} looks like GeV, as do all others; MeV are expected"),
    Rule(("MET",), lambda met: met >= 0, "{0:.9g} is negative"),
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
    path: Path,
    columns: Sequence[str] = TTBAR,
    batch_size: int = 65_536,
    rules: Sequence[Rule] = TTBAR_RULES,
) -> Iterator[Array]:
    """Events ``(n, D)``, batch by batch; all batches but the last have n = ``batch_size``.

    Memory does not grow with the file.  A missing delimiter at the end of lines is tolerated.

    Args:
        path: the file; a name ending in ``.gz`` is decompressed.
        columns: names of the D columns.
        batch_size: events at once.
        rules: what every event must fulfil, besides being D finite numbers.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: in one line that names the line, the column and the reason, if a line is not D
            finite numbers or breaks a rule, or the file is truncated or without events.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    parts: list[Array] = []
    have = 0
    for rows in _checked(path, tuple(columns), rules):
        while have + len(rows) >= batch_size:
            cut = batch_size - have
            yield np.concatenate([*parts, rows[:cut]])
            parts, have, rows = [], 0, rows[cut:]
        parts.append(rows)
        have += len(rows)
    if have:
        yield np.concatenate(parts)


def write_events(path: Path, batches: Iterable[ArrayLike], digits: int = DIGITS) -> None:
    """Write events ``(n, D)`` as they come; compressed if the name ends in ``.gz``.

    The same events give the same bytes.  The file appears when the last batch is written, and not
    at all if one is refused.

    Args:
        path: the file.
        batches: the events.
        digits: significant digits; 9 make a float32, and 17 a double, the same when it is read.

    Raises:
        ValueError: in one line, if a batch is not ``(n, D)`` with one D, a value is not finite, or
            there is no event at all.
    """
    width = written = 0
    with whole_file(path) as temporary, _sink(temporary, _zipped(path)) as stream:
        for batch in batches:
            rows = np.asarray(batch, dtype=float)
            if rows.ndim != 2 or (width and rows.shape[1] != width):
                expected = f"events (n, {width or 'D'})"
                raise ValueError(f"{path}: expected {expected}, got shape {rows.shape}")
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
    return path.suffix == ".gz"


@contextmanager
def _sink(path: Path, zipped: bool) -> Iterator[IO[bytes]]:
    with path.open("wb") as raw:
        if not zipped:
            yield raw
            return
        # No time and no name in the header: equal events, equal bytes.
        with gzip.GzipFile("", "wb", compresslevel=GZIP_LEVEL, fileobj=raw, mtime=0) as stream:
            yield cast(IO[bytes], stream)


def _source(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if _zipped(path) else path.open("rb")


def _checked(path: Path, columns: tuple[str, ...], rules: Sequence[Rule]) -> Iterator[Array]:
    """Events that fulfil all rules, some ``LINES`` at once."""
    unknown = {name for rule in rules for name in rule.columns} - set(columns)
    if unknown:
        raise ValueError(f"a rule is about {min(unknown)!r}, the columns are {', '.join(columns)}")
    done = 0
    for values in _parsed(path, columns):
        broken = _first_broken(values, rules)
        if broken:
            row, rule = broken
            reason = rule.reason.format(*(values[name][row] for name in rule.columns))
            raise _complaint(path, done + row, rule.columns[0], reason)
        rows = np.empty((len(values[columns[0]]), len(columns)))
        for i, column in enumerate(values.values()):
            rows[:, i] = column
        yield rows
        done += len(rows)


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


def _parsed(path: Path, columns: tuple[str, ...]) -> Iterator[dict[str, Array]]:
    """Columns of D finite numbers a line, some ``LINES`` at once."""
    done = 0
    with _source(path) as stream:
        ending = _Ending(stream)
        frames = _frames(ending, len(columns))
        while values := _next_lines(frames, path, columns, done):
            yield values
            done += len(values[columns[0]])
    if not done:
        raise ValueError(f"{path} holds no events")
    if ending.last not in b" \r\n":
        reason = "the file ends within this line, it is truncated"
        raise _complaint(path, done - 1, columns[-1], reason)


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
    elsewhere, tells a line that is too long or too short.
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
        low_memory=False,
        chunksize=LINES,
    )


def _next_lines(
    frames: Iterator[pd.DataFrame], path: Path, columns: tuple[str, ...], done: int
) -> dict[str, Array]:
    """The columns of the next lines if all are D finite numbers; none at the end of the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.ParserWarning)  # a long line is refused below
            frame = next(frames, None)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise ValueError(
            f"{path}, after line {done}: the compressed file is truncated or damaged"
        ) from None
    except ValueError:
        raise _refusal(path, columns, done) from None
    if frame is None or not len(frame):
        return {}
    *values, rest = (column.to_numpy() for _, column in frame.items())
    numbers = all(v.dtype.kind in "fiu" and np.isfinite(v).all() for v in values)
    if not numbers or not pd.isna(rest).all():
        raise _refusal(path, columns, done)
    return dict(zip(columns, values, strict=True))


def _refusal(path: Path, columns: tuple[str, ...], done: int) -> ValueError:
    """About the first line, after ``done`` events, that is not D finite numbers."""
    for row, (_, line) in enumerate(islice(_lines(path), done, None), start=done):
        column, reason = _fault(line, columns)
        if reason:
            return _complaint(path, row, column, reason)
    return ValueError(f"{path}: what follows event {done} cannot be read as numbers")


def _fault(line: bytes, columns: tuple[str, ...]) -> tuple[str, str]:
    """The first column at fault in a line and what is wrong with it, or empty strings."""
    values = line.rstrip(b"\r\n").removesuffix(b" ").split(b" ")
    count = f"the line has {len(values)} of {len(columns)} values"
    if len(values) < len(columns) and not line.endswith(b"\n"):
        return columns[len(values)], f"missing, {count}, the file is truncated"
    for column, value in zip(columns, values, strict=False):
        if not _NUMBER.fullmatch(value) or not np.isfinite(float(value)):
            text = value[:20].decode(errors="replace")
            return column, f"{text!r} is not a finite number"
    if len(values) < len(columns):
        return columns[len(values)], f"missing, {count}"
    if len(values) > len(columns):
        return str(len(columns) + 1), count
    return "", ""


def _complaint(path: Path, row: int, column: str, reason: str) -> ValueError:
    number, _ = next(islice(_lines(path), row, None))
    return ValueError(f"{path}, line {number}, column {column}: {reason}")


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines and their numbers; as for pandas, empty ones are none."""
    with _source(path) as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip(b"\r\n"):
                yield number, line
