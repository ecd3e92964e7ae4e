"""The results store: nothing is lost, nothing damaged is used, whoever is killed when."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from stored_parts import MADE, gan_part

import amplib.files
import amplib.models.training
import amplib.store.results
from amplib.__main__ import main
from amplib.files import ROOT, write_atomically
from amplib.store.compute import grouped
from amplib.store.record import DamagedResult
from amplib.store.results import DamagedPartWarning, Result, part_name, source_of
from amplib.studies.catalogue import make_study

# A GAN of a second: the arrays and the code path are those of a full one.
SMALL = {"width": 8, "latent": 5, "embedding": 4, "depth": 2, "epochs": 4, "max_events": 200}
COMMAND = [sys.executable, "-m", "amplib", "compute", "gan", "--preset", "smoke", "--device", "cpu"]


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """A store of its own for every test, locks and checkpoints included."""
    monkeypatch.setattr(amplib.files, "RESULTS", tmp_path)
    threads, products = torch.get_num_threads(), torch.backends.mkldnn.matmul.fp32_precision
    torch.set_num_threads(1)
    yield tmp_path
    torch.set_num_threads(threads)
    torch.backends.mkldnn.matmul.fp32_precision = products


def small_gan(**changes):
    return make_study("gan", "smoke", **{**SMALL, "repetitions": 3, **changes})


def filled(study=None, parts=((0, 0), (1, 0))):
    """A result with some parts of made-up arrays."""
    study = study or small_gan()
    result = Result(study, "smoke")
    for k, part in enumerate(parts):
        result.save(part, gan_part(study, k), MADE)
    return result


def computed(study, parts, folder, progress=lambda work: None):
    """The arrays of these parts, computed together in this process."""
    return dict(study.compute(parts, "cpu", folder / "checkpoint", progress))


def same(a, b):
    return a.keys() == b.keys() and all(
        np.array_equal(a[name], b[name], equal_nan=True) and a[name].dtype == b[name].dtype
        for name in a
    )


# ---- the key ----


def test_the_key_ignores_extents():
    key = small_gan().key()
    assert small_gan(repetitions=99).key() == key
    assert small_gan(members=7).key() == key


def test_the_key_changes_with_every_other_parameter():
    study = small_gan()
    keys = {study.key()}
    changed = {
        f.name
        for f in dataclasses.fields(study)
        if not f.metadata.get("extent") and f.name != "dimension"  # which has one allowed value
    }
    for name in changed:
        value = getattr(study, name)
        field = next(f for f in dataclasses.fields(study) if f.name == name)
        if isinstance(value, str):
            other = next(c for c in field.metadata["choices"] if c != value)
        else:
            other = value + 1 if isinstance(value, int) else value * 0.999
        keys.add(dataclasses.replace(study, **{name: other}).key())
    assert len(keys) == 1 + len(changed)


def test_the_key_changes_with_store_and_format(monkeypatch):
    fit, smoothing = make_study("fit", "smoke"), make_study("smoothing", "smoke")
    assert fit.asdict() == smoothing.asdict()
    assert fit.key() != smoothing.key()
    before = fit.key()
    monkeypatch.setattr(type(fit), "format", 2)
    assert fit.key() != before


def test_gan_and_ensemble_share_parts():
    filled(parts=[(0, 0), (1, 0), (1, 1)])
    ensemble = make_study("ensemble", "smoke", **SMALL)
    result = Result(ensemble, "smoke")
    assert result.done() == [(0, 0), (1, 0), (1, 1)]
    assert result.missing() == [(0, 1)]
    assert Result(small_gan(), "smoke").done() == [(0, 0), (1, 0)]


def test_the_first_member_of_an_ensemble_is_the_gan(tmp_path):
    """Computed alone, each, so that not even the order of a sum differs."""
    ensemble = make_study("ensemble", "smoke", **SMALL)
    gan = computed(small_gan(), [(1, 0)], tmp_path)[1, 0]
    assert same(computed(ensemble, [(1, 0)], tmp_path)[1, 0], gan)
    other = computed(ensemble, [(1, 1)], tmp_path)[1, 1]
    assert np.array_equal(other["sample"], gan["sample"])
    assert not np.array_equal(other["losses"], gan["losses"])


# ---- saving and loading ----


def test_what_is_saved_is_loaded():
    result = filled()
    assert result.missing() == [(2, 0)]
    loaded = result.load()
    assert list(loaded) == [(0, 0), (1, 0)]
    for k, arrays in enumerate(loaded.values()):
        assert same(arrays, gan_part(small_gan(), k))
    record = result.record()
    assert record["parameters"] == small_gan().asdict(extent=False)
    assert record["fingerprint"] == small_gan().fingerprint()
    assert record["parts"]["part-000-00.npz"]["device"] == "test"


def test_the_store_is_named_by_the_environment(tmp_path):
    code = (
        "from amplib.files import RESULTS;"
        "from amplib.store.results import work_folder;"
        "print(RESULTS, work_folder(RESULTS))"
    )
    store = tmp_path / "elsewhere"
    environment = {**os.environ, "AMPLIFY_RESULTS": str(store)}
    shown = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    assert shown.split() == [str(store), str(store / ".work")]
    del environment["AMPLIFY_RESULTS"]
    code = "from amplib.files import RESULTS; print(RESULTS)"
    shown = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    assert shown.strip() == str(ROOT / "results")


def test_nothing_stored_says_how_to_compute_it():
    result = Result(small_gan(), "smoke")
    assert result.record() == {"parts": {}}
    assert result.missing() == [(0, 0), (1, 0), (2, 0)]
    with pytest.raises(FileNotFoundError, match="make compute STUDY=gan PRESET=smoke"):
        result.load()


def test_without_the_repository_the_command_is_the_packages(monkeypatch):
    """There is no Makefile; and the command is one that is understood."""
    monkeypatch.setattr(amplib.files, "IN_REPOSITORY", False)
    study = make_study("gan", "laptop", n_train=50, epochs=7)
    command = study.command("laptop").split()
    assert command[:3] == ["python", "-m", "amplib"]
    asked = {}
    monkeypatch.setattr(
        "amplib.commands.studies.compute", lambda result, **options: asked.update(result=result)
    )
    assert main(command[3:]) == 0
    assert asked["result"].study == study and asked["result"].preset == "laptop"


@pytest.mark.parametrize("failing", ["part", "record"])
def test_a_crash_between_write_and_rename_loses_nothing(failing, monkeypatch):
    """Neither a half-written part nor a half-written record takes the place of a whole one."""
    result = filled()
    before = result.load()
    replace = Path.replace
    name = "record.json" if failing == "record" else part_name((2, 0))

    def crash(self, target):
        if target.name == name:
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as m:
        m.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            result.save((2, 0), gan_part(small_gan()), MADE)
    assert result.missing() == [(2, 0)]
    after = result.load()
    assert all(same(after[part], arrays) for part, arrays in before.items())
    result.save((2, 0), gan_part(small_gan()), MADE)
    assert not result.missing()


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    """An old content stays until the new one is on disk."""
    path = tmp_path / "file"
    write_atomically(path, b"old")
    synced = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda n: (synced.append(path.read_bytes()), fsync(n)))
    monkeypatch.setattr(Path, "replace", lambda s, t: (synced.append("renamed"), replace(s, t)))
    write_atomically(path, b"new")
    assert synced == [b"old", "renamed"]
    assert path.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


# ---- damage ----


def damage(path, how):
    data = path.read_bytes()
    if how == "bit":
        path.write_bytes(data[:50] + bytes([data[50] ^ 1]) + data[51:])
    elif how == "truncated":
        path.write_bytes(data[: len(data) // 2])
    else:
        path.write_bytes(b"")


@pytest.mark.parametrize("how", ["bit", "truncated", "empty"])
def test_a_damaged_part_is_named_and_not_used(how):
    result = filled()
    path = result.folder / "part-000-00.npz"
    damage(path, how)
    with pytest.warns(DamagedPartWarning, match=r"part-000-00\.npz: does not match its SHA-256"):
        assert result.missing() == [(0, 0), (2, 0)]
    with pytest.warns(DamagedPartWarning):
        assert list(result.load()) == [(1, 0)]


def test_a_damaged_part_is_computed_again_to_the_same_arrays(tmp_path):
    study = small_gan(repetitions=1)
    result = Result(study, "smoke")
    first = computed(study, [(0, 0)], tmp_path)[0, 0]
    result.save((0, 0), first, MADE)
    damage(result.folder / "part-000-00.npz", "bit")
    with pytest.warns(DamagedPartWarning):
        missing = result.missing()
    for part, arrays in computed(study, missing, tmp_path).items():
        result.save(part, arrays, MADE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert same(result.load()[0, 0], first)


def test_a_lost_part_is_missing():
    result = filled()
    (result.folder / "part-001-00.npz").unlink()
    assert result.missing() == [(1, 0), (2, 0)]


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"parts": 3}', "{}", "[]", "null", "\x00\xff", '{"parts": {'],
    ids=repr,
)
def test_a_damaged_record_is_named_in_one_line(text):
    result = filled()
    path = result.folder / "record.json"
    path.write_bytes(text.encode("latin-1"))
    for attempt in (result.record, result.missing, result.load):
        with pytest.raises(ValueError, match=r"record\.json is damaged") as caught:
            attempt()
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=r"record\.json is damaged"):
        result.save((2, 0), gan_part(small_gan()), MADE)
    assert path.read_bytes() == text.encode("latin-1")


@pytest.mark.parametrize("entry", [{}, None, "sha256", 3])
def test_a_damaged_entry_is_named_in_one_line(entry):
    result = filled()
    path = result.folder / "record.json"
    record = json.loads(path.read_text())
    record["parts"]["part-000-00.npz"] = entry
    path.write_text(json.dumps(record))
    with pytest.raises(ValueError, match=r"record\.json is damaged"):
        result.done()


def test_without_its_record_a_part_is_not_trusted():
    result = filled()
    (result.folder / "record.json").unlink()
    assert result.missing() == [(0, 0), (1, 0), (2, 0)]


# ---- processes ----

SAVER = """
import sys
from stored_parts import MADE, gan_part
from amplib.studies.catalogue import make_study
from amplib.store.results import Result
study = make_study("gan", "smoke", repetitions=60, **{small})
result = Result(study, "smoke")
for i in range(int(sys.argv[1]), 60, 2):
    result.save((i, 0), gan_part(study, i), MADE)
