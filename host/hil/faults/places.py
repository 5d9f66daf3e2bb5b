"""Where a campaign injects a kind: on its board, or for cables, which the twin lacks, on a twin with some."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from hil.boards import registry as boards
from hil.boards.options import BoardOptions
from hil.faults.kind import Kind
from hil.paths import cache_dir
from hil.pipeline import Request

if TYPE_CHECKING:
    from hil.probe.registry import Entry

TWIN: Final = "twin"
BEHIND_PROBE: Final = "nucleo_f746zg"
"""The board that the twin is when a debug probe and a serial port are between it and hil."""


def place(kind: Kind, board: str) -> str | None:
    """The board that a campaign on `board` injects `kind` on; None where it cannot be had."""
    if kind.boards is None or board in kind.boards:
        return board
    return BEHIND_PROBE if board == TWIN and BEHIND_PROBE in kind.boards else None


def planned(kinds: Iterable[Kind], board: str) -> list[Kind]:
    """Those of `kinds` that a campaign on `board` injects. Raises UsageError for an unknown board."""
    boards.get(board)
    return [kind for kind in kinds if place(kind, board) is not None]


class Places:
    """The boards of one campaign. A twin behind a probe is started when it is first asked for."""

    def __init__(self, board: str) -> None:
        self._board = board
        self._open = contextlib.ExitStack()
        self._entry: Entry | None = None

    def request(self, kind: Kind) -> Request:
        """A run on the board that `kind` is injected on, which is one of `planned`. Raises BoardError."""
        name = place(kind, self._board)
        assert name is not None
        if name == self._board:
            return Request(board=name)
        entry = self._behind_probe()
        # Both by name: others may be plugged in, and what HIL_PROBE and HIL_SERIAL name are not meant.
        cables = BoardOptions(probe=entry.unique_id, serial_port=entry.serial)
        return Request(board=name, board_options=cables)

    def _behind_probe(self) -> Entry:
        if self._entry is None:
            from hil.twin.desk.lent import lent

            folder = self._open.enter_context(tempfile.TemporaryDirectory(dir=cache_dir(), prefix="desk-"))
            self._entry = self._open.enter_context(lent(BEHIND_PROBE, Path(folder) / "flash.bin"))
        return self._entry

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()
