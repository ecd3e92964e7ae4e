"""Truths that are known exactly: the camel back of the amplification papers, mixtures, shells.

P(x) = [N(x; -4, 1) + N(x; 4, 1)] / 2        (eq. 1 of both papers)

Everything here is analytic, so that a deviation from the truth is never an error of the truth.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, log_softmax, ndtr, ndtri

from amplib.cells import Grid, Partition, as_events, divisions

Array = NDArray[np.float64]

# A bracket as wide as the distance of the humps reaches the spacing of doubles in this many steps.
BISECTIONS = 64


def two_gaussians_pdf(x: ArrayLike, means: ArrayLike, widths: ArrayLike, weight: float) -> Array:
    """Density f N(x; mu_1, s_1) + (1 - f) N(x; mu_2, s_2), of the shape of ``x``.

    Args:
        x: positions, any shape.
        means: (mu_1, mu_2), in the unit of ``x``.
        widths: (s_1, s_2), in the unit of ``x``.
        weight: f, the probability of the first Gaussian.
    """
    x = np.asarray(x, dtype=float)[..., None]
    s = np.asarray(widths, dtype=float)
    z = (x - np.asarray(means, dtype=float)) / s
    return np.asarray(
        np.exp(-0.5 * z**2) / (np.sqrt(2 * np.pi) * s) @ np.array([weight, 1 - weight])
    )


def two_gaussians_cdf(x: ArrayLike, means: ArrayLike, widths: ArrayLike, weight: float) -> Array:
    """Distribution function f Phi(z_1) + (1 - f) Phi(z_2), z_k = (x - mu_k) / s_k.

    Arguments and shapes as in :func:`two_gaussians_pdf`; infinite ``x`` gives 0 or 1.
    """
    x = np.asarray(x, dtype=float)[..., None]
    z = (x - np.asarray(means, dtype=float)) / np.asarray(widths, dtype=float)
    return np.asarray(ndtr(z) @ np.array([weight, 1 - weight]))


class Truth(Protocol):
    """What a generator can be judged by: anything that can be sampled and cut into equal cells."""

    def sample(self, n: int, rng: np.random.Generator) -> NDArray[Any]:
        """``n`` independent events, (n,) or (n, D)."""

    def cells(self, q: int) -> Partition:
        """A function from events, in the shape of ``sample``, to the numbers of their cells.

        Integers from 0 to q - 1, each with the probability 1/q; anything else says that an event
        lies outside of the truth's support.
        """


@dataclass(frozen=True)
class CamelBack:
    """Two humps of one width: P(x) = f N(x; mu_1, s) + (1 - f) N(x; mu_2, s).

    The defaults are eq. (1) of Butter et al., "Amplifying Statistics using Generative Models"
    and of "Amplifying Statistics with Ensembles of Generative Models".

    The second paper divides x in [-8, 8]. We take the whole real line, because eq. (1) is
    normalised there and a generated point outside must not escape the metric. The mass outside
    [-8, 8] is 3.2e-5: three points in a hundred thousand, which fall into the two outer cells.

    Args:
        means: (mu_1, mu_2).
        width: s > 0.
        weight: f in [0, 1], the probability of the first hump.

    Raises:
        ValueError: a mean is not finite, the width not positive, or the weight not in [0, 1].

    >>> CamelBack().edges(5).round(3).tolist()
    [-inf, -4.253, -3.158, 3.158, 4.253, inf]
    """

    means: tuple[float, float] = (-4.0, 4.0)
    width: float = 1.0
    weight: float = 0.5

    def __post_init__(self) -> None:
        if len(self.means) != 2 or not np.all(np.isfinite(self.means)):
            raise ValueError(f"means must be two finite numbers, got {self.means}")
        if not 0 < self.width < np.inf:
            raise ValueError(f"width must be positive and finite, got {self.width}")
        if not 0 <= self.weight <= 1:
            raise ValueError(f"weight must lie in [0, 1], got {self.weight}")

    def pdf(self, x: ArrayLike) -> Array:
        """P(x), eq. (1), of the shape of ``x``."""
        return two_gaussians_pdf(x, self.means, (self.width, self.width), self.weight)

    def cdf(self, x: ArrayLike) -> Array:
        """Integral of P from -inf to ``x``, of the shape of ``x``."""
        return two_gaussians_cdf(x, self.means, (self.width, self.width), self.weight)

    def ppf(self, u: ArrayLike) -> Array:
        """Inverse of :meth:`cdf`, of the shape of ``u``; ``cdf(ppf(u)) = u`` to 1e-12.

        The root lies between the two humps' own quantiles mu_k + s Phi^-1(u). Bisection and not
        Newton, which leaves the bracket where P is flat and crawls in the tails.

        Raises:
            ValueError: a ``u`` is NaN or outside [0, 1].
        """
        u = np.asarray(u, dtype=float)
        if not np.all((u >= 0) & (u <= 1)):
            raise ValueError("u must lie in [0, 1]")
        z = self.width * np.asarray(ndtri(u))
        low, high = min(self.means) + z, max(self.means) + z
        for _ in range(BISECTIONS):
            middle = 0.5 * (low + high)
            below = self.cdf(middle) < u
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.asarray(high)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """``n`` independent points of P, shape (n,).

        The number of points in a hump is binomial, as in an unstratified sample of eq. (1).

        Raises:
            ValueError: ``n`` < 1.
        """
        if n < 1:
            raise ValueError(f"a sample needs n >= 1 points, got {n}")
        hump = np.where(rng.random(n) < self.weight, *self.means)
        return np.asarray(hump + self.width * rng.standard_normal(n))

    def edges(self, q: int) -> Array:
        """Boundaries of ``q`` cells ("quantiles") of equal mass 1/q, shape (q + 1,).

        The outer boundaries are -inf and +inf; see the class on [-8, 8].

        Raises:
            ValueError: ``q`` < 2.
        """
        if q < 2:
            raise ValueError(f"quantiles need q >= 2 cells, got {q}")
        return self.ppf(np.arange(q + 1) / q)

    def coordinates(self, x: ArrayLike) -> Array:
        """The distribution function as a column (N, 1): uniform in [0, 1] under the truth."""
        return self.cdf(as_events(x))

    def cells(self, q: int) -> Grid:
        """The ``q`` quantiles between :meth:`edges`."""
        return Grid(self.coordinates, divisions(q, 1))


@dataclass(frozen=True, eq=False)
class GaussianMixture:
    """K Gaussians in D dimensions: P(x) = sum_k f_k N(x; mu_k, C_k).

    Args:
        means: mu, (K, D); (K,) in one dimension.
        covariances: C, (K, D, D), or one (D, D) for all; unit matrices by default.
        weights: f, (K,), positive and of sum one; all equal by default.

    Raises:
        ValueError: shapes that do not fit, covariances that are none, weights that are none.

    >>> GaussianMixture([[0, 0], [3, 1]]).sample(5, np.random.default_rng(1)).shape
    (5, 2)
    """

    means: ArrayLike
    covariances: ArrayLike | None = None
    weights: ArrayLike | None = None
    _mean: Array = field(init=False, repr=False)
    _root: Array = field(init=False, repr=False)
    _weight: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        mean = as_events(self.means, "means")
        k, d = mean.shape
        given = np.eye(d) if self.covariances is None else self.covariances
        weight = np.full(k, 1 / k) if self.weights is None else np.asarray(self.weights, float)
        try:
            root = np.linalg.cholesky(np.broadcast_to(np.asarray(given, float), (k, d, d)))
        except (ValueError, np.linalg.LinAlgError):
            raise ValueError(f"covariances must be {k} positive {d} x {d} matrices") from None
        if weight.shape != (k,) or not np.all(weight > 0) or abs(weight.sum() - 1) > 1e-9:
            raise ValueError(f"weights must be {k} positive numbers of sum one")
        for name, value in (("_mean", mean), ("_root", root), ("_weight", weight)):
            object.__setattr__(self, name, value)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """``n`` independent points, (n, D)."""
        k = rng.choice(len(self._weight), n, p=self._weight)
        z = rng.standard_normal((n, self._mean.shape[1]))
        return np.asarray(self._mean[k] + np.einsum("nij,nj->ni", self._root[k], z))

    def coordinates(self, x: ArrayLike) -> Array:
        """(N, D) in [0, 1], independent and uniform: u_i = F(x_i | x_1 ... x_i-1) (Rosenblatt).

        Given the coordinates before it, x_i is again a mixture of K Gaussians: with C = L L^T and
        z = L^-1 (x - mu) its k-th is at mu_i + sum_j<i L_ij z_j, of width L_ii, and weighs in
        proportion to f_k prod_j<i N(z_j; 0, 1) / L_jj.
        """
        x = as_events(x)
        z = np.zeros((len(x), *self._mean.shape))
        u = np.empty_like(x)
        log_weight = np.log(self._weight)
        for i in range(x.shape[1]):
            width = self._root[:, i, i]
            shift = np.einsum("nkj,kj->nk", z[:, :, :i], self._root[:, i, :i])
            z[:, :, i] = (x[:, i, None] - self._mean[:, i] - shift) / width
            u[:, i] = (np.exp(log_softmax(log_weight, axis=-1)) * ndtr(z[:, :, i])).sum(axis=-1)
            log_weight = log_weight - z[:, :, i] ** 2 / 2 - np.log(width)
        return np.clip(u, 0, 1)

    def cells(self, q: int) -> Grid:
        """A product grid in :meth:`coordinates`."""
        return Grid(self.coordinates, divisions(q, self._mean.shape[1]))


@dataclass(frozen=True)
class Shells:
    """A spherical shell in D dimensions: x = r n, r ~ N(R, s), n of any direction alike.

    The "GANplifying Event Samples" paper (arXiv:2008.06545) takes D = 2, 5 and 10 with R = 4 and
    s = 1.  A negative radius, 3 in 100,000, is a point on the other side: the norm of x is a folded
    Gaussian.

    Args:
        dimension: D >= 2; one dimension is what :class:`CamelBack` is.
        radius: R >= 0.
        width: s > 0.

    Raises:
        ValueError: a value out of range.
    """

    dimension: int = 2
    radius: float = 4.0
    width: float = 1.0

    def __post_init__(self) -> None:
        if not (isinstance(self.dimension, (int, np.integer)) and self.dimension >= 2):
            raise ValueError(f"shells need a dimension of 2 or more, got {self.dimension}")
        if not 0 <= self.radius < np.inf:
            raise ValueError(f"radius must be finite and not negative, got {self.radius}")
        if not 0 < self.width < np.inf:
            raise ValueError(f"width must be positive and finite, got {self.width}")

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """``n`` independent points, (n, D)."""
        direction = rng.standard_normal((n, self.dimension))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        return np.asarray(rng.normal(self.radius, self.width, (n, 1)) * direction)

    def coordinates(self, x: ArrayLike) -> Array:
        """Hyperspherical coordinates through their distribution functions: (N, D) in [0, 1].

        The radius, D - 2 polar angles, and the azimuth of the last two axes.  In m dimensions
        (1 + cos theta)/2 follows Beta((m - 1)/2, (m - 1)/2), independently of the radius and of
        what lies beyond theta.
        """
        x = as_events(x)
        norm = np.sqrt(np.cumsum(x[:, ::-1] ** 2, axis=1))[:, ::-1]  # of x_i ... x_D
        u = np.empty_like(x)
        r, s = norm[:, 0], self.width
        u[:, 0] = ndtr((r - self.radius) / s) - ndtr(-(r + self.radius) / s)
        for i in range(self.dimension - 2):
            half = (self.dimension - i - 1) / 2
            cosine = np.divide(x[:, i], norm[:, i], out=np.zeros(len(x)), where=norm[:, i] > 0)
            u[:, i + 1] = betainc(half, half, np.clip((1 + cosine) / 2, 0, 1))
        u[:, -1] = np.arctan2(x[:, -1], x[:, -2]) / (2 * np.pi) + 0.5
        return np.clip(u, 0, 1)

    def cells(self, q: int) -> Grid:
        """A product grid of the quantiles of radius and angles."""
        return Grid(self.coordinates, divisions(q, self.dimension))


@dataclass(frozen=True)
class Ring(Shells):
    """The shell in two dimensions (arXiv:2008.06545)."""

    dimension: int = field(default=2, init=False)


def as_truth(truth: Truth | str) -> Truth:
    """A truth, or one of the book by name (:func:`truth_named`).

    Raises:
        ValueError: for anything else, a class in place of an object among it.
    """
    if isinstance(truth, str):
        return truth_named(truth)
    if isinstance(truth, type):
        raise ValueError(f"truth is the class {truth.__name__}: expected an object of it")
    if not (callable(getattr(truth, "sample", None)) and callable(getattr(truth, "cells", None))):
        raise ValueError(f"truth has the methods sample and cells, got {type(truth).__name__}")
    return truth


def truth_named(name: str) -> Truth:
    """A truth of the book by name: ``camel-back``, ``ring``, ``shells-5`` in 5 dimensions.

    Raises:
        ValueError: for another name.
    """
    if name == "camel-back":
        return CamelBack()
    if name == "ring":
        return Ring()
    if found := re.fullmatch("shells-([0-9]{1,3})", name):
        return Shells(int(found[1]))
    allowed = "camel-back, ring, shells-2, shells-3 ... shells-999"
    raise ValueError(f"truth = {name!r}: allowed are {allowed}")
