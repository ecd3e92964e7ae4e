"""Stored trainings of one kind of decay: what each model makes of it, with errors over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amplib.estimate import Estimate, geometric_mean, mean, positive_mean, relative
from amplib.store.results import Result
from amplib.store.study import Arrays
from amplib.studies.bvae.decay import TRUE, DecayStudy
from amplib.studies.bvae.observables import Decay

Array = NDArray[np.float64]

TRUTH, TRAINING = TRUE
NOT_OF_ROWS = ("losses", "diverged", "weighed_")
"""Beginnings of the names of arrays that do not have a row for each of ``TRUE`` and the models."""


@dataclass(frozen=True, eq=False)
class Generated:
    """All trainings of some results on the same events.

    Args:
        decay: what is looked at.
        events: how many are compared.
        parts: the trainings of each model, the row of their arrays that is this model's, and
            those of the true events.
        diverged: trainings that did, left out, by model.
        network: the study that trains a model's network, by model.
    """

    decay: Decay
    events: int
    parts: dict[str, list[Arrays]]
    diverged: dict[str, int]
    network: dict[str, str]

    @classmethod
    def of(cls, *results: Result) -> Generated:
        """What the results hold.

        Raises:
            ValueError: they are not of the same events.
        """
        parts: dict[str, list[Arrays]] = {}
        diverged: dict[str, int] = {}
        studies = [_decay_study(result) for result in results]
        samples = set()
        for result, study in zip(results, studies, strict=True):
            samples.add((study.event_sample(), study.compared_events))
            stored = list(result.load().values())
            good = [arrays for arrays in stored if arrays["diverged"] < 0]
            for row, name in enumerate((*TRUE, *study.models)):
                rows = good if name in study.models else stored[:1]
                kept = [_row(arrays, row) for arrays in rows]
                parts.setdefault(name, kept)
            diverged |= dict.fromkeys(study.models, len(stored) - len(good))
        if len(samples) > 1:
            raise ValueError("these results are not of the same events")
        ((_, events),) = samples
        network = {name: study.name for study in studies for name in study.models}
        return cls(studies[0].decay, events, parts, diverged, network)

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the generators that have a training to look at."""
        return tuple(name for name in self.parts if name not in TRUE and self.parts[name])

    def counts(self, name: str, observable: str) -> tuple[Array, float]:
        """A histogram of the first training, and the share of its entries that lie outside."""
        counts = self.parts[name][0][observable].astype(float)
        return counts[1:-1], float((counts[0] + counts[-1]) / counts.sum())

    def map(self, name: str, quantity: str) -> Array:
        """Counts of the first training, first against second particle."""
        return self.parts[name][0][f"{quantity}_map"].astype(float)

    def distance(self, name: str, observable: str) -> Estimate:
        """Mean distance to the truth, in the observable's unit, over trainings."""
        return positive_mean(self._each(name, "distances", observable))

    def over(self, name: str, other: str, observable: str) -> Estimate:
        """Distance of one model to the truth over that of another, with an interval in its
        logarithm.

        Two that are generated from the same network share its training, and what one training has
        better or worse than another cancels in their ratio: it is taken training by training.
        """
        first, second = (self._each(n, "distances", observable) for n in (name, other))
        if self.network[name] == self.network[other] and len(first) > 1:
            return geometric_mean(first / second)
        return _ratio(self.distance(name, observable), self.distance(other, observable))

    def floor(self, observable: str) -> float:
        """The distance of as many training events to the truth: of two samples of one density."""
        return float(self._each(TRAINING, "distances", observable)[0])

    def width(self, name: str, observable: str) -> Estimate:
        """Half of what the central 68.3% of the values span, over trainings."""
        quantiles = self._each(name, "quantiles", observable)
        return positive_mean((quantiles[:, 2] - quantiles[:, 0]) / 2)

    def reach(self, name: str, observable: str) -> Estimate:
        """How far from zero the farther end of the central 68.3% lies, over trainings: within it
        are no fewer of the values.  Unlike the width it knows of a median that is off."""
        ends = np.abs(self._each(name, "quantiles", observable)[:, [0, 2]])
        return positive_mean(ends.max(1))

    def beyond(self, name: str, observable: str, bound: float) -> Estimate:
        """Share of the values in bins that lie farther than this from zero, over trainings."""
        edges = self.decay.edges[observable]
        far = np.r_[True, np.minimum(np.abs(edges[:-1]), np.abs(edges[1:])) >= bound, True]
        return mean([a[observable][far].sum() / a[observable].sum() for a in self.parts[name]])

    def relative_distance(self, name: str, observable: str) -> float:
        """Mean distance to the truth over half of the truth's central 68.3%."""
        return self.distance(name, observable).value / self.width(TRUTH, observable).value

    def bias(self, name: str, observable: str) -> Estimate:
        """Median less that of the truth, over trainings."""
        true = self._each(TRUTH, "quantiles", observable)[0, 1]
        return mean(self._each(name, "quantiles", observable)[:, 1] - true)

    def four_leptons(self, name: str) -> Estimate:
        """Share of events with four leptons, over trainings."""
        return mean(np.array([arrays["four_leptons"] for arrays in self.parts[name]]) / self.events)

    def _each(self, name: str, array: str, observable: str) -> Array:
        row = list(self.decay.edges).index(observable)
        return np.array([arrays[array][row] for arrays in self.parts[name]])


def on_the_azimuth(generated: Generated) -> str:
    """Whether the azimuth of two-body decays is what the GAN has worst, and worse than the VAE."""
    apart = {o: generated.relative_distance("GAN", o) for o in ("px", "py", "pz", "phi")}
    phi, others = apart["phi"], [far for o, far in apart.items() if o != "phi"]
    _, low, high = generated.over("GAN", "VAE", "phi").interval()
    place = "its worst" if phi > max(others) else "its best" if phi < min(others) else "neither"
    beside = "farther than" if low > 1 else "nearer than" if high < 1 else "not told apart from"
    remark = "is confirmed here" if place == "its worst" and low > 1 else "is not confirmed here"
    which = f"{place} of these four" if place != "neither" else "neither its best nor its worst"
    return (
        f"The remark {remark}: the GAN's azimuth is {phi:.1%} of half of the truth's central 68% "
        f"away, its momenta {min(others):.1%} to {max(others):.1%}, so that it is {which}, and "
        f"it is {beside} the standard VAE's"
    )


def _decay_study(result: Result) -> DecayStudy:
    assert isinstance(result.study, DecayStudy), result.study.name
    return result.study


def _row(arrays: Arrays, row: int) -> Arrays:
    return {name: a[row] for name, a in arrays.items() if not name.startswith(NOT_OF_ROWS)}


def _ratio(first: Estimate, second: Estimate) -> Estimate:
    """Of two positive means over different trainings, with an interval in its logarithm."""
    value, error, *_ = first.over(second)
    fewest = min(first.repetitions or 1, second.repetitions or 1)
    return relative(value, error, fewest)
