"""The 33 observables of top pairs and their bins, on events made by hand."""

import numpy as np
import pytest

from amplib.metrics.delta import pair_histograms
from amplib.truth.collisions.columns import TTBAR, columns
from amplib.truth.collisions.observables import (
    BINNINGS,
    BINS,
    OBSERVABLES,
    Binning,
    azimuthal_distance,
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
    np.testing.assert_allclose(binning.limits[OBSERVABLES.index("phi_j1")], (-np.pi, np.pi))
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


def test_the_leading_lepton_is_that_of_the_most_energy():
    """The second in pT here, at eta = 2; masses add it first, and MET is seen from it."""
    jets = {f"E_j{k}": 100.0 for k in (1, 2, 3, 4)}  # at rest
    lepton = 20 * np.cosh(2)
    row = event(phi_MET=-1.0, **jets, E_l1=30, pT_l1=30, phi_l1=2, E_l2=lepton, pT_l2=20, eta_l2=2)
    found = dict(zip(OBSERVABLES, observables(row)[0].tolist(), strict=True))
    assert found["dphi_l_MET"] == pytest.approx(1)
    assert found["M_4j"] == pytest.approx(400)
    assert found["M_4j1l"] == pytest.approx(np.sqrt(400**2 + 800 * lepton))
    pair = 2 * 30 * 20 * (np.cosh(2) - np.cos(2))
    assert found["M_4j2l"] == pytest.approx(np.sqrt(400**2 + 800 * (lepton + 30) + pair))


def test_events_do_not_see_each_other():
    rows = np.random.default_rng(2).uniform(1, 3, (5, len(TTBAR)))
    whole = observables(rows)
    np.testing.assert_array_equal(whole[:, : len(TTBAR)], rows)
    for k in range(5):
        np.testing.assert_allclose(whole[k], observables(rows[k : k + 1])[0])
    for by in ("pT", "energy"):
        eta, phi = leading_directions(rows, by)
        for k in range(5):
            alone = leading_directions(rows[k : k + 1], by)
            assert (eta[k].tolist(), phi[k].tolist()) == (
                alone[0][0].tolist(),
                alone[1][0].tolist(),
            )


def test_distances_on_the_circle():
    """The shorter way round."""
    a, b = np.meshgrid(np.linspace(-np.pi, np.pi, 13), np.linspace(-np.pi, np.pi, 11))
    straight = np.abs(a - b)
    np.testing.assert_allclose(
        azimuthal_distance(a, b), np.minimum(straight, 2 * np.pi - straight), atol=1e-12
    )


@pytest.mark.parametrize("logarithmic", [False, True])
def test_codes_change_at_the_edges(logarithmic):
    """Even steps of the value, or of its logarithm where the lowest is positive."""
    binning = Binning(np.array([[1.0, 81.0], [-1.0, 3.0], [0.0, 4.0]]), logarithmic)
    for column, even in enumerate(([1, 3, 9, 27, 81], [-1, 0, 1, 2, 3], [0, 1, 2, 3, 4])):
        if column == 0 and not logarithmic:
            even = [1, 21, 41, 61, 81]
        assert binning.edges(column, 4) == pytest.approx(even)
        sides = [edge + side for edge in even[1:-1] for side in (-1e-6, 1e-6)]
        values = np.zeros((10, 3))
        values[:, column] = even[0] - 5, even[0], *sides, even[-1], even[-1] + 5
        assert binning.codes(values, 4)[:, column].tolist() == [0, 0, 0, 1, 1, 2, 2, 3, 3, 3]
    assert len(binning.edges(1)) == BINS + 1


def test_a_byte_counts_256_bins():
    binning = Binning(np.array([[0.0, 1.0]]))
    ends = np.array([[0.0], [1.0]])
    assert binning.codes(ends, 256).ravel().tolist() == [0, 255]
    assert binning.codes(ends, 1).ravel().tolist() == [0, 0]
    for bins in (0, 257):
        with pytest.raises(ValueError, match=rf"\[1, 256\], got {bins}"):
            binning.codes(ends, bins)


def test_distances_are_released_with_all_that_they_can_be(truth):
    """Of two jets at opposite ends and sides; of a lepton and MET back to back."""
    limits = binnings(truth)["released"].limits
    assert limits[OBSERVABLES.index("dR_jj")] == pytest.approx((0, np.hypot(10, np.pi)))
    assert limits[OBSERVABLES.index("dphi_l_MET")] == pytest.approx((0, np.pi))
