"""What a study is: frozen parameters, independent parts, a function that computes them."""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from amplib import files
from amplib.parameters import Parameters
from amplib.progress import Progress

Part = tuple[int, ...]
Arrays = dict[str, np.ndarray]
Presets = Mapping[str, Mapping[str, object]]
Layout = Mapping[str, tuple[str, tuple[int | None, ...]]]
"""Arrays by name: their type (``str``: text of any length) and shape, None for any number."""


class Described(Protocol):
    """An array, or the header of a stored one."""

    @property
    def dtype(self) -> np.dtype[Any]: ...

    @property
    def shape(self) -> tuple[int, ...]: ...


PRESETS = ("smoke", "laptop", "paper")
"""Seconds, for tests; minutes on two cores, an honest smaller version; the papers' settings."""


@dataclass(frozen=True)
class Study(Parameters):
    """One computation of the book.

    A subclass adds parameters, names its parts and computes them.  Parts are independent: a part
    has the same data, start and noise whether it is computed alone, beside others or on another
    day.  In float32 the rounding of matrix products depends on how many are computed together, and
    a GAN's training amplifies it, so that the numbers agree in distribution, not to the bit.
    """

    name: ClassVar[str]
    """As the command line calls it."""
    store: ClassVar[str]
    """Folder of the results store; studies that ask for the same parts share it."""
    presets: ClassVar[Presets] = {}
    """What each preset sets; everything else stands at its default."""
    bulk: ClassVar[bool] = False
    unit: ClassVar[str]
    """What ``work`` counts."""
    rate: ClassVar[float]
    """Typical work a second of one process on a CPU, until this machine has measured its own."""
    gpu_rate: ClassVar[float | None] = None
    """Typical work a second of one process on a GPU; None if it computes the study no faster than
    the cores do."""
    memory: ClassVar[int] = 2000
    """MB that a scheduler is asked for one process, above what was measured at the papers'
    settings."""
    enough: ClassVar[int] = 5
    """Repetitions of the papers' scale from which on it is shown, complete or not."""
    format: ClassVar[int] = 1
    """Raised when the arrays of a part change their meaning."""

    @property
    @abstractmethod
    def seed(self) -> int:
        """Of all random streams; a field of every study."""

    def stream(self, *key: int) -> np.random.SeedSequence:
        """The random stream of this key, independent of every other key's."""
        return np.random.SeedSequence(self.seed, spawn_key=key)

    def key(self) -> str:
        """Hash of the parameters that define a part."""
        content = [self.store, self.format, self.asdict(extent=False)]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]

    def changes(self, preset: str) -> dict[str, object]:
        """The parameters that differ from a preset's."""
        base = type(self)(**self.presets[preset]).asdict()
        return {name: value for name, value in self.asdict().items() if value != base[name]}

    def command(self, preset: str) -> str:
        """The command that computes what is missing: make's, where there is a Makefile."""
        changes = " ".join(f"{name}={value}" for name, value in self.changes(preset).items())
        if files.IN_REPOSITORY:
            options = f' SET="{changes}"' if changes else ""
            return f"make compute STUDY={self.name} PRESET={preset}{options}"
        options = f" --set {changes}" if changes else ""
        return f"python -m amplib compute {self.name} --preset {preset}{options}"

    @abstractmethod
    def parts(self) -> list[Part]:
        """The parts wanted, most useful first."""

    @abstractmethod
    def work(self, parts: Sequence[Part]) -> float:
        """Size of the work in the unit that ``progress`` counts."""

    def priority(self, part: Part) -> float:
        """How urgent a part is beside other missing ones, for the work that it costs: the tenth
        repetition takes less off an error than the first."""
        return 1 / (1 + part[0])

    @abstractmethod
    def compute(
        self, parts: Sequence[Part], device: str, checkpoint: Path, progress: Progress
    ) -> Iterator[tuple[Part, Arrays]]:
        """Compute the parts together, yielding each when it is ready.

        Args:
            parts: which ones.
            device: ``cpu`` or ``cuda``.
            checkpoint: a file that may keep unfinished work, so that a killed run goes on.
            progress: to be called with the work done since the last call; may raise ``Stopped``.
        """

    def layout(self) -> Layout:
        """Names, types and shapes of a part's arrays; empty if the study does not say."""
        return {}

    def faults(self, arrays: Arrays) -> Iterator[str]:
        """What no part can hold, of arrays that fit the layout: counts that do not sum to the
        events, shares beyond one (``amplib.store.ranges``).  Nothing, if the study does not say.
        """
        yield from ()

    def misfit(self, arrays: Arrays) -> str | None:
        """What speaks against these arrays as a part of this study, the first thing found."""
        return self.mismatch(arrays) or next(self.faults(arrays), None)

    def mismatch(self, arrays: Mapping[str, Described]) -> str | None:
        """In what arrays, or the headers of stored ones, differ from ``layout``.

        >>> study = type("S", (), {"layout": lambda s: {"n": ("int32", (2, None))}})()
        >>> Study.mismatch(study, {})
        'arrays none, expected n'
        >>> Study.mismatch(study, {"n": np.zeros((3, 5), "int32")})
        'n is int32 (3, 5), expected int32 (2, None)'
        """
        layout = self.layout()
        if not layout:
            return None
        if arrays.keys() != layout.keys():
            return f"arrays {', '.join(arrays) or 'none'}, expected {', '.join(layout)}"
        for name, (kind, shape) in layout.items():
            a = arrays[name]
            alike = a.dtype.kind == "U" if kind == "str" else a.dtype == kind
            fits = len(a.shape) == len(shape) and all(
                n is None or n == m for n, m in zip(shape, a.shape, strict=True)
            )
            if not (alike and fits):
                return f"{name} is {a.dtype} {a.shape}, expected {kind} {shape}"
        return None

    @abstractmethod
    def fingerprint(self) -> list[float]:
        """Numbers of a tiny float64 CPU run of the same code path."""

    @abstractmethod
    def repetitions_done(self, done: Sequence[Part]) -> int:
        """Complete repetitions among these parts."""

    def made_of(self) -> Study | None:
        """The study whose parts, all of them, are computed and stored before this one's."""
        return None

    def reads(self) -> list[Study]:
        """What its parts are computed from faster, wherever all of that is stored."""
        return []

    def data(self) -> tuple[str, ...]:
        """The published files that its parts are made of (``download.PUBLISHED``)."""
        return ()

    def ready(self) -> None:
        """Fetch and check these files.

        Raises:
            ValueError: in one line, if one cannot be had or holds too little.
        """
        from amplib.store.download import fetch

        for name in self.data():
            fetch(name)

    def group_size(self, device: str) -> int:
        """How many parts are best computed together."""
        return 1

    def alike(self, parts: Sequence[Part]) -> list[list[Part]]:
        """Parts apart that cannot be computed side by side; by default all can."""
        return [list(parts)]

    def memory_needed(self) -> int:
        """MB that one process takes at most with these parameters: ``memory``, unless the study
        knows better."""
        return self.memory


