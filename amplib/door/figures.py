"""What events are worth, drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from amplib.estimate import AtLeast, Estimate
from amplib.metrics.quantiles import expected_mse
from amplib.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, STYLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from amplib.door.verdict import Worth


def draw(worth: Worth) -> Figure:
    """Left the content of every cell, right the error against the number of true events."""
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(9.0, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        draw_cells(left, worth)
        draw_line(right, worth)
    return figure


def draw_cells(ax: Axes, worth: Worth) -> None:
    """Content of the cells over the truth's, with the noise of perfect events as a band."""
    q = worth.quantiles
    cut = 0.0 if worth.held_out is None else 1 / (worth.held_out + 2)
    noise = ((q - 1) * (1 / (worth.effective * worth.repetitions) + cut)) ** 0.5
    low, high, label = 1 - noise, 1 + noise, "perfect events ± 1 σ"
    ax.axhspan(low, high, color=GREY, alpha=0.3, linewidth=0, label=label)
    ax.stairs(q * worth.fractions, np.arange(q + 1) + 0.5, baseline=None, color=ORANGE, lw=1.6)
    ax.axhline(1, color=BLACK, lw=0.8)
    ax.set(xlabel="cell", ylabel="events / expected", xlim=(0.5, q + 0.5), ylim=(0, None))
    ax.legend(loc="best")


def draw_line(ax: Axes, worth: Worth) -> None:
    """The line of true samples, the training sample on it, and where the events lie."""
    q, n = worth.quantiles, worth.n_equiv
    marks = [worth.as_it_is.value, n.low if isinstance(n, AtLeast) else n.value]
    marks += [worth.n_train] if worth.n_train else []
    numbers = np.geomspace(min(marks) / 10, 10 * max(marks), 50)
    ax.loglog(numbers, [expected_mse(x, q) for x in numbers], color=BLUE, label="true events")
    if worth.n_train:
        error = expected_mse(worth.n_train, q)
        ax.plot(worth.n_train, error, "s", color=BLUE, label=f"training sample, {worth.n_train:,}")
    if isinstance(n, AtLeast):
        ax.axvspan(n.low, numbers[-1], color=ORANGE, alpha=0.2, lw=0, label=f"generator: {n}")
    else:
        assert n.low is not None and n.high is not None
        high = min(n.high, numbers[-1])
        ax.axvspan(n.low, high, color=ORANGE, alpha=0.2, linewidth=0)
        ax.plot(n.value, expected_mse(n.value, q), "o", color=ORANGE, label=f"generator, {n}")
    ax.plot(
        worth.as_it_is.value, expected_mse(worth.as_it_is.value, q), "x", color=BLACK,
        label=f"these events, {worth.as_it_is}",
    )  # fmt: skip
    ax.set(xlabel="true events", ylabel="quantile MSE", xlim=(numbers[0], numbers[-1]))
    ax.legend(loc="best")


def draw_factors(
    factors: Mapping[tuple[str, str], Estimate | AtLeast | None],
    rows: Sequence[str],
    generators: Sequence[str],
) -> Figure:
    """Amplification factors with their 95% intervals: a row a truth, a colour a generator."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(6.4, 0.9 + 0.75 * len(rows)))
    looks = zip(generators, cycle((BLUE, GREEN, ORANGE, PURPLE)), cycle("os^Dv"), strict=False)
    for k, (name, color, marker) in enumerate(looks):
        offset = 0.2 * (k - (len(generators) - 1) / 2)
        for row, truth in enumerate(rows):
            label = name if row == 0 else None
            _draw_factor(ax, factors[truth, name], row + offset, color, marker, label)
    ax.axvline(1, color=BLACK, lw=0.8)
    ax.set(xscale="log", xlabel="amplification factor", ylim=(len(rows) - 0.5, -0.5))
    ax.set_yticks(range(len(rows)), rows)
    ax.tick_params(axis="y", which="minor", left=False, right=False)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _draw_factor(
    ax: Axes, n: Estimate | AtLeast | None, y: float, color: str, marker: str, label: str | None
) -> None:
    if isinstance(n, Estimate):
        value, low, high = n.interval()
        ends = [[value - low], [high - value]]
        ax.errorbar(value, y, xerr=ends, fmt=marker, color=color, capsize=3, label=label)
    elif n is not None:
        ax.plot(n.low, y, ">", color=color, markerfacecolor="none", label=label)
