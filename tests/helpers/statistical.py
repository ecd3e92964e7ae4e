"""Limits of statistical tests."""

import numpy as np
from scipy import stats

FALSE_ALARM = 1e-6


def chi2_test(values, edges, probabilities, alternatives=()):
    """Pearson's chi^2 at ``FALSE_ALARM``; every alternative must be told apart with power > 0.99.

    The power is that of the noncentral chi^2 for the same number of values.
    """
    n, q = len(values), len(probabilities)
    limit = stats.chi2.isf(FALSE_ALARM, q - 1)
    for other in alternatives:
        distance = n * np.sum((other - probabilities) ** 2 / probabilities)
        assert stats.ncx2.sf(limit, q - 1, distance) > 0.99
    counts = np.histogram(values, edges)[0]
    assert counts.sum() == n
    assert np.sum((counts - n * probabilities) ** 2 / (n * probabilities)) < limit


def within(measured, expected, error, sigmas=5):
    assert abs(measured - expected) < sigmas * error, (measured, expected, error)


def leave_one_out(measure, *events):
    """Standard error over n events from values of which each lacks one (the jackknife), which an
    error to first order meets up to some 1/n of itself."""
    n = len(events[0])
    values = np.array([measure(*(np.delete(x, k, 0) for x in events)) for k in range(n)])
    return np.sqrt((n - 1) * values.var(0))
