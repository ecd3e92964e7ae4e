"""What the event paper says of the B-VAE's rivals, measured."""

from __future__ import annotations

from collections.abc import Iterable

from amplib.estimate import Estimate, relative
from amplib.metrics.verdict import Finding, above, below, both, reasons
from amplib.store.results import Result
from amplib.studies.claim import Evidence, claim
from amplib.studies.merit.claims import about_the_papers, of_fewer
from amplib.studies.merit.reading import smearings
from amplib.studies.rivals.reading import PAPER, over_trainings, rivals, scan_crowding

GANS = ("DijetGAN", "LSGAN", "MMD-GAN", "WGAN-GP", "WGAN")
TRADITIONAL = ("KDE", "GMM, 50", "GMM, 100", "GMM, 1000")
SEVERAL = 2
RULES = (
    "Of the B-VAE's rivals, a GAN is judged over its trainings: a single one decides nothing.  A "
    "density of the events has little to choose beside them; its interval is over the events that "
    f"it generates.  *Several* models of the scan are {SEVERAL} or more.",
)


def deltas(result: Result, methods: Iterable[str]) -> dict[str, Estimate]:
    """delta of each method.

    Raises:
        FileNotFoundError: one is missing, or all of its trainings have diverged.
    """
    found, values = rivals(result), {}
    for method in methods:
        delta = found[method].delta if method in found else None
        if delta is None:
            raise FileNotFoundError(f"no training of {method} to look at")
        values[method] = delta
    return values


def each_about(
    values: dict[str, Estimate], judged: dict[str, Estimate], events: int, why: str = ""
) -> Finding:
    """Every delta, of so many events, is about the paper's of the same name."""
    return both(
        [about_the_papers(judged[method], PAPER[method][0], events) for method in values],
        ", ".join(f"{method} {value}" for method, value in values.items()),
        next(iter(values.values())).error,
        reasons(why, of_fewer(events)),
    )


def over(mine: Estimate, theirs: Estimate) -> Estimate:
    """The ratio of two figures of merit, with Student's interval of my trainings; theirs are known
    to their error."""
    value, error, *_ = mine.over(theirs)
    return relative(value, error, mine.repetitions or 1)


@claim("bvae.gans", "rivals-fig1", "event-gans")
def gans(evidence: Evidence, _: object) -> Finding:
    """delta of each GAN of Table IV."""
    result = evidence("event-gans")
    values = deltas(result, GANS)
    alone = [m for m, rival in rivals(result).items() if m in GANS and rival.left < 2]
    judged = {m: over_trainings(delta) for m, delta in values.items()}
    why = f"one training of {', '.join(alone)}" if alone else ""
    return each_about(values, judged, result.study.asdict()["events"], why)


@claim("bvae.direct-densities", "rivals-fig1", "event-densities")
def direct_densities(evidence: Evidence, _: object) -> Finding:
    """delta of each row of Table V."""
    result = evidence("event-densities")
    smeared = smearings(evidence("ttbar-smeared", preset=result.preset))
    values = deltas(result, TRADITIONAL)
    values |= {f"{s.width:.0%} smearing": s.delta for s in smeared[:2]}
    return each_about(values, values, result.study.asdict()["events"])


@claim("bvae.lsgan-delta-of", "rivals-fig1", "event-gans")
def lsgan_crowding(evidence: Evidence, _: object) -> Finding:
    """delta_OF of the LSGAN over that of the best traditional density and of the scan's models,
    and its delta over the best traditional one."""
    result = evidence("event-gans")
    densities = evidence("event-densities", preset=result.preset)
    lsgan = rivals(result).get("LSGAN")
    if lsgan is None or lsgan.delta is None:
        raise FileNotFoundError("no training of LSGAN to look at")
    crowding, delta = (over_trainings(e) for e in (lsgan.delta_of["eta"], lsgan.delta))
    others = {m: r for m, r in rivals(densities).items() if m in TRADITIONAL and r.delta}
    least = min((r.delta_of["eta"] for r in others.values()), key=lambda e: e.value)
    best = min(deltas(densities, others).values(), key=lambda e: e.value)
    scan = sorted(scan_crowding(evidence("scan", preset=result.preset)), key=lambda e: -e.value)
    several = scan[SEVERAL - 1]
    return both(
        [
            below(over(crowding, least), 1),
            below(over(crowding, several), 1),
            above(over(delta, best), 1),
        ],
        f"delta_OF {lsgan.delta_of['eta']}, the least of a traditional density {least}, worse are "
        f"{sum(e.value > crowding.value for e in scan)} of {len(scan)} settings of the scan; "
        f"delta {lsgan.delta}, the best traditional {best}",
        lsgan.delta_of["eta"].error,
        reasons(
            "" if lsgan.left > 1 else "a single training of the LSGAN",
            "that its delta is above the best traditional one is of the paper's tables; the text "
            "excepts the LSGAN from the GANs that are worse, and it has less than the KDE",
        ),
    )
