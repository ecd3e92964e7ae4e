r"""What showers must look like on average, by integration instead of simulation.

The layer energies of a shower are known functions of three random numbers: where it starts and the
two normals of its longitudinal profile.  Their means and variances are integrals over these, and so
is the share of a layer's energy in a column of cells; nothing here draws a random number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from amplib.truth.showers.config import ShowerConfig
from amplib.truth.showers.geometry import ILD_ECAL, Stack
from amplib.truth.showers.parametrisation import Longitudinal, contained, longitudinal, radial
from amplib.truth.showers.shower import CONVERSION, SAMPLING, energy_lost, primaries


def layer_energies(
    config: ShowerConfig, stack: Stack = ILD_ECAL, nodes: int = 12
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the energy seen in each layer, ``(layers,)`` MeV.

    Args:
        config: particle and energy.
        stack: the calorimeter.
        nodes: of the quadrature in each normal.
    """
    points = _points(config, stack, nodes)
    everywhere = torch.ones_like(points.tau)
    return _seen(points, everywhere, everywhere, stack)


def energies_in_grid(
    config: ShowerConfig, stack: Stack = ILD_ECAL, nodes: int = 6
) -> tuple[np.ndarray, np.ndarray]:
    """As ``layer_energies``, less what leaves the grid at its sides.

    The loss follows the shower's age; that hits leave one by one is not in the spread.
    """
    points = _points(config, stack, nodes)
    ages = _Ages.of(points.tau)
    core, shower = (shares.sum(1) for shares in _shares(ages.grid, config, stack))
    return _seen(points, ages.at(shower), ages.at(core), stack)


class Resolution(NamedTuple):
    """Relative spread of the reconstructed energy, by three causes that are not correlated."""

    sampling: float
    """What the layers see of a given shower, and what its primaries leave, fluctuates."""
    sides: float
    """Hits leave the grid one by one."""
    shapes: float
    """Where showers start, and how long they are."""

    def total(self) -> float:
        """All of them in quadrature."""
        return math.hypot(*self)


def resolution(
    config: ShowerConfig,
    stack: Stack = ILD_ECAL,
    nodes: int = 6,
    sampling: float | np.ndarray = SAMPLING,
) -> Resolution:
    """Of the energy that ``Stack.calibration`` reconstructs, before the threshold.

    Args:
        config: particle and energy; hits count as those of ``mip``, as the few that leave make next
            to nothing of the spread.
        stack: the calorimeter.
        nodes: of the quadrature in each normal.
        sampling: c in c sqrt(E / GeV), of all layers or of each, ``(layers,)``.
    """
    points = _points(config, stack, nodes)
    ages = _Ages.of(points.tau)
    core, shower = (ages.at(shares.sum(1)) for shares in _shares(ages.grid, config, stack))
    fraction = torch.tensor(stack.sampling_fraction, dtype=torch.float64)
    depths = torch.tensor(stack.calibration()) * fraction
    mean, sampled = _given_shapes(points, shower, core, stack, torch.as_tensor(sampling))
    of_a_hit = (stack.mip_mean + stack.mip_variance / stack.mip_mean) / (1000 * fraction)
    leaving = points.lost * shower * (1 - shower) + points.primary * core * (1 - core)
    whole = points.weight @ mean @ depths
    variances = (
        points.weight @ sampled @ depths**2,
        points.weight @ (of_a_hit * leaving) @ depths**2,
        points.weight @ (mean @ depths) ** 2 - whole**2,
    )
    return Resolution(*(float(v.sqrt() / whole) for v in variances))


def column_shares(config: ShowerConfig, stack: Stack = ILD_ECAL, nodes: int = 6) -> np.ndarray:
    """Share of a layer's energy in each column of the grid, ``(layers, cells)``.

    Averaged over the ages at which showers of all starts and shapes lose their energy in the layer.
    """
    points = _points(config, stack, nodes)
    ages, weight = _Ages.of(points.tau), points.weight[:, None]
    core, shower = _shares(ages.grid, config, stack)
    energy = ages.sums(weight * points.lost) @ shower + ages.sums(weight * points.primary) @ core
    return (energy / (points.weight @ (points.lost + points.primary))[:, None]).numpy()


