"""How the claims on priors and reconstructions are judged: by results made to meet or miss them."""

from types import SimpleNamespace

import numpy as np
import pytest

from amplib.book.claims import documents
from amplib.book.obtain import stored
from amplib.estimate import Estimate
from amplib.metrics.verdict import MET, MISSED, UNDECIDED
from amplib.store.results import Result, provenance
from amplib.studies.catalogue import make_study
from amplib.studies.event_paper import PAPER_EVENTS
from amplib.studies.latent.charts import BLOCKS
from amplib.studies.latent.claims import (
    WELL,
    WORSE,
    buffer_wins,
    in_phi,
    in_the_other_reading,
    not_identity,
    prior_gmm,
    staged,
)
from amplib.studies.latent.reading import PAPER, judged_priors, within_a_step
from amplib.studies.latent.words import of_none_negative

pytestmark = pytest.mark.usefixtures("made_up")

VALUES = {name: row.get("value") for name, row in documents()["bvae"].items()}
ERROR = 0.01
"""Relative, of every made-up number."""


def made_up(study, part, folder, **given):
    """A part of zeros but for what is given."""
    arrays = {
        name: np.zeros(tuple(2 if size is None else size for size in shape), kind)
        for name, (kind, shape) in study.layout().items()
    }
    arrays |= {"diverged": np.array(-1)} if "diverged" in arrays else {}
    Result(study, "smoke", folder).save(
        part, arrays | given, provenance(None, "cpu", 1, together=1)
    )


def priors(folder, numbers, diverged=(), events=PAPER_EVENTS):
    """A result whose priors have these (delta, delta_OF), by name."""
    study = make_study(
        "latent-priors", "smoke", components=(50, 100, 1000), training_events=2000, events=events
    )
    for k, prior in enumerate(study.priors()):
        if (name := str(prior)) not in numbers:
            continue
        delta, of = numbers[name]
        made_up(
            study, (k,), folder,
            delta=np.array([delta, ERROR * delta]),
            delta_of=np.array([[of, ERROR * of], [1.0, 1.0]]),
            bandwidth=np.array(0.1 if prior.kind == "kernels" else 0.0),
            diverged=np.array(5 if name in diverged else -1),
        )  # fmt: skip
    result = Result(study, "smoke", folder)
    return lambda name, preset=None: result


def test_the_papers_own_numbers_meet_its_claims(tmp_path):
    evidence = priors(tmp_path, PAPER)
    assert prior_gmm(evidence, VALUES["prior-gmm"]).verdict == MET
    assert buffer_wins(evidence, None).verdict == MET
    assert staged(evidence, VALUES["s-vae"]).verdict == MET


def test_the_paper_of_the_claims_is_that_of_the_table():
    assert VALUES["prior-gmm"] == {name: PAPER[name][0] for name in VALUES["prior-gmm"]}
    assert tuple(VALUES["s-vae"].values()) == PAPER["S-VAE, B = 0.001"]


@pytest.mark.parametrize(
    ("name", "numbers", "verdict"),
    [
        ("GMM, 100", (0.08, 12.7), MISSED),
        ("KDE", (0.05, 7.3), MISSED),
        ("GMM, 1000", (0.0302 * 1.2, 7.64), UNDECIDED),
    ],
)
def test_mixtures(tmp_path, name, numbers, verdict):
    finding = prior_gmm(priors(tmp_path, PAPER | {name: numbers}), VALUES["prior-gmm"])
    assert finding.verdict == verdict
    assert "bandwidth is the narrowest" in finding.why


@pytest.mark.parametrize(
    ("name", "numbers", "verdict"),
    [
        ("GMM, 50", (0.008, 11.54), MISSED),
        ("S-VAE, B = 0.001", (0.0438, 0.9), MISSED),
        ("KDE", (0.00901, 5.0), UNDECIDED),
    ],
)
def test_the_buffer_has_to_win_against_each(tmp_path, name, numbers, verdict):
    assert buffer_wins(priors(tmp_path, PAPER | {name: numbers}), None).verdict == verdict


