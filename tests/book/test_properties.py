"""First lines of properties in the API page."""

import pytest
from properties import as_sentences
from sphinx.ext.napoleon import Config, GoogleDocstring

TEXT = ["Seconds a job beyond its notebook: two programs begin.", "", "More of it: here."]


@pytest.mark.parametrize("what", ["property", "method"])
def test_words_before_a_colon_are_no_type(what):
    lines = list(TEXT)
    as_sentences(None, what, "", None, None, lines)
    read = str(GoogleDocstring(lines, Config(napoleon_use_rtype=False), what=what, name="x"))
    assert ":type:" not in read
    assert read.removeprefix("..").split() == " ".join(TEXT).split()


def test_napoleon_would_take_them_for_one():
    assert ":type: Seconds" in str(GoogleDocstring(TEXT, Config(), what="property", name="x"))
