"""Made-up element tables that let Geant4 run where its data sets are not installed.  No physics.

Geant4's electromagnetic models read a few text files for each element.  `write_tables` writes files
of that format, with numbers from one-line formulas of the right order of magnitude, so that a test
can exercise the transport.  What is simulated with them was compared with nothing.

The files, as Geant4 11.4 reads them with ``G4EmStandardPhysics`` (Z: the atomic number):

``G4EMLOW*/brem_SB/brZ``: bremsstrahlung below 1 GeV (``G4Physics2DVector::Retrieve``).
    ``type nx ny``; nx values of k / T, from 0 to 1; ny values of ln(T / MeV); then for each T a row
    of nx values (beta^2 / Z^2) k dsigma/dk in millibarn.  k: photon, T: electron's kinetic energy.
``G4EMLOW*/epics2017/phot/pe-cs-Z.dat``: photoelectric effect (``G4PhysicsVector::Retrieve``).
    ``E_min E_max n``, again ``n``, then n lines ``E E^3 sigma``, in MeV and barn.
``.../pe-high-Z.dat``, ``.../pe-low-Z.dat``: fits of it above an energy.
    ``shells used E``, then for each shell ``E_binding a_1 ... a_6``: sigma = sum of a_i / E^i.  An
    element of one shell needs no further file.
``G4EMLOW*/epics2017/rayl/re-cs-Z.dat``: Rayleigh scattering, in the format of ``pe-cs``.
    ``E E^2 sigma``, in MeV and mm^2.
``G4ENSDFSTATE*/ENSDFSTATE.dat``: excited nuclei.  Empty: none.
``PhotonEvaporation*/``: their decays.  Looked up and never read: an empty folder.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def write_tables(folder: Path, charges: tuple[int, ...] = (14, 74)) -> None:
    """Fill ``folder`` with made-up data sets, for use as ``GEANT4_DATA_DIR``."""
    element_data, nuclei = folder / "G4EMLOW0.0", folder / "G4ENSDFSTATE0.0"
    nuclei.mkdir(parents=True)
    (folder / "PhotonEvaporation0.0").mkdir()
    (nuclei / "ENSDFSTATE.dat").touch()
    for z in charges:
        _write(element_data / f"brem_SB/br{z}", bremsstrahlung(z))
        for name, text in photoelectric(z).items():
            _write(element_data / f"epics2017/phot/{name}-{z}.dat", text)
        _write(element_data / f"epics2017/rayl/re-cs-{z}.dat", rayleigh(z))


def bremsstrahlung(z: int) -> str:
    """Complete screening at every energy: 4 alpha r_e^2 ln(183 Z^(-1/3)) [4/3 (1 - x) + 2/3 x^2].

    2/3 x^2 stands for x^2: Geant4 samples the photon by rejection and wants a falling spectrum.
    """
    x = np.linspace(0, 1, 33)
    log_energy = np.log(np.geomspace(1e-3, 1e4, 29))
    row = 2.318 * np.log(183 * z ** (-1 / 3)) * (4 / 3 * (1 - x) + 2 / 3 * x**2)
    rows = [f"0 {len(x)} {len(log_energy)}", _line(x), _line(log_energy)]
    return "\n".join(rows + [_line(row)] * len(log_energy)) + "\n"


def photoelectric(z: int) -> dict[str, str]:
    """One shell, bound by 13.6 eV Z^2: sigma = (Z / 74)^4.6 (3 / E + 1.3 / E^3) barn, E in MeV."""
    scale, binding = (z / 74) ** 4.6, 13.6e-6 * z**2
    energy = np.geomspace(binding, 1, 50)
    shell = _line(np.array([binding, 3 * scale, 0, 1.3 * scale, 0, 0, 0]))
    return {
        "pe-cs": _vector(energy, scale * (3 * energy**2 + 1.3)),
        "pe-high": f"1 1 1.0\n{shell}\n",
        "pe-low": f"1 1 {binding:.9g}\n{shell}\n",
    }


def rayleigh(z: int) -> str:
    """sigma = 6e-23 mm^2 (Z / 74)^2 / E^2, E in MeV."""
    energy = np.geomspace(1e-3, 1e5, 41)
    return _vector(energy, np.full_like(energy, 6e-23 * (z / 74) ** 2))


def _vector(x: Array, y: Array) -> str:
    head = f"{x[0]:.9g} {x[-1]:.9g} {len(x)}\n{len(x)}\n"
    return head + "\n".join(f"{a:.9g} {b:.9g}" for a, b in zip(x, y, strict=True)) + "\n"


def _line(values: Array) -> str:
    return " ".join(f"{value:.9g}" for value in values)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
