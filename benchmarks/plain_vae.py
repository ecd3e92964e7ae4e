"""The event paper's VAE as one would write it down for one network: the reference.

Modules of ``torch.nn`` and ``torch.optim``: no stack, no mask, no line of ``amplib.models.bvae``.
``vae_throughput.py`` measures what the stacked training gains over it;
``tests/models/test_bvae.py`` demands that both give the same numbers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from amplib.models.config import VAEConfig


class Hidden(nn.Module):
    """``depth`` times linear and ELU, with shortcuts from two layers before."""

    def __init__(self, inputs: int, c: VAEConfig):
        super().__init__()
        widths = [inputs] + [c.width] * c.depth
        self.layers = nn.ModuleList(nn.Linear(widths[k], widths[k + 1]) for k in range(c.depth))

    def forward(self, h: Tensor) -> Tensor:
        outputs: list[Tensor] = []
        for k, layer in enumerate(self.layers):
            h = layer(h)
            outputs.append(nn.functional.elu(h if k < 2 else h + outputs[k - 2]))
            h = outputs[-1]
        return h


class PlainVAE(nn.Module):
    """One VAE, trained by Adam."""

    def __init__(self, config: VAEConfig, columns: int):
        super().__init__()
        self.b = config.kl_weight
        self.encoder, self.decoder = Hidden(columns, config), Hidden(config.latent, config)
        self.mean, self.log_variance = (nn.Linear(config.width, config.latent) for _ in range(2))
        self.output = nn.Linear(config.width, columns)
        self.adam = torch.optim.Adam(self.parameters(), config.learning_rate)

    def train_step(self, x: Tensor, noise: Tensor) -> Tensor:
        """One step of Adam on scaled events ``(rows, columns)``; returns the loss, eq. 13."""
        hidden = self.encoder(x)
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        z = mean + torch.exp(log_variance / 2) * noise
        made = torch.tanh(self.output(self.decoder(z)))
        divergence = -0.5 * (1 + log_variance - mean**2 - torch.exp(log_variance)).sum(1).mean()
        loss = (1 - self.b) * nn.functional.mse_loss(made, x) + self.b * divergence
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        return loss.detach()
