"""Shower files: theirs and ours through one reader, one batch in memory, nothing wrong gets in."""

import re
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amplib.studies.catalogue import make_study
from amplib.truth.showers.getting_high import (
    SHAPE,
    read_showers,
    shower_count,
    showers_near,
    write_showers,
)

MEGABYTE = 1e6
SHOWER = 27_000 * 4 / MEGABYTE


def sparse_showers(n, seed=0):
    """Energies (n,) and showers (n, 30, 30, 30) with some 800 cells hit, float32."""
    rng = np.random.default_rng(seed)
    showers = rng.exponential(1, (n, *SHAPE)) * (rng.random((n, *SHAPE)) < 0.03)
    return rng.uniform(10, 100, n).astype(np.float32), showers.astype(np.float32)


ENERGIES, SHOWERS = sparse_showers(7)


def write_published(path, energy=ENERGIES[:, None], layers=SHOWERS, **options):
    """As the scripts of the published file do it: plain data sets, whatever their type."""
    with h5py.File(path, "w") as file:
        group = file.create_group("30x30")
        if energy is not None:
            group.create_dataset("energy", data=energy)
        if layers is not None:
            group.create_dataset("layers", data=layers, **options)
    return path


def read(path, batch_size=3):
    energies, showers = zip(*read_showers(path, batch_size), strict=True)
    return np.concatenate(energies), np.concatenate(showers)


def refusal(path):
    """Why a file is refused, less its name."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        for _ in read_showers(path, 3):
            pass
    text = str(caught.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    return text.removeprefix(str(path)).lstrip(" :")


# ---- there and back ----


def test_energies_in_a_row_are_read_like_those_in_a_column(tmp_path):
    energies, showers = read(write_published(tmp_path / "row.h5", energy=ENERGIES))
    np.testing.assert_array_equal(energies, ENERGIES)
    np.testing.assert_array_equal(showers, SHOWERS)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=4).filter(sum), st.integers(1, 9))
def test_showers_come_back_bit_by_bit(sizes, batch_size):
    """Whatever the batches they are written and read in."""
    energies, showers = sparse_showers(sum(sizes), seed=len(sizes))
    cuts = np.cumsum(sizes)[:-1]
    batches = list(zip(np.split(energies, cuts), np.split(showers, cuts), strict=True))
    with TemporaryDirectory() as folder:
        path = Path(folder, "showers.hdf5")
        write_showers(path, iter(batches))
        assert shower_count(path) == len(energies)
        found = list(read_showers(path, batch_size))
    assert {len(e) for e, _ in found[:-1]} <= {batch_size}
    assert all(a.dtype == np.float32 for batch in found for a in batch)
    np.testing.assert_array_equal(np.concatenate([e for e, _ in found]), energies)
    np.testing.assert_array_equal(np.concatenate([s for _, s in found]), showers)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("options", [{}, {"compression": "gzip"}, {"chunks": (3, 5, 30, 10)}])
def test_the_published_layout_is_read(tmp_path, dtype, options):
    path = tmp_path / "theirs.hdf5"
    write_published(path, ENERGIES[:, None].astype(dtype), SHOWERS.astype(dtype), **options)
    assert shower_count(path) == 7
    energies, showers = read(path)
    np.testing.assert_array_equal(energies, ENERGIES)
    np.testing.assert_array_equal(showers, SHOWERS)


def test_ours_has_the_published_layout(tmp_path):
    path = tmp_path / "ours.hdf5"
    write_showers(path, [(ENERGIES, SHOWERS)])
    with h5py.File(path) as file:
        assert list(file) == ["30x30"]
        assert sorted(file["30x30"]) == ["energy", "layers"]
        np.testing.assert_array_equal(file["30x30"]["energy"][:], ENERGIES[:, None])
        np.testing.assert_array_equal(file["30x30"]["layers"][:], SHOWERS)
    assert path.stat().st_size < 0.2 * SHOWERS.nbytes


def test_torch_tensors_are_written(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "ours.hdf5"
    write_showers(path, [(torch.from_numpy(ENERGIES), torch.from_numpy(SHOWERS).double())])
    np.testing.assert_array_equal(read(path)[1], SHOWERS)


def test_showers_of_one_energy_are_found_and_read(tmp_path):
    """Within 1% of 50 GeV; wherever they lie, in batches, and the first wrong one by its place."""
    energies = np.array([49.4, 49.6, 50.4, 20, 50.6, 50, 50])
    path = write_published(tmp_path / "theirs.h5", energy=energies[:, None])
    places = showers_near(path, 50.0)
    assert places.tolist() == [1, 2, 5, 6]
    for batch_size, sizes in ((3, [3, 1]), (2, [2, 2]), (9, [4])):
        found = list(read_showers(path, batch_size, places))
        assert [len(e) for e, _ in found] == sizes
        seen = np.concatenate([e for e, _ in found])
        np.testing.assert_array_equal(seen, energies[places].astype(np.float32))
        np.testing.assert_array_equal(np.concatenate([s for _, s in found]), SHOWERS[places])
    broken = with_value(SHOWERS, (5, 0, 0, 0), np.nan)
    path = write_published(tmp_path / "wrong.h5", energies[:, None], broken)
    with pytest.raises(ValueError, match="shower 5 has a value that is NaN"):
        list(read_showers(path, 4, places))
    path = write_published(tmp_path / "empty.h5", energies[:, None], 0 * SHOWERS)
    with pytest.raises(ValueError, match="showers 1 to 6 are empty"):
        list(read_showers(path, 4, places))


def test_energies_up_to_a_tev_are_possible(tmp_path):
    path = tmp_path / "high.h5"
    write_showers(path, [([1000.0, 1e-3], [SHOWERS[0], 1e-3 * SHOWERS[1]])])
    assert read(path)[0].tolist() == [1000, np.float32(1e-3)]
    assert len(list(read_showers(path, 1))) == 2
    with pytest.raises(ValueError, match=r"shower 0 has 1000\.1 in"):
        write_showers(path, [([1000.1], SHOWERS[:1])])


# ---- memory ----


def peak_of(function):
    """Largest sum of arrays in memory at once, in MB."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1] / MEGABYTE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_batch_is_in_memory(tmp_path, dtype):
    """Eight batches of 40 showers, 4.3 MB each: not two at a time, nor one in double precision."""
    path = write_published(
        tmp_path / "many.hdf5", np.full((320, 1), 50.0), np.ones((320, *SHAPE), dtype)
    )

    def read_all():
        for batch in read_showers(path, 40):
            assert len(batch[1]) == 40
            del batch

    assert 40 * SHOWER < peak_of(read_all) < 1.5 * 40 * SHOWER
    assert peak_of(lambda: shower_count(path)) < SHOWER


