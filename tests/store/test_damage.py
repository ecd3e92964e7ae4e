"""A damaged file is named in one line, refused, and stops nothing else; so is a dead worker."""

import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
import warnings
import zipfile
from functools import cache
from hashlib import sha256

import numpy as np
import pytest
import torch
from mortal_workers import mortal
from numpy.lib import format as npy
from safetensors.torch import load_file, save_file
from stored_parts import MADE, gan_part

import amplib.files
import amplib.models.training
import amplib.store.rates
from amplib.__main__ import main
from amplib.book.claims import all_claims
from amplib.files import ROOT, write_atomically
from amplib.store import worker
from amplib.store.arrays import LARGEST, packed
from amplib.store.compute import Crew, Group, Hand, compute
from amplib.store.queue import compute_all
from amplib.store.record import DamagedResult
from amplib.store.results import DamagedPartWarning, Result, fault_of, part_name, part_of
from amplib.store.study import Study
from amplib.studies.catalogue import STUDIES, make_study

SMALL = {"width": 8, "latent": 5, "embedding": 4, "depth": 2, "max_events": 200, "repetitions": 3}
WITHOUT_LAYOUT: set[str] = set()
"""Studies whose parts are taken as they are: none should stay here for long."""
WITHOUT_FAULTS: set[str] = set()
"""Studies whose numbers are taken as they are, likewise."""


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """A store of its own for every test."""
    monkeypatch.setattr(amplib.files, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(amplib.files, "DATA", tmp_path / "data")
    monkeypatch.setattr(amplib.store.rates, "FILE", tmp_path / ".rates.json")
    return tmp_path / "results"


def gan(**changes):
    return make_study("gan", "smoke", **{**SMALL, **changes})


def filled(study=None, parts=((0, 0), (1, 0))):
    study = study or gan()
    result = Result(study, "smoke")
    for k, part in enumerate(parts):
        result.save(part, gan_part(study, k), MADE)
    return result


def rewrite(result, **changes):
    """The record with some of its fields changed."""
    path = result.folder / "record.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def replaced(result, part, data):
    """A part of other bytes, its checksum made right: what an attacker or a bug would leave."""
    path = result.folder / part_name(part)
    path.write_bytes(data)
    parts = json.loads((result.folder / "record.json").read_text())["parts"]
    parts[path.name]["sha256"] = sha256(data).hexdigest()
    rewrite(result, parts=parts)
    return path


def one_line(caught):
    (line,) = str(caught.value).splitlines()
    return line


# ---- a result is what its record says ----


def refused_as_a_whole(result, reason):
    """Read by nobody, and nothing is added to it."""
    before = {p.name: p.read_bytes() for p in result.folder.iterdir()}
    for attempt in (result.record, result.done, result.missing, result.load):
        with pytest.raises(DamagedResult, match=reason) as caught:
            attempt()
        assert str(result.folder / "record.json") in one_line(caught)
    with pytest.raises(DamagedResult, match=reason):
        result.save((2, 0), gan_part(result.study), MADE)
    assert {p.name: p.read_bytes() for p in result.folder.iterdir()} == before


def test_a_folder_under_another_key_is_refused():
    ours, theirs = Result(gan(epochs=3), "smoke"), filled()
    theirs.folder.rename(ours.folder)
    refused_as_a_whole(ours, "of another result: epochs = 2, expected 3")


def test_a_folder_of_another_study_is_refused():
    fit = Result(make_study("fit", "smoke"), "smoke")
    compute(fit, jobs=1, device="cpu")
    ours = Result(gan(), "smoke")
    ours.folder.parent.mkdir()
    shutil.copytree(fit.folder, ours.folder)
    refused_as_a_whole(ours, "of another result: study = 'camel-fit', expected 'camel-gan'")


def test_a_result_of_another_format_is_refused(monkeypatch):
    result = filled()
    rewrite(result, format=2)
    refused_as_a_whole(result, "format = 2, expected 1")


def test_a_result_of_another_preset_is_refused():
    result = filled()
    rewrite(result, preset="laptop")
    refused_as_a_whole(result, "preset = 'laptop', expected 'smoke'")


def test_a_record_that_is_older_than_the_format_is_taken():
    result = filled()
    record = json.loads((result.folder / "record.json").read_text())
    del record["format"]
    (result.folder / "record.json").write_text(json.dumps(record))
    assert result.done() == [(0, 0), (1, 0)]


def nested(levels):
    return "[" * levels + "]" * levels


RECORDS = {
    "empty": "",
    "a list": "[]",
    "an object": "{}",
    "nested without end": nested(100_000),
    "no JSON": "{",
    "binary": "\x00\xff",
}
FIELDS = {
    "no fingerprint": {"fingerprint": None},
    "an empty fingerprint": {"fingerprint": []},
    "a fingerprint of NaN": {"fingerprint": [float("nan")]},
    "a fingerprint of 400 digits": {"fingerprint": [10**400]},
    "parameters in a list": {"parameters": []},
    "parts in a list": {"parts": []},
}
ENTRIES = {
    "no seconds": {"seconds": None},
    "seconds of NaN": {"seconds": float("nan")},
    "negative seconds": {"seconds": -1},
    "none together": {"together": 0},
    "half of one together": {"together": 0.5},
    "a checksum that is a number": {"sha256": 5},
    "a checksum that is short": {"sha256": "abc"},
    "a device that is a list": {"device": []},
}


def damage_record(result, how):
    path = result.folder / "record.json"
    if how in RECORDS:
        path.write_bytes(RECORDS[how].encode("latin-1"))
    elif how in FIELDS:
        rewrite(result, **FIELDS[how])
    else:
        parts = json.loads(path.read_text())["parts"]
        parts["part-000-00.npz"] |= ENTRIES[how]
        rewrite(result, parts=parts)


@pytest.mark.parametrize("how", [*RECORDS, *FIELDS, *ENTRIES])
def test_a_damaged_record_is_refused_in_one_line(how):
    result = filled()
    damage_record(result, how)
    refused_as_a_whole(result, r"record\.json is damaged")


def test_what_is_no_account_of_its_making_is_never_written():
    for entry in ({}, {**MADE, "together": 0}, {**MADE, "seconds": float("nan")}):
        with pytest.raises(ValueError, match=r"part-000-00\.npz"):
            Result(gan(), "smoke").save((0, 0), gan_part(gan()), entry)
    assert not Result(gan(), "smoke").folder.exists()


def test_a_folder_in_the_place_of_a_file_is_named_and_blocks_nothing_else():
    """As does whatever else the disk does not give, a bad sector for one."""
    result = filled()
    path = result.folder / part_name((0, 0))
    path.unlink()
    path.mkdir()
    with pytest.warns(DamagedPartWarning, match=r"part-000-00\.npz: cannot be read \(Is a dir"):
        assert result.missing() == [(0, 0), (2, 0)]
    record = result.folder / "record.json"
    record.unlink()
    record.mkdir()
    with pytest.raises(DamagedResult, match=r"record\.json is damaged \(Is a directory\)"):
        result.missing()


@pytest.mark.parametrize("how", ["nested without end", "no seconds", "none together"])
def test_a_damaged_record_blocks_no_other_work(how, capsys):
    """Status, claims and the queue name it, once each, and go on with the rest."""
    study = make_study("gan", "smoke")
    result = filled(study)
    path = str(result.folder / "record.json")
    damage_record(result, how)
    assert main(["status", "--preset", "smoke"]) == 1
    out, err = capsys.readouterr()
    assert err.count(path) == 2  # of gan and of the ensemble, which is made of the same parts
    assert "damaged" in next(line for line in out.splitlines() if line.startswith("gan "))
    assert "1 s" in next(line for line in out.splitlines() if line.startswith("fit "))

    claims = all_claims("smoke")
    assert len(claims) > 10
    assert any(path in c.why for c in claims)
    assert any("no result yet" in c.why for c in claims)

    fit = Result(make_study("fit", "smoke"), "smoke")
    assert not compute_all({"gan": result, "fit": fit}, jobs=1, device="cpu")
    err = capsys.readouterr().err
    assert f"failed: gan ({path} is damaged" in err
    assert not fit.missing()


# ---- a part is what its study says ----


def as_npz(arrays, **options):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays, **options)
    return buffer.getvalue()