def unconverted(config: ShowerConfig, stack: Stack = ILD_ECAL) -> np.ndarray:
    """Probability that a photon is none the less when it reaches each layer, ``(layers,)``.

    exp(-7/9 depth), the share of showers whose layer is empty; zero for an electron.
    """
    depth = np.array(stack.depth)
    return np.exp(-depth / CONVERSION) if config.particle == "photon" else np.zeros_like(depth)


@dataclass(frozen=True, eq=False)
class _Points:
    """Where the three random numbers are taken, ``points`` of them."""

    weight: Tensor
    """``(points,)``, of sum one."""
    lost: Tensor
    """By all but the primaries in a layer's window, ``(points, layers)`` GeV."""
    primary: Tensor
    """By the primaries."""
    tau: Tensor
    """Age of the shower."""


def _points(config: ShowerConfig, stack: Stack, nodes: int) -> _Points:
    weight, *profile = _profiles(config, stack, nodes)
    start, t_max, alpha = profile
    depth = torch.tensor(stack.depth, dtype=torch.float64) - start[:, None]
    a_particle = stack.mip_mean / (1000 * torch.tensor(stack.sampling_fraction))
    return _Points(
        weight,
        energy_lost(start, t_max, alpha, config, stack),
        primaries(start, t_max, config, stack) * a_particle.double(),
        longitudinal(config.energy, stack.medium).age(depth, t_max[:, None], alpha[:, None]),
    )


