"""Events that are smeared by hand."""

import numpy as np
import pytest

from amplib.studies.merit.reference import SMEARINGS, smeared


def test_widths_are_the_papers():
    """bvae, sec. III D: N(1, sigma^2) with sigma^2 = 0.05 and 0.1, which the released code takes
    for sigma."""
    assert pytest.approx((0.05, 0.1, 0.2236068, 0.3162278)) == SMEARINGS


def test_smearing_keeps_zeros_and_has_its_width():
    """20,000 factors: their mean of one to 4 sigma of 0.05/sqrt(n), where one over them would be 7
    off, and their spread to 4 sigma of 1/sqrt(2n), 2% (6e-5 false alarms each)."""
    events = np.array([[2.0, 0.0, -1.0]])
    copies = smeared(events, 0.05, 10_000, np.random.default_rng(5))
    assert copies.shape == (10_000, 3)
    assert (copies[:, 1] == 0).all()
    factors = (copies / np.where(events == 0, 1, events))[:, [0, 2]].ravel()
    assert factors.mean() == pytest.approx(1, abs=4 * 0.05 / np.sqrt(len(factors)))
    assert factors.std() == pytest.approx(0.05, rel=4 / np.sqrt(2 * len(factors)))


def test_smearing_turns_no_number_round():
    """The modulus of N(1, 1): of 10,000 factors some 1,600 would be negative.  Its mean is
    sqrt(2/pi) exp(-1/2) + erf(1/sqrt(2)) = 1.1666; to 5 standard errors."""
    copies = smeared(np.array([[2.0, -1.0]]), 1.0, 5000, np.random.default_rng(6))
    factors = copies / [2.0, -1.0]
    assert (factors > 0).all()
    assert factors.mean() == pytest.approx(1.1666, abs=5 * factors.std() / 100)