def with_entry(name, content):
    """A good part with one entry more, or in place of its own, of these bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for key, array in gan_part(gan()).items():
            if f"{key}.npy" != name:
                with archive.open(f"{key}.npy", "w") as stream:
                    npy.write_array(stream, array)
        archive.writestr(name, content)
    return buffer.getvalue()


def header(shape, dtype="<i4"):
    stream = io.BytesIO()
    npy.write_array_header_1_0(stream, {"descr": dtype, "fortran_order": False, "shape": shape})
    return stream.getvalue()


class Evil:
    """Would make a folder when it is unpickled."""

    def __reduce__(self):
        return (os.mkdir, ("unpickled",))


def other(**changes):
    return packed(gan_part(gan(), **changes))


def bare(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def twice():
    """An archive with two arrays of one name."""
    data = as_npz({"counts": np.zeros(3), "countz": np.zeros(3)})
    return data.replace(b"countz.npy", b"counts.npy")


def bomb():
    """Says that it unpacks to 4 GB."""
    data = bytearray(as_npz({"counts": np.zeros(3)}))
    place = data.rindex(b"PK\x01\x02") + 24  # the uncompressed size in the central directory
    data[place : place + 4] = (2**32 - 2).to_bytes(4, "little")
    return bytes(data)


COUNTS = gan_part(gan())["counts"]
NAN_LOSSES = np.array([[2, np.nan, 0, 1]], np.float32)
PARTS = {
    "a pickle": (as_npz({"counts": np.array([Evil()], object)}), "Python objects"),
    "a pickle beside": (with_entry("more.npy", header((1,), "|O") + b"x"), "Python objects"),
    "truncated": (other()[:-200], "cannot be read"),
    "empty": (b"", "cannot be read"),
    "text": (b"not an archive at all", "cannot be read"),
    "a bare array": (bare(COUNTS), "cannot be read"),
    "a header of 10^12": (with_entry("counts.npy", header((10**12,))), "(1000000000000,) in 0 b"),
    "a header that overflows": (with_entry("counts.npy", header((2**40, 2**40))), "in 0 bytes"),
    "a negative header": (with_entry("counts.npy", header((-5,))), "bytes"),
    "a damaged header": (with_entry("counts.npy", b"\x93NUMPY\x01\x00\x02\x00{("), "cannot be"),
    "a header without end": (with_entry("counts.npy", header((1,) * 5000)), "Header info length"),
    "no header": (with_entry("counts.npy", b"1 2 3"), "magic string"),
    "no array": (with_entry("counts.txt", b"1 2 3"), "'counts.txt' is no array"),
    "the same name twice": (twice(), "the same name"),
    "4 GB": (bomb(), "GiB unpacked"),
    "missing": (packed({"counts": COUNTS}), "arrays counts, expected sample, counts"),
    "extra": (other(more=np.zeros(3)), "diverged, more, expected"),
    "another type": (other(counts=COUNTS.astype(np.int64)), "counts is int64"),
    "another shape": (other(counts=COUNTS[:, :99]), "counts is int32 (6, 99)"),
    "fewer rows": (other(counts=COUNTS[:3]), "counts is int32 (3, 100), expected int32 (6, 100)"),
    "a negative count": (other(counts=COUNTS - 1), "counts holds -1"),
    "more than was generated": (other(counts=2 * COUNTS), "counts sums to 20, expected 10"),
    "less than was generated": (other(counts=0 * COUNTS), "counts sums to 0, expected 10"),
    "sizes in disorder": (other(counts=COUNTS[::-1]), "counts falls from"),
    "NaN in the sample": (other(sample=np.full((100, 1), np.nan)), "sample holds nan"),
    "NaN in the losses": (other(losses=NAN_LOSSES), "losses holds nan"),
    "an epoch beyond": (other(losses=np.ones((1, 4), np.float32) * 1e6), "losses holds 1e+06"),
    "diverged beyond": (other(diverged=np.array(10**6)), "diverged holds 1e+06"),
}


@pytest.mark.parametrize("how", PARTS)
def test_a_part_that_does_not_fit_is_refused_whatever_its_checksum(how, tmp_path, monkeypatch):
    """Named with its file, read by nobody, missing; its neighbour is used."""
    monkeypatch.chdir(tmp_path)
    data, reason = PARTS[how]
    result = filled()
    path = replaced(result, (0, 0), data)
    tracemalloc.start()
    with pytest.warns(DamagedPartWarning) as caught:
        assert result.missing() == [(0, 0), (2, 0)]
    assert tracemalloc.get_traced_memory()[1] < 30e6  # not what a header says
    tracemalloc.stop()
    for message in map(str, (w.message for w in caught)):
        assert message.startswith(f"{path}: ")
        assert reason in message
        assert "\n" not in message
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert list(result.load()) == [(1, 0)]
        assert result.part((0, 0)) is None
        assert len(list(result.each())) == 1
        assert str(path) in result.problem((0, 0))
        assert not (tmp_path / "unpickled").exists()
        result.save((0, 0), gan_part(gan()), MADE)
    assert result.done() == [(0, 0), (1, 0)]
    assert LARGEST < 2**32 - 2


def test_a_damaged_part_is_one_line_of_a_command(store):
    """Named once, though the GAN and the ensemble share it."""
    path = replaced(filled(make_study("gan", "smoke")), (0, 0), b"nothing")
    done = subprocess.run(
        [sys.executable, "-m", "amplib", "status", "--preset", "smoke"],
        env={**os.environ, "AMPLIFY_RESULTS": str(store)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"amplib: {path}: cannot be read")


def test_a_diverged_member_may_miss_events_and_no_more():
    study = gan()
    assert study.misfit(gan_part(study)) is None
    broken = gan_part(study, losses=NAN_LOSSES, diverged=np.array(2), counts=0 * COUNTS)
    assert study.misfit(broken) is None
    assert "at most" in study.misfit({**broken, "counts": 2 * COUNTS})


def test_every_study_says_what_its_parts_hold():
    without = {name for name in STUDIES if not make_study(name, "smoke").layout()}
    assert without == WITHOUT_LAYOUT, "give it a layout, or list it"


def test_every_study_says_what_its_numbers_can_be():
    without = {name for name, kind in STUDIES.items() if kind.faults is Study.faults}
    assert without == WITHOUT_FAULTS, "give it faults, or list it"


SHIPPED = sorted(ROOT.glob("results/*/*/*/record.json"))


def shipped(path):
    record = json.loads(path.read_text())
    kind = next(k for k in STUDIES.values() if k.store == record["study"])
    return Result(kind(**record["parameters"]), record["preset"], folder=path.parent)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: "-".join(p.parts[-4:-1]))
def test_what_is_shipped_fits(path):
    result = shipped(path)
    names = [part_of(name) for name in result.record()["parts"]]
    assert [problem for part in names if (problem := result.problem(part))] == []


def one_more(a):
    a.flat[0] += 1


def first(value):
    return lambda a: a.flat.__setitem__(0, value)


def last(value):
    return lambda a: a.flat.__setitem__(-1, value)


def half(a):
    a[0, a[0].argmax()] += 0.5


VALUES = [
    ("camel-fit", "sample", one_more, "sample sums to"),
    ("camel-fit", "lines", one_more, "lines sums to"),
    ("camel-fit", "fit", first(0.5), "expected 1"),
    ("camel-fit", "fit", first(-0.001), "fit holds -0.001"),
    ("camel-fit", "parameters", first(np.inf), "parameters holds inf"),
    ("camel-smoothing", "loo", first(0.2), "loo sums to"),
    ("camel-smoothing", "bootstrap", first(np.nan), "bootstrap holds nan"),
    ("camel-gan", "density", one_more, "density sums to"),
    ("gaussian-ring", "cells", half, "expected a count"),
    ("gaussian-ring", "cells", one_more, "cells sums to"),
    ("gaussian-grid", "weights", one_more, "weights sums to"),
    ("gaussian-bimodal", "auc_after", first(1.5), "auc_after holds 1.5"),
    ("two-body-summary", "phi", one_more, "phi sums to"),
    ("z-summary", "forward", one_more, "forward sums to"),
    ("z-summary", "asymmetry", first(2.0), "asymmetry holds 2"),
    ("ttbar-summary", "packed", first(65_535), "packed holds 65535"),
    ("ttbar-summary", "passed", first(0), "passed falls from"),
    ("ttbar-reference", "histograms", first(10**8), "histograms sums to"),
    ("ttbar-reference", "empty", first(1.1), "empty holds 1.1"),
    ("ttbar-smeared", "dropped", first(-0.5), "dropped holds -0.5"),
    ("shower-summary", "empty", first(10**6), "empty holds 1e+06"),
    ("shower-summary", "scalars", first(1e6), "scalars holds 1e+06"),
    ("shower-summary", "display_cell", first(27_000), "display_cell holds 27000"),
    ("two-body-vae", "phi", one_more, "phi sums to"),
    ("two-body-gan", "losses", first(np.nan), "losses"),
    ("z-vae", "four_leptons", first(10**9), "four_leptons holds 1e+09"),
    ("scan", "latent", first(10**8), "latent sums to"),
    ("scan", "dropped", first(2.0), "dropped holds 2"),
    ("scan", "diverged", first(10**6), "diverged holds 1e+06"),
    ("event-gans", "diverged", first(-2), "diverged holds -2"),
    ("event-flows", "delta", first(2.1), "delta holds 2.1"),
    ("event-densities", "delta_of", last(-0.1), "delta_of holds an error of -0.1"),
    ("gaussian-ring", "outlook", first(1.1), "outlook holds 1.1"),
    ("gaussian-ring", "clipped", first(0.5), "clipped holds 0.5"),
    ("bibae", "distances", first(-1.0), "distances holds -1"),
    ("two-body-summary", "masses", first(2**63 - 1), "masses sums to 9.2"),
    ("latent-priors", "latent", first(10**8), "latent sums to"),
    ("latent-priors", "cells_10", one_more, "cells_10 sums to"),
    ("latent-priors", "cut_from", first(0), "cut_from holds 0"),
    ("latent-priors", "auc", first(1.1), "auc holds 1.1"),
    ("latent-priors", "broken", first(-0.1), "broken holds -0.1"),
    ("latent-priors", "delta", last(np.nan), "delta holds an error of nan"),
    ("latent-map", "codes", first(10**8), "codes sums to"),
    ("latent-map", "plane", first(10**8), "plane sums to"),
    ("latent-map", "maps", first(10**8), "maps sums to"),
    ("latent-map", "held", first(30), "held falls from 30"),
    ("latent-map", "variances", last(-1.0), "variances holds -1"),
    ("latent-map", "lattice", first(np.inf), "lattice holds inf"),
    ("reweighted-simulation", "histograms", one_more, "histograms sums to"),
    ("reweighted-simulation", "histograms", first(0.5), "histograms holds 0.5"),
    ("reweighted-simulation", "weights", one_more, "weights sums to"),
    ("reweighted-bibae", "clipped", first(0.5), "clipped holds 0.5"),
    ("reweighted-bibae", "pairs", first(200), "pairs holds 200"),
    ("reweighted-gan", "outside", first(1.1), "outside holds 1.1"),
    ("reweighted-gan", "correlations", first(1.5), "correlations holds 1.5"),
    ("reweighted-gan", "outlook", first(-0.5), "outlook holds -0.5"),
    ("top-events", "marginals", one_more, "marginals sums to"),
    ("top-events", "outside", first(10**6), "outside holds 1e+06"),
    ("top-events", "azimuth", first(10**8), "azimuth sums to"),
    ("top-events", "negative", first(10**8), "negative holds 1e+08"),
    ("top-events", "empty", first(1.1), "empty holds 1.1"),
    ("top-events", "delta_without", first(2.1), "delta_without holds 2.1"),
    ("top-events", "seconds", last(-1.0), "seconds holds -1"),
    ("known-ratios", "counts", one_more, "counts sums to"),
    ("known-ratios", "deviations", last(-1.0), "deviations holds -1"),
    ("known-ratios", "weights", last(-0.1), "weights holds an error of -0.1"),
]


@cache
def shipped_part(store_name):
    """One of this kind that has not diverged: its study and arrays."""
    for path in (p for p in SHIPPED if p.parts[-3] == store_name):
        result = shipped(path)
        arrays = result.part(part_of(min(result.record()["parts"])))
        if arrays.get("diverged", -1) < 0:
            return result.study, arrays
    raise FileNotFoundError(store_name)


@pytest.mark.parametrize(("store_name", "name", "change", "reason"), VALUES)
def test_values_that_cannot_be_are_refused(store_name, name, change, reason):
    """One number of one array of a shipped part is moved."""
    study, shipped_arrays = shipped_part(store_name)
    arrays = {key: array.copy() for key, array in shipped_arrays.items()}
    assert study.misfit(arrays) is None
    change(arrays[name])
    assert reason in study.misfit(arrays)


STORES = sorted({path.parts[-3] for path in SHIPPED})


def damaged_arrays(arrays):
    """By what is wrong: one array missing, one too many, another type, a row less."""
    name = min(arrays, key=lambda key: (arrays[key].ndim == 0, arrays[key].size))
    whole = arrays[name]
    yield "expected", {key: a for key, a in arrays.items() if key != name}
    yield "expected", {**arrays, "more": np.zeros(3)}
    yield f"{name} is complex", {**arrays, name: whole.astype(complex) if whole.size else 1j}
    yield f"{name} is ", {**arrays, name: whole[None]}


@pytest.mark.parametrize("store_name", STORES)
def test_a_part_of_any_kind_is_refused_when_it_does_not_fit(store_name):
    study, arrays = shipped_part(store_name)
    for reason, changed in damaged_arrays(arrays):
        data = packed(changed)
        fault = fault_of(data, sha256(data).hexdigest(), study)
        assert fault is not None
        assert reason in fault
    data = as_npz({**arrays, min(arrays): np.array([Evil()], object)})
    assert "Python objects" in fault_of(data, sha256(data).hexdigest(), study)
    whole = packed(arrays)
    assert fault_of(whole, sha256(whole).hexdigest(), study) is None
    assert fault_of(whole[:-50], sha256(whole).hexdigest(), study) is not None
    cut = whole[: len(whole) // 2]
    assert "cannot be read" in fault_of(cut, sha256(cut).hexdigest(), study)


MAY_BE_NO_NUMBERS = {
    "dilution", "needed", "correlations", "pearson",  # of what is the same in all events
    "rounded",  # in half precision
    "losses", "gan_losses",  # where a training diverges
    "quantiles", "distances",  # of what such a one would have generated
}  # fmt: skip


@pytest.mark.parametrize("store_name", STORES)
def test_no_array_of_any_kind_is_taken_as_it_is(store_name):
    """Filled with NaN, with infinities or with the largest of its integers it is refused; and
    nothing is raised, not for arrays without rows either."""
    study, arrays = shipped_part(store_name)
    assert study.misfit(arrays) is None
    for name, array in arrays.items():
        shape = study.layout()[name][1]
        rows = tuple(slice(0 if n is None else None) for n in shape)
        study.misfit({**arrays, name: array[rows]})
        if array.dtype.kind in "Ub" or not array.size:
            continue
        worst = (np.nan, np.inf) if array.dtype.kind == "f" else (np.iinfo(array.dtype).max,)
        for value in worst:
            fault = study.misfit({**arrays, name: np.full_like(array, value)})
            assert fault or name in MAY_BE_NO_NUMBERS, (name, value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"cell": np.zeros(3, np.uint16)}, "cell has 3 hits, counted are 4"),
        ({"cell": np.full(4, 30_000, np.uint16)}, "cell holds 30000"),
        ({"energy": np.full(4, -1, np.float32)}, "energy holds -1"),
    ],
)
def test_showers_of_impossible_hits_are_refused(change, reason):
    study = make_study("showers", "smoke", part_size=2, showers=2)
    part = {
        "cell": np.zeros(4, np.uint16),
        "energy": np.ones(4, np.float32),
        "count": np.full(2, 2, np.uint16),
    }
    assert study.misfit(part) is None
    assert reason in study.misfit({**part, **change})


# ---- notes ----

NOTES = {
    **RECORDS,
    "no parts": '{"folder": "x", "seconds": 1}',
    "parts that are words": '{"folder": "x", "parts": ["ab"], "seconds": 1}',
    "parts that are empty": '{"folder": "x", "parts": [[]], "seconds": 1}',
    "seconds of 400 digits": f'{{"folder": "x", "parts": [[0, 0]], "seconds": {10**400}}}',
    "seconds that are text": '{"folder": "x", "parts": [[0, 0]], "seconds": "1"}',
}


@pytest.mark.parametrize("how", NOTES)
def test_a_damaged_note_is_named_and_left_alone(how, store, capsys):
    """Of whatever training it was, work that begins finds its own notes."""
    result = Result(gan(), "smoke")
    work = worker.work_folder(store)
    (work / "a.json").write_bytes(NOTES[how].encode("latin-1"))
    (work / "a.safetensors").touch()
    (work / "b.json").write_text(
        json.dumps({"folder": str(result.folder), "parts": [[1, 0]], "seconds": 5.0})
    )
    (work / "b.safetensors").touch()
    assert worker.unfinished(result, result.missing()) == [[(1, 0)]]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{work / 'a.json'} is damaged (")


# ---- checkpoints ----


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """Of a training of two GANs, stopped after four of six epochs."""
    monkeypatch.setattr(amplib.models.training, "CHECKPOINT_SECONDS", -1)
    path = tmp_path / "checkpoint"
    stop_in_epoch_5(path)
    return path


def stop_in_epoch_5(path):
    calls = []

    def stop(work):
        calls.append(work)
        if len(calls) == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go_on(path, stop)


def go_on(path, progress=lambda work: None):
    return dict(gan(epochs=6, repetitions=2).compute([(0, 0), (1, 0)], "cpu", path, progress))


def weights(state):
    """The first of the generators' weights, ``(E, ...)``, and the memory of its optimiser."""
    name = next(k for k in state if f"{k}.exp_avg" in state)
    return state[name], state[f"{name}.exp_avg"]


