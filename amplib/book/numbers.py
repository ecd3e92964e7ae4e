"""The numbers that a notebook reports, for machines: glued beside the text that the book prints."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Iterator, Mapping
from numbers import Real
from typing import Any

from nbformat import NotebookNode

from amplib.estimate import LEVEL, MEDIAN_LEVEL, AtLeast, Estimate, Interval, Share, enumerated

GLUED = "numbers of "
"""Glue keys of numbers begin with this; the text's own key follows."""
SOURCES = "results of "
"""Glue keys of what a figure is drawn from begin with this; the figure's key follows."""
COLUMNS = ("number", "quantiles", "value", "error", "over", "low", "high", "level")
"""Of a number as a row."""


class Resolutions(dict[int, object]):
    """A measurement at several numbers of quantiles; prints ``a, b and c``."""

    def __str__(self) -> str:
        return enumerated(self.values())


def rows_of(name: str, value: object) -> Iterator[dict[str, Any]]:
    """A reported value as rows: name, at how many quantiles, value, error, over how many
    repetitions or trials if that is known, interval.

    Text has none.

    >>> [row["value"] for row in rows_of("n", Resolutions({10: 5, 20: 6.5}))]
    [5.0, 6.5]
    >>> list(rows_of("n", "5"))
    []
    >>> [(row["value"], row["low"]) for row in rows_of("n", AtLeast(500.0))]
    [(None, 500.0)]
    """
    if isinstance(value, Resolutions):
        for quantiles, one in value.items():
            yield from ({**row, "quantiles": quantiles} for row in rows_of(name, one))
        return
    row: dict[str, Any] = {"number": name, "quantiles": None, "error": None, "over": None}
    if isinstance(value, Estimate):
        _, low, high = value.interval()
        ends = _interval(value.value, low, high, LEVEL)
        error = _finite(value.error)
        yield {**row, **ends, "error": error, "over": value.repetitions}
    elif isinstance(value, AtLeast):
        yield {**row, "value": None, "low": _finite(value.low), "high": None, "level": LEVEL}
    elif isinstance(value, Interval):
        yield {**row, **_interval(value.value, value.low, value.high, value.level)}
    elif isinstance(value, Share):
        rate = value.k / value.n if value.n else math.nan
        ends = _interval(rate, *value.interval(), MEDIAN_LEVEL)
        yield {**row, **ends, "over": value.n}
    elif isinstance(value, Real) and not isinstance(value, bool):
        yield {**row, "value": float(value), "low": None, "high": None, "level": None}


def _interval(value: float, low: float, high: float, level: float) -> dict[str, Any]:
    return {
        "value": _finite(value),
        "low": _finite(low),
        "high": _finite(high),
        "level": level,
    }


def _finite(value: float) -> float | None:
    """JSON knows no infinity."""
    return float(value) if math.isfinite(value) else None


def glued(texts: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Glue keys and texts that keep the numbers among these."""
    for name, value in texts.items():
        rows = list(rows_of(name, value))
        if rows:
            yield GLUED + name, json.dumps(rows)


def numbers_of(notebook: NotebookNode) -> list[dict[str, Any]]:
    """All numbers that an executed notebook has reported, in its order."""
    return [row for rows in _carried(notebook, GLUED) for row in rows]


def sources_of(notebook: NotebookNode) -> list[str]:
    """The stored results that its figures are drawn from, as folders of ``results/``."""
    return sorted({source for sources in _carried(notebook, SOURCES) for source in sources})


def _carried(notebook: NotebookNode, prefix: str) -> Iterator[list[Any]]:
    """What is glued as JSON under keys that begin with ``prefix``."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            key = output.get("metadata", {}).get("scrapbook", {}).get("name", "")
            if key.startswith(prefix):
                (text,) = (v for k, v in output["data"].items() if k.endswith("text/plain"))
                yield json.loads(ast.literal_eval(text))  # IPython shows a string's repr
