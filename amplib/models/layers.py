r"""E independent networks trained at once: stacked layers, and their gradients in closed form.

Every tensor carries the member index first, so that one batched matrix product
``(E, rows, in) @ (E, in, out)`` does the work of E small ones.  Nothing mixes members: what
member k computes does not depend on who shares the stack.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEAK = 0.01
"""Slope of the LeakyReLU below zero (amplify, sec. 2)."""


class StackedLinear(nn.Module):
    r"""E linear layers :math:`y_k = x_k W_k + b_k`, ``(E, rows, in) -> (E, rows, out)``.

    Each member starts from PyTorch's default for ``nn.Linear`` (and for a convolution of kernel
    size 1), :math:`U(-1/\sqrt{n_\mathrm{in}}, 1/\sqrt{n_\mathrm{in}})`, drawn from its own
    generator: the papers do not give an initialisation.

    Args:
        inputs: features in.
        outputs: features out.
        generators: one seeded CPU generator a member.
        initialisation: ``default``; or, with biases of zero, ``he``, within
            :math:`\sqrt{6/n_\mathrm{in}}` (arXiv:1502.01852), or ``xavier``, within
            :math:`\sqrt{6/(n_\mathrm{in} + n_\mathrm{out})}` (Glorot, Bengio 2010); or a number,
            the standard deviation of normal weights.
        normed: batch norm follows, to which a bias is nothing: there is none.
    """

    bias: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        generators: list[torch.Generator],
        initialisation: str | float = "default",
        normed: bool = False,
    ):
        super().__init__()
        self.inputs, self.outputs, self.normed = inputs, outputs, normed
        normal = isinstance(initialisation, float)
        scales = {
            "default": 1 / math.sqrt(inputs),
            "he": math.sqrt(6 / inputs),
            "xavier": math.sqrt(6 / (inputs + outputs)),
        }
        scale = initialisation if isinstance(initialisation, float) else scales[initialisation]
        fill = Tensor.normal_ if normal else Tensor.uniform_  # (mean, deviation) or (low, high)

        def draw(s: float, *shape: int) -> nn.Parameter:
            low = 0.0 if normal else -s
            members = [fill(torch.empty(shape), low, s, generator=g) for g in generators]
            return nn.Parameter(torch.stack(members))

        self.weight = draw(scale, inputs, outputs)
        if not normed:
            self.bias = draw(scale if initialisation == "default" else 0.0, 1, outputs)

    def forward(self, x: Tensor) -> Tensor:
        if self.normed:
            return torch.bmm(x, self.weight)
        return torch.baddbmm(self.bias, x, self.weight)

    def extra_repr(self) -> str:
        return f"{self.inputs}, {self.outputs}, members={len(self.weight)}"


class StackedLayers(nn.ModuleList):
    """Stacked linear layers from each width to the next."""

    def __init__(
        self,
        widths: Sequence[int],
        generators: list[torch.Generator],
        initialisation: str | float = "default",
    ):
        super().__init__(
            StackedLinear(i, o, generators, initialisation) for i, o in pairwise(widths)
        )

    def __iter__(self) -> Iterator[StackedLinear]:
        return super().__iter__()  # type: ignore[return-value]


class Perceptron(nn.Module):
    """E perceptrons, ``(E, rows, in) -> (E, rows, out)``: He's uniform numbers in hidden layers,
    Glorot's in the last, which is linear.

    Args:
        widths: of the input, the hidden layers and the output.
        generators: one seeded CPU generator a member.
        slope: of what activates hidden layers, below zero; 0 is the ReLU.
    """

    def __init__(
        self, widths: Sequence[int], generators: list[torch.Generator], slope: float = 0.0
    ):
        super().__init__()
        self.slope = slope
        self.hidden = StackedLayers(widths[:-1], generators, "he")
        self.output = StackedLinear(widths[-2], widths[-1], generators, "xavier")

    def features(self, x: Tensor) -> Tensor:
        """What the last layer sees, ``(E, rows, width)``."""
        for layer in self.hidden:
            x = F.leaky_relu(layer(x), self.slope, inplace=True)
        return x

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.features(x))


def leaky_slope(values: Tensor) -> Tensor:
    """Slope of the LeakyReLU at ``values``: by sign and clamp, far faster than a comparison."""
    return values.sign().clamp_(min=LEAK)


class _LeakyTangents(torch.autograd.Function):
    r"""``StackedLinear``, LeakyReLU and dropout on values and their tangents in one pass.

    Rows are ``[values; tangent 1; ...; tangent d]``.  Tangents take no bias and share the slope
    of their value, :math:`s = \mathrm{LeakyReLU}'(z) \cdot \mathrm{mask}`.  As s is piecewise
    constant, the backward pass is linear and exact: there is no second-derivative term.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, rows: int, mask: Tensor | None
    ) -> Tensor:
        z = torch.bmm(x, weight)
        values = z[:, :rows]
        values += bias
        slope = leaky_slope(values)
        if mask is not None:
            slope *= mask
        z.unflatten(1, (-1, rows)).mul_(slope.unsqueeze(1))
        ctx.save_for_backward(x, weight, slope)
        return z

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, slope = ctx.saved_tensors
        rows = slope.shape[1]
        dz = (grads[0].unflatten(1, (-1, rows)) * slope.unsqueeze(1)).flatten(1, 2)
        need_x, need_weight = ctx.needs_input_grad[:2]
        dx = torch.bmm(dz, weight.transpose(1, 2)) if need_x else None
        if not need_weight:
            return dx, None, None, None, None
        dweight = torch.bmm(x.transpose(1, 2), dz)
        return dx, dweight, dz[:, :rows].sum(1, keepdim=True), None, None


