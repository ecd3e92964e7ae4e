"""The studies of the B-VAE's rivals: what they store, that they can be killed, and bad input."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from amplib.models.config import EVENT_GANS
from amplib.parameters import ParameterError
from amplib.progress import Stopped
from amplib.store.compute import groups_of
from amplib.store.rates import minutes
from amplib.store.results import Result, same_fingerprint
from amplib.studies.bvae.small import made_up_top_pairs
from amplib.studies.catalogue import make_study
from amplib.studies.merit.judge import Reference, empty_curves
from amplib.studies.merit.unseen import Unseen
from amplib.studies.rivals.study import variants

EVENTS = made_up_top_pairs(60, np.random.default_rng(1))
NOTHING = Unseen(EVENTS, 0)
STUDIES = ("event-gans", "event-densities", "event-flows", "event-splines")
LSGAN = (list(EVENT_GANS).index("LSGAN"), 0)


def ignore(work: float) -> None:
    """No progress bar."""


@pytest.fixture(scope="module")
def truth():
    return Reference.of(EVENTS)


def tiny(name, **changes):
    study = replace(make_study(name, "smoke").smaller(), **changes)
    return replace(study, events=60, training_events=40)


# ---- what is stored ----


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("event-gans", LSGAN),
        ("event-densities", (0, 0)),
        ("event-densities", (3, 0)),
        ("event-flows", (0, 0)),
        ("event-splines", (0, 0)),
    ],
)
def test_a_part_has_the_layout_and_reports_its_work(name, part, truth, tmp_path):
    study, done = tiny(name, held_out_events=0), []
    path = tmp_path / "state.safetensors"
    ((kept, generate),) = study.fit([part], EVENTS[:40], "cpu", path, done.append)
    arrays = kept | study.judge(part, kept, generate, truth, done.append, NOTHING)
    assert study.misfit(arrays) is None
    assert sum(done) == pytest.approx(study.cost(part))
    assert arrays["diverged"] == -1
    assert 0 < arrays["delta"][0] <= 2
    assert np.concatenate(list(generate(60))).shape == (60, 26)


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("delta", [2.5, 0.1], "delta holds 2.5, expected 0 to 2"),
        ("delta_of", [[1, 0.1], [-3, 0.1]], "delta_of holds -3"),
        ("dropped", 1.5, "dropped holds 1.5"),
        ("losses", [[2, 1], [1, 1]], "losses falls from 2.0 to 1.0"),
        ("losses", [[1, 1], [2, np.nan]], "losses holds nan"),
    ],
)
def test_what_no_part_can_hold_is_named(name, value, line):
    study = make_study("event-flows", "smoke")
    good = {
        "delta": np.array([0.5, 0.1]),
        "delta_of": np.ones((2, 2)),
        "dropped": np.array(0.1),
        "losses": np.ones((2, 2), np.float32),
        "diverged": np.array(-1),
    }
    assert study.misfit(good) is None
    bad = good | {name: np.asarray(value, good[name].dtype)}
    assert study.misfit(bad).startswith(line)
    if name != "losses" or "nan" in line:
        assert study.misfit(bad | {"diverged": np.array(0)}) is None


@pytest.mark.parametrize("name", ["event-densities", "event-splines"])
def test_with_held_out_events_the_generated_ones_are_counted(name, truth):
    """All of them, once; of what has diverged none."""
    study = tiny(name, held_out_events=150)
    unseen = Unseen(made_up_top_pairs(150, np.random.default_rng(2)), 150)
    part = 1 % len(study.methods), 0
    ((kept, generate),) = study.fit([part], EVENTS[:40], "cpu", None, ignore, True)
    arrays = kept | study.judge(part, kept, generate, truth, ignore, unseen)
    if name == "event-densities":  # what others keep in float32 is in float64 here
        assert study.misfit(arrays) is None
    assert [arrays[f"cells_{q}"].sum() for q in (10, 50)] == [60, 60]
    assert arrays["cut_from"].tolist() == [149, 149]
    broken = study.judge(part, kept, lambda n: iter([EVENTS * np.nan]), truth, ignore, unseen)
    assert not broken["cells_10"].any() and broken["diverged"] == 0


def test_asking_for_its_worth_leaves_stored_results_alone():
    """The fields came later: at their defaults they are in no key."""
    without = make_study("event-densities", "laptop")
    assert not {"held_out_events", "weighed_events"} & set(without.asdict(extent=False))
    again = variants("laptop")["event-densities, worth"]
    assert again.key() != without.key()
    assert replace(again, held_out_events=0, weighed_events=0).key() == without.key()


@pytest.mark.parametrize("name", STUDIES)
def test_every_rival_is_judged_by_unseen_events_at_both_scales(name):
    """At the papers' in the one result that there is; at the laptop's in one more, if not there."""
    laptop = variants("laptop").get(f"{name}, worth", make_study(name, "laptop"))
    asked = [(v.held_out_events, v.weighed_events) for v in (laptop, make_study(name, "paper"))]
    assert asked == [(10_000, 20_000), (20_000, 20_000)]
    assert variants("smoke") == {}


@pytest.mark.parametrize("preset", ["laptop", "paper"])
def test_gans_of_one_turn_are_like_the_others_otherwise(preset):
    early, whole = variants(preset)["event-gans, one turn"], make_study("event-gans", preset)
    assert replace(early, shortening=whole.shortening, trainings=whole.trainings) == whole
    for method in range(len(early.methods)):
        assert early.member((method, 0)).steps == early.member((method, 0)).epochs == 1


@pytest.mark.parametrize("name", STUDIES)
def test_empty_bins_are_kept_where_they_are_asked_for(name, truth):
    """Of 55 of 60 events; results that are stored without them keep their key."""
    study, part = tiny(name, held_out_events=0, empty_curves="on"), (0, 0)
    ((kept, generate),) = study.fit([part], EVENTS[:40], "cpu", None, ignore, True)
    arrays = kept | study.judge(part, kept, generate, truth, ignore, NOTHING)
    made = np.concatenate(list(generate(60)))
    np.testing.assert_array_equal(arrays["empty"], empty_curves(made[:55]))
    without = replace(study, empty_curves="off")
    assert study.layout().keys() - without.layout().keys() == {"empty"}
    assert "empty_curves" not in without.asdict(extent=False)
    assert without.key() != study.key()
    far = kept | study.judge(part, kept, lambda n: iter([EVENTS * np.nan]), truth, ignore, NOTHING)
    assert far["diverged"] == 0 and np.isnan(far["empty"]).all()


def test_only_gans_keep_empty_bins_at_the_papers_settings():
    """Others had been trained, or begun, without."""
    keeping = [name for name in STUDIES if make_study(name, "paper").empty_curves == "on"]
    assert keeping == ["event-gans"]


@pytest.mark.parametrize("name", ["event-gans", "event-flows", "event-splines"])
def test_trainings_side_by_side_are_those_apart(name):
    """Losses, and generated events in float64 up to rounding."""
    study = tiny(name, trainings=2)
    parts = [(LSGAN[0] if name == "event-gans" else 0, k) for k in range(2)]
    fit = partial(study.fit, training=EVENTS[:40], device="cpu", checkpoint=None)
    together = list(fit(parts, progress=ignore, double=True))
    apart = [one for part in parts for one in fit([part], progress=ignore, double=True)]
    for (kept, generate), (alone, generate_alone) in zip(together, apart, strict=True):
        np.testing.assert_allclose(kept["losses"], alone["losses"], rtol=1e-9)
        made, made_alone = (np.concatenate(list(g(20))) for g in (generate, generate_alone))
        np.testing.assert_allclose(made, made_alone, rtol=1e-4, atol=1e-3)
    assert not np.allclose(together[0][0]["losses"], together[1][0]["losses"])


def test_a_gpu_trains_one_method_side_by_side():
    """All of it at once, whatever the jobs; cores one by one, a training of each method first."""
    result = Result(make_study("event-gans", "paper", trainings=2), "paper")
    missing = result.study.parts()
    for jobs in (1, 7):
        groups = [group.parts for group in groups_of(result, missing, jobs, "cuda")]
        assert groups == [[(i, 0), (i, 1)] for i in range(7)]
    on_cores = [group.parts for group in groups_of(result, missing, 2, "cpu")]
    assert on_cores == [[part] for part in missing]


def test_losses_stand_beside_the_generators_step():
    study = tiny("event-gans", shortening=200)
    ((kept, _),) = study.fit([LSGAN], EVENTS[:40], "cpu", None, ignore, double=True)
    turns = study.member(LSGAN).turns_an_epoch
    assert turns == 480 // 200 + 1
    assert kept["losses"][:, 0].tolist() == [turns, 2 * turns]
    assert np.isfinite(kept["losses"]).all()


def test_a_killed_training_goes_on_to_the_same_end(tmp_path):
    study, calls = tiny("event-gans", shortening=10_000), []

    def stop(work):
        calls.append(work)
        if len(calls) == 4:
            raise Stopped

    ((whole, _),) = study.fit([LSGAN], EVENTS[:40], "cpu", tmp_path / "a.safetensors", ignore)
    with pytest.raises(Stopped):
        next(study.fit([LSGAN], EVENTS[:40], "cpu", tmp_path / "b.safetensors", stop))
    ((resumed, _),) = study.fit([LSGAN], EVENTS[:40], "cpu", tmp_path / "b.safetensors", ignore)
    np.testing.assert_array_equal(whole["losses"], resumed["losses"])


def test_what_has_diverged_is_said_and_has_no_figures(truth):
    """Events that are not finite; an eta whose hyperbolic sine is not; losses that were not."""
    study = tiny("event-gans")
    far = EVENTS.copy()
    far[3, 4] = 1000.0
    for events, before, after in ((EVENTS * np.nan, -1, 0), (far, -1, 0), (EVENTS * np.nan, 7, 7)):
        kept = {"diverged": np.array(before)}
        merit = kept | study.judge(
            (0, 0), kept, lambda n, e=events: iter([e]), truth, ignore, NOTHING
        )
        assert merit["diverged"] == after
        assert np.isnan(merit["delta"]).all()
        assert np.isnan(merit["delta_of"]).all()
    kept = {"diverged": np.array(-1)}

    def generate(n):
        return iter([EVENTS[:30], EVENTS[30:]])

    good = kept | study.judge((0, 0), kept, generate, truth, ignore, NOTHING)
    assert good["delta"][0] == 0
    assert good["diverged"] == -1


# ---- what is computed ----


def test_gans_are_trained_as_recommended():
    study = make_study("event-gans", "paper")
    members = {m: study.member((i, 0)) for i, m in enumerate(study.methods)}
    assert members == EVENT_GANS
    assert (study.training_events, study.events) == (100_000, 1_200_000)
    wgan = members["WGAN"]
    assert (wgan.learning_rate, wgan.clip, wgan.critic_steps, wgan.batch_size) == (
        5e-5,
        0.01,
        5,
        64,
    )
    gp = members["WGAN-GP"]
    assert (gp.learning_rate, gp.penalty, gp.critic_steps, gp.beta_1) == (1e-4, 10, 5, 0)
    assert (members["LSGAN"].learning_rate, members["LSGAN"].beta_1) == (2e-4, 0.5)
    dijet = members["DijetGAN"]
    assert (dijet.learning_rate, dijet.noise, dijet.batch_size) == (1e-5, 128, 32)


def test_a_short_training_is_not_all_warm_up():
    member = make_study("event-gans", "smoke").member((4, 0))
    assert member.steps == 10
    assert member.warm_up == 50
    assert make_study("event-gans", "laptop").member((4, 0)).warm_up == 100


def test_densities_are_the_papers():
    study = make_study("event-densities", "paper")
    assert [study.components((i, 0)) for i in range(4)] == [0, 50, 100, 1000]
    assert (study.most_steps, study.training_events) == (500, 100_000)


def test_further_trainings_are_further_parts():
    one = make_study("event-gans", "paper", trainings=1)
    two = replace(one, trainings=2)
    assert two.key() == one.key() == make_study("event-gans", "paper").key()
    assert two.parts()[:7] == one.parts() == [(i, 0) for i in range(7)]
    assert two.repetitions_done([*one.parts(), (0, 1)]) == 1
    assert two.priority((6, 0)) > two.priority((0, 1))
    assert minutes(Result(one, "paper"), one.parts()[:1]) > 10


# ---- fingerprints ----


@pytest.fixture(scope="module")
def original():
    return {name: make_study(name, "smoke").fingerprint() for name in STUDIES}


def test_fingerprints_repeat_themselves(original):
    for name, numbers in original.items():
        assert np.isfinite(numbers).all()
        assert numbers == make_study(name, "smoke").fingerprint()


def test_what_is_changed_enters_a_fingerprint(original, monkeypatch):
    for name, change in (
        ("event-gans", {"seed": 1}),
        ("event-densities", {"seed": 1}),
        ("event-densities", {"most_steps": 1}),
        ("event-flows", {"seed": 1}),
        ("event-flows", {"flow_steps": 1}),
        ("event-flows", {"learning_rate": 2e-3}),
        ("event-flows", {"depth": 3}),
        ("event-splines", {"bins": 2}),
        ("event-splines", {"held_out_events": 0}),
    ):
        changed = make_study(name, "smoke", **change).fingerprint()
        assert not same_fingerprint(changed, original[name]), change
    monkeypatch.setattr("amplib.models.event_gans.SLOPE", 0.201)
    assert not same_fingerprint(
        make_study("event-gans", "smoke").fingerprint(), original["event-gans"]
    )


# ---- bad input ----


@pytest.mark.parametrize(
    ("name", "change", "text"),
    [
        (
            "event-densities",
            {"training_events": 500, "largest": 1000},
            "training_events = 500: 1000",
        ),
        ("event-gans", {"training_events": 3}, "training_events = 3"),
        ("event-gans", {"shortening": 0}, "shortening = 0"),
        ("event-flows", {"batch_size": 41}, "batch_size = 41: must not exceed training_events"),
        ("event-splines", {"batch_size": 41}, "batch_size = 41: must not exceed training_events"),
        ("event-gans", {"held_out_events": 99}, "held_out_events = 99: must be 0 or at least 100"),
    ],
)
def test_impossible_studies_are_one_line(name, change, text):
    with pytest.raises(ParameterError, match=text):
        make_study(name, "smoke", **change)
