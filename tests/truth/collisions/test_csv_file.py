"""Event files: nothing is lost, nothing wrong gets in, and what is wrong is named."""

import gzip
import math
import os
import re
import signal
import subprocess
import sys
import time
import tracemalloc
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import amplib.truth.collisions.csv_file
from amplib.store.results import Result
from amplib.studies.catalogue import make_study
from amplib.truth.collisions.columns import TTBAR, Z_LEPTONS
from amplib.truth.collisions.compact import unpack
from amplib.truth.collisions.csv_file import LINES, TTBAR_RULES, Rule, read_events, write_events

pd = pytest.importorskip("pandas")

SUFFIXES = ["csv", "csv.gz"]
# One event of each kind, as it would stand in the published file: MeV, six digits.
ONE_LEPTON = (
    "45210.3 -2.71828 152000 120500 0.7 1.5 99000.5 98000 -0.14 -3.14159 70500 61000.2 0.54 0.1 "
    "35100 20000 1.16 2.9 84000 31000 -1.65 -0.2 0 0 0 0 \n"
)
TWO_LEPTONS = ONE_LEPTON.replace("0 0 0 0 \n", "15000 10200 0.93 3.14159 \n")
EVENTS = np.array([[float(x) for x in text.split()] for text in (ONE_LEPTON, TWO_LEPTONS)])


def write_text(path, text):
    data = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def read(path, **options):
    return np.concatenate(list(read_events(path, **options)))


def refusal(path, **options):
    """Why a file is refused, less its name."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        for _ in read_events(path, **options):
            pass
    text = str(caught.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    return text.removeprefix(str(path)).lstrip(" ,:")


def changed(column, value, text=ONE_LEPTON):
    """A line with another value in one column."""
    values = text.split()
    values[TTBAR.index(column)] = str(value)
    return " ".join(values) + " \n"


# ---- there and back ----

floats32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
batches32 = st.integers(1, 6).flatmap(
    lambda d: st.lists(
        st.integers(0, 9).flatmap(lambda n: arrays(np.float32, (n, d), elements=floats32)),
        min_size=1,
        max_size=4,
    ).filter(lambda batches: sum(map(len, batches)))
)


@settings(max_examples=80, deadline=None)
@given(batches32, st.sampled_from(SUFFIXES), st.integers(1, 12), st.integers(1, 9))
def test_single_precision_comes_back_exactly(batches, suffix, batch_size, lines):
    """Whatever the batches, and however many lines are parsed at once."""
    names = [str(i) for i in range(batches[0].shape[1])]
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(amplib.truth.collisions.csv_file, "LINES", lines)
        path = Path(folder, f"events.{suffix}")
        write_events(path, batches)
        found = list(read_events(path, names, batch_size, rules=()))
    sizes = {len(batch) for batch in found[:-1]}
    assert sizes <= {batch_size}
    assert 1 <= len(found[-1]) <= batch_size
    assert all(batch.flags.c_contiguous and batch.dtype == np.float64 for batch in found)
    found32 = np.concatenate(found).astype(np.float32)
    np.testing.assert_array_equal(found32, np.concatenate(batches))


@settings(max_examples=50, deadline=None)
@given(
    arrays(
        np.float64,
        array_shapes(min_dims=2, max_dims=2, max_side=5),
        elements=st.floats(allow_nan=False, allow_infinity=False),
    )
)
def test_digits_written(events):
    """17 digits keep a double; the default 9 keep it to half a unit of the ninth digit."""
    names = [str(i) for i in range(events.shape[1])]
    with TemporaryDirectory() as folder:
        path = Path(folder, "events.csv")
        write_events(path, [events], digits=17)
        np.testing.assert_array_equal(read(path, columns=names, rules=()), events)
        events = np.where(np.abs(events) > 1e300, 0, events)  # rounded up they may be infinite
        write_events(path, [events])
        np.testing.assert_allclose(read(path, columns=names, rules=()), events, rtol=5.001e-9)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_format_is_the_published_one(tmp_path, suffix):
    """As its authors' scripts read it: 26 values and an empty 27th column."""
    path = tmp_path / f"events.{suffix}"
    write_events(path, [EVENTS, EVENTS[:1]])
    frame = pd.read_csv(path, sep=" ", header=None)
    assert frame.shape == (3, 27)
    assert frame[26].isna().all()
    np.testing.assert_array_equal(frame.to_numpy()[:, :26], EVENTS[[0, 1, 0]])
    np.testing.assert_array_equal(np.loadtxt(path), read(path))


