"""Commands about events: what they are worth, whether weights mend them, a million top pairs."""

from __future__ import annotations

import argparse
import gzip
import io
import json
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amplib import files
from amplib.commands.arguments import REPLACED, check_output
from amplib.progress import shown

if TYPE_CHECKING:
    from tqdm import tqdm

    from amplib.commands.arguments import Commands

EVENTS = "a file: csv, csv.gz, txt, txt.gz, npy, h5, hdf5, parquet"
PLOTS = (".svg", ".pdf", ".png")
"""What ``amplib worth`` draws."""
WEIGHTS = (".npy", ".csv", ".csv.gz", ".txt", ".txt.gz")
"""What ``amplib reweight`` writes."""
MODELS = (".safetensors",)
"""How ``amplib generate`` writes a model."""


def add(commands: Commands) -> None:
    """``worth``, ``reweight`` and ``generate``."""
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
