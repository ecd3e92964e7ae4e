"""The truth of the amplification papers: a one-dimensional camel back.

P(x) = [N(x; -4, 1) + N(x; 4, 1)] / 2        (eq. 1 of both papers)

Everything here is analytic, so that a deviation from the truth is never an error of the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

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
