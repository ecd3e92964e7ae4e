"""The API reference names every public module of the package."""

import pkgutil
import re

import amplib
from amplib.store.results import ROOT


def test_the_api_page_lists_every_module():
    page = (ROOT / "book" / "api.md").read_text()
    listed = set(re.findall(r"automodule:: amplib\.([\w.]+)", page))
    walked = pkgutil.walk_packages(amplib.__path__, "amplib.")
    modules = {m.name.removeprefix("amplib.") for m in walked if not m.ispkg}
    assert listed == {m for m in modules if not m.startswith("_")}
