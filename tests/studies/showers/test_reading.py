"""What the studies of showers keep, and its statistics on known samples."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import stats
from shower_samples import draw, summary_of

from amplib.book.obtain import stored
from amplib.studies.catalogue import make_study
from amplib.studies.shower_paper import PAPER_LAYERS, PAPER_MOMENTS
from amplib.studies.showers.reading import (
    ACTIVE,
    CENTROID,
    LOST,
    VISIBLE,
    Summary,
    follow,
    summarise,
)
from amplib.studies.showers.study import (
    RADII,
    ShowerSummary,
    dense_showers,
)
from amplib.truth.showers import expectation
from amplib.truth.showers import observables as obs
from amplib.truth.showers.config import ShowerConfig
from amplib.truth.showers.geometry import ILD_ECAL


def test_parts_are_independent_and_complete():
    study = make_study("showers", "smoke", energy=5)
    both = dict(study.compute([(0,), (1,)], "cpu", None, lambda work: None))
    alone = dict(study.compute([(1,)], "cpu", None, lambda work: None))
    for name, array in alone[(1,)].items():
        np.testing.assert_array_equal(array, both[(1,)][name])
    assert not np.array_equal(both[(0,)]["energy"], both[(1,)]["energy"])
    drawn = torch.cat(list(study.batches((0,), "cpu"))).numpy()
    for size in (3, 10, 500):
        dense = list(dense_showers(both[(0,)], size))
        assert [len(d) for d in dense[:-1]] == [size] * (len(dense) - 1)
        np.testing.assert_array_equal(np.concatenate(dense), drawn)


def test_showers_follow_their_formulas_as_far_as_their_pulls_say():
    layers, columns = np.array([-1.5, 0.2]), np.array([2.4, 0.0])
    assert follow(layers, columns, np.array([-3.9])) == (
        "follow their formulas: the mean energies of 2 layers to 1.5 standard errors, "
        "those of 2 columns of cells to 2.4"
    )
    assert "do not follow their formulas, being off by 4.1 standard errors" in follow(
        layers, columns, np.array([-4.1])
    )


def test_seeds_give_showers_of_their_own():
    def drawn(seed):
        study = make_study("showers", "smoke", energy=1, part_size=3, seed=seed)
        return torch.cat(list(study.batches((0,), "cpu")))

    first, same, other = map(drawn, (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_summary_sums_what_the_showers_show():
    study = make_study("shower-summary", "smoke", energy=5, part_size=10)
    assert isinstance(study, ShowerSummary)
    (_, arrays), *_ = study.compute([(0,)], "cpu", None, lambda work: None)
    drawn = torch.cat(list(study.batches((0,), "cpu")))
    seen = obs.layer_energies(drawn).double().numpy()
    np.testing.assert_allclose(arrays["seen"], seen.sum(0), rtol=1e-6)
    np.testing.assert_allclose(arrays["seen_products"], seen.T @ seen, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(arrays["columns"], drawn.sum((0, 3)).double(), rtol=1e-5)
    lost = (seen / ILD_ECAL.sampling_fraction).sum()
    assert arrays["discs"][-1] == pytest.approx(lost, rel=1e-6)
    assert (np.diff(arrays["discs"]) > 0).all()
    cells = obs.active_cells(obs.visible(drawn)).numpy()
    np.testing.assert_allclose(arrays["seen_active"], seen.T @ cells, rtol=1e-6)
    np.testing.assert_array_equal(arrays["empty"], (seen == 0).sum(0))
    np.testing.assert_array_equal(arrays["scalars"][:, 0], cells)


def toy(scalars=None, n=None, energy=1.0, sums=None, expected=None) -> Summary:
    """A summary of a sample that was made up."""
    scalars = np.zeros((n, 4)) if scalars is None else scalars
    return Summary(energy, "photon", scalars, sums or {}, expected or {}, np.zeros((30, 30, 30)))


def reconstructed(values) -> np.ndarray:
    scalars = np.zeros((len(values), 4))
    scalars[:, LOST] = values
    return scalars


EVEN = (np.arange(400_000) + 0.5) / 400_000


@pytest.mark.parametrize(
    ("values", "ratio", "root_n_error"),
    [
        (1 + 0.05 * stats.norm.ppf(EVEN), 0.05, 1 / np.sqrt(2)),
        (0.9 + 0.2 * EVEN, 0.1 / np.sqrt(3), np.sqrt(0.2)),  # kurtosis 1.8
        (-np.log(EVEN), 1, 1),  # (9 - 1) / 4 + 1 - 2: skewness and spread count
    ],
    ids=["normal", "uniform", "exponential"],
)
def test_resolution_and_its_error(values, ratio, root_n_error):
    """Evenly spaced quantiles instead of a sample: nothing random."""
    found = toy(reconstructed(values), energy=2).resolution()
    assert found.value == pytest.approx(ratio, rel=2e-3)
    assert found.error / found.value * np.sqrt(len(EVEN)) == pytest.approx(root_n_error, rel=0.01)
    assert toy(reconstructed(values), energy=2).response().value == pytest.approx(values.mean() / 2)


def of_layers(layers: np.ndarray) -> dict[str, np.ndarray]:
    return {"seen": layers.sum(0), "seen_products": layers.T @ layers}


def test_mean_depth_of_two_kinds_of_showers():
    """Half of them lose all in one layer, half as much in another one, across the kink."""
    layers = np.zeros((100, 30))
    layers[::2, 7], layers[1::2, 25] = 3 / ILD_ECAL.calibration()[[7, 25]]
    depth = toy(n=100, sums=of_layers(layers)).mean_depth()
    ends = np.array(ILD_ECAL.depth)[[7, 25]]
    assert depth.value == pytest.approx(ends.mean())
    assert depth.error == pytest.approx(np.ptp(ends) / 2 / 10)
    layers[1::2, 25] *= 3
    assert toy(n=100, sums=of_layers(layers)).mean_depth().value == pytest.approx(
        ends @ [0.25, 0.75]
    )


def test_expected_depth_of_a_single_layer():
    expected = {"inside": np.eye(30)[12], "spread": np.ones(30)}
    assert toy(n=1, expected=expected).expected_depth() == pytest.approx(ILD_ECAL.depth[12])


def test_pulls_of_known_samples():
    """Means that lie 3 standard errors above and 2 below what is expected."""
    values = np.random.default_rng(2).gamma(4, 1, (500, 30))
    mean, error = values.mean(0), values.std(0) / np.sqrt(500)
    off = np.where(np.arange(30) % 2, 3, -2)
    sums = of_layers(values) | {"seen_fourths": ((values - mean) ** 4).sum(0)}
    sums |= {"columns": np.eye(30)[:, :1] * values.sum(0), "column_squares": (values**2).sum(0)}
    expected = {"inside": mean - off * error, "spread": np.ones(30)}
    expected |= {"seen": np.eye(30)[0], "columns": np.tile(mean - off * error, (30, 1))}
    s = toy(n=500, sums=sums, expected=expected)
    np.testing.assert_allclose(s.layer_pulls, off)
    np.testing.assert_allclose(s.column_pulls, off)
    kurtosis = stats.kurtosis(values, fisher=False)
    np.testing.assert_allclose(
        s.spread_error / s.layer_spread, np.sqrt((kurtosis - 1) / 4 / 500), rtol=1e-6
    )


def test_correlations_of_a_known_sample():
    values = np.random.default_rng(3).normal(size=(200, 11)) @ np.random.default_rng(4).normal(
        size=(11, 11)
    )
    sums = {"correlated": values.sum(0), "correlated_products": values.T @ values}
    np.testing.assert_allclose(
        toy(n=200, sums=sums).correlations(), np.corrcoef(values.T), atol=1e-12
    )
    layers = np.random.default_rng(5).gamma(3, 1, (200, 30)).cumsum(1)
    np.testing.assert_allclose(
        toy(n=200, sums=of_layers(layers)).layer_correlations(), np.corrcoef(layers.T), atol=1e-12
    )


def test_empty_layers_of_a_known_sample():
    """One of four showers leaves nothing in the first layer; the error is the binomial one."""
    (first, second) = toy(n=400, sums={"empty": np.array([100, 0, 7])}).empty(2)
    assert first[:2] == pytest.approx((0.25, np.sqrt(0.25 * 0.75 / 400)))
    assert second[:2] == (0, 0)


def test_share_that_layers_explain():
    """Active cells that are twice one layer plus noise of three times the variance: R^2 = 1/4.  Of
    300 samples of 400 the values are spread as their errors say, to 5 sigma of 4%: a false alarm in
    10^6, an error off by a third is caught."""
    rng = np.random.default_rng(8)

    def found():
        layers = rng.normal(5, 1, (400, 3))
        active = 2 * layers[:, 1] + np.sqrt(12) * rng.normal(size=400)
        scalars = np.zeros((400, 4))
        scalars[:, ACTIVE] = active
        return toy(scalars, sums=of_layers(layers) | {"seen_active": layers.T @ active}).explained()

    values = [found() for _ in range(300)]
    mean, errors = np.mean([v.value for v in values]), [v.error for v in values]
    # Two layers too many explain 1/400 of the noise each, by chance.
    assert mean == pytest.approx(0.25 + 0.75 * 2 / 400, abs=5 * np.mean(errors) / np.sqrt(300))
    assert np.std([v.value for v in values]) == pytest.approx(np.mean(errors), rel=5 / np.sqrt(600))


def test_showers_beside_the_papers_axes():
    """Of four, one has too few cells and another one is too deep; layers are counted one by one."""
    scalars = np.zeros((4, 4))
    scalars[:, ACTIVE], scalars[:, VISIBLE], scalars[:, CENTROID] = 800, 800, 14
    assert toy(scalars).within_axes() == 1
    scalars[0, ACTIVE], scalars[1, CENTROID] = 499, 25.1
    assert toy(scalars).within_axes() == 0.5
    sums = {"beyond_energy": np.eye(30)[3] * 2, "beyond_moment": np.eye(30)[7]}
    np.testing.assert_array_equal(
        toy(n=4, sums=sums).beyond_layer_axes(), [np.eye(30)[3] / 2, np.eye(30)[7] / 4]
    )


def test_axes_of_the_layers():
    """A shower of 119 and one of 121 MeV in a cell of layer 12, whose axis ends at 120."""
    assert (len(PAPER_LAYERS), len(PAPER_MOMENTS)) == (30, 30)
    drawn = torch.zeros(2, 30, 30, 30)
    drawn[:, 11, 14, 14] = torch.tensor([119.0, 121.0])
    beyond = summary_of(drawn).beyond_layer_axes()
    assert beyond[0, 11] == 0.5
    assert beyond.sum() == 0.5


def test_containment_of_a_known_sample():
    """Two kinds of showers: 60 and 80% of 1 and of 3 GeV within the first disc."""
    inside = np.array([[0.6, 0.7, 0.8, 1], [2.4, 2.7, 2.7, 3]])[np.arange(100) % 2]
    sums = {"discs": inside.sum(0), "discs_products": inside.T @ inside}
    first, second, third = toy(n=100, sums=sums).contained()
    assert first.value == pytest.approx(3 / 4)
    assert first.error == pytest.approx(0.15 / 2 / 10)  # (0.6 - 0.75) / 2 and (2.4 - 2.25) / 2
    assert (second.value, third.value) == pytest.approx((3.4 / 4, 3.5 / 4))


@pytest.mark.parametrize("energy", [5, 50])
def test_containment_is_what_is_integrated(energy):
    """300 electrons: 3 shares at 4 sigma and 0.001 for the mean effect of cells, a false alarm in
    5,000.  A Molière radius that is off by 10% moves the first by 0.012 and is caught always."""
    electrons = {"energy": energy, "particle": "electron"}
    s = summary_of(draw(300, seed=12, **electrons), **electrons)
    found, config = s.contained(), ShowerConfig(**electrons)
    for value, expected in zip(found, s.expected_contained(), strict=True):
        assert abs(value.value - expected) < 4 * value.error + 0.001
    narrow = expectation.energy_within(np.divide(RADII, 1.1), config, in_cells=True)
    assert found[0].value - narrow[0] > 4 * found[0].error + 0.005


def test_losses_add_up():
    """What is expected of the reconstruction is one less all of them."""
    scale = 1 / ILD_ECAL.calibration() / 30
    sums = of_layers(np.tile(960 * scale, (10, 1)))
    expected = {"seen": 985 * scale, "inside": 970 * scale, "spread": scale, "behind": 0.01}
    s = toy(reconstructed(np.full(10, 0.95)), sums=sums, expected=expected)
    assert s.losses() == pytest.approx(
        {"behind": 0.01, "sides": 0.015, "threshold": 0.01, "sum": 0.005}
    )


def test_symmetry_by_hand():
    """Two showers of one MeV in one cell, and one of two cells along y."""
    s = torch.zeros(3, 30, 30, 30)
    s[0, 0, 17, 14] = s[1, 0, 13, 15] = s[2, 0, 14, 10] = s[2, 0, 14, 14] = 1
    x, y = np.array([2.5, -1.5, -0.5]), np.array([-0.5, 0.5, -2.5])
    known = [x, y, x**2 - y**2, np.array([0, 0, -4])]
    for found, values in zip(summary_of(s).symmetry(), known, strict=True):
        assert found[:2] == pytest.approx((values.mean(), values.std() / np.sqrt(3)))


def test_parts_become_one_summary():
    study = make_study("shower-summary", "smoke", energy=5, part_size=10, showers=20)
    parts = dict(study.compute([(0,), (1,)], "cpu", None, lambda work: None))
    s = summarise(SimpleNamespace(study=study, load=lambda: parts))
    assert (len(s), s.energy, s.particle) == (20, 5, "photon")
    np.testing.assert_allclose(s.sums["seen"], sum(p["seen"] for p in parts.values()))
    first = obs.visible(next(iter(study.batches((0,), "cpu"))))[0]
    np.testing.assert_array_equal(s.display, first)
    np.testing.assert_array_equal(s.expected["seen"], parts[(0,)]["expected_seen"])


def test_the_resolution_before_the_threshold_is_of_all_that_layers_see():
    layers = np.random.default_rng(7).gamma(4, 1, (500, 30))
    sums, seen = of_layers(layers), layers @ ILD_ECAL.calibration()
    s = toy(reconstructed(seen - 1), sums=sums)
    found = s.resolution_before_threshold()
    assert found.value == pytest.approx(seen.std(ddof=1) / seen.mean())
    assert found.error / found.value == pytest.approx(s.resolution().error / s.resolution().value)


def test_shipped_showers_scatter_as_integrated():
    """Six energies of photons, response and resolution before the threshold: chi^2 at a false alarm
    of 10^-4 each.  A fit of a stochastic and a constant term would have two parameters."""
    energies = (5.0, 10.0, 20.0, 50.0, 100.0, 200.0)
    stored_of = [stored("shower-summary", energy=e) for e in energies]
    summaries = list(map(summarise, stored_of))
    spreads = [expectation.resolution(result.study).total() for result in stored_of]
    found = [s.resolution_before_threshold() for s in summaries]
    response = [s.response() for s in summaries]
    expected = [s.expected_response() for s in summaries]
    for measured, integrated in ((found, spreads), (response, expected)):
        pulls = [(m.value - e) / m.error for m, e in zip(measured, integrated, strict=True)]
        assert np.sum(np.square(pulls)) < stats.chi2.isf(1e-4, 6)
    narrow = [expectation.resolution(r.study).sampling for r in stored_of]
    pulls = [(m.value - e) / m.error for m, e in zip(found, narrow, strict=True)]
    assert np.sum(np.square(pulls)) > stats.chi2.isf(1e-4, 6)
