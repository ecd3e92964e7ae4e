"""Events written as they come, in every format that is read."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from amplib.door.event_file import read_events
from amplib.door.event_writer import TEXT, WRITERS, check_writable, write_events
from amplib.truth.collisions.csv_file import read_events as read_published

NAMES = ("a", "b", "c")
EVENTS = np.random.default_rng(1).normal(0, 1e5, (250, 3)).astype(np.float32)


def batches():
    yield from np.array_split(EVENTS, 4)


@pytest.mark.parametrize("suffix", WRITERS)
def test_what_is_written_is_read_again(tmp_path, suffix):
    path = tmp_path / f"events{suffix}"
    write_events(path, batches(), NAMES, len(EVENTS))
    read = read_events(path)
    np.testing.assert_array_equal(read.x.astype(np.float32), EVENTS)
    named = suffix in (".h5", ".hdf5", ".parquet")
    assert read.names == (NAMES if named else ("0", "1", "2"))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    again = path.with_suffix(path.suffix.upper())
    write_events(again, batches(), NAMES, len(EVENTS))
    np.testing.assert_array_equal(read_events(again).x, read.x)


@pytest.mark.parametrize("suffix", WRITERS)
def test_only_csv_has_to_be_asked_for_names(tmp_path, suffix):
    path = tmp_path / f"events{suffix}"
    if suffix in TEXT:
        write_events(path, batches(), NAMES, len(EVENTS), header=True)
        assert read_events(path).names == NAMES
        zipped = suffix.endswith(".gz")
        assert path.read_bytes().startswith(b"\x1f\x8b" if zipped else b"a b c\n")
    else:
        with pytest.raises(ValueError, match=r"a header is for \.csv, \.csv\.gz"):
            check_writable(path, header=True)


def test_csv_is_the_published_format(tmp_path):
    path = tmp_path / "events.csv"
    write_events(path, batches(), NAMES, len(EVENTS))
    first = path.read_text().splitlines()[0]
    assert first.endswith(" ") and len(first.split(" ")) == 1 + len(NAMES)
    again = np.concatenate(list(read_published(path, NAMES))).astype(np.float32)
    np.testing.assert_array_equal(again, EVENTS)


@pytest.mark.parametrize("suffix", [".npy", ".h5", ".parquet"])
def test_a_number_takes_four_bytes(tmp_path, suffix):
    """Of numbers that never come twice, and a tenth for the rest; Parquet's dictionary has six."""
    path = tmp_path / f"events{suffix}"
    many = np.random.default_rng(2).normal(size=(50_000, 3)).astype(np.float32)
    write_events(path, iter([many]), NAMES, len(many))
    assert path.stat().st_size < 1.1 * many.nbytes


@pytest.mark.parametrize("suffix", WRITERS)
def test_what_is_interrupted_leaves_nothing(tmp_path, suffix):
    path = tmp_path / f"events{suffix}"
    path.write_text("what was there before")

    def broken():
        yield EVENTS[:10]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_events(path, broken(), NAMES, len(EVENTS))
    assert path.read_text() == "what was there before"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def peak(path, number, arrange=iter):
    """Of Python's and numpy's memory, in bytes, while so many batches of 0.1 MB are written."""
    made = (np.full((1000, 25), k, np.float32) for k in range(number))
    tracemalloc.start()
    try:
        write_events(path, arrange(made), [f"c{k}" for k in range(25)], 1000 * number)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("suffix", WRITERS)
def test_memory_does_not_grow_with_the_number_of_batches(tmp_path, suffix):
    """40 take what 2 do, within a quarter of their own 4 MB; if all are kept, it is far more.

    Memory of torch, HDF5 and Arrow is not seen here: ``test_generate`` has the whole process.
    """
    path = tmp_path / f"a{suffix}"
    peak(path, 2)  # imports
    few = peak(path, 2)
    assert peak(path, 40) - few < 1e6
    assert peak(path, 40, lambda made: iter(list(made))) - few > 3e6


def test_a_bad_target_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"unknown suffix; allowed: .csv, .csv.gz, .npy, .h5"):
        check_writable(tmp_path / "events.root")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        check_writable(tmp_path / "nowhere" / "events.csv")
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder"):
        check_writable(tmp_path / "a.csv")


def test_what_cannot_be_written_is_named_as_it_was_asked_for():
    """And not by the temporary name beside it."""
    path = Path("/proc/events.csv")  # where nobody makes files
    with pytest.raises(OSError, match=r"^/proc/events\.csv cannot be written"):
        write_events(path, batches(), NAMES, len(EVENTS))
