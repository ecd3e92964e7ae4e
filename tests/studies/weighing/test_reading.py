"""What is told of weights, read over trainings."""

from dataclasses import replace

import numpy as np
import pytest

from amplib.estimate import Estimate, Interval
from amplib.metrics.outlook import Outlook
from amplib.metrics.weighed import Helped
from amplib.studies.weighing.reading import Saved, ToldAndMeasured, how_far_off


def told(r, measured, auc=0.7, lost=0.0, helped=None, cut=0.0):
    look = Outlook(
        Estimate(auc, 0.01), Estimate(r, 0.1), Estimate(r, 0.1), Estimate(r**-2, 0.01),
        Estimate(1.0, 0.01), Estimate(lost, 0.001), 100.0, 0, cut,
    )  # fmt: skip
    return ToldAndMeasured(look, Interval(measured, measured / 2, measured * 2), helped)


def saved(*each):
    return Saved("group", "name", "laptop", each)


def test_over_trainings_means_are_geometric_and_have_an_error():
    two = saved(told(1.5, 1.5), told(6.0, 24.0))
    assert two.told.value == pytest.approx(3.0)
    assert two.told.repetitions == 2
    assert two.measured == pytest.approx((6.0, 3.0, 12.0))
    assert two.off == pytest.approx(2.0)
    area = saved(told(1.5, 1.5, auc=0.6), told(1.5, 1.5, auc=0.7)).over(lambda x: x.auc)
    assert (area.value, area.error) == (pytest.approx(0.65), pytest.approx(0.05))


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
    mixed = saved(told(1.5, 1.5, auc=0.99), told(1.5, 1.5), told(1.5, 1.5, auc=0.99))
    assert mixed.answer == "no, by the AUC (2 of 3); at a price (1 of 3)"
    assert saved(told(20, 20, auc=0.99)).answer == "no"  # of these events 1/400 is left
    assert saved(told(1.5, 1.5, auc=0.99, lost=0.9)).answer == "no"
    assert saved(told(1.5, 1.5, lost=0.2)).answer == "in part"


def test_weights_are_doubtful_whose_mean_before_the_clip_is_off():
    """By more than a factor of 1.5, in any repetition that is not hopeless."""
    assert saved(told(2, 2), told(2, 2, cut=0.3)).doubtful() == []
    assert saved(told(2, 2), told(2, 2, cut=0.5)).doubtful() == [1.0, 2.0]
    assert saved(told(2, 2), told(2, 2, cut=0.5, auc=0.99)).doubtful() == []
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
    first, second = Helped(4, 2, 10, 1e-4, 4e-4), Helped(6, 2, 10, 1e-2, 4e-2)
    both = saved(told(2, 2, helped=first), told(2, 2, helped=second)).helped
    assert both[:3] == (5, 2, 10)
    assert both[3:] == pytest.approx((1e-3, 4e-3))
    assert saved(told(2, 2, helped=first), told(2, 2)).helped is None
    below = Helped(4, 2, 10, -1e-4, 4e-4)
    assert saved(told(2, 2, helped=first), told(2, 2, helped=below)).helped.without == 0
