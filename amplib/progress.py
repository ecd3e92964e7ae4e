"""How long work tells what it has done, and is asked to end."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

Progress = Callable[[float], None]
"""Called with the work just finished, in the study's own unit."""


def unheard(work: float) -> None:
    """Progress that nobody waits for."""


class Stopped(Exception):
    """Raised by ``progress`` when the run is to end: keep what is unfinished, then pass it on."""


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C would, so that what is half done is cleared away.

    Raises:
        SystemExit: of 143, as a shell says it.
    """
    try:
        before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    except ValueError:  # not the main thread: whoever runs it handles signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def shown(total: float, unit: str, **options: Any) -> tqdm[Any]:
    """A bar on stderr: at once on a screen, and in a log a line now and then."""
    from tqdm import tqdm

    often = 2 if sys.stderr.isatty() else 30
    options = {"unit_scale": True, "mininterval": often, "file": sys.stderr, **options}
    return tqdm(total=total, unit=f" {unit}", **options)


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
