"""Two-sample tests on identical, close and far samples."""

import numpy as np
import pytest
from scipy.stats import norm, wasserstein_distance
from statistical import leave_one_out

from amplib.estimate import Estimate
from amplib.metrics.outlook import RANGES, Outlook, dilution_from_auc, outlook
from amplib.metrics.two_sample import auc, boosted_test, classifier_test, sliced_wasserstein


def scores(n, seed, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1, n)


def test_auc_by_hand_with_ties_and_weights():
    assert auc([1.0, 2.0], [0.0, 1.0]).value == pytest.approx((1 + 0.5 + 1 + 1) / 4)
    assert auc([1.0, 2.0], [0.0, 1.0], None, [0.0, 3.0]).value == pytest.approx(0.75)
    assert auc([1.0, 2.0], [0.0, 1.0], [1.0, 0.0]).value == pytest.approx(0.75)
    doubled = auc([1.0, 2.0, 2.0], [0.0, 1.0]), auc([1.0, 2.0], [0.0, 1.0], [1.0, 2.0])
    assert doubled[0].value == pytest.approx(doubled[1].value)


@pytest.mark.parametrize("shift", [0.0, 0.5, 2.0])
def test_auc_of_gaussians_and_its_error(shift):
    """Phi(d / sqrt 2); pulls over 60 samples of unequal size, 5 sigma of mean and spread."""
    expected = norm.cdf(shift / np.sqrt(2))
    found = [auc(scores(800, k, shift), scores(300, 1000 + k)) for k in range(60)]
    pulls = np.array([(f.value - expected) / f.error for f in found])
    assert abs(pulls.mean()) < 5 / np.sqrt(60)
    assert 0.6 < pulls.std(ddof=1) < 1.5


def test_the_error_of_an_auc_is_that_of_leaving_out_events():
    """Of 200 real and 150 generated events with weights, to 3%: either sample by itself."""
    real, made = scores(200, 3, 0.7), scores(150, 4)
    v, w = 1 + 0.8 * np.cos(real), 1 + 0.8 * np.sin(made)
    of_real = leave_one_out(lambda x, v: auc(x, made, v, w).value, real, v)
    of_made = leave_one_out(lambda x, w: auc(real, x, v, w).value, made, w)
    assert auc(real, made, v, w).error == pytest.approx(np.hypot(of_real, of_made), rel=0.03)


def test_weights_take_the_difference_away():
    """Generated N(0, 1) weighted to N(1/2, 1): AUC 1/2 within five errors; 0.64 without."""
    real, made = scores(20_000, 1, 0.5), scores(20_000, 2)
    after = auc(real, made, generated_weights=np.exp(0.5 * made - 0.125))
    assert abs(after.value - 0.5) < 5 * after.error
    assert auc(real, made).value > 0.6


def test_false_alarms_and_power_of_the_permutation_test():
    """At p < 0.05, 100 pairs of 150 events: false alarms in 0 to 14 (binomial, 4 sigma), power
    above 0.9 at a shift of 0.5 (4.3 sigma of the AUC); far ones reach the smallest p."""
    rng = np.random.default_rng(1)
    alarms = [
        sum(
            classifier_test(scores(150, 2 * k, shift), scores(150, 2 * k + 1), rng, 199).p < 0.05
            for k in range(100)
        )
        for shift in (0.0, 0.5)
    ]
    assert alarms[0] <= 14
    assert alarms[1] > 90
    assert classifier_test(scores(150, 1, 3), scores(150, 2), rng, 199).p == 1 / 200


def test_the_null_has_the_spread_of_mann_and_whitney():
    test = classifier_test(scores(200, 1), scores(300, 2), np.random.default_rng(3), 2000)
    assert test.null == pytest.approx(np.sqrt(501 / (12 * 200 * 300)), rel=0.08)
    with pytest.raises(ValueError, match="permutations = 0"):
        classifier_test([1.0], [2.0], np.random.default_rng(1), 0)


@pytest.mark.parametrize("shape", [(5, 2), (2, 5, 1)])
def test_several_scores_an_event_are_refused(shape):
    """A column is one score an event."""
    for test in (auc, lambda *two: classifier_test(*two, np.random.default_rng(1), 9)):
        with pytest.raises(ValueError, match=r"\((5, 2|2, 5, 1)\)"):
            test(np.zeros(shape), np.ones(5))
    assert auc([[1.0], [2.0]], [0.0, 1.5]).value == 0.75


