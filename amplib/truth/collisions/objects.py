"""Photons, electrons and muons of the parametrised detector: identified, isolated, each once.

Numbers from ``atlas_card``; see ``detector`` for the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amplib.truth.collisions import atlas_card as card

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Objects:
    """Candidates, or identified particles, of one kind: K in a batch of events.

    Args:
        event: not decreasing, shape (K,).
        kinematics: (E, pT, eta, phi) in GeV, shape (K, 4).
        tower: its ECAL tower, -1 for none, shape (K,).
        constituent: which of the jets' inputs it is, -1 for none, shape (K,).
    """

    event: Integers
    kinematics: Array
    tower: Integers
    constituent: Integers

    def __len__(self) -> int:
        return len(self.event)

    def __getitem__(self, keep: Mask | Integers) -> Objects:
        return Objects(
            self.event[keep], self.kinematics[keep], self.tower[keep], self.constituent[keep]
        )


@dataclass(frozen=True, eq=False)
class Collection:
    """Things of a batch of events, ordered by event, M in all.

    Args:
        kinematics: (E, pT, eta, phi) in GeV, shape (M, 4).
        offsets: event i has the entries offsets[i] to offsets[i + 1], shape (n_events + 1,).
        places: for each part, where its things went, -1 for those left out.
    """

    kinematics: Array
    offsets: Integers
    places: list[Integers]


def collect(n_events: int, *parts: tuple[Integers, Array, Mask]) -> Collection:
    """Put several kinds of things together, ordered by event.

    Args:
        n_events: in the batch.
        parts: event (K,), kinematics (K, 4) and which to keep (K,), each part its own K.
    """
    event = np.concatenate([e[keep] for e, _, keep in parts])
    kinematics = np.concatenate([k[keep] for _, k, keep in parts])
    order = np.argsort(event, kind="stable")
    place = np.empty(len(event), dtype=np.int64)
    place[order] = np.arange(len(event))
    places = []
    for _, _, keep in parts:
        here = np.full(len(keep), -1)
        kept, place = np.split(place, [np.count_nonzero(keep)])
        here[keep] = kept
        places.append(here)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(event, minlength=n_events))])
    return Collection(kinematics[order], offsets, places)


def identify(
    numbers: card.Identification,
    candidates: Objects,
    eta: Array,
    around: Collection,
    itself: Integers,
    rng: np.random.Generator,
) -> Objects:
    """Those candidates that are identified and isolated.

    Args:
        numbers: of this kind of particle.
        candidates: K.
        eta: where the efficiency is read, shape (K,).
        around: charged hadrons, photons and neutral hadrons of all events.
        itself: which of these is the candidate, -1 for none, shape (K,).
        rng: one number a candidate.
    """
    efficiency = identification_efficiency(numbers, candidates.kinematics[:, 1], eta)
    found = rng.random(len(candidates)) < efficiency
    candidates, itself = candidates[found], itself[found]
    return candidates[isolation(candidates, around, itself) <= numbers.isolation_max]


def identification_efficiency(numbers: card.Identification, pt: ArrayLike, eta: ArrayLike) -> Array:
    """Probability to identify a particle of pT (GeV) and eta; zero up to 10 GeV."""
    efficiency = np.append(numbers.efficiency, 0.0)
    region = np.searchsorted(numbers.eta_edges, np.abs(eta))
    return np.where(np.asarray(pt) > card.OBJECT_PT_MIN, efficiency[region], 0.0)


def isolation(candidates: Objects, around: Collection, itself: Integers) -> Array:
    """sum pT of what is within dR <= 0.5, over the candidate's own pT, shape (K,)."""
    event, offsets = candidates.event, around.offsets
    count = offsets[event + 1] - offsets[event]
    which = np.repeat(np.arange(len(event)), count)
    first = offsets[event] - np.cumsum(count) + count
    other = first[which] + np.arange(len(which))
    _, pt, eta, phi = candidates.kinematics.T
    distance2 = delta_r2(eta[which], phi[which], *around.kinematics[other, 2:].T)
    near = (distance2 <= card.ISOLATION_CONE**2) & (other != itself[which])
    return np.bincount(which[near], around.kinematics[other[near], 1], len(event)) / pt


def delta_r2(eta_1: Array, phi_1: Array, eta_2: Array, phi_2: Array) -> Array:
    """dR^2 = d_eta^2 + d_phi^2 with d_phi folded into [-pi, pi)."""
    d_phi = (phi_1 - phi_2 + np.pi) % (2 * np.pi) - np.pi
    return (eta_1 - eta_2) ** 2 + d_phi**2


def without_overlap(photons: Objects, electrons: Objects) -> Objects:
    """Electrons whose ECAL tower is not a photon already."""
    return electrons[~np.isin(electrons.tower, photons.tower)]
