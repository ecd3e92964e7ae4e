"""What the PDF shows differently: parts get their headings, code stays in the HTML.

The doctrees are shared between the builders, hence post-transforms, all but one of LaTeX alone.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

NOT_IN_PDF = {"html-only", "sd-stretched-link"}  # the latter: what makes a card clickable
SHOW_CODE = "tag_show-code"
LINE = 108  # characters of a table's font on a line of the page
GAP = 2  # of them between two columns
SMALLER = {1.0: "small", 9 / 8: "footnotesize", 9 / 7: "scriptsize"}  # what more fits on a line
TALL = 20  # lines from which a table may go on on the next page: beneath a figure few have room
COMMAND = re.compile(
    r"""( make [ ] \w+ (?: [ ] [A-Z]+ = (?: ["“”] [^"“”]* ["“”] | [^\s;]+ ) )+
        | python [ ] \S+ [.]py (?: [ ] [-–]+ \w+ (?: [ ] \d+ )? )* )""",
    re.VERBOSE,
)
TYPED = str.maketrans({"“": '"', "”": '"', "–": "--"})  # undoes Sphinx's smart quotes and dashes
CODE = (nodes.literal, nodes.FixedTextElement)


class HideCode(SphinxPostTransform):
    """Drop the source of every code cell that is not tagged ``show-code``."""

    default_priority = 400
    formats = ("latex",)

    def run(self, **kwargs: object) -> None:
        for cell in list(self.document.findall(nodes.container)):
            classes = cell.get("classes", [])
            if "cell" not in classes or SHOW_CODE in classes:
                continue
            for child in list(cell.children):
                if isinstance(child, nodes.Element) and "cell_input" in child.get("classes", []):
                    cell.remove(child)


class HtmlOnly(SphinxPostTransform):
    """Drop what carries the class ``html-only``, and the links behind cards."""

    default_priority = 399
    formats = ("latex",)

    def run(self, **kwargs: object) -> None:
        for node in list(self.document.findall(nodes.Element)):
            if not NOT_IN_PDF.isdisjoint(node.get("classes", [])) and node.parent is not None:
                node.parent.remove(node)


class Commands(SphinxPostTransform):
    """The commands below figures can be copied: with the quotes and hyphens that one types.

    TeX would join them again, so that there they are code.
    """

    default_priority = 594

    def run(self, **kwargs: object) -> None:
        as_code = self.app.builder.format == "latex"
        for text in prose(self.document):
            parts = commands(text.astext(), as_code)
            if len(parts) > 1:
                text.parent.replace(text, parts)


def commands(text: str, as_code: bool) -> list[nodes.Node]:
    """A text in pieces, the commands apart."""
    before, *rest = COMMAND.split(text)
    parts: list[nodes.Node] = [nodes.Text(before)]
    for found, after in zip(rest[::2], rest[1::2], strict=True):
        command = found.translate(TYPED)
        parts.append(nodes.literal(command, command) if as_code else nodes.Text(command))
        parts.append(nodes.Text(after))
    return parts


class KeepNumbers(SphinxPostTransform):
    """No line ends between a value and its error."""

    default_priority = 595
    formats = ("latex",)

    def run(self, **kwargs: object) -> None:
        for text in prose(self.document):
            if " ± " in text:
                text.parent.replace(text, nodes.Text(text.replace(" ± ", "\xa0±\xa0")))


def prose(document: nodes.document) -> list[nodes.Text]:
    """All texts but code."""
    return [text for text in document.findall(nodes.Text) if not isinstance(text.parent, CODE)]


class FitTables(SphinxPostTransform):
    """Give the columns of a table that is wider than the page widths after their contents.

    Where a smaller font spares the table that, it gets one.  Otherwise a column gets at least its
    longest word, and of what is left a share with the square root of what its longest cell wants
    beyond: prose wraps, keys and numbers do not.  A tall table may break between its rows.
    """

    default_priority = 600
    formats = ("latex",)

    def run(self, **kwargs: object) -> None:
        for table in list(self.document.findall(nodes.table)):
            drop_empty_paragraphs(table)
            columns = cell_texts(table)
            widths = [float(max(map(len, cells))) for cells in columns]
            if sum(widths) > room(columns) and not given_widths(table):
                words = [longest_word(cells) for cells in columns]
                size = enlargement(sum(words), sum(widths), room(columns))
                widths = column_widths(words, widths, size * room(columns))
                for spec, width in zip(table.findall(nodes.colspec), widths, strict=True):
                    spec["colwidth"] = round(1000 * (width + GAP) / sum(w + GAP for w in widths))
                table["classes"].append("colwidths-given")
                set_in(SMALLER[size], table)
            # Without a caption LaTeX would count it all the same.
            if lines(columns, widths) > TALL and table.next_node(nodes.title):
                table["classes"].append("longtable")


def drop_empty_paragraphs(table: nodes.table) -> None:
    """LaTeX makes two lines of a cell with an empty paragraph."""
    for entry in table.findall(nodes.entry):
        if not entry.astext().strip() and not list(entry.findall(nodes.image)):
            entry.clear()


def room(columns: list[list[str]]) -> float:
    """Characters that a line has for the cells of so many columns."""
    return LINE - GAP * len(columns)


def enlargement(words: float, cells: float, available: float) -> float:
    """How much smaller the font has to be, of ``SMALLER``: for the cells in one line each or, if
    these are too long for any, for the longest words with something to spare."""
    fitting = [size for size in SMALLER if cells <= 1.05 * size * available]
    fitting = fitting or [size for size in SMALLER if 1.2 * words <= size * available]
    return min(fitting, default=max(SMALLER))


def column_widths(words: list[int], cells: list[float], available: float) -> list[float]:
    """Widths between a column's longest word and its longest cell, in characters.

    >>> column_widths([4, 10], [4.0, 400.0], 50)
    [4.0, 46.0]
    """
    widths = [float(word) for word in words]
    for _ in words:  # what a column does not want goes to the others
        wishes = [max(cell - width, 0) ** 0.5 for cell, width in zip(cells, widths, strict=True)]
        spare = available - sum(widths)
        if spare <= 0 or not any(wishes):
            break
        share = spare / sum(wishes)
        widths = [
            max(width, min(cell, width + share * wish))
            for cell, width, wish in zip(cells, widths, wishes, strict=True)
        ]
    return widths


def set_in(font: str, table: nodes.table) -> None:
    """Put the table into a group of its own with another font for tables."""
    if font == "small":
        return
    begin, end = f"{{\\renewcommand{{\\tablefont}}{{\\{font}}}", "}"
    parent, place = table.parent, table.parent.index(table)
    parent.insert(place + 1, nodes.raw("", f"\n\n{end}\n", format="latex"))
    parent.insert(place, nodes.raw("", f"\n{begin}\n", format="latex"))


def lines(columns: list[list[str]], widths: list[float]) -> int:
    """Lines that a table takes with its columns so many characters wide."""
    taken = [
        [-(-len(cell) // max(int(width), 1)) or 1 for cell in cells]
        for cells, width in zip(columns, widths, strict=True)
    ]
    return sum(map(max, zip(*taken, strict=True)))


def given_widths(table: nodes.table) -> bool:
    return "colwidths-given" in table.get("classes", [])


def cell_texts(table: nodes.table) -> list[list[str]]:
    """Text of each cell as it will be printed, column by column, of a table without spans."""
    rows = [[printed(cell) for cell in row.children] for row in table.findall(nodes.row)]
    if len({len(row) for row in rows}) != 1:
        return [[""]]
    return [list(column) for column in zip(*rows, strict=True)]


def printed(cell: nodes.Node) -> str:
    """Text of a cell, as long as it is wide: of code more, of mathematics less than its source."""

    def of(text: nodes.Text) -> str:
        if isinstance(text.parent, nodes.math):
            return re.sub(r"\\[a-zA-Z]+ ?", "x", re.sub(r"[{}^_]", "", text.astext()))
        if isinstance(text.parent, nodes.literal):
            return re.sub(r"\S{4}", r"\g<0>m", text.astext())
        return text.astext()

    return "".join(map(of, cell.findall(nodes.Text)))


def longest_word(cells: list[str]) -> int:
    """Characters of the longest stretch of a column that LaTeX will not break; its head is set in
    wider letters."""
    head, *body = (max(map(len, re.split(r"[ \n/]+", cell)), default=0) for cell in cells)
    return max([round(1.2 * head), *body])


class PartHeadings(SphinxPostTransform):
    """Set the captions of the table of contents as unnumbered parts."""

    default_priority = 700
    formats = ("latex",)

    def run(self, **kwargs: object) -> None:
        wrappers = [
            node
            for node in self.document.findall(nodes.compound)
            if "toctree-wrapper" in node["classes"] and not within_other_page(node)
        ]
        trees = self.config.external_site_map.root.subtrees
        for wrapper, tree in zip(wrappers, trees, strict=True):
            if tree.caption:
                heading = f"\n\\bookpart{{{tree.caption}}}\n"
                wrapper.insert(0, nodes.raw("", heading, format="latex"))


def within_other_page(node: nodes.Element | None) -> bool:
    while node is not None:
        if isinstance(node, addnodes.start_of_file):
            return True
        node = node.parent
    return False


class FrontPage(SphinxPostTransform):
    """The first page's own sections become headings within it, not peers of the other pages."""

    default_priority = 701
    formats = ("latex",)

    def run(self, **kwargs: object) -> None:
        front = next(iter(self.document.findall(nodes.section)), None)
        if front is None:
            return
        for section in [node for node in front.children if isinstance(node, nodes.section)]:
            if any(True for _ in section.findall(addnodes.start_of_file)):
                continue
            title = section.next_node(nodes.title)
            heading = nodes.rubric("", "", *title.children, ids=section["ids"])
            section.replace_self([heading, *section.children[1:]])


TRANSFORMS = (
    HtmlOnly,
    HideCode,
    Commands,
    KeepNumbers,
    FitTables,
    PartHeadings,
    FrontPage,
)


def setup(app: Sphinx) -> dict[str, bool]:
    for transform in TRANSFORMS:
        app.add_post_transform(transform)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