def test_a_batch_is_written_before_the_next_is_made(tmp_path):
    def batches():
        for _ in range(8):
            yield np.full(40, 50.0, np.float32), np.ones((40, *SHAPE), np.float32)

    assert peak_of(lambda: write_showers(tmp_path / "many.hdf5", batches())) < 2.5 * 40 * SHOWER


def test_a_part_is_written_in_slices(tmp_path):
    """2000 showers of one part are 216 MB, and 500 of them are in memory."""
    study = make_study("showers", "smoke", showers=2000)
    count = np.zeros(2000, np.uint16)
    count[::7] = 2
    hits = int(count.sum())
    part = {"count": count, "cell": np.tile([5, 9], hits // 2), "energy": np.ones(hits)}
    path = tmp_path / "part.h5"
    assert peak_of(lambda: study.write(path, iter([part]))) < 2.5 * 500 * SHOWER
    assert shower_count(path) == 2000
    assert sum(showers.sum() for _, showers in read_showers(path, 500)) == hits


# ---- what is refused ----


def with_value(array, index, value):
    changed = np.array(array, dtype=float)
    changed[index] = value
    return changed


COLUMN = ENERGIES[:, None]
WRONG = {
    "no energies": ({"energy": None}, "has no data set 30x30/energy"),
    "no showers": ({"layers": None}, "has no data set 30x30/layers"),
    "cubic energies": (
        {"energy": np.ones((7, 1, 1))},
        "30x30/energy has shape (7, 1, 1), expected (N, 1) or (N,)",
    ),
    "wide energies": (
        {"energy": np.ones((7, 2))},
        "30x30/energy has shape (7, 2), expected (N, 1) or (N,)",
    ),
    "five layers": (
        {"layers": SHOWERS[:, :5]},
        "30x30/layers has shape (7, 5, 30, 30), expected (N, 30, 30, 30)",
    ),
    "flat showers": (
        {"layers": SHOWERS.reshape(7, -1)},
        "30x30/layers has shape (7, 27000), expected (N, 30, 30, 30)",
    ),
    "fewer energies": ({"energy": COLUMN[:6]}, "has 6 energies and 7 showers"),
    "fewer showers": ({"layers": SHOWERS[:6]}, "has 7 energies and 6 showers"),
    "nothing": ({"energy": COLUMN[:0], "layers": SHOWERS[:0]}, "holds no showers"),
    "text": ({"energy": np.full((7, 1), b"50 GeV")}, "30x30/energy holds |S6, not numbers"),
    "NaN in a cell": (
        {"layers": with_value(SHOWERS, (4, 1, 2, 3), np.nan)},
        "shower 4 has a value that is NaN or infinite in 30x30/layers",
    ),
    "infinity in a cell": (
        {"layers": with_value(SHOWERS, (6, 29, 29, 29), np.inf)},
        "shower 6 has a value that is NaN or infinite in 30x30/layers",
    ),
    "a negative cell": (
        {"layers": with_value(SHOWERS, (0, 0, 0, 0), -1e-3)},
        "shower 0 has a negative value in 30x30/layers",
    ),
    "NaN energy": (
        {"energy": with_value(COLUMN, 5, np.nan)},
        "shower 5 has a value that is NaN or infinite in 30x30/energy",
    ),
    "negative energy": (
        {"energy": with_value(COLUMN, 1, -50)},
        "shower 1 has a negative value in 30x30/energy",
    ),
    "energies in MeV": (
        {"energy": 1000 * COLUMN},
        f"shower 0 has {1000 * ENERGIES[0]:g} in 30x30/energy, GeV up to 1000 are expected",
    ),
    "no energy": (
        {"energy": with_value(COLUMN, 2, 0)},
        "shower 2 has 0 in 30x30/energy, GeV up to 1000 are expected",
    ),
    "cells in keV": (
        {"layers": 1000 * SHOWERS},
        f"shower 0 has {1000 * SHOWERS[0].sum(dtype=float):g} MeV in 30x30/layers, more than its "
        f"photon's {ENERGIES[0]:g} GeV",
    ),
    "never written": ({"layers": 0 * SHOWERS}, "showers 0 to 2 are empty, as if never written"),
}


@pytest.mark.parametrize(("what", "reason"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_refused(tmp_path, what, reason):
    path = write_published(tmp_path / "wrong.hdf5", **what)
    assert refusal(path) == reason
    if not re.match(r"showers? \d", reason):
        with pytest.raises(ValueError, match=r"wrong\.hdf5"):
            shower_count(path)


def test_the_first_wrong_shower_is_named(tmp_path):
    layers = with_value(with_value(SHOWERS, (5, 0, 0, 0), -1), (4, 9, 9, 9), np.nan)
    assert refusal(write_published(tmp_path / "wrong.hdf5", layers=layers)).startswith("shower 4")


def test_other_hdf5_files_are_refused(tmp_path):
    path = tmp_path / "other.hdf5"
    with h5py.File(path, "w") as file:
        file["energy"] = COLUMN
    assert refusal(path) == "has no group 30x30"
    with h5py.File(path, "w") as file:
        file["30x30"] = COLUMN
    assert refusal(path) == "has no group 30x30"
    with h5py.File(path, "w") as file:
        file["30x30/energy/of"] = COLUMN
    assert refusal(path) == "has no data set 30x30/energy"
    with h5py.File(path, "w") as file:
        file["30x30/energy"] = h5py.Empty("f4")
    assert refusal(path) == "30x30/energy is empty"


def keep_elsewhere(path, name, kind):
    """A good file, of which the group or a data set is not its own."""
    other = write_published(path.with_name("other.hdf5"))
    write_published(path)
    with h5py.File(path, "a") as file:
        energies = file["30x30/energy"][()]
        del file[name]
        match kind:
            case "outside":
                file[name] = h5py.ExternalLink(str(other), name)
            case "soft":
                file["way"] = h5py.ExternalLink(str(other), name)
                file[name] = h5py.SoftLink("/way")
            case "loop":
                file["a"], file["b"] = h5py.SoftLink("/b"), h5py.SoftLink("/a")
                file[name] = h5py.SoftLink("/a")
            case "raw":
                raw = path.with_name("raw")
                raw.write_bytes(energies.tobytes())
                file.create_dataset(name, (7, 1), "f4", external=[(str(raw), 0, 28)])
            case "virtual":
                layout = h5py.VirtualLayout((7, 1), "f4")
                layout[:] = h5py.VirtualSource(other, name, (7, 1))
                file.create_virtual_dataset(name, layout)


@pytest.mark.parametrize("name", ["30x30", "30x30/energy", "30x30/layers"])
@pytest.mark.parametrize("kind", ["outside", "soft", "loop"])
def test_no_link_is_followed(tmp_path, name, kind):
    path = tmp_path / "showers.hdf5"
    keep_elsewhere(path, name, kind)
    assert refusal(path) == f"{name} is a link, to another place or file"


@pytest.mark.parametrize("kind", ["raw", "virtual"])
def test_data_kept_in_another_file_are_refused(tmp_path, kind):
    path = tmp_path / "showers.hdf5"
    keep_elsewhere(path, "30x30/energy", kind)
    assert refusal(path) == "30x30/energy is kept in another file"


@pytest.mark.parametrize("data", [b"", b"energy layers\n", b"\x89HDF\r\n\x1a\n"], ids=repr)
def test_what_is_not_hdf5_is_refused(tmp_path, data):
    path = tmp_path / "showers.hdf5"
    path.write_bytes(data)
    assert refusal(path) == "is not an HDF5 file or is damaged"


@pytest.mark.parametrize("share", [0.3, 0.9, 0.9999])
def test_a_truncated_file_is_refused(tmp_path, share):
    path = tmp_path / "showers.hdf5"
    write_showers(path, [(ENERGIES, SHOWERS)])
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert refusal(path) == "is truncated"


def test_a_damaged_chunk_is_refused(tmp_path):
    path = tmp_path / "showers.hdf5"
    write_showers(path, [sparse_showers(16)])
    with h5py.File(path) as file:
        chunk = file["30x30/layers"].id.get_chunk_info(1)
    data = bytearray(path.read_bytes())
    data[chunk.byte_offset + 100 : chunk.byte_offset + 200] = bytes(100)
    path.write_bytes(data)
    assert refusal(path) == "showers 6 to 8 cannot be read, the file is damaged"


def test_a_missing_file(tmp_path):
    for attempt in (lambda p: next(read_showers(p, 1)), shower_count):
        with pytest.raises(FileNotFoundError, match=r"nowhere\.hdf5"):
            attempt(tmp_path / "nowhere.hdf5")


def test_a_path_may_be_text(tmp_path):
    path = str(tmp_path / "showers.hdf5")
    write_showers(path, [(ENERGIES, SHOWERS)])
    assert shower_count(path) == len(read(path)[0]) == 7
    with pytest.raises(FileNotFoundError, match=r"no such file: .*nowhere\.hdf5"):
        next(read_showers(str(tmp_path / "nowhere.hdf5"), 5))


def test_a_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"/nowhere/.*: no such folder$"):
        write_showers(tmp_path / "nowhere" / "showers.hdf5", [(ENERGIES, SHOWERS)])
    with pytest.raises(IsADirectoryError, match="is a folder"):
        write_showers(tmp_path, interrupted())


@pytest.mark.parametrize("batch_size", [0, -1])
def test_an_impossible_batch_is_refused(tmp_path, batch_size):
    with pytest.raises(ValueError, match=f"batch_size must be at least 1, got {batch_size}"):
        next(read_showers(tmp_path / "nowhere.hdf5", batch_size))


# ---- writing ----


def interrupted():
    yield ENERGIES, SHOWERS
    raise KeyboardInterrupt


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize(
    ("batches", "reason"),
    [
        ([], "no showers to write"),
        ([(ENERGIES[:0], SHOWERS[:0])], "no showers to write"),
        ([(ENERGIES, SHOWERS), (ENERGIES, SHOWERS[:6])], r"shapes \(7,\) and \(6, 30, 30, 30\)"),
        ([(COLUMN, SHOWERS)], r"shapes \(7, 1\) and \(7, 30, 30, 30\), expected \(n,\)"),
        ([(ENERGIES, SHOWERS[..., :29])], r"shapes \(7,\) and \(7, 30, 30, 29\)"),
        (
            [(ENERGIES, SHOWERS), (ENERGIES, with_value(SHOWERS, (2, 3, 4, 5), np.nan))],
            "shower 9 has a value that is NaN or infinite in 30x30/layers",
        ),
        ([(-ENERGIES, SHOWERS)], "shower 0 has a negative value in 30x30/energy"),
        (None, None),
    ],
)
def test_what_is_refused_is_not_written(tmp_path, there, batches, reason):
    """And what was there before stays."""
    path = tmp_path / "showers.hdf5"
    if there:
        write_showers(path, [(ENERGIES[:2], SHOWERS[:2])])
    with pytest.raises(ValueError if reason else KeyboardInterrupt, match=reason) as caught:
        write_showers(path, interrupted() if batches is None else batches)
    assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == (["showers.hdf5"] if there else [])
    if there:
        assert shower_count(path) == 2
