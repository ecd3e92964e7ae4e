"""delta: pairs of observables, batch by batch, with an error and a floor."""

from itertools import combinations

import numpy as np
import pytest
from statistical import within

from amplib.metrics.delta import (
    MANY,
    PairHistograms,
    delta,
    extrapolated_delta,
    ideal_delta,
    newly_filled,
    pair_histograms,
    triples,
)
from amplib.metrics.jackknife import jackknife_error
from amplib.truth.collisions.observables import BINS


def test_delta_of_equal_and_of_disjoint_histograms():
    a = np.array([[5, 5, 0, 0], [1, 2, 3, 4]])
    assert delta(a, 7 * a) == pytest.approx(0)
    assert delta([[5, 0]], [[0, 9]]) == pytest.approx(2)
    assert delta([[3, 1]], [[1, 1]]) == pytest.approx(0.25**2 / 1.25 + 0.25**2 / 0.75)


def test_delta_of_two_samples_of_the_same_density():
    """E[delta] = 1/N a bin where all bins are well filled; 200 pairs of 100 bins have a spread of
    sqrt(2 / 99 / 200) = 1%, the band is 4 sigma; unequal N as the harmonic mean."""
    rng = np.random.default_rng(2)
    shares = np.full(100, 0.01)
    for n, m in ((20_000, 20_000), (20_000, 80_000)):
        a, b = rng.multinomial(n, shares, 200), rng.multinomial(m, shares, 200)
        assert delta(a, b) == pytest.approx(99 / 2 * 0.01 * (100 / n + 100 / m), rel=0.04)


def test_delta_is_extrapolated_along_eq_24():
    """Points on the curve give the curve, and those of 1/N, its limit, give 1/N to 0.25%."""
    sizes = np.arange(1, 13) * 50_000.0
    for cells in (200, 360, 500):
        found = extrapolated_delta(sizes, cells / sizes, 1.2e6)
        assert found == pytest.approx(cells / 1.2e6, rel=0.0025)
    with pytest.raises(ValueError, match="4 parameters, got 3"):
        extrapolated_delta(sizes[:3], 1 / sizes[:3], 1e6)


@pytest.mark.parametrize("unit", [1.0, 20.0])
@pytest.mark.parametrize("height", [1.0, 1000.0])
@pytest.mark.parametrize(
    "parameters",
    [
        (0.01, 2e-5, 3, -0.001),
        (0.02, 1e-4, 1.5, 0.002),
        (0.005, 1e-5, 5, 0),
        (0.03, 5e-5, 2, -5e-4),
    ],
)
def test_points_on_eq_24_are_continued_along_it(parameters, unit, height):
    """A / log(B N + C) + D to rounding, in whatever units N and delta are."""
    a, b, c, d = parameters

    def curve(n):
        return height * (a / np.log(b * n + c) + d)

    sizes = np.arange(1, 13) * 50_000.0
    found = extrapolated_delta(unit * sizes, curve(sizes), unit * 1.2e6)
    assert found == pytest.approx(curve(1.2e6), rel=1e-5)


@pytest.mark.parametrize(
    ("p", "q", "line"),
    [([[1, 2]], [[1, 2, 3]], "shapes"), ([[0, 0]], [[1, 2]], "empty")],
)
def test_delta_refuses(p, q, line):
    with pytest.raises(ValueError, match=line):
        delta(p, q)


LIMITS = np.array([[-6.0, 6.0]] * 4)  # all of the truth
N = 4_000


def drawn(n: int, rng: np.random.Generator, correlation: float = 0.6) -> np.ndarray:
    """Four normal observables in pairs that are correlated, (n, 4)."""
    x = rng.normal(size=(n, 4))
    x[:, 1::2] = correlation * x[:, ::2] + np.sqrt(1 - correlation**2) * x[:, 1::2]
    return x


def counted(values: np.ndarray, batches: int = 1) -> PairHistograms:
    sample = PairHistograms(LIMITS, BINS)
    for batch in np.array_split(values, batches):
        sample.add(batch)
    return sample


