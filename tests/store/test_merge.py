"""Parts of another machine: what is taken, what is kept, and what is refused, by name."""

import json
import shutil

import numpy as np
import pytest
from stored_parts import MADE, gan_part

import amplib.files
from amplib.__main__ import main
from amplib.store.merge import merge
from amplib.store.results import Result, part_name, part_of
from amplib.studies.catalogue import STUDIES, make_study


@pytest.fixture(autouse=True)
def ours(tmp_path, monkeypatch):
    """A store of our own for every test."""
    monkeypatch.setattr(amplib.files, "RESULTS", tmp_path / "ours")
    return tmp_path / "ours"


def study(**changes):
    return make_study(
        "gan", "smoke", **{"width": 8, "max_events": 200, "repetitions": 3, **changes}
    )


@pytest.fixture
def theirs(tmp_path):
    """Two good parts on another machine."""
    result = Result(study(), "smoke", tmp_path / "theirs")
    for k in range(2):
        result.save((k, 0), gan_part(study(), k), MADE)
    return result


def test_parts_are_taken_with_their_record(theirs):
    taken, refused = merge(theirs.root, STUDIES)
    assert taken == [f"smoke/camel-gan/{study().key()}: 2 taken, 0 here already"]
    assert not refused
    here = Result(study(), "smoke")
    assert here.done() == [(0, 0), (1, 0)]
    np.testing.assert_array_equal(here.part((1, 0))["counts"], gan_part(study(), 1)["counts"])
    assert here.record() == theirs.record()
    taken, refused = merge(theirs.root, STUDIES)
    assert taken == [f"smoke/camel-gan/{study().key()}: 0 taken, 2 here already"]


def test_ours_is_kept_where_both_have_a_part(theirs):
    here = Result(study(), "smoke")
    here.save((0, 0), gan_part(study(), 7), MADE)
    merge(theirs.root, STUDIES)
    assert here.part((0, 0))["sample"][0, 0] == 7
    assert here.part((1, 0))["sample"][0, 0] == 1


def test_parts_of_another_published_file_are_refused(theirs):
    """A result is of one version of the file, as when it is computed."""
    here = Result(study(), "smoke")
    here.save((2, 0), gan_part(study(), 2), {**MADE, "data": {"gamma-fullG4.hdf5": "a" * 64}})
    other = {**MADE, "data": {"gamma-fullG4.hdf5": "b" * 64}}
    theirs.save((1, 0), gan_part(study(), 1), other)
    taken, refused = merge(theirs.root, STUDIES)
    assert taken[0].endswith("0 taken, 0 here already")
    paths = [theirs.folder / part_name((k, 0)) for k in range(2)]
    another = "was made of another published file than the parts here"
    assert refused == [f"{path} {another}" for path in paths]
    same = {**MADE, "data": {"gamma-fullG4.hdf5": "a" * 64}}
    for k in range(2):
        theirs.save((k, 0), gan_part(study(), k), same)
    assert merge(theirs.root, STUDIES) == (
        [f"smoke/camel-gan/{study().key()}: 2 taken, 0 here already"],
        [],
    )


def test_a_damaged_part_is_refused_and_the_others_are_taken(theirs):
    path = theirs.folder / part_name((0, 0))
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    taken, refused = merge(theirs.root, STUDIES)
    assert refused == [f"{path}: does not match its SHA-256"]
    assert taken[0].endswith("1 taken, 0 here already")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"counts": np.zeros((3, 100), np.int32)}, "counts is int32 (3, 100), expected int32"),
        ({"counts": np.zeros((4, 100), np.int64)}, "counts is int64 (4, 100), expected int32"),
        ({"more": np.zeros(1)}, "arrays sample, counts, density, losses, diverged, more, expected"),
    ],
    ids=["shape", "type", "names"],
)
def test_arrays_of_another_kind_are_refused(theirs, change, message):
    """Their checksum is right, but they are no part of this study."""
    theirs.save((2, 0), gan_part(study(), **change), MADE)
    _, refused = merge(theirs.root, STUDIES)
    (line,) = refused
    assert line.startswith(f"{theirs.folder / part_name((2, 0))}: {message}")
    assert not Result(study(), "smoke").has((2, 0))


def changed(theirs, **changes):
    path = theirs.folder / "record.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parameters": {"seed": 5}}, "its parameters have the key"),
        ({"parameters": {"sede": 5}}, "unknown parameter 'sede'"),
        ({"parameters": {"width": -1}}, "width = -1"),
        ({"study": "camel-gnu"}, "no study is stored as 'camel-gnu'"),
        ({"preset": "papre"}, "preset = 'papre'"),
        ({"fingerprint": [1.0, 2.0]}, "made by other code"),
        ({"fingerprint": None}, "damaged"),
        ({"parameters": [1]}, "damaged"),
        ({"parts": []}, "damaged"),
        ({"parts": {"part-000-00.npz": {}}}, "damaged"),
    ],
    ids=str,
)
def test_a_result_that_is_not_what_its_record_says_is_refused(theirs, changes, message):
    changed(theirs, **changes)
    taken, (line,) = merge(theirs.root, STUDIES)
    assert not taken
    assert str(theirs.folder / "record.json") in line
    assert message in line


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"study": 1}'])
def test_a_damaged_record_is_refused(theirs, text):
    (theirs.folder / "record.json").write_text(text)
    _, (line,) = merge(theirs.root, STUDIES)
    assert "damaged" in line


def test_a_name_that_is_no_part_is_refused(theirs):
    record = theirs.record()
    record["parts"]["../part-000-00.npz"] = record["parts"]["part-000-00.npz"]
    (theirs.folder / "record.json").write_text(json.dumps(record))
    taken, (line,) = merge(theirs.root, STUDIES)
    assert "'../part-000-00.npz' is no part" in line
    assert taken[0].endswith("2 taken, 0 here already")


def test_names_and_parts():
    for part in [(0,), (3, 7), (1234, 5)]:
        assert part_of(part_name(part)) == part
    for name in ["part-1.npz", "part-001-7.npz", "part--01.npz", "record.json", "part-001.npz/"]:
        assert part_of(name) is None


def test_the_command_says_what_it_took_and_refused(theirs, capsys):
    """One good result, one of another key, one damaged part; the exit status tells."""
    other = theirs.folder.with_name("0123456789ab")
    shutil.copytree(theirs.folder, other)
    (theirs.folder / part_name((0, 0))).write_bytes(b"")
    assert main(["merge", str(theirs.root)]) == 1
    out, err = capsys.readouterr()
    assert out == f"smoke/camel-gan/{study().key()}: 1 taken, 0 here already\n"
    assert err.count("refused: ") == 2
    assert main(["merge", str(theirs.root / "nowhere")]) == 2
    assert "no record.json under" in capsys.readouterr().err
