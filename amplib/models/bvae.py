r"""The (B-)VAE of the event paper, sec. III A: dense layers with shortcuts, trained by eq. 13.

.. math::
    L = \frac1M \sum_i (1 - B)\,\mathrm{MSE}(x^i, \tilde x^i) + B\,D_{KL}, \qquad
    D_{KL} = -\frac12 \sum_{j=1}^{\dim z} 1 + \ln\sigma_j^2 - \mu_j^2 - \sigma_j^2

with the MSE over the columns, as Keras has it.  E of them train at once (see ``stack``) on the same
events, each with a B and a dim z of its own: a member of fewer latent dimensions than the largest
has the others masked, which is the same as not having them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import SGD, Adam

from amplib.models.config import VAEConfig, VAETraining
from amplib.models.layers import StackedLayers, StackedLinear
from amplib.models.noise import Noise, NoiseBlock, series_words
from amplib.models.scaling import LinearScaling
from amplib.models.stack import SharedStack, check_events, descend, forget

GAIN = 1.55
"""Of the variance of hidden weights, times the width, for ELU (sec. III A)."""
LATENT_LIMIT = 64
"""Noise is counted as if dim z were this, so that it does not depend on dim z of the others."""
PIECE = 8192
"""Events that are encoded at a time."""


class HiddenLayers(nn.Module):
    r"""``depth`` x (linear, ELU), from the third on with a shortcut from two layers before.

    :math:`h_k = \mathrm{ELU}(W_k h_{k-1} + b_k + h_{k-2})`: the sum is what is activated, as in
    He et al. (arXiv:1512.03385), whom the paper cites for its "shortcut connections between every
    other layer".

    Args:
        config: width, depth and initialisation.
        inputs: features in.
        generators: one seeded CPU generator a member.
    """

    shortcuts: ClassVar[bool] = True

    def __init__(self, config: VAETraining, inputs: int, generators: list[torch.Generator]):
        super().__init__()
        variance = GAIN / config.width
        if config.initialisation == "variance":
            variance = math.sqrt(variance)
        widths = [inputs] + [config.width] * config.depth
        self.layers = StackedLayers(widths, generators, math.sqrt(variance))

    def forward(self, x: Tensor) -> Tensor:
        hidden: list[Tensor] = []
        for k, layer in enumerate(self.layers):
            x = layer(x)
            if self.shortcuts and k >= 2:
                x = x + hidden[k - 2]
            x = F.elu(x, inplace=True)
            hidden.append(x)
        return x


class Autoencoder(nn.Module):
    """Encoder to mean and logarithmic variance, decoder to [-1, 1], of E members.

    Output layers start from Xavier's initialisation, Keras' default: the paper gives that of hidden
    ones.

    Args:
        config: architecture.
        columns: numbers in an event.
        generators: one seeded CPU generator a member.
    """

    hidden: ClassVar[type[HiddenLayers]] = HiddenLayers
    mask: Tensor

    def __init__(self, config: VAEConfig, columns: int, generators: list[torch.Generator]):
        super().__init__()
        self.config, self.columns, latent = config, columns, config.latent
        self.encoder = self.hidden(config, columns, generators)
        self.mean = StackedLinear(config.width, latent, generators, "xavier")
        self.log_variance = StackedLinear(config.width, latent, generators, "xavier")
        self.decoder = self.hidden(config, latent, generators)
        self.output = StackedLinear(config.width, columns, generators, "xavier")
        self.register_buffer("mask", torch.ones(len(generators), 1, latent))

    @classmethod
    def joined(cls, members: Sequence[Autoencoder]) -> Autoencoder:
        """One stack of these; those of fewer latent dimensions get masked ones, of weight zero.

        A masked dimension has no gradient: z and its term of the loss are zero.
        """
        largest = max(members, key=lambda m: m.config.latent)
        seeds = [torch.Generator() for m in members for _ in m.mask]
        whole = cls(largest.config, largest.columns, seeds)
        parts = [m.state_dict() for m in members]
        whole.load_state_dict(
            {
                name: torch.cat([_grown(part[name], value.shape) for part in parts])
                for name, value in whole.state_dict().items()
            }
        )
        return whole

    def member(self, k: int) -> Autoencoder:
        """Member k alone, without what is masked in it."""
        config = replace(self.config, latent=int(self.mask[k].sum()))
        alone = type(self)(config, self.columns, [torch.Generator()]).to(self.mask)
        mine = self.state_dict()
        alone.load_state_dict(
            {
                name: mine[name][k : k + 1][tuple(map(slice, value.shape))]
                for name, value in alone.state_dict().items()
            }
        )
        return alone

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithmic variance of the codes, ``(E, rows, dim z)``, of scaled events."""
        hidden = self.encoder(x)
        return self.mean(hidden), self.log_variance(hidden)

    def decode(self, z: Tensor) -> Tensor:
        """Scaled events ``(E, rows, columns)`` of codes ``(E, rows, dim z)``."""
        return self.output(self.decoder(z)).tanh_()

    def forward(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """MSE and KL divergence of each member, ``(E,)``, with :math:`z = \\mu + \\sigma\\epsilon`.

        Args:
            x: scaled events ``(E, rows, columns)``.
            noise: epsilon, ``(E, rows, dim z)``.
        """
        mean, log_variance = self.encode(x)
        deviation = (0.5 * log_variance).exp()
        made = self.decode((mean + deviation * noise) * self.mask)
        mse = (made - x).square().mean((1, 2))
        return mse, self.divergence(mean, log_variance).mean(1)

    def divergence(self, mean: Tensor, log_variance: Tensor) -> Tensor:
        """Eq. 10 with its sign turned, ``(E, rows)``."""
        terms = 1 + log_variance - mean.square() - log_variance.exp()
        return -0.5 * (terms * self.mask).sum(2)


def training_of(configs: Sequence[VAEConfig]) -> VAETraining:
    """What members of a stack share.

    Raises:
        ValueError: they differ in more than dim z and B.
    """
    names = [f.name for f in fields(VAETraining)]
    first, *others = [VAETraining(**{n: getattr(c, n) for n in names}) for c in configs]
    if any(other != first for other in others):
        raise ValueError("members of a stack may differ in latent and kl_weight alone")
    return first


def _grown(value: Tensor, shape: Sequence[int]) -> Tensor:
    """Zeros behind ``value`` up to ``shape``, but for the members."""
    behind = [(0, n - m) for n, m in zip(shape[1:], value.shape[1:], strict=True)]
    return F.pad(value, [n for pair in reversed(behind) for n in pair])


class StackedVAE(SharedStack):
    """E (B-)VAEs, trained side by side on the same events.

    Losses are MSE and KL divergence, means over the epoch, and the loss (eq. 13) of the validation
    events.  That is taken after every epoch, which costs a third of training on as many events, and
    with the same noise each time, so that epochs are told apart by their weights alone.

    Args:
        configs: one a member; they differ in dim z and B at most.
        events: training events ``(N, columns)``.
        validation: events ``(V, columns)`` that tell the best weights.
        seeds: one seed a member.
        device: ``cpu`` or ``cuda``.
        dtype: ``torch.float32``; ``torch.float64`` for tests and fingerprints.

    Raises:
        ValueError: members that differ otherwise; events that are not finite, do not fill a batch
            or have other columns than those that validate.
    """

    precision: ClassVar[str] = "highest"  # what a reconstruction resolves, TF32 rounds away
    kind: ClassVar[type[Autoencoder]] = Autoencoder
    scaling: LinearScaling

    def __init__(
        self,
        configs: Sequence[VAEConfig],
        events: NDArray[np.floating],
        validation: NDArray[np.floating],
        seeds: list[np.random.SeedSequence],
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        check_events(events, validation)
        self.configs, self.config = list(configs), training_of(configs)
        super().__init__(events, self.config.batch_size, seeds, 3, device, dtype)
        self.validation = self.scaling.to_network(torch.as_tensor(validation, device=self.device))
        self.kl_weights = self.tensor(np.array([c.kl_weight for c in configs]))
        members = [
            self.kind(own, events.shape[1], [start])
            for own, start in zip(self.configs, self.starts, strict=True)
        ]
        self.network = self.kind.joined(members).to(self.device, dtype)
        self.noise, self.fixed_noise = map(self.stream, (2, 3))
        self.optimiser = self.adam = self.optimise("network", self.network, Adam)
        if self.config.sgd_phases:
            momentum = {"momentum": self.config.momentum, "nesterov": self.config.momentum > 0}
            self.sgd = self.optimise("descent", self.network, SGD, **momentum)
        self.best = [weight.detach().clone() for weight in self.network.parameters()]
        self.best_loss = torch.full_like(self.losses[0], torch.inf)

    def rate_at(self, epoch: int) -> float:
        phase, _ = self.config.phase(epoch)
        return self.config.learning_rate * self.config.rate_factor**phase

    def begin(self, epoch: int) -> bool:
        """A phase begins at the best weights, with an optimiser that knows nothing."""
        phase, first = self.config.phase(epoch)
        before = self.optimiser
        self.optimiser = self.adam if phase < self.config.adam_phases else self.sgd
        if first and phase:
            self.take_best()
            forget(self.optimiser)
        return self.optimiser is not before

    @torch.no_grad()
    def take_best(self) -> None:
        """Give every member its best weights so far; one that has diverged stays as it is."""
        weights = list(self.network.parameters())
        alive = torch.stack([w.isfinite().flatten(1).all(1) for w in weights]).all(0)
        for weight, best in zip(weights, self.best, strict=True):
            weight.copy_(torch.where(alive.view(-1, 1, 1), best, weight))

    def train_step(self, batch: Tensor, at: Tensor) -> Tensor:
        terms = self.network(batch, self._normal(self.noise, at, batch.shape[1]))
        descend(self.optimiser, self._loss(*terms))
        return torch.stack(terms).detach()

    def _loss(self, mse: Tensor, divergence: Tensor) -> Tensor:
        """Eq. 13, ``(E,)``."""
        return (1 - self.kl_weights) * mse + self.kl_weights * divergence

    def _normal(self, noise: Noise, at: int | Tensor, rows: int) -> Tensor:
        """``(E, rows, dim z)`` of N(0, 1), dimension by dimension: the first ones are the same
        whatever dim z is."""
        latent = self.network.mask.shape[2]
        start = at * series_words(LATENT_LIMIT * rows)
        block = NoiseBlock(noise.words(start, series_words(latent * rows)), self.dtype)
        return block.normal_series(latent, rows).transpose(1, 2)

    @torch.no_grad()
    def end_epoch(self) -> None:
        """Validate, and keep the best weights."""
        loss = self.losses[2].copy_(self._validation_loss())
        better = loss < self.best_loss
        self.best_loss.copy_(torch.where(better, loss, self.best_loss))
        for best, weight in zip(self.best, self.network.parameters(), strict=True):
            best.copy_(torch.where(better.view(-1, 1, 1), weight, best))

    def _validation_loss(self) -> Tensor:
        total = torch.zeros_like(self.best_loss)
        for number, piece in enumerate(self.validation.split(PIECE)):
            noise = self._normal(self.fixed_noise, number, PIECE)[:, : len(piece)]
            terms = self.network(piece.expand(len(self.seeds), -1, -1), noise)
            total += len(piece) * self._loss(*terms)
        return total / len(self.validation)

    def state(self) -> dict[str, Tensor]:
        names = (name for name, _ in self.network.named_parameters())
        best = {f"best.{name}": value for name, value in zip(names, self.best, strict=True)}
        return super().state() | best | {"best_loss": self.best_loss}
