"""``python -m amplib``: what the make targets call."""

from __future__ import annotations

import argparse
import gzip
import io
import json
import re
import sys
import warnings
from collections.abc import Collection, Sequence
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from amplib import files
from amplib.book.data import make_data
from amplib.book.obtain import BEST, is_wanting, stored
from amplib.progress import ended_by_sigterm, shown
from amplib.store.compute import WorkerDied, check_positive, compute
from amplib.store.rates import cost
from amplib.store.results import Result, warn_in_lines
from amplib.store.study import PRESETS
from amplib.studies.catalogue import STUDIES, make_study, results_of, wanted

if TYPE_CHECKING:
    from tqdm import tqdm

CHANGES: dict[str, Any] = {
    "nargs": "*",
    "action": "extend",  # a second --set adds to the first
    "default": [],
    "metavar": "NAME=VALUE",
    "help": "parameters",
}
PLOTS = (".svg", ".pdf", ".png")
"""What ``amplib worth`` draws."""
WEIGHTS = (".npy", ".csv", ".csv.gz", ".txt", ".txt.gz")
"""What ``amplib reweight`` writes."""
EVENTS = "a file: csv, csv.gz, txt, txt.gz, npy, h5, hdf5, parquet"
TABLES = (".json",)
"""How ``amplib status`` and ``amplib claims`` write theirs."""
MODELS = (".safetensors",)
"""How ``amplib generate`` writes a model."""
REPLACED: dict[str, Any] = {"action": "store_true", "help": "replace a file that is there"}
LONGEST = 100
"""Characters of a sweep's name: a file system takes no more than 255 bytes."""
_DIGITS = re.compile("[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class Parser(argparse.ArgumentParser):
    """Refuses in one line; takes numbers that are written as usual."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.register("type", int, partial(_number, int))
        self.register("type", float, partial(_number, float))

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"amplib: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; bad input is one line on stderr and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a locale may not have ± and ×
            stream.reconfigure(errors="replace")
    warn_in_lines()
    parser = Parser(prog="amplib")
    commands = parser.add_subparsers(dest="command", required=True)

    c = commands.add_parser("worth", help="what the events of your generator are worth")
    c.add_argument(
        "events", type=Path, help=f"{EVENTS}; independent draws, no copies of the training sample"
    )
    c.add_argument("--truth", help="camel-back, ring, or shells-D in D dimensions")
    c.add_argument(
        "--held-out",
        type=Path,
        help="a file of true events, with the same columns; they count alike, for with weights "
        "neither their cells would be of equal mass nor the noise of these known",
    )
    c.add_argument("--train", type=int, metavar="N", help="events the generator was trained on")
    c.add_argument("--quantiles", type=int, default=50, help="cells of equal mass; 50 by default")
    c.add_argument("--columns", nargs="+", default=[], metavar="NAME", help="all by default")
    c.add_argument(
        "--weights",
        metavar="NAME",
        help="the generated events' column of weights, if they have any; a column of this name in "
        "the held-out file is not used",
    )
    c.add_argument("--json", action="store_true", help="print JSON in place of the table")
    c.add_argument("--plot", type=Path, metavar="FILE", help="draw it: .svg, .pdf, .png")
    c.add_argument("--force", **REPLACED)
    c.set_defaults(run=run_worth)

    c = commands.add_parser("reweight", help="whether weights could save your generator")
    c.add_argument("events", type=Path, help=f"{EVENTS}; they count alike")
    c.add_argument("--held-out", type=Path, required=True, help="a file of true events")
    c.add_argument("--columns", nargs="+", default=[], metavar="NAME", help="all by default")
    c.add_argument(
        "--held-out-weights",
        metavar="NAME",
        help="the true events' column of weights, if they have any; generated events have none "
        "before this",
    )
    c.add_argument("--seed", type=int, default=0, help="of the classifier; 0 by default")
    c.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help=f"weights: {', '.join(WEIGHTS)}"
    )
    c.add_argument("--force", **REPLACED)
    c.set_defaults(run=run_reweight)

    c = commands.add_parser("compute", help="compute the missing parts of a study")
    c.add_argument("study", nargs="?", help=f"one of {', '.join(STUDIES)}")
    c.add_argument("--all", action="store_true", help="everything that is missing, or a study's")
    c.add_argument("--minutes", type=float, help="with --all: stop after so many")
    c.add_argument("--preset", help=f"{BEST}, {', '.join(PRESETS)}; laptop, with --all paper")
    c.add_argument("--set", **CHANGES)
    c.add_argument("--jobs", type=int, help="worker processes")
    c.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    c.add_argument("--limit", type=int, help="compute at most so many parts")
    c.add_argument("--group", type=int, help="parts computed together")
    c.add_argument("--only", metavar="FIRST:LAST", help="repetitions, for one of several machines")
    c.set_defaults(run=run_compute)

    c = commands.add_parser("cluster", help="the same in jobs of their own, on other machines")
    c.add_argument("study", help=f"one of {', '.join(STUDIES)}")
    c.add_argument("--preset", default="laptop", help=f"one of {', '.join(PRESETS)}")
    c.add_argument("--set", **CHANGES)
    c.add_argument("--profile", help="slurm, htcondor, kubernetes, or a folder; else these cores")
    c.add_argument("--jobs", type=int, help="into how many the parts are divided")
    c.add_argument("--minutes", type=float, help="end each job after so many, and go on in another")
    c.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    c.set_defaults(run=run_cluster)

    c = commands.add_parser("merge", help="take over parts that another machine has computed")
    c.add_argument("folder", type=Path, help="its results, or an archive of them (.tar)")
    c.set_defaults(run=run_merge)

    c = commands.add_parser("data", help="events by the million, as one file")
    c.add_argument("name", help="a study and a preset, such as showers-laptop")
    c.add_argument("--set", **CHANGES)
    c.add_argument("--header", action="store_true", help="name the columns of a CSV file")
    c.add_argument("--jobs", type=int, help="worker processes")
    c.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    c.set_defaults(run=run_data)

    c = commands.add_parser("generate", help="events of a shipped generator, as one file")
    c.add_argument("generator", help="ttbar: top pairs of the event paper's B-VAE")
    c.add_argument("-n", type=int, help="events")
    c.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="csv, csv.gz: separated by spaces and without names, as the published file "
        r"(pandas.read_csv(FILE, sep=r'\s+', header=None)); npy; with names h5, hdf5, parquet",
    )
    c.add_argument(
        "--header", action="store_true", default=None, help="name the columns of a CSV file"
    )
    c.add_argument("--seed", type=int, help="of the random numbers; 1 by default")
    c.add_argument("--alpha", type=float, help="smudge factor of the buffer; 1 by default")
    c.add_argument("--gamma", type=float, help="offset of the buffer's variances; 0.05 by default")
    c.add_argument("--offset", help="what gamma is added to: variance (eq. 19) or deviation")
    c.add_argument("--smudge", help="what alpha multiplies: variance (eq. 17) or deviation")
    c.add_argument("--negative", help="energies and momenta below zero: kept, zero")
    c.add_argument("--device", choices=["auto", "cpu", "cuda"], help="cpu by default")
    c.add_argument("--model", type=Path, metavar="FILE", help="what --save-model has written")
    c.add_argument("--save-model", type=Path, metavar="FILE", help="in place of events: the model")
    c.add_argument("--force", **REPLACED)
    c.set_defaults(run=run_generate)

    c = commands.add_parser("status", help="what is computed and what is missing")
    c.add_argument("--preset", help=f"one of {', '.join(PRESETS)}; all by default")
    c.add_argument("--json", type=Path, help="write the table there as well")
    c.add_argument("--force", **REPLACED)
    c.set_defaults(run=run_status)

    c = commands.add_parser("claims", help="what the papers say beside what we measure")
    c.add_argument("--json", type=Path, help="write the table there as well")
    c.add_argument("--force", **REPLACED)
    c.set_defaults(run=run_claims)

    c = commands.add_parser("figure", help="draw one figure again")
    c.add_argument("id", help="its key, such as amplify-fig2")
    c.add_argument("--preset", default=BEST, help=f"{BEST}, {', '.join(PRESETS)}")
    c.add_argument("--set", **CHANGES)
    c.set_defaults(run=run_figure)

    c = commands.add_parser("sweep", help="a notebook over a grid of parameters")
    c.add_argument("notebook", nargs="?", help="such as amplify")
    c.add_argument("--set", **{**CHANGES, "metavar": "NAME=V1,V2,...", "help": "the grid"})
    c.add_argument("--file", type=Path, help="a sweep in YAML, instead of notebook and grid")
    c.add_argument("--preset", help=f"one of {', '.join(PRESETS)}; the file's, or else laptop")
    c.add_argument("--max-points", type=int, help="allow so many")
    c.add_argument("--jobs", type=int, help="points at once")
    c.add_argument("--profile", help="slurm, htcondor, kubernetes, or a folder; else these cores")
    c.set_defaults(run=run_sweep)

    options = parser.parse_args(arguments)
    try:
        with ended_by_sigterm():
            return int(not options.run(options))
    except (ValueError, OSError, ImportError, MemoryError, WorkerDied) as error:
        said = " ".join(str(error).splitlines())
        print(f"amplib: {said or 'out of memory'}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def check_output(option: str, path: Path | None, suffixes: Collection[str], force: bool) -> None:
    """Refuse a file that could not be written or, unless by ``force``, is there, before any work.

    Raises:
        ValueError: in one line that names the option.
    """
    if path is None:
        return
    try:
        files.check_target(path, suffixes)
    except (ValueError, OSError) as error:
        raise ValueError(f"{option} {error}") from None
    if path.exists() and not force:
        raise ValueError(f"{option} {path}: is there already; --force replaces it")


def run_worth(options: argparse.Namespace) -> bool:
    """``amplib worth``."""
    from amplib.door.event_file import read_alike, read_events
    from amplib.door.judge import worth
    from amplib.truth.densities import truth_named

    check_output("--plot", options.plot, PLOTS, options.force)
    if (options.truth is None) == (options.held_out is None):
        raise ValueError("expected either --truth or --held-out to judge the events by")
    truth = truth_named(options.truth) if options.truth else None
    asked = options.columns, options.weights
    if options.held_out:
        events, true = read_alike(options.events, options.held_out, *asked)
        held_out = true.x
        if options.weights in true.others:
            warnings.warn(
                f"{options.held_out}: weights in {options.weights} are not used, held-out events "
                "count alike",
                stacklevel=2,
            )
    else:
        events, held_out = read_events(options.events, *asked), None
    answer = worth(
        events.x,
        truth=truth,
        held_out=held_out,
        n_train=options.train,
        quantiles=options.quantiles,
        weights=events.weights,
        columns=events.names,
    )
    print(json.dumps(answer.to_dict(), indent=1) if options.json else answer)
    if options.plot:
        drawn = io.BytesIO()
        answer.plot().savefig(drawn, format=files.format_of(options.plot).removeprefix("."))
        files.write_atomically(options.plot, drawn.getvalue())
    return True


def run_reweight(options: argparse.Namespace) -> bool:
    """``amplib reweight``: prints the answer, writes the weight of each event."""
    from amplib.door.event_file import read_alike
    from amplib.door.reweight import reweight, steps

    out = options.output
    check_output("--output", out, WEIGHTS, options.force)
    if options.seed < 0:
        raise ValueError(f"--seed {options.seed}: must not be negative")
    weights = options.held_out_weights
    events, true = read_alike(
        options.events, options.held_out, options.columns, held_out_weights=weights
    )
    bars: list[tqdm[Any]] = []

    def told(work: float) -> None:
        if not bars:  # nothing is refused any more
            bars.append(shown(steps(len(events.x), len(true.x)), "steps"))
        bars[0].update(work)

    try:
        answer = reweight(
            events.x,
            held_out=true.x,
            seed=options.seed,
            held_out_weights=true.weights,
            progress=told,
        )
    finally:
        for bar in bars:
            bar.close()
    print(answer)
    print(f"Columns: {', '.join(events.names)}" + (f"; weights: {weights}" if weights else ""))
    if out:
        files.write_atomically(out, weights_as(files.format_of(out), answer.weights(events.x)))
        print(f"Weights of all {len(events.x):,} events, half of which trained: {out}")
    return True


def weights_as(form: str, weights: NDArray[np.float64]) -> bytes:
    """A file of weights (N,): one a line, or an array of numpy."""
    written = io.BytesIO()
    (np.save if form == ".npy" else np.savetxt)(written, weights)
    data = written.getvalue()
    return gzip.compress(data, mtime=0) if form.endswith(".gz") else data


def run_compute(options: argparse.Namespace) -> bool:
    """``amplib compute``: with ``best``, only where nothing that can be shown is stored."""
    if options.all:
        return _compute_all(options)
    if options.study is None or options.minutes is not None:
        raise ValueError("expected a study, or --all, which --minutes belongs to")
    preset = options.preset or "laptop"
    result = stored(options.study, preset, **assignments(options.set))
    if preset == BEST and not is_wanting(result):
        return True
    compute(
        result,
        jobs=options.jobs,
        device=options.device,
        limit=options.limit,
        group=options.group,
        only=span(options.only) if options.only else None,
    )
    return True


def _compute_all(options: argparse.Namespace) -> bool:
    from amplib.store.queue import compute_all

    single = ("set", "limit", "group", "only")
    if given := [name for name in single if getattr(options, name)]:
        raise ValueError(f"--{given[0]} is for a single study, not for --all")
    preset = options.preset or "paper"
    if preset not in PRESETS:
        raise ValueError(f"preset = {preset!r}: allowed are {', '.join(PRESETS)}")
    return compute_all(wanted(preset, options.study), options.minutes, options.jobs, options.device)


def run_cluster(options: argparse.Namespace) -> bool:
    """``amplib cluster``: fails if anything is still missing."""
    from amplib.book.cluster import on_cluster

    check_positive(jobs=options.jobs)
    study = make_study(options.study, options.preset, **assignments(options.set))
    result = Result(study, options.preset)
    return on_cluster(result, options.profile, options.jobs, options.minutes, options.device)


def run_merge(options: argparse.Namespace) -> bool:
    """``amplib merge``: fails if anything was refused."""
    from amplib.store.merge import merge
    from amplib.store.shares import take

    get = take if options.folder.is_file() else merge
    taken, refused = get(options.folder, STUDIES)
    for line in taken:
        print(line)
    for line in refused:
        print(f"refused: {line}", file=sys.stderr)
    return not refused


def run_data(options: argparse.Namespace) -> bool:
    """``amplib data``."""
    parameters = assignments(options.set)
    print(make_data(options.name, options.jobs, options.device, parameters, options.header))
    return True


def run_generate(options: argparse.Namespace) -> bool:
    """``amplib generate``: events, or the model that makes them."""
    from amplib.book.generate import generate, save_model
    from amplib.door.event_writer import WRITERS

    check_output("--save-model", options.save_model, MODELS, options.force)
    check_output("-o", options.output, WRITERS, options.force)
    prior = ("alpha", "gamma", "offset", "smudge", "negative")
    names = ("n", "output", "header", "seed", *prior, "device", "model")
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    if options.save_model is not None:
        if given:
            raise ValueError(f"--save-model FILE writes a model: it takes no {', '.join(given)}")
        told = save_model(options.generator, options.save_model)
    elif {"n", "output"} <= given.keys():
        told = generate(options.generator, given.pop("n"), given.pop("output"), **given)
    else:
        raise ValueError("expected -n and -o, or --save-model")
    print(told, file=sys.stderr)
    return True


def run_status(options: argparse.Namespace) -> bool:
    """``amplib status``: a table of parts done and wanted, and what the rest would cost; fails if
    a result is damaged."""
    check_output("--json", options.json, TABLES, options.force)
    presets = [options.preset] if options.preset else list(PRESETS)
    rows: list[dict[str, Any]] = []
    for preset in presets:
        for name, result in results_of(preset).items():
            wanted = len(result.study.parts())
            try:
                missing = result.missing()
                done, to_do = wanted - len(missing), cost(result, missing)
            except (ValueError, OSError) as error:  # the others are of interest all the same
                print(f"amplib: {error}", file=sys.stderr)
                done, to_do = 0, "damaged"
            row: dict[str, Any] = {"study": name, "preset": preset, "parts_done": done}
            row |= {
                "parts_wanted": wanted,
                "to_do": to_do,
                "folder": result.folder.relative_to(result.root).as_posix(),
            }
            rows.append(row)
    if not files.IN_REPOSITORY:
        print(f"results are kept in {files.RESULTS}")
    print(f"{'study':42s}{'preset':10s}{'done':>6s}{'wanted':>8s}  to do on this machine's CPU")
    for row in rows:
        print("{study:42s}{preset:10s}{parts_done:6d}{parts_wanted:8d}  {to_do}".format(**row))
    if options.json:
        files.write_atomically(options.json, json.dumps(rows, indent=1).encode())
    return not any(row["to_do"] == "damaged" for row in rows)


def run_claims(options: argparse.Namespace) -> bool:
    """``amplib claims``."""
    from amplib.book.claims import all_claims, write_claims

    check_output("--json", options.json, TABLES, options.force)
    claims = all_claims()
    for claim in claims:
        print(f"{claim.id:40s} {claim.verdict:32s} {claim.measured or ''}")
    if options.json:
        write_claims(claims, options.json)
    return True


def run_figure(options: argparse.Namespace) -> bool:
    """``amplib figure``."""
    from amplib.book.figure import draw

    for path in draw(options.id, options.preset, assignments(options.set)):
        print(path)
    return True


def run_sweep(options: argparse.Namespace) -> bool:
    """``amplib sweep``: fails if a point did."""
    from amplib.book import points
    from amplib.book.sweep import sweep

    check_positive(jobs=options.jobs, max_points=options.max_points)
    most = options.max_points or points.MOST
    if (options.file is None) == (options.notebook is None) or (options.file and options.set):
        raise ValueError("expected a notebook with --set NAME=V1,V2,..., or --file")
    if options.file:
        chosen = points.from_file(options.file, options.preset, most)
        return sweep(options.file.stem, chosen, options.jobs, options.profile)
    grid = {
        name: [_literal(v) for v in str(values).split(",")]
        for name, values in assignments(options.set).items()
    }
    preset = options.preset or points.PRESET
    chosen = points.points([options.notebook], preset, {"grid": grid}, most)
    name = "-".join([options.notebook, preset, *grid])[:LONGEST]
    return sweep(f"{name}-{points.digest(chosen)}", chosen, options.jobs, options.profile)


def assignments(pairs: Sequence[str]) -> dict[str, Any]:
    """``["n_train=200", "aggregation=max"]`` -> values by name; numbers where they read as such.

    Raises:
        ValueError: if a pair has no name, ``=`` or value, or a name comes twice.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not name or not equals or not text:
            raise ValueError(f"{pair!r}: expected NAME=VALUE")
        if name == "preset":
            raise ValueError("preset is not set here: --preset (make: PRESET=)")
        if name in values:
            raise ValueError(f"{name} is given twice")
        values[name] = _literal(text)
    return values


def span(text: str) -> tuple[int, int]:
    """``"20:39"`` -> (20, 39).

    Raises:
        ValueError: if it is anything else.
    """
    first, _, last = text.partition(":")
    if not (_DIGITS.fullmatch(first) and _DIGITS.fullmatch(last) and int(first) <= int(last)):
        raise ValueError(f"only = {text!r}: expected FIRST:LAST, as in 20:39")
    return int(first), int(last)


def _number(kind: type, text: str) -> Any:
    value = _literal(text)
    if isinstance(value, float) and value.is_integer():  # 1e5
        value = int(value)
    if not isinstance(value, (int, kind)):
        raise ValueError(f"{text!r} is no {kind.__name__}")
    return kind(value)


def _literal(text: str) -> int | float | str:
    """A number written as usual: Python would also read 1_00 and digits of other scripts."""
    if _NUMBER.fullmatch(text):
        return int(text) if _DIGITS.fullmatch(text.lstrip("+-")) else float(text)
    return text


if __name__ == "__main__":
    sys.exit(main())
