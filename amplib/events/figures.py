"""Drawings of events, in the book's style."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from matplotlib.ticker import NullFormatter

from amplib.events.columns import OBJECTS, TTBAR, columns
from amplib.events.merit import GRIDS, PHI_RANGE, extrapolated_delta
from amplib.events.observables import BINNINGS
from amplib.events.studies import AZIMUTHS, COSINES, MOMENTA, POLAR_ANGLES
from amplib.events.summary import GEV, TopPairStatistics, total
from amplib.plotting import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION
from amplib.results import Result

MAP_BINS = 200
"""Bins of an azimuth in the map that is drawn, of 1.8 degrees each."""
ANGLE_TICKS = ([-np.pi, -np.pi / 2, 0, np.pi / 2, np.pi], [r"$-\pi$", "", "0", "", r"$\pi$"])


def _with_errors(ax: Axes, counts: np.ndarray, edges: np.ndarray, expected: np.ndarray) -> None:
    """Counts over their expectation's mean, and the expectation as a line."""
    scale = expected.mean()
    centre = (edges[1:] + edges[:-1]) / 2
    ax.errorbar(centre, counts / scale, np.sqrt(counts) / scale, fmt="o", color=BLUE, markersize=3)
    ax.stairs(expected / scale, edges, baseline=None, color=VERMILLION, linewidth=1.2)


def two_body_panels(result: Result) -> plt.Figure:
    """Polar angle, azimuth and momenta of the two-body decay."""
    figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.2), layout="constrained")
    for ax, name, edges, label in (
        (axes[0], "theta", POLAR_ANGLES, r"$\theta_1$"),
        (axes[1], "phi", AZIMUTHS, r"$\phi_1$"),
    ):
        counts = total(result, name)
        _with_errors(ax, counts, edges, np.full(len(counts), counts.mean()))
        ax.set(xlabel=label, ylim=(0.9, 1.1), ylabel="decays / uniform")
    axes[1].set_xticks(*ANGLE_TICKS)
    styles = ((BLUE, "-"), (VERMILLION, "--"), (GREEN, "-."))
    for counts, axis, (color, style) in zip(total(result, "momenta"), "xyz", styles, strict=True):
        axes[2].stairs(counts / counts.sum() / np.diff(MOMENTA), MOMENTA, color=color,
                       linestyle=style, label=f"$p_{axis}$")  # fmt: skip
    axes[2].set(xlabel="momentum of particle 1 (GeV)", ylabel="density (1/GeV)", ylim=(0, None))
    axes[2].legend()
    return figure


