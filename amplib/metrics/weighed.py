r"""What weights do to the observables of generated events, beside what their scores told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amplib.estimate import Estimates, Interval
from amplib.metrics.outlook import LARGEST, Outlook, outlook
from amplib.metrics.separation import Separation, histograms, separation_or_one
from amplib.metrics.weights import as_events, clip, dilution, usual_dilution

Array = NDArray[np.float64]

BINS = 19
"""Of the histograms of an observable, as in the paper's code for its mixtures."""
TAIL = 1e-3
"""Of the truth, beyond either end of such a histogram."""
NARROW = 1e-3
"""Width of the central 68% of an observable in the truth over that of generated events, at which
the truth conserves it but for rounding, or has one value in most events: its error over that of the
truth says little then."""
CLEAR = 2.0
"""Errors by which an observable is closer to the truth, or farther."""
SURELY = 5.0
"""Errors by which an observable is off the truth, so that there is something to mend: more than
chance gives the farthest of many."""
ROUNDING = 1e-20
"""Of a variance, in what does not vary."""
LEAST = 1e-100
"""Weights are no smaller: those of a classifier that is sure of all events, and their squares, are
not zero, and are compared with each other all the same."""


class Helped(NamedTuple):
    """Observables that weights have brought closer to the truth, and farther from it.

    Args:
        closer, farther: by more than ``CLEAR`` errors of <S^2> above its floor.
        off: the truth without weights, by more than ``SURELY`` errors.
        of: observables.
        without, weighted: medians of <S^2> above its floor.
    """

    closer: int
    farther: int
    off: int
    of: int
    without: float
    weighted: float

    @classmethod
    def of_separations(cls, without: Separation, weighted: Separation) -> Helped:
        """From <S^2> of each observable before and after."""
        change = weighted.excess - without.excess
        clear = CLEAR * np.hypot(weighted.error, without.error)
        return cls(
            int((change < -clear).sum()),
            int((change > clear).sum()),
            int((without.excess > SURELY * without.error).sum()),
            len(change),
            float(np.median(without.excess)),
            float(np.median(weighted.excess)),
        )

    @property
    def in_vain(self) -> bool:
        """Whether observables are off the truth, or come to be, and none has come closer."""
        return not self.closer and (self.off > 0 or self.farther > 0)

    def __str__(self) -> str:
        return (
            f"closer to the truth: {self.closer} of {self.of}, farther: {self.farther}; "
            f"median <S^2> above its floor {self.without:.2g} without weights, "
            f"{self.weighted:.2g} with them"
        )


def answer_of(told: Outlook, helped: Helped | None) -> str:
    """Can weights save it?  By what the scores tell, unless what was measured overrules it.

    Args:
        told: by the scores of one classifier.
        helped: measured on events that it was not trained on; None where that is not known.

    Returns:
        *no* by the scores; *not by these weights*, whatever else the scores tell, if they are in
        vain (``Helped.in_vain``); else *in part*, *freely* or *at a price*.
    """
    in_vain = told.answer != "no" and helped is not None and helped.in_vain
    return "not by these weights" if in_vain else told.answer


@dataclass(frozen=True, eq=False)
class Weighed:
    """F observables of generated events before and after they were weighted.

    Args:
        outlook: what the scores told.
        dilution: r of each observable by bootstrap, ``(F,)``; NaN of what does not vary in the
            truth.
        without: <S^2> of each from the truth without weights, ``(F,)``.
        weighted: the same with them.
    """

    outlook: Outlook
    dilution: Estimates
    without: Separation
    weighted: Separation

    @property
    def helped(self) -> Helped:
        """What became of the distances to the truth."""
        return Helped.of_separations(self.without, self.weighted)

    @property
    def answer(self) -> str:
        """Whether weights save it, as ``answer_of`` has it."""
        return answer_of(self.outlook, self.helped)

    def __str__(self) -> str:
        but = f" (the scores told {told})" if self.answer != (told := self.outlook.answer) else ""
        return (
            f"Can weights save it? {self.answer}{but}: {self.outlook.told}\n"
            f"r measured: {self._measured}\n"
            f"{self.helped}"
        )

    @property
    def _measured(self) -> str:
        """r in words, where it means something."""
        r = usual_dilution(self.dilution.value)
        if self.outlook.answer == "no":
            return "not told where the answer is no"
        if np.isnan(r.value):
            return "none, as no observable varies"
        return f"{r}, median and central 68% of the observables"

    def arrays(self) -> dict[str, Array]:
        """``weighed_outlook`` ``(6, 2)``; ``weighed_clipped`` ``(2,)``, how many weights and their
        share of the sum; ``weighed_r`` ``(2, F)``; ``weighed_s2`` ``(2, 3, F)``, without weights
        and with them: value, error, floor."""
        return {
            "weighed_outlook": self.outlook.estimates(),
            "weighed_clipped": np.array([self.outlook.clipped, self.outlook.cut]),
            "weighed_r": np.array(self.dilution),
            "weighed_s2": np.array([self.without, self.weighted]),
        }

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.generic]], largest: float = LARGEST) -> Weighed:
        """From what ``arrays`` returned."""
        told, clipped, r, s2 = (
            np.asarray(arrays[f"weighed_{name}"], dtype=float)
            for name in ("outlook", "clipped", "r", "s2")
        )
        without, weighted = (Separation(*of) for of in s2)
        return cls(
            Outlook.of(told, largest, int(clipped[0]), float(clipped[1])),
            Estimates(*r),
            without,
            weighted,
        )


