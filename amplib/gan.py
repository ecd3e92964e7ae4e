r"""The GAN of *amplify*, sec. 2: a dropout generator against a DeepSets discriminator.

The discriminator sees a point x and the batch B it came from, all real or all generated:
:math:`D(x, B) = f(x, F(\Phi(B - x)))` with an embedding :math:`\Phi` applied to every difference
and an aggregation F over the batch.  E GANs train at once (see ``stacked``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from amplib.gan_config import GANConfig
from amplib.stacked import (
    LEAK,
    Noise,
    NoiseBlock,
    StackedLayers,
    StackedLinear,
    dropout_words,
    leaky,
    uniform_words,
)

# Where all embeddings of a batch coincide, as those of a collapsed generator do, the standard
# deviation has no gradient and its tangent is 0 / 0; sqrt(var + STD_FLOOR) has one, and differs
# from it by less than 1e-4 elsewhere.
STD_FLOOR = 1e-8


class Generator(nn.Module):
    """Uniform noise -> ``depth`` x (linear, ELU, dropout) -> linear -> ``(E, rows, d)``.

    Dropout is part of the model: it stays on when events are generated.
    """

    def __init__(self, config: GANConfig, generators: list[torch.Generator]):
        super().__init__()
        c = self.config = config
        self.hidden = StackedLayers([c.latent] + [c.width] * c.depth, generators)
        self.output = StackedLinear(c.width, c.dimension, generators)

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


def aggregate(phi: Tensor, rows: int, how: str) -> Tensor:
    r"""F: the batch's embeddings to one vector, with its tangents.

    Args:
        phi: ``(E, k, rows, n, m)`` embeddings of B - x; k = 0 the values, k > 0 their tangents.
        rows: number of points x.
        how: ``std``, ``mean``, ``max`` or ``sum``.

    Returns:
        ``(E, k, rows, m)``; for the standard deviation s of :math:`\phi_j` the tangent is
        :math:`\dot s = \sum_j (\phi_j - \bar\phi) \dot\phi_j / ((n - 1) s)`.
    """
    if how == "mean":
        return phi.mean(3)
    if how == "sum":
        return phi.sum(3)
    if how == "max":
        largest = phi[:, :1].argmax(3, keepdim=True).expand(-1, phi.shape[1], -1, -1, -1)
        return phi.gather(3, largest).squeeze(3)
    # Both factors centred: of equal embeddings, sum((phi - mean) phi) may round below zero.
    centred = phi - phi.mean(3, keepdim=True)
    covariance = (centred[:, :1] * centred).sum(3) / (phi.shape[3] - 1)
    std = (covariance[:, :1] + STD_FLOOR).sqrt()
    return torch.cat([std, covariance[:, 1:] / std], 1)


class Discriminator(nn.Module):
    """The logit of D(x, B), and its gradient in x by tangents that travel with the values.

    The embedding is three convolutions of kernel size 1 over the batch, that is, one small
    network applied to every difference; the sigmoid lives in the loss.
    """

    def __init__(self, config: GANConfig, generators: list[torch.Generator]):
        super().__init__()
        c = self.config = config
        embedding = [c.dimension, c.width, c.width, c.embedding]
        self.embedding = StackedLayers(embedding, generators)
        hidden = [c.dimension + c.embedding] + [c.width] * c.depth
        self.hidden = StackedLayers(hidden, generators)
        self.output = StackedLinear(c.width, 1, generators)

    def words(self, rows: int) -> int:
        """Noise words that one call on so many points takes."""
        return self.config.depth * dropout_words(rows * self.config.width)

    def masks(self, noise: NoiseBlock, rows: int) -> list[Tensor]:
        """One dropout mask a hidden layer, ``(E, rows, width)``."""
        return [noise.dropout(self.config.dropout, rows, m.outputs) for m in self.hidden]

    def forward(
        self, x: Tensor, batch: Tensor, masks: list[Tensor], tangents: bool, frozen: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Logits of S sets of n points and, if asked, their gradient in x with B held fixed.

        Args:
            x: ``(E, S, n, d)`` points.
            batch: ``(E, S, n, d)`` the batch B of each set.
            masks: from ``masks``.
            tangents: whether to carry the gradient.
            frozen: the weights take no gradient (the generator's step).

        Returns:
            logits ``(E, S, n)`` and gradient ``(E, d, S, n)`` or None.
        """
        members, sets, n, d = x.shape
        difference = (batch.unsqueeze(2) - x.unsqueeze(3)).reshape(members, -1, d)
        phi = _with_tangents(difference, -1.0) if tangents else difference
        for layer in self.embedding:
            phi = leaky(layer, phi, difference.shape[1], None, frozen)
        phi = phi.view(members, -1, sets * n, n, self.config.embedding)
        summary = aggregate(phi, sets * n, self.config.aggregation)
        points = x.reshape(members, sets * n, d)
        points = _with_tangents(points, 1.0) if tangents else points
        h = torch.cat([points, summary.flatten(1, 2)], 2)
        for layer, mask in zip(self.hidden, masks, strict=True):
            h = leaky(layer, h, sets * n, mask, frozen)
        out = self.output
        if frozen:
            logit = torch.baddbmm(out.bias.detach(), h, out.weight.detach())
            return logit.view(members, sets, n), None
        h = torch.bmm(h, out.weight).view(members, -1, sets, n)
        logit = h[:, 0] + out.bias.view(members, 1, 1)
        return logit, h[:, 1:] if tangents else None

    def plain(self, x: Tensor, batch: Tensor, masks: list[Tensor]) -> Tensor:
        """The same logits in operations that differentiate twice: ``(E, S, n)``."""
        members, sets, n, d = x.shape
        phi = (batch.unsqueeze(2) - x.unsqueeze(3)).reshape(members, -1, d)
        for layer in self.embedding:
            phi = F.leaky_relu(layer(phi), LEAK)
        phi = phi.view(members, 1, sets * n, n, self.config.embedding)
        summary = aggregate(phi, sets * n, self.config.aggregation)[:, 0]
        h = torch.cat([x.reshape(members, sets * n, d), summary], 2)
        for layer, mask in zip(self.hidden, masks, strict=True):
            h = F.leaky_relu(layer(h), LEAK) * mask
        return self.output(h).view(members, sets, n)


