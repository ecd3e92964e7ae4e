r"""Showers of photons and electrons in the cells of a calorimeter.

One shower is drawn in the order of its physics: where the photon converts, how long and how deep
the shower is, which layers the particles that it starts with cross, what the sampling makes of the
energy in each layer, how many hits a layer sees, and where each lies.  All showers of a batch are
drawn at once, on a CPU or a GPU.

Arrays are ``(N, layer, x, y)`` in MeV, as the published showers are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from amplib.truth.showers.config import ShowerConfig
from amplib.truth.showers.geometry import ILD_ECAL, Stack
from amplib.truth.showers.parametrisation import Longitudinal, contained, longitudinal, radial

SAMPLING = 0.17
r"""c in $\sigma(E)/E = c/\sqrt{E/\mathrm{GeV}}$; CALICE measured 0.166 (0811.2354)."""
CONVERSION = 9 / 7
"""Mean depth at which a photon converts, in X0."""
PRIMARIES = {"photon": 2, "electron": 1}
"""Charged particles that a shower starts with."""
_HITS_A_BATCH = 1_000_000  # keeps a batch within some 100 MB at every energy
_SHOWERS_A_BATCH = 256


def showers(
    n: int, config: ShowerConfig, generator: torch.Generator, stack: Stack = ILD_ECAL
) -> Iterator[Tensor]:
    """Draw showers batch by batch; memory does not grow with ``n``.

    Args:
        n: how many.
        config: particle, energy, hits.
        generator: random numbers; its device is where the showers are made.
        stack: the calorimeter.

    Yields:
        Tensors ``(batch, layer, x, y)``, float32, MeV, no threshold applied.

    Raises:
        ValueError: for ``n < 1``.
    """
    if n < 1:
        raise ValueError(f"n = {n}: must be an integer from 1")
    hits = 1000 * config.energy * stack.sampling_fraction[0] / stack.mip_mean
    batch = max(1, min(_SHOWERS_A_BATCH, int(_HITS_A_BATCH / hits)))
    for first in range(0, n, batch):
        yield shower_batch(min(batch, n - first), config, generator, stack)


def shower_batch(
    n: int, config: ShowerConfig, generator: torch.Generator, stack: Stack = ILD_ECAL
) -> Tensor:
    """Draw ``n`` showers at once, as ``showers`` does."""
    profile = longitudinal(config.energy, stack.medium)
    start, t_max, alpha = draw_profiles(n, config, profile, generator)
    seen = draw_layers(start, t_max, alpha, config, stack, generator)
    if config.hits == "mip":
        count = hit_numbers(seen.shower, stack, generator)
    else:
        count = _rounded(_spots(start, t_max, alpha, config.energy, stack), generator)
    count = torch.where(seen.shower > 0, count.clamp(min=1), 0)

    all_layers = torch.arange(n * stack.layers, device=count.device)
    layer = all_layers.repeat_interleave(count.view(-1))
    weight = torch.ones_like(layer, dtype=seen.shower.dtype)
    if config.hits == "mip":
        weight = _mip_energy(len(layer), stack, generator)
    norm = torch.zeros_like(seen.shower).view(-1).index_add_(0, layer, weight)
    energy = torch.cat([weight * (seen.shower.view(-1) / norm)[layer], seen.primary])
    layer = torch.cat([layer, all_layers.repeat_interleave(seen.crossings.view(-1))])

    depth = _row(stack.depth, start) - start[:, None]
    tau = profile.age(depth, t_max[:, None], alpha[:, None])
    column, row = _cells(layer, len(seen.primary), tau, config, stack, generator)
    hit = (column >= 0) & (column < stack.cells) & (row >= 0) & (row < stack.cells)
    hit &= energy >= stack.least
    cell = (layer * stack.cells + column) * stack.cells + row
    image = torch.zeros(n * stack.layers * stack.cells**2, device=energy.device)
    image.index_add_(0, cell[hit], energy[hit])
    return image.view(n, *stack.shape)


def draw_profiles(
    n: int, config: ShowerConfig, profile: Longitudinal, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Start of the shower, depth of its maximum after that (both X0) and shape, ``(n,)`` each."""
    start = torch.zeros(n, device=generator.device)
    if config.particle == "photon":
        start.exponential_(1 / CONVERSION, generator=generator)
    t_max, alpha = profile.draw(_normal((n, 2), generator))
    while (unphysical := alpha <= 1.01).any():  # no maximum: drawn again
        again = profile.draw(_normal((n, 2), generator))
        t_max = torch.where(unphysical, again[0], t_max)
        alpha = torch.where(unphysical, again[1], alpha)
    return start, t_max, alpha


class LayerEnergies(NamedTuple):
    """What the layers of showers see, MeV."""

    shower: Tensor
    """Of all but the primaries, ``(n, layers)``."""
    crossings: Tensor
    """Number of primaries that cross, ``(n, layers)``."""
    primary: Tensor
    """What they leave at each crossing, ``(crossings,)``, in the order of showers and layers."""

    def total(self) -> Tensor:
        """Of all particles, ``(n, layers)``."""
        layer = torch.arange(self.shower.numel(), device=self.shower.device)
        layer = layer.repeat_interleave(self.crossings.view(-1))
        return self.shower.view(-1).index_add(0, layer, self.primary).view_as(self.shower)


