"""The density information buffer as a prior, and the file that a trained model is kept in."""

import json
import struct
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from scipy import stats

from amplib.models.buffer import Buffer, TrainedVAE, deviation
from amplib.models.bvae import StackedVAE
from amplib.models.config import BufferConfig, VAEConfig
from amplib.parameters import ParameterError

COLUMNS = ("a", "b", "c", "d")
EVENTS = np.random.default_rng(1).normal(size=(60, 4)) * [1, 10, 0.1, 5]
CONFIG = VAEConfig(
    latent=3, width=8, depth=3, batch_size=10, adam_phases=1, adam_epochs=3, sgd_phases=0
)
SEED = np.random.SeedSequence(7)
N = 200_000


@pytest.fixture(scope="module")
def stack():
    seeds = [np.random.SeedSequence(m) for m in (0, 1)]
    configs = [CONFIG, replace(CONFIG, latent=2)]
    vae = StackedVAE(configs, EVENTS[:40], EVENTS[40:], seeds)
    list(vae.train(3))
    return vae


@pytest.fixture(scope="module")
def model(stack):
    return TrainedVAE.of(stack, 0, COLUMNS)


class Identity(torch.nn.Module):
    """Decodes a code to itself, so that what is generated is what was drawn."""

    def decode(self, z):
        return z


def drawing(buffer):
    """A model whose events are its codes."""
    latent = buffer.mean.shape[1]
    config = replace(CONFIG, latent=latent)
    names = [f"z{j}" for j in range(latent)]
    return TrainedVAE(config, Identity(), torch.ones(latent), names, buffer)


def codes(buffer, prior, n=N, **options):
    return np.concatenate(list(drawing(buffer).generate(n, SEED, prior, **options)))


# ---- what the buffer holds ----


def test_the_buffer_is_what_the_encoder_makes_of_the_training_events(stack, model):
    mean, log_variance = stack.network.encode(stack.data.expand(2, -1, -1))
    torch.testing.assert_close(model.buffer.mean, mean[0])
    torch.testing.assert_close(model.buffer.variance, log_variance[0].exp())
    again = model.encode(EVENTS[:40])
    torch.testing.assert_close(again.mean, model.buffer.mean, rtol=1e-5, atol=1e-6)


def test_a_masked_member_has_a_buffer_of_its_own_dimensions(stack):
    model = TrainedVAE.of(stack, 1, COLUMNS)
    assert model.latent == 2
    assert model.buffer.mean.shape == model.buffer.variance.shape == (40, 2)
    mean, _ = stack.network.encode(stack.data.expand(2, -1, -1))
    torch.testing.assert_close(model.buffer.mean, mean[1, :, :2])
    with torch.no_grad():
        wanted = stack.network.decode(torch.nn.functional.pad(mean, (0, 0)) * stack.network.mask)[1]
    np.testing.assert_allclose(
        model.decode(mean[1, :, :2].detach()), wanted * stack.scaling.scale, rtol=1e-4, atol=1e-4
    )


# ---- how codes are drawn ----


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, [0.01, 0.1]),
        ({"alpha": 4.0}, [0.02, 0.1]),
        ({"alpha": 4.0, "threshold": 0.2}, [0.02, 0.2]),
        ({"alpha": 0.0}, [0.0, 0.1]),
        ({"gamma": 0.03}, [np.sqrt(0.0301), 0.2]),
        ({"gamma": 0.03, "offset": "deviation"}, [0.04, 0.13]),
        ({"alpha": 4.0, "gamma": 0.03, "offset": "deviation"}, [0.05, 0.13]),
        ({"alpha": 4.0, "smudge": "deviation"}, [0.04, 0.1]),
        ({"alpha": 4.0, "gamma": 0.03, "offset": "deviation", "smudge": "deviation"}, [0.07, 0.13]),
    ],
)
def test_deviation_by_hand(change, expected):
    """Eqs. 17 and 19 on deviations of 0.01 and 0.1, the threshold being 0.05."""
    variance = torch.tensor([1e-4, 1e-2], dtype=torch.float64)
    found = deviation(variance, BufferConfig(**change))
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_codes_have_the_moments_of_eq_19():
    """One encoding: N(mu, sigma^2 + gamma) in each dimension, without correlation.

    False alarm: 3 x (KS at 1e-6, mean and variance at 5 sigma), 5e-6.  Power: gamma off by 4%
    changes the least variance by 3% (9 sigma) and is always found.
    """
    mean, variance = torch.tensor([[1.0, -2.0, 0.5]]), torch.tensor([[0.01, 0.25, 1e-6]])
    found = codes(Buffer(mean, variance), BufferConfig(gamma=0.05))
    for j in range(3):
        sigma = np.sqrt(variance[0, j].item() + 0.05)
        z = (found[:, j].astype(float) - mean[0, j].item()) / sigma
        assert stats.kstest(z, "norm").pvalue > 1e-6
        assert abs(z.mean()) < 5 / np.sqrt(N)
        assert abs(z.var() - 1) < 5 * np.sqrt(2 / N)
    assert np.abs(np.corrcoef(found.T) - np.eye(3)).max() < 5.5 / np.sqrt(N)


