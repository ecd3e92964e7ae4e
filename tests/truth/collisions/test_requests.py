"""What the generators refuse, in one line each."""

import sys

import numpy as np
import pytest

from amplib.truth.collisions import checks, ttbar, two_body, z_to_ll
from amplib.truth.collisions.pythia import MissingGenerator, check_request, start


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: two_body.sample(0, np.random.default_rng()), "n >= 1"),
        (lambda: z_to_ll.generate(0, 1), "n >= 1"),
        (lambda: z_to_ll.generate(5, -1), "seed must not be negative"),
        (lambda: z_to_ll.generate(5, 1, energy=1.0), "energy must lie in"),
        (lambda: z_to_ll.generate(5, 1, energy=float("nan")), "energy must lie in"),
        (lambda: z_to_ll.generate(5, 1, exchange="gluon"), "one of interference, photon, Z"),
        (lambda: z_to_ll.forward_backward_asymmetry(-91.0), "energy must lie in"),
        (lambda: z_to_ll.angular_distribution(0.0, exchange="W"), "exchange"),
        (lambda: ttbar.generate(0, 1), "n >= 1"),
        (lambda: ttbar.generate(1, -1), "seed must not be negative"),
        (lambda: next(ttbar.stream(-1)), "seed must not be negative"),
        (lambda: ttbar.Settings(energy=13.0), "energy must lie in"),
        (lambda: ttbar.Settings(radius=0.0), "radius must lie in"),
        (lambda: ttbar.concatenate([]), "nothing"),
        (lambda: start(["No:such = 1"], np.random.SeedSequence(0)), "refuses the setting"),
        (lambda: checks.peak([1.0]), "two values"),
    ],
)
def test_impossible_requests_are_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_without_pythia_there_is_one_clear_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "pythia8mc", None)
    for call in (lambda: z_to_ll.generate(1, 1), lambda: ttbar.generate(1, 1)):
        with pytest.raises(MissingGenerator, match="Pythia 8 is not installed") as error:
            call()
        assert "\n" not in str(error.value)


def test_pythia_without_its_settings_is_told_where_they_are(monkeypatch, tmp_path):
    """As where it was installed into a folder of its own: every setting would be refused."""
    monkeypatch.setenv("PYTHIA8DATA", str(tmp_path))
    with pytest.raises(ValueError, match="PYTHIA8DATA must name the folder"):
        start([], np.random.SeedSequence(0))


@pytest.mark.parametrize("seed", [0, 5])
def test_pythias_seed_lies_in_its_own_range(seed):
    """From 1 to 900,000,000, by the hash of ours: zero would be the clock."""
    own = np.random.SeedSequence(seed)
    beams = ("Beams:idA = 11", "Beams:idB = -11", "WeakSingleBoson:ffbar2gmZ = on")
    hashed = int(own.generate_state(1, np.uint64)[0])
    generator = start(beams, np.random.SeedSequence(seed))
    assert generator.settings.mode("Random:seed") == hashed % 900_000_000 + 1
    assert generator.settings.flag("Random:setSeed")


def test_the_first_seed_and_one_event_are_possible():
    check_request(1, 0)
    assert ttbar.Settings(energy=1_000.0, radius=0.1).radius == 0.1
    assert ttbar.Settings(energy=100_000.0, radius=1.5).energy == 100_000
    for energy in (999.0, 100_001.0):
        with pytest.raises(ValueError, match="energy must lie in"):
            ttbar.Settings(energy=energy)
    for radius in (0.09, 1.51):
        with pytest.raises(ValueError, match="radius must lie in"):
            ttbar.Settings(radius=radius)
    for energy in (12.0, 1000.0):
        assert abs(z_to_ll.forward_backward_asymmetry(energy)) < 0.75
    for energy in (11.9, 1001.0):
        with pytest.raises(ValueError, match="energy must lie in"):
            z_to_ll.forward_backward_asymmetry(energy)
