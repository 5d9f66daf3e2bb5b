"""Rows that were measured before: a benchmark that was killed goes on with the bundle it was at."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from hil import bundle as bundles
from hil import paths
from hil.bench.row import AccuracyRow, as_values, from_values
from hil.deploy.build import source_hash
from hil.durable import write_whole

_ROOMS = ("codec", "deploy", "schemes", "session", "wire")
"""Whose code decides what a bundle answers."""


def key(bundle: Path, *settings: object) -> str:
    """Names a row: the bundle's bytes, what was looked at, and the code that did it."""
    bundles.read_manifest(bundle)
    code = source_hash(paths.MCU, *(paths.PACKAGE / room for room in _ROOMS))
    parts = (bundles.digest(bundle).hex(), code, *map(str, settings))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


def load(name: str) -> AccuracyRow | None:
    """The row kept under `name`; None when there is none, or none that can be read."""
    try:
        return from_values(json.loads(_path(name).read_text()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def save(name: str, row: AccuracyRow) -> None:
    """Keeps `row`, whole or not at all."""
    path = _path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(as_values(row), indent=2) + "\n").encode())


def _path(name: str) -> Path:
    return paths.cache_dir() / "bench" / "accuracy" / f"{name}.json"
