"""Made-up results of the chosen B-VAE, of the scan and of the truth, small and quick."""

from unittest import mock

import numpy as np
import torch

from amplib.models.buffer import TrainedVAE
from amplib.models.bvae import Autoencoder
from amplib.store.results import Result, provenance
from amplib.studies.bvae.small import made_up_top_pairs
from amplib.studies.bvae.study import SETTINGS
from amplib.studies.catalogue import make_study
from amplib.studies.merit.judge import Reference
from amplib.studies.merit.reference import reference
from amplib.truth.collisions.columns import TTBAR

N = 600
EVENTS = made_up_top_pairs(N, np.random.default_rng(1))
TRAINING = EVENTS[:400]
TINY = {
    "events": N, "training_events": len(TRAINING), "validation_events": 100, "batch_size": 100,
    "width": 8, "adam_phases": 1, "sgd_phases": 1, "long_run": 1000,
}  # fmt: skip


def store(result, part, arrays):
    """Save a part, without the fingerprint that its record would hold."""
    with mock.patch.object(type(result.study), "fingerprint", return_value=[0.0]):
        result.save(part, arrays, provenance(None, "cpu", 1.0, together=1))


def tiny(**changes):
    """A small ``top-events``."""
    return make_study("top-events", "smoke", **{**TINY, **changes})


def untrained(study):
    """A generator with the study's network and a buffer of ``TRAINING``."""
    config = study.made_of().member((1, 1, 0))
    network = Autoencoder(config, len(TTBAR), [torch.Generator().manual_seed(1)])
    return TrainedVAE.encoding(config, network, TTBAR, TRAINING)


def kept(study, part=(0,), progress=lambda work: None):
    """What it keeps of ``untrained``."""
    return study.kept(part, untrained(study), TRAINING, Reference.of(EVENTS), progress)


def truth_result(folder):
    """A ``ttbar-reference`` of ``EVENTS``."""
    result = Result(make_study("ttbar-reference", "smoke", events=N), "smoke", folder)
    arrays = reference(EVENTS, np.random.default_rng(1))
    store(result, (0,), {**arrays, "seconds": np.array(1.0)})
    return result


def events_result(folder, *parts, **changes):
    """A ``top-events`` of these parts, for each of which ``zeros`` is changed."""
    study = tiny(trainings=len(parts), **changes)
    result = Result(study, "smoke", folder)
    for k, part in enumerate(parts):
        store(result, (k,), {**zeros(study), **part})
    return result


def readings_result(folder, deltas, trainings=1):
    """A ``top-readings`` of trainings with this delta at each reading, to 1%, and twice as much
    of what is inside; no parts if there are none."""
    few = {name: value for name, value in TINY.items() if name != "long_run"}
    study = make_study("top-readings", "smoke", **few, trainings=trainings)
    result = Result(study, "smoke", folder)
    for part, delta in zip(study.parts(), deltas, strict=False):
        arrays = zeros(study) | {
            "delta": np.array([delta, 0.01 * delta]),
            "delta_inside": np.array([2 * delta, 0.02 * delta]),
            "delta_of": np.ones((2, 2)),
            "cells_10": np.full(10, N // 10),
            "cells_50": np.full(50, N // 50),
            "cut_from": np.array([199, 199]),
        }
        store(result, part, arrays)
    return result


def zeros(study):
    """Arrays of a part that hold nothing."""
    return {
        name: np.zeros([2 if n is None else n for n in shape], kind)
        for name, (kind, shape) in study.layout().items()
    }


def scan_result(folder, merits, **changes):
    """A ``scan`` whose models have these figures of merit.

    Args:
        folder: of the store.
        merits: (dim z, B, alpha, gamma) to delta and delta_OF, the error being 1%.
        changes: of the study.
    """
    scan = make_study("scan", "smoke", **changes)
    result = Result(scan, "smoke", folder)
    for part in scan.parts():
        member = scan.member(part)
        settings = [
            merits(member.latent, member.kl_weight, s["alpha"], s["gamma"]) for s in SETTINGS
        ]
        arrays = zeros(scan)
        arrays["diverged"] = np.array(-1)
        arrays["delta"] = np.array([[delta, 0.01 * delta] for delta, _ in settings])
        arrays["delta_of"] = np.array([2 * [[of, 0.01 * of]] for _, of in settings])
        store(result, part, arrays)
    return result
