"""``amplib generate``: the same events in every file, and one line for what is refused."""

import re
import signal
import subprocess
import sys

import numpy as np
import pandas
import pytest
from safetensors.torch import save_file

from amplib.__main__ import main
from amplib.book.generate import BATCH, GAMMA, GENERATORS, top_pairs
from amplib.book.obtain import stored
from amplib.door.event_file import read_events
from amplib.files import ROOT
from amplib.models.buffer import TrainedVAE
from amplib.models.bvae import StackedVAE
from amplib.models.config import BufferConfig, VAEConfig
from amplib.store import compute
from amplib.studies.bvae.study import Scan
from amplib.studies.latent.study import LatentPriors
from amplib.studies.topvae.reading import Truth
from amplib.studies.topvae.study import FINE_BINS
from amplib.truth.collisions.columns import TTBAR
from amplib.truth.collisions.observables import OBSERVABLES, observables, released


def generated(path, n, *options):
    assert main(["generate", "ttbar", "-n", str(n), "-o", str(path), *options]) == 0
    return read_events(path)


def test_events_do_not_depend_on_their_number_or_file(tmp_path, capsys):
    few = generated(tmp_path / "a.npy", 300)
    assert "300 events, 0.031 MB" in capsys.readouterr().err
    generated(tmp_path / "one.npy", "1e0")
    assert ": 1 event, " in capsys.readouterr().err
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


def test_of_csv_it_says_how_pandas_reads_it(tmp_path, small_model, capsys):
    """By the very call: all events, with their names where these were asked for."""
    small_model.save(tmp_path / "m.safetensors")
    model = ["--model", str(tmp_path / "m.safetensors")]
    for name, options in (("a.csv", []), ("b.csv", ["--header"]), ("c.CSV.gz", ["--header"])):
        path = tmp_path / name
        command = ["generate", "ttbar", "-n", "70", "--output", str(path), *model, *options]
        assert main(command) == 0
        (call,) = re.findall(r"pandas\.read_csv\(.*\)", capsys.readouterr().err)
        table = eval(call, {"pandas": pandas})
        assert tuple(table) == (TTBAR if options else tuple(range(26)))
        np.testing.assert_allclose(table, read_events(path).x)
    generated(tmp_path / "a.npy", 70, *model)
    assert "read_csv" not in capsys.readouterr().err
    other = generated(tmp_path / "zero.npy", 70, *model, "--seed", "0")
    assert not np.isclose(other.x, table).all()


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("higgs -n 5 -o a.csv", "unknown generator 'higgs'; allowed: ttbar"),
        ("ttbar -n 0 -o a.csv", "n = 0: must be an integer from 1 to"),
        ("ttbar -n 1.5 -o a.csv", "argument -n: invalid int value: '1.5'"),
        ("ttbar -n 5 -o a.root", "unknown suffix; allowed: .csv"),
        ("ttbar -n 5 -o nowhere/a.csv", "-o nowhere/a.csv: no such folder"),
        ("ttbar -n 5 -o a.npy --header", "a.npy: a header is for .csv, .csv.gz"),
        ("ttbar -n 5 -o a.csv --gamma -1", "gamma = -1.0: must be a number from 0"),
        ("ttbar -n 5 -o a.csv --alpha nan", "argument --alpha: invalid float value: 'nan'"),
        ("ttbar -n 5 -o a.csv --negative cut", "negative = 'cut': allowed are kept, zero"),
        ("ttbar -n 5 -o a.csv --offset mean", "offset = 'mean': allowed are variance, deviation"),
        ("ttbar -n 5 -o a.csv --smudge mean", "smudge = 'mean': allowed are variance, deviation"),
        ("ttbar -n 5 -o a.csv --seed -1", "seed = -1: must be an integer from 0"),
        ("ttbar -n 5 -o a.csv --device tpu", "argument --device: invalid choice: 'tpu'"),
        ("ttbar -n 5 -o a.csv --model a.safetensors", "no such file: a.safetensors"),
        ("ttbar -n 5", "expected -n and -o, or --save-model"),
        ("ttbar --save-model m.pt", "--save-model m.pt: unknown suffix; allowed: .safetensors"),
        ("ttbar --save-model m.safetensors --gamma 0", "writes a model: it takes no gamma"),
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


