"""The queue: what comes first, how it stops, what becomes of failures and of dead workers."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from mortal_workers import doomed, mortal
from stored_parts import MADE, gan_part

import amplib.files
import amplib.store.compute as computing
import amplib.store.rates
from amplib.parameters import ParameterError
from amplib.store import worker
from amplib.store.compute import Crew, Group, WorkerDied, compute
from amplib.store.queue import compute_all, ordered, stages
from amplib.store.results import Result
from amplib.studies.catalogue import make_study, wanted

SMALL = {"width": 8, "latent": 5, "embedding": 4, "depth": 2, "max_events": 200, "repetitions": 2}


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """A store, events and measured rates of its own for every test."""
    monkeypatch.setattr(amplib.files, "RESULTS", tmp_path)
    monkeypatch.setattr(amplib.files, "DATA", tmp_path / "data")
    monkeypatch.setattr(amplib.store.rates, "FILE", tmp_path / ".rates.json")
    return tmp_path


def gan(**changes):
    return Result(make_study("gan", "smoke", **{**SMALL, **changes}), "smoke")


def first_parts(groups, store):
    return [g.parts[0] for g in groups if g.result.study.store == store]


def test_gans_come_before_ensembles_and_early_repetitions_before_late_ones():
    groups = ordered(list(wanted("paper").values()), jobs=2, device="cpu")
    stores = {g.result.study.store for g in groups}
    assert {"camel-gan", "camel-fit", "ttbar-reference"} <= stores
    full = [g for g in groups if g.result.study.asdict().get("epochs") == 10_000]
    members = [{m for _, m in g.parts} for g in full]
    assert members.index({0}) < min(k for k, m in enumerate(members) if m != {0})
    single = [g.parts[0][0] for g, m in zip(full, members, strict=True) if m == {0}]
    assert single == sorted(single)
    parts = [(g.result.folder, p) for g in groups for p in g.parts]
    assert len(parts) == len(set(parts)), "a part that two studies share is wanted once"


def test_what_a_study_is_made_of_comes_first():
    """Top pairs before what is measured on them, and that before what it judges."""
    groups = ordered(list(wanted("smoke").values()), jobs=2, device="cpu")
    for group in groups:
        needs = group.result.study.made_of()
        assert (group.after is None) == (needs is None)
        if needs:
            assert group.after.study == needs
            assert any(g.makes(group.after) for g in groups)
    crew = Crew(groups, 2, "cpu")
    while group := crew._next([]):
        if group.after:
            assert not any(g.makes(group.after) for g in crew.waiting)


def test_what_a_complete_study_is_made_of_is_not_wanted(monkeypatch):
    """The events of a reference that is stored, which are not shipped."""
    missing = Result.missing
    monkeypatch.setattr(
        Result, "missing", lambda r: [] if r.study.name == "ttbar-reference" else missing(r)
    )
    groups = ordered([Result(make_study("event-flows", "smoke"), "smoke")], 2, "cpu")
    assert {g.result.study.name for g in groups} == {"event-flows"}


def test_published_files_that_cannot_be_had_are_said_before_any_work(store, monkeypatch, capsys):
    def nothing(study):
        raise ValueError("no such file")

    results = {"fit": Result(make_study("fit", "smoke"), "smoke")}
    monkeypatch.setattr(type(results["fit"].study), "ready", nothing)
    assert not compute_all(results, jobs=1, device="cpu")
    assert "failed: fit (no such file)" in capsys.readouterr().err
    assert not list(store.glob("smoke/*"))


def test_groups_are_as_small_as_the_time_is_short(store):
    """A GAN takes a quarter of an hour at the typical rate: one in 20 minutes, eight in 3 hours."""
    result = Result(make_study("gan", "paper"), "paper")
    each = result.study.work([(0, 0)]) / result.study.rate / 60
    sizes = {
        minutes: len(ordered([result], 2, "cpu", minutes)[0].parts)
        for minutes in (each, 3.1 * each, 20 * each, None)
    }
    assert sizes == {each: 1, 3.1 * each: 2, 20 * each: 8, None: 8}


def test_what_is_begun_is_finished_first(store):
    late = gan(epochs=500)
    work = worker.work_folder(store)
    note = {"folder": str(late.folder), "parts": [[1, 0]], "seconds": 5.0}
    (work / "a.json").write_text(json.dumps(note))
    (work / "a.safetensors").touch()
    groups = ordered([gan(epochs=2), late], 1, "cpu")
    assert (groups[0].result, groups[0].parts) == (late, [(1, 0)])
    assert not any(g.resumed for g in groups[1:])


def test_one_study_of_many():
    assert set(wanted("smoke", "fit")) == {"fit"}
    assert len(wanted("paper", "gan")) > 5, "with its readings"
    with pytest.raises(ParameterError, match=r"study = 'gann': allowed are .*fit, smoothing"):
        wanted("smoke", "gann")


@pytest.mark.parametrize("value", [0, -3.0, float("nan")])
def test_no_time_is_refused(value):
    with pytest.raises(ValueError, match="minutes = "):
        compute_all({}, minutes=value)


def test_a_deadline_keeps_what_is_unfinished(store):
    """A training of minutes, stopped after its first report, ends as if it had not been."""
    result = gan(epochs=150)
    groups = [Group(result, [(0, 0), (1, 0)])]
    assert not Crew(groups, 1, "cpu").run(deadline=time.monotonic())
    assert not result.done()
    assert worker.unfinished(result, result.missing()) == [[(0, 0), (1, 0)]]
    compute(result, jobs=1, device="cpu")
    assert not result.missing()
    assert not list(store.rglob("*.safetensors"))
    epochs = result.part((0, 0))["losses"][:, 0]
    np.testing.assert_array_equal(epochs, np.arange(1, 151))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_with_a_checkpoint(store, number):
    """Sent to the whole group, as a terminal and a batch system do; the next run goes on."""
    values = [f"{k}={v}" for k, v in {**SMALL, "epochs": 30_000}.items()]
    command = [sys.executable, "-m", "amplib", "compute", "gan", "--preset", "smoke"]
    command += ["--device", "cpu", "--jobs", "2", "--group", "1", "--set", *values]
    environment = {**os.environ, "AMPLIFY_RESULTS": str(store)}
    run = subprocess.Popen(
        command, env=environment, start_new_session=True, stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 60
        while len(list(store.rglob("*.json"))) < 2:  # both workers have begun
            assert time.monotonic() < deadline
            time.sleep(0.1)
        os.killpg(run.pid, number)
        _, said = run.communicate(timeout=60)
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
    assert run.returncode == (130 if number == signal.SIGINT else 128 + number)
    assert "stopping: waiting for checkpoints" in said
    assert "Traceback" not in said
    result = gan(epochs=30_000)
    assert not result.done()
    begun = worker.unfinished(result, result.missing())
    assert sorted(begun) == [[(0, 0)], [(1, 0)]]


def test_a_study_that_fails_is_named_and_the_others_go_on(capsys):
    results = {"gan": gan(epochs=2), "fit": Result(make_study("fit", "smoke"), "smoke")}
    results["gan"].save((0, 0), gan_part(results["gan"].study), MADE)
    path = results["gan"].folder / "record.json"
    path.write_text(path.read_text().replace('"fingerprint": [', '"fingerprint": [1.5,'))
    assert not compute_all(results, jobs=1, device="cpu")
    said = capsys.readouterr().err
    assert "failed: gan (" in said
    assert "was made by other code" in said
    assert not results["fit"].missing()


def test_a_worker_that_dies_is_replaced(monkeypatch, store, capfd):
    """The first process that starts is killed; its group is begun again and finished."""
    monkeypatch.setenv("AMPLIFY_TEST_DIES", str(store / "died"))
    monkeypatch.setattr(worker, "start", mortal)
    result = Result(make_study("fit", "smoke"), "smoke")
    assert Crew([Group(result, [(0,)])], 1, "cpu").run()
    assert not result.missing()
    assert "a worker died; begun again" in capfd.readouterr().err


def test_a_worker_that_always_dies_is_an_error(monkeypatch):
    monkeypatch.setattr(worker, "start", doomed)
    result = Result(make_study("fit", "smoke"), "smoke")
    with pytest.raises(WorkerDied, match=r"fit, parts \(0,\) to \(0,\): the worker died 3 times"):
        Crew([Group(result, [(0,)])], 1, "cpu").run()


# ---- rates ----


def test_a_rate_that_was_measured_replaces_the_typical_one(store):
    study = make_study("gan", "paper")
    result = Result(study, "paper")
    parts = [(0, 0)]
    before = amplib.store.rates.minutes(result, parts, jobs=1)
    assert before == pytest.approx(study.work(parts) / study.rate / 60)
    amplib.store.rates.remember(study, "paper", "cpu", 2 * study.rate)
    assert amplib.store.rates.minutes(result, parts, jobs=1) == pytest.approx(before / 2)
    other = Result(make_study("gan", "laptop"), "laptop")
    assert amplib.store.rates.rate_of(other.study, "laptop", "cpu") == study.rate


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"camel-gan/paper/cpu": "fast"}', "null", "[" * 100_000]
)
def test_rates_that_cannot_be_read_are_forgotten(store, text):
    (store / ".rates.json").write_text(text)
    study = make_study("gan", "paper")
    assert amplib.store.rates.rate_of(study, "paper", "cpu") == study.rate
    amplib.store.rates.remember(study, "paper", "cpu", 7.0)
    assert amplib.store.rates.rate_of(study, "paper", "cpu") == 7.0


def test_a_group_measures_its_rate_without_what_an_earlier_run_did(monkeypatch):
    clock = iter([100.0, 110.0, 150.0, 150.0])
    monkeypatch.setattr(amplib.store.compute.time, "monotonic", lambda: next(clock))
    group = Group(gan(), [(k, 0) for k in range(5)])
    group.report(0.0, False)
    group.report(5000.0, True)
    group.report(80.0, False)
    group.remember_rate("cpu")
    few = Group(gan(), [(0, 0)], begun=90.0, done=1.0)
    few.remember_rate("cpu")  # of eight that train side by side: slower, and not the usual rate
    assert amplib.store.rates.rate_of(group.result.study, "smoke", "cpu") == pytest.approx(2.0)


# ---- memory ----


def crew_with(monkeypatch, megabytes, *names):
    """Of two workers and one group of each of these studies, at the papers' scale."""
    monkeypatch.setattr(computing, "free_memory", lambda: megabytes)
    studies = [make_study(name, "paper") for name in names]
    groups = [Group(Result(s, "paper"), s.parts()[:1]) for s in studies]
    return Crew(groups, 2, "cpu"), groups