def z_panels(result: Result) -> plt.Figure:
    """Polar angle against the tree-level density, and azimuth, of the negative lepton."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
    counts, expected = total(result, "cos_theta"), total(result, "expected")
    _with_errors(left, counts, COSINES, expected / expected.sum() * counts.sum())
    left.set(xlabel=r"$\cos\theta$ of the negative lepton", ylabel="events / uniform")
    counts = total(result, "phi")
    _with_errors(right, counts, AZIMUTHS, np.full(len(counts), counts.mean()))
    right.set(xlabel=r"$\phi$ of the negative lepton", ylabel="events / uniform", ylim=(0.9, 1.1))
    right.set_xticks(*ANGLE_TICKS)
    return figure


def event_display(top_pairs: TopPairStatistics) -> plt.Figure:
    """The first event in pseudorapidity and azimuth: what was made and what was seen.

    Jets and leptons are circles of the jets' radius; the letters are the partons they come from.
    """
    event, partons = top_pairs.events[0], top_pairs.parts[0]["display"].astype(float)
    ids = np.abs(top_pairs.parts[0]["display_ids"])
    figure, ax = plt.subplots(figsize=(6.6, 5.2), layout="constrained")
    for name in OBJECTS:
        _, pt, eta, phi = event[columns(TTBAR, *(f"{q}_{name}" for q in ("E", "pT", "eta", "phi")))]
        if pt == 0:
            continue
        color = BLUE if name.startswith("j") else VERMILLION
        radius = 0.6 if name.startswith("j") else 0.15
        for turn in (-2 * np.pi, 0, 2 * np.pi):
            ax.add_patch(
                Circle((eta, phi + turn), radius, facecolor=color, alpha=0.25, edgecolor=color)
            )
        ax.annotate(f"{name}, {pt / GEV:.0f} GeV", (eta + radius + 0.08, phi - 0.1), va="top",
                    fontsize=8, color=color, annotation_clip=False)  # fmt: skip
    ax.axhline(event[1], color=GREEN, linestyle="--", linewidth=1.2)
    ax.annotate(f"missing momentum, {event[0] / GEV:.0f} GeV", (0.01, event[1]), (0, 3),
                xycoords=("axes fraction", "data"), textcoords="offset points",
                color=GREEN, fontsize=8)  # fmt: skip
    letters = {1: "q", 2: "q", 3: "q", 4: "q", 5: "b", 11: "e", 12: "ν", 13: "μ", 14: "ν"}
    names = ["b", "b", *(letters.get(int(i), "τ") for i in ids)]
    for name, (_, px, py, pz) in zip(names, partons[4:], strict=True):
        eta, phi = np.arcsinh(pz / np.hypot(px, py)), np.arctan2(py, px)
        ax.plot(eta, phi, "x", color=BLACK, markersize=6, markeredgewidth=1.2)
        ax.annotate(name, (eta, phi), (5, 4), textcoords="offset points", fontsize=10)
    ax.set(
        xlabel=r"pseudorapidity $\eta$", ylabel=r"azimuth $\phi$", aspect="equal",
        xlim=(-4.5, 4.5), ylim=(-np.pi, np.pi),
    )  # fmt: skip
    ax.set_yticks(*ANGLE_TICKS)
    return figure


def distributions(top_pairs: TopPairStatistics) -> plt.Figure:
    """Momenta, directions and missing momentum of the selected events."""
    figure, axes = plt.subplots(2, 3, figsize=(10, 5.6), layout="constrained")
    pt = np.geomspace(10, 1000, 51)
    eta, phi = np.linspace(-5, 5, 51), np.linspace(-np.pi, np.pi, 51)
    styles = ((BLUE, "-"), (VERMILLION, "--"), (GREEN, "-."), (PURPLE, (0, (1, 1))))
    panels = {
        (0, 0): (("j1", "j2", "j3", "j4"), "pT", pt, GEV, r"jet $p_T$ (GeV)"),
        (0, 1): (("l1", "l2"), "pT", pt, GEV, r"lepton $p_T$ (GeV)"),
        (1, 0): (("j1", "j2", "j3", "j4"), "eta", eta, 1, r"jet $\eta$"),
        (1, 1): (("l1", "l2"), "eta", eta, 1, r"lepton $\eta$"),
    }
    for at, (objects, quantity, edges, unit, label) in panels.items():
        for name, (color, style) in zip(objects, styles, strict=False):
            there = top_pairs.column(f"pT_{name}")[:, 0] > 0
            values = top_pairs.column(f"{quantity}_{name}")[there, 0] / unit
            axes[at].hist(values, list(edges), density=False, histtype="step", color=color,
                          linestyle=style, label=name, linewidth=1.4)  # fmt: skip
        axes[at].set(xlabel=label, xscale="log" if quantity == "pT" else "linear")
        axes[at].legend(ncols=2 if quantity == "eta" else 1)
        if quantity == "eta":
            axes[at].set_ylim(0, 1.25 * axes[at].get_ylim()[1])
    met = top_pairs.column("MET")[:, 0] / GEV
    axes[0, 2].hist(met, list(np.linspace(0, 300, 61)), histtype="step", color=BLUE, linewidth=1.4)
    axes[0, 2].set(xlabel="missing transverse momentum (GeV)")
    for name, (color, style) in zip(("phi_MET", "phi_j1", "phi_l1"), styles, strict=False):
        axes[1, 2].hist(top_pairs.column(name)[:, 0], list(phi), histtype="step", color=color,
                        linestyle=style, label=name[4:], linewidth=1.4)  # fmt: skip
    axes[1, 2].set(xlabel=r"$\phi$", ylim=(0, 1.6 * len(met) / 50))
    axes[1, 2].set_xticks(*ANGLE_TICKS)
    axes[1, 2].legend(ncols=3)
    for ax in axes[:, 0]:
        ax.set_ylabel("events a bin")
    return figure


def reconstruction(top_pairs: TopPairStatistics) -> plt.Figure:
    """Masses of jets that belong to a W and to a top, jet response, and missing momentum."""
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.5), layout="constrained")
    edges = np.linspace(0, 300, 61)
    for name, label, color, style in (
        ("w_jets", r"W: two jets", BLUE, "-"),
        ("top_jets", "t: three jets", VERMILLION, "--"),
    ):
        values = top_pairs.joined(name) / GEV
        left.hist(values, list(edges), histtype="step", color=color, linestyle=style,
                  label=label, linewidth=1.5)  # fmt: skip
    for true, color in ((80.4, BLUE), (173.0, VERMILLION)):
        left.axvline(true, color=color, linewidth=0.8, linestyle=":")
    left.set(xlabel="mass of matched jets (GeV)", ylabel="pairs and triples a bin")
    left.legend()
    centre, peaks = top_pairs.response()
    centre = centre / GEV
    middle.errorbar(centre, [p.median for p in peaks], [p.error for p in peaks], fmt="o",
                    color=BLUE, markersize=4, label="median")  # fmt: skip
    middle.plot(centre, [p.width for p in peaks], "s--", color=ORANGE, markersize=4, label="width")
    middle.axhline(1, color=GREY, linewidth=0.8)
    middle.set(xscale="log", xlabel=r"true jet $p_T$ (GeV)", ylabel=r"measured / true $p_T$",
               ylim=(0, 1.6))  # fmt: skip
    middle.set_xticks([20, 50, 100, 200, 400], ["20", "50", "100", "200", "400"])
    middle.xaxis.set_minor_formatter(NullFormatter())
    middle.legend()
    residuals = top_pairs.joined("met_residuals") / GEV
    for values, axis, color, style in zip(
        residuals.T, "xy", (BLUE, VERMILLION), ("-", "--"), strict=True
    ):
        right.hist(values, list(np.linspace(-80, 80, 65)), histtype="step", color=color,
                   linestyle=style, label=f"${axis}$", linewidth=1.5)  # fmt: skip
    right.set(xlabel="missing momentum, measured − true (GeV)", ylabel="events a bin")
    right.legend()
    return figure


def reference_panels(reference: Mapping[str, np.ndarray]) -> plt.Figure:
    """Azimuths of the leading jets, empty bins, and the truth against itself.

    Args:
        reference: as ``reference.reference`` returns it.
    """
    figure, axes = plt.subplots(2, 2, figsize=(9, 7.4), layout="constrained")
    (azimuths, empty), (pairs, crowding) = axes
    coarse = reference["azimuths"][0].astype(float).reshape(MAP_BINS, 5, MAP_BINS, 5).sum((1, 3))
    edges = np.linspace(*PHI_RANGE, MAP_BINS + 1)
    mesh = azimuths.pcolormesh(edges, edges, coarse.T, cmap="viridis", rasterized=True)
    azimuths.set(xlabel=r"$\phi$ of the first jet", ylabel=r"$\phi$ of the second jet",
                 aspect="equal")  # fmt: skip
    azimuths.set_xticks(*ANGLE_TICKS)
    azimuths.set_yticks(*ANGLE_TICKS)
    figure.colorbar(mesh, ax=azimuths, label="events a bin")
    sizes = reference["sizes"]
    every = np.geomspace(sizes[0], 2 * sizes[-1], 60)
    styles = ((BLUE, "-", "o"), (VERMILLION, "--", "s"), (GREEN, "-.", "^"))
    for k, (name, (color, style, marker)) in enumerate(zip(BINNINGS, styles, strict=True)):
        values = reference["delta"][:, k]
        pairs.errorbar(sizes, values, reference["delta_spread"][:, k], fmt=marker, color=color,
                       markersize=4, label=name)  # fmt: skip
        curve = [extrapolated_delta(sizes, values, n) for n in every]
        pairs.plot(every, curve, style, color=color, linewidth=1)
    for k, name in enumerate(
        (r"$\eta_{j_1} \times \eta_{j_2}$", r"$\phi_{j_1} \times \phi_{j_2}$")
    ):
        color, style, marker = styles[k]
        empty.plot(GRIDS, reference["empty"][0, k], style, color=color, label=name)
        crowding.errorbar(sizes, reference["delta_of"][:, 0, k],
                          reference["delta_of_spread"][:, 0, k], fmt=marker, color=color,
                          markersize=4, label=name)  # fmt: skip
    empty.set(xlabel=r"$\sqrt{N_{\mathrm{bins}}}$", ylabel="share of empty bins", ylim=(0, 1),
              xlim=(0, GRIDS[-1]))  # fmt: skip
    pairs.set(xscale="log", yscale="log", xlabel="events $N$", ylabel=r"$\delta$, $N$ against $N$")
    crowding.set(xlabel="events $N$", ylabel=r"$\delta_{OF}$, $N$ against $N$",
                 xlim=(0, None), ylim=(0, None))  # fmt: skip
    for ax in (empty, pairs, crowding):
        ax.legend()
    return figure
