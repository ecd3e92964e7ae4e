"""Showers, and summaries of them, for the tests."""

from types import SimpleNamespace

import torch

from amplib.studies.catalogue import make_study
from amplib.studies.showers.reading import Summary, summarise
from amplib.truth.showers.config import ShowerConfig
from amplib.truth.showers.shower import showers


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw(n: int, seed: int, **config: object) -> torch.Tensor:
    return torch.cat(list(showers(n, ShowerConfig(**config), generator(seed))))


def summary_of(showers: torch.Tensor, **config: object) -> Summary:
    """As of a stored study, of photons of 50 GeV by default."""
    study = make_study("shower-summary", "smoke", **config)
    arrays = study.reduce(iter([showers]))
    return summarise(SimpleNamespace(study=study, load=lambda: {(0,): arrays}))
