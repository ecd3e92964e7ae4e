"""How columns of events are brought to the range that a network works in, and back."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtri
from torch import Tensor

Columns = NDArray[np.floating]


class Scaling(ABC):
    """A map of each column, made from the training events."""

    @abstractmethod
    def to_network(self, events: Tensor) -> Tensor:
        """Events ``(N, columns)``, in any precision, in the network's range and its precision."""

    @abstractmethod
    def to_events(self, values: Tensor) -> Tensor:
        """Events ``(n, columns)`` of what a network has made."""


class LinearScaling(Scaling):
    """x less its centre, over its scale.

    Args:
        centre, scale: of each column, ``(columns,)``.
    """

    def __init__(self, centre: Tensor, scale: Tensor):
        self.centre, self.scale = centre, scale

    def to_network(self, events: Tensor) -> Tensor:
        return ((events - self.centre) / self.scale).to(self.scale)

    def to_events(self, values: Tensor) -> Tensor:
        """Whatever stands before the columns, ``(..., columns)``."""
        return values * self.scale + self.centre


def by_modulus(events: Columns, like: Tensor) -> LinearScaling:
    """Columns divided by their largest modulus, into [-1, 1]; zero stays zero.

    Args:
        events: that train, ``(N, columns)``.
        like: a tensor on the network's device and in its precision.
    """
    return _linear(np.zeros(events.shape[1]), largest_modulus(events), like)


def by_range(events: Columns, like: Tensor) -> LinearScaling:
    """Columns from their least and largest value to -1 and 1; arguments as of ``by_modulus``."""
    low, high = events.min(0).astype(float), events.max(0).astype(float)
    return _linear((low + high) / 2, _or_one((high - low) / 2), like)


def by_deviation(events: Columns, like: Tensor) -> LinearScaling:
    """Columns to mean 0 and deviation 1; arguments as of ``by_modulus``."""
    return _linear(events.mean(0), _or_one(events.std(0)), like)


LINEAR: dict[str, Callable[[Columns, Tensor], LinearScaling]] = {
    "modulus": by_modulus,
    "range": by_range,
}
"""By ``EventGANConfig.scaling``."""


def largest_modulus(events: Columns) -> Columns:
    """Of each column, ``(columns,)``; 1 where that is zero."""
    return _or_one(np.abs(events).max(0).astype(float))


def _or_one(scale: Columns) -> Columns:
    """1 where a column has no extent to be divided by."""
    return np.where(scale > 0, scale, 1.0)


def _linear(centre: Columns, scale: Columns, like: Tensor) -> LinearScaling:
    return LinearScaling(torch.as_tensor(centre).to(like), torch.as_tensor(scale).to(like))


class NormalScores(Scaling):
    r"""Columns as N(0, 1) and back, by their ranks among the training events.

    The score of a value is :math:`\Phi^{-1}` of its rank, equal values being ranked by lot.  What
    is generated goes the same way back, between the training events' values by a straight line:
    equal values come back as equal, and nothing is beyond the training sample's extremes.

    Args:
        ordered: each column of the training events in ascending order, ``(columns, N)``.
    """

    def __init__(self, ordered: Tensor):
        self.ordered = ordered

    @classmethod
    def of(cls, events: Columns, like: Tensor) -> NormalScores:
        """From training events; arguments as of ``by_modulus``."""
        return cls(torch.as_tensor(np.sort(np.asarray(events, dtype=float), 0).T).to(like))

    def to_network(self, events: Tensor) -> Tensor:
        """Scores of the training events.

        The lot that equal values are ranked by is nobody's noise: it is the same every time.
        """
        values = events.cpu().numpy()
        lots = np.random.default_rng(0).random(values.shape)
        order = np.stack(
            [np.lexsort((lot, x)) for lot, x in zip(lots.T, values.T, strict=True)], axis=1
        )
        ranks = np.empty(values.shape)
        np.put_along_axis(ranks, order, np.arange(len(values))[:, None], 0)
        return torch.as_tensor(ndtri((ranks + 0.5) / len(values))).to(self.ordered)

    def to_events(self, values: Tensor) -> Tensor:
        last = self.ordered.shape[1] - 1
        share = 0.5 * torch.erfc(values.double() / -math.sqrt(2))
        place = (share * (last + 1) - 0.5).clamp_(0, last).T
        below = place.floor().long()
        low = self.ordered.gather(1, below)
        high = self.ordered.gather(1, (below + 1).clamp_(max=last))
        return torch.lerp(low, high, (place - below).to(low.dtype)).T
