"""Stored events of the chosen B-VAE beside the truth's, and the scan that it was chosen from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amplib.estimate import AtLeast, Estimate, NothingToJudge, geometric_mean, relative
from amplib.metrics.merit import PHI_RANGE, delta, ideal_delta
from amplib.metrics.ranks import over
from amplib.models.config import BufferConfig
from amplib.store.results import Result
from amplib.store.study import Arrays, Part
from amplib.studies.bvae.reading import positive
from amplib.studies.bvae.study import SETTINGS, Scan, trained_several_times
from amplib.studies.collisions.reading import HADRONIC_CELLS
from amplib.studies.merit.judge import DIRECTIONS, Reference
from amplib.studies.merit.reading import stored_reference
from amplib.studies.merit.worth import worth_in_cells
from amplib.studies.topvae.published import PAPER_ALPHA, PAPER_GAMMA
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
        """The same over pairs of observables without those of the second lepton."""
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
        """The same of the training events, however often they are copied."""
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
        """The same about (pi, 0) and (0, pi): one jet in the ``BAND`` beside azimuth pi, the other
        within ``CORNER`` of zero."""
        true = _corners(truth.azimuths)
        return self.mean(lambda part: _ratio(_corners(part["azimuths"][1]), true))

    @property
    def rate(self) -> Estimate:
        """Events generated in a second of processor time, one thread's, with the error over
        batches: what the clock would show on a core that nobody shares."""
        return self._rate(1)

    @property
    def clock_rate(self) -> Estimate:
        """The same by the clock, with what others took of the core."""
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


class Spread(NamedTuple):
    """Standard deviation over trainings as a share of the mean, and how many of one network would
    tell it as well."""

    share: float
    trainings: int


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
    return positive([v.value for v in values])


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


@dataclass(frozen=True)
class Candidate:
    """A model of the scan at one way to draw from its buffer.

    Args:
        latent, kl_weight: dim z and B.
        alpha, gamma: smudge factor and offset.
        delta, delta_of: its figures of merit.
        deltas: of each of its trainings.
        settings: how much a ratio of two of these differs from training to training, if known.
    """

    latent: int
    kl_weight: float
    alpha: float
    gamma: float
    delta: Estimate
    delta_of: dict[str, Estimate]
    deltas: tuple[float, ...] = ()
    settings: Spread | None = None

    @property
    def key(self) -> tuple[int, float, float, float]:
        """By which the paper's tables have it."""
        return self.latent, self.kl_weight, self.alpha, self.gamma

    @property
    def network(self) -> tuple[int, float]:
        """What is trained, however codes are drawn from it."""
        return self.latent, self.kl_weight

    def __str__(self) -> str:
        return f"({self.latent}, {self.kl_weight:g}, {self.alpha:g}, {self.gamma:g})"


def trainings(result: Result) -> dict[tuple[int, int], list[Arrays]]:
    """Those of a ``Scan``, and those that its store has further of the chosen model and of its
    neighbours, by the place of their network in the grid; without those that have diverged."""
    found: dict[tuple[int, int], list[Arrays]] = {}
    for (i, j, _), arrays in sorted(_stored(result).items()):
        if arrays["diverged"] < 0:
            found.setdefault((i, j), []).append(arrays)
    return found


def _stored(result: Result) -> dict[Part, Arrays]:
    scan = result.study
    assert isinstance(scan, Scan), scan.name
    further = Result(trained_several_times(scan), result.preset, folder=result.folder)
    return result.load() | (further.load() if further.done() else {})


def spreads(trained: Mapping[tuple[int, int], Sequence[Arrays]]) -> dict[str, Spread]:
    """How much trainings of one network differ in ``delta`` and in the delta_OF of each of
    ``DIRECTIONS``, and as ``settings`` in the ratio of the deltas of two settings, both being of
    one training: root mean squares over settings and those networks that have several trainings.
    Nothing if none has."""
    several = [parts for parts in trained.values() if len(parts) > 1]
    if not several:
        return {}
    known = [len(parts) - 1 for parts in several]
    found = [_variances(parts) for parts in several]
    pooled = {k: np.average([one[k] for one in found], weights=known) for k in found[0]}
    return {k: Spread(float(v**0.5), 1 + sum(known)) for k, v in pooled.items()}


