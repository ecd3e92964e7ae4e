"""Drawings of generated top pairs beside simulated ones, in the book's style."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.gridspec import SubplotSpec
from matplotlib.ticker import MaxNLocator, NullFormatter
from numpy.typing import NDArray

from amplib.estimate import Estimate
from amplib.metrics.crowding import GRIDS, PHI_RANGE
from amplib.models.config import BufferConfig
from amplib.store.results import Result
from amplib.studies.collisions.figures import ANGLE_TICKS
from amplib.studies.event_paper import TABLE_I, TABLE_II
from amplib.studies.merit.figures import PLANES, truth_against_itself
from amplib.studies.merit.judge import DIRECTIONS
from amplib.studies.topvae.ranking import Candidate
from amplib.studies.topvae.reading import ChosenEvents, Marginal, Truth
from amplib.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION
from amplib.truth.collisions.columns import GEV

SHOWN_OBJECTS = ("j1", "j2", "j3", "j4", "l1")
"""Four jets and the lepton that leads, in pT as the columns have it."""
OF_OBJECTS = {"E": r"$E$", "pT": r"$p_T$", "eta": r"$\eta$", "phi": r"$\phi$"}
OF_EVENTS = {
    "MET": "MET", "phi_MET": r"$\phi$ of MET", "dphi_l_MET": r"$\Delta\phi$(MET, lepton)",
    "dR_jj": r"$\Delta R$ of two jets", "M_2j": r"$M$(2 jets)", "M_3j": r"$M$(3 jets)",
    "M_4j": r"$M$(4 jets)", "M_4j1l": r"$M$(4 jets, 1 lepton)",
    "M_4j2l": r"$M$(4 jets, 2 leptons)",
}  # fmt: skip
OBSERVED = {
    f"{quantity}_{name}": f"{label} of {name}"
    for (quantity, label), name in product(OF_OBJECTS.items(), SHOWN_OBJECTS)
} | OF_EVENTS
"""The paper's 29, by name, with their labels."""
COLUMNS = 5
RATIO_LIMITS = (0.5, 1.5)
FEWEST = 10
"""True events of a bin from which on its ratio is drawn."""
AREA = "#C9C9C9"
NAMED = 0.005
"""Share of events below the frame from which on a panel names it."""
READINGS: tuple[tuple[str, Any, float], ...] = ((VERMILLION, "-", 1.0), (BLUE, "--", 0.8))
"""Colour, line and width of each reading of gamma."""
LOOKS = {
    (1.0, 0.01): (ORANGE, "--"), (1.0, 0.05): (BLACK, "--"), (1.0, 0.1): (PURPLE, "-."),
    (1.0, 0.0): (SKY, "-"), (5.0, 0.0): (SKY, "--"), (10.0, 0.0): (SKY, ":"),
}  # fmt: skip
"""Of the scan's settings, by (alpha, gamma)."""
MARKS: dict[tuple[float, float], str] = {
    (1, 0.01): "^",
    (1, 0.05): "s",
    (1, 0): "o",
    (5, 0): "D",
    (10, 0): "v",
}
"""Of the settings of the paper's tables."""
SCANS: tuple[dict[str, Any], ...] = (
    {"color": VERMILLION, "markerfacecolor": "none", "markersize": 8, "zorder": 3},
    {"color": BLUE, "markersize": 4.5},
)
"""Of the points of a scan: open ones about those that are filled, where both are alike."""
OTHERS, MARKERS = (BLACK, GREEN, GREY, PURPLE, BLUE, SKY, ORANGE), "osD^vPX*"
LINEAR = 0.002
"""Differences of shares of empty bins up to which their scale is linear."""
DIFFERENCES = (-0.1, -0.01, 0, 0.01, 0.1)
Curve = tuple[NDArray[np.float64], str, str, str]
"""With its name, colour and line."""
ZOOM = (2.0, 3.0)
"""Of both azimuths, in the right column of Fig. 4."""


