"""The tables of the shipped sweeps: of the points that their files name, with the numbers that
today's code finds in the stored results."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from amplib.book import shipped
from amplib.book.obtain import stored
from amplib.book.shipped import Shipped
from amplib.estimate import Share
from amplib.files import ROOT
from amplib.metrics.quantiles import amplification_factor
from amplib.store.results import is_gpu, seconds_by_device, spent
from amplib.studies.camel.reading import gan_curve, members_of, sample_and_fit, smoothing
from amplib.studies.catalogue import STUDIES
from amplib.studies.plane.reading import Point

NAMES = sorted(path.stem for path in (ROOT / "workflow" / "sweeps").glob("*.yml"))
EXACT = 1e-12


def result_of(study, point):
    """What a point is of: the parameters that the study takes."""
    taken = {f.name for f in fields(STUDIES[study])}
    known = {k: v for k, v in point.parameters.items() if k in taken}
    return stored(study, point.parameters["preset"], **known)


def is_said(sweep, point, number, estimate, **where):
    """That the table has this number, with its interval, at a point."""
    ((_, row),) = sweep.numbers(number, point=point.key, **where).iterrows()
    _, low, high = estimate.interval()
    found = [row.value, row.error, row.low, row.high]
    assert found == pytest.approx([estimate.value, estimate.error, low, high], rel=EXACT)


@pytest.mark.parametrize("name", NAMES)
def test_every_sweep_of_the_book_has_its_table(name):
    sweep = Shipped.read(name)
    assert sweep.stale() is None
    assert sweep.table.commit.notna().all()
    assert set(sweep.table.preset) == {p.parameters["preset"] for p in sweep.points}
    for point in sweep.points:
        rows = sweep.table[sweep.table.point == point.key]
        for parameter, value in point.parameters.items():
            if parameter != "quantiles":  # each number has its own
                assert set(rows[parameter]) == {value}


def test_gans_amplify_what_the_table_says():
    """At every size, from the stored trainings."""
    sweep = Shipped.read("amplification")
    for point in sweep.points:
        result = result_of("ensemble", point)
        assert not result.missing(), "the sweep's trainings are not shipped"
        apart, curve = members_of(result), gan_curve(result)
        assert sweep.share("members-failed", point=point.key) == curve.failures
        for q in point.parameters["quantiles"]:
            one = amplification_factor(apart.own(q), q, apart.n_train)
            is_said(sweep, point, "member-factors", one, quantiles=q)
            both = curve.asymptote.amplification(q)
            is_said(sweep, point, "ensemble-factors", both, quantiles=q)


def test_fit_and_kernel_amplify_what_the_table_says():
    sweep = Shipped.read("amplification")
    for point in sweep.points:
        fits, kernels = (result_of(study, point) for study in ("fit", "smoothing"))
        fit, kernel = sample_and_fit(fits), smoothing(kernels)["loo"]
        failed = Share(int((~fit.valid).sum()), len(fit.valid))
        assert sweep.share("fits-failed", point=point.key) == failed
        for q in point.parameters["quantiles"]:
            is_said(sweep, point, "fit-factors", fit.fit.amplification(q), quantiles=q)
            is_said(sweep, point, "loo-factors", kernel.amplification(q), quantiles=q)


def test_the_first_members_are_worth_what_the_table_says():
    sweep = Shipped.read("members")
    for point in sweep.points:
        curve = gan_curve(result_of("ensemble", point))
        assert curve.members == point.parameters["members"]
        for q in point.parameters["quantiles"]:
            is_said(sweep, point, "ensemble-equivalents", curve.asymptote.n_equiv(q), quantiles=q)


def test_the_plane_is_what_the_table_says():
    sweep = Shipped.read("plane")
    for point in sweep.points:
        found = Point.of(result_of("top-point", point))
        is_said(sweep, point, "plane-delta", found.delta)
        is_said(sweep, point, "plane-eta", found.delta_of("eta"))
        is_said(sweep, point, "plane-phi", found.delta_of("phi"))


def test_a_table_of_other_points_is_stale(tmp_path, monkeypatch):
    """As when the file was changed and the sweep not run again."""
    table = pd.read_csv(shipped.table_path("members"))
    table[table.point != table.point[0]].to_csv(tmp_path / "members.csv", index=False)
    monkeypatch.setattr(shipped, "table_path", lambda name: tmp_path / f"{name}.csv")
    said = Shipped.read("members").stale()
    assert said == (
        "members.csv is not of the points of members.yml: make sweep "
        "SWEEP=workflow/sweeps/members.yml, and copy the table.csv that it ends in to book/sweeps"
    )


def test_a_number_that_is_not_there_is_named():
    with pytest.raises(KeyError, match="no worth at"):
        Shipped.read("members").numbers("worth", members=2)


def test_a_number_comes_back_as_it_was_reported():
    sweep = Shipped.read("members")
    found = sweep.estimates("ensemble-equivalents", "members", quantiles=20)
    assert list(found) == [1, 2, 3, 5, 10, 15, 20]
    assert all(e.repetitions == 4 and e.low < e.value < e.high for e in found.values())
    assert np.isfinite([e.error for e in found.values()]).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_sweep_costs_its_notebooks_and_the_results_behind_them(name):
    sweep = Shipped.read(name)
    each = sweep.table.groupby("point").seconds
    assert (each.nunique() == 1).all()
    notebooks = each.first().sum()
    assert notebooks > 2 * len(sweep.points)  # it takes as long to import what they need
    asked = ["top-point"] if name == "plane" else ["ensemble", "fit"]
    stored = [result_of(study, point) for study in asked for point in sweep.points]
    assert sweep.seconds > notebooks + 0.99 * spent(stored).core
    assert not any(map(is_gpu, seconds_by_device(stored))), "its seconds are said to be a core's"


def test_a_shipped_sweep_has_its_cost_in_an_empty_store(tmp_path, monkeypatch):
    sweep = Shipped.read("plane")
    here = sweep.seconds
    monkeypatch.setattr(shipped, "RESULTS", tmp_path)
    assert sweep.seconds == here
