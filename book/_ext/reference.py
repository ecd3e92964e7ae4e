"""What the API reference shows of docstrings, values and signatures."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.ext.autodoc import AttributeDocumenter, DataDocumenter
from sphinx.util.inspect import object_description

KINDS = ("attribute", "data", "property")
LONGEST = 120
"""Characters of a value that still say something: arrays and tables fill screens."""


def as_sentences(
    app: Sphinx | None, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Have an empty comment in the line where Napoleon looks for a type: if the first line has a
    colon, it takes the words before it for one."""
    if what in KINDS and lines:
        lines[:0] = ["..", ""]


def formulas(
    app: Sphinx | None, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Set what stands between dollars, as in the notebooks; it may go over a line's end."""
    text = re.sub(r"\$([^$]+)\$", r":math:`\1`", "\n".join(lines))
    lines[:] = text.split("\n")


def is_long(value: object) -> bool:
    """Whether it is left out."""
    return len(object_description(value)) > LONGEST


def signature(
    app: Sphinx | None, what: str, name: str, thing: object, options: object, text: str, to: str
) -> tuple[str, str] | None:
    """Empty where it says nothing: of protocols, and of what only derived classes build."""
    return ("", "") if what == "class" and text == "(*args, **kwargs)" else None


class _Short:
    """A constant with its value, if that is short."""

    object: Any

    def should_suppress_value_header(self) -> bool:
        return is_long(self.object) or super().should_suppress_value_header()  # type: ignore[misc]


class ShortData(_Short, DataDocumenter):
    """Of a module."""

    priority = DataDocumenter.priority + 1


class ShortAttribute(_Short, AttributeDocumenter):
    """Of a class."""

    priority = AttributeDocumenter.priority + 1


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", as_sentences, priority=400)  # before Napoleon's 500
    app.connect("autodoc-process-docstring", formulas, priority=600)
    app.connect("autodoc-process-signature", signature)
    app.setup_extension("sphinx.ext.autodoc")
    for documenter in (ShortData, ShortAttribute):
        app.add_autodocumenter(documenter, override=True)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
