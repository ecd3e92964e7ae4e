"""The published data sets: fetched once, checked at every fetch.

No SHA-256 of these files is published.  That of the first complete download, or of a file put into
the folder by hand, is kept beside it in ``<name>.sha256`` (``sha256sum -c`` reads it), and what
differs from it later is refused.  A broken download goes on where it stopped.
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
from urllib.parse import urlsplit

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
    """One file of a Zenodo record."""

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
    def url(self) -> str:
        """Where the file itself is."""
        return f"{self.page}/files/{self.name}?download=1"


PUBLISHED = {
    # Its name in the record is not documented; where it is another, a refusal says what to do.
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
        DownloadError: in one line, if the file cannot be downloaded or differs from its SHA-256.
        ValueError: if there is no such name, or the kept SHA-256 is unreadable.
    """
    if name not in PUBLISHED:
        raise ValueError(f"no published file {name!r}: there are {', '.join(PUBLISHED)}")
    published = PUBLISHED[name]
    path = published.path(folder)
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
        DownloadError: naming the file, if it differs.
        ValueError: if the kept SHA-256 is unreadable.
    """
    kept = kept_sha256(path)
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
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


def _download(published: PublishedFile, path: Path) -> None:
    """Fetch a file through pooch, which compares it with the SHA-256 of an earlier download."""
    import pooch

    pooch.get_logger().setLevel("WARNING")  # it would print advice on hashes
    kept = kept_sha256(path)
    try:
        pooch.retrieve(
            published.url,
            known_hash=kept,
            fname=path.name,
            path=path.parent,
            downloader=ResumingDownloader(path.with_name(path.name + ".part"), published),
        )
    except DownloadError:
        raise
    except ValueError:
        raise DownloadError(
            f"{published.url} is not the file of {_checksum_path(path)}: see {published.page}, and "
            "delete that checksum if the new file is right"
        ) from None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One download of a file at a time; a second process waits, and then finds it there."""
    with path.with_name(f".{path.name}.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


class ResumingDownloader:
    """A downloader for pooch that goes on where an earlier one stopped (HTTP ``Range``).

    What has come stays in ``<name>.part``, through errors and kills, until the file is complete.  A
    server that ignores ``Range`` sends all again.  One call opens new connections for as long as
    each brings the file further.  The server's ``ETag`` is kept beside the part, so that two
    versions of a file are never joined.

    Args:
        part: the file to collect in.
        published: what is downloaded, for the messages.
    """

    def __init__(self, part: Path, published: PublishedFile):
        self.part, self.published = part, published
        self.tag = part.with_name(part.name + ".etag")

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        """Download ``url`` to ``output_file``.

        Raises:
            DownloadError: in one line; what has come is kept.
            OSError: if the disk does not take it; what has come is kept.
        """
        import requests

        furthest = self._size()
        while True:
            try:
                self._receive(url)
                break
            except requests.HTTPError as error:
                raise DownloadError(self._refused(error.response)) from None
            except requests.RequestException:
                if self._size() <= furthest:
                    raise DownloadError(self._no_connection(url)) from None
                furthest = self._size()
        self.part.replace(output_file)
        self.tag.unlink(missing_ok=True)

    def _receive(self, url: str) -> None:
        """One connection: append what the part lacks, or write all anew."""
        import requests

        have = self._size()
        headers = self._headers(have)
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            first, total = _span(response)
            if have and first not in (0, have):  # nothing follows, or the server cannot go on here
                if have != total:
                    self.part.unlink()
                    self._receive(url)
                return
            response.raise_for_status()
            if total is None and response.headers.get("Transfer-Encoding") != "chunked":
                raise DownloadError(
                    f"{_host(url)} does not say how large {self.published.name} is, so that it "
                    f"might come incomplete: {self._by_hand()}"
                )
            if first == 0:
                self._keep_tag(response.headers.get("ETag", ""))
            self._store(response, first, total)
        if total is not None and self._size() != total:
            raise requests.ConnectionError(f"{self._size()} of {total} bytes")

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

    def _store(self, response: Any, first: int, total: int | None) -> None:
        with (
            self.part.open("ab" if first else "wb") as stream,
            tqdm(
                total=total,
                initial=first,
                unit="B",
                unit_scale=True,
                desc=self.published.name,
                disable=None,
            ) as bar,
        ):
            for block in response.iter_content(BLOCK):
                stream.write(block)
                bar.update(len(block))
            stream.flush()
            os.fsync(stream.fileno())

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _refused(self, response: Any) -> str:
        status = f"{response.status_code} {response.reason}".strip()
        host = _host(response.url)
        return f"{host} refuses {self.published.name} ({status}): {self._by_hand()}"

    def _no_connection(self, url: str) -> str:
        if not self._size():
            return f"no connection to {_host(url)}: try again later, or {self._by_hand()}"
        kept = f"the first {self._size():,} bytes of {self.published.name} are kept"
        return (
            f"the connection to {_host(url)} is lost; {kept}: try again later to go on from there"
        )

    def _by_hand(self) -> str:
        target = self.part.with_name(self.published.name)
        return f"download it from {self.published.page} in a browser and save it as {target}"


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