STATES = {
    "an epoch of a million": lambda s: s["epoch"].fill_(10**6),
    "an epoch below zero": lambda s: s["epoch"].fill_(-1),
    "the last epoch": lambda s: s["epoch"].fill_(6),
    "NaN weights": lambda s: weights(s)[0].fill_(torch.nan),
    "one NaN weight": lambda s: weights(s)[0].view(-1)[0].fill_(torch.nan),
    "an infinite weight": lambda s: weights(s)[0].view(-1)[-1].fill_(torch.inf),
    "infinities in the optimiser": lambda s: weights(s)[1].fill_(-torch.inf),
    "NaN in the optimiser": lambda s: weights(s)[1].fill_(torch.nan),
    "no losses": lambda s: s.pop("losses"),
    "losses of fewer epochs": lambda s: s.update(losses=s["losses"][:1].clone()),
    "losses of one member": lambda s: s.update(losses=s["losses"][..., :1].clone()),
    "losses without epochs": lambda s: s["losses"].zero_(),
    "fewer members": lambda s: s.update({k: v[:1].clone() for k, v in s.items() if v.ndim}),
    "no weights": lambda s: [s.pop(k) for k in list(s) if k not in ("losses", "epoch")],
}


@pytest.mark.parametrize("how", STATES)
def test_a_checkpoint_that_cannot_be_is_refused(how, checkpoint):
    state = load_file(checkpoint)
    STATES[how](state)
    save_file(state, checkpoint)
    with pytest.raises(ValueError, match="delete it to train anew") as caught:
        go_on(checkpoint)
    assert one_line(caught).startswith(f"{checkpoint} is damaged (")


