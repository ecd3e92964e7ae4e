"""Sentences that a template makes read like sentences."""

import pytest

from amplib.book import report
from amplib.book.report import in_words
from amplib.estimate import AtLeast, Estimate, Interval95, Skewed
from amplib.metrics.verdict import Finding

AT = {10: Estimate(1.0, 0.5), 20: Estimate(1.1, 0.5), 50: Estimate(3.0, 0.1)}


def test_what_python_writes_of_an_object_is_not_told():
    for told in (AtLeast(3.0), Estimate(2.0, 0.1), "δ(x=1) of GAN (p = 3)"):
        report.typeset(str(told))
    for told in ([AtLeast(3.0)], Finding("2", None, "met"), f"{[Estimate(2.0, 0.1)]}"):
        with pytest.raises(ValueError, match="no words for a reader"):
            report.typeset(str(told))


@pytest.mark.parametrize("told", ["at $r$ = 2", "of `x`", "**more**", "{numref}", "[a](b)"])
def test_markup_is_not_told_as_it_would_be_shown_as_it_stands(told):
    with pytest.raises(ValueError, match=r"^short-answer shows"):
        report.tell(**{"short-answer": told})


def test_ratios_that_are_alike_are_said_once():
    assert in_words(AT.__getitem__, [10, 20, 50]) == "compatible with one at 10 and 20, more at 50"
    assert in_words(AT.__getitem__, [50]) == "more at 50"
    assert in_words(lambda q: Estimate(0.5, 0.1), [10, 20, 50]) == "less at 10, 20 and 50"


def test_ratios_with_failures_and_of_medians_have_words_by_their_interval():
    """Whose error would say otherwise."""
    assert in_words(lambda q: Skewed(0.2, 0.5, 0.1, 0.5), [10]) == "less at 10"
    assert in_words(lambda q: Interval95(1.2, 0.99, 1.4), [10]) == "compatible with one at 10"
