"""One figure again: run the notebook that owns it and take the figure out."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from amplib.book.obtain import check_preset
from amplib.files import repository, write_atomically
from amplib.parameters import ParameterError


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
        The executed notebook in ``_build``; svg and pdf in ``_build/figures``.

    Raises:
        ParameterError: for an unknown key or preset.
    """
    owner = owners()
    if key not in owner:
        raise ParameterError(f"unknown figure {key!r}; allowed: {', '.join(owner)}")
    check_preset(preset)
    root = repository()
    executed = root / "_build" / f"{key}.ipynb"
    pairs = {"preset": preset, **parameters}
    options = [text for name, value in pairs.items() for text in ("-p", name, json.dumps(value))]
    runner = [sys.executable, str(root / "workflow" / "notebook.py")]
    done = subprocess.run([*runner, "run", owner[key], str(executed), *options], cwd=root)
    if done.returncode:
        sys.exit(done.returncode)  # the notebook has said why
    return [executed, *sorted((executed.parent / "figures").glob(f"{key}.*"))]


def extract(executed: Path, folder: Path) -> list[Path]:
    """Write the figures of an executed notebook as svg and pdf files, under their keys."""
    import nbformat

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for cell in nbformat.read(executed, 4).cells:
        name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
        if name is None:
            continue
        for output in cell.outputs:
            data = output.get("data", {})
            for mime, suffix, decode in (
                ("image/svg+xml", ".svg", str.encode),
                ("application/pdf", ".pdf", base64.b64decode),
            ):
                if mime in data:
                    write_atomically(folder / (name + suffix), decode(data[mime]))
                    paths.append(folder / (name + suffix))
    return paths
