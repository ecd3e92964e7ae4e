"""Figures of the amplification papers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FixedLocator, NullFormatter, ScalarFormatter

from amplib.cells import merge_cells
from amplib.estimate import Share
from amplib.metrics.amplification import GANCurve, Repetitions
from amplib.metrics.quantiles import expected_mse
from amplib.models.fit import CamelBackFit
from amplib.models.smoothing import LABELS
from amplib.studies.camel.escape import EPOCHS, GRID, Escape
from amplib.studies.camel.reading import SampleAndFit
from amplib.studies.camel.study import DENSITY_BINS, LINE_SIZES
from amplib.style import (
    BLACK,
    BLUE,
    CENTRAL,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    band,
    middle_band,
    shade,
)
from amplib.truth.densities import CamelBack

BASELINE_STYLES: dict[str, dict[str, Any]] = {
    "loo": {"color": VERMILLION, "linestyle": (0, (5, 1))},
    "histogram": {"color": SKY, "linestyle": (0, (3, 1, 1, 1))},
    "scott": {"color": GREY, "linestyle": (0, (1, 1))},
}
"""Of the baselines that ``worth_panels`` draws."""


WIDE = 24
"""Letters of a legend's entry from which on three stand side by side."""


class Shown(NamedTuple):
    """A curve of Fig. 2 and how it is drawn."""

    curve: GANCurve
    label: str
    color: str
    style: str
    of: str = "mean"
    """``mean`` with a band of one standard deviation, ``mean alone``, or ``median``."""


def with_failures(
    curve: GANCurve, label: str, color: str, style: str, median: bool = False
) -> list[Shown]:
    """The curve without failed trainings, or without the ensembles that have one, and, if there are
    any, the mean and the median of all.

    Args:
        median: show it even if no training failed.
    """
    k, n = int((curve.failed > 0).sum()), len(curve.failed)
    if not k and median:
        return [
            Shown(curve, f"{label}, mean of {n}", color, style),
            Shown(curve, f"{label}, median of {n}", color, "-", "median"),
        ]
    if not k:
        return [Shown(curve, label, color, style)]
    of_median = "--" if style == "-" else "-"
    left = f"{k} failed of {n}" if curve.members == 1 else f"{k} of {n} with a failed member"
    return [
        Shown(curve.converged, f"{label}, without {left}", color, style),
        Shown(curve, f"{label}, mean of all {n}", color, ":", "mean alone"),
        Shown(curve, f"{label}, median of all {n}", color, of_median, "median"),
    ]


def density_panel(
    points: np.ndarray,
    histograms: Mapping[str, tuple[np.ndarray, str]],
    fit: CamelBackFit,
    members: Sequence[np.ndarray] = (),
) -> plt.Figure:
    """Truth, one sample, GANned histograms and the fit, with ten quantiles (Fig. 1).

    Args:
        points: ``(N,)`` the training sample.
        histograms: label -> (counts in ``DENSITY_BINS``, colour).
        fit: the fit to the sample.
        members: counts of single GANs, thin and orange.
    """
    truth = CamelBack()
    figure, ax = plt.subplots(figsize=(6.4, 4.0))
    for edge in truth.edges(10)[1:-1]:
        ax.axvline(edge, color=GREY, linestyle=":", linewidth=0.8, zorder=0)
    ax.hist(
        points,
        list(DENSITY_BINS[::5]),
        density=True,
        color=BLUE,
        alpha=0.35,
        label=f"{len(points)} points",
    )
    for k, counts in enumerate(members):
        density = counts / counts.sum() / np.diff(DENSITY_BINS)
        label = None if k else f"{len(members)} GANs"
        ax.stairs(density, DENSITY_BINS, color=ORANGE, linewidth=0.6, label=label)
    for label, (counts, color) in histograms.items():
        density = counts / counts.sum() / np.diff(DENSITY_BINS)
        ax.stairs(density, DENSITY_BINS, color=color, linewidth=1.6, label=label)
    x = np.linspace(DENSITY_BINS[0], DENSITY_BINS[-1], 801)
    ax.plot(x, fit.pdf(x), "--", color=GREEN, label="fit")
    ax.plot(x, truth.pdf(x), color=BLACK, label="truth")
    ax.set(xlabel="$x$", ylabel="probability density", xlim=x[[0, -1]], ylim=(0, None))
    ax.legend(loc="upper center", frameon=True, facecolor="white", edgecolor="none", framealpha=1)
    return figure


