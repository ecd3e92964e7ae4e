"""Figures of reweighted showers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from amplib.estimate import Estimate
from amplib.metrics.outlook import HOPELESS_SHARE, dilution_from_auc
from amplib.studies.reweighting.reading import (
    AGAIN,
    CLASSIFIERS,
    GENERATOR,
    GROUPS,
    HIGH,
    LOW,
    Reweighted,
)
from amplib.studies.reweighting.study import LOG_WEIGHTS
from amplib.studies.showers.figures import SYMBOLS
from amplib.style import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILLION, printed
from amplib.truth.showers.config import CORRELATED

STYLES: dict[str, dict[str, Any]] = {
    GENERATOR: {"color": ORANGE, "linestyle": "--"},
    HIGH: {"color": BLUE, "linestyle": "-"},
    LOW: {"color": GREEN, "linestyle": "-."},
}
MARKERS = {GENERATOR: "s", HIGH: "o", LOW: "^"}
RATIO = (0.0, 2.0)
NEXT_TO_ONE = 1e-7
"""What an AUC lacks of one at the least, in a figure: about one pair of two samples that is told in
the wrong order."""
SUMMARY = ((1e-5, 1.0), (1e-2, 10.0), (0.0, 5.0))
"""Axes of Fig. 8, as in the paper's code but for <S^2>, which has its own scale here."""