@pytest.mark.parametrize("length", [0, 7, 100, -1])
def test_a_truncated_checkpoint_is_refused(length, checkpoint):
    checkpoint.write_bytes(checkpoint.read_bytes()[:length])
    with pytest.raises(ValueError, match=r"is damaged \(.*delete it to train anew"):
        go_on(checkpoint)


def test_a_whole_checkpoint_is_gone_on_with(checkpoint, tmp_path):
    ended, anew = go_on(checkpoint), go_on(tmp_path / "another")
    assert all(np.array_equal(ended[p]["counts"], anew[p]["counts"]) for p in ended)


def test_a_member_that_has_diverged_stays_in_the_checkpoint(checkpoint):
    """Its weights are NaN and so is its last loss: that is no damage."""
    state = load_file(checkpoint)
    for value in state.values():
        if value.is_floating_point() and value.ndim > 1 and len(value) == 2:
            value[1] = torch.nan
    state["losses"][-1, 1:, 1] = torch.nan
    save_file(state, checkpoint)
    ended = go_on(checkpoint)
    assert ended[0, 0]["diverged"] == -1
    assert ended[1, 0]["diverged"] == 4


# ---- a full disk ----


@pytest.fixture
def full(monkeypatch):
    """No file may grow beyond some bytes: what a full disk does to a write, by the kernel."""
    usual, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def fill(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))

    yield fill
    resource.setrlimit(resource.RLIMIT_FSIZE, (usual, most))


