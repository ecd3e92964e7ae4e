"""The five-parameter fit: calculus exactly, statistics against the Cramer-Rao bound."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.optimize import approx_fprime

from amplib.cells import merge_cells
from amplib.metrics.quantiles import expected_mse, n_equiv, quantile_mse
from amplib.models.fit import (
    PARAMETERS,
    CamelBackLikelihood,
    fit_camel_back,
    information,
    propagated_mse,
    starting_values,
)
from amplib.truth.densities import CamelBack, two_gaussians_cdf, two_gaussians_pdf

TRUTH = CamelBack()
TRUE_PARAMETERS = np.array([-4.0, 4, 1, 1, 0.5])
EDGES = TRUTH.edges(100)
N_TRAIN, FITS = 100, 200

parameters = st.tuples(
    st.floats(-6, -2), st.floats(2, 6), st.floats(0.3, 3), st.floats(0.3, 3), st.floats(0.05, 0.95)
)


def sample(seed, n=N_TRAIN):
    return TRUTH.sample(n, np.random.default_rng(seed))


def parameter_derivatives(f, x, h=1e-5):
    """Central differences of f(x; parameters) at the truth, shape (5, N)."""

    def at(p):
        return f(x, p[:2], p[2:4], p[4])

    steps = h * np.eye(5)
    return np.array([(at(TRUE_PARAMETERS + s) - at(TRUE_PARAMETERS - s)) / (2 * h) for s in steps])


def linear_response():
    """(5, 100): change of the cells' probabilities for a unit of the total score.

    d p = J^T I^-1 score, with the Fisher information I by quadrature: the efficient estimator.
    """
    x = np.linspace(-13, 13, 5001)
    d = parameter_derivatives(two_gaussians_pdf, x)
    information = (d / TRUTH.pdf(x)) @ d.T * (x[1] - x[0])
    jacobian = np.diff(parameter_derivatives(two_gaussians_cdf, EDGES), axis=1)
    return np.linalg.solve(information, jacobian)


@pytest.fixture(scope="module")
def fits():
    """Cell probabilities (200, 100) of the fits and of the efficient estimator, and validity."""
    rng, response = np.random.default_rng(20), linear_response()
    fitted, efficient, valid = [], [], []
    for _ in range(FITS):
        x = TRUTH.sample(N_TRAIN, rng)
        fit = fit_camel_back(x)
        score = (parameter_derivatives(two_gaussians_pdf, x) / TRUTH.pdf(x)).sum(axis=1)
        fitted.append(fit.cell_probabilities(EDGES))
        efficient.append(1 / 100 + score @ response / N_TRAIN)
        valid.append(fit.valid)
    return np.array(fitted), np.array(efficient), np.array(valid)


def test_all_fits_of_the_papers_sample_size_converge(fits):
    """None of 4000 fits failed when measured: at a true rate below 1/1300 (95% limit), more than
    two failures of 200 have the probability < 1e-3. A fit that fails in 5% of the samples is
    caught with probability > 0.99 (binomial)."""
    assert stats.binom.sf(2, FITS, 1 / 1300) < 1e-3
    assert stats.binom.sf(2, FITS, 0.05) > 0.99
    assert np.sum(~fits[2]) <= 2


@pytest.mark.parametrize(("q", "expected"), [(10, 237), (20, 435), (50, 1026)])
def test_equivalent_sample_size_of_the_fit(fits, q, expected):
    """N_equiv of 200 fits against that of 4000 (236.7 ± 2.5, 434.5 ± 4.5, 1026 ± 11).

    The MSE of one fit has the relative deviation 0.67, so <MSE> of 200 has 4.7% (and 1.1% of the
    reference). Band 22% in <MSE>: false alarm 5e-6 each. A fit whose MSE is 50% too large fails
    with probability > 0.99, both computed here. The papers read off 300, 500 and 1000.
    """
    sigma, band = np.hypot(0.67 / FITS**0.5, 0.011), 0.22
    assert 2 * stats.norm.sf(band / sigma) < 1e-5
    assert stats.norm.sf((1 + band - 1.5) / (1.5 * sigma)) > 0.99
    worth = n_equiv(quantile_mse(merge_cells(fits[0], q)), q)
    assert abs(expected / worth.value - 1) < band
    assert abs(1.5 * expected / worth.value - 1) > band


@pytest.mark.parametrize("q", [10, 20, 50])
def test_fit_reaches_the_cramer_rao_bound(fits, q):
    """<MSE> of the fit over that of the efficient estimator on the same 200 samples.

    The pairing removes most of the statistics: the ratio was measured as 1.030 ± 0.009 (600 other
    samples; terms of 1/N), with a deviation of 0.0157 for 200. Band 1.03 ± 0.09: false alarm
    < 1e-6 with the reference's error. A fit that loses 20% fails with probability > 0.99.
    """
    sigma = np.hypot(0.0157, 0.009)
    assert 2 * stats.norm.sf(0.09 / sigma) < 1e-6
    assert stats.norm.sf((1.12 - 1.2 * 1.03) / (1.2 * sigma)) > 0.99
    fitted, efficient = (((merge_cells_signed(p, q) - 1 / q) ** 2).mean() for p in fits[:2])
    assert abs(fitted / efficient - 1.03) < 0.09


def merge_cells_signed(p, q):
    """The linearised estimator may leave [0, 1], which merge_cells refuses."""
    return p.reshape(len(p), q, -1).sum(axis=-1)


@settings(max_examples=40, deadline=None)
@given(parameters)
def test_gradient_is_the_derivative_of_the_likelihood(p):
    likelihood, p = CamelBackLikelihood(sample(21)), np.array(p)
    expected = [
        (likelihood(p + h) - likelihood(p - h)) / 2e-6 for h in 1e-6 * np.eye(len(PARAMETERS))
    ]
    np.testing.assert_allclose(likelihood.gradient(p), expected, rtol=1e-5, atol=1e-3)


def test_likelihood_is_minus_the_sum_of_log_pdf():
    x, p = sample(22), np.array([-3.0, 5, 1.2, 0.7, 0.4])
    expected = -np.log(two_gaussians_pdf(x, p[:2], p[2:4], p[4])).sum()
    assert CamelBackLikelihood(x)(p) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_score_vanishes_at_the_fit_and_covariance_is_the_inverse_hessian(seed):
    x = sample(100 + seed)
    fit, likelihood = fit_camel_back(x), CamelBackLikelihood(x)
    score = likelihood.gradient(fit.parameters)
    assert score @ fit.covariance @ score < 1e-4
    hessian = approx_fprime(fit.parameters, likelihood.gradient, 1e-6)
    np.testing.assert_allclose(fit.covariance @ hessian, np.eye(5), atol=0.02)


@settings(max_examples=20, deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(-100, 100))
def test_fit_follows_the_unit_and_the_origin(scale, shift):
    x = sample(23)
    a, b = fit_camel_back(x).parameters, fit_camel_back(scale * x + shift).parameters
    moved = np.array([scale * a[0] + shift, scale * a[1] + shift, scale * a[2], scale * a[3], a[4]])
    tolerance = 1e-3 * np.array([scale, scale, scale, scale, 1])
    assert np.all(np.abs(b - moved) < tolerance)


@given(
    st.lists(st.integers(-1000, 1000), min_size=6, max_size=40).filter(lambda v: len(set(v)) > 2)
)
def test_starting_values_are_the_best_cut_in_two(values):
    x = np.sort(np.array(values, dtype=float))
    squares = [c * x[:c].var() + (x.size - c) * x[c:].var() for c in range(1, x.size)]
    start = starting_values(x)
    assert x.size * start[2] ** 2 == pytest.approx(min(squares), rel=1e-9)
    assert start[0] < start[1] and start[2] == start[3] and 0 < start[4] < 1


def test_the_start_is_means_pooled_width_and_share_of_the_two_parts():
    """By hand: -5, -4, -3 about -4 and 3, 5 about 4; squares of 2 and 2 over five points."""
    start = starting_values(np.array([5.0, -3, -5, 3, -4]))
    assert start == pytest.approx([-4, 4, 0.8**0.5, 0.8**0.5, 0.6])


def test_start_finds_the_humps_of_unequal_samples():
    """Seeded; 100 samples with 5 of 100 points in the left hump: the start counts exactly these.

    The cut lies between the parts' means, four widths from either; their mean of 5 points moves
    it by 0.2, so a point crosses in less than 1% of the samples. More than 8 misses then have the
    probability < 1e-5. A start that misses one sample in four is caught with probability > 0.99.
    """
    assert stats.binom.sf(8, 100, 0.01) < 1e-5
    assert stats.binom.sf(8, 100, 0.25) > 0.99
    rng = np.random.default_rng(24)
    weights = [starting_values(unequal_sample(rng, 5))[4] for _ in range(100)]
    assert np.sum(np.abs(np.array(weights) - 0.05) > 1e-12) <= 8


def unequal_sample(rng, first, n=100):
    return np.concatenate([rng.normal(-4, 1, first), rng.normal(4, 1, n - first)])


def test_badly_unequal_humps_are_fitted():
    """Seeded; 50 samples with 5 of 100 points in the left hump.

    200 of 200 were valid when measured, so the rate of failures is below 1.5% (95% limit): more
    than 5 of 50 then have the probability < 2e-4 (binomial). A fit that fails in 30% of such
    samples is caught with probability > 0.99.
    """
    assert stats.binom.sf(5, 50, 0.015) < 2e-4
    assert stats.binom.sf(5, 50, 0.3) > 0.99
    rng = np.random.default_rng(25)
    results = [fit_camel_back(unequal_sample(rng, 5)) for _ in range(50)]
    assert sum(not fit.valid for fit in results) <= 5
    assert np.median([fit.parameters for fit in results], axis=0) == pytest.approx(
        [-4, 4, 1, 1, 0.05], abs=0.3
    )


def test_a_hump_of_one_point_is_flagged_and_not_dropped():
    x = np.concatenate([[-8.0], np.random.default_rng(26).normal(4, 1, 99)])
    fit = fit_camel_back(x)
    assert not fit.valid
    assert np.all(np.isfinite(fit.parameters)) and fit.parameters[2] > 0
    # The weight of one point of a hundred: the weight's own bounds lie beyond it.
    assert fit.parameters[4] == pytest.approx(0.01, rel=0.02)
    assert fit.cell_probabilities(EDGES).sum() == pytest.approx(1)


def test_pdf_and_cell_probabilities_belong_together():
    fit = fit_camel_back(sample(27))
    edges = np.array([-5.0, -3, 0, 4.5])
    areas = [integrate.quad(fit.pdf, a, b)[0] for a, b in pairwise(edges)]
    np.testing.assert_allclose(fit.cell_probabilities(edges), areas, atol=1e-9)
    assert fit.cell_probabilities(EDGES).sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([1.0, 2, 3, 4, 5], "N >= 6"),
        ([1.0, 2, 3, 4, 5, np.nan], "NaN"),
        (np.ones((2, 10)), "one sample"),
        (np.ones(10), "distinct"),
        ([0.0] * 5 + [1.0] * 5, "distinct"),
    ],
)
def test_impossible_samples_are_refused_in_one_line(x, message):
    with pytest.raises(ValueError, match=message) as error:
        fit_camel_back(x)
    assert "\n" not in str(error.value)


def test_the_information_of_far_humps_is_that_of_two_gaussians():
    """N/2 points a hump: mu has 1/s^2 a point, s has 2/s^2, f has 4; humps 8 apart overlap 1e-4."""
    expected = np.diag([50, 50, 100, 100, 400])
    assert information(TRUE_PARAMETERS, 100) == pytest.approx(expected, rel=0.02, abs=2.0)


def test_the_bound_of_an_unbiased_fit_is_near_what_fits_reach():
    """The worth of the Cramer-Rao covariance: about 241, 439 and 1038 points by quadrature."""
    covariance = np.linalg.inv(information(TRUE_PARAMETERS, 100))
    bounds = [
        expected_mse(1, q) / propagated_mse(TRUE_PARAMETERS, covariance, CamelBack().edges(q))
        for q in (10, 20, 50)
    ]
    assert bounds == pytest.approx([240.9, 438.8, 1038], rel=2e-3)
