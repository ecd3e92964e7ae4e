"""What is told of weights, read over trainings."""

from dataclasses import replace

import numpy as np
import pytest

from amplib.estimate import Estimate, Interval
from amplib.metrics.outlook import Outlook
from amplib.metrics.weighed import Helped
from amplib.studies.weighing.reading import Saved, ToldAndMeasured, area_of_cuts, how_far_off


def told(r, measured, auc=0.7, lost=0.0, helped=None, cut=0.0):
    look = Outlook(
        Estimate(auc, 0.01), Estimate(r, 0.1), Estimate(r, 0.1), Estimate(r**-2, 0.01),
        Estimate(1.0, 0.01), Estimate(lost, 0.001), 100.0, 0, cut,
    )  # fmt: skip
    return ToldAndMeasured(look, Interval(measured, measured / 2, measured * 2), helped)


def saved(*each, known_area=0.5):
    """A classifier a training."""
    return Saved("group", "name", "laptop", [[one] for one in each], known_area)


def test_over_trainings_means_are_geometric_and_have_an_error():
    two = saved(told(1.5, 1.5), told(6.0, 24.0))
    assert two.told.value == pytest.approx(3.0)
    assert two.told.repetitions == 2
    assert two.measured == pytest.approx((6.0, 3.0, 12.0))
    assert two.off == pytest.approx(2.0)
    area = saved(told(1.5, 1.5, auc=0.6), told(1.5, 1.5, auc=0.7)).over(lambda x: x.auc)
    assert (area.value, area.error) == (pytest.approx(0.65), pytest.approx(0.05))


def test_errors_are_over_trainings_whose_classifiers_are_averaged():
    """Classifiers of one training share its events: three that agree are one number."""
    low, high = [told(1.0, 1.0, auc=0.6)] * 3, [told(4.0, 4.0, auc=0.7)] * 3
    two = Saved("group", "name", "paper", [low, high])
    area = two.over(lambda x: x.auc)
    assert (area.value, area.error) == (pytest.approx(0.65), pytest.approx(0.05))
    assert (area.repetitions, two.told.repetitions) == (2, 2)
    assert two.told.value == pytest.approx(2.0)
    assert (two.size, len(two.each)) == ("2 × 3", 6)
    uneven = Saved("", "", "", [[told(1.0, 1.0), told(4.0, 1.0)], [told(8.0, 1.0)]])
    assert uneven.told.value == pytest.approx(4.0)  # a training counts once
    assert Saved("", "", "", [[*low, *high]]).told.repetitions == 6  # the classifiers of one


def test_answers_are_counted_over_trainings():
    """Of each by the most of its classifiers; of a single one over these."""
    hopeless, fine = told(11, 11), told(1.5, 1.5)  # of these events 1/121 is left
    two = Saved("", "", "", [[hopeless, fine, fine], [hopeless] * 3])
    assert two.answer == "at a price (1 of 2); no (1 of 2)"
    one = Saved("", "", "", [[hopeless, fine, fine]])
    assert one.answer == "at a price (2 of 3); no (1 of 3)"


def test_an_answer_is_open_where_a_known_cut_tells_more_than_the_classifiers():
    free = told(1.0, 1.0, auc=0.6)
    assert saved(free, known_area=0.6).answer == "freely"
    missed = saved(free, known_area=0.61)
    assert (missed.answer, missed.by_classifiers) == ("not resolved", "freely")
    assert saved(told(20, 20, auc=0.96), known_area=0.98).answer == "no"
    assert saved(free, told(20, 20, auc=0.96), known_area=0.98).answer == "not resolved"
    # on average, not for each
    assert saved(free, told(1.0, 1.0, auc=0.7), known_area=0.64).answer == "freely"


HARMED, CLOSER = Helped(0, 1, 0, 9, 1e-4, 1e-3), Helped(1, 1, 9, 9, 1e-2, 1e-3)


def test_what_was_measured_overrules_the_scores_of_its_classifier():
    """As it does where ``amplib.reweight`` is asked; a *no* is none the less one."""
    free, vain = told(1.0, 1.0, helped=CLOSER), told(1.0, 1.0, helped=HARMED)
    assert (free.overruled, vain.overruled) == (False, True)
    assert told(20, 20, auc=0.96, helped=HARMED).answer == "no"
    assert saved(vain).answer == "not by these weights"
    assert saved(free, free, vain).answer == "freely (2 of 3); not by these weights (1 of 3)"
    # Where a cut tells more, what is in vain stays, and what promises something is open.
    missed = saved(free, vain, known_area=0.98)
    assert missed.answer == "not resolved"
    assert missed.by_classifiers == "freely (1 of 2); not by these weights (1 of 2)"
    both = saved(vain, told(20, 20, auc=0.96), known_area=0.98)
    assert both.answer == both.by_classifiers == "not by these weights (1 of 2); no (1 of 2)"


