"""What people type: a parameter is data and never code, and a mistake is one line and no work."""

import os
import re
import subprocess
import sys

import jupytext
import nbformat
import pytest

from amplib.book.jobs import places, profile_folder
from amplib.book.points import from_file
from amplib.book.report import check_names, read_parameters
from amplib.commands.arguments import assignments, span
from amplib.files import ROOT
from amplib.parameters import ParameterError
from amplib.store.shares import take
from amplib.studies.catalogue import STUDIES

INJECTED = {
    "a second command": "n_train=0; touch {file}",
    "a command in backticks": "n_train=`touch {file}`",
    "a command in a dollar": "n_train=$(touch {file})",
    "a call of make's": "n_train=$(shell touch {file})",
    "a quote that ends": "n_train=0' \"; touch {file}; '",
    "Python": "__import__('pathlib').Path('{file}').touch();n_train=0",
}


def run(command, **environment):
    """Status and stderr of a command in the repository."""
    path = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    return done.returncode, done.stderr.strip()


def make(target, **variables):
    given = [f"{name}={value}" for name, value in variables.items()]
    return run(["make", "-s", "-o", ".venv/.ready", target, *given])


TARGETS = {
    ("compute", "SET"): {"STUDY": "fit", "PRESET": "smoke"},
    ("compute", "STUDY"): {},
    ("compute", "ARGS"): {"STUDY": "fit"},
    ("compute", "PRESET"): {"STUDY": "fit"},
    ("figure", "SET"): {"ID": "amplify-fig2", "PRESET": "smoke"},
    ("figure", "ID"): {},
    ("sweep", "SET"): {"NOTEBOOK": "amplify", "PRESET": "smoke"},
    ("sweep", "PROFILE"): {"NOTEBOOK": "amplify", "PRESET": "smoke", "SET": "seed=1,2"},
    ("cluster", "PROFILE"): {"STUDY": "fit", "PRESET": "smoke"},
    ("cluster", "JOBS"): {"STUDY": "fit", "PRESET": "smoke"},
    ("cluster", "MINUTES"): {"STUDY": "fit", "PRESET": "smoke"},
    ("paper", "MINUTES"): {"STUDY": "gan"},
    ("merge", "FROM"): {},
    ("data", "NAME"): {},
    ("status", "PRESET"): {},
}
"""Where a value comes in, and what else the target needs to come to it."""
CASES = [("compute", "SET", how) for how in INJECTED] + [
    # The worst of them everywhere else: make itself would run it.
    (*place, "a call of make's")
    for place in TARGETS
    if place != ("compute", "SET")
]


@pytest.mark.parametrize(("target", "variable", "how"), CASES)
def test_nothing_that_make_is_given_is_run(target, variable, how, tmp_path):
    """Refused in one line, and the file is not there."""
    file = tmp_path / "touched"
    others = TARGETS[target, variable]
    status, said = make(target, **others, **{variable: INJECTED[how].format(file=file)})
    assert status == 2
    assert not file.exists()
    ours = [line for line in said.splitlines() if not re.match(r"make(\[\d+\])?: \*\*\*", line)]
    assert len(ours) == 1, said


@pytest.mark.parametrize(
    "name", ["__import__('os');n", "a b", "n-train", "_n_train", "open", "In", "class", "", "nü"]
)
def test_what_is_no_name_never_reaches_a_notebook(name):
    with pytest.raises(ParameterError, match="is no name of a parameter"):
        check_names(["n_train", name])


SWEEPS = {
    "nested without end": "[" * 5000,
    "a number for a name": "notebook: amplify\ngrid: {1: [1]}",
    "a list for a notebook": "notebook: [[amplify]]\ngrid: {seed: [1]}",
    "a mapping for a notebook": "notebook: {amplify: 1}\ngrid: {seed: [1]}",
    "a day for a number": "notebook: yours\npreset: smoke\ngrid: {n_train: [2026-01-01]}",
    "a mapping for a number": "notebook: yours\npreset: smoke\nlist: [{n_train: {a: 1}}]",
    "a name given twice": "notebook: amplify\ngrid: {seed: [1], seed: [2]}",
    "a block given twice": "notebook: amplify\ngrid: {seed: [1]}\ngrid: {epochs: [2]}",
    "notebooks twice": "notebook: amplify\nnotebooks: [yours]\ngrid: {seed: [1]}",
    "no such day": "notebook: amplify\ngrid: {seed: [2026-13-45]}",
    "no such preset": "notebook: yours\npreset: huge\ngrid: {seed: [1]}",
    "Python": "!!python/object/apply:os.system ['touch pwned']",
}


@pytest.mark.parametrize("how", SWEEPS)
def test_a_sweep_that_cannot_be_is_refused_in_one_line(how, tmp_path):
    path = tmp_path / "sweep.yml"
    path.write_text(SWEEPS[how])
    with pytest.raises(ParameterError) as caught:
        from_file(path, None, 10)
    assert len(str(caught.value).splitlines()) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["sweep.yml"]


