"""The scan over dim z and B: its grid, how events are judged, and a chosen model brought back."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from amplib.models.buffer import TrainedVAE
from amplib.models.bvae import StackedVAE
from amplib.models.config import BufferConfig
from amplib.store.results import Result
from amplib.studies.bvae.decay import TRAINING
from amplib.studies.bvae.scan import chosen_model, model_of, train_and_judge, weights_of
from amplib.studies.bvae.small import made_up_top_pairs
from amplib.studies.bvae.study import CHOSEN, SETTINGS, trained_several_times, variants
from amplib.studies.catalogue import make_study
from amplib.studies.collisions.study import first_top_pairs
from amplib.studies.merit.judge import Reference
from amplib.truth.collisions.columns import TTBAR
from amplib.truth.collisions.compact import unpack

EVENTS = made_up_top_pairs(600, np.random.default_rng(1))
TINY = {
    "events": 600, "training_events": 400, "validation_events": 100, "batch_size": 100,
    "width": 8, "adam_phases": 1, "sgd_phases": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def truth():
    return Reference.of(EVENTS)


def tiny():
    return make_study("scan", "smoke", **TINY)


# ---- the grid ----


def test_the_grid_is_the_papers():
    study = make_study("scan", "paper")
    members = [study.member(part) for part in study.parts()]
    assert len({(m.latent, m.kl_weight) for m in members}) == len(members) == 16
    assert {m.latent for m in members} == {16, 20, 24, 28}
    assert {m.kl_weight for m in members} == {1e-7, 1e-6, 1e-5, 1e-4}
    assert {(m.depth, m.width, m.epochs, m.batch_size) for m in members} == {(6, 128, 1440, 1024)}
    kept = [study.member(p) for p in study.parts() if study.keeps_weights(p)]
    assert [(m.latent, m.kl_weight) for m in kept] == [CHOSEN]
    assert (study.training_events, study.events) == (100_000, 1_200_000)
    assert [(s["alpha"], s["gamma"]) for s in SETTINGS] == [
        (1, 0.01), (1, 0.05), (1, 0.1), (1, 0), (5, 0), (10, 0),
    ]  # fmt: skip


def test_further_trainings_are_further_parts():
    one = make_study("scan", "paper")
    five = replace(one, trainings=5)
    assert five.parts()[:16] == one.parts()
    assert len(five.parts()) == 80
    assert five.key() == one.key()
    assert five.repetitions_done([*one.parts(), (0, 0, 1)]) == 1


def test_the_chosen_model_is_asked_for_alone_and_comes_first():
    scan = make_study("scan", "paper", trainings=2)
    chosen = replace(scan, models="chosen")
    assert chosen.key() == scan.key()
    assert chosen.parts() == [(1, 1, 0), (1, 1, 1)]
    assert max(scan.parts(), key=scan.priority) == (1, 1, 0)


def test_the_chosen_model_and_its_neighbours_are_trained_five_times():
    """And are wanted at the papers' scale; what the scan has of them is theirs."""
    scan = make_study("scan", "paper")
    near = variants("paper")["scan, 5 trainings"]
    assert near == trained_several_times(scan)
    assert near.key() == scan.key()
    places = {(1, 1), (0, 1), (2, 1), (1, 0), (1, 2)}
    assert set(near.parts()) == {(*place, k) for place in places for k in range(5)}
    members = {(m.latent, m.kl_weight) for m in map(near.member, near.parts())}
    assert members == {(20, 1e-6), (16, 1e-6), (24, 1e-6), (20, 1e-7), (20, 1e-5)}
    assert trained_several_times(replace(scan, trainings=7)).trainings == 7
    assert variants("smoke") == {}


def test_codes_drawn_otherwise_are_of_the_same_networks():
    """Seeds do not know of it; results do."""
    scan = make_study("scan", "paper")
    other = variants("paper")["scan, α and γ on σ"]
    assert (other.smudge, other.offset) == ("deviation", "deviation")
    assert other.key() != scan.key()
    for part in scan.parts():
        assert other.member(part) == scan.member(part)
        ours, theirs = (study.stream(TRAINING, *part) for study in (scan, other))
        assert ours.generate_state(4).tolist() == theirs.generate_state(4).tolist()


# ---- parts ----