def observable_panels(
    reweighted: Reweighted, panels: Mapping[int, str], columns: int
) -> plt.Figure:
    """Histograms of truth, generator and weighted generator, each with its ratio to the truth.

    <S^2> and r are means over repetitions; errors of the ratios are over showers.  The grey
    points, and the first <S^2>, are of a second sample of the truth: the floor.

    Args:
        reweighted: all repetitions.
        panels: places of observables, with the labels of their axes.
        columns: of panels.
    """
    rows = -(-len(panels) // columns)
    width = 3.3 if columns < 4 else 2.8
    figure = plt.figure(figsize=(width * columns, 3.7 * rows), layout="constrained")
    grid = figure.add_gridspec(2 * rows, columns, height_ratios=[3, 1] * rows)
    for k, (observable, label) in enumerate(panels.items()):
        row, column = divmod(k, columns)
        top = figure.add_subplot(grid[2 * row, column])
        bottom = figure.add_subplot(grid[2 * row + 1, column], sharex=top)
        _histograms(top, reweighted, observable)
        _ratios(bottom, reweighted, observable)
        top.legend(
            loc="upper right", fontsize=7.5, handlelength=1.6, title_fontsize=7.5,
            title=r"$\langle S^2\rangle$, $r$",
        )  # fmt: skip
        top.tick_params(labelbottom=False)
        bottom.set_xlabel(label)
        if column == 0:
            top.set_ylabel("showers (normalised)")
            bottom.set_ylabel("ratio")
    return figure


def _histograms(ax: Axes, reweighted: Reweighted, observable: int) -> None:
    edges, spectra = _edges(reweighted, observable), reweighted.spectra
    truth = spectra.shape("truth", observable)
    floor = reweighted.s2(AGAIN, observable).value
    ax.stairs(truth, edges, color=GREY, fill=True, alpha=0.3, label=f"truth  ({_short(floor, 1)})")
    for sample, style in STYLES.items():
        s2, r = (f(sample, observable).value for f in (reweighted.s2, reweighted.r))
        name = reweighted.title if sample == GENERATOR else sample
        label = f"{name}  {_short(s2)}, {_short(r)}"
        ax.stairs(spectra.shape(sample, observable), edges, label=label, linewidth=1.4, **style)
    highest = max(spectra.shape(s, observable).max() for s in ("truth", *STYLES))
    ax.set(ylim=(0, 1.75 * highest), xlim=edges[[0, -1]], yticks=[])


def _ratios(ax: Axes, reweighted: Reweighted, observable: int) -> None:
    edges, spectra = _edges(reweighted, observable), reweighted.spectra
    centre, step = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
    ratio, _ = spectra.ratio(AGAIN, observable)
    ax.plot(centre, ratio, ".", color=GREY, markersize=3)
    for k, (sample, style) in enumerate(STYLES.items()):
        ratio, error = spectra.ratio(sample, observable)
        ax.errorbar(
            centre + (k - 1) * 0.2 * step, ratio, error, color=style["color"],
            fmt=MARKERS[sample], markersize=2.5, linewidth=0.8,
        )  # fmt: skip
    ax.axhline(1, color=GREY, linewidth=0.8)
    ax.set(ylim=RATIO, yticks=(0, 1, 2))


def _edges(reweighted: Reweighted, observable: int) -> np.ndarray:
    low, high = reweighted.limits[observable]
    bins = reweighted.spectra.contents["truth"].shape[1]
    return np.linspace(low, high, bins + 1)


def _short(value: float, digits: int = 2) -> str:
    """0.0012, 0.34 or 120; 7 × 10⁻⁵."""
    digits = digits if value >= 1e-3 else 1
    return printed(f"{value:.0f}" if value >= 100 else f"{value:.{digits}g}")


def moment_panels(reweighted: Reweighted, panels: Mapping[int, str], columns: int) -> plt.Figure:
    """As ``observable_panels``, small, for thirty layers; <S^2> and r stand below each other."""
    rows = -(-len(panels) // columns)
    figure = plt.figure(figsize=(2.25 * columns, 2.7 * rows), layout="constrained")
    grid = figure.add_gridspec(2 * rows, columns, height_ratios=[2.6, 1] * rows)
    for k, (observable, label) in enumerate(panels.items()):
        row, column = divmod(k, columns)
        top = figure.add_subplot(grid[2 * row, column])
        bottom = figure.add_subplot(grid[2 * row + 1, column], sharex=top)
        _histograms(top, reweighted, observable)
        _ratios(bottom, reweighted, observable)
        top.set_ylim(top=1.4 * top.get_ylim()[1])
        top.text(0.96, 0.97, label, transform=top.transAxes, ha="right", va="top", fontsize=12)
        floor = f"({_short(reweighted.s2(AGAIN, observable).value, 1)})"
        top.text(0.04, 0.97, floor, transform=top.transAxes, ha="left", va="top", fontsize=12,
                 color=GREY)  # fmt: skip
        for line, sample in enumerate(STYLES):
            s2, r = (f(sample, observable).value for f in (reweighted.s2, reweighted.r))
            top.text(
                0.96, 0.83 - 0.135 * line, f"{_short(s2)}, {_short(r)}", transform=top.transAxes,
                ha="right", va="top", fontsize=12, color=STYLES[sample]["color"],
            )  # fmt: skip
        top.tick_params(labelbottom=False)
        bottom.tick_params(labelleft=column == 0, labelsize=11)
        bottom.locator_params(axis="x", nbins=3)
        if row == rows - 1:
            bottom.set_xlabel("cells²", fontsize=12)
    names = [reweighted.title if sample == GENERATOR else sample for sample in STYLES]
    handles, _ = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, ["truth", *names], loc="outside upper center", ncols=4, fontsize=12)
    return figure


def weight_panels(reweighted: Reweighted) -> plt.Figure:
    """Weights of generated showers from both classifiers, and one against the other (Fig. 2).

    Where most lie beyond the bins that are stored of all showers, the histogram is of those that
    are kept one by one; weights that are all too small for these are left out, and with them the
    second panel.
    """
    kept = {sample: reweighted.pairs_of(sample) for sample in CLASSIFIERS}
    both = all(weights.any() for weights in kept.values())
    rows = 2 if both else 1
    figure, axes = plt.subplots(
        rows, 1, figsize=(5.6, 3.8 * rows), layout="constrained", squeeze=False
    )
    top, bottom = axes[0, 0], axes[-1, 0]
    for sample in CLASSIFIERS:
        if any(r.off_axis(sample) for r in reweighted.each):
            logs = np.log10(kept[sample][kept[sample] > 0])
            counts, edges = np.histogram(logs, 40) if len(logs) else (np.zeros(0), np.zeros(1))
        else:
            every, edges = reweighted.weight_counts(sample, 1), LOG_WEIGHTS
            counts = every[1:-1].astype(float)
            counts[0], counts[-1] = counts[0] + every[0], counts[-1] + every[-1]
        if counts.any():
            top.stairs(counts / counts.sum(), 10.0**edges, label=sample, **STYLES[sample])
        else:
            top.plot([], [], label=f"{sample}: all below $10^{{-38}}$", **STYLES[sample])
    top.axvline(1, color=GREY, linewidth=0.8)
    top.set(xscale="log", yscale="log", xlabel="weight", ylabel="share of generated showers")
    top.legend(loc="upper center")
    if both:
        low, high = (np.maximum(kept[s], kept[s][kept[s] > 0].min()) for s in (LOW, HIGH))
        bottom.plot(low, high, ".", color=BLUE, markersize=2, alpha=0.4)
        bottom.set(xscale="log", yscale="log", xlim=_decades(low), ylim=_decades(high),
                   xlabel="low-level weight", ylabel="high-level weight")  # fmt: skip
        correlation = rf"$\rho$ = {printed(reweighted.pearson)}"
        bottom.text(0.04, 0.95, correlation, transform=bottom.transAxes, va="top")
    return figure


def _decades(weights: np.ndarray) -> tuple[float, float]:
    """Whole decades about one that hold the weights."""
    powers = np.log10(weights)
    return 10.0 ** min(np.floor(powers.min()), -1), 10.0 ** max(np.ceil(powers.max()), 1)


def correlation_panels(reweighted: Reweighted) -> plt.Figure:
    """Correlations of the truth less those of a second sample of it, of the generator and of the
    weighted generator (Fig. 7), means over repetitions.

    Above each the mean of the root mean squares of all pairs.
    """
    figure, axes = plt.subplots(2, 2, figsize=(10.4, 10.4), layout="constrained")
    names = [SYMBOLS[name] for name in CORRELATED]
    matrices = {s: 100 * reweighted.residuals(s) for s in (AGAIN, *STYLES)}
    reach = max(float(np.nanmax(abs(m))) for m in matrices.values())
    for ax, (sample, matrix) in zip(axes.flat, matrices.items(), strict=True):
        drawn = ax.imshow(matrix, cmap="PuOr", vmin=-reach, vmax=reach)
        for i, row in enumerate(matrix):
            for j, value in enumerate(row):
                color = "white" if abs(value) > 0.7 * reach else BLACK
                ax.text(j, i, printed(f"{value:z.0f}"), ha="center", va="center", fontsize=12,
                        color=color)  # fmt: skip
        ax.set_xticks(range(len(names)), names, rotation=90, fontsize=12)
        ax.set_yticks(range(len(names)), names, fontsize=12)
        ax.minorticks_off()
        ax.tick_params(length=0)
        name = reweighted.title if sample == GENERATOR else sample
        rms = 100 * reweighted.residual_rms(sample).value
        ax.set_title(f"{name}: rms {rms:.2g}", fontsize=14)
    figure.colorbar(drawn, ax=axes, label="truth less model (%)", shrink=0.6)
    return figure


def summary_panels(reweighted: Reweighted) -> plt.Figure:
    """<S^2>, its ratio to that without weights, and r of all observables (Fig. 8).

    Values of all repetitions together, divided by their number: their means would be where no
    repetition is, if some classifiers have learned and others have not.  What lies beyond an axis
    is in its last bin.
    """
    figure, axes = plt.subplots(len(GROUPS), 3, figsize=(10.6, 8.0), layout="constrained")
    each = reweighted.each
    bins = [
        np.geomspace(*SUMMARY[0], 26), np.geomspace(*SUMMARY[1], 26), np.linspace(*SUMMARY[2], 26)
    ]  # fmt: skip
    for row, (group, which) in zip(axes, GROUPS.items(), strict=True):
        again = [x.separations[AGAIN].value[which] for x in each]
        _counted(row[0], again, bins[0], color=GREY, linestyle=":", label="truth again")
        for sample, style in STYLES.items():
            name = reweighted.title if sample == GENERATOR else sample
            s2 = [x.separations[sample].value[which] for x in each]
            r = [x.dilution[sample].value[which] for x in each]
            _counted(row[0], s2, bins[0], **style, label=name)
            _counted(row[2], r, bins[2], **style, label=name)
            if sample != GENERATOR:
                ratios = [x.s2_ratios(sample)[which] for x in each]
                _counted(row[1], ratios, bins[1], **style, label=name)
        row[1].axvline(1, color=GREY, linewidth=0.8)
        row[2].axvline(1, color=GREY, linewidth=0.8)
        row[0].set(xscale="log", ylabel=f"{group}\nobservables")
        row[1].set(xscale="log")
    for ax, label in zip(
        axes[-1],
        (r"$\langle S^2\rangle$", r"$\langle S^2\rangle$ with / without weights", "$r$"),
        strict=True,
    ):
        ax.set_xlabel(label)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4)
    return figure


