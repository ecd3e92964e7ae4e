"""Claims about reweighted showers, judged on made-up repetitions whose answer is known."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from amplib.book.claims import documents
from amplib.book.obtain import largest
from amplib.metrics.outlook import HOPELESS_AUC
from amplib.metrics.verdict import MET, MISSED, UNDECIDED
from amplib.store.results import Result, wherever_stored
from amplib.studies import catalogue
from amplib.studies.catalogue import make_study
from amplib.studies.generators.reading import trained
from amplib.studies.reweighting import reading as r
from amplib.studies.reweighting.study import (
    BINS,
    IN_CELLS,
    LOG_WEIGHTS,
    OBSERVABLES,
    ReweightedGAN,
    at_length,
    with_the_other_epoch,
)
from amplib.truth.showers.config import CORRELATED

MADE_UP = [name for name in documents()["dctrgan"] if name != "gaussians"]
"""All but the one of another study."""


def repetition(shifts: dict[str, float], dilution: tuple[float, float, float], seed: int) -> dict:
    """Arrays of a part: every observable is a parabola over the bins that is lopsided by a shift.

    ``dilution`` is r of all observables with high-level weights, and with low-level ones, then that
    of the active cells with these.
    """
    x = np.linspace(-1, 1, BINS)
    rng = np.random.default_rng(seed)

    def shape(shift: float) -> np.ndarray:
        return rng.poisson(np.full((OBSERVABLES, 1), 1e5) * (1.6 - x**2 + shift * x))

    contents = np.stack([shape(0), shape(0), *(shape(s) for s in shifts.values())])
    c = 11
    rho = np.zeros((5, 2, c, c))
    for k, shift in enumerate((0, 0, *shifts.values())):
        rho[k, 0] = 0.5 + shift
    counts = np.zeros((2, 2, len(LOG_WEIGHTS) + 1), int)
    usual = np.searchsorted(LOG_WEIGHTS, 0.0, side="right")
    counts[:, 1, usual - 12 : usual + 1] = np.arange(10, 23)  # rises to one, then nothing
    r_all = np.ones((3, 2, OBSERVABLES))
    r_all[1, 0], r_all[2, 0], r_all[2, 0, r.ACTIVE] = (d + 0.01 * rng.normal() for d in dilution)
    return {
        "histograms": contents.astype(np.float32),
        "squares": contents[3:].astype(np.float32),
        "correlations": rho,
        "dilution": r_all,
        "weights": counts,
        "outlook": np.tile([[0.8], [2], [2], [0.3], [1], [0]], (2, 1, 2)),
        "clipped": np.zeros((2, 2)),
        "pearson": np.array([0.5 + 0.01 * rng.normal(), 0.01]),
    }  # fmt: skip


def parts(shifts: dict[str, float], dilution: tuple[float, float, float]) -> dict:
    return {(k,): repetition(shifts, dilution, k) for k in range(4)}


def judged(made_up: dict, names: list[str] = MADE_UP) -> dict:
    """Findings of a result at the laptop's preset; of the control it and the paper's."""
    study = make_study("reweighted-simulation", "smoke")

    def evidence(name: str, preset: str = "best") -> SimpleNamespace:
        assert preset in (["best"] if name == "reweighted-bibae" else ["laptop", "paper"])
        scale = "laptop" if preset == "best" else preset
        return SimpleNamespace(study=study, preset=scale, load=lambda: made_up, done=lambda: True)

    rows = documents()["dctrgan"]
    measures = catalogue.claims()
    return {n: measures[f"dctrgan.{n}"](evidence, rows[n].get("value")) for n in names}


def findings(shifts: dict[str, float], dilution: tuple[float, float, float]) -> dict:
    return judged(parts(shifts, dilution))


LIKE_THE_PAPER = {r.GENERATOR: 0.3, r.HIGH: 0.3 / 20**0.5, r.LOW: 0.3 / 5**0.5}
"""<S^2> falls with the square of the shift: by 20 and by 5 where it is 20^-1/2 and 5^-1/2."""


@pytest.fixture(scope="module")
def like_the_paper() -> dict:
    """Weights as it says, of a generator that can be weighed."""
    return findings(LIKE_THE_PAPER, (3.6, 1.5, 1.2))


@pytest.fixture(scope="module")
def spoiled() -> dict:
    """Weights that make all of it worse, at no price."""
    shifts = {r.GENERATOR: 0.1, r.HIGH: 0.3, r.LOW: 0.2}
    return findings(shifts, (0.9, 1.0, 1.0))


def test_every_claim_about_showers_is_measured(like_the_paper):
    assert len(like_the_paper) == 11
    assert all(f.why for f in like_the_paper.values())


@pytest.mark.parametrize(
    "name",
    [
        *("active-cells-s2-high", "active-cells-s2-low", "centroid-s2-high", "summary-r-low"),
        *("summary-r-high", "residual-correlations", "weights-shape", "weights-correlate"),
        *("unseen-moments", "high-beats-low"),
    ],
)
def test_what_is_as_the_paper_says_is_met(like_the_paper, name):
    assert like_the_paper[name].verdict == MET, like_the_paper[name]


def test_a_usual_ratio_that_is_smaller_than_the_paper_s_is_missed(like_the_paper):
    assert like_the_paper["summary-s2-ratio"].verdict == MISSED


@pytest.mark.parametrize("name", [n for n in MADE_UP if not n.startswith("weights")])
def test_weights_that_make_it_worse_miss(spoiled, name):
    assert spoiled[name].verdict == MISSED, spoiled[name]


@pytest.mark.parametrize("hopeless", [3, 4])
def test_where_nothing_is_left_to_weigh_no_claim_is_decided(like_the_paper, hopeless):
    """In every repetition, that is: what the weights do is told all the same."""
    made_up = parts(LIKE_THE_PAPER, (3.6, 1.5, 1.2))
    for arrays in list(made_up.values())[:hopeless]:
        arrays["outlook"][0, 4, 0] = 1e-5  # the mean weight, of the high-level classifier alone
    for name, found in judged(made_up).items():
        before = like_the_paper[name]
        assert found.measured == before.measured
        assert found.verdict == (UNDECIDED if hopeless == 4 else before.verdict), name
        assert found.why.startswith("nothing to weigh: ") == (hopeless == 4)
        assert found.repetitions is None or hopeless == 3


def test_fidelity_is_judged_by_the_layers_alone():
    """Whose energies are nearer with high-level weights, where all else is farther."""
    made_up = parts({r.GENERATOR: 0.3, r.HIGH: 0.2, r.LOW: 0.1}, (3.6, 1.5, 1.2))
    layers = slice(r.FIRST_LAYER, r.FIRST_X)
    for arrays in made_up.values():
        truth = arrays["histograms"][0, layers]
        arrays["histograms"][3, layers] = truth
        arrays["squares"][0, layers] = truth
    found = judged(made_up, ["high-beats-low"])["high-beats-low"]
    assert found.verdict == MET
    assert found.measured.startswith("closer in 100%, 100%, 100% and 100% of the layers in turn")


def test_low_level_r_is_told_of_every_repetition():
    """Some may have learned and others not: their mean is where none of them is."""
    made_up = parts(LIKE_THE_PAPER, (3.6, 1.5, 1.2))
    made_up[0,]["dilution"][2, 0] = 2.7
    found = judged(made_up, ["summary-r-low"])["summary-r-low"]
    assert found.measured.split(", in turn ")[1].startswith("2.70, 1.5")
    assert found.measured.count("1.5") >= 3


def test_the_reason_names_the_auc_and_the_control(like_the_paper):
    why = like_the_paper["centroid-s2-high"].why
    assert why.startswith("the BIB-AE's AUC is 0.8")
    assert "of the fast simulation (best epoch, 60 showers, AUC 0.8" in why
    assert "by the paper's protocol (best epoch" in why


def test_a_gain_of_the_active_cells_stands_above_its_floor_as_well(like_the_paper):
    """Which caps it: the shifts fall by the root of 20 and of 5, and so do they without floors."""
    for name, factor in (("high", 20), ("low", 5)):
        measured = like_the_paper[f"active-cells-s2-{name}"].measured
        above = re.findall(r"[\d.]+", measured.split("above its floor ")[1].split(" in turn")[0])
        assert len(above) == 4
        assert np.array(above, float) == pytest.approx(factor, rel=0.25)


def test_correlations_are_counted_where_they_are_clearly_off():
    """All 55 pairs are off by 0.3, with errors of 0.01: weights that leave 0.1 more than halve it,
    those that leave 0.2 do not, and errors of 0.2 tell nothing."""
    for left, error, expected in ((0.1, 0.01, (55, 55)), (0.2, 0.01, (55, 0)), (0.1, 0.2, (0, 0))):
        arrays = repetition({r.GENERATOR: 0.3, r.HIGH: left, r.LOW: left}, (1, 1, 1), 0)
        arrays["correlations"][:, 1] = error / np.sqrt(2)
        one = r.Repetition(make_study("reweighted-simulation", "smoke"), arrays)
        assert one.halved(r.HIGH) == expected


def test_correlations_without_one_of_their_observables():
    """Pairs with E2 alone are off: without it nothing is."""
    arrays = repetition({r.GENERATOR: 0.0, r.HIGH: 0.0, r.LOW: 0.0}, (1, 1, 1), 0)
    k = CORRELATED.index("E2")
    arrays["correlations"][3, 0, k] += 0.2
    arrays["correlations"][3, 0, :, k] += 0.2
    arrays["correlations"][:, 1] = 0.1 / np.sqrt(2)
    one = r.Repetition(make_study("reweighted-simulation", "smoke"), arrays)
    assert one.residual_rms(r.HIGH) == pytest.approx(0.2 * np.sqrt(10 / 55))
    assert one.residual_rms(r.HIGH, {"E2"}) == 0
    assert one.residual_noise(r.HIGH, {"E2"}) == pytest.approx(0.1)
    assert one.residual_over_noise(r.HIGH) == pytest.approx(2 * np.sqrt(10 / 55))


@pytest.mark.parametrize(("beyond", "verdict"), [(0, MET), (1, UNDECIDED), (4, MISSED)])
def test_weights_beyond_the_axis_have_no_shape(beyond, verdict):
    """Nine in ten of the high-level weights below 1e-5: the end of the axis is no usual weight."""
    made_up = parts({r.GENERATOR: 0.3, r.HIGH: 0.1, r.LOW: 0.1}, (3.6, 1.5, 1.2))
    for arrays in list(made_up.values())[:beyond]:
        arrays["weights"][0, 1, 0] = 9 * arrays["weights"][0, 1].sum()
    found = judged(made_up, ["weights-shape"])["weights-shape"]
    assert found.verdict == verdict
    high, low = found.measured.split(", low-level: ")
    if beyond:
        assert high == f"high-level: most beyond the axis in {beyond} of 4 repetitions"
        assert found.error is None
    else:
        assert high.startswith("high-level: 1")
    assert low.startswith("1, the lower tail")


def test_the_page_is_right_about_the_papers_numbers():
    """Its prose, where numbers could turn it: the high-level classifier has learned its showers by
    heart, and low-level trainings differ by more than their errors; where it costs most of the
    showers it is for the epoch, not for their number."""
    control = r.read(largest("reweighted-simulation"))
    assert control.study.keep == "last"
    for one in control.each:
        loss = one.arrays["high_losses"][:, 1]
        assert loss.argmin() + 1 < len(loss) / 2
        assert loss[-1] > np.log(2)
        assert one.outlook(r.HIGH).mean_weight.value > 1.2
        assert one.outlook(r.HIGH).mean_before_clip > 1.5
        assert one.gain(r.HIGH, r.CENTROID) < 1
    areas = [one.outlook(r.LOW).auc.value for one in control.each]
    assert max(areas) - min(areas) > 0.1
    low, high = (control.factor(lambda x, c=c: x.gain(c, r.ENERGY)).value for c in (r.LOW, r.HIGH))
    assert low < 2 < high
    study = make_study("reweighted-simulation", "laptop")
    best, last = (r.read(Result(s, "laptop")) for s in (study, with_the_other_epoch(study)))
    assert (best.study.keep, last.study.keep) == ("best", "last")
    for one in (last, control):
        assert one.left(r.HIGH).value < best.left(r.HIGH).value / 3
        assert one.auc(r.HIGH).value < best.auc(r.HIGH).value - 0.03


def test_the_page_is_right_about_the_control():
    """Its correlations are right without weights; neither in them nor in second moments is there
    anything to mend, and of two low-level trainings the AUC is next to one half."""
    control = r.read(Result(make_study("reweighted-simulation", "laptop"), "laptop"))
    assert not control.hopeless
    assert not control.tells(r.GROUPS["second moments"])
    for one in control.each:
        for sample in (r.AGAIN, r.GENERATOR):
            assert one.residual_rms(sample) < 1.5 * one.residual_noise(sample)
    moments = [x.helped(r.HIGH, r.GROUPS["second moments"]) for x in control.each]
    assert max(m.closer + m.farther for m in moments) < 2
    # With high-level weights the largest differences of correlations are of pairs with E2.
    noise = [x.residual_over_noise(r.HIGH, {"E2"}) for x in control.each]
    again = [x.residual_over_noise(r.AGAIN, {"E2"}) for x in control.each]
    assert max(x.residual_over_noise(r.HIGH) for x in control.each) > max(noise)
    assert max(noise) < 1.5 * max(again)


def test_weights_at_the_papers_numbers_damage_correlations():
    """In all repetitions by more than in any two samples of the truth, without E2 as well; and of
    none that is off they halve the distance."""
    control = r.read(largest("reweighted-simulation"))
    noise = [x.residual_over_noise(r.HIGH, {"E2"}) for x in control.each]
    again = [x.residual_over_noise(r.AGAIN, {"E2"}) for x in control.each]
    assert min(noise) > 1.5 * max(again)
    places = np.arange(BINS)
    for k in (r.ACTIVE, r.ENERGY):  # which weights move past the truth
        truth, generator, high = (
            control.spectra.shape(s, k) @ places for s in ("truth", r.GENERATOR, r.HIGH)
        )
        assert generator < truth - 0.3 < truth + 0.1 < high
    assert all(x.halved(r.HIGH)[1] == 0 for x in control.each)


def test_the_last_epoch_makes_r_what_the_paper_has():
    """Of the active cells twice and more what the best one needs, with its 3.6 between those from
    fewer showers and from more."""
    study = make_study("reweighted-simulation", "laptop")
    best, last = (r.read(Result(s, "laptop")) for s in (study, with_the_other_epoch(study)))
    papers = r.read(largest("reweighted-simulation"))
    few, more = (one.r(r.HIGH, r.ACTIVE).value for one in (last, papers))
    assert 1.5 * best.r(r.HIGH, r.ACTIVE).value < few < 3.6 < more
    assert 2 < papers.median_r(r.HIGH).value < 5


def test_what_is_right_without_weights_does_not_improve():
    """By more than the noise of the showers: in no repetition do more come nearer than five; with
    weights of the last epoch a fifth and more go farther."""
    study = make_study("reweighted-simulation", "laptop")
    best, last = (r.read(Result(s, "laptop")) for s in (study, with_the_other_epoch(study)))
    papers = r.read(largest("reweighted-simulation"))
    for one in (best, last, papers):
        for x in one.each:
            right = x.at_floor()
            assert x.helped(r.HIGH, right).closer < 5
            if one is not best:
                assert x.helped(r.HIGH, right).farther > right.sum() / 5


def test_the_bibae_cannot_test_the_paper():
    """As the heading over its figures says: a fraction of its size, and showers that do not vary as
    the truth's do."""
    bibae = r.read(Result(make_study("reweighted-bibae", "laptop"), "laptop"))
    assert trained(wherever_stored(bibae.study.made_of())).share < 0.05
    assert all(x.outlook(r.HIGH).mean_before_clip < 1e-3 for x in bibae.each)
    assert bibae.r(r.GENERATOR, r.CENTROID).value < 0.1
    assert not bibae.pairs_of(r.LOW).any()


