r"""Mixtures of Gaussians with full covariances, for many components and events.

Event paper, arXiv:1901.00875, sec. III B b and Tables III and V: scikit-learn's model with 50, 100
and 1000 components, of latent codes and of events.  Scikit-learn takes half a minute for one step
of the largest; here both halves of a step are one matrix product each.  With the features
:math:`\phi(x) = (x_i x_j, x_i, 1)`, i <= j, every log density is linear in them,

.. math:: \log \mathcal N(x; \mu, P^{-1}) = -\tfrac12 x^T P x + (P \mu)^T x + c = w \cdot \phi(x),

and so are all sums that the maximisation needs, :math:`\sum_n r_{nk} \phi(x_n)`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from amplib.models.points import as_points
from amplib.progress import Progress

Array = NDArray[np.float64]

FLOOR = 1e-6
"""Added to every variance, as scikit-learn does: columns may be constant within a component."""
TOLERANCE = 1e-3
"""Gain of the mean log likelihood at which the steps end, as in scikit-learn."""
PIECE = 4096
"""Points at a time: with 1000 components their features and shares are 45 MB."""


@dataclass(frozen=True, eq=False)
class Mixture:
    r""":math:`p(x) = \sum_k \pi_k \mathcal N(x; \mu_k, \Sigma_k)`.

    Args:
        weights: :math:`\pi`, ``(K,)``.
        means: ``(K, D)``.
        covariances: ``(K, D, D)``.
        log_likelihoods: mean over the points after each step of ``fit``, the last of them its own.
    """

    weights: Array
    means: Array
    covariances: Array
    log_likelihoods: tuple[float, ...] = ()

    @classmethod
    def fit(
        cls,
        x: ArrayLike,
        components: int,
        rng: np.random.Generator,
        most_steps: int = 500,
        tolerance: float = TOLERANCE,
        progress: Progress = lambda work: None,
    ) -> Mixture:
        """Largest likelihood by expectation and maximisation, from k-means.

        Warns if it has not converged.

        Args:
            x: points, ``(N, D)``, of about unit size.
            components: K.
            rng: seeds k-means.
            most_steps: 500 in the paper.
            tolerance: smallest gain of the mean log likelihood in a step.
            progress: told of every step.

        Raises:
            ValueError: fewer points than components, or values that are not finite.
        """
        points = as_points(x, at_least=max(components, 2))
        if components < 1 or most_steps < 1:
            raise ValueError(f"components and steps from 1 on, got {components} and {most_steps}")
        seed = int(rng.integers(2**31))
        labels = KMeans(components, n_init=1, random_state=seed).fit(points).labels_
        return cls.improve(points, labels, most_steps, tolerance, progress)

    @classmethod
    def improve(
        cls,
        x: ArrayLike,
        labels: NDArray[np.integer],
        most_steps: int = 500,
        tolerance: float = TOLERANCE,
        progress: Progress = lambda work: None,
    ) -> Mixture:
        """The fit from a given start.

        Args:
            x: points, ``(N, D)``.
            labels: component of each, ``(N,)``, all of 0 to K - 1 among them.
            most_steps, tolerance, progress: as in ``fit``.
        """
        points = as_points(x, at_least=2)
        centre = points.mean(0)  # small numbers do not cancel
        points = points - centre
        sums = _sums_of_labels(points, labels)
        likelihoods: list[float] = []
        for _ in range(most_steps):
            mixture = _maximise(sums, len(points))
            sums, likelihood = mixture._expect(points)
            likelihoods.append(likelihood)
            progress(1)
            if len(likelihoods) > 1 and likelihood - likelihoods[-2] < tolerance:
                break
        else:
            warnings.warn(
                f"{len(mixture.weights)} components did not converge in {most_steps} steps",
                ConvergenceWarning,
                stacklevel=3,
            )
        return cls(mixture.weights, mixture.means + centre, mixture.covariances, tuple(likelihoods))

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """``n`` points, ``(n, D)``, in random order."""
        which = rng.choice(len(self.weights), n, p=self.weights)
        noise = rng.standard_normal((n, self.means.shape[1]))
        roots, drawn = np.linalg.cholesky(self.covariances), np.empty_like(noise)
        order = np.argsort(which, kind="stable")
        ends = np.cumsum(np.bincount(which, minlength=len(self.weights)))
        for k, rows in enumerate(np.split(order, ends[:-1])):
            drawn[rows] = self.means[k] + noise[rows] @ roots[k].T
        return drawn

    def log_density(self, x: ArrayLike) -> Array:
        """log p(x) of points ``(N, D)``: ``(N,)``."""
        points = as_points(x, columns=self.means.shape[1])
        centre = self.weights @ self.means
        shifted = Mixture(self.weights, self.means - centre, self.covariances)
        pieces = [logsumexp(log, axis=1) for _, log in shifted._joint(points - centre)]
        return np.concatenate(pieces)

    def _joint(self, points: Array) -> Iterator[tuple[Array, Array]]:
        """Features and log(pi_k N(x; k)), ``(n, K)``, of a few points at a time."""
        coefficients = self._coefficients()
        for start in range(0, len(points), PIECE):
            features = _features(points[start : start + PIECE])
            yield features, features @ coefficients

    def _coefficients(self) -> Array:
        """Those of the features in log(pi_k N(x; k)), ``(features, K)``."""
        d = self.means.shape[1]
        roots = np.linalg.inv(np.linalg.cholesky(self.covariances))
        precisions = roots.transpose(0, 2, 1) @ roots
        rows, columns = np.triu_indices(d)
        squares = -precisions[:, rows, columns] * np.where(rows == columns, 0.5, 1.0)
        linear = np.einsum("kij,kj->ki", precisions, self.means)
        log_root = np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(1)
        constant = log_root - 0.5 * (linear * self.means).sum(1) - 0.5 * d * np.log(2 * np.pi)
        constant += np.log(self.weights)
        return np.concatenate([squares, linear, constant[:, None]], axis=1).T

    def _expect(self, points: Array) -> tuple[Array, float]:
        """Sums of the features, shared among the components ``(K, features)``; mean log p."""
        components, d = self.means.shape
        sums, total = np.zeros((components, d * (d + 1) // 2 + d + 1)), 0.0
        for features, log in self._joint(points):
            highest = log.max(axis=1, keepdims=True)
            log -= highest
            shares = np.exp(log, out=log)
            norm = shares.sum(axis=1, keepdims=True)
            shares /= norm
            sums += shares.T @ features
            total += float((highest + np.log(norm)).sum())
        return sums, total / len(points)


def _features(x: Array) -> Array:
    """x_i x_j for i <= j, x_i, 1: ``(n, D (D + 1) / 2 + D + 1)``."""
    rows, columns = np.triu_indices(x.shape[1])
    return np.concatenate([x[:, rows] * x[:, columns], x, np.ones((len(x), 1))], axis=1)


def _sums_of_labels(points: Array, labels: NDArray[np.integer]) -> Array:
    """Sums of the features of each label, ``(K, features)``."""
    groups = np.split(np.argsort(labels, kind="stable"), np.cumsum(np.bincount(labels))[:-1])
    if not all(map(len, groups)):
        raise ValueError("a component starts without a point")
    sums = [sum(_features(points[g[i : i + PIECE]]).sum(0) for i in range(0, len(g), PIECE))
            for g in groups]  # fmt: skip
    return np.array(sums)


def _maximise(sums: Array, n: int) -> Mixture:
    """The components whose moments are ``sums / n``.

    Raises:
        ValueError: the moments are no Gaussian's, by rounding.
    """
    d = int(np.sqrt(2 * sums.shape[1])) - 1
    counts = sums[:, -1] + 10 * np.finfo(float).eps
    means = sums[:, -1 - d : -1] / counts[:, None]
    rows, columns = np.triu_indices(d)
    covariances = np.empty((len(sums), d, d))
    second = sums[:, : len(rows)] / counts[:, None] - means[:, rows] * means[:, columns]
    covariances[:, rows, columns] = covariances[:, columns, rows] = second
    covariances[:, range(d), range(d)] += FLOOR
    try:
        np.linalg.cholesky(covariances)
    except np.linalg.LinAlgError:
        raise ValueError(
            "a covariance is not positive: bring the columns to unit size, or take fewer components"
        ) from None
    return Mixture(counts / n, means, covariances)
