"""What is looked at in generated decays (event paper, Figs. 1 and 2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amplib.store.study import Arrays
from amplib.studies.weighing.kept import weigh_by_classifiers
from amplib.truth.collisions.columns import TWO_BODY, Z_LEPTONS, mass

Array = NDArray[np.float64]

QUANTILES = (0.1587, 0.5, 0.8413)
"""Median, and the ends of the central 68.3%."""
PRESENT = 5.0
"""Energy from which on a generated lepton counts as there, GeV: a true one has 45.5 or none."""
MAP_BINS = 60


def _even(low: float, high: float, bins: int) -> Array:
    return np.linspace(low, high, bins + 1)


AZIMUTHS, POLAR_ANGLES = _even(-np.pi, np.pi, 60), _even(0, np.pi, 60)
# An odd number of bins: what is conserved falls in the middle of one.  A muon's mass lies in the
# next, an electron's at zero.
IMBALANCE, ENERGY = _even(-10.05, 10.05, 201), _even(89.95, 110.05, 201)
SHELL = _even(-201, 201, 201)
COMPONENTS = _even(-55, 55, 110)
TRANSVERSE = _even(0, 50, 100)
PAIR_MASS, LEPTON_MASS = _even(80.95, 101.05, 201), _even(-15.075, 15.075, 201)
ACOPLANARITY = _even(-0.505, 0.505, 101)


@dataclass(frozen=True, eq=False)
class Decay:
    """One kind of decay.

    Args:
        columns: names of the numbers in an event.
        edges: bins of each observable.
        values: the observables of events ``(n, columns)``, ``(k n,)`` each.
        map_edges: bins of each quantity that is drawn in two dimensions.
        pairs: that quantity of the first and of the second particle, ``(n,)`` each.
        extra: further counts, by name.
    """

    columns: tuple[str, ...]
    edges: dict[str, Array]
    values: Callable[[Array], dict[str, Array]]
    map_edges: dict[str, Array]
    pairs: Callable[[Array], dict[str, tuple[Array, Array]]]
    extra: Callable[[Array], dict[str, int]]

    def summary(self, events: NDArray[np.floating], truth: dict[str, Array]) -> Arrays:
        """What is kept of events: histograms and numbers.

        Returns:
            - each observable's counts, first and last those below and above its bins,
            - each pair's counts, as ``<quantity>_map``,
            - ``quantiles`` ``(observables, 3)`` at ``QUANTILES``,
            - ``distances`` ``(observables,)`` to the truth (:func:`wasserstein`),
            - what ``extra`` counts.

        Args:
            events: ``(n, columns)``.
            truth: observables of as many true events, sorted.
        """
        double: Array = np.asarray(events, dtype=np.float64)
        values = self.values(double)
        kept: Arrays = {
            name: np.histogram(values[name], [-np.inf, *edges, np.inf])[0].astype(np.int32)
            for name, edges in self.edges.items()
        }
        for name, (first, second) in self.pairs(double).items():
            both = (self.map_edges[name], self.map_edges[name])
            kept[f"{name}_map"] = np.histogram2d(first, second, both)[0].astype(np.int32)
        kept["quantiles"] = np.array([np.quantile(values[name], QUANTILES) for name in self.edges])
        kept["distances"] = np.array(
            [wasserstein(np.sort(values[name]), truth[name]) for name in self.edges]
        )
        return kept | {name: np.array(count) for name, count in self.extra(double).items()}

    def seen(self, events: NDArray[np.floating]) -> Array:
        """Each event's columns, then its ``observables``, ``(n, columns + observables)``."""
        double: Array = np.asarray(events, dtype=np.float64)
        values = [v.reshape(-1, len(double)).T for v in self.values(double).values()]
        return np.column_stack([double, *values])

    @property
    def observables(self) -> int:
        """Of an event; what is of one particle counts for each of the two."""
        return self.seen(np.zeros((1, len(self.columns)))).shape[1] - len(self.columns)

    def weighed(
        self,
        events: NDArray[np.floating],
        truth: NDArray[np.floating],
        seed: np.random.SeedSequence,
    ) -> Arrays:
        """What weights make of the observables (``weigh_by_classifiers``), by classifiers that see
        the columns as well.

        Args:
            events: generated, ``(n, columns)``.
            truth: as many of the truth, that no generator has seen.
            seed: of the classifiers.
        """
        first = len(self.columns)
        return weigh_by_classifiers(
            self.seen(events), self.seen(truth), seed, lambda x: x[:, first:]
        )

    def sorted_values(self, events: NDArray[np.floating]) -> dict[str, Array]:
        """The observables in ascending order, for ``summary``."""
        double: Array = np.asarray(events, dtype=np.float64)
        return {name: np.sort(v) for name, v in self.values(double).items()}