def files_in(folder):
    return sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize(("size", "file"), [(100, "part-002-00.npz"), (1200, "record.json")])
def test_a_full_disk_is_named_and_leaves_nothing(size, file, full, store):
    """Neither of the part nor of the record, whichever does not fit any more."""
    result = filled()
    before = {p: (store / p).read_bytes() for p in files_in(store)}
    assert len(before[result.folder.relative_to(store) / "record.json"]) > 1000
    full(size)
    with pytest.raises(OSError, match="cannot be written") as caught:
        result.save((2, 0), gan_part(gan()), MADE)
    full(resource.RLIM_INFINITY)
    assert str(result.folder / file) in one_line(caught)
    assert {p: (store / p).read_bytes() for p in files_in(store)} == before
    assert result.missing() == [(2, 0)]


def test_a_checkpoint_on_a_full_disk_is_named_and_leaves_the_last(full, checkpoint):
    before = checkpoint.read_bytes()
    full(1000)
    with pytest.raises(OSError, match="cannot be written") as caught:
        go_on(checkpoint)
    full(resource.RLIM_INFINITY)
    assert str(checkpoint) in one_line(caught)
    assert checkpoint.read_bytes() == before
    assert [p.name for p in checkpoint.parent.iterdir() if p.is_file()] == ["checkpoint"]


