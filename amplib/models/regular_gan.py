r"""The regular GAN (Goodfellow et al., arXiv:1406.2661) on tables of events, of dense layers.

:math:`L_D = \langle -\ln D(x) \rangle + \langle -\ln(1 - D(G)) \rangle` and, not saturating,
:math:`L_G = \langle -\ln D(G) \rangle`.  E of them train at once (see ``stack``).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import Adam

from amplib.models.config import RegularGANConfig
from amplib.models.layers import Perceptron
from amplib.models.noise import Noise, NoiseBlock, series_words
from amplib.models.objectives import binary_entropy
from amplib.models.stack import SharedStack, descend

PIECE = 8192
"""Events that are generated at a time."""
SLOPE = 0.2
"""Of the LeakyReLU below zero, as Radford et al. have it."""


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
        columns, hidden = events.shape[1], (config.width,) * config.depth
        self.generator = Perceptron((config.noise, *hidden, columns), self.starts, SLOPE)
        self.discriminator = Perceptron((columns, *hidden, 1), self.starts, SLOPE)
        for network in (self.generator, self.discriminator):
            network.to(self.device, dtype)
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
        real, generated = self._logits(torch.cat([batch, first.detach()], 1)).split(rows, 1)
        loss_d = binary_entropy(real, True) + binary_entropy(generated, False)
        descend(self.adam_d, loss_d)
        loss_g = binary_entropy(self._logits(second), True)
        descend(self.adam_g, loss_g)
        return torch.stack([loss_d, loss_g]).detach()

    def _logits(self, events: Tensor) -> Tensor:
        """Of being real, ``(E, rows)``."""
        return self.discriminator(events).squeeze(2)

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
            events = self.scaling.to_events(self._events(self.generation, number, batch))
            yield events[:, : n - start].cpu().numpy()