def wasserstein(ordered: Array, truth: Array) -> float:
    r"""How far values lie from as many others, :math:`W_1 = \int |F - F'| dx`, in their unit.

    Args:
        ordered: ascending, ``(n,)``.
        truth: ascending, ``(n,)``.

    Raises:
        ValueError: the numbers differ.
    """
    if ordered.shape != truth.shape:
        raise ValueError(f"{len(ordered)} values cannot be compared with {len(truth)}")
    return float(np.abs(ordered - truth).mean())


def two_body_values(events: Array) -> dict[str, Array]:
    """Balance of momentum and energy, momenta, mass shells and azimuth of two-body decays."""
    e1, e2, *momenta, m1, m2 = events.T
    p1, p2 = np.array(momenta[:3]), np.array(momenta[3:])
    shell = [e**2 - (p**2).sum(0) - m**2 for e, p, m in ((e1, p1, m1), (e2, p2, m2))]
    return {
        **{f"sum_{x}": a + b for x, a, b in zip(("px", "py", "pz"), p1, p2, strict=True)},
        "sum_E": e1 + e2,
        **{x: np.concatenate([a, b]) for x, a, b in zip(("px", "py", "pz"), p1, p2, strict=True)},
        "shell_1": shell[0],
        "shell_2": shell[1],
        "phi": np.arctan2(p1[1], p1[0]),
    }


def _nothing(events: Array) -> dict[str, int]:
    return {}


TWO_BODY_DECAY = Decay(
    TWO_BODY,
    {
        **{f"sum_{x}": IMBALANCE for x in ("px", "py", "pz")},
        "sum_E": ENERGY,
        **dict.fromkeys(("px", "py", "pz"), COMPONENTS),
        "shell_1": SHELL,
        "shell_2": SHELL,
        "phi": AZIMUTHS,
    },
    two_body_values,
    {},
    lambda events: {},
    _nothing,
)


def lepton_pair(events: Array) -> tuple[Array, Array]:
    """(E, px, py, pz) of the negative and of the positive lepton of the pair with more energy.

    Of true events that is the pair that is there; generated ones may have something of both.
    """
    pairs = events.reshape(len(events), 2, 2, 4)
    which = pairs[..., 0].sum(2).argmax(1)
    chosen = pairs[np.arange(len(events)), which]
    return chosen[:, 0], chosen[:, 1]


def z_pairs(events: Array) -> dict[str, tuple[Array, Array]]:
    """Azimuth, polar angle and transverse momentum of the two leptons."""
    both = lepton_pair(events)
    pt = [np.hypot(p[:, 1], p[:, 2]) for p in both]
    phi = [np.arctan2(p[:, 2], p[:, 1]) for p in both]
    theta = [np.arctan2(t, p[:, 3]) for t, p in zip(pt, both, strict=True)]
    return {"phi": (phi[0], phi[1]), "theta": (theta[0], theta[1]), "pT": (pt[0], pt[1])}


def z_values(events: Array) -> dict[str, Array]:
    """Momenta, angles and masses of the leptons, and their balance."""
    minus, plus = lepton_pair(events)
    both = z_pairs(events)
    pooled = {name: np.concatenate(pair) for name, pair in both.items()}
    first, second = both["phi"]
    total = minus + plus
    return {
        **pooled,
        "pair_mass": mass(total),
        "lepton_mass": np.concatenate([mass(minus), mass(plus)]),
        **{f"sum_{x}": total[:, k] for k, x in enumerate(("px", "py", "pz"), 1)},
        "acoplanarity": (first - second) % (2 * np.pi) - np.pi,
    }


def four_leptons(events: Array) -> dict[str, int]:
    """How many events have all of the four leptons."""
    energies = events.reshape(len(events), 4, 4)[..., 0]
    return {"four_leptons": int((energies > PRESENT).all(1).sum())}


Z_DECAY = Decay(
    Z_LEPTONS,
    {
        "phi": AZIMUTHS,
        "theta": POLAR_ANGLES,
        "pT": TRANSVERSE,
        "pair_mass": PAIR_MASS,
        "lepton_mass": LEPTON_MASS,
        **{f"sum_{x}": IMBALANCE for x in ("px", "py", "pz")},
        "acoplanarity": ACOPLANARITY,
    },
    z_values,
    {
        "phi": _even(-np.pi, np.pi, MAP_BINS),
        "theta": _even(0, np.pi, MAP_BINS),
        "pT": _even(0, 50, MAP_BINS),
    },
    z_pairs,
    four_leptons,
)
