"""Values with their uncertainty: standard errors, and intervals that need not be symmetric."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from amplib.cells import as_sample


class Estimate(NamedTuple):
    """A value with its standard error; prints two significant digits of the error.

    >>> print(Estimate(238.7, 11.2), Estimate(0.51234, 0.0996), Estimate(12346.0, 678.0), sep=", ")
    239 ± 11, 0.51 ± 0.10, 12350 ± 680
    """

    value: float
    error: float

    def __str__(self) -> str:
        if not np.isfinite(self.error) or self.error <= 0:
            return f"{self.value:.4g} ± {self.error:g}"
        # The exponent after rounding: 0.0996 is 0.10, not 0.100.
        decimals = 1 - int(f"{self.error:.1e}".partition("e")[2])
        shown = max(decimals, 0)
        return f"{round(self.value, decimals):.{shown}f} ± {round(self.error, decimals):.{shown}f}"


class Interval(NamedTuple):
    """A value with the ends of its 68% interval.

    >>> print(Interval(523.1, 441.9, 604.0), Interval(5.23, 4.42, 6.04), sep=", ")
    523 (442 to 604), 5.2 (4.4 to 6.0)
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        width = self.high - self.low
        decimals = 1 - int(f"{width:.1e}".partition("e")[2]) if 0 < width < np.inf else 2
        shown = min(max(decimals, 0), 9)
        return f"{self.value:.{shown}f} ({self.low:.{shown}f} to {self.high:.{shown}f})"


class Share(NamedTuple):
    """k of n, with the exact interval of the rate behind it (Clopper, Pearson).

    >>> print(Share(3, 22), Share(0, 8), sep=", ")
    3 of 22 (6 to 25%), 0 of 8 (0 to 20%)
    """

    k: int
    n: int

    def interval(self, level: float = 0.68) -> tuple[float, float]:
        """Ends of the interval of the rate."""
        from scipy.stats import beta

        tail = (1 - level) / 2
        low = beta.ppf(tail, self.k, self.n - self.k + 1) if self.k else 0.0
        high = beta.ppf(1 - tail, self.k + 1, self.n - self.k) if self.k < self.n else 1.0
        return float(low), float(high)

    def __str__(self) -> str:
        low, high = (100 * end for end in self.interval())
        return f"{self.k} of {self.n} ({low:.0f} to {high:.0f}%)"


def median(values: ArrayLike, level: float = 0.68) -> Interval:
    """Median with an interval between two order statistics, whatever the distribution.

    The number of values below the true median is binomial with p = 1/2: the innermost pair of
    order statistics that holds it with the probability ``level`` or more.  Two values hold it in
    half of all cases only: fewer than three leave it open.

    >>> median([5, 1, 4, 2, 3])
    Interval(value=3.0, low=1.0, high=5.0)
    """
    from scipy.stats import binom

    ordered = np.sort(np.ravel(as_sample(values)))
    n = len(ordered)
    below = int(binom.ppf((1 - level) / 2, n, 0.5))
    middle = float(np.median(ordered))
    if below == 0:
        return Interval(middle, -np.inf, np.inf)
    return Interval(middle, float(ordered[below - 1]), float(ordered[n - below]))
