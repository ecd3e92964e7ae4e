"""Where the latent space is looked at: the numbers that its studies and their readers share."""

from __future__ import annotations

import numpy as np

RADII = 0.1 + 3.4 / 7 * np.arange(0, 7.5, 0.5)
ANGLES = np.radians(np.arange(0, 360, 15))
"""Of the lattice in the plane of the first two principal components: r from 0.1 in half steps of
the paper's, phi in a third of its 45 degrees (Fig. 9)."""
EVERY = (2, 3)
"""Which radii and angles of it are the paper's."""
GRID = len(RADII[:: EVERY[0]]) * len(ANGLES[:: EVERY[1]])
"""Points that these are."""
PLANE_BINS = np.linspace(-4.5, 4.5, 91)

INPUTS = ("uniform noise", "top pairs")
"""What is reconstructed in Fig. 8."""
RECONSTRUCTION_BINS = 40
BLOCKS = 10
"""Of the inputs; their scatter is the error of the mean over all."""

TARGETS = 100
"""Held-out events near which others are generated, for each number of components that is held."""
COMPANIONS = 200
"""Events that are generated near each."""
AROUND = 0.1
"""Standard deviation of a component that is held about its target, in units of the codes: the
radius of the innermost circle of Fig. 9."""
BESIDE = ("other components at zero", "other components from the buffer")
"""How events are generated near a point of Fig. 9: as the paper has it, and as a sample."""

SCORES = ("loss", "relative loss")
"""The mean squared error over columns, each in units of its largest modulus, as the model is
trained; and with each column's in units of what it is for top pairs, so that all count alike."""
LOSS_BINS = np.logspace(-8, 2, 101)
"""Of the scores' histograms; what is beyond counts in the outermost ones."""
FALSE_ALARMS = np.concatenate([[0.0], np.logspace(-3, 0, 61)])
"""Shares of top pairs above the threshold at which a ROC curve is kept."""
