"""GAN-steps a second: one network at a time against the stack, and how far from the floor.

    python benchmarks/gan_throughput.py [--device cuda] [--members 1 4 8 16] [--repetitions 7]

One GAN-step is one discriminator and one generator step on a batch of 10 with the paper's networks
(amplify, sec. 2); a full training of 10,000 epochs on 100 points has 100,000.  Everything is
measured in this one run: configurations take turns, so that a busy neighbour slows all alike.  On a
CPU the stack runs as the workers of ``make compute`` do (``amplib.models.cpu``) and, for
comparison, with PyTorch's own products.
"""

from __future__ import annotations

import argparse
import math
import platform
import statistics
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from plain_gan import PlainGAN
from torch.utils.flop_counter import FlopCounterMode
from turns import in_turns, side_by_side, wall

from amplib.models import layers
from amplib.models.config import GANConfig
from amplib.models.cpu import prepare
from amplib.models.gan import StackedGAN
from amplib.models.noise import NoiseBlock
from amplib.store.worker import cpu_model
from amplib.truth.densities import CamelBack

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
    return StackedGAN(CONFIG, samples(members), seeds, device).train(
        CONFIG.epochs, EPOCHS_A_TURN[device]
    )


def seconds(turn: Callable[[], object], device: str) -> float:
    """Wall time of one call, the device's queue emptied before and after."""
    wait = torch.cuda.synchronize if device == "cuda" else (lambda: None)
    wait()
    return wall(lambda: (turn(), wait()))


def flops_a_step() -> float:
    """Floating-point operations of one GAN-step, counted in the matrix products."""
    gan = StackedGAN(CONFIG, samples(1), [np.random.SeedSequence(0)])
    with FlopCounterMode(display=False) as counter:
        gan.run_epoch()
    return counter.get_total_flops() / gan.steps_per_epoch


GEMM = (8, 400, 256, 256)
"""A product of the training: differences of eight batches and their tangents in the embedding."""
GEMM_TURNS = 20
GAIN_TURNS = 5
"""Pairs of processes without what made training faster and with it."""


def gemm() -> Callable[[], object]:
    """Products of that shape, float32."""
    stack, rows, inputs, outputs = GEMM
    a, b = torch.rand(stack, rows, inputs), torch.rand(stack, inputs, outputs)
    out = torch.empty(stack, rows, outputs)

    def turn() -> None:
        for _ in range(GEMM_TURNS):
            torch.bmm(a, b, out=out)

    return turn


def on_path(precision: str, turn: Callable[[], object]) -> Callable[[], object]:
    """The same with float32 products sent this way."""

    def run() -> object:
        torch.backends.mkldnn.matmul.fp32_precision = precision  # type: ignore[attr-defined]
        return turn()

    return run


def without_gains() -> None:
    """Set this process up as trainings were before: slopes and masks by comparison, PyTorch's own
    products, memory as glibc has it.  The numbers are the same."""

    def slope(values: torch.Tensor) -> torch.Tensor:
        return torch.where(values > 0, values.new_ones(()), values.new_full((), layers.LEAK))

    def dropout(self: NoiseBlock, p: float, *shape: int) -> torch.Tensor:
        bits = self._take(math.prod(shape), 4, torch.int16)
        keep = bits >= round(p * 65536) - 32768
        return (keep.to(self.dtype) / (1 - p)).unflatten(1, shape)

    torch.set_num_threads(1)
    layers.leaky_slope = slope
    NoiseBlock.dropout = dropout  # type: ignore[method-assign]


def stacked_turn(start: Callable[[], object], members: int) -> Callable[[], object]:
    """An epoch of a stack, in a process that was set up by ``start``."""
    start()
    return partial(next, stacked_epochs(members, "cpu"))


def processes(
    count: int, members: int, turns: int, start: Callable[[], object] = prepare
) -> np.ndarray:
    """GAN-steps a second of so many one-thread processes together, each with its own stack, by the
    clock and by the processor's time."""
    taken = side_by_side(count, partial(stacked_turn, start, members), turns)
    steps = turns * EPOCHS_A_TURN["cpu"] * N_TRAIN // CONFIG.batch_size * members
    return (steps / taken).sum(1)


def device_copy() -> Callable[[], object]:
    """A copy of 1 GiB within the GPU's memory: 2 GiB moved."""
    a, b = (torch.empty(2**28, device="cuda") for _ in range(2))
    return lambda: b.copy_(a)


def median_and_spread(values: list[float]) -> tuple[float, float]:
    """Median and half the distance of the quartiles."""
    if len(values) < 2:
        return values[0], float("nan")
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return middle, (high - low) / 2


