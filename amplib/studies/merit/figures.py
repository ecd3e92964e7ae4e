"""The truth by the two numbers, in one picture."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from amplib.metrics.crowding import GRIDS, PHI_RANGE
from amplib.metrics.delta import extrapolated_delta
from amplib.store.results import Result
from amplib.studies.collisions.figures import ANGLE_TICKS
from amplib.studies.event_paper import PAPER_EVENTS, PAPER_IDEAL
from amplib.studies.merit.judge import DIRECTIONS, Reference
from amplib.studies.merit.reading import Split, splits, stored_reference
from amplib.style import BLACK, BLUE, GREY, VERMILLION

DRAWN_BINS = 200
"""Bins of an azimuth in the map that is drawn, of 1.8 degrees each."""
ROUNDED_TO = 1e-4
"""The last digit of the paper's delta of an ideal generator."""
PLANES = {"eta": r"$\eta_{j_1} \times \eta_{j_2}$", "phi": r"$\phi_{j_1} \times \phi_{j_2}$"}
IN_PLANES = ((BLUE, "-", "o"), (VERMILLION, "--", "s"))
"""Colour, line and marker of each of ``PLANES``."""


def reference_panels(result: Result) -> plt.Figure:
    """Azimuths of the leading jets, empty bins, and the truth of a ``TopPairReference`` against
    itself."""
    figure = plt.figure(figsize=(9, 7.8), layout="constrained")
    axes = figure.subplot_mosaic(
        [["azimuths", "empty"], ["pairs", "crowding"], ["ratios", "crowding"]],
        height_ratios=(3, 2.2, 1.1),
    )
    azimuths, empty, pairs, crowding, ratios = axes.values()
    kept = next(iter(result.load().values()))
    _azimuth_map(azimuths, kept["azimuths"][0])
    reference = stored_reference(result)
    for name, (color, style, _) in zip(DIRECTIONS, IN_PLANES, strict=True):
        empty.plot(GRIDS, reference.empty[name][-1], style, color=color, label=PLANES[name])
    empty.set(xlabel=r"$\sqrt{N_{\mathrm{bins}}}$", ylabel="share of empty bins", ylim=(0, 1),
              xlim=(0, GRIDS[-1]))  # fmt: skip
    truth_against_itself(pairs, crowding, result)
    pairs.set(xlabel="")
    pairs.tick_params(labelbottom=False)
    _over_eq_24(ratios, splits(result), reference)
    ratios.set_xlim(pairs.get_xlim())
    empty.legend()
    return figure


def truth_against_itself(pairs: Axes, crowding: Axes, result: Result) -> None:
    """delta and delta_OF of N events of a ``TopPairReference`` against as many others (Fig. 5c)."""
    reference, every = stored_reference(result), splits(result)
    _deltas(pairs, every, reference)
    for k, (name, look) in enumerate(zip(DIRECTIONS, IN_PLANES, strict=True)):
        _crowding(crowding, every, reference, name, look, 0.01 * k * reference.events / 2)
    for face, label in ((GREY, "several pairs"), ("white", "one pair")):
        crowding.plot([], [], "o", color=GREY, markersize=4, markerfacecolor=face, label=label)
    crowding.axhline(PAPER_IDEAL[1], color=GREY, linewidth=1, zorder=0, label="the paper")
    crowding.set(xlabel=r"events $N$ / $10^5$", ylabel=r"$\delta_{OF}$, $N$ against $N$",
                 xlim=(0, None), ylim=(0, None))  # fmt: skip
    for ax in (pairs, crowding):
        ax.legend()


def _azimuth_map(ax: Axes, counts: NDArray[np.integer]) -> None:
    side = len(counts) // DRAWN_BINS
    coarse = counts.astype(float).reshape(DRAWN_BINS, side, DRAWN_BINS, side).sum((1, 3))
    edges = np.linspace(*PHI_RANGE, DRAWN_BINS + 1)
    mesh = ax.pcolormesh(edges, edges, coarse.T, cmap="viridis", rasterized=True)
    ax.set(xlabel=r"$\phi$ of the first jet", ylabel=r"$\phi$ of the second jet", aspect="equal")
    ax.set_xticks(*ANGLE_TICKS)
    ax.set_yticks(*ANGLE_TICKS)
    ax.figure.colorbar(mesh, ax=ax, label="events per bin")


