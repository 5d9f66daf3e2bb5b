"""A twin on the desk for one test: its process, its controls, and `hil run` through its probe."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

from hil.probe import registry
from hil.probe.client import DeskClient
from hil_tests.patience import PATIENCE_S, eventually


class Desk:
    """`hil twin --probe` with a fresh chip; ends with `close`."""

    def __init__(self, folder: Path, board: str = "nucleo_f746zg") -> None:
        self.unique_id = f"TEST{uuid.uuid4().hex[:12].upper()}"
        self.flash = folder / "flash.bin"
        self._log = (folder / "desk.log").open("w")
        command = [sys.executable, "-m", "hil", "twin", "--probe", "--board", board]
        command += ["--id", self.unique_id, "--flash", str(self.flash)]
        self.process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        self.entry = eventually(lambda: registry.find(self.unique_id), "there is no desk with a probe")

    def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """One of the desk's controls, over a connection of its own."""
        with DeskClient(self.entry) as client:
            return client.call(name, **arguments)

    def kill(self) -> None:
        """As a crash would."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=PATIENCE_S)
        self._log.close()


class Runs:
    """`hil run` on one desk, with run folders in a folder of its own."""

    def __init__(self, desk: Desk, bundle: Path, out: Path) -> None:
        self._desk, self._bundle, self.out = desk, bundle, out

    def start(self, *arguments: object, board: str = "stm32f746") -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "hil", "run", "--json", "--board", board]
        command += ["--probe", self._desk.unique_id, "--bundle", str(self._bundle), "--out", str(self.out)]
        command += map(str, arguments)
        environment = {name: text for name, text in os.environ.items() if name != "HIL_SERIAL"}
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )

    def saw(self, text: str) -> None:
        """Waits until the event stream of a run holds `text`."""
        eventually(
            lambda: any(text in file.read_text(errors="replace") for file in self.out.glob("*/events.jsonl")),
            f"{text} never came",
        )
