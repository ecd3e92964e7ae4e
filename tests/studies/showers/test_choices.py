"""What the scale of the visible energy and one medium for two sections are worth."""

import numpy as np
import pytest

from amplib.studies.showers import choices
from amplib.studies.showers.choices import coarser_sampling, growth_of_cells
from amplib.truth.showers.config import ShowerConfig
from amplib.truth.showers.expectation import resolution
from amplib.truth.showers.shower import SAMPLING

PHOTON = ShowerConfig(energy=10)


@pytest.mark.parametrize("power", [0.5, 1.0])
def test_the_power_of_showers_that_follow_one(monkeypatch, power):
    """Of 200 means over 200 showers the powers are spread as their errors say, to 5 sigma of 5%: a
    false alarm in 10^6, an error off by a third is caught.  Sizes of showers are common to both."""
    rng = np.random.default_rng(4)

    def drawn(config, seed, stack):
        size = np.random.default_rng(seed).gamma(50, 1 / 50, 100)
        scale = stack.sampling_fraction[0] / choices.ILD_ECAL.sampling_fraction[0]
        energy = 800 * scale * size
        cells = 840 * scale**power * size * rng.normal(1, 0.03, 100)
        return np.stack([cells, energy], 1)

    monkeypatch.setattr(choices, "_cells_and_energy", drawn)
    found = [growth_of_cells(PHOTON, 200, 2 * k) for k in range(200)]
    errors = np.array([f.error for f in found])
    values = np.array([f.value for f in found])
    assert values.mean() == pytest.approx(power, abs=5 * errors.mean() / np.sqrt(200))
    assert values.std() == pytest.approx(errors.mean(), rel=5 / np.sqrt(400))


def test_cells_grow_with_the_visible_energy_and_less_than_it():
    """300 photons of 10 GeV at either scale; the same seed gives the same number."""
    found = growth_of_cells(PHOTON, 300, seed=5)
    assert found == growth_of_cells(PHOTON, 300, seed=5)
    assert found.value - 5 * found.error > 0
    assert found.value + 5 * found.error < 1


def test_coarser_sampling_behind_thick_plates_by_hand():
    """All of a late layer's variance grows by the ratio of the frequencies, 1.926; an early one's
    stays.  At higher energies more is lost behind layer 20."""
    grown = [coarser_sampling(ShowerConfig(energy=e)) for e in (5, 50, 200)]
    assert (np.diff(grown) > 0).all()
    everywhere = resolution(PHOTON, sampling=SAMPLING * np.sqrt(1.545 / 0.802)).sampling
    assert grown[0] > 1 and grown[-1] < everywhere / resolution(PHOTON).sampling
