"""What tests and `hil` may do to a board on the desk, by name, over its socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hil.errors import ProtocolError, unknown_name
from hil.probe import protocol as p
from hil.twin.desk.board import DeskBoard

SEQUENCE_BITS_MAX = 256


class Controls:
    """Answers CALL and TRANSFER for one board."""

    def __init__(self, board: DeskBoard) -> None:
        self._board = board
        self._calls: dict[str, Callable[..., dict[str, Any]]] = {
            "state": self._state,
            "sequence": self._sequence,
            "reset": self._reset,
            "power": self._power,
            "cut_power": self._cut_power,
            "cable": self._cable,
        }

    def handle(self, kind: p.Kind, body: bytes) -> bytes:
        """The answer to a message. Raises HilError for what cannot be done, ProtocolError for nonsense."""
        if kind is p.Kind.TRANSFER:
            return p.pack_outcome(self._board.transfer(p.unpack_accesses(body)))
        if kind is not p.Kind.CALL:
            raise ProtocolError(f"a message of kind {kind} from a client")
        arguments = p.unpack_json(body)
        name = str(arguments.pop("call", ""))
        if name not in self._calls:
            raise unknown_name("call", name, self._calls)
        try:
            return p.pack_json(self._calls[name](**arguments))
        except (TypeError, ValueError) as error:
            raise ProtocolError(f"{name} with {sorted(arguments)}: {error}") from error

    def _state(self) -> dict[str, Any]:
        board = self._board
        return {
            "board": board.kit.name,
            "powered": board.powered,
            "halted": board.unit.control.halted,
            "locked_up": board.unit.control.locked_up,
            "in_reset": board.unit.control.in_reset,
            "now_s": board.twin.now_s,
            "cable": board.cable.plugged,
            "serial": board.cable.where,
        }

    def _sequence(self, *, length: int, bits: str) -> dict[str, Any]:
        """Bits on SWDIO, as a hexadecimal number of which the lowest goes first."""
        if not 0 <= int(length) <= SEQUENCE_BITS_MAX:
            raise ValueError(f"{length} bits")
        self._board.unit.port.sequence(int(length), int(bits, 16))
        return {}

    def _reset(self, *, asserted: bool) -> dict[str, Any]:
        """The nRESET line."""
        if self._board.powered:
            self._board.unit.hold_reset(bool(asserted))
        return {}

    def _power(self, *, on: bool) -> dict[str, Any]:
        if on:
            self._board.power_on()
        else:
            self._board.power_off()
        return {}

    def _cut_power(self, *, at_s: float | None = None, after_bytes: int | None = None) -> dict[str, Any]:
        self._board.cut_power(
            at_s=None if at_s is None else float(at_s),
            after_bytes=None if after_bytes is None else int(after_bytes),
        )
        return {}

    def _cable(self, *, plugged: bool) -> dict[str, Any]:
        self._board.cable.plug(bool(plugged))
        return {}
