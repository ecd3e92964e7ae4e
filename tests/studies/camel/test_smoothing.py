"""What the page on smoothing says of the stored results, where a number could turn it."""

import pytest

from amplib.book.obtain import stored
from amplib.metrics.amplification import QUANTILES
from amplib.metrics.likeness import balance_likeness, likeness
from amplib.studies.camel.reading import gan_curve, sample_and_fit, smoothing


@pytest.fixture(scope="module")
def estimates():
    """By name, at the papers' settings; of GANs those that did not fail."""
    fits = sample_and_fit(stored("fit", "paper"))
    return {
        "sample": fits.sample,
        "fit": fits.fit,
        "GAN": gan_curve(stored("gan", "paper")).converged.asymptote,
        **smoothing(stored("smoothing", "paper")),
    }


@pytest.mark.parametrize("q", QUANTILES)
def test_bins_and_the_chosen_kernel_amplify_and_rules_of_thumb_do_not(estimates, q):
    worth = {name: repetitions.n_equiv(q).interval() for name, repetitions in estimates.items()}
    for name in ("histogram", "loo"):
        assert worth[name].low > worth["sample"].high
    for name in ("scott", "silverman"):
        assert worth[name].high < worth["sample"].low
    for one, other in (("bootstrap", "sample"), ("mixture", "fit")):
        assert worth[one].low < worth[other].value < worth[one].high


@pytest.mark.parametrize("q", QUANTILES)
def test_the_gan_is_more_like_the_fit_than_like_the_kernel(estimates, q):
    kernel, fit = (likeness(estimates["GAN"], estimates[name], q) for name in ("loo", "fit"))
    assert 0.3 < kernel.low < kernel.high < 1
    assert kernel.value < fit.value


def test_the_kernel_copies_the_balance_of_the_humps_and_the_gan_does_not(estimates):
    """What a GAN adds to the balance is the greater part: the squared correlation is below 1/2."""
    assert balance_likeness(estimates["loo"], estimates["sample"]).low > 0.995
    assert balance_likeness(estimates["GAN"], estimates["sample"]).high ** 2 < 0.5
