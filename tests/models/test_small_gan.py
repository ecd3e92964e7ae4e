"""The small GAN: its architecture, its random numbers, and that it learns."""

import numpy as np
import pytest
import torch
from scipy import stats
from statistical import FALSE_ALARM

from amplib.models.noise import Noise, NoiseBlock, normal_words
from amplib.models.small_gan import SmallGAN
from amplib.studies.gaussians.training import MixtureSource
from amplib.truth.mixtures import bimodal, ring


def block(members, numbers, dtype=torch.float64):
    seeds = [np.random.SeedSequence(m) for m in members]
    return NoiseBlock(Noise(seeds, torch.device("cpu")).words(0, numbers), dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_normal_numbers_are_normal(dtype):
    """Kolmogorov's test of 200,000 at 1e-6; a width of 1.05 or a mean of 0.05 fails."""
    x = block([1], normal_words(200_000), dtype).normal(200_000)[0].double().numpy()
    for other, fails in ((x, False), (1.05 * x, True), (x + 0.05, True)):
        assert (stats.kstest(other, "norm").pvalue < FALSE_ALARM) == fails
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 5 / np.sqrt(len(x))


def test_an_odd_number_of_normal_numbers():
    noise = block([1, 2], normal_words(7) + normal_words(4))
    assert noise.normal(7).shape == (2, 7)
    assert noise.normal(2, 2).shape == (2, 2, 2)
    with pytest.raises(ValueError, match="used up"):
        noise.normal(1)


def test_the_source_draws_the_truth():
    """Modes in equal numbers (chi^2), and points at one width around theirs."""
    truth = ring(8, 0.1)
    source = MixtureSource(truth, torch.device("cpu"), torch.float64)
    x = source(block([3], source.words(40_000)), 40_000)[0].numpy()
    mode, distance = truth.nearest(x)
    assert stats.chisquare(np.bincount(mode)).pvalue > FALSE_ALARM
    assert (distance**2).mean() == pytest.approx(2, rel=0.05)  # chi^2 of two degrees of freedom


def test_the_networks_are_the_paper_s():
    source = MixtureSource(ring(8, 0.1), torch.device("cpu"), torch.float32)
    gan = SmallGAN(source, 8, [np.random.SeedSequence(1)])
    widths = {
        name: [(m.inputs, m.outputs) for m in [*network.hidden, network.output]]
        for name, (network, _) in gan.trained.items()
    }
    assert widths["generator"] == [(8, 15), (15, 15), (15, 2)]
    assert widths["discriminator"] == [(2, 25), (25, 25), (25, 1)]
    assert all((b == 0).all() for n, b in gan.generator.named_parameters() if n.endswith("bias"))


def test_events_do_not_depend_on_how_many_are_asked_for():
    source = MixtureSource(ring(8, 0.1), torch.device("cpu"), torch.float64)
    gan = SmallGAN(source, 8, [np.random.SeedSequence(1)], dtype=torch.float64)
    first, again = (next(gan.generate(50)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    events = gan.generate(50)
    assert not np.array_equal(next(events), next(events))


def test_it_learns_two_modes():
    """2000 steps on the bimodal truth of two seeds: either half of the line has 20 to 80% of the
    events, and the middle, where the truth has 1%, less than 15%."""
    torch.set_num_threads(1)
    source = MixtureSource(bimodal(2.0, 0.4), torch.device("cpu"), torch.float32)
    gan = SmallGAN(source, 5, np.random.SeedSequence(1).spawn(2))
    before = next(gan.generate(4000))[..., 0]
    *_, (epoch, losses) = gan.train(20)
    assert epoch == 20
    assert np.isfinite(losses).all()
    after = next(gan.generate(4000))[..., 0]
    middle = [(abs(x) < 0.1).mean(1) for x in (before, after)]
    assert ((after > 0).mean(1) > 0.2).all() and ((after > 0).mean(1) < 0.8).all()
    assert (middle[1] < 0.15).all()
    assert (abs(after).mean(1) > 0.6).all()


def test_an_odd_batch_is_refused():
    with pytest.raises(ValueError, match="batch_size = 7: must be even"):
        SmallGAN(MixtureSource(ring(3, 0.1), torch.device("cpu"), torch.float32), 8, [], 7)
