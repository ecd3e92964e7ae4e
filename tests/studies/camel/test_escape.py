"""When a training has failed, and how the readings are compared."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu, spearmanr

from amplib.metrics.amplification import shared
from amplib.models.gan import StackedGAN
from amplib.models.noise import NoiseBlock
from amplib.parameters import ParameterError
from amplib.store.results import Result
from amplib.studies.camel import escape
from amplib.studies.camel.collapse import WON, discriminator_has_won, has_failed
from amplib.studies.camel.escape import (
    EMBRYONIC,
    EPOCHS,
    GRID,
    READINGS,
    Escape,
    epochs_of_leaving,
    paired_p_value,
    reading,
)
from amplib.studies.camel.figures import READING_STYLES, escape_panel
from amplib.studies.camel.reading import fit_bound, gan_curve, sample_and_fit
from amplib.studies.camel.study import _MEMBER, CELLS, CamelGAN, with_batch_fixed
from amplib.studies.catalogue import make_study


def part(left, right, entropy):
    """A training with so many events in either hump and such a cross entropy at the end."""
    counts = np.concatenate([np.full(CELLS // 2, left), np.full(CELLS // 2, right)])
    losses = np.array([[50, 1e-9, 0, 60.0], [100, entropy, 0, 1.0]])
    return {"counts": np.stack([counts // 10, counts]), "losses": losses}


@pytest.mark.parametrize(
    ("left", "right", "entropy", "failed"),
    [
        (100, 100, 1.39, False),
        (100, 60, 0.36, False),
        (100, 6, 1.39, False),
        (100, 5, 1.39, True),
        (0, 100, 1.39, True),
        (100, 100, WON / 2, True),
        (100, 0, 1e-12, True),
    ],
)
def test_a_training_fails_with_an_empty_hump_or_a_discriminator_that_has_won(
    left, right, entropy, failed
):
    assert has_failed(part(left, right, entropy)) == failed


def test_a_sample_hardly_ever_has_what_counts_as_uneven():
    """Fewer than 30 of 100 points in one of the humps: 1.6e-5 a hump, once in 30,000 samples."""
    from scipy.stats import binom

    assert 2 * binom.cdf(29, 100, 0.5) == pytest.approx(1 / 30_000, rel=0.1)


def recorded(every, *won):
    """Losses recorded so often, the cross entropy nothing in the given spans of epochs."""
    epochs = np.arange(every, 2 * EPOCHS, every)
    inside = np.any([(low < epochs) & (epochs <= high) for low, high in won], axis=0)
    entropy = np.where(inside, 0.0, 1.0)
    return np.stack([epochs, entropy, entropy, entropy], 1)


@pytest.mark.parametrize("every", [7, 50])
def test_the_state_is_that_of_the_last_record(every):
    """Left at 700, and again after a second time; full and short trainings record differently."""
    won = escape._won_on_grid(recorded(every, (0, 705), (1000, 1400)))
    assert GRID[won].tolist() == [*range(50, 701, 50), *range(1050, 1401, 50)]
    assert not escape._won_on_grid(recorded(every, (-1, 0))).any()
    assert escape._won_on_grid(recorded(every, (0, 9999))).all()


def test_a_record_out_of_the_state_between_two_in_it_is_no_leaving():
    """One minibatch in between, and one training that is seen in the state from epoch 800 on."""
    blinking = until(1001).won
    blinking[0, GRID == 500] = False
    late = (GRID > 750)[None]
    both = Escape(np.array([0, 1]), np.concatenate([blinking, late]))
    assert both.hazard()[0] == pytest.approx(1 / (0.95 + 0.7), rel=0.05)
    assert np.isnan(until(951).hazard()[0])  # less than 1000 epochs


def until(*epochs):
    """Trainings in the state up to these epochs."""
    return Escape(np.arange(len(epochs)), np.array([[e > g for g in GRID] for e in epochs]))


def test_the_hazard_counts_leavings_over_time_spent():
    found = until(601, EPOCHS + 1, 51, 1101)
    rate, low, high = found.hazard()
    assert rate == pytest.approx(2 / (0.55 + 1.4 + 0 + 1.05), rel=0.02)
    assert 0 < low < rate < high
    assert found.share(EPOCHS) == (1, 4)
    assert found.share(1000) == (2, 4)


def test_the_hazard_of_a_known_rate():
    """Leavings with a probability of 0.1 every 50 epochs: seeded; the 68% interval, which covers
    no less, holds the truth in 60 to 80% of 400 sets of 32 (0.68 ends below 0.60 once in 1500)."""
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(400):
        left = EMBRYONIC + 50 * rng.geometric(0.1, 32)
        _, low, high = until(*left).hazard()
        hits += low <= 2.0 <= high
    assert 0.60 < hits / 400 < 0.80


def test_pairs_that_differ_decide():
    """Ten samples on which only one reading is stuck: 2 in 1024; five to five: anything goes."""
    stuck, free = np.full(10, EPOCHS + 1), np.zeros(10)
    a, b = until(*stuck), until(*free)
    assert paired_p_value(a, b, EPOCHS) == pytest.approx(2 / 1024)
    assert paired_p_value(a, a, EPOCHS) == 1.0
    mixed = replace(until(*free[:5], *stuck[:5]), index=np.arange(5, 15))
    assert paired_p_value(a, mixed, EPOCHS) == pytest.approx(2 / 32)  # five shared samples differ


def test_readings_are_parameters_of_the_gan():
    keys = {reading(name).key() for name in READINGS}
    assert len(keys) == len(READINGS)
    with pytest.raises(ParameterError, match="reading = 'by eye': allowed are gradient in x"):
        reading("by eye")


def test_the_network_page_says_what_the_stored_trainings_say():
    """Its prose, where numbers could turn it: the gradient's path makes a difference, and with the
    wider initialisations few discriminators win, late, and trainings are worth less by then."""
    in_x, through = escape.escape("gradient in x"), escape.escape("gradient through B")
    assert paired_p_value(through, in_x, EPOCHS) < 0.05
    assert through.share(EPOCHS).k < in_x.share(EPOCHS).k
    xavier, he = "through B, Xavier's initialisation", "through B, He's initialisation"
    for name in (xavier, he):
        late = GRID[escape.escape(name).won.any(0)]
        assert not len(late) or late.max() > 1000
        wider = escape.worth_at_end(name, 10)
        assert wider.high < escape.worth_at_end("gradient through B", 10).low
    falling = escape.median_entropies(xavier)[np.isin(GRID, (500, 1000, EPOCHS))]
    assert (np.diff(falling) < -0.3).all() and falling[-1] < 0.5  # it is winning
    assert (escape.median_entropies(he) > 1.3).all()  # hardly better than guessing, 1.39
    full = Result(CamelGAN(), "paper")
    epochs, won = escape.states(full)
    last = epochs_of_leaving(full)
    inside = won[:, epochs == EPOCHS][:, 0]
    assert not (inside & (last < EPOCHS)).any()
    assert inside.sum() == (last >= EPOCHS).sum()  # later, or there for the last time
    for name in set(READINGS) - {"gradient in x", "gradient through B", escape.TWO_THINGS}:
        other = in_x if name.startswith("gradient in x,") else through
        assert paired_p_value(escape.escape(name), other, EPOCHS) * (len(READINGS) - 1) > 0.05


def test_noise_after_the_batch_is_two_things_where_the_gradient_passes_through_it():
    """And more trainings are stuck with both; noise alone, with B held fixed, changes little."""

    def through(name):
        study = reading(name)
        stack = StackedGAN(study, np.zeros((1, 100, 1)), [np.random.SeedSequence(1)])
        return stack.through.tolist()

    assert through("gradient through B") == [1, 1]
    assert through(escape.TWO_THINGS) == [0, 1]
    assert through("gradient in x") == through("gradient in x, noise after B") == [0, 0]
    both, one = escape.escape(escape.TWO_THINGS), escape.escape("gradient through B")
    assert both.share(EPOCHS).k > one.share(EPOCHS).k
    assert paired_p_value(both, one, EPOCHS) * (len(READINGS) - 1) > 0.05  # grey in the figure
    alone = (escape.escape(name) for name in ("gradient in x", "gradient in x, noise after B"))
    assert paired_p_value(*alone, EPOCHS) > 0.5


@pytest.mark.parametrize("study", [CamelGAN(), with_batch_fixed()], ids=["default", "fixed"])
def test_what_leaves_late_is_worth_less(study):
    """As the network page says of the default, and of the training that has most of the error with
    the batch held fixed: it is one of those that left last."""
    result = Result(study, "paper")
    curve = gan_curve(result).converged
    mse, left = curve.asymptote.mse(50), epochs_of_leaving(result)[curve.index]
    assert left[mse.argmax()] > 7000
    if study == CamelGAN():
        assert mannwhitneyu(mse[left > 4000], mse[left <= 500]).pvalue < 0.05


def point_in_its_state(epochs):
    """Sample 27, whose training never leaves: trained for so many epochs from its seed."""
    study = CamelGAN()
    stack = StackedGAN(
        study, study.training_sample(27)[None, :, None], [study.stream(_MEMBER, 27, 0)]
    )
    for _ in stack.train(epochs, every=epochs):
        pass
    return stack


@pytest.mark.parametrize(
    ("epochs", "slope", "still", "fall"),
    [(100, 3, 0.05, 0.1), pytest.param(400, 30, 1e-3, 0.5, marks=pytest.mark.slow)],
)
def test_the_discriminator_stands_still_and_makes_a_point_narrower(epochs, slope, still, fall):
    """What the pages say of the start: the generator's gradient does not vanish where D has won,
    but up the logit of the frozen D a batch becomes narrower.  Deterministic: no draw decides.

    At epoch 400 the slope of the logit is some 50 a unit of x, Adam's steps are 0.3 and 5e-5 of
    their rates, and from no width to 0.05 the logit falls by 1.8; at epoch 100, when the
    discriminator has just won, by 0.3.
    """
    stack = point_in_its_state(epochs)
    n, cross_entropy = stack.config.batch_size, float(stack.losses[0, 0])
    assert cross_entropy < WON

    def logits(points, sets):
        noise = NoiseBlock(stack.noise.words(10**9, sets * stack.words_per_step), stack.dtype)
        masks = stack.discriminator.masks(noise, sets * n)
        return stack.discriminator(points, points, masks)

    noise = NoiseBlock(stack.noise.words(5 * 10**8, stack.words_per_step), stack.dtype)
    fake = stack.generator(noise, n).detach().unsqueeze(1).requires_grad_()
    (gradient,) = torch.autograd.grad(logits(fake, 1).sum(), fake)
    assert gradient.abs().mean() > slope
    assert torch.sigmoid(-logits(fake, 1)).min() > 0.9  # of -log D(G) in the logit

    def step(adam, module):
        """Of a weight in the middle, over the learning rate."""
        states = [adam.state[p] for p in module.parameters()]
        steps = [s["exp_avg"] / (s["exp_avg_sq"].sqrt() + 1e-8) for s in states]
        return float(torch.cat([s.abs().flatten() for s in steps]).median())

    assert step(stack.adam_g, stack.generator) > 0.2
    assert step(stack.adam_d, stack.discriminator) < still

    shape = torch.linspace(-1, 1, n)
    shape = (shape / shape.std()).view(1, 1, n, 1)
    middle = fake.detach().mean()
    with torch.no_grad():
        point, narrow, wide = (
            float(logits((middle + w * shape).expand(1, 40, n, 1).contiguous(), 40).mean())
            for w in (0.0, 0.05, 1.0)
        )
    assert point - narrow > fall
    assert wide > 0


def test_a_generator_starts_as_a_point_between_the_humps():
    """As the pages say: by PyTorch's initialisation; by Xavier's as one lump between the humps at
    ±4, by He's far beyond them.  Five seeds each: standard deviations over 1000 events."""
    spread = {}
    for name in ("default", "xavier", "he"):
        study = CamelGAN(initialisation=name)
        samples = np.zeros((5, 100, 1))
        stack = StackedGAN(study, samples, [np.random.SeedSequence(k) for k in range(5)])
        spread[name] = np.sqrt((next(stack.generate(1000)) ** 2).mean((1, 2)))
    assert spread["default"].max() < 0.2
    assert 1 < spread["xavier"].min() < spread["xavier"].max() < 5
    assert spread["he"].min() > 8


