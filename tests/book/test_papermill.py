"""Built notebooks by papermill alone, from any folder, give what ``make figure`` gives.

Every field of the study that a notebook takes whole is changed at once, so that none is lost on the
way.  Half a minute a notebook.
"""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
import yaml

from amplib.book.numbers import numbers_of
from amplib.book.points import parameters_of
from amplib.files import ROOT
from amplib.parameters import ParameterError
from amplib.store.download import PUBLISHED
from amplib.studies.catalogue import STUDIES, make_study
from amplib.studies.showers.sampling import simulated
from amplib.truth.collisions.csv_file import write_events
from amplib.truth.showers.config import ShowerConfig
from amplib.truth.showers.getting_high import write_showers

NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.py"))
ONLY_ONE = {"dimension", "initialisation", "source"}
"""Fields that allow a single value here: the camel back has one dimension, with the other
initialisation a VAE of these few events diverges, and published events need their file."""
SHIPPED = {
    "network": ("paper/camel-gan", "laptop/camel-gan"),
    "reweighted": ("laptop/reweighted-gan", "laptop/shower-gan", "paper/shower-gan"),
}
"""What a page shows at any preset, as it takes an hour or days to train."""
RUNNER = [sys.executable, str(ROOT / "workflow" / "notebook.py")]


def other(study, field):
    """Another value of a field that the study allows beside all its others."""
    now = getattr(study, field.name)
    if field.name in ONLY_ONE:
        return now
    if "choices" in field.metadata:
        near = [choice for choice in field.metadata["choices"] if choice != now]
    elif isinstance(now, tuple):
        near = [now[:-1], (*now, now[-1])]
    else:
        near = [now + 1, now - 1] if isinstance(now, int) else [1.1 * now, 0.9 * now, 0.5]
    for value in near:
        try:
            dataclasses.replace(study, **{field.name: value})
        except ParameterError:
            continue
        return value
    return now


def all_changed(name):
    """Parameters of a notebook at ``smoke``, all of its study's fields changed."""
    own, study = parameters_of(ROOT / "notebooks" / f"{name}.py")
    if study is None:
        return {"preset": "smoke", **({"seed": 5} if "seed" in own else {})}
    changed = make_study(study, "smoke")
    for field in dataclasses.fields(changed):
        value = other(changed, field)
        changed = dataclasses.replace(changed, **{field.name: value})
    return {"preset": "smoke", **json.loads(json.dumps(changed.asdict()))}


@pytest.fixture
def environment(tmp_path):
    folders = {"AMPLIFY_RESULTS": str(tmp_path / "results"), "AMPLIFY_DATA": str(tmp_path / "data")}
    path = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    return {**os.environ, **folders, "PATH": path, "PYTHONPATH": str(ROOT)}


def ship(name, folder):
    """Put into the store what the page has at any preset."""
    for store in SHIPPED.get(name, ()):
        shutil.copytree(ROOT / "results" / store, folder / "results" / store)


def papermill(name, options, folder, environment):
    """The numbers that a built notebook reports, run in a folder of its own."""
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    subprocess.run([*RUNNER, "build", name], check=True, capture_output=True)
    built = ROOT / "_build" / "ipynb" / f"{name}.ipynb"
    command = [sys.executable, "-m", "papermill", "-k", "python3", str(built), "out.ipynb"]
    done = subprocess.run(
        [*command, *options], cwd=elsewhere, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return numbers_of(nbformat.read(elsewhere / "out.ipynb", 4))


def run(name, parameters, folder, environment):
    """The same by our own runner, which ``make figure`` uses."""
    options = [t for k, v in parameters.items() for t in ("-p", k, json.dumps(v))]
    output = folder / "ours.ipynb"
    subprocess.run(
        [*RUNNER, "run", name, str(output), *options],
        check=True, cwd=ROOT, env=environment, capture_output=True,
    )  # fmt: skip
    return numbers_of(nbformat.read(output, 4))


@pytest.mark.parametrize("name", [n for n in NOTEBOOKS if parameters_of(
    ROOT / "notebooks" / f"{n}.py")[1]])  # fmt: skip
def test_every_field_has_another_value(name):
    """That the study takes; so that the test below changes what it says."""
    study = parameters_of(ROOT / "notebooks" / f"{name}.py")[1]
    before, after = make_study(study, "smoke").asdict(), all_changed(name)
    same = [k for k, v in before.items() if json.dumps(v) == json.dumps(after[k])]
    assert set(after) == {"preset", *(f.name for f in dataclasses.fields(STUDIES[study]))}
    assert not set(same) - ONLY_ONE


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_papermill_alone_gives_what_make_figure_gives(name, tmp_path, environment):
    parameters = all_changed(name)
    ship(name, tmp_path)
    alone = papermill(name, ["-y", yaml.safe_dump(parameters)], tmp_path, environment)
    assert alone == run(name, parameters, tmp_path, environment)
    study = parameters_of(ROOT / "notebooks" / f"{name}.py")[1]
    if study and name not in SHIPPED:  # which draws the network, and trains none
        wanted = make_study(
            study, "smoke", **{k: v for k, v in parameters.items() if k != "preset"}
        )
        stored = list(Path(tmp_path).glob(f"*/**/{wanted.store}/{wanted.key()}/record.json"))
        assert stored, "the parameters did not reach the study"


@pytest.mark.slow
def test_papermill_takes_a_file_and_single_parameters_alike(tmp_path, environment):
    parameters = {"preset": "smoke", "n_train": 20, "seed": 3}
    file = tmp_path / "parameters.yml"
    file.write_text(yaml.safe_dump(parameters))
    single = [t for k, v in parameters.items() for t in ("-p", k, str(v))]
    found = [
        papermill("smoothing", options, tmp_path, environment)
        for options in (["-f", str(file)], single)
    ]
    assert found[0] == found[1]
    assert found[0]


@pytest.fixture
def published(environment):
    """Files of ours stand in for theirs: 400 showers and 200 top pairs in the published formats."""
    folder = Path(environment["AMPLIFY_DATA"])
    folder.mkdir()
    config = ShowerConfig()
    batches = list(simulated(config, 400, np.random.SeedSequence(5)))
    showers = ((np.full(len(b), config.energy), b.numpy()) for b in batches)
    write_showers(folder / PUBLISHED["showers"].name, showers)
    sample = make_study("ttbar", "smoke", events=200)
    top_pairs = (sample.make(part, lambda work: None)["events"] for part in sample.parts())
    write_events(folder / PUBLISHED["ttbar"].name, top_pairs)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "of", "results"),
    [("reweighted", "showers", 5), ("top_vae", "ttbar", 4), ("rivals", "ttbar", 7)],
)
def test_a_page_runs_on_published_events(name, of, results, tmp_path, environment, published):
    """Trainings and all; every stored result says so, by the file's SHA-256."""
    ship(name, tmp_path)
    options = ["-p", "preset", "smoke", "-p", "source", "published"]
    assert papermill(name, options, tmp_path, environment)
    records = [json.loads(r.read_text()) for r in tmp_path.glob("results/smoke/*/*/record.json")]
    assert len(records) == results
    for record in records:
        (part, *_) = record["parts"].values()
        assert part["data"].keys() == {PUBLISHED[of].name}, record["study"]
