"""Arrays as the bytes of an ``.npz`` file, read without trust in whoever wrote it.

Nothing is unpickled, and nothing is made in memory that the file does not say and hold: the header
of an array is compared with the size of its data before there is an array.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from amplib.store.study import Arrays

LARGEST = 2**31
"""Bytes of a part, unpacked: three times those of the largest part that a study may have."""
SUFFIX = ".npy"


@dataclass(frozen=True)
class Header:
    """What an array is before its contents are read."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]


def packed(arrays: Arrays) -> bytes:
    """The arrays as a compressed ``.npz`` file.

    Raises:
        ValueError: for an array of Python objects.
    """
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def headers(data: bytes) -> dict[str, Header]:
    """Names, types and shapes of the arrays, none of which is read.

    Raises:
        ValueError: if the file is none of ours, in one line.
    """
    with _archive(data) as archive:
        return {_name(entry): _header(archive, entry) for entry in archive.infolist()}


def unpacked(data: bytes) -> Arrays:
    """The arrays.

    Raises:
        ValueError: as of ``headers``, or if what is stored is damaged.
    """
    headers(data)
    with _archive(data) as archive:
        return {_name(entry): _array(archive, entry) for entry in archive.infolist()}


@contextmanager
def _archive(data: bytes) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len({entry.filename for entry in entries}) < len(entries):
                raise ValueError("two arrays have the same name")
            if sum(entry.file_size for entry in entries) > LARGEST:
                raise ValueError(f"more than {LARGEST / 2**30:g} GiB unpacked")
            yield archive
    except ValueError:
        raise
    except Exception as error:  # what zipfile, zlib and numpy raise of damage is of many kinds
        raise ValueError(f"cannot be read ({str(error) or type(error).__name__})") from None


def _name(entry: zipfile.ZipInfo) -> str:
    if not entry.filename.endswith(SUFFIX):
        raise ValueError(f"{entry.filename!r} is no array")
    return entry.filename.removesuffix(SUFFIX)


def _header(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Header:
    with archive.open(entry) as stream:
        header = _read_header(stream)
        size = entry.file_size - stream.tell()
    if header.dtype.hasobject:
        raise ValueError(f"{_name(entry)} holds Python objects, which are never unpickled")
    if header.dtype.itemsize * math.prod(header.shape) != size:
        raise ValueError(f"{_name(entry)} is {header.dtype} {header.shape} in {size} bytes")
    return header


def _read_header(stream: IO[bytes]) -> Header:
    version = npy.read_magic(stream)
    if version not in {(1, 0), (2, 0)}:
        raise ValueError(f"array of an unknown version {version}")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(stream)
    return Header(dtype, shape)


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(entry) as stream:
        array: np.ndarray = npy.read_array(stream, allow_pickle=False)
        if stream.read(1):  # the end of the entry, where its CRC is compared
            raise ValueError(f"{_name(entry)} has more bytes than its array")
    return array
