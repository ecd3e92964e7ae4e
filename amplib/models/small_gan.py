r"""The GANs of DCTRGAN's Gaussian examples (sec. III A): small, and never short of training events.

Generator and discriminator are perceptrons with two hidden layers of ReLUs.  Every step draws fresh
events of the truth, so that what is wrong with the generator is not a matter of statistics.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.optim import Adam, Optimizer

from amplib.models.config import STEPS_AN_EPOCH
from amplib.models.layers import Perceptron
from amplib.models.noise import NoiseBlock, normal_words
from amplib.models.objectives import binary_entropy
from amplib.models.stack import Stack, descend

GENERATOR, DISCRIMINATOR = (15, 15), (25, 25)
"""Widths of the hidden layers."""


class Source(Protocol):
    """Draws events of the truth from a step's noise, for E members at once."""

    dimension: int

    def words(self, rows: int) -> int:
        """Noise words that so many events take."""

    def __call__(self, noise: NoiseBlock, rows: int) -> Tensor:
        """``(E, rows, d)``."""


class SmallGAN(Stack):
    """E independent GANs, trained side by side on one truth.

    As in the released code a step updates the discriminator on half a batch of real events, then on
    as many generated ones, and the generator on a whole batch; its loss is -log D.

    Args:
        source: of real events.
        latent: normal numbers that the generator makes an event of.
        seeds: one seed a member.
        batch_size: even.
        learning_rate: of Adam, which otherwise stands at its defaults.
        device: ``cpu`` or ``cuda``.
        dtype: ``torch.float32``; ``torch.float64`` for tests and fingerprints.
    """

    def __init__(
        self,
        source: Source,
        latent: int,
        seeds: list[np.random.SeedSequence],
        batch_size: int = 128,
        learning_rate: float = 1e-3,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        if batch_size % 2:
            raise ValueError(f"batch_size = {batch_size}: must be even, half of it is real")
        super().__init__(seeds, 3, device, dtype)
        self.source, self.latent = source, latent
        self.batch_size, self.learning_rate = batch_size, learning_rate
        d = source.dimension
        self.generator = Perceptron((latent, *GENERATOR, d), self.starts)
        self.discriminator = Perceptron((d, *DISCRIMINATOR, 1), self.starts)
        for network in (self.generator, self.discriminator):
            network.to(self.device, dtype)
        self.noise, self.generation = self.stream(1), self.stream(2)
        self.adam_g = self.optimise("generator", self.generator, Adam)
        self.adam_d = self.optimise("discriminator", self.discriminator, Adam)

    def rate_at(self, epoch: int) -> float:
        return self.learning_rate

    @property
    def words_per_step(self) -> int:
        """Noise words of one step."""
        half = self.batch_size // 2
        latent = [normal_words(rows * self.latent) for rows in (half, self.batch_size)]
        return self.source.words(half) + sum(latent)

    def run_epoch(self) -> None:
        """``STEPS_AN_EPOCH`` steps; ``losses`` are the discriminator's on real and on generated
        events and the generator's."""
        words = self.words_per_step
        for step in range(STEPS_AN_EPOCH):
            start = (self.epoch * STEPS_AN_EPOCH + step) * words
            self._step(NoiseBlock(self.noise.words(start, words), self.dtype))
        self.epoch += 1

    def _step(self, noise: NoiseBlock) -> None:
        half = self.batch_size // 2
        real = self.source(noise, half)
        with torch.no_grad():
            fake = self.generator(noise.normal(half, self.latent))
        for k, (x, is_real) in enumerate(((real, True), (fake, False))):
            self._update(self.adam_d, x, is_real, k)
        made = self.generator(noise.normal(self.batch_size, self.latent))
        self._update(self.adam_g, made, True, 2)

    def _update(self, optimiser: Optimizer, x: Tensor, real: bool, k: int) -> None:
        """One step towards the discriminator taking points for what ``real`` says."""
        loss = binary_entropy(self.discriminator(x).squeeze(2), real)
        descend(optimiser, loss)
        self.losses[k].copy_(loss.detach())

    @torch.no_grad()
    def generate(self, chunk: int = 10_000) -> Iterator[np.ndarray]:
        """Endless chunks of generated events, ``(E, chunk, d)`` each.

        The events do not depend on how many are asked for, only on ``chunk``.
        """
        words, start = normal_words(chunk * self.latent), 0
        while True:
            noise = NoiseBlock(self.generation.words(start, words), self.dtype)
            yield self.generator(noise.normal(chunk, self.latent)).cpu().numpy()
            start += words
