"""No stale number: every page is written again when a notebook has run again.

Pages quote numbers, captions and tables of notebooks. They are filled in while writing, and Sphinx
does not know of it: it would keep the old number on a page whose own source did not change.
"""

from __future__ import annotations

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


def setup(app: Sphinx) -> dict[str, bool]:
    read: set[str] = set()

    def note_pages_read(app: Sphinx, env: BuildEnvironment, pages: list[str]) -> None:
        read.update(pages)

    def pages_to_write(app: Sphinx, env: BuildEnvironment) -> list[str]:
        rerun = any(str(env.doc2path(page)).endswith(".ipynb") for page in read)
        return sorted(env.found_docs) if rerun else []

    app.connect("env-before-read-docs", note_pages_read)
    app.connect("env-updated", pages_to_write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
