"""Small wrong changes to the code, one at a time: do the tests notice?

python workflow/mutants.py named                      changes that once went unnoticed
python workflow/mutants.py [--sample N] [--seed S] [FILE ...]

Of the second kind are all comparisons, operators, numbers, ``and``, ``not``, ``any``, ``min`` ...
of metrics (the rules of verdicts among them) and truth, or of the given files, less those of
``tests/survivors.yml``, which make no difference.  Each is tried on a copy, first on the tests of
its own file, then on those of its folder; 90% are to be caught.
"""

from __future__ import annotations

import argparse
import ast
import itertools
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
SCOPE = ("amplib/metrics", "amplib/truth")
ENOUGH = 0.9
PATIENCE = 10
"""Tests that take so many times as long as without the change, and a minute, are stopped: a change
that makes a loop endless is caught."""
MARKS = "not slow and not gpu and not browser"

COMPARISONS = {"<=": "<", ">=": ">", "<": "<=", ">": ">=", "==": "!=", "!=": "=="}
OPERATORS = {"**": "*", "//": "/", "+": "-", "-": "+", "*": "/", "/": "*"}
NAMES = {"any": "all", "min": "max", "minimum": "maximum", "argmin": "argmax", "left": "right"}
NAMES |= {new: old for old, new in NAMES.items()}


@dataclass(frozen=True)
class Mutant:
    """A change of one file.

    Args:
        path: of the file, from the repository's root.
        start, end: bytes that are replaced.
        new: by what.
        line: where that is.
        tests: that are to notice, the first first.
    """

    path: str
    start: int
    end: int
    new: str
    line: int
    tests: tuple[str, ...]

    def of(self, source: bytes) -> bytes:
        """The changed source."""
        return source[: self.start] + self.new.encode() + source[self.end :]

    def lines(self) -> tuple[str, str]:
        """Of the source, before and after."""
        source = (ROOT / self.path).read_bytes()
        old, new = (s.splitlines()[self.line - 1] for s in (source, self.of(source)))
        return old.decode().strip(), new.decode().strip()

    def __str__(self) -> str:
        old, new = self.lines()
        return f"{self.path}:{self.line}: {old}  ->  {new}"


def named() -> list[Mutant]:
    """Those of ``tests/mutants.yml``.

    Raises:
        ValueError: if what is to be changed does not stand in one place: the code has moved on.
    """
    mutants = []
    for row in yaml.safe_load((ROOT / "tests" / "mutants.yml").read_text(encoding="utf-8")):
        source, old = (ROOT / row["in"]).read_bytes(), row["old"].encode()
        if source.count(old) != 1:
            raise ValueError(f"{row['in']}: {row['old']!r} stands there {source.count(old)} times")
        start = source.index(old)
        line = source[:start].count(b"\n") + 1
        tests = (f"tests/{row['tests']}",)
        mutants.append(Mutant(row["in"], start, start + len(old), row["new"], line, tests))
    return mutants


def generated(path: str) -> Iterator[Mutant]:
    """Every small change of a file."""
    source = (ROOT / path).read_bytes()
    starts = [0]
    for text in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(text))
    tests = tests_of(path)
    for node in _nodes(ast.parse(source)):
        for (first, start), (last, end), new in _changes(node, source, starts):
            yield Mutant(path, starts[first - 1] + start, starts[last - 1] + end, new, first, tests)


def harmless() -> list[tuple[str, str, str]]:
    """Path, line and changed line of those of ``tests/survivors.yml``."""
    rows = yaml.safe_load((ROOT / "tests" / "survivors.yml").read_text(encoding="utf-8"))
    return [(row["in"], row["old"], row["new"]) for row in rows]


def tests_of(path: str) -> tuple[str, ...]:
    """The tests of a file, where it has its own, and those of its folder."""
    inside = Path(path).relative_to("amplib")
    own = Path("tests") / inside.parent / f"test_{inside.name}"
    folder = str(own.parent)
    return (str(own), folder) if (ROOT / own).exists() else (folder,)


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All that computes something: no types, messages, decorators or keyword names."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for node in value if isinstance(value, list) else [value]:
            if isinstance(node, ast.AST) and not isinstance(node, ast.Raise | ast.JoinedStr):
                yield node
                yield from _nodes(node)


Place = tuple[int, int]


