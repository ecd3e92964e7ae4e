"""What a trained generator is: its showers, its size, and how near they come to the truth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from amplib.store.results import Result
from amplib.studies.generators.study import GENERATION, ShowerGenerator
from amplib.truth.showers.config import THRESHOLD

if TYPE_CHECKING:
    from torch import Tensor


class Trained(NamedTuple):
    """One training."""

    losses: np.ndarray
    """``(records, 1 + terms)``: the piece, then the losses as the study's ``terms`` names them."""
    history: np.ndarray
    """``(records, 93)`` distances of generated showers during the training."""
    kept_at: int
    """The piece whose weights were kept."""
    distances: dict[str, np.ndarray]
    """``(93,)`` distances of showers from the kept weights, by the latent numbers' density."""
    floor: np.ndarray
    """``(93,)`` distances between two simulated samples of the same size."""
    rounding: float
    """Largest change of a distance that weights in half precision would make."""
    share: float
    """Of the published number of weights."""


def trained(result: Result, member: int = 0) -> Trained:
    """A training of a ``ShowerGenerator``.

    Raises:
        FileNotFoundError: if it is not there, with the command that computes it.
    """
    study = cast(ShowerGenerator, result.study)
    arrays = result.load()[(member,)]
    split = 1 + len(study.terms)
    size, published = arrays["size"]
    return Trained(
        losses=arrays["losses"][:, :split],
        history=arrays["losses"][:, split + 1 :],
        kept_at=int(arrays["kept_at"]),
        distances=dict(zip(study.latents, arrays["distances"], strict=True)),
        floor=arrays["floor"],
        rounding=float(np.abs(arrays["distances"][0] - arrays["rounded"]).max()),
        share=float(size / published),
    )


def generated(
    result: Result,
    n: int,
    latents: str | None = None,
    member: int = 0,
    device: str = "cpu",
    seed: np.random.SeedSequence | None = None,
) -> Iterator[Tensor]:
    """Showers of a stored generator, batch by batch: memory does not grow with ``n``.

    Args:
        result: of a ``ShowerGenerator``.
        n: how many; the first ones are the same for any number.
        latents: density of the latent numbers, by default the published one.
        member: which training.
        device: ``cpu`` or ``cuda``.
        seed: of the noise, by default the study's own for generation.

    Yields:
        ``(batch, layer, x, y)``, MeV, without what is below the threshold.

    Raises:
        FileNotFoundError: if there is no such training, with the command that computes it.
        ParameterError: for an unknown density.
    """
    import torch

    from amplib.models.generators import generate
    from amplib.models.noise import Noise

    study = cast(ShowerGenerator, result.study)
    generator = study.generator(result.load()[(member,)], latents).to(device)
    stream = Noise([seed or study.stream(member, GENERATION)], torch.device(device))
    for batch in generate(generator, stream, n, THRESHOLD, study.precision):
        yield batch[0]
