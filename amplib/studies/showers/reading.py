"""Many showers in a few numbers: what ``ShowerSummary`` stored, put together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from amplib.estimate import Estimate
from amplib.store.results import Result
from amplib.studies.shower_paper import AXIS_OF_CELLS, AXIS_OF_CENTROID, AXIS_OF_ENERGY
from amplib.studies.showers.study import RADII, ShowerSummary
from amplib.truth.showers.geometry import ILD_ECAL

ACTIVE, VISIBLE, LOST, CENTROID = range(4)
"""Columns of ``scalars``."""
TOLERATED = 4.0
"""Standard errors that a check may be off."""
PAPER_AXES = {ACTIVE: AXIS_OF_CELLS, VISIBLE: AXIS_OF_ENERGY, CENTROID: AXIS_OF_CENTROID}
"""By the column that they show."""


@dataclass(frozen=True, eq=False)
class Summary:
    """Showers of one energy and particle.

    Standard errors are over showers.
    """

    energy: float
    particle: str
    scalars: np.ndarray
    """Active cells, E_vis (MeV), reconstructed energy (GeV) and centroid, ``(N, 4)``."""
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
    def spread_error(self) -> np.ndarray:
        """Standard error of ``layer_spread``, from the fourth moments, MeV."""
        fourth, square = self.sums["seen_fourths"] / len(self), self.layer_spread**2
        return np.sqrt(np.maximum(fourth - square**2, 0) / (4 * square * len(self)))

    @property
    def expected_layers(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and spread of the energy in each layer of the grid by integration, MeV."""
        return self.expected["inside"], self.expected["spread"]

    @cached_property
    def layer_pulls(self) -> np.ndarray:
        """Mean layer energies, measured minus expected, in standard errors over showers."""
        error = self.layer_spread / np.sqrt(len(self))
        return (self.layer_mean - self.expected_layers[0]) / error

    def empty(self, layers: int) -> list[Estimate]:
        """Share of showers that leave nothing in each of the first layers, error binomial."""
        shares = self.sums["empty"][:layers] / len(self)
        return [Estimate(p, np.sqrt(p * (1 - p) / len(self))) for p in shares]

    def explained(self) -> Estimate:
        r"""Share of the active cells' variance that is linear in the layer energies, $R^2$.

        Its error, $2R(1 - R^2)/\sqrt{N}$, is that of normal variables.
        """
        n, active = len(self), self.scalars[:, ACTIVE].astype(float)
        covariance = self.sums["seen_products"] / n - np.outer(self.layer_mean, self.layer_mean)
        common = self.sums["seen_active"] / n - self.layer_mean * active.mean()
        share = common @ np.linalg.solve(covariance, common) / active.var()
        return Estimate(share, 2 * np.sqrt(share / n) * (1 - share))

    def beyond_layer_axes(self) -> np.ndarray:
        """Share of showers beyond ``PAPER_LAYERS`` and ``PAPER_MOMENTS``, ``(2, layers)``."""
        return np.stack([self.sums["beyond_energy"], self.sums["beyond_moment"]]) / len(self)

    def within_axes(self) -> float:
        """Share of showers that all of ``PAPER_AXES`` show."""
        within = [
            (low <= self.scalars[:, k]) & (self.scalars[:, k] <= high)
            for k, (low, high) in PAPER_AXES.items()
        ]
        return float(np.all(within, axis=0).mean())

    @cached_property
    def column_mean(self) -> np.ndarray:
        """Mean energy in each column of cells, all layers, MeV."""
        return self.sums["columns"].sum(0) / len(self)

    @cached_property
    def column_expected(self) -> np.ndarray:
        """``column_mean`` by integration."""
        return self.expected["seen"] @ self.expected["columns"]

    @cached_property
    def column_error(self) -> np.ndarray:
        """Standard error of ``column_mean`` over showers, MeV."""
        variance = self.sums["column_squares"] / len(self) - self.column_mean**2
        return np.sqrt(variance / len(self))

    @property
    def column_pulls(self) -> np.ndarray:
        """Measured minus expected, in standard errors."""
        return (self.column_mean - self.column_expected) / self.column_error

    def mean(self, scalar: int) -> Estimate:
        """Mean of a column of ``scalars``."""
        values = self.scalars[:, scalar].astype(float)
        return Estimate(values.mean(), values.std(ddof=1) / np.sqrt(len(values)))

    def response(self) -> Estimate:
        """Reconstructed over true energy."""
        return self.mean(LOST).scaled(1 / self.energy)

    def losses(self) -> dict[str, float]:
        """Shares of the energy that the reconstruction misses; all but the third by integration.

        ``behind`` the last layer, at the ``sides`` of the grid, below the ``threshold``, and what
        a ``sum`` over layers lacks of the integral over depth (negative: has in excess).
        """
        energy, calibration = 1000 * self.energy, ILD_ECAL.calibration()
        whole, inside = calibration @ self.expected["seen"], calibration @ self.expected_layers[0]
        behind = float(self.expected["behind"])
        return {
            "behind": behind,
            "sides": (whole - inside) / energy,
            "threshold": calibration @ self.layer_mean / energy - self.response().value,
            "sum": 1 - behind - whole / energy,
        }

    def resolution(self) -> Estimate:
        """Relative spread of the reconstructed energy, of whatever distribution it is.

        Where few showers make much of the spread, value and error come out small together.
        """
        values = self.scalars[:, LOST].astype(float)
        ratio = values.std(ddof=1) / values.mean()
        z = (values - values.mean()) / values.std(ddof=1)
        # What one shower moves the logarithm of the ratio by, times N.
        influence = (z**2 - 1) / 2 - ratio * z
        return Estimate(ratio, ratio * influence.std() / np.sqrt(len(values)))

    def resolution_before_threshold(self) -> Estimate:
        """Relative spread of all that layers see; its relative error is that of ``resolution``."""
        weight, n, known = ILD_ECAL.calibration(), len(self), self.resolution()
        mean = weight @ self.layer_mean
        variance = weight @ self.sums["seen_products"] @ weight / n - mean**2
        ratio = np.sqrt(max(variance, 0) * n / (n - 1)) / mean
        return Estimate(ratio, ratio * known.error / known.value)

    def expected_response(self) -> float:
        """One less all ``losses``."""
        return 1 - sum(self.losses().values())

    def mean_depth(self) -> Estimate:
        """Energy-weighted mean depth of the mean shower, X0, every layer by its energy lost."""
        weight = ILD_ECAL.calibration()
        above = weight * np.array(ILD_ECAL.depth)
        return _ratio(above, weight, self.sums["seen"], self.sums["seen_products"])

    def expected_depth(self) -> float:
        """``mean_depth`` by integration."""
        lost = ILD_ECAL.calibration() * self.expected_layers[0]
        return float(lost @ np.array(ILD_ECAL.depth) / lost.sum())

    def contained(self) -> list[Estimate]:
        """Share of the energy lost in the grid that lies within ``RADII`` about its centre.

        Energies count as spread evenly over their cells.
        """
        *discs, grid = np.eye(len(RADII) + 1)
        sums, products = self.sums["discs"], self.sums["discs_products"]
        return [_ratio(disc, grid, sums, products) for disc in discs]

    def expected_contained(self) -> np.ndarray:
        """``contained`` by integration, to 0.001: the grid's cells enter by their mean effect."""
        fraction = np.array(ILD_ECAL.sampling_fraction)
        grid = (self.expected["inside"] / fraction).sum() / (self.expected["seen"] / fraction).sum()
        return self.expected["discs"] / grid

    def correlations(self) -> np.ndarray:
        """Linear correlation coefficients of ``config.CORRELATED``, ``(11, 11)``."""
        return _correlations(self.sums["correlated"], self.sums["correlated_products"], len(self))

    def layer_correlations(self) -> np.ndarray:
        """Linear correlation coefficients of the layer energies, ``(layers, layers)``."""
        return _correlations(self.sums["seen"], self.sums["seen_products"], len(self))

    def symmetry(self) -> list[Estimate]:
        """Four means that vanish for showers about the axis that are alike in x and y.

        X and Y less the centre of the grid (cells), the difference of their squares, and that of
        the second moments, X2 - Y2 (cells^2).
        """
        mean, square = self.sums["turned"] / len(self), self.sums["turned_squares"] / len(self)
        return [
            Estimate(m, np.sqrt((s - m**2) / len(self))) for m, s in zip(mean, square, strict=True)
        ]


