r"""The BIB-AE of DCTRGAN, sec. III B: an autoencoder of showers between critics.

The encoder makes of an image x a normal distribution of 24 latent numbers, the decoder an image
of latent numbers and noise.  Critics compare (x, x) with (x, reconstructed x) by their difference
and by the second image itself; latent critics, KL divergence and mean discrepancy hold the latent
numbers to N(0, 1), from which generation draws them.

Layers, losses and rates are those of *Getting High* (Buhmann et al., arXiv:2005.05334, appendix,
and its repository FLC-QU-hep/getting_high).  DCTRGAN's changes are in words only: "each critic is
replaced by a set of two identical critic networks ... trained in parallel, however one of the two
has its weights reset after every epoch", uniform noise, no post-processor.  Our readings:

- "each critic" holds for the latent one too; what the autoencoder minimises has the mean of the
  two networks' values, so that a set weighs as much as the one network it replaces;
- what is reset forgets its optimiser's moments as well, which belong to other weights;
- the noise that pads the latent numbers is uniform, on [-1, 1]; the latent numbers stay normal;
- latent critic and discrepancy see the 24 latent numbers, not the noise beside them;
- energies enter in units of 100 GeV, as all showers have the same.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.mixture import GaussianMixture
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from amplib.models.config import BIBAEConfig
from amplib.models.generators import ROWS, ImageGenerator, ImageStack, Measure, frozen, pedestal
from amplib.models.layers import StackedLayers, StackedLinear
from amplib.models.noise import JoinedNoise, NoiseBlock, normal_words, uniform_words
from amplib.models.objectives import (
    ALPHAS,
    between,
    critic_difference,
    gradient_penalty,
    kl_divergence,
    maximum_mean_discrepancy,
)
from amplib.models.stack import descend, forget
from amplib.models.volumes import (
    SpaceNorm,
    SparseImages,
    StackedConv3d,
    StackedConvTranspose3d,
)
from amplib.models.weight_shapes import CHANNELS, DENSE, divided

_Module = TypeVar("_Module", bound=nn.Module)
LEAK = 0.2
LATENT_LEAK = 0.01
"""Of the latent critic and of the critic's layer on the difference."""
ENERGY_UNIT = 100.0
"""GeV."""
FILTERS = 128
LATENT_CRITIC = (1, 50, 100, 50, 1)
COMPONENTS = 16
"""Of the Gaussian mixture that is fitted to encoded showers."""

TERMS = ("critic", "reset critic", "latent critic", "divergence", "discrepancy")
"""Losses of a step: what both networks of the critic minimise, that of the latent critic, and the
latent terms of the autoencoder, without their weights."""


def _leaky(x: Tensor, leak: float = LEAK) -> Tensor:
    return F.leaky_relu(x, leak)


def _with_energy(x: Tensor, energy: float) -> Tensor:
    """``(E, rows, n)`` and, in the last of n + 1 columns, the energy."""
    return F.pad(x, (0, 1), value=energy / ENERGY_UNIT)


class _NormedConv(nn.Module):
    """Convolution, layer norm over space, LeakyReLU."""

    def __init__(self, convolution: StackedConv3d, side: int):
        super().__init__()
        self.convolution = convolution
        self.norm = SpaceNorm(len(convolution.weight), side)

    def forward(self, x: Tensor) -> Tensor:
        return _leaky(self.norm(self.convolution(x)))


