"""What the page asks of the chosen model: by hand, and what its prose says of leptons."""

import numpy as np
import pytest

from amplib.book.obtain import stored
from amplib.estimate import mean
from amplib.metrics.two_sample import auc
from amplib.models.config import BufferConfig
from amplib.studies.latent.anomalies import losses, weighed
from amplib.studies.latent.asked import SECOND, SecondLepton, Trained, linear_copy
from amplib.studies.latent.charts import INPUTS, SCORES
from amplib.studies.latent.display import objects_of
from amplib.studies.latent.reading import IN_EVERY_EVENT, Chart, paired
from amplib.studies.latent.study import OTHERS, PROCESSES
from amplib.studies.topvae.reading import ChosenEvents, ReadEvents
from amplib.truth.collisions.columns import TTBAR
from amplib.truth.collisions.other_processes import generate

BUFFERS = (1.0, 0.05), (1.0, 0.0)
"""alpha and gamma of those that Table III is set beside."""


@pytest.fixture(scope="module")
def study():
    return stored("latent-anomalies", "best").study


@pytest.fixture(scope="module")
def trained(study):
    return Trained.of(study)


# ---- a linear copy ----


def test_a_copy_of_all_components_leaves_nothing():
    events = np.random.default_rng(1).normal(size=(200, 26))
    copied = linear_copy(events[:100], events[100:], 26, np.ones(26))
    assert list(copied) == list(INPUTS)
    np.testing.assert_allclose(list(copied.values()), 0, atol=1e-20)


@pytest.mark.parametrize("unit", [np.ones(26), np.linspace(0.5, 2, 26)])
def test_a_linear_copy_of_noise_is_what_a_sample_of_it_has(unit):
    """20,000 vectors tell the expectation to a few permille."""
    rng = np.random.default_rng(2)
    training = rng.normal(0.1, np.linspace(0.05, 0.5, 26), (2000, 26))
    noise = rng.uniform(size=(20_000, 26))
    expected = linear_copy(training, training, 20, unit)[INPUTS[0]]
    sampled = linear_copy(training, noise, 20, unit)[INPUTS[1]]
    assert expected == pytest.approx(sampled, rel=0.01)


def test_no_linear_copy_keeps_more_of_noise_than_it_has_numbers(trained):
    chart = Chart({"codes": np.zeros((20, 100))})
    assert chart.lost_of_noise == pytest.approx(6 / 26)
    assert Chart({"codes": np.zeros((30, 100))}).lost_of_noise == 0
    for whitened in (False, True):
        assert trained.linear_copy(whitened)[INPUTS[0]] > 1 - trained.model.latent / len(TTBAR)


# ---- distances ----


def test_errors_of_a_ratio_are_paired_by_target():
    """Distances that are alike but for a factor have a ratio without an error; others have that of
    a jackknife."""
    rng = np.random.default_rng(3)
    far = rng.uniform(1, 5, (100, 1)) * rng.uniform(0.9, 1.1, (100, 26))
    same = paired(0.7 * far, far)
    assert (same.value, same.error) == pytest.approx((0.7, 0), abs=1e-12)
    near = far * rng.uniform(0.4, 0.8, (100, 26))

    def ratio(kept):
        return (near[kept].mean(0) / far[kept].mean(0))[IN_EVERY_EVENT].mean()

    without = [ratio(np.arange(100) != k) for k in range(100)]
    found = paired(near, far)
    assert found.value == pytest.approx(ratio(np.arange(100)))
    assert found.error == pytest.approx(np.std(without) * np.sqrt(99), rel=0.02)
    unpaired = mean((near / far.mean(0))[:, IN_EVERY_EVENT].mean(1))
    assert found.error < unpaired.error / 3


def test_true_events_lie_about_the_points_of_figure_9(trained):
    """An event is at no distance from itself."""
    one = Trained(trained.model, trained.training, trained.held_out[:1])
    np.testing.assert_allclose(one.beside(trained.held_out[:1]), 0)
    assert trained.beside(np.zeros((2, 3, 26))).shape == (6, 26)


# ---- leptons ----


def test_events_with_two_leptons_by_hand():
    events = np.zeros((4, 26))
    events[:2, SECOND] = 20e3
    scores = dict.fromkeys(SCORES, np.array([3.0, 1.0, 2.0, 0.5]))
    found = SecondLepton.of(events, scores, 0.25)
    assert (found.share, found.among) == ((2, 4), (1, 1))
    assert found.auc[SCORES[0]].value == 0.75
    assert SecondLepton.of(events[:2], scores, 0.25) is None


def test_a_rare_second_lepton_is_reconstructed_badly(trained):
    """Top pairs with two leptons are all but told from those with one by their loss."""
    found = trained.second_lepton(0.01)
    assert all(area.value > 0.95 for area in found.auc.values())
    assert found.among.k / found.among.n > 10 * found.share.k / found.share.n


def test_delta_of_the_buffers_is_for_the_most_part_that_of_the_second_lepton():
    """Of those that Table III is set beside; of the fitted priors it is not kept."""
    events = ChosenEvents.of(stored("top-events", "paper"))
    buffers = [p for p in events.priors if p is not None and (p.alpha, p.gamma) in BUFFERS]
    assert len(buffers) == 3
    for buffer in buffers:
        without, own = events.delta_without(buffer), events.delta(buffer)
        assert without.value < own.value / 2, buffer


@pytest.mark.slow
def test_the_loss_finds_a_z_by_its_second_lepton_for_a_good_part(study, trained):
    """The first hundred of the stored events, made again: counting leptons finds as many as the
    loss does at as many false alarms, and the loss less where their number is fixed."""
    process = PROCESSES.index("Z + jets")
    seed = int(study.stream(OTHERS, process).generate_state(1)[0])
    z = generate(100, PROCESSES[process], seed, study.settings())
    scale = trained.model.scale.double().numpy()
    ours = losses(trained.model, trained.held_out)[SCORES[0]]
    theirs, _ = weighed(((trained.model.reconstruct(z) - z) / scale) ** 2, np.ones(26))
    two, z_two = trained.held_out[:, SECOND] > 0, z[:, SECOND] > 0
    assert z_two.mean() > 3 * two.mean()
    assert z_two.mean() >= (theirs > np.quantile(ours, 1 - two.mean())).mean()
    everything = auc(theirs, ours)[0]
    assert auc(theirs[~z_two], ours[~two])[0] < everything - 0.03
    assert auc(theirs[z_two], ours[two])[0] < everything - 0.03


def test_with_both_options_the_command_makes_the_events_nearest_to_the_truth():
    """Of all readings with the paper's gamma, and without fewer true events' worth."""
    read = ReadEvents.of(stored("top-readings", "paper"))
    best = BufferConfig(gamma=0.05, offset="deviation", negative="zero")
    usual = BufferConfig(gamma=0.05)
    deltas = {one: read.delta(one).interval() for one in read.parts}
    assert all(deltas[best][2] < low for one, (_, low, _) in deltas.items() if one != best)
    for bound, known in zip(read.worth(best).values(), read.worth(usual).values(), strict=True):
        assert bound.low > known.interval()[2]


def test_figure_9_has_one_number_of_leptons():
    """The page chooses its words by it."""
    chart = Chart.of(stored("latent-map", "best"))
    assert {objects_of(e) for e in chart.paper_lattice.reshape(-1, 26)} == {(4, 1)}
