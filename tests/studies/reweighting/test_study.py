"""The reweighting studies: parts, generators whose weights are known, and what is read of them."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import chi2
from stored_parts import MADE

from amplib import files
from amplib.estimate import AtLeast
from amplib.metrics.separation import Histograms, separation_or_one
from amplib.metrics.worth import n_equiv_over
from amplib.models import checkpoint as checkpoints
from amplib.models.checkpoint import Checkpoint
from amplib.models.dctr import steps_kept
from amplib.parameters import ParameterError
from amplib.progress import Stopped
from amplib.store.results import Result, same_fingerprint
from amplib.store.study import PRESETS, Study
from amplib.studies.catalogue import make_study
from amplib.studies.generators.study import ShowerGAN
from amplib.studies.reweighting import reading as r
from amplib.studies.reweighting.measuring import LOW, Sample, measure, observables
from amplib.studies.reweighting.study import OBSERVABLES, ReweightedSimulation
from amplib.studies.showers.sampling import simulated
from amplib.truth.showers import observables as obs

NAMES = r.GENERATORS


def ignore(work: float) -> None:
    """No progress bar."""


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def computed(tmp_path_factory) -> tuple[ReweightedSimulation, dict, list[float]]:
    """The control at the preset ``smoke``, of low energy."""
    study = make_study("reweighted-simulation", "smoke", energy=5, made_energy=6)
    work: list[float] = []
    folder = tmp_path_factory.mktemp("state")
    return study, dict(study.compute(study.parts(), "cpu", folder / "s", work.append)), work


@pytest.fixture(scope="module")
def read(computed) -> r.Reweighted:
    study, parts, _ = computed
    return r.Reweighted(study, [r.Repetition(study, arrays) for arrays in parts.values()])


def test_parts_have_the_layout_that_the_study_says(computed):
    study, parts, _ = computed
    assert list(parts) == [(0,), (1,)]
    assert [study.misfit(arrays) for arrays in parts.values()] == [None, None]


def test_the_work_reported_is_the_work_announced(computed):
    study, parts, work = computed
    assert sum(work) == pytest.approx(study.work(list(parts)))


def test_parts_differ_and_a_part_is_the_same_alone(computed, tmp_path):
    study, parts, _ = computed
    ((_, alone),) = study.compute([(1,)], "cpu", tmp_path / "s", ignore)
    for name, array in alone.items():
        np.testing.assert_array_equal(array, parts[(1,)][name], err_msg=name)
    assert not np.array_equal(parts[(0,)]["histograms"], parts[(1,)]["histograms"])
    np.testing.assert_array_equal(parts[(0,)]["limits"], parts[(1,)]["limits"])


@pytest.mark.parametrize(
    ("steps", "place", "trained_again"),
    [(3, LOW, True), (6, LOW, True), (6, "truth", False), (6, "generated", False)],
    ids=["within the epoch", "validation", "weighing the truth", "all weighed"],
)
def test_a_stopped_part_goes_on_to_the_same_arrays(
    steps, place, trained_again, computed, monkeypatch, tmp_path
):
    """What an earlier run has done is reported first; with both classifiers trained, their showers
    are not made again."""
    monkeypatch.setattr(checkpoints, "REPORT_SECONDS", 0)
    monkeypatch.setattr(checkpoints, "CHECKPOINT_SECONDS", 0)
    study, parts, _ = computed
    path = tmp_path / "s.safetensors"
    kept = Checkpoint(path).at("(0,)")

    def stop(work: float) -> None:
        if kept.at(place).load() and steps_kept(kept.at(LOW)) >= steps:
            raise Stopped

    with pytest.raises(Stopped):
        dict(study.compute([(0,)], "cpu", path, stop))
    done = study.generated + study.classified * steps_kept(kept.at(LOW)) / study.low_steps
    sizes, work = [], []
    whole = Sample.of.__func__

    def counted(cls, batches, measures, progress, dtype):
        sample = whole(cls, batches, measures, progress, dtype)
        sizes.append(measures)
        return sample

    monkeypatch.setattr(Sample, "of", classmethod(counted))
    resumed = dict(study.compute([(0,)], "cpu", path, work.append))
    for name, array in resumed[0,].items():
        np.testing.assert_array_equal(array, parts[0,][name], err_msg=name)
    assert sizes.count(obs.high_level) == 2 * trained_again
    assert work[0] == pytest.approx(done)
    assert sum(work) == pytest.approx(study.work([(0,)]))
    assert not path.exists()


def test_a_damaged_checkpoint_is_refused_before_any_shower_is_made(computed, tmp_path):
    study, _, _ = computed
    path = tmp_path / "s.safetensors"
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match=r"s\.safetensors is damaged \(.*delete it") as raised:
        dict(study.compute([(0,)], "cpu", path, lambda work: pytest.fail("too late")))
    assert "\n" not in str(raised.value)


def test_a_sample_keeps_what_is_above_the_threshold():
    study = make_study("reweighted-simulation", "smoke", energy=5)
    seed = np.random.SeedSequence(3)
    drawn = obs.visible(torch.cat(list(simulated(study.truth(), 4, seed))))
    sample = Sample.of(simulated(study.truth(), 4, seed), observables, ignore, torch.float32)
    assert torch.equal(sample.images.dense(torch.arange(4)), drawn)
    assert sample.observables.shape == (4, OBSERVABLES)
    np.testing.assert_allclose(sample.inputs, obs.high_level(drawn))


# ---------------------------------------------------------------- fingerprints and keys


@pytest.mark.parametrize("name", NAMES)
def test_the_fingerprint_is_finite_and_repeats_itself(name):
    numbers = make_study(name, "smoke").fingerprint()
    assert np.isfinite(numbers).all()
    assert same_fingerprint(numbers, make_study(name, "smoke").fingerprint())


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"learning_rate": 2e-3}, {"low_rate": 2e-3}, {"hidden": (9, 9)}, {"energy": 4}],
    ids=str,
)
def test_a_parameter_enters_the_fingerprint(change):
    """One of the generators stands for all: they differ in what makes showers only."""
    numbers = make_study("reweighted-gan", "smoke").fingerprint()
    changed = make_study("reweighted-gan", "smoke", **change).fingerprint()
    assert not same_fingerprint(numbers, changed)


def test_another_generator_makes_another_key(monkeypatch):
    study = make_study("reweighted-gan", "laptop")
    assert study.made_of() == ShowerGAN(**ShowerGAN.presets["laptop"])
    key = study.key()
    other = {**ShowerGAN.presets["laptop"], "learning_rate": 1e-4}
    monkeypatch.setattr(ShowerGAN, "presets", {**ShowerGAN.presets, "laptop": other})
    assert make_study("reweighted-gan", "laptop").key() != key


def measured_rates() -> dict[str, tuple[float, float]]:
    """Showers a second of training and of weighing, by classifier, of the benchmark's table."""
    rows = re.findall(
        r"^\| ([\w ',-]*level[\w ',-]*) \| ([\d,]+) \|[^|]*\| ([\d,]+) \|",
        (files.ROOT / "benchmarks" / "README.md").read_text(),
        re.MULTILINE,
    )
    return {name: tuple(float(n.replace(",", "")) for n in rates) for name, *rates in rows}


