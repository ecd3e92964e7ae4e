"""The API reference names every public module of the package."""

import pkgutil
import re

import amplib
from amplib.results import ROOT


def test_the_api_page_lists_every_module():
    listed = set(re.findall(r"automodule:: amplib\.(\w+)", (ROOT / "book" / "api.md").read_text()))
    modules = {m.name for m in pkgutil.iter_modules(amplib.__path__) if not m.name.startswith("_")}
    assert listed == modules
