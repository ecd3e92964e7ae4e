r"""The GANs that the event paper compares (Table IV, Fig. 6), E of them at once, in one loop.

A turn is some steps of the critic, each on events and noise of its own, and one of the generator.
What tells the methods apart is their networks and their two losses (``objectives``):

=========  ==========================================  =====================================
method     the critic minimises                        the generator
=========  ==========================================  =====================================
DijetGAN   cross entropy of D(x), D(G)                 -ln D(G)
LSGAN      (D(x) - 1)^2 / 2 + D(G)^2 / 2               (D(G) - 1)^2 / 2
WGAN       <C(G)> - <C(x)>, weights clipped            -<C(G)>
WGAN-GP    the same + 10 <(norm of grad C - 1)^2>      -<C(G)>
MMD-GAN    -MMD(f(x), f(G)) - 16 h + 8 (errors of      MMD(f(x), f(G)) + 16 h
           reconstruction), the encoder f clipped
=========  ==========================================  =====================================

with h of ``one_sided_difference``.  *WGAN + MBD* gives the WGAN's critic minibatch discrimination
before its last layer; *+ MMD* adds the squared discrepancy of generated from real events, with
MMD-GAN's kernels, to what the generator minimises.  The paper names both and says no more of them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Adam, Optimizer, RMSprop

from amplib.models.config import EventGANConfig
from amplib.models.generators import frozen
from amplib.models.layers import Perceptron, StackedLinear
from amplib.models.minibatch import LONG, MinibatchDiscrimination, can_compile
from amplib.models.noise import Noise, NoiseBlock, dropout_words, normal_words, uniform_words
from amplib.models.objectives import (
    between,
    binary_entropy,
    critic_difference,
    discrepancy_of_scales,
    gradient_penalty,
    least_squares,
    one_sided_difference,
    root,
)
from amplib.models.scaling import LINEAR
from amplib.models.stack import Stack, check_events, descend
from amplib.models.volumes import BatchNorm

PIECE = 8192
"""Events that are generated at a time."""
WARM_UP, AGAIN = 25, 500
"""So many first turns have more steps of the critic, and so has every 500th."""
SCALES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Of MMD-GAN's kernels."""
ONE_SIDED, RECONSTRUCTION = 16.0, 8.0
"""Weights in MMD-GAN's loss."""
SLOPE = 0.2
"""Of the LeakyReLU below zero, in DijetGAN and LSGAN."""
SIDE, CHANNELS = 8, 2
"""Of the maps that DijetGAN makes of 128 numbers."""
DROPOUT = 0.2


