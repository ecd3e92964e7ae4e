"""Starting Pythia 8, the generator behind the Z and the top quarks.

Reference: Bierlich et al., "A comprehensive guide to the physics and usage of PYTHIA 8.3",
arXiv:2203.11601.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Sized
from typing import Any, TypeVar

import numpy as np

Batch = TypeVar("Batch", bound=Sized)

LARGEST_SEED = 900_000_000  # Pythia's own limit; its zero means the clock


class MissingGenerator(ImportError):
    """Pythia or FastJet is not installed."""


def check_request(n: int, seed: int) -> None:
    """Refuse what no generator can do, before any work.

    Raises:
        ValueError: ``n`` < 1 or ``seed`` < 0.
    """
    if n < 1:
        raise ValueError(f"a sample needs n >= 1 events, got {n}")
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}")


def until(n: int, batches: Iterable[Batch], progress: Callable[[int], object]) -> list[Batch]:
    """The first batches that have ``n`` events together, or more.

    Args:
        n: events.
        batches: of selected events, some of them maybe empty.
        progress: told after each batch how many of the ``n`` there are more.

    >>> until(3, iter([[1, 2], [], [3, 4], [5]]), print)
    2
    0
    1
    [[1, 2], [], [3, 4]]
    """
    kept: list[Batch] = []
    have = 0
    for batch in batches:
        kept.append(batch)
        progress(min(len(batch), n - have))
        have += len(batch)
        if have >= n:
            break
    return kept


def start(settings: Sequence[str], seed: np.random.SeedSequence, hooks: Any = None) -> Any:
    """An initialised ``pythia8mc.Pythia``, silent, its random numbers set by ``seed`` alone.

    Args:
        settings: lines as "Beams:eCM = 91".
        seed: hashed into Pythia's own range of seeds.
        hooks: a ``pythia8mc.UserHooks``, if any.

    Raises:
        MissingGenerator: pythia8mc is not installed.
        ValueError: Pythia does not find its settings, does not know one or cannot start with them.
    """
    pythia = pythia_module().Pythia("", False)
    number = 1 + int(seed.generate_state(1, np.uint64)[0] % LARGEST_SEED)
    random = ("Random:setSeed = on", f"Random:seed = {number}")
    # Not Print:quiet = off for debugging: Pythia writes to C++'s stdout, past Python's.
    if not pythia.readString("Print:quiet = on"):
        raise ValueError(
            "Pythia does not find its settings: PYTHIA8DATA must name the folder "
            "share/Pythia8/xmldoc that was installed with it"
        )
    for line in (*random, *settings):
        if not pythia.readString(line):
            raise ValueError(f"Pythia refuses the setting {line!r}")
    if hooks is not None:
        pythia.setUserHooksPtr(hooks)
    if not pythia.init():
        raise ValueError("Pythia cannot start with these settings")
    return pythia


def pythia_module() -> Any:
    """The module ``pythia8mc``.

    Raises:
        MissingGenerator: it is not installed.
    """
    try:
        import pythia8mc
    except ImportError as error:
        raise MissingGenerator(
            "Pythia 8 is not installed here: pip install pythia8mc (Linux and macOS)."
        ) from error
    return pythia8mc
