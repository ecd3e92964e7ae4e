"""Events of the chosen B-VAE: what is kept of them, and which training they are of."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from chosen_events import EVENTS, TINY, TRAINING, kept, tiny, untrained, zeros

from amplib.metrics.crowding import FilledBins
from amplib.metrics.delta import delta
from amplib.parameters import ParameterError
from amplib.store.results import same_fingerprint
from amplib.studies.bvae.small import made_up_top_pairs
from amplib.studies.bvae.study import CHOSEN, SETTINGS
from amplib.studies.catalogue import make_study
from amplib.studies.merit.judge import DIRECTIONS, Reference
from amplib.studies.merit.unseen import Unseen
from amplib.studies.topvae.study import BATCH, JUDGED, Counted, azimuths
from amplib.truth.collisions.columns import TTBAR
from amplib.truth.collisions.observables import OBSERVABLES, leading_directions

PAIRS = list(combinations(OBSERVABLES, 2))


@pytest.fixture(scope="module")
def part():
    done = []
    return kept(tiny(), progress=done.append), sum(done)


# ---- what is kept ----


def test_a_part_has_the_layout_and_reports_its_work(part):
    arrays, done = part
    study = tiny()
    assert study.misfit(arrays) is None
    assert done == study.work([(0,)]) == 1000 + JUDGED * 8 * 600


def test_parts_have_events_of_their_own(part):
    other = kept(tiny(), (1,))
    assert not np.array_equal(other["azimuths"][1], part[0]["azimuths"][1])
    assert not np.array_equal(other["azimuths"][2], part[0]["azimuths"][2])


def test_what_is_judged_is_what_the_model_generates(part):
    """The first row, against all events at once; errors differ by how events fall into blocks."""
    study, reference = tiny(), Reference.of(EVENTS)
    seed = study.stream(1, 0, 0)
    made = np.concatenate(list(untrained(study).generate(600, seed, study.priors()[0], BATCH)))
    merit = reference.judge(made)
    assert part[0]["delta"][0, 0] == merit.delta.value
    assert part[0]["delta_of"][0, :, 0].tolist() == [e.value for e in merit.delta_of.values()]
    assert part[0]["dropped"][0] == merit.dropped
    assert part[0]["negative"][0] == (made[:, TTBAR.index("E_l2")] < 0).sum()
    kept_pairs = [k for k, pair in enumerate(PAIRS) if not any(n.endswith("_l2") for n in pair)]
    assert len(kept_pairs) == 29 * 28 / 2
    sample = reference.sample()
    sample.add(made)
    one_by_one = [
        delta(sample.pairs.counts[[k]], reference.histograms[[k]], 600) for k in kept_pairs
    ]
    assert part[0]["delta_without"][0, 0] == pytest.approx(np.mean(one_by_one))
    np.testing.assert_array_equal(part[0]["azimuths"][1], azimuths(made))
    curves = []
    for directions, limits in zip(leading_directions(made[:550]), DIRECTIONS.values(), strict=True):
        filled = FilledBins(limits)
        filled.add(*directions.T)
        curves.append(filled.empty())
    np.testing.assert_array_equal(part[0]["empty"][0], curves)


def test_of_a_prior_whose_events_are_not_finite_nothing_is_kept(part):
    """Here of the first and the last; all else is as it is without them."""
    study, whole = tiny(), untrained(tiny())
    none = study.priors()[0], None

    class Far:
        def generate(self, n, seed, prior, batch):
            far = np.inf if prior in none and n == study.events else 1
            return (events * far for events in whole.generate(n, seed, prior, batch))

    arrays = study.kept((0,), Far(), TRAINING, Reference.of(EVENTS), lambda work: None)
    assert study.misfit(arrays) is None
    assert np.flatnonzero(np.isnan(arrays["empty"]).all((1, 2))).tolist() == [0, 7]
    assert arrays["marginals"].sum(2)[:, 0].tolist() == [0, 600]
    for name in ("delta", "azimuth", "negative"):
        np.testing.assert_array_equal(arrays[name][1:7], part[0][name][1:7])


def test_every_event_is_counted_once(part):
    arrays, _ = part
    assert (arrays["marginals"].sum(2) == 600).all()
    inside = np.abs(leading_directions(TRAINING)[1]).max() < np.pi
    assert inside
    assert arrays["azimuths"][0].sum() == len(TRAINING)
    assert 0 < arrays["azimuths"][2].sum() <= 1000
    assert arrays["azimuth"][0].sum() >= arrays["azimuths"][1].sum()
    assert (arrays["outside"].sum(2) <= 600).all()
    assert not arrays["outside"][:, OBSERVABLES.index("dphi_l_MET")].any()


@pytest.mark.parametrize("size", [7, 100, 550, 600])
def test_empty_bins_are_those_of_the_held_out_number(size):
    """550 of 600, however the events come; by hand on one of the grids."""
    counted = Counted(Reference.of(EVENTS), 550)
    for start in range(0, 600, size):
        counted.add(EVENTS[start : start + size])
    eta = leading_directions(EVENTS[:550])[0]
    by_hand = np.histogram2d(*eta.T, 5, [(-2.5, 2.5)] * 2)[0]
    assert counted.sample.empty[0, 1] == (by_hand == 0).mean()
    assert counted.sample.events == 600


def test_seconds_are_of_every_batch(part):
    assert part[0]["seconds"].shape == (1, 2)
    assert (part[0]["seconds"] > 0).all()


# ---- which model, and how codes are drawn ----


@pytest.mark.parametrize("preset", ["smoke", "laptop", "paper"])
def test_the_training_is_the_scans(preset):
    """Of whatever way codes are drawn: a sweep over gamma trains nothing anew."""
    study, scan = make_study("top-events", preset), make_study("scan", preset)
    source = study.made_of()
    assert source.key() == scan.key()
    members = {(m.latent, m.kl_weight) for m in map(source.member, source.parts())}
    assert members == {CHOSEN}
    other = replace(study, gamma=0.3, alpha=2.0, offset="deviation", draw="in turn", long_run=5)
    assert other.made_of() == source
    assert other.key() != study.key()
    assert (study.events, study.training_events) == (scan.events, scan.training_events)


def test_the_papers_numbers_of_events():
    study = make_study("top-events", "paper")
    assert (study.events, study.held_out, study.long_run) == (1_200_000, 1_100_000, 10_000_000)
    assert (study.alpha, study.gamma) == (1, 0.05)


def test_priors_are_both_readings_then_those_of_the_scan_then_none():
    own, other, *others, last = tiny().priors()
    assert (own.alpha, own.gamma, own.offset, last) == (1, 0.05, "variance", None)
    assert other == replace(own, offset="deviation")
    found = [(p.alpha, p.gamma) for p in (own, *others)]
    assert sorted(found) == sorted((s["alpha"], s["gamma"]) for s in SETTINGS)
    further = tiny(gamma=0.3, offset="deviation").priors()
    assert [p and p.offset for p in further] == ["deviation", "variance", *6 * ["deviation"], None]


def test_without_an_offset_there_is_one_reading():
    study = tiny(gamma=0.0)
    assert len(study.readings()) == 1
    assert len(study.priors()) == 7
    assert study.mismatch(zeros(study) | {"seconds": np.zeros((1, 2))}) is None


def test_further_trainings_are_further_parts():
    study = tiny(trainings=3)
    assert study.parts() == [(0,), (1,), (2,)]
    assert study.key() == tiny().key()
    assert study.made_of().trainings == 3


# ---- fingerprint and bad input ----


@pytest.fixture(scope="module")
def original():
    return make_study("top-events", "smoke").fingerprint()


@pytest.mark.parametrize(
    "change",
    [{"gamma": 0.3}, {"alpha": 9.0, "threshold": 100.0}, {"draw": "in turn"}],
    ids=str,
)
def test_a_parameter_enters_the_fingerprint(change, original):
    changed = make_study("top-events", "smoke", **change).fingerprint()
    assert np.isfinite(original).all()
    assert not same_fingerprint(changed, original)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"gamma": -0.1}, "gamma = -0.1: must be a number from 0"),
        ({"alpha": float("nan")}, "alpha = nan: must be a number from 0"),
        ({"batch_size": 500}, "batch_size = 500: must not exceed training_events = 24"),
        ({"long_run": 0}, "long_run = 0: must be an integer from 1"),
        ({"events": 10}, "events = 10: must be an integer from 24"),
    ],
)
def test_impossible_studies_are_one_line(change, text):
    with pytest.raises(ParameterError, match=text):
        make_study("top-events", "smoke", **change)


# ---- all readings of the paper ----


@pytest.fixture(scope="module")
def read():
    """Of a small model: each reading's arrays, and the study."""
    few = {name: value for name, value in TINY.items() if name != "long_run"}
    study = make_study("top-readings", "smoke", **few, held_out_events=200)
    model, reference = untrained(study), Reference.of(EVENTS)
    unseen = Unseen(made_up_top_pairs(200, np.random.default_rng(5)), 200)
    done = []
    parts = {p: study.kept(p, model, reference, unseen, done.append) for p in study.parts()}
    assert sum(done) == study.work(study.parts())
    return study, parts


