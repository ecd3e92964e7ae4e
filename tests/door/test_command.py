"""``amplib worth`` on files of every format, and what it refuses."""

import csv
import gzip
import json
import re

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

import amplib
from amplib.__main__ import main
from amplib.door.event_file import read_events
from amplib.door.event_writer import write_events
from amplib.truth.collisions.columns import TTBAR

RNG = np.random.default_rng(4)
X = amplib.CamelBack(width=1.2).sample(4000, RNG)
W = RNG.exponential(size=4000)
TABLE = np.column_stack([X, W])


def write_csv(path):
    np.savetxt(path, TABLE, delimiter=",", header="x,w", comments="", fmt="%.17g")


def write_txt(path):
    np.savetxt(path, TABLE, header="x w", fmt="%.17g")


def write_gzipped(path):
    with gzip.open(path, "wb") as file:
        np.savetxt(file, TABLE, delimiter=",", header="x,w", comments="", fmt="%.17g")


def write_npy(path):
    np.save(path, np.rec.fromarrays([X, W], names="x,w"))


def write_hdf5(path):
    with h5py.File(path, "w") as file:
        file["x"], file["w"] = X, W


def write_parquet(path):
    parquet.write_table(pa.table({"x": X, "w": W}), path)


FORMATS = {
    "a.csv": write_csv, "a.txt": write_txt, "a.npy": write_npy, "a.h5": write_hdf5,
    "a.parquet": write_parquet, "a.csv.gz": write_gzipped, "a.CSV": write_csv,
    "a.TXT.GZ": write_gzipped,
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


def test_a_mark_before_the_first_line_hides_nothing(tmp_path):
    """Some programs begin a file with one: neither an event nor a name is lost to it."""
    for head, names in (("", ("0",)), ("x\n", ("x",))):
        text = head + "".join(f"{x:.17g}\n" for x in X[:10])
        (tmp_path / "a.csv").write_text(text, encoding="utf-8-sig")
        read = read_events(tmp_path / "a.csv")
        assert read.names == names
        np.testing.assert_array_equal(read.x[:, 0], X[:10])


PANDAS = pd.DataFrame(TABLE[:50], columns=["x", "w"])


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (lambda path: PANDAS.to_csv(path), ""),
        (lambda path: pd.DataFrame(TABLE).to_csv(path), None),
        (lambda path: pd.DataFrame(TABLE).to_csv(path, index=False), None),
        (lambda path: pd.DataFrame(TABLE).to_csv(path, index=False, sep=" "), None),
        (lambda path: PANDAS.rename_axis("Unnamed: 0").to_csv(path), "Unnamed: 0"),
        (lambda path: np.save(path, PANDAS.to_records()), "index"),
    ],
)
def test_numbers_of_rows_and_columns_are_no_events(tmp_path, written, name):
    """pandas writes them where nobody asks for them."""
    path = tmp_path / f"a{'.npy' if name == 'index' else '.csv'}"
    written(path)
    line = "numbers the columns" if name is None else f"column {name!r} numbers the rows"
    with pytest.raises(ValueError, match=line) as error:
        read_events(path)
    assert "index=False" in str(error.value) and "\n" not in str(error.value)
    if name is not None:
        assert read_events(path, ["x", "w"]).names == ("x", "w")


def test_pandas_index_in_parquet_is_no_column(tmp_path):
    """It is named in the file as what it is."""
    for k, frame in enumerate((PANDAS, PANDAS[PANDAS.x > 0], PANDAS.rename_axis("event"))):
        frame.to_parquet(tmp_path / f"{k}.parquet")
        assert read_events(tmp_path / f"{k}.parquet").names == ("x", "w")


def test_what_pandas_writes_with_names_is_read(tmp_path):
    """In quotes or not; and whole numbers whose first line is no 0, 1 ... are events."""
    path = tmp_path / "a.csv"
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC, csv.QUOTE_ALL):
        PANDAS.to_csv(path, index=False, quoting=quoting)
        read = read_events(path)
        assert read.names == ("x", "w")
        np.testing.assert_array_equal(read.x, PANDAS)
    path.write_text("1,0\n0,1\n")
    assert read_events(path).x.tolist() == [[1, 0], [0, 1]]
    for first in ("# 0 1", "# 0\t1"):
        path.write_text(f"{first}\n3 4\n")
        assert read_events(path).x.tolist() == [[3, 4]]


