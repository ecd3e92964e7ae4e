"""Stacked layers of images against PyTorch's own, one network at a time."""

import numpy as np
import pytest
import torch
from torch import nn

from amplib.models.volumes import (
    BatchNorm,
    JoinedImages,
    SpaceNorm,
    SparseImages,
    StackedConv3d,
    StackedConvTranspose3d,
)

MEMBERS, ROWS, SIDE = 3, 2, 6


def starts(members=MEMBERS):
    return [torch.Generator().manual_seed(k) for k in range(members)]


def images(channels, members=MEMBERS):
    generator = torch.Generator().manual_seed(9)
    shape = members, ROWS, channels, SIDE, SIDE, SIDE
    return torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 1, 1), (4, 2, 2), (3, 2, 0)])
def test_convolutions_are_pytorchs(kernel, stride, padding):
    mine = StackedConv3d(2, 3, kernel, starts(), stride, padding).double()
    x = images(2)
    y = mine(x)
    for k in range(MEMBERS):
        one = nn.Conv3d(2, 3, kernel, stride, padding, bias=False).double()
        one.weight.data = mine.weight[k]
        torch.testing.assert_close(y[k], one(x[k]), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("kernel", "stride", "padding", "side"), [(3, 3, 1, 18), (3, 2, 1, 12)])
def test_transposed_convolutions_are_pytorchs(kernel, stride, padding, side):
    mine = StackedConvTranspose3d(2, 3, kernel, starts(), stride, padding, output=side).double()
    x = images(2)
    y = mine(x)
    for k in range(MEMBERS):
        one = nn.ConvTranspose3d(2, 3, kernel, stride, padding, bias=False).double()
        one.weight.data = mine.weight[k]
        expected = one(x[k], output_size=(side, side, side))
        torch.testing.assert_close(y[k], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("channels", [1, 2, 8])
@pytest.mark.parametrize("members", [1, 2])
@pytest.mark.parametrize("kind", [StackedConv3d, StackedConvTranspose3d])
def test_in_bfloat16_no_cell_is_left_unset(kind, members, channels):
    """Where memory was full of NaN, on whatever processor: to 3%, of numbers of eight bits."""
    options = {"output": 30} if kind is StackedConvTranspose3d else {}
    layer = kind(channels, channels, 3, starts(members), 3, 1, **options)
    x = torch.randn(members, 8, channels, 10, 10, 10, generator=starts(1)[0])
    expected = layer(x)
    for _ in range(5):
        spoilt = [torch.full((1 << 18,), torch.nan) for _ in range(8)]
        del spoilt
        with torch.autocast("cpu", torch.bfloat16):
            y = layer(x).float()
        assert (y - expected).abs().max() < 0.03 * expected.abs().max()


@pytest.mark.parametrize("kind", [StackedConv3d, StackedConvTranspose3d])
def test_weights_start_within_pytorchs_bounds(kind):
    """And fill them: the largest of 10^4 uniform numbers is within 1% of the bound, but for
    a share of e^-100."""
    pytorch = nn.Conv3d if kind is StackedConv3d else nn.ConvTranspose3d
    mine = kind(20, 30, 3, starts(1)).weight.abs().max().item()
    assert mine == pytest.approx(pytorch(20, 30, 3, bias=False).weight.abs().max().item(), rel=0.01)


def test_normal_weights_have_the_deviation():
    """16,200 weights: their deviation is known to 0.6%, so that 3% is five of that."""
    weight = StackedConv3d(20, 30, 3, starts(1), deviation=0.02).weight
    assert weight.std().item() == pytest.approx(0.02, rel=0.03)


@pytest.mark.parametrize("members", [1, 3])
def test_space_norm_is_a_layer_norm_of_each_channel(members):
    mine = SpaceNorm(members, SIDE).double()
    nn.init.normal_(mine.weight)
    nn.init.normal_(mine.bias)
    x = images(2, members)
    for k in range(members):
        one = nn.LayerNorm([SIDE] * 3).double()
        one.weight.data, one.bias.data = mine.weight[k], mine.bias[k]
        torch.testing.assert_close(mine(x)[k], one(x[k]), rtol=1e-9, atol=1e-9)


def test_batch_norm_is_pytorchs_in_training_and_after():
    mine = BatchNorm(2, starts()).double()
    ones = [nn.BatchNorm3d(2).double() for _ in range(MEMBERS)]
    for k, one in enumerate(ones):
        one.weight.data = mine.weight[k].detach().clone()
    x = images(2)
    for training in (True, False):
        mine.train(training)
        y = mine(x)
        for k, one in enumerate(ones):
            torch.testing.assert_close(y[k], one.train(training)(x[k]), rtol=1e-9, atol=1e-9)
            torch.testing.assert_close(mine.mean[k], one.running_mean)
            torch.testing.assert_close(mine.variance[k], one.running_var)


def sparse():
    """An empty image, one of two cells, one of one."""
    cell, value, count = np.array([3, 0, 7]), np.array([1.0, 2.0, 3.0]), np.array([0, 2, 1])
    return SparseImages.of(cell, value, count, (2, 2, 2))


def test_sparse_images_become_dense_in_any_order():
    expected = torch.zeros(3, 8)
    expected[1, 3], expected[1, 0], expected[2, 7] = 1, 2, 3
    rows = torch.tensor([[2, 0], [1, 1]])
    dense = sparse().dense(rows)
    assert torch.equal(dense, expected[rows].view(2, 2, 2, 2, 2))


def test_hits_that_are_not_counted_are_refused():
    with pytest.raises(ValueError, match="2 hits counted, 3 cells"):
        SparseImages(torch.zeros(3), torch.zeros(3), torch.tensor([1, 1]), (2, 2, 2))


def test_images_are_joined_and_averaged():
    dense = torch.rand(5, 3, 3, 3) * (torch.rand(5, 3, 3, 3) > 0.5)

    def sparse(images):
        flat = images.flatten(1)
        image, cell = flat.nonzero(as_tuple=True)
        count = torch.bincount(image, minlength=len(flat))
        return SparseImages(cell.int(), flat[image, cell], count, (3, 3, 3))

    first, second = sparse(dense[:2]), sparse(dense[2:])
    both = first.joined(second)
    assert (len(both), both.shape) == (5, (3, 3, 3))
    assert torch.equal(both.dense(torch.arange(5)), dense)
    rows = torch.tensor([[4, 0, 2], [1, 1, 3]])
    assert torch.equal(both.to("cpu").dense(rows), dense[rows])
    assert torch.equal(both.dense(torch.tensor([1])), dense[[1]])  # none of the second
    torch.testing.assert_close(second.mean(), dense[2:].mean(0))


def test_joined_images_are_no_copies():
    one, other = sparse(), sparse()
    both = one.joined(other)
    thrice = both.joined(JoinedImages([one]))
    for piece, mine in zip(thrice.pieces, (one, other, one), strict=True):
        assert piece is mine
    rows = torch.arange(9)
    assert torch.equal(thrice.dense(rows), one.dense(rows % 3))
    assert torch.equal(SparseImages.in_one(thrice.pieces).dense(rows), one.dense(rows % 3))


def test_cells_may_be_numbers_of_two_bytes():
    images = sparse()
    small = SparseImages(images.cell.short(), images.value, images.count, images.shape)
    rows = torch.tensor([2, 0, 1, 2])
    assert torch.equal(small.dense(rows), images.dense(rows))
    assert torch.equal(small.mean(), images.mean())
