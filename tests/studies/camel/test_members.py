"""Ensembles taken apart: the identity against ensembles that are really put together."""

from itertools import combinations

import numpy as np
import pytest

from amplib.metrics.amplification import mse_of_counts
from amplib.studies.camel.reading import Members

Q = 20


def trained(samples, count, seed=1):
    """Counts of members that share a bias of their sample and have one of their own."""
    rng = np.random.default_rng(seed)
    common = 1 + 0.2 * rng.normal(size=(samples, 1, 100))
    shares = np.abs(common + 0.3 * rng.normal(size=(samples, count, 100)))
    cells = np.round(1e5 * shares / shares.sum(2, keepdims=True))
    cells[..., 0] += 1e5 - cells.sum(2)  # equally many events of each
    return Members(cells, 100)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_the_identity_is_the_mean_over_all_ensembles_of_a_size(size):
    apart = trained(3, 5)
    together = [
        mse_of_counts(apart.cells[:, list(chosen)].sum(1), Q)
        for chosen in combinations(range(5), size)
    ]
    own, common = apart.own(Q), apart.common(Q)
    assert common + (own - common) / size == pytest.approx(np.mean(together, axis=0))


def test_two_members_foretell_what_twenty_are_worth():
    """The first two of twenty against all of them, of 1000 samples; seeded, 4 errors of the
    difference over samples (false alarm 6e-5), which are below a tenth of it, where taking the
    members as unrelated (own / 20) is off by half."""
    apart = trained(1000, 20)
    two = Members(apart.cells[:, :2], 100)
    common, own = two.common(Q), two.own(Q)
    foretold = common + (own - common) / 20
    real = mse_of_counts(apart.cells.sum(1), Q)
    error = (foretold - real).std(ddof=1) / np.sqrt(len(real))
    assert abs((foretold - real).mean()) < 4 * error < 0.1 * real.mean()
    assert (own / 20).mean() < 0.5 * real.mean()


def test_more_members_are_worth_more_up_to_the_limit():
    apart = trained(50, 4)
    worth = [apart.of(m, Q).value for m in (1, 2, 5, 20, 1000)] + [apart.limit(Q).value]
    assert worth == sorted(worth)
    assert worth[-2] == pytest.approx(worth[-1], rel=0.01)
    assert apart.of(1, Q) == apart.one(Q)
    gain = apart.own(Q).mean() / apart.common(Q).mean()
    assert apart.most_gain(Q).value == pytest.approx(gain)
    # By definition: so many members have nine tenths of what ever more have.
    members = apart.enough(0.9, Q).value
    mse = apart.common(Q).mean() * (1 + (gain - 1) / members)
    assert apart.common(Q).mean() / mse == pytest.approx(0.9)


def test_of_one_member_nothing_is_shared():
    with pytest.raises(ValueError, match="needs two"):
        trained(3, 1).common(Q)
