"""A board in a session: started, greeted, and brought back when it falls silent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hil.boards.protocol import Board, MeteredBoard, RunningBoard
from hil.errors import BoardError, FirmwareDamagedError
from hil.measure.power.conditions import Usage
from hil.session.handshake import Handshake
from hil.wire.protocol import RETRANSMIT_MS
from hil.wire.to_host import Capability
from hil.wire.transport import Counters, Transport

Trace = Callable[[str, float, bytes], None]


class Device:
    """Owns the running board. `open` before use, `close` at the end whatever happened."""

    def __init__(
        self, board: Board, image: Path, make_handshake: Callable[[RunningBoard], Handshake], trace: Trace
    ) -> None:
        self._board = board
        self.image = image
        """What a start flashes."""
        self._make_handshake = make_handshake
        self._trace = trace
        self._live: _Live | None = None
        self.flashed_again: list[FirmwareDamagedError] = []
        """Why, each time that a start found the firmware damaged and the next did not."""
        self._began_s = self._rested_s = self._past_s = 0.0
        self.counters = Counters()
        """What went wrong on the wire, over restarts."""

    @property
    def transport(self) -> Transport:
        return self._running.transport

    @property
    def capability(self) -> Capability:
        return self._running.capability

    @property
    def _running(self) -> _Live:
        if self._live is None:
            raise BoardError(f"{self._board.info.name} does not run", "it crashed and was not restarted")
        return self._live

    def open(self) -> None:
        """Starts the board and shakes hands; a damaged firmware is flashed once more.

        Raises BoardError or ProtocolError.
        """
        try:
            self._start()
        except FirmwareDamagedError as error:
            self._start()
            self.flashed_again.append(error)

    def _start(self) -> None:
        running = self._board.start(self.image)
        running.__enter__()
        try:
            patience_s = self._board.info.slowness * RETRANSMIT_MS / 1000
            transport = Transport(running.channel, self._trace, self.counters, patience_s)
            capability = self._make_handshake(running).perform(transport)
        except BaseException:
            running.__exit__(None, None, None)
            raise
        self._live = _Live(running, transport, capability)
        now_s = running.channel.now_s()
        self._rested_s = now_s
        self._began_s = 0.0 if self._board.info.virtual_time else now_s

    @property
    def seconds(self) -> float:
        """How long boards ran, each by its own clock."""
        now_s = self._live.board.channel.now_s() - self._began_s if self._live else 0.0
        return self._past_s + now_s

    def rest(self, period_s: float) -> None:
        """Lets the board idle until `period_s` after the last rest ended. Raises BoardError."""
        self.transport.listen(self._rested_s + period_s)
        self._rested_s = self.transport.channel.now_s()

    def check(self) -> None:
        """Raises BoardError when the board knows that it crashed."""
        self._running.board.check()

    def recover(self) -> None:
        """Greets the device again and, if that fails, restarts it. Raises BoardError."""
        if (live := self._live) is not None:
            try:
                live.board.check()
                capability = self._make_handshake(live.board).perform(live.transport)
                self._live = _Live(live.board, live.transport, capability)
                return
            except BoardError:
                self.close()
        self.open()

    def restart(self) -> None:
        """Flashes and starts the board again. Raises BoardError."""
        self.close()
        self.open()

    def instructions(self) -> int | None:
        return self._live.board.instructions() if self._live else None

    def usage(self) -> Usage | None:
        """What the core did since power-on; None on a board that cannot count it."""
        board = self._live.board if self._live else None
        return board.usage() if isinstance(board, MeteredBoard) else None

    def close(self) -> None:
        """Stops the board. Safe to call again."""
        self._past_s = self.seconds
        live, self._live = self._live, None
        if live is not None:
            live.board.__exit__(None, None, None)


@dataclass(frozen=True)
class _Live:
    board: RunningBoard
    transport: Transport
    capability: Capability
