"""What the page asks of the chosen model beside what its studies store: small, and without chance.

The number of leptons behind a reconstruction loss, a linear copy beside the model, and how far true
events lie from those of Fig. 9.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amplib.estimate import Estimate, Share
from amplib.metrics.two_sample import auc
from amplib.models.buffer import TrainedVAE
from amplib.studies.collisions.study import first_top_pairs
from amplib.studies.latent.anomalies import losses
from amplib.studies.latent.charts import INPUTS, SCORES
from amplib.studies.latent.components import Components, distances
from amplib.studies.latent.study import LatentStudy
from amplib.truth.collisions.columns import TTBAR

Array = NDArray[np.float64]

SECOND = TTBAR.index("pT_l2")
NOISE = 0.5, 1 / 12
"""Mean and variance of U(0, 1), the noise of Fig. 8."""


@dataclass(frozen=True, eq=False)
class Trained:
    """The chosen model between the events that trained it and those that it has not seen.

    Args:
        model: with its buffer.
        training: ``(N, 26)``, MeV.
        held_out: ``(V, 26)``.
    """

    model: TrainedVAE
    training: Array
    held_out: Array

    @classmethod
    def of(cls, study: LatentStudy) -> Trained:
        """Raises: FileNotFoundError: the model is not stored, with the command that trains it."""
        model, held_out = study.chosen()
        return cls(model, first_top_pairs(study, study.training_events), held_out)

    @property
    def pair(self) -> tuple[TrainedVAE, Array]:
        """As of ``LatentStudy.chosen``."""
        return self.model, self.held_out

    def linear_copy(self, whitened: bool = False) -> dict[str, float]:
        """What as many principal components as the model has codes leave of each of ``INPUTS``:
        see ``linear_copy``.  They are found in columns over their largest modulus, as the model is
        trained, or ``whitened``, over their standard deviation."""
        scale = self.model.scale.double().cpu().numpy()
        x, held_out = self.training / scale, self.held_out / scale
        unit = np.where(x.std(0) > 0, x.std(0), 1) if whitened else np.ones(x.shape[1])
        return linear_copy(x, held_out, self.model.latent, unit)

    def second_lepton(self, alarms: float) -> SecondLepton | None:
        """What a second lepton does to the loss of held-out top pairs, ``alarms`` of which are
        looked at; nothing if all or none of them have one."""
        return SecondLepton.of(self.held_out, losses(self.model, self.held_out), alarms)

    def beside(self, shown: NDArray[np.floating]) -> Array:
        """Mean distances of all held-out events to events ``(..., 26)``, ``(points, 26)``."""
        return np.array([distances(self.held_out, event) for event in shown.reshape(-1, 26)])


def linear_copy(training: Array, held_out: Array, components: int, unit: Array) -> dict[str, float]:
    """Mean squared errors of a principal-component copy over the variance of its input, the mean
    over columns: of noise U(0, 1) in every column as it is expected, and of held-out events.

    Args:
        training: that the components are found in, ``(N, 26)``, in units of a column's largest
            modulus, as the noise is.
        held_out: to copy.
        components: how many are kept.
        unit: of each column, in which they are found, ``(26,)``.
    """
    found = Components.of(training / unit)
    kept = found.axes[:components]
    lost = np.eye(len(unit)) - kept.T @ kept
    centre, variance = NOISE[0] / unit, NOISE[1] / unit**2
    noise = (lost**2 @ variance + (lost @ (centre - found.mean)) ** 2) / variance
    x = held_out / unit
    events = (((x - found.mean) @ lost) ** 2).mean(0) / np.where(x.var(0) > 0, x.var(0), 1)
    return dict(zip(INPUTS, (float(noise.mean()), float(events.mean())), strict=True))


@dataclass(frozen=True)
class SecondLepton:
    """Top pairs with two leptons against those with one.

    Args:
        share: of the events, those with two.
        auc: by score, the area under the ROC curve; the error is over events.
        among: of the events with the largest losses, those with two.
    """

    share: Share
    auc: dict[str, Estimate]
    among: Share

    @classmethod
    def of(cls, events: Array, scores: dict[str, Array], alarms: float) -> SecondLepton | None:
        """Of events ``(n, 26)`` with their scores."""
        two = events[:, SECOND] > 0
        if two.all() or not two.any():
            return None
        areas = {name: Estimate(*auc(s[two], s[~two])[:2]) for name, s in scores.items()}
        loss = scores[SCORES[0]]
        worst = two[loss > np.quantile(loss, 1 - alarms)]
        return cls(Share(int(two.sum()), len(two)), areas, Share(int(worst.sum()), len(worst)))
