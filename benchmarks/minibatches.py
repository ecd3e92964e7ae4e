"""Minibatch discrimination: as it is defined, in blocks and compiled; a minute of a core.

    python benchmarks/minibatches.py [--turns 10]

Both passes of one layer, and a turn of the GAN that has it (five steps of the critic and one of the
generator) beside the same GAN without it.  The ways take turns, so that a busy neighbour slows them
alike: trust ratios more than times.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor
from turns import in_turns, processor

from amplib.models.config import EVENT_GANS
from amplib.models.cpu import prepare
from amplib.models.event_gans import KINDS, EventGAN
from amplib.models.minibatch import DIMENSIONS, KERNELS, LONG, closeness
from amplib.store.worker import cpu_model

BATCHES = (64, 256)
WAYS: dict[str, Callable[[Tensor], Tensor]] = {
    "as defined": lambda m: (-(m[:, :, None] - m[:, None]).abs().sum(3)).exp().sum(2) - 1,
    "in blocks": closeness,
    "compiled": partial(closeness, compiled=True),
}


def layer(way: Callable[[Tensor], Tensor], batch: int) -> Callable[[], object]:
    """Forward and backward of rows that are alike in nothing."""
    m = torch.randn(1, batch, DIMENSIONS, KERNELS).requires_grad_()
    return lambda: torch.autograd.grad(way(m).square().sum(), m)


def gan(method: str, steps: int) -> Callable[[], object]:
    """A turn; trainings of fewer steps than ``LONG`` are not compiled."""
    events = np.random.default_rng(1).normal(size=(5_000, 26))
    config = replace(EVENT_GANS[method], steps=steps)
    model: EventGAN = KINDS[method](config, events, [np.random.SeedSequence(1)])
    model.rate.fill_(config.learning_rate)

    def turn() -> None:
        for _ in range(config.critic_steps):
            model._critic_step()
        model._generator_step()

    return turn


def report(title: str, turns: dict[str, Callable[[], object]], repetitions: int) -> None:
    """Median milliseconds of each, and of the first over it."""
    print(f"\n{title:<28}{'ms':>9}{'ratio':>8}")
    times = {n: statistics.median(t) for n, t in in_turns(turns, repetitions, processor).items()}
    first = next(iter(times.values()))
    for name, seconds in times.items():
        print(f"{name:<28}{1e3 * seconds:9.2f}{first / seconds:8.2f}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--turns", type=int, default=10)
    turns = parser.parse_args().turns
    print(f"{cpu_model()}, 1 thread, {prepare()}, PyTorch {torch.__version__}")
    for batch in BATCHES:
        ways = {name: layer(way, batch) for name, way in WAYS.items()}
        report(f"a batch of {batch}, both passes", ways, turns)
    ways = {
        "WGAN + MBD, in blocks": gan("WGAN + MBD", LONG - 1),
        "WGAN + MBD, compiled": gan("WGAN + MBD", LONG),
        "WGAN": gan("WGAN", LONG),
    }
    report("a turn", ways, turns)


if __name__ == "__main__":
    main()
