"""The runner: what it refuses, how it groups, and that an interrupted group is gone on with."""

import json
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
from stored_parts import MADE, gan_part

from amplib.__main__ import main
from amplib.commands.arguments import assignments, span
from amplib.files import ROOT
from amplib.store import worker
from amplib.store.compute import complete, compute, grouped, workers
from amplib.store.rates import in_words
from amplib.store.results import Result, work_folder
from amplib.store.worker import part_lock, unfinished
from amplib.studies.catalogue import STUDIES, make_study


@pytest.mark.parametrize(("jobs", "parts", "size"), [(1, 1, 8), (2, 100, 8), (3, 7, 1), (1, 9, 4)])
def test_groups_hold_every_part_once_and_no_more_than_asked(jobs, parts, size):
    wanted = [(k, 0) for k in range(parts)]
    groups = grouped(wanted, jobs, size)
    assert [p for g in groups for p in g] == wanted
    assert max(map(len, groups)) <= size
    assert max(map(len, groups)) - min(map(len, groups)) <= 1


@pytest.mark.parametrize("name", ["jobs", "limit", "group"])
def test_a_number_below_one_is_refused(tmp_path, name):
    result = Result(make_study("gan", "smoke"), "smoke", tmp_path)
    with pytest.raises(ValueError, match=f"{name} = -1: must be an integer from 1"):
        compute(result, **{name: -1})
    assert not result.folder.exists()


def test_an_interrupted_group_keeps_its_parts(tmp_path):
    """Its checkpoint belongs to them together, however a later run would group what is missing."""
    result = Result(make_study("gan", "smoke"), "smoke", tmp_path)
    work = work_folder(tmp_path)
    note = {"folder": str(result.folder), "parts": [[1, 0], [2, 0]], "seconds": 5.0}
    (work / "a.json").write_text(json.dumps(note))
    missing = result.missing()
    assert unfinished(result, missing) == []  # no checkpoint yet: nothing to go on with
    (work / "a.safetensors").touch()
    assert unfinished(result, missing) == [[(1, 0), (2, 0)]]
    assert unfinished(result, [(0, 0)]) == []  # all its parts are done
    (work / "b.json").write_text(json.dumps({**note, "folder": "another"}))
    (work / "b.safetensors").touch()
    assert unfinished(result, missing) == [[(1, 0), (2, 0)]]


def test_a_checkpoint_of_parts_that_another_run_has_stored_is_removed(tmp_path):
    result = Result(make_study("gan", "smoke"), "smoke", tmp_path)
    work = work_folder(tmp_path)
    note = {"folder": str(result.folder), "parts": [[1, 0], [2, 0]], "seconds": 5.0}
    (work / "a.json").write_text(json.dumps(note))
    (work / "a.safetensors").touch()
    result.save((1, 0), gan_part(result.study, 1), MADE)
    assert unfinished(result, result.missing()) == [[(1, 0), (2, 0)]]
    result.save((2, 0), gan_part(result.study, 2), MADE)
    assert unfinished(result, result.missing()) == []
    assert not list(work.glob("a.*"))


def test_a_machine_computes_only_its_share(tmp_path):
    result = Result(make_study("fit", "smoke", repetitions=300), "smoke", tmp_path)
    compute(result, jobs=1, device="cpu", only=(1, 1))
    assert result.done() == [(1,)]


@pytest.mark.parametrize("text", ["", "3", "a:b", "5:2", "-1:2"])
def test_a_share_is_first_and_last(text):
    assert span("20:39") == (20, 39)
    with pytest.raises(ValueError, match="expected FIRST:LAST"):
        span(text)


def test_values_of_the_command_line_are_numbers_where_they_read_as_such():
    pairs = ["n_train=200", "learning_rate=5e-4", "aggregation=max"]
    assert assignments(pairs) == {"n_train": 200, "learning_rate": 5e-4, "aggregation": "max"}
    with pytest.raises(ValueError, match="expected NAME=VALUE"):
        assignments(["n_train"])
    with pytest.raises(ValueError, match="seed is given twice"):
        assignments(["seed=12", "seed=13"])


