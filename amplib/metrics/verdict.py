"""Whether a measurement meets a claim, by rules that are fixed before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amplib.estimate import Estimate

ABOUT = 0.2

SIGMAS = 2.0


@dataclass(frozen=True)
class Finding:
    """What a measurement returns.

    Args:
        measured: as text.
        error: standard error of the first number, or None.
        met: whether the claim is met.
        why: what is to be said of it.
        tight: whether two standard errors could turn the verdict.
    """

    measured: str
    error: float | None
    met: bool
    why: str = ""
    tight: bool = False


def about(estimate: Estimate, value: float, why: str = "") -> Finding:
    """A claim of "about" a value."""
    off, margin, reach = abs(estimate.value - value), ABOUT * value, SIGMAS * estimate.error
    met = off <= max(margin, reach)
    # An error that is not known turns nothing.
    return Finding(str(estimate), estimate.error, met, why, abs(off - margin) < reach)


def within(low: Estimate, high: Estimate, bounds: list[float]) -> Finding:
    """A claim of "between": two ends, each about the stated one."""
    ends = [about(e, b) for e, b in zip((low, high), bounds, strict=True)]
    return both(ends, f"{low} to {high}", low.error)


def both(findings: Sequence[Finding], measured: str, error: float | None, why: str = "") -> Finding:
    """A claim that is met if all of it is; one clear miss cannot be turned."""
    missed = [f for f in findings if not f.met]
    tight = all(f.tight for f in missed) if missed else any(f.tight for f in findings)
    return Finding(measured, error, not missed, why, tight)


def above(estimate: Estimate, bound: float) -> Finding:
    """A claim of a lower bound."""
    off = estimate.value - bound
    return Finding(str(estimate), estimate.error, off > 0, "", abs(off) < SIGMAS * estimate.error)
