"""On a page stand symbols where a text for a terminal spells them: δ with its index for delta_OF.

Numbers, verdicts and names of columns are texts, which a terminal and ``claims.json`` have as
well.  They reach the pages through glue and tables, and only here is known where code begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from amplib.style import with_minus

SYMBOLS = {
    r"(?:δ|\bdelta)_OF\b": r"\\delta_{OF}",
    r"\bN_equiv\b": r"N_\\mathrm{equiv}",
    r"<S(?:²|\^2)>": r"\\langle S^2\\rangle",
    r"\bN\(0, 1\)": r"\\mathcal N(0, 1)",
    r"\bp_([xyz])\b": r"p_\1",
    r"\bE_([jl]\d)\b": r"E_{\1}",
    r"\bpT_([jl]\d)\b": r"p_{T,\1}",
    r"\b(eta|phi)_([jl]\d)\b": r"\\\1_{\2}",
    r"\b(alpha|delta|gamma)\b": r"\\\1",
}
"""Patterns of plain texts, and the mathematics that they stand for."""
NOT_PROSE = (
    nodes.literal,
    nodes.FixedTextElement,
    nodes.math,
    nodes.raw,
    nodes.comment,
    addnodes.desc,
    addnodes.index,
)


class Symbols(SphinxPostTransform):
    """Set the symbols in prose, captions, tables and titles; negative numbers get their minus."""

    default_priority = 590  # after references are resolved, before tables are measured

    def run(self, **kwargs: object) -> None:
        for text in list(self.document.findall(nodes.Text)):
            if within(text, NOT_PROSE):
                continue
            parts = list(in_symbols(text.astext()))
            if [part.astext() for part in parts] != [text.astext()]:
                text.parent.replace(text, parts)
            if any(isinstance(part, nodes.math) for part in parts):
                self.load_mathjax()

    def load_mathjax(self) -> None:
        """Sphinx has noted while reading which pages have mathematics."""
        self.env.get_domain("math").data["has_equations"][self.env.docname] = True


def within(node: nodes.Node, kinds: tuple[type[nodes.Node], ...]) -> bool:
    while node.parent is not None:
        node = node.parent
        if isinstance(node, kinds):
            return True
    return False


def in_symbols(text: str) -> Iterator[nodes.Text | nodes.math]:
    """A text in pieces, prose and mathematics by turns."""
    found = min(
        ((m, symbol) for p, symbol in SYMBOLS.items() if (m := re.search(p, text))),
        key=lambda pair: pair[0].start(),
        default=None,
    )
    before = text if found is None else text[: found[0].start()]
    if before:
        yield nodes.Text(with_minus(before))
    if found is not None:
        match, symbol = found
        source = match.expand(symbol)
        yield nodes.math(source, source)
        yield from in_symbols(text[match.end() :])


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_post_transform(Symbols)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
