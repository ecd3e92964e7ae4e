"""The BIB-AE in ordinary PyTorch, one network at a time: what ``StackedBIBAE`` is compared with.

A training loop as one writes it from the paper: modules of ``torch.nn``, eager, no shared work
between the critics' steps.  The tests hold the stack to its numbers, step by step.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from amplib.models.config import BIBAEConfig
from amplib.models.noise import NoiseBlock


def divided(scale: int, *numbers: int) -> list[int]:
    return [max(1, n // scale) for n in numbers]


def block(convolution: nn.Module, side: int) -> nn.Sequential:
    return nn.Sequential(convolution, nn.LayerNorm([side] * 3), nn.LeakyReLU(0.2))


def dense(*widths: int) -> nn.Sequential:
    pairs = ((nn.Linear(i, o), nn.LeakyReLU(0.2)) for i, o in pairwise(widths))
    return nn.Sequential(*(layer for pair in pairs for layer in pair))


class Encoder(nn.Module):
    def __init__(self, c: BIBAEConfig, side: int):
        super().__init__()
        a, b, d, e, wide, narrow = divided(c.scale, 8, 16, 32, 64, 4000, 768)
        sides = [side := side // 2 + 1 for _ in range(3)]
        self.image = nn.Sequential(
            block(nn.Conv3d(1, a, 4, 2, 2, bias=False), sides[0]),
            block(nn.Conv3d(a, b, 4, 2, 2, bias=False), sides[1]),
            block(nn.Conv3d(b, d, 4, 2, 2, bias=False), sides[2]),
            block(nn.Conv3d(d, e, 3, 1, 1, bias=False), sides[2]),
        )
        self.dense = dense(e * side**3 + 1, wide, narrow)
        self.mean, self.log_variance = (nn.Linear(narrow, c.latent) for _ in range(2))

    def forward(self, x: Tensor, energy: Tensor) -> tuple[Tensor, Tensor]:
        h = self.dense(torch.cat([self.image(x[:, None]).flatten(1), energy], 1))
        return self.mean(h), self.log_variance(h)


class Decoder(nn.Module):
    def __init__(self, c: BIBAEConfig, side: int):
        super().__init__()
        a, b, d, wide, narrow = divided(c.scale, 8, 16, 32, 4000, 768)
        self.third, self.side = side // 3, side
        inputs = c.latent + c.noise // c.scale + 1
        self.dense = dense(inputs, narrow, wide, a * self.third**3)
        self.up = nn.ConvTranspose3d(a, a, 3, 3, 1, bias=False)
        self.up_norm = nn.LayerNorm([side] * 3)
        self.detour = c.detour == "60"
        if self.detour:
            self.there = nn.ConvTranspose3d(a, b, 3, 2, 1, bias=False)
            self.there_norm = nn.LayerNorm([2 * side] * 3)
            self.back = block(nn.Conv3d(b, a, 2, 2, bias=False), side)
        self.image = nn.Sequential(
            block(nn.Conv3d(a, b, 3, 1, 1, bias=False), side),
            block(nn.Conv3d(b, d, 3, 1, 1, bias=False), side),
            block(nn.Conv3d(d, b, 3, 1, 1, bias=False), side),
            nn.Conv3d(b, 1, 3, 1, 1, bias=False),
            nn.ReLU(),
        )

    def forward(self, z: Tensor, energy: Tensor) -> Tensor:
        x = self.dense(torch.cat([z, energy], 1)).unflatten(1, (-1, *[self.third] * 3))
        x = F.leaky_relu(self.up_norm(self.up(x, output_size=[self.side] * 3)), 0.2)
        if self.detour:
            x = self.there(x, output_size=[2 * self.side] * 3)
            x = self.back(F.leaky_relu(self.there_norm(x), 0.2))
        return self.image(x)[:, 0]


class Critic(nn.Module):
    def __init__(self, c: BIBAEConfig, side: int):
        super().__init__()
        (n,) = divided(c.scale, 128)
        half, inner = max(1, n // 2), (side - 3) // 2 + 1
        last = (inner - 3) // 2 + 1

        def stream() -> nn.Sequential:
            return nn.Sequential(
                block(nn.Conv3d(1, n, 3, 2, bias=False), inner),
                block(nn.Conv3d(n, n, 3, 2, bias=False), last),
                nn.Conv3d(n, n, 3, bias=False),
                nn.LeakyReLU(0.2),
                nn.Flatten(),
                nn.Linear(n * (last - 2) ** 3, half),
                nn.LeakyReLU(0.2),
            )

        self.image, self.logarithm = stream(), stream()
        self.difference = nn.Linear(side**3, half)
        self.energy = nn.Linear(1, half)
        self.head = nn.Sequential(dense(4 * half, *[2 * n] * 3), nn.Linear(2 * n, 1))

    def forward(self, pair: Tensor, energy: Tensor) -> Tensor:
        first, second = pair[:, 0], pair[:, 1]
        streams = [
            self.image(second[:, None]),
            self.logarithm(torch.log1p(second)[:, None]),
            F.leaky_relu(self.difference((second - first).flatten(1)), 0.01),
            F.leaky_relu(self.energy(energy), 0.2),
        ]
        return self.head(torch.cat(streams, 1))[:, 0]


def latent_critic() -> nn.Sequential:
    layers: list[nn.Module] = []
    for i, o in pairwise((1, 50, 100, 50, 1)):
        layers += [nn.Linear(i, o), nn.LeakyReLU(0.01)]
    return nn.Sequential(*layers[:-1])


def each_alone(critic: nn.Module, z: Tensor) -> Tensor:
    """What a latent critic says of every latent number."""
    return critic(z.reshape(-1, 1)).view_as(z)


class PlainBIBAE:
    """One BIB-AE and its training step.

    Args:
        config: what to train.
        energy: of the particles, GeV.
        side: cells along each axis of an image.
    """

    def __init__(self, config: BIBAEConfig, energy: float = 50.0, side: int = 30):
        c = self.config = config
        self.energy = energy / 100
        self.encoder, self.decoder = Encoder(c, side), Decoder(c, side)
        self.critics = [Critic(c, side) for _ in range(2)]
        self.latent_critics = [latent_critic() for _ in range(2)]
        betas, rate = (c.beta_1, c.beta_2), c.learning_rate
        autoencoder = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.adam = torch.optim.Adam(autoencoder, rate, betas)
        self.critic_adams = [torch.optim.Adam(m.parameters(), rate, betas) for m in self.critics]
        self.latent_adams = [
            torch.optim.Adam(m.parameters(), c.latent_rate * rate, betas)
            for m in self.latent_critics
        ]

    def modules(self) -> list[nn.Module]:
        return [self.encoder, self.decoder, *self.critics, *self.latent_critics]

    def autoencode(self, x: Tensor, noise: NoiseBlock) -> tuple[Tensor, ...]:
        energy = torch.full((len(x), 1), self.energy, dtype=x.dtype)
        mean, log_variance = self.encoder(x, energy)
        z = mean + torch.exp(log_variance / 2) * noise.normal(*mean.shape)[0]
        padding = noise.uniform(len(x), self.config.noise // self.config.scale)[0]
        return self.decoder(torch.cat([z, padding], 1), energy), z, mean, log_variance

    def update(
        self,
        critic: Callable[[Tensor], Tensor],
        adam: torch.optim.Adam,
        real: Tensor,
        fake: Tensor,
        share: Tensor,
    ) -> Tensor:
        """One step of a critic by WGAN-GP."""
        middle = torch.lerp(fake, real, share.view(-1, *[1] * (real.ndim - 1)))
        middle.requires_grad_(True)
        (gradient,) = torch.autograd.grad(critic(middle).sum(), middle, create_graph=True)
        slope = ((gradient.flatten(1).norm(dim=1) - 1) ** 2).mean()
        loss = critic(fake).mean() - critic(real).mean() + self.config.penalty * slope
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss.detach()

    def step(self, x: Tensor, noise: NoiseBlock) -> list[Tensor]:
        """Five steps of the critics and one of the autoencoder on ``(rows, n, n, n)``."""
        c, n = self.config, len(x)
        energy = torch.full((n, 1), self.energy, dtype=x.dtype)
        for _ in range(c.critic_steps):
            with torch.no_grad():
                made, z, *_ = self.autoencode(x, noise)
            normal = noise.normal(*z.shape)[0]
            shares = [(noise.uniform(n)[0] + 1) / 2 for _ in range(2)]
            real, fake = torch.stack([x, x], 1), torch.stack([x, made], 1)
            losses = [
                self.update(partial(m, energy=energy), adam, real, fake, shares[0])
                for m, adam in zip(self.critics, self.critic_adams, strict=True)
            ]
            latent = [
                self.update(partial(each_alone, m), adam, normal, z, shares[1])
                for m, adam in zip(self.latent_critics, self.latent_adams, strict=True)
            ]
        made, z, mean, log_variance = self.autoencode(x, noise)
        normal = noise.normal(*z.shape)[0]
        pair = torch.stack([x, made], 1)
        critic = sum(m(pair, energy).mean() for m in self.critics) / 2
        latent_value = sum(m(z.reshape(-1, 1)).mean() for m in self.latent_critics) / 2
        divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum() / n
        distances = [
            torch.exp(-alpha * torch.cdist(a, b) ** 2).mean() * sign
            for alpha in (1.0, 0.01)
            for a, b, sign in ((z, z, 1), (normal, normal, 1), (z, normal, -2))
        ]
        discrepancy = torch.stack(distances).sum()
        loss = c.divergence_weight * divergence + c.discrepancy_weight * discrepancy
        loss = loss - c.critic_weight * critic - c.latent_weight * latent_value
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        return [*losses, torch.stack(latent).mean(), divergence.detach(), discrepancy.detach()]

    @torch.no_grad()
    def generate(self, n: int) -> Tensor:
        z = torch.cat(
            [
                torch.randn(n, self.config.latent),
                2 * torch.rand(n, self.config.noise // self.config.scale) - 1,
            ],
            1,
        )
        return self.decoder(z, torch.full((n, 1), self.energy))
