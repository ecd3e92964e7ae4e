"""What is read of stored rivals, and how claims are judged by it: on results that are made up."""

import numpy as np
import pytest

from amplib.estimate import AtLeast, Estimate
from amplib.metrics.verdict import MET, MISSED, UNDECIDED
from amplib.metrics.worth import CellContents
from amplib.store.results import Result, provenance
from amplib.studies.catalogue import make_study
from amplib.studies.event_paper import PAPER_EVENTS
from amplib.studies.merit.reading import Smearing
from amplib.studies.rivals.claims import GANS, direct_densities, gans, lsgan_crowding
from amplib.studies.rivals.figures import Panel, loss_panels, merit_plane, worth_chart
from amplib.studies.rivals.reading import (
    PAPER,
    Losses,
    Rival,
    Valued,
    all_losses,
    fits,
    gan_losses,
    largest_bound,
    over_trainings,
    rival_curves,
    rivals,
    scan_crowding,
    vae_losses,
    valued,
)


def made_up(name, folder, values, trainings=1, ill=(), events=PAPER_EVENTS, factors=None):
    """A result whose methods have these (delta, delta_OF), to 1% from training to training.

    Args:
        values: by method; one of 1 and 1 is everybody else's.
        ill: parts that have diverged.
        factors: of delta_OF from training to training, in place of that 1%.
    """
    study = make_study(name, "laptop", trainings=trainings, events=events)
    result = Result(study, "laptop", folder)
    for i, k in study.parts():
        delta, crowding = values.get(study.methods[i], (1.0, 1.0))
        jitter = 1 + 0.01 * k
        arrays = {
            "delta": np.array([delta * jitter, 0.001 * delta]),
            "delta_of": np.array([[crowding * (factors or {k: jitter})[k], 0.01 * crowding]] * 2),
            "dropped": np.array(0.1),
            "diverged": np.array(-1),
        }
        if (i, k) in ill:
            arrays |= {"delta": np.full(2, np.nan), "delta_of": np.full((2, 2), np.nan)}
            arrays |= {"dropped": np.array(np.nan), "diverged": np.array(3)}
        if name == "event-gans":
            steps = np.arange(1.0, 31)
            rows = [steps, np.sin(steps), np.cos(steps), steps, -steps]
            arrays["losses"] = np.stack(rows, 1).astype(np.float32)
        else:
            arrays["fit"] = np.array([0.1, 1.0])
        result.save((i, k), arrays, provenance(None, "cpu", 1.0, together=1))
    return result


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """A record of a made-up result needs no fingerprint."""
    from amplib.studies.rivals.study import EventRivals

    monkeypatch.setattr(EventRivals, "fingerprint", lambda self: [1.0])


# ---- reading ----


def test_a_single_training_has_the_error_of_its_events(tmp_path):
    found = rivals(made_up("event-gans", tmp_path, {"LSGAN": (0.5, 3.0)}))
    assert list(found) == list(make_study("event-gans", "laptop").methods)
    lsgan = found["LSGAN"]
    assert (lsgan.trainings, lsgan.diverged, lsgan.left) == (1, 0, 1)
    assert (lsgan.delta.value, lsgan.delta.error) == (0.5, 0.0005)
    assert lsgan.delta_of["phi"].value == 3.0
    assert lsgan.delta.interval().high < 0.6
    assert over_trainings(lsgan.delta).interval().high == np.inf


def test_what_has_diverged_is_counted_and_left_out(tmp_path):
    ill = [(1, 1), (4, 0), (4, 1), (4, 2)]
    found = rivals(made_up("event-gans", tmp_path, {}, trainings=3, ill=ill))
    lsgan, wgan = found["LSGAN"], found["WGAN"]
    assert (lsgan.trainings, lsgan.left) == (3, 2)
    assert lsgan.delta.value == pytest.approx((1 + 1.02) / 2)
    assert lsgan.delta.repetitions == 2
    assert [delta for delta, _ in lsgan.each] == pytest.approx([1, 1.02])
    assert len(found["DijetGAN"].each) == 3
    assert wgan.each == []
    assert over_trainings(lsgan.delta) == lsgan.delta
    assert (wgan.left, wgan.delta, wgan.delta_of) == (0, None, {})


