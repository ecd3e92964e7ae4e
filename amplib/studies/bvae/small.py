"""What makes a study small enough for a fingerprint."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amplib.models.config import VAETraining
from amplib.truth.collisions.columns import OBJECTS

Array = NDArray[np.float64]

TOY_EVENTS = 60
"""Top pairs of a fingerprint."""


def tiny(training: VAETraining) -> dict[str, Any]:
    """What makes a training as short as a fingerprint needs it, in all of its phases."""
    return {
        "batch_size": min(training.batch_size, 20),
        "width": 8,
        "adam_phases": min(training.adam_phases, 2),
        "adam_epochs": 1,
        "sgd_phases": min(training.sgd_phases, 2),
        "sgd_epochs": 1,
    }


def made_up_top_pairs(n: int, rng: np.random.Generator) -> Array:
    """Events of the right columns, massless and without correlations: for fingerprints."""
    objects = np.empty((n, len(OBJECTS), 4))
    pt, eta = rng.uniform(20e3, 200e3, (n, len(OBJECTS))), rng.normal(0, 1, (n, len(OBJECTS)))
    objects[..., 1], objects[..., 2] = -np.sort(-pt, axis=1), eta
    objects[..., 0] = objects[..., 1] * np.cosh(eta)
    objects[..., 3] = rng.uniform(-np.pi, np.pi, (n, len(OBJECTS)))
    objects[::2, -1] = 0  # of every other event the second lepton is absent
    missing = rng.uniform([1e3, -np.pi], [200e3, np.pi], (n, 2))
    return np.concatenate([missing, objects.reshape(n, -1)], axis=1)
