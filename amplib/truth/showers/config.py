"""What is shot into the calorimeter, and what counts as seen."""

from __future__ import annotations

from dataclasses import dataclass

from amplib.parameters import ParameterError, Parameters, bounded, one_of

THRESHOLD = 0.1
"""MeV; a cell below counts as no hit in every evaluation (dctrgan, sec. III B)."""
CORRELATED = ("X", "Y", "Z", "X2", "Y2", "Z2", "E_vis", "n_hit", "E1", "E2", "E3")
"""The observables of Fig. 7, in the order of ``correlated``."""


@dataclass(frozen=True)
class ShowerConfig(Parameters):
    """What is shot into the calorimeter, and how hits are drawn."""

    energy: float = bounded(50.0, 1, 200)
    """GeV."""
    particle: str = one_of("photon", "electron")
    hits: str = one_of("mip", "gflash")
    """``gflash``: the publication's energy spots, all equal within a layer; about 2,600 in a shower
    of 50 GeV, few a cell, so that their number limits the number of active cells.  ``mip``: as many
    hits as minimum ionising particles (0.20 MeV) make up the layer's energy, by Poisson's law, each
    with a Landau-like share of it.  The layer energies are the same in both."""
    beam: float = bounded(0.0, 0, 10)
    """Standard deviation in cells of where particles enter, along x and along y, normal about the
    centre of the grid.  0: all of them there, where four cells meet.  The beam of the published
    photons is a point too, by their steering file (FLC-QU-hep/getting_high: a beam without a
    sigma), and the bins of their grid put it 0.08 and 0.13 cells from that centre."""
    source: str = one_of("simulated", "published", later=True)
    """``published``: the Geant4 showers of Zenodo 3826103, photons shot at one point, whose energy
    is within 1% of ``energy``."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.source == "published":
            for name, default in SHOT.items():
                if getattr(self, name) != default:
                    raise ParameterError(
                        f"{name} = {getattr(self, name)}: of published showers it is {default}"
                    )


SHOT = {"particle": "photon", "hits": "mip", "beam": 0.0}
"""What cannot be chosen of published showers."""