def test_losses_and_their_moving_average(tmp_path):
    losses = gan_losses(made_up("event-gans", tmp_path, {}))["WGAN"]
    np.testing.assert_allclose(losses.last["critic"], np.sin(losses.step), rtol=1e-6)
    steps, average = losses.moving_average("generator", 10)
    np.testing.assert_allclose(steps, np.arange(5.5, 26))
    np.testing.assert_allclose(average, -steps)
    assert losses.window(10) == 10
    short, _ = losses.moving_average("critic", 100)
    assert short.tolist() == pytest.approx([15.5])


def test_the_loss_of_the_b_vae_is_that_of_the_chosen_model():
    """Of the shipped scan: training falls, and is the loss that eq. 13 weighs."""
    losses = vae_losses(Result(make_study("scan", "laptop", models="chosen"), "laptop"))
    assert isinstance(losses, Losses)
    assert losses.last["training"][-1] < losses.last["training"][0]
    assert losses.step[0] == 10_000 // 1024
    assert losses.last["training"][-1] == pytest.approx(losses.last["validation"][-1], rel=0.2)


def test_fits_and_crowding(tmp_path):
    densities = made_up("event-densities", tmp_path, {})
    assert fits(densities)["KDE"] == (0.1, 1.0)
    scan = Result(make_study("scan", "laptop"), "laptop")
    assert len(scan_crowding(scan)) == 16 * 6


# ---- figures ----


def test_figures_hold_every_method_and_the_papers(tmp_path):
    result = made_up("event-gans", tmp_path, {m: PAPER[m] for m in GANS})
    panels = loss_panels(gan_losses(result), None)
    titles = [ax.get_title() for ax in panels.axes if ax.axison]
    assert [t.split(", ")[0] for t in titles] == list(make_study("event-gans", "laptop").methods)
    found = rivals(result)
    few = [found["LSGAN"], Rival("WGAN", 0, 0, None, {}, np.nan)]  # which is not trained yet
    every, ideal = [found[m] for m in GANS], (0.001, 0.5)
    panels = [
        Panel("GANs", every, ideal, True),
        Panel("fewer events", every, ideal, False),
        Panel("few", few, ideal, True),
    ]
    plane = merit_plane(panels, 900.0)
    names, papers = [], []
    for ax in plane.axes:
        names.append(
            {text.get_text() for text in ax.get_legend().get_texts()} - {"ideal", "all in one bin"}
        )
        open_ones = [line for line in ax.lines if line.get_markerfacecolor() == "none"]
        papers.append({tuple(line.get_xydata()[0]) for line in open_ones})
    assert names == [{*GANS}, {*GANS}, {"LSGAN", "WGAN"}]
    assert papers == [{PAPER[m] for m in GANS}, set(), {PAPER["LSGAN"], PAPER["WGAN"]}]


# ---- claims ----


def evidence_of(*results):
    by_name = {result.study.name: result for result in results}
    return lambda name, preset=None, **overrides: by_name[name]


@pytest.mark.parametrize(
    ("factor", "trainings", "verdict"), [(1.0, 4, MET), (0.5, 4, MISSED), (1.0, 1, UNDECIDED)]
)
def test_gans_are_about_the_papers(factor, trainings, verdict, tmp_path):
    values = {m: (factor * PAPER[m][0], 1.0) for m in GANS}
    evidence = evidence_of(made_up("event-gans", tmp_path, values, trainings))
    finding = gans(evidence, None)
    assert finding.verdict == verdict
    assert all(m in finding.measured for m in GANS)


def test_a_gan_that_has_diverged_leaves_the_claim_unmeasured(tmp_path):
    evidence = evidence_of(made_up("event-gans", tmp_path, {}, ill=[(2, 0)]))
    with pytest.raises(FileNotFoundError, match="no training of MMD-GAN"):
        gans(evidence, None)


def test_densities_are_about_the_papers(tmp_path):
    """One of the shipped smearings and made-up densities at the paper's values."""
    smeared = Result(make_study("ttbar-smeared", "paper"), "paper")
    for factor, verdict in ((1.0, MET), (3.0, MISSED)):
        values = {m: (factor * d, c) for m, (d, c) in PAPER.items()}
        evidence = evidence_of(made_up("event-densities", tmp_path / str(factor), values), smeared)
        assert direct_densities(evidence, None).verdict == verdict


def test_numbers_of_fewer_events_are_not_compared_with_the_papers(tmp_path):
    smeared = Result(make_study("ttbar-smeared", "paper"), "paper")
    values = {m: (3 * d, c) for m, (d, c) in PAPER.items()}
    few = made_up("event-densities", tmp_path, values, events=20_000)
    found = direct_densities(evidence_of(few, smeared), None)
    assert (found.verdict, found.why[-12:]) == (UNDECIDED, "not compared")


