"""How a study measures what its papers say: a decorated function a claim, which the book finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from amplib.metrics.verdict import Finding
from amplib.store.results import Result


class Evidence(Protocol):
    """Gives the stored result of a study, at the preset asked of the book or at a given one."""

    def __call__(self, name: str, preset: str = ..., **overrides: Any) -> Result: ...


Measure = Callable[..., Finding]


@dataclass(frozen=True)
class Measured:
    """How one claim is measured.

    Args:
        figure: key of the figure, or of the table, that shows it.
        study: whose result it is judged by, and at which preset if not at the book's.
        preset: see ``study``.
        overrides: parameters of that result.
        measure: ``measure(evidence, value, **options)``; ``value`` is what the paper states.
        options: what tells claims of one function apart.
    """

    figure: str
    study: str
    preset: str | None
    overrides: dict[str, Any]
    measure: Measure
    options: dict[str, Any]

    def result(self, evidence: Evidence) -> Result:
        """The result that it is judged by."""
        at = {} if self.preset is None else {"preset": self.preset}
        return evidence(self.study, **at, **self.overrides)

    def __call__(self, evidence: Evidence, value: object) -> Finding:
        return self.measure(evidence, value, **self.options)


CLAIMS: dict[str, Measured] = {}
"""By ``<document>.<claim>`` of ``book/claims.yml``."""


def claim(
    name: str,
    figure: str,
    study: str,
    preset: str | None = None,
    overrides: dict[str, Any] | None = None,
    **options: Any,
) -> Callable[[Measure], Measure]:
    """Say that a function measures this claim; see ``Measured``.

    Raises:
        ValueError: a claim that is measured twice.
    """

    def mark(measure: Measure) -> Measure:
        if name in CLAIMS:
            raise ValueError(f"{name} is measured twice")
        CLAIMS[name] = Measured(figure, study, preset, overrides or {}, measure, options)
        return measure

    return mark
