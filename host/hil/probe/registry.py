"""Which twins are on the desk: one file each in the cache folder, readable by their owner alone."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from hil import paths

CONNECT_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class Entry:
    """How to reach one twin: a port on the loopback interface, and the token that opens it."""

    unique_id: str
    pid: int
    port: int
    token: str
    board: str
    serial: str
    """Path of the pty that its serial cable is."""


def folder() -> Path:
    """Where the entries lie."""
    where = paths.cache_dir() / "desk"
    where.mkdir(mode=0o700, exist_ok=True)
    return where


def publish(entry: Entry) -> Path:
    """Writes the entry of this process, whole or not at all; returns its file."""
    path = folder() / f"{entry.unique_id}.json"
    handle, fresh = tempfile.mkstemp(dir=folder(), prefix=".entry-")  # mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(asdict(entry), file)
        os.replace(fresh, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh)
        raise
    return path


def withdraw(entry: Entry) -> None:
    """Removes the entry, unless another process took its place."""
    path = folder() / f"{entry.unique_id}.json"
    if _read(path) == entry:
        path.unlink(missing_ok=True)


def entries() -> list[Entry]:
    """The twins on the desk, by unique ID. Entries of processes that ended are removed."""
    found = []
    for path in sorted(folder().glob("*.json")):
        entry = _read(path)
        if entry is not None and _alive(entry):
            found.append(entry)
        else:
            path.unlink(missing_ok=True)
    return found


def find(unique_id: str) -> Entry | None:
    """The twin with exactly this unique ID, whatever its case."""
    wanted = unique_id.lower()
    return next((entry for entry in entries() if entry.unique_id.lower() == wanted), None)


def _read(path: Path) -> Entry | None:
    try:
        return Entry(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _alive(entry: Entry) -> bool:
    """Its process is there and somebody listens on its port."""
    try:
        os.kill(entry.pid, 0)
    except (OSError, OverflowError):
        return False
    with socket.socket() as trial:
        trial.settimeout(CONNECT_TIMEOUT_S)
        try:
            # Binding tells as much as connecting, and takes no place at the server.
            trial.bind(("127.0.0.1", entry.port))
        except OSError:
            return True
        except OverflowError:
            return False
    return False
