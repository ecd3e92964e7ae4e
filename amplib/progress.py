"""How long work tells what it has done, and is asked to end."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float], None]
"""Called with the work just finished, in the study's own unit."""


class Stopped(Exception):
    """Raised by ``progress`` when the run is to end: keep what is unfinished, then pass it on."""


class Budget:
    """Reports as much work as was announced: a classifier stops when it wants to."""

    def __init__(self, steps: float, progress: Progress):
        self.left, self.progress = steps, progress

    def spend(self, steps: float) -> None:
        steps = min(steps, self.left)
        self.left -= steps
        self.progress(steps)

    def spend_all(self) -> None:
        self.spend(self.left)
