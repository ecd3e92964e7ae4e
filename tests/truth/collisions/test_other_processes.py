"""Processes that are no top pairs, through the same detector and cuts."""

import numpy as np
import pytest

from amplib.truth.collisions import other_processes
from amplib.truth.collisions.columns import TTBAR, mass, ttbar_objects
from amplib.truth.collisions.csv_file import TTBAR_RULES
from amplib.truth.collisions.other_processes import PROCESSES, generate
from amplib.truth.collisions.ttbar import Settings

QUICK = Settings(multiparton=False)
N = 12


@pytest.fixture(scope="module")
def samples():
    return {process: generate(N, process, 1, QUICK) for process in PROCESSES}


@pytest.mark.parametrize("process", PROCESSES)
def test_events_pass_the_cuts_of_top_pairs(process, samples):
    events = samples[process]
    assert events.shape == (N, len(TTBAR))
    values = dict(zip(TTBAR, events.T, strict=True))
    for rule in TTBAR_RULES:
        assert rule.holds(*(values[name] for name in rule.columns)).all(), rule.columns


def test_a_z_has_two_leptons_of_its_mass_and_a_top_one(samples):
    """Most Z are within 20 GeV of 91 where the second lepton was found; a single top has one W,
    whose second lepton would come from a hadron."""
    z, top = samples["Z + jets"], samples["single top"]
    second = TTBAR.index("pT_l2")
    pairs = z[z[:, second] > 0]
    masses = mass(ttbar_objects(pairs)[:, 4:].sum(1)) / 1e3
    assert len(pairs) >= N / 3 and (np.abs(masses - 91) < 20).mean() > 0.6
    assert (top[:, second] > 0).sum() <= N / 4


def test_the_first_events_are_those_of_a_longer_sample(samples):
    told = []
    again = generate(3, "single top", 1, QUICK, told.append)
    np.testing.assert_array_equal(again, samples["single top"][:3])
    assert sum(told) == 3
    assert not np.array_equal(generate(3, "single top", 2, QUICK), again)


def test_no_batch_is_made_that_is_not_needed(samples, monkeypatch):
    """One that holds exactly as many events as are asked for is the last."""
    events = samples["single top"]
    batches = iter([events, events])
    monkeypatch.setattr(other_processes, "_stream", lambda process, seed, settings: batches)
    assert len(generate(len(events), "single top", 1, QUICK)) == len(events)
    assert next(batches) is events


@pytest.mark.parametrize(
    ("n", "process", "text"),
    [(0, "single top", "n >= 1"), (1, "W + jets", "process must be one of single top, Z")],
)
def test_impossible_requests_are_one_line(n, process, text):
    with pytest.raises(ValueError, match=text):
        generate(n, process, 1)
