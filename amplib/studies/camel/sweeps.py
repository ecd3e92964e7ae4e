"""Figures of sweeps over the camel back: the size of the training sample, the members."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from amplib.estimate import Estimate
from amplib.metrics.trend import PowerLaw, power_law
from amplib.studies.camel.reading import Members
from amplib.style import BLACK, GREEN, GREY, ORANGE, PURPLE, VERMILLION

Plane = Mapping[tuple[int, int], Estimate]
"""A number by the size of the training sample and the number of quantiles."""
LOOKS = ((ORANGE, "o", "-"), (PURPLE, "s", "--"), (GREEN, "^", "-."), (VERMILLION, "D", ":"))
"""Of the GAN, the ensemble, the fit and the kernel: colour, marker, line."""


def trend(factors: Plane, quantiles: int) -> PowerLaw:
    """The power law in the training sample's size, at one resolution."""
    points = {n: f for (n, q), f in sorted(factors.items()) if q == quantiles}
    return power_law(list(points), list(points.values()))


def amplification_planes(planes: Mapping[str, Plane]) -> Callable[[int, int], plt.Figure]:
    """Amplification factors against the training sample's size at one resolution, with their power
    laws, and against the resolution at one size; a figure for each pair, all on the same axes.

    Args:
        planes: label -> factors of an estimate, in the order of ``LOOKS``; one may lack sizes.
    """
    sizes, resolutions = (sorted({key[k] for p in planes.values() for key in p}) for k in (0, 1))
    values = [f.value for p in planes.values() for f in p.values()]
    limits = min(values) / 3, 3 * max(values)

    def draw(n_train: int, quantiles: int) -> plt.Figure:
        figure, (left, right) = plt.subplots(1, 2, figsize=(7.4, 3.7), sharey=True)
        for k, ((label, factors), look) in enumerate(zip(planes.items(), LOOKS, strict=True)):
            along = {n: f for (n, q), f in factors.items() if q == quantiles}
            across = {q: f for (n, q), f in factors.items() if n == n_train}
            apart = 1 + 0.05 * (k - 1.5)  # so that bars do not hide each other
            _bars(left, along, look, apart, label)
            _bars(right, across, look, apart)
            span = np.array([min(along), max(along)])
            left.plot(span, trend(factors, quantiles)(span), color=look[0], linestyle=look[2])
        for ax, ticks, here in ((left, sizes, n_train), (right, resolutions, quantiles)):
            ax.axvline(here, color=GREY, linewidth=5, alpha=0.3, zorder=0)
            ax.axhline(1, color=BLACK, linewidth=0.8)
            ax.set(xscale="log", yscale="log", ylim=limits, xlim=(ticks[0] / 1.3, ticks[-1] * 1.3))
            ax.set_xticks(ticks, [f"{t:,}" for t in ticks])
            ax.xaxis.set_minor_formatter(NullFormatter())
        left.set(xlabel="training points", ylabel="amplification factor")
        left.set_title(f"{quantiles} quantiles")
        right.set(xlabel="quantiles", title=f"{n_train:,} training points")
        figure.tight_layout()
        figure.subplots_adjust(top=0.8)
        figure.legend(loc="upper center", ncol=4)
        return figure

    return draw


def _bars(
    ax: Axes,
    points: Mapping[int, Estimate],
    look: tuple[str, str, str],
    apart: float,
    label: str | None = None,
) -> None:
    """Points with their 95% intervals, if there are any."""
    if not points:
        return
    x = apart * np.array(list(points))
    value, low, high = np.array([p.interval() for p in points.values()]).T
    bars = np.array([value - low, high - value])
    color, marker, _ = look
    ax.errorbar(x, value, bars, color=color, marker=marker, markersize=4.5, linestyle="none",
                elinewidth=1.2, label=label)  # fmt: skip


def members_panels(
    apart: Members,
    measured: Mapping[int, Mapping[int, Estimate]],
    quantiles: Sequence[int],
    most: int,
) -> plt.Figure:
    """What ensembles are worth against their members, a panel a resolution.

    Args:
        apart: ensembles taken apart; the line and its 95% band, and the limit of many.
        measured: quantiles -> members -> N_equiv of the ensembles of the first so many; may be
            empty.
        quantiles: of the panels.
        most: members on the axis.
    """
    count = np.arange(1, most + 1)
    figure, axes = plt.subplots(1, len(quantiles), figsize=(3.1 * len(quantiles), 3.4), sharex=True)
    for ax, q in zip(np.atleast_1d(axes), quantiles, strict=True):
        curve = [apart.of(int(m), q) for m in count]
        low, high = np.array([e.interval()[1:] for e in curve]).T
        ax.fill_between(count, low, high, color=PURPLE, alpha=0.2, linewidth=0)
        ax.plot(count, [e.value for e in curve], color=PURPLE, label="expected of so many")
        ax.axhline(apart.limit(q).value, color=PURPLE, linestyle=":", label="limit of many")
        _bars(ax, measured.get(q, {}), (BLACK, "o", ""), 1.0, "the first so many")
        ends = [high.max(), *(e.interval()[2] for e in measured.get(q, {}).values())]
        top = min(1.1 * max(ends), 4 * curve[-1].value)  # a band may have no end
        ax.set(title=f"{q} quantiles", xlabel="GANs in the ensemble", ylim=(0, top))
        ax.set_xticks([1, 5, 10, 15, 20][: 1 + most // 5])
    np.atleast_1d(axes)[0].set_ylabel("equivalent sample size")
    figure.tight_layout()
    figure.subplots_adjust(top=0.8)
    handles, labels = np.atleast_1d(axes)[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncol=3)
    return figure