def test_cuts_tell_no_more_than_the_events_that_pass_one():
    """Of generated events a share passes the cut on the truth's range that is no smaller than that
    of their dropped entries; of the truth none does."""
    rng = np.random.default_rng(1)
    beyond = rng.random((2000, 6)) < rng.choice([0.0, 0.4], (2000, 1), p=[0.8, 0.2])
    pairs = [beyond[:, i] | beyond[:, j] for i in range(6) for j in range(i)]
    dropped, passing = np.mean(pairs), beyond.any(1).mean()
    made, true = beyond.any(1), np.zeros(2000)
    area = (
        np.mean(made[:, None] > true[None, :200]) + np.mean(made[:, None] == true[None, :200]) / 2
    )
    assert area == pytest.approx(0.5 + passing / 2)
    assert area_of_cuts(float(dropped), 0.0) <= area
    assert area_of_cuts(0.2, 0.5) == area_of_cuts(0.5, 0.2) == 0.75


def test_a_training_in_which_nothing_varies_is_in_no_mean_of_r():
    three = saved(told(1.5, 1.5), told(1.5, 6.0), told(1.0, np.nan))
    assert three.measured.value == pytest.approx(3)
    assert np.isnan(saved(told(1.0, np.nan)).measured).all()


def test_a_single_training_keeps_its_own_error():
    one = saved(told(1.5, 1.5))
    assert one.told.error == 0.1
    assert one.over(lambda x: x.auc) == Estimate(0.7, 0.01)


def test_trainings_that_differ_are_counted():
    assert saved(told(1.5, 1.5), told(1.5, 1.5)).answer == "at a price"
    mixed = saved(told(11, 11), told(1.5, 1.5), told(11, 11))
    assert mixed.answer == "no (2 of 3); at a price (1 of 3)"
    assert saved(told(20, 20, auc=0.99)).answer == "no"  # of these events 1/400 is left
    assert saved(told(1.5, 1.5, auc=0.99, lost=0.9)).answer == "in part"
    assert saved(told(1.5, 1.5, lost=0.2)).answer == "in part"


def test_weights_are_doubtful_whose_mean_before_the_clip_is_off():
    """By more than a factor of 1.5, in any repetition that is not hopeless."""
    assert saved(told(2, 2), told(2, 2, cut=0.3)).doubtful() == []
    assert saved(told(2, 2), told(2, 2, cut=0.5)).doubtful() == [1.0, 2.0]
    assert saved(told(2, 2), told(11, 11, cut=0.5)).doubtful() == []
    assert saved(told(2, 2), told(2, 2, cut=1.0)).doubtful() == [1.0, np.inf]
    low = told(2, 2)
    half = low._replace(outlook=replace(low.outlook, mean_weight=Estimate(0.5, 0.01)))
    assert saved(half).doubtful() == [0.5]


def test_how_far_the_told_are_off():
    """Half are off by 2 and half by 1/2: no bias, and two thirds within 2; what has no number is
    left out."""
    some = [saved(told(2, 4)), saved(told(2, 1)), saved(told(2, 4)), saved(told(2, 1))]
    assert how_far_off([*some, saved(told(2, np.nan))]) == pytest.approx((1.0, 2.0))


def test_what_became_of_observables_is_a_mean_over_repetitions():
    first, second = Helped(4, 2, 7, 10, 1e-4, 4e-4), Helped(6, 2, 9, 10, 1e-2, 4e-2)
    both = saved(told(2, 2, helped=first), told(2, 2, helped=second)).helped
    assert both[:4] == (5, 2, 8, 10)
    assert both[4:] == pytest.approx((1e-3, 4e-3))
    assert saved(told(2, 2, helped=first), told(2, 2)).helped is None
    below = Helped(4, 2, 7, 10, -1e-4, 4e-4)
    assert saved(told(2, 2, helped=first), told(2, 2, helped=below)).helped.without == 0
