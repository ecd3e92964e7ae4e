"""The built pages as a reader's browser sees them, with the network unplugged."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
        if not name.startswith(NOT_PAGES) and REDIRECT not in (folder / name).read_text()
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


def faults(folder: Path, browser: Browser) -> list[str]:
    """Everything wrong with the pages below ``folder``, a line each; empty when all is well."""
    found: list[str] = []
    anatomy: dict[str, Anatomy] = {}
    with served(folder) as root, browser.new_context() as context:
        context.route(lambda url: not url.startswith((root, *INLINE)), lambda route: route.abort())
        for name in pages_of(folder):
            with context.new_page() as page:
                note = partial(lambda name, text: found.append(f"{name}: {text}"), name)
                watch(page, root, note)
                anatomy[name] = look(page, root + name, note)
        return found + broken_links(folder, root, anatomy)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium here: run workflow/system_packages.sh browser")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


def test_book(browser: Browser) -> None:
    """Every page of the book: no errors, nothing fetched from outside, no dead ends, all maths."""
    if not (HTML / "index.html").exists():
        pytest.skip("the book is not built: run make book")
    assert "book/index.html" in pages_of(HTML)
    assert faults(HTML, browser) == []


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
    assert faults(tmp_path, browser) == []


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
    assert any(fault in line for line in faults(tmp_path, browser))


def test_raw_maths_is_caught(
    tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index.html").write_text(SOUND.format('<span class="math">\\(x\\)</span>'))
    monkeypatch.setitem(globals(), "PATIENCE_MS", 500)
    assert any("did not appear" in line for line in faults(tmp_path, browser))


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