def _deltas(ax: Axes, every: Sequence[Split], reference: Reference) -> None:
    """delta of N against N, its expectation, and eq. 24 through it."""
    sizes, values = [s.events for s in every], [s.delta.value for s in every]
    for face, several, label in ((BLUE, True, "several pairs"), ("white", False, "one pair")):
        drawn = [(s.events, s.delta.value) for s in every if (s.pairs > 1) == several]
        ax.plot(*zip(*drawn, strict=True), "o", color=BLUE, markersize=4, markerfacecolor=face,
                zorder=3, label=label)  # fmt: skip
    known = [(s.events, s.expected_delta) for s in every if s.expected_delta is not None]
    x, y = zip(*known, (reference.events, reference.ideal_delta), strict=True)
    ax.plot(x, y, "x", color=BLACK, markersize=7, label="expected")
    grid = np.geomspace(sizes[0], reference.events, 60)
    ax.plot(grid, [extrapolated_delta(sizes, values, n) for n in grid], color=BLUE, linewidth=1,
            label="eq. 24")  # fmt: skip
    ax.plot(PAPER_EVENTS, PAPER_IDEAL[0], "*", color=GREY, markersize=9, label="the paper")
    ax.set(xscale="log", yscale="log", xlabel="events $N$", ylabel=r"$\delta$, $N$ against $N$")


def _over_eq_24(ax: Axes, every: Sequence[Split], reference: Reference) -> None:
    """delta, its expectation and the paper's number, over eq. 24 through ours."""
    sizes, values = [s.events for s in every], [s.delta.value for s in every]

    def ratio(n: float, delta: float) -> float:
        return delta / extrapolated_delta(sizes, values, n)

    for split in every:
        curve = ratio(split.events, 1.0)
        error = None if np.isnan(split.delta.error) else curve * split.delta.error
        ax.errorbar(split.events, curve * split.delta.value, error, fmt="o", color=BLUE,
                    markersize=4, markerfacecolor="white" if error is None else BLUE)  # fmt: skip
    known = [(s.events, s.expected_delta) for s in every if s.expected_delta is not None]
    known.append((reference.events, reference.ideal_delta))
    ax.plot([n for n, _ in known], [ratio(*k) for k in known], "x", color=BLACK, markersize=7)
    papers = ratio(PAPER_EVENTS, PAPER_IDEAL[0])
    if reference.events == PAPER_EVENTS:
        half = ratio(PAPER_EVENTS, ROUNDED_TO / 2)
        ax.errorbar(PAPER_EVENTS, papers, half, fmt="*", color=GREY, markersize=9, zorder=0)
    ax.axhline(1, color=BLUE, linewidth=1, zorder=0)
    ax.set(xscale="log", xlabel="events $N$", ylabel="over\neq. 24")


def _crowding(
    ax: Axes,
    every: Sequence[Split],
    reference: Reference,
    name: str,
    style: tuple[str, str, str],
    shift: float,
) -> None:
    """delta_OF of N against N, with standard errors where there are several pairs."""
    color, line, marker = style
    for split in every:
        value, error = split.delta_of[name][:2]
        ax.errorbar((split.events + shift) / 1e5, value, None if np.isnan(error) else error,
                    fmt=marker, color=color, markersize=4,
                    markerfacecolor="white" if np.isnan(error) else color)  # fmt: skip
    known = [(s.events, s.expected_delta_of[name]) for s in every]
    known.append((reference.events, reference.ideal_delta_of(name)))
    x, y = zip(*((n, value) for n, value in known if value is not None), strict=True)
    ax.plot(np.array(x) / 1e5, y, "x", linestyle=line, linewidth=0.8, color=color, markersize=6,
            label=f"{PLANES[name]}, expected")  # fmt: skip