def test_a_file_that_is_there_is_replaced_by_force_alone(tmp_path, small_model, capsys):
    small_model.save(tmp_path / "m.safetensors")
    path = tmp_path / "a.npy"
    path.write_text("ten hours of work")
    command = ["generate", "ttbar", "-n", "5", "-o", str(path)]
    command += ["--model", str(tmp_path / "m.safetensors")]
    assert main(command) == 2
    assert capsys.readouterr().err == (
        f"amplib: -o {path}: is there already; --force replaces it\n"
    )
    assert path.read_text() == "ten hours of work"
    assert main([*command, "--force"]) == 0
    assert len(read_events(path).x) == 5


ENDLESS = """
import signal, sys
from pathlib import Path
import amplib.book.generate as g
from amplib.__main__ import main

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it in the background
made = g.write_events
def begun(path, batches, *rest):
    def told():
        for batch in batches:
            yield batch
            print("begun", *(p.name for p in Path().glob(".*a.*")), flush=True)
    made(path, told(), *rest)
g.write_events = begun
options = ["-n", "900000000", "-o", f"a.{sys.argv[1]}", "--model", "m.safetensors"]
sys.exit(main(["generate", "ttbar", *options]))
"""


@pytest.mark.parametrize("suffix", ["csv", "h5"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_leaves_nothing(tmp_path, small_model, number, suffix):
    """The temporary file, of the name and the process once, is gone."""
    small_model.save(tmp_path / "m.safetensors")
    with subprocess.Popen(
        [sys.executable, "-c", ENDLESS, suffix], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout.readline() == f"begun .{process.pid}.a.{suffix}\n"
        process.send_signal(number)
        process.stdout.read()
        assert process.wait() == 128 + number
    assert [p.name for p in tmp_path.iterdir()] == ["m.safetensors"]


# ---- the model as a file ----


@pytest.fixture(scope="module")
def small_model():
    """Untrained, of top pairs' columns."""
    config = VAEConfig(latent=3, width=8, depth=2, batch_size=50)
    events = np.random.default_rng(1).normal(size=(60, len(TTBAR)))
    stack = StackedVAE([config], events[:50], events[50:], [np.random.SeedSequence(1)])
    return TrainedVAE.of(stack, 0, TTBAR)


def test_a_saved_model_makes_the_same_events(tmp_path, capsys):
    """To the last bit, of the same seed."""
    model, shipped, again = (tmp_path / name for name in ("m.safetensors", "a.npy", "b.npy"))
    assert main(["generate", "ttbar", "--save-model", str(model)]) == 0
    assert ": weights and 1" in capsys.readouterr().err  # 10,000 encodings or 100,000
    generated(shipped, 300, "--seed", "3")
    generated(again, 300, "--seed", "3", "--model", str(model))
    assert again.read_bytes() == shipped.read_bytes()
    assert f"Of the model in {model}" in capsys.readouterr().err


def test_a_model_file_needs_no_results(tmp_path, small_model, monkeypatch):
    monkeypatch.setattr("amplib.book.generate.stored", None)
    small_model.save(tmp_path / "m.safetensors")
    read = generated(tmp_path / "a.npy", 70, "--model", str(tmp_path / "m.safetensors"))
    prior = BufferConfig(gamma=GAMMA)
    (wanted,) = small_model.generate(70, np.random.SeedSequence(1), prior, BATCH)
    np.testing.assert_array_equal(read.x, wanted)


def damaged(model, path):
    model.save(path)
    data = bytearray(path.read_bytes())
    data[-7] ^= 1
    path.write_bytes(data)


def cut_off(model, path):
    model.save(path)
    path.write_bytes(path.read_bytes()[:-10])


def of_other_columns(model, path):
    columns = [f"c{k}" for k in range(len(TTBAR))]
    TrainedVAE(model.config, model.network, model.scale, columns, model.buffer).save(path)


@pytest.mark.parametrize(
    ("write", "line"),
    [
        (lambda model, path: None, "no such file: m.safetensors"),
        (lambda model, path: path.mkdir(), "no such file: m.safetensors"),
        (damaged, "m.safetensors is damaged: its numbers do not match their SHA-256"),
        (cut_off, "m.safetensors is damaged ("),
        (lambda model, path: path.write_text("no model"), "m.safetensors is damaged ("),
        (lambda model, path: path.write_bytes(b""), "m.safetensors is damaged ("),
        (lambda model, path: save_file({"a": model.scale}, path), "m.safetensors is no model of"),
        (of_other_columns, "m.safetensors has columns c0, c1"),
    ],
)
def test_a_model_file_that_is_none_is_one_line_and_no_work(
    tmp_path, small_model, monkeypatch, capsys, write, line
):
    monkeypatch.chdir(tmp_path)
    write(small_model, tmp_path / "m.safetensors")
    before = list(tmp_path.iterdir())
    command = ["generate", "ttbar", "-n", "5", "-o", "a.csv", "--model", "m.safetensors"]
    assert main(command) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"amplib: {line}") and error.count("\n") == 1
    assert list(tmp_path.iterdir()) == before


# ---- where, and in what memory ----


def test_the_model_moves_to_the_device_that_is_asked_for(
    tmp_path, small_model, monkeypatch, capsys
):
    moved = []
    monkeypatch.setattr(TrainedVAE, "to", lambda model, device: moved.append(device) or model)
    small_model.save(tmp_path / "m.safetensors")
    command = ["generate", "ttbar", "-n", "5", "-o", str(tmp_path / "a.npy")]
    command += ["--model", str(tmp_path / "m.safetensors")]
    command += ["--force"]
    for there in (True, False):
        monkeypatch.setattr(compute, "_has_cuda", lambda there=there: there)
        for option in ([], ["--device", "cpu"], ["--device", "auto"]):
            assert main([*command, *option]) == 0
    assert moved == ["cpu", "cpu", "cuda", "cpu", "cpu", "cpu"]
    capsys.readouterr()
    (tmp_path / "a.npy").unlink()
    assert main([*command, "--device", "cuda"]) == 2
    assert capsys.readouterr().err == "amplib: device = cuda: PyTorch finds no GPU here\n"
    assert not (tmp_path / "a.npy").exists()


GROWTH = """
import re
from pathlib import Path
from amplib.book import generate as g
from amplib.models.buffer import TrainedVAE

def peak(batches):
    g.generate("ttbar", batches * g.BATCH, Path("a.npy"), model=Path("m.safetensors"))
    # KiB; ru_maxrss would begin at what the process has that starts this one
    return int(re.search("VmHWM:(.*)kB", Path("/proc/self/status").read_text())[1])

g.BATCH = 20_000
first = peak(2)
more = peak(40)
one_by_one = TrainedVAE.generate
TrainedVAE.generate = lambda *arguments: iter(list(one_by_one(*arguments)))
print(more - first, peak(40) - more)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_memory_does_not_grow_with_the_number_of_events(tmp_path, small_model):
    """Of the process, as tracemalloc does not see torch's, in which events are made.

    40 batches of 2 MiB take no more at their peak than 2 do, within a quarter of what they hold
    themselves; a generator that keeps them until the last takes more than half of that.
    """
    small_model.save(tmp_path / "m.safetensors")
    done = subprocess.run(
        [sys.executable, "-c", GROWTH],
        capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, check=True,
    )  # fmt: skip
    events = 40 * 20_000 * len(TTBAR) * 4 / 1024
    as_it_is, keeping = map(int, done.stdout.split())
    assert as_it_is < events / 4
    assert keeping > events / 2


def test_alpha_multiplies_what_is_asked_for(tmp_path):
    """alpha = 3 on sigma is alpha = 9 on its square."""
    one, two, three = (
        generated(tmp_path / f"{k}.npy", 200, "--gamma", "0", *options).x
        for k, options in enumerate(
            (["--alpha", "3", "--smudge", "deviation"], ["--alpha", "9"], ["--alpha", "3"])
        )
    )
    np.testing.assert_allclose(one, two)
    assert not np.isclose(one, three).all()


# ---- defaults ----


def test_the_default_is_what_the_page_judges():
    assert LatentPriors().gamma == GAMMA
    assert LatentPriors().alpha == 1
    assert (Scan().offset, Scan().draw) == (BufferConfig().offset, BufferConfig().draw)
    assert GENERATORS == ("ttbar",)


def test_pairs_of_jets_below_the_simulations_masses_have_no_mass():
    """As the page of these events says: E^2 < p^2 in nearly all of them."""
    truth = Truth.of(stored("ttbar-reference", "paper"))
    shown = OBSERVABLES.index("M_2j")
    least = released().edges(shown, FINE_BINS)[np.flatnonzero(truth.marginals[shown])[0]]
    prior = BufferConfig(gamma=GAMMA)
    events = next(top_pairs()[0].generate(20_000, np.random.SeedSequence(1), prior, 20_000))
    masses = observables(events)[:, shown]  # negative where there is none
    below = masses[masses < least]
    assert 0.13 < len(below) / len(masses) < 0.15  # 0.142 +- 0.002
    assert (below < 0).mean() > 0.98
