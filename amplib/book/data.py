"""Events by the million: made part by part, then written in the format of the published files."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import cast

from amplib import files
from amplib.parameters import ParameterError
from amplib.store.compute import complete
from amplib.store.download import PUBLISHED, fetch
from amplib.store.results import Result
from amplib.store.study import PRESETS, BulkStudy
from amplib.studies.catalogue import STUDIES, make_study

_PUBLISHED = "-published"


def data_names() -> list[str]:
    """What ``make_data`` makes: every study of events at every preset, and the published files."""
    made = [f"{s.name}-{preset}" for s in STUDIES.values() if s.bulk for preset in PRESETS]
    return [*made, *(name + _PUBLISHED for name in PUBLISHED)]


def make_data(
    name: str,
    jobs: int | None = None,
    device: str = "auto",
    overrides: Mapping[str, object] | None = None,
    header: bool = False,
) -> Path:
    """Make what is missing of a data set, then write it as one file.

    Parts that another run makes are waited for.

    Args:
        name: a study and a preset, as in ``showers-laptop``, or a published file, as in
            ``ttbar-published``, which is fetched.
        jobs: worker processes (the cores by default).
        device: ``cpu``, ``cuda`` or ``auto``.
        overrides: parameters of the study that differ from the preset's.
        header: a first line with the names of the columns, in a CSV file.

    Returns:
        The file, in ``data/``; the parameters that differ are part of its name, and so is that
        columns are named.

    Raises:
        ParameterError: for an unknown name or parameter, or a value out of range.
        ImportError: if a library is missing that writes the file.
        ValueError: if parts are missing all the same.
        DownloadError: if a published file cannot be had.
    """
    if name not in data_names():
        raise ParameterError(f"NAME = {name!r}: allowed are {', '.join(data_names())}")
    if name.endswith(_PUBLISHED):
        asked = [*(overrides or {}), *(["header"] if header else [])]
        if asked:
            raise ParameterError(f"{name} is published as it is: it has no {', '.join(asked)}")
        return fetch(name.removesuffix(_PUBLISHED))
    study, _, preset = name.rpartition("-")
    result = Result(make_study(study, preset, **(overrides or {})), preset)
    bulk = cast(BulkStudy, result.study)
    if header and bulk.suffix != ".csv":
        raise ParameterError(f"header: {name} is written as {bulk.suffix}, not as .csv")
    import_module(bulk.writer)  # before any work
    complete(result, jobs, device)
    if missing := result.missing():
        raise ValueError(f"{len(missing)} of the parts could not be made; repeat the command")
    changes = (f"-{key}={value}" for key, value in bulk.changes(preset).items())
    named = "-header" if header else ""
    path = files.DATA / f"{name}{''.join(changes)}{named}{bulk.suffix}"
    record = result.folder / "record.json"
    if not path.exists() or path.stat().st_mtime < record.stat().st_mtime:
        print(f"writing {path}", file=sys.stderr, flush=True)
        bulk.write(path, result.each(), header)
    return path