def test_status_counts_parts(tmp_path):
    path = tmp_path / "status.json"
    subprocess.run(
        [sys.executable, "-m", "amplib", "status", "--json", str(path)], check=True, cwd=ROOT
    )
    rows = json.loads(path.read_text())
    assert {(r["study"], r["preset"]) for r in rows} >= {("gan", "paper"), ("ensemble", "laptop")}
    assert all(0 <= r["parts_done"] <= r["parts_wanted"] for r in rows)
    folders = {r["study"]: r["folder"] for r in rows if r["preset"] == "paper"}
    assert folders["fit"] == f"paper/camel-fit/{make_study('fit', 'paper').key()}"
    assert (ROOT / "results" / folders["fit"] / "record.json").is_file()


def test_folders_that_are_not_called_as_their_study_are_documented():
    told = (ROOT / "book" / "reproduce.md").read_text(encoding="utf-8")
    stored = told[told.index("## How results are stored") : told.index("- **Parts are indep")]
    named = {name for name in STUDIES if f"`{name}`" in stored}
    assert named == {name for name, study in STUDIES.items() if study.store != name}
    assert all(f"`{STUDIES[name].store}`" in stored for name in named)


@pytest.mark.parametrize("command", ["status", "claims"])
def test_a_table_goes_where_it_can_and_replaces_nothing(command, tmp_path, capsys):
    for path, why in (("none/a.json", "no such folder"), ("a.json", "is there already; --force")):
        (tmp_path / "a.json").touch()
        assert main([command, "--json", str(tmp_path / path)]) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"amplib: --json {tmp_path / path}: {why}")
        assert error.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_what_takes_seconds_is_told_in_seconds():
    assert [in_words(t) for t in (1e-9, 0.2, 1.0, 119, 180)] == [
        "1 s", "12 s", "1 min", "119 min", "3.0 h",
    ]  # fmt: skip


@contextmanager
def another_run(result, stores, monkeypatch):
    """That computes a part until somebody waits for it, and then either stores it or dies."""
    held, waited_for = threading.Event(), threading.Event()
    wait_for = worker.wait_for

    def waiting(*parts):
        waited_for.set()
        return wait_for(*parts)

    monkeypatch.setattr(worker, "wait_for", waiting)

    def run():
        with part_lock(result, (0,)) as its_own:
            assert its_own
            held.set()
            assert waited_for.wait(120)
            if stores:
                work = work_folder(result.root) / "another"
                ((part, arrays),) = result.study.compute([(0,)], "cpu", work, lambda done: None)
                result.save(part, arrays, MADE)

    thread = threading.Thread(target=run)
    thread.start()
    assert held.wait(10)
    yield
    thread.join()


@pytest.mark.parametrize("stores", [True, False])
def test_what_another_run_computes_is_waited_for(tmp_path, monkeypatch, stores):
    """As two points of a sweep need the same training.  It is not made twice, and made here if the
    other run dies over it."""
    result = Result(make_study("fit", "smoke"), "smoke", tmp_path)
    with another_run(result, stores, monkeypatch):
        assert compute(result, 1, "cpu")  # leaves it alone
        assert result.missing() == [(0,)]
        complete(result, 1, "cpu")
        assert result.done() == [(0,)]
    (entry,) = result.record()["parts"].values()
    assert (entry["seconds"] == MADE["seconds"]) == stores


def test_a_gpu_takes_one_process_unless_more_are_asked_for(monkeypatch):
    monkeypatch.setenv("AMPLIFY_JOBS", "4")
    assert [workers(jobs, "cuda") for jobs in (None, 1, 3)] == [1, 1, 3]
    assert [workers(jobs, "cpu") for jobs in (None, 3)] == [4, 3]
