"""What the numbers of stored priors say, in words that turn with them."""

from __future__ import annotations

from collections.abc import Mapping

from amplib.estimate import Estimate, enumerated
from amplib.studies.latent.claims import difference, learned
from amplib.studies.latent.reading import JudgedPrior

CLEAR = 2.0
"""Errors of a difference from which on one is nearer to the truth than the other."""


def of_none_negative(cut: Mapping[str, JudgedPrior], kept: Mapping[str, JudgedPrior]) -> str:
    """What is left of delta where nothing decoded is negative, and whether the best of the fitted
    priors is nearer to the truth than the buffers then.

    Args:
        cut: judged with what is below zero set to zero; maybe not all of them.
        kept: the same as the decoder leaves them.
    """
    fitted = learned(cut)
    buffers = {n: p.delta for n, p in cut.items() if p.prior.kind == "buffer" and not p.diverged}
    if not fitted or not buffers:
        return "How much of it that is was not measured for these priors."
    best = min(fitted, key=lambda name: fitted[name].delta.value)
    theirs = fitted[best].delta
    left = theirs.value / kept[best].delta.value
    beside = enumerated(f"{delta} ({name})" for name, delta in buffers.items())
    return (
        "With what is decoded below zero set to zero, as all of an absent lepton is in the truth, "
        f"the best of the fitted priors that are judged so, {best}, has δ = {theirs}, {left:.0%} "
        f"of what it had, and the buffers have {beside}: {_places(theirs, buffers)}."
    )


def _places(theirs: Estimate, buffers: Mapping[str, Estimate]) -> str:
    """Than which buffers it is nearer to the truth, by ``CLEAR`` errors of the difference."""
    places: dict[str, list[str]] = {}
    for name, delta in buffers.items():
        apart = difference(theirs, delta)
        way = "farther from the truth than" if apart.value > 0 else "nearer to the truth than"
        way = way if abs(apart.value) >= CLEAR * apart.error else "not told apart from"
        places.setdefault(way, []).append(f"the {name}")
    return "the prior is " + ", ".join(f"{way} {enumerated(who)}" for way, who in places.items())
