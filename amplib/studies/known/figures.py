"""Figures of the known ratios."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from amplib.estimate import t_quantile
from amplib.studies.known.reading import Trainings
from amplib.style import BLACK, BLUE, GREY, ORANGE
from amplib.truth.pairs import TAIL, kinds

LABELS = {"x": "$x$", "x²": "$x^2$", "product": "$x_1 x_d$", "tail": f"$|x|>{TAIL:g}$"}
STYLES: dict[str, dict[str, Any]] = {
    "learned": {"color": BLUE, "marker": "o", "markersize": 2.8},
    "exact": {"color": ORANGE, "marker": "s", "markersize": 2.8, "fillstyle": "none"},
}
ASIDE = {"learned": -0.22, "exact": 0.22}
"""Where points are beside the name of their observable."""
BETWEEN = 0.08
"""Points of one observable's axes."""


def ratio_panels(pairs: Mapping[str, Trainings]) -> plt.Figure:
    """Learned against exact ln W, and pulls of weighted expectations, a column a pair.

    Middle: every observable of every training against the error of the test alone.  Below: the
    means over trainings of learned less exact, on the same events, against their own errors.
    Shaded is what holds 95% where the truth is met, and where there is no bias.
    """
    figure, axes = plt.subplots(
        3, len(pairs), figsize=(2.8 * len(pairs), 7.6), layout="constrained", squeeze=False,
        height_ratios=(1.5, 1, 1),
        width_ratios=[1 + 0.15 * (t.pair.dimension - 1) for t in pairs.values()],  # more points
    )  # fmt: skip
    for row in axes[1:]:
        for ax in row[1:]:
            ax.sharey(row[0])
            ax.tick_params(labelleft=False)
    for column, (name, trainings) in zip(axes.T, pairs.items(), strict=True):
        _calibration(column[0], trainings)
        column[0].set_title(name)
        for ax, reach in zip(column[1:], (t_quantile(None), trainings.reach), strict=True):
            ax.axhspan(-reach, reach, color=GREY, alpha=0.2, linewidth=0)
        for weights in STYLES:
            _pulls(column[1], trainings, trainings.pulls(weights), weights, ASIDE[weights])
        _pulls(column[2], trainings, trainings.paired_pulls()[None], "learned")
        column[1].set_xticklabels([])
        column[2].set_xlabel("observable")
    axes[0, 0].set_ylabel(r"learned $\ln W$")
    axes[1, 0].set_ylabel("pull, error of the test")
    axes[2, 0].set_ylabel("pull of the mean of\nlearned less exact")
    curves, points = (ax.get_legend_handles_labels()[0] for ax in axes[:2, 0])
    figure.legend(handles=curves, ncols=len(curves), loc="outside upper center")
    figure.legend(handles=points, ncols=len(points), loc="outside lower center")
    return figure


def _calibration(ax: Axes, trainings: Trainings) -> None:
    exact, learned, within, between = trainings.calibration()
    for width, alpha, label in (
        (within, 0.15, "spread over events"),
        (between, 0.5, "spread of the mean over trainings"),
    ):
        ax.fill_between(
            exact, learned - width, learned + width, color=BLUE, alpha=alpha, linewidth=0,
            label=label,
        )  # fmt: skip
    ax.plot(exact, learned, "-", color=BLUE, linewidth=1, label="mean")
    ax.plot(exact, exact, "--", color=BLACK, linewidth=1, label="learned = exact")
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.set_xlabel(r"exact $\ln W$")


def _pulls(
    ax: Axes, trainings: Trainings, pulls: np.ndarray, weights: str, aside: float = 0.0
) -> None:
    """Pulls ``(K, F)``; those of one kind and of several axes stand side by side."""
    of = np.array(kinds(trainings.pair.dimension))
    names = list(dict.fromkeys(of.tolist()))
    for place, kind in enumerate(names):
        columns = pulls[:, of == kind]
        several = columns.shape[1]
        along = (np.arange(several) - (several - 1) / 2) * BETWEEN
        x = place + aside + np.broadcast_to(along, columns.shape)
        label = f"{weights} weights" if place == 0 else None
        ax.plot(x.ravel(), columns.ravel(), linestyle="none", label=label, **STYLES[weights])
    ax.set_xticks(range(len(names)), [LABELS[name] for name in names])
    ax.xaxis.minorticks_off()
    ax.set_xlim(-0.5, len(names) - 0.5)
