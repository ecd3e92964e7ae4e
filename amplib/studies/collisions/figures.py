"""Drawings of events, in the book's style."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from matplotlib.ticker import NullFormatter
from numpy.typing import NDArray

from amplib.store.results import Result
from amplib.studies.collisions.reading import HADRONIC_CELLS, TopPairStatistics, total
from amplib.studies.collisions.study import AZIMUTHS, COSINES, MOMENTA, POLAR_ANGLES
from amplib.style import BLACK, BLUE, GREEN, GREY, PURPLE, VERMILLION
from amplib.truth.collisions.atlas_card import JET_RADIUS
from amplib.truth.collisions.checks import TOP_MASS, W_MASS, nearest_jets
from amplib.truth.collisions.columns import GEV, JETS, OBJECTS, PARTONS, pt_eta_phi, ttbar_objects
from amplib.truth.collisions.compact import unpack
from amplib.truth.collisions.objects import delta_r2
from amplib.truth.collisions.observables import azimuthal_distance
from amplib.truth.collisions.two_body import momentum_shares

Array = NDArray[np.float64]
ANGLE_TICKS = ([-np.pi, -np.pi / 2, 0, np.pi / 2, np.pi], [r"$-\pi$", "", "0", "", r"$\pi$"])
APART = {"wspace": 0.06}
LEPTON_RADIUS = 0.15
LOWEST_AZIMUTH = -np.pi / 2
"""Azimuth at which an event display starts."""
CELL = 360 / HADRONIC_CELLS
"""Width of a hadronic cell in azimuth, degrees."""
LETTERS = {1: "q", 2: "q", 3: "q", 4: "q", 5: "b", 11: "e", 12: "ν", 13: "μ", 14: "ν"}
CLEAR_PT, CLEAR_ANGLE = 40 * GEV, 0.3
"""Of the neutrino, and between it and the missing momentum, in an event that is displayed."""


def _with_errors(ax: Axes, counts: np.ndarray, edges: np.ndarray, expected: np.ndarray) -> None:
    """Counts over their expectation's mean, and the expectation as a line."""
    scale = expected.mean()
    centre = (edges[1:] + edges[:-1]) / 2
    ax.errorbar(centre, counts / scale, np.sqrt(counts) / scale, fmt="o", color=BLUE, markersize=3)
    ax.stairs(expected / scale, edges, baseline=None, color=VERMILLION, linewidth=1.2)


def _against_uniform(ax: Axes, counts: np.ndarray, edges: np.ndarray) -> None:
    """Counts over their mean, on a scale of six statistical errors."""
    _with_errors(ax, counts, edges, np.full(len(counts), counts.mean()))
    scale = 6 / np.sqrt(counts.mean())
    ax.set_ylim(1 - scale, 1 + scale)


def two_body_panels(result: Result) -> plt.Figure:
    """Polar angle, azimuth and momenta of the two-body decay."""
    figure, axes = plt.subplots(1, 3, figsize=(8, 2.8), layout="constrained", gridspec_kw=APART)
    for ax, name, edges, label in (
        (axes[0], "theta", POLAR_ANGLES, r"$\theta_1$"),
        (axes[1], "phi", AZIMUTHS, r"$\phi_1$"),
    ):
        _against_uniform(ax, total(result, name), edges)
        ax.set(xlabel=label, ylabel="decays / uniform")
    axes[1].set_xticks(*ANGLE_TICKS)
    styles = ((BLUE, "-"), (VERMILLION, "--"), (GREEN, "-."))
    for counts, axis, (color, style) in zip(total(result, "momenta"), "xyz", styles, strict=True):
        axes[2].stairs(counts / counts.sum() / np.diff(MOMENTA), MOMENTA, color=color,
                       linestyle=style, label=f"$p_{axis}$")  # fmt: skip
    for polar, color, line, label in (
        ("uniform", BLACK, (0, (1, 2)), "$p_z$, exact"),
        ("isotropic", GREY, (0, (4, 2)), "isotropic"),
    ):
        axes[2].stairs(momentum_shares(MOMENTA, polar) / np.diff(MOMENTA), MOMENTA, color=color,
                       linestyle=line, label=label, baseline=None)  # fmt: skip
    axes[2].set(
        xlabel=r"components of $\mathbf{p}_1$ (GeV)",
        ylabel="density (1/GeV)",
        ylim=(0, 1.45 * axes[2].dataLim.ymax),
    )
    axes[2].legend(ncols=2, loc="upper center", fontsize=8, columnspacing=1)
    return figure


