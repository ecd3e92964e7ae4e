"""What machines read off the built book: ids on the pages, claims.json and status.json."""

import json
import re

import pytest
import yaml

from amplib.book.claims import says
from amplib.files import ROOT

BUILD = ROOT / "_build"
pytestmark = pytest.mark.skipif(
    not (BUILD / "html" / "book" / "index.html").exists(), reason="no book: make book"
)


OWED = yaml.safe_load((ROOT / "book" / "figures.yml").read_text())


@pytest.mark.parametrize("key", OWED["figures"])
def test_every_owed_figure_stands_under_its_key_with_provenance(key):
    pages = [p.read_text() for p in (BUILD / "html" / "book" / "notebooks").glob("*.html")]
    found = [
        m for text in pages if (m := re.search(rf'<figure[^>]*id="{key}".*?</figure>', text, re.S))
    ]
    assert len(found) == 1
    figure = found[0][0]
    assert re.search(r'<img[^>]*src="[^"]+\.svg"', figure)
    assert f"make figure ID={key}" in figure


@pytest.mark.parametrize("key", OWED["tables"])
def test_every_owed_table_stands_under_its_key(key):
    pages = [p.read_text() for p in (BUILD / "html" / "book" / "notebooks").glob("*.html")]
    assert sum(f'id="{key}"' in text for text in pages) == 1


def test_claims_json_has_every_claim_and_a_verdict():
    rows = json.loads((BUILD / "claims.json").read_text())
    assert [r["id"] for r in rows] == list(says())
    assert all(re.match(r"met|missed|undecided|not measured", r["verdict"]) for r in rows)
    measured = [r for r in rows if r["measured"] is not None]
    assert {r["id"].partition(".")[0] for r in measured} >= {"amplify", "ensemble"}
    assert all(r["preset"] in ("laptop", "paper") and r["figure"] for r in measured)


def test_status_json_has_every_study_at_every_preset():
    rows = json.loads((BUILD / "status.json").read_text())
    keys = {"study", "preset", "parts_done", "parts_wanted"}
    assert all(keys <= set(row) for row in rows)
    assert len({(row["study"], row["preset"]) for row in rows}) == len(rows) >= 12


def test_the_figure_of_the_readme_is_the_books():
    """Drawn anew by ``make book``: all is alike but the day, and lengths in their last digits.

    The names of paths and clipped areas are hashes of lengths: here, their places in the drawing.
    """
    built = ROOT / "book" / "notebooks" / "figures" / "amplify-fig2.svg"
    number = r"-?\d+\.\d+"
    texts, lengths = [], []
    for path in (built, ROOT / "book" / "_static" / "amplify-fig2.svg"):
        text = re.sub("<dc:date>.*</dc:date>", "", path.read_text(encoding="utf-8"))
        for place, name in enumerate(re.findall(r'id="([mp][0-9a-f]{10})"', text)):
            text = text.replace(name, f"path {place}")
        texts.append(re.sub(number, "", text))
        lengths.append([float(found) for found in re.findall(number, text)])
    assert texts[0] == texts[1], "make book, then python workflow/readme.py"
    assert lengths[0] == pytest.approx(lengths[1], abs=0.01)