@pytest.mark.parametrize(
    ("lsgan", "trainings", "verdict"),
    [
        ((1.9, 0.5), 4, MET),
        ((0.5, 0.5), 4, MISSED),
        ((1.9, 4.0), 4, MISSED),
        ((1.9, 0.5), 1, UNDECIDED),
    ],
)
def test_the_lsgan_fills_the_plane_best_but_is_far(lsgan, trainings, verdict, tmp_path):
    """Densities have delta = 1 and delta_OF = 1, the scan's models 3.4 and more."""
    scan = Result(make_study("scan", "laptop"), "laptop")
    trained = made_up("event-gans", tmp_path, {"LSGAN": lsgan}, trainings)
    densities = made_up("event-densities", tmp_path, {}, trainings)
    finding = lsgan_crowding(evidence_of(trained, densities, scan), 3.03)
    assert finding.verdict == verdict


def test_trainings_that_differ_tenfold_are_judged_in_the_logarithm(tmp_path):
    """4, 80 and 80 beside 1: more by the mean and its error, but not by their logarithms; of four,
    all of about 80, there is no doubt."""
    scan = Result(make_study("scan", "laptop"), "laptop")
    densities = made_up("event-densities", tmp_path / "densities", {})
    for crowding, verdict in (((4, 80, 80), UNDECIDED), ((79, 80, 81, 80), MISSED)):
        folder, n = tmp_path / str(len(crowding)), len(crowding)
        trained = made_up("event-gans", folder, {"LSGAN": (1.9, 1.0)}, n, factors=crowding)
        found = lsgan_crowding(evidence_of(trained, densities, scan), 3.03)
        assert found.verdict == verdict
        assert found.trainings == f"{n} trainings of LSGAN"
        said = "by the earlier rule, the mean over trainings, missed" in found.why
        assert said == (verdict == UNDECIDED)


def test_a_finding_says_how_often_each_gan_was_trained(tmp_path):
    values = {m: PAPER[m] for m in GANS}
    ill = [(2, 1), (2, 2)]
    trained = made_up("event-gans", tmp_path, values, trainings=3, ill=ill)
    found = gans(evidence_of(trained), None)
    said = "3 trainings of DijetGAN, LSGAN, WGAN-GP and WGAN, 1 of MMD-GAN"
    assert (found.verdict, found.trainings) == (UNDECIDED, said)


@pytest.mark.parametrize(
    ("densities", "smeared", "alone"),
    [(1.0, 1.0, "met"), (3.0, 1.0, "missed"), (1.0, 3.0, "met")],
)
def test_smearings_are_no_evidence_of_their_own(densities, smeared, alone, tmp_path, monkeypatch):
    from amplib.studies.rivals import claims

    monkeypatch.setattr(claims, "smearings", lambda result: [
        Smearing(width, Estimate(smeared * PAPER[f"{width:.0%} smearing"][0], 1e-5), {}, 0.0)
        for width in (0.05, 0.1)
    ])  # fmt: skip
    values = {m: (densities * d, c) for m, (d, c) in PAPER.items()}
    made = made_up("event-densities", tmp_path, values)
    given = Result(make_study("ttbar-smeared", "paper"), "paper")
    found = direct_densities(evidence_of(made, given), None)
    assert found.verdict == (MET if densities == smeared else MISSED)
    assert found.why.endswith(f"by the KDE and the mixtures alone {alone}")


# ---- what events are worth ----


def test_worth_is_read_where_cells_were_counted(tmp_path):
    study = make_study("event-densities", "laptop", held_out_events=10_000)
    result = Result(study, "laptop", tmp_path)
    uneven = np.full(50, 400)
    uneven[:25] += 400
    for i, k in study.parts()[:2]:
        arrays = {
            "delta": np.array([1.0, 0.001]),
            "delta_of": np.ones((2, 2)),
            "dropped": np.array(0.1),
            "diverged": np.array(-1),
            "fit": np.array([0.1, 1.0]),
            "cells_10": np.full(10, 2000),
            "cells_50": (20_000 * uneven / uneven.sum()).round().astype(np.int64),
            "cut_from": np.array([9999, 9999]),
        }
        arrays["cells_50"][0] += 20_000 - arrays["cells_50"].sum()
        result.save((i, k), arrays, provenance(None, "cpu", 1.0, together=1))
    kernels, mixture = valued(result)
    assert (kernels.method, mixture.method) == study.methods[:2]
    assert (kernels.training_events, kernels.held_out) == (10_000, 10_000)
    # pi_j = 1/50 (1 +- 1/3): 1/N = (1/3)^2 / 49
    (worth,) = kernels.worth
    low, high = worth[50].interval()[1:]
    assert low < 49 * 9 < high
    assert isinstance(worth[10], AtLeast)
    assert worth[10].low == pytest.approx(largest_bound(10, 20_000, 9999))  # all cells are even
    figure = worth_chart([kernels, mixture], 50)
    assert len(figure.axes[0].get_yticks()) == 2
    assert worth_chart([kernels], 10).axes[0].texts  # an arrow


