"""What a distance is between samples of one density, one as small as weights leave the GAN's."""

from __future__ import annotations

import numpy as np

from amplib.metrics.two_sample import sliced_wasserstein
from amplib.studies.gaussians.reading import Training
from amplib.studies.gaussians.study import SLICED_EVENTS


def sliced_floor(training: Training, rng: np.random.Generator) -> float:
    """Sliced Wasserstein distance of as many events of the truth as enter it, from others of the
    truth, as many as weights leave of the GAN's."""
    study = training.study
    n = min(SLICED_EVENTS, study.test_events)
    left = max(2, round(n * training.outlook.effective_share.value))
    truth = study.truth()
    samples = truth.sample(n, rng), truth.sample(left, rng)
    return sliced_wasserstein(*samples, rng, resamples=2).value
