"""Texts for a terminal in the symbols of the pages."""

import re

import pytest
from docutils import nodes
from symbols import in_symbols

from amplib.files import ROOT

NOT_PROSE = re.compile(r"<(script|style|code|pre)\b.*?</\1>|\\\(.*?\\\)|\\\[.*?\\\]|<[^>]*>", re.S)
PAGES = sorted((ROOT / "_build" / "html" / "book").rglob("*.html"))


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("δ_OF", r"\delta_{OF}"),
        ("delta_OF", r"\delta_{OF}"),
        ("N_equiv", r"N_\mathrm{equiv}"),
        ("<S^2>", r"\langle S^2\rangle"),
        ("<S²>", r"\langle S^2\rangle"),
        ("N(0, 1)", r"\mathcal N(0, 1)"),
        ("p_x", "p_x"),
        ("E_j1", "E_{j1}"),
        ("eta_l2", r"\eta_{l2}"),
        ("pT_j4", "p_{T,j4}"),
        ("gamma", r"\gamma"),
    ],
)
def test_a_symbol_is_mathematics_and_its_surroundings_are_not(text, source):
    before, symbol, after = in_symbols(f"of {text}, 3")
    assert (before.astext(), after.astext()) == ("of ", ", 3")
    assert isinstance(symbol, nodes.math) and symbol.astext() == source


def test_only_negative_numbers_get_a_minus():
    said = "".join(part.astext() for part in in_symbols("-3 (-2 to -1.5) on 2026-11-26, 500-4,000"))
    assert said == "−3 (−2 to −1.5) on 2026-11-26, 500-4,000"


@pytest.mark.parametrize("text", ["", "plain words", "deltas and alphabet", "WGAN-GP"])
def test_other_texts_stay(text):
    assert "".join(part.astext() for part in in_symbols(text)) == text


@pytest.mark.skipif(not PAGES, reason="no book: make book")
@pytest.mark.parametrize("page", [p for p in PAGES if p.stem != "api"], ids=lambda p: p.stem)
def test_no_page_spells_a_symbol(page):
    article = re.search(r"<article.*</article>", page.read_text(), re.S)
    assert article
    prose = NOT_PROSE.sub("", article[0])
    assert re.findall(r"\S*(?:_OF|N_equiv|S\^2|\b(?:E|pT|eta|phi)_[jl]\d)\S*", prose) == []
