"""How long work takes: what this machine measured last, or else what is typical of a study."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence

from amplib.files import RESULTS, write_atomically
from amplib.store.results import Result, source_of
from amplib.store.study import Part, Study

FILE = RESULTS / ".rates.json"
"""Work a second of one process, by store, preset and device.  Kept by this machine alone."""


def remember(study: Study, preset: str, device: str, rate: float) -> None:
    """Keep what a process has just reached."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(FILE, json.dumps({**_measured(), _name(study, preset, device): rate}).encode())


def rate_of(study: Study, preset: str, device: str) -> float:
    """Work a second of one process, in the study's unit."""
    typical = study.gpu_rate if device == "cuda" and study.gpu_rate else study.rate
    return _measured().get(_name(study, preset, device), typical)


def _name(study: Study, preset: str, device: str) -> str:
    return f"{study.store}/{preset}/{device}"


def _measured() -> dict[str, float]:
    # It only serves estimates: what cannot be read is no reason to stop.
    try:
        rates = json.loads(FILE.read_text())
        return {k: v for k, v in rates.items() if isinstance(v, float) and 0 < v < math.inf}
    except (OSError, ValueError, AttributeError, RecursionError):
        return {}


def minutes(result: Result, parts: Sequence[Part], device: str = "cpu", jobs: int = 0) -> float:
    """About how long these parts take, with all that they are made of; on all cores by default."""
    before = 0.0
    if parts and (source := source_of(result)) is not None:
        before = minutes(source, source.missing(), device)
    jobs = min(jobs or os.cpu_count() or 1, max(len(parts), 1))
    rate = rate_of(result.study, result.preset, device)
    return before + result.study.work(parts) / rate / jobs / 60


def cost(result: Result, parts: Sequence[Part], device: str = "cpu", jobs: int = 0) -> str:
    """``minutes`` as text."""
    return in_words(minutes(result, parts, device, jobs)) if parts else "-"


def in_words(time: float) -> str:
    """Minutes as text: ``7 s``, ``12 min`` or ``3.4 h``."""
    if time < 1:
        return f"{max(60 * time, 1):.0f} s"
    return f"{time:.0f} min" if time < 120 else f"{time / 60:.1f} h"
