"""Every study of the book by its name."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from amplib import studies
from amplib.parameters import ParameterError
from amplib.store.results import Result
from amplib.store.study import PRESETS, Study
from amplib.studies.claim import CLAIMS, Measured


def _modules(name: str = "study") -> Iterator[ModuleType]:
    """``study.py`` of every folder of studies: adding a study is adding a folder."""
    for folder in pkgutil.iter_modules(studies.__path__):
        module = f"amplib.studies.{folder.name}.{name}"
        if folder.ispkg and find_spec(module):
            yield import_module(module)


def _studies(module: ModuleType) -> Iterator[type[Study]]:
    """The studies that a module defines, in its order: classes with a name of their own."""
    for kind in vars(module).values():
        own = isinstance(kind, type) and kind.__module__ == module.__name__
        if own and issubclass(kind, Study) and "name" in vars(kind):
            yield kind


STUDIES: dict[str, type[Study]] = {
    study.name: study for module in _modules() for study in _studies(module)
}


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
    for module in _modules():
        if hasattr(module, "variants"):
            further: dict[str, Study] = module.variants(preset)
            results |= {title: Result(study, preset) for title, study in further.items()}
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
    names = [name for name, kind in STUDIES.items() if not kind.bulk]
    if study not in names:
        raise ParameterError(f"study = {study!r}: allowed are {', '.join(names)}")
    return {title: r for title, r in results.items() if r.study.name == study}


def claims() -> dict[str, Measured]:
    """How each claim is measured, by ``<document>.<claim>``."""
    for _ in _modules("claims"):  # importing them registers theirs
        pass
    return CLAIMS


def claim_rules() -> Iterator[str]:
    """The rules that studies add to those of all claims."""
    for module in _modules("claims"):
        yield from getattr(module, "RULES", ())
