"""The chosen B-VAE as its paper's code trains it, or its text taken at its word, beside ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from amplib.estimate import Estimate, geometric_mean
from amplib.store.results import Result
from amplib.store.study import Arrays
from amplib.studies.bvae.study import SETTINGS, Scan, trained_otherwise, trained_several_times
from amplib.studies.topvae.reading import over_trainings

SETTING = SETTINGS.index({"alpha": 1.0, "gamma": 0.05})
"""That the paper considers best."""


@dataclass(frozen=True)
class Otherwise:
    """The chosen model trained in one reading, beside the trainings of the same seeds as the book
    has them, at the setting that the paper chooses.

    Args:
        title: of the reading.
        trainings: how many there are, and how many of them have ``diverged``.
        delta, delta_of: means over the others, delta_OF of eta; None if there is none.
        ratio: of delta to that of the same seed, geometric mean; None if no seed has both.
    """

    title: str
    trainings: int
    diverged: int
    delta: Estimate | None
    delta_of: Estimate | None
    ratio: Estimate | None


def last_phase(scan: Scan) -> tuple[int, float]:
    """Steps of the last phase of a training, and their rate."""
    steps = scan.sgd_epochs * (scan.training_events // scan.batch_size)
    phases = scan.adam_phases + scan.sgd_phases
    return steps, scan.learning_rate * scan.rate_factor ** (phases - 1)


def ends_of_descent(result: Result) -> list[float]:
    """Losses of the validation events (eq. 13) at the end of each phase of SGD, in the first
    training of the paper's choice: those of the last epoch of the phase that is recorded.

    Raises:
        FileNotFoundError: it is not stored.
    """
    trained = _chosen(result)
    if not trained:
        raise FileNotFoundError(f"no result yet: {result.study.command(result.preset)}")
    scan = result.study
    assert isinstance(scan, Scan), scan.name
    losses = trained[min(trained)]["losses"]
    last = {scan.phase(int(epoch))[0]: float(loss) for epoch, *_, loss in losses}
    return [loss for phase, loss in sorted(last.items()) if phase >= scan.adam_phases]


def trained_in_other_readings(preset: str) -> list[Otherwise]:
    """As the book trains it first, then every stored reading of ``trained_otherwise``."""
    scan = Scan.with_overrides(Scan.presets[preset], {})
    usual = _chosen(Result(trained_several_times(scan), preset))
    found = [_otherwise("as here", usual, {})]
    for title, study in trained_otherwise(scan).items():
        if parts := _chosen(Result(study, preset)):
            found.append(_otherwise(title, parts, usual))
    return found


def _chosen(result: Result) -> dict[int, Arrays]:
    """Trainings of the paper's choice by their number."""
    scan = result.study
    assert isinstance(scan, Scan), scan.name
    stored = result.load() if result.done() else {}
    return {part[2]: arrays for part, arrays in stored.items() if scan.keeps_weights(part)}


def _otherwise(title: str, parts: Mapping[int, Arrays], usual: Mapping[int, Arrays]) -> Otherwise:
    good = {k: arrays for k, arrays in parts.items() if arrays["diverged"] < 0}
    of = [(a["delta"][SETTING], a["delta_of"][SETTING, 0]) for a in good.values()]
    delta, crowding = zip(*of, strict=True) if of else ((), ())
    ratios = [
        arrays["delta"][SETTING, 0] / usual[k]["delta"][SETTING, 0]
        for k, arrays in good.items()
        if k in usual and usual[k]["diverged"] < 0
    ]
    return Otherwise(
        title,
        len(parts),
        len(parts) - len(good),
        over_trainings([Estimate(*d.tolist()) for d in delta]) if delta else None,
        over_trainings([Estimate(*c.tolist()) for c in crowding]) if crowding else None,
        geometric_mean(ratios) if ratios else None,
    )
