"""Ways to do the same work, timed in turns, so that a busy neighbour slows all of them alike."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping

Turn = Callable[[], object]


def wall(turn: Turn) -> float:
    """Seconds of one call by the clock."""
    start = time.perf_counter()
    turn()
    return time.perf_counter() - start


def processor(turn: Turn) -> float:
    """Processor seconds of one call: without the time that neighbours run."""
    start = time.process_time()
    turn()
    return time.process_time() - start


def in_turns(
    turns: Mapping[str, Turn], repetitions: int, seconds: Callable[[Turn], float] = wall
) -> dict[str, list[float]]:
    """Seconds of each way, so many of each; a first round warms up.

    >>> list(in_turns({"a": dict, "b": list}, 2, lambda turn: float(turn is dict)).items())
    [('a', [1.0, 1.0]), ('b', [0.0, 0.0])]
    """
    found: dict[str, list[float]] = {name: [] for name in turns}
    for repetition, (name, turn) in itertools.product(range(repetitions + 1), turns.items()):
        taken = seconds(turn)
        if repetition:
            found[name].append(taken)
    return found


def rates(times: Mapping[str, list[float]], work: float) -> dict[str, list[float]]:
    """Work a second of each, from its seconds for so much work."""
    return {name: [work / t for t in taken] for name, taken in times.items()}
