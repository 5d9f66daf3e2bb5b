"""The STM32F746 on Renode: the same ELF and the same session, in another emulator's virtual time."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Self

from hil.boards.options import BoardOptions
from hil.boards.protocol import BoardInfo
from hil.measure.source import Source
from hil.renode.channel import RenodeChannel
from hil.renode.find import Renode, find_renode
from hil.renode.machine import Machine, Setting
from hil.renode.platform import platform_text
from hil.renode.ports import check_free
from hil.renode.version import shown

KIB = 1024
RUN_BAUD = 3_000_000
"""Bytes take no time on Renode. The rate only sets the receiver's timeout, by which the firmware
learns of a pause there; this one divides every core clock from 60 to 216 MHz well enough."""

INFO = BoardInfo(
    name="renode",
    summary="STM32F746 at 216 MHz on Renode, in virtual time; one instruction is one cycle",
    config="disco_f746g",
    flash_bytes=1024 * KIB,
    ram_bytes=320 * KIB,
    virtual_time=True,
    time_source=Source.RENODE_INSTRUCTIONS,
    run_baud=RUN_BAUD,
)


class RunningRenode:
    """A machine in a Renode of its own."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    @property
    def channel(self) -> RenodeChannel:
        return self._machine.channel

    def check(self) -> None:
        """Raises BoardError when Renode ended, or the firmware crashed."""
        self._machine.check()

    def instructions(self) -> int | None:
        """Instructions executed since power-on."""
        return self._machine.instructions()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._machine.stop()


class RenodeBoard:
    """Boots images on a fresh Renode each time."""

    info = INFO

    def __init__(self, options: BoardOptions | None = None) -> None:
        self._options = options or BoardOptions()
        self._renode: Renode | None = None
        self._files: dict[str, bytes] = {}

    @property
    def clock_mhz(self) -> int:
        return self._options.clock_hz // 1_000_000

    def prepare(self) -> None:
        """Finds Renode, so that its absence is told before minutes are spent. Raises BoardError."""
        if self._options.gdb_port is not None:
            check_free(self._options.gdb_port, "--gdb")
        self._found()

    def start(self, image: Path) -> RunningRenode:
        """A machine at the reset vector of `image`. Raises BoardError."""
        options = self._options
        setting = Setting(self._found(), self.clock_mhz, options.renode_trace, options.gdb_port)
        machine = Machine(setting, image, on_files=lambda files: keep(self._files, files))
        return RunningRenode(machine)

    def provenance(self) -> dict[str, Any]:
        """Which Renode, and how instructions become time."""
        renode = self._found()
        return {
            "renode": shown(renode.version),
            "origin": renode.origin,
            "performance_in_mips": self.clock_mhz,
            "platform_sha256": hashlib.sha256(platform_text(self.clock_mhz).encode()).hexdigest(),
        }

    def files(self) -> dict[str, bytes]:
        """Renode's log and, where asked for, its profiles; of every start so far."""
        return dict(self._files)

    def _found(self) -> Renode:
        if self._renode is None:
            self._renode = find_renode(self._options.renode_path)
        return self._renode


def keep(kept: dict[str, bytes], files: dict[str, bytes]) -> None:
    """Adds `files` to `kept`; a log is continued, anything else replaced."""
    for name, content in files.items():
        kept[name] = kept.get(name, b"") + content if name.endswith(".log") else content