def test_alpha_reaches_only_what_is_below_the_threshold():
    """Variances of 1e-4 and 0.01: alpha = 9 takes the first to 9e-4.  False alarm: 5 sigma."""
    buffer = Buffer(torch.zeros(1, 2), torch.tensor([[1e-4, 1e-2]]))
    found = codes(buffer, BufferConfig(alpha=9.0)).astype(float)
    np.testing.assert_allclose(found.var(0), [9e-4, 1e-2], rtol=5 * np.sqrt(2 / N))


def test_encodings_are_drawn_equally_often():
    """Eq. 16: at random, with binomial counts (chi^2 at 1e-6 on either side; counts off by 3% rms
    have 180 more than expected, 12 sigma); in turn, each exactly as often."""
    buffer = Buffer(torch.arange(100.0).unsqueeze(1), torch.zeros(100, 1))
    drawn = codes(buffer, BufferConfig()).astype(int).ravel()
    counts = np.bincount(drawn, minlength=100)
    chi2 = ((counts - N / 100) ** 2 / (N / 100)).sum()
    assert 1e-6 < stats.chi2.sf(chi2, 99) < 1 - 1e-6
    in_turn = codes(buffer, BufferConfig(draw="in turn"), 1200).ravel()
    np.testing.assert_array_equal(in_turn, np.tile(np.arange(100), 12))


def test_the_vaes_own_prior_is_normal():
    """Whatever the buffer holds.  False alarm: KS at 1e-6, twice."""
    buffer = Buffer(torch.full((3, 2), 9.0), torch.full((3, 2), 4.0))
    for column in codes(buffer, None).T:
        assert stats.kstest(column, "norm").pvalue > 1e-6


@pytest.mark.parametrize("prior", [None, BufferConfig(gamma=0.1), BufferConfig(draw="in turn")])
def test_an_event_does_not_depend_on_the_batch(model, prior):
    """Nor on how many are asked for; another seed gives others."""
    whole = np.concatenate(list(model.generate(50, SEED, prior)))
    pieces = list(model.generate(50, SEED, prior, batch=7))
    assert [len(p) for p in pieces] == [7] * 7 + [1]
    np.testing.assert_allclose(np.concatenate(pieces), whole, rtol=1e-4, atol=1e-5)
    fewer = np.concatenate(list(model.generate(9, SEED, prior)))
    np.testing.assert_allclose(fewer, whole[:9], rtol=1e-4, atol=1e-5)
    other = np.concatenate(list(model.generate(50, np.random.SeedSequence(8), prior)))
    assert not np.allclose(other, whole)


def test_events_are_in_the_unit_of_the_training_events(model):
    events = np.concatenate(list(model.generate(500, SEED, BufferConfig())))
    assert (np.abs(events) <= np.abs(EVENTS[:40]).max(0) * (1 + 1e-6)).all()
    assert np.abs(events[:, 1]).max() > 10 * np.abs(events[:, 2]).max()
    code = model.buffer.mean
    np.testing.assert_allclose(model.reconstruct(EVENTS[:40]), model.decode(code), rtol=1e-3)


def test_what_is_below_zero_is_kept_or_set_to_zero():
    """Of energies, momenta and masses, not of angles; of N(0, 1) nothing is cut."""
    names = ("MET", "phi_MET", "E_j1", "pT_j1", "eta_j1", "m1")
    magnitudes = [0, 2, 3, 5]
    buffer = Buffer(torch.zeros(1, 6), torch.ones(1, 6))
    model = TrainedVAE(replace(CONFIG, latent=6), Identity(), torch.ones(6), names, buffer)
    kept, cut = (
        np.concatenate(list(model.generate(1000, SEED, BufferConfig(negative=negative))))
        for negative in ("kept", "zero")
    )
    assert (kept < 0).any(0).all()
    expected = kept.copy()
    expected[:, magnitudes] = np.maximum(expected[:, magnitudes], 0)
    np.testing.assert_array_equal(cut, expected)
    np.testing.assert_array_equal(model.decode(kept, "zero"), expected)
    np.testing.assert_array_equal(model.decode(kept), kept)
    assert (np.concatenate(list(model.generate(1000, SEED, None))) < 0).any(0).all()


