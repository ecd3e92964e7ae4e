r"""The GAN of *amplify*, sec. 2: a dropout generator against a DeepSets discriminator.

The discriminator sees a point x and the batch B it came from, all real or all generated:
:math:`D(x, B) = f(x, F(\Phi(B - x)))` with an embedding :math:`\Phi` applied to every difference
and an aggregation F over the batch.  E GANs train at once (see ``stack``).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam

from amplib.models.config import GANConfig
from amplib.models.layers import StackedLayers, StackedLinear, leaky, pass_and_gradient
from amplib.models.noise import NoiseBlock, dropout_words, uniform_words
from amplib.models.stack import Stack, descend, shuffled


class Generator(nn.Module):
    """Uniform noise -> ``depth`` x (linear, ELU, dropout) -> linear -> ``(E, rows, d)``.

    Dropout is part of the model: it stays on when events are generated.
    """

    def __init__(self, config: GANConfig, generators: list[torch.Generator]):
        super().__init__()
        c = self.config = config
        how = c.initialisation
        self.hidden = StackedLayers([c.latent] + [c.width] * c.depth, generators, how)
        self.output = StackedLinear(c.width, c.dimension, generators, how)

    def words(self, rows: int) -> int:
        """Noise words that one call takes."""
        c = self.config
        return uniform_words(rows * c.latent) + c.depth * dropout_words(rows * c.width)

    def forward(self, noise: NoiseBlock, rows: int) -> Tensor:
        x = noise.uniform(rows, self.config.latent)
        for layer in self.hidden:
            mask = noise.dropout(self.config.dropout, rows, layer.outputs)
            x = F.elu(layer(x)) * mask
        return self.output(x)


def aggregate(phi: Tensor, how: str, floor: float) -> Tensor:
    """F: the batch's embeddings to one vector, ``(E, rows, n, m) -> (E, rows, m)``.

    Args:
        phi: embeddings of B - x.
        how: ``std`` (unbiased), ``biased-std``, ``mean``, ``max`` or ``sum``.
        floor: added to the variance.  Where all embeddings of a batch coincide, as those of a
            collapsed generator may, the root of zero has no gradient.
    """
    if how == "mean":
        return phi.mean(2)
    if how == "sum":
        return phi.sum(2)
    if how == "max":
        return phi.gather(2, _largest(phi)).squeeze(2)
    centred = phi - phi.mean(2, keepdim=True)
    return (centred.square().sum(2) / _freedom(phi, how) + floor).sqrt()


def aggregation_weights(phi: Tensor, summary: Tensor, how: str) -> Tensor:
    r"""How F answers to each embedding, :math:`\partial F / \partial\phi_j`.

    Of the standard deviation s it is :math:`(\phi_j - \bar\phi) / ((n - 1) s)`.

    Args:
        phi: ``(E, rows, n, m)`` embeddings.
        summary: ``(E, rows, m)`` their F.
        how: as in ``aggregate``.

    Returns:
        ``(E, rows, n, m)``.
    """
    if how == "mean":
        return torch.full_like(phi, 1 / phi.shape[2])
    if how == "sum":
        return torch.ones_like(phi)
    if how == "max":
        return torch.zeros_like(phi).scatter_(2, _largest(phi), 1.0)
    centred = phi - phi.mean(2, keepdim=True)
    return centred / (_freedom(phi, how) * summary).unsqueeze(2)


def _largest(phi: Tensor) -> Tensor:
    return phi.argmax(2, keepdim=True)


def _freedom(phi: Tensor, how: str) -> int:
    return phi.shape[2] - (how == "std")


class Discriminator(nn.Module):
    """The logit of D(x, B), and its gradient in the points, whose path may be chosen.

    The embedding is three convolutions of kernel size 1 over the batch, that is, one small
    network applied to every difference; the sigmoid lives in the loss.
    """

    def __init__(self, config: GANConfig, generators: list[torch.Generator]):
        super().__init__()
        c = self.config = config
        how = c.initialisation
        embedding = [c.dimension, c.width, c.width, c.embedding]
        self.embedding = StackedLayers(embedding, generators, how)
        hidden = [c.dimension + c.embedding] + [c.width] * c.depth
        self.hidden = StackedLayers(hidden, generators, how)
        self.output = StackedLinear(c.width, 1, generators, how)

    def words(self, rows: int) -> int:
        """Noise words that one call on so many points takes."""
        return self.config.depth * dropout_words(rows * self.config.width)

    def masks(self, noise: NoiseBlock, rows: int) -> list[Tensor]:
        """One dropout mask a hidden layer, ``(E, rows, width)``."""
        return [noise.dropout(self.config.dropout, rows, m.outputs) for m in self.hidden]

    def forward(self, x: Tensor, batch: Tensor, masks: list[Tensor]) -> Tensor:
        """Logits of S sets of n points; their gradient reaches ``x`` but not the weights.

        Args:
            x: ``(E, S, n, d)`` points.
            batch: ``(E, S, n, d)`` the batch B of each set.
            masks: from ``masks``.

        Returns:
            ``(E, S, n)``.
        """
        members, sets, n, d = x.shape
        phi = _differences(x, batch)
        for layer in self.embedding:
            phi = leaky(layer, phi, phi.shape[1], None, frozen=True)
        phi = phi.view(members, sets * n, n, self.config.embedding)
        summary = self._aggregate(phi)
        h = torch.cat([x.reshape(members, sets * n, d), summary], 2)
        for layer, mask in zip(self.hidden, masks, strict=True):
            h = leaky(layer, h, sets * n, mask, frozen=True)
        out = self.output
        logit = torch.baddbmm(out.bias.detach(), h, out.weight.detach())
        return logit.view(members, sets, n)

    def _aggregate(self, phi: Tensor) -> Tensor:
        return aggregate(phi, self.config.aggregation, self.config.std_floor)

    def with_gradient(
        self, x: Tensor, batch: Tensor, masks: list[Tensor], through: Tensor
    ) -> tuple[Tensor, Tensor]:
        r"""Logits of S sets of n points and the gradient of their sum in every point.

        The main network is linear but for the slopes of its LeakyReLUs and its dropout, so that
        its gradient :math:`(h_k, g_k)` in point k and in that point's summary is one pass back
        through the transposed weights.  The embedding carries tangents.  With
        :math:`t_{kj} = g_k \cdot \partial F_k / \partial (B_j - x_k)`

        .. math::
            \nabla_i = h_i - \sum_j t_{ij} + \sum_k t_{ki},

        where the last sum is what reaches point i as an entry of the others' batches.

        Args:
            x: ``(E, S, n, d)`` points.
            batch: ``(E, S, n, d)`` the batch B of each set.
            masks: from ``masks``.
            through: ``(S,)`` 1 where the gradient passes through B, 0 where B is held fixed.

        Returns:
            logits ``(E, S, n)`` and gradient ``(E, d, S, n)``.
        """
        members, sets, n, d = x.shape
        difference = _differences(x, batch)
        phi = _with_tangents(difference)
        for layer in self.embedding:
            phi = leaky(layer, phi, difference.shape[1])
        phi = phi.view(members, 1 + d, sets * n, n, self.config.embedding)
        embedded, tangents = phi[:, 0], phi[:, 1:]
        summary = self._aggregate(embedded)
        h = torch.cat([x.reshape(members, sets * n, d), summary], 2)
        logit, gradient = self._main(h, masks)
        answer = aggregation_weights(embedded, summary, self.config.aggregation)
        pulled = answer * gradient[:, :, None, d:]
        t = (pulled.unsqueeze(1) * tangents).sum(4).view(members, d, sets, n, n)
        own = gradient[:, :, :d].transpose(1, 2).reshape(members, d, sets, n)
        return logit.view(members, sets, n), own - t.sum(4) + t.sum(3) * through.view(-1, 1)

    def _main(self, h: Tensor, masks: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Logit ``(E, rows, 1)`` of the main network and its gradient in ``h``."""
        top = self.output.weight.transpose(1, 2)
        h, gradient = pass_and_gradient(self.hidden, h, masks, top)
        return self.output(h), gradient