def test_pairs_are_counted_as_numpy_counts_them():
    """What lies outside is dropped, the upper end is inside."""
    values = 3 * drawn(5_000, np.random.default_rng(6))
    values[0], values[1] = 6.0, -6.0
    sample = counted(values)
    for (a, b), row in zip(combinations(range(4), 2), sample.counts, strict=True):
        expected, *_ = np.histogram2d(values[:, a], values[:, b], BINS, LIMITS[[a, b]])
        np.testing.assert_array_equal(row, expected.ravel())
    inside = (np.abs(values) <= 6).astype(float)
    kept = [inside[:, a] @ inside[:, b] / 5_000 for a, b in combinations(range(4), 2)]
    assert sample.events == 5_000
    assert sample.dropped == pytest.approx(1 - np.mean(kept))


@pytest.mark.parametrize("d", [2, 3, 4, 8, 9, 10, 33, 34])
def test_every_pair_is_in_one_group_of_three(d):
    pairs = [pair for group in triples(d) for pair in combinations(group, 2)]
    assert sorted(pairs) == list(combinations(range(d), 2))


def test_three_observables_at_once_are_counted_as_two():
    """Above ``MANY`` events of a block, by numpy's histogram of every pair."""
    codes = np.random.default_rng(17).integers(0, BINS, (MANY + 1, 7)).astype(np.uint8)
    edges = np.arange(BINS + 1) - 0.5
    for (a, b), row in zip(combinations(range(7), 2), pair_histograms(codes, BINS), strict=True):
        expected, *_ = np.histogram2d(codes[:, a], codes[:, b], (edges, edges))
        np.testing.assert_array_equal(row, expected.ravel())


def test_batches_add_up_to_the_whole():
    values = drawn(10_007, np.random.default_rng(7))
    whole, parts = counted(values), counted(values, 13)
    np.testing.assert_array_equal(whole.counts, parts.counts)
    assert whole.by_block.shape == parts.by_block.shape == (20, 6, BINS**2)
    assert parts.by_block.sum((1, 2)).min() > 0.9 * parts.by_block.sum((1, 2)).max()


def test_identical_close_and_far_samples():
    """0, the floor to 5 scatters, a correlation of 0.55 for 0.6 well above it, and 2 for samples
    that share no bin; what is dropped counts as missing."""
    rng = np.random.default_rng(8)
    truth = counted(drawn(N, rng))
    assert counted(drawn(N, np.random.default_rng(8))).delta(truth.counts).value == 0
    floor, close = ideal_delta(truth.counts), counted(drawn(N, rng)).delta(truth.counts)
    within(close.value, floor, 0.02 * floor)
    assert counted(drawn(N, rng, -0.6)).delta(truth.counts).value > 2 * floor
    left, right = -0.3 - np.abs(drawn(N, rng)), 0.3 + np.abs(drawn(N, rng))
    left, right = np.clip(left, -5.9, None), np.clip(right, None, 5.9)
    assert counted(left).delta(counted(right).counts).value == pytest.approx(2)
    half_lost = drawn(N, rng)
    half_lost[::2] = 10.0
    lost = counted(half_lost)
    assert lost.delta(truth.counts).value > 0.5**2 / 1.5  # p = q / 2 has (1/4) / (3/2) a pair


def test_delta_of_halves_is_what_the_filled_bins_say():
    """100 halvings of 8,000 events: the mean of delta N / (F - 1) is 1 to 5 of its errors (6e-7
    false alarms), and 5% off would be seen with a power above 0.99: it is 8 errors."""
    rng = np.random.default_rng(9)
    values, ratios = drawn(2 * N, rng), []
    for _ in range(100):
        order = rng.permutation(2 * N)
        a, b = (counted(values[half]).counts for half in (order[:N], order[N:]))
        inside = a.sum(1).mean()
        ratios.append(delta(a, b) * inside / (((a + b) > 0).sum(1).mean() - 1))
    error = np.std(ratios, ddof=1) / 10
    within(np.mean(ratios), 1, error)
    assert error < 0.05 / 8


