"""A parametrised ATLAS detector: what Delphes does with its ATLAS card, in arrays.

Reference: de Favereau et al., "DELPHES 3", arXiv:1307.6346, and its cards/delphes_card_ATLAS.tcl,
whose numbers stand in ``atlas_card``.  The event paper (arXiv:1901.00875, sec. II C) ran Delphes
with that card.

    particles -> surface -> tracks -> ECAL, HCAL -> tracks and towers compared -> e, mu, gamma, MET

Units inside are GeV, radians and, for vertices, mm.  Everything is flat, with the number of its
event beside each entry, so that a batch of events costs a handful of numpy calls.

What follows the card and may surprise:

- An efficiency or resolution is read at the eta of the calorimeter's surface, not of the momentum.
- A calorimeter's excess over its tracks is a photon (ECAL) or a neutral hadron (HCAL); where there
  is none, the tracks of a tower are scaled towards its energy.  So an electron of 50 GeV is
  measured to 1.5% by the ECAL, not to 7% by its track; and 3% of them, their track far too low,
  are lost to their own excess, which spoils the isolation or is a photon in their place.
- Barrel HCAL towers carry 1.6 GeV of noise, so the two-sigma cut drops what is below 3.8 GeV; the
  jet energy scale makes up for it on average.
- An identified photon, electron or muon is also an input of the jets.  The overlap rule (photons
  before electrons before muons before jets, by shared constituents) drops that jet as a whole:
  leptons are not counted as jets.

Versions of the card differ in whether muons join jets and MET.  Here they join both, so that MET
is that of the neutrinos.  No pile-up, no b or tau tags.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amplib.truth.collisions import atlas_card as card
from amplib.truth.collisions.objects import Collection, Objects, collect, identify, without_overlap
from amplib.truth.collisions.towers import Towers, deposited_fraction, grid, log_normal, measure

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

METRE = 1e-3  # of a vertex, in mm
CURVATURE = 0.299792458  # 1/m for 1 T, unit charge and 1 GeV
NEUTRINOS = (12, 14, 16)
SMALLEST_PT = 3e-5  # GeV; softer particles have no direction to speak of

ELECTRON, MUON = 11, 13
TRACKING = {ELECTRON: card.ELECTRON, MUON: card.MUON}  # everything else is a hadron


@dataclass(frozen=True, eq=False)
class Particles:
    """Stable particles of a batch of events, N in all.

    Args:
        n_events: in the batch, those without particles included.
        event: in [0, n_events), not decreasing, shape (N,).
        pdg_id: shape (N,).
        charge: in e, shape (N,).
        momentum: (E, px, py, pz) in GeV, shape (N, 4).
        vertex: (x, y, z) in mm, shape (N, 3).

    Raises:
        ValueError: shapes that do not fit, events that are out of order or range.
    """

    n_events: int
    event: Integers
    pdg_id: Integers
    charge: Array
    momentum: Array
    vertex: Array

    def __post_init__(self) -> None:
        n = len(self.event)
        shapes = [(n,), (n,), (n, 4), (n, 3)]
        arrays = [self.pdg_id, self.charge, self.momentum, self.vertex]
        if [a.shape for a in arrays] != shapes:
            raise ValueError(f"the particles' arrays need the shapes {shapes}")
        if np.any(np.diff(self.event) < 0):
            raise ValueError("particles must be ordered by event")
        if n and not 0 <= self.event[0] <= self.event[-1] < self.n_events:
            raise ValueError(f"events must lie in [0, {self.n_events})")

    def __getitem__(self, keep: Mask) -> Particles:
        return Particles(
            self.n_events,
            self.event[keep],
            self.pdg_id[keep],
            self.charge[keep],
            self.momentum[keep],
            self.vertex[keep],
        )


@dataclass(frozen=True, eq=False)
class Tracks:
    """Reconstructed tracks, T in a batch of events.

    Args:
        particle: which of the particles, increasing, shape (T,).
        pt: measured, GeV, shape (T,).
        eta, phi: of the momentum; the direction is not smeared; shape (T,).
        mass: true, GeV, shape (T,).
        resolution: sigma(pT)/pT, shape (T,).
    """

    particle: Integers
    pt: Array
    eta: Array
    phi: Array
    mass: Array
    resolution: Array

    @property
    def energy(self) -> Array:
        return np.hypot(self.pt * np.cosh(self.eta), self.mass)

    @property
    def kinematics(self) -> Array:
        """(E, pT, eta, phi), shape (T, 4)."""
        return np.stack([self.energy, self.pt, self.eta, self.phi], axis=1)

    def scaled(self, towers: Towers) -> Tracks:
        """These tracks, with what their towers know of their energy."""
        tower = towers.of_particle[self.particle]
        factor = np.where(tower >= 0, np.append(towers.track_scale, 1.0)[tower], 1.0)
        return Tracks(
            self.particle, self.pt * factor, self.eta, self.phi, self.mass, self.resolution
        )


@dataclass(frozen=True, eq=False)
class Detected:
    """A batch of events as the detector sees it.

    Args:
        inputs: (E, pT, eta, phi) of towers and muons, ordered by event, GeV, shape (M, 4).
        offsets: event i has the inputs offsets[i] to offsets[i + 1], shape (n_events + 1,).
        missing: missing transverse momentum (x, y), GeV, shape (n_events, 2).
        photons, electrons, muons: identified, isolated, pT > 10 GeV, none of them twice.
    """

    inputs: Array
    offsets: Integers
    missing: Array
    photons: Objects
    electrons: Objects
    muons: Objects

    @property
    def taken(self) -> Mask:
        """Whether an input belongs to a photon, electron or muon, shape (M,)."""
        taken = np.zeros(len(self.inputs), dtype=bool)
        for objects in (self.photons, self.electrons, self.muons):
            taken[objects.constituent[objects.constituent >= 0]] = True
        return taken


def simulate(particles: Particles, rng: np.random.Generator) -> Detected:
    """Pass a batch of events through the detector; neutrinos among ``particles`` are ignored."""
    visible = particles[~np.isin(np.abs(particles.pdg_id), NEUTRINOS)]
    eta, phi, reached = surface(visible.momentum, visible.vertex, visible.charge)
    visible, eta, phi = visible[reached], eta[reached], phi[reached]
    tracks = track(visible, eta, rng)
    ecal = _fill(card.ECAL, visible, eta, phi, tracks, rng)
    tracks = tracks.scaled(ecal)
    hcal = _fill(card.HCAL, visible, eta, phi, tracks, rng)
    return _reconstruct(visible, eta, tracks.scaled(hcal), ecal, hcal, rng)


def surface(momentum: Array, vertex: Array, charge: Array) -> tuple[Array, Array, Mask]:
    """Where particles leave the field: eta and phi as seen from the origin.

    An arc of curvature k = -0.2998 q B / pT [1/m] in the transverse plane, a line if neutral, up to
    the side or an end of the cylinder, whichever comes first.

    Args:
        momentum: (E, px, py, pz) in GeV, shape (N, 4).
        vertex: (x, y, z) in mm, shape (N, 3).
        charge: in e, shape (N,).

    Returns:
        eta, phi and whether the particle starts inside and leaves, each of shape (N,).
    """
    px, py, pz = momentum[:, 1:].T
    x, y, z = METRE * vertex.T
    pt, phi = np.hypot(px, py), np.arctan2(py, px)
    reached = (np.hypot(x, y) < card.RADIUS) & (np.abs(z) < card.HALF_LENGTH) & (pt > SMALLEST_PT)
    pt = np.where(reached, pt, 1.0)
    curvature = -CURVATURE * card.FIELD * charge / pt
    bent = charge != 0
    length = np.empty_like(pt)
    length[bent] = _arc(x[bent], y[bent], phi[bent], curvature[bent])
    length[~bent] = _line(x[~bent], y[~bent], phi[~bent])
    with np.errstate(divide="ignore"):
        to_the_end = (card.HALF_LENGTH - np.copysign(1, pz) * z) / np.abs(pz) * pt
    length = np.minimum(length, to_the_end)
    reached &= np.isfinite(length)
    length = np.where(reached, length, 0.0)
    # The chord of an arc: shorter by sin(a)/a and turned by a, half the angle of the arc.
    half = 0.5 * curvature * length
    chord = length * np.sinc(half / np.pi)
    x, y = x + chord * np.cos(phi + half), y + chord * np.sin(phi + half)
    distance = np.hypot(x, y)
    reached &= distance > 0
    eta = np.arcsinh((z + length * pz / pt) / np.where(reached, distance, 1.0))
    return eta, np.arctan2(y, x), reached


def track(particles: Particles, eta: Array, rng: np.random.Generator) -> Tracks:
    """Tracks of the charged particles: an efficiency, and pT log-normal.

    Args:
        particles: N of them.
        eta: at the calorimeter, shape (N,).
        rng: two numbers a charged particle.
    """
    charged = np.flatnonzero(particles.charge != 0)
    p, kind = particles.momentum[charged], np.abs(particles.pdg_id[charged])
    pt, eta = np.hypot(p[:, 1], p[:, 2]), eta[charged]
    efficiency = tracking_efficiency(card.HADRON, pt, eta)
    resolution = tracking_resolution(card.HADRON, pt, eta)
    for code, numbers in TRACKING.items():
        these = kind == code
        efficiency[these] = tracking_efficiency(numbers, pt[these], eta[these])
        resolution[these] = tracking_resolution(numbers, pt[these], eta[these])
    found = rng.random(len(pt)) < efficiency
    p, pt, resolution = p[found], pt[found], resolution[found]
    return Tracks(
        charged[found],
        log_normal(pt, resolution * pt, rng),
        np.arcsinh(p[:, 3] / pt),
        np.arctan2(p[:, 2], p[:, 1]),
        np.sqrt(np.maximum(p[:, 0] ** 2 - pt**2 - p[:, 3] ** 2, 0)),
        resolution,
    )


def tracking_efficiency(numbers: card.Tracking, pt: ArrayLike, eta: ArrayLike) -> Array:
    """Probability of a track of pT (GeV) and eta; zero up to 0.1 GeV and beyond 2.5."""
    table = np.pad(np.array(numbers.efficiency), [(0, 0), (0, 1)])
    row = np.searchsorted(numbers.pt_edges, pt)
    probability = table[row, np.searchsorted(card.TRACK_ETA, np.abs(eta))]
    return np.where(np.asarray(pt) > card.TRACK_PT_MIN, probability, 0.0)


def tracking_resolution(numbers: card.Tracking, pt: ArrayLike, eta: ArrayLike) -> Array:
    """sigma(pT)/pT = sqrt(a^2 + (b pT)^2), at most 1; zero where there is no track."""
    region = np.searchsorted(card.RESOLUTION_ETA, np.abs(eta))
    a, b = (np.append(row, 0.0)[region] for row in (numbers.constant, numbers.slope))
    return np.minimum(np.hypot(a, b * np.asarray(pt)), card.WORST_RESOLUTION)


def _line(x: Array, y: Array, phi: Array) -> Array:
    """Length from (x, y) along phi to the side of the cylinder, m."""
    along = x * np.cos(phi) + y * np.sin(phi)
    return np.sqrt(along**2 + np.maximum(card.RADIUS**2 - x**2 - y**2, 0)) - along


def _arc(x: Array, y: Array, phi: Array, curvature: Array) -> Array:
    """Length of the arc from (x, y) to the side of the cylinder, m; infinite if it stays inside.

    Its centre is at the distance d from the axis, its radius r = 1/|k|. Seen from the centre, the
    particle starts at the angle psi from the outward direction, counted as it turns, and leaves
    at the last angle with cos = (R^2 - d^2 - r^2) / (2 d r) before the outward direction.
    """
    r = 1 / np.abs(curvature)
    to_x, to_y = np.sin(phi) / curvature, -np.cos(phi) / curvature
    centre_x, centre_y = x - to_x, y - to_y
    d = np.hypot(centre_x, centre_y)
    psi = np.arctan2(to_y, to_x) - np.arctan2(centre_y, centre_x)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = (card.RADIUS**2 - d**2 - r**2) / (2 * d * r)
    leaves = np.abs(cosine) < 1
    turned = 2 * np.pi - np.arccos(np.where(leaves, cosine, 0.0)) - np.sign(curvature) * psi
    return np.where(leaves, r * (turned % (2 * np.pi)), np.inf)


def _fill(
    calorimeter: card.Calorimeter,
    particles: Particles,
    eta: Array,
    phi: Array,
    tracks: Tracks,
    rng: np.random.Generator,
) -> Towers:
    deposits = deposited_fraction(calorimeter, particles.pdg_id) * particles.momentum[:, 0]
    return measure(
        calorimeter,
        particles.event,
        deposits,
        grid(calorimeter).cell(eta, phi),
        (tracks.particle, tracks.energy, tracks.resolution),
        rng,
    )


def _reconstruct(
    particles: Particles,
    eta: Array,
    tracks: Tracks,
    ecal: Towers,
    hcal: Towers,
    rng: np.random.Generator,
) -> Detected:
    n, event = particles.n_events, particles.event[tracks.particle]
    rows, kind = tracks.kinematics, np.abs(particles.pdg_id[tracks.particle])
    is_electron, is_muon = kind == ELECTRON, kind == MUON
    towers = [(t.event, t.kinematics(t.energy), t.energy > 0) for t in (ecal, hcal)]
    inputs = collect(n, *towers, (event, rows, is_muon))

    neutrals = [(t.event, t.kinematics(t.excess)) for t in (ecal, hcal)]
    around = collect(
        n,
        *((e, k, k[:, 1] >= card.ISOLATION_PT_MIN) for e, k in neutrals),
        (event, rows, ~is_electron & ~is_muon & (rows[:, 1] >= card.ISOLATION_PT_MIN)),
    )

    tower = ecal.of_particle[tracks.particle]
    places = inputs.places[0]
    place = np.where(
        is_muon, inputs.places[2], np.where(tower < 0, -1, np.append(places, -1)[tower])
    )
    charged, none = Objects(event, rows, tower, place), np.full(len(tower), -1)
    eta = eta[tracks.particle]
    neutral = Objects(*neutrals[0], np.arange(len(places)), places)
    photons = identify(card.PHOTON_ID, neutral, ecal.eta, around, around.places[0], rng)
    electrons, muons = (
        identify(numbers, charged[this], eta[this], around, none[this], rng)
        for numbers, this in ((card.ELECTRON_ID, is_electron), (card.MUON_ID, is_muon))
    )
    return Detected(
        inputs.kinematics,
        inputs.offsets,
        -transverse_sum(inputs),
        photons,
        without_overlap(photons, electrons),
        muons,
    )


def transverse_sum(things: Collection) -> Array:
    """(sum px, sum py) of each event, shape (n_events, 2)."""
    _, pt, _, phi = things.kinematics.T
    n = len(things.offsets) - 1
    event = np.repeat(np.arange(n), np.diff(things.offsets))
    parts = [np.bincount(event, pt * direction, n) for direction in (np.cos(phi), np.sin(phi))]
    return np.stack(parts, axis=1)
