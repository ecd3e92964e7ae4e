"""Drawings of the rivals, in the book's style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from amplib.estimate import AtLeast
from amplib.studies.event_paper import PAPER_TRAINING
from amplib.studies.rivals.reading import PAPER, Losses, Rival, Valued
from amplib.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION

AVERAGED = 10
"""Records in the moving average."""
LOOK = {"critic": (BLUE, "-"), "generator": (VERMILLION, "--"), "training": (BLUE, "-"),
        "validation": (VERMILLION, "--")}  # fmt: skip
MARKERS = "osD^vPX*"
LOOKS_OF_SCALE = {True: (VERMILLION, "o"), False: (BLUE, "s")}
"""Colour and marker of what was trained on as many events as in the paper, and on fewer."""
ROOM = 0.25
"""Between the trainings of one generator, in rows."""
COLORS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, GREY)


def loss_panels(gans: Mapping[str, Losses], vae: Losses | None) -> plt.Figure:
    """A panel a model: losses of single steps as dots, their moving average as a line."""
    panels = {**gans, **({} if vae is None else {"B-VAE": vae})}
    rows = -(-len(panels) // 2)
    figure, axes = plt.subplots(
        rows, 2, figsize=(9, 2.4 * rows + 0.4), layout="constrained", squeeze=False
    )
    for ax, (name, losses) in zip(axes.flat, panels.items(), strict=False):
        _losses(ax, name, losses)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for ax in axes[:, 0]:
        ax.set_ylabel("loss")
    for ax in axes.flat[max(0, len(panels) - 2) : len(panels)]:
        ax.set_xlabel("step")
    return figure


def _losses(ax: Axes, name: str, losses: Losses) -> None:
    chaotic = name != "B-VAE"  # whose losses are means over an epoch
    lines = []
    for kind, last in losses.last.items():
        color, style = LOOK[kind]
        if chaotic:
            ax.plot(losses.step, last, ".", color=color, markersize=2.5, alpha=0.35)
            lines.append(losses.moving_average(kind, AVERAGED))
        else:
            lines.append((losses.step, last))
        ax.plot(*lines[-1], linestyle=style, color=color, label=kind, linewidth=1.4)
    window = f", window {losses.window(AVERAGED):,} steps" if chaotic else ""
    ax.set_title(name + window, fontsize=10)
    ax.set_xlim(0, losses.step[-1])
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    if chaotic:
        _frame(ax, [*losses.last.values(), *(line for _, line in lines)])
    else:
        ax.set_yscale("log")
    ax.legend(ncols=2, loc="best", handlelength=1.6, borderaxespad=0.2)


def _frame(ax: Axes, values: Sequence[np.ndarray]) -> None:
    """Room for 99% of the dots: single ones may lie orders of magnitude away."""
    finite = np.concatenate([v[np.isfinite(v)] for v in values])
    low, high = np.quantile(finite, [0.005, 0.995])
    margin = 0.15 * (high - low) or 1.0
    ax.set_ylim(low - margin, high + 2 * margin)


class Panel(NamedTuple):
    """Of ``merit_plane``.

    Args:
        title: over it.
        rivals: of one without delta the paper's point alone is drawn.
        ideal: both figures of merit of an ideal generator.
        published: whether the paper's numbers, of as many events as its own, belong into it.
    """

    title: str
    rivals: Sequence[Rival]
    ideal: tuple[float, float]
    published: bool


def merit_plane(panels: Sequence[Panel], most: float) -> plt.Figure:
    """delta against delta_OF, panels that share their axes: ours filled, single trainings small,
    the paper's open.

    Args:
        panels: side by side.
        most: delta_OF where all events lie in one bin.
    """
    figure, axes = plt.subplots(
        1, len(panels), figsize=(3.9 * len(panels), 4.9), layout="constrained",
        sharex=True, sharey=True, squeeze=False,
    )  # fmt: skip
    for ax, panel in zip(axes[0], panels, strict=True):
        ax.axhline(most, color=GREY, linestyle="--", linewidth=1, label="all in one bin")
        for k, rival in enumerate(panel.rivals):
            look = {"marker": MARKERS[k % len(MARKERS)], "color": COLORS[k % len(COLORS)]}
            for single in rival.each:
                ax.plot(*single, linestyle="none", markersize=3.5, alpha=0.6, **look)
            if rival.delta is not None:
                eta = rival.delta_of["eta"]
                ax.errorbar(rival.delta.value, eta.value, xerr=rival.delta.error, yerr=eta.error,
                            linestyle="none", markersize=7, label=rival.method, **look)  # fmt: skip
            if panel.published and rival.method in PAPER:
                alone = rival.method if rival.delta is None else None
                ax.plot(*PAPER[rival.method], linestyle="none", markersize=7, label=alone,
                        markerfacecolor="none", **look)  # fmt: skip
        ax.plot(*panel.ideal, "k+", markersize=11, label="ideal")
        ax.set(xscale="log", yscale="log", xlabel=r"$\delta$", title=panel.title)
        ax.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.17))
    axes[0, 0].set_ylabel(r"$\delta_{OF}$, $\eta$")
    return figure


def worth_chart(valued: Sequence[Valued], q: int) -> plt.Figure:
    """N_equiv over the training events, a row a generator, its trainings below each other, with 95%
    intervals; arrows are lower bounds.

    Args:
        valued: generators, the first on top.
        q: number of cells.
    """
    figure, ax = plt.subplots(figsize=(8, 0.36 * len(valued) + 1.2), layout="constrained")
    several = len({one.training_events for one in valued}) > 1
    for row, one in enumerate(valued):
        color, marker = LOOKS_OF_SCALE[one.training_events >= PAPER_TRAINING]
        places = row + ROOM * (np.arange(len(one.worth)) - (len(one.worth) - 1) / 2)
        for place, worth in zip(places, one.worth, strict=True):
            factor = worth[q].scaled(1 / one.training_events)
            if isinstance(factor, AtLeast):
                ax.plot(factor.low, place, ">", color=color, markersize=7)
                ax.annotate("", (2.2 * factor.low, place), (factor.low, place),
                            arrowprops={"arrowstyle": "->", "color": color})  # fmt: skip
            else:
                value, low, high = factor.interval()
                ax.errorbar(value, place, xerr=[[value - low], [high - value]], fmt=marker,
                            color=color, markersize=5)  # fmt: skip
    labels = [one.method + f" ({one.training_events:,})" * several for one in valued]
    ax.axvline(1, color=GREY, linestyle="--", linewidth=1)
    ax.set_yticks(range(len(valued)), labels, fontsize=9)
    ax.tick_params(axis="y", which="minor", left=False, right=False)
    ax.invert_yaxis()
    ax.set(xscale="log", xlabel=r"$N_\mathrm{equiv}$ / training events")
    return figure
