"""Notebooks: parameters are refused in one line, drawing needs no torch, and nbval bites."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import numpy as np
import pytest
import yaml

import amplib.files
from amplib.book.figure import draw, owners, suffix
from amplib.files import ROOT
from amplib.parameters import ParameterError
from amplib.studies.catalogue import make_study

NOTEBOOK = [sys.executable, str(ROOT / "workflow" / "notebook.py")]


def run_notebook(name, output, env=None, **parameters):
    options = [text for k, v in parameters.items() for text in ("-p", k, json.dumps(v))]
    return subprocess.run(
        [*NOTEBOOK, "run", name, str(output), *options],
        capture_output=True, text=True, env={**os.environ, **(env or {})}, cwd=ROOT,
    )  # fmt: skip


def test_a_refusal_is_one_line_of_the_command_before_any_work(tmp_path):
    store = tmp_path / "results"
    done = run_notebook("amplify", tmp_path / "a.ipynb", {"AMPLIFY_RESULTS": str(store)}, n_train=0)
    assert done.returncode == 2
    told = [text for text in done.stderr.splitlines() if text.startswith("ParameterError")]
    assert len(told) == 1
    assert "n_train = 0: must be an integer from 10 to" in told[0]
    assert "Traceback" not in done.stderr
    assert not list(store.glob("*/*/*")), "work was done before the parameter was refused"


def run_cells(name, **parameters):
    """What papermill runs, in this process: parameters are set behind the cell of the defaults."""
    namespace = {}
    for cell in jupytext.read(ROOT / "notebooks" / f"{name}.py").cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, name, "exec"), namespace)
        if "parameters" in cell.metadata.get("tags", []):
            namespace |= parameters


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        (
            {"n_trian": 200},
            r"unknown parameter 'n_trian' \(did you mean n_train\?\); allowed: preset, q",
        ),
        ({"quantiles": [1]}, r"quantiles = \[1\]: allowed are 2, 4, 5, 10"),
        ({"preset": "huge"}, r"preset = 'huge': allowed are best, smoke, laptop, paper"),
        ({"seed": -1}, r"seed = -1: must be an integer from 0"),
        ({"learning_rate": float("nan")}, r"learning_rate = nan: must be a number from"),
        ({"epochs": "many"}, r"epochs = 'many': must be an integer from"),
    ],
    ids=lambda p: "-".join(p) if isinstance(p, dict) else "",
)
def test_a_notebook_refuses_a_bad_parameter_before_any_work(
    tmp_path, monkeypatch, parameters, line
):
    monkeypatch.setattr(amplib.files, "RESULTS", tmp_path)
    with pytest.raises(ParameterError, match=line):
        run_cells("amplify", **parameters)
    assert not list(tmp_path.glob("*/*/*")), "work was done before the parameter was refused"


def test_a_page_of_two_studies_refuses_what_either_refuses_before_any_work(tmp_path):
    """Ten events are enough for a sample, not for the reference."""
    folders = {name: str(tmp_path / name) for name in ("AMPLIFY_RESULTS", "AMPLIFY_DATA")}
    done = run_notebook("merit", tmp_path / "a.ipynb", folders, preset="smoke", events=10)
    assert done.returncode == 2
    told = [text for text in done.stderr.splitlines() if text.startswith("ParameterError")]
    assert len(told) == 1
    assert "events = 10: must be an integer from 24" in told[0]
    assert "Traceback" not in done.stderr
    for folder in folders.values():
        assert not list(Path(folder).glob("**/*")), "work was done before the value was refused"


def test_what_a_page_computes_is_announced(tmp_path):
    folders = {name: str(tmp_path / name) for name in ("AMPLIFY_RESULTS", "AMPLIFY_DATA")}
    done = run_notebook("two_body", tmp_path / "a.ipynb", folders, preset="smoke")
    assert done.returncode == 0, done.stderr
    assert re.search(r"two-body-summary, preset smoke: .* parts on .*, about \d+ s\n", done.stderr)
    assert "encryption" not in done.stderr


@pytest.mark.parametrize("name", sorted(p.stem for p in (ROOT / "notebooks").glob("*.py")))
def test_every_notebook_refuses_an_unknown_preset(name):
    with pytest.raises(ParameterError, match=r"preset = 'huge': allowed are best, smoke"):
        run_cells(name, preset="huge")


def test_a_learning_rate_reaches_the_notebook_as_a_number(tmp_path):
    """5e-05 is a string to YAML, and the papers' own value."""
    done = run_notebook("amplify", tmp_path / "a.ipynb", learning_rate=5e-5, epochs=0)
    assert "ParameterError: epochs = 0" in done.stderr


