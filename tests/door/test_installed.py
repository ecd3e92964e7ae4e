"""The package from outside: quick to import, and at home without the repository."""

import os
import shutil
import subprocess
import sys

import pytest

from amplib.files import ROOT

HEAVY = ("torch", "scipy", "matplotlib", "sklearn", "pandas", "numpy")


def python(code, **options):
    return subprocess.run(
        [sys.executable, *code], capture_output=True, text=True, check=False, **options
    )


def test_importing_the_package_is_quick_and_imports_nothing():
    """Least of three fresh processes, less an empty one's: below 0.2 s on a busy machine too."""
    code = f"import amplib, sys; sys.exit(str([m for m in {HEAVY} if m in sys.modules]))"
    assert python(["-c", code]).stderr.strip() == "[]"
    timed = "from time import perf_counter as t; a = t(); import amplib; print(t() - a)"
    assert min(float(python(["-c", timed]).stdout) for _ in range(3)) < 0.2


def test_the_door_names_what_it_offers():
    import amplib

    assert set(amplib.__all__) <= set(dir(amplib))
    for name in amplib.__all__:
        assert getattr(amplib, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'wroth'"):
        amplib.wroth  # noqa: B018


def test_judging_needs_neither_torch_nor_matplotlib():
    code = (
        "import amplib, sys, numpy as np; t = amplib.Shells(5)\n"
        "print(amplib.worth(t.sample(1000, np.random.default_rng(1)), truth=t, quantiles=32))\n"
        "sys.exit(str([m for m in ('torch', 'matplotlib', 'pandas') if m in sys.modules]))"
    )
    assert python(["-c", code]).stderr.strip() == "[]"


def test_status_looks_into_every_part_without_torch():
    """Which takes a second to import: what there is, is known before anything is trained."""
    code = (
        "import sys; from amplib.__main__ import main\n"
        "main(['status', '--preset', 'laptop'])\n"
        "sys.exit(str([m for m in ('torch', 'matplotlib') if m in sys.modules]))"
    )
    done = python(["-c", code], cwd=ROOT)
    assert done.stderr.strip() == "[]"
    assert all(f"\n{name} " in done.stdout for name in ("bibae", "shower-gan", "scan"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel, built from a copy and installed into an empty folder; no network."""
    base = tmp_path_factory.mktemp("wheel")
    source, target = base / "source", base / "target"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "amplib", source / "amplib", ignore=shutil.ignore_patterns("__pyc*"))
    pip = ["-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(base), "."]
    done = python([*pip, *build], cwd=source)
    assert done.returncode == 0, done.stderr
    (wheel,) = base.glob("amplib-*.whl")
    done = python([*pip, "install", "--no-deps", "--no-index", "-t", str(target), str(wheel)])
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
def run(installed, tmp_path):
    """Python with the installed package alone, in an empty folder, for another user."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AMPLIFY_", "XDG_"))}
    home = tmp_path / "home"
    home.mkdir()
    env = {**kept, "PYTHONPATH": str(installed), "HOME": str(home)}
    return lambda *code: python(code, cwd=tmp_path, env=env)


def test_the_wheel_has_door_models_and_metrics(run, installed):
    code = """
import amplib, numpy as np
from amplib.models.smoothing import BASELINES
from amplib.models.gan import StackedGAN
from amplib.metrics.quantiles import n_equiv
from amplib.metrics.delta import delta
truth = amplib.CamelBack()
def generator(sample, n, rng):
    return rng.choice(sample, n)
print(amplib.__file__)
print(amplib.amplify(truth, generator, n_train=100))
x = truth.sample(1000, np.random.default_rng(1))
print(amplib.worth(x, held_out=truth.sample(1000, np.random.default_rng(2))))
"""
    done = run("-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(installed))
    assert done.stdout.count("the generator") == 2


def test_without_the_repository_results_are_kept_with_the_user(run, tmp_path):
    home = tmp_path / "home" / ".local" / "share" / "amplify"
    done = run("-m", "amplib", "compute", "fit", "--preset", "smoke", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    assert f"results are kept in {home / 'results'}" in done.stderr
    assert list(home.glob("results/smoke/*/*/record.json"))
    status = run("-m", "amplib", "status", "--preset", "smoke")
    assert status.returncode == 0, status.stderr
    assert f"results are kept in {home / 'results'}" in status.stdout
    assert not [p.name for p in tmp_path.iterdir() if p.name != "home"]


def test_the_command_works_there_and_what_needs_the_repository_says_so(run, tmp_path):
    code = (
        "import amplib, numpy as np\n"
        "np.save('a', amplib.Ring().sample(999, np.random.default_rng(1)))"
    )
    assert run("-c", code).returncode == 0
    done = run("-m", "amplib", "worth", "a.npy", "--truth", "ring")
    assert done.returncode == 0, done.stderr
    assert "the generator" in done.stdout
    for command in (["claims"], ["figure", "amplify-fig1"]):
        done = run("-m", "amplib", *command)
        assert done.returncode == 2
        assert done.stderr.startswith("amplib: this needs the repository")
        assert done.stderr.count("\n") == 1
