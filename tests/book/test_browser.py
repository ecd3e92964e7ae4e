"""The built pages as a reader's browser sees them, with the network unplugged."""

from __future__ import annotations

import gzip
import shutil
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from amplib.book.obtain import stored
from amplib.files import ROOT
from amplib.studies.latent.explorer import explorer
from amplib.studies.latent.figures import COLORS
from amplib.studies.latent.reading import Chart

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing")

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

pytestmark = pytest.mark.browser

Anatomy = dict[str, list[str]]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HTML = ROOT / "_build" / "html"
INLINE = ("data:", "blob:", "about:")
REDIRECT = 'http-equiv="refresh"'
NOT_PAGES = ("_static/", "_sources/")
PATIENCE_MS = 20_000
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
# Every id and every local link target of a page, and what a reader would see as broken.
ANATOMY = """() => ({
    images: [...document.images].filter(i => {
        i.loading = "eager";
        return i.complete && i.naturalWidth === 0;
    }).map(i => i.getAttribute("src")),
    links: [...document.querySelectorAll("a[href]")].map(a => a.href),
    ids: [...document.querySelectorAll("[id], a[name]")].map(e => e.id || e.name),
})"""
IMAGES_DONE = (
    """() => [...document.images].every(i => { i.loading = "eager"; return i.complete; })"""
)
MATHS_DONE = """() => [...document.querySelectorAll(".math")].every(
    e => e.querySelector("mjx-container") && !e.querySelector("mjx-merror"))"""


