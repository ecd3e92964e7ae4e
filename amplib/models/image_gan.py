r"""The plain GAN of *Getting High*: the cheap rival of the BIB-AE, better at correlations there.

Buhmann et al., arXiv:2005.05334, appendix; layers, noise and optimiser as in its authors'
repository (FLC-QU-hep/getting_high, folder GAN).  The generator's noise is uniform and multiplied
by the energy; transposed convolutions make of it 4, 8, 16, 32 and 30 cells a side.  The
discriminator's convolutions meet the energy in a dense layer.  Cross entropy, non-saturating; the
generator's step sees the images that the discriminator's has just seen.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam

from amplib.models.config import ImageGANConfig
from amplib.models.generators import ImageGenerator, ImageStack, Measure, frozen, pedestal
from amplib.models.layers import StackedLinear
from amplib.models.noise import JoinedNoise, NoiseBlock, uniform_words
from amplib.models.objectives import binary_entropy
from amplib.models.stack import descend
from amplib.models.volumes import (
    BatchNorm,
    SparseImages,
    StackedConv3d,
    StackedConvTranspose3d,
)
from amplib.models.weight_shapes import SIDE

LEAK = 0.2
ENERGY_UNIT = 100.0
"""GeV."""
DEVIATION = 0.02
"""Of the first weights of every layer."""

TERMS = ("discriminator", "generator")


class Generator(ImageGenerator):
    """Uniform noise, times the energy, to images ``(E, rows, 30, 30, 30)``."""

    def __init__(self, config: ImageGANConfig, energy: float, starts: list[torch.Generator]):
        super().__init__()
        self.latent, self.energy = config.latent, energy / ENERGY_UNIT
        g = config.channels
        widths = (8 * g, 4 * g, 2 * g, g)
        self.first = StackedConvTranspose3d(config.latent, 8 * g, 4, starts, deviation=DEVIATION)
        self.layers = nn.Sequential()
        for i, o in pairwise(widths):
            self.layers.extend(
                [
                    StackedConvTranspose3d(i, o, 4, starts, 2, 1, DEVIATION),
                    BatchNorm(o, starts),
                    nn.ReLU(),
                ]
            )
        self.last = StackedConvTranspose3d(g, 1, 3, starts, 1, 2, DEVIATION)
        self.pedestal = pedestal(config.start, len(starts), SIDE)

    def words(self, rows: int) -> int:
        return uniform_words(rows * self.latent)

    def forward(self, noise: NoiseBlock | JoinedNoise, rows: int) -> Tensor:
        z = self.energy * noise.uniform(rows, self.latent)
        x = self.layers(self.first(z[..., None, None, None]))
        return F.relu(self.pedestal(self.last(x).squeeze(2).to(z.dtype)))


class Discriminator(nn.Module):
    """The logit of images ``(E, rows, 30, 30, 30)``, ``(E, rows)``."""

    def __init__(self, config: ImageGANConfig, energy: float, starts: list[torch.Generator]):
        super().__init__()
        self.energy = energy / ENERGY_UNIT
        d = config.critic_channels
        leaky = nn.LeakyReLU(LEAK)
        self.layers = nn.Sequential(
            StackedConv3d(1, d, 3, starts, 2, 3, DEVIATION), leaky  # 17 cells a side
        )  # fmt: skip
        for i, o in ((d, 2 * d), (2 * d, 4 * d), (4 * d, 8 * d)):  # 9, 5, 3
            convolution = StackedConv3d(i, o, 3, starts, 2, 1, DEVIATION)
            self.layers.extend([convolution, BatchNorm(o, starts), leaky])
        self.layers.append(StackedConv3d(8 * d, 4 * d, 3, starts, 2, 0, DEVIATION))
        self.hidden = StackedLinear(4 * d + 1, 2 * d, starts)
        self.output = StackedLinear(2 * d, 1, starts)

    def forward(self, images: Tensor) -> Tensor:
        x = self.layers(images.unsqueeze(2)).flatten(2)
        x = self.hidden(F.pad(x, (0, 1), value=self.energy))
        return self.output(F.leaky_relu(x, LEAK)).squeeze(2).to(images.dtype)


class StackedImageGAN(ImageStack):
    """E independent plain GANs; see ``ImageStack``.

    Args:
        config: what to train.
        images: training showers.
        energy: of the particles, GeV.
        measure, reference, threshold, seeds, device, dtype: of ``ImageStack``.
    """

    config: ImageGANConfig
    generator: Generator

    def __init__(
        self,
        config: ImageGANConfig,
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
        self.generator = Generator(config, energy, self.starts).to(self.device, dtype)
        self.discriminator = Discriminator(config, energy, self.starts).to(self.device, dtype)
        self.start_from_the_mean(self.generator.pedestal)
        betas = (config.beta_1, config.beta_2)
        self.adam_g = self.optimise("generator", self.generator, Adam, betas=betas)
        self.adam_d = self.optimise("discriminator", self.discriminator, Adam, betas=betas)
        self.keep(generator=self.generator)

    def step_words(self) -> int:
        return self.generator.words(self.config.batch_size)

    def train_step(self, images: Tensor, noise: NoiseBlock) -> Tensor:
        """One step of the discriminator, then one of the generator on the same noise."""
        with self.autocast():
            made = self.generator(noise, len(images[0]))
            real, fake = self.discriminator(images), self.discriminator(made.detach())
        discriminator = binary_entropy(real, True) + binary_entropy(fake, False)
        descend(self.adam_d, discriminator)
        with frozen(self.discriminator):
            with self.autocast():
                logit = self.discriminator(made)
            generator = binary_entropy(logit, True)
            descend(self.adam_g, generator)
        return torch.stack([discriminator, generator]).detach()