def test_parts_have_the_layout_and_the_numbers_of_their_settings(truth, tmp_path):
    study = tiny()
    parts = [(0, 3, 0), (1, 1, 0)]
    sets = EVENTS[:400], EVENTS[400:500]
    done = []
    arguments = (sets, truth, parts, "cpu", tmp_path / "state.safetensors", done.append)
    for part, arrays in zip(parts, train_and_judge(study, *arguments), strict=True):
        assert study.misfit(arrays) is None
        assert np.isfinite(arrays["delta"]).all()
        assert (arrays["delta"] > 0).all()
        assert (arrays["delta_of"][..., 0] > 0).all()
        assert arrays["latent"].shape[0] == study.member(part).latent
        assert arrays["best"] == pytest.approx(arrays["losses"][:, 3].min())
        assert (len(arrays["weights"]) > 0) == study.keeps_weights(part)
    assert sum(done) == pytest.approx(study.work(parts))


def test_events_that_are_not_finite_at_one_setting_are_a_divergence(truth, tmp_path, monkeypatch):
    """The part is kept, and said to be in no table; the others are what they are."""
    generate = TrainedVAE.generate

    def far(self, n, seed, prior=None, batch=None):
        for events in generate(self, n, seed, prior, batch):
            events[3, TTBAR.index("eta_j1")] = 1000 if prior.alpha == 10 else 0
            yield events

    monkeypatch.setattr(TrainedVAE, "generate", far)
    study, sets = tiny(), (EVENTS[:400], EVENTS[400:500])
    path, done = tmp_path / "state.safetensors", []
    (arrays,) = train_and_judge(study, sets, truth, [(1, 1, 0)], "cpu", path, done.append)
    assert arrays["diverged"] == 0
    assert study.misfit(arrays) is None
    assert np.isnan(arrays["delta"]).all(1).tolist() == [s["alpha"] == 10 for s in SETTINGS]
    assert sum(done) == pytest.approx(study.work([(1, 1, 0)]))


def test_a_chosen_model_comes_back_from_its_part():
    """Weights of a row, buffer from the training events: the same events are generated."""
    study = tiny()
    config = study.member((1, 1, 0))
    stack = StackedVAE([config], EVENTS[:400], EVENTS[400:], [np.random.SeedSequence(1)])
    list(stack.train(2))
    model = TrainedVAE.of(stack, 0, TTBAR)
    again = model_of(config, weights_of(model), EVENTS[:400])
    torch.testing.assert_close(again.buffer.mean, model.buffer.mean, rtol=1e-4, atol=1e-5)
    seed, prior = np.random.SeedSequence(2), BufferConfig(gamma=0.05)
    first, second = (next(m.generate(50, seed, prior)) for m in (model, again))
    np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-2)
    with pytest.raises(ValueError, match="weights for a network of"):
        model_of(config, weights_of(model)[1:], EVENTS[:400])


def test_the_chosen_model_of_the_shipped_scan_generates_top_pairs():
    model = chosen_model(make_study("scan", "laptop"))
    events = next(model.generate(500, np.random.SeedSequence(1), BufferConfig(gamma=0.05)))
    assert events.shape == (500, 26)
    assert np.median(events[:, 2 + 1]) > 50e3  # pT of the first jet, MeV
    with pytest.raises(FileNotFoundError, match="make compute STUDY=scan"):
        chosen_model(make_study("scan", "laptop", width=16))


# ---- what it is made from ----


def test_made_up_top_pairs_are_events():
    """Those of a fingerprint: massless objects in order of pT, an absent lepton in every other."""
    objects = EVENTS[:, 2:].reshape(-1, 6, 4)
    energy = objects[..., 1] * np.cosh(objects[..., 2])
    np.testing.assert_allclose(objects[..., 0], energy)
    assert (np.diff(objects[..., 1], axis=1) <= 0).all()
    assert not objects[::2, 5].any()
    assert objects[1::2, 5].all()


def test_it_trains_on_the_first_top_pairs_that_are_shipped():
    """And is judged by all of them: at paper scale nothing has to be simulated."""
    study = make_study("scan", "paper")
    assert not Result(study.made_of(), "paper").missing()
    events = first_top_pairs(study, 7000)
    assert events.shape == (7000, 26)
    summary = Result(make_study("ttbar-summary", "paper"), "paper")
    np.testing.assert_array_equal(events[:5000], unpack(summary.load()[(0,)]["packed"]))
