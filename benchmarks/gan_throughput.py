"""GAN-steps a second: one network at a time against the stack, and how far from the floor.

    python benchmarks/gan_throughput.py [--device cuda] [--members 1 4 8 16] [--repetitions 7]

One GAN-step is one discriminator and one generator step on a batch of 10 with the paper's networks
(amplify, sec. 2); a full training of 10,000 epochs on 100 points has 100,000.  Everything is
measured in this one run: configurations take turns, so that a busy neighbour slows all alike.
"""

from __future__ import annotations

import argparse
import itertools
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from plain_gan import PlainGAN
from torch.utils.flop_counter import FlopCounterMode

from amplib.gan import StackedGAN
from amplib.gan_config import GANConfig
from amplib.truth import CamelBack
from amplib.worker import cpu_model

CONFIG = GANConfig()
N_TRAIN = 100
STEPS = CONFIG.epochs * N_TRAIN // CONFIG.batch_size  # of a full training
MEGABYTES = 41.6
"""Memory traffic of one GAN-step if weights and Adam's moments are each moved as often as needed
and gradients are never stored."""
EPOCHS_A_TURN = {"cpu": 1, "cuda": 50}


def samples(members: int) -> np.ndarray:
    """``(E, 100, 1)`` training samples."""
    rng = np.random.default_rng(2020)
    return np.stack([CamelBack().sample(N_TRAIN, rng) for _ in range(members)])[..., None]


def plain_epochs(device: str) -> Iterator[None]:
    gan = PlainGAN(CONFIG, samples(1)[0], device)
    while True:
        for _ in range(EPOCHS_A_TURN[device]):
            gan.train_epoch()
        yield


def stacked_epochs(members: int, device: str) -> Iterator[object]:
    seeds = np.random.SeedSequence(2020).spawn(members)
    return StackedGAN(CONFIG, samples(members), seeds, device).train(every=EPOCHS_A_TURN[device])


def seconds(turn: Callable[[], object], device: str) -> float:
    """Wall time of one call, the device's queue emptied before and after."""
    wait = torch.cuda.synchronize if device == "cuda" else (lambda: None)
    wait()
    start = time.perf_counter()
    turn()
    wait()
    return time.perf_counter() - start


def flops_a_step() -> float:
    """Floating-point operations of one GAN-step, counted in the matrix products."""
    gan = StackedGAN(CONFIG, samples(1), [np.random.SeedSequence(0)])
    with FlopCounterMode(display=False) as counter:
        gan._epoch()
    return counter.get_total_flops() / gan.steps_per_epoch


def gemm(device: str) -> Callable[[], object]:
    """One product of 1024 x 1024 float32 matrices: 2 * 1024^3 operations."""
    a, b, out = (torch.rand(1024, 1024, device=device) for _ in range(3))
    return lambda: torch.mm(a, b, out=out)


def device_copy() -> Callable[[], object]:
    """A copy of 1 GiB within the GPU's memory: 2 GiB moved."""
    a, b = (torch.empty(2**28, device="cuda") for _ in range(2))
    return lambda: b.copy_(a)


def measure(
    turns: dict[str, Callable[[], object]], repetitions: int, device: str
) -> dict[str, list[float]]:
    """Seconds of every turn, the turns interleaved; the first round only warms up."""
    times: dict[str, list[float]] = {name: [] for name in turns}
    for repetition, (name, turn) in itertools.product(range(repetitions + 1), turns.items()):
        taken = seconds(turn, device)
        if repetition:
            times[name].append(taken)
    return times


def median_and_spread(values: list[float]) -> tuple[float, float]:
    """Median and half the distance of the quartiles."""
    if len(values) < 2:
        return values[0], float("nan")
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return middle, (high - low) / 2


def duration(s: float) -> str:
    return f"{s / 60:.1f} min" if s < 7200 else f"{s / 3600:.1f} h"


def report(device: str, members: list[int], repetitions: int) -> None:
    """Measure and print the table of one device."""
    turns: dict[str, Callable[[], object]] = {"plain": partial(next, plain_epochs(device))}
    for e in members:
        turns[f"stacked, E = {e}"] = partial(next, stacked_epochs(e, device))
    turns["floor"] = gemm("cpu") if device == "cpu" else device_copy()
    times = measure(turns, repetitions, device)

    if device == "cpu":
        work, rates = flops_a_step(), [2 * 1024**3 / t for t in times.pop("floor")]
        rate, spread = median_and_spread(rates)
        print(f"\nCPU: {cpu_model()}, 1 thread, PyTorch {torch.__version__}")
        need = f"{work / 1e6:.0f} MFLOP a GAN-step"
        measured = f"{rate / 1e9:.1f} +- {spread / 1e9:.1f} GFLOP/s by torch.mm, 1024^3, float32"
    else:
        work, rates = MEGABYTES * 1e6, [2 * 2**30 / t for t in times.pop("floor")]
        rate, spread = median_and_spread(rates)
        print(f"\nGPU: {torch.cuda.get_device_name()}, PyTorch {torch.__version__}")
        need = f"{MEGABYTES} MB a GAN-step"
        measured = f"{rate / 1e9:.0f} +- {spread / 1e9:.0f} GB/s by copies of 1 GiB"
    floor = rate / work
    print(f"floor: {need}; {measured}")

    line = "{:<18}{:>18}{:>9}{:>13}{:>18}"
    print(line.format("", "GAN-steps/s", "ratio", "of the floor", "100 trainings"))
    epoch_steps = EPOCHS_A_TURN[device] * N_TRAIN // CONFIG.batch_size
    reference = 0.0
    best = duration(100 * STEPS / floor)
    print(line.format("floor", f"{floor:.0f}", "", "", best))
    for (name, taken), e in zip(times.items(), [1, *members], strict=True):
        value, spread = median_and_spread([e * epoch_steps / t for t in taken])
        reference = reference or value
        print(
            line.format(
                name,
                f"{value:.1f} +- {spread:.1f}",
                f"{value / reference:.2f}",
                f"{value / floor:.1%}",
                duration(100 * STEPS / value),
            )
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], help="only this one (default: all)")
    parser.add_argument("--members", type=int, nargs="+", help="sizes of the stack")
    parser.add_argument("--repetitions", type=int, default=7, help="turns each (default 7)")
    options = parser.parse_args()
    if options.repetitions < 1 or any(e < 1 for e in options.members or []):
        parser.error("repetitions and members must be at least 1")
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("no CUDA device here")
    torch.set_num_threads(1)
    print(f"{platform.platform()}; median +- half the interquartile range of the turns")
    if options.device != "cuda":
        report("cpu", options.members or [1, 4, 8, 16], options.repetitions)
    if options.device != "cpu" and torch.cuda.is_available():
        report("cuda", options.members or [1, 10, 100], options.repetitions)


if __name__ == "__main__":
    main()
