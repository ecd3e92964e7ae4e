"""Events to a file as they come, in any of the formats that ``event_file`` reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amplib.files import check_target, format_of, whole_file

Events = NDArray[np.floating]
Batches = Iterator[Events]
Write = Callable[[Path, Batches, Sequence[str], int], None]


def check_writable(path: Path, header: bool = False) -> None:
    """Refuse what ``write_events`` would refuse, before any work.

    Raises:
        ValueError, OSError: as of ``files.check_target``; for a header of what is no CSV.
    """
    check_target(path, WRITERS)
    if header and format_of(path) not in TEXT:
        raise ValueError(f"{path}: a header is for {', '.join(TEXT)}")


def write_events(
    path: Path, batches: Batches, names: Sequence[str], n: int, header: bool = False
) -> None:
    """Write ``n`` events; the file is whole or not there, and memory does not grow with them.

    CSV as the published file is: space-separated, a space at the end of a line, no names unless
    they are asked for; compressed if the path ends in ``.gz``.  The others hold float32; NPY one
    table without names, HDF5 and parquet a column a name.

    Args:
        path: the file; its suffix says the format.
        batches: of ``(rows, columns)``, ``n`` rows in all.
        names: of the columns.
        n: events.
        header: whether CSV begins with the names.

    Raises:
        ValueError, OSError: as of ``check_writable``.
        ImportError: if the library that writes the format is missing.
    """
    check_writable(path, header)
    if format_of(path) in TEXT and not header:
        names = ()
    with whole_file(path) as temporary:
        WRITERS[format_of(path)](temporary, batches, names, n)


def _write_csv(path: Path, batches: Batches, names: Sequence[str], n: int) -> None:
    from amplib.truth.collisions.csv_file import opened, write_rows

    with opened(path) as stream:
        write_rows(stream, path, batches, header=names)


def _write_npy(path: Path, batches: Batches, names: Sequence[str], n: int) -> None:
    header = {"descr": "<f4", "fortran_order": False, "shape": (n, len(names))}
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        for batch in batches:
            stream.write(np.ascontiguousarray(batch, "<f4").tobytes())


def _write_hdf5(path: Path, batches: Batches, names: Sequence[str], n: int) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        columns = [file.create_dataset(name, (n,), "<f4") for name in names]
        first = 0
        for batch in batches:
            for column, values in zip(columns, batch.T, strict=True):
                column[first : first + len(batch)] = values
            first += len(batch)


def _write_parquet(path: Path, batches: Batches, names: Sequence[str], n: int) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema([(name, pa.float32()) for name in names])
    # Hardly a value comes twice: a dictionary of them would make the file half as long again.
    with parquet.ParquetWriter(path, schema, use_dictionary=False) as file:
        for batch in batches:
            columns = [pa.array(np.ascontiguousarray(c, "<f4")) for c in batch.T]
            file.write_table(pa.table(columns, schema=schema))


WRITERS: dict[str, Write] = {
    ".csv": _write_csv,
    ".csv.gz": _write_csv,
    ".npy": _write_npy,
    ".h5": _write_hdf5,
    ".hdf5": _write_hdf5,
    ".parquet": _write_parquet,
}
"""By suffix."""
TEXT = (".csv", ".csv.gz")
"""Those in which names are in the way of the published layout."""
