"""A normalising flow: scores and back, a density that is one, and what it learns."""

import numpy as np
import pytest
import torch

from amplib.models.config import SplineFlowConfig
from amplib.models.spline_flow import NormalScores, StackedSplineFlow

CONFIG = SplineFlowConfig(
    transforms=3, bins=6, width=32, depth=1, batch_size=100, epochs=30, learning_rate=5e-3
)


def flow(events, members=(0,), config=CONFIG, **options):
    seeds = [np.random.SeedSequence(m) for m in members]
    return StackedSplineFlow(config, events, seeds, **options)


def ordered(events):
    return torch.as_tensor(np.sort(events, 0).T)


def test_scores_are_normal_and_come_back():
    """Whatever the column: each of N values has a rank of its own."""
    rng = np.random.default_rng(1)
    events = np.stack([rng.exponential(size=400), rng.normal(size=400) ** 3], 1)
    scores = NormalScores.of(events, rng)
    assert np.abs(scores.mean(0)).max() < 1e-12
    np.testing.assert_allclose(scores.std(0), 1, atol=0.01)
    np.testing.assert_array_equal(scores.argsort(0), events.argsort(0))
    again = NormalScores(ordered(events)).events(torch.as_tensor(scores))
    np.testing.assert_allclose(again, events, rtol=1e-6, atol=1e-9)


def test_equal_values_are_ranked_by_lot_and_come_back_equal():
    """Zeros of an absent lepton: 60% of the values, hence of N(0, 1), to four deviations."""
    rng = np.random.default_rng(2)
    column = np.concatenate([np.zeros(600), rng.uniform(1, 2, 400)])[:, None]
    scores = NormalScores.of(column, rng)
    assert len(np.unique(scores)) == 1000
    noise = torch.as_tensor(rng.normal(size=(10_000, 1)))
    made = NormalScores(ordered(column)).events(noise).numpy()
    assert abs((made == 0).mean() - 0.6) < 4 * np.sqrt(0.24 / 10_000)
    # Between the last zero and the first that is none lies one rank of a thousand.
    assert ((made > 0) & (made < 1)).mean() < 0.005


def test_nothing_is_beyond_the_training_sample():
    events = np.random.default_rng(3).normal(size=(50, 2))
    far = torch.tensor([[-40.0, 40.0], [40.0, -40.0]])
    made = NormalScores(ordered(events)).events(far).numpy()
    np.testing.assert_allclose(made[0], [events[:, 0].min(), events[:, 1].max()])
    np.testing.assert_allclose(made[1], [events[:, 0].max(), events[:, 1].min()])


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
