"""Published files: complete or not there, the same for ever, and no byte is sent twice."""

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

import amplib.store.download
from amplib.files import ROOT
from amplib.store.download import PUBLISHED, DownloadError, PublishedFile, check, fetch

pytest.importorskip("pooch")

CONTENT = np.random.default_rng(1).bytes(1_000_000)
TARGET = PublishedFile("1234", "events.bin", "nobody")


class Zenodo(ThreadingHTTPServer):
    """A server of one record with one file that can be told how to misbehave.

    Attributes:
        content: what it serves.
        record: what it says of the file, as text, if not the truth.
        key: the file's name in the record.
        ranges: whether it understands ``Range``.
        cuts: after how many bytes it hangs up, for the next connections.
        stall: if set, it waits after the bytes of a cut instead, until told to go on.
        status: what it answers if not None.
        misplaced: it sends a part from here, whatever was asked for.
        largest: it sends no more than so many bytes of a range, and says so.
        length: says how much it sends; "chunked" in chunks, "unsaid" not at all.
        asked: path and ``Range`` of every request for the file.
        encodings: in which it might have compressed the file.
        sent: bytes sent in all.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.ranges, self.cuts, self.stall = CONTENT, True, [], None
        self.record, self.key = None, "events.bin"
        self.status, self.misplaced, self.largest, self.length = None, None, None, "said"
        self.asked, self.encodings, self.sent = [], set(), 0

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"

    def listing(self):
        """As Zenodo words it."""
        md5 = hashlib.md5(self.content).hexdigest()
        file = {"key": self.key, "size": len(self.content), "checksum": f"md5:{md5}"}
        return json.dumps({"id": 1234, "files": [file]}) if self.record is None else self.record


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server, asked = self.server, self.headers.get("Range")
        if server.status:
            self.send_error(server.status)
            return
        if self.path == "/api/records/1234":
            listing = server.listing().encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(listing)))
            self.end_headers()
            self.wfile.write(listing)
            return
        server.asked.append((self.path, asked))
        server.encodings.add(self.headers.get("Accept-Encoding"))
        tag = f'"{hashlib.md5(server.content).hexdigest()}"'
        size = len(server.content)
        first = int(asked[6:-1]) if asked and server.ranges else 0
        if self.headers.get("If-Range", tag) != tag:
            first, asked = 0, None
        if first >= size:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if asked and server.ranges else 200)
        self.send_header("ETag", tag)
        last = size - 1
        if asked and server.ranges:
            first = first if server.misplaced is None else server.misplaced
            last = min(size, first + (server.largest or size)) - 1
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        body = server.content[first : last + 1]
        if server.length == "said":
            self.send_header("Content-Length", str(len(body)))
        elif server.length == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        self.end_headers()
        cut = server.cuts.pop(0) if server.cuts else len(body)
        self.wfile.write(body[:cut])
        server.sent += min(cut, len(body))
        if server.stall and cut < len(body):
            server.stall.wait(60)
        self.close_connection = True


@pytest.fixture
def zenodo(monkeypatch):
    server = Zenodo()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(amplib.store.download, "ZENODO", server.address)
    monkeypatch.setitem(PUBLISHED, "events", TARGET)
    yield server
    server.shutdown()
    server.server_close()


def files(folder):
    return sorted(p.name for p in folder.iterdir() if not p.name.endswith(".lock"))


def one_line(caught):
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_file_comes_once_and_is_checked_afterwards(zenodo, tmp_path):
    folder = tmp_path / "data"
    path = fetch("events", folder)
    assert path == folder / "events.bin"
    assert path.read_bytes() == CONTENT
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert (folder / "events.bin.sha256").read_text() == f"{digest}  events.bin\n"
    assert files(folder) == ["events.bin", "events.bin.sha256"]
    assert fetch("events", folder) == path
    assert zenodo.asked == [("/records/1234/files/events.bin?download=1", None)]
    assert zenodo.encodings == {"identity"}


def test_files_go_to_the_data_folder(zenodo, tmp_path, monkeypatch):
    monkeypatch.setattr("amplib.files.DATA", tmp_path)
    assert fetch("events") == tmp_path / "events.bin"


def test_the_published_files_are_those_of_the_papers():
    assert PUBLISHED["ttbar"].listing == "https://zenodo.org/api/records/3560661"
    assert PUBLISHED["showers"].page == "https://zenodo.org/records/3826103"
    for published in PUBLISHED.values():
        assert published.record in published.citation


def test_an_unknown_name_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match=r"no published file 'ttb': there are showers, ttbar"):
        fetch("ttb", tmp_path)


# ---- broken connections ----


def test_cut_connections_are_taken_up_at_once(zenodo, tmp_path):
    """Three cuts, four connections, each from where the last one ended; nothing comes twice."""
    zenodo.cuts = [400_000, 300_000, 123_456]
    assert fetch("events", tmp_path).read_bytes() == CONTENT
    firsts = [0 if asked is None else int(asked[6:-1]) for _, asked in zenodo.asked]
    assert len(firsts) == 4
    assert firsts == sorted(set(firsts))
    lost = zenodo.sent - len(CONTENT)
    assert 0 <= lost <= 3 * amplib.store.download.BLOCK
    assert files(tmp_path) == ["events.bin", "events.bin.sha256"]


def test_a_broken_download_goes_on_in_the_next_call(zenodo, tmp_path):
    zenodo.cuts = [700_000, 0]
    with pytest.raises(
        DownloadError, match=r"is lost; the first [\d,]+ bytes .* are kept"
    ) as caught:
        fetch("events", tmp_path)
    one_line(caught)
    assert files(tmp_path) == ["events.bin.part", "events.bin.part.etag"]
    kept = (tmp_path / "events.bin.part").stat().st_size
    assert 700_000 - amplib.store.download.BLOCK <= kept <= 700_000
    assert fetch("events", tmp_path).read_bytes() == CONTENT
    assert zenodo.asked[-1][1] == f"bytes={kept}-"
    assert files(tmp_path) == ["events.bin", "events.bin.sha256"]


FETCH = """
import sys
from pathlib import Path
import amplib.store.download as d
d.ZENODO = sys.argv[1]
d.PUBLISHED["events"] = d.PublishedFile("1234", "events.bin", "nobody")
d.fetch("events", Path(sys.argv[2]))
"""


def test_a_killed_download_goes_on(zenodo, tmp_path):
    """kill -9 in the middle: the data file is not there, what has come is."""
    zenodo.cuts, zenodo.stall = [500_000], threading.Event()
    part = tmp_path / "events.bin.part"
    command = [sys.executable, "-c", FETCH, zenodo.address, str(tmp_path)]
    run = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)})
    end = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size > 400_000):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    run.kill()
    assert run.wait(60) == -signal.SIGKILL
    zenodo.stall.set()
    kept = part.stat().st_size
    assert not (tmp_path / "events.bin").exists()
    assert fetch("events", tmp_path).read_bytes() == CONTENT
    assert zenodo.asked[-1][1] == f"bytes={kept}-"


def test_a_server_that_knows_no_ranges_sends_all_again(zenodo, tmp_path):
    zenodo.ranges, zenodo.cuts = False, [300_000, 600_000]
    assert fetch("events", tmp_path).read_bytes() == CONTENT
    assert zenodo.sent == 1_900_000


def test_a_server_that_cuts_at_one_place_is_given_up(zenodo, tmp_path):
    zenodo.ranges, zenodo.cuts = False, [300_000] * 10
    with pytest.raises(DownloadError, match="is lost"):
        fetch("events", tmp_path)
    assert len(zenodo.asked) == 2


def test_a_server_that_sends_less_than_asked_for_is_asked_again(zenodo, tmp_path):
    zenodo.cuts, zenodo.largest = [200_000], 300_000
    assert fetch("events", tmp_path).read_bytes() == CONTENT
    assert len(zenodo.asked) == 4


def test_another_part_than_asked_for_is_not_joined(zenodo, tmp_path):
    (tmp_path / "events.bin.part").write_bytes(CONTENT[:1000])
    zenodo.misplaced = 2000
    assert fetch("events", tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("part", [CONTENT, CONTENT + b"more"], ids=["complete", "too long"])
def test_a_part_that_lacks_nothing(zenodo, tmp_path, part):
    """Killed just before it got its name; or left by a longer file."""
    (tmp_path / "events.bin.part").write_bytes(part)
    assert fetch("events", tmp_path).read_bytes() == CONTENT
    assert zenodo.sent == (0 if part == CONTENT else len(CONTENT))


def test_two_versions_are_not_joined(zenodo, tmp_path):
    zenodo.cuts = [500_000, 0]
    with pytest.raises(DownloadError):
        fetch("events", tmp_path)
    zenodo.content = CONTENT[::-1]
    assert fetch("events", tmp_path).read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("length", ["unsaid", "chunked"])
def test_a_size_that_is_not_said(zenodo, tmp_path, length):
    """The record says it, so that a cut download is told from a complete one."""
    zenodo.length, zenodo.cuts = length, [600_000]
    assert fetch("events", tmp_path).read_bytes() == CONTENT
    assert len(zenodo.asked) == 2


def test_two_at_once_download_once(zenodo, tmp_path):
    with ThreadPoolExecutor(2) as pool:
        paths = list(pool.map(lambda _: fetch("events", tmp_path), range(2)))
    assert paths[0].read_bytes() == CONTENT
    assert len(zenodo.asked) == 1


# ---- what cannot be had ----


@pytest.mark.parametrize(("status", "reason"), [(404, "Not Found"), (429, "Too Many Requests")])
def test_a_refusal_says_where_to_look(zenodo, tmp_path, status, reason):
    zenodo.status = status
    with pytest.raises(DownloadError) as caught:
        fetch("events", tmp_path)
    assert one_line(caught) == (
        f"127.0.0.1:{zenodo.server_port} refuses events.bin ({status} {reason}): download it from "
        f"{zenodo.address}/records/1234 in a browser and save it as {tmp_path / 'events.bin'}"
    )
    assert not files(tmp_path)


def test_a_part_survives_a_refusal(zenodo, tmp_path):
    (tmp_path / "events.bin.part").write_bytes(CONTENT[:1000])
    zenodo.status = 503
    with pytest.raises(DownloadError, match="503"):
        fetch("events", tmp_path)
    zenodo.status = None
    assert fetch("events", tmp_path).read_bytes() == CONTENT
    assert zenodo.asked[-1][1] == "bytes=1000-"


def test_no_network(zenodo, tmp_path):
    zenodo.shutdown()
    zenodo.server_close()
    with pytest.raises(
        DownloadError, match=r"^no connection to 127.0.0.1:\d+: try again"
    ) as caught:
        fetch("events", tmp_path)
    one_line(caught)


def test_a_full_disk(zenodo, tmp_path):
    usual, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, most))  # by the kernel, as a full disk
    try:
        with pytest.raises(DownloadError, match=r"cannot write .*events\.bin: File too large"):
            fetch("events", tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (usual, most))
    assert not (tmp_path / "events.bin").exists()


def test_a_folder_that_cannot_be(zenodo, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match=r"cannot write .*: Not a directory") as caught:
        fetch("events", tmp_path / "file" / "data")
    one_line(caught)


# ---- what is not the file of the record ----

PAGE = b"<!doctype html><title>Please log in</title>"


@pytest.mark.parametrize("length", ["said", "unsaid", "chunked"])
@pytest.mark.parametrize("page", [PAGE, PAGE * 30_000], ids=["short", "long"])
def test_a_web_page_in_place_of_the_file_is_never_taken(zenodo, tmp_path, page, length):
    record = zenodo.listing()
    zenodo.record, zenodo.content, zenodo.length = record, page, length
    with pytest.raises(DownloadError, match=r"try again later") as caught:
        fetch("events", tmp_path)
    one_line(caught)
    assert not {"events.bin", "events.bin.sha256"} & set(files(tmp_path))
    zenodo.content, zenodo.length = CONTENT, "said"
    while not (tmp_path / "events.bin").exists():  # once more if the page was taken for a part
        try:
            fetch("events", tmp_path)
        except DownloadError:
            assert not (tmp_path / "events.bin.part").exists()
    assert fetch("events", tmp_path).read_bytes() == CONTENT


def test_a_file_of_the_right_size_and_another_md5_is_not_kept(zenodo, tmp_path):
    zenodo.record, zenodo.content = zenodo.listing(), CONTENT[::-1]
    with pytest.raises(DownloadError, match=r"is not the file of its record \(MD5 ") as caught:
        fetch("events", tmp_path)
    one_line(caught)
    assert not files(tmp_path)


def test_a_web_page_saved_by_hand_is_not_kept_to(zenodo, tmp_path):
    path = tmp_path / "events.bin"
    path.write_bytes(b"\n" + PAGE)
    with pytest.raises(DownloadError, match=r"events\.bin is a web page") as caught:
        fetch("events", tmp_path)
    one_line(caught)
    assert files(tmp_path) == ["events.bin"]
    path.unlink()
    assert fetch("events", tmp_path).read_bytes() == CONTENT


def test_the_only_file_of_its_kind_may_have_another_name(zenodo, tmp_path):
    zenodo.key = "all the events.bin"
    assert fetch("events", tmp_path) == tmp_path / "events.bin"
    assert zenodo.asked == [("/records/1234/files/all%20the%20events.bin?download=1", None)]


ZEROS = "md5:" + 32 * "0"
RECORDS = {
    "a web page": PAGE.decode(),
    "empty": "",
    "a list": "[]",
    "without files": '{"id": 1234}',
    "of no file": '{"files": []}',
    "of another kind": f'{{"files": [{{"key": "a.txt", "size": 1, "checksum": "{ZEROS}"}}]}}',
    "without a size": f'{{"files": [{{"key": "events.bin", "checksum": "{ZEROS}"}}]}}',
    "without an MD5": '{"files": [{"key": "events.bin", "size": 1, "checksum": "md5:"}]}',
}


@pytest.mark.parametrize("how", RECORDS)
def test_a_record_that_does_not_list_the_file_is_one_line(zenodo, tmp_path, how):
    zenodo.record = RECORDS[how]
    with pytest.raises(DownloadError, match=r"lists no events\.bin .* in a browser") as caught:
        fetch("events", tmp_path)
    one_line(caught)
    assert not zenodo.asked
    assert not files(tmp_path)


@pytest.mark.parametrize("suffix", ["", ".sha256", ".part", ".part.etag"])
def test_no_symbolic_link_is_followed(zenodo, tmp_path, suffix):
    folder, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.write_bytes(b"mine")
    (folder / f"events.bin{suffix}").symlink_to(elsewhere)
    with pytest.raises(DownloadError, match="is a symbolic link") as caught:
        fetch("events", folder)
    one_line(caught)
    assert not zenodo.asked
    assert elsewhere.read_bytes() == b"mine"


# ---- the same file for ever ----


def test_a_file_that_has_changed_is_named_and_refused(zenodo, tmp_path):
    path = fetch("events", tmp_path)
    path.write_bytes(CONTENT[:500] + bytes([CONTENT[500] ^ 1]) + CONTENT[501:])
    with pytest.raises(DownloadError, match="delete it to download it again") as caught:
        fetch("events", tmp_path)
    assert str(path) in one_line(caught)
    assert len(zenodo.asked) == 1
    path.unlink()
    assert fetch("events", tmp_path).read_bytes() == CONTENT


def test_another_file_at_the_source_is_refused(zenodo, tmp_path):
    fetch("events", tmp_path).unlink()
    zenodo.content = CONTENT + b"!"
    with pytest.raises(DownloadError, match=r"is not the file of .*events\.bin\.sha256") as caught:
        fetch("events", tmp_path)
    one_line(caught)
    assert files(tmp_path) == ["events.bin.sha256"]


def test_a_file_put_there_by_hand_is_taken_and_kept_to(zenodo, tmp_path):
    path = tmp_path / "events.bin"
    path.write_bytes(b"from a browser")
    assert fetch("events", tmp_path) == path
    path.write_bytes(b"something else")
    with pytest.raises(DownloadError, match="SHA-256"):
        fetch("events", tmp_path)
    assert not zenodo.asked


def test_sha256sum_reads_what_is_kept(tmp_path):
    path = tmp_path / "events.bin"
    path.write_bytes(CONTENT)
    check(path)
    subprocess.run(["sha256sum", "-c", "--status", "events.bin.sha256"], cwd=tmp_path, check=True)


@pytest.mark.parametrize("text", [b"", b"abc", b"\xff\x00", b"0" * 63 + b"  events.bin\n"])
def test_a_damaged_checksum_is_named(zenodo, tmp_path, text):
    path = fetch("events", tmp_path)
    (tmp_path / "events.bin.sha256").write_bytes(text)
    for _ in range(2):  # with the file, and without
        with pytest.raises(ValueError, match=r"events\.bin\.sha256 holds no SHA-256") as caught:
            fetch("events", tmp_path)
        one_line(caught)
        path.unlink(missing_ok=True)
