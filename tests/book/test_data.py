"""Data sets as files: exactly what was asked for, or one line that says why not."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from amplib.__main__ import main
from amplib.book import data
from amplib.files import ROOT
from amplib.parameters import ParameterError
from amplib.store import compute, worker
from amplib.store.results import Result
from amplib.studies.catalogue import STUDIES, make_study
from amplib.truth.collisions.columns import TWO_BODY
from amplib.truth.collisions.csv_file import read_events
from amplib.truth.showers.getting_high import read_showers


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where data sets are made, for this process and its workers."""
    monkeypatch.setattr("amplib.files.DATA", tmp_path)
    monkeypatch.setenv("AMPLIFY_DATA", str(tmp_path))
    return tmp_path


def test_data_makes_one_file_that_the_reader_accepts(tmp_path):
    command = [sys.executable, "-m", "amplib", "data", "two-body-smoke", "--device", "cpu"]

    def make() -> Path:
        env = {**os.environ, "AMPLIFY_DATA": str(tmp_path)}
        done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=ROOT)
        assert done.returncode == 0, done.stderr
        return Path(done.stdout.strip())

    path = make()
    assert path == tmp_path / "two-body-smoke.csv"
    rows = np.concatenate(list(read_events(path, TWO_BODY, 300, rules=())))
    study = make_study("two-body", "smoke")
    parts = dict(study.compute(study.parts(), "cpu", Path(), lambda work: None))
    np.testing.assert_allclose(rows, np.concatenate([p["events"] for p in parts.values()]), 1e-8)
    written = path.stat().st_mtime_ns
    assert make().stat().st_mtime_ns == written


def test_a_file_has_as_many_events_as_its_name_says(folder):
    """Parts of 500 are whole in the store; 750 are asked for."""
    path = data.make_data("two-body-smoke", 1, "cpu", {"events": 750, "seed": 7})
    assert path.name == "two-body-smoke-seed=7-events=750.csv"
    assert sum(1 for _ in path.open()) == 750


def test_columns_are_named_where_that_is_asked_for(folder):
    """The reader reads past the names, and counts their line in what it complains about."""
    plain = data.make_data("two-body-smoke", 1, "cpu", {"events": 20})
    named = data.make_data("two-body-smoke", 1, "cpu", {"events": 20}, header=True)
    assert named.name == "two-body-smoke-events=20-header.csv"
    names, rest = named.read_text().split("\n", 1)
    assert names.split(" ") == list(TWO_BODY)
    assert rest == plain.read_text()
    rows = [np.concatenate(list(read_events(p, TWO_BODY, rules=()))) for p in (plain, named)]
    np.testing.assert_array_equal(*rows)
    named.write_text(f"{names}\n{rest.replace('.', 'x', 1)}")
    with pytest.raises(ValueError, match="line 2, column"):
        list(read_events(named, TWO_BODY, rules=()))
    with pytest.raises(ParameterError, match=r"header: showers-smoke is written as \.h5"):
        data.make_data("showers-smoke", header=True)
    with pytest.raises(ParameterError, match="it has no header"):
        data.make_data("ttbar-published", header=True)


def test_showers_are_written_with_their_energy(folder):
    """GeV, the incident one; of 15 showers in parts of 10 each is there once."""
    path = data.make_data("showers-smoke", 1, "cpu", {"showers": 15, "energy": 5})
    ((energies, showers),) = read_showers(path, 100)
    np.testing.assert_array_equal(energies, np.full(15, 5.0))
    # The silicon sees about 2% of 5 GeV, in MeV.
    assert 50 < showers.sum((1, 2, 3)).mean() < 200
    assert len(np.unique(showers.sum((1, 2, 3)))) == 15


