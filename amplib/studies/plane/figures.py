"""Figures of the plane of smudge factor and offset."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from amplib.estimate import Interval
from amplib.style import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILLION

COLORS = (BLUE, GREEN, ORANGE, VERMILLION)
"""Of the smudge factors, ascending."""
MARKERS = "osD^v"
"""One more than colours, so that twenty factors have looks of their own."""
ABOVE, BELOW = (4, 6), (2, -14)
"""Where a number stands, in points from its own."""
UNDER = (0.003, 0.01)
"""Offsets whose numbers stand below: above them other curves pass."""


class Merits(NamedTuple):
    """Both figures of merit, delta_OF in eta, with their 95% intervals."""

    delta: Interval
    delta_of: Interval


Plane = Mapping[tuple[float, float], Merits]
"""By alpha and gamma."""


def _axis(plane: Plane, which: int) -> list[float]:
    return sorted({key[which] for key in plane})


def trade_off(
    plane: Plane,
    published: Mapping[tuple[float, float], tuple[float, float]],
    ideal: float,
) -> plt.Figure:
    """Both figures of merit, a curve in gamma for each alpha, and the paper's points.

    Args:
        plane: ours.
        published: (alpha, gamma) -> delta and delta_OF of the same model.
        ideal: delta_OF of an ideal generator, in expectation; its delta is far below.
    """
    figure, ax = plt.subplots(figsize=(6.4, 4.6))
    for alpha, color, marker in zip(_axis(plane, 0), cycle(COLORS), cycle(MARKERS), strict=False):
        row = {gamma: plane[alpha, gamma] for gamma in _axis(plane, 1)}
        x, y = ([m[k] for m in row.values()] for k in (1, 0))
        _points(ax, x, y, color, marker, rf"$\alpha = {alpha:g}$")
        # Where the curves run together one of them has the numbers.
        first = alpha == min(_axis(plane, 0))
        for gamma, merits in (row if first else {0: row[0]}).items():
            place = BELOW if gamma in UNDER or not first else ABOVE
            ax.annotate(f"{gamma:g}", (merits.delta_of.value, merits.delta.value), place,
                        textcoords="offset points", fontsize=9, color=color, zorder=5,
                        path_effects=[withStroke(linewidth=2.5, foreground="white")])  # fmt: skip
    for k, ((alpha, gamma), (delta, crowding)) in enumerate(published.items()):
        ax.plot(crowding, delta, "*", color=BLACK, markersize=11, label=None if k else "the paper")
        ax.annotate(f"({alpha:g}, {gamma:g})", (crowding, delta), (8, -3),
                    textcoords="offset points", fontsize=9)  # fmt: skip
    ax.axvline(ideal, color=GREY, linestyle=":", label=r"ideal $\delta_{OF}$")
    ax.set(xscale="log", yscale="log", xlabel=r"$\delta_{OF}$ ($\eta$)", ylabel=r"$\delta$")
    ax.set_xlim(right=2.2 * max(m.delta_of.high for m in plane.values()))
    ax.legend(loc="upper left", title=r"small numbers: $\gamma$")
    figure.tight_layout()
    return figure


def _points(
    ax: Axes, x: list[Interval], y: list[Interval], color: str, marker: str, label: str
) -> None:
    """A curve through points with both their intervals."""
    middles = [p.value for p in x], [p.value for p in y]
    ax.errorbar(*middles, _reach(y), _reach(x), color=color, marker=marker, markersize=5,
                linewidth=1.1, elinewidth=1, ecolor=(color, 0.5), label=label)  # fmt: skip


def _reach(points: Sequence[Interval]) -> NDArray[np.float64]:
    """From the values to the ends of their intervals, ``(2, n)``."""
    return np.array([[p.value - p.low, p.high - p.value] for p in points]).T


def slices(plane: Plane, ideal: tuple[float, float]) -> Callable[[float, float], plt.Figure]:
    """delta and delta_OF against gamma, the chosen alpha in front and the chosen point marked; a
    figure for each, all on the same axes."""
    alphas, gammas = _axis(plane, 0), _axis(plane, 1)

    def draw(alpha: float, gamma: float) -> plt.Figure:
        figure, axes = plt.subplots(1, 2, figsize=(7.4, 3.7))
        for k, ax in enumerate(axes):
            for each, color, marker in zip(alphas, cycle(COLORS), cycle(MARKERS), strict=False):
                row = [plane[each, g][k] for g in gammas]
                mine = each == alpha
                look = {"alpha": 1.0 if mine else 0.35, "linewidth": 1.6 if mine else 0.9}
                x, y, bars = range(len(gammas)), [p.value for p in row], _reach(row)
                ax.errorbar(x, y, bars, color=color, marker=marker, markersize=4.5,
                            label=rf"$\alpha = {each:g}$", **look)  # fmt: skip
            here = plane[alpha, gamma][k].value
            ax.plot(gammas.index(gamma), here, "o", color=BLACK, markersize=12, fillstyle="none")
            ax.axhline(ideal[k], color=BLACK, linestyle=":", linewidth=1, label="ideal")
            ax.set(yscale="log", xlabel=r"offset $\gamma$")
            ax.set_xticks(range(len(gammas)), [f"{g:g}" for g in gammas])
            ax.xaxis.set_minor_locator(NullLocator())  # steps have nothing between them
        axes[0].set_ylabel(r"$\delta$")
        axes[1].set_ylabel(r"$\delta_{OF}$ ($\eta$)")
        figure.tight_layout()
        figure.subplots_adjust(top=0.86)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper center", ncol=len(labels))
        return figure

    return draw
