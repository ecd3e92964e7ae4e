"""A study's parts over the machines of a cluster: shares as jobs, merged as they come in."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import Any

from amplib.book.jobs import MARGIN, allowed, alone, last_line, places, profile_folder, run
from amplib.files import repository, write_atomically
from amplib.store.compute import check_minutes
from amplib.store.rates import in_words
from amplib.store.results import Result, wherever_stored, with_sources
from amplib.store.shares import Share, next_to_compute, pack, shares

ROUNDS = 50
"""How often shares that ran out of time are sent on before somebody has to ask again."""


def on_cluster(
    result: Result,
    profile: str | None = None,
    jobs: int | None = None,
    minutes: float | None = None,
    device: str = "cpu",
) -> bool:
    """Compute what is missing of a result, first what it is made of, in jobs of their own.

    A job ends in time for its scheduler and sends home its parts and its checkpoint; the next
    round's job goes on from there.  A share that fails is named, and the others go on.

    Args:
        result: what to complete.
        profile: of Snakemake's, by name or folder; None for this machine's cores.
        jobs: into how many the parts are divided, and how many run at once; as many as the
            profile allows by default.
        minutes: after which a job ends; by default twice the estimate.
        device: ``cpu``, or ``cuda`` for jobs with a GPU each.

    Returns:
        whether nothing is missing any more.

    Raises:
        ValueError: in one line, before any work.
    """
    check_minutes(minutes)
    chosen = profile_folder(profile) if profile is not None else None
    count = places(chosen, jobs)
    failed: dict[str, str] = {}
    for _ in range(ROUNDS):
        now = next_to_compute(result)
        planned = [s for s in shares(now, count) if str(s) not in failed] if now else []
        if now is None or not planned:
            break
        failed |= _round(folder_of(now), planned, chosen, count, minutes, device)
    for share, why in failed.items():
        print(f"failed: {share}: {why}", file=sys.stderr)
    missing = len(result.missing())
    left = f"{missing} parts are missing; the same command goes on from here"
    print(left if missing else "nothing is missing", file=sys.stderr)
    return not missing


def _round(
    folder: Path,
    planned: Sequence[Share],
    profile: Path | None,
    jobs: int,
    minutes: float | None,
    device: str,
) -> dict[str, str]:
    """One job for each share; returns those that did not come home, and why."""
    taken = {share: folder / share.name / "taken.txt" for share in planned}

    def came_home() -> int:
        return sum(file.exists() for file in taken.values())

    with alone(folder, "computation"):
        plan = write_plan(folder, planned, minutes, device)
        _announce(planned, device, minutes)
        run("parts.smk", plan, profile, jobs, came_home, len(planned))
        return {str(s): reason(s) for s, file in taken.items() if not file.exists()}


def folder_of(result: Result) -> Path:
    """Where its shares are kept."""
    study = result.study
    name = f"{study.name}-{result.preset}-{study.key()}"
    return repository() / "_build" / "cluster" / name


def write_plan(folder: Path, planned: Sequence[Share], minutes: float | None, device: str) -> Path:
    """``plan.json`` for ``workflow/parts.smk``, and ``given.tar``: what the shares start from.

    What an earlier round has sent home of an unfinished share becomes its ``before.tar``.
    """
    result = planned[0].result
    study = result.study
    pack(folder / "given.tar", needed_by(result))
    jobs: dict[str, dict[str, Any]] = {}
    for share in planned:
        mine = folder / share.name
        mine.mkdir(exist_ok=True)
        if (mine / "share.tar").exists():
            (mine / "share.tar").replace(mine / "before.tar")
        (mine / "taken.txt").unlink(missing_ok=True)
        time = allowed(share.minutes(device)) if minutes is None else ceil(minutes) + MARGIN
        work = time - MARGIN if minutes is None else minutes
        only = [share.first, share.last]
        before = (mine / "before.tar").exists()
        jobs[share.name] = {"only": only, "minutes": work, "runtime": time, "before": before}
    plan = {
        # Relative, so that a checkpoint means the same on every machine.
        "folder": str(folder.relative_to(repository())),
        "study": study.name,
        "preset": result.preset,
        "parameters": study.asdict(),
        "device": device,
        "mem_mb": study.memory_needed(),
        "shares": jobs,
    }
    path = folder / "plan.json"
    write_atomically(path, json.dumps(plan, indent=1).encode())
    return path


def needed_by(result: Result) -> list[Result]:
    """All that a job looks for: what the result, and what that in turn, is made of and reads, and
    its own parts last."""
    sources = with_sources([result])
    direct = result.study.made_of()
    bulk = [Result(direct, result.preset)] if direct is not None and direct.bulk else []
    reads = (study for source in sources for study in source.study.reads())
    read: dict[Path, Result] = {}
    for study in sorted(reads, key=lambda study: len(study.parts())):
        with suppress(FileNotFoundError):  # the job does without
            found = wherever_stored(study)
            read[found.folder] = found  # where several read of one, the one with the most parts
    return [*bulk, *read.values(), *reversed(sources)]


def _announce(planned: Sequence[Share], device: str, minutes: float | None) -> None:
    result = planned[0].result
    each = max(share.minutes(device) for share in planned)
    parts, wanted = sum(len(share.missing) for share in planned), len(result.study.parts())
    ends = "" if minutes is None else f", each ended after {minutes:g} min"
    print(
        f"{result.study.name}, preset {result.preset}: {parts} of {wanted} parts in "
        f"{len(planned)} jobs of one {device}, the longest about {in_words(each)}{ends}",
        file=sys.stderr,
        flush=True,
    )


def reason(share: Share) -> str:
    """Why a share did not come home: the last line that its job, or its merging, has said."""
    folder = folder_of(share.result)
    mine = folder / share.name
    log = mine / ("merge.txt" if (mine / "share.tar").exists() else "log.txt")
    return last_line(log) or f"see {folder / 'snakemake.log'}"
