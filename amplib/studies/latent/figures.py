"""Drawings of the latent space, in the book's style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from amplib.studies.bvae.study import LATENT_BINS
from amplib.studies.latent.charts import (
    ANGLES,
    EVERY,
    FALSE_ALARMS,
    INPUTS,
    LOSS_BINS,
    RADII,
    SCORES,
)
from amplib.studies.latent.display import arrows
from amplib.studies.latent.reading import IN_EVERY_EVENT, Anomalies, Chart, JudgedPrior
from amplib.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION, printed
from amplib.truth.collisions.columns import TTBAR

Array = NDArray[np.float64]

COLORS = {"jet": BLUE, "lepton": VERMILLION, "missing": GREEN}
AREA = "#C9C9C9"
THINNEST, WIDEST = 0.5, 4.5
"""Widths of an arrow without energy, and of one with all of it, in points."""
STYLES: Sequence[str | tuple[int, tuple[int, ...]]] = ("-", "--", "-.", (0, (1, 1)))
FAMILIES = {
    "kernels": (BLUE,),
    "mixture": (GREEN,),
    "staged": (PURPLE, VERMILLION, ORANGE, SKY),
}
"""Colours of kinds of priors; members of a kind differ in their line."""
LABELS = {
    "MET": "MET", "phi_MET": r"$\phi_{MET}$",
    **{f"{q}_{x}": rf"${s}_{{{x}}}$" for x in ("j1", "j2", "j3", "j4", "l1", "l2")
       for q, s in {"E": "E", "pT": "p_{T}", "eta": r"\eta", "phi": r"\phi"}.items()},
}  # fmt: skip
LABELS |= {f"pT_{x}": rf"$p_{{T,{x}}}$" for x in ("j1", "j2", "j3", "j4", "l1", "l2")}


def latent_histograms(chart: Chart, priors: Mapping[str, JudgedPrior]) -> plt.Figure:
    """All latent dimensions: the codes of training events as an area, a line a fitted prior."""
    dimensions = len(chart.codes)
    rows = -(-dimensions // 4)
    figure, axes = plt.subplots(rows, 4, figsize=(9, 1.75 * rows + 0.6), layout="constrained")
    shown = {name: p for name, p in priors.items() if p.prior.kind in FAMILIES}
    looks = line_looks(shown)
    for ax in axes.flat[dimensions:]:
        ax.set_axis_off()
    for j, ax in enumerate(axes.flat[:dimensions]):
        truth = density(chart.codes[j])
        ax.stairs(truth, LATENT_BINS, fill=True, color=AREA, label="training events")
        for name, prior in shown.items():
            color, style = looks[name]
            ax.stairs(density(prior.latent[j]), LATENT_BINS, baseline=None, color=color,
                      linestyle=style, linewidth=0.9, label=printed(name))  # fmt: skip
        reach = np.abs(LATENT_BINS[:-1][truth > 1e-3 * truth.max()]).max() + 0.5
        # A prior that has collapsed to a line would flatten all others.
        ax.set(xlim=(-reach, reach), ylim=(0, 1.8 * truth.max()), yticks=[])
        ax.text(0.04, 0.88, f"$z_{{{j + 1}}}$", transform=ax.transAxes, va="top", fontsize=10)
        ax.tick_params(labelsize=8)
    handles, names = axes.flat[0].get_legend_handles_labels()
    figure.supylabel("density", fontsize=11)
    figure.supxlabel("code", fontsize=11)
    figure.legend(handles, names, loc="outside upper center", ncols=5, fontsize=8)
    return figure


def density(counts: NDArray[np.integer]) -> Array:
    """Of codes within the bins; zeros of a prior without codes."""
    return np.asarray(counts / max(int(counts.sum()), 1) / np.diff(LATENT_BINS))


def line_looks(priors: Mapping[str, JudgedPrior]) -> dict[str, tuple[str, object]]:
    """Colour and line of each prior."""
    looks: dict[str, tuple[str, object]] = {}
    for kind, colors in FAMILIES.items():
        names = [name for name, p in priors.items() if p.prior.kind == kind]
        for k, name in enumerate(names):
            looks[name] = colors[k % len(colors)], STYLES[k // len(colors) % len(STYLES)]
    return looks


def reconstructions(chart: Chart) -> plt.Figure:
    """Input (horizontal) against reconstruction, noise left, events right; lines: equality."""
    rows = -(-len(TTBAR) // 4)
    figure = plt.figure(figsize=(9.2, 1.18 * rows + 0.7), layout="constrained")
    halves = figure.subfigures(1, 2, wspace=0.03, squeeze=False)[0]
    for k, (half, title) in enumerate(zip(halves, INPUTS, strict=True)):
        axes = half.subplots(rows, 4, squeeze=False)
        half.suptitle(title, fontsize=11)
        half.supxlabel("input / largest modulus in training", fontsize=9)
        half.supylabel("reconstruction" if k == 0 else "", fontsize=9)
        for ax in axes.flat[len(TTBAR) :]:
            ax.set_axis_off()
        for column, ax in enumerate(axes.flat[: len(TTBAR)]):
            _reconstruction(ax, chart, k, column)
    return figure


def _reconstruction(ax: Axes, chart: Chart, given: int, column: int) -> None:
    counts = chart.arrays["maps"][given, column]
    (left, right), (low, high) = chart.arrays["limits"][given, column]
    bins = len(counts)
    x, y = np.linspace(left, right, bins + 1), np.linspace(low, high, bins + 1)
    shown = np.ma.masked_equal(counts.T, 0)
    ax.pcolormesh(x, y, shown, norm=LogNorm(1, max(counts.max(), 2)), rasterized=True,
                  cmap="viridis")  # fmt: skip
    ax.plot([left, right], [left, right], color=VERMILLION, linewidth=0.7, linestyle="--")
    ax.set(xlim=(left, right), ylim=(low, high))
    ax.set_title(LABELS[TTBAR[column]], fontsize=8, pad=2)
    ax.tick_params(labelsize=6, length=1.5, pad=1)
    ax.minorticks_off()
    ax.locator_params(nbins=2)


def draw_event(ax: Axes, event: NDArray[np.floating]) -> None:
    """An event as arrows in the transverse plane."""
    ax.set(xlim=(-1.08, 1.08), ylim=(-1.08, 1.08), aspect="equal", xticks=[], yticks=[])
    for arrow in sorted(arrows(event), key=lambda a: -a.share):
        width = THINNEST + WIDEST * arrow.share
        ax.annotate("", (arrow.x, arrow.y), (0, 0), arrowprops={
            "arrowstyle": f"-|>,head_width={0.07 + 0.05 * width},head_length=0.18",
            "color": COLORS[arrow.kind], "linewidth": width, "shrinkA": 0, "shrinkB": 0,
            "mutation_scale": 10,
        })  # fmt: skip


def event_map(chart: Chart) -> plt.Figure:
    """The events of a polar grid in the first two principal components: r downwards, phi across."""
    events = chart.paper_lattice
    rows, columns = events.shape[:2]
    figure, axes = plt.subplots(rows, columns, figsize=(8.6, 9), squeeze=False,
                                layout=ConstrainedLayoutEngine(
                                    h_pad=0.01, w_pad=0.01, hspace=0, wspace=0))  # fmt: skip
    for k, (ax, event) in enumerate(zip(axes.flat, events.reshape(-1, len(TTBAR)), strict=True)):
        draw_event(ax, event)
        ax.text(0.03, 0.97, str(k + 1), transform=ax.transAxes, va="top", fontsize=7, color=GREY)
    for ax, angle in zip(axes[0], ANGLES[:: EVERY[1]], strict=True):
        ax.set_title(rf"$\phi = {np.degrees(angle):.0f}°$", fontsize=9)
    for ax, radius in zip(axes[:, 0], RADII[:: EVERY[0]], strict=True):
        ax.set_ylabel(f"$r = {radius:.2f}$", fontsize=9)
    kinds = {"jet": "jet", "lepton": "lepton", "missing": "missing momentum"}
    handles = [Line2D([], [], color=COLORS[kind], linewidth=3) for kind in kinds]
    figure.legend(handles, list(kinds.values()), loc="outside lower center", ncols=3)
    return figure


def steering(chart: Chart) -> plt.Figure:
    """How near generated events come to a chosen one: by components held, and column by column."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.9), layout="constrained",
                                         width_ratios=(1, 1.7))  # fmt: skip
    found = [chart.steered(k) for k in chart.held]
    reach = [1.96 * e.error for e in found]
    left.errorbar(chart.held, [e.value for e in found], reach, fmt="o-", color=BLUE, markersize=4)
    left.axhline(1, color=GREY, linestyle="--", linewidth=1)
    left.text(chart.held[-1], 1.01, "random pairs", ha="right", va="bottom", color=GREY, fontsize=9)
    left.set(xlabel="components held near the chosen event's", ylabel="distance / random pairs",
             ylim=(0, max(1.15, 1.05 * max(e.value for e in found))))  # fmt: skip
    markers = {2: ("o", VERMILLION), 7: ("s", PURPLE), chart.held[-1]: ("^", GREEN)}
    for held, (marker, color) in markers.items():
        right.plot(chart.steered_columns(held)[IN_EVERY_EVENT], marker, color=color, markersize=4.5,
                   label=f"{held} held")  # fmt: skip
    right.axhline(1, color=GREY, linestyle="--", linewidth=1)
    names = [LABELS[name] for name in np.array(TTBAR)[IN_EVERY_EVENT]]
    right.set_xticks(range(len(names)), names, rotation=90, fontsize=8)
    right.tick_params(axis="x", which="minor", bottom=False, top=False)
    right.set(ylim=(0, 1.45), ylabel="distance / random pairs")
    right.legend(ncols=3, loc="upper center")
    return figure


