"""What every model that trains in a stack must keep, whichever it is."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.optim import SGD, Adam, RMSprop

from amplib.models.bibae import StackedBIBAE
from amplib.models.bvae import StackedVAE
from amplib.models.config import (
    EVENT_GANS,
    BIBAEConfig,
    FlowMatchingConfig,
    GANConfig,
    ImageGANConfig,
    RegularGANConfig,
    SplineFlowConfig,
    StagedVAEConfig,
    VAEConfig,
)
from amplib.models.event_gans import KINDS
from amplib.models.flow_matching import StackedFlowMatching
from amplib.models.gan import StackedGAN
from amplib.models.image_gan import StackedImageGAN
from amplib.models.layers import StackedLinear
from amplib.models.noise import NoiseBlock, normal_words
from amplib.models.regular_gan import RegularGAN
from amplib.models.small_gan import SmallGAN
from amplib.models.spline_flow import StackedSplineFlow
from amplib.models.stack import Stack, shuffled
from amplib.models.staged import StackedStagedVAE
from amplib.models.volumes import SparseImages

DOUBLE = 1e-9
"""Relative agreement in float64 of what is the same but for the order of sums."""
ROUNDING = 1e-11
"""What Adam makes of a gradient that is nothing but rounding, in a few steps."""
EPOCHS = 4
GAN = GANConfig(width=8, latent=6, embedding=4, depth=2, batch_size=5, learning_rate=2e-4)


VAE = VAEConfig(
    latent=3, width=8, depth=4, batch_size=5, learning_rate=2e-3, kl_weight=0.01,
    adam_phases=1, adam_epochs=2, sgd_phases=2, sgd_epochs=1,
)  # fmt: skip
"""Three phases in ``EPOCHS``: each is gone on with, and begun, by a resumed training."""


class Line(Stack):
    """The smallest stack: y = 2x + noise by least squares, with any optimiser."""

    def __init__(self, kind, members, device="cpu", dtype=torch.float64, width=1):
        super().__init__([np.random.SeedSequence(m) for m in members], 1, device, dtype)
        self.layer = StackedLinear(width, 1, self.starts).to(self.device, dtype)
        self.noise = self.stream(1)
        options = {"momentum": 0.9} if kind is SGD else {}
        self.optimiser = self.optimise("line", self.layer, kind, **options)

    def rate_at(self, epoch):
        return 0.1 / epoch

    def run_epoch(self):
        block = NoiseBlock(self.noise.words(self.epoch * 20, 20), self.dtype)
        x = block.uniform(10, self.layer.inputs)
        y = 2 * x[..., :1] + 0.1 * block.uniform(10, 1)
        loss = (self.layer(x) - y).square().mean((1, 2))
        self.optimiser.zero_grad(set_to_none=True)
        loss.sum().backward()
        self.optimiser.step()
        self.losses[0].copy_(loss.detach())
        self.epoch += 1


def gan(members, device="cpu", dtype=torch.float64, width=8):
    samples = [np.random.default_rng(100 + m).normal(size=(13, 1)) for m in members]
    seeds = [np.random.SeedSequence(m) for m in members]
    return StackedGAN(replace(GAN, width=width), np.stack(samples), seeds, device, dtype)


def vae(members, device="cpu", dtype=torch.float64, width=8):
    """On the same events; each with a B of its own."""
    events = np.random.default_rng(100).normal(size=(29, 4))
    seeds = [np.random.SeedSequence(m) for m in members]
    configs = [replace(VAE, width=width, kl_weight=10.0 ** -(2 + m)) for m in members]
    return StackedVAE(configs, events[:18], events[18:], seeds, device, dtype)


def staged_vae(members, device="cpu", dtype=torch.float64, width=8):
    """Of codes; each with a B of its own, up to one."""
    codes = np.random.default_rng(100).normal(size=(29, 3))
    seeds = [np.random.SeedSequence(m) for m in members]
    own = [{"width": width, "kl_weight": 10.0**-m} for m in members]
    configs = [StagedVAEConfig(**{**VAE.asdict(), **changes}) for changes in own]
    return StackedStagedVAE(configs, codes[:18], codes[18:], seeds, device, dtype)


def regular_gan(members, device="cpu", dtype=torch.float64, width=8):
    events = np.random.default_rng(100).normal(size=(18, 4))
    config = RegularGANConfig(noise=3, width=width, depth=2, batch_size=5, learning_rate=2e-3)
    seeds = [np.random.SeedSequence(m) for m in members]
    return RegularGAN(config, events, seeds, device, dtype)


class Blob:
    """Real events for the small GAN: N(1, 1) in two dimensions."""

    dimension = 2

    def words(self, rows):
        return normal_words(2 * rows)

    def __call__(self, noise, rows):
        return 1 + noise.normal(rows, 2)


def small_gan(members, device="cpu", dtype=torch.float64, width=8):
    seeds = [np.random.SeedSequence(m) for m in members]
    return SmallGAN(Blob(), width, seeds, 8, device=device, dtype=dtype)


def _images(side, count=8):
    """A few cells in a few showers, their energies and numbers."""
    rng = np.random.default_rng(100)
    cells = np.concatenate([rng.choice(side**3, 20, replace=False) for _ in range(count)])
    energies = rng.exponential(size=len(cells))
    counts = np.full(count, 20)
    return cells, energies, counts


def _measure(images):
    return torch.stack([images.sum((1, 2, 3)), images.amax((1, 2, 3))], 1)


def _trained_on_images(kind, config, members, device, dtype):
    side = min(kind.sides)
    images = SparseImages.of(*_images(side), (side, side, side), device, dtype)
    reference = torch.linspace(1, 20, 2 * config.judged).view(config.judged, 2)
    seeds = [np.random.SeedSequence(m) for m in members]
    return kind(config, images, 50.0, _measure, reference, 0.1, seeds, device, dtype)


def bibae(members, device="cpu", dtype=torch.float64, width=8):
    """Two pieces a pass: within ``EPOCHS`` a critic starts anew and goes on."""
    config = BIBAEConfig(
        scale=64, detour="none", latent=width, noise=64, batch_size=2, critic_steps=2,
        pieces=2, judged=3, learning_rate=1e-4,
    )  # fmt: skip
    return _trained_on_images(StackedBIBAE, config, members, device, dtype)


def image_gan(members, device="cpu", dtype=torch.float64, width=8):
    config = ImageGANConfig(
        channels=1, critic_channels=2, latent=width, batch_size=2, pieces=2, judged=3,
        learning_rate=1e-4,
    )  # fmt: skip
    return _trained_on_images(StackedImageGAN, config, members, device, dtype)


def event_gan(method, members, device="cpu", dtype=torch.float64, width=8):
    """Two turns an epoch, of two steps of the critic and one of the generator."""
    events = np.random.default_rng(100).normal(size=(18, 4))
    config = replace(
        EVENT_GANS[method], noise=3, width=8 * width if method == "DijetGAN" else width,
        batch_size=16, learning_rate=1e-4, steps=400, critic_steps=2, warm_up=0,
    )  # fmt: skip
    seeds = [np.random.SeedSequence(m) for m in members]
    return KINDS[method](config, events, seeds, device, dtype)


def flow_matching(members, device="cpu", dtype=torch.float64, width=8):
    events = np.random.default_rng(100).normal(size=(18, 4))
    config = FlowMatchingConfig(width=width, depth=2, batch_size=5, epochs=EPOCHS)
    seeds = [np.random.SeedSequence(m) for m in members]
    return StackedFlowMatching(config, events, seeds, device, dtype)


def spline_flow(members, device="cpu", dtype=torch.float64, width=8):
    pytest.importorskip("zuko", reason="a GPU machine may lack it")
    events = np.random.default_rng(100).normal(size=(18, 4))
    config = SplineFlowConfig(
        transforms=2, bins=3, width=width, depth=1, batch_size=5, epochs=EPOCHS
    )
    seeds = [np.random.SeedSequence(m) for m in members]
    return StackedSplineFlow(config, events, seeds, device, dtype)


STACKS = {
    "flow_matching": flow_matching,
    "spline_flow": spline_flow,
    "gan": gan,
    **{method: partial(event_gan, method) for method in KINDS},
    "regular_gan": regular_gan,
    "vae": vae,
    "staged_vae": staged_vae,
    "small_gan": small_gan,
    "bibae": bibae,
    "image_gan": image_gan,
    **{
        kind.__name__: lambda members, *rest, kind=kind, **more: Line(kind, members, *rest, **more)
        for kind in (Adam, SGD, RMSprop)
    },
}
"""Makes a stack of these members, each with the data and the seed of its number."""


@pytest.fixture(params=STACKS)
def make(request):
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # small matrices: threads would only wait for each other
    yield STACKS[request.param]
    torch.set_num_threads(before)


def copied(stack):
    return {name: value.clone() for name, value in stack.state().items()}


def same(a, b):
    return all(torch.equal(value, b[name]) for name, value in a.items())


def disagreement(a, b):
    """Largest difference of two tensors in units of the largest entry."""
    scale = max(a.abs().max().item(), b.abs().max().item())
    return (a - b).abs().max().item() / scale if scale else 0.0


def test_a_member_alone_equals_the_member_in_a_stack(make):
    together, alone = make([0, 1, 2]), make([1])
    *_, (_, losses) = together.train(EPOCHS)
    *_, (_, own) = alone.train(EPOCHS)
    # A critic's loss may be the difference of two means of order one.
    np.testing.assert_allclose(losses[:, 1], own[:, 0], rtol=DOUBLE, atol=1e-14)
    for name, value in alone.state().items():
        if value.ndim:
            in_stack = together.state()[name][1]
            # A bias before batch norm may have no gradient: Adam makes steps of its rounding.
            lost = name.endswith(".bias") and (value[0] - in_stack).abs().max() < ROUNDING
            assert lost or disagreement(value[0], in_stack) < DOUBLE, name


def test_members_differ(make):
    """Else the test above holds of nothing."""
    stack = make([0, 1, 2])
    *_, (_, losses) = stack.train(EPOCHS)
    assert len(set(losses[0])) == 3
    assert all(v.isfinite().all() for v in stack.state().values())


def test_a_resumed_training_equals_an_uninterrupted_one(make, tmp_path):
    """Bit by bit, through a file, with the state of another training in between."""
    through, first = make([0, 1]), make([0, 1])
    *_, (_, expected) = through.train(EPOCHS)
    list(first.train(2))
    save_file({name: v.contiguous() for name, v in copied(first).items()}, tmp_path / "state")
    list(first.train(3))  # moves on: what is saved must not
    second = make([0, 1])
    list(second.train(1))
    second.restore(load_file(tmp_path / "state"))
    *_, (epoch, losses) = second.train(EPOCHS)
    assert epoch == EPOCHS
    assert np.array_equal(losses, expected)
    assert same(through.state(), second.state())


def test_a_fresh_state_holds_what_a_trained_one_does(make):
    """So that a state may be restored before the first step has made the optimisers' own."""
    stack = make([0, 1])
    fresh = {name: value.shape for name, value in copied(stack).items()}
    list(stack.train(1))
    assert {name: value.shape for name, value in stack.state().items()} == fresh
    never_asked = make([0, 1])
    list(never_asked.train(1))
    assert same(never_asked.state(), stack.state())


