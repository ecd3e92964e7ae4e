"""Take over parts that another machine has computed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from amplib.store.record import read_record
from amplib.store.results import Result, part_of, same_fingerprint
from amplib.store.study import PRESETS, Study


def merge(folder: Path, studies: Mapping[str, type[Study]]) -> tuple[list[str], list[str]]:
    """Take parts from the results under ``folder`` into this store.

    A result is taken if its record's parameters give the key of its folder and its fingerprint is
    that of today's code; of it, the parts that match their checksum and hold the arrays of their
    study.  Where both have a part, ours is kept.

    Args:
        folder: the other store, or any folder of results.
        studies: those that are known, by name.

    Returns:
        what was taken or is here already, and what was refused and why, in lines.

    Raises:
        FileNotFoundError: if there is no record under the folder.
    """
    records = sorted(folder.rglob("record.json"))
    if not records:
        raise FileNotFoundError(f"no record.json under {folder}")
    taken: list[str] = []
    refused: list[str] = []
    for path in records:
        try:
            theirs, names = _result(path, studies)
        except ValueError as error:
            refused.append(f"{path}: {error}")
            continue
        ours = Result(theirs.study, theirs.preset)
        try:
            new, kept, wrong = _take(ours, theirs, names)
        except ValueError as error:  # ours is damaged
            refused.append(str(error))
            continue
        refused += wrong
        taken.append(f"{ours.folder.relative_to(ours.root)}: {new} taken, {kept} here already")
    return taken, refused


def _take(ours: Result, theirs: Result, names: list[str]) -> tuple[int, int, list[str]]:
    """How many parts were taken and kept, and what is wrong with the others."""
    new = kept = 0
    wrong: list[str] = []
    entries = theirs.record()["parts"]
    for name in names:
        part = part_of(name)
        if part is None:
            wrong.append(f"{theirs.folder / 'record.json'}: {name!r} is no part")
        elif problem := theirs.problem(part):
            wrong.append(problem)
        elif ours.has(part):
            kept += 1
        elif any(
            here.get("data") != entries[name].get("data")
            for here in ours.record()["parts"].values()
        ):
            wrong.append(
                f"{theirs.folder / name} was made of another published file than the parts here"
            )
        else:
            ours.adopt(theirs, part)
            new += 1
    return new, kept, wrong


def _result(path: Path, studies: Mapping[str, type[Study]]) -> tuple[Result, list[str]]:
    """The result whose record this is, held to its own words, and the names of its parts."""
    record = read_record(path)
    store, preset, parameters = (record[k] for k in ("study", "preset", "parameters"))
    if preset not in PRESETS:
        raise ValueError(f"preset = {preset!r}: allowed are {', '.join(PRESETS)}")
    kind = next((study for study in studies.values() if study.store == store), None)
    if kind is None:
        raise ValueError(f"no study is stored as {store!r}")
    study = kind.with_overrides({}, parameters)
    if study.key() != path.parent.name:
        raise ValueError(f"its parameters have the key {study.key()}, not that of its folder")
    if not same_fingerprint(record["fingerprint"], study.fingerprint()):
        raise ValueError("made by other code: its fingerprint is not today's")
    result = Result(study, preset, folder=path.parent)
    result.record()  # refuses another format
    return result, list(record["parts"])
