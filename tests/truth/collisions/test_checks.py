"""The checks of top pairs themselves, by hand and on known samples."""

import numpy as np
import pytest
from statistical import within

from amplib.studies.collisions.reading import TopPairStatistics
from amplib.truth.collisions import checks
from amplib.truth.collisions.columns import PARTONS, four_momentum, mass


def test_peak_of_a_gaussian():
    """10^5 values: median to 5 x 0.004, width to 5 x 0.3%; one in a hundred far off hardly moves
    either."""
    values = np.random.default_rng(8).normal(3, 1, 100_000)
    found = checks.peak(values)
    assert found.error == pytest.approx((np.pi / 2 / 100_000) ** 0.5, rel=0.02)
    within(found.median, 3, found.error)
    assert found.width == pytest.approx(1, abs=0.015)
    values[:1000] = 1e6
    assert checks.peak(values).median == pytest.approx(3, abs=0.04)


def test_masses_of_perfect_jets_are_exact():
    """A W of 80 and a top of 173 GeV from jets that are the quarks, in any order of the jets."""
    quarks = 1e3 * np.array([[40, 40, 0, 0], [40, -40, 0, 0], [60, 0, 0, 60]], dtype=float)
    expected_top = mass(quarks.sum(axis=0))
    partons = np.zeros((2, 10, 4))
    partons[:, [6, 7, 4]] = quarks
    partons[:, [8, 9, 5]] = 1e3 * np.array([[70, 0, -70, 0], [9, 3, 0, -8], [50, 0, 50, 0]])
    kinds = np.array([[2, -1, 11, -12], [14, -13, 3, -4]])
    jets = np.array([quarks[2], quarks[0], [70e3, 0, -70e3, 0], quarks[1]])
    events = np.zeros((2, 26))
    pt = np.hypot(jets[:, 1], jets[:, 2]) + 1e-9
    rows = np.stack(
        [jets[:, 0], pt, np.arcsinh(jets[:, 3] / pt), np.arctan2(jets[:, 2], jets[:, 1])], axis=1
    )
    rows[0, 1:3] = 60e3 / np.cosh(8), 8.0
    partons[:, 4] = four_momentum(*rows[0])
    events[:, 2:18] = rows.ravel()
    w, top = checks.hadronic_masses(events, partons, kinds)
    assert w.shape == top.shape == (1,)
    assert w[0] == pytest.approx(80e3) and top[0] == pytest.approx(expected_top, rel=1e-3)


def test_true_masses_are_those_of_both_ws_and_both_tops():
    """At rest, each parton with a mass that tells which it is."""
    partons = np.zeros((1, len(PARTONS), 4))
    partons[0, :, 0] = np.arange(1, 1 + len(PARTONS))
    w, top = checks.true_masses(partons)
    names = list(PARTONS)
    assert w.tolist() == [[1 + names.index("W+"), 1 + names.index("W-")]]
    assert top.tolist() == [[1 + names.index("t"), 1 + names.index("tbar")]]


@pytest.mark.parametrize(("distance", "found"), [(0.29, 0), (0.31, -1)])
def test_a_jet_belongs_to_a_quark_within_three_tenths(distance, found):
    jets = four_momentum(1.0, 1.0, np.array([[0.0]]), np.array([[3.1]]))
    for d_eta, d_phi in ((distance, 0.0), (0.0, distance)):
        quarks = four_momentum(1.0, 1.0, np.array([[d_eta]]), np.array([[3.1 + d_phi]]))
        assert checks.nearest_jets(jets, quarks).tolist() == [[found]]


def test_two_quarks_in_one_jet_make_no_mass():
    jets = four_momentum(1.0, 1.0, np.array([[0.0, 2.0]]), np.array([[0.0, 3.1]]))
    quarks = four_momentum(1.0, 1.0, np.array([[0.1, 2.1, 1.0]]), np.array([[0.1, -3.1, 0.0]]))
    assert checks.nearest_jets(jets, quarks).tolist() == [[0, 1, -1]]
    events = np.zeros((1, 26))
    events[0, 2:18] = np.tile([1.0, 1.0, 0.0, 0.0], 4)
    partons = np.zeros((1, 10, 4))
    partons[0] = four_momentum(1.0, 1.0, 0.1, 0.0)
    assert len(checks.hadronic_masses(events, partons, np.array([[2, -1, 2, -1]]))[0]) == 0


