"""What a sweep takes on one core, on two, and through a scheduler: the page *How far* reads it.

python benchmarks/scaling.py [--rounds 5] [--points 4] [--slurm] > benchmarks/scaling.json

Each round runs a sweep of the same points afresh, in every way in turn, so that what else the
machine does slows all of them alike.  ``--slurm`` starts a Slurm of one node, as root.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
import yaml

from amplib.book.jobs import PROFILES
from amplib.files import ROOT
from amplib.store.results import commit
from amplib.store.worker import cpu_model

NOTEBOOK, PRESET = "amplify", "smoke"


DONE = "Nothing to be done"
TAIL = 2000
"""Characters of a command's output that are shown."""


class SourcesChanged(Exception):
    """A file of the package was edited meanwhile: Snakemake makes points again.  Or it has other
    words for that nothing is to be done; those that it has are the message."""


def timed(command: list[str], environment: dict[str, str], says: str = "") -> dict[str, float]:
    """Wall and processor seconds of a command and its children.

    Raises:
        SourcesChanged: if it does not say what it has to.
        RuntimeError: if it fails, with the end of what it wrote about that.
    """
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-TAIL:]}")
    output = done.stdout + done.stderr
    if says not in output:
        raise SourcesChanged(output[-TAIL:])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": round(time.monotonic() - start, 2), "cpu": round(cpu, 2)}


def sweep(points: int, jobs: int, profile: Path | None) -> tuple[dict[str, Any], dict[str, float]]:
    """A sweep of so many points from nothing, and then what Snakemake takes to find it done.

    Of the sweep also the seconds that papermill spent in each notebook.
    """
    with tempfile.TemporaryDirectory() as name:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "AMPLIFY_RESULTS": f"{name}/results"}
        file = Path(name) / f"scaling-{os.getpid()}.yml"
        seeds = list(range(points))
        grid = {"notebook": NOTEBOOK, "preset": PRESET, "grid": {"seed": seeds}}
        file.write_text(yaml.safe_dump(grid))
        folder = ROOT / "_build" / "sweeps" / file.stem
        command = [sys.executable, "-m", "amplib", "sweep", "--file", str(file)]
        command += ["--jobs", str(jobs), *(["--profile", str(profile)] if profile else [])]
        try:
            whole = timed(command, environment)
            executed = sorted(folder.glob("points/*/notebook.ipynb"))
            seconds = [nbformat.read(p, 4).metadata.papermill.duration for p in executed]
            again = [sys.executable, "-m", "snakemake", "-s", "workflow/sweep.smk", "--nolock"]
            again += ["--configfile", str(folder / "plan.json"), "--cores", "1"]
            nothing = timed(again, environment, says=DONE)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    assert len(seconds) == points
    return {**whole, "notebooks": [round(s, 2) for s in seconds]}, nothing


def slurm_profile(folder: Path) -> Path:
    """The profile that is shipped, for a Slurm without accounts."""
    shipped = yaml.safe_load((PROFILES / "slurm" / "config.yaml").read_text())
    here = {
        "slurm-no-account": True,
        "slurm-status-command": "squeue",
        "slurm-init-seconds-before-status-checks": 5,
        "default-resources": [*shipped["default-resources"], "slurm_partition=main"],
    }
    (folder / "config.yaml").write_text(yaml.safe_dump({**shipped, **here}))
    return folder


def measured(
    count: int, points: int, ways: Mapping[str, tuple[int, Path | None]]
) -> tuple[list[dict[str, Any]], int]:
    """So many rounds of all ways, and how many were left out as sources changed meanwhile.

    Raises:
        SourcesChanged: as many were left out as are wanted.
    """
    rounds: list[dict[str, Any]] = []
    left_out = 0
    while len(rounds) < count:
        found: dict[str, Any] = {"load": round(os.getloadavg()[1], 2)}
        try:
            for way, (jobs, profile) in ways.items():
                found[way], found["nothing"] = sweep(points, jobs, profile)
        except SourcesChanged:
            left_out += 1
            if left_out == count:
                raise
            continue
        rounds.append(found)
        print(found, file=sys.stderr, flush=True)
    return rounds, left_out


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--points", type=int, default=4)
    parser.add_argument("--slurm", action="store_true", help="through a scheduler as well")
    options = parser.parse_args()
    if options.rounds < 2 or options.points < 2:
        parser.error("rounds and points must be at least 2")
    with ExitStack() as stack:
        ways: dict[str, tuple[int, Path | None]] = {"one core": (1, None), "two cores": (2, None)}
        if options.slurm:
            sys.path.append(str(ROOT / "tests" / "helpers"))
            from one_node_slurm import one_node_slurm

            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            stack.enter_context(one_node_slurm(folder))
            ways["scheduler"] = (1, slurm_profile(folder))
        rounds, left_out = measured(options.rounds, options.points, ways)
    print(
        json.dumps(
            {
                "made": datetime.now(UTC).isoformat(timespec="seconds"),
                "device": cpu_model(),
                "cores": os.cpu_count(),
                "commit": commit(),
                "command": "python " + " ".join(["benchmarks/scaling.py", *sys.argv[1:]]),
                "notebook": NOTEBOOK,
                "preset": PRESET,
                "points": options.points,
                "left_out": left_out,
                "rounds": rounds,
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
