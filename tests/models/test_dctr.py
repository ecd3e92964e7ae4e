"""DCTR on pairs of known densities: the learned weights are the density ratio, or say what is
missing.

Each of ``amplib.truth.pairs`` has one classifier.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from amplib.metrics.outlook import outlook
from amplib.metrics.two_sample import auc, classifier_test
from amplib.metrics.weights import clip, expectation, mean_weight
from amplib.models import checkpoint as kept
from amplib.models.checkpoint import Checkpoint
from amplib.models.config import DCTRTraining
from amplib.models.dctr import (
    DCTR,
    TEMPERATURES,
    _temperature,
    finished,
    perceptron,
    steps_kept,
    train_dctr,
)
from amplib.progress import Stopped
from amplib.truth.pairs import PAIRS, Pair, observables

EVENTS = 40_000
TRAINING = DCTRTraining(batch_size=500, epochs=30, patience=4)


@cache
def trained(name: str) -> DCTR:
    pair = PAIRS[name]
    real, made = pair.real(EVENTS, 1), pair.made(EVENTS, 2)
    hidden = (20, 20, 20) if pair.dimension == 1 else (64, 64)
    network = perceptron(real, hidden, torch.Generator().manual_seed(3))
    return train_dctr(network, real, made, TRAINING, np.random.SeedSequence(4))


@pytest.fixture(params=PAIRS)
def pair(request) -> tuple[Pair, DCTR]:
    torch.set_num_threads(1)
    return PAIRS[request.param], trained(request.param)


def test_learned_weights_are_the_density_ratio(pair):
    """W / (1 + W), which is the score, on new events of both kinds: its mean square error is below
    8% of the spread of the true one; and ln W is right to 0.15 (rms) where W is 1/5 to 5."""
    known, dctr = pair
    x = np.concatenate([known.real(20_000, 5), known.made(20_000, 6)])
    expected = known.log_ratio(x)
    score = 1 / (1 + np.exp(-expected))
    assert np.mean((dctr.scores(x) - score) ** 2) < 0.08 * score.var()
    usual = abs(expected) < np.log(5)
    assert usual.mean() > 0.8
    assert np.sqrt(np.mean((dctr.logits(x) - expected)[usual] ** 2)) < 0.15


def test_the_mean_weight_is_one(pair):
    """Eq. 10; what the classifier learned from 40,000 events is known to 2% (1.7% from the events'
    number, for weights that vary by half), beside five errors of the test."""
    known, dctr = pair
    mean = mean_weight(dctr.weights(known.made(50_000, 6)))
    assert abs(mean.value - 1) < 0.02 + 5 * mean.error


def test_weighted_expectations_are_the_truth_s(pair):
    """First and second moments of all axes, and the pair product: five errors of a test of 50,000
    events, and 0.03 for the classifier.  Unweighted, at least one is off by more than three times
    that: the test has power."""
    known, dctr = pair
    x = known.made(50_000, 7)
    weighted = expectation(observables(x), dctr.weights(x))
    room = 5 * weighted.error + 0.03 * known.spread
    assert (abs(weighted.value - known.expected) < room).all()
    off = abs(observables(x).mean(0) - known.expected) / room
    assert off.max() > (1 if known is PAIRS["tails"] else 3)


def test_held_out_scores_tell_the_samples_apart_and_weighted_ones_do_not(pair):
    known, dctr = pair
    real, made = known.real(20_000, 9), known.made(20_000, 10)
    logits = dctr.logits(real), dctr.logits(made)
    assert classifier_test(*logits, np.random.default_rng(11), 99).p == 0.01
    after = auc(*logits, generated_weights=np.exp(logits[1]))
    assert abs(after.value - 0.5) < 0.01 + 5 * after.error


def test_identical_samples_get_weights_of_one_and_pass_the_test():
    same = PAIRS["correlated 2D"].real
    real, made = same(20_000, 1), same(20_000, 2)
    network = perceptron(real, (64, 64), torch.Generator().manual_seed(3))
    dctr = train_dctr(network, real, made, TRAINING, np.random.SeedSequence(4))
    look = outlook(dctr.weights(same(10_000, 5)), dctr.weights(same(10_000, 6)))
    assert look.answer == "freely"
    assert abs(look.mean_weight.value - 1) < 0.02
    scores = dctr.scores(same(10_000, 7)), dctr.scores(same(10_000, 8))
    assert classifier_test(*scores, np.random.default_rng(9), 199).p > 1e-3


# ---------------------------------------------------------------- what weights cannot do


def test_support_that_the_generator_misses_is_reported():
    """A tenth of the truth lies where nothing is generated.  Weights there are beyond the
    largest, and the mean weight lacks a tenth; neither is hidden by clipping."""
    rng = np.random.default_rng(1)

    def real(n):
        far = rng.random(n) < 0.1
        return np.where(far, rng.normal(6, 0.5, n), rng.normal(0, 1, n))[:, None]

    made = rng.normal(0, 1, (EVENTS, 1))
    network = perceptron(made, (20, 20, 20), torch.Generator().manual_seed(3))
    dctr = train_dctr(network, real(EVENTS), made, TRAINING, np.random.SeedSequence(4))
    look = outlook(dctr.weights(real(20_000)), dctr.weights(rng.normal(0, 1, (20_000, 1))))
    assert look.answer == "in part"
    assert look.lost.value == pytest.approx(0.1, abs=0.01)
    assert look.mean_weight.value == pytest.approx(0.9, abs=0.02)


def test_disjoint_samples_give_weights_that_clipping_counts():
    rng = np.random.default_rng(1)
    real, made = rng.normal(9, 1, (3000, 1)), rng.normal(-9, 1, (3000, 1))
    network = perceptron(np.concatenate([real, made]), (20,), torch.Generator().manual_seed(1))
    dctr = train_dctr(network, real, made, TRAINING, np.random.SeedSequence(2))
    kept = clip(dctr.weights(np.array([[-9.0], [1e6]])), 5)
    assert kept.clipped == 1
    assert kept.cut > 0.99
    assert outlook(dctr.weights(real), dctr.weights(made)).answer == "no"


# ---------------------------------------------------------------- classes, priors, temperature


def test_samples_of_unequal_size_give_the_same_weights():
    """Four times as many generated events: the mean of W stays one."""
    known = PAIRS["1D"]
    real, made = known.real(10_000, 1), known.made(40_000, 2)
    network = perceptron(real, (20, 20, 20), torch.Generator().manual_seed(3))
    dctr = train_dctr(network, real, made, TRAINING, np.random.SeedSequence(4))
    x = known.made(20_000, 5)
    assert mean_weight(dctr.weights(x)).value == pytest.approx(1, abs=0.04)
    assert np.sqrt(np.mean((dctr.logits(x) - known.log_ratio(x)) ** 2)) < 0.2


def test_prior_weights_of_the_truth_are_learned_with_it():
    """Events of N(0, 1.2) that carry the weights of the 1D pair, some of them zero."""
    known = PAIRS["1D"]
    x, made = known.made(EVENTS, 1), known.made(EVENTS, 2)
    prior = 7 * np.exp(known.log_ratio(x))
    prior[prior < 0.01] = 0
    network = perceptron(x, (20, 20, 20), torch.Generator().manual_seed(3))
    seed = np.random.SeedSequence(4)
    dctr = train_dctr(network, x, made, TRAINING, seed, real_weights=prior)
    test = known.made(20_000, 5)
    assert mean_weight(dctr.weights(test)).value == pytest.approx(1, abs=0.04)
    assert np.sqrt(np.mean((dctr.logits(test) - known.log_ratio(test)) ** 2)) < 0.2


def test_temperature_undoes_logits_that_are_too_sure():
    """A network whose logit is twice the truth's, and that training does not change."""
    known = PAIRS["1D"]

    class TwiceTooSure(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.idle = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x):
            ratio = torch.as_tensor(known.log_ratio(x.numpy().astype(float)))
            return 2 * ratio.to(x) + 0 * self.idle

    one = replace(TRAINING, epochs=1, temperature="on")
    real, made = known.real(EVENTS, 1), known.made(EVENTS, 2)
    dctr = train_dctr(TwiceTooSure(), real, made, one, np.random.SeedSequence(1))
    assert dctr.temperature == pytest.approx(2, abs=0.15)
    assert mean_weight(dctr.weights(known.made(20_000, 3))).value == pytest.approx(1, abs=0.03)
    off = replace(one, temperature="off")
    assert train_dctr(TwiceTooSure(), real, made, off, np.random.SeedSequence(1)).temperature == 1


