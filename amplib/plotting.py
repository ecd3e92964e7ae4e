"""The one style of the book's figures.

Colours are Okabe and Ito's, which survive colour blindness; every curve also has a line style or
marker of its own, so that it survives a black-and-white print.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from amplib.amplification import GANCurve, Repetitions, SampleAndFit
from amplib.camel import DENSITY_BINS
from amplib.fit import CamelBackFit
from amplib.smoothing import LABELS
from amplib.truth import CamelBack

BLACK, BLUE, GREEN, ORANGE, PURPLE = "#000000", "#0072B2", "#009E73", "#E69F00", "#7B4EA3"
VERMILLION, SKY, GREY = "#D55E00", "#56B4E9", "#777777"

BASELINE_STYLES: dict[str, dict[str, Any]] = {
    "scott": {"color": GREY, "linestyle": (0, (1, 1))},
    "silverman": {"color": GREY, "linestyle": (0, (4, 2))},
    "loo": {"color": VERMILLION, "linestyle": (0, (5, 1))},
    "histogram": {"color": SKY, "linestyle": (0, (3, 1, 1, 1))},
    "mixture": {"color": BLACK, "linestyle": (0, (1, 2))},
    "bootstrap": {"color": BLACK, "linestyle": (0, (6, 3))},
}

STYLE: dict[str, Any] = {
    "font.size": 10,
    "axes.labelsize": 11,
    "axes.linewidth": 0.8,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.minor.visible": True,
    "ytick.minor.visible": True,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.6,
    "figure.dpi": 110,
    "savefig.bbox": "tight",
    "svg.fonttype": "path",
    "svg.hashsalt": "amplify",
    "pdf.fonttype": 42,
}


def use_style() -> None:
    """Apply the book's style to matplotlib."""
    mpl.rcParams.update(STYLE)  # type: ignore[arg-type]


def band(ax: Axes, x: np.ndarray, values: np.ndarray, color: str, label: str, style: str) -> None:
    """Mean over repetitions (axis 0) with a band of one standard deviation."""
    mean = values.mean(0)
    ax.plot(x, mean, style, color=color, label=label)
    if len(values) > 1:
        spread = values.std(0, ddof=1)
        low = np.maximum(mean - spread, 1e-12)
        ax.fill_between(x, low, mean + spread, color=color, alpha=0.22, linewidth=0)


def density_panel(
    points: np.ndarray, histograms: Mapping[str, tuple[np.ndarray, str]], fit: CamelBackFit
) -> plt.Figure:
    """Truth, one sample, GANned histograms and the fit, with ten quantiles (Fig. 1).

    Args:
        points: ``(N,)`` the training sample.
        histograms: label -> (counts in ``DENSITY_BINS``, colour).
        fit: the fit to the sample.
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
    curves: Sequence[tuple[GANCurve, str, str, str]],
    quantiles: Sequence[int],
    baselines: Mapping[str, Repetitions] | None = None,
) -> plt.Figure:
    """Quantile MSE against the number of GANned events, a panel a resolution (Fig. 2).

    Args:
        data: pure samples and fit.
        curves: (curve, label, colour, line style) of each generative model.
        quantiles: numbers of quantiles, a panel each.
        baselines: further estimates, whose mean MSE is a horizontal line each.
    """
    figure, axes = plt.subplots(1, len(quantiles), figsize=(3.6 * len(quantiles), 3.9))
    for ax, q in zip(np.atleast_1d(axes), quantiles, strict=True):
        ends = np.array([curves[0][0].sizes[0], curves[0][0].sizes[-1]])
        for n, pure in data.lines.items():
            mse = pure.mse(q).mean()
            ax.plot(ends, [mse, mse], color=BLUE, linewidth=1.4 if n == 100 else 0.8)
            ax.annotate(
                f"{n}",
                (ends[1], mse),
                (3, 0),
                textcoords="offset points",
                va="center",
                color=BLUE,
                fontsize=8,
            )
        sample = np.repeat(data.sample.mse(q)[:, None], 2, 1)
        fit = np.repeat(data.fit.mse(q)[:, None], 2, 1)
        band(ax, ends, sample, BLUE, f"sample of {data.sample.n_train}", "-")
        band(ax, ends, fit, GREEN, "fit", "--")
        for curve, label, color, style in curves:
            band(ax, curve.sizes, curve.mse(q), color, label, style)
        for name, baseline in (baselines or {}).items():
            mean = baseline.mse(q).mean()
            ax.plot(ends, [mean, mean], **BASELINE_STYLES[name], label=LABELS[name])
        ax.set(xscale="log", yscale="log", xlim=ends, title=f"{q} quantiles")
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_xlabel("number of GANned events")
    np.atleast_1d(axes)[0].set_ylabel("quantile MSE")
    figure.tight_layout()
    handles, labels = np.atleast_1d(axes)[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="lower center", ncol=min(len(labels), 5), bbox_to_anchor=(0.5, 1.0)
    )
    return figure
