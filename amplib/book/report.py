"""What a notebook tells the book: numbers, provenance and banners, through one wrapper of glue.

Every text is formatted here before it is glued, so that the book prints what was computed and
nothing is typed twice.
"""

from __future__ import annotations

import json
import keyword
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from IPython.display import Markdown, display
from matplotlib_inline.backend_inline import set_matplotlib_formats
from myst_nb import glue

from amplib.book import numbers
from amplib.book.claims import Claim
from amplib.book.obtain import banner
from amplib.estimate import AtLeast, Estimate, Interval, Interval95, Skewed, enumerated
from amplib.metrics.verdict import reasons
from amplib.parameters import ParameterError, nearest
from amplib.store.results import (
    Result,
    Spent,
    cost_so_far,
    spent,
    warn_in_lines,
    with_sources,
)  # fmt: skip
from amplib.studies.catalogue import STUDIES
from amplib.style import use_style, with_powers

RESERVED = {"In": list, "Out": dict, "exit": None, "quit": None, "get_ipython": None, "open": None}
"""What IPython puts into a notebook's globals: of these types, or callable."""
HISTORY = re.compile(r"_{1,3}|_i{1,3}|_i?[0-9]+|_[iod]h|_exit_code|__\w+__")
"""IPython's own names among those with an underscore."""


def check_names(names: Iterable[object]) -> None:
    """Refuse what is no name of a parameter, before papermill writes it into a notebook as code.

    Raises:
        ParameterError: naming it.
    """
    for name in names:
        plain = isinstance(name, str) and name.isidentifier() and name.isascii()
        if (
            not plain
            or str(name).startswith("_")
            or name in RESERVED
            or keyword.iskeyword(str(name))
        ):
            raise ParameterError(f"{name!r} is no name of a parameter")


def _is_ipythons(name: str, value: object) -> bool:
    if name in RESERVED:
        kind = RESERVED[name]
        return callable(value) if kind is None else isinstance(value, kind)
    return bool(HISTORY.fullmatch(name)) or name == "read_parameters"


def read_parameters(
    namespace: Mapping[str, object], *known: str, study: str | None = None
) -> dict[str, object]:
    """The parameters of a notebook, from its globals before anything else is in them.

    Papermill sets any name without asking; a misspelt one would be ignored in silence.

    Args:
        namespace: ``globals()`` right after the parameters cell.
        known: names that the notebook takes.
        study: it takes every parameter of this study as well.

    Raises:
        ParameterError: naming an unknown parameter and the known ones.
    """
    given = {name: value for name, value in namespace.items() if not _is_ipythons(name, value)}
    if study is not None:
        known = (*known, *(f.name for f in fields(STUDIES[study])))
    for name in given:
        if name not in known:
            near = nearest(name, known)
            raise ParameterError(f"unknown parameter {name!r}{near}; allowed: {', '.join(known)}")
    set_matplotlib_formats("svg", "pdf")
    use_style()
    warn_in_lines()
    return given


def tell(**texts: object) -> None:
    """Glue texts under their names, for ``{glue:text}`` in prose and captions, and the numbers
    among them for machines: a sweep over this notebook collects them.

    Raises:
        ValueError: of a text that holds an object, or markup, which would be shown as it stands.
    """
    printed = [(n, typeset(str(t))) for n, t in texts.items()]
    for name, text in printed:
        if found := MARKUP.search(text):
            raise ValueError(f"{name} shows {found[0]!r} as it stands: {text}")
    for name, text in [*printed, *numbers.glued(texts)]:
        glue(name, text, display=False)


