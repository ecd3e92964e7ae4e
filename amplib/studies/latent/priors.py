"""From the codes of the chosen model to priors, to events, to figures of merit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from amplib.metrics.delta import NotFinite
from amplib.metrics.two_sample import boosted_test
from amplib.models.buffer import Buffer, TrainedVAE
from amplib.models.config import BufferConfig
from amplib.models.kde import KDE
from amplib.models.mixture import Mixture
from amplib.models.staged import StackedStagedVAE
from amplib.models.training import first_divergence, train
from amplib.progress import Progress
from amplib.store.study import Arrays, Part
from amplib.studies.bvae.study import LATENT_BINS
from amplib.studies.latent.study import (
    CODES,
    FIT,
    GENERATION,
    TEST,
    TESTED,
    LatentPriors,
    LatentStudy,
    Prior,
)
from amplib.studies.merit.judge import BATCH, Reference, no_merit
from amplib.studies.merit.worth import HeldOutCells
from amplib.truth.collisions.columns import TTBAR
from amplib.truth.collisions.csv_file import TTBAR_RULES
from amplib.truth.collisions.observables import OBSERVABLES, observables

Array = NDArray[np.float64]
Draw = Callable[[int], Iterator[Array]]
"""A number of codes, in batches ``(n, dim z)``."""

SECOND_LEPTON = {"M_4j2l", *(name for name in OBSERVABLES if name.endswith("_l2"))}


@dataclass(frozen=True, eq=False)
class Latent:
    """The chosen model, its codes, and events that it was not trained on.

    Args:
        model: with its buffer.
        codes: one of each training event, ``(N, dim z)``.
        validation: the same of those that validate.
        held_out: these events, ``(V, 26)``, MeV.
    """

    model: TrainedVAE
    codes: Array
    validation: Array
    held_out: Array

    @classmethod
    def of(cls, study: LatentStudy, model: TrainedVAE, held_out: Array) -> Latent:
        rng = np.random.default_rng(study.stream(CODES))
        codes, validation = (drawn(b, rng) for b in (model.buffer, model.encode(held_out)))
        return cls(model, codes, validation, held_out)


def drawn(buffer: Buffer, rng: np.random.Generator) -> Array:
    """One code of each encoding, z ~ N(mu, sigma^2), ``(N, dim z)``."""
    mean, variance = (t.double().cpu().numpy() for t in (buffer.mean, buffer.variance))
    return np.asarray(mean + np.sqrt(variance) * rng.standard_normal(mean.shape))


def fit_and_judge(
    study: LatentPriors,
    latent: Latent,
    reference: Reference,
    parts: Sequence[Part],
    device: str,
    checkpoint: Path,
    progress: Progress,
    double: bool = False,
) -> Iterator[tuple[Part, Arrays]]:
    """See ``LatentPriors.compute``; the staged VAEs come last.

    Args:
        study: what to compute.
        latent: what the priors are fitted to.
        reference: what decoded events are judged by.
        parts: which priors.
        device, checkpoint, progress: of ``Study.compute``.
        double: in float64 and without a checkpoint, for a fingerprint.
    """
    judge = Judge(study, latent, reference, progress)
    priors = study.priors()
    staged = [part for part in parts if priors[part[0]].kind == "staged"]
    for part in parts:
        if part not in staged:
            prior = priors[part[0]]
            draw, kept = fitted(study, prior, part, latent, progress)
            progress(study.fitting_work(prior))
            yield part, judge(part, draw, kept)
    if staged:
        yield from _staged(study, latent, staged, judge, device, checkpoint, progress, double)


def fitted(
    study: LatentPriors, prior: Prior, part: Part, latent: Latent, progress: Progress
) -> tuple[Draw, Arrays]:
    """What draws codes of a prior that needs no training, and what is kept of its fit."""
    rng = np.random.default_rng(study.stream(FIT, *part))
    seed = study.stream(GENERATION, *part)
    if prior.kind == "buffer":
        config = replace(study.buffer(), gamma=prior.size, offset=prior.offset)
        return _from_model(latent.model, seed, config), {}
    if prior.kind == "normal":
        return _from_model(latent.model, seed, None), {}
    if prior.kind == "kernels":
        narrowest = np.log10(prior.size)
        kernels = KDE.fit(latent.codes, rng, np.logspace(narrowest, narrowest + 2, 20))
        return _from_density(kernels, seed), {"bandwidth": np.array(kernels.bandwidth)}
    mixture = Mixture.fit(latent.codes, int(prior.size), rng, progress=lambda step: progress(0))
    steps = 1 + np.arange(len(mixture.log_likelihoods))
    kept = np.column_stack([steps, mixture.log_likelihoods]).astype(np.float32)
    return _from_density(mixture, seed), {"losses": kept}


def _from_model(
    model: TrainedVAE, seed: np.random.SeedSequence, prior: BufferConfig | None
) -> Draw:
    return lambda n: (z.double().cpu().numpy() for z in model.codes(n, seed, prior, BATCH))


def _from_density(density: KDE | Mixture, seed: np.random.SeedSequence) -> Draw:
    def draw(n: int) -> Iterator[Array]:
        rng = np.random.default_rng(seed)
        for start in range(0, n, BATCH):
            yield density.sample(min(BATCH, n - start), rng)

    return draw


def _staged(
    study: LatentPriors,
    latent: Latent,
    parts: Sequence[Part],
    judge: Judge,
    device: str,
    checkpoint: Path,
    progress: Progress,
    double: bool,
) -> Iterator[tuple[Part, Arrays]]:
    """Staged VAEs, trained side by side; their codes are decoded from z' of N(0, 1)."""
    members = [study.member(study.priors()[k]) for (k,) in parts]
    members = [m.with_overrides(m.asdict(), {"latent": latent.model.latent}) for m in members]
    seeds = [study.stream(FIT, *part) for part in parts]
    dtype = torch.float64 if double else torch.float32
    stack = StackedStagedVAE(members, latent.codes, latent.validation, seeds, device, dtype)
    steps = len(parts) * stack.steps_per_epoch
    losses = train(stack, study.epochs, None if double else checkpoint, progress, steps)
    stack.take_best()
    names = [f"z{j}" for j in range(latent.model.latent)]
    for k, part in enumerate(parts):
        stage = TrainedVAE.of(stack, k, names)
        diverged = first_divergence(losses[k])
        kept = {"losses": losses[k].astype(np.float32), "diverged": np.array(diverged)}
        draw = _from_stage(stage, study.stream(GENERATION, *part))
        yield part, judge(part, draw if diverged < 0 else None, kept)


