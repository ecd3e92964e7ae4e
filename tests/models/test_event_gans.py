"""The GANs of top pairs: their losses on cases solved by hand, their loop, and what they learn."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from amplib.models import event_gans, minibatch
from amplib.models.config import EVENT_GANS, RECORDS
from amplib.models.event_gans import (
    KINDS,
    SCALES,
    StackedConv2d,
)
from amplib.models.noise import Noise, NoiseBlock

SMALL = {"noise": 3, "width": 16, "batch_size": 8, "steps": 400}
NORMAL = np.random.default_rng(1).normal(size=(40, 4))


def gan(method, events=NORMAL, members=(0,), dtype=torch.float64, **changes):
    config = replace(EVENT_GANS[method], **SMALL | changes)
    seeds = [np.random.SeedSequence(m) for m in members]
    return KINDS[method](config, events, seeds, dtype=dtype)


def block(words=4000):
    seeds = [np.random.SeedSequence(5)]
    return NoiseBlock(Noise(seeds, torch.device("cpu")).words(0, words), torch.float64)


def linear(model, slopes, bias=0.0):
    """Replace the critic by w.x + b, which every method takes in place of its own."""

    class Linear(torch.nn.Module):
        def forward(self, x, *noise):
            value = x @ torch.tensor(slopes, dtype=torch.float64) + bias
            return value if model.__class__.__name__ != "LSGAN" else value.unsqueeze(2)

    model.critic = Linear()
    return model


REAL = torch.tensor([[[1.0, 0, 0, 0], [3, 0, 0, 0]]]).double()
MADE = torch.tensor([[[0.0, 0, 0, 0], [1, 0, 0, 0]]]).double()
SLOPES = [1.0, 0, 0, 0]
"""So that the critic's values are 1, 3 of the real and 0, 1 of the generated events."""


# ---- losses by hand ----


def losses(method, **changes):
    model = linear(gan(method, **changes), SLOPES)
    critic = model.critic_loss(REAL, MADE, block()).item()
    return critic, model.generator_loss(REAL, MADE, block()).item()


def test_lsgan():
    """Real values 1, 3 are to be 1: (0 + 4)/4; generated 0, 1 to be 0: (0 + 1)/4, or to be 1."""
    assert losses("LSGAN") == pytest.approx((1 + 0.25, 0.25))


def test_wgan():
    """Means 2 and 1/2."""
    assert losses("WGAN") == pytest.approx((0.5 - 2, -0.5))


def test_wgan_gp():
    """A slope of one everywhere costs nothing; one of three costs 10 x 4."""
    assert losses("WGAN-GP") == pytest.approx((0.5 - 2, -0.5))
    steep = linear(gan("WGAN-GP"), [3.0, 0, 0, 0])
    assert steep.critic_loss(REAL, MADE, block()).item() == pytest.approx(3 * (0.5 - 2) + 40)


def test_dijet_gan():
    softplus = lambda x: math.log1p(math.exp(x))  # noqa: E731
    real = (softplus(-1) + softplus(-3)) / 2
    made = (softplus(0) + softplus(1)) / 2
    assert losses("DijetGAN") == pytest.approx((real + made, (softplus(0) + softplus(-1)) / 2))


def discrepancy(x, y):
    """Pair by pair."""
    k = [
        [sum(math.exp(-((a - b) ** 2) / 2 / s**2) for s in SCALES) for b in (*x, *y)]
        for a in (*x, *y)
    ]
    sign = np.array([1 / len(x)] * len(x) + [-1 / len(y)] * len(y))
    return float(sign @ np.array(k) @ sign)


def test_wgan_with_discrepancy():
    """Generated events also pay their discrepancy from real ones."""
    expected = discrepancy([1, 3], [0, 1])
    assert losses("WGAN + MBD") == pytest.approx((0.5 - 2, -0.5))
    assert losses("WGAN + MBD + MMD") == pytest.approx((0.5 - 2, -0.5 + expected))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_mmd_gan(sign):
    """Codes are the first column or its negative: real means are above, then 1.5 below.  A decoder
    of zeros errs by the mean squares, 10/2/4 and 1/2/4."""

    class Code(torch.nn.Module):
        def forward(self, x):
            return sign * x[..., :1]

    class Zero(torch.nn.Module):
        def forward(self, x):
            return x.new_zeros(*x.shape[:2], 4)

    model = gan("MMD-GAN")
    model.critic = {"encoder": Code(), "decoder": Zero()}
    distance = math.sqrt(discrepancy([1, 3], [0, 1])) + 16 * min(0, sign * 1.5)
    errors = 8 * (10 / 2 / 4 + 1 / 2 / 4)
    assert model.critic_loss(REAL, MADE, block()).item() == pytest.approx(errors - distance)
    assert model.generator_loss(REAL, MADE, block()).item() == pytest.approx(distance)


# ---- layers ----


@pytest.mark.parametrize("kernel", [2, 3])
def test_a_stacked_convolution_is_a_convolution_each(kernel):
    starts = [torch.Generator().manual_seed(k) for k in range(3)]
    layer = StackedConv2d(2, 5, kernel, starts)
    x = torch.randn(3, 4, 2, 8, 8, generator=torch.Generator().manual_seed(9))
    out = layer(x)
    assert out.shape == (3, 4, 5, 8, 8)
    for k in range(3):
        pad = (0, 1, 0, 1) if kernel == 2 else (1, 1, 1, 1)
        padded = torch.nn.functional.pad(x[k], pad)
        mine = torch.nn.functional.conv2d(padded, layer.weight[k])
        torch.testing.assert_close(out[k], mine, rtol=1e-4, atol=1e-5)
    bound = math.sqrt(6 / (kernel**2 * 7))
    assert 0.8 * bound < layer.weight.abs().max() <= bound