def test_names_of_parameters_do():
    check_names(["n_train", "gradient_path", "preset", "quantiles", "beta_1"])


IPYTHON = {"In": [""], "Out": {}, "exit": exit, "open": open, "_": "", "_i1": "", "__name__": ""}


@pytest.mark.parametrize(
    ("name", "value"), [("_n_train", 5), ("open", 5), ("In", 5), ("exit", "now"), ("n_trian", 5)]
)
def test_a_notebook_refuses_names_that_papermill_has_set(name, value):
    """Papermill alone, without our runner, sets whatever it is given."""
    with pytest.raises(ParameterError, match="unknown parameter"):
        read_parameters({**IPYTHON, "preset": "smoke", name: value}, "preset", study="gan")


def test_a_notebook_takes_what_it_knows_and_not_what_ipython_sets():
    given = read_parameters({**IPYTHON, "preset": "smoke", "n_train": 50}, "preset", study="gan")
    assert given == {"preset": "smoke", "n_train": 50}


@pytest.mark.parametrize(
    "pairs", [["preset=smoke"], ["seed=1", "seed=2"], ["seed="], ["seed"], ["=1"]]
)
def test_assignments_that_are_refused(pairs):
    with pytest.raises(ValueError, match=r"expected NAME|given twice|not set here"):
        assignments(pairs)


def test_numbers_are_written_as_usual():
    """What Python would take for numbers as well stays text, and is refused by its field."""
    assert assignments(["a=-3", "b=2.5", "c=1e3", "d=.5"]) == {
        "a": -3,
        "b": 2.5,
        "c": 1e3,
        "d": 0.5,
    }
    odd = {"a": "1_00", "b": "１００", "c": "²", "d": "nan", "e": "inf", "f": " 1", "g": "0x10"}
    assert assignments([f"{k}={v}" for k, v in odd.items()]) == odd


@pytest.mark.parametrize("text", ["²:³", "１:２", "1_0:20", "5:2", "a:b", "3", ":", "-1:2"])
def test_spans_that_are_refused(text):
    with pytest.raises(ValueError, match="expected FIRST:LAST"):
        span(text)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["compute", "gan", "--minutes", "x"], "invalid float value"),
        (["compute", "gan", "--set", "n_train=1_00"], "n_train = '1_00'"),
        (["compute", "gan", "--set", "_n_train=5"], "unknown parameter '_n_train'"),
        (["compute", "gan", "--preset", "['smoke']"], "allowed are best, smoke"),
        (
            ["compute", "gan", "--preset", "smoke", "--only", "100:200"],
            "none of the parts",
        ),
        (["compute", "fit", "--jobs", "２"], "invalid int value: '２'"),
        (["compute", "fit", "--limit", "1_0"], "invalid int value: '1_0'"),
        (["compute", "--all", "--minutes", "1_0"], "invalid float value: '1_0'"),
        (["cluster", "fit", "--minutes", "１"], "invalid float value: '１'"),
        (["compute", "fit", "--set", "n_train=50", "--set", "n_train=60"], "given twice"),
        (["compute", "fit", "--set", "seed=-1", "--set", "n_train=60"], "seed = -1"),
        (["sweep", "amplify", "--set", "seed=1", "--max-points", "1_0"], "invalid int value"),
        (["sweep", "yours", "--preset", "huge", "--set", "seed=1"], "preset = 'huge'"),
        (["sweep", "yours", "--set", "n_train=5"], "n_train = 5: must be an integer from 100"),
        (["generate", "ttbar", "-n", "1_0", "-o", "a.csv"], "invalid int value: '1_0'"),
        (["status", "--nonsense"], "unrecognized arguments: --nonsense"),
        (["nonsense"], "invalid choice: 'nonsense'"),
        (["figure", "amplify-fig2", "--set", "preset=smoke"], "preset is not set here"),
        (["figure", "amplify-fig2", "--set", "open=5"], "'open' is no name of a parameter"),
        (["sweep", "amplify", "--set", "n_train=50,0"], "n_train = 0"),
        (
            ["sweep", "amplify", "--set", "seed=1", "--profile", "pbs"],
            "profile = 'pbs': allowed are htcondor, kubernetes, slurm, or a folder",
        ),
        (["cluster", "gan", "--profile", "pbs"], "profile = 'pbs'"),
        (["cluster", "gan", "--profile", ""], "profile = ''"),
        (["sweep", "closer", "--set", "resolutions=3,4"], "resolutions = 3: must be a list"),
        (["sweep", "how_far", "--set", "jobs=x"], "jobs = 'x': must be an integer, as in 1000"),
        (["sweep", "reweighted", "--set", "made_energy=0"], "made_energy = 0: must be a number"),
        (["sweep", "latent", "--set", "gamma=nan,1"], "gamma = 'nan': must be a number"),
        (["sweep", "rivals", "--set", "training_events=0"], "training_events = 0"),
        (["sweep", "top_vae", "--set", "gamma=-1"], "gamma = -1: must be a number"),
        (["sweep", "amplify", "--set", "seed=1", "--profile", ""], "profile = ''"),
        (["figure", "amplify-fig2", "--preset", "x"], "preset = 'x': allowed are best, smoke"),
        (["merge", "README.md"], "is no archive of results"),
        (["worth", "x.npy", "--truth", "shells-999999999"], "truth = 'shells-999999999'"),
        (["worth", "x.npy", "--truth", "shells-٥"], "allowed are camel-back, ring"),
        (["cluster", "nothing"], "unknown study 'nothing'"),
        (["cluster", "gan", "--preset", "best"], "allowed are smoke, laptop, paper"),
        (["cluster", "gan", "--jobs", "0"], "jobs = 0: must be an integer from 1"),
        (["cluster", "gan", "--minutes", "0"], "minutes = 0.0: must be a number above zero"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line(arguments, line):
    status, said = run([sys.executable, "-m", "amplib", *arguments])
    assert status == 2
    assert line in said
    assert len(said.splitlines()) == 1, said


PROFILES = ["jobs: x", "[]", "jobs: [", "jobs: -1", "jobs: 1.5", "jobs: 1\njobs: 2", "[" * 5000]


@pytest.mark.parametrize("text", PROFILES)
def test_a_profile_that_cannot_be_is_one_line(text, tmp_path):
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ParameterError, match=r"config\.yaml(: | is )") as caught:
        places(profile_folder(str(tmp_path)), None)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("data", [b"junk", b"\x1f\x8b\x08\x00", b"BZh9", b"\xfd7zXZ\x00\x00", b""])
