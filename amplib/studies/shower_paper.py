"""What the DCTRGAN paper states (Diefenbacher et al., arXiv:2009.03796): pages and figures read it
here."""

from __future__ import annotations

import numpy as np

PAPER_ACTIVE, PAPER_ENERGY = 780, 50.0
"""Around what active cells peak by the text, for photons of so many GeV (sec. III)."""
AXIS_OF_CELLS, AXIS_OF_ENERGY, AXIS_OF_CENTROID = (500, 1000), (550, 1050), (10, 25)
"""The axes of Fig. 3 in the authors' notebook, photons of 50 GeV: active cells, MeV, layers."""
PAPER_LAYERS = np.repeat(
    (2, 5, 15, 30, 40, 60, 80, 100, 120, 80, 60, 30, 20), (1, 1, 1, 2, 1, 2, 1, 2, 9, 2, 2, 3, 3)
)
"""Where the axes of the layer energies end there (Fig. 4), MeV."""
PAPER_MOMENTS = np.repeat((1, 2, 20, 30, 50), (1, 1, 19, 5, 4))
"""Where those of the second moments along x end (Fig. 6), cell^2."""
