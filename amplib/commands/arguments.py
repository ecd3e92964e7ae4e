"""What all commands share: how they refuse, and how they read numbers and settings."""

from __future__ import annotations

import argparse
import re
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from amplib import files

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

CHANGES: dict[str, Any] = {
    "nargs": "*",
    "action": "extend",  # a second --set adds to the first
    "default": [],
    "metavar": "NAME=VALUE",
    "help": "parameters",
}
REPLACED: dict[str, Any] = {"action": "store_true", "help": "replace a file that is there"}
TABLES = (".json",)
"""How ``amplib status`` and ``amplib claims`` write theirs."""
_DIGITS = re.compile("[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class Parser(argparse.ArgumentParser):
    """Refuses in one line; takes numbers that are written as usual."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.register("type", int, partial(_number, int))
        self.register("type", float, partial(_number, float))

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"amplib: {message}\n")


def check_output(option: str, path: Path | None, suffixes: Collection[str], force: bool) -> None:
    """Refuse a file that could not be written or, unless by ``force``, is there, before any work.

    Raises:
        ValueError: in one line that names the option.
    """
    if path is None:
        return
    try:
        files.check_target(path, suffixes)
    except (ValueError, OSError) as error:
        raise ValueError(f"{option} {error}") from None
    if path.exists() and not force:
        raise ValueError(f"{option} {path}: is there already; --force replaces it")


def assignments(pairs: Sequence[str]) -> dict[str, Any]:
    """``["n_train=200", "aggregation=max"]`` -> values by name; numbers where they read as such.

    Raises:
        ValueError: if a pair has no name, ``=`` or value, or a name comes twice.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not name or not equals or not text:
            raise ValueError(f"{pair!r}: expected NAME=VALUE")
        if name == "preset":
            raise ValueError("preset is not set here: --preset (make: PRESET=)")
        if name in values:
            raise ValueError(f"{name} is given twice")
        values[name] = literal(text)
    return values


def span(text: str) -> tuple[int, int]:
    """``"20:39"`` -> (20, 39).

    Raises:
        ValueError: if it is anything else.
    """
    first, _, last = text.partition(":")
    if not (_DIGITS.fullmatch(first) and _DIGITS.fullmatch(last) and int(first) <= int(last)):
        raise ValueError(f"only = {text!r}: expected FIRST:LAST, as in 20:39")
    return int(first), int(last)


def _number(kind: type, text: str) -> Any:
    value = literal(text)
    if isinstance(value, float) and value.is_integer():  # 1e5
        value = int(value)
    if not isinstance(value, (int, kind)):
        raise ValueError(f"{text!r} is no {kind.__name__}")
    return kind(value)


def literal(text: str) -> int | float | str:
    """A number written as usual: Python would also read 1_00 and digits of other scripts."""
    if _NUMBER.fullmatch(text):
        return int(text) if _DIGITS.fullmatch(text.lstrip("+-")) else float(text)
    return text