def test_every_reading_has_the_layout(read):
    study, parts = read
    assert len(parts) == 6
    for arrays in parts.values():
        assert study.misfit(arrays) is None
        assert arrays["cells_10"].sum() == 600


def test_a_reading_whose_events_are_not_finite_has_no_figures(read):
    class Far:
        def generate(self, n, seed, prior, batch):
            return iter([EVENTS[:300], EVENTS[300:] * np.nan])

    study, unseen = read[0], Unseen(made_up_top_pairs(200, np.random.default_rng(5)), 200)
    kept = study.kept((0, 0), Far(), Reference.of(EVENTS), unseen, lambda work: None)
    assert study.misfit(kept) is None
    assert np.isnan(kept["delta_inside"]).all() and not kept["cells_10"].any()
    assert study.misfit(kept | {"dropped": np.array(0.1)}) is not None


def test_what_is_set_to_zero_is_not_negative(read):
    """And is inside of the histograms: less is dropped."""
    study, parts = read
    for (i, _), arrays in parts.items():
        assert (arrays["negative"] == 0) == (study.readings()[i].negative == "zero")
    for i in range(3):
        assert parts[i + 3, 0]["dropped"] < parts[i, 0]["dropped"]


def test_shares_of_what_is_inside(read):
    """By hand: each histogram over its own entries."""
    study, parts = read
    reference, seed = Reference.of(EVENTS), study.stream(1, 0, 0)
    sample = reference.sample()
    for batch in untrained(study).generate(600, seed, study.readings()[0], BATCH):
        sample.add(batch)
    counts = sample.pairs.counts
    own = np.maximum(counts.sum(1, keepdims=True), 1)
    assert parts[0, 0]["delta_inside"][0] == delta(counts, reference.histograms, own)
    assert parts[0, 0]["delta"][0] == delta(sample.pairs.counts, reference.histograms, 600)


def test_readings_train_nothing_anew():
    study = make_study("top-readings", "paper")
    assert study.made_of() == make_study("top-events", "paper").made_of()
    assert replace(study, gamma=0.1, held_out_events=300).made_of() == study.made_of()
    assert study.repetitions_done(study.parts()[:5]) == 0
    assert study.repetitions_done(study.parts()) == 1


def test_too_few_held_out_events_are_refused():
    with pytest.raises(ParameterError, match="held_out_events = 99: must be an integer from 100"):
        make_study("top-readings", "smoke", held_out_events=99)
