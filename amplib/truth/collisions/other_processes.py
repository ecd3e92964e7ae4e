"""What is no top pair, through the same detector and cuts: anomalies for its generators.

The event paper proposes that a B-VAE's reconstruction loss finds "departures from the training
data" (sec. V).  These processes end in the same objects, four jets and one or two leptons, at
leading order of Pythia 8, with its shower and the parametrised detector of ``ttbar``:

- ``single top``: one top quark by a W boson in the t channel, the W of its decay to e or mu.  Two
  jets are the hard process's; the others are radiation.
- ``Z + jets``: a Z or photon beside a parton of pT > 60 GeV, decaying to e or mu, of 50 GeV of mass
  or more.  Three jets are radiation, there are no neutrinos but in hadrons, and two leptons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from amplib.truth.collisions import pythia
from amplib.truth.collisions.ttbar import (
    BATCH,
    DEFAULT,
    Clock,
    Settings,
    reconstruct,
    stable_particles,
)

Array = NDArray[np.float64]

PROCESSES = {
    "single top": (
        "Top:qq2tq(t:W) = on",
        "6:onMode = off",
        "6:onIfAny = 5",
        "24:onMode = off",
        "24:onIfAny = 11 13",
    ),
    "Z + jets": (
        "WeakBosonAndParton:qqbar2gmZg = on",
        "WeakBosonAndParton:qg2gmZq = on",
        "PhaseSpace:pTHatMin = 60",
        "23:mMin = 50",
        "23:onMode = off",
        "23:onIfAny = 11 13",
    ),
}
"""Lines for Pythia."""


def generate(
    n: int,
    process: str,
    seed: int,
    settings: Settings = DEFAULT,
    progress: Callable[[int], object] = lambda events: None,
) -> Array:
    """``n`` selected events of a process, the columns of ``columns.TTBAR``, MeV, ``(n, 26)``.

    They depend on ``seed``, ``process`` and ``settings`` alone; the first events of a longer
    sample are those of a shorter one.

    Args:
        n: events.
        process: one of ``PROCESSES``.
        seed: of the generator and the detector.
        settings: of which the collision's energy, the multiparton interactions and the jets'
            radius count; decays are the process's own.
        progress: told how many there are more.

    Raises:
        ValueError: ``n`` < 1, ``seed`` < 0 or an unknown process.
        MissingGenerator: pythia8mc is not installed.
        RuntimeError: Pythia fails a whole batch.
    """
    pythia.check_request(n, seed)
    if process not in PROCESSES:
        raise ValueError(f"process must be one of {', '.join(PROCESSES)}, got {process!r}")
    return np.concatenate(pythia.until(n, _stream(process, seed, settings), progress))[:n]


def _stream(process: str, seed: int, settings: Settings) -> Iterator[Array]:
    """Selected events without end, from ``BATCH`` generated ones at a time."""
    for_pythia, for_detector = np.random.SeedSequence(seed).spawn(2)
    lines = (
        f"Beams:eCM = {settings.energy}",
        f"PartonLevel:MPI = {'on' if settings.multiparton else 'off'}",
        *PROCESSES[process],
    )
    generator = pythia.start(lines, for_pythia)
    rng = np.random.default_rng(for_detector)
    while True:
        record = generator.nextBatch(BATCH)
        if not len(record):
            raise RuntimeError(f"Pythia gave up: a whole batch of {process} failed")
        particles = stable_particles(record, generator.particleData)
        yield reconstruct(particles, settings, rng, Clock()).events
