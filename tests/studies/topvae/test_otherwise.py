"""Trainings in other readings beside those of the same seed."""

import numpy as np
import pytest
from chosen_events import store, zeros

from amplib.store.results import Result
from amplib.studies.bvae.study import SETTINGS, Scan, trained_otherwise
from amplib.studies.catalogue import make_study
from amplib.studies.topvae.otherwise import (
    SETTING,
    _otherwise,
    ends_of_descent,
    last_phase,
)


def part(delta, diverged=-1):
    values = np.full((len(SETTINGS), 2), 99.0)
    values[SETTING] = delta, 0.01
    crowding = np.full((len(SETTINGS), 2, 2), 99.0)
    crowding[SETTING, 0] = 10 * delta, 0.1
    return {"delta": values, "delta_of": crowding, "diverged": np.array(diverged)}


USUAL = {0: part(0.2), 1: part(0.4), 2: part(0.3, diverged=5)}


def test_ratios_are_of_one_seed():
    """Of seeds 0 and 1: 2 and 1/2 times as much; the mean of the deltas alone would be no change
    either, but with twice the error."""
    one = _otherwise("other", {0: part(0.4), 1: part(0.2), 2: part(0.9)}, USUAL)
    assert one.ratio.value == pytest.approx(1.0)
    assert one.ratio.repetitions == 2
    assert one.delta.value == pytest.approx(0.5)
    assert one.delta_of.value == pytest.approx(5.0)


def test_what_has_diverged_is_counted_and_in_no_mean():
    one = _otherwise("other", {0: part(0.2), 1: part(0.4, 3)}, USUAL)
    assert (one.trainings, one.diverged) == (2, 1)
    assert one.delta.value == pytest.approx(0.2)
    none = _otherwise("other", {0: part(0.2, 0)}, USUAL)
    assert (none.delta, none.delta_of, none.ratio) == (None, None, None)


def test_readings_differ_from_the_scan_in_one_thing_each():
    scan = make_study("scan", "laptop")
    assert isinstance(scan, Scan)
    for study in trained_otherwise(scan).values():
        changed = set(study.asdict(extent=False).items()) - set(scan.asdict(extent=False).items())
        assert len(changed) == 1
        assert len(study.parts()) == 5
        assert all(study.keeps_weights(p) for p in study.parts())


def test_the_last_phase_is_that_of_the_smallest_rate():
    """Twice nine batches of 1024 at the laptop's scale, 120 times 97 at the paper's; eight phases
    halve the rate seven times."""
    assert last_phase(make_study("scan", "laptop")) == (18, 1e-3 / 2**7)
    assert last_phase(make_study("scan", "paper")) == (11_640, 1e-3 / 2**7)
    assert last_phase(make_study("scan", "laptop", sgd_phases=3))[1] == 1e-3 / 2**6


def test_ends_of_descent_are_the_last_records_of_its_phases(tmp_path):
    """Four epochs of Adam and three phases of two of SGD, every epoch recorded but the sixth."""
    changes = {"adam_phases": 1, "adam_epochs": 4, "sgd_phases": 3, "sgd_epochs": 2}
    result = Result(make_study("scan", "smoke", models="chosen", **changes), "smoke", tmp_path)
    with pytest.raises(FileNotFoundError, match="no result yet: make compute STUDY=scan"):
        ends_of_descent(result)
    epochs = np.array([1, 2, 3, 4, 5, 7, 8, 9, 10])
    losses = np.stack([epochs, 0 * epochs, 0 * epochs, 100 - epochs], 1).astype(np.float32)
    (place,) = result.study.parts()
    arrays = {"losses": losses, "diverged": np.array(-1)}
    store(result, place, zeros(result.study) | arrays)
    assert ends_of_descent(result) == [95, 92, 90]
