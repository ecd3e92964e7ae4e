"""The published parametrisation in limits where each of its numbers stands alone.

A medium without structure (F_S infinite, e/mip = 1) has the homogeneous formulas; each correction
is then put in by itself, with 1/F_S = 1 or e/mip = 0.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from amplib.truth.showers.geometry import Medium
from amplib.truth.showers.parametrisation import Longitudinal, contained, longitudinal, radial

HOMOGENEOUS = Medium(
    radiation_length=1.0,
    moliere_radius=1.0,
    critical_energy=1000 / np.exp(5),  # ln y = 5 at 1 GeV
    charge=np.inf,
    sampling_frequency=np.inf,
    e_over_mip=1.0,
)
LIGHT = replace(HOMOGENEOUS, charge=0.0)


def medians(medium, energy=1.0):
    """T and alpha of the shower in the middle."""
    profile = longitudinal(energy, medium)
    return np.exp(profile.mean_ln_t), np.exp(profile.mean_ln_alpha)


def test_depth_and_shape_of_the_profile():
    """T = ln y - 0.812 and alpha = 0.81 + (0.458 + 2.26/Z) ln y; - 0.55 and - 0.476 for 1/F_S,
    and - 0.69 (1 - e/mip) for T alone."""
    assert medians(HOMOGENEOUS) == pytest.approx((4.188, 3.1))
    assert medians(HOMOGENEOUS, np.e) == pytest.approx((5.188, 3.558))
    assert medians(replace(HOMOGENEOUS, charge=2.26)) == pytest.approx((4.188, 8.1))
    assert medians(replace(HOMOGENEOUS, sampling_frequency=1)) == pytest.approx((3.638, 2.624))
    assert medians(replace(HOMOGENEOUS, sampling_frequency=2)) == pytest.approx((3.913, 2.862))
    assert medians(replace(HOMOGENEOUS, e_over_mip=0.0)) == pytest.approx((3.498, 3.1))


def test_fluctuations_of_the_profile():
    """1/(-2.5 + 1.25 ln y), 1/(-0.82 + 0.79 ln y) and 0.784 - 0.023 ln y, of a homogeneous medium
    and of any other."""
    for medium in (HOMOGENEOUS, replace(HOMOGENEOUS, sampling_frequency=1.0, e_over_mip=0.7)):
        profile = longitudinal(1.0, medium)
        assert profile.sigma_ln_t == pytest.approx(1 / 3.75)
        assert profile.sigma_ln_alpha == pytest.approx(1 / 3.13)
        assert profile.correlation == pytest.approx(0.669)


def test_two_normals_become_depth_and_shape_with_their_correlation():
    """Linear in the logarithms: the columns of its matrix give the variances and the covariance."""
    profile = Longitudinal(1.5, 1.2, 0.3, 0.2, 0.6)
    t, alpha = profile.draw(torch.tensor([[0, 0], [1, 0], [0, 1]], dtype=torch.float64))
    logs = np.log(np.stack([t.numpy(), alpha.numpy()]))
    assert logs[:, 0] == pytest.approx((1.5, 1.2))
    columns = logs[:, 1:] - logs[:, :1]
    expected = [[0.3**2, 0.6 * 0.3 * 0.2], [0.6 * 0.3 * 0.2, 0.2**2]]
    np.testing.assert_allclose(columns @ columns.T, expected)


def test_the_age_of_the_mean_shower_is_its_depth_over_that_of_its_maximum():
    """Any other one has the age of the mean shower where both are at their mean depths,
    alpha T / (alpha - 1); before the start there is none."""
    profile = Longitudinal(np.log(6.0), np.log(4.0), 0.1, 0.1, 0.5)
    depth, t_max, alpha = torch.tensor(
        [[3.0, 6.0, 4.0], [2 * 5 / 1, 5.0, 2.0], [-1.0, 6.0, 4.0]], dtype=torch.float64
    ).T
    np.testing.assert_allclose(profile.age(depth, t_max, alpha), [0.5, 4 / 3, 0])


def test_the_share_before_a_depth_is_that_of_a_gamma_distribution():
    """Of shape alpha and scale T / (alpha - 1): T is where most is lost."""
    depth = torch.tensor([-1.0, 0.0, 2.0, 5.0, 12.0], dtype=torch.float64)
    found = contained(depth, torch.tensor(5.0), torch.tensor(3.5, dtype=torch.float64))
    np.testing.assert_allclose(found, stats.gamma(3.5, scale=2).cdf(depth), rtol=1e-6)


def at(tau, medium, energy=1.0):
    found = radial(torch.tensor([tau], dtype=torch.float64), energy, medium)
    return tuple(part.item() for part in (found.core, found.tail, found.core_share))


def test_the_core_is_linear_in_age_and_in_ln_e():
    """0.0251 + 0.00319 ln E + (0.1162 - 0.000381 Z) tau - 0.0203 (1 - e/mip)
    + 0.0397 exp(-tau) / F_S."""
    assert at(0.0, LIGHT)[0] == pytest.approx(0.0251)
    assert at(0.0, LIGHT, np.e)[0] == pytest.approx(0.02829)
    assert at(2.0, LIGHT)[0] == pytest.approx(0.0251 + 0.2324)
    assert at(2.0, replace(LIGHT, charge=100.0))[0] == pytest.approx(0.0251 + 0.1562)
    assert at(0.0, replace(LIGHT, e_over_mip=0.0))[0] == pytest.approx(0.0048)
    assert at(0.0, replace(LIGHT, sampling_frequency=1.0))[0] == pytest.approx(0.0648)
    late = at(1.0, replace(LIGHT, sampling_frequency=1.0))[0] - at(1.0, LIGHT)[0]
    assert late == pytest.approx(0.0397 / np.e)


def test_the_tail_is_narrowest_in_between():
    """(0.659 - 0.00309 Z) (exp(-2.59 (tau - 0.645)) + exp((0.3585 + 0.0421 ln E) (tau - 0.645)))
    - 0.14 (1 - e/mip) - 0.495 exp(-tau) / F_S."""
    assert at(0.645, LIGHT)[1] == pytest.approx(1.318)
    assert at(0.645, replace(LIGHT, charge=100.0))[1] == pytest.approx(0.7)
    for energy, power in ((1.0, 0.3585), (np.e, 0.4006)):
        expected = 0.659 * (np.exp(-2.59) + np.exp(power))
        assert at(1.645, LIGHT, energy)[1] == pytest.approx(expected)
    assert at(0.645, replace(LIGHT, e_over_mip=0.0))[1] == pytest.approx(1.178)
    sampled = replace(LIGHT, sampling_frequency=1.0)
    for tau in (0.645, 1.0):
        assert at(tau, LIGHT)[1] - at(tau, sampled)[1] == pytest.approx(0.495 * np.exp(-tau))


def test_the_share_of_the_core_falls():
    """(2.632 - 0.00094 Z) exp(u - exp(u)) with u = (0.401 + 0.00187 Z - tau) / (1.313 - 0.0686 ln
    E), + (1 - e/mip) (0.348 - 0.642 exp(-(tau - 1)^2) / F_S)."""
    assert at(0.401, LIGHT)[2] == pytest.approx(2.632 / np.e)
    assert at(0.588, replace(LIGHT, charge=100.0))[2] == pytest.approx(2.538 / np.e)
    for energy, width in ((1.0, 1.313), (np.e, 1.2444)):
        late = at(0.401 + 2 * width, LIGHT, energy)[2]
        assert late == pytest.approx(2.632 * np.exp(-2 - np.exp(-2)))
    none = replace(LIGHT, e_over_mip=0.0)
    assert at(3.0, none)[2] - at(3.0, LIGHT)[2] == pytest.approx(0.348)
    for tau, part in ((1.0, 1.0), (2.0, np.exp(-1)), (0.5, np.exp(-0.25))):
        sampled = at(tau, replace(none, sampling_frequency=1.0))[2]
        assert sampled - at(tau, LIGHT)[2] == pytest.approx(0.348 - 0.642 * part)


def test_no_radius_and_no_share_leaves_its_bounds():
    """Where the corrections are far too large: radii of 0.001 at least, shares from 0 to 1."""
    much = replace(LIGHT, e_over_mip=-30.0)
    assert at(0.0, much) == (0.001, 0.001, 1.0)
    assert at(1.0, replace(much, sampling_frequency=1.0))[2] == 0.0


def test_the_energy_in_a_disc_about_the_axis():
    """r^2 / (r^2 + R^2) of the core and of the tail, by their shares."""
    profile = radial(torch.tensor([1.0], dtype=torch.float64), 1.0, LIGHT)
    core, tail, share = at(1.0, LIGHT)
    expected = share * 0.25 / (0.25 + core**2) + (1 - share) * 0.25 / (0.25 + tail**2)
    assert profile.inside(0.5).item() == pytest.approx(expected)
    assert profile.inside(0.0).item() == pytest.approx(0)
