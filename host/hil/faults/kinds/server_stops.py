"""Server halves that end, stand still, or leave the line open and say nothing."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Mapping
from random import Random
from typing import Any, Final

from hil.faults.kind import Kind, Layer, Setting
from hil.faults.kinds.asked import ServerInjection
from hil.faults.outcome import Outcome
from hil.faults.values import one_of, whole

MOMENTS: Final = ("any", "before", "request", "answer")
_OUTCOMES: Final = frozenset({Outcome.FALLBACK, Outcome.ANSWERED, Outcome.FAILED})
"""Answered where a new connection brings it in time; failed where the device has no answer of its own."""


class ServerCrash(ServerInjection):
    """Kills the process: before it is asked, with the request on its way, or with half an answer sent."""

    def __init__(self, settings: Mapping[str, Any], random: Random) -> None:
        super().__init__(settings, random)
        self._moment = ""

    def begin(self, index: int) -> None:
        super().begin(index)
        wanted = self.settings["moment"]
        self._moment = self.random.choice(MOMENTS[1:]) if wanted == "any" else wanted

    def asked(self, message: bytes) -> bytes | None:
        if self._moment == "answer":
            return message
        self._kill("before it was asked" if self._moment == "before" else "while it was asked")
        return message if self._moment == "request" else b""

    def answered(self, message: bytes) -> bytes | None:
        self._kill("while it answered")
        self.proxy.drop()
        return message[: self.random.randrange(len(message))]

    def _kill(self, when: str) -> None:
        self._due = False
        self.took_place(f"killed {when}")
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.kept.pid, signal.SIGKILL)


class ServerHang(ServerInjection):
    """Stops the process as it is asked, and lets it go on after so many samples."""

    def __init__(self, settings: Mapping[str, Any], random: Random) -> None:
        super().__init__(settings, random)
        self._stopped: dict[int, int] = {}
        """Process and the sample after which it goes on."""
        self._index = 0

    def begin(self, index: int) -> None:
        super().begin(index)
        self._index = index

    def asked(self, message: bytes) -> bytes | None:
        self._due = False
        self.took_place(f"stopped for {self.settings['samples']} samples")
        self._stopped[self.kept.pid] = self._index + self.settings["samples"] - 1
        _signal(self.kept.pid, signal.SIGSTOP)
        return message

    def end(self, index: int) -> None:
        for pid in [pid for pid, last in self._stopped.items() if index >= last]:
            self._go_on(pid)

    def close(self) -> None:
        for pid in list(self._stopped):
            self._go_on(pid)
        super().close()

    def _go_on(self, pid: int) -> None:
        del self._stopped[pid]
        _signal(pid, signal.SIGCONT)


class HalfOpen(ServerInjection):
    """The connection stays, and nothing comes through it any more."""

    def asked(self, message: bytes) -> bytes | None:
        self._due = False
        self.took_place("the request and all that follows is swallowed")
        return None


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


SERVER_CRASH: Final = Kind(
    "server-crash",
    Layer.SERVER,
    "the server half is killed",
    _OUTCOMES,
    ServerCrash,
    (Setting("moment", "any", one_of(MOMENTS), "", f"{', '.join(MOMENTS)}; any: one of them by chance"),),
    own_server=True,
    trials=("rate=0.5",),
    usual=25,
)
SERVER_HANG: Final = Kind(
    "server-hang",
    Layer.SERVER,
    "the server half stops, and goes on later",
    _OUTCOMES,
    ServerHang,
    (Setting("samples", 1, whole(1, 1000), "samples", "so long"),),
    own_server=True,
    usual=60,
    trials=("rate=0.7", "rate=0.4,samples=2"),
)
HALF_OPEN: Final = Kind(
    "half-open",
    Layer.LINK,
    "the connection to the server half stays open and nothing comes any more",
    _OUTCOMES,
    HalfOpen,
    own_server=True,
    usual=60,
    trials=("rate=0.7",),
)
