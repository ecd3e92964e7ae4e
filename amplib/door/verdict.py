"""The answer: what events are worth, as a table, as data, as a figure."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amplib.estimate import LEVEL, AtLeast, Estimate
from amplib.metrics.worth import TOO_EVEN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LINE = 80
"""Characters in a line of the table."""
COPIES = 0.01
"""Share of events that are copies of which something is said; a million numbers in single precision
have some by chance."""


@dataclass(frozen=True, eq=False)
class Worth:
    """What events of a generator are worth.  ``print`` makes a table of it.

    Args:
        as_it_is: N_equiv of the events at hand, over the events' noise or over the trainings.
        n_equiv: the same for infinitely many events of the generator; a lower bound where the
            events at hand are too few to tell it from the truth.
        n_train: events that each training saw, or None if that is not known.
        repetitions: trainings, each on a sample of its own.
        events: generated events of one training.
        effective: their effective number, smaller where they have weights.
        held_out: events of the truth that the cells were cut from, or None if the truth is known.
        fractions: (q,) of the events in each cell, the mean over trainings.
        mse: (repetitions,) quantile MSE, eq. (2).
        evenness: probability of independent events of the truth to lie as evenly or more so; None
            for several trainings.
        cuts: of each column by name, on the way to a cell and at most; of each coordinate where the
            truth is known and its cells are a grid in them, and None where they are no grid.
        repeated: share of the events that are copies of others among them.
        copied: share of the events that are rows of their training sample, the mean over
            trainings; 0 where it is not known.
        shared: share of the events that are rows of the held-out ones; 0 without any.
    """

    as_it_is: Estimate
    n_equiv: Estimate | AtLeast
    n_train: int | None
    repetitions: int
    events: int
    effective: float
    held_out: int | None
    fractions: NDArray[np.float64]
    mse: NDArray[np.float64]
    evenness: float | None = None
    cuts: dict[str, int] | None = None
    repeated: float = 0.0
    copied: float = 0.0
    shared: float = 0.0

    @property
    def quantiles(self) -> int:
        """Number of cells."""
        return len(self.fractions)

    @property
    def factor(self) -> Estimate | AtLeast | None:
        """Amplification factor N_equiv / N_train; None if N_train is not known."""
        return None if self.n_train is None else self.n_equiv.scaled(1 / self.n_train)

    def notes(self) -> list[str]:
        """What has to be known about the numbers, in sentences."""
        said = [self._of_what(), *self._where(), self._interval()]
        if isinstance(self.n_equiv, AtLeast):
            said.append(
                f"{self._number_of_events()} cannot tell this generator from "
                "one without error: a lower bound, no value. More events would say more."
            )
        if self.evenness is not None and self.evenness < TOO_EVEN:
            said.append(
                "The events lie more evenly than independent ones do (probability below "
                f"{TOO_EVEN:g}): what is removed for their number is too much."
            )
        if self.copied > COPIES:
            said.append(
                f"{self.copied:.0%} of the events are rows of the training sample. Unless each is "
                "drawn anew, by itself, what is removed for their number is too much."
            )
        said += note_of_shared(self.shared)
        if self.repeated > COPIES:
            said.append(
                f"{self.repeated:.0%} of the events repeat others of them. Unless each is "
                "drawn anew, by itself, what is removed for their number is too little. (Whole "
                "numbers repeat by themselves.)"
            )
        return said

    def _number_of_events(self) -> str:
        text = f"{self.events:,} events"
        if self.effective < self.events * (1 - 1e-9):
            text += f" (effectively {self.effective:,.0f})"
        return text if self.held_out is None else f"{text} against {self.held_out:,}"

    def _of_what(self) -> str:
        text = self._number_of_events().partition(" against")[0]
        if self.held_out is not None:
            text += f", in cells cut from {self.held_out:,} held-out events, whose noise is removed"
        trainings = "" if self.repetitions == 1 else f"{self.repetitions} trainings; each "
        return f"{trainings}{text}."

    @property
    def unseen(self) -> list[str]:
        """Columns, or coordinates of a known truth, that no cell's border depends on."""
        return [name for name, n in (self.cuts or {}).items() if n == 0]

    def _where(self) -> list[str]:
        """Which columns are cut, where there are several, and which are not."""
        if self.cuts is None or len(self.cuts) == 1:
            return []
        what = "Columns" if self.held_out is not None else "Coordinates of the truth"
        cut = [f"{name} ({n} cut{'s' if n > 1 else ''})" for name, n in self.cuts.items() if n]
        said = [f"{what}: {', '.join(cut)}."]
        if unseen := self.unseen:
            said.append(
                f"{len(unseen)} of {len(self.cuts)} {what.split()[0].lower()} were not looked at: "
                f"{', '.join(unseen)}. An error of theirs alone is not in the numbers."
            )
        return said

    def _interval(self) -> str:
        if self.repetitions > 1:
            return f"Intervals ({LEVEL:.0%}, Student's t) over trainings, each on its own sample."
        return (
            f"Intervals ({LEVEL:.0%}) from the counting of events: one generator, one training "
            "sample. How much another training would differ is not in them."
        )

    def __str__(self) -> str:
        rows = {"these events": self.as_it_is, "the generator": self.n_equiv}
        lines = [
            f"{'worth, at ' + str(self.quantiles) + ' quantiles':24s}{'true events':>16s}"
            f"{'95% interval':>20s}" + (f" {'amplification':>17s}" if self.n_train else "")
        ]
        for name, n in rows.items():
            value, interval = _columns(n)
            line = f"{name:24s}{value:>16s}{interval:>20s}"
            if self.n_train:
                line += f" {_columns(n.scaled(1 / self.n_train))[0]:>17s}"
            lines.append(line)
        return "\n".join([*lines, *(textwrap.fill(note, LINE) for note in self.notes())])

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings and lists; None for what there is not."""
        factor = self.factor
        return {
            "n_equiv": _plain(self.n_equiv),
            "amplification": None if factor is None else _plain(factor),
            "as_it_is": _plain(self.as_it_is),
            "level": LEVEL,
            "quantiles": self.quantiles,
            "n_train": self.n_train,
            "repetitions": self.repetitions,
            "events": self.events,
            "effective_events": self.effective,
            "held_out": self.held_out,
            "cuts": self.cuts,
            "not_looked_at": self.unseen,
            "repeated": self.repeated,
            "copied": self.copied,
            "shared": self.shared,
            "mse": self.mse.tolist(),
            "fractions": self.fractions.tolist(),
            "notes": self.notes(),
        }

    def plot(self) -> Figure:
        """The cells and what their errors are worth, as a matplotlib figure.

        Raises:
            ImportError: if matplotlib is missing.
        """
        from amplib.door.figures import draw

        return draw(self)


def note_of_shared(share: float) -> list[str]:
    """A sentence about events that are among the held-out ones, if there are enough of them.

    >>> note_of_shared(COPIES)
    []
    """
    if share <= COPIES:
        return []
    return [
        f"{share:.0%} of the events are held-out ones, which the generator should not have seen: "
        "that flatters it. (Whole numbers may be equal by themselves.)"
    ]


def _columns(n: Estimate | AtLeast) -> tuple[str, str]:
    if isinstance(n, AtLeast):
        return str(n), ""
    assert n.low is not None and n.high is not None
    high = f"{n.high:.3g}" if n.high < 1000 else f"{n.high:.0f}"
    low = f"{n.low:.3g}" if n.low < 1000 else f"{n.low:.0f}"
    return str(n), f"{low} to {high}"


def _plain(n: Estimate | AtLeast) -> dict[str, float | None]:
    """Value, error and ends; None where there is none, as JSON knows neither NaN nor infinity."""
    ends = (None, None, n.low, None) if isinstance(n, AtLeast) else n[:4]
    names = ("value", "error", "low", "high")
    return {
        name: end if end is not None and math.isfinite(end) else None
        for name, end in zip(names, ends, strict=True)
    }