def test_the_work_of_classifiers_goes_with_their_measured_rates():
    """At the paper's sizes and at the laptop's: the low-level one has 16 times the filters squared
    and another precision; to 20%."""
    rates = measured_rates()
    paper, laptop = (make_study("reweighted-bibae", p) for p in ("paper", "laptop"))
    for study, name in (
        (paper, "low-level, float32"),
        (replace(paper, precision="bfloat16"), "low-level, bfloat16"),
        (laptop, "the laptop's low-level, bfloat16"),
    ):
        training, weighing = rates[name]
        assert study.an_image * training == pytest.approx(1, rel=0.2)
        weighed = study.weighed / study.rate / (2 * study.test_events)
        assert weighed * weighing == pytest.approx(1, rel=0.5)


def test_the_work_of_presets_is_as_their_measured_rates_say():
    """Where the low-level classifier's training is most of it, within a factor of two."""
    rates = measured_rates()
    paper, laptop = (make_study("reweighted-simulation", p) for p in ("paper", "laptop"))
    seconds = {
        "low-level, float32": paper.low_steps * paper.low_batch,
        "the laptop's low-level, bfloat16": laptop.low_steps * laptop.low_batch,
    }
    most, least = (n / rates[name][0] for name, n in seconds.items())
    ratio = paper.work([(0,)]) / laptop.work([(0,)])
    assert 1 / 2 < ratio / (most / least) < 2
    assert paper.work([(0,)]) / paper.rate / 3600 == pytest.approx(5, abs=0.7)  # hours of a core


