r"""Statistics of weighted events: what weights cost (DCTRGAN, sec. II B).

Events are rows: observables ``(N, F)`` for F of them at once, weights ``(N,)``.  The weights stand
for :math:`W(x) = p_T(x) / p_G(x)` (eq. 3) on generated events.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amplib import cells
from amplib.estimate import Estimate, Estimates, Interval

Array = NDArray[np.float64]

RESAMPLES = 200
"""Poisson bootstraps of a mean, as in the paper's code."""
CHUNK = 4096
"""Events whose bootstrap counts are in memory at once."""


def as_weights(weights: ArrayLike, n: int | None = None) -> Array:
    """``weights`` as a float array ``(N,)``, finite and not negative; zeros are allowed.

    Args:
        weights: one an event.
        n: how many events there are.

    Raises:
        ValueError: naming the first weight that is negative, NaN or infinite; if their number is
            not that of the events, or if they are all zero.

    >>> as_weights([1.0, -0.5])
    Traceback (most recent call last):
    ValueError: weight 1 is -0.5: weights must be finite and not negative
    """
    try:
        w = cells.as_floats(weights)
    except (TypeError, ValueError):
        raise ValueError("weights must be numbers, one an event") from None
    if w.ndim != 1 or (n is not None and len(w) != n):
        wanted = "one an event" if n is None else f"one for each of {n} events"
        raise ValueError(f"weights of shape {w.shape}: must be {wanted}")
    bad = np.flatnonzero(~(np.isfinite(w) & (w >= 0)))
    if bad.size:
        raise ValueError(
            f"weight {bad[0]} is {w[bad[0]]:g}: weights must be finite and not negative"
        )
    if not w.any():
        raise ValueError("all weights are zero: nothing is left to weigh")
    return w


def as_events(values: ArrayLike) -> Array:
    """Observables ``(N, F)``; one observable may come as ``(N,)``.

    Raises:
        ValueError: another shape, no events, no numbers, NaN or infinity.
    """
    return cells.as_events(values, "observables")


class Clipped(NamedTuple):
    """Weights with a largest one, and what that did to them."""

    weights: Array
    clipped: int
    """Events whose weight was larger, infinite ones included."""
    cut: float
    """Share of the sum of weights that is gone; 1 where an infinite one was clipped."""

    def __str__(self) -> str:
        n = len(self.weights)
        return f"{self.clipped:,} of {n:,} weights clipped, with {self.cut:.2%} of their sum"


def clip(weights: ArrayLike, most: float) -> Clipped:
    """Weights of at most ``most``; infinite ones become that.

    Raises:
        ValueError: negative weights or NaN; ``most`` not positive and finite.

    >>> print(clip([0.5, 1.0, np.inf, 3.5], 2.0))
    2 of 4 weights clipped, with 100.00% of their sum
    """
    if not 0 < most < np.inf:
        raise ValueError(f"most = {most}: must be positive and finite")
    w = np.asarray(weights, dtype=float)
    larger = w > most
    kept = as_weights(np.where(larger, most, w))
    total = w.sum()
    cut = 1.0 if np.isinf(total) else float((w - kept).sum() / total)
    return Clipped(kept, int(larger.sum()), cut)


def mean_weight(weights: ArrayLike) -> Estimate:
    """Mean of the weights: one, if they are the density ratio and no support is missing (eq. 10).

    Where the generator misses a share m of the truth it is 1 - m.  That is before any clip: clipped
    weights have a smaller mean.  The error is that of the mean, NaN of a single weight.

    Raises:
        ValueError: as of ``as_weights``.
    """
    w = as_weights(weights)
    return Estimate(float(w.mean()), float(w.std(ddof=1) / np.sqrt(len(w))))


def effective_size(weights: ArrayLike) -> Estimate:
    r"""Events without weights that are worth the same, :math:`(\sum w)^2 / \sum w^2` (Kish).

    Its error is over other events of the same number.

    Raises:
        ValueError: as of ``as_weights``.

    >>> print(effective_size([1.0, 1.0, 0.0, 2.0]))
    2.67 ± 0.77
    """
    w = as_weights(weights)
    return effective_share(w).scaled(len(w))