def z_panels(result: Result) -> plt.Figure:
    """Polar angle against the tree-level density, with their ratio, and azimuth, of the l-."""
    figure = plt.figure(figsize=(8, 3.8), layout="constrained")
    axes = figure.subplot_mosaic(
        [["cos", "phi"], ["ratio", "phi"]], height_ratios=(2, 1), gridspec_kw=APART
    )
    counts, expected = total(result, "cos_theta"), total(result, "expected")
    expected = expected / expected.sum() * counts.sum()
    _with_errors(axes["cos"], counts, COSINES, expected)
    axes["cos"].set(ylabel="events / uniform", ylim=(0, None))
    axes["cos"].tick_params(labelbottom=False)
    axes["cos"].sharex(axes["ratio"])
    centre = (COSINES[1:] + COSINES[:-1]) / 2
    axes["ratio"].errorbar(centre, counts / expected, np.sqrt(counts) / expected, fmt="o",
                           color=BLUE, markersize=3)  # fmt: skip
    axes["ratio"].axhline(1, color=VERMILLION, linewidth=1.2)
    axes["ratio"].set(xlabel=r"$\cos\theta$ of the negative lepton", ylabel="events /\ntree level")
    _against_uniform(axes["phi"], total(result, "phi"), AZIMUTHS)
    axes["phi"].set(xlabel=r"$\phi$ of the negative lepton", ylabel="events / uniform")
    axes["phi"].set_xticks(*ANGLE_TICKS)
    return figure


def _is_clear(event: Array, partons: Array, codes: NDArray[np.int64]) -> bool:
    """Whether four quarks have a jet each and the missing momentum is along the one neutrino."""
    jets = ttbar_objects(event[None])[:, :JETS]
    found = nearest_jets(jets, partons[None, codes <= 5])[0]
    pt, _, phi = pt_eta_phi(partons[(codes == 12) | (codes == 14)])
    if len(pt) != 1 or len(found) != JETS or len({*found} - {-1}) != JETS:
        return False
    return bool(pt[0] > CLEAR_PT and azimuthal_distance(phi, event[1:2])[0] < CLEAR_ANGLE)


def clear_event(top_pairs: TopPairStatistics) -> tuple[Array, Array, NDArray[np.int64]]:
    """An event to look at, the partons behind it ``(6, 4)`` in MeV, and their PDG codes.

    Partons are stored for the first event of each part. Of these it is the first whose four quarks
    have a jet each, with missing momentum within 0.3 rad of its only neutrino, of more than 40 GeV;
    if there is none, the first of all.
    """
    bottom = PARTONS.index("b")
    events = [
        (unpack(part["packed"][:1])[0], part["display"][bottom:].astype(float),
         np.abs([5, 5, *part["display_ids"].astype(int)]))
        for part in top_pairs.parts
    ]  # fmt: skip
    return next((event for event in events if _is_clear(*event)), events[0])


