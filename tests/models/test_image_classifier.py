"""The classifier of whole images: its layers, its flips, and weights that are known."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from amplib.models import checkpoint as kept
from amplib.models import image_classifier
from amplib.models.checkpoint import Checkpoint
from amplib.models.config import DCTRTraining
from amplib.models.dctr import DCTR, train_dctr
from amplib.models.image_classifier import ImageClassifier
from amplib.models.volumes import SparseImages
from amplib.progress import Stopped

SIDE = 12


HITS = 10


def halves(n: int, front: float, seed: int) -> SparseImages:
    """Images whose hits are all in the first half of the layers with probability ``front``, else
    in the second."""
    rng = np.random.default_rng(seed)
    half = SIDE**3 // 2
    within = np.argsort(rng.random((n, half)), 1)[:, :HITS]
    cell = within + half * (rng.random((n, 1)) > front)
    return SparseImages.of(cell.ravel(), np.full(cell.size, 3.0), np.full(n, HITS), (SIDE,) * 3)


def test_it_is_the_paper_s():
    """128 filters on 30 cells a side: 15, 8 and 6 behind the convolutions, then 64, 256, 256, 1."""
    images = SparseImages.of(np.zeros(1), np.ones(1), np.ones(1), (30, 30, 30))
    network = ImageClassifier(images, 128, np.random.SeedSequence(1))
    convolutions = 28 * 128 + 2 * (27 * 128 + 1) * 128
    norms = 2 * 128 * (15**3 + 8**3)
    widths = (128 * 6**3, 64, 256, 256, 1)
    dense = sum((i + 1) * o for i, o in pairwise(widths))
    assert sum(w.numel() for w in network.parameters()) == convolutions + norms + dense
    assert network(torch.zeros(3, 1)).shape == (3, 1)


def test_a_seed_fixes_weights_and_leaves_the_global_stream_alone():
    images = halves(4, 0.5, 1)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    networks = [ImageClassifier(images, 2, np.random.SeedSequence(s)) for s in (1, 1, 2)]
    assert torch.equal(torch.rand(3), expected)
    first, same, other = (n(torch.arange(4.0)[:, None]) for n in networks)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_pieces_of_a_batch_are_the_batch(monkeypatch):
    """Logits and gradients, to float32's rounding; the last piece is a smaller one."""
    found = []
    for piece in (3, 100):
        monkeypatch.setattr(image_classifier, "PIECE", piece)
        network = ImageClassifier(halves(8, 0.5, 1), 2, np.random.SeedSequence(1))
        logits = network(torch.arange(8.0)[:, None])
        gradients = torch.autograd.grad(logits.square().sum(), list(network.parameters()))
        found.append(torch.cat([logits.flatten(), *(g.flatten() for g in gradients)]))
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-6)


def test_in_training_half_of_the_images_are_turned_along_either_axis():
    """Of 400 coins each 150 to 250 fall on one side: five standard deviations."""
    images = SparseImages.of(np.array([1 * SIDE + 2]), np.ones(1), np.ones(1), (SIDE,) * 3)
    network = ImageClassifier(images, 2, np.random.SeedSequence(1))
    seen = []
    network.layers = torch.nn.Sequential(torch.nn.Flatten())
    network.layers.register_forward_hook(lambda module, into, out: seen.append(out))
    network.train()
    network(torch.zeros(400, 1))
    places = torch.cat(seen).argmax(1)
    layer, x, y = places // SIDE**2, places // SIDE % SIDE, places % SIDE
    assert set(layer.tolist()) == {0}
    assert set(x.tolist()) == {1, SIDE - 2}
    assert set(y.tolist()) == {2, SIDE - 3}
    for place, turned in ((x, SIDE - 2), (y, SIDE - 3)):
        assert 150 < (place == turned).sum() < 250
    assert 50 < ((x == 1) & (y == 2)).sum() < 150  # both coins at once: 100 ± 9
    seen.clear()
    network.eval()
    network(torch.zeros(400, 1))
    assert set(torch.cat(seen).argmax(1).tolist()) == {1 * SIDE + 2}


def test_its_weights_are_the_known_ratio():
    """Hits in front: 3/4 of the truth, 1/2 of the generated; weights 3/2 and 1/2, to 0.2: four
    standard deviations of what the 450 events teach by which the temperature is chosen."""
    torch.set_num_threads(1)
    real, made = halves(1500, 0.75, 1), halves(3000, 0.5, 2)
    network = ImageClassifier(real.joined(made), 4, np.random.SeedSequence(3))
    how = DCTRTraining(
        batch_size=50, epochs=6, learning_rate=3e-3, validation=0.3,
        temperature="on", balance="tiling",
    )  # fmt: skip
    rows = np.arange(4500)[:, None]
    dctr = train_dctr(network, rows[:1500], rows[1500:], how, np.random.SeedSequence(4))
    test = halves(500, 0.5, 5)
    weights = DCTR(network.on(test), dctr.temperature, dctr.losses).weights(rows[:500])
    front = test.cell.numpy()[::HITS] < SIDE**3 // 2
    assert weights[front].mean() == pytest.approx(1.5, abs=0.2)
    assert weights[~front].mean() == pytest.approx(0.5, abs=0.2)
    assert network.images is not test


def test_it_sees_the_energy_of_an_image():
    """A norm over the cells of each channel would leave 1e-7."""
    images = halves(20, 0.5, 1)
    brighter = SparseImages(images.cell, 1.1 * images.value, images.count, images.shape)
    network = ImageClassifier(images, 4, np.random.SeedSequence(3)).eval()
    rows = torch.arange(20.0)
    apart = (network.on(brighter)(rows) - network(rows)).abs()
    assert apart.mean() > 3e-5


def test_bfloat16_gives_nearly_the_same_logits():
    images = halves(20, 0.5, 1)
    logits = [
        ImageClassifier(images, 4, np.random.SeedSequence(3), p).eval()(torch.arange(20.0))
        for p in ("float32", "bfloat16")
    ]
    assert not torch.equal(*logits)
    torch.testing.assert_close(*logits, rtol=0.05, atol=0.01)


@pytest.mark.parametrize("call", [3, 9, 11])
def test_a_stopped_training_goes_on_to_the_same_end_with_its_flips(call, monkeypatch, tmp_path):
    """In the first epoch, in its validation and in the second: weights are the same bit by bit."""
    torch.set_num_threads(1)
    monkeypatch.setattr(kept, "REPORT_SECONDS", 0)
    images = halves(100, 0.6, 1)
    rows = np.arange(100)[:, None]
    how = DCTRTraining(batch_size=12, epochs=2, patience=2, temperature="on", balance="tiling")
    calls = 0

    def stop(work: float) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            raise Stopped

    def run(progress, checkpoint=None) -> DCTR:
        network = ImageClassifier(images, 2, np.random.SeedSequence(3))
        seed = np.random.SeedSequence(4)
        return train_dctr(
            network, rows[:40], rows[40:], how, seed, progress=progress, checkpoint=checkpoint
        )

    checkpoint = Checkpoint(tmp_path / "state.safetensors")
    with pytest.raises(Stopped):
        run(stop, checkpoint)
    resumed, whole = (run(lambda work: None, c) for c in (checkpoint, None))
    np.testing.assert_array_equal(resumed.losses, whole.losses)
    np.testing.assert_array_equal(resumed.weights(rows), whole.weights(rows))
    assert resumed.temperature == whole.temperature
    assert torch.equal(resumed.network.flips.get_state(), whole.network.flips.get_state())
