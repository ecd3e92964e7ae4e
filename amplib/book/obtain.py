"""What a notebook asks for: a result, computed first if it has to be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amplib.parameters import ParameterError
from amplib.store.compute import complete
from amplib.store.queue import compute_all
from amplib.store.rates import minutes
from amplib.store.results import Result
from amplib.store.study import PRESETS, Study
from amplib.studies.catalogue import make_study

BEST = "best"


def obtain(name: str, preset: str = BEST, **overrides: object) -> Result:
    """The result of a study; what is missing, or damaged, is computed, with its cost announced.

    ``best`` is the paper's settings where enough of them is stored, else the laptop's.

    Raises:
        ParameterError: in one line, before any work.
    """
    result = stored(name, preset, **overrides)
    if is_wanting(result):
        complete(result)
    return result


def compute_together(asked: Mapping[str, Mapping[str, Any]]) -> None:
    """Compute what several results lack in one queue, so that a training of one part leaves no core
    idle; then each can be obtained.

    What fails here is named, and tried again alone where it is obtained.

    Args:
        asked: of each study what ``obtain`` takes.

    Raises:
        ParameterError: in one line, before any work.
    """
    results = {name: stored(name, **given) for name, given in asked.items()}
    if wanting := {name: result for name, result in results.items() if is_wanting(result)}:
        compute_all(wanting)


def is_wanting(result: Result) -> bool:
    """Whether a page should wait for what is missing of a result.

    A paper-scale result that can be shown as it is does not start days of work because somebody
    opened a notebook; what takes minutes is always completed.
    """
    missing = result.missing()
    days = minutes(result, missing) > 10 and result.preset == "paper"
    return bool(missing) and not (days and result.done())


def asked(notebook: Path) -> set[str]:
    """The studies that a notebook's source asks for."""
    return set(re.findall(r'\bobtain\("([\w-]+)"', notebook.read_text(encoding="utf-8")))


def check_preset(preset: object) -> None:
    """Refuse what is neither ``best`` nor a preset.

    Raises:
        ParameterError: in one line.
    """
    if preset not in (BEST, *PRESETS):
        raise ParameterError(f"preset = {preset!r}: allowed are {BEST}, {', '.join(PRESETS)}")


def stored(name: str, preset: str = BEST, **overrides: object) -> Result:
    """As ``obtain``, but nothing is computed."""
    check_preset(preset)
    if preset != BEST:
        return Result(make_study(name, preset, **overrides), preset)
    paper = Result(make_study(name, "paper", **overrides), "paper")
    done = paper.done()
    if (
        len(done) == len(paper.study.parts())
        or paper.study.repetitions_done(done) >= paper.study.enough
    ):
        return paper
    return Result(make_study(name, "laptop", **overrides), "laptop")


def scales(preset: str) -> tuple[str, ...]:
    """The presets that are tried in turn: of ``best`` the papers', then the laptop's."""
    return ("paper", "laptop") if preset == BEST else (preset,)


def largest(
    name: str,
    preset: str = BEST,
    changes: Mapping[str, Mapping[str, object]] | None = None,
    **overrides: object,
) -> Result:
    """As ``stored``, but of the papers' settings one complete repetition is enough.

    Args:
        name, preset, overrides: of ``stored``.
        changes: further ones, by preset.
    """
    check_preset(preset)
    found = (stored(name, s, **(changes or {}).get(s, {}), **overrides) for s in scales(preset))
    *before, last = found
    return next((r for r in before if r.study.repetitions_done(r.done())), last)


def banner(result: Result) -> str | None:
    """What a page must say when a result is not at the full scale of the papers; else None."""
    study: Study = result.study
    done, wanted = len(result.done()), len(study.parts())
    if result.preset == "paper" and done == wanted:
        return None
    if result.preset == "paper":
        what = f"{done} of {wanted} parts of the {study.name} study"
        if study.asdict().get("members", 1) > 1:
            repetitions = study.repetitions_done(result.done())
            what = f"{repetitions} of {study.asdict()['repetitions']} ensembles ({what})"
        return (
            f"Incomplete: {what}, at the papers' settings; the error bars are those of the "
            "repetitions at hand."
        )
    return (
        f"Preset {result.preset}: a shorter and smaller version of the {study.name} study, "
        "not the papers' settings."
    )
