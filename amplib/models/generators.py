"""Generators of images: how they train, how the best weights are kept, how they generate."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from amplib.models.config import BIBAEConfig, ImageGANConfig
from amplib.models.noise import JoinedNoise, Noise, NoiseBlock
from amplib.models.objectives import spread_distance
from amplib.models.stack import Stack
from amplib.models.volumes import Pedestal, SparseImages

ROWS = 100
"""Images whose noise is one block of words."""
TOGETHER = 10
"""Blocks that a GPU makes images of at once: it waits for small ones."""

Measure = Callable[[Tensor], Tensor]
"""Observables of images, ``(N, x, y, z)`` to ``(N, F)``."""


class ImageGenerator(nn.Module):
    """Noise to images ``(E, rows, x, y, z)``, each a function of the noise alone."""

    @abstractmethod
    def words(self, rows: int) -> int:
        """Noise words that so many images take."""

    @abstractmethod
    def forward(self, noise: NoiseBlock | JoinedNoise, rows: int) -> Tensor:
        """So many images."""


def pedestal(start: str, members: int, side: int) -> nn.Module:
    """For this ``ImageTraining.start``: of zeros until there are images, or nothing at all."""
    return Pedestal(members, side) if start == "mean" else nn.Identity()


@torch.no_grad()
def generate(
    generator: ImageGenerator,
    stream: Noise,
    n: int,
    threshold: float = 0.0,
    precision: str = "float32",
    dtype: torch.dtype = torch.float32,
    rows: int = ROWS,
    together: int | None = None,
) -> Iterator[Tensor]:
    """Images batch by batch; memory does not grow with ``n``, nor do images depend on it.

    Args:
        generator: with its weights.
        stream: random words.
        n: how many of each member.
        threshold: values below it are set to zero.
        precision: ``float32`` or ``bfloat16``.
        dtype: of the noise.
        rows: whose noise is one block; an image depends on it, as its noise is that of its place
            there.
        together: blocks that make a batch, on which no image depends; one on a CPU and
            ``TOGETHER`` on a GPU, if not given.

    Yields:
        ``(E, batch, x, y, z)``.
    """
    words, training, device = generator.words(rows), generator.training, stream.seeds.device.type
    together = together or (1 if device == "cpu" else TOGETHER)
    generator.eval()
    try:
        for first in range(0, n, together * rows):
            blocks = min(together, -(-(n - first) // rows))
            drawn = stream.words(first // rows * words, blocks * words)
            noise = JoinedNoise(drawn.unflatten(1, (blocks, words)), dtype)
            with autocast(device, precision):
                images = generator(noise, blocks * rows)[:, : n - first].to(dtype)
            # Not where(images >= threshold): what is not a number has to stay so.
            yield torch.where(images < threshold, 0, images)
    finally:
        generator.train(training)


def autocast(device: str, precision: str) -> contextlib.AbstractContextManager[Any]:
    """Convolutions and matrix products in bfloat16, if that is the precision."""
    if precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(device, torch.bfloat16)


class ImageStack(Stack):
    """E generators of images that train on the same images, each in an order of its own.

    An *epoch* of ``Stack`` is one of ``config.pieces`` of a pass over the images: what a machine
    without a GPU does in a minute.  At its end ``config.judged`` images are generated and their
    observables compared with those of as many that are not trained on.  **The rule**: the weights
    are kept of the piece at which the mean over the observables of ``spread_distance`` is smallest.

    On a GPU it is the step that is captured: showers differ in their hits, so that a batch is put
    together outside.

    Args:
        config: what to train.
        images: training images.
        measure: the observables.
        reference: ``(judged, F)`` those of images that are not trained on.
        threshold: below it a generated value counts as zero when it is measured, as in the truth.
        terms: names of the losses of a step.
        seeds, device, dtype: of ``Stack``.

    Raises:
        ValueError: images that are no cubes of a side that these networks are made for, too few of
            them, or a reference that does not fit.
    """

    sides: ClassVar[tuple[int, ...]] = (30,)
    """Cells along each axis that the networks are made for."""
    generator: ImageGenerator

    def __init__(
        self,
        config: BIBAEConfig | ImageGANConfig,
        images: SparseImages,
        measure: Measure,
        reference: Tensor,
        threshold: float,
        terms: tuple[str, ...],
        seeds: list[np.random.SeedSequence],
        device: str,
        dtype: torch.dtype,
    ):
        side = images.shape[0]
        if images.shape != (side,) * 3 or side not in self.sides:
            allowed = " or ".join(f"({n}, {n}, {n})" for n in self.sides)
            raise ValueError(f"images of shape {images.shape}: expected {allowed}")
        if len(images) < config.batch_size * config.pieces:
            raise ValueError(
                f"{len(images)} training images do not fill {config.pieces} pieces "
                f"with a batch of {config.batch_size} each"
            )
        if reference.ndim != 2 or len(reference) != config.judged:
            raise ValueError(
                f"reference of shape {tuple(reference.shape)}: expected ({config.judged}, F)"
            )
        super().__init__(seeds, len(terms) + 1 + reference.shape[1], device, dtype)
        self.config, self.images, self.terms = config, images, terms
        self.measure, self.threshold = measure, threshold
        self.reference = reference.to(self.device, dtype)
        self.shuffles, self.noise, self.judging = map(self.stream, (1, 2, 3))
        members = len(seeds)
        self.smallest = torch.full((members,), torch.inf, dtype=dtype, device=self.device)
        self.kept_at = torch.zeros(members, dtype=torch.int64, device=self.device)
        self.kept: dict[str, Tensor] = {}
        shape = (members, config.batch_size, *images.shape)
        self.batch = torch.zeros(shape, dtype=dtype, device=self.device)
        self.step = torch.zeros((), dtype=torch.int64, device=self.device)
        self.mean = torch.zeros_like(self.losses[: len(terms)])

    def start_from_the_mean(self, pedestal: nn.Module) -> None:
        """Put the mean training image into the generator's pedestal, if it is one."""
        if isinstance(pedestal, Pedestal):
            pedestal.weight.data.copy_(self.images.mean())

    def keep(self, **modules: nn.Module) -> None:
        """Name the modules whose best weights are kept."""
        self.modules = modules
        self.kept = {name: value.clone() for name, value in self._weights()}

    def _weights(self) -> Iterator[tuple[str, Tensor]]:
        for name, module in self.modules.items():
            for key, value in module.state_dict().items():
                yield f"{name}.{key}", value

    def recall(self) -> None:
        """Put the weights that were kept in place: those of the smallest mean distance."""
        for name, module in self.modules.items():
            mine = {
                key.removeprefix(f"{name}."): value
                for key, value in self.kept.items()
                if key.startswith(f"{name}.")
            }
            module.load_state_dict(mine)

    @abstractmethod
    def step_words(self) -> int:
        """Noise words of one step."""

    @abstractmethod
    def train_step(self, images: Tensor, noise: NoiseBlock) -> Tensor:
        """One step on ``(E, batch, x, y, z)``; returns the losses ``(terms, E)``."""

    def begin_pass(self, number: int) -> None:
        """What precedes a pass over the images, the first of which is 0: nothing."""

    def rate_at(self, epoch: int) -> float:
        c = self.config
        return c.learning_rate * c.decay ** ((epoch - 1) // c.pieces)

    @property
    def steps_per_epoch(self) -> int:
        """Full batches of a piece; what is left over of a pass sits it out."""
        return len(self.images) // (self.config.batch_size * self.config.pieces)

    def run_epoch(self) -> None:
        """Train one piece, then judge; the losses are the means over its steps."""
        self._piece(self._step)

    def captured(self) -> Callable[[], None]:
        step = self.capture(self._step)
        return lambda: self._piece(step)

    def _piece(self, step: Callable[[], None]) -> None:
        epoch, n, steps = int(self.epoch), self.config.batch_size, self.steps_per_epoch
        number, piece = divmod(epoch, self.config.pieces)
        if piece == 0:
            self.begin_pass(number)
        order = self.shuffles.words(number * len(self.images), len(self.images)).argsort(1)
        self.mean.zero_()
        for k in range(steps):
            first = (piece * steps + k) * n
            self.batch.copy_(self.images.dense(order[:, first : first + n]))
            self.step.fill_(epoch * steps + k)
            step()
        self.losses[: len(self.terms)].copy_(self.mean)
        self._judge()
        self.epoch += 1

    def _step(self) -> None:
        words = self.step_words()
        block = NoiseBlock(self.noise.words(self.step * words, words), self.dtype)
        self.mean += self.train_step(self.batch, block) / self.steps_per_epoch

    @torch.no_grad()
    def _judge(self) -> None:
        distances = spread_distance(self._observables(), self.reference)
        mean = distances.mean(1)
        self.losses[len(self.terms)].copy_(mean)
        self.losses[len(self.terms) + 1 :].copy_(distances.T)
        better = mean < self.smallest  # never true of what is not a number
        self.smallest.copy_(torch.where(better, mean, self.smallest))
        self.kept_at.copy_(torch.where(better, self.epoch + 1, self.kept_at))
        for name, value in self._weights():
            kept = self.kept[name]
            kept.copy_(torch.where(better.view(-1, *[1] * (value.ndim - 1)), value, kept))

    def _observables(self) -> Tensor:
        """Of ``judged`` generated images, ``(E, judged, F)``; other ones after each piece."""
        n, precision = self.config.judged, self.config.precision
        rows = min(n, ROWS)
        words = -(-n // rows) * self.generator.words(rows)
        stream = _Later(self.judging, int(self.epoch) * words)
        batches = generate(self.generator, stream, n, self.threshold, precision, self.dtype, rows)
        return measured(batches, self.measure)

    def state(self) -> dict[str, Tensor]:
        mine = {"smallest": self.smallest, "kept_at": self.kept_at}
        return super().state() | mine | {f"kept.{name}": v for name, v in self.kept.items()}

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """The configured precision, for what is computed inside."""
        return autocast(self.device.type, self.config.precision)


class _Later(Noise):
    """A stream from a later word on."""

    def __init__(self, stream: Noise, by: int):
        self.seeds, self.by = stream.seeds, by

    def words(self, start: int | Tensor, count: int) -> Tensor:
        return super().words(self.by + start, count)


def measured(batches: Iterator[Tensor], measure: Measure) -> Tensor:
    """Observables of batches of images ``(E, batch, x, y, z)``, ``(E, N, F)``."""
    rows = []
    for images in batches:
        flat = measure(images.flatten(0, 1))
        rows.append(flat.unflatten(0, images.shape[:2]))
    return torch.cat(rows, 1)


@contextlib.contextmanager
def frozen(*modules: nn.Module) -> Iterator[None]:
    """The gradient passes through these modules without reaching their weights."""
    weights = [w for module in modules for w in module.parameters()]
    for w in weights:
        w.requires_grad_(False)
    try:
        yield
    finally:
        for w in weights:
            w.requires_grad_(True)


def number_of_weights(*modules: nn.Module) -> int:
    """Number of trained weights of one member."""
    return sum(w[0].numel() for module in modules for w in module.parameters())


def member_state(module: nn.Module, member: int) -> dict[str, Tensor]:
    """Weights and running means of one member, still with a first axis, of length one."""
    return {name: value[member : member + 1] for name, value in module.state_dict().items()}
