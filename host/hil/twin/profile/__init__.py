"""Where the cycles of a program go on the twin: by function, by call stack, by cause.

`Twin(image, timing="cycles", profile=True)` records, `twin.profile()` tells. `docs/timing.md` has the
rules by which cycles are charged.
"""

from __future__ import annotations

from hil.errors import UsageError
from hil.twin.profile.files import write_files
from hil.twin.profile.recorder import Recorder
from hil.twin.profile.records import Class
from hil.twin.profile.result import FunctionCost, Profile, Stack
from hil.twin.timing.model import Timing

__all__ = ["Class", "FunctionCost", "Profile", "Recorder", "Stack", "require_cycles", "write_files"]


def require_cycles(timing: Timing) -> None:
    """Raises UsageError for the timing that has no cycles to profile."""
    if timing is Timing.INSTRUCTIONS:
        raise UsageError(
            f"a profile needs a timing that counts cycles, and {timing.value!r} does not",
            "take --timing cycles, or leave it out",
        )
