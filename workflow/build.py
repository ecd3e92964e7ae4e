"""Snakemake over the book's workflow, one run at a time; after a crash it goes on by itself.

python workflow/build.py TARGET [OPTIONS OF SNAKEMAKE]

What a killed run has left half done is made again.  Snakemake's own lock outlives a power loss and
then has to be taken away by hand; the one here dies with its process.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SNAKEFILE = ROOT / "workflow" / "Snakefile"


def build(arguments: Sequence[str], root: Path = ROOT, snakefile: Path = SNAKEFILE) -> None:
    """Become Snakemake.

    Raises:
        SystemExit: in one line, if another run is under way.
    """
    folder = root / ".snakemake"
    folder.mkdir(exist_ok=True)
    lock = (folder / "build.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"the book in {root} is being built by another run", file=sys.stderr)
        raise SystemExit(2) from None
    os.set_inheritable(lock.fileno(), True)  # by Snakemake, which hands it on to no job
    command = [sys.executable, "-m", "snakemake", "-s", str(snakefile), "-d", str(root)]
    command += ["--rerun-incomplete", "--nolock", *arguments]
    os.execv(sys.executable, command)


if __name__ == "__main__":
    build(sys.argv[1:])