def origin(figure: str, *results: Result, simulation: float = 0.0) -> None:
    """Glue where a figure comes from: ``<figure>-origin``, whole, and ``<figure>-cost``, short;
    and for machines the names of the results.

    Args:
        figure: its key.
        results: what it is drawn from, to which what they are made of is added; the command for
            drawing it again names the parameters of the first.
        simulation: seconds that events took which were there before the results.
    """
    changes = " ".join(f"{k}={v}" for k, v in results[0].study.changes(results[0].preset).items())
    again = f"make figure ID={figure}" + (
        f' PRESET={results[0].preset} SET="{changes}"' if changes else ""
    )
    alike: dict[tuple[object, ...], list[Result]] = {}
    needed = [r for r in with_sources(results) if r in results or r.done()]
    for result in needed:
        made = (result.study.name, result.preset, result.study.asdict()["seed"])
        alike.setdefault(made, []).append(result)
    text = " ".join(map(_origin, alike.values()))
    if simulation:
        text += f" Simulation: {duration(simulation)} of one core."
    glue(f"{figure}-origin", f"{text} Again: {again}", display=False)
    time = spent(needed)
    time = time._replace(core=time.core + simulation)
    presets = ", ".join(sorted({r.preset for r in needed}))
    cost = f"{time_of(time)} by the clock (preset {presets}). {again}"
    glue(f"{figure}-cost", cost, display=False)
    name_results(figure, *results)


def name_results(figure: str, *results: Result) -> None:
    """Glue, for machines, what a figure is drawn from, as folders of ``results/``."""
    folders = [f"{r.preset}/{r.study.store}/{r.key}" for r in results]
    glue(numbers.SOURCES + figure, json.dumps(folders), display=False)


def _origin(results: Sequence[Result]) -> str:
    """Results of one study at one preset and seed."""
    study, made = results[0].study, [cost_so_far(result) for result in results]
    devices = sorted({device for _, devices, _ in made for device in devices})
    commits = sorted({commit for *_, commits in made for commit in commits})
    done = sum(len(r.done()) for r in results)
    wanted = sum(len(r.study.parts()) for r in results)
    several = f"{len(results)} results, " if len(results) > 1 else ""
    return (
        f"[{study.name}] preset {results[0].preset}, {several}{done} of {wanted} "
        f"parts, seed {study.asdict()['seed']}, "
        f"commit {', '.join(commits)}, {'; '.join(devices)}, "
        f"{time_of(spent(results))}."
    )


def live_origin(figure: str, seconds: float, seed: int) -> None:
    """Glue origin and cost of a figure of what a page computes itself and nothing stores."""
    again = f"make figure ID={figure}"
    text = f"Computed while the page was built, seed {seed}, {duration(seconds)} of one core."
    glue(f"{figure}-origin", f"{text} Again: {again}", display=False)
    glue(f"{figure}-cost", f"{text} {again}", display=False)


def time_of(spent: Spent) -> str:
    """``3.4 h of one core``, ``12 s of a GPU``, or both.

    >>> time_of(Spent(90.0, 7200.0)), time_of(Spent(0.0, 12.0)), time_of(Spent(0.0, 0.0))
    ('1.5 min of one core and 2.0 h of a GPU', '12 s of a GPU', '0 s of one core')
    """
    parts = [f"{duration(spent.core)} of one core"] if spent.core or not spent.gpu else []
    return " and ".join([*parts, *([f"{duration(spent.gpu)} of a GPU"] if spent.gpu else [])])


def duration(seconds: float) -> str:
    """``12 s``, ``3.4 min`` or ``5.6 h``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def with_interval(n: Estimate | AtLeast) -> str:
    """A value with its error and its 95% interval, or its bound.

    >>> with_interval(Estimate(0.21, 0.11, 0.0, math.inf))
    '0.21 ± 0.11 (no upper limit)'
    """
    if isinstance(n, (AtLeast, Skewed)):
        return str(n)
    _, low, high = n.interval()
    if math.isinf(high):
        return f"{n} (no upper limit)" if low <= 0 else f"{n} (from {low:.3g} on)"
    return f"{n} ({low:.3g} to {high:.3g})" if high < 1000 else f"{n} ({low:.0f} to {high:.0f})"


def claim_name(claim: Claim) -> str:
    """A claim's short name, linked to the figure that shows it."""
    name = claim.id.partition(".")[2].replace("-", " ").replace("delta of", "delta_OF")
    return f"{{ref}}`{name} <{claim.figure}>`" if claim.figure else name


