"""Curves and comparisons from stored counts."""

import numpy as np
import pytest

from amplib.estimate import NothingToJudge
from amplib.metrics import amplification
from amplib.metrics.amplification import (
    QUANTILES,
    GANCurve,
    Repetitions,
    balanced,
    ratio,
    ratio_of_means,
    shared,
)
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


def test_either_hump_gets_half_and_keeps_its_shape():
    cells = np.arange(1.0, 101)[None]
    found = balanced(Repetitions(cells, 100, np.arange(1))).cells[0]
    assert found[:50] == pytest.approx(np.arange(1, 51) / (2 * 1275))
    assert found[50:] == pytest.approx(np.arange(51, 101) / (2 * 3775))


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
    with pytest.raises(NothingToJudge, match="all 3 repetitions have trainings that failed"):
        _ = hopeless.converged
    with pytest.raises(NothingToJudge, match="no cells of the first 500 events, only of 100"):
        curve.at(500)


def test_resolutions_are_both_papers():
    assert QUANTILES == (10, 20, 50)


def saturating(excess):
    """A curve whose mean MSE at each size is so much above that at the last, by one repetition."""
    off = np.sqrt(1e-5 * np.asarray(excess))
    counts = 1e6 * (0.01 + 0.1 * off[:, None] * np.repeat(np.resize([1, -1], 10), 10))
    sizes = 10 ** np.arange(1, len(excess) + 1)
    return GANCurve(sizes, counts[None], 100, np.arange(1), 0, np.zeros(1))


@pytest.mark.parametrize(
    ("excess", "size"),
    [
        ([2, 1.11, 1.09, 1], 1000),
        ([2, 1.09, 1.11, 1], 10_000),  # it stays there from the last alone
        ([1.09, 1.05, 1.0, 1], 10),
        ([0.5, 1, 1, 1], 10),
    ],
)
def test_a_curve_has_saturated_within_ten_per_cent_of_its_end(excess, size):
    assert saturating(excess).saturation(10) == size


def test_the_range_of_saturation_is_its_level_of_the_resamples():
    """Three repetitions, of which one saturates at the end: a resample has it with a probability of
    1 - (2/3)^3 = 70%, so that the lower end of 30% is at the end, and that of 80% at the start."""
    early, late = saturating([1.05, 1, 1]), saturating([100, 100, 1])
    counts = np.concatenate([early.counts, early.counts, late.counts])
    curve = GANCurve(early.sizes, counts, 100, np.arange(3), 0, np.zeros(3))
    assert curve.saturation_range(10, level=0.3) == (1000, 1000)
    assert curve.saturation_range(10, level=0.8) == (10, 1000)
    assert curve.saturation_range(10) == curve.saturation_range(10, level=0.68)


def test_the_asymptote_is_at_the_most_events():
    counts = np.arange(1, 601).reshape(2, 3, 100)
    curve = GANCurve(np.array([5, 50, 500]), counts, 7, np.array([3, 8]), 0, np.zeros(2))
    assert curve.failures == (0, 2)
    for found, k in ((curve.asymptote, 2), (curve.at(500), 2), (curve.at(50), 1)):
        np.testing.assert_array_equal(found.cells, counts[:, k])
        assert found.n_train == 7
        assert found.index.tolist() == [3, 8]


def test_of_few_repetitions_the_median_is_open_above():
    """Two say nothing of it; a lower end of zero, as of perfect cells, is no bound either."""
    two = pure(100, 2).median_n_equiv(10)
    assert (two.low, two.high) == (0, np.inf)
    cells = np.concatenate([np.full((3, 100), 1), pure(100, 3).cells])
    middle = Repetitions(cells, 100, np.arange(6)).median_n_equiv(10)
    assert middle.low < middle.value < middle.high == np.inf


def test_the_ends_of_the_median_are_two_of_the_repetitions():
    """Five of them: the least and the largest MSE hold the median in 15 of 16 cases."""
    five = pure(100, 5)
    worths = np.sort(expected_mse(1, 10) / five.mse(10))
    assert five.median_n_equiv(10) == pytest.approx((worths[2], worths[0], worths[4]))
    assert five.median_amplification(10) == pytest.approx(worths[[2, 0, 4]] / 100)


def test_the_interval_of_a_ratio_ends_where_the_difference_is_t_errors_from_zero():
    """Fieller's, for five pairs: <over - r under> is 2.776 of its standard errors."""
    over, under = np.array([5.0, 7, 6, 9, 8]), np.array([2.0, 3.5, 2.5, 4, 3])
    ratio = ratio_of_means(over, under)
    assert ratio.value == pytest.approx(7 / 3)
    assert ratio.repetitions == 5
    for r, side in ((ratio.low, 1), (ratio.high, -1)):
        off = over - r * under
        assert off.mean() == pytest.approx(side * 2.7764 * off.std(ddof=1) / 5**0.5, rel=1e-4)
    off = over - ratio.value * under
    assert ratio.error == pytest.approx(off.std(ddof=1) / 5**0.5 / under.mean())


