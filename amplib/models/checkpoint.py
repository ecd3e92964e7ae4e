"""Files that keep unfinished work: tensors alone, nothing that is run; whole or not there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from amplib.files import whole_file
from amplib.progress import Progress, Stopped

CHECKPOINT_SECONDS = 180
"""How old a checkpoint of work that goes on is at most."""
REPORT_SECONDS = 1.0
"""After which work is reported, and may be asked to stop, by whatever counts small steps."""
SAID = 300
"""Letters that are shown of an error: PyTorch has a line for each weight."""


@dataclass(frozen=True)
class Checkpoint:
    """A place in a file of unfinished work; other work may have other places in it.

    Args:
        path: of the file.
        name: of the place; the names of its tensors begin with it.
    """

    path: Path
    name: str = ""

    def at(self, name: str) -> Checkpoint:
        """A place within this one."""
        return Checkpoint(self.path, f"{self.name}{name}/")

    def load(self) -> dict[str, Tensor]:
        """The tensors of this place, by their names within it; none if nothing was kept.

        Raises:
            ValueError: naming the file, if it is damaged.
        """
        mine = {n: t for n, t in self._all().items() if n.startswith(self.name)}
        return {n.removeprefix(self.name): t for n, t in mine.items()}

    def save(self, tensors: Mapping[str, Tensor]) -> None:
        """Keep these in place of what this place held; others stay as they are.

        Raises:
            OSError: naming the file, if it cannot be written; it is as before then.
        """
        self._write(self._others() | {self.name + n: t for n, t in tensors.items()})

    def drop(self) -> None:
        """Forget what this place holds, and the file with the last place in it."""
        if others := self._others():
            self._write(others)
        else:
            self.path.unlink(missing_ok=True)

    @contextmanager
    def read(self) -> Iterator[None]:
        """What the block makes of a state that cannot be is one line, which names the file.

        Raises:
            ValueError: in place of the block's errors.
        """
        try:
            yield
        except (SafetensorError, ValueError, KeyError, RuntimeError) as error:
            said = " ".join(str(error).split())[:SAID]
            raise ValueError(f"{self.path} is damaged ({said}); delete it to train anew") from None

    def _all(self) -> dict[str, Tensor]:
        with self.read():
            return load_file(self.path) if self.path.exists() else {}

    def _others(self) -> dict[str, Tensor]:
        return {n: t for n, t in self._all().items() if not n.startswith(self.name)}

    def _write(self, tensors: Mapping[str, Tensor]) -> None:
        with whole_file(self.path) as temporary:
            try:
                save_file({n: t.cpu().contiguous() for n, t in tensors.items()}, temporary)
            except SafetensorError as error:  # a full disk, in words of its own
                raise OSError(str(error)) from None


class Watch:
    """Told of every small step: reports work every second, and keeps its state every few minutes.

    Args:
        progress: told the work since its last call; it may raise ``Stopped``, before which the
            state is kept.
        keep: writes the state.
    """

    def __init__(self, progress: Progress, keep: Callable[[], None]):
        self.progress, self.keep = progress, keep
        self.work = 0.0
        self.told = self.kept = time.monotonic()

    def __call__(self, work: float = 0.0) -> None:
        """So much is done since the last call."""
        self.work += work
        now = time.monotonic()
        if now - self.told >= REPORT_SECONDS:
            self.tell()
        if now - self.kept >= CHECKPOINT_SECONDS:
            self.keep()
            self.kept = now

    def tell(self) -> None:
        """Report at once what is not reported yet."""
        work, self.work, self.told = self.work, 0.0, time.monotonic()
        try:
            self.progress(work)
        except Stopped:
            self.keep()
            raise
