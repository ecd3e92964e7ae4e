"""Geant4: its absence, the calorimeter that it is given, and, slowly, its transport.

The slow tests run Geant4 on made-up element tables (`geant4_tables`), so they are **no physics**:
they show that particles, energies and indices go where they should, and nothing about showers.
"""

import importlib.util
import io
import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from geant4_tables import write_tables
from recorded_geant4 import recorded_geant4

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


def test_particles_are_followed_as_ilds_simulation_does():
    assert geant4.RANGE_CUT_MM == 0.1


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


# ---- what Geant4 is told, written down by a module that stands for it ----


def test_plates_stand_in_the_middle_of_their_gaps():
    """Of 10 and of 8 mm before silicon of 0.5 mm: 2 and 4 mm of tungsten."""
    stack = replace(ILD_ECAL, absorber_mm=(2.0, 4.0), front_mm=(10.0, 18.5), silicon_mm=0.5)
    found = [(p.material, p.front_mm, p.thickness_mm) for p in geant4.slabs(stack)]
    assert found == [
        ("tungsten", 4.0, 2.0), ("silicon", 10.0, 0.5),
        ("tungsten", 12.5, 4.0), ("silicon", 18.5, 0.5),
    ]  # fmt: skip
    geant4.slabs(replace(stack, absorber_mm=(10.0, 8.0)))  # without any gap


def test_the_filler_is_as_dense_as_the_depth_asks_for():
    """Two layers of 3.504 mm of tungsten, 1 X0 each, and 0.9366 mm of silicon, 0.01 X0, in 20 mm:
    for a depth of 2.11 X0 there is 0.1 X0 of filler in 12.0554 mm before the last silicon, where
    silicon itself has 12.0554 / 93.66; for one that tungsten has alone next to none."""
    stack = replace(
        ILD_ECAL,
        absorber_mm=(3.504, 3.504),
        front_mm=(9.0, 20.0),
        silicon_mm=0.9366,
        depth=(1.0, 2.11),
    )
    silicon = (20 - 2 * 3.504 - 0.9366) / 93.66
    assert geant4.filler_density(stack) == pytest.approx(2.33 * 0.1 / silicon)
    assert geant4.filler_density(replace(stack, depth=(1.0, 1.9))) == 1e-20


@pytest.fixture(scope="module")
def told():
    """Request, detector and its world."""
    g4, request = recorded_geant4(), geant4._request(3, [1, 2, 5], "photon", 4, 2.0, ILD_ECAL)
    detector = geant4._detector(g4, request)
    world = detector.Construct()
    detector.ConstructSDandField()
    return SimpleNamespace(g4=g4, request=request, detector=detector, world=world)


def test_the_block_lies_in_vacuum_and_its_slabs_in_filler(told):
    width, total = 30 * 5.0883 + 2 * 100, 223.2
    assert told.world.size == pytest.approx((2 * width, 2 * width, 2 * total))
    assert told.world.material[0] == "vacuum"
    ((block, at, _),) = told.world.placed
    assert at == (0, 0, 0)
    assert block.size == pytest.approx((width, width, total))
    silicon = pytest.approx(28.085 * 250)
    assert block.material == ("filler", 14, silicon, pytest.approx(geant4.filler_density() / 2))
    found = [(v.name, at[2] + total / 2 - v.size[2] / 2, v.size[2]) for v, at, _ in block.placed]
    expected = [(p.material, p.front_mm, p.thickness_mm) for p in geant4.slabs()]
    assert [name for name, *_ in found] == [name for name, *_ in expected]
    np.testing.assert_allclose([row[1:] for row in found], [row[1:] for row in expected])
    assert {(v.size[:2], at[:2]) for v, at, _ in block.placed} == {(block.size[:2], (0, 0))}
    assert {v.material for v, *_ in block.placed} == {"G4_W", "G4_Si"}
    assert [c for v, _, c in block.placed if v.name == "silicon"] == list(range(30))


def test_a_layer_is_a_window_of_columns_of_cells_in_silicon(told):
    block = told.world.placed[0][0]
    silicon = next(v for v, *_ in block.placed if v.name == "silicon")
    ((window, at, _),) = silicon.placed
    assert at == (0, 0, 0)
    cell = 5.0883
    assert window.size == pytest.approx((30 * cell, 30 * cell, 0.525))
    ((column, *along_x),) = window.replicas
    ((square, *along_y),) = column.replicas
    assert along_x == ["x", 30, cell]
    assert along_y == ["y", 30, cell]
    assert column.size == pytest.approx((cell, 30 * cell, 0.525))
    assert square.size == pytest.approx((cell, cell, 0.525))
    assert {v.material for v in (window, column, square)} == {"G4_Si"}
    # Counted in cells, layer by layer (three volumes up), column and row; and in all the rest.
    assert square.detector == "cells"
    rest = {v.name: v.detector for v, *_ in (*block.placed, (block, 0, 0))}
    assert rest == {"silicon": "others", "tungsten": "others", "block": "others"}
    cells, others = told.g4.G4SDManager.GetSDMpointer().detectors
    assert cells.primitives == [("energy", 30, 30, 30, {"depi": 3, "depj": 1, "depk": 0})]
    assert others.primitives == ["energy"]


