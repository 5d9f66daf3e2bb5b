"""The process of a twin on the desk: slices of emulation, paced to the wall clock, and service in between."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from hil import paths
from hil.errors import UsageError
from hil.probe import registry
from hil.twin.desk.board import DeskBoard
from hil.twin.desk.controls import Controls
from hil.twin.desk.server import DeskServer
from hil.twin.image import load_image
from hil.twin.wiring import load_wiring

SLICE_S = 0.0005
"""Virtual seconds between two looks at socket and cable: a debugger waits no longer."""
IDLE_S = 0.5
"""Wall-clock seconds after which a desk with nothing to do looks whether it shall end."""
LINGER_S = 0.0005
"""A debugger that just asked will ask again: the next slice waits that long for it."""
BURST_S = 0.01
"""But not longer than this in a row: the core must get on while a debugger polls it."""
CATCH_UP_S = 0.1
"""A sleeping core makes up for so much that a busy host held the desk up."""
SAVE_S = 2.0

_UNIQUE_ID = re.compile(r"[A-Za-z0-9_-]{4,40}")


def run_desk(
    image: Path | None,
    *,
    board: str,
    unique_id: str | None = None,
    flash: Path | None = None,
    fast: bool = False,
    on_message: Callable[[str], None] = lambda message: None,
    stopped: threading.Event | None = None,
) -> int:
    """Puts a twin on the desk until Ctrl-C or SIGTERM, or until `stopped`; returns 0.

    `flash` keeps the contents of the flash, by default a file in the cache folder for each unique
    ID. `fast` lets virtual time run ahead of the wall clock. Raises UsageError and BoardError.
    """
    unique_id = unique_id or f"TWIN{uuid.uuid4().hex[:20].upper()}"
    if not _UNIQUE_ID.fullmatch(unique_id):
        raise UsageError(f"{unique_id!r} is no unique ID", "4 to 40 letters, digits, - or _")
    if registry.find(unique_id) is not None:
        raise UsageError(f"a twin {unique_id} is already on the desk", "end it, or choose another --id")
    wiring = load_wiring(board)
    loaded = None if image is None else load_image(image)
    with contextlib.ExitStack() as stack:
        ending = stack.enter_context(_signals(stopped or threading.Event()))
        file = flash or paths.cache_dir() / "desk" / f"{unique_id}.flash"
        twin = DeskBoard(wiring, file, loaded, on_message)
        stack.callback(twin.close)
        server = DeskServer(Controls(twin).handle, twin.save)
        stack.callback(server.close)
        entry = registry.Entry(unique_id, os.getpid(), server.port, server.token, board, twin.cable.where)
        registry.publish(entry)
        stack.callback(registry.withdraw, entry)
        on_message(f"{board} {unique_id} is on the desk; its serial port is {twin.cable.where}")
        _Loop(twin, server, fast).run(ending)
    return 0


class _Loop:
    """Virtual time never runs ahead of the wall clock, and catches up with it only in sleep.

    So a wait that firmware measures in cycles takes as long as on the board, and computing takes as
    long as the emulator does.
    """

    def __init__(self, board: DeskBoard, server: DeskServer, fast: bool) -> None:
        self._board = board
        self._server = server
        self._fast = fast

    def run(self, ending: threading.Event) -> None:
        due_s = saved_s = ran_s = time.monotonic()
        while not ending.is_set():
            served = self._server.serve()
            self._board.exchange()
            now_s = time.monotonic()
            if served:
                due_s = min(due_s, now_s + SLICE_S)  # the core may have been set going
            if served and now_s - ran_s < BURST_S:
                self._wait(LINGER_S)
                continue
            if now_s < due_s:
                self._wait(due_s - now_s)
                continue
            ran_s = now_s
            passed_s = self._slice()
            begun_s = max(due_s, now_s - CATCH_UP_S) if self._board.twin.sleeping else now_s
            due_s = begun_s + passed_s
            if now_s - saved_s > SAVE_S and not self._server.busy:
                self._board.save()
                saved_s = now_s

    def _slice(self) -> float:
        """Runs a little; returns the wall-clock seconds that it stands for."""
        before_s = self._board.twin.now_s
        self._board.run(SLICE_S)
        self._board.exchange()
        passed_s = self._board.twin.now_s - before_s
        if self._board.idle and passed_s <= 0:
            return IDLE_S
        return SLICE_S if self._fast and self._board.twin.sleeping else 0.0 if self._fast else passed_s

    def _wait(self, seconds: float) -> None:
        descriptors = [*self._server.descriptors(), *self._board.cable.descriptors()]
        select.select(descriptors, [], [], max(0.0, min(seconds, IDLE_S)))


@contextlib.contextmanager
def _signals(ending: threading.Event) -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM set the event: the desk ends between two slices."""
    if threading.current_thread() is not threading.main_thread():
        yield ending
        return
    numbers = signal.SIGINT, signal.SIGTERM
    former = [signal.signal(number, lambda *_: ending.set()) for number in numbers]
    try:
        yield ending
    finally:
        for number, handler in zip(numbers, former, strict=True):
            signal.signal(number, handler)