def weigh(
    truth: ArrayLike,
    generated: ArrayLike,
    truth_weights: ArrayLike,
    generated_weights: ArrayLike,
    rng: np.random.Generator,
    largest: float = LARGEST,
    truth_prior: ArrayLike | None = None,
) -> Weighed:
    """Measure what weights do to observables, on events that trained no classifier.

    Args:
        truth: observables of true events, ``(N, F)`` or ``(N,)``.
        generated: the same of generated ones, ``(M, F)`` or ``(M,)``.
        truth_weights: W of the true events, ``(N,)``, for the outlook alone.
        generated_weights: W of the generated ones, ``(M,)``.
        rng: of the bootstraps.
        largest: weight at which generated ones are clipped.
        truth_prior: weights that the true events come with, ``(N,)``.

    Raises:
        ValueError: shapes that do not fit, negative weights or NaN.
    """
    t, g = as_events(truth), as_events(generated)
    of_truth, of_generated = (_not_zero(w) for w in (truth_weights, generated_weights))
    weights = clip(of_generated, largest).weights
    low, high = np.quantile(t, [TAIL, 1 - TAIL], axis=0)
    # The highest value belongs to the last bin, as that of a share does.
    limits = np.stack([low, np.nextafter(np.where(high > low, high, low + 1), np.inf)], 1)
    real, made = histograms(t, limits, BINS, truth_prior), histograms(g, limits, BINS)
    r = dilution(t, g, weights, rng, truth_prior=truth_prior)
    varies = _width(t) > NARROW * _width(g)
    return Weighed(
        outlook(of_truth, of_generated, largest, truth_prior),
        Estimates(*(np.where(varies, x, np.nan) for x in r)),
        separation_or_one(real, made),
        separation_or_one(real, histograms(g, limits, BINS, weights)),
    )


def _not_zero(weights: ArrayLike) -> Array:
    w = np.asarray(weights, dtype=float)
    return np.where((w >= 0) & (w < LEAST), LEAST, w)  # what is no weight is refused later


def _width(values: Array) -> Array:
    """Of the central 68% of each observable."""
    low, high = np.quantile(values, [0.16, 0.84], axis=0)
    return np.asarray(high - low)


def weights_of_cells(counts: ArrayLike) -> Array:
    """W of each of q cells of equal mass, ``(q,)``, from numbers of generated events in them."""
    n = np.asarray(counts, dtype=float)
    with np.errstate(divide="ignore"):
        return np.asarray(n.sum() / (len(n) * n))


def outlook_of_cells(counts: ArrayLike) -> Outlook:
    """What weights could do, from numbers of generated events ``(q,)`` in cells of equal mass.

    The truth counts as having as many events as were generated.
    """
    n = np.asarray(counts, dtype=int)
    w = weights_of_cells(n)
    return outlook(np.repeat(w, round(n.sum() / len(n))), np.repeat(w, n))


def dilution_in_cells(counts: ArrayLike, values: ArrayLike) -> Interval:
    r"""r of observables that are constant in each cell: median over them with the central 68%.

    .. math::
        r^2 = \frac{\langle w^2 (f - \bar f)^2\rangle_G}{\langle w\rangle_G^2\,
              \langle (f - \langle f\rangle_T)^2\rangle_T}, \qquad
        \bar f = \langle w f\rangle_G / \langle w\rangle_G

    Args:
        counts: generated events in cells of equal mass, ``(q,)``.
        values: of the observables in the cells, ``(q, F)``.

    Returns:
        NaN where all events lie in one cell, in which nothing varies.
    """
    n, f = np.asarray(counts, dtype=float), as_events(values)
    w = np.minimum(weights_of_cells(n), LARGEST)
    share = n / n.sum()
    mean = (share * w) @ f / (share @ w)
    spread = (share * w**2) @ (f - mean) ** 2 / (share @ w) ** 2
    ratio = spread / f.var(0)
    return usual_dilution(np.sqrt(np.where(ratio > ROUNDING, ratio, 0)))
