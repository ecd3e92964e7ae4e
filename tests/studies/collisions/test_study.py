"""Samples of events as studies: parts, compact form, files and summaries."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from amplib.files import ROOT
from amplib.metrics.crowding import GRIDS
from amplib.store.results import Result, provenance
from amplib.studies.catalogue import make_study
from amplib.studies.collisions.reading import chi2, flat, modulation, share
from amplib.studies.collisions.study import COSINES, TopPairs
from amplib.studies.merit.reference import SMEARINGS, reference
from amplib.truth.collisions.columns import BEAM, TTBAR, columns
from amplib.truth.collisions.compact import LOWEST, pack, unpack


def ignore(work: float) -> None:
    """No progress bar."""


@pytest.fixture(scope="module")
def tops() -> dict[str, np.ndarray]:
    """The first 20 top pairs of the preset ``smoke``."""
    study = make_study("ttbar", "smoke")
    assert isinstance(study, TopPairs)
    return study.make((0,), ignore)


# ---------------------------------------------------------------- compact form


def test_packing_loses_less_than_a_detector(tops):
    events = tops["events"].astype(float)
    back = unpack(pack(events))
    angle = np.array([name.startswith(("eta", "phi")) for name in TTBAR])
    assert np.abs(back - events)[:, angle].max() < 8e-5
    there = events[:, ~angle] > 0
    assert np.abs(back[:, ~angle][there] / events[:, ~angle][there] - 1).max() < 1e-4
    np.testing.assert_array_equal(back == 0, events == 0)


def test_packing_is_idempotent(tops):
    codes = pack(tops["events"])
    np.testing.assert_array_equal(pack(unpack(codes)), codes)


@pytest.mark.parametrize(
    ("column", "value"), [("E_j1", 2 * BEAM), ("eta_j2", 5.5), ("phi_l1", 4.0), ("MET", np.nan)]
)
def test_what_cannot_be_packed_is_named(tops, column, value):
    events = tops["events"].astype(float)
    events[3, columns(TTBAR, column)] = value
    with pytest.raises(ValueError, match=f"event 3: {column} = "):
        pack(events)


def test_a_tiny_missing_momentum_is_stored_as_the_lowest(tops):
    events = tops["events"].astype(float)
    events[0, 0] = LOWEST / 10
    assert unpack(pack(events))[0, 0] == pytest.approx(LOWEST)


# ---------------------------------------------------------------- samples


@pytest.mark.parametrize("name", ["two-body", "z", "ttbar"])
def test_a_part_is_the_same_alone_and_after_another(name):
    study = make_study(name, "smoke")
    both = dict(study.compute([(0,), (1,)], "cpu", Path(), ignore))
    (_, alone), *_ = study.compute([(1,)], "cpu", Path(), ignore)
    np.testing.assert_array_equal(alone["events"], both[(1,)]["events"])
    assert not np.array_equal(both[(0,)]["events"], both[(1,)]["events"])
    assert both[(0,)]["events"].shape == (study.part_size, len(study.columns))


@pytest.mark.parametrize("name", ["two-body", "z", "ttbar"])
def test_seeds_give_events_of_their_own(name):
    first, same, other = (
        make_study(name, "smoke", part_size=2, seed=seed).make((0,), ignore)["events"]
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_presets_share_the_parts_of_a_sample(tmp_path):
    laptop, paper = (
        Result(make_study("ttbar", preset), preset, tmp_path) for preset in ("laptop", "paper")
    )
    assert laptop.folder == paper.folder


# ---------------------------------------------------------------- summaries


def test_a_summary_takes_what_is_stored(tmp_path, monkeypatch):
    """Parts in ``data/`` are read, not made: a stored part that was changed shows."""
    monkeypatch.setattr("amplib.files.DATA", tmp_path)
    sample = make_study("two-body", "smoke")
    arrays = sample.make((0,), ignore)
    arrays["events"] = np.repeat(arrays["events"][:1], sample.part_size, 0)
    made = provenance(None, "cpu", 1.0, together=1)
    Result(sample, "smoke").save((0,), arrays, made)
    summary = make_study("two-body-summary", "smoke")
    parts = dict(summary.compute([(0,), (1,)], "cpu", Path(), ignore))
    assert (parts[(0,)]["theta"] > 0).sum() == 1
    assert (parts[(1,)]["theta"] > 0).sum() > 30


def test_summary_of_z_counts_every_event():
    study = make_study("z-summary", "smoke")
    (_, kept), *_ = study.compute([(0,)], "cpu", Path(), ignore)
    n = study.part_size
    assert kept["cos_theta"].sum() == kept["phi"].sum() == kept["forward"].sum() == n
    assert len(kept["expected"]) == len(COSINES) - 1
    assert kept["expected"].sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(kept["pair_mass"], 91, rtol=1e-9)


def test_summary_of_z_by_hand():
    """Negative leptons at cos theta = 0.6 (electrons, twice) and -0.8 (a muon), all at phi = 0.1;
    forward is along the incoming electron, +z."""
    events = np.zeros((3, 16))
    for row, flavour, cosine in ((0, 0, 0.6), (1, 0, 0.6), (2, 8, -0.8)):
        across = np.sqrt(1 - cosine**2)
        p = 45.5 * np.array([across * np.cos(0.1), across * np.sin(0.1), cosine])
        events[row, flavour : flavour + 8] = [45.5, *p, 45.5, *-p]
    study = make_study("z-summary", "smoke")
    kept = study.reduce({"events": events})
    assert kept["forward"].tolist() == [2, 1]
    assert kept["electrons"].tolist() == [2, 3]
    places = np.repeat(COSINES[:-1] + 0.025, kept["cos_theta"])
    np.testing.assert_allclose(places, [-0.8, 0.6, 0.6], atol=0.026)
    assert kept["phi"][20] == 3  # 0 to 0.157
    assert kept["unbalanced"] == 0


def test_residuals_of_missing_momentum_are_measured_minus_true(tops):
    """50 GeV along +y against neutrinos of (10, 20): (-10, 30)."""
    events = np.array(tops["events"])
    events[:, columns(TTBAR, "MET", "phi_MET")] = 50e3, np.pi / 2
    arrays = {**tops, "events": events, "neutrinos": np.tile([10e3, 20e3], (len(events), 1))}
    kept = make_study("ttbar-summary", "smoke").reduce(arrays)
    np.testing.assert_allclose(kept["met_residuals"], [[-10e3, 30e3]] * len(events), atol=0.1)


def test_reference_counts_every_event(tops):
    """60 events: the 20, and 40 that are turned by an angle each."""
    turned = [np.array(tops["events"], float) for _ in range(3)]
    for k, events in enumerate(turned):
        at = columns(TTBAR, *(name for name in TTBAR if name.startswith("phi")))
        events[:, at] = np.remainder(events[:, at] + k + np.pi, 2 * np.pi) - np.pi
    events = np.concatenate(turned)
    kept, n = reference(events, np.random.default_rng(1)), len(events)
    assert (kept["histograms"].sum(2) == n).all()
    assert (kept["histograms_training"].sum(2) == n // 12).all()
    assert (kept["marginals"].sum(2) == n).all()
    first = kept["histograms"][:, 0].reshape(3, 25, 25).sum(2)  # MET, whatever its azimuth
    np.testing.assert_array_equal(first, kept["marginals"][:, 0].reshape(3, 25, 4).sum(2))
    phi = events[:, columns(TTBAR, "phi_j1", "phi_j2")]
    cells = np.unique(((phi + np.pi) / (2 * np.pi) * 1000).astype(int), axis=0)
    assert (kept["azimuths"].sum((1, 2)) == n).all()
    assert (kept["azimuths"][0][cells[:, 0], cells[:, 1]] > 0).all()
    assert kept["empty"][0, 1, -1] == pytest.approx(1 - len(cells) / 1e6)
    eta = events[:, columns(TTBAR, "eta_j1", "eta_j2")]
    cells = np.unique(((eta[(abs(eta) < 2.5).all(1)] + 2.5) / 5 * 1000).astype(int), axis=0)
    assert 0 < len(cells) < 20  # of the 20, some have a jet beyond 2.5
    assert kept["empty"][0, 0, -1] == pytest.approx(1 - len(cells) / 1e6, abs=1e-9)
    assert (kept["empty_held_out"] >= kept["empty"]).all()
    assert kept["sizes"].tolist() == list(range(2, 25, 2))  # of 60, 48 at most are compared
    assert kept["pairs"].tolist() == [60 // (2 * size) for size in kept["sizes"]]
    assert (kept["empty_at"][0] >= kept["empty_at"][-1]).all()
    assert (kept["delta"] > 0).all()
    assert (kept["delta_smeared"] > 0).all()
    assert kept["delta_of_smeared"].shape == (len(SMEARINGS), 2, 2)
    np.testing.assert_array_equal(kept["empty_at"].shape, (12, 2, 2, len(GRIDS)))
    with pytest.raises(ValueError, match="24 events at least, got 20"):
        reference(tops["events"], np.random.default_rng(1))


def test_reference_stores_the_events_that_it_is_made_of(tmp_path):
    """A fresh machine: what is asked for first makes its events, in ``data/``, part by part."""
    env = {**os.environ, "AMPLIFY_DATA": str(tmp_path / "d"), "AMPLIFY_RESULTS": str(tmp_path)}
    command = [sys.executable, "-m", "amplib", "compute", "ttbar-reference", "--preset", "smoke"]
    done = subprocess.run(
        [*command, "--device", "cpu"], capture_output=True, text=True, env=env, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    study = make_study("ttbar-reference", "smoke")
    sample = Result(study.made_of(), "smoke", tmp_path / "d")
    assert not sample.missing()
    kept = Result(study, "smoke", tmp_path).part((0,))
    events = np.concatenate([arrays["events"] for arrays in sample.each()])
    expected = reference(events, np.random.default_rng(study.seed))
    for name, array in expected.items():
        np.testing.assert_array_equal(kept[name], array, err_msg=name)


def test_summary_of_top_pairs_keeps_the_events(tops, tmp_path, monkeypatch):
    monkeypatch.setattr("amplib.files.DATA", tmp_path)
    (_, kept), *_ = make_study("ttbar-summary", "smoke").compute([(0,)], "cpu", Path(), ignore)
    np.testing.assert_array_equal(kept["packed"], pack(tops["events"]))
    assert kept["met_residuals"].shape == (20, 2)


def test_chi2_has_the_false_alarms_that_it_says():
    """1000 flat histograms: 5% of p-values below 0.05 within 4 sigma (0.7% each); a slope of 10%
    over 10,000 counts is found."""
    rng = np.random.default_rng(1)
    p = [flat(rng.multinomial(5000, np.full(20, 0.05))).p for _ in range(1000)]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.028)
    slope = np.linspace(0.9, 1.1, 20)
    assert chi2(rng.multinomial(10_000, slope / slope.sum()), np.ones(20)).p < 0.01


def test_share_has_a_binomial_error():
    estimate = share(25, 100)
    assert estimate.value == 0.25
    assert estimate.error == pytest.approx(np.sqrt(0.25 * 0.75 / 100))


def test_modulation_finds_the_period():
    """40,000 angles with a density 1 + 0.2 cos(36 phi) by rejection: 0.2 to 4 errors of 0.007."""
    rng = np.random.default_rng(2)
    phi = rng.uniform(-np.pi, np.pi, 100_000)
    kept = phi[rng.uniform(0, 1.2, len(phi)) < 1 + 0.2 * np.cos(36 * phi)][:40_000]
    found = modulation(kept, 36)
    assert found.error == pytest.approx(np.sqrt(2 / 40_000))
    assert abs(found.value - 0.2) < 4 * found.error
    assert modulation(kept, 35).value < 5 * found.error
