"""What the chosen model reconstructs, and where its principal components lead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from amplib.models.buffer import TrainedVAE
from amplib.store.study import Arrays
from amplib.studies.latent.charts import (
    ANGLES,
    AROUND,
    BESIDE,
    BLOCKS,
    COMPANIONS,
    EVERY,
    GRID,
    PLANE_BINS,
    RADII,
    RECONSTRUCTION_BINS,
    TARGETS,
)
from amplib.studies.latent.priors import Latent, histograms
from amplib.studies.latent.study import MAP, LatentStudy
from amplib.truth.collisions.columns import TTBAR
from amplib.truth.collisions.observables import azimuthal_distance

Array = NDArray[np.float64]

AZIMUTHS = np.array([name.startswith("phi") for name in TTBAR])
CENTRAL = (0.001, 0.999)
"""Quantiles of the input between which its reconstruction is drawn."""


@dataclass(frozen=True, eq=False)
class Components:
    r"""Principal components c of codes, :math:`z = \bar z + \sum_k c_k a_k`.

    Args:
        mean: of the codes, ``(dim z,)``.
        axes: orthonormal rows, the largest variance first, ``(dim z, dim z)``.
        variances: of the components, ``(dim z,)``.
    """

    mean: Array
    axes: Array
    variances: Array

    @classmethod
    def of(cls, codes: Array) -> Components:
        """Of codes ``(N, dim z)``; where there are fewer of them, the last axes have no variance
        and are left out."""
        found = PCA().fit(codes)
        return cls(found.mean_, found.components_, found.explained_variance_)

    def of_codes(self, codes: Array) -> Array:
        """c of codes ``(n, dim z)``."""
        return (codes - self.mean) @ self.axes.T

    def codes(self, components: Array) -> Array:
        """Codes of the first components ``(n, k)``, the others being zero."""
        return self.mean + components @ self.axes[: components.shape[1]]


def charted(study: LatentStudy, model: TrainedVAE, held_out: Array) -> Arrays:
    """The arrays of the map.

    ``codes``: counts of one code of each training event, as of ``LatentPriors.latent``; ``mean``,
    ``axes``, ``variances``: the principal components of the encoded training events, ``plane``
    their counts in the first two; ``lattice``: events ``(15, 24, 26)`` decoded there, MeV.

    ``maps`` ``(2, 26, 40, 40)``: input (first axis) against reconstruction, column by column, of
    uniform noise and of held-out events, within ``limits`` ``(2, 26, 2, 2)``; ``squares``
    ``(2, 10, 26)``: their mean squared errors block by block, ``spread`` ``(2, 26)`` the variances
    of the inputs, all in units of a column's largest modulus.

    ``steered`` ``(held, targets, 26)``: mean distance, column by column in its unit, to a target
    of events whose first ``held`` components are about its own; ``random`` ``(targets, 26)`` that
    of other held-out events; ``beside`` ``(2, 64, 26)`` distances to the events of Fig. 9.
    """
    rng = np.random.default_rng(study.stream(MAP))
    latent = Latent.of(study, model, held_out)
    components = Components.of(model.buffer.mean.double().cpu().numpy())
    plane = components.of_codes(model.buffer.mean.double().cpu().numpy())[:, :2]
    return {
        "codes": histograms(latent.codes),
        "mean": components.mean,
        "axes": components.axes,
        "variances": components.variances,
        "plane": np.histogram2d(plane[:, 0], plane[:, 1], (PLANE_BINS, PLANE_BINS))[0].astype(
            np.int32
        ),
        "lattice": lattice(model, components, study.negative),
        **reconstructed(model, held_out, rng),
        **steered(study, model, components, held_out, rng),
    }


def polar(radii: Array, angles: Array) -> Array:
    """Points of the plane at all of these, ``(radii, angles, 2)``."""
    r, phi = np.meshgrid(radii, angles, indexing="ij")
    return np.stack([r * np.cos(phi), r * np.sin(phi)], -1)


def lattice(
    model: TrainedVAE, components: Components, negative: str = "kept"
) -> NDArray[np.float32]:
    """Events ``(radii, angles, 26)`` of the plane, all further components at zero."""
    points = polar(RADII, ANGLES)
    events = model.decode(components.codes(points.reshape(-1, 2)), negative)
    return events.reshape(*points.shape[:2], -1).astype(np.float32)


def reconstructed(model: TrainedVAE, held_out: Array, rng: np.random.Generator) -> Arrays:
    """Of uniform noise and of events: see ``charted``."""
    scale = model.scale.double().cpu().numpy()
    kept: dict[str, list[Array]] = {"maps": [], "limits": [], "squares": [], "spread": []}
    for k, given in enumerate((rng.uniform(size=held_out.shape) * scale, held_out)):
        x, made = given / scale, model.reconstruct(given) / scale
        low, high = np.quantile(x, CENTRAL, axis=0) if k else np.array([[0.0], [1.0]]) + 0 * x[:2]
        spans = np.stack([low, high], -1)
        # Of noise the reconstruction may be anything that the output layer gives.
        limits = np.stack([spans, spans if k else spans * 2 - 1], 1)
        limits[limits[..., 0] == limits[..., 1]] += [-0.5, 0.5]
        kept["limits"].append(limits)
        kept["maps"].append(
            np.array(
                [
                    np.histogram2d(a, b, RECONSTRUCTION_BINS, ends)[0]
                    for a, b, ends in zip(x.T, made.T, limits, strict=True)
                ]
            )
        )
        errors = (made - x) ** 2
        kept["squares"].append(np.array([e.mean(0) for e in np.array_split(errors, BLOCKS)]))
        kept["spread"].append(x.var(0))
    arrays = {name: np.array(values) for name, values in kept.items()}
    return arrays | {"maps": arrays["maps"].astype(np.int32)}


def steered(
    study: LatentStudy,
    model: TrainedVAE,
    components: Components,
    held_out: Array,
    rng: np.random.Generator,
) -> Arrays:
    """Distances of events that are generated near others: see ``charted``."""
    targets = held_out[: min(TARGETS, len(held_out) // 2)]
    others = held_out[len(targets) :]
    aims = components.of_codes(model.encode(targets).mean.double().cpu().numpy())
    held = held_components(len(components.axes))
    seeds = iter(study.stream(MAP, 1).spawn(1 + len(held) * len(targets) + GRID))

    def near(aim: Array) -> Array:
        """Codes from the buffer with their first components about ``aim``."""
        (z,) = model.codes(COMPANIONS, next(seeds), study.buffer(), COMPANIONS)
        c = components.of_codes(z.double().cpu().numpy())
        c[:, : len(aim)] = about(aim, rng)
        return components.codes(c)

    def of_targets(k: int) -> Iterator[Array]:
        for event, aim in zip(targets, aims, strict=True):
            yield distances(model.decode(near(aim[:k]), study.negative), event)

    def of_grid(way: Callable[[Array], Array]) -> Iterator[Array]:
        for event, aim in zip(shown, grid, strict=True):
            yield distances(model.decode(way(aim), study.negative), event)

    grid = polar(RADII[:: EVERY[0]], ANGLES[:: EVERY[1]]).reshape(-1, 2)
    shown = model.decode(components.codes(grid), study.negative)
    ways = dict(zip(BESIDE, (lambda aim: components.codes(about(aim, rng)), near), strict=True))
    companions = others[rng.integers(len(others), size=(len(targets), COMPANIONS))]
    return {
        "held": np.array(held),
        "steered": np.array([list(of_targets(k)) for k in held], np.float32),
        "random": np.array(
            [distances(c, e) for c, e in zip(companions, targets, strict=True)], np.float32
        ),
        "beside": np.array([list(of_grid(way)) for way in ways.values()], np.float32),
    }


def held_components(latent: int) -> list[int]:
    """How many components are held about those of a target, from none to all of ``latent``.

    >>> held_components(20)
    [0, 1, 2, 4, 7, 10, 13, 16, 20]
    """
    return sorted({min(k, latent) for k in (0, 1, 2, 4, 7, 10, 13, 16, latent)})


def about(aim: Array, rng: np.random.Generator) -> Array:
    """Components ``(COMPANIONS, k)`` about those of a target, ``(k,)``."""
    return aim + AROUND * rng.standard_normal((COMPANIONS, len(aim)))


def distances(events: NDArray[np.floating], target: NDArray[np.floating]) -> Array:
    """Mean distance of events ``(n, 26)`` to one of them, column by column: azimuths on the
    circle."""
    far = np.abs(events.astype(float) - target)
    far[:, AZIMUTHS] = azimuthal_distance(events[:, AZIMUTHS].astype(float), target[AZIMUTHS])
    return far.mean(0)