def test_the_figure_command_refuses_as_the_notebook_does():
    """In one line, and before a kernel is started."""
    for options, line in (
        (["amplify-fig9"], "unknown figure 'amplify-fig9' (did you mean amplify-fig"),
        (["xyz"], "unknown figure 'xyz'; allowed: amplify-fig1"),
        (["amplify-fig2", "--set", "n_trian=50"], "amplify has no parameter 'n_trian' (did you"),
        (["amplify-fig2", "--set", "n_train=5"], "n_train = 5: must be an integer from 10 to"),
        (["yours-fig1", "--set", "n_train=5"], "n_train = 5: must be an integer from 100"),
    ):
        command = [sys.executable, "-m", "amplib", "figure", *options]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 2
        assert done.stderr.startswith(f"amplib: {line}")
        assert done.stderr.count("\n") == 1


def test_another_figure_has_another_name(monkeypatch, tmp_path):
    """Settings that differ from the book's are part of it; what the kernel is given is the same."""
    run = []

    class Process:
        def __init__(self, command, cwd):
            run.append(command[2:])

        def wait(self):
            return 0

    monkeypatch.setattr("amplib.book.figure.subprocess.Popen", Process)
    draw("amplify-fig2", "best", {})
    draw("amplify-fig2", "smoke", {"n_train": 50})
    (plain, other) = run
    build = ROOT / "_build"
    assert plain[:4] == ["run", "amplify", str(build / "amplify-fig2.ipynb"), "-s"]
    assert plain[4:] == ["", "-p", "preset", '"best"']
    assert other[2] == str(build / "amplify-fig2-smoke-n_train=50.ipynb")
    assert other[4:] == ["-smoke-n_train=50", "-p", "preset", '"smoke"', "-p", "n_train", "50"]
    assert len(suffix("best", {"a": "x" * 300})) < 120
    assert suffix("best", {"a": "x" * 300}) != suffix("best", {"a": "x" * 301})


def test_damaged_parts_are_a_line_each_however_often_they_are_read(tmp_path):
    """By the page, and by the workers that make them again."""
    folders = {name: str(tmp_path / name) for name in ("AMPLIFY_RESULTS", "AMPLIFY_DATA")}
    run_notebook("two_body", tmp_path / "a.ipynb", folders, preset="smoke")
    parts = sorted(tmp_path.glob("AMPLIFY_RESULTS/smoke/*/*/part-*.npz"))
    for part in parts:
        part.write_bytes(part.read_bytes()[:-1])
    done = run_notebook("two_body", tmp_path / "a.ipynb", folders, preset="smoke")
    assert done.returncode == 0, done.stderr
    named = [line for line in done.stderr.splitlines() if "refused" in line or "Warning" in line]
    assert named == [
        f"amplib: {part}: does not match its SHA-256; refused, to be computed again"
        for part in parts
    ]


@pytest.mark.parametrize(
    "module",
    [
        "book.report",
        "book.obtain",
        *(
            f"studies.{p.parent.name}.figures"
            for p in (ROOT / "amplib").glob("studies/*/figures.py")
        ),
    ],
)
def test_what_a_drawing_notebook_imports_leaves_torch_alone(module):
    code = f"import sys, amplib.{module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_gallery_has_every_figure_and_the_cost_of_the_owed():
    gallery = (ROOT / "book" / "gallery.md").read_text()
    cards = re.split(r"^::::\{grid-item-card\}", gallery, flags=re.M)[1:]
    shown = {re.search(r"^:link: (\S+)", card, re.M)[1]: card for card in cards}
    spec = yaml.safe_load((ROOT / "book" / "figures.yml").read_text())
    assert [key for key in {**spec["figures"], **owners()} if key not in shown] == []
    made_of_modules = {"amplify-fig3"}
    for key in {*spec["figures"]} - made_of_modules:
        assert f"::{key}-cost:s`" in shown[key], key


NOT_CITED = {
    "amplify-fig3": "its page shows nothing else",
    "amplify-trainings": "stands in the paragraph that it belongs to",
    "amplify-schedules": "stands below the sentence on it",
    "rivals-mbd": "shown where more is trained than the paper's table has",
    "rivals-one-turn": "shown where it is stored, of what one paragraph speaks",
    "rivals-each": "shown where GANs are trained more than once, below the sentence on it",
}
"""Figures and tables that no sentence of their page cites by number, and why."""


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.py")), ids=lambda p: p.stem)
def test_every_figure_and_table_is_cited_by_number(path):
    source = path.read_text()
    shown = re.findall(r'"figure": \{"name": "([^"]+)"', source)
    shown += re.findall(r'report\.show_(?:table|claims)\(\s*"([^"]+)"', source)
    lines = source.splitlines()
    prose = "\n".join(x for x in lines if x.startswith("#") and not x.startswith("# %%"))
    missing = {name for name in shown if f"{{numref}}`{name}`" not in prose}
    assert missing <= NOT_CITED.keys()
    for several in re.findall(r'report\.show_(?:table|claims)\(\s*f"([^"{]+)\{', source):
        assert f"{{numref}}`{several}" in prose


