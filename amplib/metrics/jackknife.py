r"""Standard errors by leaving out blocks of events, one by one (the delete-a-group jackknife).

Each batch of a sample is dealt to ``BLOCKS`` blocks in equal shares.  The errors are those of the
generated events alone: the truth's sample is the same for all models, and how a model varies from
training to training only other trainings tell.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

BLOCKS = 20
"""Of events, left out one by one for an error; it is known to 1 / sqrt(2 * 19) = 16%."""


def jackknife_error(without: ArrayLike) -> float:
    r"""Standard error from values of which each lacks one of B blocks:
    :math:`\sqrt{(B - 1) / B \sum_b (\theta_b - \bar\theta)^2}`.

    Never too small on average (Efron and Stein), and up to :math:`\sqrt 2` too large where the
    value is quadratic in the fluctuations, as delta of a generator that is the truth.
    """
    values = np.asarray(without, dtype=float)
    return float(np.sqrt((len(values) - 1) * values.var()))
