"""Figures of the Gaussian examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.ticker import FixedLocator, NullFormatter, ScalarFormatter

from amplib.estimate import Estimate
from amplib.metrics.outlook import HOPELESS_AUC, dilution_from_auc
from amplib.studies.gaussians.reading import MIXTURES, Training, Trainings
from amplib.studies.gaussians.study import LOG_WEIGHTS
from amplib.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION

LEAST_R = 0.9
"""Where axes of r begin."""
COLUMNS = ("truth", "GAN", "DCTRGAN")
STYLES: dict[str, dict[str, Any]] = {
    "bimodal": {"color": BLUE, "marker": "o"},
    "ring": {"color": ORANGE, "marker": "s"},
    "grid": {"color": PURPLE, "marker": "^"},
}


def mixture_panels(mixtures: Mapping[str, Trainings]) -> plt.Figure:
    """Densities of truth, GAN and weighted GAN, a row a mixture (DCTRGAN, Fig. 1).

    Of each mixture it shows the training in the middle (``Trainings.usual``).  Colours of a row
    share the scale of its truth, on which what exceeds it is the darkest.
    """
    figure, axes = plt.subplots(
        len(mixtures), 3, figsize=(9.6, 3.0 * len(mixtures)), layout="constrained", squeeze=False
    )
    for row, (name, trainings) in zip(axes, mixtures.items(), strict=True):
        training = trainings.usual
        if training.study.truth().dimension == 1:
            _lines(row, training)
        else:
            _images(figure, row, training)
        before, after = (s.value[0] for s in training.in_cells)
        for ax, text in zip(row, (MIXTURES[name], _share(before), _share(after)), strict=True):
            ax.text(
                0.03, 0.97, text, transform=ax.transAxes, va="top", fontsize=9,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5},
            )  # fmt: skip
    for ax, title in zip(axes[0], COLUMNS, strict=True):
        ax.set_title(title)
    return figure


def _share(value: float) -> str:
    return rf"$\langle S^2\rangle$ = {value:.2g}"


def _lines(row: np.ndarray, training: Training) -> None:
    edges = np.linspace(*training.study.range, training.study.cells + 1)
    truth, gan, weighted = training.densities
    x = np.linspace(edges[0], edges[-1], 401)
    exact = training.study.truth().pdf(x[:, None])
    for ax, density, color in zip(row, (truth, gan, weighted), (GREY, ORANGE, GREEN), strict=True):
        ax.stairs(density, edges, color=color, fill=True, alpha=0.35)
        ax.stairs(density, edges, color=color, linewidth=1.2)
        ax.plot(x, exact, "--", color=BLACK, linewidth=1.0)
        ax.set(xlabel="$x$", xlim=edges[[0, -1]])
        ax.set_ylim(0, 1.25 * max(d.max() for d in (truth, gan, weighted)))
    row[0].set_ylabel("probability density")


def _images(figure: plt.Figure, row: np.ndarray, training: Training) -> None:
    edges = np.linspace(*training.study.range, training.study.cells + 1)
    densities = training.densities
    norm = PowerNorm(0.5, 0, densities[0].max())
    for ax, density in zip(row, densities, strict=True):
        shown = np.ma.masked_equal(density.T, 0)
        image = ax.pcolormesh(edges, edges, shown, cmap="viridis_r", norm=norm, rasterized=True)
        ax.set(xlabel="$x_0$", aspect="equal")
    row[0].set_ylabel("$x_1$")
    bar = figure.colorbar(image, ax=row[-1], extend="max", shrink=0.9)
    bar.set_label("probability density")


def outlook_panels(mixtures: Mapping[str, Trainings]) -> plt.Figure:
    """Whether r can be told beforehand: from eq. 9, from the scores, from the AUC.

    Left: every observable of every training, those below the axis at its end; middle and right: a
    point a training, the median over observables with their central 68%.
    """
    figure, axes = plt.subplots(1, 3, figsize=(11.4, 3.9), layout="constrained")
    for name, trainings in mixtures.items():
        style = {**STYLES[name], "linestyle": "none"}
        first = True
        for training in trainings.each:
            r, needed = training.dilution, np.sqrt(training.needed.value)
            look, label = training.outlook, MIXTURES[name] if first else None
            axes[0].plot(needed, r.value, **style, markersize=3, alpha=0.5, label=label)
            far = (r.value > 0) & (r.value < LEAST_R)
            below = {**style, "marker": "v", "fillstyle": "none", "markersize": 4}
            axes[0].plot(needed[far], np.full(far.sum(), 1.04 * LEAST_R), **below)
            for ax, x, error in (
                (axes[1], look.dilution.value, look.dilution.error),
                (axes[2], look.auc.value, look.auc.error),
            ):
                y, low, high = training.usual_dilution
                ax.errorbar(
                    [x], [y], [[max(y - low, 0)], [max(high - y, 0)]], [error],
                    **style, markersize=5, linewidth=1, label=label,
                )  # fmt: skip
            first = False
    _identity(axes[0], r"$r$ by the paper's eq. 9, from generated events alone")
    _identity(axes[1], r"$r$ predicted by the scores, $\sqrt{N/N_\mathrm{eff}}$")
    area = np.linspace(0.5, 0.97, 200)
    told = [dilution_from_auc(Estimate(float(a), 0.0)).value for a in area]
    axes[2].plot(area, told, "-", color=BLACK, linewidth=1, label="Gaussians of equal width")
    axes[2].axvspan(HOPELESS_AUC, 1, color=VERMILLION, alpha=0.15, linewidth=0)
    axes[2].set(xlabel="AUC", xlim=(0.5, 1), yscale="log", ylim=(LEAST_R, 40))
    axes[2].legend(loc="upper left")
    _plain_numbers(axes[2], "y")
    axes[0].set_ylabel(r"$r$ by bootstrap")
    for ax in axes[1:]:
        ax.set_ylabel(r"$r$ by bootstrap, median of observables")
    return figure


def _identity(ax: Axes, label: str) -> None:
    ends = np.array(ax.get_xlim() + ax.get_ylim())
    low, high = LEAST_R, 1.15 * max(ends.max(), 1.2)
    ax.plot([low, high], [low, high], "-", color=BLACK, linewidth=1, zorder=0)
    ax.set(xlabel=label, xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
    _plain_numbers(ax, "x")
    _plain_numbers(ax, "y")
    ax.legend(loc="upper left")


def _plain_numbers(ax: Axes, which: str) -> None:
    """1, 2, 5, 10 ... on a logarithmic axis."""
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(FixedLocator([1, 2, 5, 10, 20, 50, 100]))
    axis.set_major_formatter(ScalarFormatter())
    axis.set_minor_formatter(NullFormatter())


def weight_panels(mixtures: Mapping[str, Trainings]) -> plt.Figure:
    """Weights of events of the truth and of the GAN, in the trainings of ``mixture_panels``."""
    figure, axes = plt.subplots(
        1, len(mixtures), figsize=(3.8 * len(mixtures), 3.5), layout="constrained", sharey=True
    )
    for ax, (name, trainings) in zip(np.atleast_1d(axes), mixtures.items(), strict=True):
        training = trainings.usual
        width = np.diff(LOG_WEIGHTS)[0]
        for counts, color, style, label in zip(
            training.arrays["weights"], (BLACK, ORANGE), ("-", "--"), ("truth", "GAN"), strict=True
        ):
            share = counts / counts.sum() / width
            share[1] += share[0]  # what lies beyond the axis is in its last bins
            share[-2] += share[-1]
            ax.stairs(share[1:-1], LOG_WEIGHTS, color=color, linestyle=style, label=label)
        largest = np.log10(training.study.largest)
        ax.axvspan(largest, LOG_WEIGHTS[-1], color=VERMILLION, alpha=0.15, linewidth=0)
        lost = training.outlook.lost
        ax.text(largest + 0.15, 5, f"{100 * lost.value:.2g}%\nof the truth", va="top", fontsize=9)
        ax.set(xlabel=r"$\log_{10} W$", yscale="log", ylim=(1e-5, 12), title=MIXTURES[name])
        ax.set_xlim(LOG_WEIGHTS[[0, -1]])
    np.atleast_1d(axes)[0].set_ylabel("events per unit, normalised")
    np.atleast_1d(axes)[0].legend(loc="upper left")
    return figure
