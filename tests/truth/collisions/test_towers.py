"""Towers against a plain loop over particles, with all random numbers in the middle."""

import numpy as np
import pytest

from amplib.truth.collisions import atlas_card as card
from amplib.truth.collisions.towers import energy_resolution, grid, measure


class InTheMiddle:
    """Random numbers that are none."""

    def standard_normal(self, n):
        return np.zeros(n)

    def random(self, n):
        return np.full(n, 0.5)


# event, deposit in GeV, eta of the cell (None for nowhere), track's energy and resolution or None
PARTICLES = [
    (0, 30.0, 0.35, None),  # two in one tower, and nothing else that would explain it
    (0, 20.0, 0.35, None),
    (0, 40.0, 1.05, (38.0, 0.1)),  # explained by its track
    (0, 60.0, 2.25, (10.0, 0.05)),  # far more than its track
    (0, 10.0, 2.05, (4.0, 0.02)),  # two tracks in one tower, of different quality
    (0, 0.0, 2.05, (5.0, 0.3)),  # which leaves nothing
    (1, 1.2, 0.35, (3.0, 0.1)),  # below two sigma: the tower is silent, the track is scaled
    (1, 25.0, None, (25.0, 0.1)),  # beyond the calorimeter
    (1, 12.0, -1.05, (8.0, 0.5)),  # an excess within two sigma of an uncertain track
    (3, 50.0, 0.35, None),  # the same cell in another event
]


@pytest.mark.parametrize("calorimeter", [card.ECAL, card.HCAL], ids=["ECAL", "HCAL"])
def test_towers_and_tracks_are_compared_as_the_formulas_say(calorimeter):
    cells, n = grid(calorimeter), len(PARTICLES)
    event = np.array([p[0] for p in PARTICLES])
    deposits = np.array([p[1] for p in PARTICLES])
    cell = np.array(
        [-1 if p[2] is None else cells.cell(np.array([p[2]]), np.zeros(1))[0] for p in PARTICLES]
    )
    tracked = np.array([k for k in range(n) if PARTICLES[k][3]])
    energies, resolutions = np.array([PARTICLES[k][3] for k in tracked]).T
    found = measure(
        calorimeter, event, deposits, cell, (tracked, energies, resolutions), InTheMiddle()
    )

    hit = sorted({(event[k], cell[k]) for k in range(n) if deposits[k] > 0 and cell[k] >= 0})
    assert found.event.tolist() == [e for e, _ in hit]
    kinds = set()
    for t, key in enumerate(hit):
        inside = [k for k in range(n) if (event[k], cell[k]) == key and deposits[k] > 0]
        assert np.flatnonzero(found.of_particle == t).tolist() == inside
        eta = cells.centre(np.array([key[1]]))
        deposit = deposits[inside].sum()
        # The median of a log-normal of this mean.
        spread = energy_resolution(calorimeter, eta, deposit)[0] / deposit
        energy = deposit / np.sqrt(1 + spread**2)
        sigma = energy_resolution(calorimeter, eta, energy)[0]
        if energy < calorimeter.energy_min or energy < 2 * sigma:
            energy = 0.0
        tracks = [PARTICLES[k][3] for k in inside if PARTICLES[k][3]]
        expected = sum(e for e, _ in tracks)
        variance = sum((e * r) ** 2 for e, r in tracks)
        excess, scale = energy - expected, 1.0
        if not (excess > calorimeter.energy_min and excess > 2 * np.sqrt(sigma**2 + variance)):
            excess = 0.0
            if tracks:  # the mean of both, each by one over its variance
                both = energy / sigma**2 + expected / variance
                scale = both / (1 / sigma**2 + 1 / variance) / expected
        assert found.energy[t] == pytest.approx(energy)
        assert found.excess[t] == pytest.approx(excess)
        assert found.track_scale[t] == pytest.approx(scale)
        kinds.add((energy > 0, excess > 0, bool(tracks)))
    assert (found.of_particle[[5, 7]] == -1).all()  # of nothing left, and of beyond
    assert len(kinds) >= (4 if calorimeter is card.HCAL else 3)

    np.testing.assert_allclose(found.eta, cells.centre(np.array([c for _, c in hit])))
    rows = found.kinematics(found.energy)
    np.testing.assert_allclose(rows[:, 1] * np.cosh(rows[:, 2]), rows[:, 0])
    np.testing.assert_array_equal(rows[:, [0, 2, 3]].T, [found.energy, found.eta, found.phi])


def test_the_forward_rings_are_the_cards():
    """Beyond 2.958 of the ECAL: to 3.125, in steps of 0.175 to 4.7, and to 5."""
    edges = np.array(card.ECAL.eta_edges[170:])
    assert edges[[0, 1, -2, -1]] == pytest.approx([2.958, 3.125, 4.7, 5.0])
    assert np.diff(edges)[1:-1] == pytest.approx(0.175)
    assert np.array(card.HCAL.eta_edges[26:]) == pytest.approx(
        [2.6, 2.8, 3.0, 3.2, 3.3, 3.5, 3.7, 3.9, 4.1, 4.3, 4.5, 4.7, 4.9]
    )


def test_a_cell_and_its_place_by_hand():
    """Ring by ring from negative eta, ten degrees a cell from -pi; the HCAL's rings beyond 3.3 and
    from 2.6 to 3.2 have twenty."""
    hcal = grid(card.HCAL)
    ten = np.radians(10)
    before = 8 * 18 + 36 + 3 * 18 + 26 * 36  # all of negative eta
    eta = np.array([-4.8, 0.05, 0.05, 0.15, 2.7])
    phi = np.array([-np.pi + 0.1, -np.pi + 0.1, -np.pi + 2.5 * ten, np.pi - 0.1, -np.pi + 3 * ten])
    expected = [0, before, before + 2, before + 36 + 35, before + 26 * 36 + 1]
    assert hcal.cell(eta, phi).tolist() == expected
    np.testing.assert_allclose(hcal.centre(np.array(expected)), [-4.8, 0.05, 0.05, 0.15, 2.7])
    place = hcal.position(np.array(expected), InTheMiddle())
    np.testing.assert_allclose(place[0], [-4.8, 0.05, 0.05, 0.15, 2.7])
    steps = np.array([1, 0.5, 2.5, 35.5, 3])
    np.testing.assert_allclose(place[1], -np.pi + steps * ten)
