"""What several files of tests share."""

import os

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # one worker a core: so one thread a worker
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def tops():
    """A sample of top pairs, without multiparton interactions."""
    from top_pairs import QUICK, N

    from amplib.truth.collisions import ttbar

    return ttbar.generate(N, 1, QUICK)
