"""What the event paper says of simulated events in numbers, measured."""

from __future__ import annotations

from amplib.metrics.verdict import Finding, about, both
from amplib.studies.claim import Evidence, claim
from amplib.studies.collisions.reference import ideal
from amplib.truth.collisions.observables import BINNINGS


# The claim is about 1.2 million events, whatever preset the book is at.
@claim("bvae.ideal", "events-fig6", "ttbar-reference", "paper")
def ideal_generator(evidence: Evidence, value: dict[str, float]) -> Finding:
    """delta and delta_OF that simulated events have against as many others."""
    deltas, crowding = ideal(evidence("ttbar-reference", preset="paper").load()[(0,)])
    ours, *others = (f"{d.value:.5f}" for d in deltas)
    bins = ", ".join(f"{d} ({name})" for d, name in zip(others, BINNINGS[1:], strict=True))
    return both(
        [about(deltas[0], value["delta"]), about(crowding[0], value["delta_of"])],
        f"delta {ours}, delta_OF {crowding[0]}",
        None,
        f"the paper does not say where its bins lie; other ranges give {bins}",
    )
