"""The page of a sweep: any of its numbers against any of its parameters, beside its notebooks.

One file with its data in it, which needs neither network nor server.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from amplib.book.points import Point
from amplib.files import write_atomically

SCRIPT = """
const {rows, parameters} = JSON.parse(document.getElementById("rows").textContent);
const pick = name => document.getElementById(name);
const title = r => r.quantiles == null ? r.number : `${r.number} at ${r.quantiles} quantiles`;
const fill = (select, values) =>
  values.forEach(v => select.add(new Option(v === "" ? "nothing" : v, v)));
const colours = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#7B4EA3", "#56B4E9", "#000000"];
fill(pick("number"), [...new Set(rows.map(title))]);
fill(pick("x"), parameters);
fill(pick("series"), ["", ...parameters]);

const element = (name, attributes, text = "") => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
};
// Linear, logarithmic, or for words the place among them.
const scale = (values, from, to, log) => {
  const words = values.some(v => typeof v !== "number");
  const known = [...new Set(values)];
  const f = v => words ? known.indexOf(v) : log ? Math.log10(v) : v;
  let [low, high] = [Math.min(...values.map(f)), Math.max(...values.map(f))];
  if (low === high) [low, high] = [low - 1, high + 1];
  const place = v => from + (to - from) * (0.05 + 0.9 * (f(v) - low) / (high - low));
  const even = [0, 1, 2, 3, 4].map(k => low + k * (high - low) / 4);
  return {place, ticks: words ? known : even.map(v => log ? 10 ** v : v)};
};
// Of a number that is only bounded, the bound.
const height = r => r.value ?? r.low ?? r.high;
const dot = (at, y) => element("circle", {cx: at, cy: y, r: 4});
const arrow = (at, y, by) => element("path", {d: `M${at - 5} ${y}h10l-5 ${by}z`});
const mark = (r, at, y) => r.value != null ? dot(at, y) : arrow(at, y, r.low != null ? -9 : 9);
const short = v => typeof v === "number" ? String(Number(v.toPrecision(3))) : v;

function draw() {
  const svg = pick("figure");
  svg.replaceChildren();
  const [x, series] = [pick("x").value, pick("series").value];
  const log = name => pick(name).checked;
  const shown = rows.filter(r => title(r) === pick("number").value && height(r) != null
    && r[x] != null && !(log("logy") && height(r) <= 0) && !(log("logx") && r[x] <= 0));
  const ends = r => [r.low, r.high].filter(v => v != null && !(log("logy") && v <= 0));
  const bounds = shown.filter(r => r.value == null).length;
  pick("count").textContent = `${shown.length} points`
    + (bounds ? `, ${bounds} of them bounds (arrows)` : "");
  if (!shown.length) return;
  const across = scale(shown.map(r => r[x]), 70, 620, log("logx"));
  const up = scale(shown.flatMap(r => [height(r), ...ends(r)]), 330, 20, log("logy"));
  svg.append(element("path", {d: "M70 20V330H620", fill: "none", stroke: "#000"}));
  for (const t of across.ticks)
    svg.append(element("text", {x: across.place(t), y: 348, "text-anchor": "middle"}, short(t)));
  for (const t of up.ticks)
    svg.append(element("text", {x: 64, y: up.place(t) + 4, "text-anchor": "end"}, short(t)));
  svg.append(element("text", {x: 345, y: 370, "text-anchor": "middle"}, x));
  const groups = [...new Set(shown.map(r => series ? r[series] : ""))];
  for (const r of shown) {
    const k = groups.indexOf(series ? r[series] : "");
    const [colour, at] = [colours[k % colours.length], across.place(r[x]) + 3 * (k % 5)];
    const reach = ends(r);
    if (reach.length === 2)
      svg.append(element("path", {d: `M${at} ${up.place(reach[0])}V${up.place(reach[1])}`,
        stroke: colour}));
    const point = mark(r, at, up.place(height(r)));
    point.setAttribute("fill", colour);
    point.append(element("title", {}, parameters.map(p => `${p}=${r[p]}`).join(" ")));
    svg.append(point);
  }
  if (series) groups.forEach((g, k) => svg.append(element("text",
    {x: 615, y: 32 + 16 * k, "text-anchor": "end", fill: colours[k % colours.length]},
    `${series} = ${g}`)));
}
document.querySelectorAll("select, input").forEach(e => e.addEventListener("change", draw));
draw();
"""
TABLES = """; bars are the intervals of <a href="table.csv">table.csv</a>,
also as <a href="table.parquet">parquet</a>."""
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width">
<style>body {{font: 16px/1.5 sans-serif; margin: 1rem auto; max-width: 60rem; padding: 0 1rem}}
svg {{font-size: 12px; height: auto; max-width: 100%; width: 660px}}
.scroll {{overflow-x: auto}} td, th {{padding: 0 1rem 0 0; text-align: left}}
label {{display: inline-block; margin-right: 1rem}} select {{max-width: 100%}}
h1 {{overflow-wrap: anywhere}}</style></head>
<body><h1>{title}</h1>
<p><label>number <select id="number"></select></label>
<label>against <select id="x"></select></label>
<label>coloured by <select id="series"></select></label>
<label><input type="checkbox" id="logx"> logarithmic across</label>
<label><input type="checkbox" id="logy"> logarithmic up</label></p>
<svg id="figure" viewBox="0 0 660 380" role="img" aria-label="The number against the parameter">
</svg><p><output id="count"></output>{tables}</p>
<h2>Points</h2><div class="scroll"><table>{points}</table></div>
<script type="application/json" id="rows">{rows}</script><script>{script}</script></body></html>
"""


def write_page(
    folder: Path, points: Sequence[Point], table: pd.DataFrame, reasons: Mapping[str, str]
) -> Path:
    """``index.html`` of a sweep.

    Args:
        folder: of the sweep.
        points: all of them.
        table: the tidy one.
        reasons: why points failed, by their keys.
    """
    parameters = list(dict.fromkeys(name for p in points for name in p.columns))
    kept = ["number", "quantiles", "value", "low", "high", *parameters]
    rows = [
        {k: _plain(v) for k, v in row.items()}
        for row in table.reindex(columns=kept).to_dict("records")
    ]
    # Parameters that differ first: they are what one wants to see.
    varied = sorted(parameters, key=lambda name: len({str(r[name]) for r in rows}) < 2)
    data = json.dumps({"rows": rows, "parameters": varied}).replace("</", "<\\/")
    path = folder / "index.html"
    text = PAGE.format(
        title=f"Sweep {html.escape(folder.name)}",
        points="".join([_head(parameters), *(_row(p, parameters, reasons) for p in points)]),
        rows=data,
        tables="" if table.empty else TABLES,
        script=SCRIPT,
    )
    write_atomically(path, text.encode())
    return path


def _plain(value: Any) -> Any:
    """As JSON has it: no NaN."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.item() if hasattr(value, "item") else value


def _head(parameters: Sequence[str]) -> str:
    cells = "".join(f"<th>{html.escape(name)}</th>" for name in parameters)
    return f"<tr><th>notebook</th>{cells}<th></th></tr>"


def _row(point: Point, parameters: Sequence[str], reasons: Mapping[str, str]) -> str:
    values = "".join(
        f"<td>{html.escape(str(point.columns.get(name, '')))}</td>" for name in parameters
    )
    failed = reasons.get(point.key)
    last = (
        f"failed: {html.escape(failed)}"
        if failed is not None
        else f'<a href="points/{point.key}/notebook.html">as executed</a>'
    )
    return f"<tr><td>{html.escape(point.notebook)}</td>{values}<td>{last}</td></tr>"
