"""Observables of top pairs and the figures of merit built on them."""

import numpy as np
import pytest

from amplib.metrics.merit import (
    ETA_RANGE,
    GRIDS,
    PHI_RANGE,
    delta,
    delta_of,
    empty_bins,
    extrapolated_delta,
    pair_histograms,
    smeared,
)
from amplib.studies.collisions.reference import SMEARINGS
from amplib.truth.collisions.columns import TTBAR, columns
from amplib.truth.collisions.observables import (
    BINNINGS,
    BINS,
    OBSERVABLES,
    binnings,
    leading_directions,
    observables,
)


def event(**values: float) -> np.ndarray:
    """One event, (1, 26), with zeros where nothing is said."""
    row = np.zeros((1, len(TTBAR)))
    row[0, columns(TTBAR, *values)] = list(values.values())
    return row


@pytest.fixture
def by_hand() -> dict[str, float]:
    """Massless jets along +x, -x, +y, -y; j2 has the most energy by its longitudinal part."""
    values = {"MET": 50.0, "phi_MET": 3.0}
    for k, (pt, eta, phi) in enumerate([(100, 0, 0), (80, 2, np.pi), (60, 0, 1.5), (40, 0, -1.5)]):
        e = pt * np.cosh(eta)
        values |= {f"E_j{k + 1}": e, f"pT_j{k + 1}": pt, f"eta_j{k + 1}": eta, f"phi_j{k + 1}": phi}
    values |= {"E_l1": 30.0, "pT_l1": 30.0, "phi_l1": -3.0}
    row = observables(event(**values))[0]
    return dict(zip(OBSERVABLES, row.tolist(), strict=True))


def test_there_are_33_observables_and_528_pairs(by_hand):
    assert len(by_hand) == len(OBSERVABLES) == 33
    assert len(pair_histograms(np.zeros((2, 33), np.uint8), BINS)) == 528


def test_masses_by_hand(by_hand):
    """Massless: M^2 of a pair is 2 pT pT' (cosh d_eta - cos d_phi)."""

    def pair(a, b):
        (p, eta, phi), (q, eta2, phi2) = a, b
        return 2 * p * q * (np.cosh(eta - eta2) - np.cos(phi - phi2))

    j = [(80, 2, np.pi), (100, 0, 0), (60, 0, 1.5), (40, 0, -1.5)]  # by energy
    lepton = (30, 0, -3.0)

    def total(objects):
        return np.sqrt(sum(pair(a, b) for i, a in enumerate(objects) for b in objects[:i]))

    assert by_hand["M_2j"] == pytest.approx(total(j[:2]))
    assert by_hand["M_3j"] == pytest.approx(total(j[:3]))
    assert by_hand["M_4j"] == pytest.approx(total(j))
    assert by_hand["M_4j1l"] == pytest.approx(total([*j, lepton]))
    assert by_hand["M_4j2l"] == by_hand["M_4j1l"]  # there is no second lepton


def test_distances_by_hand(by_hand):
    assert by_hand["dR_jj"] == pytest.approx(np.hypot(2, np.pi))
    assert by_hand["dphi_l_MET"] == pytest.approx(2 * np.pi - 6)


@pytest.fixture
def truth() -> np.ndarray:
    """Observables of 2,000 made-up events, (n, 33): exponential energies, even angles."""
    rng = np.random.default_rng(1)
    return np.stack(
        [
            rng.uniform(-3, 3, 2000) if name.startswith(("eta", "phi", "dphi", "dR")) else
            rng.exponential(1e5, 2000)
            for name in OBSERVABLES
        ],
        axis=1,
    )  # fmt: skip


