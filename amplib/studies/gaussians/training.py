"""From a mixture to measured parts: the long half of the Gaussian studies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from amplib.models.checkpoint import Checkpoint
from amplib.models.config import STEPS_AN_EPOCH
from amplib.models.dctr import steps_kept
from amplib.models.noise import NoiseBlock, normal_words, uniform_words
from amplib.models.small_gan import SmallGAN
from amplib.models.training import train
from amplib.progress import Again, Budget, Progress
from amplib.store.study import Arrays, Part, summed
from amplib.studies.gaussians.measuring import CLASSIFIERS, measure
from amplib.studies.gaussians.study import MixtureStudy
from amplib.truth.mixtures import EqualGaussians

_GAN = 0  # the stream of a part; the others are ``measuring``'s


class MixtureSource:
    """Events of a mixture from a step's noise, for E members at once."""

    def __init__(self, truth: EqualGaussians, device: torch.device, dtype: torch.dtype):
        self.dimension, self.width = truth.dimension, truth.width
        self.means = torch.as_tensor(truth.means, dtype=dtype, device=device)

    def words(self, rows: int) -> int:
        """Noise words that so many events take."""
        return uniform_words(rows) + normal_words(rows * self.dimension)

    def __call__(self, noise: NoiseBlock, rows: int) -> Tensor:
        """``(E, rows, d)``."""
        modes = len(self.means)
        mode = ((noise.uniform(rows) + 1) * (modes / 2)).long().clamp_(max=modes - 1)
        return self.means[mode] + self.width * noise.normal(rows, self.dimension)


def train_and_measure(
    study: MixtureStudy,
    parts: Sequence[Part],
    device: str,
    checkpoint: Path,
    progress: Progress,
) -> Iterator[tuple[Part, Arrays]]:
    """Train E GANs, measure each, then yield them, so that all of them bear the cost of all.

    The GANs and the classifiers are kept in ``checkpoint`` until then.
    """
    gan = _gan(study, parts, device, torch.float32)
    epochs = study.steps // STEPS_AN_EPOCH
    kept = Checkpoint(checkpoint)
    places = [kept.at(str(k)) for (k,) in parts]
    if classified := sum(steps_kept(p.at(name)) for p in places for name in CLASSIFIERS):
        progress = Again(classified + len(parts) * study.steps, progress)
    history = train(gan, epochs, kept.at("gans"), progress, len(parts) * STEPS_AN_EPOCH)
    events = _events(gan, study.events + study.judged_events + study.test_events)
    measured = []
    for (k,), own, place in zip(parts, events, places, strict=True):
        left = Budget(study.classifier_steps, progress)
        measured.append(measure(study, k, own, left.spend, checkpoint=place))
        left.spend_all()
    for part, arrays, losses in zip(parts, measured, history, strict=True):
        yield part, {**arrays, "gan_losses": losses.astype(np.float32)}
    checkpoint.unlink(missing_ok=True)


def _gan(study: MixtureStudy, parts: Sequence[Part], device: str, dtype: torch.dtype) -> SmallGAN:
    source = MixtureSource(study.truth(), torch.device(device), dtype)
    seeds = [study.stream(k, _GAN) for (k,) in parts]
    return SmallGAN(source, study.latent, seeds, study.gan_batch, study.gan_rate, device, dtype)


def _events(gan: SmallGAN, n: int) -> np.ndarray:
    """``(E, n, d)``."""
    chunks, made = [], 0
    for chunk in gan.generate():
        chunks.append(chunk)
        made += chunk.shape[1]
        if made >= n:
            break
    return np.concatenate(chunks, 1)[:, :n]


def tiny_run(study: MixtureStudy) -> list[float]:
    """Losses, first events and sums of all arrays of a part in float64: a fingerprint."""
    gan = _gan(study, [(0,)], "cpu", torch.float64)
    *_, (_, losses) = gan.train(study.steps // STEPS_AN_EPOCH)
    events = _events(gan, study.events + study.judged_events + study.test_events)[0]
    arrays = measure(study, 0, events, lambda work: None, torch.float64)
    # NaN is the cost of a mode that no event is near to.
    sums = [summed(np.nan_to_num(a.astype(float))) for a in arrays.values()]
    return [float(x) for x in (*losses.ravel(), *events[:4].ravel(), *sums)]