class EventGAN(Stack):
    """E GANs of one method, trained side by side on the same events.

    Every step draws its events anew from the training sample, each as likely as any other.  An
    epoch is one of ``config.epochs`` pieces of the training.  Losses are those of the last step of
    critic and generator, then the means of both over the epoch.

    Args:
        config: what to train.
        events: training events ``(N, columns)``.
        seeds: one seed a member.
        device: ``cpu`` or ``cuda``.
        dtype: ``torch.float32``; ``torch.float64`` for tests and fingerprints.

    Raises:
        ValueError: events that are not finite.
    """

    optimiser: ClassVar[type[Optimizer]] = Adam

    def __init__(
        self,
        config: EventGANConfig,
        events: NDArray[np.floating],
        seeds: list[np.random.SeedSequence],
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        check_events(events)
        super().__init__(seeds, 4, device, dtype)
        self.config, self.columns = config, events.shape[1]
        self.scaling = LINEAR[config.scaling](events, self.losses)
        self.data = self.scaling.to_network(torch.as_tensor(events).to(self.losses))
        self.draws, self.critic_noise, self.noise, self.generation = map(self.stream, range(1, 5))
        self.critic_done, self.generator_done = (
            torch.zeros((), dtype=torch.int64, device=self.device) for _ in range(2)
        )
        self.generator: Any  # a module of the method's own
        self.critic: Any
        self.generator, self.critic = self.networks(self.starts)
        options: dict[str, Any] = {}
        if self.optimiser is Adam:
            options["betas"] = config.beta_1, config.beta_2
        for name, module in (("generator", self.generator), ("critic", self.critic)):
            self.optimise(name, module.to(self.device, dtype), self.optimiser, **options)

    @abstractmethod
    def networks(self, starts: list[torch.Generator]) -> tuple[nn.Module, nn.Module]:
        """Generator and critic before training."""

    @abstractmethod
    def critic_loss(self, real: Tensor, made: Tensor, noise: NoiseBlock) -> Tensor:
        """What the critic minimises, ``(E,)``, of events ``(E, batch, columns)``."""

    @abstractmethod
    def generator_loss(self, real: Tensor, made: Tensor, noise: NoiseBlock) -> Tensor:
        """What the generator minimises, ``(E,)``."""

    def further_words(self, rows: int) -> int:
        """Words of noise that one loss takes beside the generator's."""
        return 0

    def after_critic(self) -> None:
        """What is done to the critic's weights after each of its steps."""

    def latent(self, noise: NoiseBlock, rows: int) -> Tensor:
        """What events are generated from, ``(E, rows, noise)``: normal numbers."""
        return noise.normal(rows, self.config.noise)

    def rate_at(self, epoch: int) -> float:
        return self.config.learning_rate

    def critic_steps_at(self, turn: int) -> int:
        """Of a turn, the first of which is 0."""
        warm = turn < WARM_UP or turn % AGAIN == 0
        return max(self.config.critic_steps, self.config.warm_up if warm else 0)

    def run_epoch(self) -> None:
        self._turns(self._critic_step, self._generator_step)

    def captured(self) -> Callable[[], None]:
        critic, generator = map(self.capture, (self._critic_step, self._generator_step))
        return partial(self._turns, critic, generator)

    def _turns(self, critic: Callable[[], None], generator: Callable[[], None]) -> None:
        self.losses.zero_()
        turns = self.config.turns_an_epoch
        first, done = int(self.epoch) * turns, 0
        for turn in range(first, first + turns):
            for _ in range(self.critic_steps_at(turn)):
                critic()
                done += 1
            generator()
        self.losses[2] /= done
        self.losses[3] /= turns
        self.epoch += 1

    def _critic_step(self) -> None:
        real, noise = self._drawn(self.critic_done, self.critic_noise, 0)
        with torch.no_grad():
            made = self.generator(self.latent(noise, len(real[0])))
        self._descend("critic", self.critic_loss(real, made, noise), 0)
        self.after_critic()
        self.critic_done += 1

    def _generator_step(self) -> None:
        real, noise = self._drawn(self.generator_done, self.noise, 1)
        with frozen(self.critic):
            made = self.generator(self.latent(noise, len(real[0])))
            self._descend("generator", self.generator_loss(real, made, noise), 1)
        self.generator_done += 1

    def _drawn(self, at: Tensor, stream: Noise, which: int) -> tuple[Tensor, NoiseBlock]:
        """Events of a step, and its noise.  Draws of critic and generator alternate."""
        rows = self.config.batch_size
        chosen = self.draws.words((2 * at + which) * rows, rows).remainder(len(self.data))
        words = self._latent_words(rows) + self.further_words(rows)
        return self.data[chosen], NoiseBlock(stream.words(at * words, words), self.dtype)

    def _latent_words(self, rows: int) -> int:
        return max(normal_words(rows * self.config.noise), uniform_words(rows * self.config.noise))

    def _descend(self, name: str, loss: Tensor, row: int) -> None:
        descend(self.trained[name][1], loss)
        self.losses[row].copy_(loss.detach())
        self.losses[row + 2] += loss.detach()

    @torch.no_grad()
    def generate(self, n: int, batch: int = PIECE) -> Iterator[NDArray[np.float32]]:
        """``n`` events of every member, in batches ``(E, batch, columns)``.

        The events do not depend on how many are asked for, only on ``batch``.
        """
        words = self._latent_words(batch)
        self.generator.eval()
        try:
            for number, start in enumerate(range(0, n, batch)):
                noise = NoiseBlock(self.generation.words(number * words, words), self.dtype)
                events = self.scaling.to_events(self.generator(self.latent(noise, batch)))
                yield events[:, : n - start].float().cpu().numpy()
        finally:
            self.generator.train()

    def state(self) -> dict[str, Tensor]:
        done = {"critic_done": self.critic_done, "generator_done": self.generator_done}
        return super().state() | done


class ToRange(nn.Module):
    """A network whose output is brought to (-1, 1) by a hyperbolic tangent."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x).tanh()


class LSGAN(EventGAN):
    """Least squares with labels 0, 1 and 1 (arXiv:1611.04076); batch norm in the generator."""

    def networks(self, starts: list[torch.Generator]) -> tuple[nn.Module, nn.Module]:
        width = self.config.width
        layers: list[nn.Module] = []
        widths = (self.config.noise, *[width] * 4)
        for k in range(4):
            layer = StackedLinear(widths[k], widths[k + 1], starts, "he", normed=True)
            layers += [layer, BatchNorm(width, starts), nn.LeakyReLU(SLOPE)]
        layers.append(StackedLinear(width, self.columns, starts, "xavier"))
        hidden = [max(1, width // k) for k in (2, 4, 4)]
        critic = Perceptron((self.columns, *hidden, 1), starts, SLOPE)
        return ToRange(nn.Sequential(*layers)), critic

    def critic_loss(self, real: Tensor, made: Tensor, noise: NoiseBlock) -> Tensor:
        value = self.critic(torch.cat([real, made], 1)).squeeze(2)
        truth, fake = value.split(len(real[0]), 1)
        return least_squares(truth, 1) + least_squares(fake, 0)

    def generator_loss(self, real: Tensor, made: Tensor, noise: NoiseBlock) -> Tensor:
        return least_squares(self.critic(made).squeeze(2), 1)


class WGAN(EventGAN):
    """A critic of weights that are clipped (arXiv:1701.07875)."""

    optimiser = RMSprop
    discriminates_minibatches: ClassVar[bool] = False

    def networks(self, starts: list[torch.Generator]) -> tuple[nn.Module, nn.Module]:
        hidden = (self.config.width,) * 3
        generator = ToRange(Perceptron((self.config.noise, *hidden, self.columns), starts))
        widths, minibatches = (self.columns, *hidden), self.discriminates_minibatches
        return generator, WassersteinCritic(widths, minibatches, starts)

    def critic_loss(self, real: Tensor, made: Tensor, noise: NoiseBlock) -> Tensor:
        return critic_difference(self.critic(real), self.critic(made))

    def generator_loss(self, real: Tensor, made: Tensor, noise: NoiseBlock) -> Tensor:
        return -self.critic(made).mean(1)

    def after_critic(self) -> None:
        clip(self.critic, self.config.clip)


class WGANWithMBD(WGAN):
    """Its critic knows how near the events of a batch are to each other."""

    discriminates_minibatches = True

    def networks(self, starts: list[torch.Generator]) -> tuple[nn.Module, nn.Module]:
        generator, critic = super().networks(starts)
        long = self.config.steps >= LONG and self.dtype == torch.float32
        for module in critic.modules():
            if isinstance(module, MinibatchDiscrimination):
                module.compiled = long and self.device.type == "cpu" and can_compile()
        return generator, critic


class WGANWithMBDAndMMD(WGANWithMBD):
    """Its generator also comes near to the events of a batch, by their discrepancy."""

    def generator_loss(self, real: Tensor, made: Tensor, noise: NoiseBlock) -> Tensor:
        wasserstein = super().generator_loss(real, made, noise)
        return wasserstein + discrepancy_of_scales(real, made, SCALES)


class WGANGP(EventGAN):
    """A penalty for a critic whose slope between events is not one (arXiv:1704.00028).

    Its generator's last layer is linear, as in the event paper's code: events may leave the range.
    """

    def networks(self, starts: list[torch.Generator]) -> tuple[nn.Module, nn.Module]:
        hidden = (self.config.width,) * 3
        generator = Perceptron((self.config.noise, *hidden, self.columns), starts)
        return generator, WassersteinCritic((self.columns, *hidden), False, starts)

    def further_words(self, rows: int) -> int:
        return uniform_words(rows)

    def critic_loss(self, real: Tensor, made: Tensor, noise: NoiseBlock) -> Tensor:
        share = 0.5 * (1 + noise.uniform(len(real[0])))
        penalty = gradient_penalty(self.critic, between(real, made, share))
        difference = critic_difference(self.critic(real), self.critic(made))
        return difference + self.config.penalty * penalty

    def generator_loss(self, real: Tensor, made: Tensor, noise: NoiseBlock) -> Tensor:
        return -self.critic(made).mean(1)


class WassersteinCritic(nn.Module):
    """The value of events ``(E, rows, columns)``, ``(E, rows)``.

    Args:
        widths: of the input and the hidden layers.
        minibatches: whether the last layer is told how near the others of the batch are.
        starts: one seeded CPU generator a member.
    """

    def __init__(self, widths: Sequence[int], minibatches: bool, starts: list[torch.Generator]):
        super().__init__()
        self.network = Perceptron((*widths, 1), starts)
        self.minibatch: nn.Module = nn.Identity()
        if minibatches:
            self.minibatch = MinibatchDiscrimination(widths[-1], starts)
            wider = widths[-1] + self.minibatch.kernels
            self.network.output = StackedLinear(wider, 1, starts, "xavier")

    def forward(self, events: Tensor) -> Tensor:
        features = self.minibatch(self.network.features(events))
        return self.network.output(features).squeeze(2)


class MMDGAN(EventGAN):
    """Kernels on codes that a critic learns (arXiv:1705.08584); codes are as many as noise."""

    optimiser = RMSprop

    def networks(self, starts: list[torch.Generator]) -> tuple[nn.Module, nn.Module]:
        hidden, noise = (self.config.width,) * 3, self.config.noise
        generator = ToRange(Perceptron((noise, *hidden, self.columns), starts))
        encoder = Perceptron((self.columns, *hidden, noise), starts)
        decoder = Perceptron((noise, *hidden, self.columns), starts)
        return generator, nn.ModuleDict({"encoder": encoder, "decoder": decoder})

    def critic_loss(self, real: Tensor, made: Tensor, noise: NoiseBlock) -> Tensor:
        both = torch.cat([real, made], 1)
        codes = self.critic["encoder"](both)
        error = (self.critic["decoder"](codes) - both).square().mean(2)
        errors = sum(e.mean(1) for e in error.split(len(real[0]), 1))
        return RECONSTRUCTION * errors - self._distance(*codes.split(len(real[0]), 1))

    def generator_loss(self, real: Tensor, made: Tensor, noise: NoiseBlock) -> Tensor:
        codes = self.critic["encoder"](torch.cat([real, made], 1))
        return self._distance(*codes.split(len(real[0]), 1))

    def _distance(self, real: Tensor, made: Tensor) -> Tensor:
        """What the critic makes large and the generator small, of codes."""
        discrepancy = root(discrepancy_of_scales(real, made, SCALES))
        return discrepancy + ONE_SIDED * one_sided_difference(real, made)

    def after_critic(self) -> None:
        clip(self.critic["encoder"], self.config.clip)


class DijetGAN(EventGAN):
    """Convolutions over numbers that are laid out as an image (arXiv:1903.02433)."""

    def networks(self, starts: list[torch.Generator]) -> tuple[nn.Module, nn.Module]:
        generator = DijetGenerator(self.config, self.columns, starts)
        return generator, DijetDiscriminator(self.config, self.columns, starts)

    def latent(self, noise: NoiseBlock, rows: int) -> Tensor:
        """Uniform on [0, 1]."""
        return 0.5 * (1 + noise.uniform(rows, self.config.noise))

    def further_words(self, rows: int) -> int:
        return dropout_words(2 * rows * self.critic.features)

    def critic_loss(self, real: Tensor, made: Tensor, noise: NoiseBlock) -> Tensor:
        logits = self.critic(torch.cat([real, made], 1), noise)
        truth, fake = logits.split(len(real[0]), 1)
        return binary_entropy(truth, True) + binary_entropy(fake, False)

    def generator_loss(self, real: Tensor, made: Tensor, noise: NoiseBlock) -> Tensor:
        return binary_entropy(self.critic(made, noise), True)


class StackedConv2d(nn.Module):
    """E convolutions of stride 1 whose images keep their size, and a bias a channel:
    ``(E, rows, in, side, side) -> (E, rows, out, side, side)``.

    A transposed convolution of stride 1 is one of these, its kernel turned round.

    Args:
        inputs, outputs: channels.
        kernel: side of the kernel; one of even side reaches further to the right and below.
        generators: one seeded CPU generator a member.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, generators: list[torch.Generator]):
        super().__init__()
        self.kernel = kernel
        # Keras' default, Glorot's: the channels are counted once for each cell of the kernel.
        flat = StackedLinear(inputs * kernel**2, outputs, generators)
        scale = (6 / (kernel**2 * (inputs + outputs))) ** 0.5 * (inputs * kernel**2) ** 0.5
        weight = scale * flat.weight.detach().transpose(1, 2)
        self.weight = nn.Parameter(weight.unflatten(2, (inputs, kernel, kernel)).contiguous())
        self.bias = nn.Parameter(torch.zeros(len(generators), outputs))

    def forward(self, x: Tensor) -> Tensor:
        members, left = len(self.weight), (self.kernel - 1) // 2
        right = self.kernel - 1 - left
        images = F.pad(x.transpose(0, 1).flatten(1, 2), (left, right, left, right))
        y = F.conv2d(images, self.weight.flatten(0, 1), self.bias.flatten(), groups=members)
        return y.unflatten(1, (members, -1)).transpose(0, 1)