def effective_share(weights: ArrayLike) -> Estimate:
    r""":math:`N_\mathrm{eff} / N = \langle w\rangle^2 / \langle w^2\rangle`, over events.

    Raises:
        ValueError: as of ``as_weights``.
    """
    w = as_weights(weights)
    a, b = w.mean(), (w**2).mean()
    share = a**2 / b
    pull = 2 * w / a - w**2 / b - 1
    return Estimate(float(share), float(share * np.sqrt((pull**2).mean() / len(w))))


def expectation(values: ArrayLike, weights: ArrayLike | None = None) -> Estimates:
    r"""Means of observables over weighted events, eq. 6, with the errors of eqs. 7 and 8.

    .. math::
        \hat f = \frac{\sum_i w_i f(x_i)}{\sum_i w_i}, \qquad
        \mathrm{Var}\,\hat f = \frac{\sum_i w_i^2\,(f(x_i) - \hat f)^2}{(\sum_i w_i)^2}

    Divided by the sum of the weights, not by N: their mean is known to be one, and what it is in
    the sample is noise.

    Args:
        values: ``(N, F)`` or ``(N,)``.
        weights: ``(N,)``, or None.

    Returns:
        ``(F,)``.

    Raises:
        ValueError: as of ``as_events`` and ``as_weights``.
    """
    x = as_events(values)
    w = np.ones(len(x)) if weights is None else as_weights(weights, len(x))
    mean = w @ x / w.sum()
    error = np.sqrt(w**2 @ (x - mean) ** 2) / w.sum()
    return Estimates(mean, error)


def needed_events(values: ArrayLike, weights: ArrayLike) -> Estimates:
    r"""Generated events for one of the truth, :math:`N_G / N_T` of each observable (eq. 9).

    .. math::
        \frac{N_G}{N_T} = \frac{\int p_T\,W\,\delta f^2}{\int p_T\,\delta f^2}
        = \frac{\langle w^2\,\delta f^2\rangle_G}
               {\langle w\rangle_G\,\langle w\,\delta f^2\rangle_G}

    Its root is r of the paper's figures.  No event of the truth is needed.  The errors take the
    mean of the observable for known, and are up to a quarter too large for it.

    Args:
        values: ``(N, F)`` or ``(N,)`` of generated events.
        weights: ``(N,)``.

    Returns:
        ``(F,)``; NaN for an observable that is the same in all events.

    Raises:
        ValueError: as of ``as_events`` and ``as_weights``.
    """
    x = as_events(values)
    w = as_weights(weights, len(x))[:, None]
    square = (x - (w * x).sum(0) / w.sum()) ** 2
    with np.errstate(invalid="ignore"):
        ratio, error = _ratio(w**2 * square, w, w * square)
    return Estimates(ratio, error)


def needed_events_in_bins(bins: ArrayLike, weights: ArrayLike, n_bins: int) -> Estimates:
    r""":math:`N_G / N_T` of the counts in small bins: the mean weight there (eq. 11).

    The mean is over events of the truth, :math:`\langle w^2\rangle / \langle w\rangle` over
    generated events of the bin, both in units of the mean weight of all.

    Args:
        bins: ``(N,)`` the bin of each event.
        weights: ``(N,)``.
        n_bins: how many bins there are.

    Returns:
        ``(n_bins,)``; NaN where no event is.

    Raises:
        ValueError: bins that are no integers from 0 to ``n_bins`` - 1; as of ``as_weights``.
    """
    bins = np.asarray(bins)
    w = as_weights(weights, len(bins))
    if not np.issubdtype(bins.dtype, np.integer) or bins.min() < 0 or bins.max() >= n_bins:
        raise ValueError(f"bins must be integers from 0 to {n_bins - 1}")
    sums = [np.bincount(bins, w**k, n_bins) for k in range(5)]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = sums[2] / sums[1]
        # sum over the bin of (w^2/S2 - w/S1)^2
        pull = sums[4] / sums[2] ** 2 - 2 * sums[3] / (sums[2] * sums[1]) + sums[2] / sums[1] ** 2
        error = ratio * np.sqrt(np.maximum(pull, 0))
    return Estimates(ratio / w.mean(), error / w.mean())


