"""Z to leptons: Pythia's events against the tree-level answer.

Where a test is statistical it says its false alarm and what it would catch; all seeds are fixed.
"""

import numpy as np
import pytest
from statistical import chi2_test, within

from amplib.truth.collisions import z_to_ll
from amplib.truth.collisions.columns import Z_LEPTONS, columns


@pytest.fixture(scope="module")
def leptons():
    return z_to_ll.generate(100_000, seed=1)


def test_z_events_hold_one_pair_and_eight_zeros(leptons):
    assert leptons.shape == (100_000, 16)
    empty = (leptons == 0).reshape(-1, 2, 8)
    assert np.all(np.sort(empty.sum(axis=2), axis=1) == [0, 8])


def test_z_leptons_are_on_shell_and_back_to_back(leptons):
    """Energies of half of 91 GeV; masses of e and mu, in GeV, to what E^2 - p^2 can carry."""
    four = leptons.reshape(-1, 4, 4)
    np.testing.assert_allclose(four.sum(axis=1), [[91, 0, 0, 0]] * len(four), atol=1e-10)
    pairs = four.reshape(-1, 2, 2, 4)
    for flavour, m in enumerate((0.000510999, 0.1056584)):
        present = pairs[pairs[:, flavour, 0, 0] > 0, flavour]
        squared = present[..., 0] ** 2 - (present[..., 1:] ** 2).sum(axis=2)
        np.testing.assert_allclose(squared, m**2, rtol=1e-4, atol=1e-10)
        np.testing.assert_allclose(present[..., 0], 45.5, rtol=1e-12)


def test_z_columns_are_pythias_hard_process(leptons):
    """The same seed, read by name: a swap of x and y is no change of any distribution."""
    generator = z_to_ll._start(z_to_ll.ENERGY, "interference", np.random.SeedSequence(1))
    names = {11: "e-", -11: "e+", 13: "mu-", -13: "mu+"}
    for row in leptons[:50]:
        assert generator.next()
        expected = np.zeros(16)
        for i in range(generator.process.size()):
            p = generator.process[i]
            if p.isFinal():
                which = columns(
                    Z_LEPTONS, *(f"{q}_{names[p.id()]}" for q in ("E", "px", "py", "pz"))
                )
                expected[which] = p.e(), p.px(), p.py(), p.pz()
        np.testing.assert_array_equal(row, expected)


def test_z_goes_to_electrons_and_muons_alike(leptons):
    """Binomial, 5 sigma: 0.008."""
    share = np.mean(leptons[:, 0] > 0)
    within(share, 0.5, 0.5 / len(leptons) ** 0.5)


def test_z_azimuth_is_flat_and_independent_of_the_flavour(leptons):
    """100,000 events in 50 bins; power > 0.99 against a modulation of 5%."""
    flat, edges = np.full(50, 0.02), np.linspace(-np.pi, np.pi, 51)
    wave = flat * (1 + 0.05 * np.sin(edges[:-1]))
    minus = leptons[:, :4] + leptons[:, 8:12]
    chi2_test(np.arctan2(minus[:, 2], minus[:, 1]), edges, flat, [wave])


def angular_bins(edges, a_fb):
    """Integrals of (3/8)(1 + c^2) + A_FB c."""
    return np.diff(3 / 8 * (edges + edges**3 / 3) + a_fb * edges**2 / 2)


def test_z_angles_follow_the_exact_density(leptons):
    """100,000 events in 40 bins of cos theta.

    Power > 0.99 against: a flat density, 1 + 0.75 c^2, A_FB wrong by 0.04. Smaller errors of A_FB
    are the next test's.
    """
    edges = np.linspace(-1, 1, 41)
    a_fb = z_to_ll.forward_backward_asymmetry()
    expected = angular_bins(edges, a_fb)
    middle = (edges[1:] + edges[:-1]) / 2
    np.testing.assert_allclose(z_to_ll.angular_distribution(middle) * 0.05, expected, rtol=1e-3)
    less = np.diff(edges + 0.75 * edges**3 / 3) / 2.5
    others = [np.full(40, 0.025), less, angular_bins(edges, a_fb + 0.04)]
    chi2_test(z_to_ll.cos_theta(leptons), edges, expected, others)


def test_z_asymmetry_is_the_exact_one(leptons):
    """A_FB = -0.001 at 91 GeV: 5 sigma are 0.016, so that leaving out the photon (+0.017) shows."""
    a_fb = z_to_ll.forward_backward_asymmetry()
    measured = 2 * np.mean(z_to_ll.cos_theta(leptons) > 0) - 1
    within(measured, a_fb, ((1 - a_fb**2) / len(leptons)) ** 0.5)
    assert abs(a_fb - z_to_ll.forward_backward_asymmetry(exchange="Z")) > 0.0158


@pytest.mark.parametrize("energy", [60.0, 200.0])
def test_the_asymmetry_far_from_the_z(energy):
    """-0.38 and +0.56, where photon and Z interfere. 10,000 events, 5 sigma are 0.05 and 0.04."""
    events = z_to_ll.generate(10_000, 2, energy)
    a_fb = z_to_ll.forward_backward_asymmetry(energy)
    assert abs(a_fb) > 0.3
    measured = 2 * np.mean(z_to_ll.cos_theta(events) > 0) - 1
    within(measured, a_fb, ((1 - a_fb**2) / 10_000) ** 0.5)


@pytest.mark.parametrize("energy", [30.0, 88.0, 91.0, 91.1876, 94.0, 500.0])
@pytest.mark.parametrize("exchange", ["interference", "Z", "photon"])
def test_the_asymmetry_from_helicity_amplitudes(energy, exchange):
    """LL and RR go as (1 + c)^2, LR and RL as (1 - c)^2: another way to the same number."""
    x, s = z_to_ll.couplings(), energy**2
    photon = x.charge**2 * (exchange != "Z")
    # With v = a - 4 s^2 e and a = 2 T_3, the chiral couplings are v +- a.
    chiral = np.array([x.vector + x.axial, x.vector - x.axial])
    propagator = x.weak_ratio * s / (s - x.mass**2 + 1j * s * x.width / x.mass)
    z = np.outer(chiral, chiral) * propagator * (exchange != "photon")
    amplitude = np.abs(photon + z) ** 2
    same, opposite = amplitude.trace(), amplitude.sum() - amplitude.trace()
    expected = 0.75 * (same - opposite) / (same + opposite)
    assert z_to_ll.forward_backward_asymmetry(energy, exchange) == pytest.approx(
        expected, abs=1e-12
    )


def test_z_alone_and_photon_alone():
    """A_FB is (3/4) A_e^2 with A_e = 2 v a / (v^2 + a^2) at leading order; none for a photon."""
    x = z_to_ll.couplings()
    a_e = 2 * x.vector * x.axial / (x.vector**2 + x.axial**2)
    only_z = z_to_ll.forward_backward_asymmetry(exchange="Z")
    assert only_z == pytest.approx(0.75 * a_e**2, rel=1e-12)
    assert z_to_ll.forward_backward_asymmetry(exchange="photon") == 0
    assert x.mass == pytest.approx(91.19, abs=0.01) and x.width == pytest.approx(2.50, abs=0.02)


def test_z_events_depend_on_the_seed_alone():
    first, same, other = (z_to_ll.generate(50, seed) for seed in (3, 3, 4))
    assert np.array_equal(first, same) and not np.array_equal(first, other)
    assert np.array_equal(first[:20], z_to_ll.generate(20, 3))
