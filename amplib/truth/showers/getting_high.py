"""The file format of the published showers (Zenodo 3826103), for theirs and for ours.

HDF5, a group ``30x30`` with ``energy`` (N, 1), the energies of the incident photons in GeV, and
``layers`` (N, 30, 30, 30) = [layer, x, z], what each cell has seen in MeV, no threshold applied.
Energies (N,), as others may write them, are read alike.  All of it has to lie in the file itself:
links and data kept elsewhere are refused before anything is followed.
Source: Buhmann et al., Getting High, arXiv:2005.05334, and its repository FLC-QU-hep/getting_high.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from amplib.files import whole_file

Array = NDArray[np.float32]

GROUP = "30x30"
SHAPE = (30, 30, 30)
HIGHEST_ENERGY = 1000.0
"""GeV: the same number in MeV would be a photon that no calorimeter of this size is for."""
MEV = 1000  # of a GeV
SHOWERS_A_CHUNK = 8  # 0.9 MB: within HDF5's cache
NEAR = 0.01
"""How far from an energy a photon's may be, relatively, to count as the same: a spread of 0.6% at
most, which hardly adds to that of the calorimeter."""


def shower_count(path: str | Path) -> int:
    """Number of showers in a file.

    Raises:
        FileNotFoundError, ValueError: as :func:`read_showers`, for all but the values.
    """
    with _opened(Path(path)) as (energy, _):
        return len(energy)


def showers_near(path: str | Path, energy: float) -> NDArray[np.intp]:
    """Which showers of a file are of photons within ``NEAR`` of an energy in GeV, ``(n,)``.

    Raises:
        FileNotFoundError, ValueError: as :func:`shower_count`.
    """
    with _opened(Path(path)) as (energies, _):
        return np.flatnonzero(abs(energies[:].reshape(-1) / energy - 1) <= NEAR)


def read_showers(
    path: str | Path, batch_size: int, which: NDArray[np.intp] | None = None
) -> Iterator[tuple[Array, Array]]:
    """Energies ``(n,)`` GeV and showers ``(n, 30, 30, 30)`` MeV, batch by batch, in float32.

    All batches but the last have n = ``batch_size``.  One batch is in memory, as long as the caller
    keeps none.

    Args:
        path: the file.
        batch_size: showers at once.
        which: their places in the file, each once, in rising order; all of them by default.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: in one line, if the file is not of this format, is damaged or truncated, holds
            no shower, a value is NaN, infinite or negative, an energy is not in GeV, cells have
            seen more than their photon had, or all showers of a batch are empty.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    path = Path(path)
    with _opened(path) as (energy, layers):
        places = np.arange(len(energy)) if which is None else which
        for first in range(0, len(places), batch_size):
            # No name for the batch: it would outlive the yield, and two would be in memory.
            yield _batch(path, energy, layers, places[first : first + batch_size])


def write_showers(path: str | Path, batches: Iterable[tuple[ArrayLike, ArrayLike]]) -> None:
    """Write energies ``(n,)`` GeV and showers ``(n, 30, 30, 30)`` MeV as they come, in float32.

    Compressed without loss.  The file appears when the last batch is written, and not at all if one
    is refused.

    Raises:
        FileNotFoundError, IsADirectoryError: if there is no such folder, or one of this name.
        ValueError: in one line, if a batch has another shape, a value is NaN, infinite or negative,
            an energy is not in GeV, cells have seen more than their photon had, or there is no
            shower at all.
    """
    path = Path(path)
    with whole_file(path) as temporary:
        with h5py.File(temporary, "w") as file:
            energy, layers = _datasets(file)
            for energies, showers in batches:
                _append(path, energy, layers, *_as_batch(path, energies, showers))
            written = len(energy)
        if not written:
            raise ValueError(f"{path}: no showers to write")


@contextmanager
def _opened(path: Path) -> Iterator[tuple[h5py.Dataset, h5py.Dataset]]:
    """The two data sets of a file, both of the right shape."""
    if not path.exists():
        raise FileNotFoundError(f"no such file: {path}")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        truncated = "truncated" in str(error)
        reason = "is truncated" if truncated else "is not an HDF5 file or is damaged"
        raise ValueError(f"{path} {reason}") from None
    with file:
        energy, layers = (_dataset(path, file, name) for name in ("energy", "layers"))
        _check_shapes(path, energy.shape, layers.shape)
        yield energy, layers


def _dataset(path: Path, file: h5py.File, name: str) -> h5py.Dataset:
    group = _own(path, file, GROUP, GROUP)
    if not isinstance(group, h5py.Group):
        raise ValueError(f"{path} has no group {GROUP}")
    dataset = _own(path, group, name, f"{GROUP}/{name}")
    if not isinstance(dataset, h5py.Dataset):
        raise ValueError(f"{path} has no data set {GROUP}/{name}")
    if dataset.external or dataset.is_virtual:
        raise ValueError(f"{path}: {GROUP}/{name} is kept in another file")
    if dataset.shape is None:
        raise ValueError(f"{path}: {GROUP}/{name} is empty")
    if dataset.dtype.kind not in "fiu":
        raise ValueError(f"{path}: {GROUP}/{name} holds {dataset.dtype}, not numbers")
    return dataset


