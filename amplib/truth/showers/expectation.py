r"""What showers must look like on average, by integration instead of simulation.

The layer energies of a shower are known functions of three random numbers: where it starts and the
two normals of its longitudinal profile.  Their means and variances are integrals over these, and so
is the share of a layer's energy in a column of cells; nothing here draws a random number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from amplib.truth.showers.config import ShowerConfig
from amplib.truth.showers.geometry import ILD_ECAL, Stack
from amplib.truth.showers.parametrisation import Longitudinal, contained, longitudinal, radial
from amplib.truth.showers.shower import CONVERSION, SAMPLING, window_shares


def layer_energies(
    config: ShowerConfig, stack: Stack = ILD_ECAL, nodes: int = 12
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the energy seen in each layer, ``(layers,)`` MeV.

    Args:
        config: particle and energy.
        stack: the calorimeter.
        nodes: of the quadrature in each normal.
    """
    weight, start, t_max, alpha = _profiles(config, stack, nodes, step=0.05)
    lost = config.energy * window_shares(start, t_max, alpha, stack)
    return _seen(weight, lost, torch.ones_like(lost), stack)


def energies_in_grid(
    config: ShowerConfig, stack: Stack = ILD_ECAL, nodes: int = 6
) -> tuple[np.ndarray, np.ndarray]:
    """As ``layer_energies``, less what leaves the grid at its sides.

    The loss follows the shower's age; that hits leave one by one is not in the spread.
    """
    weight, lost, shares, left, right = _by_age(config, stack, nodes)
    inside = shares.sum(1)
    inside = (1 - right) * inside[left] + right * inside[left + 1]
    return _seen(weight, lost, inside, stack)


def column_shares(config: ShowerConfig, stack: Stack = ILD_ECAL, nodes: int = 6) -> np.ndarray:
    """Share of a layer's energy in each column of the grid, ``(layers, cells)``.

    Averaged over the ages at which showers of all starts and shapes lose their energy in the layer.
    """
    weight, lost, shares, left, right = _by_age(config, stack, nodes)
    energy = weight[:, None] * lost
    at_age = torch.zeros(stack.layers, len(shares), dtype=torch.float64)
    for side, part in ((left, 1 - right), (left + 1, right)):
        at_age.scatter_add_(1, side.T, (energy * part).T)
    return ((at_age @ shares) / energy.sum(0)[:, None]).numpy()


