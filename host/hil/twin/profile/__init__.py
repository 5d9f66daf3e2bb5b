"""Where the cycles of a program go on the twin: by function, by call stack, by cause.

`Twin(image, timing="cycles", profile=True)` records, `twin.profile()` tells. `docs/timing.md` has the
rules by which cycles are charged.
"""

from __future__ import annotations

from hil.errors import UsageError
from hil.twin.image import Image
from hil.twin.profile.files import write_files
from hil.twin.profile.recorder import Recorder
from hil.twin.profile.records import Class
from hil.twin.profile.result import FunctionCost, Profile, Stack
from hil.twin.state import CoreState
from hil.twin.timing.model import TimingModel

__all__ = ["Class", "FunctionCost", "Profile", "Recorder", "Stack", "recorder_of", "write_files"]


def recorder_of(core: CoreState, timing: TimingModel | None, image: Image) -> Recorder:
    """A recorder of what `timing` counts. Raises UsageError when that is nothing."""
    if timing is None:
        raise UsageError(
            "a profile needs a timing that counts cycles, and 'instructions' does not",
            "take --timing cycles, or leave it out",
        )
    return Recorder(core, timing.state, image)