LARGE = "reweighted-simulation"


def test_two_large_groups_run_together_where_there_is_memory(monkeypatch, capsys):
    crew, groups = crew_with(monkeypatch, 16_000, LARGE, LARGE)
    assert [crew._next([]), crew._next(groups[:1])] == groups
    assert not capsys.readouterr().err


def test_a_large_group_waits_for_memory_and_a_usual_one_passes_it(monkeypatch, capsys):
    crew, (first, second, usual) = crew_with(monkeypatch, 8_000, LARGE, LARGE, "fit")
    assert crew._next([]) is first
    assert crew._next([first]) is usual
    assert crew._next([first]) is None
    assert crew._next([]) is second
    (line,) = capsys.readouterr().err.splitlines()
    need = first.result.study.memory_needed()
    assert line == (
        f"{LARGE}: a worker takes {need} MB, of 8000 MB in all: it waits until others are done"
    )


def test_a_group_that_takes_all_memory_is_begun_alone(monkeypatch):
    crew, (first,) = crew_with(monkeypatch, 1_000, LARGE)
    assert crew._next([]) is first


@pytest.mark.parametrize(
    ("limit", "expected"), [("max\n", 2000), (f"{500 * 2**20}\n", 500), (None, 2000)]
)
def test_free_memory_is_the_machine_s_or_the_container_s(limit, expected, monkeypatch, tmp_path):
    said = {"/proc/meminfo": "MemTotal: 9 kB\nMemAvailable:   2048000 kB\n", "limit": limit}

    def read(path, *args, **kwargs):
        if (text := said.get(str(path))) is None:
            raise FileNotFoundError
        return text

    monkeypatch.setattr(computing, "CONTAINER", (Path("limit"),))
    monkeypatch.setattr(Path, "read_text", read)
    assert computing.free_memory() == expected
    said.clear()
    assert computing.free_memory() == math.inf


def test_a_gpu_does_not_wait_for_what_one_core_simulates(tmp_path):
    """Z decays are made on all cores before the GPU trains on them, and fits on the cores after."""
    names = ("z-vae", "fit", "gan")
    results = {name: Result(make_study(name, "smoke"), "smoke", tmp_path) for name in names}
    assert [(kind, list(those)) for kind, those in stages(results, gpu=True)] == [
        ("cpu", ["z"]),
        ("cuda", ["z-vae", "gan"]),
        ("cpu", ["fit"]),
    ]
    assert [list(those) for _, those in stages(results, gpu=False)] == [[], [], list(names)]
