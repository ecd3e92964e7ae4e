"""Showers a second of DCTRGAN's two classifiers, training and giving weights; a minute of a core.

    python benchmarks/classifiers.py [--turns 3]

At the paper's sizes and batches, one thread of a CPU.  Seconds are the thread's own.  The limit is
the arithmetic of the networks at the rate of a large product in the same run.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from shower_generators import operations, peak, training_showers
from torch import nn
from turns import in_turns, processor

from amplib.models.cpu import prepare
from amplib.models.dctr import perceptron
from amplib.models.image_classifier import ImageClassifier
from amplib.store.worker import cpu_model
from amplib.studies.reweighting.study import INPUTS, ReweightedBIBAE

STUDY = ReweightedBIBAE()
SHOWERS = 256


def training(network: nn.Module, events: torch.Tensor, batch: int) -> Callable[[], object]:
    """A pass over the events."""
    optimiser = torch.optim.Adam(network.parameters(), 1e-5)

    def turn() -> None:
        network.train()
        for part in events.split(batch):
            optimiser.zero_grad()
            logit = network(part)
            F.binary_cross_entropy_with_logits(logit, torch.ones_like(logit)).backward()
            optimiser.step()

    return turn


def weighing(network: nn.Module, events: torch.Tensor) -> Callable[[], object]:
    """A logit for each event."""

    def turn() -> torch.Tensor:
        network.eval()
        with torch.no_grad():
            return network(events)

    return turn


def main() -> None:
    """Print the table."""
    laptop = ReweightedBIBAE.with_overrides(ReweightedBIBAE.presets["laptop"], {})
    low_level = {
        "low-level, float32": (STUDY, "float32"),
        "low-level, bfloat16": (STUDY, "bfloat16"),
        f"the laptop's, {laptop.precision}": (laptop, laptop.precision),
    }
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    print(f"{cpu_model()}, 1 thread, {prepare()}, PyTorch {torch.__version__}")
    images = training_showers()
    rows = torch.arange(SHOWERS)[:, None] % len(images)
    inputs = torch.randn(64 * SHOWERS, INPUTS)
    generator = torch.Generator().manual_seed(1)
    print(f"{'showers/s':24s}{'training':>12s}{'of limit':>10s}{'weighing':>12s}{'of limit':>10s}")
    for name, network, events, batch in (
        ("high-level", perceptron(inputs, STUDY.hidden, generator), inputs, STUDY.batch_size),
        *(
            (
                name,
                ImageClassifier(images, study.filters, np.random.SeedSequence(1), precision),
                rows,
                study.low_batch,
            )
            for name, (study, precision) in low_level.items()
        ),
    ):
        limit = peak(torch.bfloat16 if "bfloat16" in name else torch.float32)
        columns = ""
        for turn in (training(network, events, batch), weighing(network, events)):
            floor = limit * len(events) / operations(turn)
            (times,) = in_turns({name: turn}, options.turns, processor).values()
            rate = len(events) / statistics.median(times)
            columns += f"{rate:12,.0f}{rate / floor:10.0%}"
        print(f"{name:24s}{columns}")


if __name__ == "__main__":
    main()
