"""The low-level classifier of DCTRGAN (sec. III B): three-dimensional convolutions of whole images.

Images are kept by their filled cells, as in full they would not fit into memory: what the network
takes as an event is the number of its row among them, and ``train_dctr`` trains it like any other.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor, nn

from amplib.models.generators import autocast
from amplib.models.volumes import JoinedImages, SparseImages

LEAK = 0.01
DENSE = (64, 256, 256)
ROWS = 200
"""Images in full at once when nothing is trained: a second of a core at the paper's size."""
PIECE = 16
"""Of them go through the layers of a CPU together, so that what lies between two layers stays near
a core; no image's logit depends on the others."""
Images = SparseImages | JoinedImages


def _side(side: int, stride: int, padding: int) -> int:
    return (side + 2 * padding - 3) // stride + 1


class ImageClassifier(nn.Module):
    """One logit an image, for the numbers ``(rows, 1)`` of images of one edge length.

    In training every image is turned over along x with a probability of one half, and along y with
    another: what generated images have at one place and not at its mirror image is no help then.
    Three convolutions of k = 3, strides 2, 2 and 1, the first two padded, layer norm between them;
    dense layers of 64, 256 and 256; LeakyReLU of slope 0.01.  What the paper leaves open: the norm
    is over cells and channels together.  Over the cells of each channel, as in the critics of its
    generator, it would take the energy out of an image and leave nothing but its shape, and the
    paper's model shifts the total energy.

    Args:
        images: those that rows are counted in, ``(layer, x, y)``.
        filters: of each convolution, 128 in the paper.
        seed: of the first weights (PyTorch's default ones) and of the flips.
        precision: of convolutions, ``float32`` or ``bfloat16``.
    """

    at_once = ROWS

    def __init__(
        self,
        images: Images,
        filters: int,
        seed: np.random.SeedSequence,
        precision: str = "float32",
    ):
        super().__init__()
        self.images, self.precision = images, precision
        start, flips = (int(n) for n in seed.generate_state(2))
        self.flips = torch.Generator().manual_seed(flips)
        first = _side(images.shape[0], 2, 1)  # 30: 15, 8, 6
        second = _side(first, 2, 1)
        widths = (filters * _side(second, 1, 0) ** 3, *DENSE)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(start)
            self.layers = nn.Sequential(
                nn.Conv3d(1, filters, 3, 2, 1),
                nn.LayerNorm((filters, *(first,) * 3)),
                nn.LeakyReLU(LEAK),
                nn.Conv3d(filters, filters, 3, 2, 1),
                nn.LayerNorm((filters, *(second,) * 3)),
                nn.LeakyReLU(LEAK),
                nn.Conv3d(filters, filters, 3),
                nn.LeakyReLU(LEAK),
                nn.Flatten(),
            )
            for inputs, outputs in zip(widths, DENSE, strict=False):
                self.layers.extend([nn.Linear(inputs, outputs), nn.LeakyReLU(LEAK)])
            self.layers.append(nn.Linear(DENSE[-1], 1))

    def get_extra_state(self) -> Tensor:
        """Of the flips: a training that goes on makes those that it would have made."""
        return self.flips.get_state()

    def set_extra_state(self, state: Tensor) -> None:
        self.flips.set_state(state)

    def on(self, images: Images) -> ImageClassifier:
        """This network, for the rows of other images."""
        other = copy.copy(self)
        other.images = images
        return other

    def forward(self, rows: Tensor) -> Tensor:
        rows = rows.flatten().long()
        if self.training:
            return self._logits(self._turned(self.images.dense(rows)))
        return torch.cat([self._logits(self.images.dense(r)) for r in rows.split(ROWS)])

    def _logits(self, images: Tensor) -> Tensor:
        device = images.device.type
        pieces = images.split(PIECE) if device == "cpu" else (images,)
        with autocast(device, self.precision):
            return torch.cat([self.layers(p.unsqueeze(1)).to(images.dtype) for p in pieces])

    def _turned(self, images: Tensor) -> Tensor:
        coins = torch.rand(2, len(images), 1, 1, 1, generator=self.flips) < 0.5
        for axis, coin in zip((2, 3), coins.to(images.device), strict=True):
            images = torch.where(coin, images.flip(axis), images)
        return images
