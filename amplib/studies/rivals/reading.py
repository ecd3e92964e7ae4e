"""Stored rivals: how far each is from the truth, and how its losses went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from amplib.estimate import AtLeast, Estimate, positive_mean
from amplib.metrics.worth import CellContents
from amplib.store.results import Result
from amplib.store.study import Arrays
from amplib.studies.bvae.study import Scan
from amplib.studies.event_paper import TABLE_III, TABLE_IV, TABLE_V
from amplib.studies.merit.judge import DIRECTIONS
from amplib.studies.merit.reading import kept_curves
from amplib.studies.merit.worth import worth_in_cells
from amplib.studies.rivals.study import EventDensities, EventGANs, EventRivals

Array = NDArray[np.float64]

Worths = Mapping[int, Estimate | AtLeast]
"""N_equiv by the number of cells."""

PAPER = TABLE_IV | TABLE_V
"""Tables IV and V: delta and delta_OF."""
COLLAPSED = TABLE_III["S-VAE, B = 1"][1]
"""delta_OF of the staged VAE at B = 1, whose loss is the KL divergence alone: its
decoder learns nothing."""


@dataclass(frozen=True)
class Rival:
    """All trainings of one method.

    Args:
        method: its name.
        trainings: how many there are, and how many of these have ``diverged`` and are left out.
        delta, delta_of: means over the others, delta_OF for each of ``DIRECTIONS``; of a single one
            its own, with the error over its generated events.  None if there is none.
        dropped: mean share of entries beyond the truth's ranges.
        each: delta and delta_OF (eta) of every training that has not diverged, if there are more
            than one.
        worth: N_equiv of every training that has not diverged, by the number of cells; nothing
            where no cells were cut.
    """

    method: str
    trainings: int
    diverged: int
    delta: Estimate | None
    delta_of: dict[str, Estimate]
    dropped: float
    each: list[tuple[float, float]] = field(default_factory=list)
    worth: Sequence[Worths] = field(default_factory=list)

    @property
    def left(self) -> int:
        """Trainings that have not diverged."""
        return self.trainings - self.diverged


class Valued(NamedTuple):
    """What a generator's events are worth.

    Args:
        method: its name.
        training_events: that it was trained on.
        held_out: events that the cells were cut from, at most.
        worth: N_equiv of each training.
    """

    method: str
    training_events: int
    held_out: int
    worth: Sequence[Worths]

    def against_its_training(self, q: int) -> str:
        """Whether every training is worth ``more``, or ``less``, than its training events in q
        cells, by the 95% interval; else ``undecided``."""
        found = {_beside(one[q], self.training_events) for one in self.worth}
        return found.pop() if len(found) == 1 else "undecided"


def _beside(n: Estimate | AtLeast, events: int) -> str:
    low, high = (n.low, np.inf) if isinstance(n, AtLeast) else n.interval()[1:]
    if high < events:
        return "less"
    return "more" if low > events else "undecided"


def largest_bound(q: int, events: int, held_out: int) -> float:
    """The largest lower bound of N_equiv that so many generated events can have in ``q`` cells cut
    from so many ``held_out`` ones: that of events that lie as evenly as chance allows."""
    even = np.full(q, events / q)
    bound = CellContents(even, even, held_out).n_equiv()
    assert isinstance(bound, AtLeast)
    return bound.low


def valued(result: Result) -> list[Valued]:
    """Of each method of an ``EventRivals`` that has events to count, in cells of held-out ones."""
    study = cast(EventRivals, result.study)
    return [
        Valued(method, study.training_events, study.held_out_events, rival.worth)
        for method, rival in (rivals(result) if result.done() else {}).items()
        if rival.worth
    ]


def rivals(result: Result) -> dict[str, Rival]:
    """Of each method of an ``EventRivals`` that is stored."""
    study = cast(EventRivals, result.study)
    stored = result.load()
    found = {}
    for number, method in enumerate(study.methods):
        parts = [arrays for part, arrays in stored.items() if part[0] == number]
        if parts:
            found[method] = _rival(method, parts)
    return found


def rival_curves(result: Result) -> dict[str, dict[str, Array]]:
    """``kept_curves`` of an ``EventRivals``, of the first of each method's trainings."""
    study = cast(EventRivals, result.study)
    found: dict[str, dict[str, Array]] = {}
    for (method, _), curves in sorted(kept_curves(result).items()):
        found.setdefault(study.methods[method], curves)
    return found