def _from_stage(stage: TrainedVAE, seed: np.random.SeedSequence) -> Draw:
    return lambda n: (z.astype(float) for z in stage.generate(n, seed, None, BATCH))


class Judge:
    """What decoded events are set beside: the truth's sample, and held-out events.

    Args:
        study: how many events, and cells.
        latent: the decoder and the held-out events.
        reference: the truth's sample.
        progress: told when a prior is judged.
    """

    def __init__(
        self, study: LatentPriors, latent: Latent, reference: Reference, progress: Progress
    ):
        self.study, self.latent, self.reference = study, latent, reference
        self.progress = progress
        self.cells = HeldOutCells(latent.held_out, study.quantiles)

    def __call__(self, part: Part, draw: Draw | None, kept: Arrays) -> Arrays:
        """All arrays of a part; without ``draw``, of a prior that has diverged, without a value, as
        of one whose events or observables are not finite."""
        arrays = self.nothing() | kept
        if draw is not None:
            try:
                arrays |= self.judged(part, draw)
            except NotFinite:
                arrays["diverged"] = np.array(0)
        self.progress(self.study.judging_work())
        return {name: arrays[name] for name in self.study.layout()}

    def nothing(self) -> Arrays:
        """What is kept where there are no events."""
        return {
            **no_merit(),
            "latent": np.zeros((self.latent.model.latent, len(LATENT_BINS) - 1), np.int32),
            "broken": np.array(np.nan),
            "auc": np.full((len(TESTED), 4), np.nan),
            **self.cells.sample().arrays(),
            "bandwidth": np.array(0.0),
            "losses": np.zeros((0, 2), np.float32),
            "diverged": np.array(-1),
        }

    def judged(self, part: Part, draw: Draw) -> Arrays:
        """Of as many events as the truth's sample has, batch by batch."""
        sample, n = self.reference.sample(), self.reference.events
        cells = self.cells.sample()
        latent, broken = self.nothing()["latent"], 0
        first: list[Array] = []
        wanted = len(self.latent.held_out)
        for z in draw(n):
            events = self.latent.model.decode(z, self.study.negative).astype(float)
            sample.add(events)
            latent += histograms(z)
            broken += int(breaks_a_rule(events).sum())
            cells.add(events)
            first.append(events[: max(wanted - sum(map(len, first)), 0)])
        return {
            **self.reference.merit(sample).arrays(),
            "latent": latent,
            "broken": np.array(broken / n),
            "auc": self.tested(part, np.concatenate(first)),
            **cells.arrays(),
        }

    def tested(self, part: Part, events: Array) -> Array:
        """Classifier two-sample tests of as many decoded events as are held out."""
        real = observables(self.latent.held_out[: len(events)])
        made = observables(events)
        everything = range(len(OBSERVABLES))
        without = [k for k in everything if OBSERVABLES[k] not in SECOND_LEPTON]
        tests = []
        for k, seen in enumerate((list(everything), without)):
            rng = np.random.default_rng(self.study.stream(TEST, *part, k))
            test = boosted_test(real[:, seen], made[:, seen], rng)
            tests.append([*test.auc[:2], test.p, test.null])
        return np.array(tests)


def histograms(codes: Array) -> NDArray[np.int32]:
    """Counts of codes ``(n, dim z)`` in ``LATENT_BINS``, ``(dim z, bins)``."""
    return np.array([np.histogram(z, LATENT_BINS)[0] for z in codes.T], np.int32)


def breaks_a_rule(events: Array) -> NDArray[np.bool_]:
    """Which events ``(n, 26)`` no published file would hold: jets below 20 GeV or out of order,
    energies below momenta, leptons that are neither there nor absent."""
    values = dict(zip(TTBAR, events.T, strict=True))
    broken = np.zeros(len(events), bool)
    for rule in TTBAR_RULES:
        broken |= ~rule.holds(*(values[name] for name in rule.columns))
    return broken
