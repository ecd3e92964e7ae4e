"""The tables of the event paper: columns, four-momenta, what they import."""

import subprocess
import sys

import numpy as np
import pytest

from amplib.truth.collisions.columns import TTBAR, TWO_BODY, Z_LEPTONS, columns, mass, ttbar_objects


def test_the_tables_have_the_papers_dimensions_and_order():
    assert [len(table) for table in (TWO_BODY, Z_LEPTONS, TTBAR)] == [10, 16, 26]
    assert Z_LEPTONS[:5] == ("E_e-", "px_e-", "py_e-", "pz_e-", "E_e+")
    assert TTBAR[:6] == ("MET", "phi_MET", "E_j1", "pT_j1", "eta_j1", "phi_j1")
    assert columns(TTBAR, "E_l1", "phi_l2") == [18, 25]
    with pytest.raises(ValueError, match="no column 'j9'"):
        columns(TTBAR, "j9")


def test_four_momenta_and_masses():
    events = np.arange(52.0).reshape(2, 26) / 10
    objects = ttbar_objects(events)
    e, pt, eta, phi = events[1, 2 + 4 * 4 : 6 + 4 * 4]
    expected = [e, pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)]
    np.testing.assert_allclose(objects[1, 4], expected)
    np.testing.assert_allclose(mass([[5, 1, 2, 2], [3, 1, 2, 3]]), [4, -(5**0.5)])


def test_columns_and_two_body_need_numpy_alone():
    heavy = ["pythia8mc", "fastjet", "awkward", "vector", "torch"]
    code = f"""
import sys
sys.modules.update(dict.fromkeys({heavy}))
from amplib.truth.collisions import checks, columns, detector, two_body, z_to_ll
"""
    subprocess.run([sys.executable, "-c", code], check=True)