def test_response_and_missing_residuals_by_hand():
    pairs = np.array([[10, 5, 0], [10, 20, 0], [30, 30, 0], [30, 60, 0]], dtype=float)
    peaks = checks.jet_response(pairs, [0, 20, 40])
    assert [p.median for p in peaks] == [1.25, 1.5] and [p.n for p in peaks] == [2, 2]
    events = np.zeros((1, 26))
    events[0, :2] = 5.0, np.arctan2(4, 3)
    np.testing.assert_allclose(checks.missing_residuals(events, [[1.0, 6.0]]), [[2, -2]])
    with pytest.raises(ValueError, match="two values"):
        checks.jet_response(pairs, [0, 1, 20])


def test_expected_dileptons_by_hand():
    """Half of all leptons are seen: of 7 pairs, 6 with one W to leptons and 1 with two, 3 and 1/2
    events have one, and 1/4 has two."""
    steps = np.array(["W to e or mu", "one or two leptons"])
    statistics = TopPairStatistics([{"steps": steps, "passed": np.array([2800, 1500])}])
    assert statistics.dileptons_before_jets == pytest.approx(0.25 / 3.75)


def test_the_least_missing_resolution_by_hand():
    """Four jets of 60 GeV side by side at eta 0, where r^2 + 9 r = 60^2."""
    events = np.zeros((1, 26))
    events[0, 2:18] = [60e3, 60e3, 0, 0.7] * 4
    lost = 60 - (-9 + (81 + 4 * 3600) ** 0.5) / 2
    width = 60 * checks.least_jet_resolution(60e3, 0)
    expected = 1e3 * ((16 * lost**2 + 4 * width**2) / 2) ** 0.5
    assert checks.least_missing_resolution(events) == pytest.approx(expected, rel=1e-12)


def test_the_scale_of_missing_momentum_by_hand():
    """MET of 0.8 of the neutrinos, turned a quarter for one event of four, of the smallest pT."""
    neutrinos = np.array([[30e3, 40e3], [-60e3, 80e3], [0, 50e3], [1e3, 0]])
    measured = 0.8 * neutrinos
    measured[3] = [0, 0.8e3]
    events = np.zeros((4, 26))
    events[:, 0] = np.hypot(*measured.T)
    events[:, 1] = np.arctan2(measured[:, 1], measured[:, 0])
    squares = np.array([50.0, 100, 50, 1]) ** 2
    scale = 0.8 * squares[:3].sum() / squares.sum()
    found = checks.missing_scale(events, neutrinos)
    assert found.value == pytest.approx(scale)
    off = np.array([*(0.8 - scale) * squares[:3], -scale])
    assert found.error == pytest.approx(np.sqrt((off**2).sum()) / squares.sum())


def test_what_jets_lose_is_lost_of_the_momentum_that_they_balance():
    """Four jets of 60 GeV side by side at eta 0 against neutrinos of 240 GeV."""
    events = np.zeros((1, 26))
    events[0, 2:18] = [60e3, 60e3, 0, 0.7] * 4
    lost = 60 - (-9 + (81 + 4 * 3600) ** 0.5) / 2
    neutrinos = -240e3 * np.array([[np.cos(0.7), np.sin(0.7)]])
    found = checks.expected_missing_scale(events, neutrinos)
    assert found == pytest.approx(1 - 4 * lost / 240, rel=1e-12)


def test_a_peak_by_hand():
    """Of 0, 1 ... 10000: the median in the middle, half of the central 68.26%, 1.2533 of it over
    the root of their number; two values are enough."""
    found = checks.peak(np.arange(10_001.0))
    assert (found.median, found.n) == (5000, 10_001)
    assert found.width == pytest.approx(3413)
    assert found.error == pytest.approx(1.253314 * 3413 / np.sqrt(10_001), rel=1e-6)
    assert found.estimate() == (found.median, found.error, None, None, None)
    two = checks.peak([1.0, 3.0])
    assert two.median == 2
    assert two.width == pytest.approx(0.6826)


def test_masses_are_pythias():
    assert (checks.W_MASS, checks.TOP_MASS) == (80.4, 173.0)


