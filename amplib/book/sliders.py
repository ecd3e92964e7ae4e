"""Figures over a small grid of parameters, behind sliders that need neither kernel nor network.

Every figure of the grid is drawn when the notebook runs and travels within the page; a slider, by
mouse or by keyboard, chooses which one is seen.  The PDF, and a reader without scripts, get the one
that the sliders start at.
"""

from __future__ import annotations

import base64
import gzip
import html
import io
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
from IPython.display import display

MOST = 100
"""Figures that a page should be made to carry."""

# Frames are in the order of itertools.product: the last slider runs fastest.
SCRIPT = """(() => {
  const box = document.currentScript.parentElement;
  const frames = JSON.parse(box.querySelector("script[type='application/json']").textContent);
  const image = box.querySelector("img");
  const sliders = [...box.querySelectorAll("input")];
  let wanted;
  const drawn = async svg => {
    const packed = Uint8Array.from(atob(svg), c => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const content = await new Response(stream).blob();
    return URL.createObjectURL(new Blob([content], {type: "image/svg+xml"}));
  };
  const show = async () => {
    let frame = 0;
    for (const slider of sliders) {
      const values = JSON.parse(slider.dataset.values);
      frame = frame * values.length + Number(slider.value);
      const text = values[slider.value];
      slider.setAttribute("aria-valuetext", text);
      slider.parentElement.querySelector("output").textContent = text;
    }
    const {svg, alt} = frames[wanted = frame];
    frames[frame].url ??= await drawn(svg);
    if (wanted === frame) { // else the slider has moved on
      image.src = frames[frame].url;
      image.alt = alt;
    }
  };
  sliders.forEach(slider => slider.addEventListener("input", show));
})();"""


@dataclass(frozen=True)
class Slider:
    """One parameter of the grid.

    Args:
        name: the argument by which the figure is drawn.
        label: what the reader sees.
        values: in the slider's order.
        start: the value at which it stands first.
    """

    name: str
    label: str
    values: Sequence[float]
    start: float

    def text(self, value: float) -> str:
        """As the reader sees it."""
        return f"{value:,}"


def show_grid(
    sliders: Sequence[Slider], draw: Callable[..., plt.Figure], alt: Callable[..., str]
) -> None:
    """Display a figure for every combination of the sliders' values, one at a time.

    Args:
        sliders: at least one; of two, the last runs fastest.
        draw: a figure from the sliders' names and values.
        alt: its text for those who do not see it.

    Raises:
        ValueError: for a slider without its start among its values, or too many figures.
    """
    for slider in sliders:
        if slider.start not in slider.values:
            raise ValueError(f"{slider.name}: {slider.start} is not among its values")
    names = [slider.name for slider in sliders]
    grid = list(itertools.product(*(slider.values for slider in sliders)))
    if not sliders or len(grid) > MOST:
        raise ValueError(f"{len(grid)} figures: a page carries from 1 to {MOST}")
    first = tuple(slider.start for slider in sliders)
    frames: list[dict[str, str]] = []
    shown: dict[str, str] = {}
    for values in grid:
        chosen: Mapping[str, float] = dict(zip(names, values, strict=True))
        figure = draw(**chosen)
        svg = _drawn(figure, "svg")
        packed = base64.b64encode(gzip.compress(svg, mtime=0)).decode()
        frames.append({"svg": packed, "alt": alt(**chosen)})
        if values == first:
            pdf = base64.b64encode(_drawn(figure, "pdf")).decode()
            shown = {"image/svg+xml": svg.decode(), "application/pdf": pdf}
        plt.close(figure)
    page = page_of(sliders, frames, grid.index(first), str(shown["image/svg+xml"]))
    display({"text/html": page, **shown}, raw=True)


def page_of(
    sliders: Sequence[Slider], frames: Sequence[Mapping[str, str]], first: int, svg: str
) -> str:
    """The figure with its sliders as HTML.

    Args:
        sliders: below the figure.
        frames: of each point of the grid the packed ``svg`` and its ``alt`` text.
        first: the one that is seen first.
        svg: the same, as it is.
    """
    seen = base64.b64encode(svg.encode()).decode()
    inputs = "".join(map(_input, sliders))
    # A closing tag within JSON would end the script.
    carried = json.dumps(frames).replace("</", "<\\/")
    return (
        f'<div class="grid-figure"><img alt="{html.escape(frames[first]["alt"])}" '
        f'src="data:image/svg+xml;base64,{seen}">'
        f'<div class="grid-sliders">{inputs}</div>'
        f'<script type="application/json">{carried}</script><script>{SCRIPT}</script></div>'
    )


def _input(slider: Slider) -> str:
    """One labelled slider; browsers move it by arrow keys, Home and End."""
    texts = [slider.text(value) for value in slider.values]
    at = list(slider.values).index(slider.start)
    return (
        f"<label>{html.escape(slider.label)} "
        f'<input type="range" name="{slider.name}" min="0" max="{len(texts) - 1}" step="1" '
        f'value="{at}" autocomplete="off" aria-valuetext="{texts[at]}" '
        f"data-values='{html.escape(json.dumps(texts))}'> <output>{texts[at]}</output></label>"
    )


def _drawn(figure: plt.Figure, kind: str) -> bytes:
    stream = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"CreationDate": None}
    with plt.rc_context({"savefig.bbox": "standard"}):  # all of one size: nothing jumps
        figure.savefig(stream, format=kind, metadata=metadata)
    return stream.getvalue()