def spreads_of(result: Result) -> dict[str, Spread]:
    """``spreads`` of the trainings of a ``Scan``; nothing if none is stored."""
    return spreads(trainings(result)) if result.done() else {}


def _variances(parts: Sequence[Arrays]) -> dict[str, float]:
    """Over the trainings of one network, relative to the square of the mean."""
    measured = {"delta": np.array([p["delta"][:, 0] for p in parts])} | {
        name: np.array([p["delta_of"][:, way, 0] for p in parts])
        for way, name in enumerate(DIRECTIONS)
    }
    found = {k: float(np.mean((v.std(0, ddof=1) / v.mean(0)) ** 2)) for k, v in measured.items()}
    logs = np.log(measured["delta"]).T
    ratios = [(a - b).var(ddof=1) for a, b in combinations(logs, 2)]
    return found | {"settings": float(np.mean(ratios))}


def candidates(
    result: Result, borrowed: Mapping[str, Spread] = MappingProxyType({})
) -> list[Candidate]:
    """Every model of a ``Scan`` at every setting, least delta first; diverged ones are left out.

    Errors are over trainings where there are several.  Of a single one they are the ``spreads`` of
    those networks that have several, taken to be the others' as well; if none has, those that are
    ``borrowed`` of another scale, and else those of the generated events alone.

    Raises:
        FileNotFoundError: models are missing, with the command that trains them.
    """
    scan = result.study
    assert isinstance(scan, Scan), scan.name
    if missing := result.missing():
        raise FileNotFoundError(f"{len(missing)} models missing: {scan.command(result.preset)}")
    trained = trainings(result)
    apart, found = spreads(trained) or borrowed, []
    for (i, j), parts in trained.items():
        member = scan.member((i, j, 0))
        for k, setting in enumerate(SETTINGS):
            key = setting["alpha"], setting["gamma"]
            values = {"delta": [p["delta"][k] for p in parts]} | {
                name: [p["delta_of"][k, way] for p in parts] for way, name in enumerate(DIRECTIONS)
            }
            merits = {name: _merit(v, apart.get(name)) for name, v in values.items()}
            delta = merits.pop("delta")
            deltas = tuple(float(value) for value, _ in values["delta"])
            network = member.latent, member.kl_weight
            found.append(Candidate(*network, *key, delta, merits, deltas, apart.get("settings")))
    return sorted(found, key=lambda candidate: candidate.delta.value)


class Growth(NamedTuple):
    """What an offset makes of a network with alpha = 1, over what it is without one.

    Args:
        delta: of each of its trainings.
        crowding: delta_OF (eta), of the means over trainings.
    """

    delta: Array
    crowding: float

    @property
    def trades(self) -> bool:
        """Whether delta rises as delta_OF falls, as the paper has it; by the values."""
        return bool(self.delta.mean() > 1 > self.crowding)


def grown(ordered: Sequence[Candidate], gamma: float) -> dict[tuple[int, float], Growth]:
    """How both figures of merit change from gamma = 0 to this one, by (dim z, B)."""
    found = {c.key: c for c in ordered}
    return {
        network: Growth(
            np.divide(found[*network, 1, gamma].deltas, found[*network, 1, 0].deltas),
            found[*network, 1, gamma].delta_of["eta"].value
            / found[*network, 1, 0].delta_of["eta"].value,
        )
        for network in sorted({c.network for c in ordered})
    }


