"""Cables of a physical board that are pulled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any, Final

from hil.boards.options import PHYSICAL
from hil.boards.probe import ProbeBoard, RunningProbeBoard
from hil.faults.kind import Kind, Layer
from hil.faults.kinds.frames import FRAME, FrameInjection
from hil.faults.outcome import Outcome
from hil.faults.wire import Passed, Seen

if TYPE_CHECKING:
    from hil.boards.protocol import Board, RunningBoard

_BOARDS: Final = frozenset(PHYSICAL)
"""The twin behind a probe is one of them."""
_SAMPLES: Final = 24
"""They take real time: short runs, so that all schemes come to their turn."""


class SerialUnplugged(FrameInjection):
    """The port goes in the middle of a sample, and is there when it is opened again."""

    def __init__(self, settings: Mapping[str, Any], random: Random) -> None:
        super().__init__(settings, random)
        self._board: RunningProbeBoard | None = None

    def running(self, board: RunningBoard) -> None:
        self._board = board if isinstance(board, RunningProbeBoard) else None

    def begin(self, index: int) -> None:
        super().begin(index)
        if self.settings["frame"] != "any":
            self._first = 0  # how often a frame is repeated in real time is no measure for the next sample

    def strike(self, seen: Seen) -> Sequence[Passed]:
        if self._board is not None:
            self.took_place(f"the port is gone at {seen.name} {seen.way}")
            self._board.channel.unplug()
        return (Passed(seen.encoded),)


class ProbeUnplugged(SerialUnplugged):
    """A probe with its serial port, for the rest of the run."""

    def __init__(self, settings: Mapping[str, Any], random: Random) -> None:
        super().__init__(settings, random)
        self._gone = False

    def board(self, board: Board) -> Board:
        if isinstance(board, ProbeBoard):
            probes = board.outside.probes
            found = lambda: () if self._gone else probes()  # noqa: E731
            board.outside = replace(board.outside, probes=found)
        return board

    def strike(self, seen: Seen) -> Sequence[Passed]:
        self._gone = True
        return super().strike(seen)


SERIAL_UNPLUGGED: Final = Kind(
    "serial-unplugged",
    Layer.HOST,
    "the serial port goes, and comes back",
    frozenset({Outcome.RETRIED, Outcome.FAILED}),
    SerialUnplugged,
    (FRAME,),
    _BOARDS,
    usual=150,
    samples=_SAMPLES,
)
PROBE_UNPLUGGED: Final = Kind(
    "probe-unplugged",
    Layer.HOST,
    "the debug probe goes with its serial port, and stays away; the run ends",
    frozenset({Outcome.FAILED}),
    ProbeUnplugged,
    (FRAME,),
    _BOARDS,
    ends_run=True,
    usual=100,
    samples=_SAMPLES,
)
