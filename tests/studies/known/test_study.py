"""The known ratios: parts, and what is read of them where it is known."""

import contextlib
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from scipy import stats

from amplib.book.obtain import obtain
from amplib.files import ROOT
from amplib.models import checkpoint as checkpoints
from amplib.parameters import ParameterError
from amplib.progress import Stopped
from amplib.store.results import Result, same_fingerprint
from amplib.studies.catalogue import make_study
from amplib.studies.known.figures import ratio_panels
from amplib.studies.known.measuring import _in_bins, measure
from amplib.studies.known.reading import MANY, Trainings, most_by_chance, read
from amplib.studies.known.study import LOG_RATIO, NAMES, WEIGHTS, KnownRatios
from amplib.studies.known.words import of_bias
from amplib.truth.pairs import PAIRS, kinds


def ignore(work: float) -> None:
    """No progress bar."""


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)


def smoke(**changes) -> KnownRatios:
    study = make_study("known-ratios", "smoke", **changes)
    assert isinstance(study, KnownRatios)
    return study


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """The parts at the preset ``smoke`` and the work that was reported."""
    study, work = smoke(), []
    checkpoint = tmp_path_factory.mktemp("state") / "none"
    parts = dict(study.compute(study.parts(), "cpu", checkpoint, work.append))
    return study, parts, work


# ---------------------------------------------------------------- parts


def test_parts_fit_and_report_the_work_announced(computed):
    study, parts, work = computed
    assert list(parts) == [(i, k) for k in range(2) for i in range(4)]
    assert [study.misfit(arrays) for arrays in parts.values()] == [None] * 8
    assert sum(work) == pytest.approx(study.work(list(parts)))
    for (i, _), arrays in parts.items():
        assert arrays["means"].shape[1] == len(kinds(PAIRS[NAMES[i]].dimension))


def test_a_part_is_the_same_alone_and_no_other(computed, tmp_path):
    study, parts, _ = computed
    ((_, alone),) = study.compute([(1, 1)], "cpu", tmp_path / "none", ignore)
    for name, array in parts[1, 1].items():
        np.testing.assert_array_equal(alone[name], array)
    assert not np.array_equal(parts[1, 0]["means"], parts[1, 1]["means"])
    assert not np.array_equal(parts[0, 0]["losses"], parts[3, 0]["losses"])


def test_a_stopped_part_goes_on_to_the_same_arrays(computed, monkeypatch, tmp_path):
    """Stopped in the training of its second part, and then in that of its third."""
    monkeypatch.setattr(checkpoints, "REPORT_SECONDS", 0)
    study, parts, _ = computed
    wanted, path = study.parts()[:3], tmp_path / "s.safetensors"
    done, calls = {}, 0

    def stop(work: float) -> None:
        nonlocal calls
        calls += 1
        if calls % 100 == 0:
            raise Stopped

    for _ in range(20):
        with contextlib.suppress(Stopped):
            done |= dict(study.compute([p for p in wanted if p not in done], "cpu", path, stop))
    assert calls > 200
    for part in wanted:
        for name, array in parts[part].items():
            np.testing.assert_array_equal(done[part][name], array)
    assert not path.exists()


def test_a_repetition_is_done_when_it_is_of_every_pair():
    study = smoke()
    assert study.repetitions_done(study.parts()) == 2
    assert study.repetitions_done(study.parts()[:-1]) == 1
    assert study.repetitions_done([(0, 0), (0, 1)]) == 0
    assert study.priority((3, 0)) == 2 * study.priority((0, 1))


