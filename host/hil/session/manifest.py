"""`MANIFEST.sha256`: what a run left, and whether it still is what lies there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Final

from hil.errors import UsageError

FILE: Final = "MANIFEST.sha256"
LATER: Final = frozenset({"report.html"})
"""What hil itself puts into a finished run folder."""
RUN_FILES: Final = ("summary.json", "events.jsonl", "samples.csv")
"""One of them makes a folder a run's."""
_LINE: Final = re.compile(r"([0-9a-f]{64}) [ *](.+)")


class State(StrEnum):
    """What became of a run folder."""

    INTACT = "intact"
    CHANGED = "changed"
    """Some of its files are other ones, or gone."""
    PARTIAL = "partial"
    """It was never closed: there is no manifest to hold it against."""


@dataclass(frozen=True)
class Verification:
    """File by file, by their names in the folder."""

    folder: Path
    state: State
    intact: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = field(default=())
    """In the folder, not in the manifest: not a change of what the run left."""


def manifest_of(folder: Path) -> bytes:
    """The manifest of all files in `folder`, as `sha256sum` writes it. Raises OSError."""
    lines = [f"{_sha256(folder / name)}  {name}\n" for name in _files(folder)]
    return "".join(lines).encode()


def verify(folder: Path) -> Verification:
    """Holds every file of the run folder against its manifest.

    Raises UsageError where there is no run, or where a file cannot be read.
    """
    try:
        return _verified(folder)
    except OSError as error:
        raise UsageError(f"cannot read {folder}: {error.strerror}", "name a run folder") from None


def _verified(folder: Path) -> Verification:
    present = _files(folder)
    if FILE not in present:
        if not any(name in present for name in RUN_FILES):
            raise UsageError(f"{folder} is no run folder", "name a folder that hil run made")
        return Verification(folder, State.PARTIAL, extra=tuple(present))
    listed = read_manifest(folder)
    present.remove(FILE)
    missing = tuple(sorted(listed.keys() - set(present)))
    right = {name: name in listed and _sha256(folder / name) == listed[name] for name in present}
    changed = tuple(name for name in present if name in listed and not right[name])
    return Verification(
        folder,
        State.CHANGED if changed or missing else State.INTACT,
        tuple(name for name in present if right[name]),
        changed,
        missing,
        tuple(name for name in present if name not in listed and name not in LATER),
    )


def read_manifest(folder: Path) -> Mapping[str, str]:
    """SHA-256 in hexadecimal by file name. Raises OSError, and UsageError for anything but a manifest."""
    text = (folder / FILE).read_text(encoding="utf-8", errors="replace")
    found: dict[str, str] = {}
    for line in text.splitlines():
        matched = _LINE.fullmatch(line)
        if matched is None or matched[2] in found or not _is_inside(matched[2]):
            raise UsageError(f"{folder / FILE} is damaged: {line[:80]!r}", "the run cannot be verified")
        found[matched[2]] = matched[1]
    return found


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _files(folder: Path) -> list[str]:
    """Files below `folder`; what a killed write left beside one is no file of the run's."""
    found = (path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    return sorted(path.relative_to(folder).as_posix() for path in found if not _is_scrap(path))


def _is_scrap(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith(".part")


def _sha256(path: Path) -> str:
    """A link is not followed: its target may be anything. Raises OSError."""
    if path.is_symlink():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