def labelled(logits: list[float], real: list[float]) -> tuple[torch.Tensor, SimpleNamespace]:
    z, y = torch.tensor(logits), torch.tensor(real)
    return z, SimpleNamespace(y=y, w=torch.ones(len(y)))


def test_the_temperature_is_that_of_the_least_loss():
    """Logits of 2 that are right three times of four: h = 3/4 at a logit of ln 3."""
    z, check = labelled([2.0] * 4 + [-2.0] * 4, [1.0, 1, 1, 0, 0, 0, 0, 1])
    assert _temperature(z, check) == pytest.approx(2 / math.log(3), rel=1e-10)
    moved = _temperature(z.double() * (1 + 1e-12), check)
    assert moved == pytest.approx(_temperature(z, check), rel=1e-11)


def test_a_temperature_beyond_the_range_is_its_end():
    """Logits that are never wrong can be as large as one likes, those always wrong as small."""
    right = labelled([1.0, -1], [1.0, 0])
    wrong = labelled([1.0, -1], [0.0, 1])
    assert (_temperature(*right), _temperature(*wrong)) == TEMPERATURES


def test_any_network_takes_events_of_any_shape():
    """Images of 6 x 6, brighter in one row in the truth, by a convolution."""
    rng = np.random.default_rng(1)
    real, made = rng.normal(size=(2, 3000, 1, 6, 6)).astype(np.float32)
    real[:, 0, 2] += 0.5
    torch.manual_seed(1)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.LeakyReLU(), torch.nn.Flatten(),
        torch.nn.Linear(144, 1),
    )  # fmt: skip
    dctr = train_dctr(
        network, real[:2000], made[:2000], replace(TRAINING, epochs=15), np.random.SeedSequence(2)
    )
    assert auc(dctr.logits(real[2000:]), dctr.logits(made[2000:])).value > 0.7  # 0.81 at best