def test_dijet_networks_are_the_released_ones():
    """Weights: 128 x 128 + 128, two batch norms ... as the layers' shapes give them."""
    config = EVENT_GANS["DijetGAN"]
    model = KINDS["DijetGAN"](config, np.eye(26), [np.random.SeedSequence(1)])
    count = lambda module: sum(w.numel() for w in module.parameters())  # noqa: E731
    generator = (
        (128 * 128 + 128 + 2 * 128)
        + (2 * 32 * 4 + 32 + 2 * 32)
        + (32 * 16 * 9 + 16 + 2 * 16)
        + (16 * 64 * 26 + 26)
    )
    critic = (26 * 128 + 128) + (2 * 64 * 9 + 64) + (64 * 32 * 9 + 32) + (32 * 16 * 9 + 16) + 1025
    assert (count(model.generator), count(model.critic)) == (generator, critic)


# ---- the loop ----


def test_a_turn_is_some_steps_of_the_critic_and_one_of_the_generator():
    model = gan("WGAN")
    assert model.config.epochs == RECORDS
    assert [model.critic_steps_at(k) for k in (0, 24, 25, 499, 500, 501)] == [
        100, 100, 5, 5, 100, 5,
    ]  # fmt: skip
    calm = gan("WGAN-GP")
    list(calm.train(3))
    assert int(calm.generator_done) == 3 * calm.config.turns_an_epoch == 6
    assert int(calm.critic_done) == 30


@pytest.mark.parametrize("method", ["WGAN", "WGAN + MBD", "MMD-GAN"])
def test_weights_stay_within_the_clip(method):
    model = gan(method, warm_up=0, learning_rate=0.1)
    list(model.train(2))
    clipped = model.critic["encoder"] if method == "MMD-GAN" else model.critic
    assert max(w.abs().max() for w in clipped.parameters()) <= 0.01
    assert max(w.abs().max() for w in model.generator.parameters()) > 0.01


@pytest.mark.parametrize("method", KINDS)
def test_each_network_takes_its_own_steps(method):
    """A step of the critic leaves the generator's weights, one of the generator the critic's."""
    model = gan(method)
    weights = {name: list(module.parameters()) for name, (module, _) in model.trained.items()}
    for step, moves in ((model._critic_step, "critic"), (model._generator_step, "generator")):
        before = {name: [w.clone() for w in ws] for name, ws in weights.items()}
        model.rate.fill_(1e-3)
        step()
        for name, ws in weights.items():
            changed = any(not torch.equal(w, b) for w, b in zip(ws, before[name], strict=True))
            assert changed == (name == moves), (name, moves)


@pytest.mark.parametrize(
    ("method", "epochs"), [("LSGAN", 60), ("WGAN-GP", 20), ("WGAN + MBD + MMD", 20)]
)
def test_events_come_near_the_truth(method, epochs):
    """A narrow blob away from zero in two columns: its mean, to a third of where it began."""
    rng = np.random.default_rng(2)
    events = np.array([3.0, -1.0]) + 0.3 * rng.normal(size=(1000, 2))
    model = gan(method, events, dtype=torch.float32, width=32, batch_size=64, learning_rate=1e-3,
                warm_up=0, steps=2000)  # fmt: skip
    before, after = ([], [])
    for means, until in ((before, 0), (after, epochs)):
        list(model.train(until))
        made = np.concatenate(list(model.generate(2000)), 1)[0]
        means.append(np.linalg.norm((made.mean(0) - events.mean(0)) / events.std(0)))
    assert after[0] < before[0] / 3


def test_generated_events_have_their_shape_and_range():
    events = NORMAL * [1, 10, 100, 0.1] + [0, 5, 0, 0]
    model = gan("DijetGAN", events, (0, 1))
    pieces = list(model.generate(25, batch=10))
    assert [p.shape for p in pieces] == [(2, 10, 4), (2, 10, 4), (2, 5, 4)]
    whole = np.concatenate(pieces, 1)
    assert (whole >= events.min(0) - 1e-4).all()
    assert (whole <= events.max(0) + 1e-4).all()
    assert not np.array_equal(whole[0], whole[1])
    np.testing.assert_array_equal(next(model.generate(3, batch=10))[0], whole[0, :3])


def test_events_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="event 1: column 2 is nan"):
        gan("LSGAN", np.array([[1.0, 2, 3], [4, 5, np.nan]]))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"steps": minibatch.LONG, "dtype": torch.float32}, True),
        ({"steps": minibatch.LONG - 1, "dtype": torch.float32}, False),
        ({"steps": minibatch.LONG}, False),  # in double precision, as fingerprints are
    ],
)
def test_loops_over_minibatches_are_compiled_for_long_trainings(changes, expected, monkeypatch):
    monkeypatch.setattr(event_gans, "can_compile", lambda: True)
    assert gan("WGAN + MBD", **changes).critic.minibatch.compiled is expected