def event_display(top_pairs: TopPairStatistics) -> plt.Figure:
    """The event of ``clear_event`` in pseudorapidity and azimuth: what was made, what was seen.

    Jets are circles of their radius, leptons small ones; crosses are the partons behind them.
    """
    event, partons, codes = clear_event(top_pairs)
    figure, ax = plt.subplots(figsize=(6.6, 6.2), layout="constrained")
    met, direction = event[:2]
    ax.axhline(_in_view(direction), color=GREEN, linestyle="--", linewidth=1.2)
    ax.annotate(f"missing momentum, {met / GEV:.0f} GeV", (0.01, _in_view(direction)), (0, 3),
                xycoords=("axes fraction", "data"), textcoords="offset points",
                color=GREEN, fontsize=9)  # fmt: skip
    seen = event[2:].reshape(len(OBJECTS), -1)
    there = seen[:, 1] > 0
    _, pt, eta, phi = seen[there].T
    others = delta_r2(eta[:, None], phi[:, None], eta, phi) + np.diag(np.full(len(eta), np.inf))
    limit = max(3.2, np.abs(eta).max() + 1.7)
    right = eta > eta[others.argmin(axis=1)]  # labels stand away from the nearest neighbour
    for k, name in enumerate(np.array(OBJECTS)[there]):
        color, radius = (BLUE, JET_RADIUS) if name[0] == "j" else (VERMILLION, LEPTON_RADIUS)
        for turn in (-2 * np.pi, 0, 2 * np.pi):
            place = eta[k], _in_view(phi[k]) + turn
            ax.add_patch(Circle(place, radius, facecolor=color, alpha=0.25, edgecolor=color))
        beside = eta[k] + (radius + 0.08) * (1 if right[k] else -1)
        ax.annotate(f"{name}, {pt[k] / GEV:.0f} GeV", (beside, _in_view(phi[k])), va="center",
                    ha="left" if right[k] else "right", fontsize=9, color=color)  # fmt: skip
    for code, pt, eta, phi in zip(codes, *pt_eta_phi(partons), strict=True):
        ax.plot(eta, _in_view(phi), "x", color=BLACK, markersize=6, markeredgewidth=1.2)
        ax.annotate(f"{LETTERS.get(int(code), 'τ')} {pt / GEV:.0f}", (eta, _in_view(phi)), (11, 1),
                    textcoords="offset points", fontsize=9)  # fmt: skip
    ax.set(
        xlabel=r"pseudorapidity $\eta$", ylabel=r"azimuth $\phi$", aspect="equal",
        xlim=(-limit, limit), ylim=(LOWEST_AZIMUTH, LOWEST_AZIMUTH + 2 * np.pi),
    )  # fmt: skip
    ax.set_yticks([0, np.pi / 2, np.pi], ["0", r"$\pi/2$", r"$\pi$"])
    return figure


def _in_view(phi: float) -> float:
    return float((phi - LOWEST_AZIMUTH) % (2 * np.pi) + LOWEST_AZIMUTH)


