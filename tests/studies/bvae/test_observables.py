"""What is looked at in generated decays: by hand, and on true ones."""

import numpy as np
import pytest
from scipy import stats

from amplib.studies.bvae.observables import (
    TWO_BODY_DECAY,
    Z_DECAY,
    four_leptons,
    lepton_pair,
    two_body_values,
    wasserstein,
    z_pairs,
    z_values,
)
from amplib.studies.catalogue import make_study
from amplib.truth.collisions.two_body import sample


@pytest.fixture(scope="module")
def decays():
    return sample(5000, np.random.default_rng(1))


@pytest.fixture(scope="module")
def pairs():
    return make_study("z", "smoke").make((0,), lambda work: None)["events"]


# ---- two bodies ----


def test_true_decays_are_balanced_and_on_shell(decays):
    values = two_body_values(decays)
    assert values.keys() == TWO_BODY_DECAY.edges.keys()
    for name in ("sum_px", "sum_py", "sum_pz", "shell_1", "shell_2"):
        assert np.abs(values[name]).max() < 1e-11, name
    np.testing.assert_allclose(values["sum_E"], 100)
    assert len(values["px"]) == 2 * len(decays)


def test_a_decay_by_hand():
    """E = 5, 7; p = (3, 4, 0), (-1, -4, 1); m = 0, 2."""
    values = two_body_values(np.array([[5.0, 7, 3, 4, 0, -1, -4, 1, 0, 2]]))
    assert [values[f"sum_{x}"][0] for x in ("px", "py", "pz", "E")] == [2, 0, 1, 12]
    assert values["py"].tolist() == [4, -4]
    assert values["shell_1"][0] == 0
    assert values["shell_2"][0] == 49 - 18 - 4
    assert values["phi"][0] == pytest.approx(np.arctan2(4, 3))


# ---- Z ----


def test_true_pairs_are_back_to_back(pairs):
    values = z_values(pairs)
    assert values.keys() == Z_DECAY.edges.keys()
    np.testing.assert_allclose(values["pair_mass"], 91, rtol=1e-9)
    np.testing.assert_allclose(values["acoplanarity"], 0, atol=1e-6)
    # Pythia keeps momenta to 1e-7 or so of an energy: a mass squared to 1e-3 GeV^2.
    assert np.abs(values["lepton_mass"]).max() < 0.2
    assert four_leptons(pairs) == {"four_leptons": 0}
    first, second = z_pairs(pairs)["theta"]
    np.testing.assert_allclose(first + second, np.pi, rtol=1e-6)


def test_true_leptons_fill_two_bins_of_mass_and_the_rest_one(pairs):
    """Electrons lie at zero, muons at 0.1 GeV: the caption says so."""
    values = z_values(pairs)
    filled = {
        name: int((np.histogram(values[name], Z_DECAY.edges[name])[0] > 0).sum())
        for name in ("pair_mass", "lepton_mass", "sum_px")
    }
    assert filled == {"pair_mass": 1, "lepton_mass": 2, "sum_px": 1}


def test_the_pair_of_more_energy_is_looked_at():
    """An event of electrons with a little of muons, one the other way round."""
    event = np.zeros((2, 4, 4))
    event[0, :2, 0], event[0, 2:, 0] = (40, 50), (3, 44)
    event[1, :2, 0], event[1, 2:, 0] = (40, 2), (30, 13)
    event[0, 0, 1], event[1, 3, 1] = 7, 8
    minus, plus = lepton_pair(event.reshape(2, 16))
    assert minus[:, 0].tolist() == [40, 30]
    assert plus[:, 0].tolist() == [50, 13]
    assert minus[:, 1].tolist() == [7, 0]
    assert plus[:, 1].tolist() == [0, 8]
    event[0, 2, 0] = 6  # now all four are there
    assert four_leptons(event.reshape(2, 16)) == {"four_leptons": 1}


def test_a_turned_lepton_is_seen():
    """phi of 0.2 and pi + 0.5: acoplanarity of 0.2 - 0.5, whichever side of pi the angles are."""
    for turn in (0.0, 2.9):
        p = [[45, 30 * np.cos(a + turn), 30 * np.sin(a + turn), 33] for a in (0.2, np.pi + 0.5)]
        event = np.concatenate([*p, np.zeros(8)])[None]
        assert z_values(event)["acoplanarity"][0] == pytest.approx(-0.3)


# ---- distances and summaries ----


def test_wasserstein_by_hand():
    assert wasserstein(np.array([0.0, 1, 5]), np.array([1.0, 2, 3])) == pytest.approx(4 / 3)
    with pytest.raises(ValueError, match="3 values cannot be compared with 2"):
        wasserstein(np.zeros(3), np.zeros(2))


def test_wasserstein_is_scipys_and_tells_samples_apart():
    """Identical: 0; of one density: the expected 1.1 / sqrt(n) of N(0, 1) within a factor two
    (one in 1e4 is beyond); shifted by 0.2, which is 13 times that, found to 25%."""
    rng = np.random.default_rng(1)
    a, b = np.sort(rng.normal(size=(2, 5000)), 1)
    assert wasserstein(a, a) == 0
    assert wasserstein(a, b) == pytest.approx(stats.wasserstein_distance(a, b))
    assert 0.5 < wasserstein(a, b) / (1.1 / np.sqrt(5000)) < 2.5
    assert wasserstein(a + 0.2, b) == pytest.approx(0.2, rel=0.25)


@pytest.mark.parametrize("name", ["decays", "pairs"])
def test_a_summary_counts_every_entry(name, request):
    events = request.getfixturevalue(name)
    decay = {"decays": TWO_BODY_DECAY, "pairs": Z_DECAY}[name]
    kept = decay.summary(events, decay.sorted_values(events))
    values = decay.values(events)
    for observable, edges in decay.edges.items():
        assert kept[observable].sum() == len(values[observable])
        inside = (values[observable] >= edges[0]) & (values[observable] < edges[-1])
        assert kept[observable][1:-1].sum() == inside.sum()
    for quantity in decay.map_edges:
        assert kept[f"{quantity}_map"].sum() == len(events)
    assert not kept["distances"].any()
    medians = [np.median(v) for v in values.values()]
    np.testing.assert_allclose(kept["quantiles"][:, 1], medians, atol=1e-12)


def test_a_summary_sees_what_was_changed(decays):
    """Momenta of particle 1 along x off by 0.5 GeV: the sum by 0.5, nothing along y."""
    moved = decays.copy()
    moved[:, 2] += 0.5
    kept = TWO_BODY_DECAY.summary(moved, TWO_BODY_DECAY.sorted_values(decays))
    distance = dict(zip(TWO_BODY_DECAY.edges, kept["distances"], strict=True))
    assert distance["sum_px"] == pytest.approx(0.5)
    assert distance["px"] == pytest.approx(0.25)
    assert distance["sum_py"] == distance["shell_2"] == 0
    assert distance["shell_1"] > 5
