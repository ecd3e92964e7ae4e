"""How a measured number goes with a size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from amplib.estimate import LEVEL, Estimate


@dataclass(frozen=True)
class PowerLaw:
    """y = scale x^exponent, by least squares in the logarithms.

    Args:
        exponent: its standard error is propagated from the points' errors; each of these is over
            that point's repetitions.
        scale: y at x = 1.
        scatter: of the points about the line, in the logarithm, over what their errors let one
            expect: much above one the line is not what they lie on.  NaN of two points.
    """

    exponent: Estimate
    scale: float
    scatter: float

    def __call__(self, x: ArrayLike) -> NDArray[np.float64]:
        """The line at x."""
        return np.asarray(self.scale * np.asarray(x, dtype=float) ** self.exponent.value)


def power_law(x: ArrayLike, y: Sequence[Estimate]) -> PowerLaw:
    r"""The power law through measured points, which weigh alike.

    The exponent is :math:`\sum_k w_k \log y_k` with :math:`w_k \propto \log x_k - \langle\log
    x\rangle`; its variance is :math:`\sum_k w_k^2 s_k^2`, with s_k the relative error of y_k.  As
    the errors are themselves estimated, from R_k repetitions each, the interval is Student's with
    Welch's and Satterthwaite's degrees of freedom.

    Args:
        x: sizes ``(k,)``.
        y: independent, each with its error and the number of its repetitions.

    Raises:
        ValueError: fewer than two sizes, what is not positive, or a point without an error.
    """
    size = np.asarray(x, dtype=float)
    value, error = np.array([[e.value, e.error] for e in y]).T
    if size.shape != value.shape or len(np.unique(size)) < 2:
        raise ValueError(f"a power law goes through two sizes or more, got {len(size)}")
    if not (np.all(size > 0) and np.all(value > 0) and np.all(error > 0)):
        raise ValueError("a power law goes through positive numbers with errors")
    repetitions = [e.repetitions for e in y if e.repetitions is not None and e.repetitions > 1]
    if len(repetitions) < len(size):
        raise ValueError("each point needs the number of repetitions that its error is over")
    along, up = np.log(size) - np.log(size).mean(), np.log(value)
    weight = along / (along @ along)
    slope, shares = float(weight @ up), (weight * error / value) ** 2
    freedom = shares.sum() ** 2 / (shares**2 / (np.array(repetitions) - 1)).sum()
    sigma = float(np.sqrt(shares.sum()))
    reach = float(stdtrit(freedom, (1 + LEVEL) / 2)) * sigma
    exponent = Estimate(slope, sigma, slope - reach, slope + reach)
    off = up - up.mean() - slope * along
    left = len(size) - 2
    expected = np.sqrt(left / len(size) * ((error / value) ** 2).sum())
    scatter = float(np.sqrt(off @ off) / expected) if left else float("nan")
    scale = float(np.exp(up.mean() - slope * np.log(size).mean()))
    return PowerLaw(exponent, scale, scatter)