def test_the_least_resolution_of_a_jet_by_the_cards_cells():
    """100 GeV at eta 0, of which 30 are photons, and 14 hit each of five cells of hadrons; three
    times the energy at eta = 1.7627, where cosh is 3, and other cells."""
    photons = 0.0017**2 * 30**2 + 0.101**2 * 30
    hadrons = 0.0302**2 * 14**2 + 0.5205**2 * 14 + 1.59**2
    expected = np.sqrt(photons + 5 * hadrons) / 100
    assert checks.least_jet_resolution(100e3, 0.0) == pytest.approx(expected)
    photons = 0.0017**2 * 90**2 + 0.101**2 * 90
    hadrons = 0.05**2 * 42**2 + 0.706**2 * 42
    expected = np.sqrt(photons + 5 * hadrons) / 300
    assert checks.least_jet_resolution([100e3], [np.arccosh(3)]) == pytest.approx(expected)


def test_jets_of_a_range_have_a_least_resolution_and_a_measured_one():
    """From the lower end on and below the upper one; the root of the mean square."""
    pairs = np.array(
        [[40e3, 44e3, 0.0], [60e3, 54e3, 1.0], [80e3, 1.0, 0.0], [39e3, 1.0, 0.0]], dtype=float
    )
    least, measured = checks.jet_resolution(pairs, 40e3, 80e3)
    each = [checks.least_jet_resolution(40e3, 0.0), checks.least_jet_resolution(60e3, 1.0)]
    assert least == pytest.approx(np.sqrt((each[0] ** 2 + each[1] ** 2) / 2))
    assert measured == checks.peak([1.1, 0.9])


def test_what_cells_miss_of_jets_in_any_direction():
    """pT - r with r^2 + (3 - 0.2 |eta|)^2 r = pT^2 in GeV, along each jet."""
    jets = [(60.0, 0.0, 0.3), (40.0, -1.0, -2.0), (30.0, 2.0, 1.5), (100.0, 0.5, 3.0)]
    events = np.zeros((1, 26))
    events[0, 2:18] = [v for pt, eta, phi in jets for v in (1e6, 1e3 * pt, eta, phi)]
    lost = 0.0
    for pt, eta, phi in jets:
        slope = (3 - 0.2 * abs(eta)) ** 2
        seen = max(np.roots([1, slope, -(pt**2)]))
        lost += 1e3 * (pt - seen) * np.exp(1j * phi)
    assert checks.lost_by_jets(events)[0] == pytest.approx(lost)


def test_the_resolution_of_missing_momentum_is_that_of_both_components():
    events = np.zeros((2, 26))
    events[:, 0] = 5.0, 13.0
    events[:, 1] = np.arctan2(4, 3), np.arctan2(-12, 5)
    found = checks.missing_resolution(events, [[1.0, 6.0], [0.0, 0.0]])
    assert found == checks.peak([2.0, -2, 5, -12])


def test_a_jet_at_an_edge_belongs_to_the_upper_bin():
    pairs = np.array([[10, 20, 0], [19, 19, 0], [20, 60, 0], [40, 40, 0], [39, 117, 0]], float)
    peaks = checks.jet_response(pairs, [10, 20, 40])
    assert [p.median for p in peaks] == [1.5, 3]


def test_only_quarks_of_a_w_make_its_mass():
    """A W to a lepton (11 and beyond) has no jets, whatever lies where they would."""
    events = np.zeros((1, 26))
    directions = [(0.0, 0.0), (1.0, 2.0), (-1.0, -2.0), (2.0, 1.0)]
    events[0, 2:18] = [v for eta, phi in directions for v in (np.cosh(eta) * 5, 5, eta, phi)]
    partons = four_momentum(1.0, 1.0, np.full((1, 10), 9.0), 0.0)
    for place, (eta, phi) in zip((6, 7, 4), directions, strict=False):
        partons[0, place] = four_momentum(np.cosh(eta), 1.0, eta, phi)
    for code, number in ((1, 1), (5, 1), (6, 0), (-11, 0)):
        w, top = checks.hadronic_masses(events, partons, np.array([[code, 0, 12, 0]]))
        assert len(w) == len(top) == number
