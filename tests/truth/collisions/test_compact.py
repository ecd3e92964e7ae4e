"""Events in two bytes a number: to half a step, zeros exactly, and nothing beyond the range."""

import numpy as np
import pytest

from amplib.truth.collisions.columns import TTBAR, columns
from amplib.truth.collisions.compact import pack, unpack

ANGULAR = [name.startswith(("eta", "phi")) for name in TTBAR]
ETA, PHI = columns(TTBAR, "eta_j1", "phi_l2")
MET, ENERGY = columns(TTBAR, "MET", "E_l1")


def events(rng, n=500):
    """Angles and momenta evenly, and in the logarithm, over all of their ranges, (n, 26)."""
    rows = np.empty((n, len(TTBAR)))
    for k, name in enumerate(TTBAR):
        if ANGULAR[k]:
            rows[:, k] = rng.uniform(-1, 1, n) * (5 if name.startswith("eta") else np.pi)
        else:
            rows[:, k] = np.exp(rng.uniform(np.log(100), np.log(7e6), n))
    return rows


def test_what_is_unpacked_is_within_half_a_step():
    """Steps of 0.017% of momenta and energies, of 1.5e-4 in eta and 1e-4 in azimuths."""
    rows = events(np.random.default_rng(1))
    found = unpack(pack(rows))
    assert pack(rows).dtype == np.uint16
    off = np.abs(np.where(ANGULAR, found - rows, np.log(found / rows))).max(0)
    widths = np.where(ANGULAR, 2 * np.pi, np.log(7e6 / 100))
    widths[[name.startswith("eta") for name in TTBAR]] = 10
    assert (off < 0.5001 * widths / 65_533).all()
    assert (off > 0.45 * widths / 65_533).all()
    np.testing.assert_array_equal(pack(found), pack(rows))


def test_zeros_stay_zeros():
    rows = events(np.random.default_rng(2), 3)
    rows[1] = 0
    rows[2, [ETA, PHI, ENERGY]] = 0
    assert ((unpack(pack(rows)) == 0) == (rows == 0)).all()
    assert ((pack(rows) == 0) == (rows == 0)).all()


@pytest.mark.parametrize(
    ("column", "low", "high"),
    [(MET, 100, 7e6), (ENERGY, 100, 7e6), (ETA, -5, 5), (PHI, -np.pi, np.pi)],
)
def test_the_ends_are_inside_and_what_is_beyond_is_refused(column, low, high):
    rows = events(np.random.default_rng(3), 4)
    for value, code in ((low, 1), (high, 65_534)):
        rows[2, column] = value
        codes = pack(rows)
        assert codes[2, column] == code
        assert unpack(codes)[2, column] == pytest.approx(value)
    beyond = [high * 1.00001, np.nan] + ([low * 1.00001] if ANGULAR[column] else [])
    for value in beyond:
        rows[2, column] = value
        with pytest.raises(ValueError, match=f"event 2: {TTBAR[column]} = .* beyond what can be"):
            pack(rows)


def test_what_is_too_small_is_the_lowest():
    rows = events(np.random.default_rng(4), 2)
    rows[0, MET] = 3.0
    assert unpack(pack(rows))[0, MET] == pytest.approx(100)
