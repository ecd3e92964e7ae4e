"""Steps a second of the event paper's VAE: one at a time against the stack of the scan.

    python benchmarks/vae_throughput.py [--members 1 4 16] [--repetitions 5]

A model-step is one step of Adam on 1024 top pairs of 26 numbers, six hidden layers of 128 in
encoder and decoder.  The stacks have the scan's members, dim z = 16, 20, 24, 28 and B = 1e-7 ...
1e-4 in turn, those of fewer dimensions masked.  Configurations take turns in this one run, on one
thread, whose processor time is taken: it leaves out the time that neighbours run.  *Floor* is the
arithmetic of a step at the rate of its own products, 1024 x 128 x 128.  Then: how long 10^7 events
take to generate.
"""

from __future__ import annotations

import argparse
import itertools
import platform
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from gan_throughput import median_and_spread, on_path
from plain_vae import PlainVAE
from torch.utils.flop_counter import FlopCounterMode
from turns import in_turns, processor

from amplib.models.buffer import TrainedVAE
from amplib.models.bvae import StackedVAE
from amplib.models.config import BufferConfig, VAEConfig
from amplib.models.cpu import prepare
from amplib.store.worker import cpu_model
from amplib.truth.collisions.columns import TTBAR

CONFIG = VAEConfig()
STEPS = 8
"""Of a turn."""
TRAINING = 97 * CONFIG.epochs
"""Steps of a full training on 100,000 events."""
SCAN = list(itertools.product((16, 20, 24, 28), (1e-7, 1e-6, 1e-5, 1e-4)))
GENERATED = 100_000


def events() -> np.ndarray:
    """Numbers of the shape of events; what they are does not matter for the time."""
    return np.random.default_rng(1).uniform(-1, 1, (STEPS * CONFIG.batch_size, len(TTBAR)))


def plain_steps() -> Iterator[None]:
    model = PlainVAE(CONFIG, len(TTBAR))
    batches = torch.tensor(events(), dtype=torch.float32).split(CONFIG.batch_size)
    while True:
        for batch in batches:
            model.train_step(batch, torch.randn(len(batch), CONFIG.latent))
        yield


def stack(members: int) -> StackedVAE:
    """Validation is left out of the time: one event."""
    chosen = [SCAN[(5 * k) % len(SCAN)] for k in range(members)]
    configs = [replace(CONFIG, latent=d, kl_weight=b) for d, b in chosen]
    seeds = np.random.SeedSequence(1).spawn(members)
    return StackedVAE(configs, events(), events()[:1], seeds)


def generation() -> Callable[[], object]:
    """``GENERATED`` events from the buffer of an untrained model."""
    model = TrainedVAE.of(stack(1), 0, TTBAR)
    seed = np.random.SeedSequence(2)
    return lambda: sum(map(len, model.generate(GENERATED, seed, BufferConfig(gamma=0.05))))


def products() -> Callable[[], object]:
    """As many floating-point operations as ``STEPS`` model-steps have, in plain products."""
    a, b, out = (torch.rand(1, *s) for s in ((CONFIG.batch_size, 128), (128, 128), (1024, 128)))
    turns = round(STEPS * flops_a_step() / (2 * a.numel() * 128))

    def turn() -> None:
        for _ in range(turns):
            torch.bmm(a, b, out=out)

    return turn


def flops_a_step() -> float:
    """Counted in the matrix products of a plain step."""
    model, batch = PlainVAE(CONFIG, len(TTBAR)), torch.rand(CONFIG.batch_size, len(TTBAR))
    with FlopCounterMode(display=False) as counter:
        model.train_step(batch, torch.randn(len(batch), CONFIG.latent))
    return counter.get_total_flops()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--members", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--repetitions", type=int, default=5, help="turns each (default 5)")
    options = parser.parse_args()
    if options.repetitions < 1 or any(e < 1 for e in options.members):
        parser.error("repetitions and members must be at least 1")
    path_name = prepare()
    plain = "one at a time, as PyTorch comes"
    turns: dict[str, Callable[[], object]] = {plain: on_path("none", partial(next, plain_steps()))}
    sizes = {plain: 1}
    paths = {"as PyTorch comes": "none"} | ({} if path_name == "default" else {path_name: "bf16"})
    for (name, path), members in itertools.product(paths.items(), options.members):
        title = f"stacked, E = {members}, {name}"
        sizes[title] = members
        turns[title] = on_path(path, partial(next, stack(members).train(10**6, every=1)))
    fastest = list(paths.values())[-1]
    sizes["floor"], turns["floor"] = 1, on_path(fastest, products())
    alone = {"generation": on_path(fastest, generation())}
    made = in_turns(alone, options.repetitions, processor)
    times = in_turns(turns, options.repetitions, processor)
    print(f"{platform.platform()}; median +- half the interquartile range of the turns")
    print(f"CPU: {cpu_model()}, 1 thread, PyTorch {torch.__version__}")
    line = "{:<42}{:>18}{:>8}{:>22}"
    print(line.format("", "model-steps/s", "ratio", "16 trainings"))
    reference = 0.0
    for name, taken in times.items():
        rate, spread = median_and_spread([STEPS * sizes[name] / t for t in taken])
        reference = reference or rate
        hours = f"{16 * TRAINING / rate / 3600:.1f} h"
        print(line.format(name, f"{rate:.1f} +- {spread:.1f}", f"{rate / reference:.2f}", hours))
    rate, spread = median_and_spread([GENERATED / t for t in made["generation"]])
    print(f"generation: {rate:,.0f} +- {spread:,.0f} events/s, 10^7 in {1e7 / rate:.0f} s")


if __name__ == "__main__":
    main()
