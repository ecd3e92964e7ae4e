"""The sample of top pairs that several tests look at (``conftest.tops``)."""

from amplib.events import ttbar

QUICK = ttbar.Settings(multiparton=False)
N = 600
