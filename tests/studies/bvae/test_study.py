"""The studies of decays: what they store, that a part is its own, and bad input."""

from dataclasses import replace

import numpy as np
import pytest

from amplib.estimate import mean, positive_mean
from amplib.parameters import ParameterError
from amplib.progress import Stopped
from amplib.store.rates import minutes
from amplib.store.results import Result, provenance, same_fingerprint
from amplib.studies.bvae.decay import _nothing
from amplib.studies.bvae.reading import Generated
from amplib.studies.catalogue import make_study
from amplib.studies.weighing.kept import CLASSIFIERS, weights_made, weights_of_rows

STUDIES = ("two-body-vae", "z-vae", "two-body-gan")
TINY = {
    "training_events": 60, "validation_events": 20, "compared_events": 50, "batch_size": 20,
    "width": 8,
}  # fmt: skip


def ignore(work: float) -> None:
    """No progress bar."""


def tiny(name, **changes):
    return make_study(name, "smoke", **TINY, **changes)


def computed(study, parts, folder):
    """The parts, on the events that a fingerprint takes."""
    events = study.few_events()
    return dict(study._compute(events, parts, "cpu", folder / f"{study.name}.safetensors", ignore))


@pytest.mark.parametrize("name", STUDIES)
def test_a_part_has_the_layout_and_is_the_same_alone(name, tmp_path):
    """In distribution, as float32 rounds by who is computed beside: here to a few bins."""
    study = tiny(name, repetitions=2)
    (tmp_path / "other").mkdir()
    both = computed(study, [(0,), (1,)], tmp_path)
    alone = computed(study, [(1,)], tmp_path / "other")[(1,)]
    assert study.misfit(alone) is None
    for array in ("losses", "distances"):
        np.testing.assert_allclose(alone[array], both[(1,)][array], rtol=1e-3, atol=1e-4)
    assert not np.array_equal(alone["losses"], both[(0,)]["losses"])


@pytest.mark.parametrize("name", STUDIES)
def test_the_true_samples_are_the_compared_and_the_training_events(name, tmp_path):
    study = tiny(name)
    training, _, compared = study.few_events()
    kept = computed(study, [(0,)], tmp_path)[(0,)]
    assert not kept["distances"][0].any()
    truth = study.decay.sorted_values(compared)
    for row, sample in enumerate((compared, training[:50])):
        expected = study.decay.summary(sample, truth)
        np.testing.assert_array_equal(kept["quantiles"][row], expected["quantiles"])


def test_events_do_not_overlap():
    study = make_study("two-body-vae", "smoke")
    training, validation, compared = study.events()
    assert [len(x) for x in (training, validation, compared)] == list(study._sizes())
    whole = np.concatenate([training, validation, compared])
    assert len(np.unique(whole, axis=0)) == len(whole)


def test_few_events_of_the_z_are_its_kinematics():
    values = tiny("z-vae")
    for events in values.few_events():
        kept = values.decay.values(events)
        np.testing.assert_allclose(kept["pair_mass"], 91)
        np.testing.assert_allclose(kept["lepton_mass"], 0, atol=1e-4)


def test_z_events_come_through_the_store():
    study = make_study("z-vae", "paper")
    source = study.made_of()
    assert source is not None
    assert source.events == 1_000_000 + 50_000 + 1_000_000
    assert make_study("two-body-vae", "paper").made_of() is None


def test_a_killed_training_goes_on_to_the_same_end(tmp_path):
    study = tiny("two-body-vae", adam_epochs=30)
    events = study.few_events()
    ((_, whole),) = study._compute(events, [(0,)], "cpu", tmp_path / "a.safetensors", ignore)
    calls = 0

    def stop(work: float) -> None:
        nonlocal calls
        calls += 1
        if calls == 10:
            raise Stopped

    with pytest.raises(Stopped):
        list(study._compute(events, [(0,)], "cpu", tmp_path / "b.safetensors", stop))
    assert (tmp_path / "b.safetensors").exists()
    ((_, resumed),) = study._compute(events, [(0,)], "cpu", tmp_path / "b.safetensors", ignore)
    for name, array in whole.items():
        np.testing.assert_array_equal(resumed[name], array, err_msg=name)


