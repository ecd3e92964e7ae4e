"""What the summaries of events add up to, and whether it is what it must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from amplib.estimate import Estimate
from amplib.store.results import Result
from amplib.truth.collisions.atlas_card import HCAL
from amplib.truth.collisions.checks import (
    Peak,
    expected_missing_scale,
    jet_resolution,
    jet_response,
    least_missing_resolution,
    missing_residuals,
    missing_scale,
    peak,
)
from amplib.truth.collisions.columns import GEV, TTBAR, columns
from amplib.truth.collisions.compact import unpack

Array = NDArray[np.float64]
HADRONIC_CELLS = HCAL.towers_in_phi[0]
"""In azimuth, up to abs(eta) = 2.6; an edge is at 0."""
W_WINDOW, TOP_WINDOW = (80.0, 40.0), (172.0, 60.0)
"""Centre and half width in which the masses of two and of three jets are looked at, GeV: near the
peaks, far wider than these, so that tails of wrong jets do not count."""
JET_BINS = np.array([15.0, 20, 25, 30, 40, 50, 65, 85, 110, 150, 200, 300, 500]) * GEV


@dataclass(frozen=True)
class Chi2:
    """A histogram against its expectation."""

    value: float
    cells: int
    p: float

    def __str__(self) -> str:
        return f"{self.value:.1f} for {self.cells - 1} degrees of freedom (p = {self.p:.2f})"


def chi2(counts: Array, shares: Array) -> Chi2:
    """Pearson's test of ``counts`` against ``shares``; their total is not tested."""
    expected = shares / shares.sum() * counts.sum()
    value = float(((counts - expected) ** 2 / expected).sum())
    return Chi2(value, len(counts), float(stats.chi2.sf(value, len(counts) - 1)))


def flat(counts: Array) -> Chi2:
    """Pearson's test of a uniform distribution."""
    return chi2(counts, np.ones(len(counts)))


def asymmetry(result: Result) -> Estimate:
    """Forward minus backward over all, of a ``ZSummary``."""
    forward, backward = total(result, "forward")
    forwards = share(forward, forward + backward)
    return forwards.scaled(2)._replace(value=2 * forwards.value - 1)


def modulation(angles: Array, period: int) -> Estimate:
    """Amplitude of a density ``1 + a cos(period (phi - phi_0))``: ``2 |<exp(i period phi)>|``.

    Of uniform angles it is about 1.8 / sqrt(n); the error, sqrt(2 / n), holds for larger ones.
    """
    mean = np.exp(1j * period * np.asarray(angles)).mean()
    return Estimate(float(2 * abs(mean)), float(np.sqrt(2 / len(angles))))


def share(passed: float, of: float) -> Estimate:
    """A share with its binomial error."""
    value = passed / of
    return Estimate(value, np.sqrt(value * (1 - value) / of))


def total(result: Result, name: str) -> Array:
    """Sum over the parts of a summary."""
    return np.sum([part[name] for part in result.load().values()], axis=0)


def largest(result: Result, name: str) -> Array:
    """Largest over the parts of a summary."""
    return np.max([part[name] for part in result.load().values()], axis=0)