def test_a_large_batch_is_written_whole(tmp_path):
    path = tmp_path / "events.csv"
    events = np.repeat(EVENTS[:1], 2_500, 0)
    events[:, 0] += np.arange(2_500)
    write_events(path, [events])
    np.testing.assert_array_equal(read(path), events)


def test_text_is_as_short_as_the_published_one(tmp_path):
    path = tmp_path / "events.csv"
    write_events(path, [EVENTS])
    assert path.read_text() == ONE_LEPTON + TWO_LEPTONS


def test_numbers_have_nine_digits_and_no_more(tmp_path):
    path = tmp_path / "events.csv"
    write_events(path, [[[1 / 3, 2e9 / 3]]])
    assert path.read_text() == "0.333333333 666666667 \n"


def test_a_first_line_of_names_is_written_if_it_fits(tmp_path):
    path = tmp_path / "events.csv"
    write_events(path, [EVENTS[:1], EVENTS[1:]], header=TTBAR)
    assert path.read_text() == " ".join(TTBAR) + "\n" + ONE_LEPTON + TWO_LEPTONS
    np.testing.assert_array_equal(read(path), EVENTS)
    with pytest.raises(ValueError, match="25 names for 26 columns"):
        write_events(tmp_path / "other.csv", [EVENTS], header=TTBAR[1:])
    assert not (tmp_path / "other.csv").exists()


def test_equal_events_are_equal_bytes(tmp_path, monkeypatch):
    first, second = tmp_path / "a.csv.gz", tmp_path / "b.csv.gz"
    write_events(first, [EVENTS])
    monkeypatch.setattr("time.time", lambda: 1e9)
    write_events(second, [EVENTS[:1], EVENTS[1:]])
    assert first.read_bytes() == second.read_bytes()