def test_progress_adds_up_to_the_work(tmp_path):
    for name in STUDIES:
        study, done = tiny(name, repetitions=2), []
        path = tmp_path / f"{name}.safetensors"
        list(study._compute(study.few_events(), study.parts(), "cpu", path, done.append))
        assert sum(done) == pytest.approx(study.work(study.parts()))
        result = Result(make_study(name, "paper"), "paper", tmp_path)
        assert minutes(result, [(0,)]) > 10


def test_a_diverged_model_is_kept_apart(tmp_path):
    """NaN in its losses: said so, left out of every mean."""
    study = tiny("two-body-vae", repetitions=3)
    parts = computed(study, [(0,), (1,), (2,)], tmp_path)
    ill = {n: a if n in ("losses", "diverged") else a.copy() for n, a in parts[(1,)].items()}
    for name, array in _nothing(ill).items():
        if name not in ("losses", "diverged"):
            ill[name][2:] = array[2:]
    parts[(1,)] = ill | {"diverged": np.array(2)}
    result = Result(study, "smoke", tmp_path)
    for part, arrays in parts.items():
        result.save(part, arrays, provenance(None, "cpu", 1.0, together=3))
    generated = Generated.of(result)
    assert generated.diverged == {"VAE": 1, "B-VAE": 1}
    estimate = generated.distance("B-VAE", "px")
    assert estimate.repetitions == 2
    healthy = [parts[p]["distances"][3, 4] for p in ((0,), (2,))]
    assert estimate.value == pytest.approx(np.mean(healthy))
    assert generated.floor("px") == parts[(0,)]["distances"][1, 4]
    assert generated.bias("B-VAE", "px").value == pytest.approx(
        np.mean([parts[p]["quantiles"][3, 4, 1] for p in ((0,), (2,))])
        - parts[(0,)]["quantiles"][0, 4, 1]
    )
    counts, outside = generated.counts("VAE", "px")
    assert counts.sum() == pytest.approx((1 - outside) * 100)


@pytest.mark.parametrize("weighed", [0, 100])
def test_events_that_are_not_finite_are_a_divergence(weighed, tmp_path, monkeypatch):
    """Of finite losses: the part is kept, without what it would have generated."""
    sizes = {"training_events": 120, "compared_events": 110, "weighed_events": weighed}
    study = replace(tiny("two-body-vae"), **sizes)
    losses = np.column_stack([np.arange(1, 3), np.ones((2, 3))])

    def train(self, events, *others):
        good = events[0][:110]
        yield losses, [good, np.where(good == good[3, 0], np.inf, good)]

    monkeypatch.setattr(type(study), "train", train)
    kept = computed(study, [(0,)], tmp_path)[(0,)]
    assert kept["diverged"] == 0
    assert study.misfit(kept) is None
    assert np.isnan(kept["quantiles"]).all((1, 2)).tolist() == [False, False, False, True]
    losses[1, 2] = np.nan
    assert computed(study, [(0,)], tmp_path)[(0,)]["diverged"] == 2


def test_results_of_other_events_are_not_compared(tmp_path):
    results = []
    for name, seed in (("two-body-vae", 1), ("two-body-gan", 2)):
        study = tiny(name, seed=seed)
        results.append(Result(study, "smoke", tmp_path))
        for part, arrays in computed(study, [(0,)], tmp_path).items():
            results[-1].save(part, arrays, provenance(None, "cpu", 1.0, together=1))
    assert Generated.of(results[0]).models == ("VAE", "B-VAE")
    with pytest.raises(ValueError, match="not of the same events"):
        Generated.of(*results)


def test_errors_are_over_trainings():
    assert np.isnan(mean([1.0]).error)
    three = mean([1.0, 2.0, 3.0])
    assert three.error == pytest.approx(1 / np.sqrt(3))
    assert three.interval().high == pytest.approx(2 + 4.303 / np.sqrt(3), rel=1e-3)
    low, high = positive_mean([1.0, 2.0, 3.0]).interval()[1:]
    assert low > 0
    assert high * low == pytest.approx(4)


# ---- fingerprints ----


@pytest.fixture(scope="module")
def original():
    return {name: make_study(name, "smoke").fingerprint() for name in STUDIES}


def test_a_fingerprint_repeats_itself(original):
    for name, numbers in original.items():
        assert numbers == make_study(name, "smoke").fingerprint()
        assert np.isfinite(numbers).all()


