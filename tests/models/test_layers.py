"""Noise that belongs to a member and a counter alone, and layers that carry tangents."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import stats

from amplib.models.layers import LEAK, StackedLinear, leaky
from amplib.models.noise import (
    Noise,
    NoiseBlock,
    box_muller,
    dropout_words,
    series_words,
    uniform_words,
)

CPU = torch.device("cpu")
WORDS = 1 << 19
EXACT = {"rtol": 1e-12, "atol": 1e-12}


def seeds(*numbers):
    return [np.random.SeedSequence(n) for n in numbers]


def noise(*numbers):
    return Noise(seeds(*numbers), CPU)


def splitmix64(state, count):
    """The generator as its authors print it, on Python's unbounded integers."""
    mask, words = 2**64 - 1, []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        words.append(z ^ (z >> 31))
    return words


def block(words, dtype=torch.float64):
    return NoiseBlock(words, dtype)


# ---- words ----


def test_words_are_splitmix64():
    """To the bit, and the reference itself against the published vector of seed 1234567."""
    assert splitmix64(1234567, 3) == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]
    numbers = (3, 2**63 + 5)
    made = noise(*numbers)
    states = made.seeds.numpy().view(np.uint64).ravel()
    for row, state in zip(made.words(0, 100).numpy().view(np.uint64), states, strict=True):
        assert row.tolist() == splitmix64(int(state), 100)


def test_words_do_not_depend_on_who_shares_the_stack():
    together, alone = noise(1, 2, 3), noise(2)
    assert torch.equal(together.words(17, 50)[1:2], alone.words(17, 50))


@pytest.mark.parametrize("start", [0, 7, 2**40])
def test_words_do_not_depend_on_start_or_chunks(start):
    """Nor on whether the counter is a number or, as in a captured step, a tensor."""
    source = noise(1, 2)
    whole = source.words(start, 100)
    parts = [source.words(torch.tensor(start + a), b - a) for a, b in ((0, 1), (1, 38), (38, 100))]
    assert torch.equal(whole, torch.cat(parts, 1))


@pytest.mark.parametrize("start", [0, 2**34])
def test_bits_are_balanced(start):
    """Each of 64 bits is set half of the time.

    False alarms: 64 two-sided tests at 5.5 sigma, 2.4e-6.  Power: a bit set with probability
    0.5 + 0.006 (8.7 sigma) is missed in 0.1% of the cases.
    """
    words = noise(11).words(start, WORDS).numpy().view(np.uint8)
    ones = np.unpackbits(words.reshape(WORDS, 8), axis=1).sum(0, dtype=np.int64)
    assert np.abs(ones - WORDS / 2).max() < 5.5 * np.sqrt(WORDS) / 2


def test_neighbouring_bytes_are_independent():
    """Chi-squared of all 65,536 pairs (byte of a counter, byte of the next).

    False alarm: p = 1e-6 on either side.  Power: of sources whose pair probabilities deviate by
    a relative 6% rms (5.2 sigma in chi-squared, the threshold being 4.8) 7 in 10 are found, by
    8% (9 sigma) all.
    """
    words = noise(12).words(0, WORDS).numpy().view(np.uint8).reshape(WORDS, 8)
    pairs = words[:-1, 7].astype(int) * 256 + words[1:, 7]
    observed = np.bincount(pairs, minlength=65536)
    expected = len(pairs) / 65536
    chi2 = ((observed - expected) ** 2 / expected).sum()
    assert 1e-6 < stats.chi2.sf(chi2, 65535) < 1 - 1e-6


# ---- what is made of them ----


@pytest.fixture(scope="module")
def uniform():
    """``(3, 2 * WORDS)`` uniform numbers; the third member's seed is the second's plus one."""
    source = noise(5, 6, 6)
    source.seeds[2] += 1
    return block(source.words(0, WORDS)).uniform(2 * WORDS).numpy()