def test_a_file_on_a_full_disk_stays_as_it_was(full, tmp_path):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    full(2)
    with pytest.raises(OSError, match="cannot be written"):
        write_atomically(path, b"new")
    full(resource.RLIM_INFINITY)
    assert path.read_bytes() == b"old"
    assert files_in(tmp_path) == [path.relative_to(tmp_path)]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="asks git")
@pytest.mark.parametrize(
    "name",
    [
        "results/smoke/camel-fit/0123/part-000.npz",
        "results/paper/camel-fit/0123/.part-000.npz.4711",
        "results/paper/camel-fit/0123/.record.json.4711",
        "results/.work/0123.safetensors",
    ],
)
def test_leftovers_are_no_part_of_the_repository(name):
    ignored = subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT)
    assert ignored.returncode == 0
    shipped = subprocess.run(
        ["git", "check-ignore", "-q", "results/paper/camel-fit/0123/part-000.npz"], cwd=ROOT
    )
    assert shipped.returncode == 1


# ---- workers ----


class Quiet:
    """Where a worker reports, and what never stops it."""

    def put(self, report):
        pass

    def is_set(self):
        return False


@pytest.fixture
def here(monkeypatch):
    """``worker.compute_group`` in this process."""
    monkeypatch.setattr(worker, "_progress", Quiet())
    monkeypatch.setattr(worker, "_stop", Quiet())
    return lambda result, parts: worker.compute_group(0, result, parts, "cpu")


