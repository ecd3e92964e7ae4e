"""The points of a sweep: grids, lists and random draws over the parameters of notebooks."""

from __future__ import annotations

import ast
import hashlib
import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import qmc

from amplib.book.numbers import COLUMNS
from amplib.book.obtain import asked, check_preset
from amplib.book.report import check_names
from amplib.book.scaling import check_jobs
from amplib.book.yaml_file import read_yaml
from amplib.book.yours import page_parameters
from amplib.files import repository
from amplib.parameters import ParameterError, nearest
from amplib.studies.camel.reading import check_quantiles
from amplib.studies.catalogue import STUDIES, make_study

MOST = 200
"""Points that a sweep may have before it has to be told so."""
BLOCKS = ("grid", "zip", "list", "random", "sobol")
LIVE = {"yours": page_parameters}
"""Pages that compute what they show, and what checks their parameters."""
OWN: dict[str, Callable[[object], object]] = {
    "quantiles": check_quantiles,
    "resolutions": check_quantiles,
    "jobs": check_jobs,
}
"""What notebooks take beside a study's fields, and what checks it."""
KEYS = ("notebook", "notebooks", "preset", *BLOCKS)
PRESET = "laptop"
"""Of a sweep that names none."""

Values = dict[str, Any]


@dataclass(frozen=True)
class Point:
    """One run of a notebook.

    Args:
        notebook: its name.
        parameters: what it is given, the preset among them.
    """

    notebook: str
    parameters: Values

    @property
    def key(self) -> str:
        """Names the point's folder."""
        content = json.dumps([self.notebook, self.parameters], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    @property
    def columns(self) -> Values:
        """Its parameters for a table: lists as text, and apart from the columns of a number."""
        return {
            f"given_{name}" if name in COLUMNS else name: str(v) if isinstance(v, list) else v
            for name, v in self.parameters.items()
        }

    def __hash__(self) -> int:
        return hash(self.key)  # its parameters are a dictionary

    def __str__(self) -> str:
        return " ".join(f"{k}={v}" for k, v in self.parameters.items())


def digest(points: Sequence[Point]) -> str:
    """Tells sweeps over the same parameters apart."""
    return hashlib.sha256("".join(p.key for p in points).encode()).hexdigest()[:8]


def from_file(path: Path, preset: str | None, most: int) -> list[Point]:
    """The points of a YAML file.

    Keys: ``notebook`` (or a list of ``notebooks``), ``preset``, and any of ``grid`` (all
    combinations), ``zip`` (values side by side), ``list`` (points as they are), ``random`` and
    ``sobol`` (``points``, ``seed``, and ranges ``[low, high]`` or ``[low, high, log]``).  Several
    of these multiply.

    Args:
        path: the file.
        preset: in place of the file's, if one is given.
        most: points that are allowed.

    Raises:
        ParameterError: a file that says something else, in one line.
    """
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise ParameterError(f"{path}: expected {', '.join(KEYS)}")
    for key in content:
        if key not in KEYS:
            raise ParameterError(f"{path}: unknown {key!r}; allowed: {', '.join(KEYS)}")
    if "notebook" in content and "notebooks" in content:
        raise ParameterError(f"{path}: either notebook or notebooks")
    names = content.get("notebooks", content.get("notebook"))
    names = names if isinstance(names, list) else [names]
    blocks = {name: content[name] for name in BLOCKS if name in content}
    return points(names, str(preset or content.get("preset", PRESET)), blocks, most)


def points(
    notebooks: Sequence[object], preset: str, blocks: Mapping[str, Any], most: int = MOST
) -> list[Point]:
    """Every point of a sweep, each checked against what its notebook and its study allow.

    Raises:
        ParameterError: in one line, before any work: an unknown notebook or parameter, an
            impossible value, no point, or more than ``most``.
    """
    sources = {path.stem: path for path in sorted((repository() / "notebooks").glob("*.py"))}
    for name in notebooks:
        if not isinstance(name, str) or name not in sources:
            raise ParameterError(f"notebook = {name!r}: allowed are {', '.join(sources)}")
    parts = [_block(kind, content, most) for kind, content in blocks.items()]
    count = len(notebooks) * math.prod(map(len, parts))
    if not parts or not count:
        raise ParameterError("a sweep without a point: say which values, as in n_train=50,100")
    _check_count(count, most)
    found: dict[str, Point] = {}
    for notebook, values in itertools.product(notebooks, itertools.product(*parts)):
        parameters: Values = {"preset": preset}
        for some in values:
            for name in some:
                if name in parameters:
                    raise ParameterError(f"{name} is given twice")
            parameters |= some
        _check(str(notebook), sources[str(notebook)], parameters)
        point = Point(str(notebook), parameters)
        found[point.key] = point
    return list(found.values())


def _check(notebook: str, source: Path, parameters: Values) -> None:
    """Names against the notebook's parameters cell and its study, values against what the cell has
    by default and against every study that the notebook asks for."""
    check_names(parameters)
    own, study = parameters_of(source)
    theirs = [f.name for f in fields(STUDIES[study])] if study else []
    for name in parameters:
        if name not in own and name not in theirs:
            allowed = ", ".join(dict.fromkeys((*own, *theirs)))
            near = nearest(name, (*own, *theirs))
            raise ParameterError(f"{notebook} has no parameter {name!r}{near}; allowed: {allowed}")
        if name not in theirs:
            _check_kind(name, parameters[name], own[name])
            if name in OWN:
                OWN[name](parameters[name])
    preset = str(parameters["preset"])
    check_preset(preset)
    if notebook in LIVE:
        LIVE[notebook](**parameters)
    base = "laptop" if preset == "best" else preset
    for one in {study} if study else asked(source):
        known = [f.name for f in fields(STUDIES[one])]
        make_study(one, base, **{k: v for k, v in parameters.items() if k in known})


KINDS = {int: "an integer", float: "a number", str: "text", bool: "True or False"}


def _check_kind(name: str, value: object, default: object) -> None:
    """Refuse a word in the place of a number, a number in that of a list, and the like."""
    if value is None:
        return
    if default is None:
        if type(value) not in KINDS:
            raise ParameterError(f"{name} = {value!r}: must be a number or text")
        return
    if isinstance(default, list):
        fits = isinstance(value, list) and all(type(v) is type(default[0]) for v in value)
        expected = f"a list, as in {default}"
    else:
        kinds = (int, float) if isinstance(default, float) else (type(default),)
        fits, expected = type(value) in kinds, f"{KINDS[type(default)]}, as in {default!r}"
    if not fits:
        raise ParameterError(f"{name} = {value!r}: must be {expected}")


def parameters_of(source: Path) -> tuple[Values, str | None]:
    """A notebook's parameters cell, and the study of which it takes every field."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    names: Values = {}
    for node in tree.body:  # the parameters cell is the first code
        if not isinstance(node, ast.Assign):
            break
        value = ast.literal_eval(node.value)
        names |= {target.id: value for target in node.targets if isinstance(target, ast.Name)}
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "read_parameters":
            for keyword in call.keywords:
                if keyword.arg == "study" and isinstance(keyword.value, ast.Constant):
                    return names, str(keyword.value.value)
    return names, None


def _check_count(count: int, most: int) -> None:
    if count > most:
        raise ParameterError(f"{count:,} points: more than {most:,}; --max-points allows them")


def _block(kind: str, content: Any, most: int) -> list[Values]:
    """The points of one block; too many are refused before they are made."""
    if kind == "list":
        if not isinstance(content, list) or not all(isinstance(p, dict) for p in content):
            raise ParameterError("list: expected points, as in [{n_train: 50}, {n_train: 100}]")
        return content
    if not isinstance(content, dict):
        raise ParameterError(f"{kind}: expected names with values")
    if kind in ("random", "sobol"):
        return _drawn(kind, dict(content), most)
    columns = {k: v if isinstance(v, list) else [v] for k, v in content.items()}
    if kind == "zip" and len(set(map(len, columns.values()))) > 1:
        lengths = ", ".join(f"{k} {len(v)}" for k, v in columns.items())
        raise ParameterError(f"zip: values of different numbers ({lengths})")
    if kind == "grid":
        _check_count(math.prod(map(len, columns.values())), most)
    rows = zip(*columns.values(), strict=True) if kind == "zip" else product(columns)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def product(columns: Mapping[str, Sequence[Any]]) -> list[tuple[Any, ...]]:
    """All combinations of the columns' values; of no columns none."""
    return list(itertools.product(*columns.values())) if columns else []


def _drawn(kind: str, content: Values, most: int) -> list[Values]:
    """Random or Sobol points in a box; whole numbers where both ends are."""
    count, seed = content.pop("points", None), content.pop("seed", 1)
    if type(count) is not int or count < 1 or type(seed) is not int or seed < 0:
        raise ParameterError(f"{kind}: expected a whole number of points from 1, a seed from 0")
    _check_count(count, most)
    ranges = {name: _range(kind, name, ends) for name, ends in content.items()}
    if not ranges:
        raise ParameterError(f"{kind}: expected ranges, as in epochs: [100, 1000]")
    if kind == "sobol":
        power = math.ceil(math.log2(count))
        unit = qmc.Sobol(len(ranges), rng=np.random.default_rng(seed)).random_base2(power)[:count]
    else:
        unit = np.random.default_rng(seed).random((count, len(ranges)))
    return [
        {name: _scaled(u, *ends) for u, (name, ends) in zip(row, ranges.items(), strict=True)}
        for row in unit.tolist()
    ]


def _range(kind: str, name: str, ends: Any) -> tuple[float, float, bool]:
    log = isinstance(ends, list) and len(ends) == 3 and ends[2] == "log"
    numeric = isinstance(ends, list) and all(type(e) in (int, float) for e in ends[:2])
    if not numeric or len(ends) != 2 + log or not ends[0] < ends[1] or (log and ends[0] <= 0):
        raise ParameterError(f"{kind}: {name} = {ends!r}: expected [low, high] or [low, high, log]")
    return ends[0], ends[1], log


def _scaled(unit: float, low: float, high: float, log: bool) -> float | int:
    whole = type(low) is int and type(high) is int
    if whole:
        high += 1  # both ends are meant
    value = low * (high / low) ** unit if log else low + (high - low) * unit
    return min(math.floor(value), int(high) - 1) if whole else float(f"{value:.6g}")