def marginals(events: ChosenEvents, truth: Truth) -> plt.Figure:
    """29 observables: the truth as an area, generated events of each reading of gamma as a line,
    their ratio below."""
    rows = -(-len(OBSERVED) // COLUMNS)
    figure = plt.figure(figsize=(9.6, 1.9 * rows))
    grid = figure.add_gridspec(rows, COLUMNS, hspace=0.36, wspace=0.3, left=0.075, right=0.99,
                               top=0.985, bottom=0.045)  # fmt: skip
    for k, (name, label) in enumerate(OBSERVED.items()):
        cell = grid[k // COLUMNS, k % COLUMNS]
        shown = [events.marginal(name, truth, prior) for prior in events.readings]
        _marginal(figure, cell, shown, name, label)
    legend = figure.add_subplot(grid[-1, -1])
    legend.axis("off")
    handles = [
        plt.Rectangle((0, 0), 1, 1, facecolor=AREA, edgecolor=GREY, label="Monte Carlo"),
        *(
            plt.Line2D(
                [],
                [],
                color=color,
                linestyle=style,
                linewidth=width,
                label=f"B-VAE\n{title(prior)}",
            )
            for prior, (color, style, width) in zip(events.readings, READINGS, strict=False)
        ),
    ]
    legend.legend(handles=handles, loc="center", fontsize=8.5, labelspacing=0.8)
    figure.supylabel("events per bin; below, generated over simulated", x=0.005, fontsize=9)
    return figure


def _marginal(
    figure: plt.Figure, cell: SubplotSpec, readings: Sequence[Marginal], name: str, label: str
) -> None:
    shown = readings[0]
    logarithmic = name == "MET" or name.startswith(("E_", "pT_", "M_"))
    edges = shown.edges / (GEV if logarithmic else 1)
    filled = np.flatnonzero(shown.truth)
    limits = edges[filled[0]], edges[filled[-1] + 1]
    inner = cell.subgridspec(2, 1, height_ratios=(2.6, 1), hspace=0.08)
    top = figure.add_subplot(inner[0])
    below = figure.add_subplot(inner[1], sharex=top)
    lowest = 0.5 if logarithmic else 0
    top.stairs(np.maximum(shown.truth, lowest), edges, baseline=lowest, fill=True, color=AREA,
               edgecolor=GREY, linewidth=0.6)  # fmt: skip
    top.set(xlim=limits)
    if logarithmic:
        top.set(xscale="log", yscale="log", ylim=(lowest, 4 * shown.truth.max()))
        top.yaxis.set_minor_formatter(NullFormatter())
    else:
        top.set_ylim(0, 1.25 * max(shown.truth.max(), *(r.generated.max() for r in readings)))
        top.ticklabel_format(axis="y", scilimits=(0, 3))
        top.yaxis.get_offset_text().set_fontsize(6)
    _name_what_is_below(top, readings)
    below.axhline(1, color=GREY, linewidth=0.7)
    enough = shown.truth >= FEWEST
    for reading, (color, style, width) in zip(readings, READINGS, strict=False):
        look: dict[str, Any] = {"color": color, "linestyle": style, "linewidth": width}
        top.stairs(np.maximum(reading.generated, lowest), edges, baseline=None, **look)
        ratio = np.where(enough, reading.generated / np.maximum(shown.truth, 1), np.nan)
        below.stairs(ratio, edges, baseline=None, **look)
    below.set(ylim=RATIO_LIMITS)
    below.set_yticks([0.5, 1, 1.5], ["", "1", ""])
    below.set_xlabel(label + (" (GeV)" if logarithmic else ""), fontsize=8, labelpad=1)
    if name.startswith("phi"):
        below.set_xticks(*ANGLE_TICKS)
    if logarithmic:
        below.xaxis.set_minor_formatter(NullFormatter())
    for ax in (top, below):
        ax.tick_params(labelsize=7, pad=2)
    top.tick_params(labelbottom=False)


def _name_what_is_below(ax: plt.Axes, readings: Sequence[Marginal]) -> None:
    """Shares of generated events below all true ones, in their colours: within the area, or beside
    it where that is narrow."""
    if max(reading.below for reading in readings) < NAMED:
        return
    for line, (reading, (color, *_)) in enumerate(zip(readings, READINGS, strict=False)):
        text = f"$\\leftarrow$ {reading.below:.1%}"
        x, y = (0.5, 0.2) if ax.get_yscale() == "log" else (0.78, 0.85)
        ax.text(x, y - 0.14 * line, text, color=color, fontsize=7, ha="center",
                transform=ax.transAxes)  # fmt: skip


def azimuth_maps(events: ChosenEvents, truth: Truth) -> plt.Figure:
    """The two leading jets' azimuths: training events, truth, generated events, the long run; all
    of the circle in 1000 x 1000 bins, and a part of it."""
    training, made, long_run = events.azimuths
    study = events.study
    rows = {
        f"{study.training_events:,} training events": training,
        f"{truth.reference.events:,} simulated": truth.azimuths,
        f"{study.events:,} generated": made,
        f"{study.long_run:,} generated": long_run,
    }
    figure, axes = plt.subplots(
        len(rows), 2, figsize=(6.8, 12), layout="constrained", sharex="col", sharey="col"
    )
    colours = plt.get_cmap("viridis").with_extremes(bad="white")
    for row, (title, counts) in zip(axes, rows.items(), strict=True):
        drawn = np.ma.masked_equal(counts.T, 0)
        highest = max(2.0, float(np.quantile(counts, 0.999)))
        for ax in row:
            image = ax.imshow(drawn, colours, origin="lower", extent=(*PHI_RANGE, *PHI_RANGE),
                              vmin=1, vmax=highest, interpolation="none")  # fmt: skip
        row[0].set_title(title, fontsize=9, loc="left")
        row[0].set_ylabel(r"$\phi_{j_2}$")
        figure.colorbar(image, ax=row, label="events per bin", shrink=0.85, pad=0.02,
                        extend="max", ticks=MaxNLocator(6, integer=True))  # fmt: skip
    whole, part = axes[-1]
    whole.set_xticks(*ANGLE_TICKS)
    whole.set_yticks(*ANGLE_TICKS)
    part.set(xlim=ZOOM, ylim=ZOOM)
    for ax in axes[-1]:
        ax.set_xlabel(r"$\phi_{j_1}$")
    return figure


def crowding(
    events: ChosenEvents,
    truth: Truth,
    reference: Result,
    others: Mapping[str, Mapping[str, NDArray[np.float64]]],
) -> plt.Figure:
    """Shares of empty bins of the truth and of every way to draw codes, and their difference;
    below, the truth against itself.

    Args:
        events: generated.
        truth: that of ``reference``.
        reference: a ``TopPairReference``.
        others: by name, curves of other generators for each of ``DIRECTIONS``, drawn thin.
    """
    figure = plt.figure(figsize=(9, 9.8), layout="constrained")
    axes = figure.subplot_mosaic(
        [["eta", "phi"], ["eta less", "phi less"], ["delta", "delta_OF"]],
        height_ratios=(1.5, 1, 1.5),
    )
    for name in DIRECTIONS:
        above, below = axes[name], axes[f"{name} less"]
        simulated = truth.empty_held_out[name]
        above.plot(GRIDS, simulated, color=BLACK, linewidth=3, alpha=0.35, label="Monte Carlo")
        copies = events.empty_training(name)
        curves: list[Curve] = [(copies, "training events, copied", GREY, ":")]
        for prior in events.priors:
            color, style = look(prior, events.own)
            curves.append((events.empty(prior, name), title(prior), color, style))
        for curve, label, color, style in curves:
            above.plot(GRIDS, curve, color=color, linestyle=style, linewidth=1.3, label=label)
            below.plot(GRIDS, curve - simulated, color=color, linestyle=style, linewidth=1.3)
        for k, (label, of_planes) in enumerate(others.items()):
            other = of_planes[name]
            thin = look_of_other(k)
            above.plot(GRIDS, other, label=label, **thin)
            below.plot(GRIDS, other - simulated, **thin)
        below.axhline(0, color=BLACK, linewidth=3, alpha=0.35)
        above.set(ylabel="share of empty bins", ylim=(0, 1), title=PLANES[name])
        below.set_yscale("symlog", linthresh=LINEAR)
        below.set_yticks(DIFFERENCES, [f"{tick:g}" for tick in DIFFERENCES])
        below.set(xlabel=r"$\sqrt{N_{\mathrm{bins}}}$", ylabel="difference from Monte Carlo")
        for ax in (above, below):
            ax.set_xlim(0, GRIDS[-1])
        above.tick_params(labelbottom=False)
    looks = axes["eta"].get_legend_handles_labels()
    figure.legend(*looks, loc="outside upper center", ncols=4, fontsize=8)  # nowhere else is room
    truth_against_itself(axes["delta"], axes["delta_OF"], reference)
    for letter, name in zip("abc", ("eta", "phi", "delta"), strict=True):
        axes[name].set_title(f"{letter})", loc="left")
    return figure


def beside_tables(scans: Mapping[str, Sequence[Candidate]], ideal: float) -> plt.Figure:
    """delta_OF (eta) and delta of whole scans against those of the paper's Tables I and II.

    Args:
        scans: by how their codes are drawn; two at most.
        ideal: delta_OF (eta) of an ideal generator.
    """
    published = TABLE_I | TABLE_II
    panels: dict[str, tuple[str, int, Callable[[Candidate], Estimate]]] = {
        r"$\delta_{OF}$ ($\eta$)": ("empty bins", 1, lambda model: model.delta_of["eta"]),
        r"$\delta$": ("distance to the truth", 0, lambda model: model.delta),
    }
    figure, axes = plt.subplots(1, 2, figsize=(10.2, 4.6), layout="constrained")
    for ax, (name, (title, column, merit)) in zip(axes, panels.items(), strict=True):
        theirs = {key: merits[column] for key, merits in published.items()}
        for (label, ordered), look in zip(scans.items(), SCANS, strict=False):
            ax.plot([], [], "s", label=label, linestyle="none", **look)
            for model in ordered:
                if model.key in theirs:
                    (value, error, *_), marker = merit(model), MARKS[model.alpha, model.gamma]
                    ax.errorbar(theirs[model.key], value, error, fmt=marker, elinewidth=0.8, **look)
        span = [min(theirs.values()), max(theirs.values())]
        ax.plot(span, span, "-", color=GREY, linewidth=1, zorder=0)
        ax.set(xscale="log", yscale="log", xlabel=f"{name}, the paper", ylabel=f"{name}, here")
        ax.set_title(title)
    axes[0].axhline(ideal, color=GREY, linestyle=":", linewidth=1, label="ideal generator")
    for axis, ticks in ((axes[1].xaxis, (0.007, 0.01, 0.015, 0.02)),
                        (axes[1].yaxis, (0.01, 0.02, 0.05, 0.1))):  # fmt: skip
        axis.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
        axis.set_minor_formatter(NullFormatter())
    for (alpha, gamma), marker in MARKS.items():
        what = rf"$\alpha$ = {alpha:g}, $\gamma$ = {gamma:g}"
        axes[0].plot([], [], marker, color=BLACK, markerfacecolor="none", label=what)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def look_of_other(number: int) -> dict[str, Any]:
    """Colour, line and marker of another generator's curve."""
    return {
        "color": OTHERS[number % len(OTHERS)],
        "marker": MARKERS[number % len(MARKERS)],
        "linewidth": 0.7,
        "markersize": 3.5,
        "markevery": (3 * number % 25, 25),
    }


def look(prior: BufferConfig | None, own: BufferConfig) -> tuple[str, str]:
    """Colour and line of what codes are drawn from; the page's own stands out."""
    if prior is None:
        return GREEN, "--"
    if prior.offset != own.offset:
        return READINGS[1][:2]
    if prior == own:
        return READINGS[0][:2]
    return LOOKS[prior.alpha, prior.gamma]


def title(prior: BufferConfig | None) -> str:
    """What codes are drawn from, in symbols; *on sigma* where gamma is added to the deviation."""
    if prior is None:
        return r"$\mathcal{N}(0, 1)$"
    where = r" on $\sigma$" if prior.offset == "deviation" and prior.gamma else ""
    return rf"$\alpha = {prior.alpha:g}$, $\gamma = {prior.gamma:g}${where}"
