"""What the camel-back studies compute: how much, how many, from where on, and what diverges."""

import numpy as np
import pytest
import torch
from stored_parts import MADE, gan_part

from amplib.models.gan import StackedGAN
from amplib.store.results import Result
from amplib.studies.camel.reading import gan_curve
from amplib.studies.camel.study import FITS_A_PART
from amplib.studies.catalogue import STUDIES, make_study

SMALL = {"width": 8, "latent": 5, "embedding": 4, "depth": 2, "max_events": 1000, "epochs": 3}


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def gan(name="gan", **changes):
    return make_study(name, "smoke", **{**SMALL, **changes})


@pytest.mark.parametrize("name", STUDIES)
def test_work_is_that_of_the_parts(name):
    """No part, no work; two together are the sum of each alone."""
    study = make_study(name, "smoke")
    parts = (2 * study.parts())[:2]
    assert study.work([]) == 0
    assert study.work(parts) == pytest.approx(sum(study.work([part]) for part in parts))


@pytest.mark.parametrize("study", [make_study("fit", "smoke"), gan()], ids=lambda s: s.name)
def test_what_is_reported_is_the_work(study, tmp_path):
    done = []
    list(study.compute(study.parts(), "cpu", tmp_path / "checkpoint", done.append))
    assert sum(done) == pytest.approx(study.work(study.parts()))


def test_repetitions_are_as_many_as_the_papers():
    """100 GANs; 50 ensembles of 10; and ten times the papers' 100 fits and smoothed samples."""
    parts = {n: len(make_study(n, "paper").parts()) for n in ("gan", "ensemble", "fit")}
    assert parts == {"gan": 100, "ensemble": 500, "fit": 1000 // FITS_A_PART}
    for name, repetitions in {"gan": 100, "ensemble": 50, "fit": 1000, "smoothing": 1000}.items():
        study = make_study(name, "paper")
        assert study.repetitions_done(study.parts()) == repetitions


def test_a_chunk_holds_a_hundred_repetitions_and_no_two_alike(tmp_path):
    study = make_study("fit", "smoke", repetitions=200)
    parts = dict(study.compute(study.parts(), "cpu", tmp_path, lambda work: None))
    samples = np.concatenate([arrays["sample"] for arrays in parts.values()])
    assert samples.shape == (200, 100)
    assert len(np.unique(samples, axis=0)) == 200


def test_curves_begin_at_the_first_hundred_events(tmp_path):
    """Of a GAN, and of an ensemble, whose members give a share each."""
    for name in ("gan", "ensemble"):
        study = gan(name, repetitions=2)
        result = Result(study, "smoke", tmp_path)
        for part in study.parts():
            result.save(part, gan_part(study), MADE)
        sizes = gan_curve(result).sizes
        assert sizes[0] == 100
        assert sizes[-1] == study.max_events


def test_an_ensemble_counts_with_all_of_its_members_only(tmp_path):
    study = gan("ensemble", repetitions=3, members=2)
    result = Result(study, "smoke", tmp_path)
    for part in [(0, 0), (0, 1), (1, 0), (2, 1), (2, 0)]:
        result.save(part, gan_part(study), MADE)
    assert gan_curve(result).index.tolist() == [0, 2]
    assert study.repetitions_done(result.done()) == 2


def test_events_that_are_not_finite_are_a_divergence(tmp_path, monkeypatch):
    """Losses may stay finite where events do not: the second member says so, the first is whole."""
    generate = StackedGAN.generate

    def broken(self, *arguments):
        for chunk in generate(self, *arguments):
            chunk[1, 7] = np.nan
            yield chunk

    monkeypatch.setattr(StackedGAN, "generate", broken)
    study = gan(repetitions=2)
    made = dict(study.compute(study.parts(), "cpu", tmp_path / "state", lambda work: None))
    assert made[0, 0]["diverged"] == -1
    assert made[0, 0]["counts"][-1].sum() == study.max_events
    assert made[1, 0]["diverged"] == study.epochs
    assert np.isfinite(made[1, 0]["losses"]).all()
    assert made[1, 0]["counts"][-1].sum() < study.max_events
