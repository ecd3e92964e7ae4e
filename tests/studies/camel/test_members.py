"""Ensembles taken apart: the identity against ensembles that are really put together."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from amplib.metrics.amplification import mse_of_counts
from amplib.metrics.quantiles import expected_mse
from amplib.studies.camel.reading import (
    Members,
    gain_over_members,
    gan_curve,
    members_of,
    without_failed_members,
    worth_with_failures,
)
from amplib.studies.catalogue import make_study

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


# ---- members that failed ----


@pytest.mark.parametrize("q", [10, 20, 50])
@pytest.mark.parametrize(("failed", "members"), [(1, 10), (1, 2), (3, 10)])
def test_failed_members_leave_no_more_than_their_share_allows(failed, members, q):
    """Some put all of their events into one cell; the others put them where they belong."""
    good, bad = np.full(100, 1000), 100_000 * np.eye(100)[37]
    mse = mse_of_counts((members - failed) * good + failed * bad, q)
    most = expected_mse(1, q) / mse
    assert most == pytest.approx(worth_with_failures(failed, members))


class Stored:
    """Two samples with three members each, of which the first sample's are worth little."""

    study = make_study("ensemble", "smoke", repetitions=2, members=3)

    def load(self):
        rng = np.random.default_rng(4)
        shares = np.full((2, 100), 0.01)
        shares[0, :50] /= 5
        never_won = {"diverged": np.array(-1), "losses": np.array([[1, 1.386, 0.693]])}
        sizes = len(self.study.event_sizes)
        return {
            (i, m): never_won | {"counts": rng.multinomial(10_000, p / p.sum(), sizes)}
            for i, p in enumerate(shares)
            for m in range(3)
        }


def test_members_that_failed_can_be_left_out():
    """One of the second sample's sits in one cell: the others of it are put together."""

    class WithOne(Stored):
        def load(self):
            parts = super().load()
            point = np.zeros_like(parts[1, 2]["counts"])
            point[:, 3] = 10_000
            return parts | {(1, 2): parts[1, 2] | {"counts": point}}

    found, parts = without_failed_members(WithOne()), Stored().load()
    assert found.index.tolist() == [0, 1]
    assert (found.cells[0] == sum(parts[0, m]["counts"][-1] for m in range(3))).all()
    assert (found.cells[1] == sum(parts[1, m]["counts"][-1] for m in range(2))).all()


@pytest.mark.parametrize("left", [[0], []])
def test_an_ensemble_of_failed_members_alone_is_left_out(left):
    class WithNone(Stored):
        def load(self):
            parts = super().load()
            point = np.zeros_like(parts[0, 0]["counts"])
            point[:, 3] = 10_000
            bad = {part: a | {"counts": point} for part, a in parts.items() if part[0] not in left}
            return parts | bad

    if left:
        assert without_failed_members(WithNone()).index.tolist() == left
    else:
        with pytest.raises(ValueError, match="all members of 2 ensembles failed"):
            without_failed_members(WithNone())
    assert (gan_curve(WithNone()).whole is None) == (not left)


def test_the_gain_of_some_ensembles_is_that_of_these_alone():
    """A study's without one sample's, whose members are made worthless."""
    result = Stored()
    every = gan_curve(result)
    some = replace(every, counts=every.counts[1:], index=every.index[1:], failed=every.failed[1:])
    own = mse_of_counts(np.stack([result.load()[1, m]["counts"][-1] for m in range(3)]), Q)
    together = some.asymptote.mse(Q)
    assert len(members_of(result, some).cells) == 1 == len(together)
    assert gain_over_members(result, some)(Q).value == pytest.approx(own.mean() / together[0])
    assert gain_over_members(result)(Q).value != pytest.approx(own.mean() / together[0])
