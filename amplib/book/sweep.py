"""A sweep: a notebook at every point of a grid, in parallel, and one tidy table of its numbers."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from amplib.book.obtain import BEST, asked, stored
from amplib.book.points import Point
from amplib.files import ROOT, write_atomically
from amplib.parameters import ParameterError
from amplib.store.rates import in_words, minutes
from amplib.studies.catalogue import STUDIES

NOTEBOOK_SECONDS = 12
"""A notebook that finds its results spends about this on imports and figures."""


def sweep(name: str, points: Sequence[Point], jobs: int | None = None) -> bool:
    """Run every point that is not done, gather the table, and say what failed.

    Args:
        name: of the folder in ``_build/sweeps``.
        points: checked ones.
        jobs: points that run at once; the cores by default.

    Returns:
        whether no point failed.

    Raises:
        ParameterError: if the same sweep is under way.
    """
    folder = ROOT / "_build" / "sweeps" / name
    jobs = jobs or os.cpu_count() or 1
    with _alone(folder):
        write_plan(folder, points)
        missing = [p for p in points if not _done(folder, p)]
        print(
            f"{len(points)} points, {len(missing)} to run on {jobs} cores, "
            f"about {in_words(estimate(missing, jobs))}",
            file=sys.stderr,
        )
        if missing:
            _run(folder, points, jobs)
        failed = [p for p in points if not _done(folder, p)]
        for path in gather(folder, [p for p in points if _done(folder, p)]):
            print(path)
    for point in failed:
        print(f"failed: {point.notebook} {point}: {reason(folder, point)}", file=sys.stderr)
    return not failed


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:  # dies with us
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ParameterError(f"the sweep in {folder} is under way") from None
        yield


def write_plan(folder: Path, points: Sequence[Point]) -> None:
    """``plan.json`` for Snakemake, and the parameters of each point."""
    plan = {p.key: p.notebook for p in points}
    write_atomically(folder / "plan.json", json.dumps(plan, indent=1).encode())
    for point in points:
        path = _folder(folder, point) / "parameters.json"
        if not path.exists():  # an old one keeps its time, and its results
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, json.dumps(point.parameters, indent=1).encode())


def _folder(folder: Path, point: Point) -> Path:
    return folder / "points" / point.key


def _done(folder: Path, point: Point) -> bool:
    return (_folder(folder, point) / "numbers.json").exists()


def estimate(points: Sequence[Point], jobs: int) -> float:
    """About how many minutes the points take: their notebooks, and the results they lack."""
    lacking: dict[Path, float] = {}
    for point in points:
        for name in asked(ROOT / "notebooks" / f"{point.notebook}.py"):
            known = {f.name for f in fields(STUDIES[name])}
            own = {k: v for k, v in point.parameters.items() if k in known}
            result = stored(name, point.parameters.get("preset", BEST), **own)
            lacking[result.folder] = minutes(result, result.missing(), jobs=1)
    return (len(points) * NOTEBOOK_SECONDS / 60 + sum(lacking.values())) / jobs


def _run(folder: Path, points: Sequence[Point], jobs: int) -> None:
    """Snakemake over the points, those that fail aside; a bar of those that are done."""
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "workflow" / "sweep.smk")]
    command += ["--cores", str(jobs), "--keep-going", "--rerun-incomplete", "--nolock"]
    command += ["--quiet", "all", "--config", f"folder={folder}"]
    with (folder / "snakemake.log").open("w") as log:
        # In a group of its own: Ctrl-C is handed on once, to all of it.
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
        )
        try:
            with tqdm(total=len(points), unit="point", file=sys.stderr) as bar:
                running = True
                while running:
                    running = process.poll() is None  # one last look after the end
                    if more := sum(_done(folder, p) for p in points) - bar.n:
                        bar.update(more)
                    time.sleep(0.2)
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
            raise


def reason(folder: Path, point: Point) -> str:
    """Why a point failed: the last line that it has said."""
    log = _folder(folder, point) / "log.txt"
    lines = log.read_text().splitlines() if log.exists() else []
    said = [line for line in lines if line.strip()]
    return said[-1].strip() if said else f"see {folder / 'snakemake.log'}"


def gather(folder: Path, points: Sequence[Point]) -> list[Path]:
    """``table.csv`` and ``table.parquet``: one row for each number at each point.

    Columns: the point's key and notebook, every parameter, and then the number's name, at how many
    quantiles, value, error, the interval with its level, and the commit that it was made with.
    """
    rows: list[dict[str, Any]] = []
    for point in points:
        content = json.loads((_folder(folder, point) / "numbers.json").read_text())
        head = {"point": point.key, "notebook": point.notebook, **point.parameters}
        rows += [{**head, **row, "commit": content["commit"]} for row in content["numbers"]]
    if not rows:
        return []
    table = pd.DataFrame(rows)
    paths = [folder / "table.csv", folder / "table.parquet"]
    write_atomically(paths[0], table.to_csv(index=False).encode())
    # A column of several kinds (numbers here, names there) is text in parquet.
    mixed = [c for c in table if table[c].map(type).nunique() > 1 and table[c].dtype == object]
    write_atomically(paths[1], table.astype(dict.fromkeys(mixed, str)).to_parquet(index=False))
    return paths
