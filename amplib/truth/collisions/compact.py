"""Events of top pairs in two bytes a number, to ship a training sample in a few megabytes.

Momenta and energies are stored as steps of 0.018% on a logarithmic scale, angles as steps of 1e-4:
a hundred times finer than any detector sees, and finer than a thousand bins of an azimuth.  Energy
and momentum are rounded apart: half of the unpacked leptons, and one jet in seventy, have E < p, by
up to 2.5e-4 of it.  A lepton's mass (``columns.mass``, negative where E < p) is within 3.4 GeV of
zero 95 times in a hundred, and beyond 10 GeV once in a thousand.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from amplib.truth.collisions.columns import BEAM, TTBAR

STEPS = 65_534  # code 0 is an exact zero, 1 to 65534 the range
LOWEST = 100.0
"""Of momenta and energies, MeV, which go to ``columns.BEAM``.  What is smaller is stored as the
lowest: a missing momentum below 0.1 GeV, one event in a hundred thousand."""
ETA_LIMIT = 5.0


def _is_angle(name: str) -> bool:
    return name.startswith(("eta", "phi"))


def _limits() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest and highest value of every column, of the logarithm where it is not an angle."""
    low, high = [], []
    for name in TTBAR:
        limit = ETA_LIMIT if name.startswith("eta") else np.pi
        low.append(-limit if _is_angle(name) else np.log(LOWEST))
        high.append(limit if _is_angle(name) else np.log(BEAM))
    return np.array(low), np.array(high)


ANGLES = np.array([_is_angle(name) for name in TTBAR])


def pack(events: NDArray[np.floating]) -> NDArray[np.uint16]:
    """``events`` ``(n, 26)``, MeV, as codes of the same shape.

    Raises:
        ValueError: for a value beyond the range, naming row and column.
    """
    low, high = _limits()
    events = np.asarray(events, float)
    absent = events == 0
    with np.errstate(divide="ignore"):
        values = np.where(ANGLES, events, np.log(np.maximum(events, LOWEST)))
    beyond = ~((values >= low - 1e-6) & (values <= high + 1e-6))  # NaN, too
    if beyond.any():
        row, column = np.argwhere(beyond)[0]
        raise ValueError(
            f"event {row}: {TTBAR[column]} = {events[row, column]:g} is beyond what can be packed"
        )
    codes = 1 + np.rint((values - low) / (high - low) * (STEPS - 1))
    return np.where(absent, 0, np.clip(codes, 1, STEPS)).astype(np.uint16)


def unpack(codes: NDArray[np.uint16]) -> NDArray[np.float64]:
    """The events of ``pack``, ``(n, 26)``, MeV."""
    low, high = _limits()
    values = low + (codes.astype(float) - 1) / (STEPS - 1) * (high - low)
    return np.where(codes == 0, 0.0, np.where(ANGLES, values, np.exp(values)))