def test_a_part_of_another_run_is_left_to_it_whatever_the_groups(here, capsys):
    """One computes (1, 0) and (2, 0), we begin (0, 0) and (1, 0)."""
    result = Result(gan(epochs=2), "smoke")
    with worker.part_lock(result, (1, 0)) as one, worker.part_lock(result, (2, 0)) as two:
        assert one and two
        assert here(result, [(0, 0), (1, 0)])
    assert "parts (1, 0) to (1, 0) are with another run" in capsys.readouterr().err
    assert result.done() == [(0, 0)]


def test_a_part_that_another_run_has_made_is_not_made_again(here):
    study = gan(epochs=2)
    result = filled(study, [(1, 0)])
    before = result.record()["parts"]["part-001-00.npz"]
    assert here(result, [(0, 0), (1, 0)])
    assert result.done() == [(0, 0), (1, 0)]
    assert result.record()["parts"]["part-001-00.npz"] == before
    assert result.record()["parts"]["part-000-00.npz"]["together"] == 1


def test_a_group_that_was_interrupted_stays_together(here, store, monkeypatch):
    """One of its parts is stored already: the checkpoint is of both, and only the other is new."""
    study = gan(epochs=6, repetitions=2)
    result, parts = Result(study, "smoke"), [(0, 0), (1, 0)]
    path = worker.checkpoint_of(result, parts)
    monkeypatch.setattr(amplib.models.training, "CHECKPOINT_SECONDS", -1)
    stop_in_epoch_5(path)
    result.save((1, 0), gan_part(study), MADE)
    before = result.record()["parts"]["part-001-00.npz"]
    assert here(result, parts)
    assert result.record()["parts"]["part-001-00.npz"] == before
    assert result.record()["parts"]["part-000-00.npz"]["together"] == 2
    assert not path.exists()


