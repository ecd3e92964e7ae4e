"""Shares of a study's parts: nothing twice, nothing forgotten, and home again in one piece."""

import io
import json
import tarfile
from pathlib import Path

import pytest
from stored_parts import MADE, gan_part

import amplib.files
from amplib.store.results import Result, part_name, work_folder
from amplib.store.shares import next_to_compute, pack, shares, take, unpacked
from amplib.store.study import PRESETS
from amplib.studies.catalogue import STUDIES, make_study


@pytest.fixture(autouse=True)
def ours(tmp_path, monkeypatch):
    """A store of our own for every test."""
    for name in ("RESULTS", "DATA"):
        monkeypatch.setattr(amplib.files, name, tmp_path / "ours" / name.lower())
    return tmp_path / "ours"


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("preset", PRESETS)
def test_every_part_is_in_one_share(name, preset):
    """Whatever the first number of a part means in the study: a range of it is a share."""
    result = Result(make_study(name, preset), preset)
    wanted = result.study.parts()
    for jobs in (1, 2, 3, 7, 1000):
        found = shares(result, jobs)
        assert len(found) == min(jobs, len({part[0] for part in wanted}))
        assert sorted(p for share in found for p in share.missing) == sorted(wanted)
        assert len({share.name for share in found}) == len(found)
        sizes = [share.last - share.first for share in found]
        assert max(sizes) - min(sizes) <= 1
        for share in found:
            assert all(share.first <= part[0] <= share.last for part in share.missing)


def small(**changes):
    return make_study(
        "gan", "smoke", **{"width": 8, "max_events": 200, "repetitions": 6, **changes}
    )


def test_what_is_stored_is_in_no_share_and_moves_no_other():
    """A share keeps its range, and so its folder, while others come home."""
    result = Result(small(), "smoke")
    before = [share.name for share in shares(result, 3)]
    assert before == ["0-1", "2-3", "4-5"]
    for k in (0, 1, 3):
        result.save((k, 0), gan_part(small(), k), MADE)
    now = shares(result, 3)
    assert [share.name for share in now] == ["2-3", "4-5"]
    assert now[0].missing == ((2, 0),)


def test_a_share_takes_as_long_as_what_is_missing_of_it():
    result = Result(small(), "smoke")
    (all_of_it,) = shares(result, 1)
    first, *_ = shares(result, 6)
    assert all_of_it.minutes("cpu") == pytest.approx(6 * first.minutes("cpu"))
    assert first.minutes("cuda") < first.minutes("cpu")


def test_no_share_at_all_is_refused():
    with pytest.raises(ValueError, match="jobs = 0: must be an integer from 1"):
        shares(Result(small(), "smoke"), 0)


def test_what_a_study_is_made_of_comes_first():
    scan = Result(make_study("scan", "smoke"), "smoke")
    assert next_to_compute(scan).study.name == "ttbar"  # the events of its reference
    gan = Result(small(), "smoke")
    assert next_to_compute(gan) is gan
    for part in gan.study.parts():
        gan.save(part, gan_part(small()), MADE)
    assert next_to_compute(gan) is None


@pytest.fixture
def theirs(tmp_path):
    """Two parts on another machine, one of them damaged, and a training under way."""
    result = Result(small(), "smoke", tmp_path / "theirs")
    for k in range(2):
        result.save((k, 0), gan_part(small(), k), MADE)
    (result.folder / part_name((1, 0))).write_bytes(b"damaged")
    for name in ("a.safetensors", "a.json", "a.lock"):
        (work_folder(result.root) / name).write_text(name)
    return result


@pytest.mark.filterwarnings("ignore:.*does not match its SHA-256")
def test_an_archive_brings_home_what_is_whole(theirs, tmp_path):
    pack(tmp_path / "share.tar", [theirs])
    taken, refused = take(tmp_path / "share.tar", STUDIES)
    assert taken == [f"smoke/camel-gan/{small().key()}: 1 taken, 0 here already"]
    assert Result(small(), "smoke").record()["parts"].keys() == {"part-000-00.npz"}
    assert not refused
    assert Result(small(), "smoke").done() == [(0, 0)]


