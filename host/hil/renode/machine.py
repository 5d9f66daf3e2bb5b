"""A machine in a Renode of its own: everything from the temporary folder to the last kill."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hil.errors import BoardError
from hil.paths import cache_dir
from hil.renode import commands, platform, ports
from hil.renode.channel import RenodeChannel
from hil.renode.commands import Files
from hil.renode.find import Renode
from hil.renode.log import LogWatch
from hil.renode.monitor import Monitor
from hil.renode.process import RenodeProcess
from hil.renode.telnet import integer
from hil.renode.uart import UartWire
from hil.twin.image import Image, load_image

START_LIMIT_S: Final = 60.0
"""Renode and its Monitor are there within three seconds on a fast machine."""

STEP_LIMIT_S: Final = 60.0
"""A step of the emulation is milliseconds of virtual time; beyond it, Renode is taken to hang."""

_QUIT_LIMIT_S: Final = 1.0
_FLUSH_LIMIT_S: Final = 20.0
"""A traced run has a profile to write when Renode ends."""

_KEPT_MAX: Final = 64 << 20


@dataclass(frozen=True)
class Setting:
    """How a machine is set up."""

    renode: Renode
    clock_mhz: int
    trace: bool = False
    gdb_port: int | None = None


class Machine:
    """Runs one image; `stop` must be called.

    `on_files` gets what is worth keeping, names and contents, when Renode has ended: also when it
    could not be started.
    """

    def __init__(self, setting: Setting, elf: Path, on_files: Callable[[dict[str, bytes]], None]) -> None:
        """Returns with the core at its reset vector. Raises BoardError, and leaves nothing behind."""
        self._setting = setting
        self._on_files = on_files
        self._image: Image = load_image(elf)
        self._paths = Files(Path(tempfile.mkdtemp(prefix="hil-renode-", dir=cache_dir())))
        self._cleanups = contextlib.ExitStack()
        self._cleanups.callback(shutil.rmtree, self._paths.folder, ignore_errors=True)
        self._cleanups.callback(self._keep_files)
        try:
            self._write_inputs(elf)
            self._start()
        except BaseException:
            self.stop()
            raise

    def check(self) -> None:
        """Raises BoardError when Renode ended, or when its log tells of a crash."""
        self._log.check()
        self._process.check()

    def instructions(self) -> int | None:
        """Instructions executed since power-on; None when Renode does not say."""
        try:
            return integer(self._monitor.run("cpu ExecutedInstructions"))
        except BoardError:
            return None

    def stop(self) -> None:
        """Ends Renode and keeps its files. Safe to call again."""
        self._cleanups.close()

    def _write_inputs(self, elf: Path) -> None:
        paths, mhz = self._paths, self._setting.clock_mhz
        paths.platform.write_text(platform.platform_text(mhz), encoding="utf-8")
        paths.extras.write_text(platform.extras_text(mhz), encoding="utf-8")
        shutil.copyfile(elf, paths.firmware)

    def _start(self) -> None:
        setting, paths = self._setting, self._paths
        if setting.gdb_port is not None:
            ports.check_free(setting.gdb_port, "--gdb")
        monitor_port, uart_port = ports.free_ports(2)
        arguments = commands.arguments(monitor_port, paths.folder / "renode.pid")
        command = setting.renode.command(arguments, paths.folder, paths.folder.name)
        self._process = RenodeProcess(command, paths.console, paths.folder)
        self._cleanups.callback(setting.renode.clean_up, paths.folder.name)
        self._cleanups.callback(self._process.stop)
        self._log = LogWatch(paths.console, self._image)
        self._monitor = Monitor(monitor_port, commands.MACHINE, self._process.check)
        self._cleanups.callback(self._leave)
        self._monitor.connect(START_LIMIT_S)
        self._set_up(uart_port)
        wire = UartWire(uart_port, paths.sent)
        self._cleanups.callback(wire.close)
        self.channel = RenodeChannel(wire, self._run, self.check, self._where)

    def _set_up(self, uart_port: int) -> None:
        setting, paths, run = self._setting, self._paths, self._monitor.run
        self._monitor.attempt("version")
        for command in commands.machine(paths):
            run(command)
        for command in commands.comfort(paths, platform.timer_hz(setting.clock_mhz)):
            self._monitor.attempt(command)
        for command in commands.uart(paths, uart_port):
            run(command)
        if setting.trace:
            for command in commands.trace(paths):
                run(command)
        if setting.gdb_port is not None:
            run(commands.gdb(setting.gdb_port))

    def _run(self, microseconds: int) -> None:
        # Under a debugger the core may stand still for as long as a person thinks.
        limit_s = None if self._setting.gdb_port is not None else STEP_LIMIT_S
        self._monitor.step(commands.run_for(microseconds), limit_s)

    def _where(self) -> str:
        try:
            pc = integer(self._monitor.run("cpu PC"))
        except BoardError:
            pc = None
        return "an unknown place" if pc is None else self._image.describe(pc)

    def _leave(self) -> None:
        """Asks Renode to end, so that it writes its files out; the guard sees to it otherwise."""
        self._monitor.quit()
        self._process.wait(_FLUSH_LIMIT_S if self._setting.trace else _QUIT_LIMIT_S)
        self._monitor.close()

    def _keep_files(self) -> None:
        log = _read(self._paths.console)
        if (monitor := getattr(self, "_monitor", None)) is not None:
            log += b"\n--- the Monitor ---\n" + monitor.transcript().encode()
        traced = (self._paths.profile, self._paths.stacks) if self._setting.trace else ()
        contents = {path.name: _read(path) for path in traced}
        self._on_files({"renode.log": log, **{name: data for name, data in contents.items() if data}})


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_KEPT_MAX)
    except OSError:
        return b""
