"""What DCTRGAN says of reweighted showers, measured."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from amplib.estimate import Estimate, written_area
from amplib.metrics.verdict import MISSED, UNDECIDED, Finding, about, above, both, judge, reasons
from amplib.studies.claim import Evidence, claim
from amplib.studies.reweighting.reading import (
    ACTIVE,
    CENTROID,
    CLASSIFIERS,
    FIRST_LAYER,
    FIRST_X,
    FIRST_Y,
    GENERATOR,
    HIGH,
    LOW,
    Repetition,
    Reweighted,
    peak,
    read,
)

BIBAE, CONTROL = "reweighted-bibae", "reweighted-simulation"
RULES = (
    "Reweighted showers are those of the BIB-AE. Far from the truth weights do not work at all, as "
    "the paper says itself (sec. II C): where the scores of the high-level classifier say *no* in "
    "every repetition there is nothing to weigh, and whatever is measured a claim is undecided. "
    "They say so by the effective share of the events and the mean weight before the clip; before "
    "the numbers were known it was an AUC above 0.95 in the place of the mean, and no verdict "
    "differs by it. "
    "The reason beside a verdict has the AUC of that classifier, and what classifiers of the same "
    "kind, at the preset `laptop` from more showers and in more passes, do for a fast simulation "
    "with a wrong setting; and what they do for it by the paper's protocol, from its numbers of "
    "showers and with the weights of the last epoch, if that is stored. Where the simulation is at "
    "its floor without weights, as in its centroid and its "
    "second moments, its number says nothing. At no preset does the BIB-AE have the published "
    "size, or the published training. Intervals are over trainings of the classifiers, of one of "
    "the generator. Low-level classifiers stand in turn, as some have learned and others have not.",
    "A distribution is *peaked* in the middle of the shortest interval that holds half of it; "
    "ratios of <S²> in their logarithm. *Residual correlations* are reduced by the root mean "
    "square of all pairs. *Systematically*: <S²> in more than half of the layers, whose energies "
    "the paper says it of, r in more than half of all observables. Of r of the "
    "high-level model the peak is judged; the end of its tail is told beside it.",
)

NOTHING = "nothing to weigh: the scores say no in every repetition"

Told = Callable[[Reweighted], Finding]


def _beside_control(evidence: Evidence, judged: Told) -> Finding:
    """The finding for the BIB-AE, with the control's in the reason, at its preset and at the
    paper's; undecided where there is nothing to weigh."""
    result = evidence(BIBAE)
    bibae, control = read(result), evidence(CONTROL, preset=result.preset)
    finding, papers = judged(bibae), evidence(CONTROL, preset="paper")
    more = papers.preset != control.preset and papers.done()
    reason = reasons(
        f"the BIB-AE's AUC is {written_area(bibae.auc(HIGH))}",
        _of_control("of the fast simulation", read(control), judged),
        _of_control("by the paper's protocol", read(papers), judged) if more else "",
    )
    if bibae.hopeless:
        why = reasons(NOTHING, finding.why, reason)
        return Finding(finding.measured, finding.error, UNDECIDED, why)
    why = reasons(finding.why, reason)
    return Finding(finding.measured, finding.error, finding.verdict, why, finding.repetitions)


def _of_control(which: str, control: Reweighted, judged: Told) -> str:
    area = written_area(control.auc(HIGH))
    how = f"{control.study.keep} epoch, {control.study.generated:,} showers, AUC {area}"
    return f"{which} ({how}): {judged(control).measured}"


