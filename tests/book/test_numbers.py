"""The numbers that a notebook reports reach a table as they were measured."""

import math

import nbformat
import pytest

from amplib.book import report
from amplib.book.numbers import COLUMNS, Resolutions, numbers_of, rows_of, sources_of
from amplib.book.obtain import stored
from amplib.estimate import AtLeast, Estimate, Interval, Share
from amplib.files import RESULTS
from amplib.store.results import Result, cost_so_far, spent, with_sources
from amplib.studies.camel.study import READINGS, reading
from amplib.studies.catalogue import make_study


def test_every_kind_of_number_has_its_interval():
    (row,) = rows_of("n", Estimate(10.0, 1.0))
    assert (row["value"], row["error"], row["level"]) == (10, 1, 0.95)
    assert (round(row["low"], 2), round(row["high"], 2)) == (8.04, 11.96)
    (row,) = rows_of("n", Interval(5.0, 4.0, 7.0))
    assert (row["value"], row["low"], row["high"], row["level"]) == (5, 4, 7, 0.68)
    (row,) = rows_of("n", Estimate(5.0, 1.0, 4.0, 7.0).interval())
    assert (row["value"], row["low"], row["high"], row["level"]) == (5, 4, 7, 0.95)
    (row,) = rows_of("n", Share(1, 4))
    assert row["value"] == 0.25
    assert row["low"] < 0.25 < row["high"]
    assert row["over"] == 4
    (row,) = rows_of("n", Estimate(10.0, 1.0, 8.0, 13.0, 5))
    assert (row["low"], row["high"], row["over"]) == (8, 13, 5)
    (row,) = rows_of("n", 7)
    assert (row["value"], row["low"], row["error"], row["over"]) == (7, None, None, None)


def test_what_is_unbounded_is_left_open():
    """JSON knows no infinity."""
    (row,) = rows_of("n", Share(0, 0))
    assert (row["value"], row["low"], row["high"], row["over"]) == (None, 0, 1, 0)
    (row,) = rows_of("n", Estimate(10.0, math.nan))
    assert (row["error"], row["low"], row["high"]) == (None, None, None)


def test_text_and_truth_values_are_no_numbers():
    assert not list(rows_of("n", "10 ± 1"))
    assert not list(rows_of("n", True))


def test_resolutions_print_as_prose_has_them():
    measured = report.each(lambda q: Estimate(2.0 * q, 1.0), [10, 20])
    assert isinstance(measured, Resolutions)
    assert str(measured) == "20.0 ± 1.0 and 40.0 ± 1.0"
    rows = list(rows_of("n", measured))
    assert [(r["quantiles"], r["value"]) for r in rows] == [(10, 20), (20, 40)]


@pytest.fixture
def notebook(monkeypatch):
    """One cell, with the outputs that glue makes of what is told."""
    cell = nbformat.v4.new_code_cell()

    def glue(name, text, display):
        data = {"application/papermill.record/text/plain": repr(text)}
        metadata = {"scrapbook": {"name": name}}
        cell.outputs.append(nbformat.v4.new_output("display_data", data=data, metadata=metadata))

    monkeypatch.setattr(report, "glue", glue)
    return nbformat.v4.new_notebook(cells=[cell])


def test_a_notebook_carries_its_numbers(notebook):
    """What ``tell`` was handed is what is read."""
    report.tell(points=100, worth=Estimate(12.5, 0.5), word="it's more", quote=Share(3, 22))
    rows = numbers_of(notebook)
    assert [(r["number"], r["value"]) for r in rows] == [
        ("points", 100),
        ("worth", 12.5),
        ("quote", 3 / 22),
    ]


def test_a_figure_costs_what_its_results_are_made_of_as_well(monkeypatch):
    """A map of codes takes seconds, the training of the model that it is of an hour."""
    told = {}
    monkeypatch.setattr(report, "glue", lambda name, text, display: told.update({name: text}))
    mapped = stored("latent-map", "paper")
    trained = Result(mapped.study.made_of(), "paper")
    report.origin("figure", mapped)
    assert "[latent-map] preset paper" in told["figure-origin"]
    assert "[scan] preset paper" in told["figure-origin"]
    both = spent(with_sources([mapped])).core
    assert spent([trained]).core > 100 * spent([mapped]).core
    assert both > spent([mapped]).core + spent([trained]).core - 1
    assert told["figure-cost"].startswith(
        f"{report.duration(both)} of one core by the clock (preset paper)"
    )


def test_what_results_share_counts_once_and_events_by_the_million_do_not():
    results = [Result(make_study(name, "smoke"), "smoke") for name in ("latent-map", "event-gans")]
    names = [result.study.name for result in with_sources(results)]
    assert names == ["latent-map", "scan", "ttbar-reference", "event-gans"]


def test_a_notebook_names_the_results_that_it_draws(notebook):
    """Each once, whatever number of figures it is in."""
    results = [Result(make_study(name, "laptop"), "laptop") for name in ("gan", "fit")]
    report.origin("one", *results)
    report.origin("other", results[0])
    assert sources_of(notebook) == sorted(f"laptop/{r.study.store}/{r.key}" for r in results)
    assert all((RESULTS / source / "record.json").exists() for source in sources_of(notebook))


def test_a_row_has_the_columns_that_parameters_keep_away_from():
    for value in (7, Estimate(1.0, 1.0), AtLeast(1.0), Interval(5.0, 4.0, 7.0), Share(1, 4)):
        (row,) = rows_of("n", value)
        assert set(row) == set(COLUMNS)


def test_what_is_smaller_at_every_preset_is_in_the_banner(monkeypatch):
    """And in the words that other pages quote: results at the papers' settings are silent."""
    shown, glued = [], {}
    monkeypatch.setattr(report, "banner", lambda result: None)
    monkeypatch.setattr(report, "display", lambda box: shown.append(box.data))
    monkeypatch.setattr(report, "glue", lambda name, text, display: glued.update({name: text}))
    report.show_banner(object())
    assert not shown
    assert glued["scale"] == "The papers' own settings."
    report.show_banner(object(), also=["A sixteenth of the weights."])
    assert glued["scale"] == "A sixteenth of the weights."
    assert "- A sixteenth of the weights." in shown[0]


def test_results_of_one_study_have_one_line_of_origin(monkeypatch):
    """However many machines and commits made them: all of these are named."""
    told = {}
    monkeypatch.setattr(report, "glue", lambda name, text, display: told.update({name: text}))
    results = [Result(reading(name), "paper") for name in READINGS]
    report.origin("figure", *results)
    assert told["figure-origin"].count("[gan] preset paper") == 1
    assert f"{len(results)} results" in told["figure-origin"]
    for result in results:
        _, devices, commits = cost_so_far(result)
        assert all(one in told["figure-origin"] for one in (*devices, *commits))
