r"""Flow matching (Lipman et al., arXiv:2210.02747): a field that carries N(0, 1) to the events.

A point of N(0, 1) and an event are joined by a line, :math:`x_t = (1 - t) x_0 + t x_1`, along which
the velocity is :math:`x_1 - x_0`.  The network learns its mean at every point and time,

.. math:: L = \langle |v(x_t, t) - (x_1 - x_0)|^2 \rangle ,

per column, and events are where :math:`dx/dt = v` has carried points of N(0, 1) at t = 1.  E of
them train at once (see ``stack``).  Columns are standardised by mean and deviation.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Adam

from amplib.models.config import FlowMatchingConfig
from amplib.models.flow import StackedFlow
from amplib.models.layers import StackedLayers, StackedLinear
from amplib.models.noise import NoiseBlock, normal_words, uniform_words
from amplib.models.scaling import LinearScaling, by_deviation
from amplib.models.stack import descend

WAVES = 4
"""Of the time, whose sines and cosines the network is told beside it."""


class VelocityField(nn.Module):
    """v of points ``(E, rows, columns)`` at times ``(E, rows, 1)``; layers activated by SiLU.

    Args:
        config: width and depth.
        columns: numbers in an event.
        starts: one seeded CPU generator a member.
    """

    def __init__(self, config: FlowMatchingConfig, columns: int, starts: list[torch.Generator]):
        super().__init__()
        inputs = columns + 1 + 2 * WAVES
        self.hidden = StackedLayers((inputs, *[config.width] * config.depth), starts, "he")
        self.output = StackedLinear(config.width, columns, starts, "xavier")

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        waves = math.pi * time * torch.arange(1, WAVES + 1, device=x.device)
        h = torch.cat([x, time, waves.sin(), waves.cos()], 2)
        for layer in self.hidden:
            h = F.silu(layer(h))
        return self.output(h)


class StackedFlowMatching(StackedFlow):
    """E velocity fields, trained side by side on the same events.

    The only loss is L, its mean over the epoch.

    Args:
        config: what to train.
        events: training events ``(N, columns)``.
        seeds: one seed a member.
        device: ``cpu`` or ``cuda``.
        dtype: ``torch.float32``; ``torch.float64`` for tests and fingerprints.
    """

    config: FlowMatchingConfig

    def __init__(
        self,
        config: FlowMatchingConfig,
        events: NDArray[np.floating],
        seeds: list[np.random.SeedSequence],
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__(events, config.batch_size, seeds, 1, device, dtype)
        self.config = config
        field = VelocityField(config, events.shape[1], self.starts)
        self.field = field.to(self.device, dtype)
        self.noise, self.generation = map(self.stream, (2, 3))
        self.adam = self.optimise("field", self.field, Adam)

    def scaling_of(self, events: NDArray[np.floating]) -> LinearScaling:
        return by_deviation(events, self.losses)

    def train_step(self, batch: Tensor, at: Tensor) -> Tensor:
        rows, columns = batch.shape[1:]
        words = normal_words(rows * columns) + uniform_words(rows)
        noise = NoiseBlock(self.noise.words(at * words, words), self.dtype)
        start, time = noise.normal(rows, columns), 0.5 * (1 + noise.uniform(rows, 1))
        velocity = self.field(torch.lerp(start, batch, time), time)
        loss = (velocity - (batch - start)).square().mean((1, 2))
        descend(self.adam, loss)
        return loss.detach().unsqueeze(0)

    def events_of(self, points: Tensor) -> Tensor:
        return self.scaling.to_events(carried(self.field, points, self.config.flow_steps))


def carried(field: Callable[[Tensor, Tensor], Tensor], x: Tensor, steps: int) -> Tensor:
    """Points at t = 1 that were at ``x`` at t = 0, by the midpoint rule.

    Args:
        field: v of points ``(E, rows, columns)`` at times ``(E, rows, 1)``.
        x: where they begin.
        steps: of the rule; its error falls with their square.
    """
    width = 1 / steps
    time = x.new_zeros(*x.shape[:2], 1)
    for k in range(steps):
        middle = x + 0.5 * width * field(x, time + k * width)
        x = x + width * field(middle, time + (k + 0.5) * width)
    return x