def _ratio(
    above: np.ndarray, below: np.ndarray, sums: np.ndarray, products: np.ndarray
) -> Estimate:
    """The ratio of two weighted sums over showers, given the sums and those of products."""
    value = above @ sums / (below @ sums)
    pull = above - value * below  # of mean zero
    return Estimate(value, np.sqrt(pull @ products @ pull) / (below @ sums))


def _correlations(sums: np.ndarray, products: np.ndarray, n: int) -> np.ndarray:
    covariance = products / n - np.outer(sums, sums) / n**2
    spread = np.sqrt(np.diag(covariance))
    return covariance / np.outer(spread, spread)


def summarise(result: Result) -> Summary:
    """The parts of a ``ShowerSummary`` as one."""
    parts = list(result.load().values())
    per_part = ("scalars", "display_cell", "display_energy")
    names = [k for k in parts[0] if k not in per_part and not k.startswith("expected")]
    display = np.zeros(ILD_ECAL.shape, np.float32)
    display.reshape(-1)[parts[0]["display_cell"]] = parts[0]["display_energy"]
    study = cast(ShowerSummary, result.study)
    return Summary(
        energy=study.energy,
        particle=study.particle,
        scalars=np.concatenate([p["scalars"] for p in parts]),
        sums={name: np.sum([p[name] for p in parts], axis=0) for name in names},
        expected={k.removeprefix("expected_"): v for k, v in parts[0].items() if "expected" in k},
        display=display,
    )


def follow(layers: np.ndarray, columns: np.ndarray, *others: np.ndarray) -> str:
    """Whether showers follow their formulas, by pulls of the checks, of which none but one in
    some thousand is beyond ``TOLERATED`` by chance."""
    most = [float(abs(np.asarray(pulls)).max()) for pulls in (layers, columns, *others)]
    where = (
        f"the mean energies of {len(layers)} layers to {most[0]:.1f} standard errors, "
        f"those of {len(columns)} columns of cells to {most[1]:.1f}"
    )
    if max(most) < TOLERATED:
        return f"follow their formulas: {where}"
    return f"do not follow their formulas, being off by {max(most):.1f} standard errors: {where}"
