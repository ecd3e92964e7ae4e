"""Stored events of the chosen B-VAE beside the truth's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from amplib.estimate import AtLeast, Estimate, NothingToJudge, positive_mean
from amplib.metrics.crowding import PHI_RANGE
from amplib.metrics.delta import delta, ideal_delta
from amplib.models.config import BufferConfig
from amplib.store.results import Result
from amplib.store.study import Arrays
from amplib.studies.collisions.reading import HADRONIC_CELLS
from amplib.studies.merit.judge import DIRECTIONS, Reference
from amplib.studies.merit.reading import stored_reference
from amplib.studies.merit.worth import worth_in_cells
from amplib.studies.topvae.study import BINNING, FINE_BINS, TopEvents, TopReadings
from amplib.truth.collisions.observables import BINNINGS, JETS_BY, OBSERVABLES, released

Array = NDArray[np.float64]
Counts = NDArray[np.integer]

TAIL = 0.001
"""Share of the true events that are the tail of an observable."""
EDGE, BAND, CORNER = (0.0, 0.05), (0.1, 0.2), 0.2
"""Distances of an azimuth from pi, which the decoder's tanh does not reach and before which it
crowds, and of the other jet's from 0 where the paper sees artefacts, in radians."""


@dataclass(frozen=True, eq=False)
class Truth:
    """What is drawn of the simulated events.

    Args:
        reference: the figures of merit's.
        marginals: counts of each observable, ``(33, 100)``, in the bins of the authors' code.
        azimuths: map of the two leading jets, ``(1000, 1000)``.
        empty_held_out: for each of ``DIRECTIONS`` shares of empty bins without the training events.
    """

    reference: Reference
    marginals: Counts
    azimuths: Counts
    empty_held_out: dict[str, Array]

    @classmethod
    def of(cls, result: Result) -> Truth:
        """Of a ``TopPairReference``."""
        kept = result.load()[(0,)]
        by = JETS_BY.index("pT")
        curves = dict(zip(DIRECTIONS, kept["empty_held_out"][by], strict=True))
        marginals = kept["marginals"][BINNINGS.index(BINNING)]
        return cls(stored_reference(result), marginals, kept["azimuths"][by], curves)


@dataclass(frozen=True, eq=False)
class Marginal:
    """One observable: counts of as many true as generated events, in the same bins.

    Entries beyond the bins count in the outermost ones.
    """

    edges: Array
    truth: Counts
    generated: Counts

    @property
    def distance(self) -> float:
        """chi^2 of eq. 22, of this one histogram."""
        return delta(self.generated[None], self.truth[None])

    @property
    def ideal(self) -> float:
        """What an ideal generator's is expected to be."""
        return ideal_delta(self.truth[None])

    @property
    def misplaced(self) -> float:
        """Share of the generated events that would have to change their bin to be as the truth:
        unlike ``distance`` over that of an ideal generator, it does not grow with their number."""
        p, q = (counts / counts.sum() for counts in (self.truth, self.generated))
        return float(np.abs(p - q).sum() / 2)

    @property
    def below(self) -> float:
        """Share of the generated events in bins below all true ones; ``distance`` counts them
        whole, as (p - q)^2 / (p + q) is p where q is zero."""
        first = np.flatnonzero(self.truth)[0]
        return float(self.generated[:first].sum() / self.generated.sum())

    def tail(self) -> Estimate:
        """Generated over true events in the highest bins that hold at most ``TAIL`` of the truth;
        the error is that of both counts."""
        beyond = np.cumsum(self.truth[::-1])[::-1]
        far = beyond <= TAIL * self.truth.sum()
        return _ratio(self.generated[far].sum(), self.truth[far].sum())


