"""``amplib worth`` on files of every format, and what it refuses."""

import json

import h5py
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import amplib
from amplib.__main__ import main
from amplib.door.event_file import read_events

RNG = np.random.default_rng(4)
X = amplib.CamelBack(width=1.2).sample(4000, RNG)
W = RNG.exponential(size=4000)
TABLE = np.column_stack([X, W])


def write_csv(path):
    np.savetxt(path, TABLE, delimiter=",", header="x,w", comments="", fmt="%.17g")


def write_txt(path):
    np.savetxt(path, TABLE, header="x w", fmt="%.17g")


def write_npy(path):
    np.save(path, np.rec.fromarrays([X, W], names="x,w"))


def write_hdf5(path):
    with h5py.File(path, "w") as file:
        file["x"], file["w"] = X, W


def write_parquet(path):
    parquet.write_table(pa.table({"x": X, "w": W}), path)


FORMATS = {
    "a.csv": write_csv, "a.txt": write_txt, "a.npy": write_npy, "a.h5": write_hdf5,
    "a.parquet": write_parquet,
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_read_by_names(tmp_path, name):
    FORMATS[name](tmp_path / name)
    read = read_events(tmp_path / name, ["x"], "w")
    np.testing.assert_array_equal(read.x[:, 0], X)
    np.testing.assert_array_equal(read.weights, W)
    assert sorted(read_events(tmp_path / name).names) == ["w", "x"]


def test_columns_without_names_have_numbers(tmp_path):
    np.save(tmp_path / "a.npy", TABLE)
    np.savetxt(tmp_path / "a.csv", TABLE, delimiter=",")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["group/events"] = TABLE
    for name in ("a.npy", "a.csv", "a.h5"):
        np.testing.assert_allclose(read_events(tmp_path / name, ["1"]).x[:, 0], W)
        assert read_events(tmp_path / name).x.shape == (4000, 2)


def test_the_command_answers_as_python_does(tmp_path, capsys):
    write_csv(tmp_path / "a.csv")
    held_out = amplib.CamelBack().sample(20_000, RNG)
    np.savetxt(tmp_path / "truth.csv", held_out, header="x", comments="", fmt="%.17g")
    a, plot = str(tmp_path / "a.csv"), tmp_path / "a.svg"

    truth = ["--truth", "camel-back", "--train", "100"]
    assert main(["worth", a, *truth, "--columns", "x", "--plot", str(plot)]) == 0
    expected = amplib.worth(X, truth=amplib.CamelBack(), n_train=100)
    assert capsys.readouterr().out == f"{expected}\n"
    assert plot.read_bytes().startswith(b"<?xml")

    given = ["--held-out", str(tmp_path / "truth.csv"), "--weights", "w", "--quantiles", "20"]
    assert main(["worth", a, *given, "--json"]) == 0
    expected = amplib.worth(X, held_out=held_out, quantiles=20, weights=W)
    assert json.loads(capsys.readouterr().out) == expected.to_dict()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["a.csv"], "either truth or held_out"),
        (["a.csv", "--truth", "camel"], "truth = 'camel': allowed are camel-back, ring"),
        (["a.csv", "--truth", "camel-back"], "events have 2 columns, the truth has 1"),
        (["a.csv", "--truth", "ring", "--columns", "y"], "no column 'y'; there are x, w"),
        (["a.csv", "--truth", "camel-back", "--columns", "x", "--weights", "v"], "no column 'v'"),
        (["a.csv", "--truth", "ring", "--plot", "none/a.svg"], "no such folder"),
        (["b.csv", "--truth", "ring"], "no such file"),
        (["a.root", "--truth", "ring"], "unknown suffix; allowed: .csv, .txt, .npy"),
        (["pickled.npy", "--truth", "ring"], "cannot be read: Object arrays"),
        (["text.npy", "--truth", "ring"], "cannot be read"),
        (["text.h5", "--truth", "ring"], "cannot be read"),
        (["text.parquet", "--truth", "ring"], "cannot be read"),
        (["text.csv", "--truth", "ring"], "cannot be read"),
        (["empty.csv", "--truth", "ring"], "cannot be read"),
        (["mixed.h5", "--truth", "ring"], "expected one table"),
        (["words.parquet", "--truth", "ring"], "must be numbers"),
        (["cube.npy", "--truth", "ring"], "shape"),
    ],
)
def test_bad_files_are_refused_in_one_line(tmp_path, monkeypatch, capsys, options, message):
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "a.csv")
    (tmp_path / "a.root").touch()
    (tmp_path / "empty.csv").touch()
    np.save(tmp_path / "pickled.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save(tmp_path / "cube.npy", np.zeros((3, 3, 3)))
    for suffix in ("csv", "npy", "h5", "parquet"):
        (tmp_path / f"text.{suffix}").write_text("a,b\n1,2\nno, numbers\n")
    with h5py.File(tmp_path / "mixed.h5", "w") as file:
        file["x"], file["table"] = X, TABLE
    parquet.write_table(pa.table({"x": ["a", "b"]}), tmp_path / "words.parquet")
    assert main(["worth", *options]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("amplib: ") and error.count("\n") == 1
