"""``python -m amplib``: what the make targets call."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from amplib.camel import PRESETS, STUDIES, make_study
from amplib.compute import compute
from amplib.results import Result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; bad input is one line on stderr and exit status 2."""
    parser = argparse.ArgumentParser(prog="amplib")
    commands = parser.add_subparsers(dest="command", required=True)

    c = commands.add_parser("compute", help="compute the missing parts of a study")
    c.add_argument("study", help=f"one of {', '.join(STUDIES)}")
    c.add_argument("--preset", default="laptop", help=f"one of {', '.join(PRESETS)}")
    c.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="parameters")
    c.add_argument("--jobs", type=int, help="worker processes")
    c.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    c.add_argument("--limit", type=int, help="compute at most so many parts")
    c.add_argument("--group", type=int, help="parts computed together")
    c.set_defaults(run=run_compute)

    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, FileNotFoundError) as error:
        print(f"amplib: {error}", file=sys.stderr)
        return 2
    return 0


def run_compute(options: argparse.Namespace) -> None:
    """``amplib compute``."""
    study = make_study(options.study, options.preset, **assignments(options.set))
    compute(
        Result(study, options.preset),
        jobs=options.jobs,
        device=options.device,
        limit=options.limit,
        group=options.group,
    )


def assignments(pairs: Sequence[str]) -> dict[str, Any]:
    """``["n_train=200", "aggregation=max"]`` -> values by name; numbers where they read as such.

    Raises:
        ValueError: if a pair has no ``=``.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise ValueError(f"{pair!r}: expected NAME=VALUE")
        values[name] = _literal(text)
    return values


def _literal(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


if __name__ == "__main__":
    sys.exit(main())
