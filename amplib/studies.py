"""Every study of the book by its name, and what each preset sets."""

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
from amplib.study import Study

_ALL: tuple[type[Study], ...] = (
    *(CamelFit, CamelGAN, CamelEnsemble, CamelSmoothing),
    *(Showers, ShowerSummary),
    *(TwoBody, ZLeptons, TopPairs, TwoBodySummary, ZSummary, TopPairSummary),
    TopPairReference,
)
STUDIES: dict[str, type[Study]] = {study.name: study for study in _ALL}

_SHORT = {"epochs": 600, "learning_rate": 5e-4, "decay": 0.75, "decay_epochs": 60}
_TINY = {"epochs": 2, "max_events": 1000, "width": 32, "latent": 50}


def _both(sample: str, **settings: object) -> dict[str, dict[str, object]]:
    """The same settings for a sample of events and for its summary."""
    return {sample: settings, f"{sample}-summary": settings}


PRESETS: dict[str, dict[str, dict[str, object]]] = {
    "smoke": {
        "fit": {"repetitions": 100},
        "smoothing": {"repetitions": 100},
        "gan": {**_TINY, "repetitions": 3},
        "ensemble": {**_TINY, "repetitions": 2, "members": 2},
        "showers": {"showers": 20, "part_size": 10},
        "shower-summary": {"showers": 100, "part_size": 50},
        **_both("two-body", events=1_000, part_size=500),
        **_both("z", events=1_000, part_size=500),
        **_both("ttbar", events=40, part_size=20, multiparton="off"),
        "ttbar-reference": {"events": 40, "part_size": 20, "multiparton": "off"},
    },
    # The papers' network and data on a 17 times shorter schedule, from ten times their learning
    # rate down to theirs.
    "laptop": {
        "fit": {"repetitions": 300},
        "smoothing": {"repetitions": 300},
        "gan": {**_SHORT, "max_events": 100_000, "repetitions": 8},
        "ensemble": {**_SHORT, "max_events": 100_000, "repetitions": 4, "members": 5},
        "showers": {"showers": 10_000},
        "shower-summary": {"showers": 2_000, "part_size": 1_000},
        **_both("two-body", events=100_000),
        **_both("z", events=100_000),
        **_both("ttbar", events=20_000),
        "ttbar-reference": {"events": 20_000},
    },
    # The papers' own settings; more fits than their 100, as they cost little.
    "paper": {
        "fit": {"repetitions": 1000},
        "smoothing": {"repetitions": 1000},
        "gan": {"repetitions": 100},
        "ensemble": {"repetitions": 50, "members": 10},
        "showers": {"showers": 177_000},
        "shower-summary": {"showers": 10_000},
        **_both("two-body", events=1_000_000),
        **_both("z", events=1_000_000),
        "ttbar": {"events": 1_200_000},
        "ttbar-reference": {"events": 1_200_000},
        # The first 100,000 are what models are trained on, the rest validates them.
        "ttbar-summary": {"events": 120_000},
    },
}

for _study in STUDIES.values():
    _study.presets = {preset: settings[_study.name] for preset, settings in PRESETS.items()}


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
