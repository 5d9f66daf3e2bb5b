"""Finished cells in the cache: what was measured once is not measured again, whoever asks."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hil.durable import write_whole
from hil.errors import HilError
from hil.experiments.measure import Found
from hil.experiments.outcome import Measured
from hil.paths import cache_dir

SCHEMA = 1


class StoreError(HilError):
    """A finished cell cannot be kept."""

    code = "store"


class Store:
    """One file a cell, named by its key, whole or not there."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` None is in the cache."""
        self._folder = folder or cache_dir() / "cells"

    def load(self, key: str) -> Measured | None:
        """The cell kept under `key`; None when there is none, or none that can be read."""
        try:
            values: dict[str, Any] = json.loads(self._path(key).read_text(encoding="utf-8"))
            if values["schema"] != SCHEMA:
                return None
            return Measured(Found(**values["found"]), float(values["seconds"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, key: str, measured: Measured) -> None:
        """Raises StoreError when the disk does not take it."""
        path = self._path(key)
        values = {"schema": SCHEMA, "found": asdict(measured.found), "seconds": measured.seconds}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, (json.dumps(values) + "\n").encode())
        except OSError as error:
            raise StoreError(
                f"cannot keep a finished cell in {self._folder}: {error.strerror}",
                "make room there, or name another folder in HIL_CACHE",
            ) from None

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"
