"""The stored arrays of the reweighting studies as repetitions, before and after weights."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import NamedTuple, cast

import numpy as np

from amplib.estimate import (
    AtLeast,
    Estimate,
    Estimates,
    Interval,
    enumerated,
    geometric_mean,
    mean,
)
from amplib.metrics.outlook import Outlook
from amplib.metrics.separation import Histograms, Separation, separation_or_one
from amplib.metrics.weighed import CLEAR, Helped
from amplib.metrics.weights import usual_dilution
from amplib.metrics.worth import CellContents, n_equiv_over
from amplib.store.results import Result
from amplib.store.study import Arrays
from amplib.studies.reweighting.study import (
    IN_THE_CELLS,
    INPUTS,
    LAYERS,
    LOG_WEIGHTS,
    OBSERVABLES,
    SAMPLES,
    Reweighting,
)
from amplib.truth.showers.config import CORRELATED

GENERATORS = ("reweighted-bibae", "reweighted-gan", "reweighted-simulation")
"""The studies, the paper's generator first."""
AGAIN, GENERATOR, HIGH, LOW = SAMPLES[1:]
"""What is compared with the truth."""
CLASSIFIERS = (HIGH, LOW)
ACTIVE, CENTROID, ENERGY = range(3)
"""Places among the observables; layers, moments and differences follow."""
FIRST_LAYER, FIRST_X, FIRST_Y, FIRST_DIFFERENCE = 3, INPUTS, INPUTS + LAYERS, INPUTS + 2 * LAYERS
_PAIRS = list(combinations(range(5, LAYERS), 2))
GROUPS = {
    "inputs of the high-level model": slice(0, INPUTS),
    "second moments": slice(FIRST_X, FIRST_DIFFERENCE),
    "differences of layers": slice(FIRST_DIFFERENCE, None),
}
"""The rows of Fig. 8."""
A_FEW = 0.1
"""Share of some observables that are clearly away from the truth, up to which there is next to
nothing to mend: of the truth itself a fortieth would be."""


def layer(k: int) -> int:
    """Place of a layer's energy, the first layer being 0."""
    return FIRST_LAYER + k


def moment(k: int) -> int:
    """Place of a layer's second moment along x."""
    return FIRST_X + k


def difference(i: int, j: int) -> int:
    """Place of the energy of layer i less that of a later layer j."""
    return FIRST_DIFFERENCE + _PAIRS.index((i, j))


class Spectra(NamedTuple):
    """Histograms of all observables, repetitions added up, and their squared errors."""

    contents: dict[str, np.ndarray]
    """Of ``SAMPLES``, ``(OBSERVABLES, BINS)``."""
    squares: dict[str, np.ndarray]

    def shape(self, sample: str, observable: int) -> np.ndarray:
        """Contents of unit sum, ``(BINS,)``."""
        contents = self.contents[sample][observable]
        return contents / max(contents.sum(), 1e-30)

    def ratio(self, sample: str, observable: int) -> tuple[np.ndarray, np.ndarray]:
        """Over the truth, both of unit sum, with errors; NaN where the truth has nothing."""
        above, below = self.shape(sample, observable), self.shape("truth", observable)
        counts = [self.contents[s][observable] for s in (sample, "truth")]
        squares = [self.squares[s][observable] for s in (sample, "truth")]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = above / below
            variance = sum(q / c**2 for q, c in zip(squares, counts, strict=True))
            return np.where(below > 0, ratio, np.nan), ratio * np.sqrt(variance)


