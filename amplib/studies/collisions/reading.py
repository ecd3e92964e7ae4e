"""What the summaries of events add up to, and whether it is what it must be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from amplib.estimate import AtLeast, Estimate, relative
from amplib.metrics.merit import delta_of, ideal_delta, ideal_delta_of
from amplib.store.results import Result
from amplib.studies.collisions.merit import DIRECTIONS, Reference
from amplib.studies.collisions.reference import PAPER_IDEAL, PAPER_SMEARED, SMEARINGS, by_eq_24
from amplib.studies.collisions.worth import worth_in_cells
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
from amplib.truth.collisions.observables import BINNINGS, JETS_BY

Array = NDArray[np.float64]
HADRONIC_CELLS = HCAL.towers_in_phi[0]
"""In azimuth, up to abs(eta) = 2.6; an edge is at 0."""
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


@dataclass(frozen=True)
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
        """The same share of events with one or two leptons, whatever their jets, as expected.

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
        """The same, if what the jets' scale makes good for were all that is missing."""
        return expected_missing_scale(self.events, self.neutrinos)

    def true_mass(self, name: str) -> float:
        """Median mass of ``w_true`` or ``top_true``, before the detector, GeV."""
        return float(np.median(self.joined(name)) / GEV)

    def w_jets(self) -> Peak:
        """Mass of the two jets of a W, GeV."""
        return core(self.joined("w_jets") / GEV, 80, 40)

    def top_jets(self) -> Peak:
        """Mass of the three jets of a top, GeV."""
        return core(self.joined("top_jets") / GEV, 172, 60)

    def cell_modulation(self, name: str) -> Estimate:
        """Of an object's azimuth, with the period of the hadronic cells."""
        return modulation(self.column(f"phi_{name}")[:, 0], HADRONIC_CELLS)


