"""The published data sets: fetched once, checked at every fetch.

A download has to be what the record of its DOI says: of this name, size and MD5.  The SHA-256 of
the first one, or of a file put into the folder by hand, is kept beside it in ``<name>.sha256``
(``sha256sum -c`` reads it), and what differs from it later is refused.  A broken download goes on
where it stopped.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from tqdm import tqdm

from amplib import files
from amplib.files import write_atomically

ZENODO = "https://zenodo.org"
TIMEOUT = 30.0
"""Seconds without an answer, or without a byte, after which a connection counts as broken."""
BLOCK = 1 << 16


class DownloadError(ValueError):
    """A published file cannot be had; one sentence says why and what to do."""


@dataclass(frozen=True)
class PublishedFile:
    """One file of a Zenodo record.

    Args:
        record: its number, the end of the DOI 10.5281/zenodo.<record>.
        name: of the file here, and in the record unless its only file of this kind has another.
        citation: of the data.
    """

    record: str
    name: str
    citation: str

    @property
    def page(self) -> str:
        """Where a person finds it."""
        return f"{ZENODO}/records/{self.record}"

    def path(self, folder: Path | None = None) -> Path:
        """Where it lies once it is fetched: in ``data/``, or in a folder."""
        return (folder or files.DATA) / self.name

    @property
    def listing(self) -> str:
        """Where Zenodo says, as JSON, what is in the record."""
        return f"{ZENODO}/api/records/{self.record}"


@dataclass(frozen=True)
class Listed:
    """What the record says of a file."""

    url: str
    size: int
    md5: str


PUBLISHED = {
    # Its name in the record is not documented.
    "showers": PublishedFile(
        "3826103",
        "gamma-fullG4.hdf5",
        "E. Buhmann et al., High Granularity Electromagnetic Shower Images, Zenodo 3826103 (2020); "
        "Getting High, arXiv:2005.05334",
    ),
    "ttbar": PublishedFile(
        "3560661",
        "ttb.csv",
        "S. Otten et al., Zenodo 3560661 (2019); Event Generation and Statistical Sampling for "
        "Physics with Deep Generative Models and a Density Information Buffer, arXiv:1901.00875",
    ),
}


def fetch(name: str, folder: Path | None = None) -> Path:
    """Path of a published file, downloaded if it is not there, checked if it is.

    Args:
        name: a key of ``PUBLISHED``.
        folder: where to; ``data/`` by default.

    Raises:
        DownloadError: in one line, if the file cannot be downloaded, differs from its record or
            its SHA-256, or is a symbolic link.
        ValueError: if there is no such name, or the kept SHA-256 is unreadable.
    """
    if name not in PUBLISHED:
        raise ValueError(f"no published file {name!r}: there are {', '.join(PUBLISHED)}")
    published = PUBLISHED[name]
    path = published.path(folder)
    for file in (path, _checksum_path(path), _part(path), _tag(path), _lock(path)):
        if file.is_symlink():  # who reads or writes it might do so anywhere
            raise DownloadError(f"{file} is a symbolic link: put the file itself there")
    if path.exists() and _checksum_path(path).exists():
        check(path)
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path):
            if not path.exists():
                _download(published, path)
            check(path)
    except OSError as error:
        raise DownloadError(f"cannot write {path}: {error.strerror or error}") from None
    return path


def digests(names: Iterable[str]) -> dict[str, str | None]:
    """The kept SHA-256 of published files in ``data/``, by file name."""
    paths = [PUBLISHED[name].path() for name in names]
    return {path.name: kept_sha256(path) for path in paths}


def check(path: Path) -> None:
    """Compare a file with the SHA-256 kept beside it; keep it there if there is none yet.

    Raises:
        DownloadError: naming the file, if it differs, or is a web page and none is kept yet.
        ValueError: if the kept SHA-256 is unreadable.
    """
    kept = kept_sha256(path)
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
        stream.seek(0)
        if kept is None and stream.read(1024).lstrip().startswith(b"<"):
            raise DownloadError(f"{path} is a web page, not the data: delete it")
    if kept is None:
        write_atomically(_checksum_path(path), f"{found}  {path.name}\n".encode())
    elif kept != found:
        raise DownloadError(
            f"{path} has SHA-256 {found[:12]}..., not {kept[:12]}... as when it first came: delete "
            f"it to download it again, or delete {_checksum_path(path).name} if it is meant"
        )


def kept_sha256(path: Path) -> str | None:
    """The SHA-256 kept beside a file, or None.

    Raises:
        ValueError: if what is kept is no SHA-256.
    """
    kept = _checksum_path(path)
    if not kept.exists():
        return None
    match = re.match(rb"([0-9a-f]{64})\s", kept.read_bytes())
    if not match:
        raise ValueError(f"{kept} holds no SHA-256; restore or delete it")
    return match[1].decode()


def _checksum_path(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _tag(path: Path) -> Path:
    return path.with_name(path.name + ".part.etag")


def _lock(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")


def _download(published: PublishedFile, path: Path) -> None:
    """Fetch a file through pooch, which compares it with the SHA-256 of an earlier download or
    else with the MD5 of its record."""
    import pooch

    pooch.get_logger().setLevel("WARNING")  # it would say what the bar shows
    kept = kept_sha256(path)
    listed = _listed(published, path)
    try:
        pooch.retrieve(
            listed.url,
            known_hash=kept or f"md5:{listed.md5}",
            fname=path.name,
            path=path.parent,
            downloader=ResumingDownloader(path, published, listed.size),
        )
    except DownloadError:
        raise
    except ValueError:
        if kept is None:
            raise DownloadError(
                f"{listed.url} is not the file of its record (MD5 {listed.md5}): try again later, "
                f"or {_by_hand(published, path)}"
            ) from None
        raise DownloadError(
            f"{listed.url} is not the file of {_checksum_path(path)}: see {published.page}, and "
            "delete that checksum if the new file is right"
        ) from None


def _listed(published: PublishedFile, path: Path) -> Listed:
    """What the record says of a file.

    As pooch's way from a DOI, which, however, asks for no size and takes any answer for a record.

    Raises:
        DownloadError: in one line, if the record cannot be had or has no such file.
    """
    import requests

    headers = {"User-Agent": "amplib"}
    try:
        response = requests.get(published.listing, headers=headers, timeout=TIMEOUT)
        response.raise_for_status()
        there = {file["key"]: file for file in response.json()["files"]}
        alike = [key for key in there if Path(key).suffix == path.suffix]
        key = published.name if published.name in there or len(alike) != 1 else alike[0]
        size, checksum = there[key]["size"], there[key]["checksum"]
        md5 = re.fullmatch("md5:([0-9a-f]{32})", checksum)
        if md5 is None or type(size) is not int:
            raise ValueError
    except requests.HTTPError as error:
        raise DownloadError(_refused(error.response, published, path)) from None
    except (KeyError, TypeError, ValueError):  # the last of no JSON, too
        raise DownloadError(
            f"{published.listing} lists no {published.name} with its size and MD5: "
            f"{_by_hand(published, path)}"
        ) from None
    except requests.RequestException:
        raise DownloadError(_no_connection(published.listing, published, path)) from None
    return Listed(f"{published.page}/files/{quote(key)}?download=1", size, md5[1])


def _refused(response: Any, published: PublishedFile, path: Path) -> str:
    status = f"{response.status_code} {response.reason}".strip()
    host = _host(response.url)
    return f"{host} refuses {published.name} ({status}): {_by_hand(published, path)}"


def _no_connection(url: str, published: PublishedFile, path: Path) -> str:
    by_hand = _by_hand(published, path)
    return f"no connection to {_host(url)}: try again later, or {by_hand}"


def _by_hand(published: PublishedFile, path: Path) -> str:
    return f"download it from {published.page} in a browser and save it as {path}"


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One download of a file at a time; a second process waits, and then finds it there."""
    with _lock(path).open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


