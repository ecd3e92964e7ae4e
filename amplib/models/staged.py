"""Staged VAEs: VAEs of the codes of another one (event paper, sec. III B c)."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from amplib.models.bvae import Autoencoder, HiddenLayers, StackedVAE


class PlainLayers(HiddenLayers):
    """``depth`` x (linear, ELU) without shortcuts."""

    shortcuts: ClassVar[bool] = False


class PlainAutoencoder(Autoencoder):
    """An autoencoder without shortcuts."""

    hidden: ClassVar[type[HiddenLayers]] = PlainLayers


class StackedStagedVAE(StackedVAE):
    """E staged VAEs (``config.StagedVAEConfig``), trained side by side on the same codes.

    Their loss is MSE + B D_KL, without the (1 - B) of eq. 13, so that the reconstruction counts
    up to B = 1 and beyond.
    """

    kind: ClassVar[type[Autoencoder]] = PlainAutoencoder

    def _loss(self, mse: Tensor, divergence: Tensor) -> Tensor:
        return mse + self.kl_weights * divergence
