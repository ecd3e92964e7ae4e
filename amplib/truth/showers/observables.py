"""What the papers measure of showers, for many at once.

Showers are ``(N, layer, x, y)`` in MeV, tensors or what ``torch.as_tensor`` takes, with the
threshold applied (``visible``); any other shape is refused with a ``ValueError``.  Layers and cells
count from zero, except in the centroid.  No observable is NaN: an empty layer has moments of zero,
and the centroid of an empty shower is 1.  Source: dctrgan, sec. III B and Figs. 3-7.
"""

from __future__ import annotations

from itertools import combinations

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from amplib.truth.showers.config import THRESHOLD
from amplib.truth.showers.geometry import ILD_ECAL

FIRST_OF_DIFFERENCES = 5
"""Layers before this index do not enter the pairwise differences of Fig. 8."""

Showers = Tensor | ArrayLike


def as_showers(showers: Showers) -> Tensor:
    """Showers ``(N, layer, x, y)`` as a tensor of floating-point numbers.

    Raises:
        ValueError: for any other shape; a single shower is ``shower[None]``.
    """
    tensor = torch.as_tensor(showers)
    if tensor.ndim != 4 or tensor.shape[1:] != ILD_ECAL.shape:
        expected = ", ".join(map(str, ILD_ECAL.shape))
        raise ValueError(f"showers have shape {tuple(tensor.shape)}, expected (N, {expected})")
    return tensor if tensor.is_floating_point() else tensor.float()


def visible(showers: Showers) -> Tensor:
    """Showers without the energies below the threshold."""
    showers = as_showers(showers)
    return torch.where(showers >= THRESHOLD, showers, 0)


def active_cells(showers: Showers) -> Tensor:
    """Number of cells that are hit, ``(N,)``."""
    showers = as_showers(showers)
    return (showers > 0).sum((1, 2, 3)).to(showers.dtype)


def layer_energies(showers: Showers) -> Tensor:
    """``(N, layers)``, MeV."""
    return as_showers(showers).sum((2, 3))


def total_energy(showers: Showers) -> Tensor:
    """``(N,)``, MeV."""
    return as_showers(showers).sum((1, 2, 3))


def centroid(showers: Showers) -> Tensor:
    """Energy-weighted layer, counted from one, ``(N,)``; 1 for an empty shower."""
    return _moment(layer_energies(showers), 1) + 1


def high_level(showers: Showers) -> Tensor:
    """Active cells, centroid, total energy, layer energies: ``(N, 3 + layers)``."""
    leading = [active_cells(showers), centroid(showers), total_energy(showers)]
    return torch.cat([torch.stack(leading, 1), layer_energies(showers)], 1)


def second_moments(showers: Showers, axis: str = "x") -> Tensor:
    """Central energy-weighted second moment of every layer, ``(N, layers)``, cell^2.

    Raises:
        ValueError: for an axis that is neither ``x`` nor ``y``.
    """
    if axis not in ("x", "y"):
        raise ValueError(f"axis = {axis!r}: must be x or y")
    return _moment(as_showers(showers).sum(3 if axis == "x" else 2), 2)


def thirds(showers: Showers) -> Tensor:
    """Share of the energy in the first, second and last third of the layers, ``(N, 3)``."""
    energies = layer_energies(showers)
    parts = torch.stack([e.sum(1) for e in energies.chunk(3, 1)], 1)
    return _share(parts, energies.sum(1, keepdim=True))


def differences(showers: Showers) -> Tensor:
    """E_i - E_j for all layers i < j from index 5 (the sixth layer) on, ``(N, 300)``, MeV."""
    energies = layer_energies(showers)
    pairs = combinations(range(FIRST_OF_DIFFERENCES, energies.shape[1]), 2)
    i, j = map(list, zip(*pairs, strict=True))
    return energies[:, i] - energies[:, j]


def correlated(showers: Showers) -> Tensor:
    """The observables of Fig. 7 as ``config.CORRELATED`` names them, ``(N, 11)``."""
    showers = as_showers(showers)
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
