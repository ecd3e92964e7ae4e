"""How long work tells what it has done, and is asked to end."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float], None]
"""Called with the work just finished, in the study's own unit."""


class Stopped(Exception):
    """Raised by ``progress`` when the run is to end: keep what is unfinished, then pass it on."""
