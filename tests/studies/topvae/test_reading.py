"""What is read off stored events of the chosen B-VAE: by hand, and on made-up results."""

import numpy as np
import pytest
from chosen_events import (
    EVENTS,
    events_result,
    readings_result,
    tiny,
    truth_result,
    zeros,
)

from amplib.estimate import AtLeast, Estimate, NothingToJudge
from amplib.studies.topvae.reading import (
    BAND,
    EDGE,
    ChosenEvents,
    Marginal,
    ReadEvents,
    Truth,
    granularity,
    over_trainings,
)
from amplib.truth.collisions.observables import OBSERVABLES, observables, released

pytestmark = pytest.mark.usefixtures("made_up")


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    return Truth.of(truth_result(tmp_path_factory.mktemp("truth")))


# ---- one observable ----


def test_the_truth_is_in_the_bins_that_its_edges_say(truth, tmp_path):
    events = ChosenEvents.of(events_result(tmp_path, {}))
    values = observables(EVENTS)
    for name in ("E_j1", "eta_j2", "phi_l1", "M_2j", "dR_jj"):
        marginal = events.marginal(name, truth)
        column = values[:, OBSERVABLES.index(name)]
        inside = (column > marginal.edges[0]) & (column < marginal.edges[-1])
        by_hand = np.histogram(column[inside], marginal.edges)[0]
        assert np.abs(by_hand - marginal.truth)[1:-1].sum() <= 2  # single precision at an edge
        assert marginal.truth.sum() == len(EVENTS)


def test_edges_are_logarithmic_where_the_lowest_is_positive():
    bins = released()
    edges = bins.edges(OBSERVABLES.index("pT_j1"), 100)
    assert (edges[0], edges[-1]) == pytest.approx((2e4, 7e6))
    np.testing.assert_allclose(edges[1:] / edges[:-1], edges[1] / edges[0])
    np.testing.assert_allclose(np.diff(bins.edges(OBSERVABLES.index("phi_j1"), 100)), np.pi / 50)


def test_tail_by_hand():
    """Of 10,000 true events 9 lie in the last two bins, and 30 in the last three."""
    true = np.array([5000, 4970, 21, 5, 4])
    shown = Marginal(np.arange(6.0), true, np.array([4000, 5000, 982, 12, 6]))
    tail = shown.tail()
    assert tail.value == 2
    assert tail.error == pytest.approx(2 * np.sqrt(1 / 18 + 1 / 9))
    none = Marginal(np.arange(6.0), true, np.array([10000, 0, 0, 0, 0])).tail()
    assert (none.value, none.error) == (0, pytest.approx(1 / 9))


def test_distance_of_one_histogram_and_its_floor():
    shown = Marginal(np.arange(3.0), np.array([50, 50]), np.array([100, 0]))
    assert shown.distance == pytest.approx(0.25 / 1.5 + 0.5)
    assert shown.ideal == pytest.approx(0.01)  # two filled bins less one, of 100


def test_what_lies_below_the_truth_is_counted_whole():
    shown = Marginal(np.arange(5.0), np.array([0, 0, 60, 40]), np.array([5, 15, 48, 32]))
    assert shown.below == shown.misplaced == pytest.approx(0.2)
    rest = 0.6 * (0.2**2 / 1.8) + 0.4 * (0.2**2 / 1.8)
    assert shown.distance == pytest.approx(shown.below + rest)


# ---- azimuths ----


def test_granularity_recovers_an_amplitude():
    """Of 200,000 azimuths with 5%: 5 standard errors; and of none, where it is about 0.4%."""
    rng = np.random.default_rng(1)
    phi = rng.uniform(-np.pi, np.pi, 400_000)
    kept = phi[rng.uniform(0, 1.05, len(phi)) < 1 + 0.05 * np.cos(36 * phi + 1)]
    found = granularity(np.histogram(kept, 1000, (-np.pi, np.pi))[0])
    assert found.value == pytest.approx(0.05, abs=5 * found.error)
    assert found.error == pytest.approx(np.sqrt(2 / len(kept)))
    assert granularity(np.histogram(phi, 1000, (-np.pi, np.pi))[0]).value < 0.02


def test_what_lies_at_the_edge_and_at_the_corners(truth, tmp_path):
    """A map with one event in every bin, and a truth with twice as many."""
    study = tiny()
    maps = zeros(study)["azimuths"] + 1
    twice = Truth(truth.reference, truth.marginals, 2 * maps[0].astype(int), truth.empty_held_out)
    events = ChosenEvents.of(events_result(tmp_path, {"azimuths": maps.astype(np.uint16)}))
    edge, band = events.beside_pi(twice, EDGE), events.beside_pi(twice, BAND)
    assert edge.value == band.value == events.at_the_corners(twice).value == 0.5
    assert edge.error == pytest.approx(0.5 * np.sqrt(1.5 / (2 * 8 * 1000)))  # 8 bins to 0.05
    assert band.error == pytest.approx(0.5 * np.sqrt(1.5 / (2 * 16 * 1000)))
    maps[1, 500, 20] += 100  # (0, -pi + 0.13)
    maps[1, 0, 0] += 100  # (-pi, -pi) is none of the corners, nor in the band
    moved = ChosenEvents.of(events_result(tmp_path / "moved", {"azimuths": maps.astype(np.uint16)}))
    more = moved.at_the_corners(twice).value - 0.5
    assert more == pytest.approx(100 / (2 * 2 * 64 * 32))
    assert moved.beside_pi(twice, BAND).value == 0.5
    assert moved.beside_pi(twice, EDGE).value == pytest.approx(0.5 + 100 / (2 * 16000))


