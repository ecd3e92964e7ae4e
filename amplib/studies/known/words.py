"""What paired pulls say of a bias, in words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from amplib.estimate import LEVEL, enumerated
from amplib.studies.known.reading import Trainings, most_by_chance
from amplib.style import with_minus
from amplib.truth.pairs import kinds

WHERE = {
    "1D": "on the line",
    "correlated 2D": "in two dimensions",
    "5D": "in five dimensions",
    "tails": "beside Student's t",
}
PLURALS = {"x": "means", "x²": "second moments", "product": "the product", "tail": "tails"}


def of_bias(pairs: Mapping[str, Trainings]) -> str:
    """Which learned expectations are biased, by how much, and how often chance does as much: *are*
    where even the largest of all pulls is too large for it, *may be* where only more of them than
    by chance are beyond Student's 95%."""
    biased = {name: t for name, t in pairs.items() if t.biased().any()}
    found = sum(int(t.biased().sum()) for t in pairs.values())
    of = sum(len(t.biased()) for t in pairs.values())
    by_chance, chance = (1 - LEVEL) * of, most_by_chance(pairs)
    counted = (
        f"{found or 'none'} of {of} pulls {'is' if found == 1 else 'are'} beyond Student's "
        f"{LEVEL:.0%}, where {by_chance:.1f} would be by chance"
    )
    if found <= by_chance and chance > 1 - LEVEL:
        return f"no bias is seen: {counted}"
    where = enumerated(f"{WHERE[name]} ({_sizes(t)})" for name, t in biased.items())
    most = f"{chance:.1%}" if chance >= 0.001 else "less than 0.1%"
    return (
        f"learned ones {'are' if chance < 1 - LEVEL else 'may be'} biased {where}; {counted}, and "
        f"the largest of them would be as large in {most} of all cases at most"
    )


def _sizes(trainings: Trainings) -> str:
    """``second moments by -1.9 to -1.5%, t from -12 to -4.0 with 4 degrees of freedom``."""
    biased, of = trainings.biased(), np.array(kinds(trainings.pair.dimension))
    off, pulls = trainings.learned_less_exact().mean(0), trainings.paired_pulls()[biased]
    texts = []
    for kind in dict.fromkeys(of[biased].tolist()):
        unit = " of their spread" if kind == "x" else ""
        texts.append(f"{PLURALS[kind]} by {_ends(100 * off[biased & (of == kind)], 1)}%{unit}")
    t = f"{'t from' if len(pulls) > 1 else 't ='} {_ends(pulls, 1)}"
    freedom = len(trainings.each) - 1
    return f"{', '.join(texts)}, {t} with {freedom} degree{'s' * (freedom > 1)} of freedom"


def _ends(values: np.ndarray, digits: int) -> str:
    """``-1.9 to -1.5``, or one number where all round to it, with the minus of typography."""
    low, high = (with_minus(f"{end:.{digits}f}") for end in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"
