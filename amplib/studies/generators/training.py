"""From simulated showers to a trained generator and what it generates: resumable, torch inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from amplib.models.generators import (
    ROWS,
    ImageGenerator,
    ImageStack,
    generate,
    measured,
    member_state,
    number_of_weights,
)
from amplib.models.noise import Noise
from amplib.models.objectives import spread_distance
from amplib.models.training import train
from amplib.models.volumes import SparseImages
from amplib.progress import Progress
from amplib.store.results import Result
from amplib.store.study import Arrays, head, summed
from amplib.studies.generators.study import COMPARISON, WEIGHTS, ShowerGenerator
from amplib.studies.showers.sampling import SHOWERS_AT_ONCE
from amplib.studies.showers.study import dense_showers
from amplib.truth.showers import observables as obs
from amplib.truth.showers.config import THRESHOLD
from amplib.truth.showers.geometry import ILD_ECAL
from amplib.truth.showers.shower import double_precision


def observables(showers: Tensor) -> Tensor:
    """High-level inputs and second moments in x and y, ``(N, 93)``, of showers above threshold."""
    moments = [obs.second_moments(showers, axis) for axis in "xy"]
    return torch.cat([obs.high_level(showers), *moments], 1)


def train_and_compare(
    study: ShowerGenerator,
    members: Sequence[int],
    device: str,
    checkpoint: Path,
    progress: Progress,
) -> Iterator[Arrays]:
    """Train E generators, then yield the arrays of each (``ShowerGenerator.compute``).

    A training that is interrupted goes on from ``checkpoint`` to the same end.

    Raises:
        FileNotFoundError: if simulated showers are missing.
    """
    stored = Result(study.made_of(), "")
    if missing := stored.missing():
        raise FileNotFoundError(f"part {missing[0]} is not in {stored.folder}")
    images, held_out = _samples(study, stored, device)
    reference, *samples = held_out.split([study.judged, study.compared, study.compared])
    stack = study.stack(images, observables, reference, members, device, torch.float32)
    work = len(members) * study.showers_a_piece
    history = train(stack, study.epochs * study.pieces, checkpoint, progress, work)
    yield from _compare(study, stack, members, history, samples)
    checkpoint.unlink(missing_ok=True)


def _samples(study: ShowerGenerator, stored: Result, device: str) -> tuple[SparseImages, Tensor]:
    """Training showers, and the observables of those that follow them."""
    names = ("cell", "energy", "count")
    parts = [{name: arrays[name] for name in names} for arrays in stored.each()]
    cell, energy, count = (np.concatenate([p[name] for p in parts]) for name in names)
    hits = int(count[: study.showers].sum(dtype=np.int64))
    training = cell[:hits].astype(np.int32), energy[:hits], count[: study.showers].astype(np.int64)
    images = SparseImages.of(*training, ILD_ECAL.shape, device)
    rest = {"cell": cell[hits:], "energy": energy[hits:], "count": count[study.showers :]}
    wanted = study.judged + 2 * study.compared
    return images, _truth_observables(head(wanted, dense_showers(rest, SHOWERS_AT_ONCE)))


def _truth_observables(batches: Iterator[np.ndarray]) -> Tensor:
    return torch.cat([observables(obs.visible(torch.as_tensor(b))) for b in batches])


def _compare(
    study: ShowerGenerator,
    stack: ImageStack,
    members: Sequence[int],
    history: np.ndarray,
    samples: Sequence[Tensor],
) -> Iterator[Arrays]:
    """The arrays of each member, from the weights that were kept."""
    truth, other = samples
    floor = spread_distance(other[None], truth)[0]
    stack.recall()
    density = study.density(stack)
    for k, member in enumerate(members):
        trained = study.untrained()
        trained.load_state_dict({n: v.cpu() for n, v in member_state(stack.generator, k).items()})
        mine = {name: array[k].astype(np.float32) for name, array in density.items()}
        arrays = mine | _stored(trained)
        stream = Noise([study.stream(member, COMPARISON)], torch.device("cpu"))
        distances = [
            _distance(study.generator(arrays, latents), study, stream, truth)
            for latents in study.latents
        ]
        yield {
            "losses": history[k].astype(np.float32),
            "kept_at": stack.kept_at[k].cpu().numpy(),
            "distances": np.stack(distances),
            "rounded": _distance(study.generator(_rounded(arrays)), study, stream, truth),
            "floor": floor.numpy(),
            "size": np.array([number_of_weights(*_networks(stack)), study.published_weights]),
            **arrays,
        }


def _networks(stack: ImageStack) -> list[torch.nn.Module]:
    """What the published number of weights counts: autoencoder, or generator and discriminator."""
    names = ("autoencoder", "generator", "discriminator")
    return [module for name, (module, _) in stack.trained.items() if name in names]


def _stored(generator: ImageGenerator) -> Arrays:
    return {WEIGHTS + name: value[0].numpy() for name, value in generator.state_dict().items()}


def _rounded(arrays: Arrays) -> Arrays:
    """Weights in half precision, which would need half the space."""
    return {
        name: value.astype(np.float16) if name.startswith(WEIGHTS) else value
        for name, value in arrays.items()
    }


def _distance(
    generator: ImageGenerator, study: ShowerGenerator, stream: Noise, truth: Tensor
) -> np.ndarray:
    n = len(truth)
    batches = generate(generator, stream, n, THRESHOLD, study.precision, rows=min(n, ROWS))
    return spread_distance(measured(batches, observables), truth)[0].numpy()


def tiny_run(study: ShowerGenerator) -> list[float]:
    """Losses, kept weights, density and a shower of a training in float64, for a fingerprint."""
    source = study.made_of()
    with double_precision():
        drawn = torch.cat([b for k in source.parts() for b in source.batches(k, "cpu")])
    drawn = drawn[: study.showers + study.judged]
    flat = drawn[: study.showers].flatten(1)
    cells = [row.nonzero()[:, 0] for row in flat]
    hits = torch.cat([row[c] for row, c in zip(flat, cells, strict=True)])
    count = torch.tensor([len(c) for c in cells])
    images = SparseImages(torch.cat(cells), hits, count, ILD_ECAL.shape)
    reference = observables(obs.visible(drawn[study.showers :]))
    stack = study.stack(images, observables, reference, [0], "cpu", torch.float64)
    *_, (_, losses) = stack.train(study.epochs * study.pieces)
    stack.recall()
    density = study.density(stack)
    (shower,) = generate(stack.generator, stack.judging, 1, dtype=torch.float64, rows=1)
    weights = torch.cat([v.flatten().double() for v in stack.kept.values()])
    numbers = [losses, weights.numpy(), shower.numpy(), *density.values()]
    return [summed(a) for a in numbers]
