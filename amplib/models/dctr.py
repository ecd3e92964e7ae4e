r"""DCTR: weights for generated events from a classifier (DCTRGAN, sec. II C).

A network :math:`h` is trained to tell events of the truth (1) from generated ones (0) by binary
cross entropy; :math:`W(x) = h(x) / (1 - h(x))` then estimates :math:`p_T(x) / p_G(x)` (eq. 3).
Nothing here knows what made the events, nor their shape: any network that maps ``(rows, *shape)``
to one logit a row will do.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from torch import Tensor, nn
from torch.optim import Adam

from amplib.models.config import DCTRTraining

Array = NDArray[np.float64]
ROWS = 20_000
"""Events that pass through the network at once when nothing is trained."""
STEPS_A_REPORT = 100
TEMPERATURES = (0.05, 20.0)
"""Between which the temperature is looked for."""


class _Scaled(nn.Module):
    """x less its centre, over its scale."""

    centre: Tensor
    scale: Tensor

    def __init__(self, centre: Tensor, scale: Tensor):
        super().__init__()
        self.register_buffer("centre", centre)
        self.register_buffer("scale", scale)

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.centre) / self.scale


def perceptron(like: ArrayLike, hidden: Sequence[int], generator: torch.Generator) -> nn.Sequential:
    """Hidden layers of ReLUs and one logit, for events like these.

    The first layer scales inputs to the mean and the standard deviation of ``like``, so that their
    units do not matter.  Weights start from Glorot's uniform numbers and biases from zero, the
    default of the library that the paper used.

    Args:
        like: ``(N, d)``.
        hidden: widths of the hidden layers.
        generator: of the first weights.
    """
    x = torch.as_tensor(np.asarray(like), dtype=torch.float32)
    scale = x.std(0)
    layers: list[nn.Module] = [_Scaled(x.mean(0), torch.where(scale > 0, scale, 1.0))]
    for i, o in pairwise([x.shape[1], *hidden, 1]):
        layer = nn.Linear(i, o)
        nn.init.xavier_uniform_(layer.weight, generator=generator)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class DCTR:
    """A trained classifier and the weights that follow from it.

    Args:
        network: maps ``(rows, *shape)`` to ``(rows,)`` or ``(rows, 1)`` logits.
        temperature: that its logits are divided by.
        losses: ``(epochs, 2)`` training and validation loss; ln 2 is that of a coin.
    """

    def __init__(self, network: nn.Module, temperature: float, losses: Array):
        self.network, self.temperature, self.losses = network, temperature, losses

    def logits(self, x: ArrayLike) -> Array:
        """Log of the weights of events ``(N, *shape)``, shape ``(N,)``.

        Raises:
            ValueError: events that hold NaN or infinity.
        """
        events = _as_tensor(x, "events", next(self.network.parameters()))
        return _logits(self.network, events).double().numpy() / self.temperature

    def scores(self, x: ArrayLike) -> Array:
        """h(x), ``(N,)``."""
        return 1 / (1 + np.exp(-self.logits(x)))

    def weights(self, x: ArrayLike) -> Array:
        """W(x) = h / (1 - h), ``(N,)``, from the logit, in which it is finite as long as that is.

        Not clipped: ``amplib.metrics.weights.clip`` does, and says how many.
        """
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(self.logits(x)))


def _as_tensor(x: ArrayLike, name: str, like: Tensor | None = None) -> Tensor:
    array = np.asarray(x)
    if array.ndim < 2 or not array.size:
        raise ValueError(f"{name} of shape {array.shape}: must be (N, ...) with N >= 1")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must not hold NaN or infinity")
    tensor = torch.as_tensor(array, dtype=torch.float32 if like is None else like.dtype)
    return tensor if like is None else tensor.to(like.device)


@torch.no_grad()
def _logits(network: nn.Module, events: Tensor) -> Tensor:
    training = network.training
    network.eval()
    rows = [network(batch).reshape(len(batch)) for batch in events.split(ROWS)]
    network.train(training)
    return torch.cat(rows).cpu()


def _prior(weights: ArrayLike | None, n: int, name: str) -> Tensor:
    """Prior weights of a class, summing to its share of one half of all."""
    w = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    if w.shape != (n,):
        raise ValueError(f"{name} of shape {w.shape}: must be one for each of {n} events")
    if not (np.isfinite(w).all() and (w >= 0).all() and w.any()):
        raise ValueError(f"{name} must be finite, not negative and not all zero")
    return torch.as_tensor(w / w.mean(), dtype=torch.float32)


def train_dctr(
    network: nn.Module,
    real: ArrayLike,
    generated: ArrayLike,
    training: DCTRTraining,
    seed: np.random.SeedSequence,
    real_weights: ArrayLike | None = None,
    generated_weights: ArrayLike | None = None,
    progress: Callable[[float], None] = lambda steps: None,
) -> DCTR:
    """Train a classifier on events of the truth against generated ones.

    Either class counts for one half, whatever its size and its prior weights, so that W needs no
    further factor (``DCTRTraining.balance``).

    Args:
        network: its logit is trained in place.
        real: ``(N, *shape)``.
        generated: ``(M, *shape)``.
        training: how.
        seed: of the split and of the shuffles.
        real_weights: prior weights ``(N,)`` of the truth.
        generated_weights: prior weights ``(M,)`` of generated events.
        progress: told the steps since the last call; what it raises ends the training.

    Raises:
        ValueError: in one line, for shapes that do not fit, events or weights that are not finite,
            negative weights, too few events to split, or a training that diverges.
    """
    generator = torch.Generator().manual_seed(int(seed.generate_state(1)[0]))
    like = next(network.parameters())
    classes = [_as_tensor(x, n, like) for x, n in ((real, "real"), (generated, "generated"))]
    if classes[0].shape[1:] != classes[1].shape[1:]:
        shapes = " and ".join(str(tuple(x.shape[1:])) for x in classes)
        raise ValueError(f"real and generated events differ in shape: {shapes}")
    priors = [
        _prior(real_weights, len(classes[0]), "real_weights"),
        _prior(generated_weights, len(classes[1]), "generated_weights"),
    ]
    held_out = [round(training.validation * len(x)) for x in classes]
    for x, n, name in zip(classes, held_out, ("real", "generated"), strict=True):
        if not 0 < n < len(x):
            raise ValueError(f"{len(x)} {name} events cannot be split for validation")
    order = [torch.randperm(len(x), generator=generator) for x in classes]
    check = _Labelled.of(classes, priors, [o[:n] for o, n in zip(order, held_out, strict=True)])
    rows = [o[n:] for o, n in zip(order, held_out, strict=True)]
    if training.balance == "tiling":  # after the split: no event on both of its sides
        most = max(map(len, rows))
        rows = [r.repeat(-(-most // len(r)))[:most] for r in rows]
    train = _Labelled.of(classes, priors, rows)
    losses, kept = _fit(network, train, check, training, generator, progress)
    network.load_state_dict(kept)
    network.eval()
    temperature = _temperature(network, check) if training.temperature == "on" else 1.0
    return DCTR(network, temperature, losses)


@dataclass
class _Labelled:
    """Events of both classes, 1 for the truth, each class with the same sum of weights."""

    x: Tensor
    y: Tensor
    w: Tensor

    @classmethod
    def of(cls, classes: list[Tensor], priors: list[Tensor], rows: list[Tensor]) -> _Labelled:
        x = [c[r] for c, r in zip(classes, rows, strict=True)]
        w = [p[r] for p, r in zip(priors, rows, strict=True)]
        n = sum(map(len, x))
        if not all(v.any() for v in w):
            raise ValueError("all weights of a class are zero in the training or the validation")
        y = torch.cat([torch.ones(len(x[0])), torch.zeros(len(x[1]))])
        scaled = torch.cat([v * (n / 2 / v.sum()) for v in w])
        like = x[0]
        return cls(torch.cat(x), y.to(like), scaled.to(like))


def _fit(
    network: nn.Module,
    train: _Labelled,
    check: _Labelled,
    how: DCTRTraining,
    generator: torch.Generator,
    progress: Callable[[float], None],
) -> tuple[Array, dict[str, Tensor]]:
    """Train until validation does not improve; the losses, and the state that is kept."""
    fused = train.x.device.type in ("cpu", "cuda")
    adam = Adam(network.parameters(), lr=how.learning_rate, fused=fused)
    losses: list[tuple[float, float]] = []
    best, least, since = copy.deepcopy(network.state_dict()), np.inf, 0
    for epoch in range(how.epochs):
        network.train()
        total = torch.zeros((), dtype=torch.float64, device=train.x.device)
        batches = torch.randperm(len(train.x), generator=generator).split(how.batch_size)
        for step, rows in enumerate(batches, start=1):
            rows = rows.to(train.x.device)
            logit = network(train.x[rows]).reshape(len(rows))
            loss = F.binary_cross_entropy_with_logits(logit, train.y[rows], train.w[rows])
            adam.zero_grad(set_to_none=True)
            loss.backward()
            adam.step()
            total += loss.detach() * len(rows)
            if step % STEPS_A_REPORT == 0:
                progress(STEPS_A_REPORT)
        losses.append((total.item() / len(train.x), _loss(_logits(network, check.x), check)))
        progress(len(batches) % STEPS_A_REPORT)
        if not np.isfinite(losses[-1]).all():
            raise ValueError(f"the classifier diverged in epoch {epoch + 1}")
        since += 1
        if losses[-1][1] < least:
            best, least, since = copy.deepcopy(network.state_dict()), losses[-1][1], 0
        if since == how.patience:
            break
    return np.array(losses), best if how.keep == "best" else network.state_dict()


def _loss(logits: Tensor, events: _Labelled) -> float:
    y, w = events.y.cpu().double(), events.w.cpu().double()
    return F.binary_cross_entropy_with_logits(logits.double(), y, w).item()


def _temperature(network: nn.Module, check: _Labelled) -> float:
    """The temperature of the smallest validation loss."""
    logits = _logits(network, check.x)
    found = minimize_scalar(
        lambda t: _loss(logits / np.exp(t), check), bounds=np.log(TEMPERATURES), method="bounded"
    )
    return float(np.exp(found.x))
