"""One figure again: run the notebook that owns it and take the figure out."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from amplib.book.obtain import BEST
from amplib.book.points import points
from amplib.files import repository, write_atomically
from amplib.parameters import ParameterError, nearest

LONGEST = 100
"""Characters of what is added to a figure's name: a file system takes no more than 255 bytes."""


def owners() -> dict[str, str]:
    """Figure key -> notebook that draws it, from the notebooks' sources."""
    found: dict[str, str] = {}
    for source in sorted((repository() / "notebooks").glob("*.py")):
        for key in re.findall(
            r'"figure": \{"name": "([\w-]+)"', source.read_text(encoding="utf-8")
        ):
            found[key] = source.stem
    return found


def draw(key: str, preset: str, parameters: Mapping[str, object]) -> list[Path]:
    """Draw a figure at a preset, computing what is missing for it.

    Returns:
        The executed notebook in ``_build``; svg and pdf in ``_build/figures``.  What differs from
        the book's own figure is part of their names.

    Raises:
        ParameterError: for an unknown key or preset, a parameter that the notebook does not have,
            or a value that cannot be, before anything is run.
    """
    owner = owners()
    if key not in owner:
        near = nearest(key, owner) or f"; allowed: {', '.join(owner)}"
        raise ParameterError(f"unknown figure {key!r}{near}")
    (point,) = points([owner[key]], preset, {"list": [dict(parameters)]})
    root = repository()
    named = suffix(preset, parameters)
    executed = root / "_build" / f"{key}{named}.ipynb"
    pairs = point.parameters.items()
    options = [text for name, value in pairs for text in ("-p", name, json.dumps(value))]
    runner = [sys.executable, str(root / "workflow" / "notebook.py"), "run", owner[key]]
    process = subprocess.Popen([*runner, str(executed), "-s", named, *options], cwd=root)
    try:
        status = process.wait()
    except SystemExit:  # Ctrl-C reaches it without us
        process.terminate()
        process.wait()
        raise
    if status:
        sys.exit(status)  # the notebook has said why
    made = (executed.parent / "figures" / f"{key}{named}{kind}" for kind in (".pdf", ".svg"))
    return [executed, *filter(Path.exists, made)]


def suffix(preset: str, parameters: Mapping[str, object]) -> str:
    """Of the files of a figure that is not the book's own.

    >>> suffix("best", {}), suffix("laptop", {"n_train": 50, "loss": "a/b"})
    ('', '-laptop-n_train=50-loss=a-b')
    """
    told = [preset] * (preset != BEST) + [f"{k}={v}" for k, v in parameters.items()]
    name = "".join("-" + re.sub(r"[^\w.=+-]+", "-", text) for text in told)
    if len(name) <= LONGEST:
        return name
    return f"{name[:LONGEST]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def extract(executed: Path, folder: Path, suffix: str = "") -> list[Path]:
    """Write the figures of an executed notebook as svg and pdf files, under their keys.

    Args:
        executed: the notebook.
        folder: where they are written.
        suffix: of their names.
    """
    import nbformat

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for cell in nbformat.read(executed, 4).cells:
        name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
        if name is None:
            continue
        name += suffix
        for output in cell.outputs:
            data = output.get("data", {})
            for mime, ending, decode in (
                ("image/svg+xml", ".svg", str.encode),
                ("application/pdf", ".pdf", base64.b64decode),
            ):
                if mime in data:
                    write_atomically(folder / (name + ending), decode(data[mime]))
                    paths.append(folder / (name + ending))
    return paths
