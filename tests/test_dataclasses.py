"""Values that hold arrays are equal to themselves alone: of arrays, == is no truth value."""

import ast
import re

from amplib.files import ROOT

HOLDS = re.compile(r"\b(Array|Arrays|Counts|Integers|ndarray|NDArray|Tensor)\b")


def options_of(node):
    """Of a dataclass's decorator, by name; None if the class is none."""
    for found in node.decorator_list:
        call = found if isinstance(found, ast.Call) else ast.Call(found, [], [])
        if isinstance(call.func, ast.Name) and call.func.id == "dataclass":
            return {k.arg: ast.literal_eval(k.value) for k in call.keywords}
    return None


def comparing(path):
    """Dataclasses of a module that are compared field by field and have one of arrays."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ClassDef) or (given := options_of(node)) is None:
            continue
        types = [ast.unparse(a.annotation) for a in node.body if isinstance(a, ast.AnnAssign)]
        held = [t for t in types if HOLDS.search(t) and not t.startswith(("Callable", "ClassVar"))]
        if held and given.get("eq", True):
            yield f"{path.parent.name}.{path.stem}.{node.name}"


def test_what_holds_arrays_is_not_compared_field_by_field():
    found = {name for path in ROOT.glob("amplib/**/*.py") for name in comparing(path)}
    assert found == set()
