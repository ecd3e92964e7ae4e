"""How the claims on decays are judged: by results that are made to meet or to miss them."""

import numpy as np
import pytest

from amplib.metrics.verdict import MET, MISSED, UNDECIDED
from amplib.store.results import Result, provenance
from amplib.studies.bvae.claims import (
    CONSERVED,
    LEARNED,
    MOMENTA,
    SHELLS,
    independent_width,
    two_body,
    unbalanced,
    z_momentum,
)
from amplib.studies.bvae.reading import Generated, on_the_azimuth
from amplib.studies.catalogue import make_study
from amplib.truth.collisions.z_to_ll import ENERGY

TRAININGS = 3
"""Of each made-up result."""


def made_up(name, folder, distance, width, offset=0.0, **changes):
    """A result whose models have these distances and widths, to 1% from training to training.

    Args:
        distance, width: by model, all observables alike.
        offset: of every median, in widths.
        changes: to the study.
    """
    study = make_study(name, "smoke", repetitions=TRAININGS, **changes)
    result = Result(study, "smoke", folder)
    layout = study.layout()
    for k in range(TRAININGS):
        arrays = {
            n: np.ones(tuple(2 if size is None else size for size in shape), kind)
            for n, (kind, shape) in layout.items()
        }
        arrays["diverged"] = np.array(-1)
        for counted in study.decay.edges:
            arrays[counted][:, 1:] = 0
            arrays[counted][:, 0] = study.compared_events
        for drawn in study.decay.map_edges:
            arrays[f"{drawn}_map"][:] = 0
        for row, model in enumerate(study.models, 2):
            jitter = 1 + 0.01 * (k - 1)
            arrays["distances"][row] = distance[model] * jitter
            arrays["quantiles"][row] = (np.array([-1, 0, 1]) + offset) * width[model] * jitter
        result.save((k,), arrays, provenance(None, "cpu", 1.0, together=1))
    return result


def evidence_of(*results):
    by_name = {result.study.name: result for result in results}
    return lambda name, preset=None: by_name[name]


LOOKED_AT = ("VAE", "B-VAE", "GAN")
BOUND = LEARNED * independent_width()


def test_columns_drawn_independently_obey_no_relation():
    """Their width is of the order of E^2, some 50^2 GeV^2."""
    assert 500 < independent_width() < 2500


@pytest.mark.parametrize(
    ("distance", "width", "verdict"),
    [
        ({"VAE": 2, "B-VAE": 1, "GAN": 3}, {"VAE": 0.5, "B-VAE": 0.1, "GAN": 0.5}, MET),
        ({"VAE": 2, "B-VAE": 1, "GAN": 0.9}, {"VAE": 0.5, "B-VAE": 0.1, "GAN": 0.5}, MISSED),
        ({"VAE": 2, "B-VAE": 1, "GAN": 3}, {"VAE": 2.0, "B-VAE": 0.1, "GAN": 0.5}, MISSED),
        ({"VAE": 2, "B-VAE": 1, "GAN": 1.0}, {"VAE": 0.5, "B-VAE": 0.1, "GAN": 0.5}, UNDECIDED),
    ],
)
def test_two_bodies(distance, width, verdict, tmp_path):
    """The B-VAE is to be nearest, and every mass shell narrower than the bound (widths in it)."""
    widths = {model: BOUND * w for model, w in width.items()}
    results = [made_up(n, tmp_path, distance, widths) for n in ("two-body-vae", "two-body-gan")]
    assert two_body(evidence_of(*results), None).verdict == verdict


@pytest.mark.parametrize(
    ("vae", "bvae", "verdict"),
    [(10.0, 0.01, MET), (10.0, 5.0, MISSED), (0.01, 0.01, MISSED), (10.0, CONSERVED, UNDECIDED)],
)
def test_z(vae, bvae, verdict, tmp_path):
    """The VAE is to fail, the B-VAE not: in GeV and in rad alike here."""
    result = made_up("z-vae", tmp_path, {"VAE": 1, "B-VAE": 1}, {"VAE": vae, "B-VAE": bvae})
    assert z_momentum(evidence_of(result), None).verdict == verdict
    assert unbalanced(Generated.of(result), "VAE") == (vae > CONSERVED * ENERGY / 2)


@pytest.mark.parametrize(("offset", "verdict"), [(0.0, MET), (0.5, MET), (3.0, MISSED)])
def test_a_narrow_relation_about_another_value_is_not_learned(offset, verdict, tmp_path):
    """Half of the bound is the width, and the median lies beside zero."""
    distance, width = {"VAE": 2, "B-VAE": 1, "GAN": 3}, dict.fromkeys(LOOKED_AT, BOUND / 2)
    results = [
        made_up(n, tmp_path, distance, width, offset) for n in ("two-body-vae", "two-body-gan")
    ]
    assert two_body(evidence_of(*results), None).verdict == verdict


