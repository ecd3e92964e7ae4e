"""How a measured number goes with a size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amplib.estimate import Estimate, t_quantile


@dataclass(frozen=True)
class PowerLaw:
    """y = scale x^exponent, by least squares in the logarithms.

    Args:
        exponent: its error is that of the points' scatter about the line, its interval Student's
            with two degrees of freedom fewer than points.  What bends the curve widens it.
        scale: y at x = 1.
        points: how many.
    """

    exponent: Estimate
    scale: float
    points: int

    def __call__(self, x: ArrayLike) -> NDArray[np.float64]:
        """The line at x."""
        return np.asarray(self.scale * np.asarray(x, dtype=float) ** self.exponent.value)


def power_law(x: ArrayLike, y: ArrayLike) -> PowerLaw:
    """The power law through points ``(k,)`` that weigh alike.

    Raises:
        ValueError: fewer than three points, of which there is no scatter, or one that is not
            positive.

    >>> power_law([1, 2, 4], [3, 6, 12]).exponent.value
    1.0
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if len(x) < 3 or x.shape != y.shape or len(np.unique(x)) < 2:
        raise ValueError(f"a power law and its error need three points or more, got {len(x)}")
    if not (np.all(x > 0) and np.all(y > 0)):
        raise ValueError("a power law goes through positive numbers only")
    u, v = np.log(x), np.log(y)
    spread = u - u.mean()
    slope = float(spread @ v / (spread @ spread))
    scatter = v - v.mean() - slope * spread
    error = float(np.sqrt(scatter @ scatter / (len(x) - 2) / (spread @ spread)))
    reach = t_quantile(len(x) - 1) * error
    exponent = Estimate(slope, error, slope - reach, slope + reach, len(x))
    return PowerLaw(exponent, float(np.exp(v.mean() - slope * u.mean())), len(x))
