"""Showers and observables a second, and the share of each stage; about a minute.

python benchmarks/showers.py [--showers 500] [--device cpu|cuda]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import torch

from amplib.truth.showers import observables as obs
from amplib.truth.showers import shower
from amplib.truth.showers.config import ShowerConfig
from amplib.truth.showers.geometry import ILD_ECAL
from amplib.truth.showers.parametrisation import longitudinal

GEANT4 = (0.4, 0.8)
"""Seconds that Geant4 took for a shower of 50 GeV in the same stack, on a CPU core of this kind and
with the made-up element tables of ``tests/geant4_tables.py``: an order of magnitude."""
TURNS = 5


def timed(work: Callable[[], object], device: str) -> float:
    """Median seconds of a few turns, after one that does not count.

    On a CPU the seconds are the thread's own, so that other work on the machine counts less.
    """
    clock = time.process_time if device == "cpu" else time.perf_counter
    times = []
    for _ in range(TURNS + 1):
        start = clock()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(clock() - start)
    return sorted(times[1:])[TURNS // 2]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--showers", type=int, default=500)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    options = parser.parse_args()
    n, device = options.showers, options.device
    torch.set_num_threads(1)
    generator = torch.Generator(device).manual_seed(1)
    where = "one CPU thread" if device == "cpu" else torch.cuda.get_device_name()

    print(f"showers of photons, {where}; Geant4's seconds are with made-up element tables")
    print(f"{'energy':>8s}{'hits':>9s}{'showers/s':>12s}{'Geant4 s / ours':>18s}")
    for energy, hits in ((10.0, "mip"), (50.0, "mip"), (50.0, "gflash"), (200.0, "mip")):
        config = ShowerConfig(energy=energy, hits=hits)

        def draw(config: ShowerConfig = config) -> None:
            for _ in shower.showers(n, config, generator):
                pass

        rate = n / timed(draw, device)
        ratio = f"{rate * GEANT4[0]:.0f} to {rate * GEANT4[1]:.0f}" if energy == 50 else ""
        print(f"{energy:5.0f} GeV{hits:>9s}{rate:12.0f}{ratio:>18s}")

    config = ShowerConfig()
    whole = timed(lambda: shower.shower_batch(100, config, generator), device)
    parameters = longitudinal(50, ILD_ECAL.medium)
    profiles = shower.draw_profiles(100, config, parameters, generator)
    layers = timed(
        lambda: shower.draw_layers(
            *shower.draw_profiles(100, config, parameters, generator), config, ILD_ECAL, generator
        ),
        device,
    )
    energies = shower.draw_layers(*profiles, config, ILD_ECAL, generator).total()
    hits_drawn = int(energies.sum() / ILD_ECAL.mip_mean)
    mips = timed(lambda: shower._mip_energy(hits_drawn, ILD_ECAL, generator), device)
    layer = torch.randint(0, 3000, (hits_drawn,), device=device).sort()[0]
    tau = torch.rand(100, 30, device=device) * 3
    cells = timed(lambda: shower._cells(layer, 0, tau, config, ILD_ECAL, generator), device)
    print("\nstages of 100 showers of 50 GeV")
    rest = whole - layers - mips - cells
    for name, seconds in (
        ("profiles and layer energies", layers),
        ("energies of hits", mips),
        ("places of hits", cells),
        ("bookkeeping and deposit", rest),
    ):
        print(f"{name:30s}{100 * seconds / whole:5.0f}%")

    showers = obs.visible(shower.shower_batch(200, config, generator))
    print("\nobservables, showers a second")
    for measure in (
        obs.high_level,
        obs.second_moments,
        obs.differences,
        obs.correlated,
        obs.visible,
    ):
        rate = len(showers) / timed(partial(measure, showers), device)
        print(f"{measure.__name__:30s}{rate:10,.0f}")


if __name__ == "__main__":
    main()