def test_what_never_leaves_its_start_is_one_point():
    """What the pages say of failures: in every stored training in which the discriminator has won
    at the end, by the default initialisation, all events are in one cell beside zero."""
    names = [name for name in READINGS if "initialisation" not in name]
    studies = [*(CamelGAN(**READINGS[name]) for name in names), *map(reading, names)]
    stored = [result for study in studies if (result := Result(study, "paper")).done()]
    still = [
        part["counts"][-1]
        for result in stored
        for part in result.load().values()
        if discriminator_has_won(part["losses"])[-1]
    ]
    assert len(still) > 50
    for counts in still:
        (cell,) = np.flatnonzero(counts)
        assert cell in (CELLS // 2 - 1, CELLS // 2)


def test_a_lucky_sample_makes_no_lucky_gan():
    """As the first page says: 98 errors beside their samples', whose ranks hardly correlate.  Were
    they to, by 0.5, they would be seen to by more than 0.3 in 98% of such sets."""
    gans = gan_curve(Result(CamelGAN(), "paper")).converged.asymptote
    fits = sample_and_fit(Result(make_study("fit", "paper"), "paper"))
    gan, sample = shared(gans, fits.sample)
    for q in (10, 20, 50):
        assert abs(spearmanr(gan.mse(q), sample.mse(q)).statistic) < 0.3


def test_the_scatter_of_the_fits_is_what_they_are_worth():
    """As the first page says, and that their own covariances promise a little more than the least
    that there is."""
    found = sample_and_fit(Result(make_study("fit", "paper"), "paper"))
    for q in (10, 20, 50):
        worth = found.fit.n_equiv(q)
        assert abs(found.scattered_n_equiv(q) - worth.value) < 3 * worth.error
        assert fit_bound(100, q) < found.propagated_n_equiv(q) < 1.03 * fit_bound(100, q)


def test_every_reading_is_drawn():
    """There were once fewer looks than readings, and the last one was left out in silence."""
    drawn = Escape(np.arange(8), np.zeros((8, len(GRID)), dtype=bool))
    own = len(READING_STYLES)
    shown, others = (dict.fromkeys(n, drawn) for n in (list(READINGS)[:own], list(READINGS)[own:]))
    (ax,) = escape_panel(shown, others).axes
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == [f"{len(others)} others", *(f"{name} (8)" for name in shown)]
    assert len(ax.get_lines()) == len(READINGS)
    with pytest.raises(ValueError, match="zip"):
        escape_panel({str(k): drawn for k in range(20)}, {})


def test_a_training_was_last_in_the_state_where_its_losses_say():
    class Stored:
        @staticmethod
        def load():
            spans = {1: [(0, 300)], 0: [(50, 100), (500, 700)], 2: [(0, 0)]}
            parts = {(i, 0): {"losses": recorded(50, *won)} for i, won in spans.items()}
            return parts | {(0, 1): {"losses": recorded(50, (0, 5000))}}  # no single GAN

    assert epochs_of_leaving(Stored()).tolist() == [700, 300, 0]
