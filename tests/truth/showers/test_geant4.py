"""Geant4: its absence, the calorimeter that it is given, and, slowly, its transport.

The slow tests run Geant4 on made-up element tables (`geant4_tables`), so they are **no physics**:
they show that particles, energies and indices go where they should, and nothing about showers.
"""

import importlib.util
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from geant4_tables import write_tables

from amplib.files import ROOT
from amplib.truth.showers import geant4
from amplib.truth.showers.geometry import ILD_ECAL

installed = importlib.util.find_spec("geant4_pybind") is not None
transports = [
    pytest.mark.slow,
    pytest.mark.skipif(not installed, reason="geant4-pybind is not installed"),
]


@pytest.fixture
def nothing(monkeypatch, tmp_path):
    """A machine without any of Geant4's data, whose import would download under CI."""
    for variable in (*geant4.DATA_SETS, "GEANT4_DATA_DIR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CI", "true")
    return tmp_path


@pytest.fixture
def package(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())


@pytest.fixture
def data(monkeypatch, nothing):
    """Tables as the data sets of `GEANT4_DATA_DIR`."""
    write_tables(nothing / "data")
    monkeypatch.setenv("GEANT4_DATA_DIR", str(nothing / "data"))
    return nothing / "data"


def test_without_data_one_sentence_says_what_to_do(nothing, package):
    with pytest.raises(RuntimeError, match=r"missing: G4EMLOW, .*set GEANT4_DATA_DIR") as caught:
        geant4.simulate(1, 50.0)
    assert "\n" not in str(caught.value)


def test_without_the_package_one_sentence_says_what_to_do(monkeypatch, data):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match=r"missing: geant4-pybind\): `pip install geant4-pybind"):
        geant4.simulate(1, 50.0)