def _seen(
    weight: Tensor, lost: Tensor, inside: Tensor, stack: Stack
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread of layer energies, MeV, from energies lost (GeV) and shares that are seen."""
    fraction = 1000 * torch.tensor(stack.sampling_fraction, dtype=torch.float64)
    mean = weight @ (lost * inside)
    variance = weight @ ((lost + SAMPLING**2) * lost * inside**2) - mean**2
    return (fraction * mean).numpy(), (fraction * variance.sqrt()).numpy()


def _by_age(
    config: ShowerConfig, stack: Stack, nodes: int
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Column shares on a grid of ages ``(ages, cells)``, and where the quadrature points lie in it.

    Beside the shares: weights ``(points,)``, energies lost, the age to the left, and how far the
    point is on its way to the next one, ``(points, layers)`` each.
    """
    weight, lost, tau = _ages(config, stack, nodes)
    grid = torch.linspace(0, float(tau.max()), 400, dtype=torch.float64)
    shape = radial(grid, config.energy, stack.medium)
    share = shape.core_share[:, None]
    shares = share * _columns(shape.core, config, stack)
    shares += (1 - share) * _columns(shape.tail, config, stack)
    position = tau / grid[1]
    left = position.floor().long().clamp(max=len(grid) - 2)
    return weight, lost, shares, left, position - left


def _columns(scale: Tensor, config: ShowerConfig, stack: Stack) -> Tensor:
    """Share of $2rR^2/(r^2+R^2)^2$ in each column of the grid, ``(scales, cells)``."""
    cell = stack.cell_mm / (10 * stack.medium.moliere_radius)
    edges = (torch.arange(stack.cells + 1, dtype=torch.float64) - stack.cells / 2) * cell
    node, weight = map(torch.tensor, np.polynomial.legendre.leggauss(4))
    entry = node * config.impact * cell / 2
    x = edges[None, :, None, None] - entry[:, None]
    y = edges[-1] - entry
    scale = scale[:, None, None, None]
    # Between y = -edge and edge, for particles that enter at x and y of the nodes.
    below = _corner(x, y, scale) + _corner(x, y.flip(0), scale)
    return (below * torch.outer(weight, weight) / 4).sum((2, 3)).diff(dim=1)


def _corner(x: Tensor, y: Tensor, scale: Tensor) -> Tensor:
    r"""Share between the axis and (x, y), of the sign of x.

    The integral of $R^2/\pi(r^2+R^2)^2$ over a rectangle, one corner on the axis.
    """
    far_x, far_y = torch.sqrt(x**2 + scale**2), torch.sqrt(y**2 + scale**2)
    return (x / far_x * torch.atan(y / far_x) + y / far_y * torch.atan(x / far_y)) / (2 * torch.pi)


def energy_within(
    radii: Sequence[float],
    config: ShowerConfig,
    stack: Stack = ILD_ECAL,
    nodes: int = 6,
    in_cells: bool = False,
) -> np.ndarray:
    """Share of the lost energy within radii about the axis, ``(n,)``.

    Args:
        radii: in Molière radii.
        config: particle and energy.
        stack: the calorimeter.
        nodes: of the quadrature in each normal.
        in_cells: about the centre of the grid instead, for particles that enter through a square of
            ``config.impact`` cells and energies spread evenly over their cells.  Along either axis
            this displaces as a normal with a variance of 2/12 (the place in a cell, lost and drawn
            anew) and impact^2/12 square cells does; three nodes on either axis average over it.
    """
    weight, lost, tau = _ages(config, stack, nodes)
    energy, shape = weight[:, None] * lost, radial(tau, config.energy, stack.medium)
    cell = stack.cell_mm / (10 * stack.medium.moliere_radius)
    sigma = cell * math.sqrt((2 + config.impact**2) / 12) if in_cells else 0.0
    displaced = ((4 / 9, 0.0), (4 / 9, 3.0), (1 / 9, 6.0))  # weight, square in sigma
    shares = [sum(w * shape.inside(r, sigma * math.sqrt(s)) for w, s in displaced) for r in radii]
    return np.array([((energy * share).sum() / energy.sum()).item() for share in shares])


def energy_before(
    depth: float, config: ShowerConfig, stack: Stack = ILD_ECAL, nodes: int = 12
) -> float:
    """Share of the energy lost before a depth in X0; the average shower's with one node."""
    weight, start, t_max, alpha = _profiles(config, stack, nodes, step=0.05)
    # A photon that has not converted before the last layer loses nothing.
    return float(weight @ contained(depth - start, t_max, alpha))


def energy_behind(config: ShowerConfig, stack: Stack = ILD_ECAL) -> np.ndarray:
    """Share of the energy lost behind the last layer's window, ``()``."""
    return np.array(1 - energy_before(stack.windows()[1][-1], config, stack))


def _ages(config: ShowerConfig, stack: Stack, nodes: int) -> tuple[Tensor, Tensor, Tensor]:
    """Weights ``(points,)``, energies lost and ages of the shower ``(points, layers)``."""
    profile = longitudinal(config.energy, stack.medium)
    weight, start, t_max, alpha = _profiles(config, stack, nodes, step=0.2)
    lost = config.energy * window_shares(start, t_max, alpha, stack)
    depth = torch.tensor(stack.depth, dtype=torch.float64) - start[:, None]
    return weight, lost, profile.age(depth, t_max[:, None], alpha[:, None])


def _profiles(
    config: ShowerConfig, stack: Stack, nodes: int, step: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Quadrature points (weight, start, T, alpha), each ``(starts * nodes^2,)``."""
    profile: Longitudinal = longitudinal(config.energy, stack.medium)
    z, w = np.polynomial.hermite_e.hermegauss(nodes)
    first, second = np.meshgrid(z, z, indexing="ij")
    t_max, alpha = profile.draw(torch.tensor(np.stack([first.ravel(), second.ravel()], 1)))
    weight = torch.tensor(np.outer(w, w).ravel())
    weight = torch.where(alpha > 1.01, weight, 0)  # such showers are drawn again
    start, share = torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    if config.particle == "photon":
        start = torch.arange(step / 2, stack.depth[-1], step, dtype=torch.float64)
        share = torch.exp(-start / CONVERSION) * 2 * math.sinh(step / 2 / CONVERSION)
    return (
        torch.outer(share, weight / weight.sum()).view(-1),
        start.repeat_interleave(len(weight)),
        t_max.repeat(len(start)),
        alpha.clamp(min=1.01).repeat(len(start)),
    )
