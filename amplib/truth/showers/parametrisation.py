r"""The shower parametrisation of Grindhammer and Peters (hep-ex/0001020), as functions of tensors.

Energies in GeV, depths $t$ in radiation lengths, radii in Molière radii.  The numbers are theirs,
for sampling calorimeters: a profile of the homogeneous medium plus corrections in the sampling
frequency $F_S$ and in $\hat e$, the response to electrons over that to minimum ionising particles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from amplib.truth.showers.geometry import Medium


@dataclass(frozen=True)
class Longitudinal:
    r"""How depth of maximum and shape of showers vary: $(\ln T, \ln\alpha)$ are jointly normal."""

    mean_ln_t: float
    mean_ln_alpha: float
    sigma_ln_t: float
    sigma_ln_alpha: float
    correlation: float

    def draw(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Depth of maximum T and shape alpha of showers, ``(n,)`` each, from normals ``(n, 2)``."""
        plus, minus = (math.sqrt((1 + s * self.correlation) / 2) for s in (1, -1))
        u, v = plus * z[:, 0], minus * z[:, 1]
        t = torch.exp(self.mean_ln_t + self.sigma_ln_t * (u + v))
        return t, torch.exp(self.mean_ln_alpha + self.sigma_ln_alpha * (u - v))

    def age(self, depth: Tensor, t_max: Tensor, alpha: Tensor) -> Tensor:
        """tau at a depth: over the shower's own mean depth, in units of the mean shower's maximum.

        Zero before the shower starts.
        """
        mean_alpha = math.exp(self.mean_ln_alpha)
        tau = depth / (alpha * t_max / (alpha - 1)) * mean_alpha / (mean_alpha - 1)
        return tau.clamp(min=0)


def longitudinal(energy: float, medium: Medium) -> Longitudinal:
    """Fluctuating longitudinal profile of an electron shower (sec. 3, sampling calorimeters).

    Args:
        energy: of the particle, GeV.
        medium: the effective medium.
    """
    ln_y = math.log(1000 * energy / medium.critical_energy)
    inverse_fs, lack = 1 / medium.sampling_frequency, 1 - medium.e_over_mip
    t = ln_y - 0.812 - 0.55 * inverse_fs - 0.69 * lack
    alpha = 0.81 + (0.458 + 2.26 / medium.charge) * ln_y - 0.476 * inverse_fs
    return Longitudinal(
        mean_ln_t=math.log(t),
        mean_ln_alpha=math.log(alpha),
        sigma_ln_t=1 / (-2.5 + 1.25 * ln_y),
        sigma_ln_alpha=1 / (-0.82 + 0.79 * ln_y),
        correlation=0.784 - 0.023 * ln_y,
    )


def contained(depth: Tensor, t_max: Tensor, alpha: Tensor) -> Tensor:
    r"""Share of a shower's energy before a depth: the regularised $P(\alpha, \beta t)$.

    The profile is $f(t) = (\beta t)^{\alpha-1} \beta e^{-\beta t} / \Gamma(\alpha)$ with
    $\beta = (\alpha - 1)/T$ (sec. 2, eq. 2); zero before the shower starts.
    """
    beta = (alpha - 1) / t_max
    return torch.special.gammainc(alpha, (beta * depth).clamp(min=0))


@dataclass(frozen=True, eq=False)
class Radial:
    r"""$f(r) = p\,2rR_C^2/(r^2+R_C^2)^2 + (1-p)\,2rR_T^2/(r^2+R_T^2)^2$: a core and a tail."""

    core: Tensor
    """R_C, in Molière radii."""
    tail: Tensor
    """R_T, in Molière radii."""
    core_share: Tensor
    """p."""

    def inside(self, radius: float, offset: float = 0.0) -> Tensor:
        r"""Share of the energy in a disc whose centre lies off the axis, lengths in Molière radii.

        $(1 + u / \sqrt{u^2 + 4R^2r^2}) / 2$ with $u = r^2 - R^2 - \delta^2$ for each of the two
        terms; $r^2 / (r^2 + R^2)$ on the axis.
        """

        def share(scale: Tensor) -> Tensor:
            u = radius**2 - scale**2 - offset**2
            return (1 + u / torch.sqrt(u**2 + (2 * scale * radius) ** 2)) / 2

        return self.core_share * share(self.core) + (1 - self.core_share) * share(self.tail)


def radial(tau: Tensor, energy: float, medium: Medium) -> Radial:
    """Average radial profile at a shower age (sec. 4, sampling calorimeters).

    Args:
        tau: depth in units of the depth of maximum, of any shape.
        energy: of the particle, GeV.
        medium: the effective medium.
    """
    z, ln_e = medium.charge, math.log(energy)
    inverse_fs, lack = 1 / medium.sampling_frequency, 1 - medium.e_over_mip
    core = 0.0251 + 0.00319 * ln_e + (0.1162 - 0.000381 * z) * tau
    tail = (0.659 - 0.00309 * z) * (
        torch.exp(-2.59 * (tau - 0.645)) + torch.exp((0.3585 + 0.0421 * ln_e) * (tau - 0.645))
    )
    u = (0.401 + 0.00187 * z - tau) / (1.313 - 0.0686 * ln_e)
    share = (2.632 - 0.00094 * z) * torch.exp(u - torch.exp(u))
    core = core - 0.0203 * lack + 0.0397 * inverse_fs * torch.exp(-tau)
    tail = tail - 0.14 * lack - 0.495 * inverse_fs * torch.exp(-tau)
    share = share + lack * (0.348 - 0.642 * inverse_fs * torch.exp(-((tau - 1) ** 2)))
    return Radial(core.clamp(min=1e-3), tail.clamp(min=1e-3), share.clamp(0, 1))
