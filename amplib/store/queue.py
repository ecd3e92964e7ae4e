"""Everything that is missing of the book, the most useful first, until the time is up."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from amplib.store.compute import (
    Crew,
    Group,
    check_minutes,
    check_positive,
    check_ready,
    chosen_device,
    groups_of,
    workers,
)
from amplib.store.rates import cost, in_words, rate_of
from amplib.store.results import Result, source_of
from amplib.store.study import Part


def compute_all(
    results: Mapping[str, Result],
    minutes: float | None = None,
    jobs: int | None = None,
    device: str = "auto",
) -> bool:
    """Compute what is missing; returns whether nothing failed.

    Parts that two studies share are computed once.  A study that fails is named, and the others
    go on.

    Args:
        results: what is wanted, by title.
        minutes: stop after so many, with a checkpoint of what is unfinished.
        jobs: worker processes (by default the cores; on a GPU one).
        device: ``cpu``, ``cuda`` or ``auto``: a GPU, if there is one, takes what it is good for.

    Raises:
        ValueError: in one line, before any work.
    """
    check_positive(jobs=jobs)
    check_minutes(minutes)
    missing, failed = _missing(results)
    gpu = chosen_device(device, any(r.study.gpu_rate for r in results.values())) == "cuda"
    complete = True
    end = float("inf") if minutes is None else time.monotonic() + 60 * minutes
    for kind, wanted in stages({t: results[t] for t in missing if missing[t]}, gpu):
        groups = ordered(list(wanted.values()), workers(jobs, kind), kind, minutes)
        if not groups:
            continue
        _announce(wanted, groups, workers(jobs, kind), kind)
        crew = Crew(groups, workers(jobs, kind), kind, keep_going=True)
        complete &= crew.run(end)
        titled = {result: title for title, result in results.items()}
        failed |= {titled.get(r, r.study.name): error for r, error in crew.failures.items()}
    if failed:
        print("failed: " + "; ".join(f"{k} ({v})" for k, v in failed.items()), file=sys.stderr)
    elif complete:
        print("nothing is missing", file=sys.stderr)
    else:
        print("time is up; the same command goes on from here", file=sys.stderr)
    return not failed


def _missing(results: Mapping[str, Result]) -> tuple[dict[str, list[Part]], dict[str, str]]:
    """What is missing by title, and what cannot be computed, and why."""
    missing: dict[str, list[Part]] = {}
    failed: dict[str, str] = {}
    for title, result in results.items():
        try:
            missing[title] = _lacking(result)
        except (ValueError, OSError) as error:
            failed[title] = str(error)
            print(f"{title}: {error}", file=sys.stderr)
    return missing, failed


def _lacking(result: Result) -> list[Part]:
    """What is missing of a result that, like what it is made of, is neither damaged nor without the
    files that it needs."""
    if missing := result.missing():
        for one in (*_sources(result), result):
            check_ready(one)
    return missing


def stages(wanted: Mapping[str, Result], gpu: bool) -> list[tuple[str, dict[str, Result]]]:
    """What is computed on what, in turn: what only the cores can make of what a GPU's studies are
    made of, those studies, and what is left to the cores.

    Args:
        wanted: results of which something is missing, by title.
        gpu: whether there is one.

    Returns:
        ``cpu`` or ``cuda``, and results by title.
    """
    on_gpu = {t: r for t, r in wanted.items() if gpu and r.study.gpu_rate is not None}
    sources = (source for result in on_gpu.values() for source in _sources(result))
    first = {s.study.name: s for s in sources if s.study.gpu_rate is None}
    left = {t: r for t, r in wanted.items() if t not in on_gpu}
    return [("cpu", first), ("cuda", on_gpu), ("cpu", left)]


def _sources(result: Result) -> Iterator[Result]:
    """What is missing of what a result is made of, what that is made of first."""
    if (source := source_of(result)) is not None and source.missing():
        yield from _sources(source)
        yield source


def ordered(
    results: Sequence[Result], jobs: int, device: str, minutes: float | None = None
) -> list[Group]:
    """Groups of what is missing: those that an earlier run has begun, then by priority an hour.

    What a study is made of comes before it, unless nothing is missing of the study itself.  If the
    time is short, groups are small, so that some parts are finished in it.
    """
    taken: set[tuple[Path, Part]] = set()
    known = {(result.folder, result.study): result for result in results}
    groups: list[Group] = []

    def add(result: Result) -> Result:
        missing = result.missing()
        before = None
        if missing and (made := source_of(result)) is not None:
            before = add(known.setdefault((made.folder, made.study), made))
        new = [p for p in missing if (result.folder, p) not in taken]
        for group in groups_of(result, new, jobs, device, _size(result, device, minutes)):
            group.after = before
            groups.append(group)
            taken.update((result.folder, p) for p in group.parts)
        return result

    for result in results:
        add(result)

    def urgency(group: Group) -> tuple[bool, float]:
        study = group.result.study
        seconds = group.work / rate_of(study, group.result.preset, device)
        return group.resumed, sum(map(study.priority, group.parts)) / seconds

    return sorted(groups, key=urgency, reverse=True)


def _size(result: Result, device: str, minutes: float | None) -> int:
    """Parts that are computed together: as many as are best, or as the time allows."""
    study = result.study
    best = study.group_size(device)
    if minutes is None:
        return best
    each = study.work(study.parts()[:1]) / rate_of(study, result.preset, device)
    return max(1, min(best, int(40 * minutes / each)))


def _announce(results: dict[str, Result], groups: Sequence[Group], jobs: int, device: str) -> None:
    """What will be done, in which unit, and about how long it takes."""
    print(f"missing, on {jobs} x {device}:", file=sys.stderr)
    for title, result in results.items():
        mine = [g for g in groups if g.result is result]
        parts = [p for g in mine for p in g.parts]
        if not parts:
            continue
        work = f"{sum(g.work for g in mine):.3g} {result.study.unit}"
        done = cost(result, parts, device, jobs)
        print(f"  {title:42s}{len(parts):5d} parts  {work:>22s}  about {done}", file=sys.stderr)
    seconds = sum(g.work / rate_of(g.result.study, g.result.preset, device) for g in groups)
    print(f"  in all about {in_words(seconds / jobs / 60)}", file=sys.stderr, flush=True)
