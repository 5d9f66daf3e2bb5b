"""A board whose wire and core are within reach of injections."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from hil.boards.protocol import Board, BoardInfo, MeteredBoard, RunningBoard
from hil.faults.injection import Injection
from hil.measure.power.conditions import Usage
from hil.wire.transport import Channel


class InjectedBoard:
    """Starts `board` with all injections in between."""

    def __init__(self, board: Board, injections: Sequence[Injection]) -> None:
        self._board = board
        self._injections = injections

    @property
    def info(self) -> BoardInfo:
        return self._board.info

    def start(self, image: Path) -> RunningBoard:
        """See Board."""
        running = self._board.start(image)
        channel: Channel = running.channel
        for injection in self._injections:
            injection.running(running)
            channel = injection.channel(channel)
        if isinstance(running, MeteredBoard):
            return _Metered(running, channel, running)
        return _Running(running, channel)


class _Running:
    """A running board with another channel."""

    def __init__(self, board: RunningBoard, channel: Channel) -> None:
        self._board = board
        self._channel = channel

    @property
    def channel(self) -> Channel:
        return self._channel

    def check(self) -> None:
        self._board.check()

    def instructions(self) -> int | None:
        return self._board.instructions()

    def __enter__(self) -> Self:
        self._board.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._board.__exit__(*exception)


class _Metered(_Running):
    """One that counts what its current depends on."""

    def __init__(self, board: RunningBoard, channel: Channel, meter: MeteredBoard) -> None:
        super().__init__(board, channel)
        self._meter = meter

    def usage(self) -> Usage:
        return self._meter.usage()
