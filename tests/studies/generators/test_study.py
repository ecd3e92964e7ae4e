"""The studies of shower generators: parts, interruptions, what is stored and read again."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from stored_parts import MADE

from amplib import files
from amplib.models.objectives import spread_distance
from amplib.parameters import ParameterError
from amplib.progress import Stopped
from amplib.store.results import Result
from amplib.studies.catalogue import make_study
from amplib.studies.generators.reading import generated, trained
from amplib.studies.generators.study import OBSERVABLES
from amplib.studies.generators.training import _samples, observables
from amplib.truth.showers import observables as obs

NAMES = ("bibae", "shower-gan")
SMALL = {"energy": 5, "scale": 64, "epochs": 2, "pieces": 2}


def small(name, **changes):
    settings = {k: v for k, v in SMALL.items() if name == "bibae" or k != "scale"}
    return make_study(name, "smoke", **{**settings, **changes})


def nothing(work):
    pass


@pytest.fixture(autouse=True, scope="module")
def store(tmp_path_factory):
    """Showers to train on, in a folder of these tests."""
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "DATA", folder / "data")
        source = small("bibae").made_of()
        result = Result(source, "")
        for part, arrays in source.compute(source.parts(), "cpu", folder, nothing):
            result.save(part, arrays, MADE)
        yield folder


def run(study, checkpoint, progress=nothing):
    ((part, arrays),) = study.compute([(0,)], "cpu", checkpoint, progress)
    assert part == (0,)
    return arrays


@pytest.fixture(params=NAMES, scope="module")
def computed(request, store):
    study = small(request.param)
    result = Result(study, "smoke", root=store / "results")
    done = []
    arrays = run(study, store / "state", done.append)
    assert sum(done) == study.work([(0,)])
    result.save((0,), arrays, MADE)
    return result, arrays


def test_both_train_on_the_same_showers():
    sources = [small(name).made_of() for name in NAMES]
    assert sources[0] == sources[1]
    assert sources[0].energy == 5
    assert sources[0].showers == 32 + 10 + 2 * 10


def test_a_part_is_what_the_study_says(computed):
    result, arrays = computed
    study = result.study
    assert study.misfit(arrays) is None
    assert arrays["losses"].shape == (4, 2 + len(study.terms) + OBSERVABLES)
    mean = arrays["losses"][:, 1 + len(study.terms)]
    assert arrays["kept_at"] == 1 + mean.argmin()
    np.testing.assert_allclose(mean, arrays["losses"][:, -OBSERVABLES:].mean(1), rtol=1e-5)


def test_the_samples_are_four_without_a_shower_in_common(store):
    """Training showers, then those that choose, those that measure and those of the floor."""
    study = small("bibae")
    images, held_out = _samples(study, Result(study.made_of(), ""), "cpu")
    drawn = torch.cat(
        [b for k in study.made_of().parts() for b in study.made_of().batches(k, "cpu")]
    )
    assert torch.equal(images.dense(torch.arange(32)), drawn[:32])
    torch.testing.assert_close(held_out, observables(obs.visible(drawn[32:62])))


def test_what_is_stored_generates_what_was_measured(computed):
    """The distances of a part, from the stored weights by the door that readers use."""
    result, arrays = computed
    study = result.study
    one = trained(result)
    assert list(one.distances) == list(study.latents)
    _, held_out = _samples(study, Result(study.made_of(), ""), "cpu")
    truth, other = held_out[10:20], held_out[20:]
    np.testing.assert_allclose(one.floor, spread_distance(other[None], truth)[0], rtol=1e-5)
    for latents in study.latents:
        showers = torch.cat(list(generated(result, 20, latents)))
        assert showers.shape == (20, 30, 30, 30)
        assert not ((showers > 0) & (showers < 0.1)).any()
        # Other noise than that of the stored distance: both are of the same generator.
        again = spread_distance(observables(showers[:10])[None], truth)[0].numpy()
        assert np.isfinite(again).all()
    size, published = arrays["size"]
    assert one.share == size / published < 1


def test_the_densities_of_latent_numbers_are_named(computed):
    result, _ = computed
    drawn = [torch.cat(list(generated(result, 2, k))) for k in result.study.latents]
    assert not any(torch.equal(drawn[0], other) for other in drawn[1:])
    allowed = ", ".join(result.study.latents)
    with pytest.raises(ParameterError, match=f"latents = 'flat': allowed are {allowed}"):
        next(generated(result, 2, "flat"))


def test_an_interrupted_training_ends_as_an_uninterrupted_one(computed, store):
    (result, through), calls = computed, []

    def stop(work):
        calls.append(work)
        if len(calls) == 3:
            raise Stopped

    with pytest.raises(Stopped):
        run(result.study, store / "stopped", stop)
    assert (store / "stopped").exists()
    again = run(result.study, store / "stopped")
    assert not (store / "stopped").exists()
    for key, value in through.items():
        np.testing.assert_array_equal(value, again[key], err_msg=key)


def test_without_showers_nothing_is_trained(store):
    study = small("bibae", showers=60)
    with pytest.raises(FileNotFoundError, match=r"part \(\d+,\) is not in"):
        run(study, store / "state")


def test_too_few_showers_are_refused_at_once():
    with pytest.raises(ParameterError, match="showers = 3: pieces x batch_size = 8 are needed"):
        small("bibae", showers=3)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "change",
    [{"learning_rate": 1e-3}, {"decay": 0.5}, {"beta_1": 0.2}, {"seed": 1}, {"energy": 4}],
    ids=str,
)
def test_a_parameter_enters_the_fingerprint(name, change):
    numbers = make_study(name, "smoke").fingerprint()
    assert np.isfinite(numbers).all()
    assert not np.allclose(numbers, make_study(name, "smoke", **change).fingerprint(), rtol=1e-7)


@pytest.mark.parametrize(
    "change",
    [
        {"penalty": 9.0},
        {"latent_rate": 2.0},
        {"critic_weight": 2.0},
        {"latent_weight": 50.0},
        {"divergence_weight": 0.1},
        {"discrepancy_weight": 50.0},
        {"critic_steps": 2},
    ],
    ids=str,
)
@pytest.mark.slow
def test_a_weight_enters_the_fingerprint(change):
    numbers = make_study("bibae", "smoke").fingerprint()
    assert not np.allclose(numbers, make_study("bibae", "smoke", **change).fingerprint(), rtol=1e-7)


def test_a_bare_gpu_machine_trains(tmp_path):
    """Without all that is not among the package's own dependencies."""
    absent = ("awkward", "fastjet", "h5py", "iminuit", "matplotlib", "pandas", "pooch", "requests")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({absent})); "
        "from amplib.studies.catalogue import make_study; import amplib.store.worker; "
        "import amplib.studies.generators.training; "
        "print(make_study('shower-gan', 'smoke').fingerprint())"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=files.ROOT)
