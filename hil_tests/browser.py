"""A headless Chromium driven over its DevTools pipe: pages are opened, looked at and photographed."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hil_tests.patience import PATIENCE_S

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS: Final = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--no-first-run", "--disable-extensions", "--disable-background-networking", "--disable-sync",
    "--force-color-profile=srgb", "--remote-debugging-pipe",
)  # fmt: skip


def find() -> str | None:
    """`$HIL_BROWSER`, or the first Chromium on PATH; None where there is none."""
    return os.environ.get("HIL_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class Opened:
    """A page as it was when everything had loaded."""

    complaints: list[str] = field(default_factory=list)
    """Errors and warnings of the console, exceptions, requests that failed or left the page."""
    requests: list[str] = field(default_factory=list)
    """Addresses asked for, but for the page's own and those inside it."""


class Browser:
    """One Chromium with one tab. A context manager: it ends with the block."""

    def __init__(self, program: str) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="hil-browser-")
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()

        def place() -> None:
            # Chromium reads from descriptor 3 and writes to 4; high copies first: one might lie on the other.
            low, high = os.dup2(theirs_in, 103), os.dup2(theirs_out, 104)
            os.dup2(low, 3)
            os.dup2(high, 4)

        command = [program, *_FLAGS, f"--user-data-dir={self._home.name}", "about:blank"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=place, close_fds=False, start_new_session=True,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self._out, self._in = ours_out, ours_in
        os.set_blocking(self._in, False)
        self._buffer, self._number, self._session = b"", 0, ""
        self._opened = Opened()
        self._loaded = False
        tab = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=tab, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self._session = ""
        try:
            self.ask("Browser.close")
            self._process.wait(10)
        except (OSError, subprocess.TimeoutExpired, TimeoutError):
            self._process.kill()
            self._process.wait()
        os.close(self._out)
        os.close(self._in)
        self._home.cleanup()

    def open(
        self, page: Path, width: int = 1280, height: int = 900, dark: bool = False, scale: float = 1
    ) -> Opened:
        """Opens a file and waits until all of it is there."""
        self._opened, self._loaded = Opened(), False
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=scale, mobile=False,
        )  # fmt: skip
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[theme])
        self._address = page.resolve().as_uri()
        self.ask("Page.navigate", url=self._address)
        until = time.monotonic() + PATIENCE_S
        while not self._loaded:
            self._take(until)
        return self._opened

    def value(self, expression: str) -> Any:
        """What a JavaScript expression gives in the page."""
        found = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in found:
            raise ValueError(found["exceptionDetails"])
        return found["result"].get("value")

    def photograph(self, target: Path, height: int | None = None) -> None:
        """The page from its top as a PNG: `height` pixels of it, or all."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": height or size["height"], "scale": 1}
        shot = self.ask("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        target.write_bytes(base64.b64decode(shot["data"]))

    def print(self, target: Path) -> None:
        """The page as a PDF on A4."""
        made = self.ask("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        target.write_bytes(base64.b64decode(made["data"]))

    def ask(self, method: str, **parameters: Any) -> Mapping[str, Any]:
        """The answer to one command. Raises ValueError when Chromium refuses it, TimeoutError without any."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + PATIENCE_S
        while (answer := self._take(until)).get("id") != self._number:
            pass
        if "error" in answer:
            raise ValueError(f"{method}: {answer['error']}")
        found: Mapping[str, Any] = answer["result"]
        return found

    def _take(self, until: float) -> Mapping[str, Any]:
        """The next message; events are noted."""
        while b"\0" not in self._buffer:
            try:
                read = os.read(self._in, 1 << 20)
                if not read:
                    raise OSError("Chromium has gone")
                self._buffer += read
            except BlockingIOError:
                if time.monotonic() > until:
                    raise TimeoutError("Chromium does not answer") from None
                time.sleep(0.005)
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: Mapping[str, Any] = json.loads(text)
        self._note(str(message.get("method", "")), message.get("params", {}))
        return message

    def _note(self, event: str, found: Mapping[str, Any]) -> None:
        complain = self._opened.complaints.append
        if event == "Page.loadEventFired":
            self._loaded = True
        elif event == "Runtime.exceptionThrown":
            complain(f"exception: {found['exceptionDetails']}")
        elif event == "Runtime.consoleAPICalled" and found["type"] in ("error", "warning", "assert"):
            complain(f"console: {found['args']}")
        elif event == "Log.entryAdded" and found["entry"]["level"] in ("error", "warning"):
            complain(f"log: {found['entry']['text']}")
        elif event == "Network.loadingFailed":
            complain(f"request failed: {found}")
        elif event == "Network.requestWillBeSent":
            address = found["request"]["url"]
            if not address.startswith(("data:", "about:")) and address != self._address:
                self._opened.requests.append(address)
