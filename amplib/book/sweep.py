"""A study over a grid of parameters: one tidy table and its summary figure."""

from __future__ import annotations

import csv
import hashlib
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amplib.book.obtain import obtain
from amplib.files import ROOT
from amplib.metrics.amplification import QUANTILES
from amplib.parameters import ParameterError
from amplib.studies.camel.reading import gan_curve
from amplib.studies.camel.study import CamelGAN
from amplib.studies.catalogue import make_study

LONGEST = 150
"""Characters of a grid in a file's name; a longer one is named by its hash."""


def sweep(name: str, preset: str, grid: Mapping[str, Sequence[object]]) -> list[Path]:
    """N_equiv and amplification of a GAN study at every point of a grid.

    All points are checked before the first is computed; points that are stored are not computed
    again.

    Args:
        name: ``gan`` or ``ensemble``.
        preset: at which preset.
        grid: values by parameter.

    Returns:
        The table (one row a point and resolution) and the figure, in ``_build/sweeps``.

    Raises:
        ParameterError: in one line, before any work.
    """
    points = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    for point in points:
        if not isinstance(make_study(name, preset, **point), CamelGAN):
            raise ParameterError(f"study = {name!r}: a sweep needs gan or ensemble")
    folder = ROOT / "_build" / "sweeps"
    folder.mkdir(parents=True, exist_ok=True)
    values = "-".join(f"{k}={','.join(map(str, v))}" for k, v in grid.items())
    if len(values) > LONGEST:
        digest = hashlib.sha256(values.encode()).hexdigest()[:12]
        values = f"{'-'.join(grid)}-{len(points)}-points-{digest}"
    stem = folder / f"{name}-{preset}-{values}"
    rows = []
    for point in points:
        curve = gan_curve(obtain(name, preset, **point))
        for q in QUANTILES:
            n, factor = curve.asymptote.n_equiv(q), curve.asymptote.amplification(q)
            rows.append(
                {
                    **point,
                    "quantiles": q,
                    "repetitions": len(curve.counts),
                    "diverged": curve.diverged,
                    "n_equiv": n.value,
                    "n_equiv_error": n.error,
                    "amplification": factor.value,
                    "amplification_error": factor.error,
                }
            )
    table = Path(f"{stem}.csv")
    with table.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return [table, _draw(rows, list(grid), Path(f"{stem}.svg"))]


def _draw(rows: Sequence[Mapping[str, Any]], names: Sequence[str], path: Path) -> Path:
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    from amplib.style import BLUE, GREEN, ORANGE, use_style

    use_style()
    figure, ax = plt.subplots(figsize=(6.4, 4.0))
    for q, color, marker in zip(QUANTILES, (BLUE, GREEN, ORANGE), "os^", strict=True):
        at_q = [row for row in rows if row["quantiles"] == q]
        labels = ["\n".join(str(row[n]) for n in names) for row in at_q]
        ax.errorbar(
            range(len(at_q)),
            [row["amplification"] for row in at_q],
            [row["amplification_error"] for row in at_q],
            fmt=marker + ":", color=color, label=f"{q} quantiles", capsize=3,
        )  # fmt: skip
        ax.set_xticks(range(len(at_q)), labels)
    ax.set(xlabel=", ".join(names), ylabel="amplification factor", ylim=(0, None))
    ax.minorticks_off()
    ax.legend()
    figure.savefig(path)
    return path
