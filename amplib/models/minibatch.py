r"""Minibatch discrimination (Salimans et al., arXiv:1606.03498, sec. 3.2), fast on a CPU.

A discriminator that sees one event at a time cannot tell that all of them are alike.  Of features
f of each event a tensor T makes rows :math:`M_{ib} = f_i T_b`, and the discriminator is told how
near the other events of the batch are,

.. math:: o_b(x_i) = \sum_{j \ne i} e^{-|M_{ib} - M_{jb}|_1} .

Left to autograd this keeps every pair in memory several times over.  Here a few rows are taken at
a time, and what is kept for the backward pass is the kernel alone, or nothing where that is large.
"""

from __future__ import annotations

from collections.abc import Iterable
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
        self.kernels = kernels
        self.tensor = StackedLinear(features, kernels * dimensions, generators, "xavier")

    def forward(self, x: Tensor) -> Tensor:
        rows = self.tensor(x).unflatten(2, (-1, self.kernels))
        return torch.cat([x, closeness(rows)], 2)


def closeness(m: Tensor) -> Tensor:
    """o of all events of a batch, each with itself left out, ``(E, rows, kernels)``.

    Args:
        m: ``(E, rows, dimensions, kernels)``.
    """
    return _Closeness.apply(m)


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
