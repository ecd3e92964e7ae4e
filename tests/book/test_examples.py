"""Python that pages show and do not run: it can be read, and what it imports is there."""

import ast
import re
from importlib import import_module
from textwrap import dedent

import pytest

from amplib.files import ROOT

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("book/*.md")), *sorted(ROOT.glob("notebooks/*.py"))]
BLOCK = re.compile(r"^(# )?```python\n(.*?)^(?:# )?```$", re.M | re.S)
"""In Markdown, or in a notebook's cells, where every line of it is a comment."""


def examples(text):
    """The blocks of a page, as Python."""
    for comment, block in BLOCK.findall(text):
        yield dedent(re.sub("^# ?", "", block, flags=re.M) if comment else block)


def unresolved(code):
    """What an example takes from amplib that is not there."""
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.ImportFrom(module=str(module), names=names) if _ours(module):
                yield from (f"{module}.{a.name}" for a in names if not _there(module, a.name))
            case ast.Import(names=names):
                yield from (a.name for a in names if _ours(a.name) and not _there(a.name))
            case ast.Attribute(value=ast.Name(id="amplib"), attr=name):
                yield from () if _there("amplib", name) else (f"amplib.{name}",)


def _ours(module):
    return module.partition(".")[0] == "amplib"


def _there(module, name=None):
    try:
        found = import_module(module)
        return name is None or hasattr(found, name) or _there(f"{module}.{name}")
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_an_example_imports_is_there(page):
    text = page.read_text(encoding="utf-8")
    found = list(examples(text))
    assert len(found) == text.count("```python\n")
    assert [name for code in found for name in unresolved(code)] == []


def test_there_are_examples_in_pages_and_notebooks():
    found = {page.suffix for page in PAGES if list(examples(page.read_text(encoding="utf-8")))}
    assert found == {".md", ".py"}


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("from amplib.studies.collisions.reading import stored_reference", 1),
        ("from amplib.nowhere import a, b", 2),
        ("import amplib.nowhere", 1),
        ("import amplib\namplib.wroth(x)", 1),
        ("from amplib.studies import merit\nimport amplib.models, numpy\namplib.worth(x)", 0),
    ],
)
def test_what_is_not_there_is_found(line, missing):
    (code,) = examples(f"# ```python\n# {line.replace(chr(10), chr(10) + '# ')}\n# ```\n")
    assert code == f"{line}\n"
    assert len(list(unresolved(code))) == missing
