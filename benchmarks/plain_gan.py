"""The GAN of *amplify*, sec. 2, as one would write it down for one network: the reference.

Modules of ``torch.nn``, automatic differentiation, ``torch.optim``: no stack, no tangents, no line
of ``amplib.models.gan``.  ``gan_throughput.py`` measures what the stacked training gains over it;
``tests/models/test_gan.py`` demands that both give the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from amplib.models.config import GANConfig

Masks = list[Tensor] | None
"""One dropout mask a hidden layer, scale included; None draws them in ``nn.Dropout``."""


class Hidden(nn.Module):
    """``depth`` times linear, activation, dropout."""

    def __init__(self, inputs: int, c: GANConfig, activation: nn.Module):
        super().__init__()
        widths = [inputs] + [c.width] * c.depth
        self.layers = nn.ModuleList(nn.Linear(widths[k], widths[k + 1]) for k in range(c.depth))
        self.activation, self.dropout = activation, nn.Dropout(c.dropout)

    def forward(self, h: Tensor, masks: Masks) -> Tensor:
        for k, layer in enumerate(self.layers):
            h = self.activation(layer(h))
            h = self.dropout(h) if masks is None else h * masks[k]
        return h


class Generator(nn.Module):
    """z ``(n, latent)`` -> x ``(n, d)``."""

    def __init__(self, c: GANConfig):
        super().__init__()
        self.hidden = Hidden(c.latent, c, nn.ELU())
        self.output = nn.Linear(c.width, c.dimension)

    def forward(self, z: Tensor, masks: Masks = None) -> Tensor:
        return self.output(self.hidden(z, masks))


class Discriminator(nn.Module):
    """The logit of D(x, B) = f(x, F(Phi(B - x))) for x ``(n, d)`` and its batch B ``(n, d)``."""

    def __init__(self, c: GANConfig):
        super().__init__()
        widths = [c.dimension, c.width, c.width, c.embedding]
        layers: list[nn.Module] = []
        for k in range(3):
            layers += [nn.Conv1d(widths[k], widths[k + 1], kernel_size=1), nn.LeakyReLU(0.01)]
        self.embedding = nn.Sequential(*layers)
        self.hidden = Hidden(c.dimension + c.embedding, c, nn.LeakyReLU(0.01))
        self.output = nn.Linear(c.width, 1)
        self.aggregation, self.floor = c.aggregation, c.std_floor

    def forward(self, x: Tensor, batch: Tensor, masks: Masks = None) -> Tensor:
        difference = batch.T.unsqueeze(0) - x.unsqueeze(2)  # (n, d, n): B - x of every x
        summary = self.aggregate(self.embedding(difference))
        return self.output(self.hidden(torch.cat([x, summary], 1), masks)).squeeze(1)

    def aggregate(self, phi: Tensor) -> Tensor:
        """F along the batch, ``(n, m, n) -> (n, m)``."""
        if self.aggregation in ("std", "biased-std"):
            # torch.std has an infinite gradient where all embeddings coincide.
            return torch.sqrt(phi.var(2, unbiased=self.aggregation == "std") + self.floor)
        if self.aggregation == "max":
            return phi.max(2).values
        return phi.mean(2) if self.aggregation == "mean" else phi.sum(2)


@dataclass
class Draws:
    """The random numbers of one discriminator and one generator step."""

    noise: Tensor
    """``(n, d)``, uniform on [-1, 1]: what is put on the training points."""
    latent: tuple[Tensor, Tensor]
    """``(n, latent)`` of the discriminator's and of the generator's step."""
    generator: tuple[Masks, Masks] = (None, None)
    """Masks of the generator in either step."""
    discriminator: tuple[Masks, Masks, Masks] = (None, None, None)
    """Masks of the discriminator on real points, on generated ones, in the generator's step."""


