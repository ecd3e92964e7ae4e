"""Seconds of a core that densities take to be fitted, from what was measured: for estimates alone.

Nothing is imported here, so that a study may ask without the libraries that fit.
"""

from __future__ import annotations

SEARCH = 120.0
"""For a bandwidth, among 20 on ten thousand points."""
SEARCHED = 10_000
"""Points of a search at most."""
A_POINT = 6e-6
"""Of a step of expectation and maximisation, k-means before it being shared out."""
A_POINT_AND_COMPONENT = 4.2e-8
"""In addition for each of the components (benchmarks/README.md)."""
POINTS_A_COMPONENT = 50
"""With fewer a mixture of full covariances learns its points by heart, and ends at once."""


def search_seconds(points: int) -> float:
    """Of the search for the bandwidth of kernels.

    >>> search_seconds(100_000)
    120.0
    """
    return SEARCH * min(points / SEARCHED, 1) ** 2


def mixture_seconds(points: int, components: int, steps: int) -> float:
    """Of the fit of a mixture.

    Args:
        points: that it is fitted to.
        components: with full covariances.
        steps: that one usually takes.
    """
    if points < POINTS_A_COMPONENT * components:
        steps = min(steps, 2)
    return steps * points * (A_POINT + A_POINT_AND_COMPONENT * components)
