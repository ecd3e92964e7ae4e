"""A particle at rest decays into two: the ten-dimensional toy of the event paper, sec. II A."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

PARENT_MASS = 100.0
"""M in GeV. The paper is silent; every number of the toy scales with it."""

DAUGHTER_MASSES = (0.0, PARENT_MASS / 2)
"""Range of m_1 and m_2, GeV. The paper is silent. M/2 is the largest limit at which every pair can
decay, so that nothing is rejected and both masses stay uniform."""


def breakup_momentum(m1: ArrayLike, m2: ArrayLike) -> Array:
    """p = sqrt[(M^2 - (m_1 + m_2)^2)(M^2 - (m_1 - m_2)^2)] / 2M in the rest frame of M, GeV."""
    m1, m2 = np.asarray(m1, dtype=float), np.asarray(m2, dtype=float)
    above = (PARENT_MASS - m1 - m2) * (PARENT_MASS + m1 + m2)
    return np.sqrt(above * (PARENT_MASS**2 - (m1 - m2) ** 2)) / (2 * PARENT_MASS)


def momentum_shares(edges: ArrayLike, polar: str = "uniform") -> Array:
    """Shares of decays with p_z between ``edges``, GeV, over the masses by a midpoint rule.

    Args:
        edges: ascending, ``(n + 1,)``.
        polar: the angle ``uniform``, as the paper draws it, or ``isotropic``, where every component
            of the momentum has these shares.
    """
    low, high = DAUGHTER_MASSES
    middles = low + (np.arange(MIDPOINTS) + 0.5) / MIDPOINTS * (high - low)
    p = breakup_momentum(middles[:, None], middles).ravel()
    cosine = np.clip(np.asarray(edges, dtype=float)[:, None] / p, -1, 1)
    below = {"uniform": 1 - np.arccos(cosine) / np.pi, "isotropic": (1 + cosine) / 2}[polar]
    return np.asarray(np.diff(below.mean(1)))


MIDPOINTS = 300
"""Of each mass: bins of 2 GeV are then exact to 1e-5."""


def sample(n: int, rng: np.random.Generator) -> Array:
    """``n`` decays, shape (n, 10), columns and units of ``columns.TWO_BODY``.

    E_i = sqrt(p^2 + m_i^2), p_1 = p (sin theta cos phi, sin theta sin phi, cos theta) = -p_2.

    The paper samples theta and phi from uniform distributions, theta and not cos theta: particle 1
    crowds around the z axis, and the decay is not isotropic. We do what it says.

    Raises:
        ValueError: ``n`` < 1.
    """
    if n < 1:
        raise ValueError(f"a sample needs n >= 1 decays, got {n}")
    m1, m2 = rng.uniform(*DAUGHTER_MASSES, size=(2, n))
    theta, phi = rng.uniform(0, np.pi, n), rng.uniform(-np.pi, np.pi, n)
    p = breakup_momentum(m1, m2)
    x, y, z = (
        p * np.sin(theta) * np.cos(phi),
        p * np.sin(theta) * np.sin(phi),
        p * np.cos(theta),
    )
    e1, e2 = np.sqrt(p**2 + m1**2), np.sqrt(p**2 + m2**2)
    return np.stack([e1, e2, x, y, z, -x, -y, -z, m1, m2], axis=1)