def test_the_chance_of_four_events_by_counting():
    """Two above two: 2 of the 6 ways to name them are as far from one half, the other one below.
    6000 permutations to 5 errors; and of two events both ways are."""
    p = classifier_test([3.0, 4.0], [1.0, 2.0], np.random.default_rng(4), 6000).p
    assert abs(p - 1 / 3) < 5 * np.sqrt(2 / 9 / 6000)
    for real, made in (([1.0], [2.0]), ([2.0], [1.0])):
        assert classifier_test(real, made, np.random.default_rng(4), 1).p == 1


def test_far_on_either_side_is_far():
    below = classifier_test(scores(150, 1, -3), scores(100, 2), np.random.default_rng(1), 99)
    assert below.p == 1 / 100
    assert below.auc == auc(scores(150, 1, -3), scores(100, 2))
    many = classifier_test(scores(50, 1, -3), scores(50, 2), np.random.default_rng(1))
    assert many.p == 1 / 1000  # by default


def test_sliced_distance_is_scipy_s_in_one_dimension():
    rng = np.random.default_rng(1)
    a, b, w = scores(500, 1), scores(700, 2, 0.3), rng.random(700)
    found = sliced_wasserstein(a, b, rng, w)
    assert found.value == pytest.approx(wasserstein_distance(a, b, None, w))


def test_sliced_distance_of_identical_close_and_far_samples():
    """A shift by v in 2D: mean |v . u| over directions is 2 |v| / pi; equal samples lie at the
    floor of noise; the bootstrap's error is the scatter to a factor 1.6."""
    rng = np.random.default_rng(2)
    values = {}
    for shift in (0.0, 0.05, 3.0):
        found = []
        for _ in range(20):
            a, b = rng.normal(size=(2000, 2)), rng.normal([shift, 0], 1, (2000, 2))
            found.append(sliced_wasserstein(a, b, rng, directions=40))
        values[shift] = np.array([f.value for f in found])
        spread, error = values[shift].std(ddof=1), np.mean([f.error for f in found])
        if shift < 3:  # with 40 directions their choice dominates for the far ones
            assert 1 / 1.6 < error / spread < 1.6
    assert values[3.0].mean() == pytest.approx(2 * 3 / np.pi, rel=0.1)
    assert values[0.0].mean() < 0.05
    assert values[0.05].mean() > values[0.0].mean()
    with pytest.raises(ValueError, match="1 and in 2 dimensions"):
        sliced_wasserstein(np.ones(3), np.ones((3, 2)), rng)


def test_sliced_distance_and_its_error_by_scipy():
    """By the same directions and the same bootstraps, two of them: the error is their spread."""
    a, b, w = (
        np.random.default_rng(seed).normal(size=shape)
        for seed, shape in ((3, (40, 3)), (4, (30, 3)), (5, 30))
    )
    w = abs(w)
    found = sliced_wasserstein(a, b + 0.3, np.random.default_rng(6), w, 4, 2)
    rng = np.random.default_rng(6)
    vectors = rng.standard_normal((4, 3))
    times_a, times_b = rng.poisson(1.0, (2, 40)), rng.poisson(1.0, (2, 30))

    def distance(of_a, of_b):
        each = [
            wasserstein_distance(a @ u, (b + 0.3) @ u, of_a, of_b)
            for u in (v / np.sqrt(v @ v) for v in vectors)
        ]
        return np.mean(each)

    assert found.value == pytest.approx(distance(np.ones(40), w))
    first, second = (distance(m, n * w) for m, n in zip(times_a, times_b, strict=True))
    assert found.error == pytest.approx(abs(first - second) / np.sqrt(2))
    by_default = sliced_wasserstein(a, b, np.random.default_rng(6))
    assert by_default == sliced_wasserstein(a, b, np.random.default_rng(6), None, 50, 20)


# ---------------------------------------------------------------- can weights save it?


def of_gaussians(shift, n=100_000):
    """W on truth N(d, 1) and on generated events N(0, 1)."""
    return tuple(np.exp(shift * scores(n, k, k * shift) - shift**2 / 2) for k in (1, 0))


@pytest.mark.parametrize(("area", "r"), [(0.67, 1.2), (0.80, 2.0), (0.87, 3.6)])
def test_the_auc_tells_the_dilution(area, r):
    """The three pairs of the design; and both ways to r agree on Gaussians, within five errors."""
    told = dilution_from_auc(Estimate(area, 0.001))
    assert told.value == pytest.approx(r, rel=0.04)
    look = outlook(*of_gaussians(np.sqrt(2) * norm.ppf(area)), largest=1e6)
    assert abs(look.dilution.value - told.value) < 5 * look.dilution.error + 0.02 * told.value
    assert abs(look.auc.value - area) < 5 * look.auc.error
    assert abs(look.dilution_by_auc.value - told.value) < 5 * look.dilution_by_auc.error
    assert look.answer == "at a price"
    assert look.clipped == 0


