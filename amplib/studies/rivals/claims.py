"""What the event paper says of the B-VAE's rivals, measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from amplib.estimate import Estimate, Skewed, enumerated, geometric_mean, positive_mean
from amplib.metrics.ranks import over
from amplib.metrics.verdict import Finding, above, below, both, reasons
from amplib.store.results import Result
from amplib.studies.claim import Evidence, claim
from amplib.studies.merit.claims import about_the_papers, of_fewer
from amplib.studies.merit.reading import smearings
from amplib.studies.rivals.reading import PAPER, Rival, rivals, scan_crowding

GANS = ("DijetGAN", "LSGAN", "MMD-GAN", "WGAN-GP", "WGAN")
TRADITIONAL = ("KDE", "GMM, 50", "GMM, 100", "GMM, 1000")
SEVERAL = 2
RULES = (
    "Of the B-VAE's rivals, a GAN is judged by the geometric mean over its trainings, which may "
    "differ tenfold, with Student's interval in the logarithm, in brackets: a single training "
    "decides nothing.  "
    "This rule replaced the mean of the figures themselves after the numbers were known; a verdict "
    "that is another by that is named.  A density of the events has little to choose beside them; "
    f"its interval is over the events that it generates.  *Several* models of the scan are "
    f"{SEVERAL} or more.",
)
Average = Callable[[Sequence[float]], Estimate]


def known(result: Result, methods: Iterable[str]) -> dict[str, Rival]:
    """These methods.

    Raises:
        FileNotFoundError: one is missing, or all of its trainings have diverged.
    """
    found = rivals(result)
    for method in methods:
        if method not in found or found[method].delta is None:
            raise FileNotFoundError(f"no training of {method} to look at")
    return {method: found[method] for method in methods}


def delta_of_single(rival: Rival) -> Estimate:
    """delta of a density, which is fitted once."""
    assert rival.delta is not None, rival.method
    return rival.delta


def figures(rival: Rival) -> tuple[list[float], list[float]]:
    """delta and delta_OF (eta) of each training that has not diverged."""
    single = [(delta_of_single(rival).value, rival.delta_of["eta"].value)]
    deltas, crowding = zip(*(rival.each or single), strict=True)
    return list(deltas), list(crowding)


def shown(rival: Rival) -> tuple[Estimate, Estimate]:
    """delta and delta_OF (eta) for the reader: geometric means with their intervals; a single
    training's own, with the errors over its events."""
    if not rival.each:
        return delta_of_single(rival), rival.delta_of["eta"]
    deltas, crowding = figures(rival)
    return Skewed(*geometric_mean(deltas)), Skewed(*geometric_mean(crowding))


def over_trainings(
    judge: Callable[[Average], list[Finding]],
    measured: str,
    trained: Mapping[str, Rival],
    error: float,
    *why: str,
) -> Finding:
    """What is judged by geometric means over trainings; the verdict by the means of the figures
    themselves, if it is another, stands beside it."""
    found = both(judge(geometric_mean), measured, error)
    earlier = both(judge(positive_mean), measured, error).verdict
    by_means = f"by the earlier rule, the mean over trainings, {earlier}"
    return replace(
        found,
        why=reasons(by_means if earlier != found.verdict else "", *why),
        trainings=numbers_of_trainings(trained),
    )


def numbers_of_trainings(trained: Mapping[str, Rival]) -> str:
    """How many trainings each method has that have not diverged.

    >>> three, one = (Rival("", n, 0, None, {}, 0.0) for n in (3, 1))
    >>> numbers_of_trainings({"A": three, "B": one, "C": three})
    '3 trainings of A and C, 1 of B'
    """
    methods: dict[int, list[str]] = {}
    for method, rival in trained.items():
        methods.setdefault(rival.left, []).append(method)
    first, *others = (f"{n} of {enumerated(names)}" for n, names in methods.items())
    n, _, names = first.partition(" of ")
    return ", ".join([f"{n} training{'s' * (n != '1')} of {names}", *others])


@claim("bvae.gans", "rivals-fig1", "event-gans")
def gans(evidence: Evidence, _: object) -> Finding:
    """delta of each GAN of Table IV."""
    result = evidence("event-gans")
    trained, events = known(result, GANS), result.study.asdict()["events"]

    def judge(average: Average) -> list[Finding]:
        return [
            about_the_papers(average(figures(rival)[0]), PAPER[method][0], events)
            for method, rival in trained.items()
        ]

    deltas = {method: shown(rival)[0] for method, rival in trained.items()}
    text = ", ".join(f"{method} {delta}" for method, delta in deltas.items())
    return over_trainings(judge, text, trained, deltas[GANS[0]].error, of_fewer(events))


@claim("bvae.direct-densities", "rivals-fig1", "event-densities")
def direct_densities(evidence: Evidence, _: object) -> Finding:
    """delta of each row of Table V.  The smearings are no evidence of their own: they chose the
    rule of delta (``merit-choices``)."""
    result = evidence("event-densities")
    smeared = smearings(evidence("ttbar-smeared", preset=result.preset))
    values = {m: delta_of_single(rival) for m, rival in known(result, TRADITIONAL).items()}
    values |= {f"{s.width:.0%} smearing": s.delta for s in smeared[:2]}
    events = result.study.asdict()["events"]
    found = {m: about_the_papers(delta, PAPER[m][0], events) for m, delta in values.items()}
    alone = both([found[m] for m in TRADITIONAL], "", None).verdict
    return both(
        list(found.values()),
        ", ".join(f"{method} {delta}" for method, delta in values.items()),
        values[TRADITIONAL[0]].error,
        reasons(
            "the smearings are no evidence, as the rule for entries outside of a histogram was "
            f"chosen by them; by the KDE and the mixtures alone {alone}",
            of_fewer(events),
        ),
    )


@claim("bvae.lsgan-delta-of", "rivals-fig1", "event-gans")
def lsgan_crowding(evidence: Evidence, _: object) -> Finding:
    """delta_OF of the LSGAN over that of the best traditional density and of the scan's models,
    and its delta over the best traditional one."""
    result = evidence("event-gans")
    trained = known(result, ["LSGAN"])
    (lsgan,) = trained.values()
    densities = rivals(evidence("event-densities", preset=result.preset))
    others = [r for m, r in densities.items() if m in TRADITIONAL and r.delta]
    least = min((r.delta_of["eta"] for r in others), key=lambda e: e.value)
    best = min((delta_of_single(r) for r in others), key=lambda e: e.value)
    scan = sorted(scan_crowding(evidence("scan", preset=result.preset)), key=lambda e: -e.value)

    def judge(average: Average) -> list[Finding]:
        delta, crowding = map(average, figures(lsgan))
        return [
            below(over(crowding, least), 1),
            below(over(crowding, scan[SEVERAL - 1]), 1),
            above(over(delta, best), 1),
        ]

    delta, crowding = shown(lsgan)
    return over_trainings(
        judge,
        f"delta_OF {crowding}, the least of a traditional density {least}, worse are "
        f"{sum(e.value > crowding.value for e in scan)} of {len(scan)} settings of the scan; "
        f"delta {delta}, the best traditional {best}",
        trained,
        crowding.error,
        "" if lsgan.left > 1 else "a single training of the LSGAN",
        "that its delta is above the best traditional one is of the paper's tables; the text "
        "excepts the LSGAN from the GANs that are worse, and it has less than the KDE",
    )
