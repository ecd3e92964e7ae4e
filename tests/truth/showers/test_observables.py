"""Observables of showers, on showers made by hand."""

import numpy as np
import pytest
import torch

from amplib.truth.showers import observables as obs
from amplib.truth.showers.config import CORRELATED

MEASURES = (
    obs.visible, obs.active_cells, obs.layer_energies, obs.total_energy, obs.centroid,
    obs.high_level, obs.second_moments, obs.thirds, obs.differences, obs.correlated,
)  # fmt: skip


@pytest.mark.parametrize("measure", MEASURES, ids=lambda m: m.__name__)
def test_arrays_are_measured_as_tensors_are(measure):
    whole = np.random.default_rng(1).integers(0, 5, (2, 30, 30, 30))
    torch.testing.assert_close(measure(whole), measure(torch.tensor(whole).float()))
    for shape in ((30, 30, 30), (2, 27_000), (2, 30, 30), (30, 30, 30, 2)):
        with pytest.raises(ValueError, match=r"have shape \(.*\), expected \(N, 30, 30, 30\)$"):
            measure(np.zeros(shape))


def test_an_axis_that_is_none():
    with pytest.raises(ValueError, match="axis = 'z': must be x or y"):
        obs.second_moments(torch.zeros(1, 30, 30, 30), "z")


@pytest.fixture
def by_hand() -> torch.Tensor:
    """Shower 0: 2 MeV in layer 0 at (3, 5), 6 MeV in layer 10 at (3, 7), 1 and 3 MeV in layer 29
    at (10, 20) and (14, 20), and 0.05 MeV below the threshold.  Shower 1 is empty."""
    s = torch.zeros(2, 30, 30, 30)
    s[0, 0, 3, 5] = 2
    s[0, 10, 3, 7] = 6
    s[0, 29, 10, 20] = 1
    s[0, 29, 14, 20] = 3
    s[0, 4, 4, 4] = 0.05
    return s


def test_cells_are_seen_from_a_tenth_of_an_mev():
    """The threshold of dctrgan, sec. III B: of 0.101, 0.099 and 0.1 MeV the second is no hit."""
    s = torch.zeros(1, 30, 30, 30)
    s[0, 3, 4, :3] = torch.tensor([0.101, 0.099, 0.1])
    assert (obs.visible(s)[0, 3, 4, :3] == torch.tensor([0.101, 0, 0.1])).all()
    assert obs.active_cells(obs.visible(s)).item() == 2


def test_high_level_by_hand(by_hand):
    first, empty = obs.high_level(obs.visible(by_hand))
    assert first[0] == 4
    assert first[1].item() == pytest.approx((1 * 2 + 11 * 6 + 30 * 4) / 12)
    assert first[2].item() == pytest.approx(12)
    assert first[3 + 10] == 6
    assert first[3 + 4] == 0
    assert empty.isfinite().all()
    assert (empty[[0, 2]] == 0).all()
    assert empty[1] == 1


def test_moments_by_hand(by_hand):
    x, y = (obs.second_moments(obs.visible(by_hand), axis) for axis in "xy")
    assert x[0, 29].item() == pytest.approx(3)  # at 10 and 14 with weights 1 : 3
    assert y[0, 29] == 0
    assert x[0, 5] == 0  # an empty layer
    assert x.isfinite().all()


def test_correlated_by_hand(by_hand):
    values = dict(zip(CORRELATED, obs.correlated(obs.visible(by_hand))[0].tolist(), strict=True))
    assert values["X"] == pytest.approx((3 * 8 + 10 + 14 * 3) / 12)
    assert values["Y"] == pytest.approx((5 * 2 + 7 * 6 + 20 * 4) / 12)
    assert values["Z"] == pytest.approx((10 * 6 + 29 * 4) / 12)
    assert values["Z2"] == pytest.approx((100 * 6 + 29**2 * 4) / 12 - (176 / 12) ** 2, rel=1e-5)
    assert values["E_vis"] == 12
    assert values["n_hit"] == 4
    assert [values[f"E{k}"] for k in (1, 2, 3)] == pytest.approx([2 / 12, 6 / 12, 4 / 12])


def test_differences_by_hand(by_hand):
    d = obs.differences(obs.visible(by_hand))[0]
    assert len(d) == 300
    assert d[0] == 0  # layers 5 and 6
    assert d[4].item() == pytest.approx(-6)  # layers 5 and 10
    assert d[23].item() == pytest.approx(-4)  # layers 5 and 29
