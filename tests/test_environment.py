"""One environment, said three times: pyproject.toml, requirements.lock and environment.yml."""

from __future__ import annotations

import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from amplib.files import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
GROUPS = {"amplib": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
NOT_INSTALLED = {"geant4"}  # only for those who have its data sets
DIRECT = [
    Requirement(line)
    for name, group in GROUPS.items()
    for line in group
    if name not in NOT_INSTALLED
]
TRAINING = {"numpy", "safetensors", "scikit-learn", "scipy", "torch", "tqdm"}


def pins(lines: list[str]) -> dict[str, str]:
    """Name to version of lines ``name==version``."""
    entries = (line.split("==") for line in lines if line and line[0] not in "#-")
    return {canonicalize_name(name): version for name, version in entries}


LOCK = pins((ROOT / "requirements.lock").read_text().splitlines())


@pytest.mark.parametrize("requirement", DIRECT, ids=str)
def test_lock_meets_pyproject(requirement: Requirement) -> None:
    name = canonicalize_name(requirement.name)
    assert name in LOCK, f"{name} is in pyproject.toml but not in requirements.lock"
    assert requirement.specifier.contains(LOCK[name])


def test_conda_is_in_step_with_the_lock() -> None:
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    by_pip = next(entry["pip"] for entry in dependencies if isinstance(entry, dict))
    direct = {canonicalize_name(requirement.name) for requirement in DIRECT}
    assert pins(by_pip) == {name: LOCK[name] for name in direct}


def test_lock_names_no_host_and_no_build() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert all(line.count("==") == 1 for line in pinned)
    assert not [line for line in pinned if any(mark in line for mark in ("://", "@", "+", " "))]


def test_training_needs_little() -> None:
    """A bare GPU machine installs no more than this."""
    core = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
    assert core == TRAINING
