"""What weights do to observables, with the exact weights of Gaussians that are a shift apart."""

import numpy as np
import pytest

from amplib.estimate import Estimate
from amplib.metrics.outlook import (
    FREE,
    HOPELESS_MEAN,
    HOPELESS_SHARE,
    TOLERABLE,
    Outlook,
    dilution_from_auc,
    outlook,
)
from amplib.metrics.separation import Separation
from amplib.metrics.weighed import (
    CLEAR,
    SURELY,
    Helped,
    Weighed,
    answer_of,
    dilution_in_cells,
    outlook_of_cells,
    weigh,
    weights_of_cells,
)
from amplib.metrics.weights import dilution, usual_dilution

N = 50_000
SHIFT = 1.2


def shifted(n, seed):
    """Truth and generated events of three columns, and the weights of both: the first column is
    shifted, the second knows nothing of it, the third is constant."""
    rng = np.random.default_rng(seed)
    truth, made = (np.column_stack([rng.normal(0, 1, (n, 2)), np.ones(n)]) for _ in range(2))
    made[:, 0] -= SHIFT

    def ratio(x):
        return np.exp(SHIFT * x[:, 0] + SHIFT**2 / 2)

    return truth, made, ratio(truth), ratio(made)


@pytest.fixture(scope="module")
def weighed():
    return weigh(*shifted(N, 1), np.random.default_rng(2))


def test_what_the_scores_told_is_what_it_costs(weighed):
    """r of the column that knows nothing of the weights is the told one, exp(d^2/2), within five
    errors; false alarm 6e-7 each, and r = 1, no cost, is seven errors away."""
    told, r = weighed.outlook, weighed.dilution.at(1)
    exact = np.exp(SHIFT**2 / 2)
    assert abs(told.dilution.value - exact) < 5 * told.dilution.error + 0.01
    assert abs(r.value - exact) < 5 * r.error
    assert r.value - 1 > 5 * r.error
    by_auc = dilution_from_auc(told.auc)
    assert abs(by_auc.value - exact) < 5 * by_auc.error


def test_weights_move_the_shifted_column_onto_the_truth(weighed):
    """<S^2> falls from hundreds of errors to what noise of weighted events gives."""
    before, after = weighed.without.at(0), weighed.weighted.at(0)
    assert before.value > 50 * before.error
    assert after.value < weighed.weighted.floor[0] + 5 * after.error
    helped = weighed.helped
    assert (helped.closer, helped.farther, helped.of) == (1, 0, 3)
    assert helped.without == pytest.approx(np.median(weighed.without.excess))


def test_a_constant_column_is_in_no_median(weighed):
    assert not np.isfinite(weighed.dilution.value[2]) or weighed.dilution.value[2] == 0
    low, high = sorted(weighed.dilution.value[:2])
    usual = usual_dilution(weighed.dilution.value)
    assert usual.value == pytest.approx((low + high) / 2)
    assert low <= usual.low <= usual.value <= usual.high <= high


@pytest.mark.parametrize("width", [0.0, 1e-15, 5e-4])
def test_what_the_truth_conserves_is_in_no_median(width):
    """Zero there, exactly or but for rounding or its root, of width one where it was generated."""
    rng = np.random.default_rng(1)
    truth, made = rng.normal(0, 1, (2000, 2)), rng.normal(0, 1, (2000, 2))
    truth[:, 0] *= width
    told = weigh(truth, made, np.ones(2000), np.ones(2000), rng)
    assert np.isnan(told.dilution.value[0])
    assert usual_dilution(told.dilution.value).high == told.dilution.value[1] < 1.5


def test_negative_weights_are_refused():
    rng = np.random.default_rng(1)
    x = rng.normal(0, 1, 200)
    for weights in ((np.ones(200), -np.ones(200)), (-np.ones(200), np.ones(200))):
        with pytest.raises(ValueError, match="weights must be finite and not negative"):
            weigh(x, x, *weights, rng)


def test_a_share_keeps_its_ones():
    """50% against 90% of ones: the highest value of the truth is in a bin."""
    truth, made = np.repeat([0.0, 1.0], [500, 500]), np.repeat([0.0, 1.0], [100, 900])
    told = weigh(truth, made, np.ones(1000), np.ones(1000), np.random.default_rng(1))
    exact = 0.5 * (0.4**2 / 0.6 + 0.4**2 / 1.4)
    assert told.without.value[0] == pytest.approx(exact)