def test_the_network_of_the_smallest_validation_loss_is_kept():
    known = PAIRS["1D"]
    real, made = known.real(300, 1), known.made(300, 2)
    how = DCTRTraining(batch_size=20, epochs=60, patience=60, learning_rate=0.01)
    seed = np.random.SeedSequence(4)

    def run(epochs: int) -> DCTR:
        network = perceptron(real, (64, 64), torch.Generator().manual_seed(3))
        return train_dctr(network, real, made, replace(how, epochs=epochs), seed)

    long = run(60)
    best = int(long.losses[:, 1].argmin())
    assert best < 50  # it overfits: the last network is not the best
    short = run(best + 1)
    np.testing.assert_array_equal(long.logits(made), short.logits(made))
    stopped = train_dctr(
        perceptron(real, (64, 64), torch.Generator().manual_seed(3)),
        real, made, replace(how, patience=3), seed,
    )  # fmt: skip
    assert len(stopped.losses) == int(stopped.losses[:, 1].argmin()) + 4


def test_the_last_network_is_kept_where_that_is_asked_for():
    """It is another one than the best, which is the last of a training that ends there."""
    known = PAIRS["1D"]
    real, made = known.real(300, 1), known.made(300, 2)
    seed = np.random.SeedSequence(4)
    how = DCTRTraining(batch_size=20, epochs=60, patience=60, learning_rate=0.01)

    def run(**changes: object) -> DCTR:
        network = perceptron(real, (64, 64), torch.Generator().manual_seed(3))
        return train_dctr(network, real, made, replace(how, **changes), seed)

    best, last = run(), run(keep="last")
    np.testing.assert_array_equal(best.losses, last.losses)
    assert abs(last.logits(made) - best.logits(made)).max() > 0.1
    epochs = int(best.losses[:, 1].argmin()) + 1
    ended = run(keep="last", epochs=epochs)
    np.testing.assert_array_equal(ended.logits(made), best.logits(made))


