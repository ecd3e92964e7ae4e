"""What DCTRGAN says of its Gaussian examples, measured."""

from __future__ import annotations

from amplib.metrics.verdict import Finding, above, both
from amplib.store.results import at_one_scale
from amplib.studies.claim import Evidence, claim
from amplib.studies.gaussians.reading import (
    MIXTURES,
    distance_gain,
    read,
    separation_gain,
)

RULES = (
    "*Significantly improved*: in each of the three mixtures the <S²> of the whole density is "
    "smaller with weights than without, by the 95% interval of their ratio over trainings.",
)


@claim("dctrgan.gaussians", "dctrgan-fig1", "grid")
def fidelity(evidence: Evidence, _: object) -> Finding:
    """<S^2> without weights over <S^2> with them."""
    results = at_one_scale(
        {name: evidence(name) for name in MIXTURES},
        lambda name, preset: evidence(name, preset=preset),
    )
    trainings = {name: read(result) for name, result in results.items()}
    gains = {name: t.gain(separation_gain) for name, t in trainings.items()}
    shorter = {name: t.gain(distance_gain) for name, t in trainings.items()}
    text = ", ".join(f"{gains[n]} ({label})" for n, label in MIXTURES.items())
    distances = ", ".join(f"{shorter[n]} ({label})" for n, label in MIXTURES.items())
    lost = ", ".join(
        f"{t.over_seeds(lambda x: 100 * x.outlook.lost.value)}% ({MIXTURES[n]})"
        for n, t in trainings.items()
    )
    return both(
        [above(gain, 1) for gain in gains.values()],
        f"<S²> smaller by factors of {text}",
        gains["bimodal"].error,
        f"the sliced Wasserstein distance changes by factors of {distances}; of the truth {lost} "
        "lie where no weight below the largest reaches",
    )