class Encoder(nn.Module):
    """Images ``(E, rows, n, n, n)`` to mean and log variance, ``(E, rows, latent)`` each."""

    def __init__(
        self, config: BIBAEConfig, energy: float, side: int, starts: list[torch.Generator]
    ):
        super().__init__()
        self.energy = energy
        c = divided(CHANNELS, config.scale)
        wide, narrow = divided(DENSE, config.scale)
        layers = []
        for i, o in pairwise([1, *c[:3]]):
            side = side // 2 + 1  # 30: 16, 9, 5
            layers.append(_NormedConv(StackedConv3d(i, o, 4, starts, stride=2, padding=2), side))
        layers.append(_NormedConv(StackedConv3d(c[2], c[3], 3, starts, padding=1), side))
        self.convolutions = nn.Sequential(*layers)
        self.dense = StackedLayers([c[3] * side**3 + 1, wide, narrow], starts)
        self.mean = StackedLinear(narrow, config.latent, starts)
        self.log_variance = StackedLinear(narrow, config.latent, starts)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        x = self.convolutions(images.unsqueeze(2)).flatten(2)
        x = _with_energy(x, self.energy)
        for layer in self.dense:
            x = _leaky(layer(x))
        return self.mean(x).to(images.dtype), self.log_variance(x).to(images.dtype)


class Decoder(nn.Module):
    """Latent numbers and noise ``(E, rows, k)`` to images ``(E, rows, n, n, n)``."""

    def __init__(
        self, config: BIBAEConfig, energy: float, side: int, starts: list[torch.Generator]
    ):
        super().__init__()
        self.energy, self.third = energy, side // 3
        self.noise = config.noise // config.scale
        c = divided(CHANNELS, config.scale)
        wide, narrow = divided(DENSE, config.scale)
        widths = [config.latent + self.noise + 1, narrow, wide, c[0] * self.third**3]
        self.dense = StackedLayers(widths, starts)
        up = StackedConvTranspose3d(c[0], c[0], 3, starts, stride=3, padding=1, output=side)
        layers = [_NormedConv(up, side)]
        if config.detour == "60":
            twice = 2 * side
            there = StackedConvTranspose3d(c[0], c[1], 3, starts, 2, 1, output=twice)
            back = StackedConv3d(c[1], c[0], 2, starts, stride=2)
            layers += [_NormedConv(there, twice), _NormedConv(back, side)]
        for i, o in ((c[0], c[1]), (c[1], c[2]), (c[2], c[1])):
            layers.append(_NormedConv(StackedConv3d(i, o, 3, starts, padding=1), side))
        self.convolutions = nn.Sequential(*layers)
        self.output = StackedConv3d(c[1], 1, 3, starts, padding=1)
        self.pedestal = pedestal(config.start, len(starts), side)

    def forward(self, z: Tensor) -> Tensor:
        x = _with_energy(z, self.energy)
        for layer in self.dense:
            x = _leaky(layer(x))
        x = self.convolutions(x.unflatten(2, (-1, *[self.third] * 3)))
        return F.relu(self.pedestal(self.output(x).squeeze(2).to(z.dtype)))