TEXTS = {
    "quoted.csv": '"label, as read","pt l1",eta,w\n"a, ""b"" #1",1.5,2,0.5\n"",3,4,0.25\n',
    "plain.csv": "label, pt l1, eta, w\nttbar,1.5,2,0.5\n,3,4,0.25\n",
    "tabs.txt": "label\tpt l1\teta\tw\nt tbar\t1.5\t2\t0.5\n\t3\t4\t0.25\n",
    "white.txt": 'label "pt l1" eta w\n"t tbar" 1.5 2 0.5\nZ 3 4 0.25\n',
}
"""Files with a column that holds text."""


@pytest.mark.parametrize("name", TEXTS)
def test_text_is_in_the_way_of_no_other_column(tmp_path, name):
    """Only the columns that are asked for are numbers; of all, the one that is none is named."""
    path = tmp_path / name
    path.write_text(TEXTS[name])
    label = "label, as read" if "quoted" in name else "label"
    read = read_events(path, ["eta", "pt l1"], "w")
    assert read.x.tolist() == [[2, 1.5], [4, 3]] and read.weights.tolist() == [0.5, 0.25]
    assert (read.names, read.others) == (("eta", "pt l1"), (label,))
    assert read_events(path, ["eta"]).others == (label, "pt l1", "w")
    for weights in (None, "w"):
        line = rf"column '{label}' must be numbers, but event 0 \(from 0\) has '.*'; --columns"
        with pytest.raises(ValueError, match=line):
            read_events(path, weights=weights)
    with pytest.raises(ValueError, match=r"must be numbers, but event 0 .*'$"):
        read_events(path, [label, "eta"])


def test_text_without_names_is_left_out_by_numbers(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("ttbar,1.5,2\nZ,3,4\n")
    assert read_events(path, ["2", "1"]).x.tolist() == [[2, 1.5], [4, 3]]
    for columns in ([], ["0", "1"], ["ttbar"], ["3"]):
        with pytest.raises(ValueError, match="its first line has names and numbers"):
            read_events(path, columns)


@pytest.mark.parametrize(
    "text", ["x,y\na,1,2\n", "x,y,z,v\na,1,2\n", "x,y\na,1\nb,1,2\n", "x,y\na,1\nb\n"]
)
def test_what_is_not_asked_for_shifts_nothing(tmp_path, text):
    """A row with a field more or less would give the events other columns."""
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ValueError, match=r"names for 3 columns|columns changed from 2 to"):
        read_events(tmp_path / "a.csv", ["y"])


def test_text_in_other_formats_is_named(tmp_path):
    parquet.write_table(pa.table({"label": ["a", "b"], "x": [1.0, 2.0]}), tmp_path / "a.parquet")
    np.save(tmp_path / "a.npy", np.rec.fromarrays([["a", "b"], [1.0, 2.0]], names="label,x"))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["label"], file["x"] = ["a", "b"], [1.0, 2.0]
    for path in (tmp_path / f"a.{suffix}" for suffix in ("parquet", "npy", "h5")):
        assert read_events(path, ["x"]).x.tolist() == [[1], [2]]
        with pytest.raises(ValueError, match="column 'label' must be numbers; --columns with"):
            read_events(path)


def test_the_command_answers_as_python_does(tmp_path, capsys):
    write_csv(tmp_path / "a.csv")
    held_out = amplib.CamelBack().sample(20_000, RNG)
    np.savetxt(tmp_path / "truth.csv", held_out, header="x", comments="", fmt="%.17g")
    a, plot = str(tmp_path / "a.csv"), tmp_path / "a.svg"

    truth = ["--truth", "camel-back", "--train", "1e2"]
    assert main(["worth", a, *truth, "--columns", "x", "--plot", str(plot)]) == 0
    expected = amplib.worth(X, truth=amplib.CamelBack(), n_train=100)
    assert capsys.readouterr().out == f"{expected}\n"
    assert plot.read_bytes().startswith(b"<?xml")

    given = ["--held-out", str(tmp_path / "truth.csv"), "--weights", "w", "--quantiles", "20"]
    assert main(["worth", a, *given, "--json"]) == 0
    expected = amplib.worth(X, held_out=held_out, quantiles=20, weights=W, columns=["x"])
    assert json.loads(capsys.readouterr().out) == expected.to_dict()


