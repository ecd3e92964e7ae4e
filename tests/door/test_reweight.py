"""Can weights save it? What the door says of Gaussians, and what it refuses."""

import re
from dataclasses import replace

import numpy as np
import pytest

import amplib
from amplib.door.reweight import TRAINING, steps

RNG = np.random.default_rng(1)
REAL = RNG.normal(0.0, 1.0, (20_000, 2))
MADE = RNG.normal(0.0, 1.0, (20_000, 2)) * [1.25, 1.0] + [0.4, 0.0]


def ratio(x):
    """Of the densities."""
    return 1.25 * np.exp(-(x[:, 0] ** 2) / 2 + ((x[:, 0] - 0.4) / 1.25) ** 2 / 2)


@pytest.fixture(scope="module")
def answer():
    return amplib.reweight(MADE, held_out=REAL)


def test_the_weights_are_the_ratio_of_the_densities(answer):
    """Within 0.2 in its logarithm (rms, 0.14 here), where it varies by 0.6: weights of one fail."""
    x = np.random.default_rng(2).normal(0.0, 1.0, (20_000, 2)) * [1.25, 1.0] + [0.4, 0.0]
    off = np.log(answer.weights(x)) - np.log(ratio(x))
    assert np.sqrt(np.mean(off**2)) < 0.2
    assert np.log(ratio(x)).std() > 0.6


def test_it_says_what_was_told_and_what_was_measured(answer):
    first, second, third = str(answer).splitlines()
    assert first.startswith(f"Can weights save it? {answer.weighed.answer}: AUC 0.")
    assert second.startswith("r measured: ") and second.endswith("central 68% of the observables")
    assert third.startswith("closer to the truth: 1 of 2, farther: 0; median <S^2>")
    assert answer.weighed.without.value[0] > 2 * answer.weighed.weighted.value[0]


def test_events_that_are_held_out_ones_are_named():
    """What trained the classifier as true is measured as generated."""
    few = replace(TRAINING, epochs=1)
    for n, said in ((4, False), (5, True)):  # of 400
        made = np.concatenate([REAL[:n], MADE[: 400 - n]])
        told = amplib.reweight(made, held_out=REAL[:400], training=few)
        assert told.shared == n / 400
        assert ("of the events are held-out ones" in str(told)) is said


def test_observables_are_those_that_are_asked_for():
    few = amplib.reweight(MADE, held_out=REAL, observables=lambda x: x[:, :1] ** 2)
    assert len(few.weighed.dilution.value) == 1


def test_the_seed_decides(answer):
    again = amplib.reweight(MADE, held_out=REAL, seed=0)
    other = amplib.reweight(MADE, held_out=REAL, seed=1)
    assert str(again) == str(answer) and str(other) != str(answer)


def test_events_may_come_in_any_order():
    """Sorted files once trained on one half of the spectrum and were measured on the other."""
    order = np.argsort(REAL[:, 0]), np.argsort(MADE[:, 0])
    told = amplib.reweight(MADE[order[1]], held_out=REAL[order[0]]).weighed.outlook
    assert told.answer in ("freely", "at a price")
    assert told.lost.value < 0.01


def test_the_mean_weight_stays_near_one():
    """In thirty columns of four thousand events the network is too sure; its temperature is not."""
    rng = np.random.default_rng(1)
    real, made = rng.normal(0, 1, (4000, 30)), rng.normal(0.1, 1, (4000, 30))
    told = amplib.reweight(made, held_out=real).weighed.outlook
    assert abs(told.mean_weight.value - 1) < 0.15
    sure = replace(TRAINING, temperature="off")
    assert amplib.reweight(made, held_out=real, training=sure).classifier.temperature == 1.0


def test_progress_is_at_most_what_is_announced():
    """Early stopping ends a training before it."""
    told = []
    training = replace(TRAINING, epochs=3, batch_size=64)
    for patience, whole in ((3, True), (1, False)):
        amplib.reweight(
            MADE[:301], held_out=REAL[:200], training=replace(training, patience=patience), seed=1,
            progress=told.append,
        )  # fmt: skip
        most = steps(301, 200, training)
        assert sum(told) == most if whole else 0 < sum(told) <= most
        told.clear()