def test_the_answers():
    assert outlook(*of_gaussians(0.1)).answer == "freely"
    assert outlook(*of_gaussians(3.5)).answer == "no"  # 0.3% of the events are left
    real, made = of_gaussians(0.5)
    real[::20] = np.inf  # a twentieth of the truth where nothing is generated
    look = outlook(real, made)
    assert look.answer == "in part"
    assert look.lost.value == pytest.approx(0.05, abs=0.001)
    assert str(look).startswith("Can weights save it? in part: AUC 0.6")


def test_prior_weights_of_the_truth_count():
    """A truth of N(0, 1) with prior weights that make it N(1/2, 1)."""
    x = scores(100_000, 1)
    prior = np.exp(0.5 * x - 0.125)
    look = outlook(prior, of_gaussians(0.5)[1], truth_prior=prior)
    assert abs(look.auc.value - outlook(*of_gaussians(0.5)).auc.value) < 6 * look.auc.error


@pytest.mark.parametrize("bad", [-1.0, np.nan])
def test_scores_that_cannot_be_are_refused(bad):
    with pytest.raises(ValueError, match="not negative"):
        outlook([1.0, bad], [1.0])
    with pytest.raises(ValueError, match="not negative"):
        outlook([1.0], [1.0, bad])


@pytest.mark.parametrize("area", [0.55, 0.8, 0.97])
def test_the_error_of_the_dilution_is_that_of_its_auc(area):
    """r = exp(z^2) for z widths of a unit normal above one half; its slope by differences.  An AUC
    of one half or less is free, of one hopeless."""
    step = 1e-6
    up, down = (np.exp(norm.ppf(area + s) ** 2) for s in (step, -step))
    told = dilution_from_auc(Estimate(area, 0.003))
    assert told.value == pytest.approx(np.exp(norm.ppf(area) ** 2))
    assert told.error == pytest.approx(0.003 * (up - down) / (2 * step), rel=1e-4)


@pytest.mark.parametrize(
    ("area", "r", "error"),
    [(0.5, 1, 0), (0.3, 1, 0), (1, np.inf, np.inf), (1.2, np.inf, np.inf)],
)
def test_the_ends_of_the_auc(area, r, error):
    assert dilution_from_auc(Estimate(area, 0.003))[:2] == (r, error)


def answer(area=0.7, share=0.5, lost=0.0, r=1.5, mean=1.0, cut=0.0):
    """Of a classifier that found so much."""
    found = (Estimate(value, 0.0) for value in (area, r, 1.0, share, mean, lost))
    return Outlook(*found, 100.0, 0, cut).answer


def test_each_answer_has_its_line():
    """No below 1% of the events or a mean weight of one half before the clip, whatever the AUC; in
    part above 1% that is out of reach, freely below r = 1.1, else at a price; the lines themselves
    belong to the better side."""
    assert [answer(area=a) for a in (0.5, 0.95, 0.99999)] == ["at a price"] * 3
    assert [answer(mean=m) for m in (0.501, 0.5, 0.499)] == ["at a price"] * 2 + ["no"]
    assert [answer(mean=0.3, cut=c) for c in (0.41, 0.39)] == ["at a price", "no"]
    assert [answer(share=s) for s in (0.0101, 0.01, 0.0099)] == ["at a price"] * 2 + ["no"]
    assert [answer(lost=x) for x in (0.0099, 0.01, 0.0101)] == ["at a price"] * 2 + ["in part"]
    assert [answer(r=r) for r in (1.099, 1.1, 1.101)] == ["freely"] + ["at a price"] * 2
    assert answer(area=0.96, lost=0.5) == "in part"
    assert answer(mean=0.1, lost=0.9) == "no"


def test_an_outlook_by_hand():
    """Weights of 150 and of infinity are out of reach, 100 itself is not; r is the root of N over
    N_eff, and its error goes with that of the share."""
    real, made = np.array([0.5, 100.0, 150.0, np.inf]), np.array([1.0, 100.0, 150.0])
    look = outlook(real, made, truth_prior=np.array([1.0, 2.0, 3.0, 4.0]))
    assert look.lost.value == pytest.approx(0.7)
    # p_k (1 or 0 - 0.7) in squares: the error over events of a weighted mean.
    squares = (0.1 * 0.7) ** 2 + (0.2 * 0.7) ** 2 + (0.3 * 0.3) ** 2 + (0.4 * 0.3) ** 2
    assert look.lost.error == pytest.approx(np.sqrt(squares))
    assert (look.largest, look.clipped) == (100.0, 1)
    assert look.cut == pytest.approx(50 / 251)
    share = 201**2 / (3 * 20_001)
    assert look.effective_share.value == pytest.approx(share)
    assert look.dilution.value == pytest.approx(share**-0.5)
    relative = look.effective_share.error / share
    assert look.dilution.error == pytest.approx(look.dilution.value * relative / 2)
    assert look.mean_weight.value == pytest.approx(67)
    assert look.mean_before_clip == pytest.approx(251 / 3)
    assert look.mean_of_exact(3) == pytest.approx(1 - 0.7 + 100 / 3)
    # Against 1, 100 and 150: below all; above one and beside one; above two and beside one; all.
    assert look.auc.value == pytest.approx(0.2 * 0.5 + 0.3 * 2.5 / 3 + 0.4)
    plain = outlook(real, made)
    assert plain.lost.value == 0.5
    assert outlook(real, made, largest=99).clipped == 2


