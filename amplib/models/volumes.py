r"""Layers on three-dimensional images, stacked: E networks at once, each with its own weights.

Images are ``(E, rows, channels, x, y, z)``.  E networks are one grouped convolution, whose groups
share nothing; of a single network it is the ordinary one, without a copy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _grouped(x: Tensor) -> Tensor:
    """``(E, rows, channels, ...)`` as ``(rows, E * channels, ...)``."""
    return x.transpose(0, 1).flatten(1, 2)


def _stacked(x: Tensor, members: int) -> Tensor:
    return x.unflatten(1, (members, -1)).transpose(0, 1)


class StackedConv3d(nn.Module):
    r"""E convolutions without bias, ``(E, rows, in, n^3) -> (E, rows, out, m^3)``.

    Weights start within :math:`\pm 1/\sqrt{k^3 n_\mathrm{in}}`, PyTorch's default, or from a normal
    distribution.

    Args:
        inputs, outputs: channels.
        kernel, stride, padding: the same along each axis.
        generators: one seeded CPU generator a member.
        deviation: of normal weights; None for the default.
    """

    transposed = False

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        generators: list[torch.Generator],
        stride: int = 1,
        padding: int = 0,
        deviation: float | None = None,
    ):
        super().__init__()
        self.stride, self.padding = stride, padding
        # PyTorch's default counts the second axis, which of a transposed convolution is the output.
        shape = (inputs, outputs) if self.transposed else (outputs, inputs)
        bound = 1 / math.sqrt(shape[1] * kernel**3)

        def draw(generator: torch.Generator) -> Tensor:
            weight = torch.empty(*shape, kernel, kernel, kernel)
            if deviation is None:
                return weight.uniform_(-bound, bound, generator=generator)
            return weight.normal_(0, deviation, generator=generator)

        self.weight = nn.Parameter(torch.stack([draw(g) for g in generators]))

    def forward(self, x: Tensor) -> Tensor:
        members = len(self.weight)
        weight = self.weight.flatten(0, 1)
        y = F.conv3d(_grouped(x), weight, None, self.stride, self.padding, 1, members)
        return _stacked(y, members)


class StackedConvTranspose3d(StackedConv3d):
    """E transposed convolutions; see ``StackedConv3d``.

    Args:
        output: side of the image that comes out, if not the smallest that the kernel reaches.
    """

    transposed = True

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        generators: list[torch.Generator],
        stride: int = 1,
        padding: int = 0,
        deviation: float | None = None,
        output: int | None = None,
    ):
        super().__init__(inputs, outputs, kernel, generators, stride, padding, deviation)
        self.output = output

    def forward(self, x: Tensor) -> Tensor:
        members = len(self.weight)
        short = 0
        if self.output is not None:
            side = (x.shape[-1] - 1) * self.stride - 2 * self.padding + self.weight.shape[-1]
            short = self.output - side
        images, weight = _grouped(x), self.weight.flatten(0, 1)
        device = images.device.type
        half = torch.is_autocast_enabled(device)
        if half and images.shape[1] == 1:
            # Of one channel in bfloat16, processors with AMX leave cells unset (PyTorch 2.13).
            images, weight, half = images.float(), weight.float(), False
        with torch.autocast(device, torch.get_autocast_dtype(device), enabled=half):
            y = F.conv_transpose3d(images, weight, None, self.stride, self.padding, short, members)
        return _stacked(y, members)


class SpaceNorm(nn.Module):
    """Layer norm over the cells of each channel, with a weight and a bias a cell.

    Args:
        members: E.
        side: cells along each axis.
    """

    def __init__(self, members: int, side: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(members, side, side, side))
        self.bias = nn.Parameter(torch.zeros(members, side, side, side))

    def forward(self, x: Tensor) -> Tensor:
        if len(x) == 1:  # one kernel instead of several
            return F.layer_norm(x, x.shape[-3:], self.weight[0], self.bias[0])
        y = F.layer_norm(x, x.shape[-3:])
        return y * self.weight[:, None, None] + self.bias[:, None, None]


class Pedestal(nn.Module):
    """A value a cell that is added to images ``(E, rows, n, n, n)``, at first nothing.

    Args:
        members: E.
        side: cells along each axis.
    """

    def __init__(self, members: int, side: int):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(members, side, side, side))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.weight[:, None]


class BatchNorm(nn.Module):
    """Batch norm of each channel: over the batch in training, by running means in generation.

    Args:
        channels: of the images.
        generators: one a member, E of them; they draw the first weights from N(1, 0.02).
    """

    MOMENTUM, EPS = 0.1, 1e-5
    mean: Tensor
    variance: Tensor

    def __init__(self, channels: int, generators: list[torch.Generator]):
        super().__init__()
        members = len(generators)
        start = [torch.empty(channels).normal_(1, 0.02, generator=g) for g in generators]
        self.weight = nn.Parameter(torch.stack(start))
        self.bias = nn.Parameter(torch.zeros(members, channels))
        self.register_buffer("mean", torch.zeros(members, channels))
        self.register_buffer("variance", torch.ones(members, channels))

    def forward(self, x: Tensor) -> Tensor:
        y = F.batch_norm(
            _grouped(x), self.mean.view(-1), self.variance.view(-1), self.weight.flatten(),
            self.bias.flatten(), self.training, self.MOMENTUM, self.EPS,
        )  # fmt: skip
        return _stacked(y, len(self.weight))


@dataclass(eq=False)
class SparseImages:
    """Images of which most cells are empty, by the cells that are not.

    177,000 showers take 1 GB as this and 19 GB as they are.

    Args:
        cell: ``(hits,)`` index of a cell within its image, of any integers.
        value: ``(hits,)``.
        count: ``(N,)`` hits of each image.
        shape: of an image.
    """

    cell: Tensor
    value: Tensor
    count: Tensor
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        self.first = self.count.cumsum(0) - self.count
        if len(self.cell) != len(self.value) or int(self.count.sum()) != len(self.cell):
            raise ValueError(
                f"{int(self.count.sum())} hits counted, "
                f"{len(self.cell)} cells and {len(self.value)} values given"
            )

    @classmethod
    def of(
        cls,
        cell: np.ndarray,
        value: np.ndarray,
        count: np.ndarray,
        shape: tuple[int, ...],
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> SparseImages:
        """From arrays, on a device."""

        def to(array: np.ndarray, kind: torch.dtype) -> Tensor:
            return torch.as_tensor(array).to(device, kind)

        return cls(to(cell, torch.int32), to(value, dtype), to(count, torch.int64), shape)

    def __len__(self) -> int:
        return len(self.count)

    def to(self, device: torch.device | str) -> SparseImages:
        """On another device."""
        cell, value, count = (a.to(device) for a in (self.cell, self.value, self.count))
        return SparseImages(cell, value, count, self.shape)

    @classmethod
    def in_one(cls, pieces: Sequence[SparseImages]) -> SparseImages:
        """A copy of several, one after the other."""
        cell, value, count = (
            torch.cat([getattr(p, name) for p in pieces]) for name in ("cell", "value", "count")
        )
        return cls(cell, value, count, pieces[0].shape)

    def joined(self, other: SparseImages) -> JoinedImages:
        """These images, then the others; nothing is copied."""
        return JoinedImages([self, other])

    def mean(self) -> Tensor:
        """The mean image."""
        total = torch.zeros(math.prod(self.shape), dtype=torch.float64, device=self.value.device)
        total.index_add_(0, self.cell.int(), self.value.double())
        return (total / len(self)).to(self.value.dtype).view(self.shape)

    def dense(self, rows: Tensor) -> Tensor:
        """The images of these rows, ``(*rows.shape, *shape)``."""
        flat = rows.flatten()
        count = self.count[flat]
        ends = count.cumsum(0)
        image = torch.repeat_interleave(count)
        hit = (
            torch.arange(len(image), device=flat.device) + (self.first[flat] - ends + count)[image]
        )
        size = math.prod(self.shape)
        images = torch.zeros(len(flat) * size, dtype=self.value.dtype, device=flat.device)
        images[image * size + self.cell[hit]] = self.value[hit]
        return images.view(*rows.shape, *self.shape)


@dataclass
class JoinedImages:
    """Images of the same shape in several pieces, counted one after the other: none is copied."""

    pieces: Sequence[SparseImages]

    def __post_init__(self) -> None:
        self.ends = torch.tensor([len(p) for p in self.pieces]).cumsum(0)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of an image."""
        return self.pieces[0].shape

    def __len__(self) -> int:
        return int(self.ends[-1])

    def to(self, device: torch.device | str) -> JoinedImages:
        """On another device, and then in one piece: a GPU waits for many small ones."""
        moved = [p.to(device) for p in self.pieces]
        apart = torch.device(device).type != "cpu"
        return JoinedImages([SparseImages.in_one(moved)] if apart else moved)

    def joined(self, other: JoinedImages) -> JoinedImages:
        """These images, then the others."""
        return JoinedImages([*self.pieces, *other.pieces])

    def dense(self, rows: Tensor) -> Tensor:
        """The images of these rows, ``(*rows.shape, *shape)``."""
        flat, value = rows.flatten(), self.pieces[0].value
        images = torch.empty(len(flat), *self.shape, dtype=value.dtype, device=value.device)
        at = torch.searchsorted(self.ends.to(flat.device), flat, right=True)
        for k in at.unique().tolist():
            piece, mine = self.pieces[k], at == k
            images[mine] = piece.dense(flat[mine] - (int(self.ends[k]) - len(piece)))
        return images.view(*rows.shape, *self.shape)
