"""Names and shapes of a shower generator's weights, without the library that trains it.

A stored part is compared with them whenever anybody asks what there is, which costs a second if
torch has to be imported for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from amplib.models.config import BIBAEConfig, ImageGANConfig

SIDE = 30
"""Cells of a shower along each axis."""
CHANNELS = (8, 16, 32, 64)
DENSE = (4000, 768)
"""Of the BIB-AE at ``scale`` 1: its convolutions, and its dense layers from the widest."""

Shapes = dict[str, tuple[int, ...]]


def divided(numbers: Sequence[int], scale: int) -> list[int]:
    """Widths of a network that is ``scale`` times narrower.

    >>> divided((8, 100), 16)
    [1, 6]
    """
    return [max(1, n // scale) for n in numbers]


def bibae_shapes(config: BIBAEConfig) -> Shapes:
    """Of ``bibae.Decoder``, as ``BIBAEGenerator`` calls them."""
    c = divided(CHANNELS, config.scale)
    wide, narrow = divided(DENSE, config.scale)
    inputs = config.latent + config.noise // config.scale + 1
    shapes: Shapes = {}
    for k, (i, o) in enumerate(pairwise([inputs, narrow, wide, c[0] * (SIDE // 3) ** 3])):
        shapes |= {f"dense.{k}.weight": (i, o), f"dense.{k}.bias": (1, o)}
    layers = [((c[0], c[0], 3), SIDE)]  # inputs and outputs change places in a transposed one
    if config.detour == "60":
        layers += [((c[0], c[1], 3), 2 * SIDE), ((c[0], c[1], 2), SIDE)]
    layers += [((o, i, 3), SIDE) for i, o in ((c[0], c[1]), (c[1], c[2]), (c[2], c[1]))]
    for k, ((first, second, width), side) in enumerate(layers):
        name = f"convolutions.{k}"
        shapes[f"{name}.convolution.weight"] = (first, second, *_cube(width))
        shapes |= {f"{name}.norm.{what}": _cube(side) for what in ("weight", "bias")}
    shapes["output.weight"] = (1, c[1], *_cube(3))
    shapes |= _pedestal(config.start)
    return {f"decoder.{name}": shape for name, shape in shapes.items()}


def gan_shapes(config: ImageGANConfig) -> Shapes:
    """Of ``image_gan.Generator``."""
    g = config.channels
    shapes: Shapes = {"first.weight": (config.latent, 8 * g, *_cube(4))}
    for k, (i, o) in enumerate(pairwise((8 * g, 4 * g, 2 * g, g))):
        shapes[f"layers.{3 * k}.weight"] = (i, o, *_cube(4))
        norm = f"layers.{3 * k + 1}"
        shapes |= {f"{norm}.{what}": (o,) for what in ("weight", "bias", "mean", "variance")}
    shapes["last.weight"] = (g, 1, *_cube(3))
    return shapes | _pedestal(config.start)


def _cube(side: int) -> tuple[int, int, int]:
    return (side, side, side)


def _pedestal(start: str) -> Shapes:
    """The mean shower that images start from, where they do."""
    return {"pedestal.weight": _cube(SIDE)} if start == "mean" else {}