def test_weights_that_harm_are_seen():
    """Of equal samples, weights that depend on one of two columns take it away from the truth."""
    rng = np.random.default_rng(1)
    truth, made = rng.normal(0, 1, (20_000, 2)), rng.normal(0, 1, (20_000, 2))
    told = weigh(truth, made, np.ones(20_000), np.exp(made[:, 0]), rng)
    assert (told.helped.closer, told.helped.farther) == (0, 1)
    assert "farther: 1" in str(told)


def test_what_was_measured_overrules_what_scores_tell():
    """Weights of one cost nothing and leave a shifted column where it is, or move an equal one
    away: not *freely*.  Of equal samples they may say so."""
    rng = np.random.default_rng(1)
    truth, made = rng.normal(0, 1, (20_000, 2)), rng.normal(0, 1, (20_000, 2))
    ones = np.ones(20_000)
    for shift, weights, answer in (
        (0.2, ones, "not by these weights"),
        (0.0, np.exp(0.25 * made[:, 0]), "not by these weights"),
        (0.0, ones, "freely"),
    ):
        told = weigh(truth, made + np.array([shift, 0]), ones, weights, rng)
        assert told.outlook.answer == "freely"
        assert told.answer == answer
        overruled = " (the scores told freely)" * (answer != "freely")
        assert str(told).startswith(f"Can weights save it? {answer}{overruled}: AUC")


def told(r=1.05, auc=0.7, lost=0.0, share=0.9, mean=1.0):
    return Outlook(
        Estimate(auc, 0.01), Estimate(r, 0.1), Estimate(r, 0.1), Estimate(share, 0.01),
        Estimate(mean, 0.01), Estimate(lost, 0.001), 100.0, 0, 0.0,
    )  # fmt: skip


ABOVE, BELOW = 1 + 1e-9, 1 - 1e-9


@pytest.mark.parametrize(
    ("look", "answer"),
    [
        (told(r=FREE * BELOW), "freely"),
        (told(r=FREE * ABOVE), "at a price"),
        (told(lost=TOLERABLE * BELOW), "freely"),
        (told(lost=TOLERABLE * ABOVE), "in part"),
        (told(share=HOPELESS_SHARE * ABOVE), "freely"),
        (told(share=HOPELESS_SHARE * BELOW), "no"),
        (told(mean=HOPELESS_MEAN * ABOVE), "freely"),
        (told(mean=HOPELESS_MEAN * BELOW), "no"),
        (told(auc=0.9999), "freely"),  # a guide
        (told(auc=0.9999, lost=0.9), "in part"),
    ],
)
def test_the_answer_on_either_side_of_each_threshold(look, answer):
    """Weights that are in vain take every hope, and leave a *no* what it is."""
    assert answer_of(look, None) == answer_of(look, Helped(1, 0, 1, 3, 1.0, 0.1)) == answer
    vain = answer_of(look, Helped(0, 1, 1, 3, 1.0, 2.0))
    assert vain == (answer if answer.startswith("no") else "not by these weights")


@pytest.mark.parametrize(
    ("before", "after", "in_vain"),
    [
        (SURELY * ABOVE, SURELY, True),  # off the truth, and stays
        (SURELY * BELOW, SURELY, False),  # not surely off
        (0.0, CLEAR * ABOVE, True),  # farther
        (0.0, CLEAR * BELOW, False),
        (2 * SURELY, 2 * SURELY - CLEAR * ABOVE, False),  # closer
        (2 * SURELY, 2 * SURELY - CLEAR * BELOW, True),
    ],
)
def test_in_vain_on_either_side_of_each_threshold(before, after, in_vain):
    """<S^2> above a floor of 0.5, in errors, of one observable; another is what it was."""
    first, exact = np.array([1.0, 1.0]), np.zeros(2)  # errors; those of the weighted are zero
    without = Separation(np.array([before, 0.0]) + 0.5, first, exact + 0.5)
    weighted = Separation(np.array([after, 0.0]) + 0.5, exact, exact + 0.5)
    assert Helped.of_separations(without, weighted).in_vain is in_vain


def test_one_observable_that_comes_closer_is_something():
    """Whatever becomes of the others."""
    before, after, one = np.array([9.0, 0.0]), np.array([0.0, 9.0]), np.ones(2)
    of = [Separation(x, one, 0 * one) for x in (before, after)]
    assert Helped.of_separations(*of)[:4] == (1, 1, 1, 2)
    assert not Helped.of_separations(*of).in_vain


