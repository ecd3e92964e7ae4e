"""What several files of tests share."""

import os

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # one worker a core: so one thread a worker
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture
def made_up(monkeypatch):
    """Made-up parts are read whatever numbers they hold, if arrays have their types and shapes:
    what a study may store is asked of ``test_damage`` and of each study's own test.  Nor does code
    that nothing ran need a fingerprint, which takes seconds."""
    from amplib.store.study import Study
    from amplib.studies.catalogue import STUDIES

    monkeypatch.setattr(Study, "misfit", Study.mismatch)
    for kind in STUDIES.values():
        monkeypatch.setattr(kind, "fingerprint", lambda study: [0.0])


@pytest.fixture(scope="session")
def tops():
    """A sample of top pairs, without multiparton interactions."""
    from top_pairs import QUICK, N

    from amplib.truth.collisions import ttbar

    return ttbar.generate(N, 1, QUICK)
