"""Columns in the network's range, and back."""

import numpy as np
import pytest
import torch

from amplib.models.scaling import NormalScores, by_deviation, by_modulus, by_range

DOUBLE = torch.zeros((), dtype=torch.float64)


@pytest.mark.parametrize(
    ("scaling", "first"),
    [
        (by_modulus, [1 / 3, -1, 1, 0]),
        (by_range, [-1, -1, 0, 0]),
        (by_deviation, [-1, -1, 0, 0]),
    ],
)
def test_columns_are_brought_to_their_range_and_back(scaling, first):
    """One that does not vary, and one of zeros, divide by nothing."""
    events = np.array([[1.0, -4, 2, 0], [3, 2, 2, 0]])
    columns = scaling(events, DOUBLE)
    scaled = columns.to_network(torch.as_tensor(events))
    np.testing.assert_allclose(scaled[0], first)
    np.testing.assert_allclose(columns.to_events(scaled), events)


def test_a_network_of_single_precision_gets_it():
    events = np.array([[1.0, -4], [3, 2]])
    columns = by_modulus(events, torch.zeros(1))
    scaled = columns.to_network(torch.as_tensor(events))
    assert columns.scale.dtype == scaled.dtype == torch.float32


def test_scores_are_normal_and_come_back():
    """Whatever the column: each of N values has a rank of its own."""
    rng = np.random.default_rng(1)
    events = np.stack([rng.exponential(size=400), rng.normal(size=400) ** 3], 1)
    columns = NormalScores.of(events, DOUBLE)
    scores = columns.to_network(torch.as_tensor(events))
    assert scores.mean(0).abs().max() < 1e-12
    np.testing.assert_allclose(scores.std(0), 1, atol=0.01)
    np.testing.assert_array_equal(scores.argsort(0), events.argsort(0))
    np.testing.assert_allclose(columns.to_events(scores), events, rtol=1e-6, atol=1e-9)


def test_equal_values_are_ranked_by_lot_and_come_back_equal():
    """Zeros of an absent lepton: 60% of the values, hence of N(0, 1), to four deviations."""
    rng = np.random.default_rng(2)
    column = np.concatenate([np.zeros(600), rng.uniform(1, 2, 400)])[:, None]
    columns = NormalScores.of(column, DOUBLE)
    assert len(np.unique(columns.to_network(torch.as_tensor(column)))) == 1000
    made = columns.to_events(torch.as_tensor(rng.normal(size=(10_000, 1)))).numpy()
    assert abs((made == 0).mean() - 0.6) < 4 * np.sqrt(0.24 / 10_000)
    # Between the last zero and the first that is none lies one rank of a thousand.
    assert ((made > 0) & (made < 1)).mean() < 0.005


def test_nothing_is_beyond_the_training_sample():
    events = np.random.default_rng(3).normal(size=(50, 2))
    far = torch.tensor([[-40.0, 40.0], [40.0, -40.0]])
    made = NormalScores.of(events, DOUBLE).to_events(far).numpy()
    np.testing.assert_allclose(made[0], [events[:, 0].min(), events[:, 1].max()])
    np.testing.assert_allclose(made[1], [events[:, 0].max(), events[:, 1].min()])