def draw_layers(
    start: Tensor,
    t_max: Tensor,
    alpha: Tensor,
    config: ShowerConfig,
    stack: Stack,
    generator: torch.Generator,
) -> LayerEnergies:
    """Energies in the silicon of each layer: single primaries, and a fluctuating share of the rest.

    What the shower loses in a layer's window is smeared by a Gamma distribution of mean dE and
    variance c^2 dE, so that all of it has c sqrt(E) (Grindhammer & Peters, sampling fluctuations).
    """
    crossings = primaries(start, t_max, config, stack)
    primary = _mip_energy(int(crossings.sum()), stack, generator)
    lost = energy_lost(start, t_max, alpha, config, stack)
    # A distribution object would draw from torch's global state.
    seen = SAMPLING**2 * torch._standard_gamma(lost / SAMPLING**2, generator=generator)
    seen = 1000 * _row(stack.sampling_fraction, start) * seen
    return LayerEnergies(torch.where(lost > 0, seen, 0), crossings, primary)


def primaries(start: Tensor, t_max: Tensor, config: ShowerConfig, stack: Stack) -> Tensor:
    """Particles that the shower starts with, where they cross a layer, ``(n, layers)``, integers.

    A converted photon is two minimum ionising particles at once, an electron is one.  The profile
    begins with nothing, as t^(alpha-1).  Primaries are taken to last until the shower's maximum,
    where an average particle reaches the critical energy.
    """
    depth = _row(stack.depth, start) - start[:, None]
    return PRIMARIES[config.particle] * ((depth > 0) & (depth < t_max[:, None])).long()


def energy_lost(
    start: Tensor, t_max: Tensor, alpha: Tensor, config: ShowerConfig, stack: Stack
) -> Tensor:
    """Energy lost by all but the primaries in the window of each layer, ``(n, layers)``, GeV.

    The profile's, less what the primaries lose.  Where they lose more, at the start, the other
    layers have that much less: energy is not made.  Nor is it lost: a layer before the start sees
    nothing, though its window may reach behind it.
    """
    profile = config.energy * window_shares(start, t_max, alpha, stack)
    of_one = stack.mip_mean / (1000 * _row(stack.sampling_fraction, start))
    rest = profile - of_one * primaries(start, t_max, config, stack)
    above = torch.where(_row(stack.depth, start) > start[:, None], rest.clamp(min=0), 0)
    scale = rest.sum(1, keepdim=True) / above.sum(1, keepdim=True).clamp(min=1e-9)
    return above * scale.clamp(min=0)


def window_shares(start: Tensor, t_max: Tensor, alpha: Tensor, stack: Stack) -> Tensor:
    """Share of a Gamma profile in the window of each layer, ``(n, layers)``."""
    before, after = (
        contained(_row(edge, start) - start[:, None], t_max[:, None], alpha[:, None])
        for edge in stack.windows()
    )
    return (after - before).clamp(min=0)


def hit_numbers(energies: Tensor, stack: Stack, generator: torch.Generator) -> Tensor:
    """Number of hits that make up energies in MeV, integers of the same shape.

    Poisson's law, mean and variance E / 0.20 MeV.  It holds where the energies of single hits are
    spread as widely as an exponential is, about their mean: slanted, stopping and knocked-on
    electrons beside those that cross at right angles.  Hits of Moyal's distribution alone, drawn
    until they make up E, would have a seventh of the variance.
    """
    return torch.poisson(energies / stack.mip_mean, generator=generator).long()


def _spots(start: Tensor, t_max: Tensor, alpha: Tensor, energy: float, stack: Stack) -> Tensor:
    """Mean number of the publication's energy spots in each layer, ``(n, layers)`` (sec. 4)."""
    z = stack.medium.charge
    spot_max, spot_alpha = t_max * (0.813 + 0.0019 * z), alpha * (0.844 + 0.0026 * z)
    shares = window_shares(start, spot_max, spot_alpha, stack)
    return 10.3 / SAMPLING * energy**0.959 * shares


def _mip_energy(n: int, stack: Stack, generator: torch.Generator) -> Tensor:
    """Energies of single particles, ``(n,)`` MeV: Moyal's form of the Landau distribution.

    If Z is normal, -ln Z^2 is Moyal's; its mode is 0 and its mean 1.27.
    """
    normal = _normal((n,), generator).abs().clamp(min=1e-6)
    return stack.mip_mode - 2 * stack.mip_width * torch.log(normal)


@contextmanager
def double_precision() -> Iterator[None]:
    """Showers drawn inside are float64: for numbers that are the same on every machine."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _cells(
    layer: Tensor,
    primary: int,
    tau: Tensor,
    config: ShowerConfig,
    stack: Stack,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Column and row of hits that know their layer; they may lie outside the grid.

    The last ``primary`` of them lie in the core.
    """
    profile = radial(tau.view(-1), config.energy, stack.medium)
    u = torch.rand((3, len(layer)), generator=generator, device=layer.device)
    core = u[0] < profile.core_share[layer]
    core[len(layer) - primary :] = True
    scale = torch.where(core, profile.core[layer], profile.tail[layer])
    radius = scale * torch.sqrt(u[1] / (1 - u[1]))
    radius = radius * 10 * stack.medium.moliere_radius / stack.cell_mm
    phi = 2 * torch.pi * u[2]
    n = len(tau)
    entry = config.beam * _normal((2, n), generator)
    at = entry[:, layer // stack.layers] + stack.cells / 2
    # Far hits are outside wherever they are; a finite integer is all that is asked.
    column = (at[0] + radius * torch.cos(phi)).clamp(-1, stack.cells).floor().long()
    row = (at[1] + radius * torch.sin(phi)).clamp(-1, stack.cells).floor().long()
    return column, row


def _rounded(mean: Tensor, generator: torch.Generator) -> Tensor:
    """The integer below or above, so that the mean is kept."""
    return (mean + torch.rand(mean.shape, generator=generator, device=mean.device)).floor().long()


def _normal(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator, device=generator.device)


def _row(values: object, like: Tensor) -> Tensor:
    return torch.as_tensor(values, dtype=like.dtype, device=like.device)[None, :]
