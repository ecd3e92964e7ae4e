"""Which places in a table its errors can tell apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from amplib.estimate import Estimate

T = TypeVar("T")


class Rank(NamedTuple):
    """The best and the worst place, the first being 1, that one may have.

    >>> print(Rank(2, 2), Rank(1, 3), sep=", ")
    2, 1 to 3
    """

    best: int
    worst: int

    def __str__(self) -> str:
        return f"{self.best}" if self.best == self.worst else f"{self.best} to {self.worst}"


def over(first: Estimate, second: Estimate) -> Estimate:
    """Ratio of two positive values, with its interval in the logarithm: half its width is both of
    theirs in quadrature."""
    value, error, *_ = first.over(second)
    reach = float(np.hypot(_reach(first), _reach(second)))
    ends = float(value * np.exp(-reach)), float(value * np.exp(reach))
    return Estimate(value, error, *ends, first.repetitions)


def _reach(estimate: Estimate) -> float:
    """From a positive value to the upper end of its 95% interval, in the logarithm."""
    return float(np.log(estimate.interval().high / estimate.value))


def ranks(models: Sequence[T], ratio: Callable[[T, T], Estimate]) -> list[Rank]:
    """The places that each may have, in any order of the models: two are told apart if their ratio
    is not one within its 95% interval.

    Args:
        models: what is ranked; the least is first.
        ratio: of what two of them are ranked by.
    """
    intervals = [[ratio(one, other).interval() for other in models] for one in models]
    return [
        Rank(1 + sum(i.low > 1 for i in row), len(models) - sum(i.high < 1 for i in row))
        for row in intervals
    ]


def ranked(values: Mapping[str, Estimate | None]) -> dict[str, Rank]:
    """By name the places of positive values, the least first; what has none has no place, and
    takes nobody's."""
    known = {name: value for name, value in values.items() if value is not None}
    return dict(zip(known, ranks(list(known.values()), over), strict=True))
