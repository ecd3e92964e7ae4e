r"""A trained (B-)VAE as a generator: its density information buffer, and the file that keeps both.

The buffer is what the encoder makes of every training event, :math:`\mu^i` and
:math:`\sigma^{2,i}` (event paper, sec. III B); codes are drawn from it or, as of a standard VAE,
from N(0, 1), and decoded.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from amplib.files import whole_file
from amplib.models.bvae import PIECE, Autoencoder, StackedVAE
from amplib.models.config import BufferConfig, VAEConfig
from amplib.models.noise import Noise, box_muller, series_words
from amplib.models.scaling import by_modulus
from amplib.models.stack import check_events
from amplib.parameters import ParameterError

Array = NDArray[np.float32]

FORMAT = "amplify B-VAE 1"
MAGNITUDES = ("MET", "E", "pT", "m")
"""What the names of columns begin with that are nowhere negative in any set of events."""


@dataclass(frozen=True, eq=False)
class Buffer:
    """Means and variances of the encoded training events, ``(N, dim z)`` each."""

    mean: Tensor
    variance: Tensor

    def codes(self, rows: Tensor, noise: Tensor, config: BufferConfig) -> Tensor:
        """Codes ``(n, dim z)`` about the encodings ``rows`` ``(n,)`` with ``noise`` of N(0, 1)."""
        return self.mean[rows] + deviation(self.variance[rows], config) * noise


def deviation(variance: Tensor, config: BufferConfig) -> Tensor:
    r"""Standard deviations with smudge factor and offset, eqs. 17 and 19.

    :math:`\sqrt{\alpha' \sigma^2 + \gamma}` or, with ``offset`` at ``deviation``,
    :math:`\sqrt{\alpha'} \sigma + \gamma`; :math:`\alpha'` is alpha or, with ``smudge`` at
    ``deviation``, its square where sigma is below the threshold, else 1.
    """
    sharp = variance < config.threshold**2
    factor = config.alpha if config.smudge == "variance" else config.alpha**2
    smudged = torch.where(sharp, factor * variance, variance)
    if config.offset == "variance":
        return (smudged + config.gamma).sqrt()
    return smudged.sqrt() + config.gamma


class TrainedVAE:
    """One VAE, the scale of its columns, and its buffer.

    Args:
        config: how it was trained.
        network: of one member.
        scale: what the columns were divided by.
        columns: their names.
        buffer: encodings of the training events.
    """

    def __init__(
        self,
        config: VAEConfig,
        network: Autoencoder,
        scale: Tensor,
        columns: Sequence[str],
        buffer: Buffer,
    ):
        self.config, self.network, self.scale = config, network, scale
        self.columns, self.buffer = columns, buffer

    @classmethod
    def of(cls, stack: StackedVAE, k: int, columns: Sequence[str]) -> TrainedVAE:
        """Member k of a stack, with what it makes of the stack's training events.

        Raises:
            ValueError: another number of names than of columns.
        """
        if len(columns) != stack.data.shape[1]:
            raise ValueError(f"{len(columns)} names for {stack.data.shape[1]} columns")
        network = stack.network.member(k)
        scale, encodings = stack.scaling.scale, _encodings(network, stack.data)
        return cls(stack.configs[k], network, scale, columns, encodings)

    @classmethod
    def encoding(
        cls,
        config: VAEConfig,
        network: Autoencoder,
        columns: Sequence[str],
        training: NDArray[np.floating],
    ) -> TrainedVAE:
        """The model that a network is beside its training events ``(N, columns)``."""
        check_events(training)
        scaling = by_modulus(training, network.mask)
        encodings = _encodings(
            network, scaling.to_network(torch.as_tensor(training).to(network.mask))
        )
        return cls(config, network, scaling.scale, columns, encodings)

    @property
    def latent(self) -> int:
        """dim z."""
        return self.config.latent

    def to(self, device: str) -> TrainedVAE:
        """A copy on another device."""
        buffer = Buffer(self.buffer.mean.to(device), self.buffer.variance.to(device))
        network, scale = copy.deepcopy(self.network).to(device), self.scale.to(device)
        return TrainedVAE(self.config, network, scale, self.columns, buffer)

    def encode(self, events: NDArray[np.floating]) -> Buffer:
        """Means and variances of the codes of events ``(n, columns)``.

        Raises:
            ValueError: another number of columns, or a number that is not finite.
        """
        return _encodings(self.network, self._scaled(events))

    def decode(self, codes: ArrayLike, negative: str = "kept") -> Array:
        """Events ``(n, columns)``, in the unit of the training events.

        Args:
            codes: ``(n, dim z)``.
            negative: of ``BufferConfig``.
        """
        z = torch.as_tensor(np.asarray(codes), dtype=self.scale.dtype, device=self.scale.device)
        return self._events(z, negative)

    def reconstruct(self, events: NDArray[np.floating]) -> Array:
        """What is decoded of the mean code of each event, ``(n, columns)``."""
        return self.decode(self.encode(events).mean.cpu())

    def _scaled(self, events: NDArray[np.floating]) -> Tensor:
        check_events(events)
        if events.shape[1] != len(self.columns):
            raise ValueError(f"events of {events.shape[1]} columns, not {len(self.columns)}")
        x = torch.as_tensor(np.asarray(events), dtype=self.scale.dtype, device=self.scale.device)
        return x / self.scale

    @torch.no_grad()
    def _events(self, z: Tensor, negative: str = "kept") -> Array:
        events = (self.network.decode(z.unsqueeze(0))[0] * self.scale).cpu().numpy()
        if negative == "zero":
            magnitudes = [k for k, name in enumerate(self.columns) if name.startswith(MAGNITUDES)]
            events[:, magnitudes] = np.maximum(events[:, magnitudes], 0)
        return events

    def generate(
        self, n: int, seed: np.random.SeedSequence, prior: BufferConfig | None, batch: int = PIECE
    ) -> Iterator[Array]:
        """``n`` events in batches ``(batch, columns)``; memory does not grow with n.

        Event k is the same whatever n and ``batch`` are.

        Args:
            n: events.
            seed: of codes and choices.
            prior: how codes are drawn from the buffer; None for N(0, 1), the VAE's own prior, of
                which nothing is cut.
            batch: events at a time.

        Raises:
            ValueError: ``n`` or ``batch`` below 1.
        """
        negative = "kept" if prior is None else prior.negative
        for z in self.codes(n, seed, prior, batch):
            yield self._events(z, negative)

    @torch.no_grad()
    def codes(
        self, n: int, seed: np.random.SeedSequence, prior: BufferConfig | None, batch: int = PIECE
    ) -> Iterator[Tensor]:
        """The codes ``(batch, dim z)`` that ``generate`` decodes."""
        if n < 1 or batch < 1:
            raise ValueError(f"{n} events in batches of {batch}: both must be at least 1")
        noise = Noise([seed], self.scale.device)
        each = 1 + series_words(self.latent)  # words of an event
        for start in range(0, n, batch):
            rows = min(batch, n - start)
            words = noise.words(start * each, rows * each).view(rows, each)
            bits = words[:, 1:].contiguous().view(torch.int32)
            z = box_muller(bits, self.scale.dtype)[:, : self.latent]
            if prior is not None:
                z = self.buffer.codes(self._choices(words[:, 0], start, prior.draw), z, prior)
            yield z

    def _choices(self, words: Tensor, start: int, draw: str) -> Tensor:
        """Which encodings: the bias of the remainder, 2^-63 N, is none."""
        if draw == "in turn":
            words = torch.arange(start, start + len(words), device=words.device)
        return (words & (2**63 - 1)) % len(self.buffer.mean)

    def save(self, path: Path) -> None:
        """Weights, scale and buffer as one safetensors file, atomically; nothing is pickled."""
        tensors = {name: t.cpu().contiguous() for name, t in self._tensors().items()}
        metadata = {
            "format": FORMAT,
            "config": json.dumps(asdict(self.config)),
            "columns": json.dumps(list(self.columns)),
            "sha256": _digest(tensors),
        }
        with whole_file(path) as temporary:
            save_file(tensors, temporary, metadata)

    def _tensors(self) -> dict[str, Tensor]:
        weights = {f"network.{name}": w.data for name, w in self.network.named_parameters()}
        buffer = {"buffer.mean": self.buffer.mean, "buffer.variance": self.buffer.variance}
        return weights | buffer | {"scale": self.scale}

    @classmethod
    def load(cls, path: Path, columns: Sequence[str] | None = None) -> TrainedVAE:
        """What ``save`` has written.

        Args:
            path: the file.
            columns: refuse a model of others.

        Raises:
            FileNotFoundError: there is none.
            ValueError: in one line naming the file, if it is damaged, no model, or one of other
                columns.
        """
        if not path.is_file():
            raise FileNotFoundError(f"no such file: {path}")
        try:
            with safe_open(path, "pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except SafetensorError as error:
            raise ValueError(f"{path} is damaged ({error})") from None
        if metadata.get("format") != FORMAT:
            raise ValueError(f"{path} is no model of format {FORMAT!r}")
        if metadata.get("sha256") != _digest(tensors):
            raise ValueError(f"{path} is damaged: its numbers do not match their SHA-256")
        try:
            names = json.loads(metadata["columns"])
            config = VAEConfig(**json.loads(metadata["config"]))
        except (KeyError, TypeError, ValueError, ParameterError) as error:
            raise ValueError(f"{path} is damaged ({error})") from None
        if columns is not None and list(columns) != names:
            raise ValueError(f"{path} has columns {', '.join(names)}, not {', '.join(columns)}")
        return _assembled(path, config, names, tensors)


def _assembled(
    path: Path, config: VAEConfig, columns: list[str], tensors: Mapping[str, Tensor]
) -> TrainedVAE:
    network = Autoencoder(config, len(columns), [torch.Generator()])
    events = len(tensors["buffer.mean"]) if "buffer.mean" in tensors else 0
    encodings = torch.zeros(events, config.latent)
    buffer = Buffer(encodings, encodings)
    model = TrainedVAE(config, network, torch.ones(len(columns)), columns, buffer)
    expected, found = (
        {name: tuple(t.shape) for name, t in those.items()} for those in (model._tensors(), tensors)
    )
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise ValueError(
                f"{path}: {name} has shape {found.get(name)}, expected {expected.get(name)}"
            )
    weights = {n.removeprefix("network."): t for n, t in tensors.items() if "network." in n}
    network.to(tensors["scale"].dtype).load_state_dict(weights | {"mask": network.mask})
    buffer = Buffer(tensors["buffer.mean"], tensors["buffer.variance"])
    return TrainedVAE(config, network, tensors["scale"], columns, buffer)


@torch.no_grad()
def _encodings(network: Autoencoder, scaled: Tensor) -> Buffer:
    parts = [network.encode(piece.unsqueeze(0)) for piece in scaled.split(PIECE)]
    mean, log_variance = (torch.cat(both, 1)[0] for both in zip(*parts, strict=True))
    return Buffer(mean, log_variance.exp())


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].numpy().tobytes())
    return digest.hexdigest()