def test_events_come_as_they_are_read(tmp_path, monkeypatch):
    """The first are there before a fault further on is seen."""
    monkeypatch.setattr(amplib.truth.collisions.csv_file, "LINES", 10)
    path = write_text(tmp_path / "events.csv", ONE_LEPTON * 30 + "no event\n")
    events = read_events(path, batch_size=10)
    for _ in range(3):
        assert len(next(events)) == 10
    with pytest.raises(ValueError, match="line 31, column MET: 'no' is not a finite number"):
        next(events)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_memory_does_not_grow_with_the_file(tmp_path, suffix):
    """40,000 events are 8 MB as numbers; the pieces that are parsed, 1.8 MB each."""
    path = write_text(tmp_path / f"events.{suffix}", (ONE_LEPTON + TWO_LEPTONS) * 20_000)
    tracemalloc.start()
    try:
        count = sum(len(batch) for batch in read_events(path, batch_size=1000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 40_000
    assert peak < 6e6


# ---- our own events ----


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_simulated_events_pass_the_rules(tmp_path, suffix):
    path = tmp_path / f"ttbar.{suffix}"
    events = make_study("ttbar", "smoke").make((0,), lambda work: None)["events"]
    write_events(path, [events])
    np.testing.assert_array_equal(read(path).astype(np.float32), events)


@pytest.mark.parametrize("digits", [6, 9])
def test_shipped_events_pass_the_rules(tmp_path, digits):
    """5,000 packed ones, whose leptons have E < p by rounding; to six digits, too."""
    path = tmp_path / "ttbar.csv"
    packed = Result(make_study("ttbar-summary", "paper"), "paper").part((0,))["packed"]
    write_events(path, [unpack(packed)], digits)
    np.testing.assert_allclose(read(path), unpack(packed), rtol=0.501 * 10.0 ** (1 - digits))


MANY_PARTS = """
from amplib.book.data import STUDIES, make_data
STUDIES["two-body"].presets["smoke"].update(events=2000, part_size=20)
make_data("two-body-smoke", jobs=1, device="cpu")
"""


@pytest.mark.slow
def test_a_killed_run_gives_the_same_file(tmp_path):
    """kill -9 between two of 100 parts, then the same command again; no part is made twice."""

    def run(folder):
        return subprocess.Popen(
            [sys.executable, "-c", MANY_PARTS],
            env={**os.environ, "AMPLIFY_DATA": str(folder)},
            start_new_session=True,
            stderr=subprocess.DEVNULL,
        )

    def parts(folder):
        return {path.name: path.stat().st_mtime_ns for path in folder.glob("two-body/*/part-*.npz")}

    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert run(whole).wait(120) == 0
    killed, end = run(broken), time.monotonic() + 120
    while len(parts(broken)) < 3 and time.monotonic() < end:
        time.sleep(0.01)
    os.killpg(killed.pid, signal.SIGKILL)
    assert killed.wait(60) == -signal.SIGKILL
    survived = parts(broken)
    assert 3 <= len(survived) < 100 and not list(broken.glob("*.csv"))

    assert run(broken).wait(120) == 0
    again = parts(broken)
    assert len(again) == 100
    remade = [name for name, made in survived.items() if again[name] != made]
    assert len(remade) <= 1  # one whose record was not written yet
    name = "two-body-smoke.csv"
    assert (broken / name).read_bytes() == (whole / name).read_bytes()


# ---- other sets of events ----


def test_sixteen_columns_with_their_own_rules(tmp_path):
    path, z = tmp_path / "z.csv", np.zeros((3, 16))
    z[:, :8] = 45.5
    write_events(path, [z])
    np.testing.assert_array_equal(read(path, columns=Z_LEPTONS), z)
    light = Rule(("E_e-", "E_e+"), lambda a, b: a + b < 91, "{0} + {1} is too much")
    assert refusal(path, columns=Z_LEPTONS, rules=[light]) == (
        "line 1, column E_e-: 45.5 + 45.5 is too much"
    )
    with pytest.raises(ValueError, match="a rule is about 'E_j1', the columns are E_e-, px_e-"):
        read(path, columns=Z_LEPTONS, rules=TTBAR_RULES)
    with pytest.raises(ValueError, match="16 of 26 values"):
        read(path)


# ---- what is tolerated ----

TOLERATED = {
    "six digits of a jet along the beam's normal": changed("E_j1", 120_499.5, changed("eta_j1", 0)),
    "E = pT cosh(eta), with three decimals of eta": changed("E_j4", 35_020),
    "a jet whose axis is beyond its towers": changed("eta_j4", 5.1, changed("E_j4", 1_700_000)),
    "a lepton from a displaced vertex": changed("eta_l1", -2.6, changed("E_l1", 210_000)),
    "a jet of 20 GeV in single precision": changed("pT_j4", 19_999.998),
    "jets of equal pT, rounded apart": changed("pT_j2", 120_500.1, changed("E_j2", 130_000)),
    "a lepton of 10 GeV in single precision": changed("pT_l2", 9_999.999, TWO_LEPTONS),
    "pi to four digits": changed("phi_MET", -3.142),
    "no missing energy": changed("MET", 0),
    "leptons in either order": changed("pT_l2", 70_000, changed("E_l2", 103_000, TWO_LEPTONS)),
    "the lepton in the second place": TWO_LEPTONS.replace("84000 31000 -1.65 -0.2", "0 0 0 0"),
    "zeros with points and signs": ONE_LEPTON.replace("0 0 0 0 ", "0.0 -0 0.00000 0e+00 "),
    "exponents": ONE_LEPTON.replace("152000", "1.52e+05"),
    "no delimiter at the end": ONE_LEPTON.replace(" \n", "\n"),
    "no newline at the end": ONE_LEPTON[:-1],
    "Windows": ONE_LEPTON.replace("\n", "\r\n"),
    "an old Mac": ONE_LEPTON.replace("\n", "\r"),
    "tabs about a number": ONE_LEPTON.replace("152000 ", "\t152000\t "),
    "empty lines at the end": ONE_LEPTON + "\n\n",
    "empty lines and spaces before": "\n  \n\r\n \r" + ONE_LEPTON,
}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("text", TOLERATED.values(), ids=TOLERATED)
def test_what_is_tolerated(tmp_path, text, suffix):
    path = write_text(tmp_path / f"events.{suffix}", ONE_LEPTON + text)
    np.testing.assert_array_equal(read(path)[1], [float(x) for x in text.split()])


# ---- what is refused ----

VALUES = ONE_LEPTON.split()
NO_NUMBERS = {
    "text": (changed("E_j2", "abc"), "E_j2: 'abc' is not a finite number"),
    "another header": (" ".join(TTBAR[:-1]) + " E \n", "MET: 'MET' is not a finite number"),
    "nan": (changed("eta_j3", "nan"), "eta_j3: 'nan' is not a finite number"),
    "NaN in a zero": (changed("phi_l2", "NaN"), "phi_l2: 'NaN' is not a finite number"),
    "NA": (changed("eta_j3", "NA"), "eta_j3: 'NA' is not a finite number"),
    "inf": (changed("MET", "inf"), "MET: 'inf' is not a finite number"),
    "beyond doubles": (changed("MET", "1e400"), "MET: '1e400' is not a finite number"),
    "hexadecimal": (changed("MET", "0x10"), "MET: '0x10' is not a finite number"),
    "a Boolean": (changed("E_l2", "True"), "E_l2: 'True' is not a finite number"),
    "quotes": (changed("MET", '"1.5"'), "MET: '\"1.5\"' is not a finite number"),
    "a comment": ("# made by me\n", "MET: '#' is not a finite number"),
    "two spaces": (ONE_LEPTON.replace(" ", "  ", 1), "phi_MET: '' is not a finite number"),
    "a space first": (" " + ONE_LEPTON, "MET: '' is not a finite number"),
    "commas": (",".join(VALUES) + "\n", "MET: '45210.3,-2.71828,152' is not a finite number"),
    "tabs": ("\t".join(VALUES) + "\n", r"MET: '45210.3\t-2.71828\t152' is not a finite number"),
    "a column less": (
        " ".join(VALUES[1:]) + " \n",
        "phi_l2: missing, the line has 25 of 26 values",
    ),
    "half a line": (" ".join(VALUES[:11]) + " \n", "pT_j3: missing, the line has 11 of 26 values"),
    "a column more": (ONE_LEPTON[:-1] + "1 \n", "27: the line has 27 of 26 values"),
    "one more, no delimiter": (ONE_LEPTON[:-1] + "1\n", "27: the line has 27 of 26 values"),
    "a NaN more": (ONE_LEPTON[:-1] + "nan \n", "27: the line has 27 of 26 values"),
    "one more after two delimiters": (
        ONE_LEPTON[:-1] + " 5 \n",
        "27: the line has 28 of 26 values",
    ),
    "nothing but tabs": ("\t\t\n", r"MET: '\t\t' is not a finite number"),
    "spaces for a line": (" " * 30 + "\n", "MET: '' is not a finite number"),
    "digits of other scripts": (changed("MET", "\u0665"), "MET: '\u0665' is not a finite number"),
    "grouped digits": (changed("MET", "45_210"), "MET: '45_210' is not a finite number"),
    "many more": (ONE_LEPTON[:-1] * 2 + "\n", "27: the line has 52 of 26 values"),
    "bytes": (b"\x80\x81\xfe\xff \x00\n", "MET: '\ufffd\ufffd\ufffd\ufffd' is not a finite number"),
}
AGAINST_RULES = {
    "MET": (changed("MET", -1), "MET: -1 is negative"),
    "MET beyond the beams": (changed("MET", 1e12), "MET: 1e+12 MeV is more than a beam has"),
    "beyond 64 bits": (
        changed("E_j1", -12345678901234567890),
        "E_j1: -1.23456789e+19 is below the momentum of pT = 120500 at eta = 0.7",
    ),
    "eta for ever": (changed("eta_j2", 1e9), "eta_j2: 1e+09 is beyond 5.5"),
    "a lepton beyond the tracker": (changed("eta_l1", 3.1), "eta_l1: 3.1 is beyond 3"),
    "E of another eta": (
        changed("eta_j1", 4.5),
        "E_j1: 152000 is below the momentum of pT = 120500 at eta = 4.5",
    ),
    "degrees": (changed("phi_j3", -170), "phi_j3: -170 is not within pi"),
    "an absent jet": (changed("pT_j4", 0), "pT_j4: 0 MeV is not above 20 GeV"),
    "a lepton of negative pT": (
        changed("pT_l1", -31_000),
        "pT_l1: -31000 MeV is neither above 10 GeV nor 0, for no lepton",
    ),
    "no lepton": (
        ONE_LEPTON.replace("84000 31000 -1.65 -0.2", "0 0 0 0"),
        "pT_l1: no lepton, at least one is expected",
    ),
}
for of in ("MET", "j1", "j2", "j3", "j4", "l1", "l2"):
    AGAINST_RULES[f"phi of {of}"] = (
        changed(f"phi_{of}", 3.15, TWO_LEPTONS),
        f"phi_{of}: 3.15 is not within pi",
    )
    if of == "MET":
        continue
    pt, eta = (EVENTS[1, TTBAR.index(f"{q}_{of}")] for q in ("pT", "eta"))
    low = f"{0.998 * pt * math.cosh(eta):.9g}"
    AGAINST_RULES[f"E of {of}"] = (
        changed(f"E_{of}", low, TWO_LEPTONS),
        f"E_{of}: {low} is below the momentum of pT = {pt:.9g} at eta = {eta:.9g}",
    )
    AGAINST_RULES[f"E of {of} beyond the beams"] = (
        changed(f"E_{of}", 1e12, TWO_LEPTONS),
        f"E_{of}: 1e+12 MeV is more than a beam has",
    )
    soft = "neither above 10 GeV nor 0, for no lepton" if of[0] == "l" else "not above 20 GeV"
    AGAINST_RULES[f"a soft {of}"] = (
        changed(f"pT_{of}", 9_999, TWO_LEPTONS),
        f"pT_{of}: 9999 MeV is {soft}",
    )
for first, second in (("j1", "j2"), ("j2", "j3"), ("j3", "j4")):
    pt = EVENTS[0, TTBAR.index(f"pT_{first}")]
    low = changed(f"E_{second}", 200_000, changed(f"pT_{second}", f"{pt + 3:.9g}"))
    AGAINST_RULES[f"{first} and {second}"] = (
        low,
        f"pT_{second}: {pt + 3:.9g} exceeds the {pt:.9g} of {first}, jets must be ordered in pT",
    )
for of, lepton in (("l1", "84000 31000 -1.65 -0.2"), ("l2", "15000 10200 0.93 3.14159")):
    for quantity in ("E", "eta", "phi"):
        AGAINST_RULES[f"{quantity} of no {of}"] = (
            changed(f"{quantity}_{of}", 0.5, TWO_LEPTONS.replace(lepton, "0 0 0 0")),
            f"{quantity}_{of}: 0.5 must be 0, as pT = 0 says that there is no lepton",
        )
REFUSED = NO_NUMBERS | AGAINST_RULES


@pytest.mark.parametrize(("line", "reason"), REFUSED.values(), ids=REFUSED)
def test_line_column_and_reason(tmp_path, monkeypatch, line, reason):
    """Wherever it stands: first, in the middle of what is parsed at once, last; in any file."""
    monkeypatch.setattr(amplib.truth.collisions.csv_file, "LINES", 4)
    line = line if isinstance(line, bytes) else line.encode()
    good = TWO_LEPTONS.encode()
    for suffix, (before, after) in product(SUFFIXES, [(0, 9), (5, 20), (12, 0)]):
        path = write_text(tmp_path / f"events.{suffix}", good * before + line + good * after)
        assert refusal(path, batch_size=3) == f"line {before + 1}, column {reason}"


def at_limit(column, value, text=TWO_LEPTONS):
    """With as much energy as that takes."""
    of = column.partition("_")[2]
    if column.startswith("eta"):
        pt = EVENTS[1, TTBAR.index(f"pT_{of}")]
        text = changed(f"E_{of}", 1.001 * pt * math.cosh(value), text)
    return changed(column, value, text)


LIMITS = {
    "MET": [(0, -1e-9), (7_000_000, 7_000_001)],
    "phi_MET": [(3.1425, 3.1427), (-3.1425, -3.1427)],
    "E_j1": [(7_000_000, 7_000_001), (120_500 * math.cosh(0.7) * 0.99901, 151_000)],
    "E_l1": [(7_000_000, 7_000_001), (31_000 * math.cosh(1.65) * 0.99901, 83_000)],
    "eta_j4": [(5.5, 5.501), (-5.5, -5.501)],
    "eta_l1": [(3, 3.001), (-3, -3.001)],
    "phi_j3": [(3.1425, 3.1427), (-3.1425, -3.1427)],
    "pT_j4": [(19_999.81, 19_999.79)],
    "pT_l2": [(9_999.91, 9_999.89)],
    "pT_j3": [(98_000 * 1.0000099, 98_000 * 1.0000101)],
}


@pytest.mark.parametrize("column", LIMITS)
def test_each_rule_holds_up_to_its_limit(tmp_path, column):
    """What is within is read, what is just beyond is not, and it is blamed."""
    for good, bad in LIMITS[column]:
        text = changed("E_j3", 300_000, TWO_LEPTONS) if column == "pT_j3" else TWO_LEPTONS
        path = write_text(tmp_path / "events.csv", at_limit(column, good, text))
        assert read(path)[0, TTBAR.index(column)] == pytest.approx(good)
        write_text(path, at_limit(column, bad, text))
        assert refusal(path).startswith(f"line 1, column {column}: ")


@pytest.mark.parametrize(("lines", "met", "read_past"), [
    (19, 6_999, True), (20, 6_999, False), (20, 7_000, True), (9, 1, True),
])  # fmt: skip
def test_enough_lines_tell_gev_from_mev(tmp_path, lines, met, read_past):
    """Twenty with half of their missing energies below 7000 MeV are enough."""
    path = write_text(tmp_path / "events.csv", changed("MET", met) * lines)
    if read_past:
        assert len(read(path)) == lines
    else:
        assert "MeV are expected" in refusal(path)


def test_one_jet_of_seven_gev_tells_mev(tmp_path):
    """Of lines in GeV no leading jet has that; of ours, made soft, one may be alone."""
    soft = [Rule(("pT_j1",), TTBAR_RULES[0].holds, TTBAR_RULES[0].reason)]
    text = changed("pT_j1", 6_999)
    path = write_text(tmp_path / "events.csv", text * 3 + changed("pT_j1", 7_000))
    assert len(read(path, rules=soft)) == 4
    assert refusal(write_text(path, text * 3), rules=soft).startswith(
        "line 1, column pT_j1: 6999 looks like GeV"
    )


def test_the_first_fault_is_named(tmp_path):
    lines = [ONE_LEPTON] * 3 + [changed("MET", -1), changed("E_j1", 1), "\n", changed("MET", -2)]
    path = tmp_path / "events.csv"
    assert refusal(write_text(path, "".join(lines))).startswith("line 4, column MET: -1")
    assert refusal(write_text(path, "".join(lines[:3] + lines[4:]))).startswith("line 4, column E_")
    assert refusal(write_text(path, "".join(lines[5:]))).startswith("line 2, column MET: -2")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(["", " ", "   ", ONE_LEPTON[:-1]]), max_size=9),
    st.lists(st.sampled_from(["\n", "\r", "\r\n"]), min_size=10, max_size=10),
    st.sampled_from([("MET", "-1"), ("MET", "nan"), ("eta_j1", "\t"), ("phi_l2", "7")]),
    st.integers(1, 5),
)
def test_lines_are_counted_as_an_editor_counts_them(before, ends, fault, lines):
    """Whatever ends them, however many are empty, and however many are parsed at once."""
    column, value = fault
    text = "".join(line + end for line, end in zip([*before, ""], ends, strict=False))
    number = len(re.split(r"\r\n|\r|\n", text))
    text += changed(column, value).replace(" \n", ends[-1])
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(amplib.truth.collisions.csv_file, "LINES", lines)
        path = write_text(Path(folder, "events.csv"), text)
        assert refusal(path).startswith(f"line {number}, column {column}: ")


