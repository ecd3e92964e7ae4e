"""Ways to do the same work, timed in turns, so that a busy neighbour slows all of them alike; and
one way in several processes at once."""

from __future__ import annotations

import itertools
import multiprocessing
import time
from collections.abc import Callable, Mapping
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

import numpy as np

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


def side_by_side(processes: int, start: Callable[[], Turn], repetitions: int) -> np.ndarray:
    """Seconds of so many calls in processes that begin together, by the clock and by the
    processor's time, ``(2, processes)``.

    Args:
        processes: how many.
        start: called in each of them, returns what is timed, after one call more that warms up.
        repetitions: calls.
    """
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(processes), context.Queue()
    workers = [
        context.Process(target=_one_of_several, args=(start, repetitions, barrier, results))
        for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    taken = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    return np.array(taken).T


def _one_of_several(
    start: Callable[[], Turn],
    repetitions: int,
    barrier: Barrier,
    results: Queue[tuple[float, float]],
) -> None:
    turn = start()
    turn()
    barrier.wait()
    begun = time.process_time()
    by_the_clock = sum(wall(turn) for _ in range(repetitions))
    results.put((by_the_clock, time.process_time() - begun))
