"""The published top pairs as the truth: which a study takes, and what it refuses."""

import numpy as np
import pytest

from amplib import files
from amplib.parameters import ParameterError
from amplib.store.compute import compute
from amplib.store.results import Result
from amplib.studies.catalogue import make_study
from amplib.studies.collisions.study import first_top_pairs, published_top_pairs
from amplib.truth.collisions.csv_file import write_events

STUDIES = (
    "scan", "top-events", "top-readings", "top-point", "latent-priors", "latent-map",
    "event-gans", "event-densities", "event-flows", "event-splines", "ttbar-smeared",
)  # fmt: skip
EVENTS = first_top_pairs(make_study("ttbar-smeared", "paper"), 60)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder for data with a file in the published format."""
    monkeypatch.setattr(files, "DATA", tmp_path)
    monkeypatch.setattr(files, "RESULTS", tmp_path / "results")
    monkeypatch.setenv("AMPLIFY_DATA", str(tmp_path))
    monkeypatch.setenv("AMPLIFY_RESULTS", str(tmp_path / "results"))
    write_events(tmp_path / "ttb.csv", [EVENTS])
    return tmp_path


def test_events_are_those_of_the_file_in_their_order(data):
    np.testing.assert_allclose(published_top_pairs(50), EVENTS[:50], rtol=1e-8)
    study = make_study("ttbar-smeared", "smoke", source="published")
    np.testing.assert_allclose(first_top_pairs(study, 7), EVENTS[:7], rtol=1e-8)


def test_too_few_are_refused_in_one_line(data):
    with pytest.raises(ValueError, match=r"ttb.csv has 60 events, 61 are needed$"):
        published_top_pairs(61)


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_of_top_pairs_is_made_of_them(name):
    study = make_study(name, "smoke", source="published")
    assert study.key() != make_study(name, "smoke").key()
    made_of = study
    while made_of.made_of() is not None:
        made_of = made_of.made_of()
        assert made_of.source == "published"
        assert made_of.data() == ("ttbar",)
    assert made_of.name == "ttbar-reference"


@pytest.mark.parametrize("name", STUDIES)
def test_simulated_events_keep_their_keys(name):
    assert "source" not in make_study(name, "paper").asdict(extent=False)


def test_other_processes_are_told_from_simulated_ones_alone():
    with pytest.raises(ParameterError, match="other processes are simulated"):
        make_study("latent-anomalies", "smoke", source="published")


@pytest.mark.parametrize("name", ["ttbar", "ttbar-summary"])
def test_what_knows_the_partons_is_simulated(name):
    with pytest.raises(ParameterError, match="unknown parameter 'source'"):
        make_study(name, "smoke", source="published")


def test_a_file_with_too_few_events_is_refused_before_any_training(data):
    for name, many in (
        ("scan", {"events": 61}),
        ("scan", {"training_events": 45}),
        ("latent-map", {"validation_events": 40}),
        ("top-events", {"training_events": 45}),
        ("event-gans", {"training_events": 61}),
        ("top-readings", {"held_out_events": 100}),
        ("ttbar-smeared", {"events": 42 * 12, "held_out_events": 100}),
    ):
        result = Result(make_study(name, "smoke", source="published", **many), "smoke")
        with pytest.raises(ParameterError, match=r"has 60 events, \d+ are needed"):
            compute(result, jobs=1)
        assert not list(data.glob("results/**/part-*.npz"))


def test_smeared_published_events_are_judged_and_say_of_which_file(data):
    result = Result(make_study("ttbar-smeared", "smoke", source="published"), "smoke")
    compute(result, jobs=1, limit=1)
    reference = Result(result.study.made_of(), "smoke")
    digest = (data / "ttb.csv.sha256").read_text().split()[0]
    for made in (result, reference):
        assert [e["data"] for e in made.record()["parts"].values()] == [{"ttb.csv": digest}]
    assert reference.load()[(0,)]["seconds"] == 0
