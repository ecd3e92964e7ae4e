"""e+ e- -> gamma*/Z -> l+ l- at matrix-element level, from Pythia 8 (event paper, sec. II B).

The paper ran MadGraph. At this level both draw from the same tree-level matrix element, which is
known in closed form: :func:`angular_distribution` is the truth to check the events against.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amplib.truth.collisions import pythia
from amplib.truth.collisions.columns import LEPTON_CODES, Z_LEPTONS

Array = NDArray[np.float64]

ENERGY = 91.0
"""Centre-of-mass energy of the paper, GeV."""
LOWEST_ENERGY, HIGHEST_ENERGY = 12.0, 1000.0
"""Pythia's smallest mass of a gamma*/Z is 10 GeV; beyond the highest energy, the paper's question
of a Z has lost its meaning."""

ATTEMPTS = 100
EXCHANGES = {"interference": 0, "photon": 1, "Z": 2}  # Pythia's WeakZ0:gmZmode


@dataclass(frozen=True)
class Couplings:
    """What the matrix element of e+ e- -> gamma*/Z -> l+ l- is made of, read from Pythia.

    Args:
        charge: e_l.
        vector: v_l = a_l - 4 s^2 e_l with the effective mixing angle s^2.
        axial: a_l = 2 T_3l.
        weak_ratio: 1 / (16 sin^2 theta_W cos^2 theta_W), the Z's strength over the photon's.
        mass: of the Z, GeV.
        width: of the Z at its mass, GeV; it runs as s / mass in the propagator.
    """

    charge: float
    vector: float
    axial: float
    weak_ratio: float
    mass: float
    width: float


@cache
def couplings() -> Couplings:
    """The numbers that Pythia uses in :func:`generate`."""
    generator = _start(ENERGY, "interference", np.random.SeedSequence(0))
    sm, z = generator.coupSM, generator.particleData.findParticle(23)
    e = LEPTON_CODES[0]
    weak_ratio = 1 / (16 * sm.sin2thetaW() * sm.cos2thetaW())
    return Couplings(sm.ef(e), sm.vf(e), sm.af(e), weak_ratio, z.m0(), z.mWidth())


def generate(n: int, seed: int, energy: float = ENERGY, exchange: str = "interference") -> Array:
    """``n`` events, shape (n, 16), in the columns and the unit of ``columns.Z_LEPTONS``.

    Electron pairs and muon pairs in equal parts; the columns of the absent pair are zero. Leptons
    carry their masses. The beams carry no radiation, so every lepton has half of ``energy``.

    Args:
        n: events.
        seed: the events depend on nothing else.
        energy: of the collision, GeV.
        exchange: "interference" of photon and Z (the default), "photon" alone or "Z" alone. The
            paper writes e+ e- -> Z -> l+ l- and is silent on the photon, which nature does not
            switch off; at 91 GeV it moves A_FB from 0.016 to -0.001 and nothing else.

    Raises:
        ValueError: impossible ``n``, ``seed``, ``energy`` or ``exchange``.
        MissingGenerator: pythia8mc is not installed.
        RuntimeError: Pythia fails again and again.
    """
    pythia.check_request(n, seed)
    _check(energy, exchange)
    generator = _start(energy, exchange, np.random.SeedSequence(seed))
    events = np.zeros((n, len(Z_LEPTONS)))
    for row in events:
        # A failed event leaves the one before in place.
        if not any(generator.next() for _ in range(ATTEMPTS)):
            raise RuntimeError(f"Pythia failed {ATTEMPTS} times to make an event")
        process = generator.process
        for lepton in (process[6], process[7]):
            # The order of the columns is e-, e+, mu-, mu+, four each.
            first = 4 * (2 * (lepton.idAbs() == LEPTON_CODES[1]) + (lepton.id() < 0))
            row[first : first + 4] = lepton.e(), lepton.px(), lepton.py(), lepton.pz()
    return events


def cos_theta(events: Array) -> Array:
    """cos of the angle between the l- and the incoming e-, which flies along +z; shape (n,)."""
    minus = events[:, :4] + events[:, 8:12]
    return minus[:, 3] / np.linalg.norm(minus[:, 1:], axis=1)


def angular_distribution(
    cos_theta: ArrayLike, energy: float = ENERGY, exchange: str = "interference"
) -> Array:
    """Tree-level density of cos theta in [-1, 1], of the shape of ``cos_theta``.

        p(c) = (3/8) (1 + c^2) + A_FB c,

    for massless leptons; their masses change it by (2 m_mu / E)^2 = 5e-6.

    Raises:
        ValueError: impossible ``energy`` or ``exchange``.
    """
    c = np.asarray(cos_theta, dtype=float)
    return 3 / 8 * (1 + c**2) + forward_backward_asymmetry(energy, exchange) * c


def forward_backward_asymmetry(energy: float = ENERGY, exchange: str = "interference") -> float:
    """A_FB = (N_F - N_B) / (N_F + N_B) = (3/4) B / A at tree level, F: cos theta > 0.

    With k = 1 / (16 sin^2 theta_W cos^2 theta_W), D = (s - M^2)^2 + (s Gamma / M)^2,
    I = 2 k s (s - M^2) / D and R = (k s)^2 / D, for equal couplings of both leptons,

        A = e^4 + I e^2 v^2 + R (v^2 + a^2)^2,    B = I e^2 a^2 + 4 R v^2 a^2.

    The electromagnetic coupling cancels. A photon alone has the first term only, a Z alone those
    of R.

    Raises:
        ValueError: impossible ``energy`` or ``exchange``.
    """
    _check(energy, exchange)
    x, s = couplings(), energy**2
    detuning = s - x.mass**2
    propagator = detuning**2 + (s * x.width / x.mass) ** 2
    photon, interference = 1.0, 2 * x.weak_ratio * s * detuning / propagator
    z = (x.weak_ratio * s) ** 2 / propagator
    if exchange == "photon":
        interference = z = 0.0
    elif exchange == "Z":
        photon = interference = 0.0
    e2, v2, a2 = x.charge**2, x.vector**2, x.axial**2
    even = photon * e2**2 + interference * e2 * v2 + z * (v2 + a2) ** 2
    odd = interference * e2 * a2 + 4 * z * v2 * a2
    return 0.75 * odd / even


def _start(energy: float, exchange: str, seed: np.random.SeedSequence) -> pythia.Any:
    settings = (
        "Beams:idA = 11",
        "Beams:idB = -11",
        f"Beams:eCM = {energy}",
        "PDF:lepton = off",
        "WeakSingleBoson:ffbar2gmZ = on",
        f"WeakZ0:gmZmode = {EXCHANGES[exchange]}",
        "23:onMode = off",
        "23:onIfAny = " + " ".join(map(str, LEPTON_CODES)),
        "PartonLevel:all = off",
        "HadronLevel:all = off",
    )
    return pythia.start(settings, seed)


def _check(energy: float, exchange: str) -> None:
    if not LOWEST_ENERGY <= energy <= HIGHEST_ENERGY:
        raise ValueError(
            f"energy must lie in [{LOWEST_ENERGY:g}, {HIGHEST_ENERGY:g}] GeV, got {energy}"
        )
    if exchange not in EXCHANGES:
        raise ValueError(f"exchange must be one of {', '.join(EXCHANGES)}, got {exchange!r}")
