"""Weighted events: what is refused, and eqs. 6 to 11 against what is known in closed form."""

import numpy as np
import pytest

from amplib.metrics.weights import (
    as_weights,
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
    assert effective_size(zeros) == pytest.approx(effective_size(w))


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
        (lambda x, w: expectation(x, w), SHIFT),
        # Under p_T W / <W> x is N(2 d, 1): <W (x - d)^2> / <(x - d)^2> = exp(d^2) (1 + d^2).
        (lambda x, w: needed_events(x, w), np.exp(SHIFT**2) * (1 + SHIFT**2)),
    ],
    ids=["mean weight", "effective share", "eqs. 6 and 8", "eq. 9"],
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
    assert effective_size(np.ones(7)) == pytest.approx(7)


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
