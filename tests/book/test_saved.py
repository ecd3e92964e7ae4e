"""What is stored of every generator of the book."""

import numpy as np
import pytest

from amplib.book.obtain import largest, stored
from amplib.book.saved import RIVALS, _top_pairs, absent_leptons, beside_the_buffer
from amplib.metrics.crowding import delta_of
from amplib.studies.merit.judge import DIRECTIONS
from amplib.studies.merit.reading import smearings
from amplib.studies.merit.study import SMEARED_UNSEEN, UNSEEN
from amplib.studies.topvae.reading import Truth
from amplib.studies.weighing.kept import weights_made
from amplib.studies.weighing.reading import ToldAndMeasured


def test_smeared_events_stand_beside_the_buffer_at_the_papers_settings():
    """Their curves have the delta_OF of all events, about; what has seen another number of events,
    or another truth, is left out."""
    simulated = stored("ttbar-reference", "paper")
    found = beside_the_buffer(simulated, 100_000)
    assert [result.study.name for result, _ in found] == ["ttbar-smeared", *RIVALS]
    (smeared, curves), *_ = found
    assert list(curves) == ["5% smearing", "10% smearing"]
    truth = Truth.of(simulated).empty_held_out
    for smearing, of_planes in zip(smearings(smeared), curves.values(), strict=False):
        for name in DIRECTIONS:
            assert np.isclose(
                delta_of(of_planes[name], truth[name]), smearing.delta_of[name].value, rtol=0.1
            )
    assert beside_the_buffer(simulated, 50_000) == []
    assert beside_the_buffer(stored("ttbar-reference", "paper", seed=5), 100_000) == []


@pytest.mark.parametrize("preset", ["paper", "laptop"])
def test_a_classifier_is_answered_as_at_the_door(preset):
    """Whatever is stored of its weights, the page has what ``amplib.reweight`` would print."""
    for name in ("ttbar-smeared", "event-splines"):
        changes = SMEARED_UNSEEN if name == "ttbar-smeared" else UNSEEN
        parts = largest(name, preset, changes).load().values()
        for one in (w for arrays in parts for w in weights_made(arrays)):
            assert str(one).startswith(f"Can weights save it? {ToldAndMeasured.of(one).answer}")


@pytest.fixture(scope="module")
def top_pairs():
    return {one.name: (result, one) for result, one in _top_pairs("paper")}


def test_classifiers_that_miss_the_zeros_of_an_absent_lepton_save_nothing_freely(top_pairs):
    """Flow matching writes none, and its classifiers tell less than that alone would."""
    result, flows = top_pairs["flow matching"]
    absent = absent_leptons(result.study)
    assert 0.9 < absent < 1
    assert flows.known_area == pytest.approx(0.5 + absent / 2)
    assert (flows.answer, flows.by_classifiers) == ("not resolved", "freely")
    # Even the cut on the truth's range, by dropped entries, tells more than its classifiers.
    assert flows.over(lambda told: told.auc).value < 0.5 + result.part((0, 0))["dropped"] / 2
    open_ = {name for name, (_, one) in top_pairs.items() if one.answer == "not resolved"}
    assert {name for name in open_ if "B-VAE" not in name and "GMM" not in name} == {
        "flow matching",
        "WGAN-GP",
    }


def test_the_spline_flow_has_its_zeros(top_pairs):
    result, splines = top_pairs["spline flow"]
    assert splines.known_area == pytest.approx(0.5 + result.part((0, 0))["dropped"] / 2)
    assert splines.answer == "freely"


def test_gans_of_several_trainings_are_not_taken_for_as_many_as_they_have_classifiers(top_pairs):
    _, lsgan = top_pairs["LSGAN"]
    assert lsgan.size == "3 × 3"
    assert lsgan.told.repetitions == 3
    areas = [[told.outlook.auc.value for told in training] for training in lsgan.trainings]
    within = np.mean([np.ptp(one) for one in areas])
    assert np.ptp([np.mean(one) for one in areas]) > 2 * within  # they cluster by training