def test_the_mean_before_the_clip_is_one_where_weights_are_right():
    """Of exact weights without a missing support; the clipped ones have less, and as much less as
    is out of reach of both samples.  An infinite weight leaves nothing to compare with."""
    look = outlook(*of_gaussians(1.5), largest=5.0)
    error = look.mean_weight.error
    assert look.mean_before_clip == pytest.approx(1, abs=20 * error)
    assert look.mean_weight.value < 0.9
    assert look.mean_weight.value == pytest.approx(look.mean_of_exact(100_000), abs=5 * error)
    free = outlook(*of_gaussians(0.1))
    assert free.mean_before_clip == free.mean_weight.value
    assert outlook([1.0], [1.0, np.inf]).mean_before_clip == np.inf


def test_estimates_are_between_their_ends_and_reach_them():
    """AUC, r, r by the AUC, effective share, mean weight and share out of reach: of weights that
    are all alike, that tell all or nothing, and of one event that has all the weight."""
    ones = np.ones(2000)
    one = np.where(np.arange(2000) == 0, 1.0, 0.0)
    looks = [
        outlook(ones, ones),
        outlook(np.full(9, np.inf), ones),
        outlook(ones / 2, ones),
        outlook(ones, one),
    ]
    names = ["auc", "dilution", "dilution_by_auc", "effective_share", "mean_weight", "lost"]
    found = np.array([[getattr(look, name).value for name in names] for look in looks])
    low, high = RANGES.T
    assert ((found > low - 1e-9) & (found < high + 1e-9)).all()
    np.testing.assert_allclose(found.min(0), low, atol=1e-3)
    bounded = [0, 3, 5]
    np.testing.assert_allclose(found.max(0)[bounded], high[bounded], atol=1e-3)
    assert np.isinf(np.delete(high, bounded)).all()


# ---- boosted trees ----


def test_boosted_trees_tell_far_samples_and_not_identical_ones():
    """Gaussians in three dimensions, 2000 a sample: shifted by half a sigma they are told apart at
    p = 1/1000, the AUC being below the best possible one, Phi(0.35) = 0.64; identical ones are
    not, in at most 3 of 20 pairs at 5% (probability of a false alarm 1.6%)."""
    rng = np.random.default_rng(5)

    def pair(shift):
        real, made = rng.normal(size=(2, 2000, 3))
        made[:, 0] += shift
        return boosted_test(real, made, rng, 199)

    far = pair(-0.5)
    assert far.p == 1 / 200
    assert 0.57 < far.auc.value < 0.64 + 3 * far.auc.error
    assert sum(pair(0).p < 0.05 for _ in range(20)) <= 3


def test_boosted_trees_see_correlations():
    """The same margins, correlated in one sample by 0.9: AUC above 0.7."""
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(2, 3000, 2))
    y[:, 1] = 0.9 * y[:, 0] + np.sqrt(1 - 0.81) * y[:, 1]
    assert boosted_test(x, y, rng, 19).auc.value > 0.7


def test_boosted_trees_refuse_what_they_cannot_use():
    rng = np.random.default_rng(7)
    with pytest.raises(ValueError, match=r"\(3, 2\) and \(9, 2\): four events of the same"):
        boosted_test(np.zeros((3, 2)), np.zeros((9, 2)), rng)
    with pytest.raises(ValueError, match="of the same columns"):
        boosted_test(np.zeros((9, 1)), np.zeros((9, 2)), rng)


def test_four_events_are_enough_for_boosted_trees():
    """Of which they see one half: they learn nothing from two, and the AUC is one half."""
    x = np.arange(8.0)[:, None]
    found = boosted_test(x[:4], x[4:] + 10, np.random.default_rng(8), 9)
    by_default, stated = (
        boosted_test(x[:4], x[4:], np.random.default_rng(8), *of).p for of in ((), (999,))
    )
    assert by_default == stated
    assert found.auc.value == 0.5
    assert found.p == 1
