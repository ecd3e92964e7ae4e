"""What the event paper says of simulated events in numbers, measured."""

from __future__ import annotations

from amplib.estimate import Estimate, enumerated
from amplib.metrics.verdict import UNDECIDED, Finding, about, both
from amplib.studies.claim import Evidence, claim
from amplib.studies.event_paper import PAPER_EVENTS
from amplib.studies.merit.reading import splits, stored_reference, wide_scatter

RULES = (
    "$\\delta$ and $\\delta_{OF}$ depend on the number of events, an ideal generator's as well: of "
    f"fewer than {PAPER_EVENTS:,} they decide nothing about the event paper's numbers.",
)


def about_the_papers(estimate: Estimate, value: float, events: int) -> Finding:
    """A figure of merit of so many events is *about* the paper's."""
    if events < PAPER_EVENTS:
        return Finding(str(estimate), estimate.error, UNDECIDED)
    return about(estimate, value)


def of_fewer(events: int) -> str:
    """Why so many events do not decide, if they do not."""
    if events >= PAPER_EVENTS:
        return ""
    return f"of {events:,} events, the paper's numbers of {PAPER_EVENTS:,}: not compared"


# The claim is about 1.2 million events, whatever preset the book is at.
@claim("bvae.ideal", "merit-fig1", "ttbar-reference", "paper")
def ideal_generator(evidence: Evidence, value: dict[str, float]) -> Finding:
    """delta and delta_OF that simulated events are expected to have against as many others, with
    the scatter of one pair of samples: the paper's numbers are of one."""
    result = evidence("ttbar-reference", preset="paper")
    reference, found = stored_reference(result), splits(result)
    most, scatters = found[0], {n: of["eta"] for n, of in wide_scatter(found).items()}
    delta, crowding = (
        Estimate(later, later * scatter)
        for later, scatter in (
            (reference.ideal_delta, most.scatter(most.delta)),
            (reference.ideal_delta_of("eta"), max(scatters.values())),
        )
    )
    of_sizes = enumerated(f"{x:.0%} at {n:,} events" for n, x in scatters.items())
    widths = list(scatters.values())
    grows = ", as it does not fall with their number" if widths == sorted(widths) else ""
    return both(
        [about(delta, value["delta"]), about(crowding, value["delta_of"])],
        f"delta {delta}, delta_OF {crowding}",
        delta.error,
        f"errors are the scatter of pairs of samples, of delta that of {most.pairs} pairs of "
        f"{most.events:,} events, of delta_OF the larger of {of_sizes}{grows}",
    )
