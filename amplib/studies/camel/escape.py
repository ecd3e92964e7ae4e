"""How the papers' GAN may be read where they are silent, and which trainings leave their start.

Nearly every training begins in a state in which the discriminator has won: the generator makes one
point between the humps, as before it was trained, and the cross entropy is nothing. So is the
gradient of the discriminator, which stands still. The generator does not: its loss, -log D(G),
hands on all of the logit's gradient where D has won. But the logit of the frozen discriminator
falls with the width of a generated batch before it rises, so that a point is driven to be a
narrower one. Most leave this state. How soon depends on the reading, which is measured here on the
same samples and seeds at the papers' settings, for the first 1500 of their 10,000 epochs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from amplib.estimate import Interval, Share
from amplib.metrics.amplification import Repetitions
from amplib.store.results import Result
from amplib.studies.camel.collapse import discriminator_has_won, last_won
from amplib.studies.camel.study import EPOCHS, READINGS, TRAININGS, CamelGAN, reading

EMBRYONIC = 100
"""Epochs in which no training is expected to have found anything."""


TWO_THINGS = "through B, noise after B"
"""It differs from the default in two: with the noise added after B is built, the real points' B is
no function of them, and the penalty's gradient passes through B for generated points alone."""
ENOUGH = 8
"""Trainings from which on a reading is shown."""
GRID = np.arange(50, EPOCHS + 1, 50)
"""Epochs at which the state is looked at: full trainings record their losses as often."""


@dataclass(frozen=True, eq=False)
class Escape:
    """When the discriminator had won in the trainings of a reading.

    Args:
        index: samples, ``(R,)``.
        won: whether it had at the epochs of ``GRID``, ``(R, epochs)``.
    """

    index: np.ndarray
    won: np.ndarray

    def won_at(self, epoch: int) -> np.ndarray:
        """In which trainings it has at this epoch, one of ``GRID``: ``(R,)``."""
        (k,) = np.flatnonzero(epoch == GRID)
        return self.won[:, k]

    def share(self, epoch: int) -> Share:
        """In how many it has."""
        won = self.won_at(epoch)
        return Share(int(won.sum()), len(won))

    def hazard(self) -> tuple[float, float, float]:
        """Final leavings per 1000 epochs spent in the state, after ``EMBRYONIC``: rate and its
        exact 68% interval (Garwood)."""
        return rate_of_leaving(GRID, self.won, EMBRYONIC, EPOCHS)


def rate_of_leaving(
    epochs: np.ndarray, won: np.ndarray, first: float, last: float
) -> tuple[float, float, float]:
    """Final leavings per 1000 epochs spent in the state, from one epoch to another: rate and its
    exact 68% interval (Garwood); NaN where all spent less than 1000 epochs in it.

    A record is that of a single minibatch, and one that is not in the state between two that are
    has not left it: a training is in it from the first time that it is seen there to the last.

    Args:
        epochs: at which the state was looked at, equally far apart, ``(K,)``.
        won: whether the discriminator had won, ``(R, K)``.
        first, last: epochs.
    """
    since = np.logical_or.accumulate(won, axis=1)
    until = np.logical_or.accumulate(won[:, ::-1], axis=1)[:, ::-1]
    inside = (since & until)[:, (first <= epochs) & (epochs <= last)]
    leavings = int((inside[:, :-1] & ~inside[:, 1:]).sum())
    exposure = inside[:, :-1].sum() * (epochs[1] - epochs[0]) / 1000
    if exposure < 1:
        return np.nan, np.nan, np.nan
    low = stats.chi2.ppf(0.16, 2 * leavings) / 2 if leavings else 0.0
    high = stats.chi2.ppf(0.84, 2 * leavings + 2) / 2
    return leavings / exposure, low / exposure, high / exposure


def paired_p_value(a: Escape, b: Escape, epoch: int) -> float:
    """``mcnemar`` of the samples on which a reading is still in the state at this epoch."""
    shared = np.intersect1d(a.index, b.index)
    return mcnemar(*(e.won_at(epoch)[np.isin(e.index, shared)] for e in (a, b)))


def mcnemar(a: np.ndarray, b: np.ndarray) -> float:
    """Probability of so uneven a split among the samples on which only one of two is true, if both
    are as often (exact McNemar test, two-sided).

    Args:
        a, b: ``(R,)``, of the same samples.
    """
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    if only_a + only_b == 0:
        return 1.0
    return float(stats.binomtest(only_a, only_a + only_b).pvalue)


def escape(name: str) -> Escape:
    """The escapes of a reading; trainings at full length serve for samples that have no short one.

    Raises:
        FileNotFoundError: if fewer than ``ENOUGH`` trainings are stored.
    """
    study = reading(name)
    short = Result(study, "paper")
    full = Result(CamelGAN.with_overrides(CamelGAN.presets["paper"], READINGS[name]), "paper")
    parts = {p: a for r in (full, short) if r.done() for p, a in r.load().items() if p[1] == 0}
    parts = {p: a for p, a in sorted(parts.items()) if p[0] < TRAININGS}
    if len(parts) < ENOUGH:
        raise FileNotFoundError(f"{len(parts)} trainings of {name!r}: make paper STUDY=gan")
    won = [_won_on_grid(a["losses"]) for a in parts.values()]
    return Escape(np.array([i for i, _ in parts]), np.array(won))


def states(result: Result) -> tuple[np.ndarray, np.ndarray]:
    """The recorded epochs of single trainings of one length, ``(K,)``, and whether the
    discriminator had won, ``(R, K)``."""
    losses = [a["losses"] for (_, member), a in sorted(result.load().items()) if member == 0]
    return losses[0][:, 0], np.array([discriminator_has_won(row) for row in losses])


def epochs_of_leaving(result: Result) -> np.ndarray:
    """The last recorded epoch at which the discriminator had won in single trainings, ``(R,)``: 0
    where it never had, the last of all where the training never left that state."""
    parts = sorted(result.load().items())
    return np.array([last_won(a["losses"]) for (_, member), a in parts if member == 0])


def median_entropies(name: str) -> np.ndarray:
    """Median cross entropy over trainings at the epochs of ``GRID``: guessing has 1.39."""
    losses = np.array([a["losses"] for a in Result(reading(name), "paper").load().values()])
    return np.asarray(np.median(losses[:, _records(losses[0]), 1], axis=0))


def _records(losses: np.ndarray) -> np.ndarray:
    """The last record up to each epoch of ``GRID``."""
    return np.searchsorted(losses[:, 0], GRID, side="right") - 1


def _won_on_grid(losses: np.ndarray) -> np.ndarray:
    """The state at the last record up to each epoch of ``GRID``."""
    return discriminator_has_won(losses)[_records(losses)]


def worth_at_end(name: str, q: int) -> Interval:
    """N_equiv of the median training at ``EPOCHS``, by its 1000 events."""
    result = Result(reading(name), "paper")
    counts = np.stack([a["counts"][-1] for a in result.load().values()])
    index = np.array([i for i, _ in result.done()])
    return Repetitions(counts, result.study.asdict()["n_train"], index).median_n_equiv(q)