def _seen(
    points: _Points, inside: Tensor, core_inside: Tensor, stack: Stack
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread of layer energies, MeV, given the shares that are seen of shower and core."""
    fraction = 1000 * torch.tensor(stack.sampling_fraction, dtype=torch.float64)
    mean, within = _given_shapes(points, inside, core_inside, stack, torch.tensor(SAMPLING))
    whole = points.weight @ mean
    variance = points.weight @ (within + mean**2) - whole**2
    return (fraction * whole).numpy(), (fraction * variance.sqrt()).numpy()


def _given_shapes(
    points: _Points, inside: Tensor, core_inside: Tensor, stack: Stack, sampling: Tensor
) -> tuple[Tensor, Tensor]:
    """Mean and variance of what layers see of showers of given shapes, ``(points, layers)``, as
    energy lost: GeV and GeV^2."""
    fraction = 1000 * torch.tensor(stack.sampling_fraction, dtype=torch.float64)
    mean = points.lost * inside + points.primary * core_inside
    one = stack.mip_variance / stack.mip_mean / fraction  # variance of a primary over its mean
    sampled = sampling**2 * points.lost * inside**2
    return mean, sampled + one * points.primary * core_inside**2


@dataclass(frozen=True, eq=False)
class _Ages:
    """A grid of ages, and where the quadrature points lie in it."""

    grid: Tensor
    """``(ages,)``"""
    left: Tensor
    """The age to the left of a point, ``(points, layers)``."""
    right: Tensor
    """How far the point is on its way to the next one."""

    @classmethod
    def of(cls, tau: Tensor) -> _Ages:
        grid = torch.linspace(0, float(tau.max()), 400, dtype=torch.float64)
        position = tau / grid[1]
        left = position.floor().long().clamp(max=len(grid) - 2)
        return cls(grid, left, position - left)

    def at(self, values: Tensor) -> Tensor:
        """Values on the grid, ``(ages,)``, interpolated to ``(points, layers)``."""
        return (1 - self.right) * values[self.left] + self.right * values[self.left + 1]

    def sums(self, values: Tensor) -> Tensor:
        """Values of points and layers, summed over points at the ages next to them: to ``at`` what
        a matrix is to its transpose, ``(layers, ages)``."""
        sums = torch.zeros(values.shape[1], len(self.grid), dtype=torch.float64)
        for side, part in ((self.left, 1 - self.right), (self.left + 1, self.right)):
            sums.scatter_add_(1, side.T, (values * part).T)
        return sums


def _shares(ages: Tensor, config: ShowerConfig, stack: Stack) -> tuple[Tensor, Tensor]:
    """Share of the core's energy, and of a shower's, in each column, ``(ages, cells)``."""
    shape = radial(ages, config.energy, stack.medium)
    core, tail = (_columns(scale, config, stack) for scale in (shape.core, shape.tail))
    share = shape.core_share[:, None]
    return core, share * core + (1 - share) * tail


def _columns(scale: Tensor, config: ShowerConfig, stack: Stack) -> Tensor:
    """Share of $2rR^2/(r^2+R^2)^2$ in each column of the grid, ``(scales, cells)``."""
    cell = stack.cell_mm / (10 * stack.medium.moliere_radius)
    edges = (torch.arange(stack.cells + 1, dtype=torch.float64) - stack.cells / 2) * cell
    node, weight = map(torch.tensor, np.polynomial.hermite_e.hermegauss(5 if config.beam else 1))
    entry, weight = node * config.beam * cell, weight / weight.sum()
    x = edges[None, :, None, None] - entry[:, None]
    y = edges[-1] - entry
    scale = scale[:, None, None, None]
    # Between y = -edge and edge, for particles that enter at x and y of the nodes.
    below = _corner(x, y, scale) + _corner(x, y.flip(0), scale)
    return (below * torch.outer(weight, weight)).sum((2, 3)).diff(dim=1)


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
        in_cells: about the centre of the grid instead, for particles that enter through a beam of
            ``config.beam`` cells and energies spread evenly over their cells.  Along either axis
            this displaces as a normal with a variance of 2/12 (the place in a cell, lost and drawn
            anew) and beam^2 square cells does; three nodes on either axis average over it.
    """
    points = _points(config, stack, nodes)
    weight, shape = points.weight[:, None], radial(points.tau, config.energy, stack.medium)
    core = replace(shape, core_share=torch.ones_like(shape.core_share))
    parts = ((weight * points.lost, shape), (weight * points.primary, core))
    whole = sum(energy.sum() for energy, _ in parts)
    cell = stack.cell_mm / (10 * stack.medium.moliere_radius)
    sigma = cell * math.sqrt(2 / 12 + config.beam**2) if in_cells else 0.0
    displaced = ((4 / 9, 0.0), (4 / 9, 3.0), (1 / 9, 6.0))  # weight, square in sigma

    def within(radius: float) -> float:
        sums = [
            w * (energy * profile.inside(radius, sigma * math.sqrt(s))).sum().item()
            for w, s in displaced
            for energy, profile in parts
        ]
        return sum(sums) / float(whole)

    return np.array([within(radius) for radius in radii])


def energy_before(
    depth: float, config: ShowerConfig, stack: Stack = ILD_ECAL, nodes: int = 12
) -> float:
    """Share of the energy lost before a depth in X0; the average shower's with one node."""
    weight, start, t_max, alpha = _profiles(config, stack, nodes)
    # A photon that has not converted before the last layer loses nothing.
    return float(weight @ contained(depth - start, t_max, alpha))


def energy_behind(config: ShowerConfig, stack: Stack = ILD_ECAL) -> np.ndarray:
    """Share of the energy lost behind the last layer's window, ``()``."""
    return np.array(1 - energy_before(stack.windows()[1][-1], config, stack))


def _profiles(
    config: ShowerConfig, stack: Stack, nodes: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Quadrature points (weight, start, T, alpha), each ``(starts * nodes^2,)``.

    Four starts lie between any two layers, where nothing jumps; an electron has but one, so that
    the kinks where primaries and profile lose the same are not averaged over: four times the nodes.
    """
    start, share = torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    if config.particle == "photon":
        edges = np.array((0.0, *stack.depth))
        x, w = np.polynomial.legendre.leggauss(4)
        half = np.diff(edges)[:, None] / 2
        start = torch.tensor(((edges[1:] + edges[:-1])[:, None] / 2 + half * x).ravel())
        share = torch.tensor((half * w).ravel()) * torch.exp(-start / CONVERSION) / CONVERSION
    else:
        nodes *= 4
    profile: Longitudinal = longitudinal(config.energy, stack.medium)
    z, w = np.polynomial.hermite_e.hermegauss(nodes)
    first, second = np.meshgrid(z, z, indexing="ij")
    t_max, alpha = profile.draw(torch.tensor(np.stack([first.ravel(), second.ravel()], 1)))
    weight = torch.tensor(np.outer(w, w).ravel())
    weight = torch.where(alpha > 1.01, weight, 0)  # such showers are drawn again
    return (
        torch.outer(share, weight / weight.sum()).view(-1),
        start.repeat_interleave(len(weight)),
        t_max.repeat(len(start)),
        alpha.clamp(min=1.01).repeat(len(start)),
    )
