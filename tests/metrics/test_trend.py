"""Power laws: exact ones are found, and the interval holds what it says it does."""

import numpy as np
import pytest

from amplib.estimate import Estimate
from amplib.metrics.trend import power_law

SIZES = np.array([30, 100, 1000])


def measured(rows):
    """Means of repetitions ``(sizes, R)`` with their errors."""
    rows = np.asarray(rows)
    errors = rows.std(1, ddof=1) / np.sqrt(rows.shape[1])
    return [
        Estimate(float(v), float(e), repetitions=rows.shape[1])
        for v, e in zip(rows.mean(1), errors, strict=True)
    ]


def exact(values, error=0.01, repetitions=10):
    return [Estimate(v, error * v, repetitions=repetitions) for v in values]


def test_an_exact_power_law_is_found():
    law = power_law(SIZES, exact(7 * SIZES**-0.4))
    assert law.exponent.value == pytest.approx(-0.4)
    assert law(SIZES) == pytest.approx(7 * SIZES**-0.4)
    assert law.scatter == pytest.approx(0, abs=1e-12)


def test_of_two_points_the_error_is_that_of_their_ratio():
    law = power_law([10, 1000], exact([2, 3], 0.1))
    assert law.exponent.value == pytest.approx(np.log(1.5) / np.log(100))
    assert law.exponent.error == pytest.approx(0.1 * np.sqrt(2) / np.log(100))
    # Welch and Satterthwaite: twice the 9 degrees of freedom of each, as both weigh alike.
    assert law.exponent.high - law.exponent.value == pytest.approx(2.101 * law.exponent.error, 1e-3)
    assert np.isnan(law.scatter)


def test_the_interval_covers_the_exponent_in_95_of_100_cases():
    """Seeded: 2000 sets of three sizes, means of 4 repetitions with 40% errors each.  Welch's is an
    approximation, and the logarithm of a mean another: the band is 93.5 to 98%, where the share's
    own error is 0.5% (false alarm 2e-3 at the lower end).  A normal interval, of 1.96 errors,
    covers 92%."""
    rng = np.random.default_rng(4)
    noise = 1 + 0.4 * rng.normal(size=(2000, len(SIZES), 4))
    rows = np.maximum(noise, 0.05) * (3 * SIZES**-0.2)[:, None]
    laws = [power_law(SIZES, measured(row)) for row in rows]
    covered = np.mean([law.exponent.low <= -0.2 <= law.exponent.high for law in laws])
    assert 0.935 < covered < 0.98
    normal = np.mean([abs(law.exponent.value + 0.2) < 1.96 * law.exponent.error for law in laws])
    assert normal < 0.93


def test_the_scatter_tells_what_bends_from_what_does_not():
    """Seeded: about one, in the root mean square over 500 sets, for a power law with 10% errors;
    five times as much for a curve that bends by half."""
    rng = np.random.default_rng(5)
    sizes = np.geomspace(10, 1000, 6)
    straight = [
        power_law(sizes, exact(sizes**-0.3 * np.exp(0.1 * rng.normal(size=6)), 0.1)).scatter
        for _ in range(500)
    ]
    assert np.sqrt(np.mean(np.square(straight))) == pytest.approx(1, abs=0.1)
    bent = np.exp(0.5 * np.log(sizes / 100) ** 2 / np.log(10) ** 2)
    assert power_law(sizes, exact(bent, 0.02)).scatter > 5


def test_two_repetitions_are_enough_and_leave_a_wide_interval():
    """Two points of as many: Student's with twice one degree of freedom, 4.303 errors."""
    law = power_law([1, 10], exact([1.0, 2.0], repetitions=2))
    reach = law.exponent.high - law.exponent.value
    assert reach == pytest.approx(4.303 * law.exponent.error, rel=1e-3)


@pytest.mark.parametrize(
    ("x", "y", "text"),
    [
        ([1], exact([1.0]), "two sizes"),
        ([1, 1], exact([1.0, 2.0]), "two sizes"),
        ([1, 2], exact([1.0, -2.0]), "positive"),
        ([0, 2], exact([1.0, 2.0]), "positive"),
        ([-1, 2], exact([1.0, 2.0]), "positive"),
        ([1, 2], [Estimate(0, 0.1, repetitions=3), Estimate(2, 0.1, repetitions=3)], "positive"),
        ([1, 2], [Estimate(1, 0, repetitions=3), Estimate(2, 0.1, repetitions=3)], "with errors"),
        ([1, 2], [Estimate(1, np.nan, repetitions=1), Estimate(2, 1)], "with errors"),
        ([1, 2], [Estimate(1, 0.1, repetitions=1), Estimate(2, 0.1, repetitions=3)], "repetitions"),
        ([1, 2], [Estimate(1, 0.1, repetitions=3), Estimate(2, 0.1)], "repetitions"),
    ],
)
def test_impossible_points_are_refused(x, y, text):
    with pytest.raises(ValueError, match=text):
        power_law(x, y)
