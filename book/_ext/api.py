"""The ``{amplib-modules}`` directive: every public module of the package, from its docstrings."""

from __future__ import annotations

import pkgutil

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import amplib

MODULE = """{{.html-only}}
## amplib.{name}

```{{eval-rst}}
.. automodule:: amplib.{name}
   :members:
```
"""


class AmplibModules(SphinxDirective):
    """A section a module, in alphabetical order: no list to forget a module in."""

    def run(self) -> list[nodes.Node]:
        names = sorted(module.name for module in pkgutil.iter_modules(amplib.__path__))
        text = "\n".join(MODULE.format(name=name) for name in names if not name.startswith("_"))
        parent = nodes.Element()
        parent.document = self.state.document
        self.state.nested_parse(
            StringList(text.splitlines(), self.get_source_info()[0]), 0, parent, match_titles=1
        )
        return parent.children


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("amplib-modules", AmplibModules)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
