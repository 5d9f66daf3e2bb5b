"""By how much the clocks of host and device may differ."""

from __future__ import annotations

from hil.boards.protocol import BoardInfo

SHARE = 0.01
VIRTUAL_S = 0.0002
REAL_S = 0.003
"""A frame of USB each way, and what a desktop's scheduler takes."""


def tolerance_s(span_s: float, board: BoardInfo) -> float:
    """By how much they may differ over `span_s`."""
    return SHARE * span_s + (VIRTUAL_S if board.virtual_time else REAL_S)
