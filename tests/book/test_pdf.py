"""What the PDF shows differently, and what LaTeX said of it."""

import re

import pytest
from docutils import nodes
from docutils.core import publish_doctree
from pdf import TALL, FitTables, KeepNumbers, column_widths, commands

from amplib.files import ROOT

LOG = ROOT / "_build" / "latex" / "amplify.log"
FAULTS = {
    "a reference that leads nowhere": r"Warning: .*undefined",
    "a character that the font lacks": r"Missing character",
    "a page whose end is cut off": r"Overfull \\vbox",
    "a figure that is higher than the page": r"Float too large",
    "a line beyond the margin": r"Overfull \\hbox \((?!\d\.)",  # by less than 10 pt nobody sees
}


@pytest.mark.skipif(not LOG.exists(), reason="no PDF: make pdf")
@pytest.mark.parametrize("fault", FAULTS)
def test_latex_complains_of_no(fault):
    # LaTeX breaks the lines of its log after 79 characters.
    log = LOG.read_text(errors="replace").replace("\n", "")
    assert re.findall(FAULTS[fault] + ".{0,80}", log) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_as_latex_words_it(fault):
    said = {
        "a reference that leads nowhere": "LaTeX Warning: Hyper reference `a::doc' undefined",
        "a character that the font lacks": "Missing character: There is no ℵ in font FreeSerif",
        "a page whose end is cut off": r"Overfull \vbox (186.16684pt too high) has occurred",
        "a figure that is higher than the page": "Float too large for page by 91.96199pt on input",
        "a line beyond the margin": r"Overfull \hbox (14.5pt too wide) in paragraph",
    }
    assert [f for f, pattern in FAULTS.items() if re.search(pattern, said[fault])] == [fault]


def table(*rows: str) -> nodes.table:
    """A table with a caption as it is printed, its first row the head."""
    body = "".join(f"   * - {' '.join(row.split())}\n".replace("|", "\n     -") for row in rows)
    document = publish_doctree(f".. list-table:: Title\n   :header-rows: 1\n\n{body}")
    for transform in (KeepNumbers, FitTables):
        transform(document).run()
    return next(document.findall(nodes.table))


def widths(table: nodes.table) -> list[float]:
    columns = [spec["colwidth"] for spec in table.findall(nodes.colspec)]
    return [width / sum(columns) for width in columns]


def test_a_key_stays_whole_beside_prose():
    key, prose = widths(table("key | says", "a-key-of-twenty-char | " + "many words " * 40))
    assert 20 / 108 < key < 0.3 and prose > 0.7


def test_a_narrow_table_is_left_alone():
    assert "colwidths-given" not in table("a | b", "1 ± 2 | 3")["classes"]


def test_a_value_is_not_parted_from_its_error():
    assert "0.123456 ± 0.000012".replace(" ", "\xa0") in table("a", "0.123456 ± 0.000012").astext()


@pytest.mark.parametrize(
    ("columns", "font"), [(5, None), (6, "footnotesize"), (7, "scriptsize"), (9, "scriptsize")]
)
def test_a_table_of_many_numbers_gets_a_smaller_font(columns, font):
    head, row = (" | ".join([cell] * columns) for cell in ("a", "0.12345 ± 0.000012"))
    begins = [raw.astext() for raw in table(head, row).parent.findall(nodes.raw)][:1]
    assert begins == ([f"\n{{\\renewcommand{{\\tablefont}}{{\\{font}}}\n"] if font else [])


def test_a_tall_table_may_break_and_a_small_one_not():
    assert "longtable" in table("a", *["1"] * TALL)["classes"]
    assert "longtable" not in table("a", *["1"] * (TALL - 1))["classes"]
    assert "longtable" in table("a", "many words " * 10 * TALL)["classes"]


def test_an_empty_cell_has_no_paragraph():
    entries = list(table("a | b", "1 |").findall(nodes.entry))
    assert [len(entry) for entry in entries] == [1, 1, 1, 0]


def test_columns_share_what_is_left_and_take_no_more_than_they_want():
    given = column_widths([5, 5, 5], [5.0, 6.0, 100.0], 40)
    assert given == pytest.approx([5.0, 6.0, 29.0], abs=0.1)


def test_a_heading_wider_than_its_column_takes_what_it_needs():
    assert column_widths([7, 5], [6.0, 50.0], 30) == pytest.approx([7.0, 23.0])


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("make figure ID=a-fig1 PRESET=paper SET=”epochs=15 width=3”", 'SET="epochs=15 width=3"'),
        ("python benchmarks/scaling.py –rounds 3 –slurm", "scaling.py --rounds 3 --slurm"),
    ],
)
def test_a_command_below_a_figure_can_be_copied(said, typed):
    before, command, after = commands(f"Seed 1. Again: {said}", as_code=True)
    assert isinstance(command, nodes.literal) and command.astext().endswith(typed)
    assert (before.astext(), after.astext()) == ("Seed 1. Again: ", "")
    assert "".join(p.astext() for p in commands(f"See {said}; it", as_code=False)).endswith(
        f"{typed}; it"
    )