# ---- trainings ----


def with_merit(delta, of):
    """A part whose every row has these figures of merit, with an error of 1%."""
    rows = len(tiny().priors())
    return {
        "delta": np.tile([delta, 0.01 * delta], (rows, 1)),
        "delta_of": np.tile([of, 0.01 * of], (rows, 2, 1)),
    }


def test_one_training_has_the_error_of_its_events(tmp_path):
    events = ChosenEvents.of(events_result(tmp_path, with_merit(0.01, 2)))
    assert events.delta(events.own) == Estimate(0.01, 0.0001)


def test_several_have_that_of_their_mean(tmp_path):
    parts = [with_merit(delta, 2 * delta) for delta in (1.0, 2.0, 3.0)]
    events = ChosenEvents.of(events_result(tmp_path, *parts))
    found = events.delta(None)
    assert (found.value, found.error) == (2, pytest.approx(1 / np.sqrt(3)))
    assert found.repetitions == 3
    assert found.interval().low > 0


def test_rows_are_those_of_their_priors(tmp_path):
    part = with_merit(1.0, 1.0)
    part["delta"][:, 0] = range(len(part["delta"]))
    events = ChosenEvents.of(events_result(tmp_path, part))
    assert [events.delta(p).value for p in events.priors] == list(range(8))
    assert events.delta(None).value == 7
    assert events.readings == events.priors[:2]
    assert (events.prior(1, 0).alpha, events.prior(1, 0).gamma) == (1, 0)
    with pytest.raises(ValueError, match="no events with alpha = 2, gamma = 0"):
        events.prior(2, 0)


def test_rates_are_of_all_batches(tmp_path):
    """1000 events in two batches of each of two trainings."""
    parts = [{"seconds": np.array([[2.0, 1.0], [2.0, 1.0]])}, {"seconds": np.full((2, 2), 2.0)}]
    events = ChosenEvents.of(events_result(tmp_path, *parts))
    assert events.clock_rate.value == 2000 / 8
    assert events.rate.value == 2000 / 6
    assert events.rate.error / events.rate.value == pytest.approx(np.sqrt(1 / 3 / 4) / 1.5)


def test_over_trainings_zeros_are_zero_and_none_is_nothing_to_judge():
    zero, two = Estimate(0.0, 0.0), Estimate(2.0, 0.1)
    assert over_trainings([zero, zero]) == zero
    assert over_trainings([two]) == two
    assert over_trainings([two, two]).repetitions == 2
    with pytest.raises(NothingToJudge, match="no training has what is compared"):
        over_trainings([])


# ---- every reading of the paper ----


def test_readings_have_their_rows(tmp_path):
    deltas = [0.02, 0.03, 0.04, 0.05, 0.0048, 0.004]
    read = ReadEvents.of(readings_result(tmp_path, deltas))
    assert [read.delta(one).value for one in read.parts] == deltas
    assert [one.negative for one in read.parts] == 3 * ["kept"] + 3 * ["zero"]
    assert [one.gamma for one in read.parts] == 2 * [0.05, 0.05, 0.0]
    assert all(isinstance(w, AtLeast) for one in read.parts for w in read.worth(one).values())
    delta, _ = read.growth("deviation", "zero")
    assert delta.value == pytest.approx(0.0048 / 0.004)
    errors = [read.delta(one).error / read.delta(one).value for one in list(read.parts)[-2:]]
    assert delta.error / delta.value == pytest.approx(np.hypot(*errors))


def test_growth_is_of_one_network(tmp_path):
    """Trainings whose delta differs tenfold, but is raised by the offset alike."""
    sizes, rise = (0.01, 0.1), (1.4, 3.0, 1.0)  # of gamma on the variance, on the deviation, none
    deltas = {(reading, k): rise[reading % 3] * sizes[k] for reading in range(6) for k in range(2)}
    study = readings_result(tmp_path, [], trainings=2).study
    listed = [deltas[part] for part in study.parts()]
    read = ReadEvents.of(readings_result(tmp_path, listed, trainings=2))
    delta, _ = read.growth("variance", "zero")
    assert delta.value == pytest.approx(1.4)
    assert delta.error == pytest.approx(0, abs=1e-9)
    assert delta.repetitions == 2


def test_the_nearest_reading_has_the_studys_gamma(tmp_path):
    """0.009 without an offset would be nearest; of what has it, 0.0048 of what is inside is."""
    read = ReadEvents.of(readings_result(tmp_path, [0.02, 0.03, 0.009, 0.05, 0.0048, 0.06]))
    reading, rule, found = read.nearest(0.009)
    assert (reading.offset, reading.negative, rule) == ("deviation", "zero", "delta_inside")
    assert found.value == 0.0096


def test_readings_that_are_missing_are_left_out(tmp_path):
    read = ReadEvents.of(readings_result(tmp_path, [0.02, 0.03]))
    assert [one.offset for one in read.parts] == ["variance", "deviation"]
