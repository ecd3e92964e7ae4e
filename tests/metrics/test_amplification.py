"""Curves and comparisons from stored counts."""

import numpy as np
import pytest

from amplib.metrics.amplification import GANCurve, Repetitions, balanced, ratio, shared
from amplib.metrics.quantiles import expected_mse
from amplib.parameters import ParameterError
from amplib.studies.camel.reading import check_quantiles


def pure(n, repetitions, start=0, seed=3):
    """Multinomial counts of the truth: what a perfect generator gives."""
    rng = np.random.default_rng(seed)
    cells = rng.multinomial(n, np.full(100, 0.01), size=repetitions)
    return Repetitions(cells, 100, start + np.arange(repetitions))


def test_a_perfect_generator_is_worth_its_events():
    """Seeded; the band is 4 standard errors (false alarm 6e-5); a bias of 10% is 6.5 of them."""
    estimate = pure(400, 2000).n_equiv(50)
    assert abs(estimate.value - 400) < 4 * estimate.error
    assert estimate.error < 400 * 0.1 / 6.5


def test_ratios_pair_the_training_samples_and_not_the_order():
    a, b = pure(100, 30), pure(100, 40, start=10)
    left, right = shared(a, b)
    assert left.index.tolist() == right.index.tolist() == list(range(10, 30))
    assert np.array_equal(left.cells, a.cells[10:])
    assert np.array_equal(right.cells, b.cells[:20])
    with pytest.raises(ValueError, match="no training sample in common"):
        shared(pure(100, 5), pure(100, 5, start=5))


def test_the_ratio_of_a_thing_to_itself_is_one_without_error():
    a = pure(100, 20)
    assert ratio(a, a)(20)[:2] == (1.0, 0.0)
    assert ratio(a, a)(20)[2:] == pytest.approx((1.0, 1.0, 20))


def test_the_ratio_finds_twice_the_events():
    """Seeded, 4 standard errors (false alarm 6e-5), which are under 0.2, so that 1 is excluded."""
    value, error, *_ = ratio(pure(200, 500, seed=4), pure(100, 500, seed=5))(20)
    assert abs(value - 2) < 4 * error < 0.8


def test_balancing_removes_the_error_of_the_relative_height_and_only_that():
    tilted = np.concatenate([np.full(50, 0.012), np.full(50, 0.008)])[None]
    assert balanced(Repetitions(tilted, 100, np.arange(1))).mse(10) == pytest.approx(0, abs=1e-30)
    bumpy = np.tile([0.011, 0.009], 50)[None]
    kept = balanced(Repetitions(bumpy, 100, np.arange(1)))
    assert kept.mse(50) == pytest.approx(0, abs=1e-30)  # neighbours cancel at 50
    assert kept.mse(100) == pytest.approx(1e-6)


def test_a_hump_without_events_is_given_the_truths_shape():
    one = np.concatenate([np.full(50, 20), np.zeros(50, dtype=int)])[None]
    assert balanced(Repetitions(one, 100, np.arange(1))).mse(10) == pytest.approx(0, abs=1e-30)


def test_saturation_is_where_more_events_stop_to_help():
    """Counts that follow MSE(n) = plateau + pure(n) exactly saturate at 10 N_equiv or above."""
    sizes = np.array([100, 1000, 10_000, 100_000, 1_000_000])
    plateau = expected_mse(500, 10)
    rows = []
    for n in sizes:
        off = np.sqrt(plateau + expected_mse(n, 10))
        rows.append(1e6 * (0.01 + 0.1 * np.repeat(off * np.resize([1, -1], 10), 10)))
    curve = GANCurve(sizes, np.array(rows)[None], 100, np.arange(1), 0, np.zeros(1))
    assert curve.mse(10)[0] == pytest.approx(
        plateau + np.array([expected_mse(n, 10) for n in sizes])
    )
    assert curve.saturation(10) == 10_000
    assert curve.saturation_range(10) == (10_000, 10_000)
    assert curve.at(1000).mse(10) == pytest.approx(plateau + expected_mse(1000, 10))


def test_the_range_of_saturation_begins_with_its_lower_end_and_widens_with_its_level():
    """Of repetitions of which half saturate a hundred times later than the others."""
    sizes = np.array([100, 1000, 10_000, 100_000])
    plateaus = np.where(np.arange(10) % 2, 1e-3, 1e-5)[:, None]
    off = np.sqrt(plateaus + np.array([expected_mse(n, 10) for n in sizes]))
    signs = np.repeat(np.resize([1, -1], 10), 10)
    counts = 1e6 * (0.01 + 0.1 * off[..., None] * signs)
    curve = GANCurve(sizes, counts, 100, np.arange(10), 0, np.zeros(10))
    low, high = curve.saturation_range(10)
    assert low <= curve.saturation(10) <= high
    least, most = curve.saturation_range(10, level=0.999)
    assert least <= low
    assert most >= high
    assert least < most


def test_the_median_is_not_moved_by_a_failure():
    """One repetition of eleven in one hump: the mean is worth nothing, the median what it was."""
    good = pure(400, 10)
    one = np.concatenate([np.full(50, 8), np.zeros(50, dtype=int)])[None]
    both = Repetitions(np.concatenate([good.cells, one]), 100, np.arange(11))
    assert both.n_equiv(10).value < 100
    middle = both.median_n_equiv(10)
    assert middle.low < good.median_n_equiv(10).value < middle.high < 1000
    assert both.median_amplification(10).value == pytest.approx(middle.value / 100)


def test_a_curve_knows_its_failures():
    counts = np.ones((3, 1, 100), dtype=int)
    failed = np.array([0, 2, 1])
    curve = GANCurve(np.array([100]), counts, 100, np.array([4, 5, 6]), 0, failed, members=5)
    assert str(curve.failures).startswith("3 of 15 (")
    assert curve.converged.index.tolist() == [4]
    assert curve.converged.failures == (0, 5)
    hopeless = GANCurve(np.array([100]), counts, 100, np.arange(3), 0, np.ones(3), members=5)
    with pytest.raises(ValueError, match="all 3 repetitions have trainings that ended in one hump"):
        _ = hopeless.converged


@pytest.mark.parametrize("wrong", [[], [1], 1, [10, 30], ["10"], [10.0], [True], None, [200]])
def test_quantiles_must_divide_the_stored_cells(wrong):
    with pytest.raises(ParameterError, match=r"allowed are 2, 4, 5, 10, 20, 25, 50, 100"):
        check_quantiles(wrong)


def test_quantiles_may_be_one_number():
    assert check_quantiles(20) == [20]
