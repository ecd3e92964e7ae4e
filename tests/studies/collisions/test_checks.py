"""Tables of checks: rows that say what they must, and notice what they must."""

import numpy as np
import pytest

from amplib.book.obtain import stored
from amplib.studies.collisions.checks import (
    top_pair_checks,
    two_body_checks,
    two_body_holds,
    z_checks,
)
from amplib.studies.collisions.reading import TopPairStatistics, asymmetry, chi2, total
from amplib.studies.collisions.study import MOMENTA
from amplib.truth.collisions.columns import TTBAR, columns
from amplib.truth.collisions.two_body import momentum_shares


def test_every_check_is_a_row_of_its_own():
    tops = TopPairStatistics.of(stored("ttbar-summary"))
    for rows in (
        two_body_checks(stored("two-body-summary")),
        z_checks(stored("z-summary")),
        top_pair_checks(tops),
    ):
        assert all(len(row) == 3 and row[0] and row[1] and str(row[2]) for row in rows)
        assert len({row[0] for row in rows}) == len(rows)


def test_the_two_body_decays_are_exact():
    """To rounding, and p_z by its density: of a wrong one of isotropic decays nothing is left."""
    result = stored("two-body-summary")
    assert two_body_holds(result).startswith("Yes")
    counts = total(result, "momenta")[2]
    assert chi2(counts, momentum_shares(MOMENTA)).p > 1e-3
    assert chi2(counts, momentum_shares(MOMENTA, "isotropic")).p < 1e-9
    for polar in ("uniform", "isotropic"):
        assert momentum_shares(MOMENTA, polar).sum() == pytest.approx(1)


def test_energy_that_is_not_conserved_is_seen():
    class Off:
        def load(self):
            parts = stored("two-body-summary").load()
            return {k: part | {"energy": part["energy"] + 1e-6} for k, part in parts.items()}

    assert two_body_holds(Off()).startswith("No: energy, momentum and masses are not kept")


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
