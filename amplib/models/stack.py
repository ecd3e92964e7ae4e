"""E models that train side by side, each as if it were alone: what all of them share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer, RMSprop

from amplib.models.noise import Noise

MOMENTS: dict[type[Optimizer], tuple[str, ...]] = {
    Adam: ("step", "exp_avg", "exp_avg_sq"),
    RMSprop: ("step", "square_avg"),
    SGD: ("momentum_buffer",),
}
"""What an optimiser remembers of each weight; ``step`` is one number."""


class Stack(ABC):
    """E models, their random streams, optimisers, epochs and state.

    A subclass makes its modules from ``starts``, has them trained with ``optimise``, and says what
    one ``run_epoch`` does and which rate it does it at.  Every tensor has the member first and
    nothing mixes members.  A captured epoch is replayed as it was: what changes from one epoch to
    the next is a tensor (``epoch``, ``rate``), never a Python number.

    Args:
        seeds: one seed a member; it fixes the member's start, shuffles and noise, whoever else is
            in the stack.
        losses: how many numbers an epoch reports.
        device: ``cpu`` or ``cuda``.
        dtype: ``torch.float32``; ``torch.float64`` for tests and fingerprints.
    """

    def __init__(
        self, seeds: list[np.random.SeedSequence], losses: int, device: str, dtype: torch.dtype
    ):
        self.seeds, self.device, self.dtype = seeds, torch.device(device), dtype
        self.starts = [
            torch.Generator().manual_seed(int(s.generate_state(1)[0])) for s in self._spawn(0)
        ]
        # The fused CUDA kernels take the rate in float32.
        precision = torch.float32 if self.device.type == "cuda" else torch.float64
        self.rate = torch.zeros((), dtype=precision, device=self.device)
        self.rates = [(self.rate, 1.0)]
        self.epoch = torch.zeros((), dtype=torch.int64, device=self.device)
        self.losses = torch.zeros(losses, len(seeds), dtype=dtype, device=self.device)
        self.trained: dict[str, tuple[nn.Module, Optimizer]] = {}

    @abstractmethod
    def run_epoch(self) -> None:
        """Train one epoch; ``losses`` are those of its last step, ``epoch`` counts it."""

    @abstractmethod
    def rate_at(self, epoch: int) -> float:
        """Learning rate of this epoch, the first of which is 1."""

    def _spawn(self, key: int) -> list[np.random.SeedSequence]:
        # Spawned by key, not by call: asking twice gives the same stream.
        return [
            np.random.SeedSequence(s.entropy, spawn_key=(*s.spawn_key, key)) for s in self.seeds
        ]

    def stream(self, key: int) -> Noise:
        """The members' random words of this stream; 0 is that of ``starts``."""
        return Noise(self._spawn(key), self.device)

    def optimise(
        self,
        name: str,
        module: nn.Module,
        kind: type[Optimizer],
        times: float = 1.0,
        **options: Any,
    ) -> Optimizer:
        """An optimiser of these weights, at ``times`` the ``rate``, that belongs to the state."""
        rate = self.rate
        if times != 1:
            rate = torch.zeros_like(self.rate)
            self.rates.append((rate, times))
        if kind is Adam:
            options |= {"fused": True, "capturable": self.device.type == "cuda"}
        optimiser = kind(module.parameters(), lr=rate, **options)  # type: ignore[call-arg]
        self.trained[name] = module, optimiser
        return optimiser

    def train(self, epochs: int, every: int = 50) -> Iterator[tuple[int, np.ndarray]]:
        """Train up to ``epochs`` in all.

        Yields:
            every ``every`` epochs and at the end: the epoch and the losses ``(losses, E)`` of its
            last step.  A member whose losses are not finite has diverged; it stays so and does
            not touch the others.
        """
        run = self.run_epoch
        if self.device.type == "cuda":
            torch.set_float32_matmul_precision("high")
            run = self.captured()
        for done in range(int(self.epoch) + 1, epochs + 1):
            for rate, times in self.rates:
                rate.fill_(times * self.rate_at(done))
            run()
            if done % every == 0 or done == epochs:
                yield done, self.losses.cpu().numpy()

    def captured(self) -> Callable[[], None]:
        """``run_epoch`` for a GPU, as a CUDA graph: captured once, replayed as one launch.

        The warm-up that capture needs trains for real, so the state is put back after it.
        """
        before = {name: value.clone() for name, value in self.state().items()}
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self.run_epoch()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        for _, optimiser in self.trained.values():
            optimiser.zero_grad(set_to_none=True)
        with torch.cuda.graph(graph):
            self.run_epoch()
        self.restore(before)
        return graph.replay

    def state(self) -> dict[str, Tensor]:
        """All that a training needs to go on: weights, what the optimisers remember, the epoch."""
        state = {"epoch": self.epoch}
        for name, (module, optimiser) in self.trained.items():
            for key, weight in module.named_parameters():
                state[f"{name}.{key}"] = weight.data
                for moment, value in _moments(optimiser, weight).items():
                    state[f"{name}.{key}.{moment}"] = value
            for key, buffer in module.named_buffers():
                state[f"{name}.{key}"] = buffer
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


def forget(optimiser: Optimizer) -> None:
    """Let an optimiser begin anew, in place, as a captured step needs it."""
    for group in optimiser.param_groups:
        for weight in group["params"]:
            for moment in _moments(optimiser, weight).values():
                moment.zero_()


def _moments(optimiser: Optimizer, weight: Tensor) -> dict[str, Tensor]:
    """What the optimiser remembers of this weight, at first nothing but zeros."""
    memory = optimiser.state[weight]
    for moment in MOMENTS[type(optimiser)]:
        if moment not in memory:  # made by the optimiser itself only at its first step
            memory[moment] = (
                torch.zeros((), dtype=torch.float32, device=weight.device)
                if moment == "step"
                else torch.zeros_like(weight)
            )
    return {moment: memory[moment] for moment in MOMENTS[type(optimiser)]}


def shuffled(data: Tensor, words: Tensor, rows: int) -> Tensor:
    """The members' points in an order of their own, ``(E, N, d) -> (E, rows, d)``.

    Args:
        data: one sample a member.
        words: ``(E, N)`` random words.
        rows: how many are kept; the others sit this epoch out.
    """
    order = words.argsort(1)[:, :rows]
    return data.gather(1, order.unsqueeze(2).expand(-1, -1, data.shape[2]))