class DijetGenerator(nn.Module):
    """Noise to scaled events: dense, then two convolutions of 32 and 16 channels."""

    def __init__(self, config: EventGANConfig, columns: int, starts: list[torch.Generator]):
        super().__init__()
        cells = SIDE**2
        self.first = nn.Sequential(
            StackedLinear(config.noise, CHANNELS * cells, starts, "xavier"),
            nn.LeakyReLU(SLOPE),
            BatchNorm(CHANNELS * cells, starts),
        )
        wide, narrow = (max(1, config.width // k) for k in (4, 8))
        self.convolutions = nn.Sequential(
            StackedConv2d(CHANNELS, wide, 2, starts),
            nn.LeakyReLU(SLOPE),
            BatchNorm(wide, starts),
            StackedConv2d(wide, narrow, 3, starts),
            nn.LeakyReLU(SLOPE),
            BatchNorm(narrow, starts),
        )
        self.output = StackedLinear(narrow * cells, columns, starts, "xavier")

    def forward(self, z: Tensor) -> Tensor:
        images = self.first(z).unflatten(2, (CHANNELS, SIDE, SIDE))
        return self.output(self.convolutions(images).flatten(2)).tanh()


class DijetDiscriminator(nn.Module):
    """The logit of scaled events, ``(E, rows)``: dense, then 64, 32 and 16 channels."""

    def __init__(self, config: EventGANConfig, columns: int, starts: list[torch.Generator]):
        super().__init__()
        self.first = StackedLinear(columns, CHANNELS * SIDE**2, starts, "xavier")
        widths = (CHANNELS, *(max(1, config.width // k) for k in (2, 4, 8)))
        self.convolutions = nn.Sequential()
        for k in range(3):
            layer = StackedConv2d(widths[k], widths[k + 1], 3, starts)
            self.convolutions.extend([layer, nn.LeakyReLU(SLOPE)])
        self.features = widths[-1] * SIDE**2
        self.output = StackedLinear(self.features, 1, starts, "xavier")

    def forward(self, events: Tensor, noise: NoiseBlock) -> Tensor:
        images = self.first(events).unflatten(2, (CHANNELS, SIDE, SIDE))
        features = F.leaky_relu(self.convolutions(images).flatten(2), SLOPE)
        mask = noise.dropout(DROPOUT, features.shape[1], self.features)
        return self.output(features * mask).squeeze(2)


@torch.no_grad()
def clip(module: nn.Module, largest: float) -> None:
    """Bring weights back to this modulus."""
    for weight in module.parameters():
        weight.clamp_(-largest, largest)


KINDS: dict[str, type[EventGAN]] = {
    "DijetGAN": DijetGAN,
    "LSGAN": LSGAN,
    "MMD-GAN": MMDGAN,
    "WGAN-GP": WGANGP,
    "WGAN": WGAN,
    "WGAN + MBD": WGANWithMBD,
    "WGAN + MBD + MMD": WGANWithMBDAndMMD,
}
"""By the names of ``config.EVENT_GANS``."""
