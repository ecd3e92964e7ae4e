"""Every study of the book by its name."""

from __future__ import annotations

from amplib.parameters import ParameterError
from amplib.store.results import Result
from amplib.store.study import PRESETS, Study
from amplib.studies.camel.escape import READINGS, reading
from amplib.studies.camel.study import CamelEnsemble, CamelFit, CamelGAN, CamelSmoothing
from amplib.studies.collisions.study import (
    TopPairReference,
    TopPairs,
    TopPairSummary,
    TwoBody,
    TwoBodySummary,
    ZLeptons,
    ZSummary,
)
from amplib.studies.showers.study import Showers, ShowerSummary

_ALL: tuple[type[Study], ...] = (
    *(CamelFit, CamelGAN, CamelEnsemble, CamelSmoothing),
    *(Showers, ShowerSummary),
    *(TwoBody, ZLeptons, TopPairs, TwoBodySummary, ZSummary, TopPairSummary),
    TopPairReference,
)
STUDIES: dict[str, type[Study]] = {study.name: study for study in _ALL}


def make_study(name: str, preset: str, **overrides: object) -> Study:
    """The study of this name at a preset, with single parameters changed.

    Raises:
        ParameterError: in one line, for an unknown name or a value out of range.
    """
    if name not in STUDIES:
        raise ParameterError(f"unknown study {name!r}; allowed: {', '.join(STUDIES)}")
    if preset not in PRESETS:
        raise ParameterError(f"preset = {preset!r}: allowed are {', '.join(PRESETS)}")
    return STUDIES[name].with_overrides(STUDIES[name].presets[preset], overrides)


def results_of(preset: str) -> dict[str, Result]:
    """Every result of the book at a preset, by its title."""
    results = {name: Result(make_study(name, preset), preset) for name in STUDIES}
    if preset == "paper":
        results |= {f"gan, {name}": Result(reading(name), preset) for name in READINGS}
    return results


def wanted(preset: str, study: str | None = None) -> dict[str, Result]:
    """What ``make paper`` is to complete; events by the million are made where they are needed.

    Args:
        preset: ``smoke``, ``laptop`` or ``paper``.
        study: only of this study.

    Raises:
        ParameterError: for an unknown study.
    """
    results = {title: r for title, r in results_of(preset).items() if not r.study.bulk}
    if study is None:
        return results
    if study not in results:
        raise ParameterError(f"study = {study!r}: allowed are {', '.join(results)}")
    return {title: r for title, r in results.items() if r.study.name == study}
