"""Means and spreads by integration, against plain sums, against each other and in limits."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from amplib.truth.showers import expectation
from amplib.truth.showers.config import ShowerConfig
from amplib.truth.showers.geometry import ILD_ECAL
from amplib.truth.showers.parametrisation import longitudinal, radial
from amplib.truth.showers.shower import CONVERSION, SAMPLING, energy_lost, primaries

PHOTON, ELECTRON = ShowerConfig(energy=20), ShowerConfig(energy=20, particle="electron")


def summed(config, starts=400, nodes=25):
    """Profiles of showers on even grids of all three numbers, and their weights."""
    start, share = np.zeros(1), np.ones(1)
    if config.particle == "photon":
        edges = np.linspace(0, ILD_ECAL.depth[-1], starts + 1)
        start = (edges[1:] + edges[:-1]) / 2
        share = -np.diff(np.exp(-edges / CONVERSION))
    z = np.linspace(-4, 4, nodes)
    w = stats.norm.pdf(z) / stats.norm.pdf(z).sum()
    profile = longitudinal(config.energy, ILD_ECAL.medium)
    pairs = torch.tensor(np.stack(np.meshgrid(z, z), -1).reshape(-1, 2))
    t_max, alpha = profile.draw(pairs)
    weight = np.outer(w, w).ravel()
    n, m = len(start), len(weight)
    return (
        np.outer(share, weight).ravel(),
        torch.tensor(start).repeat_interleave(m),
        t_max.repeat(n),
        alpha.repeat(n),
    )


@pytest.mark.parametrize("config", [PHOTON, ELECTRON], ids=["photon", "electron"])
def test_layers_by_plain_sums_over_showers(config):
    """Means to 0.5% of the largest, spreads to 1%: the sampling's Gamma variance c^2 dE, Moyal's
    of each primary, and the scatter of the showers themselves."""
    weight, start, t_max, alpha = summed(config, starts=400, nodes=11)
    fraction = 1000 * np.array(ILD_ECAL.sampling_fraction)
    lost = energy_lost(start, t_max, alpha, config, ILD_ECAL).numpy()
    number = primaries(start, t_max, config, ILD_ECAL).numpy()
    seen = fraction * lost + ILD_ECAL.mip_mean * number
    within = (fraction * SAMPLING) ** 2 * lost + ILD_ECAL.mip_variance * number
    mean = weight @ seen
    spread = np.sqrt(weight @ (within + seen**2) - mean**2)
    found = expectation.layer_energies(config)
    np.testing.assert_allclose(found[0], mean, atol=0.005 * mean.max())
    np.testing.assert_allclose(found[1], spread, atol=0.01 * spread.max())


@pytest.mark.parametrize("config", [PHOTON, ELECTRON], ids=["photon", "electron"])
def test_the_resolution_by_plain_sums_over_showers(config):
    """To 1% each, in a grid without end: what a calibrated sum over layers has of the sampling,
    with twice the c in one layer, and of showers of other shapes."""
    wide = replace(ILD_ECAL, cell_mm=1e6)
    weight, start, t_max, alpha = summed(config, starts=400, nodes=11)
    fraction, calibration = np.array(ILD_ECAL.sampling_fraction), ILD_ECAL.calibration() / 1000
    lost = energy_lost(start, t_max, alpha, config, ILD_ECAL).numpy()
    number = primaries(start, t_max, config, ILD_ECAL).numpy()
    sampling = SAMPLING * np.where(np.arange(30) == 10, 2, 1)
    found = (1000 * fraction * lost + ILD_ECAL.mip_mean * number) @ calibration
    within = (1000 * fraction * sampling) ** 2 * lost + ILD_ECAL.mip_variance * number
    weight = weight / weight.sum()
    mean, variance = weight @ found, weight @ within @ calibration**2
    parts = expectation.resolution(config, wide, sampling=sampling)
    assert parts.sampling == pytest.approx(np.sqrt(variance) / mean, rel=0.01)
    assert parts.shapes == pytest.approx(np.sqrt(weight @ found**2 - mean**2) / mean, rel=0.01)
    assert parts.sides == pytest.approx(0, abs=1e-4)
    assert parts.total() == pytest.approx(np.hypot(parts.sampling, parts.shapes))


def test_shapes_are_no_constant_term():
    """They scatter the reconstructed energy of photons more at high energies, without end."""
    shapes = [expectation.resolution(replace(PHOTON, energy=e)).shapes for e in (20, 50, 100, 200)]
    assert shapes[-1] > 1.5 * shapes[0]
    assert (np.diff(shapes) > 0).all()


def test_in_a_grid_without_end_nothing_leaves_at_its_sides():
    wide = replace(ILD_ECAL, cell_mm=1e6)
    inside, whole = (
        f(PHOTON, wide, nodes=6) for f in (expectation.energies_in_grid, expectation.layer_energies)
    )
    np.testing.assert_allclose(inside[0], whole[0], rtol=1e-6)
    np.testing.assert_allclose(inside[1], whole[1], rtol=1e-6)
    shares = expectation.column_shares(PHOTON, wide)
    np.testing.assert_allclose(shares[:, 14:16], 0.5, rtol=1e-4)


def test_what_is_seen_in_the_grid_is_what_the_columns_see():
    """Layer by layer, and less where showers are old and wide."""
    seen, whole = (
        f(PHOTON, nodes=6)[0] for f in (expectation.energies_in_grid, expectation.layer_energies)
    )
    np.testing.assert_allclose(seen / whole, expectation.column_shares(PHOTON).sum(1), rtol=1e-9)
    assert (np.diff(seen / whole)[6:] < 0).all()


@pytest.mark.parametrize("beam", [0.0, 3.0])
def test_columns_are_symmetric_and_wider_for_a_wide_beam(beam):
    shares = expectation.column_shares(replace(PHOTON, beam=beam))
    np.testing.assert_allclose(shares, shares[:, ::-1], rtol=1e-7)
    place = np.arange(30) - 14.5
    width = np.sqrt(shares @ place**2 / shares.sum(1))[4]
    point = expectation.column_shares(PHOTON)
    narrow = np.sqrt(point @ place**2 / point.sum(1))[4]
    assert width == pytest.approx(np.hypot(narrow, beam), rel=0.05)


def test_the_share_of_columns_by_quadrature():
    """Of one radius: the projection of R^2/pi(r^2+R^2)^2, cut at the grid's edges in y, where it is
    R^2/pi times [y/2a(a+y^2) + atan(y/sqrt a)/2a^1.5] with a = x^2 + R^2."""
    stack = replace(ILD_ECAL, cells=4, cell_mm=9.4)  # half a Molière radius
    scale, edge = 0.3, 1.0

    def along(x):
        a = x**2 + scale**2
        half = edge / (2 * a * (a + edge**2)) + np.arctan(edge / np.sqrt(a)) / (2 * a**1.5)
        return 2 * scale**2 / np.pi * half

    edges = np.array([-1, -0.5, 0, 0.5, 1])
    expected = [integrate.quad(along, a, b)[0] for a, b in itertools.pairwise(edges)]
    found = expectation._columns(torch.tensor([scale], dtype=torch.float64), ELECTRON, stack)
    np.testing.assert_allclose(found[0], expected, rtol=1e-6)


def test_ages_interpolate_and_sum_as_a_matrix_and_its_transpose():
    tau = torch.tensor([[0.0, 0.313], [1.7, 3.0]], dtype=torch.float64)
    ages = expectation._Ages.of(tau)
    assert (len(ages.grid), ages.grid[0], ages.grid[-1]) == (400, 0, 3)  # the book's numbers
    torch.testing.assert_close(ages.at(2 * ages.grid + 1), 2 * tau + 1)
    assert ages.at(ages.grid**2)[0, 1].item() == pytest.approx(0.313**2, rel=1e-3)
    values, weights = torch.sin(ages.grid), torch.tensor([[1.0, 2], [3, 4]]).double()
    whole = (ages.at(values) * weights).sum(0)
    torch.testing.assert_close(ages.sums(weights) @ values, whole)


def test_an_average_photon_is_none_before_it_converts():
    """exp(-7/9 depth); an electron is a shower from the start."""
    depth = np.array(ILD_ECAL.depth)
    np.testing.assert_allclose(expectation.unconverted(PHOTON), np.exp(-7 / 9 * depth))
    assert (expectation.unconverted(ELECTRON) == 0).all()


def test_the_energy_before_a_depth_rises_to_what_converts():
    """All of an electron's; of a photon what converts before the last layer.  Between two depths
    lies what the windows between them see."""
    assert expectation.energy_before(1e4, ELECTRON) == pytest.approx(1)
    converted = 1 - np.exp(-7 / 9 * ILD_ECAL.depth[-1])
    assert expectation.energy_before(1e4, PHOTON) == pytest.approx(converted, rel=1e-6)
    assert expectation.energy_before(0.0, PHOTON) == 0
    end = ILD_ECAL.windows()[1][-1]
    assert expectation.energy_behind(PHOTON) == 1 - expectation.energy_before(end, PHOTON)
    weight, start, t_max, alpha = summed(PHOTON, starts=200, nodes=11)
    scale = t_max / (alpha - 1)
    before = weight @ stats.gamma(alpha, scale=scale).cdf(8.0 - start)
    assert expectation.energy_before(8.0, PHOTON) == pytest.approx(before, rel=1e-3)


@pytest.mark.parametrize("beam", [0.0, 2.0])
def test_energy_within_radii_about_the_grids_centre(beam):
    """Three nodes an axis against a hundred: for radii well above the displacement to 2%."""
    radius, config = 4.0, replace(ELECTRON, beam=beam)
    found = expectation.energy_within([radius], config, nodes=2, in_cells=True)[0]
    about_axis = expectation.energy_within([radius], config, nodes=2)[0]
    sigma = ILD_ECAL.cell_mm / 18.8 * np.sqrt(1 / 6 + beam**2)
    points = expectation._points(config, ILD_ECAL, 2)
    profile = radial(points.tau, config.energy, ILD_ECAL.medium)
    core = replace(profile, core_share=torch.ones_like(profile.core_share))
    # A square of a displacement in two dimensions is exponential, of mean 2 sigma^2.
    squares = -2 * sigma**2 * np.log1p(-(np.arange(50) + 0.5) / 50)
    sums = []
    for offset in (*np.sqrt(squares), 0.0):
        by_shower = points.weight @ (points.lost * profile.inside(radius, offset)).sum(1)
        by_core = points.weight @ (points.primary * core.inside(radius, offset)).sum(1)
        sums.append(float(by_shower + by_core))
    whole = float(points.weight @ (points.lost + points.primary).sum(1))
    assert about_axis == pytest.approx(sums[-1] / whole)
    lost, expected = about_axis - found, about_axis - np.mean(sums[:-1]) / whole
    assert lost == pytest.approx(expected, rel=0.03)


def test_primaries_are_narrow():
    """Within a small radius of an electron's start the core alone counts more."""
    shares = expectation.energy_within([0.0, 0.1, 1e4], ELECTRON, nodes=2)
    assert shares[0] == pytest.approx(0)
    assert 0.2 < shares[1] < 0.6
    assert shares[2] == pytest.approx(1)


