"""Memory of a process that computes a group of parts: what schedulers are asked for lies above it.

python benchmarks/memory.py [STUDY ...] [--preset paper] [--seconds 40]

What a study is made of has to be there already (`amplib compute`, `amplib data`).
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

from amplib.models.cpu import prepare
from amplib.progress import Stopped
from amplib.studies.catalogue import STUDIES, make_study


def peak(name: str, preset: str, seconds: float) -> str:
    """Of this process, after a while of the study, in MB; or why there is none."""
    prepare()
    study = make_study(name, preset)
    parts = study.parts()[: study.group_size("cpu")]
    end = time.monotonic() + seconds

    def progress(work: float) -> None:
        if time.monotonic() > end:
            raise Stopped

    try:
        with tempfile.TemporaryDirectory() as folder:
            for _ in study.compute(parts, "cpu", Path(folder) / "x.safetensors", progress):
                pass
    except Stopped:
        pass
    except (OSError, ValueError) as error:
        return str(error)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return f"{most} MB of {study.memory_needed()} for {len(parts)} parts"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("studies", nargs="*", default=list(STUDIES))
    parser.add_argument("--preset", default="paper")
    parser.add_argument("--seconds", type=float, default=40)
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    for name in options.studies:
        with context.Pool(1) as fresh:  # a peak is a process's
            found = fresh.apply(peak, (name, options.preset, options.seconds))
        print(f"{name:24s}{options.preset:8s}{found}", flush=True)


if __name__ == "__main__":
    main()
