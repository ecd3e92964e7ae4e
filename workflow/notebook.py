"""Notebooks: py:percent source -> ipynb -> executed by papermill; and their stored references.

python workflow/notebook.py build NAME            -> _build/ipynb/NAME.ipynb
python workflow/notebook.py run NAME OUTPUT [-s SUFFIX] [-p NAME VALUE ...]
python workflow/notebook.py point NAME OUTPUT PARAMETERS NUMBERS.json   (in JSON)
python workflow/notebook.py reference NAME        -> tests/reference/NAME.json
python workflow/notebook.py check NAME            -> _build/nbval/NAME.ipynb
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jupytext
import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from nbconvert import HTMLExporter

from amplib.book.figure import extract
from amplib.book.numbers import numbers_of, sources_of
from amplib.book.report import check_names
from amplib.files import write_atomically
from amplib.parameters import ParameterError
from amplib.store.results import commit

ROOT = Path(__file__).resolve().parent.parent
CHECKED = "nbval-check-output"
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width">
<style>body {{font-family: sans-serif; margin: 1rem auto; max-width: 60rem}}
svg, img {{height: auto; max-width: 100%}} pre {{overflow-x: auto}}</style></head>
<body><p><a href="../../index.html">all points</a></p>{body}</body></html>
"""


def build(name: str) -> Path:
    """``notebooks/NAME.py`` as a notebook without outputs."""
    notebook = jupytext.read(ROOT / "notebooks" / f"{name}.py")
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    notebook.metadata["language_info"] = {"name": "python"}
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"{name}-{number}"  # the same at every build
    path = ROOT / "_build" / "ipynb" / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def run(name: str, output: Path, parameters: dict[str, object], suffix: str = "") -> None:
    """Execute the notebook with parameters; prints as it goes, fails as it fails.

    Args:
        name: of the notebook.
        output: the executed one; its figures lie in ``figures`` beside it.
        parameters: by name.
        suffix: of the names of the figures.
    """
    check_names(parameters)
    source = build(name)
    output.parent.mkdir(parents=True, exist_ok=True)
    running = output.with_suffix(".running.ipynb")  # one that fails leaves the last one alone
    try:
        papermill.execute_notebook(
            source,
            running,
            parameters,
            kernel_name="python3",
            cwd=ROOT,
            progress_bar=False,
            stderr_file=sys.stderr,  # what is computed, its cost and its progress
            # Of the kernel itself: that it talks to us without encryption, on this machine.
            extra_arguments=["--log-level=ERROR"],
        )
    except papermill.PapermillExecutionError as error:
        if error.ename != "ParameterError":
            raise
        running.unlink(missing_ok=True)
        raise ParameterError(error.evalue) from None
    except DeadKernelError:
        raise SystemExit(f"{name}: the kernel died in {_unfinished(running)}") from None
    running.replace(output)
    extract(output, output.parent / "figures", suffix)


def point(name: str, output: Path, parameters: dict[str, object], numbers: Path) -> None:
    """Execute the notebook at a point of a sweep and keep the numbers that it reports."""
    run(name, output, parameters)
    executed = nbformat.read(output, 4)
    # Offline: no scripts are asked for.
    page, _ = HTMLExporter(
        template_name="basic", mathjax_url="", require_js_url=""
    ).from_notebook_node(executed)
    write_atomically(output.with_suffix(".html"), PAGE.format(title=name, body=page).encode())
    made = {
        "seconds": executed.metadata.papermill.duration,
        "commit": commit(),
        "results": sources_of(executed),
    }
    content = {**made, "numbers": numbers_of(executed)}
    write_atomically(numbers, json.dumps(content, indent=1).encode())


def _unfinished(executed: Path) -> str:
    """The last cell that papermill has begun."""
    begun = [
        (number, cell.source.partition("\n")[0])
        for number, cell in enumerate(nbformat.read(executed, 4).cells, start=1)
        if cell.metadata.get("papermill", {}).get("start_time")
    ]
    return "cell {} ({})".format(*begun[-1]) if begun else "its first cell"


def checked_outputs(notebook: nbformat.NotebookNode) -> list[str]:
    """Text of the cells whose output is a reference."""
    return [
        "".join(o["text"] for o in cell.outputs if o["output_type"] == "stream")
        for cell in notebook.cells
        if CHECKED in cell.metadata.get("tags", [])
    ]


def reference(name: str) -> Path:
    """Run with the shipped results and store what the checked cells print."""
    executed = ROOT / "_build" / "reference" / f"{name}.ipynb"
    run(name, executed, {})
    path = ROOT / "tests" / "reference" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [text.splitlines() for text in checked_outputs(nbformat.read(executed, 4))]
    path.write_text(json.dumps(texts, indent=1, ensure_ascii=False) + "\n")
    return path


def check(name: str) -> Path:
    """The notebook with the stored references as its outputs, for nbval to run against."""
    path = ROOT / "_build" / "nbval" / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = nbformat.read(build(name), 4)
    texts = json.loads((ROOT / "tests" / "reference" / f"{name}.json").read_text())
    cells = [c for c in notebook.cells if CHECKED in c.metadata.get("tags", [])]
    if len(cells) != len(texts):
        raise SystemExit(
            f"{name}: {len(cells)} checked cells but {len(texts)} references; "
            f"python workflow/notebook.py reference {name}"
        )
    for cell, lines in zip(cells, texts, strict=True):
        text = "\n".join(lines) + "\n"
        cell.execution_count = 1  # nbval compares only cells that have been run
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
    write_atomically(path, nbformat.writes(notebook).encode())  # tests run side by side
    return path


def names() -> list[str]:
    """Notebooks that have a stored reference."""
    return sorted(path.stem for path in (ROOT / "tests" / "reference").glob("*.json"))


def value(text: str) -> object:
    """A parameter as JSON, or as it stands."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def main(arguments: list[str]) -> None:
    """``run NAME OUTPUT -p ...``, or an action on the named (all referenced) notebooks."""
    action, *rest = arguments
    if action == "run":
        name, output, *pairs = rest
        suffix = ""
        if pairs[:1] == ["-s"]:
            _, suffix, *pairs = pairs
        values = {k: value(v) for _, k, v in zip(*[iter(pairs)] * 3, strict=True)}
        run(name, Path(output), values, suffix)
        return
    if action == "point":
        name, output, parameters, numbers = rest
        point(name, Path(output), json.loads(parameters), Path(numbers))
        return
    act = {"build": build, "reference": reference, "check": check}[action]
    for name in rest or names():
        print(act(name).relative_to(ROOT))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ParameterError as error:
        print(f"ParameterError: {error}", file=sys.stderr)
        sys.exit(2)
