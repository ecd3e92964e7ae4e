"""A sweep: what is done is kept, what fails is named, and all numbers end in one table."""

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
from amplib.book.sweep import drop_damaged, gather, reason, tidy, write_plan
from amplib.files import ROOT


def command(*arguments):
    return [sys.executable, "-m", "amplib", "sweep", *arguments]


@pytest.fixture
def environment(tmp_path):
    path = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "AMPLIFY_RESULTS": str(tmp_path), "PYTHONPATH": str(ROOT)}


@pytest.fixture
def sweep_file(tmp_path):
    """Two points that can be computed and one whose quantiles its notebook refuses."""
    path = tmp_path / f"sweep-{os.getpid()}.yml"
    path.write_text(
        "notebook: amplify\npreset: smoke\n"
        "list: [{n_train: 20, epochs: 1}, {n_train: 30, epochs: 1}, {quantiles: [7]}]\n"
    )
    yield path
    shutil.rmtree(ROOT / "_build" / "sweeps" / path.stem, ignore_errors=True)


def test_a_killed_sweep_goes_on_and_a_failed_point_is_named(sweep_file, environment):
    """Killed while its points run, then run again, then with nothing left to do but fail."""
    arguments = command("--file", str(sweep_file))
    running = subprocess.Popen(arguments, env=environment, cwd=ROOT, stderr=subprocess.PIPE)
    folder = ROOT / "_build" / "sweeps" / sweep_file.stem
    deadline = time.monotonic() + 120
    while not list(folder.glob("points/*/log.txt")) and time.monotonic() < deadline:
        time.sleep(0.2)
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 128 + signal.SIGTERM
    done = subprocess.run(arguments, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    failed = [line for line in done.stderr.splitlines() if line.startswith("failed:")]
    assert failed == [
        "failed: amplify preset=smoke quantiles=[7]: ParameterError: quantiles = [7]: "
        "allowed are 2, 4, 5, 10, 20, 25, 50, 100, each once"
    ]
    table = pd.read_parquet(folder / "table.parquet")
    assert sorted(table.n_train.unique()) == [20, 30]
    worth = table[table.number == "gan-equivalents"]
    factor = table[table.number == "gan-factors"]
    assert list(worth.quantiles) == [10, 20, 50] * 2
    assert worth.value.to_numpy() == pytest.approx((factor.value * factor.n_train).to_numpy())
    numbers = sorted(folder.glob("points/*/numbers.json"))
    before = [path.stat().st_mtime_ns for path in numbers]
    again = subprocess.run(arguments, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert "3 points, 1 to run" in again.stderr
    assert [path.stat().st_mtime_ns for path in numbers] == before
    page = (folder / "index.html").read_text()
    assert page.count("as executed") == 2
    assert "failed: ParameterError: quantiles" in page
    for path in folder.glob("points/*/numbers.json"):
        assert "How many events is a GAN worth?" in path.with_name("notebook.html").read_text()


def test_a_sweep_under_way_is_left_alone(sweep_file, environment):
    import fcntl

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


def test_a_table_keeps_numbers_and_names_of_one_column(tmp_path):
    """A parameter that is a number at one point and a word at another is text in parquet."""
    found = points(["amplify"], "smoke", {"list": [{"seed": 1}, {"aggregation": "max"}]})
    write_plan(tmp_path, found)
    for k, point in enumerate(found):
        content = {"commit": "abc", "numbers": [{"number": "n", "value": float(k)}]}
        path = tmp_path / "points" / point.key / "numbers.json"
        path.write_text(json.dumps(content))
    csv, parquet = gather(tmp_path, tidy(tmp_path, found))
    assert list(pd.read_csv(csv).value) == [0, 1]
    assert list(pd.read_parquet(parquet).commit) == ["abc", "abc"]


@pytest.mark.parametrize("text", ["", "[]", "{}", "{", "[" * 100_000, "\xff"])
def test_damaged_numbers_are_named_and_their_point_is_run_again(tmp_path, capsys, text):
    whole, broken = points(["amplify"], "smoke", {"grid": {"seed": [1, 2]}})
    kept, lost = (tmp_path / "points" / p.key / "numbers.json" for p in (whole, broken))
    for path in (kept, lost):
        path.parent.mkdir(parents=True)
    kept.write_text('{"commit": "", "numbers": []}')
    lost.write_bytes(text.encode("latin-1"))
    drop_damaged(tmp_path, [whole, broken])
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"{lost} is damaged; its point is run again"
    assert kept.exists() and not lost.exists()


def test_the_plan_of_a_done_point_keeps_its_time(tmp_path):
    """Snakemake would run it again."""
    found = points(["amplify"], "smoke", {"grid": {"seed": [1]}})
    write_plan(tmp_path, found)
    path = tmp_path / "points" / found[0].key / "parameters.json"
    before = path.stat().st_mtime_ns
    write_plan(tmp_path, found)
    assert path.stat().st_mtime_ns == before


def test_a_point_without_a_word_points_at_the_log(tmp_path):
    (point,) = points(["amplify"], "smoke", {"grid": {"seed": [1]}})
    assert reason(tmp_path, point).startswith("see ")
