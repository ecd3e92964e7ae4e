"""Shares of a study as jobs: what is planned and asked for, and what becomes of one that fails."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from stored_parts import MADE, fit_part

import amplib.files
from amplib.book import cluster, jobs
from amplib.book.cluster import folder_of, needed_by, on_cluster, reason, write_plan
from amplib.files import ROOT
from amplib.parameters import ParameterError
from amplib.store.results import Result
from amplib.store.shares import pack, shares
from amplib.studies.catalogue import make_study


@pytest.fixture
def fits(tmp_path, monkeypatch):
    """Three parts of a second each, and no folder of theirs before or after."""
    monkeypatch.setattr(amplib.files, "RESULTS", tmp_path / "results")
    monkeypatch.setenv("AMPLIFY_RESULTS", str(tmp_path / "results"))
    result = Result(make_study("fit", "smoke", seed=13, n_train=20, repetitions=300), "smoke")
    shutil.rmtree(folder_of(result), ignore_errors=True)
    yield result
    shutil.rmtree(folder_of(result), ignore_errors=True)


@pytest.mark.parametrize("minutes", [None, 42.5])
def test_a_job_is_asked_for_what_its_study_takes(fits, minutes):
    """Twice the time of its parts, or what it is told, and ten minutes around it."""
    folder = folder_of(fits)
    folder.mkdir(parents=True)
    planned = shares(fits, 2)
    plan = json.loads(write_plan(folder, planned, minutes, "cpu").read_text())
    assert plan["mem_mb"] == fits.study.memory
    assert not Path(plan["folder"]).is_absolute()
    assert {name: job["only"] for name, job in plan["shares"].items()} == {
        "0-0": [0, 0],
        "1-2": [1, 2],
    }
    for share in planned:
        job = plan["shares"][share.name]
        if minutes is None:
            assert 2 * share.minutes("cpu") <= job["minutes"] < 2 * share.minutes("cpu") + 1
        else:
            assert job["minutes"] == minutes
        assert job["minutes"] + jobs.MARGIN <= job["runtime"] < job["minutes"] + jobs.MARGIN + 1


def test_a_job_is_given_all_that_it_looks_for():
    """Of what is shipped: a model's events need its training, the truth that judges them and the
    true events in compact form, which else are simulated anew."""
    wanted = Result(make_study("top-events", "laptop"), "laptop")
    given = needed_by(wanted)
    assert [r.study.name for r in given] == [
        "ttbar-summary", "ttbar-reference", "scan", "top-events",
    ]  # fmt: skip
    assert all(r.done() for r in given)
    simulated = needed_by(Result(make_study("ttbar-summary", "laptop"), "laptop"))
    assert [r.study.name for r in simulated] == ["ttbar", "ttbar-summary"]
    published = make_study("top-events", "laptop", source="published")
    assert not any(r.study.name == "ttbar-summary" for r in needed_by(Result(published, "laptop")))


def test_an_unfinished_share_is_sent_on_with_what_it_has(fits):
    folder = folder_of(fits)
    planned = shares(fits, 1)
    (folder / "0-2").mkdir(parents=True)
    (folder / "0-2" / "share.tar").write_text("checkpoint")
    (folder / "0-2" / "taken.txt").write_text("")
    write_plan(folder, planned, None, "cpu")
    assert (folder / "0-2" / "before.tar").read_text() == "checkpoint"
    assert [p.name for p in (folder / "0-2").iterdir()] == ["before.tar"]


def test_a_share_that_fails_is_named_and_the_others_come_home(fits, capfd):
    """The record of the second is damaged where it works; restored, the same command goes on."""
    folder = folder_of(fits)
    store = folder / "1-1" / "results" / fits.folder.relative_to(fits.root)
    store.mkdir(parents=True)
    (store / "record.json").write_text("{")
    assert not on_cluster(fits, jobs=3)
    said = capfd.readouterr().err
    assert "fit, preset smoke: 3 of 3 parts in 3 jobs of one cpu" in said
    (failed,) = [line for line in said.splitlines() if line.startswith("failed:")]
    assert failed.startswith("failed: fit 1-1: ")
    assert "record.json is damaged" in failed
    assert "1 parts are missing; the same command goes on from here" in said
    assert fits.done() == [(0,), (2,)]
    (store / "record.json").unlink()
    assert on_cluster(fits, jobs=3)
    said = capfd.readouterr().err
    assert "1 of 3 parts in 1 jobs of one cpu" in said
    assert fits.done() == fits.study.parts()
    assert on_cluster(fits, jobs=3)
    assert "nothing is missing" in capfd.readouterr().err


def test_shares_that_run_out_of_time_go_round_again(fits, monkeypatch):
    """Until all is there, or the rounds are up."""
    rounds = []

    def one_part_a_round(workflow, plan, profile, count, done, total):
        rounds.append(list(json.loads(plan.read_text())["shares"]))
        part = fits.missing()[0]
        fits.save(part, fit_part(fits.study), MADE)
        for name in rounds[-1]:
            (plan.parent / name / "taken.txt").write_text("")

    monkeypatch.setattr(cluster, "run", one_part_a_round)
    assert on_cluster(fits, jobs=1)
    assert rounds == [["0-2"]] * 3


def test_a_share_without_a_word_points_at_the_log(fits):
    (share, *_) = shares(fits, 1)
    assert reason(share).endswith("snakemake.log")


@pytest.mark.parametrize("name", ["slurm", "htcondor", "kubernetes"])
def test_the_shipped_profiles(name):
    """Each names its plugin, how many jobs there may be, and the defaults of what is asked for."""
    folder = jobs.profile_folder(name)
    said = yaml.safe_load((folder / "config.yaml").read_text())
    assert said["executor"] == name
    assert jobs.places(folder, None) == said["jobs"] >= 1
    assert jobs.places(folder, 7) == 7
    assert said["retries"] >= 1
    assert "mem_mb=2000" in said["default-resources"]


@pytest.mark.parametrize("name", ["slurm", "htcondor", "kubernetes"])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_plugin_takes_its_profile_and_is_told_what_a_job_needs(fits, name, device, tmp_path):
    """A dry run, which refuses options that neither Snakemake nor the plugin has."""
    plugins = [f"snakemake_executor_plugin_{name}"]
    plugins += ["snakemake_storage_plugin_fs"] if name == "kubernetes" else []
    for plugin in plugins:
        pytest.importorskip(plugin, reason=f"pip install {plugin.replace('_', '-')}")
    folder = folder_of(fits)
    folder.mkdir(parents=True)
    plan = write_plan(folder, shares(fits, 2), 30, device)
    profile = tmp_path / "profile"
    profile.mkdir()
    text = (jobs.profile_folder(name) / "config.yaml").read_text()
    bucket = text.replace("provider: s3", "provider: fs").replace("s3://", f"{tmp_path}/")
    (profile / "config.yaml").write_text(bucket)  # a folder in its place
    said = _dry_run(plan, profile)
    assert said.count("rule share:") == 2
    memory, minutes = fits.study.memory, 30 + jobs.MARGIN
    wanted = {f"mem_mb={memory}", f"runtime={minutes}", f"htcondor_request_mem_mb={memory}"}
    wanted |= {f"allowed_execute_duration={60 * minutes}"}
    if device == "cuda":
        wanted |= {"gpu=1", "request_gpus=1"}
        wanted |= {"gpu_manufacturer=nvidia", "scale=0"} if name == "kubernetes" else set()
    if name == "htcondor":
        wanted.add("getenv=PATH,HOME,PYTHONPATH,AMPLIFY_*")
    asked = [set(line.split(", ")) for line in said.splitlines() if f"runtime={minutes}" in line]
    assert len(asked) == 2 and all(wanted <= what for what in asked)
    with (profile / "config.yaml").open("a") as stream:
        stream.write(f"\n{name}-nonsense: 1\n")
    with pytest.raises(AssertionError, match=f"{name}-nonsense"):
        _dry_run(plan, profile)


def _dry_run(plan, profile):
    """What Snakemake says that it would do."""
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "workflow" / "parts.smk")]
    command += ["--configfile", str(plan), "--workflow-profile", str(profile), "--dry-run"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_jobs_that_share_no_files_send_them_through_a_bucket(fits, tmp_path):
    """A folder is the bucket; what jobs are given and what they made passes through it."""
    pytest.importorskip(
        "snakemake_storage_plugin_fs", reason="pip install snakemake-storage-plugin-fs"
    )
    if shutil.which("rsync") is None:
        pytest.skip("snakemake-storage-plugin-fs copies with rsync, which is missing")
    profile, bucket = tmp_path / "profile", tmp_path / "bucket"
    profile.mkdir()
    storage = {"default-storage-provider": "fs", "default-storage-prefix": str(bucket)}
    (profile / "config.yaml").write_text(yaml.safe_dump({"jobs": 2, **storage}))
    unfinished, *_ = shares(fits, 2)
    mine = folder_of(fits) / unfinished.name
    mine.mkdir(parents=True)
    pack(mine / "share.tar", [fits])  # of an earlier round
    assert on_cluster(fits, str(profile), jobs=2)
    assert fits.done() == fits.study.parts()
    sent = [path.name for path in sorted(bucket.rglob("*.tar"))]
    assert sorted(sent) == ["before.tar", "given.tar", "share.tar", "share.tar"]


def test_a_profile_may_be_any_folder_that_has_one(tmp_path):
    (tmp_path / "config.yaml").write_text("executor: slurm\njobs: 3\n")
    assert jobs.profile_folder(str(tmp_path)) == tmp_path.resolve()
    with pytest.raises(ParameterError, match="profile = 'nowhere': allowed are htcondor"):
        jobs.profile_folder("nowhere")
