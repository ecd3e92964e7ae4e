"""Two-body decays: kinematics and exact densities.

Where a test is statistical it says its false alarm and what it would catch; all seeds are fixed.
"""

import numpy as np
import pytest
from statistical import chi2_test

from amplib.truth.collisions import two_body

DECAYS = two_body.sample(200_000, np.random.default_rng(1))
E1, E2, X1, Y1, Z1, X2, Y2, Z2, M1, M2 = DECAYS.T


def test_two_body_energy_and_momentum_are_conserved():
    np.testing.assert_allclose(E1 + E2, two_body.PARENT_MASS, rtol=1e-13)
    for first, second in ((X1, X2), (Y1, Y2), (Z1, Z2)):
        np.testing.assert_array_equal(first, -second)


def test_two_body_dispersion_relation():
    """Eq. (2), E^2 - p^2 - m^2 = 0, to rounding."""
    for e, x, y, z, m in ((E1, X1, Y1, Z1, M1), (E2, X2, Y2, Z2, M2)):
        np.testing.assert_allclose(e**2 - x**2 - y**2 - z**2 - m**2, 0, atol=1e-10)


def test_two_body_masses_and_angles_are_uniform():
    """200,000 decays in 50 bins. Power > 0.99 against a density that rises by 4% either side of its
    middle, and, for theta, against an isotropic decay (uniform in cos theta)."""
    edges = np.linspace(0, 1, 51)
    flat = np.full(50, 0.02)
    slope = flat * (1 + 0.042 * np.linspace(-1, 1, 50))
    isotropic = np.diff(-np.cos(np.pi * edges)) / 2
    theta = np.arccos(Z1 / np.sqrt(X1**2 + Y1**2 + Z1**2))
    low, high = two_body.DAUGHTER_MASSES
    chi2_test(theta / np.pi, edges, flat, [slope, isotropic])
    chi2_test(np.arctan2(Y1, X1) / (2 * np.pi) + 0.5, edges, flat, [slope])
    for m in (M1, M2):
        chi2_test((m - low) / (high - low), edges, flat, [slope])


def test_two_body_masses_and_angles_are_independent():
    """Correlations of 200,000 decays: 5 / sqrt(n) = 0.011, false alarm 6e-7 each."""
    numbers = np.stack([M1, M2, Z1 / np.sqrt(X1**2 + Y1**2 + Z1**2), np.arctan2(Y1, X1)])
    off_diagonal = np.corrcoef(numbers)[~np.eye(4, dtype=bool)]
    assert np.abs(off_diagonal).max() < 5 / len(M1) ** 0.5


def test_two_body_limits():
    assert two_body.breakup_momentum(0, 0) == two_body.PARENT_MASS / 2
    assert two_body.breakup_momentum(50, 50) == 0
    # 3-4-5 of 100 GeV: of 60 and 20, p^2 = (100^2 - 80^2) (100^2 - 40^2) / 200^2.
    assert two_body.breakup_momentum(60, 20) == pytest.approx(np.sqrt(3600 * 8400) / 200)
    assert two_body.sample(1, np.random.default_rng(3)).shape == (1, 10)
    with pytest.raises(ValueError, match="n >= 1 decays, got 0"):
        two_body.sample(0, np.random.default_rng(3))
    first = two_body.sample(5, np.random.default_rng(3))
    assert first.shape == (5, 10)
    assert np.array_equal(first, two_body.sample(5, np.random.default_rng(3)))
