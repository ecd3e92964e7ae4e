"""VAEs of codes: what differs from those of events."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from amplib.models.bvae import StackedVAE
from amplib.models.config import StagedVAEConfig, VAEConfig
from amplib.models.staged import PlainAutoencoder, StackedStagedVAE
from amplib.parameters import ParameterError

EXACT = {"rtol": 1e-10, "atol": 1e-12}
SMALL = StagedVAEConfig(latent=3, width=8, batch_size=10, adam_epochs=2, sgd_epochs=2)
CODES = np.random.default_rng(1).normal(size=(53, 4))


def stack(kind, config):
    seeds = [np.random.SeedSequence(0)]
    return kind([config], CODES[:40], CODES[40:], seeds, dtype=torch.float64)


def test_defaults_are_the_papers():
    config, events = StagedVAEConfig(), VAEConfig()
    assert (config.width, config.depth) == (64, 3)
    assert config.epochs == events.epochs == 1440
    assert (config.batch_size, config.learning_rate) == (events.batch_size, events.learning_rate)


def test_the_network_written_out():
    """One member in plain PyTorch: no shortcut, however deep."""
    network = PlainAutoencoder(replace(SMALL, depth=5), 4, [torch.Generator()]).double()
    x = torch.randn(1, 7, 4, dtype=torch.float64)
    h = x[0]
    for layer in network.encoder.layers:
        h = torch.nn.functional.elu(h @ layer.weight[0] + layer.bias[0])
    mean, _ = network.encode(x)
    torch.testing.assert_close(mean[0], h @ network.mean.weight[0] + network.mean.bias[0], **EXACT)


@pytest.mark.parametrize("b", [0.0, 0.25, 1.0, 100.0])
def test_the_loss_has_the_whole_reconstruction_at_every_b(b):
    mse, divergence = torch.tensor([2.0]).double(), torch.tensor([3.0]).double()
    vae = stack(StackedStagedVAE, replace(SMALL, kl_weight=b))
    assert vae._loss(mse, divergence).item() == pytest.approx(2 + 3 * b)
    if b < 1:
        events = stack(StackedVAE, VAEConfig(**replace(SMALL, kl_weight=b).asdict()))
        assert events._loss(mse, divergence).item() == pytest.approx(2 * (1 - b) + 3 * b)


def test_a_member_without_shortcuts_stays_one():
    vae = stack(StackedStagedVAE, SMALL)
    assert type(vae.network.member(0)) is PlainAutoencoder


def test_b_of_one_is_for_codes_alone():
    assert StagedVAEConfig(kl_weight=1.0).kl_weight == 1
    with pytest.raises(ParameterError, match=r"kl_weight = 1.0: must be a number from 0 to 0.999"):
        VAEConfig(kl_weight=1.0)


def test_codes_of_a_mixture_are_learned():
    """Two clusters, trained with B = 1e-3: both appear among what N(0, 1) is decoded to, and
    little between them.  Seeded; shares of 0.3 and 0.2 leave room for any start."""
    rng = np.random.default_rng(2)
    codes = rng.choice([-1.0, 1.0], (2048, 1)) + 0.1 * rng.normal(size=(2048, 2))
    config = replace(
        SMALL, latent=2, width=16, batch_size=64, adam_phases=2, adam_epochs=30, sgd_phases=0
    )
    seeds = [np.random.SeedSequence(3)]
    vae = StackedStagedVAE([config], codes[:1792], codes[1792:], seeds)
    list(vae.train(60))
    noise = torch.randn(1, 4000, 2, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        made = (vae.network.decode(noise)[0] * vae.scaling.scale).numpy()[:, 0]
    assert min((made < -0.5).mean(), (made > 0.5).mean()) > 0.3
    assert (np.abs(made) < 0.5).mean() < 0.2