def test_kernels_that_the_paper_does_not_have_are_said_and_do_not_judge(tmp_path):
    found = buffer_wins(priors(tmp_path, PAPER | {"KDE, h from 0.01": (0.0050, 0.3)}), None)
    assert found.verdict == MET
    assert "KDE, h from 0.01, which the paper does not have: δ 0.005" in found.why


OTHER = "buffer, σ + γ, γ = 0.05"


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((0.0050, 0.3), "met: δ 0.005000 ± 0.000050, δ_OF 0.3000 ± 0.0030"),
        ((0.0050, 20.0), "missed: δ"),
        ((0.0266, 0.3), "undecided: δ"),
    ],
)
def test_the_other_reading_of_the_buffer_is_said_and_does_not_judge(tmp_path, numbers, said):
    """By eq. 19 the buffer misses the claim; gamma on sigma may say otherwise."""
    lost = PAPER | {"buffer, γ = 0.05": (0.05, 20.0)}
    alone = buffer_wins(priors(tmp_path / "a", lost), None)
    both = buffer_wins(priors(tmp_path / "b", lost | {OTHER: numbers}), None)
    assert alone.verdict == both.verdict == MISSED
    assert not alone.otherwise and "on σ" not in alone.why
    assert both.otherwise == said.partition(":")[0]
    assert f"by eqs. 17 and 19 missed, with α and γ on σ {said}" in both.why


def test_which_priors_miss_is_said(tmp_path):
    found = prior_gmm(priors(tmp_path, PAPER | {"KDE": (0.05, 7.3)}), VALUES["prior-gmm"])
    assert "met by GMM of 50, GMM of 100 and GMM of 1000, missed by KDE" in found.why
    assert "of one training and one fit of each" in found.why
    assert " by " not in prior_gmm(priors(tmp_path / "b", PAPER), VALUES["prior-gmm"]).why


def test_kernels_differ_within_a_step_of_their_grid(tmp_path):
    """0.1 and 0.11 lie within a step, and 0.1 and 0.2 beyond it."""

    def kernels(bandwidth):
        return [SimpleNamespace(bandwidth=b, delta=Estimate(d, 0.01)) for b, d in bandwidth]

    assert within_a_step(kernels([(0.11, 0.3), (0.1, 0.2)])) == pytest.approx(1.5)
    assert within_a_step(kernels([(0.2, 0.3), (0.1, 0.2)])) is None
    assert within_a_step(kernels([(0.1, 0.3)])) is None


def test_in_phi_the_two_readings_of_the_buffer_change_places():
    """What the page says of the stored priors: met in eta with gamma on sigma, which in phi is
    above half of the fitted priors."""
    stored_priors = judged_priors(stored("latent-priors", "paper"))
    assert in_the_other_reading(stored_priors).verdict == MET
    said = in_phi(stored_priors)
    assert "it is the other way round: 21.47 ± 0.19 with γ on σ, more than 6 of the 12" in said
    assert said.endswith("and 6.99 ± 0.15 by eq. 19, more than 1")


def test_numbers_of_fewer_events_are_not_the_papers(tmp_path):
    """An order of priors is one whatever the number of events is."""
    few = priors(tmp_path, {name: (4 * d, of) for name, (d, of) in PAPER.items()}, events=60)
    mixtures = prior_gmm(few, VALUES["prior-gmm"])
    assert mixtures.verdict == UNDECIDED
    assert "of 60 events" in mixtures.why
    assert staged(few, VALUES["s-vae"]).verdict == UNDECIDED
    worse = priors(tmp_path / "b", PAPER | {"S-VAE, B = 1": (0.05, 1.0)}, events=60)
    assert staged(worse, VALUES["s-vae"]).verdict == MISSED


@pytest.mark.parametrize(
    ("name", "numbers", "verdict"),
    [
        ("S-VAE, B = 0.001", (0.0438, 9.0), MISSED),
        ("S-VAE, B = 0.01", (0.0400, 12.73), MISSED),
        ("S-VAE, B = 1e-06", (0.1, 238.0), MISSED),
        ("S-VAE, B = 1", (0.438, 800.0), UNDECIDED),
    ],
)
def test_staged_vaes(tmp_path, name, numbers, verdict):
    finding = staged(priors(tmp_path, PAPER | {name: numbers}), VALUES["s-vae"])
    assert finding.verdict == verdict


