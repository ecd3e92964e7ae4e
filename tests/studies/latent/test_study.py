"""Priors of the codes: which there are, what they are fitted to, and what is kept of each."""

from dataclasses import replace

import numpy as np
import pytest

from amplib.models.config import BufferConfig
from amplib.parameters import ParameterError
from amplib.studies.bvae.small import made_up_top_pairs
from amplib.studies.bvae.study import LATENT_BINS
from amplib.studies.catalogue import make_study
from amplib.studies.latent.priors import (
    Judge,
    Latent,
    breaks_a_rule,
    drawn,
    fit_and_judge,
    fitted,
    histograms,
)
from amplib.studies.latent.study import Prior, variants
from amplib.studies.merit.judge import Reference
from amplib.truth.collisions.columns import TTBAR

N = 60
"""Events of the toy."""


@pytest.fixture(scope="module")
def study():
    small = make_study("latent-priors", "smoke").small(
        components=(2,), staged=(1.0, 1e-3), quantiles=(2, 4)
    )
    return replace(small, batch_size=10)


@pytest.fixture(scope="module")
def latent(study):
    return Latent.of(study, *study.toy_model())


@pytest.fixture(scope="module")
def computed(study, latent):
    """All parts, and the work that was reported."""
    reference = Reference.of(made_up_top_pairs(N, np.random.default_rng(1)))
    done = []
    whole = latent, reference, study.parts(), "cpu", None, done.append, True
    return dict(fit_and_judge(study, *whole)), done


# ---- which there are ----


def test_the_rows_of_table_iii_are_there():
    names = list(map(str, make_study("latent-priors", "paper").priors()))
    assert names == [
        "buffer, γ = 0.05", "buffer, σ + γ, γ = 0.05", "buffer, γ = 0", "N(0, 1)",
        "KDE", "KDE, h from 0.01", "GMM, 50", "GMM, 100", "GMM, 1000",
        *(f"S-VAE, B = {b}" for b in ("1", "0.1", "0.01", "0.001", "0.0001", "1e-05", "1e-06")),
    ]  # fmt: skip


def test_no_prior_comes_twice():
    study = make_study("latent-priors", "paper", gamma=0.0, offset="deviation")
    assert len(set(study.priors())) == len(study.priors())


def test_the_model_is_the_scans():
    for preset in ("smoke", "laptop", "paper"):
        scan = make_study("scan", preset)
        for name in ("latent-priors", "latent-map"):
            source = make_study(name, preset).made_of()
            assert source.key() == scan.key()
            assert [scan.keeps_weights(part) for part in source.parts()] == [True]
    assert make_study("latent-priors", "paper", gamma=0.1).made_of().key() == scan.key()


def test_staged_vaes_train_as_the_model_did():
    study = make_study("latent-priors", "paper")
    member = study.member(Prior("staged", 1e-3))
    assert (member.width, member.depth, member.epochs, member.kl_weight) == (64, 3, 1440, 1e-3)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"components": (50, 200_000)}, r"components = 200000: must be an integer from 1"),
        ({"components": (50, 100_000), "training_events": 5000}, r"components = 100000: must not"),
        ({"quantiles": (9000,), "validation_events": 500}, r"quantiles = 9000: must not exceed"),
        ({"gamma": -1.0}, r"gamma = -1.0: must be a number from 0"),
        ({"staged": ()}, r"staged = \(\): must be a non-empty list"),
    ],
)
def test_impossible_settings_are_refused(change, line):
    with pytest.raises(ParameterError, match=line):
        make_study("latent-priors", "paper", **change)


# ---- what they are fitted to ----


def test_codes_scatter_about_the_encodings_by_their_own_sigma():
    """20,000 codes of two encodings: mean and variance within five errors."""
    import torch

    from amplib.models.buffer import Buffer

    mean = torch.tensor([[1.0, -2.0], [0.0, 3.0]]).repeat(10_000, 1)
    variance = torch.tensor([[0.04, 1.0], [0.25, 0.01]]).repeat(10_000, 1)
    z = drawn(Buffer(mean, variance), np.random.default_rng(1)).reshape(-1, 2, 2)
    deviation = variance[:2].numpy() ** 0.5
    assert (np.abs(z.mean(0) - mean[:2].numpy()) < 5 * deviation / 100).all()
    np.testing.assert_allclose(z.std(0), deviation, rtol=5 / np.sqrt(2 * 10_000))


def test_there_is_a_code_for_each_training_event(study, latent):
    assert latent.codes.shape == (study.training_events, 4)
    assert latent.validation.shape == (len(latent.held_out), 4) == (20, 4)


def test_a_buffer_without_gamma_draws_about_the_codes(study, latent):
    draw, _ = fitted(study, Prior("buffer", 0.0), (0,), latent, lambda work: None)
    model, prior = latent.model, BufferConfig()
    events = np.concatenate(list(model.generate(30, study.stream(12, 0), prior)))
    decoded = np.concatenate([model.decode(z) for z in draw(30)])
    np.testing.assert_allclose(decoded, events, rtol=1e-6)


