"""Showers a second of the generators, training and generating; two minutes of a core.

    python benchmarks/shower_generators.py [--scale 4] [--critic-steps 2] [--turns 3]

One thread of a CPU, as the workers of ``make compute`` have.  The BIB-AE is beside the same one
written plainly in PyTorch; all rows take turns, so that a busy neighbour slows them alike: trust
ratios more than rates.  Seconds are the thread's own, but for the shipped generators, which one
process and two use at a time.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from plain_bibae import PlainBIBAE
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry
from turns import in_turns, processor, rates, side_by_side

from amplib.models.bibae import StackedBIBAE
from amplib.models.config import BIBAEConfig, ImageGANConfig
from amplib.models.cpu import prepare
from amplib.models.generators import ImageStack, generate, number_of_weights
from amplib.models.image_gan import StackedImageGAN
from amplib.models.noise import Noise, NoiseBlock
from amplib.models.volumes import SparseImages
from amplib.store.results import Result
from amplib.store.worker import cpu_model
from amplib.studies.catalogue import make_study
from amplib.truth.showers.config import ShowerConfig
from amplib.truth.showers.shower import showers

BATCH = 32
GENERATED = 100
CPU = torch.device("cpu")


class Operations(TorchDispatchMode):
    """Counts those of products and convolutions; FlopCounterMode takes no second derivatives."""

    total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        count = flop_registry.get(func._overloadpacket)
        if count is not None:
            self.total += count(*args, **(kwargs or {}), out_val=out)
        return out


def operations(turn: Callable[[], object]) -> int:
    with Operations() as counted:
        turn()
    return counted.total


def peak(dtype: torch.dtype, size: int = 1024, turns: int = 5) -> float:
    """Operations a second of a large product: the machine's limit."""
    a, b = (torch.randn(size, size).to(dtype) for _ in range(2))
    return 2 * size**3 / min(processor(lambda: a @ b) for _ in range(turns))


def training_showers() -> SparseImages:
    """A batch of simulated ones."""
    generator = torch.Generator().manual_seed(1)
    flat = torch.cat(list(showers(BATCH, ShowerConfig(), generator))).flatten(1)
    shower, cell = flat.nonzero().T
    count = torch.bincount(shower, minlength=BATCH)
    return SparseImages(cell, flat[shower, cell], count, (30, 30, 30))


def training(stack: ImageStack, batch: torch.Tensor) -> Callable[[], object]:
    words = stack.step_words()
    stack.rate.fill_(1e-5)
    return lambda: stack.train_step(batch, NoiseBlock(stack.noise.words(0, words), stack.dtype))


def plain_training(model: PlainBIBAE, batch: torch.Tensor, words: int) -> Callable[[], object]:
    noise = torch.randint(-(2**62), 2**62, (1, words))
    return lambda: model.step(batch[0], NoiseBlock(noise, torch.float32))


def generating(stack: ImageStack, precision: str) -> Callable[[], object]:
    return lambda: sum(
        len(b) for b in generate(stack.generator, stack.judging, GENERATED, 0.1, precision)
    )


def shipped(study: str) -> Callable[[], object]:
    """Generates by the laptop's stored training, which is shipped."""
    prepare()
    result = Result(make_study(study, "laptop"), "laptop")
    arrays = result.part(result.study.parts()[0])
    assert arrays is not None, f"{study} is not stored at the laptop's scale"
    kind: Any = result.study
    generator, stream = kind.generator(arrays), Noise([np.random.SeedSequence(1)], CPU)
    return lambda: sum(
        len(b[0]) for b in generate(generator, stream, GENERATED, 0.1, kind.precision)
    )


def table(title: str, found: dict[str, list[float]], floors: dict[str, float]) -> None:
    """Median and range, against the plain one and against the machine's limit."""
    columns = f"{'showers/s':>12s}{'from':>9s}{'to':>9s}{'ratio':>8s}{'of limit':>10s}"
    print(f"\n{title:24s}{columns}")
    plain = statistics.median(found["BIB-AE, plain"])
    for name, values in found.items():
        middle = statistics.median(values)
        print(
            f"{name:24s}{middle:12.1f}{min(values):9.1f}{max(values):9.1f}"
            f"{middle / plain:8.2f}{middle / floors[name]:10.0%}"
        )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scale", type=int, default=4)
    parser.add_argument("--critic-steps", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    print(f"{cpu_model()}, 1 thread, {prepare()}, PyTorch {torch.__version__}")
    images = training_showers()
    batch = images.dense(torch.arange(BATCH)[None])
    reference = torch.zeros(2, 1)
    common: dict[str, Any] = {"batch_size": BATCH, "pieces": 1, "judged": 2}
    truth = (50.0, lambda x: x.sum((1, 2, 3))[:, None], reference, 0.1, [np.random.SeedSequence(1)])

    train: dict[str, Callable[[], object]] = {}
    make: dict[str, Callable[[], object]] = {}
    limits: dict[str, float] = {}
    for precision in ("float32", "bfloat16"):
        config = BIBAEConfig(
            scale=options.scale, detour="none", critic_steps=options.critic_steps,
            precision=precision, **common,
        )  # fmt: skip
        bibae = StackedBIBAE(config, images, *truth)
        gan = StackedImageGAN(ImageGANConfig(precision=precision, **common), images, *truth)
        if precision == "float32":
            plain = PlainBIBAE(config)
            train["BIB-AE, plain"] = plain_training(plain, batch, bibae.step_words())
            make["BIB-AE, plain"] = partial(plain.generate, GENERATED)
            share = number_of_weights(bibae.autoencoder) / config.published_weights
            print(f"BIB-AE / {options.scale}: {share:.1%} of the published weights")
        limit = peak(getattr(torch, precision))
        print(f"{precision}: {limit / 1e9:.0f} GFLOP/s in a product")
        for name, stack in (("BIB-AE", bibae), ("GAN", gan)):
            train[title := f"{name}, {precision}"] = training(stack, batch)
            make[title] = generating(stack, precision)
            limits[title] = limit
    limits["BIB-AE, plain"] = limits["BIB-AE, float32"]
    for title, turns, work in (("training", train, BATCH), ("generating", make, GENERATED)):
        # Per shower, in the arithmetic that each way does itself.
        floors = {name: limits[name] * work / operations(turn) for name, turn in turns.items()}
        table(title, rates(in_turns(turns, options.turns, processor), work), floors)
    print("\nshipped generators, showers/s by the clock and by the processors' time")
    for study, name in (("bibae", "BIB-AE"), ("shower-gan", "GAN")):
        for processes in (1, 2):
            taken = side_by_side(processes, partial(shipped, study), options.turns)
            clock, own = (options.turns * GENERATED / taken).sum(1)
            print(f"{name}, {processes} at once: {clock:.0f}, {own:.0f}")


if __name__ == "__main__":
    main()