@dataclass(frozen=True, eq=False)
class ChosenEvents:
    """Events of all stored trainings of the chosen model.

    Numbers are means over the trainings with Student's interval; of a single one the error is that
    of its events alone.

    Args:
        study: how they were made.
        parts: the trainings.
    """

    study: TopEvents
    parts: Sequence[Arrays]

    @classmethod
    def of(cls, result: Result) -> ChosenEvents:
        """Of a ``TopEvents``."""
        assert isinstance(result.study, TopEvents), result.study.name
        return cls(result.study, list(result.load().values()))

    @property
    def priors(self) -> list[BufferConfig | None]:
        """What codes are drawn from: the ``readings`` first, N(0, 1), which is None, last."""
        return self.study.priors()

    @property
    def readings(self) -> list[BufferConfig]:
        """The study's own way, and the same gamma in the paper's other reading, if it is not 0."""
        return self.study.readings()

    @property
    def own(self) -> BufferConfig:
        """The study's own way."""
        return self.readings[0]

    def prior(self, alpha: float, gamma: float) -> BufferConfig:
        """The one with this smudge factor and offset, gamma read as in the study's own.

        Raises:
            ValueError: there is none.
        """
        prior = replace(self.own, alpha=alpha, gamma=gamma)
        if prior not in self.priors:
            raise ValueError(f"no events with alpha = {alpha:g}, gamma = {gamma:g}")
        return prior

    def delta(self, prior: BufferConfig | None) -> Estimate:
        """delta of as many events as the truth has."""
        k = self.priors.index(prior)
        return self.mean(lambda part: Estimate(*part["delta"][k].tolist()))

    def delta_without(self, prior: BufferConfig | None) -> Estimate:
        """delta over pairs of observables without those of the second lepton."""
        k = self.priors.index(prior)
        return self.mean(lambda part: Estimate(*part["delta_without"][k].tolist()))

    def negative(self, prior: BufferConfig | None) -> Estimate:
        """Share of events whose second lepton has negative energy."""
        k, n = self.priors.index(prior), self.study.events
        return self.mean(lambda part: _ratio(part["negative"][k], n))

    def delta_of(self, prior: BufferConfig | None, name: str) -> Estimate:
        """delta_OF of the same, for one of ``DIRECTIONS``."""
        k, way = self.priors.index(prior), list(DIRECTIONS).index(name)
        return self.mean(lambda part: Estimate(*part["delta_of"][k, way].tolist()))

    def dropped(self, prior: BufferConfig | None) -> float:
        """Share of entries outside of the truth's ranges, of the first training."""
        return float(self.parts[0]["dropped"][self.priors.index(prior)])

    def empty(self, prior: BufferConfig | None, name: str) -> Array:
        """Shares of empty bins with ``held_out`` events of the first training, ``(201,)``."""
        k, way = self.priors.index(prior), list(DIRECTIONS).index(name)
        curve: Array = self.parts[0]["empty"][k, way]
        return curve

    def empty_training(self, name: str) -> Array:
        """Shares of empty bins of the training events, however often they are copied."""
        curve: Array = self.parts[0]["empty_training"][list(DIRECTIONS).index(name)]
        return curve

    @property
    def azimuths(self) -> Counts:
        """Maps ``(3, 1000, 1000)`` of the training events, of as many as the truth has, and of the
        long run, of the first training."""
        maps: Counts = self.parts[0]["azimuths"]
        return maps

    def marginal(
        self, observable: str, truth: Truth, prior: BufferConfig | None = None, training: int = 0
    ) -> Marginal:
        """One of ``OBSERVABLES``, of the study's own reading or of another of ``readings``."""
        row, reading = OBSERVABLES.index(observable), self.readings.index(prior or self.own)
        made = self.parts[training]["marginals"][reading, row]
        return Marginal(released().edges(row, FINE_BINS), truth.marginals[row], made)

    def tail(self, observable: str, truth: Truth, prior: BufferConfig | None = None) -> Estimate:
        """``Marginal.tail`` of the same."""
        every = range(len(self.parts))
        return over_trainings([self.marginal(observable, truth, prior, k).tail() for k in every])

    def granularity(self, prior: BufferConfig | None) -> Estimate:
        """``granularity`` of the generated events."""
        k = self.priors.index(prior)
        return self.mean(lambda part: granularity(part["azimuth"][k]))

    def beside_pi(self, truth: Truth, span: tuple[float, float]) -> Estimate:
        """Generated over true events whose first jet lies in a ``span`` of distances from azimuth
        pi, as ``EDGE`` or ``BAND``."""
        true = _beside_pi(truth.azimuths.sum(1), span)
        return self.mean(lambda part: _ratio(_beside_pi(part["azimuths"][1].sum(1), span), true))

    def at_the_corners(self, truth: Truth) -> Estimate:
        """Generated over true events about (pi, 0) and (0, pi): one jet in the ``BAND`` beside
        azimuth pi, the other within ``CORNER`` of zero."""
        true = _corners(truth.azimuths)
        return self.mean(lambda part: _ratio(_corners(part["azimuths"][1]), true))

    @property
    def rate(self) -> Estimate:
        """Events generated in a second of processor time, one thread's, with the error over
        batches: what the clock would show on a core that nobody shares."""
        return self._rate(1)

    @property
    def clock_rate(self) -> Estimate:
        """Events generated in a second by the clock, with what others took of the core."""
        return self._rate(0)

    def _rate(self, column: int) -> Estimate:
        seconds = np.concatenate([part["seconds"][:, column] for part in self.parts])
        rate = len(self.parts) * self.study.long_run / seconds.sum()
        error = np.std(seconds, ddof=1) / np.sqrt(len(seconds)) if len(seconds) > 1 else np.nan
        return Estimate(float(rate), float(rate * error / seconds.mean()))

    def mean(self, measure: Callable[[Arrays], Estimate]) -> Estimate:
        """What is measured of each training, over them."""
        return over_trainings([measure(part) for part in self.parts])


