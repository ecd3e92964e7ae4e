r"""What autoencoders and critics of images are trained by: one function each, E models at once.

Every function takes tensors with the member first and returns one value a member, ``(E,)``.
"""

from __future__ import annotations

from collections.abc import Callable

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
