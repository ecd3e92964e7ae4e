"""Separation power on identical, close and far samples, weighted and not, many at once."""

import numpy as np
import pytest
from statistical import leave_one_out

from amplib.metrics.correlations import correlations
from amplib.metrics.separation import Histograms, histograms, separation

LIMITS, BINS = (-4.0, 5.0), 19


def drawn(n, seed, shift=0.0, repeats=1):
    """Histograms of ``repeats`` independent samples of N(shift, 1)."""
    x = np.random.default_rng(seed).normal(shift, 1, (n, repeats))
    return histograms(x, LIMITS, BINS)


def exact(shift):
    """<S^2> of N(0, 1) and N(shift, 1) in these bins."""
    from scipy.stats import norm

    edges = np.linspace(*LIMITS, BINS + 1)
    p, q = (np.diff(norm.cdf(edges - m)) for m in (0, shift))
    p, q = p / p.sum(), q / q.sum()
    return 0.5 * ((p - q) ** 2 / (p + q)).sum()


def test_histograms_are_numpy_s():
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=(30_000, 7)), rng.random(30_000)
    limits = np.stack([rng.uniform(-2, -1, 7), rng.uniform(1, 2, 7)], 1)
    h = histograms(x, limits, 12, w)
    for k in range(7):
        for power, found in ((1, h.contents), (2, h.squares)):
            expected = np.histogram(x[:, k], 12, tuple(limits[k]), weights=w**power)[0]
            np.testing.assert_allclose(found[k], expected)
    assert h.contents.sum() < 7 * w.sum()  # entries outside are dropped
    counted = histograms(x, limits, 12)
    np.testing.assert_array_equal(counted.contents, Histograms.counted(counted.contents).squares)


def test_extremes():
    """Equal histograms 0, disjoint ones 1, whatever their sums; by hand in between."""
    a, b = Histograms.counted([[4, 0, 4]]), Histograms.counted([[0, 3, 0]])
    assert separation(a, Histograms.counted([[1, 0, 1]])).value[0] == 0
    assert separation(a, b).value[0] == pytest.approx(1)
    third = separation(Histograms.counted([[1, 1]]), Histograms.counted([[3, 1]]))
    assert third.value[0] == pytest.approx(0.5 * (0.25**2 / 1.25 + 0.25**2 / 0.75))
    with pytest.raises(ValueError, match="no entries"):
        separation(a, Histograms.counted([[0, 0, 0]]))
    with pytest.raises(ValueError, match="no entries"):
        separation(Histograms.counted([[1, 1], [0, 0]]), Histograms.counted([[1, 1], [1, 1]]))
    light = Histograms(np.array([[0.2, 0.1]]), np.array([[0.04, 0.01]]))
    assert separation(light, light).value[0] == 0
    with pytest.raises(ValueError, match="shapes"):
        separation(a, Histograms.counted([[1, 1]]))
    with pytest.raises(ValueError, match="limits must rise"):
        histograms(np.ones(3), (1, 1), 2)


@pytest.mark.parametrize("sizes", [(2000, 2000), (500, 20_000)])
def test_the_floor_is_what_two_samples_of_one_distribution_have(sizes):
    """Mean over 400 pairs: five standard errors, and the 10% that a noisy denominator makes in bins
    of few events; the stated error is their spread to 25%."""
    s = separation(*(drawn(n, seed, repeats=400) for seed, n in enumerate(sizes)))
    assert abs(s.excess.mean()) < 5 * s.value.std() / 20 + 0.1 * s.floor.mean()
    assert s.error.mean() == pytest.approx(s.value.std(), rel=0.25)
    most = (BINS - 1) / 4 * sum(1 / n for n in sizes)  # reached if every bin is filled
    assert 0.6 * most < s.floor.mean() <= 1.01 * most


@pytest.mark.parametrize("shift", [0.1, 1.0])
def test_value_and_error_of_close_and_of_far_samples(shift):
    """Mean excess over 400 pairs within five standard errors (and 2%, the second order) of the
    exact value; the error is the spread to 20%."""
    s = separation(drawn(3000, 1, repeats=400), drawn(3000, 2, shift, repeats=400))
    room = 5 * s.value.std() / 20 + 0.02 * exact(shift)
    assert abs(s.excess.mean() - exact(shift)) < room
    assert s.error.mean() == pytest.approx(s.value.std(), rel=0.2)