@pytest.mark.parametrize("config", [PHOTON, ELECTRON], ids=["photon", "electron"])
def test_profiles_without_a_maximum_have_no_weight(config, monkeypatch):
    """And all others have, to a sum of one, or of what converts before the last layer."""
    wild = replace(longitudinal(20, ILD_ECAL.medium), mean_ln_alpha=0.05, sigma_ln_alpha=0.1)
    monkeypatch.setattr(expectation, "longitudinal", lambda *_: wild)
    weight, start, t_max, alpha = expectation._profiles(config, ILD_ECAL, 12)
    assert len(weight) == len(start) == len(t_max) == len(alpha)
    assert ((alpha > 1.01) == (weight > 0)).all()
    assert ((alpha > 1.01) & (alpha < 1.1)).any() and alpha.min() == 1.01
    converts = 1 if config is ELECTRON else 1 - np.exp(-7 / 9 * ILD_ECAL.depth[-1])
    assert weight.sum().item() == pytest.approx(converts)
    # The mean start of those that convert before the last layer.
    depth = ILD_ECAL.depth[-1]
    expected = 0 if config is ELECTRON else CONVERSION * converts - depth * (1 - converts)
    assert (weight @ start).item() == pytest.approx(expected)


def test_mean_and_spread_of_what_is_seen_by_hand():
    """Two showers, 3 to 1, in a layer that sees a hundredth: of one half of what they lose, 2 and
    1 GeV, and three quarters of what primaries do, 0.4 and 0."""
    stack = replace(ILD_ECAL, sampling_fraction=(0.01,))
    column = [torch.tensor(v, dtype=torch.float64)[:, None] for v in ([2, 1], [0.4, 0])]
    points = expectation._Points(torch.tensor([0.75, 0.25]).double(), *column, column[0])
    half, most = (torch.full((2, 1), v, dtype=torch.float64) for v in (0.5, 0.75))
    mean, spread = expectation._seen(points, half, most, stack)
    seen = np.array([10 * (1 + 0.3), 10 * 0.5])
    assert mean[0] == pytest.approx(0.75 * seen[0] + 0.25 * seen[1])
    # The Gamma variance is c^2 E GeV^2 of what is lost; 0.4 GeV are 20 crossings of 0.2 MeV.
    sampled = (10 * 0.17) ** 2 * np.array([2, 1]) * 0.5**2
    crossed = ILD_ECAL.mip_variance * np.array([20, 0]) * 0.75**2
    within = np.array([0.75, 0.25]) @ (sampled + crossed)
    between = 0.75 * 0.25 * (seen[0] - seen[1]) ** 2
    assert spread[0] == pytest.approx(np.sqrt(within + between))


