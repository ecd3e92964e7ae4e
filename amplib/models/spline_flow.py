r"""A normalising flow on events: rational-quadratic splines in coupling layers, from zuko.

A flow maps an event to a point of N(0, 1) by an invertible f, so that its density is known,

.. math:: \ln p(x) = \ln \mathcal N(f(x); 0, 1) + \ln \left| \det \partial f / \partial x \right| ,

and is trained to make that large for the training events (Durkan et al., arXiv:1906.04032).  E of
them train at once (see ``stack``).

A likelihood has no upper bound where many events share a value, as the zeros of an absent lepton
do, and splines know no more than a few deviations about zero.  So a column's values are replaced by
their normal scores (``scaling.NormalScores``): zeros come back as zeros.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call
from torch.optim import Adam

from amplib.models.config import SplineFlowConfig
from amplib.models.flow import StackedFlow
from amplib.models.scaling import NormalScores
from amplib.models.stack import descend


class Splines(nn.Module):
    """One flow: mean negative log likelihood of scores ``(rows, columns)``, or events of noise."""

    def __init__(self, config: SplineFlowConfig, columns: int):
        super().__init__()
        import zuko

        self.flow = zuko.flows.NSF(
            columns,
            transforms=config.transforms,
            bins=config.bins,
            passes=2,  # coupling: as quick to sample as to train
            randperm=True,
            hidden_features=[config.width] * config.depth,
        )

    def forward(self, x: Tensor, generate: bool = False) -> Tensor:
        if generate:
            return self.flow().transform.inv(x)
        return -self.flow().log_prob(x).mean()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """PyTorch's own random numbers, which zuko and its layers take, from a seed; put back after."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


class StackedSplineFlow(StackedFlow):
    """E flows, trained side by side on the same events.

    The only loss is the negative log likelihood of a batch's scores, its mean over the epoch.

    Args:
        config: what to train.
        events: training events ``(N, columns)``.
        seeds: one seed a member.
        device: ``cpu`` or ``cuda``.
        dtype: ``torch.float32``; ``torch.float64`` for tests and fingerprints.
    """

    config: SplineFlowConfig

    def __init__(
        self,
        config: SplineFlowConfig,
        events: NDArray[np.floating],
        seeds: list[np.random.SeedSequence],
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__(events, config.batch_size, seeds, 1, device, dtype)
        self.config = config
        # It is no member's chance which columns a layer couples.
        with seeded(0):
            self.flow = Splines(config, events.shape[1]).to(self.device, dtype)
        members = [self._started(start) for start in self.starts]
        self.weights = nn.ParameterDict(
            {name: torch.stack([own[name] for own in members]) for name in members[0]}
        )
        self.generation = self.stream(2)
        self.adam = self.optimise("flow", self.weights, Adam)

    def scaling_of(self, events: NDArray[np.floating]) -> NormalScores:
        return NormalScores.of(events, self.losses)

    def _started(self, start: torch.Generator) -> dict[str, Tensor]:
        """Weights that begin as a member's seed says, by names that a ``ParameterDict`` takes."""
        with seeded(start.initial_seed()):
            for layer in self.flow.modules():
                if isinstance(layer, nn.Linear):
                    layer.reset_parameters()
        weights = self.flow.named_parameters()
        return {name.replace(".", "/"): w.detach().clone() for name, w in weights}

    def _of_member(self, k: int, x: Tensor, generate: bool = False) -> Tensor:
        weights = {name.replace("/", "."): w[k] for name, w in self.weights.items()}
        return functional_call(self.flow, weights, (x, generate))

    def train_step(self, batch: Tensor, at: Tensor) -> Tensor:
        loss = torch.stack([self._of_member(k, x) for k, x in enumerate(batch)])
        descend(self.adam, loss)
        return loss.detach().unsqueeze(0)

    def events_of(self, points: Tensor) -> Tensor:
        scores = [self._of_member(k, z, generate=True) for k, z in enumerate(points)]
        return torch.stack([self.scaling.to_events(s) for s in scores])
