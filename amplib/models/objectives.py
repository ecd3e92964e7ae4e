r"""Losses and distances by which models are trained and chosen, E of them at once.

Every function takes tensors with the member first.  Losses are one value a member, ``(E,)``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

ALPHAS = (1.0, 0.01)
"""Of the Gaussian kernels of the latent discrepancy (Getting High, arXiv:2005.05334)."""


def critic_difference(real: Tensor, generated: Tensor) -> Tensor:
    r"""What a Wasserstein critic minimises, :math:`\langle C(G)\rangle - \langle C(x)\rangle`.

    Args:
        real, generated: ``(E, rows)`` the critic's values (arXiv:1701.07875).
    """
    return (generated - real).mean(1)


def gradient_penalty(critic: Callable[[Tensor], Tensor], points: Tensor) -> Tensor:
    r"""How far the critic is from a slope of one, :math:`\langle(|\nabla C| - 1)^2\rangle`.

    Args:
        critic: ``(E, rows, ...)`` to ``(E, ...)``, whose entries depend on their own row alone.
        points: ``(E, rows, ...)`` where the gradient is taken (arXiv:1704.00028, eq. 3).

    Returns:
        differentiable in the critic's weights.
    """
    points = points.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    # A root of zero has no gradient; nothing else is changed by so little.
    norm = (gradient.flatten(2).square().sum(2) + 1e-24).sqrt()
    return (norm - 1).square().mean(1)


def least_squares(value: Tensor, target: float) -> Tensor:
    r"""Half the mean square of :math:`D - t` (LSGAN, arXiv:1611.04076, eq. 2).

    Args:
        value: ``(E, rows)`` the discriminator's values.
        target: what they are to be: 0 of generated, 1 of real events, 1 for the generator.
    """
    return 0.5 * (value - target).square().mean(1)


def between(real: Tensor, generated: Tensor, share: Tensor) -> Tensor:
    """Points on the lines between pairs, ``share`` of the way from generated to real ones.

    Args:
        real, generated: ``(E, rows, ...)``.
        share: ``(E, rows)`` on [0, 1].
    """
    weight = share.view(*share.shape, *[1] * (real.ndim - 2))
    return torch.lerp(generated, real, weight)


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    r"""Of the encoder's normal distributions from N(0, 1), mean over rows (arXiv:1312.6114).

    .. math::
        \frac12 \sum_j \left(\mu_j^2 + \sigma_j^2 - \ln\sigma_j^2 - 1\right)

    Args:
        mean, log_variance: ``(E, rows, latent)``.
    """
    each = mean.square() + log_variance.exp() - log_variance - 1
    return 0.5 * each.sum(2).mean(1)


def maximum_mean_discrepancy(x: Tensor, y: Tensor, alpha: float) -> Tensor:
    r"""Squared distance of two samples' kernel means, pairs of a point with itself included.

    .. math::
        \langle k(x, x')\rangle + \langle k(y, y')\rangle - 2\langle k(x, y)\rangle, \qquad
        k(a, b) = e^{-\alpha |a - b|^2}

    Gretton et al., J. Mach. Learn. Res. 13 (2012) 723, eq. 5, never below zero.

    Args:
        x, y: ``(E, rows, latent)``.
        alpha: of the kernel.
    """

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        # Not torch.cdist: its gradient at a distance of zero is not a number.
        return torch.exp(-alpha * (a[:, :, None] - b[:, None]).square().sum(3))

    return (kernel(x, x) + kernel(y, y) - 2 * kernel(x, y)).mean((1, 2))


def discrepancy_of_scales(x: Tensor, y: Tensor, scales: Sequence[float]) -> Tensor:
    r"""``maximum_mean_discrepancy`` with the sum of kernels :math:`e^{-|a - b|^2 / 2 \sigma^2}`
    over several :math:`\sigma` (MMD-GAN, arXiv:1705.08584, sec. 5).

    Kernels are taken less one, which cancels: codes that lie close together, as those of a clipped
    encoder do, are told apart in single precision too.

    Args:
        x, y: ``(E, rows, codes)``.
        scales: the :math:`\sigma`.
    """
    points = torch.cat([x, y], 1)
    points = points - points.mean(1, keepdim=True)
    square = points.square().sum(2)
    product = torch.bmm(points, points.transpose(1, 2))
    distance = square[:, :, None] + square[:, None] - 2 * product
    kernel = torch.stack([torch.expm1(distance * (-0.5 / s**2)) for s in scales]).sum(0)
    # Each sample's own pairs count once, the others with a minus: <k(x, x')> - 2 <k(x, y)> + ...
    n, m = x.shape[1], y.shape[1]
    weight = torch.cat([x.new_full((n,), 1 / n), x.new_full((m,), -1 / m)])
    return (kernel @ weight) @ weight


def root(squared: Tensor) -> Tensor:
    """Square root of what rounding may make negative; its gradient is zero there."""
    return squared.clamp(min=1e-24).sqrt()


def one_sided_difference(real: Tensor, generated: Tensor) -> Tensor:
    r""":math:`-\langle\mathrm{ReLU}(-(\langle f(x)\rangle - \langle f(G)\rangle))\rangle`, the
    mean over codes: never above zero, and zero if every mean code of real events is the larger one.

    In MMD-GAN it holds codes of real events above those of generated ones (arXiv:1705.08584,
    sec. 4, "feasible set reduction").

    Args:
        real, generated: ``(E, rows, codes)``.
    """
    return -F.relu(generated.mean(1) - real.mean(1)).mean(1)


def binary_entropy(logit: Tensor, real: bool) -> Tensor:
    r"""Cross entropy of points that all are real, or all are not, mean over rows.

    Args:
        logit: ``(E, rows)``.
        real: what they are, or are to pass for.
    """
    return F.softplus(-logit if real else logit).mean(1)


def spread_distance(generated: Tensor, truth: Tensor) -> Tensor:
    """Wasserstein distance of each observable, in units of the truth's standard deviation.

    In one dimension it is the mean distance of the k-th smallest from the k-th smallest.  What is
    the same in all of the truth has no such unit and keeps its own.

    Args:
        generated, truth: ``(E, N, F)`` and ``(N, F)``, of the same N.

    Returns:
        ``(E, F)``; NaN where a generated value is.
    """
    apart = (generated.sort(1).values - truth.sort(0).values).abs().mean(1)
    spread = truth.std(0)
    return apart / torch.where(spread > 0, spread, 1)
