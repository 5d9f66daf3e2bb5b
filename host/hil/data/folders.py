"""Where data sets that do not ship with a package lie on disk."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from hil.errors import DataError
from hil.paths import cache_dir

VARIABLE = "HIL_DATA"


def find(folder: str, data_dir: Path | None, source: str) -> Path:
    """The folder named `folder` in `data_dir`, else in `$HIL_DATA`, else in the cache's `data`.

    A place that is itself called `folder` counts too, so that naming the unpacked archive works.
    Raises DataError, with `source` as the place to get the data from, when it is nowhere.
    """
    place = data_dir or Path(os.environ.get(VARIABLE) or cache_dir() / "data")
    for candidate in (place / folder, place):
        if candidate.name == folder and candidate.is_dir():
            return candidate
    raise DataError(
        f"there is no folder {folder} in {place}",
        f"unpack {source} somewhere and name that place with --data-dir or {VARIABLE}",
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
