"""Snakemake on this machine's cores, or by a profile on a cluster: one run at a time a folder."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path

from tqdm import tqdm

from amplib.book.yaml_file import read_yaml
from amplib.files import ROOT
from amplib.parameters import ParameterError
from amplib.progress import ended_by_sigterm

PROFILES = ROOT / "workflow" / "profiles"
MARGIN = 10
"""Minutes that a job is allowed beyond its work: to begin, to keep its state, to write."""


@contextmanager
def alone(folder: Path, what: str) -> Iterator[None]:
    """Hold a folder until the block ends; if we are killed, until the Snakemake that we have
    started ends, which goes on by itself.

    Raises:
        ParameterError: if somebody else does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        os.set_inheritable(lock.fileno(), True)  # by Snakemake, which hands it on to no job
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ParameterError(f"the {what} in {folder} is under way") from None
        yield


def profile_folder(name: str) -> Path:
    """A profile of ours by its name, or any folder with a ``config.yaml``.

    Raises:
        ParameterError: if there is neither.
    """
    for folder in (PROFILES / name, Path(name)):
        if (folder / "config.yaml").is_file():
            return folder.resolve()
    known = ", ".join(sorted(path.name for path in PROFILES.iterdir()))
    raise ParameterError(f"profile = {name!r}: allowed are {known}, or a folder with a config.yaml")


def places(profile: Path | None, jobs: int | None) -> int:
    """How many jobs run at once: as asked, as the profile says, or as there are cores.

    Raises:
        ParameterError: if the profile cannot be read, or says something else than a number.
    """
    if jobs or profile is None:
        return jobs or os.cpu_count() or 1
    path = profile / "config.yaml"
    said = read_yaml(path)
    allowed = said.get("jobs", 1) if isinstance(said, dict) else None
    if type(allowed) is not int or allowed < 1:
        raise ParameterError(f"{path}: jobs = {allowed!r}: must be an integer from 1")
    return allowed


def allowed(estimate: float) -> int:
    """Minutes that a scheduler is asked for work that is expected to take so many."""
    return ceil(2 * estimate) + MARGIN


def run(
    workflow: str, plan: Path, profile: Path | None, jobs: int, done: Callable[[], int], total: int
) -> None:
    """Run a workflow over its plan, those jobs that fail aside; a bar of those that are done.

    Args:
        workflow: a file of ``workflow/``.
        plan: its configuration; ``snakemake.log`` is written beside it.
        profile: for a cluster; this machine's cores otherwise.
        jobs: how many at once.
        done: how many are done.
        total: of how many.

    Raises:
        KeyboardInterrupt, SystemExit: after Ctrl-C or SIGTERM, when Snakemake has ended its jobs.
    """
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "workflow" / workflow)]
    command += ["--configfile", str(plan), "--keep-going", "--rerun-incomplete", "--nolock"]
    # Errors of Snakemake's own, such as a bucket that it may not read, stay in the log.
    command += ["--quiet", "host", "progress", "reason", "rules"]
    command += ["--jobs" if profile else "--cores", str(jobs)]
    if profile:
        command += ["--workflow-profile", str(profile)]
    path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path}  # jobs call this python
    with (plan.parent / "snakemake.log").open("w") as log:
        # In a group of its own: Ctrl-C is handed on once, to all of it.
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True,
            close_fds=False,  # the lock is to be held for as long as jobs may be begun
        )  # fmt: skip
        try:
            with ended_by_sigterm(), tqdm(total=total, unit="job", file=sys.stderr) as bar:
                running = True
                while running:
                    running = process.poll() is None  # one last look after the end
                    if more := done() - bar.n:
                        bar.update(more)
                    time.sleep(0.2)
        except BaseException:
            # Interrupted, Snakemake cancels what it has submitted; terminated, it waits for it.
            os.killpg(process.pid, signal.SIGINT if profile else signal.SIGTERM)
            process.wait()
            raise


def last_line(log: Path) -> str | None:
    """What a job has said last."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    said = [line for line in lines if line.strip()]
    return said[-1].strip() if said else None
