"""The default board: the emulated STM32F746, wired to the host by a USART1 without a cable."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Self

from hil.boards.protocol import BoardInfo
from hil.errors import BoardError, TwinFault
from hil.measure.power.conditions import Usage
from hil.measure.source import Source
from hil.twin import ResetCause, StopReason, Twin, load_image
from hil.twin.native import build as native

KIB = 1024
UART_NUMBER = 1
BOOT_S = 0.1
"""Virtual seconds a firmware gets to switch its receiver on, before the host sends anything."""
BOOT_STEP_S = 0.001
TIMING: Final = "cycles"
RUN_BAUD = 13_500_000
"""The fastest a USART of the F746 goes: PCLK2 108 MHz / 8 with OVER8 (RM0385 31.5.4)."""

INFO = BoardInfo(
    name="twin",
    summary="STM32F746 at 216 MHz, emulated on this machine in virtual time",
    config="disco_f746g",
    flash_bytes=1024 * KIB,
    ram_bytes=320 * KIB,
    virtual_time=True,
    time_source=Source.TWIN_CYCLES,
    run_baud=RUN_BAUD,
)


class TwinChannel:
    """The wire to USART1 of a twin; its clock is the twin's virtual time.

    `read` is what runs the firmware: time stands still while the host thinks.
    """

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._uart = twin.uart(UART_NUMBER)
        self._uart.stop_on_sent()
        self.crash: BoardError | None = None

    def boot(self, limit_s: float) -> None:
        """Runs until the firmware listens, so that no first byte is lost. Raises TwinFault."""
        while not self._uart.listening and self._twin.now_s < limit_s:
            self._run(self._twin.now_s + BOOT_STEP_S)

    def now_s(self) -> float:
        """Virtual seconds since power-on."""
        return self._twin.now_s

    def byte_s(self) -> float:
        """Seconds a byte takes at the rate in USART1's BRR."""
        return self._uart.byte_s

    def write(self, data: bytes, at_s: float | None = None) -> None:
        """Puts `data` on the wire now, or at `at_s` when that is later."""
        self._uart.feed(data, at_s)

    def read(self, until_s: float) -> bytes:
        """Runs the firmware until it has sent something, or until `until_s`. Raises TwinFault."""
        while not (data := self._uart.take_bytes()):
            if self._run(until_s) is StopReason.TIME:
                return b""
        return data

    def _run(self, until_s: float) -> StopReason:
        if self.crash is not None:
            raise self.crash
        try:
            stop = self._twin.run(until_s)
        except TwinFault as fault:
            self.crash = fault
            raise
        if stop.reason is StopReason.RESET and stop.detail == ResetCause.INDEPENDENT_WATCHDOG:
            self.crash = BoardError(
                f"the watchdog reset the board at {stop.now_s:.6f} s of virtual time",
                "the firmware hung, or slept longer than the watchdog allows",
            )
            raise self.crash
        return stop.reason


class RunningTwin:
    """A twin that runs one image."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        self._channel = TwinChannel(twin)

    @property
    def channel(self) -> TwinChannel:
        return self._channel

    def check(self) -> None:
        """Raises the fault that stopped the twin, if one did."""
        if self._channel.crash is not None:
            raise self._channel.crash

    def instructions(self) -> int:
        """Instructions executed since power-on, exactly."""
        return self.twin.instructions

    def usage(self) -> Usage:
        """What current depends on, since power-on."""
        return self.twin.power.usage()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.twin.close()


class TwinBoard:
    """Boots images on a fresh twin each time."""

    info = INFO

    def provenance(self) -> dict[str, Any]:
        """How time is kept, and whether the block hook is native; in Python it is some 20 times slower."""
        _, reason = native.load()
        return {"timing": TIMING, "block_hook": f"python: {reason}" if reason else "native"}

    def start(self, image: Path) -> RunningTwin:
        """A twin whose firmware listens on its UART, or has had BOOT_S to do so. Raises BoardError."""
        running = RunningTwin(Twin(load_image(image), timing=TIMING))
        running.channel.boot(BOOT_S)
        return running


__all__ = ["INFO", "RUN_BAUD", "RunningTwin", "TwinBoard", "TwinChannel"]
