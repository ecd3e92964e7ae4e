r"""DCTR: weights for generated events from a classifier (DCTRGAN, sec. II C).

A network :math:`h` is trained to tell events of the truth (1) from generated ones (0) by binary
cross entropy; :math:`W(x) = h(x) / (1 - h(x))` then estimates :math:`p_T(x) / p_G(x)` (eq. 3).
Nothing here knows what made the events, nor their shape: any network that maps ``(rows, *shape)``
to one logit a row will do.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from torch import Tensor, nn
from torch.optim import Adam

from amplib.models.checkpoint import Checkpoint, Watch
from amplib.models.config import DCTRTraining
from amplib.progress import Progress, unheard

Array = NDArray[np.float64]
ROWS = 20_000
"""Events that pass through the network at once when nothing is trained, unless it has a number
``at_once`` of its own."""
TEMPERATURES = (0.05, 20.0)
"""Between which the temperature is looked for."""


State = dict[str, Tensor]


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

    def logits(
        self, x: ArrayLike, progress: Progress = unheard, checkpoint: Checkpoint | None = None
    ) -> Array:
        """Log of the weights of events ``(N, *shape)``, shape ``(N,)``.

        Args:
            x: the events.
            progress: told the events since the last call; what it raises ends it.
            checkpoint: keeps those that are done, as that of ``train_dctr``.

        Raises:
            ValueError: events that hold NaN or infinity, or a checkpoint that is damaged.
        """
        events = _as_tensor(x, "events", next(self.network.parameters()))
        done: list[Tensor] = []

        def keep() -> None:
            if checkpoint and done:
                checkpoint.save({"logits": torch.cat(done)})

        watch = Watch(progress, keep)
        if checkpoint and (state := checkpoint.load()):
            with checkpoint.read():
                done.append(_begun(state["logits"], len(events), self.network))
            watch(len(done[0]))
        logits = _logits(self.network, events, done, watch)
        watch.tell()
        keep()
        return logits.double().numpy() / self.temperature

    def scores(self, x: ArrayLike) -> Array:
        """h(x), ``(N,)``."""
        return 1 / (1 + np.exp(-self.logits(x)))

    def weights(
        self, x: ArrayLike, progress: Progress = unheard, checkpoint: Checkpoint | None = None
    ) -> Array:
        """W(x) = h / (1 - h), ``(N,)``, from the logit, in which it is finite as long as that is.

        Not clipped: ``amplib.metrics.weights.clip`` does, and says how many.

        Args:
            x, progress, checkpoint: as of ``logits``.
        """
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(self.logits(x, progress, checkpoint)))


def _as_tensor(x: ArrayLike, name: str, like: Tensor | None = None) -> Tensor:
    array = np.asarray(x)
    if array.ndim < 2 or not array.size:
        raise ValueError(f"{name} of shape {array.shape}: must be (N, ...) with N >= 1")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must not hold NaN or infinity")
    tensor = torch.as_tensor(array, dtype=torch.float32 if like is None else like.dtype)
    return tensor if like is None else tensor.to(like.device)


def _batches(network: nn.Module, events: Tensor) -> Iterator[Tensor]:
    yield from events.split(getattr(network, "at_once", ROWS)) if len(events) else ()


@torch.no_grad()
def _logits(
    network: nn.Module, events: Tensor, done: list[Tensor], told: Callable[[float], None]
) -> Tensor:
    """``(N,)``, on the CPU; those that ``done`` holds are not made again, and each further batch is
    put there."""
    training = network.training
    network.eval()
    for batch in _batches(network, events[sum(map(len, done)) :]):
        done.append(network(batch).reshape(len(batch)).cpu())
        told(len(batch))
    network.train(training)
    return torch.cat(done)


def _begun(logits: Tensor, n: int, network: nn.Module) -> Tensor:
    """Those of ``n`` events that an earlier run has made.

    Raises:
        ValueError: if these cannot be.
    """
    made = len(logits) if logits.ndim == 1 else -1
    whole = made == n or made % getattr(network, "at_once", ROWS) == 0
    if not (0 <= made <= n and whole and torch.isfinite(logits).all()):
        raise ValueError(f"logits of shape {tuple(logits.shape)}, of {n} events")
    return logits


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
    progress: Progress = unheard,
    checkpoint: Checkpoint | None = None,
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
        checkpoint: keeps the state every few minutes and where ``progress`` raises ``Stopped``,
            and at the end what is ``finished``.  A run that finds one goes on, to the same end.

    Raises:
        ValueError: in one line, for shapes that do not fit, events or weights that are not finite,
            negative weights, too few events to split, a training that diverges, or a checkpoint
            that is damaged or of another training.
    """
    if checkpoint and (done := finished(network, checkpoint)):
        progress(steps_kept(checkpoint))
        return done
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
    return _Fit(network, train, check, training, generator, progress, checkpoint).run()