@pytest.mark.parametrize(
    ("name", "index", "value", "line"),
    [
        ("means", (0, 0, 1), -1.0, "means holds an error of -1"),
        ("means", (0, 0, 0), np.inf, "means holds inf"),
        ("weights", (1, 1, 0), 1.1, "weights holds 1.1"),
        ("weights", (0, 0, 0), -0.1, "weights holds -0.1"),
        ("counts", 0, 7, "counts sums to"),
        ("deviations", (2, 5), -1.0, "deviations holds -1"),
        ("losses", (0, 1), np.nan, "losses holds nan"),
    ],
)
def test_what_cannot_be_is_refused(computed, name, index, value, line):
    study, parts, _ = computed
    arrays = {key: array.copy() for key, array in parts[0, 0].items()}
    arrays[name][index] = value
    assert line in study.misfit(arrays)
    arrays["means"] = arrays["means"][:, :2]
    assert study.misfit(arrays) == "means has 2 observables, expected one of [3, 7, 16]"


def test_the_fingerprint_repeats_itself_and_every_parameter_enters_it():
    study = smoke()
    numbers = study.fingerprint()
    assert np.isfinite(numbers).all()
    assert same_fingerprint(numbers, study.fingerprint())
    for change in (
        {"seed": 1}, {"hidden": (64, 63)}, {"hidden_1d": (20, 20)}, {"learning_rate": 2e-3},
        {"batch_size": 20},
    ):  # fmt: skip
        assert not same_fingerprint(replace(study, **change).fingerprint(), numbers), change


@pytest.mark.parametrize(
    ("target", "change"),
    [
        ("amplib.truth.pairs.TAIL", 2.4),
        ("amplib.models.dctr._Scaled.forward", lambda self, x: x),
        ("amplib.studies.known.measuring.LOG_RATIO", LOG_RATIO + 0.05),
    ],
)
def test_changed_code_moves_the_fingerprint(target, change, monkeypatch):
    before = smoke().fingerprint()
    monkeypatch.setattr(target, change)
    assert not same_fingerprint(smoke().fingerprint(), before)


def test_impossible_parameters_are_refused():
    with pytest.raises(ParameterError, match=r"hidden_1d = \[\]: must be a non-empty list"):
        smoke(hidden_1d=[])
    with pytest.raises(ParameterError, match="test_events = 3: must be an integer from 100"):
        smoke(test_events=3)


# ---------------------------------------------------------------- pulls


MANY_TESTS = 100


@pytest.fixture(scope="module")
def untaught() -> Trainings:
    """A hundred tests of a classifier that has hardly learned."""
    study = smoke(events=100, test_events=5000, epochs=1, repetitions=MANY_TESTS)
    each = [measure(study, (0, k), ignore) for k in range(MANY_TESTS)]
    return Trainings(study, PAIRS["1D"], each)


def test_pulls_of_the_exact_ratio_are_normal(untaught):
    """Of each observable the sum of a hundred squares, to 1e-5 on either side: errors too small or
    too large by a factor of 1.7 are found in more than 99%.

    Their mean over tests is zero to 4.5 of its errors.
    """
    pulls = untaught.pulls("exact")
    low, high = stats.chi2.ppf([1e-5, 1 - 1e-5], MANY_TESTS)
    assert stats.chi2.sf(high / 1.7**2, MANY_TESTS) > 0.99
    assert stats.chi2.cdf(low * 1.7**2, MANY_TESTS) > 0.99
    squares = (pulls**2).sum(0)
    assert ((squares > low) & (squares < high)).all()
    assert (abs(pulls.mean(0)) * np.sqrt(MANY_TESTS) < 4.5).all()
    rms = untaught.rms_pull("exact")
    assert abs(rms.value - 1) < 5 * rms.error


def test_weights_that_are_wrong_are_found(untaught):
    """Without weights, and with those of a classifier that has seen a hundred events."""
    for weights in ("none", "learned"):
        assert untaught.rms_pull(weights).value > 5
        assert untaught.met(weights) < 3
    assert untaught.met("exact") == 3
    assert untaught.spread_in_errors("learned").value > 2
    exact = untaught.spread_in_errors("exact")
    assert abs(exact.value - 1) < 4 * exact.error