@pytest.mark.parametrize("name", BINNINGS)
def test_bins_cover_every_event(truth, name):
    binning = binnings(truth)[name]
    codes = binning.codes(truth)
    assert codes.max() == BINS - 1
    assert (pair_histograms(codes, BINS).sum(1) == len(truth)).all()
    np.testing.assert_array_equal(codes, binning.codes(truth, 4 * BINS) // 4)
    for column in (OBSERVABLES.index("E_j1"), OBSERVABLES.index("eta_l1")):
        low, high = binning.limits[column]
        even = np.geomspace if name == "released" and low > 0 else np.linspace
        values = truth[:, column]
        inner = (values > low) & (values < high)
        expected = np.searchsorted(even(low, high, BINS + 1), values[inner], side="right") - 1
        np.testing.assert_array_equal(codes[inner, column], expected)


def test_central_bins_leave_a_thousandth_beyond_either_end(truth):
    binning = binnings(truth)["central"]
    for name in ("E_j1", "eta_j1"):
        values, (low, high) = (
            truth[:, OBSERVABLES.index(name)],
            binning.limits[OBSERVABLES.index(name)],
        )
        assert (values < low).sum() == (values > high).sum() == 2
    np.testing.assert_allclose(binning.limits[OBSERVABLES.index("phi_j1")], PHI_RANGE)
    extremes = binnings(truth)["extremes"].limits
    np.testing.assert_array_equal(extremes, np.stack([truth.min(0), truth.max(0)], axis=1))


def test_released_ranges_are_the_authors(truth):
    """Of the histograms in the code released with bvae, MeV; bins of the logarithm."""
    jet, lepton, mass = (2e4, 7e6), (1e4, 7e6), (1e4, 1e7)
    expected = {"MET": (100, 7e6), "phi_MET": (-np.pi, np.pi)}
    for objects, energy, eta in (("j1 j2 j3 j4", jet, 5), ("l1 l2", lepton, 2.5)):
        for o in objects.split():
            expected |= {f"E_{o}": energy, f"pT_{o}": energy}
            expected |= {f"eta_{o}": (-eta, eta), f"phi_{o}": (-np.pi, np.pi)}
    expected |= dict.fromkeys(("M_2j", "M_3j", "M_4j", "M_4j1l", "M_4j2l"), mass)
    found = binnings(truth)["released"]
    assert found.logarithmic
    limits = dict(zip(OBSERVABLES, map(tuple, found.limits.tolist()), strict=True))
    assert {name: limits[name] for name in expected} == expected
    assert set(limits) - set(expected) == {"dR_jj", "dphi_l_MET"}  # which the authors do not draw


def test_ranges_and_widths_are_the_papers():
    """bvae, above eq. 23: eta in [-2.5, 2.5], sqrt(N_bins) to 1000; sec. III D: N(1, sigma^2) with
    sigma^2 = 0.05 and 0.1, which the released code takes for sigma."""
    assert ETA_RANGE == (-2.5, 2.5)
    assert pytest.approx((-3.14159265, 3.14159265)) == PHI_RANGE
    assert GRIDS[0] <= 1 and GRIDS[-1] == 1000
    assert pytest.approx((0.05, 0.1, 0.2236068, 0.3162278)) == SMEARINGS


def test_an_observable_of_one_value_fills_one_bin(truth):
    truth[:, OBSERVABLES.index("E_l2")] = 0.0  # no second lepton
    codes = binnings(truth)["extremes"].codes(truth)
    assert (codes[:, OBSERVABLES.index("E_l2")] == 0).all()


def test_binning_refuses(truth):
    binning = binnings(truth)["released"]
    with pytest.raises(ValueError, match="300"):
        binning.codes(truth, 300)
    truth[7, 2] = np.nan
    with pytest.raises(ValueError, match="event 7: E_j1 = nan"):
        binning.codes(truth)


def test_leading_jets_by_momentum_and_by_energy():
    """j2 has less pT and, at eta = 2, more energy."""
    row = event(E_j1=100, pT_j1=100, E_j2=300, pT_j2=80, eta_j2=2, phi_j2=1, E_j3=50, pT_j3=50)
    eta, phi = leading_directions(row)
    assert eta.tolist() == [[0, 2]]
    assert phi.tolist() == [[0, 1]]
    eta, phi = leading_directions(row, "energy")
    assert eta.tolist() == [[2, 0]]
    assert phi.tolist() == [[1, 0]]
    with pytest.raises(ValueError, match="by = 'E'"):
        leading_directions(row, "E")


def test_delta_of_equal_and_of_disjoint_histograms():
    a = np.array([[5, 5, 0, 0], [1, 2, 3, 4]])
    assert delta(a, 7 * a) == pytest.approx(0)
    assert delta([[5, 0]], [[0, 9]]) == pytest.approx(2)
    assert delta([[3, 1]], [[1, 1]]) == pytest.approx(0.25**2 / 1.25 + 0.25**2 / 0.75)


def test_delta_of_two_samples_of_the_same_density():
    """E[delta] = 1/N a bin where all bins are well filled; 200 pairs of 100 bins have a spread of
    sqrt(2 / 99 / 200) = 1%, the band is 4 sigma; unequal N as the harmonic mean."""
    rng = np.random.default_rng(2)
    shares = np.full(100, 0.01)
    for n, m in ((20_000, 20_000), (20_000, 80_000)):
        a, b = rng.multinomial(n, shares, 200), rng.multinomial(m, shares, 200)
        assert delta(a, b) == pytest.approx(99 / 2 * 0.01 * (100 / n + 100 / m), rel=0.04)


def test_delta_is_extrapolated_along_eq_24():
    """Points on the curve give the curve, and those of 1/N, its limit, give 1/N; both to 1%."""
    sizes = np.arange(1, 13) * 50_000.0
    curve = 0.01 / np.log(2e-5 * sizes + 3) - 0.001
    at_twice = 0.01 / np.log(2e-5 * 1.2e6 + 3) - 0.001
    assert extrapolated_delta(sizes, curve, 1.2e6) == pytest.approx(at_twice, rel=0.01)
    for cells in (200, 360, 500):
        found = extrapolated_delta(sizes, cells / sizes, 1.2e6)
        assert found == pytest.approx(cells / 1.2e6, rel=0.01)
    with pytest.raises(ValueError, match="4 parameters, got 3"):
        extrapolated_delta(sizes[:3], curve[:3], 1e6)


def test_smearing_keeps_zeros_and_has_its_width():
    """30,000 factors: their spread to 4 sigma of 1/sqrt(2n) each (6e-5 false alarms), 1.6%."""
    events = np.array([[2.0, 0.0, -1.0]])
    copies = smeared(events, 0.05, 10_000, np.random.default_rng(5))
    assert copies.shape == (10_000, 3)
    assert (copies[:, 1] == 0).all()
    factors = (copies / np.where(events == 0, 1, events))[:, [0, 2]].ravel()
    assert factors.std() == pytest.approx(0.05, rel=4 / np.sqrt(2 * len(factors)))


@pytest.mark.parametrize(
    ("p", "q", "line"),
    [([[1, 2]], [[1, 2, 3]], "shapes"), ([[0, 0]], [[1, 2]], "empty")],
)
def test_delta_refuses(p, q, line):
    with pytest.raises(ValueError, match=line):
        delta(p, q)


def test_empty_bins_of_uniform_points():
    """exp(-n / k^2) of the bins are empty, to 4 sigma of a share of 2,500 bins at least."""
    rng = np.random.default_rng(3)
    n, grids = 20_000, np.array([1, 50, 100, 300])
    x, y = rng.uniform(*PHI_RANGE, (2, n))
    share = empty_bins(x, y, PHI_RANGE, grids)
    assert share[0] == 0
    np.testing.assert_allclose(share, np.exp(-n / grids**2.0), atol=4 * 0.5 / 50)


def test_delta_of_sees_copies_of_the_training_sample():
    """20,000 events, drawn again from 2,000 of them, against 20,000 of their own; two independent
    samples differ thirty times less."""
    rng = np.random.default_rng(4)
    curves = []
    for points in (
        rng.uniform(*PHI_RANGE, (2, 20_000)),
        rng.uniform(*PHI_RANGE, (2, 20_000)),
        rng.uniform(*PHI_RANGE, (2, 2_000))[:, rng.integers(0, 2_000, 20_000)],
    ):
        curves.append(empty_bins(*points, PHI_RANGE))
    fresh, copied = delta_of(curves[1], curves[0]), delta_of(curves[2], curves[0])
    assert copied > 30 * fresh
    assert len(GRIDS) == len(curves[0])
