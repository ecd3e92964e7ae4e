"""Every generator of the book, and what is stored of its weights and of its empty bins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

from amplib.book.obtain import largest, scales, stored
from amplib.metrics.weighed import Helped, Weighed
from amplib.store.results import Result
from amplib.studies.bvae.decay import DecayStudy
from amplib.studies.bvae.study import WEIGHED, ZVAE, TwoBodyGAN, TwoBodyVAE, weighed
from amplib.studies.camel.reading import told_by_cells
from amplib.studies.collisions.study import first_top_pairs
from amplib.studies.gaussians import reading as gaussians
from amplib.studies.merit.reading import smeared_curves
from amplib.studies.merit.reference import SMEARINGS
from amplib.studies.merit.study import SMEARED_UNSEEN, UNSEEN, TopPairReference
from amplib.studies.merit.unseen import JudgedByUnseen
from amplib.studies.reweighting import reading as showers
from amplib.studies.reweighting.study import ReweightedGAN, at_length
from amplib.studies.rivals.reading import rival_curves
from amplib.studies.rivals.study import EventRivals
from amplib.studies.topvae.study import TopReadings
from amplib.studies.weighing.kept import weights_made, weights_of_rows
from amplib.studies.weighing.reading import Saved, ToldAndMeasured, area_of_cuts
from amplib.truth.collisions.columns import TTBAR, columns

Found = Iterator[tuple[Result, Saved]]
Curves = dict[str, NDArray[np.float64]]
"""For each of ``DIRECTIONS``."""

DECAYS: dict[type[DecayStudy], str] = {TwoBodyVAE: "two-body", TwoBodyGAN: "two-body", ZVAE: "Z"}
BEFORE_AND_AFTER = (showers.GENERATOR, showers.HIGH)
WITH_ZEROS = ("spline flow", "DijetGAN", *(f"{width:.0%} smearing" for width in SMEARINGS))
"""Generators of top pairs that may write exact zeros for a second lepton that is absent, as the
truth does: by values of the training sample, by a hyperbolic tangent at the end of a column's
range, or by factors.  No other output is exactly zero."""
RIVALS = ("event-flows", "event-splines", "event-densities", "event-gans")


def beside_the_buffer(truth: Result, seen: int) -> list[tuple[Result, dict[str, Curves]]]:
    """By name, shares of empty bins of what stands beside the B-VAE, where they are stored.

    Args:
        truth: a ``TopPairReference``, by which it is judged.
        seen: events that have trained it, or are smeared.
    """
    found = []
    for name in ("ttbar-smeared", *RIVALS):
        result = stored(name, truth.preset, empty_curves="on")
        study = cast(JudgedByUnseen, result.study)
        if (study.made_of(), study.seen()) == (truth.study, seen):
            read = rival_curves if name in RIVALS else smeared_curves
            found.append((result, read(result)))
    return found


def generators(preset: str) -> list[tuple[Result, Saved]]:
    """Each generator with the result that it is read from.

    Args:
        preset: of all results, or ``best``: of each what is stored at the papers' settings, else at
            the laptop's.
    """
    rooms = (_camel_backs, _mixtures, _calorimeter, _decays, _top_pairs)
    return [found for room in rooms for found in room(preset)]


def _camel_backs(preset: str) -> Found:
    for name, title in (("gan", "GAN"), ("ensemble", "ensemble of GANs")):
        for scale in scales(preset):
            result = stored(name, scale)
            try:
                told = told_by_cells(result)
            except FileNotFoundError:  # of ensembles none may be complete
                continue
            # Weights that are exact in cells leave nothing to be helped there.
            trainings = [[ToldAndMeasured(*one, None)] for one in told]
            yield result, Saved("camel back", title, scale, trainings)
            break


def _mixtures(preset: str) -> Found:
    for name, title in gaussians.MIXTURES.items():
        if (result := largest(name, preset)).done():
            trainings = [
                [
                    ToldAndMeasured(
                        one.outlook,
                        one.usual_dilution,
                        Helped.of_separations(*one.of_observables),
                    )
                ]
                for one in gaussians.read(result).each
            ]
            yield result, Saved("Gaussians", f"GAN, {title}", result.preset, trainings)


def _calorimeter(preset: str) -> Found:
    found = [(largest(name, preset), "") for name in showers.GENERATORS]
    if "laptop" in scales(preset):
        found.append((Result(at_length(ReweightedGAN), "laptop"), ", trained at length"))
    for result, how in found:
        if result.done():
            one = showers.read(result)
            each = [
                ToldAndMeasured(
                    x.outlook(showers.HIGH),
                    x.usual_dilution(showers.HIGH),
                    Helped.of_separations(*(x.separations[s] for s in BEFORE_AND_AFTER)),
                )
                for x in one.each
            ]
            yield result, Saved("showers", one.title + how, result.preset, [each])


def _decays(preset: str) -> Found:
    for kind, decay in DECAYS.items():
        changes: dict[str, dict[str, object]] = {
            "laptop": weighed(kind).changes("laptop"),
            "paper": {"weighed_events": WEIGHED},
        }
        result = largest(kind.name, preset, changes)
        if cast(DecayStudy, result.study).weighed_events and result.done():
            parts = list(result.load().values())
            for row, model in enumerate(kind.models):
                trainings = [weights_made(weights_of_rows(arrays)[row]) for arrays in parts]
                if each := _told(trainings):
                    yield result, Saved("decays", f"{model}, {decay}", result.preset, each)


def _top_pairs(preset: str) -> Found:
    if (result := largest("top-readings", preset, UNSEEN)).done():
        study = cast(TopReadings, result.study)
        methods: dict[int, str] = {}
        for i, reading in enumerate(study.readings()):
            if reading.negative == "kept":
                where = f" on the {reading.offset}"
                methods[i] = f"B-VAE, γ = {reading.gamma:g}" + where * (reading.gamma > 0)
        yield from _of_methods(result, methods)
    for name in RIVALS:
        if (result := largest(name, preset, UNSEEN)).done():
            methods = dict(enumerate(cast(EventRivals, result.study).methods))
            yield from _of_methods(result, methods)
    if (result := largest("ttbar-smeared", preset, SMEARED_UNSEEN)).done():
        # the readings of the authors' code
        methods = {i: f"{width:.0%} smearing" for i, width in enumerate(SMEARINGS[:2])}
        yield from _of_methods(result, methods)


def _of_methods(result: Result, methods: Mapping[int, str]) -> Found:
    """Generators of top pairs that have been weighed and have not diverged.

    Args:
        result: whose parts begin with the number of a method.
        methods: by that number.
    """
    study, parts = cast(JudgedByUnseen, result.study), result.load()
    for i, name in methods.items():
        of = [arrays for part, arrays in parts.items() if part[0] == i and weights_made(arrays)]
        if each := _told(map(weights_made, of)):
            dropped = float(np.mean([arrays["dropped"] for arrays in of]))
            absent = 0.0 if name in WITH_ZEROS else absent_leptons(study)
            known = area_of_cuts(dropped, absent)
            yield result, Saved("top pairs", name, result.preset, each, known)


def absent_leptons(study: JudgedByUnseen) -> float:
    """Share of true events without a second lepton, of those that generated ones are weighed by."""
    return _absent(TopPairReference(**study.truth()), study.seen(), study.weighed_events)


@cache
def _absent(truth: TopPairReference, seen: int, weighed: int) -> float:
    (second,) = columns(TTBAR, "pT_l2")
    return float((first_top_pairs(truth, seen + weighed)[seen:, second] == 0).mean())


def _told(trainings: Iterable[Sequence[Weighed]]) -> list[list[ToldAndMeasured]]:
    """Of each training that has been weighed and has not diverged."""
    return [[ToldAndMeasured.of(one) for one in told] for told in trainings if told]