def test_one_column_may_come_flat():
    flat = amplib.reweight(MADE[:, 0], held_out=REAL[:, 0])
    assert flat.weights(MADE[:5, 0]).shape == (5,)


@pytest.mark.parametrize(
    ("events", "held_out", "line"),
    [
        (MADE, REAL[:, :1], "events have 2 columns, but held-out ones 1"),
        (MADE[:99], REAL, "99 events: at least 100 are needed"),
        (MADE, REAL[:50], "50 held-out events: at least 100 are needed"),
        (np.full((200, 2), np.nan), REAL, "events: 200 of 200 hold NaN or infinity"),
    ],
)
def test_what_cannot_be_weighed_is_one_line(events, held_out, line):
    with pytest.raises(ValueError, match=f"^{re.escape(line)}$"):
        amplib.reweight(events, held_out=held_out)


def test_weights_of_the_truth_count():
    """True events that are made like the generated ones by weights of their own leave nothing to
    mend: an AUC of one half to 0.02 (0.007 here), where without their weights it is 0.65."""
    blind = amplib.reweight(MADE, held_out=REAL).weighed.outlook.auc.value
    told = amplib.reweight(MADE, held_out=REAL, held_out_weights=1 / ratio(REAL)).weighed
    assert blind > 0.6
    assert abs(told.outlook.auc.value - 0.5) < 0.02
    assert (
        told.without.value[0] < 0.01 < amplib.reweight(MADE, held_out=REAL).weighed.without.value[0]
    )
    same = amplib.reweight(MADE, held_out=REAL, held_out_weights=np.full(len(REAL), 3.0))
    assert str(same) == str(amplib.reweight(MADE, held_out=REAL))


@pytest.mark.parametrize(
    ("weights", "line"),
    [
        (np.ones(5), "weights of shape (5,): must be one for each of 20000 events"),
        (-np.ones(len(REAL)), "weight 0 is -1: weights must be finite and not negative"),
        (np.zeros(len(REAL)), "all weights are zero: nothing is left to weigh"),
    ],
)
def test_what_are_no_weights_of_the_truth_is_one_line(weights, line):
    with pytest.raises(ValueError, match=f"^{re.escape(line)}$"):
        amplib.reweight(MADE, held_out=REAL, held_out_weights=weights)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"largest": -1}, "largest = -1: must be a finite number above zero"),
        ({"largest": np.inf}, "largest = inf: must be a finite number above zero"),
        ({"largest": "a"}, "largest = 'a': must be a finite number above zero"),
        ({"seed": 1.5}, "seed = 1.5: must be an integer of at least 0"),
        ({"seed": "a"}, "seed = 'a': must be an integer of at least 0"),
        ({"seed": -1}, "seed = -1: must be an integer of at least 0"),
        ({"training": 50}, "training must be a DCTRTraining, got int"),
        ({"observables": ["a"]}, "observables must be a function, got list"),
        ({"observables": lambda x: x.sum()}, "observables must have the shape (N,) or (N, D), got "
         "()"),
        ({"observables": lambda x: x[:5]}, "observables have 5 rows, not one for each of 10000"),
        ({"observables": lambda x: [["a"]]}, "observables must be numbers, in rows of one length"),
    ],
)  # fmt: skip
def test_what_is_impossible_is_refused_before_any_work(given, line, monkeypatch):
    monkeypatch.setattr("amplib.models.dctr.train_dctr", None)
    with pytest.raises(ValueError, match=f"^{re.escape(line)}$"):
        amplib.reweight(MADE, held_out=REAL, **given)


@pytest.mark.parametrize("columns", [1, 3])
def test_weights_of_other_columns_are_refused(answer, columns):
    """One column would be taken for both."""
    line = f"^events have {columns} columns, the classifier 2$"
    with pytest.raises(ValueError, match=line):
        answer.weights(np.zeros((5, columns)))