@dataclass(frozen=True, eq=False)
class Repetition:
    """One training of the two classifiers, and what was measured with their weights."""

    study: Reweighting
    arrays: Arrays

    @cached_property
    def histograms(self) -> dict[str, Histograms]:
        """Of ``SAMPLES``."""
        contents = self.arrays["histograms"].astype(float)
        made = {name: Histograms(c, c) for name, c in zip(SAMPLES, contents, strict=True)}
        for name, squares in zip(CLASSIFIERS, self.arrays["squares"].astype(float), strict=True):
            made[name] = Histograms(made[name].contents, squares)
        return made

    @cached_property
    def separations(self) -> dict[str, Separation]:
        """<S^2> of each observable from the truth, of a second sample of the truth, too."""
        truth = self.histograms["truth"]
        return {
            s: separation_or_one(truth, self.histograms[s])
            for s in (AGAIN, GENERATOR, *CLASSIFIERS)
        }

    @property
    def dilution(self) -> dict[str, Estimates]:
        """r of each observable, without weights and with those of the classifiers."""
        names = (GENERATOR, *CLASSIFIERS)
        return {s: Estimates(*r) for s, r in zip(names, self.arrays["dilution"], strict=True)}

    @property
    def cells(self) -> dict[int, dict[str, CellContents]]:
        """By their number and by ``IN_THE_CELLS``: what lies in cells of equal mass."""
        sizes = self.arrays["cut_from"]
        return {
            q: {
                name: CellContents(weights, squares, int(held_out))
                for name, (weights, squares) in zip(
                    IN_THE_CELLS, self.arrays[f"cells_{q}"], strict=True
                )
            }
            for q, held_out in zip(self.study.quantiles, sizes, strict=True)
        }

    @property
    def correlations(self) -> dict[str, Estimates]:
        """Linear correlations of Fig. 7's observables, of ``SAMPLES``."""
        return {s: Estimates(*c) for s, c in zip(SAMPLES, self.arrays["correlations"], strict=True)}

    def outlook(self, classifier: str) -> Outlook:
        """What its scores say of reweighting."""
        k = CLASSIFIERS.index(classifier)
        most = (self.study.largest, self.study.low_largest)[k]
        return Outlook.of(self.arrays["outlook"][k], most, *self.arrays["clipped"][k])

    def gain(self, classifier: str, observable: int) -> float:
        """<S^2> without weights over that with them, floors included."""
        after = self.separations[classifier].value[observable]
        return float(self.separations[GENERATOR].value[observable] / after)

    def gain_above_floor(self, classifier: str, observable: int) -> float:
        """<S^2> above its floor without weights over that with them, which no floor caps; infinite
        where weights leave nothing above it."""
        before, after = (self.separations[s].excess[observable] for s in (GENERATOR, classifier))
        return float(before / after) if after > 0 else np.inf

    def s2_ratios(self, classifier: str) -> np.ndarray:
        """<S^2> with weights over that without, of all observables."""
        return self.separations[classifier].value / self.separations[GENERATOR].value

    def improved(self, classifier: str, observables: slice) -> int:
        """Of how many observables weights have made <S^2> smaller, by however little."""
        return int((self.s2_ratios(classifier)[observables] < 1).sum())

    def helped(self, classifier: str, observables: slice) -> Helped:
        """How many of these weights have brought nearer to the truth or taken farther from it, by
        more than the noise of the showers."""
        before, after = (
            Separation(*(a[observables] for a in self.separations[s]))
            for s in (GENERATOR, classifier)
        )
        return Helped.of_separations(before, after)

    def off(self, sample: str, observables: slice) -> int:
        """How many of these are clearly away from the truth, by more than the same noise."""
        value, error, floor = (a[observables] for a in self.separations[sample])
        return int((value - floor > CLEAR * error).sum())

    def at_floor(self) -> np.ndarray:
        """Of which observables <S^2> without weights is its floor, within the noise of the showers,
        ``(OBSERVABLES,)``."""
        value, error, floor = self.separations[GENERATOR]
        return np.asarray(value - floor <= CLEAR * error)

    def residual(self, sample: str, without: Collection[str] = ()) -> np.ndarray:
        """Correlations of the truth less those of a sample, each pair of observables once, but for
        those of ``without``."""
        rho = self.correlations
        return _pairs(rho["truth"].value - rho[sample].value, without)

    def residual_error(self, sample: str, without: Collection[str] = ()) -> np.ndarray:
        """What the errors of both samples' correlations make of each."""
        of_truth, own = (self.correlations[s].error for s in ("truth", sample))
        return _pairs(np.hypot(of_truth, own), without)

    def residual_rms(self, sample: str, without: Collection[str] = ()) -> float:
        """Their root mean square."""
        return _rms(self.residual(sample, without))

    def residual_noise(self, sample: str, without: Collection[str] = ()) -> float:
        """That which the errors alone would make."""
        return _rms(self.residual_error(sample, without))

    def residual_over_noise(self, sample: str, without: Collection[str] = ()) -> float:
        """One over the other: about one of the truth itself."""
        return self.residual_rms(sample, without) / self.residual_noise(sample, without)

    def halved(self, classifier: str) -> tuple[int, int]:
        """Pairs whose correlations are clearly off the truth's without weights, and those whose
        distance weights more than halve, by more than the same noise."""
        (before, after), (own, weighted) = (
            [abs(of(s)) for s in (GENERATOR, classifier)]
            for of in (self.residual, self.residual_error)
        )
        more_than_halved = before - 2 * after > CLEAR * np.hypot(own, 2 * weighted)
        return int((before > CLEAR * own).sum()), int(more_than_halved.sum())

    def usual_dilution(self, sample: str) -> Interval:
        """Median and central 68% of r over the observables that vary; NaN if none does."""
        return usual_dilution(self.dilution[sample].value)

    def off_axis(self, classifier: str) -> bool:
        """Whether most weights of generated showers lie beyond ``LOG_WEIGHTS``."""
        counts = self.arrays["weights"][CLASSIFIERS.index(classifier), 1]
        return bool(counts[[0, -1]].sum() > counts.sum() / 2)

    def usual_weight(self, classifier: str) -> float:
        """The most probable weight of a generated shower on the axis (see ``off_axis``)."""
        counts = self.arrays["weights"][CLASSIFIERS.index(classifier), 1, 1:-1]
        centres = (LOG_WEIGHTS[1:] + LOG_WEIGHTS[:-1]) / 2
        return float(10 ** centres[counts.argmax()])

    def lopsided(self, classifier: str) -> float:
        """How far weights reach below the usual one over how far they reach above, in decades.

        From the 5% to the 95% quantile of their logarithm.
        """
        counts = self.arrays["weights"][CLASSIFIERS.index(classifier), 1]
        share = np.cumsum(counts[:-1]) / counts.sum()
        last = len(LOG_WEIGHTS) - 1
        low, high = LOG_WEIGHTS[np.searchsorted(share, (0.05, 0.95)).clip(0, last)]
        usual = np.log10(self.usual_weight(classifier))
        step = LOG_WEIGHTS[1] - LOG_WEIGHTS[0]
        return float(max(usual - low, step) / max(high - usual, step))