def test_of_a_hopeless_generator_nothing_reads_well():
    """Its weights may all be alike, an r of one, where they are next to nothing."""
    rng = np.random.default_rng(1)
    truth, made = rng.normal(0, 1, (2000, 1)), rng.normal(50, 1, (2000, 1))
    sure = weigh(truth, made, np.full(2000, 1e12), np.full(2000, 1e-12), rng)
    assert sure.outlook.effective_share.value == pytest.approx(1)
    first, second, _ = str(sure).splitlines()
    assert first == (
        "Can weights save it? no: AUC > 0.9999, > 99.99% of the truth out of reach, "
        "0 weights clipped at 100"
    )
    assert second == "r measured: not told where the answer is no"
    few = weigh(truth, truth, np.ones(2000), np.repeat([50.0, 1e-9], [10, 1990]), rng)
    assert few.answer == "no" and "% of the events left" in str(few)


def test_a_share_of_the_truth_is_at_most_one():
    """A sum of 2001 equal weights is more than one by rounding."""
    told = outlook(np.full(2001, 1e12), np.ones(2000), truth_prior=np.full(2001, 0.1))
    assert told.lost.value <= 1


def test_events_that_are_all_alike_have_no_r():
    x, ones = np.ones((200, 1)), np.ones(200)
    told = str(weigh(x, x, ones, ones, np.random.default_rng(1))).splitlines()
    assert told[0].startswith("Can weights save it? freely: AUC 0.5, ")
    assert told[1] == "r measured: none, as no observable varies"


def test_it_is_read_as_it_was_stored(weighed):
    again = Weighed.of(weighed.arrays())
    assert again.outlook == weighed.outlook
    assert str(again) == str(weighed)
    for name, values in weighed.arrays().items():
        assert np.array_equal(again.arrays()[name], values, equal_nan=True)


def test_a_classifier_that_is_sure_of_all_events_is_no_error():
    """Weights of 0 and of infinity: nothing is left, and the answer says so."""
    rng = np.random.default_rng(1)
    truth, made = rng.normal(0, 1, (2000, 1)), rng.normal(50, 1, (2000, 1))
    sure = weigh(truth, made, np.full(2000, np.inf), np.zeros(2000), rng)
    assert sure.outlook.answer == "no"
    assert sure.without.value.tolist() == [1.0]
    assert np.isfinite(sure.weighted.value).all()


# ---- cells of equal mass ----

Q = 50
COUNTS = np.round(1000 * (1 + 0.8 * np.sin(2 * np.pi * (np.arange(Q) + 0.5) / Q))).astype(int)


def test_cells_tell_what_the_density_ratio_tells():
    """W = 1 / (1 + 0.8 sin): <W> over generated events is one and <W^2> = 1 / sqrt(1 - 0.64)."""
    told = outlook_of_cells(COUNTS)
    assert told.dilution.value == pytest.approx((1 - 0.64) ** -0.25, rel=2e-3)
    assert told.mean_weight.value == pytest.approx(1, abs=1e-3)
    assert told.lost.value == 0
    area = (COUNTS / COUNTS.sum())[np.argsort(-COUNTS)].cumsum().mean() - 0.5 / Q
    assert told.auc.value == pytest.approx(area, abs=1e-3)


def test_cells_without_events_are_out_of_reach():
    counts = COUNTS.copy()
    counts[:5] = 0
    told = outlook_of_cells(counts)
    assert told.lost.value == pytest.approx(0.1)
    assert told.answer == "in part"


def test_r_of_what_is_constant_in_a_cell_is_that_of_the_bootstrap():
    """Exact against 2000 resamples of the same events, within five errors of 2.2%; r = 1, 22% off,
    fails."""
    values = np.stack([np.arange(Q) % 2, np.cos(np.arange(Q))], 1).astype(float)
    w = weights_of_cells(COUNTS)
    truth, made = np.repeat(values, 1000, 0), np.repeat(values, COUNTS, 0)
    rng = np.random.default_rng(1)
    r = dilution(truth, made, np.repeat(w, COUNTS), rng, 2000).value
    for k in range(2):
        one = dilution_in_cells(COUNTS, values[:, [k]])
        assert one.value == one.low == one.high
        assert r[k] == pytest.approx(one.value, rel=0.11)
    assert dilution_in_cells(COUNTS, values[:, [0]]).value == pytest.approx(1.291, abs=0.003)


def test_a_generator_of_one_cell_has_no_r():
    """Nothing varies: rounding is not taken for a spread."""
    counts = np.zeros(Q, int)
    counts[3] = 1_000_000
    x = np.linspace(-6.3, 6.1, Q)
    assert np.isnan(dilution_in_cells(counts, np.stack([x, x**2], 1))).all()
    assert outlook_of_cells(counts).answer == "no"
