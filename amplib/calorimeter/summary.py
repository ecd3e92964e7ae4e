"""Many showers in a few numbers: what ``ShowerSummary`` stored, put together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from amplib.calorimeter.geometry import ILD_ECAL
from amplib.calorimeter.studies import ShowerSummary
from amplib.quantiles import Estimate
from amplib.results import Result

ACTIVE, VISIBLE, LOST, CENTROID = range(4)
"""Columns of ``scalars``."""


@dataclass(frozen=True)
class Summary:
    """Showers of one energy and particle.

    Standard errors are over showers.
    """

    energy: float
    scalars: np.ndarray
    """Active cells, E_vis (MeV), energy lost as reconstructed (GeV) and centroid, ``(N, 4)``."""
    sums: dict[str, np.ndarray]
    """Sums over all showers, as ``ShowerSummary.reduce`` names them."""
    expected: dict[str, np.ndarray]
    """Integrals that the sums are held to."""
    display: np.ndarray
    """One shower, ``(layer, x, y)`` MeV."""

    def __len__(self) -> int:
        return len(self.scalars)

    @cached_property
    def layer_mean(self) -> np.ndarray:
        """Mean energy seen in each layer, MeV."""
        return self.sums["seen"] / len(self)

    @cached_property
    def layer_spread(self) -> np.ndarray:
        """Standard deviation of the energy seen in each layer, MeV."""
        square = np.diag(self.sums["seen_products"]) / len(self)
        return np.sqrt(np.maximum(square - self.layer_mean**2, 0))

    @cached_property
    def expected_layers(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and spread of the energy in each layer by integration, less what leaves sideways."""
        inside = 1 - self.expected["outside"]
        return inside * self.expected["seen"], inside * self.expected["spread"]

    @cached_property
    def layer_pulls(self) -> np.ndarray:
        """Mean layer energies, measured minus expected, in expected standard errors."""
        mean, spread = self.expected_layers
        return (self.layer_mean - mean) / (spread / np.sqrt(len(self)))

    @cached_property
    def column_mean(self) -> np.ndarray:
        """Mean energy in each column of cells, all layers, MeV."""
        return self.sums["columns"].sum(0) / len(self)

    @cached_property
    def column_expected(self) -> np.ndarray:
        """The same by integration."""
        return self.expected["seen"] @ self.expected["columns"]

    @cached_property
    def column_pulls(self) -> np.ndarray:
        """Measured minus expected, in standard errors over showers."""
        variance = self.sums["column_squares"] / len(self) - self.column_mean**2
        return (self.column_mean - self.column_expected) / np.sqrt(variance / len(self))

    def mean(self, scalar: int) -> Estimate:
        """Mean of a column of ``scalars``."""
        values = self.scalars[:, scalar].astype(float)
        return Estimate(values.mean(), values.std(ddof=1) / np.sqrt(len(values)))

    def resolution(self) -> Estimate:
        """Relative spread of the reconstructed energy."""
        values = self.scalars[:, LOST].astype(float)
        ratio = values.std(ddof=1) / values.mean()
        return Estimate(ratio, ratio / np.sqrt(2 * (len(values) - 1)))

    def mean_depth(self) -> Estimate:
        """Energy-weighted mean depth of the mean shower, X0, every layer by its energy lost."""
        weight = np.array(ILD_ECAL.depth)
        fraction = np.array(ILD_ECAL.sampling_fraction)
        lost = self.layer_mean / fraction
        depth = lost @ weight / lost.sum()
        # Of a ratio of sums: the spread of sum (t - <t>) E over showers.
        pull = (weight - depth) / fraction
        products = self.sums["seen_products"] / len(self)
        error = np.sqrt(pull @ products @ pull / len(self)) / lost.sum()
        return Estimate(depth, error)

    def correlations(self) -> np.ndarray:
        """Linear correlation coefficients of ``config.CORRELATED``, ``(11, 11)``."""
        mean = self.sums["correlated"] / len(self)
        covariance = self.sums["correlated_products"] / len(self) - np.outer(mean, mean)
        spread = np.sqrt(np.diag(covariance))
        return covariance / np.outer(spread, spread)

    def lateral_asymmetry(self) -> tuple[Estimate, Estimate]:
        """Mean of X - Y in cells, and the ratio of their variances: 0 and 1 by symmetry."""
        n, mean = len(self), self.sums["correlated"][:2] / len(self)
        second = self.sums["correlated_products"][:2, :2] / n
        variance = np.diag(second) - mean**2
        error = np.sqrt((variance.sum() - 2 * (second[0, 1] - mean[0] * mean[1])) / n)
        ratio = variance[0] / variance[1]
        return Estimate(mean[0] - mean[1], error), Estimate(ratio, ratio * 2 / np.sqrt(n))


def summarise(result: Result) -> Summary:
    """The parts of a ``ShowerSummary`` as one."""
    parts = list(result.load().values())
    per_part = ("scalars", "display_cell", "display_energy")
    names = [k for k in parts[0] if k not in per_part and not k.startswith("expected")]
    display = np.zeros((ILD_ECAL.layers, ILD_ECAL.cells, ILD_ECAL.cells), np.float32)
    display.reshape(-1)[parts[0]["display_cell"]] = parts[0]["display_energy"]
    return Summary(
        energy=cast(ShowerSummary, result.study).energy,
        scalars=np.concatenate([p["scalars"] for p in parts]),
        sums={name: np.sum([p[name] for p in parts], axis=0) for name in names},
        expected={k.removeprefix("expected_"): v for k, v in parts[0].items() if "expected" in k},
        display=display,
    )


def fit_resolution(energies: np.ndarray, resolution: list[Estimate]) -> tuple[Estimate, Estimate]:
    r"""Stochastic and constant term, $\sigma/E = a/\sqrt{E} \oplus b$, by least squares.

    Linear in $a^2$ and $b^2$: $(\sigma/E)^2 = a^2/E + b^2$.
    """
    square = np.array([r.value**2 for r in resolution])
    error = np.array([2 * r.value * r.error for r in resolution])
    design = np.stack([1 / energies, np.ones_like(energies)], 1) / error[:, None]
    covariance = np.linalg.inv(design.T @ design)
    terms = np.sqrt(np.maximum(covariance @ design.T @ (square / error), 0))
    a, b = (
        Estimate(t, np.sqrt(v) / (2 * t) if t > 0 else np.nan)
        for t, v in zip(terms, np.diag(covariance), strict=True)
    )
    return a, b
