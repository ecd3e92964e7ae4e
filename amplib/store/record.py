"""The record of a result: what it is of, and how each of its parts was made.

    {"study": ..., "preset": ..., "parameters": {...}, "format": 1, "fingerprint": [...],
     "parts": {"part-000.npz": {"sha256": ..., "seconds": ..., "together": ..., ...}, ...}}

Records without ``format`` are older than it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Record = dict[str, Any]

LARGE = 1e300
"""Below it a number of JSON, however many digits it has, is one of numpy's."""

_SHA256 = re.compile("[0-9a-f]{64}")


class DamagedResult(ValueError):
    """A record that cannot be read or is of another result; the message names the file."""


def read_record(path: Path) -> Record:
    """A record, its form checked, not whose it is.

    Raises:
        DamagedResult: in one line.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        _check(record)
    except RecursionError:
        raise damaged(path, "nested without end") from None
    except OSError as error:
        raise damaged(path, error.strerror or str(error)) from None
    except ValueError as error:
        raise damaged(path, str(error)) from None
    return dict(record)


def damaged(path: Path, reason: str) -> DamagedResult:
    """The error, in one line."""
    return DamagedResult(f"{path} is damaged ({reason}); restore or delete it")


def difference(theirs: Record, ours: Record) -> str | None:
    """The first value that differs, parameters one by one.

    >>> difference({"study": "gan", "parameters": {"seed": 1}}, {"study": "gan", "parameters": {}})
    'seed = 1, expected None'
    """
    for name in dict.fromkeys((*ours, *theirs)):
        value, expected = theirs.get(name), ours.get(name)
        if isinstance(value, dict) and isinstance(expected, dict):
            if inside := difference(value, expected):
                return inside
        elif value != expected:
            return f"{name} = {_short(value)}, expected {_short(expected)}"
    return None


def _check(record: object) -> None:
    """Raise ``ValueError`` for what is no record."""
    if not isinstance(record, dict):
        raise ValueError("no record")
    for name, kind in {"study": str, "preset": str, "parameters": dict, "parts": dict}.items():
        if not isinstance(record.get(name), kind):
            raise ValueError(f"{name} = {_short(record.get(name))}")
    numbers = record.get("fingerprint")
    if not (isinstance(numbers, list) and numbers and all(map(_is_finite, numbers))):
        raise ValueError(f"fingerprint = {_short(numbers)}")
    if not isinstance(record.get("format", 1), int):
        raise ValueError(f"format = {_short(record['format'])}")
    for name, entry in record["parts"].items():
        check_entry(name, entry)


def check_entry(name: str, entry: object) -> None:
    """Refuse what is no account of a part's making.

    Raises:
        ValueError: naming part and field.
    """
    if not isinstance(entry, Mapping):
        raise ValueError(f"{_short(name)}: {_short(entry)}")
    digest, together = entry.get("sha256"), entry.get("together")
    seconds: Any = entry.get("seconds")
    fits = {
        "sha256": isinstance(digest, str) and _SHA256.fullmatch(digest) is not None,
        "seconds": _is_finite(seconds) and seconds >= 0,
        "together": type(together) is int and together >= 1,
        "device": isinstance(entry.get("device", ""), str),
        "commit": isinstance(entry.get("commit"), str | None),
    }
    for field, fit in fits.items():
        if not fit:
            raise ValueError(f"{_short(name)}: {field} = {_short(entry.get(field))}")


def _is_finite(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < LARGE


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
