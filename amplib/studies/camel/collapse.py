"""Which trainings have failed: a rule, fixed before any is judged by it.

What has failed here has hardly begun: its events are one point between the humps, near which the
generator starts.  A generator that has lost a hump would be found, too; none has been seen.
"""

from __future__ import annotations

import numpy as np

from amplib.store.study import Arrays
from amplib.studies.camel.study import CELLS

WON = 0.05
"""Cross entropy below which the discriminator has won; guessing costs 2 log 2 = 1.39."""
ONE_SIDE = 0.05
"""Share of the events below which one side of zero, and with it a hump, is empty.  Of 100 training
points fewer than 30 lie on one side once in 30,000 samples."""


def discriminator_has_won(losses: np.ndarray) -> np.ndarray:
    """At which records, ``(records, 4)`` as ``CamelGAN.compute`` stores them, it has.

    A record has the losses of the last minibatch of its epoch, ten points of either kind.
    """
    return losses[:, 1] < WON


def last_won(losses: np.ndarray) -> float:
    """The last recorded epoch at which it had, of ``(records, 4)``; 0 if it never had."""
    return float((losses[:, 0] * discriminator_has_won(losses)).max())


def has_failed(part: Arrays) -> bool:
    """Whether a training has ended with hardly an event on one side of zero, or with a
    discriminator that has won, so that it stands still.  A point at zero would be seen by the
    second alone."""
    counts = part["counts"][-1]
    sides = np.array([counts[: CELLS // 2].sum(), counts[CELLS // 2 :].sum()])
    empty = bool(sides.min() < ONE_SIDE * sides.sum())
    return empty or bool(discriminator_has_won(part["losses"])[-1])