def _rival(method: str, parts: list[Arrays]) -> Rival:
    good = [arrays for arrays in parts if arrays["diverged"] < 0]
    if not good:
        return Rival(method, len(parts), len(parts), None, {}, np.nan)
    crowding = {name: _mean([a["delta_of"][k] for a in good]) for k, name in enumerate(DIRECTIONS)}
    delta = _mean([a["delta"] for a in good])
    dropped = float(np.mean([a["dropped"] for a in good]))
    each = [(float(a["delta"][0]), float(a["delta_of"][0, 0])) for a in good if len(good) > 1]
    worth = [worth_in_cells(a) for a in good if "cut_from" in a]
    return Rival(method, len(parts), len(parts) - len(good), delta, crowding, dropped, each, worth)


def _mean(estimates: list[Array]) -> Estimate:
    if len(estimates) == 1:
        return Estimate(*estimates[0].tolist())
    return positive_mean([value for value, _ in estimates])


def over_trainings(estimate: Estimate) -> Estimate:
    """An estimate to be judged as one of all trainings: a single one may be anything."""
    if estimate.repetitions is not None:
        return estimate
    return positive_mean([estimate.value])


@dataclass(frozen=True, eq=False)
class Losses:
    """One training's losses by step.

    Args:
        step: of the generator, or of the optimiser.
        last: the losses of that very step, by name.
        since: their means over all steps since the record before.
    """

    step: Array
    last: dict[str, Array]
    since: dict[str, Array]

    def moving_average(self, name: str, records: int) -> tuple[Array, Array]:
        """Means over so many records, or all if there are fewer, at the mean of their steps."""
        n = min(records, len(self.step))
        weights = np.full(n, 1 / n)
        step, mean = (np.convolve(v, weights, "valid") for v in (self.step, self.since[name]))
        return step, mean

    def window(self, records: int) -> int:
        """Steps that one point of the moving average is taken over."""
        n = min(records, len(self.step))
        return int(self.step[n - 1])

    @property
    def halted(self) -> int | None:
        """The step after which every loss is zero to the end, as that of a critic to which all
        events are alike: nothing moves any more.  None if there is none."""
        moving = np.flatnonzero(np.any([self.since[name] != 0 for name in self.since], axis=0))
        last = moving[-1] if len(moving) else 0
        return None if last == len(self.step) - 1 else int(self.step[last])


def gan_losses(result: Result) -> dict[str, Losses]:
    """Of the first training of each GAN that is stored."""
    return {method: found[0] for method, found in all_losses(result).items() if 0 in found}


def all_losses(result: Result) -> dict[str, dict[int, Losses]]:
    """Of each stored training of each GAN, by its number."""
    study = cast(EventGANs, result.study)
    found: dict[str, dict[int, Losses]] = {}
    for (method, training), arrays in result.load().items():
        step, *rest = arrays["losses"].astype(float).T
        last, since = (
            dict(zip(("critic", "generator"), rest[k : k + 2], strict=True)) for k in (0, 2)
        )
        found.setdefault(study.methods[method], {})[training] = Losses(step, last, since)
    return found


def vae_losses(result: Result) -> Losses:
    """Of the paper's choice among the models of a ``Scan``: eq. 13 of training and of validation
    events.

    Raises:
        FileNotFoundError: it is not stored.
    """
    scan = cast(Scan, result.study)
    chosen = next(part for part in scan.parts() if scan.keeps_weights(part))
    arrays = result.part(chosen)
    if arrays is None:
        raise FileNotFoundError(f"no result yet: {scan.command(result.preset)}")
    epoch, mse, divergence, validation = arrays["losses"].astype(float).T
    b = scan.member(chosen).kl_weight
    losses = {"training": (1 - b) * mse + b * divergence, "validation": validation}
    return Losses(epoch * (scan.training_events // scan.batch_size), losses, losses)


def scan_crowding(result: Result) -> list[Estimate]:
    """delta_OF (eta) of every model of a ``Scan`` at each of its settings, but for those that have
    diverged."""
    return [
        Estimate(*row)
        for arrays in result.load().values()
        if arrays["diverged"] < 0
        for row in arrays["delta_of"][:, 0].tolist()
    ]


def fits(result: Result) -> dict[str, tuple[float, float]]:
    """Of each of an ``EventDensities``, its first: a KDE's bandwidth and whether that is at an edge
    of those searched; a mixture's mean log likelihood and steps."""
    study = cast(EventDensities, result.study)
    return {
        study.methods[part[0]]: (float(arrays["fit"][0]), float(arrays["fit"][1]))
        for part, arrays in result.load().items()
        if part[1] == 0
    }
