"""The studies of generators: the BIB-AE of DCTRGAN and its cheap rival, trained on showers.

Both train on the same simulated showers, those of the study ``showers``, which every machine makes
for itself or finds in ``data/``: files of numpy's, so that a GPU machine needs nothing but what
trains.  The next showers of the same sample choose the weights that are kept; two further samples
measure what they generate, and what finite samples differ by.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from amplib.models.config import BIBAEConfig, ImageGANConfig, ImageTraining
from amplib.models.weight_shapes import SIDE, Shapes, bibae_shapes, gan_shapes
from amplib.parameters import ParameterError, bounded
from amplib.progress import Progress
from amplib.store.ranges import finite, rising, shares, within
from amplib.store.study import Arrays, Layout, Part, Presets
from amplib.studies.showers.study import Showers, ShowerTruth
from amplib.truth.showers.config import THRESHOLD

if TYPE_CHECKING:
    import torch

    from amplib.models.generators import ImageGenerator, ImageStack, Measure
    from amplib.models.volumes import SparseImages

OBSERVABLES = 33 + 30 + 30
"""That choose and measure: the inputs of the high-level classifier (n_hit, centroid, E_tot, layer
energies) and the second moments of every layer along x and y (dctrgan, Figs. 3, 4, 6)."""
WEIGHTS = "weights."
"""What the names of stored weights begin with."""
PUBLISHED = "published"
"""The training of a generator's authors, where a preset is named."""
MEGABYTES_A_SHOWER = 0.015
"""Some 840 hits: a cell and an energy as they are read, both joined, and both as the network
takes them."""

TRAINING, GENERATION, COMPARISON = range(3)  # which stream of a member


