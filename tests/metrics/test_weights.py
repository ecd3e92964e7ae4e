"""Weighted events: what is refused, and eqs. 6 to 11 against what is known in closed form."""

import numpy as np
import pytest
from statistical import leave_one_out

from amplib.metrics.weights import (
    CHUNK,
    as_events,
    as_weights,
    bootstrap_means,
    clip,
    dilution,
    effective_share,
    effective_size,
    expectation,
    mean_weight,
    needed_events,
    needed_events_in_bins,
)

SHIFT = 0.5
"""Truth N(d, 1), generator N(0, 1): W = exp(d x - d^2 / 2), <W^2> = exp(d^2)."""


def gaussian_pair(n, seed=1, shift=SHIFT):
    x = np.random.default_rng(seed).standard_normal(n)
    return x, np.exp(shift * x - shift**2 / 2)


def pulls(measure, truth, seeds=40, n=5000):
    """(measured - true) / error over independent samples."""
    found = [measure(*gaussian_pair(n, seed)) for seed in range(seeds)]
    return np.array([(np.ravel(e.value)[0] - truth) / np.ravel(e.error)[0] for e in found])


@pytest.mark.parametrize(
    ("weights", "line"),
    [
        ([1.0, np.nan], "weight 1 is nan: weights must be finite and not negative"),
        ([np.inf, 1.0], "weight 0 is inf"),
        ([1.0, 2.0, -3.0], "weight 2 is -3"),
        ([0.0, 0.0], "all weights are zero"),
        ([[1.0, 2.0]], "must be one an event"),
    ],
)
def test_impossible_weights_are_refused_in_one_line(weights, line):
    with pytest.raises(ValueError, match=line) as raised:
        as_weights(weights)
    assert "\n" not in str(raised.value)


def test_a_number_of_weights_that_is_not_that_of_the_events_is_refused():
    with pytest.raises(ValueError, match="one for each of 3 events"):
        expectation(np.arange(3.0), [1.0, 2.0])


def test_an_event_of_weight_zero_counts_nothing():
    x, w = gaussian_pair(1000)
    more, zeros = np.append(x, [50.0, -9.0]), np.append(w, [0.0, 0.0])
    np.testing.assert_allclose(expectation(more, zeros), expectation(x, w))
    assert effective_size(zeros).value == pytest.approx(effective_size(w).value)


def test_clipping_says_how_many_and_how_much():
    kept = clip([0.5, 2.0, 10.0, 7.5], 5.0)
    assert kept.weights.tolist() == [0.5, 2.0, 5.0, 5.0]
    assert kept.clipped == 2
    assert kept.cut == pytest.approx(7.5 / 20)
    assert clip([1.0, np.inf], 5.0)[1:] == (1, 1.0)
    with pytest.raises(ValueError, match="not negative"):
        clip([1.0, np.nan], 5.0)
    with pytest.raises(ValueError, match="most = inf"):
        clip([1.0], np.inf)


@pytest.mark.parametrize(
    ("measure", "truth"),
    [
        (lambda x, w: mean_weight(w), 1.0),
        (lambda x, w: effective_share(w), np.exp(-(SHIFT**2))),
        (lambda x, w: effective_size(w), 5000 * np.exp(-(SHIFT**2))),
        (lambda x, w: expectation(x, w), SHIFT),
        # Under p_T W / <W> x is N(2 d, 1): <W (x - d)^2> / <(x - d)^2> = exp(d^2) (1 + d^2).
        (lambda x, w: needed_events(x, w), np.exp(SHIFT**2) * (1 + SHIFT**2)),
    ],
    ids=["mean weight", "effective share", "effective size", "eqs. 6 and 8", "eq. 9"],
)
def test_estimates_and_errors_are_those_of_a_known_pair(measure, truth):
    """40 samples of 5000: the mean pull within 0.8 of zero (5 sigma of sqrt(1/40)), its spread from
    0.6 to 1.5 (5 sigma of 0.11 about 1).  An error off by a factor 2 fails with power > 0.99."""
    p = pulls(measure, truth)
    assert abs(p.mean()) < 0.8
    assert 0.6 < p.std(ddof=1) < 1.5


def test_eq_8_is_the_scatter_of_the_estimate():
    """Spread over 200 samples against the stated error, both of the same mean: 5% each."""
    found = [expectation(*gaussian_pair(1000, seed)) for seed in range(200)]
    spread = np.std([f.value[0] for f in found], ddof=1)
    assert np.mean([f.error[0] for f in found]) == pytest.approx(spread, rel=0.25)


