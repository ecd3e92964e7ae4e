"""The BIB-AE and the plain GAN: sizes, latent densities, critics that start anew, what is kept."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from amplib.models import image_gan
from amplib.models.bibae import Critic, Decoder, Encoder, LatentCritic, Mixture, StackedBIBAE
from amplib.models.config import BIBAEConfig, ImageGANConfig
from amplib.models.generators import generate, number_of_weights
from amplib.models.image_gan import StackedImageGAN
from amplib.models.noise import Noise, NoiseBlock
from amplib.models.volumes import SparseImages

SMALL = BIBAEConfig(
    scale=64, detour="none", noise=64, latent=4, batch_size=2, critic_steps=1, pieces=2, judged=3
)
SMALL_GAN = ImageGANConfig(
    channels=1, critic_channels=2, latent=4, batch_size=2, pieces=2, judged=3
)


def showers(side, count=8):
    rng = np.random.default_rng(1)
    cells = np.concatenate([rng.choice(side**3, 20, replace=False) for _ in range(count)])
    return SparseImages.of(cells, rng.exponential(size=len(cells)), np.full(count, 20), (side,) * 3)


def energy(images):
    return images.sum((1, 2, 3))[:, None]


def small(kind=StackedBIBAE, config=SMALL, seed=0, **changes):
    side = min(kind.sides)
    reference = torch.linspace(1, 20, config.judged)[:, None]
    arguments = {
        "images": showers(side), "reference": reference, "threshold": 0.1,
        "seeds": [np.random.SeedSequence(seed)], **changes,
    }  # fmt: skip
    return kind(config, energy=50.0, measure=energy, **arguments)


def start():
    return [torch.Generator().manual_seed(0)]


def linear(inputs, outputs):
    return (inputs + 1) * outputs


PUBLISHED = {
    Encoder: 64 * (8 + 8 * 16 + 16 * 32) + 27 * 32 * 64
    + 2 * (16**3 + 9**3 + 2 * 5**3)
    + linear(8001, 4000) + linear(4000, 768) + 2 * linear(768, 24),
    Decoder: linear(513, 768) + linear(768, 4000) + linear(4000, 8000)
    + 27 * (8 * 8 + 8 * 16) + 8 * 16 * 8 + 27 * (8 * 16 + 16 * 32 + 32 * 16 + 16)
    + 2 * (5 * 30**3 + 60**3),
    Critic: 2 * (27 * (128 + 2 * 128**2) + 2 * (14**3 + 6**3) + linear(128 * 4**3, 64))
    + linear(30**3, 64) + linear(1, 64) + 3 * linear(256, 256) + linear(256, 1),
}  # fmt: skip
"""Layer by layer: kernels, norms, dense layers."""


@pytest.mark.parametrize("kind", PUBLISHED, ids=lambda kind: kind.__name__)
def test_the_full_scale_has_the_published_weights(kind):
    assert number_of_weights(kind(BIBAEConfig(), 50.0, 30, start())) == PUBLISHED[kind]


def test_the_autoencoder_has_71_million_weights():
    both = PUBLISHED[Encoder] + PUBLISHED[Decoder]
    assert both == BIBAEConfig.published_weights
    assert round(both / 1e6) == 71
    assert number_of_weights(LatentCritic(start())) == 2 * 50 + 2 * linear(50, 100) - 50 + 51


def test_the_plain_gan_has_the_published_weights():
    """1.5 and 2.0 million in the paper."""
    config, seeds = ImageGANConfig(), start()
    networks = [
        image_gan.Generator(config, 50.0, seeds),
        image_gan.Discriminator(config, 50.0, seeds),
    ]
    sizes = [number_of_weights(n) for n in networks]
    assert sum(sizes) == ImageGANConfig.published_weights
    np.testing.assert_allclose(sizes, [1.5e6, 2.0e6], rtol=0.03)


@pytest.mark.parametrize("scale", [4, 8, 64])
def test_a_scale_divides_the_dense_weights_by_its_square(scale):
    encoder = Encoder(BIBAEConfig(scale=scale), 50.0, 30, start())
    first, second = encoder.dense
    assert first.outputs == 4000 // scale
    assert second.outputs == 768 // scale
    assert encoder.mean.outputs == 24


@pytest.mark.parametrize("detour", ["60", "none"])
@pytest.mark.parametrize("scale", [8, 64])
def test_images_in_and_out_have_thirty_cells(scale, detour):
    config = BIBAEConfig(scale=scale, detour=detour)
    decoder = Decoder(config, 50.0, 30, start())
    image = decoder(torch.randn(1, 2, 24 + decoder.noise))
    assert image.shape == (1, 2, 30, 30, 30)
    assert (image >= 0).all()
    mean, log_variance = Encoder(config, 50.0, 30, start())(image)
    assert mean.shape == log_variance.shape == (1, 2, 24)


def test_the_critic_sees_each_pair_alone_and_both_of_its_images():
    critic = Critic(BIBAEConfig(scale=64), 50.0, 30, start())
    pair = torch.rand(1, 3, 2, 30, 30, 30)
    value = critic(pair)
    for image in range(2):
        other = pair.clone()
        other[0, 1, image] += 1
        changed = critic(other) != value
        assert changed.tolist() == [[False, True, False]]


def test_every_parameter_of_the_networks_is_trained():
    """None is left without a gradient: each moves in a few steps."""
    stack = small(config=replace(SMALL, scale=16))
    before = {k: v.clone() for k, v in stack.state().items()}
    list(stack.train(1))
    names = [
        f"{name}.{key}"
        for name, (module, _) in stack.trained.items()
        for key, _ in module.named_parameters()
    ]
    still = [n for n in names if torch.equal(before[n], stack.state()[n])]
    # The constants of Wasserstein critics have no gradient.
    assert all(name.endswith(("head.3.bias", "layers.3.bias")) for name in still)


def reset_weights(stack):
    return torch.cat([w.detach().flatten().clone() for w in stack.critics[1].parameters()])


def test_one_critic_starts_anew_at_every_epoch_and_the_other_goes_on():
    stack = small()
    assert stack.config.pieces == 2
    anew = []
    begin = stack.begin_pass

    def noted(number):
        kept = [w.clone() for w in stack.critics[0].parameters()]
        begin(number)
        assert all(map(torch.equal, kept, stack.critics[0].parameters()))
        anew.append(reset_weights(stack))
        for optimiser in (stack.critic_adams[1], stack.latent_adams[1]):
            moments = [m for memory in optimiser.state.values() for m in memory.values()]
            assert not any(m.any() for m in moments)

    stack.begin_pass = noted
    list(stack.train(4))
    assert len(anew) == 2
    assert not torch.equal(*anew)
    assert not torch.equal(anew[1], reset_weights(stack))
    again = small()
    again.begin_pass(1)
    assert torch.equal(reset_weights(again), anew[1])  # whatever came before


@pytest.mark.parametrize(("kind", "config"), [(StackedBIBAE, SMALL), (StackedImageGAN, SMALL_GAN)])
def test_the_weights_of_the_smallest_distance_are_kept(kind, config):
    stack = small(kind, config)
    distances, weights = [], []
    for _, losses in stack.train(4, every=1):
        distances.append(losses[len(stack.terms), 0])
        weights.append([v.clone() for _, v in stack._weights()])
    best = int(np.argmin(distances))
    assert stack.smallest.item() == distances[best]
    assert stack.kept_at.item() == best + 1
    stack.recall()
    assert all(map(torch.equal, weights[best], (v for _, v in stack._weights())))


def test_the_judged_distance_is_that_of_generated_showers():
    """Recomputed from the generator and the stream, for the first piece."""
    stack = small()
    *_, (_, losses) = stack.train(1)
    (made,) = generate(stack.generator, stack.judging, 3, 0.1, rows=3)
    mine = energy(made[0])[:, 0].sort().values - stack.reference[:, 0]
    expected = mine.abs().mean() / stack.reference.std()
    assert losses[len(stack.terms), 0] == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize(("kind", "config"), [(StackedBIBAE, SMALL), (StackedImageGAN, SMALL_GAN)])
def test_showers_do_not_depend_on_how_many_are_asked_for(kind, config):
    stack = small(kind, config)
    few = torch.cat(list(generate(stack.generator, stack.judging, 3, rows=2)), 1)
    many = torch.cat(list(generate(stack.generator, stack.judging, 5, rows=2)), 1)
    assert torch.equal(few, many[:, :3])
    assert not torch.equal(many[:, 3], many[:, 2])
    assert stack.generator.training  # as it was


@pytest.mark.parametrize(
    ("kind", "config", "density"),
    [
        (StackedBIBAE, SMALL, "normal"),
        (StackedBIBAE, SMALL, "fitted"),
        (StackedImageGAN, SMALL_GAN, "normal"),
    ],
)
def test_showers_do_not_depend_on_how_many_are_made_at_once(kind, config, density):
    """As a GPU makes them, of two members; to rounding, far less than two showers differ by."""
    stack = small(kind, config, seeds=[np.random.SeedSequence(k) for k in range(2)])
    if density == "fitted":
        stack.generator.density = Mixture.fit(stack.encode(3), seed=1, components=1)
    alone = list(generate(stack.generator, stack.judging, 7, rows=2, together=1))
    joined = list(generate(stack.generator, stack.judging, 7, rows=2, together=3))
    assert [len(batch[0]) for batch in alone] == [2, 2, 2, 1]
    assert [len(batch[0]) for batch in joined] == [6, 1]
    one, other = torch.cat(alone, 1), torch.cat(joined, 1)
    apart = (one[:, :-1] - one[:, 1:]).abs().amax((2, 3, 4)).min()
    assert (one - other).abs().max() < 0.1 * apart


def test_nothing_below_the_threshold_is_generated():
    stack = small()
    whole = torch.cat(list(generate(stack.generator, stack.judging, 4, rows=2)), 1)
    cut = torch.cat(list(generate(stack.generator, stack.judging, 4, 0.01, rows=2)), 1)
    assert ((whole > 0) & (whole < 0.01)).any()
    assert torch.equal(cut, torch.where(whole >= 0.01, whole, 0))


def test_a_mixture_draws_what_it_was_fitted_to():
    """Two correlated humps, 20,000 points: means to 0.03 (5 deviations) and covariances to 0.1."""
    rng = np.random.default_rng(3)
    root = np.array([[1.0, 0.0], [0.8, 0.6]])
    shift = np.where(rng.random(20_000) < 0.3, 4.0, -1.0)[:, None]
    points = torch.as_tensor(rng.normal(size=(20_000, 2)) @ root.T + shift)
    fitted = Mixture.fit(points[None], seed=1, components=2)
    stream = Noise([np.random.SeedSequence(5)], torch.device("cpu"))
    noise = NoiseBlock(stream.words(0, 40_000), torch.float64)
    drawn = fitted.shaped(noise.normal(20_000, 2), noise.uniform(20_000))[0]
    np.testing.assert_allclose(drawn.mean(0), points.mean(0), atol=5 * 2.5 * (2 / 20_000) ** 0.5)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(points.T), atol=0.35)
    left = (drawn[:, 0] < 1.5).double().mean()
    assert left == pytest.approx((points[:, 0] < 1.5).double().mean().item(), abs=0.025)


def test_encoded_showers_are_those_of_the_encoder():
    """As many as asked for; their spread about the mean is the encoder's."""
    stack = small()
    latents = stack.encode(5)
    assert latents.shape == (1, 5, 4)
    mean, log_variance = stack.encoder(stack.images.dense(torch.arange(5)[None]))
    pull = (latents - mean) / (log_variance / 2).exp()
    assert pull.abs().max() < 5
    assert pull.std() > 0.3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": showers(12)}, r"images of shape \(12, 12, 12\): expected \(30, 30, 30\) or"),
        ({"images": showers(15, 3)}, "3 training images do not fill 2 pieces with a batch of 2"),
        ({"reference": torch.ones(4, 1)}, r"reference of shape \(4, 1\): expected \(3, F\)"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        small(**changes)


@pytest.mark.parametrize(("kind", "config"), [(StackedBIBAE, SMALL), (StackedImageGAN, SMALL_GAN)])
def test_bfloat16_trains_to_nearly_the_same(kind, config):
    """One step: losses agree to 5%, what 8 bits of a mantissa make of them; weights are float32."""
    half = replace(config, precision="bfloat16", pieces=4)
    full = replace(config, pieces=4)
    losses = []
    for c in (full, half):
        stack = small(kind, c)
        *_, (_, loss) = stack.train(1)
        losses.append(loss[: len(stack.terms), 0])
        assert all(w.dtype == torch.float32 for w in stack.generator.parameters())
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.05, atol=0.01)
    assert not np.array_equal(*losses)


@pytest.mark.parametrize(("kind", "config"), [(StackedBIBAE, SMALL), (StackedImageGAN, SMALL_GAN)])
def test_images_may_start_from_the_mean_of_the_training_images(kind, config):
    """Before anything is trained: the mean image, but for weights near zero; and it is trained."""
    stack = small(kind, replace(config, start="mean", learning_rate=0.01))
    mean = stack.images.mean()
    pedestal = (stack.decoder if kind is StackedBIBAE else stack.generator).pedestal
    assert torch.equal(pedestal.weight[0], mean)
    (made,) = generate(stack.generator, stack.judging, 4, rows=4)
    bare = small(kind, config)
    (empty,) = generate(bare.generator, bare.judging, 4, rows=4)
    assert (made - mean).abs().mean() <= (empty - mean).abs().mean()
    assert any("pedestal" in name for name, _ in stack._weights())
    assert not any("pedestal" in name for name, _ in bare._weights())
    for _ in stack.train(1):
        pass
    assert not torch.equal(pedestal.weight[0], mean)
