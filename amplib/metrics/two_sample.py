"""Whether two samples are of one distribution: classifier tests and sliced distances."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from amplib.estimate import Estimate
from amplib.metrics.weights import as_events, as_weights

Array = NDArray[np.float64]


def auc(
    real: ArrayLike,
    generated: ArrayLike,
    real_weights: ArrayLike | None = None,
    generated_weights: ArrayLike | None = None,
) -> Estimate:
    """Area under the ROC curve: the probability that a real event has the higher score.

    Ties count half.  The error is DeLong's (Biometrics 44, 837), with weights: the spread of each
    event's place among the events of the other sample.

    Args:
        real: scores ``(N,)`` of a classifier on events that it was not trained on.
        generated: scores ``(M,)``.
        real_weights: ``(N,)``, or None.
        generated_weights: ``(M,)``, or None.

    Raises:
        ValueError: scores of another shape, none, NaN or infinity; as of ``as_weights``.
    """
    r, g = _scores(real), _scores(generated)
    v = np.ones(len(r)) if real_weights is None else as_weights(real_weights, len(r))
    w = np.ones(len(g)) if generated_weights is None else as_weights(generated_weights, len(g))
    v, w = v / v.sum(), w / w.sum()
    of_real, of_generated = _places(r, g, w), 1 - _places(g, r, v)
    area = v @ of_real
    variance = v**2 @ (of_real - area) ** 2 + w**2 @ (of_generated - area) ** 2
    return Estimate(float(area), float(np.sqrt(variance)))


def _scores(values: ArrayLike) -> Array:
    """One finite number an event, ``(N,)``."""
    x = as_events(values)
    if x.shape[1] != 1:
        raise ValueError(f"scores of shape {x.shape}: must be one an event")
    return x[:, 0]


def _places(x: Array, among: Array, weights: Array) -> Array:
    """Share of ``among`` below each ``x``, half of the ties included."""
    order = among.argsort()
    below = np.concatenate([[0.0], np.cumsum(weights[order])]) / weights.sum()
    ends = [np.searchsorted(among[order], x, side=side) for side in ("left", "right")]
    return 0.5 * (below[ends[0]] + below[ends[1]])


class TwoSampleTest(NamedTuple):
    """A classifier's AUC on events that it has not seen, and how often chance reaches it."""

    auc: Estimate
    p: float
    """Share of permutations that lie as far from one half, the measurement among them."""
    null: float
    """Standard deviation of the AUC under permutation."""


def classifier_test(
    real: ArrayLike, generated: ArrayLike, rng: np.random.Generator, permutations: int = 999
) -> TwoSampleTest:
    """Classifier two-sample test (Lopez-Paz, Oquab, arXiv:1610.06545) by permutation.

    If both samples are of one distribution the labels of the held-out events mean nothing: the
    test permutes them.  That is exact for any classifier and any size; it needs events without
    weights.  Two-sided, as a classifier that has learned noise may be wrong more often than right.

    Args:
        real: scores ``(N,)`` of events that the classifier was not trained on.
        generated: scores ``(M,)``.
        rng: of the permutations.
        permutations: p is at least 1 / (1 + permutations).

    Raises:
        ValueError: scores of another shape, none, NaN or infinity; no permutation.
    """
    r, g = _scores(real), _scores(generated)
    if permutations < 1:
        raise ValueError(f"permutations = {permutations}: at least 1 is needed")
    n, m = len(r), len(g)
    ranks = rankdata(np.concatenate([r, g]))

    def area(sums: Array) -> Array:
        return (sums - n * (n + 1) / 2) / (n * m)

    null = np.empty(permutations)
    for k in range(permutations):
        null[k] = rng.permutation(ranks)[:n].sum()
    null = area(null)
    far = abs(null - 0.5) >= abs(area(ranks[:n].sum()) - 0.5) - 1e-12
    return TwoSampleTest(auc(r, g), float((1 + far.sum()) / (1 + permutations)), float(null.std()))


def boosted_test(
    real: ArrayLike, generated: ArrayLike, rng: np.random.Generator, permutations: int = 999
) -> TwoSampleTest:
    """``classifier_test`` of boosted trees that see one half of either sample, on the other half.

    Args:
        real: events ``(N, D)``.
        generated: events ``(M, D)``.
        rng: of halves, trees and permutations.
        permutations: see ``classifier_test``.

    Raises:
        ValueError: fewer than four events in a sample, or other columns.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    samples = [as_events(x) for x in (real, generated)]
    if min(map(len, samples)) < 4 or samples[0].shape[1] != samples[1].shape[1]:
        shapes = " and ".join(str(x.shape) for x in samples)
        raise ValueError(f"samples {shapes}: four events of the same columns at least are needed")
    seen, unseen = zip(*(np.split(rng.permutation(x), [len(x) // 2]) for x in samples), strict=True)
    labels = np.repeat([1, 0], [len(x) for x in seen])
    trees = HistGradientBoostingClassifier(random_state=int(rng.integers(2**31)))
    trees.fit(np.concatenate(seen), labels)
    of_real, of_generated = map(trees.decision_function, unseen)
    return classifier_test(of_real, of_generated, rng, permutations)


def sliced_wasserstein(
    first: ArrayLike,
    second: ArrayLike,
    rng: np.random.Generator,
    second_weights: ArrayLike | None = None,
    directions: int = 50,
    resamples: int = 20,
) -> Estimate:
    r"""Mean over directions of the Wasserstein-1 distance of the projected samples.

    .. math::
        \mathrm{SW}(P, Q) = \Big\langle \int |F_\theta(t) - G_\theta(t)|\,dt \Big\rangle_\theta

    in the unit of the points; in one dimension there is one direction.  Its error is over
    events, by Poisson bootstraps.  Like every distance of samples it is not zero for two of one
    distribution: compare it with that of two samples of the truth.

    Args:
        first: ``(N, d)`` or ``(N,)``.
        second: ``(M, d)`` or ``(M,)``.
        rng: of directions and bootstraps.
        second_weights: ``(M,)``, or None.
        directions: unit vectors, uniform on the sphere.
        resamples: bootstraps.

    Raises:
        ValueError: points in other dimensions; as of ``as_events`` and ``as_weights``.
    """
    a, b = as_events(first), as_events(second)
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"points in {a.shape[1]} and in {b.shape[1]} dimensions")
    w = np.ones(len(b)) if second_weights is None else as_weights(second_weights, len(b))
    vectors = rng.standard_normal((1 if a.shape[1] == 1 else directions, a.shape[1]))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    # The measured samples first, then their bootstraps.
    of_first = np.vstack([np.ones(len(a)), rng.poisson(1.0, (resamples, len(a)))])
    of_second = w * np.vstack([np.ones(len(b)), rng.poisson(1.0, (resamples, len(b)))])
    of_first /= of_first.sum(1, keepdims=True)
    of_second /= of_second.sum(1, keepdims=True)
    mass = np.concatenate([of_first, -of_second], 1)
    distances = np.zeros(1 + resamples)
    for vector in vectors:
        t = np.concatenate([a @ vector, b @ vector])
        order = t.argsort()
        gaps = np.diff(t[order])
        for k, row in enumerate(mass):
            distances[k] += np.abs(np.cumsum(row[order])[:-1]) @ gaps
    distances /= len(vectors)
    return Estimate(float(distances[0]), float(distances[1:].std(ddof=1)))
