"""What is stored of every generator of the book."""

import numpy as np

from amplib.book.obtain import stored
from amplib.book.saved import RIVALS, beside_the_buffer
from amplib.metrics.merit import delta_of
from amplib.studies.merit.judge import DIRECTIONS
from amplib.studies.merit.reading import smearings
from amplib.studies.topvae.reading import Truth


def test_smeared_events_stand_beside_the_buffer_at_the_papers_settings():
    """Their curves have the delta_OF of all events, about; what has seen another number of events,
    or another truth, is left out."""
    simulated = stored("ttbar-reference", "paper")
    found = beside_the_buffer(simulated, 100_000)
    assert [result.study.name for result, _ in found] == ["ttbar-smeared", *RIVALS]
    (smeared, curves), *_ = found
    assert list(curves) == ["5% smearing", "10% smearing"]
    truth = Truth.of(simulated).empty_held_out
    for smearing, of_planes in zip(smearings(smeared), curves.values(), strict=False):
        for name in DIRECTIONS:
            assert np.isclose(
                delta_of(of_planes[name], truth[name]), smearing.delta_of[name].value, rtol=0.1
            )
    assert beside_the_buffer(simulated, 50_000) == []
    assert beside_the_buffer(stored("ttbar-reference", "paper", seed=5), 100_000) == []
