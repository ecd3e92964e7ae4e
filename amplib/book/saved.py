"""Every generator of the book, and what is stored of its weights and of its empty bins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from amplib.book.obtain import largest, scales, stored
from amplib.metrics.weighed import Helped, Weighed
from amplib.store.results import Result
from amplib.studies.bvae.study import WEIGHED, ZVAE, DecayStudy, TwoBodyGAN, TwoBodyVAE, weighed
from amplib.studies.camel.reading import told_by_cells
from amplib.studies.gaussians import reading as gaussians
from amplib.studies.merit.reading import smeared_curves
from amplib.studies.merit.reference import SMEARINGS
from amplib.studies.merit.study import SMEARED_UNSEEN, UNSEEN
from amplib.studies.merit.unseen import JudgedByUnseen
from amplib.studies.reweighting import reading as showers
from amplib.studies.reweighting.study import ReweightedGAN, at_length
from amplib.studies.rivals.reading import rival_curves
from amplib.studies.rivals.study import EventRivals
from amplib.studies.topvae.study import TopReadings
from amplib.studies.weighing.kept import weights_made, weights_of_rows
from amplib.studies.weighing.reading import Saved, ToldAndMeasured

Found = Iterator[tuple[Result, Saved]]
Curves = dict[str, NDArray[np.float64]]
"""For each of ``DIRECTIONS``."""

DECAYS: dict[type[DecayStudy], str] = {TwoBodyVAE: "two-body", TwoBodyGAN: "two-body", ZVAE: "Z"}
BEFORE_AND_AFTER = (showers.GENERATOR, showers.HIGH)
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
            each = [ToldAndMeasured(*one, None) for one in told]
            yield result, Saved("camel back", title, scale, each)
            break


def _mixtures(preset: str) -> Found:
    for name, title in gaussians.MIXTURES.items():
        if (result := largest(name, preset)).done():
            each = [
                ToldAndMeasured(
                    one.outlook,
                    one.usual_dilution,
                    Helped.of_separations(*one.of_observables),
                )
                for one in gaussians.read(result).each
            ]
            yield result, Saved("Gaussians", f"GAN, {title}", result.preset, each)


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
            yield result, Saved("showers", one.title + how, result.preset, each)


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
                told = [w for arrays in parts for w in weights_made(weights_of_rows(arrays)[row])]
                yield from _told(result, "decays", f"{model}, {decay}", told)


def _top_pairs(preset: str) -> Found:
    if (result := largest("top-readings", preset, UNSEEN)).done():
        study = cast(TopReadings, result.study)
        of_each = _by_first(result)
        for i, reading in enumerate(study.readings()):
            if reading.negative == "kept":
                where = f" on the {reading.offset}"
                name = f"B-VAE, γ = {reading.gamma:g}" + where * (reading.gamma > 0)
                yield from _told(result, "top pairs", name, of_each.get(i, []))
    for name in RIVALS:
        if (result := largest(name, preset, UNSEEN)).done():
            of_each = _by_first(result)
            for i, method in enumerate(cast(EventRivals, result.study).methods):
                yield from _told(result, "top pairs", method, of_each.get(i, []))
    if (result := largest("ttbar-smeared", preset, SMEARED_UNSEEN)).done():
        of_each = _by_first(result)
        for i, width in enumerate(SMEARINGS[:2]):  # the readings of the authors' code
            yield from _told(result, "top pairs", f"{width:.0%} smearing", of_each.get(i, []))


def _by_first(result: Result) -> dict[int, list[Weighed]]:
    """What weights made, by each classifier, in all parts with the same first number."""
    found: dict[int, list[Weighed]] = {}
    for part, arrays in result.load().items():
        found.setdefault(part[0], []).extend(weights_made(arrays))
    return found


def _told(result: Result, group: str, name: str, told: Sequence[Weighed]) -> Found:
    """One generator, if it has been weighed and has not diverged."""
    if told:
        each = [ToldAndMeasured.of(one) for one in told]
        yield result, Saved(group, name, result.preset, each)
