"""What generated top pairs are compared with, from all simulated ones.

The truth in histograms, and what the figures of merit make of the truth itself: N events against as
many others (event paper, Fig. 5c), and events that are smeared by hand (Table V).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amplib.estimate import Estimate
from amplib.metrics.crowding import ETA_RANGE, GRIDS, PHI_RANGE, delta_of, empty_bins
from amplib.metrics.delta import delta, extrapolated_delta, pair_histograms
from amplib.store.ranges import counting, finite, within
from amplib.store.study import Arrays, Layout
from amplib.studies.merit.judge import single_precision
from amplib.truth.collisions.observables import (
    BINS,
    JETS_BY,
    OBSERVABLES,
    Binning,
    binnings,
    leading_directions,
)

Array = NDArray[np.float64]
Codes = NDArray[np.uint8]

TRAINING_SHARE = 12
"""Of how many simulated events one is for training: 10^5 of 1.2 10^6 (sec. III C)."""
SIZES = 12
"""In how many steps N grows to half of all events: 50,000 to 600,000 (Fig. 5c)."""
SMEARINGS = (0.05, 0.10, 0.05**0.5, 0.10**0.5)
"""Standard deviations: those of the authors' code, then the paper's text, taken at its word."""
FINE_BINS = 100
"""Bins of one observable for drawing; four of them are one of the figures of merit."""
MAP_BINS = 1000


def without_training(events: int) -> int:
    """How many of so many simulated events train nothing: those of Fig. 5a and b."""
    return events - events // TRAINING_SHARE


def reference(events: NDArray[np.floating], rng: np.random.Generator) -> Arrays:
    """All that is kept of the events ``(n, 26)``, the first twelfth of which trains models.

    For each of ``observables.BINNINGS``:

    - ``limits`` ``(3, 33, 2)``;
    - ``histograms`` and ``histograms_training`` ``(3, 528, 625)`` of the pairs of observables;
    - ``marginals`` ``(3, 33, 100)`` of each observable;
    - ``delta``, ``delta_spread`` ``(12, 3)``: N = ``sizes`` events against as many others, mean
      and standard deviation over ``pairs`` disjoint pairs of samples (0 for one pair);
    - ``delta_smeared`` ``(4, 3)``: training events, smeared by ``SMEARINGS``, against all.

    For each of ``observables.JETS_BY`` and for (eta, phi) of the two leading jets:

    - ``empty`` ``(2, 2, 201)``: shares of empty bins at ``merit.GRIDS``; ``empty_held_out``:
      without the training events; ``empty_at`` ``(12, 2, 2, 201)``: of N events, the mean;
    - ``delta_of``, ``delta_of_spread`` ``(12, 2, 2)``, as ``delta``, and ``delta_of_smeared``
      ``(4, 2, 2)``, as ``delta_smeared``.

    And ``azimuths`` ``(2, 1000, 1000)``: maps of the two leading jets' azimuths.

    Args:
        events: as of ``columns.TTBAR``, MeV.
        rng: for the smearing.

    Raises:
        ValueError: fewer than ``2 SIZES`` events.
    """
    n, training = len(events), len(events) // TRAINING_SHARE
    if n < 2 * SIZES:
        raise ValueError(f"a reference needs {2 * SIZES} events at least, got {n}")
    values = single_precision(events)
    ways = list(binnings(values).values())
    fine = [way.codes(values, FINE_BINS) for way in ways]
    codes = np.stack(fine) // (FINE_BINS // BINS)
    histograms = _histograms(codes)
    jets = _leading(events)
    empty = _empty(jets)
    edges = np.linspace(*PHI_RANGE, MAP_BINS + 1)
    return {
        "limits": np.stack([way.limits for way in ways]),
        "histograms": histograms.astype(np.uint32),
        "histograms_training": _histograms(codes[:, :training]).astype(np.uint32),
        "marginals": np.array(
            [[np.bincount(q, minlength=FINE_BINS) for q in c.T] for c in fine], np.uint32
        ),
        "azimuths": np.array(
            [np.histogram2d(phi[0], phi[1], (edges, edges))[0] for _, phi in jets], np.uint16
        ),
        "empty": empty,
        "empty_held_out": _empty(jets[..., training:]),
        **_smeared_against_all(events[:training], ways, histograms, empty, rng),
        **_against_itself(codes, jets),
    }


def _layout() -> Layout:
    ways, orders, observables = 3, len(JETS_BY), len(OBSERVABLES)
    pairs = observables * (observables - 1) // 2
    curves = (orders, 2, len(GRIDS))
    return {
        "limits": ("float64", (ways, observables, 2)),
        "histograms": ("uint32", (ways, pairs, BINS**2)),
        "histograms_training": ("uint32", (ways, pairs, BINS**2)),
        "marginals": ("uint32", (ways, observables, FINE_BINS)),
        "azimuths": ("uint16", (orders, MAP_BINS, MAP_BINS)),
        "empty": ("float64", curves),
        "empty_held_out": ("float64", curves),
        "delta_smeared": ("float64", (len(SMEARINGS), ways)),
        "delta_of_smeared": ("float64", (len(SMEARINGS), orders, 2)),
        "sizes": ("int64", (SIZES,)),
        "pairs": ("int64", (SIZES,)),
        "delta": ("float64", (SIZES, ways)),
        "delta_spread": ("float64", (SIZES, ways)),
        "delta_of": ("float64", (SIZES, orders, 2)),
        "delta_of_spread": ("float64", (SIZES, orders, 2)),
        "empty_at": ("float64", (SIZES, *curves)),
    }


LAYOUT: Layout = _layout()
"""Of what ``reference`` returns."""


def faults(arrays: Arrays, events: int) -> Iterator[str]:
    """What cannot be of the arrays that ``reference`` makes of so many events."""
    training = events // TRAINING_SHARE
    yield from finite("limits", arrays["limits"])
    yield from counting("histograms", arrays["histograms"], events, all_of_them=False)
    yield from counting(
        "histograms_training", arrays["histograms_training"], training, all_of_them=False
    )
    yield from counting("marginals", arrays["marginals"], events, all_of_them=False)
    azimuths = arrays["azimuths"].reshape(len(JETS_BY), -1)
    yield from counting("azimuths", azimuths, events, all_of_them=False)
    for name in ("empty", "empty_held_out", "empty_at"):
        yield from within(name, arrays[name], 0, 1)
    yield from within("sizes", arrays["sizes"], 1, events // 2)
    yield from within("pairs", arrays["pairs"], 1, events // 2)
    for name, most in (("delta", 2), ("delta_of", GRIDS.max())):
        for kind in ("", "_spread", "_smeared"):
            yield from within(name + kind, arrays[name + kind], 0, most)


def by_eq_24(reference: Mapping[str, NDArray[Any]]) -> list[Estimate]:
    """delta of the simulation against itself with all its events, for each of ``BINNINGS``, as the
    paper has it: extrapolated by eq. 24.

    The error is what it misses when the upper half of the sizes is predicted from the lower.

    Args:
        reference: as :func:`reference` returns it.
    """
    sizes = reference["sizes"]
    half, n = len(sizes) // 2, 2 * sizes[-1]
    deltas = []
    for values in reference["delta"].T:
        value = extrapolated_delta(sizes, values, n)
        missed = extrapolated_delta(sizes[:half], values[:half], sizes[-1]) / values[-1] - 1
        deltas.append(Estimate(value, abs(float(missed)) * value))
    return deltas


def smeared(
    events: NDArray[np.floating], width: float, copies: int, rng: np.random.Generator
) -> Array:
    """Copies of events, every number multiplied by the modulus of N(1, width) (Table V).

    Args:
        events: ``(n, columns)``.
        width: 0.05 or 0.1 in the paper.
        copies: of each event.
        rng: for the factors.

    Returns:
        ``(copies * n, columns)``.
    """
    repeated = np.repeat(events, copies, axis=0)
    return repeated * np.abs(rng.normal(1, width, repeated.shape))


def _smeared_against_all(
    training: NDArray[np.floating],
    ways: Sequence[Binning],
    histograms: NDArray[np.int64],
    empty: Array,
    rng: np.random.Generator,
) -> Arrays:
    """As many smeared events as there are in all, with one of ``SMEARINGS`` in memory at a time."""
    deltas, crowding = [], []
    for width in SMEARINGS:
        copies = smeared(training, width, TRAINING_SHARE, rng)
        values = single_precision(copies)
        made = _histograms(np.stack([way.codes(values) for way in ways]))
        deltas.append(_deltas(made, histograms))
        crowding.append(_delta_ofs(_empty(_leading(copies)), empty))
    return {"delta_smeared": np.array(deltas), "delta_of_smeared": np.array(crowding)}


def _against_itself(codes: Codes, jets: Array) -> Arrays:
    """Samples of N events against disjoint ones of as many."""
    n = codes.shape[1]
    sizes = np.arange(1, SIZES + 1) * (n // (2 * SIZES))
    rows: list[Arrays] = []
    for size in sizes:
        starts = range(0, n - 2 * size + 1, 2 * size)
        pairs = [(slice(k, k + size), slice(k + size, k + 2 * size)) for k in starts]
        curves = [[_empty(jets[..., half]) for half in pair] for pair in pairs]
        crowding = [_delta_ofs(*pair) for pair in curves]
        deltas = [_deltas(*(_histograms(codes[:, half]) for half in pair)) for pair in pairs]
        rows.append(
            {
                "sizes": size,
                "pairs": np.array(len(pairs)),
                "delta": np.mean(deltas, 0),
                "delta_spread": _spread(deltas),
                "delta_of": np.mean(crowding, 0),
                "delta_of_spread": _spread(crowding),
                "empty_at": np.mean(curves, (0, 1)),
            }
        )
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def _histograms(codes: Codes) -> NDArray[np.int64]:
    return np.stack([pair_histograms(c, BINS) for c in codes])


def _deltas(made: NDArray[np.int64], truth: NDArray[np.int64]) -> list[float]:
    return [delta(m, t) for m, t in zip(made, truth, strict=True)]


def _delta_ofs(made: Array, truth: Array) -> list[list[float]]:
    return [
        [delta_of(m, t) for m, t in zip(*by, strict=True)] for by in zip(made, truth, strict=True)
    ]


def _leading(events: NDArray[np.floating]) -> Array:
    """(eta, phi) of the two leading jets, by each order: shape ``(2, 2, 2, n)``."""
    return np.array([leading_directions(events, by) for by in JETS_BY]).swapaxes(-1, -2)


def _empty(jets: Array) -> Array:
    """Shares of empty bins of what ``_leading`` returns: shape ``(2, 2, 201)``."""
    return np.array(
        [
            [empty_bins(eta[0], eta[1], ETA_RANGE), empty_bins(phi[0], phi[1], PHI_RANGE)]
            for eta, phi in jets
        ]
    )


def _spread(values: Sequence[object]) -> Array:
    """Standard deviation over the first axis, 0 of a single entry."""
    array = np.asarray(values, dtype=float)
    return np.std(array, 0, ddof=1) if len(array) > 1 else np.zeros_like(array[0])