def test_rules_that_were_added_later():
    """Results that are stored without them are those at their defaults."""
    assert not {"negative", "smudge"} & BufferConfig().asdict(extent=False).keys()
    assert BufferConfig(smudge="deviation").asdict(extent=False)["smudge"] == "deviation"
    assert BufferConfig(negative="zero").asdict(extent=False)["negative"] == "zero"
    with pytest.raises(ParameterError, match="negative = 'cut': allowed are kept, zero"):
        BufferConfig(negative="cut")


# ---- the file ----


def test_a_model_comes_back(model, tmp_path):
    model.save(tmp_path / "model.safetensors")
    again = TrainedVAE.load(tmp_path / "model.safetensors", COLUMNS)
    assert again.config == model.config
    assert tuple(again.columns) == COLUMNS
    for prior in (None, BufferConfig(gamma=0.01)):
        pair = [next(iter(m.generate(100, SEED, prior))) for m in (model, again)]
        np.testing.assert_array_equal(*pair)
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


def rewritten(path, change):
    """The same file with changed tensors and metadata, which are otherwise in order."""
    from safetensors import safe_open

    from amplib.models.buffer import _digest

    tensors = load_file(path)
    with safe_open(path, "pt") as file:
        metadata = dict(file.metadata())
    change(tensors, metadata)
    metadata["sha256"] = _digest(tensors)
    save_file(tensors, path, metadata)


def other_config(tensors, metadata):
    metadata["config"] = json.dumps(json.loads(metadata["config"]) | {"width": 9})


def impossible_config(tensors, metadata):
    metadata["config"] = json.dumps(json.loads(metadata["config"]) | {"latent": 0})


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda t, m: t.pop("network.mean.bias"), "network.mean.bias has shape None"),
        (lambda t, m: t.update(more=torch.zeros(1)), "more has shape"),
        (lambda t, m: t.update({"buffer.variance": torch.zeros(39, 3)}), "buffer.variance has"),
        (lambda t, m: m.pop("format"), "is no model of format"),
        (lambda t, m: m.pop("columns"), "is damaged"),
        (other_config, "has shape"),
        (impossible_config, "latent = 0"),
    ],
)
def test_a_file_that_does_not_fit_is_named_and_refused(model, tmp_path, change, text):
    path = tmp_path / "model.safetensors"
    model.save(path)
    rewritten(path, change)
    with pytest.raises(ValueError, match=text) as error:
        TrainedVAE.load(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_other_columns_are_refused(model, tmp_path):
    model.save(tmp_path / "m")
    with pytest.raises(ValueError, match="m has columns a, b, c, d, not a, b, c, e"):
        TrainedVAE.load(tmp_path / "m", ["a", "b", "c", "e"])


@pytest.mark.parametrize("at", ["header", "number", "end"])
def test_a_damaged_file_is_named_and_refused(model, tmp_path, at):
    """A byte of the header or of a weight changed, the end cut off."""
    path = tmp_path / "m"
    model.save(path)
    data = bytearray(path.read_bytes())
    (header,) = struct.unpack("<Q", data[:8])
    if at == "end":
        data = data[:-10]
    else:
        data[9 if at == "header" else 8 + header + 41] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="m is damaged"):
        TrainedVAE.load(path)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        TrainedVAE.load(tmp_path / "none")


# ---- bad input ----


@pytest.mark.parametrize("change", [{"alpha": -1.0}, {"gamma": -0.01}, {"offset": "both"}])
def test_impossible_priors_are_one_line(change):
    with pytest.raises(ParameterError, match=next(iter(change))):
        BufferConfig(**change)


def test_impossible_requests_are_refused(model):
    with pytest.raises(ValueError, match="0 events in batches"):
        next(model.generate(0, SEED, None))
    with pytest.raises(ValueError, match="events of 3 columns, not 4"):
        model.encode(EVENTS[:, :3])
    with pytest.raises(ValueError, match="event 0: column 1 is inf"):
        model.encode(np.where(np.arange(4) == 1, np.inf, EVENTS))


def test_a_copy_on_another_device_leaves_the_model_where_it_is(model):
    before = next(model.generate(10, SEED, None))
    assert model.to("meta").scale.device.type == "meta"
    assert np.array_equal(next(model.generate(10, SEED, None)), before)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_generates_the_same_events(model):
    for prior in (None, BufferConfig(gamma=0.05)):
        here, there = (next(m.generate(1000, SEED, prior)) for m in (model, model.to("cuda")))
        np.testing.assert_allclose(there, here, rtol=1e-2, atol=1e-2)