def leaky(
    layer: StackedLinear, x: Tensor, rows: int, mask: Tensor | None = None, frozen: bool = False
) -> Tensor:
    """Layer, LeakyReLU and dropout on ``rows`` values and, behind them, their tangents.

    Args:
        layer: the stacked linear layer.
        x: ``(E, k * rows, in)``; values first, then k - 1 tangents of each.
        rows: number of value rows.
        mask: ``(E, rows, out)`` dropout mask with its scale, or None.
        frozen: the gradient reaches ``x`` but not the weights.

    Returns:
        ``(E, k * rows, out)``.
    """
    weights: tuple[Tensor, Tensor] = (layer.weight, layer.bias)
    if frozen:
        weights = (layer.weight.detach(), layer.bias.detach())
    return _LeakyTangents.apply(x, *weights, rows, mask)


class _PassAndGradient(torch.autograd.Function):
    """See ``pass_and_gradient``.

    Both ways through the layers are linear but for the slopes, which are piecewise constant: the
    backward pass is exact, and each weight takes its gradient from one product over the rows of
    both ways.
    """

    @staticmethod
    def forward(
        ctx: Any, h: Tensor, top: Tensor, masks: Sequence[Tensor], *parameters: Tensor
    ) -> tuple[Tensor, Tensor]:
        weights, biases = parameters[::2], parameters[1::2]
        inputs: list[Tensor] = []
        slopes: list[Tensor] = []
        down: list[Tensor] = []
        for weight, bias, mask in zip(weights, biases, masks, strict=True):
            inputs.append(h)
            z = torch.baddbmm(bias, h, weight)
            slopes.append(leaky_slope(z).mul_(mask))
            h = z.mul_(slopes[-1])
        gradient = top
        for weight, slope in zip(reversed(weights), reversed(slopes), strict=True):
            down.insert(0, gradient * slope)
            gradient = torch.bmm(down[0], weight.transpose(1, 2))
        ctx.save_for_backward(*weights, *inputs, *slopes, *down)
        return h, gradient

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        dh, dgradient = grads
        saved, depth = ctx.saved_tensors, len(ctx.saved_tensors) // 4
        weights, inputs, slopes, down = (saved[k * depth : (k + 1) * depth] for k in range(4))
        up = []
        for weight, slope in zip(weights, slopes, strict=True):
            up.append(dgradient)
            dgradient = torch.bmm(dgradient, weight).mul_(slope)
        dparameters: list[Tensor] = []
        for k in reversed(range(depth)):
            dz = dh * slopes[k]
            left, right = torch.cat([inputs[k], up[k]], 1), torch.cat([dz, down[k]], 1)
            dweight = torch.bmm(left.transpose(1, 2), right)
            dparameters = [dweight, dz.sum(1, keepdim=True), *dparameters]
            dh = torch.bmm(dz, weights[k].transpose(1, 2))
        return dh, dgradient.sum(1, keepdim=True), None, *dparameters


def pass_and_gradient(
    layers: StackedLayers, h: Tensor, masks: Sequence[Tensor], top: Tensor
) -> tuple[Tensor, Tensor]:
    r"""Layers, LeakyReLU and dropout, and the gradient of a linear read-out of them.

    Args:
        layers: the stacked linear layers.
        h: ``(E, rows, in)``.
        masks: one dropout mask a layer, ``(E, rows, out)``.
        top: ``(E, 1, out)`` the gradient :math:`w` at the last layer's output.

    Returns:
        the last layer's output :math:`y`, ``(E, rows, out)``, and :math:`\nabla_h (w \cdot y)`,
        ``(E, rows, in)``; both differentiable once more.
    """
    parameters = [p for layer in layers for p in (layer.weight, layer.bias)]
    return _PassAndGradient.apply(h, top, masks, *parameters)
