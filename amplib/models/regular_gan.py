r"""The regular GAN (Goodfellow et al., arXiv:1406.2661) on tables of events, of dense layers.

:math:`L_D = \langle -\ln D(x) \rangle + \langle -\ln(1 - D(G)) \rangle` and, not saturating,
:math:`L_G = \langle -\ln D(G) \rangle`.  E of them train at once (see ``stack``).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from amplib.models.config import RegularGANConfig
from amplib.models.layers import StackedLayers, StackedLinear
from amplib.models.noise import Noise, NoiseBlock, series_words
from amplib.models.stack import SharedStack

PIECE = 8192
"""Events that are generated at a time."""
SLOPE = 0.2
"""Of the LeakyReLU below zero, as Radford et al. have it."""


class Dense(nn.Module):
    """``depth`` x (linear, LeakyReLU), and a linear layer: ``(E, rows, in) -> (E, rows, out)``."""

    def __init__(
        self, config: RegularGANConfig, inputs: int, outputs: int, starts: list[torch.Generator]
    ):
        super().__init__()
        widths = [inputs] + [config.width] * config.depth
        self.hidden = StackedLayers(widths, starts, "he")
        self.output = StackedLinear(config.width, outputs, starts, "xavier")

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.hidden:
            x = F.leaky_relu(layer(x), SLOPE, inplace=True)
        return self.output(x)


class RegularGAN(SharedStack):
    """E GANs, trained side by side on the same events.

    Losses are those of discriminator and generator, means over the epoch.

    Args:
        config: what to train.
        events: training events ``(N, columns)``.
        seeds: one seed a member.
        device: ``cpu`` or ``cuda``.
        dtype: ``torch.float32``; ``torch.float64`` for tests and fingerprints.
    """

    def __init__(
        self,
        config: RegularGANConfig,
        events: NDArray[np.floating],
        seeds: list[np.random.SeedSequence],
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__(events, config.batch_size, seeds, 2, device, dtype)
        self.config = config
        columns = events.shape[1]
        self.generator = Dense(config, config.noise, columns, self.starts).to(self.device, dtype)
        self.discriminator = Dense(config, columns, 1, self.starts).to(self.device, dtype)
        self.noise, self.generation = map(self.stream, (2, 3))
        betas = (config.beta_1, 0.999)
        self.adam_g = self.optimise("generator", self.generator, Adam, betas=betas)
        self.adam_d = self.optimise("discriminator", self.discriminator, Adam, betas=betas)

    def rate_at(self, epoch: int) -> float:
        return self.config.learning_rate

    def train_step(self, batch: Tensor, at: Tensor) -> Tensor:
        """One step of the discriminator, then one of the generator."""
        rows = self.batch_size
        first, second = (self._events(self.noise, 2 * at + k, rows) for k in range(2))
        logits = self.discriminator(torch.cat([batch, first.detach()], 1))
        loss_d = discriminator_loss(logits[:, :rows], logits[:, rows:])
        self._update(self.adam_d, loss_d)
        loss_g = generator_loss(self.discriminator(second))
        self._update(self.adam_g, loss_g)
        return torch.stack([loss_d, loss_g]).detach()

    def _update(self, optimiser: Optimizer, loss: Tensor) -> None:
        optimiser.zero_grad(set_to_none=True)
        loss.sum().backward()
        optimiser.step()

    def _events(self, noise: Noise, at: int | Tensor, rows: int) -> Tensor:
        """Scaled events ``(E, rows, columns)``."""
        words = series_words(rows * self.config.noise)
        block = NoiseBlock(noise.words(at * words, words), self.dtype)
        return self.generator(block.normal_series(rows, self.config.noise)).tanh()

    @torch.no_grad()
    def generate(self, n: int, batch: int = PIECE) -> Iterator[NDArray[np.float32]]:
        """``n`` events of every member, in batches ``(E, batch, columns)``.

        The events do not depend on how many are asked for, only on ``batch``.
        """
        for number, start in enumerate(range(0, n, batch)):
            events = self._events(self.generation, number, batch) * self.scale
            yield events[:, : n - start].cpu().numpy()


def discriminator_loss(real: Tensor, generated: Tensor) -> Tensor:
    """L_D from the logits ``(E, rows, 1)`` of real and of generated events, ``(E,)``."""
    return (F.softplus(-real).mean(1) + F.softplus(generated).mean(1)).squeeze(1)


def generator_loss(generated: Tensor) -> Tensor:
    """L_G from the logits of generated events, ``(E,)``."""
    return F.softplus(-generated).mean(1).squeeze(1)
