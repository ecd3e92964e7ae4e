"""Which result a page shows, by what is stored."""

import re

import pytest
from meeting_workers import meeting

import amplib.files
from amplib.book.obtain import banner, compute_together, largest, obtain, stored
from amplib.parameters import ParameterError
from amplib.store import worker
from amplib.store.results import Result
from amplib.store.study import Study


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
        ({"paper": Study.enough - 1, "laptop": 3}, "laptop", "paper"),
        ({"paper": Study.enough}, "paper", "paper"),
    ],
)
def test_the_papers_settings_are_shown_if_enough_or_any_of_it_is_stored(
    parts_at, parts, enough, any_at_all
):
    parts_at(parts)
    assert stored("gan").preset == enough
    assert largest("gan").preset == any_at_all


@pytest.mark.parametrize("show", [largest, stored])
def test_what_lacks_methods_of_a_table_is_not_shown(parts_at, show):
    """Of the GANs of events one training of each is enough: the paper's table has no more."""
    parts_at({"paper": 4, "laptop": 7})
    assert show("event-gans").preset == "laptop"
    parts_at({"paper": 5})  # those of the paper's table
    assert show("event-gans").preset == "paper"


def test_a_preset_that_is_asked_for_is_taken_with_its_own_changes(parts_at):
    changes = {"paper": {"n_train": 50}, "laptop": {"n_train": 60}}
    parts_at({"paper": 1})
    assert largest("gan", "laptop", changes).study.n_train == 60
    assert largest("gan", changes=changes).study.n_train == 50
    with pytest.raises(ParameterError, match="preset = 'best!': allowed are best, smoke"):
        largest("gan", "best!")


def test_what_is_computed_together_leaves_no_worker_idle(tmp_path, monkeypatch, capsys):
    """Fits beside the events of a VAE, each one part; these before the VAE that is made of them."""
    monkeypatch.setattr(amplib.files, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(amplib.files, "DATA", tmp_path / "data")
    monkeypatch.setattr(worker, "start", meeting)
    monkeypatch.setenv("AMPLIFY_TEST_MEETS", str(tmp_path / "notes"))
    monkeypatch.setenv("AMPLIFY_JOBS", "2")
    smoke = {"preset": "smoke"}
    compute_together({"fit": smoke, "z-vae": smoke})
    announced = capsys.readouterr().err
    assert announced.startswith("missing, on 2 x cpu:")
    assert re.search(r"in all about \d+ s\n", announced)
    notes = (tmp_path / "notes").read_text().splitlines()
    assert sorted(notes[:2]) == ["fit begins", "z begins"]
    assert notes.index("z ends") < notes.index("z-vae begins")

    compute_together({"fit": smoke, "z-vae": smoke})
    obtain("z-vae", **smoke)
    assert not capsys.readouterr().err, "nothing is left to compute"


def test_what_is_computed_together_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(amplib.files, "RESULTS", tmp_path)
    asked = {"fit": {"preset": "smoke"}, "z-vae": {"preset": "smoke", "training_events": 0}}
    with pytest.raises(ParameterError, match="training_events = 0: must be an integer"):
        compute_together(asked)
    assert not list(tmp_path.iterdir())


def test_a_banner_says_how_many_ensembles_are_complete(parts_at):
    """Of 50 of ten, four and a half; single GANs are no ensembles."""
    parts_at({"paper": 45})
    assert banner(stored("ensemble", "paper")).startswith(
        "Incomplete: 4 of 50 ensembles (45 of 500 parts of the ensemble study)"
    )
    single = banner(stored("gan", "paper"))
    assert single.startswith(
        "Incomplete: 45 of 100 parts of the gan study, at the papers' settings"
    )
