"""Sentences that a template makes read like sentences."""

from amplib.book.report import in_words
from amplib.estimate import Estimate, Interval95, Skewed

AT = {10: Estimate(1.0, 0.5), 20: Estimate(1.1, 0.5), 50: Estimate(3.0, 0.1)}


def test_ratios_that_are_alike_are_said_once():
    assert in_words(AT.__getitem__, [10, 20, 50]) == "compatible with one at 10 and 20, more at 50"
    assert in_words(AT.__getitem__, [50]) == "more at 50"
    assert in_words(lambda q: Estimate(0.5, 0.1), [10, 20, 50]) == "less at 10, 20 and 50"


def test_ratios_with_failures_and_of_medians_have_words_by_their_interval():
    """Whose error would say otherwise."""
    assert in_words(lambda q: Skewed(0.2, 0.5, 0.1, 0.5), [10]) == "less at 10"
    assert in_words(lambda q: Interval95(1.2, 0.99, 1.4), [10]) == "compatible with one at 10"
