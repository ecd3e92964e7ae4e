"""The diagram of the GAN (amplify, Fig. 3), read off the live modules."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from amplib.models.gan import Discriminator, Generator
from amplib.models.layers import LEAK, StackedLinear
from amplib.style import BLUE, GREEN, GREY, ORANGE, PURPLE


def draw_gan(generator: Generator, discriminator: Discriminator) -> plt.Figure:
    """Boxes for generator, B - x, embedding, aggregation and main discriminator.

    Every number in it is an attribute of the modules or of their configuration.
    """
    c = generator.config
    figure, ax = plt.subplots(figsize=(11.0, 5.0))
    ax.set(xlim=(0, 11.0), ylim=(-0.1, 5.1))
    ax.axis("off")

    noise = _box(ax, 0.1, 3.1, 1.7, ["latent noise", rf"$U(-1, 1)^{{{c.latent}}}$"], GREY)
    gen = _box(
        ax, 2.4, 2.75, 2.5,
        ["Generator", *_layers(generator.hidden, f"ELU, dropout {c.dropout:g}"),
         *_layers([generator.output], "")],
        ORANGE,
    )  # fmt: skip
    data = _box(
        ax,
        2.4,
        0.55,
        2.5,
        ["training data", rf"$+\,U(-{c.input_noise:g}, {c.input_noise:g})$"],
        BLUE,
    )
    batch = _box(
        ax, 5.5, 1.75, 1.6,
        ["batch $B$", f"$n = {c.batch_size}$ points", f"$x \\in \\mathbb{{R}}^{{{c.dimension}}}$"],
        GREY,
    )  # fmt: skip
    phi = _box(
        ax, 7.9, 3.3, 3.0,
        [r"embedding $\Phi$ of $B - x$", *_layers(discriminator.embedding, f"LeakyReLU {LEAK:g}")],
        GREEN,
    )  # fmt: skip
    agg = _box(
        ax, 7.9, 2.25, 3.0, [f"aggregation $F$: {c.aggregation} over $B$", f"$m = {c.embedding}$"],
        PURPLE,
    )  # fmt: skip
    main = _box(
        ax, 7.9, 0.15, 3.0,
        ["discriminator $D(x, B)$",
         *_layers(discriminator.hidden, f"LeakyReLU {LEAK:g}, dropout {c.dropout:g}"),
         *_layers([discriminator.output], "sigmoid")],
        BLUE,
    )  # fmt: skip
    _arrow(ax, noise.right, gen.left)
    _arrow(ax, gen.right, batch.top)
    _arrow(ax, data.right, batch.bottom)
    _arrow(ax, batch.right, phi.left, "$B - x$")
    _arrow(ax, phi.bottom, agg.top)
    _arrow(ax, agg.bottom, main.top)
    _arrow(ax, batch.right, main.left, "$x$")
    return figure


def _layers(layers: Iterable[StackedLinear], after: str) -> list[str]:
    """``7 x`` for runs of equal layers, each with its widths and what follows it."""
    lines = []
    widths = [(m.inputs, m.outputs) for m in layers]
    for (i, o), run in groupby(widths):
        count = len(list(run))
        lines.append((f"{count} $\\times$ " if count > 1 else "") + f"linear {i} $\\to$ {o}")
    return [*lines, after] if after else lines


class _Box:
    def __init__(self, x: float, y: float, width: float, height: float):
        self.left, self.right = (x, y + height / 2), (x + width, y + height / 2)
        self.bottom, self.top = (x + width / 2, y), (x + width / 2, y + height)


def _box(ax: Axes, x: float, y: float, width: float, lines: list[str], color: str) -> _Box:
    height = 0.3 + 0.27 * len(lines)
    ax.add_patch(
        FancyBboxPatch(
            (x, y), width, height, boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=color + "22", edgecolor=color, linewidth=1.4,
        )
    )  # fmt: skip
    for k, line in enumerate(lines):
        ax.text(
            x + width / 2, y + height - 0.28 - 0.27 * k, line, ha="center", va="center",
            fontsize=9.5 if k == 0 else 8.5, fontweight="bold" if k == 0 else "normal",
        )  # fmt: skip
    return _Box(x, y, width, height)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], label: str = "") -> None:
    ax.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=13, color="#333333", shrinkB=2)
    )
    if label:
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        ax.annotate(
            label,
            middle,
            (-4, 4 if end[1] > start[1] else -14),
            textcoords="offset points",
            ha="right",
            fontsize=10,
        )