def distributions(top_pairs: TopPairStatistics) -> plt.Figure:
    """Momenta, directions and missing momentum, and azimuths within a hadronic cell."""
    figure, axes = plt.subplots(3, 2, figsize=(7.6, 8), layout="constrained", gridspec_kw=APART)
    styles = ((BLUE, "-"), (VERMILLION, "--"), (GREEN, "-."), (PURPLE, (0, (1, 1))))
    for column, objects in enumerate((("j1", "j2", "j3", "j4"), ("l1", "l2"))):
        kind = ("jet", "lepton")[column]
        for ax, quantity, edges, label in (
            (axes[0, column], "pT", np.geomspace(10, 1000, 51), f"{kind} $p_T$ (GeV)"),
            (axes[1, column], "eta", np.linspace(-5, 5, 51), rf"{kind} $\eta$"),
        ):
            for name, (color, style) in zip(objects, styles, strict=False):
                pt, value = top_pairs.column(f"pT_{name}", f"{quantity}_{name}").T
                unit = GEV if quantity == "pT" else 1
                ax.hist(value[pt > 0] / unit, list(edges), histtype="step", color=color,
                        linestyle=style, label=name, linewidth=1.4)  # fmt: skip
            ax.set(xlabel=label, xscale="log" if quantity == "pT" else "linear")
            ax.legend()
    missing, cells = axes[2]
    met = top_pairs.column("MET")[:, 0] / GEV
    missing.hist(met, list(np.linspace(0, 300, 61)), histtype="step", color=BLUE, linewidth=1.4)
    missing.set(xlabel="missing transverse momentum (GeV)")
    for ax in axes.flat:
        ax.set_ylabel("events per bin")
    edges = np.linspace(-CELL / 2, CELL / 2, 11)
    centre = (edges[1:] + edges[:-1]) / 2
    for k, (name, (color, style)) in enumerate(zip(("j1", "l1", "MET"), styles, strict=False)):
        phi = np.degrees(top_pairs.column(f"phi_{name}")[:, 0])
        counts = np.histogram((phi - edges[0]) % CELL + edges[0], edges)[0]
        cells.errorbar(centre + 0.15 * (k - 1), counts / counts.mean(),
                       np.sqrt(counts) / counts.mean(), fmt="os^"[k], linestyle=style,
                       linewidth=0.8, color=color, markersize=3.5, label=name)  # fmt: skip
    cells.axhline(1, color=GREY, linewidth=0.8)
    cells.set(xlabel=r"$\phi$ from the nearest edge of a cell", ylabel="events / uniform")
    cells.set_xticks([-5, 0, 5], ["−5°", "0°", "5°"])
    cells.legend()
    return figure


def reconstruction(top_pairs: TopPairStatistics) -> plt.Figure:
    """Masses of jets of a W and of a top, missing momentum, jet response and resolution."""
    figure, axes = plt.subplots(2, 2, figsize=(7.6, 5.8), layout="constrained", gridspec_kw=APART)
    (masses, missing), (response, resolution) = axes
    for name, label, color, style in (
        ("w_jets", r"W: two jets", BLUE, "-"),
        ("top_jets", "t: three jets", VERMILLION, "--"),
    ):
        values = top_pairs.joined(name) / GEV
        masses.hist(values, list(np.linspace(0, 300, 61)), histtype="step", color=color,
                    linestyle=style, label=label, linewidth=1.5)  # fmt: skip
    for true, color in ((W_MASS, BLUE), (TOP_MASS, VERMILLION)):
        masses.axvline(true, color=color, linewidth=0.8, linestyle=":")
    masses.set(xlabel="mass of matched jets (GeV)", ylabel="pairs and triples per bin")
    masses.legend()
    residuals = top_pairs.joined("met_residuals") / GEV
    for values, axis, color, style in zip(
        residuals.T, "xy", (BLUE, VERMILLION), ("-", "--"), strict=True
    ):
        missing.hist(values, list(np.linspace(-80, 80, 65)), histtype="step", color=color,
                     linestyle=style, label=f"${axis}$", linewidth=1.5)  # fmt: skip
    missing.set(xlabel="missing momentum,\nmeasured − true (GeV)", ylabel="events per bin")
    missing.legend()
    centre, peaks = top_pairs.response()
    centre = centre / GEV
    response.errorbar(centre, [p.median for p in peaks], [p.error for p in peaks], fmt="o",
                      color=BLUE, markersize=4)  # fmt: skip
    response.axhline(1, color=GREY, linewidth=0.8)
    response.set_ylabel("median of\n" r"measured / true $p_T$")
    resolution.plot(centre, [100 * p.width for p in peaks], "s", color=BLUE, markersize=4)
    resolution.set(ylabel="width of\n" r"measured / true $p_T$ (%)", ylim=(0, None))
    for ax in (response, resolution):
        ax.set(xscale="log", xlabel=r"true jet $p_T$ (GeV)")
        ax.set_xticks([20, 50, 100, 200, 400], ["20", "50", "100", "200", "400"])
        ax.xaxis.set_minor_formatter(NullFormatter())
    return figure
