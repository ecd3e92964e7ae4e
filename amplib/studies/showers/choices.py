"""What two choices of the truth are worth: the scale of the visible energy, and one medium for two
sections of plates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from amplib.estimate import Estimate
from amplib.truth.showers.config import ShowerConfig
from amplib.truth.showers.expectation import resolution
from amplib.truth.showers.geometry import ILD_ECAL, SECTIONS, Stack
from amplib.truth.showers.observables import active_cells, total_energy, visible
from amplib.truth.showers.shower import SAMPLING, shower_batch

BATCH = 100
"""Showers that are drawn of one seed."""


def growth_of_cells(
    config: ShowerConfig, showers: int, seed: int, scale: float = 0.9, stack: Stack = ILD_ECAL
) -> Estimate:
    """The power of the mean visible energy with which the mean number of active cells grows, where
    sampling fractions grow.

    Both means are of showers that start alike and are as long at either scale: the error is of
    what differs.

    Args:
        config: which showers.
        showers: at each of two scales, a multiple of ``BATCH``.
        seed: of the random numbers.
        scale: of the sampling fractions, beside one.
        stack: the calorimeter.
    """
    scaled = replace(stack, sampling_fraction=tuple(scale * f for f in stack.sampling_fraction))
    seeds = range(seed, seed + showers // BATCH)
    before, after = (
        np.concatenate([_cells_and_energy(config, s, of) for s in seeds]) for of in (stack, scaled)
    )
    cells, energy = np.log(after.mean(0) / before.mean(0))
    moved = after / after.mean(0) - before / before.mean(0)
    error = (moved @ [1, -cells / energy]).std(ddof=1) / np.sqrt(len(moved))
    return Estimate(float(cells / energy), float(error / abs(energy)))


def _cells_and_energy(config: ShowerConfig, seed: int, stack: Stack) -> np.ndarray:
    """Active cells and visible energy of a batch, ``(BATCH, 2)``."""
    generator = torch.Generator().manual_seed(seed)
    seen = visible(shower_batch(BATCH, config, generator, stack))
    return torch.stack([active_cells(seen), total_energy(seen)], 1).double().numpy()


def coarser_sampling(config: ShowerConfig) -> float:
    r"""By what factor the sampling term would grow if layers behind thick plates had the c of their
    own sampling frequency, $c \propto 1/\sqrt{F_S}$, and those behind thin plates kept theirs."""
    thin, thick = (medium.sampling_frequency for medium in SECTIONS)
    behind_thick = np.array(ILD_ECAL.absorber_mm) > min(ILD_ECAL.absorber_mm)
    coarse = SAMPLING * np.where(behind_thick, np.sqrt(thin / thick), 1)
    return resolution(config, sampling=coarse).sampling / resolution(config).sampling
