"""A sweep: what is done is kept, what fails is named, and all numbers end in one table."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from amplib.book.points import points
from amplib.book.sweep import drop_damaged, folder_of, gather, reason, tidy, write_plan
from amplib.files import ROOT
from amplib.store.results import Result
from amplib.studies.catalogue import make_study


def command(*arguments):
    return [sys.executable, "-m", "amplib", "sweep", *arguments]


@pytest.fixture
def environment(tmp_path):
    path = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "AMPLIFY_RESULTS": str(tmp_path), "PYTHONPATH": str(ROOT)}


@pytest.fixture
def sweep_file(tmp_path):
    """A point that can be computed and one whose stored result is damaged."""
    path = tmp_path / f"sweep-{os.getpid()}.yml"
    path.write_text(
        "notebook: amplify\npreset: smoke\nlist: [{n_train: 20, epochs: 1}, {n_train: 40}]\n"
    )
    damaged = Result(make_study("gan", "smoke", n_train=40), "smoke", tmp_path).folder
    damaged.mkdir(parents=True)
    (damaged / "record.json").write_text("{")
    yield path
    shutil.rmtree(ROOT / "_build" / "sweeps" / path.stem, ignore_errors=True)


def test_a_killed_sweep_goes_on_and_a_failed_point_is_named(sweep_file, environment, tmp_path):
    """Killed while its points run, then run again, then with nothing left to do but fail."""
    arguments = command("--file", str(sweep_file))
    running = subprocess.Popen(arguments, env=environment, cwd=ROOT, stderr=subprocess.PIPE)
    folder = ROOT / "_build" / "sweeps" / sweep_file.stem
    wait_for(lambda: list(folder.glob("points/*/log.txt")))
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 128 + signal.SIGTERM
    done = subprocess.run(arguments, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    failed = [line for line in done.stderr.splitlines() if line.startswith("failed:")]
    (why,) = failed
    assert why.startswith("failed: amplify preset=smoke n_train=40: DamagedResult: ")
    assert why.endswith("restore or delete it")
    table = pd.read_parquet(folder / "table.parquet")
    assert set(table.n_train) == {20}
    worth = table[table.number == "gan-equivalents"]
    factor = table[table.number == "gan-factors"]
    assert list(worth.quantiles) == [10, 20, 50]
    assert worth.value.to_numpy() == pytest.approx((factor.value * factor.n_train).to_numpy())
    numbers = sorted(folder.glob("points/*/numbers.json"))
    for path in folder.glob("points/*/n*"):
        os.utime(path, (1e9, 1e9))  # older than all sources
    before = [path.stat().st_mtime_ns for path in numbers]
    again = subprocess.run(arguments, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert "2 points, 1 to run" in again.stderr
    assert [path.stat().st_mtime_ns for path in numbers] == before
    page = (folder / "index.html").read_text()
    assert page.count("as executed") == 1
    assert "failed: DamagedResult: " in page
    for results, size in zip(table.results, table.n_train, strict=True):
        records = [json.loads((tmp_path / r / "record.json").read_text()) for r in results.split()]
        assert {r["parameters"]["n_train"] for r in records} == {size}
    for path in folder.glob("points/*/numbers.json"):
        assert "How many events is a GAN worth?" in path.with_name("notebook.html").read_text()


def test_a_sweep_killed_outright_is_not_run_twice_at_once(sweep_file, environment):
    """Its Snakemake goes on, and holds the folder until it is done."""
    sweep_file.write_text("notebook: amplify\npreset: smoke\ngrid: {epochs: 1}\n")
    arguments = command("--file", str(sweep_file))
    running = subprocess.Popen(arguments, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)
    folder = ROOT / "_build" / "sweeps" / sweep_file.stem
    wait_for(lambda: list(folder.glob("points/*/log.txt")))
    running.kill()
    running.wait()
    beside = subprocess.run(arguments, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert beside.returncode == 2
    assert beside.stderr.strip().endswith("is under way")
    wait_for(lambda: is_free(folder))
    again = subprocess.run(arguments, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert "1 points, 0 to run" in again.stderr


def wait_for(what):
    deadline = time.monotonic() + 120
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def is_free(folder):
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_a_sweep_under_way_is_left_alone(sweep_file, environment):
    folder = ROOT / "_build" / "sweeps" / sweep_file.stem
    folder.mkdir(parents=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            command("--file", str(sweep_file)),
            env=environment, cwd=ROOT, capture_output=True, text=True,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.strip().endswith("is under way")


@pytest.fixture
def told(tmp_path):
    """What points have reported, as a table: of each one number, its place."""

    def gathered(found):
        for k, point in enumerate(found):
            rows = [{"number": "n", "quantiles": 10, "value": float(k), "low": None}]
            folder = tmp_path / "points" / point.key
            folder.mkdir(parents=True)
            made = {"seconds": 20.5, "commit": "abc", "results": ["smoke/gan/1", "smoke/fit/2"]}
            (folder / "numbers.json").write_text(json.dumps({**made, "numbers": rows}))
        return gather(tmp_path, tidy(tmp_path, found))

    return gathered


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "{", "[" * 100_000, "\xff", '{"commit": "", "results": [], "numbers": []}'],
)
def test_damaged_numbers_are_named_and_their_point_is_run_again(tmp_path, capsys, text):
    whole, broken = points(["amplify"], "smoke", {"grid": {"seed": [1, 2]}})
    kept, lost = (tmp_path / "points" / p.key / "numbers.json" for p in (whole, broken))
    for path in (kept, lost):
        path.parent.mkdir(parents=True)
    kept.write_text('{"seconds": 1, "commit": "", "results": [], "numbers": []}')
    lost.write_bytes(text.encode("latin-1"))
    drop_damaged(tmp_path, [whole, broken])
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"{lost} is damaged; its point is run again"
    assert kept.exists() and not lost.exists()


@pytest.mark.parametrize(
    "block",
    [
        {"list": [{"seed": 1}, {"aggregation": "max"}]},
        {"list": [{"quantiles": [10, 20]}, {"quantiles": [50]}, {}]},
        {"grid": {"learning_rate": [1, 1e-4], "n_train": [20, 30]}},
    ],
)
def test_both_tables_say_the_same(told, block):
    """Names beside numbers, lists, and what only some points set."""
    paths = told(points(["amplify"], "smoke", block))
    csv, parquet = pd.read_csv(paths[0]), pd.read_parquet(paths[1])
    pd.testing.assert_frame_equal(csv, parquet, check_dtype=False)
    assert list(csv.value) == list(range(len(csv)))
    assert set(csv.commit) == {"abc"}
    assert set(csv.seconds) == {20.5}
    assert set(csv.results) == {"smoke/gan/1 smoke/fit/2"}


def test_quantiles_that_are_set_stand_beside_those_of_a_number(told):
    path, _ = told(points(["amplify"], "smoke", {"list": [{"quantiles": [10, 20]}]}))
    (row,) = pd.read_csv(path).itertuples()
    assert (row.given_quantiles, row.quantiles) == ("[10, 20]", 10)


def test_a_table_of_other_points_goes(told, tmp_path):
    """When of those that there are now none has ended well."""
    paths = told(points(["amplify"], "smoke", {"grid": {"seed": [1]}}))
    assert gather(tmp_path, pd.DataFrame()) == []
    assert not any(path.exists() for path in paths)


def test_a_plan_says_all_that_a_job_needs(tmp_path):
    """Without this machine's files: the parameters themselves, and a folder below the sources."""
    found = points(["amplify"], "smoke", {"grid": {"seed": [1]}})
    folder = folder_of("a name; with {much}")
    assert folder.name == "a-name-with-much-"
    plan = json.loads(write_plan(tmp_path, found).read_text())
    assert (ROOT / plan["folder"]).resolve() == tmp_path.resolve()
    assert plan["points"][found[0].key]["parameters"] == {"preset": "smoke", "seed": 1}


def test_a_point_without_a_word_points_at_the_log(tmp_path):
    (point,) = points(["amplify"], "smoke", {"grid": {"seed": [1]}})
    assert reason(tmp_path, point).startswith("see ")
