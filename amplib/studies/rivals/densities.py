"""Kernels and mixtures on the events themselves (bvae, sec. IV D, Table V)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from amplib.models.kde import BANDWIDTHS, KDE
from amplib.models.mixture import Mixture
from amplib.progress import Progress
from amplib.store.study import Arrays, Part
from amplib.studies.rivals.judging import BATCH
from amplib.studies.rivals.study import (
    _GENERATION,
    _TRAINING,
    COMPONENTS,
    EventDensities,
    Generate,
)

Array = NDArray[np.float64]

NARROWER = np.logspace(-3, 0, 16)
"""Further bandwidths: the paper's begin at 0.1, which of energies that are divided by the largest
of 10^5 is more than all of their spread."""


def fit_density(
    study: EventDensities, part: Part, training: Array, progress: Progress
) -> tuple[Arrays, Generate]:
    """See ``EventDensities.fit``."""
    centre, scale = centre_and_scale(training, study.scaling)
    points = (training - centre) / scale
    rng = np.random.default_rng(study.stream(_TRAINING, *part))
    density, fit = _fitted(study, part, points, rng, progress)
    progress(study.fitting_cost(part))

    def generate(n: int) -> Iterator[Array]:
        generation = np.random.default_rng(study.stream(_GENERATION, *part))
        for start in range(0, n, BATCH):
            yield density.sample(min(BATCH, n - start), generation) * scale + centre

    return {"fit": np.array(fit), "diverged": np.array(-1)}, generate


def _fitted(
    study: EventDensities,
    part: Part,
    points: Array,
    rng: np.random.Generator,
    progress: Progress,
) -> tuple[KDE | Mixture, tuple[float, float]]:
    components = min(COMPONENTS[part[0]], study.largest)
    if components:
        mixture = Mixture.fit(
            points, components, rng, study.most_steps, progress=lambda step: progress(0.0)
        )  # whose steps are not known beforehand, but may be stopped at
        history = mixture.log_likelihoods
        return mixture, (history[-1], float(len(history)))
    widths = BANDWIDTHS if study.methods[part[0]] == "KDE" else NARROWER
    kernels = KDE.fit(points, rng, widths)
    return kernels, (kernels.bandwidth, float(kernels.at_the_edge))


def centre_and_scale(events: Array, scaling: str) -> tuple[Array, Array]:
    """What is subtracted from each column, and what it is then divided by."""
    if scaling == "modulus":
        return np.zeros(events.shape[1]), np.abs(events).max(0)
    return events.mean(0), events.std(0)
