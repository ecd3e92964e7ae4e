"""A normalising flow: a density that is one, and what it learns."""

import numpy as np
import pytest
import torch

from amplib.models.config import SplineFlowConfig
from amplib.models.spline_flow import StackedSplineFlow

CONFIG = SplineFlowConfig(
    transforms=3, bins=6, width=32, depth=1, batch_size=100, epochs=30, learning_rate=5e-3
)


def flow(events, members=(0,), config=CONFIG, **options):
    seeds = [np.random.SeedSequence(m) for m in members]
    return StackedSplineFlow(config, events, seeds, **options)


def test_the_density_is_that_of_a_change_of_variables():
    """Its logarithm against N(0, 1) and the Jacobian by automatic differentiation; and back."""
    model = flow(np.random.default_rng(4).normal(size=(100, 3)), dtype=torch.float64)
    x = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for event in x:

        def mapped(e):
            return model.flow.flow().transform(e)

        determinant = torch.linalg.slogdet(torch.autograd.functional.jacobian(mapped, event))[1]
        normal = torch.distributions.Normal(0, 1).log_prob(mapped(event)).sum()
        expected = -(normal + determinant)
        # The module's own weights are those that the last member began with.
        torch.testing.assert_close(model._of_member(0, event[None]), expected)
        torch.testing.assert_close(model._of_member(0, mapped(event)[None], True)[0], event)


def test_it_learns_two_humps_that_lean():
    """Half of the events at -2, half at 2, the second column following the first: after training
    either hump has 35 to 65%, fewer than 8% lie between, and the columns go together."""
    rng = np.random.default_rng(2)
    x = rng.choice([-2.0, 2.0], 1000) + 0.3 * rng.normal(size=1000)
    model = flow(np.stack([x, 10 + x + 0.1 * rng.normal(size=1000)], 1))
    losses = [loss[0, 0] for _, loss in model.train(CONFIG.epochs, every=1)]
    made = np.concatenate(list(model.generate(2000)), 1)[0]
    assert losses[-1] < losses[0] - 0.5
    assert 0.35 < (made[:, 0] > 0).mean() < 0.65
    assert (np.abs(made[:, 0]) < 1).mean() < 0.08
    assert np.corrcoef(made.T)[0, 1] > 0.95


def test_generated_events_do_not_depend_on_how_many_are_asked_for():
    model = flow(np.random.default_rng(1).normal(size=(100, 3)), (0, 1))
    pieces = list(model.generate(25, batch=10))
    assert [p.shape for p in pieces] == [(2, 10, 3), (2, 10, 3), (2, 5, 3)]
    fewer = next(model.generate(3, batch=10))
    np.testing.assert_allclose(fewer, pieces[0][:, :3], rtol=1e-4, atol=1e-5)


def test_torchs_own_random_numbers_are_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    flow(np.random.default_rng(1).normal(size=(100, 3)))
    assert torch.rand(1) == expected


def test_events_that_do_not_fill_a_batch_are_refused():
    with pytest.raises(ValueError, match="99 training events do not fill a batch of 100"):
        flow(np.zeros((99, 2)))