def test_one_sample_knows_what_two_would_fill():
    """Of 60 pairs of samples the second fills as many bins as the first expects, to 5 errors; the
    floor is the mean delta of all pairs likewise."""
    rng = np.random.default_rng(10)
    surplus, excess = [], []
    for _ in range(60):
        a, b = (counted(drawn(N, rng)).counts for _ in range(2))
        surplus.append(((b > 0) & (a == 0)).sum() - newly_filled(a))
        excess.append(delta(a, b) - (ideal_delta(a) + ideal_delta(b)) / 2)
    filled = np.count_nonzero(a)
    for values, scale in ((surplus, 0.015 * filled), (excess, 0.01 * ideal_delta(a))):
        error = np.std(values, ddof=1) / np.sqrt(60)
        within(np.mean(values), 0, error)
        assert error < scale  # else a bias would hide


@pytest.mark.parametrize(("correlation", "most"), [(0.6, 1.6), (0.3, 1.3)])
def test_delta_has_the_error_that_it_says(correlation, most):
    """80 samples against one truth: their scatter is known to 8%, the mean of their errors to less.
    Where the generator is the truth the jackknife may be sqrt(2) too large."""
    rng = np.random.default_rng(11)
    truth = counted(drawn(N, rng)).counts
    found = [counted(drawn(N, rng, correlation)).delta(truth) for _ in range(80)]
    scatter = np.std([e.value for e in found], ddof=1)
    assert 0.8 < np.mean([e.error for e in found]) / scatter < most


def test_a_difference_from_the_floor_is_told_with_stated_rates():
    """Three errors above the floor: at most 2 of 150 samples of the truth (0.1% each by right
    errors, and they are rather too large); of 20 with half of the correlation all."""
    rng = np.random.default_rng(12)
    truth = counted(drawn(N, rng)).counts
    floor = ideal_delta(truth)

    def alarms(correlation: float, n: int) -> int:
        found = [counted(drawn(N, rng, correlation)).delta(truth) for _ in range(n)]
        return sum(e.value > floor + 3 * e.error for e in found)

    assert alarms(0.6, 150) <= 2
    assert alarms(0.3, 20) == 20


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (np.zeros((3, 5)), r"expected \(n, 4\) observables, got \(3, 5\)"),
        (np.zeros(4), r"got \(4,\)"),
        (np.array([[0, 0, 0, 0], [0, np.nan, 0, 0.0]]), "event 1: observable 1 is nan"),
        (np.array([[0, 0, np.inf, 0]]), "event 0: observable 2 is inf"),
    ],
)
def test_a_sample_refuses(values, line):
    with pytest.raises(ValueError, match=line):
        counted(np.asarray(values, dtype=float))


def test_a_batch_whose_sum_is_too_large_is_counted():
    """Finite numbers whose sum is not are beyond every range, and no mistake."""
    sample = PairHistograms(LIMITS, BINS)
    with np.errstate(over="ignore"):
        sample.add(np.array([[3e307] * 4] * 3 + [[0.0] * 4]))
    assert sample.events == 4
    assert sample.dropped == 0.75


def test_an_observable_of_one_value_is_in_its_lowest_bin():
    sample = PairHistograms([[0, 1], [3, 3]], 5, blocks=1)
    sample.add(np.array([[0.1, 3.0], [0.5, 3.0], [1.0, 3.0]]))
    assert sample.counts.reshape(5, 5)[:, 0].tolist() == [1, 0, 1, 0, 1]


def test_large_batches_are_counted_piece_by_piece(monkeypatch):
    monkeypatch.setattr("amplib.metrics.delta.PIECE", 7)
    values = drawn(100, np.random.default_rng(18))
    codes = np.random.default_rng(19).integers(0, 3, (20, 3)).astype(np.uint8)
    found = PairHistograms(LIMITS, 3, blocks=2), pair_histograms(codes, 3)
    found[0].add(values)
    monkeypatch.setattr("amplib.metrics.delta.PIECE", 1000)
    whole = PairHistograms(LIMITS, 3, blocks=2)
    whole.add(values)
    np.testing.assert_array_equal(found[0].by_block, whole.by_block)
    np.testing.assert_array_equal(found[1], pair_histograms(codes, 3))