def finished(network: nn.Module, checkpoint: Checkpoint) -> DCTR | None:
    """What a training has left at its end; None before that.

    Args:
        network: of the same layers, whose weights are replaced.
        checkpoint: that of the training.

    Raises:
        ValueError: if it is damaged.
    """
    state = checkpoint.load()
    if "temperature" not in state:
        return None
    with checkpoint.read():
        _check_finite(state)
        network.load_state_dict(_under(state, "best."))
        network.eval()
        return DCTR(network, float(state["temperature"]), state["losses"].numpy())


def steps_kept(checkpoint: Checkpoint) -> int:
    """Steps of a training that its checkpoint knows of."""
    return int(checkpoint.load().get("steps", 0))


@dataclass(eq=False)
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


class _Fit:
    """A training, which goes on from a checkpoint, also within an epoch."""

    def __init__(
        self,
        network: nn.Module,
        train: _Labelled,
        check: _Labelled,
        how: DCTRTraining,
        generator: torch.Generator,
        progress: Progress,
        checkpoint: Checkpoint | None,
    ):
        self.network, self.train, self.check, self.how = network, train, check, how
        self.device = train.x.device
        fused = self.device.type in ("cpu", "cuda")
        self.adam = Adam(network.parameters(), lr=how.learning_rate, fused=fused)
        self.generator, self.checkpoint = generator, checkpoint
        self.watch = Watch(progress, self._keep)
        self.losses: list[tuple[float, float]] = []
        self.best = copy.deepcopy(network.state_dict())
        self.best_logits = torch.zeros(0)  # of the validation
        self.an_epoch = -(-len(train.x) // how.batch_size)  # steps
        self.step = 0  # of this epoch
        self.shuffles = generator.get_state()  # as it began
        self.total = torch.zeros((), dtype=torch.float64, device=self.device)
        self.checked: list[Tensor] = []  # logits of its validation
        if checkpoint and (state := checkpoint.load()):
            with checkpoint.read():
                self._restore(state)
            self.watch(self.steps)

    @property
    def steps(self) -> int:
        """So far."""
        return len(self.losses) * self.an_epoch + self.step

    @property
    def best_epoch(self) -> int:
        """The first of the least validation loss, from 0."""
        return int(np.argmin([check for _, check in self.losses]))

    @property
    def ended(self) -> bool:
        """Whether all epochs are over, or too many since validation has improved."""
        epochs = len(self.losses)
        return epochs > 0 and (
            epochs == self.how.epochs or epochs - 1 - self.best_epoch == self.how.patience
        )

    def run(self) -> DCTR:
        """Train to the end."""
        while not self.ended:
            self._run_epoch()
        self.watch.tell()
        self.network.load_state_dict(self.best)
        self.network.eval()
        on = self.how.temperature == "on"
        temperature = _temperature(self.best_logits, self.check) if on else 1.0
        if self.checkpoint:
            told = {"temperature": torch.tensor(temperature, dtype=torch.float64)}
            self.checkpoint.save(self._best() | told)
        return DCTR(self.network, temperature, np.array(self.losses))

    def _run_epoch(self) -> None:
        self.network.train()
        order = torch.randperm(len(self.train.x), generator=self.generator)
        for rows in order.split(self.how.batch_size)[self.step :]:
            self._train_on(rows.to(self.device))
            self.step += 1
            self.watch(1)
        logits = _logits(self.network, self.check.x, self.checked, lambda events: self.watch())
        self.losses.append((self.total.item() / len(self.train.x), _loss(logits, self.check)))
        if not np.isfinite(self.losses[-1]).all():
            raise ValueError(f"the classifier diverged in epoch {len(self.losses)}")
        if self.how.keep == "last" or self.best_epoch == len(self.losses) - 1:
            self.best, self.best_logits = copy.deepcopy(self.network.state_dict()), logits
        self.step, self.checked = 0, []
        self.shuffles = self.generator.get_state()
        self.total.zero_()

    def _train_on(self, rows: Tensor) -> None:
        train = self.train
        logit = self.network(train.x[rows]).reshape(len(rows))
        loss = F.binary_cross_entropy_with_logits(logit, train.y[rows], train.w[rows])
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        self.adam.step()
        self.total += loss.detach() * len(rows)

    def _keep(self) -> None:
        if self.checkpoint and torch.isfinite(self.total):
            self.checkpoint.save(self._state())

    def _state(self) -> State:
        """All that the rest of the training depends on, beside what it was begun with."""
        memory = self.adam.state_dict()["state"]
        return {
            **self._best(),
            **{f"network.{n}": t for n, t in self.network.state_dict().items()},
            **{f"adam.{k}.{n}": t for k, one in memory.items() for n, t in one.items()},
            "best_logits": self.best_logits,
            "shuffles": self.shuffles,
            "total": self.total,
            "checked": torch.cat([self.best_logits[:0], *self.checked]),
        }

    def _best(self) -> State:
        return {
            **{f"best.{n}": t for n, t in self.best.items()},
            "losses": torch.tensor(self.losses, dtype=torch.float64).view(-1, 2),
            "steps": torch.tensor(self.steps),
        }

    def _restore(self, state: State) -> None:
        """Raises a ``ValueError``, a ``KeyError`` or PyTorch's ``RuntimeError`` for a state that
        such a training cannot have come to."""
        _check_finite(state)
        losses = state["losses"]
        if losses.shape[1:] != (2,) or len(losses) > self.how.epochs:
            raise ValueError(f"losses of shape {tuple(losses.shape)}")
        self.step = int(state["steps"]) - len(losses) * self.an_epoch
        if not 0 <= self.step <= self.an_epoch:
            raise ValueError(f"step {self.step} of {self.an_epoch}")
        self.losses = [(trained, checked) for trained, checked in losses.tolist()]
        self.network.load_state_dict(_under(state, "best."))  # to see that it can be
        self.best = copy.deepcopy(self.network.state_dict())
        self.network.load_state_dict(_under(state, "network."))
        if self.step or self.losses:
            self._restore_adam(_under(state, "adam."))
        n = len(self.check.x)
        self.checked = [_begun(state["checked"], n, self.network)]
        self.best_logits = _begun(state["best_logits"], n, self.network)
        if len(self.best_logits) != (n if self.losses else 0):
            raise ValueError(f"{len(self.best_logits)} logits of {n} events")
        self.total = state["total"].to(self.total)
        self.shuffles = state["shuffles"]
        self.generator.set_state(self.shuffles)

    def _restore_adam(self, state: State) -> None:
        memory = {}
        for k, weight in enumerate(self.network.parameters()):
            memory[k] = {n: state[f"{k}.{n}"] for n in ("step", "exp_avg", "exp_avg_sq")}
            shapes = [tuple(t.shape) for t in memory[k].values()]
            if shapes != [(), weight.shape, weight.shape]:
                raise ValueError(f"Adam's memory of shapes {shapes}")
        groups = self.adam.state_dict()["param_groups"]
        self.adam.load_state_dict({"state": memory, "param_groups": groups})


def _check_finite(state: State) -> None:
    for name, tensor in state.items():
        halted = tensor.isinf() & name.endswith("exp_avg_sq")  # a weight of Adam's: no damage
        if not (tensor.isfinite() | halted).all():
            raise ValueError(f"{name} is not finite")


def _under(state: State, prefix: str) -> State:
    return {n.removeprefix(prefix): t for n, t in state.items() if n.startswith(prefix)}


def _loss(logits: Tensor, events: _Labelled) -> float:
    y, w = events.y.cpu().double(), events.w.cpu().double()
    return F.binary_cross_entropy_with_logits(logits.double(), y, w).item()


def _temperature(logits: Tensor, check: _Labelled) -> float:
    """The temperature of the smallest validation loss, or that end of the range next to it.

    The loss is convex in 1/T: where its slope crosses zero is found to rounding, where the least of
    its values would be found to the root of that, and elsewhere on another processor.
    """
    z, y, w = (a.cpu().double() for a in (logits, check.y, check.w))

    def slope(log_temperature: float) -> float:
        inverse = np.exp(-log_temperature)
        return (w * (torch.sigmoid(inverse * z) - y) * z).mean().item()

    cold, hot = np.log(TEMPERATURES)
    if slope(hot) >= 0:
        return TEMPERATURES[1]
    if slope(cold) <= 0:
        return TEMPERATURES[0]
    return float(np.exp(brentq(slope, cold, hot, xtol=1e-12)))
