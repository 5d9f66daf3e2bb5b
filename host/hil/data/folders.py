"""Where data sets that do not ship with a package lie on disk."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from hil.data.source import Source
from hil.errors import DataError
from hil.paths import cache_dir

VARIABLE = "HIL_DATA"


def place(data_dir: Path | None) -> Path:
    """`data_dir`, else `$HIL_DATA`, else the cache's `data`."""
    return data_dir or Path(os.environ.get(VARIABLE) or cache_dir() / "data")


def find(source: Source, data_dir: Path | None) -> Path:
    """The folder of `source` in `place(data_dir)`.

    A place that is itself called so counts too: naming the unpacked archive works. Raises DataError,
    saying where to get the data, when it is nowhere.
    """
    where = place(data_dir)
    for candidate in (where / source.folder, where):
        if candidate.name == source.folder and candidate.is_dir():
            return candidate
    raise DataError(
        f"there is no folder {source.folder} in {where}",
        source.hint,
    )


def read_verified(path: Path, md5: str) -> bytes:
    """The bytes of `path`, once they match the publisher's `md5`. Raises DataError otherwise."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", "unpack the archive again") from None
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise DataError(
            f"{path} is damaged: its MD5 is {found}, the publisher's is {md5}",
            "download and unpack the archive again",
        )
    return content
