"""What the generators refuse, in one line each."""

import sys

import numpy as np
import pytest

from amplib.truth.collisions import checks, ttbar, two_body, z_to_ll
from amplib.truth.collisions.pythia import MissingGenerator, start


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
