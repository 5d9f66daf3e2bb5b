"""Renode's version: what it prints, and which versions do."""

from __future__ import annotations

import re
from typing import Final

from hil.errors import BoardError

MINIMUM: Final = (1, 15)
TRIED: Final = "1.16.1"
"""The version that the platform file and the commands are written for."""

Version = tuple[int, int, int]

_NUMBER = re.compile(r"(?:renode|version)\D{0,12}(\d+)\.(\d+)(?:\.(\d+))?", re.IGNORECASE)


def parse_version(text: str) -> Version | None:
    """From `Renode v1.16.1.12345`, `Renode, version 1.15.3.4367 (…)` and their like."""
    found = _NUMBER.search(text)
    if found is None:
        return None
    major, minor, patch = found.groups(default="0")
    return int(major), int(minor), int(patch)


def shown(version: Version) -> str:
    return ".".join(map(str, version))


def check_version(text: str, where: str) -> Version:
    """The version in `text`. Raises BoardError when there is none, or one that is too old."""
    version = parse_version(text)
    if version is None:
        said = " ".join(text.split())[:200] or "nothing"
        raise BoardError(f"{where} does not tell Renode's version; it says: {said}", "is it Renode?")
    if version[:2] < MINIMUM:
        raise BoardError(
            f"{where} is Renode {shown(version)}; hil needs {'.'.join(map(str, MINIMUM))} or newer",
            f"install {TRIED}: https://github.com/renode/renode/releases",
        )
    return version