@pytest.mark.filterwarnings("ignore:.*does not match its SHA-256")
def test_checkpoints_travel_and_newer_ones_stay(theirs, tmp_path):
    """Locks do not: they are of the machine that holds them."""
    pack(tmp_path / "share.tar", [theirs], theirs.root)
    with unpacked(tmp_path / "share.tar") as folder:
        assert sorted(p.name for p in (folder / "work").iterdir()) == ["a.json", "a.safetensors"]
    store = tmp_path / "next"
    (work_folder(store) / "a.json").write_text("newer")
    take(tmp_path / "share.tar", STUDIES, store)
    assert (work_folder(store) / "a.json").read_text() == "newer"
    assert (work_folder(store) / "a.safetensors").read_text() == "a.safetensors"


@pytest.mark.filterwarnings("ignore:.*does not match its SHA-256")
def test_a_checkpoint_that_comes_home_is_whole_or_not_there(theirs, tmp_path, monkeypatch):
    pack(tmp_path / "share.tar", [theirs], theirs.root)

    def full(path, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="cannot be written"):
        take(tmp_path / "share.tar", STUDIES, tmp_path / "next")
    assert not list(work_folder(tmp_path / "next").iterdir())


def test_an_archive_of_nothing_brings_nothing(tmp_path):
    pack(tmp_path / "given.tar", [Result(small(), "smoke")])
    assert take(tmp_path / "given.tar", STUDIES) == ([], [])


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "share.tar").write_text("text")
    with pytest.raises(ValueError, match=r"share\.tar is no archive of results"):
        take(tmp_path / "share.tar", STUDIES)


def test_an_archive_cannot_write_elsewhere(tmp_path):
    """Nor is anything of it taken."""
    with tarfile.open(tmp_path / "share.tar", "w") as archive:
        entry = tarfile.TarInfo("../outside.txt")
        archive.addfile(entry, io.BytesIO(b""))
    with pytest.raises(ValueError, match="is no archive of results"):
        take(tmp_path / "share.tar", STUDIES)
    assert not list(tmp_path.rglob("outside.txt"))


def test_a_job_that_runs_out_of_time_is_gone_on_with_on_another_machine(
    tmp_path, monkeypatch, capfd
):
    """Each in a folder of its own that the other does not see; only the archive travels."""
    import share  # the script of workflow/

    study = small(repetitions=1, epochs=60)
    said = {"study": "gan", "preset": "smoke", "parameters": study.asdict(), "device": "cpu"}
    pack(tmp_path / "given.tar", [Result(study, "smoke")])
    before = []
    for number, minutes in enumerate((1e-6, 60)):
        machine = tmp_path / f"machine-{number}"
        machine.mkdir()
        monkeypatch.chdir(machine)
        monkeypatch.setenv("AMPLIFY_JOBS", "1")
        monkeypatch.setattr(amplib.files, "RESULTS", amplib.files.Path("store/results"))
        work = json.dumps({**said, "only": [0, 0], "minutes": minutes})
        home = tmp_path / f"{number}.tar"
        share.main([work, str(home), str(tmp_path / "given.tar"), *before])
        before = [str(home)]
        told = capfd.readouterr().err
        assert ("time is up; the next job goes on from here" in told) == (number == 0)
        with tarfile.open(home) as archive:
            names = [name.partition("/")[0] for name in archive.getnames()]
        assert set(names) == ({"work"} if number == 0 else {"smoke"})
    monkeypatch.setattr(amplib.files, "RESULTS", tmp_path / "home")
    assert take(home, STUDIES)[1] == []
    result = Result(study, "smoke")
    assert result.done() == [(0, 0)]
