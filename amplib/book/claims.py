"""What the papers say in numbers, beside what we measure: ``book/claims.yml`` with verdicts.

A verdict follows from ``rules``, never from a look at the plot.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from amplib.book.obtain import BEST, stored
from amplib.estimate import LEVEL, NothingToJudge
from amplib.files import repository, write_atomically
from amplib.metrics.verdict import ABOUT, MISSED, reasons
from amplib.store.record import DamagedResult
from amplib.store.results import Result
from amplib.studies import catalogue
from amplib.studies.claim import Evidence

MANY = 1_000_000
"""Repetitions of which nobody asks for the exact number."""


@dataclass(frozen=True)
class Claim:
    """One row of the claims table.

    Args:
        id: ``<document>.<claim>``.
        says: the paper's words.
        measured: ours, as text.
        error: standard error over repetitions of the (first) measured number, or None.
        preset: at which it was measured, or None.
        verdict: begins with ``met``, ``missed``, ``undecided`` or ``not measured``.
        figure: key of the figure that shows it, or None.
        why: where we differ, what we know of the reason.
        otherwise: the verdict by the other reading of the paper, where it may depend on that.
    """

    id: str
    says: str
    measured: str | None
    error: float | None
    preset: str | None
    verdict: str
    figure: str | None
    why: str = ""
    otherwise: str = ""


def rules() -> Iterator[str]:
    """How every verdict is reached; the claims page prints them."""
    yield (
        f"Every verdict is one of four. *Met*: all of the {LEVEL:.0%} interval of what we measure "
        "lies where the claim says. *Missed*: none of it does. *Undecided*: the interval reaches "
        "over the line; then follows how many repetitions would decide, if the value stays where "
        "it is. *Not measured*."
    )
    yield (
        "Intervals over few repetitions are Student's, in the logarithm of an N_equiv, as MSEs are "
        "skewed; its bias, of one over a mean, is removed. Ratios on shared samples have "
        "Fieller's. Where trainings failed, in either, the rate of failures, the failed and the "
        "others are varied independently, and the bias stays."
    )
    yield f"*About x* is from x/{ABOUT:g} to {ABOUT:g} x. A *range* has both ends as *about*."
    yield from catalogue.claim_rules()


def documents() -> dict[str, dict[str, dict[str, Any]]]:
    """``book/claims.yml``: document -> claim -> what it says, its value, where it stands."""
    content: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(
        (repository() / "book" / "claims.yml").read_text(encoding="utf-8")
    )
    return content


def says() -> dict[str, str]:
    """The papers' words by claim id."""
    return {
        f"{d}.{c}": row["says"] for d, claims in documents().items() for c, row in claims.items()
    }


def all_claims(preset: str = BEST, only: Collection[str] | None = None) -> list[Claim]:
    """Claims of the documents, with our measurement where its result is stored.

    Args:
        preset: at which they are measured.
        only: ids of those that are wanted; the others are not measured.
    """
    evidence = partial(stored, preset=preset)
    return [
        _claim(evidence, f"{document}.{name}", row)
        for document, claims in documents().items()
        for name, row in claims.items()
        if only is None or f"{document}.{name}" in only
    ]


def _claim(evidence: Evidence, name: str, row: dict[str, Any]) -> Claim:
    text = row["says"]
    measured = catalogue.claims().get(name)
    if measured is None:
        return Claim(name, text, None, None, None, "not measured yet", None)
    try:
        finding = measured(evidence, row.get("value"))
    except (FileNotFoundError, DamagedResult, NothingToJudge) as error:
        return Claim(name, text, None, None, None, "not measured", measured.figure, str(error))
    result = measured.result(evidence)
    verdict, why = finding.verdict, finding.why
    if result.preset != "paper" or result.missing():
        verdict += f" ({scale(result, finding.trainings)})"
    if finding.verdict == MISSED and not why and result.preset != "paper":
        why = "the schedule is shorter than the papers'; whether that is the reason is not measured"
    if finding.repetitions:
        needed = f"{min(finding.repetitions, MANY):,} repetitions would decide it"
        more = "more than " if finding.repetitions > MANY else ""
        why = reasons(why, more + needed)
    return Claim(
        name,
        text,
        finding.measured,
        finding.error,
        result.preset,
        verdict,
        measured.figure,
        why,
        finding.otherwise,
    )


def scale(result: Result, trainings: str = "") -> str:
    """Preset and repetitions, or the trainings of each method, and the members of an ensemble where
    they are not the papers'."""
    study = result.study
    done = study.repetitions_done(result.done())
    text = f"{result.preset}, {trainings or f'{done} repetition' + 's' * (done != 1)}"
    members = study.asdict().get("members", 1)
    return text if members == 1 else f"{text} of {members} members"


def write_claims(claims: list[Claim], path: Path) -> None:
    """``claims.json``: the table for machines."""
    rows: list[dict[str, Any]] = [asdict(c) for c in claims]
    write_atomically(path, json.dumps(rows, indent=1).encode())
