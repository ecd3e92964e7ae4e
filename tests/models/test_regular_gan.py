"""The regular GAN: what a training changes."""

import numpy as np
import pytest
import torch

from amplib.models.config import RegularGANConfig
from amplib.models.objectives import binary_entropy
from amplib.models.regular_gan import RegularGAN

CONFIG = RegularGANConfig(noise=3, width=16, depth=2, batch_size=50, learning_rate=2e-3)


def gan(events, members=(0,), **options):
    seeds = [np.random.SeedSequence(m) for m in members]
    return RegularGAN(CONFIG, events, seeds, **options)


def test_a_step_trains_each_network_by_its_own_loss():
    """A first step of Adam moves every weight by the rate, against the sign of its gradient."""
    events = np.random.default_rng(1).normal(size=(50, 4))
    one, other = (gan(events, dtype=torch.float64) for _ in range(2))
    one.rate.fill_(1e-3)
    batch, at = one.data[None], torch.zeros(1, dtype=torch.int64)
    with torch.no_grad():
        fake = other._events(other.noise, 2 * at, 50)
    logits = other.discriminator(torch.cat([batch, fake], 1)).squeeze(2)
    loss = binary_entropy(logits[:, :50], True) + binary_entropy(logits[:, 50:], False)
    gradients = torch.autograd.grad(loss.sum(), list(other.discriminator.parameters()))
    losses = one.train_step(batch, at)
    assert losses[0].item() == pytest.approx(loss.item())
    pairs = zip(one.discriminator.parameters(), other.discriminator.parameters(), strict=True)
    for (mine, before), gradient in zip(pairs, gradients, strict=True):
        strong = gradient.abs() > 1e-4
        moved = (mine - before)[strong]
        torch.testing.assert_close(moved, -1e-3 * gradient[strong].sign(), rtol=1e-3, atol=0)


def test_events_come_near_the_truth():
    """A narrow line in two dimensions: after training the generated mean is nearer to it."""
    rng = np.random.default_rng(2)
    events = np.array([3.0, -1.0]) + 0.1 * rng.normal(size=(1000, 2))
    far = gan(events)
    before = np.concatenate(list(far.generate(2000)), 1)[0]
    list(far.train(20))
    after = np.concatenate(list(far.generate(2000)), 1)[0]
    distances = [np.linalg.norm(e.mean(0) - events.mean(0)) for e in (before, after)]
    assert distances[1] < 0.2 * distances[0]


def test_generated_events_have_the_shape_and_the_range():
    events = np.random.default_rng(1).normal(size=(60, 4)) * [1, 10, 100, 0.1]
    pieces = list(gan(events, (0, 1)).generate(25, batch=10))
    assert [p.shape for p in pieces] == [(2, 10, 4), (2, 10, 4), (2, 5, 4)]
    whole = np.concatenate(pieces, 1)
    assert (np.abs(whole) <= np.abs(events).max(0) * (1 + 1e-6)).all()
    assert not np.array_equal(whole[0], whole[1])


def test_too_few_events_are_refused():
    with pytest.raises(ValueError, match="49 training events do not fill a batch of 50"):
        gan(np.zeros((49, 2)))