def anomaly_curves(found: Mapping[str, Anomalies]) -> plt.Figure:
    """Left the relative losses of top pairs (area) and of each other process (lines); right their
    ROC curves: share of the process found against share of top pairs taken for it."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
    score = SCORES[1]
    looks = zip(found.values(), ((VERMILLION, "-"), (BLUE, "--")), strict=False)
    for one, (color, style) in looks:
        top_pairs, others = one.histograms[score]
        if one is next(iter(found.values())):
            left.stairs(top_pairs, LOSS_BINS, fill=True, color=AREA, label="top pairs")
        left.stairs(others, LOSS_BINS, baseline=None, color=color, linestyle=style,
                    label=one.process)  # fmt: skip
        for name, width in zip(SCORES, (0.8, 1.8), strict=True):
            right.plot(FALSE_ALARMS, one.found[name], color=color, linestyle=style,
                       linewidth=width, label=f"{one.process}, {name}")  # fmt: skip
    right.plot(FALSE_ALARMS, FALSE_ALARMS, color=GREY, linestyle=":", linewidth=1, label="chance")
    filled = [np.flatnonzero(h.sum(0)) for one in found.values() for h in [one.histograms[score]]]
    first, last = min(f[0] for f in filled), max(f[-1] for f in filled)
    left.set(xscale="log", xlabel="relative loss", ylabel="share of events",
             xlim=(LOSS_BINS[first], LOSS_BINS[last + 1]))  # fmt: skip
    right.set(xscale="log", xlim=(1e-3, 1), ylim=(0, 1.02), xlabel="share of top pairs taken",
              ylabel="share of the process found")  # fmt: skip
    for ax in (left, right):
        ax.legend(fontsize=8)
    return figure
