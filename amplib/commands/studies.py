"""Commands that fill the store of results, and the one that says what is in it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amplib import files
from amplib.book.data import make_data
from amplib.book.obtain import BEST, is_wanting, stored
from amplib.commands.arguments import (
    CHANGES,
    REPLACED,
    TABLES,
    assignments,
    check_output,
    span,
)
from amplib.store.compute import check_positive, compute
from amplib.store.rates import cost
from amplib.store.results import Result
from amplib.store.study import PRESETS
from amplib.studies.catalogue import STUDIES, make_study, results_of, wanted

if TYPE_CHECKING:
    from amplib.commands.arguments import Commands


def add(commands: Commands) -> None:
    """``compute``, ``cluster``, ``merge``, ``data`` and ``status``."""
    c = commands.add_parser("compute", help="compute the missing parts of a study")
    c.add_argument("study", nargs="?", help=f"one of {', '.join(STUDIES)}")
    c.add_argument("--all", action="store_true", help="everything that is missing, or a study's")
    c.add_argument("--minutes", type=float, help="with --all: stop after so many")
    c.add_argument("--preset", help=f"{BEST}, {', '.join(PRESETS)}; laptop, with --all paper")
    c.add_argument("--set", **CHANGES)
    c.add_argument("--jobs", type=int, help="worker processes")
    c.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    c.add_argument("--limit", type=int, help="compute at most so many parts")
    c.add_argument("--group", type=int, help="parts computed together")
    c.add_argument("--only", metavar="FIRST:LAST", help="repetitions, for one of several machines")
    c.set_defaults(run=run_compute)

    c = commands.add_parser("cluster", help="the same in jobs of their own, on other machines")
    c.add_argument("study", help=f"one of {', '.join(STUDIES)}")
    c.add_argument("--preset", default="laptop", help=f"one of {', '.join(PRESETS)}")
    c.add_argument("--set", **CHANGES)
    c.add_argument("--profile", help="slurm, htcondor, kubernetes, or a folder; else these cores")
    c.add_argument("--jobs", type=int, help="into how many the parts are divided")
    c.add_argument("--minutes", type=float, help="end each job after so many, and go on in another")
    c.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    c.set_defaults(run=run_cluster)

    c = commands.add_parser("merge", help="take over parts that another machine has computed")
    c.add_argument("folder", type=Path, help="its results, or an archive of them (.tar)")
    c.set_defaults(run=run_merge)

    c = commands.add_parser("data", help="events by the million, as one file")
    c.add_argument("name", help="a study and a preset, such as showers-laptop")
    c.add_argument("--set", **CHANGES)
    c.add_argument("--header", action="store_true", help="name the columns of a CSV file")
    c.add_argument("--jobs", type=int, help="worker processes")
    c.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    c.set_defaults(run=run_data)

    c = commands.add_parser("status", help="what is computed and what is missing")
    c.add_argument("--preset", help=f"one of {', '.join(PRESETS)}; all by default")
    c.add_argument("--json", type=Path, help="write the table there as well")
    c.add_argument("--force", **REPLACED)
    c.set_defaults(run=run_status)


def run_compute(options: argparse.Namespace) -> bool:
    """``amplib compute``: with ``best``, only where nothing that can be shown is stored."""
    if options.all:
        return _compute_all(options)
    if options.study is None or options.minutes is not None:
        raise ValueError("expected a study, or --all, which --minutes belongs to")
    preset = options.preset or "laptop"
    result = stored(options.study, preset, **assignments(options.set))
    if preset == BEST and not is_wanting(result):
        return True
    compute(
        result,
        jobs=options.jobs,
        device=options.device,
        limit=options.limit,
        group=options.group,
        only=span(options.only) if options.only else None,
    )
    return True


def _compute_all(options: argparse.Namespace) -> bool:
    from amplib.store.queue import compute_all

    single = ("set", "limit", "group", "only")
    if given := [name for name in single if getattr(options, name)]:
        raise ValueError(f"--{given[0]} is for a single study, not for --all")
    preset = options.preset or "paper"
    if preset not in PRESETS:
        raise ValueError(f"preset = {preset!r}: allowed are {', '.join(PRESETS)}")
    return compute_all(wanted(preset, options.study), options.minutes, options.jobs, options.device)


def run_cluster(options: argparse.Namespace) -> bool:
    """``amplib cluster``: fails if anything is still missing."""
    from amplib.book.cluster import on_cluster

    check_positive(jobs=options.jobs)
    study = make_study(options.study, options.preset, **assignments(options.set))
    result = Result(study, options.preset)
    return on_cluster(result, options.profile, options.jobs, options.minutes, options.device)


def run_merge(options: argparse.Namespace) -> bool:
    """``amplib merge``: fails if anything was refused."""
    from amplib.store.merge import merge
    from amplib.store.shares import take

    get = take if options.folder.is_file() else merge
    taken, refused = get(options.folder, STUDIES)
    for line in taken:
        print(line)
    for line in refused:
        print(f"refused: {line}", file=sys.stderr)
    return not refused


def run_data(options: argparse.Namespace) -> bool:
    """``amplib data``."""
    parameters = assignments(options.set)
    print(make_data(options.name, options.jobs, options.device, parameters, options.header))
    return True


def run_status(options: argparse.Namespace) -> bool:
    """``amplib status``: a table of parts done and wanted, and what the rest would cost; fails if
    a result is damaged."""
    check_output("--json", options.json, TABLES, options.force)
    presets = [options.preset] if options.preset else list(PRESETS)
    rows: list[dict[str, Any]] = []
    for preset in presets:
        for name, result in results_of(preset).items():
            wanted = len(result.study.parts())
            try:
                missing = result.missing()
                done, to_do = wanted - len(missing), cost(result, missing)
            except (ValueError, OSError) as error:  # the others are of interest all the same
                print(f"amplib: {error}", file=sys.stderr)
                done, to_do = 0, "damaged"
            row: dict[str, Any] = {"study": name, "preset": preset, "parts_done": done}
            row |= {
                "parts_wanted": wanted,
                "to_do": to_do,
                "folder": result.folder.relative_to(result.root).as_posix(),
            }
            rows.append(row)
    if not files.IN_REPOSITORY:
        print(f"results are kept in {files.RESULTS}")
    print(f"{'study':42s}{'preset':10s}{'done':>6s}{'wanted':>8s}  to do on this machine's CPU")
    for row in rows:
        print("{study:42s}{preset:10s}{parts_done:6d}{parts_wanted:8d}  {to_do}".format(**row))
    if options.json:
        files.write_atomically(options.json, json.dumps(rows, indent=1).encode())
    return not any(row["to_do"] == "damaged" for row in rows)