def test_false_alarms_and_power():
    """Excess above three errors: false alarms in less than 3% of 400 pairs of equal samples (a
    skewed distribution has more than the 0.1% of a normal one), power above 0.95 at a shift of 0.25
    for 3000 events."""
    alarms = []
    for shift in (0.0, 0.25):
        s = separation(drawn(3000, 3, repeats=400), drawn(3000, 4, shift, repeats=400))
        alarms.append((s.excess > 3 * s.error).mean())
    assert alarms[0] < 0.03
    assert alarms[1] > 0.95


def test_weighted_histograms_have_the_floor_of_their_effective_events():
    rng = np.random.default_rng(5)
    found = []
    for _ in range(300):
        x, w = rng.standard_normal(2000), rng.exponential(size=2000)  # half of the events are worth
        other = rng.standard_normal(2000)
        found.append(separation(histograms(x, LIMITS, BINS, w), histograms(other, LIMITS, BINS)))
    value, error, floor = (np.array([f[k][0] for f in found]) for k in range(3))
    assert abs((value - floor).mean()) < 5 * value.std() / np.sqrt(300)
    assert error.mean() == pytest.approx(value.std(), rel=0.25)
    assert floor.mean() == pytest.approx(1.5 * separation(drawn(2000, 1), drawn(2000, 2)).floor[0],
                                         rel=0.15)  # fmt: skip


def by_counting(values, limits, bins, weights):
    """Contents and squares of one observable, event by event."""
    found = np.zeros((2, bins))
    for x, w in zip(values, weights, strict=True):
        place = (x - limits[0]) / (limits[1] - limits[0]) * bins
        if 0 <= place < bins:
            found[:, int(place)] += w, w**2
    return found


def test_an_entry_at_the_lower_limit_is_in_and_one_at_the_upper_out():
    x = np.array([[0.0, 4.0], [3.0, 4.5], [-0.5, 5.0], [2.9, 6.0], [9.0, 5.9]])
    limits, w = [(0.0, 3.0), (4.0, 6.0)], np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    h = histograms(x, limits, 3, w)
    for k in range(2):
        contents, squares = by_counting(x[:, k], limits[k], 3, w)
        assert h.contents[k].tolist() == contents.tolist()
        assert h.squares[k].tolist() == squares.tolist()
    assert h.contents.tolist() == [[1, 0, 8], [3, 4, 16]]
    with pytest.raises(ValueError, match="a pair for each observable"):
        histograms(x, [(0, 3), (6, 4)], 3)


def test_events_are_counted_once_whatever_the_chunks(monkeypatch):
    """Of 50 events, with three observables, one by one, in sevens and all at once."""
    x = np.random.default_rng(2).normal(size=(50, 3))
    w = np.arange(50.0)
    found = []
    for chunk in (1, 21, 1000):
        monkeypatch.setattr("amplib.metrics.separation.CHUNK", chunk)
        found.append((histograms(x, (-2, 2), 5, w), histograms(x, (-2, 2), 5)))
    for weighted, counted in found[1:]:
        np.testing.assert_array_equal(weighted, found[0][0])
        np.testing.assert_array_equal(counted, found[0][1])


def gradient(measure, contents):
    """Of a number in the contents of bins, by central differences."""
    step = 1e-6 * contents.sum()
    return np.array(
        [
            (measure(contents + e) - measure(contents - e)) / (2 * step)
            for e in step * np.eye(len(contents))
        ]
    )