def quantile_mse_panels(
    data: SampleAndFit,
    curves: Sequence[Shown],
    quantiles: Sequence[int],
    *,
    stacked: bool = False,
    central: bool = False,
) -> plt.Figure:
    """Quantile MSE against the number of GANned events, a panel a resolution (Fig. 2).

    The horizontal lines are exact, (1/q)(1 - 1/q)/N; the band on the sample's is measured.

    Args:
        data: pure samples and fit.
        curves: of each generative model.
        quantiles: numbers of quantiles, a panel each.
        stacked: the panels one below the other, with one axis of events.
        central: bands hold the central 68% of the repetitions in place of one standard deviation.
    """
    count, spread = len(quantiles), middle_band if central else band
    figure, axes = (
        plt.subplots(count, 1, figsize=(5.6, 2.7 * count), sharex=True)
        if stacked
        else plt.subplots(1, count, figsize=(3.6 * count, 3.9))
    )
    n_train = data.sample.n_train
    for ax, q in zip(np.atleast_1d(axes), quantiles, strict=True):
        ends = curves[0].curve.sizes[[0, -1]]
        for n in sorted({n_train, *LINE_SIZES.tolist()}):
            mse = expected_mse(n, q)
            own = (
                {"linewidth": 1.6, "label": f"sample of {n}"}
                if n == n_train
                else {"linewidth": 0.8}
            )
            ax.plot(ends, [mse, mse], color=BLUE, **own)
            ax.annotate(
                f"{n}",
                (ends[1], mse),
                (3, 0),
                textcoords="offset points",
                va="center",
                color=BLUE,
                fontsize=8,
            )
        sample, fit = (np.repeat(r.mse(q)[:, None], 2, 1) for r in (data.sample, data.fit))
        if central:
            ax.fill_between(
                ends, *np.quantile(sample, CENTRAL, axis=0), color=BLUE, alpha=0.22, lw=0
            )
        else:
            shade(ax, ends, np.full(2, expected_mse(n_train, q)), sample.std(0, ddof=1), BLUE)
        spread(ax, ends, fit, GREEN, "fit", "--")
        for curve, label, color, style, of in curves:
            if of == "mean":
                spread(ax, curve.sizes, curve.mse(q), color, label, style)
            else:
                average = np.median if of == "median" else np.mean
                middle = average(curve.mse(q), axis=0)
                ax.plot(curve.sizes, middle, style, color=color, label=label, linewidth=1.2)
        ax.set(xscale="log", yscale="log", xlim=ends, title=f"{q} quantiles")
        # A band that is wider than its mean has no lower end on this axis.
        ax.set_ylim(bottom=max(ax.get_ylim()[0], 0.4 * expected_mse(LINE_SIZES[-1], q)))
        ax.xaxis.set_minor_formatter(NullFormatter())
        if not stacked:
            ax.set_xlabel("number of GANned events")
    for ax in np.atleast_1d(axes) if stacked else np.atleast_1d(axes)[:1]:
        ax.set_ylabel("quantile MSE")
    np.atleast_1d(axes)[-1].set_xlabel("number of GANned events")
    figure.tight_layout()
    handles, labels = np.atleast_1d(axes)[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="lower center",
        ncol=2 if stacked else 3 if max(map(len, labels)) > WIDE else min(len(labels), 5),
        bbox_to_anchor=(0.5, 1.0),
    )
    return figure


def worth_panels(
    data: SampleAndFit,
    curves: Sequence[Shown],
    baselines: Mapping[str, Repetitions],
    quantiles: Sequence[int],
) -> plt.Figure:
    """Equivalent points of mean errors against the number of GANned events, a panel a resolution,
    one below the other.

    Args:
        data: samples and fit, a horizontal line each.
        curves: of each generative model; drawn is their mean.
        baselines: further estimates, a horizontal line each of those in ``BASELINE_STYLES``.
        quantiles: numbers of quantiles.
    """
    height = 1.1 + 2.1 * len(quantiles)
    figure, axes = plt.subplots(len(quantiles), 1, figsize=(5.0, height), sharex=True)
    lines = {
        "five-parameter fit": (data.fit, {"color": GREEN, "linestyle": "--"}),
        **{LABELS[n]: (baselines[n], BASELINE_STYLES[n]) for n in BASELINE_STYLES},
        "the samples themselves": (data.sample, {"color": BLUE, "linestyle": "-"}),
    }
    ends = curves[0].curve.sizes[[0, -1]]
    for ax, q in zip(np.atleast_1d(axes), quantiles, strict=True):
        for curve, label, color, style, _ in curves:
            worth = expected_mse(1, q) / curve.mse(q).mean(0)
            ax.plot(curve.sizes, worth, style, color=color, label=label)
        for label, (estimate, look) in lines.items():
            worth = expected_mse(1, q) / estimate.mse(q).mean()
            ax.plot(ends, [worth, worth], **look, label=label)
        ax.set(xscale="log", yscale="log", xlim=ends, ylabel="equivalent points")
        ax.yaxis.set_major_locator(FixedLocator([30, 100, 300, 1000]))
        ax.yaxis.set_major_formatter(ScalarFormatter())
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.text(0.02, 0.94, f"{q} quantiles", transform=ax.transAxes, va="top")
    np.atleast_1d(axes)[-1].set_xlabel("number of GANned events")
    figure.tight_layout()
    handles, labels = np.atleast_1d(axes)[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncol=2, bbox_to_anchor=(0.5, 1.0))
    return figure


