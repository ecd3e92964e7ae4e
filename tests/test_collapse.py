"""When a training has failed, and how the readings are compared."""

import numpy as np
import pytest

from amplib.parameters import ParameterError
from amplib.studies.camel import escape as readings
from amplib.studies.camel.collapse import WON, has_failed
from amplib.studies.camel.escape import EMBRYONIC, EPOCHS, READINGS, Escape, paired_p_value, reading
from amplib.studies.camel.study import CELLS


def part(left, right, entropy):
    """A training with so many events in either hump and such a cross entropy at the end."""
    counts = np.concatenate([np.full(CELLS // 2, left), np.full(CELLS // 2, right)])
    losses = np.array([[50, 1e-9, 0, 60.0], [100, entropy, 0, 1.0]])
    return {"counts": np.stack([counts // 10, counts]), "losses": losses}


@pytest.mark.parametrize(
    ("left", "right", "entropy", "failed"),
    [
        (100, 100, 1.39, False),
        (100, 60, 0.36, False),
        (100, 6, 1.39, False),
        (100, 5, 1.39, True),
        (0, 100, 1.39, True),
        (100, 100, WON / 2, True),
        (100, 0, 1e-12, True),
    ],
)
def test_a_training_fails_with_an_empty_hump_or_a_discriminator_that_has_won(
    left, right, entropy, failed
):
    assert has_failed(part(left, right, entropy)) == failed


def test_a_sample_hardly_ever_has_what_counts_as_uneven():
    """Fewer than 30 of 100 points in one of the humps: 1.6e-5 a hump, once in 30,000 samples."""
    from scipy.stats import binom

    assert 2 * binom.cdf(29, 100, 0.5) == pytest.approx(1 / 30_000, rel=0.1)


@pytest.fixture
def trajectories():
    """Cross entropies that leave the state after epoch 700, never, at once, and twice."""
    epochs = np.arange(7, EPOCHS + 1, 7)
    entropy = np.ones((4, len(epochs)))
    entropy[0, epochs <= 700] = 0.0
    entropy[1] = 0.0
    entropy[3, (epochs <= 140) | ((epochs > 700) & (epochs <= 1400))] = 0.0
    return [np.stack([epochs, e, e, e], 1) for e in entropy]


def test_when_a_training_left(trajectories):
    assert [readings._left(t) for t in trajectories] == [700, EPOCHS, 0, 1400]


def test_a_longer_training_counts_up_to_the_same_epoch():
    """Of a full training only its first epochs."""
    epochs = np.arange(50, 10_001, 50)
    late = np.where(epochs <= 3000, 0.0, 1.0)
    assert readings._left(np.stack([epochs, late, late, late], 1)) == EPOCHS
    again = np.where((epochs > 1000) & (epochs < 2000), 1.0, 0.0)
    assert readings._left(np.stack([epochs, again, again, again], 1)) == 1000


def test_the_hazard_counts_leavings_over_time_spent():
    escape = Escape(np.arange(4), np.array([600.0, EPOCHS, EMBRYONIC / 2, 1100.0]))
    rate, low, high = escape.hazard()
    assert rate == pytest.approx(2 / (0.5 + 1.4 + 0 + 1.0))
    assert 0 < low < rate < high
    assert escape.share(EPOCHS) == (1, 4)
    assert escape.share(1000) == (2, 4)


def test_the_hazard_of_a_known_rate():
    """Exponential leavings: seeded; the 68% interval holds the truth in 60 to 76% of 400 sets of 32
    (a share of 0.68 ends outside 3.4 standard errors once in 1500)."""
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(400):
        left = np.minimum(EMBRYONIC + rng.exponential(500, 32), EPOCHS)
        _, low, high = Escape(np.arange(32), left).hazard()
        hits += low <= 2.0 <= high
    assert 0.60 < hits / 400 < 0.76 + 0.04  # the exact interval covers no less than it says


def test_pairs_that_differ_decide():
    """Ten samples on which only one reading is stuck: 2 in 1024; five to five: anything goes."""
    stuck, free = np.full(10, float(EPOCHS)), np.zeros(10)
    a, b = Escape(np.arange(10), stuck), Escape(np.arange(10), free)
    assert paired_p_value(a, b, EPOCHS) == pytest.approx(2 / 1024)
    assert paired_p_value(a, a, EPOCHS) == 1.0
    mixed = Escape(np.arange(5, 15), np.concatenate([free[:5], stuck[:5]]))
    assert paired_p_value(a, mixed, EPOCHS) == pytest.approx(2 / 32)  # five shared samples differ


def test_readings_are_parameters_of_the_gan():
    keys = {reading(name).key() for name in READINGS}
    assert len(keys) == len(READINGS)
    with pytest.raises(ParameterError, match="reading = 'by eye': allowed are gradient in x"):
        reading("by eye")
