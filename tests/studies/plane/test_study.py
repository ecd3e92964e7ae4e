"""One point of the plane: what is judged is what the model generates there."""

from dataclasses import replace

import numpy as np
import pytest
from chosen_events import EVENTS, TINY, untrained
from chosen_events import store as keep

from amplib.book.obtain import stored
from amplib.estimate import Estimate
from amplib.models.config import BufferConfig
from amplib.parameters import ParameterError
from amplib.store.results import Result, same_fingerprint
from amplib.studies.catalogue import make_study
from amplib.studies.merit.judge import Reference
from amplib.studies.plane.reading import WAYS, Point, growths, speaks_for
from amplib.studies.topvae.reading import ChosenEvents, ReadEvents, over_trainings
from amplib.studies.topvae.study import BATCH, JUDGED

SMALL = {k: v for k, v in TINY.items() if k != "long_run"}


def tiny(**changes):
    return make_study("top-point", "smoke", **{**SMALL, **changes})


def judged(study, part=(0,), progress=lambda work: None):
    return study.judged(part, untrained(study), Reference.of(EVENTS), progress)


def test_a_part_has_the_layout_and_reports_its_work():
    done, study = [], tiny()
    assert study.misfit(judged(study, progress=done.append)) is None
    assert sum(done) == study.work([(0,)]) == JUDGED * len(EVENTS)


def test_what_is_judged_is_what_the_model_generates():
    study, reference = tiny(alpha=3.0, gamma=0.2), Reference.of(EVENTS)
    made = untrained(study).generate(len(EVENTS), study.stream(1, 0), study.buffer(), BATCH)
    merit, found = reference.judge(made), judged(study)
    assert found["delta"].tolist() == [*merit.delta[:2]]
    assert found["delta_of"].tolist() == [[*e[:2]] for e in merit.delta_of.values()]
    assert found["dropped"] == merit.dropped


def test_events_that_are_not_finite_have_no_figures():
    class Far:
        def generate(self, n, seed, prior, batch):
            return iter([EVENTS, np.full_like(EVENTS, np.inf)])

    study = tiny()
    found = study.judged((0,), Far(), Reference.of(EVENTS), lambda work: None)
    assert np.isnan(found["delta"]).all()
    assert study.misfit(found) is None


def test_points_of_a_plane_draw_the_same_encodings_and_noise():
    """So that codes differ by alpha and gamma alone: here by the ratio of deviations."""
    one, other = tiny(alpha=1.0, gamma=0.0), tiny(alpha=4.0, gamma=0.0, threshold=100.0)
    model = untrained(one)
    draws = [
        np.concatenate([z.numpy() for z in m.codes(50, s.stream(1, 0), s.buffer())])
        for s, m in ((one, model), (other, model))
    ]
    none = replace(one.buffer(), alpha=0.0, threshold=100.0)
    (means,) = (z.numpy() for z in model.codes(50, one.stream(1, 0), none))
    np.testing.assert_allclose(draws[1] - means, 2 * (draws[0] - means), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("preset", ["smoke", "laptop", "paper"])
def test_the_training_is_the_scans(preset):
    """Of whatever way codes are drawn: a sweep over the plane trains nothing."""
    study, events = make_study("top-point", preset), make_study("top-events", preset)
    assert study.made_of() == events.made_of()
    other = replace(study, gamma=0.3, alpha=2.0, offset="deviation", draw="in turn")
    assert other.made_of() == study.made_of()
    assert other.key() != study.key()


def test_trainings_are_averaged(tmp_path):
    result = Result(tiny(trainings=3), "smoke", tmp_path)
    values = [0.02, 0.03, 0.04]
    for k, value in enumerate(values):
        arrays = {
            "delta": np.array([value, 1e-4]),
            "delta_of": np.array([[10 * value, 0.1], [20 * value, 0.1]]),
            "dropped": np.array(value),
        }
        keep(result, (k,), arrays)
    point = Point.of(result)
    assert point.delta == over_trainings([Estimate(v, 1e-4) for v in values])
    assert point.delta_of("phi").value == pytest.approx(20 * np.mean(values))
    assert point.delta_of("eta").value == pytest.approx(10 * np.mean(values))
    assert point.dropped == pytest.approx(0.03)


def test_whose_growth_is_nearest_to_the_papers_is_said():
    """In the logarithm: of 0.5 and 4 the paper's 1.2 is nearer to 0.5 than to 4."""

    def ways(on_sigma, on_the_variance):
        of = {"on σ": Estimate(0.06, 0.01), "on the variance": Estimate(0.3, 0.01)}
        usual = dict(zip(of, (0.5, 4.0), strict=True))
        kept = dict(zip(of, (on_sigma, on_the_variance), strict=True))
        return {
            way: {name: (Estimate(deltas[name], 0.1), of[name]) for name in of}
            for way, deltas in zip(WAYS, (kept, usual, usual), strict=True)
        }

    every = speaks_for(ways(0.5, 4.0), (1.2, 0.058))
    assert every.startswith(
        "δ_OF speaks for γ on σ. δ does so, too, where an absent second lepton is"
    )
    assert "kept or set to zero or left out" in every and ";" not in every
    assert every.endswith("does it grow with γ on σ, as the paper's does")
    turned = speaks_for(ways(0.7, 1.4), (1.2, 0.058))
    assert "set to zero or left out; where it is kept, δ speaks for γ on the variance" in turned
    assert "In none" not in speaks_for(ways(1.1, 1.4), (1.2, 0.058))


def test_what_the_papers_growth_speaks_for():
    """What the page says of the stored readings: only as kept, where delta is mostly the absent
    lepton, it speaks for gamma on the variance."""
    readings = ReadEvents.of(stored("top-readings", "paper"))
    said = speaks_for(growths(readings), (0.0090 / 0.0075, 1.01 / 17.48))
    assert "too, where an absent second lepton is set to zero or left out; where it is kept" in said
    none = BufferConfig()
    assert readings.delta(none, "delta_without").value < 0.2 * readings.delta(none).value


def test_without_the_second_lepton_an_offset_is_the_papers_trade_off():
    """And with it none: what the page says first."""
    events = ChosenEvents.of(stored("top-events", "paper"))
    bare, moved = events.prior(1, 0), events.prior(1, 0.01)
    without = events.delta_without(moved).value / events.delta_without(bare).value
    assert 1.05 < without < 1.2
    assert events.delta(moved).value < 0.8 * events.delta(bare).value
    assert events.delta_of(moved, "eta").value < 1.5 < 14 < events.delta_of(bare, "eta").value


@pytest.fixture(scope="module")
def original():
    return make_study("top-point", "smoke").fingerprint()


@pytest.mark.parametrize(
    "change",
    [{"gamma": 0.3}, {"alpha": 9.0, "threshold": 100.0}, {"offset": "deviation"}],
    ids=str,
)
def test_a_parameter_enters_the_fingerprint(change, original):
    assert np.isfinite(original).all()
    changed = make_study("top-point", "smoke", **change).fingerprint()
    assert not same_fingerprint(changed, original)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"gamma": -0.1}, "gamma = -0.1: must be a number from 0"),
        ({"batch_size": 500}, "batch_size = 500: must not exceed training_events = 24"),
        ({"events": 10}, "events = 10: must be an integer from 24"),
    ],
)
def test_impossible_points_are_one_line(change, text):
    with pytest.raises(ParameterError, match=text):
        make_study("top-point", "smoke", **change)