def stored_reference(result: Result) -> Reference:
    """The truth of a ``TopPairReference`` as the figures of merit see it."""
    kept = result.load()[(0,)]
    way, by = BINNINGS.index("extremes"), JETS_BY.index("pT")
    half = len(kept["sizes"]) - 1
    curves = kept["empty_at"][half // 2, by], kept["empty_at"][half, by], kept["empty"][by]
    empty = {name: np.array([c[k] for c in curves]) for k, name in enumerate(DIRECTIONS)}
    return Reference(kept["limits"][way], kept["histograms"][way], empty)


@dataclass(frozen=True)
class Split:
    """The truth against itself: N events against as many others, in disjoint pairs of samples.

    Errors are over the pairs, NaN for a single one.

    Args:
        events: N.
        pairs: of disjoint samples.
        delta: mean over them; ``expected_delta`` where the bins that 2N events fill are known.
        delta_of: the same, for each of ``DIRECTIONS``.
    """

    events: int
    pairs: int
    delta: Estimate
    expected_delta: float | None
    delta_of: dict[str, Estimate]
    expected_delta_of: dict[str, float | None]


def splits(result: Result) -> list[Split]:
    """Of a ``TopPairReference``, at each of its sizes N."""
    kept = result.load()[(0,)]
    way, by = BINNINGS.index("extremes"), JETS_BY.index("pT")
    expected = _expected_deltas(kept, way)
    curves = dict(zip(kept["sizes"].tolist(), kept["empty_at"][:, by], strict=True))
    curves[2 * max(curves)] = kept["empty"][by]
    found = []
    for row, (n, pairs) in enumerate(zip(kept["sizes"], kept["pairs"], strict=True)):

        def mean(name: str, *at: int, row: int = row, pairs: int = int(pairs)) -> Estimate:
            error = kept[f"{name}_spread"][row][at] / pairs**0.5 if pairs > 1 else np.nan
            return relative(float(kept[name][row][at]), float(error), pairs)

        of = {name: mean("delta_of", by, k) for k, name in enumerate(DIRECTIONS)}
        ideal = {name: _expected_delta_of(curves, int(n), k) for k, name in enumerate(DIRECTIONS)}
        found.append(Split(int(n), int(pairs), mean("delta", way), expected.get(int(n)), of, ideal))
    return found


def _expected_deltas(kept: Mapping[str, np.ndarray], way: int) -> dict[int, float]:
    """At half of the events of a stored sample, and at all of them where that is one of the sizes:
    delta of n against n is in expectation the number of bins that 2n events fill, less one, over n.
    """
    training, every = kept["histograms_training"][way], kept["histograms"][way]
    found: dict[int, float] = {}
    for counts in (training, every):
        n = int(counts[0].sum())
        found |= {n // 2: ((counts > 0).sum() / len(counts) - 1) / (n // 2), n: ideal_delta(counts)}
    return found


def _expected_delta_of(curves: Mapping[int, Array], n: int, k: int) -> float | None:
    needed = (n // 4, n // 2, n, 2 * n)
    if not all(size in curves for size in needed):
        return None
    quarter, half, whole, doubled = (curves[size][k] for size in needed)
    return ideal_delta_of(quarter, half, whole, n, doubled=doubled)


def copied_training(result: Result) -> dict[str, float]:
    """delta_OF of a generator that repeats its training events, for each of ``DIRECTIONS``: they
    leave as many bins empty as they do once."""
    kept = result.load()[(0,)]
    by, training = JETS_BY.index("pT"), int(kept["histograms_training"][0, 0].sum())
    row = int(np.argmin(np.abs(kept["sizes"] - training)))
    curves = zip(kept["empty_at"][row, by], kept["empty"][by], strict=True)
    return {name: delta_of(*pair) for name, pair in zip(DIRECTIONS, curves, strict=True)}


@dataclass(frozen=True)
class Smearing:
    """One width of ``SmearedTopPairs``: figures of merit of the events, the share dropped, and,
    where they were counted in cells, what they are worth."""

    width: float
    delta: Estimate
    delta_of: dict[str, Estimate]
    dropped: float
    worth: dict[int, Estimate | AtLeast] = field(default_factory=dict)


def smearings(result: Result) -> list[Smearing]:
    """Of a ``SmearedTopPairs``."""
    return [
        Smearing(
            SMEARINGS[part[0]],
            Estimate(*kept["delta"].tolist()),
            {
                name: Estimate(*estimate)
                for name, estimate in zip(DIRECTIONS, kept["delta_of"].tolist(), strict=True)
            },
            float(kept["dropped"]),
            worth_in_cells(kept) if "cut_from" in kept else {},
        )
        for part, kept in result.load().items()
    ]


@dataclass(frozen=True)
class BinChoice:
    """A way to bin: delta of the smeared training events for each of ``SMEARINGS``, and of the
    truth against itself with all events, by eq. 24."""

    name: str
    smeared: list[float]
    ideal: Estimate

    @property
    def off(self) -> float:
        """Root mean square of the logarithms of our three numbers over the paper's: those of the
        code's two widths, and the ideal."""
        ours = np.array([*self.smeared[:2], self.ideal.value])
        return float(np.sqrt(np.mean(np.log(ours / [*PAPER_SMEARED, PAPER_IDEAL[0]]) ** 2)))


def bin_choices(reference: Result, smeared: Result) -> list[BinChoice]:
    """The stored readings, which count what is outside in the outermost bin, and this book's."""
    kept = reference.load()[(0,)]
    ideal = by_eq_24(kept)
    rows = zip(BINNINGS, kept["delta_smeared"].T.tolist(), ideal, strict=True)
    clipped = [BinChoice(f"{name}, outermost bin", deltas, alone) for name, deltas, alone in rows]
    chosen = [s.delta.value for s in smearings(smeared)]
    return [*clipped, BinChoice("extremes, dropped", chosen, ideal[BINNINGS.index("extremes")])]


def core(values: Array, centre: float, half_width: float) -> Peak:
    """Peak of the values within ``half_width`` of ``centre``: tails of wrong jets do not count."""
    return peak(values[np.abs(values - centre) < half_width])