def test_without_data_nothing_is_imported_or_asked(nothing):
    """The command ends by itself, with the sentence, in a process that could be asked."""
    command = [sys.executable, "-m", "amplib.truth.showers.geant4"]
    done = subprocess.run(
        [*command, "--showers", "1", "--output", str(nothing / "showers.h5")],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stdout == "" and done.stderr.count("\n") == 1
    assert "GEANT4_DATA_DIR" in done.stderr
    assert list(nothing.iterdir()) == []


def test_where_data_are_looked_for(monkeypatch, nothing, package):
    def make(folder, version):
        for name in geant4.DATA_SETS.values():
            (folder / f"{name}{version}").mkdir(parents=True)

    make(nothing / ".geant4_pybind", "8.8")
    found = geant4.require()
    assert found["G4LEDATA"] == str(nothing / ".geant4_pybind/G4EMLOW8.8")
    assert found["GEANT4_DATA_DIR"] == str(nothing / ".geant4_pybind")

    make(nothing / ".geant4_pybind", "8.10")
    assert geant4.require()["G4LEDATA"] == str(nothing / ".geant4_pybind/G4EMLOW8.10")

    make(nothing / "system", "8.7")
    monkeypatch.setenv("GEANT4_DATA_DIR", str(nothing / "system"))
    assert geant4.require()["G4LEDATA"] == str(nothing / "system/G4EMLOW8.7")

    (nothing / "own").mkdir()
    monkeypatch.setenv("G4LEDATA", str(nothing / "own"))
    found = geant4.require()
    assert found["G4LEDATA"] == str(nothing / "own")
    assert found["G4ENSDFSTATEDATA"] == str(nothing / "system/G4ENSDFSTATE8.7")

    monkeypatch.setenv("G4LEDATA", str(nothing / "gone"))
    with pytest.raises(RuntimeError, match=r"missing: G4EMLOW\)"):
        geant4.require()


@pytest.mark.parametrize(
    "wrong",
    [
        {"n": 0},
        {"energy": 0.5},
        {"energy": [1, np.inf]},
        {"energy": 500},
        {"particle": "gamma"},
        {"beam": 11},
        {"seed": -1},
    ],
)
def test_impossible_arguments_are_refused_before_any_work(nothing, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        geant4.simulate(**{"n": 2, "energy": 50.0, **wrong})


def test_what_geant4_is_told(nothing):
    """Its own names of the particles that the parametrised showers have, and their energies."""
    for particle, name in (("photon", "gamma"), ("electron", "e-")):
        request = geant4._request(2, [1, 200], particle, 0, 1.0, ILD_ECAL)
        assert request["particle"] == name
        assert request["energies"] == [1, 200]


def test_the_calorimeter_that_geant4_is_given():
    plates = geant4.slabs()
    tungsten, silicon = plates[::2], plates[1::2]
    assert {p.material for p in tungsten} == {"tungsten"}
    assert {p.material for p in silicon} == {"silicon"}
    assert len(silicon) == 30
    assert sum(p.depth for p in tungsten) == pytest.approx(24.0, abs=0.05)
    assert [p.front_mm for p in silicon] == list(ILD_ECAL.front_mm)
    assert {p.thickness_mm for p in silicon} == {0.525}
    rear = np.array([p.front_mm + p.thickness_mm for p in plates])
    assert np.all(np.array([p.front_mm for p in plates])[1:] >= rear[:-1])
    assert rear[-1] < ILD_ECAL.total_mm


def test_filler_puts_each_layer_at_its_depth():
    length = geant4.RADIATION_LENGTH_MM["silicon"] * 2.33 / geant4.filler_density()
    depth, filled, rear = [], 0.0, 0.0
    for plate in geant4.slabs():
        filled += (plate.front_mm - rear) / length
        if plate.material == "silicon":
            depth.append(filled)
        filled += plate.depth
        rear = plate.front_mm + plate.thickness_mm
    np.testing.assert_allclose(depth, ILD_ECAL.depth, rtol=0, atol=0.05)


def test_a_stack_without_room_for_its_tungsten_is_refused():
    with pytest.raises(ValueError, match=r"4\.2 mm of tungsten do not fit"):
        geant4.slabs(replace(ILD_ECAL, absorber_mm=(4.2,) * 30))


class TestTransport:
    """Geant4 runs, on made-up tables.  NO PHYSICS: no number here says anything about showers."""

    pytestmark = transports

    def test_energy_is_conserved_and_the_array_is_the_published_one(self, data):
        showers, deposited = geant4.transport(3, 50.0, seed=1)
        assert showers.shape == (3, 30, 30, 30)
        assert showers.dtype == np.float32 and np.all(showers >= 0)
        assert np.all((deposited > 48_000) & (deposited < 50_001))
        seen = showers.sum((1, 2, 3))
        assert np.all((seen > 0) & (seen < deposited / 10))

    def test_a_seed_gives_the_same_showers(self, data):
        first = geant4.simulate(2, [1.0, 2.0], "electron", seed=3)
        np.testing.assert_array_equal(first, geant4.simulate(2, [1.0, 2.0], "electron", seed=3))
        assert not np.array_equal(first, geant4.simulate(2, [1.0, 2.0], "electron", seed=4))

    def test_showers_are_alike_in_x_and_y(self, data):
        """Centre and width along x and y, 60 showers, within 5 standard errors.

        False alarm 2e-5.  The standard error of the centre is asserted to be small enough that a
        grid displaced by half a cell fails with a probability above 0.99.
        """
        n = 60
        showers = geant4.simulate(n, 5.0, seed=5)
        place = np.arange(30) - 14.5
        centres, widths = [], []
        for image in (showers.sum((1, 3)), showers.sum((1, 2))):
            share = image / image.sum(1, keepdims=True)
            centres.append(share @ place)
            widths.append(share @ place**2)
        for values in (*centres, widths[0] - widths[1]):
            assert abs(values.mean()) < 5 * values.std(ddof=1) / np.sqrt(n)
        assert max(c.std(ddof=1) for c in centres) / np.sqrt(n) < 0.5 / 7.5

    def test_axes_are_layer_x_y(self, data):
        """Displaced by (4, -2) cells and shot from the front, the showers are found there."""
        request = geant4._request(4, 5.0, "electron", 7, 0.0, ILD_ECAL)
        cell = ILD_ECAL.cell_mm
        request["entries_mm"] = [[4.5 * cell, -1.5 * cell]] * 4
        showers, _ = geant4._in_own_process(request, geant4.require())
        image = showers.sum(0)
        assert image.sum((0, 2)).argmax() == 19
        assert image.sum((0, 1)).argmax() == 13
        assert image[:15].sum() > image[15:].sum()

    def test_geant4s_own_complaint_is_handed_on(self, data):
        (data / "G4EMLOW0.0/brem_SB/br74").unlink()
        with pytest.raises(RuntimeError, match="brem_SB/br74"):
            geant4.simulate(1, 1.0)

    def test_the_command_writes_the_published_format(self, data, monkeypatch, capsys):
        h5py = pytest.importorskip("h5py")
        monkeypatch.setattr(geant4, "SHOWERS_A_PROCESS", 2)
        path = data / "showers.h5"
        arguments = ["--showers", "3", "--energy", "1", "--seed", "2", "--output", str(path)]
        assert geant4.main(arguments) == 0
        assert "3/3" in capsys.readouterr().err
        with h5py.File(path) as file:
            assert file["30x30/energy"].shape == (3, 1)
            assert file["30x30/layers"].shape == (3, 30, 30, 30)
            drawn = list(geant4.batches(3, 1.0, seed=2))
            written = np.concatenate([showers for _, showers in drawn])
            np.testing.assert_array_equal(file["30x30/layers"][:], written)
