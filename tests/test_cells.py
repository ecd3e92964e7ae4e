"""Cells of equal mass in any dimension: the identity, and the theorem behind held-out cells."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statistical import chi2_test

from amplib.cells import Splits, as_events, divisions
from amplib.metrics.quantiles import expected_mse, quantile_mse
from amplib.truth.densities import CamelBack, GaussianMixture, Ring, Shells

TILTED = GaussianMixture(
    [[0, 0], [3, 1]], [[[1, 0.8], [0.8, 2]], [[0.5, -0.3], [-0.3, 0.4]]], [0.3, 0.7]
)
TRUTHS = {
    "camel back": (CamelBack(), 7),
    "lopsided camel back": (CamelBack((-1, 3), 0.5, 0.2), 30),
    "mixture, 1 dimension": (GaussianMixture([-2, 0, 5], weights=[0.2, 0.5, 0.3]), 12),
    "mixture, 2 dimensions": (TILTED, 42),
    "mixture, 5 dimensions": (GaussianMixture(2 * np.eye(5)), 48),
    "ring": (Ring(), 49),
    "wide ring": (Shells(2, 1.0, 1.0), 12),
    "shells, 5 dimensions": (Shells(5), 243),
    "shells, 10 dimensions": (Shells(10), 1024),
}


@given(st.integers(2, 5000), st.integers(1, 12))
def test_divisions_multiply_to_q(q, dimension):
    parts = divisions(q, dimension)
    assert len(parts) == dimension
    assert math.prod(parts) == q


@given(st.integers(2, 9), st.integers(1, 6))
def test_divisions_of_a_power_are_alike(n, dimension):
    assert divisions(n**dimension, dimension) == (n,) * dimension


@pytest.mark.parametrize("name", TRUTHS)
def test_cells_of_a_truth_have_equal_mass(name):
    """Pearson's chi^2 of 200,000 points, seeded: false alarm 1e-6; power above 0.99 against cells
    of which every second holds 5% more and the others less (of more than 500 cells, 10%)."""
    truth, q = TRUTHS[name]
    rng = np.random.default_rng(20)
    cell = truth.cells(q)(truth.sample(200_000, rng).reshape(200_000, -1))
    uneven = np.full(q, 1 / q)
    uneven[: q // 2 * 2] *= 1 + (0.1 if q > 500 else 0.05) * (-1.0) ** np.arange(q // 2 * 2)
    chi2_test(cell, np.arange(q + 1) - 0.5, np.full(q, 1 / q), [uneven])


@pytest.mark.parametrize("name", TRUTHS)
def test_the_identity_holds_in_every_dimension(name):
    """<MSE> of 1000 samples of 100 points against (1/q)(1 - 1/q)/N.

    N q^2 MSE is Pearson's chi^2, so that the relative deviation of the mean is known, at most
    (2/(1000 (q - 1)))^(1/2): 1.8% at q = 7, 0.1% at 1024.  Band 5 of it: false alarm 6e-7.  A bias
    of ten of it fails with probability > 0.99 (computed below).
    """
    truth, q = TRUTHS[name]
    n, repetitions = 100, 1000
    points = truth.sample(n * repetitions, np.random.default_rng(21)).reshape(n * repetitions, -1)
    flat = truth.cells(q)(points) + q * np.repeat(np.arange(repetitions), n)
    counts = np.bincount(flat, minlength=q * repetitions).reshape(repetitions, q)
    _assert_identity(quantile_mse(counts / n), n, q)


@pytest.mark.parametrize(("dimension", "q"), [(1, 7), (2, 49), (5, 33), (10, 96)])
def test_the_identity_holds_for_held_out_events(dimension, q):
    """A perfect generator of n events in cells cut from M of the truth's: 1/n + 1/(M + 2).

    300 pairs, M so small that leaving its part out would be a third of the whole.  Band and power
    as above, with the two noises independent: relative deviation as of one.
    """
    n, size, repetitions = 100, 205, 300
    truth = CamelBack() if dimension == 1 else Shells(dimension)
    mses, used = [], set()
    for rng in map(np.random.default_rng, np.random.SeedSequence(22).spawn(repetitions)):
        splits = Splits(truth.sample(size, rng), q)
        events = truth.sample(n, rng).reshape(n, -1)
        used.add(splits.size)
        mses.append(quantile_mse(np.bincount(splits(events), minlength=q) / n))
    (m,) = used
    assert size - q < m <= size
    assert (m + 1) % q == 0
    # For n events in cells of Dirichlet masses the two parts multiply too: (1 - 1/n)/(M + 2).
    expected = 1 / (1 / n + (1 - 1 / n) / (m + 2))
    _assert_identity(np.array(mses), expected, q, slack=1.1)


def _assert_identity(mse, n, q, slack=1.0):
    deviation = slack * (2 / ((q - 1) * len(mse))) ** 0.5
    bias = 10 * deviation
    assert stats.norm.sf((5 * deviation - bias) / ((1 + bias) * deviation)) > 0.99
    ratio = mse.mean() / expected_mse(n, q)
    assert abs(ratio - 1) < 5 * deviation, ratio


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 60), st.integers(1, 4), st.integers(0, 200), st.integers(0, 2**32))
def test_splits_hold_equally_many_of_the_points_they_are_made_of(q, dimension, more, seed):
    points = np.random.default_rng(seed).normal(size=(2 * q + more, dimension))
    splits = Splits(points, q)
    used = np.random.default_rng(0).permutation(points)[: splits.size]
    held = np.bincount(splits(used), minlength=q)
    assert splits.gaps == (len(points) + 1) // q
    assert held.sum() == splits.size
    assert held.min() >= splits.gaps - 1
    if dimension == 1:  # a cut is at the lower end of the cell above it
        assert held.tolist() == [splits.gaps - 1] + (q - 1) * [splits.gaps]


@pytest.mark.parametrize(("q", "axes"), [(2, 3), (7, 2), (16, 5), (50, 1), (50, 2), (50, 10)])
def test_cuts_of_an_axis_are_those_that_move_an_event(q, axes):
    """The most that lie on one axis on the way down; an axis without one decides nothing."""
    rng = np.random.default_rng(1)
    splits = Splits(rng.normal(size=(4 * q, axes)), q)

    def deepest(node, axis):
        if isinstance(node, int):
            return 0
        return (node.axis == axis) + max(deepest(node.below, axis), deepest(node.above, axis))

    assert splits.cuts == tuple(deepest(splits._tree, axis) for axis in range(axes))
    events = rng.normal(size=(500, axes))
    for axis, cuts in enumerate(splits.cuts):
        moved = events.copy()
        moved[:, axis] += 10
        assert np.any(splits(moved) != splits(events)) == (cuts > 0)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 60), st.integers(1, 4), st.integers(0, 2**32))
def test_an_event_lies_within_the_bounds_of_its_cell(q, axes, seed):
    rng = np.random.default_rng(seed)
    splits, events = Splits(rng.normal(size=(4 * q, axes)), q), rng.normal(size=(200, axes))
    low, high = np.moveaxis(splits.bounds(), -1, 0)
    inside = ((events[:, None] >= low) & (events[:, None] < high)).all(axis=-1)
    assert inside.sum(axis=1).tolist() == [1] * 200
    assert inside.argmax(axis=1).tolist() == splits(events).tolist()


def test_cuts_of_a_grid_are_those_of_its_coordinates():
    assert Shells(5).cells(50).cuts == (4, 4, 1, 0, 0)


def test_masses_of_held_out_cells_are_dirichlet():
    """Tukey's theorem in one dimension, where masses are known: u is its own distribution function.

    The first of 7 cells from 48 points follows Beta(7, 42): Kolmogorov-Smirnov over 2000 samples,
    seeded; the same distribution of one gap more or less (Beta(6 or 8, ...)) is refused.
    """
    masses = []
    for rng in map(np.random.default_rng, range(2000)):
        splits = Splits(rng.random(48), 7)
        masses.append(np.mean(splits((np.arange(5000)[:, None] + 0.5) / 5000) == 0))
    assert stats.kstest(masses, stats.beta(7, 42).cdf).pvalue > 1e-4
    for gaps in (6, 8):
        assert stats.kstest(masses, stats.beta(gaps, 49 - gaps).cdf).pvalue < 1e-10


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: as_events([]), "shape"),
        (lambda: as_events(np.zeros((2, 2, 2))), "shape"),
        (lambda: as_events([[1, 2], [3]]), "rows of one length"),
        (lambda: as_events(["a"]), "numbers"),
        (lambda: as_events([[0, np.nan], [1, 2], [np.inf, 1]]), "2 of 3 hold NaN"),
        (lambda: divisions(1, 2), "q >= 2"),
        (lambda: divisions(4, 0), "coordinate"),
        (lambda: Splits(np.arange(9.0), 10), "9 held-out events cannot make 10"),
        (lambda: Splits(np.arange(100) % 2, 10), "too many have the value"),
    ],
)
def test_impossible_values_are_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)
