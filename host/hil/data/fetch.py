"""Gets a data set from its publisher: the whole file, checked, and unpacked, or nothing."""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from hil.data.source import Download, Source
from hil.errors import DataError

Progress = Callable[[str, int, int], None]
"""File name, bytes so far, bytes in all (0 when the publisher does not say)."""

_CHUNK_BYTES = 1 << 18
_TIMEOUT_S = 60.0


def fetch(source: Source, place: Path, progress: Progress = lambda name, done, total: None) -> Path:
    """Downloads, checks and unpacks `source` into `place`; returns its folder there.

    What is complete appears under its name at the very end. Raises DataError: no network, a wrong
    sum, a full disk.
    """
    target = place / source.folder
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place, prefix=f".{source.folder}-") as scratch:
            unpacked = Path(scratch) / "unpacked" / source.folder
            unpacked.mkdir(parents=True)
            for download in source.downloads:
                _unpack(_get(download, Path(scratch), progress), download, unpacked)
            if target.exists():
                target.replace(Path(scratch) / "former")
            os.sync()  # thousands of files: one by one it would take longer than the download
            unpacked.replace(target)
    except OSError as error:
        raise DataError(
            f"{place} does not take the data: {error.strerror}", "free space, or --data-dir"
        ) from None
    return target


def _get(download: Download, scratch: Path, progress: Progress) -> Path:
    """One file, with the sum that its publisher gives."""
    path = scratch / download.name
    digest = hashlib.new(download.algorithm, usedforsecurity=False)
    try:
        with urllib.request.urlopen(download.url, timeout=_TIMEOUT_S) as answer, path.open("wb") as file:
            total, done = int(answer.headers.get("Content-Length") or 0), 0
            while chunk := answer.read(_CHUNK_BYTES):
                digest.update(chunk)
                file.write(chunk)
                done += len(chunk)
                progress(download.name, done, total)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        hint = "get it on a machine with a network, and name its folder with --data-dir"
        raise DataError(f"{download.url} cannot be downloaded: {reason}", hint) from None
    if digest.hexdigest() != download.checksum:
        raise DataError(
            f"{download.url} gave a file with {download.algorithm} {digest.hexdigest()}, "
            f"not {download.checksum}",
            "try again; a proxy may have answered in the publisher's place",
        )
    return path


def _unpack(path: Path, download: Download, target: Path) -> None:
    """An archive's one folder becomes `target`; files without a folder go into it."""
    if download.kind == "plain":
        shutil.move(path, target / download.name)
        return
    place = target.parent if download.has_folder else target
    try:
        if download.kind == "zip":
            with zipfile.ZipFile(path) as archive:
                archive.extractall(place)  # refuses to leave the folder by itself
        else:
            with tarfile.open(path) as archive:
                archive.extractall(place, members=[_harmless(member) for member in archive])
    except (zipfile.BadZipFile, tarfile.TarError) as error:
        raise DataError(f"{download.name} cannot be unpacked: {error}", "try again") from None


def _harmless(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """A file or folder inside the place it is unpacked to. Raises TarError for anything else.

    What `filter="data"` does from Python 3.11.4 on.
    """
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or not (member.isfile() or member.isdir()):
        raise tarfile.TarError(f"{member.name} leads out of the archive's folder")
    member.mode = 0o755 if member.isdir() else 0o644
    return member
