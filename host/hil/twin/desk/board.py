"""A board on the desk: the twin with its supply, its probe's debug port and its serial cable."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hil import paths
from hil.errors import BoardError, unknown_name
from hil.probe import protocol as p
from hil.twin.debug.sw_dp import FaultError, NoAnswerError
from hil.twin.desk.cable import Cable
from hil.twin.flash_file import load_flash, save_flash
from hil.twin.image import Image
from hil.twin.machine import ResetCause
from hil.twin.memory import FLASH_BASE
from hil.twin.stop import StopReason
from hil.twin.timing.model import Timing
from hil.twin.twin import Twin

Notify = Callable[[str], None]


@dataclass(frozen=True)
class Kit:
    """What a board's description says that the desk needs."""

    name: str
    hse_hz: int
    uart: int
    """Number of the port that is wired to the probe."""


def kit(name: str) -> Kit:
    """The board of that name under `mcu/board`. Raises UsageError."""
    folder = paths.MCU / "board"
    path = folder / name / "board.toml"
    if not path.is_file():
        raise unknown_name("board", name, (found.parent.name for found in folder.glob("*/board.toml")))
    data = tomllib.loads(path.read_text())
    return Kit(name, data["hse_hz"], int(data["uart"]["instance"].lstrip("USART")))


class DeskBoard:
    """Runs in slices of virtual time; between them the debug port and the cable are served."""

    def __init__(self, board: Kit, flash: Path, image: Image | None, notify: Notify) -> None:
        self.kit = board
        self._flash = flash
        self._notify = notify
        self.twin = Twin(hse_hz=board.hse_hz, on_warning=notify, timing=Timing.CYCLES)
        load_flash(self.twin, flash)
        self._saved = b""
        if image is not None:
            self._store(image)
        self.twin.reset(ResetCause.POWER_ON)
        self.unit = self.twin.debug
        self.cable = Cable()
        self._uart = self.twin.uart(board.uart)
        self.powered = True
        self._crash = ""
        self._cut_at_s = math.inf
        self._cut_after_bytes: int | None = None
        self.twin.on_programmed(self._on_programmed)

    @property
    def idle(self) -> bool:
        """No code runs before somebody does something."""
        return not self.powered or self.unit.control.stands_still

    def run(self, seconds: float) -> None:
        """Virtual time goes on by `seconds`, or less when the supply is cut."""
        if not self.powered:
            return
        until_s = min(self.twin.now_s + seconds, self._cut_at_s)
        while self.powered and self.twin.now_s < until_s:
            stop = self.unit.run(until_s)
            if stop.reason is StopReason.HALTED or self._cut_after_bytes == 0:
                break
        self._carry_out()
        self._tell_crash()
        if self.twin.now_s >= self._cut_at_s or self._cut_after_bytes == 0:
            self.power_off()

    def exchange(self) -> None:
        """Moves bytes between cable and port."""
        self._carry_out()
        data = self.cable.read()
        if data and self.powered:
            self._uart.feed(data)

    def transfer(self, accesses: list[p.Access]) -> p.Outcome:
        """Accesses to the debug port, up to the first that is not answered with OK."""
        port, words, done = self.unit.port, [], 0
        port.powered = self.powered
        result = p.Result.OK
        try:
            for access in accesses:
                for index in range(len(access.words) if access.writes else access.count):
                    match access.what:
                        case p.What.READ_DP:
                            words.append(port.read_dp(access.register))
                        case p.What.READ_AP:
                            words.append(port.read_ap(access.register))
                        case p.What.WRITE_DP:
                            port.write_dp(access.register, access.words[index])
                        case p.What.WRITE_AP:
                            port.write_ap(access.register, access.words[index])
                    done += 1
        except FaultError:
            result = p.Result.FAULT
        except NoAnswerError:
            result = p.Result.NO_ANSWER
        if self._cut_after_bytes == 0:
            self.power_off()
        return p.Outcome(result, done, tuple(words))

    def power_off(self) -> None:
        """Pulls the supply; what the flash then holds is saved."""
        if self.powered:
            self.powered = False
            self.twin.power_off()
            self._cut_at_s, self._cut_after_bytes = math.inf, None
            self.save()

    def power_on(self) -> None:
        """The supply is back: the chip boots."""
        if not self.powered:
            self.powered = True
            self._crash = ""
            self.twin.power_on()

    def cut_power(self, *, at_s: float | None, after_bytes: int | None) -> None:
        """Pulls the supply at a virtual time, or once so many bytes were programmed from now on."""
        if (at_s is None) == (after_bytes is None):
            raise BoardError("say when to cut the power", "at_s or after_bytes, one of them")
        self._cut_at_s = math.inf if at_s is None else at_s
        self._cut_after_bytes = after_bytes

    def save(self) -> None:
        """Writes the flash to its file, when it changed."""
        contents = bytes(self.twin.memory.regions[0].view)
        if contents != self._saved:
            save_flash(self.twin, self._flash)
            self._saved = contents

    def close(self) -> None:
        """Takes the board off the desk."""
        self.save()
        self.cable.close()
        self.twin.close()

    def _store(self, image: Image) -> None:
        for segment in image.segments:
            if not self.twin.memory.holds(segment.load_address, len(segment.data)):
                raise BoardError(
                    f"{image.path} puts {len(segment.data)} bytes at 0x{segment.load_address:08x}, "
                    "where the STM32F746 has no memory",
                    "link it for flash at 0x08000000",
                )
            self.twin.write(segment.load_address, segment.data)
        if image.vector_table != FLASH_BASE:
            self._notify(f"{image.path} begins at 0x{image.vector_table:08x}; the board boots at 0x08000000")

    def _carry_out(self) -> None:
        if data := self._uart.take_bytes():
            self.cable.write(data)

    def _tell_crash(self) -> None:
        crash = str(self.unit.crash or "")
        if crash != self._crash:
            self._crash = crash
            if crash:
                self._notify(f"the core is locked up: {crash}")

    def _on_programmed(self, size: int) -> bool:
        """Counts down to the cut; true stops the core at once."""
        if self._cut_after_bytes is None:
            return False
        self._cut_after_bytes = max(0, self._cut_after_bytes - size)
        return self._cut_after_bytes == 0