@pytest.mark.parametrize(("d", "groups"), [(2, 1), (3, 1), (9, 12), (33, 176)])
def test_no_group_of_three_is_spent_in_vain(d, groups):
    """d = 6 k + 3 things have d (d - 1) / 6 groups at least (Steiner's triple systems)."""
    found = triples(d)
    assert len(found) == groups
    assert {len(group) for group in found} == {min(d, 3)}


@pytest.mark.parametrize("of_all", [True, False])
def test_the_error_of_delta_is_that_of_leaving_out_a_block(of_all):
    """Of shares of all events or of those inside; by counting the rest again."""
    rng = np.random.default_rng(20)
    values, truth = 3 * drawn(1_000, rng), counted(2 * drawn(2_000, rng)).counts
    sample = PairHistograms(LIMITS, BINS, blocks=5)
    sample.add(values)

    def alone(some):
        counts = counted(some).counts
        return delta(counts, truth, len(some) if of_all else None)

    blocks = np.array_split(values, 5)
    without = [alone(np.concatenate(blocks[:k] + blocks[k + 1 :])) for k in range(5)]
    found = sample.delta(truth, of_all=of_all)
    assert found.value == pytest.approx(alone(values))
    assert found.error == pytest.approx(jackknife_error(without))
    one = np.arange(6) == 2
    assert sample.delta(truth, one, of_all).value == pytest.approx(
        delta(sample.counts[one], truth[one], 1_000 if of_all else None)
    )


def test_a_sample_of_which_nothing_is_inside_is_as_far_as_nothing():
    """All shares zero: delta is that of the truth alone, one."""
    sample = PairHistograms(LIMITS, BINS)
    sample.add(np.full((40, 4), 7.0))
    truth = counted(drawn(100, np.random.default_rng(21))).counts
    for of_all in (True, False):
        assert sample.delta(truth, of_all=of_all) == pytest.approx((1, 0, None, None, None))
    assert sample.dropped == 1


def test_delta_of_shares_of_all_events_by_hand():
    """Two of four events inside against halves: (1/4)^2 / (3/4) in each of two bins."""
    assert delta([[1, 1]], [[3, 3]], 4) == pytest.approx(2 * 0.25**2 / 0.75)
    assert delta([[1, 1], [2, 2]], [[3, 3], [1, 1]], [[4], [4]]) == pytest.approx(0.25**2 / 0.75)


@pytest.mark.parametrize(
    ("p", "q"), [([[1, 2]], [[0, 0]]), ([[1, 2], [0, 0]], [[1, 2], [1, 2]])], ids=["truth", "one"]
)
def test_delta_refuses_any_histogram_without_entries(p, q):
    with pytest.raises(ValueError, match="empty"):
        delta(p, q)


def test_newly_filled_by_hand():
    """Good and Toulmin's series with the tails of Bin(10, 1/2): j events in a bin count
    -(-1)^j P(k >= j), and more than ten not at all."""
    tails = [1023, 1013, 968, 848, 638, 386, 176, 56, 11, 1, 0, 0]  # of 1024
    for j, tail in enumerate(tails, 1):
        assert newly_filled([[j, 0, 0]]) == pytest.approx((1 if j % 2 else -1) * tail / 1024)
    assert newly_filled([[1, 1, 2], [0, 30, 0]]) == pytest.approx((2 * 1023 - 1013) / 1024)


def test_the_floor_of_delta_by_hand():
    """Two pairs of 4 events: 2 and 4 bins filled, and (1023 - 1) / 1024 and 4 1023 / 1024 new."""
    filled = (2 + 4 + (1023 + 968 + 4 * 1023) / 1024) / 2
    assert ideal_delta([[1, 3, 0, 0], [1, 1, 1, 1]]) == pytest.approx((filled - 1) / 4)


@pytest.mark.filterwarnings("ignore:Covariance of the parameters")
def test_delta_is_extrapolated_by_four_values():
    sizes = np.array([1.0, 2, 4, 8]) * 1e5
    assert extrapolated_delta(sizes, 300 / sizes, 1.6e6) == pytest.approx(300 / 1.6e6, rel=0.01)
