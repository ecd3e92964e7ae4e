"""Claims: complete, fresh, and no result typed by hand."""

import json
import re
import subprocess
import sys

import yaml

from amplib.book.claims import MEASURES, Evidence, all_claims, says
from amplib.book.figure import owners
from amplib.files import ROOT


def test_every_claim_of_the_papers_has_a_row_and_no_row_is_an_orphan():
    assert [c.id for c in all_claims()] == list(says())
    assert set(MEASURES) <= set(says())


def test_a_claim_points_at_a_figure_of_the_book():
    assert {figure for _, figure, _ in MEASURES.values()} <= set(owners())


def test_verdicts_begin_as_readers_and_machines_expect():
    for claim in all_claims():
        assert re.match(r"(met|missed|undecided|not measured)( \(| yet|$)", claim.verdict)
        assert (claim.measured is None) == claim.verdict.startswith("not measured")


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


def test_the_readme_number_is_fresh():
    readme = (ROOT / "README.md").read_text()
    curve = Evidence().all_gans
    for name, value in {
        "number": curve.asymptote.median_amplification(50),
        "coarse": curve.asymptote.median_amplification(10),
        "failures": curve.failures,
        "mean": Evidence().gan.asymptote.amplification(50),
    }.items():
        (text,) = re.findall(f"<!-- {name} -->(.*?)<!-- /{name} -->", readme, re.S)
        assert str(value) in text


def test_spec_and_book_agree_on_documents():
    spec = yaml.safe_load((ROOT / "book" / "figures.yml").read_text())
    assert set(spec["documents"]) >= {c.partition(".")[0] for c in says()}