@pytest.mark.parametrize("far", [True, False])
def test_floor_and_error_by_propagation_of_what_each_bin_scatters(far):
    """A bin of squares q scatters by sqrt(q), whatever is in the others, as events are Poisson: the
    floor from the variances of the unit-sum contents, the error from those of the value itself,
    less the part that is noise, and never less than that."""
    contents = np.array([[20.0, 30.0, 50.0, 0.0], [60.0, 25.0, 40.0, 0.0]])
    squares = np.array([[35.0, 31.0, 80.0, 0.0], [60.0, 70.0, 45.0, 0.0]])
    if not far:
        contents[1] = 2 * contents[0]
    a, b = (Histograms(c[None], s[None]) for c, s in zip(contents, squares, strict=True))

    def value(c, d):
        p, q = c[:3] / c.sum(), d[:3] / d.sum()
        return ((p - q) ** 2 / (p + q)).sum() / 2

    def variances(c, s):
        return np.array([s @ gradient(lambda c: c[k] / c.sum(), c) ** 2 for k in range(3)])  # noqa: B023

    found = separation(a, b)
    assert found.value[0] == pytest.approx(value(*contents))
    both = (contents / contents.sum(1, keepdims=True)).sum(0)[:3]
    noise = sum(variances(c, s) for c, s in zip(contents, squares, strict=True)) / both
    assert found.floor[0] == pytest.approx(noise.sum() / 2, rel=1e-5)
    assert found.excess[0] == pytest.approx(value(*contents) - noise.sum() / 2, rel=1e-4)
    linear = squares[0] @ gradient(lambda c: value(c, contents[1]), contents[0]) ** 2
    linear += squares[1] @ gradient(lambda c: value(contents[0], c), contents[1]) ** 2
    of_noise = (noise**2).sum() / 2
    assert (linear > 2 * of_noise) == far
    assert found.error[0] ** 2 == pytest.approx(max(linear - of_noise, of_noise), rel=1e-4)
    assert found.at(0) == (found.value[0], found.error[0], None, None, None)


# ---------------------------------------------------------------- correlations


def test_correlations_are_numpy_s_and_nan_for_what_does_not_vary():
    x = np.random.default_rng(1).normal(size=(500, 4)) @ np.array(
        [[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    )
    np.testing.assert_allclose(correlations(x).value, np.corrcoef(x.T), atol=1e-12)
    np.testing.assert_allclose(correlations(x / 1e3).value, correlations(x).value)
    x[:, 3] = 2.0
    assert np.isnan(correlations(x).value[3, 0])


def test_weights_turn_one_correlation_into_another():
    """Events of N(0, 1), weighted to a correlation of 0.6; pulls over 60 samples."""
    rho, pulls = 0.6, []
    for seed in range(60):
        x = np.random.default_rng(seed).normal(size=(4000, 2))
        square = (x**2).sum(1) - 2 * rho * x.prod(1)
        w = np.exp(-square / (2 * (1 - rho**2)) + (x**2).sum(1) / 2) / np.sqrt(1 - rho**2)
        found = correlations(x, w)
        pulls.append((found.value[0, 1] - rho) / found.error[0, 1])
    # Heavy weights make errors too small in samples without a heavy event: spread up to 1.6.
    assert abs(np.mean(pulls)) < 0.8
    assert 0.6 < np.std(pulls) < 1.6


@pytest.mark.parametrize("weighted", [False, True])
def test_errors_of_correlations_are_those_of_leaving_out_events(weighted):
    """To 5%, of 400 events of three observables with weights from 0.2 to 1.8; a thing is known to
    be correlated with itself."""
    x = np.random.default_rng(3).normal(size=(400, 3)) @ [[1, 1, -0.3], [0, 1, 0], [0, 0, 1]]
    w = (1 + 0.8 * np.cos(x[:, 0]),) if weighted else ()
    found = correlations(x, *w)
    expected = leave_one_out(lambda *events: correlations(*events).value, x, *w)
    a, b = np.triu_indices(3, 1)
    np.testing.assert_allclose(found.error[a, b], expected[a, b], rtol=0.05)
    np.testing.assert_allclose(found.error, found.error.T, rtol=1e-9)
    assert (found.error.diagonal() < 1e-6).all()
    assert found.value.diagonal() == pytest.approx(1)


def test_a_weight_of_two_is_an_event_twice():
    x = np.random.default_rng(4).normal(size=(20, 2))
    twice = correlations(np.concatenate([x, x[:5]])).value
    np.testing.assert_allclose(correlations(x, np.where(np.arange(20) < 5, 2, 1)).value, twice)
