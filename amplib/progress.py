"""How long work tells what it has done, and is asked to end."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float], None]
"""Called with the work just finished, in the study's own unit."""


def unheard(work: float) -> None:
    """Progress that nobody waits for."""


class Stopped(Exception):
    """Raised by ``progress`` when the run is to end: keep what is unfinished, then pass it on."""


class Budget:
    """Reports as much work as was announced, where a training stops when it wants to.

    >>> told = []
    >>> budget = Budget(10, told.append)
    >>> budget.spend(7); budget.spend(7); budget.spend_all(); told
    [7, 3, 0]
    """

    def __init__(self, steps: float, progress: Progress):
        self.left, self.progress = steps, progress

    def spend(self, steps: float) -> None:
        """Report so many, or what is left."""
        steps = min(steps, self.left)
        self.left -= steps
        self.progress(steps)

    def spend_all(self) -> None:
        """Report what is left, at the end."""
        self.spend(self.left)


class Again:
    """Reports at once what an earlier run has done, which this one does again or finds kept.

    >>> told = []
    >>> progress = Again(5, told.append)
    >>> progress(3); progress(4); told
    [5, 0, 2]
    """

    def __init__(self, before: float, progress: Progress):
        self.before, self.progress = before, progress
        progress(before)

    def __call__(self, work: float) -> None:
        told = min(work, self.before)
        self.before -= told
        self.progress(work - told)
