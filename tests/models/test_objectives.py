"""Objectives on cases that are solved by hand."""

import math

import numpy as np
import pytest
import torch

from amplib.models.objectives import (
    between,
    binary_entropy,
    critic_difference,
    discrepancy_of_scales,
    gradient_penalty,
    kl_divergence,
    least_squares,
    maximum_mean_discrepancy,
    one_sided_difference,
    root,
    spread_distance,
)


def tensor(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def test_critic_difference_is_that_of_means():
    real, generated = tensor([1, 2, 3], [0, 0, 3]), tensor([5, 5, 5], [1, -1, 0])
    assert critic_difference(real, generated).tolist() == [3, -1]


def test_a_linear_critic_is_penalised_by_its_slope():
    """|grad w.x| = |w|: slopes 5, 1 and 0 cost 16, 0 and 1, whatever the points."""
    slopes = tensor([3, 4], [0.6, -0.8], [0, 0])
    points = torch.randn(3, 7, 2, dtype=torch.float64)
    penalty = gradient_penalty(lambda x: (x * slopes[:, None]).sum(2), points)
    np.testing.assert_allclose(penalty, [16, 0, 1], atol=1e-10)


def test_the_penalty_of_a_parabola_and_its_gradient():
    """C = a x^2 at x = 1, 2: (2a x - 1)^2 is on average (1 + 9)/2 for a = 1; d/da = 14."""
    a = torch.ones((), dtype=torch.float64, requires_grad=True)
    penalty = gradient_penalty(lambda x: a * x.square().sum(2), tensor([[1], [2]]))
    assert penalty.item() == pytest.approx(5)
    penalty.sum().backward()
    assert a.grad.item() == pytest.approx((2 * 1 * 2 + 2 * 3 * 4) / 2)


def test_a_critic_without_slope_has_a_finite_gradient():
    a = torch.zeros((), dtype=torch.float64, requires_grad=True)
    gradient_penalty(lambda x: a * x.sum(2), torch.ones(1, 2, 3).double()).sum().backward()
    assert a.grad.isfinite()


def test_images_are_penalised_by_all_their_cells():
    """A mean over four cells has a gradient of 1/4 in each: a norm of 1/2."""
    penalty = gradient_penalty(lambda x: x.mean((2, 3)), torch.rand(1, 3, 2, 2).double())
    assert penalty.item() == pytest.approx(0.25)


def test_points_between_pairs():
    real, generated = tensor([[0, 0], [2, 4]]), tensor([[1, 1], [0, 0]])
    middle = between(real, generated, tensor([0.75, 0.5]))
    assert middle.tolist() == [[[0.25, 0.25], [1, 2]]]


def test_kl_divergence_of_known_normals():
    """Of N(0, 1) none; of N(1, 1) in two dimensions 1; of N(0, 4) in one (4 - ln 4 - 1) / 2."""
    mean, log_variance = tensor([[0, 0]], [[1, 1]], [[0, 0]]), torch.zeros(3, 1, 2).double()
    log_variance[2, 0, 0] = math.log(4)
    expected = [0, 1, (3 - math.log(4)) / 2]
    np.testing.assert_allclose(kl_divergence(mean, log_variance), expected)


@pytest.mark.parametrize("alpha", [1.0, 0.01])
def test_discrepancy_of_two_points_each(alpha):
    """x = 0, 1 and y = 0, 2: kernels of distances 0, 1, 2."""
    k = [1, math.exp(-alpha), math.exp(-4 * alpha)]
    xx, yy, xy = (2 + 2 * k[1]) / 4, (2 + 2 * k[2]) / 4, (k[0] + k[2] + k[1] + k[1]) / 4
    x, y = tensor([[0], [1]]), tensor([[0], [2]])
    assert maximum_mean_discrepancy(x, y, alpha).item() == pytest.approx(xx + yy - 2 * xy)


def test_a_sample_does_not_differ_from_itself():
    x = torch.randn(2, 5, 3, dtype=torch.float64, requires_grad=True)
    same = maximum_mean_discrepancy(x, x.flip(1), 1.0)
    np.testing.assert_allclose(same.detach(), 0, atol=1e-15)
    same.sum().backward()
    assert x.grad.isfinite().all()


def test_binary_entropy_of_known_logits():
    """A logit of ln 3 is a probability of 3/4."""
    logit = tensor([math.log(3), -math.log(3)])
    expected = -(math.log(3 / 4) + math.log(1 / 4)) / 2
    assert binary_entropy(logit, True).item() == pytest.approx(expected)
    assert binary_entropy(tensor([math.log(3)]), False).item() == pytest.approx(math.log(4))


def test_distance_of_a_shift_and_of_a_stretch():
    """A shift by one deviation costs 1; doubling the values costs their mean modulus."""
    truth = torch.tensor([[-1.0, 1.0, 7.0], [1.0, -1.0, 7.0]]).double()
    unit = truth[:, :1].std().item()
    made = torch.stack([truth.flip(0) + tensor([unit, 0, 1]), 2 * truth])
    distance = spread_distance(made, truth)
    np.testing.assert_allclose(distance, [[1, 0, 1], [1 / unit, 1 / unit, 7]], atol=1e-12)


def test_what_is_not_a_number_has_no_distance():
    truth = torch.randn(5, 2)
    made = truth.clone()[None]
    made[0, 3, 1] = torch.nan
    distance = spread_distance(made, truth)
    assert distance[0, 0] == 0
    assert distance[0, 1].isnan()


def test_least_squares_of_known_values():
    """Values 1 and 4 that are to be 2: (1 + 4) / 2 / 2."""
    assert least_squares(tensor([1, 4]), 2).item() == 1.25


def test_discrepancy_of_scales_is_the_sum_of_each():
    """alpha = 1 / 2 sigma^2."""
    x, y = torch.randn(2, 5, 3).double(), 2 + torch.randn(2, 5, 3).double()
    each = sum(maximum_mean_discrepancy(x, y, 0.5 / s**2) for s in (1.0, 3.0))
    torch.testing.assert_close(discrepancy_of_scales(x, y, (1.0, 3.0)), each)


def test_discrepancy_of_samples_of_two_sizes():
    """x = 0 and y = 0, 2 with sigma = 1: 1 + (2 + 2k)/4 - (1 + k), k = exp(-2)."""
    k = math.exp(-2)
    found = discrepancy_of_scales(tensor([[0]]), tensor([[0], [2]]), (1.0,))
    assert found.item() == pytest.approx(1 + (2 + 2 * k) / 4 - (1 + k))


def test_codes_that_lie_close_together_are_told_apart_in_single_precision():
    """Of two points 1e-4 apart the discrepancy is d^2 / sigma^2, 1e-8: kernels differ by less than
    float32 resolves."""
    x, y = 1 + torch.zeros(1, 1, 1), 1.0001 + torch.zeros(1, 1, 1)
    expected = (y - x).double().square().item() / 4
    assert discrepancy_of_scales(x, y, (2.0,)).item() == pytest.approx(expected, rel=1e-3)


def test_the_root_has_a_gradient_where_rounding_has_gone_below_zero():
    x = torch.tensor([4.0, 0.0, -1e-30], dtype=torch.float64, requires_grad=True)
    root(x).sum().backward()
    assert x.grad.tolist() == [0.25, 0, 0]


def test_a_one_sided_difference_counts_codes_that_are_too_low():
    """Mean codes 1, 2 against 0, 5: the second is 3 too low, over two codes."""
    real, generated = tensor([[0, 1], [2, 3]]), tensor([[0, 5], [0, 5]])
    assert one_sided_difference(real, generated).item() == -1.5
    assert one_sided_difference(generated, real).item() == -0.5