class BesideThePaper(NamedTuple):
    """A scan beside the paper's tables, in the settings that these have.

    Args:
        delta: ours over the paper's, all of them.
        bare: delta_OF (eta) of ours over the paper's, where codes are those of the training events.
        smudged: where alpha is larger.
        little, more: where gamma is 0.01, and where it is 0.05.
        power, their_power: of alpha, to which delta_OF falls from where it is 1, by settings.
        growth, their_growth: of delta from gamma = 0, by settings of Table I of which Table II has
            the network.
    """

    delta: Array
    bare: Array
    smudged: Array
    little: Array
    more: Array
    power: Array
    their_power: Array
    growth: Array
    their_growth: Array

    @property
    def telling(self) -> Array:
        """delta_OF (eta) of ours over the paper's, where readings differ: gamma of 0.01 is small in
        all of them."""
        return np.concatenate([self.more, self.smudged])

    @property
    def moved(self) -> Array:
        """The same wherever codes are moved away from the encodings."""
        return np.concatenate([self.telling, self.little])


def off(ratios: Array) -> float:
    """The factor by which these ratios are off one: root mean square, in the logarithm."""
    return float(np.exp(np.sqrt(np.mean(np.log(ratios) ** 2))))


def beside_the_paper(ordered: Sequence[Candidate]) -> BesideThePaper:
    """All of a scan beside Tables I and II."""
    ours = {c.key: c for c in ordered}
    published = PAPER_GAMMA | PAPER_ALPHA
    crowding = {key: ours[key].delta_of["eta"].value for key in published}

    def ratios(alphas: Sequence[float], gamma: float) -> NDArray[np.float64]:
        keys = [key for key in published if key[2] in alphas and key[3] == gamma]
        return np.array([crowding[key] / published[key][1] for key in keys])

    power, their_power = (
        np.array([np.log(of[key] / of[*key[:2], 1, 0]) / np.log(key[2])
                  for key in PAPER_ALPHA if key[2] > 1 and (*key[:2], 1, 0) in PAPER_ALPHA])
        for of in (crowding, {key: theirs for key, (_, theirs) in published.items()})
    )  # fmt: skip
    deltas = {key: ours[key].delta.value for key in published}
    growth, their_growth = (
        np.array([of[key] / of[*key[:2], 1, 0] for key in PAPER_GAMMA
                  if (*key[:2], 1, 0) in PAPER_ALPHA])
        for of in (deltas, {key: theirs for key, (theirs, _) in published.items()})
    )  # fmt: skip
    return BesideThePaper(
        np.array([deltas[key] / theirs for key, (theirs, _) in published.items()]),
        ratios((1,), 0),
        ratios((5, 10), 0),
        ratios((1,), 0.01),
        ratios((1,), 0.05),
        power,
        their_power,
        growth,
        their_growth,
    )


def lost(result: Result) -> list[str]:
    """The trainings of a ``Scan`` that have diverged and are in no table, as (dim z, B)."""
    scan = result.study
    assert isinstance(scan, Scan), scan.name
    members = [scan.member(p) for p, a in _stored(result).items() if a["diverged"] >= 0]
    return [f"({m.latent}, {m.kl_weight:g})" for m in members]


def _merit(values: Sequence[Array], spread: Spread | None) -> Estimate:
    """Of the trainings' ``(value, error)``; see ``candidates``."""
    estimates = [Estimate(*v.tolist()) for v in values]
    if len(estimates) > 1 or spread is None:
        return over_trainings(estimates)
    value = estimates[0].value
    return relative(value, spread.share * value, spread.trainings)


def compared(first: Candidate, second: Candidate) -> Estimate:
    """Ratio of their deltas, with its interval in the logarithm.

    Two settings of one network share its training, and what a training has better or worse than
    another cancels in their ratio: it is taken training by training.  Of a single one its spread is
    that of the ratios of networks that have several, if there are any, else that of the events.
    """
    if first.network == second.network and first is not second:
        if len(first.deltas) > 1:
            return geometric_mean(np.divide(first.deltas, second.deltas))
        if first.settings is not None:
            value = first.delta.value / second.delta.value
            return relative(value, first.settings.share * value, first.settings.trainings)
    return over(first.delta, second.delta)