"""


def test_two_processes_save_into_one_record(tmp_path):
    """Thirty parts each, in turn: sixty are recorded and intact.

    Power: without the lock the two lose parts of each other in nearly every run, as each save
    reads, extends and rewrites the whole record.
    """
    study = small_gan(repetitions=60)
    filled(study, [(0, 0)])  # the fingerprint is there: the two need no torch
    helpers = str(ROOT / "tests" / "helpers")
    path = os.pathsep.join(filter(None, [helpers, os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "AMPLIFY_RESULTS": str(tmp_path), "PYTHONPATH": path}
    code = SAVER.format(small=SMALL)
    savers = [
        subprocess.Popen([sys.executable, "-c", code, str(k)], env=environment) for k in range(2)
    ]
    assert [saver.wait(120) for saver in savers] == [0, 0]
    loaded = Result(study, "smoke").load()
    assert [int(arrays["sample"][0, 0]) for arrays in loaded.values()] == list(range(60))


def test_groups_hold_every_part_once():
    for count in (1, 2, 7, 99, 100):
        for jobs in (1, 2, 3):
            for size in (1, 3, 8, 100):
                parts = [(k, 0) for k in range(count)]
                groups = grouped(parts, jobs, size)
                assert [part for group in groups for part in group] == parts
                sizes = [len(group) for group in groups]
                assert max(sizes) <= size
                assert max(sizes) - min(sizes) <= 1


def test_a_part_does_not_depend_on_its_group(tmp_path):
    """Three together against each alone: the same sample, losses to 1e-4, cells to 1%.

    Not bit by bit: the order of sums in a batched product depends on how many share it (1, 2 to 3,
    4 and more differ).  A training amplifies that: after 60 epochs at ten times the rate 2% of
    10,000 events lie in other cells.  A part is then the same GAN in distribution, and the same
    numbers only in a group of the same size, which its record keeps (``together``).
    """
    study = small_gan(max_events=10_000, epochs=10)
    together = computed(study, study.parts(), tmp_path)
    for part in study.parts():
        alone = computed(study, [part], tmp_path)[part]
        assert np.array_equal(alone["sample"], together[part]["sample"])
        moved = np.abs(alone["counts"] - together[part]["counts"]).sum(1)
        np.testing.assert_allclose(alone["losses"], together[part]["losses"], rtol=1e-4, atol=1e-6)
        assert (moved <= 0.01 * study.event_sizes).all()


# ---- killed runs ----


class Killed(Exception):
    """Ends a training where a kill would."""


def test_a_training_goes_on_from_its_checkpoint(tmp_path, monkeypatch):
    """Killed after some epochs: the rest gives the arrays of an uninterrupted run, bit by bit."""
    study = small_gan(epochs=6)
    parts = study.parts()
    expected = computed(study, parts, tmp_path)
    monkeypatch.setattr(amplib.models.training, "CHECKPOINT_SECONDS", -1)
    calls = []

    def kill_in_epoch_4(work):
        calls.append(work)
        if len(calls) == 5:
            raise Killed

    with pytest.raises(Killed):
        computed(study, parts, tmp_path, kill_in_epoch_4)
    assert (tmp_path / "checkpoint").exists()
    resumed = []
    again = computed(study, parts, tmp_path, resumed.append)
    assert resumed[0] == 3 * 3 * 10  # three epochs of ten steps of three GANs are not done again
    assert all(same(again[part], expected[part]) for part in parts)
    assert not (tmp_path / "checkpoint").exists()


def test_a_run_killed_while_it_generates_goes_on_from_the_last_epoch(tmp_path, monkeypatch):
    study = small_gan(epochs=6)
    parts = study.parts()
    expected = computed(study, parts, tmp_path)
    monkeypatch.setattr(amplib.models.training, "CHECKPOINT_SECONDS", -1)
    calls = []

    def kill_after_the_last_epoch(work):
        calls.append(work)
        if len(calls) == 8:  # the start, six epochs, the first events
            raise Killed

    with pytest.raises(Killed):
        computed(study, parts, tmp_path, kill_after_the_last_epoch)
    resumed = []
    again = computed(study, parts, tmp_path, resumed.append)
    assert resumed[0] == 6 * 3 * 10
    assert all(same(again[part], expected[part]) for part in parts)


def test_a_damaged_checkpoint_is_named(tmp_path):
    (tmp_path / "checkpoint").write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match=r"checkpoint is damaged .*delete it to train anew"):
        computed(small_gan(), [(0, 0)], tmp_path)


def process_group(leader):
    """Ids of the living processes of a group."""
    alive = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        state, _, group = text.rpartition(")")[2].split()[:3]
        if int(group) == leader and state not in "ZX":
            alive.append(int(stat.parent.name))
    return alive


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.mark.skipif(not Path("/proc").exists(), reason="reads /proc")
def test_a_killed_run_loses_no_part_and_leaves_no_worker(tmp_path):
    """kill -9 of the command when its first part has landed, then the same command again."""
    values = {**SMALL, "epochs": 15, "repetitions": 4}
    study = small_gan(**values)
    pairs = [f"{name}={value}" for name, value in values.items()]
    command = [*COMMAND, "--group", "1", "--set", *pairs]
    environment = {**os.environ, "AMPLIFY_RESULTS": str(tmp_path)}
    result, quiet = Result(study, "smoke"), subprocess.DEVNULL

    run = subprocess.Popen(
        [*command, "--jobs", "2"], env=environment, start_new_session=True, stderr=quiet
    )
    try:
        wait_for(lambda: result.record()["parts"])
        workers = len(process_group(run.pid)) - 1
        run.kill()
        assert run.wait(60) == -signal.SIGKILL
        assert workers >= 2
        wait_for(lambda: not process_group(run.pid))
    finally:
        if process_group(run.pid):
            os.killpg(run.pid, signal.SIGKILL)
    survived = result.load()
    record = result.record()["parts"]
    assert survived
    assert result.missing(), "the run ended before it was killed"

    command += ["--jobs", "1"]
    subprocess.run(command, env=environment, check=True, stderr=quiet, timeout=300)
    assert not result.missing()
    for part, arrays in result.load().items():
        made = result.record()["parts"][part_name(part)]
        path = "bf16" if "oneDNN" in made["device"] else "ieee"  # each worker chose by itself
        torch.backends.mkldnn.matmul.fp32_precision = path
        assert same(arrays, computed(study, [part], tmp_path)[part]), part
        if part in survived:
            assert result.record()["parts"][part_name(part)] == record[part_name(part)]
    left = [p.name for p in tmp_path.rglob("*") if p.is_file()]
    assert not [name for name in left if name.endswith(".safetensors")]


def test_parts_are_not_added_to_the_result_of_other_code(tmp_path):
    result = Result(small_gan(), "smoke", tmp_path)
    result.check_fingerprint()  # nothing stored: nothing to disagree with
    result.save((0, 0), gan_part(small_gan()), MADE)
    result.check_fingerprint()
    path = result.folder / "record.json"
    record = json.loads(path.read_text())
    record["fingerprint"][0] *= 1 + 1e-5
    path.write_text(json.dumps(record))
    with pytest.raises(ValueError, match=r"was made by other code; delete it, then make compute"):
        result.check_fingerprint()


def test_a_part_is_verified_once_as_long_as_its_file_stays(monkeypatch):
    """And again as soon as anything is written to it, of the same length or not."""
    result = filled()
    read = []
    bytes_of = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path.name) or bytes_of(path))
    for _ in range(3):
        assert result.done() == [(0, 0), (1, 0)]
    assert len(read) == 2
    path = result.folder / part_name((0, 0))
    data = bytes_of(path)
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.warns(DamagedPartWarning):
        assert result.done() == [(1, 0)]


# ---- what a result is made of ----


def tiny_map():
    """Of a scan of its own."""
    return make_study("latent-map", "smoke")


@pytest.mark.parametrize("stored", [["laptop"], ["smoke"], ["smoke", "laptop"], []])
def test_a_source_is_found_under_the_preset_that_has_it(stored, monkeypatch):
    """Its own comes first; so does it where none has it."""
    monkeypatch.setattr(
        Result, "missing", lambda self: [] if self.preset in stored else self.study.parts()
    )
    result = Result(tiny_map(), "smoke")
    expected = "smoke" if "smoke" in stored or not stored else "laptop"
    assert source_of(result).preset == expected
    assert source_of(result).study == result.study.made_of()


def test_a_source_that_is_damaged_elsewhere_is_made_here(monkeypatch):
    def missing(self):
        if self.preset == "laptop":
            raise DamagedResult("a part is damaged")
        return self.study.parts()

    monkeypatch.setattr(Result, "missing", missing)
    assert source_of(Result(tiny_map(), "smoke")).preset == "smoke"


def test_what_is_made_of_nothing_has_no_source():
    assert source_of(Result(small_gan(), "smoke")) is None