def write_damaged(folder):
    """Files that are read as what they do not say, or lead elsewhere, if nobody looks."""
    rows = "".join(f"{x},{x}\n" for x in X[:200])
    (folder / "twice.csv").write_text(f"x,x\n{rows}")
    (folder / "event.csv").write_text(f"1.0,oops\n{rows}")
    np.save(folder / "complex.npy", X + 1j)
    np.save(folder / "pairs.npy", np.zeros(50, [("p", float, (2,))]))
    np.savez(folder / "archive.npz", X)
    (folder / "archive.npz").rename(folder / "archive.npy")
    with (folder / "huge.npy").open("wb") as stream:
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**16,)}
        np.lib.format.write_array_header_1_0(stream, header)
    (folder / "raw").write_bytes(X.tobytes())
    with h5py.File(folder / "elsewhere.h5", "w") as file:
        file.create_dataset("x", X.shape, X.dtype, external=[("raw", 0, X.nbytes)])
    (folder / "cut.csv.gz").write_bytes(gzip.compress(rows.encode())[:-20])
    (folder / "ragged.csv").write_text("x,y\n1,2\n1,2\n1,2\n1\n")
    (folder / "semicolons.csv").write_text("x;y\n1,5;2,5\n")
    np.save(folder / "none.npy", np.empty((0, 2)))
    np.save(folder / "nan.npy", np.where(np.arange(400).reshape(200, 2) == 7, np.nan, 1.0))
    (folder / "plain.csv.gz").write_text(rows)
    with h5py.File(folder / "virtual.h5", "w") as file:
        layout = h5py.VirtualLayout(X.shape, X.dtype)
        layout[:] = h5py.VirtualSource("other.h5", "x", X.shape)
        file.create_virtual_dataset("x", layout)
    for name, item in {
        "nothing": h5py.Empty("f8"),
        "loop": h5py.SoftLink("/x"),
        "linked": h5py.ExternalLink("a.h5", "x"),
    }.items():
        with h5py.File(folder / f"{name}.h5", "w") as file:
            file["x"] = item
    parquet.write_table(pa.Table.from_arrays([X, X], names=["x", "x"]), folder / "twice.parquet")
    parquet.write_table(pa.table({"x": X.astype("M8[s]")}), folder / "days.parquet")
    parquet.write_table(pa.table({"x": X}), folder / "damaged.parquet")
    data = bytearray((folder / "damaged.parquet").read_bytes())
    data[20:400] = b"\xff" * 380
    (folder / "damaged.parquet").write_bytes(data)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["a.csv"], "either --truth or --held-out"),
        (["a.csv", "--truth", "camel"], "truth = 'camel': allowed are camel-back, ring"),
        (["a.csv", "--truth", "camel-back"], "events have 2 columns, the truth has 1"),
        (["a.csv", "--truth", "ring", "--columns", "y"], "no column 'y'; there are x, w"),
        (["a.csv", "--truth", "camel-back", "--columns", "x", "--weights", "v"], "no column 'v'"),
        (["a.csv", "--truth", "ring", "--plot", "none/a.svg"], "no such folder"),
        (["a.csv", "--truth", "ring", "--plot", "folder.svg"], "--plot folder.svg: is a folder"),
        (["a.csv", "--truth", "ring", "--plot", "old.svg"], "old.svg: is there already; --force"),
        (["b.csv", "--truth", "ring"], "no such file"),
        (["a.root", "--truth", "ring"], "unknown suffix; allowed: .csv, .csv.gz, .txt"),
        (["pickled.npy", "--truth", "ring"], "cannot be read: Object arrays"),
        (["text.npy", "--truth", "ring"], "cannot be read"),
        (["text.h5", "--truth", "ring"], "cannot be read"),
        (["text.parquet", "--truth", "ring"], "cannot be read"),
        (
            ["text.csv", "--truth", "ring"],
            "must be numbers, but event 1 (from 0) has 'no'",
        ),
        (["empty.csv", "--truth", "ring"], "empty.csv cannot be read: it holds no events"),
        (["names.csv", "--truth", "ring"], "names.csv cannot be read: it holds no events"),
        (["a.csv", "--truth", "ring", "--held-out", "b.csv"], "either --truth or --held-out"),
        (["a.csv", "--truth", "ring", "--columns", "x", "w", "--weights", "w"], "--columns w: the"),
        (["same.csv", "--held-out", "same.csv"], "have the value 5 in column 'y' to cut equal"),
        (["mixed.h5", "--truth", "ring"], "expected one table"),
        (["words.parquet", "--truth", "ring"], "must be numbers"),
        (["cube.npy", "--truth", "ring"], "shape"),
        (["a.csv", "--truth", "ring", "--plot", "a.pgf"], "allowed: .svg, .pdf, .png"),
        (["twice.csv", "--truth", "ring"], "two columns are called 'x'"),
        (["event.csv", "--truth", "ring"], "its first line has names and numbers"),
        (["complex.npy", "--truth", "camel-back"], "must be numbers"),
        (["pairs.npy", "--truth", "ring"], "column 'p' must be numbers"),
        (["cut.csv.gz", "--truth", "ring"], "cut.csv.gz cannot be read: Compressed file ended"),
        (["ragged.csv", "--truth", "ring"], "the number of columns changed from 2 to 1 at row 4\n"),
        (["semicolons.csv", "--truth", "ring"], "expected commas or white space, not semicolons"),
        (["none.npy", "--truth", "ring"], "none.npy cannot be read: it holds no events"),
        (["nan.npy", "--truth", "ring"], "nan.npy: 1 of 200 hold NaN or infinity in 1"),
        (["a.csv", "--truth", "ring", "--columns", "x", "x"], "two columns are called 'x'"),
        (["plain.csv.gz", "--truth", "ring"], "plain.csv.gz cannot be read: Not a gzipped file"),
        (["archive.npy", "--truth", "camel-back"], "cannot be read: the magic string"),
        (["huge.npy", "--truth", "camel-back"], "Unable to allocate"),
        (["elsewhere.h5", "--truth", "camel-back"], "elsewhere.h5: x is kept in another file"),
        (["virtual.h5", "--truth", "camel-back"], "virtual.h5: x is kept in another file"),
        (["nothing.h5", "--truth", "camel-back"], "nothing.h5: x is empty"),
        (["loop.h5", "--truth", "camel-back"], "has no columns of events"),
        (["linked.h5", "--truth", "camel-back"], "has no columns of events"),
        (["twice.parquet", "--truth", "ring"], "twice.parquet cannot be read"),
        (["damaged.parquet", "--truth", "ring"], "damaged.parquet cannot be read"),
        (["days.parquet", "--truth", "camel-back"], "must be numbers"),
        (["a.csv", "--truth", "camel-back", "--train", "1_00"], "invalid int value: '1_00'"),
        (["a.csv", "--truth", "camel-back", "--quantiles", "２０"], "invalid int value"),
    ],
)
def test_bad_files_are_refused_in_one_line(tmp_path, monkeypatch, capsys, options, message):
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "a.csv")
    (tmp_path / "a.root").touch()
    (tmp_path / "folder.svg").mkdir()
    (tmp_path / "old.svg").touch()
    (tmp_path / "empty.csv").touch()
    (tmp_path / "names.csv").write_text("x,y\n")
    (tmp_path / "same.csv").write_text("x,y\n" + "".join(f"{x},5\n" for x in X))
    np.save(tmp_path / "pickled.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save(tmp_path / "cube.npy", np.zeros((3, 3, 3)))
    for suffix in ("csv", "npy", "h5", "parquet"):
        (tmp_path / f"text.{suffix}").write_text("a,b\n1,2\nno, numbers\n")
    with h5py.File(tmp_path / "mixed.h5", "w") as file:
        file["x"], file["table"] = X, TABLE
    parquet.write_table(pa.table({"x": ["a", "b"]}), tmp_path / "words.parquet")
    write_damaged(tmp_path)
    try:
        status = main(["worth", *options])
    except SystemExit as refused:
        status = refused.code
    assert status == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("amplib: ") and error.count("\n") == 1


# ---- two files ----

COMMANDS = {"worth": ["--quantiles", "10"], "reweight": []}
"""What judges events by held-out ones, and what makes it quick."""
WIDE = np.random.default_rng(5).normal(size=(400, 26))


def write_wide(folder):
    """Events of 3, 5 and 26 columns, in files without names and with them."""
    for columns in (3, 5):
        np.save(folder / f"a{columns}.npy", WIDE[:, :columns])
        np.savetxt(folder / f"a{columns}.csv", WIDE[:, :columns], delimiter=",")
    write_events(folder / "a26.csv", iter([WIDE]), TTBAR, len(WIDE))
    for names in ("x,y,z", "z,x,y", "x,y,v", "x,y,z,w"):
        where = folder / f"{names.replace(',', '')}.csv"
        rows = WIDE[:, [("xyzvw").index(name) for name in names.split(",")]]
        np.savetxt(where, rows, delimiter=",", header=names, comments="", fmt="%.17g")


def told(capsys, *arguments):
    """Exit status and both streams, but what the columns are called, and progress."""
    status = main(list(arguments))
    out, error = capsys.readouterr()
    error = "".join(line for line in error.splitlines(True) if "steps" not in line)
    return status, re.sub(r"^Columns: .*\n", "", out, flags=re.MULTILINE), error


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("events", "held_out", "message"),
    [
        ("a3.npy", "a5.npy", "events have 3 columns, the held-out file 5: name those to take"),
        ("a5.npy", "a3.npy", "events have 5 columns, the held-out file 3: name those to take"),
        ("a3.csv", "a5.csv", "events have 3 columns, the held-out file 5: name those to take"),
        ("a3.npy", "a26.csv", "events have 3 columns, the held-out file 26: name those to take"),
        (
            "xyz.csv",
            "xyzw.csv",
            "the held-out file 4: name those to take with --columns; in one alone: w",
        ),
        ("xyz.csv", "xyv.csv", "events have the columns x, y, z, the held-out file x, y, v: name"),
        (
            "xyz.csv",
            "a3.csv",
            "file 0, 1, 2: the same column must have the same name in both",
        ),
    ],
)
def test_files_of_other_columns_are_refused_in_one_line(
    tmp_path, monkeypatch, capsys, command, events, held_out, message
):
    monkeypatch.chdir(tmp_path)
    write_wide(tmp_path)
    status, out, error = told(capsys, command, events, "--held-out", held_out, *COMMANDS[command])
    assert (status, out) == (2, "")
    assert message in error
    assert error.startswith("amplib: ") and error.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_the_columns_that_are_named_are_taken_of_both_files(tmp_path, monkeypatch, capsys, command):
    """Whatever else is in either, and in whatever order: the answer is that of the arrays."""
    monkeypatch.chdir(tmp_path)
    write_wide(tmp_path)
    options = COMMANDS[command]
    plain = told(capsys, command, "a3.npy", "--held-out", "a3.npy", *options)
    assert plain[0] == 0
    three = ["--columns", "0", "1", "2"]
    assert told(capsys, command, "a3.npy", "--held-out", "a5.npy", *three, *options) == plain
    assert told(capsys, command, "xyz.csv", "--held-out", "zxy.csv", *options) == plain
    names = ["--columns", "x", "y", "z"]
    assert told(capsys, command, "xyz.csv", "--held-out", "xyzw.csv", *names, *options) == plain


