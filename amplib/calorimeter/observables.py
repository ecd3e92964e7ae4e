"""What the papers measure of showers, for many at once.

Showers are ``(N, layer, x, y)`` in MeV, with the threshold applied (``visible``).  Layers and cells
count from zero, except in the centroid.  No observable is NaN: an empty layer has moments of zero.
Source: dctrgan, sec. III B and Figs. 3-7.
"""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor

from amplib.calorimeter.config import THRESHOLD

FIRST_OF_DIFFERENCES = 5
"""Layers before it do not enter the pairwise differences of Fig. 8."""


def visible(showers: Tensor) -> Tensor:
    """Showers without the energies below the threshold."""
    return torch.where(showers >= THRESHOLD, showers, 0)


def active_cells(showers: Tensor) -> Tensor:
    """Number of cells that are hit, ``(N,)``."""
    return (showers > 0).sum((1, 2, 3)).to(showers.dtype)


def layer_energies(showers: Tensor) -> Tensor:
    """``(N, layers)``, MeV."""
    return showers.sum((2, 3))


def total_energy(showers: Tensor) -> Tensor:
    """``(N,)``, MeV."""
    return showers.sum((1, 2, 3))


def centroid(showers: Tensor) -> Tensor:
    """Energy-weighted layer, counted from one, ``(N,)``."""
    return _moment(layer_energies(showers), 1) + 1


def high_level(showers: Tensor) -> Tensor:
    """Active cells, centroid, total energy, layer energies: ``(N, 3 + layers)``."""
    leading = [active_cells(showers), centroid(showers), total_energy(showers)]
    return torch.cat([torch.stack(leading, 1), layer_energies(showers)], 1)


def second_moments(showers: Tensor, axis: str = "x") -> Tensor:
    """Central energy-weighted second moment of every layer, ``(N, layers)``, cell^2."""
    return _moment(showers.sum({"x": 3, "y": 2}[axis]), 2)


def thirds(showers: Tensor) -> Tensor:
    """Share of the energy in the first, second and last third of the layers, ``(N, 3)``."""
    energies = layer_energies(showers)
    parts = torch.stack([e.sum(1) for e in energies.chunk(3, 1)], 1)
    return _share(parts, energies.sum(1, keepdim=True))


def differences(showers: Tensor) -> Tensor:
    """E_i - E_j for every pair of layers i < j from the fifth on, ``(N, 300)``, MeV."""
    energies = layer_energies(showers)
    pairs = combinations(range(FIRST_OF_DIFFERENCES, energies.shape[1]), 2)
    i, j = map(list, zip(*pairs, strict=True))
    return energies[:, i] - energies[:, j]


def correlated(showers: Tensor) -> Tensor:
    """The observables of Fig. 7 as ``config.CORRELATED`` names them, ``(N, 11)``."""
    along = [showers.sum(axes) for axes in ((1, 3), (1, 2), (2, 3))]
    moments = [_moment(profile, order) for order in (1, 2) for profile in along]
    columns = [*moments, total_energy(showers), active_cells(showers)]
    return torch.cat([torch.stack(columns, 1), thirds(showers)], 1)


def _moment(profile: Tensor, order: int) -> Tensor:
    """Mean (order 1) or variance (order 2) of the index along the last axis."""
    index = torch.arange(profile.shape[-1], dtype=profile.dtype, device=profile.device)
    share = _share(profile, profile.sum(-1, keepdim=True))
    mean = (share * index).sum(-1)
    if order == 1:
        return mean
    return (share * (index - mean[..., None]) ** 2).sum(-1)


def _share(part: Tensor, whole: Tensor) -> Tensor:
    return part / torch.where(whole > 0, whole, 1)
