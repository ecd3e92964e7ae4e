"""Drawings of showers, in the book's style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import NullFormatter

from amplib.studies.shower_paper import PAPER_ACTIVE, PAPER_ENERGY
from amplib.studies.showers.reading import ACTIVE, CENTROID, PAPER_AXES, VISIBLE, Summary
from amplib.studies.showers.study import CELL_ENERGIES
from amplib.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION, printed
from amplib.truth.showers.config import THRESHOLD
from amplib.truth.showers.geometry import ILD_ECAL

if TYPE_CHECKING:
    from amplib.truth.showers.expectation import Resolution

ENERGY = "viridis_r"
SYMBOLS = {
    **{"X2": "$X_2$", "Y2": "$Y_2$", "Z2": "$Z_2$", "X": "$X$", "Y": "$Y$", "Z": "$Z$"},
    **{"E_vis": "$E_{vis}$", "n_hit": "$n_{hit}$", "E1": "$E_1$", "E2": "$E_2$", "E3": "$E_3$"},
}
"""Of the names in ``config.CORRELATED``."""
LAYER = "layer (from 1)"
"""Label of axes; what is weighed counts layers from zero."""
STYLES = ((BLUE, "-"), (VERMILLION, "--"), (GREEN, "-."), (ORANGE, ":"), (PURPLE, (0, (5, 1))))


def event_display(shower: np.ndarray) -> plt.Figure:
    """One shower: its cells in space, and the energy summed along y, along x and along the axis.

    Args:
        shower: ``(layer, x, y)``, MeV, threshold applied.
    """
    views = (
        (shower.sum(2).T, LAYER, "$x$ (cells)"),
        (shower.sum(1).T, LAYER, "$y$ (cells)"),
        (shower.sum(0).T, "$x$ (cells)", "$y$ (cells)"),
    )
    norm = LogNorm(THRESHOLD, max(image.max() for image, *_ in views))
    figure = plt.figure(figsize=(9.0, 7.6))
    space: Any = figure.add_axes((0.02, 0.33, 0.92, 0.74), projection="3d")
    bar = figure.add_axes((0.925, 0.07, 0.014, 0.28))
    layer, x, y = shower.nonzero()
    order = np.argsort(shower[layer, x, y])
    layer, x, y = layer[order], x[order], y[order]
    energy = shower[layer, x, y]
    space.scatter(
        layer + 1, x + 0.5, y + 0.5, c=energy, s=5 + 9 * np.sqrt(energy), cmap=ENERGY, norm=norm,
        marker="s", linewidths=0, alpha=0.8,
    )  # fmt: skip
    space.set(
        xlabel=LAYER, ylabel="$x$ (cells)", zlabel="$y$ (cells)",
        xlim=(0.5, 30.5), ylim=(0, 30), zlim=(0, 30),
        xticks=(1, 10, 20, 30), yticks=(0, 15, 30), zticks=(0, 15, 30),
    )  # fmt: skip
    space.set_box_aspect((1.5, 1, 1), zoom=1.05)
    space.view_init(elev=18, azim=-62)
    cells, ticks = np.arange(31), (0, 10, 20, 30)
    for k, (image, across, up) in enumerate(views):
        ax = figure.add_axes((0.06 + 0.295 * k, 0.07, 0.23, 0.28))
        first = 0.5 if across == LAYER else 0  # the middle of a layer is its number
        drawn = ax.pcolormesh(
            cells + first, cells, np.ma.masked_less_equal(image, 0), cmap=ENERGY, norm=norm
        )
        across_ticks = (1, *ticks[1:]) if across == LAYER else ticks
        ax.set(xlabel=across, ylabel=up, aspect="equal", xticks=across_ticks, yticks=ticks)
    figure.colorbar(drawn, cax=bar, label="energy (MeV)")
    return figure


def longitudinal_profiles(summaries: Mapping[str, Summary]) -> plt.Figure:
    """Mean and spread of the layer energies against integration, with their ratio below."""
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(6.4, 5), sharex=True, height_ratios=(3, 1), layout="constrained"
    )
    layers = np.arange(1, ILD_ECAL.layers + 1)
    for k, ((label, s), (color, style)) in enumerate(zip(summaries.items(), STYLES, strict=False)):
        marker = "os^v"[k]
        mean, spread = s.expected_layers
        top.plot(layers, mean, linestyle=style, color=color, label=f"{label}, integrated")
        top.fill_between(
            layers,
            np.maximum(mean - spread, 0),
            mean + spread,
            color=color,
            alpha=0.15,
            linewidth=0,
        )
        top.errorbar(
            layers, s.layer_mean, s.layer_spread, fmt=marker, color=color,
            markersize=3.5, linewidth=0.7, label=f"{label}, simulated",
        )  # fmt: skip
        bottom.errorbar(
            layers + 0.25 * k, s.layer_mean / mean, spread / mean / np.sqrt(len(s)),
            fmt=marker, color=color, markersize=3.5, linewidth=0.8,
        )  # fmt: skip
    bottom.axhline(1, color=GREY, linewidth=0.8)
    top.set(ylabel="energy seen in a layer (MeV)", ylim=(0, None))
    bottom.set(xlabel=LAYER, ylabel="simulated /\nintegrated", ylim=(0.9, 1.1), xlim=(0, 31))
    top.legend()
    return figure


def lateral_profile(summary: Summary, layers: Sequence[int]) -> plt.Figure:
    """Share of the energy in the columns of cells against integration, with their ratio below.

    Single layers as ``layers`` has them, and all together; standard errors, and the ratio, are of
    all together, as no squares of single layers' columns are kept.
    """
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(6.4, 5.4), sharex=True, height_ratios=(2, 1), layout="constrained"
    )
    half = ILD_ECAL.cells / 2
    edges = np.arange(ILD_ECAL.cells + 1) - half
    centre = edges[:-1] + 0.5
    for k, (layer, (color, style)) in enumerate(zip(layers, STYLES, strict=False)):
        row = summary.sums["columns"][layer - 1]
        expected = summary.expected["columns"][layer - 1]
        seen = row / (row.sum() / expected.sum())  # both without what leaves at the sides
        top.stairs(expected, edges, baseline=None, linestyle=style, color=color, linewidth=1.4,
                   label=f"layer {layer}")  # fmt: skip
        top.plot(centre, seen, "os^"[k], color=color, markersize=3.5)
    mean, error, expected = summary.column_mean, summary.column_error, summary.column_expected
    whole = summary.expected["seen"].sum()
    top.stairs(expected / whole, edges, baseline=None, color=BLACK, linewidth=1,
               label="all layers")  # fmt: skip
    for ax, scale in ((top, whole), (bottom, expected)):
        ax.errorbar(centre, mean / scale, error / scale, fmt="x", color=BLACK, markersize=4,
                    linewidth=1)  # fmt: skip
    bottom.axhline(1, color=GREY, linewidth=0.8)
    width = ILD_ECAL.cell_mm
    reach = max(0.03, 1.2 * (np.abs(mean / expected - 1) + error / expected).max())
    top.set(ylabel="share of the energy", yscale="log", xlim=(-half, half), ylim=(1e-4, 1))
    bottom.set(xlabel=f"$x$ about the axis (cells of {width:.2f} mm)",
               ylabel="simulated /\nintegrated", ylim=(1 - reach, 1 + reach))  # fmt: skip
    top.legend(loc="upper left")
    return figure


def start_and_axes(photons: Summary, axes: bool) -> plt.Figure:
    """Layers that a shower leaves empty, and what lies beyond the axes of the authors' notebook,
    layer by layer.

    Args:
        photons: of one energy.
        axes: draw the right panel, which has a meaning at the paper's 50 GeV only.
    """
    figure, panels = plt.subplots(
        1, 2 if axes else 1, figsize=(8 if axes else 4.2, 3.4), layout="constrained", squeeze=False
    )
    left, first = panels[0, 0], 8
    layers = np.arange(1, ILD_ECAL.layers + 1)
    shares = photons.empty(first)
    left.plot(layers[:first], 100 * photons.expected["empty"][:first], "_", color=VERMILLION,
              markersize=16, label=r"$\exp(-7t/9)$")  # fmt: skip
    left.errorbar(layers[:first], [100 * p.value for p in shares], [100 * p.error for p in shares],
                  fmt="o", color=BLUE, markersize=4, label="simulated")  # fmt: skip
    left.set(xlabel=LAYER, ylabel="photons that leave it empty (%)", ylim=(0, None))
    left.legend()
    if axes:
        energies, moments = 100 * photons.beyond_layer_axes()
        right = panels[0, 1]
        right.stairs(
            energies, np.arange(31) + 0.5, color=BLUE, lw=1.6, label="energy (axes of Fig. 4)"
        )
        right.stairs(moments, np.arange(31) + 0.5, color=VERMILLION, ls="--", lw=1.6,
                     label="second moment (of Fig. 6)")  # fmt: skip
        right.set(xlabel=LAYER, ylabel="photons beyond the axis (%)", xlim=(0.5, 30.5),
                  ylim=(0, None))  # fmt: skip
        right.legend()
    return figure


def distributions(summaries: Mapping[str, Summary]) -> plt.Figure:
    """Active cells, visible energy, centroid and cell energies.

    At the paper's energy, with the ends of the notebook's axes and where the paper's cells peak.
    """
    papers = {s.energy for s in summaries.values()} == {PAPER_ENERGY}
    figure, grid = plt.subplots(2, 2, figsize=(7.6, 5.8), layout="constrained")
    axes = grid.ravel()
    labels = {
        ACTIVE: "active cells",
        VISIBLE: "visible energy (MeV)",
        CENTROID: "longitudinal centroid (layers, from 1)",
    }
    for ax, (scalar, label) in zip(axes, labels.items(), strict=False):
        values = [s.scalars[:, scalar] for s in summaries.values()]
        low, high = np.quantile(np.concatenate(values), [0.001, 0.999])
        if papers:
            low, high = min(low, PAPER_AXES[scalar][0]), max(high, PAPER_AXES[scalar][1])
        bins = np.linspace(low, high, 41)
        for v, (color, style) in zip(values, STYLES, strict=False):
            ax.hist(v, bins, density=True, histtype="step", color=color, linestyle=style, lw=1.6)
        ax.set(xlabel=label, yticks=[])
        if papers:
            for edge in PAPER_AXES[scalar]:
                ax.axvline(edge, color=GREY, linewidth=0.8, linestyle=":")
    if papers:
        axes[0].axvline(PAPER_ACTIVE, color=GREY, linewidth=0.8)
        axes[0].annotate("paper ", (PAPER_ACTIVE, 0.97), xycoords=("data", "axes fraction"),
                         rotation=90, ha="right", va="top", fontsize=8, color=GREY)  # fmt: skip
    for ax in grid[:, 0]:
        ax.set_ylabel("showers (normalised)")
    for (name, s), (color, style) in zip(summaries.items(), STYLES, strict=False):
        counts = s.sums["cell_energies"] / len(s) / np.diff(np.log10(CELL_ENERGIES))
        axes[3].stairs(counts, CELL_ENERGIES, color=color, linestyle=style, lw=1.6, label=name)
    axes[3].axvline(THRESHOLD, color=GREY, linewidth=0.8)
    axes[3].annotate(" threshold", (THRESHOLD, 0.97), xycoords=("data", "axes fraction"),
                     rotation=90, ha="right", va="top", fontsize=8, color=GREY)  # fmt: skip
    axes[3].set(
        xscale="log", xlabel="energy of a cell (MeV)", ylabel="cells per shower and decade",
        ylim=(0, None),
    )  # fmt: skip
    figure.legend(loc="outside upper center", ncols=len(summaries))
    return figure


def response_and_resolution(
    summaries: Sequence[Summary],
    expected: Sequence[Resolution],
    response_pulls: np.ndarray,
    resolution_pulls: np.ndarray,
) -> plt.Figure:
    """Response and resolution with what integration expects of them, and pulls from that below.

    Args:
        summaries: at several energies.
        expected: of the resolution before the threshold.
        response_pulls: of the response from one less its losses.
        resolution_pulls: of the resolution before the threshold.
    """
    figure, ((left, right), below) = plt.subplots(
        2, 2, figsize=(8, 4.6), sharex=True, height_ratios=(3, 1), layout="constrained"
    )
    energies = np.array([s.energy for s in summaries])
    ratio, error = np.transpose([s.response()[:2] for s in summaries])
    band = 0.99 * ratio.mean(), 1.01 * ratio.mean()
    left.axhspan(*band, color=GREY, alpha=0.2, linewidth=0, label="mean ±1%")
    left.plot(energies, [s.expected_response() for s in summaries], "--", color=VERMILLION,
              label="one less the losses")  # fmt: skip
    left.errorbar(energies, ratio, error, fmt="o", color=BLUE, markersize=4, label="simulated")
    left.set(xscale="log", ylabel="reconstructed / true", ylim=(0.965, 1.005))
    found = 100 * np.array([s.resolution_before_threshold()[:2] for s in summaries])
    lines = {
        "integrated": ([e.total() for e in expected], "--", VERMILLION),
        "sampling": ([e.sampling for e in expected], ":", BLACK),
        "shapes": ([e.shapes for e in expected], "-.", GREEN),
    }
    for label, (values, style, color) in lines.items():
        right.plot(energies, 100 * np.array(values), style, color=color, label=label)
    right.errorbar(energies, *found.T, fmt="o", color=BLUE, markersize=4, label="simulated")
    right.set(xscale="log", yscale="log", ylabel="resolution (%)")
    right.set_yticks([0.5, 1, 2, 5, 8], ["0.5", "1", "2", "5", "8"])
    right.yaxis.set_minor_formatter(NullFormatter())
    for ax, pulls in zip(below, (response_pulls, resolution_pulls), strict=True):
        ax.axhspan(-1, 1, color=GREY, alpha=0.2, linewidth=0)
        ax.axhline(0, color=VERMILLION, linestyle="--", linewidth=1)
        ax.plot(energies, pulls, "o", color=BLUE, markersize=4)
        ax.set(xlabel=f"{summaries[0].particle} energy (GeV)", ylabel="pull", ylim=(-4.5, 4.5),
               yticks=(-3, 0, 3))  # fmt: skip
        ax.set_xticks(energies, [f"{e:g}" for e in energies])
        ax.xaxis.set_minor_formatter(NullFormatter())
    left.legend()
    right.legend()
    return figure


def correlation_matrix(correlations: np.ndarray, names: Sequence[str]) -> plt.Figure:
    """Linear correlation coefficients, in per cent, of observables named as in ``SYMBOLS``."""
    figure, ax = plt.subplots(figsize=(5.6, 4.8), layout="constrained")
    drawn = ax.imshow(100 * correlations, cmap="PuOr", vmin=-100, vmax=100)
    for i, row in enumerate(correlations):
        for j, value in enumerate(row):
            dark = abs(value) > 0.7
            ax.text(j, i, printed(f"{100 * value:z.0f}"), ha="center", va="center", fontsize=7,
                    color="white" if dark else "black")  # fmt: skip
    labels = [SYMBOLS[name] for name in names]
    ax.set_xticks(range(len(names)), labels)
    ax.set_yticks(range(len(names)), labels)
    ax.minorticks_off()
    ax.tick_params(length=0)
    figure.colorbar(drawn, label="correlation (%)", shrink=0.85)
    return figure