@dataclass(frozen=True, eq=False)
class ReadEvents:
    """Events of all stored trainings of the chosen model, in every reading of the paper.

    Numbers are means over trainings, as of ``ChosenEvents``; of what the events are worth, and of
    what is dropped, the first training's.

    Args:
        study: how they were made.
        parts: by reading and training.
    """

    study: TopReadings
    parts: dict[BufferConfig, dict[int, Arrays]]

    @classmethod
    def of(cls, result: Result) -> ReadEvents:
        """Of a ``TopReadings``; without those readings that are not there yet."""
        assert isinstance(result.study, TopReadings), result.study.name
        parts: dict[BufferConfig, dict[int, Arrays]] = {}
        for (reading, training), arrays in result.load().items():
            parts.setdefault(result.study.readings()[reading], {})[training] = arrays
        return cls(result.study, parts)

    def delta(self, reading: BufferConfig, name: str = "delta") -> Estimate:
        """delta, ``delta_inside`` or ``delta_without``."""
        return self._mean(reading, lambda part: Estimate(*part[name].tolist()))

    def delta_of(self, reading: BufferConfig, name: str) -> Estimate:
        """delta_OF for one of ``DIRECTIONS``."""
        way = list(DIRECTIONS).index(name)
        return self._mean(reading, lambda part: Estimate(*part["delta_of"][way].tolist()))

    def dropped(self, reading: BufferConfig) -> float:
        """Share of entries outside of the truth's ranges."""
        return float(self._first(reading)["dropped"])

    def growth(self, offset: str, negative: str, name: str = "delta") -> tuple[Estimate, Estimate]:
        """delta, or another of ``delta``'s names, and delta_OF (eta) over what they are with
        gamma = 0, of the same network each."""
        own = self.parts[BufferConfig(gamma=self.study.gamma, offset=offset, negative=negative)]
        none = self.parts[BufferConfig(negative=negative)]

        def grown(merit: Callable[[Arrays], Array]) -> Estimate:
            pairs = [(merit(own[k]), merit(none[k])) for k in sorted(own.keys() & none.keys())]
            return over_trainings([Estimate(*a).over(Estimate(*b)) for a, b in pairs])

        eta = list(DIRECTIONS).index("eta")
        return grown(lambda part: part[name]), grown(lambda part: part["delta_of"][eta])

    def worth(self, reading: BufferConfig) -> dict[int, Estimate | AtLeast]:
        """N_equiv by the number of cells."""
        return worth_in_cells(self._first(reading))

    def nearest(self, delta: float) -> tuple[BufferConfig, str, Estimate]:
        """The reading with this study's gamma, and whether shares are of all (``delta``) or of
        what is inside (``delta_inside``), whose delta is nearest to this one, in its logarithm."""
        found = [
            (reading, name, self.delta(reading, name))
            for reading in self.parts
            if reading.gamma == self.study.gamma
            for name in ("delta", "delta_inside")
        ]
        return min(found, key=lambda one: abs(np.log(one[2].value / delta)))

    def _mean(self, reading: BufferConfig, measure: Callable[[Arrays], Estimate]) -> Estimate:
        return over_trainings([measure(part) for part in self.parts[reading].values()])

    def _first(self, reading: BufferConfig) -> Arrays:
        """Its first training."""
        return self.parts[reading][min(self.parts[reading])]


def over_trainings(values: Sequence[Estimate]) -> Estimate:
    """Of positive values: their mean with Student's interval, in its logarithm; one as it is, and
    zeros as zero.

    Raises:
        NothingToJudge: of no training.
    """
    if not values:
        raise NothingToJudge("no training has what is compared")
    if len(values) == 1 or not any(v.value for v in values):
        return values[0]
    return positive_mean([v.value for v in values])


def granularity(azimuth: Counts) -> Estimate:
    r"""Amplitude a of a density :math:`1 + a \cos(36 \phi - \phi_0)`, the period of hadronic cells.

    Args:
        azimuth: counts in even bins from -pi to pi.

    Returns:
        :math:`2 |\langle e^{36 i \phi} \rangle|` with its error, :math:`\sqrt{2 / n}`; of uniform
        azimuths it is about 1.8 / sqrt(n).
    """
    n = azimuth.sum()
    mean = np.exp(1j * HADRONIC_CELLS * _centres(len(azimuth))) @ azimuth / n
    return Estimate(float(2 * abs(mean)), float(np.sqrt(2 / n)))


def _inside(bins: int, span: tuple[float, float]) -> NDArray[np.bool_]:
    distance = np.pi - np.abs(_centres(bins))
    return (span[0] <= distance) & (distance < span[1])


def _beside_pi(azimuth: Counts, span: tuple[float, float]) -> int:
    return int(azimuth[_inside(len(azimuth), span)].sum())


def _corners(azimuths: Counts) -> int:
    at_zero = np.abs(_centres(len(azimuths))) < CORNER
    at_pi = _inside(len(azimuths), BAND)
    return int(azimuths[at_zero][:, at_pi].sum() + azimuths[at_pi][:, at_zero].sum())


def _centres(bins: int) -> Array:
    low, high = PHI_RANGE
    return low + (np.arange(bins) + 0.5) * (high - low) / bins


def _ratio(over: float, under: float) -> Estimate:
    """Of two counts, with the error of both; that of a count of none is one."""
    if not under:
        return Estimate(np.nan, np.nan)
    value = float(over / under)
    error = float(np.hypot(max(over, 1) ** 0.5, value * under**0.5) / under)
    return Estimate(value, error)
