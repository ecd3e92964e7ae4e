"""The sample of top pairs that several tests look at (``conftest.tops``)."""

from amplib.truth.collisions import ttbar

QUICK = ttbar.Settings(multiparton=False)
N = 600