def test_unit_weights_need_as_many_events_as_the_truth():
    x = gaussian_pair(1000)[0]
    assert needed_events(x, np.ones(1000)).value[0] == pytest.approx(1)
    assert effective_size(np.ones(7))[:2] == pytest.approx((7, 0))


def test_in_a_small_bin_the_weight_decides():
    """Eq. 11: in narrow bins about x0 the ratio is W(x0)."""
    x, w = gaussian_pair(400_000)
    edges = np.linspace(-2, 3, 51)
    inside = (x >= -2) & (x < 3)
    bins = np.searchsorted(edges, x[inside], side="right") - 1
    needed = needed_events_in_bins(bins, w[inside], 50)
    expected = np.exp(SHIFT * (edges[1:] + edges[:-1]) / 2 - SHIFT**2 / 2) / w[inside].mean()
    np.testing.assert_allclose(needed.value, expected, rtol=0.01)
    with pytest.raises(ValueError, match="from 0 to 9"):
        needed_events_in_bins(bins, w[inside], 10)


def test_bootstrap_and_eq_9_agree_for_many_observables():
    """r^2 = N_G / N_T: the bootstrap of each observable itself against eq. 9, five errors each."""
    n = 20_000
    x, w = gaussian_pair(n)
    other = np.random.default_rng(3).standard_normal(n)  # does not know the weights
    t = np.random.default_rng(2).normal(SHIFT, 1, n)
    truth = np.stack([t, t**2, t > 1, np.random.default_rng(4).standard_normal(n)], 1)
    made = np.stack([x, x**2, x > 1, other], 1)
    r = dilution(truth, made, w, np.random.default_rng(5))
    expected = np.sqrt(needed_events(made, w).value)
    assert (abs(r.value - expected) < 5 * r.error).all()
    assert r.value[3] == pytest.approx(effective_share(w).value ** -0.5, rel=0.2)
    assert not np.allclose(expected, expected[0], rtol=0.05)  # it depends on the observable


def test_samples_of_unequal_size_are_compared_as_if_they_were_equal():
    x, w = gaussian_pair(40_000)
    t = np.random.default_rng(2).normal(SHIFT, 1, 4_000)
    r = dilution(t, x, w, np.random.default_rng(5))
    expected = np.sqrt(np.exp(SHIFT**2) * (1 + SHIFT**2))
    assert abs(r.value[0] - expected) < 5 * r.error[0]


def test_dilution_refuses_what_it_cannot_compare():
    with pytest.raises(ValueError, match="2 observables of the truth, but 1"):
        dilution(np.ones((5, 2)), np.ones(5), np.ones(5), np.random.default_rng(1))
    with pytest.raises(ValueError, match="resamples = 1"):
        dilution(np.ones(5), np.ones(5), np.ones(5), np.random.default_rng(1), 1)
    with pytest.raises(ValueError, match="NaN"):
        expectation([1.0, np.nan])


# ---- errors against leaving out events one by one, and values by hand ----


def mirrored(n=400):
    """Observables (n, 2) and weights (n,), even under x -> -x: the weighted means stay at zero,
    which eq. 9's error takes for known."""
    x = np.random.default_rng(6).standard_normal((n // 2, 2)) @ [[1, 0.5], [0, 1]]
    return np.concatenate([x, -x]), np.tile(1 + 0.8 * np.cos(x[:, 0] + x[:, 1]), 2)


@pytest.mark.parametrize(
    "measure",
    [
        lambda x, w: mean_weight(w),
        lambda x, w: effective_share(w),
        lambda x, w: expectation(x, w),
        lambda x, w: expectation(x),
        lambda x, w: needed_events(x, w),
    ],
    ids=["mean weight", "effective share", "eq. 8", "eq. 7", "eq. 9"],
)
def test_errors_are_those_of_leaving_out_events(measure):
    """To 5%, of 400 events of weights from 0.2 to 1.8."""
    x, w = mirrored()
    expected = leave_one_out(lambda x, w: np.asarray(measure(x, w).value), x, w)
    np.testing.assert_allclose(measure(x, w).error, expected, rtol=0.05)


def test_the_error_of_a_mean_weight_is_the_textbooks():
    """Of 1, 2 and 6: s = sqrt(7), over the root of three."""
    found = mean_weight([1.0, 2.0, 6.0])
    assert found.value == pytest.approx(3)
    assert found.error == pytest.approx(np.sqrt(7 / 3))


def test_errors_in_bins_are_those_of_leaving_out_their_events():
    """In the unit of the mean weight of all, which is known far better: to 5%; NaN in a bin without
    events, and the bins may be the events' first and last."""
    x, w = mirrored()
    bins = np.where(x[:, 0] > 0, 2, 0)
    found = needed_events_in_bins(bins, w, 3)
    for k in (0, 2):
        inside = w[bins == k]
        assert found.value[k] == pytest.approx((inside**2).sum() / inside.sum() / w.mean())
        error = leave_one_out(lambda v: (v**2).sum() / v.sum() / w.mean(), inside)
        assert found.error[k] == pytest.approx(error, rel=0.05)
    assert np.isnan(found.value[1])
    for wrong in (bins - 1, bins + 1, bins.astype(float)):
        with pytest.raises(ValueError, match="integers from 0 to 2"):
            needed_events_in_bins(wrong, w, 3)


def test_eq_9_by_hand():
    """f = 0, 2 with weights 1, 3: the mean is 3/2, <w^2 df^2> = (9/4 + 9/4) / 2, <w> = 2,
    <w df^2> = (9/4 + 3/4) / 2; and nothing is known of what does not vary."""
    found = needed_events([[0.0, 7.0], [2.0, 7.0]], [1.0, 3.0]).value
    assert found[0] == pytest.approx(2.25 / (2 * 1.5))
    assert np.isnan(found[1])


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (np.zeros((2, 2, 2)), r"observables must have .* got \(2, 2, 2\)"),
        (np.zeros(0), r"got \(0,\)"),
        (np.array([[1.0, 2.0], [3.0, np.inf]]), "NaN or infinity"),
    ],
)
def test_impossible_observables_are_refused(values, line):
    with pytest.raises(ValueError, match=line):
        as_events(values)


