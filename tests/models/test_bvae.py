"""The VAE, against a plain one written out, by hand, and against smaller ones."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from plain_vae import PlainVAE
from scipy import stats
from torch.distributions import Normal, kl_divergence

from amplib.models.bvae import Autoencoder, StackedVAE
from amplib.models.config import VAEConfig
from amplib.parameters import ParameterError

EXACT = {"rtol": 1e-10, "atol": 1e-12}
SMALL = VAEConfig(
    latent=3, width=8, depth=5, batch_size=10, kl_weight=0.01,
    adam_phases=2, adam_epochs=2, sgd_phases=1, sgd_epochs=2,
)  # fmt: skip
EVENTS = np.random.default_rng(1).normal(size=(53, 4)) * [1, 10, 0.1, 5]


def starts(*seeds):
    return [torch.Generator().manual_seed(s) for s in seeds]


def stack(members=(0, 1), config=SMALL, events=EVENTS, configs=None):
    seeds = [np.random.SeedSequence(m) for m in members]
    configs = [config] * len(seeds) if configs is None else configs
    return StackedVAE(configs, events[:40], events[40:], seeds, dtype=torch.float64)


# ---- architecture ----


def test_the_network_written_out():
    """One member in plain PyTorch: shortcuts from two layers before on from the third layer."""
    network = Autoencoder(SMALL, 4, starts(1)).double()
    x = torch.randn(1, 7, 4, dtype=torch.float64)

    def hidden(layers, h):
        outputs = []
        for k, layer in enumerate(layers):
            h = h @ layer.weight[0] + layer.bias[0]
            if k >= 2:
                h = h + outputs[k - 2]
            h = torch.where(h > 0, h, h.exp() - 1)
            outputs.append(h)
        return h

    code = hidden(network.encoder.layers, x[0])
    mean, log_variance = network.encode(x)
    torch.testing.assert_close(mean[0], code @ network.mean.weight[0], **EXACT)
    torch.testing.assert_close(log_variance[0], code @ network.log_variance.weight[0], **EXACT)
    made = hidden(network.decoder.layers, mean[0]) @ network.output.weight[0]
    torch.testing.assert_close(network.decode(mean)[0], made.tanh(), **EXACT)


@pytest.mark.parametrize(("latent", "depth", "columns"), [(9, 4, 10), (10, 4, 16), (20, 6, 26)])
def test_shapes_are_the_papers(latent, depth, columns):
    network = Autoencoder(VAEConfig(latent=latent, depth=depth), columns, starts(1, 2))
    x = torch.rand(2, 5, columns)
    mean, log_variance = network.encode(x)
    assert mean.shape == log_variance.shape == (2, 5, latent)
    assert network.decode(mean).shape == x.shape
    assert network.decode(100 * mean).abs().max() <= 1
    assert len(network.encoder.layers) == len(network.decoder.layers) == depth
    assert {layer.outputs for layer in network.encoder.layers} == {128}


@pytest.mark.parametrize(("reading", "variance"), [("deviation", 1.55 / 128), ("variance", 0.11)])
def test_initialisation_is_as_the_option_says(reading, variance):
    """Of 5 x 128^2 weights.  False alarm: 5 sigma, 6e-7; power: a variance off by 5% (10 sigma)
    is always found."""
    network = Autoencoder(VAEConfig(initialisation=reading), 26, starts(1))
    weights = torch.cat([layer.weight.ravel() for layer in list(network.encoder.layers)[1:]])
    assert abs(weights.var().item() / variance - 1) < 5 * np.sqrt(2 / weights.numel()) + 1e-3
    assert not any(layer.bias.any() for layer in network.encoder.layers)


def test_the_variance_stays_as_the_paper_wants_it():
    """From layer to layer without shortcuts: that of two layers by a factor of at most two, with
    weights of that deviation, and by some forty with weights of that variance."""
    growth = {}
    for reading in ("deviation", "variance"):
        network = Autoencoder(VAEConfig(depth=2, initialisation=reading), 128, starts(1))
        x = torch.randn(1, 500, 128, generator=torch.Generator().manual_seed(1))
        growth[reading] = (network.encoder(x).var() / x.var()).item()
    assert 0.5 < growth["deviation"] < 2
    assert growth["variance"] > 20


def test_a_step_is_that_of_the_plain_trainer():
    """Three steps of ``benchmarks/plain_vae.py`` from the same weights on the same noise."""
    config = replace(SMALL, kl_weight=0.05)
    vae = stack([0], config)
    plain = PlainVAE(config, 4).double()
    layers = [
        *vae.network.encoder.layers, *vae.network.decoder.layers,
        vae.network.mean, vae.network.log_variance, vae.network.output,
    ]  # fmt: skip
    theirs = [
        *plain.encoder.layers, *plain.decoder.layers, plain.mean, plain.log_variance, plain.output,
    ]  # fmt: skip
    for mine, other in zip(layers, theirs, strict=True):
        other.weight.data.copy_(mine.weight.data[0].T)
        other.bias.data.copy_(mine.bias.data[0, 0])
    vae.rate.fill_(config.learning_rate)
    for step in range(3):
        batch = vae.data[10 * step : 10 * step + 10]
        at = torch.tensor([step])
        mse, divergence = vae.train_step(batch[None], at)
        loss = plain.train_step(batch, vae._normal(vae.noise, at, 10)[0])
        assert vae._loss(mse, divergence).item() == pytest.approx(loss.item(), rel=1e-9)
    for mine, other in zip(layers, theirs, strict=True):
        torch.testing.assert_close(mine.weight[0].T, other.weight, rtol=1e-8, atol=1e-10)


# ---- loss ----


def test_divergence_is_that_of_normal_distributions():
    network = Autoencoder(SMALL, 4, starts(1, 2)).double()
    mean, log_variance = torch.randn(2, 2, 6, 3, dtype=torch.float64)
    prior = Normal(torch.zeros(3).double(), 1.0)
    wanted = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), prior).sum(2)
    torch.testing.assert_close(network.divergence(mean, log_variance), wanted, **EXACT)


def test_loss_by_hand():
    """Eq. 13 with a decoder that gives zeros: MSE is the mean of x^2; mu = 2 and sigma = 1 in each
    of three dimensions: KL = 3 x 2."""
    vae = stack([0], replace(SMALL, kl_weight=0.25))
    for parameter in vae.network.parameters():
        parameter.data.zero_()
    vae.network.mean.bias.data.fill_(2.0)
    x = torch.tensor([[[1.0, 0.0, 0.5, -1.0], [0.0, 0.0, 0.0, 0.0]]], dtype=torch.float64)
    mse, divergence = vae.network(x, torch.zeros(1, 2, 3, dtype=torch.float64))
    assert mse.item() == pytest.approx(2.25 / 8)
    assert divergence.item() == pytest.approx(6)
    assert vae._loss(mse, divergence).item() == pytest.approx(0.75 * 2.25 / 8 + 0.25 * 6)


def test_codes_are_sampled():
    """z = mu + sigma epsilon: with a decoder linear in its first code the output follows it."""
    network = Autoencoder(replace(SMALL, depth=1), 4, starts(1)).double()
    x = torch.zeros(1, 1, 4, dtype=torch.float64)
    for parameter in network.parameters():
        parameter.data.zero_()
    network.log_variance.bias.data.fill_(np.log(0.25))
    network.decoder.layers[0].weight.data[0, 0, 0] = 1.0
    network.output.weight.data[0, 0, 0] = 1.0
    mse, _ = network(x, torch.full((1, 1, 3), 0.8, dtype=torch.float64))
    assert mse.item() == pytest.approx(np.tanh(0.4) ** 2 / 4)


# ---- many at once ----


def test_a_masked_member_is_a_smaller_model():
    """Members of 3, 1 and 2 dimensions train in a stack as they do alone, bit for bit but for the
    order of sums; what is masked stays without weight."""
    pairs = [(3, 1e-2), (1, 1e-3), (2, 0.1)]
    configs = [replace(SMALL, latent=latent, kl_weight=weight) for latent, weight in pairs]
    together = stack([0, 1, 2], configs=configs)
    *_, (_, losses) = together.train(SMALL.epochs)
    for k, config in enumerate(configs):
        alone, latent = stack([k], config), config.latent
        *_, (_, own) = alone.train(SMALL.epochs)
        np.testing.assert_allclose(losses[:, k], own[:, 0], rtol=1e-9)
        member = together.network.member(k)
        for (name, mine), theirs in zip(
            member.named_parameters(), alone.network.parameters(), strict=True
        ):
            torch.testing.assert_close(mine, theirs, rtol=1e-8, atol=1e-10, msg=name)
        assert not together.network.mean.weight[k, :, latent:].any()
        assert not together.network.decoder.layers[0].weight[k, latent:].any()


def test_more_dimensions_are_used():
    """Else the test above holds of members that mask everything."""
    one, three = (stack([0], replace(SMALL, latent=d)) for d in (1, 3))
    losses = [list(vae.train(2))[-1][1] for vae in (one, three)]
    assert not np.allclose(*losses)


# ---- training ----


def test_phases_have_their_rates_and_optimisers():
    vae = stack()
    seen = []
    for epoch, _ in vae.train(SMALL.epochs, every=1):
        seen.append((epoch, vae.rate.item(), vae.optimiser is vae.adam))
    expected = [1e-3] * 2 + [5e-4] * 2 + [2.5e-4] * 2
    assert [rate for _, rate, _ in seen] == pytest.approx(expected)
    assert [adam for *_, adam in seen] == [True] * 4 + [False] * 2


def test_the_papers_schedule():
    """4 x 240 epochs of Adam from 1e-3, halved; 4 x 120 of SGD from there on."""
    config = VAEConfig()
    assert config.epochs == 1440
    firsts = [e for e in range(1, config.epochs + 1) if config.phase(e)[1]]
    assert firsts == [1, 241, 481, 721, 961, 1081, 1201, 1321]
    assert config.phase(config.epochs) == (7, False)
    code = replace(config, sgd_phases=3)
    assert code.epochs == 1320
    toy = replace(config, adam_phases=1, adam_epochs=100, sgd_phases=0)
    assert toy.phase(100) == (0, False)
    assert toy.phase(101) == (0, False)


def test_a_phase_begins_at_the_best_weights():
    """Those of the least validation loss so far; the optimisers begin anew."""
    vae = stack()
    losses = [loss[2].copy() for _, loss in vae.train(2, every=1)]
    np.testing.assert_allclose(vae.best_loss, np.min(losses, 0), rtol=1e-12)
    best = [value.clone() for value in vae.best]
    for parameter in vae.network.parameters():
        parameter.data.add_(1.0)
    assert vae.begin(3) is False
    for parameter, value in zip(vae.network.parameters(), best, strict=True):
        assert torch.equal(parameter, value)
    assert not any(vae.adam.state[p]["exp_avg"].any() for p in vae.network.parameters())
    vae.network.mean.bias.data.add_(1.0)
    vae.begin(4)  # in the middle of a phase nothing is taken back
    assert not torch.equal(vae.network.mean.bias, vae.best[2 * SMALL.depth + 1])


def test_the_best_weights_have_the_best_loss():
    vae = stack()
    list(vae.train(SMALL.epochs))
    vae.take_best()
    with torch.no_grad():
        torch.testing.assert_close(vae._validation_loss(), vae.best_loss, **EXACT)


def test_training_learns():
    """Events on a line in four dimensions: one latent dimension takes the MSE below a tenth."""
    line = np.random.default_rng(2).normal(size=(400, 1)) * [1.0, -2.0, 0.5, 3.0]
    config = replace(SMALL, width=16, latent=1, kl_weight=1e-5, adam_epochs=30, adam_phases=1)
    seeds = [np.random.SeedSequence(3)]
    vae = StackedVAE([config], line[:300], line[300:], seeds, dtype=torch.float64)
    (_, first), *_, (_, last) = vae.train(config.epochs, every=1)
    assert last[0] < 0.1 * first[0]
    assert last[2] < 0.1 * first[2]


def test_epsilon_is_normal_and_of_its_member():
    """The noise of a step.  False alarm: KS at 1e-6; members and steps differ."""
    vae = stack()
    noise = vae._normal(vae.noise, torch.tensor(5), 20_000)
    assert noise.shape == (2, 20_000, 3)
    assert stats.kstest(noise.ravel().numpy(), "norm").pvalue > 1e-6
    assert not torch.equal(noise[0], noise[1])
    assert not torch.equal(noise, vae._normal(vae.noise, torch.tensor(6), 20_000))


# ---- bad input ----


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"latent": 0}, "latent = 0: must be an integer from 1 to 64"),
        ({"latent": 65}, "latent = 65"),
        ({"kl_weight": 1.0}, "kl_weight = 1.0: must be a number from 0 to 0.999"),
        ({"kl_weight": -1e-6}, "kl_weight"),
        ({"initialisation": "zero"}, "initialisation = 'zero': allowed are deviation, variance"),
    ],
)
def test_impossible_settings_are_one_line(change, text):
    with pytest.raises(ParameterError, match=text):
        replace(SMALL, **change)


@pytest.mark.parametrize(
    ("events", "text"),
    [
        (EVENTS[:45, 0], "expected"),
        (np.where(np.arange(53)[:, None] == 7, np.nan, EVENTS), "event 7: column 0 is nan"),
    ],
)
def test_bad_events_are_refused(events, text):
    with pytest.raises(ValueError, match=text):
        stack(events=events)


def test_too_few_events_are_refused():
    with pytest.raises(ValueError, match="40 training events do not fill a batch of 41"):
        stack(config=replace(SMALL, batch_size=41))
    with pytest.raises(ValueError, match="columns the same"):
        StackedVAE([SMALL], EVENTS, EVENTS[:, :3], [np.random.SeedSequence(0)])


def test_members_that_differ_otherwise_are_refused():
    with pytest.raises(ValueError, match="may differ in latent and kl_weight alone"):
        stack(configs=[SMALL, replace(SMALL, width=9)])


def test_a_column_of_zeros_stays_zero():
    events = EVENTS.copy()
    events[:, 2] = 0
    vae = stack(events=events)
    assert vae.scaling.scale[2] == 1
    assert np.isfinite(list(vae.train(1))[-1][1]).all()