def _pairs(matrix: np.ndarray, without: Collection[str]) -> np.ndarray:
    kept = [k for k, name in enumerate(CORRELATED) if name not in without]
    return np.asarray(matrix[np.ix_(kept, kept)][np.triu_indices(len(kept), 1)])


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.nanmean(values**2)))


@dataclass(frozen=True)
class Reweighted:
    """All repetitions of one generator."""

    study: Reweighting
    each: list[Repetition]

    @property
    def title(self) -> str:
        """What the generator is called."""
        return self.study.title

    def over(self, measure: Callable[[Repetition], float]) -> Estimate:
        """Mean over repetitions."""
        return mean([measure(r) for r in self.each])

    def in_turn(self, measure: Callable[[Repetition], float], form: str = "{:.3g}") -> str:
        """Of each repetition, as prose has them: a mean of low-level classifiers that have learned
        and of others that have not is where none of them is."""
        return enumerated(form.format(measure(r)) for r in self.each)

    def factor(self, measure: Callable[[Repetition], float]) -> Estimate:
        """Geometric mean of a positive number over repetitions."""
        return geometric_mean([measure(r) for r in self.each])

    def s2(self, sample: str, observable: int) -> Estimate:
        """<S^2> from the truth."""
        return self.over(lambda r: float(r.separations[sample].value[observable]))

    def excess(self, sample: str, observable: int) -> Estimate:
        """<S^2> above the floor, without the noise of the test showers: zero of the truth."""
        return self.over(lambda r: float(r.separations[sample].excess[observable]))

    def s2_of_truth(self, n: float, observable: int) -> float:
        """<S^2> expected of n showers of the truth: (B - 1) / 4n for B filled bins."""
        filled = (self.spectra.contents["truth"][observable] > 0).sum()
        return float((filled - 1) / (4 * n))

    def median_s2(self, sample: str, observables: slice) -> Estimate:
        """Median of <S^2> over these observables."""
        return self.over(lambda r: float(np.median(r.separations[sample].value[observables])))

    def median_r(self, sample: str) -> Estimate:
        """Median of r over the observables that vary."""
        return self.over(lambda r: r.usual_dilution(sample).value)

    def residual_rms(self, sample: str) -> Estimate:
        """Root mean square of the differences of correlations from the truth's."""
        return self.over(lambda r: r.residual_rms(sample))

    def r(self, sample: str, observable: int) -> Estimate:
        """Dilution."""
        return self.over(lambda x: float(x.dilution[sample].value[observable]))

    def auc(self, classifier: str) -> Estimate:
        """Of a classifier on showers that it was not trained on."""
        return self.over(lambda r: r.outlook(classifier).auc.value)

    def mean_weight(self, classifier: str) -> Estimate:
        """Of generated showers, clipped."""
        return self.over(lambda r: r.outlook(classifier).mean_weight.value)

    def means_before_clip(self, classifier: str) -> list[float]:
        """Of each repetition, whose mean is one less the share of the truth that no shower is
        generated for (eq. 10).  A few weights may make it: from one repetition to the next it may
        differ by decades."""
        return [r.outlook(classifier).mean_before_clip for r in self.each]

    @property
    def hopeless(self) -> bool:
        """Whether in all repetitions the scores of the high-level classifier say *no*."""
        return all(r.outlook(HIGH).answer == "no" for r in self.each)

    def tells(self, observables: slice) -> bool:
        """Whether it could show that weights mend these: weights leave it something, and in any
        repetition more than ``A_FEW`` of them are clearly away from the truth without."""
        of = len(range(*observables.indices(OBSERVABLES)))
        off = max(r.off(GENERATOR, observables) for r in self.each)
        return not self.hopeless and off > A_FEW * of

    def left(self, classifier: str) -> Estimate:
        """Share of the generated showers that weights leave, N_eff / N."""
        return self.over(lambda r: r.outlook(classifier).effective_share.value)

    def worth(self, q: int, sample: str) -> Estimate | AtLeast | None:
        """N_equiv of one of ``IN_THE_CELLS``, without the noise of the test showers: what ever more
        generated ones would be worth.

        None where a repetition has fewer effective showers than cells.
        """
        contents = [r.cells[q][sample] for r in self.each]
        if any(c.effective < q for c in contents):
            return None
        return n_equiv_over([c.inverse for c in contents])

    @property
    def pearson(self) -> Estimate:
        """Correlation of the two classifiers' weights."""
        return self.over(lambda r: float(r.arrays["pearson"][0]))

    @cached_property
    def limits(self) -> np.ndarray:
        """Ends of the histograms, ``(OBSERVABLES, 2)``: those of every repetition."""
        return self.each[0].arrays["limits"]

    @cached_property
    def spectra(self) -> Spectra:
        """All repetitions together."""

        def total(part: int) -> dict[str, np.ndarray]:
            return {s: np.sum([r.histograms[s][part] for r in self.each], 0) for s in SAMPLES}

        return Spectra(total(0), total(1))

    def residuals(self, sample: str) -> np.ndarray:
        """Correlations of the truth less those of a sample, over repetitions, ``(11, 11)``."""
        rho = [r.correlations for r in self.each]
        return np.mean([c["truth"].value - c[sample].value for c in rho], 0)

    def pairs_of(self, classifier: str) -> np.ndarray:
        """Clipped weights of the generated showers that are kept one by one, all repetitions
        together; those below 1e-38 are zero."""
        column = 0 if classifier == LOW else 1
        return np.concatenate([r.arrays["pairs"][:, column] for r in self.each]).astype(float)

    def weight_counts(self, classifier: str, sample: int) -> np.ndarray:
        """Of log10 W: of the truth (0) or of generated showers (1)."""
        k = CLASSIFIERS.index(classifier)
        return np.sum([r.arrays["weights"][k, sample] for r in self.each], 0)


def peak(values: np.ndarray) -> float:
    """Where values lie densest: the middle of the shortest interval that holds half of them.

    >>> peak(np.array([1.0, 1.1, 1.2, 1.3, 5.0, 9.0, 0.1]))
    1.15
    """
    ordered = np.sort(values[np.isfinite(values)])
    half = (len(ordered) + 1) // 2
    width = ordered[half - 1 :] - ordered[: len(ordered) - half + 1]
    first = int(width.argmin())
    return float((ordered[first] + ordered[first + half - 1]) / 2)


def read(result: Result) -> Reweighted:
    """All repetitions that are done."""
    study = cast(Reweighting, result.study)
    return Reweighted(study, [Repetition(study, arrays) for arrays in result.load().values()])
