r"""Pairs of known densities: a truth and a generator whose ratio is analytic.

What DCTRGAN learns, :math:`W(x) = p_T(x) / p_G(x)` (eq. 3), is known here at every point, and so is
every expectation over the truth; learned weights are held to both.  The paper has no such test.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.integrate import quad

Array = NDArray[np.float64]
RandomState = int | np.random.Generator

TAIL = 2.5
"""Beyond which, on either side, an axis has its tails."""


@dataclass(frozen=True, eq=False)
class Pair:
    """A Gaussian truth beside a generator.

    Args:
        mean: of the truth, ``(d,)``.
        covariance: of the truth, ``(d, d)``.
        generator: a frozen distribution of scipy's, in several dimensions a Gaussian.
    """

    mean: Array
    covariance: Array
    generator: Any

    @property
    def dimension(self) -> int:
        """d."""
        return len(self.mean)

    @cached_property
    def truth(self) -> Any:
        """The truth as scipy has it."""
        return gaussian(self.mean, self.covariance)

    def real(self, n: int, rng: RandomState) -> Array:
        """``n`` independent events of the truth, ``(n, d)``; ``rng`` may be a seed."""
        return np.asarray(self.truth.rvs(n, random_state=rng)).reshape(n, self.dimension)

    def made(self, n: int, rng: RandomState) -> Array:
        """``n`` independent events of the generator, ``(n, d)``; ``rng`` may be a seed."""
        return np.asarray(self.generator.rvs(n, random_state=rng)).reshape(n, self.dimension)

    def log_ratio(self, x: ArrayLike) -> Array:
        """ln W of points ``(n, d)``, shape ``(n,)``."""
        x = np.asarray(x, dtype=float)
        at = x[:, 0] if self.dimension == 1 else x
        log_ratio = self.truth.logpdf(at) - self.generator.logpdf(at)
        return np.asarray(log_ratio).reshape(len(x))  # of a single point scipy makes a number

    @property
    def expected(self) -> Array:
        """Expectations of ``observables`` over the truth, ``(F,)``, exact."""
        m, v = self.mean, self.covariance.diagonal()
        product = [m[0] * m[-1] + self.covariance[0, -1]]
        return np.concatenate([m, v + m**2, product[: self.dimension - 1], self._tails])

    @property
    def spread(self) -> Array:
        r"""Their standard deviations over the truth, ``(F,)``, exact.

        By Isserlis' theorem :math:`\mathrm{Var}(x^2) = 2 v^2 + 4 m^2 v` and
        :math:`\mathrm{Var}(xy) = m_x^2 v_y + m_y^2 v_x + 2 m_x m_y c + v_x v_y + c^2`.
        """
        m, v, c = self.mean, self.covariance.diagonal(), self.covariance[0, -1]
        product = m[0] ** 2 * v[-1] + m[-1] ** 2 * v[0] + 2 * m[0] * m[-1] * c + v[0] * v[-1] + c**2
        squares, tails = 2 * v**2 + 4 * m**2 * v, self._tails * (1 - self._tails)
        return np.sqrt(np.concatenate([v, squares, [product][: self.dimension - 1], tails]))

    @cached_property
    def share_left(self) -> float:
        r"""Effective share of infinitely many generated events, :math:`1 / \int p_T^2 / p_G\,dx`.

        In several dimensions, where the generator is to be Gaussian as well, the integrand is a
        Gaussian, of which one point says the integral.
        """
        if self.dimension == 1:
            log = self.truth.logpdf, self.generator.logpdf
            area, _ = quad(lambda x: np.exp(2 * log[0](x) - log[1](x)), -np.inf, np.inf)
            return float(1 / area)
        ours, theirs = 2 * np.linalg.inv(self.covariance), np.linalg.inv(self.generator.cov)
        covariance = np.linalg.inv(ours - theirs)
        peak = covariance @ (ours @ self.mean - theirs @ self.generator.mean)
        log_there = self.truth.logpdf(peak) + self.log_ratio(peak[None])[0]
        return float(np.exp(stats.multivariate_normal(peak, covariance).logpdf(peak) - log_there))

    @property
    def _tails(self) -> Array:
        """Share of the truth in the tails of each axis."""
        along = stats.norm(self.mean, np.sqrt(self.covariance.diagonal()))
        return np.asarray(along.sf(TAIL) + along.cdf(-TAIL))


def observables(x: ArrayLike) -> Array:
    """Of points ``(n, d)``, ``(n, F)``: first and second powers of all axes, the product of the
    first and the last where there are several, and of all axes whether x lies in a tail."""
    x = np.asarray(x, dtype=float)
    product = x[:, :1] * x[:, -1:]
    return np.concatenate([x, x**2, product[:, : x.shape[1] - 1], abs(x) > TAIL], axis=1)


def kinds(dimension: int) -> list[str]:
    """What each column of ``observables`` is, whatever its axis.

    >>> kinds(1), kinds(2)[4]
    (['x', 'x²', 'tail'], 'product')
    """
    several = ["product"] if dimension > 1 else []
    return ["x"] * dimension + ["x²"] * dimension + several + ["tail"] * dimension


def gaussian(mean: ArrayLike, covariance: ArrayLike) -> Any:
    """N(mean, covariance) of shapes ``(d,)`` and ``(d, d)`` as scipy has it, on a line as ``norm``,
    whose random numbers are its own."""
    mean, covariance = np.asarray(mean, dtype=float), np.asarray(covariance, dtype=float)
    if len(mean) == 1:
        return stats.norm(mean[0], np.sqrt(covariance[0, 0]))
    return stats.multivariate_normal(mean, covariance)


def equicorrelated(rho: float, dimension: int) -> Array:
    """Covariance ``(d, d)`` of unit variances and one correlation."""
    return np.full((dimension, dimension), rho) + (1 - rho) * np.eye(dimension)


PAIRS = {
    "1D": Pair(np.array([0.3]), np.eye(1), stats.norm(0, 1.2)),
    "correlated 2D": Pair(
        np.zeros(2), equicorrelated(0.5, 2), gaussian(np.zeros(2), equicorrelated(-0.1, 2))
    ),
    "5D": Pair(np.full(5, 0.1), equicorrelated(0.2, 5), gaussian(np.zeros(5), np.eye(5))),
    # Student's t of six degrees of freedom, of the same variance.
    "tails": Pair(np.zeros(1), np.eye(1), stats.t(6, scale=np.sqrt(4 / 6))),
}
"""A line; two axes whose correlation differs; five axes; and two densities of one mean and one
variance that differ in their tails."""
