"""An STM32F746 on the desk: found and flashed through pyOCD, talked to through pyserial."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol, Self

from hil import paths
from hil.boards.options import PHYSICAL, STM32F746, BoardOptions
from hil.boards.protocol import BoardInfo
from hil.errors import BoardError
from hil.measure.source import Source
from hil.probe import serial_port
from hil.probe.channel import SerialChannel
from hil.probe.debugger import Debugger
from hil.probe.flashing import Flashed, flash
from hil.probe.found import Probe, connected
from hil.probe.log import ProbeLog
from hil.probe.select import choose
from hil.probe.targets import ChosenTarget, choose_target
from hil.twin.image import Segment, load_image
from hil.wire.protocol import BOOT_BAUD

FOLDERS: Final = PHYSICAL[1:]
FOLDER_OF: Final = {
    "NUCLEO-F746ZG": "nucleo_f746zg",
    "DISCO-F746NG": "disco_f746g",
    "32F746G-DISCO": "disco_f746g",
}
"""Folders under `mcu/board/` by the name that an ST-LINK's board ID stands for, or a twin's probe gives."""

TWIN_SLOWNESS: Final = 4.0
"""An emulated core takes up to so many times as long, on a host that has other things to do as well."""


class OpenedDebugger(Debugger, Protocol):
    @property
    def firmware(self) -> str | None:
        """The probe's own, where it tells."""
        ...


@dataclass(frozen=True)
class Outside:
    """The world beyond this process; a test brings its own."""

    probes: Callable[[], Sequence[Probe]] = connected
    ports: Callable[[], Sequence[serial_port.Port]] = serial_port.ports
    target: Callable[[str, Path | None], ChosenTarget] = choose_target
    open_channel: Callable[[str], SerialChannel] = SerialChannel
    open_debugger: Callable[[Probe, ChosenTarget, float], OpenedDebugger] | None = None
    """pyOCD's unless given."""


@dataclass(frozen=True)
class Setup:
    """What was found, and what follows from it."""

    probe: Probe
    folder: str
    port: str
    target: ChosenTarget


class RunningProbeBoard:
    """A board that runs without a debugger; leaving the context gives its port back."""

    def __init__(self, channel: SerialChannel) -> None:
        self._channel = channel

    @property
    def channel(self) -> SerialChannel:
        return self._channel

    def check(self) -> None:
        """Raises BoardError when the serial port is gone."""
        if self._channel.lost is not None:
            raise self._channel.lost

    def instructions(self) -> None:
        """A Cortex-M7 does not count them."""
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._channel.close()


class ProbeBoard:
    """`stm32f746`, or one board by its folder's name."""

    def __init__(
        self, name: str, options: BoardOptions | None = None, outside: Outside | None = None
    ) -> None:
        self._name = name
        self._options = options or BoardOptions()
        self.outside = outside or Outside()
        self._setup: Setup | None = None
        self._log: ProbeLog | None = None
        self._flashed: list[Flashed] = []
        self._firmware: str | None = None

    @property
    def info(self) -> BoardInfo:
        """Of `stm32f746`, `config` is empty until `prepare` has asked the probe."""
        setup = self._setup
        folder = setup.folder if setup else self._name if self._name in FOLDERS else ""
        info = info_of(self._name, folder)
        if setup and setup.probe.is_twin:
            return replace(info, time_source=Source.TWIN_CYCLES, slowness=TWIN_SLOWNESS)
        return info

    def prepare(self) -> None:
        """Finds probe, serial port and target description. Raises BoardError, UsageError."""
        self._log = self._log or ProbeLog()
        self._setup = self._look()

    def start(self, image: Path) -> RunningProbeBoard:
        """Flashes what differs, resets, and leaves the debugger. Raises BoardError."""
        if self._setup is None or self._flashed:
            self.prepare()  # a cable that was out may have come back as another port
        setup = self._setup
        assert setup is not None
        segments = load_image(image).segments
        channel = self.outside.open_channel(setup.port)
        try:
            self._flash(setup, segments, channel)
        except BaseException:
            channel.close()
            raise
        return RunningProbeBoard(channel)

    def provenance(self) -> dict[str, Any]:
        """Which probe, port and target description, and what was flashed in all starts so far."""
        setup = self._setup
        if setup is None:
            return {}
        last = self._flashed[-1] if self._flashed else None
        return {
            "folder": setup.folder,
            "probe": setup.probe.unique_id,
            "probe_product": setup.probe.product,
            "probe_firmware": self._firmware,
            "serial_port": setup.port,
            "target": f"{setup.target.name}, {setup.target.origin}",
            "starts": len(self._flashed),
            "bytes_flashed": sum(flashed.bytes_written for flashed in self._flashed),
            "bytes_kept": last.bytes_kept if last else 0,
        }

    def files(self) -> dict[str, bytes]:
        """pyOCD's log."""
        return {"probe.log": self._log.content()} if self._log else {}

    def _look(self) -> Setup:
        known = self._setup.probe.unique_id if self._setup else self._options.probe
        probe = choose(self.outside.probes(), known)
        folder = folder_for(self._name, probe)
        port = serial_port.match(probe, self.outside.ports(), self._options.serial_port)
        return Setup(probe, folder, port, self.outside.target(folder, self._options.pack))

    def _flash(self, setup: Setup, segments: Sequence[Segment], channel: SerialChannel) -> None:
        debugger = self._open(setup)
        try:
            self._firmware = debugger.firmware
            self._flashed.append(flash(debugger, segments))
            channel.discard()  # what the former firmware said
            debugger.run()
        finally:
            debugger.close()

    def _open(self, setup: Setup) -> OpenedDebugger:
        if self.outside.open_debugger is not None:
            return self.outside.open_debugger(setup.probe, setup.target, self.info.slowness)
        from hil.probe.pyocd_debugger import PyocdDebugger

        return PyocdDebugger(setup.probe, setup.target, self.info.slowness)


def folder_for(name: str, probe: Probe) -> str:
    """The folder under `mcu/board/`. Raises BoardError when the probe cannot tell, or contradicts."""
    known = FOLDER_OF.get(probe.board or "")
    if name == STM32F746:
        if known is None:
            raise BoardError(
                f"probe {probe} does not say which board it is on", f"name it: --board {' or '.join(FOLDERS)}"
            )
        return known
    if known not in (None, name):
        raise BoardError(f"probe {probe} is not on a {name}", f"type: --board {known}, or name another probe")
    return name


def info_of(name: str, folder: str) -> BoardInfo:
    """The board's figures, from its folder's `board.toml`; of the chip alone where `folder` is empty."""
    data = tomllib.loads((paths.MCU / "board" / (folder or FOLDERS[0]) / "board.toml").read_text())
    summary = "the STM32F746 board that a debug probe is on" if name == STM32F746 else data["summary"]
    return BoardInfo(
        name=name,
        summary=summary,
        config=folder,
        flash_bytes=data["flash_bytes"],
        ram_bytes=data["ram_bytes"],
        virtual_time=False,
        time_source=Source.MEASURED_DWT,
        run_baud=BOOT_BAUD,
    )
