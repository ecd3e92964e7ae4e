"""delta_OF: events that are copies, with an error and a floor."""

import numpy as np
import pytest
from statistical import within

from amplib.metrics.crowding import (
    ETA_RANGE,
    GRIDS,
    PHI_RANGE,
    FilledBins,
    delta_of,
    empty_bins,
    ideal_delta_of,
)
from amplib.metrics.jackknife import jackknife_error


def test_ranges_are_the_papers():
    """bvae, above eq. 23: eta in [-2.5, 2.5], sqrt(N_bins) to 1000."""
    assert ETA_RANGE == (-2.5, 2.5)
    assert pytest.approx((-3.14159265, 3.14159265)) == PHI_RANGE
    assert GRIDS[0] <= 1 and GRIDS[-1] == 1000


def test_empty_bins_of_uniform_points():
    """exp(-n / k^2) of the bins are empty, to 4 sigma of a share of 2,500 bins at least."""
    rng = np.random.default_rng(3)
    n, grids = 20_000, np.array([1, 50, 100, 300])
    x, y = rng.uniform(*PHI_RANGE, (2, n))
    share = empty_bins(x, y, PHI_RANGE, grids)
    assert share[0] == 0
    np.testing.assert_allclose(share, np.exp(-n / grids**2.0), atol=4 * 0.5 / 50)


def test_delta_of_sees_copies_of_the_training_sample():
    """20,000 events, drawn again from 2,000 of them, against 20,000 of their own; two independent
    samples differ thirty times less."""
    rng = np.random.default_rng(4)
    curves = []
    for points in (
        rng.uniform(*PHI_RANGE, (2, 20_000)),
        rng.uniform(*PHI_RANGE, (2, 20_000)),
        rng.uniform(*PHI_RANGE, (2, 2_000))[:, rng.integers(0, 2_000, 20_000)],
    ):
        curves.append(empty_bins(*points, PHI_RANGE))
    fresh, copied = delta_of(curves[1], curves[0]), delta_of(curves[2], curves[0])
    assert copied > 30 * fresh
    assert len(GRIDS) == len(curves[0])


def test_batches_add_up_to_the_whole():
    x, y = np.random.default_rng(7).normal(size=(2, 10_007))
    grids = np.array([1, 20, 100])
    once, batched = FilledBins(ETA_RANGE, grids), FilledBins(ETA_RANGE, grids)
    once.add(x, y)
    for k in range(4):
        batched.add(x[k::4], y[k::4])
    np.testing.assert_array_equal(once.empty(), batched.empty())
    np.testing.assert_array_equal(once.empty(), empty_bins(x, y, ETA_RANGE, grids))


def test_empty_bins_without_a_block_are_counted_right():
    """By counting again, block by block."""
    rng = np.random.default_rng(13)
    x, y = rng.normal(size=(2, 3_000))
    grids = np.array([1, 10, 50, 200])
    filled = FilledBins(ETA_RANGE, grids, blocks=7)
    filled.add(x, y)
    parts = np.array_split(np.arange(3_000), 7)
    for part, without in zip(parts, filled.empty_without(), strict=True):
        left = np.setdiff1d(np.arange(3_000), part)
        np.testing.assert_allclose(without, empty_bins(x[left], y[left], ETA_RANGE, grids))