def test_memory_follows_the_showers():
    """At the paper's sizes what the study declares, at the laptop's what is usual."""
    paper, laptop = (make_study("reweighted-bibae", p) for p in ("paper", "laptop"))
    assert 0.9 * paper.memory < paper.memory_needed() <= paper.memory
    assert laptop.memory_needed() == Study.memory


KEYS = {
    "reweighted-bibae": ("fa82f6fbdb1d", "00fd8176ead5", "d0be95b46635"),
    "reweighted-gan": ("ee2f966dbc95", "1c3406768b98", "14f56411c05e"),
    "reweighted-simulation": ("30bc5f0253b7", "05f2ad3fea75", "07f61f08562d"),
    "bibae": ("6516dff5e8ab", "642e3cb50c97", "13b27b8bc838"),
    "shower-gan": ("0129ef1bc760", "cbaef106f6c9", "db08b4243c0a"),
}
"""Of the presets, by which results are found."""


@pytest.mark.parametrize("name", KEYS)
def test_a_further_training_leaves_the_keys_of_presets_alone(name):
    assert tuple(make_study(name, preset).key() for preset in PRESETS) == KEYS[name]


@pytest.mark.parametrize("name", ["reweighted-bibae", "reweighted-gan"])
def test_a_generator_of_published_size_can_be_asked_for(name):
    study = make_study(name, "paper", trained="published", energy=20)
    source = study.made_of()
    assert (source.showers, source.energy) == (950_000, 20)
    assert source.made_of().showers == 950_000 + source.judged + 2 * source.compared
    assert study.seen == source.made_of().showers
    assert study.command("paper") == (
        f'make compute STUDY={name} PRESET=paper SET="energy=20.0 trained=published"'
    )
    assert study.key() not in KEYS[name]
    assert 10_000 < source.memory_needed() < 16_000
    for preset in PRESETS:
        assert make_study(name, preset).made_of().memory_needed() == Study.memory


def test_the_published_trainings_are_their_authors():
    """Getting High: 71 million weights, batches of 8, 35 epochs, five critic steps; of the plain
    GAN 125,000 steps in batches of 32."""
    bibae, gan = (make_study(n, "paper", trained="published").made_of() for n in list(KEYS)[:2])
    assert (bibae.scale, bibae.detour, bibae.batch_size, bibae.critic_steps) == (1, "60", 8, 5)
    assert (bibae.epochs, bibae.precision, bibae.start) == (35, "float32", "published")
    assert gan.work([(0,)]) / gan.batch_size == pytest.approx(125_000, rel=0.1)


@pytest.mark.parametrize("name", NAMES)
def test_the_paper_s_classifier_is_not_arrested(name):
    """Its last epoch counts at the paper's settings; at the laptop's the best, or as asked."""
    paper, laptop = make_study(name, "paper"), make_study(name, "laptop")
    assert (paper.high_training().keep, laptop.high_training().keep) == ("last", "best")
    assert make_study(name, "laptop", keep="last").key() != laptop.key()
    assert make_study(name, "laptop", keep="best").key() == laptop.key()


