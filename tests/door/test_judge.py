"""Events that exist: what is answered, how it reads, and what is refused."""

import json
import re

import numpy as np
import pytest
import torch

import amplib
from amplib.estimate import AtLeast, Estimate

TRUTH = amplib.CamelBack()
WIDE = amplib.CamelBack(width=1.2)


def events(truth, n, seed=1):
    return truth.sample(n, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def answer():
    return amplib.worth(events(WIDE, 20_000), truth=TRUTH, n_train=100)


def exact(q=50):
    return (1 - 1 / q) / float(((np.diff(WIDE.cdf(TRUTH.edges(q))) - 1 / q) ** 2).sum())


def test_the_value_of_a_known_generator(answer):
    assert isinstance(answer.n_equiv, Estimate)
    assert answer.n_equiv.low < exact() < answer.n_equiv.high
    assert answer.factor.value == pytest.approx(answer.n_equiv.value / 100)
    assert answer.as_it_is.value < answer.n_equiv.value
    both = 1 / answer.as_it_is.value, 1 / answer.n_equiv.value
    assert both[0] == pytest.approx(both[1] * (1 - 1 / 20_000) + 1 / 20_000)


def test_held_out_events_in_place_of_the_truth():
    answer = amplib.worth(events(WIDE, 20_000), held_out=events(TRUTH, 50_000, 2))
    assert answer.held_out == 49_999
    assert answer.n_equiv.low < exact() < answer.n_equiv.high
    assert answer.factor is None
    assert "cells cut from 49,999 held-out events" in answer.notes()[0]


def test_what_no_cell_looks_at_is_named():
    """Ten columns, the eighth wrong alone: a large bound, and a line that says why."""
    rng = np.random.default_rng(1)
    x, truth = rng.normal(size=(5000, 10)), rng.normal(size=(5000, 10))
    x[:, 8] += 2  # the one cut of a column sees a median, no width
    answer = amplib.worth(x, held_out=truth)
    assert isinstance(answer.n_equiv, AtLeast)
    assert answer.unseen == ["6", "7", "8", "9"] == answer.to_dict()["not_looked_at"]
    assert "4 of 10 columns were not looked at: 6, 7, 8, 9." in " ".join(str(answer).split())
    order = [8, *range(8), 9]
    named = amplib.worth(x[:, order], held_out=truth[:, order], columns=list("abcdefghij"))
    assert named.n_equiv.value < 100
    assert list(named.cuts.items())[4:7] == [("e", 1), ("f", 1), ("g", 0)]


def test_what_all_cells_look_at_needs_no_warning():
    rng = np.random.default_rng(1)
    plane = amplib.Ring()
    answers = [
        amplib.worth(plane.sample(500, rng), held_out=plane.sample(500, rng)),
        amplib.worth(plane.sample(500, rng), truth=plane),
        amplib.worth(events(TRUTH, 500), truth=TRUTH),
    ]
    assert [answer.unseen for answer in answers] == [[], [], []]
    assert not any("looked at" in str(answer) for answer in answers)
    assert "Columns: 0 (3 cuts), 1 (3 cuts)." in str(answers[0])
    assert "Columns" not in str(answers[2])
    shell = amplib.Shells(5)
    said = str(amplib.worth(shell.sample(500, rng), truth=shell))
    assert "Coordinates of the truth: 0 (4 cuts), 1 (4 cuts), 2 (1 cut)." in said
    assert "2 of 5 coordinates were not looked at: 3, 4." in said
    few = amplib.amplify(shell, lambda s, n, rng: rng.choice(s, n), repetitions=2)
    assert few.unseen == ["3", "4"]


def test_what_cannot_be_told_is_a_bound_and_never_nan():
    """A perfect sample of 10,000 once gave 16420 ± nan."""
    answer = amplib.worth(events(TRUTH, 10_000), truth=TRUTH, n_train=100)
    assert isinstance(answer.n_equiv, AtLeast)
    assert answer.n_equiv.low > 5000
    text = " ".join(str(answer).split())
    assert "at least" in text and "nan" not in text and "a lower bound, no value" in text
    data = json.loads(json.dumps(answer.to_dict(), allow_nan=False))
    assert data["n_equiv"]["value"] is None and data["n_equiv"]["low"] == answer.n_equiv.low
    assert data["amplification"]["low"] == answer.n_equiv.low / 100


def test_ten_thousand_events_are_not_split_to_get_an_error(answer):
    said = " ".join(str(answer).split())
    assert "one generator, one training sample" in said
    assert "How much another training would differ is not in them" in said
    assert max(map(len, str(answer).splitlines())) <= 80


def test_too_even_events_are_named():
    assert "more evenly" in str(
        amplib.worth(TRUTH.ppf((np.arange(9999) + 0.5) / 9999), truth=TRUTH)
    )


def test_events_that_repeat_are_named():
    """Half of them do where each comes twice; of independent ones none."""
    said = " ".join(amplib.worth(np.repeat(X, 2), truth=TRUTH).notes())
    assert "50% of the events repeat others of them. Unless each is drawn anew" in said
    assert amplib.worth(X, truth=TRUTH).to_dict()["repeated"] == 0


def test_held_out_events_among_the_generated_are_named():
    """From one in a hundred on; they judge themselves."""
    held_out = TRUTH.sample(2000, np.random.default_rng(3))
    for n, said in ((int(0.01 * len(X)), False), (int(0.01 * len(X)) + 1, True), (2000, True)):
        seen = amplib.worth(np.concatenate([held_out[:n], X[n:]]), held_out=held_out, quantiles=10)
        assert seen.shared == seen.to_dict()["shared"] == n / len(X)
        assert ("of the events are held-out ones" in str(seen).replace("\n", " ")) is said
    assert amplib.worth(X, held_out=held_out, quantiles=10).shared == 0


def test_columns_of_the_table_stay_apart():
    """Events that are worth little have a small factor with a long error."""
    table = str(amplib.worth(np.linspace(0, 1, 500), truth=TRUTH, n_train=100))
    for line in table.splitlines()[1:3]:
        assert len(line) <= 80
        assert re.search(r"to [\d.]+ +0\.\d+ ± 0\.\d+$", line), line


def test_data_are_plain(answer):
    data = json.loads(json.dumps(answer.to_dict(), allow_nan=False))
    assert data["quantiles"] == len(data["fractions"]) == 50
    assert data["repetitions"] == len(data["mse"]) == 1
    assert data["n_equiv"]["low"] < data["n_equiv"]["value"] < data["n_equiv"]["high"]


@pytest.mark.parametrize("held_out", [None, 5000])
@pytest.mark.parametrize("truth", [TRUTH, WIDE])
def test_it_can_be_drawn(tmp_path, truth, held_out):
    x = events(truth, 5000)
    judge = {"truth": TRUTH} if held_out is None else {"held_out": events(TRUTH, held_out, 3)}
    figure = amplib.worth(x, n_train=100, **judge).plot()
    left, right = figure.axes
    assert left.get_ylabel() == "events / expected" and right.get_xlabel() == "true events"
    figure.savefig(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").stat().st_size > 1000


X = events(TRUTH, 10_000)


def test_a_truth_may_be_named_as_on_the_command_line():
    named = amplib.worth(X, truth="camel-back")
    assert named.to_dict() == amplib.worth(X, truth=TRUTH).to_dict()
    assert amplib.truth_named("shells-5") == amplib.Shells(np.int64(5))


def test_tensors_that_a_network_made_are_events_and_weights():
    """Their gradients are of no interest here."""
    made = torch.tensor(X, requires_grad=True) * 1.0
    weights = torch.ones(len(X), requires_grad=True)
    plain = amplib.worth(X, truth=TRUTH).to_dict()
    assert amplib.worth(made, truth=TRUTH, weights=weights).to_dict() == plain


def test_an_answer_is_equal_to_itself_alone():
    """It holds arrays, of which == is no truth value."""
    one, two = (amplib.worth(X, truth=TRUTH) for _ in range(2))
    assert one == one and one != two and len({one, two}) == 2


def test_bound_and_value_have_a_lower_end(answer):
    bound = amplib.worth(X, truth=TRUTH).n_equiv
    assert isinstance(bound, amplib.AtLeast) and bound.at_least == bound.low
    assert answer.n_equiv.at_least == answer.n_equiv.low < answer.n_equiv.value
    normal = Estimate(10.0, 1.0)
    assert normal.low is None
    assert normal.at_least == pytest.approx(10 - 1.96, abs=1e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: amplib.worth(X), "either truth or held_out"),
        (lambda: amplib.worth(X, truth=TRUTH, held_out=X), "either truth or held_out"),
        (lambda: amplib.worth(X.reshape(-1, 5), truth=TRUTH), "have 5 columns, the truth has 1"),
        (lambda: amplib.worth(X, truth=amplib.Shells(5)), "have 1 columns, the truth has 5"),
        (lambda: amplib.worth(X, held_out=X.reshape(-1, 2)), "have 1 columns, the truth has 2"),
        (lambda: amplib.worth([*X, np.nan], truth=TRUTH), "1 of 10001 hold NaN"),
        (lambda: amplib.worth(X, held_out=[*X, np.inf]), "held-out events: 1 of 10001"),
        (lambda: amplib.worth(X[:40], truth=TRUTH), "40 events are too few for 50 quantiles"),
        (lambda: amplib.worth(X, held_out=X[:40]), "40 held-out events cannot make 50"),
        (lambda: amplib.worth(X, truth=TRUTH, weights=-X), "not negative"),
        (lambda: amplib.worth(X, truth=TRUTH, weights=["a"]), "weights must be numbers"),
        (lambda: amplib.worth(X + 1j, truth=TRUTH), "events must be numbers"),
        (lambda: amplib.worth(np.ma.masked_less(X, X[5]), truth=TRUTH), "of 10000 hold NaN"),
        (lambda: amplib.worth(X, held_out=np.ones(5000)), "the value 1 in column 0"),
        (lambda: amplib.worth(X, truth="camel"), "truth = 'camel': allowed are camel-back"),
        (lambda: amplib.worth(X, truth=X), "truth has the methods sample and cells, got ndarray"),
        (lambda: amplib.worth(X, truth=amplib.CamelBack), "truth is the class CamelBack"),
        (
            lambda: amplib.worth(X, truth=TRUTH, weights=X[:9]),
            r"\(9,\): must be one for",
        ),
        (lambda: amplib.worth(X, truth=TRUTH, columns=["x", "y"]), "2 names for 1 columns"),
        (lambda: amplib.worth(X, truth=TRUTH, n_train=0), "n_train = 0"),
        (lambda: amplib.worth(X, truth=TRUTH, quantiles=True), "quantiles = True"),
    ],
)
def test_impossible_values_are_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("judge", [amplib.worth, amplib.reweight])
def test_what_events_are_judged_by_is_named(judge):
    """The second of several arguments was the truth of one function and held_out of the other."""
    with pytest.raises(TypeError, match="positional argument"):
        judge(X, X)
