"""Ensembles taken apart: the identity against ensembles that are really put together."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from amplib.metrics.amplification import Repetitions, mse_of_counts
from amplib.metrics.quantiles import expected_mse
from amplib.store.results import Result
from amplib.studies.camel.reading import (
    Chosen,
    Members,
    gain_over_members,
    gan_curve,
    members_of,
    same_for_all,
    without_failed_members,
    worth_with_failures,
)
from amplib.studies.camel.study import DENSITY_BINS, CamelGAN
from amplib.studies.catalogue import make_study
from amplib.truth.densities import CamelBack

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
    assert list(found.cells) == found.together.index.tolist() == [0, 1]
    assert found.members == 5
    for i, count in enumerate((3, 2)):
        assert (found.cells[i] == [parts[i, m]["counts"][-1] for m in range(count)]).all()
        assert (found.together.cells[i] == found.cells[i].sum(0)).all()


def test_members_that_left_late_can_be_left_out():
    """The first of each sample's is seen in the state at epoch 800, and out of it at 900."""

    class Late(Stored):
        def load(self):
            losses = np.array([[800, 1e-9, 0, 60.0], [900, 1.386, 0, 0.7]])
            parts = super().load()
            return {p: a | {"losses": losses} if p[1] == 0 else a for p, a in parts.items()}

    assert without_failed_members(Late()).members == 6
    assert without_failed_members(Late(), 800).members == 6
    assert without_failed_members(Late(), 799).members == 4


def test_what_is_chosen_is_what_members_say_of_all():
    """Where every member is: the error, what two share, and what differs."""
    apart = trained(6, 4)
    chosen = Chosen(dict(enumerate(apart.cells)), 100)
    assert chosen.own(Q) == pytest.approx(apart.own(Q))
    assert chosen.common(Q) == pytest.approx(apart.common(Q))
    gain = chosen.gain(Q).value
    share = chosen.differing(Q)
    assert gain == pytest.approx(apart.own(Q).mean() / chosen.together.mse(Q).mean())
    assert share.value == pytest.approx((1 - 1 / gain) / (1 - 1 / 4))
    assert 0 <= share.low < share.value < share.high


def test_no_interval_of_the_share_reaches_below_zero_and_that_of_many_holds_the_truth():
    """Of members alike but for noise, and of 400 samples: seeded; shares of 0.7 (0.3^2 of 0.2^2 +
    0.3^2, less what rounding and normalising take), and of all but nothing."""
    alike = np.repeat(trained(8, 1).cells, 3, axis=1)
    assert Chosen(dict(enumerate(alike)), 100).differing(Q).low == pytest.approx(0, abs=1e-12)
    many = Chosen(dict(enumerate(trained(400, 3).cells)), 100).differing(Q)
    assert many.low < 9 / 13 < many.high


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
        assert list(without_failed_members(WithNone()).cells) == left
    else:
        with pytest.raises(ValueError, match="no member of 2 ensembles is left"):
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


def test_what_is_the_same_for_all_samples_is_told_from_what_is_not():
    """A deviation of 2% shared by 300 samples and one of 3% of each: 4/13 of the squares, known
    to a tenth; of none that is shared, no more than its noise leaves (seeded)."""
    rng = np.random.default_rng(3)
    own, every = 0.03 * rng.normal(size=(300, 100)), 0.02 * rng.normal(size=100)
    for deviation, share in ((own + every, 4 / 13), (own, 0)):
        cells = 1000 * (1 + deviation - deviation.mean(1, keepdims=True))
        found = same_for_all(Repetitions(cells, 100, np.arange(300)), 100)
        assert found == pytest.approx(share, abs=0.03)


def test_the_ensemble_page_says_what_the_stored_ensembles_say():
    """Its prose, where numbers could turn it: members that all but failed make much of the gain,
    which without them is the same at all resolutions and changes little with an earlier cut; what
    members share is what their sample made of them; all ten GANs of the figure make a bridge."""
    stored = Result(make_study("ensemble", "paper"), "paper")
    every, by_7000, by_1500 = (without_failed_members(stored, e) for e in (np.inf, 7000, 1500))
    late = [i for i in every.cells if len(every.cells[i]) > len(by_7000.cells[i])]
    largest = np.argsort(every.gains(50))[-len(late) :]
    assert set(every.together.index[largest]) == set(late)
    gains = [by_7000.gain(q).value for q in (10, 20, 50)]
    assert max(gains) < 1.1 * min(gains)
    assert all(every.gain(q).value > 1.15 * by_7000.gain(q).value for q in (10, 20, 50))
    with_failed = gain_over_members(stored)
    assert all(with_failed(q).value > 2 * every.gain(q).value for q in (10, 20, 50))
    assert all(abs(by_1500.gain(q).value - by_7000.gain(q).value) < 0.1 for q in (10, 20, 50))
    between = abs(DENSITY_BINS[1:] + DENSITY_BINS[:-1]) / 2 < 1
    densities = np.array([stored.part((0, m))["density"][1:-1] for m in range(10)])
    truth = float(np.diff(CamelBack().cdf([-1.0, 1.0]))[0])
    assert (densities[:, between].sum(1) / densities.sum(1) > 3 * truth).all()
    gans = gan_curve(Result(CamelGAN(), "paper")).converged.asymptote
    for q in (10, 20, 50):
        assert same_for_all(gans, q) < 0.1 < 1 - by_7000.differing(q).value
