"""Quantile error, equivalent sample size and amplification factor.

Reference: Butter et al., "Amplifying Statistics using Generative Models", sec. 2 and eq. (2).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amplib.cells import as_contents, check_cells
from amplib.estimate import Estimate, relative

# Single-precision fractions of a hundred cells sum to one within a few 1e-6.
SUM_TOLERANCE = 1e-5


def quantile_mse(p: ArrayLike) -> NDArray[Any]:
    """Average quantile error, eq. (2): MSE = (1/q) sum_j (p_j - 1/q)^2, over the last axis.

    Args:
        p: estimated probabilities of the q equal-mass cells, shape (..., q); each row sums to one.

    Returns:
        The MSE of each row, shape (...); no uncertainty, which only repetitions can tell.

    Raises:
        ValueError: fewer than two cells, NaN, negative entries, or rows that do not sum to one
            (counts instead of fractions, or lost points).

    >>> float(quantile_mse([0.5, 0.25, 0.25, 0.0]))
    0.03125
    """
    p = as_contents(p)
    q = p.shape[-1]
    check_cells(q)
    if np.any(np.abs(p.sum(axis=-1) - 1) > SUM_TOLERANCE):
        raise ValueError("the fractions of the cells must sum to one")
    return np.asarray(((p - 1 / q) ** 2).mean(axis=-1))


def expected_mse(n: float, q: int) -> float:
    """Exact expectation of eq. (2) for ``n`` independent points of the truth in ``q`` quantiles.

    E[MSE] = (1/q) (1 - 1/q) / n, since each fraction has the variance (1/q) (1 - 1/q) / n.

    Raises:
        ValueError: ``n`` not positive or ``q`` < 2.

    >>> expected_mse(100, 10)
    0.0009
    """
    check_cells(q)
    if not n > 0:
        raise ValueError(f"the number of points must be positive, got {n}")
    return (1 - 1 / q) / (q * n)


def n_equiv(mse: ArrayLike, q: int) -> Estimate:
    """Equivalent sample size N_equiv = (1/q) (1 - 1/q) / <MSE>.

    The number of true points whose expected MSE equals the mean one measured: the exact form of
    the papers' comparison by eye with the horizontal lines of their Fig. 2.

    One over the mean of R values is too large by the relative variance of that mean, to first
    order; this is removed.

    Args:
        mse: eq. (2) of R independent repetitions (training samples), shape (R,) or a number.
        q: number of quantiles.

    Returns:
        N_equiv and its standard error over the repetitions, N_equiv * sem / <MSE>, with sem the
        standard error of the mean; NaN for a single repetition.  Its 95% interval is one in the
        logarithm, by Student's t.

    Raises:
        ValueError: no MSE, NaN, negative ones, all zero (N_equiv is infinite), or ``q`` < 2.

    >>> n_equiv([0.0009, 0.0009], 10)
    Estimate(value=100.0, error=0.0, low=100.0, high=100.0, repetitions=2)
    """
    mse = np.asarray(as_contents(np.ravel(mse)), dtype=float)
    mean = float(mse.mean())
    if mean == 0:
        raise ValueError("every MSE is zero: the equivalent sample size is infinite")
    scale = expected_mse(1, q)
    raw = scale / mean
    sem = float(mse.std(ddof=1)) / mse.size**0.5 if mse.size > 1 else float("nan")
    value = raw / (1 + (sem / mean) ** 2) if mse.size > 1 else raw
    return relative(value, value * sem / mean, mse.size, centre=raw)


def amplification_factor(mse: ArrayLike, q: int, n_train: int) -> Estimate:
    """Amplification factor N_equiv / N_train (paper: asymptotic performance to training events).

    Arguments, error and what is raised as in :func:`n_equiv`; ``n_train`` < 1 is refused.
    """
    if n_train < 1:
        raise ValueError(f"the training sample needs at least one point, got {n_train}")
    return n_equiv(mse, q).scaled(1 / n_train)