def made_up(values, errors, less=None) -> Trainings:
    """On the 1D pair, with expectations that are the truth's, plus ``values`` ``(K, F)``; learned
    ones are lower by ``less``, ``(K, F)``."""
    truth = PAIRS["1D"].expected
    cells = len(LOG_RATIO) + 1
    each = []
    for k, value in enumerate(values):
        means = np.stack([truth + value, np.full(3, errors[k])], -1)
        learned = means.copy()
        learned[:, 0] -= 0 if less is None else less[k]
        each.append(
            {
                "means": np.stack([learned, means, means]),
                "weights": np.array([[[1.1, 0.1], [0.8, 0.1]], [[1.0, 0.1], [0.9, 0.1]]]),
                "counts": np.full(cells, 2),
                "deviations": np.ones((3, cells)),
            }
        )
    return Trainings(smoke(events=400), PAIRS["1D"], each)


def test_pulls_by_hand():
    off = np.array([[0.1, 0.2, -0.3], [0.3, 0.2, 0.1], [0.2, -0.4, 0.2]])
    trainings = made_up(off, [0.1, 0.2, 0.1])
    pulls = off / np.array([[0.1], [0.2], [0.1]])
    np.testing.assert_allclose(trainings.pulls("learned"), pulls, rtol=1e-9)
    t = stats.ttest_1samp(off, 0).statistic
    np.testing.assert_allclose(trainings.pulls_of_mean("learned"), t, rtol=1e-9, atol=1e-9)
    assert trainings.reach == pytest.approx(stats.t.ppf(0.975, 2))
    assert trainings.met("learned") == (abs(t) < stats.t.ppf(0.975, 2)).sum()
    rms = trainings.rms_pull("learned")
    squares = (pulls**2).mean(1)
    assert rms.value == pytest.approx(np.sqrt(squares.mean()))
    error = squares.std(ddof=1) / np.sqrt(3)
    assert rms.error == pytest.approx(error / (2 * rms.value))
    assert rms.low < rms.value < rms.high


def test_paired_pulls_see_a_bias_that_the_luck_of_tests_hides():
    """Tests with errors of their own of 1, shared by both weights, and learned ones lower by a
    hundredth of the truth: no unpaired mean of five says so, and every pair does."""
    rng = np.random.default_rng(3)
    luck = rng.normal(size=(5, 3))
    off = 0.01 * PAIRS["1D"].expected * (1 + 0.1 * rng.normal(size=(5, 3)))
    trainings = made_up(luck, [1.0] * 5, less=off)
    assert trainings.met("learned") == trainings.met("exact") == 3
    assert trainings.biased().all()
    t = stats.ttest_1samp(-off, 0).statistic
    np.testing.assert_allclose(trainings.paired_pulls(), t, rtol=1e-6)
    scale = np.array(
        [1.0, 1.09, PAIRS["1D"].expected[2]]
    )  # the spread of x, the mean of x², a tail
    np.testing.assert_allclose(trainings.learned_less_exact(), -off / scale, rtol=1e-9)
    least = 2 * stats.t.sf(abs(t).max(), 4)
    assert most_by_chance({"1D": trainings}) == pytest.approx(3 * least)


def test_the_words_on_a_bias_follow_its_pulls():
    rng = np.random.default_rng(4)
    luck, noise = rng.normal(size=(5, 3)), 0.001 * rng.normal(size=(5, 3))
    truth = PAIRS["1D"].expected
    clear = made_up(luck, [1.0] * 5, less=noise + np.array([0, 0.02 * truth[1], 0]))
    assert clear.biased().tolist() == [False, True, False]
    said = of_bias({"1D": clear})
    assert said.startswith("learned ones are biased on the line (second moments by −1.9%, t = −")
    assert "with 4 degrees of freedom); 1 of 3 pulls is beyond Student's 95%, where 0.2" in said
    none = of_bias({"1D": made_up(luck, [1.0] * 5, less=noise)})
    assert none == (
        "no bias is seen: none of 3 pulls are beyond Student's 95%, where 0.2 would be by chance"
    )
    # Two pulls of 3.5: each in 2.5% of all cases by chance, the larger of three in up to 7.5%.
    few = np.array([-2, -1, 0, 1, 2.0])
    few = few / (few.std(ddof=1) / np.sqrt(5))
    unsure = made_up(luck, [1.0] * 5, less=(1e-3 * np.stack([few, few + 3.5, few + 3.5], 1)))
    assert "learned ones may be biased" in of_bias({"1D": unsure})


