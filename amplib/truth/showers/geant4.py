"""Showers from Geant4 itself, for users who have its data sets.

The same calorimeter and the same arrays as the parametrised showers: the tungsten and silicon of
:data:`~amplib.truth.showers.geometry.ILD_ECAL`, one particle at normal incidence, energies
``(N, layer, x, y)`` in MeV.  Geant4 comes through ``geant4-pybind``, which this package does not
depend on; neither carries Geant4's data sets.

The physics is ``G4EmStandardPhysics``, the electromagnetic part of QGSP_BERT, with which the
published showers were made (Buhmann et al., 2005.05334); the range cut is that of ILD's simulation.
Left out: hadronic interactions of photons, the magnetic field, digitisation.

    python -m amplib.truth.showers.geant4 --showers 1000 --energy 50 --output showers.h5
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from tqdm import tqdm

from amplib.truth.showers.config import ShowerConfig
from amplib.truth.showers.geometry import ILD_ECAL, Stack

Array = NDArray[np.float64]
Showers = NDArray[np.float32]

PACKAGE = "geant4-pybind==0.1.3"
DATA_SETS = {
    "G4LEDATA": "G4EMLOW",
    "G4LEVELGAMMADATA": "PhotonEvaporation",
    "G4ENSDFSTATEDATA": "G4ENSDFSTATE",
}
"""The data sets that electromagnetic physics asks for: their variables, and their folders' names
without the version."""
PARTICLES = {"photon": "gamma", "electron": "e-"}
"""Ours, and as Geant4 calls them."""
RADIATION_LENGTH_MM = {"tungsten": 3.504, "silicon": 93.66}
RANGE_CUT_MM = 0.1
"""ILD's ``SIM.physics.rangecut``; Geant4's own 0.7 mm is more than a silicon layer."""
MARGIN_MM = 100.0
"""Calorimeter on each side of the cells, which are a window of a much wider one."""
SHOWERS_A_PROCESS = 500  # 54 MB of cells
_SILICON_DENSITY = 2.33  # g/cm^3
_VACUUM_DENSITY = 1e-20


@dataclass(frozen=True)
class Slab:
    """One plate, across the whole calorimeter."""

    material: str
    """``tungsten`` or ``silicon``."""
    front_mm: float
    thickness_mm: float

    @property
    def depth(self) -> float:
        """Its thickness in radiation lengths."""
        return self.thickness_mm / RADIATION_LENGTH_MM[self.material]


def slabs(stack: Stack = ILD_ECAL) -> list[Slab]:
    """The tungsten and silicon that Geant4 is given, in order along the axis.

    A tungsten plate stands in the middle between two silicon layers, as ILD's do: there boards,
    copper and carbon fibre lie alike on both sides of it.

    Raises:
        ValueError: a plate does not fit between two silicon layers.
    """
    plates, rear = [], 0.0
    for absorber, front in zip(stack.absorber_mm, stack.front_mm, strict=True):
        gap = front - rear - absorber
        if gap < 0:
            raise ValueError(f"{absorber} mm of tungsten do not fit into {front - rear:.3f} mm")
        plates += [
            Slab("tungsten", rear + gap / 2, absorber),
            Slab("silicon", front, stack.silicon_mm),
        ]
        rear = front + stack.silicon_mm
    return plates


def filler_density(stack: Stack = ILD_ECAL) -> float:
    """Density, g/cm^3, of the silicon that stands for boards, copper, glue and carbon fibre.

    It fills the room that the slabs leave, so that the last silicon layer lies at ``stack.depth``;
    the layers of ILD before it then do to 0.04 X0.  Being silicon, it adds no third element.
    """
    before = slabs(stack)[:-1]
    free = stack.front_mm[-1] - sum(slab.thickness_mm for slab in before)
    missing = stack.depth[-1] - sum(slab.depth for slab in before)
    density = _SILICON_DENSITY * missing * RADIATION_LENGTH_MM["silicon"] / free
    return max(density, _VACUUM_DENSITY)


def require() -> dict[str, str]:
    """The variables under which Geant4 finds its data sets.

    Looks at each data set's own variable, then for the newest version in ``GEANT4_DATA_DIR`` or
    else ``~/.geant4_pybind``, where the wheel stores what it downloads.  ``geant4_pybind`` is not
    imported for this: its import asks to download what it misses, and just does so where ``CI`` is
    true.

    Raises:
        RuntimeError: the package or the data are missing, in one sentence.
    """
    folder = Path(os.environ.get("GEANT4_DATA_DIR") or Path.home() / ".geant4_pybind")
    found: dict[str, str] = {}
    for variable, name in DATA_SETS.items():
        own = os.environ.get(variable)
        for path in [Path(own)] if own else sorted(folder.glob(f"{name}[0-9]*"), key=_version):
            if path.is_dir():
                found[variable] = str(path)
    missing = [name for variable, name in DATA_SETS.items() if variable not in found]
    if importlib.util.find_spec("geant4_pybind") is None:
        missing.insert(0, "geant4-pybind")
    if missing:
        raise RuntimeError(
            f"Geant4 is incomplete here (missing: {', '.join(missing)}): `pip install {PACKAGE}`, "
            "and set GEANT4_DATA_DIR to a folder with the data sets of Geant4 11.4 from "
            "https://geant4.web.cern.ch/download"
        )
    # Set to anything, this variable keeps the import from asking.
    return found | {"GEANT4_DATA_DIR": str(Path(found["G4LEDATA"]).parent)}


def simulate(
    n: int,
    energy: ArrayLike,
    particle: str = "photon",
    seed: int = 0,
    beam: float = 0.0,
    stack: Stack = ILD_ECAL,
) -> Showers:
    """Draw showers, ``(n, layer, x, y)``, float32, MeV; no threshold is applied.

    Geant4 can be initialised once in a process only, so each call starts one for it.

    Args:
        n: how many.
        energy: 1 to 200 GeV, one value or ``(n,)``.
        particle: ``photon`` or ``electron``.
        seed: the same one gives the same showers.
        beam: standard deviation in cells, along x and along y, of where particles enter, normal
            about the centre of the cells; 0: all of them there, where four cells meet.
        stack: the calorimeter.

    Raises:
        ValueError: an argument has no meaning.
        RuntimeError: Geant4 or its data are missing, in one sentence; or Geant4 failed.
    """
    return transport(n, energy, particle, seed, beam, stack)[0]


def transport(
    n: int,
    energy: ArrayLike,
    particle: str = "photon",
    seed: int = 0,
    beam: float = 0.0,
    stack: Stack = ILD_ECAL,
) -> tuple[Showers, Array]:
    """As :func:`simulate`; beside it, what is deposited in all of the calorimeter, ``(n,)`` MeV."""
    return _in_own_process(_request(n, energy, particle, seed, beam, stack), require())


def batches(
    n: int, energy: float, particle: str = "photon", seed: int = 0
) -> Iterator[tuple[Array, Showers]]:
    """Energies ``(batch,)``, GeV, and showers, as :func:`simulate`; memory does not grow with n.

    A progress bar goes to stderr.
    """
    _request(n, energy, particle, seed, 0.0, ILD_ECAL)  # refuses before any work
    with tqdm(total=n, unit=" showers", desc="Geant4") as bar:
        for index, first in enumerate(range(0, n, SHOWERS_A_PROCESS)):
            size = min(SHOWERS_A_PROCESS, n - first)
            own = int(np.random.SeedSequence((seed, index)).generate_state(1)[0])
            yield np.full(size, energy), simulate(size, energy, particle, own)
            bar.update(size)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write showers to a file; bad input is one line on stderr and exit status 2."""
    parser = argparse.ArgumentParser(prog="python -m amplib.truth.showers.geant4")
    parser.add_argument("--showers", type=int, required=True, metavar="N")
    parser.add_argument("--energy", type=float, default=50.0, metavar="GEV")
    parser.add_argument("--particle", default="photon", choices=PARTICLES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.h5")
    options = parser.parse_args(arguments)
    try:
        require()
        from amplib.truth.showers.getting_high import write_showers  # h5py, for nothing else here

        drawn = batches(options.showers, options.energy, options.particle, options.seed)
        write_showers(options.output, drawn)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _request(
    n: int, energy: ArrayLike, particle: str, seed: int, beam: float, stack: Stack
) -> dict[str, Any]:
    """What Geant4's process is told, in plain numbers and names; lengths in mm, energies in GeV."""
    if n < 1:
        raise ValueError(f"n = {n}: must be an integer from 1")
    if seed < 0:
        raise ValueError(f"seed = {seed}: must be an integer from 0")
    energies = np.broadcast_to(np.asarray(energy, dtype=float), (n,))
    for value in np.unique(energies):  # what the parametrisation refuses
        ShowerConfig(energy=float(value), particle=particle, beam=float(beam))
    rng = np.random.default_rng(seed)
    return {
        "slabs": [asdict(slab) for slab in slabs(stack)],
        "filler_density": filler_density(stack),
        "total_mm": stack.total_mm,
        "cell_mm": stack.cell_mm,
        "shape": stack.shape,
        "particle": PARTICLES[particle],
        "seed": int(rng.integers(1, 2**31)),
        "energies": energies.tolist(),
        "entries_mm": (beam * stack.cell_mm * rng.standard_normal((n, 2))).tolist(),
    }


def _in_own_process(request: dict[str, Any], variables: dict[str, str]) -> tuple[Showers, Array]:
    code = "import sys; from amplib.truth.showers import geant4; geant4._run(sys.argv[1])"
    packages = [str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", code, folder],
            env={**os.environ, **variables, "PYTHONPATH": os.pathsep.join(filter(None, packages))},
            input=json.dumps(request),
            capture_output=True,
            text=True,
        )
        written = Path(folder, "showers.npz")
        if done.returncode or not written.exists():
            raise RuntimeError(f"Geant4 failed: {_complaint(done.stderr or done.stdout)}")
        with np.load(written) as arrays:
            return arrays["showers"], arrays["deposited"]


def _version(folder: Path) -> list[int]:
    """8.10 comes after 8.9."""
    return [int(digits) for digits in re.findall(r"\d+", folder.name)]


def _complaint(said: str) -> str:
    """The last exception that Geant4 reported, or else the last lines."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    starts = [i for i, line in enumerate(lines) if line.startswith("*** G4Exception :")]
    return "\n".join(lines[starts[-1] :][:6] if starts else lines[-6:])


def _run(folder: str) -> None:
    """What the process does: read a request from stdin, write the showers into ``folder``."""
    request = json.load(sys.stdin)
    import geant4_pybind as g4

    showers = np.zeros((len(request["energies"]), *request["shape"]), np.float32)
    deposited = np.zeros(len(showers))
    manager = g4.G4RunManager()
    physics = g4.G4VModularPhysicsList()
    physics.RegisterPhysics(g4.G4EmStandardPhysics())
    physics.SetDefaultCutValue(RANGE_CUT_MM * g4.mm)
    manager.SetUserInitialization(_detector(g4, request))
    manager.SetUserInitialization(physics)
    manager.SetUserInitialization(_actions(g4, request, showers, deposited))
    manager.Initialize()
    g4.HepRandom.setTheSeed(request["seed"])
    manager.BeamOn(len(showers))
    np.savez(Path(folder, "showers.npz"), showers=showers, deposited=deposited)
    os._exit(0)  # Geant4 and Python would both take the geometry down


def _detector(g4: Any, request: dict[str, Any]) -> Any:
    """Slabs in filler in vacuum; a silicon slab holds the window, columns in it, cells in them."""
    layers, columns, rows = request["shape"]
    cell, total = request["cell_mm"], request["total_mm"]
    window = columns * cell, rows * cell

    class Detector(g4.G4VUserDetectorConstruction):
        def Construct(self) -> Any:
            nist = g4.G4NistManager.Instance()
            material = {
                "tungsten": nist.FindOrBuildMaterial("G4_W"),
                "silicon": nist.FindOrBuildMaterial("G4_Si"),
            }
            for name, density in {
                "filler": request["filler_density"],
                "vacuum": _VACUUM_DENSITY,
            }.items():
                # Silicon as well, so that nothing but two elements' tables is needed.
                material[name] = g4.G4Material(
                    name, z=14, a=28.085 * g4.g / g4.mole, density=density * g4.g / g4.cm3
                )

            def box(name: str, x: float, y: float, z: float, of: str) -> Any:
                solid = g4.G4Box(name, x / 2 * g4.mm, y / 2 * g4.mm, z / 2 * g4.mm)
                return g4.G4LogicalVolume(solid, material[of], name)

            def place(volume: Any, name: str, mother: Any, z: float = 0.0, copy: int = 0) -> Any:
                at = g4.G4ThreeVector(0, 0, z * g4.mm)
                return g4.G4PVPlacement(None, at, volume, name, mother, False, copy, False)

            x, y = (width + 2 * MARGIN_MM for width in window)
            world = box("world", 2 * x, 2 * y, 2 * total, "vacuum")
            block = box("block", x, y, total, "filler")
            place(block, "block", world)

            silicon_mm = next(
                s["thickness_mm"] for s in request["slabs"] if s["material"] == "silicon"
            )
            silicon = box("silicon", x, y, silicon_mm, "silicon")
            grid = box("window", *window, silicon_mm, "silicon")
            column = box("column", cell, window[1], silicon_mm, "silicon")
            self.cell = box("cell", cell, cell, silicon_mm, "silicon")
            place(grid, "window", silicon)
            g4.G4PVReplica("column", column, grid, g4.kXAxis, columns, cell * g4.mm)
            g4.G4PVReplica("cell", self.cell, column, g4.kYAxis, rows, cell * g4.mm)
            self.rest = [block, silicon]
            layer = 0
            for slab in request["slabs"]:
                thickness = slab["thickness_mm"]
                z = slab["front_mm"] + thickness / 2 - total / 2
                if slab["material"] == "silicon":
                    place(silicon, "silicon", block, z, layer)
                    layer += 1
                else:
                    plate = box("tungsten", x, y, thickness, "tungsten")
                    place(plate, "tungsten", block, z)
                    self.rest.append(plate)
            self.world = place(world, "world", None)
            return self.world

        def ConstructSDandField(self) -> None:
            depth = {"depi": 3, "depj": 1, "depk": 0}  # of layer, column and row above a cell
            self.cells = g4.G4MultiFunctionalDetector("cells")
            self.cells.RegisterPrimitive(
                g4.G4PSEnergyDeposit3D("energy", layers, columns, rows, **depth)
            )
            self.others = g4.G4MultiFunctionalDetector("others")
            self.others.RegisterPrimitive(g4.G4PSEnergyDeposit("energy"))
            for detector in (self.cells, self.others):
                g4.G4SDManager.GetSDMpointer().AddNewDetector(detector)
            self.SetSensitiveDetector(self.cell, self.cells)
            for volume in self.rest:
                self.SetSensitiveDetector(volume, self.others)

    return Detector()


def _actions(g4: Any, request: dict[str, Any], showers: Showers, deposited: Array) -> Any:
    """Shoot one particle an event, and collect what it leaves."""

    class Gun(g4.G4VUserPrimaryGeneratorAction):
        def __init__(self) -> None:
            super().__init__()
            self.gun = g4.G4ParticleGun(1)
            table = g4.G4ParticleTable.GetParticleTable()
            self.gun.SetParticleDefinition(table.FindParticle(request["particle"]))
            self.gun.SetParticleMomentumDirection(g4.G4ThreeVector(0, 0, 1))

        def GeneratePrimaries(self, event: Any) -> None:
            index = event.GetEventID()
            x, y = request["entries_mm"][index]
            z = -0.75 * request["total_mm"]
            self.gun.SetParticleEnergy(request["energies"][index] * g4.GeV)
            self.gun.SetParticlePosition(g4.G4ThreeVector(x * g4.mm, y * g4.mm, z * g4.mm))
            self.gun.GeneratePrimaryVertex(event)

    class Collect(g4.G4UserEventAction):
        def EndOfEventAction(self, event: Any) -> None:
            index = event.GetEventID()
            manager, hits = g4.G4SDManager.GetSDMpointer(), event.GetHCofThisEvent()
            cells, others = (
                [(i, e / g4.MeV) for i, e in hits.GetHC(manager.GetCollectionID(name))]
                for name in ("cells/energy", "others/energy")
            )
            for i, energy in cells:
                showers[index].reshape(-1)[i] = energy
            deposited[index] = sum(energy for _, energy in cells + others)

    class Actions(g4.G4VUserActionInitialization):
        def Build(self) -> None:
            self.gun, self.collect = Gun(), Collect()
            self.SetUserAction(self.gun)
            self.SetUserAction(self.collect)

    return Actions()


if __name__ == "__main__":
    sys.exit(main())