@pytest.mark.parametrize("most", [0.0, -1.0, np.nan])
def test_no_weight_may_be_the_largest_that_is_not_positive(most):
    with pytest.raises(ValueError, match="must be positive and finite"):
        clip([1.0, 2.0], most)


def test_effective_events_by_hand():
    """(1 + 1 + 2)^2 over 1 + 1 + 4, of three that count; half of one weight of two."""
    assert effective_size([1.0, 1.0, 0.0, 2.0]).value == pytest.approx(16 / 6)
    assert effective_share([0.0, 3.0]).value == pytest.approx(0.5)


def test_a_weight_at_the_limit_is_not_clipped():
    assert clip([0.2, 0.7], 0.5).weights.tolist() == [0.2, 0.5]
    assert clip([1.0, 5.0], 5.0)[1:] == (0, 0.0)
    assert str(clip([1.0, 4.0], 3.0)) == "1 of 2 weights clipped, with 20.00% of their sum"


def test_two_spreads_are_known_as_well_as_their_resamples_are_many():
    """A spread of R values has the relative error 1 / sqrt(2 (R - 1)), a ratio of two sqrt(2) times
    that; two resamples are enough."""
    x, w = gaussian_pair(50)
    for resamples in (2, 9, 200):
        by_default = () if resamples == 200 else (resamples,)
        r = dilution(x, x, w, np.random.default_rng(5), *by_default)
        assert r.error / r.value == pytest.approx(1 / np.sqrt(resamples - 1))


def test_a_mean_far_from_zero_keeps_its_digits():
    """The same bootstraps of x and of x + 1e9, in several chunks; of a constant there is no spread,
    and the mean of the bootstraps is the mean of the events, to 5 of its errors."""
    n = 2 * CHUNK + 100
    x, w = gaussian_pair(n)
    near, far = (
        bootstrap_means(np.stack([x + at, np.full(n, at)], 1), w, np.random.default_rng(5), 50)
        for at in (0.0, 1e9)
    )
    np.testing.assert_allclose(far[:, 0] - 1e9, near[:, 0], atol=1e-6)
    assert np.ptp(near[:, 1]) == 0
    spread = near[:, 0].std(ddof=1)
    assert spread == pytest.approx(expectation(x, w).error[0], rel=0.5)
    assert abs(near[:, 0].mean() - expectation(x, w).value[0]) < 5 * spread / np.sqrt(50)


def test_each_event_counts_once_on_average_and_poisson_often():
    """Two events at 0 and 1 of one weight: the mean is k / (j + k) with j and k of Poisson(1), NaN
    where both are zero: of 4000 resamples a share exp(-2), and exp(-1) (1 - exp(-1)) are zero;
    to 5 errors each."""
    means = bootstrap_means(np.array([[0.0], [1.0]]), np.ones(2), np.random.default_rng(8), 4000)
    empty, zero = np.exp(-2), np.exp(-1) * (1 - np.exp(-1))
    assert abs(np.isnan(means).mean() - empty) < 5 * np.sqrt(empty * (1 - empty) / 4000)
    assert abs((means == 0).mean() - zero) < 5 * np.sqrt(zero * (1 - zero) / 4000)
