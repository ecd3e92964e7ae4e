"""Baselines: exact against scipy and by hand, and what they are worth, with stated powers."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from amplib.cells import cell_counts, merge_cells
from amplib.metrics.quantiles import n_equiv, quantile_mse
from amplib.models.fit import fit_camel_back
from amplib.models.smoothing import (
    BASELINES,
    DRAWS,
    LABELS,
    kde_probabilities,
    leave_one_out_bandwidth,
    scott_bandwidth,
    silverman_bandwidth,
)
from amplib.truth.densities import CamelBack

TRUTH = CamelBack()
EDGES = TRUTH.edges(100)
N_TRAIN = 100


def sample(seed, n=N_TRAIN):
    return TRUTH.sample(n, np.random.default_rng(seed))


def baseline(name, x, edges=EDGES):
    return BASELINES[name](x, edges, np.random.default_rng(0))


def worth(name, samples, q):
    p = np.array([baseline(name, x) for x in samples])
    return n_equiv(quantile_mse(merge_cells(p, q)), q)


@pytest.mark.parametrize("n", [5, 100, 1000])
def test_scotts_rule_is_that_of_scipy(n):
    x = sample(30, n)
    kde = stats.gaussian_kde(x, bw_method="scott")
    assert scott_bandwidth(x) == pytest.approx(kde.factor * x.std(ddof=1), rel=1e-13)
    inner = EDGES[1:-1]
    expected = [kde.integrate_box_1d(a, b) for a, b in pairwise(inner)]
    np.testing.assert_allclose(baseline("scott", x)[1:-1], expected, atol=1e-12)


def test_silvermans_rule_of_thumb_by_hand():
    """Quartiles of 1 and 3 beside a far point: their range is less than the deviation."""
    x = [0.0, 1.0, 2.0, 3.0, 100.0]
    assert silverman_bandwidth(x) == pytest.approx(0.9 * (2 / 1.34) * 5**-0.2)
    humps = sample(30)
    assert silverman_bandwidth(humps) == pytest.approx(0.9 * humps.std(ddof=1) * 100**-0.2)
    with pytest.raises(ValueError, match="half of the points are equal"):
        silverman_bandwidth([0.0, 1.0, 1.0, 1.0, 2.0])


@pytest.mark.parametrize("seed", range(3))
def test_leave_one_out_bandwidth_maximises_its_likelihood(seed):
    x = sample(200 + seed, 40)

    def log_likelihood(h):
        others = [stats.norm.pdf(x[i], np.delete(x, i), h).mean() for i in range(x.size)]
        return np.log(others).sum()

    best = leave_one_out_bandwidth(x)
    grid = scott_bandwidth(x) * np.geomspace(0.005, 2, 60)
    with np.errstate(divide="ignore"):
        assert log_likelihood(best) >= max(map(log_likelihood, grid)) - 1e-9
    np.testing.assert_allclose(baseline("loo", x), kde_probabilities(x, EDGES, best))


def test_leave_one_out_bandwidth_of_two_points_is_their_distance():
    """log N(x_1; x_2, h) is largest at h = |x_1 - x_2|, which is 1.62 times Scott's."""
    assert leave_one_out_bandwidth([3.0, 5.0]) == pytest.approx(2, rel=1e-5)


def test_leave_one_out_bandwidth_of_repeated_values_is_the_least_of_the_scan():
    x = np.repeat(sample(203, 20), 2)
    assert leave_one_out_bandwidth(x) == pytest.approx(0.005 * scott_bandwidth(x), rel=1e-3)


@pytest.mark.parametrize("seed", [31, 70, 240, 338])
def test_leave_one_out_bandwidth_is_the_best_of_several_maxima(seed):
    """Close pairs among loose points: a scan in steps of a factor of 7 takes the wrong one."""
    rng = np.random.default_rng(seed)
    pairs, distance = rng.integers(2, 12), 10 ** rng.uniform(-3, -1.5)
    first = rng.normal(0, 1, pairs)
    second = first + distance * rng.uniform(0.5, 1.5, pairs)
    x = np.concatenate([first, second, rng.normal(0, 1, rng.integers(2, 12))])

    def log_likelihood(h):
        others = [stats.norm.pdf(x[i], np.delete(x, i), h).mean() for i in range(x.size)]
        return np.log(others).sum()

    grid = scott_bandwidth(x) * np.geomspace(0.01, 2, 200)
    with np.errstate(divide="ignore"):
        assert log_likelihood(leave_one_out_bandwidth(x)) >= max(map(log_likelihood, grid)) - 1e-9


def test_leave_one_out_bandwidth_follows_the_unit():
    x = sample(31)
    assert leave_one_out_bandwidth(1e3 * x + 5) == pytest.approx(
        1e3 * leave_one_out_bandwidth(x), rel=1e-4
    )


def test_a_narrow_kernel_is_the_bootstrap():
    x = sample(32)
    fractions = cell_counts(x, EDGES) / N_TRAIN
    np.testing.assert_allclose(kde_probabilities(x, EDGES, 1e-9), fractions, atol=1e-6)