def test_where_the_best_is_poor_none_can_fail_and_none_is_missed(tmp_path):
    """Ten times a least delta of 0.3 is more than delta can be."""
    poor = {f"S-VAE, B = {b:g}": (1.2, 100.0) for b in (1, 0.1, 0.01, 1e-4, 1e-5, 1e-6)}
    for least, verdict in ((0.3, UNDECIDED), (0.195, MISSED)):
        numbers = PAPER | poor | {"S-VAE, B = 0.001": (least, 3.36)}
        found = staged(priors(tmp_path / str(least), numbers, events=60), VALUES["s-vae"])
        assert found.verdict == verdict


def test_what_is_not_judged_yet_is_not_measured(tmp_path):
    some = {name: PAPER[name] for name in ("buffer, γ = 0.05", "GMM, 50")}
    evidence = priors(tmp_path, some)
    assert list(judged_priors(evidence(""))) == list(some)
    for claim, value in ((prior_gmm, VALUES["prior-gmm"]), (staged, VALUES["s-vae"])):
        with pytest.raises(FileNotFoundError, match="not judged yet"):
            claim(evidence, value)
    broken = priors(tmp_path / "b", PAPER, diverged=("S-VAE, B = 1",))
    with pytest.raises(FileNotFoundError, match="not judged yet"):
        staged(broken, VALUES["s-vae"])


@pytest.mark.parametrize(
    ("noise", "events", "verdict"),
    [
        (0.5, 0.02, MET),
        (0.5, 2 * WELL, MISSED),
        (0.1, 0.02, MISSED),
        (WORSE * 0.02, 0.02, UNDECIDED),
    ],
)
def test_no_identity(tmp_path, noise, events, verdict):
    """Noise and events whose reconstruction leaves these shares, to 1% from block to block."""
    study = make_study("latent-map", "smoke")
    jitter = 1 + 0.01 * np.linspace(-1, 1, BLOCKS)[:, None]
    squares = np.stack([share * jitter * np.ones(26) for share in (noise, events)])
    made_up(study, (0,), tmp_path, squares=squares, spread=np.ones((2, 26)))
    result = Result(study, "smoke", tmp_path)
    finding = not_identity(lambda name, preset=None: result, None)
    assert finding.verdict == verdict
    assert "a linear copy through 2 numbers leaves 92% of such noise at least" in finding.why


KEPT = {
    "buffer, γ = 0.05": (0.04, 4.0),
    "buffer, σ + γ, γ = 0.05": (0.02, 1.0),
    "buffer, γ = 0": (0.02, 10.0),
    "GMM, 50": (0.03, 9.0),
    "GMM, 100": (0.04, 9.0),
}


def test_what_is_left_of_delta_without_negative_values(tmp_path):
    """The best of what is judged so, beside each buffer: below, above, and within two errors."""
    kept = judged_priors(priors(tmp_path / "kept", KEPT)(""))
    deltas = {"buffer, γ = 0.05": 0.03, "buffer, σ + γ, γ = 0.05": 0.004, "buffer, γ = 0": 0.0064}
    numbers = {name: (delta, 1.0) for name, delta in deltas.items()} | {"GMM, 50": (0.006, 9.0)}
    text = of_none_negative(judged_priors(priors(tmp_path / "cut", numbers)("")), kept)
    assert "GMM, 50, has δ = 0.006000 ± 0.000060, 20% of what it had" in text
    assert text.endswith(
        "the prior is nearer to the truth than the buffer, γ = 0.05 and the buffer, γ = 0, farther "
        "from the truth than the buffer, σ + γ, γ = 0.05."
    )
    close = numbers | {"buffer, γ = 0": (0.0061, 1.0)}
    text = of_none_negative(judged_priors(priors(tmp_path / "close", close)("")), kept)
    assert text.endswith("not told apart from the buffer, γ = 0.")


def test_without_a_fitted_prior_that_is_said(tmp_path):
    kept = judged_priors(priors(tmp_path, KEPT)(""))
    assert "not measured" in of_none_negative({}, kept)
    alone = {"buffer, γ = 0": kept["buffer, γ = 0"]}
    assert "not measured" in of_none_negative(alone, kept)
