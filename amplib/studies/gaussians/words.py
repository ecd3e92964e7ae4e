"""What the numbers of the mixtures say, in words that turn with them."""

from __future__ import annotations

from collections.abc import Mapping

from amplib.studies.gaussians.reading import Trainings, distance_gain

WHERE = {"bimodal": "the line", "ring": "the circle", "grid": "the grid"}
FAR = 1.5
"""Factor beyond which two r are not alike."""


def of_distance(mixtures: Mapping[str, Trainings]) -> str:
    """Where weights bring the sliced Wasserstein distance down, by the 95% interval of its ratio;
    else in how many trainings it grows."""
    texts = []
    for name, trainings in mixtures.items():
        gains = [distance_gain(t) for t in trainings.each]
        _, low, high = trainings.gain(distance_gain).interval()
        if low <= 1 <= high:
            grown = f"{sum(gain < 1 for gain in gains)} of {len(gains)}"
            texts.append(f"on {WHERE[name]} it is open, and grows in {grown} trainings")
        else:
            texts.append(f"on {WHERE[name]} it {'falls' if low > 1 else 'grows'}")
    return "; ".join(texts)


def of_eq_9(mixtures: Mapping[str, Trainings]) -> str:
    """How far eq. 9 is from the bootstrap where they agree least."""
    name, training = max(
        ((name, t) for name, trainings in mixtures.items() for t in trainings.each),
        key=lambda found: found[1].eq_9_off.max(),
    )
    factors = training.eq_9_off
    if factors.max() < FAR:
        return f"They are nowhere apart by more than a factor {factors.max():.2f}."
    lost = 100 * training.outlook.lost.value
    return (
        "It takes the weighted events for the truth, and where these do not reach it, it fails: in "
        f"the training on {WHERE[name]} with {lost:.2g}% of the truth beyond the clip the factor "
        f"is above {FAR:g} for {(factors > FAR).sum()} of {len(factors)}, and up to "
        f"{factors.max():.2g}, lost modes not counted."
    )