class BulkStudy(Study):
    """Events by the million: kept under ``data/``, never shipped.

    Its parts are the same for every preset, which only says how many are wanted.
    """

    bulk: ClassVar[bool] = True
    suffix: ClassVar[str]
    """Of the file that ``write`` makes."""
    writer: ClassVar[str]
    """The module that ``write`` needs, whose libraries may be missing."""

    @abstractmethod
    def write(self, path: Path, parts: Iterator[Arrays], header: bool = False) -> None:
        """Write the events that are wanted as one file, in the format of the published one.

        Args:
            path: the file.
            parts: all that are wanted.
            header: whether a table begins with the names of its columns.
        """


def summed(array: np.ndarray) -> float:
    """One number of an array, in which every entry has a weight of its own: for fingerprints.

    What is not finite counts as zero, so that a reading of a paper that diverges has one too.

    >>> summed(np.array([1.0, np.nan, 2.0]))
    5.0
    """
    entries = array.astype(float).ravel()
    return float(np.where(np.isfinite(entries), entries, 0) @ np.linspace(1, 2, array.size))


def head(n: int, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The first ``n`` of all events in the batches: parts are whole, what is wanted may not be.

    >>> list(head(5, iter([np.arange(3), np.arange(3, 6), np.arange(6, 9)])))
    [array([0, 1, 2]), array([3, 4])]
    """
    for batch in batches:
        yield batch[:n]
        n -= len(batch)
        if n <= 0:
            return
