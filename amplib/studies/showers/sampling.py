"""Samples of the truth: simulated as many as one likes, or drawn from the published ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from amplib.store.download import PUBLISHED
from amplib.truth.showers.config import ShowerConfig
from amplib.truth.showers.shower import showers

SHOWERS_AT_ONCE = 500
Wanted = tuple[int, np.random.SeedSequence]
"""How many showers, and the random stream that they are of."""


def samples(
    config: ShowerConfig, wanted: Sequence[Wanted], device: str = "cpu", after: int = 0
) -> list[Iterator[Tensor]]:
    """Samples that have no shower in common, each in batches ``(batch, layer, x, y)``, MeV.

    Args:
        config: which showers.
        wanted: how many each, and of which stream; published ones are shuffled by the first.
        device: where they are simulated.
        after: published ones that are left out, the first of the file.

    Raises:
        ValueError: in one line, if there are fewer published ones.
    """
    if config.source == "simulated":
        return [simulated(config, n, seed, device) for n, seed in wanted]
    sizes, (seed, *_) = zip(*wanted, strict=True)
    left = published_places(config, after + sum(sizes))[after:]
    shuffled = np.random.default_rng(seed).permutation(left)
    ends = np.cumsum(sizes)
    return [published(np.sort(shuffled[end - n : end])) for n, end in zip(sizes, ends, strict=True)]


def simulated(
    config: ShowerConfig, n: int, seed: np.random.SeedSequence, device: str = "cpu"
) -> Iterator[Tensor]:
    """Showers of this random stream, batch by batch."""
    generator = torch.Generator(device)
    generator.manual_seed(int(seed.generate_state(1, np.uint64)[0] >> np.uint64(1)))
    return showers(n, config, generator)


def published(places: np.ndarray) -> Iterator[Tensor]:
    """Published showers by their places in the file, in rising order, batch by batch."""
    from amplib.truth.showers.getting_high import read_showers

    for _, batch in read_showers(PUBLISHED["showers"].path(), SHOWERS_AT_ONCE, places):
        yield torch.as_tensor(batch).to(torch.get_default_dtype())


def published_places(config: ShowerConfig, wanted: int) -> np.ndarray:
    """Places of the published showers of one energy, ``(N,)``.

    Raises:
        FileNotFoundError, ValueError: in one line, if there is no such file, or it has fewer than
            are wanted.
    """
    from amplib.truth.showers.getting_high import showers_near

    path = PUBLISHED["showers"].path()
    near = showers_near(path, config.energy)
    if len(near) < wanted:
        raise ValueError(
            f"{path} has {len(near):,} showers of {config.energy:g} GeV, {wanted:,} are needed"
        )
    return near