def test_a_single_training_has_no_paired_pull():
    alone = made_up(np.zeros((1, 3)), [1.0], less=np.ones((1, 3)))
    assert np.isnan(alone.paired_pulls()).all()
    assert not alone.biased().any()
    assert of_bias({"1D": alone}).startswith("no bias is seen")


def test_of_the_stored_ratios_those_in_two_dimensions_are_biased():
    """As the page says of the preset ``paper``; it says what is found where that changes."""
    pairs = read(obtain("known-ratios", preset="paper"))
    biased = {
        name: sorted({*np.array(kinds(t.pair.dimension))[t.biased()]}) for name, t in pairs.items()
    }
    assert biased == {
        "1D": [], "correlated 2D": ["product", "tail", "x²"], "5D": [], "tails": [],
    }  # fmt: skip
    assert (pairs["correlated 2D"].learned_less_exact().mean(0)[2:] < 0).all()
    assert most_by_chance(pairs) < 0.01


def test_spreads_by_hand():
    off = np.array([[0.1, 0.2, -0.3], [0.3, 0.2, 0.1], [0.2, -0.4, 0.2]])
    trainings = made_up(off, [0.1, 0.1, 0.1])
    variance = off.var(0, ddof=1)
    ratio = trainings.spread_in_errors("learned")
    assert ratio.value == pytest.approx(np.sqrt((variance / 0.01).mean()))
    assert ratio.error == pytest.approx(ratio.value / 2)
    trained = 0.8 * 400  # a fifth validates
    said = (PAIRS["1D"].spread ** 2 + 0.01 * trainings.study.test_events) / trained
    added = (variance - 0.01) / said
    assert trainings.spread_in_samples().value == pytest.approx(np.sqrt(added.mean()))
    assert made_up(0.001 * off, [0.1] * 3).spread_in_samples().value == 0
    assert trainings.mean_weight("learned").value == pytest.approx(1.1)
    assert trainings.left("exact").value == pytest.approx(0.9)


def test_the_spread_of_normal_numbers_has_the_error_that_is_said():
    """Over 2000 of five values each its own spread is 1/sqrt(8) of it to 10%, where sampling alone
    moves it by 1.6%."""
    values = np.random.default_rng(1).normal(size=(2000, 5)).std(1, ddof=1)
    off = np.array([[0.1], [0.3], [0.2], [0.5], [-0.1]]) * np.ones(3)
    said = made_up(off, [0.1] * 5).spread_in_errors("learned")
    assert said.error / said.value == pytest.approx(values.std() / values.mean(), rel=0.1)


# ---------------------------------------------------------------- ln W in bins


