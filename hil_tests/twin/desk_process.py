"""A twin on the desk in a process of its own, and pyOCD with the plug-in that finds it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hil import paths
from hil.probe import registry
from hil.probe.client import DeskClient
from hil_tests.patience import PATIENCE_S, eventually


@dataclass(frozen=True)
class Desk:
    """A running twin."""

    process: subprocess.Popen[str]
    entry: registry.Entry
    environment: dict[str, str]

    def client(self) -> DeskClient:
        """A connection to it."""
        return DeskClient(self.entry)

    def pyocd(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs the `pyocd` command, which must find the twin by itself."""
        command = [sys.executable, "-m", "pyocd", *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )


def environment(cache: Path, folder: Path) -> dict[str, str]:
    """Variables under which hil uses `cache`, and pyOCD finds the plug-in of this checkout."""
    installed = folder / "hil_checkout-0.dist-info"
    installed.mkdir(exist_ok=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: hil-checkout\nVersion: 0\n")
    (installed / "entry_points.txt").write_text(
        "[pyocd.probe]\nhiltwin = hil.probe.twin_probe:TwinProbePlugin\n"
    )
    path = os.pathsep.join((str(folder), str(paths.PACKAGE.parent), os.environ.get("PYTHONPATH", "")))
    return {**os.environ, "HIL_CACHE": str(cache), "PYTHONPATH": path, "HOME": str(folder)}


@contextlib.contextmanager
def desk(unique_id: str, variables: dict[str, str], *arguments: str) -> Iterator[Desk]:
    """Starts `hil twin --probe` and ends it with Ctrl-C."""
    command = [
        sys.executable,
        "-m",
        "hil",
        "twin",
        "--probe",
        "--board",
        "nucleo_f746zg",
        "--id",
        unique_id,
        *arguments,
    ]
    process = subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, text=True)
    try:
        eventually(lambda: process.poll() is not None or registry.find(unique_id) is not None)
        entry = registry.find(unique_id)
        assert entry is not None, process.communicate()[1]
        yield Desk(process, entry, variables)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
