"""The points of a sweep: what a specification means, and what is refused before any work."""

import math
from dataclasses import fields

import pytest

from amplib.book.obtain import asked
from amplib.book.points import MOST, OWN, from_file, parameters_of, points
from amplib.files import ROOT
from amplib.parameters import ParameterError
from amplib.studies.catalogue import STUDIES


def values(found, *names):
    return [tuple(p.parameters[n] for n in names) for p in found]


def of_file(tmp_path, text):
    path = tmp_path / "sweep.yml"
    path.write_text(text)
    return from_file(path, None, MOST)


def test_a_grid_is_all_combinations_at_the_preset():
    found = points(["amplify"], "smoke", {"grid": {"n_train": [20, 30], "seed": [1, 2, 3]}})
    assert values(found, "n_train", "seed") == [(n, s) for n in (20, 30) for s in (1, 2, 3)]
    assert {p.parameters["preset"] for p in found} == {"smoke"}
    assert len({p.key for p in found}) == 6


def test_a_point_has_the_same_key_in_every_sweep():
    """So that what is done is found again."""
    (one,) = points(["amplify"], "smoke", {"grid": {"n_train": [20], "seed": [1]}})
    (other,) = points(["amplify"], "smoke", {"list": [{"seed": 1, "n_train": 20}]})
    assert one.key == other.key
    assert one.key != points(["network"], "smoke", {"grid": {"seed": [1]}})[0].key


def test_a_file_multiplies_its_blocks(tmp_path):
    found = of_file(
        tmp_path,
        """
        notebooks: [amplify, network]
        preset: smoke
        zip: {n_train: [20, 40], batch_size: [5, 10]}
        list: [{seed: 7}, {seed: 8}]
        """,
    )
    assert len(found) == 2 * 2 * 2
    assert set(values(found, "n_train", "batch_size")) == {(20, 5), (40, 10)}


@pytest.mark.parametrize("kind", ["random", "sobol"])
def test_draws_lie_in_their_ranges_and_are_repeated(tmp_path, kind):
    """Whole numbers where both ends are; logarithmic ranges have as many below their middle."""
    text = f"""
        notebook: amplify
        {kind}: {{points: 64, seed: 3, n_train: [20, 23], learning_rate: [1.0e-5, 1.0e-3, log]}}
        """
    found = of_file(tmp_path, text)
    assert [p.key for p in found] == [p.key for p in of_file(tmp_path, text)]
    assert len(found) == 64
    numbers, rates = zip(*values(found, "n_train", "learning_rate"), strict=True)
    assert set(numbers) == {20, 21, 22, 23}
    assert all(type(n) is int for n in numbers)
    assert all(1e-5 <= r <= 1e-3 for r in rates)
    low = sum(r < 1e-4 for r in rates)  # exactly half of a Sobol sequence; 4 sigma of the others
    assert low == 32 if kind == "sobol" else abs(low - 32) <= 4 * math.sqrt(16)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("notebook: nowhere\ngrid: {seed: [1]}", "notebook = 'nowhere': allowed are amplify"),
        ("grid: {seed: [1]}", "notebook = None"),
        ("notebook: amplify\ngrid: {n_trian: [50]}", "amplify has no parameter 'n_trian'"),
        ("notebook: amplify\ngrid: {n_train: [50, 0]}", "n_train = 0: must be an integer from 10"),
        ("notebook: amplify\ngrid: {n_train: []}", "a sweep without a point"),
        ("notebook: amplify\ngrid: {}", "a sweep without a point"),
        ("notebook: amplify", "a sweep without a point"),
        ("notebook: amplify\npreset: huge\ngrid: {seed: [1]}", "preset = 'huge'"),
        ("notebook: amplify\ngird: {seed: [1]}", "unknown 'gird'; allowed: notebook, notebooks"),
        ("notebook: amplify\nzip: {seed: [1, 2], n_train: [50]}", "different numbers"),
        ("notebook: amplify\ngrid: {seed: [1]}\nzip: {seed: [2]}", "seed is given twice"),
        ("notebook: amplify\ngrid: {preset: [smoke]}", "preset is given twice"),
        ("notebook: amplify\nlist: [1, 2]", "list: expected points"),
        ("notebook: amplify\nrandom: {points: -1, seed: 1, epochs: [1, 2]}", "whole number of poi"),
        ("notebook: amplify\nrandom: {points: 4, epochs: [9, 2]}", "expected \\[low, high\\]"),
        ("notebook: amplify\nrandom: {points: 4, input_noise: [0, 2, log]}", "low, high, log"),
        ("notebook: amplify\nsobol: {points: 4}", "expected ranges"),
        ("notebook: amplify\ngrid: {seed: [" + "1, " * 250 + "1]}", "251 points: more than 200"),
        (
            "notebook: amplify\ngrid: {" + ", ".join(f"a{k}: [1, 2]" for k in range(60)) + "}",
            "1,152,92",
        ),
        (
            "notebook: amplify\nrandom: {points: 10000000000, epochs: [1, 2]}",
            "10,000,000,000 points",
        ),
        (
            "notebook: amplify\nsobol: {points: 10000000000, epochs: [1, 2]}",
            "10,000,000,000 points",
        ),
        ("notebook: amplify\ngrid: {'open': [1]}", "'open' is no name of a parameter"),
        ("notebook: amplify\nrandom: {points: 4, seed: -1, epochs: [1, 2]}", "a seed from 0"),
        ("notebook: amplify\nnotebooks: [network]\ngrid: {seed: [1]}", "either notebook or noteb"),
        ("notebook: amplify\nlist: [{quantiles: [7]}]", "quantiles = \\[7\\]: allowed are 2, 4"),
        ("notebook: closer\nlist: [{resolutions: [7]}]", "\\[7\\]: allowed are 2, 4"),
        ("notebook: yours\ngrid: {n_train: [5]}", "n_train = 5: must be an integer from 100"),
        ("notebook: how_far\ngrid: {jobs: [-1]}", "jobs = -1: must be an integer from 1"),
        ("notebook: [unclosed", "is no YAML"),
        ("just text", "expected notebook, notebooks"),
        ("", "expected notebook, notebooks"),
    ],
)
def test_a_bad_sweep_is_refused_in_one_line(tmp_path, text, line):
    with pytest.raises(ParameterError, match=line) as refusal:
        of_file(tmp_path, text)
    assert "\n" not in str(refusal.value)


def test_a_preset_that_is_asked_for_is_that_of_all_points(tmp_path):
    path = tmp_path / "sweep.yml"
    path.write_text("notebook: amplify\npreset: paper\ngrid: {seed: [1]}")
    for given, had in [(None, "paper"), ("smoke", "smoke")]:
        (point,) = from_file(path, given, MOST)
        assert point.parameters["preset"] == had


def test_nothing_in_a_parameters_cell_goes_unchecked():
    """By a study, or by what its notebook checks itself."""
    for source in sorted((ROOT / "notebooks").glob("*.py")):
        names, study = parameters_of(source)
        studies = {study} if study else asked(source)
        checked = {"preset", *OWN, *(f.name for s in studies for f in fields(STUDIES[s]))}
        assert source.stem == "yours" or set(names) <= checked, source.stem


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ParameterError, match=r"none\.yml: No such file"):
        from_file(tmp_path / "none.yml", None, MOST)


def test_parameters_are_those_of_the_cell_and_of_the_study():
    names, study = parameters_of(ROOT / "notebooks" / "amplify.py")
    assert next(iter(names)) == "preset"
    assert "quantiles" in names
    assert study == "gan"
