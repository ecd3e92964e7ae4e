"""What is asked of generated top pairs with events that trained nothing."""

from dataclasses import replace

import numpy as np
import pytest

import amplib
from amplib.parameters import ParameterError
from amplib.studies.bvae.small import made_up_top_pairs
from amplib.studies.catalogue import make_study
from amplib.studies.merit import study as merit
from amplib.studies.merit import unseen
from amplib.studies.merit.judge import Reference
from amplib.studies.merit.unseen import (
    Unseen,
    check_unseen,
    faults_of_unseen,
    fingerprint_of_unseen,
    layout_of_unseen,
)
from amplib.studies.merit.worth import HeldOutCells
from amplib.studies.weighing.kept import CLASSIFIERS, weights_made
from amplib.truth.collisions.observables import OBSERVABLES, observables

UNSEEN = made_up_top_pairs(400, np.random.default_rng(1))
MADE = made_up_top_pairs(500, np.random.default_rng(2)) * 1.2


def seed():
    return np.random.SeedSequence(3)


@pytest.fixture(scope="module")
def arrays():
    asked = Unseen(UNSEEN, 200, 300).sample(seed())
    for batch in np.split(MADE, [110, 350]):
        asked.add(batch)
    return asked.arrays()


def test_the_first_events_are_weighed_whatever_the_batches(arrays):
    """By the door, with the observables as columns, thrice."""
    made, real = observables(MADE[:300]), observables(UNSEEN[:300])
    own = [amplib.reweight(made, held_out=real, seed=s).weighed for s in seed().spawn(CLASSIFIERS)]
    for k, one in enumerate(own):
        for name, values in one.arrays().items():
            assert np.array_equal(arrays[name][k], values, equal_nan=True)
    assert list(map(str, weights_made(arrays))) == list(map(str, own))


def test_all_events_are_counted_in_cells_of_the_first_unseen_ones(arrays):
    counts = HeldOutCells(UNSEEN[:200]).sample()
    counts.add(MADE)
    for name, values in counts.arrays().items():
        assert np.array_equal(arrays[name], values)


def test_the_layout_holds_and_nonsense_is_named(arrays):
    for name, (kind, shape) in layout_of_unseen(200, 300).items():
        assert arrays[name].dtype == kind and arrays[name].shape == shape
    assert not list(faults_of_unseen(arrays, 500, 200, 300))
    for name, value in (("weighed_outlook", 2.0), ("weighed_s2", -0.1), ("weighed_clipped", -1.0)):
        (line,) = faults_of_unseen(
            arrays | {name: np.full_like(arrays[name], value)}, 500, 200, 300
        )
        assert line.startswith(name)


def test_of_what_has_diverged_nothing_is_said():
    nothing = Unseen(UNSEEN, 200, 300).sample(seed()).arrays()
    assert set(nothing) == set(layout_of_unseen(200, 300))
    assert weights_made(nothing) == []
    assert not nothing["cells_50"].any()


def test_nothing_is_asked_by_default():
    asked = Unseen(UNSEEN, 0).sample(seed())
    asked.add(MADE)
    assert asked.arrays() == {} == layout_of_unseen(0, 0)


@pytest.mark.parametrize(
    ("numbers", "line"),
    [
        ((1000, 99, 0), "held_out_events = 99: must be 0 or at least 100"),
        (
            (1000, 0, 99),
            "weighed_events = 99: must be 0, or at least 100 and at most the 1000",
        ),
        ((1000, 0, 1001), "weighed_events = 1001: must be 0, or at least 100"),
    ],
)
def test_numbers_that_will_not_do_are_one_line(numbers, line):
    with pytest.raises(ParameterError) as refused:
        check_unseen(*numbers)
    assert str(refused.value).startswith(line)


@pytest.mark.parametrize("name", ["event-gans", "ttbar-smeared", "top-readings"])
def test_every_study_of_top_pairs_refuses_them(name):
    with pytest.raises(ParameterError, match="weighed_events = 50: must be 0"):
        make_study(name, "laptop", weighed_events=50)
    with pytest.raises(ParameterError, match="held_out_events = 5: must be"):
        make_study(name, "laptop", held_out_events=5)


def test_the_fingerprint_sees_the_classifier():
    """Other seeds, other numbers; the same seed, the same."""
    assert fingerprint_of_unseen(1, 200) == fingerprint_of_unseen(1, 300)
    assert fingerprint_of_unseen(1, 200) != fingerprint_of_unseen(2, 200)
    assert fingerprint_of_unseen(1, 0) == []
    assert len(OBSERVABLES) == 33


@pytest.mark.parametrize("name", ["event-densities", "event-splines", "top-readings"])
def test_the_weights_are_in_the_fingerprint_of_a_study_that_asks_for_them(name):
    asked = make_study(name, "laptop", weighed_events=20_000)
    without = replace(asked, weighed_events=0).fingerprint()
    assert asked.fingerprint() == [*without, *fingerprint_of_unseen(asked.seed, 20_000)]


def test_empty_bins_are_of_eleven_copies_of_each_smeared_event(monkeypatch):
    """A twelfth is left out, as the training events are of the truth: of every event one copy."""
    study = make_study("ttbar-smeared", "laptop", events=1440, empty_curves="on")
    training = made_up_top_pairs(120, np.random.default_rng(4))
    training[:, 0] = 1.4 ** np.arange(120)
    truth = made_up_top_pairs(1440, np.random.default_rng(5))
    monkeypatch.setattr(merit, "empty_curves", lambda events: events[:, 0])
    kept = study.judge((0,), training, Reference.of(truth), Unseen(UNSEEN, 0))
    copies_of = (np.log(kept["empty"]) / np.log(1.4)).round().astype(int)
    assert np.bincount(copies_of).tolist() == [11] * 120
    without = replace(study, empty_curves="off")
    assert without.key() == make_study("ttbar-smeared", "laptop", events=1440).key() != study.key()
    assert study.layout().keys() - without.layout().keys() == {"empty"}


def test_of_each_smeared_event_one_copy_is_weighed(monkeypatch):
    """Two copies on the two sides of a split are no independent events.  A column in steps of 40%
    tells which event a copy smeared by 5% is of."""
    study = make_study("ttbar-smeared", "laptop", events=1440, weighed_events=120)
    training = made_up_top_pairs(120, np.random.default_rng(4))
    training[:, 0] = 1.4 ** np.arange(120)
    truth = made_up_top_pairs(1440, np.random.default_rng(5))
    weighed = []
    monkeypatch.setattr(unseen, "weigh_by_classifiers", lambda made, *_: weighed.append(made) or {})
    study.judge((0,), training, Reference.of(truth), Unseen(UNSEEN, 0, 120))
    copies_of = np.log(weighed[0][:, 0]) / np.log(1.4)
    assert copies_of.round().tolist() == list(range(120))
    with pytest.raises(ParameterError, match="at most the 120 that"):
        make_study("ttbar-smeared", "laptop", events=1440, weighed_events=121)
