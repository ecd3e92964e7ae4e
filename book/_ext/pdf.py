"""What the PDF shows differently: parts get their headings, code stays in the HTML.

The doctrees are shared between the builders, hence post-transforms that only LaTeX runs.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

NOT_IN_PDF = {"html-only", "sd-stretched-link"}  # the latter: what makes a card clickable
SHOW_CODE = "tag_show-code"
LINE = 100  # characters of a table's font on a line of the page


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


class FitTables(SphinxPostTransform):
    """Give the columns of a table that is wider than the page widths after their contents.

    A column gets at least its longest word, and of what is left a share with the square root of
    its longest cell: prose wraps, keys and numbers do not.
    """

    default_priority = 600
    formats = ("latex",)

    def run(self, **kwargs: object) -> None:
        for table in list(self.document.findall(nodes.table)):
            columns = cell_texts(table)
            if sum(max(map(len, cells)) for cells in columns) <= LINE or given_widths(table):
                continue
            words = [max(map(longest_word, cells)) for cells in columns]
            wishes = [max(map(len, cells)) ** 0.5 for cells in columns]
            spare = max(LINE - sum(words), 0) / sum(wishes)
            widths = [word + spare * wish for word, wish in zip(words, wishes, strict=True)]
            specs = list(table.findall(nodes.colspec))
            for spec, width in zip(specs, widths, strict=True):
                spec["colwidth"] = round(100 * width / sum(widths))
            table["classes"].append("colwidths-given")


def given_widths(table: nodes.table) -> bool:
    return "colwidths-given" in table.get("classes", [])


def cell_texts(table: nodes.table) -> list[list[str]]:
    """Text of each cell, column by column, of a table without spans."""
    rows = [[cell.astext() for cell in row.children] for row in table.findall(nodes.row)]
    if len({len(row) for row in rows}) != 1:
        return [[""]]
    return [list(column) for column in zip(*rows, strict=True)]


def longest_word(text: str) -> int:
    """Characters of the longest stretch that LaTeX will not break."""
    return max((len(word) for word in re.split(r"[\s/]+", text)), default=0)


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


def setup(app: Sphinx) -> dict[str, bool]:
    for transform in (HtmlOnly, HideCode, FitTables, PartHeadings, FrontPage):
        app.add_post_transform(transform)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
