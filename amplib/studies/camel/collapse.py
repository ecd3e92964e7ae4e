"""Which trainings have ended in one hump: a rule, fixed before any is judged by it."""

from __future__ import annotations

import numpy as np

from amplib.store.study import Arrays
from amplib.studies.camel.study import CELLS

WON = 0.05
"""Cross entropy below which the discriminator has won; guessing costs 2 log 2 = 1.39."""
ONE_HUMP = 0.05
"""Share of the events below which a hump is empty.  Of 100 training points fewer than 30 lie in one
hump once in 30,000 samples."""


def discriminator_has_won(losses: np.ndarray) -> np.ndarray:
    """At which records, ``(records, 4)`` as ``CamelGAN.compute`` stores them, it has."""
    return losses[:, 1] < WON


def has_failed(part: Arrays) -> bool:
    """Whether a training has ended in one hump: with hardly an event in the other, or with a
    discriminator that has won, so that it stands still."""
    counts = part["counts"][-1]
    humps = np.array([counts[: CELLS // 2].sum(), counts[CELLS // 2 :].sum()])
    empty = bool(humps.min() < ONE_HUMP * humps.sum())
    return empty or bool(discriminator_has_won(part["losses"])[-1])
