"""Pairs of known densities: ratio, expectations and what weights leave, against events.

Each comparison is to five errors of the events, false in one of two million; what it would notice
is said where it is not obvious.
"""

import numpy as np
import pytest
from scipy import stats
from statistical import within

from amplib.truth.pairs import PAIRS, Pair, equicorrelated, gaussian, kinds, observables

N = 400_000


@pytest.fixture(params=PAIRS)
def pair(request) -> Pair:
    return PAIRS[request.param]


def test_the_ratio_turns_the_generator_into_the_truth(pair):
    """Weighted means of bounded functions are the truth's; without weights one is off at least by
    six of these errors."""
    real, made = pair.real(N, 1), pair.made(N, 2)
    weights = np.exp(pair.log_ratio(made))
    within(weights.mean(), 1, weights.std() / np.sqrt(N))
    apart = []
    for f in (lambda x: np.cos(x.sum(1)), lambda x: np.tanh(x[:, 0]), lambda x: abs(x[:, 0]) > 1):
        t, g = f(real), f(made)
        error = np.hypot(t.std(), (weights * (g - t.mean())).std()) / np.sqrt(N)
        within((weights * g).sum() / weights.sum(), t.mean(), error)
        apart.append(abs(g.mean() - t.mean()) / error)
    assert max(apart) > 6


def test_expectations_and_spreads_are_those_of_events(pair):
    """An expectation off by a hundredth of the spread would be off by more than six errors."""
    seen = observables(pair.real(N, 3))
    square = (seen - pair.expected) ** 2
    within_all(seen, pair.expected)
    within_all(square, pair.spread**2)
    assert 0.01 * np.sqrt(N) > 6


def within_all(values, expected):
    error = values.std(0) / np.sqrt(len(values))
    assert (abs(values.mean(0) - expected) < 5 * error).all()


@pytest.mark.parametrize("name", ["1D", "tails"])
def test_the_share_left_is_one_over_the_mean_weight_of_the_truth(name):
    """To five errors, which are below 1%.  In several dimensions the weights of the truth have no
    variance: see below."""
    pair = PAIRS[name]
    weights = np.exp(pair.log_ratio(pair.real(N, 4)))
    error = weights.std() / np.sqrt(N)
    within(1 / pair.share_left, weights.mean(), error)
    assert 5 * error < 0.01 * weights.mean()


@pytest.mark.parametrize(
    ("name", "variances", "shift"),
    [
        ("correlated 2D", [(1.5, 0.9), (0.5, 1.1)], 0.0),
        ("5D", [(1.8, 1.0)] + 4 * [(0.8, 1.0)], 0.1 * np.sqrt(5)),
    ],
)
def test_the_share_left_is_the_product_along_the_principal_axes(name, variances, shift):
    """Of truth and generator, whose means are apart along the first."""
    shifts = [shift] + [0.0] * (len(variances) - 1)
    along = [
        Pair(np.array([m]), np.array([[v]]), stats.norm(0, np.sqrt(g))).share_left
        for m, (v, g) in zip(shifts, variances, strict=True)
    ]
    assert PAIRS[name].share_left == pytest.approx(np.prod(along), rel=1e-6)
    # N(0, v) over N(0, 1) leaves v sqrt(2/v - 1).
    narrow = Pair(np.zeros(1), np.array([[0.8]]), stats.norm(0, 1))
    assert narrow.share_left == pytest.approx(0.8 * np.sqrt(2 / 0.8 - 1), rel=1e-6)


def test_the_pairs_are_those_that_the_page_names():
    line, plane, space, _ = PAIRS.values()
    assert (line.truth.mean(), line.truth.std()) == (0.3, 1)
    assert (line.generator.mean(), line.generator.std()) == (0, 1.2)
    assert plane.mean.tolist() == plane.generator.mean.tolist() == [0, 0]
    assert plane.covariance.tolist() == [[1, 0.5], [0.5, 1]]
    assert plane.generator.cov.tolist() == [[1, -0.1], [-0.1, 1]]
    assert space.mean.tolist() == [0.1] * 5
    assert space.covariance[0].tolist() == [1, 0.2, 0.2, 0.2, 0.2]
    assert space.generator.mean.tolist() == [0] * 5
    np.testing.assert_array_equal(space.generator.cov, np.eye(5))


def test_two_differ_in_their_tails_alone():
    pair = PAIRS["tails"]
    assert pair.generator.mean() == pair.mean[0] == 0
    assert pair.generator.var() == pytest.approx(pair.covariance[0, 0])
    assert 2 * pair.generator.sf(2.5) > 1.3 * pair.expected[2]


def test_columns_of_observables_are_of_their_kind():
    x = np.array([[1.0, -3.0, 2.0], [0.5, 0.0, 2.6]])
    seen, names = observables(x), kinds(3)
    assert seen.shape == (2, len(names)) == (2, 10)
    np.testing.assert_array_equal(seen[:, :3], x)
    np.testing.assert_array_equal(seen[:, 3:6], x**2)
    np.testing.assert_array_equal(seen[:, names.index("product")], [2, 1.3])
    np.testing.assert_array_equal(seen[:, 7:], [[0, 1, 0], [0, 0, 1]])
    assert names[7:] == ["tail"] * 3
    line = observables(np.array([[-3.0]]))
    np.testing.assert_array_equal(line, [[-3, 9, 1]])
    assert len(kinds(1)) == 3


def test_a_single_event_has_its_ratio(pair):
    x = pair.real(3, 1)
    each = [pair.log_ratio(row[None]) for row in x]
    assert [e.shape for e in each] == [(1,)] * 3
    np.testing.assert_allclose(np.concatenate(each), pair.log_ratio(x))


def test_a_gaussian_is_what_it_is_on_a_line_and_in_space():
    assert gaussian([0.3], [[4.0]]).std() == 2
    np.testing.assert_array_equal(equicorrelated(0.5, 2), [[1, 0.5], [0.5, 1]])
    x = np.array([0.1, 0.7])
    one = gaussian(np.zeros(2), np.eye(2)).logpdf(x)
    assert one == pytest.approx(stats.norm.logpdf(x).sum())