def test_uniform_numbers_are_uniform(uniform):
    """Range, Kolmogorov-Smirnov, mean and variance.

    False alarm: 3 x (KS at p = 1e-6, two means or variances at 5 sigma), 7e-6.  Power: a mean
    off by 0.004 (7 sigma; the range is [-1, 1]) or a variance off by a relative 0.6% (7 sigma)
    is missed in 3% of the cases.
    """
    assert np.abs(uniform).max() <= 1
    n = uniform.shape[1]
    for row in uniform:
        assert stats.kstest(row, "uniform", (-1, 2)).pvalue > 1e-6
        assert abs(row.mean()) < 5 * np.sqrt(1 / 3 / n)
        assert abs(row.var() - 1 / 3) < 5 * np.sqrt((1 / 5 - 1 / 9) / n)


def test_uniform_numbers_are_uncorrelated(uniform):
    """Neither neighbours of a member nor members, even of neighbouring seeds.

    False alarm: 9 correlations at 5.5 sigma, 3.4e-7.  Power: a correlation of 0.008 (8 sigma)
    is missed in 0.6% of the cases.
    """
    n = uniform.shape[1]
    correlations = [np.corrcoef(row[:-lag], row[lag:])[0, 1] for row in uniform for lag in (1, 2)]
    correlations += list(np.corrcoef(uniform)[np.triu_indices(3, 1)])
    assert np.abs(correlations).max() < 5.5 / np.sqrt(n)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_uniform_at_the_ends(dtype):
    """The extreme words give numbers in [-1, 1], also where float32 rounds them up."""
    words = torch.tensor([[-1, 0, 2**63 - 1, -(2**63)]])
    u = NoiseBlock(words, dtype).uniform(8)
    assert u.abs().max() == 1
    assert u.dtype == dtype


@pytest.mark.parametrize("p", [0.0, 0.2, 0.5, 0.99])
def test_dropout_keeps_what_it_should(p):
    """A share 1 - p, at the scale 1 / (1 - p), so that the mean stays.

    False alarm: two tests at 5 sigma, 1e-6.  Power: a probability off by 0.003 (8.7 sigma at
    p = 0.5, more elsewhere) is found in all but 1e-4 of the cases.
    """
    mask = block(noise(7, 8).words(0, WORDS)).dropout(p, 4 * WORDS)
    assert set(mask.unique().tolist()) <= {0.0, 1 / (1 - p)}
    kept = (mask > 0).double().mean(1)
    error = 5 * np.sqrt(p * (1 - p) / (4 * WORDS)) + 2**-17
    assert (kept - (1 - p)).abs().max() < error


@pytest.fixture(scope="module")
def gaussian():
    """``(3, 2 * WORDS)`` normal numbers in float32, in which networks train."""
    return (
        block(noise(5, 6, 7).words(0, WORDS), torch.float32)
        .normal_series(2 * WORDS)
        .double()
        .numpy()
    )


def test_normal_numbers_are_normal(gaussian):
    """Kolmogorov-Smirnov, mean, variance and kurtosis.

    False alarm: 3 x (KS at p = 1e-6, three moments at 5 sigma), 8e-6.  Power: a mean off by 0.007,
    a variance by 1% or a kurtosis by 0.034 (7 sigma each) is missed in 3% of the cases.
    """
    n = gaussian.shape[1]
    for row in gaussian:
        assert stats.kstest(row, "norm").pvalue > 1e-6
        assert abs(row.mean()) < 5 / np.sqrt(n)
        assert abs(row.var() - 1) < 5 * np.sqrt(2 / n)
        assert abs(stats.kurtosis(row)) < 5 * np.sqrt(24 / n)


def test_normal_numbers_have_tails(gaussian):
    """As many beyond 3.5 and 4.5 as there should be: float32 does not cut them.

    False alarm: two Poisson tests at 1e-6 on either side.  Power: tails beyond 4.5 that are half
    as full (21 expected for 11) are missed in 8 of 10 cases, a tail that ends there never.
    """
    for limit in (3.5, 4.5):
        expected = 2 * stats.norm.sf(limit) * gaussian.size
        beyond = (np.abs(gaussian) > limit).sum()
        assert stats.poisson.cdf(beyond, expected) > 1e-6
        assert stats.poisson.sf(beyond - 1, expected) > 1e-6


