"""What is known of a network without building it is so of the network."""

import pytest

from amplib.studies.catalogue import make_study


@pytest.mark.parametrize("preset", ["smoke", "laptop", "paper"])
@pytest.mark.parametrize(
    ("name", "changes"),
    [
        *(
            ("bibae", {"detour": d, "start": s})
            for d in ("60", "none")
            for s in ("published", "mean")
        ),
        ("bibae", {"scale": 64, "latent": 3, "noise": 64}),
        ("bibae", {"scale": 5, "noise": 0}),
        *(("shower-gan", {"start": s}) for s in ("published", "mean")),
        ("shower-gan", {"channels": 3, "latent": 7}),
    ],
)
def test_shapes_are_those_of_the_network(name, preset, changes):
    study = make_study(name, preset, **changes)
    network = study.untrained().state_dict()
    assert study.weight_shapes() == {k: tuple(v.shape[1:]) for k, v in network.items()}
