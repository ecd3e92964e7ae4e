"""Write the API reference from the package: rooms in the order in which data pass through them.

python workflow/api_page.py OUTPUT
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "amplib"
ROOMS = {
    "The ground": "",
    "The door": "door",
    "Truth": "truth",
    "Truth: showers": "truth/showers",
    "Truth: collisions": "truth/collisions",
    "Models": "models",
    "Metrics": "metrics",
    "Store": "store",
    "Studies": "studies",
    # Adding a study is adding a folder; one holds what several share.
    **{
        f"Studies: {folder.name}": f"studies/{folder.name}"
        for folder in sorted((PACKAGE / "studies").iterdir())
        if (folder / "__init__.py").exists()
    },
    "Book": "book",
    "Commands": "commands",
}
INTRODUCTION = """# API reference

The package `amplib` in the order in which data flow through it: truth, sample, model, events,
metric, result, figure. Nothing on the right of a result trains, and nothing on its left draws.
The code that trains needs `torch`, `numpy`, `scipy`, `scikit-learn`, `safetensors` and `tqdm`
only, so that it runs on a bare GPU machine; whatever is heavier is imported by the one module
that is about it. Shapes are written `(E, N, d)`: networks, points, dimensions. The PDF has the
overview, the HTML every name.
"""


def modules(room: str) -> list[Path]:
    """Public modules of a room, without those of the rooms within it."""
    return sorted(p for p in (PACKAGE / room).glob("*.py") if not p.name.startswith("_"))


def docstring(path: Path) -> str:
    """Of a module, without importing it.

    Raises:
        ValueError: if it has none.
    """
    text = ast.get_docstring(ast.parse(path.read_text()))
    if not text:
        raise ValueError(f"{path} has no docstring")
    return text


def name(path: Path) -> str:
    """Its dotted name."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def page() -> str:
    """The whole page, as Markdown."""
    parts = [INTRODUCTION]
    for title, room in ROOMS.items():
        listed = modules(room)
        about = docstring(PACKAGE / room / "__init__.py").replace("::\n", ":\n")
        parts.append(f"## {title}\n\n{about}\n")
        parts.append("".join(f"- `{name(m)}`: {summary(m)}\n" for m in listed))
        for module in listed:
            directive = f"```{{eval-rst}}\n.. automodule:: {name(module)}\n   :members:\n```\n"
            parts.append(f"{{.html-only}}\n### {name(module)}\n\n{directive}")
    return "\n".join(parts)


def summary(path: Path) -> str:
    """The first paragraph of its docstring on one line, as Markdown."""
    first = " ".join(docstring(path).partition("\n\n")[0].split())
    return first.replace("``", "`").replace(":math:`", "$").replace("`.", "`.")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page())