def test_cells_are_cut_in_inputs_first():
    """Ten of them in inputs alone, fifty in the second moment as well."""
    assert [k < r.INPUTS for k in IN_CELLS] == [True] * 4 + [False, True]
    cells = make_study("reweighted-simulation", "laptop").quantiles
    assert [min((q - 1).bit_length(), len(IN_CELLS)) for q in cells] == [4, 6]


def test_the_page_is_right_about_the_gan_at_length():
    """Its prose, where numbers could turn it: what is better and what is left, what weights then do
    to either beyond the noise of so few showers, and that low-level ones do nothing."""
    short = r.read(Result(make_study("reweighted-gan", "laptop"), "laptop"))
    long = r.read(Result(at_length(ReweightedGAN), "laptop"))
    assert long.worth(50, r.HIGH).value > 2 * long.worth(50, r.GENERATOR).value
    for brief, one in zip(short.each, long.each, strict=True):
        before, generator, high, low = (
            x.separations[s]
            for x, s in ((brief, r.GENERATOR), (one, r.GENERATOR), (one, r.HIGH), (one, r.LOW))
        )
        falls = before.value / generator.value
        assert np.median(falls) > 5 and falls[r.CENTROID] > 50
        assert falls[[r.ACTIVE, r.ENERGY]].max() < 2
        for wrong in (r.ACTIVE, r.ENERGY):
            assert high.excess[wrong] < generator.excess[wrong] / 2
        assert np.median(high.excess) > 3 * np.median(generator.excess) > 0
        assert np.median(high.floor) > np.median(high.value) / 3
        moved = one.helped(r.HIGH, slice(None))
        assert moved.farther > 10 * moved.closer
        assert low.value == pytest.approx(generator.value, rel=0.1, abs=0.001)
        assert one.arrays["low_losses"][-1, 1] == pytest.approx(np.log(2), abs=1e-3)
        assert one.outlook(r.LOW).auc.value > 0.5 + 5 * one.outlook(r.LOW).auc.error
        assert one.outlook(r.HIGH).mean_before_clip > 1.2
        assert one.outlook(r.HIGH).auc.value > HOPELESS_AUC  # by which it would be a no
        assert one.outlook(r.HIGH).answer == "in part"
        assert brief.outlook(r.HIGH).answer == "no"
        assert 2 * one.residual_rms(r.AGAIN) < one.residual_rms(r.GENERATOR)
    for observable, sign in ((r.ACTIVE, -1), (r.ENERGY, 1)):
        more = long.spectra.shape(r.GENERATOR, observable) - long.spectra.shape("truth", observable)
        assert sign * (more * np.arange(BINS)).sum() > 0.5  # bins, in the mean