class ResumingDownloader:
    """A downloader for pooch that goes on where an earlier one stopped (HTTP ``Range``).

    What has come stays in ``<name>.part``, through errors and kills, until the file is complete.  A
    server that ignores ``Range`` sends all again.  One call opens new connections for as long as
    each brings the file further.  The server's ``ETag`` is kept beside the part, so that two
    versions of a file are never joined.

    Args:
        path: where the file will lie.
        published: what is downloaded, for the messages.
        size: of the file in bytes; what has another is refused before it comes.
    """

    def __init__(self, path: Path, published: PublishedFile, size: int):
        self.path, self.published, self.size = path, published, size
        self.part, self.tag = _part(path), _tag(path)

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        """Download ``url`` to ``output_file``.

        Raises:
            DownloadError: in one line; what has come is kept.
            OSError: if the disk does not take it; what has come is kept.
        """
        import requests

        furthest = self._have()
        while True:
            try:
                self._receive(url)
                break
            except requests.HTTPError as error:
                said = _refused(error.response, self.published, self.path)
                raise DownloadError(said) from None
            except requests.RequestException:
                if self._have() <= furthest:
                    raise DownloadError(self._no_connection(url)) from None
                furthest = self._have()
        self.part.replace(output_file)
        self.tag.unlink(missing_ok=True)

    def _receive(self, url: str) -> None:
        """One connection: append what the part lacks, or write all anew."""
        import requests

        have = self._have()
        headers = self._headers(have)
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            first, total = _span(response)
            if have and first not in (0, have):  # nothing follows, or the server cannot go on here
                if have != self.size:
                    self.part.unlink()
                    self._receive(url)
                return
            response.raise_for_status()
            if total not in (None, self.size):
                raise self._another_size(url, f"{total:,} bytes")
            if first == 0:
                self._keep_tag(response.headers.get("ETag", ""))
            self._store(response, first)
        if self._have() != self.size:
            raise requests.ConnectionError(f"{self._have()} of {self.size} bytes")

    def _headers(self, have: int) -> dict[str, str]:
        """Bytes as they are, from ``have`` on, if the file is still the one the part is of."""
        headers = {"User-Agent": "amplib", "Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
            if self.tag.exists():
                headers["If-Range"] = self.tag.read_text()
        return headers

    def _keep_tag(self, tag: str) -> None:
        self.tag.unlink(missing_ok=True)
        if tag.startswith('"'):  # a weak one does not promise the same bytes
            self.tag.write_text(tag)

    def _store(self, response: Any, first: int) -> None:
        with (
            self.part.open("ab" if first else "wb") as stream,
            tqdm(
                total=self.size,
                initial=first,
                unit="B",
                unit_scale=True,
                desc=self.published.name,
                disable=None,
            ) as bar,
        ):
            for block in response.iter_content(BLOCK):
                if stream.tell() + len(block) > self.size:
                    raise self._another_size(response.url, "more bytes")
                stream.write(block)
                bar.update(len(block))
            stream.flush()
            os.fsync(stream.fileno())

    def _have(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _another_size(self, url: str, sent: str) -> DownloadError:
        return DownloadError(
            f"{_host(url)} sends {sent} for {self.published.name}, not {self.size:,} as its record "
            f"says: try again later, or {_by_hand(self.published, self.path)}"
        )

    def _no_connection(self, url: str) -> str:
        if not self._have():
            return _no_connection(url, self.published, self.path)
        kept = f"the first {self._have():,} bytes of {self.published.name} are kept"
        return (
            f"the connection to {_host(url)} is lost; {kept}: try again later to go on from there"
        )


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _span(response: Any) -> tuple[int, int | None]:
    """The first byte that comes, -1 for none, and the size of the whole file if it is known."""
    if response.status_code not in (206, 416):
        size = response.headers.get("Content-Length")
        return 0, int(size) if size else None
    sent = response.headers.get("Content-Range", "")
    match = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(?:(\d+)|\*)", sent)
    first, total = match.groups() if match else (None, None)
    return int(first or -1), int(total) if total else None
