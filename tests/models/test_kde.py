"""Kernel density estimates in several dimensions."""

import numpy as np
import pytest
from scipy.special import logsumexp
from statistical import within

from amplib.models.kde import BANDWIDTHS, KDE


def by_hand(x: np.ndarray, points: np.ndarray, h: float) -> np.ndarray:
    """log of the mean of the kernels at every x."""
    squares = ((x[:, None] - points) ** 2).sum(2)
    norm = 0.5 * x.shape[1] * np.log(2 * np.pi * h**2) + np.log(len(points))
    return logsumexp(-squares / (2 * h**2), axis=1) - norm


def test_bandwidths_are_the_papers():
    """bvae, sec. III B: 20 values between 0.1 and 10, even in the logarithm."""
    assert len(BANDWIDTHS) == 20
    assert BANDWIDTHS[[0, -1]] == pytest.approx([0.1, 10])
    assert np.ptp(np.diff(np.log(BANDWIDTHS))) < 1e-12


def test_density_by_hand():
    rng = np.random.default_rng(1)
    points, x = rng.normal(size=(40, 3)), rng.normal(size=(20, 3))
    np.testing.assert_allclose(KDE(points, 0.4).log_density(x), by_hand(x, points, 0.4), rtol=1e-6)


def test_the_bandwidth_has_the_largest_cross_validated_likelihood():
    """Five folds, in the order in which the generator shuffles."""
    x = np.random.default_rng(2).normal(size=(250, 2))
    widths = np.array([0.1, 0.2, 0.4, 0.8])
    found = KDE.fit(x, np.random.default_rng(3), widths)
    shuffled = x[np.random.default_rng(3).permutation(250)]
    folds = np.array_split(np.arange(250), 5)
    scores = [
        sum(by_hand(shuffled[f], np.delete(shuffled, f, 0), h).sum() for f in folds) for h in widths
    ]
    assert found.bandwidth == widths[np.argmax(scores)]
    assert not found.at_the_edge
    assert KDE.fit(x, np.random.default_rng(3), widths + 2).at_the_edge


def test_samples_are_points_with_a_kernel_each():
    """Mean and variance, which grows by h^2, to 5 errors (6e-7 false alarms); h^2 is 25 errors."""
    points, rng = np.array([[-1.0, 5.0], [1.0, 5.0], [3.0, 8.0]]), np.random.default_rng(4)
    x = KDE(points, 0.5).sample(40_000, rng)
    for k in range(2):
        within(x[:, k].mean(), points[:, k].mean(), x[:, k].std() / 200)
        squares = (x[:, k] - points[:, k].mean()) ** 2
        within(squares.mean(), points[:, k].var() + 0.25, squares.std() / 200)


@pytest.mark.parametrize(
    ("x", "line"),
    [
        (np.zeros((3, 2)), "5 points at least, got 3"),
        (np.full((6, 2), np.inf), "point 0: column 0 is inf"),
        (np.zeros((6, 2, 2)), r"points must be \(N, D\)"),
    ],
)
def test_a_fit_refuses(x, line):
    with pytest.raises(ValueError, match=line):
        KDE.fit(x, np.random.default_rng(1))
