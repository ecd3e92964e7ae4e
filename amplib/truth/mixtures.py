r"""The truths of the first examples of DCTRGAN: mixtures of equal Gaussians (sec. III A).

Everything here is analytic, so that a deviation from the truth is never an error of the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EqualGaussians:
    r"""K Gaussians of one width and one weight, :math:`p(x) = \frac1K \sum_k N(x; \mu_k, s^2)`.

    Args:
        means: :math:`\mu_k`, ``(K, d)``.
        width: s > 0, the same along every axis.

    Raises:
        ValueError: means that are no finite ``(K, d)``, or a width that is not positive.
    """

    means: Array
    width: float

    def __post_init__(self) -> None:
        means = np.asarray(self.means, dtype=float)
        if means.ndim != 2 or not means.size or not np.all(np.isfinite(means)):
            raise ValueError(f"means must be finite numbers (K, d), got shape {means.shape}")
        if not 0 < self.width < np.inf:
            raise ValueError(f"width = {self.width}: must be positive and finite")
        object.__setattr__(self, "means", means)

    @property
    def dimension(self) -> int:
        """d."""
        return self.means.shape[1]

    def pdf(self, x: ArrayLike) -> Array:
        """p of points ``(..., d)``, shape ``(...)``."""
        z = (np.asarray(x, dtype=float)[..., None, :] - self.means) / self.width
        norm = (2 * np.pi) ** (-self.dimension / 2) / self.width**self.dimension
        return np.asarray(norm * np.exp(-0.5 * (z**2).sum(-1)).mean(-1))

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """``n`` independent points, ``(n, d)``.

        Raises:
            ValueError: ``n`` < 1.
        """
        if n < 1:
            raise ValueError(f"a sample needs n >= 1 points, got {n}")
        mode = rng.integers(len(self.means), size=n)
        return np.asarray(self.means[mode] + self.width * rng.standard_normal((n, self.dimension)))

    def nearest(self, x: ArrayLike) -> tuple[NDArray[np.intp], Array]:
        """The mode nearest to each of the points ``(N, d)`` and its distance in widths."""
        # |x - mu|^2 less |x|^2, which is the same for all modes.
        x = np.asarray(x, dtype=float)
        squares = (self.means**2).sum(1) - 2 * x @ self.means.T
        mode = squares.argmin(1)
        return mode, np.linalg.norm(x - self.means[mode], axis=1) / self.width


def bimodal(distance: float, width: float) -> EqualGaussians:
    """Two Gaussians on a line, ``distance`` apart (eq. 12: 2 and 0.4)."""
    return EqualGaussians(np.array([[-0.5], [0.5]]) * distance, width)


def ring(modes: int, width: float) -> EqualGaussians:
    """``modes`` Gaussians on the unit circle (eq. 13: 8 and 0.1)."""
    angle = 2 * np.pi * np.arange(1, modes + 1) / modes
    return EqualGaussians(np.stack([np.cos(angle), np.sin(angle)], 1), width)


def grid(side: int, width: float, first: float) -> EqualGaussians:
    """``side`` x ``side`` Gaussians one apart, the first at (``first``, ``first``) (eq. 14: 5, 0.1
    and 1.1; the released code starts at 0.1)."""
    along = first + np.arange(side)
    return EqualGaussians(np.stack(np.meshgrid(along, along), -1).reshape(-1, 2), width)
