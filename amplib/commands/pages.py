"""Commands that show results: claims, figures, sweeps over notebooks."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from amplib.book.obtain import BEST
from amplib.commands.arguments import (
    CHANGES,
    REPLACED,
    TABLES,
    assignments,
    check_output,
    literal,
)
from amplib.store.compute import check_positive
from amplib.store.study import PRESETS

if TYPE_CHECKING:
    from amplib.commands.arguments import Commands

LONGEST = 100
"""Characters of a sweep's name: a file system takes no more than 255 bytes."""


def add(commands: Commands) -> None:
    """``claims``, ``figure`` and ``sweep``."""
    c = commands.add_parser("claims", help="what the papers say beside what we measure")
    c.add_argument("--json", type=Path, help="write the table there as well")
    c.add_argument("--force", **REPLACED)
    c.set_defaults(run=run_claims)

    c = commands.add_parser("figure", help="draw one figure again")
    c.add_argument("id", help="its key, such as amplify-fig2")
    c.add_argument("--preset", default=BEST, help=f"{BEST}, {', '.join(PRESETS)}")
    c.add_argument("--set", **CHANGES)
    c.set_defaults(run=run_figure)

    c = commands.add_parser("sweep", help="a notebook over a grid of parameters")
    c.add_argument("notebook", nargs="?", help="such as amplify")
    c.add_argument("--set", **{**CHANGES, "metavar": "NAME=V1,V2,...", "help": "the grid"})
    c.add_argument("--file", type=Path, help="a sweep in YAML, instead of notebook and grid")
    c.add_argument("--preset", help=f"one of {', '.join(PRESETS)}; the file's, or else laptop")
    c.add_argument("--max-points", type=int, help="allow so many")
    c.add_argument("--jobs", type=int, help="points at once")
    c.add_argument("--profile", help="slurm, htcondor, kubernetes, or a folder; else these cores")
    c.set_defaults(run=run_sweep)


def run_claims(options: argparse.Namespace) -> bool:
    """``amplib claims``."""
    from amplib.book.claims import all_claims, write_claims

    check_output("--json", options.json, TABLES, options.force)
    claims = all_claims()
    for claim in claims:
        print(f"{claim.id:40s} {claim.verdict:32s} {claim.measured or ''}")
    if options.json:
        write_claims(claims, options.json)
    return True


def run_figure(options: argparse.Namespace) -> bool:
    """``amplib figure``."""
    from amplib.book.figure import draw

    for path in draw(options.id, options.preset, assignments(options.set)):
        print(path)
    return True


def run_sweep(options: argparse.Namespace) -> bool:
    """``amplib sweep``: fails if a point did."""
    from amplib.book import points
    from amplib.book.sweep import sweep

    check_positive(jobs=options.jobs, max_points=options.max_points)
    most = options.max_points or points.MOST
    if (options.file is None) == (options.notebook is None) or (options.file and options.set):
        raise ValueError("expected a notebook with --set NAME=V1,V2,..., or --file")
    if options.file:
        chosen = points.from_file(options.file, options.preset, most)
        return sweep(options.file.stem, chosen, options.jobs, options.profile)
    grid = {
        name: [literal(v) for v in str(values).split(",")]
        for name, values in assignments(options.set).items()
    }
    preset = options.preset or points.PRESET
    chosen = points.points([options.notebook], preset, {"grid": grid}, most)
    name = "-".join([options.notebook, preset, *grid])[:LONGEST]
    return sweep(f"{name}-{points.digest(chosen)}", chosen, options.jobs, options.profile)
