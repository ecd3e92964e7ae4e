"""Places that errors can tell apart, by hand and by how often they are wrong."""

import numpy as np
import pytest

from amplib.estimate import Estimate, mean
from amplib.metrics.ranks import Rank, over, ranked, ranks

ORDERED = [Estimate(1.0, 0.01), Estimate(1.01, 0.01), Estimate(2.0, 0.02)]


def test_ranks_by_hand():
    """1.00 and 1.01 are one, 2 is apart, 2.2 +- 0.5 from nothing but 1."""
    assert ranks(ORDERED, over) == [(1, 2), (1, 2), (3, 3)]
    assert ranks([*ORDERED, Estimate(2.2, 0.5)], over) == [(1, 2), (1, 2), (3, 4), (3, 4)]


def test_places_do_not_hang_on_the_order_of_rows():
    """Nor need ties be transitive: the one in the middle is told from neither of the others."""
    first, second, third = ORDERED
    assert ranks([third, first, second], over) == [(3, 3), (1, 2), (1, 2)]
    chain = [Estimate(1.2, 0.05), Estimate(1.0, 0.05), Estimate(1.1, 0.05)]
    assert ranks(chain, over) == [(2, 3), (1, 2), (1, 3)]


def test_what_is_compared_is_the_callers():
    """The second of two numbers, known exactly."""
    pairs = [(1, 5.0), (2, 4.0), (3, 3.0)]
    exact = ranks(pairs, lambda a, b: Estimate(a[1] / b[1], 0.0))
    assert exact == [(3, 3), (2, 2), (1, 1)]


def test_what_has_no_value_has_no_place():
    found = ranked({"c": ORDERED[2], "none": None, "a": ORDERED[0]})
    assert found == {"c": (2, 2), "a": (1, 1)}
    assert ranked({"none": None}) == {}


def test_a_mean_of_one_repetition_is_told_from_nothing():
    assert ranked({"a": mean([1.0]), "b": Estimate(100.0, 0.1)}) == {"a": (1, 2), "b": (1, 2)}


def test_ratio_of_estimates():
    found = over(Estimate(2.0, 0.03), Estimate(1.0, 0.02))
    assert found.value == 2
    assert found.error == pytest.approx(2 * 0.025)
    assert found.interval().low * found.interval().high == pytest.approx(4)
    one = over(Estimate(2.0, 0.03), Estimate(1.0, 0.0))
    assert one.interval().high == pytest.approx(2 + 1.96 * 0.03, rel=1e-4)


def test_of_equal_ones_two_are_told_apart_in_a_twentieth():
    """Of 1000 pairs 50 +- 7."""
    rng = np.random.default_rng(1)
    values = rng.normal(1, 0.01, (1000, 2))
    pairs = [[Estimate(float(v), 0.01) for v in pair] for pair in values]
    assert sum(ranks(pair, over)[0] != (1, 2) for pair in pairs) == pytest.approx(50, abs=21)


def test_a_place_as_it_is_printed():
    assert f"{Rank(1, 1)}, {Rank(2, 15)}" == "1, 2 to 15"
