"""The stored reference of top pairs, its splits, and smeared events beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from amplib.estimate import AtLeast, Estimate, relative
from amplib.metrics.crowding import delta_of, ideal_delta_of
from amplib.metrics.delta import delta, ideal_delta
from amplib.store.results import Result
from amplib.store.study import Part
from amplib.studies.event_paper import PAPER_IDEAL, PAPER_SMEARED, PAPER_SMEARED_OF
from amplib.studies.merit.judge import DIRECTIONS, Reference
from amplib.studies.merit.reference import SMEARINGS, by_eq_24
from amplib.studies.merit.worth import worth_in_cells
from amplib.truth.collisions.observables import BINNINGS, JETS_BY

Array = NDArray[np.float64]


def stored_reference(result: Result) -> Reference:
    """The truth of a ``TopPairReference`` as the figures of merit see it."""
    kept = result.load()[(0,)]
    way, by = BINNINGS.index("extremes"), JETS_BY.index("pT")
    curves = _curves(kept, by)
    empty = {name: np.array([c[k] for c in curves]) for k, name in enumerate(DIRECTIONS)}
    return Reference(kept["limits"][way], kept["histograms"][way], empty)


def _curves(kept: Mapping[str, np.ndarray], by: int) -> tuple[Array, Array, Array]:
    """Shares of empty bins with N/4, N/2 and N events in one of ``JETS_BY``, ``(2, 201)`` each."""
    half = len(kept["sizes"]) - 1
    return kept["empty_at"][half // 2, by], kept["empty_at"][half, by], kept["empty"][by]


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

    def scatter(self, of: Estimate) -> float:
        """Standard deviation of single pairs over their mean ``of``; NaN if that is zero."""
        return float(of.error * self.pairs**0.5 / of.value) if of.value else np.nan

    def beyond_expected(self) -> Estimate | None:
        """delta over what is expected, less one.  The bins F that are filled are counted in one
        sample and have no error of their own: it is taken to be what single pairs scatter by."""
        if self.expected_delta is None or self.pairs < 2:
            return None
        error = np.hypot(self.delta.error / self.delta.value, self.scatter(self.delta))
        return Estimate(self.delta.value / self.expected_delta - 1, float(error))


def wide_scatter(found: Sequence[Split]) -> dict[int, dict[str, float]]:
    """By how much delta_OF of single pairs scatters, for each of ``DIRECTIONS``, by the number of
    events: of the two sizes with most pairs, if there are more than two."""
    return {
        s.events: {k: s.scatter(s.delta_of[k]) for k in DIRECTIONS}
        for s in found[:2]
        if s.pairs > 2
    }


def untold(found: Sequence[Split]) -> float | None:
    """Times what is expected of an ideal generator that delta_OF of a sample of the truth may well
    be, two scatters more; None if too few pairs tell."""
    scatters = [x for of in wide_scatter(found).values() for x in of.values()]
    return 1 + 2 * max(scatters) if scatters else None


def most_of_one_pair(found: Sequence[Split], name: str) -> tuple[Split, float] | None:
    """Of which size one pair must have the largest delta_OF over what is expected, and what that is
    at least: of n values one is a standard error of the mean above it, or more."""
    known = []
    for s in found:
        expected, mean = s.expected_delta_of[name], s.delta_of[name]
        if s.pairs > 1 and expected:
            known.append((s, (mean.value + mean.error) / expected))
    return max(known, key=lambda one: one[1], default=None)


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


def copied_delta(result: Result) -> tuple[float, float]:
    """delta of a generator that repeats its training events, against all of the truth, which has
    them too, and against the others alone."""
    kept, way = result.load()[(0,)], BINNINGS.index("extremes")
    training, every = kept["histograms_training"][way], kept["histograms"][way]
    return delta(training, every), delta(training, every - training)


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


def kept_curves(result: Result) -> dict[Part, dict[str, Array]]:
    """By part, shares of empty bins ``(201,)`` for each of ``DIRECTIONS``; without what has
    diverged, and nothing where they are not kept."""
    return {
        part: dict(zip(DIRECTIONS, arrays["empty"], strict=True))
        for part, arrays in (result.load() if result.done() else {}).items()
        if "empty" in arrays and arrays.get("diverged", -1) < 0
    }


def smeared_curves(result: Result) -> dict[str, dict[str, Array]]:
    """``kept_curves`` of a ``SmearedTopPairs``, of the two widths of the authors' code."""
    return {
        f"{SMEARINGS[k]:.0%} smearing": curves
        for (k,), curves in kept_curves(result).items()
        if k < len(PAPER_SMEARED)
    }


@dataclass(frozen=True)
class JetOrder:
    """What makes two jets the leading ones of delta_OF (eta).

    Args:
        by: one of ``JETS_BY``.
        smeared: training events smeared by the code's two widths, against all; errors of events
            smeared anew, in the columns' order.
        ideal: expected of an ideal generator with all events.
    """

    by: str
    smeared: list[Estimate]
    ideal: float

    def chance(self) -> float:
        """That the paper's two numbers are as far off or farther, if theirs scatter as ours do."""
        pulls = [
            (ours.value - theirs) / (2**0.5 * ours.error)
            for ours, theirs in zip(self.smeared, PAPER_SMEARED_OF, strict=True)
        ]
        return float(chi2.sf(np.sum(np.square(pulls)), len(pulls)))


def jet_orders(reference: Result, smeared: Result) -> list[JetOrder]:
    """Both of ``JETS_BY``, of the same smeared events, which the reference keeps; errors of those
    that the ``SmearedTopPairs`` judged."""
    kept, eta = reference.load()[(0,)], list(DIRECTIONS).index("eta")
    widths = len(PAPER_SMEARED_OF)
    errors = [s.delta_of["eta"].error for s in smearings(smeared)[:widths]]
    n = int(kept["histograms"][0, 0].sum())
    orders = []
    for by, name in enumerate(JETS_BY):
        values = kept["delta_of_smeared"][:widths, by, eta].tolist()
        quarter, half, whole = (curve[eta] for curve in _curves(kept, by))
        ideal = ideal_delta_of(quarter, half, whole, n)
        orders.append(JetOrder(name, [*map(Estimate, values, errors)], ideal))
    return orders


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