def test_normal_numbers_are_uncorrelated(gaussian):
    """Neither the two of a pair, nor their squares, nor neighbouring pairs, nor members.

    False alarm: 15 correlations at 5.5 sigma, 6e-7.  Power: one of 0.008 (8 sigma) is missed in
    0.6% of the cases.
    """
    n = gaussian.shape[1]
    found = list(np.corrcoef(gaussian)[np.triu_indices(3, 1)])
    for row in gaussian:
        first, second = row[::2], row[1::2]
        found += [np.corrcoef(first, second)[0, 1], np.corrcoef(first**2, second**2)[0, 1]]
        found += [np.corrcoef(row[:-lag], row[lag:])[0, 1] for lag in (1, 2)]
    assert np.abs(found).max() < 5.5 / np.sqrt(n / 2)


def test_normal_numbers_by_hand():
    """Bits of u = (1/2) 2^-31 and of its largest value, phi = -pi, 0 and pi/2; no infinity."""
    bits = torch.tensor([0, -(2**31), 2**31 - 1, 0, -1, 2**30], dtype=torch.int32)
    for dtype, error in ((torch.float64, 1e-9), (torch.float32, 1e-3)):
        x = box_muller(bits, dtype)
        assert x.dtype == dtype
        largest = np.sqrt(2 * 32 * np.log(2))
        expected = torch.tensor([-largest, 0, 0, 0, 0, 0], dtype=dtype)
        torch.testing.assert_close(x, expected, rtol=1e-6, atol=max(error, 3e-5))


def test_normal_numbers_of_a_block():
    """In order, whatever their shape: the first are the same if more are asked for."""
    words = noise(1, 2).words(0, 12)
    assert torch.equal(
        block(words).normal_series(3, 5), block(words).normal_series(15).view(2, 3, 5)
    )
    assert torch.equal(block(words).normal_series(4, 5)[:, :3], block(words).normal_series(3, 5))
    taken = block(words)
    taken.normal_series(15)
    assert taken.taken == series_words(15) == 8
    with pytest.raises(ValueError, match="used up"):
        taken.normal_series(10)


def test_a_block_hands_out_in_order_and_ends():
    words = noise(1, 2).words(0, 10)
    taken = block(words)
    first, mask, last = taken.uniform(3), taken.dropout(0.5, 2, 9), taken.uniform(2, 3)
    assert first.shape == (2, 3)
    assert mask.shape == (2, 2, 9)
    assert last.shape == (2, 2, 3)
    assert taken.taken == uniform_words(3) + dropout_words(18) + uniform_words(6) == 10
    assert torch.equal(first, block(words[:, :2]).uniform(3))
    assert torch.equal(mask, block(words[:, 2:7]).dropout(0.5, 2, 9))
    assert torch.equal(last, block(words[:, 7:]).uniform(2, 3))
    with pytest.raises(ValueError, match="10 words is used up"):
        taken.uniform(1)
    with pytest.raises(ValueError, match="used up"):
        block(words).dropout(0.5, 41)


# ---- layers ----


def generators(count, first=0):
    return [torch.Generator().manual_seed(first + k) for k in range(count)]


def test_a_member_starts_the_same_in_any_stack():
    stack, alone = StackedLinear(5, 3, generators(3)), StackedLinear(5, 3, generators(1, 2))
    assert torch.equal(stack.weight[2:], alone.weight)
    assert torch.equal(stack.bias[2:], alone.bias)
    assert stack.weight.abs().max() < 5**-0.5