@dataclass(frozen=True)
class ShowerGenerator(ShowerTruth, ImageTraining):
    """A generator of showers: part (k,) is the k-th training, alike but for its random numbers."""

    unit: ClassVar[str] = "showers"
    latents: ClassVar[tuple[str, ...]]
    """Densities that generation may draw latent numbers from, the published one first."""
    terms: ClassVar[tuple[str, ...]]
    """Losses that are recorded."""
    published: ClassVar[Mapping[str, object]]
    """What its authors' training sets beside the defaults: work for a GPU, and no preset."""

    seed: int = bounded(2009_03796, 0, 2**63 - 1)
    showers: int = bounded(40_000, 2, 10_000_000)
    """To train on."""
    compared: int = bounded(2000, 2, 100_000)
    """Generated at the end, for each of ``latents``, and compared with as many simulated ones."""
    part_size: int = bounded(1000, 1, 100_000)
    """Of ``Showers``."""
    members: int = bounded(1, 1, 99, extent=True)
    """Trainings."""

    def __post_init__(self) -> None:
        super().__post_init__()
        least = self.batch_size * self.pieces
        if self.showers < least:
            raise ParameterError(
                f"showers = {self.showers}: pieces x batch_size = {least} are needed at least"
            )

    @classmethod
    def settings(cls, training: str) -> Mapping[str, object]:
        """What a preset sets, or the training that is ``PUBLISHED``."""
        return cls.published if training == PUBLISHED else cls.presets[training]

    def memory_needed(self) -> int:
        """Showers are read, and kept by their cells."""
        return max(self.memory, round(1200 + MEGABYTES_A_SHOWER * self.showers))

    def parts(self) -> list[Part]:
        return [(k,) for k in range(self.members)]

    def repetitions_done(self, done: Sequence[Part]) -> int:
        return len(done)

    def work(self, parts: Sequence[Part]) -> float:
        """Showers that pass through the training."""
        return float(len(parts) * self.epochs * self.pieces * self.showers_a_piece)

    @property
    def showers_a_piece(self) -> int:
        """Trained on between two checks of what is generated."""
        return self.showers // (self.batch_size * self.pieces) * self.batch_size

    def made_of(self) -> Showers:
        wanted = self.showers + self.judged + 2 * self.compared
        return Showers(**self.truth().asdict(), showers=wanted, part_size=self.part_size)

    def needed(self) -> int:
        return self.made_of().needed()

    def compute(
        self, parts: Sequence[Part], device: str, checkpoint: Path, progress: Progress
    ) -> Iterator[tuple[Part, Arrays]]:
        """Train these parts side by side, then generate from the weights that were kept.

        Each part holds ``losses`` ``(records, 1 + terms + 1 + 93)``: piece, losses, mean distance
        and that of each observable (``ImageStack``); ``kept_at``, the piece whose weights were kept
        (0 if the training diverged before the first), and these as ``weights.*``; ``distances``
        ``(latents, 93)`` of ``compared`` generated showers from simulated ones; ``rounded``
        ``(93,)`` the same for the first of ``latents`` by weights in half precision; ``floor``
        ``(93,)`` of simulated from simulated ones; ``size``: weights of this model and of the
        published one.
        """
        from amplib.studies.generators.training import train_and_compare

        members = [k for (k,) in parts]
        results = train_and_compare(self, members, device, checkpoint, progress)
        yield from zip(parts, results, strict=True)

    @abstractmethod
    def stack(
        self,
        images: SparseImages,
        measure: Measure,
        reference: torch.Tensor,
        members: Sequence[int],
        device: str,
        dtype: torch.dtype,
    ) -> ImageStack:
        """The networks of these members, before training."""

    @abstractmethod
    def untrained(self) -> ImageGenerator:
        """One generator, its weights to be replaced by stored ones."""

    @abstractmethod
    def weight_shapes(self) -> Shapes:
        """Of these weights."""

    def density(self, stack: Any) -> Arrays:
        """What generation needs beside weights, ``(E, ...)`` each: nothing."""
        return {}

    def generator(self, arrays: Arrays, latents: str | None = None) -> ImageGenerator:
        """The generator of a stored part.

        Args:
            arrays: of the part.
            latents: one of ``latents``, by default the first.

        Raises:
            ParameterError: for another name.
        """
        import torch

        latents = latents or self.latents[0]
        if latents not in self.latents:
            raise ParameterError(f"latents = {latents!r}: allowed are {', '.join(self.latents)}")
        generator = self.untrained()
        generator.load_state_dict(
            {
                name.removeprefix(WEIGHTS): torch.as_tensor(value[None]).float()
                for name, value in arrays.items()
                if name.startswith(WEIGHTS)
            }
        )
        return generator.eval()

    def layout(self) -> Layout:
        return {
            "losses": ("float32", (None, 2 + len(self.terms) + OBSERVABLES)),
            "kept_at": ("int64", ()),
            "distances": ("float32", (len(self.latents), OBSERVABLES)),
            "rounded": ("float32", (OBSERVABLES,)),
            "floor": ("float32", (OBSERVABLES,)),
            "size": ("int64", (2,)),
            **{WEIGHTS + name: ("float32", shape) for name, shape in self.weight_shapes().items()},
        }

    def faults(self, arrays: Arrays) -> Iterator[str]:
        pieces = self.epochs * self.pieces
        yield from within("losses", arrays["losses"][:, 0], 1, pieces)
        yield from rising("losses", arrays["losses"][:, 0])
        yield from within("kept_at", arrays["kept_at"], 0, pieces)
        yield from within("size", arrays["size"], 1, 1e12)
        for name in ("distances", "floor"):
            yield from finite(name, arrays[name])
        for name in ("distances", "floor", "rounded"):  # half precision may have no number
            yield from within(name, np.nan_to_num(arrays[name]), 0, np.inf)
        for name, values in arrays.items():
            if name.startswith(WEIGHTS):
                yield from finite(name, values)

    @abstractmethod
    def tiny(self) -> ShowerGenerator:
        """This study, as small as a fingerprint needs it."""

    def shrunk(self, **further: Any) -> ShowerGenerator:
        """With a few showers of low energy, and a rate at which two steps move something."""
        rate = min(10 * self.learning_rate, 0.1)
        training = {"epochs": 2, "pieces": 1, "judged": 3, "batch_size": 2, "learning_rate": rate}
        truth = {"energy": min(self.energy, 5.0), "source": "simulated"}
        sizes = {"showers": 3, "compared": 2}
        return replace(self, **{**training, **truth, **sizes, **further}, precision="float32")

    def fingerprint(self) -> list[float]:
        """Two float64 passes over three showers: losses, kept weights and a generated shower."""
        from amplib.studies.generators.training import tiny_run

        return tiny_run(self.tiny())


