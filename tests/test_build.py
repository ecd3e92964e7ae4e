"""``make book`` after a crash: what was left half done is made again, without being told to."""

import os
import subprocess
import sys
import time

import pytest

from amplib.files import ROOT

SNAKEFILE = """
rule all:
    input: "whole.txt"

rule half:
    output: "whole.txt"
    shell:
        "echo half > {output}; if [ ! -e again ]; then touch again; {crash}; fi;"
        " echo whole > {output}"
"""
CODE = """
import sys
from pathlib import Path
import build
build.build(["--cores", "1", "--quiet", "all"], Path.cwd(), Path("Snakefile").resolve())
"""


@pytest.fixture
def start(tmp_path):
    """A build in a folder of its own, of a rule that does this in the middle of its first run."""

    def begin(crash):
        (tmp_path / "Snakefile").write_text(SNAKEFILE.replace("{crash}", crash))
        return subprocess.Popen(
            [sys.executable, "-c", CODE],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT / "workflow")},
            stderr=subprocess.PIPE,
            text=True,
        )

    return begin


def test_a_build_goes_on_after_it_was_killed(start, tmp_path):
    """kill -9 of Snakemake while a file is half written.

    Snakemake notes that a rule is under way a moment after it has started it: that is waited for.
    """
    noted = "until ls .snakemake/incomplete/* 2> /dev/null; do sleep 0.05; done"
    crash = f"{noted}; kill -9 $PPID; exit 1"
    first = start(crash)
    first.communicate(timeout=120)
    assert first.returncode == -9
    assert (tmp_path / "whole.txt").read_text() == "half\n"
    second = start(crash)
    _, said = second.communicate(timeout=120)
    assert second.returncode == 0, said
    assert (tmp_path / "whole.txt").read_text() == "whole\n"


def test_two_builds_at_once_are_refused_in_one_line(start, tmp_path):
    first = start("while [ ! -e go ]; do sleep 0.1; done")
    end = time.monotonic() + 120
    while not (tmp_path / "again").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    second = start("true")
    _, said = second.communicate(timeout=120)
    (tmp_path / "go").touch()
    first.communicate(timeout=120)
    assert second.returncode == 2
    assert said == f"the book in {tmp_path} is being built by another run\n"
    assert first.returncode == 0


def test_make_builds_through_it():
    makefile = (ROOT / "Makefile").read_text()
    assert "python workflow/build.py" in makefile
    assert "snakemake -s" not in makefile
