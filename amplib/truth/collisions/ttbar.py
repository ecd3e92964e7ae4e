"""Top-quark pairs as the event paper saw them: Pythia 8, a parametrised ATLAS, 26 columns.

The paper (Otten et al., arXiv:1901.00875, sec. II C) ran MadGraph, merged with Pythia 8.2 by MLM,
and Delphes.  Here Pythia's own leading-order matrix elements stand in for MadGraph's: extra jets
come from the parton shower alone.

    gg, qq -> ttbar -> shower, hadrons -> detector -> one or two leptons -> anti-kt -> four jets

What the paper leaves open, and what is done here:

- "At least one of the top quarks is required to decay leptonically": l = e, mu.  The other W goes
  to quarks, e or mu in their branching ratios; W -> tau nu is closed, as by MadGraph's default
  labels j and l, unless ``taus`` opens it for the other W.  t -> W b always.
- "Four jets and one or two leptons": four or more jets with pT > 20 GeV, of which the four leading
  in pT are kept; exactly one or two isolated e or mu with pT > 10 GeV.  Photons are not asked for.
- The jets' threshold is that of the card, before the jet energy scale; after it they have more than
  21.9 (at the largest eta) to 24.1 GeV (at 0).  There is no cut on eta: jets reach 4.9.
- PDFs are Pythia's default, NNPDF 2.3 LO; no pile-up.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from amplib.truth.collisions import atlas_card as card
from amplib.truth.collisions import pythia
from amplib.truth.collisions.checks import MATCH_DR
from amplib.truth.collisions.columns import GEV, JETS, LEPTON_CODES, TTBAR, four_momentum
from amplib.truth.collisions.detector import NEUTRINOS, Detected, Particles, simulate
from amplib.truth.collisions.jets import Jets, find_jets, leading, match

Array = NDArray[np.float64]
Small = NDArray[np.float32]
Integers = NDArray[np.int64]

MOST_LEPTONS = 2
TRUTH_JET_PT_MIN = 10.0  # GeV; half of what a jet needs, so that the threshold shows

BATCH = 200
"""Events generated at once: about 150 MB with multiparton interactions.  The detector's random
numbers are drawn batch by batch, so another number gives other events."""

LOWEST_ENERGY, HIGHEST_ENERGY = 1_000.0, 100_000.0
STAGES = ("generation", "detector", "jets", "selection", "truth jets")


@dataclass(frozen=True)
class Settings:
    """What is collided, and how it is seen.

    Args:
        energy: of the collision, GeV.
        multiparton: whether protons interact more than once (MPI); four times faster without.
        taus: whether the W that is not asked to go to e or mu may go to a tau.
        radius: of the anti-kt jets.

    Raises:
        ValueError: an energy or a radius that makes no sense.
    """

    energy: float = 13_000.0
    multiparton: bool = True
    taus: bool = False
    radius: float = card.JET_RADIUS

    def __post_init__(self) -> None:
        if not LOWEST_ENERGY <= self.energy <= HIGHEST_ENERGY:
            allowed = f"[{LOWEST_ENERGY:g}, {HIGHEST_ENERGY:g}] GeV"
            raise ValueError(f"energy must lie in {allowed}, got {self.energy}")
        if not 0.1 <= self.radius <= 1.5:
            raise ValueError(f"radius must lie in [0.1, 1.5], got {self.radius}")

    def lines(self) -> tuple[str, ...]:
        """These settings as Pythia reads them."""
        return (
            f"Beams:eCM = {self.energy}",
            "Top:gg2ttbar = on",
            "Top:qqbar2ttbar = on",
            "6:onMode = off",
            "6:onIfAny = 5",
            "24:onMode = off",
            "24:onIfAny = 1 2 3 4 5 11 13" + " 15" * self.taus,
            f"PartonLevel:MPI = {'on' if self.multiparton else 'off'}",
        )


DEFAULT = Settings()


@dataclass(frozen=True, eq=False)
class Sample:
    """Selected events; n of them.

    Args:
        events: the columns of ``columns.TTBAR``, MeV, shape (n, 26).
        partons: true (E, px, py, pz) of ``columns.PARTONS``, MeV, shape (n, 10, 4).  Tops and W
            are the last copies before their decay; b and the daughters of a W are what came out
            of it, before they radiate.  So the daughters add up to their W, but W and b to their
            top only up to what the b radiates before the W decays.  A lepton stands in the place
            of the quark, an antilepton of the antiquark.
        particle_ids: PDG codes of the W+'s and the W-'s daughters, in that order, shape (n, 4).
        neutrinos: true (px, py) of all neutrinos, MeV, shape (n, 2).
        jet_pairs: (true pT, pT, eta) of the selected events' truth jets that were found, MeV,
            shape (k, 3): anti-kt jets of all stable particles but neutrinos, not matched to a
            lepton, each with the jet nearest to it within dR < 0.3.
        cutflow: events left after each step, over whole batches; the last may exceed n.
        seconds: of each stage, over whole batches.
    """

    events: Array
    partons: Array
    particle_ids: Integers
    neutrinos: Small
    jet_pairs: Small
    cutflow: dict[str, int]
    seconds: dict[str, float]

    def __len__(self) -> int:
        return len(self.events)

    def first(self, n: int) -> Sample:
        """The first ``n`` events; ``jet_pairs``, ``cutflow`` and ``seconds`` stay those of all."""
        return replace(
            self,
            events=self.events[:n],
            partons=self.partons[:n],
            particle_ids=self.particle_ids[:n],
            neutrinos=self.neutrinos[:n],
        )


def generate(
    n: int,
    seed: int,
    settings: Settings = DEFAULT,
    progress: Callable[[int], object] = lambda events: None,
) -> Sample:
    """``n`` selected events.

    With the pinned versions of Pythia, FastJet and numpy they depend on ``seed`` and ``settings``
    alone.  Processors whose mathematical libraries differ in the last digit agree to rounding (to
    6e-12 in 60 events with and without FMA), until such a digit turns a decision of a shower.
    The first events of a longer sample are those of a shorter one.

    Raises:
        ValueError: ``n`` < 1 or ``seed`` < 0.
        MissingGenerator: pythia8mc is not installed.
    """
    pythia.check_request(n, seed)
    return concatenate(pythia.until(n, stream(seed, settings), progress)).first(n)


def stream(seed: int, settings: Settings = DEFAULT) -> Iterator[Sample]:
    """Selected events without end, from ``BATCH`` generated events at a time.

    Memory is that of one batch; a batch without selected events is a sample of none.

    Raises:
        ValueError: ``seed`` < 0.
        MissingGenerator: pythia8mc is not installed.
        RuntimeError: Pythia fails a whole batch.
    """
    pythia.check_request(1, seed)
    for_pythia, for_detector = np.random.SeedSequence(seed).spawn(2)
    hook = leptonic_decay()
    generator = pythia.start(settings.lines(), for_pythia, hook)
    rng = np.random.default_rng(for_detector)
    drawn = 0
    while True:
        clock = Clock()
        with clock("generation"):
            record = generator.nextBatch(BATCH)
            if not len(record):
                raise RuntimeError("Pythia gave up: a whole batch of top pairs failed")
            particles = stable_particles(record, generator.particleData)
            truth = Truth.read(record)
        flow = {"top pairs": hook.drawn - drawn, "W to e or mu": particles.n_events}
        drawn = hook.drawn
        yield select(particles, truth, settings, rng, clock, flow)


def concatenate(samples: Sequence[Sample]) -> Sample:
    """All events one after the other; cut flows and seconds add up.

    Raises:
        ValueError: there is no sample.
    """
    if not samples:
        raise ValueError("nothing to concatenate")
    cutflow, seconds = Counter[str](), Counter[str]()
    for sample in samples:
        cutflow.update(sample.cutflow)
        seconds.update(sample.seconds)
    return Sample(
        np.concatenate([sample.events for sample in samples]),
        np.concatenate([sample.partons for sample in samples]),
        np.concatenate([sample.particle_ids for sample in samples]),
        np.concatenate([sample.neutrinos for sample in samples]),
        np.concatenate([sample.jet_pairs for sample in samples]),
        dict(cutflow),
        dict(seconds),
    )


def leptonic_decay() -> Any:
    """A hook for Pythia that lets an event pass if a W went to e or mu.

    Asked before the shower, so that a refused event costs next to nothing, and the rest keep the
    branching ratios between one and two leptons.
    """
    base = pythia.pythia_module().UserHooks

    class LeptonicDecay(base):  # type: ignore[misc, valid-type]
        drawn = 0

        def canVetoProcessLevel(self) -> bool:
            return True

        def doVetoProcessLevel(self, process: Any) -> bool:
            self.drawn += 1
            # Entries 1 to 4 are the beams and the incoming partons.
            return not any(process[i].idAbs() in LEPTON_CODES for i in range(5, process.size()))

    return LeptonicDecay()


@dataclass(frozen=True, eq=False)
class Truth:
    """What the generator knows of each event of a batch; GeV. Shapes as in :class:`Sample`."""

    partons: Array
    particle_ids: Integers
    neutrinos: Array

    def __getitem__(self, events: Integers) -> Truth:
        return Truth(self.partons[events], self.particle_ids[events], self.neutrinos[events])

    @classmethod
    def read(cls, record: Any) -> Truth:
        """Of the events of ``Pythia.nextBatch``."""
        particles = ak.flatten(record.prt)
        kind, momentum = ak.to_numpy(particles.id), _momentum(particles)
        length = ak.to_numpy(ak.num(record.prt))
        first = np.repeat(np.cumsum(length) - length, length)
        # A record's numbers of daughters count from its own first entry.
        one, two = (first + ak.to_numpy(particles[d]) for d in ("daughter1", "daughter2"))

        def decaying(code: int) -> Integers:
            found = np.flatnonzero((kind == code) & (kind[one] != code))
            if len(found) != len(record):
                raise RuntimeError(
                    f"{len(found)} decays of particle {code} in {len(record)} events"
                )
            return found

        def daughters(parent: Integers, larger_first: bool) -> tuple[Integers, Integers]:
            swap = (kind[one[parent]] > kind[two[parent]]) != larger_first
            a, b = one[parent], two[parent]
            return np.where(swap, b, a), np.where(swap, a, b)

        tops, ws = (decaying(6), decaying(-6)), (decaying(24), decaying(-24))
        # t -> W+ (24) b (5), tbar -> W- (-24) bbar (-5); of a W's daughters one is negative.
        b, bbar = daughters(tops[0], True)[1], daughters(tops[1], False)[1]
        quarks = [q for w in ws for q in daughters(w, True)]
        entries = np.stack([*tops, *ws, b, bbar, *quarks], axis=1)
        neutrino = np.isin(np.abs(kind), NEUTRINOS) & (ak.to_numpy(particles.status) > 0)
        event = np.repeat(np.arange(len(record)), length)[neutrino]
        missing = [np.bincount(event, q, len(record)) for q in momentum[neutrino, 1:3].T]
        return cls(
            momentum[entries], kind[entries[:, 6:]].astype(np.int64), np.stack(missing, axis=1)
        )


def stable_particles(record: Any, particle_data: Any) -> Particles:
    """What reaches the detector of the events of ``Pythia.nextBatch``, neutrinos included."""
    stable = record.prt[record.prt.status > 0]
    particles = ak.flatten(stable)
    kind = ak.to_numpy(particles.id).astype(np.int64)
    codes, of = np.unique(kind, return_inverse=True)
    charges = np.array([particle_data.charge(int(code)) for code in codes])
    vertex = [ak.to_numpy(ak.fill_none(particles.vProd[q], 0.0)) for q in ("px", "py", "pz")]
    return Particles(
        len(record),
        np.repeat(np.arange(len(record)), ak.to_numpy(ak.num(stable))),
        kind,
        charges[of],
        _momentum(particles),
        np.stack(vertex, axis=1),
    )


def select(
    particles: Particles,
    truth: Truth,
    settings: Settings,
    rng: np.random.Generator,
    clock: Clock,
    flow: dict[str, int],
) -> Sample:
    """Detector, jets and cuts on a batch of events.

    Args:
        particles: stable ones of all events of the batch, GeV.
        truth: of the same events.
        settings: as generated.
        rng: for the detector.
        clock: keeps the seconds of the stages.
        flow: the cut flow so far.
    """
    seen = reconstruct(particles, settings, rng, clock)
    truth = truth[seen.selected]
    with clock("truth jets"):
        pairs = jet_pairs(
            particles, seen.selected, seen.jets, seen.chosen, seen.leptons, settings.radius
        )
    flow |= {"one or two leptons": seen.with_leptons, "four jets": len(seen.selected)}
    return Sample(
        seen.events,
        GEV * truth.partons,
        truth.particle_ids,
        (GEV * truth.neutrinos).astype(np.float32),
        pairs,
        flow,
        clock.seconds,
    )


@dataclass(frozen=True, eq=False)
class Reconstructed:
    """What the detector and the cuts leave of a batch of events, whatever they were.

    Args:
        events: the columns of ``columns.TTBAR``, MeV, shape (n, 26).
        selected: which of the batch these are, shape (n,).
        with_leptons: events of the batch with one or two leptons.
        jets: of these.
        chosen: which of the jets' events have four, shape (n,).
        leptons: of the selected events, GeV, shape (n, 2, 4).
    """

    events: Array
    selected: Integers
    with_leptons: int
    jets: Jets
    chosen: Integers
    leptons: Array


def reconstruct(
    particles: Particles, settings: Settings, rng: np.random.Generator, clock: Clock
) -> Reconstructed:
    """Detector, jets, and the cuts: one or two leptons, four jets.

    Args:
        particles: stable ones of all events of the batch, GeV.
        settings: as generated.
        rng: for the detector.
        clock: keeps the seconds of the stages.
    """
    with clock("detector"):
        detected = simulate(particles, rng)
    with clock("selection"):
        count, leptons = leading_leptons(detected)
        one_or_two = np.flatnonzero((count >= 1) & (count <= MOST_LEPTONS))
    with clock("jets"):
        jets = calibrated_jets(detected, one_or_two, settings.radius)
    with clock("selection"):
        chosen, four_jets = leading(jets, len(one_or_two), JETS)
        selected = one_or_two[chosen]
        events = as_columns(detected.missing[selected], four_jets, leptons[selected])
    return Reconstructed(events, selected, len(one_or_two), jets, chosen, leptons[selected])


def leading_leptons(detected: Detected) -> tuple[Integers, Array]:
    """Leptons of each event: their number, and (E, pT, eta, phi) of the two leading ones.

    Returns:
        Shapes (n_events,) and (n_events, 2, 4), by falling pT, zeros where there is none; GeV.
    """
    n = len(detected.missing)
    event = np.concatenate([detected.electrons.event, detected.muons.event])
    kinematics = np.concatenate([detected.electrons.kinematics, detected.muons.kinematics])
    order = np.lexsort((-kinematics[:, 1], event))
    count = np.bincount(event, minlength=n)
    rank = np.arange(len(event)) - np.repeat(np.cumsum(count) - count, count)
    event, order, rank = (a[rank < MOST_LEPTONS] for a in (event[order], order, rank))
    leptons = np.zeros((n, MOST_LEPTONS, 4))
    leptons[event, rank] = kinematics[order]
    return count, leptons


def calibrated_jets(detected: Detected, events: Integers, radius: float) -> Jets:
    """Jets of the given events (numbered anew) at the right energy scale, no lepton or photon."""
    length = np.diff(detected.offsets)
    wanted = np.zeros(len(length), dtype=bool)
    wanted[events] = True
    here = np.repeat(wanted, length)
    offsets = np.concatenate([[0], np.cumsum(length[wanted])])
    momentum = four_momentum(*detected.inputs[here].T)
    jets = find_jets(momentum, offsets, radius, card.JET_PT_MIN, detected.taken[here])
    _, pt, eta, _ = jets.kinematics.T
    jets.kinematics[:, :2] *= card.jet_energy_scale(pt, eta)[:, None]
    return jets


def as_columns(missing: Array, jets: Array, leptons: Array) -> Array:
    """The columns of ``columns.TTBAR`` in MeV, shape (n, 26).

    Args:
        missing: (x, y), GeV, shape (n, 2).
        jets: (E, pT, eta, phi), GeV, shape (n, 4, 4).
        leptons: the same, shape (n, 2, 4).
    """
    x, y = missing.T
    objects = np.concatenate([jets, leptons], axis=1)
    objects[..., :2] *= GEV
    met = np.stack([GEV * np.hypot(x, y), np.arctan2(y, x)], axis=1)
    return np.concatenate([met, objects.reshape(len(met), len(TTBAR) - 2)], axis=1)


def jet_pairs(
    particles: Particles,
    selected: Integers,
    jets: Jets,
    chosen: Integers,
    leptons: Array,
    radius: float,
) -> Small:
    """(true pT, pT, eta) of truth jets and the jets nearest to them, as in :class:`Sample`.

    Each must be the other's nearest.

    Args:
        particles: of the whole batch.
        selected: events of the batch, m of them.
        jets: reconstructed, of more events than these.
        chosen: which of the jets' events these are, shape (m,).
        leptons: of the selected events, GeV, shape (m, 2, 4).
    """
    visible = ~np.isin(np.abs(particles.pdg_id), NEUTRINOS) & np.isin(particles.event, selected)
    offsets = np.searchsorted(particles.event[visible], [*selected, particles.n_events])
    true = find_jets(particles.momentum[visible], offsets, radius, TRUTH_JET_PT_MIN)
    found = jets[np.isin(jets.event, chosen)]
    found = Jets(np.searchsorted(chosen, found.event), found.kinematics)
    event, rank = np.nonzero(leptons[..., 1])
    true = true[match(Jets(event, leptons[event, rank]), true, MATCH_DR) < 0]
    of_true, of_found = match(found, true, MATCH_DR), match(true, found, MATCH_DR)
    mutual = np.flatnonzero((of_true >= 0) & (of_found[of_true] == np.arange(len(true))))
    pairs = [
        GEV * true.kinematics[mutual, 1],
        GEV * found.kinematics[of_true[mutual], 1],
        true.kinematics[mutual, 2],
    ]
    return np.stack(pairs, axis=1).astype(np.float32)


class Clock:
    """Seconds of the named stages of a batch."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] += time.perf_counter() - start


def _momentum(particles: Any) -> Array:
    return np.stack([ak.to_numpy(particles.p[q]) for q in ("e", "px", "py", "pz")], axis=1)