@dataclass(frozen=True)
class ShowerBIBAE(BIBAEConfig, ShowerGenerator):
    """The BIB-AE with two networks for each critic (dctrgan, sec. III B).

    A part holds also the density that is fitted to encoded training showers: ``share`` ``(K,)``,
    ``mean`` ``(K, latent)`` and ``factor`` ``(K, latent, latent)`` of a Gaussian mixture.
    """

    name: ClassVar[str] = "bibae"
    store: ClassVar[str] = "bibae"
    # A quarter of the published widths: what one core trains in a night beside the GAN on another.
    presets: ClassVar[Presets] = {
        "smoke": {
            "showers": 32, "part_size": 20, "judged": 10, "compared": 10, "epochs": 2, "pieces": 2,
            "scale": 32, "detour": "none", "batch_size": 4, "critic_steps": 1,
        },
        "laptop": {
            "showers": 1_600, "epochs": 3, "pieces": 4, "judged": 200, "scale": 16,
            "detour": "none", "batch_size": 8, "critic_steps": 1, "precision": "bfloat16",
            "start": "mean",
        },
        "paper": {
            "showers": 40_000, "epochs": 10, "pieces": 20, "scale": 4, "detour": "none",
            "batch_size": 32, "critic_steps": 2, "precision": "bfloat16", "start": "mean",
        },
    }  # fmt: skip
    published: ClassVar[Mapping[str, object]] = {"showers": 950_000}
    rate: ClassVar[float] = 10.0
    gpu_rate: ClassVar[float | None] = 650.0  # an H200, that others used as well
    latents: ClassVar[tuple[str, ...]] = ("normal", "fitted")
    terms: ClassVar[tuple[str, ...]] = (
        "critic", "reset critic", "latent critic", "divergence", "discrepancy"
    )  # fmt: skip

    def stack(
        self,
        images: SparseImages,
        measure: Measure,
        reference: torch.Tensor,
        members: Sequence[int],
        device: str,
        dtype: torch.dtype,
    ) -> ImageStack:
        from amplib.models.bibae import StackedBIBAE

        seeds = [self.stream(k, TRAINING) for k in members]
        truth = self.energy, measure, reference, THRESHOLD
        return StackedBIBAE(self, images, *truth, seeds, device, dtype)

    def untrained(self) -> ImageGenerator:
        import torch

        from amplib.models.bibae import BIBAEGenerator, Decoder

        decoder = Decoder(self, self.energy, SIDE, [torch.Generator()])
        return BIBAEGenerator(decoder, self.latent)

    def weight_shapes(self) -> Shapes:
        return bibae_shapes(self)

    def density(self, stack: Any) -> Arrays:
        from amplib.models.bibae import Mixture

        latents = stack.encode(min(self.showers, ENCODED))
        fitted = Mixture.fit(latents, seed=self.seed % 2**32)
        return {name: getattr(fitted, name).cpu().numpy() for name in ("share", "mean", "factor")}

    def generator(self, arrays: Arrays, latents: str | None = None) -> ImageGenerator:
        import torch

        from amplib.models.bibae import Mixture

        generator: Any = super().generator(arrays, latents)
        if latents == "fitted":
            density = (torch.as_tensor(arrays[n][None]) for n in ("share", "mean", "factor"))
            generator.density = Mixture(*density)
        return generator

    def layout(self) -> Layout:
        n = self.latent
        return {
            **super().layout(),
            "share": ("float32", (None,)),
            "mean": ("float32", (None, n)),
            "factor": ("float32", (None, n, n)),
        }

    def faults(self, arrays: Arrays) -> Iterator[str]:
        yield from super().faults(arrays)
        yield from shares("share", arrays["share"])
        for name in ("mean", "factor"):
            yield from finite(name, arrays[name])
        if not len(arrays["share"]) == len(arrays["mean"]) == len(arrays["factor"]):
            yield "share, mean and factor are of different lengths"

    def tiny(self) -> ShowerGenerator:
        small = {"scale": 64, "detour": "none", "noise": min(self.noise, 64), "latent": 3}
        return self.shrunk(**small, critic_steps=min(self.critic_steps, 2))


ENCODED = 20_000
"""Training showers whose latent numbers the density is fitted to, at most."""


@dataclass(frozen=True)
class ShowerGAN(ImageGANConfig, ShowerGenerator):
    """The plain GAN of *Getting High*, at its published size."""

    name: ClassVar[str] = "shower-gan"
    store: ClassVar[str] = "shower-gan"
    # Paper: at the published rate, for a quarter of the published 125,000 steps.  Laptop: at twenty
    # times that rate.  As published the generator then makes empty showers after 20 steps and stays
    # there; from the mean shower it does not.
    presets: ClassVar[Presets] = {
        "smoke": {
            "showers": 32, "part_size": 20, "judged": 10, "compared": 10, "epochs": 2, "pieces": 2,
            "channels": 2, "critic_channels": 2, "batch_size": 4,
        },
        "laptop": {
            "showers": 1_600, "epochs": 4, "pieces": 4, "judged": 200, "channels": 8,
            "critic_channels": 8, "batch_size": 8, "learning_rate": 2e-4,
            "precision": "bfloat16", "start": "mean",
        },
        "paper": {
            "showers": 40_000, "epochs": 25, "pieces": 20, "precision": "bfloat16",
            "start": "mean",
        },
    }  # fmt: skip
    # In four epochs come 119,000 of the published 125,000 steps.
    published: ClassVar[Mapping[str, object]] = {"showers": 950_000, "epochs": 4}
    rate: ClassVar[float] = 35.0
    gpu_rate: ClassVar[float | None] = 4_000.0  # an H200, that others used as well
    latents: ClassVar[tuple[str, ...]] = ("uniform",)
    terms: ClassVar[tuple[str, ...]] = ("discriminator", "generator")

    def stack(
        self,
        images: SparseImages,
        measure: Measure,
        reference: torch.Tensor,
        members: Sequence[int],
        device: str,
        dtype: torch.dtype,
    ) -> ImageStack:
        from amplib.models.image_gan import StackedImageGAN

        seeds = [self.stream(k, TRAINING) for k in members]
        truth = self.energy, measure, reference, THRESHOLD
        return StackedImageGAN(self, images, *truth, seeds, device, dtype)

    def untrained(self) -> ImageGenerator:
        import torch

        from amplib.models.image_gan import Generator

        return Generator(self, self.energy, [torch.Generator()])

    def weight_shapes(self) -> Shapes:
        return gan_shapes(self)

    def tiny(self) -> ShowerGenerator:
        small = {"channels": 1, "critic_channels": 2, "latent": min(self.latent, 5)}
        return self.shrunk(**small)