def test_histogram_by_hand():
    """Bins are 0.8 wide: -0.2 lies in [-0.8, 0), 0.5 in [0, 0.8), and 99 in the last one."""
    p = baseline("histogram", [-0.2, 0.5, 0.6, 99.0], [-np.inf, -0.4, 0.2, 7.6, np.inf])
    np.testing.assert_allclose(p, np.array([0.5, 0.5 + 0.5, 1.5 + 0.5, 0.5]) / 4)


def test_bootstrap_draws_from_the_sample():
    """Multinomial around its fractions: five standard deviations, a false alarm in 10^5."""
    x = sample(33)
    expected, p = cell_counts(x, EDGES) / N_TRAIN, baseline("bootstrap", x)
    assert not np.array_equal(p, expected)
    assert (np.abs(p - expected) <= 5 * np.sqrt(expected / DRAWS)).all()


@pytest.mark.parametrize("seed", range(5))
def test_mixture_finds_the_maximum_of_the_fit(seed):
    x = sample(300 + seed)
    expected = fit_camel_back(x).cell_probabilities(EDGES)
    np.testing.assert_allclose(baseline("mixture", x), expected, atol=2e-4)


def test_mixture_depends_on_its_seed_alone():
    x = np.random.default_rng(34).uniform(-1, 1, 30)
    a, b = (BASELINES["mixture"](x, EDGES, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", BASELINES)
@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(10, 200))
def test_probabilities_are_probabilities(name, seed, n):
    p = baseline(name, sample(seed, n))
    assert p.shape == (100,) and np.all(p >= 0)
    assert p.sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("name", BASELINES)
def test_coarse_cells_are_sums_of_fine_ones(name):
    x = sample(35)
    np.testing.assert_allclose(
        merge_cells(baseline(name, x), 20), baseline(name, x, TRUTH.edges(20)), atol=1e-12
    )


@pytest.mark.parametrize("q", [10, 20, 50])
def test_bootstrap_is_worth_its_sample(q):
    """N_equiv = N of 2000 samples, seeded.

    Exact relative deviation of <MSE>: sqrt(2 (N - 1) / (N (q - 1) R)) = 1.05% at q = 10. Band 5 of
    these: false alarm 6e-7. A baseline that amplifies by 15% fails with probability > 0.99.
    """
    repetitions = 2000
    sigma = (2 * (N_TRAIN - 1) / (N_TRAIN * (q - 1) * repetitions)) ** 0.5
    assert stats.norm.sf((5 * sigma - (1 - 1 / 1.15)) / sigma) > 0.99
    rng = np.random.default_rng(36)
    value = worth("bootstrap", (TRUTH.sample(N_TRAIN, rng) for _ in range(repetitions)), q).value
    assert abs(N_TRAIN / value - 1) < 5 * sigma


def test_rules_of_thumb_lose_and_a_chosen_bandwidth_amplifies():
    """N_equiv of 80 samples at q = 10, seeded; measured with 300: Scott 29.5, leave-one-out 162.

    Threshold 125 = 1.25 N. The relative deviation of the MSE is 0.59 (leave-one-out), 0.50 (no
    smoothing), 0.09 (Scott). Leave-one-out falls below with probability < 1e-4 (false alarm), a
    baseline without smoothing is caught with probability > 0.99, and Scott's is 30 deviations
    away from the sample itself, which it must not reach.
    """
    repetitions, threshold = 80, 1 / 1.25
    sigma = np.array([0.59 / 1.62, 0.50]) / repetitions**0.5
    assert stats.norm.sf((threshold - 1 / 1.62) / sigma[0]) < 1e-4
    assert stats.norm.sf((threshold - 1) / sigma[1]) > 0.99
    samples = [sample(400 + seed) for seed in range(repetitions)]
    assert worth("loo", samples, 10).value > 125
    assert worth("scott", samples, 10).value < 100
    assert worth("scott", samples, 10).value < worth("silverman", samples, 10).value < 100


def test_every_baseline_has_a_label():
    assert list(BASELINES) == ["scott", "silverman", "loo", "histogram", "mixture", "bootstrap"]
    assert LABELS.keys() == BASELINES.keys()
    assert len(set(LABELS.values())) == len(LABELS)


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("x", [[], [1.0, np.nan], np.ones((3, 4))])
def test_impossible_samples_are_refused_in_one_line(name, x):
    with pytest.raises(ValueError, match="sample") as error:
        baseline(name, x)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["scott", "silverman", "loo", "mixture"])
def test_a_sample_without_spread_has_no_bandwidth(name):
    with pytest.raises(ValueError, match="equal"):
        baseline(name, [2.0, 2.0, 2.0])


@pytest.mark.parametrize("bandwidth", [0, -1, np.nan, np.inf])
def test_impossible_bandwidths_are_refused(bandwidth):
    with pytest.raises(ValueError, match="bandwidth"):
        kde_probabilities([1.0, 2.0], [0, 1, 2], bandwidth)
