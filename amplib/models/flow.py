"""What generators have in common that carry points of N(0, 1) to events, one to one."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from amplib.models.config import FlowMatchingConfig, SplineFlowConfig
from amplib.models.noise import Noise, NoiseBlock, normal_words
from amplib.models.stack import SharedStack

PIECE = 8192
"""Events that are generated at a time."""


class StackedFlow(SharedStack):
    """E flows, trained side by side on the same events, with one loss.

    A subclass sets ``config`` and ``generation``, the stream of the points that events come of.
    """

    precision: ClassVar[str] = "highest"
    config: FlowMatchingConfig | SplineFlowConfig
    generation: Noise

    @abstractmethod
    def events_of(self, points: Tensor) -> Tensor:
        """Events of points of N(0, 1), both ``(E, rows, columns)``."""

    def rate_at(self, epoch: int) -> float:
        """Falls to zero like a cosine."""
        done = (epoch - 1) / self.config.epochs
        return 0.5 * self.config.learning_rate * (1 + math.cos(math.pi * done))

    @torch.no_grad()
    def generate(self, n: int, batch: int = PIECE) -> Iterator[NDArray[np.float32]]:
        """``n`` events of every member, in batches ``(E, batch, columns)``.

        The events do not depend on how many are asked for, only on ``batch``.
        """
        columns = self.data.shape[1]
        words = normal_words(batch * columns)
        for number, first in enumerate(range(0, n, batch)):
            noise = NoiseBlock(self.generation.words(number * words, words), self.dtype)
            events = self.events_of(noise.normal(batch, columns)[:, : n - first])
            yield events.float().cpu().numpy()