def test_narrower_kernels_are_offered(study, latent):
    widths = {}
    for narrowest in (0.1, 0.01):
        _, kept = fitted(study, Prior("kernels", narrowest), (0,), latent, lambda work: None)
        widths[narrowest] = float(kept["bandwidth"])
    assert all(narrowest <= h <= 100 * narrowest for narrowest, h in widths.items())


def test_the_fit_of_a_mixture_is_kept(study, latent):
    _, kept = fitted(study, Prior("mixture", 2), (0,), latent, lambda work: None)
    steps, likelihood = kept["losses"].T
    assert (steps == 1 + np.arange(len(steps))).all()
    assert (np.diff(likelihood) > -1e-6).all()


# ---- what is kept ----


def test_parts_have_the_layout_and_as_many_events_as_the_truth(study, computed):
    parts, done = computed
    assert sorted(parts) == study.parts()
    for part, arrays in parts.items():
        assert study.misfit(arrays) is None, part
        assert np.isfinite(arrays["delta"]).all() and (arrays["delta"] > 0).all()
        assert [arrays[f"cells_{q}"].sum() for q in study.quantiles] == [N, N]
        assert (arrays["latent"].sum(1) <= N).all()
        assert 0 <= arrays["broken"] <= 1
        assert (arrays["bandwidth"] > 0) == (study.priors()[part[0]].kind == "kernels")
    trained = [arrays["losses"].shape for (k,), arrays in parts.items() if k >= 7]
    assert trained == [(study.epochs, 4)] * 2
    work = study.judging_work() * len(parts) + sum(map(study.fitting_work, study.priors()[:7]))
    assert sum(done) == pytest.approx(work)  # a fingerprint's training reports none


def test_a_mixture_of_few_points_a_component_ends_at_once():
    study = make_study("latent-priors", "laptop")
    many, few = (study.fitting_work(Prior("mixture", k)) for k in (1000, 100))
    assert many < few


def test_a_part_is_the_same_whoever_is_computed_beside_it(study, latent, computed):
    reference = Reference.of(made_up_top_pairs(N, np.random.default_rng(1)))
    for part in ((3,), (6,), (8,)):
        whole = latent, reference, [part], "cpu", None, lambda work: None, True
        ((_, alone),) = fit_and_judge(study, *whole)
        for name, value in computed[0][part].items():
            np.testing.assert_allclose(alone[name], value, rtol=1e-6, err_msg=name)


BROKEN = np.array([[1, 0.5], [2, 0.4], [3, np.nan]], np.float32)
"""A likelihood, step by step."""


def test_a_diverged_prior_has_no_numbers(study, latent):
    reference = Reference.of(made_up_top_pairs(N, np.random.default_rng(1)))
    judge = Judge(study, latent, reference, lambda work: None)
    arrays = judge((7,), None, {"diverged": np.array(3), "losses": BROKEN})
    assert study.misfit(arrays) is None
    assert arrays["diverged"] == 3 and np.isnan(arrays["delta"]).all()


def test_a_prior_whose_events_are_not_finite_has_no_numbers(study, latent):
    reference = Reference.of(made_up_top_pairs(N, np.random.default_rng(1)))
    judge = Judge(study, latent, reference, lambda work: None)
    codes = latent.codes[:1].repeat(N // 2, 0)
    arrays = judge((3,), lambda n: iter([codes, codes * np.nan]), {})
    assert study.misfit(arrays) is None
    assert arrays["diverged"] == 0 and np.isnan(arrays["delta"]).all()
    assert not arrays["latent"].any()


def test_codes_are_counted_dimension_by_dimension():
    codes = np.array([[0.05, -5.5], [0.07, 4.95]])
    counts = histograms(codes)
    assert counts.shape == (2, len(LATENT_BINS) - 1)
    assert counts[0, 50] == 2 and counts[1, -1] == 1 and counts.sum() == 3


# ---- rules of the published set ----


def test_events_that_break_a_rule_are_found():
    events = made_up_top_pairs(200, np.random.default_rng(1))
    assert not breaks_a_rule(events).any()
    for column, value in (("pT_j4", 15e3), ("MET", -1.0), ("pT_l2", 3e3), ("E_j1", 1e3)):
        wrong = events.copy()
        wrong[5, TTBAR.index(column)] = value
        assert np.flatnonzero(breaks_a_rule(wrong)).tolist() == [5], column


def test_priors_are_judged_once_more_with_nothing_negative():
    """At the papers' scale alone; nothing but that changes, so that codes and fits are the same."""
    ((title, cut),) = variants("paper").items()
    assert title == "latent-priors, none negative"
    assert cut == replace(make_study("latent-priors", "paper"), negative="zero")
    assert variants("laptop") == variants("smoke") == {}
