"""A sweep and a study's parts as jobs of a real Slurm: one that fails, some that are killed by the
time limit and go on, and a node that is drained meanwhile.

About ten minutes; nothing in it is left to chance but the time that it takes.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
import yaml
from one_node_slurm import NoSlurm, ask, one_node_slurm

from amplib.book.cluster import folder_of
from amplib.book.jobs import PROFILES
from amplib.files import ROOT
from amplib.progress import Stopped
from amplib.store.results import Result
from amplib.studies.catalogue import make_study

pytestmark = [pytest.mark.slow, pytest.mark.slurm]

PATIENCE = 1200
HERE = {
    "slurm-no-account": True,
    "slurm-status-command": "squeue",  # there is no accounting for sacct
    "slurm-init-seconds-before-status-checks": 5,
    "latency-wait": 10,
}


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """Folder of a running Slurm, and its node's name."""
    folder = tmp_path_factory.mktemp("slurm")
    try:
        with one_node_slurm(folder) as node:
            yield folder, node
    except NoSlurm as reason:
        pytest.skip(str(reason))


@pytest.fixture
def environment(tmp_path):
    path = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    here = {"PATH": path, "PYTHONPATH": str(ROOT), "AMPLIFY_RESULTS": str(tmp_path / "results")}
    return {**os.environ, **here, "OMP_NUM_THREADS": "1"}


def profile(folder, **changes):
    """The profile that is shipped, for this Slurm."""
    shipped = yaml.safe_load((PROFILES / "slurm" / "config.yaml").read_text())
    resources = [*shipped["default-resources"], "slurm_partition=main"]
    ours = {**shipped, **HERE, "default-resources": resources, **changes}
    (folder / "profile").mkdir()
    (folder / "profile" / "config.yaml").write_text(yaml.safe_dump(ours))
    return str(folder / "profile")


def jobs_of(slurm):
    """State of every job that has ended, in order."""
    log = slurm[0] / "jobs.txt"
    lines = log.read_text().splitlines() if log.exists() else []
    return [dict(field.split("=", 1) for field in line.split() if "=" in field) for line in lines]


def duration(job):
    """Seconds from a job's start to its end."""
    start, end = (datetime.fromisoformat(job[name]) for name in ("StartTime", "EndTime"))
    return (end - start).total_seconds()


def amplib(*arguments, environment):
    command = [sys.executable, "-m", "amplib", *arguments]
    return subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def wait_for(what):
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, "Slurm's queue did not come to it in time"
        time.sleep(0.5)


def queued(state):
    return ask("squeue", "--noheader", "--format=%i", f"--states={state}").split()


def test_a_sweep_outlives_a_drained_node_and_names_the_point_that_fails(
    slurm, environment, tmp_path
):
    """While the node is drained what runs ends, nothing starts, and nothing is lost."""
    file = tmp_path / f"slurm-{os.getpid()}.yml"
    file.write_text(
        "notebook: amplify\npreset: smoke\nlist:\n"
        "- {seed: 1}\n- {seed: 2}\n- {seed: 4}\n- {seed: 3}\n"
    )
    root = Path(environment["AMPLIFY_RESULTS"])
    damaged = Result(make_study("gan", "smoke", seed=4), "smoke", root).folder
    damaged.mkdir(parents=True)
    (damaged / "record.json").write_text("{")
    folder = ROOT / "_build" / "sweeps" / file.stem
    before = len(jobs_of(slurm))
    where = ["--profile", profile(tmp_path, retries=0), "--jobs", "4"]
    sweep = amplib("sweep", "--file", str(file), *where, environment=environment)
    try:
        wait_for(lambda: queued("RUNNING") and queued("PENDING"))
        running, pending = queued("RUNNING"), queued("PENDING")
        ask("scontrol", "update", f"nodename={slurm[1]}", "state=drain", "reason=test")
        wait_for(lambda: not queued("RUNNING"))
        assert set(pending) <= set(queued("PENDING"))
        assert {job["JobId"] for job in jobs_of(slurm)[before:]} == set(running)
        ask("scontrol", "update", f"nodename={slurm[1]}", "state=resume")
        said = sweep.communicate(timeout=PATIENCE)[1]
        assert sweep.returncode == 1, said
        failed = [line for line in said.splitlines() if line.startswith("failed:")]
        (why,) = failed
        assert why.startswith("failed: amplify preset=smoke seed=4: DamagedResult: ")
        assert sorted(pd.read_parquet(folder / "table.parquet").seed.unique()) == [1, 2, 3]
        states = sorted(job["JobState"] for job in jobs_of(slurm)[before:])
        assert states == ["COMPLETED"] * 3 + ["FAILED"]
    finally:
        sweep.kill()
        sweep.wait()
        shutil.rmtree(folder, ignore_errors=True)


def epochs_in(seconds, tmp_path):
    """How many this machine trains one small GAN for in so long, as busy as it is now."""
    study = make_study("gan", "smoke", epochs=100_000, max_events=200)
    began, took, done = None, 0.0, 0.0

    def progress(work):
        nonlocal began, took, done
        if began is None:  # what comes before the first steps is no training
            began = time.monotonic()
            return
        took, done = time.monotonic() - began, done + work
        if took > 20:
            raise Stopped

    with pytest.raises(Stopped):
        list(study.compute([(0, 0)], "cpu", tmp_path / "x.safetensors", progress))
    return 10 * round(seconds / took * done / (study.n_train // study.batch_size) / 10)


def test_parts_that_the_time_limit_kills_go_on_in_the_next_job(slurm, environment, tmp_path):
    """Trainings of five minutes in jobs that Slurm ends after two, by whose checkpoints the
    records know the seconds of all of them."""
    epochs = epochs_in(300, tmp_path)
    study = make_study("gan", "smoke", epochs=epochs, max_events=200, repetitions=2)
    result = Result(study, "smoke", Path(environment["AMPLIFY_RESULTS"]))
    folder = folder_of(result)
    shutil.rmtree(folder, ignore_errors=True)
    before = len(jobs_of(slurm))
    where = profile(tmp_path, retries=12, **{"set-resources": ["share:runtime=2"]})
    settings = [f"epochs={epochs}", "max_events=200", "repetitions=2"]
    running = amplib(
        "cluster", "gan", "--preset", "smoke", "--set", *settings, "--profile", where,
        "--jobs", "2", "--minutes", "60", environment=environment,
    )  # fmt: skip
    try:
        said = running.communicate(timeout=PATIENCE)[1]
        assert running.returncode == 0, said
        assert "2 of 2 parts in 2 jobs of one cpu" in said
        states = [job["JobState"] for job in jobs_of(slurm)[before:]]
        assert states[-2:] == ["COMPLETED"] * 2
        assert states.count("COMPLETED") == 2
        assert states.count("TIMEOUT") >= 2  # each of them at least once
        assert set(states) == {"COMPLETED", "TIMEOUT"}
        assert result.done() == study.parts()
        # Of the jobs that ended well neither was long enough for what its part took.
        seconds = sum(entry["seconds"] for entry in result.record()["parts"].values())
        assert seconds > sum(map(duration, jobs_of(slurm)[-2:]))
        plan = json.loads((folder / "plan.json").read_text())
        assert list(plan["shares"]) == ["0-0", "1-1"]
    finally:
        running.kill()
        running.wait()
        shutil.rmtree(folder, ignore_errors=True)
