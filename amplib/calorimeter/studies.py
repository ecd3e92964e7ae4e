"""The studies of showers: events for training, and what the book shows of many."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from amplib.calorimeter.config import ShowerConfig
from amplib.calorimeter.geometry import ILD_ECAL
from amplib.parameters import bounded
from amplib.study import Arrays, BulkStudy, Part, Progress, Study

if TYPE_CHECKING:
    from torch import Tensor

CELL_ENERGIES = np.logspace(-2, 2, 81)
"""Bins of the energy of single cells, MeV."""


@dataclass(frozen=True)
class ShowerStudy(Study, ShowerConfig):
    """Showers in parts of ``part_size``, each from a random stream of its own.

    A GPU draws other random numbers than a CPU: a part is the same on every CPU with the pinned
    versions, and the same in distribution on a GPU.
    """

    seed: int = bounded(3826103, 0, 2**63 - 1)
    showers: int = bounded(10_000, 1, 10_000_000, extent=True)
    part_size: int = bounded(1000, 1, 100_000)

    def parts(self) -> list[Part]:
        return [(k,) for k in range(-(-self.showers // self.part_size))]

    def repetitions_done(self, done: Sequence[Part]) -> int:
        return len(done)

    def work(self, parts: Sequence[Part]) -> float:
        """In showers of 50 GeV: a shower's hits grow with its energy."""
        return len(parts) * self.part_size * self.energy / 50

    def compute(
        self, parts: Sequence[Part], device: str, checkpoint: Path, progress: Progress
    ) -> Iterator[tuple[Part, Arrays]]:
        for part in parts:
            yield part, self.reduce(self.batches(part, device))
            progress(self.work([part]))

    def batches(self, part: Part, device: str) -> Iterator[Tensor]:
        """The showers of a part, as ``amplib.calorimeter.shower.showers`` yields them."""
        import torch

        from amplib.calorimeter.shower import showers

        stream = np.random.SeedSequence(self.seed, spawn_key=part)
        generator = torch.Generator(device)
        generator.manual_seed(int(stream.generate_state(1, np.uint64)[0] >> np.uint64(1)))
        return showers(self.part_size, self, generator)

    @abstractmethod
    def reduce(self, batches: Iterator[Tensor]) -> Arrays:
        """What a part keeps of its showers."""

    def fingerprint(self) -> list[float]:
        """Four float64 showers of 5 GeV."""
        from amplib.calorimeter.shower import double_precision

        small = replace(self, part_size=4, energy=min(self.energy, 5.0))
        with double_precision():
            arrays = small.reduce(small.batches((0,), "cpu"))
        return [float(np.asarray(a, np.float64).ravel() @ _ramp(a.size)) for a in arrays.values()]


@dataclass(frozen=True)
class Showers(ShowerStudy, BulkStudy):
    """Showers for training, cell by cell."""

    name: ClassVar[str] = "showers"
    store: ClassVar[str] = "showers"
    suffix: ClassVar[str] = ".h5"

    def reduce(self, batches: Iterator[Tensor]) -> Arrays:
        """Only cells with energy, by their index in a shower; no threshold applied."""
        cells, energies, counts = [], [], []
        for batch in batches:
            flat = batch.flatten(1).cpu().numpy()
            shower, cell = flat.nonzero()
            cells.append(cell.astype(np.uint16))
            energies.append(flat[shower, cell].astype(np.float32))
            counts.append(np.bincount(shower, minlength=len(flat)).astype(np.uint16))
        return {
            "cell": np.concatenate(cells),
            "energy": np.concatenate(energies),
            "count": np.concatenate(counts),
        }

    def write(self, path: Path, parts: Iterator[Arrays]) -> None:
        """As the HDF5 file of the published showers."""
        from amplib.calorimeter.getting_high import write_showers

        dense = map(dense_showers, parts)
        write_showers(path, ((np.full(len(s), self.energy, np.float32), s) for s in dense))


def dense_showers(arrays: Arrays) -> np.ndarray:
    """The showers of a part of ``Showers``, ``(n, layer, x, y)`` float32, MeV."""
    shape = (ILD_ECAL.layers, ILD_ECAL.cells, ILD_ECAL.cells)
    showers = np.zeros((len(arrays["count"]), *shape), np.float32)
    rows = np.repeat(np.arange(len(showers)), arrays["count"])
    showers.reshape(len(showers), -1)[rows, arrays["cell"]] = arrays["energy"]
    return showers


@dataclass(frozen=True)
class ShowerSummary(ShowerStudy):
    """What the book shows of showers: means, covariances and a few numbers a shower."""

    name: ClassVar[str] = "shower-summary"
    store: ClassVar[str] = "shower-summary"

    part_size: int = bounded(5000, 1, 100_000)

    def reduce(self, batches: Iterator[Tensor]) -> Arrays:
        """Sums over the part's showers, the first shower whole, and the expectations.

        ``scalars`` ``(n, 4)``: active cells, E_vis (MeV), E_vis in units of the energy lost (GeV,
        every layer divided by its sampling fraction), centroid.  ``seen`` and ``seen_products``:
        sums of the layer energies and of their products, before the threshold; ``columns`` and
        ``rows`` the same energies by cell, ``column_squares`` over all layers of a shower;
        ``correlated`` and its products as in Fig. 7; ``moments`` the sums of the second moments
        along x and y.
        """
        import torch

        from amplib.calorimeter import expectation
        from amplib.calorimeter import observables as obs

        sums: dict[str, Tensor] = {}
        scalars, spectrum, first = [], np.zeros(len(CELL_ENERGIES) - 1), None
        for batch in batches:
            showers = obs.visible(batch)
            seen = obs.layer_energies(batch).double()
            fraction = torch.tensor(ILD_ECAL.sampling_fraction).to(seen)
            lost = (obs.layer_energies(showers) / fraction).sum(1) / 1000
            values = [
                obs.active_cells(showers),
                obs.total_energy(showers),
                lost,
                obs.centroid(showers),
            ]
            scalars.append(torch.stack([v.double() for v in values], 1).cpu())
            correlated = obs.correlated(showers).double()
            moments = [obs.second_moments(showers, axis) for axis in "xy"]
            for name, value in {
                "seen": seen.sum(0),
                "seen_products": seen.T @ seen,
                "columns": batch.double().sum((0, 3)),
                "column_squares": (batch.double().sum((1, 3)) ** 2).sum(0),
                "rows": batch.double().sum((0, 2)),
                "correlated": correlated.sum(0),
                "correlated_products": correlated.T @ correlated,
                "moments": torch.stack(moments).double().sum(1),
            }.items():
                sums[name] = sums.get(name, torch.zeros_like(value)) + value
            cells = batch[batch > 0].cpu().numpy()
            spectrum += np.histogram(cells, CELL_ENERGIES)[0]
            first = showers[0].cpu() if first is None else first
        assert first is not None
        mean, spread = expectation.layer_energies(self)
        shares, outside = expectation.column_shares(self)
        hit = first.flatten().nonzero()[:, 0]
        return {
            "scalars": torch.cat(scalars).numpy().astype(np.float32),
            **{name: value.cpu().numpy() for name, value in sums.items()},
            "cell_energies": spectrum.astype(np.int64),
            "expected_seen": mean,
            "expected_spread": spread,
            "expected_columns": shares.astype(np.float32),
            "expected_outside": outside,
            "display_cell": hit.numpy().astype(np.uint16),
            "display_energy": first.flatten()[hit].numpy().astype(np.float32),
        }


def _ramp(n: int) -> np.ndarray:
    return np.linspace(1, 2, n)
