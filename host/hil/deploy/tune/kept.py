"""Measurements that were made before, one small file each, by what decides a trial's time."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from hil import paths
from hil.deploy.build import Toolchain, source_hash
from hil.deploy.tune.measure import Measurement, Tail
from hil.durable import beside

Kept = TypeVar("Kept", Measurement, Tail)

_ROOMS = ("codec", "deploy/kernels", "deploy/tune", "twin/timing", "wire")
"""Whose code decides what is built and how it is timed."""


def key(toolchain: Toolchain, signature: str) -> str:
    """Names a measurement: `signature`, compiler, CMSIS-NN, and the sources of kernels and cycle model."""
    library = toolchain.cmsis_nn_library.parent.name
    parts = (signature, toolchain.compiler.version, library, _sources())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def load(name: str, kind: type[Kept]) -> Kept | None:
    """The measurement kept under `name`; None when there is none, or none that can be read."""
    try:
        values = json.loads(_path(name).read_text())
        found = kind(**values)
    except (OSError, ValueError, TypeError):
        return None
    return found if all(isinstance(value, int) for value in asdict(found).values()) else None


def save(name: str, measurement: Measurement | Tail) -> None:
    """Keeps `measurement`, whole or not at all."""
    path = _path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Hundreds a tuning, each of which is measured again where a loss of power took it: not worth a sync.
    own = beside(path)
    own.write_text(json.dumps(asdict(measurement)) + "\n")
    own.replace(path)


def _path(name: str) -> Path:
    return paths.cache_dir() / "tune" / f"{name}.json"


@functools.cache
def _sources() -> str:
    rooms = (paths.MCU / room for room in ("kernels", "codec", "runtime"))
    return source_hash(*rooms, *(paths.PACKAGE / room for room in _ROOMS))
