r"""Can weights save it? What reweighting will cost, told before it is done, from scores alone.

A classifier between truth and generated events gives the weight :math:`W = h / (1 - h)` of every
event of either sample, and with it all that weights can and cannot do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from amplib.estimate import Estimate, written_area
from amplib.metrics.two_sample import auc
from amplib.metrics.weights import as_weights, clip, effective_share, mean_weight

Array = NDArray[np.float64]

LARGEST = 100.0
"""Weight above which an event of the truth counts as out of reach: by eq. 11 a hundred generated
events would stand for one.  The released code drops such events."""
HOPELESS_SHARE = 0.01
"""Effective share of the events below which nothing is left."""
HOPELESS_MEAN = 0.5
"""Mean weight before the clip below which nothing is left, however alike the weights are: by eq. 10
less than half of the truth lies where anything is generated."""
HOPELESS_AUC = 0.95
"""AUC above which Gaussians of equal width leave less than 0.45% of the events: a guide.  Until
generators were stored that keep ten times as much beyond it, and are mended by weights, the rule
had this line in the place of the mean."""
FREE = 1.1
"""r up to which weights cost next to nothing."""
RANGES = np.array([(0, 1), (1, np.inf), (1, np.inf), (0, 1), (0, np.inf), (0, 1)])
"""Between which each estimate of an ``Outlook`` is, in their order."""
TOLERABLE = 0.01
"""Share of the truth that may be out of reach of a sample that weights save."""


def dilution_from_auc(area: Estimate) -> Estimate:
    r"""r of Gaussians of equal width at this AUC, for an observable that weights do not know.

    .. math::
        r = \exp(d^2/2), \qquad d = \sqrt2\,\Phi^{-1}(\mathrm{AUC})

    for means d widths apart: r = 1.2, 2.0 and 3.6 at an AUC of 0.67, 0.80 and 0.87.

    >>> [round(dilution_from_auc(Estimate(a, 0)).value, 1) for a in (0.67, 0.80, 0.87)]
    [1.2, 2.0, 3.6]
    """
    if area.value <= 0.5:
        return Estimate(1.0, 0.0)
    if area.value >= 1:
        return Estimate(np.inf, np.inf)
    z = float(ndtri(area.value))
    r = float(np.exp(z**2))
    slope = np.sqrt(2 * np.pi) * np.exp(z**2 / 2)  # of z in the AUC
    return Estimate(r, float(r * 2 * z * slope * area.error))


@dataclass(frozen=True)
class Outlook:
    """What a classifier's scores say of reweighting before any of it is done.

    Args:
        auc: of the classifier.
        dilution: r of an observable that does not know the weights, root of N / N_eff.
        dilution_by_auc: the same from the AUC alone (``dilution_from_auc``).
        effective_share: N_eff / N of the clipped weights.
        mean_weight: of the clipped weights; eq. 10 is about ``mean_before_clip``.
        lost: share of the truth whose weights are above ``largest``: no weight restores it.
        largest: weight at which generated events were clipped.
        clipped: generated events that were.
        cut: the share of the sum of weights that went with it.
    """

    auc: Estimate
    dilution: Estimate
    dilution_by_auc: Estimate
    effective_share: Estimate
    mean_weight: Estimate
    lost: Estimate
    largest: float
    clipped: int
    cut: float

    def estimates(self) -> Array:
        """All six with their errors, ``(6, 2)``, in the order of ``RANGES``."""
        told = (
            self.auc, self.dilution, self.dilution_by_auc,
            self.effective_share, self.mean_weight, self.lost,
        )  # fmt: skip
        return np.array([e[:2] for e in told])

    @classmethod
    def of(cls, estimates: Array, largest: float, clipped: int, cut: float) -> Outlook:
        """From what ``estimates`` returned."""
        area, r, by_auc, share, mean, lost = (Estimate(float(v), float(e)) for v, e in estimates)
        return cls(area, r, by_auc, share, mean, lost, largest, int(clipped), float(cut))

    @property
    def mean_before_clip(self) -> float:
        """Mean of the weights as the classifier gives them: one, less the share of the truth where
        nothing is generated, if they are right (eq. 10).  It has no error: a few of them may make
        it.  Infinite where the clip took all of the sum.
        """
        return self.mean_weight.value / (1 - self.cut) if self.cut < 1 else np.inf

    def mean_of_exact(self, generated: int) -> float:
        r"""The mean that clipped weights should have beside what is out of reach.

        .. math::
            \langle\min(W, L)\rangle_G = 1 - P_T(W > L) + L\,P_G(W > L)

        of the exact W and the clip L, where all of the truth may be generated.

        Args:
            generated: events that the weights are of.
        """
        return 1 - self.lost.value + self.largest * self.clipped / generated

    @property
    def answer(self) -> str:
        """``freely``, ``at a price``, ``in part`` (support is missing) or ``no``, by what is left
        of the events and by what their weights stand for."""
        left, mean = self.effective_share.value, self.mean_before_clip
        if left < HOPELESS_SHARE or mean < HOPELESS_MEAN:
            return "no"
        if self.lost.value > TOLERABLE:
            return "in part"
        return "freely" if self.dilution.value < FREE else "at a price"

    def __str__(self) -> str:
        return f"Can weights save it? {self.answer}: {self.told}"

    @property
    def told(self) -> str:
        """The numbers behind the answer.  Where that is *no*, r and a share of events that looks
        well are left out: weights may be alike where they are all next to nothing."""
        told = [f"AUC {written_area(self.auc)}"]
        if self.answer != "no":
            told.append(f"r {self.dilution}")
        if self.answer != "no" or self.effective_share.value < HOPELESS_SHARE:
            told.append(f"{_percent(self.effective_share)} of the events left")
        return ", ".join(
            [
                *told,
                f"{_percent(self.lost)} of the truth out of reach",
                f"{self.clipped:,} weights clipped at {self.largest:g}",
            ]
        )


def outlook(
    real: ArrayLike,
    generated: ArrayLike,
    largest: float = LARGEST,
    truth_prior: ArrayLike | None = None,
) -> Outlook:
    """Say what weights can do, from those of both samples.

    Args:
        real: W of events of the truth ``(N,)``, not of the training; infinity is allowed.
        generated: W of generated events ``(M,)``, likewise.
        largest: weight at which generated ones are clipped.
        truth_prior: weights ``(N,)`` that the events of the truth came with.

    Raises:
        ValueError: negative weights or NaN.
    """
    real, generated = np.asarray(real, dtype=float), np.asarray(generated, dtype=float)
    kept, beyond = clip(generated, largest), real > largest
    as_weights(np.where(beyond, largest, real))  # refuses what cannot be a weight
    prior = np.ones(len(real)) if truth_prior is None else as_weights(truth_prior, len(real))
    prior = prior / prior.sum()
    lost = min(float(prior @ beyond), 1.0)  # a sum may be one and rounding
    error = float(np.sqrt(prior**2 @ (beyond - lost) ** 2))
    area = auc(_bounded(real), _bounded(generated), prior)  # h has the ranks of W
    share = effective_share(kept.weights)
    r = share.value**-0.5
    return Outlook(
        auc=area,
        dilution=Estimate(r, 0.5 * r * share.error / share.value),
        dilution_by_auc=dilution_from_auc(area),
        effective_share=share,
        mean_weight=mean_weight(kept.weights),
        lost=Estimate(lost, error),
        largest=largest,
        clipped=kept.clipped,
        cut=kept.cut,
    )


def _percent(share: Estimate) -> str:
    """With its error; of a share that is next to one no more than that it is."""
    return "> 99.99%" if share.value > 0.9999 else f"{share.scaled(100)}%"


def _bounded(weights: np.ndarray) -> np.ndarray:
    """h = W / (1 + W), 1 for an infinite weight."""
    return 1 - 1 / (1 + weights)
