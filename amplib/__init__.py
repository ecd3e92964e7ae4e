"""How many events is a generated sample worth? Models and metrics of the Amplify book.

The door for other people's generators::

    import amplib

    truth = amplib.CamelBack()
    print(amplib.amplify(truth, my_generator, n_train=100))     # trains it ten times
    print(amplib.worth(events, truth=truth, n_train=100))       # judges events that exist
    print(amplib.worth(events, held_out=simulated, n_train=100))
    print(amplib.reweight(events, held_out=simulated))          # can weights save it?

What stands here is imported when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amplib.door.amplify import amplify
    from amplib.door.judge import worth
    from amplib.door.reweight import Reweighting, reweight
    from amplib.door.verdict import Worth
    from amplib.estimate import AtLeast, Estimate
    from amplib.models.config import DCTRTraining
    from amplib.truth.densities import CamelBack, GaussianMixture, Ring, Shells, truth_named

__all__ = [
    "AtLeast",
    "CamelBack",
    "DCTRTraining",
    "Estimate",
    "GaussianMixture",
    "Reweighting",
    "Ring",
    "Shells",
    "Worth",
    "amplify",
    "reweight",
    "truth_named",
    "worth",
]

_HOME = {
    "amplify": "amplib.door.amplify",
    "worth": "amplib.door.judge",
    "Worth": "amplib.door.verdict",
    **dict.fromkeys(("Reweighting", "reweight"), "amplib.door.reweight"),
    **dict.fromkeys(
        ("CamelBack", "GaussianMixture", "Ring", "Shells", "truth_named"), "amplib.truth.densities"
    ),
    **dict.fromkeys(("AtLeast", "Estimate"), "amplib.estimate"),
    "DCTRTraining": "amplib.models.config",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'amplib' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