def curves(n: int, rng: np.random.Generator, grids: np.ndarray, width: float = 1.2) -> np.ndarray:
    """Empty bins of n/4, n/2 and n points, (3, grids)."""
    x, y = rng.normal(0, width, (2, n))
    return np.array([empty_bins(x[:m], y[:m], ETA_RANGE, grids) for m in (n // 4, n // 2, n)])


def test_the_floor_of_delta_of_is_the_mean_over_pairs():
    """60 pairs of 8,000 points: mean to 5 errors, of 7%; with the curve of 2 n or without."""
    rng, grids, n = np.random.default_rng(14), GRIDS[::10], 8_000
    measured, expected, told = [], [], []
    for _ in range(60):
        first, second = curves(2 * n, rng, grids), curves(n, rng, grids)
        halves = [curves(n, rng, grids)[2], second[2]]
        measured.append(delta_of(*halves, grids))
        expected.append(ideal_delta_of(*second, n, grids))
        told.append(ideal_delta_of(second[0], first[1], first[1], n, grids, doubled=first[2]))
    error = np.std(measured, ddof=1) / np.sqrt(60)
    within(np.mean(measured), np.mean(expected), error)
    assert error < 0.08 * np.mean(measured)


@pytest.mark.parametrize(("width", "least", "most"), [(1.2, 0.9, 2.6), (1.1, 0.75, 1.5)])
def test_delta_of_has_the_error_that_it_says(width, least, most):
    """60 samples against one truth: the scatter is known to 9%.  The jackknife may be sqrt(2) too
    large where bins hold few points; at the floor the scatter is that of a modulus, 0.6 of it."""
    rng, grids, n = np.random.default_rng(15), GRIDS[::10], 8_000
    truth = curves(n, rng, grids)[2]
    found = []
    for _ in range(60):
        sample = FilledBins(ETA_RANGE, grids)
        sample.add(*rng.normal(0, width, (2, n)))
        found.append(sample.delta_of(truth))
    scatter = np.std([e.value for e in found], ddof=1)
    assert least < np.mean([e.error for e in found]) / scatter < most


def test_a_point_at_the_lower_end_is_in_a_bin_and_one_at_the_upper_in_none():
    for x, y, empty in ((0.0, 1.0, 0.75), (1.999, 1.999, 0.75), (2.0, 1.0, 1), (1.0, -1e-9, 1)):
        assert empty_bins([x], [y], (0.0, 2.0), [2]) == empty
        sample = FilledBins((0.0, 2.0), [2], blocks=2)
        sample.add([x], [y])
        assert sample.empty() == empty


def test_what_a_block_fills_alone_it_fills_alone_in_two_batches():
    sample = FilledBins((0.0, 2.0), [1, 2], blocks=2)
    sample.add([0.5, 1.5], [0.5, 1.5])  # a point for each of the blocks
    sample.add([0.5, 0.5], [0.5, 1.5])  # the first again where it was, the second elsewhere
    np.testing.assert_allclose(sample.empty(), [0, 0.25])
    np.testing.assert_allclose(sample.empty_without(), [[0, 0.5], [0, 0.75]])


def test_the_error_of_delta_of_is_that_of_leaving_out_a_block():
    """Against a curve that is above all, where no sign changes."""
    x, y = np.random.default_rng(22).normal(size=(2, 500))
    grids, nothing = np.array([1, 5, 20, 60]), np.ones(4)
    sample = FilledBins(ETA_RANGE, grids, blocks=4)
    sample.add(x, y)
    left = [np.concatenate(np.delete(np.split(np.arange(500), 4), k, 0)) for k in range(4)]
    without = [
        delta_of(empty_bins(x[rest], y[rest], ETA_RANGE, grids), nothing, grids) for rest in left
    ]
    found = sample.delta_of(nothing)
    assert found.value == pytest.approx(
        delta_of(empty_bins(x, y, ETA_RANGE, grids), nothing, grids)
    )
    assert found.error == pytest.approx(jackknife_error(without))


def test_the_floor_of_delta_of_is_exact_for_an_even_density():
    """K = k^2 bins are empty with exp(-n / K), and that share varies, the total being fixed, by
    (exp(-l) - exp(-2 l) (1 + l)) / K for l = n / K; where all or none is empty, by nothing."""
    n, grids = 1_000, np.array([1.0, 20, 40, 100, 1e9])
    curves = [np.exp(-m / grids**2) for m in (n / 4, n / 2, n, 2 * n)]
    rate = n / grids[1:4] ** 2
    varied = (np.exp(-rate) - np.exp(-2 * rate) * (1 + rate)) / grids[1:4] ** 2
    expected = np.trapezoid([0, *(2 * np.sqrt(varied / np.pi)), 0], grids)
    for doubled in (None, curves[3]):
        assert ideal_delta_of(*curves[:3], n, grids, doubled) == pytest.approx(expected)


def test_the_curve_of_twice_the_events_is_extrapolated_by_a_parabola():
    """Of ln(-ln f) in ln n: then the slope at n is known, and f at 2 n too."""
    n, grids, step = 500, np.array([10.0, 20.0]), np.log(2)

    def curve(doublings):
        return np.exp(-np.exp(0.3 + 0.6 * step * doublings - 0.1 * (step * doublings) ** 2))

    f, twice = curve(0), curve(1)
    varied = (f - twice) / grids**2 - (f * np.log(f) * 0.6) ** 2 / n
    expected = np.trapezoid(2 * np.sqrt(varied / np.pi), grids)
    quarter, half, whole = (np.full(2, curve(k)) for k in (-2, -1, 0))
    assert ideal_delta_of(quarter, half, whole, n, grids) == pytest.approx(expected)


def test_curves_that_cannot_be_have_no_floor_and_not_less():
    """Noise that lets the curve fall faster than it can gives no variance, and none below zero."""
    assert ideal_delta_of([0.9, 0.9], [0.5, 0.5], [0.1, 0.1], 10, [50, 60]) == 0
