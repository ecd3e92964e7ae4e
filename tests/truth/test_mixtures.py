"""Gaussian mixtures: density, samples and modes against each other."""

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import kstest, multivariate_normal
from statistical import FALSE_ALARM

from amplib.truth.mixtures import EqualGaussians, bimodal, grid, ring

TRUTHS = {"bimodal": bimodal(2, 0.4), "ring": ring(8, 0.1), "grid": grid(5, 0.1, 1.1)}


def test_the_centres_are_those_of_eqs_12_to_14():
    assert TRUTHS["bimodal"].means.tolist() == [[-1], [1]]
    np.testing.assert_allclose(np.linalg.norm(TRUTHS["ring"].means, axis=1), 1)
    np.testing.assert_allclose(TRUTHS["ring"].means[-1], [1, 0], atol=1e-15)
    means = TRUTHS["grid"].means
    assert len(means) == 25
    np.testing.assert_allclose([means.min(0), means.max(0)], [[1.1, 1.1], [5.1, 5.1]])
    assert len({tuple(m) for m in means.round(9).tolist()}) == 25


@pytest.mark.parametrize("name", TRUTHS)
def test_the_density_is_the_mean_of_the_modes(name):
    truth = TRUTHS[name]
    x = truth.sample(50, np.random.default_rng(1))
    each = [
        multivariate_normal(m, truth.width**2 * np.eye(truth.dimension)).pdf(x) for m in truth.means
    ]
    np.testing.assert_allclose(truth.pdf(x), np.mean(each, axis=0))


@pytest.mark.parametrize("name", TRUTHS)
def test_samples_follow_the_density(name):
    """Kolmogorov's test along every axis at 1e-6; a width half as large again fails."""
    truth = TRUTHS[name]
    x = truth.sample(200_000, np.random.default_rng(2))
    for along, means in zip(x.T, truth.means.T, strict=True):
        for width, fails in ((truth.width, False), (1.5 * truth.width, True)):

            def cdf(t, means=means, width=width):
                return ndtr((t[:, None] - means) / width).mean(1)

            assert (kstest(along, cdf).pvalue < FALSE_ALARM) == fails


def test_the_nearest_mode_and_its_distance():
    truth = TRUTHS["grid"]
    mode, distance = truth.nearest(truth.means[::-1] + np.array([0.05, 0.0]))
    assert mode.tolist() == list(range(25))[::-1]
    np.testing.assert_allclose(distance, 0.5)


@pytest.mark.parametrize(
    ("means", "width", "line"),
    [
        ([0.0, 1.0], 1.0, r"means must be finite numbers \(K, d\)"),
        ([[np.nan]], 1.0, "means must be finite"),
        ([[0.0], [np.inf]], 1.0, "means must be finite"),
        (np.zeros((0, 2)), 1.0, "means must be finite"),
        ([[0.0]], -1.0, "width = -1.0: must be positive"),
        ([[0.0]], 0.0, "width = 0.0: must be positive"),
        ([[0.0]], np.inf, "width = inf"),
    ],
)
def test_impossible_mixtures_are_refused(means, width, line):
    with pytest.raises(ValueError, match=line):
        EqualGaussians(np.array(means), width)
    with pytest.raises(ValueError, match="n >= 1"):
        TRUTHS["ring"].sample(0, np.random.default_rng(1))


def test_small_ones_by_hand():
    assert bimodal(3, 0.4).means.tolist() == [[-1.5], [1.5]]
    half = np.sqrt(3) / 2
    np.testing.assert_allclose(ring(3, 0.1).means, [[-0.5, half], [-0.5, -half], [1, 0]], atol=1e-9)
    assert sorted(grid(2, 0.1, 0.5).means.tolist()) == [
        [0.5, 0.5],
        [0.5, 1.5],
        [1.5, 0.5],
        [1.5, 1.5],
    ]
    one = EqualGaussians(np.array([[1.0, 2.0]]), 3.0)
    assert one.dimension == 2
    assert one.pdf([1.0, 2.0]) == pytest.approx(1 / (2 * np.pi * 9))
    assert one.sample(1, np.random.default_rng(1)).shape == (1, 2)


def test_nearest_modes_by_asking_each():
    truth = EqualGaussians(np.random.default_rng(4).normal(3, 1, (6, 3)), 0.5)
    x = np.random.default_rng(5).normal(3, 2, (40, 3))
    mode, distance = truth.nearest(x)
    each = np.sqrt(((x[:, None] - truth.means) ** 2).sum(-1))
    assert mode.tolist() == each.argmin(1).tolist()
    np.testing.assert_allclose(distance, each.min(1) / 0.5)