WIDTHS = (1400, 400)
# What a reader has to push sideways to read it, and by how much: the page, code, tables and
# pictures; where there is room for them equations and what is printed, which keeps its columns.
TOO_WIDE = """width => {
    const main = document.querySelector("article") || document.body;
    const page = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    const found = page > 0 ? [`page by ${page}`] : [];
    const kinds = ["table", "img", ...(width > 1000 ? ["pre", "div.math"]
        : ["pre:not(.cell_output pre)"])];
    for (const element of main.querySelectorAll(kinds.join(", "))) {
        const place = element.parentElement;
        const over = Math.max(
            element.getBoundingClientRect().right - place.getBoundingClientRect().right,
            element.tagName === "IMG" ? 0 : element.scrollWidth - element.clientWidth,
        );
        if (element.offsetWidth && over > 1)
            found.push(`${element.tagName} ${element.id || element.textContent.trim().slice(0, 40)}`
                + ` by ${Math.round(over)}`);
    }
    return found;
}"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve ``folder`` on the loopback; yields the address with a trailing slash."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def pages_of(folder: Path) -> list[str]:
    """Pages below ``folder``, less those that only redirect."""
    names = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.html")))
    return [
        name
        for name in names
        if not name.startswith(NOT_PAGES) and REDIRECT not in (folder / name).read_text().lower()
    ]


def broken_links(folder: Path, root: str, anatomy: dict[str, Anatomy]) -> list[str]:
    """Links within the book whose page or anchor does not exist."""
    found = []
    for page, parts in anatomy.items():
        for link in parts["links"]:
            if not link.startswith(root):
                continue
            address, anchor = urldefrag(link)
            target = unquote(urlsplit(address).path).lstrip("/") or "index.html"
            if not (folder / target).exists():
                found.append(f"{page}: link to missing {target}")
            elif anchor and target in anatomy and unquote(anchor) not in anatomy[target]["ids"]:
                found.append(f"{page}: no anchor #{anchor} on {target}")
    return found


def watch(page: Page, root: str, note: Callable[[str], None]) -> None:
    """Have ``note`` told of every error and of every request beyond ``root``."""

    def asked(request: Request) -> None:
        if not request.url.startswith((root, *INLINE)):
            note(f"request to {request.url}")

    def said(message: ConsoleMessage) -> None:
        if message.type == "error":
            note(f"console: {message.text}")

    def answered(response: Response) -> None:
        if response.status >= 400:
            note(f"status {response.status}: {response.url}")

    page.on("request", asked)
    page.on("console", said)
    page.on("response", answered)
    page.on("pageerror", lambda error: note(f"page error: {error}"))


def look(page: Page, address: str, note: Callable[[str], None]) -> Anatomy:
    """Open ``address``, wait for its images and formulas, and return its anatomy."""
    anatomy: Anatomy = {"images": [], "links": [], "ids": []}
    try:
        page.goto(address, wait_until="load")
        page.wait_for_function(IMAGES_DONE, timeout=PATIENCE_MS)
        anatomy = page.evaluate(ANATOMY)
        page.wait_for_function(MATHS_DONE, timeout=PATIENCE_MS)
    except playwright.TimeoutError:
        note("a formula or an image did not appear in time")
    except playwright.Error as error:
        note(f"did not load: {error.message}")
    for image in anatomy["images"]:
        note(f"broken image {image}")
    return anatomy


@dataclass
class Seen:
    """What is wrong with the pages of a folder, a line each.

    Args:
        broken: errors, requests beyond the folder, dead links, formulas that do not appear.
        wide: what does not fit the window.
    """

    broken: list[str] = field(default_factory=list)
    wide: list[str] = field(default_factory=list)


def see(folder: Path, browser: Browser, width: int = WIDTHS[0]) -> Seen:
    """Open every page below ``folder`` once, in a window of this width."""
    seen, anatomy = Seen(), {}
    window = {"width": width, "height": 900}
    with served(folder) as root, browser.new_context(viewport=window) as context:
        for name in pages_of(folder):
            with context.new_page() as page:
                note = partial(lambda name, text: seen.broken.append(f"{name}: {text}"), name)
                watch(page, root, note)
                anatomy[name] = look(page, root + name, note)
                seen.wide += [f"{name}: {line}" for line in page.evaluate(TOO_WIDE, width)]
        seen.broken += broken_links(folder, root, anatomy)
    return seen


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium here: run workflow/system_packages.sh browser")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module", params=WIDTHS)
def book(request: pytest.FixtureRequest, browser: Browser) -> Seen:
    """The whole book, as wide as on a desk and on a telephone."""
    if not (HTML / "index.html").exists():
        pytest.skip("the book is not built: run make book")
    assert "book/index.html" in pages_of(HTML)
    return see(HTML, browser, request.param)


def test_nothing_is_broken(book: Seen) -> None:
    """No errors, nothing fetched from outside, no dead ends, all maths."""
    assert book.broken == []


def test_everything_fits_the_window(book: Seen) -> None:
    """Long equations may scroll by themselves on a telephone."""
    assert book.wide == []


SOUND = """<!doctype html>
<html lang="en"><head><title>x</title><link rel="icon" href="data:,"></head>
<body><h1 id="top">x</h1>{}</body></html>"""
PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="


@pytest.mark.parametrize(
    "body",
    [
        '<a href="#top">up</a> <a href="other.html#top">other</a>',
        f'<img src="{PIXEL}" alt="">',
        '<span class="math"><mjx-container>1</mjx-container></span>',
        '<a href="https://example.org/">a link out is no request</a>',
    ],
    ids=["links", "image", "maths", "outside"],
)
def test_sound_page_passes(tmp_path: Path, browser: Browser, body: str) -> None:
    (tmp_path / "index.html").write_text(SOUND.format(body))
    (tmp_path / "other.html").write_text(SOUND.format(""))
    assert see(tmp_path, browser).broken == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<script>console.error('on the console')</script>", "on the console"),
        ("<script>throw new Error('thrown')</script>", "page error: thrown"),
        ('<script src="missing.js"></script>', "status 404"),
        ('<img src="https://example.org/x.png" alt="">', "request to https://example.org/x.png"),
        ('<img src="data:image/png;base64,AAAA" alt="">', "broken image"),
        ('<a href="missing.html">x</a>', "link to missing missing.html"),
        ('<a href="#nowhere">x</a>', "no anchor #nowhere on index.html"),
        ('<a href="other.html#nowhere">x</a>', "no anchor #nowhere on other.html"),
    ],
    ids=["console", "throws", "404", "outside", "image", "link", "anchor", "far-anchor"],
)
def test_broken_page_is_caught(tmp_path: Path, browser: Browser, body: str, fault: str) -> None:
    (tmp_path / "index.html").write_text(SOUND.format(body))
    (tmp_path / "other.html").write_text(SOUND.format(""))
    assert any(fault in line for line in see(tmp_path, browser).broken)


def test_raw_maths_is_caught(
    tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index.html").write_text(SOUND.format('<span class="math">\\(x\\)</span>'))
    monkeypatch.setitem(globals(), "PATIENCE_MS", 500)
    assert any("did not appear" in line for line in see(tmp_path, browser).broken)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("<div style='overflow: auto'><table><tr><td>" + 99 * "m" + "</table></div>", "TABLE"),
        ("<pre style='overflow: auto'>" + 99 * "m" + "</pre>", "PRE"),
        ("<p>" + 99 * "m", "page by"),
    ],
)
def test_what_does_not_fit_is_caught(
    tmp_path: Path, browser: Browser, body: str, what: str
) -> None:
    (tmp_path / "index.html").write_text(SOUND.format(body))
    assert any(what in line for line in see(tmp_path, browser, 400).wide)
    (tmp_path / "index.html").write_text(SOUND.format("<pre>short</pre><table><tr><td>1</table>"))
    assert see(tmp_path, browser, 400).wide == []


def test_what_is_printed_keeps_its_columns(tmp_path: Path, browser: Browser) -> None:
    """It scrolls in its own box, where code is wrapped."""
    shutil.copy(ROOT / "book" / "_static" / "custom.css", tmp_path)
    line = "name" + 76 * " " + "1"
    body = (
        '<link rel="stylesheet" href="custom.css"><article class="bd-article">'
        f"<pre>{line}</pre><div class='cell_output'><pre>{line}</pre></div></article>"
    )
    (tmp_path / "index.html").write_text(SOUND.format(body))
    with served(tmp_path) as root, browser.new_page(viewport={"width": 400, "height": 900}) as page:
        page.goto(root)
        heights = [p.bounding_box()["height"] for p in page.locator("pre").all()]
        assert heights[0] > 1.5 * heights[1]
        printed = page.locator(".cell_output pre")
        assert printed.evaluate("p => p.scrollWidth > p.clientWidth")
        assert page.evaluate(TOO_WIDE, 400) == []


def test_a_table_that_is_too_wide_is_shown_row_by_row(tmp_path: Path, browser: Browser) -> None:
    """Each value beside its heading; where there is room it is a table again."""
    heads, cells = "<th>first</th><th>second</th>", f"<td>a</td><td>{40 * 'm '}</td>"
    wide = f"<thead><tr>{heads}</thead><tbody><tr>{cells.replace(' ', '&nbsp;')}</tbody>"
    for name in ("custom.css", "tables.js"):
        shutil.copy(ROOT / "book" / "_static" / name, tmp_path)
    links = '<link rel="stylesheet" href="custom.css"><script src="tables.js"></script>'
    body = f'{links}<article class="bd-article"><div><table>{wide}</table></div></article>'
    (tmp_path / "index.html").write_text(SOUND.format(body))
    assert see(tmp_path, browser).broken == []
    with served(tmp_path) as root, browser.new_page(viewport={"width": 400, "height": 900}) as page:
        page.goto(root)
        assert page.locator("td:nth-child(2) .label").inner_text() == "second"
        assert page.locator("thead").is_hidden()
        assert page.evaluate(TOO_WIDE, 400) == []
        page.set_viewport_size({"width": 1400, "height": 900})
        page.locator("thead").wait_for(state="visible")  # resizing is heard of a little later
        assert page.locator("td:nth-child(2) .label").is_hidden()


SEEN = """box => ({
    image: box.querySelector("img").src,
    alt: box.querySelector("img").alt,
    said: [...box.querySelectorAll("output")].map(o => o.textContent),
    over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
})"""


@pytest.fixture
def grid_page(tmp_path: Path) -> Path:
    """A page with two sliders of three and two values, each figure a colour of its own."""
    from amplib.book.sliders import Slider, page_of

    sliders = [Slider("q", "quantiles", [5, 10, 20], 10), Slider("n", "events", [100, 1000], 1000)]
    pictures = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><title>{k}</title></svg>'
        for k in range(6)
    ]
    frames = [
        {"svg": b64encode(gzip.compress(svg.encode())).decode(), "alt": f'figure "{k}" </script>'}
        for k, svg in enumerate(pictures)
    ]
    body = page_of(sliders, frames, 3, pictures[3])
    (tmp_path / "index.html").write_text(SOUND.format(body))
    return tmp_path


def content(page: Page, address: str) -> str:
    """The picture behind an address."""
    return str(page.evaluate("async address => (await fetch(address)).text()", address))


def test_sliders_are_moved_by_keys_and_each_place_has_its_figure(
    grid_page: Path, browser: Browser
) -> None:
    """In the order of the grid, whichever slider moves, with nothing fetched from anywhere."""
    assert see(grid_page, browser).broken == []
    with served(grid_page) as root, browser.new_page() as page:
        page.goto(root)
        box = page.locator(".grid-figure")
        assert box.evaluate(SEEN)["alt"] == 'figure "3" </script>'
        page.keyboard.press("Tab")
        for key, place in [("ArrowRight", 5), ("Home", 1), ("ArrowRight", 3)]:
            page.keyboard.press(key)
            wait_for_figure(page, f'figure "{place}" </script>')
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowLeft")
        wait_for_figure(page, 'figure "2" </script>')
        seen = box.evaluate(SEEN)
        assert seen["said"] == ["10", "100"]
        assert "<title>2</title>" in content(page, seen["image"])
        texts = [slider.get_attribute("aria-valuetext") for slider in page.locator("input").all()]
        assert texts == ["10", "100"]


def wait_for_figure(page: Page, alt: str) -> None:
    page.wait_for_function(
        "alt => document.querySelector('.grid-figure img').alt === alt", arg=alt, timeout=5000
    )


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["closer", "sweeps", "plane"])
def test_sliders_of_the_book(browser: Browser, name: str, width: int) -> None:
    """Every place of every slider shows a figure of its own, none of them wider than the page."""
    if not (HTML / f"book/notebooks/{name}.html").exists():
        pytest.skip("the book is not built: run make book")
    with served(HTML) as root, browser.new_page(viewport={"width": width, "height": 900}) as page:
        found: list[str] = []
        watch(page, root, found.append)
        page.goto(root + f"book/notebooks/{name}.html")
        box = page.locator(".grid-figure")
        inputs = box.locator("input")
        figures = set()
        for slider in inputs.all():
            slider.focus()
            page.keyboard.press("Home")
        for slider in inputs.all():
            slider.focus()
            for place in range(int(slider.get_attribute("max") or 0)):
                before = box.evaluate(SEEN)
                page.keyboard.press("ArrowRight")
                page.wait_for_function(
                    "alt => document.querySelector('.grid-figure img').alt !== alt",
                    arg=before["alt"],
                    timeout=5000,
                )
                page.wait_for_function(IMAGES_DONE, timeout=PATIENCE_MS)
                assert slider.input_value() == str(place + 1)
                figures.add(content(page, box.evaluate(SEEN)["image"]))
                shown = box.locator("img").bounding_box()
                assert shown is not None and shown["width"] <= width
        places = [int(slider.get_attribute("max") or 0) for slider in inputs.all()]
        assert len(figures) == sum(places) >= 2
        assert box.evaluate(SEEN)["over"] <= 0
        assert found == []


def test_the_page_of_a_sweep_draws_any_number_against_any_parameter(
    tmp_path: Path, browser: Browser
) -> None:
    """A circle a point that has the number, at all numbers and parameters, words among them; an
    arrow for what is only bounded, up from a lower bound."""
    import pandas as pd

    from amplib.book.points import Point
    from amplib.book.sweep_page import write_page

    values = [{"preset": "smoke", "n_train": n, "aggregation": a} for n in (50, 100) for a in "ab"]
    points = [Point("amplify", v) for v in values]
    rows = [
        {"number": name, "quantiles": q, "value": k + 1.5, "low": k, "high": k + 2, **v}
        for k, v in enumerate(values)
        for name, q in (("worth", 10), ("worth", 20), ("failures", None))
        if (k, name) != (0, "failures")
    ]
    for k, end in enumerate(("low", "high", "low")):
        rows.append({"number": "bound", "quantiles": None, end: 5.0, **values[k]})
    (tmp_path / "table.csv").write_text("")
    (tmp_path / "table.parquet").write_text("")
    for point in points[1:]:
        page_of_point = tmp_path / "points" / point.key / "notebook.html"
        page_of_point.parent.mkdir(parents=True)
        page_of_point.write_text(SOUND.format(""))
    write_page(tmp_path, points, pd.DataFrame(rows), {points[0].key: "<why>"})
    assert see(tmp_path, browser).broken == []
    with served(tmp_path) as root, browser.new_page(viewport={"width": 400, "height": 800}) as page:
        page.goto(root)
        numbers = page.locator("#number option").all_text_contents()
        assert numbers == ["worth at 10 quantiles", "worth at 20 quantiles", "failures", "bound"]
        assert page.locator("#x option").all_text_contents() == [
            "n_train", "aggregation", "preset"
        ]  # fmt: skip
        for number, circles in zip(numbers, (4, 4, 3, 0), strict=True):
            page.select_option("#number", number)
            for x in ("n_train", "aggregation", "preset"):
                page.select_option("#x", x)
                for box in ("#logx", "#logy"):
                    page.check(box)
                    page.uncheck(box)
                assert page.locator("circle").count() == circles
        arrows = [page.locator(f"path[d*='{by}z']").count() for by in ("l-5 -9", "l-5 9")]
        assert arrows == [2, 1]
        assert page.inner_text("#count") == "3 points, 3 of them bounds (arrows)"
        page.select_option("#number", numbers[0])
        page.select_option("#series", "aggregation")
        assert page.locator("circle[fill='#E69F00']").count() == 2
        assert "failed: <why>" in page.inner_text("table")
        assert page.evaluate(SEEN_WIDTH) <= 0


SEEN_WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


# ---- the map of the latent space ----


@pytest.fixture
def latent_map(tmp_path: Path, browser: Browser) -> Iterator[tuple[Page, list[str]]]:
    """The page of the map alone, and what goes wrong on it."""
    chart = Chart.of(stored("latent-map", "laptop"))
    page_of = SOUND.replace("<title>", '<meta charset="utf-8"><title>')
    (tmp_path / "index.html").write_text(page_of.format(explorer(chart)))
    found: list[str] = []
    with served(tmp_path) as root, browser.new_page() as page:
        watch(page, root, found.append)
        page.goto(root + "index.html", wait_until="load")
        yield page, found


def test_a_click_on_the_map_shows_the_event_there(latent_map: tuple[Page, list[str]]) -> None:
    page, found = latent_map
    said, arrows = page.locator(".said"), page.locator(".event line")
    assert said.inner_text().startswith("r = 3.50, φ = 225°, event 62 of the figure: 4 jets")
    before = arrows.first.get_attribute("x2")
    box = page.locator(".plane").bounding_box()
    assert box is not None
    scale = box["width"] / 9.2  # of the view box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 - 2.04 * scale)
    assert said.inner_text().startswith("r = 2.04, φ = 90°, event 35 of the figure: 4 jets")
    assert arrows.first.get_attribute("x2") != before
    colors = {arrow.get_attribute("stroke") for arrow in arrows.all()}
    assert colors >= {COLORS["jet"], COLORS["missing"]}
    assert found == []


def test_the_map_is_explored_by_keyboard(latent_map: tuple[Page, list[str]]) -> None:
    """Tab reaches two sliders, arrows move them, and a screen reader is told what is there."""
    page, found = latent_map
    reached = []
    for _ in range(2):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.className"))
    assert reached == ["radius", "angle"]
    page.focus(".radius")
    page.keyboard.press("ArrowLeft")
    assert page.locator(".said").inner_text().startswith("r = 3.26, φ = 225°:")
    page.focus(".angle")
    page.keyboard.press("ArrowRight")
    assert page.locator(".said").inner_text().startswith("r = 3.26, φ = 240°:")
    assert page.locator(".said").get_attribute("aria-live") == "polite"
    assert found == []
