"""The map of Fig. 9 to explore in a browser: inline, without a kernel or any request."""

from __future__ import annotations

import json
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amplib.studies.latent.charts import ANGLES, EVERY, PLANE_BINS, RADII
from amplib.studies.latent.display import arrows, in_words
from amplib.studies.latent.figures import COLORS
from amplib.studies.latent.reading import Chart

TEMPLATE = Path(__file__).with_suffix(".html")
START = 14, 15
"""The point that is shown first: r = 3.5 and 225 degrees, the paper's example."""
MERGED = 3
"""Bins of the plane, each way, that are drawn as one square."""
WIDEST = 0.16
"""Width of an arrow with all of the energy, in units of the longest."""


def explorer(chart: Chart, name: str = "latent-map") -> str:
    """HTML with the plane of the first two components, whose points show their events.

    A click chooses the nearest point; two sliders do the same for the keyboard; the event is also
    said in words.

    Args:
        chart: what is shown.
        name: id of the element.
    """
    events = [[_shown(chart, i, j) for j in range(len(ANGLES))] for i in range(len(RADII))]
    angles = np.degrees(ANGLES).round().astype(int)
    data = {
        "radii": [round(float(r), 4) for r in RADII],
        "angles": angles.tolist(),
        "colors": COLORS,
        "events": events,
    }
    return Template(TEMPLATE.read_text()).substitute(
        id=name,
        density=_density(chart.arrays["plane"]),
        points=_points(),
        missing=COLORS["missing"],
        last_radius=len(RADII) - 1,
        last_angle=len(ANGLES) - 1,
        radius=START[0],
        angle=START[1],
        # Within a script element this is what could end it.
        data=json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
    )


def _shown(chart: Chart, i: int, j: int) -> dict[str, Any]:
    event = chart.lattice[i, j]
    drawn = sorted(arrows(event), key=lambda a: -a.share)
    shown: dict[str, Any] = {
        "arrows": [
            [a.kind, round(a.x, 3), round(a.y, 3), round(0.015 + WIDEST * a.share, 3)]
            for a in drawn
        ],
        "words": in_words(event),
    }
    (row, left), (column, right) = divmod(i, EVERY[0]), divmod(j, EVERY[1])
    if not left and not right:
        shown["number"] = row * len(ANGLES[:: EVERY[1]]) + column + 1
    return shown


def _density(counts: NDArray[np.integer]) -> str:
    """Squares of the encoded events in the plane, darker where there are more of them."""
    n = len(counts) // MERGED
    merged = counts.reshape(n, MERGED, n, MERGED).sum((1, 3))
    side = MERGED * float(PLANE_BINS[1] - PLANE_BINS[0])
    squares = [
        f'<rect x="{PLANE_BINS[0] + side * x:.2f}" y="{-PLANE_BINS[0] - side * (y + 1):.2f}" '
        f'width="{side:.2f}" height="{side:.2f}" opacity="{share:.2f}"/>'
        for (x, y), share in np.ndenumerate(np.sqrt(merged / max(int(merged.max()), 1)))
        if share > 0
    ]
    return f'<g fill="{COLORS["jet"]}" fill-opacity=".6">{"".join(squares)}</g>'


def _points() -> str:
    """All points, those of the paper's figure larger."""
    dots = []
    for i, r in enumerate(RADII):
        for j, phi in enumerate(ANGLES):
            size = 0.055 if i % EVERY[0] == 0 and j % EVERY[1] == 0 else 0.025
            dots.append(
                f'<circle cx="{r * np.cos(phi):.3f}" cy="{-r * np.sin(phi):.3f}" r="{size}"/>'
            )
    return "".join(dots)
