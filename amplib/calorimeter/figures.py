"""Drawings of showers, in the book's style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import NullFormatter

from amplib.calorimeter.config import THRESHOLD
from amplib.calorimeter.geometry import ILD_ECAL
from amplib.calorimeter.studies import CELL_ENERGIES
from amplib.calorimeter.summary import ACTIVE, CENTROID, VISIBLE, Summary
from amplib.plotting import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION

ENERGY = "viridis_r"
STYLES = ((BLUE, "-"), (VERMILLION, "--"), (GREEN, "-."), (ORANGE, ":"), (PURPLE, (0, (5, 1))))


def event_display(shower: np.ndarray) -> plt.Figure:
    """One shower: its cells in space, and the energy summed along y and along the axis.

    Args:
        shower: ``(layer, x, y)``, MeV, threshold applied.
    """
    side_view, front_view = shower.sum(2).T, shower.sum(0)
    norm = LogNorm(THRESHOLD, max(side_view.max(), front_view.max()))
    figure = plt.figure(figsize=(11.5, 3.9))
    space: Any = figure.add_axes((0.0, 0.02, 0.36, 0.96), projection="3d")
    side, face = (
        figure.add_axes((0.45, 0.15, 0.24, 0.75)),
        figure.add_axes((0.705, 0.15, 0.24, 0.75)),
    )
    bar = figure.add_axes((0.96, 0.15, 0.013, 0.75))
    layer, x, y = shower.nonzero()
    order = np.argsort(shower[layer, x, y])
    layer, x, y = layer[order], x[order], y[order]
    energy = shower[layer, x, y]
    space.scatter(
        layer + 0.5, x + 0.5, y + 0.5, c=energy, s=3 + 6 * np.sqrt(energy), cmap=ENERGY, norm=norm,
        marker="s", linewidths=0, alpha=0.8,
    )  # fmt: skip
    space.set(
        xlabel="layer", ylabel="$x$ (cells)", zlabel="$y$ (cells)",
        xlim=(0, 30), ylim=(0, 30), zlim=(0, 30),
        xticks=(0, 10, 20, 30), yticks=(0, 15, 30), zticks=(0, 15, 30),
    )  # fmt: skip
    space.set_box_aspect((1.5, 1, 1), zoom=0.9)
    space.view_init(elev=18, azim=-62)
    cells = np.arange(31)
    for ax, image, label in (
        (side, side_view, "layer"),
        (face, front_view, "$y$ (cells)"),
    ):
        drawn = ax.pcolormesh(
            cells, cells, np.ma.masked_less_equal(image, 0), cmap=ENERGY, norm=norm
        )
        ax.set(xlabel=label, aspect="equal")
    side.set_ylabel("$x$ (cells)")
    face.tick_params(labelleft=False)
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
    bottom.set(xlabel="layer", ylabel="simulated /\nintegrated", ylim=(0.9, 1.1), xlim=(0, 31))
    top.legend()
    return figure


def lateral_profile(summary: Summary, layers: Sequence[int]) -> plt.Figure:
    """Share of single layers' energy in the columns of cells against integration."""
    figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
    columns = np.arange(ILD_ECAL.cells) - (ILD_ECAL.cells - 1) / 2
    for layer, (color, style), marker in zip(layers, STYLES, "os^v", strict=False):
        row = summary.sums["columns"][layer - 1]
        expected = summary.expected["columns"][layer - 1]
        seen = row / (row.sum() / expected.sum())  # both without what leaves at the sides
        ax.plot(columns, expected, linestyle=style, color=color, label=f"layer {layer}, integrated")
        ax.plot(columns, seen, marker, color=color, markersize=3.5, label="simulated")
    width = ILD_ECAL.cell_mm
    ax.set(
        xlabel=f"$x$ about the axis (cells of {width:.2f} mm)", ylabel="share of a layer's energy",
        yscale="log", xlim=(-15, 15), ylim=(1e-4, 1),
    )  # fmt: skip
    figure.legend(ncols=len(layers), loc="outside upper center", columnspacing=1)
    return figure


