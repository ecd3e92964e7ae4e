"""The five-parameter maximum-likelihood fit: the papers' benchmark of what can be known.

Reference: Butter et al., "Amplifying Statistics using Generative Models", sec. 2: "we assume that
we know the functional form and determine the two means, the two widths and the relative height".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from iminuit import Minuit
from numpy.typing import ArrayLike, NDArray

from amplib.cells import as_edges, as_sample, cell_masses
from amplib.truth.densities import two_gaussians_cdf, two_gaussians_pdf

Array = NDArray[np.float64]

PARAMETERS = ("mean_1", "mean_2", "width_1", "width_2", "weight")
SMALLEST_WIDTH = 0.05
BOUND_MARGIN = 1e-3


@dataclass(frozen=True, eq=False)
class CamelBackFit:
    """Result of :func:`fit_camel_back`.

    Args:
        parameters: (mu_1, mu_2, s_1, s_2, f) in the order of ``PARAMETERS``, shape (5,).
        covariance: inverse Hessian of -log L there, shape (5, 5); NaN where there is none.
        valid: the minimum and its covariance can be trusted; see :func:`fit_camel_back`.
    """

    parameters: Array
    covariance: Array
    valid: bool

    def pdf(self, x: ArrayLike) -> Array:
        """Fitted density f N(x; mu_1, s_1) + (1 - f) N(x; mu_2, s_2), of the shape of ``x``."""
        return two_gaussians_pdf(x, self.parameters[:2], self.parameters[2:4], self.parameters[4])

    def cell_probabilities(self, edges: ArrayLike) -> Array:
        """Fitted probability of each cell, shape (q,) for ``edges`` (q + 1,), exact.

        They sum to one if the edges end at -inf and +inf.
        """
        p = self.parameters
        return cell_masses(two_gaussians_cdf(as_edges(edges), p[:2], p[2:4], p[4]))


class CamelBackLikelihood:
    """-log L(mu_1, mu_2, s_1, s_2, f) = -sum_i log P(x_i) and its analytic gradient.

    With r_1i = f N(x_i; mu_1, s_1) / P(x_i) and z_1i = (x_i - mu_1) / s_1,

        d/dmu_1 = -sum r_1 z_1 / s_1,    d/ds_1 = -sum r_1 (z_1^2 - 1) / s_1,
        d/df    = -sum [r_1 / f - r_2 / (1 - f)].

    Args:
        x: sample, shape (N,).
    """

    def __init__(self, x: Array) -> None:
        self.x = x
        self.offset = 0.5 * x.size * np.log(2 * np.pi)

    def _log_terms(self, p: Array) -> tuple[Array, Array, Array]:
        z = (self.x - p[:2, None]) / p[2:4, None]
        amplitude = np.log(np.array([p[4], 1 - p[4]]) / p[2:4])
        terms = amplitude[:, None] - 0.5 * z**2
        # logaddexp, because a point far from a narrow hump underflows in P itself.
        return z, terms, np.logaddexp(terms[0], terms[1])

    def __call__(self, p: Array) -> float:
        return float(self.offset - self._log_terms(p)[2].sum())

    def gradient(self, p: Array) -> Array:
        z, terms, total = self._log_terms(p)
        r = np.exp(terms - total)
        by_mean = -(r * z).sum(axis=1) / p[2:4]
        by_width = -(r * (z**2 - 1)).sum(axis=1) / p[2:4]
        in_hump = r.sum(axis=1)
        return np.array([*by_mean, *by_width, in_hump[1] / (1 - p[4]) - in_hump[0] / p[4]])


def starting_values(x: Array) -> Array:
    """Start of the fit from the data alone, (mu_1, mu_2, s_1, s_2, f), shape (5,).

    The papers do not tell theirs. The sorted sample is cut in two where the sum of squares within
    the parts is smallest (the exact two-means of one dimension); the parts give the means and the
    weight. Both widths start at the pooled width of the parts: a part may hold a single point.
    All that is assumed is that the two humps are apart; the truth's numbers are never used.

    Raises:
        ValueError: the parts have no width (fewer than three distinct points).
    """
    x = np.sort(x)
    n = np.arange(1, x.size)
    # Centred, because the sums of squares cancel for a sample far from zero.
    left = np.cumsum(x - x.mean())[:-1]
    cut = 1 + int(np.argmax(left**2 * (1 / n + 1 / (x.size - n))))
    first, second = x[:cut], x[cut:]
    width = np.sqrt((cut * first.var() + (x.size - cut) * second.var()) / x.size)
    if width <= 1e-9 * np.ptp(x):
        raise ValueError("the sample has fewer than three distinct points")
    return np.array([first.mean(), second.mean(), width, width, cut / x.size])


def fit_camel_back(x: ArrayLike) -> CamelBackFit:
    """Unbinned maximum-likelihood fit of two Gaussians with five free parameters.

    The "relative height" is fitted as the weight f of the first hump; the maximum is the same.

    The likelihood has no upper bound: a hump of zero width on a single point makes it infinite.
    So a width stays above ``SMALLEST_WIDTH`` = 5% of its start, far below the spread of a few
    points, and a weight between a tenth of a point and all but that.

    A fit is flagged ``valid=False``, never dropped, if Minuit did not converge, if it has no
    accurate covariance, or if a parameter ended at one of these bounds.

    Args:
        x: sample, shape (N,), N >= 6.

    Raises:
        ValueError: fewer than six points (more than parameters), NaN, infinity, not
            one-dimensional, or fewer than three distinct points.
    """
    x = as_sample(x, at_least=len(PARAMETERS) + 1)
    start, likelihood = starting_values(x), CamelBackLikelihood(x)
    minuit = Minuit(likelihood, start, grad=likelihood.gradient, name=PARAMETERS)
    minuit.errordef = Minuit.LIKELIHOOD
    for width in PARAMETERS[2:4]:
        minuit.limits[width] = (SMALLEST_WIDTH * start[2], np.ptp(x))
    minuit.limits["weight"] = (0.1 / x.size, 1 - 0.1 / x.size)
    minuit.migrad().hesse()
    return _result(minuit)


def information(parameters: Array, n: int) -> Array:
    """Fisher information of ``n`` points, N * integral (dP/da)(dP/db) / P dx, shape (5, 5).

    Its inverse bounds the covariance of unbiased estimates (Cramer, Rao).
    """
    means, widths = parameters[:2], parameters[2:4]
    reach = 10 * widths.max()
    x, dx = np.linspace(means.min() - reach, means.max() + reach, 4001, retstep=True)

    def density(p: Array) -> Array:
        return two_gaussians_pdf(x, p[:2], p[2:4], p[4])

    gradient = _gradient(density, parameters)
    return np.asarray(n * dx * (gradient / density(parameters)) @ gradient.T)


def propagated_mse(parameters: Array, covariance: Array, edges: ArrayLike) -> float:
    """Quantile MSE that a covariance of the five parameters implies, to first order.

    MSE = (1/q) sum_j [J C J^T]_jj with J = dp_j / d(parameters): the one-sigma range of the
    parameters with all their correlations (amplify, sec. 2).
    """
    edges = as_edges(edges)

    def masses(p: Array) -> Array:
        return np.diff(two_gaussians_cdf(edges, p[:2], p[2:4], p[4]))

    jacobian = _gradient(masses, parameters)
    return float(np.einsum("aj,ab,bj->j", jacobian, covariance, jacobian).mean())


def _gradient(function: Callable[[Array], Array], parameters: Array, step: float = 1e-5) -> Array:
    """Central differences of ``function``, a row a parameter."""
    steps = step * np.eye(len(parameters))
    rise = [function(parameters + s) - function(parameters - s) for s in steps]
    return np.array(rise) / (2 * step)


def _result(minuit: Minuit) -> CamelBackFit:
    valid = minuit.valid and minuit.accurate and not _at_a_bound(minuit)
    covariance = np.full((5, 5), np.nan)
    if minuit.covariance is not None:
        covariance = np.array(minuit.covariance)
    return CamelBackFit(np.array(minuit.values), covariance, bool(valid))


def _at_a_bound(minuit: Minuit) -> bool:
    """Whether a width or the weight ended within ``BOUND_MARGIN`` of its range of a bound."""
    low, high = np.array(minuit.limits)[2:].T
    share = (np.array(minuit.values)[2:] - low) / (high - low)
    return bool(np.any(np.abs(share - 0.5) > 0.5 - BOUND_MARGIN))
