"""The calorimeter: its numbers as its description has them, and what follows from them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from amplib.truth.showers.geometry import CALIBRATION, ILD_ECAL, MATERIAL_FRACTIONS, SECTIONS

SMALL = replace(
    ILD_ECAL,
    absorber_mm=(2.0, 2.0, 2.0, 4.0, 4.0),
    depth=(1.0, 1.9, 3.0, 5.0, 7.0),
    sampling_fraction=(0.1, 0.1, 0.1, 0.05, 0.05),
    cells=4,
    cell_mm=2.0,
)
"""Sections of a pitch of 1 and of 2 radiation lengths."""


def test_the_numbers_are_the_detectors():
    """Lengths from k4geo, the medium's numbers worked out from its materials."""
    stack, medium = ILD_ECAL, ILD_ECAL.medium
    assert stack.absorber_mm == (2.1,) * 20 + (4.2,) * 10
    assert (stack.total_mm, stack.silicon_mm, stack.cell_mm) == (223.2, 0.525, 5.0883)
    assert stack.shape == (30, 30, 30)
    assert (stack.mip_mean, stack.mip_mode, stack.least) == (0.2, 0.1575, 0.01)
    assert (medium.radiation_length, medium.moliere_radius) == (0.819, 1.88)
    assert (medium.critical_energy, medium.charge) == (9.2, 66.2)
    assert (medium.sampling_frequency, medium.e_over_mip) == (1.18, 0.704)
    fractions = np.array(stack.sampling_fraction)
    assert fractions[:20] == pytest.approx(CALIBRATION * 0.0248)
    assert fractions[20:] == pytest.approx(CALIBRATION * 0.0122)
    assert MATERIAL_FRACTIONS == (0.0248, 0.0122)


def test_one_medium_stands_for_two():
    """Between those of its sections in all that they differ in."""
    thin, thick = SECTIONS
    for name in vars(thin):
        low, high = sorted((getattr(thin, name), getattr(thick, name)))
        assert low <= getattr(ILD_ECAL.medium, name) <= high
    assert thin.sampling_frequency / thick.sampling_frequency == pytest.approx(2, abs=0.1)


def test_two_layers_share_a_slab():
    """3.3 mm apart inside it, 9.15 mm to the next, and 5.4 and 11.2 mm behind thick plates."""
    front = np.array((0.0, *ILD_ECAL.front_mm))
    pitch = np.diff(front)
    assert pitch[:20:2] == pytest.approx(9.15)
    assert pitch[1:20:2] == pytest.approx(3.3)
    assert pitch[20::2] == pytest.approx(11.2)
    assert pitch[21::2] == pytest.approx(5.4)


def test_windows_have_the_mean_pitch_of_their_section():
    lower, upper = SMALL.windows()
    assert lower == pytest.approx([0.5, 1.4, 2.5, 4, 6])
    assert upper == pytest.approx([1.5, 2.4, 3.5, 6, 8])


def test_calibration_by_hand():
    """Half the way to either neighbour (all of the way at the ends), over the window and the
    sampling fraction."""
    stands_for = np.array([0.9, 2 / 2, 3.1 / 2, 4 / 2, 2.0])
    expected = stands_for / [1, 1, 1, 2, 2] / SMALL.sampling_fraction
    assert SMALL.calibration() == pytest.approx(expected)


def test_the_energy_of_one_particle_is_moyals():
    law = stats.moyal(ILD_ECAL.mip_mode, ILD_ECAL.mip_width)
    assert law.mean() == pytest.approx(ILD_ECAL.mip_mean)
    assert law.var() == pytest.approx(ILD_ECAL.mip_variance)


def test_shares_of_cells_within_radii_by_counting_points():
    """16 x 16 points of each cell, four cells of 2 mm along either axis about the axis."""
    radius = 2.5
    points = (np.arange(64) + 0.5) / 8 - 4  # mm
    expected = np.zeros((4, 4))
    for i, x in enumerate(points):
        for j, y in enumerate(points):
            expected[i // 16, j // 16] += (x**2 + y**2 < radius**2) / 256
    found = SMALL.discs([radius / (10 * SMALL.medium.moliere_radius), 0.0, 1.0])
    np.testing.assert_array_equal(found[0], expected)
    assert (found[1] == 0).all()
    assert (found[2] == 1).all()
