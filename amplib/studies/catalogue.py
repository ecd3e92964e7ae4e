"""Every study of the book by its name."""

from __future__ import annotations

from amplib.parameters import ParameterError
from amplib.store.study import PRESETS, Study
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
