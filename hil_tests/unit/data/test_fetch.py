"""Downloads are checked, unpacked and complete, or not there. The publisher is a server on this machine."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

import pytest

from hil.data.fetch import fetch
from hil.data.source import Download, Source
from hil.errors import DataError


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


class Publisher:
    """Serves files of a folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder, self._port = folder, port

    def publish(self, name: str, content: bytes, kind: Literal["tar.gz", "zip", "plain"]) -> Download:
        (self._folder / name).write_bytes(content)
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return Download(f"http://127.0.0.1:{self._port}/{name}", md5, kind)


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Publisher]:
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Publisher(folder, server.server_port)
        server.shutdown()


def _tar(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _zip(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def test_archives_and_plain_files_end_up_in_the_folder(publisher: Publisher, tmp_path: Path) -> None:
    downloads = (
        publisher.publish("a.tar.gz", _tar("set/a", b"first"), "tar.gz"),
        publisher.publish("b.zip", _zip("set/b", b"second"), "zip"),
        publisher.publish("c", b"third", "plain"),
    )
    seen: list[tuple[str, int, int]] = []
    folder = fetch(Source("set", downloads, 1), tmp_path / "data", lambda *step: seen.append(step))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "a": b"first", "b": b"second", "c": b"third",
    }  # fmt: skip
    assert seen[-1] == ("c", 5, 5)
    assert [path.name for path in folder.parent.iterdir()] == ["set"], "scratch files stay behind"


def test_a_wrong_sum_leaves_nothing_behind(publisher: Publisher, tmp_path: Path) -> None:
    good = publisher.publish("a", b"content", "plain")
    source = Source("set", (Download(good.url, "0" * 32, "plain"),), 1)
    with pytest.raises(DataError, match="gave a file with md5"):
        fetch(source, tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []


def test_a_failed_download_keeps_the_former_folder(publisher: Publisher, tmp_path: Path) -> None:
    good = publisher.publish("a", b"content", "plain")
    fetch(Source("set", (good,), 1), tmp_path)
    broken = Download(good.url.replace("/a", "/missing"), good.checksum, "plain")
    with pytest.raises(DataError, match="cannot be downloaded"):
        fetch(Source("set", (broken,), 1), tmp_path)
    assert (tmp_path / "set" / "a").read_bytes() == b"content"


def test_a_new_download_replaces_the_former_folder(publisher: Publisher, tmp_path: Path) -> None:
    fetch(Source("set", (publisher.publish("a", b"old", "plain"),), 1), tmp_path)
    fetch(Source("set", (publisher.publish("b", b"new", "plain"),), 1), tmp_path)
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["b"]


def test_an_archive_cannot_write_outside_its_folder(publisher: Publisher, tmp_path: Path) -> None:
    download = publisher.publish("a.tar.gz", _tar("../../escaped", b"x"), "tar.gz")
    with pytest.raises(DataError, match="cannot be unpacked"):
        fetch(Source("set", (download,), 1), tmp_path / "data")
    assert not list(tmp_path.rglob("escaped"))


def test_a_file_that_is_no_archive_is_refused(publisher: Publisher, tmp_path: Path) -> None:
    download = publisher.publish("a.zip", b"no archive", "zip")
    with pytest.raises(DataError, match="cannot be unpacked"):
        fetch(Source("set", (download,), 1), tmp_path)


def test_without_a_network_the_hint_says_what_to_do(tmp_path: Path) -> None:
    source = Source("set", (Download("http://127.0.0.1:9/a", "0" * 32, "plain"),), 1)
    with pytest.raises(DataError, match="cannot be downloaded") as caught:
        fetch(source, tmp_path)
    assert "--data-dir" in caught.value.hint
