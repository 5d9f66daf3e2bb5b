"""What `hil twin --profile` does when the firmware has run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hil.errors import UsageError

if TYPE_CHECKING:
    from hil.twin.profile import Profile
    from hil.twin.timing.model import Timing

WIDTH_OF_A_LOG: Final = 110
"""Columns, where the output is no terminal."""


def profiler(
    image: Path, wanted: bool, folder: Path | None, timing: Timing
) -> Callable[[Profile], None] | None:
    """Writes a profile's files and prints its table; None without --profile. Raises UsageError."""
    if not wanted:
        if folder is not None:
            raise UsageError(f"what is {folder} for?", "a folder behind the image needs --profile")
        return None
    from hil.report.profile_files import make_folder, write_profile
    from hil.twin.profile import require_cycles

    require_cycles(timing)
    target = folder or Path(f"{image.stem}.profile")
    make_folder(target)

    def finish(profile: Profile) -> None:
        write_profile(profile, target, image=image.name, timing=timing)
        _print(profile, f"{image.name}, timing {timing}", target)

    return finish


def _print(profile: Profile, title: str, folder: Path) -> None:
    from rich.console import Console

    from hil.report.profile_table import profile_view

    # Standard output belongs to the firmware.
    terminal = sys.stderr.isatty()
    console = Console(stderr=True) if terminal else Console(stderr=True, width=WIDTH_OF_A_LOG)
    console.print(profile_view(profile, title, console.width))
    console.print(f"profile: {folder}/flame.svg, .json, .folded", markup=False, soft_wrap=True)