def _with_tangents(x: Tensor, direction: float) -> Tensor:
    """``(E, rows, d)`` values and the d unit tangents of each row, times ``direction``."""
    members, rows, d = x.shape
    units = direction * torch.eye(d, dtype=x.dtype, device=x.device)
    units = units.view(1, d, 1, d).expand(members, d, rows, d)
    return torch.cat([x, units.reshape(members, d * rows, d)], 1)


def discriminator_loss(
    logit: Tensor, gradient: Tensor, penalty: float
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Cross entropy and Roth et al.'s regulariser (arXiv:1705.09367, eq. 21), one value a member.

    .. math::
        L_D = \langle -\log D(x)\rangle + \langle -\log(1 - D(G))\rangle + \frac\gamma2 \left[
        \langle (1 - D(x))^2 |\nabla\ell(x)|^2\rangle
        + \langle D(G)^2 |\nabla\ell(G)|^2\rangle\right], \qquad D = \mathrm{sigmoid}(\ell)

    Args:
        logit: ``(E, 2, n)``: real, generated.
        gradient: ``(E, d, 2, n)`` of the logit in x.
        penalty: gamma.

    Returns:
        loss, cross entropy and penalty, each ``(E,)``.
    """
    real, fake = logit[:, 0], logit[:, 1]
    entropy = F.softplus(-real).mean(1) + F.softplus(fake).mean(1)
    norm = gradient.square().sum(1)
    wrong = torch.sigmoid(torch.stack([-real, fake], 1))
    regulariser = 0.5 * penalty * (wrong.square() * norm).sum(1).mean(1)
    return entropy + regulariser, entropy, regulariser


class StackedGAN:
    """E independent camel-back GANs, trained side by side on E samples.

    Args:
        config: what to train.
        data: ``(E, N, d)`` one training sample a member.
        seeds: one seed a member; it fixes the member's start, shuffles and noise, whoever else
            is in the stack.
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
        self.config, self.device, self.dtype = config, torch.device(device), dtype
        self.data = torch.as_tensor(data, dtype=dtype, device=device)
        # Spawned by key, not by call: asking twice gives the same streams.
        streams = [
            [np.random.SeedSequence(s.entropy, spawn_key=(*s.spawn_key, k)) for k in range(4)]
            for s in seeds
        ]
        starts = [torch.Generator().manual_seed(int(s[0].generate_state(1)[0])) for s in streams]
        self.generator = Generator(config, starts).to(self.device, dtype)
        self.discriminator = Discriminator(config, starts).to(self.device, dtype)
        self.shuffles, self.noise, self.generation = (
            Noise([s[k] for s in streams], self.device) for k in (1, 2, 3)
        )
        # A tensor, as a captured step cannot read a Python number that changes; the fused
        # CUDA kernel takes it in float32.
        precision = torch.float32 if self.device.type == "cuda" else torch.float64
        self.rate = torch.tensor(config.learning_rate, dtype=precision, device=self.device)
        self.adam_d = self._adam(self.discriminator)
        self.adam_g = self._adam(self.generator)
        self.epoch = torch.zeros((), dtype=torch.int64, device=self.device)
        self.losses = torch.zeros(3, len(seeds), dtype=dtype, device=self.device)

    def _adam(self, module: nn.Module) -> torch.optim.Adam:
        betas = (self.config.beta_1, self.config.beta_2)
        on_gpu = self.device.type == "cuda"
        return torch.optim.Adam(
            module.parameters(), self.rate, betas=betas, fused=True, capturable=on_gpu
        )

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
        logit, gradient = self.logit_and_gradient(x, batch, masks)
        loss, entropy, penalty = discriminator_loss(logit, gradient, c.penalty)
        self.adam_d.zero_grad(set_to_none=True)
        loss.sum().backward()
        self.adam_d.step()
        self.losses[0].copy_(entropy.detach())
        self.losses[1].copy_(penalty.detach())

    def logit_and_gradient(
        self, x: Tensor, batch: Tensor, masks: list[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Logits ``(E, 2, n)`` and their gradient ``(E, d, 2, n)`` along ``gradient_path``.

        ``x``: one tangent pass a dimension, after which an ordinary backward is left.
        ``batch``: automatic differentiation twice.
        """
        if self.config.gradient_path == "x":
            logit, gradient = self.discriminator(x, batch, masks, tangents=True)
            return logit, gradient
        x = x.detach().requires_grad_()
        # With the noise after B, B is the clean batch and no function of x.
        own = x if self.config.noise_order == "before" else torch.stack([batch[:, 0], x[:, 1]], 1)
        logit = self.discriminator.plain(x, own, masks)
        (gradient,) = torch.autograd.grad(logit.sum(), x, create_graph=True)
        return logit, gradient.permute(0, 3, 1, 2)

    def _generator_step(self, noise: NoiseBlock) -> None:
        n = self.config.batch_size
        fake = self.generator(noise, n).unsqueeze(1)
        masks = self.discriminator.masks(noise, n)
        logit, _ = self.discriminator(fake, fake, masks, tangents=False, frozen=True)
        if self.config.generator_loss == "non-saturating":
            loss = F.softplus(-logit).mean((1, 2))
        else:
            loss = -F.softplus(logit).mean((1, 2))
        self.adam_g.zero_grad(set_to_none=True)
        loss.sum().backward()
        self.adam_g.step()
        self.losses[2].copy_(loss.detach())

    def _epoch(self) -> None:
        """Shuffle, then one discriminator and one generator step a batch."""
        members, points, d = self.data.shape
        steps, n, words = self.steps_per_epoch, self.config.batch_size, self.words_per_step
        order = self.shuffles.words(self.epoch * points, points).argsort(1)[:, : steps * n]
        shuffled = self.data.gather(1, order.unsqueeze(2).expand(-1, -1, d))
        for step, batch in enumerate(shuffled.view(members, steps, n, d).unbind(1)):
            start = (self.epoch * steps + step) * words
            noise = NoiseBlock(self.noise.words(start, words), self.dtype)
            self._discriminator_step(batch, noise)
            self._generator_step(noise)
        self.epoch += 1

    def _captured_epoch(self) -> Callable[[], None]:
        """One epoch as a CUDA graph: captured once, replayed as one launch.

        The warm-up that capture needs trains for real, so the state is put back after it.
        """
        before = {name: value.clone() for name, value in self.state().items()}
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self._epoch()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        self.adam_d.zero_grad(set_to_none=True)
        self.adam_g.zero_grad(set_to_none=True)
        with torch.cuda.graph(graph):
            self._epoch()
        self.restore(before)
        return graph.replay

    def train(self, epochs: int | None = None, every: int = 50) -> Iterator[tuple[int, np.ndarray]]:
        """Train up to ``epochs`` in all (the configured number by default).

        Yields:
            every ``every`` epochs and at the end: the epoch and the losses ``(3, E)`` of its last
            step (cross entropy, penalty, generator).  A member whose losses are not finite has
            diverged; it stays so and does not touch the others.
        """
        epochs = self.config.epochs if epochs is None else epochs
        run = self._epoch
        if self.device.type == "cuda":
            torch.set_float32_matmul_precision("high")
            run = self._captured_epoch()
        for done in range(int(self.epoch) + 1, epochs + 1):
            c = self.config
            self.rate.fill_(c.learning_rate * c.decay ** ((done - 1) // c.decay_epochs))
            run()
            if done % every == 0 or done == epochs:
                yield done, self.losses.cpu().numpy()

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

    def state(self) -> dict[str, Tensor]:
        """All that a training needs to go on: weights, Adam's moments, the epoch."""
        state = {"epoch": self.epoch}
        for name, module, adam in (
            ("generator", self.generator, self.adam_g),
            ("discriminator", self.discriminator, self.adam_d),
        ):
            for key, weight in module.named_parameters():
                state[f"{name}.{key}"] = weight.data
                for moment in ("step", "exp_avg", "exp_avg_sq"):
                    if weight not in adam.state:  # Adam makes its state at the first step
                        adam.state[weight] = _fresh_moments(weight)
                    state[f"{name}.{key}.{moment}"] = adam.state[weight][moment]
        return state

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from ``state``, which must come from the same configuration.

        Raises:
            ValueError: if names or shapes differ.
        """
        mine = self.state()
        if {k: v.shape for k, v in mine.items()} != {k: v.shape for k, v in state.items()}:
            raise ValueError("this state belongs to another configuration")
        for name, value in mine.items():
            value.copy_(state[name])


def _fresh_moments(weight: Tensor) -> dict[str, Tensor]:
    step = torch.zeros((), dtype=torch.float32, device=weight.device)
    return {
        "step": step,
        "exp_avg": torch.zeros_like(weight),
        "exp_avg_sq": torch.zeros_like(weight),
    }
