"""The camel back: analytic identities, and one test of the sampler with a stated power."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from amplib.truth.densities import CamelBack, GaussianMixture, Ring, Shells, truth_named

TRUTH = CamelBack()
means = st.tuples(st.floats(-10, 10), st.floats(-10, 10))
camel_backs = st.builds(CamelBack, means, st.floats(0.1, 5), st.floats(0, 1))


def test_pdf_is_equation_1():
    x = np.linspace(-9, 9, 101)
    expected = (stats.norm.pdf(x, -4, 1) + stats.norm.pdf(x, 4, 1)) / 2
    np.testing.assert_allclose(TRUTH.pdf(x), expected, rtol=1e-13)


def test_mass_outside_of_the_ensemble_papers_range():
    outside = TRUTH.cdf(-8) + 1 - TRUTH.cdf(8)
    assert outside == pytest.approx(3.17e-5, rel=1e-3)


@settings(max_examples=50, deadline=None)
@given(camel_backs, st.floats(-12, 12), st.floats(-12, 12))
def test_cdf_is_the_integral_of_pdf(truth, a, b):
    area = integrate.quad(truth.pdf, a, b, points=truth.means, epsabs=1e-11, limit=200)[0]
    assert truth.cdf(b) - truth.cdf(a) == pytest.approx(area, abs=1e-9)


@settings(deadline=None)
@given(camel_backs, st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_ppf_inverts_cdf(truth, u):
    u = np.sort(u)
    x = truth.ppf(u)
    np.testing.assert_allclose(truth.cdf(x), u, rtol=0, atol=1e-12)
    assert np.all(x[1:] >= x[:-1])


def test_ppf_in_the_tails_and_in_the_valley():
    assert TRUTH.ppf([0, 1]).tolist() == [-np.inf, np.inf]
    u = np.array([1e-300, 1e-12, 0.5 - 1e-9, 0.5 + 1e-9])
    np.testing.assert_allclose(TRUTH.cdf(TRUTH.ppf(u)), u, rtol=1e-10)


def test_ppf_where_the_density_vanishes_between_the_humps():
    far = CamelBack((-100.0, 100.0), 0.5, 0.3)
    np.testing.assert_allclose(far.ppf([0.15, 0.65]), [-100, 100], atol=1e-12)


@pytest.mark.parametrize("q", [2, 10, 20, 50, 100])
def test_edges_have_equal_mass_and_cover_the_line(q):
    edges = TRUTH.edges(q)
    assert edges[0] == -np.inf and edges[-1] == np.inf
    np.testing.assert_allclose(np.diff(TRUTH.cdf(edges)), 1 / q, rtol=0, atol=1e-12)
    np.testing.assert_allclose(edges[1:-1], -edges[-2:0:-1], atol=1e-9)


def test_sample_follows_pdf():
    """Pearson's chi^2 of 10^6 points in 100 equal-mass cells, seeded.

    False alarm 1e-6. Power, from the noncentral chi^2, above 0.99 against each of: humps 0.02
    farther out, widths 1% larger, weight 0.51.
    """
    n, q, false_alarm = 1_000_000, 100, 1e-6
    edges, limit = TRUTH.edges(q), stats.chi2.isf(false_alarm, q - 1)
    wrong = [CamelBack((-4.02, 4.02)), CamelBack(width=1.01), CamelBack(weight=0.51)]
    for other in wrong:
        distance = n * q * np.sum((np.diff(other.cdf(edges)) - 1 / q) ** 2)
        assert stats.ncx2.sf(limit, q - 1, distance) > 0.99

    def chi2(truth):
        x = truth.sample(n, np.random.default_rng(1))
        counts = np.bincount(np.searchsorted(edges, x) - 1, minlength=q)
        return np.sum((counts - n / q) ** 2) * q / n

    assert chi2(TRUTH) < limit
    assert all(chi2(other) > limit for other in wrong)


def test_neighbouring_points_of_a_sample_are_independent():
    """Correlation of 10^5 pairs of neighbours, seeded.

    Its standard deviation is 1/sqrt(n) = 0.0032; band 5 of these: false alarm 6e-7; power
    against a correlation of 0.03 is P(z > -4.5) > 0.9999.
    """
    n = 100_000
    x = TRUTH.sample(2 * n, np.random.default_rng(2)).reshape(n, 2)
    assert abs(np.corrcoef(x.T)[0, 1]) < 5 / n**0.5


def test_sample_depends_on_the_seed_alone():
    a, b, c = (TRUTH.sample(100, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert a.shape == (100,)
    assert np.array_equal(a, b) and not np.array_equal(a, c)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: TRUTH.sample(0, np.random.default_rng()), "n >= 1"),
        (lambda: TRUTH.edges(1), "q >= 2"),
        (lambda: TRUTH.ppf(1.1), r"\[0, 1\]"),
        (lambda: TRUTH.ppf(np.nan), r"\[0, 1\]"),
        (lambda: TRUTH.ppf([0.5, 1.1]), r"\[0, 1\]"),
        (lambda: TRUTH.ppf([-0.1, 0.5]), r"\[0, 1\]"),
        (lambda: CamelBack(width=-1.0), "width"),
        (lambda: CamelBack(width=np.inf), "width"),
        (lambda: CamelBack(weight=-0.1), "weight"),
        (lambda: CamelBack(means=(0.0, 1.0, 2.0)), "means"),
        (lambda: CamelBack(means=(np.inf, 0.0)), "means"),
        (lambda: CamelBack(width=0.0), "width"),
        (lambda: CamelBack(weight=1.5), "weight"),
        (lambda: CamelBack(means=(0.0, np.nan)), "means"),
    ],
)
def test_impossible_values_are_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("weight", "mean"), [(1.0, -4), (0.0, 4)])
def test_all_of_the_weight_leaves_one_hump(weight, mean):
    """And one point is a sample."""
    truth, x = CamelBack(weight=weight), np.linspace(-9, 9, 31)
    np.testing.assert_allclose(truth.pdf(x), stats.norm.pdf(x, mean), atol=1e-15)
    assert truth.sample(1, np.random.default_rng(1)) * np.sign(mean) > 0


@settings(max_examples=30, deadline=None)
@given(camel_backs, st.integers(2, 60))
def test_quantiles_of_a_camel_back_are_its_cells(truth, q):
    x = truth.sample(1000, np.random.default_rng(5))
    expected = np.searchsorted(truth.edges(q)[1:-1], x, side="right")
    assert np.mean(truth.cells(q)(x[:, None]) == expected) > 0.999  # but for rounding at an edge


def test_a_mixture_in_one_dimension_is_the_camel_back():
    x = np.linspace(-9, 9, 101)
    mixture = GaussianMixture([-4, 4])
    np.testing.assert_allclose(mixture.coordinates(x)[:, 0], TRUTH.cdf(x), atol=1e-14)


def test_coordinates_of_a_mixture_are_its_conditional_distributions():
    """Their Jacobian, which is triangular, is the density."""
    c = np.array([[[1, 0.5, 0], [0.5, 2, 0.3], [0, 0.3, 1]], np.diag([0.5, 0.2, 3])])
    means, weights = np.array([[0, 0, 0], [1, 2, -1]]), [0.3, 0.7]
    mixture = GaussianMixture(means, c, weights)
    x, h = np.array([0.4, 1.1, -0.3]), 1e-5
    jacobian = [
        (mixture.coordinates(x[None] + h * e) - mixture.coordinates(x[None] - h * e))[0] / (2 * h)
        for e in np.eye(3)
    ]
    density = sum(
        w * stats.multivariate_normal(m, v).pdf(x)
        for w, m, v in zip(weights, means, c, strict=True)
    )
    assert np.linalg.det(jacobian) == pytest.approx(density, rel=1e-6)


UNLIKE = GaussianMixture(
    [[0, 0, 0], [1, 2, -1]],
    [[[1, 0.5, 0], [0.5, 2, 0.3], [0, 0.3, 1]], np.diag([0.5, 0.2, 3])],
    [0.3, 0.7],
)


@pytest.mark.parametrize(
    "truth", [Ring(), Shells(5), Shells(10), GaussianMixture(np.eye(4)), UNLIKE]
)
def test_coordinates_are_uniform_and_independent(truth):
    """Kolmogorov-Smirnov of each and all correlations of 50,000 points, seeded.

    False alarm below 1e-4 for the whole test (up to 10 + 45 comparisons at 1e-6). A radius or width
    off by 5% is told apart, as the last line shows for the radius.
    """
    u = truth.coordinates(truth.sample(50_000, np.random.default_rng(6)))
    assert u.min() >= 0 and u.max() <= 1
    assert min(stats.kstest(column, "uniform").pvalue for column in u.T) > 1e-6
    correlations = np.corrcoef(u.T)[np.triu_indices(u.shape[1], 1)]
    assert np.abs(correlations).max() < stats.norm.isf(5e-7) / 50_000**0.5
    if isinstance(truth, Shells):
        other = type(truth)(*(() if isinstance(truth, Ring) else (truth.dimension,)), radius=4.2)
        x = other.sample(50_000, np.random.default_rng(6))
        assert stats.kstest(truth.coordinates(x)[:, 0], "uniform").pvalue < 1e-6


def test_coordinates_at_the_centre_and_far_away_are_numbers():
    for d in (2, 3, 5):
        u = Shells(d).coordinates([np.zeros(d), np.full(d, 1e9), np.eye(d)[-1]])
        assert np.all((u >= 0) & (u <= 1))
        assert Shells(d).cells(2**d)(np.full((1, d), 1e9))[0] < 2**d


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Shells(1), "dimension of 2"),
        (lambda: Shells(2.5), "dimension of 2"),
        (lambda: Shells(3, radius=-1.0), "radius"),
        (lambda: Ring(width=0.0), "width"),
        (lambda: GaussianMixture([0, 1], weights=[1, 1]), "sum one"),
        (lambda: GaussianMixture([0, 1], weights=[1]), "weights must be 2"),
        (lambda: GaussianMixture([0, 1], weights=[0, 1]), "weights must be 2 positive"),
        (lambda: GaussianMixture([0, 1], weights=[-0.5, 1.5]), "weights must be 2 positive"),
        (lambda: GaussianMixture([0, 1], weights=[0.5, 0.5 + 1e-8]), "sum one"),
        (lambda: GaussianMixture([0, 1], weights=[0.5, 0.5 - 1e-8]), "sum one"),
        (lambda: Shells(3, radius=np.inf), "radius"),
        (lambda: Shells(3, width=np.inf), "width"),
        (lambda: truth_named("shells-1000"), "allowed are"),
        (lambda: GaussianMixture([[0, 1]], [[1, 2], [2, 1]]), "positive 2 x 2"),
        (lambda: GaussianMixture([[0, 1]], [[1]]), "positive 2 x 2"),
        (lambda: GaussianMixture([np.nan]), "NaN"),
        (lambda: truth_named("camel"), "allowed are camel-back"),
        (lambda: truth_named("shells-1"), "dimension of 2"),
    ],
)
def test_impossible_truths_are_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_truths_by_name():
    assert truth_named("camel-back") == CamelBack()
    assert truth_named("ring") == Ring()
    assert truth_named("shells-5") == Shells(5)


def test_a_mixture_allows_for_the_rounding_of_its_weights():
    assert GaussianMixture([0, 1], weights=[0.5, 0.5 + 1e-10]).sample(
        3, np.random.default_rng(1)
    ).shape == (3, 1)


def test_a_shell_of_no_radius_is_folded_about_the_centre():
    """The norm is that of one normal number, whatever the dimension."""
    truth = Shells(3, radius=0.0, width=2.0)
    x = np.array([[3.0, 0, 0], [0, 0, -1]])
    expected = 1 - 2 * stats.norm.sf(np.array([3, 1]) / 2)
    np.testing.assert_allclose(truth.coordinates(x)[:, 0], expected)


def test_angles_of_a_shell_by_hand():
    """In three dimensions the cosine of the polar angle is even, and the azimuth of the last two
    axes goes from -pi to pi; a point on the pole is at its end, and at the centre in the middle."""
    u = Shells(3).coordinates([[1, 0, 1], [-2, 0, 0], [0, 0, 0], [0, -1, 0], [0, 1, 1]])
    cosine = [np.sqrt(0.5), -1, 0, 0, 0]
    np.testing.assert_allclose(u[:, 1], (1 + np.array(cosine)) / 2, atol=1e-12)
    assert u[[0, 4], 2] == pytest.approx([0.75, 0.625])
    assert u[3, 2] == 1
