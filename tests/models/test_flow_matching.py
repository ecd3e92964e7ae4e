"""Flow matching: its rule on fields that are solved by hand, its loss, and what it learns."""

import math

import numpy as np
import pytest
import torch

from amplib.models.config import FlowMatchingConfig
from amplib.models.flow_matching import StackedFlowMatching, carried

CONFIG = FlowMatchingConfig(
    width=32, depth=2, batch_size=100, epochs=120, learning_rate=5e-3, flow_steps=20
)


def flow(events, members=(0,), **options):
    seeds = [np.random.SeedSequence(m) for m in members]
    return StackedFlowMatching(CONFIG, events, seeds, **options)


def test_a_constant_field_moves_by_itself():
    x = torch.randn(2, 5, 3, dtype=torch.float64)
    moved = carried(lambda x, t: torch.full_like(x, 0.7), x, 3)
    torch.testing.assert_close(moved, x + 0.7)


def test_a_field_of_time_alone_is_integrated():
    """Of 2t to 1, exactly by the midpoint rule; of 3t^2 with an error of 1 / 4 n^2."""
    x = torch.zeros(1, 1, 1, dtype=torch.float64)
    assert carried(lambda x, t: 2 * t, x, 4).item() == pytest.approx(1)
    for n in (4, 8):
        assert carried(lambda x, t: 3 * t**2, x, n).item() == pytest.approx(1 - 0.25 / n**2)


def test_a_growing_field_grows_as_the_exponential():
    """Second order: four times nearer with twice the steps."""
    x = torch.ones(1, 1, 1, dtype=torch.float64)
    errors = [carried(lambda x, t: x, x, n).item() - math.e for n in (20, 40)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.1)


def test_the_loss_of_a_field_that_stands_still():
    """<(x1 - x0)^2> = 2 a column, of standardised events and N(0, 1): 10,000 x 4 numbers, to 5%,
    which is four times their scatter."""
    events = 5 + 3 * np.random.default_rng(1).normal(size=(10_000, 4))
    model = flow(events, dtype=torch.float64)
    for weight in model.field.output.parameters():
        weight.data.zero_()
    losses = model.train_step(model.data[None], torch.zeros((), dtype=torch.int64))
    assert losses.shape == (1, 1)
    assert losses.item() == pytest.approx(2, rel=0.05)


def test_the_rate_falls_to_zero():
    model = flow(np.random.default_rng(1).normal(size=(100, 2)))
    rates = [model.rate_at(epoch) for epoch in (1, 61, 121)]
    assert rates == pytest.approx([5e-3, 2.5e-3, 0])


def test_it_learns_two_humps_that_lean():
    """Half of the events at -2, half at 2, the second column following the first: after training
    either hump has 35 to 65%, fewer than 8% lie between, and the columns go together."""
    rng = np.random.default_rng(2)
    hump = rng.choice([-2.0, 2.0], 1000)
    x = hump + 0.3 * rng.normal(size=1000)
    model = flow(np.stack([x, 10 + x + 0.1 * rng.normal(size=1000)], 1))
    list(model.train(CONFIG.epochs))
    made = np.concatenate(list(model.generate(2000)), 1)[0]
    assert 0.35 < (made[:, 0] > 0).mean() < 0.65
    assert (np.abs(made[:, 0]) < 1).mean() < 0.08
    assert np.corrcoef(made.T)[0, 1] > 0.95
    assert made[:, 1].mean() == pytest.approx(10, abs=0.5)


def test_generated_events_do_not_depend_on_how_many_are_asked_for():
    model = flow(np.random.default_rng(1).normal(size=(100, 3)), (0, 1))
    pieces = list(model.generate(25, batch=10))
    assert [p.shape for p in pieces] == [(2, 10, 3), (2, 10, 3), (2, 5, 3)]
    np.testing.assert_allclose(next(model.generate(3, batch=10)), pieces[0][:, :3], rtol=1e-5)
