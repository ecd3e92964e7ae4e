"""Mixtures by two matrix products a step, against scikit-learn's and by hand."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from statistical import within

from amplib.models.mixture import FLOOR, PIECE, Mixture


def blobs(n: int, seed: int = 1) -> np.ndarray:
    """Three correlated blobs of n points each in four dimensions, of unequal width."""
    rng = np.random.default_rng(seed)
    shapes = rng.normal(size=(3, 4, 4)) * np.array([0.2, 0.5, 1.0])[:, None, None]
    centres = rng.normal(0, 3, (3, 1, 4))
    return (rng.normal(size=(3, n, 4)) @ shapes + centres).reshape(-1, 4)


class FromLabels(GaussianMixture):
    """Scikit-learn's own steps from a given start."""

    def start(self, labels: np.ndarray) -> "FromLabels":
        self.given = np.eye(self.n_components)[labels]
        return self

    def _initialize_parameters(self, X, random_state, xp=None):
        self._initialize(X, self.given)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_steps_are_scikit_learns(offset):
    """From the same start the same likelihoods, step by step, and the same components; more points
    than are taken at a time, off the origin, too."""
    x = blobs(PIECE // 2) + offset
    labels = np.random.default_rng(2).integers(0, 6, len(x))
    ours = Mixture.improve(x, labels, most_steps=16, tolerance=-1)
    theirs = FromLabels(6, max_iter=15, tol=0).start(labels).fit(x)
    np.testing.assert_allclose(ours.log_likelihoods[:15], theirs.lower_bounds_, rtol=1e-9)
    np.testing.assert_allclose(ours.weights, theirs.weights_, rtol=1e-6)
    np.testing.assert_allclose(ours.means, theirs.means_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(ours.covariances, theirs.covariances_, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(ours.log_density(x), theirs.score_samples(x), rtol=1e-7, atol=1e-9)


def test_the_start_is_scikit_learns():
    x = blobs(300)
    seed = int(np.random.default_rng(3).integers(2**31))
    theirs = GaussianMixture(3, max_iter=500, random_state=seed).fit(x)
    ours = Mixture.fit(x, 3, np.random.default_rng(3))
    np.testing.assert_allclose(ours.log_likelihoods, theirs.lower_bounds_, rtol=1e-9)


def test_three_blobs_are_found():
    """Likelihoods never fall, the last one is the mixture's own, and it is not worse than that of
    the blobs' own moments."""
    x = blobs(500)
    found = Mixture.fit(x, 3, np.random.default_rng(4), tolerance=1e-8)
    assert (np.diff(found.log_likelihoods) > -1e-12).all()
    assert found.log_density(x).mean() == pytest.approx(found.log_likelihoods[-1], rel=1e-12)
    parts = x.reshape(3, -1, 4)
    true = Mixture(
        np.full(3, 1 / 3), parts.mean(1), np.array([np.cov(part.T, bias=True) for part in parts])
    )
    assert found.log_likelihoods[-1] >= true.log_density(x).mean() - 1e-6


def test_density_by_hand():
    rng = np.random.default_rng(5)
    means, roots = rng.normal(size=(2, 3)), rng.normal(size=(2, 3, 3))
    covariances = roots @ roots.transpose(0, 2, 1) + 0.1 * np.eye(3)
    mixture, x = Mixture(np.array([0.3, 0.7]), means, covariances), rng.normal(size=(50, 3))
    densities = [multivariate_normal(m, c).pdf(x) for m, c in zip(means, covariances, strict=True)]
    np.testing.assert_allclose(mixture.log_density(x), np.log(mixture.weights @ densities))


def test_samples_are_of_the_mixture():
    """100,000 points: mean and every second moment to 5 errors (6e-7 false alarms each); half of
    the weights, or a root for its transpose, is a hundred errors."""
    covariances = np.array([[[1.0, 0.8], [0.8, 1.0]], [[0.5, -0.3], [-0.3, 2.0]]])
    mixture = Mixture(np.array([0.2, 0.8]), np.array([[0.0, 3.0], [2.0, -1.0]]), covariances)
    x = mixture.sample(100_000, np.random.default_rng(6))
    mean = mixture.weights @ mixture.means
    apart = mixture.means - mean
    cov = np.einsum("k,kij->ij", mixture.weights, covariances + apart[:, :, None] * apart[:, None])
    for k in range(2):
        within(x[:, k].mean(), mean[k], x[:, k].std() / 316)
        for j in range(2):
            products = (x[:, k] - mean[k]) * (x[:, j] - mean[j])
            within(products.mean(), cov[k, j], products.std() / 316)
    first = x[:50_000], x[50_000:]  # in random order
    assert abs(first[0].mean(0) - first[1].mean(0)).max() < 5 * x.std() * (2 / 50_000) ** 0.5


def test_a_column_may_be_constant():
    """As those of a second lepton that is not there: its variance is the floor."""
    x = np.concatenate([blobs(100), np.zeros((300, 1))], axis=1)
    found = Mixture.fit(x, 3, np.random.default_rng(7))
    np.testing.assert_allclose(found.covariances[:, 4, 4], FLOOR)
    assert np.isfinite(found.log_density(x)).all()
    assert abs(found.sample(100, np.random.default_rng(8))[:, 4]).max() < 6 * FLOOR**0.5


def test_what_does_not_converge_is_told():
    with pytest.warns(ConvergenceWarning, match="3 components did not converge in 2 steps"):
        Mixture.fit(blobs(50), 3, np.random.default_rng(9), most_steps=2, tolerance=0)


@pytest.mark.parametrize(
    ("x", "components", "line"),
    [
        (np.zeros((3, 2)), 4, "4 points at least, got 3"),
        (np.zeros(5), 1, r"points must be \(N, D\), got \(5,\)"),
        (np.array([[0.0, 1], [np.nan, 2]]), 1, "point 1: column 0 is nan"),
        (np.zeros((5, 2)), 0, "components and steps from 1 on, got 0"),
    ],
)
def test_a_fit_refuses(x, components, line):
    with pytest.raises(ValueError, match=line):
        Mixture.fit(x, components, np.random.default_rng(1))


def test_a_start_and_a_point_are_refused():
    x = blobs(10)
    with pytest.raises(ValueError, match="a component starts without a point"):
        Mixture.improve(x, np.repeat([0, 2], 15))
    mixture = Mixture.improve(x, np.zeros(30, int))
    with pytest.raises(ValueError, match=r"points must be \(N, 4\), got \(30, 3\)"):
        mixture.log_density(x[:, :3])