def _differences(x: Tensor, batch: Tensor) -> Tensor:
    """B - x of every point with every entry of its batch, ``(E, S * n * n, d)``."""
    return (batch.unsqueeze(2) - x.unsqueeze(3)).reshape(len(x), -1, x.shape[3])


def _with_tangents(x: Tensor) -> Tensor:
    """``(E, rows, d)`` values and, behind them, the d unit tangents of each row."""
    members, rows, d = x.shape
    units = torch.eye(d, dtype=x.dtype, device=x.device)
    units = units.view(1, d, 1, d).expand(members, d, rows, d)
    return torch.cat([x, units.reshape(members, d * rows, d)], 1)


def discriminator_loss(
    right: Tensor, gradient: Tensor, penalty: float
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Cross entropy and Roth et al.'s regulariser (arXiv:1705.09367, eq. 21), one value a member.

    .. math::
        L_D = \langle -\log D(x)\rangle + \langle -\log(1 - D(G))\rangle + \frac\gamma2 \left[
        \langle (1 - D(x))^2 |\nabla\ell(x)|^2\rangle
        + \langle D(G)^2 |\nabla\ell(G)|^2\rangle\right], \qquad D = \mathrm{sigmoid}(\ell)

    Args:
        right: ``(E, S, n)`` the logit with the sign in which it is right: as it is for real
            points, its negative for generated ones.
        gradient: ``(E, d, S, n)`` of the logit in the points.
        penalty: gamma.

    Returns:
        loss, cross entropy and penalty, each ``(E,)``.
    """
    entropy = F.softplus(-right).mean(2).sum(1)
    norm = gradient.square().sum(1)
    wrong = torch.sigmoid(-right)
    regulariser = 0.5 * penalty * (wrong.square() * norm).sum(1).mean(1)
    return entropy + regulariser, entropy, regulariser


BOTH, REAL, GENERATED = slice(0, 2), slice(0, 1), slice(1, 2)
"""Sets of points that a discriminator's update may see."""


class StackedGAN(Stack):
    """E independent camel-back GANs, trained side by side on E samples.

    Args:
        config: what to train.
        data: ``(E, N, d)`` one training sample a member.
        seeds: one seed a member.
        device: ``cpu`` or ``cuda``.
        dtype: ``torch.float32``; ``torch.float64`` for tests and fingerprints.
    """

    def __init__(
        self,
        config: GANConfig,
        data: np.ndarray,
        seeds: list[np.random.SeedSequence],
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        if data.ndim != 3 or data.shape[0] != len(seeds) or data.shape[2] != config.dimension:
            raise ValueError(
                f"data of shape {data.shape}: expected ({len(seeds)}, N, {config.dimension})"
            )
        if data.shape[1] < config.batch_size:
            raise ValueError(
                f"{data.shape[1]} training points do not fill a batch of {config.batch_size}"
            )
        super().__init__(seeds, 3, device, dtype)
        self.config = config
        self.data = torch.as_tensor(data, dtype=dtype, device=device)
        self.generator = Generator(config, self.starts).to(self.device, dtype)
        self.discriminator = Discriminator(config, self.starts).to(self.device, dtype)
        self.shuffles, self.noise, self.generation = map(self.stream, (1, 2, 3))
        self.sign = self._of_sets(1.0, -1.0)
        # With the noise added after B is built, the real points' B is no function of them.
        batch, after = config.gradient_path == "batch", config.noise_order == "after"
        self.through = self._of_sets(float(batch and not after), float(batch))
        betas = (config.beta_1, config.beta_2)
        self.adam_g = self.optimise("generator", self.generator, Adam, betas=betas)
        self.adam_d = self.optimise("discriminator", self.discriminator, Adam, betas=betas)

    def _of_sets(self, real: float, generated: float) -> Tensor:
        return torch.tensor([real, generated], dtype=self.dtype, device=self.device)

    def rate_at(self, epoch: int) -> float:
        c = self.config
        return c.learning_rate * c.decay ** ((epoch - 1) // c.decay_epochs)

    @property
    def steps_per_epoch(self) -> int:
        """Full batches an epoch; what is left over after the shuffle sits this epoch out."""
        return self.data.shape[1] // self.config.batch_size

    @property
    def words_per_step(self) -> int:
        """Noise words of one discriminator and one generator step."""
        n, g, d = self.config.batch_size, self.generator, self.discriminator
        points = uniform_words(n * self.config.dimension)
        return points + 2 * g.words(n) + d.words(2 * n) + d.words(n)

    def _discriminator_step(self, points: Tensor, noise: NoiseBlock) -> None:
        c, n = self.config, self.config.batch_size
        noisy = points + c.input_noise * noise.uniform(n, c.dimension)
        with torch.no_grad():
            fake = self.generator(noise, n)
        x = torch.stack([noisy, fake], 1)
        batch = x if c.noise_order == "before" else torch.stack([points, fake], 1)
        masks = self.discriminator.masks(noise, 2 * n)
        # One update on both sets, or one on the real points and one on the generated.
        updates = [BOTH] if c.updates == "joint" else [REAL, GENERATED]
        losses = [self._update(x, batch, masks, sets) for sets in updates]
        self.losses[:2].copy_(torch.stack(losses).sum(0))

    def _update(self, x: Tensor, batch: Tensor, masks: list[Tensor], sets: slice) -> Tensor:
        """One step of the discriminator on these sets; cross entropy and penalty ``(2, E)``."""
        n = self.config.batch_size
        rows = slice(sets.start * n, sets.stop * n)
        logit, gradient = self.discriminator.with_gradient(
            x[:, sets], batch[:, sets], [m[:, rows] for m in masks], self.through[sets]
        )
        right = logit * self.sign[sets].view(-1, 1)
        loss, entropy, penalty = discriminator_loss(right, gradient, self.config.penalty)
        descend(self.adam_d, loss)
        return torch.stack([entropy.detach(), penalty.detach()])

    def _generator_step(self, noise: NoiseBlock) -> None:
        n = self.config.batch_size
        fake = self.generator(noise, n).unsqueeze(1)
        masks = self.discriminator.masks(noise, n)
        logit = self.discriminator(fake, fake, masks)
        if self.config.generator_loss == "non-saturating":
            loss = F.softplus(-logit).mean((1, 2))
        else:
            loss = -F.softplus(logit).mean((1, 2))
        descend(self.adam_g, loss)
        self.losses[2].copy_(loss.detach())

    def run_epoch(self) -> None:
        """Shuffle, then one discriminator and one generator step a batch."""
        members, points, d = self.data.shape
        steps, n, words = self.steps_per_epoch, self.config.batch_size, self.words_per_step
        order = self.shuffles.words(self.epoch * points, points)
        batches = shuffled(self.data, order, steps * n).view(members, steps, n, d)
        for step, batch in enumerate(batches.unbind(1)):
            start = (self.epoch * steps + step) * words
            noise = NoiseBlock(self.noise.words(start, words), self.dtype)
            self._discriminator_step(batch, noise)
            self._generator_step(noise)
        self.epoch += 1

    @torch.no_grad()
    def generate(self, chunk: int = 1000) -> Iterator[np.ndarray]:
        """Endless chunks of GANned events, ``(E, chunk, d)`` each, dropout active.

        The events do not depend on how many are asked for, only on ``chunk``.
        """
        words = self.generator.words(chunk)
        start = 0
        while True:
            noise = NoiseBlock(self.generation.words(start, words), self.dtype)
            yield self.generator(noise, chunk).cpu().numpy()
            start += words
