"""What several files of tests share."""

import pytest


@pytest.fixture(scope="session")
def tops():
    """A sample of top pairs, without multiparton interactions."""
    from top_pairs import QUICK, N

    from amplib.truth.collisions import ttbar

    return ttbar.generate(N, 1, QUICK)
