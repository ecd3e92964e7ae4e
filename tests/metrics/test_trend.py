"""Power laws: exact ones are found, and the interval holds what it says it does."""

import numpy as np
import pytest

from amplib.metrics.trend import power_law

SIZES = np.array([30, 100, 300, 1000])


def test_an_exact_power_law_is_found_without_error():
    law = power_law(SIZES, 7 * SIZES**-0.4)
    assert law.exponent.value == pytest.approx(-0.4)
    assert law.exponent.error == pytest.approx(0, abs=1e-12)
    assert law(SIZES) == pytest.approx(7 * SIZES**-0.4)


def test_the_interval_covers_the_exponent_in_95_of_100_cases():
    """Seeded: 2000 sets of four points with 20% errors; the band is 4 standard errors of the share
    (false alarm 6e-5); a normal interval, of 1.96 errors, covers 81% and is 16 of them away."""
    rng = np.random.default_rng(4)
    noise = np.exp(0.2 * rng.normal(size=(2000, len(SIZES))))
    laws = [power_law(SIZES, 3 * SIZES**-0.2 * row) for row in noise]
    covered = np.mean([law.exponent.low <= -0.2 <= law.exponent.high for law in laws])
    assert abs(covered - 0.95) < 4 * np.sqrt(0.95 * 0.05 / len(laws))
    normal = np.mean([abs(law.exponent.value + 0.2) < 1.96 * law.exponent.error for law in laws])
    assert normal < 0.88


def test_what_bends_is_told_by_the_error():
    """A curve that is no power law is not fitted without error."""
    law = power_law(SIZES, 1 + SIZES**-0.5)
    assert law.exponent.error > 0.005


@pytest.mark.parametrize(
    ("x", "y", "text"),
    [
        ([1, 2], [1, 2], "three points"),
        ([1, 1, 1], [1, 2, 3], "three points"),
        ([1, 2, 3], [1, 0, 2], "positive"),
    ],
)
def test_impossible_points_are_refused(x, y, text):
    with pytest.raises(ValueError, match=text):
        power_law(x, y)
