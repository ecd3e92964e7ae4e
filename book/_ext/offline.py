"""HTML that asks for nothing outside itself.

The theme, jupyter-book and Sphinx together emit the MathJax script twice, and Thebe's launcher
although no page can launch anything. MathJax itself comes from the package that ships it.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.fileutil import copy_asset

MATHJAX_PARTS = ("tex-mml-chtml.js", "output/chtml/fonts/woff-v2")


def mathjax_source() -> Path:
    """Folder of MathJax 3 in the pinned package ``sphinx-mathjax-offline``."""
    spec = find_spec("sphinx-mathjax-offline")
    if spec is None or spec.origin is None:
        raise ExtensionError("sphinx-mathjax-offline is missing: pip install -r requirements.lock")
    return Path(spec.origin).parent / "static" / "mathjax"


def copy_mathjax(app: Sphinx) -> None:
    """Copy the one combined script and its fonts: 1.6 MB of the 20 which the package holds."""
    if app.builder.format != "html":
        return
    for part in MATHJAX_PARTS:
        source = mathjax_source() / part
        target = Path(app.outdir) / "_static" / "mathjax" / part
        folder = target if source.is_dir() else target.parent
        folder.mkdir(parents=True, exist_ok=True)
        copy_asset(source, folder)


def keep_local_scripts(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Keep each script once, and none of Thebe's."""
    kept: dict[tuple[str, str], Any] = {}
    for script in context.get("script_files", []):
        name = str(getattr(script, "filename", None) or "")
        body = str(getattr(script, "attributes", {}).get("body", ""))
        if "thebe" in f"{name}{body}".lower():
            continue
        kept.setdefault((name, body), script)
    context["script_files"] = list(kept.values())


def drop_launcher(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Remove Thebe's launch settings from the page's body."""
    for node in list(doctree.findall(nodes.raw)):
        if "thebe" in node.astext() or "kernelName" in node.astext():
            node.parent.remove(node)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", keep_local_scripts, priority=900)
    app.connect("builder-inited", copy_mathjax)
    app.connect("doctree-resolved", drop_launcher, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