def show_claims(name: str, caption: str, claims: Iterable[Claim]) -> None:
    """Display claims with the papers' words, our measurement and the verdict."""
    show_table(
        name,
        caption,
        ["claim", "the paper", "we measure", "verdict"],
        [[claim_name(c), c.says, c.measured or "--", reasons(c.verdict, c.why)] for c in claims],
    )


def show_banner(*results: Result, also: Sequence[str] = ()) -> None:
    """Display a warning box for every result that is not at the papers' full scale.

    The same words are glued as ``scale``, for pages that quote its numbers.

    Args:
        results: that the page shows.
        also: what is smaller than the papers' at every preset.
    """
    texts = [text for text in map(banner, results) if text] + list(also)
    glue("scale", " ".join(texts) or "The papers' own settings.", display=False)
    if texts:
        lines = "\n".join(f"- {text}" for text in texts)
        display(
            Markdown(f":::{{admonition}} Not the papers' full scale\n:class: warning\n{lines}\n:::")
        )


def show_table(
    name: str, caption: str, head: Sequence[object], rows: Sequence[Sequence[object]]
) -> None:
    """Display a table with an id and a caption."""
    lines = [head, ["---"] * len(head), *rows]
    body = typeset("\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines))
    display(Markdown(f":::{{table}} {caption}\n:name: {name}\n\n{body}\n:::"))


def typeset(text: str) -> str:
    """With powers of ten as they are written.

    >>> typeset("9.3e-04 of 1e+06 and 1.2e6, commit 1234567e89")
    '9.3 × 10⁻⁴ of 10⁶ and 1.2 × 10⁶, commit 1234567e89'

    Raises:
        ValueError: there is an object in it as Python has it, ``AtLeast(low=3.0)``.
    """
    if found := OBJECT.search(text):
        raise ValueError(f"no words for a reader: {found[0]}...)")

    return with_powers(text)


OBJECT = re.compile(r"\b[A-Z][a-z]\w+\(\w+=")
"""A data class or named tuple as ``repr`` writes it."""
MARKUP = re.compile(r"[$`]|\*\*|\]\(|\{\w+\}")
"""Of Markdown, which ``{glue:text}`` does not read."""


def each(measure: Callable[[int], object], quantiles: Sequence[int]) -> numbers.Resolutions:
    """A measurement at every resolution; prints ``a, b and c``."""
    return numbers.Resolutions({q: measure(q) for q in quantiles})


def sorted_by_answer(estimates: Mapping[str, Estimate | Interval], line: float) -> str:
    """Whether each is above a line: ``yes for the fit, not decided for the mean``.

    Args:
        estimates: by name, each with its 95% interval.
        line: what is asked for.
    """

    def answer(estimate: Estimate | Interval) -> str:
        _, low, high = estimate.interval() if isinstance(estimate, Estimate) else estimate
        return "yes" if low > line else "no" if high < line else "not decided"

    return by_word({name: answer(estimate) for name, estimate in estimates.items()}, "for")


def in_words(measure: Callable[[int], Estimate | Interval95], quantiles: Sequence[int]) -> str:
    """Ratios in words: ``more at 50, compatible with one at 10 and 20``, by the 95% interval."""
    return by_word({q: beside_one(measure(q)) for q in quantiles}, "at")


def beside_one(ratio: Estimate | Interval95) -> str:
    """``more`` or ``less`` than one or ``compatible with one``, by the 95% interval."""
    _, low, high = ratio.interval() if isinstance(ratio, Estimate) else ratio
    if low <= 1 <= high:
        return "compatible with one"
    return "more" if ratio.value > 1 else "less"


def by_word(words: Mapping[Any, str], where: str) -> str:
    """What has the same word together, in the order of the words' first appearance."""
    said: dict[str, list[object]] = {}
    for one, word in words.items():
        said.setdefault(word, []).append(one)
    return ", ".join(f"{word} {where} {enumerated(ones)}" for word, ones in said.items())