def distributions(summaries: Mapping[str, Summary]) -> plt.Figure:
    """Active cells, visible energy, centroid and cell energies."""
    figure, grid = plt.subplots(2, 2, figsize=(8.5, 6), layout="constrained")
    axes = grid.ravel()
    labels = {
        ACTIVE: "active cells",
        VISIBLE: "visible energy (MeV)",
        CENTROID: "longitudinal centroid (layers)",
    }
    for ax, (scalar, label) in zip(axes, labels.items(), strict=False):
        values = [s.scalars[:, scalar] for s in summaries.values()]
        low, high = np.quantile(np.concatenate(values), [0.001, 0.999])
        bins = np.linspace(low, high, 41)
        for v, (color, style) in zip(values, STYLES, strict=False):
            ax.hist(v, bins, density=True, histtype="step", color=color, linestyle=style, lw=1.6)
        ax.set(xlabel=label, yticks=[])
    for ax in grid[:, 0]:
        ax.set_ylabel("showers (normalised)")
    for (name, s), (color, style) in zip(summaries.items(), STYLES, strict=False):
        counts = s.sums["cell_energies"] / len(s) / np.diff(np.log10(CELL_ENERGIES))
        axes[3].stairs(counts, CELL_ENERGIES, color=color, linestyle=style, lw=1.6, label=name)
    axes[3].axvline(THRESHOLD, color=GREY, linewidth=0.8)
    axes[3].annotate(" threshold", (THRESHOLD, 0.97), xycoords=("data", "axes fraction"),
                     rotation=90, ha="right", va="top", fontsize=8, color=GREY)  # fmt: skip
    axes[3].set(
        xscale="log", xlabel="energy of a cell (MeV)", ylabel="cells a shower and decade",
        ylim=(0, None),
    )  # fmt: skip
    figure.legend(loc="outside upper center", ncols=len(summaries))
    return figure


def response_and_resolution(
    summaries: Sequence[Summary], stochastic: float, constant: float
) -> plt.Figure:
    r"""Response and resolution, with what integration expects and $a/\sqrt E \oplus b$."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    energies = np.array([s.energy for s in summaries])
    ratio, error = np.transpose([s.response() for s in summaries])
    expected = [1 - sum(s.losses().values()) for s in summaries]
    band = 0.99 * ratio.mean(), 1.01 * ratio.mean()
    left.axhspan(*band, color=GREY, alpha=0.2, linewidth=0, label="mean ±1%")
    left.plot(energies, expected, "--", color=VERMILLION, label="one less the losses")
    left.errorbar(energies, ratio, error, fmt="o", color=BLUE, label="simulated")
    left.set(xscale="log", ylabel="reconstructed / true", ylim=(0.965, 1.005))
    left.legend()
    resolutions = [s.resolution() for s in summaries]
    right.errorbar(
        energies, [100 * r.value for r in resolutions], [100 * r.error for r in resolutions],
        fmt="o", color=BLUE, label="simulated",
    )  # fmt: skip
    e = np.geomspace(energies[0] / 1.2, energies[-1] * 1.2, 100)
    right.plot(e, 100 * np.hypot(stochastic / np.sqrt(e), constant), "--", color=VERMILLION,
               label=r"$a/\sqrt{E} \oplus b$")  # fmt: skip
    right.plot(e, 17 / np.sqrt(e), ":", color=BLACK, label=r"$17\%/\sqrt{E}$")
    right.set(xscale="log", yscale="log", ylabel="resolution (%)")
    right.set_yticks([1, 2, 3, 5, 8], ["1", "2", "3", "5", "8"])
    right.yaxis.set_minor_formatter(NullFormatter())
    for ax in (left, right):
        ax.set_xlabel(f"{summaries[0].particle} energy (GeV)")
        ax.set_xticks(energies, [f"{e:g}" for e in energies])
        ax.xaxis.set_minor_formatter(NullFormatter())
    right.legend()
    return figure


def correlation_matrix(correlations: np.ndarray, names: Sequence[str]) -> plt.Figure:
    """Linear correlation coefficients, in per cent."""
    figure, ax = plt.subplots(figsize=(5.6, 4.8), layout="constrained")
    drawn = ax.imshow(100 * correlations, cmap="PuOr", vmin=-100, vmax=100)
    for i, row in enumerate(correlations):
        for j, value in enumerate(row):
            dark = abs(value) > 0.7
            ax.text(j, i, f"{100 * value:z.0f}", ha="center", va="center", fontsize=7,
                    color="white" if dark else "black")  # fmt: skip
    ax.set_xticks(range(len(names)), names, rotation=60)
    ax.set_yticks(range(len(names)), names)
    ax.minorticks_off()
    ax.tick_params(length=0)
    figure.colorbar(drawn, label="correlation (%)", shrink=0.85)
    return figure