def test_a_foreign_state_is_refused(make):
    """Another width, number of members or set of names; nothing is changed by the attempt."""
    stack = make([0, 1])
    before = copied(stack)
    others = [make([0, 1], width=9), make([0]), make([0, 1, 2])]
    states = [other.state() for other in others]
    states.append({name: value for name, value in before.items() if "bias" not in name})
    for state in states:
        with pytest.raises(ValueError, match="another configuration"):
            stack.restore(state)
    assert same(before, stack.state())


def test_a_diverged_member_leaves_the_others_alone(make):
    """NaN in the weights of member 1: it says so, and the others stay the same bit by bit."""
    healthy, ill = make([0, 1, 2]), make([0, 1, 2])
    for module, _ in ill.trained.values():
        next(module.parameters()).data[1] = torch.nan
    (*_, (_, expected)), (*_, (_, losses)) = healthy.train(EPOCHS), ill.train(EPOCHS)
    assert np.isnan(losses[:, 1]).all()
    assert np.array_equal(losses[:, [0, 2]], expected[:, [0, 2]])
    for name, value in healthy.state().items():
        if value.ndim:
            assert torch.equal(ill.state()[name][[0, 2]], value[[0, 2]]), name


def test_the_rate_is_that_of_the_epoch(make):
    stack = make([0])
    for epoch, _ in stack.train(3, every=1):
        assert stack.rate.item() == stack.rate_at(epoch)
        assert all(rate.item() == times * stack.rate_at(epoch) for rate, times in stack.rates)
        rates = [rate for rate, _ in stack.rates]
        for _, optimiser in stack.trained.values():
            assert any(optimiser.param_groups[0]["lr"] is rate for rate in rates)


