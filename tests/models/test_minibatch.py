"""Minibatch discrimination: by hand, and against what autograd makes of its definition."""

import math

import pytest
import torch

from amplib.models import minibatch
from amplib.models.minibatch import MinibatchDiscrimination, closeness


def plainly(m):
    """The definition, with every pair in memory."""
    distance = (m[:, :, None] - m[:, None]).abs().sum(3)
    return torch.exp(-distance).sum(2) - 1


def test_three_events_of_one_kernel():
    """Rows (0, 0), (0, 1), (2, 1): L1 distances 1, 3 and 2."""
    m = torch.tensor([[0.0, 0], [0, 1], [2, 1]], dtype=torch.float64)[None, :, :, None]
    e = [math.exp(-k) for k in range(4)]
    torch.testing.assert_close(
        closeness(m)[0, :, 0], torch.tensor([e[1] + e[3], e[1] + e[2], e[3] + e[2]]).double()
    )


@pytest.mark.parametrize("kept", [0, 10**7])
@pytest.mark.parametrize("block", [1, 200, 10**6])
def test_in_blocks_it_is_its_definition_and_so_is_its_gradient(block, kept, monkeypatch):
    """To 1e-12; a row at a time, a few, all at once; with the kernel kept, and made anew."""
    monkeypatch.setattr(minibatch, "BLOCK", block)
    monkeypatch.setattr(minibatch, "KEPT", kept)
    m = torch.randn(2, 7, 3, 4, generator=torch.Generator().manual_seed(1)).double()
    m.requires_grad_()
    weight = torch.randn(2, 7, 4, generator=torch.Generator().manual_seed(2)).double()
    gradients = []
    for function in (closeness, plainly):
        value = function(m)
        gradients.append(torch.autograd.grad((value * weight).sum(), m)[0])
        torch.testing.assert_close(value, plainly(m), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-12)


def test_in_compiled_loops_it_is_the_same():
    """To float32's rounding: sums of 63 numbers below one, and five pulls of them."""
    if not minibatch.can_compile():
        pytest.skip("no compiler for C++ here")
    m = torch.randn(1, 64, 5, 100, generator=torch.Generator().manual_seed(1)).requires_grad_()
    weight = torch.randn(1, 64, 100, generator=torch.Generator().manual_seed(2))
    values, gradients = [], []
    for compiled in (False, True):
        values.append(closeness(m, compiled))
        gradients.append(torch.autograd.grad((values[-1] * weight).sum(), m)[0])
    torch.testing.assert_close(*values, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(*gradients, rtol=1e-5, atol=3e-5)


def test_without_a_compiler_long_trainings_go_on_and_say_so(monkeypatch, capsys):
    def none(*args, **kwargs):
        raise RuntimeError("no g++")

    monkeypatch.setattr(torch, "compile", none)
    assert not minibatch.can_compile.__wrapped__()
    assert "not compiled, and slow: RuntimeError('no g++')" in capsys.readouterr().err


def test_a_collapsed_batch_is_seen():
    """Of n equal events every one has n - 1 at no distance; of far ones nearly none."""
    layer = MinibatchDiscrimination(5, [torch.Generator().manual_seed(1)], 6, 3)
    same = torch.ones(1, 8, 5)
    far = 100 * torch.randn(1, 8, 5, generator=torch.Generator().manual_seed(2))
    for events, expected in ((same, 7.0), (far, 0.0)):
        out = layer(events)
        assert out.shape == (1, 8, 11)
        assert torch.equal(out[..., :5], events)
        torch.testing.assert_close(out[..., 5:], torch.full((1, 8, 6), expected), atol=0.1, rtol=0)
