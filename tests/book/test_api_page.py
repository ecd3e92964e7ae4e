"""The API reference is made from the package and names every public module of it."""

import pkgutil
import re

from api_page import page

import amplib


def test_the_api_page_lists_every_module():
    listed = re.findall(r"automodule:: amplib\.([\w.]+)", page())
    walked = pkgutil.walk_packages(amplib.__path__, "amplib.")
    modules = {m.name.removeprefix("amplib.") for m in walked if not m.ispkg}
    assert sorted(listed) == sorted(m for m in modules if not m.startswith("_"))