def command(store, *arguments):
    arguments = [*arguments, "--set", *(f"{k}={v}" for k, v in SMALL.items())]
    return subprocess.Popen(
        [sys.executable, "-m", "amplib", "compute", "gan", "--preset", "smoke", *arguments],
        env={**os.environ, "AMPLIFY_RESULTS": str(store)},
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_what_other_code_has_made_is_refused_by_a_worker(store):
    """In one line, from whichever process it comes; and its parts stay as they are."""
    result = filled(gan(), [(0, 0)])
    fingerprint = json.loads((result.folder / "record.json").read_text())["fingerprint"]
    rewrite(result, fingerprint=[1.5 * x for x in fingerprint])
    run = command(store, "--device", "cpu", "--jobs", "2", "--group", "1")
    _, said = run.communicate(timeout=300)
    assert run.returncode == 2
    ours = [line for line in said.splitlines() if line.startswith("amplib: ")]
    assert len(ours) == 1
    assert f"{result.folder} was made by other code; delete it, then make compute" in ours[0]
    assert "Traceback" not in said
    assert result.done() == [(0, 0)]


def processes_of(group):
    """Ids of the living processes of a group."""
    done = subprocess.run(["ps", "-eo", "pgid=,pid=,stat="], capture_output=True, text=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    return [int(pid) for pgid, pid, stat in rows if int(pgid) == group and stat[0] not in "ZX"]


@pytest.mark.skipif(shutil.which("ps") is None, reason="asks ps")
def test_a_parent_that_dies_while_it_looks_for_a_gpu_leaves_nobody(store):
    run = command(store, "--device", "auto")
    try:
        wait_for(lambda: len(processes_of(run.pid)) > 1)  # who is asked for a GPU has begun
        run.kill()
        run.wait(60)
        wait_for(lambda: not processes_of(run.pid))
    finally:
        if processes_of(run.pid):
            os.killpg(run.pid, signal.SIGKILL)


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_a_worker_that_dies_disturbs_no_other(monkeypatch, store, tmp_path, capfd):
    """Two work on a group each; one is killed, its group is done again, the other's is not."""
    monkeypatch.setenv("AMPLIFY_TEST_DIES", str(tmp_path / "died"))
    monkeypatch.setattr(worker, "start", mortal)
    result = Result(make_study("fit", "smoke", repetitions=200), "smoke")
    groups = [Group(result, [part]) for part in result.study.parts()]
    assert Crew(groups, 2, "cpu").run()
    assert result.missing() == []
    assert sorted(group.attempts for group in groups) == [0, 1]
    assert capfd.readouterr().err.count("a worker died") == 1


def test_a_worker_that_dies_with_nothing_to_do_is_noticed():
    hand = Hand()
    group = Group(filled(parts=[(0, 0)]), [(0, 0)])
    assert hand.begin(0, group, "cpu").result(120)
    (process,) = hand.pool._processes.values()
    process.kill()
    process.join(60)
    with pytest.raises(RuntimeError, match="process"):
        hand.begin(0, group, "cpu").result(60)
    hand.release(wait=False)
