"""The metric itself: exact identities, and its statistics with stated false alarms and powers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from amplib.cells import cell_counts, cell_masses, merge_cells
from amplib.estimate import Estimate
from amplib.metrics.quantiles import amplification_factor, expected_mse, n_equiv, quantile_mse
from amplib.truth.densities import CamelBack

TRUTH = CamelBack()
N_TRAIN = 100
counts_100 = hnp.arrays(np.int64, (3, 100), elements=st.integers(0, 1000))


def relative_deviation(n, q, repetitions):
    """Exact relative standard deviation of <MSE>: N q^2 MSE is Pearson's chi^2 of q equal cells,
    whose mean is q - 1 and whose variance is 2 (q - 1) (n - 1) / n."""
    return (2 * (n - 1) / (n * (q - 1) * repetitions)) ** 0.5


@pytest.fixture(scope="module")
def sample_counts():
    """Counts of 10^4 true samples of 100 points in 100 cells."""
    x = TRUTH.sample(10_000 * N_TRAIN, np.random.default_rng(10)).reshape(-1, N_TRAIN)
    return cell_counts(x, TRUTH.edges(100))


@pytest.mark.parametrize("q", [10, 20, 50])
def test_pure_samples_keep_the_identity(sample_counts, q):
    """<MSE> of 10^4 samples against (1/q) (1 - 1/q) / N.

    Band 5 exact standard deviations (2.3%, 1.6%, 1.0% at q = 10, 20, 50): false alarm 6e-7. A
    metric biased by 5% fails with probability > 0.99 (computed here; 5 deviations at q = 10).
    The spread of the MSE is known to 1% (kurtosis of chi^2), and is held to 10%.
    """
    sigma = relative_deviation(N_TRAIN, q, len(sample_counts))
    power = stats.norm.sf((5 * sigma - 0.05) / (1.05 * sigma))
    assert power > 0.99

    mse = quantile_mse(merge_cells(sample_counts, q) / N_TRAIN)
    ratio = mse.mean() / expected_mse(N_TRAIN, q)
    assert abs(ratio - 1) < 5 * sigma
    assert abs(1.05 * ratio - 1) > 5 * sigma
    assert mse.std() / mse.mean() == pytest.approx(relative_deviation(N_TRAIN, q, 1), rel=0.1)


def test_error_of_n_equiv_covers():
    """Pulls (N_equiv - N) / error of 1000 experiments of 200 repetitions at q = 20, seeded.

    The spread of 1000 pulls has the relative deviation 1/sqrt(2000) = 2.2%; with the skewness of
    the MSE about 2.5%. Band 15%: false alarm < 1e-8 (6 deviations). An error wrong by 25% fails
    with probability P(z < (1.25 - 1.15) / (1.25 * 0.025) = 3.2) > 0.99; by 30% low, likewise.
    """
    experiments, repetitions, q = 1000, 200, 20
    rng = np.random.default_rng(11)
    counts = rng.multinomial(N_TRAIN, np.full(q, 1 / q), (experiments, repetitions))
    estimates = [n_equiv(mse, q) for mse in quantile_mse(counts / N_TRAIN)]
    pulls = np.array([(e.value - N_TRAIN) / e.error for e in estimates])
    assert abs(pulls.std() - 1) < 0.15
    assert abs(1.25 * pulls.std() - 1) > 0.15
    assert abs(0.7 * pulls.std() - 1) > 0.15


@pytest.mark.parametrize(
    ("freedom", "least"), [(2, 0.90), (3, 0.90), (4, 0.93), (9, 0.93), (49, 0.93)]
)
def test_interval_over_five_trainings_covers(freedom, least):
    """MSE as skewed as a chi square of as many degrees of freedom as numbers are learned, 2000
    times five.  In 4000 it is 93%, 94%, 94%, 95% and 95%, each ± 0.4%: false alarm 0.02, seeded."""
    relative = np.random.default_rng(freedom).chisquare(freedom, (2000, 5)) / freedom
    found = [n_equiv(mse * expected_mse(9, 50), 50).interval() for mse in relative]
    assert np.mean([low <= 9 <= high for _, low, high in found]) >= least


def test_a_biased_sample_is_worth_less_the_larger_it_is():
    """Points of a wrong truth (weight 0.6): MSE -> bias^2, so N_equiv saturates.

    The bias alone is worth E = (1 - 1/q) / (q sum_j b_j^2 / q) points; 200 samples of 10^5 points
    must give 1/N_equiv = 1/E + 1/n within 10%. The relative deviation of <MSE> is below 1%
    (cross term 2 |b| sqrt(p/n) each, over 200): false alarm < 1e-9. Ignoring the bias (N_equiv =
    n) is missed by a factor of 1000, so the power is 1 to every printed digit.
    """
    q, n = 10, 100_000
    p = np.diff(CamelBack(weight=0.6).cdf(TRUTH.edges(q)))
    counts = np.random.default_rng(12).multinomial(n, p, 200)
    worth = n_equiv(quantile_mse(counts / n), q).value
    bias = n_equiv(quantile_mse(p), q).value
    assert 1 / worth == pytest.approx(1 / bias + 1 / n, rel=0.1)


@given(hnp.arrays(float, (2, 30), elements=st.floats(-20, 20)))
def test_cell_counts_are_histograms(x):
    edges = np.array([-21.0, -4, 0, 1, 21])
    expected = [np.histogram(row, edges)[0] for row in x]
    np.testing.assert_array_equal(cell_counts(x, edges), expected)


def test_a_point_on_a_boundary_belongs_to_the_upper_cell():
    assert cell_counts([0.0], [-np.inf, 0, np.inf]).tolist() == [0, 1]


def test_an_empty_cell_has_no_negative_mass():
    mass = cell_masses([0.0, 0.5, 0.5 - 1e-16, 1.0])
    assert np.all(mass >= 0) and mass.sum() == pytest.approx(1)


@given(counts_100, st.sampled_from([2, 5, 10, 20, 25, 50, 100]))
def test_merging_keeps_the_total_and_the_order(counts, q):
    merged = merge_cells(counts, q)
    assert merged.shape == (3, q) and merged.dtype == counts.dtype
    np.testing.assert_array_equal(merged.sum(axis=-1), counts.sum(axis=-1))
    np.testing.assert_array_equal(merged[:, 0], counts[:, : 100 // q].sum(axis=-1))


def test_merging_equals_counting_in_the_coarser_cells():
    x = TRUTH.sample(1000, np.random.default_rng(13))
    fine = cell_counts(x, TRUTH.edges(100))
    for q in (10, 20, 50):
        np.testing.assert_array_equal(merge_cells(fine, q), cell_counts(x, TRUTH.edges(q)))


@given(hnp.arrays(float, 10, elements=st.floats(0, 1)), st.randoms())
def test_quantile_mse_has_its_bounds_and_symmetry(w, random):
    p = (w + 1e-3) / (w + 1e-3).sum()
    shuffled = random.sample(list(p), len(p))
    assert 0 <= quantile_mse(p) <= (1 - 1 / 10) / 10
    assert quantile_mse(shuffled) == pytest.approx(float(quantile_mse(p)), rel=1e-12, abs=1e-18)


def test_quantile_mse_of_extremes():
    assert quantile_mse(np.full(50, 0.02)) == pytest.approx(0, abs=1e-30)
    assert quantile_mse([1, 0, 0, 0, 0]) == pytest.approx((1 - 1 / 5) / 5)
    assert quantile_mse(np.full((3, 4, 10), 0.1, dtype=np.float32)).shape == (3, 4)


def test_lost_points_are_refused_and_rounding_is_not():
    """One point in a thousand is missing; in single precision a sum is off by some 1e-6."""
    with pytest.raises(ValueError, match="must sum to one"):
        quantile_mse([0.5, 0.25, 0.249])
    with pytest.raises(ValueError, match="must sum to one"):
        quantile_mse([0.5, 0.25, 0.25 + 2e-5])
    assert quantile_mse([0.5, 0.25, 0.25 + 5e-6]) > 0


def test_one_point_has_no_variance_of_its_mse():
    assert expected_mse(1, 10) == pytest.approx(float(quantile_mse(np.eye(10)[0])))


@given(st.integers(1, 10**6), st.integers(2, 1000))
def test_n_equiv_inverts_expected_mse(n, q):
    assert n_equiv(expected_mse(n, q), q).value == pytest.approx(n, rel=1e-12)


def test_n_equiv_propagates_the_standard_error():
    mse = np.array([1.0, 2.0, 3.0]) * 1e-3
    relative = (1e-3 / 3**0.5) / 2e-3
    value, error, low, high, repetitions = n_equiv(mse, 10)
    assert value == pytest.approx(45 / (1 + relative**2))
    assert error == pytest.approx(value * relative)
    assert low * high == pytest.approx(45**2), "an interval in the logarithm"
    assert high / 45 == pytest.approx(np.exp(4.302653 * relative)), "Student's t for two"
    assert repetitions == 3
    assert n_equiv(mse[:1], 10)[2:] == (0.0, np.inf, 1)
    assert np.isnan(n_equiv(mse[:1], 10).error)
    assert np.isnan(n_equiv(mse[0], 10).error)


def test_amplification_factor_is_n_equiv_over_n_train():
    mse = [1e-3, 2e-3]
    factor, worth = amplification_factor(mse, 10, 50), n_equiv(mse, 10)
    np.testing.assert_allclose(factor[:4], np.array(worth[:4]) / 50)
    assert factor.repetitions == worth.repetitions == 2


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (239.4, 11.2, "239 ± 11"),
        (1048.3, 51.7, "1048 ± 52"),
        (12346, 678, "12350 ± 680"),
        (1.5, 0.0996, "1.50 ± 0.10"),
        (1.5, 0.995, "1.50 ± 0.99"),
        (239.4, 9.96, "239 ± 10"),
        (-0.01234, 0.00056, "-0.01234 ± 0.00056"),
        (2.0, 1e-5, "2.000000 ± 0.000010"),
        (239.4, float("nan"), "239.4 ± nan"),
        (100, 0, "100"),
    ],
)
def test_estimate_prints_two_digits_of_its_error(value, error, text):
    assert str(Estimate(value, error)) == text
    assert f"{Estimate(value, error)}" == text


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cell_counts([], [0, 1, 2]), "points"),
        (lambda: cell_counts(1.0, [0, 1, 2]), "points"),
        (lambda: cell_counts([np.nan], [0, 1, 2]), "NaN"),
        (lambda: cell_counts([np.inf], [-np.inf, 1, np.inf]), "infinity"),
        (lambda: cell_counts([5.0], [0, 1, 2]), "outside"),
        (lambda: cell_counts([0.5], [0, 1, 1]), "rising"),
        (lambda: cell_counts([0.5], [0, np.nan, 1]), "rising"),
        (lambda: cell_counts([0.5], [0, 1]), "rising"),
        (lambda: cell_masses([0.0, 0.6, 0.5, 1.0]), "rises"),
        (lambda: cell_masses([0.0, np.nan, 1.0]), "rises"),
        (lambda: merge_cells([1, 2, 3], 2), "divide"),
        (lambda: merge_cells([1, 2], 1), "q >= 2"),
        (lambda: merge_cells([1, -2], 2), "not negative"),
        (lambda: quantile_mse([]), "no entries"),
        (lambda: quantile_mse([1.0]), "q >= 2"),
        (lambda: quantile_mse([np.nan, 1]), "finite"),
        (lambda: quantile_mse([-0.5, 1.5]), "not negative"),
        (lambda: quantile_mse([3, 4]), "sum to one"),
        (lambda: expected_mse(0, 10), "positive"),
        (lambda: expected_mse(float("nan"), 10), "positive"),
        (lambda: expected_mse(100, 1), "q >= 2"),
        (lambda: n_equiv([], 10), "no entries"),
        (lambda: n_equiv([0.0], 10), "infinite"),
        (lambda: n_equiv([1e-3, np.nan], 10), "finite"),
        (lambda: n_equiv([-1e-3], 10), "not negative"),
        (lambda: amplification_factor([1e-3], 10, 0), "at least one"),
    ],
)
def test_impossible_values_are_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)