def duration(s: float) -> str:
    return f"{s / 60:.1f} min" if s < 7200 else f"{s / 3600:.1f} h"


def report_cpu(members: list[int], repetitions: int) -> None:
    """Measure and print the table of one thread, and what two processes reach."""
    products = prepare()
    paths = {"as PyTorch comes": "none"}
    if products != "default":
        paths[products] = "bf16"
    turns: dict[str, Callable[[], object]] = {
        "plain": on_path("none", partial(next, plain_epochs("cpu")))
    }
    sizes = {"plain": 1}
    for name, precision in paths.items():
        for e in members:
            title = f"stacked, E = {e}, {name}"
            sizes[title] = e
            turns[title] = on_path(precision, partial(next, stacked_epochs(e, "cpu")))
    floors = {name: f"floor, {name}" for name in paths}
    turns |= {floors[name]: on_path(precision, gemm()) for name, precision in paths.items()}
    times = in_turns(turns, repetitions, partial(seconds, device="cpu"))

    stack, rows, inputs, outputs = GEMM
    flops = 2 * stack * rows * inputs * outputs * GEMM_TURNS
    work = flops_a_step()
    print(f"\nCPU: {cpu_model()}, 1 thread, PyTorch {torch.__version__}")
    shape = f"{stack} x {rows} x {inputs} x {outputs}"
    floor = {}
    for name, title in floors.items():
        rate, spread = median_and_spread([flops / t / 1e9 for t in times.pop(title)])
        floor[name] = 1e9 * rate / work
        print(
            f"floor, {name}: {work / 1e6:.0f} MFLOP a GAN-step; {rate:.0f} +- {spread:.0f} "
            f"GFLOP/s by torch.bmm, {shape}, float32: {floor[name]:.0f} GAN-steps/s"
        )
    best = max(floor.values())
    table(times, sizes, best, EPOCHS_A_TURN["cpu"])
    e = min(8, max(members))
    one, two = (processes(count, e, repetitions)[0] for count in (1, 2))
    print(f"two processes, E = {e}: {two:.0f} GAN-steps/s together, {two / one:.2f} of one")
    ways = [without_gains, prepare] * GAIN_TURNS
    before, now = np.reshape([processes(1, e, repetitions, way)[1] for way in ways], (-1, 2)).T
    print(
        "without oneDNN, sign and clamp, and kept memory, in processor time: "
        f"{np.median(before):.0f} GAN-steps/s, with them {np.median(now):.0f}, "
        f"ratio {np.median(now / before):.2f}"
    )


def report_cuda(members: list[int], repetitions: int) -> None:
    """Measure and print the table of a GPU."""
    turns: dict[str, Callable[[], object]] = {"plain": partial(next, plain_epochs("cuda"))}
    sizes = {"plain": 1} | {f"stacked, E = {e}": e for e in members}
    for e in members:
        turns[f"stacked, E = {e}"] = partial(next, stacked_epochs(e, "cuda"))
    turns["floor"] = device_copy()
    times = in_turns(turns, repetitions, partial(seconds, device="cuda"))
    rate, spread = median_and_spread([2 * 2**30 / t / 1e9 for t in times.pop("floor")])
    floor = rate * 1e3 / MEGABYTES
    print(f"\nGPU: {torch.cuda.get_device_name()}, PyTorch {torch.__version__}")
    print(
        f"floor: {MEGABYTES} MB a GAN-step; {rate:.0f} +- {spread:.0f} GB/s by copies of 1 GiB: "
        f"{floor:.0f} GAN-steps/s"
    )
    table(times, sizes, floor, EPOCHS_A_TURN["cuda"])


def table(times: dict[str, list[float]], sizes: dict[str, int], floor: float, epochs: int) -> None:
    """Rates of every configuration, against the plain one and the floor."""
    line = "{:<38}{:>18}{:>9}{:>13}{:>18}"
    print(line.format("", "GAN-steps/s", "ratio", "of the floor", "100 trainings"))
    print(line.format("floor", f"{floor:.0f}", "", "", duration(100 * STEPS / floor)))
    steps = epochs * N_TRAIN // CONFIG.batch_size
    reference = 0.0
    for name, taken in times.items():
        value, spread = median_and_spread([sizes[name] * steps / t for t in taken])
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
    print(f"{platform.platform()}; median +- half the interquartile range of the turns")
    if options.device != "cuda":
        report_cpu(options.members or [1, 4, 8, 16], options.repetitions)
    if options.device != "cpu" and torch.cuda.is_available():
        report_cuda(options.members or [1, 10, 100], options.repetitions)


if __name__ == "__main__":
    main()
