r"""Minibatch discrimination (Salimans et al., arXiv:1606.03498, sec. 3.2), fast on a CPU.

A discriminator that sees one event at a time cannot tell that all of them are alike.  Of features
f of each event a tensor T makes rows :math:`M_{ib} = f_i T_b`, and the discriminator is told how
near the other events of the batch are,

.. math:: o_b(x_i) = \sum_{j \ne i} e^{-|M_{ib} - M_{jb}|_1} .

Left to autograd this keeps every pair in memory several times over.  Here a few rows are taken at
a time, and what is kept for the backward pass is the kernel alone, or nothing where that is large.
In long trainings on a CPU that has a C++ compiler, PyTorch makes one loop of each pass, which needs
no memory at all and a quarter of the time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from amplib.models.layers import StackedLinear

KERNELS, DIMENSIONS = 100, 5
"""B and the length of a row, as in the released code."""
BLOCK = 500_000
"""Numbers that are in use at a time: with their like they stay within a core's cache."""
KEPT = 10_000_000
"""Numbers of the kernel that are kept for the backward pass; more are made anew."""
LONG = 10_000
"""Steps of a training that is worth the quarter of a minute in which its loops are compiled."""


class MinibatchDiscrimination(nn.Module):
    """``(E, rows, features) -> (E, rows, features + kernels)``: how near others are, beside what
    was there.

    Args:
        features: A.
        generators: one seeded CPU generator a member.
        kernels: B.
        dimensions: of each row of M.
    """

    def __init__(
        self,
        features: int,
        generators: list[torch.Generator],
        kernels: int = KERNELS,
        dimensions: int = DIMENSIONS,
    ):
        super().__init__()
        self.kernels, self.compiled = kernels, False
        self.tensor = StackedLinear(features, kernels * dimensions, generators, "xavier")

    def forward(self, x: Tensor) -> Tensor:
        rows = self.tensor(x).unflatten(2, (-1, self.kernels))
        return torch.cat([x, closeness(rows, self.compiled)], 2)


def closeness(m: Tensor, compiled: bool = False) -> Tensor:
    """o of all events of a batch, each with itself left out, ``(E, rows, kernels)``.

    Args:
        m: ``(E, rows, dimensions, kernels)``.
        compiled: whether in loops that PyTorch compiles; see ``can_compile``.
    """
    return (_Compiled if compiled else _Closeness).apply(m)


class _Closeness(torch.autograd.Function):
    """See ``closeness``; both passes go through a few rows i at a time, against all j."""

    @staticmethod
    def forward(ctx: Any, m: Tensor) -> Tensor:
        kernels: Iterable[Tensor] = (_kernel(rows, m) for rows in m.split(_rows(m), 1))
        kept: list[Tensor] = []
        if m.shape[1] * m[:, :, 0].numel() <= KEPT:
            kernels = kept = list(kernels)
        ctx.save_for_backward(m, *kept)
        return torch.cat([kernel.sum(2) for kernel in kernels], 1) - 1

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (m, *kept), (grad,) = ctx.saved_tensors, grads
        blocks = m.split(_rows(m), 1)
        kernels = kept or (_kernel(rows, m) for rows in blocks)
        # The pair (i, j) stands in o_i and in o_j: - (g_i + g_j) k_ij sign(M_i - M_j).
        pieces = []
        for rows, kernel, mine in zip(blocks, kernels, grad.split(_rows(m), 1), strict=True):
            pull = kernel * (mine[:, :, None] + grad[:, None])
            signs = ((rows[:, :, None, c] - m[:, None, :, c]).sign_() for c in range(m.shape[2]))
            pieces.append(-torch.stack([sign.mul_(pull).sum(2) for sign in signs], 2))
        return torch.cat(pieces, 1)


def _kernel(rows: Tensor, m: Tensor) -> Tensor:
    """exp(-L1 distance) of some rows from all, ``(E, some, rows, kernels)``."""
    distance = m.new_zeros(len(m), rows.shape[1], m.shape[1], m.shape[3])
    for c in range(m.shape[2]):
        distance.sub_((rows[:, :, None, c] - m[:, None, :, c]).abs_())
    return distance.exp_()


def _rows(m: Tensor) -> int:
    """How many are taken at a time."""
    members, rows, _, kernels = m.shape
    return max(1, BLOCK // (members * rows * kernels))


class _Compiled(torch.autograd.Function):
    """See ``closeness``; the kernel is made in both passes, and no pair is ever in memory."""

    @staticmethod
    def forward(ctx: Any, m: Tensor) -> Tensor:
        ctx.save_for_backward(m)
        return _in_one_loop(_sums)(m)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (m,), (grad,) = ctx.saved_tensors, grads
        return _in_one_loop(_pulls)(m, grad)


def _sums(m: Tensor) -> Tensor:
    return _pairs(m).sum(2) - 1


def _pulls(m: Tensor, grad: Tensor) -> Tensor:
    pull = _pairs(m) * (grad[:, :, None] + grad[:, None])
    return -torch.stack([(d.sign() * pull).sum(2) for d in _differences(m)], 2)


def _pairs(m: Tensor) -> Tensor:
    """The whole kernel: of all rows from all, ``(E, rows, rows, kernels)``."""
    return torch.exp(-sum((d.abs() for d in _differences(m)), m.new_zeros(())))


def _differences(m: Tensor) -> list[Tensor]:
    return [m[:, :, None, c] - m[:, None, :, c] for c in range(m.shape[2])]


@cache
def _in_one_loop(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return torch.compile(function, dynamic=False, options={"compile_threads": 1})


@cache
def can_compile() -> bool:
    """Whether PyTorch finds here what it compiles with; the first answer takes some seconds."""
    try:
        torch.compile(torch.exp, options={"compile_threads": 1})(torch.zeros(2))
    except Exception as error:  # whatever a compiler, its headers or a folder may lack
        print(f"minibatches are not compiled, and slow: {error!r:.200}", file=sys.stderr)
        return False
    return True