def test_every_owed_figure_has_an_owner():
    spec = yaml.safe_load((ROOT / "book" / "figures.yml").read_text())
    assert set(spec["figures"]) <= set(owners())


def nbval(folder, env):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-vv",
         "-p", "no:cacheprovider", str(ROOT / "_build" / "nbval" / "smoothing.ipynb")],
        capture_output=True, text=True, env={**os.environ, **env}, cwd=folder,
    )  # fmt: skip


@pytest.fixture
def checked():
    """The smoothing notebook with its stored reference."""
    subprocess.run([*NOTEBOOK, "check", "smoothing"], check=True, cwd=ROOT)


def test_nbval_passes_when_nothing_changes(tmp_path, checked):
    done = nbval(tmp_path, {})
    assert done.returncode == 0, done.stdout


def test_nbval_fails_when_a_stored_number_changes(tmp_path, checked):
    from amplib.book.obtain import stored
    from amplib.store.results import Result

    store = tmp_path / "results"
    shutil.copytree(ROOT / "results", store, ignore=shutil.ignore_patterns(".work"))
    original = stored("smoothing")
    copy = Result(original.study, original.preset, store)
    part, arrays = next(iter(copy.load().items()))
    arrays["loo"] = np.roll(arrays["loo"], 1, axis=1)
    copy.save(part, arrays, {"seconds": 1.0, "together": 1, "device": "test", "commit": None})
    done = nbval(tmp_path, {"AMPLIFY_RESULTS": str(store)})
    assert done.returncode == 1, done.stdout
    assert "Cell outputs differ" in done.stdout
    assert "leave-one-out" in done.stdout


def test_nbval_fails_when_a_metric_changes(tmp_path, checked):
    shutil.copytree(ROOT / "amplib", tmp_path / "amplib")
    for name in ("book", "results"):
        (tmp_path / name).symlink_to(ROOT / name)
    metric = tmp_path / "amplib" / "metrics" / "quantiles.py"
    right, wrong = "((p - 1 / q) ** 2).mean(axis=-1)", "((p - 1 / q) ** 2).mean(axis=-1) * 1.1"
    changed = metric.read_text().replace(right, wrong)
    assert wrong in changed
    metric.write_text(changed)
    done = nbval(tmp_path, {"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1, done.stdout
    assert "Cell outputs differ" in done.stdout
    assert "leave-one-out" in done.stdout


def test_references_are_of_the_checked_cells():
    subprocess.run([*NOTEBOOK, "check"], check=True, cwd=ROOT)
    for path in (ROOT / "tests" / "reference").glob("*.json"):
        assert Path(ROOT / "_build" / "nbval" / f"{path.stem}.ipynb").exists()


@pytest.mark.parametrize(
    ("notebook", "study", "others"),
    [
        ("amplify", "gan", ["quantiles"]),
        ("ensemble", "ensemble", ["quantiles"]),
        ("smoothing", "ensemble", ["quantiles"]),
        ("two_body", "two-body-summary", []),
        ("z", "z-summary", []),
        ("top_pairs", "ttbar-summary", []),
        ("merit", "ttbar-reference", []),
        ("top_vae", "top-events", []),
        ("plane", "top-point", []),
    ],
)
def test_a_notebook_takes_every_parameter_of_its_study(notebook, study, others):
    """Each is named in a call of ``read_parameters`` of the notebook, which refuses others."""
    from amplib.book.report import read_parameters
    from amplib.parameters import ParameterError

    source = (ROOT / "notebooks" / f"{notebook}.py").read_text()
    known = ", ".join(f'"{name}"' for name in ["preset", *others])
    assert f'read_parameters(globals(), {known}, study="{study}")' in source
    fields = make_study(study, "smoke").asdict()
    assert read_parameters(fields, "preset", *others, study=study) == fields
    with pytest.raises(ParameterError, match=r"unknown parameter 'n_trian'.*; allowed: preset, "):
        read_parameters({"n_trian": 1}, "preset", *others, study=study)