# ---------------------------------------------------------------- refusals

GOOD = np.zeros((100, 2))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"real": np.full((100, 2), np.nan)}, "real must not hold NaN or infinity"),
        ({"generated": np.full((100, 2), np.inf)}, "generated must not hold NaN or infinity"),
        ({"generated": np.zeros((100, 3))}, r"differ in shape: \(2,\) and \(3,\)"),
        ({"real": np.zeros(100)}, r"real of shape \(100,\): must be \(N, ...\)"),
        ({"real": np.zeros((1, 2))}, "1 real events cannot be split for validation"),
        ({"real_weights": np.ones(3)}, r"real_weights of shape \(3,\): must be one for each"),
        ({"real_weights": -np.ones(100)}, "real_weights must be finite, not negative and not all"),
        ({"real_weights": np.zeros(100)}, "real_weights must be finite, not negative and not all"),
        ({"generated_weights": np.full(100, np.nan)}, "generated_weights must be finite"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_trained_on_is_refused_in_one_line(arguments: dict, line: str):
    network = perceptron(GOOD, (4,), torch.Generator().manual_seed(1))
    given: dict = {"real": GOOD, "generated": GOOD, **arguments}
    with pytest.raises(ValueError, match=line) as raised:
        train_dctr(network, training=TRAINING, seed=np.random.SeedSequence(1), **given)
    assert "\n" not in str(raised.value)


def test_a_training_that_diverges_is_refused():
    made = np.random.default_rng(1).normal(size=(100, 2))
    network = perceptron(made, (4,), torch.Generator().manual_seed(1))
    with torch.no_grad():
        next(network.parameters())[0] = torch.nan
    with pytest.raises(ValueError, match="diverged in epoch 1"):
        train_dctr(network, made, made, TRAINING, np.random.SeedSequence(1))


def test_events_that_are_not_finite_have_no_weight():
    with pytest.raises(ValueError, match="events must not hold NaN"):
        trained("1D").weights(np.array([[np.nan]]))


def test_tiling_repeats_the_smaller_class_and_leaves_validation_apart():
    """Weights of classes of 500 and 4000 events are the ratio as they are, and no event is on both
    sides of the split."""
    known = PAIRS["1D"]
    real, made = known.real(500, 1), known.made(4000, 2)
    network = perceptron(real, (20, 20), torch.Generator().manual_seed(3))
    seen: dict[bool, list[torch.Tensor]] = {True: [], False: []}
    network.register_forward_pre_hook(lambda module, x: seen[module.training].append(x[0].clone()))
    how = DCTRTraining(batch_size=100, epochs=1, balance="tiling")
    train_dctr(network, real, made, how, np.random.SeedSequence(4))
    trained_on, checked = (torch.cat(seen[k]).flatten().numpy() for k in (True, False))
    originals = real.astype(np.float32).ravel()
    assert len(trained_on) == 2 * 3200
    counts = [np.sum(trained_on == x) for x in originals]
    assert sorted(set(counts)) == [0, 8]
    assert set(originals[np.array(counts) == 0]) == set(originals) & set(checked)

    dctr = train_dctr(
        perceptron(real, (20, 20), torch.Generator().manual_seed(3)),
        known.real(4000, 1), known.made(32_000, 2),
        DCTRTraining(batch_size=500, epochs=10, balance="tiling"), np.random.SeedSequence(4),
    )  # fmt: skip
    assert dctr.weights(known.made(20_000, 6)).mean() == pytest.approx(1, abs=0.06)


# ---------------------------------------------------------------- interruptions


@pytest.fixture
def watched(monkeypatch):
    """Every step is reported, as where steps take seconds."""
    monkeypatch.setattr(kept, "REPORT_SECONDS", 0)


def stop_at(call: int) -> Callable[[float], None]:
    """Progress that ends the work with its so manieth report."""
    calls = iter(range(1, call + 1))

    def progress(work: float) -> None:
        if next(calls) == call:
            raise Stopped

    return progress


SHORT = DCTRTraining(batch_size=50, epochs=4, patience=4, temperature="on", balance="tiling")
STEPS, CHECKS = 13, 5
"""An epoch's batches of 50 events, twice the 320 of the larger class, and of 30 to validate."""


def short(progress=lambda steps: None, checkpoint: Checkpoint | None = None, **changes) -> DCTR:
    """A training on 300 and 400 events of one dimension."""
    torch.set_num_threads(1)
    known = PAIRS["1D"]
    real, made = known.real(300, 1), known.made(400, 2)
    network = perceptron(real, (20, 20), torch.Generator().manual_seed(3))
    network.at_once = 30
    how, seed = replace(SHORT, **changes), np.random.SeedSequence(4)
    return train_dctr(network, real, made, how, seed, progress=progress, checkpoint=checkpoint)


def assert_same(one: DCTR, other: DCTR) -> None:
    x = PAIRS["1D"].made(100, 5)
    np.testing.assert_array_equal(one.losses, other.losses)
    assert one.temperature == other.temperature
    np.testing.assert_array_equal(one.logits(x), other.logits(x))


@pytest.mark.parametrize(
    "call",
    [1, 5, STEPS, STEPS + 2, STEPS + CHECKS, STEPS + CHECKS + 7, 4 * (STEPS + CHECKS) + 1],
    ids=["first step", "mid-epoch", "last step", "validation", "its end", "next", "last of all"],
)
@pytest.mark.parametrize("keep", ["best", "last"])
def test_a_stopped_training_goes_on_to_the_same_end_bit_by_bit(call, keep, watched, tmp_path):
    checkpoint = Checkpoint(tmp_path / "state.safetensors")
    with pytest.raises(Stopped):
        short(stop_at(call), checkpoint, keep=keep)
    work: list[float] = []
    assert_same(short(work.append, checkpoint, keep=keep), short(keep=keep))
    assert sum(work) == 4 * STEPS
    again: list[float] = []  # it has ended: nothing is left
    assert_same(short(again.append, checkpoint, keep=keep), short(keep=keep))
    assert again == [4 * STEPS]


def test_a_killed_training_goes_on_from_its_last_checkpoint(watched, monkeypatch, tmp_path):
    """Twice, and beside another one in the same file."""
    monkeypatch.setattr(kept, "CHECKPOINT_SECONDS", 0)
    both = Checkpoint(tmp_path / "state.safetensors")
    other = short(checkpoint=both.at("other"), epochs=2)
    for call in (9, 30):
        calls = iter(range(call))
        with pytest.raises(StopIteration):
            short(lambda work, calls=calls: next(calls) and None, both.at("one"))
    assert_same(short(checkpoint=both.at("one")), short())
    assert_same(short(checkpoint=both.at("other"), epochs=2), other)
    both.at("one").drop()
    assert not both.at("one").load()
    assert both.at("other").load()
    both.at("other").drop()
    assert not both.path.exists()


def test_weighing_is_reported_stopped_and_gone_on_with(watched, tmp_path):
    dctr, x = short(), PAIRS["1D"].made(100, 5)
    checkpoint = Checkpoint(tmp_path / "state.safetensors")
    with pytest.raises(Stopped):
        dctr.weights(x, stop_at(2), checkpoint)
    assert len(load_file(checkpoint.path)["logits"]) == 60
    seen: list[float] = []
    weights = dctr.weights(x, seen.append, checkpoint)
    np.testing.assert_array_equal(weights, dctr.weights(x))
    assert (seen[0], sum(seen)) == (60, 100)


@pytest.fixture
def stopped(watched, tmp_path) -> Checkpoint:
    """Of a training that was stopped in its second epoch."""
    checkpoint = Checkpoint(tmp_path / "state.safetensors")
    with pytest.raises(Stopped):
        short(stop_at(STEPS + CHECKS + 5), checkpoint)
    return checkpoint


def of_adam(state: dict[str, torch.Tensor], memory: str) -> torch.Tensor:
    return next(t for name, t in state.items() if name.endswith(memory))


STATES: dict[str, Callable[[dict[str, torch.Tensor]], object]] = {
    "a step beyond the epoch": lambda s: s["steps"].fill_(2 * STEPS + 1),
    "a step before the epoch": lambda s: s["steps"].fill_(STEPS - 1),
    "NaN weights": lambda s: s["network.1.weight"].fill_(torch.nan),
    "an infinite weight of the best": lambda s: s["best.1.weight"].view(-1)[0].fill_(torch.inf),
    "infinities in the optimiser": lambda s: of_adam(s, "exp_avg").fill_(torch.inf),
    "no losses": lambda s: s.pop("losses"),
    "losses of one column": lambda s: s.update(losses=s["losses"][:, :1].clone()),
    "losses of too many epochs": lambda s: s.update(losses=s["losses"].repeat(9, 1)),
    "no weights": lambda s: [s.pop(k) for k in list(s) if k.startswith("network.")],
    "another network": lambda s: s.update({"network.1.weight": torch.zeros(3, 1)}),
    "no memory of Adam": lambda s: [s.pop(k) for k in list(s) if k.startswith("adam.")],
    "Adam's of another network": lambda s: s.update({"adam.1.exp_avg": torch.zeros(3)}),
    "half of the validation": lambda s: s.update(best_logits=s["best_logits"][:60].clone()),
    "too much of the validation": lambda s: s.update(checked=torch.zeros(150)),
    "shuffles that are none": lambda s: s.update(shuffles=torch.zeros(3, dtype=torch.uint8)),
}


@pytest.mark.parametrize("how", STATES)
def test_a_checkpoint_that_cannot_be_is_named_in_one_line(how, stopped):
    state = load_file(stopped.path)
    STATES[how](state)
    save_file(state, stopped.path)
    with pytest.raises(ValueError, match="delete it to train anew") as raised:
        short(checkpoint=stopped)
    assert str(raised.value).startswith(f"{stopped.path} is damaged (")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("length", [0, 7, 100, -1])
def test_a_truncated_checkpoint_is_refused(length, stopped: Checkpoint):
    whole = stopped.path.read_bytes()
    stopped.path.write_bytes(whole[:length])
    for go_on in (
        short,
        lambda checkpoint: short().weights(np.ones((40, 1)), checkpoint=checkpoint),
    ):
        with pytest.raises(ValueError, match=r"is damaged \(.*delete it to train anew"):
            go_on(checkpoint=stopped)


def test_a_finished_training_leaves_its_network_alone(tmp_path):
    checkpoint = Checkpoint(tmp_path / "state.safetensors")
    dctr = short(checkpoint=checkpoint)
    assert steps_kept(checkpoint) == 4 * STEPS
    empty = perceptron(np.zeros((2, 1)), (20, 20), torch.Generator())
    empty.at_once = 30  # as that one's: batches of another size may round otherwise
    taken = finished(empty, checkpoint)
    assert taken is not None
    assert_same(taken, dctr)
    state = load_file(checkpoint.path)
    assert not any(name.startswith(("network", "adam")) for name in state)
    state["best.1.weight"].fill_(torch.nan)
    save_file(state, checkpoint.path)
    with pytest.raises(ValueError, match=r"is damaged \(best.1.weight is not finite\)"):
        short(checkpoint=checkpoint)


def test_a_training_that_goes_on_is_not_finished(stopped):
    network = perceptron(np.zeros((2, 1)), (20, 20), torch.Generator())
    assert finished(network, stopped) is None
    assert finished(network, stopped.at("another")) is None
    assert steps_kept(stopped) == STEPS + 5


def test_logits_of_other_events_are_refused(tmp_path: Path):
    checkpoint = Checkpoint(tmp_path / "state.safetensors")
    short().weights(np.ones((40, 1)), checkpoint=checkpoint)
    with pytest.raises(ValueError, match=r"is damaged \(logits of shape \(40,\), of 45 events\)"):
        short().weights(np.ones((45, 1)), checkpoint=checkpoint)