def test_what_is_no_archive_is_one_line(data, tmp_path):
    (tmp_path / "share.tar").write_bytes(data)
    with pytest.raises(ValueError, match="is no archive of results") as caught:
        take(tmp_path / "share.tar", STUDIES, tmp_path / "results")
    assert len(str(caught.value).splitlines()) == 1
    assert {p.name for p in tmp_path.iterdir()} == {"share.tar"}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_unicode_shows_the_claims(encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-m", "amplib", "claims"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (b"?" if encoding == "ascii" else b"\xb1") in done.stdout


@pytest.mark.parametrize("command", ["claims", "status", "figure"])
def test_a_locale_without_utf_8_changes_nothing(command):
    """Not even Python's own help for such locales is at hand."""
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    arguments = [sys.executable, "-m", "amplib", command, *(["nothing"] * (command == "figure"))]
    done = subprocess.run(arguments, cwd=ROOT, env={**os.environ, **plain}, capture_output=True)
    assert b"Traceback" not in done.stderr
    assert done.returncode == (2 if command == "figure" else 0)
    assert len(done.stderr.splitlines()) == (command == "figure")
    assert command == "figure" or len(done.stdout.splitlines()) > 20


def test_an_empty_results_folder_is_the_usual_one():
    code = "from amplib.files import RESULTS, ROOT; print(RESULTS == ROOT / 'results')"
    environment = {**os.environ, "AMPLIFY_RESULTS": "", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert done.stdout == b"True\n"


@pytest.fixture
def notebook(monkeypatch, tmp_path):
    """The runner of notebooks on a source of our own."""
    monkeypatch.syspath_prepend(ROOT / "workflow")
    import notebook as runner

    monkeypatch.setattr(runner, "ROOT", tmp_path)
    (tmp_path / "notebooks").mkdir()

    def execute(*cells):
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        book.cells[0].metadata["tags"] = ["parameters"]
        jupytext.write(book, tmp_path / "notebooks" / "page.py", fmt="py:percent")
        runner.run("page", tmp_path / "out.ipynb", {"n": 3})
        return nbformat.read(tmp_path / "out.ipynb", 4)

    return execute


def test_a_refused_page_leaves_the_last_one_alone(notebook, tmp_path):
    refuse = "from amplib.parameters import ParameterError\nraise ParameterError('n = 3: too few')"
    assert notebook("n = 1", "print(n)").cells[-1].outputs[0].text == "3\n"
    before = (tmp_path / "out.ipynb").read_bytes()
    with pytest.raises(ParameterError, match=r"^n = 3: too few$"):
        notebook("n = 1", refuse)
    assert (tmp_path / "out.ipynb").read_bytes() == before
    assert {p.name for p in tmp_path.glob("*.ipynb")} == {"out.ipynb"}


def test_a_kernel_that_dies_is_one_line_with_its_cell(notebook):
    with pytest.raises(SystemExit, match=r"^page: the kernel died in cell 4 \(import os\)$"):
        notebook("n = 1", "print(n)", "import os\nos._exit(9)")
