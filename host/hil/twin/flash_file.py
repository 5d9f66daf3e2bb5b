"""The flash of a twin in a file, so that it outlives the process: 1 MB, byte for byte."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hil.errors import BoardError
from hil.twin.memory import FLASH_BASE, FLASH_BYTES
from hil.twin.twin import Twin


def load_flash(twin: Twin, path: Path) -> None:
    """Fills the flash from `path`; a file that does not exist is a chip fresh from the factory.

    The core goes on where it is: reset it to boot what was loaded. Raises BoardError.
    """
    try:
        contents = path.read_bytes()
    except FileNotFoundError:
        contents = b"\xff" * FLASH_BYTES
    except OSError as error:
        raise BoardError(f"cannot read {path}: {error.strerror}", "name another file") from error
    if len(contents) != FLASH_BYTES:
        raise BoardError(
            f"{path} holds {len(contents)} bytes, the flash has {FLASH_BYTES}",
            "name a file that save_flash wrote, or one that does not exist yet",
        )
    twin.write(FLASH_BASE, contents)


def save_flash(twin: Twin, path: Path) -> None:
    """Writes the flash to `path`: all of it, or the file stays as it was. Raises BoardError."""
    contents = twin.read(FLASH_BASE, FLASH_BYTES)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as fresh:
            try:
                fresh.write(contents)
                fresh.flush()
                os.fsync(fresh.fileno())
                Path(fresh.name).replace(path)
            except BaseException:
                Path(fresh.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise BoardError(f"cannot write {path}: {error.strerror}", "name another file") from error