def test_the_generator_has_the_energy_of_the_truth():
    assert make_study("reweighted-bibae", "smoke", energy=20).made_of().energy == 20


def test_more_high_level_showers_than_there_are_are_refused():
    with pytest.raises(ParameterError, match="high_level = 70: must not exceed events = 60"):
        make_study("reweighted-bibae", "smoke", high_level=70)


# ---------------------------------------------------------------- trained generators


def test_a_stored_generator_is_reweighted(tmp_path, monkeypatch):
    """A GAN of two steps: nothing can be mended, and everything is measured all the same."""
    monkeypatch.setattr(files, "DATA", tmp_path / "data")
    monkeypatch.setattr(files, "RESULTS", tmp_path / "results")
    study = make_study("reweighted-gan", "smoke", energy=5, repetitions=1)
    with pytest.raises(FileNotFoundError, match="make compute STUDY=shower-gan PRESET=smoke"):
        list(study.compute([(0,)], "cpu", tmp_path / "s", ignore))
    for source in (study.made_of().made_of(), study.made_of()):
        stored = Result(source, "smoke")
        for part, arrays in source.compute(source.parts(), "cpu", tmp_path / "g", ignore):
            stored.save(part, arrays, MADE)
    ((_, arrays),) = study.compute([(0,)], "cpu", tmp_path / "s", ignore)
    assert study.misfit(arrays) is None
    one = r.Repetition(study, arrays)
    assert one.outlook(r.HIGH).auc.value > 0.95
    assert one.separations[r.GENERATOR].value[r.ACTIVE] > 0.9
    assert np.isfinite(one.separations[r.HIGH].value).all()


# ---------------------------------------------------------------- known generators


def known(made_energy: float) -> r.Repetition:
    """Photons of 5 GeV, and of another energy for generated ones."""
    study = replace(
        make_study("reweighted-simulation", "smoke", energy=5.0, made_energy=made_energy),
        made_beam=0.0, events=1500, generated=1500, high_level=1500, test_events=1500, epochs=15,
        filters=2, low_batch=50, batch_size=50, hidden=(16, 16),
    )  # fmt: skip
    return r.Repetition(study, measure(study, 0, study.generate("cpu"), "cpu", ignore))


@pytest.fixture(scope="module")
def off() -> r.Repetition:
    """Of 4.5 GeV: too few cells, too little energy."""
    return known(4.5)


@pytest.fixture(scope="module")
def right() -> r.Repetition:
    return known(5.0)


def test_weights_mend_a_simulation_of_a_wrong_energy(off):
    """<S^2> of energy and active cells, to less than half; the cost is paid.

    The mean weight is one within what 750 showers of either kind teach, 0.3.
    """
    assert off.outlook(r.HIGH).auc.value > 0.6
    for observable in (r.ACTIVE, r.ENERGY):
        assert off.gain(r.HIGH, observable) > 2
    assert off.dilution[r.HIGH].value[r.ENERGY] > off.dilution[r.GENERATOR].value[r.ENERGY]
    assert off.outlook(r.HIGH).mean_weight.value == pytest.approx(1, abs=0.3)
    assert off.arrays["pearson"][0] > 0


def test_a_right_simulation_needs_no_weights(right):
    """AUC one half to five errors; <S^2> is the floor's on average over observables."""
    area = right.outlook(r.HIGH).auc
    assert abs(area.value - 0.5) < 5 * area.error
    made, again = (right.separations[s] for s in (r.GENERATOR, r.AGAIN))
    assert made.value.mean() == pytest.approx(made.floor.mean(), rel=0.2)
    assert again.value.mean() == pytest.approx(again.floor.mean(), rel=0.2)
    assert right.outlook(r.LOW).effective_share.value > 0.8


