"""A sweep: a notebook at every point of a grid, in parallel, and one tidy table of its numbers."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import fields
from operator import itemgetter
from pathlib import Path
from typing import Any

import pandas as pd

from amplib.book.jobs import allowed, alone, last_line, places, profile_folder, run
from amplib.book.obtain import BEST, asked, stored
from amplib.book.points import Point
from amplib.book.sweep_page import write_page
from amplib.files import ROOT, write_atomically
from amplib.store.rates import in_words, minutes
from amplib.store.record import DamagedResult
from amplib.store.results import Result
from amplib.store.study import Study
from amplib.studies.catalogue import STUDIES

NOTEBOOK_SECONDS = 12
"""A notebook that finds its results spends about this on imports and figures."""
MADE = ("seconds", "commit", "results")
"""What a point says of itself beside its numbers."""


def sweep(
    name: str, points: Sequence[Point], jobs: int | None = None, profile: str | None = None
) -> bool:
    """Run every point that is not done, gather the table, and say what failed.

    Args:
        name: of its folder.
        points: checked ones.
        jobs: points that run at once; by default the cores, or as many as the profile allows.
        profile: of Snakemake's for a cluster, by name or folder.

    Returns:
        whether no point failed.

    Raises:
        ParameterError: if the same sweep is under way, or for an unknown profile.
    """
    folder = folder_of(name)
    chosen = profile_folder(profile) if profile is not None else None
    jobs = places(chosen, jobs)
    with alone(folder, "sweep"):
        plan = write_plan(folder, points)
        drop_damaged(folder, points)
        missing = [p for p in points if not _done(folder, p)]
        print(
            f"{len(points)} points, {len(missing)} to run, {jobs} at once, "
            f"about {in_words(estimate(missing, jobs))}",
            file=sys.stderr,
        )
        if missing:
            run("sweep.smk", plan, chosen, jobs, lambda: _count_done(folder, points), len(points))
        failed = {p: reason(folder, p) for p in points if not _done(folder, p)}
        table = tidy(folder, [p for p in points if p not in failed])
        for path in gather(folder, table):
            print(path)
        print(write_page(folder, points, table, {p.key: why for p, why in failed.items()}))
    for point, why in failed.items():
        print(f"failed: {point.notebook} {point}: {why}", file=sys.stderr)
    return not failed


def folder_of(name: str) -> Path:
    """Where a sweep of this name is kept: in ``_build/sweeps``, without what a shell or Snakemake
    would read as something else."""
    return ROOT / "_build" / "sweeps" / re.sub(r"[^\w.-]+", "-", name)


def write_plan(folder: Path, points: Sequence[Point]) -> Path:
    """``plan.json`` for Snakemake: the parameters of each point, and what a scheduler is asked
    for."""
    listed = {
        p.key: {
            "notebook": p.notebook,
            "parameters": p.parameters,
            "runtime": allowed(estimate([p], jobs=1)),
            "mem_mb": max((r.study.memory_needed() for r in _results(p)), default=Study.memory),
        }
        for p in points
    }
    # Relative, so that it means the same on every machine.
    plan = {"folder": os.path.relpath(folder, ROOT), "points": listed}
    write_atomically(folder / "plan.json", json.dumps(plan, indent=1).encode())
    return folder / "plan.json"


def _folder(folder: Path, point: Point) -> Path:
    return folder / "points" / point.key


def _done(folder: Path, point: Point) -> bool:
    return (_folder(folder, point) / "numbers.json").exists()


def drop_damaged(folder: Path, points: Sequence[Point]) -> None:
    """Remove numbers that cannot be read, and say so: their points are run again."""
    for path in (_folder(folder, point) / "numbers.json" for point in points):
        try:
            itemgetter("numbers", *MADE)(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            continue
        except (ValueError, TypeError, KeyError, RecursionError):
            print(f"{path} is damaged; its point is run again", file=sys.stderr)
            path.unlink()


def _count_done(folder: Path, points: Sequence[Point]) -> int:
    return sum(_done(folder, point) for point in points)


def _asked(point: Point) -> set[str]:
    """The studies that its notebook asks for."""
    return asked(ROOT / "notebooks" / f"{point.notebook}.py")


def _results(point: Point) -> Iterator[Result]:
    """Those that its notebook asks for, but for damaged ones."""
    for name in sorted(_asked(point)):
        known = {f.name for f in fields(STUDIES[name])}
        own = {k: v for k, v in point.parameters.items() if k in known}
        with suppress(DamagedResult):
            yield stored(name, point.parameters.get("preset", BEST), **own)


def estimate(points: Sequence[Point], jobs: int) -> float:
    """About how many minutes the points take: their notebooks, and the results they lack."""
    lacking: dict[Path, float] = {}
    for result in (result for point in points for result in _results(point)):
        with suppress(DamagedResult):  # its points will say so, and fail alone
            lacking[result.folder] = minutes(result, result.missing(), jobs=1)
    return (len(points) * NOTEBOOK_SECONDS / 60 + sum(lacking.values())) / jobs


def reason(folder: Path, point: Point) -> str:
    """Why a point failed: the last line that it has said."""
    return last_line(_folder(folder, point) / "log.txt") or f"see {folder / 'snakemake.log'}"


def tidy(folder: Path, points: Sequence[Point]) -> pd.DataFrame:
    """One row for each number at each point.

    Columns: the point's key and notebook, every parameter, and then the number's name, at how many
    quantiles, value, error, over how many repetitions, the interval with its level, the seconds
    that the notebook took with all that it had to compute, its commit, and the stored results
    behind its figures, as folders of ``results/``.  The parameter ``quantiles`` is
    ``given_quantiles``, beside those of the number.
    """
    rows: list[dict[str, Any]] = []
    for point in points:
        content = json.loads((_folder(folder, point) / "numbers.json").read_text())
        head = {"point": point.key, "notebook": point.notebook, **point.columns}
        made = {k: content[k] for k in MADE} | {"results": " ".join(content["results"])}
        rows += [{**head, **row, **made} for row in content["numbers"]]
    return pd.DataFrame(rows)


def gather(folder: Path, table: pd.DataFrame) -> list[Path]:
    """Write ``table.csv`` and ``table.parquet``; of no numbers none."""
    paths = [folder / "table.csv", folder / "table.parquet"]
    if table.empty:
        for path in paths:
            path.unlink(missing_ok=True)  # of other points
        return []
    # In parquet a column of several kinds (numbers here, names there) is text, and one of nothing
    # still one of numbers.
    empty = {c: table[c].astype(float) for c in table if table[c].isna().all()}
    mixed = [c for c in table if table[c].dropna().map(type).nunique() > 1]
    text = {c: table[c].map(str, na_action="ignore") for c in mixed}
    write_atomically(paths[0], table.to_csv(index=False).encode())
    write_atomically(paths[1], table.assign(**empty, **text).to_parquet(index=False))
    return paths
