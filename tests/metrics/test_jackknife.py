"""Errors by leaving out blocks."""

import numpy as np
import pytest

from amplib.metrics.jackknife import jackknife_error


def test_the_error_of_a_mean_is_the_textbooks():
    """Leaving out one of n values: s / sqrt(n)."""
    x = np.random.default_rng(16).normal(size=50)
    without = (x.sum() - x) / 49
    assert jackknife_error(without) == pytest.approx(x.std(ddof=1) / np.sqrt(50))