class PlainGAN:
    """One camel-back GAN.

    Args:
        config: what to train.
        data: ``(N, d)`` training points.
        device: ``cpu`` or ``cuda``.
        dtype: ``torch.float32``; ``torch.float64`` for comparisons.
    """

    def __init__(
        self,
        config: GANConfig,
        data: np.ndarray,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        c = self.config = config
        self.data = torch.as_tensor(data, device=device, dtype=dtype)
        self.generator = Generator(c).to(device, dtype)
        self.discriminator = Discriminator(c).to(device, dtype)
        self.bce = nn.BCEWithLogitsLoss()
        networks = (self.generator, self.discriminator)
        self.adam_g, self.adam_d = (
            torch.optim.Adam(m.parameters(), lr=c.learning_rate, betas=(c.beta_1, c.beta_2))
            for m in networks
        )
        self.schedules = [
            torch.optim.lr_scheduler.StepLR(adam, c.decay_epochs, c.decay)
            for adam in (self.adam_g, self.adam_d)
        ]

    def draw(self) -> Draws:
        """Fresh random numbers; dropout draws its own."""
        n, d, latent = self.config.batch_size, self.config.dimension, self.config.latent
        return Draws(self.uniform(n, d), (self.uniform(n, latent), self.uniform(n, latent)))

    def uniform(self, *shape: int) -> Tensor:
        """Uniform on [-1, 1]."""
        return 2 * torch.rand(shape, device=self.data.device, dtype=self.data.dtype) - 1

    def train_epoch(self) -> None:
        """Shuffle, then one discriminator and one generator step a full batch."""
        order = torch.randperm(len(self.data), device=self.data.device)
        for batch in order.split(self.config.batch_size):
            if len(batch) == self.config.batch_size:
                self.step(self.data[batch], self.draw())
        self.end_epoch()

    def end_epoch(self) -> None:
        """Move the learning rates along their schedule."""
        for schedule in self.schedules:
            schedule.step()

    def step(self, points: Tensor, draws: Draws) -> tuple[Tensor, Tensor, Tensor]:
        """One step of either network on ``(n, d)`` points.

        Returns:
            cross entropy, gradient penalty and the generator's loss.
        """
        sets = self.sets(points, draws)
        entropy, penalty = torch.zeros(2, device=points.device, dtype=points.dtype)
        for update in [sets] if self.config.updates == "joint" else [[s] for s in sets]:
            losses = torch.stack([self.discriminator_loss(*s) for s in update]).sum(0)
            self.adam_d.zero_grad()
            losses.sum().backward()
            self.adam_d.step()
            entropy, penalty = entropy + losses[0], penalty + losses[1]
        loss = self.generator_loss(draws)
        self.adam_g.zero_grad()
        loss.backward(inputs=list(self.generator.parameters()))
        self.adam_g.step()
        return entropy.detach(), penalty.detach(), loss.detach()

    def sets(
        self, points: Tensor, draws: Draws
    ) -> list[tuple[Tensor, Tensor | None, float, Masks]]:
        """Real and generated points, each with its batch (None: the points), label and masks."""
        noisy = points + self.config.input_noise * draws.noise
        with torch.no_grad():
            fake = self.generator(draws.latent[0], draws.generator[0])
        clean = points if self.config.noise_order == "after" else None
        real_masks, fake_masks, _ = draws.discriminator
        return [(noisy, clean, 1.0, real_masks), (fake, None, 0.0, fake_masks)]

    def discriminator_loss(
        self, x: Tensor, batch: Tensor | None, label: float, masks: Masks
    ) -> Tensor:
        """Cross entropy and the penalty of arXiv:1705.09367 on the gradient of the logit."""
        c = self.config
        x = x.detach().requires_grad_()
        if batch is None:
            batch = x if c.gradient_path == "batch" else x.detach()
        logit = self.discriminator(x, batch, masks)
        (gradient,) = torch.autograd.grad(logit.sum(), x, create_graph=True)
        wrong = label - torch.sigmoid(logit)
        entropy = self.bce(logit, torch.full_like(logit, label))
        return torch.stack([entropy, c.penalty / 2 * (wrong**2 * (gradient**2).sum(1)).mean()])

    def generator_loss(self, draws: Draws) -> Tensor:
        """-log D, or log(1 - D) if saturating."""
        fake = self.generator(draws.latent[1], draws.generator[1])
        logit = self.discriminator(fake, fake, draws.discriminator[2])
        if self.config.generator_loss == "saturating":
            return -self.bce(logit, torch.zeros_like(logit))
        return self.bce(logit, torch.ones_like(logit))

    @torch.no_grad()
    def load_member(self, stack: Any, k: int) -> None:
        """Take over the weights of member k of an ``amplib.models.gan.StackedGAN``."""
        for mine, theirs in self.twins(stack):
            weight, bias = theirs.weight[k].T, theirs.bias[k, 0]
            mine.weight.copy_(weight.reshape(mine.weight.shape))
            mine.bias.copy_(bias)

    def twins(self, stack: Any) -> list[tuple[Any, Any]]:
        """Each of our layers with the stacked one that does the same."""
        g, d = self.generator, self.discriminator
        mine = [*g.hidden.layers, g.output]
        mine += [*list(d.embedding)[::2], *d.hidden.layers, d.output]
        theirs = [*stack.generator.hidden, stack.generator.output]
        theirs += [*stack.discriminator.embedding, *stack.discriminator.hidden]
        theirs += [stack.discriminator.output]
        return list(zip(mine, theirs, strict=True))
