"""``amplib generate``: the same events in every file, and one line for what is refused."""

import subprocess
import sys

import numpy as np
import pytest

from amplib.__main__ import main
from amplib.book.generate import BATCH, GAMMA, GENERATORS
from amplib.door.event_file import read_events
from amplib.files import ROOT
from amplib.studies.latent.study import LatentPriors
from amplib.truth.collisions.columns import TTBAR


def generated(path, n, *options):
    assert main(["generate", "ttbar", "-n", str(n), "-o", str(path), *options]) == 0
    return read_events(path)


def test_events_do_not_depend_on_their_number_or_file(tmp_path, capsys):
    few = generated(tmp_path / "a.npy", 300)
    assert "300 events" in capsys.readouterr().err
    more = generated(tmp_path / "b.parquet", BATCH + 7)
    assert few.x.shape == (300, 26) and more.x.shape == (BATCH + 7, 26)
    assert more.names == TTBAR
    np.testing.assert_allclose(more.x[:300], few.x, rtol=1e-4, atol=0.5)  # MeV
    text = generated(tmp_path / "c.csv", 300)
    np.testing.assert_allclose(text.x, few.x, rtol=1e-8)


def test_seed_and_buffer_change_them(tmp_path):
    one, two, three = (
        generated(tmp_path / f"{k}.npy", 200, *options).x
        for k, options in enumerate(([], ["--seed", "2"], ["--gamma", "0"]))
    )
    assert not np.isclose(one, two).any(0).all()
    assert not np.isclose(one, three).all()


def test_what_is_below_zero_is_cut_if_asked(tmp_path):
    """And gamma on the deviation gives others."""
    kept, cut, other = (
        generated(tmp_path / f"{k}.npy", 200, *options).x
        for k, options in enumerate(([], ["--negative", "zero"], ["--offset", "deviation"]))
    )
    magnitudes = [name.startswith(("MET", "E", "pT")) for name in TTBAR]
    assert (kept[:, magnitudes] < 0).any()
    np.testing.assert_array_equal(cut[:, magnitudes], np.maximum(kept[:, magnitudes], 0))
    np.testing.assert_array_equal(cut[:, ~np.array(magnitudes)], kept[:, ~np.array(magnitudes)])
    assert not np.isclose(kept, other).all()


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("higgs -n 5 -o a.csv", "unknown generator 'higgs'; allowed: ttbar"),
        ("ttbar -n 0 -o a.csv", "n = 0: must be an integer from 1 to"),
        ("ttbar -n 1.5 -o a.csv", "argument -n: invalid int value: '1.5'"),
        ("ttbar -n 5 -o a.root", "unknown suffix; allowed: .csv"),
        ("ttbar -n 5 -o nowhere/a.csv", "no such folder: nowhere"),
        ("ttbar -n 5 -o a.csv --gamma -1", "gamma = -1.0: must be a number from 0"),
        ("ttbar -n 5 -o a.csv --alpha nan", "argument --alpha: invalid float value: 'nan'"),
        ("ttbar -n 5 -o a.csv --negative cut", "negative = 'cut': allowed are kept, zero"),
        ("ttbar -n 5 -o a.csv --offset mean", "offset = 'mean': allowed are variance, deviation"),
        ("ttbar -n 5 -o a.csv --seed -1", "seed = -1: must be an integer from 0"),
    ],
)
def test_a_mistake_is_one_line_and_no_work(tmp_path, options, line):
    command = [sys.executable, "-m", "amplib", "generate", *options.split()]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 2
    assert done.stderr.startswith("amplib: ") and done.stderr.count("\n") == 1
    assert line in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_default_is_what_the_page_judges():
    assert LatentPriors().gamma == GAMMA
    assert LatentPriors().alpha == 1
    assert GENERATORS == ("ttbar",)