@claim("dctrgan.active-cells-s2-high", "dctrgan-fig3", BIBAE, classifier=HIGH)
@claim("dctrgan.active-cells-s2-low", "dctrgan-fig3", BIBAE, classifier=LOW)
def active_cells(evidence: Evidence, value: dict[str, float], classifier: str) -> Finding:
    """<S^2> of the active cells without weights over that with them, and r.

    The paper's numbers have their floors in them; beside ours, which a floor of fewer showers caps,
    stands what it is above the floor.
    """

    def judged(showers: Reweighted) -> Finding:
        gain = showers.factor(lambda x: x.gain(classifier, ACTIVE))
        r = showers.r(classifier, ACTIVE)
        found = [about(gain, value["s2_gain"]), about(r, value["r"])]
        above_floor = showers.in_turn(lambda x: x.gain_above_floor(classifier, ACTIVE))
        told = [str(gain), str(r)]
        if classifier == LOW:
            told = [
                f"{showers.in_turn(lambda x: x.gain(LOW, ACTIVE))} in turn",
                f"{showers.in_turn(lambda x: float(x.dilution[LOW].value[ACTIVE]))} in turn",
            ]
        text = f"<S²> {told[0]} times smaller, above its floor {above_floor} in turn, r {told[1]}"
        return both(found, text, gain.error)

    return _beside_control(evidence, judged)


@claim("dctrgan.centroid-s2-high", "dctrgan-fig3", BIBAE)
def centroid(evidence: Evidence, value: str) -> Finding:
    """<S^2> of the centroid without weights over that with high-level ones."""
    bound = float(value.removeprefix(">"))
    return _beside_control(
        evidence, lambda showers: above(showers.factor(lambda x: x.gain(HIGH, CENTROID)), bound)
    )


@claim("dctrgan.summary-s2-ratio", "dctrgan-fig8", BIBAE)
def usual_ratio(evidence: Evidence, value: list[float]) -> Finding:
    """Where the ratios of <S^2> of all observables are densest, of both classifiers."""

    def ratio(x: Repetition) -> float:
        return float(np.exp(peak(np.log([x.s2_ratios(c) for c in CLASSIFIERS]).ravel())))

    low, high = value
    return _beside_control(evidence, lambda showers: judge(showers.factor(ratio), low, high))


def _usual_r(classifier: str) -> Callable[[Repetition], float]:
    return lambda x: peak(x.dilution[classifier].value)


@claim("dctrgan.summary-r-low", "dctrgan-fig8", BIBAE)
def usual_low_r(evidence: Evidence, value: float) -> Finding:
    """Where r is densest, of low-level weights; beside it in each repetition, as some of their
    classifiers may have learned and others not."""

    def judged(showers: Reweighted) -> Finding:
        usual, single = showers.over(_usual_r(LOW)), showers.in_turn(_usual_r(LOW), "{:.2f}")
        return both([about(usual, value)], f"{usual}, in turn {single}", usual.error)

    return _beside_control(evidence, judged)


@claim("dctrgan.summary-r-high", "dctrgan-fig8", BIBAE)
def usual_high_r(evidence: Evidence, value: float) -> Finding:
    """Where r is densest, of high-level weights, and the largest r."""

    def judged(showers: Reweighted) -> Finding:
        usual = showers.over(_usual_r(HIGH))
        most = showers.over(lambda x: float(np.nanmax(x.dilution[HIGH].value)))
        return both([above(usual, value)], f"{usual}, at most {most}", usual.error)

    return _beside_control(evidence, judged)


@claim("dctrgan.residual-correlations", "dctrgan-fig7", BIBAE)
def residuals(evidence: Evidence, value: list[float]) -> Finding:
    """Root mean square of the differences of correlations, without weights over with them; beside
    it how many pairs are clearly off the truth, and how many weights more than halve: the paper
    says it of "many of" them."""

    low, high = value

    def judged(showers: Reweighted) -> Finding:
        def factor(x: Repetition, c: str) -> float:
            return x.residual_rms(GENERATOR) / x.residual_rms(c)

        factors = _factors(showers, factor)
        text = f"{factors[0]} (high-level), {showers.in_turn(lambda x: factor(x, LOW))} in turn"
        text += " (low-level); pairs clearly off in turn "
        text += showers.in_turn(lambda x: x.halved(HIGH)[0], "{}")
        halved = [f"{showers.in_turn(_halved(c), '{}')} ({c})" for c in CLASSIFIERS]
        text += f", more than halved {', '.join(halved)}"
        return both([judge(f, low, high) for f in factors], text, factors[0].error)

    return _beside_control(evidence, judged)


