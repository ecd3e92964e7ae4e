"""Published showers as the truth: which ones a study takes, that none is taken twice, refusals."""

import json

import numpy as np
import pytest
import torch

from amplib import files
from amplib.store.compute import compute
from amplib.store.results import Result
from amplib.studies.catalogue import make_study
from amplib.studies.showers.sampling import published_places, samples
from amplib.studies.showers.study import dense_showers
from amplib.truth.showers.config import ShowerConfig
from amplib.truth.showers.getting_high import read_showers, showers_near, write_showers

FIFTY = np.array([k for k in range(40) if k % 4])
"""Every fourth photon of the file below has another energy."""
CONFIG = ShowerConfig(source="published")


def numbered(n=40):
    """Energies and showers of which the k-th has k + 1 MeV in its first cell."""
    showers = np.zeros((n, 30, 30, 30), np.float32)
    showers[:, 0, 0, 0] = 1 + np.arange(n)
    showers[:, 9, 15, 15] = 20
    energies = np.where(np.arange(n) % 4, 50 + 0.49 * np.sin(np.arange(n)), 49.4)
    return energies, showers


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder for data with a file in the published format."""
    monkeypatch.setattr(files, "DATA", tmp_path)
    monkeypatch.setattr(files, "RESULTS", tmp_path / "results")
    monkeypatch.setenv("AMPLIFY_DATA", str(tmp_path))
    write_showers(tmp_path / "gamma-fullG4.hdf5", [numbered()])
    return tmp_path


def places(batches):
    """The numbers that ``numbered`` wrote into showers."""
    return (torch.cat(list(batches))[:, 0, 0, 0] - 1).int().tolist()


def wanted(*sizes, seed=1):
    return list(zip(sizes, np.random.SeedSequence(seed).spawn(len(sizes)), strict=True))


def test_showers_of_an_energy_are_those_within_a_per_cent(data):
    path = data / "gamma-fullG4.hdf5"
    np.testing.assert_array_equal(showers_near(path, 50), FIFTY)
    assert len(showers_near(path, 30)) == 0


@pytest.mark.parametrize("which", [[0, 1, 2, 3, 4], [3], [1, 2, 9, 30, 39]])
def test_showers_are_read_by_their_places(data, which):
    read = list(read_showers(data / "gamma-fullG4.hdf5", 2, np.array(which)))
    energies, showers = numbered()
    np.testing.assert_allclose(np.concatenate([e for e, _ in read]), energies[which], rtol=1e-6)
    np.testing.assert_array_equal(np.concatenate([s for _, s in read]), showers[which])


def test_samples_share_no_shower_and_leave_out_the_first(data):
    drawn = [places(s) for s in samples(CONFIG, wanted(8, 6, 5), after=9)]
    assert [len(d) for d in drawn] == [8, 6, 5]
    together = {place for sample in drawn for place in sample}
    assert len(together) == 8 + 6 + 5
    assert together <= set(FIFTY[9:])


def test_samples_are_drawn_from_the_whole_file_and_anew_for_another_stream(data):
    first, again, other = (places(samples(CONFIG, wanted(10, 10, seed=s))[0]) for s in (1, 1, 2))
    assert first == again
    assert first != other
    assert max(first) > FIFTY[15]
    assert min(first) < FIFTY[15]


def test_too_few_are_refused_in_one_line(data):
    with pytest.raises(ValueError, match=r"has 30 showers of 50 GeV, 31 are needed$"):
        samples(CONFIG, wanted(20, 5), after=6)
    assert len(published_places(CONFIG, 30)) == 30


def test_simulated_showers_keep_their_keys():
    assert "source" not in make_study("bibae", "paper").asdict(extent=False)
    assert make_study("bibae", "paper", source="published").key() != (
        make_study("bibae", "paper").key()
    )


# ---------------------------------------------------------------- studies of them


def test_parts_of_training_showers_are_the_files_in_their_order(data):
    study = make_study("showers", "smoke", source="published", showers=20)
    parts = dict(study.compute(study.parts(), "cpu", data / "s", lambda work: None))
    assert [study.misfit(arrays) for arrays in parts.values()] == [None, None]
    read = np.concatenate([s for arrays in parts.values() for s in dense_showers(arrays)])
    assert (read[:, 0, 0, 0] - 1).astype(int).tolist() == FIFTY[:20].tolist()


@pytest.mark.parametrize("name", ["showers", "bibae", "reweighted-bibae", "reweighted-simulation"])
def test_too_small_a_file_is_refused_before_any_work(data, name):
    result = Result(make_study(name, "smoke", source="published", seed=7), "smoke")
    if name == "showers":
        result = Result(make_study(name, "smoke", source="published", showers=40), "smoke")
    with pytest.raises(ValueError, match=r"has 30 showers of 50 GeV, \d+ are needed"):
        compute(result, jobs=1)
    assert not result.done()
    assert not (data / "results").exists()


def test_what_is_measured_says_of_which_file_and_keeps_to_it(data):
    study = make_study("showers", "smoke", source="published", showers=20)
    result = Result(study, "smoke")
    compute(result, jobs=1, limit=1)
    (entry,) = result.record()["parts"].values()
    kept = (data / "gamma-fullG4.hdf5.sha256").read_text().split()[0]
    assert entry["data"] == {"gamma-fullG4.hdf5": kept}
    for path in (data / "gamma-fullG4.hdf5", data / "gamma-fullG4.hdf5.sha256"):
        path.unlink()
    energies, showers = numbered()
    write_showers(data / "gamma-fullG4.hdf5", [(energies, 2 * showers)])
    with pytest.raises(ValueError, match="was made of another gamma"):
        compute(result, jobs=1)
    assert json.loads((result.folder / "record.json").read_text())["parts"].keys() == (
        result.record()["parts"].keys()
    )


def test_the_classifiers_take_none_that_the_generator_knows(data):
    study = make_study("reweighted-gan", "smoke", source="published")
    generator = study.made_of()
    assert generator.source == "published"
    known = generator.showers + generator.judged + 2 * generator.compared
    assert study.seen == known == generator.made_of().showers
    assert make_study("reweighted-simulation", "smoke", source="published").made().source == (
        "simulated"
    )
