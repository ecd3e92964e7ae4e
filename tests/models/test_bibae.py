"""The stacked BIB-AE against one that is written plainly in PyTorch."""

import numpy as np
import pytest
import torch
from plain_bibae import PlainBIBAE

from amplib.models.bibae import StackedBIBAE
from amplib.models.config import BIBAEConfig
from amplib.models.noise import NoiseBlock
from amplib.models.volumes import SparseImages


def copy_weights(stack, plain, member):
    """Of every network, in the order in which both make their layers."""
    mine = [stack.encoder, stack.decoder, *stack.critics, *stack.latent_critics]
    for module, other in zip(mine, plain.modules(), strict=True):
        theirs = dict(_by_kind(other))
        for kind, weights in _by_kind(module):
            assert len(weights) == len(theirs[kind])
            for w, o in zip(weights, theirs[kind], strict=True):
                value = w[member].T if kind == "dense" else w[member]
                o.data.copy_(value.reshape(o.shape))


def _by_kind(module):
    """Kernels, norms, dense weights, dense biases: each in the order of the module."""
    kinds = {"kernel": [], "norm": [], "dense": [], "bias": []}
    for part in module.modules():
        name = type(part).__name__
        if "Conv" in name and hasattr(part, "weight"):
            kinds["kernel"].append(part.weight)
        elif name in ("SpaceNorm", "LayerNorm"):
            kinds["norm"] += [part.weight, part.bias]
        elif name in ("StackedLinear", "Linear"):
            kinds["dense"].append(part.weight)
            kinds["bias"].append(part.bias)
    return kinds.items()


@pytest.mark.parametrize("detour", ["60", "none"])
def test_the_stack_trains_as_a_plain_loop(detour):
    """Two members, two steps of two critic steps each, in float64: losses and weights agree."""
    config = BIBAEConfig(
        scale=32, detour=detour, noise=64, latent=3, batch_size=2, critic_steps=2, pieces=1,
        judged=2, learning_rate=1e-3,
    )  # fmt: skip
    rng = np.random.default_rng(2)
    cells = np.concatenate([rng.choice(15**3, 30, replace=False) for _ in range(4)])
    images = SparseImages.of(
        cells, rng.exponential(size=120), np.full(4, 30), (15, 15, 15), dtype=torch.float64
    )
    seeds = [np.random.SeedSequence(k) for k in (1, 2)]
    measure, reference = lambda x: x.sum((1, 2, 3))[:, None], torch.zeros(2, 1)
    stack = StackedBIBAE(config, images, 50.0, measure, reference, 0.1, seeds, dtype=torch.float64)
    plains = []
    for member in range(2):
        plain = PlainBIBAE(config, 50.0, 15)
        for module in plain.modules():
            module.double()
        copy_weights(stack, plain, member)
        plains.append(plain)
    for rate, times in stack.rates:
        rate.fill_(times * config.learning_rate)
    batch = images.dense(torch.tensor([[0, 1], [2, 3]]))
    words = stack.step_words()
    for step in range(2):
        drawn = stack.noise.words(step * words, words)
        losses = stack.train_step(batch, NoiseBlock(drawn, torch.float64))
        for member, plain in enumerate(plains):
            noise = NoiseBlock(drawn[member : member + 1], torch.float64)
            expected = plain.step(batch[member], noise)
            np.testing.assert_allclose(losses[:, member], torch.stack(expected), rtol=1e-9)
    for member, plain in enumerate(plains):
        image = stack.decoder(torch.ones(2, 1, 3 + 2, dtype=torch.float64))[member]
        energy = torch.full((1, 1), 0.5, dtype=torch.float64)
        theirs = plain.decoder(torch.ones(1, 5, dtype=torch.float64), energy)
        torch.testing.assert_close(image, theirs, rtol=1e-7, atol=1e-9)