@pytest.mark.parametrize("kind", [Adam, SGD, RMSprop])
def test_a_member_is_what_the_optimiser_makes_of_one(kind):
    """Against PyTorch's optimiser with its own memory, made at its first step."""
    stack, plain = Line(kind, [0]), Line(kind, [0])
    stack.state()
    options = {"momentum": 0.9} if kind is SGD else {}
    plain.optimiser = kind(plain.layer.parameters(), lr=0.1, **options)
    for epoch, _ in stack.train(3, every=1):
        plain.optimiser.param_groups[0]["lr"] = plain.rate_at(epoch)
        plain.run_epoch()
    for mine, theirs in zip(stack.layer.parameters(), plain.layer.parameters(), strict=True):
        assert disagreement(mine, theirs) < DOUBLE


def test_least_squares_finds_the_line():
    """The slope of 2, to 0.1: noise of 0.06 (rms) on ten points a step."""
    stack = Line(Adam, range(8))
    stack.rate_at = lambda epoch: 0.05
    list(stack.train(200))
    assert (stack.layer.weight - 2).abs().max() < 0.1
    assert stack.losses.max() < 0.02


def test_shuffled_keeps_every_point_once():
    """In another order for each member; what is beyond ``rows`` is left out."""
    data = torch.arange(10.0).view(1, 10, 1).expand(3, -1, 2)
    words = torch.randint(-(2**62), 2**62, (3, 10), generator=torch.Generator().manual_seed(1))
    all_of_them = shuffled(data, words, 10)
    assert torch.equal(all_of_them.sort(1).values, data)
    assert torch.equal(shuffled(data, words, 4), all_of_them[:, :4])
    assert len({tuple(order[:, 0].tolist()) for order in all_of_them}) == 3


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_captured_training_equals_one_that_is_not(make, monkeypatch):
    """Two epochs as a CUDA graph and twice eagerly: as far apart as these two are, or by 1% of what
    the weights moved.

    Adam makes a whole step of the rounding of a small gradient, so that sums in an order of their
    own move weights of DijetGAN by 11% and of the BIB-AE by 4%: kernels that add up in a fixed
    order are asked for, where there are any.
    """
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    graph, eager, again = (make([0, 1], "cuda", torch.float32) for _ in range(3))
    start = copied(eager)
    list(graph.train(2))
    for stack in (eager, again):
        for epoch in (1, 2):
            stack.rate.fill_(stack.rate_at(epoch))
            stack.run_epoch()
    for name, value in eager.state().items():
        apart, usual, moved = (
            (value - other).double().norm()
            for other in (graph.state()[name], again.state()[name], start[name])
        )
        assert apart <= 0.01 * moved + 3 * usual, name


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_a_bibae_in_half_precision_stays_finite(device):
    """As the presets set it, on showers with as many hits; on a GPU its steps are captured."""
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    config = BIBAEConfig(
        scale=32, detour="none", batch_size=8, pieces=2, judged=10, precision="bfloat16",
        critic_steps=2, start="mean",
    )  # fmt: skip
    rng, n, hits = np.random.default_rng(4), 48, 800
    cells, energies = rng.integers(0, 30**3, n * hits), rng.exponential(2, n * hits)
    images = SparseImages.of(cells, energies, np.full(n, hits), (30, 30, 30), device)
    of_energy = 50.0, lambda x: x.sum((1, 2, 3))[:, None], torch.ones(10, 1), 0.1
    stack = StackedBIBAE(config, images, *of_energy, [np.random.SeedSequence(1)], device)
    assert all(np.isfinite(losses).all() for _, losses in stack.train(3))
    assert stack.all_finite().all()
