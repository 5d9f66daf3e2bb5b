"""The programs around a run: which board emulator it was, and what everybody wrote."""

from __future__ import annotations

from typing import Any

from hil.boards.protocol import Board, ExternalBoard, TracedBoard
from hil.server.answer import Server
from hil.session.folder import RunFolder


def board_provenance(board: Board) -> dict[str, Any]:
    """The entry `board` of a summary's provenance, where the board has something to tell."""
    return {"board": board.provenance()} if isinstance(board, TracedBoard) else {}


def keep_logs(folder: RunFolder, board: Board, server: Server | None) -> None:
    """Logs of the server half and of the board's program. Raises SessionError."""
    logs = board.files() if isinstance(board, ExternalBoard) else {}
    if server is not None and (log := server.log()):
        logs["server.log"] = log
    for name, content in logs.items():
        folder.write_bytes(name, content)
