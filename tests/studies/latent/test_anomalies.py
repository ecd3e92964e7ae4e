"""Reconstruction losses as a score: by hand, on what is and is not of the training's kind."""

import numpy as np
import pytest

from amplib.metrics.two_sample import auc
from amplib.parameters import ParameterError
from amplib.studies.bvae.small import made_up_top_pairs
from amplib.studies.catalogue import make_study
from amplib.studies.latent.anomalies import counted, roc, scored
from amplib.studies.latent.charts import FALSE_ALARMS, LOSS_BINS, SCORES
from amplib.studies.latent.figures import anomaly_curves
from amplib.studies.latent.reading import Anomalies
from amplib.studies.latent.study import PROCESSES
from amplib.truth.collisions import other_processes
from amplib.truth.collisions.columns import TTBAR, columns


@pytest.fixture(scope="module")
def study():
    return make_study("latent-anomalies", "smoke").small()


@pytest.fixture(scope="module")
def toy(study):
    return study.toy_model()


def changed(events, factor):
    others = events.copy()
    others[:, columns(TTBAR, "E_j1", "pT_j1", "MET")] *= factor
    return others


def test_what_is_kept_has_the_layout(study, toy):
    model, top_pairs = toy
    others = made_up_top_pairs(study.others, np.random.default_rng(1))
    arrays = scored(model, top_pairs, others, np.random.default_rng(2))
    assert study.misfit(arrays) is None
    assert arrays["histograms"].sum(2).tolist() == 2 * [[len(top_pairs), study.others]]


def test_the_score_is_the_loss_that_is_trained(toy):
    model, top_pairs = toy
    others = changed(top_pairs, 3.0)
    arrays = scored(model, top_pairs, others, np.random.default_rng(2))
    scale = model.scale.numpy()
    losses = [(((model.reconstruct(x) - x) / scale) ** 2).mean(1) for x in (top_pairs, others)]
    assert arrays["auc"][0].tolist() == list(auc(losses[1], losses[0])[:2])
    np.testing.assert_allclose(arrays["columns"].mean(1), [x.mean() for x in losses])


def test_what_is_far_off_is_found_and_what_is_alike_is_not(toy):
    """Thirtyfold energies: nearly all are above every top pair; the same events again: one half."""
    model, top_pairs = toy
    far = scored(model, top_pairs, changed(top_pairs, 30.0), np.random.default_rng(2))
    assert far["auc"][0, 0] > 0.9
    alike = scored(model, top_pairs, top_pairs, np.random.default_rng(2))
    np.testing.assert_allclose(alike["auc"][:, 0], 0.5)


def test_the_curve_by_hand():
    """Four usual scores; thresholds at none, some and all of them."""
    usual, anomalous = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.5, 3.5, 9.0, 9.0])
    curve = roc(usual, anomalous)
    assert curve[0] == 0.5 and curve[-1] == 1
    assert (np.diff(curve) >= 0).all() and len(curve) == len(FALSE_ALARMS)
    area = np.trapezoid(roc(np.arange(1e4), np.arange(1e4) + 0.5), FALSE_ALARMS)
    assert area == pytest.approx(0.5, abs=0.01)


def test_scores_beyond_the_bins_are_counted_at_their_ends():
    counts = counted(np.array([0.0, 1e9, 1.0]))
    assert counts.sum() == 3 and counts[0] == counts[-1] == 1
    assert len(counts) == len(LOSS_BINS) - 1


def test_too_few_others_are_refused():
    with pytest.raises(ParameterError, match="others = 3: must be an integer from 4"):
        make_study("latent-anomalies", "smoke", others=3)


def test_processes_are_those_that_can_be_generated():
    assert tuple(other_processes.PROCESSES) == PROCESSES


def test_what_is_read_is_what_was_kept(study, toy):
    model, top_pairs = toy
    arrays = scored(model, top_pairs, changed(top_pairs, 30.0), np.random.default_rng(2))
    read = Anomalies.of("far", arrays)
    assert [e.value for e in read.auc.values()] == arrays["auc"][:, 0].tolist()
    assert read.found_at(1.0, SCORES[0]) == 1
    assert read.columns[TTBAR.index("E_j1")] > 10
    np.testing.assert_allclose(read.histograms[SCORES[0]].sum(1), 1)


def test_chance_finds_as_many_as_it_takes(study, toy):
    """On logarithmic axes, too: the line of chance passes through every false alarm."""
    model, top_pairs = toy
    arrays = scored(model, top_pairs, changed(top_pairs, 30.0), np.random.default_rng(2))
    _, right = anomaly_curves({"far": Anomalies.of("far", arrays)}).axes
    (chance,) = [line for line in right.lines if line.get_label() == "chance"]
    np.testing.assert_array_equal(chance.get_xdata(), chance.get_ydata())
    assert len(chance.get_xdata()) == len(FALSE_ALARMS)
