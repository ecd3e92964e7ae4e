"""A sweep ends in one tidy table and its figure, and refuses a bad point before any work."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from amplib.files import ROOT


def run_sweep(store, *grid):
    return subprocess.run(
        [sys.executable, "-m", "amplib", "sweep", "gan", "--preset", "smoke", "--set", *grid],
        capture_output=True, text=True, env={**os.environ, "AMPLIFY_RESULTS": str(store)}, cwd=ROOT,
    )  # fmt: skip


def test_a_sweep_writes_a_row_a_point_and_resolution_and_a_figure(tmp_path):
    done = run_sweep(tmp_path, "n_train=20,30", "epochs=1")
    assert done.returncode == 0, done.stderr
    table, figure = map(Path, done.stdout.split())
    with table.open() as stream:
        rows = list(csv.DictReader(stream))
    points = [(r["n_train"], r["quantiles"]) for r in rows]
    assert points == [(n, q) for n in ("20", "30") for q in ("10", "20", "50")]
    for row in rows:
        worth = float(row["amplification"]) * int(row["n_train"])
        assert worth == pytest.approx(float(row["n_equiv"]))
    assert figure.read_text().lstrip().startswith("<?xml")


def test_a_bad_point_stops_a_sweep_before_the_first(tmp_path):
    done = run_sweep(tmp_path, "n_train=100,0")
    assert done.returncode == 2
    assert done.stderr.startswith("amplib: n_train = 0: must be an integer from 10")
    assert not list(tmp_path.glob("smoke/*"))
