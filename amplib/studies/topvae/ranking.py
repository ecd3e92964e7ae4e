"""The stored scan that the B-VAE was chosen from: its models in order, beside the paper's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amplib.estimate import Estimate, geometric_mean, relative
from amplib.metrics.ranks import over
from amplib.store.results import Result
from amplib.store.study import Arrays, Part
from amplib.studies.bvae.study import SETTINGS, Scan, trained_several_times
from amplib.studies.event_paper import TABLE_I, TABLE_II
from amplib.studies.merit.judge import DIRECTIONS
from amplib.studies.topvae.reading import over_trainings

Array = NDArray[np.float64]


class Spread(NamedTuple):
    """Standard deviation over trainings as a share of the mean, and how many of one network would
    tell it as well."""

    share: float
    trainings: int


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
        """delta_OF (eta) of ours over the paper's, where codes are not those of the encodings."""
        return np.concatenate([self.telling, self.little])


def off(ratios: Array) -> float:
    """The factor by which these ratios are off one: root mean square, in the logarithm."""
    return float(np.exp(np.sqrt(np.mean(np.log(ratios) ** 2))))


def beside_the_paper(ordered: Sequence[Candidate]) -> BesideThePaper:
    """All of a scan beside Tables I and II."""
    ours = {c.key: c for c in ordered}
    published = TABLE_I | TABLE_II
    crowding = {key: ours[key].delta_of["eta"].value for key in published}

    def ratios(alphas: Sequence[float], gamma: float) -> NDArray[np.float64]:
        keys = [key for key in published if key[2] in alphas and key[3] == gamma]
        return np.array([crowding[key] / published[key][1] for key in keys])

    power, their_power = (
        np.array([np.log(of[key] / of[*key[:2], 1, 0]) / np.log(key[2])
                  for key in TABLE_II if key[2] > 1 and (*key[:2], 1, 0) in TABLE_II])
        for of in (crowding, {key: theirs for key, (_, theirs) in published.items()})
    )  # fmt: skip
    deltas = {key: ours[key].delta.value for key in published}
    growth, their_growth = (
        np.array([of[key] / of[*key[:2], 1, 0] for key in TABLE_I
                  if (*key[:2], 1, 0) in TABLE_II])
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
