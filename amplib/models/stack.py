"""E models that train side by side, each as if it were alone: what all of them share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer, RMSprop

from amplib.models.noise import Noise
from amplib.models.scaling import Scaling, by_modulus

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

    precision: ClassVar[str] = "high"
    """Of float32 products on a GPU: ``high`` rounds operands to TF32, ``highest`` does not."""

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

    def begin(self, epoch: int) -> bool:
        """What is to be done before an epoch that not every epoch needs.

        Returns:
            whether ``run_epoch`` now does something else, so that it has to be captured anew.
        """
        return False

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
        """An optimiser of these weights, at ``times`` the ``rate``, that belongs to the state.

        A module may have several; its weights are in the state under the first one's name.
        """
        rate = self.rate
        if times != 1:
            rate = torch.zeros_like(self.rate)
            self.rates.append((rate, times))
        if kind in (Adam, SGD):  # SGD that is not fused takes no rate from a tensor when captured
            options["fused"] = True
        if kind in (Adam, RMSprop):
            options["capturable"] = self.device.type == "cuda"
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
        run = None
        if self.device.type == "cuda":
            torch.set_float32_matmul_precision(self.precision)
        for done in range(int(self.epoch) + 1, epochs + 1):
            changed = self.begin(done)
            if changed or run is None:
                run = self.captured() if self.device.type == "cuda" else self.run_epoch
            for rate, times in self.rates:
                rate.fill_(times * self.rate_at(done))
            run()
            if done % every == 0 or done == epochs:
                yield done, self.losses.cpu().numpy().copy()

    def captured(self) -> Callable[[], None]:
        """``run_epoch`` for a GPU: the whole epoch as one CUDA graph, or of several."""
        return self.capture(self.run_epoch)

    def capture(self, work: Callable[[], None]) -> Callable[[], None]:
        """Work as a CUDA graph: captured once, replayed as one launch.

        The warm-up that capture needs trains for real, so the state is put back after it.
        """
        before = {name: value.clone() for name, value in self.state().items()}
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                work()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        for _, optimiser in self.trained.values():
            optimiser.zero_grad(set_to_none=True)
        with torch.cuda.graph(graph):
            work()
        self.restore(before)
        return graph.replay

    def state(self) -> dict[str, Tensor]:
        """All that a training needs to go on: weights, what the optimisers remember, the epoch."""
        state = {"epoch": self.epoch}
        seen: set[Tensor] = set()  # of a module with several optimisers
        for name, (module, optimiser) in self.trained.items():
            for key, weight in module.named_parameters():
                if weight not in seen:
                    state[f"{name}.{key}"] = weight.data
                    seen.add(weight)
                for moment, value in _moments(optimiser, weight).items():
                    state[f"{name}.{key}.{moment}"] = value
            for key, buffer in module.named_buffers():
                if buffer not in seen:
                    state[f"{name}.{key}"] = buffer
                    seen.add(buffer)
        return state

    def all_finite(self) -> NDArray[np.bool_]:
        """Which members' weights are all numbers, ``(E,)``, and so is what the optimisers remember:
        an infinite mean square there, which only halts its weight, is one too."""
        members = len(self.seeds)
        finite = np.ones(members, bool)
        for name, value in self.state().items():
            if value.is_floating_point() and value.ndim and len(value) == members:
                good = ~value.isnan() if name.endswith("exp_avg_sq") else value.isfinite()
                finite &= good.reshape(members, -1).all(1).cpu().numpy()
        return finite

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


class SharedStack(Stack):
    """Models that all train on the same events, epoch by epoch in an order of their own.

    An epoch is a shuffle, as many equal steps as there are full batches, and what follows them.
    On a GPU it is the step that is captured: a graph of an epoch of a million events would be too
    large.

    Args:
        events: training events ``(N, columns)``; the network sees them by ``scaling_of``.
        batch_size: events of a step.
        seeds, losses, device, dtype: of ``Stack``.

    Raises:
        ValueError: events that are not finite, or that do not fill a batch.
    """

    def __init__(
        self,
        events: NDArray[np.floating],
        batch_size: int,
        seeds: list[np.random.SeedSequence],
        losses: int,
        device: str,
        dtype: torch.dtype,
    ):
        check_events(events)
        if len(events) < batch_size:
            raise ValueError(f"{len(events)} training events do not fill a batch of {batch_size}")
        super().__init__(seeds, losses, device, dtype)
        self.scaling = self.scaling_of(events)
        self.data = self.scaling.to_network(torch.as_tensor(events, device=self.device))
        self.batch_size = batch_size
        self.shuffles = self.stream(1)
        self.order = torch.zeros(
            len(seeds), self.steps_per_epoch, batch_size, dtype=torch.int64, device=self.device
        )
        self.step = torch.zeros(1, dtype=torch.int64, device=self.device)

    def scaling_of(self, events: NDArray[np.floating]) -> Scaling:
        """How columns are brought to the network's range and back: by their largest modulus,
        unless a subclass wants another scaling."""
        return by_modulus(events, self.losses)

    @abstractmethod
    def train_step(self, batch: Tensor, at: Tensor) -> Tensor:
        """One step on ``(E, batch, columns)``; returns what it adds to ``losses``, ``(k, E)``.

        Args:
            batch: scaled events.
            at: number of the step in all of the training, for its noise.
        """

    def end_epoch(self) -> None:
        """What follows the steps: nothing."""

    def tensor(self, values: NDArray[np.floating]) -> Tensor:
        """On the device, in the stack's precision."""
        return torch.as_tensor(values, dtype=self.dtype, device=self.device)

    @property
    def steps_per_epoch(self) -> int:
        """Full batches an epoch; what is left over after the shuffle sits this epoch out."""
        return len(self.data) // self.batch_size

    def run_epoch(self) -> None:
        self._epoch_of(self._step)

    def captured(self) -> Callable[[], None]:
        self._shuffle()
        step = self.capture(self._step)
        return lambda: self._epoch_of(step)

    def _epoch_of(self, step: Callable[[], None]) -> None:
        self._shuffle()
        for _ in range(self.steps_per_epoch):
            step()
        self.losses /= self.steps_per_epoch
        self.end_epoch()
        self.epoch += 1

    def _shuffle(self) -> None:
        points, rows = len(self.data), self.order[0].numel()
        words = self.shuffles.words(self.epoch * points, points)
        self.order.copy_(words.argsort(1)[:, :rows].view_as(self.order))
        self.losses.zero_()
        self.step.zero_()

    def _step(self) -> None:
        # The remainder: the warm-up of a capture may go beyond an epoch of few steps.
        batch = self.order.index_select(1, self.step % self.steps_per_epoch).squeeze(1)
        losses = self.train_step(self.data[batch], self.epoch * self.steps_per_epoch + self.step)
        self.losses[: len(losses)] += losses
        self.step += 1


def check_events(*samples: NDArray[np.floating]) -> None:
    """Refuse what is no table of finite numbers, all with the same columns.

    Raises:
        ValueError: saying what is wrong.
    """
    for events in samples:
        if events.ndim != 2 or not len(events) or events.shape[1] != samples[0].shape[-1]:
            shapes = " and ".join(str(x.shape) for x in samples)
            raise ValueError(f"events of shape {shapes}: expected (N, columns), columns the same")
        if not np.isfinite(events).all():
            row, column = np.argwhere(~np.isfinite(events))[0]
            raise ValueError(f"event {row}: column {column} is {events[row, column]}")


def descend(optimiser: Optimizer, loss: Tensor) -> None:
    """One step down the losses of all members, ``(E,)``."""
    optimiser.zero_grad(set_to_none=True)
    loss.sum().backward()
    optimiser.step()


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
