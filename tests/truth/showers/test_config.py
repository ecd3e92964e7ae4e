"""Which showers: what can be chosen of simulated ones, and what of published ones."""

import pytest

from amplib.parameters import ParameterError
from amplib.truth.showers.config import ShowerConfig


def test_published_showers_are_of_photons_at_one_point():
    config = ShowerConfig(source="published", energy=20.0)
    assert (config.particle, config.hits, config.beam) == ("photon", "mip", 0.0)


@pytest.mark.parametrize(
    ("name", "value"), [("particle", "electron"), ("hits", "gflash"), ("beam", 0.1)]
)
def test_what_cannot_be_chosen_of_published_showers_is_refused(name, value):
    with pytest.raises(ParameterError, match=f"{name} = {value}: of published showers it is"):
        ShowerConfig(source="published", **{name: value})