def _halved(classifier: str) -> Callable[[Repetition], int]:
    return lambda x: x.halved(classifier)[1]


def _factors(showers: Reweighted, measure: Callable[[Repetition, str], float]) -> list[Estimate]:
    """A positive number of each classifier."""

    def of(classifier: str) -> Estimate:
        return showers.factor(lambda x: measure(x, classifier))

    return [of(classifier) for classifier in CLASSIFIERS]


@claim("dctrgan.weights-shape", "dctrgan-fig2", BIBAE)
def shape(evidence: Evidence, _: object) -> Finding:
    """The most probable weight, and how much farther weights reach below it than above."""

    def judged(showers: Reweighted) -> Finding:
        found = [_shape(showers, c) for c in CLASSIFIERS]
        return both(found, ", ".join(f.measured for f in found), found[0].error)

    return _beside_control(evidence, judged)


def _shape(showers: Reweighted, classifier: str) -> Finding:
    """Of one classifier's weights; beyond the axis they have neither a peak nor tails."""
    n, beyond = len(showers.each), sum(x.off_axis(classifier) for x in showers.each)
    if beyond:
        text = f"{classifier}: most beyond the axis in {beyond} of {n} repetitions"
        return Finding(text, None, MISSED if beyond == n else UNDECIDED)
    usual = showers.factor(lambda x: x.usual_weight(classifier))
    tail = showers.factor(lambda x: x.lopsided(classifier))
    text = f"{classifier}: {usual}, the lower tail {tail} times as long in decades"
    return both([about(usual, 1), above(tail, 1)], text, usual.error)


@claim("dctrgan.weights-correlate", "dctrgan-fig2", BIBAE)
def correlate(evidence: Evidence, _: object) -> Finding:
    """Pearson's correlation of the two weights of a shower."""
    return _beside_control(evidence, lambda showers: above(showers.pearson, 0))


@claim("dctrgan.unseen-moments", "dctrgan-fig6", BIBAE)
def unseen(evidence: Evidence, value: str) -> Finding:
    """Layers whose second moment along x has a smaller <S^2> with high-level weights; beside it in
    how many it is smaller, and larger, by more than the noise of the showers."""
    every, moments = int(value.split()[0]), slice(FIRST_X, FIRST_Y)

    def judged(showers: Reweighted) -> Finding:
        layers = showers.over(lambda x: x.improved(HIGH, moments))
        clearly = showers.over(lambda x: x.helped(HIGH, moments).closer)
        farther = showers.over(lambda x: x.helped(HIGH, moments).farther)
        text = f"{layers} layers, clearly in {clearly}; clearly larger in {farther}"
        return both([judge(layers, every, every)], text, layers.error)

    return _beside_control(evidence, judged)


@claim("dctrgan.high-beats-low", "dctrgan-fig8", BIBAE)
def better(evidence: Evidence, _: object) -> Finding:
    """Share of the layers in whose energy the high-level model has the smaller <S^2>, and of all
    observables in which it has the larger r."""
    layers = slice(FIRST_LAYER, FIRST_X)

    def judged(showers: Reweighted) -> Finding:
        shares = (
            _share(lambda x, c: -x.separations[c].value[layers]),
            _share(lambda x, c: x.dilution[c].value),
        )
        closer, dearer = map(showers.over, shares)
        first, second = (showers.in_turn(share, "{:.0%}") for share in shares)
        text = f"closer in {first} of the layers in turn, at larger r in {second} of the"
        text += " observables"
        return both([above(closer, 0.5), above(dearer, 0.5)], text, closer.error)

    return _beside_control(evidence, judged)


def _share(of: Callable[[Repetition, str], np.ndarray]) -> Callable[[Repetition], float]:
    """Of some observables those in which the high-level model has more of something."""
    return lambda x: float((of(x, HIGH) > of(x, LOW)).mean())