@dataclass(frozen=True, eq=False)
class TopPairStatistics:
    """The parts of a ``TopPairSummary`` as one.

    All energies in MeV.
    """

    parts: Sequence[dict[str, np.ndarray]]

    @classmethod
    def of(cls, result: Result) -> TopPairStatistics:
        return cls(list(result.load().values()))

    def joined(self, name: str) -> np.ndarray:
        """Rows of all parts."""
        return np.concatenate([part[name] for part in self.parts])

    @cached_property
    def events(self) -> Array:
        """The sample, ``(n, 26)``."""
        return unpack(self.joined("packed"))

    def column(self, *names: str) -> Array:
        """Values of columns of ``columns.TTBAR``, ``(n, len(names))``."""
        return self.events[:, columns(TTBAR, *names)]

    @cached_property
    def cut_flow(self) -> dict[str, int]:
        """Events left after each step."""
        passed = np.sum([part["passed"] for part in self.parts], axis=0)
        return dict(zip(self.parts[0]["steps"].tolist(), passed.tolist(), strict=True))

    @cached_property
    def seconds(self) -> dict[str, float]:
        """Time in each stage, of one core."""
        spent = np.sum([part["seconds"] for part in self.parts], axis=0)
        return dict(zip(self.parts[0]["stages"].tolist(), spent.tolist(), strict=True))

    @cached_property
    def dileptons(self) -> Estimate:
        """Share of events with a second lepton."""
        second = self.column("pT_l2")[:, 0] > 0
        return share(second.sum(), len(second))

    @cached_property
    def dileptons_before_jets(self) -> float:
        """Expected share of events with two leptons among those with any, whatever their jets.

        Each W goes to e or mu with p = 2/8, lowest order without tau, so of the pairs with one such
        W a share d = p / (2 - p) has two. If a lepton is seen with a, s = a (1 + d) - d a^2 of them
        have one or two, which the cut flow says, and d a^2 / s of these have two.
        """
        d = 1 / 7
        seen = self.cut_flow["one or two leptons"] / self.cut_flow["W to e or mu"]
        a = (1 + d - np.sqrt((1 + d) ** 2 - 4 * d * seen)) / (2 * d)
        return float(d * a**2 / seen)

    def jets(self, low: float, high: float) -> tuple[float, Peak]:
        """Least resolution and response of jets with a true pT of ``low`` to ``high`` MeV."""
        return jet_resolution(self.joined("jet_pairs"), low, high)

    @cached_property
    def least_missing(self) -> float:
        """What four jets alone make of the resolution of the missing momentum, GeV."""
        return least_missing_resolution(self.events) / GEV

    def response(self) -> tuple[Array, list[Peak]]:
        """Centres of those ``JET_BINS`` that have 20 jets, MeV, and measured over true pT there."""
        pairs = self.joined("jet_pairs")
        filled = np.histogram(pairs[:, 0], JET_BINS)[0] >= 20
        peaks = [
            jet_response(pairs, edges)[0]
            for edges, enough in zip(pairwise(JET_BINS), filled, strict=True)
            if enough
        ]
        return np.sqrt(JET_BINS[1:] * JET_BINS[:-1])[filled], peaks

    def missing(self) -> Peak:
        """Both components of measured minus true missing momentum, GeV."""
        return peak(self.joined("met_residuals").ravel() / GEV)

    @cached_property
    def neutrinos(self) -> Array:
        """Transverse momentum (x, y) of all neutrinos, ``(n, 2)``."""
        return missing_residuals(self.events, 0) - self.joined("met_residuals")

    def missing_scale(self) -> Estimate:
        """Of the missing momentum along the neutrinos."""
        return missing_scale(self.events, self.neutrinos)

    def expected_missing_scale(self) -> float:
        """Scale of the missing momentum, if what the jets' scale makes good for were all that is
        missing."""
        return expected_missing_scale(self.events, self.neutrinos)

    def true_mass(self, name: str) -> float:
        """Median mass of ``w_true`` or ``top_true``, before the detector, GeV."""
        return float(np.median(self.joined(name)) / GEV)

    def w_jets(self) -> Peak:
        """Mass of the two jets of a W, GeV."""
        return core(self.joined("w_jets") / GEV, *W_WINDOW)

    def top_jets(self) -> Peak:
        """Mass of the three jets of a top, GeV."""
        return core(self.joined("top_jets") / GEV, *TOP_WINDOW)

    def cell_modulation(self, name: str) -> Estimate:
        """Of an object's azimuth, with the period of the hadronic cells."""
        return modulation(self.column(f"phi_{name}")[:, 0], HADRONIC_CELLS)


def core(values: Array, centre: float, half_width: float) -> Peak:
    """Peak of the values within ``half_width`` of ``centre``: tails of wrong jets do not count."""
    return peak(values[np.abs(values - centre) < half_width])