def test_curves_are_of_the_first_training_that_has_not_diverged(tmp_path):
    """Where they are kept."""
    result = made_up("event-gans", tmp_path, {}, trainings=2, ill=[(1, 0), (4, 0), (4, 1)])
    assert rival_curves(result) == {}
    assert rival_curves(Result(make_study("event-gans", "smoke"), "smoke", tmp_path)) == {}
    study = make_study("event-gans", "smoke", trainings=2, empty_curves="on")
    keeping = Result(study, "smoke", tmp_path)
    for (i, k), arrays in result.load().items():
        arrays["empty"] = np.full((2, 201), 0.1 * i + 0.01 * k)
        arrays["empty"][1] += 0.001
        keeping.save((i, k), arrays, provenance(None, "cpu", 1.0, together=1))
    curves = rival_curves(keeping)
    assert list(curves) == [m for i, m in enumerate(study.methods) if i != 4]
    assert {name: curve[0] for name, curve in curves["LSGAN"].items()} == {
        "eta": pytest.approx(0.11),
        "phi": pytest.approx(0.111),
    }
    assert curves["DijetGAN"]["eta"][0] == 0


def test_nothing_is_said_where_no_cells_were_cut(tmp_path):
    assert valued(made_up("event-densities", tmp_path, {})) == []
    assert valued(Result(make_study("event-splines", "laptop"), "laptop", tmp_path)) == []


@pytest.mark.parametrize(
    ("worth", "verdict"),
    [
        (Estimate(50, 5, 40, 70), "less"),
        (Estimate(90, 5, 80, 110), "undecided"),
        (Estimate(200, 5, 150, 300), "more"),
        (AtLeast(90), "undecided"),
        (AtLeast(110), "more"),
    ],
)
def test_worth_is_set_against_the_training_by_its_interval(worth, verdict):
    assert Valued("a", 100, 1000, [{50: worth}]).against_its_training(50) == verdict
    assert Valued("a", 100, 1000, 3 * [{50: worth}]).against_its_training(50) == verdict


def test_trainings_that_disagree_decide_nothing():
    less, more = {50: Estimate(50, 5, 40, 70)}, {50: AtLeast(110)}
    assert Valued("a", 100, 1000, [less, more, less]).against_its_training(50) == "undecided"


def test_no_bound_is_above_what_held_out_events_allow():
    """Perfect events, 200 times: their bounds are below the largest, which has some use."""
    rng = np.random.default_rng(5)
    drawn = rng.multinomial(20_000, np.full(50, 1 / 50), 200).astype(float)
    bounds = [CellContents(counts, counts, 5_000).n_equiv() for counts in drawn]
    lows = [b.low if isinstance(b, AtLeast) else b.interval().low for b in bounds]
    most = largest_bound(50, 20_000, 5_000)
    assert max(lows) < most < 5 * np.median(lows)


def test_a_training_whose_losses_stay_zero_has_halted():
    steps = np.arange(100.0, 600.0, 100.0)

    def losses(*critic):
        both = {"critic": np.array(critic), "generator": -np.array(critic)}
        return Losses(steps, both, both)

    assert losses(0.5, 0.1, 0.0, 0.0, 0.0).halted == 200
    assert losses(0.5, 0.0, 0.2, 0.0, 1e-9).halted is None
    assert losses(0.5, 0.1, 0.2, 0.3, 0.4).halted is None


def test_trainings_of_a_method_are_all_read(tmp_path):
    found = all_losses(made_up("event-gans", tmp_path, {}, trainings=2))
    assert {name: sorted(each) for name, each in found.items()} == {
        method: [0, 1] for method in make_study("event-gans", "laptop").methods
    }