def in_bins(learned_of, seeds=(1, 2, 3)) -> Trainings:
    """Trainings whose ln W is ``learned_of(exact, k)`` for normal exact ones."""
    n = 20_000
    each = []
    for k, seed in enumerate(seeds):
        exact = 1.5 * np.random.default_rng(seed).normal(size=n)
        each.append(_in_bins(exact, learned_of(exact, k)))
    return Trainings(smoke(test_events=n // 2), PAIRS["1D"], each)


def test_bins_hold_all_events_and_those_with_few_are_not_shown():
    trainings = in_bins(lambda exact, k: exact)
    assert [a["counts"].sum() for a in trainings.each] == [20_000] * 3
    shown = trainings.calibration()
    assert 0 < len(shown.exact) < len(LOG_RATIO)
    few = np.min([a["counts"] for a in trainings.each], axis=0)
    assert len(shown.exact) == (few >= MANY).sum()
    np.testing.assert_allclose(shown.learned, shown.exact)
    np.testing.assert_allclose(shown.within, 0, atol=1e-9)
    assert trainings.off().value == 0


def test_a_slope_a_shift_and_a_spread_are_seen():
    slope = in_bins(lambda exact, k: 0.5 * exact).calibration()
    np.testing.assert_allclose(slope.learned, 0.5 * slope.exact, atol=1e-9)
    shifted = in_bins(lambda exact, k: exact + 0.1 * (k - 1))
    np.testing.assert_allclose(shifted.calibration().between, 0.1, rtol=1e-9)
    assert shifted.off().value == pytest.approx(0.2 / 3)
    wiggly = in_bins(lambda exact, k: exact + 0.3 * np.sign(np.sin(1e4 * exact)))
    np.testing.assert_allclose(wiggly.calibration().within, 0.3, rtol=0.1)


def test_what_lies_beyond_the_bins_is_counted_at_their_ends():
    arrays = _in_bins(np.array([-9.0, 0.1, 9.0, 8.0]), np.array([-8.0, 0.1, 9.0, 8.0]))
    assert arrays["counts"][[0, -1]].tolist() == [1, 2]
    assert arrays["deviations"][:, 0].tolist() == [-9, 1, 1]


# ---------------------------------------------------------------- what is shipped


def shipped(preset: str) -> list[Trainings]:
    study = make_study("known-ratios", preset)
    return list(read(Result(study, preset, ROOT / "results")).values())


def test_a_million_events_teach_the_ratio_and_forty_thousand_not_quite():
    """Of 29 expectations, many of which are measured on the same events: as the page says it."""
    paper, laptop = shipped("paper"), shipped("laptop")
    assert [len(t.each) for t in (*paper, *laptop)] == [5] * 8

    def met(trainings, weights):
        return sum(t.met(weights) for t in trainings)

    assert met(paper, "learned") >= 27
    assert min(met(paper, "exact"), met(laptop, "exact")) >= 27
    assert met(laptop, "learned") < 20
    for trainings in laptop[1:3]:
        kind = np.array(kinds(trainings.pair.dimension))
        pulls = trainings.pulls_of_mean("learned")[kind != "x"]
        assert (pulls < 0).all()
        assert (pulls < -trainings.reach).mean() > 0.5
    assert met(paper, "none") == 8  # of the marginals in two dimensions, and of x and x² at the end
    for small, large in zip(laptop, paper, strict=True):
        assert large.rms_pull("exact").value < 2 < large.rms_pull("learned").value
        assert large.spread_in_errors("learned").value > 2
        assert large.off().value < small.off().value


# ---------------------------------------------------------------- the figure


def test_the_figure_has_a_point_for_every_pull(computed):
    study, parts, _ = computed
    pairs = {
        name: Trainings(study, PAIRS[name], [parts[i, k] for k in range(2)])
        for i, name in enumerate(NAMES)
    }
    axes = np.array(ratio_panels(pairs).axes).reshape(3, 4)
    for column, trainings in zip(axes.T, pairs.values(), strict=True):
        drawn = [sum(len(line.get_xdata()) for line in ax.lines) for ax in column[1:]]
        observables = len(trainings.pair.expected)
        assert drawn == [2 * 2 * observables, observables]
        for ax in column[1:]:
            low, high = ax.get_ylim()
            assert all(low < y < high for line in ax.lines for y in line.get_ydata())
        assert column[0].get_xlabel()
        assert column[2].get_xlabel()
    plt.close("all")


def test_a_single_training_has_no_spread(computed):
    study, parts, _ = computed
    alone = Trainings(study, PAIRS["1D"], [parts[0, 0]])
    assert np.isnan(alone.pulls_of_mean("learned")).all()
    assert alone.met("learned") == 0
    assert np.isnan(alone.spread_in_samples().error)
    assert np.isnan(alone.spread_in_errors("exact").value)
    assert np.isnan(alone.rms_pull("exact").error)
    ratio_panels({"1D": alone})
    plt.close("all")


def test_weights_have_their_order():
    assert WEIGHTS == ("learned", "exact", "none")
