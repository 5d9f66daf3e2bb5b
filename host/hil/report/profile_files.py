"""The files of a profile: JSON, folded stacks, flame graph."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hil.errors import UsageError
from hil.report.flame import flame_graph
from hil.twin.profile import Profile, write_files

_HINT = "name another folder behind --profile"


def make_folder(folder: Path) -> None:
    """Makes sure, before a long run, that `folder` takes files. Raises UsageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(f"cannot write a profile to {folder}: {error.strerror}", _HINT) from None


def write_profile(profile: Profile, folder: Path, *, image: str, timing: str) -> None:
    """Writes all three. Raises UsageError when the disk does not take them."""
    try:
        write_files(profile, folder, image=image, timing=timing, source="twin_cycles")
        (folder / "flame.svg").write_text(flame_graph(profile, f"{image}, timing {timing}"))
    except OSError as error:
        raise UsageError(f"cannot write a profile to {folder}: {error.strerror}", _HINT) from None
