"""Docstrings, values and signatures in the API page."""

import numpy as np
import pytest
import reference
from sphinx.ext.napoleon import Config, GoogleDocstring

TEXT = ["Seconds a job beyond its notebook: two programs begin.", "", "More of it: here."]


@pytest.mark.parametrize("what", ["property", "method"])
def test_words_before_a_colon_are_no_type(what):
    lines = list(TEXT)
    reference.as_sentences(None, what, "", None, None, lines)
    read = str(GoogleDocstring(lines, Config(napoleon_use_rtype=False), what=what, name="x"))
    assert ":type:" not in read
    assert read.removeprefix("..").split() == " ".join(TEXT).split()


def test_napoleon_would_take_them_for_one():
    assert ":type: Seconds" in str(GoogleDocstring(TEXT, Config(), what="property", name="x"))


def test_formulas_stand_between_dollars_and_go_over_lines():
    lines = [r"Of $\alpha$ and $f(t) =", "t^2$; no more."]
    reference.formulas(None, "function", "", None, None, lines)
    assert lines == [r"Of :math:`\alpha` and :math:`f(t) =", "t^2`; no more."]


def test_a_constant_has_its_value_unless_that_is_long():
    assert not reference.is_long(0.17)
    assert reference.is_long(np.arange(100))


@pytest.mark.parametrize("text", ["(*args, **kwargs)", "(x)"])
def test_a_signature_that_says_nothing_is_left_out(text):
    told = reference.signature(None, "class", "", object, None, text, "")
    assert told == (None if text == "(x)" else ("", ""))
