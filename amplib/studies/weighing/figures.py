"""Whether weights could save the generators of the book, in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from amplib.estimate import Estimate
from amplib.metrics.outlook import HOPELESS_SHARE, dilution_from_auc
from amplib.studies.weighing.reading import Saved
from amplib.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, VERMILLION

NAMED = {
    "flow matching": ((0.49, 2.6), (1.5, 0.35)),
    "LSGAN": ((0.79, 28), (15, 4.2)),
    "WGAN-GP": ((0.77, 11), (8.5, 2.2)),
}
"""Generators with a name in the picture, and where in either panel it begins."""

LOOKS = [(BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (VERMILLION, "D"), (PURPLE, "v")]


def saved_panels(generators: Sequence[Saved]) -> plt.Figure:
    """A point a classifier, hollow where a known cut tells more than the generator's classifiers.
    Left: r told by the scores against the AUC.  Right: r measured, the median over observables with
    the central 68%, against the told one.

    Args:
        generators: in the order of their groups, five at most.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.6, 4.6), layout="constrained")
    groups = list(dict.fromkeys(one.group for one in generators))
    for group, (color, marker) in zip(groups, LOOKS, strict=False):
        look = {"color": color, "alpha": 0.75, "markersize": 5}
        left.plot([], [], marker, label=group, **look)
        for one in generators:
            if one.group == group:
                face = "none" if one.answer == "not resolved" else color
                _points(left, right, one, fmt=marker, markerfacecolor=face, **look)
    left.plot([], [], "o", color=BLACK, markersize=5, markerfacecolor="none",
              label="not resolved")  # fmt: skip
    area = np.linspace(0.5, 0.999, 300)
    equal = [dilution_from_auc(Estimate(float(a), 0.0)).value for a in area]
    left.plot(area, equal, "-", color=BLACK, linewidth=1, label="Gaussians of equal width")
    lowest, highest = 0.9, 200
    left.axhspan(HOPELESS_SHARE**-0.5, highest, color=VERMILLION, alpha=0.15, linewidth=0)
    left.set(xlabel="AUC", ylabel=r"$r$ told by the scores, $\sqrt{N/N_\mathrm{eff}}$",
             xlim=(0.47, 1.01), yscale="log", ylim=(lowest, highest))  # fmt: skip
    left.legend(loc="upper left", fontsize=8.5)
    every = [p for one in generators for p in one.each]
    _with_identity(right, [p.outlook.dilution.value for p in every], [p.r.value for p in every])
    _names(left, right, generators)
    return figure


def _points(left: Axes, right: Axes, one: Saved, fmt: str, **look: Any) -> None:
    """One generator's in both panels."""
    area, told = np.transpose([(p.outlook.auc.value, p.outlook.dilution.value) for p in one.each])
    left.plot(area, told, fmt, **look)
    r, low, high = np.transpose([p.r for p in one.each])
    right.errorbar(told, r, [r - low, high - r], fmt=fmt, linewidth=0.8, **look)


def _names(left: Axes, right: Axes, generators: Sequence[Saved]) -> None:
    """Beside the means of those that are ``NAMED``."""
    for one in generators:
        if one.name in NAMED:
            area, told = one.over(lambda o: o.auc).value, one.told.value
            points = (area, told), (told, one.measured.value)
            for ax, point, place in zip((left, right), points, NAMED[one.name], strict=True):
                line = {"arrowstyle": "-", "color": PURPLE, "linewidth": 0.8}
                ax.annotate(one.name, point, place, fontsize=8.5, color=PURPLE, arrowprops=line)


def _with_identity(ax: Axes, told: Sequence[float], measured: Sequence[float]) -> None:
    """On axes that hold all medians, if not all bars."""
    ends, (low, high) = (0.8, 1.4 * max(told)), (min(measured) / 1.6, 2.5 * max(measured))
    ax.set(xscale="log", yscale="log", xlim=ends, ylim=(low, high),
           xlabel=r"$r$ told by the scores, $\sqrt{N/N_\mathrm{eff}}$",
           ylabel=r"$r$ measured, median of the observables")  # fmt: skip
    ax.plot(ends, ends, "-", color=BLACK, linewidth=1, zorder=0)
