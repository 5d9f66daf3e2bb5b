"""Renode's log, read as it grows: where the firmware did what the chip would not survive.

Renode does not fault on an access to nothing, it warns. A stack that overflows, or an array that
leaves the RAM, shows only here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from hil.errors import BoardError
from hil.twin.image import Image

MEMORY_END: Final = 0x4000_0000
"""Below this address the chip has code and RAM, and no registers."""

_ABORT = re.compile(rb"CPU abort \[PC=0x([0-9A-Fa-f]+)\]:? ?([^\r\n]*)")
_STRAY = re.compile(
    rb"\[cpu: 0x([0-9A-Fa-f]+)\][^\r\n]*?\b(Read|Write)(\w*) (?:from|to) non existing peripheral "
    rb"at 0x([0-9A-Fa-f]+)"
)


class LogWatch:
    """Looks at what was added to a log since the last look."""

    def __init__(self, log: Path, image: Image) -> None:
        self._log = log
        self._image = image
        self._place = 0
        self._rest = b""
        self._fault: BoardError | None = None

    def check(self) -> None:
        """Raises BoardError when the firmware crashed or left its memory, with the place in it."""
        if self._fault is None:
            for line in self._lines():
                self._fault = self._judge(line)
                if self._fault is not None:
                    break
        if self._fault is not None:
            raise self._fault

    def _lines(self) -> list[bytes]:
        try:
            with self._log.open("rb") as log:
                log.seek(self._place)
                added = log.read()
        except OSError:
            return []
        if not added:
            return []
        self._place += len(added)
        *lines, self._rest = (self._rest + added).split(b"\n")
        return lines

    def _judge(self, line: bytes) -> BoardError | None:
        if abort := _ABORT.search(line):
            where = self._image.describe(int(abort.group(1), 16))
            return BoardError(
                f"the core stopped at {where}: {abort.group(2).decode(errors='replace').strip()}",
                "the firmware crashed; renode.log in the run folder has what led to it",
            )
        stray = _STRAY.search(line)
        if stray is None or int(stray.group(4), 16) >= MEMORY_END:
            return None
        verb = "read" if stray.group(2) == b"Read" else "wrote"
        return BoardError(
            f"the firmware {verb} 0x{int(stray.group(4), 16):08x}, where the STM32F746 has no memory, "
            f"at {self._image.describe(int(stray.group(1), 16))}",
            "a pointer went astray, or the stack overflowed (it ends at 0x20000000)",
        )
