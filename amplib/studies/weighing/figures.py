"""Whether weights could save the generators of the book, in one picture."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from amplib.estimate import Estimate
from amplib.metrics.outlook import HOPELESS_AUC, dilution_from_auc
from amplib.studies.weighing.reading import Saved
from amplib.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, VERMILLION

LOOKS = [(BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (VERMILLION, "D"), (PURPLE, "v")]


def saved_panels(generators: Sequence[Saved]) -> plt.Figure:
    """A point a training.  Left: r told by the scores against the AUC.  Right: r measured, the
    median over observables with the central 68%, against the told one.

    Args:
        generators: in the order of their groups, five at most.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.6, 4.6), layout="constrained")
    groups = list(dict.fromkeys(one.group for one in generators))
    for group, (color, marker) in zip(groups, LOOKS, strict=False):
        points = [p for one in generators if one.group == group for p in one.each]
        area, told = np.transpose([(p.outlook.auc.value, p.outlook.dilution.value) for p in points])
        look = {"color": color, "alpha": 0.75, "markersize": 5}
        left.plot(area, told, marker, label=group, **look)
        r, low, high = np.transpose([p.r for p in points])
        right.errorbar(told, r, [r - low, high - r], fmt=marker, linewidth=0.8, **look)
    area = np.linspace(0.5, 0.999, 300)
    equal = [dilution_from_auc(Estimate(float(a), 0.0)).value for a in area]
    left.plot(area, equal, "-", color=BLACK, linewidth=1, label="Gaussians of equal width")
    left.axvspan(HOPELESS_AUC, 1, color=VERMILLION, alpha=0.15, linewidth=0)
    left.set(xlabel="AUC", ylabel=r"$r$ told by the scores, $\sqrt{N/N_\mathrm{eff}}$",
             xlim=(0.47, 1.01), yscale="log", ylim=(0.9, 200))  # fmt: skip
    left.legend(loc="upper left", fontsize=8.5)
    every = [p for one in generators for p in one.each]
    _with_identity(right, [p.outlook.dilution.value for p in every], [p.r.value for p in every])
    return figure


def _with_identity(ax: Axes, told: Sequence[float], measured: Sequence[float]) -> None:
    """On axes that hold all medians, if not all bars."""
    ends, (low, high) = (0.8, 1.4 * max(told)), (min(measured) / 1.6, 2.5 * max(measured))
    ax.set(xscale="log", yscale="log", xlim=ends, ylim=(low, high),
           xlabel=r"$r$ told by the scores, $\sqrt{N/N_\mathrm{eff}}$",
           ylabel=r"$r$ measured, median of the observables")  # fmt: skip
    ax.plot(ends, ends, "-", color=BLACK, linewidth=1, zorder=0)