@pytest.mark.parametrize(
    ("how", "half_width", "has_bias"),
    [("default", 50**-0.5, True), ("he", (6 / 50) ** 0.5, False), ("xavier", 0.2, False)],
)
def test_weights_are_uniform_within_their_half_width(how, half_width, has_bias):
    """50 inputs, 100 outputs, two members.  Of 10,000 uniform numbers the largest modulus is within
    0.2% of the end but once in 5e8; false alarm of the distribution 1e-6."""
    layer = StackedLinear(50, 100, generators(2), how)
    weights = layer.weight.detach().numpy().ravel()
    assert 0.998 * half_width < np.abs(weights).max() <= half_width
    assert stats.kstest(weights / half_width, "uniform", (-1, 2)).pvalue > 1e-6
    assert (np.abs(layer.bias.detach().numpy()).max() > 0.9 * half_width) == has_bias


def test_normal_weights_have_their_deviation():
    """A deviation of 0.3 on 2 x 40,000 weights.  False alarm: 5 sigma, 6e-7; power: a deviation off
    by 2% (8 sigma) is missed in 0.1% of the cases."""
    layer = StackedLinear(200, 200, generators(2), 0.3)
    assert not layer.bias.any()
    assert abs(layer.weight.std().item() / 0.3 - 1) < 5 / np.sqrt(2 * 80_000)
    assert stats.kstest(layer.weight.detach().ravel() / 0.3, "norm").pvalue > 1e-6


def test_stacked_linear_is_linear():
    layer = StackedLinear(5, 3, generators(2)).double()
    x = torch.randn(2, 4, 5, dtype=torch.float64)
    for k in range(2):
        expected = F.linear(x[k], layer.weight[k].T, layer.bias[k, 0])
        torch.testing.assert_close(layer(x)[k], expected, **EXACT)


def by_autograd(layer, x, rows, mask):
    """What ``leaky`` promises, tangents by forward-mode automatic differentiation."""

    def values(v):
        h = F.leaky_relu(torch.baddbmm(layer.bias, v, layer.weight), LEAK)
        return h if mask is None else h * mask

    value, *directions = x.split(rows, 1)
    tangents = [torch.func.jvp(values, (value,), (t,))[1] for t in directions]
    return torch.cat([values(value), *tangents], 1)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("tangents", [0, 1, 3])
def test_leaky_is_what_autograd_says(tangents, masked):
    """Values, tangents, and the gradients of a random function of both in x, W and b."""
    torch.manual_seed(3)
    members, rows, inputs, outputs = 3, 7, 4, 6
    x = torch.randn(members, (1 + tangents) * rows, inputs, dtype=torch.float64)
    mask = block(noise(1, 2, 3).words(0, 100)).dropout(0.5, rows, outputs) if masked else None
    cotangent = torch.randn(members, (1 + tangents) * rows, outputs, dtype=torch.float64)

    def value_and_gradients(function):
        layer = StackedLinear(inputs, outputs, generators(members)).double()
        leaf = x.clone().requires_grad_()
        out = function(layer, leaf)
        loss = (out * cotangent).sum() + (out**2).sum()
        return out, torch.autograd.grad(loss, (leaf, layer.weight, layer.bias))

    out, gradients = value_and_gradients(lambda layer, v: leaky(layer, v, rows, mask))
    expected, wanted = value_and_gradients(lambda layer, v: by_autograd(layer, v, rows, mask))
    torch.testing.assert_close(out, expected, **EXACT)
    torch.testing.assert_close(gradients, wanted, **EXACT)


def test_frozen_weights_take_no_gradient():
    """The value and the gradient in x are the same, none reaches the weights."""
    layer = StackedLinear(4, 6, generators(2)).double()
    x = torch.randn(2, 10, 4, dtype=torch.float64, requires_grad=True)
    free, frozen = leaky(layer, x, 5), leaky(layer, x, 5, frozen=True)
    assert torch.equal(free, frozen)
    (wanted,) = torch.autograd.grad(free.square().sum(), x)
    frozen.square().sum().backward()
    assert torch.equal(x.grad, wanted)
    assert layer.weight.grad is None
    assert layer.bias.grad is None
