"""What stands for the module ``geant4_pybind`` and writes down what it is told.  No physics."""

from types import SimpleNamespace


class Volume:
    """A box with what is placed in it.

    Args:
        solid: name and half lengths.
        material: its name, or that, its atomic number, its molar mass and its density.
        name: of the volume.
    """

    def __init__(self, solid, material, name):
        self.size = tuple(2 * half for half in solid[1:])
        self.material, self.name, self.placed, self.replicas = material, name, [], []


class Manager:
    """Of detectors and of hits."""

    def __init__(self):
        self.detectors = []

    def AddNewDetector(self, detector):
        self.detectors.append(detector)

    def GetCollectionID(self, name):
        return name


class Detector:
    def __init__(self, name):
        self.name, self.primitives = name, []

    def RegisterPrimitive(self, primitive):
        self.primitives.append(primitive)


class Gun:
    def __init__(self, particles):
        self.particles, self.shots = particles, []

    def SetParticleDefinition(self, particle):
        self.particle = particle

    def SetParticleMomentumDirection(self, direction):
        self.direction = direction

    def SetParticleEnergy(self, energy):
        self.energy = energy

    def SetParticlePosition(self, place):
        self.place = place

    def GeneratePrimaryVertex(self, event):
        self.shots.append((event.GetEventID(), self.particle, self.energy, self.place))


class Construction:
    def SetSensitiveDetector(self, volume, detector):
        volume.detector = detector.name


class Initialization:
    def __init__(self):
        self.actions = []

    def SetUserAction(self, action):
        self.actions.append(action)


class RunManager:
    """Of a run that follows nothing."""

    def __init__(self):
        self.told, self.ready, self.events = [], False, 0

    def SetUserInitialization(self, part):
        self.told.append(part)

    def Initialize(self):
        self.ready = True

    def BeamOn(self, events):
        self.events = events if self.ready else 0


class Physics:
    def RegisterPhysics(self, physics):
        self.physics = physics

    def SetDefaultCutValue(self, length):
        self.cut = length


def place(rotation, at, volume, name, mother, many, copy, check):
    """In the mother; the world has none."""
    if mother is not None:
        mother.placed.append((volume, at, copy))
    return volume


def replicate(name, volume, mother, axis, number, width):
    mother.replicas.append((volume, axis, number, width))


def recorded_geant4():
    """Lengths in mm, energies in MeV; a density of 1 g/cm^3 is 0.5, 1 g/mol is 250."""
    manager, run, seeds = Manager(), RunManager(), []
    table = SimpleNamespace(FindParticle=lambda name: name)
    nist = SimpleNamespace(FindOrBuildMaterial=lambda name: name)
    return SimpleNamespace(
        mm=1.0, MeV=1.0, GeV=1000.0, g=500.0, mole=2.0, cm3=1000.0, kXAxis="x", kYAxis="y",
        G4VUserDetectorConstruction=Construction,
        G4VUserPrimaryGeneratorAction=object,
        G4UserEventAction=object,
        G4VUserActionInitialization=Initialization,
        G4NistManager=SimpleNamespace(Instance=lambda: nist),
        G4Material=lambda name, z, a, density: (name, z, a, density),
        G4Box=lambda *name_and_halves: name_and_halves,
        G4LogicalVolume=Volume,
        G4ThreeVector=lambda *at: at,
        G4PVPlacement=place,
        G4PVReplica=replicate,
        G4MultiFunctionalDetector=Detector,
        G4PSEnergyDeposit3D=lambda *of, **depth: (*of, depth),
        G4PSEnergyDeposit=lambda name: name,
        G4SDManager=SimpleNamespace(GetSDMpointer=lambda: manager),
        G4ParticleGun=Gun,
        G4RunManager=lambda: run,
        G4VModularPhysicsList=Physics,
        G4EmStandardPhysics=lambda: "electromagnetic",
        HepRandom=SimpleNamespace(setTheSeed=seeds.append),
        run=run,
        seeds=seeds,
        G4ParticleTable=SimpleNamespace(GetParticleTable=lambda: table),
    )  # fmt: skip