@pytest.mark.parametrize(
    "change",
    [
        {"latent": 2}, {"kl_weight": 1e-3}, {"depth": 3}, {"learning_rate": 2e-3},
        {"rate_factor": 0.4}, {"adam_phases": 1}, {"sgd_phases": 1}, {"momentum": 0.8},
        {"initialisation": "variance"}, {"alpha": 2.0, "threshold": 10.0}, {"gamma": 0.01},
        {"draw": "in turn"}, {"gamma": 0.01, "offset": "deviation"}, {"seed": 1},
    ],
    ids=str,
)  # fmt: skip
def test_a_parameter_enters_the_fingerprint(change, original):
    changed = make_study("z-vae", "smoke", **change).fingerprint()
    assert not same_fingerprint(changed, original["z-vae"])
    if change == {"gamma": 0.01, "offset": "deviation"}:
        offset = make_study("z-vae", "smoke", gamma=0.01).fingerprint()
        assert not same_fingerprint(changed, offset)


def test_a_changed_shortcut_moves_the_fingerprint(original, monkeypatch):
    """ELU off by a thousandth; the noise of the codes; the mass shell of the observables."""
    import amplib.models.bvae as module

    elu = module.F.elu
    monkeypatch.setattr(module.F, "elu", lambda x, inplace: elu(1.001 * x))
    assert not same_fingerprint(make_study("z-vae", "smoke").fingerprint(), original["z-vae"])


# ---- bad input ----


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"batch_size": 3000}, "batch_size = 3000: must not exceed training_events = 2048"),
        ({"compared_events": 4000}, "compared_events = 4000: must not exceed training_events"),
        ({"repetitions": 0}, "repetitions = 0"),
    ],
)
def test_impossible_studies_are_one_line(name, change, text):
    with pytest.raises(ParameterError, match=text):
        make_study(name, "smoke", **change)


def test_parts_and_presets():
    paper = make_study("z-vae", "paper")
    assert (paper.latent, paper.kl_weight, paper.depth, paper.epochs) == (10, 3e-6, 4, 560)
    toy = make_study("two-body-vae", "paper")
    assert (toy.latent, toy.kl_weight, toy.depth, toy.epochs) == (9, 3e-6, 4, 100)
    assert (toy.alpha, toy.gamma) == (1, 0)
    assert replace(toy, repetitions=4).parts() == [(0,), (1,), (2,), (3,)]


@pytest.mark.parametrize("name", ["two-body-vae", "two-body-gan", "z-vae"])
def test_the_events_of_every_model_are_weighed_where_that_is_asked(name, tmp_path):
    """Nothing else of a part changes, and of a model that has diverged nothing is said."""
    without = replace(make_study(name, "smoke").smaller(), training_events=300, compared_events=200)
    asked = replace(without, weighed_events=150)
    events, models = asked.few_events(), len(asked.models)
    before, after = (
        dict(s._compute(events, [(0,)], "cpu", tmp_path / f"{k}.safetensors", lambda work: None))
        for k, s in enumerate((without, asked))
    )
    before, after = before[0,], after[0,]
    assert asked.misfit(after) is None
    assert after["weighed_r"].shape == (models, CLASSIFIERS, 2, asked.decay.observables)
    for key, values in before.items():
        assert np.array_equal(after[key], values)
    told = [weights_made(a) for a in weights_of_rows(after)]
    assert list(map(len, told)) == [CLASSIFIERS] * models


def test_momenta_that_are_conserved_are_seen_by_the_classifier():
    """True decays against those whose second momentum is off by a tenth: balance tells them apart,
    with an AUC near one, and no weight restores it; twins of the truth would have one half."""
    study = make_study("two-body-vae", "smoke")
    _, _, truth = study.few_events()
    off = truth.copy()
    off[:, 5:8] *= 1.1
    seed = np.random.SeedSequence(1)
    told = weights_made(study.decay.weighed(off, truth, seed))[0].outlook
    assert told.auc.value > 0.95 and told.answer == "no"
    half = len(truth) // 2
    same = weights_made(study.decay.weighed(truth[:half], truth[half:], seed))[0].outlook
    assert abs(same.auc.value - 0.5) < 5 * same.auc.error