def test_a_ratio_whose_denominator_may_be_zero_has_no_upper_end():
    over, under = np.array([5.0, 7, 6]), np.array([0.1, 3.5, 0.1])
    assert ratio_of_means(over, under)[3:] == (np.inf, 3)
    assert ratio_of_means(over - 5, under)[2] == 0.0, "the numerator may be zero, too"
    single = ratio_of_means(over[:1], under[:1])
    assert single.value == pytest.approx(50)
    assert np.isnan(single.error)
    assert single[2:] == (0.0, np.inf, 1)
    two = ratio_of_means(np.array([1.0, 1.01]), np.array([2.0, 2.01]))
    assert 0 < two.low < two.value < two.high < 1


def test_a_ratio_is_not_below_zero():
    """An over that may be zero: the lower end is zero, the upper finite."""
    ratio = ratio_of_means(np.array([0.0, 0.0, 9.0]), np.array([2.0, 2.1, 1.9]))
    assert ratio.low == 0
    assert ratio.value < ratio.high < np.inf


@pytest.mark.parametrize("wrong", [[], [1], 1, [10, 30], ["10"], [10.0], [True], None, [200]])
def test_quantiles_must_divide_the_stored_cells(wrong):
    with pytest.raises(ParameterError, match=r"allowed are 2, 4, 5, 10, 20, 25, 50, 100"):
        check_quantiles(wrong)


def test_quantiles_may_be_one_number():
    assert check_quantiles(20) == [20]


# ---- ratios with failed trainings ----


def test_of_a_ratio_whose_denominator_may_be_zero_the_lower_end_is_known():
    """Fieller's, where <over> is not zero but <under> may be: one positive root is left."""
    over, under = np.array([5.0, 6, 5.5, 5.2]), np.array([1.0, 0.1, 9.0, 0.1])
    ratio = ratio_of_means(over, under)
    assert ratio.high == np.inf
    off = over - ratio.low * under
    assert off.mean() == pytest.approx(3.1824 * off.std(ddof=1) / 4**0.5, rel=1e-4)


def test_failures_cap_a_ratio_where_the_others_alone_do():
    """98 pairs alike and two with a hundred times the error: with f from 0.36 to 6.3% (95% of
    Beta(2.5, 98.5), here from the gamma function's tables) r = 1 / (1 + 99 f)."""
    from scipy.stats import beta

    failed = np.arange(100) < 2
    under = np.where(failed, 100.0, 1.0)
    found = ratio_of_means(np.ones(100), under, failed)
    f = beta.ppf([0.975, 0.025], 2.5, 98.5)
    assert found[2:4] == pytest.approx(1 / (1 + 99 * f), rel=0.05)
    assert found.value == pytest.approx(100 / 298)
    assert ratio_of_means(np.ones(100), under).high > 4, "Fieller's does not know of the others"


def test_without_failures_or_with_nothing_else_fieller_is_asked():
    over, under = np.array([5.0, 7, 6, 9]), np.array([2.0, 3.5, 2.5, 4])
    for failed in (None, np.zeros(4, bool), np.ones(4, bool)):
        assert ratio_of_means(over, under, failed) == ratio_of_means(over, under)


@pytest.mark.parametrize(
    ("n", "rate", "error"), [(100, 0.02, 140.0), (30, 0.05, 140.0), (10, 0.2, 2.0)]
)
def test_intervals_of_ratios_with_failures_cover(n, rate, error, monkeypatch):
    """Intervals of 300 sets that have a failed one, and two others: if they hold the truth in 92.5%
    of all cases, fewer than 88% do in one of 500, and that is what is asked."""
    monkeypatch.setattr(amplification, "DRAWS", 1000)
    rng, covered, sets, truth = np.random.default_rng(n), 0, 0, 1 / (rate * error + 1 - rate)
    while sets < 300:
        failed = rng.random(n) < rate
        if not 0 < failed.sum() < n - 1:
            continue
        luck, own, other = rng.chisquare(9, (3, n)) / 9
        scatter = rng.chisquare(9, n) / 9 if error < 100 else 1.0
        low, high = ratio_of_means(
            luck * own, np.where(failed, error * scatter, luck * other), failed
        )[2:4]
        covered += low <= truth <= high
        sets += 1
    assert covered / sets > 0.88


def test_repetitions_with_failures_have_that_interval():
    """What is worth so many points is a ratio too: its bias is not removed, and it prints its
    interval."""
    good, bad = pure(100, 20), np.eye(100)[:2] * 100
    failed = np.arange(22) >= 20
    every = Repetitions(np.concatenate([good.cells, bad]), 100, np.arange(22), failed)
    worth = every.n_equiv(10)
    assert worth.value == pytest.approx(expected_mse(1, 10) / every.mse(10).mean())
    assert str(worth) == str(worth.interval())
    assert every.amplification(10)[:4] == pytest.approx(np.divide(worth[:4], 100))
    assert every.some(~failed).n_equiv(10) == good.n_equiv(10)
    alone = ratio(every, Repetitions(good.cells, 100, np.arange(20)))(10)
    assert alone == ratio_of_means(good.mse(10), good.mse(10)), "failed ones are not among these"
