"""The server half as a child process that is started early, awaited late and never left behind."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from hil.documents import json_of
from hil.errors import ServerError
from hil.paths import cache_dir
from hil.server.client import Client
from hil.server.options import DEVICE_KEY, Bound

STOP_TIMEOUT_S = 5.0
_END_S = 1.0
_LOG_TAIL = 2000


def ready_line(bound: Bound) -> str:
    """The line by which a server tells its parent that it is ready. Only the command line prints it."""
    return json.dumps({"hil_server": {"port": bound.port, "metrics_port": bound.metrics_port}})


def parse_ready_line(line: str) -> Bound | None:
    """What a `ready_line` says; None for any other output."""
    try:
        said = json_of(line)["hil_server"]
        port, metrics_port = said["port"], said.get("metrics_port")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return Bound(port, metrics_port) if isinstance(port, int) else None


def serve_command(bundle: Path, *more: str) -> list[str]:
    """How a child serves `bundle` on a port of the system's choice and follows its parent's end."""
    whole = [sys.executable, "-m", "hil", "serve", "--bundle", str(bundle), "--port", "0", "--announce"]
    return [*whole, *more]


class ServerProcess:
    """Starts at once and loads in the background; `connect` waits for it.

    The child has a session of its own, so Ctrl-C reaches the parent only, which then stops it. Its
    standard input is a pipe from the parent: should the parent be killed, the pipe ends and the
    child leaves by itself.
    """

    def __init__(self, command: Sequence[str], device_key: bytes | None = None) -> None:
        """With a `device_key` the child can make replies that the device takes for its own.

        Raises ServerError when the program cannot be started."""
        self._log: IO[bytes] = tempfile.TemporaryFile(dir=cache_dir())  # noqa: SIM115 - closed by stop()
        self._final_log: bytes | None = None
        self._bound: Bound | None = None
        self._announced = threading.Event()
        environment = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
        environment.pop("HIL_TOKEN", None)  # for another server than this one
        if device_key is not None:
            environment[DEVICE_KEY] = device_key.hex()
        try:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                start_new_session=True,
                env=environment,
            )
        except OSError as error:
            raise ServerError(f"the server half cannot be started: {error}", "reinstall hil") from None
        threading.Thread(target=self._listen, name="hil-server-ready", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wait(self, timeout_s: float) -> Bound:
        """Where the child listens, once it is ready. Raises ServerError with the end of its log."""
        announced = self._announced.wait(timeout_s)
        if self._bound is not None:
            return self._bound
        if announced and self._ends():
            raise ServerError(f"the server half ended with status {self._process.returncode}", self._tail())
        raise ServerError(f"the server half was not ready after {timeout_s:.0f} s", self._tail())

    @property
    def ready(self) -> bool:
        """Whether it has said where it listens."""
        return self._bound is not None

    def connect(
        self, bundle_hash: bytes, timeout_s: float, via: Callable[[int], int] = lambda port: port
    ) -> Client:
        """Waits until the child is ready, then connects. Raises ServerError with the end of its log.

        `via` gives the port to connect to instead of the child's.
        """
        until_s = time.monotonic() + timeout_s
        announced = self._announced.wait(timeout_s)
        lost: ServerError | None = None
        if self._bound is not None:
            left_s = max(0.1, until_s - time.monotonic())
            try:
                return Client("127.0.0.1", via(self._bound.port), bundle_hash, left_s)
            except ServerError as error:
                lost = error
        if announced and self._ends():
            raise ServerError(f"the server half ended with status {self._process.returncode}", self._tail())
        raise lost or ServerError(f"the server half was not ready after {timeout_s:.0f} s", self._tail())

    def log(self) -> bytes:
        """All that the child wrote to its standard error."""
        if self._final_log is not None:
            return self._final_log
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0)

    def stop(self) -> None:
        """Ends the child: politely, then by force. Safe to call again."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        if self.alive:
            self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._final_log is None:
            self._final_log = self.log()
            self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _listen(self) -> None:
        """Reads the child's output to its end, so that it never blocks on a full pipe."""
        stdout = self._process.stdout
        assert stdout is not None
        with stdout:
            for line in stdout:
                if self._bound is None:
                    self._bound = parse_ready_line(line.decode(errors="replace"))
                    if self._bound is not None:
                        self._announced.set()
        self._announced.set()

    def _ends(self) -> bool:
        """Whether a child that stopped talking is gone, or about to be."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        return not self.alive

    def _tail(self) -> str:
        text = self.log()[-_LOG_TAIL:].decode(errors="replace").strip()
        return f"its last words: {text.splitlines()[-1]}" if text else "it wrote nothing to its log"
