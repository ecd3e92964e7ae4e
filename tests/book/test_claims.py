"""Claims: complete, fresh, and no result typed by hand."""

import json
import re
import runpy
import subprocess
import sys

import numpy as np
import pytest
import yaml
from markdown_it import MarkdownIt
from stored_parts import MADE, gan_part

from amplib.book.claims import all_claims, says
from amplib.book.figure import owners
from amplib.book.obtain import stored
from amplib.files import ROOT
from amplib.store.results import Result
from amplib.studies.catalogue import claims, make_study
from amplib.studies.claim import claim


def test_every_claim_of_the_papers_has_a_row_and_no_row_is_an_orphan():
    assert [c.id for c in all_claims()] == list(says())
    assert set(claims()) <= set(says())


def test_a_claim_is_measured_once():
    name = next(iter(claims()))
    with pytest.raises(ValueError, match=f"{name} is measured twice"):
        claim(name, "amplify-fig2", "fit")(lambda evidence, value: None)


def test_a_claim_points_at_a_figure_or_a_table_of_the_book():
    sources = "".join(p.read_text() for p in (ROOT / "notebooks").glob("*.py"))
    tables = set(re.findall(r'show_table\(\s*"([\w-]+)"', sources))
    assert {c.figure for c in claims().values()} <= set(owners()) | tables


def test_verdicts_begin_as_readers_and_machines_expect():
    for row in all_claims():
        assert re.match(r"(met|missed|undecided|not measured)( \(| yet|$)", row.verdict)
        assert (row.measured is None) == row.verdict.startswith("not measured")


def test_where_all_diverged_one_row_says_so_and_the_others_stand(monkeypatch, tmp_path):
    """And where none is at the papers' number of events, or all have failed."""
    study = make_study("gan", "smoke", repetitions=2, max_events=200)
    lone, other = "amplify.gan-amplification-50", "amplify.fit-equivalent-50"
    assert {lone, other} <= set(says())

    def row(diverged, failed=False):
        result = Result(study, "smoke", tmp_path / f"{diverged}{failed}")
        for k in range(2):
            part = {**gan_part(study, k), "diverged": np.array(diverged)}
            result.save((k, 0), part, MADE)
        monkeypatch.setattr("amplib.studies.camel.reading.has_failed", lambda part: failed)
        own = {"gan": result}
        monkeypatch.setattr(
            "amplib.book.claims.stored",
            lambda name, preset="best", **k: (
                own[name] if name in own else stored(name, preset, **k)
            ),
        )
        found = {c.id: c for c in all_claims(only={lone, other})}
        assert found[other].measured is not None
        assert found[lone].verdict == "not measured"
        return found[lone].why

    assert row(2) == "all 2 repetitions of gan diverged"
    assert row(-1, failed=True) == "all 2 repetitions have trainings that failed"


def test_the_command_writes_what_the_table_shows(tmp_path):
    path = tmp_path / "claims.json"
    subprocess.run(
        [sys.executable, "-m", "amplib", "claims", "--json", str(path)], check=True, cwd=ROOT
    )
    rows = json.loads(path.read_text())
    assert [r["id"] for r in rows] == [c.id for c in all_claims()]
    assert set(rows[0]) >= {"id", "says", "measured", "error", "preset", "verdict", "figure"}


def test_no_result_is_typed_by_hand():
    """No text of the book holds a measured number: prose takes it from glue.

    Compared are the numbers with an error that the claims and reference outputs print.
    """
    printed = "\n".join(p.read_text() for p in (ROOT / "tests" / "reference").glob("*.json"))
    printed += "\n".join(c.measured or "" for c in all_claims())
    measured = set(re.findall(r"[\d.]+ ± [\d.]+", printed))
    assert measured, "no reference prints a number with its error"
    sources = [*(ROOT / "book").glob("*.md"), *(ROOT / "notebooks").glob("*.py")]
    for source in sources:
        text = source.read_text()
        assert not [m for m in measured if m in text], source
        assert "±" not in text, f"{source} types an error by hand"


def test_the_readme_numbers_are_fresh():
    readme = (ROOT / "README.md").read_text()
    fresh = runpy.run_path(str(ROOT / "workflow" / "readme.py"))["values"]()
    assert dict(re.findall(r"<!-- ([\w-]+) -->(.*?)<!-- /\1 -->", readme, re.S)) == fresh


def test_the_readme_number_is_rendered_within_its_sentence():
    """A line that begins with a comment ends the paragraph in CommonMark, and stars stay stars."""
    html = MarkdownIt("commonmark").enable("table").render((ROOT / "README.md").read_text())
    (paragraph,) = re.findall("<p>Of <!-- scale -->.*?</p>", html, re.S)
    assert "<!-- /failures -->" in paragraph
    (paragraph_of_means,) = re.findall("<p>The factor is.*?</p>", html, re.S)
    assert "<!-- /fixed-median -->" in paragraph_of_means
    assert re.search("<!-- number --><strong>[^*]+</strong><!-- /number -->", paragraph)
    shown = re.sub("<!--.*?-->|<pre>.*?</pre>|<code>.*?</code>", "", html, flags=re.S)
    assert "*" not in shown and "`" not in shown and "|" not in shown


def test_spec_and_book_agree_on_documents():
    spec = yaml.safe_load((ROOT / "book" / "figures.yml").read_text())
    assert set(spec["documents"]) >= {c.partition(".")[0] for c in says()}
