"""Properties whose first line has a colon: Napoleon takes the words before it for their type."""

from __future__ import annotations

from sphinx.application import Sphinx

KINDS = ("attribute", "data", "property")


def as_sentences(
    app: Sphinx | None, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Have an empty comment in the line where Napoleon looks for a type."""
    if what in KINDS and lines:
        lines[:0] = ["..", ""]


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", as_sentences, priority=400)  # before Napoleon's 500
    return {"parallel_read_safe": True, "parallel_write_safe": True}