def _ratio(above: Array, *below: Array) -> tuple[Array, Array]:
    """Mean of ``above`` over the product of the others', with its error to first order."""
    a, b = above.mean(0), [x.mean(0) for x in below]
    ratio = a / np.prod(np.broadcast_arrays(*b), axis=0)
    pull = above / a - sum(x / m for x, m in zip(below, b, strict=True)) + (len(below) - 1)
    return ratio, ratio * np.sqrt((pull**2).mean(0) / len(above))


def dilution(
    truth: ArrayLike,
    generated: ArrayLike,
    weights: ArrayLike,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    truth_prior: ArrayLike | None = None,
) -> Estimates:
    """r: the uncertainty of each observable's mean over weighted events, over that of the truth.

    Both uncertainties are the spread over Poisson(1) bootstraps of the observable itself, all
    observables under the same resampling (facts: the released code).  Samples of unequal size are
    compared as if they had the same.

    Args:
        truth: ``(N_T, F)`` or ``(N_T,)``.
        generated: ``(N_G, F)`` or ``(N_G,)``.
        weights: ``(N_G,)`` of the generated events.
        rng: of the bootstraps.
        resamples: their number, at least 2.
        truth_prior: ``(N_T,)`` that the events of the truth come with, or None.

    Returns:
        ``(F,)``, the errors being those of two spreads that are estimated from so many resamples;
        NaN for an observable that is the same in all events.

    Raises:
        ValueError: other observables in one sample than in the other, fewer than two resamples; as
            of ``as_events`` and ``as_weights``.
    """
    t, g = as_events(truth), as_events(generated)
    if t.shape[1] != g.shape[1]:
        raise ValueError(f"{t.shape[1]} observables of the truth, but {g.shape[1]} generated")
    if resamples < 2:
        raise ValueError(f"resamples = {resamples}: a spread needs at least 2")
    v = np.ones(len(t)) if truth_prior is None else as_weights(truth_prior, len(t))
    spread = [
        np.sqrt(len(x)) * bootstrap_means(x, w, rng, resamples).std(0, ddof=1)
        for x, w in ((g, as_weights(weights, len(g))), (t, v))
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        r = spread[0] / spread[1]
    return Estimates(r, r / np.sqrt(resamples - 1))


def usual_dilution(r: ArrayLike) -> Interval:
    """Median and central 68% of r over the observables that vary; NaN if there is none.

    >>> usual_dilution([1.0, 2.0, 3.0, 0.0, np.nan]).value
    2.0
    """
    values = np.asarray(r, dtype=float)
    known = values[(values > 0) & np.isfinite(values)]
    if not known.size:
        return Interval(np.nan, np.nan, np.nan)
    low, middle, high = np.quantile(known, [0.16, 0.5, 0.84])
    return Interval(float(middle), float(low), float(high))


def bootstrap_means(
    values: Array, weights: Array, rng: np.random.Generator, resamples: int
) -> Array:
    """Weighted means ``(resamples, F)`` with every event counted Poisson(1) times.

    All observables and resamples are one matrix product a chunk of events.
    """
    centre = weights @ values / weights.sum()  # so that sums do not lose digits
    sums = np.zeros((resamples, values.shape[1] + 1))
    for first in range(0, len(values), CHUNK):
        w = weights[first : first + CHUNK, None]
        rows = np.concatenate([w * (values[first : first + CHUNK] - centre), w], 1)
        sums += rng.poisson(1.0, (resamples, len(rows))).astype(float) @ rows
    with np.errstate(invalid="ignore", divide="ignore"):
        return centre + sums[:, :-1] / sums[:, -1:]


def log_histogram(weights: ArrayLike, edges: ArrayLike) -> NDArray[np.int64]:
    """Counts of log10 W, ``(edges + 1,)``: first and last are of what lies beyond the edges.

    >>> log_histogram([0.0, 0.5, 2.0, 3.0, 500.0], [-1.0, 0.0, 1.0]).tolist()
    [1, 1, 2, 1]
    """
    with np.errstate(divide="ignore"):
        place = np.searchsorted(edges, np.log10(weights), side="right")
    return np.bincount(place, minlength=np.size(edges) + 1)
