"""Can weights save it? A classifier between true and generated events, and what its weights do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amplib.cells import as_events
from amplib.door.judge import check_whole, copies
from amplib.door.verdict import note_of_shared
from amplib.metrics.outlook import LARGEST
from amplib.metrics.weighed import Weighed, weigh
from amplib.metrics.weights import as_weights
from amplib.models.config import DCTRTraining
from amplib.progress import Progress, unheard

if TYPE_CHECKING:
    from amplib.models.dctr import DCTR

Array = NDArray[np.float64]
Observables = Callable[[Array], Array]

HIDDEN = (64, 128, 256)
"""Of the paper's classifier in two dimensions (sec. III A)."""
TRAINING = DCTRTraining(epochs=50, patience=5, temperature="on")
"""The temperature keeps the mean weight near one: without it a classifier of some ten thousand
events is too sure of many columns."""
FEWEST = 100
"""Events of either kind: half of them train, a fifth of these validates."""


@dataclass(frozen=True, eq=False)
class Reweighting:
    """A classifier, and what its weights do to events that it was not trained on.

    Args:
        weighed: that, measured; ``print`` says it in words.
        classifier: gives the weights.
        largest: weight at which they are clipped.
        columns: of the events.
        shared: share of the events that are rows of the held-out ones.
    """

    weighed: Weighed
    classifier: DCTR
    largest: float
    columns: int
    shared: float = 0.0

    def weights(self, events: ArrayLike) -> Array:
        """Weights ``(N,)`` of further generated events ``(N, D)``, clipped.

        Raises:
            ValueError: events with other columns than those that trained the classifier.
        """
        x = as_events(events)
        if x.shape[1] != self.columns:
            raise ValueError(f"events have {x.shape[1]} columns, the classifier {self.columns}")
        return np.minimum(self.classifier.weights(x), self.largest)

    def __str__(self) -> str:
        return "\n".join([str(self.weighed), *note_of_shared(self.shared)])


def steps(events: int, held_out: int, training: DCTRTraining = TRAINING) -> int:
    """The most that a training takes on so many events of either kind; it may end before."""
    halves = [-(-n // 2) for n in (events, held_out)]
    trained = sum(n - round(training.validation * n) for n in halves)
    return training.epochs * -(-trained // training.batch_size)


def reweight(
    events: ArrayLike,
    *,
    held_out: ArrayLike,
    observables: Observables | None = None,
    training: DCTRTraining = TRAINING,
    largest: float = LARGEST,
    seed: int | np.random.SeedSequence = 0,
    double: bool = False,
    held_out_weights: ArrayLike | None = None,
    progress: Progress = unheard,
) -> Reweighting:
    """Weight one generator's events by a classifier, and say what that does and what it costs.

    Half of either sample, drawn by lot, trains the classifier (DCTRGAN, sec. II C), the other half
    is measured.  What another classifier would say is not in the errors: other seeds show it.

    Args:
        events: (N, D), or (N,) for one column; independent draws of the generator.
        held_out: (M, D) events of the truth that the generator has not seen.
        observables: of events (n, D) those (n, F) in which the result is measured; the columns
            themselves if there is none.
        training: how the classifier is trained.
        largest: weight at which generated events are clipped.
        seed: of all random numbers.
        double: whether the classifier is in float64, twice as slow.
        held_out_weights: (M,) weights that the true events come with, as those of a simulation do;
            r is then what the generated events lose against them.
        progress: told the steps of the training, as they are made; it stops by itself, after
            ``steps`` at the latest.

    Raises:
        ValueError: in one line: other columns than the truth's, NaN, fewer than 100 events of
            either kind, weights that are negative, not finite or not one an event, ``largest``
            not above zero or infinite, observables that are none, no seed, a training that
            diverges; all but the last before any work.

    >>> import amplib
    >>> rng = np.random.default_rng(1)
    >>> made, real = rng.normal(0.0, 1.2, 4000), rng.normal(0.3, 1.0, 4000)
    >>> amplib.reweight(made, held_out=real).weighed.answer
    'freely'
    """
    if observables is not None and not callable(observables):
        raise ValueError(f"observables must be a function, got {type(observables).__name__}")
    if not isinstance(training, DCTRTraining):
        raise ValueError(f"training must be a DCTRTraining, got {type(training).__name__}")
    if not (isinstance(largest, Real) and 0 < largest < np.inf):
        raise ValueError(f"largest = {largest!r}: must be a finite number above zero")
    if not isinstance(seed, np.random.SeedSequence):
        check_whole("seed", seed, 0)
        seed = np.random.SeedSequence(seed)
    x, truth = as_events(events), as_events(held_out, "held-out events")
    if x.shape[1] != truth.shape[1]:
        raise ValueError(f"events have {x.shape[1]} columns, but held-out ones {truth.shape[1]}")
    for name, sample in (("events", x), ("held-out events", truth)):
        if len(sample) < FEWEST:
            raise ValueError(f"{len(sample)} {name}: at least {FEWEST} are needed")
    v = (
        np.ones(len(truth))
        if held_out_weights is None
        else as_weights(held_out_weights, len(truth))
    )
    start, fit, resampling, lot = seed.spawn(4)
    draw = np.random.default_rng(lot)
    (made, test), (real, unseen) = (
        [sample[rows] for rows in np.array_split(draw.permutation(len(sample)), 2)]
        for sample in (x, np.column_stack([truth, v]))
    )
    (real, v_real), (unseen, v_unseen) = ((s[:, :-1], s[:, -1]) for s in (real, unseen))
    measured = [_measured(observables, sample) for sample in (unseen, test)]
    if measured[0].shape[1] != measured[1].shape[1]:
        raise ValueError("observables of true and of generated events are not equally many")

    import torch

    from amplib.models.dctr import perceptron, train_dctr

    generator = torch.Generator().manual_seed(int(start.generate_state(1)[0]))
    network = perceptron(np.concatenate([real, made]), HIDDEN, generator).to(
        torch.float64 if double else torch.float32
    )
    dctr = train_dctr(network, real, made, training, fit, real_weights=v_real, progress=progress)
    weighed = weigh(
        *measured, dctr.weights(unseen), dctr.weights(test),
        np.random.default_rng(resampling), largest, v_unseen,
    )  # fmt: skip
    return Reweighting(weighed, dctr, largest, x.shape[1], copies(x, truth))


def _measured(observables: Observables | None, events: Array) -> Array:
    """Observables (n, F) of events (n, D); the columns themselves if there is no function.

    Raises:
        ValueError: they are no numbers, or not one row an event.
    """
    found = as_events(observables(events) if observables else events, "observables")
    if len(found) != len(events):
        raise ValueError(f"observables have {len(found)} rows, not one for each of {len(events)}")
    return found
