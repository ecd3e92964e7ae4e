"""The studies of showers: events for training, and what the book shows of many."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from amplib.parameters import bounded
from amplib.progress import Progress
from amplib.store.ranges import counting, finite, within
from amplib.store.study import Arrays, BulkStudy, Layout, Part, Presets, Study, head
from amplib.studies.shower_paper import PAPER_LAYERS, PAPER_MOMENTS
from amplib.truth.showers.config import ShowerConfig
from amplib.truth.showers.geometry import ILD_ECAL

if TYPE_CHECKING:
    from torch import Tensor

CELLS = math.prod(ILD_ECAL.shape)
CELL_ENERGIES = np.logspace(-2, 2, 81)
"""Bins of the energy of single cells, MeV."""
RADII = (1.0, 2.0, 3.5)
"""Of the discs about the axis whose energy is summed, in Molière radii."""


@dataclass(frozen=True)
class ShowerTruth(Study, ShowerConfig):
    """What is made of true showers, simulated or published."""

    def truth(self) -> ShowerConfig:
        """Which showers."""
        return ShowerConfig(**self.fields_of(ShowerConfig))

    @abstractmethod
    def needed(self) -> int:
        """Published showers that it reads, from the first of the file on."""

    def data(self) -> tuple[str, ...]:
        return ("showers",) if self.source == "published" else ()

    def ready(self) -> None:
        super().ready()
        if self.source == "published":
            from amplib.studies.showers.sampling import published_places

            published_places(self, self.needed())


@dataclass(frozen=True)
class ShowerStudy(ShowerTruth):
    """Showers in parts of ``part_size``, each from a random stream of its own.

    A GPU draws other random numbers than a CPU: a part is the same on every CPU with the pinned
    versions, and the same in distribution on a GPU.
    """

    unit: ClassVar[str] = "showers of 50 GeV"

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
        """The showers of a part, ``(batch, layer, x, y)``, MeV; published ones in their order."""
        from amplib.studies.showers.sampling import published, published_places, simulated

        if self.source == "published":
            end = (part[0] + 1) * self.part_size
            return published(published_places(self, end)[end - self.part_size : end])
        return simulated(self, self.part_size, self.stream(*part), device)

    def needed(self) -> int:
        return len(self.parts()) * self.part_size

    @abstractmethod
    def reduce(self, batches: Iterator[Tensor]) -> Arrays:
        """What a part keeps of its showers."""

    def fingerprint(self) -> list[float]:
        """Four float64 showers of 5 GeV."""
        from amplib.truth.showers.shower import double_precision

        small = replace(self, part_size=4, energy=min(self.energy, 5.0), source="simulated")
        with double_precision():
            arrays = small.reduce(small.batches((0,), "cpu"))
        return [float(np.asarray(a, np.float64).ravel() @ _ramp(a.size)) for a in arrays.values()]


@dataclass(frozen=True)
class Showers(ShowerStudy, BulkStudy):
    """Showers for training, cell by cell."""

    name: ClassVar[str] = "showers"
    store: ClassVar[str] = "showers"
    presets: ClassVar[Presets] = {
        "smoke": {"showers": 20, "part_size": 10},
        "laptop": {"showers": 10_000},
        "paper": {"showers": 177_000},
    }
    rate: ClassVar[float] = 1000.0
    gpu_rate: ClassVar[float | None] = 20_000.0
    suffix: ClassVar[str] = ".h5"
    writer: ClassVar[str] = "amplib.truth.showers.getting_high"

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

    def layout(self) -> Layout:
        return {
            "cell": ("uint16", (None,)),
            "energy": ("float32", (None,)),
            "count": ("uint16", (self.part_size,)),
        }

    def faults(self, arrays: Arrays) -> Iterator[str]:
        hits = arrays["count"].sum(dtype=np.int64)
        for name in ("cell", "energy"):
            if len(arrays[name]) != hits:
                yield f"{name} has {len(arrays[name])} hits, counted are {hits}"
        yield from within("cell", arrays["cell"], 0, CELLS - 1)
        yield from within("energy", arrays["energy"], 0, 1000 * self.energy)

    def write(self, path: Path, parts: Iterator[Arrays], header: bool = False) -> None:
        """As the HDF5 file of the published showers, which names its arrays anyway."""
        from amplib.truth.showers.getting_high import write_showers

        dense = head(self.showers, (showers for part in parts for showers in dense_showers(part)))
        write_showers(path, ((np.full(len(s), self.energy, np.float32), s) for s in dense))


def dense_showers(arrays: Arrays, batch_size: int = 500) -> Iterator[np.ndarray]:
    """The showers of a part of ``Showers``, ``(batch, layer, x, y)`` float32, MeV."""
    end = np.cumsum(arrays["count"], dtype=np.int64)
    for first in range(0, len(end), batch_size):
        count = arrays["count"][first : first + batch_size]
        hits = slice(end[first] - count[0], end[first + len(count) - 1])
        showers = np.zeros((len(count), *ILD_ECAL.shape), np.float32)
        rows = np.repeat(np.arange(len(count)), count)
        showers.reshape(len(count), -1)[rows, arrays["cell"][hits]] = arrays["energy"][hits]
        yield showers


@dataclass(frozen=True)
class ShowerSummary(ShowerStudy):
    """What the book shows of showers: means, covariances and a few numbers a shower."""

    name: ClassVar[str] = "shower-summary"
    store: ClassVar[str] = "shower-summary"
    presets: ClassVar[Presets] = {
        "smoke": {"showers": 100, "part_size": 50},
        "laptop": {"showers": 2_000, "part_size": 1_000},
        "paper": {"showers": 10_000},
    }
    rate: ClassVar[float] = 400.0
    gpu_rate: ClassVar[float | None] = 5_000.0
    format: ClassVar[int] = 3

    part_size: int = bounded(5000, 1, 100_000)

    def reduce(self, batches: Iterator[Tensor]) -> Arrays:
        """Sums over the part's showers, the first shower whole, and the expectations.

        ``scalars`` ``(n, 4)``: active cells, E_vis (MeV), the energy that it reconstructs (GeV,
        ``Stack.calibration``), centroid.  ``seen`` and ``seen_products``: sums of the layer
        energies and of their products, before the threshold, ``seen_fourths`` the fourth moments
        about the expected means, ``seen_active`` the products with the number of active cells;
        ``empty`` the showers that leave nothing in a layer, ``beyond_energy`` and ``beyond_moment``
        those beyond the notebook's axes; ``columns`` the layer energies by column of cells,
        ``column_squares`` over all layers of a shower; ``discs`` and its products the energies lost
        within ``RADII`` and within the grid; ``correlated`` and its products as in Fig. 7;
        ``turned`` and its squares what vanishes on average when x and y are alike
        (``Summary.symmetry``).
        """
        import torch

        from amplib.truth.showers import expectation
        from amplib.truth.showers import observables as obs

        inside, spread = expectation.energies_in_grid(self)
        calibration = torch.tensor(ILD_ECAL.calibration())
        fraction = torch.tensor(ILD_ECAL.sampling_fraction)
        ends, moments = torch.tensor(PAPER_LAYERS), torch.tensor(PAPER_MOMENTS)
        discs = torch.tensor(ILD_ECAL.discs((*RADII, np.inf))).flatten(1).T
        sums: dict[str, Tensor] = {}
        scalars, spectrum, first = [], np.zeros(len(CELL_ENERGIES) - 1), None
        for batch in batches:
            showers = obs.visible(batch)
            seen = obs.layer_energies(batch).double()
            lost = obs.layer_energies(showers).double() @ calibration.to(seen) / 1000
            values = [
                obs.active_cells(showers),
                obs.total_energy(showers),
                lost,
                obs.centroid(showers),
            ]
            scalars.append(torch.stack([v.double() for v in values], 1).cpu())
            correlated = obs.correlated(showers).double()
            face = torch.einsum("nlxy,l->nxy", batch.double(), (1 / fraction).to(seen))
            within = face.flatten(1) @ discs.to(seen)
            x, y = (correlated[:, :2] - (ILD_ECAL.cells - 1) / 2).T
            turned = torch.stack([x, y, x**2 - y**2, correlated[:, 3] - correlated[:, 4]], 1)
            for name, value in {
                "seen": seen.sum(0),
                "seen_products": seen.T @ seen,
                "seen_fourths": ((seen - torch.tensor(inside).to(seen)) ** 4).sum(0),
                "seen_active": seen.T @ values[0].double(),
                "empty": (seen == 0).sum(0),
                "beyond_energy": (obs.layer_energies(showers).cpu() > ends).sum(0),
                "beyond_moment": (obs.second_moments(showers).cpu() > moments).sum(0),
                "columns": batch.double().sum((0, 3)),
                "column_squares": (batch.double().sum((1, 3)) ** 2).sum(0),
                "discs": within.sum(0),
                "discs_products": within.T @ within,
                "correlated": correlated.sum(0),
                "correlated_products": correlated.T @ correlated,
                "turned": turned.sum(0),
                "turned_squares": (turned**2).sum(0),
            }.items():
                sums[name] = sums.get(name, torch.zeros_like(value)) + value
            cells = batch[batch > 0].cpu().numpy()
            spectrum += np.histogram(cells, CELL_ENERGIES)[0]
            first = showers[0].cpu() if first is None else first
        assert first is not None
        hit = first.flatten().nonzero()[:, 0]
        return {
            "scalars": torch.cat(scalars).numpy().astype(np.float32),
            **{name: value.cpu().numpy() for name, value in sums.items()},
            "cell_energies": spectrum.astype(np.int64),
            "expected_seen": expectation.layer_energies(self)[0],
            "expected_inside": inside,
            "expected_spread": spread,
            "expected_empty": expectation.unconverted(self),
            "expected_columns": expectation.column_shares(self).astype(np.float32),
            "expected_behind": expectation.energy_behind(self),
            "expected_discs": expectation.energy_within(RADII, self, in_cells=True),
            "display_cell": hit.numpy().astype(np.uint16),
            "display_energy": first.flatten()[hit].numpy().astype(np.float32),
        }

    def layout(self) -> Layout:
        layers, side, _ = ILD_ECAL.shape
        discs, correlated, turned = len(RADII) + 1, 11, 4
        return {
            "scalars": ("float32", (self.part_size, 4)),
            "seen": ("float64", (layers,)),
            "seen_products": ("float64", (layers, layers)),
            "seen_fourths": ("float64", (layers,)),
            "seen_active": ("float64", (layers,)),
            "empty": ("int64", (layers,)),
            "beyond_energy": ("int64", (layers,)),
            "beyond_moment": ("int64", (layers,)),
            "columns": ("float64", (layers, side)),
            "column_squares": ("float64", (side,)),
            "discs": ("float64", (discs,)),
            "discs_products": ("float64", (discs, discs)),
            "correlated": ("float64", (correlated,)),
            "correlated_products": ("float64", (correlated, correlated)),
            "turned": ("float64", (turned,)),
            "turned_squares": ("float64", (turned,)),
            "cell_energies": ("int64", (len(CELL_ENERGIES) - 1,)),
            "expected_seen": ("float64", (layers,)),
            "expected_inside": ("float64", (layers,)),
            "expected_spread": ("float64", (layers,)),
            "expected_empty": ("float64", (layers,)),
            "expected_columns": ("float32", (layers, side)),
            "expected_behind": ("float64", ()),
            "expected_discs": ("float64", (len(RADII),)),
            "display_cell": ("uint16", (None,)),
            "display_energy": ("float32", (None,)),
        }

    def faults(self, arrays: Arrays) -> Iterator[str]:
        n = self.part_size
        for name, values in arrays.items():
            yield from finite(name, values)
        for name in ("empty", "beyond_energy", "beyond_moment"):
            yield from within(name, arrays[name], 0, n)
        yield from within("scalars", arrays["scalars"][:, 0], 0, CELLS)
        yield from counting("cell_energies", arrays["cell_energies"], n * CELLS, all_of_them=False)
        for name in ("empty", "behind", "discs"):
            yield from within(f"expected_{name}", arrays[f"expected_{name}"], 0, 1)
        yield from within("display_cell", arrays["display_cell"], 0, CELLS - 1)
        if len(arrays["display_cell"]) != len(arrays["display_energy"]):
            yield "display_cell and display_energy are of different lengths"


def _ramp(n: int) -> np.ndarray:
    return np.linspace(1, 2, n)