@pytest.mark.parametrize(
    ("measure", "nodes"),
    [
        (expectation.layer_energies, 12),
        (expectation.energies_in_grid, 6),
        (expectation.column_shares, 6),
        (lambda config, **nodes: expectation.energy_within([0.5], config, **nodes), 6),
        (lambda config, **nodes: expectation.energy_before(8.0, config, **nodes), 12),
    ],
    ids=["layers", "grid", "columns", "radii", "depth"],
)
def test_numbers_of_the_book_are_those_of_so_many_nodes(measure, nodes):
    np.testing.assert_array_equal(measure(PHOTON), measure(PHOTON, nodes=nodes))


def test_twelve_nodes_are_enough():
    """Eighteen change means by less than 0.2% of the largest."""
    twelve, eighteen = (expectation.layer_energies(PHOTON, nodes=n)[0] for n in (12, 18))
    np.testing.assert_allclose(twelve, eighteen, atol=2e-3 * twelve.max())


def test_four_starts_lie_between_any_two_layers():
    """By Gauss and Legendre: exact for polynomials of the seventh degree between two layers, and no
    higher; an electron starts at zero."""
    weight, start, *_ = expectation._profiles(PHOTON, ILD_ECAL, 2)
    starts, inverse = start.unique(return_inverse=True)
    between = np.histogram(starts, [0, *ILD_ECAL.depth])[0]
    assert (between == 4).all()
    share = torch.zeros(len(starts), dtype=torch.float64).index_add_(0, inverse, weight)
    first = (starts < ILD_ECAL.depth[0]).numpy()
    x = starts.numpy()[first] / ILD_ECAL.depth[0]
    plain = share.numpy()[first] * np.exp(starts.numpy()[first] / CONVERSION) * CONVERSION
    for power in range(8):
        assert plain @ x**power == pytest.approx(ILD_ECAL.depth[0] / (power + 1), rel=1e-9)
    assert plain @ x**8 != pytest.approx(ILD_ECAL.depth[0] / 9, rel=1e-6)
    assert (expectation._profiles(ELECTRON, ILD_ECAL, 2)[1] == 0).all()
