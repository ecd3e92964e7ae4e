"""Whether a measurement meets a claim, by rules that are fixed before it is made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from amplib.estimate import Estimate

ABOUT = 1.2
"""Factor within which a value is *about* a stated one."""
MET, MISSED, UNDECIDED = "met", "missed", "undecided"


@dataclass(frozen=True)
class Finding:
    """What a measurement returns.

    Args:
        measured: as text.
        error: standard error of the first number, or None.
        verdict: ``met``, ``missed`` or ``undecided``.
        why: what is to be said of it.
        repetitions: that would decide it, if the value stays where it is; None if it is decided or
            not known.
        otherwise: the verdict by the other reading of the paper, where it may depend on that.
        trainings: that it is of, where methods have different numbers of them.
    """

    measured: str
    error: float | None
    verdict: str
    why: str = ""
    repetitions: int | None = None
    otherwise: str = ""
    trainings: str = ""


def reasons(*texts: str) -> str:
    """What is to be said of a finding, as one text; empty ones say nothing.

    >>> reasons("of fewer events", "", "one training")
    'of fewer events; one training'
    """
    return "; ".join(filter(None, texts))


def judge(estimate: Estimate, low: float, high: float, why: str = "") -> Finding:
    """A claim that the true value lies from ``low`` to ``high``.

    Met if all of the 95% interval does, missed if none of it does, else undecided.
    """
    _, left, right = estimate.interval()
    if low <= left and right <= high:
        return Finding(str(estimate), estimate.error, MET, why)
    if right < low or high < left:
        return Finding(str(estimate), estimate.error, MISSED, why)
    return Finding(str(estimate), estimate.error, UNDECIDED, why, _needed(estimate, low, high))


def _needed(estimate: Estimate, low: float, high: float) -> int | None:
    """Repetitions after which the interval clears the nearest line: its width falls as their
    root, in the logarithm where the interval is even there."""
    value, left, right = estimate.interval()
    if estimate.repetitions is None or not math.isfinite(estimate.error):
        return None
    if left > 0 and math.isclose(value / left, right / value):
        value, left, right = math.log(value), math.log(left), math.log(right)
        low, high = (math.log(line) if line > 0 else -math.inf for line in (low, high))
    factors = []
    for line in (low, high):
        reach, gap = (value - left, value - line) if line < value else (right - value, line - value)
        if math.isfinite(line) and left < line < right:
            factors.append(math.inf if gap == 0 else reach / gap)
    worst = max(factors, default=math.inf)
    return math.ceil(estimate.repetitions * worst**2) if math.isfinite(worst) else None


def about(estimate: Estimate, value: float, why: str = "") -> Finding:
    """A claim of "about" a value."""
    return judge(estimate, value / ABOUT, value * ABOUT, why)


def within(low: Estimate, high: Estimate, bounds: list[float]) -> Finding:
    """A claim of "between": two ends, each about the stated one."""
    ends = [about(e, b) for e, b in zip((low, high), bounds, strict=True)]
    return both(ends, f"{low} to {high}", low.error)


def both(findings: Sequence[Finding], measured: str, error: float | None, why: str = "") -> Finding:
    """A claim that is met if all of it is, and missed if anything is."""
    verdicts = [f.verdict for f in findings]
    verdict = MISSED if MISSED in verdicts else UNDECIDED if UNDECIDED in verdicts else MET
    needed = [f.repetitions for f in findings if f.verdict == UNDECIDED]
    known = verdict == UNDECIDED and None not in needed
    return Finding(measured, error, verdict, why, max(n or 0 for n in needed) if known else None)


def above(estimate: Estimate, bound: float) -> Finding:
    """A claim of a lower bound."""
    return judge(estimate, bound, math.inf)


def below(estimate: Estimate, bound: float) -> Finding:
    """A claim of an upper bound."""
    return judge(estimate, -math.inf, bound)