def test_held_out_events_have_no_weights(tmp_path, monkeypatch, capsys):
    """Those of the events may stand in any column; what is left has the held-out file's columns."""
    monkeypatch.chdir(tmp_path)
    np.save("events.npy", np.column_stack([np.ones(400), WIDE[:, :3]]))
    write_wide(tmp_path)
    options = COMMANDS["worth"]
    plain = told(capsys, "worth", "a3.npy", "--held-out", "a3.npy", *options)
    weighted = ["events.npy", "--weights", "0", "--held-out", "a3.npy"]
    assert told(capsys, "worth", *weighted, *options) == plain


def test_columns_that_no_cut_looks_at_are_named(tmp_path, monkeypatch, capsys):
    """Of ten columns 16 cells cut four, the first that are named; HDF5 has them by the alphabet."""
    monkeypatch.chdir(tmp_path)
    wrong = WIDE[:, :10] + 2 * (np.arange(10) == 8)
    names = list("zyxwvutsrq")
    for file, x in (("a", wrong), ("b", WIDE[:, 10:20])):
        with h5py.File(f"{file}.h5", "w") as h5:
            for name, column in zip(names, x.T, strict=True):
                h5[name] = column
    command = ["worth", "a.h5", "--held-out", "b.h5", "--quantiles", "16"]
    assert main(command) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Columns: q (1 cut), r (1 cut), s (1 cut), t (1 cut)." in said
    assert "6 of 10 columns were not looked at: u, v, w, x, y, z." in said
    assert main([*command, "--json", "--columns", "r", *set(names) - {"r"}]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["cuts"]["r"] == 1 and len(told["not_looked_at"]) == 6
    assert sum(told["cuts"].values()) == 4
    assert told["n_equiv"]["value"] < 40  # 'r' is wrong


def test_weights_of_held_out_events_are_said_to_be_ignored(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("a.npy", "b.npy"):
        np.save(name, np.column_stack([WIDE[:, :2], np.ones(400)]))
    given = ["worth", "a.npy", "--held-out", "b.npy", "--quantiles", "10", "--columns", "0", "1"]
    with pytest.warns(UserWarning, match=r"b\.npy: weights in 2 are not used, held-out"):
        assert main([*given, "--weights", "2"]) == 0
    assert main(given) == 0  # and a warning would be an error


# ---- amplib reweight ----


def test_weights_of_all_events_are_written_in_their_order(tmp_path, capsys):
    rng = np.random.default_rng(1)
    made, real = rng.normal(0.4, 1, (2000, 2)), rng.normal(0, 1, (2000, 2))
    np.save(tmp_path / "made.npy", made)
    np.save(tmp_path / "real.npy", real)
    files = [str(tmp_path / "made.npy"), "--held-out", str(tmp_path / "real.npy")]
    own = amplib.reweight(made, held_out=real, seed=3)
    for name, load in (("w.npy", np.load), ("w.txt", np.loadtxt), ("w.CSV.gz", np.loadtxt)):
        assert main(["reweight", *files, "--seed", "3", "-o", str(tmp_path / name)]) == 0
        np.testing.assert_allclose(load(tmp_path / name), own.weights(made))
    said, progress = capsys.readouterr()
    assert re.search(r"\d+/\d+.* steps/s", progress)
    assert said.startswith(f"{own}\nColumns: 0, 1\n")
    assert "Weights of all 2,000 events, half of which trained" in said


def test_true_events_may_have_a_column_of_weights(tmp_path, capsys, monkeypatch):
    """Which is none of their observables."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    made, real, w = rng.normal(0.4, 1, 500), rng.normal(0, 1, 500), rng.uniform(0, 1, 500)
    np.savetxt("made.csv", made, header="x", comments="")
    np.savetxt("real.csv", np.column_stack([w, real]), delimiter=",", header="w,x", comments="")
    files = ["made.csv", "--held-out", "real.csv"]
    assert main(["reweight", *files, "--held-out-weights", "w"]) == 0
    own = amplib.reweight(made, held_out=real, held_out_weights=w)
    assert capsys.readouterr().out == f"{own}\nColumns: x; weights: w\n"
    assert main(["reweight", *files]) == 2
    assert "the held-out file 2: name those to take" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--held-out", "b.csv"], "no such file"),
        (["--held-out", "a.csv", "-o", "none/w.npy"], "no such folder"),
        (["--held-out", "a.csv", "-o", "old.npy"], "--output old.npy: is there already"),
        (
            ["--held-out", "a.csv", "-o", "w.root"],
            "unknown suffix; allowed: .npy, .csv, .csv.gz, .txt",
        ),
        (["--held-out", "a.csv", "--seed", "-1"], "--seed -1: must not be negative"),
        (["--held-out", "few.csv"], "50 held-out events: at least 100 are needed"),
    ],
)
def test_what_cannot_be_weighed_is_refused_in_one_line(
    options, message, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "a.csv")
    (tmp_path / "old.npy").touch()
    np.savetxt(tmp_path / "few.csv", TABLE[:50], delimiter=",", header="x,w", comments="")
    assert main(["reweight", "a.csv", *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith("amplib: ") and message in error and error.count("\n") == 1
