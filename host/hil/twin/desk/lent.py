"""A twin on the desk for as long as this process wants one, in a process of its own."""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
import time
import uuid
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from hil.errors import BoardError, HilError
from hil.probe import registry
from hil.twin.desk.desk import run_desk

START_S: Final = 120.0
"""Until it is on the desk: it loads its libraries, and the first one builds the native block hook."""
STOP_S: Final = 10.0
_POLL_S: Final = 0.05


@contextlib.contextmanager
def lent(board: str, flash: Path) -> Iterator[registry.Entry]:
    """A `board` whose chip keeps its flash in `flash`; its entry's unique ID tells it from all other probes.

    Should this process be killed, the twin leaves the desk by itself. Raises BoardError.
    """
    unique_id = f"LENT{uuid.uuid4().hex[:16].upper()}"
    # Not forked: threads of the libraries that are loaded here do not survive that.
    spawning = multiprocessing.get_context("spawn")
    theirs, ours = spawning.Pipe(duplex=False)
    child = spawning.Process(target=_run, args=(theirs, board, unique_id, flash), daemon=True)
    child.start()
    theirs.close()
    try:
        yield _wait(child, unique_id)
    finally:
        ours.close()
        child.join(STOP_S)
        if child.is_alive():
            child.kill()
            child.join()


def _wait(child: BaseProcess, unique_id: str) -> registry.Entry:
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        if (entry := registry.find(unique_id)) is not None:
            return entry
        if not child.is_alive():
            raise BoardError(f"the twin ended with code {child.exitcode}", "try `hil twin --probe`")
        time.sleep(_POLL_S)
    raise BoardError(f"no twin was on the desk after {START_S:.0f} s", "try `hil twin --probe`")


def _run(held: Connection, board: str, unique_id: str, flash: Path) -> None:
    ending = threading.Event()
    threading.Thread(target=_until_let_go, args=(held, ending), name="hil-desk-held", daemon=True).start()
    try:
        run_desk(None, board=board, unique_id=unique_id, flash=flash, stopped=ending)
    except HilError as error:
        raise SystemExit(error.exit_code) from None


def _until_let_go(held: Connection, ending: threading.Event) -> None:
    """The pipe ends with whoever holds its other end, however that one ends."""
    with contextlib.suppress(EOFError, OSError):
        held.recv_bytes()
    ending.set()