class Critic(nn.Module):
    """How real a pair of images is, ``(E, rows, 2, n, n, n)`` to ``(E, rows)``.

    Four streams: convolutions of the second image, others of its logarithm, a dense layer on the
    difference of the two and one on the energy.
    """

    def __init__(
        self, config: BIBAEConfig, energy: float, side: int, starts: list[torch.Generator]
    ):
        super().__init__()
        self.energy = energy
        (filters,) = divided((FILTERS,), config.scale)
        half = max(1, filters // 2)
        inner = (side - 3) // 2 + 1  # 30: 14, 6, 4
        last = (inner - 3) // 2 + 1
        self.image, self.logarithm = (self._stream(filters, inner, last, starts) for _ in range(2))
        self.image_dense, self.logarithm_dense = (
            StackedLinear(filters * (last - 2) ** 3, half, starts) for _ in range(2)
        )
        self.difference_dense = StackedLinear(side**3, half, starts)
        self.energy_dense = StackedLinear(1, half, starts)
        self.head = StackedLayers([4 * half, *[2 * filters] * 3, 1], starts)

    @staticmethod
    def _stream(
        filters: int, inner: int, last: int, starts: list[torch.Generator]
    ) -> nn.Sequential:
        return nn.Sequential(
            _NormedConv(StackedConv3d(1, filters, 3, starts, stride=2), inner),
            _NormedConv(StackedConv3d(filters, filters, 3, starts, stride=2), last),
            StackedConv3d(filters, filters, 3, starts),
        )

    def forward(self, pair: Tensor) -> Tensor:
        first, second = pair[:, :, 0], pair[:, :, 1]
        image = _leaky(self.image(second.unsqueeze(2))).flatten(2)
        logarithm = _leaky(self.logarithm(second.log1p().unsqueeze(2))).flatten(2)
        difference = self.difference_dense((second - first).flatten(2))
        energy = _with_energy(first.flatten(2)[:, :, :0], self.energy)
        x = torch.cat(
            [
                _leaky(self.image_dense(image)),
                _leaky(self.logarithm_dense(logarithm)),
                _leaky(difference, LATENT_LEAK),
                _leaky(self.energy_dense(energy)),
            ],
            2,
        )
        *hidden, last = self.head
        for layer in hidden:
            x = _leaky(layer(x))
        return last(x).squeeze(2).to(pair.dtype)


class LatentCritic(nn.Module):
    """How normal each latent number is, ``(E, rows, latent)`` to the same shape."""

    def __init__(self, starts: list[torch.Generator]):
        super().__init__()
        self.layers = StackedLayers(LATENT_CRITIC, starts)

    def forward(self, z: Tensor) -> Tensor:
        x = z.flatten(1).unsqueeze(2)
        *hidden, last = self.layers
        for layer in hidden:
            x = _leaky(layer(x), LATENT_LEAK)
        return last(x).view_as(z)


class BIBAEGenerator(ImageGenerator):
    """The decoder on latent numbers from N(0, 1), as published, or from a fitted density.

    Args:
        decoder: with its weights.
        latent: how many numbers.
        density: of the latent numbers; None for N(0, 1).
    """

    def __init__(self, decoder: Decoder, latent: int, density: Mixture | None = None):
        super().__init__()
        self.decoder, self.latent, self.density = decoder, latent, density

    def words(self, rows: int) -> int:
        latent = normal_words(rows * self.latent) + uniform_words(rows * self.decoder.noise)
        return latent + (uniform_words(rows) if self.density else 0)

    def forward(self, noise: NoiseBlock | JoinedNoise, rows: int) -> Tensor:
        z = noise.normal(rows, self.latent)
        if self.density is not None:
            z = self.density.shaped(z, noise.uniform(rows))
        return self.decoder(torch.cat([z, noise.uniform(rows, self.decoder.noise)], 2))


class Mixture:
    """E Gaussian mixtures of latent numbers.

    Args:
        share: ``(E, K)`` of the components.
        mean: ``(E, K, latent)``.
        factor: ``(E, K, latent, latent)`` lower triangular roots of the covariances.
    """

    def __init__(self, share: Tensor, mean: Tensor, factor: Tensor):
        self.share, self.mean, self.factor = share, mean, factor

    @classmethod
    def fit(cls, latents: Tensor, seed: int, components: int = COMPONENTS) -> Mixture:
        """By maximum likelihood to ``(E, N, latent)``."""
        fits = []
        for z in latents.double().cpu().numpy():
            k = min(components, len(z) // (2 * z.shape[1]) or 1)
            fit = GaussianMixture(k, reg_covar=1e-4, random_state=seed).fit(z)
            fits.append((fit.weights_, fit.means_, np.linalg.cholesky(fit.covariances_)))
        arrays = (np.stack(a) for a in zip(*fits, strict=True))
        return cls(*(torch.as_tensor(a).to(latents) for a in arrays))

    def shaped(self, normal: Tensor, choice: Tensor) -> Tensor:
        """Numbers of this density from normal ones ``(E, rows, latent)`` and uniform ones.

        Args:
            normal: N(0, 1).
            choice: ``(E, rows)``, uniform on [-1, 1].
        """
        edges = self.share.cumsum(1)[:, :-1]
        k = torch.searchsorted(edges.contiguous(), (choice + 1) / 2)
        member = torch.arange(len(k), device=k.device)[:, None]
        turned = torch.einsum("erij,erj->eri", self.factor[member, k], normal)
        return self.mean[member, k] + turned


class StackedBIBAE(ImageStack):
    """E independent BIB-AEs; see ``ImageStack``.

    Args:
        config: what to train.
        images: training showers.
        energy: of the particles, GeV.
        measure, reference, threshold, seeds, device, dtype: of ``ImageStack``.
    """

    sides = (30, 15)
    """15 for tests."""
    config: BIBAEConfig

    def __init__(
        self,
        config: BIBAEConfig,
        images: SparseImages,
        energy: float,
        measure: Measure,
        reference: Tensor,
        threshold: float,
        seeds: list[np.random.SeedSequence],
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__(config, images, measure, reference, threshold, TERMS, seeds, device, dtype)
        self.energy = energy
        side = images.shape[0]
        self.encoder = self._placed(Encoder(config, energy, side, self.starts))
        self.decoder = self._placed(Decoder(config, energy, side, self.starts))
        self.generator = BIBAEGenerator(self.decoder, config.latent)
        self.start_from_the_mean(self.decoder.pedestal)
        self.autoencoder = nn.ModuleDict({"encoder": self.encoder, "decoder": self.decoder})
        self.critics = [self._placed(Critic(config, energy, side, self.starts)) for _ in range(2)]
        self.latent_critics = [self._placed(LatentCritic(self.starts)) for _ in range(2)]
        self.encoding = self.stream(5)
        betas = (config.beta_1, config.beta_2)
        self.adam = self.optimise("autoencoder", self.autoencoder, Adam, betas=betas)
        names, rate = ("critic", "reset"), config.latent_rate
        self.critic_adams: list[Optimizer] = [
            self.optimise(name, critic, Adam, betas=betas)
            for name, critic in zip(names, self.critics, strict=True)
        ]
        self.latent_adams: list[Optimizer] = [
            self.optimise(f"latent {name}", critic, Adam, rate, betas=betas)
            for name, critic in zip(names, self.latent_critics, strict=True)
        ]
        self.keep(encoder=self.encoder, decoder=self.decoder)

    def _placed(self, module: _Module) -> _Module:
        return module.to(self.device, self.dtype)

    def begin_pass(self, number: int) -> None:
        """One network of each critic starts anew, each time from a stream of its own."""
        starts = [
            torch.Generator().manual_seed(
                int(np.random.SeedSequence(s.entropy, spawn_key=(*s.spawn_key, number))
                    .generate_state(1)[0])
            )
            for s in self._spawn(4)
        ]  # fmt: skip
        fresh = (
            Critic(self.config, self.energy, self.images.shape[0], starts),
            LatentCritic(starts),
        )
        worn = (self.critics[1], self.latent_critics[1])
        for new, old in zip(fresh, worn, strict=True):
            old.load_state_dict(new.state_dict())
        for adam in (self.critic_adams[1], self.latent_adams[1]):
            forget(adam)

    def step_words(self) -> int:
        c, n = self.config, self.config.batch_size
        latent, share = normal_words(n * c.latent), uniform_words(n)
        made = latent + uniform_words(n * self.decoder.noise)
        return c.critic_steps * (made + latent + 2 * share) + made + latent

    def train_step(self, images: Tensor, noise: NoiseBlock) -> Tensor:
        """``critic_steps`` steps of every critic, then one of the autoencoder."""
        with torch.no_grad(), self.autocast():
            encoded = self.encoder(images)  # the same in all of the critics' steps
        for _ in range(self.config.critic_steps):
            critics = self._critics_step(images, encoded, noise)
        return torch.cat([critics, self._autoencoder_step(images, noise)])

    def _latents(self, encoded: tuple[Tensor, Tensor], noise: NoiseBlock) -> Tensor:
        mean, log_variance = encoded
        return mean + (log_variance / 2).exp() * noise.normal(*mean.shape[1:])

    def _decoded(self, z: Tensor, noise: NoiseBlock) -> Tensor:
        return self.decoder(torch.cat([z, noise.uniform(z.shape[1], self.decoder.noise)], 2))

    def _critics_step(
        self, images: Tensor, encoded: tuple[Tensor, Tensor], noise: NoiseBlock
    ) -> Tensor:
        n = len(images[0])
        with torch.no_grad(), self.autocast():
            z = self._latents(encoded, noise)
            made = self._decoded(z, noise)
        normal = noise.normal(*z.shape[1:])
        real, fake = torch.stack([images, images], 2), torch.stack([images, made], 2)
        middle = between(real, fake, _share(noise, n))
        latent_middle = between(normal, z, _share(noise, n))
        losses = [
            self._critic_update(critic, adam, real, fake, middle)
            for critic, adam in zip(self.critics, self.critic_adams, strict=True)
        ]
        latent = [
            self._critic_update(critic, adam, normal, z, latent_middle)
            for critic, adam in zip(self.latent_critics, self.latent_adams, strict=True)
        ]
        return torch.stack([*losses, torch.stack(latent).mean(0)])

    def _critic_update(
        self, critic: nn.Module, adam: Optimizer, real: Tensor, fake: Tensor, middle: Tensor
    ) -> Tensor:
        """One step of a critic; what it minimised, ``(E,)``."""
        with self.autocast():
            values = critic(torch.cat([real, fake], 1))
            slope = gradient_penalty(critic, middle)
        of_real, of_fake = (half.flatten(1) for half in values.chunk(2, 1))
        loss = critic_difference(of_real, of_fake) + self.config.penalty * slope
        descend(adam, loss)
        return loss.detach()

    def _autoencoder_step(self, images: Tensor, noise: NoiseBlock) -> Tensor:
        c = self.config
        with frozen(*self.critics, *self.latent_critics):
            with self.autocast():
                mean, log_variance = self.encoder(images)
                z = self._latents((mean, log_variance), noise)
                pair = torch.stack([images, self._decoded(z, noise)], 2)
                values = [critic(pair).mean(1) for critic in self.critics]
                latent = [critic(z).flatten(1).mean(1) for critic in self.latent_critics]
            normal = noise.normal(*z.shape[1:])
            divergence = kl_divergence(mean, log_variance)
            discrepancy = sum(
                (maximum_mean_discrepancy(z, normal, alpha) for alpha in ALPHAS),
                torch.zeros_like(divergence),
            )
            # Critics are large where images are real.
            loss = (
                c.divergence_weight * divergence
                + c.discrepancy_weight * discrepancy
                - c.critic_weight * torch.stack(values).mean(0)
                - c.latent_weight * torch.stack(latent).mean(0)
            )
            descend(self.adam, loss)
        return torch.stack([divergence, discrepancy]).detach()

    @torch.no_grad()
    def encode(self, rows: int) -> Tensor:
        """Latent numbers of the first training images, ``(E, rows, latent)``, one draw of each."""
        members, latents = len(self.seeds), []
        words = normal_words(ROWS * self.config.latent)
        for k, first in enumerate(range(0, rows, ROWS)):
            which = torch.arange(first, min(first + ROWS, rows), device=self.device)
            images = self.images.dense(which.expand(members, -1))
            noise = NoiseBlock(self.encoding.words(k * words, words), self.dtype)
            with self.autocast():
                latents.append(self._latents(self.encoder(images), noise))
        return torch.cat(latents, 1)


def _share(noise: NoiseBlock, rows: int) -> Tensor:
    return (noise.uniform(rows) + 1) / 2
