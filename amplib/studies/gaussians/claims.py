"""What DCTRGAN says of its Gaussian examples, measured."""

from __future__ import annotations

from dataclasses import replace

from amplib.estimate import in_turn
from amplib.metrics.verdict import Finding, above, both
from amplib.store.results import at_one_scale
from amplib.studies.claim import Evidence, claim
from amplib.studies.gaussians.reading import (
    MIXTURES,
    distance_gain,
    read,
    separation_gain,
)
from amplib.studies.gaussians.words import of_distance

RULES = (
    "*Significantly improved*: in each of the three mixtures the <S²> of the whole density is "
    "smaller with weights than without, by the 95% interval of their ratio over trainings.  The "
    "verdict by the sliced Wasserstein distance, which knows how far apart cells are, stands by.",
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
    lost = "; ".join(
        f"{in_turn([100 * x.outlook.lost.value for x in t.each], '%', 0.1)} ({MIXTURES[n]})"
        for n, t in trainings.items()
    )
    stricter = both([above(gain, 1) for gain in shorter.values()], distances, None)
    finding = both(
        [above(gain, 1) for gain in gains.values()],
        f"<S²> smaller by factors of {text}",
        gains["bimodal"].error,
        f"by the sliced Wasserstein distance, with ratios of {distances}, {stricter.verdict}: "
        f"{of_distance(trainings)}; of the truth, trainings in turn, have weights above "
        f"{trainings['grid'].study.largest:g}: {lost}",
    )
    return replace(finding, otherwise=stricter.verdict)
