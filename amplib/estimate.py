"""Values with their uncertainty: standard errors, and intervals that need not be symmetric."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amplib.cells import as_sample

LEVEL = 0.95
"""Of the intervals by which claims are judged."""
MEDIAN_LEVEL = 0.68
"""Of the interval of a median, and of a rate."""
SMALL = 1e-9
"""Below which nobody counts the zeros."""
ROUNDING = 1e-12
"""Of a value, relatively: a smaller error is none."""


class NothingToJudge(ValueError):
    """All that was stored is left out, or none of it is what was asked for; its text is why."""


class Estimate(NamedTuple):
    """A value with its standard error; prints two significant digits of the error.

    ``low`` and ``high`` are the ends of its 95% interval where the error is estimated from few
    repetitions, or the distribution is not symmetric.

    >>> print(Estimate(238.7, 11.2), Estimate(0.51234, 0.0996), Estimate(12346.0, 678.0), sep=", ")
    239 ± 11, 0.51 ± 0.10, 12350 ± 680

    Zero has no sign:

    >>> print(Estimate(-0.0002, 0.074))
    0.000 ± 0.074

    What is smaller than ``SMALL`` is no more than that:

    >>> print(Estimate(9.4e-65, 8.8e-65))
    < 1e-09

    What has no error but rounding has none:

    >>> print(Estimate(1.0, 1e-17), Estimate(0.0, 0.0))
    1 0
    """

    value: float
    error: float
    low: float | None = None
    high: float | None = None
    repetitions: int | None = None

    def __str__(self) -> str:
        if not np.isfinite(self.error):
            return f"{self.value:.4g} ± {self.error:.2g}"
        if self.error <= ROUNDING * abs(self.value):
            return f"{self.value:.4g}"
        # The exponent after rounding: 0.0996 is 0.10, not 0.100.
        decimals = 1 - int(f"{self.error:.1e}".partition("e")[2])
        if max(abs(self.value), self.error) < SMALL:
            return f"< {SMALL:.0e}"
        shown = max(decimals, 0)
        value = round(self.value, decimals) + 0.0  # of a rounded -0.0002 no sign is left
        return f"{value:.{shown}f} ± {round(self.error, decimals):.{shown}f}"

    def scaled(self, factor: float) -> Estimate:
        """In other units."""
        low, high = (None if end is None else factor * end for end in (self.low, self.high))
        value, error = factor * self.value, factor * self.error
        return type(self)(value, error, low, high, self.repetitions)

    def over(self, other: Estimate) -> Estimate:
        """Their ratio, if they are independent and other than zero, with no interval.

        >>> print(Estimate(3.0, 0.3).over(Estimate(2.0, 0.2)))
        1.50 ± 0.21
        """
        value = self.value / other.value
        error = abs(value) * float(np.hypot(self.error / self.value, other.error / other.value))
        return Estimate(value, error)

    def percent(self) -> str:
        """A share in per cent; of one that is next to one no more than that it is.

        >>> Estimate(0.512, 0.034).percent(), Estimate(0.999996, 4e-6).percent()
        ('(51.2 ± 3.4)%', '> 99.99%')
        """
        if 0.9999 < self.value < 1 and self.error < 1e-4:
            return "> 99.99%"
        text = str(self.scaled(100))
        return f"({text})%" if "±" in text else f"{text}%"

    @property
    def at_least(self) -> float:
        """Lower end of the 95% interval, as an :class:`AtLeast` has one, too."""
        return self.interval().low

    def interval(self) -> Interval95:
        """The 95% interval; normal, if nothing else is known of it.  What has no error, as of a
        single repetition, may be anything."""
        if self.low is not None and self.high is not None:
            return Interval95(self.value, self.low, self.high)
        if not np.isfinite(self.error):
            return Interval95(self.value, -np.inf, np.inf)
        reach = t_quantile(None) * self.error
        return Interval95(self.value, self.value - reach, self.value + reach)


class Skewed(Estimate):
    """An estimate whose standard error says nothing, as a few of its repetitions make it: prints
    its 95% interval in place of it.

    >>> print(Skewed(0.2076, 0.106, 0.1032, 0.5149), Skewed(2.0, 3.0).scaled(2.0), sep=", ")
    0.21 (0.10 to 0.51), 4 (-8 to 16)
    """

    __slots__ = ()

    def __str__(self) -> str:
        return str(self.interval())


class AtLeast(NamedTuple):
    """The lower end of a 95% interval that has no upper one; there is no value to quote.

    >>> print(AtLeast(12345.6))
    at least 12000
    """

    low: float

    @property
    def at_least(self) -> float:
        """``low``, by the name that an :class:`Estimate` has for it."""
        return self.low

    def __str__(self) -> str:
        return f"at least {float(f'{self.low:.1e}'):.15g}"

    def scaled(self, factor: float) -> AtLeast:
        """In other units."""
        return AtLeast(factor * self.low)


def t_quantile(count: int | None) -> float:
    """Standard errors in half of a 95% interval, the error being estimated from so many values.

    >>> [round(t_quantile(n), 2) for n in (None, 4, 8, 1000)]
    [1.96, 3.18, 2.36, 1.96]
    """
    from scipy.special import ndtri, stdtrit

    tail = (1 + LEVEL) / 2
    return float(ndtri(tail) if count is None else stdtrit(count - 1, tail))


def relative(value: float, error: float, repetitions: int, centre: float | None = None) -> Estimate:
    """A positive value made of a mean over repetitions, with a 95% interval in its logarithm.

    Repetitions of a positive quantity are skewed: where the mean is small its error is too, and
    ``value`` ± t ``error`` misses the truth on that side.  In the logarithm the relative error is
    what counts, and for repetitions as skewed as a chi square of 2 to 9 degrees of freedom four of
    them cover the truth in 93 to 95% of the cases, against 88 to 94%.  Zero has no logarithm, and
    no upper end.

    >>> relative(0.0, 0.0, 3)[2:4]
    (0.0, inf)

    Args:
        value: the estimate.
        error: its standard error, NaN for a single repetition.
        repetitions: their number.
        centre: of the interval, where it is not the value, from which a bias is removed.
    """
    if repetitions < 2 or value == 0:
        return Estimate(value, error, 0.0, float("inf"), repetitions)
    factor = float(np.exp(t_quantile(repetitions) * error / value))
    centre = value if centre is None else centre
    return Estimate(value, error, centre / factor, centre * factor, repetitions)


def mean(values: ArrayLike) -> Estimate:
    """Mean over repetitions, with its standard error and a 95% interval of Student's; of a single
    one there is no error.

    >>> mean([1.0, 2.0, 3.0]).value, mean([1.0]).interval().high
    (2.0, inf)
    """
    x = np.asarray(values, dtype=float)
    n, value = len(x), float(x.mean())
    if n < 2:
        return Estimate(value, np.nan, repetitions=n)
    error = float(x.std(ddof=1) / np.sqrt(n))
    reach = t_quantile(n) * error
    return Estimate(value, error, value - reach, value + reach, n)


def positive_mean(values: ArrayLike) -> Estimate:
    """Mean of a positive number over repetitions, with an interval in its logarithm.

    >>> positive_mean([1.0, 4.0]).value
    2.5
    """
    value, error, *_, repetitions = mean(values)
    return relative(value, error, repetitions or 1) if value > 0 else Estimate(value, error)


def geometric_mean(values: ArrayLike) -> Estimate:
    """Of a positive number over repetitions, the interval in its logarithm.

    >>> geometric_mean([1.0, 4.0]).value
    2.0
    """
    logs = mean(np.log(values))
    value = float(np.exp(logs.value))
    return relative(value, value * logs.error, logs.repetitions or 1)


def written_area(area: Estimate) -> str:
    """An area under a curve; of one that is next to one no more than that it is.

    >>> written_area(Estimate(0.8123, 0.0102)), written_area(Estimate(1.0, 0.0))
    ('0.812 ± 0.010', '> 0.9999')
    """
    return "> 0.9999" if area.value > 0.9999 else str(area)


def in_turn(values: Iterable[float], unit: str = "", least: float = 0.0) -> str:
    """Numbers of repetitions of which a few make the mean: to two digits, of counts without a
    decimal point, and in their order; one for all where they are alike.

    >>> in_turn([14.33, 6.04, 0.0046, 0.0, 48.6], "%", 0.1), in_turn([0, 0]), in_turn([0, 9, 229])
    ('14, 6.0, < 0.1, none and 49%', 'none', 'none, 9 and 230')
    """

    def written(x: float) -> str:
        if x < least or x == 0:
            return f"< {least:g}" if x else "none"
        rounded = float(f"{x:.2g}")
        return f"{rounded:g}" if counts or rounded >= 10 else f"{rounded:#.2g}"

    numbers = [float(x) for x in values]
    counts = all(x.is_integer() for x in numbers)
    texts = [written(x) for x in numbers]
    texts = texts[:1] if len(set(texts)) == 1 else texts
    return enumerated(texts) + (unit if texts[-1] != "none" else "")


def written_in_turn(values: Iterable[float]) -> list[str]:
    """Positive numbers of repetitions that may differ by decades, of which no mean makes sense; one
    text where they are all alike.

    >>> written_in_turn([1e-9, 0.0242, 1.0, 102.7, 46e9, float("inf")])
    ['< 0.001', '0.0242', '1.00', '103', '> 1000', 'infinite']
    >>> written_in_turn([1e-9, 1e-5])
    ['< 0.001']
    """

    def written(x: float) -> str:
        if np.isinf(x):
            return "infinite"
        digits = f"{x:.0f}" if x >= 100 else f"{x:#.3g}"
        return "< 0.001" if x < 1e-3 else "> 1000" if x > 1000 else digits

    texts = [written(x) for x in values]
    return texts[:1] if len(set(texts)) == 1 else texts


class Interval(NamedTuple):
    """A value with the ends of an interval: the 68% of a median, or the central 68% of many values.

    >>> print(Interval(523.1, 441.9, 604.0), Interval(5.23, 4.42, 6.04), sep=", ")
    523 (442 to 604), 5.2 (4.4 to 6.0)

    What has no width has no digits of it:

    >>> print(Interval(1.042393918, 1.042393918, 1.042393918 + 2e-16))
    1.04 (1.04 to 1.04)
    """

    value: float
    low: float
    high: float

    @property
    def level(self) -> float:
        """What it holds."""
        return MEDIAN_LEVEL

    def __str__(self) -> str:
        width = self.high - self.low
        known = SMALL * abs(self.value) < width < np.inf
        decimals = 1 - int(f"{width:.1e}".partition("e")[2]) if known else 2
        shown = min(max(decimals, 0), 9)
        return f"{self.value:.{shown}f} ({self.low:.{shown}f} to {self.high:.{shown}f})"


class Interval95(Interval):
    """A value with the ends of a 95% interval, as of an ``Estimate``."""

    __slots__ = ()

    @property
    def level(self) -> float:
        return LEVEL


class Share(NamedTuple):
    """k of n, with the exact interval of the rate behind it (Clopper, Pearson).

    >>> print(Share(3, 22), Share(0, 8), sep=", ")
    3 of 22 (6 to 25%), 0 of 8 (0 to 20%)
    """

    k: int
    n: int

    def interval(self, level: float = MEDIAN_LEVEL) -> tuple[float, float]:
        """Ends of the interval of the rate."""
        from scipy.stats import beta

        tail = (1 - level) / 2
        low = beta.ppf(tail, self.k, self.n - self.k + 1) if self.k else 0.0
        high = beta.ppf(1 - tail, self.k + 1, self.n - self.k) if self.k < self.n else 1.0
        return float(low), float(high)

    def __str__(self) -> str:
        return self.at()

    def at(self, level: float = MEDIAN_LEVEL) -> str:
        """With the interval of that level.

        >>> Share(3, 22).at(0.95)
        '3 of 22 (3 to 35%)'
        """
        low, high = (100 * end for end in self.interval(level))
        return f"{self.k} of {self.n} ({low:.0f} to {high:.0f}%)"


def median(values: ArrayLike, level: float = MEDIAN_LEVEL) -> Interval:
    """Median with an interval, of 68% or 95%, between two order statistics, whatever the
    distribution.

    The number of values below the true median is binomial with p = 1/2: the innermost pair of
    order statistics that holds it with that probability or more.  Two values hold it in
    half of all cases only: fewer than three leave it open.

    >>> median([5, 1, 4, 2, 3])
    Interval(value=3.0, low=1.0, high=5.0)
    """
    from scipy.stats import binom

    ordered = np.sort(np.ravel(as_sample(values)))
    n = len(ordered)
    below = int(binom.ppf((1 - level) / 2, n, 0.5))
    middle = float(np.median(ordered))
    kind = Interval95 if level == LEVEL else Interval
    if below == 0:
        return kind(middle, -np.inf, np.inf)
    return kind(middle, float(ordered[below - 1]), float(ordered[n - below]))


class Estimates(NamedTuple):
    """Many values with their standard errors, of one shape."""

    value: NDArray[np.float64]
    error: NDArray[np.float64]

    def at(self, *index: int) -> Estimate:
        """One of them."""
        return Estimate(float(self.value[index]), float(self.error[index]))


def enumerated(values: Iterable[object]) -> str:
    """As prose has them.

    >>> enumerated([Estimate(10.0, 1.0), 20, "thirty"]), enumerated([1, 2]), enumerated([1])
    ('10.0 ± 1.0, 20 and thirty', '1 and 2', '1')
    """
    *most, last = map(str, values)
    return f"{', '.join(most)} and {last}" if most else last
