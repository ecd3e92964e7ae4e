"""Is a GAN more than smoothing? Classical density estimates of the same sample.

Each baseline but the bootstrap turns a sample (N,) into the probabilities of cells, exactly from
its distribution function: the limit of infinitely many generated points. A generative model that
amplifies only as much as these has interpolated, no more.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, ndtr
from sklearn.mixture import GaussianMixture

from amplib.cells import as_edges, as_sample, cell_counts, cell_masses
from amplib.truth.densities import two_gaussians_cdf

DRAWS = 100_000
"""Events of the bootstrap, as many as are drawn from a GAN."""

Array = NDArray[np.float64]
Baseline = Callable[[ArrayLike, ArrayLike, np.random.Generator], Array]

HISTOGRAM_BINS = 20
HISTOGRAM_RANGE = (-8.0, 8.0)
# In units of Scott's bandwidth: first, last, number of points.
BANDWIDTH_SCAN = (0.005, 2.0, 40)


def scott_bandwidth(x: ArrayLike) -> float:
    """Scott's rule h = s N^(-1/5), s the standard deviation (N - 1) of the whole sample.

    The rule is made for one Gaussian; for two humps s is their distance and h is too wide.

    Raises:
        ValueError: fewer than two points, NaN, infinity, or no spread.
    """
    x = _as_spread_sample(x)
    return float(x.std(ddof=1) * x.size**-0.2)


def silverman_bandwidth(x: ArrayLike) -> float:
    """Silverman's rule of thumb h = 0.9 min(s, IQR / 1.34) N^(-1/5) (Silverman 1986, eq. 3.31).

    IQR is the interquartile range; of one Gaussian it is 1.34 s.  Between two humps it says no
    more about their width than s does.

    Raises:
        ValueError: as :func:`scott_bandwidth`; or half of the points are equal.
    """
    x = _as_spread_sample(x)
    quartiles = np.quantile(x, [0.25, 0.75])
    spread = min(float(x.std(ddof=1)), float(np.ptp(quartiles)) / 1.34)
    if spread == 0:
        raise ValueError("half of the points are equal: no bandwidth follows from them")
    return float(0.9 * spread * x.size**-0.2)


def leave_one_out_bandwidth(x: ArrayLike) -> float:
    """Bandwidth of largest leave-one-out likelihood, from the data alone.

    h = argmax sum_i log [1/(N - 1) sum_{j != i} N(x_i; x_j, h)]

    Searched from 0.005 to 2 times Scott's: first on a logarithmic grid, because the likelihood
    may have several maxima, then refined around the best point. Repeated values in a sample pull
    h to the lower end, where the likelihood has no bound. Costs O(N^2) time and memory.

    Raises:
        ValueError: as :func:`scott_bandwidth`.
    """
    x = _as_spread_sample(x)
    squares = (x[:, None] - x) ** 2
    np.fill_diagonal(squares, np.inf)

    def loss(log_h: float) -> float:
        terms = logsumexp(-0.5 * squares * np.exp(-2 * log_h), axis=1)
        return float(x.size * log_h - terms.sum())

    first, last, points = BANDWIDTH_SCAN
    grid = np.log(scott_bandwidth(x)) + np.linspace(np.log(first), np.log(last), points)
    best = int(np.argmin([loss(log_h) for log_h in grid]))
    bracket = (grid[max(best - 1, 0)], grid[min(best + 1, points - 1)])
    return float(np.exp(minimize_scalar(loss, bounds=bracket, method="bounded").x))


def kde_probabilities(x: ArrayLike, edges: ArrayLike, bandwidth: float) -> Array:
    """Cell probabilities of a Gaussian kernel density estimate, shape (q,).

    F(e) = (1/N) sum_i Phi((e - x_i) / h)

    Raises:
        ValueError: bandwidth not positive; a sample or edges as in :mod:`amplib.metrics.quantiles`.
    """
    if not 0 < bandwidth < np.inf:
        raise ValueError(f"the bandwidth must be positive and finite, got {bandwidth}")
    x, edges = as_sample(x), as_edges(edges)
    return cell_masses(ndtr((edges[:, None] - x) / bandwidth).mean(axis=1))


def scott(x: ArrayLike, edges: ArrayLike, rng: np.random.Generator) -> Array:
    """Gaussian KDE with :func:`scott_bandwidth`; ``rng`` is not used."""
    return kde_probabilities(x, edges, scott_bandwidth(x))


def silverman(x: ArrayLike, edges: ArrayLike, rng: np.random.Generator) -> Array:
    """Gaussian KDE with :func:`silverman_bandwidth`; ``rng`` is not used."""
    return kde_probabilities(x, edges, silverman_bandwidth(x))


def loo(x: ArrayLike, edges: ArrayLike, rng: np.random.Generator) -> Array:
    """Gaussian KDE with :func:`leave_one_out_bandwidth`; ``rng`` is not used."""
    return kde_probabilities(x, edges, leave_one_out_bandwidth(x))


def histogram(x: ArrayLike, edges: ArrayLike, rng: np.random.Generator) -> Array:
    """20 equal bins on [-8, 8], uniform density inside a bin; ``rng`` is not used.

    Points outside (3.2e-5 of the truth) count in the nearest bin, so that the probabilities of
    cells that cover the line sum to one.
    """
    x, edges = as_sample(x), as_edges(edges)
    bins = np.linspace(*HISTOGRAM_RANGE, HISTOGRAM_BINS + 1)
    counts, _ = np.histogram(np.clip(x, *HISTOGRAM_RANGE), bins)
    cumulative = np.concatenate([[0.0], np.cumsum(counts) / x.size])
    return cell_masses(np.interp(edges, bins, cumulative))


def mixture(x: ArrayLike, edges: ArrayLike, rng: np.random.Generator) -> Array:
    """Two Gaussians by expectation maximisation, started by k-means++ with a seed from ``rng``.

    The same family and the same maximum as :func:`amplib.models.fit.fit_camel_back`, by
    another way.  scikit-learn warns if it does not converge.
    """
    x, edges = _as_spread_sample(x), as_edges(edges)
    seed = int(rng.integers(2**31))
    model = GaussianMixture(2, tol=1e-8, max_iter=2000, random_state=seed).fit(x[:, None])
    widths = np.sqrt(model.covariances_.ravel())
    return cell_masses(two_gaussians_cdf(edges, model.means_.ravel(), widths, model.weights_[0]))


def bootstrap(x: ArrayLike, edges: ArrayLike, rng: np.random.Generator) -> Array:
    """``DRAWS`` events drawn from the N points with replacement: shares of the cells.

    No smoothing and no knowledge.  By the identity of :func:`amplib.metrics.quantiles.expected_mse`
    1 / N_equiv = 1 / N + (1 - 1 / N) / DRAWS: a generator that is known to be worth its sample.
    """
    drawn = rng.choice(as_sample(x), DRAWS)
    return np.asarray(cell_counts(drawn, edges) / DRAWS)


def _as_spread_sample(x: ArrayLike) -> Array:
    x = as_sample(x, at_least=2)
    if np.ptp(x) == 0:
        raise ValueError("all points of the sample are equal: no bandwidth follows from it")
    return x


BASELINES: dict[str, Baseline] = {
    "scott": scott,
    "silverman": silverman,
    "loo": loo,
    "histogram": histogram,
    "mixture": mixture,
    "bootstrap": bootstrap,
}

LABELS: dict[str, str] = {
    "scott": "KDE, Scott's rule",
    "silverman": "KDE, Silverman's rule",
    "loo": "KDE, leave-one-out likelihood",
    "histogram": "Histogram, 20 bins",
    "mixture": "Gaussian mixture, EM",
    "bootstrap": "Bootstrap of the sample",
}
