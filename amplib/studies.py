"""Every study of the book by its name."""

from __future__ import annotations

from amplib.calorimeter.studies import Showers, ShowerSummary
from amplib.camel import CamelEnsemble, CamelFit, CamelGAN, CamelSmoothing
from amplib.events.studies import (
    TopPairReference,
    TopPairs,
    TopPairSummary,
    TwoBody,
    TwoBodySummary,
    ZLeptons,
    ZSummary,
)
from amplib.parameters import ParameterError
from amplib.study import PRESETS, Study

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
