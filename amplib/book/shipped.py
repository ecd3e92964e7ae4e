"""The tables of the sweeps that the book ships: read as a sweep has written them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from myst_nb import glue

from amplib.book.points import MOST, Point, from_file
from amplib.book.report import duration, name_results
from amplib.estimate import Estimate, Share
from amplib.files import RESULTS, repository
from amplib.store.record import read_record
from amplib.store.results import Result, its_seconds


@dataclass(frozen=True, eq=False)
class Shipped:
    """A sweep and its table.

    Args:
        name: of the file in ``workflow/sweeps`` and of the table in ``book/sweeps``.
        points: as the file has them.
        table: ``sweep.tidy`` of them.
    """

    name: str
    points: list[Point]
    table: pd.DataFrame

    @classmethod
    def read(cls, name: str) -> Shipped:
        """A shipped sweep.

        A page draws the table that there is, whatever its file has been changed to meanwhile: to
        sweep over this very page would not be possible otherwise.
        """
        return cls(name, from_file(source(name), None, MOST), pd.read_csv(table_path(name)))

    def stale(self) -> str | None:
        """What to do if the table is of other points than the file; else None."""
        if {p.key for p in self.points} == set(self.table.point):
            return None
        return (
            f"{table_path(self.name).name} is not of the points of {source(self.name).name}: "
            f"{command(self.name)}, and copy the table.csv that it ends in to book/sweeps"
        )

    def numbers(self, number: str, **where: object) -> pd.DataFrame:
        """The rows of one number, at some values of parameters or of quantiles.

        Raises:
            KeyError: there is none.
        """
        kept = self.table.number == number
        for column, value in where.items():
            kept &= self.table[column] == value
        if not kept.any():
            raise KeyError(f"{self.name}: no {number} at {where}")
        return self.table[kept]

    def estimates(self, number: str, by: str, **where: object) -> dict[Any, Estimate]:
        """The values of one number by those of a parameter, or of ``quantiles``."""
        rows = self.numbers(number, **where)
        return {row[by]: estimate(row) for row in rows.to_dict("records")}

    def share(self, number: str, **where: object) -> Share:
        """How many of how many, at one point."""
        (row,) = self.numbers(number, **where).itertuples()
        return Share(round(row.value * row.over), int(row.over))

    @property
    def presets(self) -> list[str]:
        """Of its points."""
        return sorted(self.table.preset.unique())

    @property
    def commits(self) -> list[str]:
        """The code that the points were run with."""
        return sorted(map(str, self.table.commit.unique()))

    @property
    def seconds(self) -> float:
        """Of one core, spent on its points' notebooks and on the stored results behind them."""
        notebooks = self.table.groupby("point").seconds.first().sum()
        named = {name for names in self.table.results.dropna() for name in names.split()}
        records = [read_record(_record(name)) for name in named]
        return float(notebooks) + sum(
            its_seconds(entry) for record in records for entry in record["parts"].values()
        )

    def origin(self, figure: str, *own: Result) -> None:
        """Glue where a figure that is drawn of this table comes from, as ``report.origin`` does.

        Args:
            figure: its key.
            own: the page's own results that it shows beside, of whatever parameters the page has.
        """
        made = f"preset {', '.join(self.presets)}, {self.table.point.nunique()} points"
        again, spent = f"make figure ID={figure}", duration(self.seconds)
        text = (
            f"[sweep {self.name}] {made}, commit {', '.join(self.commits)}, "
            f"{spent}. Computed again: {command(self.name)}; drawn again: {again}"
        )
        glue(f"{figure}-origin", text, display=False)
        glue(f"{figure}-cost", f"{spent} of one core by the clock ({made}). {again}", display=False)
        name_results(figure, *own)


def _record(name: str) -> Path:
    """Of a result: in a store of one's own there is none behind a table that was shipped."""
    own = RESULTS / name / "record.json"
    return own if own.exists() else repository() / "results" / name / "record.json"


def estimate(row: Mapping[Any, Any]) -> Estimate:
    """A row's value with its error, interval and repetitions, as it was reported."""
    whole = {k: row[k] if pd.notna(row[k]) else None for k in ("low", "high", "over")}
    repetitions = int(whole["over"]) if whole["over"] else None
    return Estimate(row["value"], row["error"], whole["low"], whole["high"], repetitions)


def source(name: str) -> Path:
    """The file that says which points there are."""
    return repository() / "workflow" / "sweeps" / f"{name}.yml"


def table_path(name: str) -> Path:
    """Where the table lies."""
    return repository() / "book" / "sweeps" / f"{name}.csv"


def command(name: str) -> str:
    """What computes the points that are missing, and gathers the table."""
    return f"make sweep SWEEP=workflow/sweeps/{name}.yml"
