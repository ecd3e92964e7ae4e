"""Linear correlations of many observables of weighted events (DCTRGAN, Fig. 7)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from amplib.estimate import Estimates
from amplib.metrics.weights import as_events, as_weights


def correlations(values: ArrayLike, weights: ArrayLike | None = None) -> Estimates:
    r"""Pearson's coefficients of all pairs, weighted, with their errors over events.

    .. math::
        \rho_{ab} = \langle z_a z_b\rangle_w, \qquad \mathrm{Var}\,\rho_{ab} =
        \frac{\sum_i w_i^2\,[z_a z_b - \tfrac12\rho_{ab}(z_a^2 + z_b^2)]^2}{(\sum_i w_i)^2}

    with observables z of zero mean and unit variance.

    Args:
        values: ``(N, F)``.
        weights: ``(N,)``, or None.

    Returns:
        ``(F, F)``; NaN with an observable that is the same in all events.
    """
    x = as_events(values)
    w = np.ones(len(x)) if weights is None else as_weights(weights, len(x))
    w = w / w.sum()
    z = x - w @ x
    spread = np.sqrt(w @ z**2)
    z /= np.where(np.ptp(x, axis=0) > 0, spread, np.nan)
    rho = (w[:, None] * z).T @ z
    square, weighted = z**2, w[:, None] ** 2 * z
    m22, m31 = (weighted * z).T @ square, (weighted * square).T @ z
    m4 = np.diag(m22)
    quartic = m4[:, None] + m4 + 2 * m22
    variance = m22 - rho * (m31 + m31.T) + rho**2 / 4 * quartic
    return Estimates(rho, np.sqrt(np.maximum(variance, 0)))
