"""The stored arrays of the Gaussian studies as trainings, before and after reweighting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from amplib.estimate import Estimate, Estimates, Interval, geometric_mean, mean
from amplib.metrics.outlook import Outlook
from amplib.metrics.separation import Histograms, Separation, separation
from amplib.metrics.weights import usual_dilution
from amplib.store.results import Result
from amplib.store.study import Arrays
from amplib.studies.gaussians.study import LOG_WEIGHTS, MixtureStudy, observable_names

MIXTURES = {"bimodal": "1D bimodal", "ring": "2D circle", "grid": "2D grid"}
"""The studies, with the names of their truths."""


@dataclass(frozen=True, eq=False)
class Training:
    """One GAN, its classifier, and what was measured of both."""

    study: MixtureStudy
    arrays: Arrays

    @property
    def densities(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of truth, GAN and weighted GAN in the cells, ``(cells,)`` or ``(cells, cells)``."""
        low, high = self.study.range
        shape = (self.study.cells,) * self.study.truth().dimension
        volume = ((high - low) / self.study.cells) ** len(shape)
        truth, gan, weighted = (
            (c / c.sum() / volume).reshape(shape) for c in self.arrays["cells"][:3]
        )
        return truth, gan, weighted

    @cached_property
    def in_cells(self) -> tuple[Separation, Separation]:
        """<S^2> of the whole density, of the GAN and of the weighted GAN."""
        return self._separations(self.arrays["cells"][:, None])

    @cached_property
    def of_observables(self) -> tuple[Separation, Separation]:
        """<S^2> of each observable."""
        return self._separations(self.arrays["observables"])

    @staticmethod
    def _separations(contents: np.ndarray) -> tuple[Separation, Separation]:
        truth, gan, weighted, squares = contents
        first = Histograms.counted(truth)
        return (
            separation(first, Histograms.counted(gan)),
            separation(first, Histograms(weighted, squares)),
        )

    @property
    def dilution(self) -> Estimates:
        """r of each observable, then of the share of each mode, by bootstrap."""
        return Estimates(*self.arrays["dilution"])

    @property
    def needed(self) -> Estimates:
        """N_G / N_T of the same, by eq. 9."""
        return Estimates(*self.arrays["needed"])

    @property
    def usual_dilution(self) -> Interval:
        """Median and central 68% over observables and shares of modes that have events."""
        return usual_dilution(self.dilution.value)

    @property
    def outlook(self) -> Outlook:
        """What the scores said of reweighting."""
        return Outlook.of(self.arrays["outlook"], self.study.largest, *self.arrays["clipped"])

    @property
    def mean_of_exact(self) -> float:
        """The mean that clipped weights have if they are right, by what lies beyond the clip."""
        return self.outlook.mean_of_exact(self.study.test_events)

    @property
    def auc_after(self) -> float:
        """Of the classifier that saw the weighted events."""
        return float(self.arrays["auc_after"][0])

    @property
    def out_of_reach(self) -> float:
        """Share of the truth in cells where it has more than ``largest`` times the GAN's events: as
        ``outlook.lost``, but without a classifier."""
        truth, gan = self.arrays["cells"][:2]
        beyond = truth / truth.sum() > self.study.largest * gan / gan.sum()
        return float(truth[beyond].sum() / truth.sum())

    @property
    def never_made(self) -> float:
        """Share of the truth in cells where the GAN has no event at all: no weight restores it."""
        truth, gan = self.arrays["cells"][:2]
        return float(truth[gan == 0].sum() / truth.sum())

    def beyond(self, weight: float) -> float:
        """Share of the truth with weights above this one, by the bins of their logarithm."""
        counts = self.arrays["weights"][0]
        above = 1 + int(np.searchsorted(LOG_WEIGHTS, np.log10(weight) - 1e-9))
        return float(counts[above:].sum() / counts.sum())

    @property
    def s2_with_outside(self) -> float:
        """<S^2> of the GAN's density with one more cell for all that is outside of the others."""
        inside, outside = self.arrays["cells"][:2], self.arrays["outside"]
        beyond = inside.sum(1) * outside / (1 - outside)
        truth, gan = map(Histograms.counted, np.column_stack([inside, beyond])[:, None])
        return float(separation(truth, gan).value[0])

    @property
    def eq_9_off(self) -> np.ndarray:
        """Factor, from one on, between r by bootstrap and by eq. 9, of the observables and of the
        shares of modes that are not lost, ``(F,)``."""
        kept = np.ones(len(self.dilution.value), bool)
        kept[-len(self._is_lost) :] = ~self._is_lost
        r, needed = self.dilution.value[kept], np.sqrt(self.needed.value[kept])
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.maximum(r / needed, needed / r)
        return np.asarray(factor[np.isfinite(factor)])

    @property
    def lost_modes(self) -> int:
        """Modes with less than a tenth of their share of the GAN's events."""
        return int(self._is_lost.sum())

    @property
    def _is_lost(self) -> np.ndarray:
        """Which modes are lost, ``(modes,)`` of bool."""
        modes = len(self.study.truth().means)
        return np.asarray(self.arrays["means"][1, 0, -modes:] < 0.1 / modes)


@dataclass(frozen=True)
class Trainings:
    """All trainings on one mixture."""

    study: MixtureStudy
    each: list[Training]

    def over_seeds(self, measure: Callable[[Training], float]) -> Estimate:
        """Mean over trainings."""
        return mean([measure(t) for t in self.each])

    def gain(self, measure: Callable[[Training], float]) -> Estimate:
        """Geometric mean of a positive ratio over trainings."""
        return geometric_mean([measure(t) for t in self.each])

    @property
    def usual(self) -> Training:
        """The training in the middle by <S^2> of its GAN: what is shown."""
        order = np.argsort([t.in_cells[0].value[0] for t in self.each])
        return self.each[int(order[(len(order) - 1) // 2])]

    @property
    def observables(self) -> list[str]:
        """Their names, without the modes."""
        return observable_names(self.study.truth().dimension)


def separation_gain(training: Training) -> float:
    """<S^2> of the GAN's density over that of the weighted one, floors included."""
    before, after = training.in_cells
    return float(before.value[0] / after.value[0])


def distance_gain(training: Training) -> float:
    """Sliced Wasserstein distance of the GAN's events over that of the weighted ones."""
    before, after, _ = training.arrays["distance"][:, 0]
    return float(before / after)


def read(result: Result) -> Trainings:
    """All trainings that are done."""
    study = cast(MixtureStudy, result.study)
    return Trainings(study, [Training(study, arrays) for arrays in result.load().values()])
