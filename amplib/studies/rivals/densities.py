"""Kernels and mixtures on the events themselves (bvae, sec. IV D, Table V)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from amplib.models.kde import KDE
from amplib.models.mixture import Mixture
from amplib.models.scaling import largest_modulus
from amplib.progress import Progress
from amplib.store.study import Arrays, Part
from amplib.studies.merit.judge import BATCH
from amplib.studies.rivals.study import (
    GENERATION,
    TRAINING,
    EventDensities,
    Generate,
)

Array = NDArray[np.float64]


def fit_density(
    study: EventDensities, part: Part, training: Array, progress: Progress
) -> tuple[Arrays, Generate]:
    """See ``EventDensities.fit``."""
    scale = largest_modulus(training)
    points = training / scale
    rng = np.random.default_rng(study.stream(TRAINING, *part))
    density, fit = _fitted(study, part, points, rng, progress)
    progress(study.fitting_cost(part))

    def generate(n: int) -> Iterator[Array]:
        generation = np.random.default_rng(study.stream(GENERATION, *part))
        for start in range(0, n, BATCH):
            yield density.sample(min(BATCH, n - start), generation) * scale

    return {"fit": np.array(fit), "diverged": np.array(-1)}, generate


def _fitted(
    study: EventDensities,
    part: Part,
    points: Array,
    rng: np.random.Generator,
    progress: Progress,
) -> tuple[KDE | Mixture, tuple[float, float]]:
    if components := study.components(part):
        mixture = Mixture.fit(
            points, components, rng, study.most_steps, progress=lambda step: progress(0.0)
        )  # whose steps are not known beforehand, but may be stopped at
        history = mixture.log_likelihoods
        return mixture, (history[-1], float(len(history)))
    kernels = KDE.fit(points, rng)
    return kernels, (kernels.bandwidth, float(kernels.at_the_edge))
