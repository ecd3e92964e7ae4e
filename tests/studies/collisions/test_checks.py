"""Tables of checks: rows that say what they must, and notice what they must."""

import numpy as np

from amplib.book.obtain import stored
from amplib.studies.collisions.checks import top_pair_checks, two_body_checks, z_checks
from amplib.studies.collisions.reading import TopPairStatistics, asymmetry
from amplib.truth.collisions.columns import TTBAR, columns


def test_every_check_is_a_row_of_its_own():
    tops = TopPairStatistics.of(stored("ttbar-summary"))
    for rows in (
        two_body_checks(stored("two-body-summary")),
        z_checks(stored("z-summary")),
        top_pair_checks(tops),
    ):
        assert all(len(row) == 3 and row[0] and row[1] and str(row[2]) for row in rows)
        assert len({row[0] for row in rows}) == len(rows)


def test_missing_momentum_has_less_than_the_neutrinos():
    """By what the cells miss of four jets, and more; half a GeV on the average would not be seen
    in its mean, which is zero for any scale."""
    tops = TopPairStatistics.of(stored("ttbar-summary"))
    found = tops.missing_scale()
    assert found.error < 0.002
    assert 0.85 < found.value < tops.expected_missing_scale() < 1
    met, phi = tops.column(*(TTBAR[k] for k in columns(TTBAR, "MET", "phi_MET"))).T
    measured = met[:, None] * np.stack([np.cos(phi), np.sin(phi)], axis=1)
    np.testing.assert_allclose(measured - tops.neutrinos, tops.joined("met_residuals"), atol=0.1)


def test_asymmetry_is_that_of_the_counts():
    class Counts:
        def load(self):
            return {(0,): {"forward": np.array([60, 20])}, (1,): {"forward": np.array([15, 5])}}

    found = asymmetry(Counts())
    assert found.value == 0.5
    assert np.isclose(found.error, 2 * np.sqrt(0.75 * 0.25 / 100))