def test_what_wrong_showers_are_worth_and_what_weights_add(off, right):
    """Photons of 4.5 for 5 GeV are worth less than 30 in ten cells, with weights three times more;
    right ones and the truth again have only a lower bound (97.5% each) or some hundreds at least.
    """
    worth = {name: sample.n_equiv() for name, sample in off.cells[10].items() if name != r.LOW}
    assert worth[r.GENERATOR].high < 30
    assert worth[r.HIGH].low > 3 * worth[r.GENERATOR].high
    for sample in (off.cells[10][r.AGAIN], right.cells[10][r.AGAIN], right.cells[10][r.GENERATOR]):
        found = sample.n_equiv()
        assert found.low > 150
        assert isinstance(found, AtLeast) or found.value > 500


def test_cells_are_of_equal_mass_and_hold_every_shower(off):
    """1500 showers in 10 and 50 cells cut from 1499: Pearson's statistic within its 99.9%."""
    for q, cells in off.cells.items():
        counts = cells[r.AGAIN].weights
        assert counts.sum() == 1500
        noise = 1500 / q * (1 + 1500 / 1500)
        assert ((counts - 1500 / q) ** 2).sum() / noise < chi2.isf(0.001, q - 1)
        assert cells[r.GENERATOR].held_out in (1499, 1499 // q * q + q - 1)


def test_worth_needs_more_showers_than_cells(read):
    """Over repetitions: what weights have left of few showers is not counted in many cells."""
    found = read.worth(10, r.GENERATOR)
    inverses = [one.cells[10][r.GENERATOR].inverse for one in read.each]
    assert found == n_equiv_over(inverses)
    for one in read.each:
        one.arrays["cells_10"][2] = 0
        one.arrays["cells_10"][2, :, 0] = 60, 60**2  # all the weight on one shower
    assert read.worth(10, r.HIGH) is None


# ---------------------------------------------------------------- reading


def test_places_are_those_of_the_observables():
    showers = torch.cat(list(simulated(ReweightedSimulation(energy=5).truth(), 3,
                                       np.random.SeedSequence(1))))  # fmt: skip
    values = observables(showers).numpy()
    energies = obs.layer_energies(showers).numpy()
    np.testing.assert_array_equal(values[:, r.ACTIVE], obs.active_cells(showers))
    np.testing.assert_array_equal(values[:, r.layer(7)], energies[:, 7])
    np.testing.assert_array_equal(values[:, r.moment(9)], obs.second_moments(showers)[:, 9])
    expected = energies[:, 15] - energies[:, 19]
    np.testing.assert_allclose(values[:, r.difference(15, 19)], expected, rtol=1e-6)
    assert [s.stop for s in r.GROUPS.values()] == [33, 93, None]


def test_what_has_no_entry_within_the_limits_is_as_far_as_can_be():
    truth = Histograms.counted([[3.0, 1.0], [3.0, 1.0]])
    apart = separation_or_one(truth, Histograms.counted([[0.0, 0.0], [3.0, 1.0]]))
    assert apart.value.tolist() == [1.0, 0.0]


def test_what_is_read_of_parts_is_what_they_hold(read, computed):
    _, parts, _ = computed
    first, second = read.each
    mean = read.s2(r.GENERATOR, r.ACTIVE)
    values = [x.separations[r.GENERATOR].value[r.ACTIVE] for x in (first, second)]
    assert mean.value == pytest.approx(np.mean(values))
    assert mean.error == pytest.approx(abs(values[0] - values[1]) / 2)
    gain = read.factor(lambda x: x.gain(r.LOW, r.ENERGY))
    expected = np.sqrt(first.gain(r.LOW, r.ENERGY) * second.gain(r.LOW, r.ENERGY))
    assert gain.value == pytest.approx(expected)
    total = sum(p["histograms"] for p in parts.values())
    np.testing.assert_allclose(read.spectra.contents["truth"], total[0])
    ratio, error = read.spectra.ratio(r.AGAIN, r.ACTIVE)
    filled = total[0, r.ACTIVE] > 0
    assert np.isnan(ratio[~filled]).all()
    both = 1 / total[:2, r.ACTIVE][:, filled & (total[1, r.ACTIVE] > 0)]
    some = filled & (total[1, r.ACTIVE] > 0)
    np.testing.assert_allclose(error[some], ratio[some] * np.sqrt(both.sum(0)))


def test_what_is_above_the_floor_is_beside_what_so_many_of_the_truth_would_have(right, off):
    """E<S^2> of n showers from the truth is (B - 1)/4n in B bins; the floor of two samples of n is
    twice that.  Right showers have nothing above it, to five errors of their mean over three
    observables (seeded; by chance once in a million); wrong ones ten times what 1500 of the truth
    have.
    """
    both = r.Reweighted(right.study, [right, right]), r.Reweighted(off.study, [off, off])
    three = (r.ACTIVE, r.ENERGY, r.CENTROID)
    for observable in three:
        floor = right.separations[r.AGAIN].floor[observable]
        assert 2 * both[0].s2_of_truth(1500, observable) == pytest.approx(floor, rel=0.1)
    error = np.linalg.norm([right.separations[r.GENERATOR].error[k] for k in three]) / 3
    above = np.mean([both[0].excess(r.GENERATOR, k).value for k in three])
    assert abs(above) < 5 * error
    assert both[1].excess(r.GENERATOR, r.ENERGY).value > 10 * both[1].s2_of_truth(1500, r.ENERGY)


def test_the_noise_of_correlations_is_what_two_samples_of_the_truth_differ_by(right):
    """Their root mean square, over pairs that move together: within a factor of two."""
    noise = right.residual_noise(r.AGAIN)
    assert noise / 2 < right.residual_rms(r.AGAIN) < 2 * noise


def test_a_generator_tells_what_weights_mend_where_it_is_off_and_near_enough(right, off):
    """Right showers are off in next to nothing; wrong ones in their inputs; none that is hopeless
    tells anything."""
    inputs = r.GROUPS["inputs of the high-level model"]
    assert not r.Reweighted(right.study, [right]).tells(inputs)
    wrong = r.Reweighted(off.study, [off])
    assert wrong.each[0].off(r.GENERATOR, inputs) > 10
    assert wrong.tells(inputs)
    told = np.array(off.arrays["outlook"])
    told[0, 4, 0] = 1e-5  # the mean weight
    lost = r.Repetition(off.study, {**off.arrays, "outlook": told})
    assert r.Reweighted(off.study, [off, lost]).tells(inputs)
    assert r.Reweighted(off.study, [lost]).hopeless
    assert not r.Reweighted(off.study, [lost]).tells(inputs)


def test_what_is_at_its_floor_without_weights_is_known(right, off):
    """Nearly all of right showers, of wrong ones few inputs."""
    assert right.at_floor().mean() > 0.9
    assert off.at_floor()[: r.INPUTS].mean() < 0.7
    assert off.at_floor().shape == (r.OBSERVABLES,)


def test_means_before_the_clip_are_told_one_by_one(read):
    for name in r.CLASSIFIERS:
        told = [x.outlook(name) for x in read.each]
        expected = [look.mean_weight.value / (1 - look.cut) for look in told]
        assert read.means_before_clip(name) == pytest.approx(expected)


def test_r_over_observables_leaves_out_what_does_not_vary():
    arrays = {"dilution": np.ones((3, 2, 7))}
    arrays["dilution"][1, 0] = [np.nan, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    middle, low, high = r.Repetition(None, arrays).usual_dilution(r.HIGH)
    assert middle == 3
    assert (low, high) == pytest.approx((1.64, 4.36))
    arrays["dilution"][1, 0] = 0
    assert np.isnan(r.Repetition(None, arrays).usual_dilution(r.HIGH)).all()


def test_the_peak_is_where_values_lie_densest():
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(2, 0.1, 600), rng.uniform(0, 10, 400), [np.nan]])
    assert r.peak(values) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("name", r.CLASSIFIERS)
def test_the_shape_of_weights(read, name):
    one = read.each[0]
    assert 1e-3 < one.usual_weight(name) < 1e2
    assert one.lopsided(name) > 0