def test_particles_fly_from_the_vacuum_and_what_they_leave_is_collected(told):
    showers, deposited = np.zeros((3, 30, 30, 30), np.float32), np.zeros(3)
    actions = geant4._actions(told.g4, told.request, showers, deposited)
    actions.Build()
    gun, collect = actions.actions
    hits = {"cells/energy": [(30 * 30 + 2 * 30 + 4, 0.5), (0, 0.25)], "others/energy": [(0, 40.0)]}
    for index in (1, 2):
        event = SimpleNamespace(
            GetEventID=lambda index=index: index,
            GetHCofThisEvent=lambda: SimpleNamespace(GetHC=hits.get),
        )
        gun.GeneratePrimaries(event)
    collect.EndOfEventAction(event)
    assert gun.gun.particles == 1
    assert gun.gun.direction == (0, 0, 1)
    for index, shot in zip((1, 2), gun.gun.shots, strict=True):
        x, y = told.request["entries_mm"][index]
        assert shot == (index, "gamma", [1000, 2000, 5000][index], (x, y, -0.75 * 223.2))
    assert showers[2, 1, 2, 4] == 0.5 and showers[2, 0, 0, 0] == 0.25
    assert showers.sum() == 0.75
    assert deposited.tolist() == [0, 0, 40.75]


def test_a_process_of_its_own_runs_all_particles_and_ends_well(tmp_path, monkeypatch):
    """What is not zero at its end is a failure to the one who waits for it."""
    g4, request = recorded_geant4(), geant4._request(3, 5.0, "photon", 4, 0.0, ILD_ECAL)
    monkeypatch.setitem(sys.modules, "geant4_pybind", g4)
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(request)))
    ends = []
    monkeypatch.setattr(geant4.os, "_exit", ends.append)
    geant4._run(str(tmp_path))
    assert ends == [0]
    assert g4.run.events == 3 and g4.seeds == [request["seed"]]
    detector, physics, actions = g4.run.told
    assert (physics.physics, physics.cut) == ("electromagnetic", geant4.RANGE_CUT_MM)
    assert detector.Construct() and not actions.Build()
    with np.load(tmp_path / "showers.npz") as written:
        assert written["showers"].shape == (3, 30, 30, 30)
        assert written["deposited"].shape == (3,)


def test_entries_are_as_wide_as_the_beam_and_seeds_geant4s():
    """4000 of two coordinates: 3 cells to 5 sigma of 1.1%, about the centre to 5 errors."""
    request = geant4._request(4000, 5.0, "photon", 1, 3.0, ILD_ECAL)
    entries = np.array(request["entries_mm"])
    wide = 3 * 5.0883
    assert entries.shape == (4000, 2)
    np.testing.assert_allclose(entries.std(0), wide, rtol=5 / np.sqrt(8000))
    assert np.abs(entries.mean(0)).max() < 5 * wide / np.sqrt(4000)
    assert not np.any(geant4._request(3, 5.0, "photon", 1, 0.0, ILD_ECAL)["entries_mm"])
    seeds = [geant4._request(1, 5.0, "photon", s, 0.0, ILD_ECAL)["seed"] for s in range(200)]
    assert min(seeds) >= 1 and 2**30 < max(seeds) < 2**31
    assert len(set(seeds)) == 200


def test_by_default_photons_enter_at_one_point(monkeypatch):
    """With the seed 0, in the stack of ILD."""
    asked = []
    monkeypatch.setattr(geant4, "require", dict)
    monkeypatch.setattr(
        geant4, "_in_own_process", lambda request, _: asked.append(request) or ("showers", "all")
    )
    assert geant4.simulate(2, 50.0) == "showers"
    assert geant4.transport(2, 50.0) == ("showers", "all")
    assert asked == 2 * [geant4._request(2, 50.0, "photon", 0, 0.0, ILD_ECAL)]
    assert asked[0]["entries_mm"] == [[0, 0], [0, 0]]
    monkeypatch.setattr(geant4, "simulate", lambda *arguments: arguments)
    ((_, by_default),) = geant4.batches(2, 50.0)
    ((_, stated),) = geant4.batches(2, 50.0, "photon", 0)
    assert by_default == stated


def test_batches_have_seeds_of_their_own(monkeypatch):
    """Five showers, two a process: 2, 2 and 1, of the energy asked for."""
    asked = []
    monkeypatch.setattr(geant4, "SHOWERS_A_PROCESS", 2)
    monkeypatch.setattr(geant4, "simulate", lambda n, e, p, seed: asked.append((n, e, p, seed)))
    energies = [e.tolist() for e, _ in geant4.batches(5, 20.0, "electron", seed=3)]
    assert energies == [[20, 20], [20, 20], [20]]
    assert [row[:3] for row in asked] == [(2, 20, "electron")] * 2 + [(1, 20, "electron")]
    assert len({row[3] for row in asked}) == 3
    list(geant4.batches(5, 20.0, "electron", seed=4))
    assert len({row[3] for row in asked}) == 6


def test_of_what_geant4_says_the_last_exception_is_handed_on():
    first = ["*** G4Exception : one", "a"]
    last = ["*** G4Exception : two", *"bcdefg"]
    said = "\n".join(["hello", *first, *first, "", "  ", *last])
    assert geant4._complaint(said) == "*** G4Exception : two\nb\nc\nd\ne\nf"
    assert geant4._complaint("\n".join("123456789")) == "4\n5\n6\n7\n8\n9"
    assert geant4._complaint(" x ") == "x"