def test_what_is_conserved_is_so_at_zero(tmp_path):
    """The B-VAE's balance is far narrower than the bound, ten bounds away from zero."""
    widths = {"VAE": 10.0, "B-VAE": 0.01}
    off = 10 * CONSERVED * ENERGY / 2 / 0.01
    result = made_up("z-vae", tmp_path, {"VAE": 1, "B-VAE": 1}, widths, off)
    assert z_momentum(evidence_of(result), None).verdict == MISSED


def test_what_is_beyond_a_bound_is_counted_by_bins(tmp_path):
    """Entries outside of the histogram are, and of those inside the bins that are whole beyond."""
    result = made_up("z-vae", tmp_path, {"VAE": 1, "B-VAE": 1}, {"VAE": 1, "B-VAE": 1})
    generated = Generated.of(result)
    assert generated.beyond("VAE", "sum_px", 1e9).value == 1  # all of them are made up as outside
    edges = generated.decay.edges["sum_px"]
    for arrays in generated.parts["B-VAE"]:
        arrays["sum_px"][:] = 0
        arrays["sum_px"][1 + np.searchsorted(edges, [-3.0, 0.0, 3.0]) - 1] = 1, 6, 1
    assert generated.beyond("B-VAE", "sum_px", 2.0).value == pytest.approx(0.25)
    assert generated.beyond("B-VAE", "sum_px", 4.0).value == 0


def test_a_reach_holds_68_percent_at_least(tmp_path):
    """Of normal values about multiples of their width."""
    for offset in (0.0, 0.3, 1.0, 3.0):
        folder = tmp_path / str(offset)
        result = made_up("z-vae", folder, {"VAE": 1, "B-VAE": 1}, {"VAE": 1, "B-VAE": 1}, offset)
        reach = Generated.of(result).reach("VAE", "sum_px")
        values = np.random.default_rng(1).normal(offset, 1, 100_000)
        assert (np.abs(values) < reach.value).mean() > 0.68
        assert reach.value == pytest.approx(1 + offset)


@pytest.mark.parametrize(
    ("phi", "gan", "vae", "said"),
    [
        (10.0, 1.0, 1.0, ("is confirmed here", "its worst", "farther than")),
        (10.0, 1.0, 50.0, ("is not confirmed here", "its worst", "nearer than")),
        (0.1, 1.0, 0.1, ("is not confirmed here", "its best", "not told apart from")),
        (1.0, 1.0, 1.0, ("is not confirmed here", "neither its best", "not told apart from")),
    ],
)
def test_words_on_the_azimuth(phi, gan, vae, said, tmp_path):
    """Distances of the GAN's azimuth, of its momenta, and of the VAE's azimuth."""
    distance = {"VAE": vae, "B-VAE": 1.0, "GAN": gan}
    results = [made_up(n, tmp_path, distance, distance) for n in ("two-body-vae", "two-body-gan")]
    generated = Generated.of(*results)
    row = list(generated.decay.edges).index("phi")
    for k, arrays in enumerate(generated.parts["GAN"]):
        arrays["distances"][row] = phi * (1 + 0.01 * (k - 1))
    for arrays in (a for parts in generated.parts.values() for a in parts):
        arrays["quantiles"][:] = [-1, 0, 1]
    text = on_the_azimuth(generated)
    assert all(word in text for word in said), text


def test_what_is_judged_is_stored():
    edges = make_study("two-body-vae", "smoke").decay.edges
    assert {*SHELLS, *MOMENTA, *(f"sum_{x}" for x in MOMENTA)} <= edges.keys()
    z = make_study("z-vae", "smoke").decay.edges
    assert {"acoplanarity", *(f"sum_{x}" for x in MOMENTA)} <= z.keys()


def test_weighed_events_leave_all_else_as_it_is(tmp_path):
    """Weights have rows of the models alone, all else those of the truth before them."""
    values = {"VAE": 3, "B-VAE": 2}, {"VAE": 5, "B-VAE": 4}
    without, weighed = (
        Generated.of(made_up("z-vae", tmp_path / str(n), *values, weighed_events=n))
        for n in (0, 200)
    )
    for name in without.models:
        assert weighed.distance(name, "pT") == without.distance(name, "pT")
        assert weighed.width(name, "pT") == without.width(name, "pT")


def test_generators_of_one_training_are_compared_training_by_training(tmp_path):
    """Their distances move together by 1%, and their ratio not at all; another network's by its
    own 1%."""
    both = {"VAE": 3, "B-VAE": 2}
    gan = {"GAN": 4}
    results = (
        made_up("two-body-vae", tmp_path / "vae", both, both),
        made_up("two-body-gan", tmp_path / "gan", gan, gan),
    )
    generated = Generated.of(*results)
    paired = generated.over("B-VAE", "VAE", "sum_px")
    apart = generated.over("B-VAE", "GAN", "sum_px")
    assert (paired.value, apart.value) == pytest.approx((2 / 3, 0.5), rel=1e-4)
    assert paired.error < 1e-9
    assert apart.error == pytest.approx(0.5 * 0.01 * np.sqrt(2 / 3), rel=1e-3)