def in_gev(events, *names):
    """The same, with the named columns in GeV."""
    events = events.copy()
    events[:, [TTBAR.index(name) for name in names]] /= 1000
    return events


def test_gev(tmp_path):
    """A whole file in GeV is recognised; one soft event is not taken for it."""
    path = tmp_path / "events.csv"
    energies = [name for name in TTBAR if name[0] in "MEp" and "phi" not in name]
    gev = in_gev(EVENTS, *energies)
    looks_like_gev = "120.5 looks like GeV, as do all lines read with it; MeV are expected"
    write_events(path, [gev])
    assert refusal(path) == f"line 1, column pT_j1: {looks_like_gev}"
    write_events(path, [EVENTS, gev])
    assert refusal(path) == "line 3, column pT_j1: 120.5 MeV is not above 20 GeV"
    write_events(path, [np.repeat(EVENTS, LINES // 2, 0), gev])
    assert refusal(path) == f"line {LINES + 1}, column pT_j1: {looks_like_gev}"


@pytest.mark.parametrize(
    "column", [name for name in TTBAR if name[0] in "MEp" and "phi" not in name]
)
def test_one_column_in_gev(tmp_path, column):
    """Twenty lines are enough for MET, which alone may be small; one for the others."""
    path = tmp_path / "events.csv"
    write_events(path, [in_gev(EVENTS[[1]], column)] * (20 if column == "MET" else 1))
    assert refusal(path).startswith(f"line 1, column {column}: ")


def test_columns_out_of_order(tmp_path):
    """eta and phi of all objects swapped: of an event's five or six E = pT cosh(eta), one fails."""
    path, swapped = tmp_path / "events.csv", EVENTS.copy()
    objects = swapped[:, 2:].reshape(-1, 6, 4)
    objects[:, :, 2:] = objects[:, :, :1:-1].copy()
    write_events(path, [swapped])
    assert refusal(path).startswith("line 1, column E_j1: 152000 is below the momentum")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2 * len(ONE_LEPTON) + len(TWO_LEPTONS) - 1), st.sampled_from(SUFFIXES))
def test_a_file_cut_anywhere_gives_no_wrong_number(cut, suffix):
    """Cut within a number, the file is refused; at the end of one, its events are the first."""
    data = (ONE_LEPTON + TWO_LEPTONS + ONE_LEPTON).encode()
    with TemporaryDirectory() as folder:
        path = write_text(Path(folder, f"events.{suffix}"), data[:cut])
        try:
            events = read(path)
        except ValueError as error:
            assert re.search(r"no events|truncated|missing", str(error))  # noqa: PT017
            assert cut == 0 or data[cut - 1 : cut + 1] not in (b" \n", b"\nO")
        else:
            assert data[:cut].endswith((b" \n", b" "))
            np.testing.assert_array_equal(events, EVENTS[[0, 1, 0]][: len(events)])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_cut_within_the_last_number(tmp_path, suffix):
    """A complete line to look at, but 0.44 may have been 0.4432."""
    text = ONE_LEPTON + TWO_LEPTONS[:-3]
    assert refusal(write_text(tmp_path / f"events.{suffix}", text)) == (
        "line 2, column phi_l2: the file ends within this line, it is truncated"
    )
    text = ONE_LEPTON + ONE_LEPTON[:-5]
    assert refusal(write_text(tmp_path / f"events.{suffix}", text)) == (
        "line 2, column eta_l2: missing, the line has 24 of 26 values, the file is truncated"
    )


@pytest.mark.parametrize("share", [0.0001, 0.5, 0.999])
def test_a_compressed_file_cut_anywhere_is_refused(tmp_path, share):
    rng = np.random.default_rng(0)
    events = EVENTS[rng.integers(0, 2, 20_000)]
    events[:, 1] = rng.uniform(-3, 3, 20_000)
    path = tmp_path / "events.csv.gz"
    write_events(path, [events])
    path.write_bytes(path.read_bytes()[: math.ceil(share * path.stat().st_size)])
    assert re.fullmatch(
        r"after line \d+: the compressed file is truncated or damaged", refusal(path)
    )


def test_a_damaged_compressed_file_is_refused(tmp_path):
    path = tmp_path / "events.csv.gz"
    write_events(path, [np.repeat(EVENTS, 500, 0)])
    data = path.read_bytes()
    for damaged in (
        data[:-8] + bytes(4) + data[-4:],  # another checksum
        data[:10] + b"\xff" + data[11:],  # no such kind of block
    ):
        path.write_bytes(damaged)
        assert "the compressed file is truncated or damaged" in refusal(path)


def test_a_name_that_does_not_fit_is_refused(tmp_path):
    plain, zipped = tmp_path / "events.csv", tmp_path / "events.csv.gz"
    plain.write_bytes(gzip.compress(ONE_LEPTON.encode()))
    assert refusal(plain) == "line 1: compressed, but its name does not end in .gz"
    zipped.write_text(ONE_LEPTON)
    assert refusal(zipped) == "line 1: not compressed, though its name ends in .gz"
    assert refusal(tmp_path) == "is a folder, not a file of events"


def test_a_place_that_cannot_be_written_is_named_before_any_work(tmp_path):
    def never():
        pytest.fail("work was done")
        yield

    with pytest.raises(FileNotFoundError, match=r"/nowhere/.*: no such folder$"):
        write_events(tmp_path / "nowhere" / "events.csv", never())
    with pytest.raises(IsADirectoryError, match="is a folder"):
        write_events(tmp_path, never())


def test_paths_may_be_text(tmp_path):
    path = str(tmp_path / "events.csv.gz")
    write_events(path, [EVENTS])
    np.testing.assert_array_equal(read(path), EVENTS)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("text", ["", "\n", "\n\n\r\n"], ids=repr)
def test_a_file_without_events_is_refused(tmp_path, suffix, text):
    assert refusal(write_text(tmp_path / f"events.{suffix}", text)) == "holds no events"


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv"):
        next(read_events(tmp_path / "nowhere.csv"))


@pytest.mark.parametrize("batch_size", [0, -1])
def test_an_impossible_batch_is_refused(tmp_path, batch_size):
    with pytest.raises(ValueError, match=f"batch_size must be at least 1, got {batch_size}"):
        next(read_events(tmp_path / "nowhere.csv", batch_size=batch_size))


# ---- writing ----


def interrupted():
    yield EVENTS
    raise KeyboardInterrupt


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize(
    ("batches", "reason"),
    [
        ([], "no events to write"),
        ([np.empty((0, 26))], "no events to write"),
        ([EVENTS, EVENTS[:, 1:]], r"expected events \(n, 26\), got shape \(2, 25\)"),
        ([EVENTS[0]], r"expected events \(n, D\), got shape \(26,\)"),
        ([1.5], r"expected events \(n, D\), got shape \(\)"),
        ([EVENTS, [[1.0] * 25 + [np.nan]]], "event 2 has a value that is not finite"),
        ([EVENTS, [[1.0] * 26, [np.inf] * 26]], "event 3 has a value that is not finite"),
        (interrupted(), None),
    ],
)
def test_what_is_refused_is_not_written(tmp_path, suffix, there, batches, reason):
    """And what was there before stays."""
    path = tmp_path / f"events.{suffix}"
    if there:
        write_events(path, [EVENTS])
    before = path.read_bytes() if there else None
    with pytest.raises(ValueError if reason else KeyboardInterrupt, match=reason):
        write_events(path, batches if reason else interrupted())
    assert [p.name for p in tmp_path.iterdir()] == ([path.name] if there else [])
    assert not there or path.read_bytes() == before