def closer_look(
    curve: GANCurve, sample: Repetitions, quantiles: Sequence[int]
) -> Callable[[int, int], plt.Figure]:
    """The truth's quantiles as GANned events and samples fill them, beside what the events are
    worth: a figure for each number of quantiles and of events, all on the same axes.

    Args:
        curve: GANs, failed ones included.
        sample: their training samples.
        quantiles: resolutions of the grid.
    """
    worth = {
        q: np.array([curve.at(int(n)).median_amplification(q) for n in curve.sizes])
        for q in quantiles
    }
    low = min(values.min() for values in worth.values())
    high = max(values.max() for values in worth.values())

    def draw(quantiles: int, events: int) -> plt.Figure:
        q = quantiles
        figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.2))
        for contents, color, label in (
            (sample.cells, BLUE, f"sample of {sample.n_train}"),
            (curve.at(events).cells, ORANGE, "GAN"),
        ):
            merged = merge_cells(contents, q)
            filled = q * merged / merged.sum(1, keepdims=True)
            bottom, middle, top = np.quantile(filled, [0.16, 0.5, 0.84], axis=0)
            edges = np.linspace(0, 1, q + 1)
            left.stairs(top, edges, baseline=bottom, fill=True, color=color, alpha=0.22)
            left.stairs(middle, edges, baseline=None, color=color, label=label)
        left.axhline(1, color=BLACK, linewidth=0.8, label="truth")
        left.set(xlabel="quantile of the truth", ylabel="events / expected")
        left.set(xlim=(0, 1), ylim=(0, 2.5), title=f"{q} quantiles")
        left.legend(loc="upper center", ncol=3, columnspacing=1, handlelength=1, fontsize=8)
        value, bottom, top = worth[q].T
        right.fill_between(curve.sizes, bottom, top, color=ORANGE, alpha=0.22, linewidth=0)
        right.plot(curve.sizes, value, color=ORANGE)
        dot = {"color": ORANGE, "markeredgecolor": BLACK, "clip_on": False, "zorder": 3}
        right.plot(events, value[curve.sizes == events], "o", **dot)
        right.axhline(sample.median_amplification(q).value, color=BLUE, linewidth=0.8)
        right.set(
            xscale="log", yscale="log", xlim=curve.sizes[[0, -1]], ylim=(low / 1.2, 1.2 * high)
        )
        right.set(xlabel="number of GANned events", ylabel="amplification factor")
        right.set_title(f"{events:,} events")
        figure.tight_layout()
        return figure

    return draw


READING_STYLES: tuple[tuple[str, Any], ...] = (
    (ORANGE, "-"),
    (BLUE, "--"),
    (VERMILLION, "-."),
    (PURPLE, (0, (5, 1))),
)


def escape_panel(shown: Mapping[str, Escape], others: Mapping[str, Escape]) -> plt.Figure:
    """Share of the trainings in which the discriminator has won, against epochs.

    Args:
        shown: readings by name; the first has its 68% interval.
        others: further ones, thin and grey.
    """

    def shares(escape: Escape) -> list[Share]:
        return [escape.share(int(e)) for e in GRID]

    figure, ax = plt.subplots(figsize=(5.6, 4.8))
    for k, escape in enumerate(others.values()):
        label = None if k else f"{len(others)} others"
        middle = [s.k / s.n for s in shares(escape)]
        ax.plot(GRID, middle, color=GREY, linewidth=0.7, label=label)
    for (name, escape), (color, dashes) in zip(
        shown.items(), READING_STYLES[: len(shown)], strict=True
    ):
        middle = [s.k / s.n for s in shares(escape)]
        ax.plot(GRID, middle, color=color, linestyle=dashes, label=f"{name} ({len(escape.index)})")
    if shown:
        low, high = np.transpose([s.interval() for s in shares(next(iter(shown.values())))])
        ax.fill_between(GRID, low, high, color=ORANGE, alpha=0.22, linewidth=0)
    ax.set(xlabel="epoch", ylabel="share in which the\ndiscriminator has won")
    ax.set(xlim=(0, EPOCHS), ylim=(-0.03, 1.03))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=1)
    figure.tight_layout()
    return figure