def _counted(ax: Axes, values: Sequence[np.ndarray], bins: np.ndarray, **style: Any) -> None:
    """Observables per repetition, from the values of each."""
    counts, _ = np.histogram(np.clip(np.concatenate(values), bins[0], bins[-1]), bins)
    ax.stairs(counts / len(values), bins, linewidth=1.5, **style)


def outlook_panels(generators: Sequence[Reweighted]) -> plt.Figure:
    """What the scores say of reweighting, and what r it then has; a point a repetition.

    Left: the showers that weights leave, against what the AUC lacks of one, no less than
    ``NEXT_TO_ONE``; crossed where the answer from the scores is no.  Right: r by bootstrap, the
    median over all observables with the central 68%, against what the scores tell.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.6, 4.4), layout="constrained")
    lacking = np.geomspace(0.5, NEXT_TO_ONE, 300)
    told = [dilution_from_auc(Estimate(float(1 - x), 0.0)).value ** -2 for x in lacking]
    left.plot(lacking, told, "-", color=BLACK, linewidth=1, label="Gaussians of equal width")
    hopeless: list[tuple[float, float]] = []
    for one, marker in zip(generators, "os^", strict=False):
        for sample in CLASSIFIERS:
            style: dict[str, Any] = {
                "color": STYLES[sample]["color"], "markersize": 5, "alpha": 0.8,
                "fillstyle": "full" if sample == HIGH else "none",
            }  # fmt: skip
            looks = [r.outlook(sample) for r in one.each]
            points = [
                (max(1 - look.auc.value, NEXT_TO_ONE), look.effective_share.value) for look in looks
            ]
            hopeless += [p for p, look in zip(points, looks, strict=True) if look.answer == "no"]
            left.plot(*np.transpose(points), marker, label=f"{one.title}, {sample}", **style)
            for repetition, look in zip(one.each, looks, strict=True):
                r, low, high = repetition.usual_dilution(sample)
                right.errorbar(
                    look.dilution.value, r, [[r - low], [high - r]], fmt=marker, linewidth=0.8,
                    **style,
                )  # fmt: skip
    if hopeless:
        left.plot(*np.transpose(hopeless), "x", color=VERMILLION, markersize=8, label="no")
    least = 1e-4
    left.axhspan(least, HOPELESS_SHARE, color=VERMILLION, alpha=0.15, linewidth=0)
    # A classifier that has learned nothing may come out below one half.
    left.set(xlabel="1 − AUC (told apart better to the right)", xscale="log", yscale="log",
             ylabel=r"showers left, $N_\mathrm{eff}/N$", xlim=(0.7, NEXT_TO_ONE / 2),
             ylim=(least, 2))  # fmt: skip
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    ends = np.array(right.get_xlim() + right.get_ylim())
    line = 0.9, 1.2 * float(ends.max())
    right.plot(line, line, "-", color=BLACK, linewidth=1, zorder=0)
    right.set(xlabel=r"$r$ told by the scores, $\sqrt{N/N_\mathrm{eff}}$", xscale="log",
              ylabel=r"$r$ by bootstrap, median of observables", yscale="log")  # fmt: skip
    return figure
