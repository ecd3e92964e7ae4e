"""Trainings in other readings beside those of the same seed."""

import numpy as np
import pytest

from amplib.studies.bvae.study import SETTINGS, Scan, trained_otherwise
from amplib.studies.catalogue import make_study
from amplib.studies.topvae.otherwise import SETTING, _otherwise


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
