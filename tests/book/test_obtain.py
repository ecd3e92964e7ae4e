"""Which result a page shows, by what is stored."""

import pytest

from amplib.book.obtain import ENOUGH, largest, stored
from amplib.parameters import ParameterError
from amplib.store.results import Result


@pytest.fixture
def parts_at(monkeypatch):
    """Sets how many parts are stored, by preset."""
    stored_parts = {}

    def done(result):
        return result.study.parts()[: stored_parts.get(result.preset, 0)]

    monkeypatch.setattr(Result, "done", done)
    return stored_parts.update


@pytest.mark.parametrize(
    ("parts", "enough", "any_at_all"),
    [
        ({}, "laptop", "laptop"),
        ({"laptop": 3}, "laptop", "laptop"),
        ({"paper": 1}, "laptop", "paper"),
        ({"paper": ENOUGH - 1, "laptop": 3}, "laptop", "paper"),
        ({"paper": ENOUGH}, "paper", "paper"),
    ],
)
def test_the_papers_settings_are_shown_if_enough_or_any_of_it_is_stored(
    parts_at, parts, enough, any_at_all
):
    parts_at(parts)
    assert stored("gan").preset == enough
    assert largest("gan").preset == any_at_all


def test_a_preset_that_is_asked_for_is_taken_with_its_own_changes(parts_at):
    changes = {"paper": {"n_train": 50}, "laptop": {"n_train": 60}}
    parts_at({"paper": 1})
    assert largest("gan", "laptop", changes).study.n_train == 60
    assert largest("gan", changes=changes).study.n_train == 50
    with pytest.raises(ParameterError, match="preset = 'best!': allowed are best, smoke"):
        largest("gan", "best!")