def _changes(
    node: ast.AST, source: bytes, starts: Sequence[int]
) -> Iterator[tuple[Place, Place, str]]:
    """(begin, end, replacement), lines from 1 and bytes in them from 0."""
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        for a, b in itertools.pairwise(sides):
            yield from _between(a, b, COMPARISONS, source, starts)
    elif isinstance(node, ast.BinOp):
        yield from _between(node.left, node.right, OPERATORS, source, starts)
    elif isinstance(node, ast.BoolOp):
        words = {"and": "or"} if isinstance(node.op, ast.And) else {"or": "and"}
        yield from _between(node.values[0], node.values[1], words, source, starts)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        line, column = _begin(node)
        length = len("not" if isinstance(node.op, ast.Not) else "-")
        yield (line, column), (line, column + length), ""
    elif (
        isinstance(node, ast.Constant)
        and isinstance(number := node.value, int | float)
        and not isinstance(number, bool)
    ):
        value = number + 1 if isinstance(number, int) else number * 1.1 or 1.0
        yield _begin(node), _end(node), repr(value)
    elif isinstance(node, ast.Name) and node.id in NAMES:
        yield _begin(node), _end(node), NAMES[node.id]
    elif isinstance(node, ast.Attribute) and node.attr in NAMES:
        line, end = _end(node)
        yield (line, end - len(node.attr)), (line, end), NAMES[node.attr]


def _begin(node: ast.AST) -> Place:
    return node.lineno, node.col_offset  # type: ignore[attr-defined]


def _end(node: ast.AST) -> Place:
    return node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]


def _between(
    a: ast.AST, b: ast.AST, swaps: dict[str, str], source: bytes, starts: Sequence[int]
) -> Iterator[tuple[Place, Place, str]]:
    """A symbol between two operands that stand on one line."""
    (line, end), (other, begin) = _end(a), _begin(b)
    if line != other:
        return
    text = source[starts[line - 1] + end : starts[line - 1] + begin].decode()
    symbol = next((s for s in swaps if text.strip(" ()") == s), None)
    if symbol:
        at = end + text.index(symbol)
        yield (line, at), (line, at + len(symbol)), swaps[symbol]


class Copy:
    """The repository with sources of its own, to be changed; the rest is linked."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.seconds: dict[str, float] = {}
        """That tests take which pass as things are."""
        for path in ROOT.iterdir():
            if path.name in ("amplib", "book", "tests"):
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(path, folder / path.name, ignore=ignored)
            elif path.name != ".git":
                (folder / path.name).symlink_to(path)

    def catches(self, mutant: Mutant) -> bool:
        """Whether a test fails that passes without the change.

        Raises:
            RuntimeError: if it does not.
        """
        path = self.folder / mutant.path
        source = path.read_bytes()
        for tests in mutant.tests:
            if tests not in self.seconds:
                begin = time.monotonic()
                if self._fails(tests, None):
                    raise RuntimeError(f"{tests} fails without any change")
                self.seconds[tests] = time.monotonic() - begin
            path.write_bytes(mutant.of(source))
            try:
                if self._fails(tests, 60 + PATIENCE * self.seconds[tests]):
                    return True
            finally:
                path.write_bytes(source)
        return False

    def _fails(self, tests: str, seconds: float | None) -> bool:
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        try:
            done = subprocess.run(
                [*command, "-m", MARKS, tests],
                cwd=self.folder, env=environment, capture_output=True, timeout=seconds,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return True
        return done.returncode != 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Try mutants; 1 if too few are caught."""
    parser = argparse.ArgumentParser(description="Do the tests notice small wrong changes?")
    parser.add_argument("files", nargs="*", help="'named', or files of amplib; metrics and truth")
    parser.add_argument("--sample", type=int, help="so many of them, drawn by lot")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if options.files == ["named"]:
        mutants = named()
    else:
        files = options.files or [
            str(path.relative_to(ROOT)) for s in SCOPE for path in sorted((ROOT / s).rglob("*.py"))
        ]
        known = harmless()
        every = (mutant for path in files for mutant in generated(path))
        mutants = [mutant for mutant in every if (mutant.path, *mutant.lines()) not in known]
    if options.sample:
        mutants = random.Random(options.seed).sample(mutants, min(options.sample, len(mutants)))
    caught = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        for mutant in mutants:
            found = copy.catches(mutant)
            caught += found
            print("caught  " if found else "SURVIVED", mutant, flush=True)
    print(f"{caught} of {len(mutants)} caught")
    return int(caught < ENOUGH * len(mutants))


if __name__ == "__main__":
    sys.exit(main())
