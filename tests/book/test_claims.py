"""Claims: complete, fresh, and no result typed by hand."""

import json
import re
import subprocess
import sys

import pytest
import yaml

from amplib.book.claims import MEASURES, Evidence, all_claims, says
from amplib.book.figure import owners
from amplib.estimate import Estimate
from amplib.files import ROOT
from amplib.metrics.verdict import about, above, within


def test_every_claim_of_the_papers_has_a_row_and_no_row_is_an_orphan():
    assert [c.id for c in all_claims()] == list(says())
    assert set(MEASURES) <= set(says())


def test_a_claim_points_at_a_figure_of_the_book():
    assert {figure for _, figure, _ in MEASURES.values()} <= set(owners())


def test_verdicts_begin_as_readers_and_machines_expect():
    for claim in all_claims():
        assert re.match(r"met|missed|not measured", claim.verdict)
        assert (claim.measured is None) == claim.verdict.startswith("not measured")


@pytest.mark.parametrize(
    ("value", "error", "met"),
    [(300, 1, True), (245, 1, True), (230, 1, False), (230, 40, True), (365, 1, False)],
)
def test_about_is_twenty_percent_or_two_sigma(value, error, met):
    assert about(Estimate(value, error), 300).met is met


def test_a_range_needs_both_ends_and_a_bound_its_side():
    low, high = Estimate(150, 1), Estimate(600, 1)
    assert within(low, high, [150, 600]).met
    assert not within(low, high, [150, 900]).met
    assert above(Estimate(5.1, 3), 5).met
    assert not above(Estimate(4.9, 3), 5).met


def test_one_clear_miss_is_not_within_errors():
    """The other end may be: only what two errors could turn as a whole is marked."""
    clear, close = Estimate(300, 1), Estimate(800, 50)
    assert within(Estimate(150, 1), close, [150, 700]).tight
    assert within(Estimate(150, 1), Estimate(900, 50), [150, 700]).tight
    assert not within(clear, close, [150, 700]).tight
    assert not within(clear, close, [150, 700]).met


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
    }.items():
        (text,) = re.findall(f"<!-- {name} -->(.*?)<!-- /{name} -->", readme, re.S)
        assert str(value) in text


def test_spec_and_book_agree_on_documents():
    spec = yaml.safe_load((ROOT / "book" / "figures.yml").read_text())
    assert set(spec["documents"]) >= {c.partition(".")[0] for c in says()}