def _own(path: Path, group: h5py.Group, name: str, full_name: str) -> Any:
    """What a group has under a name, None if nothing; no link is followed."""
    if not isinstance(group.get(name, getlink=True), h5py.HardLink | None):
        raise ValueError(f"{path}: {full_name} is a link, to another place or file")
    return group.get(name)


def _check_shapes(path: Path, energy: tuple[int, ...], layers: tuple[int, ...]) -> None:
    if len(energy) not in (1, 2) or energy[1:] not in ((), (1,)):
        raise ValueError(f"{path}: {GROUP}/energy has shape {energy}, expected (N, 1) or (N,)")
    if len(layers) != 4 or layers[1:] != SHAPE:
        raise ValueError(f"{path}: {GROUP}/layers has shape {layers}, expected (N, 30, 30, 30)")
    if energy[0] != layers[0]:
        raise ValueError(f"{path} has {energy[0]} energies and {layers[0]} showers")
    if not energy[0]:
        raise ValueError(f"{path} holds no showers")


def _batch(
    path: Path, energy: h5py.Dataset, layers: h5py.Dataset, places: NDArray[np.intp]
) -> tuple[Array, Array]:
    first, last = places[0], places[-1]
    adjacent = last + 1 - first == len(places)
    rows = slice(first, last + 1) if adjacent else places  # picked one by one it takes longer
    try:
        energies = energy.astype(np.float32)[rows].reshape(-1)
        showers = layers.astype(np.float32)[rows]
    except OSError:
        raise ValueError(
            f"{path}: showers {first} to {last} cannot be read, the file is damaged"
        ) from None
    _check_values(path, energies, showers, places)
    if not showers.any():
        raise ValueError(f"{path}: showers {first} to {last} are empty, as if never written")
    return energies, showers


def _check_values(path: Path, energies: Array, showers: Array, places: NDArray[np.intp]) -> None:
    """Raise for the first shower with a value that cannot be."""
    for name, values in (
        ("energy", energies[:, None]),
        ("layers", showers.reshape(len(showers), -1)),
    ):
        # Extrema carry a NaN along, and need no second array of the batch's size.
        low, high = values.min(1), values.max(1)
        bad = ~((low >= 0) & (high < np.inf))
        if bad.any():
            row = int(bad.argmax())
            reason = "a negative value" if low[row] < 0 else "a value that is NaN or infinite"
            raise ValueError(f"{path}: shower {places[row]} has {reason} in {GROUP}/{name}")
    bad = (energies == 0) | (energies > HIGHEST_ENERGY)
    if bad.any():
        row = int(bad.argmax())
        raise ValueError(
            f"{path}: shower {places[row]} has {energies[row]:g} in {GROUP}/energy, "
            f"GeV up to {HIGHEST_ENERGY:g} are expected"
        )
    seen = showers.sum((1, 2, 3), dtype=float)
    bad = seen > MEV * energies
    if bad.any():
        row = int(bad.argmax())
        raise ValueError(
            f"{path}: shower {places[row]} has {seen[row]:g} MeV in {GROUP}/layers, more than its "
            f"photon's {energies[row]:g} GeV"
        )


def _datasets(file: h5py.File) -> tuple[h5py.Dataset, h5py.Dataset]:
    """Empty, growing data sets.

    No shuffle filter: these images are mostly zeros, and 5.4 kB a shower become 7.9 kB with it.
    """
    options: dict[str, Any] = {"dtype": "f4", "compression": "gzip"}
    group = file.create_group(GROUP)
    return (
        group.create_dataset("energy", (0, 1), maxshape=(None, 1), chunks=(1024, 1), **options),
        group.create_dataset(
            "layers",
            (0, *SHAPE),
            maxshape=(None, *SHAPE),
            chunks=(SHOWERS_A_CHUNK, *SHAPE),
            **options,
        ),
    )


def _as_batch(path: Path, energies: ArrayLike, showers: ArrayLike) -> tuple[Array, Array]:
    energies, showers = np.asarray(energies, np.float32), np.asarray(showers, np.float32)
    if energies.ndim != 1 or showers.shape != (len(energies), *SHAPE):
        raise ValueError(
            f"{path}: energies and showers have shapes {energies.shape} and {showers.shape}, "
            "expected (n,) and (n, 30, 30, 30)"
        )
    return energies, showers


def _append(
    path: Path, energy: h5py.Dataset, layers: h5py.Dataset, energies: Array, showers: Array
) -> None:
    if not len(energies):
        return
    first, last = len(energy), len(energy) + len(energies)
    _check_values(path, energies, showers, np.arange(first, last))
    energy.resize(last, axis=0)
    layers.resize(last, axis=0)
    energy[first:, 0], layers[first:] = energies, showers