def test_a_part_with_another_run_is_waited_for(folder, capfd, monkeypatch):
    """The other run holds the lock of the second part until it is waited for, and dies over it: no
    short file is written, and the part is made here."""
    result = Result(make_study("two-body", "smoke"), "smoke", folder)
    held, waited_for, watched = threading.Event(), threading.Event(), []
    is_free = worker._is_free

    def looked_at(*of):
        waited_for.set()
        return is_free(*of)

    monkeypatch.setattr(worker, "_is_free", looked_at)

    def another_run():
        with worker.part_lock(result, (1,)) as its_own:
            assert its_own
            held.set()
            assert waited_for.wait(120)
            watched.extend([result.done(), list(folder.glob("*.csv"))])

    thread = threading.Thread(target=another_run)
    thread.start()
    assert held.wait(10)
    path = data.make_data("two-body-smoke", 1, "cpu")
    thread.join()
    assert watched == [[(0,)], []]
    assert "parts (1,) to (1,) are with another run" in capfd.readouterr().err
    assert sum(1 for _ in path.open()) == 1000


def test_no_short_file_is_written(folder, monkeypatch):
    """Whatever the reason that a part is missing for."""
    monkeypatch.setattr(data, "complete", lambda result, jobs, device: None)
    with pytest.raises(ValueError, match="2 of the parts could not be made"):
        data.make_data("two-body-smoke", 1, "cpu")
    assert not list(folder.glob("*.csv"))


def test_a_missing_library_is_named_before_any_work(folder, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "amplib.truth.collisions.csv_file", None)
    assert main(["data", "two-body-smoke", "--device", "cpu"]) == 2
    assert "csv_file" in capsys.readouterr().err
    assert not list(folder.rglob("part-*"))


def test_a_folder_that_is_a_file_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    done = subprocess.run(
        [sys.executable, "-m", "amplib", "data", "two-body-smoke", "--device", "cpu"],
        capture_output=True, text=True, env={"AMPLIFY_DATA": str(tmp_path / "file")},
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("amplib: ") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", STUDIES)
def test_only_what_a_gpu_speeds_up_goes_there(name, monkeypatch):
    """Events are made on the cores of a machine that has a GPU."""
    monkeypatch.setattr(compute, "_has_cuda", lambda: True)
    uses = make_study(name, "smoke").gpu_rate is not None
    trained = (
        "gan",
        "ensemble",
        "two-body-vae",
        "z-vae",
        "two-body-gan",
        "scan",
        "event-gans",
        "event-flows",
        "event-splines",
        "bibae",
        "shower-gan",
        "reweighted-bibae",
        "reweighted-gan",
        "reweighted-simulation",
    )
    assert uses == (name in (*trained, "showers", "shower-summary"))
    assert compute.chosen_device("auto", uses) == ("cuda" if uses else "cpu")
    assert compute.chosen_device("cuda", uses) == ("cuda" if uses else "cpu")
    assert compute.chosen_device("cpu", uses) == "cpu"


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(compute, "_has_cuda", lambda: False)
    assert compute.chosen_device("auto", True) == "cpu"
    with pytest.raises(ValueError, match="device = cuda: PyTorch finds no GPU here"):
        compute.chosen_device("cuda", True)


@pytest.mark.parametrize(
    ("name", "change", "line"),
    [
        ("z-smoke", "energy=9000", "energy = 9000"),
        ("z-smoke", "jobs=2", "unknown parameter 'jobs'"),
        ("ttbar-published", "energy=90", "published as it is"),
    ],
)
def test_data_refuses_parameters_before_any_work(name, change, line):
    key, _, value = change.partition("=")
    with pytest.raises(ParameterError, match=line):
        data.make_data(name, overrides={key: int(value)})


@pytest.mark.parametrize("name", ["ttbar", "ttbar-huge", "gan-laptop", "ttbar-summary-laptop"])
def test_unknown_data_is_refused_in_one_line(name):
    with pytest.raises(ParameterError, match="allowed are two-body-smoke"):
        data.make_data(name)
    command = [sys.executable, "-m", "amplib", "data", name]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
