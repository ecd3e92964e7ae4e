"""A clip that is too small leaves a generator where it starts."""

import numpy as np

from amplib.studies.bvae.small import made_up_top_pairs
from amplib.studies.rivals.clipped import moved


def test_a_critic_of_tiny_weights_moves_nothing():
    """RMSprop's first steps are of the size of its rate, or of none if gradients are below 1e-8."""
    events = made_up_top_pairs(500, np.random.default_rng(1))
    middle, most = moved(events, 0.01, turns=3)
    assert 0.3 < middle < 30 and most < 40
    assert max(moved(events, 1e-5, turns=3)) < 0.01
