"""Jets by FastJet, and which of them is already an electron, muon or photon.

References: Cacciari, Salam, Soyez, "The anti-kt jet clustering algorithm", arXiv:0802.1189, and
"FastJet user manual", arXiv:1111.6097.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from amplib.truth.collisions.objects import delta_r2
from amplib.truth.collisions.pythia import MissingGenerator

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

try:
    import fastjet
except ImportError as error:
    raise MissingGenerator("FastJet is not installed here: pip install fastjet.") from error

# FastJet's banner goes to C++'s stdout, past Python's; its authors are cited above.
fastjet._swig.ClusterSequence.set_fastjet_banner_stream(None)


@dataclass(frozen=True, eq=False)
class Jets:
    """Jets of a batch of events, J in all, ordered by event.

    Args:
        event: shape (J,).
        kinematics: (E, pT, eta, phi), shape (J, 4), in the unit of the inputs.
    """

    event: Integers
    kinematics: Array

    def __len__(self) -> int:
        return len(self.event)

    def __getitem__(self, keep: Mask | Integers) -> Jets:
        return Jets(self.event[keep], self.kinematics[keep])


def find_jets(
    momentum: Array, offsets: Integers, radius: float, pt_min: float, taken: Mask | None = None
) -> Jets:
    """anti-kt jets, E-scheme.

    Args:
        momentum: (E, px, py, pz) of the inputs, ordered by event, shape (M, 4).
        offsets: event i has the inputs offsets[i] to offsets[i + 1].
        radius: R.
        pt_min: smallest pT of a jet, in the unit of ``momentum``.
        taken: inputs that are something else already: a jet with one of them is dropped; (M,).
    """
    fields = ["E", "px", "py", "pz"]
    columns = [ak.contents.NumpyArray(np.ascontiguousarray(column)) for column in momentum.T]
    record = ak.contents.RecordArray(columns, fields, parameters={"__record__": "Momentum4D"})
    events = ak.Array(ak.contents.ListOffsetArray(ak.index.Index64(offsets), record))
    definition = fastjet.JetDefinition(fastjet.antikt_algorithm, radius)
    clusters = fastjet.ClusterSequence(events, definition)
    found = clusters.inclusive_jets(pt_min)
    jets = Jets(
        np.repeat(np.arange(len(offsets) - 1), ak.to_numpy(ak.num(found))),
        _kinematics(*(ak.to_numpy(ak.flatten(found[field])) for field in fields)),
    )
    if taken is None or not len(jets):
        return jets
    return jets[~_holds(clusters.constituent_index(pt_min), offsets, taken)]


def leading(jets: Jets, n_events: int, count: int) -> tuple[Integers, Array]:
    """The ``count`` jets of largest pT of every event that has so many.

    Returns:
        The events, shape (m,), and (E, pT, eta, phi) by falling pT, shape (m, count, 4).
    """
    order = np.lexsort((-jets.kinematics[:, 1], jets.event))
    in_event = np.bincount(jets.event, minlength=n_events)
    first = np.cumsum(in_event) - in_event
    events = np.flatnonzero(in_event >= count)
    return events, jets.kinematics[order[first[events, None] + np.arange(count)]]


def match(jets: Jets, references: Jets, dr_max: float) -> Integers:
    """The jet nearest to each reference in its event, -1 where none is within ``dr_max``.

    A jet may be the nearest of several references; the caller decides what that means.
    """
    first = np.searchsorted(jets.event, references.event)
    count = np.searchsorted(jets.event, references.event, "right") - first
    nearest = np.full(len(references), -1)
    # Few jets an event: a loop over the rank within the event, vectorised over all events.
    best = np.full(len(references), dr_max**2)
    for rank in range(int(count.max(initial=0))):
        here = np.flatnonzero(count > rank)
        jet = first[here] + rank
        distance2 = delta_r2(*references.kinematics[here, 2:].T, *jets.kinematics[jet, 2:].T)
        nearer = distance2 < best[here]
        best[here[nearer]], nearest[here[nearer]] = distance2[nearer], jet[nearer]
    return nearest


def _kinematics(e: Array, px: Array, py: Array, pz: Array) -> Array:
    pt = np.hypot(px, py)
    return np.stack([e, pt, np.arcsinh(pz / pt), np.arctan2(py, px)], axis=1)


def _holds(constituents: Any, offsets: Integers, inputs: Mask) -> Mask:
    """Whether a jet has one of the marked inputs among its constituents, shape (J,)."""
    in_jet = ak.to_numpy(ak.flatten(ak.num(constituents, axis=2)))
    in_event = ak.to_numpy(ak.sum(ak.num(constituents, axis=2), axis=1))
    index = ak.to_numpy(ak.flatten(constituents, axis=None)) + np.repeat(offsets[:-1], in_event)
    jet = np.repeat(np.arange(len(in_jet)), in_jet)
    return np.bincount(jet[inputs[index]], minlength=len(in_jet)) > 0
