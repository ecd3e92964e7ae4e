"""Drawings of generated decays, in the book's style."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from numpy.typing import NDArray

from amplib.studies.bvae.reading import TRUTH, Generated
from amplib.style import BLUE, GREEN, GREY, VERMILLION

Array = NDArray[np.float64]

LOOK = {"VAE": (BLUE, "--"), "B-VAE": (VERMILLION, "-"), "GAN": (GREEN, "-.")}
"""Colours of the paper's figure."""
PI = ([-np.pi, -np.pi / 2, 0, np.pi / 2, np.pi], [r"$-\pi$", "", "0", "", r"$\pi$"])
HALF_PI = ([0, np.pi / 2, np.pi], ["0", r"$\pi/2$", r"$\pi$"])
GEV = " (GeV)"


def histogram(ax: Axes, generated: Generated, observable: str, label: str, log: bool) -> None:
    """The truth as an area, a line a model; what lies outside of the bins is said beside it."""
    edges = generated.decay.edges[observable]
    counts, _ = generated.counts(TRUTH, observable)
    lowest = 0.5 if log else 0
    ax.stairs(np.maximum(counts, lowest), edges, baseline=lowest, fill=True, color="#C9C9C9",
              edgecolor=GREY, label="Monte Carlo")  # fmt: skip
    for name in generated.models:
        color, style = LOOK[name]
        counts, _ = generated.counts(name, observable)
        ax.stairs(np.maximum(counts, lowest), edges, baseline=None, color=color, linestyle=style,
                  linewidth=1.3, label=name)  # fmt: skip
    ax.set(xlabel=label, xlim=(edges[0], edges[-1]))
    if log:
        ax.set(yscale="log", ylim=(lowest, 3 * generated.events))
    else:
        ax.set_ylim(0, None)


def two_body_panels(generated: Generated) -> plt.Figure:
    """Balance of momentum, components of the momenta, mass shells and azimuth."""
    figure, axes = plt.subplots(3, 3, figsize=(9, 8), layout="constrained")
    components = ("px", "py", "pz")
    for ax, name, axis in zip(axes[0], components, "xyz", strict=True):
        histogram(ax, generated, f"sum_{name}", rf"$p_{{{axis},1}} + p_{{{axis},2}}$" + GEV, True)
    for ax, name, axis in zip(axes[1], components, "xyz", strict=True):
        label = rf"$p_{axis}$ of particles 1 and 2" + GEV
        histogram(ax, generated, name, label, False)
    for ax, k in zip(axes[2], "12", strict=False):
        label = rf"$E_{k}^2 - \mathbf{{p}}_{k}^2 - m_{k}^2$ (GeV$^2$)"
        histogram(ax, generated, f"shell_{k}", label, True)
    histogram(axes[2, 2], generated, "phi", r"$\phi$ of particle 1", False)
    axes[2, 2].set_xticks(*PI)
    _share_legend(figure, axes)
    return figure


def z_panels(generated: Generated) -> plt.Figure:
    """Momenta and angles of the leptons, masses of the pair and of a lepton, balance."""
    figure, axes = plt.subplots(2, 3, figsize=(9, 5.6), layout="constrained")
    histogram(axes[0, 0], generated, "pT", "lepton $p_T$" + GEV, False)
    histogram(axes[0, 1], generated, "theta", r"lepton $\theta$", False)
    histogram(axes[0, 2], generated, "phi", r"lepton $\phi$", False)
    axes[0, 1].set_xticks(*HALF_PI)
    axes[0, 2].set_xticks(*PI)
    histogram(axes[1, 0], generated, "pair_mass", "mass of the pair" + GEV, True)
    histogram(axes[1, 1], generated, "lepton_mass", "mass of a lepton" + GEV, True)
    histogram(axes[1, 2], generated, "sum_px", r"$p_{x,1} + p_{x,2}$" + GEV, True)
    _share_legend(figure, axes)
    return figure


def z_maps(generated: Generated) -> plt.Figure:
    """Lepton 1 against lepton 2: azimuth, polar angle, transverse momentum; a column a sample."""
    names = (TRUTH, *generated.models)
    labels = {"phi": (r"$\phi_{}$", PI), "theta": (r"$\theta_{}$", HALF_PI),
              "pT": (r"$p_{{T,{}}}$" + GEV, None)}  # fmt: skip
    figure, axes = plt.subplots(
        3, len(names), figsize=(2.9 * len(names) + 0.6, 8.4), layout="constrained"
    )
    for row, (quantity, (label, ticks)) in zip(axes, labels.items(), strict=True):
        edges = generated.decay.map_edges[quantity]
        highest = max(generated.map(name, quantity).max() for name in names)
        for ax, name in zip(row, names, strict=True):
            counts = np.ma.masked_equal(generated.map(name, quantity).T, 0)
            mesh = ax.pcolormesh(edges, edges, counts, norm=LogNorm(1, highest), rasterized=True)
            ax.set(aspect="equal", xlabel=label.format(1))
            if ticks:
                ax.set_xticks(*ticks)
                ax.set_yticks(*ticks)
        row[0].set_ylabel(label.format(2))
        figure.colorbar(mesh, ax=row, label="events per bin", shrink=0.9)
    for ax, name in zip(axes[0], names, strict=True):
        ax.set_title("Monte Carlo" if name == TRUTH else name, fontsize=11)
    return figure


def _share_legend(figure: plt.Figure, axes: NDArray[np.object_]) -> None:
    """One legend for all panels."""
    for ax in axes[:, 0]:
        ax.set_ylabel("events per bin")
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=len(names))
