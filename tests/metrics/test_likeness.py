"""Whether two estimates err in the same places: correlations over shared samples, and medians."""

import numpy as np
import pytest

from amplib.metrics import likeness as module
from amplib.metrics.amplification import Repetitions
from amplib.metrics.likeness import balance_likeness, deviations, likeness, median_ratio


def pure(repetitions, seed, n=400):
    cells = np.random.default_rng(seed).multinomial(n, np.full(100, 0.01), size=repetitions)
    return Repetitions(cells, n, np.arange(repetitions))


def test_an_estimate_is_like_itself_and_not_like_what_knows_nothing_of_it():
    """The second by seed: of 60 samples in 20 quantiles a correlation scatters by 0.03, so that
    0.12 is four standard deviations (a false alarm in 16,000)."""
    one, other = pure(60, 1), pure(60, 2)
    assert likeness(one, one, 20)[:3] == pytest.approx((1, 1, 1))
    assert balance_likeness(one, one).value == pytest.approx(1)
    found = likeness(one, other, 20)
    assert abs(found.value) < 0.12
    assert found.low < found.value < found.high


def test_half_of_the_events_in_common_are_a_correlation_of_a_half():
    """Counts a + c and b + c of as many events each: <d d'> is that of c, half of either's.  Of 100
    samples in 20 quantiles it scatters by 0.02: 0.08 is four of that."""
    a, b, c = (pure(100, seed) for seed in (3, 4, 5))
    left, right = (Repetitions(x.cells + c.cells, 800, x.index) for x in (a, b))
    found = likeness(left, right, 20)
    assert abs(found.value - 0.5) < 0.08
    assert balance_likeness(left, right).high > 0.5
    shares = [deviations(x, 2)[:, 0] for x in (left, right)]
    assert balance_likeness(left, right).value == pytest.approx(np.corrcoef(*shares)[0, 1])


def test_only_shared_samples_are_compared():
    one = pure(50, 6)
    later = Repetitions(one.cells[20:], one.n_train, one.index[20:])
    assert likeness(one, later, 10).value == pytest.approx(1)
    assert median_ratio(one, later, 10)[:3] == pytest.approx((1, 1, 1))


def test_few_samples_leave_it_open():
    one, other = pure(5, 9), pure(5, 10)
    assert likeness(one, other, 10)[1:] == (-1, 1)
    assert balance_likeness(one, other)[1:] == (-1, 1)
    assert median_ratio(one, other, 10)[1:] == (0, np.inf)


def test_intervals_of_a_ratio_of_medians_cover(monkeypatch):
    """Of estimates on shared samples, one of four times the events, 200 sets of 60: nominally 95%
    hold the truth; fewer than 90% do in one of 400 if so."""
    monkeypatch.setattr(module, "DRAWS", 400)
    truth = np.median(pure(20_000, 7, 400).mse(10)) / np.median(pure(20_000, 8, 1600).mse(10))
    covered = 0
    for k in range(200):
        _, low, high = median_ratio(pure(60, 1000 + k, 1600), pure(60, 5000 + k), 10)
        covered += low <= truth <= high
    assert covered / 200 > 0.9
