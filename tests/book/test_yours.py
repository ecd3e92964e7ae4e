"""The page on other people's generators: its presets, and its table of coverage."""

import numpy as np
import pytest

from amplib.book.yours import SCALES, coverage, page_parameters
from amplib.estimate import AtLeast
from amplib.parameters import ParameterError
from amplib.store.study import PRESETS


def test_it_has_every_preset():
    assert tuple(SCALES) == PRESETS
    assert page_parameters("best") == page_parameters("laptop", n_train=None)
    assert page_parameters("smoke", repetitions=3).repetitions == 3


@pytest.mark.parametrize(
    ("preset", "changes", "message"),
    [
        ("huge", {}, "preset = 'huge': allowed are best, smoke, laptop, paper"),
        ("best", {"n_train": 5}, "n_train = 5: must be an integer from 100"),
        ("best", {"repetitions": 1}, "repetitions = 1: must be an integer from 2"),
    ],
)
def test_it_refuses_what_cannot_be(preset, changes, message):
    with pytest.raises(ParameterError, match=message):
        page_parameters(preset, **changes)


@pytest.fixture(scope="module")
def trials():
    return coverage(40, 3)


def test_the_known_worths_are_those_of_the_events(trials):
    """Mean of 1/N over 40 sets within 5 standard errors (6e-7 each) of what the page says is known;
    against held-out events, whose cells are not quite the exact ones, within 15% as well."""
    for row in trials:
        inverses = np.array([1 / a.as_it_is.value for a in row.answers])
        error = inverses.std(ddof=1) / len(inverses) ** 0.5
        n = row.answers[0].effective
        expected = (1 - 1 / n) / row.true + 1 / n
        slack = 0.15 / row.true if row.judge == "held-out" else 0.02 * expected
        assert abs(inverses.mean() - expected) < 5 * error + slack, row.generator


def test_most_intervals_cover(trials):
    """At least 34 of 40 in every row: at 95% false alarm 3e-3 a row, seeded."""
    assert all(row.covered.k >= 34 for row in trials), [row.covered for row in trials]
    perfect = trials[0]
    assert np.isinf(perfect.true)
    assert sum(isinstance(a.n_equiv, AtLeast) for a in perfect.answers) >= 36
    assert len({len(row.cells()) for row in trials}) == 1
